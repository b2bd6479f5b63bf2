//! The names of what a request that needs step-up is about to be done to: from rows that the caller may
//! read, and of what is to be created, as it was typed.

use std::collections::HashSet;

use super::app_state::AppState;
use super::ending_words::Ending;
use super::step_up_words::Subject;
use crate::alerts::Alert;
use crate::clock::Timestamp;
use crate::db::{ApplicationId, SessionId};
use crate::devices::group_by_device;
use crate::error::{Error, Result};
use crate::people::{Email, IdleLimit, Role};
use crate::sessions::{Caller, Session};
use crate::text;

/// Selected devices that are counted: as many as can be selected.
const MAX_SELECTED: usize = 100;
/// The characters of a name that was typed, at most: as many as a name may have.
const MAX_TYPED: usize = 255;

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
        return Ok(match session {
            Some(session) => Some(find_device_name(app, caller, &session).await?),
            None => None,
        });
    }
    if let Subject::Email(email) = subject {
        // What is none is not repeated.
        return Ok(email
            .parse::<Email>()
            .ok()
            .map(|email| email.as_str().to_owned()));
    }
    if let Subject::Typed(name) = subject {
        return Ok(typed(name));
    }
    match caller.user.role() {
        Role::Admin => find_administered(app, subject).await,
        _ => Ok(None),
    }
}

async fn find_device_name(app: &AppState, caller: &Caller, session: &Session) -> Result<String> {
    let here = Some(caller.session.id);
    app.accounts.find_device_name(here, session).await
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
        Subject::NewKey { application, name } => {
            let Ok(_) = application.parse::<ApplicationId>() else {
                return Ok(None);
            };
            let found = app.applications.get(application).await;
            found.map(|found| match typed(name) {
                Some(key) => format!("{key} for {}", found.name),
                None => format!("for {}", found.name),
            })
        }
        _ => return Ok(None),
    };
    match name {
        Ok(name) => Ok(Some(name)),
        Err(Error::NotFound) => Ok(None),
        Err(err) => Err(err),
    }
}

/// Returns a name as it was typed, if it can be one.
fn typed(name: &str) -> Option<String> {
    let name: String = text::clean(name).chars().take(MAX_TYPED).collect();
    (!name.is_empty()).then_some(name)
}

/// Finds what a form signs out that names several devices, or confirms that unused ones are signed out.
pub(super) async fn find_ending(
    app: &AppState,
    caller: &Caller,
    path: &str,
    fields: &[(String, String)],
) -> Result<Option<Ending>> {
    let order = async |live| order_for_names(app, caller, live).await;
    let list_live = async || order(app.sessions.list_live(caller.user.id).await?).await;
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    Ok(match segments.as_slice() {
        ["devices", "sign-out-others"] => {
            let shown = value(fields, "shown").and_then(|at| at.parse().ok());
            let live = match shown.and_then(Timestamp::from_micros) {
                Some(shown) => {
                    app.sessions
                        .list_signed_in_by(caller.user.id, shown)
                        .await?
                }
                None => list_live().await?,
            };
            Ending::of_others(&order(live).await?, caller)
        }
        ["devices", "sign-out-everywhere"] => Some(Ending::of_all(list_live().await?)),
        ["devices", "sign-out-selected"] => find_selected(app, caller, fields).await?,
        ["devices", id, "sign-out"] => {
            let live = list_live().await?;
            find_device(app, caller, id, (&live, fields)).await?
        }
        ["account", "idle-limit"] if is_confirmed(fields) => {
            let limit = value(fields, "idle_limit").unwrap_or_default();
            let chosen = limit.parse::<IdleLimit>().ok();
            find_unused(app, caller, chosen, |session| !session.is_idle_exempt()).await?
        }
        ["devices", id, "when-unused"] if is_confirmed(fields) => {
            let (Ok(id), chosen) = (id.parse::<SessionId>(), caller.user.idle_limit()) else {
                return Ok(None);
            };
            let Some(subject) = app.sessions.find(caller.user.id, id).await? else {
                return Ok(None);
            };
            find_unused(app, caller, chosen, |it| it.is_on_device_of(&subject)).await?
        }
        _ => None,
    })
}

/// Returns sessions of the caller so that the first one of each device is the one that it is called by.
async fn order_for_names(
    app: &AppState,
    caller: &Caller,
    sessions: Vec<Session>,
) -> Result<Vec<Session>> {
    let (owner, here) = (caller.user.id, Some(caller.session.id));
    app.accounts.order_for_names(owner, here, sessions).await
}

/// Finds what is signed out on the device of a session, of the caller's `live` ones.
async fn find_device(
    app: &AppState,
    caller: &Caller,
    id: &str,
    (live, fields): (&[Session], &[(String, String)]),
) -> Result<Option<Ending>> {
    let Ok(id) = id.parse::<SessionId>() else {
        return Ok(None);
    };
    let Some(session) = app.sessions.find(caller.user.id, id).await? else {
        return Ok(None);
    };
    if value(fields, "only").is_none() {
        return Ok(Ending::of_device(&session, live, caller));
    }
    let here = Some(caller.session.id);
    let session = app.accounts.label_in_doubt(here, session).await?;
    Ok(Ending::of_session(&session, live, caller))
}

/// Returns whether a form confirms that devices are signed out which it does not say itself.
pub(super) fn is_confirmed(fields: &[(String, String)]) -> bool {
    value(fields, "confirmed").is_some()
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.as_str())
}

/// Finds which of the caller's live sessions a choice of the idle limit ends, of those that it is for.
async fn find_unused(
    app: &AppState,
    caller: &Caller,
    chosen: Option<IdleLimit>,
    is_meant: impl Fn(&Session) -> bool,
) -> Result<Option<Ending>> {
    // The rows lack the last uses that are still buffered.
    app.sessions.flush_last_uses().await?;
    let (limits, now) = (app.sessions.idle_limits(), app.clock.now());
    let live = app.sessions.list_live(caller.user.id).await?;
    let ends = |it: &Session| is_meant(it) && limits.would_end(it, chosen, now);
    let (ending, live): (Vec<Session>, Vec<Session>) = live.into_iter().partition(ends);
    let ending = order_for_names(app, caller, ending).await?;
    Ok(Ending::of_unused(ending, &live))
}

/// Finds which of the selected devices are live, besides the caller's own.
async fn find_selected(
    app: &AppState,
    caller: &Caller,
    fields: &[(String, String)],
) -> Result<Option<Ending>> {
    let ids = fields.iter().filter(|(name, _)| name == "device");
    let ids: HashSet<SessionId> = ids.filter_map(|(_, id)| id.parse().ok()).collect();
    let ids = ids.into_iter().take(MAX_SELECTED).collect();
    let selected = app.sessions.list_by_ids(caller.user.id, ids).await?;
    let mut live = app.sessions.list_live(caller.user.id).await?;
    live.retain(|live| {
        let is_selected = selected.iter().any(|it| live.is_on_device_of(it));
        is_selected && !live.is_on_device_of(&caller.session)
    });
    let live = order_for_names(app, caller, live).await?;
    Ok(Ending::of_devices(&group_by_device(live)))
}

/// Finds one of the alerts that the caller may answer.
pub(super) async fn find_alert(app: &AppState, caller: &Caller, id: &str) -> Result<Option<Alert>> {
    let attention = app.accounts.list_attention(caller).await?;
    let mut alerts = attention.alerts.into_iter();
    Ok(alerts.find(|alert| alert.id.to_string() == id))
}
