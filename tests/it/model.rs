//! Random sequences of actions on sessions, compared with a small model: after each action, in any
//! order, the service and the model agree on the live sessions.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::prelude::*;
use crate::support::run_async;

const IDLE: u64 = 60 * 60;
const ABSOLUTE: u64 = 5 * 60 * 60;
const GRACE: u64 = 10;

#[derive(Debug, Clone)]
enum Action {
    Open,
    /// Refreshes with the token of a session that is `back` generations older than its newest.
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

/// The expected state of a session.
struct ModelSession {
    /// Every refresh token of the session, the current one last.
    tokens: Vec<String>,
    rotated_at: u64,
    last_used_at: u64,
    opened_at: u64,
    is_ended: bool,
}

impl ModelSession {
    fn is_live(&self, now: u64) -> bool {
        !self.is_ended && now < (self.last_used_at + IDLE).min(self.opened_at + ABSOLUTE)
    }
}

/// The expected outcome of a refresh.
#[derive(Debug, PartialEq)]
enum Outcome {
    Successor,
    SameSuccessor,
    Refused,
    TokenReuse,
}

impl ModelSession {
    fn outcome(&self, back: usize, now: u64) -> Outcome {
        match back {
            _ if !self.is_live(now) => Outcome::Refused,
            0 => Outcome::Successor,
            1 if now <= self.rotated_at + GRACE => Outcome::SameSuccessor,
            _ => Outcome::TokenReuse,
        }
    }
}

fn action() -> impl Strategy<Value = Action> {
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
        2 => Just(Action::Open),
        6 => (0..4_usize, 0..3_usize).prop_map(|(session, back)| Action::Refresh { session, back }),
        1 => (0..4_usize).prop_map(|session| Action::End { session }),
        1 => Just(Action::Sweep),
        4 => seconds.prop_map(|seconds| Action::Wait { seconds }),
    ]
}

#[test]
fn random_actions_agree_with_the_model_on_sqlite() {
    check(48, Database::sqlite);
}

#[test]
fn random_actions_agree_with_the_model_on_postgres() {
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
        .run(&vec(action(), 1..40), |actions| {
            run_async(run(database(), actions));
            Ok(())
        })
        .unwrap_or_else(|found| panic!("{found}"));
}

async fn run(database: Database, actions: Vec<Action>) {
    let app = TestApp::start_with(database, |settings| {
        settings.sessions.remembered_idle_limit = Duration::from_secs(IDLE);
        settings.sessions.remembered_absolute_limit = Duration::from_secs(ABSOLUTE);
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let mut now = 0;
    let mut sessions: Vec<ModelSession> = Vec::new();
    for action in actions {
        match action {
            Action::Open => {
                let device = app.login(&ada, FIREFOX).await;
                sessions.push(opened(device.refresh_token, now));
            }
            Action::Refresh { session, back } => {
                if let Some(model) = nth(&mut sessions, session) {
                    refresh(&app, model, back, now).await;
                }
            }
            Action::End { session } => {
                if let Some(model) = nth(&mut sessions, session) {
                    end(&app, model, now).await;
                }
            }
            Action::Sweep => app.sweep().await,
            Action::Wait { seconds } => {
                app.advance(Duration::from_secs(seconds));
                now += seconds;
            }
        }
        assert_same(&app, &sessions, now);
    }
    app.stop().await;
}

fn opened(token: String, now: u64) -> ModelSession {
    ModelSession {
        tokens: vec![token],
        rotated_at: now,
        last_used_at: now,
        opened_at: now,
        is_ended: false,
    }
}

fn nth(sessions: &mut [ModelSession], n: usize) -> Option<&mut ModelSession> {
    match sessions.len() {
        0 => None,
        len => sessions.get_mut(n % len),
    }
}

async fn refresh(app: &TestApp, model: &mut ModelSession, back: usize, now: u64) {
    let back = back.min(model.tokens.len() - 1);
    let token = model.tokens[model.tokens.len() - 1 - back].clone();
    let outcome = model.outcome(back, now);
    let response = app.anyone().refresh(&token).await;
    match outcome {
        Outcome::Successor => {
            let successor = refresh_token(response);
            assert!(!model.tokens.contains(&successor), "an old token came back");
            model.tokens.push(successor);
            model.rotated_at = now;
            model.last_used_at = now;
        }
        Outcome::SameSuccessor => {
            assert_eq!(Some(&refresh_token(response)), model.tokens.last());
        }
        Outcome::Refused | Outcome::TokenReuse => {
            response.problem(401, "invalid_token");
            model.is_ended |= outcome == Outcome::TokenReuse;
        }
    }
}

/// Signs out with a new access token, if the session is live.
async fn end(app: &TestApp, model: &mut ModelSession, now: u64) {
    if !model.is_live(now) {
        return;
    }
    let current = model.tokens.last().expect("a token").clone();
    let body = app.anyone().refresh(&current).await.expect(200).json();
    let access = body["access_token"].as_str().expect("a token");
    let logout = app
        .anyone()
        .request("POST", "/api/v1/auth/logout")
        .bearer_auth(access);
    TestResponse::to(logout).await.expect(204);
    model.is_ended = true;
}

fn refresh_token(response: TestResponse) -> String {
    let body = response.expect(200).json();
    body["refresh_token"].as_str().expect("a token").to_owned()
}

fn assert_same(app: &TestApp, sessions: &[ModelSession], now: u64) {
    let clock = app.clock.now().format("%Y-%m-%d %H:%M:%S%.6f").to_string();
    let zone = if app.database.postgres_name().is_some() {
        "+00"
    } else {
        ""
    };
    let live = format!("is_active AND expires_at > '{clock}{zone}'");
    let expected = sessions.iter().filter(|model| model.is_live(now)).count();
    assert_eq!(app.database.sessions_where(&live), expected as i64);
}
