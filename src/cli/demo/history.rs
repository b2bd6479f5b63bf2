//! Generates the history of the sample people through the domain itself, with a clock that is
//! advanced from one action to the next, so that rows and events are like real ones.

use std::collections::HashMap;
use std::time::Duration;

use super::super::domain::Domain;
use super::super::error::Result;
use super::applications::SampleApplications;
use super::crowd::{self, CrowdSize};
use super::orders::{ORDERS, SampleOrder, administrator};
use super::people::{Device, Outcome, PEOPLE, Person};
use crate::clock::{Clock, Timestamp};
use crate::devices::DeviceId;
use crate::error::{Error, Failure};
use crate::events::Origin;
use crate::people::{HashRequester, NewPassword, User};
use crate::sessions::{
    Claim, Client, Credential, EndedReason, IssuedWith, NewSession, OpenedVia, Session,
    SessionPersistence,
};
use crate::settings::Settings;
use crate::user_agent::DeviceParser;

/// The start of the history, in minutes before now: earlier than the first sign-in.
const BEGINNING: u32 = 201 * 24 * 60;

enum Action {
    SignIn,
    Rename,
    Use,
    SignOut(EndedReason),
    /// The person, an administrator, ends sessions of others.
    Order(&'static SampleOrder),
}

/// An action on a device, `ago` minutes before now.
struct Step {
    ago: u32,
    person: usize,
    device: usize,
    action: Action,
}

struct Replay {
    clock: Clock,
    domain: Domain,
    parser: DeviceParser,
    users: Vec<User>,
    sessions: HashMap<(usize, usize), Session>,
    applications: SampleApplications,
}

/// Fills a migrated, empty database with [`PEOPLE`] and a crowd, and their history. Returns the
/// crowd's numbers.
pub(super) async fn generate(settings: &Settings, password: &NewPassword) -> Result<CrowdSize> {
    let now = Clock::system().now();
    let mut replay = Replay::new(settings, now).await?;
    let crowd = crowd::generate(&replay.domain, &replay.parser, now).await?;
    for person in &PEOPLE {
        let user = replay.register(person, password).await?;
        replay.users.push(user);
    }
    let mut reached = BEGINNING;
    for step in steps() {
        replay.clock.advance(minutes(reached - step.ago));
        reached = step.ago;
        replay.perform(&step).await?;
    }
    SampleApplications::write(&replay.domain).await?;
    Ok(crowd)
}

/// Returns the actions on every device, oldest first.
fn steps() -> Vec<Step> {
    let mut steps = Vec::new();
    for (person, Person { devices, .. }) in PEOPLE.iter().enumerate() {
        for (device, facts) in devices.iter().enumerate() {
            steps.extend(actions(facts).into_iter().map(|(ago, action)| Step {
                ago,
                person,
                device,
                action,
            }));
        }
    }
    steps.extend(ORDERS.iter().map(|order| Step {
        ago: order.ago,
        person: administrator(),
        device: 0,
        action: Action::Order(order),
    }));
    steps.sort_by_key(|step| std::cmp::Reverse(step.ago));
    steps
}

fn actions(device: &Device) -> Vec<(u32, Action)> {
    let mut actions = vec![(device.signed_in, Action::SignIn)];
    if device.given_name.is_some() {
        actions.push((device.signed_in, Action::Rename));
    }
    if device.last_used < device.signed_in {
        actions.push((device.last_used, Action::Use));
    }
    match device.outcome {
        Outcome::SignedOut(ago) => actions.push((ago, Action::SignOut(EndedReason::SignedOut))),
        Outcome::SignedOutRemotely(ago) => {
            actions.push((ago, Action::SignOut(EndedReason::SignedOutRemotely)));
        }
        Outcome::Live | Outcome::Expired => {}
    }
    actions
}

impl Replay {
    async fn new(settings: &Settings, now: Timestamp) -> Result<Self> {
        let clock = Clock::fixed(*(now - minutes(BEGINNING)));
        let parser = DeviceParser::built_in()
            .map_err(|err| Error::Internal(Failure::new("the built-in patterns", err)))?;
        let domain = Domain::assemble(settings, &clock)?;
        Ok(Self {
            applications: SampleApplications::create(&domain).await?,
            domain,
            clock,
            parser,
            users: Vec::new(),
            sessions: HashMap::new(),
        })
    }

    async fn register(&self, person: &Person, password: &NewPassword) -> Result<User> {
        let account = person.account(password)?;
        let people = &self.domain.people;
        Ok(people.create_user(HashRequester::Service, account).await?)
    }

    async fn perform(&mut self, step: &Step) -> Result<()> {
        let device = &PEOPLE[step.person].devices[step.device];
        let key = (step.person, step.device);
        match step.action {
            Action::SignIn => {
                let session = self.sign_in(step, device).await?;
                let applications = &self.applications;
                applications
                    .record_sign_in(&self.domain, &session, device)
                    .await;
                self.sessions.insert(key, session);
            }
            Action::Use => self.use_session(&self.sessions[&key], device).await?,
            Action::Order(order) => {
                let (origin, now) = (origin(&self.sessions[&key]), self.clock.now());
                order.run(&self.domain.sessions, origin, now).await?;
            }
            Action::Rename => self.rename(&self.sessions[&key], device).await?,
            Action::SignOut(reason) => {
                let from = match reason {
                    EndedReason::SignedOutRemotely => &self.sessions[&(step.person, 0)],
                    _ => &self.sessions[&key],
                };
                let session = &self.sessions[&key];
                self.domain
                    .sessions
                    .end_session(session.user_id, session.id, reason, origin(from))
                    .await?;
            }
        }
        Ok(())
    }

    /// Signs a person in on their device, and confirms their open alerts.
    async fn sign_in(&self, step: &Step, device: &Device) -> Result<Session> {
        let user = &self.users[step.person];
        let new = self.new_session(step, device)?;
        let session = self.domain.sessions.create_session(user, new).await?;
        for alert in self.domain.alerts.list(user.id).await? {
            if alert.is_open() {
                self.domain.accounts.confirm_alerts(vec![alert]).await?;
            }
        }
        Ok(session)
    }

    async fn use_session(&self, session: &Session, device: &Device) -> Result<()> {
        let claim = Claim {
            user: session.user_id,
            session: session.id,
            credential: Credential::AccessToken {
                issued_with: IssuedWith {
                    rotation_count: session.rotation_count,
                    digest: None,
                },
                password_given_at: None,
            },
        };
        self.domain
            .sessions
            .resolve(claim, device.location())
            .await?;
        let applications = &self.applications;
        applications.record_use(&self.domain, session, device).await;
        Ok(())
    }

    async fn rename(&self, session: &Session, device: &Device) -> Result<()> {
        let name = device.given_name.unwrap_or_default().parse()?;
        self.domain
            .sessions
            .update_device_name(session.user_id, session.id, name, origin(session))
            .await?;
        Ok(())
    }

    fn new_session(&self, step: &Step, device: &Device) -> Result<NewSession> {
        let facts = self.parser.parse(device.user_agent);
        let is_browser = device.user_agent.starts_with("Mozilla/");
        let device_id: DeviceId = format!("sample-{}-{}", step.person, step.device).parse()?;
        Ok(NewSession {
            client: Client::new(device.location(), Some(device.user_agent), facts),
            device_id: is_browser.then_some(device_id),
            device_name: None,
            via: if is_browser {
                OpenedVia::Browser
            } else {
                OpenedVia::Api
            },
            persistence: if device.outcome == Outcome::Expired {
                SessionPersistence::Standard
            } else {
                SessionPersistence::Remembered
            },
            application: None,
            replaces: None,
        })
    }
}

fn origin(session: &Session) -> Origin {
    Origin {
        user: Some(session.user_id),
        session: Some(session.id),
        ip: session.ip_address.clone(),
        ..Origin::default()
    }
}

fn minutes(n: u32) -> Duration {
    Duration::from_secs(u64::from(n) * 60)
}
