//! `[site]`: the service's own name, logo and accent color, on its pages and in its messages.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::support::app::use_mail_server;
use crate::support::html;
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::response::path_of;
use crate::support::smtp::{Message, SmtpServer};

on_both!(
    database: pages_have_the_name_of_the_service,
    a_name_is_text_and_nothing_else,
    pages_have_the_accent_color_and_the_logo,
    messages_have_the_name_the_color_and_the_logo,
    a_message_names_its_recipient_where_the_mailbox_is_theirs,
    a_sender_with_a_name_keeps_it,
);

/// A PNG of one pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

async fn pages_have_the_name_of_the_service(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.site.name = "Acme Login".into();
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let stranger = app.browser(FIREFOX);
    for page in [
        browser.get("/devices").await.expect(200),
        stranger.get("/sign-in").await.expect(200),
        stranger.get("/nowhere").await.expect(404),
    ] {
        assert!(page.text.contains(" · Acme Login</title>"), "{}", page.text);
        assert!(
            page.text.contains("<bdi>Acme Login</bdi></a>"),
            "{}",
            page.text
        );
        assert!(!page.text.contains("Rollcall"), "{}", page.text);
    }
    app.stop().await;
}

async fn a_name_is_text_and_nothing_else(database: Database) {
    let name = "<b>\"Acme\"</b> & Söhne</title>";
    let server = SmtpServer::start();
    let app = TestApp::start_with(database, |settings| {
        use_mail_server(settings, server.port());
        settings.mail.from = "login@example.org".into();
        settings.site.name = name.into();
    })
    .await;
    let page = app.browser(FIREFOX).get("/sign-in").await.expect(200);
    assert!(!page.text.contains("<b>"), "{}", page.text);
    assert!(page.words().contains(name), "{}", page.words());
    let message = alert_message(&app, &server, "ada@example.org").await;
    assert!(!message.html().contains("<b>"), "{}", message.html());
    assert!(message.plain().contains(name), "{}", message.plain());
    assert!(
        message.header("From").ends_with("<login@example.org>"),
        "{}",
        message.raw
    );
    app.stop().await;
}

async fn pages_have_the_accent_color_and_the_logo(database: Database) {
    let folder = tempfile::tempdir().expect("a folder");
    let logo = folder.path().join("logo.svg");
    let svg = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'/>";
    std::fs::write(&logo, svg).expect("a file");
    let app = TestApp::start_with(database, |settings| {
        settings.site.accent = "#6b2fbb".parse().ok();
        settings.site.logo = Some(logo.clone());
    })
    .await;
    let page = app.browser(FIREFOX).get("/sign-in").await.expect(200);
    let links = [
        html::attributes(&page.text, "href"),
        html::attributes(&page.text, "src"),
    ]
    .concat();
    let path = |part: &str| {
        let found = links.iter().find(|link| link.contains(part));
        path_of(found.unwrap_or_else(|| panic!("no {part} in {links:?}"))).to_owned()
    };
    let css = app.anyone().get(&path("/static/site.")).await.expect(200);
    assert_eq!(css.header("content-type"), "text/css; charset=utf-8");
    assert!(css.header("cache-control").contains("immutable"));
    assert!(
        css.text
            .contains("--accent: #6b2fbb; --accent-ink: #ffffff;"),
        "{}",
        css.text
    );
    assert!(
        css.text.contains("prefers-color-scheme: dark"),
        "{}",
        css.text
    );
    let logo = app.anyone().get(&path("/static/logo.")).await.expect(200);
    assert_eq!(logo.header("content-type"), "image/svg+xml; charset=utf-8");
    assert_eq!(logo.text, svg);
    app.stop().await;
}

async fn messages_have_the_name_the_color_and_the_logo(database: Database) {
    let folder = tempfile::tempdir().expect("a folder");
    let logo = folder.path().join("logo.png");
    std::fs::write(&logo, STANDARD.decode(PNG).expect("Base64")).expect("a file");
    let server = SmtpServer::start();
    let app = TestApp::start_with(database, |settings| {
        use_mail_server(settings, server.port());
        settings.mail.from = "login@example.org".into();
        settings.site.name = "Acme Login".into();
        settings.site.accent = "#6b2fbb".parse().ok();
        settings.site.logo = Some(logo.clone());
    })
    .await;
    let message = alert_message(&app, &server, "ada@example.org").await;
    assert_eq!(message.header("From"), "Acme Login <login@example.org>");
    assert_eq!(
        message.header("Subject"),
        "[Acme Login] New sign-in to your account"
    );
    for text in [message.plain(), message.html()] {
        assert!(text.contains("an account at Acme Login"), "{text}");
        assert!(text.contains("Your account: ada@example.org"), "{text}");
        assert!(!text.contains("Rollcall"), "{text}");
    }
    let html = message.html();
    for part in [
        "#6b2fbb",
        "role=\"main\"",
        "role=\"banner\"",
        "role=\"contentinfo\"",
        "lang=\"en\"",
        "src=\"cid:logo\"",
    ] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
    // The logo is in the message: opening it must load nothing from any server.
    assert!(
        message.raw.contains("Content-ID: <logo>"),
        "{}",
        message.raw
    );
    assert!(!html.contains("src=\"http"), "{html}");
    app.stop().await;
}

async fn a_message_names_its_recipient_where_the_mailbox_is_theirs(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with(database, |settings| {
        use_mail_server(settings, server.port());
    })
    .await;
    // Whoever signs up with a stranger's address writes nothing into the message to them.
    let fields = [
        ("full_name", "Win a prize today"),
        ("email", "victim@example.org"),
        ("password", PASSWORD),
    ];
    let browser = app.browser(FIREFOX);
    browser
        .submit("/sign-up", "/sign-up", &fields)
        .await
        .expect(303);
    app.deliver_mail().await;
    let message = server.messages().pop().expect("a message");
    assert!(!message.plain().contains("prize"), "{}", message.plain());
    assert!(message.plain().contains("Hello,\n"), "{}", message.plain());

    for (number, (name, greeting)) in [
        ("Ada King", "Hello Ada King,"),
        // Nor does whoever is signed in to the account.
        ("see https://evil.example", "Hello,"),
        ("V3 Person", "Hello V3 Person,"),
        ("Call 0800123456", "Hello,"),
        ("Ana 192.0.2", "Hello,"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("person-{number}@example.org");
        let person = app.register(&email).await;
        app.database.execute(&format!(
            "UPDATE users SET full_name = '{name}', email_verified_at = created_at WHERE email = '{email}'"
        ));
        app.browser(FIREFOX).sign_in(&person).await;
        let message = sign_in_elsewhere(&app, &server, &person).await;
        assert_eq!(message.to, [email]);
        assert!(
            message.plain().contains(&format!("{greeting}\n")),
            "{}",
            message.plain()
        );
        assert!(message.html().contains(greeting), "{}", message.html());
    }
    app.stop().await;
}

async fn a_sender_with_a_name_keeps_it(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with(database, |settings| {
        use_mail_server(settings, server.port());
        settings.mail.from = "IT desk <desk@example.org>".into();
        settings.site.name = "Acme Login".into();
    })
    .await;
    let message = alert_message(&app, &server, "ada@example.org").await;
    assert_eq!(message.header("From"), "IT desk <desk@example.org>");
    app.stop().await;
}

/// Returns the message about a sign-in of a new person with a second device.
async fn alert_message(app: &TestApp, server: &SmtpServer, email: &str) -> Message {
    let person = app.register(email).await;
    app.database
        .execute("UPDATE users SET email_verified_at = created_at");
    let browser = app.browser(FIREFOX);
    browser.sign_in(&person).await;
    sign_in_elsewhere(app, server, &person).await
}

async fn sign_in_elsewhere(app: &TestApp, server: &SmtpServer, person: &Person) -> Message {
    app.browser(IPHONE).sign_in(person).await;
    app.deliver_mail().await;
    server.messages().pop().expect("a message")
}

#[test]
fn a_color_that_can_not_be_read_stops_the_start() {
    for (accent, dark, key, ratio) in [
        (
            "#ffcc00",
            None,
            "site.accent ",
            "contrast with the background #f1f4f7 is 1.3",
        ),
        (
            "#0b6b4f",
            Some("#0b6b4f"),
            "site.accent_dark",
            "contrast with the background #161d25 is 2.6",
        ),
        ("green", None, "site.accent", "#rrggbb"),
    ] {
        let stderr = refused(&[("ACCENT", Some(accent)), ("ACCENT_DARK", dark)]);
        assert!(stderr.contains(key) && stderr.contains(ratio), "{stderr}");
    }
}

#[test]
fn a_name_or_a_logo_that_can_not_be_used_stops_the_start() {
    for name in ["", " Acme", "Ac\u{202e}me", &"x".repeat(61)] {
        let stderr = refused(&[("NAME", Some(name))]);
        assert!(stderr.contains("site.name"), "{name:?}: {stderr}");
    }
    for logo in ["nowhere.svg", "https://example.org/logo.svg", "/bin/sh"] {
        let stderr = refused(&[("LOGO", Some(logo))]);
        assert!(stderr.contains("site.logo"), "{logo}: {stderr}");
    }
}

#[test]
fn a_setting_that_can_not_be_used_stops_the_start_before_anything_is_written() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("its address").to_string();
    for (name, value, words) in [
        ("SITE__LOGO", "nowhere.svg", "site.logo"),
        ("DEVICE_PATTERNS", "nowhere.yaml", "device_patterns"),
        ("MAIL__FROM", "nobody", "mail.from"),
        ("MAIL__CA_FILE", "nowhere.pem", "mail.ca_file"),
        ("COOKIE_KEY", "short", "cookie_key"),
        ("PASSWORDS__MEMORY_KIB", "1", "passwords.memory_kib"),
        ("METRICS__LISTEN", &taken, "cannot serve metrics"),
        ("LISTEN", &taken, "cannot listen at"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut program = Program::in_folder(folder.path())
            .env("ROLLCALL_LISTEN", "127.0.0.1:0")
            .env("ROLLCALL_MAIL__HOST", "127.0.0.1");
        program = program.env(&format!("ROLLCALL_{name}"), value);
        let stderr = program.run(&["serve"]).expect_failed(1);
        assert!(stderr.contains(words), "{name}: {stderr}");
        let mut left = std::fs::read_dir(folder.path()).expect("the folder");
        let left = left.next().map(|entry| entry.expect("an entry").path());
        assert_eq!(left, None, "{name}: {stderr}");
    }
}

/// Returns the errors of a start with these settings of the site.
fn refused(settings: &[(&str, Option<&str>)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut program = Program::in_folder(folder.path());
    for (name, value) in settings {
        if let Some(value) = value {
            program = program.env(&format!("ROLLCALL_SITE__{name}"), value);
        }
    }
    program
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .expect_failed(1)
}
