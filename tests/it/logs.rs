//! The content of the log, and what it must not contain.

use crate::support::api::Anyone;
use crate::support::outage::{allow_updates, refuse_updates};
use crate::support::prelude::*;
use crate::support::program::{Program, Serving};

on_both!(
    database: every_request_has_a_line_with_its_id,
    the_log_has_no_secret,
    an_error_is_logged_with_its_cause_which_no_client_sees,
    an_error_of_two_lines_is_one_line_of_the_log,
    a_group_in_the_query_of_forward_auth_is_warned_of_once,
);

async fn every_request_has_a_line_with_its_id(database: Database) {
    let program = Program::with(&database).env("ROLLCALL_LOG__FORMAT", "json");
    let mut serving = program.serve(&["serve"]);
    let response = Anyone::new(serving.base())
        .get("/health/live")
        .await
        .expect(200);
    let id = response.header("x-request-id").to_owned();
    let line = serving.wait_for("the request's line", |line| {
        line.contains(&id).then(|| line.to_owned())
    });
    let line: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!(line["status"], 200);
    assert_eq!(line["span"]["route"], "/health/live");
    assert!(serving.terminate().success());
}

/// A proxy that let in administrators only by `?group=admin` lets in everybody now.
async fn a_group_in_the_query_of_forward_auth_is_warned_of_once(database: Database) {
    let mut serving = Program::with(&database).serve(&["serve"]);
    let anyone = Anyone::new(serving.base());
    for query in ["", "?x=1&group=nobody", "?group=admin", "?group=admin"] {
        let path = format!("/auth/verify{query}");
        anyone.get(&path).await.expect(401);
    }
    assert!(serving.terminate().success());
    let log = serving.output();
    assert_eq!(log.matches("/auth/verify/admin").count(), 1, "{log}");
}

async fn the_log_has_no_secret(database: Database) {
    let (mut serving, anyone, laptop) = serve_to_ada(&database).await;
    laptop.current().await.expect(200);
    anyone.refresh(&laptop.refresh_token).await.expect(200);
    anyone.refresh("forged").await.expect(401);
    let browser = Browser::new(serving.base(), FIREFOX);
    let ada = Person {
        email: "ada@example.org".into(),
        password: PASSWORD.into(),
    };
    browser.sign_in(&ada).await;
    browser
        .get("/devices?note=ada@example.org")
        .await
        .expect(200);
    let cookie = browser.cookie("rollcall_session").expect("a cookie");

    assert!(serving.terminate().success());
    let log = serving.output();
    for secret in [
        "ada@",
        PASSWORD,
        &laptop.access_token,
        &laptop.refresh_token,
        &cookie,
    ] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
    assert!(log.contains("answered"), "{log}");
}

async fn an_error_is_logged_with_its_cause_which_no_client_sees(database: Database) {
    let program = Program::with(&database).env("ROLLCALL_SIGN_UP", "true");
    let mut serving = program.serve(&["serve"]);
    let anyone = Anyone::new(serving.base());
    let body = json!({"email": "ada@example.org", "password": PASSWORD});
    database.execute("ALTER TABLE users RENAME COLUMN full_name TO lost_column");
    let response = anyone.post("/api/v1/auth/login", &body).await.expect(500);
    for hidden in ["full_name", "column", "statement", "users"] {
        assert!(!response.text.contains(hidden), "{}", response.text);
    }
    let line = serving.wait_for("the error's line", |line| {
        line.contains("internal error").then(|| line.to_owned())
    });
    assert!(
        line.contains("internal error: a statement failed: ") && line.contains("full_name"),
        "{line}"
    );
    assert!(serving.terminate().success());
}

/// A message of the database can quote input, which must not forge a line of the log.
async fn an_error_of_two_lines_is_one_line_of_the_log(database: Database) {
    let (mut serving, _, laptop) = serve_to_ada(&database).await;
    refuse_updates(&database);
    laptop.post("/api/v1/auth/logout").await.expect(500);
    let line = serving.wait_for("the error's line", |line| {
        line.contains("refused").then(|| line.to_owned())
    });
    assert!(line.contains("refused ERROR forged"), "{line}");
    allow_updates(&database);
    assert!(serving.terminate().success());
}

/// Starts the program with sign-up, and signs Ada in.
async fn serve_to_ada(database: &Database) -> (Serving, Anyone, Device) {
    let program = Program::with(database).env("ROLLCALL_SIGN_UP", "true");
    let serving = program.serve(&["serve"]);
    let anyone = Anyone::new(serving.base());
    let body = json!({"email": "ada@example.org", "password": PASSWORD});
    anyone
        .post("/api/v1/auth/register", &body)
        .await
        .expect(201);
    let response = anyone.post("/api/v1/auth/login", &body).await.expect(200);
    let laptop = Device::from_login(serving.base(), &response);
    (serving, anyone, laptop)
}
