//! Devices in doubt: what they may not do, why, and how they are confirmed.

use std::slice;

use super::Accounts;
use super::linked_message::LINK_LIFETIME;
use super::links::Links;
use super::trust::{Doubt, TrustBasis};
use crate::alerts::{self, Alert, AlertKind, AlertReview};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::{Error, Result};
use crate::sessions::{Caller, Session, is_on_known_device};

/// How a device that is in doubt can be confirmed.
#[derive(Debug, Clone, Copy)]
enum WayOn {
    /// On another device.
    Device,
    /// With the link in a message.
    Link,
    /// Both ways.
    Either,
    /// In no way.
    Nowhere,
}

impl WayOn {
    /// Returns the ways to answer one of the open alerts.
    fn find(
        basis: &TrustBasis,
        open: &[Alert],
        (session, now): (&Session, Timestamp),
        links: Links,
    ) -> Self {
        let mut alerts = open.iter();
        let is_reviewed = alerts.any(|it| basis.has_reviewer(it, session.id, now));
        let is_linked = open.iter().any(|alert| links.can_answer(alert));
        match (is_reviewed, is_linked) {
            (true, true) => Self::Either,
            (true, false) => Self::Device,
            (false, true) => Self::Link,
            (false, false) => Self::Nowhere,
        }
    }
}

impl Doubt {
    /// Says why nothing was changed, and how to go on.
    fn describe(self, way: WayOn) -> String {
        let (why, what, there, that) = match self {
            Self::OwnSignIn => (
                "This device signed in recently, and nobody has confirmed it yet.",
                "Confirm it",
                "confirm it there",
                "the sign-in",
            ),
            Self::EarlierSignIn => (
                "This device signed in after something that waits for an answer.",
                "Answer that",
                "answer that there",
                "that",
            ),
        };
        let way = match way {
            WayOn::Either => format!(
                "{what} on a device that you used before, or with the link in the e-mail about it, if you got one"
            ),
            WayOn::Device => format!("{what} on a device that you used before"),
            WayOn::Link => {
                format!("{what} with the link in the e-mail about it, if you got one")
            }
            WayOn::Nowhere => {
                format!(
                    "Sign in on a device that you used before, and {there}, or ask an administrator of this service for a link to set a new password"
                )
            }
        };
        format!(
            "Nothing was changed. {why} {way}; otherwise this has to wait until 7 days after {that}."
        )
    }
}

/// Lists the open alerts that put a device in doubt: those about sign-ins, for as long as the link in a message
/// about one works, so that an owner who has lost their other devices is not held up for longer. Once the
/// password was set by a link, whoever signs in has had that link, and what was before doubts nobody; unless
/// somebody who was in doubt had changed the e-mail before.
fn list_grounds(c: &mut AnyConnection, owner: UserId, now: Timestamp) -> Result<Vec<Alert>> {
    let mut open = alerts::list_open(c, owner, now)?;
    open.retain(|alert| alert.kind.is_sign_in() && alert.at > now - LINK_LIFETIME);
    if open.is_empty() {
        return Ok(open);
    }
    let is_reported = |alert: &Alert| matches!(alert.review(), Some((AlertReview::Reported, _)));
    let changes = alerts::store::list_of_kind(c, owner, AlertKind::PasswordChanged)?;
    let mut by_link = changes.iter().filter(|it| it.session_id.is_none());
    let last = by_link.find(|it| !is_reported(it));
    if let Some(last) = last.filter(|last| open.iter().any(|alert| alert.at <= last.at)) {
        let basis = TrustBasis::load(c, owner, &open, None)?;
        open.retain(|alert| {
            alert.at > last.at || basis.is_mailbox_doubtful(slice::from_ref(alert), last.at)
        });
    }
    Ok(open)
}

impl Accounts {
    /// Verifies that the caller's device is not in doubt, for what destroys or hides the evidence of an alert:
    /// somebody who has just signed in with the password of another person passes every step-up. While there
    /// is no open alert about a sign-in, nobody is in doubt, nor is anybody in the network of a device from
    /// before it.
    ///
    /// # Errors
    /// [`Error::UnconfirmedDevice`] when its own sign-in waits for an answer, or one that it came after.
    pub async fn require_confirmed(&self, caller: &Caller) -> Result<()> {
        self.require(caller, |_| false).await
    }

    /// Verifies that the caller may change the password: on a device in doubt only if the owner could get the
    /// account back by e-mail.
    ///
    /// # Errors
    /// As [`Accounts::require_confirmed`].
    pub async fn require_may_change_password(&self, caller: &Caller) -> Result<()> {
        let is_trusted = caller.user.has_mailbox() && caller.user.is_email_trusted();
        match self.sends_mail() && is_trusted {
            true => Ok(()),
            false => self.require_confirmed(caller).await,
        }
    }

    /// Verifies that the caller may name the device of a session of theirs: their own in any case, unless
    /// others use its id as well who are in no doubt, or were on it before and may be somebody else.
    ///
    /// # Errors
    /// As [`Accounts::require_confirmed`]; [`Error::NotFound`] when they have no such session.
    pub async fn require_may_rename(&self, caller: &Caller, id: SessionId) -> Result<()> {
        let target = self.sessions.get(caller.user.id, id).await?;
        let here = caller.session.clone();
        self.require(caller, move |basis| {
            let is_before = |other: &Session| {
                other.created_at < here.created_at && !is_on_known_device(&here, other)
            };
            let is_others = |other: &&Session| {
                other.is_on_device_of(&target) && (!basis.is_in_doubt(other) || is_before(other))
            };
            target.is_on_device_of(&here) && !basis.all.iter().any(|it| is_others(&it))
        })
        .await
    }

    /// Verifies that the caller's device is not in doubt, or that what they do is allowed all the same.
    async fn require(
        &self,
        caller: &Caller,
        is_allowed: impl FnOnce(&TrustBasis) -> bool + Send + 'static,
    ) -> Result<()> {
        let now = self.clock.now();
        let links = self.links(&caller.user, now);
        let session = caller.session_here();
        self.db
            .read(move |c| {
                let open = list_grounds(c, session.user_id, now)?;
                if open.is_empty() {
                    return Ok(());
                }
                let basis = TrustBasis::load(c, session.user_id, &open, Some(&session))?;
                let Some(doubt) = basis.find_doubt(&session) else {
                    return Ok(());
                };
                if basis.is_in_known_network(&session, &open) || is_allowed(&basis) {
                    return Ok(());
                }
                let way = WayOn::find(&basis, &open, (&session, now), links);
                Err(Error::UnconfirmedDevice(doubt.describe(way)))
            })
            .await
    }
}
