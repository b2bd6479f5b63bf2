//! What a row of the tables is: a route, who may call it, and a request that is good.

use super::policy::Policy;

/// A method of a path with a request that succeeds for whoever may send it.
///
/// Texts in the path's query, in headers and in the body have placeholders for what is made for the
/// request: `{id}`, `{email}`, `{own}`, `{subject}`, `{session}`, `{token}`, `{ticket}`, `{order}`, and `{new}`
/// for a word that is new.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub method: &'static str,
    /// The pattern of the path, as in the route table.
    pub path: &'static str,
    pub policy: Policy,
    /// What the request is about.
    pub target: Target,
    pub query: &'static str,
    pub headers: &'static [(&'static str, &'static str)],
    pub body: Body,
    /// The status of success.
    pub done: &'static [u16],
    /// A text of the success.
    pub says: &'static str,
    pub effect: Effect,
    /// What an unknown id gets.
    pub missing: u16,
}

/// What a request is about, which is made for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The caller, or nothing.
    None,
    /// A live session of the owner, other than the caller's.
    Session,
    /// A live session of the owner on a known device.
    Device,
    /// An open alert of the owner's.
    Alert,
    /// An alert that the owner reported, with a step that is left.
    Reported,
    /// An unread notice of the owner's.
    Notice,
    /// A pending change of the owner's e-mail.
    EmailChange,
    /// A person with a live session.
    Person,
    /// A person whose account is disabled.
    Disabled,
    /// A person who was invited.
    Invited,
    /// A person whose e-mail is not verified.
    Unverified,
    /// An application without keys.
    Application,
    /// An API key of another application than the callers'.
    ApiKey,
    /// A job that the callers' application ordered, and that runs.
    Job,
    /// An event.
    Event,
    /// A person of the callers' application with a session and its refresh token.
    Customer,
    /// An access token that was made for the callers' application.
    AccessToken,
    /// A refresh token of a person.
    RefreshToken,
    /// The link in a message about an alert.
    AlertLink,
    /// The same after the alert was reported, with the ticket of its page.
    Ticket,
    /// A link that sets a password.
    ResetLink,
    /// A link that verifies an e-mail.
    EmailLink,
    /// A static file.
    Asset,
}

/// The body of a request.
#[derive(Debug, Clone, Copy)]
pub enum Body {
    None,
    Json(&'static str),
    Form(&'static [(&'static str, &'static str)]),
}

/// What a success does to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It reads.
    None,
    /// It may change something, and does.
    Changes,
    /// It may change something, but does not, or only what is left out of the comparison.
    Unseen,
}

const ROW: Row = Row {
    method: "GET",
    path: "",
    policy: Policy::Public,
    target: Target::None,
    query: "",
    headers: &[],
    body: Body::None,
    done: &[200],
    says: "",
    effect: Effect::None,
    missing: 404,
};

pub const fn get(path: &'static str) -> Row {
    Row { path, ..ROW }
}

/// A form of a page.
pub const fn form(path: &'static str, fields: &'static [(&'static str, &'static str)]) -> Row {
    Row {
        method: "POST",
        path,
        body: Body::Form(fields),
        done: &[303],
        effect: Effect::Changes,
        ..ROW
    }
}

/// A request of a program; an empty text is no body.
pub const fn json(method: &'static str, path: &'static str, body: &'static str) -> Row {
    Row {
        method,
        path,
        body: match body.is_empty() {
            true => Body::None,
            false => Body::Json(body),
        },
        effect: Effect::Changes,
        ..ROW
    }
}

impl Row {
    pub const fn for_(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    pub const fn of(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    pub const fn query(mut self, query: &'static str) -> Self {
        self.query = query;
        self
    }

    pub const fn with(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.headers = headers;
        self
    }

    pub const fn done(mut self, done: &'static [u16]) -> Self {
        self.done = done;
        self
    }

    pub const fn says(mut self, says: &'static str) -> Self {
        self.says = says;
        self
    }

    pub const fn unseen(mut self) -> Self {
        self.effect = Effect::Unseen;
        self
    }

    pub const fn missing(mut self, status: u16) -> Self {
        self.missing = status;
        self
    }

    /// Returns whether the request may change something.
    pub fn changes(&self) -> bool {
        self.method != "GET"
    }

    /// Returns whether the path names something.
    pub fn names_something(&self) -> bool {
        self.path.contains("{id}")
    }

    pub fn is_page(&self) -> bool {
        !["/api/", "/oauth/", "/auth/"]
            .iter()
            .any(|prefix| self.path.starts_with(prefix))
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}
