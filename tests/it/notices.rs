//! Notices after a redirect: shown once, in the browser of the one who made the request, and never
//! by a link.

use futures_util::future::join_all;
use rollcall::keys::{KeyKind, Start};
use rollcall::server::routes::PAGES;

use crate::support::html;
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: a_link_shows_no_notice,
    a_link_puts_no_words_on_a_page,
    every_notice_is_shown_once,
    a_notice_outlives_the_session,
    a_notice_waits_through_a_redirect_to_sign_in,
    a_notice_outlives_a_sign_in,
    a_notice_is_not_shown_to_another_person,
    nobody_who_is_signed_in_is_told_to_be_signed_out,
    a_notice_is_shown_for_five_minutes,
    a_page_that_is_not_seen_uses_up_no_notice,
    of_tabs_that_load_at_once_one_shows_the_notice,
    a_tab_that_shows_a_notice_brings_no_old_cookie_back,
    a_cookie_of_another_browser_is_void,
    a_cookie_that_is_not_genuine_is_removed,
    a_genuine_cookie_among_others_is_found,
    a_notice_survives_a_rotation_of_the_keys,
    a_sign_out_is_stated_only_if_the_rows_agree,
);

const NOTICE: &str = "rollcall_notice";
const SESSION: &str = "rollcall_session";
const DEVICE: &str = "rollcall_device";
const SECOND: Duration = Duration::from_secs(1);
const RENAMED: &str = "Your name is saved.";

/// The queries that led to a notice before notices had a cookie.
const FORMER_QUERIES: [&str; 29] = [
    "done=signed-out",
    "done=signed-out-everywhere",
    "done=password-set",
    "done=email-verified",
    "done=email-changed",
    "done=taken-back",
    "done=taken-back-without-email",
    "done=deleted",
    "done=mine",
    "done=known",
    "done=answered",
    "done=signed-out-others",
    "done=not-mine",
    "done=signed-out&device=",
    "done=already-out&device=",
    "done=not-mine&device=",
    "done=renamed",
    "done=email-link",
    "done=email-limit",
    "done=email-same",
    "done=email-cancelled",
    "done=email-settled",
    "done=email-declined",
    "done=alerts",
    "done=addresses",
    "done=idle-limit",
    "done=password-changed",
    "done=revoked",
    "done=signed-out&device=no-id",
];

async fn a_link_shows_no_notice(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.database.execute("UPDATE users SET is_admin = true");
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let ended = app.login(&ada, IPHONE).await;
    ended.post("/api/v1/auth/logout").await.expect(204);
    let pages = pages(&current(&browser).await);
    for reader in [&browser, &app.browser(FIREFOX)] {
        for page in &pages {
            let plain = reader.get(page).await;
            for query in queries(&ended) {
                let response = reader.get(&format!("{page}?{query}")).await;
                // A list refuses what is none of its filters.
                if page.starts_with("/admin/") && response.status == 400 {
                    assert_silent(&response);
                    continue;
                }
                assert_eq!(response.status, plain.status, "{page}?{query}");
                assert_eq!(response.words(), plain.words(), "{page}?{query}");
                assert_silent(&response);
            }
        }
    }
}

async fn a_link_puts_no_words_on_a_page(app: &TestApp) {
    let (browser, _) = ada(app).await;
    let pages = pages(&current(&browser).await);
    let names = [
        "next",
        "before",
        "ended",
        "device",
        "email",
        "error",
        "reason",
        "notice",
        "message",
        "title",
        "confirmed",
        "act",
        "token",
    ];
    for reader in [&browser, &app.browser(FIREFOX)] {
        for page in &pages {
            for name in names {
                for value in ["/Swindled", "Swindled"] {
                    let response = reader.get(&format!("{page}?{name}={value}")).await;
                    let words = response.words();
                    assert!(!words.contains("windled"), "{page}?{name}: {words}");
                    assert_silent(&response);
                }
            }
        }
    }
}

/// The paths of all pages, with this session's for one device.
fn pages(session: &str) -> Vec<String> {
    let is_page = |path: &&str| {
        ![
            "/devices/changes",
            "/devices/sign-out-selected",
            "/account/export",
        ]
        .contains(path)
    };
    let routes = PAGES.iter().filter(|route| route.method == "GET");
    let paths = routes.map(|route| route.path).filter(is_page);
    paths
        .map(|path| path.replace("{id}", session).replace("{token}", "none"))
        .collect()
}

/// The former queries; one about a device names one that has ended.
fn queries(ended: &Device) -> impl Iterator<Item = String> {
    let id = ended.id();
    let with_id = move |query: &&str| match query.ends_with('=') {
        true => format!("{query}{id}"),
        false => (*query).to_owned(),
    };
    FORMER_QUERIES.iter().map(with_id)
}

async fn every_notice_is_shown_once(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.database.execute("UPDATE users SET is_admin = true");
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let device = format!("/devices/{}", current(&browser).await);
    let phone = format!("/devices/{}/sign-out", app.login(&ada, IPHONE).await.id());
    app.login(&ada, FIREFOX).await;
    let passwords = [
        ("current_password", PASSWORD),
        ("new_password", "a quite different passphrase"),
    ];
    let form = browser.form("/account", "/account/name").await;
    let shows = async |path: &str, fields: &[(&str, &str)], words: &str| {
        let response = browser.send(&form.aimed_at(path), fields).await;
        assert!(!response.location().contains('?'), "{response:?}");
        let shown = browser.follow(&response).await.expect(200);
        assert_eq!(shown.text.matches("role=\"status\"").count(), 1, "{path}");
        shown.expect_words(words);
        assert_silent(&browser.follow(&response).await.expect(200));
        assert_silent(&browser.get("/devices").await);
    };
    shows("/account/name", &[("full_name", "Ada King")], RENAMED).await;
    shows("/account/idle-limit", &[("idle_limit", "")], "Saved.").await;
    shows(
        "/account/alerts",
        &[],
        "Saved. You get no e-mail about new sign-ins.",
    )
    .await;
    shows(
        "/account/addresses",
        &[("addresses", "whole")],
        "Saved. Addresses are stored whole from now on.",
    )
    .await;
    shows(
        "/account/email/cancel",
        &[],
        "There is no pending change to cancel.",
    )
    .await;
    shows(
        "/account/password",
        &passwords,
        "Your password is changed. Your 2 other devices are signed out.",
    )
    .await;
    let name = [
        ("device_name", "My laptop"),
        ("shown_name", "Firefox on Windows"),
    ];
    shows(&format!("{device}/rename"), &name, "The name is saved.").await;
    shows(&phone, &[], "Safari on iPhone is signed out.").await;
    let tablet = format!("/devices/{}/sign-out", login_again(app, &ada).await.id());
    shows(&tablet, &[], "Safari on iPhone is signed out.").await;
    login_again(app, &ada).await;
    app.advance(SECOND);
    shows(
        "/devices/sign-out-others",
        &[],
        "Your other device, Safari on iPhone, is signed out.",
    )
    .await;
    let add = ["--name", "shop", "--scope", "tokens"];
    let key = Program::with(&app.database).add_key(&add).id;
    let revoke = format!("/admin/api-keys/{key}/revoke");
    shows(&revoke, &[], "The key is revoked.").await;
    shows("/sign-out", &[], "You are signed out on this device.").await;
}

async fn login_again(app: &TestApp, ada: &Person) -> Device {
    let ada = Person {
        password: "a quite different passphrase".into(),
        ..ada.clone()
    };
    app.login(&ada, IPHONE).await
}

async fn a_notice_outlives_the_session(app: &TestApp) {
    let (browser, _) = ada(app).await;
    let response = browser
        .submit(
            "/devices/sign-out-everywhere",
            "/devices/sign-out-everywhere",
            &[],
        )
        .await;
    assert_eq!(response.location(), "/sign-in");
    assert_eq!(browser.cookie(SESSION), None);
    let shown = browser.follow(&response).await.expect(200);
    shown.expect_words("You are signed out on this device and everywhere else.");
    assert_silent(&browser.follow(&response).await);
}

async fn a_notice_waits_through_a_redirect_to_sign_in(app: &TestApp) {
    let (browser, ada) = ada(app).await;
    let phone = app.login(&ada, IPHONE).await;
    let response = rename(&browser).await;
    let others = phone.delete("/api/v1/sessions/others").await;
    others.expect(200);
    let redirected = browser.follow(&response).await;
    assert!(redirected.is_to_sign_in());
    let shown = browser.follow(&redirected).await.expect(200);
    // Why one is there comes first.
    let shown = shown.expect_words("This device was signed out from Safari on iPhone");
    assert!(!shown.words().contains(RENAMED), "{shown:?}");
}

async fn a_notice_outlives_a_sign_in(app: &TestApp) {
    let (browser, ada) = ada(app).await;
    let phone = app.login(&ada, IPHONE).await;
    rename(&browser).await;
    let others = phone.delete("/api/v1/sessions/others").await;
    others.expect(200);
    let notice = laid_aside(&browser);
    browser.sign_in(&ada).await.expect(303);
    browser.set_cookie(NOTICE, &notice);
    browser.get("/devices").await.expect_words(RENAMED);
    assert_silent(&browser.get("/devices").await);
}

async fn a_notice_is_not_shown_to_another_person(app: &TestApp) {
    let (browser, _) = ada(app).await;
    let bob = app.register("bob@example.org").await;
    rename(&browser).await;
    let notice = laid_aside(&browser);
    sign_out(&browser).await;
    browser.sign_in(&bob).await.expect(303);
    browser.set_cookie(NOTICE, &notice);
    assert_silent(&browser.get("/account").await.expect(200));
    assert_eq!(browser.cookie(NOTICE), None, "it is removed");
}

async fn nobody_who_is_signed_in_is_told_to_be_signed_out(app: &TestApp) {
    let (browser, ada) = ada(app).await;
    sign_out(&browser).await;
    let notice = laid_aside(&browser);
    browser.sign_in(&ada).await.expect(303);
    browser.set_cookie(NOTICE, &notice);
    assert_silent(&browser.get("/devices").await.expect(200));
    assert_eq!(browser.cookie(NOTICE), None);
}

async fn a_notice_is_shown_for_five_minutes(app: &TestApp) {
    let (browser, _) = ada(app).await;
    rename(&browser).await;
    app.advance(299 * SECOND);
    browser.get("/devices").await.expect_words(RENAMED);
    rename(&browser).await;
    app.advance(300 * SECOND);
    assert_silent(&browser.get("/devices").await.expect(200));
}

async fn a_page_that_is_not_seen_uses_up_no_notice(app: &TestApp) {
    let (browser, _) = ada(app).await;
    rename(&browser).await;
    let unseen = [
        ("GET", "sec-purpose", "prefetch"),
        ("GET", "sec-purpose", "prefetch;prerender"),
        ("GET", "purpose", "prefetch"),
        ("GET", "x-moz", "prefetch"),
        ("GET", "sec-fetch-dest", "image"),
        ("HEAD", "accept", "*/*"),
    ];
    for (method, name, value) in unseen {
        let request = app.anyone().request(method, "/account");
        let request = request.header("cookie", cookies(&browser));
        let response = TestResponse::to(request.header(name, value)).await;
        assert_eq!(
            names(&response),
            Vec::<String>::new(),
            "{method} {name}: {value}"
        );
        assert_silent(&response);
    }
    // Neither does a page that could not be shown.
    browser.get("/no-such-page").await.expect(404);
    browser.get("/devices/nonsense").await.expect(404);
    browser.get("/account").await.expect_words(RENAMED);
}

async fn of_tabs_that_load_at_once_one_shows_the_notice(app: &TestApp) {
    let (browser, _) = ada(app).await;
    rename(&browser).await;
    let tabs = ["/account", "/devices", "/account", "/devices"];
    let responses = join_all(tabs.map(|path| get(app, path, cookies(&browser)))).await;
    let showing = responses.iter().filter(|page| page.text.contains(RENAMED));
    assert_eq!(showing.count(), 1);
}

/// A page is loading while another tab gives the password. Its response arrives last.
async fn a_tab_that_shows_a_notice_brings_no_old_cookie_back(app: &TestApp) {
    let (browser, _) = ada(app).await;
    let response = rename(&browser).await;
    assert_eq!(
        names(&response),
        [NOTICE],
        "the session cookie stays as it is"
    );
    let old = cookies(&browser);
    let form = browser.form("/confirm", "/confirm").await;
    let confirmed = browser.send(&form, &[("password", PASSWORD)]).await;
    let set = names(&confirmed);
    assert!(set.iter().all(|name| name == SESSION), "{set:?}");

    let late = get(app, "/account", old).await.expect(200);
    assert_eq!(names(&late), [NOTICE]);
    late.expect_words(RENAMED);
    browser.forget_cookie(NOTICE);
    app.advance(60 * SECOND);
    browser.get("/devices").await.expect(200);
    assert_eq!(app.database.sessions_where("is_active"), 1);
}

async fn a_cookie_of_another_browser_is_void(app: &TestApp) {
    let (browser, ada) = ada(app).await;
    let other = app.signed_in_browser(&ada, FIREFOX).await;
    rename(&browser).await;
    let notice = browser.cookie(NOTICE).expect("a notice");
    other.set_cookie(NOTICE, &notice);
    assert_silent(&other.get("/account").await.expect(200));
    let stranger = app.browser(FIREFOX);
    stranger.get("/sign-in").await.expect(200);
    stranger.set_cookie(NOTICE, &notice);
    assert_silent(&stranger.get("/sign-in").await.expect(200));
    browser.get("/account").await.expect_words(RENAMED);
}

async fn a_cookie_that_is_not_genuine_is_removed(app: &TestApp) {
    let (browser, _) = ada(app).await;
    rename(&browser).await;
    let notice = laid_aside(&browser);
    let session = browser.cookie(SESSION).expect("a session");
    let (cut, long) = (&notice[1..], "A".repeat(3000));
    for bad in ["x", "%00%ff", cut, &session, &long, "\"{}\""] {
        browser.set_cookie(NOTICE, bad);
        assert_silent(&browser.get("/account").await.expect(200));
        assert_eq!(browser.cookie(NOTICE), None, "{bad:?}");
    }
    browser.set_cookie(SESSION, &notice);
    assert!(browser.get("/account").await.is_to_sign_in());
}

async fn a_genuine_cookie_among_others_is_found(app: &TestApp) {
    let (browser, _) = ada(app).await;
    rename(&browser).await;
    let own = cookies(&browser);
    let all = format!("{NOTICE}=planted; theme=\"dark\"; {own}; {NOTICE}=old");
    let page = get(app, "/account", all).await.expect(200);
    page.expect_words(RENAMED);
}

async fn a_notice_survives_a_rotation_of_the_keys(app: &TestApp) {
    let (browser, _) = ada(app).await;
    rename(&browser).await;
    let another = laid_aside(&browser);
    rename(&browser).await;
    app.rotate_keys(&[KeyKind::Cookie], Start::Now).await;
    browser.get("/account").await.expect_words(RENAMED);
    // What a revoked key sealed is void.
    app.revoke_first_key(KeyKind::Cookie).await;
    browser.set_cookie(NOTICE, &another);
    assert_silent(&browser.get("/sign-in").await.expect(200));
}

async fn a_sign_out_is_stated_only_if_the_rows_agree(app: &TestApp) {
    let (browser, ada) = ada(app).await;
    app.login(&ada, IPHONE).await;
    let form = browser.form("/account", "/account/name").await;
    let others = form.aimed_at("/devices/sign-out-others");
    let response = browser.send(&others, &[]).await;
    // Meanwhile another device signs in.
    app.login(&ada, IPHONE).await;
    let shown = browser.follow(&response).await.expect(200);
    shown.expect_words(
        "Another device, Safari on iPhone, signed in after you opened the page, so it stays signed in.",
    );
    assert_silent(&browser.follow(&response).await.expect(200));
}

async fn ada(app: &TestApp) -> (Browser, Person) {
    let ada = app.register("ada@example.org").await;
    (app.signed_in_browser(&ada, FIREFOX).await, ada)
}

async fn rename(browser: &Browser) -> TestResponse {
    let fields = [("full_name", "Ada King")];
    let response = browser.submit("/account", "/account/name", &fields).await;
    assert_eq!(response.location(), "/account");
    response
}

async fn sign_out(browser: &Browser) {
    let response = browser.submit("/account", "/sign-out", &[]).await;
    assert_eq!(response.location(), "/sign-in");
}

/// Takes the notice out of the browser, so that no page uses it up meanwhile.
fn laid_aside(browser: &Browser) -> String {
    let notice = browser.cookie(NOTICE).expect("a notice");
    browser.forget_cookie(NOTICE);
    notice
}

/// The id of the browser's session.
async fn current(browser: &Browser) -> String {
    let session = browser.get("/api/v1/sessions/current").await.expect(200);
    session.json()["id"].as_str().expect("an id").to_owned()
}

/// The cookies that the browser would send now.
fn cookies(browser: &Browser) -> String {
    let pairs = [SESSION, DEVICE, NOTICE]
        .into_iter()
        .filter_map(|name| Some(format!("{name}={}", browser.cookie(name)?)));
    pairs.collect::<Vec<_>>().join("; ")
}

async fn get(app: &TestApp, path: &str, cookies: String) -> TestResponse {
    let request = app.anyone().request("GET", path);
    TestResponse::to(request.header("cookie", cookies)).await
}

/// The names of the cookies that the response sets or removes.
fn names(response: &TestResponse) -> Vec<String> {
    let values = response.headers.get_all("set-cookie").iter();
    let cookies = values.map(|value| value.to_str().expect("a cookie of text"));
    cookies
        .filter_map(|cookie| Some(cookie.split_once('=')?.0.to_owned()))
        .collect()
}

#[track_caller]
fn assert_silent(page: &TestResponse) {
    let words = html::words(&page.text);
    assert!(!page.text.contains("role=\"status\""), "{words}");
    assert!(!words.contains("may know your password"), "{words}");
}
