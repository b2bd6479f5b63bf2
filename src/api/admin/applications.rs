//! `/api/v1/admin/applications`: the applications with their keys, without secrets.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use crate::applications::ApplicationRecord;
use crate::error::Result;
use crate::http::admin_caller::AuditApiCaller;
use crate::http::app_state::AppState;
use crate::listing::{ListEnds, ListKey, PageParts, QueryPairs};

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
    let pairs = QueryPairs::of(request.query_string());
    let parts = PageParts::read(pairs.iter(), &[], |_, _| Ok(()))?;
    let key = ListKey::new("applications", &[]);
    let (start, limit) = (parts.start(&key)?, parts.limit.get());
    let page = app.applications.list_page(start, limit).await?;
    let ends = page.ends(&key, app.applications.count().await?);
    let now = app.clock.now();
    let applications = page.items.into_iter();
    Ok(HttpResponse::Ok().json(ApplicationList {
        applications: applications
            .map(|summary| ApplicationRecord::new(summary, now))
            .collect(),
        ends,
    }))
}
