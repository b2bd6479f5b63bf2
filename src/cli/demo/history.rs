//! Lets the sample people live through their months: everything is done by the domain itself, with
//! a clock that is moved from one act to the next, so that rows and events are as real ones are.

use std::collections::HashMap;
use std::time::Duration;

use super::people::{Device, Fate, PEOPLE, Person};
use crate::alerts::Alerts;
use crate::clock::Clock;
use crate::db::{Db, Timestamp};
use crate::devices::DeviceParser;
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::people::{FullName, Hasher, NewAccount, People, PlainPassword, Role, User};
use crate::sessions::{
    Claim, Client, DeviceId, EndedReason, OpenedVia, Opening, Session, Sessions, Stay,
};
use crate::settings::Settings;

/// Before the first sign-in of anybody.
const BEGINNING: u32 = 201 * 24 * 60;

enum Act {
    SignIn,
    Rename,
    Use,
    SignOut(EndedReason),
}

/// An act on a device, so many minutes before now.
struct Step {
    ago: u32,
    person: usize,
    device: usize,
    act: Act,
}

struct Stage {
    clock: Clock,
    people: People,
    alerts: Alerts,
    sessions: Sessions,
    parser: DeviceParser,
    users: Vec<User>,
    opened: HashMap<(usize, usize), Session>,
}

/// Fills the database, migrated and empty, with everybody of [`PEOPLE`].
pub(super) async fn play(settings: &Settings, password: &PlainPassword) -> Result<()> {
    let now = Clock::system().now();
    let mut stage = Stage::new(settings, now)?;
    for person in &PEOPLE {
        let user = stage.register(person, password).await?;
        stage.users.push(user);
    }
    let mut reached = BEGINNING;
    for step in steps() {
        stage.clock.advance(minutes(reached - step.ago));
        reached = step.ago;
        stage.perform(&step).await?;
    }
    stage.sessions.flush_last_uses().await.map(drop)
}

/// Everything that happens, in the order of time.
fn steps() -> Vec<Step> {
    let mut steps = Vec::new();
    for (person, Person { devices, .. }) in PEOPLE.iter().enumerate() {
        for (device, facts) in devices.iter().enumerate() {
            steps.extend(acts(facts).into_iter().map(|(ago, act)| Step {
                ago,
                person,
                device,
                act,
            }));
        }
    }
    steps.sort_by_key(|step| std::cmp::Reverse(step.ago));
    steps
}

fn acts(device: &Device) -> Vec<(u32, Act)> {
    let mut acts = vec![(device.signed_in, Act::SignIn)];
    if device.given_name.is_some() {
        acts.push((device.signed_in, Act::Rename));
    }
    if device.last_used < device.signed_in {
        acts.push((device.last_used, Act::Use));
    }
    match device.fate {
        Fate::SignedOut(ago) => acts.push((ago, Act::SignOut(EndedReason::SignedOut))),
        Fate::SignedOutRemotely(ago) => {
            acts.push((ago, Act::SignOut(EndedReason::SignedOutRemotely)))
        }
        Fate::Live | Fate::Expired => {}
    }
    acts
}

impl Stage {
    fn new(settings: &Settings, now: Timestamp) -> Result<Self> {
        let clock = Clock::fixed(*(now - minutes(BEGINNING)));
        let db = Db::new(&settings.database_url, &settings.database);
        let people = People::new(db.clone(), clock.clone(), Hasher::new(&settings.passwords)?);
        let alerts = Alerts::new(db.clone(), clock.clone(), &settings.mail);
        let sessions = Sessions::new(
            db,
            clock.clone(),
            alerts.clone(),
            &settings.sessions,
            &settings.tokens,
            &settings.jobs,
        );
        let parser = DeviceParser::built_in().map_err(|fault| Error::Startup(fault.to_string()))?;
        Ok(Self {
            clock,
            people,
            alerts,
            sessions,
            parser,
            users: Vec::new(),
            opened: HashMap::new(),
        })
    }

    async fn register(&self, person: &Person, password: &PlainPassword) -> Result<User> {
        let account = NewAccount {
            email: person.email.parse()?,
            full_name: FullName::parse(person.name)?,
            password: password.clone(),
            role: if person.is_admin {
                Role::Admin
            } else {
                Role::Person
            },
        };
        self.people.register(account).await
    }

    async fn perform(&mut self, step: &Step) -> Result<()> {
        let device = &PEOPLE[step.person].devices[step.device];
        let key = (step.person, step.device);
        match step.act {
            Act::SignIn => {
                let session = self
                    .sessions
                    .open(&self.users[step.person], self.opening(step, device)?)
                    .await?;
                self.opened.insert(key, session);
                self.own_up(&self.users[step.person]).await?;
            }
            Act::Use => {
                let session = &self.opened[&key];
                let claim = Claim {
                    user: session.user_id,
                    session: session.id,
                    jti: None,
                };
                self.sessions.resolve(claim, device.location()).await?;
                self.sessions.flush_last_uses().await?;
            }
            Act::Rename => {
                let session = &self.opened[&key];
                let name = device.given_name.unwrap_or_default().parse()?;
                self.sessions
                    .rename(session.user_id, session.id, name, origin(session))
                    .await?;
            }
            Act::SignOut(reason) => {
                let from = match reason {
                    EndedReason::SignedOutRemotely => &self.opened[&(step.person, 0)],
                    _ => &self.opened[&key],
                };
                let session = &self.opened[&key];
                self.sessions
                    .end(session.user_id, session.id, reason, origin(from))
                    .await?;
            }
        }
        Ok(())
    }

    /// They know their own devices.
    async fn own_up(&self, user: &User) -> Result<()> {
        for alert in self.alerts.all_of(user.id).await? {
            if alert.is_open() {
                self.sessions.own_up_by_link(&alert).await?;
            }
        }
        Ok(())
    }

    fn opening(&self, step: &Step, device: &Device) -> Result<Opening> {
        let facts = self.parser.parse(device.user_agent);
        let is_browser = device.user_agent.starts_with("Mozilla/");
        let device_id: DeviceId = format!("sample-{}-{}", step.person, step.device).parse()?;
        Ok(Opening {
            client: Client::new(device.location(), Some(device.user_agent), facts),
            device_id: is_browser.then_some(device_id),
            device_name: None,
            via: if is_browser {
                OpenedVia::Browser
            } else {
                OpenedVia::Api
            },
            stay: if device.fate == Fate::Expired {
                Stay::Brief
            } else {
                Stay::Remembered
            },
            replaces: None,
        })
    }
}

fn origin(session: &Session) -> Origin {
    Origin {
        user: Some(session.user_id),
        session: Some(session.id),
        ip: session.ip_address.clone(),
    }
}

fn minutes(n: u32) -> Duration {
    Duration::from_secs(u64::from(n) * 60)
}
