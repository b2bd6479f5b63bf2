//! Forms: each carries a token that only our own page could have given it (OWASP CSRF Prevention
//! Cheat Sheet, signed double submit bound to the session).

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use url::form_urlencoded;

use super::browser;
use super::client::{app, is_of_kind};
use crate::error::{Error, Result};

/// Bytes a form may have.
pub const LIMIT: usize = 16 * 1024;
const KIND: &str = "application/x-www-form-urlencoded";

/// The key of form tokens.
pub struct FormKey(Hmac<Sha256>);

impl FormKey {
    /// # Errors
    /// [`Error::Internal`] when HMAC does not take the key.
    pub fn new(key: &[u8]) -> Result<Self> {
        Hmac::new_from_slice(key)
            .map(Self)
            .map_err(|fault| Error::Internal(format!("the form key: {fault}")))
    }

    fn token(&self, binding: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.0.clone().chain_update(binding).finalize().into_bytes())
    }

    /// Compares in constant time.
    fn check(&self, binding: &str, token: &str) -> Result<()> {
        let token = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| Error::CsrfMismatch)?;
        self.0
            .clone()
            .chain_update(binding)
            .verify_slice(&token)
            .map_err(|_| Error::CsrfMismatch)
    }
}

/// The token for the forms of a page that answers `request`.
///
/// # Errors
/// [`Error::Internal`] on a route without its middleware.
pub fn token(request: &HttpRequest) -> Result<String> {
    Ok(app(request)?.form_key.token(&binding(request)?))
}

/// # Errors
/// [`Error::CsrfMismatch`] when `token` was not made for this browser and session.
pub fn check(request: &HttpRequest, token: &str) -> Result<()> {
    app(request)?.form_key.check(&binding(request)?, token)
}

/// What a token is good for: one session, or one browser where nobody is signed in.
fn binding(request: &HttpRequest) -> Result<String> {
    match browser::claim(request) {
        Some(claim) => Ok(format!("session {}", claim.session)),
        None => Ok(format!("browser {}", browser::device(request)?.as_str())),
    }
}

/// What a form sent, laid into the request for [`sent`].
struct Sent(web::Bytes);

/// The fields of the form that was sent, in their order.
pub fn sent(request: &HttpRequest) -> Vec<(String, String)> {
    let extensions = request.extensions();
    let body = extensions.get::<Sent>().map(|Sent(body)| body.clone());
    form_urlencoded::parse(&body.unwrap_or_default())
        .into_owned()
        .collect()
}

/// A form whose token was right.
pub struct Form<T>(pub T);

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    csrf: String,
}

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = web::Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            if !is_of_kind(&request, KIND) {
                return Err(Error::UnsupportedMediaType { expected: KIND });
            }
            let body = body.await.map_err(|_| Error::TooLarge { limit: LIMIT })?;
            let Token { csrf } = parse(&body)?;
            check(&request, &csrf)?;
            request.extensions_mut().insert(Sent(body.clone()));
            parse(&body).map(Self)
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
