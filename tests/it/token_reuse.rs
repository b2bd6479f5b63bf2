//! What a genuine refresh token gets that is not the current one: every row of the table, from the
//! same network and from another.

use std::collections::BTreeSet;

use actix_web::rt::spawn;
use rollcall::settings::Settings;
use serde_json::Value;

use crate::support::api::{Anyone, claims};
use crate::support::app::behind_proxy;
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    database: every_cell_of_the_table,
    an_access_token_seen_on_another_node_counts_as_used,
    an_introspected_access_token_counts_as_used,
    a_use_that_can_t_be_written_is_not_served,
    an_access_token_shows_no_part_of_the_refresh_token_s_id,
    nodes_fifteen_seconds_apart_end_no_session_over_a_lost_response,
    a_replaced_token_is_inactive_and_can_be_revoked,
    a_token_newer_than_a_restored_database_is_accepted,
    a_restored_database_does_not_revive_what_it_knows_as_over,
    twenty_refreshes_on_two_nodes_rotate_once,
    twenty_late_refreshes_on_two_nodes_replace_once,
);

const HOME: &str = "203.0.113.7";
/// Another host of the same `/24`.
const NEXT_DOOR: &str = "203.0.113.99";
const ELSEWHERE: &str = "198.51.100.7";
const HOME_6: &str = "2001:db8:1::7";

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Refreshes with the nth token, which adds one.
    Refresh(usize, &'static str),
    /// Uses the access token that came with the nth refresh token.
    Use(usize),
    /// Gives the password with the access token of the nth, which adds a token.
    Confirm(usize, &'static str),
    Wait(u64),
}

#[derive(Debug, Clone, Copy)]
enum Expected {
    /// A token that did not exist before, with this counter.
    New(i64),
    /// The nth token, to the letter.
    Same(usize),
    /// The nth token, based on the password of the presented one.
    Current(usize),
    Reuse,
}

use Expected::{Current, New, Reuse, Same};
use Step::{Confirm, Refresh, Use, Wait};

/// One life of a session: what happened, which token comes from where, and what it gets.
type Case = (&'static str, Vec<Step>, usize, &'static str, Expected);

fn cases() -> Vec<Case> {
    let lost = || vec![Wait(3), Refresh(0, HOME)];
    let used = || vec![Refresh(0, HOME), Use(1)];
    let asleep = || vec![Refresh(0, HOME), Wait(11)];
    let replaced = || vec![Refresh(0, HOME), Wait(11), Refresh(0, ELSEWHERE)];
    let with = |steps: Vec<Step>, more: &[Step]| [steps, more.to_vec()].concat();
    vec![
        ("the current one", vec![], 0, HOME, New(1)),
        ("the current one", vec![], 0, ELSEWHERE, New(1)),
        // Spent within the grace period, and its successor is not used.
        ("lost", lost(), 0, HOME, Same(1)),
        ("lost", lost(), 0, ELSEWHERE, Same(1)),
        ("lost", lost(), 0, HOME_6, Same(1)),
        (
            "lost, last second",
            with(lost(), &[Wait(10)]),
            0,
            ELSEWHERE,
            Same(1),
        ),
        (
            "lost, an old access token is used",
            with(lost(), &[Use(0)]),
            0,
            ELSEWHERE,
            Same(1),
        ),
        // Spent within the grace period, and its successor is used.
        ("used", used(), 0, HOME, Same(1)),
        ("used", used(), 0, NEXT_DOOR, Same(1)),
        ("used", used(), 0, ELSEWHERE, Reuse),
        ("used, the other family", used(), 0, HOME_6, Same(1)),
        (
            "used, last second",
            with(used(), &[Wait(10)]),
            0,
            HOME,
            Same(1),
        ),
        ("used, later", with(used(), &[Wait(11)]), 0, HOME, Reuse),
        (
            "used, later",
            with(used(), &[Wait(11)]),
            0,
            ELSEWHERE,
            Reuse,
        ),
        // Ancestors.
        (
            "two back",
            vec![Refresh(0, HOME), Refresh(1, HOME)],
            0,
            HOME,
            Same(2),
        ),
        (
            "two back",
            vec![Refresh(0, HOME), Refresh(1, HOME)],
            0,
            ELSEWHERE,
            Reuse,
        ),
        (
            "two back, unused successor",
            vec![Refresh(0, HOME), Refresh(1, ELSEWHERE)],
            0,
            ELSEWHERE,
            Reuse,
        ),
        (
            "two back, spent at another place",
            vec![Refresh(0, ELSEWHERE), Refresh(1, HOME)],
            0,
            ELSEWHERE,
            Same(2),
        ),
        (
            "two back, later",
            vec![Refresh(0, HOME), Wait(6), Refresh(1, HOME), Wait(5)],
            0,
            HOME,
            Reuse,
        ),
        (
            "two back, in time",
            vec![Refresh(0, HOME), Wait(6), Refresh(1, HOME), Wait(4)],
            0,
            HOME,
            Same(2),
        ),
        (
            "eight back",
            (0..8).map(|n| Refresh(n, HOME)).collect(),
            0,
            HOME,
            Same(8),
        ),
        (
            "nine back",
            (0..9).map(|n| Refresh(n, HOME)).collect(),
            0,
            HOME,
            Reuse,
        ),
        // Two tabs, of which one gave the password.
        (
            "step-up, lost",
            vec![Wait(60), Confirm(0, HOME)],
            0,
            HOME,
            Current(1),
        ),
        (
            "step-up, lost",
            vec![Wait(60), Confirm(0, HOME)],
            0,
            ELSEWHERE,
            Current(1),
        ),
        (
            "step-up",
            vec![Wait(60), Confirm(0, HOME), Use(1)],
            0,
            HOME,
            Current(1),
        ),
        (
            "step-up",
            vec![Wait(60), Confirm(0, HOME), Use(1)],
            0,
            ELSEWHERE,
            Reuse,
        ),
        (
            "step-up, two back",
            vec![Wait(60), Refresh(0, HOME), Confirm(1, HOME)],
            0,
            HOME,
            Current(2),
        ),
        (
            "step-up, later",
            vec![Confirm(0, HOME), Use(1), Wait(11)],
            0,
            HOME,
            Reuse,
        ),
        // A laptop asleep.
        ("asleep", asleep(), 0, HOME, New(1)),
        ("asleep", asleep(), 0, ELSEWHERE, New(1)),
        (
            "asleep for an hour",
            with(asleep(), &[Wait(3600)]),
            0,
            HOME_6,
            New(1),
        ),
        (
            "asleep, an old access token is used",
            with(lost(), &[Use(0), Wait(11)]),
            0,
            HOME,
            New(1),
        ),
        ("replaced", replaced(), 2, HOME, New(2)),
        (
            "replaced, and lost",
            with(replaced(), &[Wait(9)]),
            0,
            HOME,
            Same(2),
        ),
        (
            "replaced, and asleep",
            with(replaced(), &[Wait(11)]),
            0,
            HOME,
            New(1),
        ),
        (
            "replaced, and used",
            with(replaced(), &[Use(2)]),
            0,
            ELSEWHERE,
            Same(2),
        ),
        (
            "replaced, and used",
            with(replaced(), &[Use(2)]),
            0,
            HOME,
            Reuse,
        ),
        (
            "replaced, used, later",
            with(replaced(), &[Use(2), Wait(11)]),
            0,
            HOME,
            Reuse,
        ),
        (
            "replaced, and the replaced one's access token is used",
            with(replaced(), &[Use(1), Wait(11)]),
            0,
            HOME,
            New(1),
        ),
        // A step-up by a client that has not got the current token.
        (
            "lost, then a step-up",
            vec![Refresh(0, HOME), Confirm(0, HOME), Wait(11)],
            0,
            HOME,
            New(1),
        ),
        (
            "lost, asleep, then a step-up",
            with(asleep(), &[Confirm(0, HOME), Wait(11)]),
            0,
            ELSEWHERE,
            New(1),
        ),
        (
            "a step-up twice",
            vec![Confirm(0, HOME), Confirm(0, HOME), Wait(11)],
            0,
            HOME,
            New(1),
        ),
        (
            "lost, then a step-up that is used",
            with(asleep(), &[Confirm(0, HOME), Use(2)]),
            0,
            HOME,
            Current(2),
        ),
        (
            "lost, then a step-up that is used",
            with(asleep(), &[Confirm(0, HOME), Use(2)]),
            0,
            ELSEWHERE,
            Reuse,
        ),
        (
            "lost, then a step-up that is used, later",
            with(asleep(), &[Confirm(0, HOME), Use(2), Wait(11)]),
            0,
            HOME,
            Reuse,
        ),
        (
            "lost, then a step-up, the one before it",
            with(asleep(), &[Confirm(0, HOME), Wait(11)]),
            1,
            HOME,
            Reuse,
        ),
        (
            "used, then a step-up with an old access token",
            with(used(), &[Confirm(0, HOME), Wait(11)]),
            0,
            HOME,
            Reuse,
        ),
        ("the replaced one", replaced(), 1, HOME, Reuse),
        ("the replaced one", replaced(), 1, ELSEWHERE, Reuse),
        (
            "the replaced one, later",
            with(replaced(), &[Wait(60)]),
            1,
            HOME,
            Reuse,
        ),
        (
            "the replaced one, after a rotation",
            with(replaced(), &[Refresh(2, HOME)]),
            1,
            HOME,
            Reuse,
        ),
        (
            "the replaced one, after a rotation, asleep",
            with(replaced(), &[Refresh(2, HOME), Wait(60)]),
            1,
            HOME,
            Reuse,
        ),
        (
            "the replaced one, after two rotations",
            with(replaced(), &[Refresh(2, HOME), Refresh(3, HOME)]),
            1,
            HOME,
            Reuse,
        ),
        (
            "replaced twice, the first",
            with(replaced(), &[Wait(11), Refresh(0, HOME)]),
            1,
            HOME,
            Reuse,
        ),
        (
            "replaced twice, the second",
            with(replaced(), &[Wait(11), Refresh(0, HOME)]),
            2,
            HOME,
            Reuse,
        ),
        (
            "replaced twice",
            with(replaced(), &[Wait(11), Refresh(0, HOME)]),
            3,
            HOME,
            New(2),
        ),
        // The digests are forgotten with the grace period.
        (
            "two back, much later",
            vec![Refresh(0, HOME), Refresh(1, HOME), Wait(60)],
            0,
            HOME,
            Reuse,
        ),
        (
            "two back, after a pause",
            vec![Refresh(0, HOME), Wait(60), Refresh(1, HOME)],
            0,
            HOME,
            Reuse,
        ),
    ]
}

async fn every_cell_of_the_table(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.sessions.most_per_person = 0;
    })
    .await;
    let ada = app.register("ada@example.org").await;
    for (name, steps, presented, from, expected) in cases() {
        let shown = format!("{name}: {steps:?}, then {presented} from {from}");
        let mut life = Life::start(&app, &ada).await;
        for step in steps {
            life.take(step).await;
        }
        life.check(presented, from, expected, &shown).await;
    }
    app.stop().await;
}

/// A session with every token that it ever had, in their order.
struct Life<'a> {
    app: &'a TestApp,
    id: String,
    /// Refresh tokens, each with the access token that came with it.
    tokens: Vec<(String, String)>,
}

impl<'a> Life<'a> {
    async fn start(app: &'a TestApp, person: &Person) -> Self {
        let device = app.login_from(person, FIREFOX, HOME, None).await;
        Self {
            app,
            id: device.id(),
            tokens: vec![(device.refresh_token, device.access_token)],
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Refresh(n, from) => {
                let anyone = self.app.anyone();
                let response = anyone.refresh_from(&self.tokens[n].0, from).await;
                self.add(&response.expect(200).json());
            }
            Use(n) => {
                let access = &self.tokens[n].1;
                self.app.anyone().current(access).await.expect(200);
            }
            Confirm(n, from) => {
                let request = self
                    .app
                    .anyone()
                    .request("POST", "/api/v1/auth/confirm")
                    .bearer_auth(&self.tokens[n].1)
                    .header("x-forwarded-for", from)
                    .json(&json!({"password": PASSWORD}));
                self.add(&TestResponse::to(request).await.expect(200).json());
            }
            Wait(seconds) => self.app.advance(Duration::from_secs(seconds)),
        }
    }

    fn add(&mut self, body: &Value) {
        self.tokens
            .push((text(body, "refresh_token"), text(body, "access_token")));
    }

    async fn check(&mut self, presented: usize, from: &str, expected: Expected, shown: &str) {
        let token = self.tokens[presented].0.clone();
        let response = self.app.anyone().refresh_from(&token, from).await;
        if let Reuse = expected {
            assert_eq!(response.status, 401, "{shown}: {}", response.text);
            response.problem(401, "invalid_token");
            assert_eq!(
                self.ended_reason().as_deref(),
                Some("reuse_detected"),
                "{shown}"
            );
            return;
        }
        assert_eq!(response.status, 200, "{shown}: {}", response.text);
        assert_eq!(self.ended_reason(), None, "{shown}");
        let body = response.json();
        let (refresh, access) = (text(&body, "refresh_token"), text(&body, "access_token"));
        for name in ["auth_time", "acr"] {
            let expected = &claims(&token)[name];
            assert!(!expected.is_null(), "{shown}");
            assert_eq!(&claims(&refresh)[name], expected, "{shown}");
            assert_eq!(&claims(&access)[name], expected, "{shown}");
        }
        assert_eq!(claims(&refresh)["rot"], claims(&access)["rot"], "{shown}");
        match expected {
            New(counter) => {
                let jti = claims(&refresh)["jti"].clone();
                let old = |(token, _): &(String, String)| claims(token)["jti"] == jti;
                assert!(!self.tokens.iter().any(old), "{shown}: an old token");
                assert_eq!(claims(&refresh)["rot"], counter, "{shown}");
            }
            Same(n) => assert_eq!(refresh, self.tokens[n].0, "{shown}"),
            Current(n) => {
                let current = claims(&self.tokens[n].0);
                assert_eq!(claims(&refresh)["jti"], current["jti"], "{shown}");
                assert_ne!(
                    claims(&refresh)["auth_time"],
                    current["auth_time"],
                    "{shown}"
                );
            }
            Reuse => unreachable!(),
        }
        // What it got is good.
        self.app.anyone().current(&access).await.expect(200);
        self.app
            .anyone()
            .refresh_from(&refresh, from)
            .await
            .expect(200);
    }

    fn ended_reason(&self) -> Option<String> {
        let id = self.app.database.id(&self.id);
        let query = format!("SELECT ended_reason AS value FROM user_sessions WHERE id = {id}");
        self.app.database.texts(&query).remove(0)
    }
}

async fn an_access_token_seen_on_another_node_counts_as_used(database: Database) {
    let app = TestApp::start_with(database, one_of_two).await;
    let other = app.another_node(one_of_two).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login_from(&ada, FIREFOX, HOME, None).await;
    let body = app.anyone().refresh_from(&laptop.refresh_token, HOME).await;
    let access = text(&body.expect(200).json(), "access_token");
    let elsewhere = Anyone::new(other.base());
    elsewhere.current(&access).await.expect(200);
    // At once: nothing was flushed.
    app.anyone()
        .refresh_from(&laptop.refresh_token, ELSEWHERE)
        .await
        .problem(401, "invalid_token");
    assert_eq!(
        app.database.of_the_session("ended_reason").as_deref(),
        Some("reuse_detected")
    );
    other.stop().await;
    app.stop().await;
}

/// Changes settings to those of a node beside another one.
fn one_of_two(settings: &mut Settings) {
    behind_proxy(settings);
    settings.public_url = Some("http://rollcall.example.org".parse().expect("a URL"));
}

async fn an_introspected_access_token_counts_as_used(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    let spent = laptop.refresh_token.clone();
    laptop.refresh().await;
    let secret = api_key(&app, "tokens:any");
    let request = app
        .anyone()
        .request("POST", "/oauth/introspect")
        .bearer_auth(secret)
        .form(&[("token", &laptop.access_token)]);
    let response = TestResponse::to(request).await.expect(200).json();
    assert_eq!(response["active"], true);
    app.advance(Duration::from_secs(11));
    app.anyone()
        .refresh(&spent)
        .await
        .problem(401, "invalid_token");
    assert_eq!(app.database.sessions_where("is_active"), 0);
    app.stop().await;
}

async fn a_use_that_can_t_be_written_is_not_served(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    let spent = laptop.refresh_token.clone();
    laptop.refresh().await;
    let secret = api_key(&app, "tokens:any");
    let introspect = || {
        let request = app.anyone().request("POST", "/oauth/introspect");
        let request = request.bearer_auth(&secret);
        TestResponse::to(request.form(&[("token", &laptop.access_token)]))
    };
    refuse_marks(&app.database);
    assert!(laptop.current().await.status >= 500);
    assert!(introspect().await.status >= 500);
    allow_marks(&app.database);
    laptop.current().await.expect(200);
    refuse_marks(&app.database);
    // It is written, and costs nothing more.
    laptop.current().await.expect(200);
    introspect().await.expect(200);
    app.advance(Duration::from_secs(11));
    allow_marks(&app.database);
    let refused = app.anyone().refresh(&spent).await;
    refused.problem(401, "invalid_token");
    assert_eq!(app.database.sessions_where("is_active"), 0);
    app.stop().await;
}

/// Makes the database refuse to mark a token as used.
fn refuse_marks(database: &Database) {
    database.execute(match database.postgres_name() {
        None => {
            "CREATE TRIGGER refused BEFORE UPDATE ON user_sessions
             WHEN new.is_token_used AND NOT old.is_token_used
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        }
        Some(_) => {
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
             CREATE TRIGGER refused BEFORE UPDATE ON user_sessions FOR EACH ROW
             WHEN (new.is_token_used AND NOT old.is_token_used) EXECUTE FUNCTION refuse()"
        }
    });
}

fn allow_marks(database: &Database) {
    database.execute(match database.postgres_name() {
        None => "DROP TRIGGER refused",
        Some(_) => "DROP TRIGGER refused ON user_sessions",
    });
}

async fn an_access_token_shows_no_part_of_the_refresh_token_s_id(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let jti = text(&claims(&laptop.refresh_token), "jti");
    let digest = text(&claims(&laptop.access_token), "rtd");
    assert_eq!(digest.len(), 11);
    let claimed = claims(&laptop.access_token).to_string();
    for start in 0..=jti.len() - 6 {
        assert!(!claimed.contains(&jti[start..start + 6]), "{claimed}");
    }
    app.stop().await;
}

async fn nodes_fifteen_seconds_apart_end_no_session_over_a_lost_response(database: Database) {
    let app = TestApp::start_with(database, one_of_two).await;
    let ahead = app
        .another_node_ahead(Duration::from_secs(15), one_of_two)
        .await;
    let (here, there) = (app.anyone(), Anyone::new(ahead.base()));
    let ada = app.register("ada@example.org").await;

    // Spent on the node that is ahead, and sent again to the other: in its future.
    let laptop = app.login_from(&ada, FIREFOX, HOME, None).await;
    let got = there.refresh_from(&laptop.refresh_token, HOME).await;
    let got = got.expect(200).json();
    here.current(&text(&got, "access_token")).await.expect(200);
    let again = here.refresh_from(&laptop.refresh_token, HOME).await;
    assert_eq!(
        again.expect(200).json()["refresh_token"],
        got["refresh_token"]
    );

    // Spent on the node that is behind, and sent again to the other: as if it had been asleep.
    let phone = app.login_from(&ada, IPHONE, HOME, None).await;
    here.refresh_from(&phone.refresh_token, HOME)
        .await
        .expect(200);
    let again = there.refresh_from(&phone.refresh_token, HOME).await;
    let again = again.expect(200).json();
    here.current(&text(&again, "access_token"))
        .await
        .expect(200);
    assert_eq!(app.database.sessions_where("is_active"), 2);

    // A password given in the future of this node was given just now.
    let body = json!({"email": ada.email, "password": ada.password});
    let tablet = there
        .post("/api/v1/auth/login", &body)
        .await
        .expect(200)
        .json();
    let others = here.request("DELETE", "/api/v1/sessions/others");
    let others = others.bearer_auth(text(&tablet, "access_token"));
    TestResponse::to(others).await.expect(200);
    ahead.stop().await;
    app.stop().await;
}

async fn a_replaced_token_is_inactive_and_can_be_revoked(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let mut life = Life::start(&app, &ada).await;
    for step in [Refresh(0, HOME), Wait(11), Refresh(0, HOME)] {
        life.take(step).await;
    }
    let secret = api_key(&app, "tokens:any");
    let send = async |path: &str, token: &str| {
        let request = app.anyone().request("POST", path).bearer_auth(&secret);
        TestResponse::to(request.form(&[("token", token)])).await
    };
    for (n, is_active) in [(0, false), (1, false), (2, true)] {
        let response = send("/oauth/introspect", &life.tokens[n].0).await;
        assert_eq!(response.expect(200).json()["active"], is_active, "{n}");
    }
    assert_eq!(life.ended_reason(), None, "introspection ends nothing");
    send("/oauth/revoke", &life.tokens[1].0).await.expect(200);
    assert_eq!(life.ended_reason().as_deref(), Some("signed_out"));
    app.stop().await;
}

fn api_key(app: &TestApp, scope: &str) -> String {
    let add = ["api-key", "add", "--name", "shop", "--scope", scope];
    let output = Program::with(&app.database).run(&add).expect_done();
    let secret = output.lines().find_map(|line| line.strip_prefix("secret"));
    secret.expect("a secret").trim().to_owned()
}

const BACK_UP: &str = "CREATE TABLE backup AS SELECT * FROM user_sessions";
const RESTORE: &str = "DELETE FROM user_sessions; INSERT INTO user_sessions SELECT * FROM backup";

async fn a_token_newer_than_a_restored_database_is_accepted(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let mut life = Life::start(&app, &ada).await;
    life.take(Refresh(0, HOME)).await;
    app.database.execute(BACK_UP);
    app.advance(Duration::from_secs(60));
    for n in 1..4 {
        life.take(Refresh(n, HOME)).await;
    }
    app.database.execute(RESTORE);
    app.advance(Duration::from_secs(3600));

    // From anywhere; the row continues above the token.
    life.check(4, ELSEWHERE, New(5), "the newest").await;
    assert_eq!(
        app.database.of_the_session("rotation_count").as_deref(),
        Some("6"),
        "accepted, and refreshed once more by the check"
    );

    // The token that the backup has as current is a copy by now.
    app.database.execute(RESTORE);
    let accepted = app.anyone().refresh_from(&life.tokens[4].0, HOME).await;
    let accepted = text(&accepted.expect(200).json(), "refresh_token");
    let again = app
        .anyone()
        .refresh_from(&life.tokens[4].0, ELSEWHERE)
        .await;
    assert_eq!(text(&again.expect(200).json(), "refresh_token"), accepted);
    life.check(1, HOME, Reuse, "what the backup had").await;
    app.stop().await;
}

async fn a_restored_database_does_not_revive_what_it_knows_as_over(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let mut life = Life::start(&app, &ada).await;
    for state in [
        "is_active = false, ended_reason = 'signed_out', ended_at = created_at",
        "expires_at = created_at",
    ] {
        let mut over = Life::start(&app, &ada).await;
        let id = app.database.id(&over.id);
        over.take(Refresh(0, HOME)).await;
        over.take(Refresh(1, HOME)).await;
        app.database.execute(&format!(
            "UPDATE user_sessions SET rotation_count = 0, {state} WHERE id = {id}"
        ));
        app.anyone()
            .refresh_from(&over.tokens[2].0, HOME)
            .await
            .problem(401, "invalid_token");
        assert_ne!(over.ended_reason().as_deref(), Some("reuse_detected"));
    }
    life.take(Refresh(0, HOME)).await;
    app.database
        .execute("UPDATE user_sessions SET rotation_count = 0");
    app.database.execute("UPDATE users SET is_active = false");
    app.anyone()
        .refresh_from(&life.tokens[1].0, HOME)
        .await
        .problem(401, "invalid_token");
    app.stop().await;
}

async fn twenty_refreshes_on_two_nodes_rotate_once(database: Database) {
    at_once_on_two_nodes(database, &[]).await;
}

async fn twenty_late_refreshes_on_two_nodes_replace_once(database: Database) {
    at_once_on_two_nodes(database, &[Refresh(0, HOME), Wait(11)]).await;
}

/// Sends one token twenty times at once, after these steps, from several networks.
async fn at_once_on_two_nodes(database: Database, steps: &[Step]) {
    let app = TestApp::start_with(database, one_of_two).await;
    let other = app.another_node(one_of_two).await;
    let ada = app.register("ada@example.org").await;
    let mut life = Life::start(&app, &ada).await;
    for step in steps {
        life.take(*step).await;
    }
    let token = life.tokens[0].0.clone();
    let refreshes: Vec<_> = (0..20)
        .map(|n| {
            let base = if n % 2 == 0 { app.base() } else { other.base() };
            let from = [HOME, ELSEWHERE, HOME_6][n % 3];
            let token = token.clone();
            spawn(async move {
                let anyone = Anyone::new(base);
                anyone.refresh_from(&token, from).await
            })
        })
        .collect();
    let mut successors = BTreeSet::new();
    for refresh in refreshes {
        let body = refresh.await.expect("a response").expect(200).json();
        successors.insert(text(&body, "refresh_token"));
    }
    assert_eq!(successors.len(), 1, "one successor");
    assert!(!successors.contains(&token));
    assert_eq!(
        app.database.of_the_session("rotation_count").as_deref(),
        Some("1")
    );
    let successor = successors.pop_first().expect("a token");
    app.anyone()
        .refresh_from(&successor, HOME)
        .await
        .expect(200);
    other.stop().await;
    app.stop().await;
}

#[track_caller]
fn text(body: &Value, name: &str) -> String {
    body[name].as_str().expect("a text").to_owned()
}
