//! What a request that needs step-up is about to do, in words: "Sign out Living room". What it is done
//! to is named by its row, which the caller may read, and never by the request; but for an e-mail that
//! is to be theirs, which no row has yet.

use std::collections::HashSet;

use super::app_state::AppState;
use crate::alerts::{Alert, AlertKind};
use crate::db::{ApplicationId, SessionId};
use crate::devices::group_by_device;
use crate::error::{Error, Result};
use crate::people::{Email, Role};
use crate::sessions::Caller;

/// The prefix of what doesn't exist for others than administrators.
const ADMIN: &str = "/admin/";

/// Selected devices that are counted: as many as can be selected.
const MAX_SELECTED: usize = 100;

/// The path that selected devices are signed out at.
const SELECTED: &str = "/devices/sign-out-selected";

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
    /// An address that is to be the caller's.
    Email(&'a str),
}

const EMAIL: &str = "Change your e-mail";

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
    if path == SELECTED {
        let found = find_selected(app, caller, fields).await?;
        return Ok(Some(found.unwrap_or_else(|| unnamed(&words))));
    }
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
fn find_words<'a>(path: &'a str, fields: &'a [(String, String)]) -> Option<Words<'a>> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match segments.as_slice() {
        ["devices", rest @ ..] => find_words_for_device(rest, fields),
        ["alerts", id, "no"] => Some(with_name("", Subject::Alert(id), "", "Answer the alert")),
        ["alerts", _, _] => Some(plain("Answer the alert")),
        ["alerts", _, "steps", ..] => Some(plain("Skip this step")),
        ["alerts", ..] => Some(plain("Answer the alert")),
        ["unsent-form"] => Some(plain("Discard what you typed")),
        ["account", rest @ ..] => find_words_for_account(rest, fields),
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
    let signs_out = fields
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
        [id, "when-unused"] if signs_out => with_name(
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

fn find_words_for_account<'a>(
    segments: &[&'a str],
    fields: &'a [(String, String)],
) -> Option<Words<'a>> {
    let email = fields.iter().find(|(name, _)| name == "email");
    Some(plain(match segments {
        ["name"] => "Change your name",
        ["email"] => {
            return Some(match email {
                Some((_, email)) => {
                    with_name("Change your e-mail to ", Subject::Email(email), "", EMAIL)
                }
                None => plain(EMAIL),
            });
        }
        ["email", "cancel"] => "Cancel the change of your e-mail",
        ["email", "link"] => "Send the link again",
        ["password"] => "Change your password",
        ["idle-limit"] => "Change when unused devices sign out",
        ["alerts"] => "Change which alerts you get by e-mail",
        ["addresses"] => describe_addresses(fields),
        ["time-zone"] => "Change your time zone",
        ["export"] => "Download your data",
        ["delete"] => "Delete your account",
        _ => return None,
    }))
}

fn describe_addresses(fields: &[(String, String)]) -> &'static str {
    match fields.iter().find(|(name, _)| name == "addresses") {
        Some((_, chosen)) if chosen == "none" => "Delete your stored IP addresses",
        Some((_, chosen)) if chosen == "shortened" => "Shorten your stored IP addresses",
        _ => "Change how addresses are stored",
    }
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

/// Returns what it is to sign the selected devices out: the live ones besides the caller's own.
async fn find_selected(
    app: &AppState,
    caller: &Caller,
    fields: &[(String, String)],
) -> Result<Option<Act>> {
    let ids = fields.iter().filter(|(name, _)| name == "device");
    let ids: HashSet<SessionId> = ids.filter_map(|(_, id)| id.parse().ok()).collect();
    let ids = ids.into_iter().take(MAX_SELECTED).collect();
    let selected = app.sessions.list_by_ids(caller.user.id, ids).await?;
    let mut live = app.sessions.list_live(caller.user.id).await?;
    live.retain(|live| {
        let is_selected = selected.iter().any(|it| live.is_on_device_of(it));
        is_selected && !live.is_on_device_of(&caller.session)
    });
    let name = match group_by_device(live).as_slice() {
        [] => return Ok(None),
        [device] => device.first().display_name(),
        devices => format!("{} devices", devices.len()),
    };
    Ok(Some(Act {
        before: "Sign out ",
        name: Some(name),
        after: "",
    }))
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
        kind if kind.is_use() => ("Sign out ", ", which was not you"),
        _ => ("Report what happened on ", ""),
    };
    Act {
        before,
        name: Some(alert.device_name),
        after,
    }
}
