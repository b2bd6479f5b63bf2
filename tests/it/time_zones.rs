//! Times in the zone of whoever reads them: by their setting, else by their browser's cookie, else in
//! UTC, which the page says.

use rollcall::settings::Settings;

use crate::support::admin::id_of;
use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;
use crate::support::webdriver::{Script, WebDriver};

on_both!(
    app: without_a_cookie_times_are_in_utc_and_the_page_says_so,
    the_zone_of_the_browser_counts,
    the_setting_counts_before_the_browser,
    a_setting_is_recorded_once,
    a_zone_that_is_not_offered_is_refused,
    only_zones_that_are_no_aliases_are_offered_by_their_places,
    a_stored_alias_works_and_is_shown_as_its_zone,
    the_foot_names_every_zone_naturally,
    a_cookie_that_names_no_zone_is_ignored,
    today_is_the_day_of_the_reader,
    an_hour_that_comes_twice_is_told_apart,
    administrators_read_times_in_their_own_zone,
    who_is_not_signed_in_reads_times_in_the_browsers_zone,
    the_export_has_both_zones_and_the_account_takes_them_along,
    a_sign_in_stores_the_zone_of_the_browser,
    a_sign_in_that_raises_an_alert_stores_no_zone,
);

on_both!(
    database: the_hour_of_an_end_today_is_said,
    messages_are_in_the_zone_of_the_person,
    a_message_to_another_address_does_not_say_where_the_person_is,
    applications_do_not_receive_the_cookie,
    the_script_stores_the_zone_of_the_browser,
    the_script_words_times_as_the_server_does,
);

const COOKIE: &str = "rollcall_zone";
const ELSEWHERE: &str = "198.51.100.7";
const HOUR: Duration = Duration::from_secs(60 * 60);
const UNKNOWN: &str = "Times are in UTC: the time zone of your browser is not known.";

/// Returns a browser in a zone, in which a person is signed in.
async fn browser_in(app: &TestApp, person: &Person, zone: &str) -> Browser {
    let browser = app.browser(FIREFOX);
    browser.set_cookie(COOKIE, zone);
    browser.sign_in(person).await.expect(303);
    browser
}

async fn choose(browser: &Browser, zone: &str) -> TestResponse {
    let fields = [("time_zone", zone)];
    browser
        .submit("/account", "/account/time-zone", &fields)
        .await
}

async fn without_a_cookie_times_are_in_utc_and_the_page_says_so(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let page = browser.get("/devices").await.expect(200);
    page.expect_words(&format!("{UNKNOWN} Change the time zone"))
        .expect_words("Signed in 17 May 2031, 08:30 UTC");
    let page = browser.get("/account").await.expect(200);
    let page = page.expect_words("My browser’s time zone, which is not known: UTC");
    assert!(
        page.text.contains(r#"id="time-zone""#),
        "the link leads there"
    );
}

async fn the_zone_of_the_browser_counts(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = browser_in(app, &ada, "Europe/Lisbon").await;
    let page = browser.get("/devices").await.expect(200);
    let page = page
        .expect_words("Times are in Lisbon time (UTC+1).")
        .expect_words("Signed in 17 May 2031, 09:30 WEST");
    let moment = r#"<time datetime="2031-05-17T08:30:00.000000Z" title="17 May 2031, 09:30 WEST""#;
    assert!(page.text.contains(moment), "{}", page.text);
    assert!(page.text.contains(r#" data-time-zone="Europe/Lisbon""#));
    browser.set_cookie(COOKIE, "Asia/Kathmandu");
    let page = browser.get("/devices").await.expect(200);
    page.expect_words("Signed in 17 May 2031, 14:15 UTC+5:45");
    browser.set_cookie(COOKIE, "UTC");
    let page = browser.get("/devices").await.expect(200);
    page.expect_words("Times are in UTC. Change the time zone");
}

async fn the_setting_counts_before_the_browser(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = browser_in(app, &ada, "Europe/Lisbon").await;
    let saved = choose(&browser, "Asia/Kolkata").await.expect(303);
    let page = browser.follow(&saved).await.expect(200);
    let page = page
        .expect_words("Your time zone is saved.")
        .expect_words("My browser’s time zone: Lisbon (UTC+1)")
        .expect_words("Times are in Kolkata time (UTC+5:30).");
    let chosen = r#"<option value="Asia/Kolkata" selected>Kolkata (UTC+5:30)</option>"#;
    assert!(page.text.contains(chosen), "{}", page.text);
    let shown = "Signed in 17 May 2031, 14:00 IST";
    let page = browser.get("/devices").await.expect(200);
    page.expect_words(shown);
    let elsewhere = app.signed_in_browser(&ada, IPHONE).await;
    let page = elsewhere.get("/devices").await.expect(200);
    page.expect_words(shown);

    choose(&browser, "UTC").await.expect(303);
    let page = browser.get("/account").await.expect(200);
    let page = page.expect_words("Times are in UTC. Change");
    assert!(page.text.contains(r#"<option value="UTC" selected>"#));
    choose(&browser, "").await.expect(303);
    let page = browser.get("/account").await.expect(200);
    page.expect_words("Times are in Lisbon time (UTC+1).");
    let page = elsewhere.get("/devices").await.expect(200);
    page.expect_words(UNKNOWN);
}

async fn a_setting_is_recorded_once(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    choose(&browser, "Asia/Kolkata").await.expect(303);
    choose(&browser, "Asia/Kolkata").await.expect(303);
    let events = "SELECT count(*) AS value FROM session_events
                  WHERE kind = 'setting_changed' AND detail = 'time_zone'";
    assert_eq!(app.database.number(events), 1);
    let page = browser.get("/account").await.expect(200);
    page.expect_words("You changed your time zone");
}

async fn a_zone_that_is_not_offered_is_refused(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    choose(&browser, "Asia/Kolkata").await.expect(303);
    let long = "Europe/Lisbon".repeat(1000);
    for zone in ["Atlantis", "asia/kolkata", "Etc/GMT+5", "<b>", " ", &long] {
        choose(&browser, zone).await.expect(400);
    }
    let page = browser.get("/devices").await.expect(200);
    page.expect_words("Times are in Kolkata time (UTC+5:30).");
}

async fn only_zones_that_are_no_aliases_are_offered_by_their_places(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let page = browser.get("/account").await.expect(200);
    for alias in [
        "Asia/Calcutta",
        "Asia/Saigon",
        "Africa/Asmera",
        "America/Knox_IN",
        "Australia/ACT",
        "Australia/North",
        "US/Eastern",
        "Etc/GMT+5",
    ] {
        assert!(!page.text.contains(&format!("\"{alias}\"")), "{alias}");
        choose(&browser, alias).await.expect(400);
    }
    for offered in [
        r#"<optgroup label="Pacific Ocean">"#,
        r#"<option value="America/New_York">New York (UTC−4)</option>"#,
        r#"<option value="America/Sao_Paulo">São Paulo (UTC−3)</option>"#,
        r#"<option value="America/Indiana/Knox">Knox, Indiana (UTC−5)</option>"#,
        r#"<option value="Antarctica/DumontDUrville">Dumont d’Urville (UTC+10)</option>"#,
        r#"<option value="Australia/Darwin">Darwin (UTC+9:30)</option>"#,
    ] {
        assert!(page.text.contains(offered), "{offered}");
    }
}

async fn a_stored_alias_works_and_is_shown_as_its_zone(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    app.database
        .execute("UPDATE users SET time_zone = 'Asia/Calcutta'");
    let page = browser.get("/account").await.expect(200);
    let page = page.expect_words("Times are in Kolkata time (UTC+5:30).");
    let chosen = r#"<option value="Asia/Kolkata" selected>Kolkata (UTC+5:30)</option>"#;
    assert!(page.text.contains(chosen), "{}", page.text);
}

async fn the_foot_names_every_zone_naturally(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for (zone, words) in [
        ("America/New_York", "Times are in New York time (UTC−4)."),
        ("US/Eastern", "Times are in New York time (UTC−4)."),
        ("Asia/Kathmandu", "Times are in Kathmandu time (UTC+5:45)."),
        ("Atlantic/Reykjavik", "Times are in Reykjavík time (UTC)."),
        ("Etc/GMT+12", "Times are in UTC−12."),
        ("Etc/GMT", "Times are in UTC."),
        ("Zulu", "Times are in UTC."),
    ] {
        browser.set_cookie(COOKIE, zone);
        let page = browser.get("/devices").await.expect(200);
        page.expect_words(&format!("{words} Change the time zone"));
    }
}

async fn a_cookie_that_names_no_zone_is_ignored(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let session = browser.cookie("rollcall_session").expect("a session");
    let long = "Europe/Lisbon".repeat(300);
    let five = [
        "Asia/Tokyo",
        "Asia/Seoul",
        "UTC",
        "Asia/Dili",
        "Europe/Rome",
    ]
    .map(|zone| format!("{COOKIE}={zone}"))
    .join("; ");
    let named = |value: &str| format!("{COOKIE}={value}");
    for cookies in [
        named(""),
        named("Atlantis"),
        named("europe/lisbon"),
        named("+01:00"),
        named("<script>alert(1)</script>"),
        named("%45urope/Lisbon"),
        named("../../etc/passwd"),
        named(&long),
        "Rollcall_zone=Europe/Lisbon".into(),
        "__Host-rollcall_zone=Europe/Lisbon".into(),
        five,
    ] {
        let line = format!("rollcall_session={session}; {cookies}");
        let request = app.anyone().request("GET", "/devices");
        let page = TestResponse::to(request.header("cookie", line)).await;
        let page = page.expect(200).expect_words(UNKNOWN);
        assert!(!page.text.contains("alert(1)"), "{cookies}");
    }
    // Of a few, the first that names a zone counts.
    let line = format!("rollcall_session={session}; {COOKIE}=Atlantis; {COOKIE}=Asia/Tokyo");
    let request = app.anyone().request("GET", "/devices");
    let page = TestResponse::to(request.header("cookie", line)).await;
    page.expect(200)
        .expect_words("Times are in Tokyo time (UTC+9).");
}

async fn today_is_the_day_of_the_reader(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.login(&ada, IPHONE).await;
    app.advance(4 * HOUR);
    for (zone, words) in [
        ("UTC", "today 08:30"),
        // It is 18 May there.
        ("Pacific/Auckland", "yesterday 20:30"),
        ("Pacific/Pago_Pago", "yesterday 21:30"),
    ] {
        let browser = browser_in(app, &ada, zone).await;
        let page = browser.get("/devices").await.expect(200);
        page.expect_words(&format!("Safari on iPhone {words}"));
    }
    let browser = browser_in(app, &ada, "Europe/Lisbon").await;
    for (days, words) in [
        (1, "yesterday 09:30"),
        (1, "Saturday"),
        (4, "Saturday"),
        (1, "17 May"),
    ] {
        app.advance(24 * days * HOUR);
        browser.sign_in(&ada).await.expect(303);
        let page = browser.get("/devices").await.expect(200);
        page.expect_words(&format!("Safari on iPhone {words} ·"));
    }
}

async fn an_hour_that_comes_twice_is_told_apart(app: &TestApp) {
    // The clocks in Lisbon go back at 01:00 UTC on 26 October 2031.
    app.advance(161 * 24 * HOUR + 16 * HOUR);
    let ada = app.register("ada@example.org").await;
    app.login(&ada, IPHONE).await;
    app.advance(HOUR);
    let browser = browser_in(app, &ada, "Europe/Lisbon").await;
    let page = browser.get("/devices").await.expect(200);
    page.expect_words("Signed in 26 October 2031, 01:30 WEST")
        .expect_words("Signed in 26 October 2031, 01:30 WET")
        .expect_words("Safari on iPhone today 01:30");
}

async fn administrators_read_times_in_their_own_zone(app: &TestApp) {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let ada = app.register("ada@example.org").await;
    let person = browser_in(app, &ada, "Asia/Tokyo").await;
    choose(&person, "Asia/Kolkata").await.expect(303);
    let browser = browser_in(app, &root, "Europe/Lisbon").await;
    let path = format!("/admin/users/{}", id_of(app, "ada@example.org"));
    app.advance(2 * HOUR);
    for (page, words) in [
        (path.as_str(), "Account created 17 May 2031, 09:30 WEST"),
        ("/admin/sessions", "today 09:30"),
        ("/admin/users", "today 09:30"),
        ("/admin/events", "today 09:30"),
        ("/admin", "WEST"),
    ] {
        browser
            .get(page)
            .await
            .expect(200)
            .expect_words(words)
            .expect_words("Times are in Lisbon time (UTC+1).");
    }
}

async fn who_is_not_signed_in_reads_times_in_the_browsers_zone(app: &TestApp) {
    let page = app.browser(FIREFOX).get("/sign-in").await.expect(200);
    assert!(page.text.contains(r#" data-time-zone="UTC""#));
    assert!(page.text.contains(r#" data-zone-cookie="rollcall_zone""#));
    assert!(!page.words().contains("Times are in"), "no time is there");
}

async fn the_export_has_both_zones_and_the_account_takes_them_along(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = browser_in(app, &ada, "Europe/Lisbon").await;
    choose(&browser, "Asia/Kolkata").await.expect(303);
    let file = browser.get("/account/export").await.expect(200).json();
    assert_eq!(file["account"]["time_zone"], "Asia/Kolkata");
    assert_eq!(file["account"]["browser_time_zone"], "Europe/Lisbon");
    choose(&browser, "").await.expect(303);
    let file = browser.get("/account/export").await.expect(200).json();
    assert_eq!(file["account"]["time_zone"], serde_json::Value::Null);
    browser
        .submit(
            "/account/delete",
            "/account/delete",
            &[("typed", ada.email.as_str())],
        )
        .await
        .expect(303);
    let left = "SELECT count(*) AS value FROM users WHERE browser_time_zone IS NOT NULL";
    assert_eq!(app.database.number(left), 0);
}

async fn a_sign_in_that_raises_an_alert_stores_no_zone(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.login(&ada, "curl/8.14.1").await;
    let stored = "SELECT browser_time_zone AS value FROM users WHERE email = 'ada@example.org'";
    browser_in(app, &ada, "Asia/Tokyo").await;
    let alerts = "SELECT count(*) AS value FROM alerts";
    assert_eq!(app.database.number(alerts), 1);
    assert_eq!(app.database.texts(stored), [None]);
}

async fn a_sign_in_stores_the_zone_of_the_browser(app: &TestApp) {
    let stored = || {
        app.database
            .texts("SELECT browser_time_zone AS value FROM users WHERE email = 'ada@example.org'")
    };
    let ada = app.register("ada@example.org").await;
    assert_eq!(stored(), [None]);
    let changed = "SELECT count(*) AS value FROM users WHERE updated_at > created_at";
    let browser = browser_in(app, &ada, "Europe/Lisbon").await;
    assert_eq!(stored(), [Some("Europe/Lisbon".to_owned())]);
    browser.set_cookie(COOKIE, "Asia/Tokyo");
    app.advance(HOUR);
    browser.get("/devices").await.expect(200);
    assert_eq!(stored(), [Some("Europe/Lisbon".to_owned())]);
    let out = browser.submit("/devices", "/sign-out", &[]).await;
    out.expect(303);
    browser.sign_in(&ada).await.expect(303);
    assert_eq!(stored(), [Some("Asia/Tokyo".to_owned())]);
    // One that the person has not used before may be an intruder's.
    browser_in(app, &ada, "America/Lima").await;
    assert_eq!(stored(), [Some("Asia/Tokyo".to_owned())]);
    // One that says nothing takes nothing away, and one that lies changes nothing.
    app.signed_in_browser(&ada, FIREFOX).await;
    browser_in(app, &ada, "Atlantis").await;
    assert_eq!(stored(), [Some("Asia/Tokyo".to_owned())]);
    assert_eq!(
        app.database.number(changed),
        0,
        "the account has not changed"
    );
}

async fn the_hour_of_an_end_today_is_said(database: Database) {
    let short = |settings: &mut Settings| settings.sessions.idle_limit = 5 * HOUR;
    let app = TestApp::start_with(database, short).await;
    let ada = app.register("ada@example.org").await;
    for (zone, words) in [
        (
            "Europe/Lisbon",
            "Signs out automatically today 14:30 if it is not used",
        ),
        (
            "Asia/Kathmandu",
            "Signs out automatically today 19:15 if it is not used",
        ),
        (
            "Pacific/Auckland",
            "Signs out automatically tomorrow 01:30 if it is not used",
        ),
    ] {
        let browser = browser_in(&app, &ada, zone).await;
        let page = browser.get("/devices").await.expect(200);
        page.expect_words(words);
    }
    app.login(&ada, IPHONE).await;
    let browser = browser_in(&app, &ada, "Europe/Lisbon").await;
    let page = browser.get("/devices").await.expect(200);
    page.expect_words("Signs out automatically on 13 November if it is not used");
    app.stop().await;
}

async fn messages_are_in_the_zone_of_the_person(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |_| {}).await;
    let ada = app.register("ada@example.org").await;
    let laptop = browser_in(&app, &ada, "Europe/Lisbon").await;
    for (n, zone, shown) in [
        (1, "", "17 May 2031, 10:31 WEST"),
        (2, "Asia/Kolkata", "17 May 2031, 16:02 IST"),
    ] {
        choose(&laptop, zone).await.expect(303);
        app.advance(HOUR + HOUR / 60);
        app.login_from(&ada, IPHONE, ELSEWHERE, None).await;
        app.deliver_mail().await;
        let messages = server.wait_for(n).await;
        let message = messages.last().expect("a message");
        for text in [message.plain(), message.html()] {
            assert!(text.contains(shown), "{shown} is not in {text}");
        }
        // The next one is on a new device, too.
        let sessions = format!("DELETE FROM user_sessions WHERE ip_address = '{ELSEWHERE}'");
        app.database.execute(&sessions);
    }
    app.stop().await;
}

/// Whoever reads it may be somebody from whom they moved away.
async fn a_message_to_another_address_does_not_say_where_the_person_is(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |_| {}).await;
    let ada = app.register("ada@example.org").await;
    let browser = browser_in(&app, &ada, "Europe/Lisbon").await;
    choose(&browser, "Pacific/Auckland").await.expect(303);
    browser
        .submit(
            "/account",
            "/account/email",
            &[("email", "new@example.org")],
        )
        .await
        .expect(303);
    app.deliver_mail().await;
    let messages = server.wait_for(1).await;
    let message = messages.last().expect("a message");
    assert_eq!(message.to, ["new@example.org"]);
    let text = message.plain().replace('\n', " ");
    assert!(text.contains("18 May 2031, 08:30 UTC"), "{text}");
    assert!(!text.contains(" NZ"), "{text}");
    app.stop().await;
}

async fn applications_do_not_receive_the_cookie(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.forward_auth.allowed_hosts = vec!["app.example.org".into()];
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let browser = browser_in(&app, &ada, "Europe/Lisbon").await;
    browser.set_cookie("theme", "dark");
    let verified = browser.verify().await.expect(200);
    assert_eq!(verified.header("cookie"), "theme=dark");
    app.stop().await;
}

/// Returns the words of relative times: on the page that is open, or as the server has them.
const WORDS: &str =
    "(page) => [...page.querySelectorAll('time[data-ago]')].map((it) => it.textContent)";

/// A page is in the zone that the server knows; the script stores the browser's for the next one.
async fn the_script_stores_the_zone_of_the_browser(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let laptop = driver.open(&app.base(), Script::On).await;
    let adelaide = "Times are in Adelaide time (UTC+9:30).";
    for (zone, words) in [
        ("Pacific/Auckland", "Times are in Auckland time (UTC+12)."),
        ("Australia/Adelaide", adelaide),
    ] {
        laptop.forget_cookies().await;
        let parameters = json!({ "timezoneId": zone });
        laptop
            .command("Emulation.setTimezoneOverride", parameters)
            .await;
        laptop.sign_in(&ada).await;
        let foot = laptop.words_in(".zone").await;
        assert!(foot.starts_with(words), "{foot}");
    }
    let tokyo = json!({ "timezoneId": "Asia/Tokyo" });
    laptop.command("Emulation.setTimezoneOverride", tokyo).await;
    for words in [adelaide, "Times are in Tokyo time (UTC+9)."] {
        laptop.open("/devices").await;
        let foot = laptop.words_in(".zone").await;
        assert!(foot.starts_with(words), "{foot}");
    }
    laptop.close().await;
    app.stop().await;
}

/// The browser is in another zone than the one that its person chose, and its clock years behind.
async fn the_script_words_times_as_the_server_does(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.sessions.idle_limit = 2_000 * 24 * HOUR;
        settings.sessions.absolute_limit = 2_000 * 24 * HOUR;
        settings.sessions.remembered_idle_limit = 2_000 * 24 * HOUR;
        settings.sessions.remembered_absolute_limit = 2_000 * 24 * HOUR;
    })
    .await;
    let ada = app.register("ada@example.org").await;
    app.login(&ada, IPHONE).await;
    let driver = WebDriver::start();
    let laptop = driver.open(&app.base(), Script::On).await;
    let tokyo = json!({ "timezoneId": "Asia/Tokyo" });
    laptop.command("Emulation.setTimezoneOverride", tokyo).await;
    laptop.sign_in(&ada).await;
    choose(
        &app.signed_in_browser(&ada, FIREFOX).await,
        "Pacific/Auckland",
    )
    .await
    .expect(303);
    let mut passed = 0;
    for minutes in [
        1, 2, 59, 60, 209, 210, 500, 1_649, 1_650, 3_090, 8_849, 8_850, 10_290, 500_000,
    ] {
        laptop.open("/devices").await;
        let span = Duration::from_secs((minutes - passed) * 60);
        passed = minutes;
        let later = format!(
            "const [span, done] = arguments;
             const now = Date.now;
             Date.now = () => now() + span;
             refreshTimes();
             done(({WORDS})(document));"
        );
        let span_ms = u64::try_from(span.as_millis()).expect("a span");
        let worded = laptop.run(&later, vec![json!(span_ms)]).await;
        app.advance(span);
        let served = format!(
            "const [done] = arguments;
             const parse = (text) => new DOMParser().parseFromString(text, 'text/html');
             fetch('/devices').then((it) => it.text()).then((text) => done(({WORDS})(parse(text))));"
        );
        let served = laptop.run(&served, Vec::new()).await;
        assert_eq!(worded, served, "after {minutes} minutes");
        let texts = served.as_array().expect("texts");
        assert!(texts.len() >= 2, "of the phone and of an alert: {served}");
    }
    laptop.close().await;
    app.stop().await;
}
