//! An SMTP session (RFC 5321) in the steps that the queue must distinguish: until a message's
//! content is sent, the message has not been sent; from then on, it may have been.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use crate::error::{Error, Failure, Result};
use crate::settings::{MailSettings, MailTls};

/// The SMTP server that messages are sent through.
pub(super) struct SmtpServer {
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

/// An error of an SMTP session. Its source may contain text from the server.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct MailError {
    kind: MailErrorKind,
    source: Box<dyn std::error::Error + Send + Sync>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
enum MailErrorKind {
    /// The server refused temporarily (4xx).
    #[strum(to_string = "refused for now")]
    Transient,
    /// The server refused permanently (5xx), or the message can't be addressed.
    #[strum(to_string = "refused for good")]
    Permanent,
    /// The server could not be reached, or sent no valid response in time.
    #[strum(to_string = "no response")]
    NoResponse,
}

/// A connection to a server that accepts messages.
pub struct SmtpSession {
    connection: AsyncSmtpConnection,
    timeout: Duration,
}

impl SmtpServer {
    /// Returns the server in the settings; `None` where they name none. `hostname` is the name sent
    /// in EHLO.
    ///
    /// # Errors
    /// [`Error::Configuration`] when the CA file can't be used, or only one of user name and
    /// password is set.
    pub(super) fn new(settings: &MailSettings, hostname: &str) -> Result<Option<Self>> {
        let Some(host) = settings.host.clone().filter(|host| !host.is_empty()) else {
            return Ok(None);
        };
        let (security, default_port) = match settings.tls {
            MailTls::None => (Security::None, 25),
            MailTls::Starttls => (Security::Starttls(tls_parameters(settings, &host)?), 587),
            MailTls::Implicit => (Security::Implicit(tls_parameters(settings, &host)?), 465),
        };
        Ok(Some(Self {
            host,
            port: settings.port.unwrap_or(default_port),
            security,
            credentials: credentials(settings)?,
            hello: ClientId::Domain(hostname.to_owned()),
            timeout: settings.timeout,
        }))
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Connects, sends EHLO, and authenticates where credentials are set.
    pub(super) async fn connect(&self) -> Result<SmtpSession, MailError> {
        within(self.timeout, self.open_session()).await
    }

    async fn open_session(&self) -> Result<SmtpSession, MailError> {
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
        Ok(SmtpSession {
            connection,
            timeout: self.timeout,
        })
    }
}

impl SmtpSession {
    /// Sends a message's envelope, and the DATA command.
    ///
    /// # Errors
    /// [`MailError`] when the server refuses or does not respond, or a recipient's address is not
    /// ASCII and the server lacks SMTPUTF8 (RFC 6531); then the message was not sent.
    pub async fn send_envelope(&mut self, envelope: &Envelope) -> Result<(), MailError> {
        within(self.timeout, self.send_commands(envelope)).await
    }

    async fn send_commands(&mut self, envelope: &Envelope) -> Result<(), MailError> {
        let mut parameters = Vec::new();
        if envelope.to().iter().any(|to| !to.to_string().is_ascii()) {
            let server = self.connection.server_info();
            if !server.supports_feature(Extension::SmtpUtfEight) {
                return Err(MailError::permanent("the server has no SMTPUTF8"));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let from = Mail::new(envelope.from().cloned(), parameters);
        // Retried: a refused sender is an error of the configuration, not of this message.
        let sender = self.connection.command(from).await;
        sender.map_err(|err| MailError::from(err).into_transient())?;
        for to in envelope.to() {
            self.connection
                .command(Rcpt::new(to.clone(), Vec::new()))
                .await?;
        }
        self.connection.command(Data).await?;
        Ok(())
    }

    /// Sends a message's content.
    ///
    /// # Errors
    /// [`MailError`] when the server refuses it. When the server does not respond, it may have
    /// accepted the message.
    pub async fn send_content(&mut self, content: &[u8]) -> Result<(), MailError> {
        let sending = async {
            self.connection.message(content).await?;
            Ok(())
        };
        within(self.timeout, sending).await
    }

    /// Ends the session.
    pub async fn quit(mut self) {
        // The outcome of every message is known by now, so the response to QUIT doesn't matter.
        let _ = timeout(self.timeout, self.connection.quit()).await;
    }
}

impl MailError {
    /// Returns an error that every further attempt would have as well.
    pub(super) fn permanent(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            kind: MailErrorKind::Permanent,
            source: source.into(),
        }
    }

    fn into_transient(self) -> Self {
        let kind = match self.kind {
            MailErrorKind::Permanent => MailErrorKind::Transient,
            kind => kind,
        };
        Self { kind, ..self }
    }

    /// Returns whether this is anything but a missing response.
    #[must_use]
    pub fn is_response(&self) -> bool {
        self.kind != MailErrorKind::NoResponse
    }

    /// Returns whether every further attempt would fail as well.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.kind == MailErrorKind::Permanent
    }
}

impl From<SmtpError> for MailError {
    fn from(err: SmtpError) -> Self {
        let kind = match (err.is_transient(), err.is_permanent()) {
            (true, _) => MailErrorKind::Transient,
            (_, true) => MailErrorKind::Permanent,
            _ => MailErrorKind::NoResponse,
        };
        Self {
            kind,
            source: err.into(),
        }
    }
}

/// Limits the time of `step`: the library limits the time of connecting, but not of each response.
async fn within<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, MailError>>,
) -> Result<T, MailError> {
    timeout(limit, step).await.unwrap_or_else(|elapsed| {
        Err(MailError {
            kind: MailErrorKind::NoResponse,
            source: elapsed.into(),
        })
    })
}

fn tls_parameters(settings: &MailSettings, host: &str) -> Result<TlsParameters> {
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(file) = &settings.ca_file {
        let pem = fs::read(file).map_err(|err| unusable_ca_file(settings, err))?;
        let certificate =
            Certificate::from_pem(&pem).map_err(|err| unusable_ca_file(settings, err))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters
        .build()
        .map_err(|err| unusable_ca_file(settings, err))
}

fn unusable_ca_file(
    settings: &MailSettings,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    let file: PathBuf = settings.ca_file.clone().unwrap_or_default();
    Error::Configuration(Failure::new(
        format!("mail.ca_file ({}) can't be used", file.display()),
        source,
    ))
}

fn credentials(settings: &MailSettings) -> Result<Option<Credentials>> {
    let password = settings.password.as_ref();
    match (&settings.username, password) {
        (Some(name), Some(password)) => Ok(Some(Credentials::new(
            name.clone(),
            password.expose_secret().to_owned(),
        ))),
        (None, None) => Ok(None),
        _ => Err(Error::Configuration(Failure::because(
            "mail.username and mail.password go together; one is missing",
        ))),
    }
}
