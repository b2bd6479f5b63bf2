//! `/api/v1/app/sessions`: for applications that authenticate people themselves. With an API key of
//! the scope `sessions`, they create, refresh, list and end the sessions of people whom they
//! identify by a subject. A subject is one of the application's own: for others, its people don't
//! exist.

use std::net::IpAddr;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::audience::{find_own_audience, record_audience};
use super::views::{EndedCount, SessionJson, TokenGrant};
use crate::applications::{ApiClient, Scope};
use crate::db::SessionId;
use crate::error::{Error, Result, TokenRefusal};
use crate::events::Origin;
use crate::geo::Location;
use crate::http::api_client::FromClient;
use crate::http::app_state::AppState;
use crate::http::json::Json;
use crate::http::logged_caller::record_session;
use crate::http::subject::{refuse_in_query, subject_header};
use crate::people::{ExternalPerson, FullName, Subject, User};
use crate::sessions::{
    Client, EndedReason, NewSession, OpenedVia, Session, SessionPersistence, UsedApplication,
};
use crate::tokens::Audience;
use crate::user_agent::ClientHints;

/// `POST /api/v1/app/sessions`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateSessionRequest {
    /// Required, unless it is in the header `X-Subject`.
    subject: Option<String>,
    email: Option<String>,
    full_name: Option<String>,
    /// The person's user agent, as the application received it.
    user_agent: Option<String>,
    /// The person's address, as the application received it.
    ip_address: Option<String>,
    device_id: Option<String>,
    device_name: Option<String>,
    /// The application that the access token is for, by its id or name; the service if there is none.
    audience: Option<String>,
}

/// `POST /api/v1/app/sessions/refresh`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshSessionRequest {
    refresh_token: String,
    ip_address: Option<String>,
    /// As in [`CreateSessionRequest`].
    audience: Option<String>,
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
/// field is not valid; [`Error::InvalidTarget`] when the audience is another application or none;
/// [`Error::InvalidCredentials`] when the account is disabled; [`Error::Unavailable`] when the
/// database doesn't respond.
pub async fn create(
    app: web::Data<AppState>,
    request: HttpRequest,
    FromClient(client, Json(body)): FromClient<Json<CreateSessionRequest>>,
) -> Result<HttpResponse> {
    client.require(Scope::Sessions)?;
    let subject = subject(&request, body.subject.as_deref())?;
    let agent = body.user_agent.as_deref().unwrap_or_default();
    let facts = app.device_parser.parse(agent, ClientHints::default()).await;
    let location = location(&app, body.ip_address.as_deref())?;
    let new = NewSession {
        client: Client::new(location, body.user_agent.as_deref(), facts),
        device_id: body.device_id.map(|id| id.parse()).transpose()?,
        device_name: body.device_name.map(|name| name.parse()).transpose()?,
        via: OpenedVia::Application,
        persistence: SessionPersistence::Remembered,
        application: Some(client.application.id),
        replaces: None,
    };
    let person = ExternalPerson {
        subject,
        email: body.email.map(|email| email.parse()).transpose()?,
        full_name: FullName::parse(&body.full_name.unwrap_or_default())?,
    };
    let audience = find_own_audience(&app, body.audience.as_deref(), client.application.id).await?;
    let user = app
        .people
        .find_or_create_external(client.realm(), person)
        .await?;
    let session = app.sessions.create_session(&user, new).await?;
    record_session(&request, &session);
    record_use(&app, &client, &session, audience).await;
    // No password was given here: the tokens pass no step-up.
    let tokens = app
        .tokens
        .issue(&session, None, audience, app.clock.now())?;
    Ok(HttpResponse::Created().json(TokenGrant::new(tokens, session)))
}

/// Spends a refresh token and returns the next pair of tokens.
///
/// # Errors
/// [`Error::InsufficientScope`] when the key lacks the scope `sessions`; [`Error::Invalid`] when
/// the address is not valid; [`Error::InvalidToken`] when the token is not valid or was reused, its
/// session is over or its owner a person of another application; [`Error::InvalidTarget`] when the
/// audience is no application; [`Error::Unavailable`] when the database doesn't respond.
pub async fn refresh(
    app: web::Data<AppState>,
    request: HttpRequest,
    FromClient(client, Json(body)): FromClient<Json<RefreshSessionRequest>>,
) -> Result<HttpResponse> {
    client.require(Scope::Sessions)?;
    refuse_in_query(&request)?;
    let location = location(&app, body.ip_address.as_deref())?;
    let now = app.clock.now();
    let mut claim = app.tokens.verify_refresh(&body.refresh_token, now)?;
    claim.application = Some(client.application.id);
    let password_given_at = claim.password_given_at;
    // Before it is spent: of a person of another application it is no token at all.
    if !app.people.is_in_realm(claim.user, client.realm()).await? {
        return Err(Error::InvalidToken(TokenRefusal::AnotherApplication));
    }
    let audience = find_own_audience(&app, body.audience.as_deref(), client.application.id).await?;
    let session = app.sessions.refresh(claim, location).await?;
    record_session(&request, &session);
    record_use(&app, &client, &session, audience).await;
    let tokens = app
        .tokens
        .issue(&session, password_given_at, audience, now)?;
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
    client: ApiClient,
    request: HttpRequest,
) -> Result<HttpResponse> {
    client.require(Scope::Sessions)?;
    let user = get_person(&app, &client, &request).await?;
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
    client: ApiClient,
    id: web::Path<SessionId>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    client.require(Scope::Sessions)?;
    let user = get_person(&app, &client, &request).await?;
    app.sessions
        .end_session(
            user.id,
            *id,
            EndedReason::SignedOutRemotely,
            origin(&client),
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
    client: ApiClient,
    request: HttpRequest,
) -> Result<HttpResponse> {
    client.require(Scope::Sessions)?;
    let user = get_person(&app, &client, &request).await?;
    let ended = app
        .sessions
        .end_all_sessions(user.id, EndedReason::SignedOutRemotely, origin(&client))
        .await?;
    Ok(HttpResponse::Ok().json(EndedCount { ended: ended.len() }))
}

/// Records that a session was created or refreshed by the application, with a token for `audience`.
async fn record_use(app: &AppState, client: &ApiClient, session: &Session, audience: Audience) {
    let application = UsedApplication::Client(client.application.id);
    app.sessions.record_application(session, application).await;
    record_audience(app, session, audience).await;
}

/// Returns the application as the origin of events. The address that it calls from is not the
/// person's, and is left out of what they see.
fn origin(client: &ApiClient) -> Origin {
    Origin {
        application: Some(client.application.id),
        ..Origin::default()
    }
}

/// Returns the person whom the application identifies by the header's subject.
async fn get_person(app: &AppState, client: &ApiClient, request: &HttpRequest) -> Result<User> {
    refuse_in_query(request)?;
    let missing = || Error::field("subject", "is required in the header X-Subject");
    let subject = subject_header(request)?.ok_or_else(missing)?;
    let found = app.people.find_external(client.realm(), subject).await?;
    found.ok_or(Error::NotFound)
}

/// Returns the subject in the body or in the header, which have to agree.
fn subject(request: &HttpRequest, in_body: Option<&str>) -> Result<Subject> {
    refuse_in_query(request)?;
    let in_body = in_body.map(str::parse).transpose()?;
    match (in_body, subject_header(request)?) {
        (Some(subject), None) | (None, Some(subject)) => Ok(subject),
        (Some(subject), Some(other)) if subject == other => Ok(subject),
        (Some(_), Some(_)) => Err(Error::field("subject", "differs from the one in X-Subject")),
        (None, None) => Err(Error::field("subject", "is required")),
    }
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
