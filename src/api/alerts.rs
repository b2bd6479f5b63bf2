//! `/api/v1/alerts`: the caller's alerts, for devices that don't show the service's pages.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

use crate::account::AlertDetails;
use crate::alerts::{AlertKind, AlertReview, UseBeforeRecord};
use crate::clock::Timestamp;
use crate::db::{AlertId, SessionId};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::caller::ApiCaller;
use crate::http::json::Json;
use crate::user_agent::DeviceKind;

#[derive(Serialize)]
struct AlertList {
    alerts: Vec<AlertJson>,
}

/// An alert in JSON.
#[derive(Serialize)]
struct AlertJson {
    id: AlertId,
    kind: AlertKind,
    session_id: Option<SessionId>,
    device_name: String,
    device_kind: DeviceKind,
    ip_address: Option<String>,
    location_city: Option<String>,
    location_country: Option<String>,
    at: Timestamp,
    /// Where the person was before, if that is far away.
    use_before: Option<UseBeforeRecord>,
    /// Impossible travel of the session since, in words.
    later_travel: Option<String>,
    /// Whether the session that it is about has ended.
    is_signed_out: bool,
}

/// `POST /api/v1/alerts/{id}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertReviewRequest {
    answer: AlertReview,
}

/// Lists the open alerts that the caller may review, newest first.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list(app: web::Data<AppState>, ApiCaller(caller): ApiCaller) -> Result<HttpResponse> {
    let attention = app.accounts.list_attention(&caller).await?;
    let described = app
        .accounts
        .describe_alerts(caller.user.id, attention.alerts)
        .await?;
    let alerts = described.into_iter().map(AlertJson::new).collect();
    Ok(HttpResponse::Ok().json(AlertList { alerts }))
}

/// Confirms or reports an alert: 204. `not_mine` ends the session that it is about, with those on
/// the same device and those that no known device can have opened since, and removes their devices
/// from the known ones.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when the alert isn't one for the caller to review;
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn review(
    app: web::Data<AppState>,
    ApiCaller(caller): ApiCaller,
    id: web::Path<AlertId>,
    Json(body): Json<AlertReviewRequest>,
) -> Result<HttpResponse> {
    match body.answer {
        AlertReview::Confirmed => app.accounts.confirm_alert(&caller, *id).await.map(drop)?,
        AlertReview::Reported => app.accounts.report_alert(&caller, *id).await.map(drop)?,
    }
    Ok(HttpResponse::NoContent().finish())
}

impl AlertJson {
    fn new(details: AlertDetails) -> Self {
        let is_signed_out = details.is_over();
        let alert = details.alert;
        Self {
            use_before: alert.use_before().map(UseBeforeRecord::from),
            later_travel: details.later_travel,
            is_signed_out,
            id: alert.id,
            kind: alert.kind,
            session_id: alert.session_id,
            device_name: alert.device_name,
            device_kind: alert.device_kind,
            ip_address: alert.ip_address,
            location_city: alert.location_city,
            location_country: alert.location_country,
            at: alert.at,
        }
    }
}
