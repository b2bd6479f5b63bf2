//! What a start takes from the settings, and from the files that they name, before it writes anything: a
//! setting that can't be used leaves neither a database nor a secrets file behind.

use std::net::TcpListener;
use std::sync::Arc;

use super::{binding, metrics};
use crate::error::{Error, Failure, Result};
use crate::keys;
use crate::mail::Mailer;
use crate::people::Hasher;
use crate::settings::{Settings, Site};
use crate::user_agent::{DeviceParser, ParserThread};

/// The parts of the server that settings can be wrong about.
pub(super) struct Prepared {
    pub(super) listener: TcpListener,
    /// The listener of metrics; `None` when none is configured.
    pub(super) metrics: Option<TcpListener>,
    pub(super) site: Arc<Site>,
    pub(super) device_parser: ParserThread,
    pub(super) hasher: Hasher,
    /// `None` when no SMTP server is configured.
    pub(super) mailer: Option<Mailer>,
}

impl Prepared {
    /// Prepares the parts.
    ///
    /// # Errors
    /// [`Error::Configuration`] when a setting, or a file that it names, can't be used;
    /// [`Error::Startup`] when an address can't be bound; [`Error::Secrets`] when the secrets file
    /// can't be used; [`Error::Internal`] when a part can't be assembled.
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let site = Arc::new(Site::load(&settings.site)?);
        let host = settings.public_url.as_ref().and_then(|url| url.host_str());
        let mailer = Mailer::new(&settings.mail, site.clone(), host.unwrap_or("localhost"))?;
        let device_parser = device_parser(settings)?;
        keys::check(settings)?;
        Ok(Self {
            site,
            mailer,
            device_parser,
            hasher: Hasher::new(&settings.passwords)?,
            listener: binding::bind(settings.listen)?,
            metrics: settings.metrics.listen.map(metrics::bind).transpose()?,
        })
    }
}

fn device_parser(settings: &Settings) -> Result<ParserThread> {
    let parser = DeviceParser::load(settings.device_patterns.as_deref())
        .map_err(|err| Error::Configuration(Failure::new("device_patterns can't be used", err)))?;
    ParserThread::start(parser)
        .map_err(|err| Error::Startup(Failure::new("no thread for user agents", err)))
}
