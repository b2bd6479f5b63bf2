//! What is told of a copied session cookie: the history has it at most once an hour, and an alert comes at most
//! once a day, where there is more evidence than a missing key. Neither ends the session.

use crate::support::bound::{BOUND, use_https};
use crate::support::bound_browser::BoundBrowser;
use crate::support::html;
use crate::support::mmdb::Mmdb;
use crate::support::outgoing::{FROM_ELSEWHERE, Outgoing};
use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;

on_both!(
    database: a_use_without_the_key_is_in_the_history_once_an_hour,
    another_browser_system_or_country_raises_an_alert,
    the_same_kind_of_browser_raises_none,
    there_is_an_alert_a_day_and_a_session,
    a_link_from_elsewhere_is_noted_abroad_and_alerts_of_another_browser,
    the_alert_ends_nothing_and_its_answer_does,
    the_alert_can_be_put_aside,
);

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const LISBON: &str = "203.0.113.24";
const OSLO: &str = "198.18.0.66";
const NOWHERE: &str = "192.0.2.77";
const WORDS: &str =
    "Somebody used a copy of the sign-in of Chrome on Windows, just now. This time it got nothing.";
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/140.0.0.0 Safari/537.36";
const NEXT_CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                           Chrome/141.0.0.0 Safari/537.36";
const CHROME_ON_LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                               Chrome/140.0.0.0 Safari/537.36";

struct Fixture {
    app: TestApp,
    server: SmtpServer,
    ada: Person,
    /// A bound browser in Lisbon.
    owner: BoundBrowser,
    /// Another device of hers there.
    laptop: BoundBrowser,
}

async fn set_up(database: Database) -> Fixture {
    let path = database.folder().join("places.mmdb");
    Mmdb::new("City")
        .with(
            "203.0.113.0/24",
            json!({"city": "Lisbon", "country_code": "PT"}),
        )
        .with(
            "198.18.0.0/24",
            json!({"city": "Oslo", "country_code": "NO"}),
        )
        .write(&path);
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |settings| {
        use_https(settings);
        settings.places.files = vec![path];
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let mut laptop = BoundBrowser::new(&app, FIREFOX).at(LISBON);
    laptop.sign_in(&ada).await.expect(303);
    let owner = bound(&app, &ada).await;
    app.confirm_sign_ins();
    app.deliver_mail().await;
    Fixture {
        app,
        server,
        ada,
        owner,
        laptop,
    }
}

async fn bound(app: &TestApp, ada: &Person) -> BoundBrowser {
    let mut owner = BoundBrowser::new(app, CHROME).at(LISBON);
    owner.sign_in(ada).await.expect(303);
    owner.register().await.expect(200);
    owner.get("/devices").await.expect(200);
    app.advance(MINUTE);
    owner
}

impl Fixture {
    /// Uses the session cookie in another browser.
    async fn use_copy(&self, user_agent: &str, address: &str) {
        let mut thief = self.owner.copied_to(&self.app, user_agent).at(address);
        thief.forget_cookie(BOUND);
        let response = thief.get("/devices").await;
        assert!(response.is_to_sign_in(), "{response:?}");
    }

    fn alerts(&self) -> i64 {
        let raised = "SELECT count(*) AS value FROM alerts WHERE kind NOT LIKE 'new_%'";
        self.app.database.number(raised)
    }

    fn events(&self) -> i64 {
        let noted = "SELECT count(*) AS value FROM session_events WHERE kind = 'used_without_key'";
        self.app.database.number(noted)
    }

    /// Sends the first form about an alert whose action ends so, and returns the page after that.
    async fn answer(&mut self, end: &str) -> TestResponse {
        let page = self.laptop.get("/devices").await.expect(200);
        let form = html::forms(&page.text)
            .into_iter()
            .find(|form| form.action.starts_with("/alerts/") && form.action.ends_with(end))
            .unwrap_or_else(|| panic!("no {end} in {}", page.words()));
        let fields: Vec<_> = form
            .hidden
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let response = self.laptop.post(&form.action, &fields).await.expect(303);
        self.laptop.get(response.location()).await.expect(200)
    }

    async fn stop(self) {
        self.server.stop();
        self.app.stop().await;
    }
}

async fn a_use_without_the_key_is_in_the_history_once_an_hour(database: Database) {
    let mut fixture = set_up(database).await;
    assert_eq!(fixture.events(), 0);
    for expected in [1, 1, 1] {
        fixture.use_copy(CHROME, LISBON).await;
        fixture.app.advance(25 * MINUTE);
        assert_eq!(fixture.events(), expected);
    }
    fixture.use_copy(CHROME, LISBON).await;
    assert_eq!(fixture.events(), 2);
    let path = format!("/devices/{}", fixture.owner.id());
    let page = fixture.owner.get(&path).await.expect(200);
    let page = page.expect_words("sed without its key");
    page.expect_words("Bound to this browser");
    assert_eq!(fixture.alerts(), 0);
    fixture.stop().await;
}

async fn another_browser_system_or_country_raises_an_alert(database: Database) {
    let mut fixture = set_up(database).await;
    let mut expected = 0;
    for (user_agent, address) in [
        (FIREFOX, LISBON),
        (CHROME_ON_LINUX, LISBON),
        (CHROME, OSLO),
        (IPHONE, OSLO),
    ] {
        // Each time another session, since there is one a day of each.
        fixture.owner = bound(&fixture.app, &fixture.ada).await;
        fixture.app.confirm_sign_ins();
        fixture.use_copy(user_agent, address).await;
        expected += 1;
        assert_eq!(fixture.alerts(), expected, "{user_agent} {address}");
        let page = fixture.laptop.get("/devices").await.expect(200);
        page.expect_words(WORDS);
    }
    fixture.stop().await;
}

/// A lost key looks just like that.
async fn the_same_kind_of_browser_raises_none(database: Database) {
    let fixture = set_up(database).await;
    for (user_agent, address) in [
        (CHROME, LISBON),
        (NEXT_CHROME, LISBON),
        (CHROME, NOWHERE),
        (CHROME, "203.0.113.99"),
    ] {
        fixture.use_copy(user_agent, address).await;
        fixture.app.advance(HOUR);
    }
    assert_eq!(fixture.alerts(), 0);
    assert_eq!(fixture.events(), 4);
    fixture.stop().await;
}

/// Whoever opens a link in an e-mail abroad is no thief.
async fn a_link_from_elsewhere_is_noted_abroad_and_alerts_of_another_browser(database: Database) {
    let fixture = set_up(database).await;
    let link = Outgoing::page("/devices", &FROM_ELSEWHERE);
    for (user_agent, address, found) in [
        (CHROME, LISBON, (0, 0)),
        (CHROME, OSLO, (1, 0)),
        (IPHONE, LISBON, (2, 1)),
    ] {
        let mut copy = fixture
            .owner
            .copied_to(&fixture.app, user_agent)
            .at(address);
        copy.forget_cookie(BOUND);
        copy.send_now(&link).await.expect(200);
        assert_eq!(
            (fixture.events(), fixture.alerts()),
            found,
            "{user_agent} {address}"
        );
        fixture.app.advance(HOUR);
    }
    fixture.stop().await;
}

async fn there_is_an_alert_a_day_and_a_session(database: Database) {
    let fixture = set_up(database).await;
    for _ in 0..3 {
        fixture.use_copy(FIREFOX, OSLO).await;
        fixture.use_copy(IPHONE, LISBON).await;
        fixture.app.advance(7 * HOUR);
    }
    assert_eq!(fixture.alerts(), 1);
    fixture.app.advance(4 * HOUR);
    fixture.use_copy(IPHONE, OSLO).await;
    assert_eq!(fixture.alerts(), 2);
    fixture.stop().await;
}

async fn the_alert_ends_nothing_and_its_answer_does(database: Database) {
    let mut fixture = set_up(database).await;
    fixture.use_copy(IPHONE, OSLO).await;
    assert_eq!(fixture.app.deliver_mail().await, 1);
    let message = fixture.server.messages().pop().expect("a message");
    assert_eq!(message.to, ["ada@example.org"]);
    let text = message
        .plain()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(text.contains("copy of"), "{text}");
    assert!(!text.contains("was signed out"), "{text}");
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page.expect_words(WORDS).expect_words("Oslo, Norway");
    let words = page.words();
    assert!(!words.contains("so it was signed out"), "{words}");
    fixture.owner.get("/devices").await.expect(200);

    fixture.answer("/no").await;
    let response = fixture.owner.get("/devices").await;
    assert!(response.is_to_sign_in(), "{response:?}");
    assert_eq!(fixture.app.database.sessions_where("is_active"), 1);
    fixture.laptop.get("/devices").await.expect(200);
    fixture.stop().await;
}

async fn the_alert_can_be_put_aside(database: Database) {
    let mut fixture = set_up(database).await;
    fixture.use_copy(IPHONE, OSLO).await;
    let page = fixture.answer("/yes").await;
    let words = page.words();
    assert!(!words.contains(WORDS), "{words}");
    fixture.owner.get("/devices").await.expect(200);
    fixture.stop().await;
}
