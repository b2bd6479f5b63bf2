//! An e-mail counts once it is verified: by its owner, who is signed in or has the password, and by
//! nobody else.

use crate::support::browser::APPLICATION;
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::smtp::{Message, SmtpServer};

on_both!(
    database: signing_up_sends_a_link_that_a_get_does_not_use,
    an_unverified_address_is_not_asserted,
    a_strangers_click_does_not_verify_a_victims_address,
    the_owner_of_a_mailbox_deletes_a_strangers_account,
    a_link_verifies_once_for_whoever_gives_the_password,
    an_old_cookie_verifies_nothing,
    a_link_expires_after_a_day,
    links_are_limited_for_each_address,
    sign_in_can_wait_for_the_verification,
    a_taken_address_is_answered_like_a_free_one_where_sign_in_waits,
    people_from_before_are_not_shut_out,
    a_person_from_before_stays_when_a_link_is_declined,
    declining_twice_deletes_no_account_from_before,
    deleting_the_account_does_not_lift_the_limit,
    a_message_that_was_cancelled_holds_no_other_back,
    an_administrator_stays_when_a_link_is_declined,
    an_auditor_stays_when_a_link_is_declined,
    a_link_is_void_once_an_administrator_vouched,
    the_command_line_vouches_for_addresses,
    without_mail_nothing_is_promised,
);

const EMAIL: &str = "ceo@company.example";

async fn start(database: Database) -> (TestApp, SmtpServer) {
    start_with(database, false).await
}

async fn start_with(database: Database, require_verified_email: bool) -> (TestApp, SmtpServer) {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |settings| {
        settings.accounts.require_verified_email = require_verified_email;
        settings.forward_auth.allowed_hosts = vec![APPLICATION.into()];
        // The limits of messages are tested here.
        settings.throttles.free_failures = 1_000;
    })
    .await;
    (app, server)
}

async fn stop(app: TestApp, server: SmtpServer) {
    server.stop();
    app.stop().await;
}

/// Returns the newest message, after everything was delivered.
async fn newest(app: &TestApp, server: &SmtpServer) -> Message {
    let before = server.messages().len();
    assert_eq!(app.deliver_mail().await, 1);
    server.wait_for(before + 1).await.remove(before)
}

async fn sign_up(app: &TestApp, email: &str) -> (Browser, TestResponse) {
    let browser = app.browser(FIREFOX);
    let fields = [("full_name", ""), ("email", email), ("password", PASSWORD)];
    let response = browser.submit("/sign-up", "/sign-up", &fields).await;
    (browser, response)
}

async fn asserted(browser: &Browser) -> (String, String) {
    let verified = browser.verify().await.expect(200);
    let header = |name: &str| {
        assert!(verified.headers.contains_key(name), "{name} is missing");
        verified.header(name).to_owned()
    };
    (header("remote-email"), header("remote-name"))
}

fn verified(app: &TestApp) -> i64 {
    app.database
        .number("SELECT count(*) AS value FROM users WHERE email_verified_at IS NOT NULL")
}

async fn signing_up_sends_a_link_that_a_get_does_not_use(database: Database) {
    let (app, server) = start(database).await;
    let (owner, response) = sign_up(&app, EMAIL).await;
    assert_eq!(response.location(), "/devices");
    let page = owner.follow(&response).await.expect(200);
    page.expect_words(&format!("We sent a link to {EMAIL}"));
    let account = owner.get("/account").await.expect(200);
    let account = account.expect_words("We sent a link to it just now. It works for 24 hours.");
    assert!(
        !account.words().contains("Send yourself"),
        "{}",
        account.words()
    );
    let message = newest(&app, &server).await;
    assert_eq!(message.to, [EMAIL]);
    let link = message.link("/verify-email/");
    for reader in [&app.browser(IPHONE), &owner] {
        for _ in 0..2 {
            reader.get(&link).await.expect(200).expect_words(EMAIL);
        }
    }
    assert_eq!(verified(&app), 0);
    let done = owner.submit(&link, &link, &[("answer", "mine")]).await;
    owner
        .follow(&done)
        .await
        .expect_words("Your e-mail is verified.");
    assert_eq!(verified(&app), 1);
    assert_eq!(asserted(&owner).await.0, EMAIL);
    stop(app, server).await;
}

async fn an_unverified_address_is_not_asserted(database: Database) {
    let (app, server) = start(database).await;
    let (owner, _) = sign_up(&app, EMAIL).await;
    assert_eq!(asserted(&owner).await, (String::new(), String::new()));
    let add = ["api-key", "add", "--name", "shop", "--scope", "tokens:any"];
    let output = Program::with(&app.database).run(&add).expect_done();
    let secret = output
        .lines()
        .find_map(|line| line.strip_prefix("secret"))
        .expect("a secret")
        .trim()
        .to_owned();
    let person = Person {
        email: EMAIL.into(),
        password: PASSWORD.into(),
    };
    let device = app.login(&person, IPHONE).await;
    let introspect = async || {
        let request = app
            .anyone()
            .request("POST", "/oauth/introspect")
            .bearer_auth(&secret);
        let form = [("token", device.access_token.as_str())];
        TestResponse::to(request.form(&form))
            .await
            .expect(200)
            .json()
    };
    assert_eq!(introspect().await.get("username"), None);
    Program::with(&app.database)
        .run(&["user", "verify-email", EMAIL])
        .expect_done();
    assert_eq!(introspect().await["username"], EMAIL);
    stop(app, server).await;
}

/// A stranger signs up with the victim's address; the victim opens the link of the message, signed
/// in to an account of their own, and presses the button.
async fn a_strangers_click_does_not_verify_a_victims_address(database: Database) {
    let (app, server) = start(database).await;
    let bob = app.register("bob@example.org").await;
    let victim = app.signed_in_browser(&bob, FIREFOX).await;
    sign_up(&app, EMAIL).await;
    let link = newest(&app, &server).await.link("/verify-email/");
    let before = verified(&app);
    let wrong = [("answer", "mine"), ("password", "wrong battery staple")];
    let page = victim.submit(&link, &link, &wrong).await.expect(403);
    page.expect_words("That is not the account’s password.");
    let nobody = app.browser(IPHONE);
    for browser in [&victim, &nobody] {
        for fields in [
            vec![("answer", "mine")],
            vec![("answer", "mine"), ("password", "")],
        ] {
            let page = browser.submit(&link, &link, &fields).await.expect(400);
            let page = page.expect_words("Enter the password.");
            assert!(!page.words().contains("not the account’s password"));
        }
    }
    // A form without its CSRF token, as another site would send it.
    let fields = [("answer", "mine"), ("password", PASSWORD)];
    victim.post(&link, &fields).await.expect(403);
    assert_eq!(verified(&app), before);
    stop(app, server).await;
}

async fn the_owner_of_a_mailbox_deletes_a_strangers_account(database: Database) {
    let (app, server) = start(database).await;
    let (stranger, _) = sign_up(&app, EMAIL).await;
    let link = newest(&app, &server).await.link("/verify-email/");
    let reader = app.browser(IPHONE);
    let form = reader.form(&link, &link).await;
    let fields = [("answer", "not-mine")];
    reader
        .send(&form, &fields)
        .await
        .expect(200)
        .expect_words("The account that was created with your address is deleted.");
    assert!(stranger.get("/devices").await.is_to_sign_in());
    reader
        .get(&link)
        .await
        .expect(410)
        .expect_words("The answer “This isn’t mine” was given with this link on")
        .expect_words("the account that was created with this address was deleted.");
    let late = [("answer", "mine")];
    reader
        .send(&form, &late)
        .await
        .expect(410)
        .expect_words(", so your “Verify the e-mail” did nothing: the account")
        .expect_words("If the account was yours, create another one");
    // Now the address is free for its owner.
    let (owner, _) = sign_up(&app, EMAIL).await;
    owner.get("/devices").await.expect(200);
    stop(app, server).await;
}

async fn a_link_verifies_once_for_whoever_gives_the_password(database: Database) {
    let (app, server) = start(database).await;
    sign_up(&app, EMAIL).await;
    let link = newest(&app, &server).await.link("/verify-email/");
    let reader = app.browser(IPHONE);
    let form = reader.form(&link, &link).await;
    let fields = [("answer", "mine"), ("password", PASSWORD)];
    let done = reader.send(&form, &fields).await;
    assert_eq!(done.location(), "/sign-in");
    let page = reader.follow(&done).await.expect(200);
    page.expect_words("Your e-mail is verified. Sign in with it.");
    assert_eq!(verified(&app), 1);
    for fields in [fields, [("answer", "not-mine"), ("password", "")]] {
        reader
            .send(&form, &fields)
            .await
            .expect(410)
            .expect_words("The e-mail was verified")
            .expect_words("It was verified with this link on");
    }
    let declined = [("answer", "not-mine"), ("password", "")];
    reader
        .send(&form, &declined)
        .await
        .expect_words(", so your “This isn’t mine” did nothing.")
        .expect_words("If the account isn’t yours, ask an administrator of this service");
    assert_eq!(
        app.database.number("SELECT count(*) AS value FROM users"),
        1
    );
    reader.get("/verify-email/forged").await.expect(404);
    stop(app, server).await;
}

/// Whoever has a copy of a cookie that its owner has replaced is asked for the password.
async fn an_old_cookie_verifies_nothing(database: Database) {
    const COOKIE: &str = "rollcall_session";

    let (app, server) = start(database).await;
    let (owner, _) = sign_up(&app, EMAIL).await;
    let link = newest(&app, &server).await.link("/verify-email/");
    let thief = app.browser(IPHONE);
    thief.set_cookie(COOKIE, &owner.cookie(COOKIE).expect("a cookie"));
    owner
        .submit("/confirm", "/confirm", &[("password", PASSWORD)])
        .await
        .expect(303);
    let answer = [("answer", "mine")];
    thief.submit(&link, &link, &answer).await.expect(400);
    assert_eq!(verified(&app), 0);
    owner.submit(&link, &link, &answer).await.expect(303);
    assert_eq!(verified(&app), 1);
    stop(app, server).await;
}

async fn a_link_expires_after_a_day(database: Database) {
    let (app, server) = start(database).await;
    let (owner, _) = sign_up(&app, EMAIL).await;
    let link = newest(&app, &server).await.link("/verify-email/");
    let form = owner.form(&link, &link).await;
    app.advance(Duration::from_secs(24 * 60 * 60));
    let answer = [("answer", "mine"), ("password", PASSWORD)];
    owner.get(&link).await.expect(410);
    owner.send(&form, &answer).await.expect(410);
    assert_eq!(verified(&app), 0);
    app.sweep().await;
    let left = "SELECT count(*) AS value FROM email_verifications";
    assert_eq!(app.database.number(left), 0);
    stop(app, server).await;
}

async fn links_are_limited_for_each_address(database: Database) {
    let (app, server) = start(database).await;
    let (owner, _) = sign_up(&app, EMAIL).await;
    let again = async || {
        let done = owner.submit("/account", "/account/email/link", &[]).await;
        owner.follow(&done).await.words()
    };
    for _ in 0..2 {
        assert!(again().await.contains("A link is on its way."));
    }
    for _ in 0..5 {
        assert!(again().await.contains("Try again in an hour."));
    }
    assert_eq!(app.deliver_mail().await, 3);
    // Every one of them is good, since they are the same.
    let links: Vec<String> = server
        .wait_for(3)
        .await
        .iter()
        .map(|message| message.link("/verify-email/"))
        .collect();
    assert_eq!(links[0], links[2]);
    app.advance(Duration::from_secs(61 * 60));
    assert!(again().await.contains("A link is on its way."));
    stop(app, server).await;
}

async fn sign_in_can_wait_for_the_verification(database: Database) {
    let (app, server) = start_with(database, true).await;
    let (browser, response) = sign_up(&app, EMAIL).await;
    response.expect(200).expect_words("Check your e-mail");
    assert!(browser.get("/devices").await.is_to_sign_in());
    let link = newest(&app, &server).await.link("/verify-email/");
    let person = Person {
        email: EMAIL.into(),
        password: PASSWORD.into(),
    };
    // The same for a wrong password, so that nobody learns more by signing in.
    let stranger = Person {
        password: "wrong battery staple".into(),
        ..person.clone()
    };
    for person in [&person, &stranger] {
        browser
            .sign_in(person)
            .await
            .expect(401)
            .expect_words("or the e-mail is not verified yet");
        app.try_login(person, FIREFOX)
            .await
            .problem(401, "invalid_credentials");
    }
    browser
        .submit(&link, &link, &[("answer", "mine"), ("password", PASSWORD)])
        .await
        .expect(303);
    browser.sign_in(&person).await.expect(303);
    app.login(&person, IPHONE).await;
    stop(app, server).await;
}

async fn a_taken_address_is_answered_like_a_free_one_where_sign_in_waits(database: Database) {
    let (app, server) = start_with(database, true).await;
    app.register("ada@example.org").await;
    let (_, taken) = sign_up(&app, "Ada@example.org").await;
    let (_, free) = sign_up(&app, EMAIL).await;
    assert_eq!((taken.status, taken.words()), (free.status, free.words()));
    let register = async |email: &str| {
        let body = json!({"email": email, "password": PASSWORD, "full_name": "Somebody"});
        let response = app.anyone().post("/api/v1/auth/register", &body).await;
        let mut person = response.expect(201).json();
        assert_eq!(person["email"], email);
        for field in ["email", "id"] {
            person[field].take();
        }
        person
    };
    assert_eq!(
        register("ada@example.org").await,
        register("free@example.org").await
    );
    app.deliver_mail().await;
    let notices: Vec<Message> = server
        .wait_for(3)
        .await
        .into_iter()
        .filter(|message| message.to == ["ada@example.org"])
        .collect();
    assert_eq!(notices.len(), 1, "one an hour");
    assert_eq!(notices[0].header("Subject"), "You already have an account");
    // Nor does it tell the two apart to sign in with the password that was given.
    let person = |email: &str| Person {
        email: email.into(),
        password: PASSWORD.into(),
    };
    app.database
        .execute("UPDATE users SET password_hash = '!' WHERE email = 'ada@example.org'");
    for email in ["ada@example.org", EMAIL] {
        app.try_login(&person(email), IPHONE)
            .await
            .problem(401, "invalid_credentials");
    }
    assert_eq!(
        app.database.number("SELECT count(*) AS value FROM users"),
        3
    );
    stop(app, server).await;
}

/// Makes a person as they were before addresses were verified.
async fn person_from_before(app: &TestApp, email: &str) -> Person {
    let person = app.register(email).await;
    app.database
        .execute("UPDATE users SET email_verified_at = NULL, is_email_from_before = true");
    person
}

async fn people_from_before_are_not_shut_out(database: Database) {
    let (app, server) = start_with(database, true).await;
    let ada = person_from_before(&app, "ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, "203.0.113.7");
    laptop.sign_in(&ada).await.expect(303);
    assert_eq!(asserted(&laptop).await.0, "");
    // They are alerted all the same.
    app.browser_from(IPHONE, "198.51.100.7").sign_in(&ada).await;
    let alert = newest(&app, &server).await;
    assert_eq!(alert.to, ["ada@example.org"]);
    // A link verifies them.
    let done = laptop.submit("/account", "/account/email/link", &[]).await;
    let page = laptop.follow(&done).await.expect(200);
    page.expect_words("A link is on its way.");
    let link = newest(&app, &server).await.link("/verify-email/");
    laptop
        .submit(&link, &link, &[("answer", "mine")])
        .await
        .expect(303);
    assert_eq!(asserted(&laptop).await.0, "ada@example.org");
    stop(app, server).await;
}

async fn a_person_from_before_stays_when_a_link_is_declined(database: Database) {
    let (app, server) = start(database).await;
    let ada = person_from_before(&app, "ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, "203.0.113.7");
    laptop.sign_in(&ada).await.expect(303);
    let form = laptop.form("/account", "/account/email/link").await;
    laptop.send(&form, &[]).await.expect(303);
    let link = newest(&app, &server).await.link("/verify-email/");
    app.browser(IPHONE)
        .submit(&link, &link, &[("answer", "not-mine")])
        .await
        .expect(200)
        .expect_words("doesn’t send anything to your address any more");
    laptop.get("/devices").await.expect(200);
    app.browser_from(IPHONE, "198.51.100.7").sign_in(&ada).await;
    let again = laptop.send(&form, &[]).await;
    laptop
        .follow(&again)
        .await
        .expect_words("The person who reads that mailbox said that it isn’t yours");
    Program::with(&app.database)
        .run(&["user", "verify-email", "--all"])
        .expect_done();
    assert_eq!((app.deliver_mail().await, verified(&app)), (0, 0));
    stop(app, server).await;
}

/// A link from before the first decline was sent twice: the second decline deletes nothing either.
async fn declining_twice_deletes_no_account_from_before(database: Database) {
    let (app, server) = start(database).await;
    let ada = person_from_before(&app, "ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, "203.0.113.7");
    laptop.sign_in(&ada).await.expect(303);
    for _ in 0..2 {
        laptop.submit("/account", "/account/email/link", &[]).await;
        let link = newest(&app, &server).await.link("/verify-email/");
        let reader = app.browser(IPHONE);
        let fields = [("answer", "not-mine")];
        reader.submit(&link, &link, &fields).await.expect(200);
        app.database
            .execute("UPDATE users SET email_declined_at = NULL");
    }
    laptop.get("/devices").await.expect(200);
    stop(app, server).await;
}

/// Whoever deletes the account and signs up again must not flood the mailbox.
async fn deleting_the_account_does_not_lift_the_limit(database: Database) {
    let (app, server) = start(database).await;
    for _ in 0..12 {
        let (stranger, _) = sign_up(&app, EMAIL).await;
        app.deliver_mail().await;
        stranger
            .submit("/forgot-password", "/forgot-password", &[("email", EMAIL)])
            .await
            .expect(200);
        app.deliver_mail().await;
        stranger
            .submit("/account/delete", "/account/delete", &[("typed", EMAIL)])
            .await
            .expect(303);
        app.advance(Duration::from_secs(10));
    }
    let messages = server.messages();
    let of = |subject: &str| {
        let is_it = |message: &&Message| message.header("Subject") == subject;
        messages.iter().filter(is_it).count()
    };
    assert_eq!(of("Verify your e-mail address"), 3);
    assert_eq!(of("Set a new password"), 10);
    stop(app, server).await;
}

/// What was never sent does not use up the address's hour.
async fn a_message_that_was_cancelled_holds_no_other_back(database: Database) {
    let (app, server) = start(database).await;
    let bob = app.register("bob@example.org").await;
    let thief = app.signed_in_browser(&bob, IPHONE).await;
    for _ in 0..3 {
        let fields = [("email", EMAIL)];
        thief
            .submit("/account", "/account/email", &fields)
            .await
            .expect(303);
        thief
            .submit("/account", "/account/email/cancel", &[])
            .await
            .expect(303);
    }
    assert_eq!(app.deliver_mail().await, 0);
    sign_up(&app, EMAIL).await;
    newest(&app, &server).await.link("/verify-email/");
    stop(app, server).await;
}

async fn an_administrator_stays_when_a_link_is_declined(database: Database) {
    stays_when_a_link_is_declined(database, "is_admin").await;
}

async fn an_auditor_stays_when_a_link_is_declined(database: Database) {
    stays_when_a_link_is_declined(database, "is_auditor").await;
}

async fn stays_when_a_link_is_declined(database: Database, mark: &str) {
    let (app, server) = start(database).await;
    let (owner, _) = sign_up(&app, EMAIL).await;
    app.database
        .execute(&format!("UPDATE users SET {mark} = true"));
    let link = newest(&app, &server).await.link("/verify-email/");
    app.browser(IPHONE)
        .submit(&link, &link, &[("answer", "not-mine")])
        .await
        .expect(200)
        .expect_words("doesn’t send anything to your address any more");
    owner.get("/devices").await.expect(200);
    stop(app, server).await;
}

async fn a_link_is_void_once_an_administrator_vouched(database: Database) {
    let (app, server) = start(database).await;
    let (owner, _) = sign_up(&app, EMAIL).await;
    let link = newest(&app, &server).await.link("/verify-email/");
    let reader = app.browser(IPHONE);
    let form = reader.form(&link, &link).await;
    Program::with(&app.database)
        .run(&["user", "verify-email", EMAIL])
        .expect_done();
    reader.get(&link).await.expect(410);
    reader
        .send(&form, &[("answer", "not-mine")])
        .await
        .expect(410);
    owner.get("/devices").await.expect(200);
    assert_eq!(asserted(&owner).await.0, EMAIL);
    stop(app, server).await;
}

async fn the_command_line_vouches_for_addresses(database: Database) {
    let (app, server) = start(database).await;
    let program = Program::with(&app.database);
    for email in ["one@example.org", "two@example.org"] {
        app.register_unverified(email).await;
    }
    program
        .run_with_input(
            &[
                "user",
                "add",
                "--email",
                "three@example.org",
                "--password-stdin",
            ],
            PASSWORD,
        )
        .expect_done();
    assert_eq!(verified(&app), 1);
    program
        .run(&["user", "verify-email", "ONE@example.org"])
        .expect_done();
    assert_eq!(verified(&app), 2);
    // Everybody means those from before: a stranger who has just signed up is not vouched for.
    app.database.execute(
        "UPDATE users SET is_email_from_before = true, email_verified_at = NULL \
         WHERE email = 'one@example.org'",
    );
    program
        .run(&["user", "verify-email", "--all"])
        .expect_done();
    assert_eq!(verified(&app), 2);
    program
        .run(&["user", "verify-email", "nobody@example.org"])
        .expect_failed(1);
    program.run(&["user", "verify-email"]).expect_failed(2);
    program
        .run(&["user", "verify-email", "one@example.org", "--all"])
        .expect_failed(2);
    stop(app, server).await;
}

async fn without_mail_nothing_is_promised(database: Database) {
    let app = TestApp::start(database).await;
    let (owner, _) = sign_up(&app, EMAIL).await;
    let account = owner.get("/account").await.expect(200);
    assert!(!account.words().contains("Send the link"));
    account.expect_words("Only an administrator can change your e-mail");
    let csrf = owner.form("/account", "/account/name").await;
    let fields = [
        ("csrf", csrf.hidden[0].1.as_str()),
        ("email", "b@example.org"),
    ];
    owner.post("/account/email", &fields).await.expect(404);
    let program =
        Program::with(&app.database).env("ROLLCALL_ACCOUNTS__REQUIRE_VERIFIED_EMAIL", "true");
    let error = program.run(&["serve"]).expect_failed(1);
    assert!(error.contains("accounts.require_verified_email"), "{error}");
    assert!(error.contains("mail.host"), "{error}");
    app.stop().await;
}
