//! The message that a link was opened from. What the link may do depends on what the message's
//! mailbox is to the account now, not on what it was when the message was sent.

use std::time::Duration;

use super::Accounts;
use super::trust::is_mailbox_doubtful;
use crate::alerts::{self, Alert, AlertContext, EmailChange};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, FormerEmailId, LinkId, MailId, UserId};
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::mail::{self, MessageLink, MessageTopic};
use crate::people::mailbox::{Standing, find_senior, is_designated, may_set_password, standing};
use crate::people::store::FormerEmail;
use crate::people::{self, LinkAct, PasswordHash, User};
use crate::sessions::Session;

/// How long the link in a message to an account's own address is valid. A former address can use
/// its links until its window ends.
pub(super) const LINK_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A message that a link was opened from.
#[derive(Debug)]
pub struct LinkedMessage {
    /// The person whose account it is about.
    pub user: User,
    /// What its mailbox is to the account.
    pub mailbox: Mailbox,
    /// The alerts that it tells of; none for a message about something else.
    pub alerts: Vec<Alert>,
    /// Whether its link answers nothing: the account has its e-mail from somebody in doubt.
    pub is_in_doubt: bool,
    /// Whether it may lead to a new password now.
    pub may_set_password: bool,
    /// Whether a new password is set from the former address for now.
    pub has_former: bool,
    /// Who may set a password by a ticket that its page issued.
    pub grant: Option<PasswordGrant>,
}

/// What the mailbox of a message is to the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mailbox {
    /// Its e-mail.
    Own,
    /// A former e-mail, which can take the account back.
    Former {
        /// The id of the former address.
        id: FormerEmailId,
        /// The address.
        email: String,
        /// When another took its place.
        changed_at: Timestamp,
        /// When its window ends.
        expires_at: Timestamp,
    },
    /// Neither: the link is void.
    Void,
}

/// The right to set a password through a mailbox, once: setting one ends it.
#[derive(Debug, Clone)]
pub struct PasswordGrant {
    user: UserId,
    recipient: String,
    message: [u8; 16],
    void_before: Option<Timestamp>,
}

impl PasswordGrant {
    /// Returns what a ticket for a new password is bound to: the person, the message, and the last
    /// time that a password was set through a mailbox.
    #[must_use]
    pub fn binding(&self) -> Vec<u8> {
        let void = self
            .void_before
            .map_or(0, |void| void.timestamp_micros())
            .to_be_bytes();
        [self.user.as_bytes(), self.message.as_slice(), &void].concat()
    }
}

/// What became of a report.
#[derive(Debug)]
pub struct Reported {
    /// The sessions that ended.
    pub ended: Vec<Session>,
    /// What became of the e-mail, where a change of it was reported that could be undone.
    pub taken_back: Option<super::TakenBack>,
    /// The e-mail that the account has, where a change of it was reported that is not undone by that.
    pub email: Option<UnchangedEmail>,
}

/// The e-mail of an account that the report of a change of it left as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnchangedEmail {
    /// The one from before the change, which the account had got again meanwhile.
    Again(String),
    /// Another one: the change can't be undone.
    Still(String),
}

impl UnchangedEmail {
    /// Returns what a report left as it was that is of these changes; `None` where it is of none.
    pub(super) fn new(user: &User, reported: &[EmailChange]) -> Option<Self> {
        let oldest = reported.iter().min_by_key(|change| change.at)?;
        let email = user.email.clone();
        Some(match oldest.former.eq_ignore_ascii_case(&email) {
            true => Self::Again(email),
            false => Self::Still(email),
        })
    }
}

impl Accounts {
    /// Returns the message that a link was opened from.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, or its link has expired.
    pub async fn get_linked_message(&self, link: MessageLink) -> Result<LinkedMessage> {
        let now = self.clock.now();
        let message = self.db.read(move |c| load(c, link, now)).await?;
        match message.mailbox {
            // The account may have been taken back between two of the statements.
            Mailbox::Void => self.db.read(move |c| load(c, link, now)).await,
            _ => Ok(message),
        }
    }

    /// Sets a new password through a mailbox, ends every session, and voids every other link and
    /// ticket that sets one. `granted` is what the ticket was issued for.
    ///
    /// # Errors
    /// [`Error::NotFound`] when a password was set through a mailbox since, or the mailbox is no
    /// longer the one that may.
    pub async fn set_password_by_grant(
        &self,
        granted: &PasswordGrant,
        hash: PasswordHash,
        origin: Origin,
        context: AlertContext,
    ) -> Result<Vec<Session>> {
        let now = self.clock.now();
        let accounts = self.clone();
        let granted = granted.clone();
        self.db
            .transaction(move |c| {
                let user = people::store::lock(c, granted.user)?;
                let is_current = user.password_links_void_before == granted.void_before;
                if !is_current || !is_designated(c, &user, &granted.recipient, now)? {
                    return Err(Error::NotFound);
                }
                let link = LinkId::from_bytes(granted.message);
                people::store::record_used_link(c, link, LinkAct::PasswordSet, now)?;
                accounts.set_from_outside(c, &user, &hash, (&origin, context), now)
            })
            .await
    }
}

/// What a link was sent in.
struct Sent {
    user: UserId,
    recipient: String,
    at: Timestamp,
    alerts: Vec<Alert>,
    /// `None` for a link from before messages had ids.
    message: Option<MailId>,
}

/// Returns what a link was sent in, if its topic has such a link.
fn get_sent(c: &mut AnyConnection, link: MessageLink) -> Result<Sent> {
    match link {
        MessageLink::Message(id) => {
            let queued = mail::store::get(c, id)?;
            let alerts = match queued.topic() {
                Some(MessageTopic::Alert(alert)) => vec![alerts::store::get(c, alert)?],
                Some(MessageTopic::SignIns) => alerts::store::list_summarized(c, id)?,
                Some(MessageTopic::TakeBack | MessageTopic::EmailTaken) => Vec::new(),
                _ => return Err(Error::NotFound),
            };
            Ok(Sent {
                user: queued.user_id,
                recipient: queued.recipient,
                at: queued.created_at,
                alerts,
                message: Some(id),
            })
        }
        MessageLink::Alert(id) => {
            let alert = alerts::store::get(c, id)?;
            Ok(Sent {
                user: alert.user_id,
                recipient: alert.email.clone(),
                at: alert.at,
                alerts: vec![alert],
                message: None,
            })
        }
    }
}

/// Loads the message of a link, and what its mailbox is to the account now.
fn load(c: &mut AnyConnection, link: MessageLink, now: Timestamp) -> Result<LinkedMessage> {
    let Sent {
        user,
        recipient,
        at,
        alerts,
        message,
    } = get_sent(c, link)?;
    let user = people::store::get(c, user)?;
    let mailbox = Mailbox::from(standing(c, &user, &recipient, now)?);
    if mailbox == Mailbox::Own && now.since(at) > LINK_LIFETIME {
        return Err(Error::NotFound);
    }
    let is_asking = |alert: &Alert| alert.is_open() && alert.kind.is_sign_in();
    let is_in_doubt = mailbox == Mailbox::Own
        && alerts.iter().any(is_asking)
        && is_mailbox_doubtful(c, user.id, now)?;
    let has_former = find_senior(c, &user, now)?.is_some();
    let sent = (recipient.as_str(), at);
    let may_set_password = message.is_some() && may_set_password(c, &user, sent, now)?;
    let is_designated = is_designated(c, &user, &recipient, now)?;
    let grant = message
        .filter(|_| is_designated)
        .map(|message| PasswordGrant {
            user: user.id,
            recipient,
            message: *message.as_bytes(),
            void_before: user.password_links_void_before,
        });
    Ok(LinkedMessage {
        user,
        mailbox,
        alerts,
        is_in_doubt,
        may_set_password,
        has_former,
        grant,
    })
}

impl From<Standing> for Mailbox {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Own => Self::Own,
            Standing::Former(former) => Self::Former {
                id: former.id,
                email: former.email,
                changed_at: former.changed_at,
                expires_at: former.expires_at,
            },
            Standing::None => Self::Void,
        }
    }
}

/// Finds the former address that the account gets back when these changes of the e-mail are reported: that
/// from before the oldest of them, if it can still take the account back.
pub(super) fn find_undoing(
    c: &mut AnyConnection,
    owner: UserId,
    reported: &[EmailChange],
    now: Timestamp,
) -> Result<Option<FormerEmail>> {
    let Some(oldest) = reported.iter().min_by_key(|change| change.at) else {
        return Ok(None);
    };
    let mut open = people::store::list_open_former(c, owner, now)?;
    open.retain(|former| former.email == oldest.former && former.changed_at == oldest.at);
    Ok(open.into_iter().next())
}
