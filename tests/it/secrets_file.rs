//! The secrets file: only the first start creates it, a broken one changes nothing while the
//! service runs, and the commands that change it do so whole and one at a time.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rollcall::clock::Clock;
use rollcall::keys::{self, KeyRing, Start};
use rollcall::settings::Settings;
use tempfile::TempDir;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::api::Anyone;
use crate::support::app::settings_for;
use crate::support::prelude::*;
use crate::support::program::{Program, Serving};

on_both!(
    database: a_file_moved_away_while_running_changes_nothing,
    a_start_without_the_file_is_refused_where_somebody_signed_in,
    another_node_makes_no_keys_of_its_own,
    a_file_of_the_earlier_form_is_read_and_rotated,
    the_keys_of_the_configuration_take_the_place_of_the_files,
    a_key_revoked_on_the_command_line_is_refused_by_a_running_server,
);
on_both!(app: another_services_file_ends_what_these_keys_made_until_it_is_back);

async fn a_file_moved_away_while_running_changes_nothing(database: Database) {
    let program = program(&database);
    let (mut serving, laptop) = serve_to_ada(&program).await;
    let (file, away) = (secrets(&database), database.folder().join("away"));
    let before = fs::read(&file).expect("the file");
    fs::rename(&file, &away).expect("it is moved");
    serving.wait_for("a warning", |line| line_with(line, "can't be used"));
    laptop.current().await.expect(200);
    let again = login(&serving).await;
    again.current().await.expect(200);
    assert!(!file.exists(), "a new identity was written");

    fs::rename(&away, &file).expect("it is moved");
    serving.wait_for("the all-clear", |line| line_with(line, "good again"));
    assert!(serving.terminate().success());
    let warnings = serving.output().matches("can't be used").count();
    assert_eq!(warnings, 1, "{}", serving.output());
    assert_eq!(fs::read(&file).expect("the file"), before);
    let serving = program.serve(&["serve"]);
    Anyone::new(serving.base())
        .refresh(&again.refresh_token)
        .await
        .expect(200);
}

async fn a_start_without_the_file_is_refused_where_somebody_signed_in(database: Database) {
    let program = program(&database);
    let (mut serving, laptop) = serve_to_ada(&program).await;
    assert!(serving.terminate().success());
    let (file, away) = (secrets(&database), database.folder().join("away"));
    fs::rename(&file, &away).expect("it is moved");
    // As in a database whose keys an earlier version made.
    database.execute("DELETE FROM key_creations");
    let error = program
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .expect_failed(1);
    for words in ["rollcall.secrets is missing", "restore", "key create"] {
        assert!(error.contains(words), "{error}");
    }
    for command in [
        ["key", "list", "--json"].as_slice(),
        &["key", "rotate"],
        &["key", "revoke", "--all"],
        &["key", "revoke", "unknown"],
    ] {
        let error = program.run(command).expect_failed(1);
        assert!(error.contains("cannot read the secrets in"), "{error}");
    }
    assert!(!file.exists());

    fs::rename(&away, &file).expect("it is moved");
    let mut serving = program.serve(&["serve"]);
    let anyone = Anyone::new(serving.base());
    let response = anyone.refresh(&laptop.refresh_token).await.expect(200);
    let token = response.json()["refresh_token"].clone();
    assert!(serving.terminate().success());

    fs::remove_file(&file).expect("it is lost");
    program.run(&["key", "create"]).expect_done();
    let error = program.run(&["key", "create"]).expect_failed(1);
    assert!(error.contains("exists"), "{error}");
    let serving = program.serve(&["serve"]);
    let anyone = Anyone::new(serving.base());
    let refused = anyone.refresh(token.as_str().expect("a token")).await;
    refused.problem(401, "invalid_token");
    login(&serving).await.current().await.expect(200);
}

/// A node that was started without the file of the others, before anybody has signed in.
async fn another_node_makes_no_keys_of_its_own(database: Database) {
    let program = program(&database);
    let mut serving = program.serve(&["serve"]);
    assert!(serving.terminate().success());
    let elsewhere = tempfile::tempdir().expect("a folder");
    let other = Program::in_folder(elsewhere.path())
        .env("DATABASE_URL", &database.url())
        .env("ROLLCALL_SECRETS_FILE", "other.secrets");
    let error = other
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .expect_failed(1);
    assert!(error.contains("other.secrets is missing"), "{error}");
    assert!(error.contains("copy it from another node"), "{error}");
    assert!(!elsewhere.path().join("other.secrets").exists());
    fs::copy(secrets(&database), elsewhere.path().join("other.secrets")).expect("copied");
    let mut serving = other.serve(&["serve"]);
    assert!(serving.terminate().success());
}

async fn a_file_of_the_earlier_form_is_read_and_rotated(database: Database) {
    let cookie_key = STANDARD.encode([7; 64]);
    let signing_key = "MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";
    let earlier = format!(
        "cookie_key = \"{cookie_key}\"\n\n[[signing_keys]]\nkey = \"{signing_key}\"\nmade_at = \"2026-01-02T03:04:05Z\"\n"
    );
    let file = secrets(&database);
    fs::write(&file, &earlier).expect("a file");
    let program = program(&database);
    let (mut serving, laptop) = serve_to_ada(&program).await;
    let browser = Browser::new(serving.base(), FIREFOX);
    let ada = Person {
        email: "ada@example.org".into(),
        password: PASSWORD.into(),
    };
    assert_eq!(browser.sign_in(&ada).await.location(), "/devices");
    assert_eq!(fs::read_to_string(&file).expect("the file"), earlier);
    let sealed = browser.cookie("rollcall_session").expect("a cookie");
    let content = opened_by_earlier_version(&sealed, &[7; 64]);
    assert!(content.contains("claim"), "{content}");

    program.run(&["key", "rotate", "--now"]).expect_done();
    serving.wait_for("the new keys", |line| {
        line_with(line, "the keys have changed")
    });
    browser.get("/devices").await.expect(200);
    laptop.current().await.expect(200);
    let rotated = fs::read_to_string(&file).expect("the file");
    assert!(!rotated.contains("cookie_key ="), "{rotated}");
    assert_eq!(rotated.matches("[[cookie_keys]]").count(), 2);
    assert!(rotated.contains(&cookie_key) && rotated.contains(signing_key));
    assert!(serving.terminate().success());
    let serving = program.serve(&["serve"]);
    let anyone = Anyone::new(serving.base());
    anyone.refresh(&laptop.refresh_token).await.expect(200);
}

/// Opens a session cookie as the version with one cookie key did.
fn opened_by_earlier_version(sealed: &str, cookie_key: &[u8]) -> String {
    use actix_web::cookie::{Cookie, CookieJar, Key};

    let mut derived = [0; 64];
    hkdf::Hkdf::<sha2::Sha256>::new(None, cookie_key)
        .expand(b"rollcall session cookie v1", &mut derived)
        .expect("a key");
    let cookie = Cookie::parse_encoded(format!("rollcall_session={sealed}")).expect("a cookie");
    let opened = CookieJar::new()
        .private(&Key::from(&derived))
        .decrypt(cookie);
    opened.expect("it opens").value().to_owned()
}

async fn the_keys_of_the_configuration_take_the_place_of_the_files(database: Database) {
    let (cookie, signing) = (
        STANDARD.encode([9; 64]),
        "MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH",
    );
    let program = program(&database).env("ROLLCALL_COOKIE_KEY", &cookie);
    let (mut serving, laptop) = serve_to_ada(&program).await;
    let rotated = program.run(&["key", "rotate"]);
    assert_eq!(rotated.status, 0, "{rotated:?}");
    assert!(
        rotated.stderr.contains("cookie_key") && rotated.stderr.contains("New signing key"),
        "{rotated:?}"
    );
    let refused = program.run(&["key", "rotate", "--cookie"]).expect_failed(1);
    assert!(refused.contains("cookie_key"), "{refused}");
    let list = program.run(&["key", "list"]).expect_done();
    let of = |state: &str| list.lines().filter(|line| line.contains(state)).count();
    assert_eq!(
        (of("\tin use\t"), of("\twaiting\t"), of("\tnot used\t")),
        (2, 1, 1),
        "{list}"
    );
    assert!(!list.contains(&cookie));
    assert!(list.contains("\tin use\tset by cookie_key\n"), "{list}");
    let unused = list.lines().find(|line| line.contains("\tnot used\t"));
    let unused = unused.and_then(|line| line.split('\t').next());
    let unused = ["key", "revoke", unused.expect("an id")];
    let refused = program.run(&unused).expect_failed(1);
    assert!(refused.contains("cookie_key"), "{refused}");
    // Only the file's keys are revoked, and only of the kind that is used.
    let revoked = program.run(&["key", "revoke", "--all"]);
    assert_eq!(revoked.status, 0, "{revoked:?}");
    assert!(
        revoked.stderr.contains("The cookie key stays") && !revoked.stderr.contains("New cookie"),
        "{revoked:?}"
    );
    let list = program.run(&["key", "list"]).expect_done();
    assert_eq!(list.matches("\tcookie\t").count(), 2, "{list}");
    assert_eq!(list.matches("\tsigning\t").count(), 1, "{list}");
    assert!(serving.terminate().success());

    let program = program.env("ROLLCALL_SIGNING_KEY", signing);
    let refused = program.run(&["key", "revoke", "--all"]).expect_failed(1);
    assert!(refused.contains("signing_key"), "{refused}");
    fs::remove_file(secrets(&database)).expect("it is not needed");
    let refused = program.run(&["key", "rotate"]).expect_failed(1);
    assert!(refused.contains("signing_key"), "{refused}");
    let created = program.run(&["key", "create"]);
    assert!(created.stderr.contains("They are not used"), "{created:?}");
    fs::remove_file(secrets(&database)).expect("it is not needed");
    assert_eq!(
        program.run(&["key", "list"]).expect_done().lines().count(),
        2
    );
    let serving = program.serve(&["serve"]);
    let anyone = Anyone::new(serving.base());
    anyone.refresh(&laptop.refresh_token).await.expect(200);
    assert!(!secrets(&database).exists());
}

async fn a_key_revoked_on_the_command_line_is_refused_by_a_running_server(database: Database) {
    let program = program(&database);
    let (mut serving, laptop) = serve_to_ada(&program).await;
    let error = program.run(&["key", "revoke", "-nothing"]).expect_failed(1);
    assert!(error.contains("there is no key"), "{error}");
    program.run(&["key", "revoke"]).expect_failed(2);
    let before = fs::read(secrets(&database)).expect("the file");
    let list = program.run(&["key", "list"]).expect_done();
    let id = |kind: &str| {
        let line = list.lines().find(|line| line.contains(kind));
        let line = line.unwrap_or_else(|| panic!("no {kind} in {list}"));
        line.split('\t').next().expect("an id").to_owned()
    };
    assert_eq!(fs::read(secrets(&database)).expect("the file"), before);
    program
        .run(&["key", "revoke", &id("signing")])
        .expect_done();
    crate::support::eventually("the token is refused", async || {
        laptop.current().await.status == 401
    })
    .await;
    let anyone = Anyone::new(serving.base());
    let response = anyone.refresh(&laptop.refresh_token).await.expect(200);
    let token = response.json()["refresh_token"].clone();
    let token = token.as_str().expect("a token");
    program.run(&["key", "revoke", &id("cookie")]).expect_done();
    serving.wait_for("one key of each kind", |line| {
        (line.matches("the keys have changed").count() == 1).then(String::new)
    });
    crate::support::eventually("the refresh token is refused", async || {
        anyone.refresh(token).await.status == 401
    })
    .await;
    login(&serving).await.current().await.expect(200);
    assert!(serving.terminate().success());
}

async fn another_services_file_ends_what_these_keys_made_until_it_is_back(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let file = secrets(&app.database);
    let own = fs::read(&file).expect("the file");
    fs::remove_file(&file).expect("it is removed");
    let settings = settings_for(&app.database, |_| {});
    keys::create(&settings, app.clock.now()).expect("a new identity");
    app.reload_keys().await;
    laptop.current().await.problem(401, "invalid_token");
    assert!(browser.get("/devices").await.is_to_sign_in());
    fs::write(&file, own).expect("the file is back");
    app.reload_keys().await;
    laptop.current().await.expect(200);
    browser.get("/devices").await.expect(200);
}

/// What is wrong with the file, and how it becomes so.
type Break = (&'static str, fn(&Path));

#[test]
fn a_broken_file_changes_nothing_and_is_logged_once() {
    let breaks: &[Break] = &[
        ("missing", |path| fs::remove_file(path).expect("removed")),
        ("empty", |path| fs::write(path, "").expect("written")),
        ("garbage", |path| {
            fs::write(path, "\u{0}[[").expect("written");
        }),
        ("not UTF-8", |path| {
            fs::write(path, [0xff; 9]).expect("written");
        }),
        ("a folder", |path| {
            fs::remove_file(path).expect("removed");
            fs::create_dir(path).expect("created");
        }),
        ("a link to nothing", |path| {
            fs::remove_file(path).expect("removed");
            symlink("/no/such/file", path).expect("linked");
        }),
        ("a link to itself", |path| {
            fs::remove_file(path).expect("removed");
            symlink(path, path).expect("linked");
        }),
        ("a pipe", |path| {
            fs::remove_file(path).expect("removed");
            let made = Command::new("mkfifo").arg(path).status();
            assert!(made.expect("mkfifo").success());
        }),
        ("endless", |path| {
            fs::remove_file(path).expect("removed");
            symlink("/dev/zero", path).expect("linked");
        }),
        ("a key that is none", |path| {
            let text = fs::read_to_string(path).expect("the file");
            fs::write(path, text.replacen("key = \"", "key = \"AA", 1)).expect("written");
        }),
    ];
    for (what, broken) in breaks {
        let (folder, settings) = new_file();
        let file = folder.path().join("rollcall.secrets");
        let whole = fs::read(&file).expect("the file");
        let ring = KeyRing::load(&settings, Clock::system()).expect("the keys");
        let before = ring.current();
        broken(&file);
        let names = names_in(folder.path());
        let log = logged(|| (0..3).for_each(|_| drop(ring.reload())));
        assert_eq!(log.lines().count(), 1, "{what}: {log}");
        assert!(
            log.contains("WARN") && log.contains("the keys stay"),
            "{what}: {log}"
        );
        assert!(Arc::ptr_eq(&before, &ring.current()), "{what}");
        assert!(!ring.is_file_good());
        assert_eq!(
            names_in(folder.path()),
            names,
            "{what}: something was written"
        );

        if file.is_dir() {
            fs::remove_dir(&file).expect("removed");
        } else if file.symlink_metadata().is_ok() {
            fs::remove_file(&file).expect("removed");
        }
        fs::write(&file, &whole).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
        let log = logged(|| (0..3).for_each(|_| drop(ring.reload())));
        assert_eq!(log.lines().count(), 1, "{what}: {log}");
        assert!(log.contains("good again"), "{what}: {log}");
        assert!(ring.is_file_good());
    }
}

#[test]
fn no_part_of_the_file_is_taken_for_the_whole() {
    let (folder, settings) = new_file();
    let now = Clock::system().now();
    for _ in 0..2 {
        keys::rotate(&settings, &[], Start::Announced, now).expect("rotated");
    }
    let file = folder.path().join("rollcall.secrets");
    let whole = fs::read(&file).expect("the file");
    let ring = KeyRing::load(&settings, Clock::system()).expect("the keys");
    // The last byte is the end of a line.
    for length in 0..whole.len() - 1 {
        fs::write(&file, &whole[..length]).expect("written");
        ring.reload();
        assert!(!ring.is_file_good(), "{length} bytes were taken");
        assert_eq!(ring.current().signing.count(), 3);
    }
}

#[test]
fn a_mode_that_is_too_open_is_logged_once() {
    let (folder, settings) = new_file();
    let file = folder.path().join("rollcall.secrets");
    let set_mode =
        |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("set");
    set_mode(0o644);
    let mut ring = None;
    let log = logged(|| {
        let loaded = KeyRing::load(&settings, Clock::system()).expect("the keys");
        (0..3).for_each(|_| drop(loaded.reload()));
        ring = Some(loaded);
    });
    assert_eq!(log.matches("chmod 600").count(), 1, "{log}");
    let ring = ring.expect("a ring");
    set_mode(0o600);
    assert_eq!(logged(|| drop(ring.reload())), "");
    set_mode(0o640);
    let log = logged(|| (0..3).for_each(|_| drop(ring.reload())));
    assert_eq!(log.matches("chmod 600").count(), 1, "{log}");
    assert!(ring.is_file_good());
}

#[test]
fn rotations_at_the_same_time_lose_no_key() {
    let (folder, _settings) = new_file();
    let program = Program::in_folder(folder.path());
    std::thread::scope(|scope| {
        let rotate = || program.run(&["key", "rotate"]).expect_done();
        let running: Vec<_> = (0..8).map(|_| scope.spawn(rotate)).collect();
        for rotation in running {
            rotation.join().expect("it is done");
        }
    });
    let list = program.run(&["key", "list"]).expect_done();
    assert_eq!(list.lines().count(), 2 + 2 * 8, "{list}");
    assert_eq!(names_in(folder.path()), ["rollcall.secrets"]);
}

#[test]
fn a_rotation_keeps_the_link_the_owner_and_a_private_mode() {
    let (folder, settings) = new_file();
    let (link, real) = (
        folder.path().join("rollcall.secrets"),
        folder.path().join("real"),
    );
    fs::rename(&link, &real).expect("moved");
    symlink("real", &link).expect("linked");
    // Only root may give a file away.
    let is_given = chown(&real, Some(12_345), Some(12_345)).is_ok();
    let before = fs::metadata(&real).expect("the file");
    let now = Clock::system().now();
    keys::rotate(&settings, &[], Start::Announced, now).expect("rotated");
    assert!(link.symlink_metadata().expect("a link").is_symlink());
    let after = fs::metadata(&real).expect("the file");
    assert_ne!(before.ino(), after.ino(), "it was replaced whole");
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    assert!(!is_given || after.uid() == 12_345);
    assert_eq!(after.mode() & 0o777, 0o600);
}

#[test]
fn a_file_has_at_most_a_hundred_keys_of_a_kind() {
    let (folder, settings) = new_file();
    let now = Clock::system().now();
    for _ in 1..100 {
        keys::rotate(&settings, &[], Start::Now, now).expect("rotated");
    }
    let program = Program::in_folder(folder.path());
    let error = program.run(&["key", "rotate", "--cookie"]).expect_failed(1);
    assert!(error.contains("100 cookie keys"), "{error}");
    program.run(&["key", "revoke", "--all"]).expect_done();
    let list = program.run(&["key", "list"]).expect_done();
    assert_eq!(list.matches("\tin use\t").count(), 2, "{list}");
    assert_eq!(list.lines().count(), 2, "{list}");
}

/// Returns a folder with a new secrets file, and settings that name it.
fn new_file() -> (TempDir, Settings) {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings {
        secrets_file: Some(folder.path().join("rollcall.secrets")),
        ..Settings::default()
    };
    keys::create(&settings, Clock::system().now()).expect("a file");
    (folder, settings)
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.expect("an entry").file_name();
        name.into_string().expect("UTF-8")
    };
    entries.map(name).collect()
}

/// Returns the program; its tokens have the same issuer after a restart on another port.
fn program(database: &Database) -> Program {
    Program::with(database).env("ROLLCALL_PUBLIC_URL", "http://rollcall.example.org")
}

fn secrets(database: &Database) -> PathBuf {
    database.folder().join("rollcall.secrets")
}

async fn serve_to_ada(program: &Program) -> (Serving, Device) {
    let add = [
        "user",
        "add",
        "--email",
        "ada@example.org",
        "--password-stdin",
    ];
    program.run_with_input(&add, PASSWORD).expect_done();
    let serving = program.serve(&["serve"]);
    let device = login(&serving).await;
    (serving, device)
}

async fn login(serving: &Serving) -> Device {
    let body = json!({"email": "ada@example.org", "password": PASSWORD});
    let anyone = Anyone::new(serving.base());
    let response = anyone.post("/api/v1/auth/login", &body).await.expect(200);
    Device::from_login(serving.base(), &response)
}

fn line_with(line: &str, words: &str) -> Option<String> {
    line.contains(words).then(|| line.to_owned())
}

/// Returns what `work` logs, a line for each event.
fn logged(work: impl FnOnce()) -> String {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    let bytes = log.0.lock().expect("the log").clone();
    String::from_utf8(bytes).expect("UTF-8")
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
