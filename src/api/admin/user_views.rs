//! The JSON form of a person, as administrators see them: no hash and no address is in it.

use serde::Serialize;

use crate::account::{Invitation, InvitationLink};
use crate::clock::Timestamp;
use crate::db::{ApplicationId, UserId};
use crate::mail::MessageLinks;
use crate::people::{AccountState, Role, User};

/// A person in JSON, as administrators see them.
#[derive(Debug, Serialize)]
pub(super) struct UserJson {
    id: UserId,
    /// The e-mail that they sign in with, or the one that their application states.
    email: Option<String>,
    email_verified: bool,
    full_name: Option<String>,
    role: Role,
    state: AccountState,
    /// Whether they were invited and have set no password yet.
    is_invited: bool,
    application_id: Option<ApplicationId>,
    subject: Option<String>,
    live_sessions: usize,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl UserJson {
    pub(super) fn new(user: User, live_sessions: usize) -> Self {
        Self {
            id: user.id,
            email: user.known_email().map(str::to_owned),
            email_verified: user.email_verified_at.is_some(),
            role: user.role(),
            state: user.state(),
            is_invited: user.is_invited(),
            full_name: user.full_name,
            application_id: user.application_id,
            subject: user.external_subject,
            live_sessions,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// A person who was invited, with their invitation.
#[derive(Debug, Serialize)]
pub(super) struct InvitedJson {
    #[serde(flatten)]
    user: UserJson,
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
            user: UserJson::new(invitation.user, 0),
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
