//! IP retention: people choose how much of their addresses is stored.

use crate::support::admin::Admin;
use crate::support::bulk::{END, add_sessions, job, job_id};
use crate::support::html;
use crate::support::prelude::*;

on_both!(
    database: whole_addresses_are_stored_by_default,
    only_the_network_of_a_shortened_address_is_stored,
    no_address_is_stored_when_the_choice_is_none,
    stored_addresses_are_redacted_too,
    addresses_in_the_events_of_others_are_redacted_too,
    buffered_addresses_are_redacted_too,
    an_unknown_choice_is_refused,
    addresses_buffered_on_another_node_are_redacted_too,
    fewer_stored_addresses_require_the_password,
);

const HOME: &str = "203.0.113.77";
const HOME_6: &str = "2001:db8:1:2:3:4:5:6";

async fn choose(browser: &Browser, addresses: &str) -> TestResponse {
    browser
        .submit(
            "/account",
            "/account/addresses",
            &[("addresses", addresses)],
        )
        .await
}

/// Returns every IP address in the database, each once, sorted.
fn stored(app: &TestApp) -> Vec<String> {
    let is_redacted = "(ip_key IS NULL) = (ip_address IS NULL)
        AND (coalesce(ip_address, '') NOT LIKE '%.0' OR ip_key LIKE '4______00')";
    let all = app.database.sessions_where("1 = 1");
    assert_eq!(app.database.sessions_where(is_redacted), all, "the keys");
    let tables = ["user_sessions", "session_events", "alerts"];
    let found = tables.map(|table| {
        app.database.texts(&format!(
            "SELECT DISTINCT ip_address AS value FROM {table} WHERE ip_address IS NOT NULL"
        ))
    });
    let mut found: Vec<String> = found.into_iter().flatten().flatten().collect();
    found.sort();
    found.dedup();
    found
}

async fn whole_addresses_are_stored_by_default(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    app.login_from(&ada, IPHONE, HOME, None).await;
    assert_eq!(stored(&app), [HOME]);
    app.stop().await;
}

async fn only_the_network_of_a_shortened_address_is_stored(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    let response = choose(&laptop, "shortened").await;
    laptop
        .follow(&response)
        .await
        .expect_words("Saved. Older addresses were shortened, too.");
    app.advance(Duration::from_secs(60));
    let phone = app.login_from(&ada, IPHONE, HOME_6, None).await;
    assert_eq!(phone.session["ip_address"], "2001:db8:1::");
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("203.0.113.0/24")
        .expect_words("2001:db8:1::/48");
    app.flush().await;
    assert_eq!(stored(&app), ["2001:db8:1::", "203.0.113.0"]);

    // A refresh from the same network isn't one from a new address.
    let request = app
        .anyone()
        .request("POST", "/api/v1/auth/refresh")
        .header("x-forwarded-for", "2001:db8:1:ffff::9")
        .json(&json!({"refresh_token": phone.refresh_token}));
    TestResponse::to(request).await.expect(200);
    let query = "SELECT count(*) AS value FROM session_events WHERE kind = 'refreshed'";
    assert_eq!(app.database.number(query), 0);
    assert_eq!(stored(&app), ["2001:db8:1::", "203.0.113.0"]);
    // Of the address of one from another network, only that is stored.
    let tablet = app.login_from(&ada, IPHONE, HOME, None).await;
    let refreshed = app
        .anyone()
        .refresh_from(&tablet.refresh_token, "198.51.100.7")
        .await;
    refreshed.expect(200);
    assert_eq!(app.database.number(query), 1);
    assert_eq!(
        stored(&app),
        ["198.51.100.0", "2001:db8:1::", "203.0.113.0"]
    );
    app.stop().await;
}

async fn no_address_is_stored_when_the_choice_is_none(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    choose(&laptop, "none").await.expect(303);
    app.advance(Duration::from_secs(60));
    let phone = app.login_from(&ada, IPHONE, HOME_6, None).await;
    assert_eq!(phone.session["ip_address"], json!(null));
    app.advance(Duration::from_secs(60));
    let request = app
        .anyone()
        .request("POST", "/api/v1/auth/refresh")
        .header("x-forwarded-for", HOME)
        .json(&json!({"refresh_token": phone.refresh_token}));
    let body = TestResponse::to(request).await.expect(200).json();
    assert_eq!(body["session"]["ip_address"], json!(null));
    assert_eq!(
        body["session"]["last_used_at"],
        "2031-05-17T08:32:00.000000Z"
    );
    let access = body["access_token"].as_str().expect("a token");
    app.anyone().current(access).await.expect(200);
    laptop
        .submit("/account", "/account/name", &[("full_name", "Ada")])
        .await;
    // Token reuse is recorded with its address, which must not be stored here.
    app.advance(Duration::from_secs(60));
    app.anyone()
        .refresh(&phone.refresh_token)
        .await
        .problem(401, "invalid_token");
    app.flush().await;
    assert_eq!(stored(&app), Vec::<String>::new());
    app.stop().await;
}

async fn stored_addresses_are_redacted_too(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let bob = app.register("bob@example.org").await;
    app.login_from(&bob, IPHONE, "198.51.100.9", None).await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    for ip in ["203.0.113.78", HOME_6] {
        let phone = app.login_from(&ada, IPHONE, ip, None).await;
        let request = phone
            .request("POST", "/api/v1/auth/logout")
            .header("x-forwarded-for", ip);
        TestResponse::to(request).await.expect(204);
    }
    // The address of an alert that waits for an answer stays.
    app.confirm_sign_ins();
    choose(&laptop, "shortened").await.expect(303);
    assert_eq!(
        stored(&app),
        ["198.51.100.9", "2001:db8:1::", "203.0.113.0"],
        "those of other people are unchanged"
    );
    choose(&laptop, "none").await.expect(303);
    assert_eq!(stored(&app), ["198.51.100.9"]);
    app.stop().await;
}

/// What an administrator did to others is recorded on them, with the administrator's address.
async fn addresses_in_the_events_of_others_are_redacted_too(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let (root, ada) = (
        app.register("root@example.org").await,
        app.register("ada@example.org").await,
    );
    app.set_role(&root, "admin");
    let other = Admin::start(&app, "other@example.org").await;
    let browser = app.browser_from(FIREFOX, HOME);
    browser.sign_in(&root).await;
    let device = app.login_from(&root, FIREFOX, HOME, None).await;
    let phone = app.login_from(&ada, IPHONE, "198.51.100.9", None).await;
    add_sessions(&app.database, &phone, 900, "Netscape");
    let body = json!({"filter": {"browser": "Netscape"}, "reason": "Stolen laptop"});
    let order = device
        .request("POST", END)
        .header("x-forwarded-for", HOME)
        .json(&body);
    let id = job_id(&TestResponse::to(order).await.expect(202));
    let ended = |ip: &str| {
        let (jobs, ended) = (
            format!("SELECT count(*) AS value FROM bulk_jobs WHERE {ip}"),
            format!("SELECT count(*) AS value FROM session_events WHERE kind = 'ended' AND {ip}"),
        );
        let job = app.database.number(&jobs.replace("ip_address", "by_ip"));
        (job, app.database.number(&ended))
    };
    app.run_bulk_batch().await;
    assert_eq!(ended("ip_address = '203.0.113.77'"), (1, 200));
    choose(&browser, "shortened").await.expect(303);
    assert_eq!(ended("ip_address = '203.0.113.0'"), (1, 200));
    app.run_bulk_batch().await;
    assert_eq!(ended("ip_address = '203.0.113.0'"), (1, 400));
    // An address of a person who is deleted is nobody's to show, and what they ordered stops.
    let path = format!("/{}", device.session["user_id"].as_str().expect("an id"));
    let body = json!({"email": "root@example.org"});
    other.send("DELETE", &path, &body).await.expect(204);
    assert_eq!(ended("ip_address IS NOT NULL"), (0, 0));
    assert_eq!(ended("ip_address IS NULL"), (1, 400));
    assert_eq!(job(&other.device, &id).await["state"], "stopped");
    assert_eq!(app.run_bulk_batch().await, 0);
    app.stop().await;
}

async fn buffered_addresses_are_redacted_too(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    app.advance(Duration::from_secs(1));
    laptop.get("/devices").await.expect(200);
    choose(&laptop, "none").await.expect(303);
    app.flush().await;
    assert_eq!(stored(&app), Vec::<String>::new());
    app.stop().await;
}

async fn an_unknown_choice_is_refused(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    let response = choose(&laptop, "some").await;
    assert!([400, 422].contains(&response.status), "{response:?}");
    assert_eq!(stored(&app), [HOME]);
    app.stop().await;
}

/// Changes the settings to those of one of two nodes with the same public URL.
fn one_of_two(settings: &mut rollcall::settings::Settings) {
    crate::support::app::behind_proxy(settings);
    settings.public_url = Some("http://login.example.org".parse().expect("a URL"));
}

async fn addresses_buffered_on_another_node_are_redacted_too(database: Database) {
    let app = TestApp::start_with(database, one_of_two).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    let phone = app.login_from(&ada, IPHONE, HOME, None).await;
    let other = app.another_node(one_of_two).await;
    app.advance(Duration::from_secs(1));
    let used = phone
        .at(other.base())
        .request("GET", "/api/v1/sessions/current")
        .header("x-forwarded-for", HOME_6);
    TestResponse::to(used).await.expect(200);
    app.confirm_sign_ins();
    choose(&laptop, "none").await.expect(303);
    // A clean stop writes the buffered uses.
    other.stop().await;
    app.flush().await;
    assert_eq!(stored(&app), Vec::<String>::new());
    app.stop().await;
}

/// The addresses are the evidence of an alert, and a stolen session is what it is about.
async fn fewer_stored_addresses_require_the_password(database: Database) {
    const OLDER: &str = "Older addresses";
    const WINDOW: Duration = Duration::from_secs(10 * 60 + 1);

    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    let form = laptop.form("/account", "/account/addresses").await;
    app.advance(WINDOW);
    for (chosen, act) in [
        ("shortened", "Shorten your stored IP addresses?"),
        ("none", "Delete your stored IP addresses?"),
    ] {
        let fields = [("addresses", chosen)];
        let page = laptop.send(&form, &fields).await.expect(403);
        page.expect_words(act);
        let script = [("accept", "application/json")];
        let refused = laptop.send_with(&form, &fields, &script).await;
        refused.expect(403);
    }
    app.flush().await;
    assert_eq!(stored(&app), [HOME]);
    laptop
        .send(&form, &[("addresses", "whole")])
        .await
        .expect(303);

    let none = [("addresses", "none")];
    let page = laptop.send(&form, &none).await.expect(403);
    let prompt = html::forms_to(&page.text, "/confirm").remove(0);
    let fields = [("password", ada.password.as_str())];
    laptop.send(&prompt, &fields).await.expect(307);
    let done = laptop.send(&form, &none).await.expect(303);
    let page = laptop.follow(&done).await.expect(200);
    page.expect_words("Saved. Older addresses were deleted, too.");
    assert!(stored(&app).is_empty());

    // There is nothing to delete by now.
    app.advance(WINDOW);
    for chosen in ["none", "shortened"] {
        let done = choose(&laptop, chosen).await.expect(303);
        let page = laptop.follow(&done).await.expect(200).words();
        assert!(page.contains("Saved."), "{page}");
        assert!(!page.contains(OLDER), "{page}");
    }
    app.stop().await;
}
