//! Devices that somebody has confirmed: a later report ends those that an intruder may have confirmed, and no
//! other.

use crate::support::html::forms;
use crate::support::mailed::Mailed;
use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;

on_both!(
    database: a_device_that_an_older_one_has_confirmed_stays,
    a_device_that_a_confirmed_one_has_confirmed_stays,
    a_device_that_a_stranger_has_confirmed_ends,
    a_device_that_a_link_has_confirmed_stays,
    a_link_confirms_no_device_once_the_email_was_changed,
    a_confirmed_device_answers_what_was_before_it,
    a_confirmed_device_that_signs_in_again_stays,
    devices_of_one_name_are_told_apart_before,
    a_link_confirms_a_device_long_after_the_email_was_changed,
    a_link_to_the_new_address_does_not_confirm_that_it_was_changed,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";
const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const MINUTE: Duration = Duration::from_secs(60);

/// Ada's account, with a laptop from before everything else, and a stranger whose alert is open.
struct Fixture {
    app: TestApp,
    server: SmtpServer,
    ada: Person,
    laptop: Browser,
    stranger: Browser,
}

async fn set_up(database: Database) -> Fixture {
    let Mailed {
        app,
        server,
        ada,
        laptop,
    } = Mailed::start(database, HOME, |_| {}).await;
    app.advance(MINUTE);
    let stranger = app.browser_from(IPHONE, ELSEWHERE);
    stranger.sign_in(&ada).await.expect(303);
    app.advance(MINUTE);
    Fixture {
        app,
        server,
        ada,
        laptop,
        stranger,
    }
}

impl Fixture {
    /// Signs in on a device that raises an alert.
    async fn sign_in(&self, user_agent: &str, ip: &str) -> Browser {
        let browser = self.app.browser_from(user_agent, ip);
        browser.sign_in(&self.ada).await.expect(303);
        self.app.advance(MINUTE);
        browser
    }

    async fn stop(self) {
        self.server.stop();
        self.app.stop().await;
    }
}

/// Confirms the last of the alerts on a page.
async fn confirm_last(browser: &Browser) {
    let page = browser.get("/devices").await.expect(200);
    let is_yes = |action: &str| action.starts_with("/alerts/") && action.ends_with("/yes");
    let mut found = forms(&page.text).into_iter();
    let form = found.rfind(|form| is_yes(&form.action));
    let form = form.unwrap_or_else(|| panic!("no alert in {}", page.words()));
    browser.send(&form, &[]).await.expect(303);
}

async fn expect_signed_out(browser: &Browser) {
    assert!(browser.get("/devices").await.is_to_sign_in());
}

async fn a_device_that_an_older_one_has_confirmed_stays(database: Database) {
    let fixture = set_up(database).await;
    let new = fixture.sign_in(LINUX, "192.0.2.1").await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words(
        "Firefox on Linux, which signed in after this happened, is signed out as well",
    );
    confirm_last(&fixture.laptop).await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    assert!(!page.words().contains("as well"), "{}", page.words());
    fixture.laptop.answer_alert("/no").await;
    expect_signed_out(&fixture.stranger).await;
    new.get("/devices").await.expect(200);
    fixture.stop().await;
}

async fn a_device_that_a_confirmed_one_has_confirmed_stays(database: Database) {
    let fixture = set_up(database).await;
    let second = fixture.sign_in(LINUX, "192.0.2.1").await;
    confirm_last(&fixture.laptop).await;
    let third = fixture.sign_in("curl/8.14.1", "192.0.2.200").await;
    confirm_last(&second).await;
    fixture.laptop.answer_alert("/no").await;
    expect_signed_out(&fixture.stranger).await;
    for confirmed in [second, third] {
        confirmed.get("/devices").await.expect(200);
    }
    fixture.stop().await;
}

/// A second session of the stranger that raised no alert, since it looks like the first one. Earlier versions
/// let it confirm others.
async fn a_device_that_a_stranger_has_confirmed_ends(database: Database) {
    let fixture = set_up(database).await;
    let second = fixture.sign_in(IPHONE, ELSEWHERE).await;
    let confirm = async |new: &Browser, by: &Browser| {
        let id = async |browser: &Browser| {
            let current = browser.get("/api/v1/sessions/current").await.expect(200);
            let id = current.json()["id"].as_str().expect("an id").to_owned();
            fixture.app.database.id(&id)
        };
        let (new, by) = (id(new).await, id(by).await);
        fixture.app.database.execute(&format!(
            "UPDATE alerts SET answer = 'mine', answered_at = at, settled_by = id, confirmed_by = {by}
             WHERE session_id = {new}"
        ));
    };
    let third = fixture.sign_in(LINUX, "192.0.2.1").await;
    confirm(&third, &second).await;
    let fourth = fixture.sign_in("curl/8.14.1", "192.0.2.200").await;
    confirm(&fourth, &third).await;
    let confirmed = "SELECT count(*) AS value FROM alerts WHERE answer = 'mine'";
    assert_eq!(fixture.app.database.number(confirmed), 2);
    fixture.laptop.answer_alert("/no").await;
    for browser in [&fixture.stranger, &second, &third, &fourth] {
        expect_signed_out(browser).await;
    }
    fixture.stop().await;
}

/// Confirms the last sign-in by the link in the message about it.
async fn confirm_by_link(fixture: &Fixture) {
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages();
    let link = messages.last().expect("a message").link("/not-me/");
    let reader = fixture.app.browser_from(FIREFOX, "192.0.2.77");
    let done = reader.submit(&link, &link, &[("answer", "mine")]).await;
    done.expect(200).expect_words("Good: it was you.");
}

async fn a_device_that_a_link_has_confirmed_stays(database: Database) {
    let fixture = set_up(database).await;
    let new = fixture.sign_in(LINUX, "192.0.2.1").await;
    confirm_by_link(&fixture).await;
    fixture.laptop.answer_alert("/no").await;
    expect_signed_out(&fixture.stranger).await;
    new.get("/devices").await.expect(200);
    fixture.stop().await;
}

/// Whoever reads the mailbox by then may be the stranger.
async fn a_link_confirms_no_device_once_the_email_was_changed(database: Database) {
    let fixture = set_up(database).await;
    fixture.sign_in("curl/8.14.1", "192.0.2.200").await;
    let change = "UPDATE alerts SET kind = 'email_changed', answer = 'mine', answered_at = at \
                  WHERE ip_address = '192.0.2.200'";
    fixture.app.database.execute(change);
    // Lately before, by somebody who is not known to be the owner.
    fixture.app.database.execute(
        "UPDATE alerts SET confirmed_by_link = true, at = (SELECT min(created_at) FROM user_sessions)
         WHERE kind = 'email_changed'",
    );
    let new = fixture.sign_in(LINUX, "192.0.2.1").await;
    confirm_by_link(&fixture).await;
    fixture.laptop.answer_alert("/no").await;
    expect_signed_out(&new).await;
    fixture.stop().await;
}

async fn a_confirmed_device_answers_what_was_before_it(database: Database) {
    let fixture = set_up(database).await;
    let new = fixture.sign_in(LINUX, "192.0.2.1").await;
    confirm_last(&fixture.laptop).await;
    let page = new.answer_alert("/no").await;
    page.expect_words("Safari on iPhone is signed out, and no longer counts as yours.");
    expect_signed_out(&fixture.stranger).await;
    fixture.laptop.get("/devices").await.expect(200);
    fixture.stop().await;
}

async fn a_confirmed_device_that_signs_in_again_stays(database: Database) {
    let fixture = set_up(database).await;
    let new = fixture.sign_in(LINUX, "192.0.2.1").await;
    confirm_last(&fixture.laptop).await;
    new.forget_cookie("rollcall_session");
    new.sign_in(&fixture.ada).await.expect(303);
    fixture.laptop.answer_alert("/no").await;
    new.get("/devices").await.expect(200);
    fixture.stop().await;
}

async fn devices_of_one_name_are_told_apart_before(database: Database) {
    let fixture = set_up(database).await;
    // One that looks like the laptop, whose cookies were deleted.
    fixture.sign_in(FIREFOX, HOME).await;
    fixture.sign_in(LINUX, "192.0.2.1").await;
    fixture.sign_in(LINUX, "192.0.2.200").await;
    fixture.sign_in("curl/8.14.1", "192.0.2.9").await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page.expect_words("Firefox on Windows (not this device, 203.0.113.7, last used ");
    page.expect_words("Firefox on Linux (192.0.2.1, last used 3 minutes ago)")
        .expect_words("Firefox on Linux (192.0.2.200, last used 2 minutes ago)")
        .expect_words("“No, sign it out”: curl, ");
    fixture.stop().await;
}

/// Nobody can confirm a change any more that was made more than 30 days before.
async fn a_link_confirms_a_device_long_after_the_email_was_changed(database: Database) {
    let fixture = set_up(database).await;
    let change = "UPDATE alerts SET kind = 'email_changed' WHERE answered_at IS NULL";
    fixture.app.database.execute(change);
    fixture.app.advance(31 * 24 * 60 * MINUTE);
    fixture.laptop.get("/devices").await.expect(200);
    fixture.app.advance(MINUTE);
    let stranger = fixture.sign_in("curl/8.14.1", "192.0.2.200").await;
    let new = fixture.sign_in(LINUX, "192.0.2.1").await;
    confirm_by_link(&fixture).await;
    fixture.laptop.answer_alert("/no").await;
    expect_signed_out(&stranger).await;
    new.get("/devices").await.expect(200);
    fixture.stop().await;
}

/// Else a stranger who changed the e-mail would confirm it in their own mailbox.
async fn a_link_to_the_new_address_does_not_confirm_that_it_was_changed(database: Database) {
    let fixture = set_up(database).await;
    fixture.sign_in(LINUX, "192.0.2.1").await;
    fixture.app.deliver_mail().await;
    let change = "UPDATE alerts SET kind = 'email_changed' WHERE ip_address = '192.0.2.1'";
    fixture.app.database.execute(change);
    let messages = fixture.server.messages();
    let link = messages.last().expect("a message").link("/not-me/");
    let reader = fixture.app.browser_from(FIREFOX, "192.0.2.77");
    let page = reader.get(&link).await.expect(200);
    let page = page.expect_words("If it was you, you don’t need to do anything here.");
    assert!(!page.words().contains("Yes, it was me"), "{}", page.words());
    reader
        .submit(&link, &link, &[("answer", "mine")])
        .await
        .expect(200);
    let open =
        "SELECT count(*) AS value FROM alerts WHERE kind = 'email_changed' AND answer IS NULL";
    assert_eq!(fixture.app.database.number(open), 1);
    fixture.stop().await;
}
