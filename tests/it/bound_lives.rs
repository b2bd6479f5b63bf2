//! Random lives of a bound session, and a thief who copies every cookie of its browser at some moment and uses
//! them at another: never for longer than eleven minutes. The owner, whose browser keeps to the protocol,
//! is never locked out.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::app::Node;
use crate::support::bound::{Key, challenged, use_https};
use crate::support::bound_browser::BoundBrowser;
use crate::support::outgoing::{NAVIGATION, Outgoing};
use crate::support::prelude::*;
use crate::support::run_async;

/// The lifetime of the bound cookie, and a minute.
const WORTH: i64 = 11 * 60;
/// How long after the first request that brought it the cookie is required.
const GRACE: i64 = 30;
/// How far a clock is set back.
const BACK: i64 = 30;

#[derive(Debug, Clone)]
enum Action {
    /// Gives the password, in a new session or in this one.
    SignIn,
    StepUp,
    /// Follows the last offer. The answer may be lost.
    Register {
        is_lost: bool,
    },
    /// Opens a page, and sends a form.
    Request,
    Rename,
    SignOut,
    /// The browser loses what it has in memory.
    Restart,
    /// The node that the browser doesn't use is started anew.
    RestartNode,
    ChangeNode,
    Copy,
    Steal {
        copy: usize,
    },
    Wait {
        seconds: i64,
    },
    SetBack {
        seconds: i64,
    },
}

fn action() -> impl Strategy<Value = Action> {
    let seconds = prop_oneof![
        3 => Just(1_i64),
        3 => Just(31),
        2 => Just(61),
        2 => Just(299),
        2 => Just(479),
        3 => Just(600),
        3 => Just(661),
        1 => Just(901),
        2 => 1..1_000_i64,
        1 => 1_000..100_000_i64,
    ];
    prop_oneof![
        4 => Just(Action::SignIn),
        2 => Just(Action::StepUp),
        5 => prop::bool::weighted(0.2).prop_map(|is_lost| Action::Register { is_lost }),
        6 => Just(Action::Request),
        2 => Just(Action::Rename),
        1 => Just(Action::SignOut),
        1 => Just(Action::Restart),
        1 => Just(Action::RestartNode),
        3 => Just(Action::ChangeNode),
        4 => Just(Action::Copy),
        7 => (0..4_usize).prop_map(|copy| Action::Steal { copy }),
        8 => seconds.prop_map(|seconds| Action::Wait { seconds }),
        1 => (1..=BACK).prop_map(|seconds| Action::SetBack { seconds }),
    ]
}

#[test]
fn a_thief_has_eleven_minutes_at_most_on_sqlite() {
    check(8, Database::sqlite);
}

#[test]
fn a_thief_has_eleven_minutes_at_most_on_postgres() {
    check(4, Database::postgres);
}

fn check(cases: u32, database: fn() -> Database) {
    let config = Config {
        cases,
        max_shrink_iters: 100,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&vec(action(), 10..50), |actions| {
            run_async(run(database(), actions));
            Ok(())
        })
        .unwrap_or_else(|found| panic!("{found}"));
}

/// What a thief carried away.
struct Copied {
    browser: BoundBrowser,
    at: i64,
    /// The number of the session, and its CSRF token.
    session: usize,
    csrf: String,
}

struct Lives {
    app: TestApp,
    other: Option<Node>,
    is_on_other: bool,
    ada: Person,
    owner: BoundBrowser,
    is_signed_in: bool,
    /// How many sessions there were.
    session: usize,
    /// When a request first brought the bound cookie of this session.
    seen: Option<i64>,
    copies: Vec<Copied>,
    /// The latest time that the clock has had.
    latest: i64,
    names: usize,
}

async fn run(database: Database, actions: Vec<Action>) {
    let app = TestApp::start_with(database, use_https).await;
    let other = app.another_node(use_https).await;
    let ada = app.register("ada@example.org").await;
    let mut lives = Lives {
        owner: BoundBrowser::new(&app, FIREFOX),
        latest: app.clock.now().timestamp(),
        app,
        other: Some(other),
        is_on_other: false,
        ada,
        is_signed_in: false,
        session: 0,
        seen: None,
        copies: Vec::new(),
        names: 0,
    };
    let begin = [Action::SignIn, Action::Register { is_lost: false }];
    for action in begin.into_iter().chain(actions) {
        lives.perform(action).await;
    }
    // Whatever happened, the owner is where they were, and each copy is worth nothing.
    lives.request().await;
    lives.perform(Action::Copy).await;
    lives
        .app
        .advance(Duration::from_secs(WORTH.unsigned_abs() + 1));
    for copy in 0..lives.copies.len() {
        lives.steal(copy).await;
    }
    lives.request().await;
    lives.stop().await;
}

impl Lives {
    async fn perform(&mut self, action: Action) {
        match action {
            Action::SignIn => self.sign_in().await,
            Action::StepUp if self.is_signed_in => {
                self.owner.confirm(&self.ada).await.expect(303);
                self.record_use();
            }
            Action::Register { is_lost } => self.register(is_lost).await,
            Action::Request => self.request().await,
            Action::Rename if self.is_signed_in => self.rename().await,
            Action::SignOut if self.is_signed_in => {
                let response = self.owner.submit("/devices", "/sign-out", &[]).await;
                assert!(response.is_to_sign_in(), "{response:?}");
                self.is_signed_in = false;
            }
            Action::Restart => self.owner.restart(),
            Action::RestartNode => self.restart_node().await,
            Action::ChangeNode => self.change_node(),
            Action::Copy if self.is_signed_in => self.copy().await,
            Action::Steal { copy } if copy < self.copies.len() => self.steal(copy).await,
            Action::Wait { seconds } => {
                self.app
                    .advance(Duration::from_secs(seconds.unsigned_abs()));
                self.latest = self.latest.max(self.now());
            }
            Action::SetBack { seconds } => {
                let back = seconds.min(BACK - (self.latest - self.now()));
                self.app
                    .set_back(Duration::from_secs(back.max(0).unsigned_abs()));
            }
            _ => {}
        }
    }

    fn now(&self) -> i64 {
        self.app.clock.now().timestamp()
    }

    async fn sign_in(&mut self) {
        if self.is_signed_in {
            return;
        }
        self.owner.sign_in(&self.ada).await.expect(303);
        self.is_signed_in = true;
        self.session += 1;
        self.seen = None;
    }

    async fn register(&mut self, is_lost: bool) {
        let Some(offer) = self.owner.offer.clone().filter(|_| self.is_signed_in) else {
            return;
        };
        if is_lost {
            self.owner.offer = None;
            let proof = Key::generate().registration(&offer);
            self.owner.clone().register_now(Some(&proof)).await;
            return;
        }
        let response = self.owner.register().await;
        assert!([200, 400].contains(&response.status), "{response:?}");
        if response.status == 200 {
            self.request().await;
        }
    }

    async fn request(&mut self) {
        if !self.is_signed_in {
            return;
        }
        let page = self.owner.get("/devices").await;
        assert_eq!(page.status, 200, "the owner is locked out: {page:?}");
        self.record_use();
    }

    /// Notes that a request brought the bound cookie, if it is one of this session.
    fn record_use(&mut self) {
        if self.owner.binding.is_some() && self.is_of_this_session() {
            self.seen.get_or_insert(self.latest);
        }
    }

    /// Returns whether the browser has bound this session, and not only one before it.
    fn is_of_this_session(&self) -> bool {
        let id = self.owner.id();
        let live = format!("is_active AND id = {}", self.app.database.id(&id));
        self.app.database.sessions_where(&live) == 1
    }

    async fn rename(&mut self) {
        self.names += 1;
        let name = format!("Ada {}", self.names);
        let fields = [("full_name", name.as_str())];
        let response = self
            .owner
            .submit("/account", "/account/name", &fields)
            .await;
        assert_eq!(
            response.status, 303,
            "the owner is locked out: {response:?}"
        );
        assert!(!response.is_to_sign_in(), "{response:?}");
        self.record_use();
    }

    fn change_node(&mut self) {
        self.is_on_other = !self.is_on_other;
        let base = match &self.other {
            Some(other) if self.is_on_other => other.base(),
            _ => self.app.base(),
        };
        self.owner.go_to(&base);
    }

    async fn restart_node(&mut self) {
        if let Some(other) = self.other.take() {
            other.stop().await;
        }
        self.other = Some(self.app.another_node(use_https).await);
        self.change_node();
        self.change_node();
        let base = self.app.base();
        for copy in &mut self.copies {
            copy.browser.go_to(&base);
        }
    }

    async fn copy(&mut self) {
        let csrf = self.owner.csrf().await;
        self.record_use();
        let browser = self.owner.copied_to(&self.app, FIREFOX);
        self.copies.push(Copied {
            browser,
            // Its cookie may have been made before the clock was set back.
            at: self.latest,
            session: self.session,
            csrf,
        });
        if self.copies.len() > 4 {
            self.copies.remove(0);
        }
    }

    /// Tries everything with a copy.
    async fn steal(&mut self, copy: usize) {
        let now = self.now();
        let Copied {
            browser,
            at,
            session,
            csrf,
        } = &mut self.copies[copy];
        let is_required = self.seen.is_some_and(|seen| now > seen + GRACE);
        let is_live = self.is_signed_in && *session == self.session;
        let may_be_served = is_live && (now - *at <= WORTH || !is_required);
        let page = Outgoing::page("/devices", &NAVIGATION);
        for request in [page, Outgoing::script("GET", "/api/v1/me", "", None)] {
            // A cookie that is over is deleted by the first answer; the copy is kept.
            let response = browser.clone().send(&request).await;
            assert!(
                response.status != 200 || may_be_served,
                "{} s after the copy: {response:?}",
                now - *at
            );
        }
        if let Some(binding) = &self.owner.binding {
            let id = binding.id.clone();
            let mut clone = browser.clone();
            let unsigned = clone.refresh_now(&id, None).await;
            assert!([200, 403].contains(&unsigned.status), "{unsigned:?}");
            if let Some(challenge) = challenged(&unsigned, &id) {
                let key = Key::generate();
                let proof = key.refresh(&challenge);
                clone.refresh_now(&id, Some(&proof)).await.expect(400);
                let proof = key.registration(&challenge);
                let response = clone.register_now(Some(&proof)).await;
                assert!((400..500).contains(&response.status), "{response:?}");
            }
        }
        if may_be_served {
            return;
        }
        let csrf = csrf.clone();
        for (path, field) in [
            ("/account/name", ("full_name", "Thief")),
            ("/devices/sign-out-others", ("", "")),
            ("/sign-out", ("", "")),
        ] {
            let form = Outgoing::form(path, &[("csrf", &csrf), field]);
            let response = browser.clone().send(&form).await;
            assert!(response.is_to_sign_in(), "{path}: {response:?}");
        }
        let live = self.app.database.sessions_where("is_active");
        assert_eq!(live, i64::from(self.is_signed_in));
        let renamed = "SELECT count(*) AS value FROM users WHERE full_name = 'Thief'";
        assert_eq!(self.app.database.number(renamed), 0);
    }

    async fn stop(mut self) {
        if let Some(other) = self.other.take() {
            other.stop().await;
        }
        self.app.stop().await;
    }
}
