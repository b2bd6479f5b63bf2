//! Expired forms: what was typed is shown again, to the same person in the same browser, and nothing is
//! carried out before they send it again.

use crate::support::html::{self, Form};
use crate::support::prelude::*;

on_both!(
    app: after_a_sign_in_what_was_typed_is_there,
    a_form_of_an_earlier_session_is_shown_again,
    after_ones_own_sign_out_what_was_typed_is_there,
    a_step_up_that_expired_keeps_the_form_behind_it,
    an_administrators_form_is_shown_again,
    another_person_sees_nothing_of_it,
    another_site_has_nothing_shown,
    another_browser_has_nothing_shown,
    passwords_are_never_shown_again,
    what_is_too_long_stays_on_the_page_of_the_refusal,
    what_is_sent_or_cancelled_is_forgotten,
    a_field_is_what_it_is_on_its_own_page,
    the_sign_in_page_says_what_is_stored,
    a_password_that_was_not_changed_is_said,
    an_act_that_was_not_carried_out_is_said,
    a_second_press_of_a_sign_out_did_something,
    a_form_is_shown_for_half_an_hour,
    a_forged_token_shows_nothing,
    forms_without_text_lead_back_to_their_page,
);

/// What a browser says of a form on a page of ours.
const OWN: [(&str, &str); 1] = [("sec-fetch-site", "same-origin")];
const UNSENT: &str = "/unsent-form";

fn credentials(person: &Person) -> [(&str, &str); 2] {
    [("email", &person.email), ("password", &person.password)]
}

/// Ends the session of a browser from elsewhere.
async fn end_elsewhere(app: &TestApp, person: &Person) {
    let phone = app.login(person, IPHONE).await;
    phone.delete("/api/v1/sessions/others").await.expect(200);
}

/// Returns the form on the page that shows an unsent one.
async fn shown_again(browser: &Browser, action: &str) -> (Form, String) {
    let page = browser.get(UNSENT).await.expect(200);
    let page = page.expect_words("This was not sent");
    assert!(page.text.contains("<title>Error: "), "{page:?}");
    let form = html::forms_to(&page.text, action).remove(0);
    (form, page.text)
}

fn renamed(app: &TestApp, name: &str) -> i64 {
    let sql = format!("SELECT count(*) AS value FROM users WHERE full_name = '{name}'");
    app.database.number(&sql)
}

async fn after_a_sign_in_what_was_typed_is_there(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    end_elsewhere(app, &ada).await;
    let fields = [("full_name", "Ada \"of\" <Lovelace> é")];
    let refused = browser.send_with(&form, &fields, &OWN).await.expect(303);
    assert_eq!(refused.location(), "/sign-in?next=/unsent-form");
    let page = browser.follow(&refused).await.expect(200);
    page.expect_words("This device was signed out from Safari on iPhone");
    let signed_in = browser
        .submit(refused.location(), "/sign-in", &credentials(&ada))
        .await;
    assert_eq!(signed_in.location(), UNSENT);
    let (form, text) = shown_again(&browser, "/account/name").await;
    let values = html::attributes(&text, "value");
    assert!(values.contains(&fields[0].1.to_owned()), "{values:?}");
    assert_eq!(renamed(app, "Ada King"), 0);
    browser
        .send(&form, &[("full_name", "Ada King")])
        .await
        .expect(303);
    assert_eq!(renamed(app, "Ada King"), 1);
}

async fn a_form_of_an_earlier_session_is_shown_again(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    // Signed out and in again, as in another tab.
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    browser.sign_in(&ada).await.expect(303);
    let fields = [("full_name", "Ada King")];
    // Without the browser's word it is refused as before.
    browser.send(&form, &fields).await.expect(403);
    let refused = browser.send_with(&form, &fields, &OWN).await.expect(303);
    assert_eq!(refused.location(), UNSENT);
    assert_eq!(renamed(app, "Ada King"), 0);
    let (form, _) = shown_again(&browser, "/account/name").await;
    browser.send(&form, &fields).await.expect(303);
    assert_eq!(renamed(app, "Ada King"), 1);
}

async fn after_ones_own_sign_out_what_was_typed_is_there(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    let fields = [("full_name", "Ada King")];
    let refused = browser.send_with(&form, &fields, &OWN).await;
    browser
        .submit(refused.location(), "/sign-in", &credentials(&ada))
        .await
        .expect(303);
    shown_again(&browser, "/account/name").await;
    // The next sign-out forgets it.
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    assert_eq!(browser.cookie("rollcall_form"), None);
}

async fn a_step_up_that_expired_keeps_the_form_behind_it(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let session = browser.get("/api/v1/sessions/current").await.expect(200);
    let path = format!(
        "/devices/{}/rename",
        session.json()["id"].as_str().expect("an id")
    );
    let rename = browser.form("/confirm", "/confirm").await;
    end_elsewhere(app, &ada).await;
    let fields = [
        ("act", path.as_str()),
        ("device_name", "Laptop"),
        ("password", PASSWORD),
    ];
    let refused = browser.send_with(&rename, &fields, &OWN).await.expect(303);
    browser
        .submit(refused.location(), "/sign-in", &credentials(&ada))
        .await
        .expect(303);
    let (_, text) = shown_again(&browser, &path).await;
    assert!(html::attributes(&text, "value").contains(&"Laptop".to_owned()));
    assert!(!text.contains(PASSWORD), "{text}");
}

async fn an_administrators_form_is_shown_again(app: &TestApp) {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let bob = app.register("bob@example.org").await;
    let browser = app.signed_in_browser(&root, FIREFOX).await;
    let bob_id = crate::support::admin::id_of(app, &bob.email);
    let path = format!("/admin/users/{bob_id}/disable");
    let form = browser.form(&path, &path).await;
    end_elsewhere(app, &root).await;
    let fields = [("reason", "Left the company")];
    let refused = browser.send_with(&form, &fields, &OWN).await.expect(303);
    assert_eq!(refused.location(), "/sign-in?next=/unsent-form");
    browser
        .submit(refused.location(), "/sign-in", &credentials(&root))
        .await
        .expect(303);
    let (_, text) = shown_again(&browser, &path).await;
    assert!(
        html::words(&text).contains("Disable Ada Lovelace"),
        "{text}"
    );
    assert!(text.contains("Left the company"), "{text}");
    // To somebody who is no administrator any more it doesn't exist.
    app.database
        .execute("UPDATE users SET is_admin = false, is_auditor = false");
    let gone = browser.get(UNSENT).await.expect(303);
    assert_eq!(gone.location(), "/devices");
}

async fn another_person_sees_nothing_of_it(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let bob = app.register("bob@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    end_elsewhere(app, &ada).await;
    let fields = [("full_name", "Secret of Ada")];
    let refused = browser.send_with(&form, &fields, &OWN).await.expect(303);
    let signed_in = browser
        .submit(refused.location(), "/sign-in", &credentials(&bob))
        .await;
    let page = browser.follow(&signed_in).await.expect(303);
    assert_eq!(page.location(), "/devices");
    // Nor when they send it themselves.
    let refused = browser.send_with(&form, &fields, &OWN).await.expect(403);
    assert!(!refused.text.contains("Secret of Ada"), "{refused:?}");
    browser.get(UNSENT).await.expect(303);
    assert_eq!(renamed(app, "Secret of Ada"), 0);
}

async fn another_site_has_nothing_shown(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    end_elsewhere(app, &ada).await;
    let fields = [("full_name", "Written by Eve")];
    let elsewhere: [&[(&str, &str)]; 6] = [
        &[],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("origin", "https://evil.example")],
        &[("origin", &app.base()), ("sec-fetch-site", "cross-site")],
    ];
    for headers in elsewhere {
        let refused = browser.send_with(&form, &fields, headers).await;
        assert!([303, 403].contains(&refused.status), "{headers:?}");
        let leads = refused.header("location");
        assert!(!leads.contains("unsent"), "{headers:?}");
        assert!(!refused.text.contains("Written by Eve"), "{headers:?}");
        assert_eq!(browser.cookie("rollcall_form"), None, "{headers:?}");
    }
    browser.sign_in(&ada).await.expect(303);
    for headers in elsewhere {
        browser.send_with(&form, &fields, headers).await.expect(403);
        assert_eq!(browser.cookie("rollcall_form"), None, "{headers:?}");
    }
    browser.get(UNSENT).await.expect(303);
}

async fn another_browser_has_nothing_shown(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    end_elsewhere(app, &ada).await;
    let fields = [("full_name", "Ada King")];
    browser.send_with(&form, &fields, &OWN).await.expect(303);
    let copied = browser.cookie("rollcall_form").expect("a cookie");
    let other = app.signed_in_browser(&ada, FIREFOX).await;
    other.set_cookie("rollcall_form", &copied);
    other.get(UNSENT).await.expect(303);
    other.set_cookie("rollcall_form", "forged");
    other.get(UNSENT).await.expect(303);
}

async fn passwords_are_never_shown_again(app: &TestApp) {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let browser = app.signed_in_browser(&root, FIREFOX).await;
    let path = "/admin/users/new";
    let form = browser.form(path, path).await;
    end_elsewhere(app, &root).await;
    let fields = [
        ("email", "new@example.org"),
        ("full_name", "New"),
        ("new_password", "typed secret words"),
        ("role", "person"),
    ];
    let refused = browser.send_with(&form, &fields, &OWN).await.expect(303);
    browser
        .submit(refused.location(), "/sign-in", &credentials(&root))
        .await
        .expect(303);
    let (form, text) = shown_again(&browser, path).await;
    assert!(!text.contains("typed secret"), "{text}");
    assert!(
        text.contains("name=\"new_password\" type=\"password\""),
        "{text}"
    );
    assert!(form.hidden.contains(&("role".into(), "person".into())));
    let password = [
        ("email", "new@example.org"),
        ("full_name", "New"),
        ("new_password", PASSWORD),
    ];
    browser.send(&form, &password).await.expect(303);
}

/// Sends a form from a page whose session has ended, and signs in again.
async fn send_expired(
    app: &TestApp,
    (person, browser): (&Person, &Browser),
    form: &Form,
    fields: &[(&str, &str)],
) -> TestResponse {
    end_elsewhere(app, person).await;
    let refused = browser.send_with(form, fields, &OWN).await.expect(303);
    let signed_in = browser
        .submit(refused.location(), "/sign-in", &credentials(person))
        .await
        .expect(303);
    browser.follow(&signed_in).await
}

async fn what_is_sent_or_cancelled_is_forgotten(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let fields = [("full_name", "Ada King")];
    for is_sent in [true, false] {
        let form = browser.form("/account", "/account/name").await;
        send_expired(app, (&ada, &browser), &form, &fields).await;
        let (form, text) = shown_again(&browser, "/account/name").await;
        assert!(text.contains("formaction=\"/unsent-form\""), "{text}");
        let left = match is_sent {
            true => browser.send(&form, &fields).await,
            false => browser.send(&form.aimed_at(UNSENT), &[]).await,
        };
        assert_eq!(left.expect(303).location(), "/account");
        assert_eq!(browser.cookie("rollcall_form"), None);
        // Back, or a reload, claims no longer that it was not sent.
        let gone = browser.get(UNSENT).await.expect(303);
        assert_eq!(gone.location(), "/devices");
    }
}

async fn a_field_is_what_it_is_on_its_own_page(app: &TestApp) {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let bob = app.register("bob@example.org").await;
    let browser = app.signed_in_browser(&root, FIREFOX).await;
    let bob = crate::support::admin::id_of(app, &bob.email);
    let path = format!("/admin/users/{bob}/email");
    let form = browser
        .form(&format!("/admin/users/{bob}/edit"), &path)
        .await;
    let fields = [
        ("email", "new@example.org"),
        ("reason", "First line\nSecond line"),
    ];
    send_expired(app, (&root, &browser), &form, &fields).await;
    let (_, text) = shown_again(&browser, &path).await;
    let lines = "<textarea id=\"reason\" name=\"reason\" rows=\"3\" maxlength=\"500\" required>\
                 First line\nSecond line</textarea>";
    assert!(text.contains(lines), "{text}");
    let email = "type=\"email\" value=\"new@example.org\" maxlength=\"254\" required";
    assert!(text.contains(email), "{text}");
}

async fn the_sign_in_page_says_what_is_stored(app: &TestApp) {
    const STORED: &str = "What you typed is stored.";

    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    end_elsewhere(app, &ada).await;
    let fields = [("full_name", "Ada King")];
    let refused = browser.send_with(&form, &fields, &OWN).await.expect(303);
    let page = browser.follow(&refused).await.expect(200);
    let page = page.expect_words(STORED);
    // One element has the focus: the reason of the sign-out.
    assert_eq!(page.text.matches("autofocus").count(), 1, "{page:?}");
    let stranger = app.browser(FIREFOX);
    let page = stranger.get(refused.location()).await.expect(200);
    assert!(!page.words().contains(STORED), "{page:?}");
}

async fn a_password_that_was_not_changed_is_said(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/password").await;
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "another battery staple"),
    ];
    let page = send_expired(app, (&ada, &browser), &form, &fields).await;
    page.expect(200)
        .expect_words("Your password was not changed");
    // Once, and to nobody else.
    let page = browser.get("/account").await.expect(200);
    assert!(!page.words().contains("was not changed"), "{page:?}");
    let form = browser.form("/account", "/account/password").await;
    end_elsewhere(app, &ada).await;
    browser.send_with(&form, &fields, &OWN).await.expect(303);
    let bob = app.register("bob@example.org").await;
    browser.sign_in(&bob).await.expect(303);
    let page = browser.get("/account").await.expect(200);
    assert!(!page.words().contains("was not changed"), "{page:?}");
}

async fn an_act_that_was_not_carried_out_is_said(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/idle-limit").await;
    let fields = [("idle_limit", "week")];
    let page = send_expired(app, (&ada, &browser), &form, &fields).await;
    page.expect(200).expect_words("Nothing was done");
    let form = browser.form("/account/delete", "/account/delete").await;
    let fields = [("typed", ada.email.as_str())];
    let page = send_expired(app, (&ada, &browser), &form, &fields).await;
    page.expect(200)
        .expect_words("Your account was not deleted: you had been signed out");
    let form = browser.form("/devices", "/sign-out").await;
    let page = send_expired(app, (&ada, &browser), &form, &[]).await;
    assert!(!page.words().contains("Nothing was done"), "{page:?}");
}

/// It comes after the response to the first, with the cookie from before.
async fn a_second_press_of_a_sign_out_did_something(app: &TestApp) {
    const EVERYWHERE: &str = "/devices/sign-out-everywhere";
    const NONE: &str = "Nothing was done";

    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for first in [EVERYWHERE, "own", "/sign-out"] {
        let session = browser.get("/api/v1/sessions/current").await.expect(200);
        let id = session.json()["id"].as_str().expect("an id").to_owned();
        let own_sign_out = format!("/devices/{id}/sign-out");
        let (action, again) = match first {
            "own" => (own_sign_out.as_str(), own_sign_out.as_str()),
            _ => (first, EVERYWHERE),
        };
        let form = browser.form("/devices", "/sign-out").await.aimed_at(action);
        let again = form.aimed_at(again);
        let cookie = browser.cookie("rollcall_session").expect("a cookie");
        browser.send_with(&form, &[], &OWN).await.expect(303);
        browser.set_cookie("rollcall_session", &cookie);
        let refused = browser.send_with(&again, &[], &OWN).await.expect(303);
        assert!(refused.is_to_sign_in(), "{refused:?}");
        app.advance(Duration::from_secs(1));
        browser
            .submit(refused.location(), "/sign-in", &credentials(&ada))
            .await
            .expect(303);
        let words = browser.get("/devices").await.expect(200).words();
        // After a plain sign-out, the others are signed in.
        assert_eq!(
            words.contains(NONE),
            first == "/sign-out",
            "{first}: {words}"
        );
    }
}

async fn what_is_too_long_stays_on_the_page_of_the_refusal(app: &TestApp) {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let browser = app.signed_in_browser(&root, FIREFOX).await;
    let path = "/admin/applications";
    let form = browser.form(path, path).await;
    end_elsewhere(app, &root).await;
    let hosts = "a".repeat(3_000);
    let fields = [("name", "Shop"), ("hosts", hosts.as_str())];
    let refused = browser.send_with(&form, &fields, &OWN).await.expect(200);
    assert_eq!(browser.cookie("rollcall_form"), None);
    let refused = refused.expect_words("only on this page");
    assert!(refused.text.contains(&hosts), "{refused:?}");
    // Once somebody is signed in, in another tab, it can be sent from there.
    browser.sign_in(&root).await.expect(303);
    let again = html::forms_to(&refused.text, path).remove(0);
    let shown = browser.send_with(&again, &fields, &OWN).await.expect(200);
    let shown = shown.expect_words("This was not sent");
    assert!(shown.text.contains(&hosts), "{shown:?}");
    let again = html::forms_to(&shown.text, path).remove(0);
    let fields = [("name", "Shop"), ("hosts", "")];
    browser.send(&again, &fields).await.expect(303);
    end_elsewhere(app, &root).await;
    // The longest that is stored fits into a cookie.
    let hosts = "é ".repeat(650);
    let fields = [("name", "Shop"), ("hosts", hosts.as_str())];
    browser.send_with(&form, &fields, &OWN).await.expect(303);
    let cookie = browser.cookie("rollcall_form").expect("a cookie");
    assert!(cookie.len() < 3_900, "{}", cookie.len());
}

async fn a_form_is_shown_for_half_an_hour(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    end_elsewhere(app, &ada).await;
    let fields = [("full_name", "Ada King")];
    browser.send_with(&form, &fields, &OWN).await.expect(303);
    browser.sign_in(&ada).await.expect(303);
    for _ in 0..2 {
        shown_again(&browser, "/account/name").await;
    }
    app.advance(Duration::from_secs(31 * 60));
    browser.get(UNSENT).await.expect(303);
}

async fn a_forged_token_shows_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let fields = [("full_name", "Ada King")];
    for token in ["", "AAAA", &"A".repeat(43)] {
        let form = Form {
            action: "/account/name".into(),
            hidden: vec![("csrf".into(), token.into())],
        };
        browser.send_with(&form, &fields, &OWN).await.expect(403);
    }
    assert_eq!(browser.cookie("rollcall_form"), None);
    assert_eq!(renamed(app, "Ada King"), 0);
}

async fn forms_without_text_lead_back_to_their_page(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let delete = browser.form("/account", "/account/password").await;
    end_elsewhere(app, &ada).await;
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "another one"),
    ];
    let refused = browser.send_with(&delete, &fields, &OWN).await.expect(303);
    assert_eq!(refused.location(), "/sign-in?next=%2Faccount");
    assert_eq!(browser.cookie("rollcall_form"), None);
}
