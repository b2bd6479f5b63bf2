//! Passwords: which may be set, how they are compared, and what comparing them costs.

use std::net::{Ipv4Addr, SocketAddr};

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};

use crate::support::admin::Admin;
use crate::support::api::Anyone;
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: a_common_or_personal_password_is_refused_at_sign_up,
    a_password_has_8_to_256_characters,
    a_change_of_the_password_is_checked,
    an_administrator_sets_no_weak_password,
    the_command_line_refuses_a_weak_password,
    a_link_sets_no_weak_password,
    the_password_one_has_is_no_new_one,
    a_weak_password_from_before_still_signs_in,
    characters_match_however_they_are_composed,
    a_hash_of_decomposed_characters_is_renewed_at_sign_in,
);
on_both!(
    database: the_name_of_the_service_is_no_password,
    every_kind_of_account_costs_the_same_at_sign_in,
);

const REGISTER: &str = "/api/v1/auth/register";
const COMPOSED: &str = "cr\u{e8}me br\u{fb}l\u{e9}e \u{e0} Zo\u{eb}";
const DECOMPOSED: &str = "cre\u{300}me bru\u{302}le\u{301}e a\u{300} Zoe\u{308}";

async fn a_common_or_personal_password_is_refused_at_sign_up(app: &TestApp) {
    for (password, why) in [
        ("password", "many people use it"),
        ("ＰＡＳＳＷＯＲＤ", "many people use it"),
        ("12345678", "many people use it"),
        ("rollcall", "the name of this service"),
        ("Ada-Lovelace", "your name"),
        ("ada.byron@example.org", "your e-mail"),
    ] {
        let body = json!({
            "email": "ada.byron@example.org", "password": password, "full_name": "Ada Lovelace",
        });
        let message = refusal(app.anyone().post(REGISTER, &body).await, "password");
        assert!(message.contains(why), "{password}: {message}");

        let fields = [
            ("email", "ada.byron@example.org"),
            ("full_name", "Ada Lovelace"),
            ("password", password),
        ];
        let browser = app.browser(FIREFOX);
        let page = browser.submit("/sign-up", "/sign-up", &fields).await;
        page.expect(400).expect_words(&format!("This {message}."));
    }
    assert_eq!(count_people(app), 0);
}

async fn the_name_of_the_service_is_no_password(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.public_url = Some("http://teahouse.example.org".parse().expect("a URL"));
    })
    .await;
    let body = json!({"email": "ada@example.net", "password": "Teahouse1"});
    let message = refusal(app.anyone().post(REGISTER, &body).await, "password");
    assert!(message.contains("the name of this service"), "{message}");
    app.stop().await;
}

async fn a_password_has_8_to_256_characters(app: &TestApp) {
    let long = "🦊 and 🐢 ".repeat(32);
    assert_eq!(long.chars().count(), 256);
    for (password, is_refused) in [
        ("dj38vn2", Some("must have at least 8 characters")),
        ("éàüöñçß", Some("must have at least 8 characters")),
        (
            &format!("{long}x"),
            Some("must have at most 256 characters"),
        ),
        (&long, None),
        ("dj38vn2k", None),
        // Spaces count, wherever they are.
        ("  two words ", None),
    ] {
        let email = format!("{}@example.org", count_people(app));
        let body = json!({"email": email, "password": password});
        let response = app.anyone().post(REGISTER, &body).await;
        if let Some(message) = is_refused {
            assert_eq!(error(response, "password"), message);
            continue;
        }
        response.expect(201);
        sign_in(app, &email, password).await.expect(200);
        sign_in(app, &email, password.trim_start_matches(['🦊', ' ']))
            .await
            .expect(if password.starts_with(['🦊', ' ']) {
                401
            } else {
                200
            });
    }
}

async fn a_change_of_the_password_is_checked(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let change = |new| {
        let fields = [("current_password", PASSWORD), ("new_password", new)];
        let browser = &browser;
        async move {
            browser
                .submit("/account", "/account/password", &fields)
                .await
        }
    };
    let page = change("lovelace.ada").await.expect(400);
    page.expect_words("This is too easy to guess: it is made from your name");
    change(COMPOSED).await.expect(303);
    sign_in(app, &ada.email, COMPOSED).await.expect(200);
}

async fn an_administrator_sets_no_weak_password(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let body = json!({"email": "bob@example.net", "password": "bob@example"});
    let response = admin.send("POST", "", &body).await;
    let message = refusal(response, "password");
    assert!(message.contains("your e-mail"), "{message}");

    let root = Person {
        email: "root@example.org".into(),
        password: PASSWORD.into(),
    };
    let browser = app.signed_in_browser(&root, FIREFOX).await;
    let fields = [
        ("email", "bob@example.net"),
        ("role", "person"),
        ("new_password", "qwertyuiop"),
    ];
    let page = browser
        .submit("/admin/users/new", "/admin/users/new", &fields)
        .await;
    page.expect(400).expect_words("This is too easy to guess:");
    assert_eq!(count_people(app), 1);
}

async fn the_command_line_refuses_a_weak_password(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let rollcall = Program::with(&app.database);
    let add = [
        "user",
        "add",
        "--email",
        "bob@example.org",
        "--password-stdin",
    ];
    let set = [
        "user",
        "set-password",
        "--email",
        &ada.email,
        "--password-stdin",
    ];
    for arguments in [add, set] {
        let error = rollcall
            .run_with_input(&arguments, "iloveyou1\n")
            .expect_failed(1);
        assert!(error.contains("is too easy to guess"), "{error}");
        assert!(error.contains("three or four words"), "{error}");
    }
    assert_eq!(count_people(app), 1);
    app.login(&ada, FIREFOX).await;
}

async fn a_link_sets_no_weak_password(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let rollcall = Program::with(&app.database);
    let link = rollcall
        .run(&["user", "reset-link", &ada.email])
        .expect_done();
    // The program's clock is not the test's.
    app.database
        .execute("UPDATE password_resets SET expires_at = '2031-05-24 09:00:00.000000'");
    let (_, path) = link.split_at(link.find("/reset-password/").expect("a path"));
    let path = path.trim();
    let browser = app.browser(FIREFOX);
    let page = browser
        .submit(path, path, &[("new_password", "iloveyou1")])
        .await;
    page.expect(400).expect_words("This is too easy to guess:");
    // The link is still good.
    let set = browser.submit(path, path, &[("new_password", COMPOSED)]);
    set.await.expect(303);
    sign_in(app, &ada.email, COMPOSED).await.expect(200);
}

async fn the_password_one_has_is_no_new_one(app: &TestApp) {
    const REFUSAL: &str = "This is your password already. Choose another one.";

    let ada = app.register("ada@example.org").await;
    let phone = app.login(&ada, IPHONE).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let before = stored_hash(app);
    let change = async |current: &str, new: &str| {
        let fields = [("current_password", current), ("new_password", new)];
        browser
            .submit("/account", "/account/password", &fields)
            .await
    };
    let page = change(PASSWORD, PASSWORD).await.expect(400);
    page.expect_words(REFUSAL);
    let rollcall = Program::with(&app.database);
    let arguments = [
        "user",
        "set-password",
        "--email",
        &ada.email,
        "--password-stdin",
    ];
    let error = rollcall.run_with_input(&arguments, &format!("{PASSWORD}\n"));
    let error = error.expect_failed(1);
    assert!(
        error.contains("is the person’s password already"),
        "{error}"
    );
    let link = rollcall
        .run(&["user", "reset-link", &ada.email])
        .expect_done();
    // The program's clock is not the test's.
    app.database
        .execute("UPDATE password_resets SET expires_at = '2031-05-24 09:00:00.000000'");
    let (_, path) = link.split_at(link.find("/reset-password/").expect("a path"));
    let path = path.trim();
    let reader = app.browser(FIREFOX);
    let same = [("new_password", PASSWORD)];
    let page = reader.submit(path, path, &same).await.expect(400);
    page.expect_words(REFUSAL);
    assert_eq!(stored_hash(app), before);
    phone.current().await.expect(200);
    change(PASSWORD, COMPOSED).await.expect(303);
    let page = change(COMPOSED, DECOMPOSED).await.expect(400);
    page.expect_words(REFUSAL);
    change(DECOMPOSED, PASSWORD).await.expect(303);
}

async fn a_weak_password_from_before_still_signs_in(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    set_hash(app, &hash("12345678", 8));
    sign_in(app, &ada.email, "12345678").await.expect(200);
}

async fn characters_match_however_they_are_composed(app: &TestApp) {
    for (number, typed) in [COMPOSED, DECOMPOSED].into_iter().enumerate() {
        let email = format!("{number}@example.org");
        let body = json!({"email": email, "password": typed});
        app.anyone().post(REGISTER, &body).await.expect(201);
        for password in [COMPOSED, DECOMPOSED] {
            sign_in(app, &email, password).await.expect(200);
        }
        sign_in(app, &email, "creme brulee a Zoe").await.expect(401);
    }
}

async fn a_hash_of_decomposed_characters_is_renewed_at_sign_in(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let old = hash(DECOMPOSED, 8);
    set_hash(app, &old);
    sign_in(app, &ada.email, COMPOSED).await.expect(401);
    sign_in(app, &ada.email, DECOMPOSED).await.expect(200);
    assert_ne!(stored_hash(app), old);
    sign_in(app, &ada.email, COMPOSED).await.expect(200);
    let renewed = stored_hash(app);
    sign_in(app, &ada.email, DECOMPOSED).await.expect(200);
    assert_eq!(stored_hash(app), renewed, "there is nothing to renew");
}

async fn every_kind_of_account_costs_the_same_at_sign_in(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.metrics.listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        settings.passwords.memory_kib = 64;
    })
    .await;
    let kinds = [
        ("right", None),
        ("wrong", None),
        ("disabled", Some("is_active = false")),
        ("application", Some("password_hash = '!'")),
        ("void", Some("password_hash = '!c2hvcnRlbmVk'")),
        ("broken", Some("password_hash = ''")),
        (
            "foreign",
            Some("password_hash = '$scrypt$ln=16,r=8,p=1$c2FsdHNhbHQ$aGFzaA'"),
        ),
        (
            "cheaper",
            Some(&*format!("password_hash = '{}'", hash("another", 8))),
        ),
        (
            "dearer",
            Some(&*format!("password_hash = '{}'", hash("another", 256))),
        ),
    ]
    .map(|(kind, change)| (kind, change.map(str::to_owned)));
    for (kind, change) in &kinds {
        let email = format!("{kind}@example.org");
        app.register(&email).await;
        if let Some(change) = change {
            app.database.execute(&format!(
                "UPDATE users SET {change} WHERE email = '{email}'"
            ));
        }
    }
    let emails = kinds.iter().map(|(kind, _)| format!("{kind}@example.org"));
    let emails: Vec<_> = emails
        .chain(["nobody@example.org".into(), "no e-mail".into()])
        .collect();
    for (typed, expected) in [
        ("wrong password", 1),
        (COMPOSED, 1),
        (DECOMPOSED, 2),
        ("", 1),
    ] {
        for email in &emails {
            let before = hashes_computed(&app).await;
            sign_in(&app, email, typed).await.expect(401);
            let computed = hashes_computed(&app).await - before;
            assert_eq!(computed, expected, "{email}, {typed:?}");
        }
    }
    let before = hashes_computed(&app).await;
    sign_in(&app, "right@example.org", PASSWORD)
        .await
        .expect(200);
    assert_eq!(hashes_computed(&app).await - before, 1);
    app.stop().await;
}

async fn hashes_computed(app: &TestApp) -> u64 {
    let address = app.metrics_address().expect("an address");
    let metrics = Anyone::new(format!("http://{address}"))
        .get("/metrics")
        .await;
    let mut lines = metrics.text.lines();
    let value = lines.find_map(|line| line.strip_prefix("rollcall_password_hashes_total "));
    value.expect("the metric").parse().expect("a number")
}

async fn sign_in(app: &TestApp, email: &str, password: &str) -> TestResponse {
    let body = json!({"email": email, "password": password});
    app.anyone().post("/api/v1/auth/login", &body).await
}

/// Returns the message of the one field that is wrong.
fn error(response: TestResponse, field: &str) -> String {
    let problem = response.problem(400, "invalid_request");
    let errors = problem["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 1, "{problem:#}");
    assert_eq!(errors[0]["field"], field, "{problem:#}");
    errors[0]["message"].as_str().expect("a message").to_owned()
}

fn refusal(response: TestResponse, field: &str) -> String {
    let message = error(response, field);
    assert!(message.starts_with("is too easy to guess: "), "{message}");
    message
}

/// Returns a hash as versions before this one stored it: of what was typed.
fn hash(password: &str, memory_kib: u32) -> String {
    let params = Params::new(memory_kib, 1, 1, None).expect("parameters");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(password.as_bytes());
    hash.expect("a hash").to_string()
}

fn set_hash(app: &TestApp, hash: &str) {
    app.database
        .execute(&format!("UPDATE users SET password_hash = '{hash}'"));
}

fn stored_hash(app: &TestApp) -> String {
    let rows = app
        .database
        .texts("SELECT password_hash AS value FROM users");
    rows.into_iter().next().flatten().expect("a hash")
}

fn count_people(app: &TestApp) -> i64 {
    app.database.number("SELECT count(*) AS value FROM users")
}
