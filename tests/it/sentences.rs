//! `scripts/sentences` lists what pages and messages say, and nothing else.

use std::process::Command;

fn list() -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/sentences");
    let output = Command::new("python3").arg(script).output();
    let output = output.expect("Python runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn pages_messages_and_scripts_are_listed_with_their_lines() {
    let list = list();
    for (file, words) in [
        ("src/pages/devices.rs", "You are signed in on {}. {}"),
        ("src/alerts/email.rs", "This wasn’t me"),
        ("src/error.rs", "Not found"),
        ("static/rollcall.js", "just now"),
        ("templates/pages/sign_in.html", "Keep me signed in"),
        ("src/alerts/email.rs", "This wasn’t me"),
    ] {
        let is_listed = list.lines().any(|line| {
            let (place, text) = line.split_once(": ").expect("a place");
            let (path, number) = place.rsplit_once(':').expect("a line");
            let source = std::fs::read_to_string(path_of(path)).expect("the file");
            let number: usize = number.parse().expect("a number");
            assert!((1..=source.lines().count()).contains(&number), "{line}");
            path == file && text.contains(words)
        });
        assert!(is_listed, "{file}: {words}");
    }
}

#[test]
fn neither_lines_of_the_log_nor_statements_are_listed() {
    let list = list();
    for words in ["last uses written", "SELECT", "hide_secret", "the listener"] {
        assert!(!list.contains(words), "{words}");
    }
    assert!(!list.contains("src/cli/"), "the command line");
}

fn path_of(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}
