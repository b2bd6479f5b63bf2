//! Forward-auth: the responses to proxies, and the real nginx in front of a small application.

use std::sync::Arc;

use reqwest::cookie::Jar;
use reqwest::{Client, RequestBuilder};

use crate::support::app::http_client;
use crate::support::eventually;
use crate::support::html;
use crate::support::nginx::Nginx;
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    database: a_signed_in_person_is_named_in_headers,
    a_browser_without_a_session_is_sent_to_sign_in_and_back,
    only_allowed_hosts_are_redirected_to,
    a_person_outside_the_group_is_refused,
    a_signed_out_device_is_refused_at_once,
    a_replaced_cookie_is_let_in_for_reading_only,
    nginx_lets_in_only_a_signed_in_person,
);

const PAGE: &str = "https://app.example.org/a?b=c&d=e";

async fn start(database: Database) -> TestApp {
    TestApp::start_with(database, |settings| {
        settings.forward_auth.allowed_hosts = vec!["app.example.org".into()];
    })
    .await
}

fn verify_request(app: &TestApp) -> RequestBuilder {
    app.anyone().request("GET", "/auth/verify")
}

async fn a_signed_in_person_is_named_in_headers(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let forged = laptop
        .request("GET", "/auth/verify")
        .header("remote-user", "somebody");
    let response = TestResponse::to(forged).await.expect(200);
    assert_eq!(response.header("remote-user"), laptop.session["user_id"]);
    assert_eq!(response.header("remote-email"), "ada@example.org");
    assert_eq!(response.header("remote-name"), "Ada Lovelace");
    assert_eq!(response.header("remote-session"), laptop.id());
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let response = browser.get("/auth/verify").await.expect(200);
    assert_eq!(response.header("remote-email"), "ada@example.org");
    app.stop().await;
}

async fn a_browser_without_a_session_is_sent_to_sign_in_and_back(database: Database) {
    let app = start(database).await;
    TestResponse::to(verify_request(&app))
        .await
        .problem(401, "unauthenticated");
    let sign_in_url = format!(
        "{}/sign-in?next=https%3A%2F%2Fapp.example.org%2Fa%3Fb%3Dc%26d%3De",
        app.base()
    );

    let from_nginx = verify_request(&app)
        .header("accept", "text/html")
        .header("x-original-url", PAGE);
    let response = TestResponse::to(from_nginx).await.expect(401);
    assert_eq!(response.header("location"), sign_in_url);

    let from_traefik = verify_request(&app)
        .header("accept", "text/html,*/*")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "app.example.org")
        .header("x-forwarded-uri", "/a?b=c&d=e");
    let response = TestResponse::to(from_traefik).await.expect(302);
    assert_eq!(response.header("location"), sign_in_url);

    let program = verify_request(&app)
        .header("x-original-url", PAGE)
        .bearer_auth("forged");
    TestResponse::to(program)
        .await
        .problem(401, "invalid_token");

    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    let form = browser
        .form(sign_in_url.trim_start_matches(&app.base()), "/sign-in")
        .await;
    let fields = [("email", ada.email.as_str()), ("password", PASSWORD)];
    let signed_in = browser.send(&form, &fields).await;
    let page = browser.follow(&signed_in).await.expect(200);
    assert_eq!(page.header("refresh"), format!("0; url={PAGE}"));
    app.stop().await;
}

async fn only_allowed_hosts_are_redirected_to(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    for elsewhere in [
        "https://evil.example/",
        "https://app.example.org.evil.example/",
        "https://app.example.org@evil.example/",
        "https://app.example.org:8443/",
        "https://evil.example/?app.example.org",
        "//evil.example/",
        "/\\evil.example",
        "ftp://app.example.org/",
        "javascript:alert(1)",
        "https:evil.example",
    ] {
        let from_nginx = verify_request(&app)
            .header("accept", "text/html")
            .header("x-original-url", elsewhere);
        let response = TestResponse::to(from_nginx).await.expect(401);
        assert_eq!(response.headers.get("location"), None, "{elsewhere}");

        let browser = app.browser(FIREFOX);
        let form = browser.form("/sign-in", "/sign-in").await;
        let fields = [
            ("email", ada.email.as_str()),
            ("password", PASSWORD),
            ("next", elsewhere),
        ];
        let response = browser.send(&form, &fields).await.expect(303);
        assert_eq!(response.header("location"), "/devices", "{elsewhere}");
    }
    app.stop().await;
}

async fn a_person_outside_the_group_is_refused(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    laptop
        .get("/auth/verify?group=admin")
        .await
        .problem(403, "not_in_group");
    laptop.get("/auth/verify?group=nobody").await.expect(400);
    app.database.execute("UPDATE users SET is_admin = true");
    laptop.get("/auth/verify?group=admin").await.expect(200);
    app.stop().await;
}

async fn a_signed_out_device_is_refused_at_once(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let (laptop, phone) = (
        app.login(&ada, FIREFOX).await,
        app.login(&ada, IPHONE).await,
    );
    phone.get("/auth/verify").await.expect(200);
    laptop
        .delete(&format!("/api/v1/sessions/{}", phone.id()))
        .await
        .expect(204);
    phone
        .get("/auth/verify")
        .await
        .problem(401, "unauthenticated");
    let disable = ["user", "disable", "--email", &ada.email];
    Program::with(&app.database).run(&disable).expect_done();
    laptop
        .get("/auth/verify")
        .await
        .problem(401, "unauthenticated");
    app.stop().await;
}

async fn a_replaced_cookie_is_let_in_for_reading_only(database: Database) {
    const FORWARDED: &str = "x-forwarded-method";
    const ORIGINAL: &str = "x-original-method";

    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    app.database.execute("UPDATE users SET is_admin = true");
    let owner = app.signed_in_browser(&ada, FIREFOX).await;
    let cookie = |browser: &Browser| {
        let value = browser.cookie("rollcall_session").expect("a cookie");
        format!("rollcall_session={value}")
    };
    let replaced = cookie(&owner);
    let confirmed = owner.submit("/confirm", "/confirm", &[("password", PASSWORD)]);
    confirmed.await.expect(303);
    let current = cookie(&owner);
    let verify = async |cookie: &str, query: &str, headers: &[(&str, &str)]| {
        let path = format!("/auth/verify{query}");
        let request = app.anyone().request("GET", &path).header("cookie", cookie);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        TestResponse::to(request).await
    };
    for (headers, status) in [
        (&[(FORWARDED, "GET")][..], 200),
        (&[(FORWARDED, "HEAD")], 200),
        (&[(ORIGINAL, "GET")], 200),
        (&[(FORWARDED, "POST")], 401),
        (&[(ORIGINAL, "DELETE")], 401),
        (&[(FORWARDED, "get")], 401),
        (&[(FORWARDED, "GET"), (ORIGINAL, "POST")], 401),
        (&[(FORWARDED, "GET"), (FORWARDED, "POST")], 401),
        (&[], 401),
    ] {
        let response = verify(&replaced, "", headers).await;
        assert_eq!(response.status, status, "{headers:?}");
        verify(&current, "", headers).await.expect(200);
        verify(&replaced, "?group=admin", headers).await.expect(401);
        verify(&current, "?group=admin", headers).await.expect(200);
    }
    let page = [
        ("accept", "text/html"),
        ("x-original-url", PAGE),
        (ORIGINAL, "POST"),
    ];
    let sign_in = verify(&replaced, "", &page).await.expect(401);
    assert!(sign_in.header("location").contains("/sign-in?next="));
    app.advance(Duration::from_secs(11));
    verify(&replaced, "", &[(FORWARDED, "GET")])
        .await
        .expect(401);
    app.stop().await;
}

async fn nginx_lets_in_only_a_signed_in_person(database: Database) {
    let address = Nginx::free_address();
    let (port, hosts) = (address.port(), ["login.example.org", "app.example.org"]);
    let [login, application] = hosts.map(|host| format!("http://{host}:{port}"));
    let app = TestApp::start_with(database, |settings| {
        settings.public_url = login.parse().ok();
        settings.cookie_domain = Some("example.org".into());
        settings.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
        settings.forward_auth.allowed_hosts = vec![format!("app.example.org:{port}")];
    })
    .await;
    let nginx = Nginx::start(address, &app.base());
    eventually("nginx listens", async || nginx.listens()).await;
    let ada = app.register("ada@example.org").await;
    let jar = Arc::new(Jar::default());
    let builder = hosts.iter().fold(http_client(), |builder, host| {
        builder.resolve(host, address)
    });
    let browser = builder.cookie_provider(jar).build().expect("a client");
    let page = format!("{application}/a?b=c&d=e");

    let refused = TestResponse::to(browser.get(&page)).await.expect(401);
    assert!(!refused.text.contains("remote"), "{}", refused.text);
    let redirect = TestResponse::to(as_browser(&browser, &page))
        .await
        .expect(302);
    let form_page = TestResponse::to(browser.get(redirect.header("location")))
        .await
        .expect(200);
    let form = html::forms(&form_page.text).remove(0);
    let mut fields: Vec<(&str, &str)> = form
        .hidden
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    fields.extend([("email", ada.email.as_str()), ("password", PASSWORD)]);
    let signed_in = browser.post(format!("{login}/sign-in")).form(&fields);
    let signed_in = TestResponse::to(signed_in).await.expect(303);
    let on = format!("{login}{}", signed_in.location());
    let on = TestResponse::to(browser.get(on)).await.expect(200);
    assert_eq!(on.header("refresh"), format!("0; url={page}"));

    let forged = as_browser(&browser, &page)
        .header("remote-user", "root")
        .header("remote-email", "root@example.org");
    let shown = TestResponse::to(forged).await.expect(200).json();
    assert_eq!(shown["email"], "ada@example.org");
    assert_eq!(shown["name"], "Ada Lovelace");
    assert_eq!(shown["user"].as_str().map(str::len), Some(36));

    app.database
        .execute("UPDATE user_sessions SET is_active = false, ended_reason = 'admin'");
    TestResponse::to(as_browser(&browser, &page))
        .await
        .expect(302);
    nginx.stop().await;
    app.stop().await;
}

fn as_browser(client: &Client, url: &str) -> RequestBuilder {
    client
        .get(url)
        .header("accept", "text/html,application/xhtml+xml")
}
