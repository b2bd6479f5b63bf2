//! `/api/v1/admin/users`: finding people, creating and inviting them, and changing their name,
//! e-mail and role.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::future::try_join;
use serde::{Deserialize, Serialize};

use super::user_views::InvitedJson;
use crate::account::AccountChanges;
use crate::db::UserId;
use crate::error::{Error, Result};
use crate::http::admin_caller::{AdminPersonCaller, AuditApiCaller};
use crate::http::app_state::AppState;
use crate::http::json::Json;
use crate::listing::{ListEnds, PageParts, QueryPairs, refuse_parts};
use crate::people::{
    EmailTrust, FullName, Invitee, NamedPeopleFilter, NewAccount, NewPassword, PeopleFilter,
    PeopleQuery, Role, User, UserRecord,
};

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
    users: Vec<UserRecord>,
    #[serde(flatten)]
    ends: ListEnds,
}

/// Lists people, newest first; those in whom something begins with `q` come before the others.
///
/// # Errors
/// [`Error::Invalid`] with every part of the query that is unknown or not valid;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn list(
    app: web::Data<AppState>,
    _: AuditApiCaller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let pairs = QueryPairs::of(request.query_string());
    let (named, parts) = NamedPeopleFilter::parse(pairs.iter())?;
    let list = match app.applications.resolve(named).await? {
        Some(filter) => find(&app, filter, &parts).await?,
        None => UserList {
            users: Vec::new(),
            ends: ListEnds::none(),
        },
    };
    Ok(HttpResponse::Ok().json(list))
}

async fn find(app: &AppState, filter: PeopleFilter, parts: &PageParts) -> Result<UserList> {
    let cursor = parts
        .cursor
        .as_deref()
        .map(|text| filter.parse_cursor(text));
    let query = PeopleQuery {
        filter: filter.clone(),
        cursor: cursor.transpose()?,
        limit: parts.limit.get(),
    };
    let counted = app.people.count_found(filter.clone());
    let (page, total) = try_join(app.people.search(query), counted).await?;
    let ids: Vec<UserId> = page.people.iter().map(|user| user.id).collect();
    let live = app.sessions.count_live_by_person(ids).await?;
    let users = page.people.into_iter().map(|user| with_count(user, &live));
    Ok(UserList {
        users: users.collect(),
        ends: ListEnds {
            next_cursor: page.next.map(|cursor| filter.encode(&cursor)),
            previous_cursor: page.previous.map(|cursor| filter.encode(&cursor)),
            is_partial: page.is_partial,
            total,
        },
    })
}

/// Returns one person.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person; [`Error::Unavailable`] when the database doesn't
/// respond.
pub async fn show(
    app: web::Data<AppState>,
    _: AuditApiCaller,
    request: HttpRequest,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
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
    request: HttpRequest,
    body: Result<Json<CreateRequest>>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
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
            let message = "is required, unless invite is true";
            return Err(Error::field("password", message));
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
    Ok(HttpResponse::Created().json(UserRecord::new(user, 0)))
}

/// Changes the name, the e-mail and the role of a person: all that the request names, or none.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person; [`Error::EmailTaken`]; [`Error::LastAdmin`];
/// [`Error::Invalid`] when a field is not valid.
pub async fn update(
    app: web::Data<AppState>,
    AdminPersonCaller(caller): AdminPersonCaller,
    request: HttpRequest,
    id: web::Path<UserId>,
    body: Result<Json<UpdateRequest>>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
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
pub(super) async fn person(app: &AppState, id: UserId) -> Result<UserRecord> {
    let user = app.people.get(id).await?;
    let live = app.sessions.count_live_by_person(vec![id]).await?;
    Ok(with_count(user, &live))
}

fn with_count(user: User, live: &HashMap<UserId, usize>) -> UserRecord {
    let count = live.get(&user.id).copied().unwrap_or_default();
    UserRecord::new(user, count)
}

fn parse<T: std::str::FromStr<Err = Error>>(text: Option<&str>) -> Result<Option<T>> {
    text.map(str::parse).transpose()
}
