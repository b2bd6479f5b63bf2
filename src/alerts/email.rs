//! The message about an alert: what happened, where, when, and what to do.

use std::sync::Arc;

use askama::Template;

use super::AlertKind;
use super::store::{self, Alert};
use crate::db::AnyConnection;
use crate::error::{Error, Failure, Result};
use crate::geo::Place;
use crate::mail::{EmailMessage, MessageLinks, MessageSource, MessageTopic, QueuedMessage};
use crate::net::display_stored_ip;

#[derive(Template)]
#[template(path = "mail/alert.txt")]
struct Plain<'a> {
    it: &'a Content<'a>,
}

#[derive(Template)]
#[template(path = "mail/alert.html")]
struct Html<'a> {
    it: &'a Content<'a>,
}

/// The content of a message, the same in both its forms.
struct Content<'a> {
    heading: &'static str,
    /// What happened, in a sentence.
    lead: &'static str,
    device: &'a str,
    place: Option<String>,
    address: Option<String>,
    at: String,
    /// What to do if it was the person themselves.
    if_it_was: &'static str,
    not_me: String,
    devices: String,
}

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
}

impl MessageSource for AlertMessages {
    fn render(
        &self,
        c: &mut AnyConnection,
        queued: &QueuedMessage,
    ) -> Result<Option<EmailMessage>> {
        match queued.topic() {
            Some(MessageTopic::Alert(alert)) => {
                message(&store::get(c, alert)?, &self.links).map(Some)
            }
            _ => Ok(None),
        }
    }
}

fn message(alert: &Alert, links: &MessageLinks) -> Result<EmailMessage> {
    let content = Content {
        heading: heading(alert.kind),
        lead: lead(alert.kind),
        device: &alert.device_name,
        place: place(alert).display_name(),
        address: alert.ip_address.as_deref().map(display_stored_ip),
        at: alert.at.format("%-d %B %Y, %H:%M UTC").to_string(),
        if_it_was: if_it_was(alert.kind),
        not_me: links.not_me(alert.id),
        devices: links.devices(),
    };
    Ok(EmailMessage {
        subject: format!("{}: {}", content.heading, content.device),
        plain: render(&Plain { it: &content })?,
        html: render(&Html { it: &content })?,
    })
}

fn render(template: &impl Template) -> Result<String> {
    template
        .render()
        .map_err(|err| Error::Internal(Failure::new("a message could not be rendered", err)))
}

fn place(alert: &Alert) -> Place {
    Place {
        city: alert.location_city.clone(),
        country: alert.location_country.clone(),
        point: None,
    }
}

fn heading(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::NewDevice => "New sign-in",
        AlertKind::NewCountry => "Sign-in from a new country",
        AlertKind::PasswordChanged => "Your password was changed",
        AlertKind::EmailChanged => "Your e-mail was changed",
        AlertKind::TokenReuse => "A device was signed out for safety",
    }
}

fn lead(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::NewDevice => {
            "Somebody signed in to your account on a device that has not been used for it before."
        }
        AlertKind::NewCountry => {
            "Somebody signed in to your account from a country that it has not been used in before."
        }
        AlertKind::PasswordChanged => {
            "The password of your account was changed, and its other devices were signed out."
        }
        AlertKind::EmailChanged => {
            "Your account is signed in to with another e-mail from now on. This one gets its alerts for another 7 days."
        }
        AlertKind::TokenReuse => {
            "A key that this device had spent was used again, so somebody may have a copy of it. The device is signed out."
        }
    }
}

fn if_it_was(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::TokenReuse => {
            "If you restored the device from a backup, just sign in on it again."
        }
        _ => "If it was you, there is nothing to do.",
    }
}
