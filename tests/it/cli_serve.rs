//! `rollcall serve` and `rollcall demo`: the real binary, started and stopped as an operator does.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::api::Anyone;
use crate::support::prelude::*;
use crate::support::program::{Program, Serving};

on_both!(
    database: a_first_start_offers_a_link_for_the_administrator_once,
    a_start_with_an_administrator_offers_no_link,
    a_stop_loses_no_last_use,
    an_option_overrides_a_variable,
);

async fn a_first_start_offers_a_link_for_the_administrator_once(database: Database) {
    let mut serving = Program::with(&database).serve(&["serve"]);
    let setup = setup_path(&mut serving);
    let browser = Browser::new(serving.base(), FIREFOX);
    browser.get(&format!("{setup}x")).await.expect(404);
    let fields = [
        ("full_name", "Grace Hopper"),
        ("email", "grace@example.org"),
        ("password", PASSWORD),
    ];
    browser.submit(&setup, &setup, &fields).await.expect(303);
    let grace = Person {
        email: "grace@example.org".into(),
        password: PASSWORD.into(),
    };

    let elsewhere = Browser::new(serving.base(), IPHONE);
    elsewhere.get(&setup).await.expect(404);
    assert_eq!(elsewhere.sign_in(&grace).await.location(), "/devices");
    assert_eq!(
        elsewhere.get("/api/v1/me").await.expect(200).json()["is_admin"],
        true
    );
    assert_eq!(database.number("SELECT count(*) AS value FROM users"), 1);
}

async fn a_start_with_an_administrator_offers_no_link(database: Database) {
    let rollcall = Program::with(&database);
    let add = [
        "user",
        "add",
        "--email",
        "grace@example.org",
        "--admin",
        "--password-stdin",
    ];
    rollcall.run_with_input(&add, PASSWORD).expect_done();
    let mut serving = rollcall.serve(&["serve"]);
    Anyone::new(serving.base())
        .get("/health/ready")
        .await
        .expect(200);
    assert!(serving.terminate().success());
    assert!(
        !serving.output().contains("/setup/"),
        "{}",
        serving.output()
    );
}

async fn a_stop_loses_no_last_use(database: Database) {
    let rollcall = Program::with(&database);
    let add = [
        "user",
        "add",
        "--email",
        "ada@example.org",
        "--password-stdin",
    ];
    rollcall.run_with_input(&add, PASSWORD).expect_done();
    let mut serving = rollcall.serve(&["serve"]);
    let login = json!({"email": "ada@example.org", "password": PASSWORD});
    let response = Anyone::new(serving.base())
        .post("/api/v1/auth/login", &login)
        .await
        .expect(200);
    Device::from_login(serving.base(), &response)
        .current()
        .await
        .expect(200);

    let status = serving.terminate();
    assert_eq!(status.code(), Some(0), "{}", serving.output());
    assert_eq!(database.sessions_where("last_used_at > created_at"), 1);
}

async fn an_option_overrides_a_variable(database: Database) {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let variable = taken.local_addr().expect("an address").to_string();
    let serving = Program::with(&database)
        .env("ROLLCALL_LISTEN", &variable)
        .env("DATABASE_URL", "sqlite:/no/such/folder/rollcall.db")
        .serve(&["serve", "--database", &database.url()]);
    Anyone::new(serving.base())
        .get("/health/ready")
        .await
        .expect(200);
}

#[actix_web::test]
async fn a_start_in_an_empty_folder_creates_its_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let serving = Program::in_folder(folder.path()).serve(&["serve"]);
    Anyone::new(serving.base())
        .get("/health/ready")
        .await
        .expect(200);
    for secret in ["rollcall.db", "rollcall.secrets"] {
        assert_eq!(mode(&folder.path().join(secret)), 0o600, "{secret}");
    }
}

#[test]
fn a_port_in_use_is_reported_with_the_option_that_changes_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let error = Program::in_folder(folder.path())
        .run(&["serve", "--listen", &address])
        .expect_failed(1);
    assert!(
        error.contains(&address) && error.contains("--listen"),
        "{error}"
    );
}

#[test]
fn an_unreachable_database_is_reported_without_its_password() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = "postgres://rollcall:hush-hush@127.0.0.1:1/rollcall";
    let error = Program::in_folder(folder.path())
        .run(&["serve", "--database", url])
        .expect_failed(1);
    assert!(
        error.contains("127.0.0.1:1") && !error.contains("hush-hush"),
        "{error}"
    );
}

#[actix_web::test]
async fn the_demo_has_a_person_with_many_devices() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let temporary = folder.path().to_str().expect("a UTF-8 path");
    let mut serving = Program::in_folder(folder.path())
        .env("TMPDIR", temporary)
        .serve(&["demo"]);
    let line = serving.wait_for("a name to sign in with", |line| {
        line.contains("@").then(|| line.to_owned())
    });
    let mut words = line.split_whitespace().map(str::to_owned);
    let (email, password) = (
        words.next().expect("an e-mail"),
        words.next().expect("a password"),
    );
    serving.wait_for("an auditor", |line| {
        line.contains("auditor@example.org")
            .then(|| line.to_owned())
    });
    serving.wait_for("what an administrator sees", |line| {
        line.starts_with("An administrator sees")
            .then(|| line.to_owned())
    });
    let browser = Browser::new(serving.base(), FIREFOX);
    assert_eq!(
        browser
            .sign_in(&Person {
                email,
                password: password.clone(),
            })
            .await
            .location(),
        "/devices"
    );
    let list = browser.get("/api/v1/sessions/me").await.expect(200).json();
    assert!(list["total"].as_u64().expect("a number") >= 12, "{list:#}");
    browser
        .get("/devices")
        .await
        .expect(200)
        .expect_words("You are signed in on");
    let administrator = Browser::new(serving.base(), FIREFOX);
    let email = "admin@example.org".to_owned();
    administrator.sign_in(&Person { email, password }).await;
    administrator
        .get("/admin/jobs")
        .await
        .expect(200)
        .expect_words("The office in Chicago has closed.")
        .expect_words("Done")
        .expect_words("Stopped");
    administrator
        .get("/admin")
        .await
        .expect(200)
        .expect_words("Token reuse 1");
    assert!(serving.terminate().success());
    let left = std::fs::read_dir(folder.path())
        .expect("the folder")
        .count();
    assert_eq!(left, 0, "the demo leaves nothing behind");
}

/// Returns the path of the one-time link that the server prints.
fn setup_path(serving: &mut Serving) -> String {
    serving.wait_for("the link for the first administrator", |line| {
        let (_, rest) = line.split_once("/setup/")?;
        let token: String = rest
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
            .collect();
        Some(format!("/setup/{token}"))
    })
}

fn mode(path: &Path) -> u32 {
    let metadata =
        std::fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    metadata.permissions().mode() & 0o777
}
