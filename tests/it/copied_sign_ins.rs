//! Alerts about a copied sign-in: where the copy was used, where the device was before, and what a former
//! address may know of it.

use crate::support::mailed::{Mailed, Place};
use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;

on_both!(
    database: the_alert_shows_where_the_copy_was_used,
    the_alert_shows_both_places_whoever_came_second,
    an_unnamed_device_is_not_called_so_in_a_row,
    the_stored_address_of_a_copy_is_redacted,
    its_answers_say_what_they_do,
    a_device_with_another_session_is_not_signed_out,
    a_device_that_signed_in_again_is_not_called_still_signed_in,
    where_wrong_passwords_were_given_is_shown,
    a_former_address_gets_what_the_alert_is_about_and_no_more,
);

const LISBON: &str = "203.0.113.24";
const OSLO: &str = "198.18.0.66";
const MINUTE: Duration = Duration::from_secs(60);

/// Ada's account, with a laptop in Lisbon, and a tablet there that she calls Old tablet.
struct Fixture {
    app: TestApp,
    server: SmtpServer,
    ada: Person,
    laptop: Browser,
    tablet: Device,
}

async fn set_up(database: Database) -> Fixture {
    let networks = [
        ("203.0.113.0/24", Place("Lisbon", "PT", 38.72, -9.14)),
        ("198.18.0.0/24", Place("Oslo", "NO", 59.91, 10.75)),
    ];
    let Mailed {
        app,
        server,
        ada,
        laptop,
    } = Mailed::start_with_places(database, LISBON, &networks, |_| {}).await;
    app.advance(MINUTE);
    let tablet = app.login_from(&ada, IPHONE, LISBON, Some("tablet")).await;
    let fixture = Fixture {
        app,
        server,
        ada,
        laptop,
        tablet,
    };
    fixture.answer("yes").await;
    let page = format!("/devices/{}", fixture.tablet.id());
    let rename = format!("{page}/rename");
    let name = [("device_name", "Old tablet")];
    let renamed = fixture.laptop.submit(&page, &rename, &name);
    renamed.await.expect(303);
    fixture
}

impl Fixture {
    /// Uses a spent token of the tablet in Oslo, a minute after its successor was used at home.
    async fn use_copy(&mut self) {
        let spent = self.tablet.refresh_token.clone();
        for _ in 0..2 {
            let token = self.tablet.refresh_token.clone();
            let refreshed = self
                .app
                .anyone()
                .refresh_from(&token, LISBON)
                .await
                .expect(200);
            self.tablet = Device::from_login(self.app.base(), &refreshed);
            self.app.advance(MINUTE);
        }
        self.app
            .anyone()
            .refresh_from(&spent, OSLO)
            .await
            .expect(401);
    }

    async fn answer(&self, how: &str) -> TestResponse {
        self.laptop.answer_alert(&format!("/{how}")).await
    }

    async fn stop(self) {
        self.server.stop();
        self.app.stop().await;
    }
}

/// Whoever uses the spent token gives it away: the thief, or the device itself once the thief refreshed.
async fn the_alert_shows_both_places_whoever_came_second(database: Database) {
    let fixture = set_up(database).await;
    let tablet = fixture.tablet.refresh_token.clone();
    let mut token = tablet.clone();
    for _ in 0..2 {
        let refreshed = fixture.app.anyone().refresh_from(&token, OSLO).await;
        token = Device::from_login(fixture.app.base(), &refreshed.expect(200)).refresh_token;
        fixture.app.advance(MINUTE);
    }
    let own = fixture.app.anyone().refresh_from(&tablet, LISBON).await;
    own.expect(401);
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page
        .expect_words("A copied sign-in of Old tablet was noticed just now, so it was signed out.")
        .expect_words("Used here Lisbon, Portugal · 203.0.113.24")
        .expect_words("And here Oslo, Norway · 198.18.0.66")
        .expect_words("Both 2,738 km apart, 1 minute between them; one of the two is a copy.");
    assert!(page.text.contains("A map: Oslo 08:3"), "{}", page.text);
    assert_eq!(page.text.matches("class=\"dot alarming\"").count(), 2);
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages();
    let found = messages
        .iter()
        .find(|it| it.header("Subject") == "A device was signed out for safety");
    let text = found.expect("the message").plain();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["Used in: Lisbon, Portugal", "one of the two is a copy"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("Where"), "{text}");
    fixture.stop().await;
}

/// Alerts from before labels were stored may have none.
async fn an_unnamed_device_is_not_called_so_in_a_row(database: Database) {
    let mut fixture = set_up(database).await;
    fixture.app.advance(MINUTE);
    let email = [("email", "new@example.org")];
    let requested = fixture.laptop.submit("/account", "/account/email", &email);
    requested.await.expect(303);
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages();
    let link = messages.last().expect("a message").link("/verify-email/");
    let verified = fixture.laptop.submit(&link, &link, &[("answer", "mine")]);
    verified.await.expect(303);
    fixture.app.advance(MINUTE);
    fixture.use_copy().await;
    fixture.app.deliver_mail().await;
    let unnamed = "UPDATE alerts SET device_label = NULL";
    fixture.app.database.execute(unnamed);
    let messages = fixture.server.messages();
    let former = messages
        .iter()
        .rev()
        .find(|it| it.to == ["ada@example.org"]);
    let link = former.expect("a message").link("/not-me/");
    let reader = fixture.app.browser_from(FIREFOX, "192.0.2.200");
    let page = reader.get(&link).await.expect(200);
    page.expect_words("A copied sign-in of a device was noticed")
        .expect_words("Device Unrecognised browser");
    // Open pages hear what the former address confirms.
    let reviews = "SELECT sum(times) AS value FROM session_events WHERE kind = 'alert_reviewed'";
    let before = fixture.app.database.number(reviews);
    let confirmed = reader
        .submit(&link, &link, &[("answer", "own-change")])
        .await;
    confirmed.expect(200);
    assert_eq!(fixture.app.database.number(reviews), before + 1);
    fixture.stop().await;
}

async fn the_alert_shows_where_the_copy_was_used(database: Database) {
    let mut fixture = set_up(database).await;
    let second = fixture
        .app
        .login_from(&fixture.ada, FIREFOX, LISBON, Some("second"))
        .await;
    fixture.app.advance(MINUTE);
    fixture.use_copy().await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page
        .expect_words("A copied sign-in of Old tablet was noticed just now, so it was signed out.")
        .expect_words("Used here Oslo, Norway · 198.18.0.66")
        .expect_words("Both 2,738 km apart, 1 minute between them; one of the two is a copy.")
        .expect_words("And here Lisbon, Portugal · 203.0.113.24");
    assert!(
        page.text.contains("A map: Lisbon 08:32 and Oslo 08:34")
            || page.text.contains("A map: Lisbon 08:33 and Oslo 08:34"),
        "{}",
        page.text
    );
    let listed = second.get("/api/v1/alerts").await.expect(200).json();
    let alert = &listed["alerts"][0];
    assert_eq!(alert["kind"], "theft");
    assert_eq!(alert["ip_address"], OSLO);
    assert_eq!(alert["location_city"], "Oslo");
    assert_eq!(alert["use_before"]["location_city"], "Lisbon");
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages();
    let text = messages
        .iter()
        .find(|it| it.header("Subject") == "A device was signed out for safety")
        .expect("the message")
        .plain();
    for part in [
        "Oslo, Norway",
        OSLO,
        "Old tablet",
        "The device is signed out.",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    fixture.stop().await;
}

async fn the_stored_address_of_a_copy_is_redacted(database: Database) {
    let mut fixture = set_up(database).await;
    let choice = [("addresses", "shortened")];
    let chosen = fixture
        .laptop
        .submit("/account", "/account/addresses", &choice);
    chosen.await.expect(303);
    fixture.use_copy().await;
    let stored = "SELECT ip_address AS value FROM alerts WHERE kind = 'theft'";
    assert_eq!(
        fixture.app.database.texts(stored),
        [Some("198.18.0.0".to_owned())]
    );
    fixture.stop().await;
}

async fn its_answers_say_what_they_do(database: Database) {
    let mut fixture = set_up(database).await;
    fixture.use_copy().await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page
        .expect_words("Did you copy this sign-in?")
        .expect_words("“It was my own device”: the copy is from a backup, or a second app has the same sign-in. Nothing is changed.")
        .expect_words("“It wasn’t me”: the device no longer counts as yours.");
    assert!(!page.words().contains("Yes, it was me"), "{}", page.words());
    let page = fixture.answer("yes").await;
    page.expect_words(
        "Good: it was your own device. Old tablet is signed out; sign in on it again.",
    );
    fixture.stop().await;
}

async fn a_device_that_signed_in_again_is_not_called_still_signed_in(database: Database) {
    let mut fixture = set_up(database).await;
    fixture.use_copy().await;
    fixture.app.advance(MINUTE);
    let app = &fixture.app;
    let tablet = Some("tablet");
    app.login_from(&fixture.ada, IPHONE, LISBON, tablet).await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page.expect_words(", so it was signed out. It is signed in again.");
    let words = page.words();
    assert!(!words.contains("still signed in"), "{words}");
    assert!(!words.contains("sign in on it again"), "{words}");
    let page = fixture.answer("yes").await;
    page.expect_words("Good: it was your own device. Old tablet is signed in again.");
    fixture.stop().await;
}

async fn a_device_with_another_session_is_not_signed_out(database: Database) {
    let mut fixture = set_up(database).await;
    fixture.app.advance(MINUTE);
    let app = &fixture.app;
    let other = app
        .login_from(&fixture.ada, IPHONE, LISBON, Some("tablet"))
        .await;
    fixture.use_copy().await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page
        .expect_words("so that session was ended. The device is still signed in.")
        .expect_words("“It wasn’t me”: the device is signed out, and no longer counts as yours.");
    assert!(
        !page.words().contains("already signed out"),
        "{}",
        page.words()
    );
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages();
    let message = messages.last().expect("a message");
    assert_eq!(message.header("Subject"), "A session was ended for safety");
    let text = message.plain();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("That session has ended; another one on the device is still signed in."),
        "{text}"
    );
    assert!(!text.contains("The device is signed out"), "{text}");
    assert!(
        text.contains("asks before it signs out that device and"),
        "{text}"
    );
    let page = fixture.answer("yes").await;
    page.expect_words("Good: it was your own device. Old tablet is still signed in.");
    other.current().await.expect(200);
    fixture.stop().await;
}

async fn where_wrong_passwords_were_given_is_shown(database: Database) {
    let fixture = set_up(database).await;
    let phone = fixture.app.browser_from(IPHONE, LISBON);
    phone.sign_in(&fixture.ada).await;
    fixture.app.advance(MINUTE);
    // The cookies of the phone, in Oslo.
    let copy = fixture.app.browser_from(IPHONE, OSLO);
    for name in ["rollcall_session", "rollcall_device"] {
        if let Some(value) = phone.cookie(name) {
            copy.set_cookie(name, &value);
        }
    }
    for _ in 0..10 {
        let wrong = [("password", "not the password")];
        copy.submit("/confirm", "/confirm", &wrong).await;
        fixture.app.advance(2 * MINUTE);
    }
    let kinds = "SELECT kind AS value FROM alerts WHERE kind = 'wrong_passwords'";
    assert_eq!(fixture.app.database.texts(kinds).len(), 1);
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words("The password was entered wrong ten times on Safari on iPhone.")
        .expect_words("Where Oslo, Norway · 198.18.0.66");
    fixture.stop().await;
}

async fn a_former_address_gets_what_the_alert_is_about_and_no_more(database: Database) {
    let mut fixture = set_up(database).await;
    fixture.app.advance(MINUTE);
    let email = [("email", "new@example.org")];
    let requested = fixture.laptop.submit("/account", "/account/email", &email);
    requested.await.expect(303);
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages();
    let link = messages.last().expect("a message").link("/verify-email/");
    let verified = fixture.laptop.submit(&link, &link, &[("answer", "mine")]);
    verified.await.expect(303);
    fixture.app.advance(MINUTE);
    fixture.use_copy().await;
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages();
    let find = |to: &str| {
        let found = messages.iter().rev().find(|it| {
            it.to == [to] && it.header("Subject") == "A device was signed out for safety"
        });
        found.unwrap_or_else(|| panic!("no message to {to}"))
    };
    let own = find("new@example.org").plain();
    assert!(
        own.contains("Old tablet") && own.contains("Lisbon"),
        "{own}"
    );
    let former = find("ada@example.org");
    let page = fixture.app.browser_from(FIREFOX, "192.0.2.200");
    let page = page.get(&former.link("/not-me/")).await.expect(200);
    assert!(!page.text.contains("<svg class=\"view"), "{}", page.text);
    for text in [former.plain(), former.html(), page.words()] {
        for fact in ["Safari on iPhone", "Oslo, Norway", OSLO] {
            assert!(text.contains(fact), "{fact}: {text}");
        }
        for other in ["Old tablet", "Lisbon", LISBON, "km away", "Firefox"] {
            assert!(!text.contains(other), "{other}: {text}");
        }
    }
    fixture.stop().await;
}
