//! What a person's row says.

use super::passwords::NO_PASSWORD;
use super::store::User;
use super::values::{AccountState, IdleLimit, Role};
use crate::clock::TimeZone;
use crate::throttles::KnownPerson;

impl User {
    /// Returns the person with the version of their password, as a device remembers them.
    #[must_use]
    pub fn as_known(&self) -> KnownPerson {
        KnownPerson::new(self.id, self.password_changed_at)
    }

    /// Returns what the account may do.
    #[must_use]
    pub fn role(&self) -> Role {
        Role::from_marks(self.is_admin, self.is_auditor)
    }

    /// Returns whether they can sign in.
    #[must_use]
    pub fn state(&self) -> AccountState {
        match self.is_active {
            true => AccountState::Active,
            false => AccountState::Disabled,
        }
    }

    /// Returns the name to call the person by, else their e-mail, else their subject.
    #[must_use]
    pub fn display_name(&self) -> &str {
        let name = self.full_name.as_deref().or(self.known_email());
        name.or(self.external_subject.as_deref())
            .unwrap_or(&self.email)
    }

    /// Returns whether the account is opened by a password, rather than by an application.
    #[must_use]
    pub fn has_password(&self) -> bool {
        !self.is_external()
    }

    /// Returns whether their password was taken away, so that none opens the account until a new
    /// one is set.
    #[must_use]
    pub fn is_password_void(&self) -> bool {
        !self.is_external() && self.password_hash.starts_with(NO_PASSWORD)
    }

    /// Returns whether an administrator made the account and its owner has set no password yet.
    #[must_use]
    pub fn is_invited(&self) -> bool {
        self.is_password_void() && self.password_changed_at == self.created_at
    }

    /// Returns whether the person may sign in where the service requires a verified e-mail: with one
    /// that is verified, or from before addresses were.
    #[must_use]
    pub fn is_email_accepted(&self) -> bool {
        self.email_verified_at.is_some() || self.is_email_from_before
    }

    /// Returns whether a link may set their password: their account is enabled, and opened by one.
    #[must_use]
    pub fn may_reset_password(&self) -> bool {
        self.is_active && !self.is_external()
    }

    /// Returns what somebody types to confirm that this person is to be deleted: the subject of an
    /// application's person, else the e-mail.
    #[must_use]
    pub fn deletion_text(&self) -> &str {
        self.external_subject.as_deref().unwrap_or(&self.email)
    }

    /// Returns whether `typed` is the [`deletion_text`](Self::deletion_text); the case of an e-mail
    /// does not matter.
    #[must_use]
    pub fn is_deletion_confirmed(&self, typed: &str) -> bool {
        match &self.external_subject {
            Some(subject) => typed == subject,
            None => typed.trim().to_lowercase() == self.email.to_lowercase(),
        }
    }

    /// Returns the e-mail to show: that of an application's person is what the application stated.
    #[must_use]
    pub fn shown_email(&self) -> &str {
        self.stated_email.as_deref().unwrap_or(&self.email)
    }

    /// Returns their e-mail: `None` for an application's person whose application stated none, and
    /// who has an address only because each account has one.
    #[must_use]
    pub fn known_email(&self) -> Option<&str> {
        let is_known = self.stated_email.is_some() || !self.is_external() || self.has_mailbox();
        is_known.then(|| self.shown_email())
    }

    /// Returns what names them in a line of text: their e-mail, else what their application calls them
    /// ("subject 42").
    #[must_use]
    pub fn known_by(&self) -> String {
        known_by(self.known_email(), self.external_subject.as_deref())
    }

    /// Returns the application that authenticates them and what it calls them: "Shop · subject 42";
    /// `None` for those whom a password lets in.
    #[must_use]
    pub fn known_in(&self, application: Option<&str>) -> Option<String> {
        let subject = self.external_subject.as_deref()?;
        let application = application.unwrap_or("An application");
        Some(format!("{application} · {}", known_by(None, Some(subject))))
    }

    /// Returns whether an application authenticates them.
    #[must_use]
    pub fn is_external(&self) -> bool {
        self.external_subject.is_some()
    }

    /// Returns the name to call the person by that is asserted to applications, else their verified
    /// e-mail, else nothing.
    #[must_use]
    pub fn asserted_name(&self) -> &str {
        let name = self.full_name.as_deref();
        name.or(self.verified_email()).unwrap_or_default()
    }

    /// Returns the e-mail, if it was verified: no other is asserted to applications.
    #[must_use]
    pub fn verified_email(&self) -> Option<&str> {
        self.email_verified_at.map(|_| self.email.as_str())
    }

    /// Returns whether their e-mail can have a mailbox; none in `.invalid` can (RFC 2606).
    #[must_use]
    pub fn has_mailbox(&self) -> bool {
        !self.email.ends_with(".invalid")
    }

    /// Returns the zone that the person chose to read times in, if any.
    #[must_use]
    pub fn time_zone(&self) -> Option<TimeZone> {
        TimeZone::find(self.time_zone.as_deref()?)
    }

    /// Returns the zone of the browser in which the person last signed in, if it said so.
    #[must_use]
    pub fn browser_time_zone(&self) -> Option<TimeZone> {
        TimeZone::find(self.browser_time_zone.as_deref()?)
    }

    /// Returns the zone of the times in messages about the account to an address: at the person's own
    /// the one that they chose, else their browser's, else UTC. Whoever reads another address, such as
    /// a former one, is not to learn where they are.
    #[must_use]
    pub fn message_time_zone(&self, recipient: &str) -> TimeZone {
        let zone = self.time_zone().or_else(|| self.browser_time_zone());
        let own = zone.filter(|_| recipient == self.email);
        own.unwrap_or(TimeZone::UTC)
    }

    /// Returns the idle limit that the person chose, if any.
    #[must_use]
    pub fn idle_limit(&self) -> Option<IdleLimit> {
        let chosen = u64::try_from(self.idle_limit_seconds?).ok()?;
        <IdleLimit as strum::VariantArray>::VARIANTS
            .iter()
            .copied()
            .find(|limit| limit.span().as_secs() == chosen)
    }
}

/// Returns what names somebody in a line of text: their e-mail, else what their application calls them.
#[must_use]
pub fn known_by(email: Option<&str>, subject: Option<&str>) -> String {
    match (email, subject) {
        (Some(email), _) => email.to_owned(),
        (None, Some(subject)) => format!("subject {subject}"),
        (None, None) => "-".into(),
    }
}
