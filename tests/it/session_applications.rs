//! The applications that a session reached: hosts behind forward-auth, clients with a key, audiences.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::admin::{Admin, id_of};
use crate::support::api::Anyone;
use crate::support::eventually;
use crate::support::outage::Outage;
use crate::support::prelude::*;
use crate::support::program::{AddedKey, Program};
use crate::support::statements::Statements;

on_both!(
    database: introspection_is_listed_by_the_name_of_the_application,
    the_audience_of_an_access_token_is_listed,
    an_application_that_opens_a_session_is_listed,
    what_an_application_is_refused_is_no_use,
    a_deleted_application_is_called_so,
    uses_are_written_once_the_database_is_back,
    uses_of_a_deleted_session_stop_no_others,
    a_page_of_an_allowed_host_is_listed,
    a_host_has_the_name_of_its_application,
    a_host_is_named_among_any_number_of_applications,
    of_many_uses_at_once_each_is_written,
    what_forward_auth_refuses_is_no_use,
    forward_auth_remains_one_statement,
    a_row_is_written_once_a_minute,
    of_two_nodes_the_later_use_stays,
    stopping_writes_every_use,
    a_session_has_the_fifty_that_were_used_last,
    a_device_lists_what_all_its_sessions_reached,
    nobody_else_reads_what_a_session_reached,
    they_are_erased_with_the_session,
);

const WIKI: &str = "wiki.example.org";
const CHARTS: &str = "charts.example.org:8443";
const APPLICATION: &str = "01931d8a-0000-7000-8000-000000000001";
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MINUTE: Duration = Duration::from_secs(60);

/// Starts behind a proxy, with forward-auth for these hosts. Uses are written only when a test says so.
async fn start(database: Database, hosts: &[&str]) -> TestApp {
    TestApp::start_with(database, |settings| {
        settings.forward_auth.allowed_hosts = hosts.iter().map(|host| (*host).into()).collect();
        settings.jobs.flush_interval = A_DAY / 24;
    })
    .await
}

/// Requests a page of a host, as nginx asks about it, by the cookie of forward-auth.
async fn visit(base: &str, browser: &Browser, host: &str) -> TestResponse {
    let cookie = browser.cookie("rollcall_forward").expect("a cookie");
    let request = Anyone::new(base.to_owned()).request("GET", "/auth/verify");
    let request = request
        .header("x-original-url", format!("https://{host}/page?a=b"))
        .header("x-original-method", "GET")
        .header("cookie", format!("rollcall_forward={cookie}"));
    TestResponse::to(request).await
}

fn add(app: &TestApp, name: &str, scope: &str) -> AddedKey {
    Program::with(&app.database).add_key(&["--name", name, "--scope", scope])
}

async fn introspect(app: &TestApp, key: &AddedKey, token: &str) -> Value {
    let request = app.anyone().request("POST", "/oauth/introspect");
    let request = request.basic_auth(&key.id, Some(&key.secret));
    let response = TestResponse::to(request.form(&[("token", token)])).await;
    response.expect(200).json()
}

async fn login_for(app: &TestApp, person: &Person, audience: &str) -> TestResponse {
    let body = json!({"email": person.email, "password": PASSWORD, "audience": audience});
    app.anyone().post("/api/v1/auth/login", &body).await
}

/// Returns the rows: kind, name and time of each.
fn rows(database: &Database) -> Vec<String> {
    let texts = database.texts(
        "SELECT kind || ' ' || name || ' ' || CAST(last_used_at AS TEXT) AS value
         FROM session_applications ORDER BY kind, name",
    );
    texts.into_iter().flatten().collect()
}

fn count(database: &Database) -> i64 {
    database.number("SELECT count(*) AS value FROM session_applications")
}

/// Returns the path of the page of the browser's own device.
async fn own_page(browser: &Browser) -> String {
    let current = browser.get("/api/v1/sessions/current").await.expect(200);
    let id = current.json()["id"].as_str().expect("an id").to_owned();
    format!("/devices/{id}")
}

/// Returns the text of "Applications" on a page; empty without one.
fn shown(page: &TestResponse) -> String {
    let words = page.words();
    match words.split_once("Applications ") {
        Some((_, after)) => after
            .split(" Address ")
            .next()
            .unwrap_or_default()
            .to_owned(),
        None => String::new(),
    }
}

async fn a_page_of_an_allowed_host_is_listed(database: Database) {
    let app = start(database, &[WIKI, CHARTS]).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let page = own_page(&browser).await;
    assert_eq!(shown(&browser.get(&page).await.expect(200)), "");
    visit(&app.base(), &browser, WIKI).await.expect(200);
    app.advance(MINUTE);
    visit(&app.base(), &browser, CHARTS).await.expect(200);
    assert_eq!(app.flush_application_uses().await, 2);

    for path in [page.as_str(), "/devices"] {
        let shown = shown(&browser.get(path).await.expect(200));
        let (first, second) = (shown.find(CHARTS), shown.find(WIKI));
        assert!(first.is_some() && first < second, "{path}: {shown}");
    }
    let text = browser.get(&page).await.expect(200).text;
    assert!(text.contains(&format!("<bdi>{WIKI}</bdi>")), "{text}");
    // Over each door of forward-auth, and by an access token.
    let laptop = app.login(&ada, IPHONE).await;
    let request = laptop.request("GET", "/auth/verify/caddy");
    let request = request
        .header("x-forwarded-host", CHARTS)
        .header("x-forwarded-uri", "/");
    TestResponse::to(request).await.expect(200);
    assert_eq!(app.flush_application_uses().await, 1);
    let page = format!("/devices/{}", laptop.id());
    let response = browser.get(&page).await.expect(200);
    assert!(shown(&response).contains(CHARTS));
    app.stop().await;
}

async fn a_host_is_named_among_any_number_of_applications(database: Database) {
    let app = start(database, &[WIKI]).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    visit(&app.base(), &browser, WIKI).await.expect(200);
    app.flush_application_uses().await;
    let (id, _) = app.database.random_id_and_text();
    app.database.execute(&format!(
        "WITH RECURSIVE copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n <= 1100)
         INSERT INTO applications (id, name, hosts, created_at)
         SELECT {id}, 'Application ' || n,
             CASE WHEN n > 1100 THEN 'other.example.org {WIKI}' ELSE 'h' || n || '.{WIKI}' END,
             '2031-01-20 08:30:00.000000'
         FROM copy"
    ));
    let rename = "UPDATE applications SET name = 'Wiki of the house' WHERE hosts LIKE 'other%'";
    app.database.execute(rename);
    let page = own_page(&browser).await;
    let shown = shown(&browser.get(&page).await.expect(200));
    assert!(shown.starts_with("Wiki of the house"), "{shown}");
    app.stop().await;
}

async fn of_many_uses_at_once_each_is_written(database: Database) {
    let app = start(database, &[WIKI, CHARTS]).await;
    let ada = app.register("ada@example.org").await;
    let mut browsers = Vec::new();
    for _ in 0..7 {
        let browser = app.signed_in_browser(&ada, FIREFOX).await;
        for host in [WIKI, CHARTS] {
            visit(&app.base(), &browser, host).await.expect(200);
        }
        browsers.push(browser);
    }
    // As many as need statements of several sizes.
    visit(&app.base(), &browsers[0], WIKI).await.expect(200);
    assert_eq!(app.flush_application_uses().await, 14);
    assert_eq!(count(&app.database), 14);
    app.advance(MINUTE);
    for browser in &browsers[..3] {
        visit(&app.base(), browser, WIKI).await.expect(200);
    }
    assert_eq!(app.flush_application_uses().await, 3);
    let latest = "SELECT count(*) AS value FROM session_applications
        WHERE last_used_at = (SELECT max(last_used_at) FROM session_applications)";
    assert_eq!(app.database.number(latest), 3);
    app.stop().await;
}

async fn a_host_has_the_name_of_its_application(database: Database) {
    let app = start(database, &[WIKI, CHARTS]).await;
    let admin = Admin::start(&app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    visit(&app.base(), &browser, WIKI).await.expect(200);
    app.advance(MINUTE);
    visit(&app.base(), &browser, CHARTS).await.expect(200);
    app.flush_application_uses().await;

    let id = app.database.id(APPLICATION);
    app.database.execute(&format!(
        "INSERT INTO applications (id, name, created_at, kind, hosts)
         VALUES ({id}, 'The <b>wiki</b>', '2031-01-20 08:30:00.000000', 'website', 'docs.example.org {WIKI}')"
    ));
    let page = own_page(&browser).await;
    let response = browser.get(&page).await.expect(200);
    let shown = shown(&response);
    assert!(shown.contains("The <b>wiki</b>"), "{shown}");
    assert!(!shown.contains(WIKI) && shown.contains(CHARTS), "{shown}");
    assert!(!response.text.contains("<b>wiki"), "it is escaped");

    let id = page.replace("/devices/", "/api/v1/admin/sessions/");
    let found = admin.device.get(&id).await.expect(200).json();
    let wiki = &found["applications"][1];
    assert_eq!(wiki["kind"], "host");
    assert_eq!(wiki["host"], WIKI);
    assert_eq!(wiki["name"], "The <b>wiki</b>");
    assert_eq!(wiki["application_id"], APPLICATION);
    app.stop().await;
}

async fn introspection_is_listed_by_the_name_of_the_application(database: Database) {
    let app = start(database, &[]).await;
    let ada = app.register("ada@example.org").await;
    let gateway = add(&app, "Gateway", "tokens:any");
    let phone = app.login(&ada, IPHONE).await;
    assert_eq!(
        introspect(&app, &gateway, &phone.access_token).await["active"],
        true
    );
    assert_eq!(
        introspect(&app, &gateway, &phone.refresh_token).await["active"],
        true
    );
    assert_eq!(app.flush_application_uses().await, 1);

    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let page = browser.get(&format!("/devices/{}", phone.id())).await;
    assert!(shown(&page.expect(200)).starts_with("Gateway · "));
    // By the name that it has now.
    app.database
        .execute("UPDATE applications SET name = 'Portal' WHERE name = 'Gateway'");
    let page = browser.get(&format!("/devices/{}", phone.id())).await;
    assert!(shown(&page.expect(200)).starts_with("Portal · "));
    app.stop().await;
}

async fn the_audience_of_an_access_token_is_listed(database: Database) {
    let app = start(database, &[]).await;
    let ada = app.register("ada@example.org").await;
    let (shop, forum) = (add(&app, "Shop", "tokens"), add(&app, "Forum", "tokens"));
    let response = login_for(&app, &ada, "Shop").await.expect(200);
    let phone = Device::from_login(app.base(), &response);
    let body = json!({"refresh_token": phone.refresh_token, "audience": forum.application});
    let response = app.anyone().post("/api/v1/auth/refresh", &body).await;
    let phone = Device::from_login(app.base(), &response.expect(200));
    // For the service itself it is none.
    app.anyone().refresh(&phone.refresh_token).await.expect(200);
    assert_eq!(app.flush_application_uses().await, 2);
    let found: BTreeSet<String> = rows(&app.database)
        .iter()
        .map(|row| row.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    let expected = [&shop, &forum].map(|key| format!("audience {}", key.application));
    assert_eq!(found, BTreeSet::from(expected));
    app.stop().await;
}

async fn an_application_that_opens_a_session_is_listed(database: Database) {
    let app = start(database, &[]).await;
    let shop = add(&app, "Shop", "sessions");
    let request = |path: &str| {
        let request = app.anyone().request("POST", path);
        request.bearer_auth(&shop.secret)
    };
    let body = json!({"subject": "42", "audience": "Shop"});
    let opened = TestResponse::to(request("/api/v1/app/sessions").json(&body)).await;
    let phone = Device::from_login(app.base(), &opened.expect(201));
    assert_eq!(app.flush_application_uses().await, 2);
    app.advance(2 * MINUTE);
    let body = json!({"refresh_token": phone.refresh_token});
    let refreshed = request("/api/v1/app/sessions/refresh").json(&body);
    TestResponse::to(refreshed).await.expect(200);
    assert_eq!(app.flush_application_uses().await, 1);
    // To read what sessions there are is no use of one.
    app.advance(2 * MINUTE);
    let listed = app.anyone().request("GET", "/api/v1/app/sessions");
    let listed = listed.bearer_auth(&shop.secret).header("x-subject", "42");
    TestResponse::to(listed).await.expect(200);
    assert_eq!(app.flush_application_uses().await, 0);
    app.stop().await;
}

async fn what_forward_auth_refuses_is_no_use(database: Database) {
    let app = start(database, &[WIKI]).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let cookie = browser.cookie("rollcall_forward").expect("a cookie");
    let cookie = format!("rollcall_forward={cookie}");
    let about = |path: &str, method: &str, host: &str| {
        let request = app.anyone().request("GET", path);
        request
            .header("x-original-url", format!("https://{host}/"))
            .header("x-original-method", method)
    };
    // Nobody; a host that isn't allowed; somebody who is no administrator; a preflight.
    let refused = [
        (about("/auth/verify", "GET", WIKI), 401),
        (
            about("/auth/verify", "GET", "other.example").header("cookie", &cookie),
            401,
        ),
        (
            about("/auth/verify/admin", "GET", WIKI).header("cookie", &cookie),
            403,
        ),
        (
            about("/auth/verify", "GET", WIKI).header("cookie", "rollcall_forward=forged"),
            401,
        ),
        (
            about("/auth/verify", "OPTIONS", WIKI)
                .header("cookie", &cookie)
                .header("origin", "https://other.example")
                .header("access-control-request-method", "PUT"),
            200,
        ),
    ];
    for (request, status) in refused {
        TestResponse::to(request).await.expect(status);
    }
    // A token is let in where no host is stated, but what it reached is not known.
    let phone = app.login(&ada, IPHONE).await;
    phone.get("/auth/verify").await.expect(200);
    let page = own_page(&browser).await;
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    let request = about("/auth/verify", "GET", WIKI).header("cookie", &cookie);
    TestResponse::to(request).await.expect(401);
    assert_eq!(app.flush_application_uses().await, 0);
    let again = app.signed_in_browser(&ada, FIREFOX).await;
    assert_eq!(shown(&again.get(&page).await.expect(200)), "");
    app.stop().await;
}

async fn what_an_application_is_refused_is_no_use(database: Database) {
    let app = start(database, &[]).await;
    let ada = app.register("ada@example.org").await;
    let (shop, forum) = (add(&app, "Shop", "tokens"), add(&app, "Forum", "tokens"));
    let response = login_for(&app, &ada, "Nowhere").await;
    response.problem(400, "invalid_target");
    let phone = app.login(&ada, IPHONE).await;
    let body = json!({"refresh_token": phone.refresh_token, "audience": "Nowhere"});
    let refused = app.anyone().post("/api/v1/auth/refresh", &body).await;
    refused.problem(400, "invalid_target");
    // A token that was made for the service is none of theirs.
    assert_eq!(
        introspect(&app, &shop, &phone.access_token).await["active"],
        false
    );
    let response = login_for(&app, &ada, "Forum").await.expect(200);
    let tablet = Device::from_login(app.base(), &response);
    assert_eq!(app.flush_application_uses().await, 1, "the audience");
    assert_eq!(
        introspect(&app, &shop, &tablet.access_token).await["active"],
        false
    );
    phone
        .delete(&format!("/api/v1/sessions/{}", tablet.id()))
        .await
        .expect(204);
    assert_eq!(
        introspect(&app, &forum, &tablet.access_token).await["active"],
        false
    );
    app.advance(2 * MINUTE);
    assert_eq!(app.flush_application_uses().await, 0);
    app.stop().await;
}

async fn a_deleted_application_is_called_so(database: Database) {
    let app = start(database, &[]).await;
    let admin = Admin::start(&app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    let (one, two) = (
        add(&app, "One", "tokens:any"),
        add(&app, "Two", "tokens:any"),
    );
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    for key in [&one, &two] {
        introspect(&app, key, &phone.access_token).await;
    }
    app.flush_application_uses().await;
    app.database.execute("DELETE FROM api_keys");
    app.database.execute("DELETE FROM applications");
    let page = format!("/devices/{}", phone.id());
    let shown = shown(&browser.get(&page).await.expect(200));
    assert_eq!(
        shown.matches("An application that was deleted").count(),
        1,
        "{shown}"
    );
    let session = format!("/api/v1/admin/sessions/{}", phone.id());
    let found = admin.device.get(&session).await.expect(200).json();
    assert_eq!(found["applications"][0]["name"], Value::Null);
    assert_eq!(found["applications"].as_array().map(Vec::len), Some(2));
    app.stop().await;
}

async fn forward_auth_remains_one_statement(database: Database) {
    let statements = Statements::watch(&database);
    let app = TestApp::start_with(database, |settings| {
        settings.forward_auth.allowed_hosts = vec![WIKI.into(), CHARTS.into()];
        settings.database.connections = 1;
        let jobs = &mut settings.jobs;
        (jobs.flush_interval, jobs.sweep_interval) = (A_DAY / 24, A_DAY);
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for host in [WIKI, CHARTS, WIKI] {
        app.advance(MINUTE);
        statements.take();
        visit(&app.base(), &browser, host).await.expect(200);
        let executed = statements.take();
        let of_request = executed.iter().filter(|executed| {
            executed.sql.contains("user_sessions") || executed.sql.contains("session_applications")
        });
        assert_eq!(of_request.count(), 1, "{host}: {executed:#?}");
    }
    // And what is written in the background is compiled once.
    for _ in 0..3 {
        app.advance(2 * MINUTE);
        visit(&app.base(), &browser, WIKI).await.expect(200);
        statements.take();
        app.flush_application_uses().await;
    }
    let compiled: Vec<_> = statements
        .take()
        .into_iter()
        .filter(|executed| {
            executed.is_compiled_anew && executed.sql.contains("session_applications")
        })
        .collect();
    assert!(compiled.is_empty(), "{compiled:#?}");
    app.stop().await;
}

async fn a_row_is_written_once_a_minute(database: Database) {
    let app = start(database, &[WIKI]).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for _ in 0..10 {
        visit(&app.base(), &browser, WIKI).await.expect(200);
    }
    assert_eq!(app.flush_application_uses().await, 1);
    let first = rows(&app.database);
    app.advance(MINUTE / 2);
    visit(&app.base(), &browser, WIKI).await.expect(200);
    assert_eq!(app.flush_application_uses().await, 0);
    assert_eq!(rows(&app.database), first);
    app.advance(MINUTE / 2);
    // No further use: the one before is written now.
    assert_eq!(app.flush_application_uses().await, 1);
    let second = rows(&app.database);
    assert_ne!(second, first);
    app.advance(MINUTE);
    assert_eq!(app.flush_application_uses().await, 0);
    // A clock that is set back stops nothing.
    visit(&app.base(), &browser, WIKI).await.expect(200);
    assert_eq!(app.flush_application_uses().await, 1);
    app.set_back(10 * MINUTE);
    visit(&app.base(), &browser, WIKI).await.expect(200);
    app.flush_application_uses().await;
    assert_eq!(rows(&app.database).len(), 1);
    app.stop().await;
}

async fn of_two_nodes_the_later_use_stays(database: Database) {
    let app = start(database, &[WIKI]).await;
    let other = app
        .another_node(|settings| {
            settings.forward_auth.allowed_hosts = vec![WIKI.into()];
            settings.jobs.flush_interval = A_DAY / 24;
        })
        .await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    visit(&app.base(), &browser, WIKI).await.expect(200);
    app.advance(MINUTE);
    visit(&other.base(), &browser, WIKI).await.expect(200);
    assert_eq!(other.flush_application_uses().await, 1);
    let later = rows(&app.database);
    assert_eq!(app.flush_application_uses().await, 0, "it is earlier");
    assert_eq!(rows(&app.database), later);
    other.stop().await;
    app.stop().await;
}

async fn stopping_writes_every_use(database: Database) {
    let app = start(database, &[WIKI, CHARTS]).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    visit(&app.base(), &browser, WIKI).await.expect(200);
    app.flush_application_uses().await;
    let before = rows(&app.database);
    app.advance(Duration::from_secs(1));
    // Within the minute in which the row is not written again.
    visit(&app.base(), &browser, WIKI).await.expect(200);
    visit(&app.base(), &browser, CHARTS).await.expect(200);
    assert_eq!(app.flush_application_uses().await, 1);
    let database = app.stop_and_keep_database().await;
    let after = rows(&database);
    assert_eq!(after.len(), 2);
    assert_ne!(after[1], before[0]);
}

async fn uses_are_written_once_the_database_is_back(database: Database) {
    let app = start(database, &[]).await;
    let ada = app.register("ada@example.org").await;
    let gateway = add(&app, "Gateway", "tokens:any");
    let phone = app.login(&ada, IPHONE).await;
    introspect(&app, &gateway, &phone.access_token).await;
    let outage = Outage::of(&app.database);
    assert!(!app.try_flush_application_uses().await);
    outage.end();
    eventually("the uses are written", async || {
        app.try_flush_application_uses().await && count(&app.database) == 1
    })
    .await;
    app.stop().await;
}

async fn uses_of_a_deleted_session_stop_no_others(database: Database) {
    let app = start(database, &[]).await;
    let ada = app.register("ada@example.org").await;
    let gateway = add(&app, "Gateway", "tokens:any");
    let (phone, laptop) = (
        app.login(&ada, IPHONE).await,
        app.login(&ada, FIREFOX).await,
    );
    for device in [&phone, &laptop] {
        introspect(&app, &gateway, &device.access_token).await;
    }
    let id = app.database.id(&phone.id());
    app.database
        .execute(&format!("DELETE FROM user_sessions WHERE id = {id}"));
    assert_eq!(app.flush_application_uses().await, 1);
    assert_eq!(count(&app.database), 1);
    app.stop().await;
}

async fn a_session_has_the_fifty_that_were_used_last(database: Database) {
    let hosts: Vec<String> = (0..55).map(|n| format!("h{n:02}.example.org")).collect();
    let names: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let app = start(database, &names).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for host in &names {
        app.advance(Duration::from_secs(1));
        visit(&app.base(), &browser, host).await.expect(200);
    }
    app.flush_application_uses().await;
    let stored = rows(&app.database);
    assert_eq!(stored.len(), 50);
    assert!(stored[0].starts_with("host h05."), "{}", stored[0]);
    // A row of many: its device says how many there are besides.
    let list = browser.get("/devices").await.expect(200);
    assert!(shown(&list).contains("and 45 more"));
    let page = own_page(&browser).await;
    let shown = shown(&browser.get(&page).await.expect(200));
    assert_eq!(shown.matches(".example.org").count(), 50);
    app.stop().await;
}

async fn a_device_lists_what_all_its_sessions_reached(database: Database) {
    let app = start(database, &[WIKI]).await;
    let ada = app.register("ada@example.org").await;
    let gateway = add(&app, "Gateway", "tokens:any");
    let one = app
        .login_from(&ada, IPHONE, "198.51.100.7", Some("d-1"))
        .await;
    let two = app
        .login_from(&ada, IPHONE, "198.51.100.7", Some("d-1"))
        .await;
    let elsewhere = app
        .login_from(&ada, IPHONE, "198.51.100.7", Some("d-2"))
        .await;
    for device in [&one, &two] {
        introspect(&app, &gateway, &device.access_token).await;
        app.advance(2 * MINUTE);
    }
    let request = two.request("GET", "/auth/verify");
    let request = request.header("x-original-url", format!("https://{WIKI}/"));
    TestResponse::to(request).await.expect(200);
    assert_eq!(app.flush_application_uses().await, 3);
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for device in [&one, &two] {
        let page = format!("/devices/{}", device.id());
        let shown = shown(&browser.get(&page).await.expect(200));
        assert!(shown.starts_with(WIKI), "{shown}");
        assert_eq!(shown.matches("Gateway").count(), 1, "{shown}");
        assert!(shown.contains("Gateway · 2 minutes ago"), "{shown}");
    }
    let page = format!("/devices/{}", elsewhere.id());
    assert_eq!(shown(&browser.get(&page).await.expect(200)), "");
    app.stop().await;
}

async fn nobody_else_reads_what_a_session_reached(database: Database) {
    let app = start(database, &[WIKI]).await;
    let (ada, bob) = (
        app.register("ada@example.org").await,
        app.register("bob@example.org").await,
    );
    let auditor = app.register("audrey@example.org").await;
    app.set_role(&auditor, "auditor");
    let auditor = app.signed_in_browser(&auditor, FIREFOX).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    visit(&app.base(), &browser, WIKI).await.expect(200);
    app.flush_application_uses().await;
    let page = own_page(&browser).await;
    let admin_page = page.replace("/devices", "/admin/sessions");
    let api = format!("/api/v1{admin_page}");
    // An auditor reads it; the person and their export have it.
    let text = auditor.get(&admin_page).await.expect(200).text;
    assert!(text.contains(&format!("<bdi>{WIKI}</bdi>")), "{text}");
    let found = auditor.get(&api).await.expect(200).json();
    assert_eq!(found["applications"][0]["host"], WIKI);
    let export = |file: &Value| file["sessions"][0]["applications"][0]["host"].clone();
    let file = browser.get("/account/export").await.expect(200).json();
    assert_eq!(export(&file), WIKI);

    let bobs = app.signed_in_browser(&bob, FIREFOX).await;
    for path in [&page, &admin_page, &api] {
        let response = bobs.get(path).await.expect(404);
        assert!(!response.text.contains(WIKI), "{path}");
    }
    for path in ["/devices", "/account/export"] {
        let response = bobs.get(path).await.expect(200);
        assert!(!response.text.contains(WIKI), "{path}");
    }
    app.stop().await;
}

async fn they_are_erased_with_the_session(database: Database) {
    let app = start(database, &[WIKI]).await;
    let admin = Admin::start(&app, "root@example.org").await;
    let (ada, bob) = (
        app.register("ada@example.org").await,
        app.register("bob@example.org").await,
    );
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let bobs = app.signed_in_browser(&bob, FIREFOX).await;
    for browser in [&browser, &bobs] {
        visit(&app.base(), browser, WIKI).await.expect(200);
    }
    app.flush_application_uses().await;
    // An ended session still shows them, until it is purged.
    let page = own_page(&browser).await;
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    let again = app.signed_in_browser(&ada, FIREFOX).await;
    assert!(shown(&again.get(&page).await.expect(200)).contains(WIKI));
    let path = format!("/{}", id_of(&app, &ada.email));
    admin
        .send("DELETE", &path, &json!({"email": ada.email}))
        .await
        .expect(204);
    assert_eq!(count(&app.database), 1);
    app.advance(400 * A_DAY);
    app.sweep().await;
    app.advance(400 * A_DAY);
    app.sweep().await;
    assert_eq!(count(&app.database), 0);
    app.stop().await;
}
