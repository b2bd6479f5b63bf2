//! What pages say once a change of the idle limit, or of the exemption of a device from it, is saved. What it ended
//! is worked out from the rows when that is shown.

use super::device_state::DeviceState;
use super::{settings_card, words};
use crate::db::{SessionId, UserId};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::notice::IdleEnds;
use crate::sessions::Session;

/// Returns that the idle limit of a person is saved, and what that ended.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(super) async fn describe_limit(app: &AppState, user: UserId, ends: IdleEnds) -> Result<String> {
    let limit = app.people.get(user).await?.idle_limit();
    let saved = settings_card::describe_idle_limit(limit, app.sessions.idle_limits());
    let live = list_live(app, user).await?;
    let device = match find_ended(app, user, ends.device).await? {
        Some(session) => name_of_signed_out(&session, &live),
        None => None,
    };
    let session = find_ended(app, user, ends.session).await?;
    let sentences: Vec<String> = std::iter::once(saved)
        .chain(devices_words(ends.devices, device))
        .chain(sessions_words(ends.sessions, session.as_ref(), &live))
        .collect();
    Ok(sentences.join(" "))
}

/// Returns what becomes of the device of the session `id`, which is no longer exempt, when it is not used; `ended`
/// of its sessions ended at once.
///
/// # Errors
/// As [`describe_limit`].
pub(super) async fn describe_exemption_end(
    app: &AppState,
    user: UserId,
    (id, ended): (SessionId, u32),
) -> Result<Option<String>> {
    let Some(session) = app.sessions.find(user, id).await? else {
        return Ok(None);
    };
    let live = list_live(app, user).await?;
    let chosen = app.people.get(user).await?.idle_limit();
    let limits = app.sessions.idle_limits();
    let on_it = live.iter().filter(|live| live.is_on_device_of(&session));
    let Some(limit) = on_it.map(|live| limits.limit_of(live, chosen)).max() else {
        let name = app.accounts.find_device_name(None, &session).await?;
        return Ok(Some(format!("Saved. {name} is signed out.")));
    };
    let later = format!(
        "the device signs out after {} without use",
        words::span(limit)
    );
    Ok(Some(match ended {
        0 => format!("Saved. From now on, {later}."),
        1 => format!("Saved. One session on the device has ended; from now on, {later}."),
        n => format!("Saved. {n} sessions on the device have ended; from now on, {later}."),
    }))
}

/// Lists the person's live sessions, the one first by which a device is called.
async fn list_live(app: &AppState, user: UserId) -> Result<Vec<Session>> {
    let live = app.sessions.list_live(user).await?;
    app.accounts.order_for_names(user, None, live).await
}

async fn find_ended(
    app: &AppState,
    user: UserId,
    id: Option<SessionId>,
) -> Result<Option<Session>> {
    match id {
        Some(id) => app.sessions.find(user, id).await,
        None => Ok(None),
    }
}

fn name_of_signed_out(session: &Session, live: &[Session]) -> Option<String> {
    let state = DeviceState::after(session, live)?;
    (!state.is_signed_in()).then(|| state.name())
}

/// Says how many devices were signed out; `device` is the first, unless it is signed in again.
fn devices_words(count: u32, device: Option<String>) -> Option<String> {
    let device = device?;
    Some(match count {
        0 | 1 => format!("{device} is signed out."),
        2 => format!("{device} and another device are signed out."),
        n => format!("{device} and {} other devices are signed out.", n - 1),
    })
}

/// Says how many sessions ended on devices that others stay on; `session` is one of them if that is a single device.
fn sessions_words(count: u32, session: Option<&Session>, live: &[Session]) -> Option<String> {
    let state = session.and_then(|session| DeviceState::after(session, live));
    let device = state.filter(DeviceState::is_signed_in);
    match (count, device) {
        (0, _) => None,
        (1, Some(device)) => Some(format!("{} has ended.", device.name_sessions(1))),
        (n, Some(device)) => Some(format!("{} have ended.", device.name_sessions(n as usize))),
        (1, None) => Some("One session has ended.".into()),
        (n, None) => Some(format!("{n} sessions on other devices have ended.")),
    }
}
