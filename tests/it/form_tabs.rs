//! Forms of pages that another tab has overtaken, browsers that send no cookies, forged forms, and
//! forms that are sent twice.

use rollcall::server::routes::{Access, PAGES};

use crate::support::html::{self, Form};
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::response::path_of;
use crate::support::smtp::SmtpServer;

on_both!(
    app: of_two_first_visits_at_once_each_form_works,
    without_the_browsers_word_an_outdated_form_is_shown_again,
    an_outdated_form_keeps_what_was_typed,
    a_sign_in_in_another_tab_stops_no_form,
    a_form_of_a_session_that_ended_leads_back_to_its_page,
    every_form_leads_back_to_a_page,
    a_form_of_an_earlier_session_leads_back_to_its_page,
    a_browser_without_cookies_is_told_so,
    a_forged_form_signs_nobody_in,
    a_page_of_ours_is_known_by_its_origin,
    a_form_that_is_sent_twice_does_it_once,
    two_sign_ups_at_once_make_one_account,
);
on_both!(
    database: a_page_of_ours_is_known_by_the_public_url,
    a_page_on_plain_http_is_none_of_a_service_with_https,
    the_page_of_a_link_is_shown_again,
    the_forms_about_messages_are_shown_again,
);

/// What a browser says of a form on a page of ours.
const OWN: [(&str, &str); 1] = [("sec-fetch-site", "same-origin")];

/// Returns the form of a first visit that happens at the same time as the browser's own: with
/// another device cookie, which the browser's own replaces.
async fn overtaken(app: &TestApp, browser: &Browser, page: &str) -> Form {
    let form = app.browser(FIREFOX).form(page, page).await;
    browser.get(page).await.expect(200);
    form
}

fn typed(ada: &Person) -> [(&str, &str); 2] {
    [("email", &ada.email), ("password", &ada.password)]
}

async fn of_two_first_visits_at_once_each_form_works(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    let first = overtaken(app, &browser, "/sign-in").await;
    let signed_in = browser.send_with(&first, &typed(&ada), &OWN).await;
    assert_eq!(signed_in.location(), "/devices");
    browser.get("/devices").await.expect(200);

    let browser = app.browser(FIREFOX);
    let first = overtaken(app, &browser, "/sign-up").await;
    let fields = [
        ("full_name", "Bob"),
        ("email", "bob@example.org"),
        ("password", PASSWORD),
    ];
    browser.send_with(&first, &fields, &OWN).await.expect(303);
    browser.get("/devices").await.expect(200);
}

async fn without_the_browsers_word_an_outdated_form_is_shown_again(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    let first = overtaken(app, &browser, "/sign-in").await;
    let again = browser.send(&first, &typed(&ada)).await.expect(403);
    assert_eq!(app.database.sessions_where("is_active"), 0);
    assert!(again.words().contains("send the form again"), "{again:?}");
    assert_eq!(value_of(&again.text, "email"), ada.email);
    assert_eq!(value_of(&again.text, "password"), "");
    let form = html::forms(&again.text).remove(0);
    let signed_in = browser.send(&form, &typed(&ada)).await;
    assert_eq!(signed_in.location(), "/devices");
}

async fn an_outdated_form_keeps_what_was_typed(app: &TestApp) {
    let browser = app.browser(FIREFOX);
    let page = "/sign-in?next=/account";
    let form = app.browser(FIREFOX).form(page, "/sign-in").await;
    browser.get("/sign-in").await.expect(200);
    let fields = [
        ("email", "a\"b@example.org"),
        ("password", "secret words"),
        ("remember", "on"),
    ];
    let again = browser.send(&form, &fields).await.expect(403);
    assert_eq!(value_of(&again.text, "email"), "a\"b@example.org");
    assert_eq!(value_of(&again.text, "next"), "/account");
    assert!(again.text.contains("value=\"on\" checked"), "{again:?}");
    assert!(!again.text.contains("secret words"));

    let form = overtaken(app, &browser, "/sign-up").await;
    let fields = [
        ("full_name", "Ada L"),
        ("email", "ada@example.org"),
        ("password", "secret words"),
    ];
    let again = browser.send(&form, &fields).await.expect(403);
    assert_eq!(value_of(&again.text, "full_name"), "Ada L");
    assert_eq!(value_of(&again.text, "email"), "ada@example.org");
    assert!(!again.text.contains("secret words"));
    let form = html::forms(&again.text).remove(0);
    browser.send(&form, &fields).await.expect(303);
}

async fn a_sign_in_in_another_tab_stops_no_form(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let bob = app.register("bob@example.org").await;
    let browser = app.browser(FIREFOX);
    let before = browser.form("/sign-in?next=/account", "/sign-in").await;
    let other = browser.form("/sign-in", "/sign-in").await;
    browser.sign_in(&ada).await.expect(303);

    // The same person goes where the form leads, and has one session.
    let again = browser.send(&before, &typed(&ada)).await;
    assert_eq!(again.location(), "/account");
    assert_eq!(app.database.sessions_where("is_active"), 1);
    // Another one takes the place of the first.
    browser.send(&other, &typed(&bob)).await.expect(303);
    let me = browser.get("/api/v1/me").await.expect(200).json();
    assert_eq!(me["email"], "bob@example.org");
    assert_eq!(app.database.sessions_where("is_active"), 1);
    // Back at the form, somebody who is signed in goes where it leads.
    let back = browser.get("/sign-in?next=/account").await;
    assert_eq!(back.location(), "/account");
    // A form from before the sign-out works after it, too.
    let during = before;
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    let again = browser.send(&during, &typed(&ada)).await;
    assert_eq!(again.location(), "/account");
}

async fn a_form_of_a_session_that_ended_leads_back_to_its_page(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let rename = browser.form("/account", "/account/name").await;
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    let fields = [("full_name", "Countess")];
    let refused = browser.send(&rename, &fields).await;
    assert_eq!(refused.location(), "/sign-in?next=%2Faccount");
    let signed_in = browser
        .submit(refused.location(), "/sign-in", &typed(&ada))
        .await;
    assert_eq!(signed_in.location(), "/account");

    // One that expired, or was ended elsewhere, leaves its cookie.
    let rename = browser.form("/account", "/account/name").await;
    app.login(&ada, IPHONE)
        .await
        .delete("/api/v1/sessions/others")
        .await
        .expect(200);
    let refused = browser.send(&rename, &fields).await;
    assert_eq!(refused.location(), "/sign-in?next=%2Faccount");
}

/// After sign-in a person is at the page whose form they sent.
async fn every_form_leads_back_to_a_page(app: &TestApp) {
    let is_page = |path: &str| {
        PAGES
            .iter()
            .any(|route| route.method == "GET" && route.path == path)
    };
    let signed_in = PAGES
        .iter()
        .filter(|route| route.method == "POST")
        .filter(|route| matches!(route.access, Access::SignedIn | Access::Admin));
    for route in signed_in {
        let id = "019ab0de-0000-7000-8000-000000000000";
        let path = route.path.replace("{id}", id);
        let response = app.browser(FIREFOX).post(&path, &[]).await;
        assert!(response.is_to_sign_in(), "{path}: {response:?}");
        let next = response.location().split_once("next=");
        let next = next.map_or("/devices".into(), |(_, next)| next.replace("%2F", "/"));
        assert!(is_page(&next.replace(id, "{id}")), "{path} leads to {next}");
    }
}

async fn a_form_of_an_earlier_session_leads_back_to_its_page(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let bob = app.register("bob@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let delete = browser.form("/account/delete", "/account/delete").await;
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    browser.sign_in(&bob).await.expect(303);
    let refused = browser
        .send_with(&delete, &[("typed", "ada@example.org")], &OWN)
        .await
        .expect(403);
    assert!(html::attributes(&refused.text, "href").contains(&"/account/delete".to_owned()));
    let people = "SELECT count(*) AS value FROM users";
    assert_eq!(app.database.number(people), 2);
}

/// Without cookies every request is a first visit.
async fn a_browser_without_cookies_is_told_so(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    for headers in [&[][..], &OWN] {
        for (page, fields) in [
            ("/sign-in", &typed(&ada)[..]),
            (
                "/sign-up",
                &[
                    ("full_name", "Ada L"),
                    ("email", "new@example.org"),
                    ("password", PASSWORD),
                ],
            ),
        ] {
            let form = app.browser(FIREFOX).form(page, page).await;
            let response = app
                .browser(FIREFOX)
                .send_with(&form, fields, headers)
                .await
                .expect(403);
            let email = fields.iter().find(|(name, _)| *name == "email");
            let (_, email) = email.expect("an e-mail");
            assert_eq!(value_of(&response.text, "email"), *email, "{page}");
            assert!(!response.text.contains(PASSWORD), "{page}");
            response.expect_words("Your browser sent no cookies");
        }
    }
    assert_eq!(app.database.sessions_where("is_active"), 0);
    let people = "SELECT count(*) AS value FROM users";
    assert_eq!(app.database.number(people), 1);
}

async fn a_forged_form_signs_nobody_in(app: &TestApp) {
    let eve = app.register("eve@example.org").await;
    let victim = app.browser(FIREFOX);
    let theirs = victim.form("/sign-in", "/sign-in").await;
    let hers = app.browser(FIREFOX).form("/sign-in", "/sign-in").await;
    let elsewhere: [&[(&str, &str)]; 7] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-origin"),
        ],
        &[("origin", "https://evil.example")],
        &[("origin", "http://127.0.0.1:1")],
        &[("origin", "http://localhost")],
        &[("origin", &app.base()), ("sec-fetch-site", "cross-site")],
    ];
    for headers in elsewhere {
        // Not even with the token that the browser itself was given.
        for form in [&theirs, &hers] {
            let refused = victim.send_with(form, &typed(&eve), headers).await;
            assert_eq!(refused.status, 403, "{headers:?}");
            // A stranger writes nothing into our page.
            assert!(!refused.text.contains(&eve.email), "{headers:?}");
        }
    }
    for headers in [
        &[][..],
        &[("origin", "null")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "nonsense")],
    ] {
        let refused = victim.send_with(&hers, &typed(&eve), headers).await;
        assert_eq!(refused.status, 403, "{headers:?}");
    }
    // The browser vouches for the form, and not for a token.
    for token in ["", "nonsense", "AAAA", &"A".repeat(64)] {
        let forged = Form {
            action: "/sign-in".into(),
            hidden: vec![("csrf".into(), token.into())],
        };
        let refused = victim.send_with(&forged, &typed(&eve), &OWN).await;
        assert_eq!(refused.status, 403, "{token}");
    }
    assert_eq!(app.database.sessions_where("is_active"), 0);
    victim.send(&theirs, &typed(&eve)).await.expect(303);

    // The forms of a session are not sent from elsewhere, either.
    let rename = victim.form("/account", "/account/name").await;
    let fields = [("full_name", "Changed")];
    for headers in elsewhere {
        victim
            .send_with(&rename, &fields, headers)
            .await
            .expect(403);
    }
    let changed = "SELECT count(*) AS value FROM users WHERE full_name = 'Changed'";
    assert_eq!(app.database.number(changed), 0);
}

async fn a_page_of_ours_is_known_by_its_origin(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    for headers in [
        [("origin", app.base())],
        [("origin", app.base().to_uppercase())],
    ] {
        let browser = app.browser(FIREFOX);
        let first = overtaken(app, &browser, "/sign-in").await;
        let [(name, value)] = &headers;
        let signed_in = browser
            .send_with(&first, &typed(&ada), &[(name, value)])
            .await;
        assert_eq!(signed_in.location(), "/devices", "{headers:?}");
    }
}

/// A proxy may replace `Host`.
async fn a_page_of_ours_is_known_by_the_public_url(database: Database) {
    let url = "http://login.example.org:8443".parse().expect("a URL");
    let app = TestApp::start_with(database, |settings| settings.public_url = Some(url)).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    for (origin, status) in [
        ("http://login.example.org", 403),
        ("https://login.example.org:8443", 403),
        ("http://login.example.org:8443", 303),
    ] {
        let first = overtaken(&app, &browser, "/sign-in").await;
        let headers = [("origin", origin)];
        let response = browser.send_with(&first, &typed(&ada), &headers).await;
        assert_eq!(response.status, status, "{origin}");
    }
    app.stop().await;
}

async fn a_page_on_plain_http_is_none_of_a_service_with_https(database: Database) {
    let url = "https://login.example.org".parse().expect("a URL");
    let app = TestApp::start_with(database, |settings| settings.public_url = Some(url)).await;
    let ada = app.register("ada@example.org").await;
    let host = app.base();
    for (origin, status) in [
        (host.clone(), 403),
        ("http://login.example.org".into(), 403),
        (host.replace("http://", "https://"), 303),
        ("https://login.example.org".into(), 303),
    ] {
        let browser = app.browser(FIREFOX);
        let first = overtaken(&app, &browser, "/sign-in").await;
        let headers = [("origin", origin.as_str())];
        let response = browser.send_with(&first, &typed(&ada), &headers).await;
        assert_eq!(response.status, status, "{origin}");
    }
    app.stop().await;
}

async fn a_form_that_is_sent_twice_does_it_once(app: &TestApp) {
    let browser = app.browser(FIREFOX);
    // Sign-up: the second one finds the account that the first one made.
    let form = browser.form("/sign-up", "/sign-up").await;
    let fields = [
        ("full_name", "Ada"),
        ("email", "ada@example.org"),
        ("password", PASSWORD),
    ];
    for _ in 0..2 {
        assert_eq!(browser.send(&form, &fields).await.location(), "/devices");
    }
    let people = "SELECT count(*) AS value FROM users";
    assert_eq!(app.database.number(people), 1);
    assert_eq!(app.database.sessions_where("is_active"), 1);
    // Another browser, or another password, is another person.
    app.browser(FIREFOX)
        .submit("/sign-up", "/sign-up", &fields)
        .await
        .expect(409);
    let fields = [fields[0], fields[1], ("password", "another passphrase")];
    browser
        .send(&form, &fields)
        .await
        .expect(409)
        .expect_words("already belongs to an account");

    let sign_out = browser.form("/devices", "/sign-out").await;
    for _ in 0..2 {
        assert!(browser.send(&sign_out, &[]).await.is_to_sign_in());
    }
    let ada = Person {
        email: "ada@example.org".into(),
        password: PASSWORD.into(),
    };
    let sign_in = browser.form("/sign-in", "/sign-in").await;
    let fields = typed(&ada);
    let (first, second) = tokio::join!(
        browser.send(&sign_in, &fields),
        browser.send(&sign_in, &fields)
    );
    assert_eq!((first.status, second.status), (303, 303));
    assert_eq!(app.database.sessions_where("is_active"), 1);

    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let rename = browser.form("/account", "/account/name").await;
    for _ in 0..2 {
        let response = browser.send(&rename, &[("full_name", "Countess")]).await;
        assert_eq!(path_of(response.location()), "/account");
    }
}

async fn two_sign_ups_at_once_make_one_account(app: &TestApp) {
    let browser = app.browser(FIREFOX);
    let form = browser.form("/sign-up", "/sign-up").await;
    let fields = [
        ("full_name", "Ada"),
        ("email", "ada@example.org"),
        ("password", PASSWORD),
    ];
    let (first, second) = tokio::join!(browser.send(&form, &fields), browser.send(&form, &fields));
    // The second one may find the account before there is a session of this browser.
    for response in [first, second] {
        assert!([303, 409].contains(&response.status), "{response:?}");
    }
    browser.get("/devices").await.expect(200);
    let people = "SELECT count(*) AS value FROM users";
    assert_eq!(app.database.number(people), 1);
    assert_eq!(app.database.sessions_where("is_active"), 1);
}

async fn the_page_of_a_link_is_shown_again(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let path = reset_link(&app, &ada);
    let form = app.browser(FIREFOX).form(&path, &path).await;
    let fields = [("new_password", "another passphrase")];

    let without_cookies = app.browser(FIREFOX).send(&form, &fields).await.expect(403);
    let page = without_cookies.expect_words("Your browser sent no cookies");
    assert_eq!(path_of(&html::forms(&page.text)[0].action), path);
    let browser = app.browser(FIREFOX);
    browser.get("/sign-in").await.expect(200);
    let again = browser.send(&form, &fields).await.expect(403);
    let form = html::forms(&again.text).remove(0);
    browser.send(&form, &fields).await.expect(303);
    assert_eq!(app.try_login(&ada, FIREFOX).await.status, 401);

    // Of a link that is not genuine no more is told.
    let forged = form.aimed_at("/reset-password/forged");
    app.browser(FIREFOX)
        .send(&forged, &fields)
        .await
        .expect(403);
    app.stop().await;
}

/// The forms that a message leads to, and the one that asks for it.
async fn the_forms_about_messages_are_shown_again(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |_| {}).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    let form = overtaken(&app, &browser, "/forgot-password").await;
    let fields = [("email", "ada@example.org")];
    let again = browser.send(&form, &fields).await.expect(403);
    assert_eq!(value_of(&again.text, "email"), "ada@example.org");
    assert_eq!(app.deliver_mail().await, 0);
    let form = html::forms(&again.text).remove(0);
    for _ in 0..2 {
        browser.send(&form, &fields).await.expect(200);
    }
    assert_eq!(app.deliver_mail().await, 1);

    app.login_from(&ada, FIREFOX, "192.0.2.1", None).await;
    app.login_from(&ada, IPHONE, "192.0.2.2", None).await;
    app.deliver_mail().await;
    let not_me = server.messages().pop().expect("a message").link("/not-me/");
    app.register_unverified("bob@example.org").await;
    app.deliver_mail().await;
    let verify = server.messages().pop().expect("a message");
    let verify = verify.link("/verify-email/");
    for (link, fields) in [
        (not_me, &[("answer", "mine")][..]),
        (verify, &[("answer", "mine"), ("password", PASSWORD)]),
    ] {
        let form = overtaken(&app, &browser, &link).await;
        let again = browser.send(&form, fields).await.expect(403);
        assert!(again.words().contains("send the form again"), "{again:?}");
        let form = html::forms(&again.text).remove(0);
        let response = browser.send(&form, fields).await;
        assert!([200, 303].contains(&response.status), "{response:?}");
    }
    server.stop();
    app.stop().await;
}

/// Returns the path of a link that sets a person's password.
fn reset_link(app: &TestApp, person: &Person) -> String {
    let run = Program::with(&app.database).run(&["user", "reset-link", &person.email]);
    let output = run.expect_done();
    let (_, token) = output.split_once("/reset-password/").expect("a link");
    // The command's clock is the real one.
    app.database
        .execute("UPDATE password_resets SET expires_at = '2031-05-17 09:00:00.000000'");
    format!("/reset-password/{}", token.trim())
}

/// Returns the value of a field on the page.
fn value_of(page: &str, name: &str) -> String {
    let marker = format!("name=\"{name}\"");
    let input = page
        .split("<input")
        .skip(1)
        .filter_map(|rest| rest.split_once('>').map(|(input, _)| input))
        .find(|input| input.contains(&marker))
        .unwrap_or_else(|| panic!("no field {name} on the page"));
    html::attributes(input, "value")
        .into_iter()
        .next()
        .unwrap_or_default()
}
