//! What messages say of the link in them: its label, and what its page does.

use super::AlertKind;
use super::store::Alert;
use crate::clock::TimeZone;
use crate::people::store::FormerEmail;

/// The label of a link that only reports.
const REPORT: &str = "This wasn’t me";

/// Says what the link does that restores a former address.
pub(super) fn undo_link_text(former: &FormerEmail, zone: TimeZone) -> String {
    format!(
        "If it wasn’t you, open this link. It shows what happened, and asks before it restores the former e-mail of the account and signs out every device; the password then no longer works. The link works until {}, or until you answer.",
        zone.exact(former.expires_at)
    )
}

/// Returns the label of the link: what its page is for.
pub(super) fn link_label(kind: AlertKind) -> &'static str {
    match kind.is_confirmable_by_link() {
        true if kind.is_sign_in() => "Review this sign-in",
        true => "Review what happened",
        false => REPORT,
    }
}

/// Says what to do about what happened, besides the link.
pub(super) fn advice(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::TokenReuse => {
            "Set a new password, and check the device: remove programs and browser extensions that you don’t know. If you have just restored it from a backup, that is the reason; sign in on it again."
        }
        AlertKind::WrongPasswords => {
            "If it was you, just sign in again; “Forgotten your password?” sets a new one."
        }
        AlertKind::CopyRefused => {
            "Whatever copied it may still be on the device: remove programs and browser extensions that you don’t know, then set a new password."
        }
        AlertKind::NewDevice | AlertKind::NewCountry => {
            "If it was you, open the link below and say so: until then, some changes on that device may have to wait, for 7 days at most."
        }
        _ => "If it was you, you don’t need to do anything.",
    }
}

/// Says what the link does for the account's own address; `live` is the number of live sessions on the device of the
/// alert.
pub(super) fn own_link_text((alert, live): (&Alert, usize), may_set_password: bool) -> String {
    let ended = match alert.session_id.filter(|_| live > 0) {
        Some(_) => "that device and any unconfirmed device that signed in after this happened",
        None => "any unconfirmed device that signed in after this happened",
    };
    let also = match alert.kind {
        kind if kind.is_confirmable_by_link() && !kind.is_sign_in() => {
            " If it was you, you can say so there, too."
        }
        _ => "",
    };
    let text = format!(
        "If it wasn’t you, open this link. It shows what happened, and asks before it signs out \
         {ended}.{also} It works for 7 days, or until you answer."
    );
    match may_set_password {
        true => {
            format!("{text} Within 24 hours of this e-mail, you can also set a new password there.")
        }
        false => text,
    }
}
