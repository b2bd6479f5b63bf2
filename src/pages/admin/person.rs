//! How the administrator's pages name a person, and what they say of the state of an account.

use super::quantity;
use crate::db::ApplicationId;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::people::{Role, User};
use crate::sessions::{Caller, SessionSummary};

/// A person, as the head of a page names them.
pub(super) struct PersonHead {
    /// Their id.
    pub(super) id: String,
    /// The name to call them by.
    pub(super) name: String,
    /// Their e-mail, or the application that signs them in and its subject.
    pub(super) detail: String,
    /// Whether it is the reader.
    pub(super) is_caller: bool,
}

/// A badge, with its class in the stylesheet.
pub(super) struct Badge {
    /// The class; empty for the common one.
    pub(super) class: &'static str,
    /// Its words.
    pub(super) words: &'static str,
}

impl Badge {
    /// Returns a badge.
    pub(super) fn new(class: &'static str, words: &'static str) -> Self {
        Self { class, words }
    }
}

impl PersonHead {
    /// Returns the head for `user`, whom the application of that name signs in, if one does.
    pub(super) fn new(user: &User, application: Option<&str>, caller: &Caller) -> Self {
        let detail = sign_in_name(user, application);
        let stated = user.full_name.as_ref().or(user.stated_email.as_ref());
        Self {
            id: user.id.to_string(),
            name: stated.unwrap_or(&detail).clone(),
            detail,
            is_caller: user.id == caller.user.id,
        }
    }

    /// Returns the head for `user`, and finds the name of their application.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub(super) async fn load(app: &AppState, user: &User, caller: &Caller) -> Result<Self> {
        let application = find_application_name(app, user.application_id).await?;
        Ok(Self::new(user, application.as_deref(), caller))
    }
}

/// Returns what a person signs in by: their e-mail or, for one of an application, its name and the
/// subject.
pub(super) fn sign_in_name(user: &User, application: Option<&str>) -> String {
    user.known_in(application)
        .unwrap_or_else(|| user.email.clone())
}

/// Finds the name of an application.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(super) async fn find_application_name(
    app: &AppState,
    id: Option<ApplicationId>,
) -> Result<Option<String>> {
    let Some(id) = id else {
        return Ok(None);
    };
    match app.applications.get(&id.to_string()).await {
        Ok(application) => Ok(Some(application.name)),
        Err(Error::NotFound) => Ok(None),
        Err(err) => Err(err),
    }
}

/// Returns the badge of a role.
pub(super) fn role_badge(role: Role) -> Badge {
    match role {
        Role::Admin => Badge::new("", "Administrator"),
        Role::Auditor => Badge::new("", "Auditor"),
        Role::Person => Badge::new("badge-quiet", "Person"),
    }
}

/// Returns the badges of an account's state.
pub(super) fn state_badges(user: &User) -> Vec<Badge> {
    let mut badges = vec![match user.is_active {
        true => Badge::new("badge-quiet", "Active"),
        false => Badge::new("badge-danger", "Disabled"),
    }];
    if user.is_invited() {
        badges.push(Badge::new("badge-warn", "Invited"));
    } else if user.is_password_void() {
        badges.push(Badge::new("badge-warn", "No password"));
    }
    if !user.is_external() && user.email_verified_at.is_none() {
        badges.push(Badge::new("badge-warn", "E-mail not verified"));
    }
    badges
}

/// Returns a number of sessions in words: "3 sessions", "at least 1,000 sessions".
pub(super) fn sessions(summary: &SessionSummary) -> String {
    counted(summary.sessions, "session", summary.has_more)
}

/// Returns a number of devices in words: "2 devices".
pub(super) fn devices(summary: &SessionSummary) -> String {
    counted(summary.devices, "device", summary.has_more)
}

fn counted(n: usize, unit: &str, has_more: bool) -> String {
    let words = quantity::counted(n as u64, unit);
    match has_more {
        true => format!("at least {words}"),
        false => words,
    }
}
