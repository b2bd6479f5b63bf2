//! Sending a row's request, and what the response has to be.

use std::collections::BTreeMap;

use super::callers::Caller;
use super::policy::{Outcome, Policy};
use super::rows::{Body, Effect, Row};
use super::targets::Made;
use super::world::{Credential, World};
use crate::support::prelude::*;

/// Sends the request of `row` about `made`.
pub async fn send(
    world: &World<'_>,
    row: &Row,
    made: &Made,
    credential: &Credential,
) -> TestResponse {
    // Whoever sends it types their own e-mail.
    let made = made.clone().with("{own}", world.email(&credential.person));
    let path = made.fill(row.path) + &made.fill(row.query);
    let mut request = world.app.anyone().request(row.method, &path);
    let mut credential = credential.clone();
    let is_public = matches!(row.policy, Policy::PublicForm | Policy::Link);
    let has_cookie = credential.headers.iter().any(|(name, _)| *name == "cookie");
    if is_public && !has_cookie {
        // A program that sends the form of a page has opened it.
        let browser = world.credential(Caller::Nobody, false);
        credential.headers.extend(browser.headers);
        credential.public_csrf = browser.public_csrf;
    }
    for (name, value) in &credential.headers {
        request = request.header(*name, value);
    }
    for (name, value) in row.headers {
        request = request.header(*name, made.fill(value));
    }
    if row.changes() && !row.is_page() && !credential.csrf.is_empty() {
        request = request.header("x-csrf-token", &credential.csrf);
    }
    let csrf = match is_public {
        true => &credential.public_csrf,
        false => &credential.csrf,
    };
    let request = match row.body {
        Body::None => request,
        Body::Json(text) => request
            .header("content-type", "application/json")
            .body(made.fill(text)),
        Body::Form(fields) => {
            let fields = fields.iter().map(|(name, value)| (*name, made.fill(value)));
            let csrf = row.is_page().then(|| ("csrf", csrf.clone()));
            request.form(&fields.chain(csrf).collect::<Vec<_>>())
        }
    };
    let response = request.send().await.expect("the server responds");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let content = headers.get("content-type");
    let is_stream = content.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    let text = match is_stream {
        true => String::new(),
        false => response.text().await.expect("the response ends"),
    };
    TestResponse {
        status,
        headers,
        text,
    }
}

/// Returns whether a response is what was expected.
pub fn is_as_expected(row: &Row, expected: Outcome, response: &TestResponse) -> bool {
    let (status, text) = (response.status, &response.text);
    let challenge = response.header("www-authenticate");
    match expected {
        // Where that leads to sign-in, the database shows whether it was done.
        Outcome::Done if response.is_to_sign_in() => {
            row.policy == Policy::Public || row.effect == Effect::Changes
        }
        Outcome::Done => row.done.contains(&status) && text.contains(row.says),
        Outcome::Inert => {
            row.done.contains(&status) && (row.says.is_empty() || !text.contains(row.says))
        }
        Outcome::SignIn => response.is_to_sign_in(),
        Outcome::Unauthorized => status == 401 && challenge.starts_with("Bearer"),
        Outcome::InvalidClient => status == 401 && text.contains("invalid_client"),
        Outcome::Missing => status == row.missing,
        Outcome::CsrfMismatch => status == 403 && !text.contains("action=\"/confirm\""),
        Outcome::ShownAgain => status == 403,
        Outcome::InsufficientScope => status == 403 && text.contains("scope"),
        Outcome::NotInGroup => status == 403,
        Outcome::StepUp if !row.is_page() => {
            status == 401 && challenge.contains("insufficient_user_authentication")
        }
        Outcome::StepUp if row.changes() => status == 403 && text.contains("action=\"/confirm\""),
        Outcome::StepUp => status == 303 && response.header("location").starts_with("/confirm?"),
    }
}

/// Returns whether two responses tell the same, but for what they are about.
pub fn are_alike(one: (&TestResponse, &Made), other: (&TestResponse, &Made)) -> bool {
    shape(one) == shape(other)
}

fn shape((response, made): (&TestResponse, &Made)) -> (u16, BTreeMap<String, String>, String) {
    let without_id = |text: &str| text.replace(&made.id, "ID");
    let mut headers = BTreeMap::new();
    for (name, value) in &response.headers {
        let value = value.to_str().expect("a header of text");
        let value = match name.as_str() {
            // Whether the rest of a body is on its way still, which nobody has read.
            "connection" => continue,
            "x-request-id" | "date" => continue,
            "set-cookie" => value.split('=').next().unwrap_or_default().to_owned(),
            _ => without_id(value),
        };
        headers.insert(name.to_string(), value);
    }
    (response.status, headers, without_id(&response.text))
}

/// Returns what a failed test prints of a response.
pub fn described(response: &TestResponse) -> String {
    let location = response.header("location");
    let text: String = response.words().chars().take(200).collect();
    format!("{} {location} {text}", response.status)
}
