//! Each network, and the whole node, have an allowance of tries; right ones take nothing of it.

use rollcall::settings::Settings;

use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;

on_both!(
    database: a_network_has_an_allowance_whatever_the_address_it_guesses_at,
    right_passwords_take_nothing_of_an_offices_allowance,
    an_ipv6_client_is_its_64_and_a_mapped_address_is_ipv4,
    only_what_a_trusted_proxy_reports_counts,
    the_whole_node_has_an_allowance,
    an_exhausted_network_keeps_no_known_device_out,
    requests_for_mail_have_a_count_of_their_own,
    the_links_to_a_new_address_are_counted_by_person,
);

const A: &str = "203.0.113.7";
const B: &str = "203.0.113.8";

fn few(settings: &mut Settings) {
    settings.throttles.network_burst = 3;
    settings.throttles.network_interval = Duration::from_secs(10);
    settings.throttles.mail_burst = 2;
    settings.throttles.mail_interval = Duration::from_secs(60);
    settings.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
}

async fn start(database: Database) -> TestApp {
    TestApp::start_with(database, few).await
}

/// Adds a person without using up the allowance for sign-ups.
async fn register(app: &TestApp, email: &str) -> Person {
    app.advance(Duration::from_secs(120));
    app.register(email).await
}

async fn login(app: &TestApp, email: &str, password: &str, ip: &str) -> TestResponse {
    let request = app
        .anyone()
        .request("POST", "/api/v1/auth/login")
        .header("x-forwarded-for", ip)
        .json(&json!({"email": email, "password": password}));
    TestResponse::to(request).await
}

async fn guess(app: &TestApp, email: &str, ip: &str) -> u16 {
    login(app, email, "a wrong guess", ip).await.status
}

async fn a_network_has_an_allowance_whatever_the_address_it_guesses_at(database: Database) {
    let app = start(database).await;
    let ada = register(&app, "ada@example.org").await;
    for number in 0..3 {
        assert_eq!(guess(&app, &format!("n{number}@example.org"), A).await, 401);
    }
    let refused = login(&app, &ada.email, PASSWORD, A).await;
    assert_eq!(refused.header("retry-after"), "10");
    refused.problem(429, "too_many_tries");
    login(&app, &ada.email, PASSWORD, B).await.expect(200);
    app.advance(Duration::from_secs(9));
    assert_eq!(guess(&app, "n4@example.org", A).await, 429);
    app.advance(Duration::from_secs(1));
    assert_eq!(guess(&app, "n4@example.org", A).await, 401);
    assert_eq!(guess(&app, "n5@example.org", A).await, 429);
    app.stop().await;
}

async fn right_passwords_take_nothing_of_an_offices_allowance(database: Database) {
    let app = start(database).await;
    let ada = register(&app, "ada@example.org").await;
    for _ in 0..20 {
        login(&app, &ada.email, PASSWORD, A).await.expect(200);
    }
    for _ in 0..3 {
        assert_eq!(guess(&app, "nobody@example.org", A).await, 401);
    }
    login(&app, &ada.email, PASSWORD, A).await.expect(429);
    app.stop().await;
}

async fn an_ipv6_client_is_its_64_and_a_mapped_address_is_ipv4(database: Database) {
    let app = start(database).await;
    for (number, ip) in ["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:9::"]
        .into_iter()
        .enumerate()
    {
        assert_eq!(
            guess(&app, &format!("n{number}@example.org"), ip).await,
            401
        );
    }
    assert_eq!(
        guess(&app, "x@example.org", "2001:db8:1:2:ffff::1").await,
        429
    );
    assert_eq!(guess(&app, "x@example.org", "2001:db8:1:3::1").await, 401);
    for ip in [A, "::ffff:203.0.113.7", A] {
        assert_eq!(guess(&app, "y@example.org", ip).await, 401);
    }
    assert_eq!(
        guess(&app, "z@example.org", "::ffff:203.0.113.7").await,
        429
    );
    app.stop().await;
}

async fn only_what_a_trusted_proxy_reports_counts(database: Database) {
    let app = start(database).await;
    // What stands left of the proxy's own entry is what the client sent.
    for number in 0..3 {
        let ip = format!("198.51.100.{number}, {A}");
        assert_eq!(
            guess(&app, &format!("n{number}@example.org"), &ip).await,
            401
        );
    }
    assert_eq!(
        guess(&app, "x@example.org", &format!("192.0.2.9, {A}")).await,
        429
    );
    let database = app.stop_and_keep_database().await;
    let app = TestApp::start_with(database, |settings| {
        few(settings);
        settings.trusted_proxies = Vec::new();
    })
    .await;
    for number in 0..3 {
        let ip = format!("198.51.100.{number}");
        assert_eq!(
            guess(&app, &format!("m{number}@example.org"), &ip).await,
            401
        );
    }
    assert_eq!(guess(&app, "x@example.org", "198.51.100.77").await, 429);
    app.stop().await;
}

async fn the_whole_node_has_an_allowance(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        few(settings);
        settings.throttles.node_burst = 4;
        settings.throttles.node_interval = Duration::from_secs(5);
    })
    .await;
    for number in 0..3 {
        let ip = format!("198.51.100.{number}");
        assert_eq!(
            guess(&app, &format!("n{number}@example.org"), &ip).await,
            401
        );
    }
    assert_eq!(guess(&app, "m@example.org", A).await, 401);
    let refused = login(&app, "o@example.org", PASSWORD, B).await.expect(429);
    assert_eq!(refused.header("retry-after"), "5");
    // That took nothing of the network's own allowance.
    app.advance(Duration::from_secs(60));
    for number in 0..3 {
        assert_eq!(guess(&app, &format!("p{number}@example.org"), B).await, 401);
    }
    app.stop().await;
}

async fn an_exhausted_network_keeps_no_known_device_out(database: Database) {
    let app = start(database).await;
    let ada = register(&app, "ada@example.org").await;
    let browser = app.browser_from(FIREFOX, A);
    browser.sign_in(&ada).await.expect(303);
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    while guess(&app, "nobody@example.org", A).await != 429 {}
    app.browser_from(FIREFOX, A).sign_in(&ada).await.expect(429);
    browser.sign_in(&ada).await.expect(303);
    app.stop().await;
}

async fn requests_for_mail_have_a_count_of_their_own(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, few).await;
    while guess(&app, "nobody@example.org", A).await != 429 {}
    let browser = app.browser_from(FIREFOX, A);
    let ask = async |email: &str| {
        let fields = [("email", email)];
        browser
            .submit("/forgot-password", "/forgot-password", &fields)
            .await
    };
    ask("one@example.org").await.expect(200);
    ask("two@example.org").await.expect(200);
    let refused = ask("three@example.org").await.expect(429);
    assert_eq!(refused.header("retry-after"), "60");
    assert!(refused.text.contains(r#"value="three@example.org""#));
    refused.expect_words("Too many attempts. Try again in 60 seconds.");
    let body = json!({"email": "new@example.org", "password": PASSWORD});
    let sign_up = app.anyone().request("POST", "/api/v1/auth/register");
    let sign_up = sign_up.header("x-forwarded-for", A).json(&body);
    TestResponse::to(sign_up)
        .await
        .problem(429, "too_many_tries");
    let fields = [
        ("full_name", "Ada"),
        ("email", "new@example.org"),
        ("password", PASSWORD),
    ];
    let refused = browser
        .submit("/sign-up", "/sign-up", &fields)
        .await
        .expect(429);
    assert!(refused.text.contains(r#"value="new@example.org""#));
    assert!(!refused.text.contains(PASSWORD));
    // One address has a count over all networks.
    for number in 0..5 {
        let browser = app.browser_from(FIREFOX, &format!("192.0.2.{number}"));
        let fields = [("email", "four@example.org")];
        let submitted = browser.submit("/forgot-password", "/forgot-password", &fields);
        submitted.await.expect(200);
    }
    let browser = app.browser_from(FIREFOX, "192.0.2.99");
    let fields = [("email", "FOUR@example.org")];
    let submitted = browser.submit("/forgot-password", "/forgot-password", &fields);
    let refused = submitted.await.expect(429);
    assert_eq!(refused.header("retry-after"), "1");
    app.stop().await;
}

async fn the_links_to_a_new_address_are_counted_by_person(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, few).await;
    let ada = register(&app, "ada@example.org").await;
    let browser = app.browser_from(FIREFOX, A);
    browser.sign_in(&ada).await.expect(303);
    let change = async |number: u32| {
        let email = format!("new{number}@example.org");
        let fields = [("email", email.as_str())];
        browser.submit("/account", "/account/email", &fields).await
    };
    for number in 0..5 {
        change(number).await.expect(303);
    }
    let refused = change(6).await.expect(429);
    assert!(refused.text.contains(r#"value="new6@example.org""#));
    app.advance(Duration::from_secs(1));
    change(6).await.expect(303);
    app.stop().await;
}
