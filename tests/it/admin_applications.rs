//! The page of applications, and sessions that follow their people to an application.

use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    database: an_application_is_added_changed_and_deleted,
    what_is_wrong_with_an_application_is_said,
);
on_both!(
    app: a_key_that_administers_is_warned_of,
    applications_are_listed_for_programs,
    sessions_follow_their_people,
    many_applications_are_on_several_pages,
);

const PAGE: &str = "/admin/applications";

async fn start(database: Database) -> TestApp {
    TestApp::start_with(database, |settings| {
        settings.forward_auth.allowed_hosts =
            vec!["app.example.org".into(), "b.example.org:8443".into()];
    })
    .await
}

async fn admin(app: &TestApp) -> Browser {
    let ada = app.register("ada@example.org").await;
    app.set_role(&ada, "admin");
    app.signed_in_browser(&ada, FIREFOX).await
}

/// Returns the path of the form that changes the only application.
async fn only_form(browser: &Browser) -> String {
    let page = browser.get(PAGE).await.expect(200);
    let path = page
        .text
        .split('"')
        .find(|part| part.starts_with("/admin/applications/"));
    path.expect("a form").to_owned()
}

async fn an_application_is_added_changed_and_deleted(database: Database) {
    let app = start(database).await;
    let browser = admin(&app).await;
    let fields = [
        ("name", "Shop"),
        ("kind", "website"),
        ("hosts", "App.example.org b.example.org:8443"),
    ];
    let added = browser.submit(PAGE, PAGE, &fields).await;
    let page = browser
        .follow(&added)
        .await
        .expect(200)
        .expect_words("The application is added.");
    let page = page
        .expect_words("Website · 0 people")
        .expect_words("b.example.org:8443");
    assert!(!page.text.contains("Not admitted"));
    let path = only_form(&browser).await;
    let fields = [("name", "Store"), ("kind", "service"), ("hosts", "")];
    let changed = browser.submit(PAGE, &path, &fields).await;
    let page = browser.follow(&changed).await.expect(200);
    page.expect_words("The application is changed.")
        .expect_words("Service · 0 people");
    // With a key in use it stays.
    let id = path.rsplit('/').next().expect("an id").to_owned();
    let key = [("application", id.as_str()), ("tokens", "on")];
    let delete = format!("{path}/delete");
    let delete = browser.form(&delete, &delete).await;
    browser
        .submit(PAGE, "/admin/api-keys", &key)
        .await
        .expect(200);
    browser
        .send(&delete, &[])
        .await
        .expect(400)
        .expect_words("The application was not deleted");
    let page = browser.get(PAGE).await.expect(200);
    assert!(
        !page.text.contains("/delete\""),
        "what is in use can't be deleted"
    );
    let revoke = page
        .text
        .split('"')
        .find(|part| part.ends_with("/revoke"))
        .expect("a link")
        .to_owned();
    browser.submit(&revoke, &revoke, &[]).await.expect(303);
    let deleted = browser.send(&delete, &[]).await;
    browser
        .follow(&deleted)
        .await
        .expect(200)
        .expect_words("The application is deleted.");
    let again = browser.send(&delete, &[]).await;
    browser
        .follow(&again)
        .await
        .expect(200)
        .expect_words("There is no such application any more.");
    app.stop().await;
}

async fn what_is_wrong_with_an_application_is_said(database: Database) {
    let app = start(database).await;
    let browser = admin(&app).await;
    browser
        .submit(PAGE, PAGE, &[("name", "Shop")])
        .await
        .expect(303);
    let many: String = (0..21).map(|n| format!("h{n}.example.org ")).collect();
    for (fields, words) in [
        (&[("name", " ")][..], "Give the application a name"),
        (
            &[("name", "Shop")],
            "There is another application with that name.",
        ),
        (
            &[("name", "A"), ("kind", "thing")],
            "Choose what the application is.",
        ),
        (
            &[("name", "A"), ("hosts", "https://app.example.org/")],
            "is not the name of a host",
        ),
        (&[("name", "A"), ("hosts", &many)], "must be at most 20"),
        (
            &[("name", "A"), ("hosts", "other.example.org")],
            "Forward-auth does not admit other.example.org",
        ),
    ] {
        let page = browser.submit(PAGE, PAGE, fields).await.expect(400);
        page.expect_words(words);
    }
    let path = only_form(&browser).await;
    let fields = [("name", "A <b>"), ("hosts", "other.example.org")];
    let page = browser.submit(PAGE, &path, &fields).await.expect(400);
    assert!(
        page.text.contains("value=\"A &#60;b&#62;\""),
        "what was typed is there"
    );
    let form = browser.form(PAGE, &path).await;
    let missing = form.aimed_at("/admin/applications/01a226cc-0000-7000-8000-000000000000");
    browser.send(&missing, &[("name", "A")]).await.expect(404);
    // A host that the settings don't admit any more is marked.
    app.database
        .execute("UPDATE applications SET hosts = 'old.example.org'");
    browser
        .get(PAGE)
        .await
        .expect(200)
        .expect_words("Not allowed by forward-auth");
    app.stop().await;
}

async fn a_key_that_administers_is_warned_of(app: &TestApp) {
    let browser = admin(app).await;
    let fields = [("name", "monitor"), ("admin_read", "on")];
    let created = browser
        .submit(PAGE, "/admin/api-keys", &fields)
        .await
        .expect(200);
    created
        .expect_words("Anybody with this secret can read everybody’s sessions")
        .expect_words("Reads everybody’s sessions");
    let fields = [("name", "shop"), ("sessions", "on")];
    let created = browser
        .submit(PAGE, "/admin/api-keys", &fields)
        .await
        .expect(200);
    assert!(!created.text.contains("Anybody with this secret"));
}

async fn applications_are_listed_for_programs(app: &TestApp) {
    let rollcall = Program::with(&app.database);
    rollcall
        .run(&[
            "application",
            "add",
            "--name",
            "Blog",
            "--kind",
            "website",
            "--host",
            "blog.example.org",
        ])
        .expect_done();
    rollcall
        .run(&[
            "application",
            "set",
            "Blog",
            "--host",
            "a.example.org",
            "--host",
            "b.example.org",
        ])
        .expect_done();
    rollcall
        .run(&["application", "set", "Blog", "--host", "no host/"])
        .expect_failed(1);
    let key = app.create_key("admin:read");
    let list = |query: &str| {
        let request = app
            .anyone()
            .request("GET", &format!("/api/v1/admin/applications{query}"));
        TestResponse::to(request.bearer_auth(&key))
    };
    let all = list("").await.expect(200).json();
    let applications = all["applications"].as_array().expect("a list");
    assert_eq!(applications.len(), 2);
    assert_eq!(applications[0]["name"], "Blog");
    assert_eq!(applications[0]["kind"], "website");
    assert_eq!(
        applications[0]["hosts"],
        json!(["a.example.org", "b.example.org"])
    );
    assert_eq!(
        applications[0]["people"],
        json!({"count": 0, "is_exact": true})
    );
    assert_eq!(applications[1]["keys"][0]["scopes"], json!(["admin:read"]));
    let first = list("?limit=1").await.expect(200).json();
    let cursor = first["next_cursor"].as_str().expect("a cursor");
    let second = list(&format!("?limit=1&cursor={cursor}"))
        .await
        .expect(200)
        .json();
    assert_eq!(second["applications"][0]["kind"], "service");
    assert!(second["next_cursor"].is_null());
    for wrong in [
        "?limit=0",
        "?limit=201",
        "?limit=x",
        "?offset=1",
        "?limit=1&limit=1",
    ] {
        list(wrong).await.problem(400, "invalid_request");
    }
}

/// When people of "Earlier" are assigned, their sessions are the application's, live and ended ones.
async fn sessions_follow_their_people(app: &TestApp) {
    let rollcall = Program::with(&app.database);
    let shop = rollcall.add_key(&["--name", "shop", "--scope", "sessions"]);
    let path = "/api/v1/app/sessions";
    for subject in ["1", "1", "2", "3"] {
        let request = app.anyone().request("POST", path).bearer_auth(&shop.secret);
        TestResponse::to(request.json(&json!({"subject": subject})))
            .await
            .expect(201);
    }
    let end = app
        .anyone()
        .request("DELETE", path)
        .bearer_auth(&shop.secret);
    TestResponse::to(end.header("x-subject", "3"))
        .await
        .expect(200);
    let earlier = app.database.id("00000000-0000-7000-8000-000000000000");
    app.database.execute(&format!(
        "INSERT INTO applications (id, name, created_at) VALUES ({earlier}, 'Earlier', '2026-11-20 08:30:00.000000'); \
         UPDATE users SET application_id = {earlier} WHERE external_subject IS NOT NULL; \
         UPDATE user_sessions SET application_id = {earlier}"
    ));
    let of_shop = format!("application_id = {}", app.database.id(&shop.application));
    assert_eq!(app.database.sessions_where(&of_shop), 0);
    rollcall
        .run(&["application", "assign", "--subject", "1", "--to", "shop"])
        .expect_done();
    assert_eq!(app.database.sessions_where(&of_shop), 2);
    rollcall
        .run(&["application", "assign", "--all", "--to", "shop"])
        .expect_done();
    assert_eq!(app.database.sessions_where(&of_shop), 4);
    assert_eq!(
        app.database
            .sessions_where(&format!("{of_shop} AND NOT is_active")),
        1
    );
}

async fn many_applications_are_on_several_pages(app: &TestApp) {
    let browser = admin(app).await;
    for n in 0..55 {
        let id = format!("01a226cc-0000-7000-8000-0000000000{n:02}");
        app.database.execute(&format!(
            "INSERT INTO applications (id, name, created_at) VALUES ({}, 'App {n:02} & more', '2026-11-20 08:30:00.000000')",
            app.database.id(&id)
        ));
    }
    let first = browser.get(PAGE).await.expect(200);
    let next = first
        .text
        .split('"')
        .find(|part| part.starts_with("/admin/applications?after="))
        .expect("a link");
    let second = browser.get(&next.replace("&#38;", "&")).await.expect(200);
    assert!(first.text.contains("App 49") && !first.text.contains("App 50"));
    assert!(
        second.text.contains("App 50")
            && second.text.contains("App 54")
            && !second.text.contains("App 49")
    );
}
