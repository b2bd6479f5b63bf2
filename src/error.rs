//! The one error of the service: made where it is known, and turned into a status and words here.
//! Its two faces, `application/problem+json` and a page, are drawn from this in `http::faces`.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// What the service's functions answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One part of a request that isn't as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's path in the body: `email`, `devices[0].name`.
    pub field: String,
    /// What is wrong with it, as a sentence for its sender.
    pub message: String,
}

impl FieldError {
    /// Names `field` and what is wrong with it.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// Everything that can go wrong.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The request can't be read at all: broken JSON, broken encoding.
    #[error("{0}")]
    Malformed(String),
    /// The request can be read, but parts of it are not allowed.
    #[error("some fields are not as they must be")]
    Invalid(Vec<FieldError>),
    /// The body is not of a kind this path takes.
    #[error("this needs a body of type {expected}")]
    UnsupportedMediaType {
        /// The kind it takes.
        expected: &'static str,
    },
    /// The body is larger than allowed.
    #[error("the body is larger than the {limit} bytes allowed")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// The path exists, but not for this method.
    #[error("this path does not take that method")]
    MethodNotAllowed,
    /// E-mail and password don't belong together; or there is no such person, or they are disabled.
    #[error("e-mail or password is wrong")]
    InvalidCredentials,
    /// Nobody is signed in, or the session has ended.
    #[error("sign in first")]
    Unauthenticated,
    /// A token was sent and is not good. The text is for the log, not for its sender.
    #[error("the token is not valid")]
    InvalidToken(&'static str),
    /// No API key, or not one in use (RFC 6749, 5.2).
    #[error("the client's credentials are wrong")]
    InvalidClient,
    /// The API key is good, but not for this.
    #[error("the API key lacks the scope {scope}")]
    InsufficientScope {
        /// The scope it would need.
        scope: &'static str,
    },
    /// A form without the token that shows it came from our own page.
    #[error("the form could not be checked")]
    CsrfMismatch,
    /// The act is a sensitive one, and the password was given too long ago.
    #[error("the password is needed again")]
    StepUpRequired {
        /// How recently it must have been given.
        window: Duration,
    },
    /// Somebody is signed in, but not of the group that is let in.
    #[error("not of the group that is let in")]
    NotInGroup,
    /// There is no such thing, or not for this caller.
    #[error("not found")]
    NotFound,
    /// An account with this e-mail exists.
    #[error("an account with this e-mail already exists")]
    EmailTaken,
    /// Another row stands in the way. Stores turn this into the error that says which.
    #[error("conflict: {0}")]
    Conflict(String),
    /// Too much of one kind of work is waiting.
    #[error("too busy; try again shortly")]
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// The database can't be reached or can't take work now.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The database closed the connection under a statement.
    #[error("the database closed the connection: {0}")]
    Disconnected(String),
    /// A defect of ours. The text is for the log only.
    #[error("internal error: {0}")]
    Internal(String),
    /// The service can't start; the text tells its operator what to do.
    #[error("{0}")]
    Startup(String),
}

impl Error {
    /// An [`Error::Invalid`] for a single field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }

    /// The name a program tells errors apart by.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Invalid(_) => "invalid_request",
            Self::UnsupportedMediaType { .. } => "unsupported_media_type",
            Self::TooLarge { .. } => "payload_too_large",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::InvalidCredentials => "invalid_credentials",
            Self::Unauthenticated => "unauthenticated",
            Self::InvalidToken(_) => "invalid_token",
            Self::InvalidClient => "invalid_client",
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::CsrfMismatch => "csrf",
            Self::StepUpRequired { .. } => "step_up_required",
            Self::NotInGroup => "not_in_group",
            Self::NotFound => "not_found",
            Self::EmailTaken => "email_taken",
            Self::Busy { .. } => "busy",
            Self::Unavailable(_) | Self::Disconnected(_) => "unavailable",
            Self::Conflict(_) | Self::Internal(_) | Self::Startup(_) => "internal",
        }
    }

    /// What is wrong, in a few words that stay the same for the code.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "The request could not be read",
            Self::Invalid(_) => "The request is not valid",
            Self::UnsupportedMediaType { .. } => "That kind of body is not taken here",
            Self::TooLarge { .. } => "The request is too large",
            Self::MethodNotAllowed => "That method is not taken here",
            Self::InvalidCredentials => "E-mail or password is wrong",
            Self::Unauthenticated => "Nobody is signed in",
            Self::InvalidToken(_) => "The token is not valid",
            Self::InvalidClient => "The API key is not valid",
            Self::InsufficientScope { .. } => "The API key is not for this",
            Self::CsrfMismatch => "The form could not be checked",
            Self::StepUpRequired { .. } => "The password is needed again",
            Self::NotInGroup => "Not for you",
            Self::NotFound => "Not found",
            Self::EmailTaken => "That e-mail has an account already",
            Self::Busy { .. } => "Too busy just now",
            Self::Unavailable(_) | Self::Disconnected(_) => "The service is unavailable just now",
            Self::Conflict(_) | Self::Internal(_) | Self::Startup(_) => {
                "Something went wrong on our side"
            }
        }
    }

    /// What is wrong and what to do, for whoever sent the request. Nothing internal is in it.
    pub fn detail(&self) -> String {
        match self {
            Self::Malformed(detail) => detail.clone(),
            Self::Invalid(errors) => errors
                .iter()
                .map(|e| format!("{}: {}", e.field, e.message))
                .collect::<Vec<_>>()
                .join("; "),
            Self::UnsupportedMediaType { expected } => format!("Send the body as {expected}."),
            Self::TooLarge { limit } => format!("At most {limit} bytes are taken here."),
            Self::MethodNotAllowed => "The path exists, but not for this method.".into(),
            Self::InvalidCredentials => "Check both and try again.".into(),
            Self::Unauthenticated => "There is no session, or it has ended. Sign in again.".into(),
            Self::InvalidToken(_) => "It is expired, spent or not ours. Sign in again.".into(),
            Self::CsrfMismatch => {
                "It was open for too long or came from another page. Open the page again and retry."
                    .into()
            }
            Self::StepUpRequired { .. } => {
                "Give the password again (POST /api/v1/auth/confirm), then repeat the request."
                    .into()
            }
            Self::InvalidClient => "Send a key in use, by HTTP Basic or as a Bearer token.".into(),
            Self::InsufficientScope { scope } => format!("It needs the scope {scope}."),
            Self::NotInGroup => "You are signed in, but this is for others.".into(),
            Self::NotFound => "There is nothing here, or not any more.".into(),
            Self::EmailTaken => "Sign in with it, or use another one.".into(),
            Self::Busy { .. } | Self::Unavailable(_) | Self::Disconnected(_) => {
                "Nothing was changed. Try again in a moment.".into()
            }
            Self::Conflict(_) | Self::Internal(_) | Self::Startup(_) => {
                "It has been logged. Try again later.".into()
            }
        }
    }

    /// The fields that are wrong, if that is what it is about.
    pub fn field_errors(&self) -> &[FieldError] {
        match self {
            Self::Invalid(errors) => errors,
            _ => &[],
        }
    }

    /// When trying again makes sense, if it does.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } => Some(*retry_after),
            Self::Unavailable(_) | Self::Disconnected(_) => Some(Duration::from_secs(5)),
            _ => None,
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::InvalidCredentials | Self::Unauthenticated | Self::InvalidToken(_) => {
                StatusCode::UNAUTHORIZED
            }
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::CsrfMismatch | Self::InsufficientScope { .. } | Self::NotInGroup => {
                StatusCode::FORBIDDEN
            }
            // RFC 9470, section 3.
            Self::StepUpRequired { .. } => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::EmailTaken => StatusCode::CONFLICT,
            Self::Busy { .. } | Self::Unavailable(_) | Self::Disconnected(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Conflict(_) | Self::Internal(_) | Self::Startup(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// A bare answer; the middleware in `http::faces` gives it its face.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}
