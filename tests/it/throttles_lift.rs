//! An administrator lifts the delay after wrong passwords.

use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: the_api_lifts_a_delay_with_a_reason,
        the_page_lifts_a_delay_and_its_person_sees_why,
        the_command_line_lifts_a_delay,
        a_deleted_person_leaves_no_failures,
);

async fn attack(app: &TestApp, person: &Person) {
    let wrong = Person {
        password: "a wrong guess".into(),
        ..person.clone()
    };
    for _ in 0..5 {
        app.try_login(&wrong, IPHONE).await.expect(401);
    }
    app.try_login(person, IPHONE)
        .await
        .problem(429, "too_many_tries");
}

fn id_of(app: &TestApp, person: &Person) -> String {
    let sql = match app.database.postgres_name() {
        Some(_) => "SELECT id::text AS value FROM users WHERE email = ",
        None => {
            "SELECT lower(substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || \
             substr(hex(id), 13, 4) || '-' || substr(hex(id), 17, 4) || '-' || \
             substr(hex(id), 21)) AS value FROM users WHERE email = "
        }
    };
    let ids = app.database.texts(&format!("{sql}'{}'", person.email));
    ids[0].clone().expect("an id")
}

async fn the_api_lifts_a_delay_with_a_reason(app: &TestApp) {
    let (ada, root) = (
        app.register("ada@example.org").await,
        app.register("root@example.org").await,
    );
    app.set_role(&root, "admin");
    let admin = app.login(&root, FIREFOX).await;
    attack(app, &ada).await;
    let path = format!("/api/v1/admin/users/{}/lift-delay", id_of(app, &ada));
    let lift = async |body: serde_json::Value| {
        TestResponse::to(admin.request("POST", &path).json(&body)).await
    };
    lift(json!({"reason": " "})).await.expect(400);
    app.try_login(&ada, IPHONE).await.expect(429);
    let body = json!({"reason": "She called from her office."});
    assert_eq!(lift(body.clone()).await.expect(200).json()["lifted"], true);
    assert_eq!(lift(body).await.expect(200).json()["lifted"], false);
    app.login(&ada, IPHONE).await;
}

async fn the_page_lifts_a_delay_and_its_person_sees_why(app: &TestApp) {
    let (ada, root) = (
        app.register("ada@example.org").await,
        app.register("root@example.org").await,
    );
    app.set_role(&root, "admin");
    let admin = app.signed_in_browser(&root, FIREFOX).await;
    let person = format!("/admin/users/{}", id_of(app, &ada));
    let path = format!("{person}/lift-delay");
    let wrong = json!({"email": ada.email, "password": "a wrong guess"});
    let guess = app.anyone().post("/api/v1/auth/login", &wrong).await;
    guess.expect(401);
    // One makes nobody wait.
    assert!(!admin.get(&person).await.expect(200).text.contains(&path));
    admin
        .get(&path)
        .await
        .expect_words("Ada Lovelace doesn’t have to wait.");
    app.login(&ada, FIREFOX).await;
    attack(app, &ada).await;
    assert!(admin.get(&person).await.expect(200).text.contains(&path));
    let fields = [("reason", "She called from her office.")];
    let done = admin.submit(&path, &path, &fields).await.expect(303);
    admin
        .follow(&done)
        .await
        .expect_words("Ada Lovelace can try again at once.");
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    browser
        .get("/account")
        .await
        .expect_words("She called from her office.");
}

async fn the_command_line_lifts_a_delay(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    attack(app, &ada).await;
    let program = Program::with(&app.database);
    program
        .run(&["user", "lift-delay", "--email", &ada.email])
        .expect_done();
    app.login(&ada, IPHONE).await;
}

async fn a_deleted_person_leaves_no_failures(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    attack(app, &ada).await;
    browser
        .submit(
            "/account/delete",
            "/account/delete",
            &[("typed", "ada@example.org")],
        )
        .await
        .expect(303);
    let rows = "SELECT count(*) AS value FROM account_throttles WHERE user_id IS NOT NULL";
    assert_eq!(app.database.number(rows), 0);
}
