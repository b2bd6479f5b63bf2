//! `/api/v1/admin/applications`: the applications with their keys, without secrets.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use url::form_urlencoded;

use crate::applications::{ApiKey, ApplicationPage, ApplicationSummary, MAX_COUNTED_PEOPLE};
use crate::clock::Timestamp;
use crate::db::{ApiKeyId, ApplicationId};
use crate::error::{Error, FieldError, Result};
use crate::http::admin_caller::AuditApiCaller;
use crate::http::app_state::AppState;

/// The applications of a page, where no number is requested.
const DEFAULT_LIMIT: u32 = 50;
/// The most applications of a page.
const MAX_LIMIT: u32 = 200;

#[derive(Serialize)]
struct ApplicationList {
    applications: Vec<ApplicationJson>,
    /// The name of the last application, where more follow.
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct ApplicationJson {
    id: ApplicationId,
    name: String,
    kind: &'static str,
    hosts: Vec<String>,
    created_at: Timestamp,
    people: PeopleCount,
    keys: Vec<KeyJson>,
}

/// How many people an application has; at least so many where there are too many to count.
#[derive(Serialize)]
struct PeopleCount {
    count: i64,
    approximate: bool,
}

#[derive(Serialize)]
struct KeyJson {
    id: ApiKeyId,
    name: String,
    scopes: Vec<String>,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

/// Lists a page of applications, ordered by name.
///
/// # Errors
/// [`Error::Invalid`] when the query is not valid; [`Error::Unavailable`] when the database doesn't
/// respond.
pub async fn list(
    app: web::Data<AppState>,
    AuditApiCaller(_): AuditApiCaller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let (after, limit) = parse(request.query_string())?;
    let ApplicationPage { applications, next } = app.applications.list_page(after, limit).await?;
    let applications = applications.into_iter();
    Ok(HttpResponse::Ok().json(ApplicationList {
        applications: applications.map(ApplicationJson::from).collect(),
        next_cursor: next,
    }))
}

/// Returns the name after which the page begins, and the most applications on it.
fn parse(query: &str) -> Result<(Option<String>, u32)> {
    let (mut after, mut limit, mut errors) = (None, None, Vec::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match (&*name, after.is_some(), limit.is_some()) {
            ("cursor", false, _) => after = Some(value.into_owned()),
            ("limit", _, false) => limit = Some(value.parse().unwrap_or_default()),
            ("cursor" | "limit", ..) => errors.push(FieldError::new(name, "is given twice")),
            _ => errors.push(FieldError::new(name, "is not known here")),
        }
    }
    let limit: u32 = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        errors.push(FieldError::new(
            "limit",
            format!("must be a number from 1 to {MAX_LIMIT}"),
        ));
    }
    match errors.is_empty() {
        true => Ok((after, limit)),
        false => Err(Error::Invalid(errors)),
    }
}

impl From<ApplicationSummary> for ApplicationJson {
    fn from(summary: ApplicationSummary) -> Self {
        let ApplicationSummary {
            application,
            keys,
            people,
        } = summary;
        Self {
            hosts: application.hosts().map(str::to_owned).collect(),
            id: application.id,
            name: application.name,
            kind: application.kind.as_str(),
            created_at: application.created_at,
            people: PeopleCount {
                count: people.min(MAX_COUNTED_PEOPLE),
                approximate: people > MAX_COUNTED_PEOPLE,
            },
            keys: keys.into_iter().map(KeyJson::from).collect(),
        }
    }
}

impl From<ApiKey> for KeyJson {
    fn from(key: ApiKey) -> Self {
        Self {
            scopes: key.scopes.split(' ').map(str::to_owned).collect(),
            id: key.id,
            name: key.name,
            created_at: key.created_at,
            last_used_at: key.last_used_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}
