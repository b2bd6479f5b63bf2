//! Who is in doubt answers nothing: neither a later sign-in of a stranger that looks like the first, nor the
//! mailbox that they gave the account, nor a session that has ended meanwhile.

use crate::support::admin::{Admin, id_of};
use crate::support::html;
use crate::support::mailed::Mailed;
use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;
use crate::support::{eventually, run_async};

on_both!(
    database: a_sign_in_that_looks_like_one_that_waits_answers_nothing,
    a_change_of_the_email_that_only_somebody_in_doubt_confirmed_is_undone,
    a_mailbox_of_somebody_in_doubt_answers_nothing,
    a_mailbox_that_an_administrator_gave_back_answers,
    an_export_in_doubt_has_nothing_that_waits,
    whoever_is_in_doubt_is_not_called_as_they_like,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";
/// In the network of the laptop, where nobody is held up.
const NEAR: &str = "203.0.113.66";
const CURL: &str = "curl/8.14.1";
const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const THIEF: &str = "thief@example.org";
const MINUTE: Duration = Duration::from_secs(60);
const OPEN_SIGN_INS: &str = "SELECT count(*) AS value FROM alerts
     WHERE answered_at IS NULL AND kind IN ('new_device', 'new_country')
     AND user_id = (SELECT id FROM users WHERE email = 'ada@example.org')";
const OPEN: &str = "SELECT count(*) AS value FROM alerts WHERE answered_at IS NULL";

/// Ada's account, with a laptop, and a stranger who has signed in twice: an alert tells of the first.
struct Fixture {
    app: TestApp,
    server: SmtpServer,
    ada: Person,
    laptop: Browser,
    stranger: Browser,
    second: Browser,
}

async fn set_up(database: Database) -> Fixture {
    set_up_from(database, ELSEWHERE).await
}

async fn set_up_from(database: Database, strange: &str) -> Fixture {
    let mailed = Mailed::start(database, HOME, |_| {}).await;
    let Mailed {
        app,
        server,
        ada,
        laptop,
    } = mailed;
    app.advance(MINUTE);
    let stranger = app.browser_from(IPHONE, strange);
    stranger.sign_in(&ada).await.expect(303);
    app.advance(MINUTE);
    let second = app.browser_from(IPHONE, strange);
    second.sign_in(&ada).await.expect(303);
    app.advance(MINUTE);
    Fixture {
        app,
        server,
        ada,
        laptop,
        stranger,
        second,
    }
}

impl Fixture {
    fn number(&self, query: &str) -> i64 {
        self.app.database.number(query)
    }

    /// Returns the link to this address in the last message to it.
    async fn link_to(&self, email: &str, prefix: &str) -> String {
        self.app.deliver_mail().await;
        let messages = self.server.messages().into_iter();
        let mut to = messages.filter(|message| message.to == [email]);
        to.next_back().expect("a message").link(prefix)
    }

    /// Has the stranger give the account their own e-mail, in their second session.
    async fn steal_email(&self) {
        let email = [("email", THIEF)];
        let requested = self.second.submit("/account", "/account/email", &email);
        requested.await.expect(303);
        let link = self.link_to(THIEF, "/verify-email/").await;
        let mine = [("answer", "mine")];
        let verified = self.second.submit(&link, &link, &mine).await;
        verified.expect(303);
        self.app.advance(MINUTE);
    }

    async fn stop(self) {
        self.server.stop();
        self.app.stop().await;
    }
}

async fn listed(device: &Device) -> Vec<String> {
    let list = device.get("/api/v1/alerts").await.expect(200).json();
    let alerts = list["alerts"].as_array().expect("alerts").iter();
    let ids = alerts.map(|alert| alert["id"].as_str().expect("an id").to_owned());
    ids.collect()
}

async fn answer(device: &Device, alert: &str, answer: &str) -> TestResponse {
    let path = format!("/api/v1/alerts/{alert}");
    let request = device.request("POST", &path);
    TestResponse::to(request.json(&json!({ "answer": answer }))).await
}

async fn a_sign_in_that_looks_like_one_that_waits_answers_nothing(database: Database) {
    let fixture = set_up(database).await;
    let app = &fixture.app;
    let own = app.login_from(&fixture.ada, FIREFOX, HOME, None).await;
    app.advance(MINUTE);
    app.login_from(&fixture.ada, CURL, "192.0.2.9", None).await;
    app.advance(MINUTE);
    // The owner's own new phone, at home.
    let phone = app.login_from(&fixture.ada, "Dalvik/2.1", HOME, None);
    let phone = phone.await;
    app.advance(MINUTE);
    let doubtful = app.login_from(&fixture.ada, IPHONE, ELSEWHERE, None).await;
    let open = fixture.number(OPEN);
    assert!(open > 2, "{open}");
    for browser in [&fixture.stranger, &fixture.second] {
        let page = browser.get("/devices").await.expect(200);
        assert!(!page.text.contains("action=\"/alerts/"), "{}", page.words());
    }
    assert!(listed(&doubtful).await.is_empty());
    assert!(listed(&own).await.is_empty(), "it came after the alert");
    let page = fixture.laptop.get("/devices").await.expect(200);
    let actions = html::attributes(&page.text, "action");
    let answers = actions.iter().filter_map(|action| {
        let id = action.strip_prefix("/alerts/")?.strip_suffix("/yes")?;
        Some(id.to_owned())
    });
    let answers: Vec<String> = answers.collect();
    assert_eq!(answers.len(), usize::try_from(open).expect("a number"));
    for alert in &answers {
        for given in ["mine", "not_mine"] {
            let refused = answer(&doubtful, alert, given).await;
            refused.problem(404, "not_found");
        }
    }
    assert_eq!(fixture.number(OPEN), open);
    phone.current().await.expect(200);
    fixture.stop().await;
}

/// As an earlier version let them.
async fn a_change_of_the_email_that_only_somebody_in_doubt_confirmed_is_undone(database: Database) {
    let fixture = set_up_from(database, NEAR).await;
    fixture.steal_email().await;
    let thief = Person {
        email: THIEF.into(),
        ..fixture.ada.clone()
    };
    let third = fixture.app.browser_from(IPHONE, NEAR);
    third.sign_in(&thief).await.expect(303);
    fixture.app.advance(MINUTE);
    let page = third.get("/devices").await.expect(200);
    assert!(!page.text.contains("action=\"/alerts/"), "{}", page.words());
    fixture.app.database.execute(
        "UPDATE alerts SET answer = 'mine', answered_at = at, settled_by = id, confirmed_by =
             (SELECT id FROM user_sessions ORDER BY created_at DESC LIMIT 1)
         WHERE kind = 'email_changed'",
    );
    fixture.laptop.answer_alert("/no").await;
    let email = "SELECT email AS value FROM users";
    let email = fixture.app.database.texts(email);
    assert_eq!(email, [Some("ada@example.org".to_owned())]);
    fixture.stop().await;
}

async fn a_mailbox_of_somebody_in_doubt_answers_nothing(database: Database) {
    let fixture = set_up_from(database, NEAR).await;
    fixture.steal_email().await;
    let thief = Person {
        email: THIEF.into(),
        ..fixture.ada.clone()
    };
    let new = fixture.app.browser_from(LINUX, "192.0.2.66");
    new.sign_in(&thief).await.expect(303);
    let open = fixture.number(OPEN);
    let link = fixture.link_to(THIEF, "/not-me/").await;
    let reader = fixture.app.browser_from(FIREFOX, "192.0.2.77");
    let page = reader.get(&link).await.expect(403);
    page.expect_words("This link can’t answer that")
        .expect_words("Sign in on a device that you used before, and answer it there");
    for answer in ["mine", "not-mine"] {
        reader.post(&link, &[("answer", answer)]).await.expect(403);
    }
    assert_eq!(fixture.number(OPEN), open);
    new.get("/devices").await.expect(200);
    fixture.stop().await;
}

/// What a stranger changed counts no more once an administrator has set it back.
async fn a_mailbox_that_an_administrator_gave_back_answers(database: Database) {
    let fixture = set_up_from(database, NEAR).await;
    let app = &fixture.app;
    fixture.steal_email().await;
    let admin = Admin::start(app, "root@example.org").await;
    let path = format!("/{}", id_of(app, THIEF));
    let body = json!({"email": fixture.ada.email, "reason": "They asked"});
    admin.send("PATCH", &path, &body).await.expect(200);
    app.advance(MINUTE);
    let phone = app.browser_from(LINUX, "192.0.2.66");
    phone.sign_in(&fixture.ada).await.expect(303);
    let link = fixture.link_to("ada@example.org", "/not-me/").await;
    app.advance(MINUTE);
    let reader = app.browser_from(FIREFOX, "192.0.2.77");
    let answer = [("answer", "mine")];
    let page = reader.submit(&link, &link, &answer).await.expect(200);
    page.expect_words("Good: it was you. Firefox on Linux stays signed in.");
    let name = [("full_name", "Ada")];
    let named = phone.submit("/account", "/account/name", &name).await;
    named.expect(303);
    // It is the owner's: the answer to what came before it leaves it alone.
    let page = fixture.laptop.get("/devices").await.expect(200);
    assert!(page.text.contains("action=\"/alerts/"), "{}", page.words());
    let page = fixture.laptop.answer_alert("/no").await;
    let page = page.expect_words("Your e-mail is ada@example.org again.");
    assert!(!page.words().contains("can’t be changed back"));
    while fixture.number(OPEN_SIGN_INS) > 0 {
        let before = fixture.number(OPEN_SIGN_INS);
        fixture.laptop.answer_alert("/no").await;
        assert!(fixture.number(OPEN_SIGN_INS) < before);
    }
    assert!(fixture.stranger.get("/devices").await.is_to_sign_in());
    assert!(fixture.second.get("/devices").await.is_to_sign_in());
    phone.get("/devices").await.expect(200);
    fixture.stop().await;
}

async fn an_export_in_doubt_has_nothing_that_waits(database: Database) {
    let fixture = set_up(database).await;
    let second = &fixture.second;
    for (browser, number) in [(&fixture.stranger, 0), (second, 0), (&fixture.laptop, 1)] {
        let file = browser.get("/account/export").await.expect(200).json();
        let alerts = file["alerts"].as_array().expect("alerts");
        assert_eq!(alerts.len(), number, "{alerts:?}");
    }
    fixture.stop().await;
}

async fn whoever_is_in_doubt_is_not_called_as_they_like(database: Database) {
    let fixture = set_up(database).await;
    for stranger in [&fixture.stranger, &fixture.second] {
        let current = stranger.get("/api/v1/sessions/current").await;
        let current = current.expect(200).json();
        let page = format!("/devices/{}", current["id"].as_str().expect("an id"));
        let name = [("device_name", "Studio")];
        let rename = format!("{page}/rename");
        let named = stranger.submit(&page, &rename, &name).await;
        named.expect(303);
        let others = "/devices/sign-out-others";
        stranger.submit(others, others, &[]).await.expect(303);
        let led = fixture.laptop.get("/devices").await;
        let page = fixture.laptop.follow(&led).await.expect(200);
        let page = page.expect_words("This device was signed out from Safari on iPhone");
        assert!(!page.words().contains("Studio"), "{}", page.words());
        fixture.app.advance(MINUTE);
        fixture.laptop.sign_in(&fixture.ada).await.expect(303);
        let page = fixture.laptop.get("/devices").await.expect(200);
        let page = page.expect_words("from Safari on iPhone");
        assert!(!page.words().contains("from Studio"), "{}", page.words());
        // The first is signed out by the second.
        fixture.second.forget_cookie("rollcall_session");
        fixture.second.sign_in(&fixture.ada).await.expect(303);
        fixture.app.advance(MINUTE);
    }
    fixture.laptop.answer_alert("/no").await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words("from Safari on iPhone, which you reported");
    fixture.stop().await;
}

/// On PostgreSQL the answer waits for whoever ends the session; SQLite has one writer.
#[test]
fn a_session_that_has_ended_meanwhile_answers_nothing() {
    run_async(async {
        let fixture = set_up(Database::postgres()).await;
        let app = &fixture.app;
        let own = app.login_from(&fixture.ada, FIREFOX, HOME, Some("own"));
        let own = own.await;
        app.confirm_sign_ins();
        app.advance(MINUTE);
        app.login_from(&fixture.ada, CURL, "192.0.2.9", None).await;
        for given in ["mine", "not_mine"] {
            let alert = listed(&own).await.remove(0);
            let id = app.database.id(&own.id());
            let end = format!(
                "UPDATE user_sessions SET is_active = false, ended_at = last_used_at,
                     ended_reason = 'signed_out' WHERE id = {id}"
            );
            let ending = app.database.begin(&end);
            let answers = answer(&own, &alert, given);
            let ends = async {
                let waiting = "SELECT count(*) AS value FROM pg_stat_activity
                               WHERE datname = current_database() AND wait_event_type = 'Lock'";
                eventually("the answer waits", async || fixture.number(waiting) > 0).await;
                ending.commit();
            };
            let (response, ()) = tokio::join!(answers, ends);
            response.problem(401, "unauthenticated");
            assert_eq!(fixture.number(OPEN), 1);
            let again =
                "UPDATE user_sessions SET is_active = true, ended_at = NULL, ended_reason = NULL";
            app.database.execute(&format!("{again} WHERE id = {id}"));
        }
        fixture.stop().await;
    });
}
