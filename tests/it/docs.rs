//! README and docs agree with the program.

use crate::support::program::Program;

const EXAMPLE: &str = include_str!("../../docs/rollcall.example.toml");
const SECURITY: &str = include_str!("../../docs/SECURITY.md");
const README: &str = include_str!("../../README.md");

#[test]
fn the_example_has_every_setting_with_its_default() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::in_folder(folder.path());
    let defaults = program.run(&["config"]).expect_done();
    std::fs::write(folder.path().join("rollcall.toml"), EXAMPLE).expect("a file");
    assert_eq!(program.run(&["config"]).expect_done(), defaults);
    for key in keys(&defaults) {
        assert!(keys(EXAMPLE).contains(&key), "{key} is not in the example");
    }
}

#[test]
fn the_readme_lists_every_setting() {
    for key in keys(EXAMPLE) {
        assert!(
            README.contains(&format!("| `{key}` |")),
            "{key} is not in README.md"
        );
    }
}

#[test]
fn every_test_that_a_promise_names_exists() {
    let named: Vec<(&str, &str)> = SECURITY
        .split('`')
        .filter_map(|quoted| quoted.split_once("::"))
        .collect();
    assert!(named.len() > 40, "only {} tests are named", named.len());
    for (module, name) in named {
        let file = format!("{}/tests/it/{module}.rs", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("there is no {file}"));
        assert!(
            text.contains(&format!("fn {name}(")),
            "{module}::{name} does not exist"
        );
    }
}

/// Returns the keys of a TOML text, those in comments included: `listen`, `log.filter`.
fn keys(toml: &str) -> Vec<String> {
    let mut section = String::new();
    let mut keys = Vec::new();
    for line in toml.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|s| s.strip_suffix(']')) {
            section = format!("{name}.");
        } else if let Some((key, _)) = line.trim_start_matches("# ").split_once(" = ") {
            keys.push(format!("{section}{key}"));
        }
    }
    keys
}
