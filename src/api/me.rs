//! `/api/v1/me`: the caller.

use actix_web::HttpResponse;

use super::views::PersonView;
use crate::http::caller::ApiCaller;

/// Who is calling.
pub async fn show(ApiCaller(caller): ApiCaller) -> HttpResponse {
    HttpResponse::Ok().json(PersonView::from(caller.user))
}
