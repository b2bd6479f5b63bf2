//! The sections of the settings, with their defaults.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::parse::{hosts, optional_address, span};
use super::values::{LogAddresses, LogFormat, MailTls, hide_secret};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// `[log]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// The filter of log events: a level, or directives such as `info,rollcall::jobs=debug`.
    pub filter: String,
    /// `human` or `json`.
    pub format: LogFormat,
    /// How much of a client's address the line of a request has at most: `whole`, `shortened` to its
    /// network, or `none`.
    pub addresses: LogAddresses,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            filter: "info".into(),
            format: LogFormat::default(),
            addresses: LogAddresses::default(),
        }
    }
}

/// `[forward_auth]`: applications behind a reverse proxy that verifies requests at `/auth/verify`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForwardAuthSettings {
    /// The hosts that sign-in may redirect back to, with the port where it is not the scheme's
    /// default.
    #[serde(deserialize_with = "hosts")]
    pub allowed_hosts: Vec<String>,
}

/// `[places]`: the places of IP addresses.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlaceSettings {
    /// MaxMind DB files with cities or countries (GeoLite2, DB-IP). The place of an address is
    /// taken from the first file that has one. A file is reloaded when it changes.
    pub files: Vec<PathBuf>,
    /// The header in which a trusted proxy sends the country's code. Empty: none.
    pub country_header: String,
    /// The header in which a trusted proxy sends the city. Empty: none.
    pub city_header: String,
}

/// `[mail]`: the SMTP server for messages about alerts. Without a host, no message is sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailSettings {
    /// The host name of the SMTP server.
    pub host: Option<String>,
    /// The port; the default of `tls` if not given.
    pub port: Option<u16>,
    /// How the connection is encrypted.
    pub tls: MailTls,
    /// A file with a certificate (PEM) that is trusted in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// The user name, for a server that requires authentication. Set together with `password`.
    pub username: Option<String>,
    /// The password of `username`.
    #[serde(serialize_with = "hide_secret")]
    pub password: Option<SecretString>,
    /// The sender (`From`): an address, which gets `site.name` as its name, or a name and an address
    /// in angle brackets.
    pub from: String,
    /// How long connecting, and each further step of the SMTP session, may take.
    #[serde(with = "span")]
    pub timeout: Duration,
    /// How long a message that can't be sent is retried.
    #[serde(with = "span")]
    pub give_up_after: Duration,
}

impl MailSettings {
    /// Returns whether messages are sent: whether an SMTP server is named.
    #[must_use]
    pub fn sends_mail(&self) -> bool {
        self.host.as_deref().is_some_and(|host| !host.is_empty())
    }
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            tls: MailTls::default(),
            ca_file: None,
            username: None,
            password: None,
            from: "rollcall@localhost".into(),
            timeout: Duration::from_secs(30),
            give_up_after: 2 * DAY,
        }
    }
}

/// `[accounts]`: e-mail addresses and lost passwords.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountSettings {
    /// Whether people who sign up may sign in only once their e-mail is verified. Needs
    /// `mail.host`.
    pub require_verified_email: bool,
    /// How long a former e-mail address is reserved, and can take the account back.
    #[serde(with = "span")]
    pub take_back_window: Duration,
    /// How long a link that resets a password is valid.
    #[serde(with = "span")]
    pub reset_lifetime: Duration,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self {
            require_verified_email: false,
            take_back_window: 7 * DAY,
            reset_lifetime: 30 * MINUTE,
        }
    }
}

/// `[database]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSettings {
    /// The number of connections of this node: all of them to PostgreSQL; those for reading to
    /// SQLite, which has one more for writing.
    pub connections: u32,
    /// How long a request waits for a free connection, and for a new one to open, before the
    /// response is 503.
    #[serde(with = "span")]
    pub connect_timeout: Duration,
    /// How long SQLite waits for a lock that another process holds.
    #[serde(with = "span")]
    pub busy_timeout: Duration,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self {
            connections: 8,
            connect_timeout: Duration::from_secs(5),
            busy_timeout: Duration::from_secs(5),
        }
    }
}

/// `[passwords]`: Argon2id. The defaults are OWASP's (Password Storage Cheat Sheet, 2024).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordSettings {
    /// The memory of one hash, in KiB. At least 8 for each lane.
    pub memory_kib: u32,
    /// The number of passes over that memory.
    pub iterations: u32,
    /// The number of lanes.
    pub parallelism: u32,
    /// The number of hashes computed at once. Each of their threads keeps `memory_kib` of memory.
    pub threads: usize,
    /// The number of hashes that may wait, of visitors and once more of those who are signed in;
    /// beyond it, the response is 503.
    pub queue: usize,
}

impl Default for PasswordSettings {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().min(4));
        Self {
            memory_kib: 19 * 1024,
            iterations: 2,
            parallelism: 1,
            threads,
            queue: 256,
        }
    }
}

/// `[throttles]`: how many tries are allowed: of passwords, and of forms that send mail or create
/// accounts. A try that was right doesn't count, so an office behind one address disturbs nobody.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThrottleSettings {
    /// The wrong passwords for an account before each further try has to wait: 1 second, then twice
    /// as long each time, up to 15 minutes.
    pub free_failures: u32,
    /// The tries that a network (an IPv4 address, an IPv6 `/64`) may make at once.
    pub network_burst: u32,
    /// How often a network may make one more.
    #[serde(with = "span")]
    pub network_interval: Duration,
    /// The requests that send mail or create an account which a network may make at once.
    pub mail_burst: u32,
    /// How often a network may make one more of these.
    #[serde(with = "span")]
    pub mail_interval: Duration,
    /// The tries that all networks together may make at once on this node.
    pub node_burst: u32,
    /// How often all networks together may make one more.
    #[serde(with = "span")]
    pub node_interval: Duration,
    /// The most networks that are remembered one by one; the others share an allowance.
    pub max_networks: usize,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        Self {
            free_failures: 5,
            network_burst: 50,
            network_interval: Duration::from_secs(1),
            mail_burst: 50,
            mail_interval: Duration::from_secs(10),
            node_burst: 500,
            node_interval: Duration::from_millis(20),
            max_networks: 100_000,
        }
    }
}

/// `[sessions]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionSettings {
    /// The idle limit: a session that is not used for this long ends.
    #[serde(with = "span")]
    pub idle_limit: Duration,
    /// The absolute limit: a session ends this long after sign-in, however much it is used.
    #[serde(with = "span")]
    pub absolute_limit: Duration,
    /// The idle limit with "Keep me signed in", and for clients of the API.
    #[serde(with = "span")]
    pub remembered_idle_limit: Duration,
    /// The absolute limit with "Keep me signed in", and for clients of the API.
    #[serde(with = "span")]
    pub remembered_absolute_limit: Duration,
    /// How long after giving their password a person needs no further step-up.
    #[serde(with = "span")]
    pub step_up_window: Duration,
    /// The maximum number of live sessions of a person; a new one beyond it ends the least recently
    /// used, and before it those that came from elsewhere since a sign-in that waits for an answer. 0: no
    /// limit.
    pub most_per_person: u32,
    /// How long an ended session is stored, where its owner can see it, before it is purged.
    #[serde(with = "span")]
    pub retention: Duration,
    /// How long a browser's proof of its key is good, where sessions are bound to browsers: with `https`
    /// only. 0: they are not.
    #[serde(with = "span")]
    pub bound_lifetime: Duration,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            idle_limit: 12 * HOUR,
            absolute_limit: 7 * DAY,
            remembered_idle_limit: 180 * DAY,
            remembered_absolute_limit: 365 * DAY,
            step_up_window: 10 * MINUTE,
            most_per_person: 100,
            retention: 90 * DAY,
            bound_lifetime: 10 * MINUTE,
        }
    }
}

/// `[events]`: the security log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventSettings {
    /// How long an event is stored. It outlives the session that it is about.
    #[serde(with = "span")]
    pub retention: Duration,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            retention: 400 * DAY,
        }
    }
}

/// `[tokens]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenSettings {
    /// How long an access token is valid, at most until its session expires.
    #[serde(with = "span")]
    pub access_lifetime: Duration,
    /// The grace period: how long a spent refresh token still gets its successor, for a lost
    /// response or two tabs.
    #[serde(with = "span")]
    pub refresh_grace: Duration,
    /// The `aud` of access tokens (RFC 9068).
    pub audience: String,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            access_lifetime: 5 * MINUTE,
            refresh_grace: Duration::from_secs(10),
            audience: "rollcall".into(),
        }
    }
}

/// `[metrics]`: metrics for operators, on a listener of their own.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsSettings {
    /// The address and port to serve `GET /metrics` at. `None`: they are not served.
    #[serde(deserialize_with = "optional_address")]
    pub listen: Option<SocketAddr>,
}

/// `[jobs]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobSettings {
    /// How often sessions are marked as expired, and ended sessions, alerts and devices past their
    /// retention are purged.
    #[serde(with = "span")]
    pub sweep_interval: Duration,
    /// The maximum number of rows that one transaction of the sweep changes.
    pub sweep_batch: u32,
    /// How often last uses are written; `last_used_at` lags by at most this.
    #[serde(with = "span")]
    pub flush_interval: Duration,
    /// How often the messages that are due are sent.
    #[serde(with = "span")]
    pub mail_interval: Duration,
    /// How often the files with places are checked for changes.
    #[serde(with = "span")]
    pub places_interval: Duration,
    /// How often the database is asked for bulk jobs while there are none.
    #[serde(with = "span")]
    pub bulk_interval: Duration,
}

impl Default for JobSettings {
    fn default() -> Self {
        Self {
            sweep_interval: MINUTE,
            sweep_batch: 1_000,
            flush_interval: Duration::from_secs(15),
            mail_interval: Duration::from_secs(5),
            places_interval: Duration::from_secs(30),
            bulk_interval: Duration::from_secs(1),
        }
    }
}
