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
        PersonNotice::Gone => Some("There is no such account any more. It was deleted before."),
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
            format!("{name} is disabled already. This form changed nothing.")
        }
        PersonNotice::Enabled if user.is_active => format!("{name} is enabled again."),
        PersonNotice::AlreadyEnabled if user.is_active => {
            format!("{name} is enabled already. This form changed nothing.")
        }
        PersonNotice::RoleSet(before) => describe_role(user, is_reader, before),
        PersonNotice::RoleUnchanged => {
            format!("{name} has that role already. This form changed nothing.")
        }
        PersonNotice::SessionsEnded(0) => {
            format!("No session of {name} that the page was for was live any more.")
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
        PersonNotice::Created => format!("The account of {name} is made."),
        PersonNotice::CreatedBefore => {
            format!("The account of {name} was made a moment ago; this form changed nothing.")
        }
        PersonNotice::Invited => {
            format!(
                "The account of {name} is made. A link to set a password is on its way to {email}."
            )
        }
        PersonNotice::InvitedBefore => {
            format!(
                "The account of {name} was made a moment ago. If you have no link for them, invite them again."
            )
        }
        PersonNotice::InvitedAgain => {
            format!("Another link to set a password is on its way to {email}.")
        }
        PersonNotice::LinkMadeBefore => {
            format!(
                "A link for a new password of {name} was made before; this form made none. If you do not have it, make another."
            )
        }
        PersonNotice::DelayLifted => format!("{name} can try again at once."),
        PersonNotice::NoDelay => format!("{name} had no wrong passwords."),
        PersonNotice::Renamed => "The name is saved.".into(),
        PersonNotice::EmailSet => format!("{name} signs in with {email} from now on."),
        PersonNotice::EmailUnchanged => format!("{email} is their e-mail already."),
        PersonNotice::EmailVouched if is_verified => format!("{email} is verified."),
        PersonNotice::AlreadyVerified if is_verified => {
            format!("{email} is verified already. This form changed nothing.")
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
            "You are an auditor now: you see everything, and change nothing".into()
        }
        (Role::Person, true) => "You have no role in the administration any more".into(),
    };
    // Somebody else may have set it back meanwhile.
    if user.role() == before {
        return format!("{now}.");
    }
    match is_reader {
        true => format!("{now}. Before, you were {}.", role(before)),
        false => format!("{now}. Before, they were {}.", role(before)),
    }
}

fn ended_sessions(ended: u32) -> String {
    match ended {
        0 => "No session was live.".into(),
        1 => "1 session ended.".into(),
        ended => format!("{ended} sessions ended."),
    }
}
