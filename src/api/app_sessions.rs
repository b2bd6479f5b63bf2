//! `/api/v1/app/sessions`: for applications that authenticate people themselves. With an API key of
//! the scope `sessions`, they create, refresh, list and end the sessions of people whom they
//! identify by a subject.

use std::net::IpAddr;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::views::{EndedCount, SessionJson, TokenGrant};
use crate::applications::Scope;
use crate::db::SessionId;
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::geo::Location;
use crate::http::api_client::ApiClient;
use crate::http::app_state::AppState;
use crate::http::json::Json;
use crate::people::{ExternalPerson, FullName, User};
use crate::sessions::{Client, EndedReason, NewSession, OpenedVia, SessionPersistence};

/// `POST /api/v1/app/sessions`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateSessionRequest {
    subject: String,
    email: Option<String>,
    full_name: Option<String>,
    /// The person's user agent, as the application received it.
    user_agent: Option<String>,
    /// The person's address, as the application received it.
    ip_address: Option<String>,
    device_id: Option<String>,
    device_name: Option<String>,
}

/// `POST /api/v1/app/sessions/refresh`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshSessionRequest {
    refresh_token: String,
    ip_address: Option<String>,
}

/// The person whose sessions are listed or ended.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectQuery {
    subject: String,
}

#[derive(Serialize)]
struct SessionList {
    total: usize,
    sessions: Vec<SessionJson>,
}

/// Creates a session: 201. A person with a new subject gets an account that no password opens.
///
/// # Errors
/// [`Error::InsufficientScope`] when the key lacks the scope `sessions`; [`Error::Invalid`] when a
/// field is not valid; [`Error::EmailTaken`] when another account has the e-mail;
/// [`Error::InvalidCredentials`] when the account is disabled; [`Error::Unavailable`] when the
/// database doesn't respond.
pub async fn create(
    app: web::Data<AppState>,
    ApiClient(key): ApiClient,
    Json(body): Json<CreateSessionRequest>,
) -> Result<HttpResponse> {
    key.require(Scope::Sessions)?;
    let facts = app
        .device_parser
        .parse(body.user_agent.as_deref().unwrap_or_default());
    let location = location(&app, body.ip_address.as_deref())?;
    let new = NewSession {
        client: Client::new(location, body.user_agent.as_deref(), facts),
        device_id: body.device_id.map(|id| id.parse()).transpose()?,
        device_name: body.device_name.map(|name| name.parse()).transpose()?,
        via: OpenedVia::Application,
        persistence: SessionPersistence::Remembered,
        replaces: None,
    };
    let person = ExternalPerson {
        subject: body.subject.parse()?,
        email: body.email.map(|email| email.parse()).transpose()?,
        full_name: FullName::parse(&body.full_name.unwrap_or_default())?,
    };
    let user = app.people.find_or_create_external(person).await?;
    let session = app.sessions.create_session(&user, new).await?;
    // No password was given here: the tokens pass no step-up.
    let tokens = app.tokens.issue(&session, None, app.clock.now())?;
    Ok(HttpResponse::Created().json(TokenGrant::new(tokens, session)))
}

/// Spends a refresh token and returns the next pair of tokens.
///
/// # Errors
/// [`Error::InsufficientScope`] when the key lacks the scope `sessions`; [`Error::Invalid`] when
/// the address is not valid; [`Error::InvalidToken`] when the token is not valid or was reused, or
/// its session is over; [`Error::Unavailable`] when the database doesn't respond.
pub async fn refresh(
    app: web::Data<AppState>,
    ApiClient(key): ApiClient,
    Json(body): Json<RefreshSessionRequest>,
) -> Result<HttpResponse> {
    key.require(Scope::Sessions)?;
    let location = location(&app, body.ip_address.as_deref())?;
    let now = app.clock.now();
    let claim = app.tokens.verify_refresh(&body.refresh_token, now)?;
    let password_given_at = claim.password_given_at;
    let session = app.sessions.refresh(claim, location).await?;
    let tokens = app.tokens.issue(&session, password_given_at, now)?;
    Ok(HttpResponse::Ok().json(TokenGrant::new(tokens, session)))
}

/// Lists a person's live sessions, newest use first.
///
/// # Errors
/// [`Error::InsufficientScope`] when the key lacks the scope `sessions`; [`Error::Invalid`] when
/// the subject is not valid; [`Error::NotFound`] when there is no such person;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn list(
    app: web::Data<AppState>,
    ApiClient(key): ApiClient,
    web::Query(query): web::Query<SubjectQuery>,
) -> Result<HttpResponse> {
    key.require(Scope::Sessions)?;
    let user = get_person(&app, &query).await?;
    let live = app.sessions.list_live(user.id).await?;
    let sessions: Vec<_> = live.into_iter().map(SessionJson::from_outside).collect();
    Ok(HttpResponse::Ok().json(SessionList {
        total: sessions.len(),
        sessions,
    }))
}

/// Ends one of a person's sessions: 204, also when it had ended before.
///
/// # Errors
/// [`Error::InsufficientScope`] when the key lacks the scope `sessions`; [`Error::Invalid`] when
/// the subject is not valid; [`Error::NotFound`] when there is no such person or they have no such
/// session; [`Error::Unavailable`] when the database doesn't respond.
pub async fn end(
    app: web::Data<AppState>,
    ApiClient(key): ApiClient,
    id: web::Path<SessionId>,
    web::Query(query): web::Query<SubjectQuery>,
) -> Result<HttpResponse> {
    key.require(Scope::Sessions)?;
    let user = get_person(&app, &query).await?;
    app.sessions
        .end_session(
            user.id,
            *id,
            EndedReason::SignedOutRemotely,
            Origin::default(),
        )
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends all of a person's sessions.
///
/// # Errors
/// [`Error::InsufficientScope`] when the key lacks the scope `sessions`; [`Error::Invalid`] when
/// the subject is not valid; [`Error::NotFound`] when there is no such person;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn end_all(
    app: web::Data<AppState>,
    ApiClient(key): ApiClient,
    web::Query(query): web::Query<SubjectQuery>,
) -> Result<HttpResponse> {
    key.require(Scope::Sessions)?;
    let user = get_person(&app, &query).await?;
    let ended = app
        .sessions
        .end_all_sessions(user.id, EndedReason::SignedOutRemotely, Origin::default())
        .await?;
    Ok(HttpResponse::Ok().json(EndedCount { ended: ended.len() }))
}

/// Returns the person with that subject.
async fn get_person(app: &AppState, query: &SubjectQuery) -> Result<User> {
    let found = app.people.find_external(query.subject.parse()?).await?;
    found.ok_or(Error::NotFound)
}

/// Returns the location of an address that the application sent.
fn location(app: &AppState, text: Option<&str>) -> Result<Location> {
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
