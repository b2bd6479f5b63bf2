//! The settings of each part, with their defaults.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::parse::span;
use super::values::{LogFormat, MailTls, hide_secret};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// `[log]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// What is logged: a level, or directives such as `info,rollcall::jobs=debug`.
    pub filter: String,
    /// `human` or `json`.
    pub format: LogFormat,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            filter: "info".into(),
            format: LogFormat::default(),
        }
    }
}

/// `[forward_auth]`: applications behind a reverse proxy that asks `/auth/verify`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForwardAuthSettings {
    /// Hosts that sign-in may lead back to, with the port where it is not the scheme's own.
    pub allowed_hosts: Vec<String>,
}

/// `[places]`: where addresses are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlaceSettings {
    /// MaxMind DB files with cities or countries (GeoLite2, DB-IP); the first that knows an address
    /// tells where it is. Read anew when they change.
    pub files: Vec<PathBuf>,
    /// The header in which a trusted proxy tells the country's code. Empty: none does.
    pub country_header: String,
    /// The header in which a trusted proxy tells the city. Empty: none does.
    pub city_header: String,
}

impl Default for PlaceSettings {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            country_header: "CF-IPCountry".into(),
            city_header: "CF-IPCity".into(),
        }
    }
}

/// `[mail]`: where alerts are sent through. None is sent without a host.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailSettings {
    /// The SMTP server.
    pub host: Option<String>,
    /// Its port; the usual one of `tls` if not given.
    pub port: Option<u16>,
    /// How the connection is encrypted.
    pub tls: MailTls,
    /// A file with certificates (PEM) that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Who we are to the server, if it asks.
    pub username: Option<String>,
    /// The password for it.
    #[serde(serialize_with = "hide_secret")]
    pub password: Option<SecretString>,
    /// What stands behind "From": an address, or a name and an address in angle brackets.
    pub from: String,
    /// How long the server may take for one answer.
    #[serde(with = "span")]
    pub timeout: Duration,
    /// How long mail that can't be sent is tried again.
    #[serde(with = "span")]
    pub give_up_after: Duration,
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
            from: "Rollcall <rollcall@localhost>".into(),
            timeout: Duration::from_secs(30),
            give_up_after: 2 * DAY,
        }
    }
}

/// `[database]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSettings {
    /// Connections of this node: to PostgreSQL in all, to SQLite for reading (one more writes).
    pub connections: u32,
    /// How long a request waits for a connection before it is answered 503.
    #[serde(with = "span")]
    pub connect_timeout: Duration,
    /// How long SQLite waits for another process's lock.
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
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// Hashes worked on at once; the memory all of them take is this times `memory_kib`.
    pub threads: usize,
    /// Hashes that may wait; one more is answered 503.
    pub queue: usize,
}

impl Default for PasswordSettings {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().min(8));
        Self {
            memory_kib: 19 * 1024,
            iterations: 2,
            parallelism: 1,
            threads,
            queue: 256,
        }
    }
}

/// `[sessions]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionSettings {
    /// A session not used for this long ends.
    #[serde(with = "span")]
    pub idle_limit: Duration,
    /// A session ends this long after sign-in, however much it is used.
    #[serde(with = "span")]
    pub absolute_limit: Duration,
    /// The idle limit with "Keep me signed in", and for the API's clients.
    #[serde(with = "span")]
    pub remembered_idle_limit: Duration,
    /// The absolute limit with "Keep me signed in", and for the API's clients.
    #[serde(with = "span")]
    pub remembered_absolute_limit: Duration,
    /// How long after giving the password a person may do what is sensitive without giving it again.
    #[serde(with = "span")]
    pub step_up_window: Duration,
    /// The most sessions a person may have; the one used longest ago makes room. 0: no limit.
    pub most_per_person: u32,
    /// How long an ended session stays to be seen by its owner.
    #[serde(with = "span")]
    pub retention: Duration,
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
        }
    }
}

/// `[tokens]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenSettings {
    /// How long an access token is good for.
    #[serde(with = "span")]
    pub access_lifetime: Duration,
    /// How long a spent refresh token still gets its successor: a lost answer, two tabs.
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

/// `[jobs]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobSettings {
    /// How often expired sessions are marked and old ones purged.
    #[serde(with = "span")]
    pub sweep_interval: Duration,
    /// Rows one statement of the sweeper touches at most.
    pub sweep_batch: u32,
    /// How often last uses are written; `last_used_at` lags by no more than this.
    #[serde(with = "span")]
    pub flush_interval: Duration,
    /// How often mail that is due is sent.
    #[serde(with = "span")]
    pub mail_interval: Duration,
    /// How often the file with places is looked at.
    #[serde(with = "span")]
    pub places_interval: Duration,
}

impl Default for JobSettings {
    fn default() -> Self {
        Self {
            sweep_interval: MINUTE,
            sweep_batch: 1_000,
            flush_interval: Duration::from_secs(15),
            mail_interval: Duration::from_secs(5),
            places_interval: Duration::from_secs(30),
        }
    }
}
