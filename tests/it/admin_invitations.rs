//! Invitations: an account without a password, and a link that sets the first one, once.

use serde_json::Value;

use crate::support::admin::{Admin, account_events};
use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;

on_both!(
    database: an_invitation_by_mail_sets_the_first_password_and_verifies_the_e_mail,
    an_invitation_expires_and_is_sent_again,
    a_link_for_a_forgotten_password_keeps_what_the_administrator_set,
    an_address_is_sent_only_so_many_invitations,
);
on_both!(
    app: without_mail_the_link_is_handed_over_once,
    an_invitation_again_voids_the_former_link,
    two_uses_of_an_invitation_at_once_set_one_password,
    one_who_has_a_password_needs_no_invitation,
    a_disabled_person_cannot_use_their_invitation,
    nobody_signs_in_to_an_invited_account_without_its_password,
);

const BOB: &str = "bob@example.org";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Fixture {
    app: TestApp,
    server: SmtpServer,
    admin: Admin,
}

async fn set_up(database: Database) -> Fixture {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |_| {}).await;
    let admin = Admin::start(&app, "admin@example.org").await;
    app.deliver_mail().await;
    Fixture { app, server, admin }
}

impl Fixture {
    async fn link(&self) -> String {
        assert_eq!(self.app.deliver_mail().await, 1);
        let message = self.server.messages().pop().expect("a message");
        assert_eq!(message.to, [BOB]);
        assert_eq!(message.header("Subject"), "You are invited to Rollcall");
        message.link("/reset-password/")
    }

    async fn stop(self) {
        self.server.stop();
        self.app.stop().await;
    }
}

async fn invite(admin: &Admin) -> Value {
    let body = json!({"email": BOB, "full_name": "Bob", "role": "auditor", "invite": true});
    admin.send("POST", "", &body).await.expect(201).json()
}

/// Returns the path of a link in an answer.
fn path(answer: &Value) -> String {
    let link = answer["invitation"]["link"].as_str().expect("a link");
    let (_, path) = link.split_at(link.find("/reset-password/").expect("a path"));
    path.to_owned()
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().expect("an id").to_owned()
}

fn bob() -> Person {
    Person {
        email: BOB.into(),
        password: PASSWORD.into(),
    }
}

async fn accept(app: &TestApp, link: &str) -> TestResponse {
    let reader = app.browser(IPHONE);
    reader
        .submit(link, link, &[("new_password", PASSWORD)])
        .await
}

async fn an_invitation_by_mail_sets_the_first_password_and_verifies_the_e_mail(database: Database) {
    let fixture = set_up(database).await;
    let (app, admin) = (&fixture.app, &fixture.admin);
    let invited = invite(admin).await;
    assert_eq!(invited["invitation"]["is_sent"], true);
    assert!(invited["invitation"].get("link").is_none(), "{invited:#}");
    assert_eq!(
        (&invited["is_invited"], &invited["email_verified"]),
        (&json!(true), &json!(false))
    );
    let link = fixture.link().await;
    let reader = app.browser(IPHONE);
    let page = reader.get(&link).await.expect(200);
    let page = page.expect_words("You are invited");
    assert!(!page.words().contains("signed out"), "{}", page.words());
    let short = reader
        .submit(&link, &link, &[("new_password", "short")])
        .await;
    short.expect(400).expect_words("at least 8 characters");
    let done = reader
        .submit(&link, &link, &[("new_password", PASSWORD)])
        .await;
    let page = reader.follow(&done).await.expect(200);
    page.expect_words("Your password is set. Sign in with it.");
    reader.get(&link).await.expect(410);

    app.login(&bob(), FIREFOX).await;
    let shown = admin.person(&id(&invited)).await;
    assert_eq!(shown["full_name"], "Bob");
    assert_eq!(shown["role"], "auditor");
    assert_eq!(
        (&shown["is_invited"], &shown["email_verified"]),
        (&json!(false), &json!(true))
    );
    let mut events = account_events(app, &id(&invited));
    events.sort();
    assert_eq!(
        events,
        ["email_verified::", "invited:auditor:", "password_changed::"]
    );
    // Their first password is no news to them.
    let sign_in_only = app.deliver_mail().await;
    let messages = fixture.server.messages();
    let subjects: Vec<_> = messages
        .iter()
        .map(|message| message.header("Subject"))
        .collect();
    assert!(sign_in_only <= 1, "{subjects:?}");
    assert!(
        !subjects
            .iter()
            .any(|subject| subject.contains("password was changed")),
        "{subjects:?}"
    );
    fixture.stop().await;
}

async fn an_invitation_expires_and_is_sent_again(database: Database) {
    let fixture = set_up(database).await;
    let invited = invite(&fixture.admin).await;
    let first = fixture.link().await;
    fixture.app.advance(6 * DAY);
    fixture.app.browser(IPHONE).get(&first).await.expect(200);
    fixture.app.advance(2 * DAY);
    fixture.app.browser(IPHONE).get(&first).await.expect(410);
    let mut admin = fixture.admin;
    admin.sign_in_again(&fixture.app).await;
    fixture.app.deliver_mail().await;
    let again = admin
        .send("POST", &format!("/{}/invite", id(&invited)), &json!({}))
        .await;
    assert_eq!(again.expect(201).json()["invitation"]["is_sent"], true);
    let fixture = Fixture { admin, ..fixture };
    let second = fixture.link().await;
    accept(&fixture.app, &second).await.expect(303);
    fixture.app.login(&bob(), FIREFOX).await;
    fixture.stop().await;
}

async fn a_link_for_a_forgotten_password_keeps_what_the_administrator_set(database: Database) {
    let fixture = set_up(database).await;
    let (app, admin) = (&fixture.app, &fixture.admin);
    let invited = invite(admin).await;
    fixture.link().await;
    // While the invitation is valid, no other link is sent.
    let ask = async || {
        let reader = app.browser(IPHONE);
        let fields = [("email", BOB)];
        reader
            .submit("/forgot-password", "/forgot-password", &fields)
            .await
            .expect(200);
        app.deliver_mail().await
    };
    assert_eq!(ask().await, 0);
    app.advance(8 * DAY);
    assert_eq!(ask().await, 1);
    let message = fixture.server.messages().pop().expect("a message");
    assert_eq!(message.header("Subject"), "Set a new password");
    accept(app, &message.link("/reset-password/"))
        .await
        .expect(303);
    let device = app.login(&bob(), FIREFOX).await;
    let me = device.get("/api/v1/me").await.expect(200).json();
    assert_eq!(me["full_name"], "Bob");
    assert_eq!(me["email_verified"], true);
    assert_eq!(device.session["user_id"], invited["id"]);
    fixture.stop().await;
}

async fn an_address_is_sent_only_so_many_invitations(database: Database) {
    let fixture = set_up(database).await;
    let invited = invite(&fixture.admin).await;
    let path = format!("/{}/invite", id(&invited));
    for _ in 0..9 {
        fixture
            .admin
            .send("POST", &path, &json!({}))
            .await
            .expect(201);
    }
    let refused = fixture.admin.send("POST", &path, &json!({})).await;
    refused.problem(503, "busy");
    // The last one that was sent is still good.
    fixture.app.deliver_mail().await;
    let message = fixture.server.messages().pop().expect("a message");
    accept(&fixture.app, &message.link("/reset-password/"))
        .await
        .expect(303);
    fixture.stop().await;
}

async fn without_mail_the_link_is_handed_over_once(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let invited = invite(&admin).await;
    assert_eq!(invited["invitation"]["is_sent"], false);
    assert_eq!(invited["email_verified"], true);
    let shown = admin.get(&format!("/{}", id(&invited))).await.expect(200);
    assert!(!shown.text.contains("reset-password"), "{}", shown.text);
    let link = path(&invited);
    app.advance(Duration::from_secs(60 * 60));
    app.browser(IPHONE).get(&link).await.expect(200);
    accept(app, &link).await.expect(303);
    app.browser(IPHONE).get(&link).await.expect(410);
    app.login(&bob(), FIREFOX).await;
}

async fn an_invitation_again_voids_the_former_link(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let invited = invite(&admin).await;
    let again = admin
        .send("POST", &format!("/{}/invite", id(&invited)), &json!({}))
        .await;
    let again = again.expect(201).json();
    app.browser(IPHONE).get(&path(&invited)).await.expect(410);
    accept(app, &path(&again)).await.expect(303);
    let body = json!({"email": BOB, "invite": true});
    admin
        .send("POST", "", &body)
        .await
        .problem(409, "email_taken");
}

async fn two_uses_of_an_invitation_at_once_set_one_password(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let invited = invite(&admin).await;
    let link = path(&invited);
    let (one, two) = (app.browser(IPHONE), app.browser(FIREFOX));
    let (form_one, form_two) = (one.form(&link, &link).await, two.form(&link, &link).await);
    let other = [("new_password", "another battery staple")];
    let (first, second) = tokio::join!(
        one.send(&form_one, &[("new_password", PASSWORD)]),
        two.send(&form_two, &other)
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
    let set = account_events(app, &id(&invited));
    let set = set
        .iter()
        .filter(|event| event.starts_with("password_changed"));
    assert_eq!(set.count(), 1);
}

async fn one_who_has_a_password_needs_no_invitation(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let invited = invite(&admin).await;
    accept(app, &path(&invited)).await.expect(303);
    for id in [id(&invited), admin.id.clone()] {
        let again = admin
            .send("POST", &format!("/{id}/invite"), &json!({}))
            .await;
        again.problem(400, "invalid_request");
    }
}

async fn a_disabled_person_cannot_use_their_invitation(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let invited = invite(&admin).await;
    let (link, id) = (path(&invited), id(&invited));
    let body = json!({"reason": "A mistake"});
    admin
        .send("POST", &format!("/{id}/disable"), &body)
        .await
        .expect(200);
    app.browser(IPHONE).get(&link).await.expect(410);
    let again = admin
        .send("POST", &format!("/{id}/invite"), &json!({}))
        .await;
    again.problem(400, "invalid_request");
    admin
        .send("POST", &format!("/{id}/enable"), &json!({}))
        .await
        .expect(200);
    app.browser(IPHONE).get(&link).await.expect(410);
    let again = admin
        .send("POST", &format!("/{id}/invite"), &json!({}))
        .await;
    accept(app, &path(&again.expect(201).json()))
        .await
        .expect(303);
}

async fn nobody_signs_in_to_an_invited_account_without_its_password(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    invite(&admin).await;
    for password in ["", "!", PASSWORD] {
        let person = Person {
            email: BOB.into(),
            password: password.into(),
        };
        let refused = app.try_login(&person, FIREFOX).await;
        refused.problem(401, "invalid_credentials");
    }
}
