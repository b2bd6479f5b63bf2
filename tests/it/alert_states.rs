//! Alerts about a session that has ended meanwhile, in whatever way, and links that were settled by
//! something else: what the pages say is so.

use crate::support::html::forms;
use crate::support::mailed::Mailed;
use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;

on_both!(
    database: an_ended_session_is_not_signed_out_again,
    a_device_that_signed_in_again_is_signed_out,
    a_confirmed_session_that_had_ended_does_not_stay_signed_in,
    a_link_about_an_ended_session_claims_nothing_false,
    a_copied_sign_in_is_named_after_the_device,
    a_link_about_a_copied_sign_in_claims_nothing_false,
    a_link_that_was_settled_with_another_alert_says_with_which,
    a_link_that_was_answered_says_how_and_when,
    what_a_report_ended_besides_is_named,
    no_page_speaks_of_keys,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";
const MINUTE: Duration = Duration::from_secs(60);

/// How a session ends without an answer.
#[derive(Debug, Clone, Copy)]
enum End {
    Row,
    Itself,
    TokenReuse,
    Expiry,
    ExpiryUnswept,
}

const ENDS: [End; 5] = [
    End::Row,
    End::Itself,
    End::TokenReuse,
    End::Expiry,
    End::ExpiryUnswept,
];

/// Ada's account, with a phone signed in that nobody has confirmed.
struct Fixture {
    app: TestApp,
    ada: Person,
    laptop: Browser,
    phone: Device,
    server: SmtpServer,
}

async fn set_up(database: Database) -> Fixture {
    let Mailed {
        app,
        server,
        ada,
        laptop,
    } = Mailed::start(database, HOME, |_| {}).await;
    app.advance(MINUTE);
    let phone = app.login_from(&ada, IPHONE, ELSEWHERE, Some("phone")).await;
    Fixture {
        app,
        ada,
        laptop,
        phone,
        server,
    }
}

impl Fixture {
    async fn stop(self) {
        self.server.stop();
        self.app.stop().await;
    }

    /// Returns the link in the newest message with that subject.
    async fn link(&self, subject: &str) -> String {
        self.app.deliver_mail().await;
        let messages = self.server.messages();
        let message = messages
            .iter()
            .rev()
            .find(|message| message.header("Subject") == subject);
        message.expect("a message").link("/not-me/")
    }

    async fn end(&mut self, how: End) {
        let (app, phone) = (&self.app, self.phone.id());
        match how {
            End::Row => {
                let action = format!("/devices/{phone}/sign-out");
                let ended = self.laptop.submit("/devices", &action, &[]).await;
                ended.expect(303);
            }
            End::Itself => {
                self.phone.post("/api/v1/auth/logout").await.expect(204);
            }
            End::TokenReuse => self.reuse_token().await,
            End::Expiry | End::ExpiryUnswept => {
                let past = "UPDATE user_sessions SET expires_at = created_at, sweep_at = created_at WHERE is_active AND ip_address LIKE '198.51.%'";
                app.database.execute(past);
                if matches!(how, End::Expiry) {
                    app.sweep().await;
                }
            }
        }
    }

    /// Uses a spent refresh token of the phone.
    async fn reuse_token(&mut self) {
        let spent = self.phone.refresh_token.clone();
        for _ in 0..2 {
            self.phone.refresh().await;
            self.app.advance(MINUTE);
        }
        self.app.anyone().refresh(&spent).await.expect(401);
    }

    /// Confirms or reports the first alert on the page, and returns the page after that.
    async fn answer(&self, how: &str) -> TestResponse {
        self.laptop.answer_alert(&format!("/{how}")).await
    }

    fn reader(&self) -> Browser {
        self.app.browser_from(FIREFOX, "192.0.2.200")
    }
}

/// Asserts that a page offers no sign-out of what is signed out.
fn claims_nothing_false(page: &TestResponse, how: End) {
    let words = page.words();
    for false_words in ["sign it out", "It stays signed in", "stays signed in."] {
        assert!(!words.contains(false_words), "{how:?}: {words}");
    }
}

async fn an_ended_session_is_not_signed_out_again(database: Database) {
    let mut fixture = set_up(database).await;
    for how in ENDS {
        fixture.end(how).await;
        fixture.app.advance(Duration::from_secs(1));
        let page = fixture.laptop.get("/devices").await.expect(200);
        claims_nothing_false(&page, how);
        page.expect_words("Already signed out. Was it you?")
            .expect_words("No, it wasn’t me")
            .expect_words("Yes, it was me");
        if matches!(how, End::TokenReuse) {
            fixture.answer("no").await;
        } else {
            fixture.answer("no").await.expect_words(
                "Safari on iPhone was already signed out, and no longer counts as yours.",
            );
        }
        fixture.app.advance(MINUTE);
        let again = fixture
            .app
            .login_from(&fixture.ada, IPHONE, ELSEWHERE, Some("phone"));
        fixture.phone = again.await;
    }
    fixture.stop().await;
}

/// A stranger who signs in twice calms nobody: what counts is the device, not the session.
async fn a_device_that_signed_in_again_is_signed_out(database: Database) {
    let fixture = set_up(database).await;
    let app = &fixture.app;
    let again = app
        .login_from(&fixture.ada, IPHONE, ELSEWHERE, Some("phone"))
        .await;
    let ended = fixture.phone.post("/api/v1/auth/logout").await;
    ended.expect(204);
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page.expect_words("Was this you? Safari on iPhone");
    assert!(
        !page.words().contains("already signed out"),
        "{}",
        page.words()
    );
    let page = fixture.answer("no").await;
    let page = page.expect_words("Safari on iPhone is signed out, and no longer counts as yours.");
    assert!(
        !page.words().contains("already signed out"),
        "{}",
        page.words()
    );
    again.get("/api/v1/sessions/current").await.expect(401);
    fixture.stop().await;
}

async fn a_confirmed_session_that_had_ended_does_not_stay_signed_in(database: Database) {
    let mut fixture = set_up(database).await;
    for (how, ip) in [
        (End::Row, "198.51.101.7"),
        (End::Expiry, "198.51.102.7"),
        (End::ExpiryUnswept, "198.51.103.7"),
    ] {
        fixture.end(how).await;
        let page = fixture.answer("yes").await;
        claims_nothing_false(&page, how);
        page.expect_words("Good: it was you. Safari on iPhone was already signed out.");
        let again = fixture.app.login_from(&fixture.ada, IPHONE, ip, None);
        fixture.phone = again.await;
    }
    fixture.stop().await;
}

async fn a_link_about_an_ended_session_claims_nothing_false(database: Database) {
    let mut fixture = set_up(database).await;
    for how in ENDS {
        let link = fixture.link("New sign-in to your account").await;
        fixture.end(how).await;
        fixture.app.advance(Duration::from_secs(1));
        let reader = fixture.reader();
        let page = reader.get(&link).await.expect(200);
        claims_nothing_false(&page, how);
        let page = page.expect_words("Already signed out. Was it you?");
        let page = page.expect_words("No, it wasn’t me");
        page.expect_words("the device no longer counts as yours");
        let answer = [("answer", "not-mine")];
        let page = reader.submit(&link, &link, &answer).await.expect(200);
        let page = page.expect_words(
            "Safari on iPhone was already signed out, and no longer counts as yours.",
        );
        page.expect_words("Make your account safe");
        fixture.app.advance(61 * MINUTE);
        let again = fixture
            .app
            .login_from(&fixture.ada, IPHONE, ELSEWHERE, None);
        fixture.phone = again.await;
    }
    fixture.stop().await;
}

async fn a_copied_sign_in_is_named_after_the_device(database: Database) {
    let mut fixture = set_up(database).await;
    fixture.answer("yes").await.expect_words("stays signed in");
    let path = format!("/devices/{}", fixture.phone.id());
    let name = [("device_name", "Old tablet")];
    fixture
        .laptop
        .submit(&path, &format!("{path}/rename"), &name)
        .await
        .expect(303);
    fixture.reuse_token().await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page.expect_words("Did you copy this sign-in?");
    let page = page.expect_words("A copied sign-in of Old tablet was noticed");
    page.expect_words("What to do Set a new password, and check the device");
    fixture
        .laptop
        .get(&path)
        .await
        .expect(200)
        .expect_words("Signed out for safety: a copied sign-in was used");
    fixture
        .answer("yes")
        .await
        .expect_words("Good: it was your own device. Old tablet is signed out");
    fixture.stop().await;
}

async fn a_link_about_a_copied_sign_in_claims_nothing_false(database: Database) {
    let mut fixture = set_up(database).await;
    fixture.answer("yes").await;
    fixture.reuse_token().await;
    let link = fixture.link("A device was signed out for safety").await;
    let reader = fixture.reader();
    let page = reader.get(&link).await.expect(200);
    claims_nothing_false(&page, End::TokenReuse);
    let page = page.expect_words("Did you copy this sign-in?");
    page.expect_words("A copied sign-in of Safari on iPhone was noticed");
    let page = reader
        .submit(&link, &link, &[("answer", "not-mine")])
        .await
        .expect(200);
    page.expect_words("Safari on iPhone was already signed out, and no longer counts as yours.");
    fixture.stop().await;
}

async fn a_link_that_was_settled_with_another_alert_says_with_which(database: Database) {
    let mut fixture = set_up(database).await;
    let link = fixture.link("New sign-in to your account").await;
    fixture.reuse_token().await;
    // The answer to the second alert settles the first, which is about the same session.
    let page = fixture.laptop.get("/devices").await.expect(200);
    let reported = forms(&page.text)
        .into_iter()
        .filter(|form| form.action.ends_with("/no"))
        .nth(1)
        .expect("two alerts");
    fixture.laptop.send(&reported, &[]).await.expect(303);
    let page = fixture.reader().get(&link).await.expect(410);
    let page = page.expect_words("This is settled");
    page.expect_words(
        "This was settled together with another alert, about Safari on iPhone on 17 May 2031, 08:33 UTC. That one was answered “It wasn’t me” on 17 May 2031, 08:33 UTC.",
    );
    fixture.stop().await;
}

async fn a_link_that_was_answered_says_how_and_when(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link("New sign-in to your account").await;
    fixture.app.advance(5 * MINUTE);
    let reader = fixture.reader();
    reader
        .submit(&link, &link, &[("answer", "mine")])
        .await
        .expect(200)
        .expect_words("Good: it was you. Safari on iPhone stays signed in.");
    let page = reader.get(&link).await.expect(410);
    let page = page.expect_words("This was answered");
    page.expect_words("This was answered “Yes, it was me” on 17 May 2031, 08:36 UTC.");
    fixture.stop().await;
}

async fn what_a_report_ended_besides_is_named(database: Database) {
    let fixture = set_up(database).await;
    // Nobody knows it, and it came after the phone.
    fixture.app.advance(MINUTE);
    let second = fixture
        .app
        .login_from(&fixture.ada, FIREFOX, "192.0.2.1", None);
    let second = second.await;
    let page = fixture.answer("no").await;
    let words = page.words();
    assert!(
        words.contains("are signed out, and no longer count as yours.")
            && words.contains("Safari on iPhone")
            && words.contains("Firefox on Windows"),
        "{words}"
    );
    second.current().await.problem(401, "unauthenticated");
    fixture.stop().await;
}

async fn no_page_speaks_of_keys(database: Database) {
    let mut fixture = set_up(database).await;
    fixture.answer("yes").await;
    fixture.reuse_token().await;
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages();
    let last = messages.last().expect("a message").plain();
    let device = format!("/devices/{}", fixture.phone.id());
    for words in [
        fixture.laptop.get("/devices").await.words(),
        fixture.laptop.get("/account").await.words(),
        fixture.laptop.get(&device).await.words(),
        last,
    ] {
        for wrong in ["old key", "stolen key", "A key"] {
            assert!(!words.contains(wrong), "{wrong}: {words}");
        }
    }
    fixture.stop().await;
}
