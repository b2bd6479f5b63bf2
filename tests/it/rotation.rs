//! What a rotation writes: one statement in the usual case, one transaction with a new address, one
//! more statement at the first use, and nothing that outlives the grace period.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use hkdf::Hkdf;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::Value;
use sha2::Sha256;

use crate::support::api::claims;
use crate::support::app::behind_proxy;
use crate::support::prelude::*;

on_both!(
    app: the_first_use_after_a_rotation_is_one_more_write,
);
on_both!(
    database: a_refresh_that_fails_halfway_changes_nothing,
    an_end_that_fails_halfway_changes_nothing,
    networks_are_stored_as_digests_and_forgotten_with_the_grace_period,
    people_without_stored_addresses_refresh_in_one_statement,
    tokens_from_before_there_were_counters_count_as_zero,
    only_a_password_that_was_given_recently_counts,
    a_token_of_another_type_is_refused,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";

async fn the_first_use_after_a_rotation_is_one_more_write(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    count_updates(&app.database);
    laptop.current().await.expect(200);
    assert_eq!(
        updates(app),
        0,
        "nothing waits for a successor after a sign-in"
    );
    let before = laptop.access_token.clone();
    laptop.refresh().await;
    assert_eq!(updates(app), 1, "a rotation is one statement");
    app.anyone().current(&before).await.expect(200);
    assert_eq!(updates(app), 1, "an access token from before is no use");
    for _ in 0..3 {
        laptop.current().await.expect(200);
        assert_eq!(updates(app), 2, "the first use, and no later one");
    }
    laptop.refresh().await;
    laptop.current().await.expect(200);
    assert_eq!(updates(app), 4);
}

async fn a_refresh_that_fails_halfway_changes_nothing(database: Database) {
    let app = TestApp::start_with(database, behind_proxy).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login_from(&ada, FIREFOX, HOME, None).await;
    let before = row(&app);
    refuse_events(&app.database);
    let anyone = app.anyone();
    let failed = anyone.refresh_from(&laptop.refresh_token, ELSEWHERE).await;
    assert!(failed.status >= 500);
    assert_eq!(row(&app), before);
    allow_events(&app.database);
    app.advance(Duration::from_secs(60));
    let again = anyone.refresh_from(&laptop.refresh_token, ELSEWHERE).await;
    let body = again.expect(200).json();
    assert_eq!(body["session"]["ip_address"], ELSEWHERE);
    assert_eq!(claims(text(&body, "refresh_token"))["rot"], 1);
    app.stop().await;
}

async fn an_end_that_fails_halfway_changes_nothing(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    let stolen = laptop.refresh_token.clone();
    laptop.refresh().await;
    laptop.current().await.expect(200);
    app.advance(Duration::from_secs(11));
    refuse_events(&app.database);
    assert!(app.anyone().refresh(&stolen).await.status >= 500);
    assert_eq!(app.database.sessions_where("is_active"), 1);
    allow_events(&app.database);
    app.anyone()
        .refresh(&stolen)
        .await
        .problem(401, "invalid_token");
    assert_eq!(app.database.sessions_where("is_active"), 0);
    app.stop().await;
}

async fn networks_are_stored_as_digests_and_forgotten_with_the_grace_period(database: Database) {
    let app = TestApp::start_with(database, behind_proxy).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.browser_from(FIREFOX, HOME);
    browser.sign_in(&ada).await;
    let choice = [("addresses", "none")];
    let saved = browser.submit("/account", "/account/addresses", &choice);
    saved.await.expect(303);
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);

    let mut laptop = app.login_from(&ada, FIREFOX, HOME, None).await;
    let list = || -> String {
        let query = "SELECT recent_rotations AS value FROM user_sessions WHERE is_active";
        app.database.texts(query).remove(0).unwrap_or_default()
    };
    let mut lengths = Vec::new();
    for _ in 0..12 {
        let body = app.anyone().refresh_from(&laptop.refresh_token, HOME).await;
        laptop.refresh_token = text(&body.expect(200).json(), "refresh_token").to_owned();
        lengths.push(list().chars().count());
        assert!(!list().contains("203.0.113"), "{}", list());
        app.sweep().await;
    }
    let entry = lengths[0];
    let expected: Vec<usize> = (1..=12).map(|n| entry * n.min(8)).collect();
    assert_eq!(lengths, expected, "at most eight rotations are stored");
    app.advance(Duration::from_secs(10));
    app.sweep().await;
    assert_ne!(list(), "", "the grace period includes its last second");

    count_updates(&app.database);
    app.advance(Duration::from_secs(1));
    app.sweep().await;
    assert_eq!(list(), "");
    assert_eq!(updates(&app), 1);
    app.sweep().await;
    assert_eq!(updates(&app), 1, "there is nothing to forget");

    // Each rotation drops what is past the grace period: a client that never rests keeps little.
    let mut lengths = Vec::new();
    for _ in 0..6 {
        app.advance(Duration::from_secs(4));
        let body = app.anyone().refresh_from(&laptop.refresh_token, HOME).await;
        laptop.refresh_token = text(&body.expect(200).json(), "refresh_token").to_owned();
        lengths.push(list().chars().count());
    }
    assert_eq!(
        lengths,
        [1, 2, 3, 3, 3, 3].map(|rotations| rotations * entry)
    );
    // A new network is recorded by other statements, which drop them as well. Without a stored
    // address there would be none to compare with.
    app.database
        .execute("UPDATE users SET address_keeping = 'whole'");
    app.advance(Duration::from_secs(4));
    let before = updates(&app);
    let body = app
        .anyone()
        .refresh_from(&laptop.refresh_token, ELSEWHERE)
        .await;
    body.expect(200);
    assert_eq!(updates(&app) - before, 2);
    assert_eq!(list().chars().count(), 3 * entry);
    app.stop().await;
}

async fn people_without_stored_addresses_refresh_in_one_statement(database: Database) {
    let app = TestApp::start_with(database, behind_proxy).await;
    let ada = app.register("ada@example.org").await;
    app.database
        .execute("UPDATE users SET address_keeping = 'none'");
    let laptop = app.login_from(&ada, FIREFOX, HOME, None).await;
    count_updates(&app.database);
    let body = app
        .anyone()
        .refresh_from(&laptop.refresh_token, ELSEWHERE)
        .await;
    assert_eq!(updates(&app), 1);
    // Once addresses are stored, the next one is.
    app.database
        .execute("UPDATE users SET address_keeping = 'whole'");
    let token = body.expect(200).json();
    let token = text(&token, "refresh_token");
    let body = app
        .anyone()
        .refresh_from(token, ELSEWHERE)
        .await
        .expect(200);
    assert_eq!(body.json()["session"]["ip_address"], ELSEWHERE);
    app.stop().await;
}

async fn tokens_from_before_there_were_counters_count_as_zero(database: Database) {
    let app = start_with_known_keys(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login_from(&ada, FIREFOX, HOME, None).await;
    let old = without_new_claims(&laptop.refresh_token);
    let access = without_new_claims(&laptop.access_token);
    let anyone = app.anyone();
    anyone.current(&access).await.expect(200);
    let others = anyone.request("DELETE", "/api/v1/sessions/others");
    TestResponse::to(others.bearer_auth(&access))
        .await
        .problem(401, "step_up_required");

    let body = anyone.refresh_from(&old, HOME).await.expect(200).json();
    let successor = text(&body, "refresh_token").to_owned();
    for token in [&successor, text(&body, "access_token")] {
        assert_eq!(claims(token)["rot"], 1);
        assert!(claims(token).get("auth_time").is_none());
        assert!(claims(token).get("acr").is_none());
    }
    // Its own access token is no use of the successor.
    anyone.current(&access).await.expect(200);
    let again = anyone.refresh_from(&old, ELSEWHERE).await.expect(200);
    assert_eq!(text(&again.json(), "refresh_token"), successor);
    let others = anyone.request("DELETE", "/api/v1/sessions/others");
    TestResponse::to(others.bearer_auth(text(&body, "access_token")))
        .await
        .problem(401, "step_up_required");
    app.advance(Duration::from_secs(60));
    anyone
        .refresh_from(&old, HOME)
        .await
        .problem(401, "invalid_token");

    // One that an older version had spent: whether its successor was used is not known.
    let phone = app.login_from(&ada, IPHONE, HOME, None).await;
    let spent = without_new_claims(&phone.refresh_token);
    app.database.execute(
        "UPDATE user_sessions SET previous_jti = refresh_token_jti, refresh_token_jti = 'newer',
                rotated_at = created_at WHERE is_active",
    );
    let body = anyone.refresh_from(&spent, ELSEWHERE).await.expect(200);
    assert_eq!(claims(text(&body.json(), "refresh_token"))["jti"], "newer");
    app.advance(Duration::from_secs(11));
    anyone
        .refresh_from(&spent, HOME)
        .await
        .problem(401, "invalid_token");
    app.stop().await;
}

async fn only_a_password_that_was_given_recently_counts(database: Database) {
    let app = start_with_known_keys(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let now = app.clock.now().timestamp();
    let acr = "urn:rollcall:password";
    for (auth_time, acr, status) in [
        (json!(now), json!(acr), 200),
        (json!(now - 600), json!(acr), 200),
        (json!(now - 601), json!(acr), 401),
        (json!(now + 60), json!(acr), 200),
        (json!(now + 61), json!(acr), 401),
        (json!(i64::MAX), json!(acr), 401),
        (json!(i64::MIN), json!(acr), 401),
        (json!(null), json!(acr), 401),
        (json!(now), json!(null), 401),
        (json!(now), json!("urn:rollcall:other"), 401),
    ] {
        let token = signed_again(&laptop.access_token, |claims| {
            claims["auth_time"] = auth_time.clone();
            claims["acr"] = acr.clone();
        });
        let others = app.anyone().request("DELETE", "/api/v1/sessions/others");
        let response = TestResponse::to(others.bearer_auth(token)).await;
        assert_eq!(
            response.status, status,
            "{auth_time} {acr}: {}",
            response.text
        );
    }
    app.stop().await;
}

/// Whatever else is signed with the keys one day is no token.
async fn a_token_of_another_type_is_refused(database: Database) {
    let app = start_with_known_keys(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    for typ in [None, Some("JWT"), Some("rt+jwt")] {
        let token = signed_as(&laptop.access_token, typ, |_| {});
        let response = app.anyone().current(&token).await;
        response.problem(401, "invalid_token");
    }
    for typ in [None, Some("JWT"), Some("at+jwt")] {
        let token = signed_as(&laptop.refresh_token, typ, |_| {});
        let response = app.anyone().refresh(&token).await;
        response.problem(401, "invalid_token");
    }
    laptop.current().await.expect(200);
    let response = app.anyone().refresh(&laptop.refresh_token).await;
    response.expect(200);
    app.stop().await;
}

const COOKIE_KEY: [u8; 64] = [7; 64];

fn signing_key() -> Vec<u8> {
    let key = SigningKey::from_bytes(&[9; 32]).to_pkcs8_der();
    key.expect("a key").as_bytes().to_vec()
}

async fn start_with_known_keys(database: Database) -> TestApp {
    TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.cookie_key = Some(STANDARD.encode(COOKIE_KEY).into());
        settings.signing_key = Some(STANDARD.encode(signing_key()).into());
    })
    .await
}

/// Returns the token as an older version would have signed it.
fn without_new_claims(token: &str) -> String {
    signed_again(token, |claims| {
        let names = claims.as_object_mut().expect("an object");
        names.remove("rtd");
        for name in ["rot", "auth_time", "acr"] {
            assert!(names.remove(name).is_some(), "{name} is missing");
        }
    })
}

/// Returns the token with other claims, signed with the same key.
fn signed_again(token: &str, change: impl FnOnce(&mut Value)) -> String {
    let typ = header(token)["typ"].as_str().map(str::to_owned);
    signed_as(token, typ.as_deref(), change)
}

/// Returns the token with other claims and another type, signed with the same key.
fn signed_as(token: &str, typ: Option<&str>, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims(token);
    change(&mut claims);
    let header = header(token);
    let text = |name: &str| header[name].as_str().map(str::to_owned);
    let (algorithm, key) = match text("typ").as_deref() {
        Some("at+jwt") => (Algorithm::EdDSA, EncodingKey::from_ed_der(&signing_key())),
        _ => {
            let mut key = [0; 64];
            Hkdf::<Sha256>::new(None, &COOKIE_KEY)
                .expand(b"rollcall refresh token v1", &mut key)
                .expect("a key");
            (Algorithm::HS256, EncodingKey::from_secret(&key))
        }
    };
    let header = Header {
        typ: typ.map(str::to_owned),
        kid: text("kid"),
        ..Header::new(algorithm)
    };
    jsonwebtoken::encode(&header, &claims, &key).expect("a token")
}

fn header(token: &str) -> Value {
    let (header, _) = token.split_once('.').expect("three parts");
    // The header stands where the claims are read.
    claims(&format!(".{header}."))
}

/// Returns everything that the only session has stored.
fn row(app: &TestApp) -> Vec<Option<String>> {
    [
        "refresh_token_jti",
        "previous_jti",
        "rotation_count",
        "recent_rotations",
        "is_token_used",
        "rotated_at",
        "ip_address",
        "last_used_at",
        "expires_at",
        "updated_at",
    ]
    .map(|column| app.database.of_the_session(column))
    .to_vec()
}

/// Counts the updates of sessions from now on.
fn count_updates(database: &Database) {
    database.execute("CREATE TABLE updates (n integer)");
    database.execute(match database.postgres_name() {
        None => {
            "CREATE TRIGGER counted AFTER UPDATE ON user_sessions
             BEGIN INSERT INTO updates VALUES (1); END"
        }
        Some(_) => {
            "CREATE FUNCTION count_update() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN INSERT INTO updates VALUES (1); RETURN NULL; END $$;
             CREATE TRIGGER counted AFTER UPDATE ON user_sessions
             FOR EACH ROW EXECUTE FUNCTION count_update()"
        }
    });
}

fn updates(app: &TestApp) -> i64 {
    app.database.number("SELECT count(*) AS value FROM updates")
}

/// Makes the database refuse every new event.
fn refuse_events(database: &Database) {
    database.execute(match database.postgres_name() {
        None => {
            "CREATE TRIGGER refused BEFORE INSERT ON session_events
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        }
        Some(_) => {
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
             CREATE TRIGGER refused BEFORE INSERT ON session_events
             FOR EACH ROW EXECUTE FUNCTION refuse()"
        }
    });
}

fn allow_events(database: &Database) {
    database.execute(match database.postgres_name() {
        None => "DROP TRIGGER refused",
        Some(_) => "DROP TRIGGER refused ON session_events",
    });
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().expect("a text")
}
