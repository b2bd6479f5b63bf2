//! What the report of alerts would do, for the page that asks.

use super::Accounts;
use super::alert_review::{Candidates, RevokeScope};
use super::linked_message::find_undoing;
use crate::alerts::{self, Alert};
use crate::clock::Timestamp;
use crate::db::{AlertId, AnyConnection, SessionId, UserId};
use crate::error::Result;
use crate::sessions::Session;

/// What the report of alerts would do.
#[derive(Debug, Clone, Default)]
pub struct ReportPreview {
    /// The alerts.
    pub alerts: Vec<AlertId>,
    /// The live sessions on the devices that the alerts are about, which end.
    pub subjects: Vec<Session>,
    /// The live sessions from before that count as on the device of a sign-in, which end as well.
    pub before: Vec<Session>,
    /// The live sessions that are in doubt with them, which end as well.
    pub besides: Vec<Session>,
    /// Those of every other open alert about a sign-in, if they end as well.
    pub unconfirmed: Vec<Session>,
    /// The live sessions that stay on the devices of all those unless the unconfirmed end, the one first by which
    /// each is shown.
    pub staying: Vec<Session>,
    /// The former e-mail that the account gets back, if it does: then every session ends.
    pub restored_email: Option<String>,
    /// Whether the e-mail was changed again after the change that one of the alerts is about.
    pub is_email_changed_since: bool,
    /// Whether it gets one back if what is unconfirmed ends as well.
    pub restores_with_unconfirmed: bool,
}

impl Accounts {
    /// Returns what the reports of these alerts would do, each by itself. `from` is the session they are
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
                let basis = Basis::load(c, (owner, from), now)?;
                let each = alerts.chunks(1);
                each.map(|alerts| basis.preview(c, alerts)).collect()
            })
            .await
    }

    /// Returns what the report of these alerts at once would do, by the link in a message.
    ///
    /// # Errors
    /// As [`Accounts::preview_reports`].
    pub async fn preview_report(&self, owner: UserId, alerts: Vec<Alert>) -> Result<ReportPreview> {
        let now = self.clock.now();
        self.db
            .read(move |c| Basis::load(c, (owner, None), now)?.preview(c, &alerts))
            .await
    }
}

/// What the reports of a person are worked out from.
struct Basis {
    owner: UserId,
    open: Vec<Alert>,
    candidates: Candidates,
    now: Timestamp,
}

impl Basis {
    fn load(
        c: &mut AnyConnection,
        (owner, from): (UserId, Option<SessionId>),
        now: Timestamp,
    ) -> Result<Self> {
        let open = alerts::list_open(c, owner, now)?;
        Ok(Self {
            owner,
            candidates: Candidates::load(c, owner, &open, from)?,
            open,
            now,
        })
    }

    fn preview(&self, c: &mut AnyConnection, alerts: &[Alert]) -> Result<ReportPreview> {
        let about = self.candidates.list_about(alerts);
        let (its, besides): (Vec<_>, Vec<_>) = self
            .list_live(alerts, RevokeScope::Alert)
            .into_iter()
            .partition(|session| about.iter().any(|about| about.covers(session)));
        let is_before = |session: &Session| {
            let mut its = about.iter().filter(|about| about.covers(session));
            its.all(|about| about.is_before(session))
        };
        let (before, subjects): (Vec<_>, Vec<_>) = its.into_iter().partition(is_before);
        let mut unconfirmed = self.list_live(alerts, RevokeScope::AllUnconfirmed);
        let ends = |session: &Session| {
            let mut ended = subjects.iter().chain(&before).chain(&besides);
            ended.any(|it| it.id == session.id)
        };
        unconfirmed.retain(|session| !ends(session));
        let ending = subjects.iter().chain(&before).chain(&besides);
        let ending: Vec<&Session> = ending.chain(&unconfirmed).collect();
        let staying = self.candidates.list_staying(&ending, ends, self.now);
        let with_all = self.find_restored(c, alerts, RevokeScope::AllUnconfirmed)?;
        Ok(ReportPreview {
            alerts: alerts.iter().map(|alert| alert.id).collect(),
            subjects,
            before,
            besides,
            unconfirmed,
            staying,
            restored_email: self.find_restored(c, alerts, RevokeScope::Alert)?,
            is_email_changed_since: self.candidates.is_email_changed_since(alerts),
            restores_with_unconfirmed: with_all.is_some(),
        })
    }

    fn list_live(&self, alerts: &[Alert], scope: RevokeScope) -> Vec<Session> {
        let mut ended = self.candidates.list_doubtful(alerts, scope, &self.open);
        ended.retain(|session| session.is_live(self.now));
        ended
    }

    fn find_restored(
        &self,
        c: &mut AnyConnection,
        alerts: &[Alert],
        scope: RevokeScope,
    ) -> Result<Option<String>> {
        let undone = self.candidates.list_undone(alerts, scope, &self.open);
        let former = find_undoing(c, self.owner, &undone, self.now)?;
        Ok(former.map(|former| former.email))
    }
}
