//! What ended sessions that none of their person's other sessions ended, in words that follow "signed out".

use std::collections::HashMap;

use crate::db::{SessionId, UserId};
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::sessions::{EndSource, Session};

/// Returns the words, by session.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(super) async fn load(
    app: &AppState,
    owner: UserId,
    ended: &[Session],
) -> Result<HashMap<SessionId, String>> {
    let mut words: HashMap<SessionId, String> = HashMap::new();
    let mut described: Vec<(EndSource, String)> = Vec::new();
    for (session, source) in app.sessions.list_end_sources(owner, ended).await? {
        let before = described.iter().find(|(known, _)| *known == source);
        let description = match before {
            Some((_, description)) => description.clone(),
            None => {
                let description = describe(app, source).await?;
                described.push((source, description.clone()));
                description
            }
        };
        words.insert(session, description);
    }
    Ok(words)
}

/// Returns what ended a session, as it follows "signed out".
///
/// # Errors
/// As [`load`].
pub(super) async fn describe(app: &AppState, source: EndSource) -> Result<String> {
    let id = match source {
        EndSource::TakeBack => return Ok("when the account was taken back".into()),
        EndSource::Application(None) => return Ok("by an application".into()),
        EndSource::Application(Some(id)) => id,
    };
    match app.applications.get(&id.to_string()).await {
        // Isolated, so that it doesn't change the direction around it (Unicode UAX #9, 2.7).
        Ok(found) => Ok(format!("by the application \u{2068}{}\u{2069}", found.name)),
        Err(Error::NotFound) => Ok("by an application".into()),
        Err(err) => Err(err),
    }
}
