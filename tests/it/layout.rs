//! The house rules, held by reading the source: who may import whom, who may name Diesel, how long a
//! file may be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors of the house, from the doors down. A module may import from the floors below its own.
const FLOORS: [&[&str]; 4] = [
    &["cli", "pages", "api", "jobs"],
    &["http"],
    &[
        "sessions", "people", "tokens", "devices", "events", "api_keys", "alerts", "mail",
    ],
    &["db", "clock", "error", "settings", "text"],
];
/// On these floors neighbours may import each other, too.
const NEIGHBOURLY: [usize; 2] = [2, 3];
/// `server` assembles everything and the command line starts it.
const ROOT: [&str; 3] = ["main", "lib", "server"];
const LONGEST_FILE: usize = 400;

#[test]
fn modules_import_only_what_is_below_them() {
    let mut wrong = Vec::new();
    for file in sources() {
        let from = file.module();
        if ROOT.contains(&from.as_str()) {
            continue;
        }
        for to in file.imported_modules() {
            if !may_import(&from, &to) {
                wrong.push(format!("{}: `{from}` may not import `{to}`", file.shown()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_module_has_its_floor() {
    let known: BTreeSet<_> = FLOORS
        .concat()
        .into_iter()
        .chain(ROOT)
        .map(str::to_owned)
        .collect();
    let found: BTreeSet<_> = sources().iter().map(Source::module).collect();
    assert_eq!(
        found.difference(&known).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

#[test]
fn only_the_database_and_the_stores_name_diesel() {
    let mut wrong = Vec::new();
    for file in sources() {
        let is_store = file.path.ends_with("store.rs")
            || file
                .path
                .parent()
                .is_some_and(|folder| folder.ends_with("store"));
        let may = file.module() == "db" || is_store;
        if !may
            && file
                .code()
                .any(|line| line.contains("diesel::") || line.contains("diesel_migrations"))
        {
            wrong.push(file.shown());
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// SQLite uses an index `WHERE is_active` only for a query that says so itself; a value bound to a
/// comparison is not known when the way is chosen.
#[test]
fn no_query_compares_with_a_bound_value_what_an_index_is_partial_by() {
    let wrong: Vec<_> = sources()
        .iter()
        .filter(|file| file.module() == "sessions")
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

#[test]
fn every_file_begins_by_saying_what_it_is() {
    let silent: Vec<_> = sources()
        .iter()
        .filter(|file| !file.text.starts_with("//! ") && !file.path.ends_with("db/schema.rs"))
        .map(Source::shown)
        .collect();
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn no_file_is_longer_than_it_should_be() {
    let long: Vec<_> = sources()
        .iter()
        .filter(|file| file.text.lines().count() > LONGEST_FILE)
        .map(|file| format!("{}: {} lines", file.shown(), file.text.lines().count()))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn imports_are_recognised_in_every_form() {
    let file = Source {
        path: "src/pages/devices.rs".into(),
        text: "use crate::{clock::Clock, db::{self, Db}, http};\n\
               use crate::sessions::Sessions;\n\
               // crate::comments are none\n\
               use crate::{\n    error::Error,\n    tokens::{Jti, Keys},\n};\n\
               fn f() -> crate::people::User {}\n\
               pub(crate) fn g() {}\n"
            .into(),
    };
    let expected = [
        "clock", "db", "error", "http", "people", "sessions", "tokens",
    ]
    .map(str::to_owned);
    assert_eq!(
        file.imported_modules().into_iter().collect::<Vec<_>>(),
        expected
    );
    assert_eq!(file.module(), "pages");
    assert!(
        may_import("pages", "http")
            && may_import("sessions", "events")
            && may_import("cli", "server")
    );
    assert!(
        !may_import("pages", "api")
            && !may_import("api", "pages")
            && !may_import("sessions", "http")
    );
    assert!(
        !may_import("db", "sessions")
            && !may_import("http", "jobs")
            && !may_import("api", "server")
    );
}

fn may_import(from: &str, to: &str) -> bool {
    if from == to || (from, to) == ("cli", "server") {
        return true;
    }
    match (floor(from), floor(to)) {
        (Some(above), Some(below)) => {
            above < below || (above == below && NEIGHBOURLY.contains(&above))
        }
        _ => false,
    }
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// A file of the source.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// The module of the crate's root it belongs to.
    fn module(&self) -> String {
        let below_src = self.path.strip_prefix(root()).unwrap_or(&self.path);
        let first = below_src.components().nth(1).expect("a file in src");
        Path::new(first.as_os_str())
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    }

    fn shown(&self) -> String {
        self.path
            .strip_prefix(root())
            .unwrap_or(&self.path)
            .display()
            .to_string()
    }

    /// Its lines without comments.
    fn code(&self) -> impl Iterator<Item = &str> {
        self.text
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default())
    }

    /// The modules named by a path that begins with `crate::`. What the crate's root gives out under
    /// another name (`crate::Error`) is of no module.
    fn imported_modules(&self) -> BTreeSet<String> {
        let code = self.code().collect::<Vec<_>>().join("\n");
        let paths = code.split("crate::").skip(1);
        let names = paths.flat_map(|path| match path.strip_prefix('{') {
            Some(group) => first_names(group),
            None => vec![name_at(path)],
        });
        names
            .filter(|name| name.starts_with(|first: char| first.is_ascii_lowercase()))
            .collect()
    }
}

/// The first name of each path in `a::B, c::{d, e}, f}`.
fn first_names(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut at_start) = (0, Vec::new(), true);
    for (place, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            _ if at_start && !character.is_whitespace() => {
                names.push(name_at(&group[place..]));
                at_start = false;
            }
            _ => {}
        }
    }
    names
}

fn name_at(path: &str) -> String {
    path.chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect()
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a text");
                found.push(Source { path, text });
            }
        }
    }
    assert!(!found.is_empty());
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
