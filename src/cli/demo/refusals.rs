//! What was refused in the demo: a quiet month, and a night in which somebody guessed.

use std::time::Duration;

use super::super::error::Result;
use super::people::{INTRUDER, PEOPLE};
use crate::account::RefusalRecorder;
use crate::clock::{Clock, Timestamp};
use crate::db::{Db, UserId};
use crate::error::{Error, Failure};
use crate::events::{EventKind, Refusal, Refusals, Source};
use crate::net::SourceNetwork;
use crate::people::People;
use crate::settings::Settings;
use crate::throttles::{Lane, Purpose, Requester, Throttles};
use crate::user_agent::{DeviceParser, ParserThread};

const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;
/// The days before today on which somebody mistyped.
const QUIET_DAYS: u32 = 28;
/// When the guesses began, in minutes before now.
const NIGHT: u32 = 9 * HOUR;
/// The guesses of the last minute.
const GUESSES: u32 = 5;
/// The sample person whose password was guessed at: one who is signed in nowhere, and as whom no visitor
/// begins.
pub(super) const GUESSED: usize = PEOPLE.len() - 1;
/// A program that guesses.
const SCRIPT: &str = "python-requests/2.32.4";
const SIGN_IN_FAILED: (EventKind, &str) = (EventKind::SignInFailed, "credentials");
const DELAYED: (EventKind, &str) = (EventKind::Throttled, "sign_in:delay");
const FLOODED: (EventKind, &str) = (EventKind::Throttled, "sign_in:network");

/// Something that was refused, `ago` minutes before now.
struct Step {
    ago: u32,
    what: (EventKind, &'static str),
    /// The sample person on whose account; `None` for an unknown address.
    person: Option<usize>,
    ip: &'static str,
    user_agent: &'static str,
    times: u32,
}

/// Guesses at the password of a sample person, on which the next one has to wait: a second.
pub(super) async fn guess(throttles: &Throttles, user: UserId) -> Result<()> {
    let ip = INTRUDER.ip.parse().ok();
    let requester = Requester {
        network: SourceNetwork::of(ip),
        device: None,
        session: None,
        source: Source {
            ip,
            user_agent: Some(SCRIPT.to_owned()),
        },
    };
    for _ in 0..GUESSES {
        let lane = Lane::Account(user);
        let taken = throttles.take(Purpose::SignIn, &requester, lane).await?;
        let _failures = taken.wrong();
    }
    Ok(())
}

/// Records what was refused of the sample people's accounts, as the server records it.
pub(super) async fn generate(settings: &Settings, people: &People, now: Timestamp) -> Result<()> {
    let steps = steps();
    let earliest = steps.first().map_or(0, |step| step.ago);
    let clock = Clock::fixed(*(now - minutes(earliest)));
    let refusals = Refusals::new(clock.clone());
    let recorder = RefusalRecorder::new(
        Db::new(&settings.database_url, &settings.database),
        refusals,
        parser()?,
    );
    let mut users = Vec::new();
    for person in &PEOPLE {
        users.push(people.get_by_email(person.email.parse()?).await?.id);
    }
    let mut reached = earliest;
    for step in steps {
        clock.advance(minutes(reached - step.ago));
        reached = step.ago;
        for _ in 0..step.times {
            recorder.observe(step.refusal(&users));
        }
        recorder.record().await?;
    }
    Ok(())
}

impl Step {
    fn new(ago: u32, what: (EventKind, &'static str), person: Option<usize>, times: u32) -> Self {
        Self {
            ago,
            what,
            person,
            ip: INTRUDER.ip,
            user_agent: SCRIPT,
            times,
        }
    }

    /// Returns it as done on a device of the person.
    fn on_own_device(self, person: usize) -> Self {
        match PEOPLE[person].devices.first() {
            Some(device) => Self {
                ip: device.ip,
                user_agent: device.user_agent,
                ..self
            },
            None => self,
        }
    }

    fn refusal(&self, users: &[UserId]) -> Refusal {
        let (kind, detail) = self.what;
        Refusal {
            kind,
            detail: detail.into(),
            user: self.person.and_then(|person| users.get(person)).copied(),
            by: None,
            application: None,
            source: Some(Source {
                ip: self.ip.parse().ok(),
                user_agent: Some(self.user_agent.to_owned()),
            }),
        }
    }
}

/// Returns what was refused, oldest first.
fn steps() -> Vec<Step> {
    let mut steps = Vec::new();
    for day in 1..=QUIET_DAYS {
        let person = day as usize % PEOPLE.len();
        let ago = day * DAY + (day * 37) % (10 * HOUR);
        let typos = Step::new(ago, SIGN_IN_FAILED, Some(person), 1 + day % 3);
        steps.push(typos.on_own_device(person));
        if day % 4 == 0 {
            let what = (EventKind::TokenRefused, "not_genuine");
            steps.push(Step::new(ago + 20, what, None, day % 5 + 1));
        }
    }
    for hour in 0..4 {
        let ago = NIGHT - hour * HOUR;
        steps.push(Step::new(ago, SIGN_IN_FAILED, Some(GUESSED), 5));
        steps.push(Step::new(ago - 2, DELAYED, Some(GUESSED), 18 + 9 * hour));
        steps.push(Step::new(ago - 4, SIGN_IN_FAILED, None, 12));
        steps.push(Step::new(ago - 6, FLOODED, None, 7 * hour));
    }
    let form = (EventKind::FormRefused, "/sign-in");
    steps.push(Step::new(3 * HOUR, form, None, 2));
    let page = (EventKind::AdminRefused, "/admin");
    steps.push(Step::new(2 * HOUR, page, None, 3));
    steps.sort_by_key(|step| std::cmp::Reverse(step.ago));
    steps
}

fn parser() -> Result<ParserThread> {
    let parser = DeviceParser::built_in()
        .map_err(|err| Error::Internal(Failure::new("the built-in patterns", err)))?;
    let thread = ParserThread::start(parser)
        .map_err(|err| Error::Internal(Failure::new("the thread of the patterns", err)))?;
    Ok(thread)
}

fn minutes(n: u32) -> Duration {
    Duration::from_secs(u64::from(n) * 60)
}
