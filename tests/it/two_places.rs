//! Sessions that are used in two places: the person is asked once, and nothing ends by itself.

use crate::support::mailed::{Mailed, Place};
use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;

on_both!(
    database: a_device_that_is_used_in_two_countries_is_asked_about,
    a_device_that_is_confirmed_is_not_asked_about_again,
    a_reported_device_is_signed_out,
    the_device_itself_does_not_answer,
    where_no_other_device_can_answer_none_is_requested,
    two_places_of_one_country_are_not_asked_about,
    what_nobody_answered_prevents_no_later_alert,
    a_copied_sign_in_takes_the_place_of_the_question,
    further_countries_within_the_hour_are_asked_about_up_to_a_bound,
);

const LISBON: &str = "203.0.113.24";
const FARO: &str = "203.0.114.24";
const OSLO: &str = "198.18.0.66";
const TOKYO: &str = "198.18.1.66";
const SYDNEY: &str = "198.18.2.66";
const MINUTE: Duration = Duration::from_secs(60);

/// Ada's account, with a laptop and a phone in Lisbon.
struct Fixture {
    app: TestApp,
    server: SmtpServer,
    laptop: Browser,
    phone: Device,
    ada: Person,
}

async fn set_up(database: Database) -> Fixture {
    let networks = [
        ("203.0.113.0/24", Place("Lisbon", "PT", 38.72, -9.14)),
        ("203.0.114.0/24", Place("Faro", "PT", 37.02, -7.93)),
        ("198.18.0.0/24", Place("Oslo", "NO", 59.91, 10.75)),
        ("198.18.1.0/24", Place("Tokyo", "JP", 35.68, 139.69)),
        ("198.18.2.0/24", Place("Sydney", "AU", -33.87, 151.21)),
    ];
    let Mailed {
        app,
        server,
        ada,
        laptop,
    } = Mailed::start_with_places(database, LISBON, &networks, |settings| {
        settings.tokens.access_lifetime = Duration::from_secs(24 * 60 * 60);
    })
    .await;
    app.advance(MINUTE);
    let phone = app.login_from(&ada, IPHONE, LISBON, Some("phone")).await;
    let fixture = Fixture {
        app,
        server,
        laptop,
        phone,
        ada,
    };
    fixture.answer("/yes").await;
    fixture.app.advance(MINUTE);
    fixture
}

impl Fixture {
    async fn use_phone(&self, ip: &str) {
        let request = self
            .phone
            .request("GET", "/api/v1/sessions/current")
            .header("x-forwarded-for", ip);
        TestResponse::to(request).await.expect(200);
    }

    async fn answer(&self, how: &str) -> TestResponse {
        self.laptop.answer_alert(how).await
    }

    fn raised(&self) -> i64 {
        let raised = "SELECT count(*) AS value FROM alerts WHERE kind = 'two_places'";
        self.app.database.number(raised)
    }

    async fn stop(self) {
        self.server.stop();
        self.app.stop().await;
    }
}

async fn a_device_that_is_used_in_two_countries_is_asked_about(database: Database) {
    let fixture = set_up(database).await;
    fixture.app.advance(5 * MINUTE);
    fixture.use_phone(OSLO).await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page
        .expect_words("Was this you in both places?")
        .expect_words("Safari on iPhone was used in two places, too far apart for the time between, just now.")
        .expect_words("Oslo, Norway · 198.18.0.66")
        .expect_words("your Safari on iPhone was used in Lisbon, 2,738 km away")
        .expect_words("A VPN or a mobile network can make it look so.")
        .expect_words("1 thing needs your attention.");
    assert_eq!(
        page.words().matches("2,738 km").count(),
        1,
        "{}",
        page.words()
    );
    // Nothing ends by that, and a VPN causes no message.
    fixture.phone.current().await.expect(200);
    let sent = fixture.server.messages().len();
    assert_eq!(fixture.app.deliver_mail().await, 0);
    assert_eq!(fixture.server.messages().len(), sent);
    let listed = fixture
        .laptop
        .get("/api/v1/alerts")
        .await
        .expect(200)
        .json();
    assert_eq!(listed["alerts"][0]["kind"], "two_places");
    fixture.stop().await;
}

async fn a_device_that_is_confirmed_is_not_asked_about_again(database: Database) {
    let fixture = set_up(database).await;
    fixture.use_phone(OSLO).await;
    let page = fixture.answer("/yes").await;
    let page = page.expect_words("Good: it was you. Safari on iPhone stays signed in.");
    let words = page.words();
    for words_of_doubt in ["km away", "1 thing needs"] {
        assert!(!words.contains(words_of_doubt), "{words_of_doubt}: {words}");
    }
    for ip in [LISBON, OSLO, LISBON] {
        fixture.app.advance(61 * MINUTE);
        fixture.use_phone(ip).await;
    }
    assert_eq!(fixture.raised(), 1);
    // Other places are asked about.
    fixture.app.advance(61 * MINUTE);
    fixture.use_phone(TOKYO).await;
    assert_eq!(fixture.raised(), 2);
    // While that waits for an answer, the same two countries are not.
    for (ip, raised) in [(LISBON, 2), (TOKYO, 2), (OSLO, 3)] {
        fixture.app.advance(61 * MINUTE);
        fixture.use_phone(ip).await;
        assert_eq!(fixture.raised(), raised, "{ip}");
    }
    fixture.stop().await;
}

async fn a_reported_device_is_signed_out(database: Database) {
    let fixture = set_up(database).await;
    fixture.use_phone(OSLO).await;
    let page = fixture.answer("/no").await;
    let page = page
        .expect_words("Safari on iPhone is signed out, and no longer counts as yours.")
        .expect_words("Somebody may have a copy of its sign-in.");
    let words = page.words();
    assert!(!words.contains("may know your password"), "{words}");
    fixture
        .phone
        .current()
        .await
        .problem(401, "unauthenticated");
    fixture.stop().await;
}

/// A copy is the same session.
async fn the_device_itself_does_not_answer(database: Database) {
    let fixture = set_up(database).await;
    fixture.use_phone(OSLO).await;
    let listed = fixture.phone.get("/api/v1/alerts").await.expect(200).json();
    assert_eq!(listed["alerts"], json!([]));
    fixture.stop().await;
}

async fn where_no_other_device_can_answer_none_is_requested(database: Database) {
    let fixture = set_up(database).await;
    fixture.phone.post("/api/v1/auth/logout").await.expect(204);
    let abroad = [("x-forwarded-for", OSLO)];
    let page = fixture.laptop.get_with("/devices", &abroad).await;
    page.expect(200);
    assert_eq!(fixture.raised(), 1);
    let page = fixture.laptop.get_with("/devices", &abroad).await;
    let page = page
        .expect(200)
        .expect_words("You are signed in only here.");
    assert!(!page.words().contains("An alert waits"), "{}", page.words());
    // What no alert asks about here is said as any other travel.
    let summary = "Some uses were too far apart for the time between them. See Firefox on Windows.";
    let expect_travel = async || {
        let page = fixture.laptop.get("/devices").await.expect(200);
        let page = page
            .expect_words(summary)
            .expect_words("was used in Lisbon, Portugal, and");
        assert!(!page.words().contains("Nothing needs"), "{}", page.words());
    };
    expect_travel().await;
    // Nor does a later device answer it.
    fixture.app.advance(5 * 60 * MINUTE);
    let app = &fixture.app;
    let tablet = app.login_from(&fixture.ada, IPHONE, LISBON, Some("tablet"));
    tablet.await;
    expect_travel().await;
    fixture.stop().await;
}

async fn two_places_of_one_country_are_not_asked_about(database: Database) {
    let fixture = set_up(database).await;
    fixture.use_phone(FARO).await;
    let travel = "SELECT count(*) AS value FROM session_events WHERE kind = 'impossible_travel'";
    assert_eq!(fixture.app.database.number(travel), 1);
    assert_eq!(fixture.raised(), 0);
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words(
        "Some uses were too far apart for the time between them. See Safari on iPhone.",
    )
    .expect_words("Safari on iPhone was used in Lisbon, Portugal, and");
    fixture.stop().await;
}

async fn what_nobody_answered_prevents_no_later_alert(database: Database) {
    let fixture = set_up(database).await;
    fixture.use_phone(OSLO).await;
    assert_eq!(fixture.raised(), 1);
    fixture.app.advance(31 * 24 * 60 * MINUTE);
    let app = &fixture.app;
    let phone = app
        .login_from(&fixture.ada, IPHONE, LISBON, Some("phone"))
        .await;
    for (ip, raised) in [(OSLO, 2), (LISBON, 2), (OSLO, 2)] {
        fixture.app.advance(61 * MINUTE);
        let request = phone
            .request("GET", "/api/v1/sessions/current")
            .header("x-forwarded-for", ip);
        TestResponse::to(request).await.expect(200);
        assert_eq!(fixture.raised(), raised);
    }
    fixture.stop().await;
}

async fn a_copied_sign_in_takes_the_place_of_the_question(database: Database) {
    let mut fixture = set_up(database).await;
    fixture.use_phone(OSLO).await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    let no = crate::support::html::forms(&page.text)
        .into_iter()
        .find(|form| form.action.starts_with("/alerts/") && form.action.ends_with("/no"))
        .expect("an alert");
    let spent = fixture.phone.refresh_token.clone();
    for _ in 0..2 {
        fixture.phone.refresh().await;
        fixture.app.advance(MINUTE);
    }
    let anyone = fixture.app.anyone();
    anyone.refresh_from(&spent, OSLO).await.expect(401);
    let pressed = fixture.laptop.send(&no, &[]).await.expect(303);
    let page = fixture.laptop.follow(&pressed).await.expect(200);
    page.expect_words("A copied sign-in was noticed on that device meanwhile. The alert about that has taken the place of this one.")
        .expect_words("A copied sign-in of Safari on iPhone was noticed")
        .expect_words("1 thing needs your attention.");
    assert_eq!(fixture.raised(), 1);
    fixture.stop().await;
}

/// Whoever has a copy could go through many countries.
async fn further_countries_within_the_hour_are_asked_about_up_to_a_bound(database: Database) {
    let fixture = set_up(database).await;
    for (ip, raised) in [(OSLO, 1), (TOKYO, 2), (OSLO, 2), (SYDNEY, 3), (LISBON, 3)] {
        fixture.app.advance(5 * MINUTE);
        fixture.use_phone(ip).await;
        assert_eq!(fixture.raised(), raised, "{ip}");
    }
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words("Tokyo, Japan · 198.18.1.66")
        .expect_words("your Safari on iPhone was used in Oslo");
    // After an hour there may be more.
    fixture.app.advance(61 * MINUTE);
    fixture.use_phone(LISBON).await;
    assert_eq!(fixture.raised(), 4);
    fixture.stop().await;
}
