//! The names of what a request that needs step-up is about to be done to, from rows that the caller may
//! read.

use std::collections::HashSet;

use super::app_state::AppState;
use super::step_up_words::Subject;
use crate::alerts::Alert;
use crate::db::{ApplicationId, SessionId};
use crate::devices::group_by_device;
use crate::error::{Error, Result};
use crate::people::{Email, Role};
use crate::sessions::Caller;

/// Selected devices that are counted: as many as can be selected.
const MAX_SELECTED: usize = 100;

/// Finds the name of a subject, as far as the caller may read its row.
pub(super) async fn find_name(
    app: &AppState,
    caller: &Caller,
    subject: Subject<'_>,
) -> Result<Option<String>> {
    if let Subject::Device(id) = subject {
        let Ok(id) = id.parse() else {
            return Ok(None);
        };
        let session = app.sessions.find(caller.user.id, id).await?;
        return Ok(session.map(|session| session.display_name()));
    }
    if let Subject::Email(email) = subject {
        // What is none is not repeated.
        return Ok(email
            .parse::<Email>()
            .ok()
            .map(|email| email.as_str().to_owned()));
    }
    match caller.user.role() {
        Role::Admin => find_administered(app, subject).await,
        _ => Ok(None),
    }
}

/// Finds the name of what an administrator may read.
async fn find_administered(app: &AppState, subject: Subject<'_>) -> Result<Option<String>> {
    let name = match subject {
        Subject::Person(id) => match id.parse() {
            Ok(id) => app
                .people
                .get(id)
                .await
                .map(|user| user.display_name().to_owned()),
            Err(_) => return Ok(None),
        },
        Subject::Application(id) => match id.parse::<ApplicationId>() {
            Ok(_) => app.applications.get(id).await.map(|found| found.name),
            Err(_) => return Ok(None),
        },
        Subject::ApiKey(id) => match id.parse() {
            Ok(id) => app.applications.get_key(id).await.map(|(_, key)| key.name),
            Err(_) => return Ok(None),
        },
        Subject::Unnamed | Subject::Device(_) | Subject::Alert(_) | Subject::Email(_) => {
            return Ok(None);
        }
    };
    match name {
        Ok(name) => Ok(Some(name)),
        Err(Error::NotFound) => Ok(None),
        Err(err) => Err(err),
    }
}

/// Finds what the selected devices are called: those that are live, besides the caller's own.
pub(super) async fn find_selected(
    app: &AppState,
    caller: &Caller,
    fields: &[(String, String)],
) -> Result<Option<String>> {
    let ids = fields.iter().filter(|(name, _)| name == "device");
    let ids: HashSet<SessionId> = ids.filter_map(|(_, id)| id.parse().ok()).collect();
    let ids = ids.into_iter().take(MAX_SELECTED).collect();
    let selected = app.sessions.list_by_ids(caller.user.id, ids).await?;
    let mut live = app.sessions.list_live(caller.user.id).await?;
    live.retain(|live| {
        let is_selected = selected.iter().any(|it| live.is_on_device_of(it));
        is_selected && !live.is_on_device_of(&caller.session)
    });
    Ok(match group_by_device(live).as_slice() {
        [] => None,
        [device] => Some(device.first().display_name()),
        devices => Some(format!("{} devices", devices.len())),
    })
}

/// Finds one of the alerts that the caller may answer.
pub(super) async fn find_alert(app: &AppState, caller: &Caller, id: &str) -> Result<Option<Alert>> {
    let attention = app.accounts.list_attention(caller).await?;
    let mut alerts = attention.alerts.into_iter();
    Ok(alerts.find(|alert| alert.id.to_string() == id))
}
