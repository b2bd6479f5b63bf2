//! The vocabulary: words that were replaced by the field's terms are no identifiers.

use std::collections::BTreeSet;

use super::support::source::{Source, sources};

/// Words that are no part of any identifier, with the term to use instead.
const REPLACED: [(&str, &str); 19] = [
    ("own_up", "confirm_alert"),
    ("disown", "report_alert"),
    ("disowned", "reported"),
    ("suspicion", "alert_review"),
    ("journey", "impossible_travel"),
    ("journeys", "impossible_travel"),
    ("newness", "new_sign_in"),
    ("keeping", "ip_retention"),
    ("kept", "redacted, stored"),
    ("scene", "alert_context"),
    ("letter", "message"),
    ("letters", "messages"),
    ("conversation", "smtp_session"),
    ("fault", "err"),
    ("faults", "errors"),
    ("whereabouts", "location"),
    ("lurk", "poll"),
    ("theft", "token_reuse"),
    ("errand", "purpose"),
];

/// Words that no identifier is or begins with: as a verb of a function they have a term of the
/// field. In the middle of a test's sentence they are plain English.
const REPLACED_VERBS: [(&str, &str); 22] = [
    ("keep", "record, update"),
    ("face", "error_response"),
    ("faces", "error_response"),
    ("draw", "render"),
    ("drawn", "rendered"),
    ("stay", "persistence"),
    ("hold", "lock"),
    ("meet", "find_or_create"),
    ("met", "find"),
    ("reach", "revoke_scope"),
    ("arrival", "query"),
    ("said", "output, form"),
    ("whose", "query"),
    ("wanted", "query, expected"),
    ("asked", "request"),
    ("told", "notified, output"),
    ("look", "find, get, poll"),
    ("see", "find, record"),
    ("note", "record, update"),
    ("give", "send, ensure, create"),
    ("nothing", "empty"),
    ("answered", "responded, reviewed"),
];

/// Whole names that have another one now, though words of theirs stay.
const REPLACED_NAMES: [(&str, &str); 1] = [("App", "AppState")];

/// What stays although it has one of those words: the whole identifier, the files it may stand in
/// (or the folder), and why.
const HOMONYMS: [(&str, &str, &str); 12] = [
    (
        "address_keeping",
        "src",
        "the column of `users` keeps its name",
    ),
    (
        "addresses_kept",
        "src/account",
        "the field of the export keeps its name",
    ),
    (
        "answered_at",
        "src",
        "the column of `alerts` keeps its name",
    ),
    (
        "see_other",
        "src",
        "the name of status 303 (RFC 9110, 15.4.4)",
    ),
    ("SeeOther", "src", "the name of status 303 in actix-web"),
    (
        "KEEP_ALIVE",
        "src/pages",
        "a message that keeps a connection alive",
    ),
    ("give_up_after", "src", "the setting keeps its name"),
    ("App", "src/server.rs", "the builder of actix-web"),
    ("App", "src/server/listening.rs", "the builder of actix-web"),
    ("App", "src/server/metrics.rs", "the builder of actix-web"),
    ("App", "tests/it/going_on.rs", "the builder of actix-web"),
    (
        "App",
        "tests/it/support/application.rs",
        "the builder of actix-web",
    ),
];

#[test]
fn no_identifier_or_file_name_has_a_word_that_was_replaced() {
    assert_eq!(
        replaced(&sources(&["src", "tests", "benches"])),
        Vec::<String>::new()
    );
}

#[test]
fn every_homonym_is_still_there() {
    let all = sources(&["src", "tests", "benches"]);
    for (name, place, why) in HOMONYMS {
        let is_there = all.iter().any(|file| {
            file.path.starts_with(place) && file.identifiers().iter().any(|found| found == name)
        });
        assert!(is_there, "{name} ({why}) is not in {place} any more");
    }
}

#[test]
fn a_replaced_word_is_found_in_every_case() {
    let file = Source::new(
        "src/people/mod.rs",
        "/// Has a say: own_up.\nstruct App; struct Arrival; fn own_up() { let is_kept = \"disown\"; see_other(); let r#look = 1; }",
    );
    let named = Source::new("src/people/newness.rs", "//! New.");
    assert_eq!(
        replaced(&[named]),
        ["src/people/newness.rs: newness (say: new_sign_in)"]
    );
    let found = replaced(&[file]);
    assert_eq!(
        found,
        [
            "src/people/mod.rs: App (say: AppState)",
            "src/people/mod.rs: Arrival (say: query)",
            "src/people/mod.rs: is_kept (say: redacted, stored)",
            "src/people/mod.rs: own_up (say: confirm_alert)",
            "src/people/mod.rs: r#look (say: find, get, poll)",
        ]
    );
}

fn replaced(files: &[Source]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for file in files {
        for name in file.identifiers().into_iter().chain(file.module()) {
            let is_homonym = HOMONYMS
                .iter()
                .any(|(homonym, place, _)| *homonym == name && file.path.starts_with(place));
            if is_homonym {
                continue;
            }
            let snake = snake_case(&name);
            let parts = REPLACED.iter().filter(|(word, _)| has_part(&snake, word));
            let verbs = REPLACED_VERBS
                .iter()
                .filter(|(word, _)| begins_with(&snake, word));
            let names = REPLACED_NAMES.iter().filter(|(whole, _)| *whole == name);
            for (_, term) in parts.chain(verbs).chain(names) {
                found.insert(format!("{}: {name} (say: {term})", file.shown()));
            }
        }
    }
    found.into_iter().collect()
}

/// Whether `words`, one or several in snake case, stand in an identifier.
fn has_part(snake: &str, words: &str) -> bool {
    format!("_{snake}_").contains(&format!("_{words}_"))
}

fn begins_with(snake: &str, word: &str) -> bool {
    format!("{snake}_").starts_with(&format!("{word}_"))
}

/// An identifier of any case in snake case.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (at, c) in name.trim_start_matches("r#").char_indices() {
        if c.is_uppercase() && at > 0 && !name[..at].ends_with(char::is_uppercase) {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}
