//! The subject of a request of an application, which stands in the header `X-Subject`: percent-encoded
//! UTF-8 (RFC 3986, 2.1). In the query it would stand in the logs of every proxy.

use actix_web::HttpRequest;
use url::form_urlencoded;

use crate::error::{Error, Result};
use crate::people::Subject;
use crate::text;

const HEADER: &str = "x-subject";

/// Returns the subject in the header, if there is one.
///
/// # Errors
/// [`Error::Invalid`] when the header is there twice, is not percent-encoded UTF-8, or is no valid
/// subject.
pub fn subject_header(request: &HttpRequest) -> Result<Option<Subject>> {
    let mut values = request.headers().get_all(HEADER);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Error::field("subject", "must be sent once in X-Subject"));
    }
    let text = value.to_str().ok().and_then(text::percent_decoded);
    let text =
        text.ok_or_else(|| Error::field("subject", "must be percent-encoded UTF-8 in X-Subject"))?;
    text.parse().map(Some)
}

/// Verifies that no subject is in the query.
///
/// # Errors
/// [`Error::Invalid`] when there is one.
pub fn refuse_in_query(request: &HttpRequest) -> Result<()> {
    let mut fields = form_urlencoded::parse(request.query_string().as_bytes());
    match fields.any(|(name, _)| name.eq_ignore_ascii_case("subject")) {
        false => Ok(()),
        true => Err(Error::field(
            "subject",
            "does not belong into the query, which proxies log; send it in the header X-Subject, percent-encoded, or in the body",
        )),
    }
}
