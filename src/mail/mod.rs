//! Mail: letters, and the server they are given to.

mod server;

use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

use self::server::MailServer;
pub use self::server::{Conversation, Fault};
use crate::db::{MailId, Timestamp};
use crate::error::{Error, Result};
use crate::settings::MailSettings;

/// What is to be sent.
#[derive(Debug)]
pub struct Letter {
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub plain: String,
    /// The same as HTML.
    pub html: String,
}

/// The way out.
pub struct Mailer {
    server: MailServer,
    from: Mailbox,
}

impl Mailer {
    /// The way that the settings tell, if they tell one. `name` is what we are called ourselves.
    ///
    /// # Errors
    /// [`Error::Startup`] that names what of the settings can't be used.
    pub fn new(settings: &MailSettings, name: &str) -> Result<Option<Self>> {
        let from = settings.from.parse().map_err(|_| {
            Error::Startup(format!(
                "mail.from is {:?}; allowed: an address, or a name and an address in angle brackets",
                settings.from
            ))
        })?;
        let server = MailServer::new(settings, name)?;
        Ok(server.map(|server| Self { server, from }))
    }

    /// How long the server may take for one step.
    pub fn timeout(&self) -> Duration {
        self.server.timeout()
    }

    /// Connects to the server.
    ///
    /// # Errors
    /// When it doesn't answer, or lets us not in.
    pub async fn connect(&self) -> Result<Conversation, Fault> {
        self.server.greet().await
    }

    /// A letter with its envelope. The same `id` makes the same message.
    ///
    /// # Errors
    /// When `to` is no address that mail can be sent to.
    pub fn message(
        &self,
        id: MailId,
        to: &str,
        letter: Letter,
        at: Timestamp,
    ) -> Result<Message, Fault> {
        let to: Address = to.parse().map_err(Fault::never)?;
        let mut message = Message::builder()
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .date((*at).into())
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject)
            .multipart(MultiPart::alternative_plain_html(letter.plain, letter.html))
            .map_err(Fault::never)?;
        // RFC 3834: so that nobody's absence is told to us.
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        message
            .headers_mut()
            .insert_raw(HeaderValue::new(name, "auto-generated".into()));
        Ok(message)
    }
}
