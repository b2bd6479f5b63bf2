//! What alerts report, and what people answer.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

/// What an alert reports. Its text form is stored, and is its name in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AlertKind {
    /// The first sign-in from a device.
    NewDevice,
    /// The first sign-in from a country.
    NewCountry,
    /// The password was changed.
    PasswordChanged,
    /// The e-mail that the person signs in with was changed.
    EmailChanged,
    /// Token reuse: a spent refresh token was used again, so somebody may have a copy of it.
    #[serde(rename = "theft")]
    #[strum(serialize = "theft")]
    TokenReuse,
    /// An administrator did something to the account. It is a notice: nobody confirms or reports it.
    Administered,
    /// A session ended since the password was given wrong in it too often.
    WrongPasswords,
    /// A session was used in two places, too far apart for the time between.
    TwoPlaces,
    /// A copy of a session that is bound to its browser was used, which is no use.
    CopyRefused,
}

impl AlertKind {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns whether it reports a change of the e-mail.
    #[must_use]
    pub fn is_email_change(self) -> bool {
        self == Self::EmailChanged
    }

    /// Returns whether it only says what an administrator did.
    #[must_use]
    pub fn is_notice(self) -> bool {
        self == Self::Administered
    }

    /// Returns whether it reports that a session was ended for the safety of its person.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::TokenReuse | Self::WrongPasswords)
    }

    /// Returns whether it asks about the use of a session that is live, as a sign-in does: its report signs
    /// that out.
    #[must_use]
    pub fn is_use(self) -> bool {
        self.is_sign_in() || matches!(self, Self::TwoPlaces | Self::CopyRefused)
    }

    /// Returns whether a message is sent about it: a VPN looks as if a session were used in two places, and
    /// would cause one after another.
    #[must_use]
    pub fn is_mailed(self) -> bool {
        self != Self::TwoPlaces
    }

    /// Returns whether the link in a message confirms it: a changed e-mail would be confirmed by a link to the
    /// new address.
    #[must_use]
    pub fn is_confirmable_by_link(self) -> bool {
        !self.is_email_change()
    }

    /// Returns whether it reports a sign-in.
    #[must_use]
    pub fn is_sign_in(self) -> bool {
        matches!(self, Self::NewDevice | Self::NewCountry)
    }
}

/// A person's review of an alert. Its text form is stored, and the same in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, EnumString, IntoStaticStr)]
pub enum AlertReview {
    /// "Yes, it was me."
    #[serde(rename = "mine")]
    #[strum(serialize = "mine")]
    Confirmed,
    /// "This wasn't me."
    #[serde(rename = "not_mine")]
    #[strum(serialize = "not_mine")]
    Reported,
}

impl AlertReview {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
