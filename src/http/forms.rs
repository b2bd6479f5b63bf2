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
use crate::error::{Error, Result};

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Returns the CSRF token for the forms of the page in the response to `request`.
///
/// # Errors
/// [`Error::Internal`] on a route without [`browser::ensure_device_cookie`], if nobody is signed
/// in.
pub fn csrf_token(request: &HttpRequest) -> Result<String> {
    Ok(app_state(request)?.csrf_key.token(&binding(request)?))
}

/// Verifies a CSRF token.
///
/// # Errors
/// [`Error::CsrfMismatch`] when `token` is not the one for this session, or for this browser where
/// nobody is signed in; [`Error::Internal`] as [`csrf_token`].
pub fn verify_csrf_token(request: &HttpRequest, token: &str) -> Result<()> {
    app_state(request)?
        .csrf_key
        .verify(&binding(request)?, token)
}

/// Returns what a token is bound to: the session, or the browser where nobody is signed in.
fn binding(request: &HttpRequest) -> Result<String> {
    match browser::session_claim(request)? {
        Some(claim) => Ok(format!("session {}", claim.session)),
        None => Ok(format!("browser {}", browser::device_id(request)?.as_str())),
    }
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

    /// Reads the form, verifies its CSRF token, and stores it for [`submitted_fields`].
    ///
    /// # Errors
    /// [`Error::UnsupportedMediaType`] when it is no form; [`Error::TooLarge`];
    /// [`Error::CsrfMismatch`] as [`verify_csrf_token`]; [`Error::Malformed`] when it can't be
    /// read.
    pub(super) async fn read(self) -> Result<web::Bytes> {
        if !has_content_type(&self.request, MEDIA_TYPE) {
            return Err(Error::UnsupportedMediaType {
                expected: MEDIA_TYPE,
            });
        }
        let body = self.body.await?;
        let CsrfField { csrf } = parse(&body)?;
        verify_csrf_token(&self.request, &csrf)?;
        let submitted = SubmittedBody(body.clone());
        self.request.extensions_mut().insert(submitted);
        Ok(body)
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

/// Extracts a form whose CSRF token is valid.
pub struct Form<T>(pub T);

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
