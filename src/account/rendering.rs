//! Renders the messages of all topics, when they are sent: what became of the account since they
//! were queued counts.

use std::sync::Arc;

use crate::alerts::{self, AlertKind, AlertMessages, AlertedDevice, REASON_FORMER};
use crate::clock::{Clock, TimeZone, Timestamp};
use crate::db::AnyConnection;
use crate::error::{Error, Result};
use crate::mail::content::{MessageContent, SITE};
use crate::mail::{EmailMessage, MessageLinks, MessageSource, MessageTopic, QueuedMessage};
use crate::people::mailbox::{Standing, standing};
use crate::people::store::{EmailVerification, FormerEmail, PasswordReset};
use crate::people::{self, User};
use crate::sessions;
use crate::settings::Site;

/// Renders the messages of all topics.
pub struct Messages {
    alerts: AlertMessages,
    links: Arc<MessageLinks>,
    site: Arc<Site>,
    clock: Clock,
}

impl Messages {
    /// Returns a renderer of the messages of a site with `links` in them.
    #[must_use]
    pub fn new(links: Arc<MessageLinks>, site: Arc<Site>, clock: Clock) -> Self {
        Self {
            alerts: AlertMessages::new(links.clone(), site.clone()),
            links,
            site,
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
            true => "This address belongs to an account at {site} and is not verified yet.",
            false => "Somebody entered this address as the new e-mail of their account at {site}.",
        };
        MessageContent {
            advice: "If the account isn’t yours, open the link and choose “This isn’t mine”."
                .into(),
            link_text: format!(
                "If it is yours, open this link to verify the address. The link works until {}.",
                zone.exact(verification.expires_at)
            ),
            reason: "You get this because somebody entered this address at {site}.",
            ..content(
                "Verify your e-mail address",
                &lead.replace(SITE, &self.site.name),
                (
                    "Verify the address",
                    self.links.verify_email(verification.id),
                ),
            )
        }
    }

    fn reset(&self, reset: &PasswordReset, zone: TimeZone) -> MessageContent {
        MessageContent {
            advice:
                "If it wasn’t you, you don’t need to do anything: your password has not changed."
                    .into(),
            link_text: format!(
                "If it was you, open this link and set a new password. Every device is then signed out. The link works once, until {}.",
                zone.exact(reset.expires_at)
            ),
            ..content(
                "Set a new password",
                &format!(
                    "Somebody requested a new password for your account at {}.",
                    self.site.name
                ),
                ("Set a new password", self.links.reset_password(reset.id)),
            )
        }
    }

    fn invitation(&self, reset: &PasswordReset, zone: TimeZone) -> MessageContent {
        MessageContent {
            advice: "If this means nothing to you, ignore this e-mail: nobody can sign in to the account without a password."
                .into(),
            link_text: format!(
                "Open this link, choose a password, and sign in with it. The link works once, \
                 until {}.",
                zone.exact(reset.expires_at)
            ),
            reason: "You get this because an administrator entered this address at {site}.",
            ..content(
                "You are invited to {site}",
                &format!(
                    "An administrator created an account for you at {}.",
                    self.site.name
                ),
                ("Choose a password", self.links.reset_password(reset.id)),
            )
        }
    }

    fn email_taken(&self) -> MessageContent {
        MessageContent {
            advice: "If it wasn’t you, you don’t need to do anything.".into(),
            link_text: "If it was you, sign in. If you have forgotten the password, you can set a new one there."
                .into(),
            ..content(
                "You already have an account",
                "Somebody tried to create an account with this address, but you already have one. Nothing was changed.",
                ("Sign in", self.links.sign_in()),
            )
        }
    }

    fn email_replaced(&self) -> MessageContent {
        MessageContent {
            advice: "If you expected this, you don’t need to do anything.".into(),
            link_text:
                "If not, ask the people who run this service. From now on you sign in with the new e-mail:"
                .into(),
            reason: "You get this because this address was the e-mail of an account at {site} \
                     until now.",
            ..content(
                "Your account has a new e-mail",
                &format!(
                    "An administrator changed the e-mail of your account at {}: it is no longer this \
                     address.",
                    self.site.name
                ),
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
            advice: "If it wasn’t you, you don’t need to do anything.".into(),
            is_report: true,
            reason: REASON_FORMER,
            link_text: format!(
                "This address belonged to an account until recently and is reserved for it until {}. Open this link to take that account back, or to confirm that you changed its e-mail yourself. Then the address is free.",
                zone.exact(former.expires_at)
            ),
            ..content(
                "Your address is reserved",
                "Somebody tried to create an account with this address. Nothing was changed.",
                ("Review it", self.links.not_me(queued.id())),
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
            advice: "If you changed the e-mail yourself, open the link and choose “Yes, it was me”. Then a new password can be requested with the new address."
                .into(),
            is_report: true,
            reason: REASON_FORMER,
            link_text: format!(
                "If you did not change it, open this link. There you can take the account back to \
                 this address, and set a new password. It works until {}.",
                zone.exact(former.expires_at)
            ),
            ..content(
                "Your account has a new e-mail",
                &format!(
                    "Somebody requested a new password for an account that had this address until {}. It has had another one since.",
                    zone.exact(former.changed_at)
                ),
                ("Review it", self.links.not_me(queued.id())),
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
                let device = find_device(c, queued, now)?;
                self.alerts.render(c, queued, &user, (&device, now))
            }
            Some(topic) => self
                .content(c, queued, &user, topic, now)?
                .map(|content| content.render(&self.site, user.recipient(&queued.recipient)))
                .transpose(),
        }
    }
}

/// Finds what became of the device of the alert that a message is about, if that is about a session.
fn find_device(
    c: &mut AnyConnection,
    queued: &QueuedMessage,
    now: Timestamp,
) -> Result<AlertedDevice> {
    let Some(MessageTopic::Alert(id)) = queued.topic() else {
        return Ok(AlertedDevice::default());
    };
    let alert = match alerts::store::get(c, id) {
        Err(Error::NotFound) => return Ok(AlertedDevice::default()),
        alert => alert?,
    };
    let subject = match alert.session_id {
        Some(session) => sessions::store::find(c, alert.user_id, session)?,
        None => None,
    };
    let Some(subject) = subject else {
        return Ok(AlertedDevice::default());
    };
    let live = sessions::store::list_live(c, alert.user_id, now)?;
    let is_copied = alert.kind == AlertKind::TokenReuse;
    Ok(AlertedDevice {
        live: live
            .iter()
            .filter(|it| it.is_on_device_of(&subject))
            .count(),
        also_used: subject.place().display_name().filter(|_| is_copied),
    })
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
        is_report: false,
        link,
        devices: None,
        reason: "You get this because you have an account at {site}.",
    }
}
