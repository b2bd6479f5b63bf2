//! The messages about alerts: what happened, where, when, and what to do. What they say and promise
//! depends on what their address is to the account when they are sent.

use std::sync::Arc;

use super::AlertKind;
use super::link_words::{advice, link_label, own_link_text, undo_link_text};
use super::message_facts::{facts, items, own_facts};
use super::store::{self, Alert};
use crate::clock::{TimeZone, Timestamp};
use crate::db::AnyConnection;
use crate::error::{Error, Result};
use crate::events::EventKind;
use crate::mail::content::MessageContent;
use crate::mail::{EmailMessage, MessageLinks, MessageTopic, QueuedMessage};
use crate::people::mailbox::{Standing, may_set_password, standing};
use crate::people::store::{FormerEmail, list_open_former};
use crate::people::{MAX_FAILURES_IN_WORDS, User};
use crate::settings::Site;

/// Sign-ins that a message lists at most; it counts the others.
const MAX_LISTED: usize = 20;

const REASON: &str = "You get this because you have an account at {site}.";
/// The same of a message about sign-ins, which its reader can turn off.
const REASON_SIGN_IN: &str = "You get this because you have an account at {site}. You can turn off e-mails about new sign-ins under Account.";
/// Why a former address gets a message.
pub(crate) const REASON_FORMER: &str =
    "You get this because this address was the e-mail of an account at {site} until recently.";

/// What became of the device of an alert.
#[derive(Debug, Default)]
pub(crate) struct AlertedDevice {
    /// The number of live sessions on it.
    pub(crate) live: usize,
    /// The other place where a copied sign-in was used: either use may be the copy's.
    pub(crate) also_used: Option<String>,
}

/// Renders the messages about alerts.
pub struct AlertMessages {
    links: Arc<MessageLinks>,
    site: Arc<Site>,
}

impl AlertMessages {
    /// Returns a renderer of the messages of a site with `links` in them.
    #[must_use]
    pub fn new(links: Arc<MessageLinks>, site: Arc<Site>) -> Self {
        Self { links, site }
    }

    /// Renders a message about one alert or several; `None` when its address is none of the
    /// account's any more, or what it is about is gone or was answered. `device` is what became of the device
    /// of an alert.
    ///
    /// # Errors
    /// [`Error::Internal`] when it can't be rendered; [`Error::Unavailable`] when the database
    /// doesn't respond.
    pub(crate) fn render(
        &self,
        c: &mut AnyConnection,
        queued: &QueuedMessage,
        user: &User,
        (device, now): (&AlertedDevice, Timestamp),
    ) -> Result<Option<EmailMessage>> {
        let content = match queued.topic() {
            Some(MessageTopic::Alert(id)) => match store::get(c, id) {
                Err(Error::NotFound) => None,
                alert => self.about_alert(c, queued, user, &alert?, (device, now))?,
            },
            Some(MessageTopic::SignIns) => self.about_sign_ins(c, queued, user, now)?,
            _ => None,
        };
        let to = user.recipient(&queued.recipient);
        content
            .map(|content| content.render(&self.site, to))
            .transpose()
    }

    fn about_alert(
        &self,
        c: &mut AnyConnection,
        queued: &QueuedMessage,
        user: &User,
        alert: &Alert,
        (device, now): (&AlertedDevice, Timestamp),
    ) -> Result<Option<MessageContent>> {
        let live = device.live;
        // It was answered on a page before its message went out.
        if alert.kind.is_sign_in() && !alert.is_open() {
            return Ok(None);
        }
        let zone = user.message_time_zone(&queued.recipient);
        let link = self.links.not_me(queued.id());
        Ok(match standing(c, user, &queued.recipient, now)? {
            Standing::None => None,
            Standing::Own if alert.kind.is_notice() => Some(self.about_act(alert, zone)),
            // The change was undone before its message went out: the address is what it was.
            Standing::Own if alert.kind.is_email_change() && alert.reported_at().is_some() => None,
            Standing::Own => Some(MessageContent {
                facts: own_facts(c, alert, (zone, now), device.also_used.as_deref())?,
                link_text: match find_undone(c, user, alert, now)? {
                    Some(former) => undo_link_text(&former, zone),
                    None => own_link_text(
                        (alert, live),
                        may_set_password(c, user, mailbox(queued), now)?,
                    ),
                },
                ..self.for_own((alert, live), link)
            }),
            Standing::Former(former) => Some(for_former((alert, live), &former, link, zone)),
        })
    }

    /// Returns the content of the message to the account's own address, without facts and the text of the
    /// link.
    fn for_own(&self, (alert, live): (&Alert, usize), link: String) -> MessageContent {
        MessageContent {
            subject: subject(alert, live),
            lead: lead(alert, live),
            facts: Vec::new(),
            items: Vec::new(),
            advice: advice(alert.kind).into(),
            link_text: String::new(),
            link_label: link_label(alert.kind),
            is_report: !alert.kind.is_confirmable_by_link(),
            link,
            devices: Some(self.links.devices()),
            reason: match alert.kind.is_sign_in() {
                true => REASON_SIGN_IN,
                false => REASON,
            },
        }
    }

    /// Returns the content of the message about what an administrator did, which nobody can undo by a
    /// link.
    fn about_act(&self, alert: &Alert, zone: TimeZone) -> MessageContent {
        let reason = alert.stated_reason.clone();
        let mut facts: Vec<_> = reason.map(|it| ("Reason", it)).into_iter().collect();
        facts.push(("When", zone.exact(alert.at)));
        MessageContent {
            subject: subject(alert, 0),
            lead: lead(alert, 0),
            facts,
            items: Vec::new(),
            advice: "If you don’t know why, ask the people who run this service.".into(),
            link_text: "Your account lists what was changed. Sign in with your current e-mail and password and open Your devices:"
                .into(),
            link_label: "Your devices",
            is_report: false,
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
        let mut alerts = store::list_summarized(c, queued.id())?;
        alerts.retain(Alert::is_open);
        if alerts.is_empty() {
            return Ok(None);
        }
        let zone = user.message_time_zone(&queued.recipient);
        let number = store::count_summarized(c, queued.id())?;
        let number = usize::try_from(number).unwrap_or(alerts.len());
        let mut items = items(alerts.get(..MAX_LISTED).unwrap_or(&alerts), zone);
        if number > items.len() {
            items.push(format!("and {} more", number.saturating_sub(items.len())));
        }
        let lead = match number {
            1 => "Besides the sign-ins we e-mailed you about, there was 1 more sign-in to your account on a new device or from a new country."
                .into(),
            n => format!(
                "Besides the sign-ins we e-mailed you about, there were {n} more sign-ins to your account on new devices or from new countries."
            ),
        };
        Ok(Some(MessageContent {
            subject: "More sign-ins to your account",
            lead,
            facts: Vec::new(),
            items,
            advice: "If all of it was you, open the link below and say so: until then, some changes on these devices may have to wait, for 7 days at most.".into(),
            link_text: "If it wasn’t you, open this link. It shows these sign-ins, and asks before it signs all of their devices out. It works for 7 days, or until you answer. To decide one by one, open Your devices."
                .into(),
            link_label: match number {
                1 => "Review this sign-in",
                _ => "Review these sign-ins",
            },
            is_report: false,
            link: self.links.not_me(queued.id()),
            devices: Some(self.links.devices()),
            reason: REASON_SIGN_IN,
        }))
    }
}

/// Returns the content of the message to a former address.
fn for_former(
    (alert, live): (&Alert, usize),
    former: &FormerEmail,
    link: String,
    zone: TimeZone,
) -> MessageContent {
    MessageContent {
        subject: subject(alert, live),
        lead: lead_at_former(alert, live, (former, zone)),
        facts: facts(alert, alert.label(), zone),
        items: Vec::new(),
        advice: match alert.kind.is_notice() {
            true => "If you expected this, you don’t need to do anything.".into(),
            false => "If it was you, you don’t need to do anything.".into(),
        },
        link_text: format!(
            "{}, open this link. It shows what happened, and changes nothing before you choose to take the account back with this address. It works until {}.",
            match alert.kind.is_notice() {
                true => "If you did not change the e-mail of the account either",
                false => "If it wasn’t you",
            },
            zone.exact(former.expires_at)
        ),
        link_label: "Take the account back",
        is_report: true,
        link,
        devices: None,
        reason: REASON_FORMER,
    }
}

fn mailbox(queued: &QueuedMessage) -> (&str, Timestamp) {
    (&queued.recipient, queued.created_at)
}

/// `live` is the number of live sessions on a device one of whose sessions ended.
fn subject(alert: &Alert, live: usize) -> &'static str {
    match alert.kind {
        AlertKind::NewDevice => "New sign-in to your account",
        AlertKind::NewCountry => "Sign-in to your account from a new country",
        AlertKind::PasswordChanged => "Your password was changed",
        AlertKind::EmailChanged => "Your e-mail was changed",
        AlertKind::TokenReuse | AlertKind::WrongPasswords => match live {
            0 => "A device was signed out for safety",
            _ => "A session was ended for safety",
        },
        AlertKind::TwoPlaces => "A device was used in two places",
        AlertKind::CopyRefused => "Somebody used a copy of a device’s sign-in",
        AlertKind::Administered => match alert.act {
            Some(EventKind::EmailChanged) => "An administrator changed your e-mail",
            Some(EventKind::PasswordChanged) => "An administrator set a new password",
            _ => "An administrator changed your account",
        },
    }
}

/// Says what happened; `live` is the number of live sessions on a device one of whose sessions ended.
fn lead(alert: &Alert, live: usize) -> String {
    let what = what_happened(alert);
    match (alert.kind.is_end(), live) {
        (false, 0) if alert.kind.is_sign_in() => {
            format!("{what} That device is already signed out.")
        }
        (false, _) => what,
        (true, 0) => format!("{what} The device is signed out."),
        (true, 1) => {
            format!("{what} That session has ended; another one on the device is still signed in.")
        }
        (true, n) => {
            format!("{what} That session has ended; {n} others on the device are still signed in.")
        }
    }
}

fn what_happened(alert: &Alert) -> String {
    let words = match alert.kind {
        AlertKind::NewDevice => {
            "Somebody signed in to your account on a device that is not known as yours."
        }
        AlertKind::NewCountry => {
            "Somebody signed in to your account from a country that you have not used it in before."
        }
        AlertKind::PasswordChanged if alert.session_id.is_some() => {
            "The password of your account was changed, and every other device was signed out."
        }
        AlertKind::PasswordChanged => {
            "A new password was set for your account, and every device was signed out."
        }
        AlertKind::EmailChanged => {
            "This address is the e-mail of your account from now on: you sign in with it."
        }
        AlertKind::TokenReuse => {
            "A copied sign-in of this device was used: somebody may have a copy of what keeps it signed in."
        }
        AlertKind::Administered => what_was_administered(alert.act),
        AlertKind::TwoPlaces => {
            "A device that is signed in to your account was used in two places, too far apart for the time between."
        }
        AlertKind::CopyRefused => {
            "Somebody used a copy of this device’s sign-in. This time it got nothing: what was copied is no use any more without the browser of that device."
        }
        AlertKind::WrongPasswords => {
            return format!(
                "The password was entered wrong {MAX_FAILURES_IN_WORDS} times on this device, which was signed in to your account."
            );
        }
    };
    words.into()
}

fn what_was_administered(act: Option<EventKind>) -> &'static str {
    match act {
        Some(EventKind::EmailChanged) => {
            "An administrator set this address as the e-mail of your account. Sign in with it from now on."
        }
        Some(EventKind::PasswordChanged) => {
            "An administrator set a new password for your account, and every device was signed out."
        }
        _ => "An administrator changed your account.",
    }
}

fn lead_at_former(alert: &Alert, live: usize, (former, zone): (&FormerEmail, TimeZone)) -> String {
    match alert.kind {
        AlertKind::EmailChanged if former.changed_at < alert.at => format!(
            "The e-mail of your account was changed again. You have not signed in with this address since {}.",
            zone.exact(former.changed_at)
        ),
        AlertKind::EmailChanged => {
            "From now on you sign in to your account with another e-mail, no longer with this one."
                .into()
        }
        _ => lead(alert, live),
    }
}

/// Finds the former address that the account gets back when the alert is reported.
fn find_undone(
    c: &mut AnyConnection,
    user: &User,
    alert: &Alert,
    now: Timestamp,
) -> Result<Option<FormerEmail>> {
    if !alert.kind.is_email_change() {
        return Ok(None);
    }
    let mut open = list_open_former(c, user.id, now)?;
    open.retain(|former| former.email == alert.email && former.changed_at == alert.at);
    Ok(open.into_iter().next())
}
