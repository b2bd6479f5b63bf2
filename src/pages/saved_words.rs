//! What notices say of settings that were saved.

use super::times::TimeView;
use crate::db::{SessionId, UserId};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::notice::AccountNotice;
use crate::http::reader_clock::ReaderClock;
use crate::net::IpRetention;
use crate::sessions::Session;

/// Returns until when a device stays signed in that is exempt from the idle limit.
pub(super) async fn exempt_words(
    app: &AppState,
    (user, id): (UserId, SessionId),
    clock: ReaderClock,
) -> Result<String> {
    const NOT_COVERED: &str = " A session on it that waits for an answer, or came after one, is not covered until it is confirmed.";

    let Some(session) = app.sessions.find(user, id).await? else {
        return Ok("Saved.".into());
    };
    let live = app.sessions.list_live(user).await?;
    let on_device = live.iter().filter(|it| it.is_on_device_of(&session));
    let (exempt, others): (Vec<&Session>, Vec<&Session>) =
        on_device.partition(|it| it.is_idle_exempt());
    let name = app.accounts.find_device_name(None, &session).await?;
    let until = exempt.iter().map(|it| it.absolute_expires_at).max();
    Ok(match (until, others.is_empty()) {
        (Some(until), is_whole) => format!(
            "Saved. {name} stays signed in until {}, even if it is not used.{}",
            TimeView::day(until, clock).words,
            if is_whole { "" } else { NOT_COVERED },
        ),
        (None, false) => format!(
            "Saved. Once its sign-in is confirmed, {name} stays signed in even if it is not used."
        ),
        (None, true) => "Saved.".into(),
    })
}

/// Returns what became of stored addresses, by what is stored of them now.
pub(super) fn address_words(retention: IpRetention, notice: AccountNotice) -> &'static str {
    let is_all = notice == AccountNotice::AddressesRedacted;
    match (retention, notice) {
        (IpRetention::Whole, _) => "Saved. Addresses are stored whole from now on.",
        (_, AccountNotice::IpRetentionUpdated) => "Saved.",
        (IpRetention::Shortened, _) if is_all => "Saved. Older addresses were shortened, too.",
        (IpRetention::None, _) if is_all => "Saved. Older addresses were deleted, too.",
        (IpRetention::Shortened, _) => {
            "Saved. Older addresses were shortened, too, except in alerts that wait for an answer."
        }
        (IpRetention::None, _) => {
            "Saved. Older addresses were deleted, too, except in alerts that wait for an answer."
        }
    }
}

pub(super) fn alert_email_words(is_on: bool) -> &'static str {
    match is_on {
        true => "Saved. You get an e-mail about new sign-ins.",
        false => "Saved. You get no e-mail about new sign-ins.",
    }
}
