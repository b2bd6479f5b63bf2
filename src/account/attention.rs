//! What needs a person's attention: alerts that they may review, and notices of what administrators
//! did, which they only read.

use super::Accounts;
use super::alert_review::{list_trusted, record_review};
use crate::alerts::{self, Alert, AlertReview, Settlement};
use crate::db::{AlertId, AnyConnection};
use crate::error::{Error, Result};
use crate::sessions::{self, Caller, RECENT_LIMIT, Session, is_same_device, is_trusted};

/// What a person should know of.
#[derive(Debug, Clone, Default)]
pub struct Attention {
    /// The alerts that the caller may confirm or report, newest first.
    pub alerts: Vec<Alert>,
    /// What administrators did to the account, newest first, until somebody has dismissed it.
    pub notices: Vec<Alert>,
    /// Whether the caller may dismiss a notice.
    pub may_dismiss: bool,
    /// Whether there are open alerts that the caller may not review here.
    pub has_withheld: bool,
}

impl Attention {
    /// Returns how many things that are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.alerts.len() + self.notices.len()
    }
}

impl Accounts {
    /// Lists the open alerts that a caller may review, and what administrators did lately. An
    /// intruder may have signed in more than once, so an alert may be reviewed only on a device that
    /// was known before it, never on the device it is about. While the caller's device is the subject
    /// of an alert about a sign-in, it may review none, and dismiss no notice.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_attention(&self, caller: &Caller) -> Result<Attention> {
        let now = self.clock.now();
        let session = caller.session.clone();
        self.db
            .read(move |c| {
                let unread = alerts::list_unread(c, session.user_id, now)?;
                let (notices, open): (Vec<Alert>, Vec<Alert>) =
                    unread.into_iter().partition(|alert| alert.kind.is_notice());
                match open.is_empty() {
                    true => Ok(Attention {
                        may_dismiss: true,
                        has_withheld: false,
                        alerts: open,
                        notices,
                    }),
                    false => reviewable(c, &session, (open, notices)),
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
        if !attention.may_dismiss || !is_open {
            return Err(Error::NotFound);
        }
        let (owner, now, origin) = (caller.user.id, self.clock.now(), caller.origin());
        self.db
            .transaction(move |c| {
                let settlement = Settlement::of(id, AlertReview::Confirmed, now);
                alerts::store::review(c, owner, id, settlement)?.ok_or(Error::NotFound)?;
                record_review(c, owner, "dismissed", &origin, now)
            })
            .await
    }
}

/// Returns those of the open alerts that may be reviewed in `session`, and the notices.
fn reviewable(
    c: &mut AnyConnection,
    session: &Session,
    (mut open, notices): (Vec<Alert>, Vec<Alert>),
) -> Result<Attention> {
    let others = sessions::store::list_recent(c, session.user_id, Some(session.id), RECENT_LIMIT)?;
    let is_about_this_device = |alert: &Alert| {
        let subject = others
            .iter()
            .find(|other| alert.session_id == Some(other.id));
        alert.session_id == Some(session.id)
            || subject.is_some_and(|subject| is_same_device(subject, session))
    };
    let is_in_doubt = open
        .iter()
        .any(|alert| alert.kind.is_sign_in() && is_about_this_device(alert));
    if is_in_doubt {
        return Ok(Attention {
            notices,
            has_withheld: true,
            ..Attention::default()
        });
    }
    let trusted = list_trusted(c, &others, &open)?;
    let is_reviewable =
        |alert: &Alert| !is_about_this_device(alert) && is_trusted(session, alert.at, &trusted);
    // What was changed here is not news here.
    let is_own_change = |alert: &Alert| {
        let is_change = !alert.kind.is_sign_in() && !alert.kind.is_end();
        is_change && alert.session_id == Some(session.id)
    };
    let has_withheld = open
        .iter()
        .any(|alert| !is_reviewable(alert) && !is_own_change(alert));
    open.retain(is_reviewable);
    Ok(Attention {
        may_dismiss: true,
        has_withheld,
        alerts: open,
        notices,
    })
}
