//! Addresses that rows still store though their owners want none stored, or networks alone: no filter
//! finds by them, and no page, list or export has them.

use crate::support::admin::Admin;
use crate::support::bulk::order;
use crate::support::prelude::*;

on_both!(
    database: an_address_of_somebody_who_wants_none_is_found_nowhere,
    a_whole_address_of_somebody_who_wants_networks_is_found_by_its_network,
    an_address_of_an_administrator_who_wants_none_is_not_found,
    an_export_has_no_more_of_an_address_than_its_person_wants,
    a_filter_of_blanks_alone_is_refused,
);

const OFFICE: &str = "10.1.2.3";

/// Six people who are signed in at one address, and an administrator. The rows have it whole, whatever
/// the people want stored.
async fn office(database: Database, retention: &str) -> (TestApp, Admin) {
    let app = TestApp::start_behind_proxy(database).await;
    let admin = Admin::start(&app, "root@example.org").await;
    for n in 0..6 {
        let person = app.register(&format!("p{n}@example.org")).await;
        for _ in 0..4 {
            app.login_from(&person, FIREFOX, OFFICE, None).await;
        }
    }
    app.database.execute(&format!(
        "UPDATE users SET address_keeping = '{retention}' WHERE email <> 'root@example.org'"
    ));
    (app, admin)
}

/// Returns how many sessions and events a filter by address finds in lists and exports, and how many a
/// bulk end would end.
async fn found(admin: &Admin, ip: &str) -> [usize; 5] {
    let get = async |path: &str| {
        let path = format!("/api/v1/admin/{path}ip={ip}");
        admin.device.get(&path).await.expect(200)
    };
    let listed = async |path: &str, name: &str| {
        let page = get(path).await.json();
        page[name].as_array().expect("a list").len()
    };
    let lines = async |path: &str| get(path).await.text.lines().count();
    let dry = json!({"filter": {"ip": ip}, "dry_run": true});
    let dry = order(&admin.device, &dry).await.expect(200).json();
    [
        listed("sessions?limit=200&", "sessions").await,
        lines("sessions/export?format=jsonl&").await,
        listed("events?limit=200&", "events").await,
        lines("events/export?format=jsonl&").await,
        usize::try_from(dry["sessions"]["count"].as_u64().expect("a number")).expect("a size"),
    ]
}

/// Asserts that the address is on no page and in no list.
async fn expect_hidden(app: &TestApp, admin: &Admin) {
    let browser = app.browser_from(FIREFOX, "198.51.100.1");
    browser.sign_in(&admin.person).await.expect(303);
    for path in [
        "/admin",
        "/admin/addresses",
        "/admin/sessions",
        "/admin/events",
    ] {
        let page = browser.get(path).await.expect(200);
        assert!(!page.text.contains(OFFICE), "{path}: {}", page.text);
    }
    for path in ["overview", "sessions?limit=200", "events?limit=200"] {
        let path = format!("/api/v1/admin/{path}");
        let list = admin.device.get(&path).await.expect(200);
        assert!(!list.text.contains(OFFICE), "{path}: {}", list.text);
    }
    let people = admin.get("?q=p0@example.org").await.expect(200).json();
    let id = people["users"][0]["id"].as_str().expect("an id").to_owned();
    let page = browser.get(&format!("/admin/users/{id}")).await.expect(200);
    assert!(!page.text.contains(OFFICE), "{}", page.text);
}

async fn an_address_of_somebody_who_wants_none_is_found_nowhere(database: Database) {
    let (app, admin) = office(database, "whole").await;
    assert_eq!(found(&admin, OFFICE).await, [24; 5]);
    app.database
        .execute("UPDATE users SET address_keeping = 'none' WHERE email <> 'root@example.org'");
    for ip in [OFFICE, "10.1.2.0/24", "10.0.0.0/8"] {
        assert_eq!(found(&admin, ip).await, [0; 5], "{ip}");
    }
    expect_hidden(&app, &admin).await;
    app.stop().await;
}

async fn a_whole_address_of_somebody_who_wants_networks_is_found_by_its_network(
    database: Database,
) {
    let (app, admin) = office(database, "shortened").await;
    for ip in [OFFICE, "10.1.2.0/25", "10.1.2.3/32"] {
        assert_eq!(found(&admin, ip).await, [0; 5], "{ip}");
    }
    for ip in ["10.1.2.0/24", "10.0.0.0/8"] {
        assert_eq!(found(&admin, ip).await, [24; 5], "{ip}");
    }
    expect_hidden(&app, &admin).await;
    let browser = app.browser_from(FIREFOX, "198.51.100.1");
    browser.sign_in(&admin.person).await.expect(303);
    browser
        .get("/admin/addresses")
        .await
        .expect(200)
        .expect_words("10.1.2.0/24");
    app.stop().await;
}

/// What an administrator does to others is recorded with an address of theirs.
async fn an_address_of_an_administrator_who_wants_none_is_not_found(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let reader = Admin::start(&app, "root@example.org").await;
    let other = app.register("other@example.org").await;
    app.set_role(&other, "admin");
    let other = app.login_from(&other, FIREFOX, OFFICE, None).await;
    let phone = app.register("bob@example.org").await;
    let phone = app.login(&phone, IPHONE).await;
    let body = json!({"ids": [phone.id()], "reason": "x"});
    let request = other
        .request("POST", "/api/v1/admin/sessions/end")
        .json(&body);
    TestResponse::to(request.header("x-forwarded-for", OFFICE))
        .await
        .expect(200);
    let path = format!("/api/v1/admin/events?ip={OFFICE}&kind=ended");
    let count = async || {
        let page = reader.device.get(&path).await.expect(200).json();
        page["events"].as_array().expect("a list").len()
    };
    assert_eq!(count().await, 1);
    app.database
        .execute("UPDATE users SET address_keeping = 'none' WHERE email = 'other@example.org'");
    assert_eq!(count().await, 0);
    app.stop().await;
}

async fn an_export_has_no_more_of_an_address_than_its_person_wants(database: Database) {
    let (app, admin) = office(database, "shortened").await;
    let people = admin.get("?q=p0@example.org").await.expect(200).json();
    let id = people["users"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/{id}/export");
    for (retention, network) in [("shortened", true), ("none", false)] {
        app.database.execute(&format!(
            "UPDATE users SET address_keeping = '{retention}' WHERE email <> 'root@example.org'"
        ));
        let file = admin.send("POST", &path, &json!({})).await.expect(200);
        assert!(!file.text.contains(OFFICE), "{}", file.text);
        assert_eq!(file.text.contains("10.1.2.0"), network, "{retention}");
    }
    app.stop().await;
}

/// It would find everything, as one without a value does.
async fn a_filter_of_blanks_alone_is_refused(database: Database) {
    let (app, admin) = office(database, "whole").await;
    for list in ["sessions", "events"] {
        for part in ["user=%00", "user=%20", "ip=%00", "ip=%20"] {
            let path = format!("/api/v1/admin/{list}?{part}");
            let refused = admin.device.get(&path).await;
            let problem = refused.problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["message"], "has no text", "{path}");
        }
    }
    let browser = app.browser_from(FIREFOX, "198.51.100.1");
    browser.sign_in(&admin.person).await.expect(303);
    for path in ["/admin/applications", "/admin/jobs"] {
        browser.get(path).await.expect(200);
        browser.get(&format!("{path}?cursor=x")).await.expect(400);
    }
    app.stop().await;
}
