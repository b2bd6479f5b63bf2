//! Where it is said that a session is bound, what is left of the key when its session, its person or the
//! feature is gone, and that a database from before it locks nobody out.

use std::slice;

use serde_json::Value;

use crate::support::bound::{BOUND, use_https};
use crate::support::bound_browser::{BoundBrowser, Refreshed};
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    database: pages_say_since_when_a_session_is_bound,
    programs_and_exports_are_told_since_when,
    an_administrator_finds_the_sessions_that_are_bound,
    a_database_without_the_key_locks_nobody_out,
    switched_off_it_requires_nothing,
    the_key_goes_with_its_session_and_its_person,
);

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const KEYS: &str = "SELECT count(*) AS value FROM session_keys";
const SINCE: &str = "Bound to this browser since 17 May";
const NO_USE: &str = "A copy of its sign-in is no use on another computer.";
const NOT_BOUND: &str = "Not bound: this browser has proved no key";

struct Fixture {
    app: TestApp,
    ada: Person,
    owner: BoundBrowser,
    /// A browser that doesn't bind its session.
    other: BoundBrowser,
}

async fn set_up(database: Database) -> Fixture {
    let app = TestApp::start_with(database, use_https).await;
    let ada = app.register("ada@example.org").await;
    let owner = BoundBrowser::bound(&app, &ada, FIREFOX).await;
    let mut other = BoundBrowser::new(&app, IPHONE);
    other.sign_in(&ada).await.expect(303);
    app.confirm_sign_ins();
    Fixture {
        app,
        ada,
        owner,
        other,
    }
}

async fn current(browser: &mut BoundBrowser) -> Value {
    let current = browser.get("/api/v1/sessions/current").await;
    current.expect(200).json()
}

async fn pages_say_since_when_a_session_is_bound(database: Database) {
    let Fixture {
        app,
        ada,
        mut owner,
        mut other,
    } = set_up(database).await;
    let bound = format!("/devices/{}", owner.id());
    let id = current(&mut other).await["id"].clone();
    let unbound = format!("/devices/{}", id.as_str().expect("an id"));
    for browser in [&mut owner, &mut other] {
        let list = browser.get("/devices").await.expect(200);
        assert_eq!(list.words().matches(SINCE).count(), 1, "{}", list.words());
        assert!(!list.words().contains("Not bound"), "{}", list.words());
        let page = browser.get(&bound).await.expect(200);
        page.expect_words(SINCE).expect_words(NO_USE);
        let page = browser.get(&unbound).await.expect(200);
        let words = page.expect_words(NOT_BOUND).words();
        assert!(!words.contains(NO_USE), "{words}");
    }
    // A program has no browser that could offer it.
    let program = app.login(&ada, FIREFOX).await;
    let page = owner.get(&format!("/devices/{}", program.id())).await;
    let words = page.expect(200).words();
    assert!(!words.contains("this browser does not offer"), "{words}");
    app.stop().await;
}

async fn programs_and_exports_are_told_since_when(database: Database) {
    let Fixture {
        app,
        mut owner,
        mut other,
        ..
    } = set_up(database).await;
    let id = owner.id();
    let since = current(&mut owner).await["bound_since"].clone();
    assert_eq!(since, "2031-05-17T08:30:00.000000Z");
    let unbound = current(&mut other).await;
    assert_eq!(unbound.get("bound_since"), Some(&Value::Null), "{unbound}");
    let export = owner.get("/account/export").await.expect(200).json();
    let list = owner.get("/api/v1/sessions/me").await.expect(200).json();
    for all in [&export, &list] {
        let sessions = all["sessions"].as_array().expect("a list");
        for session in sessions {
            let expected = if session["id"] == id.as_str() {
                &since
            } else {
                &Value::Null
            };
            assert_eq!(session.get("bound_since"), Some(expected), "{session}");
        }
        assert!(sessions.len() >= 2);
    }
    // The key is nobody's business.
    for text in [export.to_string(), list.to_string()] {
        assert!(!text.contains("public_key"), "{text}");
    }
    app.stop().await;
}

async fn an_administrator_finds_the_sessions_that_are_bound(database: Database) {
    let Fixture {
        app,
        ada,
        mut owner,
        mut other,
    } = set_up(database).await;
    app.set_role(&ada, "admin");
    let (bound, unbound) = (json!(owner.id()), current(&mut other).await["id"].clone());
    let find = async |browser: &mut BoundBrowser, query: &str| {
        let path = format!("/api/v1/admin/sessions?{query}");
        let found = browser.get(&path).await.expect(200).json();
        let sessions = found["sessions"].as_array().expect("a list").clone();
        let mut ids: Vec<_> = sessions
            .iter()
            .map(|session| session["id"].clone())
            .collect();
        ids.sort_by_key(Value::to_string);
        assert!(
            sessions
                .iter()
                .all(|session| session.get("bound_since").is_some())
        );
        ids
    };
    assert_eq!(find(&mut owner, "bound=yes").await, slice::from_ref(&bound));
    assert_eq!(
        find(&mut owner, "bound=no").await,
        slice::from_ref(&unbound)
    );
    assert_eq!(find(&mut owner, "").await.len(), 2);
    let page = owner.get("/admin/sessions?bound=yes").await.expect(200);
    assert!(
        page.text.contains(bound.as_str().expect("an id")),
        "{}",
        page.text
    );
    assert!(!page.text.contains(unbound.as_str().expect("an id")));
    app.stop().await;
}

async fn a_database_without_the_key_locks_nobody_out(database: Database) {
    let Fixture {
        app,
        ada,
        mut owner,
        ..
    } = set_up(database).await;
    // As a backup from before it, or a version that didn't know of it.
    app.database.execute("DELETE FROM session_keys");
    owner.get("/devices").await.expect(200);
    app.advance(11 * MINUTE);
    owner.get("/devices").await.expect(200);
    assert!(owner.binding.is_none(), "the browser still refreshes");
    app.advance(11 * MINUTE);
    owner.get("/devices").await.expect(200);
    // With the next password it is bound again.
    owner.confirm(&ada).await.expect(303);
    owner.register().await.expect(200);
    let page = owner.get("/devices").await.expect(200);
    page.expect_words("Bound to this browser since");
    app.stop().await;
}

async fn switched_off_it_requires_nothing(database: Database) {
    let Fixture { app, mut owner, .. } = set_up(database).await;
    let off = app
        .another_node(|settings| {
            use_https(settings);
            settings.sessions.bound_lifetime = Duration::ZERO;
        })
        .await;
    let mut without = owner.clone();
    without.binding = None;
    without.forget_cookie(BOUND);
    without.go_to(&off.base());
    let page = without.get("/devices").await.expect(200);
    assert!(!page.words().contains("Bound"), "{}", page.words());
    let page = without.get(&format!("/devices/{}", owner.id())).await;
    let words = page.expect(200).words();
    for sentence in [NO_USE, "Not bound", SINCE] {
        assert!(!words.contains(sentence), "{sentence}: {words}");
    }
    // The browser forgets it, and is no slower for it.
    let mut browser = owner.clone();
    browser.go_to(&off.base());
    browser.forget_cookie(BOUND);
    browser.get("/devices").await.expect(200);
    assert!(browser.binding.is_none(), "the browser still refreshes");
    off.stop().await;
    // Switched on again, it is required as before.
    without.go_to(&app.base());
    let response = without.get("/devices").await;
    assert!(without.is_unproven(&response).await);
    owner.forget_cookie(BOUND);
    assert_eq!(owner.refresh().await, Refreshed::Bound);
    app.stop().await;
}

async fn the_key_goes_with_its_session_and_its_person(database: Database) {
    let Fixture {
        app,
        ada,
        mut owner,
        ..
    } = set_up(database).await;
    let bob = app.register("bob@example.org").await;
    BoundBrowser::bound(&app, &bob, FIREFOX).await;
    assert_eq!(app.database.number(KEYS), 2);
    owner.submit("/devices", "/sign-out", &[]).await.expect(303);
    app.advance(91 * DAY);
    app.sweep().await;
    assert_eq!(app.database.number(KEYS), 1, "hers is purged");
    let mut again = BoundBrowser::bound(&app, &ada, FIREFOX).await;
    assert_eq!(app.database.number(KEYS), 2);
    let deleted = ["user", "delete", "--email", "bob@example.org"];
    Program::with(&app.database).run(&deleted).expect_done();
    assert_eq!(app.database.number(KEYS), 1);
    again.get("/devices").await.expect(200);
    app.stop().await;
}
