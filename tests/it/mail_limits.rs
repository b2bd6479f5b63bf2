//! The queue of messages: what strangers can cause is limited for each address and kind, what
//! matters most goes out first, and nothing that happened is left untold.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use crate::support::eventually;
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::smtp::{Message, SmtpServer};

on_both!(
    database: a_flood_of_sign_ins_is_told_of_in_one_message,
    a_flood_over_the_hours_border_loses_no_alert,
    a_flood_on_two_nodes_loses_no_alert,
    the_message_about_several_sign_ins_reports_all_of_them,
    urgent_messages_go_out_first,
    alerts_about_the_account_go_out_before_what_strangers_cause,
    a_message_that_cannot_be_rendered_stops_no_other,
    a_queued_message_to_a_replaced_address_is_not_sent,
    an_unverified_address_gets_no_alerts,
    an_address_from_before_gets_alerts_without_password_links,
    text_from_outside_gets_into_no_header,
    old_messages_are_purged,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";
const MINUTE: Duration = Duration::from_secs(60);
const MORE: &str = "More sign-ins to your account";

async fn set_up(database: Database) -> (TestApp, SmtpServer, Person) {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |_| {}).await;
    let ada = app.register("ada@example.org").await;
    app.login_from(&ada, FIREFOX, HOME, Some("laptop")).await;
    app.advance(MINUTE);
    (app, server, ada)
}

async fn stop(app: TestApp, server: SmtpServer) {
    server.stop();
    app.stop().await;
}

/// Signs in on a new device, and deletes its session so that the next sign-in is on a new one too.
async fn sign_in_on_new_device(app: &TestApp, person: &Person) {
    app.login_from(person, IPHONE, ELSEWHERE, None).await;
    app.database
        .execute("DELETE FROM user_sessions WHERE ip_address = '198.51.100.7'");
}

fn alerts(app: &TestApp) -> usize {
    let count = app.database.number("SELECT count(*) AS value FROM alerts");
    usize::try_from(count).expect("a count")
}

fn subjects(messages: &[Message]) -> Vec<String> {
    let subject = |message: &Message| message.header("Subject");
    messages.iter().map(subject).collect()
}

/// Returns how many sign-ins the messages report together: one each, or the number in them.
fn reported_in(messages: &[Message]) -> usize {
    let number = |message: &Message| match message.header("Subject").as_str() {
        "New sign-in to your account" => 1,
        MORE => {
            let words: Vec<String> = message.plain().split_whitespace().map(Into::into).collect();
            let at = words
                .iter()
                .position(|word| word == "more")
                .expect("a number");
            words[at - 1].parse().expect("a number")
        }
        other => panic!("{other}"),
    };
    messages.iter().map(number).sum()
}

async fn a_flood_of_sign_ins_is_told_of_in_one_message(database: Database) {
    let (app, server, ada) = set_up(database).await;
    for _ in 0..40 {
        sign_in_on_new_device(&app, &ada).await;
    }
    assert_eq!(app.deliver_mail().await, 3);
    app.advance(59 * MINUTE);
    assert_eq!(app.deliver_mail().await, 0);
    app.advance(2 * MINUTE);
    assert_eq!(app.deliver_mail().await, 1);
    let messages = server.wait_for(4).await;
    let single: Vec<String> = messages
        .iter()
        .take(3)
        .map(|it| it.html().clone())
        .collect();
    let has_earlier = "such sign-in; the one before was on 17 May 2031, 08:31 UTC";
    assert!(
        single.iter().any(|it| it.contains(has_earlier)),
        "{single:?}"
    );
    let last = messages.last().expect("a message");
    assert_eq!(last.header("Subject"), MORE);
    assert!(last.html().contains("Review these sign-ins"));
    for text in [last.plain(), last.html()] {
        assert!(text.contains("37 more"), "{text}");
        assert!(text.contains("Safari on iPhone"), "{text}");
        assert!(text.contains("17 May 2031, 08:31 UTC"), "{text}");
        assert!(text.contains("and 17 more"), "{text}");
        // Of one minute, and told apart.
        for nth in ["first", "second", "20th"] {
            assert_eq!(
                text.matches(&format!("· {nth} sign-in")).count(),
                1,
                "{text}"
            );
        }
        assert!(text.contains("/devices"), "{text}");
    }
    // There is room for single ones again.
    sign_in_on_new_device(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 1);
    assert_eq!(reported_in(&server.wait_for(5).await), alerts(&app));
    stop(app, server).await;
}

async fn a_flood_over_the_hours_border_loses_no_alert(database: Database) {
    let (app, server, ada) = set_up(database).await;
    for _ in 0..9 {
        for _ in 0..2 {
            sign_in_on_new_device(&app, &ada).await;
        }
        app.advance(20 * MINUTE);
        app.deliver_mail().await;
    }
    // The mail server is slower than the flood: what was to be sent waits.
    for _ in 0..9 {
        sign_in_on_new_device(&app, &ada).await;
        app.advance(20 * MINUTE);
    }
    app.advance(61 * MINUTE);
    app.deliver_mail().await;
    let messages = server.messages();
    assert!(subjects(&messages).contains(&MORE.to_owned()));
    assert_eq!(reported_in(&messages), alerts(&app));
    assert_eq!(alerts(&app), 27);
    stop(app, server).await;
}

async fn a_flood_on_two_nodes_loses_no_alert(database: Database) {
    let (app, server, ada) = set_up(database).await;
    let other = app.another_node(|settings| {
        crate::support::app::use_mail_server(settings, server.port());
    });
    let other = other.await;
    let bases = [app.base(), other.base()];
    let held = lock_queue(&app.database);
    let logins: Vec<_> = (0..24)
        .map(|n| {
            let body = json!({"email": ada.email, "password": ada.password});
            let request = crate::support::api::Anyone::new(bases[n % 2].clone())
                .request("POST", "/api/v1/auth/login")
                .header("user-agent", IPHONE)
                .header("x-forwarded-for", format!("198.51.{n}.7"))
                .json(&body);
            actix_web::rt::spawn(async move { TestResponse::to(request).await })
        })
        .collect();
    release_once_more_wait_than_are_sent(&app.database, held).await;
    for login in logins {
        login.await.expect("a response").expect(200);
    }
    let (here, there) = tokio::join!(app.deliver_mail(), other.deliver_mail());
    assert_eq!(here + there, 3);
    app.advance(61 * MINUTE);
    let (here, there) = tokio::join!(app.deliver_mail(), other.deliver_mail());
    assert_eq!(here + there, 1);
    assert_eq!(reported_in(&server.wait_for(4).await), alerts(&app));
    assert_eq!(alerts(&app), 24);
    other.stop().await;
    stop(app, server).await;
}

/// On PostgreSQL, keeps messages from being queued: more sign-ins than may have one of their own get
/// as far as they can. SQLite has only one writer.
fn lock_queue(database: &Database) -> Option<PgConnection> {
    database.postgres_name()?;
    let mut held = PgConnection::establish(&database.url()).expect("a connection");
    held.batch_execute("BEGIN; LOCK TABLE mail_queue IN EXCLUSIVE MODE")
        .expect("the lock");
    Some(held)
}

async fn release_once_more_wait_than_are_sent(database: &Database, held: Option<PgConnection>) {
    let Some(mut held) = held else { return };
    let waiting = "SELECT count(*) AS value FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("four wait", async || database.number(waiting) >= 4).await;
    held.batch_execute("COMMIT").expect("the end");
}

async fn the_message_about_several_sign_ins_reports_all_of_them(database: Database) {
    let (app, server, ada) = set_up(database).await;
    for _ in 0..3 {
        sign_in_on_new_device(&app, &ada).await;
    }
    let mut intruders = Vec::new();
    for n in 0..3 {
        let ip = format!("198.51.{n}.7");
        intruders.push(app.login_from(&ada, IPHONE, &ip, None).await);
    }
    app.advance(61 * MINUTE);
    app.deliver_mail().await;
    let messages = server.wait_for(4).await;
    let more = messages
        .iter()
        .find(|message| message.header("Subject") == MORE);
    let link = more.expect("a message").link("/not-me/");
    let reader = app.browser(FIREFOX);
    let page = reader.get(&link).await.expect(200);
    page.expect_words("No, sign them out Yes, all of it was me")
        .expect_words("To decide one by one, open Your devices.");
    assert_eq!(app.database.sessions_where("is_active"), 4);
    let form = reader.form(&link, &link).await;
    reader
        .send(&form, &[("answer", "not-mine")])
        .await
        .expect(200)
        .expect_words(
            "3 devices named Safari on iPhone are signed out, and no longer count as yours.",
        );
    for intruder in intruders {
        intruder.current().await.expect(401);
    }
    assert_eq!(app.database.sessions_where("is_active"), 1);
    let page = reader.get(&link).await.expect(410);
    let reviewed = "This was answered “No, sign them out” on 17 May 2031";
    let page = page.expect_words(reviewed);
    page.expect_words("Safari on iPhone was signed out.");
    let late = reader.send(&form, &[("answer", "mine")]).await.expect(410);
    late.expect_words("These were answered already, so your “Yes, all of it was me” did nothing.");
    stop(app, server).await;
}

async fn urgent_messages_go_out_first(database: Database) {
    let (app, server, ada) = set_up(database).await;
    sign_in_on_new_device(&app, &ada).await;
    // As in an attack on many accounts: 256 messages wait.
    let (id, _) = app.database.random_id_and_text();
    for _ in 0..8 {
        app.database.execute(&format!(
            "INSERT INTO mail_queue (id, user_id, alert_id, recipient, due_at, created_at, updated_at) \
             SELECT {id}, user_id, alert_id, recipient, due_at, created_at, updated_at FROM mail_queue"
        ));
    }
    app.advance(MINUTE);
    let reader = app.browser(FIREFOX);
    let fields = [("email", ada.email.as_str())];
    reader
        .submit("/forgot-password", "/forgot-password", &fields)
        .await
        .expect(200);
    assert_eq!(app.deliver_mail().await, 257);
    assert_eq!(server.messages()[0].header("Subject"), "Set a new password");
    stop(app, server).await;
}

/// Strangers who sign up can't hold back what a person must know.
async fn alerts_about_the_account_go_out_before_what_strangers_cause(database: Database) {
    let (app, server, ada) = set_up(database).await;
    let laptop = app.browser_from(FIREFOX, "203.0.113.7");
    laptop.sign_in(&ada).await.expect(303);
    app.deliver_mail().await;
    let before = server.messages().len();
    for n in 0..10 {
        app.register_unverified(&format!("stranger-{n}@example.org"))
            .await;
    }
    let reader = app.browser(FIREFOX);
    let ask = [("email", ada.email.as_str())];
    reader
        .submit("/forgot-password", "/forgot-password", &ask)
        .await
        .expect(200);
    app.advance(MINUTE);
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "another battery staple"),
    ];
    laptop
        .submit("/account", "/account/password", &fields)
        .await
        .expect(303);
    app.deliver_mail().await;
    let subjects: Vec<String> = server.messages()[before..before + 3]
        .iter()
        .map(|message| message.header("Subject"))
        .collect();
    assert_eq!(
        subjects,
        [
            "Your password was changed",
            "Set a new password",
            "Verify your e-mail address"
        ]
    );
    stop(app, server).await;
}

async fn a_message_that_cannot_be_rendered_stops_no_other(database: Database) {
    let (app, server, ada) = set_up(database).await;
    sign_in_on_new_device(&app, &ada).await;
    app.database.execute("UPDATE alerts SET kind = 'nonsense'");
    app.advance(MINUTE);
    sign_in_on_new_device(&app, &ada).await;
    assert_eq!(app.deliver_mail().await, 1);
    let states = "SELECT state AS value FROM mail_queue ORDER BY id";
    let text = |state: &str| Some(state.to_owned());
    assert_eq!(app.database.texts(states), [text("waiting"), text("sent")]);
    app.advance(Duration::from_secs(3 * 24 * 60 * 60));
    assert_eq!(app.deliver_mail().await, 0);
    assert_eq!(app.database.texts(states), [text("failed"), text("sent")]);
    stop(app, server).await;
}

async fn a_queued_message_to_a_replaced_address_is_not_sent(database: Database) {
    let (app, server, ada) = set_up(database).await;
    sign_in_on_new_device(&app, &ada).await;
    let set = [
        "user",
        "set-email",
        "--email",
        &ada.email,
        "--to",
        "b@example.org",
    ];
    Program::with(&app.database).run(&set).expect_done();
    app.deliver_mail().await;
    let to_former = "SELECT state AS value FROM mail_queue WHERE recipient = 'ada@example.org'";
    assert_eq!(app.database.texts(to_former), [Some("void".into())]);
    assert!(
        server
            .messages()
            .iter()
            .all(|message| message.to == ["b@example.org"])
    );
    stop(app, server).await;
}

async fn an_unverified_address_gets_no_alerts(database: Database) {
    let (app, server, _) = set_up(database).await;
    let eve = app.register_unverified("victim@example.org").await;
    assert_eq!(app.deliver_mail().await, 1);
    let browser = app.browser_from(FIREFOX, HOME);
    browser.sign_in(&eve).await.expect(303);
    sign_in_on_new_device(&app, &eve).await;
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "another battery staple"),
    ];
    browser
        .submit("/account", "/account/password", &fields)
        .await
        .expect(303);
    assert_eq!(app.deliver_mail().await, 0);
    assert!(alerts(&app) > 0);
    stop(app, server).await;
}

async fn an_address_from_before_gets_alerts_without_password_links(database: Database) {
    let (app, server, ada) = set_up(database).await;
    app.database
        .execute("UPDATE users SET email_verified_at = NULL, is_email_from_before = true");
    app.login_from(&ada, IPHONE, ELSEWHERE, None).await;
    assert_eq!(app.deliver_mail().await, 1);
    let message = server.wait_for(1).await.remove(0);
    assert!(!message.plain().contains("password"), "{}", message.plain());
    let link = message.link("/not-me/");
    let reader = app.browser(FIREFOX);
    let page = reader.submit(&link, &link, &[("answer", "not-mine")]).await;
    let page = page.expect(200);
    assert!(!page.text.contains("ticket"), "{}", page.text);
    page.expect_words("choose “Forgotten your password?”");
    stop(app, server).await;
}

async fn text_from_outside_gets_into_no_header(database: Database) {
    let (app, server, ada) = set_up(database).await;
    let hostile = "Your account is blocked: call +1 555 0100 \u{202e}%0d%0aBcc: eve@example.org";
    let body = json!({"email": ada.email, "password": ada.password, "device_name": hostile});
    let request = app
        .anyone()
        .request("POST", "/api/v1/auth/login")
        .header(
            "user-agent",
            "Call +1 555 0100 now!\tBcc: eve@example.org/1.0",
        )
        .header("x-forwarded-for", ELSEWHERE);
    TestResponse::to(request.json(&body)).await.expect(200);
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await.expect(303);
    let name = [("full_name", hostile)];
    laptop
        .submit("/account", "/account/name", &name)
        .await
        .expect(303);
    let fields = [("email", ada.email.as_str())];
    let reader = app.browser("Call +1 555 0100 now!");
    reader
        .submit("/forgot-password", "/forgot-password", &fields)
        .await
        .expect(200);
    app.deliver_mail().await;
    let messages = server.messages();
    assert!(messages.len() >= 2);
    for message in messages {
        assert_eq!(message.to, ["ada@example.org"]);
        assert_eq!(message.header("Bcc"), "");
        let (headers, _) = message
            .raw
            .split_once("\r\n\r\n")
            .unwrap_or((&message.raw, ""));
        assert!(
            !headers.contains("555") && !headers.contains("eve@"),
            "{headers}"
        );
        let subject = message.header("Subject");
        assert!(
            ["New sign-in to your account", "Set a new password"].contains(&subject.as_str()),
            "{subject}"
        );
    }
    stop(app, server).await;
}

async fn old_messages_are_purged(database: Database) {
    let (app, server, ada) = set_up(database).await;
    let reader = app.browser(FIREFOX);
    let fields = [("email", ada.email.as_str())];
    reader
        .submit("/forgot-password", "/forgot-password", &fields)
        .await
        .expect(200);
    app.deliver_mail().await;
    let count = "SELECT count(*) AS value FROM mail_queue";
    app.advance(Duration::from_secs(60 * 24 * 60 * 60));
    app.sweep().await;
    assert_eq!(app.database.number(count), 1);
    app.advance(Duration::from_secs(400 * 24 * 60 * 60));
    app.sweep().await;
    assert_eq!(app.database.number(count), 0);
    stop(app, server).await;
}
