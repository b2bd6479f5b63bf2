//! Which messages an alert causes, and to whom.

use super::store::{self, Alert};
use crate::clock::Timestamp;
use crate::db::AnyConnection;
use crate::error::Result;
use crate::events::EventKind;
use crate::mail::{self, MessageTopic, NewMessage, Priority};
use crate::people::mailbox::list_mailboxes;
use crate::people::{self, User};

/// Queues the messages about an alert. One about a sign-in is sent where the person wants it, to
/// the account's own address; anybody who knows the password can cause them, so they are limited.
/// Any other is sent in any case, since an intruder would switch it off first, and to each former
/// address that may take the account back as well, except about most of what administrators do. None is sent to a person whom an application
/// authenticates.
pub(super) fn queue(c: &mut AnyConnection, alert: &Alert, now: Timestamp) -> Result<()> {
    // What the alert reports may have changed the e-mail.
    let user = people::store::get(c, alert.user_id)?;
    if alert.kind.is_sign_in() {
        return queue_sign_in(c, alert, &user, now);
    }
    if alert.kind.is_notice() && !is_sent(alert) {
        return Ok(());
    }
    for recipient in list_mailboxes(c, &user, now)? {
        let message = NewMessage {
            user: user.id,
            topic: MessageTopic::Alert(alert.id),
            recipient: &recipient,
            priority: Priority::Urgent,
            due_at: now,
        };
        mail::store::insert(c, &message, now)?;
    }
    Ok(())
}

fn queue_sign_in(c: &mut AnyConnection, alert: &Alert, user: &User, now: Timestamp) -> Result<()> {
    if !user.alert_emails || !user.gets_alerts() {
        return Ok(());
    }
    let owned = (user.id, user.email.as_str());
    match mail::queue::queue_sign_in(c, owned, alert.id, now)? {
        Some(summary) => store::update_summary(c, alert.id, summary),
        None => Ok(()),
    }
}

/// Returns whether the notice of what an administrator did is sent by e-mail as well: whether it
/// changed what the person signs in with.
fn is_sent(notice: &Alert) -> bool {
    matches!(
        notice.act,
        Some(EventKind::EmailChanged | EventKind::PasswordChanged)
    )
}
