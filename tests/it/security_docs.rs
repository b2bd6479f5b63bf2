//! What `docs/ASVS.md` and `docs/SECURITY.md` claim: each requirement has its row, each row a state and
//! a reason, and what they say of the source is so.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::support::source::{Source, sources};

const ASVS: &str = include_str!("../../docs/ASVS.md");
const SECURITY: &str = include_str!("../../docs/SECURITY.md");
const SCHEMA: &str = include_str!("../../src/db/schema.rs");
const MANIFEST: &str = include_str!("../../Cargo.toml");
const DOCKERFILE: &str = include_str!("../../Dockerfile");
const SCRIPT: &str = include_str!("../../static/rollcall.js");

/// The sections of OWASP ASVS 5.0, each with the number of its requirements of levels 1 and 2, which
/// are numbered from 1 on.
#[rustfmt::skip]
const SECTIONS: [(&str, u32); 75] = [
    ("1.1", 2), ("1.2", 9), ("1.3", 11), ("1.4", 3), ("1.5", 2), ("2.1", 3), ("2.2", 3), ("2.3", 4), ("2.4", 1),
    ("3.2", 2), ("3.3", 4), ("3.4", 6), ("3.5", 5), ("3.7", 2), ("4.1", 3), ("4.2", 1), ("4.3", 2), ("4.4", 4),
    ("5.1", 1), ("5.2", 3), ("5.3", 2), ("5.4", 3), ("6.1", 3), ("6.2", 12), ("6.3", 4), ("6.4", 4), ("6.5", 5),
    ("6.6", 3), ("6.8", 4), ("7.1", 3), ("7.2", 4), ("7.3", 2), ("7.4", 5), ("7.5", 2), ("7.6", 2), ("8.1", 2),
    ("8.2", 3), ("8.3", 1), ("8.4", 1), ("9.1", 3), ("9.2", 4), ("10.1", 2), ("10.2", 2), ("10.3", 4), ("10.4", 11),
    ("10.5", 5), ("10.6", 2), ("10.7", 3), ("11.1", 2), ("11.2", 3), ("11.3", 3), ("11.4", 4), ("11.5", 1), ("11.6", 1),
    ("12.1", 3), ("12.2", 2), ("12.3", 4), ("13.1", 1), ("13.2", 5), ("13.3", 2), ("13.4", 5), ("14.1", 2), ("14.2", 4),
    ("14.3", 3), ("15.1", 3), ("15.2", 3), ("15.3", 7), ("16.1", 1), ("16.2", 5), ("16.3", 4), ("16.4", 3), ("16.5", 3),
    ("17.1", 1), ("17.2", 4), ("17.3", 2),
];
/// The files that may connect to something, or listen.
const CONNECTING: [&str; 3] = [
    "src/db/connection.rs",
    "src/mail/smtp.rs",
    "src/server/listening.rs",
];
/// What connects, or finds a host.
const CONNECTORS: [&str; 9] = [
    "AsyncSmtpConnection",
    "AsyncSmtpTransport",
    "PgConnection",
    "SmtpTransport",
    "TcpStream",
    "ToSocketAddrs",
    "UdpSocket",
    "UnixStream",
    "lookup_host",
];
/// Libraries that make HTTP requests, none of which is in the program.
const HTTP_CLIENTS: [&str; 6] = ["awc", "curl", "hyper", "isahc", "reqwest", "ureq"];
/// What the dependencies do with secrets; `zxcvbn` and others only estimate or encode.
const CRYPTOGRAPHIC: [&str; 11] = [
    "argon2",
    "ed25519-dalek",
    "getrandom",
    "hkdf",
    "hmac",
    "jsonwebtoken",
    "lettre",
    "openssl",
    "openssl-sys",
    "secrecy",
    "sha2",
];
/// Cryptography that no part of the program names.
const DISALLOWED: [&str; 11] = [
    "aes", "cbc", "des", "ecb", "md-5", "md5", "rand", "rc4", "ring", "rsa", "sha1",
];

/// One row of the tables in `docs/ASVS.md`.
struct Row {
    number: String,
    request: String,
    state: String,
    reason: String,
}

#[test]
fn every_requirement_stands_once() {
    let expected: Vec<String> = SECTIONS
        .iter()
        .flat_map(|(section, count)| (1..=*count).map(move |n| format!("{section}.{n}")))
        .collect();
    assert_eq!(expected.len(), 253);
    let found: Vec<String> = rows().into_iter().map(|row| row.number).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_row_has_a_state_and_a_reason() {
    for row in rows() {
        let number = &row.number;
        assert!(!row.request.is_empty(), "{number} asks for nothing");
        let tests = named_tests(&row.reason).len();
        match row.state.as_str() {
            "met" => assert!(tests > 0, "{number} names no test"),
            "not applicable" | "not met" => assert!(
                row.reason.len() > 10 && row.reason.ends_with('.'),
                "{number} has no reason"
            ),
            other => panic!("{number} has the state {other:?}"),
        }
    }
}

#[test]
fn every_test_that_a_row_names_exists() {
    let named = named_tests(ASVS);
    assert!(named.len() > 150, "only {} tests are named", named.len());
    for (module, name) in named.into_iter().chain(named_tests(SECURITY)) {
        let text = file(&format!("tests/it/{module}.rs"));
        let definition = text.find(&format!("fn {name}("));
        let before = &text[..definition.unwrap_or_else(|| panic!("{module}::{name} is missing"))];
        let is_test = before.trim_end().trim_end_matches("async").trim_end();
        let is_test = is_test.ends_with("#[test]");
        // The others are in the list of a macro, or called by a test.
        let times = words(&text).filter(|word| *word == name).count();
        assert!(is_test || times > 1, "{module}::{name} is not run");
        let main = file("tests/it/main.rs");
        assert!(main.contains(&format!("mod {module};")), "{module}");
    }
}

#[test]
fn every_link_leads_to_a_chapter() {
    for (path, text) in [
        ("docs/ASVS.md", ASVS),
        ("docs/SECURITY.md", SECURITY),
        ("docs/LOGGING.md", include_str!("../../docs/LOGGING.md")),
        ("SECURITY.md", include_str!("../../SECURITY.md")),
    ] {
        let links = text.split("](").skip(1);
        for link in links.filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("https://") {
                continue;
            }
            let (target, chapter) = link.split_once('#').unwrap_or((link, ""));
            let folder = Path::new(path).parent().expect("a folder");
            let target = match target {
                "" => PathBuf::from(path),
                target => folder.join(target),
            };
            let text = file(&target.display().to_string());
            let found = text.lines().any(|line| anchor(line) == chapter);
            assert!(chapter.is_empty() || found, "{path} links to {link}");
        }
    }
}

#[test]
fn every_table_of_the_database_is_described() {
    let lines: Vec<&str> = SCHEMA.lines().map(str::trim).collect();
    let tables: BTreeSet<&str> = lines
        .iter()
        .filter(|line| line.ends_with(") {") && !line.starts_with("diesel"))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(tables.len() > 20, "{tables:?}");
    let described: Vec<Vec<&str>> = cells(chapter("## What is stored")).skip(2).collect();
    let names: Vec<&str> = described
        .iter()
        .map(|row| row[0].trim_matches('`'))
        .collect();
    assert_eq!(names.len(), tables.len(), "each once");
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), tables);
    for row in described {
        let is_level = ["secret", "personal", "operational"].contains(&row[2]);
        assert!(is_level && !row[3].is_empty(), "{row:?}");
    }
}

#[test]
fn every_cryptographic_library_is_in_the_inventory() {
    let inventory = chapter("### Algorithms");
    for library in CRYPTOGRAPHIC {
        assert!(dependencies().contains(library), "{library} is not used");
        assert!(
            inventory.contains(&format!("`{library}`")),
            "{library} is not in the inventory"
        );
    }
    for library in DISALLOWED {
        assert!(!dependencies().contains(library), "{library} is used");
    }
}

#[test]
fn only_named_files_connect() {
    let found: BTreeSet<String> = sources(&["src"])
        .iter()
        .filter(|source| has_any(source, &CONNECTORS))
        .map(Source::shown)
        .collect();
    let expected: BTreeSet<String> = CONNECTING.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
    for library in HTTP_CLIENTS {
        assert!(!dependencies().contains(library), "{library} is used");
    }
}

#[test]
fn no_program_is_started() {
    for source in sources(&["src"]) {
        // `Command` is that of the command line as well.
        let starts = ["process::Command", "Command::new", "std::process::*"];
        let found = starts.iter().find(|start| source.text.contains(**start));
        assert_eq!(found, None, "{}", source.shown());
    }
}

#[test]
fn random_secrets_have_128_bits() {
    let mut count = 0;
    for source in sources(&["src"]) {
        // The password of sample data is typed by hand, and `docs/ASVS.md` says so (11.5.1).
        if source.path.starts_with("src/cli/demo") {
            continue;
        }
        let calls = source.text.split("random::<").skip(1);
        for size in calls.filter_map(|rest| rest.split('>').next()) {
            let bytes = constant(&source.text, size).or_else(|| size.parse().ok());
            assert!(bytes >= Some(16), "{}: {size}", source.shown());
            count += 1;
        }
        assert!(!has_any(&source, &["thread_rng", "fastrand", "SmallRng"]));
    }
    assert!(count >= 6, "only {count} are random");
}

#[test]
fn the_crate_forbids_unsafe_code() {
    assert!(MANIFEST.contains("\n[lints.rust]\nunsafe_code = \"forbid\"\n"));
    for source in sources(&["src"]) {
        assert!(!has_any(&source, &["unsafe"]), "{}", source.shown());
    }
}

#[test]
fn the_image_has_the_program_alone() {
    let (_, image) = DOCKERFILE.rsplit_once("\nFROM ").expect("two stages");
    let copied: Vec<&str> = image
        .lines()
        .filter(|line| line.starts_with("COPY") || line.starts_with("ADD"))
        .collect();
    assert_eq!(
        copied,
        ["COPY --from=build /src/target/release/rollcall /usr/local/bin/rollcall"]
    );
}

#[test]
fn scripts_store_fields_and_the_time_zone_alone_and_run_no_text() {
    for dangerous in [
        "eval(",
        "Function(",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "createContextualFragment",
        "localStorage",
        "indexedDB",
        "caches.",
        "serviceWorker",
        "postMessage",
        "addEventListener(\"message\"",
    ] {
        assert!(!SCRIPT.contains(dangerous), "{dangerous}");
    }
    // The page itself, or the sign-in page, fetched anew: what a parser makes runs no script.
    assert_eq!(SCRIPT.matches("DOMParser").count(), 1);
    let parsed = "new DOMParser().parseFromString(await response.text(), \"text/html\")";
    assert!(SCRIPT.contains(parsed));
    assert!(SCRIPT.contains("async function load(path = address())"));
    assert!(SCRIPT.contains("const response = await fetch(path, { headers })"));
    assert_eq!(SCRIPT.matches("load(signInAddress())").count(), 1);
    assert_eq!(SCRIPT.matches("await load(").count(), 3);
    // The browser's zone, which is written and never read.
    assert_eq!(SCRIPT.matches("document.cookie").count(), 1);
    assert!(SCRIPT.contains("document.cookie = zoneCookie + \"=\" + zone + "));
    // The ids of what is ticked, what is typed while a page is loaded again, and where was pressed last, for
    // the tab: read at one place and written at one. Never a password.
    assert_eq!(SCRIPT.matches("sessionStorage").count(), 2);
    assert!(SCRIPT.contains("sessionStorage.setItem(key, JSON.stringify(value))"));
    assert!(SCRIPT.contains("![\"hidden\", \"password\"].includes(field.type)"));
}

#[test]
fn password_fields_are_masked_and_can_be_filled() {
    let mut count = 0;
    for (path, text) in templates() {
        for input in text.split("<input ").skip(1) {
            let input = input.split(">\n").next().unwrap_or_default();
            if !input.contains("password\" type") && !input.contains("type=\"password\"") {
                continue;
            }
            count += 1;
            assert!(input.contains("type=\"password\""), "{path}: {input}");
            let is_filled = ["current-password", "new-password"]
                .iter()
                .any(|kind| input.contains(&format!("autocomplete=\"{kind}\"")));
            assert!(is_filled, "{path}: {input}");
        }
    }
    assert!(count >= 9, "only {count} fields");
    for event in ["\"paste\"", "\"beforeinput\"", "\"keydown\""] {
        assert!(!SCRIPT.contains(event), "{event}");
    }
}

#[test]
fn every_page_has_the_head_with_sign_out() {
    let base = file("templates/base.html");
    assert!(base.contains("action=\"/sign-out\""), "it has no sign-out");
    let pages: Vec<(String, String)> = templates()
        .into_iter()
        .filter(|(path, _)| path.contains("/pages/"))
        .collect();
    assert!(pages.len() > 20, "only {} pages", pages.len());
    for (path, text) in pages {
        assert!(text.contains("{% extends \"base.html\" %}"), "{path}");
    }
}

fn rows() -> Vec<Row> {
    let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    cells(ASVS)
        .filter(|row| is_number(row[0]))
        .map(|row| {
            assert_eq!(row.len(), 4, "{row:?}");
            let cell = |index: usize| row[index].to_owned();
            Row {
                number: cell(0),
                request: cell(1),
                state: cell(2),
                reason: cell(3),
            }
        })
        .collect()
}

/// Returns the cells of each row of the tables in a text.
fn cells(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter_map(|line| {
        let row = line.strip_prefix('|')?.strip_suffix('|')?;
        Some(row.split('|').map(str::trim).collect())
    })
}

/// Returns the tests that a text names: `module::name` in backticks.
fn named_tests(text: &str) -> Vec<(&str, &str)> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|quoted| quoted.split_once("::"))
        .collect()
}

/// Returns a chapter of `docs/SECURITY.md`, until the next one of any rank.
fn chapter(heading: &str) -> &'static str {
    let start = SECURITY.find(&format!("\n{heading}\n"));
    let start = start.unwrap_or_else(|| panic!("there is no {heading}"));
    let text = &SECURITY[start + heading.len() + 1..];
    text.find("\n#").map_or(text, |end| &text[..end])
}

/// Returns what a link to a heading ends with, as GitHub makes it.
fn anchor(line: &str) -> String {
    let title = line.trim_start_matches('#').trim();
    let is_heading = line.starts_with('#');
    title
        .to_lowercase()
        .chars()
        .filter(|c| is_heading && (c.is_alphanumeric() || matches!(c, ' ' | '-')))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Returns the names of the program's own dependencies, without those of the tests.
fn dependencies() -> BTreeSet<&'static str> {
    let (_, rest) = MANIFEST.split_once("\n[dependencies]\n").expect("a list");
    let (list, _) = rest.split_once("\n[").expect("an end");
    list.lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name)
        .collect()
}

fn has_any(source: &Source, names: &[&str]) -> bool {
    source
        .identifiers()
        .iter()
        .any(|identifier| names.contains(&identifier.as_str()))
}

/// Returns the value of a constant of a file.
fn constant(text: &str, name: &str) -> Option<usize> {
    let (_, rest) = text.split_once(&format!("const {name}: usize = "))?;
    rest.split(';').next()?.parse().ok()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// Returns the paths and the texts of the templates of pages and their parts.
fn templates() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in [
        "templates/pages",
        "templates/pages/admin",
        "templates/parts",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in fs::read_dir(path).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                let text = fs::read_to_string(&path).expect("a text");
                found.push((path.display().to_string(), text));
            }
        }
    }
    found
}

fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
}
