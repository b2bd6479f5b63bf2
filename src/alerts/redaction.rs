//! The addresses of alerts, which are their evidence: what a person wants stored of them applies to an
//! alert once it no longer waits for an answer.

use super::store::{self, Alert, Settlement};
use super::{AlertKind, Alerts, OPEN_FOR};
use crate::clock::Timestamp;
use crate::db::{AlertId, AnyConnection, NodeLock, UserId};
use crate::error::{Error, Result};
use crate::net::IpRetention;
use crate::people;

/// What became of stored addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Redaction {
    /// How many were redacted.
    pub changed: usize,
    /// How many are redacted once their alert no longer waits for an answer.
    pub waiting: usize,
}

/// Redacts the addresses of a person's alerts; those of alerts that wait for an answer later.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn redact_addresses(
    c: &mut AnyConnection,
    user: UserId,
    retention: IpRetention,
    now: Timestamp,
) -> Result<Redaction> {
    let mut outcome = Redaction::default();
    for (id, ip, is_open) in store::list_addresses(c, user, now - OPEN_FOR)? {
        let redacted = retention.redact(&ip);
        if redacted.as_ref() == Some(&ip) {
            continue;
        }
        // It may have been answered since it was read.
        match is_open && store::mark_redaction_due(c, id)? > 0 {
            true => outcome.waiting += 1,
            false => outcome.changed += store::update_address(c, id, redacted.as_deref())?,
        }
    }
    Ok(outcome)
}

/// Records a person's review of an alert, and redacts its address if that waited for it. Returns `None`
/// when they have no such open alert.
///
/// # Errors
/// As [`redact_addresses`].
pub(crate) fn review(
    c: &mut AnyConnection,
    user: UserId,
    id: AlertId,
    settlement: Settlement,
) -> Result<Option<Alert>> {
    let reviewed = store::review(c, user, id, settlement)?;
    reviewed.map(|alert| redact_due(c, alert)).transpose()
}

/// Settles the open alerts of one kind about a session by one that says what they asked, and redacts their
/// addresses if those waited for that.
///
/// # Errors
/// As [`redact_addresses`].
pub(super) fn replace(c: &mut AnyConnection, kind: AlertKind, by: &Alert) -> Result<()> {
    let replaced = store::replace_open(c, kind, by)?;
    replaced
        .into_iter()
        .try_for_each(|alert| redact_due(c, alert).map(drop))
}

/// Redacts the address of an alert, if that is due, by what its person wants stored now.
fn redact_due(c: &mut AnyConnection, alert: Alert) -> Result<Alert> {
    if !alert.redaction_due {
        return Ok(alert);
    }
    let retention = match people::store::get(c, alert.user_id) {
        // Deleted meanwhile.
        Err(Error::NotFound) => IpRetention::None,
        user => user?.ip_retention,
    };
    let ip = alert.ip_address.as_deref();
    let ip_address = ip.and_then(|ip| retention.redact(ip));
    store::update_address(c, alert.id, ip_address.as_deref())?;
    Ok(Alert {
        ip_address,
        redaction_due: false,
        ..alert
    })
}

impl Alerts {
    /// Redacts the addresses that waited for an answer to their alert, where that can't be answered any
    /// more. Works in batches, unless another node does. Returns how many were redacted.
    ///
    /// # Errors
    /// As [`Alerts::purge`].
    pub async fn redact_unanswered(&self) -> Result<usize> {
        let open_since = self.clock.now() - OPEN_FOR;
        let limit = i64::from(self.purge_batch);
        let batch = move |c: &mut AnyConnection| {
            let due = store::list_redaction_due(c, open_since, limit)?;
            let count = due.len();
            due.into_iter()
                .try_for_each(|alert| redact_due(c, alert).map(drop))?;
            Ok(count)
        };
        self.db.repeat_with_lock(NodeLock::Sweep, batch).await
    }
}
