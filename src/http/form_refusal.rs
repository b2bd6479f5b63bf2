//! Why the form of a request was refused as a whole, in words.

use actix_web::{HttpMessage, HttpRequest};

use super::forms::{self, FormRefusal};
use crate::error::Error;

/// That a throttle refused the form of a request, in words.
struct ThrottleRefusal(String);

/// Has the page of the form of `request` say that a throttle refused it.
pub(super) fn record_throttled(request: &HttpRequest, err: &Error) {
    let refusal = ThrottleRefusal(err.detail());
    request.extensions_mut().insert(refusal);
}

/// Returns why the form of a request was refused, in words, if it was.
pub(super) fn refusal(request: &HttpRequest) -> Option<String> {
    let extensions = request.extensions();
    let throttled = extensions.get::<ThrottleRefusal>();
    throttled
        .map(|ThrottleRefusal(words)| words.clone())
        .or_else(|| {
            let refusal = forms::refusal(request)?;
            Some(explain(refusal, request.path()).to_owned())
        })
}

/// Returns why a form was refused, in words.
fn explain(refusal: FormRefusal, path: &str) -> &'static str {
    match refusal {
        FormRefusal::NoCookies if path.starts_with("/not-me/") => {
            "Your browser sent no cookies, and answering needs them. Allow cookies for this site, then \
             answer again."
        }
        FormRefusal::NoCookies if path == "/sign-in" => {
            "Your browser sent no cookies, and signing in needs them. Allow \
             cookies for this site, then send the form again."
        }
        FormRefusal::NoCookies => {
            "Your browser sent no cookies, and this form needs them. Allow \
             cookies for this site, then send the form again."
        }
        FormRefusal::Outdated => {
            "This page was out of date, so nothing was done. Please send the form again."
        }
    }
}
