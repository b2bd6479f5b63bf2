//! Who may do what: for each kind of route and each caller, what the response must be.

use rollcall::applications::Scope;
use rollcall::server::routes::Access;

use super::callers::{By, Caller, Key, Who};
use super::rows::Row;

/// Who may call a route, and what everybody else gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Everybody.
    Public,
    /// Everybody, with the CSRF token of the browser's page.
    PublicForm,
    /// Whoever has the token in the path; a form with the CSRF token of the browser's page.
    Link,
    /// `/auth/verify`: everybody signed in, by an access token or the cookie of forward-auth.
    Verify,
    /// `/auth/verify/admin`: administrators, by the same.
    VerifyAdmin,
    /// A person in a program, for what is their own.
    OwnApi(StepUp),
    /// A person in a browser, for what is their own.
    OwnPage(StepUp),
    /// An application with the scope `tokens`, for tokens that were made for it.
    AppTokens,
    /// An application with the scope `sessions`, for its own people.
    AppSessions(Foreign),
    /// Administrators, auditors and `admin:read`, who read.
    AuditApi,
    /// Administrators after step-up, and `admin:write`.
    AdminApi(Foreign),
    /// Administrators after step-up, and no application.
    AdminPersonApi,
    /// Administrators and auditors in a browser, who read.
    AuditPage,
    /// Administrators in a browser, after step-up.
    AdminPage,
}

/// Whether a password given recently is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepUp {
    Needed,
    Needless,
}

/// What another application with the right scope gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// It does the same, with what is its own or nobody's.
    Done,
    /// What the path or the subject names does not exist for it.
    Missing,
    /// The token in the body is none.
    InvalidToken,
}

/// What a response must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// The redirect to sign-in.
    SignIn,
    /// 401, to a program.
    Unauthorized,
    /// 401 `invalid_client`.
    InvalidClient,
    /// As for something that does not exist.
    Missing,
    /// 403: the CSRF token is not that of the session.
    CsrfMismatch,
    /// 403: the page with the form is shown again.
    ShownAgain,
    /// 403: the key lacks a scope.
    InsufficientScope,
    /// 403: not an administrator, at `/auth/verify/admin`.
    NotInGroup,
    /// The password is requested.
    StepUp,
    /// A success that tells and changes nothing.
    Inert,
}

impl Policy {
    /// Returns what the route table must say of a route with this policy.
    pub fn access(self) -> Access {
        match self {
            Self::Public | Self::PublicForm => Access::Public,
            Self::Link => Access::Token,
            Self::Verify | Self::VerifyAdmin | Self::OwnApi(_) => Access::Api,
            Self::OwnPage(_) => Access::SignedIn,
            Self::AppTokens => Access::Application(Scope::Tokens),
            Self::AppSessions(_) => Access::Application(Scope::Sessions),
            Self::AuditApi => Access::AuditApi,
            Self::AdminApi(_) => Access::AdminApi,
            Self::AdminPersonApi => Access::AdminPersonApi,
            Self::AuditPage => Access::Audit,
            Self::AdminPage => Access::Admin,
        }
    }

    /// Returns whether the route is about what is the caller's own.
    pub fn is_own(self) -> bool {
        matches!(self, Self::OwnApi(_) | Self::OwnPage(_))
    }

    /// Returns whether the route is for administrators, or for auditors as well.
    pub fn is_admin(self) -> bool {
        matches!(
            self,
            Self::AuditApi
                | Self::AdminApi(_)
                | Self::AdminPersonApi
                | Self::AuditPage
                | Self::AdminPage
                | Self::VerifyAdmin
        )
    }
}

/// Returns what the response to `caller` must be.
pub fn outcome(row: &Row, caller: Caller) -> Outcome {
    match row.policy {
        Policy::Public => Outcome::Done,
        Policy::PublicForm | Policy::Link => match caller.lacks_csrf() && row.changes() {
            true => Outcome::ShownAgain,
            false => Outcome::Done,
        },
        Policy::Verify => verify(caller),
        Policy::VerifyAdmin => match (verify(caller), caller) {
            (Outcome::Done, Caller::Person(Who::Owner | Who::Other | Who::Auditor, ..)) => {
                Outcome::NotInGroup
            }
            (outcome, _) => outcome,
        },
        Policy::OwnApi(step_up) => own_api(row, step_up, caller),
        Policy::OwnPage(step_up) => own_page(row, step_up, caller),
        Policy::AppTokens => match caller {
            Caller::Key(Key::Foreign) => Outcome::Inert,
            _ => application(
                caller,
                &[Key::Tokens, Key::AllButSessions, Key::AllButAdmin],
            ),
        },
        Policy::AppSessions(foreign) => match caller {
            Caller::Key(Key::Foreign) => of_foreign(foreign),
            _ => application(
                caller,
                &[Key::Sessions, Key::AllButTokens, Key::AllButAdmin],
            ),
        },
        Policy::AuditApi => match caller {
            Caller::Person(Who::Auditor, _, by) if by != By::ForwardCookie => Outcome::Done,
            Caller::Key(Key::Read) => Outcome::Done,
            _ => admin_api(row, caller, Outcome::Done),
        },
        Policy::AdminApi(foreign) => admin_api(row, caller, of_foreign(foreign)),
        Policy::AdminPersonApi => match caller {
            Caller::Key(key) if !key.is_void() => Outcome::Missing,
            _ => admin_api(row, caller, Outcome::Missing),
        },
        Policy::AuditPage => match caller {
            Caller::Person(Who::Auditor, ..) if caller.has_session_cookie() => Outcome::Done,
            _ => admin_page(row, caller),
        },
        Policy::AdminPage => admin_page(row, caller),
    }
}

fn of_foreign(foreign: Foreign) -> Outcome {
    match foreign {
        Foreign::Done => Outcome::Done,
        Foreign::Missing => Outcome::Missing,
        Foreign::InvalidToken => Outcome::Unauthorized,
    }
}

fn verify(caller: Caller) -> Outcome {
    match caller {
        Caller::Person(_, _, By::Token | By::ForwardCookie) => Outcome::Done,
        // The session cookie is for this service's own pages.
        Caller::Person(_, _, By::Cookie | By::WithoutCsrf | By::ForeignCsrf) => {
            Outcome::Unauthorized
        }
        Caller::Nobody | Caller::Void(..) | Caller::Key(_) => Outcome::Unauthorized,
    }
}

fn own_api(row: &Row, step_up: StepUp, caller: Caller) -> Outcome {
    match caller {
        Caller::Nobody | Caller::Void(..) | Caller::Key(_) => Outcome::Unauthorized,
        Caller::Person(_, _, By::ForwardCookie) => Outcome::Unauthorized,
        Caller::Person(..) if caller.lacks_csrf() && row.changes() => Outcome::CsrfMismatch,
        Caller::Person(who, ..) => own(row, step_up, who, caller),
    }
}

fn own_page(row: &Row, step_up: StepUp, caller: Caller) -> Outcome {
    match caller {
        Caller::Nobody | Caller::Void(..) | Caller::Key(_) => Outcome::SignIn,
        Caller::Person(_, _, By::ForwardCookie | By::Token) => Outcome::SignIn,
        Caller::Person(..) if caller.lacks_csrf() && row.changes() => Outcome::CsrfMismatch,
        Caller::Person(who, ..) => own(row, step_up, who, caller),
    }
}

/// To other people, whatever their role, what a person owns does not exist.
fn own(row: &Row, step_up: StepUp, who: Who, caller: Caller) -> Outcome {
    match who {
        _ if caller.is_stale() && step_up == StepUp::Needed => Outcome::StepUp,
        Who::Owner => Outcome::Done,
        Who::Other | Who::Auditor | Who::Admin if row.names_something() => Outcome::Missing,
        Who::Other | Who::Auditor | Who::Admin => Outcome::Done,
    }
}

fn application(caller: Caller, with_scope: &[Key]) -> Outcome {
    match caller {
        Caller::Nobody | Caller::Void(..) | Caller::Person(..) => Outcome::InvalidClient,
        Caller::Key(key) if key.is_void() => Outcome::InvalidClient,
        Caller::Key(key) if with_scope.contains(&key) => Outcome::Done,
        Caller::Key(_) => Outcome::InsufficientScope,
    }
}

fn admin_api(row: &Row, caller: Caller, foreign: Outcome) -> Outcome {
    match caller {
        Caller::Nobody | Caller::Void(..) => Outcome::Unauthorized,
        Caller::Person(_, _, By::ForwardCookie) => Outcome::Unauthorized,
        // The gate is before the CSRF token.
        Caller::Person(Who::Owner | Who::Other, ..) => Outcome::Missing,
        Caller::Person(..) if caller.lacks_csrf() && row.changes() => Outcome::CsrfMismatch,
        Caller::Person(Who::Auditor, ..) => Outcome::Missing,
        Caller::Person(Who::Admin, ..) if caller.is_stale() && row.changes() => Outcome::StepUp,
        Caller::Person(Who::Admin, ..) => Outcome::Done,
        Caller::Key(key) => match key {
            Key::Forged | Key::Revoked | Key::Expired => Outcome::InvalidClient,
            Key::Tokens | Key::Sessions | Key::AllButAdmin => Outcome::Missing,
            Key::Read => Outcome::InsufficientScope,
            Key::Write | Key::AllButTokens | Key::AllButSessions => Outcome::Done,
            Key::Foreign => foreign,
        },
    }
}

fn admin_page(row: &Row, caller: Caller) -> Outcome {
    match caller {
        Caller::Nobody | Caller::Void(..) | Caller::Key(_) => Outcome::SignIn,
        Caller::Person(_, _, By::ForwardCookie | By::Token) => Outcome::SignIn,
        Caller::Person(Who::Owner | Who::Other | Who::Auditor, ..) => Outcome::Missing,
        Caller::Person(Who::Admin, ..) if row.policy == Policy::AuditPage => Outcome::Done,
        Caller::Person(Who::Admin, ..) if caller.is_stale() => Outcome::StepUp,
        Caller::Person(Who::Admin, ..) if caller.lacks_csrf() && row.changes() => {
            Outcome::CsrfMismatch
        }
        Caller::Person(Who::Admin, ..) => Outcome::Done,
    }
}
