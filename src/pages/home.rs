//! `/`: the entry to the pages.

use actix_web::HttpResponse;

use crate::http::caller::MaybeCaller;
use crate::http::layout::see_other;
use crate::http::target::HOME;

/// Redirects to *Your devices*, or to sign-in where nobody is signed in.
pub async fn show(MaybeCaller(caller): MaybeCaller) -> HttpResponse {
    see_other(if caller.is_some() { HOME } else { "/sign-in" })
}
