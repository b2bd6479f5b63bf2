//! A form that failed is answered by an address: the page there shows what was typed and what was wrong, to
//! the same person in the same browser, from a sealed cookie. Other clients get the answer itself.

use crate::support::html::{self, Form};
use crate::support::prelude::*;

on_both!(
    app: a_wrong_password_is_answered_by_an_address,
    only_what_navigates_is_redirected,
    a_failed_form_is_shown_in_its_browser_alone,
    a_failed_form_is_shown_to_its_person_alone,
    a_failed_form_is_shown_for_a_while,
    another_tabs_failure_is_not_shown,
    an_interrupted_act_is_confirmed_once,
    cancel_leads_back_to_what_was_typed,
    an_act_with_a_password_is_in_no_cookie,
    what_was_sent_again_is_not_shown_any_more,
    a_form_that_is_too_long_is_answered_itself,
    the_error_of_a_form_has_an_address,
    an_administrators_failed_form_is_shown_again,
    what_does_not_exist_for_a_person_has_no_address,
);

/// What a browser says of a form that a page of ours sent.
const NAVIGATION: [(&str, &str); 2] = [
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
];
const COOKIE: &str = "rollcall_failed";
const WRONG: &str = "The e-mail or the password is wrong.";
const SECRET: &str = "hunter2 is not it";
const PASSED: Duration = Duration::from_secs(11 * 60);

/// Sends a form as a browser that navigates, and returns the address that answers it.
async fn sent(browser: &Browser, form: &Form, fields: &[(&str, &str)]) -> String {
    let response = browser.send_with(form, fields, &NAVIGATION).await;
    let address = response.expect(303).location().to_owned();
    assert!(address.contains("failed="), "{address}");
    address
}

/// Returns the address that answers a sign-in with a wrong password.
async fn failed_sign_in(browser: &Browser, email: &str) -> String {
    let form = browser.form("/sign-in?next=/account", "/sign-in").await;
    sent(browser, &form, &[("email", email), ("password", SECRET)]).await
}

async fn a_wrong_password_is_answered_by_an_address(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    let address = failed_sign_in(&browser, &ada.email).await;
    for _ in 0..2 {
        let page = browser.get(&address).await.expect(200);
        assert!(page.text.contains("<title>Error: Sign in"), "{page:?}");
        assert!(!page.text.contains(SECRET), "{page:?}");
        let values = html::attributes(&page.text, "value");
        for value in [ada.email.as_str(), "/account"] {
            assert!(values.iter().any(|it| it == value), "{value}: {values:?}");
        }
        page.expect_words(WRONG);
    }
    // Somebody who is signed in is not led on as if it had been right.
    let form = browser.form("/sign-in", "/sign-in").await;
    browser.sign_in(&ada).await.expect(303);
    let fields = [("email", ada.email.as_str()), ("password", SECRET)];
    let address = sent(&browser, &form, &fields).await;
    browser.get(&address).await.expect(200).expect_words(WRONG);
}

async fn only_what_navigates_is_redirected(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    let form = browser.form("/sign-in", "/sign-in").await;
    let fields = [("email", ada.email.as_str()), ("password", SECRET)];
    let own = ("sec-fetch-site", "same-origin");
    for headers in [&[][..], &[own], &[own, ("sec-fetch-mode", "cors")]] {
        let answer = browser.send_with(&form, &fields, headers).await.expect(401);
        answer.expect_words(WRONG);
    }
    assert_eq!(browser.cookie(COOKIE), None);
    let without_cookies = app.browser(FIREFOX);
    let answer = without_cookies.send_with(&form, &fields, &NAVIGATION).await;
    answer
        .expect(403)
        .expect_words("Your browser sent no cookies");
}

async fn a_failed_form_is_shown_in_its_browser_alone(app: &TestApp) {
    let browser = app.browser(FIREFOX);
    let address = failed_sign_in(&browser, "ada@example.org").await;
    let cookie = browser.cookie(COOKIE).expect("a cookie");
    let other = app.browser(FIREFOX);
    other.get("/sign-in").await.expect(200);
    other.set_cookie(COOKIE, &cookie);
    assert_eq!(other.get(&address).await.location(), "/sign-in");
    let other = app.browser(FIREFOX);
    assert_eq!(other.get(&address).await.location(), "/sign-in");
    // One that was changed is none.
    let last = if cookie.ends_with('A') { "B" } else { "A" };
    let changed = format!("{}{last}", &cookie[..cookie.len() - 1]);
    browser.set_cookie(COOKIE, &changed);
    assert_eq!(browser.get(&address).await.location(), "/sign-in");
    browser.set_cookie(COOKIE, &cookie);
    browser.get(&address).await.expect(200).expect_words(WRONG);
}

async fn a_failed_form_is_shown_to_its_person_alone(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let eve = app.register("eve@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    let long = "x".repeat(300);
    let address = sent(&browser, &form, &[("full_name", &long)]).await;
    let page = browser.get(&address).await.expect(200);
    assert!(page.text.contains(&long), "{page:?}");
    page.expect_words("Please correct this first");
    let cookie = browser.cookie(COOKIE).expect("a cookie");
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    assert_eq!(browser.cookie(COOKIE), None);
    browser.sign_in(&eve).await.expect(303);
    browser.set_cookie(COOKIE, &cookie);
    assert_eq!(browser.get(&address).await.location(), "/account");
}

async fn a_failed_form_is_shown_for_a_while(app: &TestApp) {
    let browser = app.browser(FIREFOX);
    let address = failed_sign_in(&browser, "ada@example.org").await;
    app.advance(PASSED - Duration::from_secs(1));
    let cookie = browser.cookie(COOKIE).expect("a cookie");
    browser.get(&address).await.expect(200).expect_words(WRONG);
    app.advance(Duration::from_secs(1));
    browser.set_cookie(COOKIE, &cookie);
    assert_eq!(browser.get(&address).await.location(), "/sign-in");
}

async fn another_tabs_failure_is_not_shown(app: &TestApp) {
    let browser = app.browser(FIREFOX);
    let first = failed_sign_in(&browser, "ada@example.org").await;
    let second = failed_sign_in(&browser, "eve@example.org").await;
    assert_eq!(browser.get(&first).await.location(), "/sign-in");
    let id = second.split("failed=").nth(1).expect("an id");
    let elsewhere = browser.get(&format!("/forgot-password?failed={id}")).await;
    assert_eq!(elsewhere.location(), "/forgot-password");
    let page = browser.get("/sign-in").await.expect(200);
    assert!(!page.text.contains("eve@example.org"), "{page:?}");
    let page = browser.get(&second).await.expect(200);
    assert!(page.text.contains("eve@example.org"), "{page:?}");
}

async fn an_interrupted_act_is_confirmed_once(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login_named(&ada, IPHONE, "Phone").await;
    let device = format!("/devices/{}", phone.id());
    let form = laptop.form(&device, &format!("{device}/rename")).await;
    let sign_out = form.aimed_at(&format!("{device}/sign-out"));
    app.advance(PASSED);
    let requested = sent(&laptop, &sign_out, &[]).await;
    let again = requested_again(&laptop, &requested, &device).await;
    // The one before is not the last any more.
    assert!(
        laptop
            .get(&requested)
            .await
            .location()
            .starts_with("/devices")
    );
    let page = laptop.get(&again).await.expect(200);
    let page = page.expect_words("That is not your password. Try again.");
    let form = html::forms_to(&page.text, "/confirm").remove(0);
    let right = [("password", PASSWORD)];
    let confirmed = laptop.send_with(&form, &right, &NAVIGATION).await;
    assert_eq!(
        confirmed.expect(307).header("location"),
        format!("{device}/sign-out")
    );
    assert!(laptop.get(&again).await.location().starts_with("/devices"));
}

/// Gives a wrong password on the page at `requested`, and returns the address of the answer.
async fn requested_again(browser: &Browser, requested: &str, device: &str) -> String {
    let page = browser.get(requested).await.expect(200);
    let page = page.expect_words("Sign out Phone?");
    assert!(!page.text.contains("<title>Error"), "{page:?}");
    let form = html::forms_to(&page.text, "/confirm").remove(0);
    let values = html::attributes(&page.text, "value");
    let act = format!("{device}/sign-out");
    assert!(values.contains(&act), "{values:?}");
    sent(browser, &form, &[("password", SECRET)]).await
}

async fn cancel_leads_back_to_what_was_typed(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.set_role(&ada, "admin");
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let pages = [
        (
            "/admin/applications",
            "/admin/applications",
            ("name", "Shop"),
        ),
        ("/admin/applications", "/admin/api-keys", ("name", "Key")),
    ];
    for (page, action, field) in pages {
        app.advance(PASSED);
        let form = browser.form(page, action).await;
        let fields = [field, ("tokens", "on")];
        let mut address = sent(&browser, &form, &fields).await;
        for password in [SECRET, ""] {
            let step_up = browser.get(&address).await.expect(200);
            let links = html::attributes(&step_up.text, "href");
            let cancel = links
                .iter()
                .find(|it| it.contains("failed="))
                .expect("a link");
            let back = browser.get(cancel).await.expect(200);
            let values = html::attributes(&back.text, "value");
            assert!(values.iter().any(|it| it == field.1), "{values:?}");
            assert!(!back.text.contains("<title>Error"), "{}", back.words());
            let form = browser.form(&address, "/confirm").await;
            address = sent(&browser, &form, &[("password", password)]).await;
        }
        let plain = browser.get(page).await.expect(200);
        let values = html::attributes(&plain.text, "value");
        assert!(!values.iter().any(|it| it == field.1), "{values:?}");
    }
}

async fn an_act_with_a_password_is_in_no_cookie(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.set_role(&ada, "admin");
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/admin/users/new", "/admin/users/new").await;
    app.advance(PASSED);
    let fields = [("email", "bob@example.org"), ("new_password", SECRET)];
    let requested = browser.send_with(&form, &fields, &NAVIGATION).await;
    requested.expect(403).expect_words("Enter your password");
    assert_eq!(browser.cookie(COOKIE), None);
}

async fn what_was_sent_again_is_not_shown_any_more(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/password").await;
    let typed = |new| [("current_password", PASSWORD), ("new_password", new)];
    let address = sent(&browser, &form, &typed("short")).await;
    let page = browser.get(&address).await.expect(200);
    assert!(!page.text.contains(PASSWORD), "{page:?}");
    let page = page.expect_words("New password");
    let form = html::forms_to(&page.text, "/account/password").remove(0);
    let fields = typed("another quiet river");
    let changed = browser.send_with(&form, &fields, &NAVIGATION).await;
    assert_eq!(changed.expect(303).location(), "/account");
    assert_eq!(browser.cookie(COOKIE), None);
    assert_eq!(browser.get(&address).await.location(), "/account");
}

async fn a_form_that_is_too_long_is_answered_itself(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    let long = "x".repeat(3_000);
    let fields = [("full_name", long.as_str())];
    let answer = browser.send_with(&form, &fields, &NAVIGATION).await;
    answer.expect(400).expect_words("Please correct this first");
    assert_eq!(browser.cookie(COOKIE), None);
}

async fn the_error_of_a_form_has_an_address(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/idle-limit").await;
    let fields = [("idle_limit", "forever")];
    let refused = browser.send(&form, &fields).await.expect(400);
    let words = refused.words();
    let address = sent(&browser, &form, &fields).await;
    let page = browser.get(&address).await.expect(400);
    assert_eq!(page.words(), words);
    // By the time of a reload it may be no error any more.
    for address in [address.as_str(), "/account?failed=none"] {
        let page = browser.get(address).await;
        assert_eq!(page.expect(303).location(), "/account");
    }
}

async fn an_administrators_failed_form_is_shown_again(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let bob = app.register("bob@example.org").await;
    app.set_role(&ada, "admin");
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let found = browser.get("/admin/users?q=bob").await.expect(200);
    let links = html::attributes(&found.text, "href");
    let person = links
        .iter()
        .filter(|href| href.starts_with("/admin/users/"))
        .find(|href| href.trim_start_matches("/admin/users/").len() >= 36)
        .expect("a person");
    let person = person.split('?').next().unwrap_or_default();
    let path = format!("{person}/disable");
    let form = browser.form(&path, &path).await;
    let address = sent(&browser, &form, &[("reason", "")]).await;
    let page = browser.get(&address).await.expect(200);
    let page = page.expect_words("Please correct this first");
    assert!(page.text.contains("id=\"reason-error\""), "{page:?}");
    let form = browser.form("/admin/applications", "/admin/api-keys").await;
    let address = sent(&browser, &form, &[("name", "Storefront")]).await;
    let page = browser.get(&address).await.expect(200);
    let values = html::attributes(&page.text, "value");
    assert!(values.contains(&"Storefront".to_owned()), "{values:?}");
    page.expect_words("Choose at least one scope.");
    let invite = browser
        .form("/admin/users/invite", "/admin/users/invite")
        .await;
    let fields = [("email", bob.email.as_str()), ("role", "person")];
    let address = sent(&browser, &invite, &fields).await;
    let page = browser.get(&address).await.expect(200);
    page.expect_words("already belongs to an account");
}

async fn what_does_not_exist_for_a_person_has_no_address(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    let form = form.aimed_at("/admin/users/new");
    let answer = browser.send_with(&form, &[], &NAVIGATION).await;
    answer.expect(404);
    assert_eq!(browser.cookie(COOKIE), None);
}
