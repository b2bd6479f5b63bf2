//! Reports of alerts: what one would end is named before, a device has one name throughout, and what a report
//! ended is called so wherever it is listed.

use crate::support::html::forms;
use crate::support::mailed::Mailed as Fixture;
use crate::support::prelude::*;

on_both!(
    database: what_a_report_ends_besides_is_named_before,
    devices_of_one_name_are_counted,
    a_report_that_ends_nothing_else_says_nothing_of_others,
    a_link_names_before_what_it_ends,
    a_device_is_called_as_in_its_alert,
    a_link_calls_a_device_as_its_message_does,
    what_a_report_ended_is_listed_so,
    what_a_link_ended_is_listed_so,
    taking_an_account_back_reports_no_device_of_before,
    a_reported_device_is_known_by_none_of_its_sessions,
    the_reported_browser_gets_a_neutral_sentence,
    a_device_whose_sign_in_is_unconfirmed_is_told_of_no_alert,
    an_alert_that_waits_for_an_older_device_says_so_on_a_newer_one,
    where_no_older_device_is_signed_in_the_page_says_what_can_be_done,
    a_confirmed_device_that_a_report_ends_is_named_truly,
    a_report_from_a_device_that_is_not_listed_came_from_another_device,
    the_report_of_a_changed_email_says_that_it_takes_the_account_back,
    the_report_of_a_changed_password_says_which_device_it_signs_out,
    a_change_made_here_needs_no_attention_here,
    a_message_about_a_reviewed_sign_in_is_not_sent,
    a_summary_leaves_out_what_was_reviewed,
    an_unknown_link_leads_on,
    what_a_reported_device_did_was_not_done_by_its_person,
    an_address_is_no_place,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";
const MINUTE: Duration = Duration::from_secs(60);

async fn set_up(database: Database) -> Fixture {
    let fixture = Fixture::start(database, HOME, |_| {}).await;
    fixture.app.advance(MINUTE);
    fixture
}

impl Fixture {
    /// Signs a stranger in, on a phone that says that it is called Zap.
    async fn stranger(&self) -> Device {
        let body = json!({"email": self.ada.email, "password": self.ada.password, "device_name": "Zap", "device_id": "zap"});
        let request = self
            .app
            .anyone()
            .request("POST", "/api/v1/auth/login")
            .header("user-agent", IPHONE)
            .header("x-forwarded-for", ELSEWHERE);
        let response = TestResponse::to(request.json(&body)).await.expect(200);
        Device::from_login(self.app.base(), &response)
    }

    async fn answer(&self, how: &str) -> TestResponse {
        self.laptop.answer_alert(&format!("/{how}")).await
    }

    /// Returns the link in the first message about a sign-in.
    async fn first_link(&self) -> String {
        self.app.deliver_mail().await;
        let messages = self.server.messages();
        messages.first().expect("a message").link("/not-me/")
    }
}

async fn what_a_report_ends_besides_is_named_before(database: Database) {
    let fixture = set_up(database).await;
    fixture.stranger().await;
    fixture.app.advance(MINUTE);
    let app = &fixture.app;
    let second = app
        .login_from(&fixture.ada, "curl/8.14.1", "192.0.2.1", None)
        .await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words(
        "“No, sign it out”: curl, which signed in after this happened, is signed out as well.",
    );
    let page = fixture.answer("no").await;
    page.expect_words("Safari on iPhone")
        .expect_words("curl")
        .expect_words("are signed out, and no longer count as yours.");
    second.current().await.problem(401, "unauthenticated");
    fixture.stop().await;
}

async fn devices_of_one_name_are_counted(database: Database) {
    let fixture = set_up(database).await;
    fixture.stranger().await;
    fixture.app.advance(MINUTE);
    for (device, address) in [("one", "192.0.2.1"), ("two", "192.0.2.200")] {
        let login = fixture
            .app
            .login_from(&fixture.ada, IPHONE, address, Some(device));
        login.await;
        fixture.app.advance(Duration::from_secs(1));
    }
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words(
        "Safari on iPhone (192.0.2.200, last used just now) and Safari on iPhone (192.0.2.1, last used just now), which signed in after this happened, are signed out as well.",
    );
    let page = fixture.answer("no").await;
    page.expect_words(
        "3 devices named Safari on iPhone are signed out, and no longer count as yours.",
    );
    fixture.stop().await;
}

async fn a_report_that_ends_nothing_else_says_nothing_of_others(database: Database) {
    let fixture = set_up(database).await;
    fixture.stranger().await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    assert!(!page.words().contains("as well"), "{}", page.words());
    let link = fixture.first_link().await;
    let page = fixture.reader().get(&link).await.expect(200);
    assert!(!page.text.contains("checkbox"), "{}", page.text);
    assert!(!page.words().contains(", too"), "{}", page.words());
    fixture.stop().await;
}

async fn a_link_names_before_what_it_ends(database: Database) {
    let fixture = set_up(database).await;
    let app = &fixture.app;
    app.login_from(&fixture.ada, "curl/8.14.1", "192.0.2.1", None)
        .await;
    app.advance(MINUTE);
    fixture.stranger().await;
    app.deliver_mail().await;
    let messages = fixture.server.messages();
    let (first, second) = (&messages[0], &messages[1]);
    let page = fixture
        .reader()
        .get(&first.link("/not-me/"))
        .await
        .expect(200);
    page.expect_words(
        "Then Safari on iPhone (198.51.100.7, last used just now), which signed in after it happened, is signed out, too.",
    );
    let page = fixture
        .reader()
        .get(&second.link("/not-me/"))
        .await
        .expect(200);
    let page = page
        .expect_words("With “No, sign it out”, also sign out what nobody has confirmed yet: curl");
    assert!(!page.words().contains("Then curl"), "{}", page.words());
    // What is ticked goes with *No*: with *Yes* it is not left out without a word.
    let link = second.link("/not-me/");
    let fields = [("answer", "mine"), ("all", "on")];
    let page = fixture.reader().submit(&link, &link, &fields).await;
    let page = page
        .expect(400)
        .expect_words("Nothing was done: what is ticked below goes with “No, sign it out”");
    let ticked = "name=\"all\" value=\"on\" checked";
    assert!(page.text.contains(ticked), "{}", page.text);
    fixture.stop().await;
}

async fn a_device_is_called_as_in_its_alert(database: Database) {
    let fixture = set_up(database).await;
    fixture.stranger().await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    // Its row shows both names.
    page.expect_words("Safari on iPhone signed in just now, for the first time.")
        .expect_words("Listed as Zap")
        .expect_words("Zap Safari on iPhone ·");
    let page = fixture.answer("no").await;
    page.expect_words("Safari on iPhone is signed out, and no longer counts as yours.")
        .expect_words("You reported Safari on iPhone");
    fixture.stop().await;
}

async fn a_link_calls_a_device_as_its_message_does(database: Database) {
    let fixture = set_up(database).await;
    fixture.stranger().await;
    let link = fixture.first_link().await;
    let text = fixture.server.messages()[0].plain();
    assert!(
        text.contains("Safari on iPhone") && !text.contains("Zap"),
        "{text}"
    );
    let reader = fixture.reader();
    let page = reader.submit(&link, &link, &[("answer", "not-mine")]).await;
    let page = page.expect(200);
    page.expect_words("Safari on iPhone is signed out, and no longer counts as yours.");
    fixture.stop().await;
}

async fn what_a_report_ended_is_listed_so(database: Database) {
    let fixture = set_up(database).await;
    let zap = fixture.stranger().await;
    let page = fixture.answer("no").await;
    let words = page.words();
    let ended = words.split("Recently ended").nth(1).expect("the list");
    let cause = "You reported that it was not you, from Firefox on Windows";
    assert!(ended.contains(cause), "{ended}");
    assert!(!words.contains("Signed out by you"), "{words}");
    let page = fixture.laptop.get(&format!("/devices/{}", zap.id())).await;
    let page = page.expect(200);
    assert_eq!(page.words().matches(cause).count(), 3, "{}", page.words());
    fixture.stop().await;
}

async fn what_a_link_ended_is_listed_so(database: Database) {
    let fixture = set_up(database).await;
    let zap = fixture.stranger().await;
    let link = fixture.first_link().await;
    let reader = fixture.reader();
    let page = reader.submit(&link, &link, &[("answer", "not-mine")]).await;
    page.expect(200);
    let cause = "You reported that it was not you, with a link in an e-mail";
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words(cause);
    let page = fixture.laptop.get(&format!("/devices/{}", zap.id())).await;
    page.expect(200).expect_words(cause);
    fixture.stop().await;
}

/// It ends every session at the time of the report, also those that nobody reported.
async fn taking_an_account_back_reports_no_device_of_before(database: Database) {
    let fixture = set_up(database).await;
    let (app, ada) = (&fixture.app, &fixture.ada);
    app.login_from(ada, "curl/8.14.1", ELSEWHERE, Some("curl"))
        .await;
    fixture.answer("yes").await;
    app.advance(MINUTE);
    let email = [("email", "new@example.org")];
    let requested = fixture.laptop.submit("/account", "/account/email", &email);
    requested.await.expect(303);
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages();
    let link = messages.last().expect("a message").link("/verify-email/");
    let verified = fixture.laptop.submit(&link, &link, &[("answer", "mine")]);
    verified.await.expect(303);
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages();
    let former = messages
        .iter()
        .rev()
        .find(|it| it.to == ["ada@example.org"]);
    let link = former.expect("a message").link("/not-me/");
    let reader = fixture.reader();
    let taken = reader
        .submit(&link, &link, &[("answer", "take-back")])
        .await;
    let password = forms(&taken.expect(200).text)
        .into_iter()
        .find(|form| form.action == format!("{link}/password"))
        .expect("a form for a new password");
    let new = "another battery staple";
    let set = reader.send(&password, &[("new_password", new)]).await;
    set.expect(303);
    let ada = Person {
        password: new.into(),
        ..ada.clone()
    };
    fixture.laptop.sign_in(&ada).await.expect(303);
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words("curl Signed out when the account was taken back");
    fixture.stop().await;
}

async fn a_reported_device_is_known_by_none_of_its_sessions(database: Database) {
    const DESKTOP: &str =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0";

    let fixture = set_up(database).await;
    let count = || {
        fixture
            .app
            .database
            .number("SELECT count(*) AS value FROM alerts")
    };
    // Of two sessions on one device, the earlier one is no subject of an alert that is reported.
    let zap = fixture.stranger().await;
    zap.post("/api/v1/auth/logout").await.expect(204);
    fixture.app.advance(MINUTE);
    fixture.stranger().await;
    let stranger = fixture.app.browser_from(DESKTOP, ELSEWHERE);
    stranger.sign_in(&fixture.ada).await;
    fixture.app.advance(MINUTE);
    stranger.forget_cookie("rollcall_session");
    stranger.sign_in(&fixture.ada).await;
    assert_eq!(count(), 2);
    fixture.answer("no").await;
    fixture.app.advance(MINUTE);
    // Both are signed out, with the last session of each.
    let sessions = "SELECT count(*) AS value FROM user_sessions WHERE is_active";
    assert_eq!(fixture.app.database.number(sessions), 1);
    fixture.stranger().await;
    assert_eq!(count(), 3, "the same device id");
    stranger.sign_in(&fixture.ada).await;
    assert_eq!(count(), 4, "the same browser");
    fixture.answer("no").await;
    fixture.app.advance(MINUTE);
    let fresh = fixture.app.browser_from(DESKTOP, ELSEWHERE);
    fresh.sign_in(&fixture.ada).await;
    assert_eq!(count(), 5, "a browser that looks alike");
    fixture.stop().await;
}

async fn the_reported_browser_gets_a_neutral_sentence(database: Database) {
    let fixture = set_up(database).await;
    let stranger = fixture.app.browser_from(IPHONE, ELSEWHERE);
    stranger.sign_in(&fixture.ada).await;
    fixture.answer("no").await;
    let led = stranger.get("/devices").await;
    assert!(led.is_to_sign_in());
    let page = stranger.follow(&led).await.expect(200);
    let page = page.expect_words("This device was signed out.");
    let words = page.words();
    assert!(
        !words.contains("Firefox") && !words.contains("today"),
        "{words}"
    );
    assert!(!page.text.contains("<time"), "{}", page.text);
    fixture.stop().await;
}

async fn a_device_whose_sign_in_is_unconfirmed_is_told_of_no_alert(database: Database) {
    let fixture = set_up(database).await;
    let stranger = fixture.app.browser_from(IPHONE, ELSEWHERE);
    stranger.sign_in(&fixture.ada).await;
    fixture.app.advance(MINUTE);
    let second = fixture.app.browser_from("curl/8.14.1", "192.0.2.1");
    second.sign_in(&fixture.ada).await;
    for unconfirmed in [&stranger, &second] {
        let page = unconfirmed.get("/devices").await.expect(200);
        let page = page.expect_words("You are signed in on 3 devices.");
        let words = page.words();
        for sentence in [
            "Nothing needs your attention",
            "Was this you?",
            "alert",
            "waits",
        ] {
            let summary = words.split("This device").next().expect("a summary");
            assert!(!summary.contains(sentence), "{sentence}: {words}");
        }
    }
    fixture.answer("no").await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page.expect_words("Some steps are left to make your account safe.");
    assert!(!page.words().contains("Nothing needs"), "{}", page.words());
    fixture.stop().await;
}

/// A device that raised no alert, and came after what waits.
async fn newer(fixture: &Fixture) -> Browser {
    let newer = fixture.app.browser_from(FIREFOX, HOME);
    newer.sign_in(&fixture.ada).await.expect(303);
    newer
}

async fn an_alert_that_waits_for_an_older_device_says_so_on_a_newer_one(database: Database) {
    let fixture = set_up(database).await;
    fixture.stranger().await;
    fixture.app.advance(MINUTE);
    let newer = newer(&fixture).await;
    let page = newer.get("/devices").await.expect(200);
    page.expect_words(
        "An alert waits for an answer. You can answer it on a device that you used before that alert.",
    );
    fixture.stop().await;
}

async fn where_no_older_device_is_signed_in_the_page_says_what_can_be_done(database: Database) {
    let fixture = set_up(database).await;
    fixture.stranger().await;
    fixture.app.advance(MINUTE);
    let newer = newer(&fixture).await;
    fixture
        .laptop
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    const WAITS: &str =
        "An alert waits for an answer, and no device from before that alert is signed in.";
    let page = newer.get("/devices").await.expect(200);
    page.expect_words(&format!(
        "{WAITS} Answer it with the link in the e-mail about it."
    ));
    fixture
        .app
        .database
        .execute("UPDATE users SET email_declined_at = updated_at");
    let page = newer.get("/devices").await.expect(200);
    page.expect_words(&format!(
        "{WAITS} Sign out the devices that you don’t know, and set a new password under Account."
    ));
    fixture.stop().await;
}

/// Which device confirmed it is not known, so it ends; but nobody says that it was not confirmed.
async fn a_confirmed_device_that_a_report_ends_is_named_truly(database: Database) {
    let fixture = set_up(database).await;
    fixture.stranger().await;
    fixture.app.advance(MINUTE);
    let app = &fixture.app;
    app.login_from(&fixture.ada, "curl/8.14.1", "192.0.2.1", None)
        .await;
    let confirm = "UPDATE alerts SET answer = 'mine', answered_at = at, settled_by = id WHERE ip_address = '192.0.2.1'";
    app.database.execute(confirm);
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page.expect_words(
        "“No, sign it out”: curl, which signed in after this happened, is signed out as well.",
    );
    assert!(!page.words().contains("nobody"), "{}", page.words());
    fixture.stop().await;
}

async fn a_report_from_a_device_that_is_not_listed_came_from_another_device(database: Database) {
    let fixture = set_up(database).await;
    let zap = fixture.stranger().await;
    fixture.answer("no").await;
    let newer = newer(&fixture).await;
    // As after its purge.
    let purge = "UPDATE user_sessions SET ended_by = user_id WHERE ended_by IS NOT NULL";
    fixture.app.database.execute(purge);
    let cause = "You reported that it was not you, from another device";
    let page = newer.get("/devices").await.expect(200);
    page.expect_words(cause);
    let page = newer.get(&format!("/devices/{}", zap.id())).await;
    page.expect(200).expect_words(cause);
    fixture.stop().await;
}

async fn the_report_of_a_changed_email_says_that_it_takes_the_account_back(database: Database) {
    let fixture = set_up(database).await;
    let other = newer(&fixture).await;
    fixture.app.advance(MINUTE);
    let email = [("email", "new@example.org")];
    let requested = fixture.laptop.submit("/account", "/account/email", &email);
    requested.await.expect(303);
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages();
    let link = messages.last().expect("a message").link("/verify-email/");
    let verified = fixture.laptop.submit(&link, &link, &[("answer", "mine")]);
    verified.await.expect(303);
    let page = other.get("/devices").await.expect(200);
    page.expect_words("“No, it wasn’t me”: the account gets ada@example.org back as its e-mail, every device is signed out, this one too, and the password no longer works.");
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages();
    let own = messages.iter().rev().find(|it| {
        it.to == ["new@example.org"] && it.header("Subject") == "Your e-mail was changed"
    });
    let own = own.expect("a message");
    let text = own.plain().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("signs out every device; the password then no longer works."),
        "{text}"
    );
    let page = fixture
        .reader()
        .get(&own.link("/not-me/"))
        .await
        .expect(200);
    page.expect_words("The account gets its former e-mail back, every device is signed out, and the password no longer works.");
    // Once it can't be undone, it says so.
    fixture.app.database.execute("DELETE FROM former_emails");
    let page = other.get("/devices").await.expect(200);
    page.expect_words("“No, it wasn’t me”: the device that it was done on is signed out. The e-mail of the account is not changed back.");
    fixture
        .laptop
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    let page = other.get("/devices").await.expect(200);
    page.expect_words("“No, it wasn’t me”: the device no longer counts as yours. The e-mail");
    fixture.stop().await;
}

async fn the_report_of_a_changed_password_says_which_device_it_signs_out(database: Database) {
    let mut fixture = set_up(database).await;
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "another battery staple"),
    ];
    // The browser that changes it is another one than that which answers.
    let other = newer(&fixture).await;
    fixture.app.advance(MINUTE);
    let changed = other.submit("/account", "/account/password", &fields);
    changed.await.expect(303);
    fixture.app.advance(MINUTE);
    fixture.ada.password = "another battery staple".into();
    fixture.laptop.sign_in(&fixture.ada).await.expect(303);
    fixture.stranger().await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words("“No, it wasn’t me”: the device that it was done on is signed out; Safari on iPhone, which signed in after this happened, is signed out as well.");
    fixture.stop().await;
}

async fn a_change_made_here_needs_no_attention_here(database: Database) {
    let fixture = set_up(database).await;
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "another battery staple"),
    ];
    let changed = fixture
        .laptop
        .submit("/account", "/account/password", &fields);
    changed.await.expect(303);
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page.expect_words("You are signed in only here.");
    assert!(!page.words().contains("An alert waits"), "{}", page.words());
    fixture.stop().await;
}

async fn a_message_about_a_reviewed_sign_in_is_not_sent(database: Database) {
    let fixture = set_up(database).await;
    for (how, ip) in [("yes", "198.51.101.7"), ("no", "198.51.102.7")] {
        fixture.app.login_from(&fixture.ada, IPHONE, ip, None).await;
        fixture.answer(how).await;
        assert_eq!(fixture.app.deliver_mail().await, 0, "{how}");
    }
    assert!(fixture.server.messages().is_empty());
    let state = "SELECT DISTINCT state AS value FROM mail_queue";
    assert_eq!(fixture.app.database.texts(state), [Some("void".to_owned())]);
    fixture.stop().await;
}

async fn a_summary_leaves_out_what_was_reviewed(database: Database) {
    let fixture = set_up(database).await;
    let app = &fixture.app;
    for n in 0..5 {
        let ip = format!("192.0.{n}.1");
        app.login_from(&fixture.ada, IPHONE, &ip, None).await;
        app.deliver_mail().await;
        app.advance(MINUTE);
    }
    // The newest one is the last of the two that have no message of their own.
    let review = "UPDATE alerts SET answer = 'mine', answered_at = at, settled_by = id WHERE ip_address = '192.0.4.1'";
    app.database.execute(review);
    app.advance(61 * MINUTE);
    app.deliver_mail().await;
    let messages = fixture.server.messages();
    let summary = messages.last().expect("a message");
    assert_eq!(summary.header("Subject"), "More sign-ins to your account");
    let text = summary.plain();
    assert!(
        text.contains("192.0.3.1") && !text.contains("192.0.4.1"),
        "{text}"
    );
    assert!(text.contains("there was 1 more sign-in"), "{text}");
    fixture.stop().await;
}

async fn an_unknown_link_leads_on(database: Database) {
    let fixture = set_up(database).await;
    let page = fixture.reader().get("/not-me/AAAA").await.expect(404);
    page.expect_words("This link doesn’t work")
        .expect_words("It may be too old, or a part of it is missing")
        .expect_words("Your devices");
    fixture.stop().await;
}

async fn an_address_is_no_place(database: Database) {
    let fixture = set_up(database).await;
    let app = &fixture.app;
    app.login_from(&fixture.ada, "curl/8.14.1", "192.168.7.7", None)
        .await;
    app.login_from(&fixture.ada, IPHONE, ELSEWHERE, None).await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page.expect_words("just now · Local network");
    let words = page.words();
    for stand_in in [
        format!("just now · {ELSEWHERE}"),
        format!("Active now · {HOME}"),
    ] {
        assert!(!words.contains(&stand_in), "{words}");
    }
    fixture.stop().await;
}

async fn what_a_reported_device_did_was_not_done_by_its_person(database: Database) {
    let fixture = set_up(database).await;
    let tablet = fixture
        .app
        .login_from(&fixture.ada, "curl/8.5.0", HOME, Some("tablet"))
        .await;
    fixture.answer("yes").await;
    fixture.app.advance(MINUTE);
    let stranger = fixture.app.browser_from(IPHONE, ELSEWHERE);
    stranger.sign_in(&fixture.ada).await.expect(303);
    let path = format!("/devices/{}/sign-out", tablet.id());
    stranger.submit("/devices", &path, &[]).await.expect(303);
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words("Signed out from Safari on iPhone · just now");
    fixture.answer("no").await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page.expect_words("Signed out from Safari on iPhone, which you reported");
    assert!(
        !page.words().contains("Signed out by you"),
        "{}",
        page.words()
    );
    let device = format!("/devices/{}", tablet.id());
    let page = fixture.laptop.get(&device).await.expect(200);
    page.expect_words("Signed out from Safari on iPhone, which you reported");
    fixture.stop().await;
}
