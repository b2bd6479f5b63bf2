//! `/api/v1/alerts`: what the caller should know of, for devices that have no page of ours.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

use crate::alerts::{Alert, AlertKind};
use crate::db::{AlertId, SessionId, Timestamp};
use crate::devices::DeviceKind;
use crate::error::Result;
use crate::http::app::App;
use crate::http::caller::ApiCaller;
use crate::http::json::Json;

#[derive(Serialize)]
struct OpenAlerts {
    alerts: Vec<AlertView>,
}

/// An alert in JSON.
#[derive(Serialize)]
struct AlertView {
    id: AlertId,
    kind: AlertKind,
    session_id: Option<SessionId>,
    device_name: String,
    device_kind: DeviceKind,
    ip_address: Option<String>,
    location_city: Option<String>,
    location_country: Option<String>,
    at: Timestamp,
}

/// `POST /api/v1/alerts/{id}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    answer: Said,
}

/// Whether it was the caller.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Mine,
    NotMine,
}

/// The unanswered alerts that the caller may answer, newest first.
pub async fn list(app: web::Data<App>, ApiCaller(caller): ApiCaller) -> Result<HttpResponse> {
    let open = app.sessions.alerts_for(&caller).await?;
    let alerts = open.into_iter().map(AlertView::from).collect();
    Ok(HttpResponse::Ok().json(OpenAlerts { alerts }))
}

/// Takes the answer: 204. `not_mine` ends the session it is about and forgets its device.
pub async fn answer(
    app: web::Data<App>,
    ApiCaller(caller): ApiCaller,
    id: web::Path<AlertId>,
    Json(reply): Json<Reply>,
) -> Result<HttpResponse> {
    match reply.answer {
        Said::Mine => app.sessions.own_up(&caller, *id).await.map(drop)?,
        Said::NotMine => app.sessions.disown(&caller, *id).await.map(drop)?,
    }
    Ok(HttpResponse::NoContent().finish())
}

impl From<Alert> for AlertView {
    fn from(alert: Alert) -> Self {
        Self {
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
