//! The conversation with the mail server (SMTP, RFC 5321), in the steps that the queue must tell
//! apart: up to the letter's content nothing has been sent; after it, it may have been.

use std::fmt;
use std::fs;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};

use tokio::time::timeout;

use crate::error::{Error, Result};
use crate::settings::{MailSettings, MailTls, Secret};

/// Where letters go.
pub(super) struct MailServer {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    hello: ClientId,
    timeout: Duration,
}

enum Security {
    None,
    Starttls(TlsParameters),
    Implicit(TlsParameters),
}

/// What went wrong.
#[derive(Debug)]
pub struct Fault {
    words: String,
    kind: FaultKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FaultKind {
    /// The server says: not now.
    NotNow,
    /// The server says: never.
    Never,
    /// There was no answer.
    NoAnswer,
}

/// A server that listens.
pub struct Conversation {
    connection: AsyncSmtpConnection,
    timeout: Duration,
}

impl MailServer {
    /// The server of the settings, if they name one. `name` is what we are called ourselves.
    ///
    /// # Errors
    /// [`Error::Startup`] when the certificates can't be used, or half of the credentials is missing.
    pub(super) fn new(settings: &MailSettings, name: &str) -> Result<Option<Self>> {
        let Some(host) = settings.host.clone().filter(|host| !host.is_empty()) else {
            return Ok(None);
        };
        let security = match settings.tls {
            MailTls::None => Security::None,
            MailTls::Starttls => Security::Starttls(tls(settings, &host)?),
            MailTls::Implicit => Security::Implicit(tls(settings, &host)?),
        };
        let usual = match settings.tls {
            MailTls::None => 25,
            MailTls::Starttls => 587,
            MailTls::Implicit => 465,
        };
        Ok(Some(Self {
            host,
            port: settings.port.unwrap_or(usual),
            security,
            credentials: credentials(settings)?,
            hello: ClientId::Domain(name.to_owned()),
            timeout: settings.timeout,
        }))
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Connects, says who we are, and signs in where that is asked for.
    pub(super) async fn greet(&self) -> Result<Conversation, Fault> {
        in_time(self.timeout, self.connect()).await
    }

    async fn connect(&self) -> Result<Conversation, Fault> {
        let (implicit, starttls) = match &self.security {
            Security::None => (None, None),
            Security::Starttls(tls) => (None, Some(tls.clone())),
            Security::Implicit(tls) => (Some(tls.clone()), None),
        };
        let server = (self.host.as_str(), self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            server,
            Some(self.timeout),
            &self.hello,
            implicit,
            None,
        )
        .await?;
        if let Some(tls) = starttls {
            connection.starttls(tls, &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(Conversation {
            connection,
            timeout: self.timeout,
        })
    }
}

impl Conversation {
    /// Says from whom and to whom a letter is, and that its content comes next.
    ///
    /// # Errors
    /// When the server refuses or does not answer; then nothing was sent.
    pub async fn announce(&mut self, envelope: &Envelope) -> Result<(), Fault> {
        in_time(self.timeout, self.address(envelope)).await
    }

    async fn address(&mut self, envelope: &Envelope) -> Result<(), Fault> {
        let mut parameters = Vec::new();
        if envelope.to().iter().any(|to| !to.to_string().is_ascii()) {
            let server = self.connection.server_info();
            if !server.supports_feature(Extension::SmtpUtfEight) {
                return Err(Fault::never("the mail server takes no such address"));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let from = Mail::new(envelope.from().cloned(), parameters);
        // What the server has against us may be mended; it is nothing about the letter.
        let said = self.connection.command(from).await;
        said.map_err(|fault| Fault::from(fault).for_now())?;
        for to in envelope.to() {
            self.connection
                .command(Rcpt::new(to.clone(), Vec::new()))
                .await?;
        }
        self.connection.command(Data).await?;
        Ok(())
    }

    /// Gives the content; the server takes it or not.
    ///
    /// # Errors
    /// When the server refuses it. When it does not answer, it may have taken it.
    pub async fn give(&mut self, content: &[u8]) -> Result<(), Fault> {
        let giving = async {
            self.connection.message(content).await?;
            Ok(())
        };
        in_time(self.timeout, giving).await
    }

    /// Takes leave.
    pub async fn end(mut self) {
        // It has what it should have; how it says good-bye is its own business.
        let _ = timeout(self.timeout, self.connection.quit()).await;
    }
}

impl Fault {
    /// Something that no other try would change.
    pub(super) fn never(words: impl fmt::Display) -> Self {
        Self {
            words: words.to_string(),
            kind: FaultKind::Never,
        }
    }

    fn for_now(self) -> Self {
        let kind = match self.kind {
            FaultKind::Never => FaultKind::NotNow,
            kind => kind,
        };
        Self { kind, ..self }
    }

    /// Whether the server answered at all.
    pub fn is_an_answer(&self) -> bool {
        self.kind != FaultKind::NoAnswer
    }

    /// Whether trying again is of no use.
    pub fn is_for_good(&self) -> bool {
        self.kind == FaultKind::Never
    }
}

/// The library limits the time of connecting, not that of each answer.
async fn in_time<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    timeout(limit, step).await.unwrap_or_else(|_| {
        Err(Fault {
            words: "it did not answer in time".into(),
            kind: FaultKind::NoAnswer,
        })
    })
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.words)
    }
}

impl From<SmtpError> for Fault {
    fn from(fault: SmtpError) -> Self {
        let kind = match (fault.is_transient(), fault.is_permanent()) {
            (true, _) => FaultKind::NotNow,
            (_, true) => FaultKind::Never,
            _ => FaultKind::NoAnswer,
        };
        Self {
            words: fault.to_string(),
            kind,
        }
    }
}

fn tls(settings: &MailSettings, host: &str) -> Result<TlsParameters> {
    let wrong = |fault: &dyn fmt::Display| {
        let file = settings.ca_file.clone().unwrap_or_default();
        Error::Startup(format!(
            "mail.ca_file ({}) can't be used: {fault}",
            file.display()
        ))
    };
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(file) = &settings.ca_file {
        let pem = fs::read(file).map_err(|fault| wrong(&fault))?;
        let certificate = Certificate::from_pem(&pem).map_err(|fault| wrong(&fault))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters.build().map_err(|fault| wrong(&fault))
}

fn credentials(settings: &MailSettings) -> Result<Option<Credentials>> {
    let password = settings.password.as_ref().map(Secret::reveal);
    match (&settings.username, password) {
        (Some(name), Some(password)) => {
            Ok(Some(Credentials::new(name.clone(), password.to_owned())))
        }
        (None, None) => Ok(None),
        _ => Err(Error::Startup(
            "mail.username and mail.password go together; one is missing".into(),
        )),
    }
}
