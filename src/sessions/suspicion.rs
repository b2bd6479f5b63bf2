//! What a person says to an alert: that it was them, or that it was not; then what was opened is
//! ended, and its device forgotten.

use super::end::record;
use super::store::{self, End};
use super::values::EndedReason;
use super::{Caller, Session, Sessions};
use crate::alerts::{self, Alert, Answer, Scene};
use crate::db::{AlertId, AnyConnection, SessionId, Timestamp, UserId};
use crate::devices::{self, Location};
use crate::error::{Error, Result};
use crate::events::Origin;

/// How much is ended by "This wasn't me".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// What the alert is about.
    This,
    /// Every sign-in that nobody has said "It was me" to.
    AllUnknown,
}

impl Session {
    /// The session as the scene of something.
    pub(crate) fn scene(&self) -> Scene {
        Scene {
            session: Some(self.id),
            device_name: self.label(),
            device_kind: self.device_kind,
            location: Location {
                ip: self.ip_address.clone(),
                place: self.place(),
            },
        }
    }
}

impl Caller {
    /// The caller's session, where it is used from now.
    pub fn scene(&self) -> Scene {
        Scene {
            location: self.location.clone(),
            ..self.session.scene()
        }
    }
}

impl Sessions {
    /// The open alerts that a caller may see and answer. Whoever raised one may have signed in more than
    /// once, so only a device that was known before it has a say: none about its own session, and none
    /// at all from a session that is itself in doubt.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn alerts_for(&self, caller: &Caller) -> Result<Vec<Alert>> {
        let now = self.clock.now();
        let session = caller.session.clone();
        self.db
            .read(move |c| {
                let mut open = alerts::open_of(c, session.user_id, now)?;
                if open.is_empty() {
                    return Ok(open);
                }
                let is_own = |alert: &Alert| alert.session_id == Some(session.id);
                if open
                    .iter()
                    .any(|alert| is_own(alert) && alert.kind.is_sign_in())
                {
                    return Ok(Vec::new());
                }
                let known_since = known_since(c, &session)?;
                open.retain(|alert| !is_own(alert) && known_since < alert.at);
                Ok(open)
            })
            .await
    }

    /// The person says that it was them.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the alert isn't one for the caller to answer.
    pub async fn own_up(&self, caller: &Caller, id: AlertId) -> Result<Alert> {
        let alert = self.answerable(caller, id).await?;
        self.own_up_by_link(&alert).await
    }

    /// The same, said by the link of an e-mail.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the alert was answered already.
    pub async fn own_up_by_link(&self, alert: &Alert) -> Result<Alert> {
        let now = self.clock.now();
        let (owner, id) = (alert.user_id, alert.id);
        self.db
            .transaction(move |c| {
                alerts::answer(c, owner, id, Answer::Mine, now)?.ok_or(Error::NotFound)
            })
            .await
    }

    /// The person says that it was not them. Answers with the sessions that ended.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the alert isn't one for the caller to answer.
    pub async fn disown(&self, caller: &Caller, id: AlertId) -> Result<Vec<Session>> {
        let alert = self.answerable(caller, id).await?;
        self.disown_from(&alert, Reach::This, caller.origin()).await
    }

    /// The same, said by the link of an e-mail: that works once.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the alert was answered already.
    pub async fn disown_from(
        &self,
        alert: &Alert,
        reach: Reach,
        origin: Origin,
    ) -> Result<Vec<Session>> {
        let at = self.clock.now();
        let (owner, id) = (alert.user_id, alert.id);
        self.db
            .transaction(move |c| {
                let mut doubtful = match reach {
                    Reach::This => Vec::new(),
                    Reach::AllUnknown => alerts::unconfirmed_sessions(c, owner, at)?,
                };
                let alert =
                    alerts::answer(c, owner, id, Answer::NotMine, at)?.ok_or(Error::NotFound)?;
                doubtful.extend(alert.session_id);
                end_doubtful(c, owner, &doubtful, &origin, at)
            })
            .await
    }

    async fn answerable(&self, caller: &Caller, id: AlertId) -> Result<Alert> {
        let open = self.alerts_for(caller).await?;
        open.into_iter()
            .find(|alert| alert.id == id)
            .ok_or(Error::NotFound)
    }
}

/// Since when the device of a session is known, or else the session itself.
fn known_since(c: &mut AnyConnection, session: &Session) -> Result<Timestamp> {
    let device = match &session.device_id {
        Some(id) => devices::store::find(c, session.user_id, id)?,
        None => None,
    };
    Ok(device.map_or(session.created_at, |device| device.first_seen_at))
}

/// Ends the sessions with all others of their devices, and forgets the devices.
fn end_doubtful(
    c: &mut AnyConnection,
    owner: UserId,
    doubtful: &[SessionId],
    origin: &Origin,
    at: Timestamp,
) -> Result<Vec<Session>> {
    const REASON: EndedReason = EndedReason::SignedOutRemotely;

    let end = End {
        reason: REASON,
        by: origin.session,
        at,
    };
    let mut ended = Vec::new();
    for id in doubtful {
        let Some(session) = store::of_owner(c, owner, *id)? else {
            continue;
        };
        ended.extend(store::end(c, owner, *id, end)?);
        if let Some(device) = session.device_id {
            ended.extend(store::end_device(c, owner, &device, origin.session, end)?);
            devices::store::forget(c, owner, &device)?;
        }
    }
    record(c, &ended, REASON, origin, at)?;
    Ok(ended)
}
