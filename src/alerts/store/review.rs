//! Reviews of alerts, and who confirmed which sign-in.

use diesel::prelude::*;

use super::Alert;
use crate::alerts::{AlertKind, AlertReview, OPEN_FOR};
use crate::clock::Timestamp;
use crate::db::schema::alerts;
use crate::db::{AlertId, AnyConnection, SessionId, UserId, cached, first_rows, on_each};
use crate::error::Result;
use crate::events::EventKind;

/// Confirmed sign-ins of a person that are read at most.
const MAX_CONFIRMATIONS: u32 = 1_000;
/// Alerts of one kind that are read at most.
const MAX_OF_KIND: u32 = 200;
/// Changes of a person's e-mail that are read at most.
const MAX_EMAIL_CHANGES: u32 = 100;

/// A review of an alert.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settlement {
    /// What it is.
    pub(crate) review: AlertReview,
    /// The alert whose review it is, if an alert was reviewed.
    pub(crate) by: Option<AlertId>,
    /// Who confirmed it, if it is a confirmation by somebody who counts.
    pub(crate) confirmer: Option<Confirmer>,
    /// When.
    pub(crate) at: Timestamp,
}

/// Who confirmed an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmer {
    /// Somebody in this session.
    Session(SessionId),
    /// Whoever reads the mailbox of the account's own address, by the link in a message.
    Mailbox,
}

/// The confirmation of a sign-in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Confirmation {
    /// The session that the sign-in created.
    pub(crate) session: SessionId,
    /// Who confirmed it.
    pub(crate) by: Confirmer,
    /// When.
    pub(crate) at: Timestamp,
}

/// A change of a person's e-mail.
#[derive(Debug, Clone)]
pub(crate) struct EmailChange {
    /// When it was changed.
    pub(crate) at: Timestamp,
    /// The e-mail that it was before.
    pub(crate) former: String,
    /// The session in which it was changed, if in one.
    pub(crate) session: Option<SessionId>,
    /// The session in which it was confirmed, if in one.
    pub(crate) confirmed_by: Option<SessionId>,
    /// Whether somebody confirmed it.
    is_confirmed: bool,
    /// Whether an administrator changed it.
    pub(crate) is_administered: bool,
}

impl EmailChange {
    /// Returns whether it may be that of an intruder who came at `since`: it is from after that, or nobody has
    /// confirmed it, though at that time somebody still could; unless an administrator made it.
    pub(crate) fn is_doubtful(&self, since: Timestamp) -> bool {
        let is_late = self.at >= since || (!self.is_confirmed && self.at > since - OPEN_FOR);
        is_late && !self.is_administered
    }
}

impl From<&Alert> for EmailChange {
    fn from(alert: &Alert) -> Self {
        Self {
            at: alert.at,
            former: alert.email.clone(),
            session: alert.session_id,
            confirmed_by: None,
            is_confirmed: false,
            is_administered: false,
        }
    }
}

impl Settlement {
    /// Returns the review of the alert `by`, for itself or for one that is settled with it.
    pub(crate) fn of(by: AlertId, review: AlertReview, at: Timestamp) -> Self {
        Self {
            review,
            by: Some(by),
            confirmer: None,
            at,
        }
    }

    /// Returns the confirmation of an alert.
    pub(crate) fn confirmed(id: AlertId, confirmer: Confirmer, at: Timestamp) -> Self {
        Self {
            confirmer: Some(confirmer),
            ..Self::of(id, AlertReview::Confirmed, at)
        }
    }
}

/// Records a person's review of an alert. Returns `None` when they have no such open alert.
pub(in crate::alerts) fn review(
    c: &mut AnyConnection,
    user: UserId,
    id: AlertId,
    settlement: Settlement,
) -> Result<Option<Alert>> {
    let open = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::id.eq(id))
        .filter(alerts::answered_at.is_null());
    let confirmed_by = match settlement.confirmer {
        Some(Confirmer::Session(session)) => Some(session),
        _ => None,
    };
    let changes = (
        alerts::answer.eq(settlement.review.as_str()),
        alerts::answered_at.eq(settlement.at),
        alerts::settled_by.eq(settlement.by),
        alerts::confirmed_by.eq(confirmed_by),
        alerts::confirmed_by_link.eq(settlement.confirmer == Some(Confirmer::Mailbox)),
    );
    let updated = on_each!(c, c => diesel::update(open)
        .set(changes)
        .returning(Alert::as_returning())
        .get_result(c)
        .optional())?;
    Ok(updated)
}

/// Lists the confirmations of a person's latest sign-ins by somebody who counts, in the order in which they
/// were confirmed.
pub(crate) fn list_confirmations(c: &mut AnyConnection, user: UserId) -> Result<Vec<Confirmation>> {
    type Row = (SessionId, AlertKind, Option<SessionId>, bool, Timestamp);

    let confirmed = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::answer.eq(AlertReview::Confirmed.as_str()))
        .filter(alerts::session_id.is_not_null())
        .filter(alerts::answered_at.is_not_null())
        .order(alerts::id.desc())
        .select((
            alerts::session_id.assume_not_null(),
            alerts::kind,
            alerts::confirmed_by,
            alerts::confirmed_by_link,
            alerts::answered_at.assume_not_null(),
        ));
    let rows: Vec<Row> = cached(first_rows(confirmed, MAX_CONFIRMATIONS)).load(c)?;
    let confirmation = |(session, kind, by, is_by_link, at): Row| {
        let by = match (by, is_by_link) {
            (Some(by), _) => Confirmer::Session(by),
            (None, true) => Confirmer::Mailbox,
            (None, false) => return None,
        };
        kind.is_sign_in()
            .then_some(Confirmation { session, by, at })
    };
    let mut confirmations: Vec<Confirmation> = rows.into_iter().filter_map(confirmation).collect();
    confirmations.sort_by_key(|confirmation| confirmation.at);
    Ok(confirmations)
}

/// Lists the latest changes of a person's e-mail, newest first. A link confirms none: it may be the new address's.
pub(crate) fn list_email_changes(c: &mut AnyConnection, user: UserId) -> Result<Vec<EmailChange>> {
    type Made = (Timestamp, String, Option<SessionId>, bool);
    type Confirmed = (Option<AlertReview>, Option<SessionId>, bool);
    let is_administered = alerts::kind
        .eq(AlertKind::Administered.as_str())
        .and(alerts::act.eq(EventKind::EmailChanged.as_str()));
    let is_change = alerts::kind
        .eq(AlertKind::EmailChanged.as_str())
        .nullable()
        .or(is_administered);

    let changes = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(is_change)
        .order(alerts::id.desc())
        .select((
            (
                alerts::at,
                alerts::email,
                alerts::session_id,
                alerts::act.is_not_null(),
            ),
            (
                alerts::answer,
                alerts::confirmed_by,
                alerts::confirmed_by_link,
            ),
        ));
    let rows: Vec<(Made, Confirmed)> = cached(first_rows(changes, MAX_EMAIL_CHANGES)).load(c)?;
    let change = |(made, (answer, confirmed_by, is_by_link)): (Made, Confirmed)| {
        let (at, former, session, is_administered) = made;
        let is_confirmed = answer == Some(AlertReview::Confirmed) && !is_by_link;
        EmailChange {
            at,
            former,
            session,
            confirmed_by: confirmed_by.filter(|_| is_confirmed),
            is_confirmed,
            is_administered,
        }
    };
    Ok(rows.into_iter().map(change).collect())
}

/// Lists a person's latest alerts of one kind, newest first.
pub(crate) fn list_of_kind(
    c: &mut AnyConnection,
    user: UserId,
    kind: AlertKind,
) -> Result<Vec<Alert>> {
    let of_kind = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::kind.eq(kind.as_str()))
        .order(alerts::id.desc())
        .select(Alert::as_select());
    Ok(cached(first_rows(of_kind, MAX_OF_KIND)).load(c)?)
}

/// Settles the open alerts of one kind about the session of `by`, which takes their place: nobody has answered
/// them. Returns them.
pub(in crate::alerts) fn replace_open(
    c: &mut AnyConnection,
    kind: AlertKind,
    by: &Alert,
) -> Result<Vec<Alert>> {
    let open = alerts::table
        .filter(alerts::user_id.eq(by.user_id))
        .filter(alerts::session_id.eq(by.session_id))
        .filter(alerts::kind.eq(kind.as_str()))
        .filter(alerts::answered_at.is_null());
    let settled = (alerts::answered_at.eq(by.at), alerts::settled_by.eq(by.id));
    let replaced = on_each!(c, c => diesel::update(open)
        .set(settled)
        .returning(Alert::as_returning())
        .get_results(c))?;
    Ok(replaced)
}
