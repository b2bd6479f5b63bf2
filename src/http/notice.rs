//! Notices: what the page after a redirect says of the request that was just made. A notice travels
//! in a sealed cookie and is shown once, so no link can make a page say it.
//!
//! The cookie is not the session cookie, since a browser stores whatever response arrives last. A
//! page that took a notice out of the session cookie would set that again, with the JTI of its
//! request; arriving after the response to a step-up in another tab, it would bring the replaced
//! JTI back, and the browser would be signed out.

use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::cookie::Cookie;
use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest};
use chrono::DateTime;
use serde::{Deserialize, Serialize};

use super::app_state::{AppState, app_state};
use super::browser;
use super::cookies::{self, OwnCookie};
pub use super::person_notice::PersonNotice;
use super::prefetch::is_seen;
use super::received_cookies::ReceivedCookies;
use super::refused_act::{self, Refused, RefusedAct};
use crate::clock::Timestamp;
use crate::db::{AlertId, SessionId, UserId};
use crate::error::{Chain, Error, Failure, Result};
use crate::events::Setting;
use crate::sessions::Session;
use crate::text;

/// How long a notice can be shown.
const LIFETIME: Duration = MAX_AGE.unsigned_abs();
const MAX_AGE: CookieDuration = CookieDuration::minutes(5);
/// Random bytes of a notice's id.
const ID_BYTES: usize = 16;

/// What a page says once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// Something that a person did in their account. Nobody else is shown it in the same browser.
    Account(UserId, AccountNotice),
    /// Something that is true only where nobody is signed in.
    SignedOut(SignedOutNotice),
}

/// What a person is told of their account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountNotice {
    /// An alert was confirmed or reported.
    AlertReviewed(AlertId),
    /// It was confirmed where it had been answered already.
    AlertConfirmedLate(AlertId),
    /// It was reported where it had been answered already.
    AlertReportedLate(AlertId),
    /// The alert was reviewed before, or is not for the caller to review.
    AlertSettled,
    /// A change of the e-mail was reported that can't be undone.
    EmailChangeReported(AlertId),
    /// A change of the e-mail was reported, and the account had its former one again before.
    EmailChangeUndoneBefore(AlertId),
    /// Each step after a report is done or skipped.
    StepsFinished,
    /// The notice of what an administrator did was dismissed.
    ActDismissed,
    /// Sessions were ended.
    Ended(EndNotice),
    /// A device has another name.
    DeviceRenamed,
    /// The person has another name.
    Renamed,
    /// The account was made, and a link that verifies its e-mail is on its way.
    SignedUp,
    /// A link that verifies an e-mail is on its way.
    EmailLinkSent,
    /// No more links are sent for now.
    EmailLinkLimit,
    /// The new e-mail is the one that the account has.
    EmailUnchanged,
    /// The pending change of the e-mail was cancelled.
    EmailChangeCancelled,
    /// There was no pending change.
    NoEmailChange,
    /// The owner of the mailbox declined the address.
    EmailDeclined,
    /// The e-mail is verified.
    EmailVerified,
    /// The account has another e-mail.
    EmailChanged,
    /// Whether alerts are sent by e-mail was updated.
    AlertEmailsUpdated,
    /// The IP retention was updated, which changed no stored address.
    IpRetentionUpdated,
    /// The IP retention was updated, which shortened or deleted stored addresses.
    AddressesRedacted,
    /// It was updated, and what is stored is as it says, except in alerts that wait for an answer.
    AddressesRedactedExceptAlerts,
    /// The idle limit was updated, which ended these.
    IdleLimitUpdated(IdleEnds),
    /// A device is exempt from the idle limit: that of this session.
    DeviceExempt(SessionId),
    /// The device of this session is no longer exempt from it, which ended so many of its sessions.
    DeviceNotExempt(SessionId, u32),
    /// The time zone was updated.
    TimeZoneUpdated,
    /// A setting was not saved: it had been changed since the form showed it.
    SettingChangedBefore(Setting),
    /// The password was changed.
    PasswordChanged,
    /// The password was changed a moment before, and the form that was sent again changed nothing.
    PasswordChangedBefore,
    /// An API key was revoked.
    ApiKeyRevoked,
    /// An API key was created before, and the form that was sent again changed nothing.
    ApiKeyCreatedBefore,
    /// An administrator did something to the account of this person, who may be the reader.
    Person(UserId, PersonNotice),
    /// An application was created.
    ApplicationCreated,
    /// An application was changed.
    ApplicationUpdated,
    /// An application was deleted.
    ApplicationDeleted,
    /// There is no such application, or not any more.
    ApplicationMissing,
    /// The order was made before, and the form that was sent again changed nothing.
    OrderedBefore,
    /// A form was sent from a page whose session had ended. It is shown once the person is signed in.
    NotCarriedOut(RefusedAct),
}

/// Which sessions were ended. What the page says of them is worked out when it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndNotice {
    /// All on the device of this session, whether or not they had ended before.
    Device(SessionId),
    /// This session alone.
    Session(SessionId),
    /// All but the one that ended them; `None` where there was no other.
    Others(Option<EndMoment>),
    /// Those of several devices.
    Devices {
        /// When they ended; `None` where all had ended before.
        ended: Option<EndMoment>,
        /// A session of a device that had been signed out before.
        before: Option<SessionId>,
        /// The number of such devices.
        count_before: u32,
    },
}

/// What a new idle limit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleEnds {
    /// The number of devices that it signed out.
    pub devices: u32,
    /// A session of the first of them.
    pub device: Option<SessionId>,
    /// The number of sessions that it ended on other devices, which stay signed in.
    pub sessions: u32,
    /// One of these, if they were all on one device.
    pub session: Option<SessionId>,
}

/// The session that ended others at once, and when: together they identify what ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndMoment {
    /// The session that ended them.
    pub by: SessionId,
    /// When they ended, in microseconds since the Unix epoch.
    pub at: i64,
}

impl EndMoment {
    /// Returns when and from where `session` ended, if it was ended from a session.
    #[must_use]
    pub fn of(session: &Session) -> Option<Self> {
        Some(Self {
            by: session.ended_by?,
            at: session.ended_at?.timestamp_micros(),
        })
    }
}

/// What somebody is told where nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignedOutNotice {
    /// The session ended after too many wrong passwords.
    WrongPasswords,
    /// A form was sent without a session.
    NotCarriedOut,
    /// The session was ended.
    SignedOut,
    /// The session was ended, and so many others on the device were not.
    SignedOutHere(u32),
    /// Every session was ended.
    SignedOutEverywhere,
    /// A link set a new password.
    PasswordSet,
    /// A link verified the e-mail.
    EmailVerified,
    /// A link changed the e-mail.
    EmailChanged,
    /// The account has its former e-mail again.
    TakenBack,
    /// The account was taken back, but another one has its former e-mail.
    TakenBackWithoutEmail,
    /// The account was deleted.
    Deleted,
    /// The account was disabled by its owner, an administrator.
    Disabled,
    /// The link of an invitation set the first password.
    FirstPasswordSet,
}

/// The notice that the page in a response shows, as its cookie had it.
pub(super) struct ShownNotice(pub(super) String);

/// The content of the notice cookie.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredNotice {
    id: String,
    /// When the notice was put there, in microseconds since the Unix epoch.
    at: i64,
    /// The browser's device id: in another browser a copy of the cookie is void.
    device: String,
    pub(super) notice: Notice,
}

impl StoredNotice {
    /// Returns whether it is for its person alone, and waits until they are signed in.
    fn waits(&self) -> bool {
        matches!(
            self.notice,
            Notice::Account(_, AccountNotice::NotCarriedOut(_))
        )
    }
}

/// What the response does to the notice cookie.
enum Change {
    Put(Notice),
    Remove,
}

/// Has the next page show `notice`, if the response to `request` is a redirect.
pub fn put(request: &HttpRequest, notice: Notice) {
    request.extensions_mut().insert(Change::Put(notice));
}

/// Has the next page of the person whose session has ended say that what `request` would have done was
/// not carried out, once they are signed in.
pub(super) async fn put_refused(request: &HttpRequest) {
    if let Err(err) = add_refused(request).await {
        tracing::error!(error = %Chain(&err), "a notice is lost");
    }
}

async fn add_refused(request: &HttpRequest) -> Result<()> {
    let notice = match refused_act::find(request).await? {
        Some(Refused::Known(user, act)) => Notice::Account(user, AccountNotice::NotCarriedOut(act)),
        Some(Refused::Unknown) => Notice::SignedOut(SignedOutNotice::NotCarriedOut),
        None => return Ok(()),
    };
    cookies::add(request, sealed(request, notice)?);
    Ok(())
}

/// Returns the notice for the page in the response to `request`, and removes it, if that is read by
/// `reader`, or by nobody who is signed in. Returns none for a page that may not be seen.
pub fn take(request: &HttpRequest, reader: Option<UserId>) -> Option<Notice> {
    if !is_seen(request) {
        return None;
    }
    let app = app_state(request).ok()?;
    // Another host of the domain may have set some.
    let received = ReceivedCookies::of(request);
    let values = received.first_values(OwnCookie::Notice);
    if values.is_empty() {
        return None;
    }
    let opened = values
        .iter()
        .find_map(|value| Some((open(request, app, value)?, value)));
    if reader.is_none()
        && opened
            .as_ref()
            .is_some_and(|((stored, _), _)| stored.waits())
    {
        return None;
    }
    request.extensions_mut().insert(Change::Remove);
    let ((stored, at), sealed) = opened?;
    let is_for_reader = match stored.notice {
        Notice::Account(user, _) => reader.is_none_or(|reader| reader == user),
        Notice::SignedOut(_) => reader.is_none(),
    };
    let is_first = is_for_reader && app.notice_cookies.record_shown(stored.id, at + LIFETIME);
    if is_first {
        let shown = ShownNotice(sealed.clone());
        request.extensions_mut().insert(shown);
    }
    is_first.then_some(stored.notice)
}

/// Returns whether a notice waits for a person to sign in again: that something was not carried out.
pub(super) fn waits(request: &HttpRequest) -> bool {
    let received = ReceivedCookies::of(request);
    let mut values = received.first_values(OwnCookie::Notice).iter();
    is_seen(request)
        && app_state(request).is_ok_and(|app| {
            values.any(|it| open(request, app, it).is_some_and(|(stored, _)| stored.waits()))
        })
}

/// Sets or removes the notice cookie, as [`put`] and [`take`] require. A page that could not be
/// rendered leaves it.
pub async fn write_cookie(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let response = next.call(request).await?;
    if let Err(err) = apply(response.request(), response.status()) {
        // What the notice is about has happened all the same.
        tracing::error!(error = %Chain(&err), "a notice is lost");
    }
    Ok(response)
}

fn apply(request: &HttpRequest, status: StatusCode) -> Result<()> {
    let change = request.extensions_mut().remove::<Change>();
    match change {
        Some(Change::Put(notice)) if status.is_redirection() => {
            cookies::add(request, sealed(request, notice)?);
        }
        Some(Change::Remove) if status.is_success() => {
            cookies::remove(request, &app_state(request)?.cookies, OwnCookie::Notice);
        }
        _ => {}
    }
    Ok(())
}

fn sealed(request: &HttpRequest, notice: Notice) -> Result<Cookie<'static>> {
    let app = app_state(request)?;
    let stored = StoredNotice {
        id: text::random::<ID_BYTES>()?,
        at: app.clock.now().timestamp_micros(),
        device: browser::device_id(request)?.as_str().to_owned(),
        notice,
    };
    let content = serde_json::to_string(&stored)
        .map_err(|err| Error::Internal(Failure::new("the notice cookie", err)))?;
    let cookie = app.cookies.build(OwnCookie::Notice, content);
    Ok(app.notice_cookies.seal(cookie.max_age(MAX_AGE).finish()))
}

/// Returns the content of a cookie that was sealed for this browser lately, and when.
pub(super) fn open(
    request: &HttpRequest,
    app: &AppState,
    value: &str,
) -> Option<(StoredNotice, Timestamp)> {
    let name = app.cookies.name(OwnCookie::Notice);
    let content = app.notice_cookies.open(name, value)?;
    let stored: StoredNotice = serde_json::from_str(&content).ok()?;
    let at = Timestamp::from(DateTime::from_timestamp_micros(stored.at)?);
    let is_own = stored.device == browser::device_id(request).ok()?.as_str();
    let is_recent = app.clock.now().since(at) < LIFETIME;
    (is_own && is_recent).then_some((stored, at))
}
