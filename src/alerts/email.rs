//! The messages about alerts: what happened, where, when, and what to do. What they say and promise
//! depends on what their address is to the account when they are sent.

use std::sync::Arc;

use super::AlertKind;
use super::store::{self, Alert};
use crate::clock::{TimeZone, Timestamp};
use crate::db::AnyConnection;
use crate::error::{Error, Result};
use crate::events::EventKind;
use crate::geo::Place;
use crate::mail::content::MessageContent;
use crate::mail::{EmailMessage, MessageLinks, MessageTopic, QueuedMessage};
use crate::net::display_stored_ip;
use crate::people::User;
use crate::people::mailbox::{Standing, find_senior, may_set_password, standing};
use crate::people::store::FormerEmail;

/// Sign-ins that a message lists at most; it counts the others.
const MAX_LISTED: usize = 20;

const REASON: &str = "You get this because you have an account at Rollcall. E-mails about \
                      sign-ins can be switched off on the page Account.";
/// Why a former address gets a message.
pub(crate) const REASON_FORMER: &str = "You get this because this address was the e-mail of an account at \
                             Rollcall until lately.";

/// Renders the messages about alerts.
pub struct AlertMessages {
    links: Arc<MessageLinks>,
}

impl AlertMessages {
    /// Returns a renderer of messages with `links` in them.
    #[must_use]
    pub fn new(links: Arc<MessageLinks>) -> Self {
        Self { links }
    }

    /// Renders a message about one alert or several; `None` when its address is none of the
    /// account's any more, or what it is about is gone.
    ///
    /// # Errors
    /// [`Error::Internal`] when it can't be rendered; [`Error::Unavailable`] when the database
    /// doesn't respond.
    pub(crate) fn render(
        &self,
        c: &mut AnyConnection,
        queued: &QueuedMessage,
        user: &User,
        now: Timestamp,
    ) -> Result<Option<EmailMessage>> {
        let content = match queued.topic() {
            Some(MessageTopic::Alert(id)) => match store::get(c, id) {
                Err(Error::NotFound) => None,
                alert => self.about_alert(c, queued, user, &alert?, now)?,
            },
            Some(MessageTopic::SignIns) => self.about_sign_ins(c, queued, user, now)?,
            _ => None,
        };
        content.map(|content| content.render()).transpose()
    }

    fn about_alert(
        &self,
        c: &mut AnyConnection,
        queued: &QueuedMessage,
        user: &User,
        alert: &Alert,
        now: Timestamp,
    ) -> Result<Option<MessageContent>> {
        let zone = user.message_time_zone(&queued.recipient);
        let facts = facts(alert, zone);
        let subject = subject(alert);
        let link = self.links.not_me(queued.id());
        Ok(match standing(c, user, &queued.recipient, now)? {
            Standing::None => None,
            Standing::Own if alert.kind.is_notice() => Some(self.about_act(alert, zone)),
            // The change was undone before its message went out: the address is what it was.
            Standing::Own if alert.kind.is_email_change() && alert.reported_at().is_some() => None,
            Standing::Own => Some(MessageContent {
                subject,
                lead: lead(alert).into(),
                facts,
                items: Vec::new(),
                advice: advice(alert.kind).into(),
                link_text: match find_undone(c, user, alert, now)? {
                    Some(former) => undo_link_text(&former, zone),
                    None => own_link_text(alert, may_set_password(c, user, mailbox(queued), now)?),
                },
                link_label: "This wasn’t me",
                link,
                devices: Some(self.links.devices()),
                reason: REASON,
            }),
            Standing::Former(former) => Some(MessageContent {
                subject,
                lead: lead_at_former(alert).into(),
                facts,
                items: Vec::new(),
                advice: "If it was you, there is nothing to do.".into(),
                link_text: format!(
                    "If it was not you, open this link. It shows you what happened, and takes the \
                     account back to this address. It works until {}.",
                    zone.exact(former.expires_at)
                ),
                link_label: "Take the account back",
                link,
                devices: None,
                reason: REASON_FORMER,
            }),
        })
    }

    /// Returns the content of the message about what an administrator did, which nobody can undo by a
    /// link.
    fn about_act(&self, alert: &Alert, zone: TimeZone) -> MessageContent {
        let reason = alert.stated_reason.clone();
        let mut facts: Vec<_> = reason.map(|it| ("Reason", it)).into_iter().collect();
        facts.push(("When", zone.exact(alert.at)));
        MessageContent {
            subject: subject(alert),
            lead: lead(alert).into(),
            facts,
            items: Vec::new(),
            advice: "If you don’t know why, ask those who run this Rollcall.".into(),
            link_text: "What was done to your account is listed in it. Sign in with what is valid \
                        now, and open Your devices:"
                .into(),
            link_label: "Your devices",
            link: self.links.devices(),
            devices: None,
            reason: REASON,
        }
    }

    fn about_sign_ins(
        &self,
        c: &mut AnyConnection,
        queued: &QueuedMessage,
        user: &User,
        now: Timestamp,
    ) -> Result<Option<MessageContent>> {
        if !matches!(standing(c, user, &queued.recipient, now)?, Standing::Own) {
            return Ok(None);
        }
        let alerts = store::list_summarized(c, queued.id())?;
        if alerts.is_empty() {
            return Ok(None);
        }
        let zone = user.message_time_zone(&queued.recipient);
        let number = store::count_summarized(c, queued.id())?;
        let number = usize::try_from(number).unwrap_or(alerts.len());
        let mut items: Vec<String> = alerts
            .iter()
            .take(MAX_LISTED)
            .map(|alert| item(alert, zone))
            .collect();
        if number > items.len() {
            items.push(format!("and {} more", number.saturating_sub(items.len())));
        }
        let lead = match number {
            1 => "Besides those that you got single messages about, somebody signed in to your \
                  account 1 more time on a new device or from a new country."
                .into(),
            n => format!(
                "Besides those that you got single messages about, somebody signed in to your \
                 account {n} more times on new devices or from new countries."
            ),
        };
        Ok(Some(MessageContent {
            subject: "More sign-ins to your account",
            lead,
            facts: Vec::new(),
            items,
            advice: "If all of it was you, there is nothing to do.".into(),
            link_text: "If it was not you, open this link. It signs out the devices of all these \
                        sign-ins. It works once, for 7 days. To decide about each, open Your \
                        devices."
                .into(),
            link_label: "This wasn’t me",
            link: self.links.not_me(queued.id()),
            devices: Some(self.links.devices()),
            reason: REASON,
        }))
    }
}

fn mailbox(queued: &QueuedMessage) -> (&str, Timestamp) {
    (&queued.recipient, queued.created_at)
}

fn facts(alert: &Alert, zone: TimeZone) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Device", alert.device_name.clone())];
    facts.extend(place(alert).map(|place| ("Near", place)));
    facts.extend(address(alert).map(|address| ("Address", address)));
    facts.push(("When", zone.exact(alert.at)));
    facts
}

/// Returns the facts of an alert on one line.
fn item(alert: &Alert, zone: TimeZone) -> String {
    let values: Vec<String> = facts(alert, zone)
        .into_iter()
        .map(|(_, value)| value)
        .collect();
    values.join(" · ")
}

fn address(alert: &Alert) -> Option<String> {
    alert.ip_address.as_deref().map(display_stored_ip)
}

fn place(alert: &Alert) -> Option<String> {
    let place = Place {
        city: alert.location_city.clone(),
        country: alert.location_country.clone(),
        point: None,
    };
    place.display_name()
}

fn subject(alert: &Alert) -> &'static str {
    match alert.kind {
        AlertKind::NewDevice => "New sign-in to your account",
        AlertKind::NewCountry => "Sign-in to your account from a new country",
        AlertKind::PasswordChanged => "Your password was changed",
        AlertKind::EmailChanged => "Your e-mail was changed",
        AlertKind::TokenReuse | AlertKind::WrongPasswords => "A device was signed out for safety",
        AlertKind::Administered => match alert.act {
            Some(EventKind::EmailChanged) => "An administrator changed your e-mail",
            Some(EventKind::PasswordChanged) => "An administrator set a new password",
            _ => "An administrator changed your account",
        },
    }
}

fn lead(alert: &Alert) -> &'static str {
    match alert.kind {
        AlertKind::NewDevice => {
            "Somebody signed in to your account on a device that has not been used for it before."
        }
        AlertKind::NewCountry => {
            "Somebody signed in to your account from a country that it has not been used in before."
        }
        AlertKind::PasswordChanged if alert.session_id.is_some() => {
            "The password of your account was changed, and its other devices were signed out."
        }
        AlertKind::PasswordChanged => {
            "A new password was set for your account, and every device was signed out."
        }
        AlertKind::EmailChanged => {
            "This address is the e-mail of your account from now on: you sign in with it."
        }
        AlertKind::TokenReuse => {
            "A key that this device had spent was used again, so somebody may have a copy of it. The device is signed out."
        }
        AlertKind::Administered => match alert.act {
            Some(EventKind::EmailChanged) => {
                "An administrator made this address the e-mail of your account: you sign in with it."
            }
            Some(EventKind::PasswordChanged) => {
                "An administrator set a new password for your account, and every device was signed out."
            }
            _ => "An administrator changed your account.",
        },
        AlertKind::WrongPasswords => {
            "Your password was given wrong ten times on this device, where you were signed in. The device is signed out."
        }
    }
}

fn lead_at_former(alert: &Alert) -> &'static str {
    match alert.kind {
        AlertKind::EmailChanged => {
            "You sign in to your account with another e-mail from now on, and no longer with this one."
        }
        _ => lead(alert),
    }
}

/// Finds the former address that the account gets back when the alert is reported.
fn find_undone(
    c: &mut AnyConnection,
    user: &User,
    alert: &Alert,
    now: Timestamp,
) -> Result<Option<FormerEmail>> {
    match alert.kind.is_email_change() {
        true => find_senior(c, user, now),
        false => Ok(None),
    }
}

fn undo_link_text(former: &FormerEmail, zone: TimeZone) -> String {
    format!(
        "If it was not you, open this link. It shows you what happened, gives the account its \
         former e-mail back, and signs out every device. It works once, until {}.",
        zone.exact(former.expires_at)
    )
}

fn advice(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::TokenReuse => {
            "If you restored the device from a backup, just sign in on it again."
        }
        AlertKind::WrongPasswords => {
            "If it was you, just sign in again; “Forgotten your password?” sets a new one."
        }
        _ => "If it was you, there is nothing to do.",
    }
}

fn own_link_text(alert: &Alert, may_set_password: bool) -> String {
    let ended = match alert.session_id {
        Some(_) => "the device that it was done on, and devices that came after it",
        None => "the devices that came after it",
    };
    let text = format!(
        "If it was not you, open this link. It shows you what happened, and signs out {ended}."
    );
    match may_set_password {
        true => format!(
            "{text} Within 24 hours of this message, it lets you set a new password as well. It \
             works once, for 7 days."
        ),
        false => format!("{text} It works once, for 7 days."),
    }
}
