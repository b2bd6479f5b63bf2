//! Random sequences of requests against a small model of sessions: whatever happens in
//! whatever order, the service and the model agree.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::prelude::*;
use crate::support::run_async;

const IDLE: u64 = 60 * 60;
const ABSOLUTE: u64 = 5 * 60 * 60;
const GRACE: u64 = 10;

#[derive(Debug, Clone)]
enum Act {
    Open,
    /// The newest token of a session, or an older one: so many generations back.
    Refresh {
        session: usize,
        back: usize,
    },
    End {
        session: usize,
    },
    Sweep,
    Wait {
        seconds: u64,
    },
}

/// What a session should be.
struct Modelled {
    /// Every refresh token there was, the current one last.
    tokens: Vec<String>,
    rotated_at: u64,
    last_used_at: u64,
    opened_at: u64,
    is_ended: bool,
}

impl Modelled {
    fn is_live(&self, now: u64) -> bool {
        !self.is_ended && now < (self.last_used_at + IDLE).min(self.opened_at + ABSOLUTE)
    }
}

/// What a refresh should come to.
#[derive(Debug, PartialEq)]
enum Outcome {
    Successor,
    SameSuccessor,
    Refused,
    Reuse,
}

impl Modelled {
    fn outcome(&self, back: usize, now: u64) -> Outcome {
        match back {
            _ if !self.is_live(now) => Outcome::Refused,
            0 => Outcome::Successor,
            1 if now <= self.rotated_at + GRACE => Outcome::SameSuccessor,
            _ => Outcome::Reuse,
        }
    }
}

fn act() -> impl Strategy<Value = Act> {
    let seconds = prop_oneof![
        Just(1),
        Just(9),
        Just(10),
        Just(11),
        Just(IDLE - 1),
        Just(IDLE),
        1..IDLE
    ];
    prop_oneof![
        2 => Just(Act::Open),
        6 => (0..4_usize, 0..3_usize).prop_map(|(session, back)| Act::Refresh { session, back }),
        1 => (0..4_usize).prop_map(|session| Act::End { session }),
        1 => Just(Act::Sweep),
        4 => seconds.prop_map(|seconds| Act::Wait { seconds }),
    ]
}

#[test]
fn random_lives_of_sessions_agree_with_the_model_on_sqlite() {
    check(48, Database::sqlite);
}

#[test]
fn random_lives_of_sessions_agree_with_the_model_on_postgres() {
    check(24, Database::postgres);
}

fn check(cases: u32, database: fn() -> Database) {
    let config = Config {
        cases,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&vec(act(), 1..40), |acts| {
            run_async(live(database(), acts));
            Ok(())
        })
        .unwrap_or_else(|found| panic!("{found}"));
}

async fn live(database: Database, acts: Vec<Act>) {
    let app = TestApp::start_with(database, |settings| {
        settings.sessions.remembered_idle_limit = Duration::from_secs(IDLE);
        settings.sessions.remembered_absolute_limit = Duration::from_secs(ABSOLUTE);
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let mut now = 0;
    let mut sessions: Vec<Modelled> = Vec::new();
    for act in acts {
        match act {
            Act::Open => {
                let device = app.login(&ada, FIREFOX).await;
                sessions.push(opened(device.refresh_token, now));
            }
            Act::Refresh { session, back } => {
                if let Some(modelled) = nth(&mut sessions, session) {
                    refresh(&app, modelled, back, now).await;
                }
            }
            Act::End { session } => {
                if let Some(modelled) = nth(&mut sessions, session) {
                    end(&app, modelled, now).await;
                }
            }
            Act::Sweep => app.sweep().await,
            Act::Wait { seconds } => {
                app.advance(Duration::from_secs(seconds));
                now += seconds;
            }
        }
        assert_same(&app, &sessions, now);
    }
    app.stop().await;
}

fn opened(token: String, now: u64) -> Modelled {
    Modelled {
        tokens: vec![token],
        rotated_at: now,
        last_used_at: now,
        opened_at: now,
        is_ended: false,
    }
}

fn nth(sessions: &mut [Modelled], n: usize) -> Option<&mut Modelled> {
    match sessions.len() {
        0 => None,
        len => sessions.get_mut(n % len),
    }
}

async fn refresh(app: &TestApp, modelled: &mut Modelled, back: usize, now: u64) {
    let back = back.min(modelled.tokens.len() - 1);
    let token = modelled.tokens[modelled.tokens.len() - 1 - back].clone();
    let outcome = modelled.outcome(back, now);
    let response = app.anyone().refresh(&token).await;
    match outcome {
        Outcome::Successor => {
            let successor = refresh_token(response);
            assert!(
                !modelled.tokens.contains(&successor),
                "an old token came back"
            );
            modelled.tokens.push(successor);
            modelled.rotated_at = now;
            modelled.last_used_at = now;
        }
        Outcome::SameSuccessor => {
            assert_eq!(Some(&refresh_token(response)), modelled.tokens.last());
        }
        Outcome::Refused | Outcome::Reuse => {
            response.problem(401, "invalid_token");
            modelled.is_ended |= outcome == Outcome::Reuse;
        }
    }
}

/// Signs out with a fresh access token, if one is to be had.
async fn end(app: &TestApp, modelled: &mut Modelled, now: u64) {
    if !modelled.is_live(now) {
        return;
    }
    let current = modelled.tokens.last().expect("a token").clone();
    let body = app.anyone().refresh(&current).await.expect(200).json();
    let access = body["access_token"].as_str().expect("a token");
    let logout = app
        .anyone()
        .request("POST", "/api/v1/auth/logout")
        .bearer_auth(access);
    TestResponse::to(logout).await.expect(204);
    modelled.is_ended = true;
}

fn refresh_token(response: TestResponse) -> String {
    let body = response.expect(200).json();
    body["refresh_token"].as_str().expect("a token").to_owned()
}

fn assert_same(app: &TestApp, sessions: &[Modelled], now: u64) {
    let clock = app.clock.now().format("%Y-%m-%d %H:%M:%S%.6f").to_string();
    let zone = if app.database.postgres_name().is_some() {
        "+00"
    } else {
        ""
    };
    let live = format!("is_active AND expires_at > '{clock}{zone}'");
    let expected = sessions
        .iter()
        .filter(|modelled| modelled.is_live(now))
        .count();
    assert_eq!(app.database.sessions_where(&live), expected as i64);
}
