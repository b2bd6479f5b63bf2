//! Opening: a sign-in becomes a row.

use std::time::Duration;

use super::store::{self, End, NewSession};
use super::values::{DeviceId, DeviceName, EndedReason, Jti, OpenedVia, Stay};
use super::{Session, Sessions, journey, newness};
use crate::alerts;
use crate::db::{AnyConnection, SessionId, Timestamp};
use crate::devices::{self, DeviceFacts, Location, naming};
use crate::error::Result;
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::people::{self, User};
use crate::text;

/// Characters of a user agent that are kept.
const USER_AGENT_LIMIT: usize = 500;

/// A person's sessions that are looked at to tell what is new, live and ended, of each.
pub(super) const REMEMBERED: i64 = 200;

/// What a request tells of the device it comes from.
#[derive(Debug, Clone)]
pub struct Client {
    /// Where it is.
    pub location: Location,
    /// Its user agent, cleaned and cut to 500 characters.
    pub user_agent: Option<String>,
    /// What the user agent tells.
    pub facts: DeviceFacts,
}

impl Client {
    /// A client at `location` with a user agent as sent.
    pub fn new(location: Location, user_agent: Option<&str>, facts: DeviceFacts) -> Self {
        let user_agent = user_agent
            .map(text::clean)
            .filter(|agent| !agent.is_empty());
        let user_agent = user_agent.map(|agent| text::cut(&agent, USER_AGENT_LIMIT).to_owned());
        Self {
            location,
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
    pub async fn open(&self, user: &User, mut opening: Opening) -> Result<Session> {
        let now = self.clock.now();
        let jti = Jti::random()?;
        let absolute_end = self.policy.absolute_end(opening.stay, now);
        let idle = self.policy.idle_limit(opening.stay, user.idle_limit());
        let expires_at = absolute_end.min(now + idle);
        let most = self.policy.most_per_person;
        let user = user.clone();
        let raising = self.alerts.clone();
        self.db
            .transaction(move |c| {
                people::hold(c, &user)?;
                // They may have chosen since the password was looked at.
                let keeping = people::address_keeping(c, user.id)?;
                opening.client.location = opening.client.location.kept(keeping);
                let device = see_device(c, &user, &opening, now)?;
                let session = insert(
                    c,
                    &user,
                    &opening,
                    device.name.as_deref(),
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
                let mut seen = store::seen_of(c, user.id, Some(session.id), REMEMBERED)?;
                let disowned = alerts::disowned_sessions(c, user.id)?;
                let is_first = seen.is_empty()
                    && !devices::store::has_others(c, user.id, session.device_id.as_deref())?;
                seen.retain(|before| !disowned.contains(&before.id));
                note_journey(c, &session, &seen, now)?;
                let news = newness::of(&session, device.is_known, &seen);
                if let Some(kind) = news.filter(|_| !is_first) {
                    raising.raise(c, &user, (kind, session.scene()), now)?;
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
    given_name: Option<&str>,
    jti: &Jti,
    times: Times,
) -> Result<Session> {
    let Client {
        location,
        user_agent,
        facts,
    } = &opening.client;
    let Location { ip, place } = location;
    let derived = naming::name(facts);
    let told = opening.device_name.as_ref().map(DeviceName::as_str);
    let row = NewSession {
        id: SessionId::new(times.now),
        user_id: user.id,
        refresh_token_jti: jti.as_str(),
        device_name: given_name.or(told).unwrap_or(&derived),
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
        location_city: place.city.as_deref(),
        location_country: place.country.as_deref(),
        location_point: place.point.map(|point| point.to_string()),
    };
    store::insert(c, &row)
}

/// What is known of the device that somebody signs in on.
#[derive(Default)]
struct Seen {
    is_known: bool,
    name: Option<String>,
}

/// Notes the sign-in on a device that names itself.
fn see_device(
    c: &mut AnyConnection,
    user: &User,
    opening: &Opening,
    now: Timestamp,
) -> Result<Seen> {
    let Some(id) = &opening.device_id else {
        return Ok(Seen::default());
    };
    let is_known = devices::store::find(c, user.id, id.as_str())?.is_some();
    let name = devices::store::see(c, user.id, id.as_str(), now)?.name;
    Ok(Seen { is_known, name })
}

/// Records a journey from where the person was last that nobody can have made.
fn note_journey(
    c: &mut AnyConnection,
    opened: &Session,
    seen: &[Session],
    now: Timestamp,
) -> Result<()> {
    let placed = seen.iter().filter(|before| before.location_point.is_some());
    let Some(last) = placed.max_by_key(|before| before.last_used_at) else {
        return Ok(());
    };
    let here = Location {
        ip: opened.ip_address.clone(),
        place: opened.place(),
    };
    match journey::from(last).to(&here, now) {
        Some(journey) => journey::record(c, opened, journey, &origin(opened), now),
        None => Ok(()),
    }
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
