//! The registration of a browser's key: what it takes, what it answers, and that nobody is locked out by an
//! answer that is lost.

use actix_web::rt::spawn;
use serde_json::Value;

use crate::support::bound::{BOUND, Key, SESSION, encode, use_https};
use crate::support::bound_browser::{BoundBrowser, Refreshed};
use crate::support::cookies::set_cookies;
use crate::support::prelude::*;

on_both!(
    database: a_registration_answers_with_instructions_and_a_cookie,
    what_is_no_proof_registers_nothing,
    a_challenge_is_good_for_its_session_and_five_minutes,
    a_registration_needs_the_session_s_current_cookie,
    one_key_registers_any_number_of_times_and_no_other,
    of_two_keys_at_once_one_is_registered,
    a_step_up_replaces_a_key_whose_answer_was_lost,
    a_lost_answer_locks_nobody_out,
    the_cookie_is_required_half_a_minute_after_its_first_use,
);

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const KEYS: &str = "SELECT count(*) AS value FROM session_keys";

/// Starts the service, with a browser in which Ada has just signed in.
async fn signed_in(database: Database) -> (TestApp, Person, BoundBrowser) {
    let app = TestApp::start_with(database, use_https).await;
    let ada = app.register("ada@example.org").await;
    let mut browser = BoundBrowser::new(&app, FIREFOX);
    browser.sign_in(&ada).await.expect(303);
    (app, ada, browser)
}

async fn a_registration_answers_with_instructions_and_a_cookie(database: Database) {
    let (app, _, mut browser) = signed_in(database).await;
    let response = browser.register().await.expect(200);
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(response.header("cache-control"), "no-store");
    let current = browser.get("/api/v1/sessions/current").await.expect(200);
    assert_eq!(current.json()["id"], browser.id());
    let mut instructions = response.json();
    instructions["session_identifier"] = json!("the session's id");
    insta::assert_json_snapshot!(instructions, @r#"
    {
      "credentials": [
        {
          "attributes": "Path=/; Secure; HttpOnly; SameSite=Lax",
          "name": "__Host-rollcall_bound",
          "type": "cookie"
        }
      ],
      "refresh_url": "/auth/bound/refresh",
      "scope": {
        "include_site": false,
        "scope_specification": [
          {
            "path": "/static",
            "type": "exclude"
          },
          {
            "path": "/favicon.ico",
            "type": "exclude"
          },
          {
            "path": "/.well-known/jwks.json",
            "type": "exclude"
          },
          {
            "path": "/health",
            "type": "exclude"
          },
          {
            "path": "/oauth",
            "type": "exclude"
          },
          {
            "path": "/auth",
            "type": "exclude"
          }
        ]
      },
      "session_identifier": "the session's id"
    }
    "#);
    let cookies = set_cookies(&response);
    let [cookie] = cookies.as_slice() else {
        panic!("{cookies:?}");
    };
    // What the instructions say of it, or each request would be held back for a refresh.
    assert_eq!(cookie.name(), BOUND);
    let mut attributes = cookie.attributes.clone();
    attributes.sort_unstable();
    assert_eq!(
        attributes.join("; "),
        "HttpOnly; Max-Age=600; Path=/; SameSite=Lax; Secure"
    );
    assert!(browser.binding.expect("it is bound").challenge.is_some());
    assert_eq!(app.database.number(KEYS), 1);
    app.stop().await;
}

/// Returns what a browser doesn't send, by name.
fn bad_proofs(challenge: &str) -> Vec<(String, Option<String>)> {
    let (key, other) = (Key::generate(), Key::generate());
    let good = key.registration(challenge);
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    let header = json!({"alg": "ES256", "jwk": key.jwk(), "typ": "dbsc+jwt"});
    let payload = json!({"jti": challenge});
    let mut bad: Vec<(String, Option<String>)> = vec![("none".into(), None)];
    let mut add = |name: &str, proof: String| bad.push((name.to_owned(), Some(proof)));
    for (name, proof) in [
        ("empty", String::new()),
        ("one part", "x".to_owned()),
        ("two parts", signed.to_owned()),
        ("four parts", format!("{good}.x")),
        ("an empty signature", format!("{signed}.")),
        ("a half signature", format!("{signed}.{}", &signature[..43])),
        (
            "a signature of zeros",
            format!("{signed}.{}", encode([0; 64])),
        ),
        ("in DER", key.sign_in_der(signed)),
        ("by another key", other.sign_text(signed)),
        ("padded", format!("{good}==")),
        ("a header that is a list", key.sign(&json!([]), &payload)),
        ("a payload that is a text", key.sign(&header, &json!("x"))),
        (
            "no JSON",
            key.sign_text(&format!("{}.{}", encode("{"), encode("{}"))),
        ),
    ] {
        add(name, proof);
    }
    let altered = |part: &Value, name: &str, value: Option<Value>| {
        let mut part = part.clone();
        match value {
            Some(value) => part[name] = value,
            None => drop(part.as_object_mut().expect("an object").remove(name)),
        }
        part
    };
    for (name, value) in [
        ("alg", Some(json!("RS256"))),
        ("alg", Some(json!("none"))),
        ("alg", Some(json!("HS256"))),
        ("alg", None),
        ("typ", Some(json!("jwt"))),
        ("typ", None),
        ("crit", Some(json!(["b64"]))),
        ("crit", Some(json!([]))),
        ("jwk", None),
        ("jwk", Some(json!("x"))),
        ("jwk", Some(other.jwk())),
    ] {
        let shown = format!("{name}: {value:?}");
        add(&shown, key.sign(&altered(&header, name, value), &payload));
    }
    for value in [
        None,
        Some(json!("")),
        Some(json!(1)),
        Some(json!("AQ")),
        Some(json!(format!("{challenge}A"))),
        Some(json!(challenge[1..])),
        Some(json!(swapped(challenge))),
    ] {
        let shown = format!("jti: {value:?}");
        add(&shown, key.sign(&header, &altered(&payload, "jti", value)));
    }
    let jwk = key.jwk();
    let [x, y] = ["x", "y"].map(|name| jwk[name].as_str().expect("a coordinate").to_owned());
    for (name, value) in [
        ("kty", json!("RSA")),
        ("kty", json!("OKP")),
        ("crv", json!("P-384")),
        ("crv", json!("secp256k1")),
        // No point of the curve has them both.
        ("y", json!(x)),
        ("y", json!(swapped(&y))),
        ("y", json!(encode([0; 32]))),
        ("x", json!(encode([255; 32]))),
        ("x", json!(encode([0; 31]))),
        ("x", json!(format!("{x}="))),
        ("x", Value::Null),
    ] {
        let shown = format!("{name} of the key: {value}");
        let header = altered(&header, "jwk", Some(altered(&jwk, name, Some(value))));
        add(&shown, key.sign(&header, &payload));
    }
    let long = altered(&payload, "aud", Some(json!("x".repeat(2_000))));
    add("3 KiB", key.sign(&header, &long));
    bad
}

/// Returns a text whose first character is another one.
fn swapped(text: &str) -> String {
    let first = if text.starts_with('B') { 'C' } else { 'B' };
    format!("{first}{}", &text[1..])
}

async fn what_is_no_proof_registers_nothing(database: Database) {
    let (app, _, mut browser) = signed_in(database).await;
    let offer = browser.offer.clone().expect("an offer");
    for (name, proof) in bad_proofs(&offer) {
        let response = browser.register_now(proof.as_deref()).await;
        assert_eq!(response.status, 400, "{name}: {response:?}");
        assert_eq!(
            response.header("content-type"),
            "application/problem+json",
            "{name}"
        );
        assert!(browser.cookie(BOUND).is_none(), "{name}");
        assert_eq!(app.database.number(KEYS), 0, "{name}");
    }
    browser.get("/devices").await.expect(200);
    // Further claims are no matter, nor is whether the header is a quoted string (RFC 9651, 3.3.3).
    let key = Key::generate();
    let header = json!({"alg": "ES256", "jwk": key.jwk(), "typ": "dbsc+jwt", "kid": "1"});
    let payload = json!({"jti": offer, "aud": "https://login.example.org/auth/bound/register"});
    let proof = key.sign(&header, &payload);
    let quoted = format!("\"{proof}\"");
    for proof in [proof, quoted] {
        browser.register_now(Some(&proof)).await.expect(200);
    }
    app.stop().await;
}

async fn a_challenge_is_good_for_its_session_and_five_minutes(database: Database) {
    let (app, ada, mut browser) = signed_in(database).await;
    let mut other = BoundBrowser::new(&app, IPHONE);
    other.sign_in(&ada).await.expect(303);
    let mine = browser.offer.clone().expect("an offer");
    other.offer = Some(mine.clone());
    other.register().await.expect(400);
    app.advance(5 * MINUTE + SECOND);
    browser.register().await.expect(400);
    assert_eq!(app.database.number(KEYS), 0);
    // It is offered again with the next password, and good to the last second.
    browser.confirm(&ada).await.expect(303);
    let confirmed = browser.offer.clone().expect("an offer");
    app.advance(5 * MINUTE - SECOND);
    browser.register().await.expect(200);
    // What was for a registration is nothing for a refresh, and the other way round.
    let binding = browser.binding.clone().expect("it is bound");
    let proof = binding.key.refresh(&confirmed);
    let response = browser.refresh_now(&binding.id, Some(&proof)).await;
    response.expect(403);
    other.confirm(&ada).await.expect(303);
    other.register().await.expect(200);
    let next = browser.binding.clone().expect("it is bound").challenge;
    let proof = binding.key.registration(&next.expect("a challenge"));
    browser.register_now(Some(&proof)).await.expect(400);
    app.stop().await;
}

async fn a_registration_needs_the_session_s_current_cookie(database: Database) {
    let (app, ada, mut browser) = signed_in(database).await;
    let proof = Key::generate().registration(&browser.offer.clone().expect("an offer"));
    let mut nobody = BoundBrowser::new(&app, FIREFOX);
    let response = nobody.register_now(Some(&proof)).await.expect(401);
    assert_eq!(response.header("content-type"), "application/problem+json");
    nobody.set_cookie(SESSION, "forged");
    nobody.register_now(Some(&proof)).await.expect(401);

    // A copy from before a step-up may read for a few seconds, and binds nothing to itself.
    let mut copy = browser.copied_to(&app, FIREFOX);
    let before = browser.offer.clone();
    browser.confirm(&ada).await.expect(303);
    copy.get("/devices").await.expect(200);
    for offer in [before, browser.offer.clone()] {
        let proof = Key::generate().registration(&offer.expect("an offer"));
        let response = copy.register_now(Some(&proof)).await;
        assert!([400, 401, 403].contains(&response.status), "{response:?}");
    }
    assert_eq!(app.database.number(KEYS), 0);
    browser.register().await.expect(200);

    browser.confirm(&ada).await.expect(303);
    let mut gone = browser.clone();
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    gone.register_now(Some(&proof)).await.expect(401);
    app.stop().await;
}

async fn one_key_registers_any_number_of_times_and_no_other(database: Database) {
    let (app, _, mut browser) = signed_in(database).await;
    let offer = browser.offer.clone().expect("an offer");
    let key = Key::generate();
    let proof = key.registration(&offer);
    let first = browser.register_now(Some(&proof)).await.expect(200);
    app.advance(SECOND);
    // The same request again, and the same key with another signature.
    for proof in [proof, key.registration(&offer)] {
        let again = browser.register_now(Some(&proof)).await.expect(200);
        assert_eq!(again.json(), first.json());
        assert_eq!(set_cookies(&again).len(), 1);
    }
    let other = Key::generate().registration(&offer);
    browser.register_now(Some(&other)).await.expect(400);
    browser.adopt(key, &first);
    browser.forget_cookie(BOUND);
    assert_eq!(browser.refresh().await, Refreshed::Bound);
    assert_eq!(app.database.number(KEYS), 1);
    app.stop().await;
}

async fn of_two_keys_at_once_one_is_registered(database: Database) {
    let (app, _, browser) = signed_in(database).await;
    let offer = browser.offer.clone().expect("an offer");
    let tries: Vec<_> = (0..4)
        .map(|_| {
            let (mut tab, key) = (browser.clone(), Key::generate());
            let proof = key.registration(&offer);
            spawn(async move { (tab.register_now(Some(&proof)).await, tab, key) })
        })
        .collect();
    let mut good = 0;
    for outcome in tries {
        let (response, mut tab, key) = outcome.await.expect("no panic");
        match response.status {
            200 => {
                good += 1;
                tab.adopt(key, &response);
                tab.forget_cookie(BOUND);
                assert_eq!(tab.refresh().await, Refreshed::Bound);
            }
            status => assert_eq!(status, 400, "{response:?}"),
        }
    }
    assert_eq!(good, 1);
    app.stop().await;
}

async fn a_step_up_replaces_a_key_whose_answer_was_lost(database: Database) {
    let (app, ada, mut browser) = signed_in(database).await;
    let offer = browser.offer.clone().expect("an offer");
    let proof = Key::generate().registration(&offer);
    // The answer is lost, and with it the cookie.
    browser.clone().register_now(Some(&proof)).await.expect(200);
    app.advance(MINUTE);
    browser.register().await.expect(400);
    browser.confirm(&ada).await.expect(303);
    browser.register().await.expect(200);
    assert_eq!(app.database.number(KEYS), 1);
    browser.get("/devices").await.expect(200);
    // From then on no other key takes its place, whoever has the password.
    let bound = browser.binding.clone();
    app.advance(MINUTE);
    browser.confirm(&ada).await.expect(303);
    if browser.offer.is_some() {
        browser.register().await.expect(400);
    }
    let old = Key::generate().registration(&offer);
    browser.register_now(Some(&old)).await.expect(400);
    browser.binding = bound;
    browser.forget_cookie(BOUND);
    browser.get("/devices").await.expect(200);
    app.stop().await;
}

async fn a_lost_answer_locks_nobody_out(database: Database) {
    let (app, _, mut browser) = signed_in(database).await;
    let proof = Key::generate().registration(&browser.offer.clone().expect("an offer"));
    browser.clone().register_now(Some(&proof)).await.expect(200);
    for _ in 0..3 {
        browser.get("/devices").await.expect(200);
        app.advance(20 * MINUTE);
    }
    let csrf = browser.csrf().await;
    let fields = [("csrf", csrf.as_str()), ("full_name", "Ada King")];
    browser.post("/account/name", &fields).await.expect(303);
    app.stop().await;
}

async fn the_cookie_is_required_half_a_minute_after_its_first_use(database: Database) {
    let (app, _, mut browser) = signed_in(database).await;
    browser.register().await.expect(200);
    let mut sent_before = browser.copied_to(&app, FIREFOX);
    sent_before.forget_cookie(BOUND);
    app.advance(5 * MINUTE);
    // No request has brought it yet.
    sent_before.get("/devices").await.expect(200);
    browser.get("/devices").await.expect(200);
    app.advance(29 * SECOND);
    sent_before.get("/devices").await.expect(200);
    app.advance(2 * SECOND);
    let response = sent_before.get("/devices").await;
    assert!(sent_before.is_unproven(&response).await, "{response:?}");
    browser.get("/devices").await.expect(200);
    app.stop().await;
}
