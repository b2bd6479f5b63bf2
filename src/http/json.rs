//! The extractor of JSON bodies, which limits their size and names a field that is not valid.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::body::shared_body;
use super::content_type::has_content_type;
use crate::error::{Error, FieldError, Result};

const MEDIA_TYPE: &str = "application/json";

/// Extracts the JSON body as a `T`.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = has_content_type(request, MEDIA_TYPE);
        let body = shared_body(request, payload);
        Box::pin(async move {
            let body = body.await?;
            if !is_json {
                return Err(Error::UnsupportedMediaType {
                    expected: MEDIA_TYPE,
                });
            }
            parse(&body).map(Self)
        })
    }
}

/// Extracts the JSON body as a `T`, if there is a body.
pub struct OptionalJson<T>(pub Option<T>);

impl<T: DeserializeOwned + 'static> FromRequest for OptionalJson<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = shared_body(request, payload);
        let json = Json::from_request(request, payload);
        Box::pin(async move {
            match body.await?.is_empty() {
                true => Ok(Self(None)),
                false => json.await.map(|Json(value)| Self(Some(value))),
            }
        })
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    // Serde reads a list as the fields of an object in their order, without their names.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Error::Malformed("The body must be a JSON object.".into()));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(explain)?;
    reader
        .end()
        .map_err(|err| Error::Malformed(format!("The body is not JSON: {err}.")))?;
    Ok(value)
}

fn explain(err: serde_path_to_error::Error<serde_json::Error>) -> Error {
    let path = err.path().to_string();
    let err = err.into_inner();
    match err.classify() {
        Category::Data => Error::Invalid(vec![field_error(&path, &err.to_string())]),
        Category::Syntax | Category::Eof | Category::Io => {
            Error::Malformed(format!("The body is not JSON: {err}."))
        }
    }
}

/// Returns the error for one field. Serde names an unknown, missing or doubled field in its message, not in
/// the path.
fn field_error(path: &str, message: &str) -> FieldError {
    let message = message.split(" at line ").next().unwrap_or(message);
    let quoted = |prefix: &str| {
        message
            .strip_prefix(prefix)
            .and_then(|rest| rest.split('`').next())
    };
    if let Some(name) = quoted("unknown field `") {
        return FieldError::new(name, "is unknown");
    }
    if let Some(name) = quoted("missing field `") {
        return FieldError::new(name, "is required");
    }
    if let Some(name) = quoted("duplicate field `") {
        return FieldError::new(name, "is given twice");
    }
    FieldError::new(path, message)
}
