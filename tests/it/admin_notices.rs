//! What people are told of what administrators did to their accounts: no question of who it was.

use crate::support::html;
use crate::support::people_pages::{Fixture, set_up};
use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;

on_both!(
    app: each_act_is_told_with_its_reason_and_asks_nothing,
    a_device_that_is_not_confirmed_is_told_as_well,
    what_they_do_to_themselves_is_no_news,
    programs_list_no_notice_among_the_alerts,
);
on_both!(
    database: the_new_mailbox_is_told_by_whom_the_e_mail_was_changed,
);

const HEADING: &str = "Changes by an administrator";

/// Asserts that the page tells of it, and asks nobody whether it was them.
#[track_caller]
fn expect_told(page: TestResponse, what: &str, reason: &str) -> TestResponse {
    for question in ["Was this you?", "Yes, it was me", "it wasn’t me"] {
        assert!(!page.text.contains(question), "{}", page.text);
    }
    page.expect_words(HEADING)
        .expect_words(what)
        .expect_words(&format!("“{reason}”"))
        .expect_words("If you don’t know why, ask the people who run this service.")
}

async fn each_act_is_told_with_its_reason_and_asks_nothing(app: &TestApp) {
    let Fixture { browser, ada, bob } = set_up(app).await;
    let fixture = Fixture {
        browser,
        ada,
        bob: bob.clone(),
    };
    let path = fixture.path(&bob).await;
    let theirs = app.signed_in_browser(&bob, IPHONE).await;
    let page = theirs.get("/devices").await.expect(200);
    page.expect_words("You are signed in only here.");
    let acts = [
        (
            "role",
            &[("role", "auditor"), ("reason", "Yearly audit")][..],
            "An administrator changed your role in the administration.",
            "Yearly audit",
        ),
        (
            "email",
            &[("email", "b@example.org"), ("reason", "They asked")][..],
            "An administrator changed your e-mail from bob@example.org; sign in with the new one.",
            "They asked",
        ),
    ];
    for (act, fields, what, reason) in acts {
        let form = match act {
            "email" => {
                let edit = format!("{path}/edit");
                fixture.browser.form(&edit, &format!("{path}/email")).await
            }
            act => {
                let page = format!("{path}/{act}");
                fixture.browser.form(&page, &page).await
            }
        };
        fixture.browser.send(&form, fields).await.expect(303);
        let page = theirs.get("/devices").await.expect(200);
        let page = expect_told(page, what, reason).expect_words("1 thing needs your attention.");
        dismiss(&theirs, &page).await;
    }
    let bob = Person {
        email: "b@example.org".into(),
        ..bob
    };
    for act in ["disable", "enable"] {
        let fields = [("reason", "Lost laptop")];
        fixture.act(&path, act, &fields).await.expect(303);
    }
    let again = app.signed_in_browser(&bob, IPHONE).await;
    let page = again.get("/devices").await.expect(200);
    let disabled = "An administrator disabled your account, and signed out every device.";
    expect_told(page, disabled, "Lost laptop")
        .expect_words("An administrator enabled your account again.")
        .expect_words("2 things need your attention.");
}

async fn dismiss(browser: &Browser, page: &TestResponse) {
    let forms = html::forms(&page.text);
    let read = forms.iter().find(|form| form.action.ends_with("/read"));
    let read = read.expect("a button");
    let done = browser.send(read, &[]).await;
    let page = browser.follow(&done).await.expect(200);
    assert!(!page.text.contains(HEADING), "{}", page.text);
    // Twice is no error.
    browser.send(read, &[]).await.expect(303);
}

async fn a_device_that_is_not_confirmed_is_told_as_well(app: &TestApp) {
    let fixture = set_up(app).await;
    let path = fixture.path(&fixture.bob).await;
    app.login_from(&fixture.bob, FIREFOX, "203.0.113.7", Some("laptop-1"))
        .await;
    app.advance(Duration::from_secs(60));
    let stranger = app.signed_in_browser(&fixture.bob, IPHONE).await;
    let fields = [("role", "auditor"), ("reason", "Yearly audit")];
    fixture.act(&path, "role", &fields).await.expect(303);
    let alerts = "SELECT count(*) AS value FROM alerts WHERE kind = 'new_device'";
    assert_eq!(app.database.number(alerts), 1, "it is in doubt");
    let page = stranger.get("/devices").await.expect(200);
    let what = "An administrator changed your role in the administration.";
    let page = expect_told(page, what, "Yearly audit");
    // It may be an intruder, who would put it away.
    assert!(!page.text.contains("/read\""), "{}", page.text);
    let notice = "SELECT count(*) AS value FROM alerts WHERE answered_at IS NOT NULL";
    let text = match app.database.postgres_name() {
        Some(_) => "id::text",
        None => "lower(hex(id))",
    };
    let id = app.database.texts(&format!(
        "SELECT {text} AS value FROM alerts WHERE kind = 'administered'"
    ));
    let id = id[0].clone().expect("an id");
    let form = stranger.form("/account", "/account/name").await;
    for act in ["read", "yes", "no"] {
        let form = form.aimed_at(&format!("/alerts/{id}/{act}"));
        let answer = stranger.send(&form, &[]).await;
        let page = stranger.follow(&answer).await.expect(200);
        page.expect_words("There is nothing to answer there.");
    }
    assert_eq!(app.database.number(notice), 0);
}

async fn what_they_do_to_themselves_is_no_news(app: &TestApp) {
    let fixture = set_up(app).await;
    app.set_role(&fixture.bob, "admin");
    let own = fixture.path(&fixture.ada).await;
    let fields = [("role", "auditor"), ("reason", "Bob takes over")];
    fixture.act(&own, "role", &fields).await.expect(303);
    let page = fixture.browser.get("/devices").await.expect(200);
    assert!(!page.text.contains(HEADING), "{}", page.text);
}

async fn programs_list_no_notice_among_the_alerts(app: &TestApp) {
    let fixture = set_up(app).await;
    let path = fixture.path(&fixture.bob).await;
    let phone = app.login(&fixture.bob, IPHONE).await;
    let fields = [("role", "auditor"), ("reason", "Yearly audit")];
    fixture.act(&path, "role", &fields).await.expect(303);
    let alerts = phone.get("/api/v1/alerts").await.expect(200).json();
    assert_eq!(alerts["alerts"].as_array().expect("a list").len(), 0);
}

async fn the_new_mailbox_is_told_by_whom_the_e_mail_was_changed(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |_| {}).await;
    let fixture = set_up(&app).await;
    let path = fixture.path(&fixture.bob).await;
    let edit = format!("{path}/edit");
    let form = fixture.browser.form(&edit, &format!("{path}/email")).await;
    let fields = [("email", "b@example.org"), ("reason", "They asked")];
    fixture.browser.send(&form, &fields).await.expect(303);
    app.deliver_mail().await;
    let sent = server.messages();
    let message = sent
        .iter()
        .find(|message| message.to == ["b@example.org"])
        .expect("a message");
    assert_eq!(
        message.header("Subject"),
        "An administrator changed your e-mail"
    );
    let text = message.plain();
    assert!(text.contains("They asked"), "{text}");
    assert!(text.contains("ask the people who run"), "{text}");
    for untrue in ["not-me", "wasn’t me", "If it was you"] {
        assert!(!text.contains(untrue), "{text}");
    }
    app.stop().await;
}
