//! The container image and the CI workflow do what README and the scripts say.

use std::process::Command;

use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(database: the_health_check_tells_a_running_service_from_none);

const DOCKERFILE: &str = include_str!("../../Dockerfile");
const README: &str = include_str!("../../README.md");
const MANIFEST: &str = include_str!("../../Cargo.toml");
const WORKFLOW: &str = include_str!("../../.github/workflows/ci.yml");

#[test]
fn the_image_is_built_with_what_readme_says_a_build_needs() {
    assert!(README.contains("a C compiler, perl and make, and nothing else"));
    let installed = instruction("RUN apt-get update && apt-get install");
    let packages: Vec<&str> = installed
        .split_whitespace()
        .filter(|word| !word.starts_with("--"))
        .collect();
    assert_eq!(packages, ["gcc", "libc6-dev", "make", "perl"]);
    let build = instruction("RUN cargo build");
    assert!(
        README.contains(&format!("`cargo build {}`", build.trim())),
        "cargo build {build} is not in README.md"
    );
}

#[test]
fn the_image_is_built_with_a_rust_that_the_project_supports() {
    let minimum = version(between(MANIFEST, "rust-version = \"", "\""));
    let image = version(between(DOCKERFILE, "FROM rust:", "-"));
    assert!(image >= minimum, "{image:?} is older than {minimum:?}");
    let named = version(between(README, "This needs Rust ", " or later"));
    assert_eq!(named, minimum, "README.md names another version");
}

#[test]
fn readme_describes_the_image_as_it_is() {
    let section = between(README, "### In a container", "\n### ");
    let user = instruction("USER");
    let (user, _) = user.split_once(':').expect("a user and a group");
    for part in [
        format!("runs as user {user}"),
        format!("listens on port {}", instruction("EXPOSE")),
        format!("`{}`", instruction("VOLUME")),
        format!("`{}`", between(DOCKERFILE, "GET ", " HTTP")),
    ] {
        assert!(section.contains(&part), "{part:?} is not in README.md");
    }
    assert_ne!(user, "0", "the image does not run as root");
    assert_eq!(instruction("WORKDIR /var"), "/lib/rollcall");
}

#[test]
fn the_image_runs_a_command_that_readme_describes() {
    assert_eq!(instruction("ENTRYPOINT"), r#"["rollcall"]"#);
    let command = instruction("\nCMD");
    let command: Vec<String> = serde_json::from_str(&command).expect("a list of words");
    let row = format!("| `rollcall {}` |", command.join(" "));
    assert!(README.contains(&row), "{row} is not in README.md");
}

#[test]
fn the_workflow_runs_what_contributors_run() {
    assert!(WORKFLOW.contains("run: ./.ci/run"));
    let image = version(between(WORKFLOW, "container: rust:", "-"));
    assert_eq!(image, version(between(DOCKERFILE, "FROM rust:", "-")));
}

async fn the_health_check_tells_a_running_service_from_none(database: Database) {
    let mut serving = Program::with(&database).serve(&["serve"]);
    let base = serving.base();
    let address = base.trim_start_matches("http://");
    assert!(is_healthy(address), "the service runs");
    assert!(serving.terminate().success());
    assert!(!is_healthy(address), "the service is stopped");
}

/// Runs the health check as the container would.
fn is_healthy(listen: &str) -> bool {
    let (_, command) = DOCKERFILE.split_once("\n    CMD ").expect("a health check");
    let (command, _) = command.split_once("\n\n").expect("its end");
    let status = Command::new("bash")
        .args(["-c", command])
        .env("ROLLCALL_LISTEN", listen)
        .stderr(std::process::Stdio::null())
        .status();
    status.expect("bash runs").success()
}

/// What follows the beginning of an instruction, on its line.
fn instruction(beginning: &str) -> String {
    let (_, rest) = DOCKERFILE
        .split_once(beginning)
        .unwrap_or_else(|| panic!("{beginning} is not in the Dockerfile"));
    rest.lines().next().unwrap_or_default().trim().to_owned()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("{start:?} is not there"));
    rest.split_once(end).map_or(rest, |(found, _)| found)
}

/// "1.95" as numbers, so that 1.100 is later.
fn version(text: &str) -> Vec<u32> {
    text.split('.')
        .map(|part| part.parse().expect("a number"))
        .collect()
}
