//! What stays open while others guess or flood: recovery, right passwords that come at once, and everything
//! after the clock was set back.

use futures_util::future::join_all;

use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;

on_both!(
    app: right_passwords_beyond_the_free_failures_come_at_once_and_none_is_refused,
        a_clock_that_is_set_back_locks_nobody_out,
);
on_both!(
    database: a_flood_of_sign_ins_leaves_recovery_open,
        who_hammers_one_account_uses_up_no_allowance_of_the_node,
        new_passwords_that_are_refused_count_as_no_sign_ups,
);

const A: &str = "203.0.113.7";
const B: &str = "203.0.113.8";
const NEW: &str = "an entirely new passphrase";

async fn login(app: &TestApp, email: &str, password: &str, ip: &str) -> TestResponse {
    let request = app
        .anyone()
        .request("POST", "/api/v1/auth/login")
        .header("x-forwarded-for", ip)
        .json(&json!({"email": email, "password": password}));
    TestResponse::to(request).await
}

async fn right_passwords_beyond_the_free_failures_come_at_once_and_none_is_refused(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let other = app.another_node(|_| {}).await;
    let body = json!({"email": ada.email, "password": PASSWORD});
    let clients = [app.anyone(), crate::support::api::Anyone::new(other.base())];
    let logins = (0..30).map(|number| clients[number % 2].post("/api/v1/auth/login", &body));
    for response in join_all(logins).await {
        response.expect(200);
    }
    let rows = "SELECT count(*) AS value FROM account_throttles WHERE user_id IS NOT NULL";
    assert_eq!(app.database.number(rows), 0);
    other.stop().await;
}

async fn a_clock_that_is_set_back_locks_nobody_out(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    for _ in 0..5 {
        login(app, &ada.email, "a wrong guess", A).await.expect(401);
    }
    login(app, &ada.email, PASSWORD, A).await.expect(429);
    app.set_back(Duration::from_secs(60 * 60));
    login(app, &ada.email, PASSWORD, A).await.expect(200);
}

async fn a_flood_of_sign_ins_leaves_recovery_open(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |settings| {
        settings.throttles.network_burst = 3;
        settings.throttles.network_interval = Duration::from_secs(60 * 60);
        settings.throttles.node_burst = 6;
        settings.throttles.node_interval = Duration::from_secs(60 * 60);
        settings.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    })
    .await;
    let ada = app.register("ada@example.org").await;
    // Their own network is exhausted, and then the node.
    let flood = async || {
        for number in 0..8 {
            let ip = [A, B, "203.0.113.9"][number % 3];
            let email = format!("n{number}@example.org");
            login(&app, &email, "a wrong guess", ip).await;
        }
        login(&app, &ada.email, PASSWORD, A).await.expect(429);
        login(&app, &ada.email, PASSWORD, "192.0.2.1")
            .await
            .expect(429);
    };
    flood().await;
    let browser = app.browser_from(FIREFOX, A);
    let fields = [("email", ada.email.as_str())];
    browser
        .submit("/forgot-password", "/forgot-password", &fields)
        .await
        .expect(200);
    assert_eq!(app.deliver_mail().await, 1);
    let path = server
        .messages()
        .pop()
        .expect("a message")
        .link("/reset-password/");
    app.advance(Duration::from_micros(1));
    // Nor do those who use up the allowance for mail.
    for number in 0..60 {
        let fields = [("email", format!("m{number}@example.org"))];
        let fields = fields
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        browser
            .submit("/forgot-password", "/forgot-password", &fields)
            .await;
    }
    browser
        .submit(&path, &path, &[("new_password", NEW)])
        .await
        .expect(303);
    let ada = Person {
        password: NEW.to_owned(),
        ..ada
    };
    browser.sign_in(&ada).await.expect(303);
    app.stop().await;
}

async fn who_hammers_one_account_uses_up_no_allowance_of_the_node(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.throttles.network_burst = 50;
        settings.throttles.node_burst = 10;
        settings.throttles.node_interval = Duration::from_secs(60 * 60);
        settings.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let mut statuses = Vec::new();
    for _ in 0..52 {
        statuses.push(
            login(&app, "nobody@example.org", "a wrong guess", A)
                .await
                .status,
        );
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5);
    login(&app, &ada.email, PASSWORD, B).await.expect(200);
    // It uses up its own.
    login(&app, &ada.email, PASSWORD, A).await.expect(429);
    app.stop().await;
}

async fn new_passwords_that_are_refused_count_as_no_sign_ups(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.throttles.mail_burst = 1;
        settings.throttles.mail_interval = Duration::from_secs(60 * 60);
    })
    .await;
    let register = async |password: &str| {
        let body = json!({"email": "ada@example.org", "password": password});
        app.anyone().post("/api/v1/auth/register", &body).await
    };
    for _ in 0..8 {
        register("password").await.expect(400);
    }
    let browser = app.browser(FIREFOX);
    for _ in 0..8 {
        let fields = [
            ("full_name", ""),
            ("email", "ada@example.org"),
            ("password", "password"),
        ];
        browser
            .submit("/sign-up", "/sign-up", &fields)
            .await
            .expect(400);
    }
    register(PASSWORD).await.expect(201);
    register(PASSWORD).await.expect(429);
    app.stop().await;
}
