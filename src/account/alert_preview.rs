//! What the report of an alert would end, for the page that asks.

use super::Accounts;
use super::alert_review::{Candidates, RevokeScope};
use crate::alerts::{self, Alert};
use crate::db::{AlertId, SessionId, UserId};
use crate::error::Result;
use crate::sessions::{Session, is_same_device};

/// What the report of an alert would end besides the device that the alert is about.
#[derive(Debug, Clone)]
pub struct ReportPreview {
    /// The alert.
    pub alert: AlertId,
    /// The live sessions that are in doubt with it.
    pub besides: Vec<Session>,
    /// Those of every other open alert about a sign-in, if they end as well.
    pub unconfirmed: Vec<Session>,
}

impl Accounts {
    /// Returns what the reports of these alerts would end, each by itself. `from` is the session they are
    /// reported from, if any. The caller bounds their number.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn preview_reports(
        &self,
        owner: UserId,
        from: Option<SessionId>,
        alerts: Vec<Alert>,
    ) -> Result<Vec<ReportPreview>> {
        if alerts.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        self.db
            .read(move |c| {
                let open = alerts::list_open(c, owner, now)?;
                let candidates = Candidates::load(c, owner, &open, from)?;
                let live = |alert: &Alert, scope| -> Vec<Session> {
                    let mut ended = candidates.list_doubtful(alert, scope, &open);
                    let subjects: Vec<Session> = ended
                        .iter()
                        .filter(|session| alert.session_id == Some(session.id))
                        .cloned()
                        .collect();
                    let is_on_subject = |session: &Session| {
                        subjects
                            .iter()
                            .any(|it| it.id == session.id || is_same_device(it, session))
                    };
                    ended.retain(|session| session.is_live(now) && !is_on_subject(session));
                    ended
                };
                let preview = |alert: &Alert| {
                    let besides = live(alert, RevokeScope::Alert);
                    let mut unconfirmed = live(alert, RevokeScope::AllUnconfirmed);
                    unconfirmed.retain(|session| besides.iter().all(|it| it.id != session.id));
                    ReportPreview {
                        alert: alert.id,
                        besides,
                        unconfirmed,
                    }
                };
                Ok(alerts.iter().map(preview).collect())
            })
            .await
    }
}
