//! What a request that needs step-up is about to do, in words: "Sign out Living room". What it is done
//! to is named by its row, which the caller may read, and never by the request.

use super::app_state::AppState;
use crate::alerts::{Alert, AlertKind};
use crate::db::ApplicationId;
use crate::error::{Error, Result};
use crate::people::Role;
use crate::sessions::Caller;

/// The prefix of what doesn't exist for others than administrators.
const ADMIN: &str = "/admin/";

/// What is about to be done, as a command: the words, with a name between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The words, up to the name if there is one.
    pub before: &'static str,
    /// The name of what it is done to.
    pub name: Option<String>,
    /// The words after the name.
    pub after: &'static str,
}

/// What an act is done to; the text is an id from the path.
#[derive(Debug, Clone, Copy)]
enum Subject<'a> {
    Unnamed,
    Device(&'a str),
    Alert(&'a str),
    Person(&'a str),
    Application(&'a str),
    ApiKey(&'a str),
}

/// An act before the name of its subject is known; `unnamed` are the words for a subject that isn't
/// found.
struct Words<'a> {
    before: &'static str,
    subject: Subject<'a>,
    after: &'static str,
    unnamed: &'static str,
}

const fn plain(words: &'static str) -> Words<'static> {
    Words {
        before: words,
        subject: Subject::Unnamed,
        after: "",
        unnamed: words,
    }
}

const fn with_name<'a>(
    before: &'static str,
    subject: Subject<'a>,
    after: &'static str,
    unnamed: &'static str,
) -> Words<'a> {
    Words {
        before,
        subject,
        after,
        unnamed,
    }
}

/// Returns what a request to `target` does, with its fields; `None` for one that only shows a page.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(super) async fn describe(
    app: &AppState,
    caller: &Caller,
    target: &str,
    fields: &[(String, String)],
) -> Result<Option<Act>> {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let is_hidden = path.starts_with(ADMIN) && caller.user.role() < Role::Admin;
    let Some(words) = find_words(path, fields).filter(|_| !is_hidden) else {
        return Ok(None);
    };
    if let Subject::Alert(id) = words.subject {
        return find_alert(app, caller, id).await.map(|alert| {
            Some(match alert {
                Some(alert) => report_of(alert),
                None => unnamed(&words),
            })
        });
    }
    Ok(Some(match find_name(app, caller, words.subject).await? {
        Some(name) => Act {
            before: words.before,
            name: Some(name),
            after: words.after,
        },
        None => unnamed(&words),
    }))
}

/// Returns whether a request to `target` ends sessions, or deletes or disables something.
pub(super) fn is_destructive(target: &str) -> bool {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    matches!(
        last,
        "delete" | "disable" | "end" | "end-sessions" | "no" | "revoke" | "stop"
    ) || last.starts_with("sign-out")
}

fn unnamed(words: &Words<'_>) -> Act {
    Act {
        before: words.unnamed,
        name: None,
        after: "",
    }
}

/// Finds the words for a request to `path`.
fn find_words<'a>(path: &'a str, fields: &[(String, String)]) -> Option<Words<'a>> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match segments.as_slice() {
        ["devices", rest @ ..] => find_words_for_device(rest, fields),
        ["alerts", id, "no"] => Some(with_name("", Subject::Alert(id), "", "Answer the alert")),
        ["alerts", _, _] => Some(plain("Answer the alert")),
        ["alerts", _, "steps", ..] => Some(plain("Skip this step")),
        ["alerts", ..] => Some(plain("Answer the alert")),
        ["account", rest @ ..] => find_words_for_account(rest),
        ["admin", "users", rest @ ..] => find_words_for_person(rest),
        ["admin", rest @ ..] => find_words_for_administration(rest),
        _ => None,
    }
}

fn find_words_for_device<'a>(
    segments: &[&'a str],
    fields: &[(String, String)],
) -> Option<Words<'a>> {
    let is_for_one = fields.iter().any(|(name, _)| name == "only");
    let stays = fields
        .iter()
        .any(|(name, value)| name == "when_unused" && value == "signs-out");
    Some(match segments {
        ["sign-out-others"] => plain("Sign out your other devices"),
        ["sign-out-selected"] => plain("Sign out the selected devices"),
        ["sign-out-everywhere"] => plain("Sign out everywhere, here as well"),
        [id, "sign-out"] if is_for_one => with_name(
            "End one session on ",
            Subject::Device(id),
            "",
            "End a session",
        ),
        [id, "sign-out"] => with_name("Sign out ", Subject::Device(id), "", "Sign out a device"),
        [id, "rename"] => with_name(
            "Change the name of ",
            Subject::Device(id),
            "",
            "Change the name of a device",
        ),
        [id, "when-unused"] if stays => with_name(
            "Let ",
            Subject::Device(id),
            " sign out when it is not used",
            "Let a device sign out when it is not used",
        ),
        [id, "when-unused"] => with_name(
            "Keep ",
            Subject::Device(id),
            " signed in even if it is not used",
            "Keep a device signed in",
        ),
        _ => return None,
    })
}

fn find_words_for_account(segments: &[&str]) -> Option<Words<'static>> {
    Some(plain(match segments {
        ["name"] => "Change your name",
        ["email"] => "Change your e-mail",
        ["email", "cancel"] => "Cancel the change of your e-mail",
        ["email", "link"] => "Send the link again",
        ["password"] => "Change your password",
        ["idle-limit"] => "Change when unused devices sign out",
        ["alerts"] => "Change which alerts you get by e-mail",
        ["addresses"] => "Change how addresses are stored",
        ["time-zone"] => "Change your time zone",
        ["export"] => "Download your data",
        ["delete"] => "Delete your account",
        _ => return None,
    }))
}

fn find_words_for_person<'a>(segments: &[&'a str]) -> Option<Words<'a>> {
    let (before, id, after, unnamed) = match segments {
        ["new"] => return Some(plain("Add a person")),
        ["invite"] => return Some(plain("Invite a person")),
        [id, "edit"] => ("Change the name or e-mail of ", id, "", "Edit a person"),
        [id, "name"] => ("Change the name of ", id, "", "Change a name"),
        [id, "email"] => ("Change the e-mail of ", id, "", "Change an e-mail"),
        [id, "lift-delay"] => ("Lift the delay for ", id, "", "Lift a delay"),
        [id, "verify-email"] => (
            "Mark the e-mail of ",
            id,
            " as verified",
            "Mark an e-mail as verified",
        ),
        [id, "role"] => ("Change the role of ", id, "", "Change a role"),
        [id, "reset-link"] => (
            "Create a link for a new password for ",
            id,
            "",
            "Create a link for a new password",
        ),
        [id, "invite"] => ("Invite ", id, " again", "Invite a person again"),
        [id, "end-sessions"] => (
            "End all sessions of ",
            id,
            "",
            "End all sessions of a person",
        ),
        [id, "disable"] => ("Disable ", id, "", "Disable an account"),
        [id, "enable"] => ("Enable ", id, "", "Enable an account"),
        [id, "export"] => ("Export what is stored about ", id, "", "Export an account"),
        [id, "delete"] => ("Delete ", id, "", "Delete an account"),
        _ => return None,
    };
    Some(with_name(before, Subject::Person(id), after, unnamed))
}

fn find_words_for_administration<'a>(segments: &[&'a str]) -> Option<Words<'a>> {
    Some(match segments {
        ["sessions", "end"] => plain("End the chosen sessions"),
        ["jobs", _, "stop"] => plain("Stop the job that ends sessions"),
        ["applications"] => plain("Add an application"),
        ["applications", id] => with_name(
            "Change the application ",
            Subject::Application(id),
            "",
            "Change an application",
        ),
        ["applications", id, "delete"] => with_name(
            "Delete the application ",
            Subject::Application(id),
            "",
            "Delete an application",
        ),
        ["api-keys"] => plain("Create an API key"),
        ["api-keys", id, "revoke"] => with_name(
            "Revoke the API key ",
            Subject::ApiKey(id),
            "",
            "Revoke an API key",
        ),
        _ => return None,
    })
}

/// Finds the name of a subject, as far as the caller may read its row.
async fn find_name(
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
    if caller.user.role() < Role::Admin {
        return Ok(None);
    }
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
        Subject::Unnamed | Subject::Device(_) | Subject::Alert(_) => return Ok(None),
    };
    match name {
        Ok(name) => Ok(Some(name)),
        Err(Error::NotFound) => Ok(None),
        Err(err) => Err(err),
    }
}

/// Finds one of the alerts that the caller may answer.
async fn find_alert(app: &AppState, caller: &Caller, id: &str) -> Result<Option<Alert>> {
    let attention = app.accounts.list_attention(caller).await?;
    let mut alerts = attention.alerts.into_iter();
    Ok(alerts.find(|alert| alert.id.to_string() == id))
}

/// Returns what it is to report an alert.
fn report_of(alert: Alert) -> Act {
    let (before, after) = match alert.kind {
        AlertKind::EmailChanged => ("Undo the change of your e-mail on ", ""),
        AlertKind::PasswordChanged => ("Report the new password set on ", ""),
        AlertKind::NewDevice | AlertKind::NewCountry => ("Sign out ", ", which was not you"),
        _ => ("Report what happened on ", ""),
    };
    Act {
        before,
        name: Some(alert.device_name),
        after,
    }
}
