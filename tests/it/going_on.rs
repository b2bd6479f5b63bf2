//! The way on from sign-in to a page of another origin, over HTTP and in headless Chromium.

use std::net::SocketAddr;

use actix_web::dev::ServerHandle;
use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};

use crate::support::app::http_client;
use crate::support::cookies::{SetCookie, Visitor, set_cookies};
use crate::support::html;
use crate::support::prelude::*;
use crate::support::proxy::Proxy;
use crate::support::webdriver::{Script, WebDriver};

on_both!(
    database: sign_in_leads_to_another_origin_by_a_page_of_ours,
    a_browser_that_is_sent_back_stays,
    a_browser_is_given_the_cookie_for_a_new_domain,
    somebody_signed_in_is_given_the_cookie_once,
    a_browser_that_refuses_the_cookie_stays,
    a_page_that_leads_on_leaves_the_session_cookie_alone,
    a_replaced_cookie_gains_no_cookie_of_forward_auth,
    a_request_that_nobody_sees_uses_up_no_mark,
    a_mark_is_of_one_session_and_one_minute,
    a_page_on_plain_http_is_reached_over_https,
    a_browser_gets_from_the_application_to_sign_in_and_back,
    a_browser_gets_there_and_back_without_script,
    a_browser_goes_in_no_circle,
);

const FORWARD: &str = "rollcall_forward";
const SESSION: &str = "rollcall_session";
const DEVICE: &str = "rollcall_device";
const ONWARD: &str = "rollcall_onward";
const PAGE: &str = "https://app.example.org/a?b=c&d='\"<e>;f";
const NORMALIZED: &str = "https://app.example.org/a?b=c&d=%27%22%3Ce%3E;f";
const SIGN_IN: &str =
    "/sign-in?next=https%3A%2F%2Fapp.example.org%2Fa%3Fb%3Dc%26d%3D'%22%3Ce%3E%3Bf";

async fn start(database: Database) -> TestApp {
    TestApp::start_with(database, |settings| {
        settings.public_url = Some("http://login.example.org".parse().expect("a URL"));
        settings.cookie_domain = Some("example.org".into());
        settings.forward_auth.allowed_hosts = vec!["app.example.org".into()];
    })
    .await
}

/// Returns where a page goes by itself; `None` for one that waits for its reader.
fn goes_to(response: &TestResponse) -> Option<&str> {
    assert_eq!(response.status, 200, "{response:?}");
    response.header("refresh").strip_prefix("0; url=")
}

#[track_caller]
fn has_link(response: &TestResponse) {
    let links = html::attributes(&response.text, "href");
    assert!(links.iter().any(|link| link == NORMALIZED), "{links:?}");
}

async fn sign_in_leads_to_another_origin_by_a_page_of_ours(database: Database) {
    assert_eq!(url::Url::parse(PAGE).expect("a URL").as_str(), NORMALIZED);
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let mut visitor = Visitor::new(&app);
    let signed_in = visitor.sign_in(SIGN_IN, &ada).await;
    let on_this_site = signed_in.location().to_owned();
    assert!(on_this_site.starts_with("/sign-in?next="), "{on_this_site}");
    let page = visitor.get(&on_this_site).await;
    assert_eq!(goes_to(&page), Some(NORMALIZED));
    has_link(&page);
    assert!(page.words().contains("Continue to app.example.org"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self';"), "{policy}");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    visitor.get("/devices").await.expect(200);

    // To a path on this site it is a redirect, as before.
    let mut visitor = Visitor::new(&app);
    let signed_in = visitor.sign_in("/sign-in?next=/account", &ada).await;
    assert_eq!(signed_in.location(), "/account");
    let again = visitor.get("/sign-in?next=/account").await;
    assert_eq!(again.location(), "/account");
    app.stop().await;
}

async fn a_browser_that_is_sent_back_stays(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let mut visitor = Visitor::new(&app);
    let signed_in = visitor.sign_in(SIGN_IN, &ada).await;
    let page = visitor.get(signed_in.location()).await;
    assert!(goes_to(&page).is_some());
    for _ in 0..2 {
        let page = visitor.get(SIGN_IN).await;
        assert_eq!(goes_to(&page), None);
        has_link(&page);
        page.expect_words("Does app.example.org send you back here every time?");
    }
    // Later it goes on by itself again, such as from a link of the application.
    app.advance(Duration::from_secs(61));
    assert!(goes_to(&visitor.get(SIGN_IN).await).is_some());
    assert_eq!(goes_to(&visitor.get(SIGN_IN).await), None);
    // A new sign-in is a new attempt.
    visitor
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    let signed_in = visitor.sign_in(SIGN_IN, &ada).await;
    assert!(goes_to(&visitor.get(signed_in.location()).await).is_some());
    app.stop().await;
}

/// A cookie from before `cookie_domain` was set does not reach the application.
async fn a_browser_is_given_the_cookie_for_a_new_domain(database: Database) {
    let hosts = vec!["app.example.org".to_owned()];
    let narrow = TestApp::start_with(database, |settings| {
        settings.forward_auth.allowed_hosts = hosts.clone();
    })
    .await;
    let ada = narrow.register("ada@example.org").await;
    let mut visitor = Visitor::new(&narrow);
    visitor.sign_in("/sign-in", &ada).await;
    let (all, before) = (visitor.header(), visitor.pair(FORWARD));
    let app = start(narrow.stop_and_keep_database().await).await;
    let page = get(&app, SIGN_IN, &all).await;
    assert!(goes_to(&page).is_some());
    let given = set_cookies(&page)
        .into_iter()
        .find(|cookie| cookie.name() == FORWARD && !cookie.is_removal());
    let given = given.expect("a cookie of forward-auth");
    assert_eq!(given.attribute("Domain"), Some("example.org"));
    assert_ne!(given.pair, before);
    app.stop().await;
}

async fn somebody_signed_in_is_given_the_cookie_once(database: Database) {
    let database = {
        let app = TestApp::start(database).await;
        app.register("ada@example.org").await;
        app.stop_and_keep_database().await
    };
    let app = start(database).await;
    let ada = Person {
        email: "ada@example.org".into(),
        password: PASSWORD.into(),
    };
    app.advance(Duration::from_secs(1));
    let mut visitor = Visitor::new(&app);
    visitor.sign_in("/sign-in", &ada).await;
    visitor.get(SIGN_IN).await.expect(200);
    visitor.forget(FORWARD);
    visitor.forget(ONWARD);
    let page = visitor.get(SIGN_IN).await;
    assert_eq!(goes_to(&page), Some(NORMALIZED));
    let cookie = visitor.pair(FORWARD);
    let verify = app.anyone().request("GET", "/auth/verify");
    let verify = verify.header("x-original-url", PAGE);
    TestResponse::to(verify.header("cookie", cookie))
        .await
        .expect(200);
    let page = visitor.get(SIGN_IN).await;
    assert_eq!(goes_to(&page), None, "not in a circle");

    // One that a new password made void is replaced.
    app.advance(Duration::from_secs(61));
    app.database.execute(
        "UPDATE users SET password_changed_at = (SELECT max(created_at) FROM user_sessions)",
    );
    let void = visitor.pair(FORWARD);
    let page = visitor.get(SIGN_IN).await;
    assert_eq!(goes_to(&page), Some(NORMALIZED));
    assert_ne!(visitor.pair(FORWARD), void);
    visitor.get("/devices").await.expect(200);
    app.stop().await;
}

async fn a_browser_that_refuses_the_cookie_stays(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let mut visitor = Visitor::new(&app);
    let signed_in = visitor.sign_in(SIGN_IN, &ada).await;
    let mut attempts = 0;
    let mut next = signed_in.location().to_owned();
    loop {
        visitor.forget(FORWARD);
        let page = visitor.get(&next).await;
        if goes_to(&page).is_none() {
            has_link(&page);
            page.expect_words("your browser did not store the cookie");
            break;
        }
        attempts += 1;
        assert!(attempts < 3, "a circle");
        next = SIGN_IN.to_owned();
    }
    app.stop().await;
}

/// The names of the cookies that a response sets or removes, besides the device cookie, which every
/// response of sign-in renews.
fn names(response: &TestResponse) -> Vec<String> {
    let set = set_cookies(response);
    let names = set.iter().map(SetCookie::name);
    let mut names: Vec<String> = names
        .filter(|name| *name != DEVICE)
        .map(str::to_owned)
        .collect();
    names.dedup();
    names
}

async fn get(app: &TestApp, path: &str, cookies: &str) -> TestResponse {
    let request = app.anyone().request("GET", path);
    TestResponse::to(request.header("cookie", cookies)).await
}

/// Gives the password, which replaces the session cookie.
async fn confirm(visitor: &mut Visitor<'_>) {
    let fields = [("password", PASSWORD)];
    let confirmed = visitor.submit("/confirm", "/confirm", &fields).await;
    confirmed.expect(303);
}

/// The page that leads on is loading while another tab gives the password. Its response arrives
/// last.
async fn a_page_that_leads_on_leaves_the_session_cookie_alone(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let mut visitor = Visitor::new(&app);
    let signed_in = visitor.sign_in(SIGN_IN, &ada).await;
    let next = signed_in.location();
    let old = visitor.header();
    let is_left = |pair: &&str| !pair.starts_with(FORWARD);
    let without: Vec<&str> = old.split("; ").filter(is_left).collect();
    let without = without.join("; ");
    let early = [get(&app, next, &old).await, get(&app, next, &without).await];
    app.advance(Duration::from_secs(1));
    confirm(&mut visitor).await;
    let late = [get(&app, next, &old).await, get(&app, next, &without).await];
    for page in early.iter().chain(&late) {
        assert_eq!(page.status, 200);
        let names = names(page);
        assert!(!names.contains(&SESSION.to_owned()), "{names:?}");
    }
    app.advance(Duration::from_secs(60));
    visitor.get("/devices").await.expect(200);
    app.stop().await;
}

async fn a_replaced_cookie_gains_no_cookie_of_forward_auth(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let mut visitor = Visitor::new(&app);
    visitor.sign_in("/sign-in", &ada).await;
    let copy = visitor.pair(SESSION);
    app.advance(Duration::from_secs(1));
    confirm(&mut visitor).await;
    get(&app, "/devices", &copy).await.expect(200);
    let page = get(&app, SIGN_IN, &copy).await;
    assert_eq!(names(&page), Vec::<String>::new());
    assert_eq!(goes_to(&page), None);
    has_link(&page);
    assert!(!page.words().contains("sent you back"), "{}", page.words());

    // The one that replaced it does.
    visitor.forget(FORWARD);
    let page = visitor.get(SIGN_IN).await;
    assert_eq!(goes_to(&page), Some(NORMALIZED));
    visitor.pair(FORWARD);
    app.stop().await;
}

async fn a_request_that_nobody_sees_uses_up_no_mark(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let mut visitor = Visitor::new(&app);
    let signed_in = visitor.sign_in(SIGN_IN, &ada).await;
    let next = signed_in.location().to_owned();
    let all = visitor.header();
    let without = format!("{}; {}", visitor.pair(SESSION), visitor.pair(DEVICE));
    for (method, name, value) in [
        ("HEAD", "accept", "*/*"),
        ("GET", "sec-fetch-dest", "image"),
        ("GET", "sec-purpose", "prefetch"),
    ] {
        for cookies in [&all, &without] {
            let request = app.anyone().request(method, &next).header(name, value);
            let response = TestResponse::to(request.header("cookie", cookies)).await;
            assert_eq!(names(&response), Vec::<String>::new(), "{method} {value}");
        }
    }
    assert_eq!(goes_to(&visitor.get(&next).await), Some(NORMALIZED));
    app.stop().await;
}

async fn a_mark_is_of_one_session_and_one_minute(database: Database) {
    let app = start(database).await;
    let ada = app.register("ada@example.org").await;
    let mut visitor = Visitor::new(&app);
    visitor.sign_in(SIGN_IN, &ada).await;
    visitor.get(SIGN_IN).await.expect(200);
    let mark = visitor.find(ONWARD).expect("a mark").clone();
    assert_eq!(mark.attribute("Domain"), None);
    assert_eq!(mark.attribute("Max-Age"), Some("60"));
    let signed_out = visitor.submit("/devices", "/sign-out", &[]).await;
    assert!(names(&signed_out).contains(&ONWARD.to_owned()));
    assert!(visitor.find(ONWARD).is_none());

    visitor.sign_in("/sign-in", &ada).await;
    visitor.get(SIGN_IN).await.expect(200);
    let own = visitor.pair(ONWARD);
    visitor.forget(ONWARD);
    let rest = visitor.header();
    for (other, stays) in [
        (&mark.pair, false),
        (&format!("{ONWARD}=x"), false),
        (&own, true),
    ] {
        let page = get(&app, SIGN_IN, &format!("{other}; {rest}")).await;
        assert_eq!(goes_to(&page).is_none(), stays, "{other}");
    }
    app.advance(Duration::from_secs(60));
    let page = get(&app, SIGN_IN, &format!("{own}; {rest}")).await;
    assert!(goes_to(&page).is_some());
    app.stop().await;
}

async fn a_page_on_plain_http_is_reached_over_https(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.public_url = Some("https://login.example.org".parse().expect("a URL"));
        settings.cookie_domain = Some("example.org".into());
        settings.forward_auth.allowed_hosts = vec!["app.example.org".into()];
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let mut visitor = Visitor::new(&app);
    let next = "/sign-in?next=http%3A%2F%2Fapp.example.org%2Fa";
    let signed_in = visitor.sign_in(next, &ada).await;
    let page = visitor.get(signed_in.location()).await;
    assert_eq!(goes_to(&page), Some("https://app.example.org/a"));
    app.stop().await;
}

/// An application at `app.example.org` that has every request verified, as a proxy does.
struct Application {
    address: SocketAddr,
    handle: ServerHandle,
}

/// What the application asks, and whether it passes the cookies on.
#[derive(Clone)]
struct Verifier {
    url: String,
    page: String,
    sign_in: String,
    passes_cookies: bool,
}

impl Application {
    fn start(address: SocketAddr, verifier: Verifier) -> Self {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(verifier.clone()))
                .default_service(web::to(verified))
        })
        .workers(1)
        .disable_signals()
        .bind(address)
        .expect("the port is free")
        .run();
        let handle = server.handle();
        rt::spawn(server);
        Self { address, handle }
    }

    fn url(&self, path: &str) -> String {
        format!("http://app.example.org:{}{path}", self.address.port())
    }
}

async fn verified(request: HttpRequest, verifier: web::Data<Verifier>) -> HttpResponse {
    let cookie = request
        .headers()
        .get(header::COOKIE)
        .filter(|_| verifier.passes_cookies);
    let cookie = cookie.map_or(&b""[..], |value| value.as_bytes()).to_vec();
    let client = http_client().build().expect("a client");
    let verify = client.get(&verifier.url).header("cookie", cookie);
    let verify = verify.header("x-original-url", &verifier.page);
    let response = TestResponse::to(verify).await;
    match response.status {
        200 => HttpResponse::Ok().content_type("text/html").body(format!(
            "<main>Hello {}</main>",
            response.header("remote-email")
        )),
        _ => HttpResponse::Found()
            .insert_header(("location", verifier.sign_in.as_str()))
            .finish(),
    }
}

/// Starts the service and the application on one domain, at ports of their own.
async fn start_both(database: Database, passes_cookies: bool) -> (TestApp, Application, String) {
    let [login, application] = [Proxy::free_address(), Proxy::free_address()];
    let base = format!("http://login.example.org:{}", login.port());
    let host = format!("app.example.org:{}", application.port());
    let app = TestApp::start_with(database, |settings| {
        settings.listen = login;
        settings.public_url = base.parse().ok();
        settings.cookie_domain = Some("example.org".into());
        settings.forward_auth.allowed_hosts = vec![host.clone()];
    })
    .await;
    let verifier = Verifier {
        url: format!("{}/auth/verify", app.base()),
        page: format!("http://{host}/"),
        sign_in: format!("{base}/sign-in?next=http%3A%2F%2F{host}%2Fpage%3Fa%3Db"),
        passes_cookies,
    };
    (app, Application::start(application, verifier), base)
}

async fn a_browser_gets_from_the_application_to_sign_in_and_back(database: Database) {
    get_there_and_back(database, Script::On).await;
}

async fn a_browser_gets_there_and_back_without_script(database: Database) {
    get_there_and_back(database, Script::Off).await;
}

async fn get_there_and_back(database: Database, script: Script) {
    let (app, application, base) = start_both(database, true).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let browser = driver.open(&base, script).await;
    browser.go_to(&application.url("/page?a=b")).await;
    browser.arrives_at("/sign-in").await;
    browser.complete_sign_in(&ada).await;
    browser.arrives_at("/page").await;
    let shown = browser.words_in("main").await;
    assert_eq!(shown, "Hello ada@example.org");
    browser.go_to(&application.url("/another")).await;
    assert_eq!(browser.path().await, "/another");
    browser.open("/devices").await;
    assert_eq!(browser.path().await, "/devices");
    browser.close().await;
    application.handle.stop(false).await;
    app.stop().await;
}

async fn a_browser_goes_in_no_circle(database: Database) {
    let (app, application, base) = start_both(database, false).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let browser = driver.open(&base, Script::Off).await;
    browser.go_to(&application.url("/page")).await;
    browser.arrives_at("/sign-in").await;
    browser.complete_sign_in(&ada).await;
    browser.has(1, "main p.hint").await;
    let shown = browser.words_in("main").await;
    assert!(shown.contains("send you back here every time?"), "{shown}");
    browser.close().await;
    application.handle.stop(false).await;
    app.stop().await;
}
