//! Requests whose session is bound to its browser, and which lack the proof of that. None of them acts in the
//! session, whatever it is: every caller by a cookie is resolved here. What such a request gets depends on
//! whether its browser may have the key.

use actix_web::http::Method;
use actix_web::{HttpMessage, HttpRequest};

use super::app_state::app_state;
use super::bound_session;
use super::client::{RequestClient, location};
use super::error_form::ErrorForm;
use super::logged_caller;
use crate::error::{Chain, Error, MissingProof, Result};
use crate::sessions::{Caller, Claim};

/// What the claim of a request lacked.
struct Unproven(MissingProof);

/// Resolves the caller of a request, without recording a use.
///
/// # Errors
/// As [`Sessions::identify`](crate::sessions::Sessions::identify).
pub(super) async fn identify(request: &HttpRequest, claim: Claim) -> Result<Caller> {
    let app = app_state(request)?;
    let identified = app.sessions.identify(claim.clone(), location(request, app));
    recorded(request, claim, identified.await).await
}

/// Resolves the caller of a request, and records the use.
///
/// # Errors
/// As [`Sessions::resolve`](crate::sessions::Sessions::resolve).
pub(super) async fn resolve(request: &HttpRequest, claim: Claim) -> Result<Caller> {
    let app = app_state(request)?;
    let resolved = app.sessions.resolve(claim.clone(), location(request, app));
    recorded(request, claim, resolved.await).await
}

/// Resolves the caller of a request that nobody made.
///
/// # Errors
/// As [`Sessions::resolve`](crate::sessions::Sessions::resolve).
pub(super) async fn resolve_unattended(request: &HttpRequest, claim: Claim) -> Result<Caller> {
    let app = app_state(request)?;
    let location = location(request, app);
    let resolved = app.sessions.resolve_unattended(claim.clone(), location);
    recorded(request, claim, resolved.await).await
}

/// Returns what the claim of a request lacked, if it was found to lack something.
#[must_use]
pub fn missing_proof(request: &HttpRequest) -> Option<MissingProof> {
    let extensions = request.extensions();
    extensions
        .get::<Unproven>()
        .map(|Unproven(missing)| *missing)
}

/// Records who a request is from, or what it lacked.
async fn recorded(request: &HttpRequest, claim: Claim, found: Result<Caller>) -> Result<Caller> {
    match found {
        Ok(caller) => {
            logged_caller::record_caller(request, &caller);
            Ok(caller)
        }
        Err(Error::ProofRequired(missing)) => {
            let missing = judge(request, &claim, missing);
            request.extensions_mut().insert(Unproven(missing));
            if let Err(err) = observe(request, &claim, missing).await {
                tracing::warn!(session = %claim.session, error = %Chain(&err), "a use without its key could not be recorded");
            }
            Err(Error::ProofRequired(missing))
        }
        Err(err) => Err(err),
    }
}

/// Returns why a request lacks its proof, as far as its headers tell. Whoever invents them gets nothing by it.
fn judge(request: &HttpRequest, claim: &Claim, missing: MissingProof) -> MissingProof {
    match missing {
        MissingProof::Absent if is_page_from_elsewhere(request) => MissingProof::FromElsewhere,
        MissingProof::Absent if bound_session::is_skipped(request, claim.session) => {
            MissingProof::NotNow
        }
        missing => missing,
    }
}

/// Returns whether a request is for a page that another site or host led to: browsers make no proof for that.
fn is_page_from_elsewhere(request: &HttpRequest) -> bool {
    let stated = |name| {
        let value = request.headers().get(name);
        value.and_then(|value| value.to_str().ok())
    };
    let is_from_elsewhere = matches!(stated("sec-fetch-site"), Some("cross-site" | "same-site"));
    let is_navigation = stated("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    let is_page = ErrorForm::of(request.path()) == ErrorForm::Page;
    *request.method() == Method::GET && is_page && is_from_elsewhere && is_navigation
}

async fn observe(request: &HttpRequest, claim: &Claim, missing: MissingProof) -> Result<()> {
    let sessions = &app_state(request)?.sessions;
    if let Some(unproven) = sessions.find_unproven(claim).await? {
        let RequestClient(client) = RequestClient::of(request).await?;
        sessions.record_unproven(unproven, client, missing).await?;
    }
    Ok(())
}
