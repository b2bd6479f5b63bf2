//! `/api/v1/admin/users`: finding people, creating and inviting them, and changing their name,
//! e-mail and role.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::user_views::{InvitedJson, UserJson};
use crate::account::AccountChanges;
use crate::db::{ApplicationId, UserId};
use crate::error::{Error, Result};
use crate::http::admin_caller::{AdminPersonCaller, AuditApiCaller};
use crate::http::app_state::AppState;
use crate::http::error_response::bad_query;
use crate::http::json::Json;
use crate::people::{
    EmailTrust, FullName, Invitee, NewAccount, NewPassword, PeopleFilter, PeopleQuery, Role,
    SearchText, User,
};

/// People on a page where the request has no `limit`.
const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 200;

/// `GET /api/v1/admin/users`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    q: Option<String>,
    role: Option<String>,
    state: Option<String>,
    application: Option<String>,
    email: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// `POST /api/v1/admin/users`: with a password, or `invite`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateRequest {
    email: String,
    full_name: Option<String>,
    role: Option<String>,
    password: Option<String>,
    #[serde(default)]
    invite: bool,
}

/// `PATCH /api/v1/admin/users/{id}`: what is left out stays as it is; an empty name removes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateRequest {
    full_name: Option<String>,
    email: Option<String>,
    role: Option<String>,
    reason: Option<String>,
}

#[derive(Serialize)]
struct UserList {
    users: Vec<UserJson>,
    next_cursor: Option<String>,
    previous_cursor: Option<String>,
    is_partial: bool,
}

/// Lists people, newest first; those in whom something begins with `q` come before the others.
///
/// # Errors
/// [`Error::Invalid`] when a filter, the limit or the cursor is not valid; [`Error::Unavailable`]
/// when the database doesn't respond.
pub async fn list(
    app: web::Data<AppState>,
    _: AuditApiCaller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let query = web::Query::<ListQuery>::from_query(request.query_string());
    let query = query.map_err(|err| bad_query(&err))?.into_inner();
    let query = people_query(&app, query).await?;
    let page = app.people.search(query).await?;
    let ids: Vec<UserId> = page.people.iter().map(|user| user.id).collect();
    let live = app.sessions.count_live_by_person(ids).await?;
    Ok(HttpResponse::Ok().json(UserList {
        users: page
            .people
            .into_iter()
            .map(|user| with_count(user, &live))
            .collect(),
        next_cursor: page.next.map(|cursor| cursor.encode()),
        previous_cursor: page.previous.map(|cursor| cursor.encode()),
        is_partial: page.is_partial,
    }))
}

/// Returns one person.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person; [`Error::Unavailable`] when the database doesn't
/// respond.
pub async fn show(
    app: web::Data<AppState>,
    _: AuditApiCaller,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(person(&app, *id).await?))
}

/// Creates an account with a password, or invites a person to set one: 201.
///
/// # Errors
/// [`Error::EmailTaken`]; [`Error::Invalid`] when a field is not valid, or there is neither a
/// password nor `invite`, or both; [`Error::Busy`] when too many passwords wait to be hashed, or the
/// address was sent too many links lately.
pub async fn create(
    app: web::Data<AppState>,
    AdminPersonCaller(caller): AdminPersonCaller,
    body: Result<Json<CreateRequest>>,
) -> Result<HttpResponse> {
    let Json(body) = body?;
    let invitee = Invitee {
        email: body.email.parse()?,
        full_name: FullName::parse(&body.full_name.unwrap_or_default())?,
        role: parse(body.role.as_deref())?.unwrap_or(Role::Person),
    };
    let password = match (body.password, body.invite) {
        (Some(password), false) => NewPassword::new("password", password)?,
        (None, true) => {
            let invitation = app.accounts.invite(invitee, caller.origin()).await?;
            return Ok(HttpResponse::Created().json(InvitedJson::new(invitation, &app.links)));
        }
        (Some(_), true) => return Err(Error::field("password", "is set by who is invited")),
        (None, false) => {
            return Err(Error::field(
                "password",
                "is required, unless invite is true",
            ));
        }
    };
    let account = NewAccount {
        email: invitee.email,
        trust: EmailTrust::Vouched,
        full_name: invitee.full_name,
        password,
        role: invitee.role,
    };
    let requester = caller.hash_requester();
    let hash = app.people.hash_first_password(requester, &account).await?;
    let user = app
        .accounts
        .create_account(account, hash, caller.origin())
        .await?;
    Ok(HttpResponse::Created().json(UserJson::new(user, 0)))
}

/// Changes the name, the e-mail and the role of a person: all that the request names, or none.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person; [`Error::EmailTaken`]; [`Error::LastAdmin`];
/// [`Error::Invalid`] when a field is not valid.
pub async fn update(
    app: web::Data<AppState>,
    AdminPersonCaller(caller): AdminPersonCaller,
    id: web::Path<UserId>,
    body: Result<Json<UpdateRequest>>,
) -> Result<HttpResponse> {
    let Json(body) = body?;
    let changes = AccountChanges {
        full_name: body.full_name.as_deref().map(FullName::parse).transpose()?,
        email: parse(body.email.as_deref())?,
        role: parse(body.role.as_deref())?,
    };
    let origin = caller.origin();
    let origin = match parse(body.reason.as_deref())? {
        Some(reason) => origin.with_reason(reason),
        None => origin,
    };
    app.accounts.update_account(*id, changes, origin).await?;
    Ok(HttpResponse::Ok().json(person(&app, *id).await?))
}

/// Returns a person in JSON.
pub(super) async fn person(app: &AppState, id: UserId) -> Result<UserJson> {
    let user = app.people.get(id).await?;
    let live = app.sessions.count_live_by_person(vec![id]).await?;
    Ok(with_count(user, &live))
}

fn with_count(user: User, live: &HashMap<UserId, usize>) -> UserJson {
    let count = live.get(&user.id).copied().unwrap_or_default();
    UserJson::new(user, count)
}

async fn people_query(app: &AppState, query: ListQuery) -> Result<PeopleQuery> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        let message = format!("must be from 1 to {MAX_PAGE}");
        return Err(Error::field("limit", message));
    }
    let filter = PeopleFilter {
        text: SearchText::parse(&query.q.unwrap_or_default())?,
        role: parse(query.role.as_deref())?,
        state: parse(query.state.as_deref())?,
        application: find_application(app, query.application.as_deref()).await?,
        email: parse(query.email.as_deref())?,
    };
    Ok(PeopleQuery {
        filter,
        cursor: parse(query.cursor.as_deref())?,
        limit,
    })
}

/// Returns the application with that id or name.
async fn find_application(app: &AppState, text: Option<&str>) -> Result<Option<ApplicationId>> {
    let Some(text) = text else {
        return Ok(None);
    };
    match app.applications.get(text).await {
        Ok(application) => Ok(Some(application.id)),
        Err(Error::NotFound) => Err(Error::field("application", "does not exist")),
        Err(err) => Err(err),
    }
}

fn parse<T: std::str::FromStr<Err = Error>>(text: Option<&str>) -> Result<Option<T>> {
    text.map(str::parse).transpose()
}
