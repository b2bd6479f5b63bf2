//! What needs a person's attention: alerts that they may review, and notices of what administrators
//! did, which they only read.

use std::collections::HashSet;

use super::Accounts;
use super::device_names::Doubts;
use super::links::Links;
use super::review_record::record_review;
use super::trust::TrustBasis;
use crate::alerts::{self, Alert, AlertKind, AlertReview, Settlement};
use crate::clock::Timestamp;
use crate::db::{AlertId, AnyConnection, SessionId};
use crate::error::{Error, Result};
use crate::sessions::{Caller, Session};

/// What a person should know of.
#[derive(Debug, Clone, Default)]
pub struct Attention {
    /// The alerts that the caller may confirm or report, newest first.
    pub alerts: Vec<Alert>,
    /// What administrators did to the account, newest first, until somebody has dismissed it.
    pub notices: Vec<Alert>,
    /// Whether the caller's device is in doubt, and so may answer nothing and dismiss no notice.
    pub is_in_doubt: bool,
    /// Whether there are open alerts that the caller may not review here.
    pub withheld: Withheld,
    /// The sessions whose own sign-ins wait for an answer: each may be anybody's who states the id of a
    /// device. None where the caller is in doubt, who is not to learn that.
    pub unconfirmed: HashSet<SessionId>,
    /// The sessions that are in doubt, those among them: whoever that is names their device as they like.
    pub doubts: Doubts,
}

/// Whether there are open alerts that a caller may not review, and what can be done about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Withheld {
    /// There are none.
    #[default]
    Nowhere,
    /// The caller's own sign-in is unconfirmed. It may be an intruder's, who is not to learn that it was
    /// noticed.
    FromDoubtful,
    /// A device that may review them is signed in.
    ForOlderDevice,
    /// None is, but the link in the message about one still works, if there was a message.
    ForLink,
    /// Neither is there.
    ForNobody,
}

impl Attention {
    /// Returns how many things that are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.alerts.len() + self.notices.len()
    }

    /// Returns whether an open alert is said here, or is not to be: a device in doubt is told nothing of it.
    pub(super) fn covers(&self, alert: &Alert) -> bool {
        self.withheld == Withheld::FromDoubtful || self.alerts.iter().any(|it| it.id == alert.id)
    }
}

impl Accounts {
    /// Lists the open alerts that a caller may review, and what administrators did lately. An
    /// intruder may have signed in more than once, so an alert may be reviewed only on a device that
    /// was known before it, never on the device it is about. While the caller's device is in doubt, it may
    /// review none, and dismiss no notice.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_attention(&self, caller: &Caller) -> Result<Attention> {
        let now = self.clock.now();
        let session = caller.session_here();
        let password_changed_at = caller.user.password_changed_at;
        let links = self.links(&caller.user, now);
        self.db
            .read(move |c| {
                let unread = alerts::list_unread(c, session.user_id, now)?;
                let (notices, open): (Vec<Alert>, Vec<Alert>) =
                    unread.into_iter().partition(|alert| alert.kind.is_notice());
                match open.is_empty() {
                    true => Ok(Attention {
                        is_in_doubt: false,
                        withheld: Withheld::Nowhere,
                        unconfirmed: HashSet::new(),
                        doubts: Doubts::default(),
                        alerts: open,
                        notices,
                    }),
                    false => {
                        let here = (&session, password_changed_at);
                        reviewable(c, here, (open, notices), (now, links))
                    }
                }
            })
            .await
    }

    /// Dismisses a notice of what an administrator did: the caller has read it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when they have no such open notice, or may not dismiss it.
    pub async fn dismiss_notice(&self, caller: &Caller, id: AlertId) -> Result<()> {
        let attention = self.list_attention(caller).await?;
        let is_open = attention.notices.iter().any(|notice| notice.id == id);
        if attention.is_in_doubt || !is_open {
            return Err(Error::NotFound);
        }
        let (owner, now, origin) = (caller.user.id, self.clock.now(), caller.origin());
        self.db
            .transaction(move |c| {
                let settlement = Settlement::of(id, AlertReview::Confirmed, now);
                alerts::review(c, owner, id, settlement)?.ok_or(Error::NotFound)?;
                record_review(c, owner, "dismissed", &origin, now)
            })
            .await
    }
}

/// Returns those of the open alerts that may be reviewed in `session`, and the notices.
fn reviewable(
    c: &mut AnyConnection,
    (session, password_changed_at): (&Session, Timestamp),
    (mut open, notices): (Vec<Alert>, Vec<Alert>),
    (now, links): (Timestamp, Links),
) -> Result<Attention> {
    let basis = TrustBasis::load(c, session.user_id, &open, Some(session))?;
    if basis.is_unconfirmed(session) {
        return Ok(Attention {
            notices,
            withheld: Withheld::FromDoubtful,
            is_in_doubt: true,
            ..Attention::default()
        });
    }
    let sign_ins = open.iter().filter(|alert| alert.kind.is_sign_in());
    let unconfirmed = sign_ins.filter_map(|alert| alert.session_id).collect();
    let is_in_doubt = basis.is_in_doubt(session);
    // Whoever is in doubt is not to learn of others that are.
    let (unconfirmed, doubts) = match is_in_doubt {
        true => (HashSet::new(), Doubts::default()),
        false => (unconfirmed, Doubts::of(&basis, now)),
    };
    let mut withheld = open.clone();
    open.retain(|alert| basis.may_review(session, alert));
    withheld.retain(|alert| {
        let is_shown = open.iter().any(|shown| shown.id == alert.id);
        // Once there is a new password, what no device can answer any more is past.
        let is_past = alert.at < password_changed_at && !basis.has_reviewer(alert, session.id, now);
        !is_shown && !is_past && !is_no_news(alert, &basis, (session, now))
    });
    Ok(Attention {
        is_in_doubt,
        withheld: withheld_for(&withheld, &basis, (session, now), links),
        unconfirmed,
        doubts,
        alerts: open,
        notices,
    })
}

/// Returns whether an alert is no news in `session`: what was changed there isn't, nor where a device was, if
/// no other one can answer.
fn is_no_news(alert: &Alert, basis: &TrustBasis, (session, now): (&Session, Timestamp)) -> bool {
    match alert.kind {
        AlertKind::TwoPlaces | AlertKind::CopyRefused => {
            !basis.has_reviewer(alert, session.id, now)
        }
        kind if kind.is_sign_in() || kind.is_end() => false,
        _ => alert.session_id == Some(session.id),
    }
}

/// Returns who may review the alerts that the caller may not: another live session of the person, or who
/// has the message about one.
fn withheld_for(
    withheld: &[Alert],
    basis: &TrustBasis,
    (session, now): (&Session, Timestamp),
    links: Links,
) -> Withheld {
    let has_reviewer = |alert: &Alert| basis.has_reviewer(alert, session.id, now);
    match withheld {
        [] => Withheld::Nowhere,
        all if all.iter().any(has_reviewer) => Withheld::ForOlderDevice,
        all if all.iter().any(|alert| links.can_answer(alert)) => Withheld::ForLink,
        _ => Withheld::ForNobody,
    }
}
