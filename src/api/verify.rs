//! `/auth/verify`: forward-auth. A reverse proxy has it verify every request: nginx
//! (`auth_request`), Traefik (`forwardAuth`), Caddy (`forward_auth`).

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, web};
use serde::Deserialize;
use url::form_urlencoded;

use crate::error::{Error, Failure, Result};
use crate::http::app_state::AppState;
use crate::http::caller::ApiCaller;
use crate::sessions::Caller;

/// The people to allow: those of `group`, or everybody signed in.
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

/// The page that a browser requested from the proxy, and the proxy's kind, on which the response
/// depends.
enum OriginalRequest {
    /// nginx: it needs a 401, and redirects to the `Location` of that response.
    FromNginx(String),
    /// Traefik and Caddy: they pass on every response that is not a success.
    FromOther(String),
}

/// Returns 200 with headers that identify the caller. A browser without a session is redirected to
/// sign-in where it may be redirected back from there.
///
/// # Errors
/// [`Error::Unauthenticated`] or [`Error::InvalidToken`] when there is no session and no redirect;
/// [`Error::NotInGroup`]; [`Error::Unavailable`] when the database doesn't respond.
pub async fn verify(
    app: web::Data<AppState>,
    request: HttpRequest,
    web::Query(query): web::Query<VerifyQuery>,
) -> Result<HttpResponse> {
    match ApiCaller::from_request(&request, &mut Payload::None).await {
        Ok(ApiCaller(caller)) if !may_pass(&caller, &query, request.headers()) => {
            denied_response(&app, request.headers(), Error::Unauthenticated)
        }
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

/// Returns whether the caller's cookie is good for the request that the proxy received. One that a
/// step-up has just replaced is good for reading, and for nothing of administrators.
fn may_pass(caller: &Caller, query: &VerifyQuery, headers: &HeaderMap) -> bool {
    caller.may_write() || (query.group.is_none() && is_reading(headers))
}

/// Returns whether the original request changes nothing by what the proxy states of its method:
/// nginx in `X-Original-Method`, Traefik and Caddy in `X-Forwarded-Method`. A header that the
/// client sent besides can't turn another method into reading.
fn is_reading(headers: &HeaderMap) -> bool {
    let mut methods = headers
        .get_all("x-forwarded-method")
        .chain(headers.get_all("x-original-method"))
        .peekable();
    methods.peek().is_some() && methods.all(|method| method == "GET" || method == "HEAD")
}

fn allowed_response(caller: &Caller) -> Result<HttpResponse> {
    let mut response = HttpResponse::Ok();
    for (name, value) in [
        ("remote-user", caller.user.id.to_string()),
        // Empty where it is not asserted.
        (
            "remote-email",
            caller.user.verified_email().unwrap_or_default().to_owned(),
        ),
        ("remote-name", caller.user.asserted_name().to_owned()),
        ("remote-session", caller.session.id.to_string()),
    ] {
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|err| Error::Internal(Failure::new(name, err)))?;
        response.insert_header((HeaderName::from_static(name), value));
    }
    Ok(response.finish())
}

/// Redirects a browser to sign-in, if sign-in may redirect back to the requested page; else returns
/// `err`, or for nginx a bare 401.
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
