//! The security log: filters, pages, what is around an event, exports, retention, and who sees what.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rollcall::net::ip_key;
use serde_json::Value;
use uuid::Uuid;

use crate::support::html;
use crate::support::prelude::*;

on_both!(
    app: every_filter_finds_what_a_model_finds,
    pages_go_both_ways_while_events_are_added,
    a_cursor_is_of_its_filter_only,
    what_is_no_filter_is_refused_and_named,
    a_range_that_ends_before_it_begins_is_refused,
    an_empty_list_has_no_export,
    an_address_is_shown_only_as_its_owner_allows,
    no_response_has_a_secret,
    the_page_lists_filters_and_goes_on,
    what_is_around_an_event_is_shown,
    an_auditor_reads_and_others_find_no_page,
    exports_have_every_event_and_no_formula,
    events_outlive_their_session_until_their_own_retention,
    old_addresses_get_their_sortable_form,
    what_an_application_does_has_its_name,
);

const API: &str = "/api/v1/admin/events";
const PAGE: &str = "/admin/events";
const SHOP: &str = "01a226cc-0000-7000-8000-00000000a001";
const JOB: &str = "01a226cc-0000-7000-8000-00000000b001";
const SESSION: &str = "01a226cc-0000-7000-8000-00000000c001";
const GONE: &str = "01a226cc-0000-7000-8000-00000000d001";
const KINDS: [&str; 4] = ["signed_in", "ended", "renamed", "password_changed"];
const IPS: [Option<&str>; 6] = [
    None,
    Some("203.0.113.7"),
    Some("203.0.113.0"),
    Some("203.0.113.200"),
    Some("198.51.100.1"),
    Some("2001:db8:1::5"),
];
const DETAILS: [Option<&str>; 5] = [
    None,
    Some("admin"),
    Some("FÜNFZIG%"),
    Some("x_y"),
    Some("a\\b"),
];

/// A row of the log that the test writes.
#[derive(Debug, Clone)]
struct Row {
    id: Uuid,
    /// Milliseconds before now.
    age: i64,
    user: usize,
    by: Option<usize>,
    kind: &'static str,
    has_session: bool,
    has_job: bool,
    by_application: bool,
    ip: Option<&'static str>,
    detail: Option<&'static str>,
    reason: Option<&'static str>,
}

/// The people whom the events are about, and who did them; the last one is deleted.
struct People(Vec<(String, String)>);

impl People {
    async fn register(app: &TestApp) -> Self {
        let mut people = Vec::new();
        for email in ["ada@example.org", "bob@example.org"] {
            app.register(email).await;
            let id = id_of(app, email);
            people.push((email.to_owned(), id));
        }
        people.push(("gone@example.org".into(), GONE.into()));
        app.database.execute("DELETE FROM session_events");
        Self(people)
    }
}

/// Returns a new key, of which the log says nothing.
fn create_key(app: &TestApp, scopes: &str) -> String {
    let key = app.create_key(scopes);
    app.database
        .execute("DELETE FROM session_events WHERE kind = 'key_created'");
    key
}

/// Returns a person's id as text.
fn id_of(app: &TestApp, email: &str) -> String {
    let column = match app.database.postgres_name() {
        Some(_) => "id::text",
        None => "lower(hex(id))",
    };
    let rows = app.database.texts(&format!(
        "SELECT {column} AS value FROM users WHERE email = '{email}'"
    ));
    let id = rows[0].clone().expect("an id");
    Uuid::parse_str(&id).expect("an id").to_string()
}

fn now() -> i64 {
    // The time at which the clock of the tests stands.
    chrono_millis("2031-05-17T08:30:00Z")
}

fn chrono_millis(text: &str) -> i64 {
    let time: rollcall::clock::Timestamp = chrono::DateTime::parse_from_rfc3339(text)
        .expect("a time")
        .to_utc()
        .into();
    time.timestamp_millis()
}

/// Returns random rows, some of them in the same millisecond.
fn random_rows(count: usize) -> Vec<Row> {
    let row = (
        (0..2usize, 0..4usize, 0..KINDS.len(), 0..IPS.len()),
        (0..DETAILS.len(), 0..3usize, any::<[bool; 3]>()),
        (0..40i64, any::<[u8; 10]>()),
    );
    let rows = proptest::collection::vec(row, count);
    let mut runner = TestRunner::deterministic();
    let rows = rows.new_tree(&mut runner).expect("values").current();
    type Who = (usize, usize, usize, usize);
    type What = (usize, usize, [bool; 3]);
    type When = (i64, [u8; 10]);
    let make = |(who, what, when): (Who, What, When)| {
        let ((user, by, kind, ip), (detail, reason, flags), (step, random)) = (who, what, when);
        let age = step * 3_600_000;
        let millis = u64::try_from(now() - age).expect("after 1970");
        Row {
            id: uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
            age,
            user,
            by: (by < 3).then_some(by),
            kind: KINDS[kind],
            has_session: flags[0],
            has_job: flags[1],
            by_application: flags[2],
            ip: IPS[ip],
            detail: DETAILS[detail],
            reason: [None, Some("Stolen LAPTOP"), Some("100 %")][reason],
        }
    };
    let mut rows: Vec<Row> = rows.into_iter().map(make).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
    rows.dedup_by_key(|row| row.id);
    rows
}

fn insert(app: &TestApp, people: &People, rows: &[Row]) {
    let database = &app.database;
    let text = |value: Option<&str>| {
        value.map_or("NULL".into(), |value| {
            format!("'{}'", value.replace('\'', "''"))
        })
    };
    let id = |value: Option<&str>| value.map_or("NULL".into(), |value| database.id(value));
    for row in rows {
        let at = time(now() - row.age);
        let key = row.ip.and_then(ip_key);
        database.execute(&format!(
            "INSERT INTO session_events (id, user_id, session_id, kind, detail, ip_address, by_user_id, at, \
             by_application_id, job_id, stated_reason, ip_key) VALUES ({}, {}, {}, '{}', {}, {}, {}, '{at}', {}, {}, {}, {})",
            database.id(&row.id.to_string()),
            database.id(&people.0[row.user].1),
            id(row.has_session.then_some(SESSION)),
            row.kind,
            text(row.detail),
            text(row.ip),
            id(row.by.map(|by| people.0[by].1.as_str())),
            id(row.by_application.then_some(SHOP)),
            id(row.has_job.then_some(JOB)),
            text(row.reason),
            text(key.as_deref()),
        ));
    }
}

/// Returns a time as both databases store it.
fn time(millis: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(millis).expect("a time");
    at.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

fn matches(row: &Row, people: &People, (name, value): (&str, &str)) -> bool {
    let is = |index: usize| people.0[index].0 == value || people.0[index].1 == value;
    let has = |text: Option<&str>| {
        text.is_some_and(|text| text.to_lowercase().contains(&value.to_lowercase()))
    };
    match name {
        "user" => is(row.user),
        "by" => row.by.is_some_and(is) && value != "gone@example.org",
        "application" => row.by_application && (value == SHOP || value == "shop"),
        "kind" => row.kind == value,
        "session" => row.has_session && value == SESSION,
        "job" => row.has_job && value == JOB,
        "ip" => {
            let filter: rollcall::net::IpFilter = value.parse().expect("a filter");
            let range = filter.keys();
            // Of a deleted account, no address is shown.
            let ip = row.ip.filter(|_| row.by != Some(2));
            ip.and_then(ip_key).is_some_and(|key| {
                range.first <= key && key <= range.last && range.except.as_ref() != Some(&key)
            })
        }
        "from" => row.age <= hours(value),
        "to" => row.age > hours(value),
        "q" => has(row.detail) || has(row.reason),
        _ => panic!("{name}"),
    }
}

fn hours(span: &str) -> i64 {
    let hours: i64 = span.trim_end_matches('h').parse().expect("hours");
    hours * 3_600_000
}

async fn get(app: &TestApp, key: &str, query: &[(&str, &str)]) -> TestResponse {
    let request = app.anyone().request("GET", API).query(query);
    TestResponse::to(request.bearer_auth(key)).await
}

fn ids(page: &Value) -> Vec<String> {
    let events = page["events"].as_array().expect("a list");
    let id = |event: &Value| event["id"].as_str().expect("an id").to_owned();
    events.iter().map(id).collect()
}

/// Walks every page in a direction, from a cursor on.
async fn walk(
    app: &TestApp,
    key: &str,
    filter: &[(&str, &str)],
    direction: &str,
    mut cursor: Option<String>,
) -> (Vec<Vec<String>>, Value) {
    let mut pages = Vec::new();
    loop {
        let mut query = filter.to_vec();
        query.push(("limit", "7"));
        if let Some(cursor) = &cursor {
            query.push(("cursor", cursor));
        }
        let page = get(app, key, &query).await.expect(200).json();
        assert_eq!(page["is_partial"], false);
        pages.push(ids(&page));
        assert!(pages.len() < 100, "it goes on without an end");
        cursor = page[direction].as_str().map(str::to_owned);
        // Newer ones may come at any time, so there is always a page for them.
        let is_last = direction == "previous_cursor" && pages.last().is_some_and(Vec::is_empty);
        if cursor.is_none() || is_last {
            return (pages, page);
        }
    }
}

async fn every_filter_finds_what_a_model_finds(app: &TestApp) {
    let people = People::register(app).await;
    let rows = random_rows(90);
    insert(app, &people, &rows);
    app.database.execute(&format!(
        "INSERT INTO applications (id, name, created_at) VALUES ({}, 'shop', '2026-11-20 08:30:00.000000')",
        app.database.id(SHOP)
    ));
    let key = create_key(app, "admin:read");
    let ada = people.0[0].1.clone();
    let filters: Vec<(&str, &str)> = vec![
        ("user", "ADA@example.org"),
        ("user", &ada),
        ("user", "nobody@example.org"),
        ("by", "bob@example.org"),
        ("by", GONE),
        ("by", "gone@example.org"),
        ("application", "shop"),
        ("application", SHOP),
        ("application", "other"),
        ("kind", "ended"),
        ("session", SESSION),
        ("session", GONE),
        ("job", JOB),
        ("ip", "203.0.113.7"),
        ("ip", "203.0.113.0"),
        ("ip", "203.0.113.0/24"),
        ("ip", "203.0.113.128/25"),
        ("ip", "203.0.113.0/25"),
        ("ip", "0.0.0.0/0"),
        ("ip", "2001:db8::/32"),
        ("from", "20h"),
        ("to", "10h"),
        ("q", "ADMIN"),
        ("q", "laptop"),
        ("q", "fünfzig"),
        ("q", "%"),
        ("q", "_"),
        ("q", "\\"),
    ];
    let singles = filters.iter().map(|filter| vec![*filter]);
    let pairs = filters.iter().enumerate().flat_map(|(index, first)| {
        // Every third pair: all of them take minutes.
        let others = filters[index + 1..].iter().step_by(3);
        let others = others.filter(|second| first.0 != second.0);
        others.map(|second| vec![*first, *second])
    });
    for filter in std::iter::once(Vec::new()).chain(singles).chain(pairs) {
        let lower = |value: &str| match value {
            "ADA@example.org" => "ada@example.org".to_owned(),
            value => value.to_owned(),
        };
        let expected: Vec<String> = rows
            .iter()
            .filter(|row| {
                filter
                    .iter()
                    .all(|(name, value)| matches(row, &people, (*name, &lower(value))))
            })
            .map(|row| row.id.to_string())
            .collect();
        let (pages, last) = walk(app, &key, &filter, "next_cursor", None).await;
        assert_eq!(pages.concat(), expected, "{filter:?}");
        // And back again, from the last page to the newest event.
        let Some(back) = last["previous_cursor"].as_str() else {
            assert!(expected.len() <= 7, "{filter:?}");
            continue;
        };
        let last = ids(&last);
        let (mut pages, _) = walk(app, &key, &filter, "previous_cursor", Some(back.into())).await;
        pages.reverse();
        assert_eq!([pages.concat(), last].concat(), expected, "{filter:?} back");
    }
}

async fn pages_go_both_ways_while_events_are_added(app: &TestApp) {
    let people = People::register(app).await;
    let rows = random_rows(30);
    let (later, earlier): (Vec<Row>, Vec<Row>) =
        rows.into_iter().partition(|row| row.age < 5 * 3_600_000);
    insert(app, &people, &earlier);
    let key = create_key(app, "admin:read");
    let first = get(app, &key, &[("limit", "5")]).await.expect(200).json();
    insert(app, &people, &later);
    let next = first["next_cursor"].as_str().expect("a cursor").to_owned();
    let (pages, last) = walk(app, &key, &[], "next_cursor", Some(next)).await;
    let walked = [ids(&first), pages.concat()].concat();
    let expected: Vec<String> = earlier.iter().map(|row| row.id.to_string()).collect();
    assert_eq!(walked, expected);
    let back = last["previous_cursor"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    let (mut pages, _) = walk(app, &key, &[], "previous_cursor", Some(back)).await;
    pages.reverse();
    let all: Vec<String> = later
        .iter()
        .chain(&earlier)
        .map(|row| row.id.to_string())
        .collect();
    assert_eq!([pages.concat(), ids(&last)].concat(), all);
}

async fn a_cursor_is_of_its_filter_only(app: &TestApp) {
    let people = People::register(app).await;
    insert(app, &people, &random_rows(20));
    let key = create_key(app, "admin:read");
    let page = get(app, &key, &[("limit", "3")]).await.expect(200).json();
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    get(app, &key, &[("cursor", cursor)]).await.expect(200);
    // An empty value says nothing, as in every list.
    let first = [("cursor", ""), ("limit", "3")];
    assert_eq!(get(app, &key, &first).await.expect(200).json(), page);
    for query in [
        [("cursor", cursor), ("kind", "ended")],
        [("cursor", "forged"), ("limit", "3")],
    ] {
        let problem = get(app, &key, &query).await.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], "cursor", "{problem:#}");
    }
}

async fn a_range_that_ends_before_it_begins_is_refused(app: &TestApp) {
    let key = create_key(app, "admin:read");
    let query = [("from", "2026-11-08"), ("to", "2026-11-01")];
    let problem = get(app, &key, &query).await.problem(400, "invalid_request");
    assert_eq!(problem["errors"][0]["field"], "to");
    let browser = auditor(app).await;
    let query = "from=2026-11-08&to=2026-11-01";
    browser
        .get(&format!("{PAGE}?{query}"))
        .await
        .expect(400)
        .expect_words("must be after the beginning of the range");
    browser
        .get(&format!("{PAGE}/export?{query}"))
        .await
        .expect(400);
}

async fn an_empty_list_has_no_export(app: &TestApp) {
    let browser = auditor(app).await;
    for list in [PAGE, "/admin/sessions"] {
        let page = browser.get(list).await.expect(200);
        assert!(page.text.contains(" download>"), "{}", page.text);
        let page = browser.get(&format!("{list}?q=xyzzy")).await.expect(200);
        assert!(!page.text.contains(" download>"), "{}", page.text);
    }
}

async fn what_is_no_filter_is_refused_and_named(app: &TestApp) {
    let key = create_key(app, "admin:read");
    let query = [
        ("colour", "red"),
        ("kind", "gone"),
        ("ip", "here"),
        ("limit", "201"),
        ("offset", "5"),
    ];
    let problem = get(app, &key, &query).await.problem(400, "invalid_request");
    let errors = problem["errors"].as_array().expect("a list");
    let named: BTreeSet<&str> = errors
        .iter()
        .filter_map(|err| err["field"].as_str())
        .collect();
    assert_eq!(
        named,
        BTreeSet::from(["colour", "ip", "kind", "limit", "offset"])
    );
    let browser = auditor(app).await;
    let page = browser
        .get("/admin/events?colour=red&q=x")
        .await
        .expect(400);
    assert!(!page.text.contains("<table"), "nothing is listed");
    assert!(page.text.contains("value=\"x\""), "what was typed is there");
    page.expect_words("“ colour ” is not a filter");
}

/// Of a person who stores none of their addresses, also what others did to them shows none, and no
/// filter by address finds it.
async fn an_address_is_shown_only_as_its_owner_allows(app: &TestApp) {
    let people = People::register(app).await;
    let rows: Vec<Row> = random_rows(40)
        .into_iter()
        .map(|row| Row {
            ip: Some("203.0.113.77"),
            user: 0,
            by: Some(1),
            ..row
        })
        .collect();
    insert(app, &people, &rows);
    let key = create_key(app, "admin:read");
    let browser = auditor(app).await;
    for (retention, shown) in [
        ("whole", Some("203.0.113.77")),
        ("shortened", Some("203.0.113.0")),
        ("none", None),
    ] {
        for who in ["ada", "bob"] {
            app.database.execute(&format!(
                "UPDATE users SET address_keeping = CASE WHEN email = '{who}@example.org' THEN '{retention}' ELSE 'whole' END"
            ));
            let page = get(app, &key, &[("user", "ada@example.org")])
                .await
                .expect(200);
            assert_eq!(
                page.json()["events"][0]["ip_address"].as_str(),
                shown,
                "{who}"
            );
            let found = get(app, &key, &[("ip", "203.0.113.77")])
                .await
                .expect(200)
                .json();
            assert_eq!(
                ids(&found).is_empty(),
                retention != "whole",
                "{who} {retention}"
            );
            for path in ["/admin/events?user=ada@example.org", "/admin/events/export"] {
                let text = browser.get(path).await.expect(200).text;
                let text = text.replace("placeholder=\"203.0.113.0/24\"", "");
                assert_eq!(
                    text.contains("203.0.113.77"),
                    retention == "whole",
                    "{path}"
                );
                assert_eq!(text.contains("203.0.113."), shown.is_some(), "{path}");
            }
        }
    }
}

async fn no_response_has_a_secret(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let browser = auditor(app).await;
    let key = create_key(app, "admin:read sessions");
    let mut secrets = vec![
        laptop.access_token.clone(),
        laptop.refresh_token.clone(),
        key.clone(),
    ];
    for query in [
        "SELECT refresh_token_jti AS value FROM user_sessions",
        "SELECT secret_hash AS value FROM api_keys",
        "SELECT password_hash AS value FROM users",
    ] {
        secrets.extend(app.database.texts(query).into_iter().flatten());
    }
    let bearer = |path: &str| app.anyone().request("GET", path).bearer_auth(&key);
    let texts = [
        TestResponse::to(bearer(API)).await.expect(200).text,
        TestResponse::to(bearer("/api/v1/admin/events/export?format=jsonl"))
            .await
            .text,
        TestResponse::to(bearer("/api/v1/admin/applications"))
            .await
            .expect(200)
            .text,
        browser.get(PAGE).await.expect(200).text,
        browser.get("/admin/applications").await.expect(200).text,
    ];
    for text in texts {
        for secret in &secrets {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

async fn the_page_lists_filters_and_goes_on(app: &TestApp) {
    let people = People::register(app).await;
    insert(app, &people, &random_rows(80));
    let browser = auditor(app).await;
    // The auditor's own sign-in is an event as well.
    app.database
        .execute("DELETE FROM session_events WHERE detail IS NULL");
    let first = browser.get(PAGE).await.expect(200);
    let total = app
        .database
        .number("SELECT count(*) AS value FROM session_events");
    assert_eq!(first.text.matches("<tr id=").count(), 50);
    let older = link(&first, "rel=\"next\"");
    let second = browser.get(&older).await.expect(200);
    assert_eq!(second.text.matches("<tr id=").count() as i64, total - 50);
    let newer = link(&second, "rel=\"prev\"");
    let again = browser.get(&newer).await.expect(200);
    let rows = |page: &TestResponse| {
        let ids = html::attributes(&page.text, "id");
        ids.into_iter()
            .filter(|id| id.starts_with("event-"))
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(&again), rows(&first));
    // A form sends its empty fields; the address has none.
    let response = browser.get("/admin/events?q=&kind=ended&user=").await;
    assert_eq!(response.location(), "/admin/events?kind=ended");
    let ended = browser
        .get("/admin/events?kind=ended&q=admin")
        .await
        .expect(200);
    assert!(ended.text.contains("<option value=\"ended\" selected>"));
    ended.expect_words("by an administrator");
    browser
        .get("/admin/events?user=nobody@example.org")
        .await
        .expect(200)
        .expect_words("No event matches.");
}

/// Returns the address of the link with that attribute.
fn link(page: &TestResponse, attribute: &str) -> String {
    let tag = page.text.split("<a ").find(|tag| {
        let tag = tag.split('>').next().unwrap_or_default();
        tag.contains(attribute)
    });
    let tag = format!(" {}", tag.expect("a link"));
    html::attributes(&tag, "href").remove(0)
}

async fn what_is_around_an_event_is_shown(app: &TestApp) {
    let people = People::register(app).await;
    let template = random_rows(1).remove(0);
    let minutes = |n: i64| {
        let age = n * 60_000;
        let millis = u64::try_from(now() - age).expect("after 1970");
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &[7; 10]).into_uuid();
        Row {
            id,
            age,
            user: usize::from(n % 2 == 1),
            ..template.clone()
        }
    };
    let rows: Vec<Row> = [0, 89, 90, 95, 100, 105, 110, 111, 200].map(minutes).into();
    insert(app, &people, &rows);
    let browser = auditor(app).await;
    let anchor = rows[4].id;
    let page = browser
        .get(&format!("/admin/events?around={anchor}"))
        .await
        .expect(200);
    let shown: Vec<String> = html::attributes(&page.text, "id")
        .into_iter()
        .filter_map(|id| Some(id.strip_prefix("event-")?.to_owned()))
        .collect();
    let expected: Vec<String> = rows[2..7].iter().map(|row| row.id.to_string()).collect();
    assert_eq!(shown, expected);
    assert_eq!(page.text.matches("aria-current=\"true\"").count(), 1);
    page.expect_words("This event")
        .expect_words("Ten minutes before and after");
    browser
        .get(&format!("/admin/events/{anchor}"))
        .await
        .expect(200)
        .expect_words("Show events around this one");
    browser
        .get(&format!("/admin/events?around={GONE}"))
        .await
        .expect(404);
    browser
        .get(&format!("/admin/events/{GONE}"))
        .await
        .expect(404);
    browser.get("/admin/events?around=x").await.expect(400);
    browser
        .get(&format!("/admin/events?around={anchor}&kind=ended"))
        .await
        .expect(400);
}

async fn auditor(app: &TestApp) -> Browser {
    let eve = app.register("eve@example.org").await;
    app.set_role(&eve, "auditor");
    app.signed_in_browser(&eve, FIREFOX).await
}

async fn an_auditor_reads_and_others_find_no_page(app: &TestApp) {
    let browser = auditor(app).await;
    app.advance(Duration::from_secs(601));
    for path in [PAGE, "/admin/events/export", "/admin/applications"] {
        let page = browser.get(path).await.expect(200);
        assert!(
            !page.text.contains("action=\"/admin/applications"),
            "{path} has a form"
        );
        assert!(
            !page.text.contains("action=\"/admin/api-keys"),
            "{path} has a form"
        );
    }
    let bob = app.register("bob@example.org").await;
    let other = app.signed_in_browser(&bob, FIREFOX).await;
    let missing = other.get("/admin/nowhere").await.expect(404).text;
    for path in [
        PAGE,
        "/admin/events/export",
        "/admin/events?colour=red",
        "/admin/applications",
    ] {
        assert_eq!(other.get(path).await.expect(404).text, missing, "{path}");
    }
    let key = create_key(app, "tokens sessions");
    get(app, &key, &[]).await.expect(404);
}

async fn exports_have_every_event_and_no_formula(app: &TestApp) {
    let people = People::register(app).await;
    let rows: Vec<Row> = random_rows(40)
        .into_iter()
        .map(|row| Row {
            detail: Some("=HYPERLINK(1)"),
            reason: Some("a, \"b\""),
            ..row
        })
        .collect();
    insert(app, &people, &rows);
    let browser = auditor(app).await;
    app.database
        .execute("DELETE FROM session_events WHERE detail IS NULL");
    let csv = browser
        .get("/admin/events/export?format=csv&kind=ended")
        .await
        .expect(200);
    assert_eq!(
        csv.header("content-disposition"),
        "attachment; filename=\"rollcall-events.csv\""
    );
    let ended = rows.iter().filter(|row| row.kind == "ended").count();
    assert_eq!(csv.text.lines().count(), ended + 1);
    assert!(
        csv.text
            .starts_with("id,at,kind,detail,user_id,user_email,"),
        "{}",
        csv.text
    );
    assert_eq!(csv.text.matches(",'=HYPERLINK(1),").count(), ended);
    assert_eq!(csv.text.matches("\"a, \"\"b\"\"\"").count(), ended);
    let jsonl = browser
        .get("/admin/events/export?format=jsonl")
        .await
        .expect(200);
    let exported: Vec<Value> = jsonl
        .text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(exported.len(), rows.len());
    assert_eq!(exported[0]["id"], rows[0].id.to_string());
    assert_eq!(exported[0]["detail"], "=HYPERLINK(1)");
    for query in ["format=xml", "colour=red", "cursor=x", "limit=5"] {
        browser
            .get(&format!("/admin/events/export?{query}"))
            .await
            .expect(400);
    }
}

async fn events_outlive_their_session_until_their_own_retention(app: &TestApp) {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    laptop.post("/api/v1/auth/logout").await.expect(204);
    let count = "SELECT count(*) AS value FROM session_events";
    assert_eq!(app.database.number(count), 2);
    app.advance(DAY * 91);
    app.sweep().await;
    assert_eq!(app.database.sessions_where("NOT is_active"), 0);
    assert_eq!(app.database.number(count), 2);
    let browser = auditor(app).await;
    browser
        .get(PAGE)
        .await
        .expect(200)
        .expect_words("a deleted session");
    app.advance(DAY * 308);
    app.sweep().await;
    assert_eq!(
        app.database
            .number(&format!("{count} WHERE at < '2031-06-01'")),
        2
    );
    app.advance(DAY + Duration::from_secs(1));
    app.sweep().await;
    assert_eq!(
        app.database
            .number(&format!("{count} WHERE at < '2031-06-01'")),
        0
    );
    assert!(app.database.number(count) > 0, "later ones stay");
}

async fn old_addresses_get_their_sortable_form(app: &TestApp) {
    let people = People::register(app).await;
    insert(app, &people, &random_rows(40));
    app.database
        .execute("UPDATE session_events SET ip_key = NULL");
    let key = create_key(app, "admin:read");
    let filter = [("ip", "203.0.113.7")];
    assert!(ids(&get(app, &key, &filter).await.expect(200).json()).is_empty());
    app.sweep().await;
    assert!(!ids(&get(app, &key, &filter).await.expect(200).json()).is_empty());
    let without = "SELECT count(*) AS value FROM session_events WHERE ip_key IS NULL AND ip_address IS NOT NULL";
    assert_eq!(app.database.number(without), 0);
}

async fn what_an_application_does_has_its_name(app: &TestApp) {
    let key = create_key(app, "sessions admin:read");
    let send = |method: &'static str, path: String, body: Value| {
        let request = app.anyone().request(method, &path).bearer_auth(&key);
        TestResponse::to(request.header("x-subject", "42").json(&body))
    };
    let path = || "/api/v1/app/sessions".to_owned();
    let opened = send("POST", path(), json!({"ip_address": "203.0.113.7"}))
        .await
        .expect(201)
        .json();
    let refreshed = json!({"refresh_token": opened["refresh_token"], "ip_address": "198.51.100.1"});
    let refresh = app
        .anyone()
        .request("POST", "/api/v1/app/sessions/refresh")
        .bearer_auth(&key);
    TestResponse::to(refresh.json(&refreshed)).await.expect(200);
    let id = opened["session"]["id"].as_str().expect("an id");
    send("DELETE", format!("/api/v1/app/sessions/{id}"), json!({}))
        .await
        .expect(204);
    send("POST", path(), json!({})).await.expect(201);
    send("DELETE", path(), json!({})).await.expect(200);
    let events = get(app, &key, &[]).await.expect(200).json();
    let events = events["events"].as_array().expect("a list").clone();
    assert_eq!(events.len(), 5, "{events:#?}");
    for event in &events {
        let name = event["by_application"].as_str().unwrap_or_default();
        assert!(name.starts_with("test "), "{event:#}");
    }
    let name = events[0]["by_application"].as_str().expect("a name");
    let found = get(app, &key, &[("application", name)])
        .await
        .expect(200)
        .json();
    assert_eq!(ids(&found).len(), 5);
}
