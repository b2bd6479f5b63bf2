//! What an administrator does to a person: creating, changing, disabling, exporting and deleting
//! their account. The person sees it, with the reason, and never from where.

use serde_json::Value;

use crate::support::admin::{Admin, account_events, id_of};
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: a_created_person_signs_in_at_once,
    what_is_not_valid_creates_nobody,
    name_e_mail_and_role_change_together_or_not_at_all,
    a_changed_e_mail_is_the_one_to_sign_in_with,
    disabling_ends_the_sessions_and_enabling_lets_them_sign_in_again,
    disabling_twice_is_one_event,
    a_reset_link_sets_a_password_once,
    a_person_of_an_application_has_neither_password_nor_e_mail_to_change,
    no_placeholder_is_shown_as_an_e_mail,
    an_e_mail_is_vouched_for_once,
    the_export_is_complete_and_holds_no_secret,
    the_export_has_the_address_of_a_sign_in_through_an_application,
    deleting_needs_the_name_of_the_person,
    a_person_sees_what_was_done_to_them_with_the_reason,
    an_unknown_person_is_not_found,
    no_answer_holds_a_secret,
    every_act_needs_a_recently_given_password,
);

const SECOND: Duration = Duration::from_secs(1);
const ADA: &str = "ada@example.org";
const NOBODY: &str = "019ab0de-0000-7000-8000-000000000000";

async fn set_up(app: &TestApp) -> (Admin, Person, String) {
    let admin = Admin::start(app, "admin@example.org").await;
    let ada = app.register(ADA).await;
    let id = id_of(app, ADA);
    (admin, ada, id)
}

async fn a_created_person_signs_in_at_once(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let body = json!({"email": "Bob@Example.org", "full_name": " Bob ", "password": PASSWORD});
    let created = admin.send("POST", "", &body).await.expect(201).json();
    assert_eq!(created["email"], "bob@example.org");
    assert_eq!(created["full_name"], "Bob");
    assert_eq!(created["email_verified"], true);
    assert_eq!(
        (&created["role"], &created["state"]),
        (&json!("person"), &json!("active"))
    );
    let id = created["id"].as_str().expect("an id");
    assert_eq!(account_events(app, id), ["account_created:person:"]);
    let bob = Person {
        email: "bob@example.org".into(),
        password: PASSWORD.into(),
    };
    app.login(&bob, FIREFOX).await;
    assert_eq!(admin.person(id).await["live_sessions"], 1);
    admin
        .send("POST", "", &body)
        .await
        .problem(409, "email_taken");
}

async fn what_is_not_valid_creates_nobody(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let email = "bob@example.org";
    for (body, field) in [
        (json!({"email": email}), "password"),
        (json!({"email": email, "password": "short"}), "password"),
        (
            json!({"email": email, "password": PASSWORD, "invite": true}),
            "password",
        ),
        (json!({"email": "bob", "invite": true}), "email"),
        (
            json!({"email": email, "invite": true, "role": "king"}),
            "role",
        ),
        (
            json!({"email": email, "invite": true, "full_name": "x".repeat(256)}),
            "full_name",
        ),
        (
            json!({"email": email, "invite": true, "is_admin": true}),
            "is_admin",
        ),
        (json!({}), "email"),
    ] {
        let problem = admin
            .send("POST", "", &body)
            .await
            .problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{problem:#}");
    }
    assert_eq!(
        app.database.number("SELECT count(*) AS value FROM users"),
        1
    );
}

async fn name_e_mail_and_role_change_together_or_not_at_all(app: &TestApp) {
    let (admin, _, id) = set_up(app).await;
    app.register("bob@example.org").await;
    let path = format!("/{id}");
    let taken = json!({"full_name": "Countess", "role": "auditor", "email": "bob@example.org"});
    admin
        .send("PATCH", &path, &taken)
        .await
        .problem(409, "email_taken");
    let before = admin.person(&id).await;
    assert_eq!(before["full_name"], "Ada Lovelace");
    assert_eq!(before["role"], "person");
    assert_eq!(account_events(app, &id), Vec::<String>::new());

    let free = json!({
        "full_name": "Countess", "role": "auditor", "email": "countess@example.org",
        "reason": "She asked for it",
    });
    let after = admin.send("PATCH", &path, &free).await.expect(200).json();
    assert_eq!(after["full_name"], "Countess");
    assert_eq!(after["role"], "auditor");
    assert_eq!(after["email"], "countess@example.org");
    let mut events = account_events(app, &id);
    events.sort();
    assert_eq!(
        events,
        [
            "email_changed:ada@example.org → countess@example.org:She asked for it",
            "name_changed::She asked for it",
            "role_changed:auditor:She asked for it",
        ]
    );
    admin.send("PATCH", &path, &free).await.expect(200);
    assert_eq!(account_events(app, &id).len(), 3, "nothing has changed");
    let nameless = json!({"full_name": ""});
    let after = admin
        .send("PATCH", &path, &nameless)
        .await
        .expect(200)
        .json();
    assert_eq!(after["full_name"], Value::Null);
    let unknown = admin
        .send("PATCH", &path, &json!({"state": "disabled"}))
        .await;
    let problem = unknown.problem(400, "invalid_request");
    assert_eq!(problem["errors"][0]["field"], "state");
}

async fn a_changed_e_mail_is_the_one_to_sign_in_with(app: &TestApp) {
    let (admin, ada, id) = set_up(app).await;
    let laptop = app.login(&ada, FIREFOX).await;
    let body = json!({"email": "countess@example.org"});
    admin
        .send("PATCH", &format!("/{id}"), &body)
        .await
        .expect(200);
    laptop.current().await.expect(200);
    app.try_login(&ada, FIREFOX)
        .await
        .problem(401, "invalid_credentials");
    let renamed = Person {
        email: "countess@example.org".into(),
        ..ada
    };
    app.login(&renamed, FIREFOX).await;
    // The alert is no administrator's address.
    let alert = "SELECT count(*) AS value FROM alerts
                 WHERE act = 'email_changed' AND kind = 'administered' AND device_name = 'An administrator'
                   AND ip_address IS NULL AND session_id IS NULL";
    assert_eq!(app.database.number(alert), 1);
}

async fn disabling_ends_the_sessions_and_enabling_lets_them_sign_in_again(app: &TestApp) {
    let (admin, ada, id) = set_up(app).await;
    let (laptop, phone) = (
        app.login(&ada, FIREFOX).await,
        app.login(&ada, IPHONE).await,
    );
    for body in [
        json!({}),
        json!({"reason": " "}),
        json!({"reason": "x".repeat(501)}),
    ] {
        let response = admin.send("POST", &format!("/{id}/disable"), &body).await;
        let problem = response.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], "reason");
    }
    laptop.current().await.expect(200);
    let body = json!({"reason": "Stolen laptop"});
    let disabled = admin
        .send("POST", &format!("/{id}/disable"), &body)
        .await
        .expect(200);
    assert_eq!(
        disabled.json(),
        json!({"ended": 2, "already_disabled": false})
    );
    for device in [laptop, phone] {
        device.current().await.problem(401, "unauthenticated");
    }
    app.try_login(&ada, FIREFOX)
        .await
        .problem(401, "invalid_credentials");
    let ended = "ended_reason = 'account_disabled' AND NOT is_active";
    assert_eq!(app.database.sessions_where(ended), 2);
    let of_sessions = "SELECT count(*) AS value FROM session_events
                WHERE kind = 'ended' AND stated_reason = 'Stolen laptop' AND by_user_id IS NOT NULL";
    assert_eq!(app.database.number(of_sessions), 2);
    assert_eq!(admin.person(&id).await["state"], "disabled");

    app.advance(SECOND);
    let body = json!({"reason": "Found again"});
    let enabled = admin
        .send("POST", &format!("/{id}/enable"), &body)
        .await
        .expect(200);
    assert_eq!(enabled.json()["state"], "active");
    app.login(&ada, FIREFOX).await;
    assert_eq!(
        account_events(app, &id),
        ["disabled::Stolen laptop", "enabled::Found again"]
    );
}

async fn disabling_twice_is_one_event(app: &TestApp) {
    let (admin, ada, id) = set_up(app).await;
    app.login(&ada, FIREFOX).await;
    let (path, body) = (format!("/{id}/disable"), json!({"reason": "Left"}));
    let (one, two) = tokio::join!(
        admin.send("POST", &path, &body),
        admin.send("POST", &path, &body)
    );
    let mut answers = [one.expect(200).json(), two.expect(200).json()];
    answers.sort_by_key(|answer| answer["ended"].as_u64());
    assert_eq!(answers[0], json!({"ended": 0, "already_disabled": true}));
    assert_eq!(answers[1], json!({"ended": 1, "already_disabled": false}));
    assert_eq!(account_events(app, &id), ["disabled::Left"]);
    app.advance(SECOND);
    let path = format!("/{id}/enable");
    for _ in 0..2 {
        admin.send("POST", &path, &json!({})).await.expect(200);
    }
    assert_eq!(account_events(app, &id), ["disabled::Left", "enabled::"]);
}

async fn a_reset_link_sets_a_password_once(app: &TestApp) {
    let (admin, ada, id) = set_up(app).await;
    let laptop = app.login(&ada, FIREFOX).await;
    let created = admin
        .send("POST", &format!("/{id}/reset-link"), &json!({}))
        .await;
    let created = created.expect(201);
    assert_eq!(created.header("cache-control"), "no-store");
    let link = created.json()["link"].as_str().expect("a link").to_owned();
    assert_eq!(account_events(app, &id), ["reset_link_created::"]);
    let (_, path) = link.split_at(link.find("/reset-password/").expect("a path"));
    laptop.current().await.expect(200);
    let new = "another battery staple";
    let reader = app.browser(IPHONE);
    let done = reader.submit(path, path, &[("new_password", new)]).await;
    let page = reader.follow(&done).await;
    page.expect_words("Your new password is set");
    laptop.current().await.problem(401, "unauthenticated");
    reader.get(path).await.expect(410);
    let ada = Person {
        password: new.into(),
        ..ada
    };
    app.login(&ada, FIREFOX).await;

    // One from before the account was disabled is void for good.
    let created = admin
        .send("POST", &format!("/{id}/reset-link"), &json!({}))
        .await;
    let link = created.expect(201).json()["link"]
        .as_str()
        .expect("a link")
        .to_owned();
    let (_, path) = link.split_at(link.find("/reset-password/").expect("a path"));
    let body = json!({"reason": "Left"});
    admin
        .send("POST", &format!("/{id}/disable"), &body)
        .await
        .expect(200);
    let refused = admin
        .send("POST", &format!("/{id}/reset-link"), &json!({}))
        .await;
    refused.problem(400, "invalid_request");
    admin
        .send("POST", &format!("/{id}/enable"), &json!({}))
        .await
        .expect(200);
    reader.get(path).await.expect(410);
}

async fn a_person_of_an_application_has_neither_password_nor_e_mail_to_change(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let id = open_for(app, "customer-7").await;
    let path = format!("/{id}");
    let shown = admin.person(&id).await;
    assert_eq!(shown["subject"], "customer-7");
    assert_eq!(shown["email"], Value::Null);
    assert_ne!(shown["application_id"], Value::Null);
    for (method, act, body) in [
        ("POST", "/reset-link", json!({})),
        ("POST", "/verify-email", json!({})),
        ("POST", "/invite", json!({})),
        ("PATCH", "", json!({"email": "seven@example.org"})),
        ("PATCH", "", json!({"role": "admin"})),
        ("PATCH", "", json!({"role": "auditor"})),
    ] {
        let response = admin.send(method, &format!("{path}{act}"), &body).await;
        response.problem(400, "invalid_request");
    }
    let named = json!({"full_name": "Customer Seven"});
    admin.send("PATCH", &path, &named).await.expect(200);
    let body = json!({"reason": "Fraud"});
    let disabled = admin
        .send("POST", &format!("{path}/disable"), &body)
        .await
        .expect(200);
    assert_eq!(disabled.json()["ended"], 1);
    let id = path.trim_start_matches('/');
    for wrong in ["customer-8", "Customer-7", " customer-7", id] {
        admin
            .send("DELETE", &path, &json!({"email": wrong}))
            .await
            .problem(400, "invalid_request");
    }
    admin
        .send("DELETE", &path, &json!({"email": "customer-7"}))
        .await
        .expect(204);
    admin.get(&path).await.problem(404, "not_found");
}

/// What a person does through their application is done from an address of theirs.
async fn the_export_has_the_address_of_a_sign_in_through_an_application(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let key = app.create_key("sessions");
    let request = app.anyone().request("POST", "/api/v1/app/sessions");
    let body = json!({"subject": "42", "ip_address": "203.0.113.7"});
    let opened = TestResponse::to(request.bearer_auth(&key).json(&body)).await;
    let opened = opened.expect(201).json();
    let id = opened["session"]["user_id"].as_str().expect("an id");
    let path = format!("/{id}/export");
    let export = admin.send("POST", &path, &json!({})).await;
    let file = export.expect(200).json();
    let events = file["events"].as_array().expect("events");
    let signed_in = events.iter().find(|event| event["kind"] == "signed_in");
    let signed_in = signed_in.expect("the event");
    assert_eq!(signed_in["by"], "application");
    assert_eq!(signed_in["ip_address"], "203.0.113.7");
}

/// Opens a session of a person of an application, and returns the person's id.
async fn open_for(app: &TestApp, subject: &str) -> String {
    let key = app.create_key("sessions");
    let request = app.anyone().request("POST", "/api/v1/app/sessions");
    let request = request.bearer_auth(&key).json(&json!({"subject": subject}));
    let opened = TestResponse::to(request).await.expect(201).json();
    opened["session"]["user_id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

/// An account of whose e-mail nothing is known has one that nobody can receive mail at.
async fn no_placeholder_is_shown_as_an_e_mail(app: &TestApp) {
    const PLACEHOLDER: &str = "external.invalid";
    let admin = Admin::start(app, "admin@example.org").await;
    let id = open_for(app, "customer-7").await;
    let browser = app.signed_in_browser(&admin.person, FIREFOX).await;
    let person = format!("/admin/users/{id}");
    for path in ["/admin/users", &person, "/admin/sessions", "/admin/events"] {
        let page = browser.get(path).await.expect(200);
        assert!(page.words().contains("customer-7"), "{path}");
        assert!(!page.text.contains(PLACEHOLDER), "{path}");
    }
    for path in [
        "users",
        "sessions",
        "sessions/export",
        "sessions/export?format=jsonl",
        "events",
        "events/export",
    ] {
        let path = format!("/api/v1/admin/{path}");
        let answer = admin.device.get(&path).await.expect(200);
        assert!(answer.text.contains(&id), "{path}");
        assert!(
            !answer.text.contains(PLACEHOLDER),
            "{path}: {}",
            answer.text
        );
    }
    let rollcall = Program::with(&app.database);
    for command in [["user", "list"], ["session", "list"], ["event", "list"]] {
        let listed = rollcall.run(&command).expect_done();
        assert!(!listed.contains(PLACEHOLDER), "{listed}");
        let json = rollcall.run(&[&command[..], &["--json"]].concat());
        assert!(!json.expect_done().contains(PLACEHOLDER));
    }
    let listed = rollcall.run(&["session", "list"]).expect_done();
    assert!(listed.contains("subject customer-7"), "{listed}");
}

async fn an_e_mail_is_vouched_for_once(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    app.register_unverified(ADA).await;
    let id = id_of(app, ADA);
    assert_eq!(admin.person(&id).await["email_verified"], false);
    for _ in 0..2 {
        let verified = admin
            .send("POST", &format!("/{id}/verify-email"), &json!({}))
            .await;
        assert_eq!(verified.expect(200).json()["email_verified"], true);
    }
    assert_eq!(account_events(app, &id), ["email_vouched::"]);
}

async fn the_export_is_complete_and_holds_no_secret(app: &TestApp) {
    let (admin, ada, id) = set_up(app).await;
    let laptop = app.login(&ada, FIREFOX).await;
    app.login(&ada, IPHONE)
        .await
        .post("/api/v1/auth/logout")
        .await
        .expect(204);
    let body = json!({"role": "auditor", "reason": "The audit"});
    admin
        .send("PATCH", &format!("/{id}"), &body)
        .await
        .expect(200);
    app.advance(SECOND);
    let export = admin
        .send("POST", &format!("/{id}/export"), &json!({}))
        .await
        .expect(200);
    let disposition = format!(r#"attachment; filename="rollcall-{id}.json""#);
    assert_eq!(export.header("content-disposition"), disposition);
    let file = export.json();
    assert_eq!(file["account"]["email"], ADA);
    assert_eq!(file["account"]["role"], "auditor");
    assert_eq!(file["sessions"].as_array().map(Vec::len), Some(2));
    let events = file["events"].as_array().expect("events");
    let role = events.iter().find(|event| event["kind"] == "role_changed");
    let role = role.expect("the event");
    assert_eq!(role["by"], "administrator");
    assert_eq!(role["reason"], "The audit");
    assert_eq!(
        role["ip_address"],
        Value::Null,
        "an administrator's address"
    );
    let signed_in = events.iter().find(|event| event["kind"] == "signed_in");
    assert_eq!(signed_in.expect("the event")["ip_address"], "127.0.0.1");
    for secret in ["argon2", "jti", "hash", &laptop.refresh_token, &admin.id] {
        assert!(
            !export.text.contains(secret),
            "{secret} is in {}",
            export.text
        );
    }
    assert_eq!(
        account_events(app, &id).last().expect("an event"),
        "exported::"
    );
}

async fn deleting_needs_the_name_of_the_person(app: &TestApp) {
    let (admin, ada, id) = set_up(app).await;
    let laptop = app.login(&ada, FIREFOX).await;
    let path = format!("/{id}");
    let wrong = json!({"email": "bob@example.org"});
    let problem = admin
        .send("DELETE", &path, &wrong)
        .await
        .problem(400, "invalid_request");
    assert_eq!(problem["errors"][0]["field"], "email");
    admin
        .send("DELETE", &path, &json!({}))
        .await
        .problem(400, "invalid_request");
    let bare = admin
        .device
        .delete(&format!("/api/v1/admin/users{path}"))
        .await;
    assert!([400, 415].contains(&bare.status), "{}", bare.status);
    laptop.current().await.expect(200);
    admin
        .send("DELETE", &path, &json!({"email": " ADA@example.org "}))
        .await
        .expect(204);
    laptop.current().await.problem(401, "unauthenticated");
    admin.get(&path).await.problem(404, "not_found");
    let again = admin.send("DELETE", &path, &json!({"email": ADA})).await;
    again.problem(404, "not_found");
    let rows = format!(
        "SELECT count(*) AS value FROM session_events WHERE kind <> 'account_deleted'
         AND (ip_address IS NOT NULL OR device IS NOT NULL OR stated_reason IS NOT NULL) AND user_id = {}",
        app.database.id(&id)
    );
    assert_eq!(app.database.number(&rows), 0);
    // The path has the id already, so that confirms nothing.
    let bob = app.register("bob@example.org").await;
    let id = id_of(app, &bob.email);
    let named = json!({"email": id});
    admin
        .send("DELETE", &format!("/{id}"), &named)
        .await
        .problem(400, "invalid_request");
}

async fn a_person_sees_what_was_done_to_them_with_the_reason(app: &TestApp) {
    let (admin, ada, id) = set_up(app).await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let page = laptop.get("/account").await.expect(200);
    assert!(!page.words().contains("Activity"), "nothing has happened");
    let body = json!({"role": "auditor", "reason": "Checks <b>all</b> & sees"});
    admin
        .send("PATCH", &format!("/{id}"), &body)
        .await
        .expect(200);
    let page = laptop.get("/account").await.expect(200);
    assert!(
        page.text
            .contains("Checks &#60;b&#62;all&#60;/b&#62; &#38; sees"),
        "{}",
        page.text
    );
    page.expect_words(
        "Role changed to auditor, who can see what administrators see, by an administrator",
    );
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "another battery staple"),
    ];
    laptop
        .submit("/account", "/account/password", &fields)
        .await
        .expect(303);
    let page = laptop.get("/account").await.expect(200);
    let page = page.expect_words("You changed your password");
    assert!(
        !page.text.contains("admin@example.org"),
        "who it was is not said"
    );

    // An administrator who acts on themselves.
    let body = json!({"full_name": "Root"});
    admin
        .send("PATCH", &format!("/{}", admin.id), &body)
        .await
        .expect(200);
    let browser = app.signed_in_browser(&admin.person, FIREFOX).await;
    let page = browser.get("/account").await.expect(200);
    page.expect_words("You changed your name");
}

async fn an_unknown_person_is_not_found(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    for (method, act, body) in [
        ("GET", "", json!({})),
        ("POST", "/export", json!({})),
        ("PATCH", "", json!({"full_name": "X"})),
        ("DELETE", "", json!({"email": ADA})),
        ("POST", "/disable", json!({"reason": "X"})),
        ("POST", "/enable", json!({})),
        ("POST", "/verify-email", json!({})),
        ("POST", "/reset-link", json!({})),
        ("POST", "/invite", json!({})),
    ] {
        for id in [NOBODY, "7", "a%00b", &"9".repeat(400)] {
            let response = admin.send(method, &format!("/{id}{act}"), &body).await;
            response.problem(404, "not_found");
        }
    }
}

async fn no_answer_holds_a_secret(app: &TestApp) {
    let (admin, ada, id) = set_up(app).await;
    let laptop = app.login(&ada, FIREFOX).await;
    let answers = [
        admin.get("").await,
        admin.get(&format!("/{id}")).await,
        admin
            .send("PATCH", &format!("/{id}"), &json!({"full_name": "Ada"}))
            .await,
        admin
            .send("POST", &format!("/{id}/verify-email"), &json!({}))
            .await,
        admin
            .send("POST", &format!("/{id}/enable"), &json!({}))
            .await,
        admin
            .send("POST", &format!("/{id}/disable"), &json!({"reason": "X"}))
            .await,
    ];
    for answer in answers {
        let answer = answer.expect(200);
        for secret in [
            "password",
            "argon2",
            "jti",
            "token",
            "ip_address",
            &laptop.refresh_token,
        ] {
            assert!(
                !answer.text.contains(secret),
                "{secret} is in {}",
                answer.text
            );
        }
    }
}

async fn every_act_needs_a_recently_given_password(app: &TestApp) {
    let (mut admin, _, id) = set_up(app).await;
    app.advance(Duration::from_secs(4 * 60));
    admin.device.refresh().await;
    app.advance(Duration::from_secs(4 * 60));
    admin.device.refresh().await;
    app.advance(Duration::from_secs(4 * 60));
    admin.device.refresh().await;
    admin.get("").await.expect(200);
    admin.get(&format!("/{id}")).await.expect(200);
    for (method, path, body) in [
        (
            "POST",
            String::new(),
            json!({"email": "bob@example.org", "invite": true}),
        ),
        ("POST", format!("/{id}/export"), json!({})),
        ("PATCH", format!("/{id}"), json!({"role": "admin"})),
        ("DELETE", format!("/{id}"), json!({"email": ADA})),
        ("POST", format!("/{id}/disable"), json!({"reason": "X"})),
        ("POST", format!("/{id}/enable"), json!({})),
        ("POST", format!("/{id}/verify-email"), json!({})),
        ("POST", format!("/{id}/reset-link"), json!({})),
        ("POST", format!("/{id}/invite"), json!({})),
    ] {
        let response = admin.send(method, &path, &body).await;
        response.problem(401, "step_up_required");
    }
    assert_eq!(account_events(app, &id), Vec::<String>::new());
    admin.sign_in_again(app).await;
    let body = json!({"role": "admin"});
    admin
        .send("PATCH", &format!("/{id}"), &body)
        .await
        .expect(200);
}
