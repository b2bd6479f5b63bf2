//! `/api/v1/admin/applications`: the applications with their keys, without secrets.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use crate::applications::{ApplicationPage, ApplicationRecord};
use crate::error::Result;
use crate::http::admin_caller::AuditApiCaller;
use crate::http::app_state::AppState;
use crate::listing::{ListEnds, ListKey, PageParts, owned_pairs};

#[derive(Serialize)]
struct ApplicationList {
    applications: Vec<ApplicationRecord>,
    #[serde(flatten)]
    ends: ListEnds,
}

/// Lists a page of applications, ordered by name.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) with every part of the query that is unknown or not
/// valid; [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list(
    app: web::Data<AppState>,
    AuditApiCaller(_): AuditApiCaller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let pairs = owned_pairs(request.query_string());
    let pairs = pairs.iter().map(|(name, value)| (&**name, &**value));
    let parts = PageParts::read(pairs, &[], |_, _| Ok(()))?;
    let key = ListKey::new("applications", &[]);
    let start = parts.cursor.as_deref().map(|cursor| key.open(cursor));
    let (start, limit) = (start.transpose()?, parts.limit.get());
    let ApplicationPage {
        items,
        next,
        previous,
    } = app.applications.list_page(start, limit).await?;
    Ok(HttpResponse::Ok().json(ApplicationList {
        applications: items.into_iter().map(ApplicationRecord::from).collect(),
        ends: ListEnds {
            next_cursor: next.map(|place| key.seal(&place)),
            previous_cursor: previous.map(|place| key.seal(&place)),
            is_partial: false,
            total: app.applications.count().await?,
        },
    }))
}
