//! The page before something is done to a person: it names them and says what will happen.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use super::back::{Back, List};
use super::person::PersonHead;
use crate::error::{Error, Result};
use crate::http::failed_page::failed_page;
use crate::http::layout::{Layout, NavItem, page};
use crate::people::Role;
use crate::sessions::Caller;
use crate::sessions::bulk::OrderTicket;

/// The page.
#[derive(Template)]
#[template(path = "pages/admin/act.html")]
pub(super) struct ActPage {
    layout: Layout,
    request: HttpRequest,
    head: PersonHead,
    /// The heading before and after the name.
    title: (&'static str, &'static str),
    /// What will happen, a sentence each.
    words: Vec<String>,
    /// What to consider, above all.
    warning: Option<String>,
    /// Why it can't be done; there is no form then.
    refusal: Option<String>,
    /// Whether the refusal is the response to a form.
    is_refused: bool,
    /// The address of the person's page.
    person: String,
    action: String,
    choices: Vec<RoleChoice>,
    choice_error: Option<String>,
    reason: Option<ReasonField>,
    /// The ticket of the page, where it is for sessions; the last link, where it makes one.
    order: Option<String>,
    typed: Option<TypedField>,
    button: &'static str,
    is_danger: bool,
}

/// What a page is for.
pub(super) struct Act {
    /// The heading before and after the name of the person.
    pub(super) title: (&'static str, &'static str),
    /// The last segment of its path.
    pub(super) path: &'static str,
    /// What will happen, a sentence each.
    pub(super) words: Vec<String>,
    /// The label of the button.
    pub(super) button: &'static str,
    /// Whether it ends or deletes something.
    pub(super) is_danger: bool,
}

/// A role to choose.
pub(super) struct RoleChoice {
    /// The text form of the role.
    pub(super) value: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// What it may do.
    pub(super) words: &'static str,
    /// Whether it is chosen.
    pub(super) is_chosen: bool,
    /// Whether the person has it.
    pub(super) is_current: bool,
}

/// The field of the reason.
#[derive(Default)]
struct ReasonField {
    value: String,
    /// Who will see it.
    hint: &'static str,
    error: Option<String>,
}

/// The field in which the name of the account is typed.
struct TypedField {
    label: String,
    expected: String,
    value: String,
    error: Option<String>,
}

impl ActPage {
    /// Returns the page of `act` for the person of `head`.
    ///
    /// # Errors
    /// [`Error::Internal`] when the CSRF token can't be created.
    pub(super) fn new(
        request: &HttpRequest,
        caller: &Caller,
        head: PersonHead,
        act: Act,
    ) -> Result<Self> {
        let back = Back::of(request, List::People);
        let person = format!("/admin/users/{}", head.id);
        Ok(Self {
            layout: Layout::for_caller(request, caller, NavItem::Administration)?,
            request: request.clone(),
            action: back.from(format!("{person}/{}", act.path)),
            person: back.from(&person),
            head,
            title: act.title,
            words: act.words,
            warning: None,
            refusal: None,
            is_refused: false,
            choices: Vec::new(),
            choice_error: None,
            reason: None,
            order: None,
            typed: None,
            button: act.button,
            is_danger: act.is_danger,
        })
    }

    /// Returns the page with what to consider above all, if there is something.
    pub(super) fn with_warning(self, warning: Option<String>) -> Self {
        Self { warning, ..self }
    }

    /// Returns the page with a field for the reason, which has `value`.
    pub(super) fn with_reason(self, value: &str) -> Self {
        const HINT: &str =
            "They can see it in their activity, and so can everybody who may read the events.";

        self.with_reason_for(value, HINT)
    }

    /// Returns the page with a field for the reason why sessions end, which has `value`.
    pub(super) fn with_reason_of_ending(self, value: &str) -> Self {
        const HINT: &str = "They can see it under “Recently ended” in their list of devices, and so can everybody who may read the events.";

        self.with_reason_for(value, HINT)
    }

    /// Returns the page with a field for the reason of a deletion, which has `value`.
    pub(super) fn with_reason_of_deletion(self, value: &str) -> Self {
        self.with_reason_for(value, "Everybody who may read the events can see it.")
    }

    fn with_reason_for(self, value: &str, hint: &'static str) -> Self {
        Self {
            reason: Some(ReasonField {
                value: value.to_owned(),
                hint,
                error: None,
            }),
            ..self
        }
    }

    /// Returns the page with a ticket, by which it is for the sessions that are signed in by now.
    pub(super) fn with_order(self, ticket: OrderTicket) -> Self {
        Self {
            order: Some(ticket.to_string()),
            ..self
        }
    }

    /// Returns the page with the last link that was made before it, by which it makes one only.
    pub(super) fn with_last_link(self, last: String) -> Self {
        Self {
            order: Some(last),
            ..self
        }
    }

    /// Returns the page with the roles to choose from.
    pub(super) fn with_choices(self, choices: Vec<RoleChoice>) -> Self {
        Self { choices, ..self }
    }

    /// Returns the page with a field in which `expected` has to be typed, and which has `value`.
    pub(super) fn with_typed(self, label: String, expected: &str, value: &str) -> Self {
        Self {
            typed: Some(TypedField {
                label,
                expected: expected.to_owned(),
                value: value.to_owned(),
                error: None,
            }),
            ..self
        }
    }

    /// Returns the page with the reason why nothing can be done, instead of the form.
    pub(super) fn with_refusal(self, refusal: Option<String>) -> Self {
        Self { refusal, ..self }
    }

    /// Returns a response with the page, which shows its form again if that failed.
    ///
    /// # Errors
    /// [`Error::Internal`] when it can't be rendered.
    pub(super) fn respond(mut self) -> Result<HttpResponse> {
        self.show_failed();
        page(StatusCode::OK, &self)
    }

    fn show_failed(&mut self) {
        let Some(failed) = self.layout.failed.clone() else {
            return;
        };
        let value = |name| failed.value(name).unwrap_or_default().to_owned();
        if let Some(reason) = &mut self.reason {
            reason.value = value("reason");
            reason.error = self.layout.problem_of("reason");
        }
        if let Some(typed) = &mut self.typed {
            typed.value = value("typed");
            typed.error = self.layout.problem_of("typed");
        }
        let role = value("role");
        for choice in &mut self.choices {
            choice.is_chosen = choice.value == role;
        }
        self.choice_error = self.layout.problem_of("role");
        if let Some(words) = self.layout.refused_words() {
            self.refusal = Some(words);
            self.is_refused = true;
        }
    }

    /// Returns a response with the page, which says why the form was refused.
    ///
    /// # Errors
    /// [`Error::Internal`] when it can't be rendered.
    pub(super) fn respond_refused(mut self, refusal: impl Into<String>) -> Result<HttpResponse> {
        self.refusal = Some(refusal.into());
        self.is_refused = true;
        self.layout.is_failed = true;
        let words = self.refusal.as_deref();
        let page = (&self, &self.layout);
        failed_page(&self.request, StatusCode::CONFLICT, page, words)
    }

    /// Returns a response with the page and the error of its form.
    ///
    /// # Errors
    /// `err` itself when it is about none of the fields, and no refusal.
    pub(super) fn respond_with_error(mut self, err: Error) -> Result<HttpResponse> {
        if matches!(err, Error::LastAdmin) {
            return self.respond_refused(LAST_ADMIN);
        }
        for field in err.field_errors() {
            let message = Some(field.message.clone());
            let shown = match field.field.as_str() {
                "reason" => ("reason", "Reason"),
                "typed" => ("typed", "What to type"),
                _ => ("role", "Role"),
            };
            match (field.field.as_str(), &mut self.reason, &mut self.typed) {
                ("reason", Some(reason), _) => reason.error = message,
                ("typed", _, Some(typed)) => typed.error = message,
                ("role", ..) if !self.choices.is_empty() => self.choice_error = message,
                _ => continue,
            }
            self.layout.add_problem(shown, Some(&field.message));
        }
        match self.layout.has_failed() {
            true => {
                let page = (&self, &self.layout);
                failed_page(&self.request, err.status_code(), page, None)
            }
            false => Err(err),
        }
    }
}

/// Why an administrator can't be removed.
pub(super) const LAST_ADMIN: &str =
    "This is the only administrator who can sign in. Make somebody else an administrator first.";

/// Returns the roles to choose from.
pub(super) fn role_choices(chosen: &str, current: Option<Role>) -> Vec<RoleChoice> {
    const ROLES: [(Role, &str, &str); 3] = [
        (
            Role::Person,
            "Person",
            "Can see their own devices, nothing of the administration.",
        ),
        (
            Role::Auditor,
            "Auditor",
            "Can see everybody’s sessions, people and events, but change nothing; no addresses of people who chose to store none.",
        ),
        (
            Role::Admin,
            "Administrator",
            "Can see all that, end anybody’s sessions, and add, disable and delete people, including other administrators.",
        ),
    ];

    let choice = |(role, name, words): (Role, &'static str, &'static str)| RoleChoice {
        value: role.into(),
        name,
        words,
        is_chosen: <&str>::from(role) == chosen,
        is_current: Some(role) == current,
    };
    ROLES.into_iter().map(choice).collect()
}
