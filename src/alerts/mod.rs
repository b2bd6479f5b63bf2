//! Alerts: what a person should hear of at once, on their other devices and by e-mail, and what they
//! say to it. Raised in the transaction of what they tell of, so that neither is there alone.

mod delivery;
mod letter;
mod links;
mod store;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

pub use self::delivery::Delivery;
pub use self::links::{Links, TICKET_LIFETIME};
pub use self::store::Alert;
use crate::clock::Clock;
use crate::db::{AlertId, AnyConnection, Db, SessionId, Timestamp, UserId};
use crate::devices::address::AddressKeeping;
use crate::devices::{DeviceKind, Location};
use crate::error::{Error, Result};
use crate::people::{self, User};
use crate::settings::MailSettings;

/// How long an alert waits for an answer.
const WAITS: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// Letters about sign-ins that a person gets in an hour: who has their password must not bury them.
const MOST_LETTERS: i64 = 10;
/// How long the link in an e-mail is good.
const LINK_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What an alert tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// The first sign-in from a device.
    NewDevice,
    /// The first sign-in from a country.
    NewCountry,
    /// The password was changed.
    PasswordChanged,
    /// What the person signs in with was changed.
    EmailChanged,
    /// A spent refresh token was used again: somebody has a copy.
    Theft,
}

impl AlertKind {
    const ALL: [Self; 5] = [
        Self::NewDevice,
        Self::NewCountry,
        Self::PasswordChanged,
        Self::EmailChanged,
        Self::Theft,
    ];

    /// The name it is kept under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewDevice => "new_device",
            Self::NewCountry => "new_country",
            Self::PasswordChanged => "password_changed",
            Self::EmailChanged => "email_changed",
            Self::Theft => "theft",
        }
    }

    /// Whether it tells of a sign-in.
    pub fn is_sign_in(self) -> bool {
        matches!(self, Self::NewDevice | Self::NewCountry)
    }
}

impl FromStr for AlertKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no kind of alert"))
    }
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a person says to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// "Yes, it was me."
    Mine,
    /// "This wasn't me."
    NotMine,
}

impl Answer {
    fn as_str(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::NotMine => "not_mine",
        }
    }
}

/// What something was done on, and where.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The session it was done in, if in one.
    pub session: Option<SessionId>,
    /// What the device says it is.
    pub device_name: String,
    /// What kind of device it is.
    pub device_kind: DeviceKind,
    /// Where it was, as much as is kept.
    pub location: Location,
}

impl Scene {
    /// Done on the server itself, by who runs it.
    pub fn command_line() -> Self {
        Self {
            session: None,
            device_name: "An administrator, on the server".into(),
            device_kind: DeviceKind::Program,
            location: Location::default(),
        }
    }
}

/// The alerts of the service; a clone is the same ones.
#[derive(Clone)]
pub struct Alerts {
    db: Db,
    clock: Clock,
    is_mailing: bool,
}

impl Alerts {
    /// Alerts kept in `db`, sent by e-mail as well if there is a way.
    pub fn new(db: Db, clock: Clock, mail: &MailSettings) -> Self {
        Self {
            db,
            clock,
            is_mailing: mail.host.as_deref().is_some_and(|host| !host.is_empty()),
        }
    }

    /// Raises an alert, as a part of the transaction of what it tells of. The e-mail is put into the
    /// queue; nobody waits for it.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) fn raise(
        &self,
        c: &mut AnyConnection,
        user: &User,
        (kind, scene): (AlertKind, Scene),
        now: Timestamp,
    ) -> Result<()> {
        let alert = Alert::new(user, kind, scene, now);
        store::insert(c, &alert)?;
        match self.is_mailing && is_mailed(c, user, kind, now)? {
            true => {
                let to = mailbox(c, user, now)?;
                store::queue::insert(c, (user.id, alert.id), &to, now)
            }
            false => Ok(()),
        }
    }

    /// Every alert of a person, newest first.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn all_of(&self, user: UserId) -> Result<Vec<Alert>> {
        self.db.read(move |c| store::of_person(c, user)).await
    }

    /// The alert that a link from an e-mail is about, while the link is good. An answered one, too.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is too old.
    pub async fn linked(&self, id: AlertId) -> Result<Alert> {
        let alert = self.db.read(move |c| store::by_id(c, id)).await?;
        match self.clock.now().since(alert.at) <= LINK_LIFETIME {
            true => Ok(alert),
            false => Err(Error::NotFound),
        }
    }
}

/// Whether an alert is sent by e-mail. Sign-ins are told of to whoever wants that, and not without end;
/// what else there is, always: a thief would switch it off first. Whom an application signs in itself
/// has no page on which to choose.
fn is_mailed(c: &mut AnyConnection, user: &User, kind: AlertKind, now: Timestamp) -> Result<bool> {
    if !user.has_password() || !user.has_mailbox() {
        return Ok(false);
    }
    if !kind.is_sign_in() {
        return Ok(true);
    }
    let lately = store::queue::count_since(c, user.id, now - HOUR)?;
    Ok(user.alert_emails && lately < MOST_LETTERS)
}

/// Where a person's letters go: while a change of their e-mail may not have been theirs, to where they
/// went before it.
fn mailbox(c: &mut AnyConnection, user: &User, now: Timestamp) -> Result<String> {
    let since = now - LINK_LIFETIME;
    let first = store::first_open_of(c, user.id, AlertKind::EmailChanged, since)?;
    Ok(first.map_or_else(|| user.email.clone(), |alert| alert.email))
}

/// Takes back what an alert tells of, as far as that can be: another e-mail.
///
/// # Errors
/// When the database refuses.
pub(crate) fn take_back(c: &mut AnyConnection, alert: &Alert, now: Timestamp) -> Result<()> {
    match alert.kind {
        AlertKind::EmailChanged => people::restore_email(c, alert.user_id, &alert.email, now),
        _ => Ok(()),
    }
}

/// Answers an open alert of `user`, as a part of a larger transaction. None if it isn't open.
///
/// # Errors
/// When the database refuses.
pub(crate) fn answer(
    c: &mut AnyConnection,
    user: UserId,
    id: AlertId,
    answer: Answer,
    now: Timestamp,
) -> Result<Option<Alert>> {
    store::answer(c, user, id, answer.as_str(), now)
}

/// A person's unanswered alerts, newest first.
///
/// # Errors
/// When the database refuses.
pub(crate) fn open_of(c: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<Vec<Alert>> {
    store::open_of(c, user, now - WAITS)
}

/// The sessions of which a person has said that they were not theirs.
///
/// # Errors
/// When the database refuses.
pub(crate) fn disowned_sessions(c: &mut AnyConnection, user: UserId) -> Result<Vec<SessionId>> {
    store::sessions_answered(c, user, Answer::NotMine.as_str())
}

/// Makes what is kept of a person's addresses no more than `keeping`.
///
/// # Errors
/// When the database refuses.
pub(crate) fn keep_addresses(
    c: &mut AnyConnection,
    user: UserId,
    keeping: AddressKeeping,
) -> Result<()> {
    for (id, ip) in store::addresses_of(c, user)? {
        store::set_address(c, id, keeping.keep(&ip).as_deref())?;
    }
    Ok(())
}

/// Deletes alerts from before `before`, but not before nobody may answer them any more, and not while
/// their session is there: it is remembered as one that was not its owner's.
///
/// # Errors
/// When the database refuses.
pub(crate) fn purge(c: &mut AnyConnection, before: Timestamp) -> Result<usize> {
    store::purge(c, before - WAITS)
}

impl Alert {
    fn new(user: &User, kind: AlertKind, scene: Scene, now: Timestamp) -> Self {
        let Scene {
            session,
            device_name,
            device_kind,
            location,
        } = scene;
        Self {
            id: AlertId::new(now),
            user_id: user.id,
            session_id: session,
            kind,
            email: user.email.clone(),
            device_name,
            device_kind,
            ip_address: location.ip,
            location_city: location.place.city,
            location_country: location.place.country,
            at: now,
            answer: None,
            answered_at: None,
        }
    }

    /// When the person said that it was not them.
    pub fn disowned_at(&self) -> Option<Timestamp> {
        let is_disowned = self.answer.as_deref() == Some(Answer::NotMine.as_str());
        self.answered_at.filter(|_| is_disowned)
    }

    /// Whether nobody has answered it yet.
    pub fn is_open(&self) -> bool {
        self.answered_at.is_none()
    }
}
