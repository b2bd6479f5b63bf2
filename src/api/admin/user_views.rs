//! The JSON forms of people who were invited, and of links that set a password.

use serde::Serialize;

use crate::account::{Invitation, InvitationLink};
use crate::clock::Timestamp;
use crate::mail::MessageLinks;
use crate::people::UserRecord;

/// A person who was invited, with their invitation.
#[derive(Debug, Serialize)]
pub(super) struct InvitedJson {
    #[serde(flatten)]
    user: UserRecord,
    invitation: InvitationJson,
}

/// The link of an invitation: either it was sent, or the administrator hands it over.
#[derive(Debug, Serialize)]
struct InvitationJson {
    is_sent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    expires_at: Timestamp,
}

impl InvitedJson {
    pub(super) fn new(invitation: Invitation, links: &MessageLinks) -> Self {
        let link = match invitation.link {
            InvitationLink::Sent => None,
            InvitationLink::HandOver(reset) => Some(links.reset_password(reset)),
        };
        Self {
            user: UserRecord::new(invitation.user, 0),
            invitation: InvitationJson {
                is_sent: link.is_none(),
                link,
                expires_at: invitation.expires_at,
            },
        }
    }
}

/// A link that sets a new password, for the administrator to hand over.
#[derive(Debug, Serialize)]
pub(super) struct ResetLinkJson {
    pub(super) link: String,
    pub(super) expires_at: Timestamp,
}
