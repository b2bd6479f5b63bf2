//! What a message in the queue is about.

use strum::{EnumString, IntoStaticStr};

use crate::db::{AlertId, MailSubjectId, ResetId, VerificationId};

/// What a message is about, with the row that it is rendered from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageTopic {
    /// An alert.
    Alert(AlertId),
    /// An e-mail address to be verified.
    Verification(VerificationId),
    /// A link that sets a new password.
    Reset(ResetId),
    /// Somebody tried to sign up with an address that has an account.
    EmailTaken,
}

/// The kind of a message. Its text form is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum MessageKind {
    /// About an alert.
    Alert,
    /// With a link that verifies an address.
    Verification,
    /// With a link that sets a new password.
    Reset,
    /// About an attempt to sign up with an address that has an account.
    EmailTaken,
}

impl MessageKind {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl MessageTopic {
    pub(super) fn kind(self) -> MessageKind {
        match self {
            Self::Alert(_) => MessageKind::Alert,
            Self::Verification(_) => MessageKind::Verification,
            Self::Reset(_) => MessageKind::Reset,
            Self::EmailTaken => MessageKind::EmailTaken,
        }
    }

    pub(super) fn alert(self) -> Option<AlertId> {
        match self {
            Self::Alert(id) => Some(id),
            _ => None,
        }
    }

    pub(super) fn subject(self) -> Option<MailSubjectId> {
        match self {
            Self::Verification(id) => Some(MailSubjectId::from_bytes(*id.as_bytes())),
            Self::Reset(id) => Some(MailSubjectId::from_bytes(*id.as_bytes())),
            Self::Alert(_) | Self::EmailTaken => None,
        }
    }
}
