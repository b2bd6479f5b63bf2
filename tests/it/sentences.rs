//! `scripts/sentences` lists what pages and messages say, and nothing else.

use std::path::Path;
use std::process::{Command, Output};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/sentences");

fn list() -> String {
    let output = Command::new("python3").arg(SCRIPT).output();
    let output = output.expect("Python runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn check(tree: &Path) -> Output {
    let mut command = Command::new("python3");
    command.arg(SCRIPT).arg("--check").arg(tree);
    command.output().expect("Python runs")
}

#[test]
fn no_page_or_message_says_a_word_that_is_to_be_avoided() {
    let output = check(Path::new(env!("CARGO_MANIFEST_DIR")));
    let found = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{found}");
}

#[test]
fn a_word_that_is_to_be_avoided_is_found() {
    for words in [
        "Make one",
        "Make an account",
        "The account of Ada is made.",
        "Make the key",
        "Give the password again.",
        "the password was given wrong ten times",
        "This link is no longer good",
        "The link is good for an hour.",
        "the link may still be good",
        "Your e-mail was changed lately",
        "Your account goes, with your name.",
        "Leave it",
        "Leave them",
        "Keep them",
        "Go on",
        "Save it",
        "Save the name",
        "2 things need your attention. Look",
        "Look into your mailbox",
        "Look at your e-mail",
        "Everything kept about you",
        "Keep no addresses",
        "1 of the sessions is over already.",
        "Firefox on Windows is signed out, and forgotten.",
        "Whoever it was may know your password.",
        "Hand it over yourself, or hand it to them alone.",
        "Its sessions",
        "Its name",
        "About it",
        "It says of itself",
        "An old stolen key was used",
        "That is done with",
        "scopes: must be at least one",
    ] {
        let tree = tempfile::tempdir().expect("a folder");
        let [pages, source, scripts] =
            ["templates/pages", "src/pages", "static"].map(|name| tree.path().join(name));
        for folder in [&pages, &source, &scripts] {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        let template = pages.join("page.html");
        let write = |path: &Path, text: String| std::fs::write(path, text).expect("a file");
        write(&template, "<p>Your devices are listed here.</p>".into());
        assert!(check(tree.path()).status.success(), "nothing to avoid");
        write(&template, format!("<h1>{words}</h1>"));
        expect_found(tree.path(), "templates/pages/page.html:1: ", words);
        std::fs::remove_file(&template).expect("the file");
        let code = format!("const WORDS: &str = {words:?};\n");
        write(&source.join("page.rs"), code);
        expect_found(tree.path(), "src/pages/page.rs:1: ", words);
    }
}

fn expect_found(tree: &Path, place: &str, words: &str) {
    let output = check(tree);
    let found = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{words}: {found}");
    assert!(found.contains(&format!("{place}{words}")), "{found}");
}

#[test]
fn pages_messages_and_scripts_are_listed_with_their_lines() {
    let list = list();
    for (file, words) in [
        ("src/pages/devices.rs", "You are signed in on {}."),
        ("src/alerts/link_words.rs", "This wasn’t me"),
        ("src/error.rs", "Not found"),
        ("static/rollcall.js", "just now"),
        ("templates/pages/sign_in.html", "Keep me signed in"),
        ("src/alerts/link_words.rs", "This wasn’t me"),
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
