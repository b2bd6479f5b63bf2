//! "This wasn't me": the link in the message about an alert. Opening it changes nothing; its form
//! works once.

use crate::support::mailed::Mailed;
use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;

on_both!(
    database: opening_the_link_changes_nothing,
    reporting_by_the_link_signs_the_intruder_out_once,
    all_unconfirmed_sign_ins_end_on_request,
    a_new_password_ends_every_session,
    a_ticket_expires_after_half_an_hour_and_cannot_be_forged,
    a_bad_password_is_refused_and_the_form_shown_again,
    an_alert_can_be_confirmed_by_the_link,
    without_cookies_the_page_says_that_answering_needs_them,
    a_link_is_valid_for_a_week,
    a_forged_link_is_not_found,
    the_form_needs_its_csrf_token,
    after_a_lost_response_the_new_password_can_still_be_set,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";
const NEW: &str = "another battery staple";

/// Ada's account with an intruder signed in, and the link that was sent to her.
struct Fixture {
    app: TestApp,
    ada: Person,
    laptop: Browser,
    intruder: Browser,
    server: SmtpServer,
    link: String,
}

async fn set_up(database: Database) -> Fixture {
    let Mailed {
        app,
        server,
        ada,
        laptop,
    } = Mailed::start(database, HOME, |_| {}).await;
    app.advance(Duration::from_secs(60));
    let intruder = app.browser_from(IPHONE, ELSEWHERE);
    intruder.sign_in(&ada).await;
    app.deliver_mail().await;
    let message = server.wait_for(1).await.remove(0);
    let base = app.base();
    let text = message.plain();
    let link = text
        .split_whitespace()
        .find_map(|word| {
            word.strip_prefix(&base)
                .filter(|path| path.starts_with("/not-me/"))
        })
        .unwrap_or_else(|| panic!("no link in {text}"))
        .to_owned();
    Fixture {
        app,
        ada,
        laptop,
        intruder,
        server,
        link,
    }
}

impl Fixture {
    /// Returns a browser without a session, in which the link is opened.
    fn reader(&self) -> Browser {
        self.app.browser_from(FIREFOX, "192.0.2.200")
    }

    async fn submit(&self, reader: &Browser, fields: &[(&str, &str)]) -> TestResponse {
        reader.submit(&self.link, &self.link, fields).await
    }

    /// Returns the form for a new password on the page after a report.
    fn password_form(&self, page: &TestResponse) -> crate::support::html::Form {
        let path = format!("{}/password", self.link);
        crate::support::html::forms(&page.text)
            .into_iter()
            .find(|form| form.action == path)
            .unwrap_or_else(|| panic!("no form for {path}:\n{}", page.text))
    }

    async fn stop(self) {
        self.server.stop();
        self.app.stop().await;
    }
}

const NOT_MINE: [(&str, &str); 1] = [("answer", "not-mine")];

async fn opening_the_link_changes_nothing(database: Database) {
    let fixture = set_up(database).await;
    for _ in 0..3 {
        fixture
            .reader()
            .get(&fixture.link)
            .await
            .expect(200)
            .expect_words("Was this you?")
            .expect_words("Safari on iPhone")
            .expect_words(ELSEWHERE);
    }
    fixture.intruder.get("/devices").await.expect(200);
    fixture.stop().await;
}

async fn reporting_by_the_link_signs_the_intruder_out_once(database: Database) {
    let fixture = set_up(database).await;
    let reader = fixture.reader();
    let form = reader.form(&fixture.link, &fixture.link).await;
    let page = reader.send(&form, &NOT_MINE).await.expect(200);
    page.expect_words("Safari on iPhone is signed out, and no longer counts as yours.");
    assert!(fixture.intruder.get("/devices").await.is_to_sign_in());
    fixture.laptop.get("/devices").await.expect(200);

    fixture.intruder.sign_in(&fixture.ada).await;
    reader
        .send(&form, &NOT_MINE)
        .await
        .expect(410)
        .expect_words("This was answered “No, sign it out” on 17 May 2031");
    fixture.intruder.get("/devices").await.expect(200);
    reader.get(&fixture.link).await.expect(410);
    fixture.stop().await;
}

async fn all_unconfirmed_sign_ins_end_on_request(database: Database) {
    let fixture = set_up(database).await;
    let second = fixture.app.browser_from(FIREFOX, "192.0.2.1");
    second.sign_in(&fixture.ada).await;
    let fields = [("answer", "not-mine"), ("all", "on")];
    let page = fixture.submit(&fixture.reader(), &fields).await.expect(200);
    page.expect_words("Sign them out Done");
    for unconfirmed in [&fixture.intruder, &second] {
        assert!(unconfirmed.get("/devices").await.is_to_sign_in());
    }
    fixture.laptop.get("/devices").await.expect(200);
    fixture.stop().await;
}

async fn a_new_password_ends_every_session(database: Database) {
    let fixture = set_up(database).await;
    let reader = fixture.reader();
    let page = fixture.submit(&reader, &NOT_MINE).await.expect(200);
    let form = fixture.password_form(&page);
    // The intruder knows the one that she has.
    let same = [("new_password", fixture.ada.password.as_str())];
    let page = reader.send(&form, &same).await.expect(400);
    let page = page.expect_words("This is your password already. Choose another one.");
    let form = fixture.password_form(&page);
    let response = reader.send(&form, &[("new_password", NEW)]).await;
    reader
        .follow(&response)
        .await
        .expect_words("Your new password is set, and every device is signed out.");
    assert!(fixture.laptop.get("/devices").await.is_to_sign_in());
    let old = fixture.laptop.sign_in(&fixture.ada).await;
    assert_eq!(old.status, 401);
    let ada = Person {
        password: NEW.into(),
        ..fixture.ada.clone()
    };
    assert_eq!(fixture.laptop.sign_in(&ada).await.location(), "/devices");
    fixture.app.deliver_mail().await;
    let messages = fixture.server.wait_for(2).await;
    let last = messages.last().expect("a message");
    assert_eq!(last.header("Subject"), "Your password was changed");
    fixture.stop().await;
}

async fn a_ticket_expires_after_half_an_hour_and_cannot_be_forged(database: Database) {
    let fixture = set_up(database).await;
    let reader = fixture.reader();
    let page = fixture.submit(&reader, &NOT_MINE).await.expect(200);
    let form = fixture.password_form(&page);
    let new = [("new_password", NEW)];
    let forged = [("new_password", NEW), ("ticket", "AAAA")];
    reader.send(&form, &forged).await.expect(404);
    fixture.app.advance(Duration::from_secs(31 * 60));
    reader.send(&form, &new).await.expect(404);
    let changed = "SELECT count(*) AS value FROM alerts WHERE kind = 'password_changed'";
    assert_eq!(fixture.app.database.number(changed), 0);
    fixture.stop().await;
}

async fn a_bad_password_is_refused_and_the_form_shown_again(database: Database) {
    let fixture = set_up(database).await;
    let reader = fixture.reader();
    let page = fixture.submit(&reader, &NOT_MINE).await.expect(200);
    let again = reader
        .send(&fixture.password_form(&page), &[("new_password", "short")])
        .await;
    assert!([400, 422].contains(&again.status), "{again:?}");
    assert!(again.text.contains("<title>Error: Set a new password"));
    let form = fixture.password_form(&again);
    reader
        .send(&form, &[("new_password", NEW)])
        .await
        .expect(303);
    // A ticket works once.
    reader
        .send(&form, &[("new_password", "yet another staple")])
        .await
        .expect(410)
        .expect_words("It was set with this link on");
    fixture.stop().await;
}

async fn an_alert_can_be_confirmed_by_the_link(database: Database) {
    let fixture = set_up(database).await;
    let mine = [("answer", "mine")];
    fixture
        .submit(&fixture.reader(), &mine)
        .await
        .expect(200)
        .expect_words("Good: it was you. Safari on iPhone stays signed in.");
    fixture.intruder.get("/devices").await.expect(200);
    fixture
        .laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("Nothing needs your attention.");
    fixture.stop().await;
}

async fn without_cookies_the_page_says_that_answering_needs_them(database: Database) {
    let fixture = set_up(database).await;
    let form = fixture.reader().form(&fixture.link, &fixture.link).await;
    let refused = fixture.reader().send(&form, &[("answer", "no")]).await;
    refused.expect_words("Your browser sent no cookies, and answering needs them.");
    assert_eq!(fixture.app.database.sessions_where("is_active"), 2);
    // Where it was answered, there is nothing to send again: no error is said.
    let mine = [("answer", "mine")];
    fixture.submit(&fixture.reader(), &mine).await.expect(200);
    let late = fixture.reader().send(&form, &[("answer", "no")]).await;
    let late = late.expect_words("This was answered");
    assert!(late.text.contains("<title>This was answered"));
    assert!(!late.words().contains("Your browser sent no cookies"));
    fixture.stop().await;
}

async fn a_link_is_valid_for_a_week(database: Database) {
    let fixture = set_up(database).await;
    fixture.app.advance(Duration::from_secs(7 * 24 * 60 * 60));
    fixture.reader().get(&fixture.link).await.expect(200);
    fixture.app.advance(Duration::from_secs(1));
    fixture.reader().get(&fixture.link).await.expect(404);
    fixture.stop().await;
}

async fn a_forged_link_is_not_found(database: Database) {
    let fixture = set_up(database).await;
    let token = fixture.link.trim_start_matches("/not-me/");
    let (first, last) = token.split_at(token.len() - 1);
    let other = if last == "A" { "B" } else { "A" };
    let mut id_changed = token.as_bytes().to_vec();
    id_changed[0] = if id_changed[0] == b'A' { b'B' } else { b'A' };
    for forged in [
        String::new(),
        "A".into(),
        first.to_owned(),
        format!("{}{other}", &first[..first.len() - 1]),
        String::from_utf8(id_changed).expect("text"),
        token[..22].to_owned(),
        "%00".into(),
    ] {
        let path = format!("/not-me/{forged}");
        assert_eq!(fixture.reader().get(&path).await.status, 404, "{path}");
    }
    fixture.stop().await;
}

async fn the_form_needs_its_csrf_token(database: Database) {
    let fixture = set_up(database).await;
    let reader = fixture.reader();
    reader.get(&fixture.link).await.expect(200);
    reader.post(&fixture.link, &NOT_MINE).await.expect(403);
    fixture.intruder.get("/devices").await.expect(200);
    fixture.stop().await;
}

async fn after_a_lost_response_the_new_password_can_still_be_set(database: Database) {
    let fixture = set_up(database).await;
    let reader = fixture.reader();
    fixture.submit(&reader, &NOT_MINE).await.expect(200);
    fixture.app.advance(Duration::from_secs(60));
    let page = reader.get(&fixture.link).await.expect(410);
    let form = fixture.password_form(&page);
    reader
        .send(&form, &[("new_password", NEW)])
        .await
        .expect(303);
    // Once the password is set, no other ticket is issued.
    let page = reader.get(&fixture.link).await.expect(410);
    assert!(!page.text.contains("ticket"), "{}", page.text);
    fixture.stop().await;
}
