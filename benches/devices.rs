//! Measures how fast user agents are parsed, and how much memory that takes:
//! `cargo bench --bench devices`.
//!
//! Ten thousand different agents are derived from the corpus by changing their numbers, and parsed
//! twice. Then four threads parse them at once, as the server's workers do: memory must not grow
//! with the number of threads. Prints figures for people; to compare two versions, run each once on
//! the same quiet machine.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a benchmark measures time, and fails by panicking"
)]

use std::collections::HashSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

use rollcall::user_agent::{ClientHints, DeviceParser};
use serde::Deserialize;

const CORPUS: &str = include_str!("../tests/it/corpus/user_agents.jsonl");
const AGENTS: usize = 10_000;
const THREADS: usize = 4;

#[derive(Deserialize)]
struct Line {
    ua: String,
}

fn main() {
    let agents = agents();
    let before = resident_kib();
    let parser = DeviceParser::built_in().expect("patterns that can be read");
    black_box(parser.parse("warm"));
    report_memory("with the patterns loaded", before);

    let cold = timed(&agents, &parser);
    report_memory(&format!("after {AGENTS} different agents"), before);
    let warm = timed(&agents, &parser);
    report_time("first round", &cold);
    report_time("second round", &warm);

    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| timed(&agents, &parser));
        }
    });
    report_memory(&format!("after {THREADS} threads asked at once"), before);
    report_time("with client hints", &timed_with_hints(&agents, &parser));
}

/// Returns [`AGENTS`] different agents of every kind, derived from the corpus.
fn agents() -> Vec<String> {
    let lines: Vec<Line> = CORPUS
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of the corpus"))
        .collect();
    let mut unique = HashSet::new();
    let mut agents = Vec::with_capacity(AGENTS);
    for round in 0.. {
        for line in &lines {
            let agent = varied(&line.ua, round);
            if agents.len() == AGENTS {
                return agents;
            }
            if unique.insert(agent.clone()) {
                agents.push(agent);
            }
        }
    }
    agents
}

/// Returns a variant of `agent`: its last digit is replaced by `round`, or where it has none,
/// `round` spaces follow it. Round 0 is `agent` itself.
fn varied(agent: &str, round: u32) -> String {
    let at = agent.rfind(|c: char| c.is_ascii_digit());
    match at {
        Some(at) if round > 0 => format!("{}{round}{}", &agent[..at], &agent[at + 1..]),
        _ => format!("{agent}{}", " ".repeat(round as usize)),
    }
}

/// Returns how long parsing each agent took, in ascending order.
fn timed(agents: &[String], parser: &DeviceParser) -> Vec<Duration> {
    time_each(agents, |agent| {
        black_box(parser.parse(agent));
    })
}

fn timed_with_hints(agents: &[String], parser: &DeviceParser) -> Vec<Duration> {
    let hints = ClientHints {
        platform: Some("Android".into()),
        platform_version: Some("15.0.0".into()),
        model: Some("SM-X710".into()),
        ..ClientHints::default()
    };
    time_each(agents, |agent| {
        black_box(parser.parse_with_hints(agent, &hints));
    })
}

fn time_each(agents: &[String], parse: impl Fn(&str)) -> Vec<Duration> {
    let mut times: Vec<Duration> = agents
        .iter()
        .map(|agent| {
            let start = Instant::now();
            parse(agent);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times
}

fn report_time(what: &str, sorted: &[Duration]) {
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    let mean =
        sorted.iter().sum::<Duration>() / u32::try_from(sorted.len()).expect("a small count");
    println!(
        "{what:<36} mean {mean:>9.1?}   median {:>9.1?}   99 % {:>9.1?}   slowest {:>9.1?}",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

fn report_memory(what: &str, before: u64) {
    let mib = resident_kib().saturating_sub(before) as f64 / 1024.0;
    println!("{what:<36} {mib:.1} MiB more than before");
}

/// Returns the resident memory of this process in KiB (Linux); 0 where it can't be read.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}
