//! What is said of a device when the sign-in of one of its sessions waits for an answer.

use super::views::Reader;
use crate::account::Attention;
use crate::alerts::Alert;
use crate::devices::DeviceGroup;
use crate::sessions::Session;

/// Sign-ins that are named at most; the others are counted.
const MAX_NAMED: usize = 3;

/// That sign-ins on a device wait for an answer.
pub struct WaitingView {
    /// Says it, and which.
    pub words: String,
    /// The first one's alert.
    pub href: String,
}

/// What tells a session that waits for an answer from its device.
pub struct WaitingSession {
    /// Its label.
    pub label: String,
    /// The user agent as it was sent.
    pub user_agent: Option<String>,
}

impl WaitingView {
    /// Returns what is said of a device with several sessions, to a reader who may answer these alerts, which
    /// are on the page `path`.
    pub(super) fn new(
        device: &DeviceGroup<Session>,
        attention: &Attention,
        path: &str,
        reader: &Reader,
    ) -> Option<Self> {
        let alert = |alert| Some((alert, find_subject(device, alert)?));
        let oldest_first = attention.alerts.iter().rev();
        let waiting: Vec<(&Alert, &Session)> = oldest_first.filter_map(alert).collect();
        let first = waiting.first().filter(|_| device.count() > 1)?.0.id;
        let named = waiting.iter().take(MAX_NAMED);
        let mut names: Vec<String> = named.map(|(_, it)| describe(it, reader)).collect();
        if waiting.len() > names.len() {
            names.push(format!("{} more", waiting.len() - names.len()));
        }
        let names = names.join("; ");
        Some(Self {
            words: match waiting.len() {
                1 => format!("One sign-in on this device waits for your answer: {names}."),
                n => format!("{n} sign-ins on this device wait for your answer: {names}."),
            },
            href: format!("{path}#alert-{first}"),
        })
    }
}

impl WaitingSession {
    /// Returns a session whose sign-in waits for an answer of the reader.
    pub(super) fn new(session: &Session, attention: &Attention) -> Option<Self> {
        let is_its = |alert: &Alert| is_about_sign_in(alert, session);
        attention.alerts.iter().any(is_its).then(|| Self {
            label: session.label(),
            user_agent: session.user_agent.clone(),
        })
    }
}

fn find_subject<'a>(device: &'a DeviceGroup<Session>, alert: &Alert) -> Option<&'a Session> {
    device
        .iter()
        .find(|session| is_about_sign_in(alert, session))
}

fn is_about_sign_in(alert: &Alert, session: &Session) -> bool {
    alert.kind.is_sign_in() && alert.session_id == Some(session.id)
}

/// Returns the label of a session, whatever name it states, and where it was last used.
fn describe(session: &Session, reader: &Reader) -> String {
    let address = || session.ip_address.as_deref().map(|ip| reader.address(ip));
    let place = reader.describe_session_location(session).or_else(address);
    let parts: Vec<String> = std::iter::once(session.label()).chain(place).collect();
    parts.join(", ")
}
