//! `/oauth`: introspection (RFC 7662) and revocation (RFC 7009) for resource servers, both with an
//! API key: of the scope `tokens` for tokens that were made for the application, of `tokens:any` for
//! every token. Others are as unknown as no token at all.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

use crate::applications::{ApiClient, Scope};
use crate::db::{SessionId, UserId};
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::http::api_client::FromClient;
use crate::http::app_state::AppState;
use crate::http::forms::ProgramForm;
use crate::sessions::{EndedReason, UsedApplication};
use crate::tokens::{Audience, PASSWORD_ACR, TokenInfo, TokenKind};

/// The form of both requests (RFC 7662, 2.1; RFC 7009, 2.1). `token_type_hint` is accepted and
/// ignored: the token itself shows its type.
#[derive(Deserialize)]
pub struct TokenForm {
    #[serde(default)]
    token: String,
}

/// The response to an introspection (RFC 7662, 2.2).
#[derive(Serialize)]
#[serde(untagged)]
enum Introspection {
    Inactive { active: bool },
    Active(Box<Active>),
}

#[derive(Serialize)]
struct Active {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    sub: UserId,
    sid: SessionId,
    iss: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    iat: i64,
    exp: i64,
    /// When the password was given (RFC 9470, 6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'static str>,
}

/// Returns whether a token is active, and its owner. The response is the same whatever is wrong
/// with it, and for a token that was not made for the application.
///
/// # Errors
/// [`Error::InsufficientScope`] when the key lacks the scope `tokens`; [`Error::Invalid`] when the
/// token is missing; [`Error::Unavailable`] when the database doesn't respond.
pub async fn introspect(
    app: web::Data<AppState>,
    FromClient(client, ProgramForm(form)): FromClient<ProgramForm<TokenForm>>,
) -> Result<HttpResponse> {
    client.require(Scope::Tokens)?;
    let token = required(&form)?;
    let introspection = match find_active(&app, &client, token).await? {
        Some(active) => Introspection::Active(Box::new(active)),
        None => Introspection::Inactive { active: false },
    };
    Ok(HttpResponse::Ok().json(introspection))
}

/// Ends the session of a token: 200, also when there is none or the token was not made for the
/// application.
///
/// # Errors
/// [`Error::InsufficientScope`] when the key lacks the scope `tokens`; [`Error::Invalid`] when the
/// token is missing; [`Error::Unavailable`] when the database doesn't respond.
pub async fn revoke(
    app: web::Data<AppState>,
    FromClient(client, ProgramForm(form)): FromClient<ProgramForm<TokenForm>>,
) -> Result<HttpResponse> {
    client.require(Scope::Tokens)?;
    if let Some(token) = inspect(&app, &client, required(&form)?) {
        let reason = EndedReason::SignedOut;
        let origin = Origin {
            application: Some(client.application.id),
            ..Origin::default()
        };
        match app
            .sessions
            .end_session(token.user, token.session, reason, origin)
            .await
        {
            Ok(_) | Err(Error::NotFound) => {}
            Err(err) => return Err(err),
        }
    }
    Ok(HttpResponse::Ok().finish())
}

fn required(form: &TokenForm) -> Result<&str> {
    match form.token.as_str() {
        "" => Err(Error::field("token", "is required")),
        token => Ok(token),
    }
}

/// Returns the claims of a genuine token, if the application may know of it. Whether the session of
/// another one is live is not even asked, so the time tells nothing either.
fn inspect(app: &AppState, client: &ApiClient, token: &str) -> Option<TokenInfo> {
    let token = app.tokens.inspect(token, app.clock.now()).ok()?;
    let made_for = match token.audience {
        Some(Audience::Application(id)) => Some(id),
        Some(Audience::Service) | None => None,
    };
    client.may_inspect(made_for).then_some(token)
}

async fn find_active(app: &AppState, client: &ApiClient, token: &str) -> Result<Option<Active>> {
    let Some(token) = inspect(app, client, token) else {
        return Ok(None);
    };
    let TokenInfo { user, session, .. } = token;
    let live = app
        .sessions
        .find_live(user, session, token.jti.clone())
        .await?;
    let Some((row, person)) = live else {
        return Ok(None);
    };
    if let Some(issued_with) = &token.issued_with {
        // Somebody has the refresh token that came with it.
        app.sessions.record_token_use(&row, issued_with).await?;
    }
    let application = UsedApplication::Client(client.application.id);
    app.sessions.record_application(&row, application).await;
    Ok(Some(Active {
        active: true,
        token_type: (token.kind == TokenKind::Access).then_some("Bearer"),
        username: person.verified_email().map(str::to_owned),
        sub: user,
        sid: session,
        iss: app.tokens.issuer().to_owned(),
        aud: token
            .audience
            .map(|audience| app.tokens.audience_claim(audience)),
        iat: token.issued_at,
        exp: token.expires_at,
        auth_time: token.password_given_at.map(|at| at.timestamp()),
        acr: token.password_given_at.map(|_| PASSWORD_ACR),
    }))
}
