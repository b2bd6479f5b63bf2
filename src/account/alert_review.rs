//! The review of alerts: a person confirms an alert, or reports it as not theirs. A report ends the
//! sessions in question, and their devices are no longer known.

use std::collections::BTreeSet;

use super::Accounts;
use super::about::About;
use super::credentials::secure_orders;
use super::device_names::Doubts;
use super::emails::cancel_pending_change;
use super::exemption::Exemption;
use super::linked_message::{Reported, UnchangedEmail, find_undoing};
use super::review_record::{CONFIRMED, REPORTED, record_review};
use super::take_back::TakeBack;
use super::trust::{TrustBasis, get_reviewable};
use crate::alerts::{self, Alert, AlertReview, Confirmer, EmailChange, Settlement};
use crate::clock::Timestamp;
use crate::db::{AlertId, AnyConnection, SessionId, UserId};
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::people::User;
use crate::people::store::FormerEmail;
use crate::sessions::{
    self, Caller, EndedReason, IdleLimits, Session, record_ended, store::SessionEnd,
};
use crate::{devices, people};

/// Which sessions end when an alert is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokeScope {
    /// The session that the alert is about, and those that may be the same intruder's.
    Alert,
    /// Also those of every open alert about a sign-in.
    AllUnconfirmed,
}

impl Accounts {
    /// Confirms an alert: what it reports was the caller.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the caller may not review the alert; [`Error::Unauthenticated`] when their session
    /// has ended meanwhile.
    pub async fn confirm_alert(&self, caller: &Caller, id: AlertId) -> Result<Alert> {
        let (now, origin, here) = (self.clock.now(), caller.origin(), caller.session_here());
        let confirmer = Confirmer::Session(caller.session.id);
        self.db
            .transaction(move |c| {
                people::store::lock(c, here.user_id)?;
                let exemption = Exemption::lock(c, here.user_id)?;
                let alert = get_reviewable(c, &here, id, now)?;
                let settlement = Settlement::confirmed(id, confirmer, now);
                let reviewed = alerts::review(c, alert.user_id, id, settlement)?;
                exemption.cover_confirmed(c, now)?;
                record_review(c, alert.user_id, CONFIRMED, &origin, now)?;
                reviewed.ok_or(Error::NotFound)
            })
            .await
    }

    /// Confirms those of the alerts that are open, by the link in a message about them. A changed e-mail is
    /// confirmed by no link to the new address.
    ///
    /// # Errors
    /// [`Error::NotFound`] when none is.
    pub async fn confirm_alerts(&self, alerts: Vec<Alert>) -> Result<()> {
        let now = self.clock.now();
        let owner = alerts.first().ok_or(Error::NotFound)?.user_id;
        self.db
            .transaction(move |c| {
                people::store::lock(c, owner)?;
                let exemption = Exemption::lock(c, owner)?;
                let mut confirmed = 0;
                let is_confirmable = |it: &&Alert| it.kind.is_confirmable_by_link();
                for alert in alerts.iter().filter(is_confirmable) {
                    let settlement = Settlement::confirmed(alert.id, Confirmer::Mailbox, now);
                    let open = alerts::review(c, alert.user_id, alert.id, settlement)?;
                    if open.is_some() {
                        record_review(c, alert.user_id, CONFIRMED, &Origin::default(), now)?;
                        confirmed += 1;
                    }
                }
                match confirmed {
                    0 => Err(Error::NotFound),
                    _ => exemption.cover_confirmed(c, now),
                }
            })
            .await
    }

    /// Reports an alert: what it reports was not the caller. A change of the e-mail that can be
    /// undone is undone: then every session ends, the caller's as well.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the caller may not review the alert; [`Error::StepUpRequired`] when
    /// a change is to be undone and the caller gave their password too long ago; [`Error::Unauthenticated`] when
    /// their session has ended meanwhile.
    pub async fn report_alert(&self, caller: &Caller, id: AlertId) -> Result<Reported> {
        let (accounts, caller, at) = (self.clone(), caller.clone(), self.clock.now());
        let take_back = TakeBack::new(caller.origin(), Some(id), at)?;
        self.db
            .transaction(move |c| {
                let user = people::store::lock(c, caller.user.id)?;
                // Their jobs, which stop, before their sessions: the order of locks.
                sessions::store::lock_running_jobs_of(c, user.id)?;
                let alert = get_reviewable(c, &caller.session_here(), id, at)?;
                let report = Report {
                    owner: user.id,
                    alerts: vec![alert],
                    scope: RevokeScope::Alert,
                    limits: accounts.sessions.idle_limits(),
                    origin: caller.origin(),
                    at,
                };
                let undone = report.list_undone(c)?;
                let former = find_undoing(c, user.id, &undone, at)?;
                if former.is_some() {
                    accounts.sessions.require_step_up(&caller)?;
                }
                accounts.settle(c, (&user, &report), &take_back, (undone, former))
            })
            .await
    }

    /// Reports the open ones of a person's alerts, by the link in a message about them.
    ///
    /// # Errors
    /// [`Error::NotFound`] when none is open.
    pub async fn report_alerts(
        &self,
        alerts: Vec<Alert>,
        scope: RevokeScope,
        origin: Origin,
    ) -> Result<Reported> {
        let at = self.clock.now();
        let owner = alerts.first().ok_or(Error::NotFound)?.user_id;
        let report = Report {
            owner,
            alerts,
            scope,
            limits: self.sessions.idle_limits(),
            origin: origin.clone(),
            at,
        };
        let reviewed = report.alerts.iter().find(|alert| alert.is_open());
        let take_back = TakeBack::new(origin, reviewed.map(|alert| alert.id), at)?;
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                let user = people::store::lock(c, owner)?;
                let undone = report.list_undone(c)?;
                let former = find_undoing(c, owner, &undone, at)?;
                accounts.settle(c, (&user, &report), &take_back, (undone, former))
            })
            .await
    }

    /// Does what a report does, which undoes these changes of the e-mail, as a part of a transaction: to take the
    /// account back to the `former` address ends every session, and reports every alert.
    fn settle(
        &self,
        c: &mut AnyConnection,
        (user, report): (&User, &Report),
        take_back: &TakeBack,
        (undone, former): (Vec<EmailChange>, Option<FormerEmail>),
    ) -> Result<Reported> {
        let Some(former) = former else {
            return Ok(Reported {
                ended: report.run(c, user)?,
                taken_back: None,
                email: UnchangedEmail::new(user, &undone),
            });
        };
        let taken_back = take_back.run(c, &self.alerts, user, &former)?;
        Ok(Reported {
            ended: Vec::new(),
            taken_back: Some(taken_back),
            email: None,
        })
    }
}

/// A report of alerts of one person.
struct Report {
    owner: UserId,
    alerts: Vec<Alert>,
    scope: RevokeScope,
    limits: IdleLimits,
    origin: Origin,
    at: Timestamp,
}

impl Report {
    /// Lists the changes of the e-mail that the report undoes.
    fn list_undone(&self, c: &mut AnyConnection) -> Result<Vec<EmailChange>> {
        let open = alerts::list_open(c, self.owner, self.at)?;
        let candidates = Candidates::load(c, self.owner, &open, self.origin.session)?;
        Ok(candidates.list_undone(&self.alerts, self.scope, &open))
    }

    /// Reports the alerts, ends the sessions in question, cancels a pending change of e-mail, and
    /// revokes what was ordered with the account.
    fn run(&self, c: &mut AnyConnection, user: &User) -> Result<Vec<Session>> {
        let open = alerts::list_open(c, self.owner, self.at)?;
        let mut reported = Vec::new();
        for alert in &self.alerts {
            reported.extend(self.record(c, alert.id, alert.id)?);
        }
        let Some(first) = reported.first().map(|alert| alert.id) else {
            return Err(Error::NotFound);
        };
        let candidates = Candidates::load(c, self.owner, &open, self.origin.session)?;
        let doubtful = candidates.list_doubtful(&reported, self.scope, &open);
        record_review(c, self.owner, REPORTED, &self.origin, self.at)?;
        cancel_pending_change(c, user, &self.origin, self.at)?;
        secure_orders(c, self.owner, &self.origin, self.at)?;
        let ended = self.end_doubtful(c, user, &candidates, &doubtful)?;
        for other in open.iter().filter(|other| is_about(other, &doubtful)) {
            self.record(c, other.id, first)?;
        }
        Ok(ended)
    }

    /// Ends those of the sessions that are live, and deletes their devices, none of which stays exempt from
    /// the idle limit; except a device of the person's, whose id they only stated. Returns those that ended.
    fn end_doubtful(
        &self,
        c: &mut AnyConnection,
        user: &User,
        candidates: &Candidates,
        doubtful: &[Session],
    ) -> Result<Vec<Session>> {
        const REASON: EndedReason = EndedReason::SignedOutRemotely;

        let (owner, origin, at) = (self.owner, &self.origin, self.at);
        let end = SessionEnd::by(origin, REASON, at);
        let devices: BTreeSet<&str> = doubtful
            .iter()
            .filter_map(|session| session.device_id.as_deref())
            .filter(|device| !candidates.has_other(device, doubtful))
            .collect();
        for device in &devices {
            devices::store::delete(c, owner, device)?;
        }
        let ids: Vec<SessionId> = doubtful.iter().map(|session| session.id).collect();
        let ended = sessions::store::end_several(c, owner, &ids, end)?;
        record_ended(c, &ended, REASON, origin, at)?;
        for device in devices {
            sessions::end_exemption(c, user, device, self.limits, at)?;
        }
        Ok(ended)
    }

    /// Records that an alert was reported, by the report of `by`. Returns `None` when it was reviewed
    /// already.
    fn record(&self, c: &mut AnyConnection, id: AlertId, by: AlertId) -> Result<Option<Alert>> {
        let settlement = Settlement::of(by, AlertReview::Reported, self.at);
        alerts::review(c, self.owner, id, settlement)
    }
}

/// The sessions of a person that a report is compared with.
pub(super) struct Candidates {
    basis: TrustBasis,
    /// The session that it is reported from, which never ends by that.
    from: Option<SessionId>,
}

impl Candidates {
    /// Loads the sessions of `owner`.
    pub(super) fn load(
        c: &mut AnyConnection,
        owner: UserId,
        open: &[Alert],
        from: Option<SessionId>,
    ) -> Result<Self> {
        let basis = TrustBasis::load(c, owner, open, None)?;
        Ok(Self { basis, from })
    }

    /// Lists the sessions that end when these alerts are reported: those that they are about, and those
    /// created since that are not trusted as of the alert.
    pub(super) fn list_doubtful(
        &self,
        reported: &[Alert],
        scope: RevokeScope,
        open: &[Alert],
    ) -> Vec<Session> {
        let with_all = scope == RevokeScope::AllUnconfirmed;
        let unconfirmed = open.iter().filter(|it| with_all && it.kind.is_sign_in());
        let about = self.list_about(reported.iter().chain(unconfirmed));
        let trusted: Vec<_> = reported.iter().map(|it| self.basis.as_of(it)).collect();
        let is_doubtful = |session: &&Session| {
            about.iter().any(|about| about.covers(session))
                || trusted.iter().any(|it| !it.contains(session))
        };
        self.others().filter(is_doubtful).cloned().collect()
    }

    /// Lists what these alerts are about, other than the session that they are reported from.
    pub(super) fn list_about<'a>(
        &'a self,
        alerts: impl IntoIterator<Item = &'a Alert>,
    ) -> Vec<About<'a>> {
        let is_from = |alert: &Alert| alert.session_id.is_some() && alert.session_id == self.from;
        let others = alerts.into_iter().filter(|alert| !is_from(alert));
        others.map(|alert| self.basis.about(alert)).collect()
    }

    /// Returns whether a session is or was on a device that is not among those in doubt, and was not reported.
    fn has_other(&self, device: &str, doubtful: &[Session]) -> bool {
        let is_doubtful = |session: &Session| doubtful.iter().any(|it| it.id == session.id);
        let mut on_device =
            (self.basis.all.iter()).filter(|session| session.device_id.as_deref() == Some(device));
        on_device.any(|session| self.basis.is_sound(session) && !is_doubtful(session))
    }

    /// Returns whether the e-mail was changed again after one of these alerts about a change of it.
    pub(super) fn is_email_changed_since(&self, alerts: &[Alert]) -> bool {
        let changes = &self.basis.email_changes;
        let is_older = |alert: &Alert| changes.iter().any(|change| change.at > alert.at);
        (alerts.iter()).any(|alert| alert.kind.is_email_change() && is_older(alert))
    }

    /// Lists the sessions on the devices of these that are live at `now`, by the names of the devices, except those
    /// that end.
    pub(super) fn list_staying(
        &self,
        devices: &[&Session],
        ends: impl Fn(&Session) -> bool,
        now: Timestamp,
    ) -> Vec<Session> {
        let is_on_one = |session: &Session| devices.iter().any(|it| it.is_on_device_of(session));
        let mut staying = self.basis.all.clone();
        staying.retain(|session| session.is_live(now) && is_on_one(session) && !ends(session));
        Doubts::of(&self.basis, now).ordered(staying)
    }

    fn others(&self) -> impl Iterator<Item = &Session> {
        let all = self.basis.all.iter();
        all.filter(|session| Some(session.id) != self.from)
    }

    /// Lists the changes of the e-mail that the report of these undoes: those among what it settles, which is
    /// themselves and the open alerts about the sessions that it ends, and those that such a session has made and
    /// such a one has confirmed.
    pub(super) fn list_undone(
        &self,
        reported: &[Alert],
        scope: RevokeScope,
        open: &[Alert],
    ) -> Vec<EmailChange> {
        let named = reported.iter().filter(|alert| alert.is_open()).cloned();
        let doubtful = self.list_doubtful(&named.collect::<Vec<_>>(), scope, open);
        let is_settled = |other: &&Alert| {
            let is_named = reported.iter().any(|alert| alert.id == other.id);
            other.kind.is_email_change() && (is_named || is_about(other, &doubtful))
        };
        let has = |id: Option<SessionId>| doubtful.iter().any(|it| Some(it.id) == id);
        let confirmed = self.basis.email_changes.iter();
        let confirmed = confirmed.filter(|it| has(it.session) && has(it.confirmed_by));
        let settled = open.iter().filter(is_settled).map(EmailChange::from);
        settled.chain(confirmed.cloned()).collect()
    }
}

/// Returns whether an alert is about one of these sessions.
fn is_about(alert: &Alert, sessions: &[Session]) -> bool {
    sessions
        .iter()
        .any(|session| alert.session_id == Some(session.id))
}
