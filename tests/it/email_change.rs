//! A change of e-mail takes effect when the new address is verified. Until then the former one is
//! the account's, and for a while afterwards nobody else can have it.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use crate::support::browser::APPLICATION;
use crate::support::eventually;
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::smtp::{Message, SmtpServer};

on_both!(
    database: a_change_waits_for_the_new_mailbox,
    a_change_can_be_cancelled,
    the_new_mailbox_declines_a_change,
    a_pending_change_dies_with_a_new_password,
    a_pending_change_dies_with_a_sign_out_everywhere,
    a_pending_change_dies_with_a_reported_alert,
    a_pending_change_dies_after_a_day,
    a_second_change_replaces_the_first,
    an_address_that_was_taken_meanwhile_is_not_shared,
    changing_needs_a_step_up_and_a_free_address,
    a_former_address_is_reserved_for_its_window,
    an_owner_may_go_back_to_their_former_address,
    going_back_leaves_no_window_to_any_address_between,
    an_account_is_not_deleted_while_it_can_be_taken_back,
    a_pending_change_dies_when_everybodys_sessions_end,
    an_administrator_changes_an_address_without_a_window,
    a_verified_address_is_told_that_an_administrator_replaced_it,
    an_address_nobody_verified_is_not_told,
    two_verifications_at_once_change_once,
    the_last_administrator_cannot_delete_themself,
    two_last_administrators_cannot_both_delete_themselves,
);

const A: &str = "ada@example.org";
const B: &str = "b@example.org";
const C: &str = "c@example.org";
/// In the network of the laptop, where nobody is held up.
const NEAR: &str = "203.0.113.66";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Fixture {
    app: TestApp,
    server: SmtpServer,
    ada: Person,
    /// Ada's id.
    id: String,
    laptop: Browser,
}

async fn set_up(database: Database) -> Fixture {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |settings| {
        settings.forward_auth.allowed_hosts = vec![APPLICATION.into()];
    })
    .await;
    let ada = app.register(A).await;
    let laptop = app.browser_from(FIREFOX, "203.0.113.7");
    laptop.sign_in(&ada).await.expect(303);
    let me = laptop.get("/api/v1/me").await.expect(200).json();
    Fixture {
        app,
        server,
        ada,
        id: me["id"].as_str().expect("an id").to_owned(),
        laptop,
    }
}

impl Fixture {
    async fn request(&self, email: &str) -> TestResponse {
        let fields = [("email", email)];
        self.laptop
            .submit("/account", "/account/email", &fields)
            .await
    }

    /// Requests a change, and returns the link that the new address got.
    async fn link_to(&self, email: &str) -> String {
        let requested = self.request(email).await;
        let page = self.laptop.follow(&requested).await.expect(200);
        page.expect_words("A link is on its way.");
        self.newest_to(email).await.link("/verify-email/")
    }

    async fn newest_to(&self, email: &str) -> Message {
        self.app.deliver_mail().await;
        let messages = self.server.messages().into_iter();
        let mut to = messages.filter(|message| message.to == [email]);
        to.next_back()
            .unwrap_or_else(|| panic!("no message to {email}"))
    }

    async fn verify(&self, link: &str) -> TestResponse {
        self.laptop.submit(link, link, &[("answer", "mine")]).await
    }

    async fn change_to(&self, email: &str) {
        let link = self.link_to(email).await;
        let done = self.verify(&link).await;
        let page = self.laptop.follow(&done).await.expect(200);
        page.expect_words("Your e-mail is changed.");
    }

    fn email(&self) -> String {
        let id = self.app.database.id(&self.id);
        let query = format!("SELECT email AS value FROM users WHERE id = {id}");
        self.app
            .database
            .texts(&query)
            .remove(0)
            .expect("an e-mail")
    }

    async fn can_sign_in(&self, email: &str) -> bool {
        let person = Person {
            email: email.into(),
            password: PASSWORD.into(),
        };
        self.app.try_login(&person, FIREFOX).await.status == 200
    }

    async fn stop(self) {
        self.server.stop();
        self.app.stop().await;
    }
}

async fn a_change_waits_for_the_new_mailbox(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link_to(B).await;
    let account = fixture.laptop.get("/account").await.expect(200);
    account.expect_words("We sent a link to b@example.org. Open it by tomorrow");
    // A mail scanner opens the link; that changes nothing.
    let scanner = fixture.app.browser(IPHONE);
    scanner.get(&link).await.expect(200).expect_words(B);
    assert_eq!(fixture.email(), A);
    assert!(fixture.can_sign_in(A).await);
    assert!(!fixture.can_sign_in(B).await);
    fixture.verify(&link).await.expect(303);
    assert_eq!(fixture.email(), B);
    assert!(!fixture.can_sign_in(A).await);
    assert!(fixture.can_sign_in(B).await);
    let asserted = fixture.laptop.verify().await.expect(200);
    assert_eq!(asserted.header("remote-email"), B);
    // The former address is notified.
    fixture.app.deliver_mail().await;
    let is_notice = |message: &Message| {
        message.to == [A] && message.header("Subject") == "Your e-mail was changed"
    };
    assert!(fixture.server.messages().iter().any(is_notice));
    let events = "SELECT count(*) AS value FROM session_events WHERE kind = 'email_changed'";
    assert_eq!(fixture.app.database.number(events), 1);
    fixture.stop().await;
}

async fn a_change_can_be_cancelled(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link_to(B).await;
    let done = fixture
        .laptop
        .submit("/account", "/account/email/cancel", &[])
        .await;
    fixture
        .laptop
        .follow(&done)
        .await
        .expect_words("The change is cancelled.");
    fixture.laptop.get(&link).await.expect(410);
    assert_eq!(fixture.email(), A);
    fixture.stop().await;
}

async fn the_new_mailbox_declines_a_change(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link_to(B).await;
    let stranger = fixture.app.browser(IPHONE);
    stranger
        .submit(&link, &link, &[("answer", "mine")])
        .await
        .expect(400);
    stranger
        .submit(&link, &link, &[("answer", "not-mine")])
        .await
        .expect(200)
        .expect_words("The change is cancelled.");
    stranger
        .get(&link)
        .await
        .expect(410)
        .expect_words("The answer “This isn’t mine” was given with this link on")
        .expect_words("the change of the e-mail was cancelled.");
    let notified = fixture.laptop.get("/account").await.expect(200);
    notified.expect_words(
        "Change of e-mail cancelled: whoever reads that mailbox said that it isn’t theirs",
    );
    fixture.laptop.get("/devices").await.expect(200);
    assert_eq!(fixture.email(), A);
    fixture.stop().await;
}

async fn a_pending_change_dies_with_a_new_password(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link_to(B).await;
    let new = "another battery staple";
    let fields = [("current_password", PASSWORD), ("new_password", new)];
    let laptop = &fixture.laptop;
    let form = laptop.form("/account", "/account/password").await;
    let replaced = laptop.cookie("rollcall_session").expect("a session");
    laptop.send(&form, &fields).await.expect(303);
    // Sent twice, before the response replaced the cookie: it says what was done.
    let current = laptop.cookie("rollcall_session").expect("a session");
    laptop.set_cookie("rollcall_session", &replaced);
    let again = laptop.send(&form, &fields).await.expect(303);
    laptop.set_cookie("rollcall_session", &current);
    let page = laptop.follow(&again).await.expect(200);
    page.expect_words("Your password was changed a moment ago. Sending the form again changed");
    laptop.get(&link).await.expect(410);
    // The command line's, too.
    let link = fixture.link_to(C).await;
    let set = ["user", "set-password", "--email", A, "--password-stdin"];
    Program::with(&fixture.app.database)
        .run_with_input(&set, PASSWORD)
        .expect_done();
    let reader = fixture.app.browser(IPHONE);
    reader.get(&link).await.expect(410);
    assert_eq!(fixture.email(), A);
    fixture.stop().await;
}

async fn a_pending_change_dies_with_a_sign_out_everywhere(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link_to(B).await;
    fixture
        .laptop
        .submit(
            "/devices/sign-out-everywhere",
            "/devices/sign-out-everywhere",
            &[],
        )
        .await
        .expect(303);
    fixture.laptop.get(&link).await.expect(410);
    // The API's, too.
    fixture.laptop.sign_in(&fixture.ada).await.expect(303);
    let link = fixture.link_to(C).await;
    let phone = fixture.app.login(&fixture.ada, IPHONE).await;
    TestResponse::to(phone.request("POST", "/api/v1/auth/logout-all"))
        .await
        .expect(200);
    fixture.laptop.get(&link).await.expect(410);
    fixture.stop().await;
}

/// A thief with the password requests a change from the network of the owner; who reports their sign-in.
async fn a_pending_change_dies_with_a_reported_alert(database: Database) {
    let fixture = set_up(database).await;
    let thief = fixture.app.browser_from(IPHONE, NEAR);
    fixture.app.advance(Duration::from_secs(60));
    thief.sign_in(&fixture.ada).await.expect(303);
    let fields = [("email", B)];
    thief
        .submit("/account", "/account/email", &fields)
        .await
        .expect(303);
    let link = fixture.newest_to(B).await.link("/verify-email/");
    let page = fixture.laptop.get("/devices").await.expect(200);
    let report = crate::support::html::forms(&page.text)
        .into_iter()
        .find(|form| form.action.ends_with("/no"))
        .expect("the alert");
    fixture.laptop.send(&report, &[]).await.expect(303);
    let reader = fixture.app.browser(IPHONE);
    reader.get(&link).await.expect(410);
    assert_eq!(fixture.email(), A);
    fixture.stop().await;
}

async fn a_pending_change_dies_after_a_day(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link_to(B).await;
    fixture.app.advance(DAY - Duration::from_secs(1));
    fixture.laptop.get(&link).await.expect(200);
    fixture.app.advance(Duration::from_secs(1));
    fixture.laptop.get(&link).await.expect(410);
    fixture.laptop.sign_in(&fixture.ada).await;
    let account = fixture.laptop.get("/account").await.expect(200).words();
    assert!(!account.contains(B), "{account}");
    fixture.stop().await;
}

async fn a_second_change_replaces_the_first(database: Database) {
    let fixture = set_up(database).await;
    let first = fixture.link_to(B).await;
    let second = fixture.link_to(C).await;
    fixture.laptop.get(&first).await.expect(410);
    fixture.verify(&second).await.expect(303);
    assert_eq!(fixture.email(), C);
    fixture.stop().await;
}

async fn an_address_that_was_taken_meanwhile_is_not_shared(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link_to(B).await;
    fixture.app.register_unverified(B).await;
    fixture
        .verify(&link)
        .await
        .expect(409)
        .expect_words("There is already an account with that e-mail");
    assert_eq!(fixture.email(), A);
    fixture.laptop.get(&link).await.expect(410);
    fixture.stop().await;
}

async fn changing_needs_a_step_up_and_a_free_address(database: Database) {
    let fixture = set_up(database).await;
    fixture.app.register("bob@example.org").await;
    for (email, status) in [("nobody", 400), ("Bob@example.org", 409)] {
        fixture.request(email).await.expect(status);
    }
    let unchanged = fixture.request("Ada@example.org").await;
    let page = fixture.laptop.follow(&unchanged).await.expect(200);
    page.expect_words("That is your e-mail already.");
    fixture.app.advance(Duration::from_secs(601));
    fixture
        .request(B)
        .await
        .expect(403)
        .expect_words("Enter your password")
        .expect_words(&format!("Send a link to {B}?"));
    // What is no address is said before the password is requested for it.
    fixture
        .request("nobody")
        .await
        .expect(400)
        .expect_words("this must be an e-mail address");
    assert_eq!(fixture.app.deliver_mail().await, 0);
    fixture.stop().await;
}

/// The attack: change A to B, and register a second account with the freed A, so that the owner's
/// "This wasn't me" has nothing to restore.
async fn a_former_address_is_reserved_for_its_window(database: Database) {
    let fixture = set_up(database).await;
    fixture.change_to(B).await;
    let register = async |email: &str| {
        let body = json!({"email": email, "password": PASSWORD});
        let anyone = fixture.app.anyone();
        anyone.post("/api/v1/auth/register", &body).await
    };
    register("Ada@example.org")
        .await
        .problem(409, "email_taken");
    let bob = fixture.app.register("bob@example.org").await;
    let thief = fixture.app.browser_from(IPHONE, "198.51.100.7");
    thief.sign_in(&bob).await.expect(303);
    thief
        .submit("/account", "/account/email", &[("email", A)])
        .await
        .expect(409);
    fixture.app.advance(7 * DAY);
    register(A).await.expect(201);
    fixture.stop().await;
}

/// What came between has no window: the links that it was sent are void, and the owner gets their
/// letters and new passwords at their own address.
async fn an_owner_may_go_back_to_their_former_address(database: Database) {
    let fixture = set_up(database).await;
    fixture.change_to(B).await;
    let to_b = fixture.newest_to(B).await.link("/not-me/");
    fixture.app.advance(Duration::from_secs(60));
    fixture.change_to(A).await;
    assert_eq!(fixture.email(), A);
    let reader = fixture.app.browser(IPHONE);
    reader.get(&to_b).await.expect(410);
    let ask = [("email", A)];
    reader
        .submit("/forgot-password", "/forgot-password", &ask)
        .await
        .expect(200);
    let reset = fixture.newest_to(A).await.link("/reset-password/");
    reader.get(&reset).await.expect(200);
    fixture.app.advance(7 * DAY);
    reader.get(&to_b).await.expect(410);
    fixture.app.register_unverified(B).await;
    fixture.stop().await;
}

async fn going_back_leaves_no_window_to_any_address_between(database: Database) {
    let fixture = set_up(database).await;
    fixture.change_to(B).await;
    let to_b = fixture.newest_to(B).await.link("/not-me/");
    fixture.app.advance(Duration::from_secs(60));
    fixture.change_to(C).await;
    let to_c = fixture.newest_to(C).await.link("/not-me/");
    let reader = fixture.app.browser(IPHONE);
    reader.get(&to_b).await.expect(200);
    fixture.app.advance(Duration::from_secs(60));
    fixture.change_to(A).await;
    for link in [&to_b, &to_c] {
        reader.get(link).await.expect(410);
    }
    // Nor is one left to the own address: the account may be deleted.
    fixture
        .laptop
        .submit(
            "/account/delete",
            "/account/delete",
            &[("typed", &fixture.email())],
        )
        .await
        .expect(303);
    fixture.stop().await;
}

/// A thief who changed the e-mail must not delete the account before its owner takes it back.
async fn an_account_is_not_deleted_while_it_can_be_taken_back(database: Database) {
    let fixture = set_up(database).await;
    fixture.change_to(B).await;
    let delete = async || {
        let laptop = &fixture.laptop;
        laptop
            .submit(
                "/account/delete",
                "/account/delete",
                &[("typed", &fixture.email())],
            )
            .await
    };
    delete()
        .await
        .expect(409)
        .expect_words("Your account can’t be deleted before 24 May 2031")
        .expect_words("until then, your former e-mail can take it back.");
    fixture.app.advance(7 * DAY);
    let person = Person {
        email: B.into(),
        password: PASSWORD.into(),
    };
    fixture.laptop.sign_in(&person).await.expect(303);
    delete().await.expect(303);
    fixture.stop().await;
}

async fn a_pending_change_dies_when_everybodys_sessions_end(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link_to(B).await;
    Program::with(&fixture.app.database)
        .run(&["session", "end", "--all", "--yes"])
        .expect_done();
    fixture.app.browser(IPHONE).get(&link).await.expect(410);
    fixture.stop().await;
}

async fn an_administrator_changes_an_address_without_a_window(database: Database) {
    let fixture = set_up(database).await;
    fixture.change_to(B).await;
    let pending = fixture.link_to("d@example.org").await;
    let program = Program::with(&fixture.app.database);
    let set = |email, to| program.run(&["user", "set-email", "--email", email, "--to", to]);
    set(B, C).expect_done();
    assert_eq!(fixture.email(), C);
    fixture.laptop.get(&pending).await.expect(410);
    // Neither A nor B is reserved any more.
    fixture.app.register(A).await;
    fixture.app.register(B).await;
    set(C, A).expect_failed(1);
    set("nobody@example.org", "e@example.org").expect_failed(1);
    set(C, "nonsense").expect_failed(1);
    assert_eq!(fixture.email(), C);
    fixture.stop().await;
}

async fn a_verified_address_is_told_that_an_administrator_replaced_it(database: Database) {
    let fixture = set_up(database).await;
    fixture.app.deliver_mail().await;
    let before = fixture.server.messages().len();
    let root = fixture.app.register("root@example.org").await;
    fixture.app.set_role(&root, "admin");
    let root = fixture.app.login(&root, FIREFOX).await;
    let path = format!("/api/v1/admin/users/{}", fixture.id);
    let body = json!({"email": B, "reason": "Married"});
    TestResponse::to(root.request("PATCH", &path).json(&body))
        .await
        .expect(200);
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages().split_off(before);
    let to_former: Vec<&Message> = messages
        .iter()
        .filter(|message| message.header("to").contains(A))
        .collect();
    assert_eq!(to_former.len(), 1, "{messages:?}");
    let text = to_former[0].plain();
    assert!(
        text.contains("An administrator changed the e-mail"),
        "{text}"
    );
    assert!(!text.contains(B), "{text}");
    // An address that becomes the account's again before the message goes out is notified nothing.
    for email in [C, B] {
        let body = json!({"email": email, "reason": "x"});
        TestResponse::to(root.request("PATCH", &path).json(&body))
            .await
            .expect(200);
    }
    let before = fixture.server.messages().len();
    fixture.app.deliver_mail().await;
    for message in fixture.server.messages().split_off(before) {
        let is_about_b = message.header("to").contains(B);
        assert!(!(is_about_b && message.plain().contains("no longer this address")));
    }
    fixture.stop().await;
}

async fn an_address_nobody_verified_is_not_told(database: Database) {
    let fixture = set_up(database).await;
    fixture
        .app
        .database
        .execute("UPDATE users SET email_verified_at = NULL");
    let root = fixture.app.register("root@example.org").await;
    fixture.app.set_role(&root, "admin");
    let root = fixture.app.login(&root, FIREFOX).await;
    fixture.app.deliver_mail().await;
    let path = format!("/api/v1/admin/users/{}", fixture.id);
    let body = json!({"email": B, "reason": "x"});
    TestResponse::to(root.request("PATCH", &path).json(&body))
        .await
        .expect(200);
    let queued = "SELECT count(*) AS value FROM mail_queue WHERE kind = 'email_replaced'";
    assert_eq!(fixture.app.database.number(queued), 0);
    fixture.stop().await;
}

async fn two_verifications_at_once_change_once(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link_to(B).await;
    let form = fixture.laptop.form(&link, &link).await;
    let fields = [("answer", "mine")];
    let (one, two) = tokio::join!(
        fixture.laptop.send(&form, &fields),
        fixture.laptop.send(&form, &fields)
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
    let former = "SELECT count(*) AS value FROM former_emails";
    assert_eq!(fixture.app.database.number(former), 1);
    assert_eq!(fixture.email(), B);
    fixture.stop().await;
}

async fn the_last_administrator_cannot_delete_themself(database: Database) {
    let fixture = set_up(database).await;
    fixture
        .app
        .database
        .execute("UPDATE users SET is_admin = true");
    let delete = async || {
        let laptop = &fixture.laptop;
        // The page has no form for it where it can't be done.
        let mut form = laptop.form("/account", "/account/name").await;
        form.action = "/account/delete".into();
        laptop.send(&form, &[("typed", &fixture.email())]).await
    };
    fixture
        .laptop
        .get("/account/delete")
        .await
        .expect(200)
        .expect_words("There is no other administrator");
    delete()
        .await
        .expect(409)
        .expect_words("There is no other administrator");
    fixture.laptop.get("/devices").await.expect(200);
    // One who is disabled is no other.
    fixture.app.register("bob@example.org").await;
    fixture.app.database.execute(
        "UPDATE users SET is_admin = true, is_active = false WHERE email = 'bob@example.org'",
    );
    delete().await.expect(409);
    fixture
        .app
        .database
        .execute("UPDATE users SET is_active = true");
    delete().await.expect(303);
    fixture.stop().await;
}

async fn two_last_administrators_cannot_both_delete_themselves(database: Database) {
    let fixture = set_up(database).await;
    let bob = fixture.app.register("bob@example.org").await;
    fixture
        .app
        .database
        .execute("UPDATE users SET is_admin = true");
    let other = fixture.app.browser_from(IPHONE, "198.51.100.7");
    other.sign_in(&bob).await.expect(303);
    let one = fixture
        .laptop
        .form("/account/delete", "/account/delete")
        .await;
    let two = other.form("/account/delete", "/account/delete").await;
    let held = lock_people(&fixture.app.database);
    let (one, two, ()) = tokio::join!(
        fixture.laptop.send(&one, &[("typed", A)]),
        other.send(&two, &[("typed", "bob@example.org")]),
        release_once_two_wait(&fixture.app.database, held)
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
    fixture.stop().await;
}

/// On PostgreSQL, keeps everybody's row from being changed or deleted: both requests get as far as
/// they can before either goes on. SQLite has only one writer.
fn lock_people(database: &Database) -> Option<PgConnection> {
    database.postgres_name()?;
    let mut held = PgConnection::establish(&database.url()).expect("a connection");
    held.batch_execute("BEGIN; SELECT id FROM users FOR NO KEY UPDATE")
        .expect("the locks");
    Some(held)
}

async fn release_once_two_wait(database: &Database, held: Option<PgConnection>) {
    let Some(mut held) = held else { return };
    let waiting = "SELECT count(*) AS value FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("both wait", async || database.number(waiting) == 2).await;
    held.batch_execute("COMMIT").expect("the end");
}
