//! What pages say of what an administrator did to a person. It is said only while it is so: somebody
//! else may have changed the account since.

use crate::db::UserId;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::notice::PersonNotice;
use crate::people::{Role, User};

/// Returns what the notice says, if that is still so.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(in crate::pages) async fn describe(
    app: &AppState,
    id: UserId,
    is_reader: bool,
    notice: PersonNotice,
) -> Result<Option<String>> {
    let user = match app.people.get(id).await {
        Err(Error::NotFound) => return Ok(of_deleted(notice).map(str::to_owned)),
        user => user?,
    };
    Ok(of_existing(&user, is_reader, notice))
}

fn of_deleted(notice: PersonNotice) -> Option<&'static str> {
    match notice {
        PersonNotice::Deleted => {
            Some("The account is deleted, with everything that belonged to it.")
        }
        PersonNotice::Gone => Some("This account was already deleted."),
        _ => None,
    }
}

fn of_existing(user: &User, is_reader: bool, notice: PersonNotice) -> Option<String> {
    let name = user.display_name();
    let words = match notice {
        PersonNotice::Disabled(ended) if !user.is_active => {
            format!("{name} is disabled. {}", ended_sessions(ended))
        }
        PersonNotice::AlreadyDisabled if !user.is_active => {
            format!("{name} is already disabled; nothing was changed.")
        }
        PersonNotice::Enabled if user.is_active => format!("{name} is enabled again."),
        PersonNotice::AlreadyEnabled if user.is_active => {
            format!("{name} is already enabled; nothing was changed.")
        }
        PersonNotice::RoleSet(before) => describe_role(user, is_reader, before),
        PersonNotice::RoleUnchanged => {
            format!("{name} already has that role; nothing was changed.")
        }
        PersonNotice::SessionsEnded(0) => {
            format!("All those sessions of {name} had already ended.")
        }
        PersonNotice::SessionsEnded(1) => format!("1 session of {name} ended."),
        PersonNotice::SessionsEnded(ended) => format!("{ended} sessions of {name} ended."),
        notice => return of_identity(user, notice),
    };
    Some(words)
}

/// Returns what is said of the making of an account, its name and its e-mail.
fn of_identity(user: &User, notice: PersonNotice) -> Option<String> {
    let name = user.display_name();
    let email = &user.email;
    let is_verified = user.email_verified_at.is_some();
    let words = match notice {
        PersonNotice::Created => format!("The account of {name} is created."),
        PersonNotice::CreatedBefore => {
            format!("The account of {name} was created a moment ago; nothing was changed.")
        }
        PersonNotice::Invited => {
            format!(
                "The account of {name} is created. A link to set a password is on its way to {email}."
            )
        }
        PersonNotice::InvitedBefore => {
            format!(
                "The account of {name} was created a moment ago. If you don’t have the link, invite them again."
            )
        }
        PersonNotice::InvitedAgain => {
            format!("Another link to set a password is on its way to {email}.")
        }
        PersonNotice::LinkMadeBefore => {
            format!(
                "A link for a new password of {name} was already created; no other was created now. If you don’t have it, create another."
            )
        }
        PersonNotice::DelayLifted => format!("{name} can try again at once."),
        PersonNotice::NoDelay => format!("{name} had no wrong passwords."),
        PersonNotice::Renamed => "The name is saved.".into(),
        PersonNotice::EmailSet => format!("{name} signs in with {email} from now on."),
        PersonNotice::EmailUnchanged => format!("{email} is already their e-mail."),
        PersonNotice::EmailVouched if is_verified => format!("{email} is verified."),
        PersonNotice::AlreadyVerified if is_verified => {
            format!("{email} is already verified; nothing was changed.")
        }
        _ => return None,
    };
    Some(words)
}

fn describe_role(user: &User, is_reader: bool, before: Role) -> String {
    let name = user.display_name();
    let role = |role: Role| match role {
        Role::Admin => "an administrator",
        Role::Auditor => "an auditor",
        Role::Person => "without a role in the administration",
    };
    let now = match (user.role(), is_reader) {
        (Role::Admin, false) => format!("{name} is an administrator now"),
        (Role::Auditor, false) => format!("{name} is an auditor now"),
        (Role::Person, false) => format!("{name} has no role in the administration now"),
        (Role::Admin, true) => "You are an administrator now".into(),
        (Role::Auditor, true) => {
            "You are an auditor now: you can see everything but change nothing".into()
        }
        (Role::Person, true) => "You no longer have a role in the administration".into(),
    };
    // Somebody else may have set it back meanwhile.
    if user.role() == before {
        return format!("{now}.");
    }
    match is_reader {
        true => format!("{now}. You were {} before.", role(before)),
        false => format!("{now}. They were {} before.", role(before)),
    }
}

fn ended_sessions(ended: u32) -> String {
    match ended {
        0 => "No session was live.".into(),
        1 => "1 session ended.".into(),
        ended => format!("{ended} sessions ended."),
    }
}
