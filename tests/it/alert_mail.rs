//! Alerts by e-mail, with a real mail server: sent once, later if need be, and never in anybody's way.

use actix_web::rt::net::{TcpListener, TcpStream};
use rollcall::settings::{MailTls, Settings};

use crate::support::app::behind_proxy;
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::smtp::{Security, SmtpServer};

on_both!(
    database: an_alert_tells_what_where_and_when,
    each_kind_of_alert_is_sent,
    whoever_does_not_want_mail_gets_none,
    a_person_without_a_mailbox_gets_none,
    mail_down_means_mail_later,
    a_server_that_says_not_now_is_asked_again,
    a_server_that_says_never_is_believed,
    what_may_have_been_sent_is_not_sent_again,
    a_restart_loses_no_mail,
    a_stop_in_the_middle_loses_none_and_sends_none_twice,
    two_nodes_send_each_message_once,
    mail_that_is_too_old_is_given_up,
    starttls_with_a_login,
    tls_from_the_beginning,
    a_certificate_that_is_not_trusted_gets_no_mail,
    a_device_name_cannot_put_anything_into_a_message,
    sign_ins_without_end_do_not_bury_the_first,
    a_change_that_may_be_an_intruders_is_mailed_to_the_old_address,
    what_another_node_has_claimed_is_left_to_it,
    what_another_node_has_sent_stays_sent,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";
const MINUTE: Duration = Duration::from_secs(60);

/// The settings for a mail server without TLS.
fn mailing(settings: &mut Settings, port: u16) {
    behind_proxy(settings);
    settings.mail.host = Some("127.0.0.1".into());
    settings.mail.port = Some(port);
    settings.mail.tls = MailTls::None;
    settings.mail.from = "Rollcall <rollcall@example.org>".into();
    // The tests ask for deliveries themselves.
    settings.jobs.mail_interval = Duration::from_secs(24 * 60 * 60);
}

async fn started(database: Database, port: u16) -> (TestApp, Person) {
    let app = TestApp::start_with(database, |settings| mailing(settings, port)).await;
    let ada = app.register("ada@example.org").await;
    app.login_from(&ada, FIREFOX, HOME, Some("laptop")).await;
    (app, ada)
}

/// Signs in on a device that has not been there before.
async fn news(app: &TestApp, person: &Person) {
    app.login_from(person, IPHONE, ELSEWHERE, None).await;
    let newest = "DELETE FROM user_sessions WHERE ip_address = '198.51.100.7'";
    app.database.execute(newest);
}

/// Lets the next letter be the first of its hour.
fn pass_the_hour(app: &TestApp) {
    app.advance(61 * MINUTE);
}

fn states(app: &TestApp) -> Vec<String> {
    let states = "SELECT state AS value FROM mail_queue ORDER BY id";
    app.database.texts(states).into_iter().flatten().collect()
}

async fn an_alert_tells_what_where_and_when(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = started(database, server.port()).await;
    app.login_from(&ada, IPHONE, ELSEWHERE, None).await;
    assert_eq!(app.deliver_mail().await, 1);
    let message = server.wait_for(1).await.remove(0);
    assert_eq!(message.from, "rollcall@example.org");
    assert_eq!(message.to, ["ada@example.org"]);
    assert_eq!(message.header("Subject"), "New sign-in: Safari on iPhone");
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
    assert!(message.html().contains("This wasn’t me"));
    // The link is no attachment to anything else: nothing is loaded from anywhere.
    assert!(!message.html().contains("src="), "{}", message.html());
    app.stop().await;
}

async fn each_kind_of_alert_is_sent(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = started(database, server.port()).await;
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
            "New sign-in: Safari on iPhone",
            "A device was signed out for safety: Safari on iPhone",
            "Your password was changed: Firefox on Windows",
        ]
    );
    app.stop().await;
}

async fn whoever_does_not_want_mail_gets_none(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = started(database, server.port()).await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    let response = laptop.submit("/account", "/account/alerts", &[]).await;
    laptop.follow(&response).await.expect_words("It is saved.");
    news(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 0);
    let wanted = [("alert_emails", "on")];
    laptop
        .submit("/account", "/account/alerts", &wanted)
        .await
        .expect(303);
    news(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 1);
    // A thief would switch them off first: that needs the password.
    app.advance(11 * MINUTE);
    laptop
        .submit("/account", "/account/alerts", &[])
        .await
        .expect(403);
    app.stop().await;
}

async fn a_person_without_a_mailbox_gets_none(database: Database) {
    let server = SmtpServer::start();
    let (app, _) = started(database, server.port()).await;
    let user = format!("{}@external.invalid", "0".repeat(8));
    let nobody = app.register(&user).await;
    app.login_from(&nobody, FIREFOX, HOME, None).await;
    news(&app, &nobody).await;
    assert_eq!(app.deliver_mail().await, 0);
    assert_eq!(states(&app), Vec::<String>::new());
    app.stop().await;
}

async fn mail_down_means_mail_later(database: Database) {
    let server = SmtpServer::start();
    let port = server.port();
    server.stop();
    let (app, ada) = started(database, port).await;
    // Signing in does not wait for it.
    news(&app, &ada).await;
    news(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 0);
    let server = SmtpServer::restart_at(port);
    // One was tried, and waits a minute; the other was left for the next round.
    assert_eq!(app.deliver_mail().await, 1);
    assert_eq!(app.deliver_mail().await, 0);
    app.advance(MINUTE);
    assert_eq!(app.deliver_mail().await, 1);
    assert_eq!(server.wait_for(2).await.len(), 2);
    assert_eq!(states(&app), ["sent", "sent"]);
    app.stop().await;
}

async fn a_server_that_says_not_now_is_asked_again(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = started(database, server.port()).await;
    server.set("reject");
    news(&app, &ada).await;
    // After one minute, two, four: each pause is twice as long.
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

async fn a_server_that_says_never_is_believed(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = started(database, server.port()).await;
    server.set("refuse");
    news(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 0);
    assert_eq!(states(&app), ["failed"]);
    server.unset("refuse");
    app.advance(60 * MINUTE);
    assert_eq!(app.deliver_mail().await, 0);
    // One that is refused keeps nobody else from theirs.
    news(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 1);
    app.stop().await;
}

async fn what_may_have_been_sent_is_not_sent_again(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = started(database, server.port()).await;
    server.set("drop");
    news(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 0);
    assert_eq!(server.wait_for(1).await.len(), 1, "it has it");
    assert_eq!(states(&app), ["handed_over"]);
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
    let (app, ada) = started(database, port).await;
    news(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 0);
    // A node that died while it held one: its lease runs out.
    news(&app, &ada).await;
    app.database.execute(
        "UPDATE mail_queue SET attempts = 1, due_at = '2031-05-17 08:32:00.000000+00' WHERE attempts = 0",
    );
    let database = app.stop_and_keep_database().await;

    let server = SmtpServer::restart_at(port);
    let app = TestApp::start_with(database, |settings| mailing(settings, port)).await;
    app.advance(3 * MINUTE);
    assert_eq!(app.deliver_mail().await, 2);
    assert_eq!(server.wait_for(2).await.len(), 2);
    app.stop().await;
}

async fn a_stop_in_the_middle_loses_none_and_sends_none_twice(database: Database) {
    const MESSAGES: usize = 30;

    let server = SmtpServer::start();
    let port = server.port();
    let (app, ada) = started(database, port).await;
    for _ in 0..MESSAGES {
        news(&app, &ada).await;
        pass_the_hour(&app);
    }
    let database = app.stop_and_keep_database().await;
    assert_eq!(server.messages().len(), 0);

    let app = TestApp::start_with(database, |settings| {
        mailing(settings, port);
        settings.jobs.mail_interval = Duration::from_millis(100);
    })
    .await;
    for _ in 0..MESSAGES {
        pass_the_hour(&app);
    }
    server.wait_for_some().await;
    let database = app.stop_and_keep_database().await;
    let before = server.messages().len();

    let app = TestApp::start_with(database, |settings| mailing(settings, port)).await;
    assert!(!states(&app).contains(&"handed_over".to_owned()));
    for _ in 0..MESSAGES {
        pass_the_hour(&app);
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
    assert_eq!(ids.len(), MESSAGES, "no letter came twice");
    app.stop().await;
}

async fn two_nodes_send_each_message_once(database: Database) {
    const MESSAGES: usize = 12;

    let server = SmtpServer::start();
    let (app, ada) = started(database, server.port()).await;
    for _ in 0..MESSAGES {
        news(&app, &ada).await;
        pass_the_hour(&app);
    }
    let other = app
        .another_node(|settings| mailing(settings, server.port()))
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
    assert_eq!(ids.len(), MESSAGES, "no letter came twice");
    other.stop().await;
    app.stop().await;
}

async fn mail_that_is_too_old_is_given_up(database: Database) {
    let server = SmtpServer::start();
    let port = server.port();
    server.stop();
    let (app, ada) = started(database, port).await;
    news(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 0);
    app.advance(Duration::from_secs(2 * 24 * 60 * 60));
    assert_eq!(app.deliver_mail().await, 0);
    assert_eq!(states(&app), ["failed"]);
    app.stop().await;
}

async fn starttls_with_a_login(database: Database) {
    with_tls(database, Security::StartTls, MailTls::Starttls).await;
}

async fn tls_from_the_beginning(database: Database) {
    with_tls(database, Security::Implicit, MailTls::Implicit).await;
}

async fn with_tls(database: Database, security: Security, tls: MailTls) {
    let server = SmtpServer::start_with(security, Some(("rollcall", "let me in")));
    let app = TestApp::start_with(database, |settings| {
        mailing(settings, server.port());
        settings.mail.tls = tls;
        settings.mail.ca_file = Some(server.ca_file());
        settings.mail.username = Some("rollcall".into());
        settings.mail.password = Some("let me in".into());
    })
    .await;
    let ada = app.register("ada@example.org").await;
    app.login_from(&ada, FIREFOX, HOME, None).await;
    news(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 1);
    let message = server.wait_for(1).await.remove(0);
    assert!(message.is_tls);
    assert_eq!(message.user.as_deref(), Some("rollcall"));
    app.stop().await;
}

async fn a_certificate_that_is_not_trusted_gets_no_mail(database: Database) {
    let server = SmtpServer::start_with(Security::StartTls, None);
    let app = TestApp::start_with(database, |settings| {
        mailing(settings, server.port());
        settings.mail.tls = MailTls::Starttls;
    })
    .await;
    let ada = app.register("ada@example.org").await;
    app.login_from(&ada, FIREFOX, HOME, None).await;
    news(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 0);
    assert_eq!(server.messages().len(), 0);
    assert_eq!(states(&app), ["waiting"]);
    app.stop().await;
}

async fn a_device_name_cannot_put_anything_into_a_message(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = started(database, server.port()).await;
    let agent = "<b>Evil</b>%0d%0aBcc:eve@example.org/1.0 (iPhone; iOS 17.1)";
    app.login_from(&ada, agent, ELSEWHERE, None).await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    let name = [("full_name", "</p><script>alert(1)</script>")];
    laptop
        .submit("/account", "/account/name", &name)
        .await
        .expect(303);
    app.deliver_mail().await;
    let messages = server.wait_for(1).await;
    assert_eq!(messages[0].to, ["ada@example.org"]);
    assert_eq!(messages[0].header("Bcc"), "");
    let html = messages[0].html();
    assert!(
        !html.contains("<script>") && !html.contains("<b>"),
        "{html}"
    );
    app.stop().await;
}

async fn sign_ins_without_end_do_not_bury_the_first(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = started(database, server.port()).await;
    for _ in 0..15 {
        news(&app, &ada).await;
    }
    assert_eq!(app.deliver_mail().await, 10);
    app.advance(61 * MINUTE);
    news(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 1);
    app.stop().await;
}

async fn a_change_that_may_be_an_intruders_is_mailed_to_the_old_address(database: Database) {
    let server = SmtpServer::start();
    let (app, ada) = started(database, server.port()).await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    // Switched off, and to another mailbox: as a thief would have it.
    laptop
        .submit("/account", "/account/alerts", &[])
        .await
        .expect(303);
    let theirs = [("email", "thief@example.org")];
    laptop
        .submit("/account", "/account/email", &theirs)
        .await
        .expect(303);
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "another battery staple"),
    ];
    laptop
        .submit("/account", "/account/password", &fields)
        .await
        .expect(303);
    assert_eq!(app.deliver_mail().await, 2);
    for message in server.wait_for(2).await {
        assert_eq!(
            message.to,
            ["ada@example.org"],
            "{}",
            message.header("Subject")
        );
    }
    app.stop().await;
}

/// A node so slow that its lease runs out: as it connects, another one claims the letter.
async fn what_another_node_has_claimed_is_left_to_it(database: Database) {
    let server = SmtpServer::start();
    let (listener, port) = listening().await;
    let (app, ada) = started(database, port).await;
    news(&app, &ada).await;
    let meanwhile = async {
        let (client, _) = listener.accept().await.expect("a connection");
        app.database
            .execute("UPDATE mail_queue SET attempts = attempts + 1");
        pass_on(client, server.port());
    };
    let (sent, ()) = tokio::join!(app.deliver_mail(), meanwhile);
    assert_eq!(sent, 0);
    assert_eq!(server.messages().len(), 0);
    assert_eq!(states(&app), ["waiting"]);
    app.stop().await;
}

/// The same, but the other one has sent it already, and the slow one finds no server.
async fn what_another_node_has_sent_stays_sent(database: Database) {
    let (listener, port) = listening().await;
    let (app, ada) = started(database, port).await;
    news(&app, &ada).await;
    let meanwhile = async {
        let connection = listener.accept().await.expect("a connection");
        app.database
            .execute("UPDATE mail_queue SET attempts = attempts + 1, state = 'sent'");
        drop(connection);
    };
    let (sent, ()) = tokio::join!(app.deliver_mail(), meanwhile);
    assert_eq!(sent, 0);
    assert_eq!(states(&app), ["sent"]);
    app.stop().await;
}

async fn listening() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await;
    let listener = listener.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// Passes on what a client and the server at that port say to each other.
fn pass_on(client: TcpStream, port: u16) {
    let client = client.into_std().expect("a connection");
    client.set_nonblocking(false).expect("it can wait");
    let server = std::net::TcpStream::connect(("127.0.0.1", port)).expect("the server");
    let both = |stream: &std::net::TcpStream| stream.try_clone().expect("the same connection");
    for (mut from, mut to) in [(both(&client), both(&server)), (server, client)] {
        std::thread::spawn(move || {
            // Either side may go away first.
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Both);
        });
    }
}

#[test]
fn half_of_the_credentials_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::in_folder(folder.path())
        .env("ROLLCALL_MAIL__HOST", "127.0.0.1")
        .env("ROLLCALL_MAIL__USERNAME", "rollcall");
    let said = program
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .expect_failed(1);
    assert!(said.contains("mail.password"), "{said}");
}

#[test]
fn a_from_that_is_no_address_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::in_folder(folder.path()).env("ROLLCALL_MAIL__FROM", "nobody");
    let said = program
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .expect_failed(1);
    assert!(said.contains("mail.from"), "{said}");
}
