//! Alerts by e-mail, delivered to a real SMTP server: each message is sent once, is retried after a
//! failure and never delays a request.

use actix_web::rt::net::{TcpListener, TcpStream};
use rollcall::settings::{MailTls, Settings};

use crate::support::app::behind_proxy;
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::smtp::{Security, SmtpServer};

on_both!(
    database: a_message_states_what_happened_where_and_when,
    each_kind_of_alert_is_sent,
    a_person_who_switched_mail_off_gets_none,
    a_person_without_a_mailbox_gets_none,
    mail_is_retried_after_the_server_was_down,
    a_temporary_refusal_is_retried_with_growing_waits,
    a_permanent_refusal_is_final,
    a_message_that_may_have_been_sent_is_not_sent_again,
    a_restart_loses_no_mail,
    a_stop_during_delivery_loses_no_message_and_sends_none_twice,
    two_nodes_send_each_message_once,
    mail_that_is_too_old_is_given_up,
    starttls_with_a_login,
    implicit_tls_with_a_login,
    a_server_with_an_untrusted_certificate_gets_no_mail,
    a_name_cannot_inject_headers_or_markup_into_a_message,
    a_message_claimed_by_another_node_is_left_to_it,
    a_message_sent_by_another_node_stays_sent,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";
const MINUTE: Duration = Duration::from_secs(60);

/// Changes the settings to those for an SMTP server without TLS at `port`.
fn use_mail_server(settings: &mut Settings, port: u16) {
    behind_proxy(settings);
    settings.mail.host = Some("127.0.0.1".into());
    settings.mail.port = Some(port);
    settings.mail.tls = MailTls::None;
    settings.mail.from = "Rollcall <rollcall@example.org>".into();
    // The tests start each delivery themselves.
    settings.jobs.mail_interval = Duration::from_secs(24 * 60 * 60);
}

async fn start_with_mail(database: Database, port: u16) -> (TestApp, Person) {
    let app = TestApp::start_with(database, |settings| use_mail_server(settings, port)).await;
    let ada = app.register("ada@example.org").await;
    app.login_from(&ada, FIREFOX, HOME, Some("laptop")).await;
    (app, ada)
}

/// Signs in on a new device, and deletes its session so that the next sign-in is on a new one too.
async fn sign_in_on_new_device(app: &TestApp, person: &Person) {
    app.login_from(person, IPHONE, ELSEWHERE, None).await;
    let deletion = "DELETE FROM user_sessions WHERE ip_address = '198.51.100.7'";
    app.database.execute(deletion);
}

/// Advances the clock past the hour in which messages about sign-ins are limited.
fn advance_past_the_hour(app: &TestApp) {
    app.advance(61 * MINUTE);
}

fn mail_states(app: &TestApp) -> Vec<String> {
    let query = "SELECT state AS value FROM mail_queue ORDER BY id";
    app.database.texts(query).into_iter().flatten().collect()
}

async fn a_message_states_what_happened_where_and_when(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = start_with_mail(database, server.port()).await;
    app.login_from(&ada, IPHONE, ELSEWHERE, None).await;
    assert_eq!(app.deliver_mail().await, 1);
    let message = server.wait_for(1).await.remove(0);
    assert_eq!(message.from, "rollcall@example.org");
    assert_eq!(message.to, ["ada@example.org"]);
    assert_eq!(message.header("Subject"), "New sign-in to your account");
    assert_eq!(message.header("From"), "Rollcall <rollcall@example.org>");
    assert_eq!(message.header("Auto-Submitted"), "auto-generated");
    assert!(
        message.header("Date").contains("17 May 2031"),
        "{}",
        message.raw
    );
    assert!(message.header("Message-ID").ends_with("@example.org>"));
    for text in [message.plain(), message.html()] {
        for part in [
            "Safari on iPhone",
            ELSEWHERE,
            "17 May 2031, 08:30 UTC",
            &format!("{}/not-me/", app.base()),
            &format!("{}/devices", app.base()),
        ] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
    }
    assert!(message.html().contains("Review this sign-in"));
    // Opening the message must load nothing from any server.
    assert!(!message.html().contains("src="), "{}", message.html());
    app.stop().await;
}

async fn each_kind_of_alert_is_sent(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = start_with_mail(database, server.port()).await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    let mut phone = app.login_from(&ada, IPHONE, ELSEWHERE, Some("phone")).await;
    let spent = phone.refresh_token.clone();
    for _ in 0..2 {
        phone.refresh().await;
        app.advance(MINUTE);
    }
    app.anyone().refresh(&spent).await.expect(401);
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "another battery staple"),
    ];
    laptop
        .submit("/account", "/account/password", &fields)
        .await
        .expect(303);
    app.deliver_mail().await;
    let subjects: Vec<_> = server
        .wait_for(3)
        .await
        .iter()
        .map(|message| message.header("Subject"))
        .collect();
    assert_eq!(
        subjects,
        [
            "A device was signed out for safety",
            "Your password was changed",
            "New sign-in to your account",
        ]
    );
    app.stop().await;
}

async fn a_person_who_switched_mail_off_gets_none(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = start_with_mail(database, server.port()).await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    let response = laptop.submit("/account", "/account/alerts", &[]).await;
    laptop
        .follow(&response)
        .await
        .expect_words("You get no e-mail about new sign-ins.");
    sign_in_on_new_device(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 0);
    let switched_on = [("alert_emails", "on")];
    laptop
        .submit("/account", "/account/alerts", &switched_on)
        .await
        .expect(303);
    sign_in_on_new_device(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 1);
    // An intruder would switch the messages off first, so this needs step-up.
    app.advance(11 * MINUTE);
    laptop
        .submit("/account", "/account/alerts", &[])
        .await
        .expect(403);
    app.stop().await;
}

async fn a_person_without_a_mailbox_gets_none(database: Database) {
    let server = SmtpServer::start();
    let (app, _) = start_with_mail(database, server.port()).await;
    let user = format!("{}@external.invalid", "0".repeat(8));
    let external = app.register(&user).await;
    app.login_from(&external, FIREFOX, HOME, None).await;
    sign_in_on_new_device(&app, &external).await;
    assert_eq!(app.deliver_mail().await, 0);
    assert_eq!(mail_states(&app), Vec::<String>::new());
    app.stop().await;
}

async fn mail_is_retried_after_the_server_was_down(database: Database) {
    let server = SmtpServer::start();
    let port = server.port();
    server.stop();
    let (app, ada) = start_with_mail(database, port).await;
    // A sign-in doesn't wait for the SMTP server.
    sign_in_on_new_device(&app, &ada).await;
    sign_in_on_new_device(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 0);
    let server = SmtpServer::restart_at(port);
    // The first message waits a minute after its failed attempt; the second was not attempted.
    assert_eq!(app.deliver_mail().await, 1);
    assert_eq!(app.deliver_mail().await, 0);
    app.advance(MINUTE);
    assert_eq!(app.deliver_mail().await, 1);
    assert_eq!(server.wait_for(2).await.len(), 2);
    assert_eq!(mail_states(&app), ["sent", "sent"]);
    app.stop().await;
}

async fn a_temporary_refusal_is_retried_with_growing_waits(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = start_with_mail(database, server.port()).await;
    server.set("reject");
    sign_in_on_new_device(&app, &ada).await;
    // The wait doubles with each attempt: one minute, two, four.
    for pause in [1, 2, 4] {
        assert_eq!(app.deliver_mail().await, 0);
        app.advance(pause * MINUTE - Duration::from_secs(1));
        assert_eq!(app.deliver_mail().await, 0);
        app.advance(Duration::from_secs(1));
    }
    let attempts = "SELECT CAST(attempts AS TEXT) AS value FROM mail_queue";
    assert_eq!(app.database.texts(attempts), [Some("3".into())]);
    server.unset("reject");
    assert_eq!(app.deliver_mail().await, 1);
    assert_eq!(server.wait_for(1).await.len(), 1);
    app.stop().await;
}

async fn a_permanent_refusal_is_final(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = start_with_mail(database, server.port()).await;
    server.set("refuse");
    sign_in_on_new_device(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 0);
    assert_eq!(mail_states(&app), ["failed"]);
    server.unset("refuse");
    app.advance(60 * MINUTE);
    assert_eq!(app.deliver_mail().await, 0);
    // A refused message doesn't hold up the next one.
    sign_in_on_new_device(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 1);
    app.stop().await;
}

async fn a_message_that_may_have_been_sent_is_not_sent_again(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = start_with_mail(database, server.port()).await;
    server.set("drop");
    sign_in_on_new_device(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 0);
    assert_eq!(server.wait_for(1).await.len(), 1, "the server has it");
    assert_eq!(mail_states(&app), ["handed_over"]);
    server.unset("drop");
    for _ in 0..3 {
        app.advance(60 * MINUTE);
        assert_eq!(app.deliver_mail().await, 0);
    }
    assert_eq!(server.messages().len(), 1);
    app.stop().await;
}

async fn a_restart_loses_no_mail(database: Database) {
    let server = SmtpServer::start();
    let port = server.port();
    server.stop();
    let (app, ada) = start_with_mail(database, port).await;
    sign_in_on_new_device(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 0);
    // As after a node that crashed with a message claimed, whose lease expires.
    sign_in_on_new_device(&app, &ada).await;
    app.database.execute(
        "UPDATE mail_queue SET attempts = 1, due_at = '2031-05-17 08:32:00.000000+00' WHERE attempts = 0",
    );
    let database = app.stop_and_keep_database().await;

    let server = SmtpServer::restart_at(port);
    let app = TestApp::start_with(database, |settings| use_mail_server(settings, port)).await;
    app.advance(3 * MINUTE);
    assert_eq!(app.deliver_mail().await, 2);
    assert_eq!(server.wait_for(2).await.len(), 2);
    app.stop().await;
}

async fn a_stop_during_delivery_loses_no_message_and_sends_none_twice(database: Database) {
    const MESSAGES: usize = 30;

    let server = SmtpServer::start();
    let port = server.port();
    let (app, ada) = start_with_mail(database, port).await;
    for _ in 0..MESSAGES {
        sign_in_on_new_device(&app, &ada).await;
        advance_past_the_hour(&app);
    }
    let database = app.stop_and_keep_database().await;
    assert_eq!(server.messages().len(), 0);

    let app = TestApp::start_with(database, |settings| {
        use_mail_server(settings, port);
        settings.jobs.mail_interval = Duration::from_millis(100);
    })
    .await;
    for _ in 0..MESSAGES {
        advance_past_the_hour(&app);
    }
    server.wait_for_some().await;
    let database = app.stop_and_keep_database().await;
    let before = server.messages().len();

    let app = TestApp::start_with(database, |settings| use_mail_server(settings, port)).await;
    assert!(!mail_states(&app).contains(&"handed_over".to_owned()));
    for _ in 0..MESSAGES {
        advance_past_the_hour(&app);
    }
    assert_eq!(app.deliver_mail().await, MESSAGES - before);
    let mut ids: Vec<_> = server
        .messages()
        .iter()
        .map(|message| message.header("Message-ID"))
        .collect();
    assert_eq!(ids.len(), MESSAGES);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), MESSAGES, "no message came twice");
    app.stop().await;
}

async fn two_nodes_send_each_message_once(database: Database) {
    const MESSAGES: usize = 12;

    let server = SmtpServer::start();
    let (app, ada) = start_with_mail(database, server.port()).await;
    for _ in 0..MESSAGES {
        sign_in_on_new_device(&app, &ada).await;
        advance_past_the_hour(&app);
    }
    let other = app
        .another_node(|settings| use_mail_server(settings, server.port()))
        .await;
    let (here, there) = tokio::join!(app.deliver_mail(), other.deliver_mail());
    assert_eq!(here + there, MESSAGES);
    assert_eq!(server.wait_for(MESSAGES).await.len(), MESSAGES);
    let mut ids: Vec<_> = server
        .messages()
        .iter()
        .map(|message| message.header("Message-ID"))
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), MESSAGES, "no message came twice");
    other.stop().await;
    app.stop().await;
}

async fn mail_that_is_too_old_is_given_up(database: Database) {
    let server = SmtpServer::start();
    let port = server.port();
    server.stop();
    let (app, ada) = start_with_mail(database, port).await;
    sign_in_on_new_device(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 0);
    app.advance(Duration::from_secs(2 * 24 * 60 * 60));
    assert_eq!(app.deliver_mail().await, 0);
    assert_eq!(mail_states(&app), ["failed"]);
    app.stop().await;
}

async fn starttls_with_a_login(database: Database) {
    with_tls(database, Security::StartTls, MailTls::Starttls).await;
}

async fn implicit_tls_with_a_login(database: Database) {
    with_tls(database, Security::Implicit, MailTls::Implicit).await;
}

async fn with_tls(database: Database, security: Security, tls: MailTls) {
    let server = SmtpServer::start_with(security, Some(("rollcall", "let me in")));
    let app = TestApp::start_with(database, |settings| {
        use_mail_server(settings, server.port());
        settings.mail.tls = tls;
        settings.mail.ca_file = Some(server.ca_file());
        settings.mail.username = Some("rollcall".into());
        settings.mail.password = Some("let me in".into());
    })
    .await;
    let ada = app.register("ada@example.org").await;
    app.login_from(&ada, FIREFOX, HOME, None).await;
    sign_in_on_new_device(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 1);
    let message = server.wait_for(1).await.remove(0);
    assert!(message.is_tls);
    assert_eq!(message.user.as_deref(), Some("rollcall"));
    app.stop().await;
}

async fn a_server_with_an_untrusted_certificate_gets_no_mail(database: Database) {
    let server = SmtpServer::start_with(Security::StartTls, None);
    let app = TestApp::start_with(database, |settings| {
        use_mail_server(settings, server.port());
        settings.mail.tls = MailTls::Starttls;
    })
    .await;
    let ada = app.register("ada@example.org").await;
    app.login_from(&ada, FIREFOX, HOME, None).await;
    sign_in_on_new_device(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 0);
    assert_eq!(server.messages().len(), 0);
    assert_eq!(mail_states(&app), ["waiting"]);
    app.stop().await;
}

async fn a_name_cannot_inject_headers_or_markup_into_a_message(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = start_with_mail(database, server.port()).await;
    let agent = "<b>Evil</b>%0d%0aBcc:eve@example.org/1.0 (iPhone; iOS 17.1)";
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    app.login_from(&ada, agent, ELSEWHERE, None).await;
    let name = [("full_name", "</p><script>alert(1)</script>")];
    laptop
        .submit("/account", "/account/name", &name)
        .await
        .expect(303);
    app.deliver_mail().await;
    let messages = server.wait_for(1).await;
    assert_eq!(messages[0].to, ["ada@example.org"]);
    assert_eq!(messages[0].header("Bcc"), "");
    assert_eq!(messages[0].header("Subject"), "New sign-in to your account");
    let html = messages[0].html();
    assert!(
        !html.contains("<script>") && !html.contains("<b>"),
        "{html}"
    );
    app.stop().await;
}

/// While a slow node connects, its lease expires and another node claims the message.
async fn a_message_claimed_by_another_node_is_left_to_it(database: Database) {
    let server = SmtpServer::start();
    let (listener, port) = bind_listener().await;
    let (app, ada) = start_with_mail(database, port).await;
    sign_in_on_new_device(&app, &ada).await;
    let meanwhile = async {
        let (client, _) = listener.accept().await.expect("a connection");
        app.database
            .execute("UPDATE mail_queue SET attempts = attempts + 1");
        forward(client, server.port());
    };
    let (sent, ()) = tokio::join!(app.deliver_mail(), meanwhile);
    assert_eq!(sent, 0);
    assert_eq!(server.messages().len(), 0);
    assert_eq!(mail_states(&app), ["waiting"]);
    app.stop().await;
}

/// Another node has sent the message by the time the slow node's connection fails.
async fn a_message_sent_by_another_node_stays_sent(database: Database) {
    let (listener, port) = bind_listener().await;
    let (app, ada) = start_with_mail(database, port).await;
    sign_in_on_new_device(&app, &ada).await;
    let meanwhile = async {
        let connection = listener.accept().await.expect("a connection");
        app.database
            .execute("UPDATE mail_queue SET attempts = attempts + 1, state = 'sent'");
        drop(connection);
    };
    let (sent, ()) = tokio::join!(app.deliver_mail(), meanwhile);
    assert_eq!(sent, 0);
    assert_eq!(mail_states(&app), ["sent"]);
    app.stop().await;
}

async fn bind_listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await;
    let listener = listener.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// Forwards what a client and the server at `port` send each other.
fn forward(client: TcpStream, port: u16) {
    let client = client.into_std().expect("a connection");
    client.set_nonblocking(false).expect("it can wait");
    let server = std::net::TcpStream::connect(("127.0.0.1", port)).expect("the server");
    let both = |stream: &std::net::TcpStream| stream.try_clone().expect("the same connection");
    for (mut from, mut to) in [(both(&client), both(&server)), (server, client)] {
        std::thread::spawn(move || {
            // Either side may close first.
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Both);
        });
    }
}

#[test]
fn a_username_without_a_password_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::in_folder(folder.path())
        .env("ROLLCALL_MAIL__HOST", "127.0.0.1")
        .env("ROLLCALL_MAIL__USERNAME", "rollcall");
    let stderr = program
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .expect_failed(1);
    assert!(stderr.contains("mail.password"), "{stderr}");
}

#[test]
fn an_invalid_from_address_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::in_folder(folder.path()).env("ROLLCALL_MAIL__FROM", "nobody");
    let stderr = program
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .expect_failed(1);
    assert!(stderr.contains("mail.from"), "{stderr}");
}
