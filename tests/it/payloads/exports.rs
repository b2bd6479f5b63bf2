//! What is no page: JSON, which a browser must not take for one, and files, whose cells a spreadsheet
//! must not take for formulas.

use rollcall::server::routes::{API, Access, Route};

use super::fields::plain;
use super::page;
use super::rounds::{Found, become_visitor};
use super::story::{Played, Stage, percent_encoded};
use super::visits::Visitor;
use crate::support::prelude::*;
use crate::support::webdriver::Chromium;

/// The files, and what a table of them is called.
const FILES: [(&str, &str); 5] = [
    ("/admin/sessions/export?state=any", "CSV of sessions"),
    (
        "/admin/sessions/export?state=any&format=jsonl",
        "lines of sessions",
    ),
    ("/admin/events/export", "CSV of events"),
    ("/admin/events/export?format=jsonl", "lines of events"),
    ("/account/export", "export of a person"),
];

/// What is called by these names, and where errors in JSON are.
pub const LABELS: [&str; 7] = [
    "sessions of an application",
    "CSV of sessions",
    "lines of sessions",
    "CSV of events",
    "lines of events",
    "export of a person",
    "errors in JSON",
];

/// Opens every JSON response that a browser can get, as a page.
pub async fn open_json(browser: &Chromium, stage: &Stage, played: &Played, found: &mut Found) {
    let is_for_browsers = |route: &&Route| {
        let of_application = matches!(route.access, Access::Application(_));
        route.method == "GET" && !of_application && !route.path.starts_with("/static")
    };
    for (visitor, is_of_admin) in [(Visitor::Victim, false), (Visitor::Admin, true)] {
        become_visitor(browser, stage, played, visitor).await;
        let reader = match visitor {
            Visitor::Admin => &played.admin,
            _ => &played.victim,
        };
        let routes = API.iter().filter(is_for_browsers);
        for route in routes.filter(|route| route.path.starts_with("/api/v1/admin") == is_of_admin) {
            let path = example(route.path, played);
            let response = reader.get(&path).await;
            let kind = response.header("content-type");
            let is_safe = ["application/", "image/svg", "text/csv"]
                .iter()
                .any(|safe| kind.starts_with(safe));
            if !response.text.is_empty() && !is_safe {
                found.report(format!("{}: {kind} may be a page", route.path));
            }
            if response.header("x-content-type-options") != "nosniff" {
                found.report(format!("{}: its type may be guessed", route.path));
            }
            if kind.starts_with("application/json") || kind.starts_with("application/problem") {
                browser.open(&path).await;
                let page = page::inspect(browser).await;
                if page.media_type == "text/html" {
                    found.report(format!("{}: JSON is a page", route.path));
                }
                found.add_signs(route.path, played.texts, &page);
                found.add_texts(route.path, played.texts, &strings(&response.text));
            }
        }
    }
}

/// Returns a path of a route's pattern, with the id of what was made.
fn example(pattern: &str, played: &Played) -> String {
    let ids = &played.ids;
    let id = match pattern {
        _ if pattern.contains("/users/") => &ids.victim,
        _ if pattern.contains("/jobs/") => &ids.job,
        _ => &ids.session,
    };
    pattern.replace("{id}", id)
}

/// Reads every file, and every response of a browser that is no document.
pub async fn check(stage: &Stage, played: &Played, found: &mut Found) {
    for (path, label) in FILES {
        let reader = match path.starts_with("/account") {
            true => &played.victim,
            false => &played.admin,
        };
        let file = reader.get(path).await.expect(200);
        if !file.header("content-disposition").starts_with("attachment") {
            found.report(format!("{path}: no attachment"));
        }
        if file.header("x-content-type-options") != "nosniff" {
            found.report(format!("{path}: its type may be guessed"));
        }
        let texts = match label.starts_with("CSV") {
            true => cells(path, &file, found),
            false => strings(&file.text),
        };
        found.add_texts(label, played.texts, &texts);
    }
    let stream = played.victim.stream("/devices/changes?since=0").await;
    if stream.headers()["x-content-type-options"] != "nosniff" {
        found.report("/devices/changes: its type may be guessed".into());
    }
    drop(stream);
    let subject = percent_encoded(&plain(&played.texts.of("subject")));
    let request = stage.app.anyone().request("GET", "/api/v1/app/sessions");
    let request = request.bearer_auth(&stage.key).header("x-subject", subject);
    let list = TestResponse::to(request).await.expect(200);
    assert!(list.header("content-type").starts_with("application/json"));
    found.add_texts(
        "sessions of an application",
        played.texts,
        &strings(&list.text),
    );
    check_errors(stage, played, found).await;
}

/// Sends what the API refuses: an error may repeat a text, and is no page either.
async fn check_errors(stage: &Stage, played: &Played, found: &mut Found) {
    let bad = played.texts.of("refused in JSON");
    let name = played.texts.of("name of a field");
    let anyone = stage.app.anyone();
    let refused = [
        (
            "POST",
            "/api/v1/auth/login",
            json!({"email": bad, "password": bad, "audience": bad, "device_id": bad}),
        ),
        (
            "POST",
            "/api/v1/auth/register",
            json!({"email": bad, "password": bad, "full_name": bad}),
        ),
        (
            "POST",
            "/api/v1/auth/login",
            json!({"email": "a@example.org", "password": 1, name.clone(): bad}),
        ),
        ("POST", "/api/v1/auth/login", json!({"email": {name: bad}})),
        (
            "POST",
            "/api/v1/auth/refresh",
            json!({"refresh_token": bad, "audience": bad}),
        ),
    ];
    for (method, path, body) in refused {
        let response = TestResponse::to(anyone.request(method, path).json(&body)).await;
        expect_problem(path, &response, played, found);
    }
    let app = [
        (
            "/api/v1/app/sessions",
            json!({"subject": "s", "ip_address": bad}),
        ),
        (
            "/api/v1/app/sessions",
            json!({"subject": "s", "audience": bad}),
        ),
        (
            "/api/v1/app/sessions/refresh",
            json!({"refresh_token": bad, "audience": bad}),
        ),
        (
            "/api/v1/app/sessions/refresh",
            json!({"refresh_token": bad, "ip_address": bad}),
        ),
    ];
    for (path, body) in app {
        let request = anyone.request("POST", path).bearer_auth(&stage.key);
        let response = TestResponse::to(request.json(&body)).await;
        expect_problem(path, &response, played, found);
    }
    let root = stage.app.login(&stage.root, FIREFOX).await;
    let victim = format!("/api/v1/admin/users/{}", played.ids.victim);
    let too_long = format!("{bad}{}", "a".repeat(600));
    let job = format!("/api/v1/admin/jobs/{}/stop", played.ids.stopped_job);
    let of_admin = [
        ("POST", job, json!({"reason": too_long})),
        (
            "POST",
            format!("{victim}/enable"),
            json!({"reason": too_long}),
        ),
        (
            "PATCH",
            victim.clone(),
            json!({"role": bad, "email": bad, "reason": bad}),
        ),
        (
            "DELETE",
            victim.clone(),
            json!({"email": bad, "reason": bad}),
        ),
        (
            "POST",
            "/api/v1/admin/users".into(),
            json!({"email": bad, "role": bad, "password": bad}),
        ),
        (
            "POST",
            "/api/v1/admin/sessions/end".into(),
            json!({"filter": {"user": bad}, "ids": [bad]}),
        ),
        (
            "POST",
            "/api/v1/admin/sessions/end".into(),
            json!({"filter": {"state": bad}, "reason": bad}),
        ),
        (
            "POST",
            format!("/api/v1/alerts/{}", played.ids.victim),
            json!({"answer": bad}),
        ),
        (
            "POST",
            "/api/v1/auth/confirm".into(),
            json!({"password": bad}),
        ),
    ];
    for (method, path, body) in of_admin {
        let response = TestResponse::to(root.request(method, &path).json(&body)).await;
        expect_problem(&path, &response, played, found);
    }
}

fn expect_problem(path: &str, response: &TestResponse, played: &Played, found: &mut Found) {
    let is_problem = response.header("content-type") == "application/problem+json";
    if response.status < 400
        || !is_problem
        || response.header("x-content-type-options") != "nosniff"
    {
        found.report(format!(
            "{path}: {} is no problem in JSON: {}",
            response.status, response.text
        ));
        return;
    }
    found.add_texts("errors in JSON", played.texts, &strings(&response.text));
}

/// Returns the cells of a table, none of which may be a formula.
fn cells(path: &str, file: &TestResponse, found: &mut Found) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(file.text.as_bytes());
    let mut cells = Vec::new();
    for row in reader.records() {
        for cell in &row.expect("a row") {
            if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                found.report(format!("{path}: a formula: {cell}"));
            }
            cells.push(cell.to_owned());
        }
    }
    cells
}

/// Returns the strings of JSON, one value a line.
fn strings(text: &str) -> Vec<String> {
    fn collect(value: &serde_json::Value, strings: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => strings.push(text.clone()),
            serde_json::Value::Array(list) => list.iter().for_each(|value| collect(value, strings)),
            serde_json::Value::Object(object) => {
                object.values().for_each(|value| collect(value, strings));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    let values = serde_json::Deserializer::from_str(text).into_iter();
    for value in values {
        collect(&value.expect("JSON"), &mut found);
    }
    found
}
