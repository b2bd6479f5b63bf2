//! The cookie of forward-auth: what it opens, and what ends it.

use rollcall::server::routes::{API, Access, PAGES};
use rollcall::settings::Settings;

use crate::support::cookies::{SetCookie, Visitor, removed, set_cookies};
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    database: it_is_for_the_domain_and_lives_as_long_as_the_session_cookie,
    it_is_good_at_verify_and_nowhere_else,
    it_opens_nothing_under_another_name,
    it_ends_with_its_session,
    it_ends_with_the_password,
    it_is_removed_with_the_session_cookie,
    of_several_the_live_one_counts,
    two_live_ones_of_different_sessions_count_for_nothing,
    without_allowed_hosts_there_is_none,
);

const FORWARD: &str = "rollcall_forward";
const SESSION: &str = "rollcall_session";
const DEVICE: &str = "rollcall_device";
const SIGN_IN: &str = "/sign-in?next=https%3A%2F%2Fapp.example.org%2F";

async fn start(database: Database) -> TestApp {
    TestApp::start_with(database, use_forward_auth).await
}

fn use_forward_auth(settings: &mut Settings) {
    settings.public_url = Some("http://login.example.org".parse().expect("a URL"));
    settings.cookie_domain = Some("example.org".into());
    settings.forward_auth.allowed_hosts = vec!["app.example.org".into()];
}

async fn verify(app: &TestApp, cookies: &str) -> TestResponse {
    let request = app.anyone().request("GET", "/auth/verify");
    let request = request.header("x-original-url", "https://app.example.org/");
    TestResponse::to(request.header("cookie", cookies)).await
}

async fn is_let_in(app: &TestApp, cookies: &str) -> bool {
    match verify(app, cookies).await.status {
        200 => true,
        401 => false,
        status => panic!("{status}"),
    }
}

async fn signed_in<'a>(app: &'a TestApp, person: &Person) -> Visitor<'a> {
    let mut visitor = Visitor::new(app);
    visitor.sign_in("/sign-in", person).await;
    visitor
}

async fn it_is_for_the_domain_and_lives_as_long_as_the_session_cookie(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let visitor = signed_in(&app, &ada).await;
    let cookie = visitor.find(FORWARD).expect("a cookie");
    for (name, value) in [
        ("Domain", Some("example.org")),
        ("Path", Some("/")),
        ("SameSite", Some("Lax")),
        ("HttpOnly", Some("")),
        ("Secure", None),
        ("Max-Age", None),
    ] {
        assert_eq!(cookie.attribute(name), value, "{name}");
    }
    let response = verify(&app, &cookie.pair).await.expect(200);
    assert_eq!(response.header("remote-email"), "ada@example.org");

    let mut remembered = Visitor::new(&app);
    let fields = [
        ("email", ada.email.as_str()),
        ("password", PASSWORD),
        ("remember", "on"),
    ];
    remembered
        .submit("/sign-in", "/sign-in", &fields)
        .await
        .expect(303);
    for name in [FORWARD, SESSION] {
        let cookie = remembered.find(name).expect("a cookie");
        assert_eq!(cookie.attribute("Max-Age"), Some("34560000"), "{cookie:?}");
    }
    let database = app.stop_and_keep_database().await;

    let app = TestApp::start_with(database, |settings| {
        use_forward_auth(settings);
        settings.public_url = Some("https://login.example.org".parse().expect("a URL"));
    })
    .await;
    let visitor = signed_in(&app, &ada).await;
    let cookie = visitor.find("__Secure-rollcall_forward").expect("a cookie");
    assert_eq!(cookie.attribute("Secure"), Some(""));
    assert_eq!(cookie.attribute("Domain"), Some("example.org"));
    verify(&app, &cookie.pair).await.expect(200);
    let database = app.stop_and_keep_database().await;

    let app = TestApp::start_with(database, |settings| {
        use_forward_auth(settings);
        settings.public_url = Some("https://login.example.org".parse().expect("a URL"));
        settings.cookie_domain = None;
    })
    .await;
    let visitor = signed_in(&app, &ada).await;
    let cookie = visitor.find("__Host-rollcall_forward").expect("a cookie");
    assert_eq!(cookie.attribute("Domain"), None);
    verify(&app, &cookie.pair).await.expect(200);
    app.stop().await;
}

async fn it_is_good_at_verify_and_nowhere_else(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    app.database.execute("UPDATE users SET is_admin = true");
    let visitor = signed_in(&app, &ada).await;
    let copy = visitor.pair(FORWARD);
    assert!(is_let_in(&app, &copy).await);
    for route in API.iter().chain(PAGES) {
        let path = route
            .path
            .replace("{id}", "019ab0de-0000-7000-8000-000000000000")
            .replace("{token}", "forged")
            .replace("/devices/changes", "/devices/changes?since=0");
        let request = app
            .anyone()
            .request(route.method.as_str(), &path)
            .header("cookie", &copy);
        let is_page = PAGES.iter().any(|page| page.path == route.path);
        let request = match route.method.as_str() {
            "GET" | "DELETE" => request,
            _ if is_page || path.starts_with("/oauth") => request.form(&[("token", "x")]),
            _ => request.json(&json!({})),
        };
        let response = TestResponse::to(request).await;
        let shown = format!("{} {path}: {}", route.method, response.status);
        match route.access {
            Access::SignedIn | Access::Admin => assert!(response.is_to_sign_in(), "{shown}"),
            Access::Api if path.starts_with("/auth/verify") => {}
            Access::Api => assert_eq!(response.status, 401, "{shown}"),
            _ => assert!(!response.text.contains("ada@example.org"), "{shown}"),
        }
    }
    app.stop().await;
}

async fn it_opens_nothing_under_another_name(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let visitor = signed_in(&app, &ada).await;
    let renamed = visitor.pair(FORWARD).replace(FORWARD, SESSION);
    let devices = app.anyone().request("GET", "/devices");
    let response = TestResponse::to(devices.header("cookie", renamed)).await;
    assert!(response.is_to_sign_in());
    let renamed = visitor.pair(SESSION).replace(SESSION, FORWARD);
    assert!(!is_let_in(&app, &renamed).await);
    for forged in ["", "x", "%ff", "AAAA"] {
        assert!(!is_let_in(&app, &format!("{FORWARD}={forged}")).await);
    }
    app.stop().await;
}

async fn it_ends_with_its_session(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;

    let mut visitor = signed_in(&app, &ada).await;
    let copy = visitor.pair(FORWARD);
    visitor
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    assert!(!is_let_in(&app, &copy).await, "signed out");

    let visitor = signed_in(&app, &ada).await;
    let copy = visitor.pair(FORWARD);
    let other = app.login(&ada, IPHONE).await;
    assert!(is_let_in(&app, &copy).await);
    other.delete("/api/v1/sessions/others").await.expect(200);
    assert!(!is_let_in(&app, &copy).await, "signed out from elsewhere");

    let visitor = signed_in(&app, &ada).await;
    let copy = visitor.pair(FORWARD);
    app.advance(Duration::from_secs(11 * 60 * 60));
    assert!(is_let_in(&app, &copy).await, "its use counts");
    app.flush().await;
    app.advance(Duration::from_secs(11 * 60 * 60));
    assert!(is_let_in(&app, &copy).await, "its use counted");
    app.flush().await;
    app.advance(Duration::from_secs(12 * 60 * 60));
    assert!(!is_let_in(&app, &copy).await, "expired");

    let visitor = signed_in(&app, &ada).await;
    let copy = visitor.pair(FORWARD);
    let disable = ["user", "disable", "--email", &ada.email];
    Program::with(&app.database).run(&disable).expect_done();
    assert!(!is_let_in(&app, &copy).await, "disabled");
    app.stop().await;
}

async fn it_ends_with_the_password(database: Database) {
    const NEW: &str = "another horse battery staple";

    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let mut visitor = signed_in(&app, &ada).await;
    let copy = visitor.pair(FORWARD);
    let stays = visitor.submit("/confirm", "/confirm", &[("password", PASSWORD)]);
    stays.await.expect(303);
    assert!(is_let_in(&app, &copy).await, "a step-up changes nothing");
    app.advance(Duration::from_secs(1));
    let fields = [("current_password", PASSWORD), ("new_password", NEW)];
    let changed = visitor.submit("/account", "/account/password", &fields);
    changed.await.expect(303);
    assert!(!is_let_in(&app, &copy).await, "a copy from before");
    let renewed = visitor.pair(FORWARD);
    assert!(is_let_in(&app, &renewed).await, "the browser's own");

    // By whatever the password is changed, and whether the session ends with it.
    app.database.execute(
        "UPDATE users SET password_changed_at = (SELECT max(created_at) FROM user_sessions)",
    );
    assert!(!is_let_in(&app, &renewed).await, "another version");
    visitor.get("/devices").await.expect(200);

    let ada = Person {
        password: NEW.into(),
        ..ada
    };
    app.advance(Duration::from_secs(1));
    let mut other = signed_in(&app, &ada).await;
    let copies = [renewed, visitor.pair(FORWARD)];
    let fields = [("current_password", NEW), ("new_password", PASSWORD)];
    let changed = other.submit("/account", "/account/password", &fields);
    changed.await.expect(303);
    for copy in copies {
        assert!(!is_let_in(&app, &copy).await, "changed by another session");
    }
    app.stop().await;
}

async fn it_is_removed_with_the_session_cookie(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let own = format!("{FORWARD}@example.org/");
    for (page, action) in [
        ("/devices", "/sign-out"),
        (
            "/devices/sign-out-everywhere",
            "/devices/sign-out-everywhere",
        ),
    ] {
        let mut visitor = signed_in(&app, &ada).await;
        let response = visitor.submit(page, action, &[]).await.expect(303);
        let scopes = removed(&response, FORWARD);
        assert!(scopes.contains(&own), "{action}: {scopes:?}");
        assert!(visitor.find(FORWARD).is_none(), "{action}");
        assert!(visitor.find(SESSION).is_none(), "{action}");
    }
    let mut visitor = signed_in(&app, &ada).await;
    app.database
        .execute("UPDATE user_sessions SET is_active = false, ended_reason = 'admin'");
    // The response to a page may arrive after that to a form which set a newer one.
    let ended = visitor.pair(FORWARD);
    visitor.get("/sign-in").await.expect(200);
    assert_eq!(visitor.pair(FORWARD), ended);
    assert!(!is_let_in(&app, &ended).await);
    visitor.sign_in("/sign-in", &ada).await;
    assert!(is_let_in(&app, &visitor.pair(FORWARD)).await);

    let mut visitor = signed_in(&app, &ada).await;
    let deleted = visitor
        .submit(
            "/account/delete",
            "/account/delete",
            &[("typed", "ada@example.org")],
        )
        .await;
    deleted.expect(303);
    assert!(visitor.find(FORWARD).is_none(), "deleted");
    app.stop().await;
}

async fn of_several_the_live_one_counts(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let mut visitor = signed_in(&app, &ada).await;
    let ended = visitor.pair(FORWARD);
    visitor
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    let live = signed_in(&app, &ada).await.pair(FORWARD);
    for cookies in [
        format!("{ended}; {live}"),
        format!("{live}; {ended}"),
        format!("{FORWARD}=junk; bare; {ended}; {live}"),
    ] {
        assert!(is_let_in(&app, &cookies).await, "{cookies}");
    }
    assert!(!is_let_in(&app, &format!("{ended}; {FORWARD}=junk")).await);
    let many: String = (0..4).map(|n| format!("{FORWARD}=junk{n}; ")).collect();
    assert!(!is_let_in(&app, &format!("{many}{live}")).await);
    app.stop().await;
}

async fn two_live_ones_of_different_sessions_count_for_nothing(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let mallory = app.register("mallory@example.org").await;
    let visitor = signed_in(&app, &ada).await;
    let own = visitor.pair(FORWARD);
    let planted = signed_in(&app, &mallory).await.pair(FORWARD);
    let rest = format!("{}; {}", visitor.pair(SESSION), visitor.pair(DEVICE));
    let junk: String = (0..4).map(|n| format!("{FORWARD}=junk{n}; ")).collect();
    for cookies in [
        format!("{own}; {planted}"),
        format!("{planted}; {own}"),
        format!("{FORWARD}=junk; {planted}; {own}"),
        format!("{junk}; {own}"),
    ] {
        assert!(!is_let_in(&app, &cookies).await, "{cookies}");
        // At sign-in one remains: the person's own, in the scope where it belongs.
        let page = app.anyone().request("GET", SIGN_IN);
        let page = page.header("cookie", format!("{cookies}; {rest}"));
        let page = TestResponse::to(page).await.expect(200);
        assert!(page.header("refresh").ends_with("https://app.example.org/"));
        let scopes = removed(&page, FORWARD);
        for scope in ["-/", "login.example.org/", "example.org/sign-in"] {
            let scope = format!("{FORWARD}@{scope}");
            assert!(scopes.contains(&scope), "{scope} is not in {scopes:?}");
        }
        let set = set_cookies(&page);
        let is_own = |cookie: &&_| is_set(cookie, &format!("{FORWARD}@example.org/"));
        let renewed = set.iter().find(is_own).expect("a cookie");
        let verified = verify(&app, &renewed.pair).await.expect(200);
        assert_eq!(verified.header("remote-email"), ada.email);
    }
    // One that is planted alone is not the person's, either.
    let page = app.anyone().request("GET", SIGN_IN);
    let page = page.header("cookie", format!("{planted}; {rest}"));
    let page = TestResponse::to(page).await.expect(200);
    assert!(removed(&page, FORWARD).contains(&format!("{FORWARD}@-/")));

    // A live one and one that ended since are no such case.
    app.database.execute(
        "UPDATE user_sessions SET is_active = false, ended_reason = 'signed_out'
         WHERE user_id = (SELECT id FROM users WHERE email = 'mallory@example.org')",
    );
    assert!(is_let_in(&app, &format!("{planted}; {own}")).await);
    app.stop().await;
}

fn is_set(cookie: &SetCookie, scope: &str) -> bool {
    cookie.scope() == scope && !cookie.is_removal()
}

async fn without_allowed_hosts_there_is_none(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        use_forward_auth(settings);
        settings.forward_auth.allowed_hosts.clear();
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let visitor = signed_in(&app, &ada).await;
    assert!(visitor.find(FORWARD).is_none());
    app.stop().await;
}
