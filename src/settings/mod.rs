//! Every setting: from the file, the environment and the command line, validated once at startup.
//! The error for an invalid one contains its key, its value and what is allowed.

mod bounds;
pub mod color;
mod exposure;
mod parse;
mod sections;
mod site;
mod values;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use self::exposure::LibpqVariables;
pub use self::sections::{
    AccountSettings, DatabaseSettings, EventSettings, ForwardAuthSettings, JobSettings,
    LogSettings, MailSettings, MetricsSettings, PasswordSettings, PlaceSettings, SessionSettings,
    ThrottleSettings, TokenSettings,
};
pub use self::site::{Accent, Logo, LogoFormat, Shade, Site, SiteSettings};
use self::values::hide_secret;
pub use self::values::{DatabaseUrl, LogAddresses, LogFormat, MailTls, TrustedHeader};
use crate::error::{Error, Failure, Result};

/// What the names of cookies begin with, where `cookie_prefix` isn't set.
pub const DEFAULT_COOKIE_PREFIX: &str = "rollcall";

/// The file that is read when no other is named. It need not exist.
pub const DEFAULT_FILE: &str = "rollcall.toml";

/// All settings in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The address and port to listen at. Port 0 selects a free one.
    #[serde(deserialize_with = "parse::address")]
    pub listen: SocketAddr,
    /// `sqlite:PATH` or `postgres://…`.
    pub database_url: DatabaseUrl,
    /// The origin at which people reach the service, if not `listen`: `https://login.example.org`.
    /// With `https`, cookies are `Secure` and HSTS is sent.
    #[serde(deserialize_with = "parse::origin")]
    pub public_url: Option<Url>,
    /// The networks of the reverse proxies whose `trusted_header` is trusted.
    #[serde(deserialize_with = "parse::networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which these proxies state the client's address: `x-forwarded-for` or
    /// `forwarded`. The other is ignored, since a client can send it.
    pub trusted_header: TrustedHeader,
    /// Whether anybody may create an account.
    pub sign_up: bool,
    /// The file with the generated keys. By default it is beside an SQLite database, else in the
    /// working directory.
    pub secrets_file: Option<PathBuf>,
    /// Base64 of at least 32 random bytes, in place of the key in the secrets file.
    #[serde(serialize_with = "hide_secret")]
    pub cookie_key: Option<SecretString>,
    /// Base64 of an Ed25519 private key (PKCS#8), in place of the keys in the secrets file.
    #[serde(serialize_with = "hide_secret")]
    pub signing_key: Option<SecretString>,
    /// A file of user-agent patterns in place of the built-in ones, in the format of uap-core's
    /// `regexes.yaml`.
    pub device_patterns: Option<PathBuf>,
    /// The domain whose hosts all receive the cookie of forward-auth. `None` limits the cookie to
    /// this host. The session cookie never leaves it.
    #[serde(deserialize_with = "parse::cookie_domain")]
    pub cookie_domain: Option<String>,
    /// What the names of cookies begin with. Browsers send them to every port of a host.
    #[serde(deserialize_with = "parse::cookie_prefix")]
    pub cookie_prefix: String,
    /// Whether HSTS covers the subdomains of `public_url`'s host as well. Only with `https`.
    pub hsts_include_subdomains: bool,
    /// The most streams of changes that this node keeps open; beyond them, the response is 503.
    pub max_event_streams: usize,
    /// Whether a connection that others on its way could read prevents the start, in place of a
    /// warning.
    pub strict: bool,
    /// `[site]`
    pub site: SiteSettings,
    /// `[forward_auth]`
    pub forward_auth: ForwardAuthSettings,
    /// `[log]`
    pub log: LogSettings,
    /// `[accounts]`
    pub accounts: AccountSettings,
    /// `[database]`
    pub database: DatabaseSettings,
    /// `[passwords]`
    pub passwords: PasswordSettings,
    /// `[throttles]`
    pub throttles: ThrottleSettings,
    /// `[sessions]`
    pub sessions: SessionSettings,
    /// `[events]`
    pub events: EventSettings,
    /// `[tokens]`
    pub tokens: TokenSettings,
    /// `[places]`
    pub places: PlaceSettings,
    /// `[mail]`
    pub mail: MailSettings,
    /// `[metrics]`
    pub metrics: MetricsSettings,
    /// `[jobs]`
    pub jobs: JobSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            database_url: DatabaseUrl::Sqlite("rollcall.db".into()),
            public_url: None,
            trusted_proxies: Vec::new(),
            trusted_header: TrustedHeader::default(),
            sign_up: false,
            secrets_file: None,
            cookie_key: None,
            signing_key: None,
            device_patterns: None,
            cookie_domain: None,
            cookie_prefix: DEFAULT_COOKIE_PREFIX.into(),
            hsts_include_subdomains: false,
            max_event_streams: 2_000,
            strict: false,
            site: SiteSettings::default(),
            forward_auth: ForwardAuthSettings::default(),
            log: LogSettings::default(),
            accounts: AccountSettings::default(),
            database: DatabaseSettings::default(),
            passwords: PasswordSettings::default(),
            throttles: ThrottleSettings::default(),
            sessions: SessionSettings::default(),
            events: EventSettings::default(),
            tokens: TokenSettings::default(),
            places: PlaceSettings::default(),
            mail: MailSettings::default(),
            metrics: MetricsSettings::default(),
            jobs: JobSettings::default(),
        }
    }
}

/// The settings given on the command line, which take precedence over all others.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--config`
    pub file: Option<PathBuf>,
    /// `--listen`
    pub listen: Option<String>,
    /// `--database`
    pub database_url: Option<String>,
}

impl Settings {
    /// Loads the settings from the file (`rollcall.toml` if none is named), `ROLLCALL_*`,
    /// `DATABASE_URL` and the command line, and validates them. A later source takes precedence.
    ///
    /// # Errors
    /// [`Error::Configuration`] when a setting is invalid, which the message names, or the named
    /// file can't be read.
    pub fn load(overrides: Overrides) -> Result<Self> {
        let named = overrides.file.is_some();
        let file = overrides
            .file
            .unwrap_or_else(|| Path::new(DEFAULT_FILE).into());
        check_readable(&file, named)?;
        let environment = config::Environment::with_prefix("ROLLCALL")
            .prefix_separator("_")
            .separator("__")
            .list_separator(",")
            .with_list_parse_key("trusted_proxies")
            .with_list_parse_key("forward_auth.allowed_hosts")
            .with_list_parse_key("places.files")
            .try_parsing(true)
            .source(Some(variables()));
        let database_url = database_url_variable();
        let settings: Self = config::Config::builder()
            .add_source(
                config::File::from(file)
                    .format(config::FileFormat::Toml)
                    .required(named),
            )
            .add_source(environment)
            .set_override_option("database_url", overrides.database_url.or(database_url))
            .and_then(|builder| builder.set_override_option("listen", overrides.listen))
            .and_then(config::ConfigBuilder::<config::builder::DefaultState>::build)
            .and_then(config::Config::try_deserialize)
            .map_err(unusable)?;
        bounds::check(&settings)?;
        site::check(&settings.site)?;
        Ok(settings)
    }

    /// Returns whether people reach the service over HTTPS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url
            .as_ref()
            .is_some_and(|url| url.scheme() == "https")
    }

    /// Returns whether only this machine reaches the service, by `listen` and `public_url`.
    #[must_use]
    pub fn is_for_this_machine(&self) -> bool {
        exposure::is_for_this_machine(self.listen, self.public_url.as_ref())
    }

    /// Returns the settings in force as TOML, without secrets.
    ///
    /// # Errors
    /// [`Error::Internal`] when they can't be serialized.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self)
            .map_err(|err| Error::Internal(Failure::new("the settings are not TOML", err)))
    }

    /// Returns the origin at which people reach a server that listens at `address`, without a
    /// trailing slash.
    #[must_use]
    pub fn origin(&self, address: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{address}"),
        }
    }

    /// Returns the path of the secrets file: the configured one, else one beside an SQLite
    /// database, else one in the working directory.
    #[must_use]
    pub fn secrets_path(&self) -> PathBuf {
        match (&self.secrets_file, &self.database_url) {
            (Some(path), _) => path.clone(),
            (None, DatabaseUrl::Sqlite(database)) => database.with_extension("secrets"),
            (None, DatabaseUrl::Postgres(_)) => "rollcall.secrets".into(),
        }
    }

    /// Returns what is not encrypted on its way through a network, each with the setting that
    /// changes it. With `strict` it is an error instead.
    ///
    /// # Errors
    /// [`Error::Configuration`] with all of them, when there are any and `strict` is set.
    pub fn exposures(&self) -> Result<Vec<String>> {
        let libpq = LibpqVariables::from_environment();
        let found: Vec<String> = [
            exposure::of_listener(self.listen, self.is_https()),
            exposure::of_metrics(self.metrics.listen),
            exposure::of_database(&self.database_url, &libpq),
            exposure::of_mail(&self.mail),
        ]
        .into_iter()
        .flatten()
        .collect();
        match self.strict && !found.is_empty() {
            true => Err(Error::Configuration(
                format!("strict is set, and {}", found.join("; ")).into(),
            )),
            false => Ok(found),
        }
    }
}

/// Verifies that the configuration file can be read. One that is not named may be missing.
fn check_readable(file: &Path, is_named: bool) -> Result<()> {
    match std::fs::read(file) {
        Ok(_) => Ok(()),
        Err(err) if err.kind() == std::io::ErrorKind::NotFound && !is_named => Ok(()),
        Err(err) => Err(Error::Configuration(Failure::new(
            format!("the configuration file {} can't be read", file.display()),
            err,
        ))),
    }
}

/// Returns the error of settings that can't be used. What the file is wrong in is not quoted: the
/// line may have a secret.
fn unusable(err: config::ConfigError) -> Error {
    const MESSAGE: &str = "the configuration is wrong";

    let config::ConfigError::FileParse { uri, cause } = &err else {
        return Error::Configuration(Failure::new(MESSAGE, err));
    };
    let text = cause.to_string();
    let file = uri.as_deref().unwrap_or("its file");
    let position = text.lines().next().unwrap_or_default();
    Error::Configuration(Failure::from(format!("{MESSAGE}: {file}: {position}")))
}

/// Returns `DATABASE_URL`, unless it is empty.
#[expect(clippy::disallowed_methods, reason = "it is a setting")]
fn database_url_variable() -> Option<String> {
    std::env::var("DATABASE_URL")
        .ok()
        .filter(|url| !url.is_empty())
}

/// Returns the variables that are settings: every `ROLLCALL_*` except `ROLLCALL_CONFIG`, which
/// names the file.
#[expect(clippy::disallowed_methods, reason = "they are settings")]
fn variables() -> std::collections::HashMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("ROLLCALL_") && name != "ROLLCALL_CONFIG")
        .collect()
}
