//! What an address is to a person's account: its own, a former one that may take it back, or none
//! of it any more. Decided anew whenever it matters, never stored in a message.

use std::time::Duration;

use super::store::{self, FormerEmail, User};
use crate::clock::Timestamp;
use crate::db::AnyConnection;
use crate::error::Result;
use crate::mail::content::Recipient;

/// How long the link in a message about an alert can lead to a new password.
pub(crate) const PASSWORD_LINK_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// What an address is to an account.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// The e-mail of the account.
    Own,
    /// An address that may take the account back: the oldest such, if it was the account's twice.
    Former(FormerEmail),
    /// Neither, or one that was reported.
    None,
}

impl User {
    /// Returns whether alerts are sent to their e-mail. To an address that somebody signed up with
    /// and nobody verified, none is: it may be a stranger's.
    #[must_use]
    pub fn gets_alerts(&self) -> bool {
        !self.is_external() && self.has_mailbox() && self.is_email_trusted()
    }

    /// Returns whether somebody has used the e-mail as theirs: it is verified or from before
    /// addresses were, and nobody who reads it has said otherwise.
    #[must_use]
    pub(crate) fn is_email_trusted(&self) -> bool {
        let is_known = self.email_verified_at.is_some() || self.is_email_from_before;
        is_known && self.email_declined_at.is_none()
    }

    /// Returns a mailbox as the recipient of a message about their account.
    #[must_use]
    pub(crate) fn recipient<'a>(&'a self, email: &'a str) -> Recipient<'a> {
        let is_account = self.has_email(email);
        let name = self.full_name.as_deref().filter(|name| is_greetable(name));
        Recipient {
            email,
            name: name.filter(|_| is_account && self.is_email_trusted()),
            is_account,
        }
    }

    fn has_email(&self, email: &str) -> bool {
        self.email.to_lowercase() == email.to_lowercase()
    }
}

/// Returns whether a message may begin with this name. Whoever is signed in can change it, and must not
/// be able to put a link or a text of theirs into a message about them.
fn is_greetable(name: &str) -> bool {
    const MAX_CHARS: usize = 40;
    const MAX_WORDS: usize = 4;
    // Fewer than a telephone number has.
    const MAX_DIGITS: usize = 4;

    let has_domain = name.split_whitespace().any(|word| {
        let mut labels = word.rsplit('.');
        let last = labels.next().unwrap_or_default();
        let may_end_a_host = last.chars().count() > 1 || word.contains(|c: char| c.is_numeric());
        may_end_a_host && labels.any(|label| !label.is_empty())
    });
    let is_of_names = |c: char| c.is_alphanumeric() || c == ' ' || ".'’-".contains(c);
    let digits = name.chars().filter(|c| c.is_numeric()).count();
    !has_domain
        && name.chars().all(is_of_names)
        && digits <= MAX_DIGITS
        && name.chars().count() <= MAX_CHARS
        && name.split_whitespace().count() <= MAX_WORDS
}

/// Returns what `email` is to a person's account at `now`.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn standing(
    c: &mut AnyConnection,
    user: &User,
    email: &str,
    now: Timestamp,
) -> Result<Standing> {
    if user.has_email(email) {
        return Ok(Standing::Own);
    }
    let open = store::list_open_former(c, user.id, now)?;
    let is_same = |former: &FormerEmail| former.email.to_lowercase() == email.to_lowercase();
    Ok(open
        .into_iter()
        .find(is_same)
        .map_or(Standing::None, Standing::Former))
}

/// Lists the addresses that are told of a change of the e-mail or the password, and of token reuse:
/// the account's own, and each former one that may take it back.
///
/// # Errors
/// As [`standing`].
pub(crate) fn list_mailboxes(
    c: &mut AnyConnection,
    user: &User,
    now: Timestamp,
) -> Result<Vec<String>> {
    let mut mailboxes = Vec::new();
    if user.gets_alerts() {
        mailboxes.push(user.email.clone());
    }
    for former in store::list_open_former(c, user.id, now)? {
        if !mailboxes.contains(&former.email) {
            mailboxes.push(former.email);
        }
    }
    Ok(mailboxes)
}

/// Returns whether the message that was queued for `recipient` at `queued_at` may lead to a new
/// password: only one to the designated address, which must be verified, within 24 hours, and not
/// once a password was set through a mailbox. A change made in a session, perhaps a thief's,
/// doesn't end it.
///
/// # Errors
/// As [`standing`].
pub(crate) fn may_set_password(
    c: &mut AnyConnection,
    user: &User,
    (recipient, queued_at): (&str, Timestamp),
    now: Timestamp,
) -> Result<bool> {
    let is_recent = now.since(queued_at) < PASSWORD_LINK_LIFETIME;
    let is_void = user
        .password_links_void_before
        .is_some_and(|void| queued_at <= void);
    Ok(is_recent && !is_void && is_designated(c, user, recipient, now)?)
}

/// Finds the former address that is asked for a new password in place of the account's own: the
/// oldest one that may take the account back. There is none where the account's own address is that
/// one, since its owner went back to it.
///
/// # Errors
/// As [`standing`].
pub(crate) fn find_senior(
    c: &mut AnyConnection,
    user: &User,
    now: Timestamp,
) -> Result<Option<FormerEmail>> {
    let oldest = store::find_oldest_open_former(c, user.id, now)?;
    Ok(oldest.filter(|former| !user.has_email(&former.email)))
}

/// Returns whether `recipient` is the account's own verified address, with no [senior](find_senior)
/// one that is asked instead.
///
/// # Errors
/// As [`standing`].
pub(crate) fn is_designated(
    c: &mut AnyConnection,
    user: &User,
    recipient: &str,
    now: Timestamp,
) -> Result<bool> {
    let is_own = matches!(standing(c, user, recipient, now)?, Standing::Own);
    Ok(is_own
        && user.is_active
        && !user.is_external()
        && user.email_verified_at.is_some()
        && find_senior(c, user, now)?.is_none())
}

#[cfg(test)]
mod tests {
    use super::is_greetable;

    #[test]
    fn a_name_that_could_be_a_link_begins_no_message() {
        for name in [
            "Ana Ribeiro",
            "J. R. R. Tolkien",
            "J.R. Tolkien",
            "Martin Luther King Jr.",
            "李小龍",
        ] {
            assert!(is_greetable(name), "{name}");
        }
        for name in [
            "go to evil.example",
            "https://evil",
            "a@b",
            "evil.example/x",
            "evil.example,",
            &"x".repeat(61),
        ] {
            assert!(!is_greetable(name), "{name}");
        }
    }
}
