//! What an administrator is told of what they did to a person's account.

use serde::{Deserialize, Serialize};

use crate::people::Role;

/// What an administrator is told of a person's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PersonNotice {
    /// The account was created.
    Created,
    /// The account was created, and a link to set a password is on its way to it.
    Invited,
    /// The account was created a moment before, and the form that was sent again changed nothing.
    CreatedBefore,
    /// The account was created a moment before, with a link that was shown then.
    InvitedBefore,
    /// Another link to set a password is on its way.
    InvitedAgain,
    /// A link for a new password was made since the page of the form was opened.
    LinkMadeBefore,
    /// The person has another name.
    Renamed,
    /// The account has another e-mail.
    EmailSet,
    /// The e-mail is the one that the account had.
    EmailUnchanged,
    /// The account was disabled, which ended this many sessions.
    Disabled(u32),
    /// It was disabled before.
    AlreadyDisabled,
    /// The account was enabled.
    Enabled,
    /// It was enabled before.
    AlreadyEnabled,
    /// The person has another role than this one, which they had.
    RoleSet(Role),
    /// They had that role before.
    RoleUnchanged,
    /// This many sessions were ended.
    SessionsEnded(u32),
    /// The delay after wrong passwords was lifted.
    DelayLifted,
    /// There was no delay.
    NoDelay,
    /// The e-mail was vouched for.
    EmailVouched,
    /// It was verified before.
    AlreadyVerified,
    /// The account was deleted.
    Deleted,
    /// There was no such account any more.
    Gone,
}
