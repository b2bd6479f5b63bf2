//! The refresh of the bound cookie: what it takes, and that no answer of it makes a browser forget its key
//! that should keep it. In Chromium every status but 200, 403 and 5xx ends the binding.

use rollcall::settings::Settings;

use crate::support::bound::{BOUND, Key, SESSION, challenged, encode, use_https};
use crate::support::bound_browser::{BoundBrowser, Refreshed};
use crate::support::cookies::set_cookies;
use crate::support::outage::Outage;
use crate::support::outgoing::Outgoing;
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    database: a_proof_gets_the_cookie_and_the_next_challenge,
    without_a_good_challenge_there_is_another_one,
    a_newer_proof_voids_older_ones_and_may_come_again,
    a_proof_that_comes_again_counts_from_when_it_came_first,
    where_there_is_nothing_to_refresh_the_browser_is_told_so,
    a_proof_by_another_key_is_refused_and_told_of,
    an_outage_ends_no_binding,
    no_throttle_ends_a_binding,
    any_node_answers_any_step,
    a_rotated_service_key_ends_no_binding,
    a_clock_that_is_set_right_ends_no_binding,
);

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

async fn bound(database: Database) -> (TestApp, Person, BoundBrowser) {
    bound_with(database, use_https).await
}

async fn bound_with(
    database: Database,
    change: impl FnOnce(&mut Settings),
) -> (TestApp, Person, BoundBrowser) {
    let app = TestApp::start_with(database, change).await;
    let ada = app.register("ada@example.org").await;
    let browser = BoundBrowser::bound(&app, &ada, FIREFOX).await;
    (app, ada, browser)
}

/// Returns the challenge that the browser would sign next.
fn known(browser: &BoundBrowser) -> String {
    let binding = browser.binding.as_ref().expect("it is bound");
    binding.challenge.clone().expect("a challenge")
}

fn key(browser: &BoundBrowser) -> Key {
    browser.binding.as_ref().expect("it is bound").key.clone()
}

async fn a_proof_gets_the_cookie_and_the_next_challenge(database: Database) {
    let (app, _, mut browser) = bound(database).await;
    let (id, before) = (browser.id(), browser.cookie(BOUND));
    app.advance(9 * MINUTE);
    let challenge = known(&browser);
    let proof = key(&browser).refresh(&challenge);
    // Both headers come bare from Chromium, and as quoted strings from whoever follows the draft.
    for (id_sent, proof) in [
        (id.clone(), proof.clone()),
        (format!("\"{id}\""), format!("\"{proof}\"")),
    ] {
        let response = browser.refresh_now(&id_sent, Some(&proof)).await;
        let response = response.expect(200);
        assert_eq!(response.header("content-type"), "application/json");
        assert_eq!(response.header("cache-control"), "no-store");
        let next = challenged(&response, &id).expect("the next challenge");
        assert_ne!(next, challenge);
        let cookies = set_cookies(&response);
        let [cookie] = cookies.as_slice() else {
            panic!("{cookies:?}");
        };
        assert_eq!(
            (cookie.name(), cookie.attribute("Max-Age")),
            (BOUND, Some("600"))
        );
        assert_eq!(response.json()["session_identifier"], id.as_str());
    }
    assert_ne!(browser.cookie(BOUND), before);
    // Before the cookie is over, that is one request; long after it, and after a restart, it is two.
    for (pause, is_restarted) in [(9, false), (60, false), (0, true), (24 * 60, true)] {
        app.advance(pause * MINUTE);
        if is_restarted {
            browser.restart();
            browser.forget_cookie(BOUND);
        }
        browser.get("/devices").await.expect(200);
    }
    app.stop().await;
}

async fn without_a_good_challenge_there_is_another_one(database: Database) {
    let (app, ada, mut browser) = bound(database).await;
    let id = browser.id();
    let mut other = BoundBrowser::new(&app, IPHONE);
    other.sign_in(&ada).await.expect(303);
    other.register().await.expect(200);
    let (mine, own) = (known(&browser), key(&browser));
    let flipped = if mine.starts_with('B') { "C" } else { "B" };
    let wrong = [
        None,
        Some(own.refresh("")),
        Some(own.refresh("x")),
        Some(own.refresh(&format!("{flipped}{}", &mine[1..]))),
        Some(own.refresh(&encode([0; 64]))),
        // Good for another session.
        Some(own.refresh(&known(&other))),
    ];
    for proof in wrong {
        let response = browser.refresh_now(&id, proof.as_deref()).await.expect(403);
        assert!(challenged(&response, &id).is_some(), "{proof:?}");
        assert!(set_cookies(&response).is_empty(), "{proof:?}");
    }
    app.advance(14 * MINUTE);
    let proof = own.refresh(&mine);
    browser.refresh_now(&id, Some(&proof)).await.expect(200);
    app.advance(2 * MINUTE);
    browser.refresh_now(&id, Some(&proof)).await.expect(403);
    assert_eq!(browser.refresh().await, Refreshed::Bound);
    // A thing that no browser sends ends nothing, either.
    for proof in ["", "x", "a.b.c", &"x".repeat(3_000)] {
        let response = browser.refresh_now(&id, Some(proof)).await;
        assert!([400, 403].contains(&response.status), "{response:?}");
    }
    browser.get("/devices").await.expect(200);
    app.stop().await;
}

async fn a_newer_proof_voids_older_ones_and_may_come_again(database: Database) {
    let (app, _, mut browser) = bound(database).await;
    let id = browser.id();
    let older = key(&browser).refresh(&known(&browser));
    app.advance(2 * MINUTE);
    assert_eq!(browser.refresh().await, Refreshed::Bound);
    app.advance(2 * MINUTE);
    let newer = key(&browser).refresh(&known(&browser));
    for _ in 0..3 {
        // As after a lost answer.
        browser.refresh_now(&id, Some(&newer)).await.expect(200);
        app.advance(SECOND);
    }
    // What was made in advance and carried away is worth nothing.
    let mut thief = browser.copied_to(&app, FIREFOX);
    thief.forget_cookie(BOUND);
    let response = thief.refresh_now(&id, Some(&older)).await.expect(403);
    assert!(set_cookies(&response).is_empty());
    browser.refresh_now(&id, Some(&newer)).await.expect(200);
    app.stop().await;
}

/// Whoever has read the request of a refresh, with all its headers, gains no more time than the browser had.
async fn a_proof_that_comes_again_counts_from_when_it_came_first(database: Database) {
    let (app, _, mut browser) = bound(database).await;
    let id = browser.id();
    app.advance(2 * MINUTE);
    assert_eq!(browser.refresh().await, Refreshed::Bound);
    let proof = key(&browser).refresh(&known(&browser));
    app.advance(SECOND);
    browser.refresh_now(&id, Some(&proof)).await.expect(200);
    let mut thief = browser.copied_to(&app, FIREFOX);
    for minutes in [4, 5] {
        app.advance(minutes * MINUTE);
        thief.refresh_now(&id, Some(&proof)).await.expect(200);
    }
    app.advance(MINUTE);
    thief.refresh_now(&id, Some(&proof)).await.expect(403);
    app.stop().await;
}

async fn where_there_is_nothing_to_refresh_the_browser_is_told_so(database: Database) {
    let (app, ada, mut browser) = bound(database).await;
    let id = browser.id();
    let ended = async |browser: &mut BoundBrowser, id: &str, shown: &str| {
        let proof = key(browser).refresh(&known(browser));
        for proof in [None, Some(proof.as_str())] {
            let response = browser.refresh_now(id, proof).await;
            assert_eq!(response.status, 200, "{shown}: {response:?}");
            assert_eq!(response.json()["continue"], false, "{shown}");
            assert!(set_cookies(&response).is_empty(), "{shown}: {response:?}");
        }
    };
    // With the cookie of one session, another one is not refreshed.
    let mut other = BoundBrowser::new(&app, IPHONE);
    other.sign_in(&ada).await.expect(303);
    let unbound = other.get("/api/v1/sessions/current").await.expect(200);
    let unbound = unbound.json()["id"].as_str().expect("an id").to_owned();
    for other_id in [
        unbound.as_str(),
        "",
        "x",
        "00000000-0000-7000-8000-000000000000",
    ] {
        ended(&mut browser, other_id, other_id).await;
    }
    let mut without = browser.clone();
    without.forget_cookie(SESSION);
    ended(&mut without, &id, "without the session cookie").await;
    without.set_cookie(SESSION, "forged");
    ended(&mut without, &id, "with a forged cookie").await;
    let mut foreign = browser.clone();
    foreign.set_cookie(SESSION, &other.cookie(SESSION).expect("a cookie"));
    ended(&mut foreign, &id, "with the cookie of another session").await;
    ended(&mut foreign, &unbound, "of a session without a key").await;
    // None of that ended anything.
    browser.get("/devices").await.expect(200);
    let mut before = browser.clone();
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    ended(&mut before, &id, "signed out").await;
    app.stop().await;
}

async fn a_proof_by_another_key_is_refused_and_told_of(database: Database) {
    let (app, ada, mut browser) = bound(database).await;
    let mut laptop = BoundBrowser::new(&app, FIREFOX);
    laptop.sign_in(&ada).await.expect(303);
    app.confirm_sign_ins();
    app.advance(MINUTE);
    let alerts = "SELECT count(*) AS value FROM alerts WHERE answered_at IS NULL";
    assert_eq!(app.database.number(alerts), 0);
    let id = browser.id();
    let mut thief = browser.copied_to(&app, FIREFOX);
    let response = thief.refresh_now(&id, None).await.expect(403);
    let challenge = challenged(&response, &id).expect("a challenge");
    let good = key(&browser).refresh(&challenge);
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    let flipped = if signature.starts_with('B') { "C" } else { "B" };
    for proof in [
        Key::generate().refresh(&challenge),
        format!("{signed}.{flipped}{}", &signature[1..]),
    ] {
        let response = thief.refresh_now(&id, Some(&proof)).await.expect(400);
        assert_eq!(response.header("content-type"), "application/problem+json");
        assert!(set_cookies(&response).is_empty());
    }
    assert_eq!(app.database.number(alerts), 1);
    let page = laptop.get("/devices").await.expect(200);
    page.expect_words(
        "Somebody used a copy of the sign-in of Firefox on Windows, just now. This time it got nothing.",
    );
    // The owner notices nothing on the device itself.
    browser.forget_cookie(BOUND);
    browser.get("/devices").await.expect(200);
    app.advance(23 * 60 * MINUTE);
    let again = async |thief: &mut BoundBrowser| {
        let response = thief.refresh_now(&id, None).await.expect(403);
        let challenge = challenged(&response, &id).expect("a challenge");
        let proof = Key::generate().refresh(&challenge);
        thief.refresh_now(&id, Some(&proof)).await.expect(400);
    };
    again(&mut thief).await;
    let raised = "SELECT count(*) AS value FROM alerts WHERE kind NOT LIKE 'new_%'";
    assert_eq!(app.database.number(raised), 1);
    app.advance(2 * 60 * MINUTE);
    again(&mut thief).await;
    assert_eq!(app.database.number(raised), 2);
    app.stop().await;
}

async fn an_outage_ends_no_binding(database: Database) {
    let (app, _, mut browser) = bound_with(database, |settings| {
        use_https(settings);
        settings.database.busy_timeout = Duration::from_millis(100);
        settings.database.connect_timeout = Duration::from_millis(500);
    })
    .await;
    app.advance(11 * MINUTE);
    let id = browser.id();
    let proof = key(&browser).refresh(&known(&browser));
    let outage = Outage::of(&app.database);
    let response = browser.refresh_now(&id, Some(&proof)).await.expect(503);
    assert!(set_cookies(&response).is_empty());
    let without = browser.refresh_now(&id, None).await;
    // An SQLite file that is locked can be read.
    let is_read = app.database.postgres_name().is_none();
    assert_eq!(without.status, if is_read { 403 } else { 503 });
    // The request goes on without, and says so; no answer of it ends anything.
    let page = browser.get("/devices").await.expect(503);
    assert!(page.header("content-type").starts_with("text/html"));
    let other = Key::generate().registration(&known(&browser));
    let response = browser.register_now(Some(&other)).await;
    assert!([400, 503].contains(&response.status), "{response:?}");
    outage.end();
    crate::support::eventually("the page opens again", async || {
        browser.clone().get("/devices").await.status == 200
    })
    .await;
    assert!(browser.binding.is_some());
    app.stop().await;
}

async fn no_throttle_ends_a_binding(database: Database) {
    let (app, _, mut browser) = bound_with(database, |settings| {
        use_https(settings);
        settings.throttles.network_burst = 3;
        settings.throttles.mail_burst = 3;
        settings.throttles.node_burst = 3;
    })
    .await;
    let (id, key) = (browser.id(), key(&browser));
    let mut anybody = BoundBrowser::new(&app, IPHONE);
    for _ in 0..30 {
        anybody.refresh_now(&id, Some("a.b.c")).await.expect(200);
        anybody.register_now(Some("a.b.c")).await.expect(401);
        browser.refresh_now(&id, None).await.expect(403);
        browser.register_now(Some("a.b.c")).await.expect(400);
        let proof = Key::generate().refresh(&known(&browser));
        browser.refresh_now(&id, Some(&proof)).await.expect(400);
        let proof = key.refresh(&known(&browser));
        browser.refresh_now(&id, Some(&proof)).await.expect(200);
    }
    // Bodies and methods that no browser sends are no reason, either.
    let request = Outgoing::form("/auth/bound/refresh", &[("x", &"x".repeat(100_000))]);
    let request = request.with("sec-secure-session-id", &id);
    let response = browser.send_now(&request).await;
    assert!([200, 403, 413].contains(&response.status), "{response:?}");
    browser.get("/devices").await.expect(200);
    app.stop().await;
}

async fn any_node_answers_any_step(database: Database) {
    let app = TestApp::start_with(database, use_https).await;
    let other = app.another_node(use_https).await;
    let (one, two) = (app.base(), other.base());
    let ada = app.register("ada@example.org").await;
    let mut browser = BoundBrowser::new(&app, FIREFOX);
    browser.sign_in(&ada).await.expect(303);
    browser.go_to(&two);
    browser.register().await.expect(200);
    browser.go_to(&one);
    browser.get("/devices").await.expect(200);
    app.advance(31 * SECOND);
    let mut thief = browser.copied_to(&app, FIREFOX);
    thief.forget_cookie(BOUND);
    for base in [&two, &one, &two] {
        browser.go_to(base);
        browser.forget_cookie(BOUND);
        browser.get("/devices").await.expect(200);
        thief.go_to(base);
        assert!(thief.get("/devices").await.is_to_sign_in());
        app.advance(MINUTE);
    }
    // A proof that one node has taken is overtaken on the other.
    let old = key(&browser).refresh(&known(&browser));
    app.advance(2 * MINUTE);
    assert_eq!(browser.refresh().await, Refreshed::Bound);
    app.advance(2 * MINUTE);
    assert_eq!(browser.refresh().await, Refreshed::Bound);
    browser.go_to(&one);
    let id = browser.id();
    browser
        .clone()
        .refresh_now(&id, Some(&old))
        .await
        .expect(403);
    let mut before = browser.clone();
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    before.go_to(&two);
    let response = before.refresh_now(&id, None).await.expect(200);
    assert_eq!(response.json()["continue"], false);
    other.stop().await;
    app.stop().await;
}

/// The service's own keys rotate: what the old one made stays good, and is made anew once it is revoked.
async fn a_rotated_service_key_ends_no_binding(database: Database) {
    use rollcall::keys::{KeyKind, Start};

    let (app, _, mut browser) = bound(database).await;
    app.rotate_keys(&[KeyKind::Cookie], Start::Now).await;
    browser.get("/devices").await.expect(200);
    browser.forget_cookie(BOUND);
    browser.get("/devices").await.expect(200);
    app.rotate_keys(&[KeyKind::Cookie], Start::Now).await;
    app.advance(11 * MINUTE);
    browser.get("/devices").await.expect(200);
    let deleted = ["user", "delete", "--email", "ada@example.org"];
    Program::with(&app.database).run(&deleted).expect_done();
    let id = browser.id();
    let response = browser.refresh_now(&id, None).await.expect(200);
    assert_eq!(response.json()["continue"], false);
    app.stop().await;
}

/// A clock was wrong for a while, and proofs are stored that are still to come.
async fn a_clock_that_is_set_right_ends_no_binding(database: Database) {
    let (app, _, mut browser) = bound(database).await;
    app.advance(120 * MINUTE);
    browser.get("/devices").await.expect(200);
    app.set_back(90 * MINUTE);
    browser.forget_cookie(BOUND);
    browser.get("/devices").await.expect(200);
    assert!(browser.binding.is_some());
    app.stop().await;
}
