//! What a person says to an alert: that it was them, or that it was not; then what was opened is
//! ended, and its device forgotten.

use std::collections::BTreeSet;

use super::end::record;
use super::newness;
use super::open::REMEMBERED;
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
    /// at all from a device that is itself in doubt.
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
                let others = store::seen_of(c, session.user_id, Some(session.id), REMEMBERED)?;
                let is_here = |alert: &Alert| {
                    let of_alert = |other: &&Session| alert.session_id == Some(other.id);
                    alert.session_id == Some(session.id)
                        || others
                            .iter()
                            .find(of_alert)
                            .is_some_and(|other| newness::is_same_device(other, &session))
                };
                if open
                    .iter()
                    .any(|alert| alert.kind.is_sign_in() && is_here(alert))
                {
                    return Ok(Vec::new());
                }
                let known = undoubted(c, &others, &open)?;
                open.retain(|alert| {
                    !is_here(alert) && newness::is_trusted(&session, alert.at, &known)
                });
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
                let open = alerts::open_of(c, owner, at)?;
                let alert =
                    alerts::answer(c, owner, id, Answer::NotMine, at)?.ok_or(Error::NotFound)?;
                alerts::take_back(c, &alert, at)?;
                let doubtful = doubtful(c, &alert, reach, &open, &origin)?;
                let ended = end_doubtful(c, owner, &doubtful, &origin, at)?;
                for other in open.iter().filter(|other| tells_of(other, &ended)) {
                    if alerts::answer(c, owner, other.id, Answer::NotMine, at)?.is_some() {
                        alerts::take_back(c, other, at)?;
                    }
                }
                Ok(ended)
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

/// Of a person's sessions those that nobody has doubts about.
fn undoubted(c: &mut AnyConnection, sessions: &[Session], open: &[Alert]) -> Result<Vec<Session>> {
    let Some(owner) = sessions.first().map(|session| session.user_id) else {
        return Ok(Vec::new());
    };
    let disowned = alerts::disowned_sessions(c, owner)?;
    let in_doubt = |session: &&Session| {
        let is_of = |alert: &Alert| alert.kind.is_sign_in() && alert.session_id == Some(session.id);
        disowned.contains(&session.id) || open.iter().any(is_of)
    };
    let known = sessions.iter().filter(|session| !in_doubt(session));
    Ok(known.cloned().collect())
}

/// The sessions that end with what `alert` is about: the same device's, and those opened since that no
/// known device can have opened. `origin` is where it was said.
fn doubtful(
    c: &mut AnyConnection,
    alert: &Alert,
    reach: Reach,
    open: &[Alert],
    origin: &Origin,
) -> Result<Vec<Session>> {
    let all = store::seen_of(c, alert.user_id, origin.session, REMEMBERED)?;
    let known = undoubted(c, &all, open)?;
    let accused: Vec<&Session> = all
        .iter()
        .filter(|session| {
            let is_of = |other: &Alert| other.session_id == Some(session.id);
            let is_unknown = || {
                open.iter()
                    .any(|other| other.kind.is_sign_in() && is_of(other))
            };
            is_of(alert) || (reach == Reach::AllUnknown && is_unknown())
        })
        .collect();
    let is_accused = |session: &Session| {
        accused
            .iter()
            .any(|accused| accused.id == session.id || newness::is_same_device(accused, session))
    };
    let came_after = |session: &Session| {
        session.created_at >= alert.at && !newness::is_trusted(session, alert.at, &known)
    };
    let ended = all
        .iter()
        .filter(|session| is_accused(session) || came_after(session));
    Ok(ended.cloned().collect())
}

/// Whether an alert is about one of these sessions.
fn tells_of(alert: &Alert, sessions: &[Session]) -> bool {
    sessions
        .iter()
        .any(|session| alert.session_id == Some(session.id))
}

/// Ends those of the sessions that are live, and forgets their devices.
fn end_doubtful(
    c: &mut AnyConnection,
    owner: UserId,
    doubtful: &[Session],
    origin: &Origin,
    at: Timestamp,
) -> Result<Vec<Session>> {
    const REASON: EndedReason = EndedReason::SignedOutRemotely;

    let end = End {
        reason: REASON,
        by: origin.session,
        at,
    };
    let devices: BTreeSet<&str> = doubtful
        .iter()
        .filter_map(|session| session.device_id.as_deref())
        .collect();
    // Devices before sessions: the order of a sign-in.
    for device in devices {
        devices::store::forget(c, owner, device)?;
    }
    let ids: Vec<SessionId> = doubtful.iter().map(|session| session.id).collect();
    let ended = store::end_these(c, owner, &ids, end)?;
    record(c, &ended, REASON, origin, at)?;
    Ok(ended)
}
