//! Forward-auth: the responses to proxies. `behind_proxies` has the real ones.

use reqwest::RequestBuilder;
use reqwest::header::HeaderValue;

use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    database: a_signed_in_person_is_named_in_headers,
    what_is_not_asserted_is_an_empty_header,
    a_browser_without_a_session_is_sent_to_sign_in,
    a_page_is_never_returned_to_over_plain_http,
    what_cannot_be_redirected_gets_401,
    only_allowed_hosts_are_redirected_to,
    each_path_reads_its_own_headers_only,
    a_query_changes_nothing,
    an_authorization_of_the_application_changes_nothing,
    a_preflight_passes_as_nobody,
    the_response_has_the_cookies_that_are_not_ours,
    cookies_of_an_earlier_prefix_are_ours_as_well,
    others_than_administrators_are_refused,
    a_signed_out_device_is_refused_at_once,
);

const HOST: &str = "app.example.org";
const PAGE: &str = "https://app.example.org/a?b=c&d=e";
const NGINX: &str = "/auth/verify";
const TRAEFIK: &str = "/auth/verify/traefik";
const CADDY: &str = "/auth/verify/caddy";
const PATHS: [&str; 3] = [NGINX, TRAEFIK, CADDY];

type Headers<'a> = &'a [(&'a str, &'a str)];

async fn start(database: Database) -> TestApp {
    TestApp::start_with(database, |settings| {
        settings.forward_auth.allowed_hosts = vec![HOST.into()];
    })
    .await
}

/// Returns the request of the proxy that this path is for, about `method` and `url`.
fn about(app: &TestApp, path: &str, method: &str, url: &str) -> RequestBuilder {
    let request = app.anyone().request("GET", path);
    if path.split('?').next().unwrap_or_default() == NGINX || path == "/auth/verify/admin" {
        return request
            .header("x-original-url", url)
            .header("x-original-method", method);
    }
    let (scheme, rest) = url.split_once("://").expect("a scheme");
    let (host, uri) = rest.split_at(rest.find('/').expect("a path"));
    request
        .header("x-forwarded-proto", scheme)
        .header("x-forwarded-host", host)
        .header("x-forwarded-uri", uri)
        .header("x-forwarded-method", method)
}

fn with(request: RequestBuilder, headers: Headers) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    })
}

fn page_load(app: &TestApp, path: &str, url: &str) -> RequestBuilder {
    about(app, path, "GET", url).header("accept", "text/html,application/xhtml+xml")
}

/// Returns the browser's cookie of forward-auth, as a header.
fn cookie(browser: &Browser) -> String {
    let value = browser.cookie("rollcall_forward").expect("a cookie");
    format!("rollcall_forward={value}")
}

/// Returns where the response leads: nginx needs a 401 for it.
#[track_caller]
fn redirect(path: &str, response: TestResponse) -> String {
    let status = if path == NGINX { 401 } else { 302 };
    response.expect(status).header("location").to_owned()
}

fn sign_in_url(app: &TestApp) -> String {
    let next = "https%3A%2F%2Fapp.example.org%2Fa%3Fb%3Dc%26d%3De";
    format!("{}/sign-in?next={next}", app.base())
}

async fn a_signed_in_person_is_named_in_headers(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for path in PATHS {
        let forged = laptop.request("GET", path).header("remote-user", "root");
        let response = TestResponse::to(forged).await.expect(200);
        assert_eq!(response.header("remote-user"), laptop.session["user_id"]);
        assert_eq!(response.header("remote-email"), "ada@example.org");
        assert_eq!(response.header("remote-name"), "Ada Lovelace");
        assert_eq!(response.header("remote-session"), laptop.id());

        for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "PROPFIND"] {
            let request = about(&app, path, method, PAGE).header("cookie", cookie(&browser));
            let response = TestResponse::to(request).await.expect(200);
            assert_eq!(response.header("remote-email"), "ada@example.org");
            assert_ne!(response.header("remote-session"), laptop.id());
        }
        let session = browser.cookie("rollcall_session").expect("a cookie");
        let request = about(&app, path, "GET", PAGE);
        let request = request.header("cookie", format!("rollcall_session={session}"));
        TestResponse::to(request).await.expect(401);
    }
    app.stop().await;
}

async fn what_is_not_asserted_is_an_empty_header(database: Database) {
    let app = start(database).await;
    let ada = app.register_unverified("ada@example.org").await;
    app.database.execute("UPDATE users SET full_name = 'Zoë Ω'");
    let laptop = app.login(&ada, FIREFOX).await;
    let response = laptop.get(NGINX).await.expect(200);
    assert_eq!(response.headers["remote-email"], "");
    assert_eq!(response.headers["remote-name"], "Zoë Ω".as_bytes());
    assert_eq!(response.headers["cookie"], "");
    app.database.execute("UPDATE users SET full_name = NULL");
    let response = laptop.get(NGINX).await.expect(200);
    assert_eq!(response.headers["remote-name"], "");
    app.stop().await;
}

async fn a_browser_without_a_session_is_sent_to_sign_in(database: Database) {
    let app = start(database).await;
    for path in PATHS {
        TestResponse::to(app.anyone().request("GET", path))
            .await
            .problem(401, "unauthenticated");
        let headers: [Headers; 4] = [
            &[("accept", "text/html,*/*")],
            &[("accept", "application/xml, Text/HTML;q=0.9")],
            &[("accept", "*/*"), ("sec-fetch-mode", "navigate")],
            &[
                ("accept", "text/html"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
                ("x-requested-with", "org.example.browser"),
            ],
        ];
        for method in ["GET", "HEAD"] {
            for headers in headers {
                let request = with(about(&app, path, method, PAGE), headers);
                let location = redirect(path, TestResponse::to(request).await);
                assert_eq!(location, sign_in_url(&app), "{path} {headers:?}");
            }
        }
        let long = format!("https://app.example.org/a?{}", "%C3%A4".repeat(1000));
        let response = TestResponse::to(page_load(&app, path, &long)).await;
        let start_page = "/sign-in?next=https%3A%2F%2Fapp.example.org%2F";
        assert_eq!(
            redirect(path, response),
            format!("{}{start_page}", app.base())
        );
    }
    app.stop().await;
}

/// A proxy behind one that ends TLS states `http`.
async fn a_page_is_never_returned_to_over_plain_http(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.public_url = "https://login.example.org".parse().ok();
        settings.forward_auth.allowed_hosts = vec![HOST.into(), "app.example.org:8443".into()];
    })
    .await;
    for path in PATHS {
        for (stated, page) in [
            ("http://app.example.org/a", "https://app.example.org/a"),
            ("http://app.example.org:80/a", "https://app.example.org/a"),
            ("http://app.example.org:443/a", "https://app.example.org/a"),
            (
                "http://app.example.org:8443/a",
                "https://app.example.org:8443/a",
            ),
            ("https://app.example.org/a", "https://app.example.org/a"),
        ] {
            let response = TestResponse::to(page_load(&app, path, stated)).await;
            let location = redirect(path, response);
            let query = location.strip_prefix("https://login.example.org/sign-in?");
            let query = query.expect("it leads to sign-in").as_bytes();
            let next = url::form_urlencoded::parse(query).next().expect("a field");
            assert_eq!(next, ("next".into(), page.into()), "{path} {stated}");
        }
    }
    app.stop().await;
}

async fn what_cannot_be_redirected_gets_401(database: Database) {
    let app = start(database).await;
    let html = ("accept", "text/html");
    let cases: [(&str, Headers); 14] = [
        ("POST", &[html]),
        ("OPTIONS", &[html]),
        ("OPTIONS", &[("origin", "https://a.example")]),
        ("DELETE", &[html, ("sec-fetch-mode", "navigate")]),
        ("get", &[html]),
        ("GET", &[]),
        ("GET", &[("accept", "*/*")]),
        ("GET", &[("accept", "text/htmlx, application/json")]),
        ("GET", &[html, ("x-requested-with", "XMLHttpRequest")]),
        ("GET", &[html, ("sec-fetch-mode", "cors")]),
        ("GET", &[html, ("sec-fetch-dest", "empty")]),
        ("GET", &[html, ("upgrade", "websocket")]),
        ("GET", &[html, ("sec-websocket-key", "x")]),
        ("GET", &[html, ("sec-fetch-mode", "websocket")]),
    ];
    for path in PATHS {
        for (method, headers) in cases {
            let request = with(about(&app, path, method, PAGE), headers);
            let response = TestResponse::to(request).await;
            let shown = format!("{path} {method} {headers:?}");
            assert_eq!(response.status, 401, "{shown}");
            assert_eq!(response.headers.get("location"), None, "{shown}");
        }
    }
    app.stop().await;
}

async fn only_allowed_hosts_are_redirected_to(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for elsewhere in [
        "https://evil.example/",
        "https://app.example.org.evil.example/",
        "https://app.example.org@evil.example/",
        "https://app.example.org:8443/",
        "https://evil.example/?app.example.org",
        "https://evil.example/https://app.example.org/",
        "ftp://app.example.org/",
        "javascript://app.example.org/",
        "https:// /app.example.org/",
        "https://app.example.org%00/",
    ] {
        for path in PATHS {
            let request = page_load(&app, path, elsewhere).header("cookie", cookie(&browser));
            let response = TestResponse::to(request).await;
            assert_eq!(response.status, 401, "{path} {elsewhere}");
            assert_eq!(response.headers.get("location"), None, "{elsewhere}");
            let by_token = page_load(&app, path, elsewhere).bearer_auth(&laptop.access_token);
            TestResponse::to(by_token).await.expect(200);
        }
        let fields = [
            ("email", ada.email.as_str()),
            ("password", PASSWORD),
            ("next", elsewhere),
        ];
        let stranger = app.browser(FIREFOX);
        let form = stranger.form("/sign-in", "/sign-in").await;
        let response = stranger.send(&form, &fields).await.expect(303);
        assert_eq!(response.header("location"), "/devices", "{elsewhere}");
    }
    for unlike in [
        "https://app.example.org\\@evil.example/",
        "https:///app.example.org/",
        "https:app.example.org",
        "//app.example.org/",
    ] {
        let request = app.anyone().request("GET", NGINX);
        let request = request.header("x-original-url", unlike);
        let request = request.header("cookie", cookie(&browser));
        assert_eq!(TestResponse::to(request).await.status, 401, "{unlike}");
    }
    // A path of Traefik's and Caddy's makes no other host, and a host no path.
    for (host, uri) in [
        (HOST, "@evil.example/"),
        (HOST, ".evil.example/"),
        (HOST, ":8443/"),
        (HOST, ""),
        (HOST, "a"),
        ("evil.example", "//app.example.org/"),
        ("user@app.example.org", "/"),
        ("app.example.org/", "/"),
        ("app.example.org?", "/"),
        ("app.example.org#", "/"),
        ("", "/app.example.org/"),
    ] {
        let request = app.anyone().request("GET", CADDY);
        let request = request
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", host)
            .header("x-forwarded-uri", uri)
            .header("cookie", cookie(&browser));
        let response = TestResponse::to(request).await;
        assert_eq!(response.status, 401, "{host} {uri}");
    }
    app.stop().await;
}

async fn each_path_reads_its_own_headers_only(database: Database) {
    const ORIGINAL: Headers = &[("x-original-url", PAGE)];
    const FORWARDED: Headers = &[
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", HOST),
        ("x-forwarded-uri", "/a"),
    ];

    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let request = app.anyone().request("GET", path);
        let request = with(request, headers).header("cookie", cookie(&browser));
        TestResponse::to(request).await.status
    };
    for (path, own, foreign) in [
        (NGINX, ORIGINAL, FORWARDED),
        (TRAEFIK, FORWARDED, ORIGINAL),
        (CADDY, FORWARDED, ORIGINAL),
    ] {
        assert_eq!(ask(path, own).await, 200, "{path}");
        assert_eq!(ask(path, foreign).await, 401, "{path}");
        assert_eq!(ask(path, &[]).await, 401, "{path}");
        assert_eq!(ask(path, &[own, foreign].concat()).await, 200, "{path}");
        // Given twice, and not as it should be: nothing is stated.
        for header in own {
            let twice = [own, &[*header]].concat();
            assert_eq!(ask(path, &twice).await, 401, "{path} {header:?}");
        }
    }
    let evil = [
        FORWARDED,
        &[("x-original-url", "https://evil.example/")],
        &[("forwarded", "host=evil.example")],
    ];
    assert_eq!(ask(CADDY, &evil.concat()).await, 200);
    for proto in ["https,http", "ftp", "", "https://x"] {
        let headers = [&[("x-forwarded-proto", proto)], &FORWARDED[1..]].concat();
        assert_eq!(ask(CADDY, &headers).await, 401, "{proto}");
    }
    for proto in ["http", "ws", "wss"] {
        let headers = [&[("x-forwarded-proto", proto)], &FORWARDED[1..]].concat();
        assert_eq!(ask(TRAEFIK, &headers).await, 200, "{proto}");
    }
    // A client that encodes nothing.
    let raw =
        HeaderValue::from_bytes(b"https://app.example.org/\xc3\xa4/\xe4?\xff").expect("bytes");
    let request = app.anyone().request("GET", NGINX);
    let request = request
        .header("x-original-url", raw)
        .header("accept", "text/html");
    let location = redirect(NGINX, TestResponse::to(request).await);
    let next = "next=https%3A%2F%2Fapp.example.org%2F%25C3%25A4%2F%25E4%3F%25FF";
    assert!(location.ends_with(next), "{location}");
    app.stop().await;
}

async fn a_query_changes_nothing(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for path in PATHS {
        for query in [
            "x=1",
            "group=admin",
            "group=nobody&group=",
            "x=1&group=admin",
            "%zz",
            "%",
            "a=%ff&b[]={}",
            "=&&;",
            "next=https://evil.example/",
        ] {
            let path = format!("{path}?{query}");
            let request = about(&app, &path, "GET", PAGE).header("cookie", cookie(&browser));
            TestResponse::to(request).await.expect(200);
            TestResponse::to(about(&app, &path, "GET", PAGE))
                .await
                .problem(401, "unauthenticated");
        }
    }
    app.stop().await;
}

async fn an_authorization_of_the_application_changes_nothing(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let token = format!("Bearer {}", laptop.access_token);
    let theirs: [&[&str]; 9] = [
        &["Basic YWRhOng="],
        &["Bearer theirs"],
        &["Bearer"],
        &["Bearer "],
        &[""],
        &["Digest username=\"ada\""],
        &["Basic YWRhOng=", "Bearer theirs"],
        &[&token, "Bearer theirs"],
        &["bearer eyJhbGciOiJub25lIn0.e30."],
    ];
    for path in PATHS {
        for lines in theirs {
            let headers: Vec<_> = lines.iter().map(|line| ("authorization", *line)).collect();
            let request = with(about(&app, path, "GET", PAGE), &headers);
            let signed_in = request.header("cookie", cookie(&browser));
            let response = TestResponse::to(signed_in).await;
            assert_eq!(response.status, 200, "{path} {lines:?}");
            TestResponse::to(with(about(&app, path, "GET", PAGE), &headers))
                .await
                .problem(401, "unauthenticated");
            let page = with(page_load(&app, path, PAGE), &headers);
            let location = redirect(path, TestResponse::to(page).await);
            assert_eq!(location, sign_in_url(&app), "{lines:?}");
        }
        // A token of ours counts, also beside a cookie that doesn't.
        let request = about(&app, path, "POST", PAGE)
            .header("authorization", &token)
            .header("cookie", "rollcall_forward=stale");
        TestResponse::to(request).await.expect(200);
    }
    app.stop().await;
}

async fn a_preflight_passes_as_nobody(database: Database) {
    let preflight: Headers = &[
        ("origin", "https://other.example"),
        ("access-control-request-method", "PUT"),
    ];
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for path in PATHS {
        for path in [path.to_owned(), format!("{path}/admin")] {
            let request = with(about(&app, &path, "OPTIONS", PAGE), preflight);
            let request = request.header("cookie", format!("{}; a=b", cookie(&browser)));
            let response = TestResponse::to(request).await.expect(200);
            for name in [
                "remote-user",
                "remote-email",
                "remote-name",
                "remote-session",
            ] {
                assert_eq!(response.headers[name], "", "{path} {name}");
            }
            assert_eq!(response.headers["cookie"], "a=b");
            let refused: [(&str, &str, Headers); 5] = [
                ("OPTIONS", "https://evil.example/", preflight),
                ("OPTIONS", PAGE, &preflight[..1]),
                ("OPTIONS", PAGE, &preflight[1..]),
                ("GET", PAGE, preflight),
                ("options", PAGE, preflight),
            ];
            for (method, url, headers) in refused {
                let request = with(about(&app, &path, method, url), headers);
                let response = TestResponse::to(request).await;
                assert_eq!(response.status, 401, "{path} {method} {url} {headers:?}");
            }
        }
    }
    app.stop().await;
}

async fn the_response_has_the_cookies_that_are_not_ours(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let ours = cookie(&browser);
    let cases: [(&[&[u8]], &[u8]); 5] = [
        (&[b""], b""),
        (&[b"a=1; rollcall_session=x; b=\xe9"], b"a=1; b=\xe9"),
        (
            &[b"a={\"b\": \"c\"}", b"__Host-rollcall_device=x;a=2"],
            b"a={\"b\": \"c\"}; a=2",
        ),
        (&[b"__Secure-rollcall_forward=x; rollcall_forward"], b""),
        (
            &[b"rollcall_bound=x; rollcall_theme=dark"],
            b"rollcall_theme=dark",
        ),
    ];
    for (lines, left) in cases {
        let request = about(&app, NGINX, "GET", PAGE).header("cookie", &ours);
        let request = lines.iter().fold(request, |request, line| {
            request.header("cookie", HeaderValue::from_bytes(line).expect("bytes"))
        });
        let response = TestResponse::to(request).await.expect(200);
        assert_eq!(response.headers["cookie"].as_bytes(), left, "{lines:?}");
    }
    app.stop().await;
}

async fn cookies_of_an_earlier_prefix_are_ours_as_well(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.forward_auth.allowed_hosts = vec![HOST.into()];
        settings.cookie_prefix = "second".into();
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let sent = "a=1; rollcall_session=x; __Secure-rollcall_session=x; __Host-rollcall_device=x; \
                second_forward=x; second_theme=dark";
    let request = laptop.request("GET", NGINX).header("cookie", sent);
    let response = TestResponse::to(request).await.expect(200);
    assert_eq!(response.headers["cookie"], "a=1; second_theme=dark");
    app.stop().await;
}

async fn others_than_administrators_are_refused(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for is_admin in [false, true] {
        app.database
            .execute(&format!("UPDATE users SET is_admin = {is_admin}"));
        for path in PATHS {
            let path = format!("{path}/admin");
            let by_cookie = page_load(&app, &path, PAGE).header("cookie", cookie(&browser));
            let by_token = laptop.request("GET", &path);
            for request in [by_cookie, by_token] {
                let response = TestResponse::to(request).await;
                match is_admin {
                    true => drop(response.expect(200)),
                    false => drop(response.problem(403, "not_in_group")),
                }
            }
            let nobody = TestResponse::to(about(&app, &path, "GET", PAGE)).await;
            nobody.problem(401, "unauthenticated");
        }
    }
    app.stop().await;
}

async fn a_signed_out_device_is_refused_at_once(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let by_cookie =
        || TestResponse::to(about(&app, CADDY, "GET", PAGE).header("cookie", cookie(&browser)));
    phone.get(NGINX).await.expect(200);
    let session = by_cookie().await.expect(200);
    for id in [phone.id(), session.header("remote-session").to_owned()] {
        let path = format!("/api/v1/sessions/{id}");
        laptop.delete(&path).await.expect(204);
    }
    phone.get(NGINX).await.problem(401, "unauthenticated");
    by_cookie().await.problem(401, "unauthenticated");
    let disable = ["user", "disable", "--email", &ada.email];
    Program::with(&app.database).run(&disable).expect_done();
    laptop.get(NGINX).await.problem(401, "unauthenticated");
    app.stop().await;
}
