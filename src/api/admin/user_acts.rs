//! `/api/v1/admin/users/{id}/…`: what administrators do to one person. An application with a key for
//! it may disable people, and nothing else of it.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::user_views::{InvitedJson, ResetLinkJson};
use super::users::person;
use crate::account::Administered;
use crate::db::UserId;
use crate::error::{Error, Result};
use crate::http::admin_caller::{AdminApiCaller, AdminPersonCaller};
use crate::http::app_state::AppState;
use crate::http::export_reader::ExportReader;
use crate::http::json::Json;
use crate::http::person_export::send_export;
use crate::listing::refuse_parts;
use crate::people::Role;

/// `POST /api/v1/admin/users/{id}/disable`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisableRequest {
    reason: String,
}

/// `POST /api/v1/admin/users/{id}/enable`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnableRequest {
    reason: Option<String>,
}

/// `DELETE /api/v1/admin/users/{id}`: the e-mail of the person, or the subject that their application
/// has of them, so that no other is deleted by mistake.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteRequest {
    email: String,
    reason: Option<String>,
}

/// `POST /api/v1/admin/users/{id}/lift-delay`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiftDelayRequest {
    reason: String,
}

#[derive(Serialize)]
struct LiftedJson {
    lifted: bool,
}

#[derive(Serialize)]
struct DisabledJson {
    ended: usize,
    already_disabled: bool,
}

/// Disables an account and ends its sessions. The person sees the reason.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person; [`Error::LastAdmin`]; [`Error::Invalid`] when the
/// reason is not valid.
pub async fn disable(
    app: web::Data<AppState>,
    AdminApiCaller(admin): AdminApiCaller,
    request: HttpRequest,
    id: web::Path<UserId>,
    body: Result<Json<DisableRequest>>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
    let Json(body) = body?;
    let origin = admin.origin().with_reason(body.reason.parse()?);
    let outcome = app.accounts.disable(*id, origin).await?;
    Ok(HttpResponse::Ok().json(match outcome {
        Administered::Done { ended } => DisabledJson {
            ended,
            already_disabled: false,
        },
        Administered::Unchanged => DisabledJson {
            ended: 0,
            already_disabled: true,
        },
    }))
}

/// Enables an account that was disabled, and returns its person.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person; [`Error::Invalid`] when the reason is not valid.
pub async fn enable(
    app: web::Data<AppState>,
    AdminPersonCaller(caller): AdminPersonCaller,
    request: HttpRequest,
    id: web::Path<UserId>,
    body: Result<Json<EnableRequest>>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
    let Json(body) = body?;
    let origin = caller.origin();
    let origin = match body.reason {
        Some(reason) => origin.with_reason(reason.parse()?),
        None => origin,
    };
    app.accounts.enable(*id, origin).await?;
    Ok(HttpResponse::Ok().json(person(&app, *id).await?))
}

/// Lifts the delay after wrong passwords, in every lane of a person.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person; [`Error::Invalid`] when the reason is not valid.
pub async fn lift_delay(
    app: web::Data<AppState>,
    AdminPersonCaller(caller): AdminPersonCaller,
    request: HttpRequest,
    id: web::Path<UserId>,
    body: Result<Json<LiftDelayRequest>>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
    let Json(body) = body?;
    let origin = caller.origin().with_reason(body.reason.parse()?);
    let outcome = app.accounts.lift_delay(*id, origin).await?;
    Ok(HttpResponse::Ok().json(LiftedJson {
        lifted: matches!(outcome, Administered::Done { .. }),
    }))
}

/// Vouches for a person's e-mail, and returns the person.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person; [`Error::Invalid`] for a person whom an
/// application authenticates.
pub async fn verify_email(
    app: web::Data<AppState>,
    AdminPersonCaller(caller): AdminPersonCaller,
    request: HttpRequest,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
    app.accounts.vouch_email(*id, caller.origin()).await?;
    Ok(HttpResponse::Ok().json(person(&app, *id).await?))
}

/// Creates a link that sets a new password of a person, once: 201.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person; [`Error::Invalid`] when no password opens the
/// account.
pub async fn create_reset_link(
    app: web::Data<AppState>,
    AdminPersonCaller(caller): AdminPersonCaller,
    request: HttpRequest,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
    let user = app.people.get(*id).await?;
    if !user.may_reset_password() {
        let message = "has no password to set: the account is disabled, or an application \
                       authenticates the person";
        return Err(Error::field("id", message));
    }
    let now = app.clock.now();
    let reset = app.accounts.create_reset(*id, caller.origin()).await?;
    Ok(HttpResponse::Created().json(ResetLinkJson {
        link: app.links.reset_password(reset),
        expires_at: now + app.reset_lifetime,
    }))
}

/// Invites a person again who has set no password yet: 201.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person; [`Error::Invalid`] when they need no invitation;
/// [`Error::Busy`] when the address was sent too many links lately.
pub async fn invite_again(
    app: web::Data<AppState>,
    AdminPersonCaller(caller): AdminPersonCaller,
    request: HttpRequest,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
    let user = app.people.get(*id).await?;
    if !user.is_invited() || !user.is_active {
        return Err(Error::field("id", "needs no invitation"));
    }
    let invitation = app.accounts.invite_again(*id, caller.origin()).await?;
    Ok(HttpResponse::Created().json(InvitedJson::new(invitation, &app.links)))
}

/// Sends everything stored about a person, as a file; recorded on the person.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person.
pub async fn export(
    app: web::Data<AppState>,
    AdminPersonCaller(caller): AdminPersonCaller,
    request: HttpRequest,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
    let export = app.accounts.admin_export(*id, caller.origin()).await?;
    let reader = ExportReader::new(&app.sessions, caller.origin(), Role::Admin);
    send_export(reader, export, &format!("rollcall-{id}")).await
}

/// Deletes a person with all that belongs to them: 204.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person; [`Error::LastAdmin`]; [`Error::Invalid`] when the
/// e-mail is not theirs, or for an application's person the subject.
pub async fn delete(
    app: web::Data<AppState>,
    AdminPersonCaller(caller): AdminPersonCaller,
    request: HttpRequest,
    id: web::Path<UserId>,
    body: Result<Json<DeleteRequest>>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
    let Json(body) = body?;
    let user = app.people.get(*id).await?;
    if !user.is_deletion_confirmed(&body.email) {
        let message = match user.is_external() {
            true => "is not their subject",
            false => "is not their e-mail",
        };
        return Err(Error::field("email", message));
    }
    let origin = match body.reason {
        Some(reason) => caller.origin().with_reason(reason.parse()?),
        None => caller.origin(),
    };
    app.accounts.admin_delete(*id, origin).await?;
    Ok(HttpResponse::NoContent().finish())
}
