//! The audience that a client asks for in a request for tokens.

use crate::db::{ApplicationId, UserId};
use crate::error::{Error, Result, TokenRefusal};
use crate::http::app_state::AppState;
use crate::sessions::{Session, UsedApplication};
use crate::tokens::Audience;

/// Returns the audience with that id or name; the service itself if none is named.
///
/// # Errors
/// [`Error::InvalidTarget`] when there is no such application.
pub(super) async fn find_audience(app: &AppState, named: Option<&str>) -> Result<Audience> {
    match named {
        Some(named) => {
            let application = app.applications.get_audience(named).await?;
            Ok(Audience::Application(application))
        }
        None => Ok(Audience::Service),
    }
}

/// Records that `session` gets an access token for `audience`, unless that is the service itself.
pub(super) async fn record_audience(app: &AppState, session: &Session, audience: Audience) {
    if let Audience::Application(id) = audience {
        let application = UsedApplication::Audience(id);
        app.sessions.record_application(session, application).await;
    }
}

/// As [`find_audience`], for the people of one application: no other is vouched to by it.
///
/// # Errors
/// [`Error::InvalidTarget`] also when another application is named.
pub(super) async fn find_own_audience(
    app: &AppState,
    named: Option<&str>,
    own: ApplicationId,
) -> Result<Audience> {
    match find_audience(app, named).await? {
        Audience::Application(other) if other != own => Err(Error::InvalidTarget),
        audience => Ok(audience),
    }
}

/// As [`find_audience`], for a person, whom an application may vouch for.
///
/// # Errors
/// As [`find_own_audience`] for a person of an application; [`Error::InvalidToken`] when there is no
/// such person.
pub(super) async fn find_audience_for(
    app: &AppState,
    named: Option<&str>,
    person: UserId,
) -> Result<Audience> {
    if named.is_none() {
        return Ok(Audience::Service);
    }
    let found = app.people.get(person).await;
    let user = found.map_err(|err| match err {
        Error::NotFound => Error::InvalidToken(TokenRefusal::OwnerGone),
        err => err,
    })?;
    match user.application_id {
        Some(own) => find_own_audience(app, named, own).await,
        None => find_audience(app, named).await,
    }
}
