//! The counters: after anything that begins, moves or ends sessions, on any node, they are what a count
//! of the rows is, whether it is added to the totals or not.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::app::{Node, behind_proxy};
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::run_async;

on_both!(
    database: a_failure_leaves_neither_a_change_nor_its_count,
    counting_anew_mends_what_was_loaded_without_the_triggers,
    sessions_from_before_the_counters_are_counted,
    figures_are_purged_after_400_days,
);
on_both!(
    app: many_sign_ins_and_sums_at_once_lose_none,
    a_country_that_changes_moves_the_session,
);

/// What live sessions are counted by: the dimension, the column of the deltas, that of the sessions.
const DIMENSIONS: [(&str, &str, &str); 5] = [
    ("all", "''", "''"),
    ("kind", "device_kind", "device_kind"),
    ("browser", "browser", "coalesce(browser, '')"),
    ("os", "os", "coalesce(os, '')"),
    ("country", "country", "coalesce(location_country, '')"),
];
const AGENTS: [&str; 4] = [
    FIREFOX,
    IPHONE,
    "curl/8.5.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36",
];
const COUNTRIES: [&str; 3] = ["FR", "NO", ""];

/// Returns the figures of live sessions, as the counters have them.
fn counted(database: &Database) -> Vec<String> {
    let figures = DIMENSIONS.map(|(dimension, delta, _)| {
        format!(
            "SELECT '{dimension}' AS dimension, label, sum(total) AS total FROM (\
             SELECT label, total FROM live_counts WHERE dimension = '{dimension}' \
             UNION ALL SELECT {delta}, change FROM count_deltas) AS d{dimension} \
             GROUP BY label HAVING sum(total) <> 0"
        )
    });
    list(database, &figures.join(" UNION ALL "))
}

/// Returns the figures of live sessions, counted from the rows.
fn true_figures(database: &Database) -> Vec<String> {
    let figures = DIMENSIONS.map(|(dimension, _, column)| {
        format!(
            "SELECT '{dimension}' AS dimension, {column} AS label, count(*) AS total \
             FROM user_sessions WHERE is_active GROUP BY 1, 2"
        )
    });
    list(database, &figures.join(" UNION ALL "))
}

fn list(database: &Database, figures: &str) -> Vec<String> {
    let sql = format!(
        "SELECT dimension || ' ' || label || ' ' || CAST(total AS TEXT) AS value FROM ({figures}) AS f"
    );
    let mut rows: Vec<String> = database.texts(&sql).into_iter().flatten().collect();
    rows.sort();
    rows
}

/// Returns the figure of a metric over all hours, of all labels or of one.
fn hourly(database: &Database, metric: &str, label: &str) -> i64 {
    database.number(&format!(
        "SELECT CAST(coalesce(sum(total), 0) AS BIGINT) AS value FROM (\
         SELECT total FROM hourly_counts WHERE metric = '{metric}' AND label LIKE '{label}' \
         UNION ALL SELECT 1 FROM count_deltas WHERE event = '{metric}' AND label LIKE '{label}') AS h"
    ))
}

#[track_caller]
fn assert_exact(database: &Database) {
    assert_eq!(counted(database), true_figures(database));
}

#[derive(Debug, Clone)]
enum Action {
    SignIn {
        person: usize,
        agent: usize,
        country: usize,
    },
    Use {
        device: usize,
        country: usize,
    },
    SignOut {
        device: usize,
    },
    SignOutEverywhere {
        person: usize,
    },
    ReuseToken {
        device: usize,
    },
    SignInToBrowserTwice {
        person: usize,
    },
    DeletePerson {
        person: usize,
    },
    Wait {
        hours: u64,
    },
    Sweep,
    AddUp,
    AddUpOnTheOther,
}

fn action() -> impl Strategy<Value = Action> {
    let (person, device) = (0..3_usize, 0..12_usize);
    let (agent, country) = (0..AGENTS.len(), 0..COUNTRIES.len());
    prop_oneof![
        8 => (person.clone(), agent, country.clone())
            .prop_map(|(person, agent, country)| Action::SignIn { person, agent, country }),
        5 => (device.clone(), country).prop_map(|(device, country)| Action::Use { device, country }),
        3 => device.clone().prop_map(|device| Action::SignOut { device }),
        1 => person.clone().prop_map(|person| Action::SignOutEverywhere { person }),
        2 => device.prop_map(|device| Action::ReuseToken { device }),
        1 => person.clone().prop_map(|person| Action::SignInToBrowserTwice { person }),
        1 => person.prop_map(|person| Action::DeletePerson { person }),
        2 => (1..40_u64).prop_map(|hours| Action::Wait { hours }),
        2 => Just(Action::Sweep),
        3 => Just(Action::AddUp),
        2 => Just(Action::AddUpOnTheOther),
    ]
}

#[test]
fn random_operations_on_two_nodes_are_counted_on_sqlite() {
    check(12, Database::sqlite);
}

#[test]
fn random_operations_on_two_nodes_are_counted_on_postgres() {
    check(8, Database::postgres);
}

fn check(cases: u32, database: fn() -> Database) {
    let config = Config {
        cases,
        max_shrink_iters: 30,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&vec(action(), 10..40), |actions| {
            run_async(run(database(), actions));
            Ok(())
        })
        .unwrap_or_else(|found| panic!("{found}"));
}

/// The service on two nodes, and what it did.
struct House {
    app: TestApp,
    other: Node,
    people: Vec<Person>,
    /// The devices, each with the refresh token that it has spent.
    devices: Vec<(Device, String)>,
    sign_ins: i64,
    turn: usize,
}

async fn run(database: Database, actions: Vec<Action>) {
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.sessions.remembered_idle_limit = Duration::from_secs(30 * 60 * 60);
    })
    .await;
    let mut house = House {
        other: app.another_node(behind_proxy).await,
        people: Vec::new(),
        devices: Vec::new(),
        sign_ins: 0,
        turn: 0,
        app,
    };
    for n in 0..3 {
        house.register(n).await;
    }
    for action in actions {
        house.perform(action).await;
        assert_exact(&house.app.database);
        assert_eq!(hourly(&house.app.database, "sign_in", "%"), house.sign_ins);
    }
    house.other.stop().await;
    house.app.stop().await;
}

impl House {
    async fn register(&mut self, n: usize) {
        let email = format!("person{n}.{}@example.org", self.sign_ins);
        let person = self.app.register(&email).await;
        match n < self.people.len() {
            true => self.people[n] = person,
            false => self.people.push(person),
        }
    }

    /// Returns the base of each node in turn.
    fn base(&mut self) -> String {
        self.turn += 1;
        match self.turn.is_multiple_of(2) {
            true => self.app.base(),
            false => self.other.base(),
        }
    }

    async fn perform(&mut self, action: Action) {
        match action {
            Action::SignIn {
                person,
                agent,
                country,
            } => self.sign_in(person, agent, country).await,
            Action::SignInToBrowserTwice { person } => {
                let browser = self.app.browser(FIREFOX);
                let form = browser.form("/sign-in", "/sign-in").await;
                let Person { email, password } = &self.people[person];
                for _ in 0..2 {
                    let fields = [("email", email.as_str()), ("password", password.as_str())];
                    browser.send(&form, &fields).await.location();
                    self.sign_ins += 1;
                }
            }
            Action::SignOutEverywhere { person } => {
                self.sign_in(person, 0, 0).await;
                let (device, _) = self.devices.last().expect("a device");
                device.post("/api/v1/auth/logout-all").await.expect(200);
            }
            Action::DeletePerson { person } => {
                let email = self.people[person].email.clone();
                let deleted =
                    Program::with(&self.app.database).run(&["user", "delete", "--email", &email]);
                deleted.expect_done();
                self.register(person).await;
            }
            Action::Wait { hours } => self.app.advance(Duration::from_secs(hours * 60 * 60)),
            Action::Sweep => self.app.sweep().await,
            Action::AddUp => drop(self.app.add_up_counts().await),
            Action::AddUpOnTheOther => drop(self.other.add_up_counts().await),
            _ if self.devices.is_empty() => {}
            Action::Use { device, country } => self.use_device(device, country).await,
            Action::SignOut { device } => {
                let base = self.base();
                let (device, _) = self.device(device);
                device.at(base).post("/api/v1/auth/logout").await;
            }
            Action::ReuseToken { device } => self.reuse_token(device).await,
        }
    }

    fn device(&mut self, n: usize) -> &mut (Device, String) {
        let n = n % self.devices.len();
        &mut self.devices[n]
    }

    async fn sign_in(&mut self, person: usize, agent: usize, country: usize) {
        let base = self.base();
        let person = &self.people[person];
        let request = reqwest::Client::new()
            .post(format!("{base}/api/v1/auth/login"))
            .header("user-agent", AGENTS[agent])
            .header("x-forwarded-for", "203.0.113.7")
            .header("cf-ipcountry", COUNTRIES[country])
            .json(&json!({"email": person.email, "password": person.password}));
        let response = TestResponse::to(request).await.expect(200);
        let device = Device::from_login(base, &response);
        let spent = device.refresh_token.clone();
        self.devices.push((device, spent));
        self.sign_ins += 1;
    }

    async fn use_device(&mut self, device: usize, country: usize) {
        let base = self.base();
        let (device, _) = self.device(device);
        let request = device
            .at(base)
            .request("GET", "/api/v1/sessions/current")
            .header("x-forwarded-for", "203.0.113.7")
            .header("cf-ipcountry", COUNTRIES[country]);
        TestResponse::to(request).await;
        self.app.flush().await;
    }

    /// Refreshes twice, and presents the first token again.
    async fn reuse_token(&mut self, device: usize) {
        let base = self.base();
        let (device, spent) = self.device(device);
        let first = spent.clone();
        let anyone = crate::support::api::Anyone::new(base);
        for _ in 0..2 {
            let response = anyone.refresh(&device.refresh_token).await;
            if response.status != 200 {
                return;
            }
            let body = response.json();
            device.refresh_token = body["refresh_token"].as_str().expect("a token").into();
            device.access_token = body["access_token"].as_str().expect("a token").into();
            device.current().await;
        }
        self.app.advance(Duration::from_secs(60));
        anyone.refresh(&first).await;
    }
}

async fn many_sign_ins_and_sums_at_once_lose_none(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let other = app.another_node(|_| {}).await;
    let mut running = Vec::new();
    for n in 0..24 {
        let base = if n % 2 == 0 { app.base() } else { other.base() };
        let body = json!({"email": ada.email, "password": ada.password});
        let request = reqwest::Client::new()
            .post(format!("{base}/api/v1/auth/login"))
            .header("user-agent", FIREFOX)
            .json(&body);
        running.push(actix_web::rt::spawn(TestResponse::to(request)));
    }
    let (mut added, mut responses) = (0, Vec::new());
    for response in running {
        added += app.add_up_counts().await + other.add_up_counts().await;
        responses.push(response.await.expect("a response"));
    }
    for response in responses {
        response.expect(200);
    }
    assert_exact(&app.database);
    added += app.add_up_counts().await;
    assert!(added >= 24, "only {added} were added");
    assert_eq!(
        app.database
            .number("SELECT count(*) AS value FROM count_deltas"),
        0
    );
    assert_exact(&app.database);
    let all = "SELECT total AS value FROM live_counts WHERE dimension = 'all'";
    assert_eq!(app.database.number(all), 24);
    other.stop().await;
}

async fn a_country_that_changes_moves_the_session(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await;
    app.database
        .execute("UPDATE user_sessions SET location_country = 'France'");
    assert_exact(&app.database);
    app.add_up_counts().await;
    app.database
        .execute("UPDATE user_sessions SET location_country = 'Norway', last_used_bucket = 1");
    assert_exact(&app.database);
    // The same country again is no change.
    app.add_up_counts().await;
    app.database
        .execute("UPDATE user_sessions SET location_country = 'Norway', last_used_bucket = 2");
    assert_eq!(
        app.database
            .number("SELECT count(*) AS value FROM count_deltas"),
        0
    );
    assert_exact(&app.database);
    assert_eq!(
        hourly(&app.database, "sign_in", "%"),
        1,
        "a move is no sign-in"
    );
}

/// A sign-in or a sum that fails half-way changes nothing.
async fn a_failure_leaves_neither_a_change_nor_its_count(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await;
    let before = counted(&app.database);

    let rename = |from: &str, to: &str| {
        app.database
            .execute(&format!("ALTER TABLE {from} RENAME TO {to}"));
    };
    // The event is the last part of a sign-in.
    rename("session_events", "away");
    let failed = app.try_login(&ada, FIREFOX).await;
    assert!(failed.status >= 500, "{failed:?}");
    rename("away", "session_events");
    assert_eq!(counted(&app.database), before);
    assert_exact(&app.database);

    // The figures of hours are the last part of a sum.
    rename("hourly_counts", "away");
    assert!(!app.try_add_up_counts().await);
    rename("away", "hourly_counts");
    assert_eq!(counted(&app.database), before);
    assert_eq!(hourly(&app.database, "sign_in", "%"), 1);
    app.add_up_counts().await;
    assert_exact(&app.database);
    assert_eq!(hourly(&app.database, "sign_in", "%"), 1);
    app.stop().await;
}

async fn counting_anew_mends_what_was_loaded_without_the_triggers(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    for _ in 0..3 {
        app.login(&ada, FIREFOX).await;
    }
    let last = app.login(&ada, IPHONE).await;
    app.add_up_counts().await;
    last.post("/api/v1/auth/logout").await.expect(204);
    // As if none of them had been counted.
    app.database.execute("DELETE FROM live_counts");
    app.database.execute("DELETE FROM hourly_counts");
    app.database.execute("DELETE FROM count_deltas");
    assert_eq!(counted(&app.database), Vec::<String>::new());

    let counted_anew = Program::with(&app.database).run(&["recount"]);
    assert!(
        counted_anew.stderr.contains("3 sessions are live"),
        "{counted_anew:?}"
    );
    for _ in 0..2 {
        assert_exact(&app.database);
        assert_eq!(hourly(&app.database, "sign_in", "%"), 4);
        assert_eq!(hourly(&app.database, "end", "signed_out"), 1);
        // A second time changes nothing.
        Program::with(&app.database).run(&["recount"]).expect_done();
    }
    // What was purged stays counted.
    app.database
        .execute("DELETE FROM user_sessions WHERE NOT is_active");
    Program::with(&app.database).run(&["recount"]).expect_done();
    assert_eq!(hourly(&app.database, "end", "signed_out"), 1);
    app.login(&ada, FIREFOX).await;
    assert_exact(&app.database);
    app.stop().await;
}

/// Reverts the migrations down to that of the counters, and migrates again.
async fn sessions_from_before_the_counters_are_counted(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    phone.post("/api/v1/auth/logout").await.expect(204);
    let database = app.stop_and_keep_database().await;
    let migration = match database.postgres_name() {
        Some(_) => [
            include_str!("../../migrations/postgres/2026-11-29-000550_overview/down.sql"),
            include_str!("../../migrations/postgres/2026-11-29-000550_overview/up.sql"),
        ],
        None => [
            include_str!("../../migrations/sqlite/2026-11-29-000550_overview/down.sql"),
            include_str!("../../migrations/sqlite/2026-11-29-000550_overview/up.sql"),
        ],
    };
    for sql in migration {
        database.execute(sql);
    }
    assert_exact(&database);
    assert_eq!(hourly(&database, "sign_in", "%"), 2);
    assert_eq!(hourly(&database, "end", "signed_out"), 1);
    let app = TestApp::start(database).await;
    app.login(&ada, FIREFOX).await;
    assert_exact(&app.database);
    app.stop().await;
}

async fn figures_are_purged_after_400_days(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await;
    app.add_up_counts().await;
    app.advance(Duration::from_secs(400 * 24 * 60 * 60));
    app.add_up_counts().await;
    assert_eq!(hourly(&app.database, "sign_in", "%"), 1);
    app.advance(Duration::from_secs(60 * 60));
    app.add_up_counts().await;
    assert_eq!(hourly(&app.database, "sign_in", "%"), 0);
    app.stop().await;
}
