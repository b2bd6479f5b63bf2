//! `/api/v1/auth`: creates accounts, and creates, refreshes and ends sessions that use tokens.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::audience::{find_audience, find_audience_for, record_audience};
use super::views::{ConfirmedSession, EndedCount, PersonJson, TokenGrant};
use crate::account::{OwnPassword, SignedUp};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::bound_session;
use crate::http::browser;
use crate::http::caller::{AnyApiCaller, ApiCaller, MaybeApiCaller};
use crate::http::client::{RequestClient, header_text, location, visitor, visitor_origin};
use crate::http::json::Json;
use crate::http::logged_caller::record_session;
use crate::http::requester::requester;
use crate::people::{EmailTrust, FullName, NewAccount, NewPassword, PlainPassword, Role};
use crate::sessions::{
    EndedReason, NewSession, OpenedVia, PasswordGiven, Session, SessionPersistence,
};
use crate::throttles::{Lane, Purpose};
use crate::tokens::Audience;

/// `POST /api/v1/auth/register`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    email: String,
    password: String,
    full_name: Option<String>,
}

/// `POST /api/v1/auth/login`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    email: String,
    password: String,
    device_name: Option<String>,
    device_id: Option<String>,
    /// The application that the access token is for, by its id or name; the service if there is none.
    audience: Option<String>,
}

/// `POST /api/v1/auth/refresh`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    refresh_token: String,
    /// As in [`LoginRequest`]. Each refresh may ask for another one.
    audience: Option<String>,
}

/// `POST /api/v1/auth/confirm`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRequest {
    password: String,
}

/// Creates an account: 201. The route exists only where sign-up is enabled. Where sign-in requires
/// a verified e-mail, the response is the same for an address that has an account.
///
/// # Errors
/// [`Error::Invalid`] when a field is not valid;
/// [`Error::EmailTaken`]; [`Error::Busy`] when too
/// many passwords wait to be hashed; [`Error::TooManyTries`]; [`Error::Unavailable`] when the
/// database doesn't respond.
pub async fn register(
    app: web::Data<AppState>,
    request: HttpRequest,
    Json(body): Json<RegisterRequest>,
) -> Result<HttpResponse> {
    let account = NewAccount {
        email: body.email.parse()?,
        trust: EmailTrust::Unverified,
        full_name: FullName::parse(&body.full_name.unwrap_or_default())?,
        password: NewPassword::new("password", body.password)?,
        role: Role::Person,
    };
    let (email, full_name) = (account.email.clone(), account.full_name.clone());
    // A password that is refused creates nothing, and is sent once more.
    app.people
        .verify_first_password(visitor(&request)?, &account)
        .await?;
    let lane = Lane::SignUp(app.throttles.digest(email.as_str()));
    let requester = requester(&request, None)?;
    app.throttles
        .count(Purpose::SignUp, &requester, lane)
        .await?;
    let hash = app
        .people
        .hash_first_password(visitor(&request)?, &account)
        .await?;
    let origin = visitor_origin(&request)?;
    let person = match app.accounts.sign_up(account, hash, origin).await? {
        SignedUp::Ready(user) => PersonJson::from(*user),
        SignedUp::AwaitsVerification => PersonJson::signed_up(&email, full_name, app.clock.now()),
    };
    Ok(HttpResponse::Created().json(person))
}

/// Creates a session for a device that stores tokens. A live session of the person, by an access token
/// or by the cookie with its CSRF token, gives the try an allowance of its own.
///
/// # Errors
/// [`Error::Invalid`] when a field is not valid;
/// [`Error::InvalidCredentials`], whichever of e-mail and
/// password is wrong; [`Error::InvalidTarget`] when the audience is no
/// application; [`Error::Busy`] when too many passwords wait to be hashed;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn login(
    app: web::Data<AppState>,
    request: HttpRequest,
    RequestClient(client): RequestClient,
    MaybeApiCaller(caller): MaybeApiCaller,
    Json(body): Json<LoginRequest>,
) -> Result<HttpResponse> {
    let device_id = body
        .device_id
        .or_else(|| header_text(request.headers(), "x-device-id"));
    let device_name = body
        .device_name
        .or_else(|| header_text(request.headers(), "x-device-name"));
    let new = NewSession {
        client,
        device_id: device_id.map(|id| id.parse()).transpose()?,
        device_name: device_name.map(|name| name.parse()).transpose()?,
        via: OpenedVia::Api,
        persistence: SessionPersistence::Remembered,
        application: None,
        replaces: None,
    };
    let requester = requester(&request, caller.as_ref())?;
    let attempt = (&requester, caller.as_ref());
    let password = PlainPassword::claimed(body.password);
    let user = app
        .accounts
        .sign_in(&app.people, attempt, &body.email, password)
        .await?;
    // After the password: the names of applications are nobody else's business.
    let audience = find_audience(&app, body.audience.as_deref()).await?;
    let session = app.sessions.create_session(&user, new).await?;
    record_session(&request, &session);
    record_audience(&app, &session, audience).await;
    let password_given_at = Some(session.confirmed_at);
    grant(&app, session, password_given_at, audience)
}

/// Spends a refresh token and returns the next pair of tokens.
///
/// # Errors
/// [`Error::InvalidToken`] when the token is not valid or was reused,
/// or its session is over; [`Error::InvalidTarget`] when the audience is
/// no application: then the token is not spent; [`Error::Unavailable`]
/// when the database doesn't respond.
pub async fn refresh(
    app: web::Data<AppState>,
    request: HttpRequest,
    Json(body): Json<RefreshRequest>,
) -> Result<HttpResponse> {
    let location = location(&request, &app);
    let claim = app
        .tokens
        .verify_refresh(&body.refresh_token, app.clock.now())?;
    let password_given_at = claim.password_given_at;
    let audience = find_audience_for(&app, body.audience.as_deref(), claim.user).await?;
    let session = app.sessions.refresh(claim, location).await?;
    record_session(&request, &session);
    record_audience(&app, &session, audience).await;
    grant(&app, session, password_given_at, audience)
}

/// Step-up: verifies the caller's password. The session gets a new JTI: a caller with an access
/// token gets the tokens that go with it, as from a refresh; for a caller with a cookie the cookie
/// is renewed, and no token is in the response.
///
/// # Errors
/// [`Error::InvalidCredentials`] when the password is wrong;
/// [`Error::Busy`] when too many passwords wait to be hashed;
/// [`Error::Unauthenticated`] when the session ended meanwhile;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn confirm(
    app: web::Data<AppState>,
    request: HttpRequest,
    AnyApiCaller(caller): AnyApiCaller,
    Json(body): Json<ConfirmRequest>,
) -> Result<HttpResponse> {
    let password = PlainPassword::claimed(body.password);
    let requester = requester(&request, Some(&caller))?;
    let attempt = (Purpose::StepUp, &requester);
    match app
        .accounts
        .verify_own_password(&app.people, &caller, attempt, password)
        .await?
    {
        OwnPassword::Right => {}
        OwnPassword::Wrong => return Err(Error::WrongPassword),
        OwnPassword::SessionEnded => return Err(Error::Unauthenticated),
    }
    let session = app.sessions.record_step_up(&caller).await?;
    if caller.has_cookie() {
        browser::set_session(&request, &session, &caller.user)?;
        bound_session::offer(&request, &session, PasswordGiven::Again)?;
        return Ok(HttpResponse::Ok().json(ConfirmedSession::new(session)));
    }
    let password_given_at = Some(session.confirmed_at);
    grant(&app, session, password_given_at, Audience::Service)
}

/// Ends the caller's session: 204.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn logout(
    app: web::Data<AppState>,
    AnyApiCaller(caller): AnyApiCaller,
) -> Result<HttpResponse> {
    let origin = caller.origin();
    app.sessions
        .end_session(
            caller.user.id,
            caller.session.id,
            EndedReason::SignedOut,
            origin,
        )
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends all of the caller's sessions, including the current one.
///
/// # Errors
/// [`Error::StepUpRequired`];
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn logout_all(
    app: web::Data<AppState>,
    ApiCaller(caller): ApiCaller,
) -> Result<HttpResponse> {
    app.sessions.require_step_up(&caller)?;
    let origin = caller.origin();
    let ended = app
        .accounts
        .sign_out_everywhere(caller.user.id, EndedReason::SignedOutRemotely, origin)
        .await?;
    Ok(HttpResponse::Ok().json(EndedCount { ended: ended.len() }))
}

fn grant(
    app: &AppState,
    session: Session,
    password_given_at: Option<Timestamp>,
    audience: Audience,
) -> Result<HttpResponse> {
    let now = app.clock.now();
    let tokens = app
        .tokens
        .issue(&session, password_given_at, audience, now)?;
    Ok(HttpResponse::Ok().json(TokenGrant::new(tokens, session)))
}
