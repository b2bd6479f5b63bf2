//! Whoever acts as an administrator must be one when the act is written, however long the request waited
//! for that.

use std::collections::BTreeSet;

use actix_web::rt::spawn;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use futures_util::future::join_all;
use rollcall::server::routes::{API, Access, PAGES, Route};
use uuid::Uuid;

use crate::support::admin::{Admin, USERS, id_of};
use crate::support::browser::Browser;
use crate::support::bulk::{add_sessions, order_browser};
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::{eventually, run_async};

on_both!(
    app: nobody_is_created_once_the_administrator_is_signed_out,
    a_key_is_created_by_an_administrator_only,
);

/// What the requests are about.
struct Fixture {
    admin: Admin,
    browser: Browser,
    csrf: String,
    key: String,
    /// The ids in paths, by the beginning of the path.
    bob: String,
    session: String,
    invited: String,
    disabled: String,
    unverified: String,
    application: String,
    other_key: String,
    job: String,
    /// The ticket of a form that ends sessions.
    order: String,
}

impl Fixture {
    async fn new(app: &TestApp) -> Self {
        let admin = Admin::start(app, "root@example.org").await;
        let bob = app.register("bob@example.org").await;
        let laptop = app.login(&bob, FIREFOX).await;
        add_sessions(&app.database, &laptop, 450, "Netscape");
        for email in ["dan@example.org", "una@example.org"] {
            app.register(email).await;
        }
        app.database
            .execute("UPDATE users SET is_active = false WHERE email = 'dan@example.org'");
        app.database
            .execute("UPDATE users SET email_verified_at = NULL WHERE email = 'una@example.org'");
        let kim = json!({"email": "kim@example.org", "invite": true});
        let kim = admin.send("POST", "", &kim).await.expect(201).json();
        let other = Program::with(&app.database).add_key(&["--name", "Shop", "--scope", "tokens"]);
        let job = order_browser(&admin.device, "Netscape").await;
        let browser = app.signed_in_browser(&admin.person, FIREFOX).await;
        let form = browser.form("/account", "/account/name").await;
        let csrf = form.hidden.iter().find(|(name, _)| name == "csrf");
        Self {
            csrf: csrf.expect("a token").1.clone(),
            browser,
            key: app.create_key("admin:write"),
            bob: id_of(app, "bob@example.org"),
            session: laptop.id(),
            invited: kim["id"].as_str().expect("an id").to_owned(),
            disabled: id_of(app, "dan@example.org"),
            unverified: id_of(app, "una@example.org"),
            application: other.application,
            other_key: other.id,
            job,
            order: format!("{}.{}", Uuid::new_v4(), app.clock.now().timestamp_micros()),
            admin,
        }
    }

    /// Returns the path of a route for something that is there.
    fn path(&self, route: &Route) -> String {
        let id = match route.path {
            path if path.ends_with("/enable") => &self.disabled,
            path if path.ends_with("/verify-email") => &self.unverified,
            path if path.ends_with("/{id}/invite") => &self.invited,
            path if path.contains("/sessions/{id}") => &self.session,
            path if path.contains("/applications/") => &self.application,
            path if path.contains("/api-keys/") => &self.other_key,
            path if path.contains("/jobs/") => &self.job,
            _ => &self.bob,
        };
        route.path.replace("{id}", id)
    }

    /// Sends what a route takes, by the API.
    async fn call(&self, route: &Route, bearer: &str, base: &str) -> TestResponse {
        let body = match (route.method.as_str(), route.path) {
            ("POST", USERS) => json!({"email": "eve@example.org", "password": PASSWORD}),
            ("PATCH", _) => json!({"role": "admin", "full_name": "Eve", "reason": "x"}),
            ("DELETE", "/api/v1/admin/users/{id}") => json!({"email": "bob@example.org"}),
            ("POST", path) if path.ends_with("/sessions/end") => {
                json!({"filter": {"user": "bob@example.org"}, "reason": "x"})
            }
            ("POST", path) if path.ends_with("/disable") || path.ends_with("/lift-delay") => {
                json!({"reason": "x"})
            }
            _ => json!({}),
        };
        let url = format!("{base}{}", self.path(route));
        let method = route.method.as_str().parse().expect("a method");
        let client = crate::support::app::http_client()
            .build()
            .expect("a client");
        let request = client.request(method, url).bearer_auth(bearer);
        TestResponse::to(request.json(&body)).await
    }

    /// Sends the form that a route takes.
    async fn submit(&self, route: &Route) -> TestResponse {
        let mut fields = vec![
            ("csrf", self.csrf.as_str()),
            ("reason", "Left us"),
            ("stated_reason", "Left us"),
            ("email", "eve@example.org"),
            ("full_name", "Eve"),
            ("new_password", PASSWORD),
            ("role", "admin"),
            ("name", "Evil"),
            ("kind", "service"),
            ("hosts", ""),
            ("typed", "bob@example.org"),
            ("session", self.session.as_str()),
        ];
        // A form for a link has that of the one before, and there is none.
        let order = match route.path.ends_with("/reset-link") {
            true => "",
            false => self.order.as_str(),
        };
        fields.push(("order", order));
        if route.path == "/admin/api-keys" {
            fields.push(("admin_write", "on"));
            fields.push(("expires", "never"));
            fields.push(("application", ""));
        }
        self.browser.post(&self.path(route), &fields).await
    }

    /// Returns everything that administrators change, as text.
    fn state(app: &TestApp) -> Vec<String> {
        let mut state = Vec::new();
        for sql in [
            "SELECT email || ' ' || coalesce(full_name, '') || is_auditor || is_active
                 || (email_verified_at IS NULL) || password_hash AS value
             FROM users WHERE email <> 'root@example.org' ORDER BY email",
            "SELECT email AS value FROM users WHERE is_admin ORDER BY email",
            "SELECT name || hosts AS value FROM applications ORDER BY name",
            "SELECT name || (revoked_at IS NULL) AS value FROM api_keys ORDER BY name",
            "SELECT state || CAST(created_at AS TEXT) AS value FROM bulk_jobs ORDER BY id",
            "SELECT CAST(count(*) AS TEXT) AS value FROM password_resets",
            "SELECT CAST(count(*) AS TEXT) AS value FROM user_sessions WHERE is_active",
            "SELECT kind AS value FROM session_events WHERE repeat_key IS NULL ORDER BY id",
        ] {
            let rows = app.database.texts(sql);
            state.extend(rows.into_iter().map(Option::unwrap_or_default));
        }
        state
    }
}

fn changes(routes: &'static [Route], access: &[Access]) -> Vec<&'static Route> {
    /// They count, and change nothing.
    const READING: [&str; 1] = ["/admin/sessions/end/preview"];

    let found: Vec<&Route> = routes
        .iter()
        .filter(|route| route.method != "GET" && access.contains(&route.access))
        .filter(|route| !READING.contains(&route.path))
        .collect();
    let paths: BTreeSet<&str> = found.iter().map(|route| route.path).collect();
    assert!(paths.len() > 3, "{paths:?}");
    found
}

/// Has `change` begun, sends a request, and lets `change` take effect once that waits.
async fn while_it_waits(
    app: &TestApp,
    change: &str,
    request: impl Future<Output = TestResponse> + 'static,
) -> TestResponse {
    let mut other = PgConnection::establish(&app.database.url()).expect("a connection");
    let begin = format!("BEGIN; {change}");
    other.batch_execute(&begin).expect("the lock");
    let sent = spawn(request);
    eventually("the request waits", async || {
        sent.is_finished()
            || app.database.number(
                "SELECT count(*) AS value FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'",
            ) > 0
    })
    .await;
    other.batch_execute("COMMIT").expect("the end");
    sent.await.expect("a response")
}

/// Every route of the table by which an administrator changes anything: a new one is here as well.
#[test]
fn whatever_waits_is_not_done_once_the_authority_is_gone() {
    run_async(async {
        // The program has the clock of the machine: what it recorded would be purged as old.
        let app = TestApp::start_with(Database::postgres(), |settings| {
            settings.jobs.sweep_interval = Duration::from_secs(24 * 60 * 60);
        })
        .await;
        let fixture = std::rc::Rc::new(Fixture::new(&app).await);
        let root = "email = 'root@example.org'";
        let of_root = format!("user_id = (SELECT id FROM users WHERE {root})");
        let demote = |to: bool| format!("UPDATE users SET is_admin = {to} WHERE {root}");
        let disable = |to: bool| format!("UPDATE users SET is_active = {to} WHERE {root}");
        let sign_out =
            |to: bool| format!("UPDATE user_sessions SET is_active = {to} WHERE {of_root}");
        let revoke = |to: bool| {
            let at = if to { "NULL" } else { "now()" };
            format!("UPDATE api_keys SET revoked_at = {at} WHERE scopes LIKE '%admin:write%'")
        };
        let narrow = |to: bool| {
            let scopes = if to { "admin:write" } else { "admin:read" };
            format!("UPDATE api_keys SET scopes = '{scopes}' WHERE scopes LIKE '%admin:%'")
        };
        let before = Fixture::state(&app);
        let of_people: [(&str, &dyn Fn(bool) -> String); 3] = [
            ("demoted", &demote),
            ("disabled", &disable),
            ("signed out", &sign_out),
        ];
        for (what, change) in of_people {
            for route in changes(API, &[Access::AdminApi, Access::AdminPersonApi]) {
                let (fixture, base) = (fixture.clone(), app.base());
                let token = fixture.admin.device.access_token.clone();
                let request = async move { fixture.call(route, &token, &base).await };
                let response = while_it_waits(&app, &change(false), request).await;
                app.database.execute(&change(true));
                let shown = format!("{what}: {} {}: {}", route.method, route.path, response.text);
                let expected = if what == "signed out" { 401 } else { 404 };
                assert_eq!(response.status, expected, "{shown}");
                assert_eq!(Fixture::state(&app), before, "{shown}");
            }
            for route in changes(PAGES, &[Access::Admin]) {
                let fixture = fixture.clone();
                let request = async move { fixture.submit(route).await };
                let response = while_it_waits(&app, &change(false), request).await;
                app.database.execute(&change(true));
                let shown = format!(
                    "{what}: {} {}: {}",
                    route.method, route.path, response.status
                );
                match what {
                    "signed out" => assert!(response.is_to_sign_in(), "{shown}"),
                    _ => assert_eq!(response.status, 404, "{shown}"),
                }
                assert_eq!(Fixture::state(&app), before, "{shown}");
            }
        }
        let of_keys: [(&str, &dyn Fn(bool) -> String); 2] =
            [("revoked", &revoke), ("narrowed", &narrow)];
        for (what, change) in of_keys {
            for route in changes(API, &[Access::AdminApi]) {
                // It is of somebody else; that is found after the authority.
                let (fixture, base) = (fixture.clone(), app.base());
                let key = fixture.key.clone();
                let request = async move { fixture.call(route, &key, &base).await };
                let response = while_it_waits(&app, &change(false), request).await;
                app.database.execute(&change(true));
                let shown = format!("{what}: {} {}: {}", route.method, route.path, response.text);
                let expected = if what == "revoked" { 401 } else { 404 };
                assert_eq!(response.status, expected, "{shown}");
                assert_eq!(Fixture::state(&app), before, "{shown}");
            }
        }
        app.stop().await;
    });
}

/// Their passwords wait to be hashed.
async fn nobody_is_created_once_the_administrator_is_signed_out(app: &TestApp) {
    const MANY: usize = 40;

    let admin = Admin::start(app, "root@example.org").await;
    let other = Admin::start(app, "other@example.org").await;
    let created = "SELECT count(*) AS value FROM users WHERE email LIKE 'eve%'";
    let requests = (0..MANY).map(|n| {
        let email = format!("eve{n}@example.org");
        let body = json!({"email": email, "password": PASSWORD, "role": "admin"});
        let request = admin.device.request("POST", USERS).json(&body);
        spawn(async move { TestResponse::to(request).await })
    });
    let requests: Vec<_> = requests.collect();
    eventually("the first is created", async || {
        app.database.number(created) > 0
    })
    .await;
    let path = format!("/{}/sessions", admin.id);
    other.send("DELETE", &path, &json!({})).await.expect(200);
    let at_the_end = app.database.number(created);
    let responses = join_all(requests).await;
    let made = responses
        .into_iter()
        .map(|response| response.expect("a response").status)
        .filter(|status| *status == 201)
        .count();
    assert_eq!(app.database.number(created), at_the_end);
    assert_eq!(i64::try_from(made), Ok(at_the_end));
}

async fn a_key_is_created_by_an_administrator_only(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let route = PAGES
        .iter()
        .find(|route| route.path == "/admin/api-keys" && route.method == "POST");
    let route = route.expect("a route");
    fixture.submit(route).await.expect(200);
    let keys = "SELECT count(*) AS value FROM api_keys WHERE name = 'Evil'";
    assert_eq!(app.database.number(keys), 1);
    app.set_role(&fixture.admin.person, "person");
    fixture.submit(route).await.expect(404);
    assert_eq!(app.database.number(keys), 1);
}

/// They gave the password in a session that another device ends while the request waits.
#[test]
fn who_is_signed_out_neither_deletes_the_account_nor_signs_others_out() {
    run_async(async {
        let app = TestApp::start(Database::postgres()).await;
        let bob = app.register("bob@example.org").await;
        let phone = app.login(&bob, IPHONE).await;
        for (page, action) in [
            ("/account/delete", "/account/delete"),
            ("/devices/sign-out-others", "/devices/sign-out-others"),
        ] {
            let browser = app.signed_in_browser(&bob, FIREFOX).await;
            app.confirm_sign_ins();
            let form = browser.form(page, action).await;
            let end = "UPDATE user_sessions SET is_active = false WHERE opened_via = 'browser'";
            let request = async move { browser.send(&form, &[("typed", "bob@example.org")]).await };
            let response = while_it_waits(&app, end, request).await;
            assert!(response.is_to_sign_in(), "{action}: {}", response.status);
            phone.current().await.expect(200);
        }
        app.stop().await;
    });
}
