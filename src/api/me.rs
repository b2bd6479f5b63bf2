//! `/api/v1/me`: the caller.

use actix_web::HttpResponse;

use super::views::PersonJson;
use crate::http::caller::ApiCaller;

/// Returns the caller.
pub async fn show(ApiCaller(caller): ApiCaller) -> HttpResponse {
    HttpResponse::Ok().json(PersonJson::from(caller.user))
}
