//! The structure of the source: which module may import which, that no files import each other in a
//! circle, which may name Diesel and a table, and how long a file may be.

use std::collections::{BTreeMap, BTreeSet};

use super::support::source::{Source, Use, sources};

/// The order of the modules, from top to bottom. A module imports only from the lines below its
/// own.
const ORDER: [&[&str]; 27] = [
    &["cli"],
    &["server"],
    &["pages", "api", "jobs"],
    &["http"],
    &["overview"],
    &["account"],
    &["tokens"],
    &["sessions"],
    &["alerts"],
    &["applications"],
    &["people"],
    &["throttles"],
    &["events"],
    &["devices"],
    &["counters"],
    &["nodes"],
    &["mail"],
    &["user_agent"],
    &["geo"],
    &["net"],
    &["keys"],
    &["listing"],
    &["db"],
    &["settings"],
    &["text"],
    &["error"],
    &["clock"],
];
/// The ways into the service never import each other.
const ENTRANCES: [&str; 4] = ["cli", "pages", "api", "jobs"];
/// The crate's roots.
const ROOTS: [&str; 2] = ["main", "lib"];
const MAX_LINES: usize = 400;
/// The tables, each with the module whose store owns it.
const TABLES: [(&str, &str); 24] = [
    ("account_throttles", "throttles"),
    ("alerts", "alerts"),
    ("api_keys", "applications"),
    ("applications", "applications"),
    ("bulk_jobs", "sessions"),
    ("count_deltas", "counters"),
    ("devices", "devices"),
    ("email_verifications", "people"),
    ("former_emails", "people"),
    ("hourly_counts", "counters"),
    ("key_creations", "keys"),
    ("live_counts", "counters"),
    ("live_people_counts", "counters"),
    ("mail_queue", "mail"),
    ("message_counts", "mail"),
    ("nodes", "nodes"),
    ("password_resets", "people"),
    ("reset_requests", "people"),
    ("session_applications", "sessions"),
    ("session_events", "events"),
    ("session_keys", "sessions"),
    ("used_links", "people"),
    ("user_sessions", "sessions"),
    ("users", "people"),
];
/// The queries that look up: an alert is not purged before its session, and an event is not found by an
/// address that its person wants no more stored.
const UPWARD_QUERIES: [&str; 2] = [
    "src/alerts/store.rs: `user_sessions`",
    "src/events/store/search.rs: `users`",
];

#[test]
fn modules_import_only_what_is_below_them() {
    assert_eq!(turned_arrows(&sources(&["src"])), Vec::<String>::new());
}

#[test]
fn every_module_has_its_place_in_the_order() {
    let known: BTreeSet<&str> = ORDER.concat().into_iter().chain(ROOTS).collect();
    let found: BTreeSet<String> = sources(&["src"])
        .iter()
        .map(Source::top_level_module)
        .collect();
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(found, known);
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    assert_eq!(circles(&sources(&["src"])), Vec::<String>::new());
}

/// One case for every pair of modules: the order decides each of them, and only one way.
#[test]
fn the_order_decides_every_pair() {
    let modules = ORDER.concat();
    for from in &modules {
        for to in &modules {
            let file = Source::new(
                &format!("src/{from}.rs"),
                &format!("use crate::{to}::Something;"),
            );
            let is_allowed = turned_arrows(&[file]).is_empty();
            let is_below = line_of(from) < line_of(to);
            let are_entrances = ENTRANCES.contains(from) && ENTRANCES.contains(to);
            let expected = from == to || (is_below && !are_entrances);
            assert_eq!(is_allowed, expected, "{from} -> {to}");
        }
    }
}

#[test]
fn a_turned_arrow_is_found_in_every_form() {
    for text in [
        "use crate::sessions::Sessions;",
        "use crate::{clock::Clock, sessions::{self, Session}};",
        "pub(crate) use crate::sessions::Session;",
        "fn f() -> crate::sessions::Session { todo!() }",
        "mod inner { use crate::sessions as s; }",
        "fn f() { if true { crate::sessions::g() } }",
        "use super::sessions::Session;",
        "mod inner { use super::super::sessions::Session; }",
        "fn f() -> super::sessions::Session { todo!() }",
    ] {
        let found = turned_arrows(&[Source::new("src/people/mod.rs", text)]);
        assert_eq!(
            found,
            ["src/people/mod.rs: `people` may not import `sessions`"],
            "{text}"
        );
    }
    let deeper = Source::new(
        "src/people/values.rs",
        "use super::super::sessions::Session;",
    );
    assert_eq!(
        turned_arrows(&[deeper]),
        ["src/people/values.rs: `people` may not import `sessions`"]
    );
    for text in [
        "use crate as c;",
        "use crate::{self as c};",
        "use super as c;",
        "use super::*;",
        "extern crate self as c;",
    ] {
        let found = turned_arrows(&[Source::new("src/people/mod.rs", text)]);
        assert_eq!(
            found,
            ["src/people/mod.rs: the root has no other name"],
            "{text}"
        );
    }
    let harmless = "// crate::sessions::Session\nconst TEXT: &str = \"crate::sessions\";";
    let file = Source::new("src/people/mod.rs", harmless);
    assert_eq!(turned_arrows(&[file]), Vec::<String>::new());
}

#[test]
fn a_circle_of_files_is_found_also_through_a_re_export() {
    let files = [
        Source::new(
            "src/pages/mod.rs",
            "mod views; mod words; pub use self::views::View;",
        ),
        Source::new("src/pages/views.rs", "use super::words; pub struct View;"),
        Source::new("src/pages/words.rs", "use super::View;"),
    ];
    assert_eq!(
        circles(&files),
        ["src/pages/views.rs -> src/pages/words.rs -> src/pages/views.rs"]
    );
    let files = [
        Source::new(
            "src/pages/mod.rs",
            "mod a; use self::a::A; pub struct Pages(A);",
        ),
        Source::new("src/pages/a.rs", "use super::Pages; pub struct A;"),
    ];
    assert_eq!(circles(&files).len(), 1, "a module and its parent");
    let files = [
        Source::new(
            "src/pages/mod.rs",
            "mod a; mod b; pub use self::{a::A, b::B};",
        ),
        Source::new("src/pages/a.rs", "pub struct A;"),
        Source::new("src/pages/b.rs", "use super::A; pub struct B;"),
    ];
    assert_eq!(circles(&files), Vec::<String>::new());
}

#[test]
fn only_the_database_and_the_stores_name_diesel() {
    let wrong: Vec<String> = sources(&["src"])
        .iter()
        .filter(|file| file.top_level_module() != "db" && !is_store(file))
        .filter(|file| {
            let names = file.identifiers();
            names
                .iter()
                .any(|name| matches!(name.as_str(), "diesel" | "diesel_migrations"))
        })
        .map(Source::shown)
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

/// SQLite uses an index `WHERE is_active` only for a query that contains the condition; the value
/// of a bound comparison is not known when it plans the query.
#[test]
fn no_query_binds_a_value_that_an_index_is_partial_by() {
    let wrong: Vec<_> = sources(&["src"])
        .iter()
        .filter(|file| file.top_level_module() == "sessions")
        .flat_map(|file| {
            let lines = file.text.lines().filter(|line| {
                line.contains(".filter(")
                    && line.contains("is_active.eq(")
                    && !line.contains("users::")
            });
            lines
                .map(|line| format!("{}: {line}", file.shown()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

/// A query of another module's table is an import that `use` does not show.
#[test]
fn a_store_queries_its_own_tables_and_those_below_it() {
    assert_eq!(upward_queries(&sources(&["src"])), UPWARD_QUERIES);
    let turned = Source::new(
        "src/people/store.rs",
        "use crate::db::schema::{users, user_sessions};",
    );
    assert_eq!(
        upward_queries(&[turned]),
        ["src/people/store.rs: `user_sessions`"]
    );
}

#[test]
fn every_table_has_an_owner() {
    let schema = include_str!("../../src/db/schema.rs");
    let tables = schema.matches("diesel::table!").count();
    assert_eq!(tables, TABLES.len());
    for (table, _) in TABLES {
        assert!(
            schema.contains(&format!("    {table} (")),
            "{table} is no table"
        );
    }
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    let silent: Vec<_> = sources(&["src", "tests", "benches"])
        .iter()
        .filter(|file| !file.text.starts_with("//! ") && !file.path.ends_with("db/schema.rs"))
        .map(Source::shown)
        .collect();
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn no_file_is_longer_than_it_should_be() {
    let long: Vec<_> = sources(&["src"])
        .iter()
        .filter(|file| !file.path.ends_with("db/schema.rs"))
        .filter(|file| file.text.lines().count() > MAX_LINES)
        .map(|file| format!("{}: {} lines", file.shown(), file.text.lines().count()))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

fn is_store(file: &Source) -> bool {
    file.module().iter().any(|segment| segment == "store")
}

fn line_of(module: &str) -> Option<usize> {
    ORDER.iter().position(|line| line.contains(&module))
}

/// The imports that go against the order.
fn turned_arrows(files: &[Source]) -> Vec<String> {
    let mut turned = BTreeSet::new();
    for file in files {
        let from = file.top_level_module();
        if ROOTS.contains(&from.as_str()) {
            continue;
        }
        for path in file.local_paths() {
            let Some(path) = absolute(&file.module(), &path) else {
                continue;
            };
            match path.first().map(String::as_str) {
                // Under another name, or as a glob, the root would hide what is imported from it.
                None | Some("self" | "*") => {
                    turned.insert(format!("{}: the root has no other name", file.shown()));
                }
                Some(to) if is_module_name(to) && !may_import(&from, to) => {
                    turned.insert(format!("{}: `{from}` may not import `{to}`", file.shown()));
                }
                Some(_) => {}
            }
        }
        let names = file.identifiers();
        if names.windows(2).any(|pair| pair == ["extern", "crate"]) {
            turned.insert(format!("{}: the root has no other name", file.shown()));
        }
    }
    turned.into_iter().collect()
}

/// Whether a name below the root is a module's, and not that of a type which the root exports.
fn is_module_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
}

/// The tables that files import from the schema although their owner is above the file's module.
fn upward_queries(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let from = file.top_level_module();
        for Use { path, .. } in file.uses() {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let ["crate", "db", "schema", table, ..] = path[..] else {
                continue;
            };
            let owner = TABLES.iter().find(|(name, _)| *name == table);
            if owner.is_none_or(|(_, owner)| !may_import(&from, owner)) {
                found.push(format!("{}: `{table}`", file.shown()));
            }
        }
    }
    found
}

fn may_import(from: &str, to: &str) -> bool {
    let are_entrances = ENTRANCES.contains(&from) && ENTRANCES.contains(&to);
    match (line_of(from), line_of(to)) {
        _ if from == to => true,
        (Some(above), Some(below)) => above < below && !are_entrances,
        _ => false,
    }
}

/// The circles among the files of one top-level module, each named once, from its first file.
fn circles(files: &[Source]) -> Vec<String> {
    let tree = ModuleTree::new(files);
    let edges: BTreeMap<usize, BTreeSet<usize>> = files
        .iter()
        .enumerate()
        .map(|(index, file)| (index, tree.imports(file, index)))
        .collect();
    let mut found = BTreeSet::new();
    for start in 0..files.len() {
        if let Some(way) = way_back(start, &edges) {
            let names: Vec<String> = way.iter().map(|index| files[*index].shown()).collect();
            found.insert(names.join(" -> "));
        }
    }
    found.into_iter().collect()
}

/// A way from a file back to itself over files that come after it.
fn way_back(start: usize, edges: &BTreeMap<usize, BTreeSet<usize>>) -> Option<Vec<usize>> {
    let mut ways = vec![vec![start]];
    let mut visited = BTreeSet::new();
    while let Some(way) = ways.pop() {
        let last = way.last().expect("a way has a file");
        for next in &edges[last] {
            let longer: Vec<usize> = way.iter().chain([next]).copied().collect();
            if *next == start {
                return Some(longer);
            }
            if *next > start && visited.insert(*next) {
                ways.push(longer);
            }
        }
    }
    None
}

/// The files by their modules, and what each module exports under its own name.
struct ModuleTree {
    files: BTreeMap<Vec<String>, usize>,
    exports: BTreeMap<(Vec<String>, String), Vec<String>>,
}

impl ModuleTree {
    fn new(files: &[Source]) -> Self {
        let mut tree = Self {
            files: BTreeMap::new(),
            exports: BTreeMap::new(),
        };
        for (index, file) in files.iter().enumerate() {
            tree.files.insert(file.module(), index);
        }
        for file in files {
            let exports = file.uses().into_iter().filter(|used| used.is_export);
            for Use { path, .. } in exports {
                let Some(target) = absolute(&file.module(), &path) else {
                    continue;
                };
                let name = target.last().cloned().unwrap_or_default();
                tree.exports.insert((file.module(), name), target);
            }
        }
        tree
    }

    /// The files that `file` imports from within its own top-level module. An export is no import:
    /// it is followed to where the name comes from.
    fn imports(&self, file: &Source, index: usize) -> BTreeSet<usize> {
        let exported: BTreeSet<Vec<String>> = file
            .uses()
            .into_iter()
            .filter(|used| used.is_export)
            .map(|used| used.path)
            .collect();
        let mut found = BTreeSet::new();
        for path in file.local_paths() {
            if exported.contains(&path) {
                continue;
            }
            let Some(path) = absolute(&file.module(), &path) else {
                continue;
            };
            let is_own_glob = path.last().is_some_and(|last| last == "*");
            if path.first() == file.module().first() && !is_own_glob {
                found.extend(self.files_behind(&path));
            }
        }
        found.remove(&index);
        found
    }

    /// The file that defines what a path names; for a module, its file and those of its exports.
    fn files_behind(&self, path: &[String]) -> BTreeSet<usize> {
        let depth = (1..=path.len())
            .rev()
            .find(|depth| self.files.contains_key(&path[..*depth]));
        let Some(depth) = depth else {
            return BTreeSet::new();
        };
        let (module, rest) = path.split_at(depth);
        match rest
            .first()
            .filter(|name| !matches!(name.as_str(), "self" | "*"))
        {
            Some(name) => match self.exports.get(&(module.to_vec(), name.clone())) {
                Some(target) => self.files_behind(target),
                None => [self.files[module]].into(),
            },
            None => {
                let own = [self.files[module]];
                let exports = self
                    .exports
                    .iter()
                    .filter(|((of, _), _)| of.as_slice() == module)
                    .flat_map(|(_, target)| self.files_behind(target));
                own.into_iter().chain(exports).collect()
            }
        }
    }
}

/// A path from the crate's root: `super::b` in `a::c` is `a::b`.
fn absolute(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    let mut base = match first.as_str() {
        "crate" => Vec::new(),
        "self" => module.to_vec(),
        "super" => module[..module.len().checked_sub(1)?].to_vec(),
        _ => return None,
    };
    let mut rest = rest;
    while let Some((next, after)) = rest.split_first() {
        if next != "super" {
            break;
        }
        base.pop()?;
        rest = after;
    }
    base.extend(rest.iter().cloned());
    Some(base)
}
