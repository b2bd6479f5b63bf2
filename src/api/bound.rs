//! `/auth/bound`: the key of a browser for its session (Device Bound Session Credentials, W3C). Only browsers
//! call it, by themselves. Their session cookie goes to no other site, and no page but ours can set the header
//! with the proof, so that a CSRF token is not needed.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::error::{Chain, Error, ProofRefusal, Result};
use crate::http::app_state::AppState;
use crate::http::client::location;
use crate::http::{bound_session, browser};
use crate::sessions::{Renewal, UnknownSigner};

/// Registers the key of a browser for the session of its cookie.
///
/// # Errors
/// [`Error::ProofRefused`] when the proof is not one of this session and key, in time, or the session has
/// another key; [`Error::Unauthenticated`] without the current cookie of a live session;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn register(app: web::Data<AppState>, request: HttpRequest) -> Result<HttpResponse> {
    const MISSING: Error = Error::ProofRefused(ProofRefusal::Missing);

    if !bound_session::has_proof(&request) {
        return Err(MISSING);
    }
    let claim = browser::session_claim(&request)?.ok_or(Error::Unauthenticated)?;
    let proof = bound_session::sent_proof(&request)?.ok_or(MISSING)?;
    let grant = app.sessions.register_key(claim, proof).await?;
    bound_session::grant(&request, grant)
}

/// Renews the bound cookie of a browser. A browser forgets its key after any 4xx but 403, and after a redirect:
/// so whatever fails on our side is 503, and only a proof that no browser makes is 400.
///
/// # Errors
/// [`Error::ProofRefused`] when the proof can't be read, or was not signed by the key of the session.
pub async fn refresh(app: web::Data<AppState>, request: HttpRequest) -> Result<HttpResponse> {
    match renew(&app, &request).await {
        Ok(response) => Ok(response),
        Err(err @ Error::ProofRefused(_)) => Err(err),
        Err(err) => {
            tracing::warn!(error = %Chain(&err), "a proof could not be judged");
            Ok(bound_session::unavailable())
        }
    }
}

async fn renew(app: &AppState, request: &HttpRequest) -> Result<HttpResponse> {
    let id = bound_session::stated_session(request);
    let Some(claim) = browser::session_claim(request)? else {
        return Ok(bound_session::over(id));
    };
    let session = claim.session;
    let proof = bound_session::sent_proof(request)?;
    match app.sessions.renew_proof(claim, id, proof).await? {
        Renewal::Over => Ok(bound_session::over(id)),
        Renewal::Challenged(challenge) => bound_session::challenge(session, &challenge),
        Renewal::Renewed(grant) => bound_session::grant(request, grant),
        Renewal::Refused(signer) => {
            observe(app, request, *signer).await;
            Err(Error::ProofRefused(ProofRefusal::Signature))
        }
    }
}

/// Records that somebody has a copy of the session cookie. What can't be recorded changes no answer.
async fn observe(app: &AppState, request: &HttpRequest, signer: UnknownSigner) {
    let location = location(request, app);
    if let Err(err) = app.sessions.record_unknown_signer(signer, location).await {
        tracing::warn!(error = %Chain(&err), "a proof by another key could not be recorded");
    }
}
