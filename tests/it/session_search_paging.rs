//! Pages of the administrator's search: forwards and back, among ties, while sessions are added, used
//! and ended, and with a budget that is over before a page is full.

use std::collections::BTreeSet;

use proptest::test_runner::TestRunner;
use rollcall::alerts::Alerts;
use rollcall::db::Db;
use rollcall::sessions::search::{
    MatchCount, SearchQuery, SessionFilter, SessionSort, StateFilter,
};
use rollcall::sessions::{LastUses, NetworkKey, Sessions};
use serde_json::Value;

use crate::session_search::{get, request};
use crate::support::app::settings_for;
use crate::support::prelude::*;
use crate::support::sessions::{End, RowOwner, SessionRow, owners, sessions};

on_both!(
    app: pages_lead_forwards_and_back,
    what_is_untouched_is_found_once_while_rows_change,
    a_cursor_counts_for_its_filter_and_order_only,
    an_empty_page_leads_back,
    a_search_goes_on_where_its_budget_was_over,
    many_sessions_are_counted_approximately,
);

const SORTS: [(&str, &str); 6] = [
    ("live", "used"),
    ("live", "-used"),
    ("live", "-opened"),
    ("ended", "ended"),
    ("ended", "-ended"),
    ("any", "-used"),
];

struct Page {
    ids: Vec<String>,
    next: Option<String>,
    previous: Option<String>,
}

async fn page(app: &TestApp, key: &str, query: &[(&str, &str)], cursor: &str) -> Page {
    let request = request(app, key, "/api/v1/admin/sessions")
        .query(query)
        .query(&[("cursor", cursor)]);
    let page = TestResponse::to(request).await.expect(200).json();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let sessions = page["sessions"].as_array().expect("a list");
    Page {
        ids: sessions
            .iter()
            .map(|session| text(&session["id"]).expect("an id"))
            .collect(),
        next: text(&page["next_cursor"]),
        previous: text(&page["previous_cursor"]),
    }
}

fn random(app: &TestApp, count: usize) -> (Vec<RowOwner>, Vec<SessionRow>) {
    let owners = owners();
    let rows = sessions(count, owners.len(), &mut TestRunner::default());
    app.insert_owners(&owners);
    app.insert_sessions(&owners, &rows);
    (owners, rows)
}

async fn pages_lead_forwards_and_back(app: &TestApp) {
    random(app, 200);
    let key = app.create_key("admin:read");
    for (state, sort) in SORTS {
        for filter in [
            ("kind", ""),
            ("kind", "desktop"),
            ("q", "a"),
            ("ip", "203.0.113.0/24"),
        ] {
            let query = [("state", state), ("sort", sort), filter, ("limit", "7")];
            let mut pages = vec![page(app, &key, &query, "").await];
            assert!(pages[0].previous.is_none());
            while let Some(next) = pages.last().and_then(|page| page.next.clone()) {
                pages.push(page(app, &key, &query, &next).await);
            }
            for before in (1..pages.len()).rev() {
                let previous = pages[before].previous.clone().expect("a cursor back");
                let back = page(app, &key, &query, &previous).await;
                assert_eq!(back.ids, pages[before - 1].ids, "{state} {sort} {filter:?}");
                assert_eq!(back.previous.is_some(), before > 1);
                let again = back.next.expect("a cursor forwards");
                let forwards = page(app, &key, &query, &again).await;
                assert_eq!(forwards.ids, pages[before].ids);
            }
        }
    }
}

async fn what_is_untouched_is_found_once_while_rows_change(app: &TestApp) {
    let (owners, _) = random(app, 150);
    let key = app.create_key("admin:read");
    for (round, (state, sort)) in SORTS.into_iter().enumerate() {
        let query = [("state", state), ("sort", sort), ("limit", "9")];
        let before = all(app, &key, state).await;
        let mut touched = BTreeSet::new();
        let mut walked = Vec::new();
        let mut last_page = None;
        let mut cursor = String::new();
        for step in 0.. {
            let page = page(app, &key, &query, &cursor).await;
            walked.extend(page.ids.clone());
            last_page = page.previous.clone().or(last_page);
            change_rows(app, &owners, &before, round + step, &mut touched);
            match page.next {
                Some(next) => cursor = next,
                None => break,
            }
        }
        assert_walked(&walked, &before, &touched);

        let mut back = Vec::new();
        let before = all(app, &key, state).await;
        touched.clear();
        let mut previous = last_page;
        for step in 0.. {
            let Some(cursor) = previous else { break };
            let page = page(app, &key, &query, &cursor).await;
            back.extend(page.ids.clone());
            change_rows(app, &owners, &before, round + step, &mut touched);
            previous = page.previous;
        }
        let repeated: BTreeSet<_> = back.iter().collect();
        assert!(back.len() - repeated.len() <= touched.len());
        for id in back.iter().filter(|id| !touched.contains(*id)) {
            assert_eq!(back.iter().filter(|other| *other == id).count(), 1, "{id}");
        }
    }
}

/// Every session that was there and was not touched is there once.
#[track_caller]
fn assert_walked(walked: &[String], before: &[String], touched: &BTreeSet<String>) {
    for id in before.iter().filter(|id| !touched.contains(*id)) {
        let times = walked.iter().filter(|other| *other == id).count();
        assert_eq!(times, 1, "{id} was found {times} times");
    }
}

/// Adds sessions, ends one and uses one; what was touched is remembered.
fn change_rows(
    app: &TestApp,
    owners: &[RowOwner],
    before: &[String],
    step: usize,
    touched: &mut BTreeSet<String>,
) {
    let added = sessions(3, owners.len(), &mut TestRunner::default());
    app.insert_sessions(owners, &added);
    touched.extend(added.iter().map(|session| session.id.to_string()));
    let Some((ended, used)) = before.get(step * 5).zip(before.get(step * 5 + 3)) else {
        return;
    };
    let now = app.time(0);
    app.database.execute(&format!(
        "UPDATE user_sessions SET is_active = false, ended_at = {now}, ended_reason = 'admin' WHERE id = {}",
        app.database.id(ended)
    ));
    app.database.execute(&format!(
        "UPDATE user_sessions SET last_used_at = {now}, last_used_bucket = last_used_bucket + 1 WHERE id = {}",
        app.database.id(used)
    ));
    touched.extend([ended.clone(), used.clone()]);
}

async fn all(app: &TestApp, key: &str, state: &str) -> Vec<String> {
    let path = format!("/api/v1/admin/sessions/export?format=jsonl&state={state}");
    let lines = get(app, key, &path).await.expect(200).text;
    let id = |line: &str| {
        let session: Value = serde_json::from_str(line).expect("JSON");
        session["id"].as_str().expect("an id").to_owned()
    };
    lines.lines().map(id).collect()
}

async fn a_cursor_counts_for_its_filter_and_order_only(app: &TestApp) {
    random(app, 60);
    let key = app.create_key("admin:read");
    let first = page(app, &key, &[("state", "any"), ("limit", "3")], "").await;
    let cursor = first.next.expect("a second page");
    let second = |query: String| {
        let key = key.clone();
        async move { get(app, &key, &format!("/api/v1/admin/sessions?{query}")).await }
    };
    second(format!("state=any&cursor={cursor}"))
        .await
        .expect(200);
    second(format!("state=any&limit=50&sort=-used&cursor={cursor}"))
        .await
        .expect(200);
    let mut forged: Vec<String> = vec![
        format!("{cursor}A"),
        cursor[1..].to_owned(),
        cursor.replace(
            &cursor[..1],
            if cursor.starts_with('B') { "C" } else { "B" },
        ),
        "AAAA".into(),
    ];
    for at in [3, 12, 30, 45] {
        let (start, rest) = cursor.split_at(at);
        let other = if rest.starts_with('x') { "y" } else { "x" };
        forged.push(format!("{start}{other}{}", &rest[1..]));
    }
    let queries = [
        format!("cursor={cursor}"),
        format!("state=ended&cursor={cursor}"),
        format!("state=any&kind=desktop&cursor={cursor}"),
        format!("state=any&sort=used&cursor={cursor}"),
        format!("state=any&sort=-opened&cursor={cursor}"),
    ];
    let forged = forged
        .iter()
        .map(|cursor| format!("state=any&cursor={cursor}"));
    for query in forged.chain(queries) {
        let problem = second(query.clone()).await.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], "cursor", "{query}");
    }
}

async fn an_empty_page_leads_back(app: &TestApp) {
    random(app, 60);
    let key = app.create_key("admin:read");
    let query = [("state", "live"), ("limit", "5")];
    let first = page(app, &key, &query, "").await;
    let second = page(app, &key, &query, &first.next.expect("a second page")).await;
    let (next, previous) = (
        second.next.expect("a third"),
        second.previous.expect("a first"),
    );
    // Everything but the second page ends.
    let ids: Vec<String> = second.ids.iter().map(|id| app.database.id(id)).collect();
    app.database.execute(&format!(
        "UPDATE user_sessions SET is_active = false, ended_at = updated_at, ended_reason = 'admin' \
         WHERE is_active AND id NOT IN ({})",
        ids.join(", ")
    ));
    let third = page(app, &key, &query, &next).await;
    assert!(third.ids.is_empty() && third.next.is_none());
    let back = page(app, &key, &query, &third.previous.expect("a way back")).await;
    assert_eq!(back.ids, second.ids);
    let first = page(app, &key, &query, &previous).await;
    assert!(first.ids.is_empty() && first.previous.is_none());
    let forwards = page(app, &key, &query, &first.next.expect("a way forwards")).await;
    assert_eq!(forwards.ids, second.ids);
}

/// Returns the sessions of the application's database, by its clock.
fn domain(app: &TestApp) -> Sessions {
    let settings = settings_for(&app.database, |_| {});
    let db = Db::new(&settings.database_url, &settings.database);
    Sessions::new(
        db.clone(),
        app.clock.clone(),
        Alerts::new(db.clone(), app.clock.clone(), &settings),
        LastUses::unbuffered(db),
        NetworkKey::none(),
        (&settings.sessions, &settings.tokens, &settings.jobs),
    )
}

fn filter(pairs: &[(&str, &str)]) -> SessionFilter {
    SessionFilter::parse(pairs.iter().copied()).expect("a filter")
}

async fn a_search_goes_on_where_its_budget_was_over(app: &TestApp) {
    let (owners, rows) = random(app, 2_000);
    let sessions = domain(app);
    for state in ["live", "ended", "any"] {
        for back in [false, true] {
            let filter = filter(&[("q", "43"), ("state", state)]);
            let sort = SessionSort::default_for(filter.state());
            let mut query = SearchQuery::first(filter, sort, 3);
            query.budget = Duration::ZERO;
            let mut found = Vec::new();
            let mut partial = 0;
            // The way back begins at the end.
            let mut end = None;
            loop {
                let page = sessions.search(query.clone()).await.expect("a page");
                partial += usize::from(page.is_partial);
                assert!(page.found.len() <= 3);
                found.extend(page.found.iter().map(|found| found.session.id.to_string()));
                end = page.previous.or(end);
                query.cursor = page.next;
                if page.next.is_none() {
                    break;
                }
            }
            if back {
                let forwards = std::mem::take(&mut found);
                query.cursor = end;
                while query.cursor.is_some() {
                    let page = sessions.search(query.clone()).await.expect("a page");
                    let ids = page.found.iter().rev();
                    found.extend(ids.map(|found| found.session.id.to_string()));
                    query.cursor = page.previous;
                }
                found.reverse();
                assert!(forwards.starts_with(&found), "{state}");
                assert!(forwards.len() - found.len() <= 3, "{state}");
                continue;
            }
            assert!(partial > 0, "{state}: the budget was never over");
            let expected = rows.iter().filter(|row| {
                owners[row.owner].subject == Some("43")
                    && match (state, row.end) {
                        (state, End::Due) => state == "any",
                        ("live", end) => end == End::Live,
                        ("ended", end) => end != End::Live,
                        _ => true,
                    }
            });
            let expected: BTreeSet<String> = expected.map(|row| row.id.to_string()).collect();
            assert_eq!(found.len(), expected.len());
            assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
        }
    }
}

async fn many_sessions_are_counted_approximately(app: &TestApp) {
    let (owners, _) = random(app, 0);
    let mut runner = TestRunner::default();
    let rows: Vec<SessionRow> = sessions(22_000, owners.len(), &mut runner)
        .into_iter()
        .map(|row| SessionRow {
            end: End::Live,
            ..row
        })
        .collect();
    app.insert_sessions(&owners, &rows);
    let sessions = domain(app);
    let counted = sessions
        .count_matching(&filter(&[]))
        .await
        .expect("a count");
    assert!(counted.is_approximate());
    assert!((18_000..=26_000).contains(&counted.number()), "{counted:?}");
    let phones = rows.iter().filter(|row| row.kind == "phone").count() as u64;
    let counted = sessions
        .count_matching(&filter(&[("kind", "phone")]))
        .await
        .expect("a count");
    assert_eq!(counted, MatchCount::Exactly(phones));
    let key = app.create_key("admin:read");
    let total = get(app, &key, "/api/v1/admin/sessions?limit=1")
        .await
        .expect(200)
        .json();
    assert_eq!(total["total"]["is_exact"], false);
    let exported = all(app, &key, "live").await;
    assert_eq!(exported.len(), 22_000);
    assert_eq!(exported.into_iter().collect::<BTreeSet<_>>().len(), 22_000);
    // In an order that no index has, and more than are sorted at once.
    let sort = SessionSort::parse("opened", StateFilter::Live).expect("an order");
    let query = SearchQuery::first(filter(&[("country", "Norway")]), sort, 200);
    let page = sessions.search(query).await.expect("a page");
    assert!(
        page.found
            .is_sorted_by_key(|found| (found.session.created_at, found.session.id))
    );
    assert_eq!(page.found.len(), 200);
}
