//! Ending anybody's sessions: `POST /api/v1/admin/sessions/end` for many,
//! `DELETE /api/v1/admin/sessions/{id}` for one, `DELETE /api/v1/admin/users/{id}/sessions` for all
//! of a person's.

use std::fmt;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::api::views::EndedCount;
use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::error::{Error, FieldError, Result};
use crate::events::Origin;
use crate::http::admin_caller::{AdminApiCaller, AdminJson, ApiAdmin};
use crate::http::app_state::AppState;
use crate::http::json::OptionalJson;
use crate::listing::{QueryPairs, read_parts, refuse_parts};
use crate::sessions::EndedReason;
use crate::sessions::bulk::{BulkState, EndOrder, EndRecord, OwnSessions, Repetition, Selection};
use crate::sessions::search::SessionFilter;

/// The name of the reason, in a query.
const REASON: &str = "reason";

/// `POST /api/v1/admin/sessions/end`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndRequest {
    /// The parts of a filter. Everybody's sessions need `"state": "live"`: an empty filter is more
    /// likely a mistake.
    filter: Option<FilterParts>,
    ids: Option<Vec<SessionId>>,
    /// What the owners see. Required, except for a dry run.
    reason: Option<String>,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    include_own: bool,
}

/// The parts of a filter as they were sent. A map would leave out one that is given twice.
struct FilterParts(Vec<(String, String)>);

impl<'de> Deserialize<'de> for FilterParts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct PartsVisitor;

        impl<'de> Visitor<'de> for PartsVisitor {
            type Value = FilterParts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<FilterParts, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = map.next_entry()? {
                    parts.push(part);
                }
                Ok(FilterParts(parts))
            }
        }

        deserializer.deserialize_map(PartsVisitor)
    }
}

/// The body of the two that end by `DELETE`, which they may have.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    reason: Option<String>,
}

impl EndRequest {
    fn selection(&self, now: Timestamp) -> Result<Selection> {
        match (&self.filter, &self.ids) {
            (Some(filter), None) => {
                let pairs = filter.0.iter().map(|(name, value)| (&**name, &**value));
                let filter = SessionFilter::parse_order(pairs).map_err(in_filter)?;
                match filter == SessionFilter::default() {
                    true => Err(Error::field(
                        "filter",
                        "is empty; to end everybody's sessions, say {\"state\": \"live\"}",
                    )),
                    false => Selection::matching(&filter, now),
                }
            }
            (None, Some(ids)) => Selection::listed(ids.iter().copied()),
            _ => Err(Error::field("filter", "or ids is required, not both")),
        }
    }

    fn origin(&self, admin: &ApiAdmin) -> Result<Origin> {
        match &self.reason {
            Some(reason) => Ok(admin.origin().with_reason(reason.parse()?)),
            None if self.dry_run => Ok(admin.origin()),
            None => Err(Error::field("reason", "is required")),
        }
    }
}

/// Ends the sessions that a filter finds, or the listed ones, except the caller's own unless the
/// request includes them. The response to a dry run counts them. Few are ended when it is sent (200);
/// of many it has the job that ends them (202).
///
/// # Errors
/// [`Error::Invalid`] when the request is for no sessions, or has no reason;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn end_many(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminJson(admin, body): AdminJson<EndRequest>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
    let selection = body.selection(app.clock.now())?;
    let origin = body.origin(&admin)?;
    if body.dry_run {
        let preview = app.sessions.preview_end(&selection, admin.user()).await;
        let preview = preview.map_err(about_name)?;
        return Ok(HttpResponse::Ok().json(EndRecord::dry_run(&preview)));
    }
    let order = EndOrder {
        selection,
        own: match body.include_own {
            true => OwnSessions::Included,
            false => OwnSessions::LeftOut,
        },
        repetition: Repetition::Another,
        origin,
    };
    let ordered = app.sessions.order_end(order).await;
    let ordered = ordered.map_err(about_name)?;
    let location = (LOCATION, format!("/api/v1/admin/jobs/{}", ordered.job.id));
    let mut response = match ordered.job.state {
        BulkState::Running => HttpResponse::Accepted().insert_header(location).take(),
        _ => HttpResponse::Ok(),
    };
    Ok(response.json(EndRecord::ordered(ordered)?))
}

/// Ends one session of anybody: 204, also when it had ended before.
///
/// # Errors
/// [`Error::NotFound`] when there is no such session; [`Error::Invalid`] when the reason is not valid;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn end_one(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminApiCaller(admin): AdminApiCaller,
    id: web::Path<SessionId>,
    body: Result<OptionalJson<ReasonBody>>,
) -> Result<HttpResponse> {
    let origin = with_reason(&request, body?, &admin)?;
    let owner = app.sessions.get_owner(*id).await?;
    app.sessions
        .end_session(owner, *id, EndedReason::Admin, origin)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends all sessions of a person, the caller's own included where they are that person.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person; [`Error::Invalid`] when the reason is not valid;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn end_of_person(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminApiCaller(admin): AdminApiCaller,
    id: web::Path<UserId>,
    body: Result<OptionalJson<ReasonBody>>,
) -> Result<HttpResponse> {
    let origin = with_reason(&request, body?, &admin)?;
    let ended = app
        .accounts
        .sign_out_everywhere(*id, EndedReason::Admin, origin)
        .await?;
    Ok(HttpResponse::Ok().json(EndedCount { ended: ended.len() }))
}

/// Returns the caller as the origin of events, with the reason in the query or the body, if there is
/// one.
fn with_reason(
    request: &HttpRequest,
    OptionalJson(body): OptionalJson<ReasonBody>,
    admin: &ApiAdmin,
) -> Result<Origin> {
    let pairs = QueryPairs::of(request.query_string());
    // A reason without a text is refused, as in a body.
    let mut reasons: Vec<String> = body.and_then(|body| body.reason).into_iter().collect();
    let in_query = pairs.iter().filter(|(name, _)| *name == REASON);
    reasons.extend(in_query.map(|(_, value)| value.to_owned()));
    read_parts(pairs.iter(), &[REASON], |_, _| Ok(()))?;
    let origin = admin.origin();
    match &reasons[..] {
        [] => Ok(origin),
        [reason] => Ok(origin.with_reason(reason.parse()?)),
        _ => Err(Error::field(REASON, "is given twice")),
    }
}

/// Returns the error of a name that a filter has, and that nobody or no application has, as one of the
/// field `filter`.
fn about_name(err: Error) -> Error {
    let is_name = |error: &FieldError| matches!(&*error.field, "user" | "application");
    match err.field_errors().iter().all(is_name) {
        true => in_filter(err),
        false => err,
    }
}

/// Returns the error of a filter as one of the field `filter`.
fn in_filter(err: Error) -> Error {
    match err {
        Error::Invalid(fields) => Error::Invalid(
            fields
                .into_iter()
                .map(|error| FieldError::new(format!("filter.{}", error.field), error.message))
                .collect(),
        ),
        err => err,
    }
}
