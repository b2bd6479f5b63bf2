//! Whether an alert that waits for an answer can still be answered by the link in a message about it.

use super::Accounts;
use super::linked_message::LINK_LIFETIME;
use crate::alerts::Alert;
use crate::clock::Timestamp;
use crate::people::User;

/// The links in messages about a person's alerts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Links {
    /// Since when they still work; `None` where no such messages are sent.
    since: Option<Timestamp>,
    /// Whether messages about sign-ins are among them.
    of_sign_ins: bool,
}

impl Links {
    /// Returns whether there may be a link that answers an open alert.
    pub(super) fn can_answer(self, alert: &Alert) -> bool {
        alert.kind.is_mailed()
            && (self.of_sign_ins || !alert.kind.is_sign_in())
            && self.since.is_some_and(|since| alert.at > since)
    }
}

impl Accounts {
    /// Returns the links in messages about a person's alerts, as they are at `now`.
    pub(super) fn links(&self, user: &User, now: Timestamp) -> Links {
        let is_sent = self.alerts.is_mailing() && user.gets_alerts();
        Links {
            since: is_sent.then(|| now - LINK_LIFETIME),
            of_sign_ins: user.alert_emails,
        }
    }
}
