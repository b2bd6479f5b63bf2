//! `docs/LOGGING.md` lists every line of the log with its fields, every kind of event and every column
//! of one; and nothing else.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use rollcall::events::EventKind;
use strum::VariantNames;

use crate::support::source::{Source, sources};

const DOC: &str = include_str!("../../docs/LOGGING.md");
const SCHEMA: &str = include_str!("../../src/db/schema.rs");
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
/// How the one span is made.
const SPAN: &str = "error_span";

/// A call of a macro of `tracing`: its level, its target, its message and its fields.
type Line = (String, String, String, Vec<String>);

#[test]
fn every_line_of_the_log_has_its_row() {
    let written: Vec<Line> = lines().filter(|(level, ..)| level != SPAN).collect();
    assert!(written.len() > 70, "only {} lines", written.len());
    let listed: Vec<Line> = rows("| level | target | message | fields |")
        .into_iter()
        .map(|row| {
            let unquoted = |cell: &str| cell.trim_matches('`').to_owned();
            (
                row[0].into(),
                unquoted(row[1]),
                row[2].into(),
                names(row[3]),
            )
        })
        .collect();
    assert_same(&written, &listed);
}

#[test]
fn every_field_of_a_line_has_its_meaning() {
    let all: Vec<Line> = lines().collect();
    let fields_of = |is_one: fn(&Line) -> bool| -> Vec<String> {
        let found = all.iter().filter(|line| is_one(line));
        found.flat_map(|(.., fields)| fields.clone()).collect()
    };
    for (table, fields) in [
        (
            "| field of the span | meaning | personal |",
            fields_of(|(level, ..)| level == SPAN),
        ),
        (
            "| field | meaning | personal |",
            fields_of(|(_, _, message, _)| message == "answered"),
        ),
        (
            "| field of a line | meaning | personal |",
            fields_of(|(level, ..)| level != SPAN),
        ),
    ] {
        let explained = rows(table);
        let explained: Vec<String> = explained.iter().flat_map(|row| names(row[0])).collect();
        assert_same(&fields, &explained);
    }
    for row in ["| field of a line |", "| field |", "| field of the span |"]
        .iter()
        .flat_map(|start| rows(start))
    {
        let is_said = ["yes", "no", "it may be", "some details are"].contains(&row[2]);
        assert!(is_said, "whether it is personal: {row:?}");
    }
}

#[test]
fn every_kind_of_event_has_its_row() {
    let rows = rows("| kind | written when | detail | seen by |");
    let listed: Vec<String> = rows.iter().flat_map(|row| names(row[0])).collect();
    let kinds: Vec<String> = EventKind::VARIANTS
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(listed.len(), rows.len(), "each row has one kind");
    assert_same(&kinds, &listed);
    for row in rows {
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
}

#[test]
fn every_column_of_an_event_has_its_meaning() {
    let (_, table) = SCHEMA.split_once("    session_events (id) {").expect("it");
    let (columns, _) = table.split_once('}').expect("its end");
    let columns: Vec<String> = columns
        .lines()
        .filter_map(|line| Some(line.split_once("->")?.0.trim().to_owned()))
        .collect();
    let (_, events) = DOC.split_once("\n## Events\n").expect("the chapter");
    let rows = rows_in(events, "| field | meaning | personal |");
    let listed: Vec<String> = rows.iter().flat_map(|row| names(row[0])).collect();
    assert_same(&columns, &listed);
}

#[test]
fn the_log_goes_to_standard_error_alone() {
    for source in sources(&["src"]) {
        let is_logging = source.path.ends_with("cli/logging.rs");
        let makes_log = source.text.contains("tracing_subscriber::fmt");
        assert_eq!(makes_log, is_logging, "{}", source.shown());
        let writers = source.text.matches("with_writer(").count();
        assert_eq!(writers, usize::from(is_logging), "{}", source.shown());
        assert!(!is_logging || source.text.contains("with_writer(std::io::stderr)"));
    }
}

/// Every call of a macro of `tracing` in the source.
fn lines() -> impl Iterator<Item = Line> {
    sources(&["src"]).into_iter().flat_map(|source| {
        let mut found = Vec::new();
        collect(&source, source.tokens(), &mut found);
        found
    })
}

fn collect(source: &Source, tokens: TokenStream, found: &mut Vec<Line>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            collect(source, group.stream(), found);
        }
        // `tracing :: level ! ( … )`
        let [
            TokenTree::Ident(name),
            TokenTree::Punct(_),
            TokenTree::Punct(_),
            TokenTree::Ident(level),
            TokenTree::Punct(mark),
            TokenTree::Group(group),
            ..,
        ] = &tokens[at..]
        else {
            continue;
        };
        let level = level.to_string();
        let is_call = *name == "tracing" && mark.as_char() == '!';
        if is_call && group.delimiter() == Delimiter::Parenthesis {
            let is_known = LEVELS.contains(&level.as_str()) || level == SPAN;
            assert!(is_known, "{}: {level} is not known here", source.shown());
            let target = format!("rollcall::{}", source.module().join("::"));
            let (message, fields) = parts(group.stream());
            found.push((level, target, message, fields));
        }
    }
}

/// The message and the names of the fields of a call.
fn parts(tokens: TokenStream) -> (String, Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut message = None;
    let mut fields = Vec::new();
    for part in tokens.split(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == ',')) {
        let name = part.iter().find_map(|token| match token {
            TokenTree::Ident(ident) => Some(ident.to_string()),
            _ => None,
        });
        match part {
            [TokenTree::Literal(literal)] => message = Some(text(&literal.to_string())),
            // What is put into the message.
            _ if message.as_ref().is_some_and(|text| text.contains("{}")) => {}
            _ => fields.extend(name),
        }
    }
    (message.expect("a message that is a literal"), fields)
}

/// The text of a string literal.
fn text(literal: &str) -> String {
    let inner = literal.trim_start_matches('"').strip_suffix('"');
    let mut lines = inner.expect("a string").split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let joined = lines.fold(first, |text, line| text + line.trim_start());
    joined.replace("\\\"", "\"")
}

/// The cells of the first table whose head begins so.
fn rows(head: &str) -> Vec<Vec<&'static str>> {
    rows_in(DOC, head)
}

fn rows_in<'a>(text: &'a str, head: &str) -> Vec<Vec<&'a str>> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with(head));
    assert!(lines.next().is_some(), "there is no table {head}");
    lines
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let line = line.trim_matches('|');
            line.split('|').map(str::trim).collect()
        })
        .collect()
}

/// What is quoted in a cell.
fn names(cell: &str) -> Vec<String> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

#[track_caller]
fn assert_same<T: Ord + std::fmt::Debug>(written: &[T], listed: &[T]) {
    let (written, set): (BTreeSet<_>, BTreeSet<_>) =
        (written.iter().collect(), listed.iter().collect());
    let missing: Vec<_> = written.difference(&set).collect();
    let superfluous: Vec<_> = set.difference(&written).collect();
    assert!(missing.is_empty(), "docs/LOGGING.md lacks {missing:#?}");
    assert!(superfluous.is_empty(), "is no more: {superfluous:#?}");
    assert_eq!(listed.len(), set.len(), "docs/LOGGING.md lists one twice");
}
