//! What is refused is in the security log: on whom, from where, how often. However much it is, it is a
//! few rows an hour; and it outlives whom it is about, without what identifies them.

use std::net::Ipv4Addr;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::admin::{Admin, id_of};
use crate::support::api::Anyone;
use crate::support::app::{behind_proxy, use_mail_server};
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::smtp::SmtpServer;
use crate::support::{eventually, run_async};

on_both!(
    app: a_failed_sign_in_says_on_whom_from_where_and_how_often,
        a_known_and_an_unknown_account_are_refused_alike_and_recorded_apart,
        throttled_tries_say_what_for_and_what_was_exceeded,
        a_refused_step_up_is_recorded_in_its_session,
        forms_that_may_be_forged_are_recorded,
        refused_administration_says_who_asked_for_what,
        tokens_are_refused_for_a_reason,
        changed_settings_are_recorded,
        keys_that_are_made_and_revoked_are_recorded,
        keys_of_the_service_are_recorded,
        addresses_are_stored_as_the_person_allows,
        who_was_deleted_meanwhile_leaves_no_address,
        a_deleted_person_leaves_events_that_identify_nobody,
        refusals_are_counted_by_hour,
        two_nodes_count_in_one_row,
        what_another_site_leads_to_blames_nobody,
        a_setting_that_stays_is_no_change,
        a_wrong_key_is_refused_whatever_the_body,
        a_setting_that_is_changed_again_and_again_is_one_row,
        who_chooses_no_addresses_later_leaves_no_digest_of_one,
        names_given_again_and_again_are_one_row,
        of_somebody_else_who_tries_their_password_a_person_learns_no_address,
);
on_both!(
    database: a_flood_from_everywhere_is_a_few_rows,
        a_try_whose_client_leaves_is_recorded,
        mail_flows_are_recorded,
        what_was_refused_last_is_recorded_when_the_service_stops,
);

const REFUSALS: [&str; 6] = [
    "sign_in_failed",
    "password_refused",
    "throttled",
    "form_refused",
    "admin_refused",
    "token_refused",
];

/// Lists the events that a query finds, newest first.
async fn events(admin: &Admin, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/admin/events?{query}");
    let page = admin.device.get(&path).await.expect(200).json();
    page["events"].as_array().expect("a list").clone()
}

/// Returns the only event that a query finds.
async fn event(admin: &Admin, query: &str) -> Value {
    let mut found = events(admin, query).await;
    assert_eq!(found.len(), 1, "{query}: {found:#?}");
    found.remove(0)
}

async fn guess(app: &TestApp, email: &str) -> TestResponse {
    let person = Person {
        email: email.into(),
        password: "a wrong guess".into(),
    };
    app.try_login(&person, IPHONE).await
}

#[track_caller]
fn expect_fields(event: &Value, fields: &[(&str, Value)]) {
    for (name, value) in fields {
        assert_eq!(event[*name], *value, "{name} of {event:#}");
    }
}

async fn a_failed_sign_in_says_on_whom_from_where_and_how_often(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    app.register("ada@example.org").await;
    let id = id_of(app, "ada@example.org");
    for _ in 0..3 {
        guess(app, "ada@example.org").await.expect(401);
        app.advance(Duration::from_secs(60));
    }
    let found = event(&admin, "kind=sign_in_failed").await;
    let fields = [
        ("user_id", json!(id)),
        ("user_email", json!("ada@example.org")),
        ("actor", json!("unknown")),
        ("by_user_id", json!(null)),
        ("ip_address", json!("127.0.0.1")),
        ("device_name", json!("Safari on iPhone")),
        ("session_id", json!(null)),
        ("times", json!(3)),
        ("at", json!("2031-05-17T08:30:00.000000Z")),
        ("last_at", json!("2031-05-17T08:32:00.000000Z")),
    ];
    expect_fields(&found, &fields);
    for query in [
        "user=ada@example.org&kind=sign_in_failed",
        "ip=127.0.0.0/24&kind=sign_in_failed",
    ] {
        assert_eq!(event(&admin, query).await["id"], found["id"], "{query}");
    }
    let listed = Program::with(&app.database)
        .run(&["event", "list", "--kind", "sign_in_failed"])
        .expect_done();
    assert!(
        listed.contains(
            "sign_in_failed (x3)\tada@example.org\tSafari on iPhone\tby somebody unknown\t127.0.0.1"
        ),
        "{listed}"
    );
    // The right one is no failure.
    let ada = Person {
        email: "ada@example.org".into(),
        password: PASSWORD.into(),
    };
    app.login(&ada, FIREFOX).await;
    assert_eq!(event(&admin, "kind=sign_in_failed").await["times"], 3);
}

async fn a_known_and_an_unknown_account_are_refused_alike_and_recorded_apart(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    app.register("ada@example.org").await;
    let known = guess(app, "ada@example.org").await.expect(401);
    let unknown = guess(app, "nobody@example.org").await.expect(401);
    assert_eq!(known.text, unknown.text);
    let found = events(&admin, "kind=sign_in_failed").await;
    let mut users: Vec<_> = found
        .iter()
        .map(|event| event["user_email"].clone())
        .collect();
    users.sort_by_key(Value::to_string);
    assert_eq!(users, [json!("ada@example.org"), json!(null)]);
    // What was typed is nowhere: it may be a password.
    let all = events(&admin, "").await;
    assert!(!json!(all).to_string().contains("nobody@"));
    for table in ["detail", "device", "repeat_key"] {
        let stored =
            format!("SELECT count(*) AS value FROM session_events WHERE {table} LIKE '%nobody%'");
        assert_eq!(app.database.number(&stored), 0);
    }
}

async fn throttled_tries_say_what_for_and_what_was_exceeded(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    app.register("ada@example.org").await;
    for _ in 0..5 {
        guess(app, "ada@example.org").await.expect(401);
    }
    for _ in 0..4 {
        guess(app, "ada@example.org").await.expect(429);
    }
    let found = event(&admin, "kind=throttled").await;
    expect_fields(
        &found,
        &[
            ("user_email", json!("ada@example.org")),
            ("detail", json!("sign_in:delay")),
            ("times", json!(4)),
        ],
    );
    assert_eq!(event(&admin, "kind=sign_in_failed").await["times"], 5);
}

async fn a_refused_step_up_is_recorded_in_its_session(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let id = id_of(app, "ada@example.org");
    let page = browser
        .get("/api/v1/sessions/current")
        .await
        .expect(200)
        .json();
    let session = page["id"].as_str().expect("an id");
    let wrong = [("password", "a wrong guess")];
    for _ in 0..2 {
        browser.submit("/confirm", "/confirm", &wrong).await;
    }
    let change = [
        ("current_password", "a wrong guess"),
        ("new_password", "an entirely new passphrase"),
    ];
    browser
        .submit("/account", "/account/password", &change)
        .await;
    let mut found = events(&admin, "kind=password_refused").await;
    found.sort_by_key(|event| event["detail"].to_string());
    let details: Vec<_> = found
        .iter()
        .map(|event| (&event["detail"], &event["times"]))
        .collect();
    assert_eq!(
        details,
        [
            (&json!("password_change"), &json!(1)),
            (&json!("step_up"), &json!(2))
        ]
    );
    for event in &found {
        expect_fields(
            event,
            &[
                ("user_id", json!(id)),
                ("by_user_id", json!(id)),
                ("session_id", json!(session)),
                ("by_session_id", json!(session)),
                ("actor", json!("person")),
                ("ip_address", json!("127.0.0.1")),
            ],
        );
    }
}

async fn forms_that_may_be_forged_are_recorded(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = [("csrf", "forged"), ("full_name", "Eve")];
    browser.post("/account/name", &form).await.expect(403);
    let form = [
        ("csrf", "forged"),
        ("email", "a@example.org"),
        ("password", "x"),
    ];
    app.browser(IPHONE).post("/sign-in", &form).await;
    let cookie = format!(
        "rollcall_session={}",
        browser.cookie("rollcall_session").expect("a cookie")
    );
    let api = app
        .anyone()
        .request("DELETE", "/api/v1/sessions/others")
        .header("cookie", cookie);
    TestResponse::to(api).await.problem(403, "csrf");
    let mut found = events(&admin, "kind=form_refused").await;
    found.sort_by_key(|event| event["detail"].to_string());
    let routes: Vec<_> = found
        .iter()
        .map(|event| event["detail"].as_str().expect("a route"))
        .collect();
    assert_eq!(
        routes,
        ["/account/name", "/api/v1/sessions/others", "/sign-in"]
    );
    let id = id_of(app, "ada@example.org");
    expect_fields(
        &found[0],
        &[
            ("user_id", json!(id)),
            ("by_user_id", json!(null)),
            ("actor", json!("unknown")),
            ("device_name", json!("Firefox on Windows")),
        ],
    );
    expect_fields(
        &found[2],
        &[
            ("user_id", json!(null)),
            ("device_name", json!("Safari on iPhone")),
        ],
    );
}

async fn refused_administration_says_who_asked_for_what(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    let auditor = app.register("audit@example.org").await;
    app.set_role(&auditor, "auditor");
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    browser.get("/admin/users").await.expect(404);
    browser.get("/admin/no-such-page").await.expect(404);
    app.anyone().get("/api/v1/admin/overview").await.expect(401);
    let key = app.create_key("tokens");
    let request = app
        .anyone()
        .request("GET", "/api/v1/admin/jobs")
        .bearer_auth(&key);
    TestResponse::to(request).await.expect(404);
    let auditing = app.login(&auditor, IPHONE).await;
    auditing.get("/api/v1/admin/overview").await.expect(200);
    let path = format!(
        "/api/v1/admin/users/{}/disable",
        id_of(app, "ada@example.org")
    );
    let refused = auditing
        .request("POST", &path)
        .json(&json!({"reason": "no"}));
    TestResponse::to(refused).await.expect(404);
    let mut found: Vec<(String, Value, bool)> = events(&admin, "kind=admin_refused")
        .await
        .iter()
        .map(|event| {
            let route = event["detail"].as_str().expect("a route").to_owned();
            (
                route,
                event["user_email"].clone(),
                event["by_application_id"].is_string(),
            )
        })
        .collect();
    found.sort_by_key(|found| found.0.clone());
    let expected = [
        ("(none)", json!("ada@example.org"), false),
        ("/admin/users", json!("ada@example.org"), false),
        ("/api/v1/admin/jobs", json!(null), true),
        ("/api/v1/admin/overview", json!(null), false),
        (
            "/api/v1/admin/users/{id}/disable",
            json!("audit@example.org"),
            false,
        ),
    ];
    let expected = expected.map(|(route, user, by_key)| (route.to_owned(), user, by_key));
    assert_eq!(found, expected);
    // What an administrator doesn't find is no refusal.
    admin
        .device
        .get("/api/v1/admin/users/01a226cc-0000-7000-8000-00000000d001")
        .await
        .expect(404);
    assert_eq!(
        events(&admin, "kind=admin_refused").await.len(),
        expected.len()
    );
}

async fn tokens_are_refused_for_a_reason(app: &TestApp) {
    let mut admin = Admin::start(app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    let mut device = app.login(&ada, FIREFOX).await;
    let spent = device.refresh_token.clone();
    let old = device.access_token.clone();
    app.anyone().current("no.such.token").await.expect(401);
    app.anyone().current("rck_nosuchkey").await.expect(401);
    app.anyone()
        .current(&device.refresh_token)
        .await
        .expect(401);
    app.anyone()
        .refresh("x".repeat(9_000).as_str())
        .await
        .expect(401);
    app.anyone().refresh(&old).await.expect(401);
    device.refresh().await;
    let key = app.create_key("tokens");
    let request = app
        .anyone()
        .request("POST", "/api/v1/app/sessions")
        .bearer_auth(&key);
    TestResponse::to(request.header("x-subject", "1").json(&json!({})))
        .await
        .expect(403);
    let request = app
        .anyone()
        .request("POST", "/api/v1/app/sessions")
        .bearer_auth("rck_unknown");
    TestResponse::to(request.header("x-subject", "1").json(&json!({})))
        .await
        .expect(401);
    app.browser(IPHONE)
        .get("/reset-password/nonsense")
        .await
        .expect(404);
    app.advance(Duration::from_secs(600));
    for _ in 0..3 {
        app.anyone().current(&old).await.expect(401);
    }
    device.refresh().await;
    device.refresh().await;
    app.anyone().refresh(&spent).await.expect(401);
    app.anyone()
        .refresh(&device.refresh_token)
        .await
        .expect(401);
    admin.sign_in_again(app).await;
    let mut reasons: Vec<(String, i64, bool)> = events(&admin, "kind=token_refused")
        .await
        .iter()
        .map(|event| {
            let reason = event["detail"].as_str().expect("a reason").to_owned();
            (
                reason,
                event["times"].as_i64().expect("a number"),
                event["ip_address"].is_string(),
            )
        })
        .collect();
    reasons.sort();
    let expected = [
        ("api_key", 1, true),
        // What happens to every client is counted for the service.
        ("expired", 3, false),
        ("link", 1, true),
        ("malformed", 2, true),
        ("not_genuine", 1, true),
        ("scope", 1, true),
        ("session_over", 1, false),
        ("spent", 1, true),
        ("too_long", 1, true),
        ("unknown_key", 1, true),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(reason, times, has_address)| (reason.to_owned(), times, has_address))
        .collect();
    assert_eq!(reasons, expected);
}

async fn changed_settings_are_recorded(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for name in ["Ada", "Ada L.", "Ada Lovelace"] {
        browser
            .submit("/account", "/account/name", &[("full_name", name)])
            .await
            .expect(303);
    }
    browser
        .submit("/account", "/account/alerts", &[])
        .await
        .expect(303);
    browser
        .submit("/account", "/account/idle-limit", &[("idle_limit", "week")])
        .await;
    browser
        .submit(
            "/account",
            "/account/addresses",
            &[("addresses", "shortened")],
        )
        .await
        .expect(303);
    let mut found = events(&admin, "kind=setting_changed").await;
    found.sort_by_key(|event| event["detail"].to_string());
    let settings: Vec<_> = found
        .iter()
        .map(|event| {
            (
                event["detail"].as_str().expect("a setting"),
                event["times"].as_i64(),
            )
        })
        .collect();
    assert_eq!(
        settings,
        [
            ("addresses", Some(1)),
            ("alert_mail", Some(1)),
            ("idle_limit", Some(1)),
            ("name", Some(3))
        ]
    );
    for event in &found {
        expect_fields(
            event,
            &[
                ("actor", json!("person")),
                ("ip_address", json!("127.0.0.0")),
            ],
        );
    }
    browser
        .get("/account")
        .await
        .expect_words("You changed which alerts you get by e-mail");
}

async fn keys_that_are_made_and_revoked_are_recorded(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let key = Program::with(&app.database).add_key(&["--name", "Shop", "--scope", "tokens"]);
    let created = event(&admin, "kind=key_created").await;
    let detail = created["detail"].as_str().expect("a detail");
    assert!(detail.starts_with("Shop of Shop: tokens (id "), "{detail}");
    assert!(!detail.contains(&key.secret));
    expect_fields(
        &created,
        &[("actor", json!("administrator")), ("user_id", json!(null))],
    );
    Program::with(&app.database)
        .run(&["api-key", "revoke", &key.id])
        .expect_done();
    let revoked = event(&admin, "kind=key_revoked").await;
    assert_eq!(revoked["detail"], created["detail"]);
    let browser = app.signed_in_browser(&admin.person, FIREFOX).await;
    browser
        .get("/admin/events?kind=key_revoked")
        .await
        .expect(200)
        .expect_words("API key revoked")
        .expect_words("an administrator, on the command line");
}

async fn keys_of_the_service_are_recorded(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let program = Program::with(&app.database);
    program.run(&["key", "rotate", "--signing"]).expect_done();
    let created = event(&admin, "kind=service_key_created").await;
    let id = created["detail"].as_str().expect("an id").to_owned();
    program.run(&["key", "revoke", &id]).expect_done();
    let revoked = event(&admin, "kind=service_key_revoked").await;
    assert_eq!(revoked["detail"], id);
    expect_fields(
        &revoked,
        &[
            ("actor", json!("administrator")),
            ("by_user_id", json!(null)),
        ],
    );
}

async fn addresses_are_stored_as_the_person_allows(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    for (email, chosen, stored) in [
        ("whole@example.org", "whole", json!("127.0.0.1")),
        ("short@example.org", "shortened", json!("127.0.0.0")),
        ("none@example.org", "none", json!(null)),
    ] {
        app.register(email).await;
        app.database.execute(&format!(
            "UPDATE users SET address_keeping = '{chosen}' WHERE email = '{email}'"
        ));
        guess(app, email).await.expect(401);
        let found = event(&admin, &format!("kind=sign_in_failed&user={email}")).await;
        assert_eq!(found["ip_address"], stored, "{chosen}");
    }
    let left = "SELECT count(*) AS value FROM session_events WHERE kind = 'sign_in_failed' AND ip_address = '127.0.0.1'";
    assert_eq!(app.database.number(left), 1);
}

async fn who_was_deleted_meanwhile_leaves_no_address(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    app.register("ada@example.org").await;
    let id = id_of(app, "ada@example.org");
    guess(app, "ada@example.org").await.expect(401);
    // Before it is recorded, or after: neither leaves more than the id.
    app.database
        .execute("DELETE FROM users WHERE email = 'ada@example.org'");
    let found = event(&admin, &format!("kind=sign_in_failed&user={id}")).await;
    expect_fields(
        &found,
        &[
            ("ip_address", json!(null)),
            ("device_name", json!(null)),
            ("user_email", json!(null)),
        ],
    );
}

async fn a_deleted_person_leaves_events_that_identify_nobody(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    let id = id_of(app, "ada@example.org");
    guess(app, "ada@example.org").await.expect(401);
    let device = app.login(&ada, FIREFOX).await;
    let path = format!("/api/v1/sessions/{}", device.id());
    device
        .patch(&path, &json!({"device_name": "Ada's own"}))
        .await
        .expect(200);
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    browser
        .submit("/account", "/account/name", &[("full_name", "Countess")])
        .await
        .expect(303);
    let before = events(&admin, &format!("user={id}")).await;
    assert!(before.len() >= 5, "{before:#?}");
    let body = json!({"email": "ada@example.org", "reason": "Asked for it"});
    admin
        .send("DELETE", &format!("/{id}"), &body)
        .await
        .expect(204);
    let after = events(&admin, &format!("user={id}")).await;
    assert_eq!(after.len(), before.len() + 1);
    for event in &after {
        if event["kind"] == "account_deleted" {
            continue;
        }
        let removed = [
            "ip_address",
            "device_name",
            "user_email",
            "by_email",
            "stated_reason",
        ];
        for field in removed {
            assert_eq!(event[field], json!(null), "{field} of {event:#}");
        }
    }
    let kinds = |events: &[Value]| {
        let mut kinds: Vec<_> = events
            .iter()
            .map(|event| event["kind"].to_string())
            .collect();
        kinds.retain(|kind| kind != "\"account_deleted\"");
        kinds.sort();
        kinds
    };
    assert_eq!(kinds(&after), kinds(&before));
    let text = json!(after).to_string();
    for secret in ["ada@", "Ada", "Countess", "Firefox", "iPhone"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    // Why a session ended is no name.
    let ended = after
        .iter()
        .find(|event| event["detail"] == "step_up" || event["detail"] == "name");
    assert!(ended.is_some(), "{after:#?}");
    let browser = app.signed_in_browser(&admin.person, FIREFOX).await;
    browser
        .get(&format!("/admin/events?user={id}"))
        .await
        .expect(200)
        .expect_words("a deleted account");
}

async fn refusals_are_counted_by_hour(app: &TestApp) {
    let mut admin = Admin::start(app, "root@example.org").await;
    app.register("ada@example.org").await;
    for _ in 0..2 {
        guess(app, "ada@example.org").await.expect(401);
        guess(app, "ada@example.org").await.expect(401);
        app.advance(Duration::from_secs(3600));
    }
    admin.sign_in_again(app).await;
    let found = events(&admin, "kind=sign_in_failed").await;
    let counted: Vec<_> = found.iter().map(|event| &event["times"]).collect();
    assert_eq!(counted, [2, 2]);
    let total = "SELECT CAST(sum(total) AS BIGINT) AS value FROM hourly_counts WHERE metric = 'refusal' AND label = 'sign_in_failed'";
    assert_eq!(app.database.number(total), 4);
}

async fn two_nodes_count_in_one_row(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    app.register("ada@example.org").await;
    let other = app.another_node(|_| {}).await;
    let body = json!({"email": "ada@example.org", "password": "a wrong guess"});
    for _ in 0..2 {
        guess(app, "ada@example.org").await.expect(401);
        let client = Anyone::new(other.base());
        let request = client.request("POST", "/api/v1/auth/login");
        let request = request.header("user-agent", IPHONE).json(&body);
        TestResponse::to(request).await.expect(401);
    }
    other.stop().await;
    assert_eq!(event(&admin, "kind=sign_in_failed").await["times"], 4);
}

async fn a_flood_from_everywhere_is_a_few_rows(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.throttles.node_burst = 100_000;
    })
    .await;
    let admin = Admin::start(&app, "root@example.org").await;
    let path = "/api/v1/sessions/current";
    const REQUESTS: u32 = 3_000;
    for first in (0..REQUESTS).step_by(50) {
        let requests = (first..first + 50).map(|number| {
            let ip = Ipv4Addr::from(0x0b00_0000 + number);
            let request = app.anyone().request("GET", path).bearer_auth("forged");
            TestResponse::to(request.header("x-forwarded-for", ip.to_string()))
        });
        for response in futures_util::future::join_all(requests).await {
            response.expect(401);
        }
    }
    events(&admin, "kind=token_refused&limit=200").await;
    let sum = |what: &str| {
        let query = format!(
            "SELECT CAST({what} AS BIGINT) AS value FROM session_events WHERE kind = 'token_refused'"
        );
        app.database.number(&query)
    };
    assert_eq!(sum("sum(times)"), i64::from(REQUESTS));
    assert!(
        (100..=210).contains(&sum("count(*)")),
        "{} rows",
        sum("count(*)")
    );
    let key =
        "SELECT CAST(sum(total) AS BIGINT) AS value FROM hourly_counts WHERE metric = 'refusal'";
    assert_eq!(app.database.number(key), i64::from(REQUESTS));
    app.stop().await;
}

async fn mail_flows_are_recorded(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with(database, |settings| {
        use_mail_server(settings, server.port());
    })
    .await;
    let admin = Admin::start(&app, "root@example.org").await;
    let eve = app.register_unverified("eve@example.org").await;
    let signed_up = event(&admin, "kind=signed_up&user=eve@example.org").await;
    expect_fields(
        &signed_up,
        &[
            ("actor", json!("person")),
            ("ip_address", json!("127.0.0.1")),
        ],
    );
    let browser = app.signed_in_browser(&eve, FIREFOX).await;
    browser
        .submit("/account", "/account/email/link", &[])
        .await
        .expect(303);
    event(
        &admin,
        "kind=verification_link_requested&user=eve@example.org",
    )
    .await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    browser
        .submit(
            "/account",
            "/account/email",
            &[("email", "new@example.org")],
        )
        .await
        .expect(303);
    event(&admin, "kind=email_change_requested").await;
    browser
        .submit("/account", "/account/email/cancel", &[])
        .await
        .expect(303);
    let cancelled = event(&admin, "kind=email_change_cancelled").await;
    expect_fields(&cancelled, &[("actor", json!("person"))]);
    app.deliver_mail().await;
    browser
        .submit(
            "/account",
            "/account/email",
            &[("email", "other@example.org")],
        )
        .await
        .expect(303);
    app.deliver_mail().await;
    let link = server
        .messages()
        .pop()
        .expect("a message")
        .link("/verify-email/");
    let stranger = app.browser(IPHONE);
    stranger
        .submit(&link, &link, &[("answer", "not-mine")])
        .await
        .expect(200);
    let declined = event(&admin, "kind=email_change_cancelled&q=declined").await;
    expect_fields(&declined, &[("actor", json!("unknown"))]);
    for email in ["ada@example.org", "nobody@example.org"] {
        let stranger = app.browser(IPHONE);
        stranger
            .submit("/forgot-password", "/forgot-password", &[("email", email)])
            .await;
        app.deliver_mail().await;
    }
    let requested = event(&admin, "kind=password_link_requested").await;
    expect_fields(
        &requested,
        &[
            ("user_email", json!("ada@example.org")),
            ("actor", json!("unknown")),
        ],
    );
    app.stop().await;
}

async fn what_was_refused_last_is_recorded_when_the_service_stops(database: Database) {
    let app = TestApp::start(database).await;
    app.register("ada@example.org").await;
    for _ in 0..3 {
        guess(&app, "ada@example.org").await.expect(401);
    }
    let database = app.stop_and_keep_database().await;
    let kinds = REFUSALS.map(|kind| format!("'{kind}'")).join(", ");
    let sum = format!(
        "SELECT CAST(sum(times) AS BIGINT) AS value FROM session_events WHERE kind IN ({kinds})"
    );
    assert_eq!(database.number(&sum), 3);
}

async fn what_another_site_leads_to_blames_nobody(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let led = [("sec-fetch-site", "cross-site")];
    browser.get_with("/admin/users", &led).await.expect(404);
    let found = event(&admin, "kind=admin_refused").await;
    for field in ["user_id", "by_user_id", "by_session_id"] {
        assert_eq!(found[field], json!(null), "{field}");
    }
}

async fn a_setting_that_stays_is_no_change(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for (form, fields) in [
        ("/account/name", ("full_name", "Ada Lovelace")),
        ("/account/alerts", ("alert_emails", "on")),
        ("/account/idle-limit", ("idle_limit", "")),
        ("/account/addresses", ("addresses", "whole")),
    ] {
        browser
            .submit("/account", form, &[fields])
            .await
            .expect(303);
    }
    assert_eq!(
        events(&admin, "kind=setting_changed").await,
        [json!(null); 0]
    );
}

async fn who_chooses_no_addresses_later_leaves_no_digest_of_one(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    guess(app, "ada@example.org").await.expect(401);
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    event(&admin, "kind=sign_in_failed").await;
    let digests = "SELECT count(*) AS value FROM session_events
                   WHERE kind = 'sign_in_failed' AND (repeat_key IS NOT NULL OR ip_address IS NOT NULL)";
    assert_eq!(app.database.number(digests), 1);
    browser
        .submit("/account", "/account/addresses", &[("addresses", "none")])
        .await
        .expect(303);
    assert_eq!(app.database.number(digests), 0);
}

async fn names_given_again_and_again_are_one_row(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let device = app.login(&ada, FIREFOX).await;
    let path = format!("/api/v1/sessions/{}", device.id());
    for number in 0..70 {
        let name = json!({"device_name": format!("name {number}")});
        device.patch(&path, &name).await.expect(200);
    }
    let rows = "SELECT count(*) AS value FROM session_events WHERE kind = 'renamed'";
    assert_eq!(app.database.number(rows), 51);
    let last = "SELECT detail AS value FROM session_events WHERE times = 20";
    assert_eq!(app.database.texts(last), [Some("name 69".to_owned())]);
}

async fn of_somebody_else_who_tries_their_password_a_person_learns_no_address(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let zoe = app.register("zoe@example.org").await;
    let mallory = app.register("mallory@example.org").await;
    let browser = app.signed_in_browser(&mallory, IPHONE).await;
    let cookie = browser.cookie("rollcall_session").expect("a cookie");
    // The form was opened before they signed in.
    browser.forget_cookie("rollcall_session");
    let form = browser.form("/sign-in", "/sign-in").await;
    browser.set_cookie("rollcall_session", &cookie);
    let fields = [("email", "zoe@example.org"), ("password", "a wrong guess")];
    browser.send(&form, &fields).await.expect(401);
    let found = event(&admin, "kind=sign_in_failed").await;
    expect_fields(
        &found,
        &[
            ("user_email", json!("zoe@example.org")),
            ("by_email", json!("mallory@example.org")),
            ("actor", json!("unknown")),
        ],
    );
    let zoes = app.signed_in_browser(&zoe, FIREFOX).await;
    let export = zoes.get("/account/export").await.expect(200).json();
    let failed = export["events"].as_array().expect("events").iter();
    let failed: Vec<_> = failed
        .filter(|event| event["kind"] == "sign_in_failed")
        .collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["ip_address"], json!(null), "{}", failed[0]);
    assert!(!failed[0].to_string().contains("mallory"), "{}", failed[0]);
}

/// SQLite locks no rows.
#[test]
fn whoever_locks_an_account_delays_what_concerns_no_other() {
    run_async(async {
        let app = TestApp::start(Database::postgres()).await;
        let admin = Admin::start(&app, "root@example.org").await;
        for email in ["ada@example.org", "bob@example.org"] {
            app.register(email).await;
        }
        let mut other = PgConnection::establish(&app.database.url()).expect("a connection");
        other
            .batch_execute(
                "BEGIN; UPDATE users SET full_name = 'A' WHERE email = 'ada@example.org'",
            )
            .expect("locked");
        for email in ["ada@example.org", "bob@example.org"] {
            guess(&app, email).await.expect(401);
        }
        let found = event(&admin, "kind=sign_in_failed").await;
        assert_eq!(found["user_email"], "bob@example.org");
        other.batch_execute("COMMIT").expect("unlocked");
        assert_eq!(events(&admin, "kind=sign_in_failed").await.len(), 2);
        app.stop().await;
    });
}

async fn a_setting_that_is_changed_again_and_again_is_one_row(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for _ in 0..3 {
        for chosen in ["none", "whole"] {
            let fields = [("addresses", chosen)];
            browser
                .submit("/account", "/account/addresses", &fields)
                .await
                .expect(303);
        }
    }
    let found = event(&admin, "kind=setting_changed").await;
    expect_fields(
        &found,
        &[("detail", json!("addresses")), ("times", json!(6))],
    );
}

/// Whoever resets the connection while the password is hashed.
async fn a_try_whose_client_leaves_is_recorded(database: Database) {
    let app = TestApp::start(database).await;
    let admin = Admin::start(&app, "root@example.org").await;
    app.register("ada@example.org").await;
    // So that it is not hashed sooner than the connection is reset.
    let slow = "$argon2id$v=19$m=4096,t=2000,p=1$c29tZXNhbHRzb21lc2FsdA$\
                YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE";
    app.database.execute(&format!(
        "UPDATE users SET password_hash = '{slow}' WHERE email = 'ada@example.org'"
    ));
    let address = app.base().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.expect("the server");
    let body = r#"{"email": "ada@example.org", "password": "a wrong guess"}"#;
    let request = format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let counted = "SELECT count(*) AS value FROM account_throttles
                   WHERE key LIKE 'account:%' AND failures = 1";
    eventually("the try is counted", async || {
        app.database.number(counted) == 1
    })
    .await;
    stream.set_zero_linger().expect("a socket");
    drop(stream);
    eventually("it is recorded", async || {
        !events(&admin, "kind=sign_in_failed").await.is_empty()
    })
    .await;
    let found = event(&admin, "kind=sign_in_failed").await;
    expect_fields(
        &found,
        &[
            ("user_email", json!("ada@example.org")),
            ("detail", json!("abandoned")),
            ("ip_address", json!("127.0.0.1")),
        ],
    );
    app.stop().await;
}

async fn a_wrong_key_is_refused_whatever_the_body(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let paths = [
        "/oauth/introspect",
        "/oauth/revoke",
        "/api/v1/app/sessions",
        "/api/v1/app/sessions/refresh",
    ];
    let requests = (0..40).map(|number| {
        let request = app.anyone().request("POST", paths[number % paths.len()]);
        let request = request.header("content-type", "text/x").body("{");
        TestResponse::to(request.bearer_auth("rck_unknown"))
    });
    for response in futures_util::future::join_all(requests).await {
        response.expect(401);
    }
    let found = event(&admin, "kind=token_refused").await;
    expect_fields(
        &found,
        &[("detail", json!("api_key")), ("times", json!(40))],
    );
}
