//! The service's cookies among others: which of them counts, what their names and scopes are, and
//! that no foreign one hides them.

use actix_web::cookie::{Cookie, CookieJar, Key};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use reqwest::header::HeaderValue;
use sha2::Sha256;

use crate::support::cookies::{SetCookie, Visitor, removed, set_cookies};
use crate::support::html;
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: foreign_cookies_never_hide_ours,
    of_several_session_cookies_the_live_one_counts,
    of_two_cookies_of_one_session_the_current_one_counts,
    two_live_cookies_of_different_sessions_count_for_nothing,
    of_too_many_session_cookies_none_counts,
    the_cookie_of_an_ended_session_is_replaced_at_sign_in,
    a_late_sign_in_page_takes_no_newer_cookie_away,
    where_no_session_is_asked_for_none_is_chosen,
    the_first_valid_device_cookie_counts,
);
on_both!(
    database: the_session_cookie_stays_on_its_host,
    sign_in_removes_session_cookies_from_other_scopes,
    a_planted_cookie_is_removed_from_every_scope,
    domain_wide_session_cookies_from_before_are_refused_and_removed,
    the_prefix_is_in_every_name,
);

const SESSION: &str = "rollcall_session";
const COOKIE_KEY: [u8; 64] = [7; 64];

/// Requests a page with these lines of cookies.
async fn get(app: &TestApp, path: &str, lines: &[&[u8]]) -> TestResponse {
    let mut request = app.anyone().request("GET", path);
    for line in lines {
        request = request.header("cookie", HeaderValue::from_bytes(line).expect("a header"));
    }
    TestResponse::to(request).await
}

async fn devices(app: &TestApp, cookies: &str) -> TestResponse {
    get(app, "/devices", &[cookies.as_bytes()]).await
}

/// Signs a person in in a new browser, and returns its session cookie.
async fn session_of(app: &TestApp, person: &Person) -> String {
    let browser = app.signed_in_browser(person, FIREFOX).await;
    session_in(&browser)
}

fn session_in(browser: &Browser) -> String {
    format!("{SESSION}={}", browser.cookie(SESSION).expect("a cookie"))
}

async fn foreign_cookies_never_hide_ours(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let own = session_of(app, &ada).await;
    let own = own.as_bytes();
    for junk in [
        &b"name=caf\xe9"[..],
        b"\xe9=x",
        b"\xff\xfe\xfd",
        b"bare",
        b"=nameless",
        b"=",
        b";;",
        b"open=\"quote",
        b"quote\"=\"",
        b"json={\"a\":[1,\"b\"],\"c\":{\"d\":null}}",
        b"percent=%ff%zz%",
        b"$Version=1; $Path=/",
        b"space = around ",
        b"rollcall_session",
        b"Rollcall_session=x",
        b"rollcall%5Fsession=x",
        b"a=b, rollcall_session=x",
    ] {
        let shown = String::from_utf8_lossy(junk);
        for lines in [
            &[&[junk, b"; ", own].concat()[..]][..],
            &[&[own, b"; ", junk].concat()],
            &[&[junk, b";", own, b";", junk].concat()],
            &[junk, own],
            &[own, junk],
            &[junk, own, junk],
        ] {
            let response = get(app, "/devices", lines).await;
            assert_eq!(response.status, 200, "{shown}");
        }
    }
    let long = format!("a={}", "x".repeat(8_000));
    let response = get(app, "/devices", &[long.as_bytes(), own]).await;
    response.expect(200);
}

async fn of_several_session_cookies_the_live_one_counts(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let ended = session_in(&browser);
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    browser.sign_in(&ada).await.expect(303);
    let live = session_in(&browser);
    for cookies in [
        format!("{ended}; {live}"),
        format!("{live}; {ended}"),
        format!("{SESSION}=junk; {live}"),
        format!("{SESSION}=; {live}; {SESSION}=%ff"),
        format!("{live}; {live}"),
        format!("{SESSION}=a; {SESSION}=b; {ended}; {live}"),
    ] {
        devices(app, &cookies).await.expect(200);
    }
    let lines = [ended.as_bytes(), live.as_bytes()];
    get(app, "/devices", &lines).await.expect(200);
    for cookies in [
        ended.clone(),
        format!("{ended}; {ended}"),
        format!("{SESSION}=junk; {ended}"),
    ] {
        assert!(devices(app, &cookies).await.is_to_sign_in(), "{cookies}");
    }

    // Its forms work as well: the token belongs to the live session.
    let both = Browser::with(
        app.base(),
        FIREFOX,
        reqwest::header::HeaderMap::from_iter([(
            reqwest::header::COOKIE,
            HeaderValue::from_str(&format!("{ended}; {live}")).expect("a header"),
        )]),
    );
    let renamed = both.submit("/account", "/account/name", &[("full_name", "Ada")]);
    assert!(!renamed.await.expect(303).is_to_sign_in());
}

async fn of_two_cookies_of_one_session_the_current_one_counts(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let replaced = session_in(&browser);
    let confirmed = browser.submit("/confirm", "/confirm", &[("password", PASSWORD)]);
    confirmed.await.expect(303);
    let current = session_in(&browser);
    app.advance(Duration::from_secs(1));
    for cookies in [
        format!("{replaced}; {current}"),
        format!("{current}; {replaced}"),
    ] {
        // Only the current one passes step-up.
        let page = get(app, "/account/export", &[cookies.as_bytes()]).await;
        page.expect(200);
    }
}

async fn two_live_cookies_of_different_sessions_count_for_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mallory = app.register("mallory@example.org").await;
    let (own, planted) = (session_of(app, &ada).await, session_of(app, &mallory).await);
    for cookies in [
        format!("{own}; {planted}"),
        format!("{planted}; {own}"),
        format!("{SESSION}=junk; {planted}; {own}"),
    ] {
        let response = devices(app, &cookies).await;
        assert!(response.is_to_sign_in());
        let scopes = removed(&response, SESSION);
        assert!(scopes.contains(&format!("{SESSION}@-/")), "{scopes:?}");
        let me = get(app, "/api/v1/me", &[cookies.as_bytes()]).await;
        me.problem(401, "unauthenticated");
        let page = get(app, "/sign-in", &[cookies.as_bytes()]).await;
        page.expect(200).expect_words("Sign in");
    }
    devices(app, &own).await.expect(200);

    // A live one and one that ended since are no such case.
    app.database.execute(
        "UPDATE user_sessions SET is_active = false, ended_reason = 'signed_out'
         WHERE user_id = (SELECT id FROM users WHERE email = 'mallory@example.org')",
    );
    devices(app, &format!("{planted}; {own}")).await.expect(200);
}

async fn of_too_many_session_cookies_none_counts(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let own = session_of(app, &ada).await;
    let junk = |count: usize| {
        let pairs: Vec<String> = (0..count).map(|n| format!("{SESSION}=junk{n}")).collect();
        pairs.join("; ")
    };
    for cookies in [
        format!("{}; {own}", junk(3)),
        format!("{own}; {}", junk(3)),
        // The same one again is no other.
        format!("{own}; {own}; {own}; {own}; {own}; {own}"),
    ] {
        devices(app, &cookies).await.expect(200);
    }
    for cookies in [
        format!("{}; {own}", junk(4)),
        format!("{own}; {}", junk(4)),
        format!("{own}; {}", junk(300)),
    ] {
        let response = devices(app, &cookies).await;
        assert!(response.is_to_sign_in());
        let scopes = removed(&response, SESSION);
        assert!(scopes.contains(&format!("{SESSION}@-/")), "{scopes:?}");
    }
}

async fn the_cookie_of_an_ended_session_is_replaced_at_sign_in(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut visitor = Visitor::new(app);
    visitor.sign_in("/sign-in", &ada).await;
    let live = visitor.get("/sign-in").await;
    assert_eq!(live.location(), "/devices");
    let ended = visitor.pair(SESSION);
    end_all_sessions(app);
    for _ in 0..2 {
        assert!(visitor.get("/devices").await.is_to_sign_in());
        visitor.get("/sign-in").await.expect(200);
    }
    // The form is one of a browser without a session.
    let signed_in = visitor.sign_in("/sign-in", &ada).await;
    assert_eq!(signed_in.location(), "/devices");
    assert_ne!(visitor.pair(SESSION), ended);
    visitor.get("/devices").await.expect(200);
}

fn end_all_sessions(app: &TestApp) {
    app.database
        .execute("UPDATE user_sessions SET is_active = false, ended_reason = 'admin'");
}

/// A session has ended. The sign-in page is loading while another tab signs in, and arrives last.
async fn a_late_sign_in_page_takes_no_newer_cookie_away(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut visitor = Visitor::new(app);
    visitor.sign_in("/sign-in", &ada).await;
    end_all_sessions(app);
    let old = visitor.header();
    visitor.sign_in("/sign-in", &ada).await;
    for path in ["/sign-in", "/sign-in?next=/account", "/devices", "/"] {
        let late = get(app, path, &[old.as_bytes()]).await;
        let set = set_cookies(&late);
        let is_left = set.iter().all(|cookie| cookie.name() == "rollcall_device");
        assert!(is_left, "{path}: {set:?}");
    }
    visitor.get("/devices").await.expect(200);
}

async fn where_no_session_is_asked_for_none_is_chosen(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mallory = app.register("mallory@example.org").await;
    let (own, planted) = (session_of(app, &ada).await, session_of(app, &mallory).await);
    let cookies = format!("{own}; {planted}; __Secure-rollcall_session=x");
    assert!(!set_cookies(&devices(app, &cookies).await).is_empty());
    let page = get(app, "/sign-in", &[]).await.expect(200);
    let script = crate::support::html::attributes(&page.text, "src").remove(0);
    for (path, status) in [
        (script.as_str(), 200),
        ("/favicon.ico", 308),
        ("/health/live", 200),
        ("/health/ready", 200),
        ("/.well-known/jwks.json", 200),
        ("/auth/verify", 401),
    ] {
        let response = get(app, path, &[cookies.as_bytes()]).await.expect(status);
        assert_eq!(response.header("set-cookie"), "", "{path}");
    }
    let prefetch = app.anyone().request("GET", "/devices");
    let prefetch = prefetch.header("sec-purpose", "prefetch");
    let response = TestResponse::to(prefetch.header("cookie", cookies)).await;
    assert_eq!(response.expect(503).header("set-cookie"), "");
    // A program may prefetch what it reads with the cookie.
    let me = app.anyone().request("GET", "/api/v1/me");
    let me = me.header("sec-purpose", "prefetch").header("cookie", own);
    TestResponse::to(me).await.expect(200);
}

async fn the_first_valid_device_cookie_counts(app: &TestApp) {
    const DEVICE: &str = "rollcall_device";

    let page = get(app, "/sign-in", &[]).await.expect(200);
    let own = set_cookies(&page)
        .into_iter()
        .find(|cookie| cookie.name() == DEVICE)
        .expect("a device cookie");
    for cookies in [
        format!("{DEVICE}=; {}; {DEVICE}=another", own.pair),
        format!("bare; {}; {DEVICE}=another", own.pair),
    ] {
        let page = get(app, "/forgot-password", &[cookies.as_bytes()]).await;
        let is_same = set_cookies(&page.expect(200)).is_empty();
        assert!(is_same, "{cookies}");
        let page = get(app, "/sign-in", &[b"x=\xe9", cookies.as_bytes()]).await;
        let renewed = set_cookies(&page.expect(200));
        let renewed = renewed
            .iter()
            .find(|cookie| cookie.name() == DEVICE && !cookie.is_removal())
            .expect("it is renewed");
        // Sealed anew, it is the same device: its forms are good with the cookie from before.
        assert_ne!(renewed.pair, own.pair);
        let form = html::forms(&page_with(app, &renewed.pair).await).remove(0);
        let csrf = &form.hidden.iter().find(|(name, _)| name == "csrf");
        let csrf = &csrf.expect("a token").1;
        let fields = [
            ("csrf", csrf.as_str()),
            ("email", "a@b.org"),
            ("password", "x"),
        ];
        let sent = app.anyone().request("POST", "/sign-in").form(&fields);
        TestResponse::to(sent.header("cookie", &own.pair))
            .await
            .expect(401);
    }
}

/// Returns the sign-in page for a browser with one cookie.
async fn page_with(app: &TestApp, cookie: &str) -> String {
    get(app, "/sign-in", &[cookie.as_bytes()])
        .await
        .expect(200)
        .text
}

/// Changes settings to those of a service whose applications share a domain with it.
fn on_domain(settings: &mut rollcall::settings::Settings, public_url: &str) {
    settings.public_url = Some(public_url.parse().expect("a URL"));
    settings.cookie_domain = Some("example.org".into());
    settings.forward_auth.allowed_hosts = vec!["app.example.org".into()];
    settings.cookie_key = Some(STANDARD.encode(COOKIE_KEY).into());
}

async fn the_session_cookie_stays_on_its_host(database: Database) {
    let mut database = database;
    for (public_url, name) in [
        ("http://login.example.org", "rollcall_session"),
        ("https://login.example.org", "__Host-rollcall_session"),
    ] {
        let app = TestApp::start_with(database, |settings| on_domain(settings, public_url)).await;
        if app.database.number("SELECT count(*) AS value FROM users") == 0 {
            app.register("ada@example.org").await;
        }
        let ada = Person {
            email: "ada@example.org".into(),
            password: PASSWORD.into(),
        };
        let mut visitor = Visitor::new(&app);
        visitor.sign_in("/sign-in", &ada).await;
        let session = visitor.find(name).expect("a session cookie").clone();
        assert_eq!(session.attribute("Domain"), None, "{session:?}");
        assert_eq!(session.attribute("Path"), Some("/"), "{session:?}");
        assert_eq!(session.attribute("Max-Age"), None, "{session:?}");
        let is_secure = session.attribute("Secure").is_some();
        assert_eq!(is_secure, public_url.starts_with("https"), "{session:?}");
        visitor.get("/devices").await.expect(200);
        database = app.stop_and_keep_database().await;
    }
}

async fn sign_in_removes_session_cookies_from_other_scopes(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        on_domain(settings, "http://login.example.org");
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let mut visitor = Visitor::new(&app);
    let signed_in = visitor.sign_in("/sign-in", &ada).await;
    let scopes = removed(&signed_in, SESSION);
    for scope in ["example.org/", "login.example.org/", "-/sign-in"] {
        let scope = format!("{SESSION}@{scope}");
        assert!(scopes.contains(&scope), "{scope} is not in {scopes:?}");
    }
    assert!(!scopes.contains(&format!("{SESSION}@-/")), "{scopes:?}");
    // Some clients don't tell the host from the host as a domain: of the same path, the cookie is
    // set last.
    let set = set_cookies(&signed_in);
    let is_of_session =
        |cookie: &&SetCookie| cookie.name() == SESSION && cookie.attribute("Path") == Some("/");
    let last = set.iter().rfind(is_of_session);
    assert!(last.is_some_and(|cookie| !cookie.is_removal()));
    app.stop().await;
}

async fn a_planted_cookie_is_removed_from_every_scope(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        on_domain(settings, "http://login.example.org");
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let mallory = app.register("mallory@example.org").await;
    let (mut own, mut other) = (Visitor::new(&app), Visitor::new(&app));
    own.sign_in("/sign-in", &ada).await;
    other.sign_in("/sign-in", &mallory).await;
    let cookies = format!("{}; {}", other.pair(SESSION), own.pair(SESSION));
    let path = "/devices/019ab0de-0000-7000-8000-000000000000";
    let response = get(&app, path, &[cookies.as_bytes()]).await;
    assert!(response.is_to_sign_in());
    let scopes = removed(&response, SESSION);
    for domain in ["-", "example.org", "login.example.org"] {
        for path in ["/", "/devices", "/devices/", path] {
            let scope = format!("{SESSION}@{domain}{path}");
            assert!(scopes.contains(&scope), "{scope} is not in {scopes:?}");
        }
    }
    app.stop().await;
}

/// Returns a session cookie as an earlier version sealed it.
fn from_before(app: &TestApp, name: &str) -> String {
    let [user, session] = ["user_id", "id"].map(|column| {
        let id = match app.database.postgres_name() {
            Some(_) => app.database.of_the_session(column),
            None => app
                .database
                .of_the_session(&format!("lower(hex({column}))")),
        };
        id.expect("an id")
    });
    let jti = app
        .database
        .of_the_session("refresh_token_jti")
        .expect("a JTI");
    let claim = json!({"user": user, "session": session, "jti": jti}).to_string();
    let mut key = [0; 64];
    Hkdf::<Sha256>::new(None, &COOKIE_KEY)
        .expand(b"rollcall session cookie v1", &mut key)
        .expect("a key");
    let mut jar = CookieJar::new();
    let content = json!({"claim": claim}).to_string();
    jar.private_mut(&Key::from(&key))
        .add(Cookie::new(name.to_owned(), content));
    let sealed = jar.get(name).expect("a cookie");
    sealed.encoded().stripped().to_string()
}

async fn domain_wide_session_cookies_from_before_are_refused_and_removed(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.cookie_key = Some(STANDARD.encode(COOKIE_KEY).into());
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    browser.get("/devices").await.expect(200);
    // Where no domain was set, nobody is signed out by the update.
    devices(&app, &from_before(&app, SESSION)).await.expect(200);
    let database = app.stop_and_keep_database().await;

    let app = TestApp::start_with(database, |settings| {
        on_domain(settings, "http://login.example.org");
    })
    .await;
    let current = session_in(&browser);
    let old = from_before(&app, SESSION);
    let refused = devices(&app, &old).await;
    assert!(refused.is_to_sign_in());
    let scopes = removed(&refused, SESSION);
    assert!(
        scopes.contains(&format!("{SESSION}@example.org/")),
        "{scopes:?}"
    );
    for cookies in [format!("{old}; {current}"), format!("{current}; {old}")] {
        let response = devices(&app, &cookies).await.expect(200);
        let scopes = removed(&response, SESSION);
        assert!(
            scopes.contains(&format!("{SESSION}@example.org/")),
            "{scopes:?}"
        );
        assert!(!scopes.contains(&format!("{SESSION}@-/")), "{scopes:?}");
    }
    let database = app.stop_and_keep_database().await;

    let app = TestApp::start_with(database, |settings| {
        on_domain(settings, "https://login.example.org");
    })
    .await;
    const FORMER: &str = "__Secure-rollcall_session";
    let refused = devices(&app, &from_before(&app, FORMER)).await;
    assert!(refused.is_to_sign_in());
    let scopes = removed(&refused, FORMER);
    assert!(
        scopes.contains(&format!("{FORMER}@example.org/")),
        "{scopes:?}"
    );
    let removal = set_cookies(&refused)
        .into_iter()
        .find(|cookie| cookie.name() == FORMER);
    assert!(removal.is_some_and(|cookie| cookie.attribute("Secure").is_some()));
    // One that the name keeps on its host is good.
    let host_only = from_before(&app, "__Host-rollcall_session");
    devices(&app, &host_only).await.expect(200);
    app.stop().await;
}

async fn the_prefix_is_in_every_name(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        on_domain(settings, "https://login.example.org");
        settings.cookie_prefix = "second".into();
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let mut visitor = Visitor::new(&app);
    visitor.sign_in("/sign-in", &ada).await;
    for name in [
        "__Host-second_session",
        "__Host-second_device",
        "__Secure-second_forward",
        "__Host-second_onward",
    ] {
        visitor.pair(name);
    }
    visitor.get("/devices").await.expect(200);
    let renamed = visitor.header().replace("second_", "rollcall_");
    assert!(devices(&app, &renamed).await.is_to_sign_in());
    app.stop().await;
}

#[test]
fn a_domain_or_host_that_is_none_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = |name: &str, value: &str| {
        Program::in_folder(folder.path())
            .env(name, value)
            .run(&["config"])
    };
    let (domain, hosts) = (
        "ROLLCALL_COOKIE_DOMAIN",
        "ROLLCALL_FORWARD_AUTH__ALLOWED_HOSTS",
    );
    let shown = config(domain, ".Example.org").expect_done();
    assert!(shown.contains("cookie_domain = \"example.org\""), "{shown}");
    let shown = config(hosts, "App.example.org,127.0.0.1:3000,[::1]:80").expect_done();
    for host in ["app.example.org", "127.0.0.1:3000", "[::1]:80"] {
        assert!(shown.contains(&format!("\"{host}\"")), "{shown}");
    }
    for bad in [
        ".",
        "org",
        "example.org:80",
        "example.org; Secure",
        "a..b",
        "127.0.0.1",
        "a b.c",
    ] {
        let message = config(domain, bad).expect_failed(1);
        assert!(message.contains("cookie_domain"), "{message}");
    }
    for bad in [
        "https://app.example.org",
        "app.example.org/",
        "*.example.org",
        "a b",
        "u@app.example.org",
        "app.example.org:99999",
        "app.example.org?x",
    ] {
        let message = config(hosts, bad).expect_failed(1);
        assert!(message.contains("allowed_hosts"), "{message}");
    }
}

#[test]
fn a_prefix_that_browsers_refuse_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = |prefix: &str| {
        Program::in_folder(folder.path())
            .env("ROLLCALL_COOKIE_PREFIX", prefix)
            .run(&["config"])
    };
    for good in ["rollcall", "a", "7", "staff-login_2", &"x".repeat(32)] {
        config(good).expect_done();
    }
    for bad in [
        "",
        "Rollcall",
        "a b",
        "a;b",
        "a=b",
        "é",
        "__host-x",
        &"x".repeat(33),
    ] {
        let message = config(bad).expect_failed(1);
        assert!(message.contains("cookie_prefix"), "{message}");
    }
}
