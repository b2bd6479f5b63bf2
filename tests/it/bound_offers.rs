//! Where a browser is offered to bind its session to a key: with the answers that took a password, and nowhere
//! else.

use rollcall::server::routes::{API, PAGES};
use rollcall::settings::Settings;

use crate::support::bound::{offered, use_https};
use crate::support::bound_browser::BoundBrowser;
use crate::support::outgoing::{NAVIGATION, Outgoing};
use crate::support::prelude::*;

on_both!(
    database: what_took_a_password_offers_a_binding,
    no_other_answer_offers_one,
    a_program_is_offered_none,
    without_https_nothing_is_offered,
    without_a_lifetime_nothing_is_offered,
);

const NEW: &str = "another battery staple";

async fn what_took_a_password_offers_a_binding(database: Database) {
    let app = TestApp::start_with(database, use_https).await;
    let setup = format!("/setup/{}", app.setup_token().await);
    let mut admin = BoundBrowser::new(&app, FIREFOX);
    let fields = [
        ("full_name", ""),
        ("email", "root@example.org"),
        ("password", PASSWORD),
    ];
    let response = admin.submit(&setup, &setup, &fields).await.expect(303);
    assert!(offered(&response).is_some(), "set-up");
    admin.register().await.expect(200);

    let mut browser = BoundBrowser::new(&app, FIREFOX);
    let fields = [
        ("full_name", ""),
        ("email", "bob@example.org"),
        ("password", PASSWORD),
    ];
    let response = browser.submit("/sign-up", "/sign-up", &fields).await;
    assert!(offered(&response.expect(303)).is_some(), "sign-up");
    browser.register().await.expect(200);

    let mut ada = app.register("ada@example.org").await;
    let mut browser = BoundBrowser::new(&app, FIREFOX);
    let wrong = Person {
        password: "wrong".into(),
        ..ada.clone()
    };
    let response = browser.sign_in(&wrong).await;
    assert_eq!(offered(&response), None, "a wrong password");
    let first = offered(&browser.sign_in(&ada).await.expect(303));
    app.advance(Duration::from_secs(1));
    let second = offered(&browser.confirm(&ada).await.expect(303));
    let response = browser.confirm(&wrong).await;
    assert_eq!(offered(&response), None, "a wrong password of a step-up");
    app.advance(Duration::from_secs(1));
    let fields = [("current_password", PASSWORD), ("new_password", NEW)];
    let response = browser.submit("/account", "/account/password", &fields);
    let third = offered(&response.await.expect(303));
    NEW.clone_into(&mut ada.password);
    let mut challenges = [first, second, third].map(|it| it.expect("an offer"));
    challenges.sort_unstable();
    assert!(challenges.windows(2).all(|two| two[0] != two[1]));
    // The last one counts as well as the first.
    browser.register().await.expect(200);
    app.stop().await;
}

async fn no_other_answer_offers_one(database: Database) {
    let app = TestApp::start_with(database, use_https).await;
    let ada = app.register("ada@example.org").await;
    app.set_role(&ada, "admin");
    let mut browser = BoundBrowser::new(&app, FIREFOX);
    browser.sign_in(&ada).await.expect(303);
    let csrf = browser.csrf().await;
    browser.offer = None;
    // Signed in, unbound, and with a password that was given just now.
    let mut checked = 0;
    for route in PAGES.iter().chain(API) {
        let takes_a_password = ["/confirm", "/account/password", "/api/v1/auth/confirm"];
        let ends_it = [
            "/sign-out",
            "everywhere",
            "delete",
            "logout",
            "/auth/bound/",
        ];
        let is_left_out = takes_a_password.contains(&route.path)
            || ends_it.iter().any(|part| route.path.contains(part))
            || route.path == "/devices/changes";
        if route.method == "GET" || !is_left_out {
            let path = route
                .path
                .replace("{id}", "019ab0de-0000-7000-8000-000000000000")
                .replace("{token}", "forged")
                .replace("/devices/changes", "/devices/changes?since=x");
            let request = match route.method.as_str() {
                "GET" => Outgoing::page(&path, &NAVIGATION),
                _ if PAGES.iter().any(|page| page.path == route.path) => {
                    Outgoing::form(&path, &[("csrf", &csrf)])
                }
                method => Outgoing::script(method, &path, &csrf, Some(json!({}))),
            };
            let response = browser.send_now(&request).await;
            assert_eq!(offered(&response), None, "{} {path}", route.method);
            checked += 1;
        }
    }
    assert!(checked > 100, "only {checked}");
    app.stop().await;
}

/// A session of tokens has no cookie that could be bound.
async fn a_program_is_offered_none(database: Database) {
    let app = TestApp::start_with(database, use_https).await;
    let ada = app.register("ada@example.org").await;
    let response = app.try_login(&ada, FIREFOX).await.expect(200);
    assert_eq!(offered(&response), None);
    let device = Device::from_login(app.base(), &response);
    let request = device.request("POST", "/api/v1/auth/confirm");
    let response = TestResponse::to(request.json(&json!({"password": PASSWORD}))).await;
    assert_eq!(offered(&response.expect(200)), None);
    app.stop().await;
}

async fn without_https_nothing_is_offered(database: Database) {
    for url in [None, Some("http://login.example.org")] {
        let database = match database.postgres_name() {
            Some(_) => Database::postgres(),
            None => Database::sqlite(),
        };
        assert_unoffered(database, |settings| {
            settings.public_url = url.map(|url| url.parse().expect("a URL"));
        })
        .await;
    }
}

async fn without_a_lifetime_nothing_is_offered(database: Database) {
    assert_unoffered(database, |settings| {
        use_https(settings);
        settings.sessions.bound_lifetime = Duration::ZERO;
    })
    .await;
}

async fn assert_unoffered(database: Database, change: impl FnOnce(&mut Settings)) {
    let app = TestApp::start_with(database, change).await;
    let ada = app.register("ada@example.org").await;
    let mut browser = BoundBrowser::new(&app, FIREFOX);
    for response in [browser.sign_in(&ada).await, browser.confirm(&ada).await] {
        assert_eq!(offered(&response.expect(303)), None);
    }
    let page = browser.get("/devices").await.expect(200);
    assert!(!page.words().to_lowercase().contains("bound"), "{page:?}");
    // Nobody can register, either.
    let response = browser.register_now(None).await;
    assert!((400..500).contains(&response.status), "{response:?}");
    let current = browser.get("/api/v1/sessions/current").await.expect(200);
    let id = current.json()["id"].as_str().expect("an id").to_owned();
    let page = browser.get(&format!("/devices/{id}")).await.expect(200);
    assert!(!page.words().to_lowercase().contains("bound"), "{page:?}");
    app.stop().await;
}
