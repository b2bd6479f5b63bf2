//! What a request that needs step-up is about to do, in words: "Sign out Living room". What it is done
//! to is named by its row, which the caller may read, and never by the request; but for what no row has
//! yet: an e-mail that is to be theirs, and what is to be created.

use super::app_state::AppState;
use super::step_up_subject::{find_alert, find_ending, find_name, is_confirmed};
use super::step_up_words::{Subject, Words, find_words};
use crate::alerts::{Alert, AlertKind};
use crate::error::Result;
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

/// Returns what a request to `target` does, with its fields; `None` for one that only shows a page.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
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
    if let Some(ending) = find_ending(app, caller, path, fields).await? {
        return Ok(Some(Act {
            before: ending.verb,
            name: Some(ending.object),
            after: "",
        }));
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

/// Returns whether a request to `target` with these fields ends sessions, or deletes or disables something.
pub(super) fn is_destructive(target: &str, fields: &[(String, String)]) -> bool {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    matches!(
        last,
        "delete" | "disable" | "end" | "end-sessions" | "no" | "revoke" | "stop"
    ) || last.starts_with("sign-out")
        || is_confirmed(fields)
}

fn unnamed(words: &Words<'_>) -> Act {
    Act {
        before: words.unnamed,
        name: None,
        after: "",
    }
}

/// Returns what it is to report an alert.
fn report_of(alert: Alert) -> Act {
    let (before, after) = match alert.kind {
        AlertKind::EmailChanged if alert.is_by_mailbox() => {
            return Act {
                before: "Undo the change of your e-mail",
                name: None,
                after: "",
            };
        }
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
