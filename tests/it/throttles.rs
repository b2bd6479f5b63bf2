//! Guessing a password: each account lets in five wrong ones, then one after another.

use futures_util::future::join_all;
use serde_json::Value;

use crate::support::api::Anyone;
use crate::support::app::Node;
use crate::support::prelude::*;
use crate::support::statements::Statements;

on_both!(
    app: a_thousand_guesses_at_once_on_two_nodes_are_let_in_one_after_another,
        the_delay_doubles_and_the_waiting_time_is_true,
        failures_are_forgotten_after_a_quiet_day,
        a_right_password_ends_the_failures,
        right_passwords_at_once_leave_no_failure,
        an_administrators_account_is_no_exception,
        a_sign_up_form_is_no_way_to_guess,
        old_failures_are_purged,
        the_longest_untried_are_purged_when_there_are_too_many,
);
on_both!(
    database: a_restart_forgets_no_failure,
        an_unknown_address_is_throttled_alike,
);

const LOGIN: &str = "/api/v1/auth/login";

async fn guess(client: &Anyone, email: &str) -> TestResponse {
    let body = json!({"email": email, "password": "a wrong guess"});
    client.post(LOGIN, &body).await
}

/// Guesses until a delay is in force; returns its seconds.
async fn exhaust(app: &TestApp, email: &str) -> u64 {
    for _ in 0..5 {
        guess(&app.anyone(), email)
            .await
            .problem(401, "invalid_credentials");
    }
    waiting_time(guess(&app.anyone(), email).await)
}

#[track_caller]
fn waiting_time(response: TestResponse) -> u64 {
    let seconds = response.header("retry-after").to_owned();
    response.problem(429, "too_many_tries");
    seconds.parse().expect("whole seconds")
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

async fn a_thousand_guesses_at_once_on_two_nodes_are_let_in_one_after_another(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let other: Node = app.another_node(|_| {}).await;
    let clients = [app.anyone(), Anyone::new(other.base())];
    let mut let_in = 0;
    for _ in 0..20 {
        let guesses = (0..50).map(|number| guess(&clients[number % 2], &ada.email));
        for response in join_all(guesses).await {
            match response.status {
                401 => let_in += 1,
                _ => {
                    response.problem(429, "too_many_tries");
                }
            }
        }
    }
    assert_eq!(let_in, 5);
    assert_eq!(waiting_time(app.try_login(&ada, FIREFOX).await), 1);
    app.advance(seconds(1));
    app.login(&ada, FIREFOX).await;
    other.stop().await;
}

async fn the_delay_doubles_and_the_waiting_time_is_true(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut wait = exhaust(app, &ada.email).await;
    for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        assert_eq!(wait, expected);
        app.advance(seconds(wait) - Duration::from_micros(1));
        // The right one is refused as well.
        assert_eq!(waiting_time(app.try_login(&ada, FIREFOX).await), 1);
        app.advance(Duration::from_micros(1));
        guess(&app.anyone(), &ada.email)
            .await
            .problem(401, "invalid_credentials");
        wait = waiting_time(guess(&app.anyone(), &ada.email).await);
    }
    let refused = guess(&app.anyone(), &ada.email).await;
    let detail = refused.problem(429, "too_many_tries")["detail"].clone();
    assert_eq!(detail, "Too many attempts. Try again in 15 minutes.");
}

async fn failures_are_forgotten_after_a_quiet_day(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    exhaust(app, &ada.email).await;
    app.advance(seconds(24 * 60 * 60 - 1));
    guess(&app.anyone(), &ada.email).await.expect(401);
    assert_eq!(waiting_time(guess(&app.anyone(), &ada.email).await), 2);
    app.advance(seconds(24 * 60 * 60));
    assert_eq!(exhaust(app, &ada.email).await, 1);
}

async fn a_right_password_ends_the_failures(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    for _ in 0..3 {
        for _ in 0..4 {
            guess(&app.anyone(), &ada.email).await.expect(401);
        }
        app.login(&ada, FIREFOX).await;
    }
    assert_eq!(exhaust(app, &ada.email).await, 1);
}

async fn right_passwords_at_once_leave_no_failure(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    for _ in 0..10 {
        let logins = (0..5).map(|_| app.try_login(&ada, FIREFOX));
        for response in join_all(logins).await {
            response.expect(200);
        }
    }
    let rows = "SELECT count(*) AS value FROM account_throttles WHERE user_id IS NOT NULL";
    assert_eq!(app.database.number(rows), 0);
    assert_eq!(exhaust(app, &ada.email).await, 1);
}

async fn an_administrators_account_is_no_exception(app: &TestApp) {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    assert_eq!(exhaust(app, &root.email).await, 1);
    // The case of an address is no way around.
    assert_eq!(
        waiting_time(guess(&app.anyone(), "ROOT@example.org").await),
        1
    );
}

async fn a_sign_up_form_is_no_way_to_guess(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    for _ in 0..3 {
        let fields = [
            ("full_name", ""),
            ("email", ada.email.as_str()),
            ("password", "another long guess of it"),
        ];
        browser
            .submit("/sign-up", "/sign-up", &fields)
            .await
            .expect(409);
    }
    guess(&app.anyone(), &ada.email).await.expect(401);
    guess(&app.anyone(), &ada.email).await.expect(401);
    assert_eq!(waiting_time(guess(&app.anyone(), &ada.email).await), 1);
}

async fn old_failures_are_purged(app: &TestApp) {
    let rows = || {
        app.database
            .number("SELECT count(*) AS value FROM account_throttles")
    };
    let ada = app.register("ada@example.org").await;
    exhaust(app, &ada.email).await;
    exhaust(app, "nobody@example.org").await;
    assert!(rows() >= 2);
    app.sweep().await;
    assert!(rows() >= 2);
    app.advance(seconds(24 * 60 * 60 + 1));
    app.sweep().await;
    assert_eq!(rows(), 0);
}

async fn the_longest_untried_are_purged_when_there_are_too_many(app: &TestApp) {
    let own = "SELECT count(*) AS value FROM account_throttles WHERE user_id IS NOT NULL";
    let ada = app.register("ada@example.org").await;
    guess(&app.anyone(), &ada.email).await.expect(401);
    app.advance(seconds(1));
    guess(&app.anyone(), "nobody@example.org").await.expect(401);
    app.sweep().await;
    assert_eq!(app.database.number(own), 1);
    app.database.execute(
        "INSERT INTO account_throttles (key, failures, last_at) \
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 262144) \
         SELECT 'address:' || n, 5, (SELECT max(last_at) FROM account_throttles) FROM numbers",
    );
    app.sweep().await;
    assert_eq!(app.database.number(own), 0);
}

async fn a_restart_forgets_no_failure(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    exhaust(&app, &ada.email).await;
    let database = app.stop_and_keep_database().await;
    let app = TestApp::start(database).await;
    assert_eq!(waiting_time(app.try_login(&ada, FIREFOX).await), 1);
    app.stop().await;
}

async fn an_unknown_address_is_throttled_alike(database: Database) {
    let statements = Statements::watch(&database);
    let app = TestApp::start(database).await;
    app.register("ada@example.org").await;
    let mut observed = Vec::new();
    for email in [
        "warm-up@example.org",
        "ada@example.org",
        "nobody@example.org",
    ] {
        statements.take();
        let mut responses: Vec<Value> = Vec::new();
        for _ in 0..8 {
            let response = guess(&app.anyone(), email).await;
            let mut headers: Vec<String> = response
                .headers
                .iter()
                .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
                .map(|(name, value)| format!("{name}: {value:?}"))
                .collect();
            headers.sort();
            responses.push(json!([response.status, headers, response.text]));
        }
        let executed: Vec<String> = statements
            .take()
            .into_iter()
            .map(|statement| statement.sql)
            .filter(|sql| sql.contains("account_throttles") || sql.contains("users"))
            .collect();
        observed.push((responses, executed));
    }
    assert_eq!(observed[1].0, observed[2].0);
    assert_eq!(observed[1].1, observed[2].1);
    assert_eq!(observed[1].0[7][0], 429);
    app.stop().await;
}
