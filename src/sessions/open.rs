//! Opening: a sign-in becomes a row.

use std::time::Duration;

use super::store::{self, End, NewSession};
use super::values::{DeviceId, DeviceName, EndedReason, Jti, OpenedVia, Stay};
use super::{Session, Sessions};
use crate::db::{AnyConnection, SessionId, Timestamp};
use crate::devices::{DeviceFacts, naming};
use crate::error::Result;
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::people::{self, User};
use crate::text;

/// Characters of a user agent that are kept.
const USER_AGENT_LIMIT: usize = 500;

/// What a request tells of the device it comes from.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its address in canonical text.
    pub ip: Option<String>,
    /// Its user agent, cleaned and cut to 500 characters.
    pub user_agent: Option<String>,
    /// What the user agent tells.
    pub facts: DeviceFacts,
}

impl Client {
    /// A client at `ip` with a user agent as sent.
    pub fn new(ip: Option<String>, user_agent: Option<&str>, facts: DeviceFacts) -> Self {
        let user_agent = user_agent
            .map(text::clean)
            .filter(|agent| !agent.is_empty());
        let user_agent = user_agent.map(|agent| text::cut(&agent, USER_AGENT_LIMIT).to_owned());
        Self {
            ip,
            user_agent,
            facts,
        }
    }
}

/// A session to be opened.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The device.
    pub client: Client,
    /// What the client calls itself by.
    pub device_id: Option<DeviceId>,
    /// The name the client gives its device; derived from the user agent if none.
    pub device_name: Option<DeviceName>,
    /// Through which door.
    pub via: OpenedVia,
    /// How long it may live.
    pub stay: Stay,
    /// The session this browser had until now, whoever's it was.
    pub replaces: Option<Session>,
}

impl Sessions {
    /// Opens a session for somebody who has just proved who they are. A session they had in the
    /// same browser is replaced.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`](crate::Error::InvalidCredentials) when the account was
    /// disabled or its password changed since it was looked at.
    pub async fn open(&self, user: &User, opening: Opening) -> Result<Session> {
        let now = self.clock.now();
        let jti = Jti::random()?;
        let absolute_end = self.policy.absolute_end(opening.stay, now);
        let idle = self.policy.idle_limit(opening.stay, user.idle_limit());
        let expires_at = absolute_end.min(now + idle);
        let most = self.policy.most_per_person;
        let user = user.clone();
        self.db
            .transaction(move |c| {
                people::hold(c, &user)?;
                let session = insert(
                    c,
                    &user,
                    &opening,
                    &jti,
                    Times {
                        now,
                        idle,
                        expires_at,
                        absolute_end,
                    },
                )?;
                replace(c, &session, &opening, now)?;
                if let Some(most) = most {
                    make_room(c, &session, most, now)?;
                }
                let signed_in = NewEvent::of_session(
                    user.id,
                    session.id,
                    EventKind::SignedIn,
                    &origin(&session),
                    now,
                );
                events::record(c, &[signed_in])?;
                Ok(session)
            })
            .await
    }
}

#[derive(Clone, Copy)]
struct Times {
    now: Timestamp,
    idle: Duration,
    expires_at: Timestamp,
    absolute_end: Timestamp,
}

fn insert(
    c: &mut AnyConnection,
    user: &User,
    opening: &Opening,
    jti: &Jti,
    times: Times,
) -> Result<Session> {
    let Client {
        ip,
        user_agent,
        facts,
    } = &opening.client;
    let derived = naming::name(facts);
    let row = NewSession {
        id: SessionId::new(times.now),
        user_id: user.id,
        refresh_token_jti: jti.as_str(),
        device_name: opening
            .device_name
            .as_ref()
            .map_or(&derived, DeviceName::as_str),
        device_id: opening.device_id.as_ref().map(DeviceId::as_str),
        ip_address: ip.as_deref(),
        user_agent: user_agent.as_deref(),
        last_used_at: times.now,
        expires_at: times.expires_at,
        created_at: times.now,
        updated_at: times.now,
        absolute_expires_at: times.absolute_end,
        is_remembered: opening.stay == Stay::Remembered,
        idle_seconds: i32::try_from(times.idle.as_secs()).unwrap_or(i32::MAX),
        confirmed_at: times.now,
        opened_via: opening.via.as_str(),
        device_kind: facts.kind.as_str(),
        browser: facts.browser.as_deref(),
        browser_version: facts.browser_version.as_deref(),
        os: facts.os.as_deref(),
        os_version: facts.os_version.as_deref(),
        brand: facts.brand.as_deref(),
        model: facts.model.as_deref(),
    };
    store::insert(c, &row)
}

/// Ends what the browser was signed in to before: no litter, and nothing to be fixed upon it.
fn replace(
    c: &mut AnyConnection,
    opened: &Session,
    opening: &Opening,
    now: Timestamp,
) -> Result<()> {
    let end = End {
        reason: EndedReason::Replaced,
        by: Some(opened.id),
        at: now,
    };
    let mut replaced = Vec::new();
    if let Some(before) = &opening.replaces {
        replaced.extend(store::end(c, before.user_id, before.id, end)?);
    }
    if let (OpenedVia::Browser, Some(device)) = (opening.via, &opening.device_id) {
        let same = store::end_same_browser(c, opened.user_id, device.as_str(), opened.id, end)?;
        replaced.extend(same);
    }
    super::end::record(c, &replaced, EndedReason::Replaced, &origin(opened), now)
}

/// Ends the sessions used longest ago where their owner has more than `most`.
fn make_room(c: &mut AnyConnection, opened: &Session, most: u32, now: Timestamp) -> Result<()> {
    const REASON: EndedReason = EndedReason::Limit;

    let beyond = store::beyond(c, opened.user_id, opened.id, most, now)?;
    if beyond.is_empty() {
        return Ok(());
    }
    let end = End {
        reason: REASON,
        by: Some(opened.id),
        at: now,
    };
    let ended = store::end_these(c, opened.user_id, &beyond, end)?;
    super::end::record(c, &ended, REASON, &origin(opened), now)
}

fn origin(session: &Session) -> Origin {
    Origin {
        user: Some(session.user_id),
        session: Some(session.id),
        ip: session.ip_address.clone(),
    }
}
