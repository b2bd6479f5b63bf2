//! The links in messages, by what their mailbox is to the account: its own, a former one that takes
//! the account back, or none of it any more.

use actix_web::rt::spawn;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall::clock::Clock;
use rollcall::keys::{KeyRing, Purpose};
use rollcall::settings::Settings;

use crate::support::html::{Form, forms};
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::smtp::{Message, SmtpServer};

on_both!(
    database: the_first_message_takes_back_an_account_that_was_changed_twice,
    an_account_can_be_taken_back_for_the_whole_window,
    opening_the_page_changes_nothing,
    taking_back_twice_at_once_works_once,
    taking_back_undoes_what_the_thief_left_behind,
    yes_it_was_me_ends_the_window,
    a_former_address_is_told_of_what_matters_and_not_of_sign_ins,
    a_reported_address_gets_nothing_more,
    the_new_address_sets_no_password_while_the_former_one_can_take_back,
    a_report_of_the_thiefs_session_undoes_the_change,
    the_account_is_taken_back_from_a_known_device,
    a_report_undoes_the_change_that_it_names,
    undoing_a_change_on_a_device_needs_step_up,
    a_former_address_that_is_taken_is_not_restored_but_everything_ends,
    a_password_link_is_void_after_a_day,
    a_password_link_is_void_once_one_was_set_by_mail,
    a_thiefs_change_in_a_session_voids_no_password_link,
    a_report_says_that_a_change_cannot_be_undone,
    a_change_that_was_undone_is_not_told_of,
    a_report_names_the_devices_that_it_signs_out,
    a_refused_form_of_a_void_link_shows_no_address,
    a_ticket_belongs_to_its_message,
    a_ticket_is_void_while_the_account_is_disabled,
    links_from_before_this_version_work_without_a_password,
);

const A: &str = "ada@example.org";
const B: &str = "b@example.org";
const C: &str = "c@example.org";
const NEW: &str = "another battery staple";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TAKE_BACK: [(&str, &str); 1] = [("answer", "take-back")];
const NOT_MINE: [(&str, &str); 1] = [("answer", "not-mine")];

/// Ada's account, with her laptop and a thief who has the password signed in. They are in the network of the
/// laptop, where nobody is held up.
struct Fixture {
    app: TestApp,
    server: SmtpServer,
    ada: Person,
    laptop: Browser,
    thief: Browser,
}

async fn set_up(database: Database) -> Fixture {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |_| {}).await;
    let ada = app.register(A).await;
    let laptop = app.browser_from(FIREFOX, "203.0.113.7");
    laptop.sign_in(&ada).await.expect(303);
    app.advance(MINUTE);
    let thief = app.browser_from(IPHONE, "203.0.113.66");
    thief.sign_in(&ada).await.expect(303);
    app.advance(MINUTE);
    app.deliver_mail().await;
    Fixture {
        app,
        server,
        ada,
        laptop,
        thief,
    }
}

impl Fixture {
    fn reader(&self) -> Browser {
        self.app.browser_from(FIREFOX, "192.0.2.200")
    }

    /// Changes the e-mail in the thief's session, and verifies it there.
    async fn thief_changes_to(&self, email: &str) {
        let fields = [("email", email)];
        self.thief
            .submit("/account", "/account/email", &fields)
            .await
            .expect(303);
        let link = self.newest_to(email).await.link("/verify-email/");
        self.thief
            .submit(&link, &link, &[("answer", "mine")])
            .await
            .expect(303);
        self.app.deliver_mail().await;
        self.app.advance(MINUTE);
    }

    async fn change_password(&self, browser: &Browser, old: &str, new: &str) {
        let fields = [("current_password", old), ("new_password", new)];
        browser
            .submit("/account", "/account/password", &fields)
            .await
            .expect(303);
        self.app.deliver_mail().await;
    }

    /// Reports the change of the e-mail in the owner's session, after step-up.
    async fn report_change(&self) -> TestResponse {
        let confirm = [("password", PASSWORD)];
        let confirmed = self.laptop.submit("/confirm", "/confirm", &confirm).await;
        confirmed.expect(303);
        let page = self.laptop.get("/devices").await.expect(200);
        // The newest alert is the first.
        let mut forms = forms(&page.text).into_iter();
        let report = forms.find(|form| form.action.ends_with("/no"));
        self.laptop.send(&report.expect("the alert"), &[]).await
    }

    fn to(&self, email: &str) -> Vec<Message> {
        let messages = self.server.messages().into_iter();
        messages.filter(|message| message.to == [email]).collect()
    }

    async fn newest_to(&self, email: &str) -> Message {
        self.app.deliver_mail().await;
        let newest = self.to(email).pop();
        newest.unwrap_or_else(|| panic!("no message to {email}"))
    }

    /// Returns the link in the last message with that subject to `email`.
    fn link(&self, email: &str, subject: &str) -> String {
        let messages = self.to(email);
        let found = messages
            .iter()
            .rev()
            .find(|message| message.header("Subject") == subject);
        found
            .unwrap_or_else(|| panic!("no {subject} to {email}"))
            .link("/not-me/")
    }

    fn email(&self) -> String {
        let query = "SELECT email AS value FROM users ORDER BY id LIMIT 1";
        self.app.database.texts(query).remove(0).expect("an e-mail")
    }

    async fn can_sign_in(&self, email: &str, password: &str) -> bool {
        let person = Person {
            email: email.into(),
            password: password.into(),
        };
        self.app.try_login(&person, FIREFOX).await.status == 200
    }

    async fn stop(self) {
        self.server.stop();
        self.app.stop().await;
    }
}

/// Returns the form for a new password on a page, if there is one.
fn password_form(page: &TestResponse, link: &str) -> Option<Form> {
    let path = format!("{link}/password");
    forms(&page.text)
        .into_iter()
        .find(|form| form.action == path)
}

async fn the_first_message_takes_back_an_account_that_was_changed_twice(database: Database) {
    let fixture = set_up(database).await;
    fixture.thief_changes_to(B).await;
    let first = fixture.link(A, "Your e-mail was changed");
    let at_b = fixture.link(B, "Your e-mail was changed");
    let words = |message: &Message| {
        let text = message.plain();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let first_words = words(&fixture.newest_to(A).await);
    assert!(
        first_words.contains("no longer with this one"),
        "{first_words}"
    );
    fixture.thief_changes_to(C).await;
    let second = words(&fixture.newest_to(A).await);
    let again = "was changed again. You have not signed in with this address since 17 May 2031";
    assert!(second.contains(again), "{second}");
    assert!(!second.contains("From now on"), "{second}");
    let at_c = fixture.link(C, "Your e-mail was changed");
    // The address that came in between can still take it back to itself.
    fixture
        .reader()
        .get(&at_b)
        .await
        .expect(200)
        .expect_words("Take the account back");

    let reader = fixture.reader();
    let page = reader.submit(&first, &first, &TAKE_BACK).await.expect(200);
    assert_eq!(fixture.email(), A);
    for browser in [&fixture.laptop, &fixture.thief] {
        assert!(browser.get("/devices").await.is_to_sign_in());
    }
    for email in [A, B, C] {
        assert!(!fixture.can_sign_in(email, PASSWORD).await, "{email}");
    }
    for link in [&at_b, &at_c] {
        let void = fixture.reader().get(link).await.expect(410);
        assert!(!void.text.contains(A), "{}", void.text);
        void.expect_words("This link no longer works");
    }
    let form = password_form(&page, &first).expect("a form");
    reader
        .send(&form, &[("new_password", NEW)])
        .await
        .expect(303);
    assert!(fixture.can_sign_in(A, NEW).await);
    fixture.stop().await;
}

async fn an_account_can_be_taken_back_for_the_whole_window(database: Database) {
    let fixture = set_up(database).await;
    let oldest = fixture.link(A, "New sign-in to your account");
    fixture.thief_changes_to(B).await;
    fixture.app.advance(6 * DAY + 23 * HOUR);
    // Whichever letter it is in.
    let reader = fixture.reader();
    let page = reader
        .submit(&oldest, &oldest, &TAKE_BACK)
        .await
        .expect(200);
    assert_eq!(fixture.email(), A);
    let form = password_form(&page, &oldest).expect("a form");
    reader
        .send(&form, &[("new_password", NEW)])
        .await
        .expect(303);
    assert!(fixture.can_sign_in(A, NEW).await);
    reader
        .send(&form, &[("new_password", "yet another staple")])
        .await
        .expect(410)
        .expect_words("A new password was set")
        .expect_words("It was set with this link on");
    assert!(fixture.can_sign_in(A, NEW).await);

    // Another change, whose window ends.
    let ada = Person {
        password: NEW.into(),
        ..fixture.ada.clone()
    };
    fixture.thief.sign_in(&ada).await.expect(303);
    fixture.thief_changes_to(C).await;
    let link = fixture.link(A, "Your e-mail was changed");
    fixture.app.advance(7 * DAY + MINUTE);
    fixture.reader().get(&link).await.expect(410);
    assert_eq!(fixture.email(), C);
    fixture.stop().await;
}

async fn opening_the_page_changes_nothing(database: Database) {
    let fixture = set_up(database).await;
    fixture.thief_changes_to(B).await;
    let link = fixture.link(A, "Your e-mail was changed");
    for _ in 0..3 {
        fixture
            .reader()
            .get(&link)
            .await
            .expect(200)
            .expect_words("Take the account back")
            .expect_words("Yes, it was me");
    }
    fixture.reader().post(&link, &TAKE_BACK).await.expect(403);
    assert_eq!(fixture.email(), B);
    fixture.thief.get("/devices").await.expect(200);
    fixture.stop().await;
}

async fn taking_back_twice_at_once_works_once(database: Database) {
    let fixture = set_up(database).await;
    fixture.thief_changes_to(B).await;
    let link = fixture.link(A, "Your e-mail was changed");
    let mut readers = Vec::new();
    for _ in 0..3 {
        let reader = fixture.reader();
        let form = reader.form(&link, &link).await;
        readers.push((reader, form));
    }
    let clicks: Vec<_> = readers
        .into_iter()
        .map(|(reader, form)| spawn(async move { reader.send(&form, &TAKE_BACK).await }))
        .collect();
    for click in clicks {
        let page = click.await.expect("a response");
        assert!([200, 410].contains(&page.status), "{page:?}");
        // Whichever response is read, it leads on.
        assert!(password_form(&page, &link).is_some(), "{}", page.text);
    }
    assert_eq!(fixture.email(), A);
    let events = "SELECT count(*) AS value FROM session_events WHERE kind = 'taken_back'";
    assert_eq!(fixture.app.database.number(events), 1);
    fixture.stop().await;
}

/// A pending change, a link that an administrator was talked into, a known device, and silence.
async fn taking_back_undoes_what_the_thief_left_behind(database: Database) {
    let fixture = set_up(database).await;
    fixture.thief_changes_to(B).await;
    let link = fixture.link(A, "Your e-mail was changed");
    let thief = &fixture.thief;
    let database = &fixture.app.database;
    database.execute("UPDATE users SET alert_emails = false");
    let fields = [("email", C)];
    let pending = thief.submit("/account", "/account/email", &fields).await;
    pending.expect(303);
    let pending = fixture.newest_to(C).await.link("/verify-email/");
    let reset = Program::with(database).run(&["user", "reset-link", B]);
    let reset = reset.expect_done().trim().to_owned();
    let reset = reset.trim_start_matches("http://127.0.0.1:8080");
    // The command's clock is the real one.
    database.execute("UPDATE password_resets SET expires_at = '2031-05-17 09:00:00.000000'");
    let reader = fixture.reader();
    for link in [pending.as_str(), reset] {
        reader.get(link).await.expect(200);
    }
    let silent = "SELECT count(*) AS value FROM users WHERE NOT alert_emails";
    assert_eq!(database.number(silent), 1);

    let done = reader.submit(&link, &link, &TAKE_BACK).await;
    done.expect(200);
    for link in [pending.as_str(), reset] {
        reader.get(link).await.expect(410);
    }
    assert_eq!(database.number(silent), 0);
    let known = "SELECT count(*) AS value FROM devices";
    assert_eq!(database.number(known), 0);
    let open = "SELECT count(*) AS value FROM alerts WHERE answered_at IS NULL";
    assert_eq!(database.number(open), 0);
    fixture.stop().await;
}

async fn yes_it_was_me_ends_the_window(database: Database) {
    let fixture = set_up(database).await;
    fixture.thief_changes_to(B).await;
    let link = fixture.link(A, "Your e-mail was changed");
    let before = fixture.to(A).len();
    let mine = [("answer", "own-change")];
    let reader = fixture.reader();
    let form = reader.form(&link, &link).await;
    // On a page from before the change, it meant something else.
    for answer in ["mine", "not-mine"] {
        let anew = reader.send(&form, &[("answer", answer)]).await;
        anew.expect(409)
            .expect_words("the e-mail of the account was changed since that page was opened")
            .expect_words("Take the account back");
    }
    let page = reader.send(&form, &mine).await.expect(200);
    page.expect_words("The account keeps its new e-mail.");
    let again = reader.send(&form, &mine).await.expect(410);
    let opened = fixture.reader().get(&link).await.expect(410);
    for page in [again, opened] {
        page.expect_words("The answer “Yes, it was me” was given with this link on")
            .expect_words("the account keeps its new e-mail.");
    }
    fixture.change_password(&fixture.thief, PASSWORD, NEW).await;
    assert_eq!(fixture.to(A).len(), before);
    assert_eq!(fixture.email(), B);
    fixture.stop().await;
}

async fn a_former_address_is_told_of_what_matters_and_not_of_sign_ins(database: Database) {
    let fixture = set_up(database).await;
    fixture.thief_changes_to(B).await;
    let before = fixture.to(A).len();
    let person = Person {
        email: B.into(),
        ..fixture.ada.clone()
    };
    let other = fixture.app.browser_from(IPHONE, "192.0.2.77");
    other.sign_in(&person).await.expect(303);
    fixture.app.deliver_mail().await;
    assert_eq!(fixture.to(A).len(), before);
    fixture.change_password(&fixture.thief, PASSWORD, NEW).await;
    for email in [A, B] {
        let last = fixture.newest_to(email).await;
        assert_eq!(last.header("Subject"), "Your password was changed");
    }
    let last = fixture.newest_to(A).await;
    assert!(
        last.plain().contains("takes the\naccount back") || last.plain().contains("account back")
    );
    assert!(last.plain().contains("24 May 2031"), "{}", last.plain());
    let link = last.link("/not-me/");
    let page = fixture.reader().get(&link).await.expect(200);
    page.expect_words("Take the account back");
    fixture.stop().await;
}

async fn a_reported_address_gets_nothing_more(database: Database) {
    let fixture = set_up(database).await;
    fixture.thief_changes_to(B).await;
    let link = fixture.link(A, "Your e-mail was changed");
    // What is queued for it already is not sent, either.
    let fields = [("current_password", PASSWORD), ("new_password", NEW)];
    fixture
        .thief
        .submit("/account", "/account/password", &fields)
        .await
        .expect(303);
    let before = fixture.to(B).len();
    fixture
        .reader()
        .submit(&link, &link, &TAKE_BACK)
        .await
        .expect(200);
    fixture.app.deliver_mail().await;
    assert_eq!(fixture.to(B).len(), before);
    let void = "SELECT count(*) AS value FROM mail_queue WHERE recipient = 'b@example.org' AND state = 'void'";
    assert_eq!(fixture.app.database.number(void), 1);
    fixture
        .reader()
        .submit("/forgot-password", "/forgot-password", &[("email", B)])
        .await
        .expect(200);
    fixture.app.deliver_mail().await;
    assert_eq!(fixture.to(B).len(), before);
    fixture.stop().await;
}

async fn the_new_address_sets_no_password_while_the_former_one_can_take_back(database: Database) {
    let fixture = set_up(database).await;
    fixture.thief_changes_to(B).await;
    let person = Person {
        email: B.into(),
        ..fixture.ada.clone()
    };
    fixture
        .app
        .login_from(&person, IPHONE, "192.0.2.77", None)
        .await;
    let message = fixture.newest_to(B).await;
    assert!(!message.plain().contains("password"), "{}", message.plain());
    // Whoever changed the e-mail came with a sign-in that waits for an answer: the mailbox may be theirs.
    let page = fixture.reader().get(&message.link("/not-me/")).await;
    let page = page.expect(403);
    assert!(!page.text.contains("<form"), "{}", page.text);
    page.expect_words("This link can’t answer that");
    fixture.stop().await;
}

/// To report what the thief did in the session that changed the e-mail undoes that as well.
async fn a_report_of_the_thiefs_session_undoes_the_change(database: Database) {
    let fixture = set_up(database).await;
    fixture.thief_changes_to(B).await;
    fixture.change_password(&fixture.thief, PASSWORD, NEW).await;
    let link = fixture.link(B, "Your password was changed");
    let page = fixture.reader().submit(&link, &link, &NOT_MINE).await;
    page.expect(200)
        .expect_words("The account has ada@example.org as its e-mail again.");
    assert_eq!(fixture.email(), A);
    fixture.stop().await;
}

async fn the_account_is_taken_back_from_a_known_device(database: Database) {
    let fixture = set_up(database).await;
    fixture.thief_changes_to(B).await;
    fixture.thief_changes_to(C).await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    let report = forms(&page.text)
        .into_iter()
        .map(|form| form.action)
        .find(|action| action.ends_with("/no"))
        .expect("an alert");
    let response = fixture.laptop.submit("/devices", &report, &[]).await;
    fixture
        .laptop
        .follow(&response)
        .await
        .expect_words("Your account has its former e-mail again.");
    assert_eq!(fixture.email(), A);
    assert!(fixture.thief.get("/devices").await.is_to_sign_in());
    // A new password is set by mail to the restored address.
    fixture
        .reader()
        .submit("/forgot-password", "/forgot-password", &[("email", A)])
        .await
        .expect(200);
    let link = fixture.newest_to(A).await.link("/reset-password/");
    fixture
        .reader()
        .submit(&link, &link, &[("new_password", NEW)])
        .await
        .expect(303);
    assert!(fixture.can_sign_in(A, NEW).await);
    fixture.stop().await;
}

/// The owner changed the e-mail before the thief did: a report of the thief's change undoes that
/// one.
async fn a_report_undoes_the_change_that_it_names(database: Database) {
    let fixture = set_up(database).await;
    let fields = [("email", B)];
    let laptop = &fixture.laptop;
    laptop.submit("/account", "/account/email", &fields).await;
    let link = fixture.newest_to(B).await.link("/verify-email/");
    laptop.submit(&link, &link, &[("answer", "mine")]).await;
    fixture.app.deliver_mail().await;
    fixture.app.advance(MINUTE);
    fixture.thief_changes_to(C).await;
    let report = report_form(laptop).await;
    laptop.send(&report, &[]).await.expect(303);
    assert_eq!(fixture.email(), B);
    fixture.stop().await;
}

/// A copy of the cookie without the password undoes no change of its owner's.
async fn undoing_a_change_on_a_device_needs_step_up(database: Database) {
    let fixture = set_up(database).await;
    fixture.thief_changes_to(B).await;
    fixture.app.advance(11 * MINUTE);
    let report = report_form(&fixture.laptop).await;
    fixture
        .laptop
        .send(&report, &[])
        .await
        .expect(403)
        .expect_words("Enter your password");
    assert_eq!(fixture.email(), B);
    fixture.stop().await;
}

/// Returns the form that reports the newest alert.
async fn report_form(browser: &Browser) -> Form {
    let page = browser.get("/devices").await.expect(200);
    let report = |form: &Form| form.action.ends_with("/no");
    let found = forms(&page.text).into_iter().find(report);
    found.expect("an alert")
}

/// From before addresses were reserved, another account may have the former address.
async fn a_former_address_that_is_taken_is_not_restored_but_everything_ends(database: Database) {
    let fixture = set_up(database).await;
    fixture.thief_changes_to(B).await;
    fixture.app.register("other@example.org").await;
    let taken = "UPDATE users SET email = 'ada@example.org' WHERE email = 'other@example.org'";
    fixture.app.database.execute(taken);
    let link = fixture.link(A, "Your e-mail was changed");
    let page = fixture.reader().submit(&link, &link, &TAKE_BACK).await;
    let page = page.expect(200);
    assert!(password_form(&page, &link).is_none());
    page.expect_words("Another account has ada@example.org now")
        .expect_words("Ask an administrator");
    for browser in [&fixture.laptop, &fixture.thief] {
        assert!(browser.get("/devices").await.is_to_sign_in());
    }
    assert!(!fixture.can_sign_in(B, PASSWORD).await);
    fixture.stop().await;
}

async fn a_password_link_is_void_after_a_day(database: Database) {
    let fixture = set_up(database).await;
    let message = fixture.newest_to(A).await;
    let words: Vec<String> = message.plain().split_whitespace().map(Into::into).collect();
    assert!(words.join(" ").contains("Within 24 hours"), "{words:?}");
    let link = message.link("/not-me/");
    fixture.app.advance(DAY);
    let page = fixture.reader().submit(&link, &link, &NOT_MINE).await;
    let page = page.expect(200);
    assert!(password_form(&page, &link).is_none(), "{}", page.text);
    page.expect_words("choose “Forgotten your password?”");
    assert!(fixture.thief.get("/devices").await.is_to_sign_in());
    fixture.stop().await;
}

async fn a_password_link_is_void_once_one_was_set_by_mail(database: Database) {
    let fixture = set_up(database).await;
    let first = fixture.link(A, "New sign-in to your account");
    fixture
        .app
        .login_from(&fixture.ada, IPHONE, "192.0.2.77", Some("second"))
        .await;
    fixture.app.deliver_mail().await;
    let second = fixture.link(A, "New sign-in to your account");
    assert_ne!(first, second);
    fixture.app.advance(MINUTE);
    let reader = fixture.reader();
    let page = reader.submit(&first, &first, &NOT_MINE).await.expect(200);
    let form = password_form(&page, &first).expect("a form");
    // The first report ended that sign-in as well, which nobody else can have made.
    let page = reader.get(&second).await.expect(410);
    let other = password_form(&page, &second).expect("a form");
    reader
        .send(&form, &[("new_password", NEW)])
        .await
        .expect(303);
    let again = [("new_password", "yet another staple")];
    reader.send(&other, &again).await.expect(404);
    let page = reader.get(&second).await.expect(410);
    assert!(password_form(&page, &second).is_none());
    assert!(fixture.can_sign_in(A, NEW).await);
    fixture.stop().await;
}

async fn a_thiefs_change_in_a_session_voids_no_password_link(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link(A, "New sign-in to your account");
    let reader = fixture.reader();
    let theirs = "the thief knows this one";
    fixture
        .change_password(&fixture.thief, PASSWORD, theirs)
        .await;
    let page = reader.submit(&link, &link, &NOT_MINE).await.expect(200);
    let form = password_form(&page, &link).expect("a form");
    // Nor does it void the ticket: the thief signs in and changes it again.
    let ada = Person {
        password: theirs.into(),
        ..fixture.ada.clone()
    };
    fixture.thief.sign_in(&ada).await.expect(303);
    fixture
        .change_password(&fixture.thief, theirs, "and this one, too")
        .await;
    reader
        .send(&form, &[("new_password", NEW)])
        .await
        .expect(303);
    assert!(fixture.can_sign_in(A, NEW).await);
    fixture.stop().await;
}

/// An address that was never verified takes nothing back: the owner is told so, and what to do.
async fn a_report_says_that_a_change_cannot_be_undone(database: Database) {
    let fixture = set_up(database).await;
    fixture.thief_changes_to(B).await;
    fixture.app.database.execute("DELETE FROM former_emails");
    let reported = fixture.report_change().await.expect(303);
    let page = fixture.laptop.follow(&reported).await.expect(200);
    let page = page.expect_words("Safari on iPhone is signed out, and no longer counts as yours.");
    page.expect_words(&format!(
        "Your e-mail is still {B}; it can’t be changed back here."
    ));
    assert_eq!(fixture.email(), B);
    assert!(fixture.thief.get("/devices").await.is_to_sign_in());
    fixture.stop().await;
}

/// The account has its address again before the message about the change goes out: it would say
/// what is no longer so.
async fn a_change_that_was_undone_is_not_told_of(database: Database) {
    let fixture = set_up(database).await;
    let fields = [("email", B)];
    let requested = fixture.thief.submit("/account", "/account/email", &fields);
    requested.await.expect(303);
    let link = fixture.newest_to(B).await.link("/verify-email/");
    let verified = fixture.thief.submit(&link, &link, &[("answer", "mine")]);
    verified.await.expect(303);
    let before = fixture.to(A).len();
    let reported = fixture.report_change().await.expect(303);
    let page = fixture.laptop.follow(&reported).await.expect(200);
    page.expect_words("Your account has its former e-mail again.");
    assert_eq!(fixture.email(), A);
    fixture.app.deliver_mail().await;
    let sent = &fixture.to(A)[before..];
    let is_false = |message: &&Message| message.plain().contains("from now on");
    assert_eq!(sent.iter().filter(is_false).count(), 0);
    fixture.stop().await;
}

/// A password that a link set was set in no session: a report ends what came after it, and says
/// which devices.
async fn a_report_names_the_devices_that_it_signs_out(database: Database) {
    let fixture = set_up(database).await;
    let reader = fixture.reader();
    let fields = [("email", A)];
    let requested = reader.submit("/forgot-password", "/forgot-password", &fields);
    requested.await.expect(200);
    let reset = fixture.newest_to(A).await.link("/reset-password/");
    let set = [("new_password", NEW)];
    reader.submit(&reset, &reset, &set).await.expect(303);
    fixture.app.deliver_mail().await;
    fixture.app.advance(MINUTE);
    let ada = Person {
        password: NEW.into(),
        ..fixture.ada.clone()
    };
    for (agent, ip) in [(IPHONE, "192.0.2.41"), (FIREFOX, "198.51.100.42")] {
        let browser = fixture.app.browser_from(agent, ip);
        browser.sign_in(&ada).await.expect(303);
    }
    let link = fixture.link(A, "Your password was changed");
    let page = fixture.reader().get(&link).await.expect(200);
    page.expect_words(", which signed in after it happened, are signed out.")
        .expect_words("Safari on iPhone");
    let page = fixture.reader().submit(&link, &link, &NOT_MINE).await;
    page.expect(200)
        .expect_words("are signed out, and no longer count as yours.")
        .expect_words("Safari on iPhone")
        .expect_words("Firefox on");
    assert_eq!(fixture.app.database.sessions_where("is_active"), 0);
    fixture.stop().await;
}

/// A form without its CSRF token is shown again, but not to a mailbox that has no more to do with
/// the account, and not without a ticket.
async fn a_refused_form_of_a_void_link_shows_no_address(database: Database) {
    let fixture = set_up(database).await;
    fixture.thief_changes_to(B).await;
    let theirs = fixture.link(B, "Your e-mail was changed");
    let own = fixture.link(A, "Your e-mail was changed");
    let reader = fixture.reader();
    reader
        .submit(&own, &own, &TAKE_BACK)
        .await
        .expect(200)
        .expect_words(A);
    for link in [theirs, own] {
        let path = format!("{link}/password");
        let fields = [("ticket", "x"), ("new_password", NEW)];
        let visited = fixture.reader();
        visited.get("/sign-in").await.expect(200);
        for browser in [visited, fixture.reader()] {
            let refused = browser.post(&path, &fields).await.expect(403);
            assert!(!refused.text.contains(A), "{}", refused.text);
        }
    }
    fixture.stop().await;
}

async fn a_ticket_belongs_to_its_message(database: Database) {
    let fixture = set_up(database).await;
    let own = fixture.link(A, "New sign-in to your account");
    let eve = fixture.app.register("eve@example.org").await;
    fixture
        .app
        .login_from(&eve, FIREFOX, "203.0.113.66", None)
        .await;
    fixture
        .app
        .login_from(&eve, IPHONE, "198.51.100.66", None)
        .await;
    fixture.app.deliver_mail().await;
    let hers = fixture.link("eve@example.org", "New sign-in to your account");
    let reader = fixture.reader();
    let page = reader.submit(&hers, &hers, &NOT_MINE).await.expect(200);
    let form = password_form(&page, &hers).expect("a form");
    let elsewhere = form.aimed_at(&format!("{own}/password"));
    reader
        .send(&elsewhere, &[("new_password", NEW)])
        .await
        .expect(404);
    assert!(fixture.can_sign_in(A, PASSWORD).await);
    fixture.stop().await;
}

async fn a_ticket_is_void_while_the_account_is_disabled(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link(A, "New sign-in to your account");
    let reader = fixture.reader();
    let page = reader.submit(&link, &link, &NOT_MINE).await.expect(200);
    let form = password_form(&page, &link).expect("a form");
    let database = &fixture.app.database;
    database.execute("UPDATE users SET is_active = false");
    let set = [("new_password", NEW)];
    reader.send(&form, &set).await.expect(404);
    database.execute("UPDATE users SET is_active = true");
    assert!(fixture.can_sign_in(A, PASSWORD).await);
    reader.send(&form, &set).await.expect(303);
    assert!(fixture.can_sign_in(A, NEW).await);
    fixture.stop().await;
}

/// Returns a link as version 0.1 made it: of the alert, whatever mailbox it was sent to.
fn link_from_before(app: &TestApp) -> String {
    let column = match app.database.postgres_name() {
        Some(_) => "CAST(id AS TEXT)",
        None => "hex(id)",
    };
    let newest = format!("SELECT {column} AS value FROM alerts ORDER BY id DESC LIMIT 1");
    let id = app.database.texts(&newest).remove(0).expect("an alert");
    let id: uuid::Uuid = id.parse().expect("an id");
    let settings = Settings {
        secrets_file: Some(app.database.folder().join("rollcall.secrets")),
        ..Settings::default()
    };
    let keys = KeyRing::load(&settings, Clock::system()).expect("the keys");
    let mac = keys
        .mac_keys(Purpose::MessageLink)
        .sign(&[b"alert", id.as_bytes()]);
    let token = URL_SAFE_NO_PAD.encode([id.as_bytes().as_slice(), mac.as_slice()].concat());
    format!("/not-me/{token}")
}

async fn links_from_before_this_version_work_without_a_password(database: Database) {
    let fixture = set_up(database).await;
    let link = link_from_before(&fixture.app);
    fixture.reader().get(&link).await.expect(200);
    let page = fixture.reader().submit(&link, &link, &NOT_MINE).await;
    let page = page.expect(200);
    assert!(password_form(&page, &link).is_none(), "{}", page.text);
    page.expect_words("is signed out, and no longer counts as yours.");
    assert!(fixture.thief.get("/devices").await.is_to_sign_in());
    let path = format!("{link}/password");
    let own = fixture.reader();
    own.get("/sign-in").await.expect(200);
    own.post(&path, &[("new_password", NEW)]).await.expect(403);
    fixture.app.advance(7 * DAY + MINUTE);
    fixture.reader().get(&link).await.expect(404);
    fixture.stop().await;
}
