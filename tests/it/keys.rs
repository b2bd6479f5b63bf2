//! Access tokens and their keys: verified offline with the JWKS, pinned to one algorithm, type and
//! key, and rotated without a restart.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;

use crate::support::api::Anyone;
use crate::support::eventually;
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: the_jwks_verifies_an_access_token_offline,
    an_access_token_has_the_claims_of_rfc_9068,
    a_forged_access_token_is_refused,
    an_access_token_is_refused_from_its_expiry_on,
);
on_both!(
    database: the_tokens_of_another_service_are_refused,
    a_token_for_another_audience_is_refused,
    a_key_is_rotated_without_a_restart,
);

async fn the_jwks_verifies_an_access_token_offline(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let response = app.anyone().get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(response.header("cache-control"), "public, max-age=300");
    let keys = response.json()["keys"].as_array().expect("keys").clone();
    assert_eq!(keys.len(), 1);
    for (name, value) in [
        ("kty", "OKP"),
        ("crv", "Ed25519"),
        ("alg", "EdDSA"),
        ("use", "sig"),
    ] {
        assert_eq!(keys[0][name], value);
    }
    assert_eq!(header(&laptop.access_token)["kid"], keys[0]["kid"]);
    assert!(is_signed_by(&laptop.access_token, &keys[0]));
    assert!(!is_signed_by(&laptop.refresh_token, &keys[0]));
}

async fn an_access_token_has_the_claims_of_rfc_9068(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let header = header(&laptop.access_token);
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(header["alg"], "EdDSA");
    let claims = part(&laptop.access_token, 1);
    assert_eq!(claims["iss"], app.base());
    assert_eq!(claims["aud"], "rollcall");
    assert_eq!(claims["sub"], laptop.session["user_id"]);
    assert_eq!(claims["sid"], laptop.session["id"]);
    assert_eq!(
        claims["exp"]
            .as_i64()
            .zip(claims["iat"].as_i64())
            .map(|(e, i)| e - i),
        Some(300)
    );
    for name in ["jti", "client_id"] {
        assert!(claims[name].is_string(), "{name} is missing");
    }
}

async fn a_forged_access_token_is_refused(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    let genuine = laptop.access_token.clone();
    let (header, claims) = (header(&genuine), part(&genuine, 1));
    let jwks = app
        .anyone()
        .get("/.well-known/jwks.json")
        .await
        .expect(200)
        .json();
    let public = URL_SAFE_NO_PAD
        .decode(text(&jwks["keys"][0]["x"]))
        .expect("a key");
    let own = SigningKey::from_bytes(&[7; 32]);
    let with = |name: &str, value: Value| {
        let mut changed = header.clone();
        changed[name] = value;
        changed
    };
    let signature = genuine.rsplit('.').next().expect("a signature");
    let unsigned = |header: &Value| format!("{}.{}", encode(header), encode(&claims));
    let by_own_key = |header: &Value| {
        let signed = unsigned(header);
        format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(own.sign(signed.as_bytes()).to_bytes())
        )
    };
    let by_public_key_as_secret = |header: &Value| {
        let signed = unsigned(header);
        let mac = Hmac::<sha2::Sha256>::new_from_slice(&public).expect("a key");
        let mac = mac.chain_update(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
    };
    let no_kid = {
        let mut changed = header.clone();
        changed.as_object_mut().expect("an object").remove("kid");
        changed
    };
    for (what, forged) in [
        (
            "alg none",
            format!("{}.", unsigned(&with("alg", json!("none")))),
        ),
        (
            "alg none, signature unchanged",
            format!("{}.{signature}", unsigned(&with("alg", json!("none")))),
        ),
        (
            "HS256 with the public key",
            by_public_key_as_secret(&with("alg", json!("HS256"))),
        ),
        ("another key", by_own_key(&header)),
        (
            "another key under its own kid",
            by_own_key(&with("kid", json!("mine"))),
        ),
        (
            "a wrong kid",
            format!("{}.{signature}", unsigned(&with("kid", json!("mine")))),
        ),
        ("no kid", by_own_key(&no_kid)),
        ("another type", by_own_key(&with("typ", json!("JWT")))),
        (
            "its own key inside",
            by_own_key(&with("jwk", json!({"kty": "OKP"}))),
        ),
    ] {
        laptop.access_token = forged;
        let response = laptop.current().await;
        assert_eq!(response.status, 401, "{what} is accepted");
        response.problem(401, "invalid_token");
    }
    laptop.access_token = genuine;
    laptop.current().await.expect(200);
}

async fn an_access_token_is_refused_from_its_expiry_on(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    app.advance(Duration::from_secs(299));
    laptop.current().await.expect(200);
    app.advance(Duration::from_secs(1));
    laptop.current().await.problem(401, "invalid_token");
}

/// The other service has the same database and public URL, but other keys.
async fn the_tokens_of_another_service_are_refused(database: Database) {
    let public = "http://rollcall.example.org".parse().ok();
    let app = TestApp::start_with(database, |s| s.public_url = public.clone()).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let database = app.stop_and_keep_database().await;
    let other_keys = database.folder().join("other.secrets");
    let path = other_keys.to_str().expect("a UTF-8 path");
    let program = Program::with(&database).env("ROLLCALL_SECRETS_FILE", path);
    program.run(&["key", "create"]).expect_done();
    let app = TestApp::start_with(database, |settings| {
        settings.public_url = public;
        settings.secrets_file = Some(other_keys);
    })
    .await;
    laptop
        .at(app.base())
        .current()
        .await
        .problem(401, "invalid_token");
    let anyone = app.anyone();
    anyone
        .refresh(&laptop.refresh_token)
        .await
        .problem(401, "invalid_token");
    assert_eq!(
        app.database.sessions_where("is_active"),
        1,
        "a forged token ends no session"
    );
    app.stop().await;
}

async fn a_token_for_another_audience_is_refused(database: Database) {
    let public = "http://rollcall.example.org".parse().ok();
    let app = TestApp::start_with(database, |s| s.public_url = public.clone()).await;
    let ada = app.register("ada@example.org").await;
    let token = app.login(&ada, FIREFOX).await.access_token;
    let database = app.stop_and_keep_database().await;
    let app = TestApp::start_with(database, |settings| {
        settings.public_url = public;
        settings.tokens.audience = "another".into();
    })
    .await;
    let request = app
        .anyone()
        .request("GET", "/api/v1/me")
        .bearer_auth(&token);
    TestResponse::to(request)
        .await
        .problem(401, "invalid_token");
    app.stop().await;
}

async fn a_key_is_rotated_without_a_restart(database: Database) {
    let program = Program::with(&database).env("ROLLCALL_SIGN_UP", "true");
    let mut serving = program.serve(&["serve"]);
    let anyone = Anyone::new(serving.base());
    let body = json!({"email": "ada@example.org", "password": PASSWORD});
    anyone
        .post("/api/v1/auth/register", &body)
        .await
        .expect(201);
    let login = async || {
        let response = anyone.post("/api/v1/auth/login", &body).await.expect(200);
        Device::from_login(serving.base(), &response)
    };
    let before = login().await;
    program.run(&["key", "rotate", "--now"]).expect_done();
    eventually("the new key is published", async || {
        let jwks = anyone
            .get("/.well-known/jwks.json")
            .await
            .expect(200)
            .json();
        jwks["keys"].as_array().is_some_and(|keys| keys.len() == 2)
    })
    .await;
    before.current().await.expect(200);
    let after = login().await;
    after.current().await.expect(200);
    assert_ne!(
        header(&after.access_token)["kid"],
        header(&before.access_token)["kid"]
    );
    anyone.refresh(&before.refresh_token).await.expect(200);
    assert!(serving.terminate().success());
}

fn is_signed_by(token: &str, jwk: &Value) -> bool {
    let public = URL_SAFE_NO_PAD.decode(text(&jwk["x"])).expect("Base64");
    let public = VerifyingKey::from_bytes(&public.try_into().expect("32 bytes")).expect("a key");
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("Base64");
    Signature::from_slice(&signature)
        .is_ok_and(|signature| public.verify_strict(signed.as_bytes(), &signature).is_ok())
}

fn header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, n: usize) -> Value {
    let part = token.split('.').nth(n).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("Base64")).expect("JSON")
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
