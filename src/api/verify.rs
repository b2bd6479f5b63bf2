//! `/auth/verify`: forward-auth. A reverse proxy asks it about every request: nginx (`auth_request`),
//! Traefik (`forwardAuth`), Caddy (`forward_auth`).

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, web};
use serde::Deserialize;
use url::form_urlencoded;

use crate::error::{Error, Failure, Result};
use crate::http::app_state::AppState;
use crate::http::caller::ApiCaller;
use crate::sessions::Caller;

/// Who is let in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyQuery {
    group: Option<Group>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Group {
    Admin,
}

/// The page that a browser asked the proxy for, and how the proxy wants to be told where to go.
enum OriginalRequest {
    /// nginx: it needs a 401, and takes the `Location` from there.
    FromNginx(String),
    /// Traefik and Caddy: they pass on whatever is not a success.
    FromOther(String),
}

/// 200 with who it is; else 401, 403, or the way to sign in and back.
pub async fn verify(
    app: web::Data<AppState>,
    request: HttpRequest,
    web::Query(query): web::Query<VerifyQuery>,
) -> Result<HttpResponse> {
    match ApiCaller::from_request(&request, &mut Payload::None).await {
        Ok(ApiCaller(caller)) if query.group == Some(Group::Admin) && !caller.user.is_admin => {
            Err(Error::NotInGroup)
        }
        Ok(ApiCaller(caller)) => allowed_response(&caller),
        Err(err @ (Error::Unauthenticated | Error::InvalidToken(_))) => {
            denied_response(&app, request.headers(), err)
        }
        Err(err) => Err(err),
    }
}

fn allowed_response(caller: &Caller) -> Result<HttpResponse> {
    let mut response = HttpResponse::Ok();
    for (name, value) in [
        ("remote-user", caller.user.id.to_string()),
        ("remote-email", caller.user.email.clone()),
        ("remote-name", caller.user.display_name().to_owned()),
        ("remote-session", caller.session.id.to_string()),
    ] {
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|err| Error::Internal(Failure::new(name, err)))?;
        response.insert_header((HeaderName::from_static(name), value));
    }
    Ok(response.finish())
}

/// A browser is shown the way to sign in, if that may lead back to what it asked for.
fn denied_response(app: &AppState, headers: &HeaderMap, err: Error) -> Result<HttpResponse> {
    match original_request(headers) {
        Some(OriginalRequest::FromNginx(page)) => Ok(match sign_in_url(app, &page) {
            Some(url) => HttpResponse::Unauthorized()
                .insert_header((header::LOCATION, url))
                .finish(),
            None => HttpResponse::Unauthorized().finish(),
        }),
        Some(OriginalRequest::FromOther(page)) => match sign_in_url(app, &page) {
            Some(url) => Ok(HttpResponse::Found()
                .insert_header((header::LOCATION, url))
                .finish()),
            None => Err(err),
        },
        None => Err(err),
    }
}

fn original_request(headers: &HeaderMap) -> Option<OriginalRequest> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let is_browser = text("accept").is_some_and(|kinds| kinds.contains("text/html"));
    if !is_browser {
        return None;
    }
    if let Some(url) = text("x-original-url") {
        return Some(OriginalRequest::FromNginx(url.to_owned()));
    }
    let scheme = text("x-forwarded-proto").unwrap_or("https");
    let (host, uri) = (text("x-forwarded-host")?, text("x-forwarded-uri")?);
    Some(OriginalRequest::FromOther(format!(
        "{scheme}://{host}{uri}"
    )))
}

fn sign_in_url(app: &AppState, page: &str) -> Option<String> {
    let page = app.allowed_hosts.page(page)?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    let query = query.append_pair("next", &page).finish();
    Some(format!("{}/sign-in?{query}", app.tokens.issuer()))
}
