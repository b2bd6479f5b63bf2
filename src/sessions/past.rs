//! Sessions of the past, for sample data: inserted with what happened to them since, in bulk, where
//! everything else of a session happens at the present time.

use super::create::{self, Lifetime};
use super::impossible_travel::{self, Waypoint};
use super::store::{self, LastUse, SessionEnd};
use super::values::{EndedReason, Jti};
use super::{NewSession, Session, Sessions, record_ended};
use crate::alerts::{AlertContext, AlertKind};
use crate::clock::Timestamp;
use crate::db::AnyConnection;
use crate::error::Result;
use crate::events::Origin;
use crate::geo::Location;
use crate::people::User;

/// A session that was created in the past.
#[derive(Debug)]
pub struct PastSession {
    /// How it was created.
    pub new: NewSession,
    /// When it was created.
    pub at: Timestamp,
    /// When and where it was last used.
    pub last_use: (Timestamp, Location),
    /// When and why it ended, if it did. Of one that has expired, the sweep finds that out.
    pub end: Option<(Timestamp, EndedReason)>,
    /// Where a copy of its token was used, if that ended it.
    pub copy_used: Option<Location>,
}

impl Sessions {
    /// Inserts sessions of the past with their events, in one transaction. No sign-in is compared
    /// with others, so none raises an alert; token reuse does.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; then
    /// none is inserted.
    pub async fn insert_past(&self, past: Vec<(User, PastSession)>) -> Result<()> {
        let sessions = self.clone();
        self.db
            .transaction(move |c| {
                past.iter()
                    .try_for_each(|(user, session)| sessions.insert_one_past(c, user, session))
            })
            .await
    }

    fn insert_one_past(
        &self,
        c: &mut AnyConnection,
        user: &User,
        past: &PastSession,
    ) -> Result<()> {
        let persistence = past.new.persistence;
        let lifetime = Lifetime {
            now: past.at,
            idle: self.idle_limits().limit(persistence, user.idle_limit()),
            absolute_expires_at: self.policy.absolute_expiry(persistence, past.at),
        };
        let device = create::record_device(c, user, &past.new, past.at)?;
        let session = create::insert(c, user, &past.new, &device, &Jti::random()?, lifetime)?;
        let origin = create::origin(&session, &past.new);
        create::record_sign_in(c, &session, &origin, past.at)?;
        record_last_use(c, &session, past)?;
        match past.end {
            Some(end) => self.end_past(c, user, &session, (end, past.copy_used.clone())),
            None => Ok(()),
        }
    }

    fn end_past(
        &self,
        c: &mut AnyConnection,
        user: &User,
        session: &Session,
        ((at, reason), copy_used): ((Timestamp, EndedReason), Option<Location>),
    ) -> Result<()> {
        let origin = match reason {
            EndedReason::SignedOut => Origin {
                user: Some(user.id),
                session: Some(session.id),
                ip: session.ip_address.clone(),
                ..Origin::default()
            },
            EndedReason::SignedOutRemotely | EndedReason::Replaced => Origin {
                user: Some(user.id),
                ..Origin::default()
            },
            _ => Origin::default(),
        };
        let end = SessionEnd::by(&origin, reason, at);
        let Some(ended) = store::end(c, user.id, session.id, end)? else {
            return Ok(());
        };
        let location = copy_used.unwrap_or_default();
        let context = AlertContext {
            before: Waypoint::from_last_use(&ended).before(&location.place, at),
            location,
            ..ended.end_alert_context()
        };
        record_ended(c, &[ended], reason, &origin, at)?;
        match reason {
            EndedReason::ReuseDetected => {
                self.alerts
                    .raise(c, user, (AlertKind::TokenReuse, context), at)
            }
            _ => Ok(()),
        }
    }
}

fn record_last_use(c: &mut AnyConnection, session: &Session, past: &PastSession) -> Result<()> {
    let (at, location) = past.last_use.clone();
    if let Some(travel) = Waypoint::from_last_use(session).travel_to(&location, at) {
        let (owned, ip) = ((session.user_id, session.id), location.ip.as_deref());
        impossible_travel::record(c, owned, travel.to_string(), ip, at)?;
    }
    let used = LastUse {
        user_id: session.user_id,
        session_id: session.id,
        at,
        location,
        travel: None,
    };
    store::update_last_use(c, &used).map(drop)
}
