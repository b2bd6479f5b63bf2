//! The lists of the administrator's API: one shape, one kind of cursor, and one way to refuse what is
//! not understood.

use std::collections::BTreeSet;

use rollcall::server::routes::{API, Access};
use serde_json::Value;

use crate::support::admin::Admin;
use crate::support::bulk::{END, order};
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: every_list_has_the_same_shape,
    every_list_leads_to_its_end_and_back,
    a_cursor_counts_for_its_own_list_only,
    an_unknown_name_is_refused_and_named_at_every_path,
    who_and_what_there_is_not_finds_nothing_in_every_list,
    people_are_found_by_the_name_or_the_id_of_their_application,
    an_order_is_one_object,
    a_reason_to_delete_is_in_the_query_or_the_body,
    lists_of_many_say_that_their_number_is_not_exact,
    only_ended_sessions_are_sorted_by_their_end,
);

/// The paths of the lists, with the names of what they list.
const LISTS: [(&str, &str); 5] = [
    ("/api/v1/admin/applications", "applications"),
    ("/api/v1/admin/events", "events"),
    ("/api/v1/admin/jobs", "jobs"),
    ("/api/v1/admin/sessions", "sessions"),
    ("/api/v1/admin/users", "users"),
];

/// Fills each list with at least four items.
async fn populate(app: &TestApp) -> Admin {
    let admin = Admin::start(app, "admin@example.org").await;
    let rollcall = Program::with(&app.database);
    for (n, name) in ["Blog", "Shop", "Übung 50%", "Zoo"].into_iter().enumerate() {
        rollcall
            .run(&["application", "add", "--name", name])
            .expect_done();
        let person = app.register(&format!("person{n}@example.org")).await;
        let device = app.login(&person, IPHONE).await;
        let body = json!({"ids": [device.id()], "reason": "Lost"});
        order(&admin.device, &body).await.expect(200);
        app.login(&person, FIREFOX).await;
    }
    admin
}

async fn list(admin: &Admin, path: &str, query: &[(&str, &str)]) -> Value {
    let request = admin.device.request("GET", path).query(query);
    TestResponse::to(request).await.expect(200).json()
}

fn ids(page: &Value, name: &str) -> Vec<String> {
    let items = page[name].as_array().expect("a list");
    let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
    items.iter().map(id).collect()
}

fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

async fn every_list_has_the_same_shape(app: &TestApp) {
    let admin = populate(app).await;
    for (path, name) in LISTS {
        let page = list(&admin, path, &[]).await;
        let mut expected = vec![
            name,
            "is_partial",
            "next_cursor",
            "previous_cursor",
            "total",
        ];
        expected.sort_unstable();
        assert_eq!(keys(&page), expected, "{path}");
        let number = ids(&page, name).len();
        let total = json!({"count": number, "is_exact": true});
        assert_eq!(page["total"], total, "{path}");
        assert_eq!(page["is_partial"], false, "{path}");
        let first = list(&admin, path, &[("limit", "1")]).await;
        assert_eq!(first["total"], total, "{path}, of which one is shown");
    }
}

async fn every_list_leads_to_its_end_and_back(app: &TestApp) {
    let admin = populate(app).await;
    for (path, name) in LISTS {
        let all = ids(&list(&admin, path, &[]).await, name);
        assert!(all.len() >= 4, "{path}: {all:?}");
        let mut forwards = vec![list(&admin, path, &[("limit", "1")]).await];
        while let Some(cursor) = forwards[forwards.len() - 1]["next_cursor"].as_str() {
            let page = list(&admin, path, &[("limit", "1"), ("cursor", cursor)]).await;
            forwards.push(page);
            assert!(forwards.len() <= all.len() + 1, "{path} has no end");
        }
        let found: Vec<String> = forwards.iter().flat_map(|page| ids(page, name)).collect();
        assert_eq!(found, all, "{path}");
        let mut back = vec![forwards.remove(forwards.len() - 1)];
        while let Some(cursor) = back[back.len() - 1]["previous_cursor"].as_str() {
            let page = list(&admin, path, &[("limit", "1"), ("cursor", cursor)]).await;
            back.push(page);
            assert!(back.len() <= all.len() + 2, "{path} has no beginning");
        }
        back.reverse();
        let found: Vec<String> = back.iter().flat_map(|page| ids(page, name)).collect();
        assert_eq!(found, all, "{path}, back");
    }
}

async fn a_cursor_counts_for_its_own_list_only(app: &TestApp) {
    let admin = populate(app).await;
    let mut messages = BTreeSet::new();
    for (path, _) in LISTS {
        let page = list(&admin, path, &[("limit", "1")]).await;
        let cursor = page["next_cursor"].as_str().expect("a cursor").to_owned();
        let changed = match cursor.strip_prefix('A') {
            Some(rest) => format!("B{rest}"),
            None => format!("A{}", &cursor[1..]),
        };
        let others = LISTS.into_iter().filter(|(other, _)| *other != path);
        let wrong = others.map(|(other, _)| (other, cursor.as_str()));
        for (at, cursor) in wrong.chain([(path, &*changed), (path, "x"), (path, "é")]) {
            let request = admin.device.request("GET", at).query(&[("cursor", cursor)]);
            let problem = TestResponse::to(request)
                .await
                .problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], "cursor", "{path} at {at}");
            messages.insert(problem["errors"][0]["message"].to_string());
        }
    }
    assert_eq!(messages.len(), 1, "{messages:?}");
}

async fn an_unknown_name_is_refused_and_named_at_every_path(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let grace = app.register("grace@example.org").await;
    let device = app.login(&grace, FIREFOX).await;
    let job = {
        let body = json!({"ids": [device.id()], "reason": "Lost"});
        let answer = order(&admin.device, &body).await.expect(200).json();
        answer["job"]["id"].as_str().expect("an id").to_owned()
    };
    let grace = device.session["user_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let mut paths = 0;
    for route in API {
        let is_admin = matches!(
            route.access,
            Access::AuditApi | Access::AdminApi | Access::AdminPersonApi
        );
        if !is_admin || !route.path.starts_with("/api/v1/admin/") {
            continue;
        }
        paths += 1;
        let id = match route.path {
            path if path.contains("/jobs/") => &job,
            path if path.contains("/users/") => &grace,
            _ => &device.id(),
        };
        let path = route.path.replace("{id}", id);
        let body = match route.path {
            "/api/v1/admin/sessions/end" => json!({"ids": [device.id()], "reason": "x"}),
            "/api/v1/admin/users" => json!({"email": "new@example.org", "invite": true}),
            path if path.ends_with("/disable") => json!({"reason": "x"}),
            "/api/v1/admin/users/{id}" if route.method.as_str() == "DELETE" => {
                json!({"email": "grace@example.org"})
            }
            _ => json!({}),
        };
        for colour in ["colour=red", "colour="] {
            let request = admin
                .device
                .request(route.method.as_str(), &format!("{path}?{colour}"));
            let request = match route.method.as_str() {
                "GET" => request,
                _ => request.json(&body),
            };
            let problem = TestResponse::to(request)
                .await
                .problem(400, "invalid_request");
            let field = &problem["errors"][0]["field"];
            assert_eq!(field, "colour", "{} {path}", route.method);
        }
    }
    assert!(paths >= 20, "only {paths} paths");
    admin.person(&grace).await;
}

async fn who_and_what_there_is_not_finds_nothing_in_every_list(app: &TestApp) {
    let admin = populate(app).await;
    let unknown = "01a226cc-0000-7000-8000-000000000000";
    let empty = json!({"count": 0, "is_exact": true});
    for (path, name) in LISTS {
        let parts: &[&str] = match name {
            "sessions" | "events" => &["application", "user"],
            "users" => &["application"],
            _ => continue,
        };
        for part in parts {
            for value in [unknown, "nowhere", "nobody@example.org"] {
                let page = list(&admin, path, &[(part, value)]).await;
                let found = (ids(&page, name).len(), &page["total"]);
                assert_eq!(found, (0, &empty), "{path}?{part}={value}");
            }
        }
    }
}

async fn people_are_found_by_the_name_or_the_id_of_their_application(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let rollcall = Program::with(&app.database);
    let key = rollcall.add_key(&["--name", "Shop & Co", "--scope", "sessions"]);
    let opened = app
        .anyone()
        .request("POST", "/api/v1/app/sessions")
        .basic_auth(&key.id, Some(&key.secret))
        .json(&json!({"subject": "customer-7"}));
    TestResponse::to(opened).await.expect(201);
    let mut pages = Vec::new();
    for value in ["Shop & Co", &key.application] {
        let page = list(&admin, LISTS[4].0, &[("application", value)]).await;
        assert_eq!(page["users"][0]["subject"], "customer-7");
        assert_eq!(page["total"], json!({"count": 1, "is_exact": true}));
        pages.push(page);
    }
    assert_eq!(pages[0], pages[1]);
}

async fn an_order_is_one_object(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let ada = app.register("ada@example.org").await;
    let device = app.login(&ada, IPHONE).await;
    let id = device.id();
    for wrong in [
        format!(r#"[null, ["{id}"], "x", false, false]"#),
        format!(r#" [{{"ids": ["{id}"], "reason": "x"}}]"#),
        format!(r#"{{"ids": ["{id}"], "ids": [], "reason": "x"}}"#),
        format!(r#"{{"ids": ["{id}"], "reason": "x", "reason": "y"}}"#),
        format!(r#"{{"ids": ["{id}"], "reason": "x"}} {{}}"#),
        format!(r#"{{"ids": ["{id}"], "reason": "x"}}x"#),
        r#"{"filter": {"os": "iOS", "os": "Android"}, "reason": "x"}"#.to_owned(),
        r#"{"filter": ["os", "iOS"], "reason": "x"}"#.to_owned(),
    ] {
        let request = admin.device.request("POST", END);
        let request = request.header("content-type", "application/json");
        TestResponse::to(request.body(wrong.clone()))
            .await
            .problem(400, "invalid_request");
        device.current().await.expect(200);
    }
}

async fn a_reason_to_delete_is_in_the_query_or_the_body(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let ada = app.register("ada@example.org").await;
    let stated = |reason: &str| {
        let condition = format!("kind = 'ended' AND stated_reason = '{reason}'");
        let sql = format!("SELECT count(*) AS value FROM session_events WHERE {condition}");
        app.database.number(&sql)
    };
    for (by_person, status) in [(false, 204), (true, 200)] {
        let path = |device: &Device| match by_person {
            false => format!("/api/v1/admin/sessions/{}", device.id()),
            true => format!(
                "/api/v1/admin/users/{}/sessions",
                device.session["user_id"].as_str().expect("an id")
            ),
        };
        let device = app.login(&ada, IPHONE).await;
        let delete = |more: &str| admin.device.request("DELETE", &(path(&device) + more));
        for wrong in [
            delete("?reason=a").json(&json!({"reason": "b"})),
            delete("?reason=a&reason=b"),
            delete("?reason="),
            delete("").json(&json!({"reason": ""})),
            delete("").json(&json!({"why": "b"})),
            delete("").json(&json!(["b"])),
        ] {
            TestResponse::to(wrong)
                .await
                .problem(400, "invalid_request");
        }
        device.current().await.expect(200);
        let reason = format!("In the body {status}");
        let request = delete("").json(&json!({"reason": reason}));
        TestResponse::to(request).await.expect(status);
        assert_eq!(stated(&reason), 1);
        let device = app.login(&ada, IPHONE).await;
        let request = admin
            .device
            .request("DELETE", &format!("{}?reason=Query", path(&device)));
        TestResponse::to(request).await.expect(status);
        let device = app.login(&ada, IPHONE).await;
        TestResponse::to(admin.device.request("DELETE", &path(&device)))
            .await
            .expect(status);
    }
    assert_eq!(stated("Query"), 2);
}

async fn lists_of_many_say_that_their_number_is_not_exact(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let (id, _) = app.database.random_id_and_text();
    app.database.execute(&format!(
        "WITH RECURSIVE copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < 10500)
         INSERT INTO session_events (id, user_id, kind, at)
         SELECT {id}, {}, CASE WHEN n % 2 = 0 THEN 'signed_in' ELSE 'ended' END, '2026-11-01 00:00:00.000000'
         FROM copy",
        app.database.id(&admin.id)
    ));
    let path = LISTS[1].0;
    let all = list(&admin, path, &[("limit", "1")]).await;
    assert_eq!(all["total"], json!({"count": 10_000, "is_exact": false}));
    let ended = list(&admin, path, &[("kind", "ended")]).await;
    assert_eq!(ended["total"], json!({"count": 5_250, "is_exact": true}));
    // Those that an address finds are not counted besides the page.
    let none = list(&admin, path, &[("ip", "203.0.113.9")]).await;
    assert_eq!(none["total"], json!({"count": 0, "is_exact": true}));
}

async fn only_ended_sessions_are_sorted_by_their_end(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let ada = app.register("ada@example.org").await;
    let mut ended = Vec::new();
    let mut devices = Vec::new();
    for _ in 0..3 {
        devices.push(app.login(&ada, IPHONE).await);
    }
    // They end in another order than that of their sign-ins.
    devices.swap(0, 2);
    for device in &devices {
        app.advance(Duration::from_secs(1));
        let body = json!({"ids": [device.id()], "reason": "Lost"});
        order(&admin.device, &body).await.expect(200);
        ended.push(device.id());
    }
    let path = LISTS[3].0;
    for sort in ["ended", "-ended"] {
        for refused in ["", "live", "any"] {
            let query = [("sort", sort), ("state", refused)];
            let request = admin.device.request("GET", path).query(&query);
            let problem = TestResponse::to(request)
                .await
                .problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], "sort", "{refused}");
        }
        let by_state = list(&admin, path, &[("sort", sort), ("state", "ended")]).await;
        let by_reason = list(&admin, path, &[("sort", sort), ("reason", "admin")]).await;
        assert_eq!(ids(&by_state, "sessions"), ended);
        assert_eq!(ids(&by_reason, "sessions"), ended);
        ended.reverse();
    }
}
