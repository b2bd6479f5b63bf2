//! What notices say of settings that were saved.

use super::times::TimeView;
use crate::db::{SessionId, UserId};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::notice::AccountNotice;
use crate::http::reader_clock::ReaderClock;
use crate::net::IpRetention;

/// Returns until when a device stays signed in that is exempt from the idle limit.
pub(super) async fn exempt_words(
    app: &AppState,
    (user, id): (UserId, SessionId),
    clock: ReaderClock,
) -> Result<String> {
    let session = app.sessions.find(user, id).await?;
    let live = app.sessions.list_live(user).await?;
    let until = session.as_ref().and_then(|session| {
        let on_device = live.iter().filter(|it| it.is_on_device_of(session));
        on_device.map(|it| it.absolute_expires_at).max()
    });
    Ok(match (session, until) {
        (Some(session), Some(until)) => format!(
            "Saved. {} stays signed in until {}, even if it is not used.",
            app.accounts.find_device_name(None, &session).await?,
            TimeView::day(until, clock).words
        ),
        _ => "Saved.".into(),
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
