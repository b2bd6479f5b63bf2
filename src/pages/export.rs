//! `/account/export`: everything stored about a person, as a JSON file for them.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, web};
use serde::Serialize;

use crate::alerts::Alert;
use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::devices::KnownDevice;
use crate::error::Result;
use crate::events::{self, Event};
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::people::User;
use crate::sessions::{EndedReason, Session};

/// Ended sessions read at once.
const PAGE: u32 = 200;
/// Events exported at most, newest first.
const MAX_EVENTS: u32 = 10_000;

#[derive(Serialize)]
struct Export {
    account: Account,
    devices: Vec<OwnDevice>,
    sessions: Vec<OwnSession>,
    events: Vec<OwnEvent>,
    alerts: Vec<OwnAlert>,
}

#[derive(Serialize)]
struct Account {
    id: UserId,
    email: String,
    email_verified_at: Option<Timestamp>,
    stated_email: Option<String>,
    full_name: Option<String>,
    created_at: Timestamp,
    password_changed_at: Timestamp,
    addresses_kept: &'static str,
    alert_emails: bool,
}

#[derive(Serialize)]
struct OwnDevice {
    device_id: String,
    name: Option<String>,
    first_seen_at: Timestamp,
    last_seen_at: Timestamp,
}

#[derive(Serialize)]
struct OwnAlert {
    at: Timestamp,
    kind: &'static str,
    session_id: Option<SessionId>,
    device: String,
    ip_address: Option<String>,
    location_city: Option<String>,
    location_country: Option<String>,
    answered_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct OwnSession {
    id: SessionId,
    device_name: String,
    device_id: Option<String>,
    user_agent: Option<String>,
    ip_address: Option<String>,
    location_city: Option<String>,
    location_country: Option<String>,
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    is_active: bool,
    ended_at: Option<Timestamp>,
    ended_reason: Option<EndedReason>,
}

#[derive(Serialize)]
struct OwnEvent {
    at: Timestamp,
    kind: &'static str,
    session_id: Option<SessionId>,
    detail: Option<String>,
    ip_address: Option<String>,
}

/// Sends the file.
///
/// # Errors
/// [`Error::StepUpRequired`](crate::Error::StepUpRequired) when the password was
/// given too long ago.
pub async fn download(
    app: web::Data<AppState>,
    PageCaller(caller): PageCaller,
) -> Result<HttpResponse> {
    app.sessions.require_step_up(&caller)?;
    let owner = caller.user.id;
    let events = events::list_by_person(&app.db, owner, MAX_EVENTS).await?;
    let devices = app.devices.list(owner).await?;
    let alerts = app.alerts.list(owner).await?;
    let export = Export {
        devices: devices.into_iter().map(OwnDevice::from).collect(),
        alerts: alerts.into_iter().map(OwnAlert::from).collect(),
        sessions: sessions(&app, owner).await?,
        events: events.into_iter().map(OwnEvent::from).collect(),
        account: Account::from(caller.user),
    };
    Ok(HttpResponse::Ok()
        .insert_header((
            CONTENT_DISPOSITION,
            r#"attachment; filename="rollcall.json""#,
        ))
        .json(export))
}

/// Returns the live sessions, then every ended one.
async fn sessions(app: &AppState, owner: UserId) -> Result<Vec<OwnSession>> {
    let mut sessions = app.sessions.list_live(owner).await?;
    let mut after = None;
    loop {
        let page = app.sessions.list_ended(owner, after, PAGE).await?;
        sessions.extend(page.sessions);
        after = page.next;
        if after.is_none() {
            return Ok(sessions.into_iter().map(OwnSession::from).collect());
        }
    }
}

impl From<User> for Account {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            email_verified_at: user.email_verified_at,
            stated_email: user.stated_email,
            full_name: user.full_name,
            created_at: user.created_at,
            password_changed_at: user.password_changed_at,
            addresses_kept: user.ip_retention.as_str(),
            alert_emails: user.alert_emails,
        }
    }
}

impl From<KnownDevice> for OwnDevice {
    fn from(device: KnownDevice) -> Self {
        Self {
            device_id: device.device_id,
            name: device.name,
            first_seen_at: device.first_seen_at,
            last_seen_at: device.last_seen_at,
        }
    }
}

impl From<Alert> for OwnAlert {
    fn from(alert: Alert) -> Self {
        Self {
            at: alert.at,
            kind: alert.kind.as_str(),
            session_id: alert.session_id,
            device: alert.device_name,
            ip_address: alert.ip_address,
            location_city: alert.location_city,
            location_country: alert.location_country,
            answered_at: alert.answered_at,
        }
    }
}

impl From<Session> for OwnSession {
    fn from(session: Session) -> Self {
        Self {
            device_name: session.display_name(),
            id: session.id,
            device_id: session.device_id,
            user_agent: session.user_agent,
            ip_address: session.ip_address,
            location_city: session.location_city,
            location_country: session.location_country,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            is_active: session.is_active,
            ended_at: session.ended_at,
            ended_reason: session.ended_reason,
        }
    }
}

impl From<Event> for OwnEvent {
    fn from(event: Event) -> Self {
        Self {
            at: event.at,
            kind: event.kind.as_str(),
            session_id: event.session_id,
            detail: event.detail,
            ip_address: event.ip_address,
        }
    }
}
