//! Random lives of sessions, compared with a small model: two honest tabs, lost responses, a laptop
//! asleep, a thief with a copy, and a database restored from a backup. The model predicts each
//! response, and after each action the service and the model agree on the live sessions.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::api::claims;
use crate::support::app::behind_proxy;
use crate::support::prelude::*;
use crate::support::run_async;

const IDLE: u64 = 60 * 60;
const ABSOLUTE: u64 = 5 * 60 * 60;
const GRACE: u64 = 10;
const ACCESS: u64 = 5 * 60;
/// The rotations that are stored.
const STORED: usize = 8;
/// Two hosts of one network, another network, and one of the other family.
const ADDRESSES: [&str; 4] = [
    "203.0.113.7",
    "203.0.113.99",
    "198.51.100.7",
    "2001:db8:1::7",
];

#[derive(Debug, Clone)]
enum Action {
    Open,
    /// Refreshes with the token of a session that is `back` older than its newest, from an address.
    /// Whoever has it: a tab, a retry after a lost response, or a thief.
    Refresh {
        session: usize,
        back: usize,
        from: usize,
    },
    /// Uses the access token that came with that token.
    Use {
        session: usize,
        back: usize,
    },
    /// Gives the password with it.
    Confirm {
        session: usize,
        back: usize,
        from: usize,
    },
    End {
        session: usize,
    },
    Sweep,
    Wait {
        seconds: u64,
    },
    BackUp,
    Restore,
}

/// A refresh token that was issued, with its access token.
#[derive(Debug, Clone)]
struct ModelToken {
    refresh: String,
    access: String,
    counter: i64,
    issued_at: u64,
}

/// What the row of a session is expected to have. Tokens are numbers in [`ModelSession::tokens`].
#[derive(Debug, Clone)]
struct ModelRow {
    current: usize,
    predecessor: Option<usize>,
    counter: i64,
    is_used: bool,
    rotated_at: u64,
    /// Spent tokens with the time and the address, newest first.
    spent: Vec<(usize, u64, usize)>,
    last_used_at: u64,
    opened_at: u64,
    is_ended: bool,
}

struct ModelSession {
    /// Every token of the session, in the order in which they were issued.
    tokens: Vec<ModelToken>,
    /// `None` when the session is not in the restored database.
    row: Option<ModelRow>,
    backup: Option<ModelRow>,
}

/// The expected outcome of a refresh.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Successor,
    Existing,
    Replacement,
    Higher,
    Refused,
    TokenReuse,
}

impl ModelRow {
    fn is_live(&self, now: u64) -> bool {
        !self.is_ended && now < (self.last_used_at + IDLE).min(self.opened_at + ABSOLUTE)
    }

    /// Replaces the current token by the newest one.
    fn rotate(&mut self, spent: usize, newest: usize, counter: i64, from: usize, now: u64) {
        self.spent.retain(|(_, at, _)| now <= at + GRACE);
        self.spent.insert(0, (spent, now, from));
        self.spent.truncate(STORED);
        self.predecessor = Some(spent);
        self.current = newest;
        self.counter = counter;
        self.is_used = false;
        self.rotated_at = now;
        self.last_used_at = now;
    }
}

impl ModelSession {
    fn opened(token: ModelToken, now: u64) -> Self {
        Self {
            tokens: vec![token],
            row: Some(ModelRow {
                current: 0,
                predecessor: None,
                counter: 0,
                is_used: true,
                rotated_at: now,
                spent: Vec::new(),
                last_used_at: now,
                opened_at: now,
                is_ended: false,
            }),
            backup: None,
        }
    }

    fn is_live(&self, now: u64) -> bool {
        self.row.as_ref().is_some_and(|row| row.is_live(now))
    }

    fn outcome(&self, token: usize, from: usize, now: u64) -> Outcome {
        let Some(row) = self.row.as_ref().filter(|row| row.is_live(now)) else {
            return Outcome::Refused;
        };
        if token == row.current {
            return Outcome::Successor;
        }
        if self.tokens[token].counter > row.counter {
            return Outcome::Higher;
        }
        let is_recent = now <= row.rotated_at + GRACE;
        if row.predecessor == Some(token) && !row.is_used {
            return match is_recent {
                true => Outcome::Existing,
                false => Outcome::Replacement,
            };
        }
        let spent = row.spent.iter().find(|(spent, ..)| *spent == token);
        let is_excused = spent.is_some_and(|(_, at, address)| {
            is_recent && now <= at + GRACE && is_same_network(*address, from)
        });
        match is_excused {
            true => Outcome::Existing,
            false => Outcome::TokenReuse,
        }
    }

    /// Returns the number of the token that is `back` older than the newest.
    fn token(&self, back: usize) -> usize {
        self.tokens.len() - 1 - back.min(self.tokens.len() - 1)
    }

    fn has_good_access(&self, token: usize, now: u64) -> bool {
        self.is_live(now) && now < self.tokens[token].issued_at + ACCESS
    }

    /// Records that an access token was seen: it marks the current token if it came with that.
    fn record_use(&mut self, token: usize, now: u64) {
        if let Some(row) = &mut self.row {
            row.is_used |= token == row.current;
            row.last_used_at = now;
        }
    }
}

fn is_same_network(one: usize, other: usize) -> bool {
    let is_v6 = |address: usize| ADDRESSES[address].contains(':');
    let network = |address: usize| ADDRESSES[address].rsplit_once('.').map(|(net, _)| net);
    is_v6(one) != is_v6(other) || network(one) == network(other)
}

fn action() -> impl Strategy<Value = Action> {
    let seconds = prop_oneof![
        3 => Just(1),
        2 => Just(9),
        1 => Just(10),
        2 => Just(11),
        1 => Just(ACCESS),
        1 => Just(IDLE - 1),
        1 => Just(IDLE),
        1 => 1..IDLE
    ];
    let back = prop_oneof![4 => Just(0_usize), 4 => Just(1_usize), 3 => 2..10_usize];
    let from = prop_oneof![5 => Just(0_usize), 4 => 1..ADDRESSES.len()];
    let which = (0..3_usize, back, from);
    prop_oneof![
        2 => Just(Action::Open),
        12 => which.clone().prop_map(|(session, back, from)| Action::Refresh { session, back, from }),
        4 => which.clone().prop_map(|(session, back, _)| Action::Use { session, back }),
        2 => which.prop_map(|(session, back, from)| Action::Confirm { session, back, from }),
        1 => (0..3_usize).prop_map(|session| Action::End { session }),
        1 => Just(Action::Sweep),
        5 => seconds.prop_map(|seconds| Action::Wait { seconds }),
        1 => Just(Action::BackUp),
        1 => Just(Action::Restore),
    ]
}

#[test]
fn random_actions_agree_with_the_model_on_sqlite() {
    check(64, Database::sqlite);
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
        .run(&vec(action(), 1..60), |actions| {
            run_async(run(database(), actions));
            Ok(())
        })
        .unwrap_or_else(|found| panic!("{found}"));
}

/// The service under test beside its model.
struct Lives {
    app: TestApp,
    ada: Person,
    sessions: Vec<ModelSession>,
    has_backup: bool,
    now: u64,
}

async fn run(database: Database, actions: Vec<Action>) {
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.sessions.remembered_idle_limit = Duration::from_secs(IDLE);
        settings.sessions.remembered_absolute_limit = Duration::from_secs(ABSOLUTE);
    })
    .await;
    let mut lives = Lives {
        ada: app.register("ada@example.org").await,
        app,
        sessions: Vec::new(),
        has_backup: false,
        now: 0,
    };
    for action in actions {
        lives.perform(action).await;
        lives.assert_same();
    }
    lives.app.stop().await;
}

impl Lives {
    async fn perform(&mut self, action: Action) {
        match action {
            Action::Open => self.open().await,
            Action::Sweep => self.app.sweep().await,
            Action::Wait { seconds } => {
                self.app.advance(Duration::from_secs(seconds));
                self.now += seconds;
            }
            Action::BackUp => self.back_up(),
            Action::Restore if self.has_backup => self.restore(),
            _ if self.sessions.is_empty() => {}
            Action::Refresh {
                session,
                back,
                from,
            } => self.refresh(session, back, from).await,
            Action::Use { session, back } => self.use_access(session, back).await,
            Action::Confirm {
                session,
                back,
                from,
            } => self.confirm(session, back, from).await,
            Action::End { session } => self.end(session).await,
            Action::Restore => {}
        }
    }

    async fn open(&mut self) {
        let device = self.app.login_from(&self.ada, FIREFOX, ADDRESSES[0], None);
        let device = device.await;
        let token = self.issued(&device.refresh_token, &device.access_token);
        self.sessions.push(ModelSession::opened(token, self.now));
    }

    fn issued(&self, refresh: &str, access: &str) -> ModelToken {
        ModelToken {
            refresh: refresh.to_owned(),
            access: access.to_owned(),
            counter: claims(refresh)["rot"].as_i64().expect("a counter"),
            issued_at: self.now,
        }
    }

    fn issued_in(&self, response: &TestResponse) -> ModelToken {
        let body = response.json();
        let text = |name: &str| body[name].as_str().expect("a token").to_owned();
        self.issued(&text("refresh_token"), &text("access_token"))
    }

    async fn refresh(&mut self, session: usize, back: usize, from: usize) {
        let index = session % self.sessions.len();
        let (now, model) = (self.now, &self.sessions[index]);
        let presented = model.token(back);
        let old = model.tokens[presented].clone();
        let outcome = model.outcome(presented, from, now);
        let response = self.app.anyone();
        let response = response.refresh_from(&old.refresh, ADDRESSES[from]).await;
        if let Outcome::Refused | Outcome::TokenReuse = outcome {
            response.problem(401, "invalid_token");
            if let Some(row) = &mut self.sessions[index].row {
                row.is_ended |= outcome == Outcome::TokenReuse;
            }
            return;
        }
        let token = self.issued_in(&response.expect(200));
        for name in ["auth_time", "acr"] {
            let expected = &claims(&old.refresh)[name];
            assert_eq!(&claims(&token.refresh)[name], expected, "{outcome:?}");
            assert_eq!(&claims(&token.access)[name], expected, "{outcome:?}");
        }
        let jti = |token: &str| claims(token)["jti"].clone();
        let model = &mut self.sessions[index];
        let row = model.row.as_mut().expect("a live session");
        if outcome == Outcome::Existing {
            let current = &model.tokens[row.current];
            assert_eq!(jti(&token.refresh), jti(&current.refresh));
            assert_eq!(token.counter, row.counter);
            return;
        }
        let is_old = |old: &ModelToken| jti(&old.refresh) == jti(&token.refresh);
        assert!(
            !model.tokens.iter().any(is_old),
            "{outcome:?}: an old token"
        );
        let counter = match outcome {
            Outcome::Replacement => row.counter,
            Outcome::Higher => old.counter + 1,
            _ => row.counter + 1,
        };
        assert_eq!(token.counter, counter, "{outcome:?}");
        if outcome != Outcome::Successor {
            row.spent.clear();
        }
        row.rotate(presented, model.tokens.len(), counter, from, now);
        model.tokens.push(token);
    }

    async fn use_access(&mut self, session: usize, back: usize) {
        let index = session % self.sessions.len();
        let model = &mut self.sessions[index];
        let token = model.token(back);
        let anyone = self.app.anyone();
        let response = anyone.current(&model.tokens[token].access).await;
        match model.has_good_access(token, self.now) {
            true => {
                response.expect(200);
                model.record_use(token, self.now);
                self.app.flush().await;
            }
            false => assert_eq!(response.status, 401),
        }
    }

    async fn confirm(&mut self, session: usize, back: usize, from: usize) {
        let index = session % self.sessions.len();
        let model = &self.sessions[index];
        let token = model.token(back);
        let request = self
            .app
            .anyone()
            .request("POST", "/api/v1/auth/confirm")
            .bearer_auth(&model.tokens[token].access)
            .header("x-forwarded-for", ADDRESSES[from])
            .json(&json!({"password": PASSWORD}));
        let response = TestResponse::to(request).await;
        if !model.has_good_access(token, self.now) {
            assert_eq!(response.status, 401);
            return;
        }
        let new = self.issued_in(&response.expect(200));
        let given_at = self.app.clock.now().timestamp();
        assert_eq!(claims(&new.refresh)["auth_time"], given_at);
        self.app.flush().await;
        let model = &mut self.sessions[index];
        let row = model.row.as_mut().expect("a live session");
        let is_older = token != row.current && model.tokens[token].counter <= row.counter;
        let predecessor = row.predecessor.filter(|_| is_older && !row.is_used);
        let counter = row.counter + i64::from(predecessor.is_none());
        row.rotate(row.current, model.tokens.len(), counter, from, self.now);
        if let Some(predecessor) = predecessor {
            row.spent.insert(0, (predecessor, self.now, from));
            row.spent.truncate(STORED);
            row.predecessor = Some(predecessor);
        }
        assert_eq!(new.counter, row.counter);
        model.tokens.push(new);
    }

    /// Signs out with the newest access token, if it is still good.
    async fn end(&mut self, session: usize) {
        let index = session % self.sessions.len();
        let model = &mut self.sessions[index];
        let token = model.token(0);
        let logout = self
            .app
            .anyone()
            .request("POST", "/api/v1/auth/logout")
            .bearer_auth(&model.tokens[token].access);
        let response = TestResponse::to(logout).await;
        match model.has_good_access(token, self.now) {
            true => {
                response.expect(204);
                if let Some(row) = &mut model.row {
                    row.is_ended = true;
                }
            }
            false => assert_eq!(response.status, 401),
        }
    }

    fn back_up(&mut self) {
        self.app.database.execute(
            "DROP TABLE IF EXISTS backup; CREATE TABLE backup AS SELECT * FROM user_sessions",
        );
        self.has_backup = true;
        for model in &mut self.sessions {
            model.backup.clone_from(&model.row);
        }
    }

    fn restore(&mut self) {
        self.app
            .database
            .execute("DELETE FROM user_sessions; INSERT INTO user_sessions SELECT * FROM backup");
        for model in &mut self.sessions {
            model.row.clone_from(&model.backup);
        }
    }

    fn assert_same(&self) {
        let clock = self.app.clock.now();
        let clock = clock.format("%Y-%m-%d %H:%M:%S%.6f").to_string();
        let zone = match self.app.database.postgres_name() {
            Some(_) => "+00",
            None => "",
        };
        let live = format!("is_active AND expires_at > '{clock}{zone}'");
        let is_live = |model: &&ModelSession| model.is_live(self.now);
        let expected = self.sessions.iter().filter(is_live).count();
        assert_eq!(self.app.database.sessions_where(&live), expected as i64);
    }
}
