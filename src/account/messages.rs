//! The messages about an account besides alerts.

use crate::clock::Timestamp;
use crate::db::AnyConnection;
use crate::error::Result;
use crate::mail::{self, MessageTopic};
use crate::people::User;
use crate::people::store::EmailVerification;

/// Queues the messages about accounts.
#[derive(Debug, Clone)]
pub struct Messages {
    sends_mail: bool,
}

impl Messages {
    /// Returns messages that are queued if `settings` name an SMTP server.
    #[must_use]
    pub fn new(settings: &crate::settings::MailSettings) -> Self {
        Self {
            sends_mail: settings.sends_mail(),
        }
    }

    /// stub
    pub(super) fn queue_verification(
        &self,
        c: &mut AnyConnection,
        verification: &EmailVerification,
        now: Timestamp,
    ) -> Result<bool> {
        if self.sends_mail {
            let topic = MessageTopic::Verification(verification.id);
            mail::store::insert(c, verification.user_id, topic, &verification.email, now)?;
        }
        Ok(true)
    }

    /// stub
    pub(super) fn queue_email_taken(
        &self,
        c: &mut AnyConnection,
        holder: &User,
        email: &str,
        now: Timestamp,
    ) -> Result<()> {
        if self.sends_mail {
            mail::store::insert(c, holder.id, MessageTopic::EmailTaken, email, now)?;
        }
        Ok(())
    }
}
