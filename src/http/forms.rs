//! Forms, and the CSRF token that each carries.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::app_state::app_state;
use super::body::{SharedBody, shared_body};
use super::browser;
use super::content_type::has_content_type;
use super::csrf::TokenBrowser;
use super::form_origin::FormOrigin;
use super::refusals;
use crate::error::{Error, Failure, Result};

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Returns the CSRF token for the forms of the session of `request`.
///
/// # Errors
/// [`Error::Internal`] where nobody is signed in.
pub fn session_csrf_token(request: &HttpRequest) -> Result<String> {
    let claim = browser::session_claim(request)?
        .ok_or_else(|| Error::Internal(Failure::because("nobody is signed in")))?;
    Ok(app_state(request)?.csrf_key.session_token(claim.session))
}

/// Returns the CSRF token for the public forms of the browser that sent `request`.
///
/// # Errors
/// [`Error::Internal`] on a route without [`browser::ensure_device_cookie`].
pub fn browser_csrf_token(request: &HttpRequest) -> Result<String> {
    let device = browser::device_id(request)?;
    Ok(app_state(request)?.csrf_key.browser_token(&device))
}

/// Verifies the CSRF token of the session of `request`.
///
/// # Errors
/// [`Error::CsrfMismatch`] when `token` is not the one for this session, or the browser states that
/// another site sent the request.
pub fn verify_session_csrf_token(request: &HttpRequest, token: &str) -> Result<()> {
    if FormOrigin::from_request(request) == FormOrigin::Other {
        return Err(Error::CsrfMismatch);
    }
    let claim = browser::session_claim(request)?.ok_or(Error::CsrfMismatch)?;
    app_state(request)?
        .csrf_key
        .verify_session_token(claim.session, token)
}

/// Why a public form was refused that nobody forged, as far as the browser states it. Its page is
/// shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormRefusal {
    /// The browser sent no cookie of ours.
    NoCookies,
    /// The page was made for another browser, or before this one got its device cookie.
    Outdated,
}

/// Judges the CSRF token of a public form, which anybody may send whether signed in or not. A
/// genuine token of another browser counts if the browser vouches that a page of ours sent the
/// form: of two first visits at once, one page has the token of a device cookie that the other one
/// replaced.
///
/// # Errors
/// [`Error::CsrfMismatch`] when the browser states that another site sent the form;
/// [`Error::Internal`] as [`browser_csrf_token`].
fn judge_public_form(request: &HttpRequest, token: &str) -> Result<Option<FormRefusal>> {
    let origin = FormOrigin::from_request(request);
    if origin == FormOrigin::Other {
        return Err(Error::CsrfMismatch);
    }
    if browser::is_without_device_cookie(request) {
        return Ok(Some(FormRefusal::NoCookies));
    }
    let device = browser::device_id(request)?;
    let key = &app_state(request)?.csrf_key;
    Ok(match key.verify_browser_token(&device, token) {
        Ok(TokenBrowser::Same) => None,
        Ok(TokenBrowser::Another) if origin == FormOrigin::Own => None,
        _ => Some(FormRefusal::Outdated),
    })
}

/// Returns why the public form of `request` was refused, if it was.
pub fn refusal(request: &HttpRequest) -> Option<FormRefusal> {
    request.extensions().get::<FormRefusal>().copied()
}

/// The body of a form, stored in the request for [`submitted_fields`].
struct SubmittedBody(web::Bytes);

/// A form that is yet to be read.
pub(super) struct UnreadForm {
    request: HttpRequest,
    body: SharedBody,
}

impl UnreadForm {
    pub(super) fn new(request: &HttpRequest, payload: &mut Payload) -> Self {
        Self {
            request: request.clone(),
            body: shared_body(request, payload),
        }
    }

    /// Reads a form of the session, verifies its CSRF token, and stores it for
    /// [`submitted_fields`].
    ///
    /// # Errors
    /// As [`Self::read_unverified`]; [`Error::CsrfMismatch`] as [`verify_session_csrf_token`].
    pub(super) async fn read(self) -> Result<web::Bytes> {
        let request = self.request.clone();
        let (body, token) = self.read_unverified().await?;
        verify_session_csrf_token(&request, &token)?;
        let submitted = SubmittedBody(body.clone());
        request.extensions_mut().insert(submitted);
        Ok(body)
    }

    /// Reads the form and its CSRF token, which is not verified.
    ///
    /// # Errors
    /// [`Error::UnsupportedMediaType`] when it is no form; [`Error::TooLarge`];
    /// [`Error::Malformed`] when it can't be read.
    async fn read_unverified(self) -> Result<(web::Bytes, String)> {
        if !has_content_type(&self.request, MEDIA_TYPE) {
            return Err(Error::UnsupportedMediaType {
                expected: MEDIA_TYPE,
            });
        }
        let body = self.body.await?;
        let CsrfField { csrf } = parse(&body)?;
        Ok((body, csrf))
    }
}

/// Returns the fields of the form that was submitted, in their order.
pub fn submitted_fields(request: &HttpRequest) -> Vec<(String, String)> {
    let extensions = request.extensions();
    let body = extensions
        .get::<SubmittedBody>()
        .map(|SubmittedBody(body)| body.clone());
    form_urlencoded::parse(&body.unwrap_or_default())
        .into_owned()
        .collect()
}

/// Extracts a form of somebody who is signed in, whose CSRF token is that of the session.
pub struct Form<T>(pub T);

/// Extracts a form that anybody may send, whose CSRF token is that of the browser: it does not
/// matter who signs in or out in another tab meanwhile.
pub enum PublicForm<T> {
    /// A form of a page of ours.
    Accepted(T),
    /// One that may be forged. Nothing is done; the page is shown again with what was typed, except
    /// passwords, and its [`Layout`](super::layout::Layout) says why ([`refusal`]).
    Refused(T),
}

/// Extracts a form of a program, which needs no CSRF token.
pub struct ProgramForm<T>(pub T);

/// A form with a button and no fields.
#[derive(Deserialize)]
pub struct EmptyForm {}

#[derive(Deserialize)]
struct CsrfField {
    #[serde(default)]
    csrf: String,
}

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = UnreadForm::new(request, payload);
        Box::pin(async move { parse(&form.read().await?).map(Self) })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for PublicForm<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = UnreadForm::new(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let (body, token) = form.read_unverified().await?;
            let Some(refusal) = judge_public_form(&request, &token)? else {
                return parse(&body).map(Self::Accepted);
            };
            request.extensions_mut().insert(refusal);
            // Without the page's fields it is no form of the page, outdated or not; the error is observed
            // with its response.
            let form = parse(&body).map_err(|_| Error::CsrfMismatch)?;
            refusals::observe_form(&request);
            Ok(Self::Refused(form))
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for ProgramForm<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form = has_content_type(request, MEDIA_TYPE);
        let body = shared_body(request, payload);
        Box::pin(async move {
            let body = body.await?;
            match is_form {
                true => parse(&body).map(Self),
                false => Err(unreadable()),
            }
        })
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    web::Query::<T>::from_query(std::str::from_utf8(body).map_err(|_| unreadable())?)
        .map(web::Query::into_inner)
        .map_err(|_| unreadable())
}

fn unreadable() -> Error {
    Error::Malformed("The form could not be read.".into())
}
