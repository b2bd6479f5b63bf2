//! What an administrator can do to a person, as their page offers it. What can't be done is left
//! out, with a sentence that says why.

use super::act_page::LAST_ADMIN;
use super::back::Back;
use super::person::{devices, sessions};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::people::{Role, User};
use crate::sessions::{Caller, SessionSummary};

/// Why the only administrator can't be removed, in short.
const ONLY_ADMIN: &str = "Not possible: this is the only administrator who can sign in.";

/// Something that can be done, or why it can't.
pub(super) struct ActView {
    /// What it is.
    pub(super) title: &'static str,
    /// What is so now, and what it does.
    pub(super) words: String,
    /// The link or the form, where it can be done.
    pub(super) control: Option<ControlView>,
}

/// A link to a page, or a form with a button.
pub(super) struct ControlView {
    /// The path that it leads to or is posted to.
    pub(super) path: String,
    /// Its label.
    pub(super) label: &'static str,
    /// Whether it ends or deletes something.
    pub(super) is_danger: bool,
    /// Whether it is a form.
    pub(super) is_form: bool,
}

/// What decides what can be done.
pub(super) struct Standing {
    user: User,
    application: Option<String>,
    summary: SessionSummary,
    is_caller: bool,
    is_last_admin: bool,
    sends_mail: bool,
    /// The list that the person was found in.
    back: Back,
    has_delay: bool,
}

impl Standing {
    /// Returns the standing of `user`, with the name of their application and their sessions.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub(super) async fn load(
        app: &AppState,
        caller: &Caller,
        user: &User,
        (application, summary): (Option<String>, SessionSummary),
        back: &Back,
    ) -> Result<Self> {
        Ok(Self {
            user: user.clone(),
            application,
            summary,
            is_caller: user.id == caller.user.id,
            is_last_admin: app.accounts.is_last_admin(user.id).await?,
            sends_mail: app.accounts.sends_mail(),
            back: back.clone(),
            has_delay: app.throttles.has_delay(user.id).await?,
        })
    }
}

/// Returns what can be done, the gentle first.
pub(super) fn acts(standing: &Standing) -> Vec<ActView> {
    let user = &standing.user;
    let mut acts = vec![edit(standing)];
    match &standing.application {
        _ if !user.is_external() => {
            acts.extend(verify(standing));
            acts.extend(lift_delay(standing));
            acts.push(password(standing));
            acts.push(role(standing));
        }
        application => acts.push(signed_in_by(application.as_deref())),
    }
    acts.push(end_sessions(standing));
    acts.push(disable_or_enable(standing));
    acts.push(export(standing));
    acts.push(delete(standing));
    acts
}

impl ControlView {
    fn link(standing: &Standing, path: &str, label: &'static str) -> Self {
        Self {
            path: standing
                .back
                .from(format!("/admin/users/{}/{path}", standing.user.id)),
            label,
            is_danger: false,
            is_form: false,
        }
    }

    fn danger(standing: &Standing, path: &str, label: &'static str) -> Self {
        Self {
            is_danger: true,
            ..Self::link(standing, path, label)
        }
    }
}

fn edit(standing: &Standing) -> ActView {
    let (title, words, label) = match standing.user.is_external() {
        true => ("Name", "The name shown on pages.", "Edit the name…"),
        false => (
            "Name and e-mail",
            "The name shown on pages, and the e-mail they sign in with.",
            "Edit…",
        ),
    };
    ActView {
        title,
        words: words.into(),
        control: Some(ControlView::link(standing, "edit", label)),
    }
}

fn verify(standing: &Standing) -> Option<ActView> {
    standing.user.email_verified_at.is_none().then(|| ActView {
        title: "E-mail not verified",
        words: "If you know that it is theirs, you can mark it as verified.".into(),
        control: Some(ControlView::link(
            standing,
            "verify-email",
            "Mark as verified…",
        )),
    })
}

fn lift_delay(standing: &Standing) -> Option<ActView> {
    standing.has_delay.then(|| ActView {
        title: "Wrong passwords",
        words: "Each further wrong password means a longer wait.".into(),
        control: Some(ControlView::link(standing, "lift-delay", "Lift the delay…")),
    })
}

fn password(standing: &Standing) -> ActView {
    let user = &standing.user;
    if !user.is_active {
        return ActView {
            title: "Password",
            words: "A disabled account can’t get a link for a new password. Enable it first."
                .into(),
            control: None,
        };
    }
    match user.is_invited() {
        true => ActView {
            title: "Invitation",
            words: match standing.sends_mail {
                true => "They have not set a password yet. You can send them another link.",
                false => "They have not set a password yet. You can create another link and pass it on.",
            }
            .into(),
            control: Some(ControlView::link(standing, "invite", "Invite again…")),
        },
        false => ActView {
            title: "Forgotten password",
            words: match user.is_password_void() {
                true => "The account has no valid password. You can create a link that sets a new one once, and pass it on.",
                false => "You can create a link that sets a new one once, and pass it on.",
            }
            .into(),
            control: Some(ControlView::link(standing, "reset-link", "Create a link…")),
        },
    }
}

fn role(standing: &Standing) -> ActView {
    let words = match standing.user.role() {
        _ if standing.is_last_admin => LAST_ADMIN,
        Role::Admin if standing.is_caller => "You are an administrator.",
        Role::Auditor if standing.is_caller => {
            "You are an auditor: you can see everything here but change nothing."
        }
        Role::Admin => "They are an administrator.",
        Role::Auditor => "They are an auditor: they can see everything here but change nothing.",
        Role::Person => "They have no role in the administration.",
    };
    let control = ControlView::link(standing, "role", "Change the role…");
    ActView {
        title: "Role",
        words: words.into(),
        control: (!standing.is_last_admin).then_some(control),
    }
}

/// Says what an application's person has not, and why.
fn signed_in_by(application: Option<&str>) -> ActView {
    let application = application.unwrap_or("An application");
    ActView {
        title: "Password, e-mail and role",
        words: format!(
            "{application} signs them in and provides their e-mail. They have no password here and no e-mail to verify, and can’t be an administrator or an auditor."
        ),
        control: None,
    }
}

fn end_sessions(standing: &Standing) -> ActView {
    let summary = &standing.summary;
    let control = ControlView::danger(standing, "end-sessions", "End all sessions…");
    match summary.sessions {
        0 => ActView {
            title: "Sessions",
            words: "No session is active.".into(),
            control: None,
        },
        _ => ActView {
            title: "Sessions",
            words: format!("{} on {}.", sessions(summary), devices(summary)),
            control: Some(control),
        },
    }
}

fn disable_or_enable(standing: &Standing) -> ActView {
    let is_blocked = standing.is_last_admin;
    match standing.user.is_active {
        true if is_blocked => ActView {
            title: "Disable",
            words: ONLY_ADMIN.into(),
            control: None,
        },
        true => ActView {
            title: "Disable",
            words: "They are signed out everywhere at once, and can’t sign in until somebody enables the account.".into(),
            control: Some(ControlView::danger(standing, "disable", "Disable…")),
        },
        false => ActView {
            title: "Enable",
            words: "They can’t sign in while the account is disabled.".into(),
            control: Some(ControlView::link(standing, "enable", "Enable…")),
        },
    }
}

fn export(standing: &Standing) -> ActView {
    ActView {
        title: "Their data",
        words: "Everything that is stored about them, as a JSON file. They can see that you downloaded it."
            .into(),
        control: Some(ControlView {
            is_form: true,
            ..ControlView::link(standing, "export", "Download")
        }),
    }
}

fn delete(standing: &Standing) -> ActView {
    let words = match standing.is_caller {
        _ if standing.is_last_admin => ONLY_ADMIN,
        true => {
            "Your account is deleted, with everything that belongs to it. This can’t be undone."
        }
        false => {
            "The account is deleted, with everything that belongs to it. This can’t be undone."
        }
    };
    let control = ControlView::danger(standing, "delete", "Delete…");
    ActView {
        title: "Delete",
        words: words.into(),
        control: (!standing.is_last_admin).then_some(control),
    }
}
