//! README and docs agree with the program.

use crate::support::program::Program;

const EXAMPLE: &str = include_str!("../../docs/rollcall.example.toml");
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
