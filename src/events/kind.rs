//! What an event records: its kind.

use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

/// The detail of the deletion of an account, or of a cancelled change of e-mail, that whoever reads its
/// mailbox declined.
pub const DECLINED: &str = "declined";

/// The kind of an event. Its text form is stored.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum EventKind {
    /// A session was created.
    SignedIn,
    /// A refresh token was used from another address than before.
    Refreshed,
    /// The session's device was given a name, which is the detail.
    Renamed,
    /// The session ended; the detail is the reason.
    Ended,
    /// Impossible travel: the session was used too far from the last place, too soon. The detail is
    /// the distance and the time.
    ImpossibleTravel,
    /// The session was bound to its browser.
    Bound,
    /// The session is bound, and its cookie was used without the proof of its browser.
    UsedWithoutKey,
    /// The person's password was changed.
    PasswordChanged,
    /// The e-mail that the person signs in with was changed.
    EmailChanged,
    /// A change of that e-mail was requested; it takes effect once the new one is verified.
    EmailChangeRequested,
    /// The change of that e-mail was cancelled; by whoever reads its mailbox, with the detail
    /// [`DECLINED`].
    EmailChangeCancelled,
    /// The e-mail that the person signs in with was verified.
    EmailVerified,
    /// The account was taken back by the mailbox of a former e-mail.
    TakenBack,
    /// An administrator created the account; the detail is its role.
    AccountCreated,
    /// An administrator invited the person, by a link that sets their first password.
    Invited,
    /// An administrator disabled the account.
    Disabled,
    /// An administrator enabled the account again.
    Enabled,
    /// An administrator changed what the account may do; the detail is the new role.
    RoleChanged,
    /// An administrator created a link that sets a new password.
    ResetLinkCreated,
    /// An administrator changed the name to call the person by.
    NameChanged,
    /// An administrator vouched for the e-mail that the person signs in with.
    EmailVouched,
    /// An administrator lifted the delay after wrong passwords.
    DelayLifted,
    /// An administrator exported what is stored about the person.
    Exported,
    /// A job that ends sessions was stopped, of those that the person ordered; or by the person, if no
    /// person ordered it; of nobody, if neither was a person. The detail is why.
    JobStopped,
    /// A try to sign in failed. By whom is not known.
    SignInFailed,
    /// A wrong password was given by somebody who is signed in, or has a link; the detail is what for.
    PasswordRefused,
    /// A try was refused since there were too many; the detail is what for, and what was exceeded.
    Throttled,
    /// A form was refused that may be forged; the detail is its route.
    FormRefused,
    /// Something of administrators was requested by somebody who is none; the detail is its route.
    AdminRefused,
    /// A token or an API key was refused; the detail is why.
    TokenRefused,
    /// The person changed a setting of their account; the detail is which.
    SettingChanged,
    /// The person answered an alert, dismissed a notice, or did a step after a report; the detail is
    /// which.
    AlertReviewed,
    /// The account was created by sign-up.
    SignedUp,
    /// A link for a new password was requested for the account.
    PasswordLinkRequested,
    /// A link that verifies an e-mail was requested.
    VerificationLinkRequested,
    /// An API key was created; the detail is its name, and its application's.
    KeyCreated,
    /// An API key was revoked; the detail is its name, and its application's.
    KeyRevoked,
    /// A key of the service that signs or seals was created; the detail is its id.
    ServiceKeyCreated,
    /// A key of the service was revoked; the detail is its id.
    ServiceKeyRevoked,
    /// The account was deleted, by its owner or by an administrator; or since whoever reads its mailbox
    /// declined it, which is the detail [`DECLINED`].
    AccountDeleted,
}

impl EventKind {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The kinds of what was refused.
    pub const REFUSALS: [Self; 6] = [
        Self::SignInFailed,
        Self::PasswordRefused,
        Self::Throttled,
        Self::FormRefused,
        Self::AdminRefused,
        Self::TokenRefused,
    ];

    /// Those of them that are refused for technical reasons: not the person's concern, but of those who
    /// watch the service.
    pub(super) const TECHNICAL: [Self; 3] =
        [Self::FormRefused, Self::AdminRefused, Self::TokenRefused];

    /// Those of them that are shown to the person on whose account they were made.
    pub(super) const REFUSED_TRIES: [Self; 3] =
        [Self::SignInFailed, Self::PasswordRefused, Self::Throttled];

    /// Returns whether something was refused, to whomever it was.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        Self::REFUSALS.contains(&self)
    }

    /// Returns whether only administrators do it.
    #[must_use]
    pub fn is_administrative(self) -> bool {
        match self {
            Self::AccountCreated
            | Self::Invited
            | Self::Disabled
            | Self::Enabled
            | Self::RoleChanged
            | Self::ResetLinkCreated
            | Self::NameChanged
            | Self::EmailVouched
            | Self::DelayLifted
            | Self::KeyCreated
            | Self::KeyRevoked
            | Self::ServiceKeyCreated
            | Self::ServiceKeyRevoked
            | Self::Exported => true,
            Self::SignedIn
            | Self::Refreshed
            | Self::Renamed
            | Self::Ended
            | Self::ImpossibleTravel
            | Self::Bound
            | Self::UsedWithoutKey
            | Self::PasswordChanged
            | Self::EmailChanged
            | Self::EmailChangeRequested
            | Self::EmailChangeCancelled
            | Self::EmailVerified
            | Self::TakenBack
            | Self::JobStopped
            | Self::SignInFailed
            | Self::PasswordRefused
            | Self::Throttled
            | Self::FormRefused
            | Self::AdminRefused
            | Self::TokenRefused
            | Self::SettingChanged
            | Self::AlertReviewed
            | Self::SignedUp
            | Self::PasswordLinkRequested
            | Self::VerificationLinkRequested
            | Self::AccountDeleted => false,
        }
    }
}
