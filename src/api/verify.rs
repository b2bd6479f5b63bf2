//! `/auth/verify`: forward-auth. A reverse proxy has it verify every request: nginx
//! (`auth_request`), Traefik (`forwardAuth`), Caddy (`forward_auth`).
//!
//! The path says whose headers are read and who is let in. The query says nothing: Caddy passes on
//! the one of the original request.

mod original;

use std::sync::Once;

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use url::{Url, form_urlencoded};

use self::original::{OriginalRequest, Proxy};
use crate::error::{Error, Failure, Result};
use crate::http::app_state::{AppState, app_state};
use crate::http::sent_cookies::SentCookies;
use crate::http::target::HostPage;
use crate::http::{caller, forward_cookie};
use crate::sessions::{Caller, UsedApplication};

/// Bytes of a link to sign-in that leads back to the very page. Proxies refuse long request lines,
/// nginx those over 8 KiB.
const MAX_LINK_BYTES: usize = 4096;

/// Who is let in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Everybody signed in.
    SignedIn,
    /// Administrators.
    Admin,
}

/// `/auth/verify`: for nginx, lets in everybody signed in.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in and no redirect is possible;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn nginx(request: HttpRequest) -> Result<HttpResponse> {
    warn_of_group(request.query_string());
    verify(&request, Proxy::Nginx, Rule::SignedIn).await
}

/// `/auth/verify/admin`: for nginx, lets in administrators.
///
/// # Errors
/// As [`nginx`]; [`Error::NotInGroup`] for anybody else signed in.
pub async fn nginx_admin(request: HttpRequest) -> Result<HttpResponse> {
    verify(&request, Proxy::Nginx, Rule::Admin).await
}

/// `/auth/verify/traefik` and `/auth/verify/caddy`: lets in everybody signed in.
///
/// # Errors
/// As [`nginx`].
pub async fn forwarded(request: HttpRequest) -> Result<HttpResponse> {
    verify(&request, Proxy::TraefikOrCaddy, Rule::SignedIn).await
}

/// `/auth/verify/traefik/admin` and `/auth/verify/caddy/admin`: lets in administrators.
///
/// # Errors
/// As [`nginx_admin`].
pub async fn forwarded_admin(request: HttpRequest) -> Result<HttpResponse> {
    verify(&request, Proxy::TraefikOrCaddy, Rule::Admin).await
}

async fn verify(request: &HttpRequest, proxy: Proxy, rule: Rule) -> Result<HttpResponse> {
    let app = app_state(request)?;
    let original = OriginalRequest::stated(proxy, request.headers());
    let page = original
        .url
        .as_deref()
        .and_then(|url| app.allowed_hosts.page(url));
    if page.is_some() && original.is_preflight() {
        return allowed_response(request, app, None);
    }
    match find_caller(request, page.is_some()).await? {
        Some(caller) if rule == Rule::Admin && !caller.user.is_admin => Err(Error::NotInGroup),
        Some(caller) => {
            if let Some(HostPage { host, .. }) = page {
                let host = UsedApplication::Host(host);
                app.sessions.record_application(&caller.session, host).await;
            }
            allowed_response(request, app, Some(&caller))
        }
        None => match page.filter(|_| original.is_page_load()) {
            Some(page) => Ok(sign_in_response(app, proxy, &page.url)),
            None => Err(Error::Unauthenticated),
        },
    }
}

/// Finds who the request is from: by the cookie, on an allowed host, whatever is sent besides; else
/// by an access token. An `Authorization` that is none of ours is the application's.
async fn find_caller(request: &HttpRequest, is_allowed_host: bool) -> Result<Option<Caller>> {
    if is_allowed_host && let Some(caller) = forward_cookie::caller(request).await? {
        return Ok(Some(caller));
    }
    caller::token_caller(request).await
}

/// Returns 200 with what the application may know of the caller; nothing for a preflight. A proxy
/// replaces the client's headers by these, so each is always there, if empty. `Cookie` has what is
/// left without the cookies of this service.
fn allowed_response(
    request: &HttpRequest,
    app: &AppState,
    caller: Option<&Caller>,
) -> Result<HttpResponse> {
    let text = |part: fn(&Caller) -> String| caller.map(part).unwrap_or_default().into_bytes();
    let mut response = HttpResponse::Ok();
    for (name, value) in [
        ("remote-user", text(|caller| caller.user.id.to_string())),
        (
            "remote-email",
            text(|caller| caller.user.verified_email().unwrap_or_default().to_owned()),
        ),
        (
            "remote-name",
            text(|caller| caller.user.asserted_name().to_owned()),
        ),
        (
            "remote-session",
            text(|caller| caller.session.id.to_string()),
        ),
        ("cookie", foreign_cookies(request, app)),
    ] {
        let value = HeaderValue::from_bytes(&value)
            .map_err(|err| Error::Internal(Failure::new(name, err)))?;
        response.insert_header((HeaderName::from_static(name), value));
    }
    Ok(response.finish())
}

fn foreign_cookies(request: &HttpRequest, app: &AppState) -> Vec<u8> {
    let extensions = request.extensions();
    let sent = extensions.get::<SentCookies>();
    sent.map(|sent| sent.foreign(&app.cookies))
        .unwrap_or_default()
}

/// Redirects a browser to sign-in. nginx needs a 401, and redirects to its `Location`; the others
/// pass on every response that is not a success.
fn sign_in_response(app: &AppState, proxy: Proxy, page: &str) -> HttpResponse {
    let mut response = match proxy {
        Proxy::Nginx => HttpResponse::Unauthorized(),
        Proxy::TraefikOrCaddy => HttpResponse::Found(),
    };
    let link = |next: &str| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("next", next)
            .finish();
        format!("{}/sign-in?{query}", app.origin)
    };
    let mut location = link(page);
    if location.len() > MAX_LINK_BYTES {
        location = link(&start_page(page));
    }
    response
        .insert_header((header::LOCATION, location))
        .finish()
}

/// Returns the start page of the host that `page` is on.
fn start_page(page: &str) -> String {
    Url::parse(page)
        .and_then(|url| url.join("/"))
        .map_or_else(|_| page.to_owned(), Into::into)
}

/// Warns once of a proxy that still states the group in the query, which was how to let in
/// administrators only.
fn warn_of_group(query: &str) {
    static WARNED: Once = Once::new();
    if query.split('&').any(|field| field == "group=admin") {
        WARNED.call_once(|| {
            tracing::warn!(
                "/auth/verify ignores ?group=admin and lets in everybody signed in; \
                 a proxy that lets in administrators only needs /auth/verify/admin"
            );
        });
    }
}
