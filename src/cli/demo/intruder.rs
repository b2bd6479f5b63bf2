//! An intruder who has a sample person's password and signs in shortly after each visitor who signs in
//! as them, so that the page shows "Was this you?".

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::people::{INTRUDER, PEOPLE};
use crate::alerts::{self, Alert, AlertKind};
use crate::db::{SessionId, UserId};
use crate::error::{Chain, Error, Result};
use crate::geo::Location;
use crate::http::app_state::AppState;
use crate::net::is_local;
use crate::people::User;
use crate::sessions::{Client, NewSession, OpenedVia, Session, SessionPersistence};
use crate::user_agent::ClientHints;

/// The time between two checks for visitors.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The time between a visitor's sign-in and the intruder's.
const DELAY: Duration = Duration::from_secs(5);
/// The most devices of visitors whose alert is open.
const MAX_UNANSWERED: usize = 1_000;

/// The intruder, and the visitors they came after.
#[derive(Default)]
pub(super) struct Intruder {
    /// The live sessions of visitors at the last check.
    seen: HashSet<SessionId>,
    /// The intruder's session whose alert is open, by the device of the visitor that it came after. Beyond
    /// [`MAX_UNANSWERED`] all are forgotten: their visitors are followed once more when they sign in again.
    unanswered: HashMap<String, SessionId>,
    /// The number of sign-ins.
    sign_ins: u8,
}

impl Intruder {
    /// Signs in after every visitor, for as long as the service runs.
    pub(super) async fn run(mut self, app: &AppState) {
        loop {
            if let Err(err) = self.follow_visitors(app).await {
                tracing::warn!(error = %Chain(&err), "the intruder could not sign in");
            }
            for person in &PEOPLE[1..] {
                if let Err(err) = confirm_visitors(app, person.email).await {
                    tracing::warn!(error = %Chain(&err), "a visitor could not be confirmed");
                }
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Signs in if a visitor has signed in since the last check, in a browser that shows no alert
    /// about an earlier sign-in of the intruder.
    async fn follow_visitors(&mut self, app: &AppState) -> Result<()> {
        let victim = match app.people.get_by_email(PEOPLE[0].email.parse()?).await {
            // A visitor deleted the account. The next who signs in as them gets a new one.
            Err(Error::NotFound) => return Ok(()),
            victim => victim?,
        };
        let visitors = list_visitors(app, victim.id).await?;
        let is_new = |session: &&Session| !self.seen.contains(&session.id);
        let new: Vec<&Session> = visitors.iter().filter(is_new).collect();
        if !new.is_empty() {
            self.follow(app, &victim, &new).await?;
        }
        // After an error, the next check finds the same visitors.
        self.seen = visitors.iter().map(|session| session.id).collect();
        Ok(())
    }

    /// Signs in after these visitors, but for those who have an alert to answer.
    async fn follow(&mut self, app: &AppState, victim: &User, new: &[&Session]) -> Result<()> {
        self.prepare_alerts(app, victim, new).await?;
        let devices = new.iter().filter_map(|session| session.device_id.clone());
        let devices: Vec<String> = devices
            .filter(|device| !self.unanswered.contains_key(device))
            .collect();
        if devices.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(DELAY).await;
        let session = self.sign_in(app, victim).await?;
        if self.unanswered.len() >= MAX_UNANSWERED {
            self.unanswered.clear();
        }
        let followed = devices.into_iter().map(|device| (device, session.id));
        self.unanswered.extend(followed);
        Ok(())
    }

    /// Confirms the alerts about the visitors themselves, so that those left are about the intruder,
    /// and forgets the intruder's sign-ins that were answered.
    async fn prepare_alerts(
        &mut self,
        app: &AppState,
        victim: &User,
        visitors: &[&Session],
    ) -> Result<()> {
        raise_missing(app, victim, visitors).await?;
        let mut open = app.alerts.list(victim.id).await?;
        open.retain(Alert::is_open);
        self.unanswered
            .retain(|_, intruder| open.iter().any(|alert| alert.session_id == Some(*intruder)));
        confirm(app, open, visitors.iter().copied()).await
    }

    async fn sign_in(&mut self, app: &AppState, victim: &User) -> Result<Session> {
        let agent = INTRUDER.user_agent;
        let facts = app.device_parser.parse(agent, ClientHints::default()).await;
        let number = self.sign_ins;
        self.sign_ins = number.wrapping_add(1);
        // Each time another device in another network, which no answer has made known.
        let location = Location {
            ip: Some(format!("198.18.{number}.66")),
            ..INTRUDER.location()
        };
        let new = NewSession {
            client: Client::new(location, Some(agent), facts),
            device_id: Some(format!("sample-stranger-{number}").parse()?),
            device_name: None,
            via: OpenedVia::Browser,
            persistence: SessionPersistence::Standard,
            application: None,
            replaces: None,
        };
        app.sessions.create_session(victim, new).await
    }
}

/// Raises an alert about each visitor who looked like an earlier one, so that their sign-in raised none: it is
/// confirmed next, so that they may answer for what the intruder did before they came.
async fn raise_missing(app: &AppState, victim: &User, visitors: &[&Session]) -> Result<()> {
    let alerts = app.alerts.list(victim.id).await?;
    let has_alert = |it: &Session| alerts.iter().any(|alert| alert.session_id == Some(it.id));
    let missing: Vec<Session> = visitors
        .iter()
        .filter(|visitor| !has_alert(visitor))
        .map(|visitor| (*visitor).clone())
        .collect();
    let (victim, now) = (victim.clone(), app.clock.now());
    app.db
        .transaction(move |c| {
            missing.iter().try_for_each(|visitor| {
                let alert = (AlertKind::NewDevice, visitor.alert_context());
                alerts::raise_on_pages(c, &victim, alert, now)
            })
        })
        .await
}

/// Confirms the sign-ins of the visitors who are signed in as a sample person: they have no other device to
/// do it on.
async fn confirm_visitors(app: &AppState, email: &str) -> Result<()> {
    let person = match app.people.get_by_email(email.parse()?).await {
        Err(Error::NotFound) => return Ok(()),
        person => person?,
    };
    let visitors = list_visitors(app, person.id).await?;
    if visitors.is_empty() {
        return Ok(());
    }
    let mut open = app.alerts.list(person.id).await?;
    open.retain(Alert::is_open);
    confirm(app, open, visitors.iter()).await
}

/// Confirms those of the alerts that are about one of the visitors.
async fn confirm<'a>(
    app: &AppState,
    alerts: Vec<Alert>,
    visitors: impl Iterator<Item = &'a Session> + Clone,
) -> Result<()> {
    for alert in alerts {
        let mut ids = visitors.clone().map(|session| Some(session.id));
        if ids.any(|id| id == alert.session_id) {
            match app.accounts.confirm_alerts(vec![alert]).await {
                // The visitor answered it first.
                Err(Error::NotFound) => {}
                confirmed => confirmed?,
            }
        }
    }
    Ok(())
}

/// Lists a person's live browser sessions from this machine or its network.
async fn list_visitors(app: &AppState, person: UserId) -> Result<Vec<Session>> {
    let mut live = app.sessions.list_live(person).await?;
    live.retain(|session| {
        let ip = session.ip_address.as_deref().and_then(|ip| ip.parse().ok());
        session.opened_via == OpenedVia::Browser && ip.is_some_and(is_local)
    });
    Ok(live)
}
