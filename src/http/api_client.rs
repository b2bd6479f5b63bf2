//! The extractor of the calling application, which authenticates with its API key: as the password
//! of HTTP Basic (RFC 6749, 2.3.1, with the key's id as the user) or as a Bearer token.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::app_state::app_state;
use super::{body, logged_caller};
use crate::applications::{self, ApiClient};
use crate::error::{Error, Result};

/// Extracts the calling application and the body of its request. The key is verified first: whoever has
/// none gets that as the response, whatever the body.
pub struct FromClient<T>(pub ApiClient, pub T);

impl<T> FromRequest for FromClient<T>
where
    T: FromRequest<Error = Error> + 'static,
{
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let client = ApiClient::from_request(request, payload);
        let body = T::from_request(request, payload);
        Box::pin(async move {
            let client = client.await?;
            Ok(Self(client, body.await?))
        })
    }
}

impl FromRequest for ApiClient {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let received = body::received(request, payload);
        let request = request.clone();
        Box::pin(async move {
            received.await?;
            authenticate(&request).await
        })
    }
}

/// Returns the application whose key `request` has.
///
/// # Errors
/// [`Error::InvalidClient`] when it has none that is in use; [`Error::Unavailable`] when the database
/// doesn't respond.
pub(super) async fn authenticate(request: &HttpRequest) -> Result<ApiClient> {
    let Credentials { id, secret } = credentials(request).ok_or(Error::InvalidClient)?;
    let applications = &app_state(request)?.applications;
    let client = applications.authenticate(&secret).await?;
    if id.is_some_and(|id| id != client.key.id.to_string()) {
        return Err(Error::InvalidClient);
    }
    logged_caller::record_key(request, &client);
    Ok(client)
}

/// Returns whether an `Authorization` header has an API key, rather than an access token.
pub fn has_api_key(value: &HeaderValue) -> bool {
    let secret = value.to_str().ok().and_then(parse_credentials);
    secret.is_some_and(|found| applications::is_key_secret(&found.secret))
}

struct Credentials {
    id: Option<String>,
    secret: String,
}

fn credentials(request: &HttpRequest) -> Option<Credentials> {
    let value = request.headers().get(header::AUTHORIZATION)?;
    parse_credentials(value.to_str().ok()?)
}

fn parse_credentials(value: &str) -> Option<Credentials> {
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credentials {
            id: None,
            secret: rest.trim().to_owned(),
        });
    }
    let decoded = STANDARD.decode(rest.trim()).ok()?;
    let pair = String::from_utf8(decoded).ok()?;
    let (id, secret) = pair.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| Credentials {
        id: Some(id.to_owned()),
        secret: secret.to_owned(),
    })
}
