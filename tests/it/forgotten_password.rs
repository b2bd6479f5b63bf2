//! A forgotten password: a link by mail, or from an administrator, sets a new one, once. The
//! response to a request tells nobody whether an address has an account.

use actix_web::rt::spawn;
use rollcall::keys::{KeyKind, Start};

use crate::support::browser::APPLICATION;
use crate::support::mailed::Mailed as Fixture;
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::smtp::{Message, SmtpServer};

on_both!(
    database: a_link_sets_a_new_password_and_ends_every_session,
    a_get_changes_nothing_and_a_link_works_once,
    two_uses_at_once_set_one_password,
    a_link_expires_after_half_an_hour,
    a_link_that_the_mail_server_refused_holds_no_other_back,
    a_flood_of_requests_is_bounded_and_holds_no_other_back,
    a_request_that_cannot_be_answered_holds_no_other_back,
    every_address_gets_the_same_response_at_the_same_cost,
    another_link_is_sent_once_none_is_valid,
    another_link_is_sent_once_a_revoked_key_voided_the_first,
    a_flood_of_other_messages_does_not_hold_a_link_back,
    a_flood_of_other_messages_does_not_hold_a_take_back_back,
    strangers_hold_no_link_back_for_longer_than_an_hour,
    two_nodes_answer_a_request_once,
    a_known_device_asks_whatever_its_neighbours_and_strangers_do,
    another_password_set_by_mail_voids_a_link,
    a_change_in_a_session_does_not_void_a_link,
    a_disabled_account_and_a_changed_address_void_a_link,
    an_unverified_account_is_handed_over_to_its_mailbox,
    while_a_former_address_can_take_back_it_is_asked_instead,
    without_mail_an_administrator_hands_over_a_link,
    forged_links_and_those_for_something_else_are_not_found,
    the_well_known_path_leads_to_the_form,
);

const A: &str = "ada@example.org";
const NEW: &str = "another battery staple";
const MINUTE: Duration = Duration::from_secs(60);

/// Returns Ada's account; forward-auth serves an application.
async fn set_up(database: Database) -> Fixture {
    let fixture = Fixture::start(database, "203.0.113.7", |settings| {
        settings.forward_auth.allowed_hosts = vec![APPLICATION.into()];
    })
    .await;
    fixture.app.advance(MINUTE);
    fixture
}

impl Fixture {
    async fn ask(&self, email: &str) -> TestResponse {
        let fields = [("email", email)];
        self.reader()
            .submit("/forgot-password", "/forgot-password", &fields)
            .await
            .expect(200)
    }

    /// Asks for a link, and returns it.
    async fn link(&self) -> String {
        self.ask(A).await;
        assert_eq!(self.app.deliver_mail().await, 1);
        self.last().link("/reset-password/")
    }

    fn last(&self) -> Message {
        self.server.messages().pop().expect("a message")
    }

    async fn set(&self, link: &str, password: &str) -> TestResponse {
        let fields = [("new_password", password)];
        self.reader().submit(link, link, &fields).await
    }

    async fn can_sign_in(&self, password: &str) -> bool {
        let person = Person {
            password: password.into(),
            ..self.ada.clone()
        };
        self.app.try_login(&person, FIREFOX).await.status == 200
    }

    async fn change_password(&self, browser: &Browser, password: &str) {
        let fields = [("current_password", PASSWORD), ("new_password", password)];
        browser
            .submit("/account", "/account/password", &fields)
            .await
            .expect(303);
    }

    async fn change_email_to(&self, email: &str) {
        self.laptop
            .submit("/account", "/account/email", &[("email", email)])
            .await
            .expect(303);
        self.app.deliver_mail().await;
        let verify = self.last().link("/verify-email/");
        self.laptop
            .submit(&verify, &verify, &[("answer", "mine")])
            .await
            .expect(303);
        self.app.deliver_mail().await;
    }
}

async fn a_link_sets_a_new_password_and_ends_every_session(database: Database) {
    let fixture = set_up(database).await;
    let sign_in = fixture.reader().get("/sign-in").await;
    sign_in.expect_words("Forgotten your password?");
    let link = fixture.link().await;
    let message = fixture.last();
    assert_eq!(message.to, [A]);
    assert_eq!(message.header("Subject"), "Set a new password");
    assert!(message.html().contains(&link));
    let reader = fixture.reader();
    let done = reader.submit(&link, &link, &[("new_password", NEW)]).await;
    reader
        .follow(&done)
        .await
        .expect_words("Your new password is set, and every device is signed out.");
    assert!(fixture.laptop.get("/devices").await.is_to_sign_in());
    assert!(!fixture.can_sign_in(PASSWORD).await);
    assert!(fixture.can_sign_in(NEW).await);
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages();
    let is_alert = |message: &Message| message.header("Subject") == "Your password was changed";
    assert!(messages.iter().any(is_alert));
    fixture.stop().await;
}

async fn a_get_changes_nothing_and_a_link_works_once(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link().await;
    for _ in 0..3 {
        fixture.reader().get(&link).await.expect(200);
    }
    fixture.laptop.get("/devices").await.expect(200);
    let refused = fixture.set(&link, "short").await;
    assert!([400, 422].contains(&refused.status), "{refused:?}");
    let reader = fixture.reader();
    let form = reader.form(&link, &link).await;
    let fields = [("new_password", NEW)];
    reader.send(&form, &fields).await.expect(303);
    // Sent twice, and opened by somebody else: it claims of nobody that they did it.
    let again = reader.send(&form, &fields).await.expect(410);
    let opened = fixture.reader().get(&link).await.expect(410);
    for page in [again, opened] {
        let page = page
            .expect_words("A new password was set")
            .expect_words("It was set with this link on")
            .expect_words(
                "Sign in with it, unless it was changed or the account was deleted since.",
            )
            .expect_words("If it wasn’t you, choose “Forgotten your password?”");
        assert!(!page.text.contains(A), "{}", page.text);
    }
    fixture.app.advance(8 * 24 * 60 * MINUTE);
    fixture.app.sweep().await;
    let purged = fixture.reader().get(&link).await.expect(410);
    purged.expect_words("This link no longer works");
    assert!(fixture.can_sign_in(NEW).await);
    fixture.stop().await;
}

async fn two_uses_at_once_set_one_password(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link().await;
    let mut readers = Vec::new();
    for _ in 0..4 {
        let reader = fixture.reader();
        let form = reader.form(&link, &link).await;
        readers.push((reader, form));
    }
    let mut uses = Vec::new();
    for (n, (reader, form)) in readers.into_iter().enumerate() {
        let password = format!("{NEW} {n}");
        uses.push(spawn(async move {
            let fields = [("new_password", password.as_str())];
            reader.send(&form, &fields).await.status
        }));
    }
    let mut statuses = Vec::new();
    for one in uses {
        statuses.push(one.await.expect("a response"));
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410, 410, 410]);
    fixture.stop().await;
}

async fn a_link_that_the_mail_server_refused_holds_no_other_back(database: Database) {
    let fixture = set_up(database).await;
    fixture.server.set("refuse");
    fixture.ask(A).await;
    assert_eq!(fixture.app.deliver_mail().await, 0);
    fixture.server.unset("refuse");
    fixture.ask(A).await;
    assert_eq!(fixture.app.deliver_mail().await, 1);
    let link = fixture.last().link("/reset-password/");
    fixture.set(&link, NEW).await.expect(303);
    fixture.stop().await;
}

/// Requests for addresses without an account are bounded, and hold back no others.
async fn a_flood_of_requests_is_bounded_and_holds_no_other_back(database: Database) {
    let fixture = set_up(database).await;
    let rows: Vec<String> = (0..9_999)
        .map(|n| format!("('{n}@example.com', '2031-05-17 08:00:00.000000+00')"))
        .collect();
    fixture.app.database.execute(&format!(
        "INSERT INTO reset_requests (email, created_at) VALUES {}",
        rows.join(", ")
    ));
    fixture.ask(A).await;
    for email in ["bob@example.org", A] {
        fixture
            .reader()
            .submit("/forgot-password", "/forgot-password", &[("email", email)])
            .await
            .expect(503);
    }
    assert_eq!(fixture.app.deliver_mail().await, 1);
    fixture.last().link("/reset-password/");
    let waiting = "SELECT count(*) AS value FROM reset_requests";
    assert_eq!(fixture.app.database.number(waiting), 0);
    fixture.stop().await;
}

async fn a_request_that_cannot_be_answered_holds_no_other_back(database: Database) {
    let fixture = set_up(database).await;
    fixture.app.register("bob@example.org").await;
    fixture.app.database.execute(
        "UPDATE users SET email = 'no address' WHERE email = 'bob@example.org';
         INSERT INTO reset_requests (email, created_at)
             VALUES ('no address', '2031-05-17 08:00:00.000000+00')",
    );
    fixture.ask(A).await;
    assert_eq!(fixture.app.deliver_mail().await, 1);
    fixture.last().link("/reset-password/");
    let waiting = "SELECT count(*) AS value FROM reset_requests";
    assert_eq!(fixture.app.database.number(waiting), 0);
    fixture.stop().await;
}

async fn a_link_expires_after_half_an_hour(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link().await;
    let reader = fixture.reader();
    let form = reader.form(&link, &link).await;
    fixture.app.advance(31 * MINUTE);
    reader.get(&link).await.expect(410);
    reader
        .send(&form, &[("new_password", NEW)])
        .await
        .expect(410);
    // A message that waited longer than its link is valid is not sent.
    fixture.ask(A).await;
    fixture.server.set("reject");
    assert_eq!(fixture.app.deliver_mail().await, 0);
    fixture.server.unset("reject");
    fixture.app.advance(31 * MINUTE);
    assert_eq!(fixture.app.deliver_mail().await, 0);
    fixture.stop().await;
}

async fn every_address_gets_the_same_response_at_the_same_cost(database: Database) {
    let fixture = set_up(database).await;
    let app = &fixture.app;
    app.register("disabled@example.org").await;
    app.register("external@example.org").await;
    app.database.execute(
        "UPDATE users SET is_active = false WHERE email = 'disabled@example.org'; \
         UPDATE users SET external_subject = 'x', password_hash = '!', \
            stated_email = 'external@example.org', email = 'x@external.invalid' \
         WHERE email = 'external@example.org'",
    );
    let mut pages = Vec::new();
    for email in [
        A,
        "nobody@example.org",
        "disabled@example.org",
        "external@example.org",
        "x@external.invalid",
    ] {
        let before = "SELECT count(*) AS value FROM mail_queue";
        let queued = app.database.number(before);
        let page = fixture.ask(email).await.words().replace(email, "IT");
        pages.push(page);
        // The request is one row, whoever it is for; what comes of it is a job's.
        let rows = "SELECT count(*) AS value FROM reset_requests";
        assert_eq!(app.database.number(rows), 1, "{email}");
        assert_eq!(app.database.number(before), queued);
        let sent = app.deliver_mail().await;
        assert_eq!(sent, usize::from(email == A), "{email}");
        assert_eq!(app.database.number(rows), 0);
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "{pages:?}");
    fixture.stop().await;
}

async fn another_link_is_sent_once_none_is_valid(database: Database) {
    let fixture = set_up(database).await;
    let first = fixture.link().await;
    for _ in 0..4 {
        fixture.ask(A).await;
        assert_eq!(fixture.app.deliver_mail().await, 0);
    }
    fixture.app.advance(31 * MINUTE);
    let second = fixture.link().await;
    assert_ne!(first, second);
    fixture.set(&second, NEW).await.expect(303);
    fixture.app.deliver_mail().await;
    // It was used, so another is sent, as soon as one may ask again.
    fixture.app.advance(MINUTE);
    fixture.ask(A).await;
    assert_eq!(fixture.app.deliver_mail().await, 1);
    fixture.stop().await;
}

async fn another_link_is_sent_once_a_revoked_key_voided_the_first(database: Database) {
    let fixture = set_up(database).await;
    let first = fixture.link().await;
    // A new key voids nothing, and neither does the end of one that was replaced long ago.
    fixture
        .app
        .rotate_keys(&[KeyKind::Cookie], Start::Now)
        .await;
    fixture.ask(A).await;
    assert_eq!(fixture.app.deliver_mail().await, 0);
    fixture.reader().get(&first).await.expect(200);
    fixture.app.revoke_first_key(KeyKind::Cookie).await;
    fixture.reader().get(&first).await.expect(404);
    let second = fixture.link().await;
    fixture.set(&second, NEW).await.expect(303);
    assert!(fixture.can_sign_in(NEW).await);
    fixture.stop().await;
}

async fn a_flood_of_other_messages_does_not_hold_a_link_back(database: Database) {
    let fixture = set_up(database).await;
    for n in 0..10 {
        let ip = format!("198.51.{n}.7");
        fixture
            .app
            .login_from(&fixture.ada, IPHONE, &ip, None)
            .await;
    }
    fixture.ask(A).await;
    assert_eq!(fixture.app.deliver_mail().await, 4);
    let first = fixture.server.messages().remove(0);
    assert_eq!(first.header("Subject"), "Set a new password");
    fixture.stop().await;
}

async fn a_flood_of_other_messages_does_not_hold_a_take_back_back(database: Database) {
    let fixture = set_up(database).await;
    fixture.change_email_to("b@example.org").await;
    let ada = Person {
        email: "b@example.org".into(),
        ..fixture.ada.clone()
    };
    for n in 0..3 {
        let ip = format!("198.51.{n}.7");
        fixture.app.login_from(&ada, IPHONE, &ip, None).await;
    }
    fixture.app.advance(MINUTE);
    let known = fixture.server.messages().len();
    fixture.ask(A).await;
    assert_eq!(fixture.app.deliver_mail().await, 4);
    assert_eq!(fixture.server.messages()[known].to, [A]);
    fixture.stop().await;
}

async fn two_nodes_answer_a_request_once(database: Database) {
    let fixture = set_up(database).await;
    let port = fixture.server.port();
    let other = fixture
        .app
        .another_node(|settings| crate::support::app::use_mail_server(settings, port))
        .await;
    for _ in 0..3 {
        fixture.ask(A).await;
        let (here, there) = tokio::join!(fixture.app.deliver_mail(), other.deliver_mail());
        let (here_too, there_too) = tokio::join!(fixture.app.deliver_mail(), other.deliver_mail());
        assert_eq!(here + there + here_too + there_too, 1);
        fixture.app.advance(31 * MINUTE);
    }
    other.stop().await;
    fixture.stop().await;
}

async fn another_password_set_by_mail_voids_a_link(database: Database) {
    let fixture = set_up(database).await;
    fixture
        .app
        .login_from(&fixture.ada, IPHONE, "198.51.100.7", None)
        .await;
    fixture.app.deliver_mail().await;
    let alert = fixture.last().link("/not-me/");
    fixture.app.advance(MINUTE);
    let link = fixture.link().await;
    let reader = fixture.reader();
    let page = reader
        .submit(&alert, &alert, &[("answer", "not-mine")])
        .await;
    let path = format!("{alert}/password");
    let form = crate::support::html::forms(&page.expect(200).text)
        .into_iter()
        .find(|form| form.action == path)
        .expect("a form");
    reader
        .send(&form, &[("new_password", NEW)])
        .await
        .expect(303);
    fixture.reader().get(&link).await.expect(410);
    // And the other way round: a link that was used voids the form of the alert.
    fixture.app.advance(MINUTE);
    let link = {
        fixture.ask(A).await;
        fixture.app.deliver_mail().await;
        let messages = fixture.server.messages();
        let reset = messages
            .iter()
            .rev()
            .find(|message| message.header("Subject") == "Set a new password");
        reset.expect("a message").link("/reset-password/")
    };
    fixture.set(&link, PASSWORD).await.expect(303);
    // It was used before, and says so.
    reader
        .send(&form, &[("new_password", NEW)])
        .await
        .expect(410);
    assert!(fixture.can_sign_in(PASSWORD).await);
    fixture.stop().await;
}

async fn a_change_in_a_session_does_not_void_a_link(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link().await;
    // A thief who has the password, in their own session.
    let thief = fixture.app.browser_from(IPHONE, "198.51.100.7");
    thief.sign_in(&fixture.ada).await.expect(303);
    fixture
        .change_password(&thief, "the thief knows this one")
        .await;
    fixture.set(&link, NEW).await.expect(303);
    assert!(thief.get("/devices").await.is_to_sign_in());
    assert!(fixture.can_sign_in(NEW).await);
    fixture.stop().await;
}

async fn a_disabled_account_and_a_changed_address_void_a_link(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link().await;
    let app = &fixture.app;
    let disable = "UPDATE users SET is_active = false";
    app.database.execute(disable);
    fixture.reader().get(&link).await.expect(410);
    app.database.execute("UPDATE users SET is_active = true");
    fixture.reader().get(&link).await.expect(200);
    let set = ["user", "set-email", "--email", A, "--to", "b@example.org"];
    Program::with(&app.database).run(&set).expect_done();
    fixture.reader().get(&link).await.expect(410);
    let delete = ["user", "delete", "--email", "b@example.org"];
    Program::with(&app.database).run(&delete).expect_done();
    fixture.reader().get(&link).await.expect(410);
    fixture.stop().await;
}

/// A stranger signs up with somebody's address; whoever reads its mail claims the account.
async fn an_unverified_account_is_handed_over_to_its_mailbox(database: Database) {
    let fixture = set_up(database).await;
    let app = &fixture.app;
    let ceo = app.register_unverified("ceo@company.example").await;
    let squatter = app.browser_from(IPHONE, "198.51.100.7");
    squatter.sign_in(&ceo).await.expect(303);
    app.advance(MINUTE);
    let other = app
        .login_from(&ceo, FIREFOX, "198.51.100.8", Some("theirs"))
        .await;
    for (path, field) in [
        ("/account/name", ("full_name", "Squatter")),
        ("/account/addresses", ("addresses", "none")),
        ("/account/alerts", ("", "")),
        ("/account/idle-limit", ("idle_limit", "year")),
    ] {
        let chosen = squatter.submit("/account", path, &[field]).await;
        chosen.expect(303);
    }
    let chosen = "SELECT count(*) AS value FROM users WHERE full_name = 'Squatter'
                  AND address_keeping = 'none' AND NOT alert_emails
                  AND idle_limit_seconds IS NOT NULL";
    assert_eq!(app.database.number(chosen), 1);
    let open = "SELECT count(*) AS value FROM alerts
                WHERE answered_at IS NULL AND kind <> 'password_changed'";
    assert_ne!(app.database.number(open), 0);
    app.deliver_mail().await;
    fixture.ask("ceo@company.example").await;
    app.deliver_mail().await;
    let link = fixture.last().link("/reset-password/");
    fixture.set(&link, NEW).await.expect(303);
    let left = "SELECT count(*) AS value FROM users WHERE email = 'ceo@company.example'
                AND (full_name IS NOT NULL OR address_keeping <> 'whole' OR NOT alert_emails
                     OR idle_limit_seconds IS NOT NULL)";
    assert_eq!(app.database.number(left), 0);
    assert_eq!(app.database.number(open), 0);
    assert!(squatter.get("/devices").await.is_to_sign_in());
    other.current().await.expect(401);
    let known = "SELECT count(*) AS value FROM devices WHERE device_id = 'theirs'";
    assert_eq!(app.database.number(known), 0);
    let pending = "SELECT count(*) AS value FROM email_verifications";
    assert_eq!(app.database.number(pending), 0);
    let owner = app.browser_from(FIREFOX, "203.0.113.9");
    let ceo = Person {
        password: NEW.into(),
        ..ceo
    };
    owner.sign_in(&ceo).await.expect(303);
    let asserted = owner.verify().await.expect(200);
    assert_eq!(asserted.header("remote-email"), "ceo@company.example");
    fixture.stop().await;
}

async fn while_a_former_address_can_take_back_it_is_asked_instead(database: Database) {
    let fixture = set_up(database).await;
    let app = &fixture.app;
    let before = fixture.link().await;
    // The thief's address.
    fixture.change_email_to("b@example.org").await;
    fixture.reader().get(&before).await.expect(410);
    for typed in ["b@example.org", A] {
        let known = fixture.server.messages().len();
        fixture.ask(typed).await;
        assert_eq!(app.deliver_mail().await, 1, "{typed}");
        let message = fixture.server.messages().remove(known);
        assert_eq!(message.to, [A]);
        assert!(!message.plain().contains("/reset-password/"));
        let page = fixture.reader().get(&message.link("/not-me/")).await;
        page.expect(200).expect_words("Take the account back");
        // Not another one while this one is new.
        fixture.ask(typed).await;
        assert_eq!(app.deliver_mail().await, 0, "{typed}");
        app.advance(31 * MINUTE);
    }
    // Once it said that the change was its owner's, the new address is asked.
    fixture.ask(A).await;
    app.deliver_mail().await;
    let link = fixture.last().link("/not-me/");
    let reader = fixture.reader();
    reader
        .submit(&link, &link, &[("answer", "own-change")])
        .await
        .expect(200)
        .expect_words("Thank you");
    fixture.ask("b@example.org").await;
    app.deliver_mail().await;
    assert_eq!(fixture.last().to, ["b@example.org"]);
    let link = fixture.last().link("/reset-password/");
    fixture.set(&link, NEW).await.expect(303);
    fixture.stop().await;
}

async fn without_mail_an_administrator_hands_over_a_link(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register(A).await;
    let laptop = app.browser_from(FIREFOX, "203.0.113.7");
    laptop.sign_in(&ada).await.expect(303);
    let page = laptop.get("/forgot-password").await.expect(200);
    page.expect_words("Ask an administrator for a link");
    let program = Program::with(&app.database);
    let run = program.run(&["user", "reset-link", A]);
    assert!(
        run.stderr.contains("public_url is not set"),
        "{}",
        run.stderr
    );
    let url = run.expect_done();
    let path = url
        .trim()
        .trim_start_matches("http://127.0.0.1:8080")
        .to_owned();
    // The command's clock is the real one.
    app.database
        .execute("UPDATE password_resets SET expires_at = '2031-05-17 09:00:00.000000'");
    let reader = app.browser(IPHONE);
    reader.get(&path).await.expect(200);
    reader
        .submit(&path, &path, &[("new_password", NEW)])
        .await
        .expect(303);
    reader.get(&path).await.expect(410);
    assert!(laptop.get("/devices").await.is_to_sign_in());
    program
        .run(&["user", "reset-link", "nobody@example.org"])
        .expect_failed(1);
    app.stop().await;
}

async fn forged_links_and_those_for_something_else_are_not_found(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.link().await;
    fixture
        .app
        .login_from(&fixture.ada, IPHONE, "198.51.100.7", None)
        .await;
    fixture.app.deliver_mail().await;
    let alert = fixture.last().link("/not-me/");
    let token = link.trim_start_matches("/reset-password/");
    let other = alert.trim_start_matches("/not-me/");
    for path in [
        format!("/reset-password/{other}"),
        format!("/not-me/{token}"),
        format!("/verify-email/{token}"),
        format!("/reset-password/{}", &token[..token.len() - 4]),
        "/reset-password/AAAA".into(),
        "/reset-password/%00".into(),
    ] {
        let status = fixture.reader().get(&path).await.status;
        assert!([404, 410].contains(&status), "{path}: {status}");
    }
    fixture.stop().await;
}

async fn the_well_known_path_leads_to_the_form(database: Database) {
    let fixture = set_up(database).await;
    let there = fixture.laptop.get("/.well-known/change-password").await;
    assert_eq!(there.location(), "/account#password");
    let page = fixture.laptop.get("/account").await.expect(200);
    assert!(page.text.contains("id=\"password\""));
    fixture.stop().await;
}

async fn strangers_hold_no_link_back_for_longer_than_an_hour(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |settings| {
        settings.accounts.reset_lifetime = MINUTE;
    })
    .await;
    app.register(A).await;
    let ask = async |number: u32| {
        let stranger = app.browser_from(IPHONE, &format!("198.51.{number}.7"));
        let fields = [("email", A)];
        let request = stranger.submit("/forgot-password", "/forgot-password", &fields);
        request.await.expect(200);
        app.deliver_mail().await
    };
    let mut sent = 0;
    for number in 0..12 {
        sent += ask(number).await;
        app.advance(MINUTE * 4);
    }
    assert_eq!(sent, 10);
    app.advance(MINUTE * 60);
    assert_eq!(ask(99).await, 1);
    app.stop().await;
}

async fn a_known_device_asks_whatever_its_neighbours_and_strangers_do(database: Database) {
    let fixture = set_up(database).await;
    let app = &fixture.app;
    fixture
        .laptop
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    let fields = [("email", A)];
    let mut refused = 0;
    for number in 0..70 {
        // From the same network as the laptop, for the same address.
        let neighbour = app.browser_from(IPHONE, "203.0.113.7");
        let request = neighbour.submit("/forgot-password", "/forgot-password", &fields);
        let response = request.await;
        if response.status == 429 {
            refused += 1;
            response.expect_words("check its mailbox");
        }
        assert!(number < 10 || refused > 0);
    }
    let request = fixture
        .laptop
        .submit("/forgot-password", "/forgot-password", &fields);
    request.await.expect(200);
}
