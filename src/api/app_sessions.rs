//! `/api/v1/app/sessions`: for applications that sign people in themselves. With an API key of the
//! scope `sessions` they open, refresh, list and end sessions for people whom they know by a name of
//! their own, the subject.

use std::net::IpAddr;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::views::{EndedView, Grant, SessionView};
use crate::api_keys::Scope;
use crate::db::SessionId;
use crate::devices::Location;
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::http::app::App;
use crate::http::application::Application;
use crate::http::json::Json;
use crate::people::{ExternalPerson, FullName, Subject};
use crate::sessions::{Client, EndedReason, OpenedVia, Opening, Stay};

/// `POST /api/v1/app/sessions`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenFor {
    subject: String,
    email: Option<String>,
    full_name: Option<String>,
    /// As the application saw it.
    user_agent: Option<String>,
    /// As the application saw it.
    ip_address: Option<String>,
    device_id: Option<String>,
    device_name: Option<String>,
}

/// `POST /api/v1/app/sessions/refresh`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshFor {
    refresh_token: String,
    ip_address: Option<String>,
}

/// Whose sessions it is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whose {
    subject: String,
}

#[derive(Serialize)]
struct Listed {
    total: usize,
    sessions: Vec<SessionView>,
}

/// Opens a session: 201. Somebody not met before gets an account that no password opens.
pub async fn open(
    app: web::Data<App>,
    Application(key): Application,
    Json(body): Json<OpenFor>,
) -> Result<HttpResponse> {
    key.require(Scope::Sessions)?;
    let facts = app
        .devices
        .parse(body.user_agent.as_deref().unwrap_or_default());
    let location = location(&app, body.ip_address.as_deref())?;
    let opening = Opening {
        client: Client::new(location, body.user_agent.as_deref(), facts),
        device_id: body.device_id.map(|id| id.parse()).transpose()?,
        device_name: body.device_name.map(|name| name.parse()).transpose()?,
        via: OpenedVia::Application,
        stay: Stay::Remembered,
        replaces: None,
    };
    let person = ExternalPerson {
        subject: body.subject.parse()?,
        email: body.email.map(|email| email.parse()).transpose()?,
        full_name: FullName::parse(&body.full_name.unwrap_or_default())?,
    };
    let user = app.people.meet(person).await?;
    let session = app.sessions.open(&user, opening).await?;
    let tokens = app.tokens.issue(&session, app.clock.now())?;
    Ok(HttpResponse::Created().json(Grant::new(tokens, session)))
}

/// Spends a refresh token for the next pair.
pub async fn refresh(
    app: web::Data<App>,
    Application(key): Application,
    Json(body): Json<RefreshFor>,
) -> Result<HttpResponse> {
    key.require(Scope::Sessions)?;
    let location = location(&app, body.ip_address.as_deref())?;
    let now = app.clock.now();
    let claim = app.tokens.verify_refresh(&body.refresh_token, now)?;
    let session = app
        .sessions
        .refresh(claim.user, claim.session, claim.jti, location)
        .await?;
    let tokens = app.tokens.issue(&session, now)?;
    Ok(HttpResponse::Ok().json(Grant::new(tokens, session)))
}

/// A person's live sessions, newest use first.
pub async fn list(
    app: web::Data<App>,
    Application(key): Application,
    web::Query(whose): web::Query<Whose>,
) -> Result<HttpResponse> {
    key.require(Scope::Sessions)?;
    let user = app.people.met(whose.subject.parse()?).await?;
    let live = app.sessions.live_of(user.id).await?;
    let sessions: Vec<_> = live.into_iter().map(SessionView::of_nobody).collect();
    Ok(HttpResponse::Ok().json(Listed {
        total: sessions.len(),
        sessions,
    }))
}

/// Ends one of a person's sessions: 204, also when it had ended before.
pub async fn end(
    app: web::Data<App>,
    Application(key): Application,
    id: web::Path<SessionId>,
    web::Query(whose): web::Query<Whose>,
) -> Result<HttpResponse> {
    key.require(Scope::Sessions)?;
    let subject: Subject = whose.subject.parse()?;
    let user = app.people.met(subject).await?;
    app.sessions
        .end(
            user.id,
            *id,
            EndedReason::SignedOutRemotely,
            Origin::default(),
        )
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends all of a person's sessions.
pub async fn end_all(
    app: web::Data<App>,
    Application(key): Application,
    web::Query(whose): web::Query<Whose>,
) -> Result<HttpResponse> {
    key.require(Scope::Sessions)?;
    let user = app.people.met(whose.subject.parse()?).await?;
    let ended = app
        .sessions
        .end_all(user.id, EndedReason::SignedOutRemotely, Origin::default())
        .await?;
    Ok(HttpResponse::Ok().json(EndedView { ended: ended.len() }))
}

/// Where an address is that the application tells.
fn location(app: &App, text: Option<&str>) -> Result<Location> {
    let Some(text) = text else {
        return Ok(Location::default());
    };
    let ip: IpAddr = text
        .trim()
        .parse()
        .map_err(|_| Error::field("ip_address", "must be an IPv4 or IPv6 address"))?;
    let ip = ip.to_canonical();
    Ok(Location {
        ip: Some(ip.to_string()),
        place: app.places.find(ip),
    })
}
