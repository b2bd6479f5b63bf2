//! The route table: each path is in it once, and each route admits only the callers it names.

use std::collections::BTreeSet;

use rollcall::server::routes::{API, Access, Condition, PAGES, Route};

use crate::support::prelude::*;

on_both!(
    app: without_credentials_only_public_routes_are_open,
    a_person_is_no_administrator,
    a_faulty_query_shows_no_route_of_administrators,
    an_auditor_changes_nothing,
    a_key_without_the_scope_administers_nothing,
    another_method_is_405,
    only_pages_set_the_device_cookie,
);

/// The README names every path that programs use.
const README: &str = include_str!("../../README.md");

fn routes() -> impl Iterator<Item = &'static Route> {
    API.iter().chain(PAGES)
}

#[test]
fn every_method_of_a_path_stands_in_the_table_once() {
    let mut found = BTreeSet::new();
    for route in routes() {
        let key = format!("{} {}", route.method, route.path);
        assert!(found.insert(key.clone()), "{key} stands there twice");
    }
    assert!(found.len() > 60, "only {} routes", found.len());
}

/// A path is mounted once, with the routes that stand together.
#[test]
fn the_routes_of_a_path_stand_together() {
    let mut finished = BTreeSet::new();
    let mut current = "";
    for route in routes() {
        if route.path != current {
            assert!(finished.insert(route.path), "{} is apart", route.path);
            current = route.path;
        }
    }
}

#[test]
fn every_route_for_programs_is_in_the_readme() {
    let shortened = |path: &str| path.trim_start_matches("/api/v1").to_owned();
    for route in API.iter().filter(|route| route.access != Access::Public) {
        let last = route.path.rsplit('/').next().unwrap_or_default();
        let is_there = README.contains(route.path)
            || README.contains(&shortened(route.path))
            || README.contains(&format!("`{last}`"))
            || README.contains(&format!("/{last}`"));
        assert!(is_there, "{} is not in README.md", route.path);
    }
}

async fn without_credentials_only_public_routes_are_open(app: &TestApp) {
    for route in routes() {
        let path = example(route.path);
        let response = request(app, route, &path).await;
        let shown = format!("{} {path}: {}", route.method, response.status);
        match route.access {
            Access::Public => assert_ne!(response.status, 401, "{shown}"),
            Access::SignedIn | Access::Audit | Access::Admin => {
                assert!(response.is_to_sign_in(), "{shown}");
            }
            Access::Api | Access::AuditApi | Access::AdminApi | Access::AdminPersonApi => {
                assert_eq!(response.status, 401, "{shown}");
            }
            Access::Application(_) => {
                assert_eq!(response.status, 401, "{shown}");
                assert!(response.text.contains("invalid_client"), "{shown}");
            }
            // A form without its CSRF token is refused before its path is looked at.
            Access::Token if route.method == "POST" => assert_eq!(response.status, 403, "{shown}"),
            Access::Token => assert_eq!(response.status, 404, "{shown}"),
        }
    }
}

async fn a_person_is_no_administrator(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    let csrf = form.hidden.iter().find(|(name, _)| name == "csrf");
    let (_, csrf) = csrf.expect("a CSRF token");
    let admin: Vec<&Route> = routes()
        .filter(|route| matches!(route.access, Access::Audit | Access::Admin))
        .collect();
    assert!(!admin.is_empty());
    for route in admin {
        let response = send(&browser, csrf, route).await;
        assert_eq!(response.status, 404, "{} {}", route.method, route.path);
    }
    let token = app.login(&ada, FIREFOX).await.access_token;
    for route in routes().filter(|route| is_admin_api(route.access)) {
        let path = example(route.path);
        let request = app.anyone().request(route.method.as_str(), &path);
        let response = TestResponse::to(request.bearer_auth(&token).json(&json!({}))).await;
        assert_eq!(response.status, 404, "{} {path}", route.method);
    }
}

/// A query that no handler accepts is read only after the caller is known.
async fn a_faulty_query_shows_no_route_of_administrators(app: &TestApp) {
    const FAULTY: &str = "?before=x&before=y&after=a&after=b&cursor=%00";
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let token = app.login(&ada, FIREFOX).await.access_token;
    let mut count = 0;
    for route in routes().filter(|route| route.method == "GET") {
        let path = example(route.path) + FAULTY;
        let nobody = TestResponse::to(app.anyone().request("GET", &path)).await;
        let shown = format!("{path}: {}", nobody.status);
        let person = match route.access {
            Access::Audit | Access::Admin => {
                assert!(nobody.is_to_sign_in(), "{shown}");
                browser.get(&path).await
            }
            access if is_admin_api(access) => {
                assert_eq!(nobody.status, 401, "{shown}");
                let request = app.anyone().request("GET", &path);
                TestResponse::to(request.bearer_auth(&token)).await
            }
            _ => continue,
        };
        assert_eq!(person.status, 404, "{path}");
        count += 1;
    }
    assert!(count > 20, "only {count} routes");
}

async fn an_auditor_changes_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.set_role(&ada, "auditor");
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    let csrf = form.hidden.iter().find(|(name, _)| name == "csrf");
    let (_, csrf) = csrf.expect("a CSRF token");
    for route in routes() {
        let response = match route.access {
            Access::Audit | Access::Admin => send(&browser, csrf, route).await,
            _ => continue,
        };
        let shown = format!("{} {}", route.method, route.path);
        match route.access {
            Access::Admin => assert_eq!(response.status, 404, "{shown}"),
            _ if route.path.contains('{') => assert_eq!(response.status, 404, "{shown}"),
            _ => assert!(response.status < 400, "{shown}: {}", response.status),
        }
        assert!(
            route.access == Access::Admin || route.method == "GET",
            "{shown} changes something"
        );
    }
    let token = app.login(&ada, FIREFOX).await.access_token;
    for route in routes().filter(|route| is_admin_api(route.access)) {
        let path = example(route.path);
        let request = app.anyone().request(route.method.as_str(), &path);
        let request = match route.method.as_str() {
            "GET" => request,
            _ => request.json(&json!({})),
        };
        let response = TestResponse::to(request.bearer_auth(&token)).await;
        let shown = format!("{} {path}: {}", route.method, response.status);
        match route.access {
            Access::AuditApi if !route.path.contains('{') => {
                assert!(response.status < 400, "{shown}");
            }
            _ => assert_eq!(response.status, 404, "{shown}"),
        }
    }
}

async fn a_key_without_the_scope_administers_nothing(app: &TestApp) {
    let mut statuses = BTreeSet::new();
    for (scopes, expected) in [("tokens sessions", 404), ("admin:read", 403)] {
        let key = app.create_key(scopes);
        for route in routes().filter(|route| is_admin_api(route.access)) {
            let path = example(route.path);
            let request = app.anyone().request(route.method.as_str(), &path);
            let request = request.bearer_auth(&key).json(&json!({}));
            let response = TestResponse::to(request).await;
            let shown = format!("{} {path} with {scopes}", route.method);
            let expected = match route.access {
                Access::AdminPersonApi => 404,
                Access::AuditApi if scopes == "admin:read" => continue,
                _ => expected,
            };
            assert_eq!(response.status, expected, "{shown}");
            statuses.insert(response.status);
        }
    }
    assert_eq!(statuses, BTreeSet::from([403, 404]));
}

fn is_admin_api(access: Access) -> bool {
    matches!(
        access,
        Access::AuditApi | Access::AdminApi | Access::AdminPersonApi
    )
}

/// Sends what a route is for, from a signed-in browser.
async fn send(browser: &Browser, csrf: &str, route: &Route) -> TestResponse {
    let path = example(route.path);
    match route.method.as_str() {
        "GET" => browser.get(&path).await,
        _ => browser.post(&path, &[("csrf", csrf)]).await,
    }
}

async fn another_method_is_405(app: &TestApp) {
    let mut paths: Vec<&str> = routes().map(|route| route.path).collect();
    paths.dedup();
    paths.retain(|path| !is_behind_gate(path));
    for path in paths {
        let response = TestResponse::to(app.anyone().request("PUT", &example(path))).await;
        assert_eq!(response.status, 405, "PUT {path}");
    }
}

/// Whether what is there is for administrators and auditors only, whatever it is.
fn is_behind_gate(path: &str) -> bool {
    ["/admin", "/api/v1/admin"]
        .iter()
        .filter_map(|prefix| path.strip_prefix(prefix))
        .any(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[test]
fn what_is_for_administrators_is_behind_their_gate() {
    for route in routes() {
        let is_for_them =
            is_admin_api(route.access) || matches!(route.access, Access::Audit | Access::Admin);
        assert_eq!(is_behind_gate(route.path), is_for_them, "{}", route.path);
    }
}

async fn only_pages_set_the_device_cookie(app: &TestApp) {
    let sets_cookie = async |path: &str| {
        let response = TestResponse::to(app.anyone().request("GET", path)).await;
        response.header("set-cookie").contains("rollcall_device")
    };
    assert!(sets_cookie("/sign-in").await);
    assert!(sets_cookie("/nowhere").await);
    for path in ["/api/v1/nowhere", "/api/v1", "/api/v1/sessions/a/b"] {
        assert!(!sets_cookie(path).await, "{path}");
    }
    for route in API {
        let response = request(app, route, &example(route.path)).await;
        let cookie = response.header("set-cookie");
        assert!(cookie.is_empty(), "{} {cookie}", route.path);
    }
}

/// Routes with a condition exist in the tests' application, where sign-up is on.
#[test]
fn only_sign_up_has_a_condition() {
    let conditional: Vec<&str> = routes()
        .filter(|route| route.condition == Condition::SignUp)
        .map(|route| route.path)
        .collect();
    assert_eq!(
        conditional,
        ["/api/v1/auth/register", "/sign-up", "/sign-up"]
    );
}

async fn request(app: &TestApp, route: &Route, path: &str) -> TestResponse {
    let request = app.anyone().request(route.method.as_str(), path);
    let is_page = PAGES.iter().any(|page| page.path == route.path);
    let request = match route.method.as_str() {
        "GET" | "DELETE" => request,
        _ if is_page || path.starts_with("/oauth") => request.form(&[("token", "x")]),
        _ => request.json(&json!({})),
    };
    TestResponse::to(request).await
}

/// A path of a route's pattern.
fn example(pattern: &str) -> String {
    pattern
        .replace("{id}", "019ab0de-0000-7000-8000-000000000000")
        .replace("{token}", "forged")
        .replace("{name}", "none.css")
        .replace("/devices/changes", "/devices/changes?since=0")
}
