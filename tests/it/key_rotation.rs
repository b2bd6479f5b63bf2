//! Rotating and revoking keys while the service runs: what was issued stays good at every moment
//! and on every node, until a key is revoked.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall::keys::{KeyKind, Start};
use rollcall::settings::{MailTls, Settings};
use serde_json::Value;

use crate::support::api::Anyone;
use crate::support::app::{Node, behind_proxy};
use crate::support::html;
use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;

on_both!(
    app: a_new_signing_key_is_published_before_it_signs,
    a_signing_key_rotated_now_signs_at_once,
    a_new_cookie_key_is_known_before_it_seals,
    a_cookie_of_an_old_key_is_renewed_by_the_next_response_that_sets_it,
    a_cookie_opens_beside_other_cookies,
    the_tokens_of_a_revoked_signing_key_are_refused,
    what_a_revoked_cookie_key_sealed_is_refused,
    two_rotations_at_once_add_two_keys,
    fifty_rotations_sign_nobody_out,
    old_keys_are_deleted_when_nothing_they_made_can_be_valid,
);
on_both!(
    database: two_nodes_accept_what_either_issued_throughout_a_rotation,
    a_link_of_an_old_cookie_key_works_until_the_key_is_revoked,
);

const SESSION: &str = "rollcall_session";
const SIGNING: &[KeyKind] = &[KeyKind::Signing];
const COOKIE: &[KeyKind] = &[KeyKind::Cookie];
/// How long a key is known before it is used: the cache time of the JWKS, and a minute.
const NOTICE: Duration = Duration::from_secs(360);
const SECOND: Duration = Duration::from_secs(1);

async fn a_new_signing_key_is_published_before_it_signs(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let old = kid(&app.login(&ada, FIREFOX).await);
    app.rotate_keys(SIGNING, Start::Announced).await;
    let published = published(app).await;
    assert_eq!(published.len(), 2);
    let response = app.anyone().get("/.well-known/jwks.json").await;
    let cached: u64 = response.header("cache-control")["public, max-age=".len()..]
        .parse()
        .expect("seconds");
    assert!(NOTICE > Duration::from_secs(cached + 5));

    app.advance(NOTICE - SECOND);
    let laptop = app.login(&ada, FIREFOX).await;
    assert_eq!(kid(&laptop), old);
    app.advance(SECOND);
    let phone = app.login(&ada, IPHONE).await;
    assert_ne!(kid(&phone), old);
    assert!(published.contains(&kid(&phone)));
    laptop.current().await.expect(200);
    phone.current().await.expect(200);
}

async fn a_signing_key_rotated_now_signs_at_once(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    // One that waits does not take over again.
    app.rotate_keys(SIGNING, Start::Announced).await;
    app.rotate_keys(SIGNING, Start::Now).await;
    let new = kid(&app.login(&ada, FIREFOX).await);
    assert_ne!(new, kid(&laptop));
    laptop.current().await.expect(200);
    app.advance(NOTICE);
    assert_eq!(kid(&app.login(&ada, FIREFOX).await), new);
}

async fn a_new_cookie_key_is_known_before_it_seals(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.rotate_keys(COOKIE, Start::Announced).await;
    app.advance(NOTICE - SECOND);
    let (before, token_before) = signed_in(app, &ada).await;
    app.advance(SECOND);
    let (after, token_after) = signed_in(app, &ada).await;
    app.revoke_first_key(KeyKind::Cookie).await;
    assert!(before.get("/devices").await.is_to_sign_in());
    app.anyone()
        .refresh(&token_before)
        .await
        .problem(401, "invalid_token");
    after.get("/devices").await.expect(200);
    app.anyone().refresh(&token_after).await.expect(200);
}

async fn a_cookie_of_an_old_key_is_renewed_by_the_next_response_that_sets_it(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/confirm", "/confirm").await;
    let old = browser.cookie(SESSION);
    app.rotate_keys(COOKIE, Start::Now).await;
    let page = browser.get("/devices").await.expect(200);
    assert!(!page.headers.contains_key("set-cookie"));
    assert_eq!(browser.cookie(SESSION), old);
    // The form's CSRF token is of the old key as well.
    let confirmed = browser.send(&form, &[("password", PASSWORD)]).await;
    confirmed.expect(303);
    assert_ne!(browser.cookie(SESSION), old);
    app.revoke_first_key(KeyKind::Cookie).await;
    browser.get("/devices").await.expect(200);
}

/// What stands beside the session cookie in the header is other services' business.
async fn a_cookie_opens_beside_other_cookies(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let own = browser.cookie(SESSION).expect("a cookie");
    for (cookies, status) in [
        (format!("a=1; {SESSION}={own}; b=2"), 200),
        (format!("name=Zoë; {SESSION}={own}"), 200),
        (format!("broken;;=; {SESSION}={own};"), 200),
        (format!("{SESSION}={own}; {SESSION}=forged"), 200),
        (format!("{SESSION}=forged"), 303),
        (format!("{SESSION}="), 303),
        (format!("{SESSION}; x"), 303),
        ("rollcall_session_=1".into(), 303),
    ] {
        let request = app.anyone().request("GET", "/devices");
        let request = request.header("cookie", cookies.as_bytes());
        let response = TestResponse::to(request).await;
        assert_eq!(response.status, status, "{cookies}");
    }
}

async fn the_tokens_of_a_revoked_signing_key_are_refused(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    let old = kid(&laptop);
    app.revoke_first_key(KeyKind::Signing).await;
    laptop.current().await.problem(401, "invalid_token");
    assert!(!published(app).await.contains(&old));
    laptop.refresh().await;
    laptop.current().await.expect(200);
    assert_eq!(published(app).await, [kid(&laptop)]);
}

async fn what_a_revoked_cookie_key_sealed_is_refused(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let (browser, token) = signed_in(app, &ada).await;
    let laptop = app.login(&ada, FIREFOX).await;
    let form = browser.form("/confirm", "/confirm").await;
    let cookie = browser.cookie(SESSION).expect("a cookie");
    app.revoke_first_key(KeyKind::Cookie).await;
    assert!(browser.get("/devices").await.is_to_sign_in());
    app.anyone()
        .refresh(&token)
        .await
        .problem(401, "invalid_token");
    laptop.current().await.expect(200);
    // Signed in again, the CSRF token of the former form is void.
    let mut fields = vec![("password", PASSWORD)];
    let again = app.signed_in_browser(&ada, FIREFOX).await;
    again.send(&form, &fields).await.expect(403);
    let form = again.form("/confirm", "/confirm").await;
    fields.truncate(1);
    again.send(&form, &fields).await.expect(303);
    again.set_cookie(SESSION, &cookie);
    assert!(again.get("/devices").await.is_to_sign_in());
}

async fn two_rotations_at_once_add_two_keys(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let (browser, token) = signed_in(app, &ada).await;
    app.rotate_keys(&[], Start::Announced).await;
    app.rotate_keys(&[], Start::Announced).await;
    assert_eq!(published(app).await.len(), 3);
    for _ in 0..3 {
        app.advance(NOTICE / 2);
        app.login(&ada, IPHONE).await.current().await.expect(200);
        browser.get("/devices").await.expect(200);
    }
    app.anyone().refresh(&token).await.expect(200);
}

async fn fifty_rotations_sign_nobody_out(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let (browser, token) = signed_in(app, &ada).await;
    for _ in 0..50 {
        app.rotate_keys(&[], Start::Now).await;
    }
    browser.get("/devices").await.expect(200);
    app.anyone().refresh(&token).await.expect(200);
    app.login(&ada, IPHONE).await.current().await.expect(200);
}

async fn old_keys_are_deleted_when_nothing_they_made_can_be_valid(app: &TestApp) {
    let key_count = || {
        let path = app.database.folder().join("rollcall.secrets");
        let file = std::fs::read_to_string(path).expect("the file");
        let count = |table: &str| file.matches(table).count();
        (count("[[signing_keys]]"), count("[[cookie_keys]]"))
    };
    app.rotate_keys(&[], Start::Announced).await;
    // A replaced signing key has signed until then; a token lives for 5 minutes, and an hour is
    // the margin.
    app.advance(NOTICE + Duration::from_secs(65 * 60) - SECOND);
    app.rotate_keys(SIGNING, Start::Announced).await;
    assert_eq!(key_count(), (3, 2));
    app.advance(SECOND);
    app.rotate_keys(SIGNING, Start::Announced).await;
    assert_eq!(key_count(), (3, 2), "the first one is deleted");
    // A cookie lives for 400 days.
    let cookie_life = Duration::from_secs(400 * 24 * 60 * 60);
    app.advance(cookie_life - Duration::from_secs(6 * 60 * 60));
    app.rotate_keys(COOKIE, Start::Announced).await;
    assert_eq!(key_count().1, 3);
    app.advance(Duration::from_secs(7 * 60 * 60));
    app.rotate_keys(COOKIE, Start::Announced).await;
    assert_eq!(key_count().1, 3, "the first one is deleted");
}

/// Only one node has read the file at first, as within the seconds after a rotation.
async fn two_nodes_accept_what_either_issued_throughout_a_rotation(database: Database) {
    let public = |settings: &mut Settings| {
        settings.public_url = "http://rollcall.example.org".parse().ok();
    };
    let app = TestApp::start_with(database, public).await;
    let other = app.another_node(public).await;
    let ada = app.register("ada@example.org").await;
    app.rotate_keys(&[], Start::Announced).await;
    let mut browsers = Vec::new();
    for (step, wait) in [0, 5, 54, 1, 1, 238, 60, 1, 1, 400].into_iter().enumerate() {
        app.advance(Duration::from_secs(wait));
        for (from, to) in [(app.base(), other.base()), (other.base(), app.base())] {
            let device = login_at(&from, &ada).await;
            device.at(to.clone()).current().await.expect(200);
            let anyone = Anyone::new(to.clone());
            anyone.refresh(&device.refresh_token).await.expect(200);
            let here = Browser::new(from, FIREFOX);
            here.sign_in(&ada).await.expect(303);
            let there = Browser::new(to, FIREFOX);
            there.set_cookie(SESSION, &here.cookie(SESSION).expect("a cookie"));
            let form = here.form("/confirm", "/confirm").await;
            let confirmed = there.send(&form, &[("password", PASSWORD)]).await;
            confirmed.expect(303);
            browsers.push(there);
        }
        for browser in &browsers {
            browser.get("/devices").await.expect(200);
        }
        if step == 0 {
            other.reload_keys().await;
        }
    }
    revoke_at_both(&app, &other, &browsers).await;
    other.stop().await;
    app.stop().await;
}

async fn revoke_at_both(app: &TestApp, other: &Node, browsers: &[Browser]) {
    // Those of the first steps are of the first key.
    app.revoke_first_key(KeyKind::Cookie).await;
    other.reload_keys().await;
    for browser in &browsers[..4] {
        assert!(browser.get("/devices").await.is_to_sign_in());
    }
    for browser in &browsers[browsers.len() - 4..] {
        browser.get("/devices").await.expect(200);
    }
    // The first signing key is old, the next one is in use.
    let ada = Person {
        email: "ada@example.org".into(),
        password: PASSWORD.into(),
    };
    let device = login_at(&other.base(), &ada).await;
    for status in [200, 401] {
        app.revoke_first_key(KeyKind::Signing).await;
        other.reload_keys().await;
        device.current().await.expect(status);
        device.at(app.base()).current().await.expect(status);
    }
    let device = login_at(&other.base(), &ada).await;
    device.at(app.base()).current().await.expect(200);
}

async fn a_link_of_an_old_cookie_key_works_until_the_key_is_revoked(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.mail.host = Some("127.0.0.1".into());
        settings.mail.port = Some(server.port());
        settings.mail.tls = MailTls::None;
        settings.jobs.mail_interval = Duration::from_secs(24 * 60 * 60);
    })
    .await;
    let ada = app.register("ada@example.org").await;
    app.browser_from(FIREFOX, "203.0.113.7").sign_in(&ada).await;
    app.advance(Duration::from_secs(60));
    let intruder = app.browser_from(IPHONE, "198.51.100.7");
    intruder.sign_in(&ada).await;
    app.deliver_mail().await;
    let text = server.wait_for(1).await.remove(0).plain();
    let base = app.base();
    let link = text
        .split_whitespace()
        .find_map(|word| word.strip_prefix(&base)?.strip_prefix("/not-me/"))
        .map(|token| format!("/not-me/{token}"))
        .expect("a link");

    app.rotate_keys(COOKIE, Start::Now).await;
    let reader = app.browser_from(FIREFOX, "192.0.2.200");
    let form = reader.form(&link, &link).await;
    app.rotate_keys(COOKIE, Start::Now).await;
    let page = reader.send(&form, &[("answer", "not-mine")]).await;
    assert!(intruder.get("/devices").await.is_to_sign_in());
    // The page has a ticket for a new password.
    let mut forms = html::forms(&page.expect(200).text).into_iter();
    let form = forms.find(|form| form.action.ends_with("/password"));
    app.rotate_keys(COOKIE, Start::Now).await;
    let new = [("new_password", "another battery staple")];
    let form = form.expect("a form for a password");
    reader.send(&form, &new).await.expect(303);
    // It is used, but genuine.
    reader.get(&link).await.expect(410);
    app.revoke_first_key(KeyKind::Cookie).await;
    reader.get(&link).await.expect(404);
    app.stop().await;
}

/// Returns a browser in which the person is signed in, and the refresh token of an API client.
async fn signed_in(app: &TestApp, person: &Person) -> (Browser, String) {
    let browser = app.signed_in_browser(person, FIREFOX).await;
    (browser, app.login(person, IPHONE).await.refresh_token)
}

async fn login_at(base: &str, person: &Person) -> Device {
    let body = json!({"email": person.email, "password": person.password});
    let anyone = Anyone::new(base.to_owned());
    let response = anyone.post("/api/v1/auth/login", &body).await.expect(200);
    Device::from_login(base.to_owned(), &response)
}

/// Returns the ids of the keys in the JWKS.
async fn published(app: &TestApp) -> Vec<String> {
    let response = app.anyone().get("/.well-known/jwks.json").await;
    let keys = response.expect(200).json()["keys"].clone();
    let id = |key: &Value| key["kid"].as_str().expect("a kid").to_owned();
    keys.as_array().expect("keys").iter().map(id).collect()
}

/// Returns the id of the key that signed the device's access token.
fn kid(device: &Device) -> String {
    let header = device.access_token.split('.').next().expect("a header");
    let header = URL_SAFE_NO_PAD.decode(header).expect("Base64");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a kid").to_owned()
}
