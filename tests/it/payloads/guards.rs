//! What makes the table complete: a page without a visit, and a field without a row, fail the test.

use rollcall::server::routes::PAGES;

use super::rounds::Found;
use super::table::{FIELDS, NO_DOCUMENTS, TEXTLESS, TEXTLESS_INPUTS};
use crate::support::source::sources;

/// Reports every page that wasn't visited, and every field of a form and of a request without a row.
pub fn check(found: &mut Found) {
    for route in PAGES.iter().filter(|route| route.method == "GET") {
        let is_document = !NO_DOCUMENTS.contains(&route.path);
        if is_document != found.visited.contains(route.path) {
            found.report(format!(
                "{}: is a document: {is_document}, but the visits differ",
                route.path
            ));
        }
    }
    let covered: Vec<&str> = FIELDS
        .iter()
        .flat_map(|field| field.covers)
        .copied()
        .collect();
    for input in found.inputs.clone() {
        let input = pattern(&input);
        let name = input.rsplit('#').next().unwrap_or_default();
        // What has no name isn't sent, and one of ours is a field that the browser has added.
        if name.is_empty() || name.contains("zq") {
            continue;
        }
        let is_textless = TEXTLESS_INPUTS
            .iter()
            .any(|(known, _)| *known == name || *known == input);
        if !is_textless && !covered.contains(&&*input) {
            found.report(format!("{input}: a field of a form without a row"));
        }
    }
}

/// Returns the names of what a form and a field in it are, without ids and tokens.
fn pattern(input: &str) -> String {
    let (action, name) = input.rsplit_once('#').unwrap_or((input, ""));
    let mut before = "";
    let mut segments = Vec::new();
    for segment in action.split('/') {
        let is_token = ["setup", "not-me", "reset-password", "verify-email"].contains(&before);
        segments.push(match segment {
            _ if uuid::Uuid::parse_str(segment).is_ok() => "{id}",
            _ if is_token && segments.len() == 2 => "{token}",
            _ => segment,
        });
        before = segment;
    }
    format!("{}#{name}", segments.join("/"))
}

/// Returns every field of the forms, queries and bodies that handlers read: `Struct.field`.
fn request_fields() -> Vec<String> {
    let mut found = Vec::new();
    for source in sources(&["src/pages", "src/api"]) {
        let mut is_read = false;
        let mut owner = None;
        for line in source.text.lines() {
            let line = line.trim_start();
            if line.starts_with("#[derive(") {
                is_read = line.contains("Deserialize");
            } else if let Some(rest) = line.split_once("struct ").map(|(_, rest)| rest) {
                let name = rest
                    .split(|c: char| !c.is_alphanumeric())
                    .next()
                    .unwrap_or_default();
                owner = is_read.then(|| name.to_owned());
                is_read = false;
            } else if line.starts_with('}') {
                owner = None;
            } else if let (Some(owner), Some((name, _))) = (&owner, line.split_once(": ")) {
                let name = name
                    .trim_start_matches("pub ")
                    .trim_start_matches("pub(super) ");
                let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
                if is_name {
                    found.push(format!("{owner}.{name}"));
                }
            }
        }
    }
    assert!(found.len() > 70, "only {} fields", found.len());
    found
}

#[test]
fn every_field_of_a_request_has_a_row_or_a_reason() {
    let covered: Vec<&str> = FIELDS
        .iter()
        .flat_map(|field| field.covers)
        .copied()
        .collect();
    let is_known =
        |field: &str| covered.contains(&field) || TEXTLESS.iter().any(|(known, _)| *known == field);
    let missing: Vec<String> = request_fields()
        .into_iter()
        .filter(|field| !is_known(field))
        .collect();
    assert!(missing.is_empty(), "without a row: {missing:#?}");
}

/// A row for what is gone would prove less than it says.
#[test]
fn every_row_names_fields_that_there_are() {
    let fields = request_fields();
    let named = FIELDS.iter().flat_map(|field| field.covers).copied();
    let of_structs = named
        .chain(TEXTLESS.iter().map(|(name, _)| *name))
        .filter(|name| name.contains('.'));
    let gone: Vec<&str> = of_structs
        .filter(|name| !fields.iter().any(|field| field == name))
        .collect();
    assert!(gone.is_empty(), "{gone:#?}");
}

#[test]
fn every_client_hint_has_a_row() {
    let source = sources(&["src/user_agent"]);
    let hints = source
        .iter()
        .find(|source| source.path.ends_with("hints.rs"))
        .expect("the hints");
    let names = hints
        .text
        .split('"')
        .filter(|part| part.starts_with("sec-ch-"));
    let covered: Vec<&str> = FIELDS
        .iter()
        .flat_map(|field| field.covers)
        .copied()
        .collect();
    for name in names {
        assert!(covered.contains(&&*format!("header: {name}")), "{name}");
    }
}
