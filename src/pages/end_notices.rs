//! What pages say of sessions that were just ended. Every sentence is worked out from the rows after
//! the commit, and from all sessions of the device: no device is stated to be signed out while one of
//! them is live.

use super::device_state::DeviceState;
use crate::clock::Timestamp;
use crate::db::UserId;
use crate::devices::group_by_device;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::notice::{EndMoment, EndNotice};
use crate::sessions::{Caller, Session};

/// Returns what to say; `None` where it would not be true.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(super) async fn describe(
    app: &AppState,
    user: UserId,
    caller: Option<&Caller>,
    notice: EndNotice,
) -> Result<Option<String>> {
    let found = match notice {
        EndNotice::Device(id) | EndNotice::Session(id) => app.sessions.find(user, id).await?,
        EndNotice::Others(_) => None,
        EndNotice::Devices { before, .. } => match before {
            Some(before) => app.sessions.find(user, before).await?,
            None => None,
        },
    };
    let ended = match notice {
        EndNotice::Others(moment) | EndNotice::Devices { ended: moment, .. } => {
            ended_at(app, user, moment).await?
        }
        EndNotice::Device(_) | EndNotice::Session(_) => Vec::new(),
    };
    let here = caller.map(|caller| caller.session.id);
    let order = async |sessions| app.accounts.order_for_names(user, here, sessions).await;
    let ended = order(ended).await?;
    let name = match &found {
        Some(session) => Some(app.accounts.find_device_name(here, session).await?),
        None => None,
    };
    let rows = Rows {
        live: order(app.sessions.list_live(user).await?).await?,
        here: caller.map(|caller| &caller.session),
    };
    let named = found.as_ref().zip(name.as_deref());
    Ok(match notice {
        EndNotice::Device(_) => named.and_then(|(session, name)| rows.device(session, name)),
        EndNotice::Session(_) => match named {
            Some((session, name)) => {
                let labelled = app.accounts.label_in_doubt(here, session.clone());
                rows.session(&labelled.await?, name)
            }
            None => None,
        },
        EndNotice::Others(_) => rows.others(ended),
        EndNotice::Devices { count_before, .. } => rows.devices(ended, name, count_before),
    })
}

/// Says that this device was signed out, and so many other sessions on it were not.
pub(super) fn signed_out_here(others: u32) -> String {
    match others {
        1 => "You are signed out here. Another session on this device is still signed in.".into(),
        n => format!(
            "You are signed out here. {n} other sessions on this device are still signed in."
        ),
    }
}

async fn ended_at(app: &AppState, user: UserId, moment: Option<EndMoment>) -> Result<Vec<Session>> {
    let moment = moment.and_then(|EndMoment { by, at }| Some((by, Timestamp::from_micros(at)?)));
    match moment {
        Some((by, at)) => app.sessions.list_ended_at(user, by, at).await,
        None => Ok(Vec::new()),
    }
}

/// What the rows state when the page is shown.
struct Rows<'a> {
    /// The person's live sessions.
    live: Vec<Session>,
    /// The session that the page is read in, if it is read by that person.
    here: Option<&'a Session>,
}

impl Rows<'_> {
    /// Says what became of a device that was signed out.
    fn device(&self, session: &Session, name: &str) -> Option<String> {
        let state = DeviceState::after(session, &self.live)?;
        let name = match state.left() {
            0 => name.to_owned(),
            _ => state.name(),
        };
        Some(match (state.left(), self.is_here(session)) {
            (0, _) => format!("{name} is signed out."),
            (1, true) => {
                format!("Every other session on {name} has ended; you are still signed in here.")
            }
            (n, true) => format!(
                "Sessions on {name} have ended; {n} are still signed in, this one among them."
            ),
            (1, false) => format!("{name} was signed out, but has been signed in again since."),
            (n, false) => {
                format!("{name} was signed out, but has been signed in again since, {n} times.")
            }
        })
    }

    /// Says what became of a session that was ended alone, and of its device.
    fn session(&self, session: &Session, name: &str) -> Option<String> {
        let state = DeviceState::after(session, &self.live)?;
        let still = match (state.left(), self.is_here(session)) {
            (0, _) => return Some(format!("{name} is signed out.")),
            (1, true) => "this one is still signed in".to_owned(),
            (n, true) => format!("{n} are still signed in, this one among them"),
            (1, false) => "1 is still signed in".to_owned(),
            (n, false) => format!("{n} are still signed in"),
        };
        Some(format!("{} has ended; {still}.", state.name_sessions(1)))
    }

    /// Says what became of the other devices; `ended` are the sessions that ended at once.
    fn others(&self, ended: Vec<Session>) -> Option<String> {
        let was_here = ended.iter().any(|session| self.is_here(session));
        let others = self.live.iter().filter(|live| !self.is_current(live));
        let (same, elsewhere): (Vec<Session>, Vec<Session>) =
            others.cloned().partition(|live| self.is_here(live));
        let out = self.signed_out(ended);
        let mut sentences = Vec::new();
        match (out.as_slice(), same.is_empty() && elsewhere.is_empty()) {
            ([], true) if was_here => {
                sentences.push("Every other session on this device has ended.".into());
            }
            ([], true) => sentences.push("No other device is signed in.".into()),
            ([], false) => {}
            ([name], true) => sentences.push(format!("Your other device, {name}, is signed out.")),
            ([name], false) => sentences.push(format!("{name} is signed out.")),
            (names, true) => {
                sentences.push(format!(
                    "Your {} other devices are signed out.",
                    names.len()
                ));
            }
            (names, false) => sentences.push(format!("{} devices are signed out.", names.len())),
        }
        sentences.extend(still_signed_in(elsewhere, same.len()));
        Some(sentences.join(" "))
    }

    /// Says what became of several devices; `ended` are the sessions that ended at once.
    fn devices(
        &self,
        ended: Vec<Session>,
        name_before: Option<String>,
        count_before: u32,
    ) -> Option<String> {
        let again = self.signed_in_again(&ended);
        let out = self.signed_out(ended);
        let mut parts = Vec::new();
        match out.as_slice() {
            [] => {}
            [name] => parts.push(format!("{name} is signed out")),
            names => parts.push(format!("{} devices are signed out", names.len())),
        }
        match (count_before, name_before) {
            (0, _) => {}
            (1, Some(name)) => parts.push(format!("{name} had been signed out already")),
            (1, None) if parts.is_empty() => {
                parts.push("The device had been signed out already".into());
            }
            (n, _) if parts.is_empty() => {
                parts.push(format!("All {n} devices had been signed out already"));
            }
            (n, _) => parts.push(format!("{n} had been signed out already")),
        }
        match again.as_slice() {
            [] => {}
            [name] => parts.push(format!("{name} was signed out, but is signed in again")),
            names => parts.push(format!(
                "{} devices were signed out, but are signed in again",
                names.len()
            )),
        }
        (!parts.is_empty()).then(|| format!("{}.", parts.join("; ")))
    }

    /// Returns the number of live sessions on the device of an ended one; `None` if that is live.
    fn left_on_device_of(&self, session: &Session) -> Option<usize> {
        DeviceState::after(session, &self.live).map(|state| state.left())
    }

    fn is_current(&self, session: &Session) -> bool {
        self.here.is_some_and(|here| here.id == session.id)
    }

    fn is_here(&self, session: &Session) -> bool {
        self.here.is_some_and(|here| session.is_on_device_of(here))
    }

    /// Returns the names of the devices of ended sessions on which none is live.
    fn signed_out(&self, ended: Vec<Session>) -> Vec<String> {
        let has_none = |ended: &Session| self.left_on_device_of(ended) == Some(0);
        names(ended.into_iter().filter(has_none).collect())
    }

    /// Returns the names of the other devices of ended sessions on which there is one again.
    fn signed_in_again(&self, ended: &[Session]) -> Vec<String> {
        let has_some =
            |ended: &&Session| !self.is_here(ended) && self.left_on_device_of(ended) != Some(0);
        names(ended.iter().filter(has_some).cloned().collect())
    }
}

/// Says that there are sessions which were opened after all others had ended.
fn still_signed_in(elsewhere: Vec<Session>, here: usize) -> Option<String> {
    let names = names(elsewhere);
    Some(match (names.as_slice(), here) {
        ([], 0) => return None,
        ([], 1) => {
            "Another session on this device began after you opened the page, so it has not ended."
                .into()
        }
        ([], n) => format!(
            "{n} other sessions on this device began after you opened the page, so they have not ended."
        ),
        ([name], _) => format!(
            "Another device, {name}, signed in after you opened the page, so it stays signed in."
        ),
        (names, _) => format!(
            "{} devices signed in after you opened the page, so they stay signed in.",
            names.len()
        ),
    })
}

/// Returns the name of each device of these sessions.
fn names(sessions: Vec<Session>) -> Vec<String> {
    let devices = group_by_device(sessions);
    devices
        .iter()
        .map(|device| device.first().display_name())
        .collect()
}
