//! The error type of the service, and its texts. Its HTTP status and its two representations,
//! `application/problem+json` and a page, are in `http::error_response`.

mod failure;
mod proof_refusal;
mod token_refusal;

use std::time::Duration;

use serde::Serialize;

pub use self::failure::{Chain, Failure};
pub use self::proof_refusal::{MissingProof, ProofRefusal};
pub use self::token_refusal::TokenRefusal;
use crate::clock::{TimeZone, Timestamp};

/// The result of the service's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An invalid field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's path in the body: `email`, `devices[0].name`.
    pub field: String,
    /// What is wrong with it, in a text for the sender of the request.
    pub message: String,
}

impl FieldError {
    /// Returns the error of `field`, which `message` describes.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// An error of the service.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The request can't be read at all: broken JSON, broken encoding.
    #[error("{0}")]
    Malformed(String),
    /// The request can be read, but parts of it are not allowed.
    #[error("some fields are not as they must be")]
    Invalid(Vec<FieldError>),
    /// The body has a media type that this path does not accept.
    #[error("this needs a body of type {expected}")]
    UnsupportedMediaType {
        /// The accepted media type.
        expected: &'static str,
    },
    /// The body is larger than allowed.
    #[error("the body is larger than the {limit} bytes allowed")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// The body took longer to arrive than allowed.
    #[error("the body did not arrive within {} seconds", limit.as_secs())]
    TooSlow {
        /// The time allowed.
        limit: Duration,
    },
    /// The path exists, but not for this method.
    #[error("this path does not take that method")]
    MethodNotAllowed,
    /// The e-mail and the password don't match, or there is no such account, or it is disabled.
    #[error("e-mail or password is wrong")]
    InvalidCredentials,
    /// The password that the caller gave again is wrong.
    #[error("the password is wrong")]
    WrongPassword,
    /// The caller is not signed in, or the session has ended.
    #[error("sign in first")]
    Unauthenticated,
    /// A token was sent and is not valid.
    #[error("the token is not valid")]
    InvalidToken(#[source] TokenRefusal),
    /// The session is bound to its browser, and the request lacks the proof of that.
    #[error("the browser did not prove that it has the key of this session")]
    ProofRequired(MissingProof),
    /// The proof of a browser's key is refused.
    #[error("the proof of the key is refused")]
    ProofRefused(#[source] ProofRefusal),
    /// No API key was sent, or one that is not in use (RFC 6749, 5.2).
    #[error("the client's credentials are wrong")]
    InvalidClient,
    /// The API key is valid but lacks a scope.
    #[error("the API key lacks the scope {scope}")]
    InsufficientScope {
        /// The missing scope.
        scope: &'static str,
    },
    /// A token was requested for an audience that doesn't exist (RFC 8707, section 2).
    #[error("there is no such audience")]
    InvalidTarget,
    /// An application with this name exists.
    #[error("an application with this name already exists")]
    ApplicationExists,
    /// A form without the CSRF token of the page it claims to come from.
    #[error("the form could not be checked")]
    CsrfMismatch,
    /// The request needs step-up: the password was given too long ago.
    #[error("the password is needed again")]
    StepUpRequired {
        /// The longest time since the password was given.
        window: Duration,
    },
    /// The caller's device is in doubt, and what they do could hide that; the text says how to go on.
    #[error("the device is not confirmed")]
    UnconfirmedDevice(String),
    /// The caller is signed in, but not a member of the required group.
    #[error("not a member of the required group")]
    NotInGroup,
    /// The requested item doesn't exist, or not for this caller.
    #[error("not found")]
    NotFound,
    /// The caller was an administrator when their request arrived, and is none any more. To clients it
    /// is the same as [`Error::NotFound`].
    #[error("not an administrator any more")]
    NoAuthority,
    /// An account has this e-mail, or can be taken back by it.
    #[error(
        "an account has this e-mail already, or had it until recently and can be taken back by it"
    )]
    EmailTaken,
    /// A former e-mail can still take the account back.
    #[error("the e-mail was changed recently")]
    EmailChangedLately {
        /// Until when.
        until: Timestamp,
    },
    /// Nobody else could administer the service.
    #[error("this is the only administrator")]
    LastAdmin,
    /// A statement violated a unique constraint. Stores map this to the error of that constraint.
    #[error("conflict")]
    Conflict(#[source] Failure),
    /// A statement violated a foreign key. The domain maps this to what the reference means.
    #[error("a row refers to another one, or to none")]
    Reference(#[source] Failure),
    /// Too much of one kind of work is waiting.
    #[error("too busy; try again shortly")]
    Busy {
        /// How long to wait before trying again.
        retry_after: Duration,
    },
    /// Too many tries: of a password, or of what sends mail or creates accounts.
    #[error("too many tries")]
    TooManyTries {
        /// How long to wait before trying again, in whole seconds.
        retry_after: Duration,
    },
    /// The password was changed too often within an hour.
    #[error("too many changes of the password")]
    TooManyChanges {
        /// How long to wait before trying again, in whole seconds.
        retry_after: Duration,
    },
    /// The database can't be reached or can't take work now.
    #[error("the database is unavailable")]
    Unavailable(#[source] Failure),
    /// The database closed the connection during a statement.
    #[error("the database closed the connection")]
    Disconnected(#[source] Failure),
    /// A defect of the service.
    #[error("internal error")]
    Internal(#[source] Failure),
    /// A setting, or what it refers to, can't be used. The message names the setting.
    #[error(transparent)]
    Configuration(Failure),
    /// The secrets file can't be read or written.
    #[error(transparent)]
    Secrets(Failure),
    /// The database can't be opened or migrated.
    #[error(transparent)]
    Migration(Failure),
    /// The service can't start. The message says what its operator has to do.
    #[error(transparent)]
    Startup(Failure),
}

impl Error {
    /// Returns an [`Error::Invalid`] for a single field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }

    /// Returns the code by which programs distinguish errors. It never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Invalid(_) => "invalid_request",
            Self::UnsupportedMediaType { .. } => "unsupported_media_type",
            Self::TooLarge { .. } => "payload_too_large",
            Self::TooSlow { .. } => "request_timeout",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::InvalidCredentials | Self::WrongPassword => "invalid_credentials",
            Self::Unauthenticated => "unauthenticated",
            Self::ProofRequired(_) => "proof_required",
            Self::ProofRefused(_) => "invalid_proof",
            Self::InvalidToken(_) => "invalid_token",
            Self::InvalidClient => "invalid_client",
            Self::InvalidTarget => "invalid_target",
            Self::ApplicationExists => "application_exists",
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::CsrfMismatch => "csrf",
            Self::StepUpRequired { .. } => "step_up_required",
            Self::UnconfirmedDevice(_) => "unconfirmed_device",
            Self::NotInGroup => "not_in_group",
            Self::NotFound | Self::NoAuthority => "not_found",
            Self::EmailTaken => "email_taken",
            Self::EmailChangedLately { .. } => "email_changed_lately",
            Self::LastAdmin => "last_admin",
            Self::Busy { .. } => "busy",
            Self::TooManyTries { .. } | Self::TooManyChanges { .. } => "too_many_tries",
            Self::Unavailable(_) | Self::Disconnected(_) => "unavailable",
            Self::Conflict(_)
            | Self::Reference(_)
            | Self::Internal(_)
            | Self::Configuration(_)
            | Self::Secrets(_)
            | Self::Migration(_)
            | Self::Startup(_) => "internal",
        }
    }

    /// Returns a summary of what is wrong, the same for every error of one kind.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "The request could not be read",
            Self::Invalid(_) => "The request is not valid",
            Self::UnsupportedMediaType { .. } => "The request has the wrong content type",
            Self::TooLarge { .. } => "The request is too large",
            Self::TooSlow { .. } => "The request took too long",
            Self::MethodNotAllowed => "That can’t be done here",
            Self::InvalidCredentials => "The e-mail or the password is wrong",
            Self::WrongPassword => "The password is wrong",
            Self::Unauthenticated => "You are not signed in",
            Self::ProofRequired(MissingProof::Absent) => "The proof of the browser is missing",
            Self::ProofRequired(_) => "We can’t check this device just now",
            Self::ProofRefused(_) => "The proof of the key is not valid",
            Self::InvalidToken(_) => "The token is not valid",
            Self::InvalidClient => "The API key is not valid",
            Self::InvalidTarget => "There is no such audience",
            Self::ApplicationExists => "There is an application with that name already",
            Self::InsufficientScope { .. } => "The API key is not allowed to do this",
            Self::CsrfMismatch => "The form could not be checked",
            Self::StepUpRequired { .. } => "Enter your password again",
            Self::UnconfirmedDevice(_) => "This can’t be changed on this device yet",
            Self::NotInGroup => "You can’t open this",
            Self::NotFound | Self::NoAuthority => "Not found",
            Self::EmailTaken => "There is already an account with that e-mail",
            Self::EmailChangedLately { .. } => "Your e-mail was changed recently",
            Self::LastAdmin => "There is no other administrator",
            Self::Busy { .. } => "The service is busy",
            Self::TooManyTries { .. } => "Too many attempts",
            Self::TooManyChanges { .. } => "The password was changed too often",
            Self::Unavailable(_) | Self::Disconnected(_) => "The service is unavailable just now",
            Self::Conflict(_)
            | Self::Reference(_)
            | Self::Internal(_)
            | Self::Configuration(_)
            | Self::Secrets(_)
            | Self::Migration(_)
            | Self::Startup(_) => "Something went wrong on our side",
        }
    }

    /// Returns what is wrong and what to do, for the sender of the request. It contains nothing
    /// internal: neither a [`Failure`] nor its sources.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Malformed(detail) | Self::UnconfirmedDevice(detail) => detail.clone(),
            Self::Invalid(errors) => errors
                .iter()
                .map(|e| format!("{}: {}", e.field, e.message))
                .collect::<Vec<_>>()
                .join("; "),
            Self::UnsupportedMediaType { expected } => format!("Send the body as {expected}."),
            Self::TooLarge { limit } => format!("At most {limit} bytes are allowed."),
            Self::TooSlow { limit } => {
                format!("Its body must arrive within {} seconds.", limit.as_secs())
            }
            Self::MethodNotAllowed => "This path does not support that method. The header Allow lists those that it supports.".into(),
            Self::InvalidCredentials => "Check both and try again.".into(),
            Self::WrongPassword => "Check it and try again.".into(),
            Self::Unauthenticated => "The session has ended or never existed. Sign in again.".into(),
            Self::ProofRequired(MissingProof::Absent) => {
                "The session is bound to a browser, and this request had no proof of its key. Sign in again."
                    .into()
            }
            Self::ProofRequired(_) => {
                "Your browser could not show the key of this device. Nothing was changed. Try again in a moment."
                    .into()
            }
            Self::ProofRefused(refusal) => refusal.to_string(),
            Self::InvalidToken(_) => "It has expired, was used already, or is not from this service. Sign in again.".into(),
            Self::CsrfMismatch => {
                "Nothing was done. The page is from before you signed in, or another site sent the form. Open the page again and try once more."
                    .into()
            }
            Self::StepUpRequired { .. } => {
                "Confirm the password again (POST /api/v1/auth/confirm), then repeat the request with the token or the cookie of that response."
                    .into()
            }
            Self::InvalidClient => "Send a key in use, by HTTP Basic or as a Bearer token.".into(),
            Self::InvalidTarget => "Name an application, by its id or its name.".into(),
            Self::ApplicationExists => "Use another name, or add a key to that one.".into(),
            Self::InsufficientScope { scope } => format!("It needs the scope {scope}."),
            Self::NotInGroup => "You are signed in, but you don’t have access to this.".into(),
            Self::NotFound | Self::NoAuthority => "This does not exist, or no longer exists.".into(),
            Self::EmailTaken => "Sign in with it, or use another one.".into(),
            Self::EmailChangedLately { until } => format!(
                "The account can’t be deleted before {}: until then, your former e-mail can take it back.",
                TimeZone::UTC.exact(*until)
            ),
            Self::LastAdmin => {
                "Nothing was changed: this is the only administrator who can sign in. Make somebody else an administrator first."
                    .into()
            }
            Self::TooManyTries { retry_after } => {
                format!("Too many attempts. Try again in {}.", waiting_time(*retry_after))
            }
            Self::TooManyChanges { retry_after } => {
                format!(
                    "Nothing was changed: the password was changed 5 times within an hour. Try again in {}. If it was not you who changed it, say so in the alert about it.",
                    waiting_time(*retry_after)
                )
            }
            Self::Busy { .. } | Self::Unavailable(_) | Self::Disconnected(_) => {
                "Nothing was changed. Try again in a moment.".into()
            }
            Self::Conflict(_)
            | Self::Reference(_)
            | Self::Internal(_)
            | Self::Configuration(_)
            | Self::Secrets(_)
            | Self::Migration(_)
            | Self::Startup(_) => "It has been logged. Try again later.".into(),
        }
    }

    /// Returns whether the request counts as that of somebody who is not signed in.
    #[must_use]
    pub fn is_signed_out(&self) -> bool {
        matches!(
            self,
            Self::Unauthenticated | Self::ProofRequired(MissingProof::Absent)
        )
    }

    /// Returns the fields that are not valid; none unless this is an [`Error::Invalid`].
    #[must_use]
    pub fn field_errors(&self) -> &[FieldError] {
        match self {
            Self::Invalid(errors) => errors,
            _ => &[],
        }
    }

    /// Returns how long to wait before trying again, if waiting can help.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after }
            | Self::TooManyTries { retry_after }
            | Self::TooManyChanges { retry_after } => Some(*retry_after),
            Self::Unavailable(_)
            | Self::Disconnected(_)
            | Self::ProofRequired(MissingProof::NotNow) => Some(Duration::from_secs(5)),
            _ => None,
        }
    }
}

/// Returns a time to wait in words: seconds, from two minutes on full minutes, rounded up.
fn waiting_time(span: Duration) -> String {
    match span.as_secs() {
        0 | 1 => "1 second".into(),
        seconds @ 2..120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}
