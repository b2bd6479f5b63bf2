//! What an administrator leaves when they cease to be one, or their account is deleted: links that they
//! made, jobs that they ordered, requests that are on their way, and what is recorded.

use actix_web::rt::spawn;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use crate::support::admin::{Admin, USERS, account_events, id_of};
use crate::support::api::Device;
use crate::support::app::http_client;
use crate::support::bulk::{
    END, add_sessions, expect_ended_once, job, job_id, order, order_browser,
};
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::{eventually, run_async};

on_both!(
    app: a_deletion_is_recorded_and_outlives_the_person,
    an_owner_who_deletes_themself_leaves_the_id_alone,
    a_deletion_on_the_command_line_is_recorded,
    links_of_an_administrator_end_with_their_role,
    links_of_an_administrator_end_when_the_account_is_secured,
    a_stop_by_deletion_is_recorded_and_outlives_the_person,
    links_of_others_stay,
    a_stopped_job_says_why,
    a_job_of_somebody_who_is_no_administrator_ends_nothing,
    sign_ins_after_the_order_by_a_clock_ahead_are_not_ended,
    invisible_reasons_are_none,
);

async fn events(admin: &Admin, query: &str) -> Vec<serde_json::Value> {
    let path = format!("/api/v1/admin/events?{query}");
    let page = admin.device.get(&path).await.expect(200).json();
    page["events"].as_array().expect("a list").clone()
}

async fn a_deletion_is_recorded_and_outlives_the_person(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let bob = app.register("bob@example.org").await;
    app.login(&bob, FIREFOX).await;
    let id = id_of(app, "bob@example.org");
    let body = json!({"email": "bob@example.org", "reason": "Left us"});
    admin
        .send("DELETE", &format!("/{id}"), &body)
        .await
        .expect(204);
    assert_eq!(account_events(app, &id), ["account_deleted::Left us"]);
    for query in [
        format!("user={id}&kind=account_deleted"),
        "kind=account_deleted".into(),
        "q=left".into(),
    ] {
        let found = events(&admin, &query).await;
        assert_eq!(found.len(), 1, "{query}: {found:?}");
        let event = &found[0];
        assert_eq!(event["kind"], "account_deleted");
        assert_eq!(event["user_id"], id);
        assert_eq!(event["user_email"], json!(null));
        assert_eq!(event["by_email"], "root@example.org");
        assert_eq!(event["actor"], "administrator");
        assert_eq!(event["stated_reason"], "Left us");
        assert_eq!(event["ip_address"], "127.0.0.1");
        assert!(!event.to_string().contains("bob"), "{event:#}");
    }
    let found = events(&admin, "ip=127.0.0.1&kind=account_deleted").await;
    assert_eq!(found.len(), 1);
    let browser = app.signed_in_browser(&admin.person, FIREFOX).await;
    let page = browser.get("/admin/events?kind=account_deleted").await;
    page.expect(200)
        .expect_words("Account deleted")
        .expect_words("a deleted account");
    let listed = Program::with(&app.database)
        .run(&["event", "list", "--kind", "account_deleted", "--json"])
        .expect_done();
    assert!(
        listed.contains(&id) && listed.contains("Left us"),
        "{listed}"
    );
    // Deleted in turn, the administrator is an id as well, and their address is gone.
    let other = Admin::start(app, "other@example.org").await;
    let body = json!({"email": "root@example.org"});
    other
        .send("DELETE", &format!("/{}", admin.id), &body)
        .await
        .expect(204);
    let found = events(&other, &format!("user={id}&kind=account_deleted")).await;
    assert_eq!(found[0]["ip_address"], json!(null));
    assert_eq!(found[0]["by_user_id"], admin.id);
    assert_eq!(found[0]["by_email"], json!(null));
}

async fn an_owner_who_deletes_themself_leaves_the_id_alone(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let bob = app.register("bob@example.org").await;
    let browser = app.signed_in_browser(&bob, FIREFOX).await;
    let id = id_of(app, "bob@example.org");
    let done = browser
        .submit(
            "/account/delete",
            "/account/delete",
            &[("typed", "bob@example.org")],
        )
        .await;
    assert_eq!(done.location(), "/sign-in");
    let found = events(&admin, &format!("user={id}&kind=account_deleted")).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["actor"], "person");
    for field in [
        "ip_address",
        "by_session_id",
        "user_email",
        "stated_reason",
        "detail",
    ] {
        assert_eq!(found[0][field], json!(null), "{field}");
    }
}

async fn a_deletion_on_the_command_line_is_recorded(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    app.register("bob@example.org").await;
    let id = id_of(app, "bob@example.org");
    Program::with(&app.database)
        .run(&[
            "user",
            "delete",
            "--email",
            "bob@example.org",
            "--reason",
            "Asked for it",
        ])
        .expect_done();
    let found = events(&admin, &format!("user={id}")).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["actor"], "administrator");
    assert_eq!(found[0]["by_user_id"], json!(null));
    assert_eq!(found[0]["stated_reason"], "Asked for it");
}

/// Has an administrator make an invitation and a link for a new password. Returns both.
async fn links(app: &TestApp, admin: &Admin, n: usize) -> [String; 2] {
    let email = format!("bob{n}@example.org");
    app.register(&email).await;
    let invited = json!({"email": format!("kim{n}@example.org"), "invite": true});
    let invited = admin.send("POST", "", &invited).await.expect(201).json();
    let path = format!("/{}/reset-link", id_of(app, &email));
    let reset = admin
        .send("POST", &path, &json!({}))
        .await
        .expect(201)
        .json();
    let link = |json: &serde_json::Value| {
        let link = json["link"].as_str().expect("a link");
        link[link.find("/reset-password").expect("a path")..].to_owned()
    };
    [link(&invited["invitation"]), link(&reset)]
}

async fn links_of_an_administrator_end_with_their_role(app: &TestApp) {
    let other = Admin::start(app, "other@example.org").await;
    for (n, act) in ["disable", "demote", "delete"].into_iter().enumerate() {
        let email = format!("root{n}@example.org");
        let admin = Admin::start(app, &email).await;
        let links = links(app, &admin, n).await;
        for link in &links {
            app.browser(FIREFOX).get(link).await.expect(200);
        }
        let path = format!("/{}", admin.id);
        let done = match act {
            "disable" => {
                let path = format!("{path}/disable");
                other.send("POST", &path, &json!({"reason": "x"})).await
            }
            "demote" => {
                let body = json!({"role": "auditor", "reason": "x"});
                other.send("PATCH", &path, &body).await
            }
            _ => other.send("DELETE", &path, &json!({"email": email})).await,
        };
        assert!(done.status < 300, "{act}: {}", done.text);
        for link in &links {
            let page = app.browser(FIREFOX).get(link).await;
            assert!(page.status >= 400, "{act}: {}", page.status);
        }
        if act == "disable" {
            // Enabled again, they are an administrator; the links stay void.
            let path = format!("{path}/enable");
            other.send("POST", &path, &json!({})).await.expect(200);
            let page = app.browser(FIREFOX).get(&links[0]).await;
            assert!(page.status >= 400, "{}", page.status);
        }
    }
}

/// Whoever made them may have stolen the account.
async fn links_of_an_administrator_end_when_the_account_is_secured(app: &TestApp) {
    for (n, how) in ["from outside", "in a session"].into_iter().enumerate() {
        let email = format!("root{n}@example.org");
        let admin = Admin::start(app, &email).await;
        let links = links(app, &admin, n).await;
        for link in &links {
            app.browser(FIREFOX).get(link).await.expect(200);
        }
        let new = "another correct horse battery";
        if how == "from outside" {
            let arguments = [
                "user",
                "set-password",
                "--email",
                &email,
                "--password-stdin",
            ];
            Program::with(&app.database)
                .run_with_input(&arguments, &format!("{new}\n"))
                .expect_done();
        } else {
            let browser = app.signed_in_browser(&admin.person, FIREFOX).await;
            let fields = [("current_password", PASSWORD), ("new_password", new)];
            let done = browser.submit("/account", "/account/password", &fields);
            done.await.expect(303);
        }
        for link in &links {
            let page = app.browser(FIREFOX).get(link).await;
            assert!(page.status >= 400, "{how}: {}", page.status);
        }
    }
}

async fn a_stop_by_deletion_is_recorded_and_outlives_the_person(app: &TestApp) {
    crowd(app).await;
    let other = Admin::start(app, "other@example.org").await;
    let admin = Admin::start(app, "root@example.org").await;
    let id = order_browser(&admin.device, "Netscape").await;
    let body = json!({"email": "root@example.org", "reason": "Left us"});
    let path = format!("/{}", admin.id);
    other.send("DELETE", &path, &body).await.expect(204);
    let found = events(&other, &format!("kind=job_stopped&job={id}")).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["detail"], "deleted");
    assert_eq!(found[0]["user_id"], admin.id);
    assert_eq!(found[0]["by_user_id"], other.id);
    let browser = app.signed_in_browser(&other.person, FIREFOX).await;
    let page = browser.get(&format!("/admin/events?job={id}")).await;
    page.expect(200).expect_words("Job stopped");
}

async fn links_of_others_stay(app: &TestApp) {
    let other = Admin::start(app, "other@example.org").await;
    let admin = Admin::start(app, "root@example.org").await;
    let links = links(app, &other, 0).await;
    let path = format!("/{}", admin.id);
    let body = json!({"role": "person", "reason": "x"});
    other.send("PATCH", &path, &body).await.expect(200);
    for link in &links {
        app.browser(FIREFOX).get(link).await.expect(200);
    }
}

async fn crowd(app: &TestApp) -> Device {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    add_sessions(&app.database, &laptop, 450, "Netscape");
    laptop
}

async fn a_stopped_job_says_why(app: &TestApp) {
    crowd(app).await;
    let other = Admin::start(app, "other@example.org").await;
    for (n, act) in ["disabled", "demoted", "deleted", "secured", "requested"]
        .into_iter()
        .enumerate()
    {
        let email = format!("root{n}@example.org");
        let admin = Admin::start(app, &email).await;
        let id = order_browser(&admin.device, "Netscape").await;
        assert_eq!(job(&other.device, &id).await["stop_cause"], json!(null));
        let path = format!("/{}", admin.id);
        match act {
            "disabled" => {
                let path = format!("{path}/disable");
                other
                    .send("POST", &path, &json!({"reason": "x"}))
                    .await
                    .expect(200);
            }
            "demoted" => {
                let body = json!({"role": "person", "reason": "x"});
                other.send("PATCH", &path, &body).await.expect(200);
            }
            "deleted" => {
                let body = json!({"email": email});
                other.send("DELETE", &path, &body).await.expect(204);
            }
            "secured" => {
                Program::with(&app.database)
                    .run_with_input(
                        &[
                            "user",
                            "set-password",
                            "--email",
                            &email,
                            "--password-stdin",
                        ],
                        "another correct horse battery\n",
                    )
                    .expect_done();
            }
            _ => {
                let stop = format!("/api/v1/admin/jobs/{id}/stop");
                other.device.post(&stop).await.expect(200);
            }
        }
        let stopped = job(&other.device, &id).await;
        assert_eq!(stopped["state"], "stopped", "{act}");
        assert_eq!(stopped["stop_cause"], act);
        let browser = app.signed_in_browser(&other.person, FIREFOX).await;
        let page = browser.get(&format!("/admin/jobs/{id}")).await.expect(200);
        page.expect_words("It was stopped");
    }
    assert_eq!(app.run_bulk_batch().await, 0);
    expect_ended_once(app, 0);
}

/// Whatever made them none, such as a node of an earlier version.
async fn a_job_of_somebody_who_is_no_administrator_ends_nothing(app: &TestApp) {
    crowd(app).await;
    let other = Admin::start(app, "other@example.org").await;
    for (change, cause) in [
        ("is_active = false", "disabled"),
        ("is_admin = false, is_active = true", "demoted"),
    ] {
        let set = |to: &str| {
            let sql = format!("UPDATE users SET {to} WHERE email = 'root@example.org'");
            app.database.execute(&sql);
        };
        if cause == "disabled" {
            app.register("root@example.org").await;
        }
        set("is_active = true, is_admin = true");
        let root = Person {
            email: "root@example.org".into(),
            password: PASSWORD.into(),
        };
        let root = app.login(&root, FIREFOX).await;
        let id = order_browser(&root, "Netscape").await;
        set(change);
        app.run_bulk_jobs().await;
        let stopped = job(&other.device, &id).await;
        assert_eq!(
            (&stopped["state"], &stopped["stop_cause"]),
            (&json!("stopped"), &json!(cause))
        );
        expect_ended_once(app, 0);
    }
}

/// The session that a node ahead opened before the order ends; what any node opens after it does not.
async fn sign_ins_after_the_order_by_a_clock_ahead_are_not_ended(app: &TestApp) {
    crowd(app).await;
    let admin = Admin::start(app, "root@example.org").await;
    let hour = Duration::from_secs(3600);
    let ahead = app.another_node_ahead(hour, |_| {}).await;
    let bob = app.register("bob@example.org").await;
    let sign_in = async |base: String| {
        let body = json!({"email": bob.email, "password": bob.password});
        let request = http_client().build().expect("a client");
        let request = request
            .post(format!("{base}/api/v1/auth/login"))
            .json(&body);
        let response = TestResponse::to(request.header("user-agent", IPHONE)).await;
        Device::from_login(base, &response.expect(200))
    };
    let before = sign_in(ahead.base()).await;
    let body = json!({"filter": {"state": "live"}, "reason": "Restored"});
    let ordered = order(&admin.device, &body).await.expect(202);
    app.advance(Duration::from_secs(1));
    let after_here = sign_in(app.base()).await;
    let after_ahead = sign_in(ahead.base()).await;
    app.run_bulk_jobs().await;
    let done = job(&admin.device, &job_id(&ordered)).await;
    assert_eq!(done["state"], "done");
    let is_live = |device: &Device| {
        let id = app.database.id(&device.id());
        app.database
            .sessions_where(&format!("id = {id} AND is_active"))
            == 1
    };
    assert!(!is_live(&before), "it was there");
    assert!(is_live(&after_here), "it came later");
    assert!(is_live(&after_ahead), "it came later");
    ahead.stop().await;
}

async fn invisible_reasons_are_none(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    app.register("bob@example.org").await;
    let path = format!("/{}/disable", id_of(app, "bob@example.org"));
    for reason in [
        "",
        " ",
        "\u{200b}",
        "\u{202e}\u{2066}",
        "\u{7}\n",
        "\u{3164}",
        "\u{2060}\u{feff} ",
    ] {
        let refused = admin.send("POST", &path, &json!({"reason": reason})).await;
        let problem = refused.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], "reason", "{reason:?}");
    }
    let reason = json!({"reason": "\u{200b} Left\nus \u{202e}evil\u{7}\u{feff} "});
    admin.send("POST", &path, &reason).await.expect(200);
    let events = account_events(app, &id_of(app, "bob@example.org"));
    assert_eq!(events, ["disabled::Left us evil"]);
}

/// An administrator's request is on its way while they are disabled: it waits for the lock, and then
/// does nothing.
#[test]
fn what_is_on_its_way_does_nothing_once_its_administrator_is_disabled() {
    run_async(async {
        let app = TestApp::start(Database::postgres()).await;
        let laptop = crowd(&app).await;
        let admin = Admin::start(&app, "root@example.org").await;
        app.register("bob@example.org").await;
        let bob = id_of(&app, "bob@example.org");
        let requests = [
            (
                "POST",
                END.to_owned(),
                json!({"filter": {"browser": "Netscape"}, "reason": "x"}),
            ),
            ("POST", format!("{USERS}/{bob}/reset-link"), json!({})),
            (
                "POST",
                USERS.to_owned(),
                json!({"email": "kim@example.org", "invite": true}),
            ),
            (
                "POST",
                USERS.to_owned(),
                json!({"email": "kim@example.org", "password": PASSWORD}),
            ),
            (
                "PATCH",
                format!("{USERS}/{bob}"),
                json!({"role": "admin", "reason": "x"}),
            ),
            (
                "POST",
                format!("{USERS}/{bob}/disable"),
                json!({"reason": "x"}),
            ),
            ("DELETE", format!("{USERS}/{bob}/sessions"), json!({})),
            (
                "DELETE",
                format!("/api/v1/admin/sessions/{}", laptop.id()),
                json!({}),
            ),
            (
                "DELETE",
                format!("{USERS}/{bob}"),
                json!({"email": "bob@example.org"}),
            ),
        ];
        for (method, path, body) in requests {
            let mut other = PgConnection::establish(&app.database.url()).expect("a connection");
            let disable =
                "BEGIN; UPDATE users SET is_active = false WHERE email = 'root@example.org'";
            other.batch_execute(disable).expect("the lock");
            let request = admin.device.request(method, &path).json(&body);
            let sent = spawn(async move { TestResponse::to(request).await });
            eventually("the request waits", async || {
                app.database.number(
                    "SELECT count(*) AS value FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'",
                ) > 0
            })
            .await;
            other.batch_execute("COMMIT").expect("the end");
            assert_eq!(
                sent.await.expect("a response").status,
                404,
                "{method} {path}"
            );
            other
                .batch_execute("UPDATE users SET is_active = true WHERE email = 'root@example.org'")
                .expect("enabled");
        }
        for table in ["bulk_jobs", "password_resets"] {
            let count = format!("SELECT count(*) AS value FROM {table}");
            assert_eq!(app.database.number(&count), 0, "{table}");
        }
        let changed = "SELECT count(*) AS value FROM users WHERE email = 'kim@example.org'
                       OR (email = 'bob@example.org' AND (is_admin OR NOT is_active))";
        assert_eq!(app.database.number(changed), 0);
        assert_eq!(id_of(&app, "bob@example.org"), bob);
        laptop.current().await.expect(200);
        app.stop().await;
    });
}
