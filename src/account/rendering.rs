//! Renders the messages of all topics, when they are sent: what became of the account since they
//! were queued counts.

use std::sync::Arc;

use crate::alerts::{AlertMessages, REASON_FORMER};
use crate::clock::{Clock, TimeZone, Timestamp};
use crate::db::AnyConnection;
use crate::error::{Error, Result};
use crate::mail::content::MessageContent;
use crate::mail::{EmailMessage, MessageLinks, MessageSource, MessageTopic, QueuedMessage};
use crate::people::mailbox::{Standing, standing};
use crate::people::store::{EmailVerification, FormerEmail, PasswordReset};
use crate::people::{self, User};

/// Renders the messages of all topics.
pub struct Messages {
    alerts: AlertMessages,
    links: Arc<MessageLinks>,
    clock: Clock,
}

impl Messages {
    /// Returns a renderer of messages with `links` in them.
    #[must_use]
    pub fn new(links: Arc<MessageLinks>, clock: Clock) -> Self {
        Self {
            alerts: AlertMessages::new(links.clone()),
            links,
            clock,
        }
    }

    fn content(
        &self,
        c: &mut AnyConnection,
        queued: &QueuedMessage,
        user: &User,
        topic: MessageTopic,
        now: Timestamp,
    ) -> Result<Option<MessageContent>> {
        let to = queued.recipient.as_str();
        let zone = user.message_time_zone(to);
        match topic {
            MessageTopic::Verification(id) => {
                let found = people::store::find_verification(c, id, now)?;
                let current = found.filter(|verification| verification.email == to);
                Ok(current.map(|found| self.verification(user, &found, zone)))
            }
            MessageTopic::Reset(id) => {
                let found = people::store::find_reset(c, id, now)?;
                let current = found.filter(|reset| reset.email.as_deref() == Some(to));
                Ok(current.map(|reset| match reset.is_invitation {
                    true => self.invitation(&reset, zone),
                    false => self.reset(&reset, zone),
                }))
            }
            MessageTopic::EmailTaken => Ok(match standing(c, user, to, now)? {
                Standing::Own => Some(self.email_taken()),
                Standing::Former(former) => Some(self.email_reserved(queued, &former, zone)),
                Standing::None => None,
            }),
            MessageTopic::TakeBack => Ok(match standing(c, user, to, now)? {
                Standing::Former(former) => Some(self.take_back(queued, &former, zone)),
                Standing::Own | Standing::None => None,
            }),
            MessageTopic::EmailReplaced => Ok(match standing(c, user, to, now)? {
                // The change was undone before its message went out.
                Standing::Own => None,
                Standing::Former(_) | Standing::None => Some(self.email_replaced()),
            }),
            MessageTopic::Alert(_) | MessageTopic::SignIns => Ok(None),
        }
    }

    fn verification(
        &self,
        user: &User,
        verification: &EmailVerification,
        zone: TimeZone,
    ) -> MessageContent {
        let lead = match verification.email == user.email {
            true => "This address is the e-mail of an account at Rollcall, and not verified yet.",
            false => {
                "Somebody wants to use this address as the e-mail of their account at Rollcall."
            }
        };
        MessageContent {
            advice: "If it is not yours, open the link and choose “This isn’t mine”.".into(),
            link_text: format!(
                "If it is yours, open this link and verify the address. It works until {}.",
                zone.exact(verification.expires_at)
            ),
            reason: "You get this because somebody entered this address at Rollcall.",
            ..content(
                "Verify your e-mail address",
                lead,
                (
                    "Verify the address",
                    self.links.verify_email(verification.id),
                ),
            )
        }
    }

    fn reset(&self, reset: &PasswordReset, zone: TimeZone) -> MessageContent {
        MessageContent {
            advice: "If it was not you, there is nothing to do: the password stays as it is."
                .into(),
            link_text: format!(
                "If it was you, open this link and set a new password. Every device is signed out \
                 then. The link works once, until {}.",
                zone.exact(reset.expires_at)
            ),
            ..content(
                "Set a new password",
                "Somebody asked for a new password for your account at Rollcall.",
                ("Set a new password", self.links.reset_password(reset.id)),
            )
        }
    }

    fn invitation(&self, reset: &PasswordReset, zone: TimeZone) -> MessageContent {
        MessageContent {
            advice: "If you know of no such account, there is nothing to do: without a password \
                     nobody can sign in to it."
                .into(),
            link_text: format!(
                "Open this link, choose a password, and sign in with it. The link works once, \
                 until {}.",
                zone.exact(reset.expires_at)
            ),
            reason: "You get this because an administrator entered this address at Rollcall.",
            ..content(
                "You are invited to Rollcall",
                "An administrator made an account for you at Rollcall.",
                ("Choose a password", self.links.reset_password(reset.id)),
            )
        }
    }

    fn email_taken(&self) -> MessageContent {
        MessageContent {
            advice: "If it was not you, there is nothing to do.".into(),
            link_text: "If it was you, sign in. If you don’t know the password any more, the page \
                        offers a new one."
                .into(),
            ..content(
                "You already have an account",
                "Somebody tried to make an account with this address, which has one already. \
                 Nothing was changed.",
                ("Sign in", self.links.sign_in()),
            )
        }
    }

    fn email_replaced(&self) -> MessageContent {
        MessageContent {
            advice: "If you know of it, there is nothing to do.".into(),
            link_text: "If you don’t, ask those who run this Rollcall. You sign in with the other \
                        e-mail from now on:"
                .into(),
            reason: "You get this because this address was the e-mail of an account at Rollcall \
                     until now.",
            ..content(
                "Your account has another e-mail now",
                "An administrator changed the e-mail of your account at Rollcall: it is no longer \
                 this address.",
                ("Sign in", self.links.sign_in()),
            )
        }
    }

    fn email_reserved(
        &self,
        queued: &QueuedMessage,
        former: &FormerEmail,
        zone: TimeZone,
    ) -> MessageContent {
        MessageContent {
            advice: "If it was not you, there is nothing to do.".into(),
            reason: REASON_FORMER,
            link_text: format!(
                "This address was the e-mail of an account until lately, and is reserved until {}. \
                 Open this link to take that account back, or to say that you changed its e-mail \
                 yourself: then the address is free.",
                zone.exact(former.expires_at)
            ),
            ..content(
                "Your address is reserved",
                "Somebody tried to make an account with this address. Nothing was changed.",
                ("See the account", self.links.not_me(queued.id())),
            )
        }
    }

    fn take_back(
        &self,
        queued: &QueuedMessage,
        former: &FormerEmail,
        zone: TimeZone,
    ) -> MessageContent {
        MessageContent {
            advice: "If you changed the e-mail yourself, open the link and choose “Yes, it was \
                     me”: then the new address can ask for a new password."
                .into(),
            reason: REASON_FORMER,
            link_text: format!(
                "If you did not change it, open this link. It takes the account back to this \
                 address, and lets you set a new password. It works until {}.",
                zone.exact(former.expires_at)
            ),
            ..content(
                "Your account has another e-mail now",
                &format!(
                    "Somebody asked for a new password for an account whose e-mail was this \
                     address until {}. It has another one since.",
                    zone.exact(former.changed_at)
                ),
                ("See the account", self.links.not_me(queued.id())),
            )
        }
    }
}

impl MessageSource for Messages {
    fn render(
        &self,
        c: &mut AnyConnection,
        queued: &QueuedMessage,
    ) -> Result<Option<EmailMessage>> {
        let now = self.clock.now();
        let user = match people::store::get(c, queued.user_id) {
            Err(Error::NotFound) => return Ok(None),
            user => user?,
        };
        match queued.topic() {
            None => Ok(None),
            Some(MessageTopic::Alert(_) | MessageTopic::SignIns) => {
                self.alerts.render(c, queued, &user, now)
            }
            Some(topic) => self
                .content(c, queued, &user, topic, now)?
                .map(|content| content.render())
                .transpose(),
        }
    }
}

/// Returns a content without facts, whose advice and text of the link are still empty.
fn content(
    subject: &'static str,
    lead: &str,
    (link_label, link): (&'static str, String),
) -> MessageContent {
    MessageContent {
        subject,
        lead: lead.into(),
        facts: Vec::new(),
        items: Vec::new(),
        advice: String::new(),
        link_text: String::new(),
        link_label,
        link,
        devices: None,
        reason: "You get this because you have an account at Rollcall.",
    }
}
