//! The settings on *Your devices* and *Account*: each is saved by itself, and an idle limit shows whom it
//! signs out before it is saved.

use crate::support::html;
use crate::support::prelude::*;

on_both!(
    app: each_setting_leads_back_to_the_page_it_is_on,
    the_script_is_told_that_a_setting_is_saved,
    a_setting_leads_to_no_other_page,
    the_choices_name_the_span,
    an_idle_limit_shows_whom_it_signs_out_before_it_is_saved,
    a_device_used_meanwhile_is_not_signed_out,
    one_session_of_a_device_is_not_called_the_device,
    what_becomes_due_after_the_page_is_named_before_it_ends,
    a_form_that_shows_an_old_value_saves_nothing,
    the_page_that_names_devices_undoes_no_change_made_meanwhile,
    a_form_that_chooses_what_is_so_is_no_conflict,
);
on_both!(
    database: one_pair_of_limits_has_one_span,
    a_service_that_allows_only_one_limit_offers_none,
);

const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                    Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const IDLE: &str = "/account/idle-limit";
const WEEK: [(&str, &str); 1] = [("idle_limit", "week")];

async fn each_setting_leads_back_to_the_page_it_is_on(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for (page, addresses, redacted) in [
        (
            "/devices",
            "shortened",
            "Older addresses were shortened, too.",
        ),
        ("/account", "none", "Older addresses were deleted, too."),
    ] {
        for (action, fields, words) in [
            (
                IDLE,
                WEEK,
                "Saved. Devices are signed out after at most 7 days without use, except those set to stay signed in.",
            ),
            ("/account/addresses", [("addresses", addresses)], redacted),
        ] {
            let done = browser.submit(page, action, &fields).await.expect(303);
            assert_eq!(done.location(), page, "{action}");
            let shown = browser.follow(&done).await.expect(200);
            shown.expect_words(words);
        }
    }
    let none = [("idle_limit", "")];
    let done = browser.submit("/account", IDLE, &none).await.expect(303);
    browser
        .follow(&done)
        .await
        .expect_words("the longest this service allows; those set to stay signed in stay longer.");
}

async fn the_script_is_told_that_a_setting_is_saved(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let json = [("accept", "application/json")];
    let form = browser.form("/devices", IDLE).await;
    let saved = browser.send_with(&form, &WEEK, &json).await.expect(204);
    assert!(saved.text.is_empty());
    assert_eq!(
        app.database
            .number("SELECT count(*) AS value FROM users WHERE idle_limit_seconds = 604800"),
        1
    );
    // No notice waits for the next page.
    let page = browser.get("/account").await.expect(200);
    assert!(!page.words().contains("Saved."), "{}", page.words());
    app.advance(Duration::from_secs(11 * 60));
    let alerts = form.aimed_at("/account/alerts");
    let off = [("shown", "on")];
    browser.send_with(&alerts, &off, &json).await.expect(403);
    let bad = [("idle_limit", "forever")];
    browser.send_with(&form, &bad, &json).await.expect(400);
}

async fn a_setting_leads_to_no_other_page(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for back in ["//evil.example", "https://evil.example/", "/admin", ""] {
        let fields = [("addresses", "whole"), ("back", back)];
        let form = browser.form("/account", "/account/addresses").await;
        let done = browser.send(&form, &fields).await.expect(303);
        assert_eq!(done.location(), "/account", "{back}");
    }
}

async fn the_choices_name_the_span(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for page in ["/devices", "/account"] {
        let words = browser.get(page).await.expect(200).words();
        assert!(
            words.contains("7 days 30 days 90 days 180 days (the longest this service allows)"),
            "{words}"
        );
        assert!(
            words.contains("is signed out after at most 12 hours without use, unless it is set to stay signed in."),
            "{words}"
        );
        assert!(!words.contains("365 days"), "{words}");
    }
}

async fn one_pair_of_limits_has_one_span(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.sessions.idle_limit = 40 * DAY;
        settings.sessions.absolute_limit = 30 * DAY;
        settings.sessions.remembered_idle_limit = 30 * DAY;
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let words = browser.get("/account").await.expect(200).words();
    assert!(
        words.contains("7 days 30 days (the longest this service allows)"),
        "{words}"
    );
    assert!(!words.contains("was not ticked"), "{words}");
    app.stop().await;
}

async fn an_idle_limit_shows_whom_it_signs_out_before_it_is_saved(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.login(&ada, IPHONE).await;
    app.login(&ada, EDGE).await;
    app.advance(8 * DAY);
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let page = browser.submit("/devices", IDLE, &WEEK).await.expect(200);
    let page = page
        .expect_words("Sign out 2 devices?")
        .expect_words("have not been used for 7 days")
        .expect_words("Nothing has been saved yet")
        .expect_words("Safari on iPhone")
        .expect_words("Edge on Windows");
    assert!(!page.words().contains("Firefox"), "{}", page.words());
    assert!(
        page.text.contains(r#"href="/devices">Cancel"#),
        "{}",
        page.text
    );
    assert_eq!(app.database.sessions_where("is_active"), 3);
    assert_eq!(
        app.database
            .number("SELECT count(idle_limit_seconds) AS value FROM users"),
        0
    );
    let form = html::forms_to(&page.text, IDLE).remove(0);
    let done = browser.send(&form, &[]).await.expect(303);
    let page = browser.follow(&done).await.expect(200);
    page.expect_words("and another device are signed out.")
        .expect_words("You are signed in only here.")
        .expect_words("after 8 days without use");
    assert_eq!(app.database.sessions_where("is_active"), 1);
    assert_eq!(app.database.sessions_where("ended_reason = 'expired'"), 2);
    // Sent again, there is no device left to name.
    let again = browser.send(&form, &[]).await.expect(303);
    browser.follow(&again).await.expect_words("Saved.");
}

async fn a_device_used_meanwhile_is_not_signed_out(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let phone = app.login(&ada, IPHONE).await;
    app.advance(8 * DAY);
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let page = browser.submit("/account", IDLE, &WEEK).await.expect(200);
    let form = html::forms_to(&page.text, IDLE).remove(0);
    let mut phone = phone;
    phone.refresh().await;
    let done = browser.send(&form, &[]).await.expect(303);
    let page = browser.follow(&done).await.expect(200);
    assert!(!page.words().contains("signed out."), "{}", page.words());
    phone.current().await.expect(200);
}

async fn one_session_of_a_device_is_not_called_the_device(app: &TestApp) {
    for (email, unused, title, lead, part, saved) in [
        (
            "ada@example.org",
            2,
            "End sessions on Safari on iPhone",
            "These sessions have not been used for 7 days",
            "2 of its 3 sessions",
            "2 sessions on Safari on iPhone have ended.",
        ),
        (
            "bob@example.org",
            1,
            "End one session on Safari on iPhone",
            "This session has not been used for 7 days",
            "1 of its 2 sessions",
            "One session on Safari on iPhone has ended.",
        ),
    ] {
        let person = app.register(email).await;
        for _ in 0..unused {
            app.login(&person, IPHONE).await;
        }
        app.advance(8 * DAY);
        let fresh = app.login(&person, IPHONE).await;
        app.database
            .execute("UPDATE user_sessions SET device_id = 'the-phone'");
        let browser = app.signed_in_browser(&person, FIREFOX).await;
        let page = browser.submit("/account", IDLE, &WEEK).await.expect(200);
        let page = page
            .expect_words(title)
            .expect_words(lead)
            .expect_words(part);
        let form = html::forms_to(&page.text, IDLE).remove(0);
        let done = browser.send(&form, &[]).await.expect(303);
        let page = browser.follow(&done).await.expect(200);
        assert!(!page.words().contains("signed out."), "{}", page.words());
        page.expect_words(saved);
        fresh.current().await.expect(200);
        let page = browser.get("/devices").await.expect(200);
        page.expect_words("on Safari on iPhone Ended after 8 days without use");
    }
}

/// The page that is confirmed named one device; meanwhile another one is due.
async fn what_becomes_due_after_the_page_is_named_before_it_ends(app: &TestApp) {
    const MINUTE: Duration = Duration::from_secs(60);

    let ada = app.register("ada@example.org").await;
    app.login(&ada, IPHONE).await;
    app.advance(10 * MINUTE);
    let mut edge = app.login(&ada, EDGE).await;
    app.advance(7 * DAY - 5 * MINUTE);
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let page = browser.submit("/devices", IDLE, &WEEK).await.expect(200);
    let page = page.expect_words("Sign out Safari on iPhone ?");
    let form = html::forms_to(&page.text, IDLE).remove(0);
    app.advance(6 * MINUTE);
    let page = browser.send(&form, &[]).await.expect(200);
    let page = page
        .expect_words("Sign out 2 devices?")
        .expect_words("Since you opened the page before, more has become due: look again.")
        .expect_words("Edge on Windows");
    // Used now, it stays.
    edge.refresh().await;
    assert_eq!(app.database.sessions_where("ended_reason = 'expired'"), 0);
    browser.submit("/devices", IDLE, &WEEK).await.expect(200);
    let form = html::forms_to(&page.text, IDLE).remove(0);
    let done = browser.send(&form, &[]).await.expect(303);
    let page = browser.follow(&done).await.expect(200);
    page.expect_words("Safari on iPhone is signed out.");
}

async fn a_service_that_allows_only_one_limit_offers_none(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.sessions.remembered_idle_limit = 5 * DAY;
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for path in ["/devices", "/account"] {
        let page = browser.get(path).await.expect(200);
        assert!(!page.text.contains("idle_limit"), "{path}");
        page.expect_words(
            "Devices are signed out after 5 days without use, except those set to stay signed in. This service allows no longer.",
        );
    }
    app.stop().await;
}

async fn a_form_that_shows_an_old_value_saves_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let user = |column: &str| {
        let sql = format!("SELECT CAST({column} AS TEXT) AS value FROM users");
        app.database.texts(&sql).remove(0)
    };
    for (action, field, meanwhile, stale, column, stored, words) in [
        (
            "/account/addresses",
            "addresses",
            "shortened",
            "none",
            "address_keeping",
            "shortened",
            "“Store my IP addresses” was changed to “Shortened, like 203.0.113.0/24”.",
        ),
        (
            IDLE,
            "idle_limit",
            "month",
            "year",
            "idle_limit_seconds",
            "2592000",
            "“Sign out devices not used for” was changed to “30 days”.",
        ),
        (
            "/account/time-zone",
            "time_zone",
            "Europe/Lisbon",
            "UTC",
            "time_zone",
            "Europe/Lisbon",
            "“Show times in” was changed to “Lisbon”.",
        ),
    ] {
        let other_tab = browser.form("/account", action).await;
        let saved = browser
            .submit("/account", action, &[(field, meanwhile)])
            .await;
        browser.follow(&saved.expect(303)).await.expect(200);
        let answer = browser
            .send(&other_tab, &[(field, stale)])
            .await
            .expect(303);
        assert_eq!(answer.location(), "/account");
        let page = browser.follow(&answer).await.expect(200);
        assert!(page.text.contains("<title>Error: "), "{action}");
        page.expect_words("Nothing was saved: since you opened this page,")
            .expect_words(words);
        assert_eq!(user(column).as_deref(), Some(stored), "{action}");
        // The script is told as well, without a page.
        let json = [("accept", "application/json")];
        let answer = browser
            .send_with(&other_tab, &[(field, stale)], &json)
            .await;
        assert_eq!(answer.status, 409, "{action}");
        // Chosen again on a new page, it is saved.
        let saved = browser
            .submit("/account", action, &[(field, stale)])
            .await
            .expect(303);
        let page = browser.follow(&saved).await.expect(200);
        assert!(!page.words().contains("Nothing was saved"), "{action}");
        assert_ne!(user(column).as_deref(), Some(stored), "{action}");
    }
}

async fn the_page_that_names_devices_undoes_no_change_made_meanwhile(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.login(&ada, IPHONE).await;
    app.advance(8 * DAY);
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let page = browser.submit("/devices", IDLE, &WEEK).await.expect(200);
    let form = html::forms_to(&page.text, IDLE).remove(0);
    let month = [("idle_limit", "month")];
    browser.submit("/account", IDLE, &month).await.expect(303);
    let refused = browser.send(&form, &[]).await.expect(303);
    let page = browser.follow(&refused).await.expect(200);
    page.expect_words("“Sign out devices not used for” was changed to “30 days”.");
    assert_eq!(app.database.sessions_where("is_active"), 2);
}

async fn a_form_that_chooses_what_is_so_is_no_conflict(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let other_tab = browser.form("/devices", IDLE).await;
    browser.submit("/devices", IDLE, &WEEK).await.expect(303);
    let answer = browser.send(&other_tab, &WEEK).await.expect(303);
    browser
        .follow(&answer)
        .await
        .expect(200)
        .expect_words("Saved.");
    let alerts = browser.form("/account", "/account/alerts").await;
    let off = browser.send(&alerts, &[]).await.expect(303);
    browser
        .follow(&off)
        .await
        .expect(200)
        .expect_words("You get no e-mail about new sign-ins.");
    // Nobody enters the password for what is not saved.
    app.advance(Duration::from_secs(11 * 60));
    let on = [("alert_emails", "on")];
    let answer = browser.send(&alerts, &on).await.expect(303);
    browser.follow(&answer).await.expect(200).expect_words(
        "Nothing was saved: since you opened this page, “Send me an e-mail about new sign-ins” was changed to “off”.",
    );
}
