//! What tries are for, and why one was refused.

use strum::IntoStaticStr;

use crate::events::EventKind;

/// What a try is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Purpose {
    /// Signing in.
    SignIn,
    /// Giving the password again within a session.
    StepUp,
    /// Changing the password, which needs the current one.
    PasswordChange,
    /// A link for a new password.
    ForgottenPassword,
    /// A new password by a link.
    NewPassword,
    /// Verifying an e-mail address with the password.
    Verification,
    /// A link that verifies an e-mail address.
    VerificationLink,
    /// A new account.
    SignUp,
}

impl Purpose {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns whether each try sends mail or creates an account, rather than trying a password.
    #[must_use]
    pub fn sends_mail(self) -> bool {
        matches!(
            self,
            Self::ForgottenPassword | Self::VerificationLink | Self::SignUp
        )
    }
}

/// Why a try failed or was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum RefusalReason {
    /// The password was wrong, or the account can't be signed in to.
    Credentials,
    /// The client left before it was decided.
    Abandoned,
    /// The lane's delay is in force.
    Delay,
    /// The network made too many tries.
    Network,
    /// All networks together made too many tries.
    Node,
}

impl RefusalReason {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Returns the kind and the detail of the event of a try that failed or was refused.
pub(super) fn describe(purpose: Purpose, reason: RefusalReason) -> (EventKind, String) {
    match (reason, purpose) {
        (RefusalReason::Credentials | RefusalReason::Abandoned, Purpose::SignIn) => {
            (EventKind::SignInFailed, reason.as_str().to_owned())
        }
        (RefusalReason::Credentials | RefusalReason::Abandoned, purpose) => {
            (EventKind::PasswordRefused, purpose.as_str().to_owned())
        }
        (reason, purpose) => {
            let detail = format!("{}:{}", purpose.as_str(), reason.as_str());
            (EventKind::Throttled, detail)
        }
    }
}
