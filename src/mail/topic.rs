//! What a message in the queue is about.

use strum::{EnumString, IntoStaticStr};

use crate::clock::Timestamp;
use crate::db::{AlertId, MailSubjectId, ResetId, UserId, VerificationId};

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
    /// Sign-ins that have no message of their own: those whose alerts name the message.
    SignIns,
    /// Somebody asked for a new password of an account that this address can take back.
    TakeBack,
    /// To an address in whose place an administrator put another one.
    EmailReplaced,
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
    /// About several sign-ins.
    SignIns,
    /// To a former address, about a forgotten password.
    TakeBack,
    /// To a former address, about an administrator who replaced it.
    EmailReplaced,
}

impl MessageKind {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Which messages are sent first. Its number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub enum Priority {
    /// Before all others: an alert about the e-mail, the password or token reuse.
    Urgent = 0,
    /// Before what strangers can cause in any number: a link that sets a password.
    Link = 1,
    /// In its turn.
    Normal = 2,
}

/// A message to be queued.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewMessage<'a> {
    /// The person whose account it is about.
    pub(crate) user: UserId,
    /// What it is about.
    pub(crate) topic: MessageTopic,
    /// The address that it is sent to.
    pub(crate) recipient: &'a str,
    /// Which messages go out before it.
    pub(crate) priority: Priority,
    /// When it is to be sent.
    pub(crate) due_at: Timestamp,
}

impl MessageTopic {
    pub(super) fn kind(self) -> MessageKind {
        match self {
            Self::Alert(_) => MessageKind::Alert,
            Self::Verification(_) => MessageKind::Verification,
            Self::Reset(_) => MessageKind::Reset,
            Self::EmailTaken => MessageKind::EmailTaken,
            Self::SignIns => MessageKind::SignIns,
            Self::TakeBack => MessageKind::TakeBack,
            Self::EmailReplaced => MessageKind::EmailReplaced,
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
            Self::Alert(_)
            | Self::EmailTaken
            | Self::SignIns
            | Self::TakeBack
            | Self::EmailReplaced => None,
        }
    }
}
