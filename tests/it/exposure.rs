//! A start where a network could read what is sent: a warning that names the setting, or an error.

use std::net::TcpListener;

use crate::support::database::Database;
use crate::support::program::Program;

/// The database, the listeners and the mail server of a start that exposes them all.
fn exposed(database: &Database) -> Program {
    // Nothing listens there: a start with a warning fails later, when it opens the database.
    Program::in_folder(database.folder())
        .env(
            "DATABASE_URL",
            "postgres://rollcall@192.0.2.1:1/rollcall?connect_timeout=1",
        )
        .env("ROLLCALL_MAIL__HOST", "smtp.example.org")
        .env("ROLLCALL_MAIL__TLS", "none")
        .env("ROLLCALL_LISTEN", "0.0.0.0:0")
        .env("ROLLCALL_METRICS__LISTEN", "[::]:0")
}

const NAMED: [&str; 4] = [
    "listen is 0.0.0.0",
    "metrics.listen is [::]",
    "sslmode=verify-full",
    "mail.tls is none",
];

#[test]
fn strict_refuses_a_start_with_all_that_is_exposed() {
    let database = Database::sqlite();
    let program = exposed(&database).env("ROLLCALL_STRICT", "true");
    let stderr = program.run(&["serve"]).expect_failed(1);
    for named in NAMED {
        assert!(stderr.contains(named), "{named}: {stderr}");
    }
    assert!(!stderr.contains("can't be opened"), "{stderr}");
}

#[test]
fn a_start_warns_of_all_that_is_exposed() {
    let database = Database::sqlite();
    let stderr = exposed(&database).run(&["serve"]).expect_failed(1);
    for named in NAMED {
        let warned = |line: &str| line.contains("WARN") && line.contains(named);
        assert!(stderr.lines().any(warned), "{named}: {stderr}");
    }
}

#[test]
fn a_start_on_this_machine_warns_of_nothing() {
    let database = Database::sqlite();
    let program = Program::with(&database)
        .env("ROLLCALL_STRICT", "true")
        .env("ROLLCALL_METRICS__LISTEN", "127.0.0.1:0");
    let mut serving = program.serve(&["serve"]);
    assert!(serving.terminate().success());
    let output = serving.output();
    assert!(!output.contains("listen is"), "{output}");
}

#[test]
fn a_proxy_with_tls_in_front_is_enough() {
    let database = Database::sqlite();
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let program = Program::with(&database)
        .env("ROLLCALL_STRICT", "true")
        .env("ROLLCALL_PUBLIC_URL", "https://login.example.org");
    let refused = Program::with(&database).env("ROLLCALL_STRICT", "true");
    let listen = format!("0.0.0.0:{port}");
    let stderr = refused
        .run(&["serve", "--listen", &listen])
        .expect_failed(1);
    assert!(stderr.contains("public_url"), "{stderr}");
    let mut serving = program.serve(&["serve"]);
    assert!(serving.terminate().success());
}

#[test]
fn other_commands_are_not_affected() {
    let database = Database::sqlite();
    let program = Program::with(&database)
        .env("ROLLCALL_STRICT", "true")
        .env("ROLLCALL_LISTEN", "0.0.0.0:8080");
    program.run(&["migrate"]).expect_done();
    program.run(&["config"]).expect_done();
}
