//! Signed out elsewhere: the sign-in page says why, when and from where, to whoever holds the cookie of the
//! session that ended, and to nobody else.

use crate::support::prelude::*;

on_both!(
    app: every_reason_is_said,
    the_device_that_it_was_done_from_is_named,
    a_limit_that_passed_is_said_before_it_is_swept,
    every_page_says_the_same_of_a_session_that_expired,
    a_changed_password_is_said,
    after_sign_in_one_is_where_one_was,
    strangers_are_told_nothing,
    a_replaced_cookie_is_told_nothing,
    programs_are_told_nothing,
    another_notice_comes_first,
);

/// Every reason, and words of what is said.
const REASONS: [(&str, &str); 10] = [
    ("signed_out", "You signed out on this device"),
    (
        "signed_out_remotely",
        "This device was signed out from another one",
    ),
    ("admin", "This device was signed out by an administrator"),
    ("expired", "after a long time without use"),
    ("reuse_detected", "a copied sign-in was used"),
    (
        "wrong_passwords",
        "the password was entered wrong ten times",
    ),
    ("password_changed", "because your password was changed"),
    ("account_disabled", "because your account was disabled"),
    (
        "replaced",
        "by a new sign-in in the same browser, or with a copy of its cookies",
    ),
    ("limit", "because there were too many sessions"),
];

fn end(app: &TestApp, reason: &str) {
    app.database.execute(&format!(
        "UPDATE user_sessions SET is_active = false, ended_at = last_used_at, ended_reason = '{reason}'
         WHERE is_active"
    ));
}

/// Opens a page with a session that has ended, and returns the sign-in page that it leads to.
async fn sign_in_page(browser: &Browser, page: &str) -> TestResponse {
    let led = browser.get(page).await;
    assert!(led.is_to_sign_in(), "{led:?}");
    browser.follow(&led).await.expect(200)
}

async fn every_reason_is_said(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    for (reason, words) in REASONS {
        browser.sign_in(&ada).await;
        end(app, reason);
        // Again, as long as nobody signs in.
        for _ in 0..2 {
            let page = sign_in_page(&browser, "/account").await;
            let page = page.expect_words(words);
            let year = app.clock.now().format("%Y").to_string();
            assert!(
                page.text.contains(&format!("<time datetime=\"{year}")),
                "{reason}"
            );
            assert_eq!(page.text.matches("role=\"status\"").count(), 1, "{reason}");
        }
    }
    let all = <rollcall::sessions::EndedReason as strum::VariantNames>::VARIANTS;
    assert_eq!(all.len(), REASONS.len());
    assert!(REASONS.iter().all(|(reason, _)| all.contains(reason)));
}

async fn the_device_that_it_was_done_from_is_named(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    phone.delete("/api/v1/sessions/others").await.expect(200);
    sign_in_page(&laptop, "/devices")
        .await
        .expect_words("This device was signed out from Safari on iPhone")
        .expect_words("Times are in");
    // Everywhere: the device that it was done on is named as that.
    app.login(&ada, IPHONE).await;
    laptop.sign_in(&ada).await.expect(303);
    let cookie = laptop.cookie("rollcall_session").expect("a cookie");
    let page = "/devices/sign-out-everywhere";
    laptop.submit(page, page, &[]).await.expect(303);
    laptop.set_cookie("rollcall_session", &cookie);
    laptop.get("/sign-in").await.expect(200);
    let again = laptop.get("/sign-in").await.expect(200);
    again.expect_words("You signed out everywhere, on this device");
    laptop.sign_in(&ada).await.expect(303);
    let page = laptop.get("/devices").await.expect(200);
    let page = page.expect_words(
        "Safari on iPhone Signed out by you, together with every other device, on Firefox on Windows",
    );
    // The device is signed in again: its former session has ended.
    page.expect_words(
        "One session on Firefox on Windows Ended by you, together with every other device, on Firefox on Windows",
    );
}

async fn a_limit_that_passed_is_said_before_it_is_swept(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    app.advance(Duration::from_secs(30 * 24 * 60 * 60));
    sign_in_page(&browser, "/devices")
        .await
        .expect_words("after 12 hours without use");
    app.sweep().await;
    sign_in_page(&browser, "/devices")
        .await
        .expect_words("after 12 hours without use");
    browser.sign_in(&ada).await;
    app.database
        .execute("UPDATE user_sessions SET absolute_expires_at = expires_at WHERE is_active");
    app.advance(Duration::from_secs(30 * 24 * 60 * 60));
    sign_in_page(&browser, "/devices")
        .await
        .expect_words("signed in for as long as is allowed");
}

/// One that lasted as long as is allowed was in use until then; one that a choice signed out was not,
/// though only the absolute limit applied to it.
async fn every_page_says_the_same_of_a_session_that_expired(app: &TestApp) {
    const LASTED: &str = "you had been signed in for as long as is allowed";
    const UNUSED: &str = "after a long time without use";

    let ada = app.register("ada@example.org").await;
    let phone = app.login(&ada, IPHONE).await;
    let path = format!("/devices/{}", phone.id());
    let end_at = |end: &str| {
        app.database.execute(&format!(
            "UPDATE user_sessions SET is_active = false, ended_reason = 'expired',
             expires_at = absolute_expires_at, ended_at = {end}
             WHERE id = {}",
            app.database.id(&phone.id())
        ));
    };
    app.database.execute(
        "INSERT INTO session_events (id, user_id, session_id, kind, detail, at)
         SELECT id, user_id, id, 'ended', 'expired', last_used_at FROM user_sessions",
    );
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for (end, words, other) in [
        ("absolute_expires_at", LASTED, UNUSED),
        ("last_used_at", UNUSED, LASTED),
    ] {
        end_at(end);
        for page in ["/devices", path.as_str()] {
            let page = browser.get(page).await.expect(200).expect_words(words);
            assert!(!page.words().contains(other), "{page:?}");
        }
    }
}

async fn a_changed_password_is_said(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.signed_in_browser(&ada, IPHONE).await;
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "a quite different passphrase"),
    ];
    phone
        .submit("/account", "/account/password", &fields)
        .await
        .expect(303);
    sign_in_page(&laptop, "/devices")
        .await
        .expect_words("because your password was changed");
}

async fn after_sign_in_one_is_where_one_was(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    end(app, "admin");
    let led = browser.get("/account").await;
    let fields = [("email", ada.email.as_str()), ("password", &ada.password)];
    let signed_in = browser.submit(led.location(), "/sign-in", &fields).await;
    assert_eq!(signed_in.location(), "/account");
    let page = browser.follow(&signed_in).await.expect(200);
    assert!(!page.words().contains("by an administrator"), "{page:?}");
}

async fn strangers_are_told_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    end(app, "admin");
    let cookie = browser.cookie("rollcall_session").expect("a cookie");
    let forged = format!("{}x", &cookie[..cookie.len() - 1]);
    for value in [None, Some("forged"), Some(forged.as_str())] {
        let stranger = app.browser(FIREFOX);
        if let Some(value) = value {
            stranger.set_cookie("rollcall_session", value);
        }
        let page = stranger.get("/sign-in").await.expect(200);
        assert!(!page.words().contains("by an administrator"), "{page:?}");
    }
    // A row that is gone tells nothing.
    app.database.execute("DELETE FROM user_sessions");
    let page = sign_in_page(&browser, "/devices").await;
    assert!(!page.words().contains("by an administrator"), "{page:?}");
}

/// It may be a copy.
async fn a_replaced_cookie_is_told_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let copied = browser.cookie("rollcall_session").expect("a cookie");
    browser
        .submit("/confirm", "/confirm", &[("password", PASSWORD)])
        .await
        .expect(303);
    app.advance(Duration::from_secs(60 * 60));
    // The last use is the end.
    browser.get("/devices").await.expect(200);
    app.flush().await;
    end(app, "signed_out_remotely");
    let thief = app.browser(FIREFOX);
    thief.set_cookie("rollcall_session", &copied);
    let page = sign_in_page(&thief, "/devices").await;
    assert!(!page.words().contains("was signed out"), "{page:?}");
    sign_in_page(&browser, "/devices")
        .await
        .expect_words("This device was signed out from another one");
}

async fn programs_are_told_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    end(app, "account_disabled");
    let me = browser.get("/api/v1/me").await;
    assert_eq!(me.status, 401);
    assert!(!me.text.contains("disabled"), "{me:?}");
    let refused = browser.verify().await;
    assert!(!refused.text.contains("disabled"), "{refused:?}");
}

async fn another_notice_comes_first(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let cookie = browser.cookie("rollcall_session").expect("a cookie");
    let led = browser.submit("/devices", "/sign-out", &[]).await;
    browser.set_cookie("rollcall_session", &cookie);
    let page = browser.follow(&led).await.expect(200);
    let page = page.expect_words("You are signed out on this device.");
    assert_eq!(page.text.matches("role=\"status\"").count(), 1);
    // What was done in the account before is no reason.
    browser.sign_in(&ada).await.expect(303);
    let name = [("full_name", "Ada L.")];
    let renamed = browser.submit("/account", "/account/name", &name).await;
    renamed.expect(303);
    end(app, "admin");
    let page = sign_in_page(&browser, "/devices").await;
    let page = page.expect_words("This device was signed out by an administrator");
    assert!(!page.words().contains("Your name is saved"), "{page:?}");
}
