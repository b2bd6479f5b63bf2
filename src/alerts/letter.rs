//! The e-mail of an alert: what, where, when, and what to do.

use askama::Template;

use super::links::Links;
use super::{Alert, AlertKind};
use crate::devices::Place;
use crate::devices::address::kept_in_words;
use crate::error::{Error, Result};
use crate::mail::Letter;

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

/// What both forms of it say.
struct Content<'a> {
    heading: &'static str,
    /// What happened, in a sentence.
    lead: &'static str,
    device: &'a str,
    place: Option<String>,
    address: Option<String>,
    at: String,
    /// What to do if it was them.
    if_it_was: &'static str,
    not_me: String,
    devices: String,
}

/// # Errors
/// [`Error::Internal`] when a template can't be rendered.
pub(super) fn write(alert: &Alert, links: &Links) -> Result<Letter> {
    let it = Content {
        heading: heading(alert.kind),
        lead: lead(alert.kind),
        device: &alert.device_name,
        place: place(alert).in_words(),
        address: alert.ip_address.as_deref().map(kept_in_words),
        at: alert.at.format("%-d %B %Y, %H:%M UTC").to_string(),
        if_it_was: if_it_was(alert.kind),
        not_me: links.not_me(alert.id),
        devices: links.devices(),
    };
    Ok(Letter {
        subject: format!("{}: {}", it.heading, it.device),
        plain: drawn(&Plain { it: &it })?,
        html: drawn(&Html { it: &it })?,
    })
}

fn drawn(template: &impl Template) -> Result<String> {
    template
        .render()
        .map_err(|fault| Error::Internal(format!("a letter could not be drawn: {fault}")))
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
        AlertKind::Theft => "A device was signed out for safety",
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
        AlertKind::Theft => {
            "A key that this device had spent was used again, so somebody may have a copy of it. The device is signed out."
        }
    }
}

fn if_it_was(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Theft => "If you restored the device from a backup, just sign in on it again.",
        _ => "If it was you, there is nothing to do.",
    }
}
