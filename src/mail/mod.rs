//! Mail: messages, the queue in which they wait, and the SMTP server they are sent through.

pub(crate) mod content;
mod delivery;
mod links;
pub(crate) mod queue;
mod smtp;
pub(crate) mod store;
mod topic;

use std::sync::Arc;
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

pub use self::delivery::{Delivery, MessageSource};
pub use self::links::{MessageLink, MessageLinks, TICKET_LIFETIME};
use self::smtp::SmtpServer;
pub use self::smtp::{MailError, SmtpSession};
pub use self::store::QueuedMessage;
pub(crate) use self::topic::NewMessage;
pub use self::topic::{MessageKind, MessageTopic, Priority};
use crate::clock::Timestamp;
use crate::db::MailId;
use crate::error::{Error, Failure, Result};
use crate::settings::{MailSettings, Site};

/// The `Content-ID` of the logo.
const LOGO_ID: &str = "logo";

/// A message to be sent.
#[derive(Debug)]
pub struct EmailMessage {
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub plain: String,
    /// The same body as HTML.
    pub html: String,
}

/// Addresses messages and connects to the SMTP server.
pub struct Mailer {
    server: SmtpServer,
    from: Mailbox,
    site: Arc<Site>,
}

impl Mailer {
    /// Returns a mailer for the server in the settings; `None` where they name none. `hostname` is
    /// the name sent in EHLO. A sender without a name has that of the site.
    ///
    /// # Errors
    /// [`Error::Configuration`] when a setting can't be used; its message names the setting.
    pub fn new(settings: &MailSettings, site: Arc<Site>, hostname: &str) -> Result<Option<Self>> {
        let mut from: Mailbox = settings.from.parse().map_err(|err| {
            Error::Configuration(Failure::new(
                format!(
                    "mail.from is {:?}; allowed: an address, or a name and an address in angle brackets",
                    settings.from
                ),
                err,
            ))
        })?;
        from.name.get_or_insert_with(|| site.name.clone());
        let server = SmtpServer::new(settings, hostname)?;
        Ok(server.map(|server| Self { server, from, site }))
    }

    /// Returns the time limit of each step of an SMTP session.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.server.timeout()
    }

    /// Connects to the server, and authenticates where credentials are set.
    ///
    /// # Errors
    /// [`MailError`] when the server doesn't respond, or refuses the connection or the credentials.
    pub async fn connect(&self) -> Result<SmtpSession, MailError> {
        self.server.connect().await
    }

    /// Returns a message with its envelope. Its `Message-ID` is derived from `id`, so that it is
    /// the same at every attempt.
    ///
    /// # Errors
    /// [`MailError`] when `to` is not an address that mail can be sent to.
    pub fn address(
        &self,
        id: MailId,
        to: &str,
        message: EmailMessage,
        at: Timestamp,
    ) -> Result<Message, MailError> {
        let to: Address = to.parse().map_err(MailError::permanent)?;
        let mut addressed = Message::builder()
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .date((*at).into())
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(message.subject)
            .multipart(self.body(message.plain, message.html)?)
            .map_err(MailError::permanent)?;
        // Stops automatic responders from replying (RFC 3834).
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        addressed
            .headers_mut()
            .insert_raw(HeaderValue::new(name, "auto-generated".into()));
        Ok(addressed)
    }

    /// Returns the two forms of a message. That in HTML has the logo beside it: an image of a server
    /// would tell it when the message is read, and most mail programs block those.
    fn body(&self, plain: String, html: String) -> Result<MultiPart, MailError> {
        let Some((logo, media_type)) = content::inline_logo(&self.site) else {
            return Ok(MultiPart::alternative_plain_html(plain, html));
        };
        let media_type = media_type.parse().map_err(MailError::permanent)?;
        let logo = Attachment::new_inline(LOGO_ID.into()).body(logo.to_vec(), media_type);
        let related = MultiPart::related()
            .singlepart(SinglePart::html(html))
            .singlepart(logo);
        Ok(MultiPart::alternative()
            .singlepart(SinglePart::plain(plain))
            .multipart(related))
    }
}
