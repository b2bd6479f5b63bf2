//! `rollcall key`

use clap::{Args, Subcommand};

use super::domain::block_on;
use super::error::{Result, about};
use super::output::print_json;
use crate::clock::{Clock, Timestamp};
use crate::db::Db;
use crate::error::Chain;
use crate::keys::{
    self, JWKS_MAX_AGE, KeyKind, NewKey, RELOAD_INTERVAL, Revocation, Rotation, Start,
};
use crate::settings::{DatabaseUrl, Settings};

#[derive(Subcommand)]
pub(super) enum Key {
    /// List the keys: id, kind, state, when made, used from when. Never the key
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Add a signing key and a cookie key to the secrets file
    ///
    /// Both are used after 6 minutes: every server has read them then (running servers read the file
    /// every 5 seconds), and a new signing key has been in the JWKS for longer than that may be
    /// cached. What older keys signed or sealed stays good, and they are deleted once nothing of it
    /// can be: signing keys after about an hour, cookie keys after 400 days.
    Rotate(Rotate),
    /// Delete a leaked key, at once on every running server (within 5 seconds)
    ///
    /// What it signed or sealed is refused from then on. Without a signing key, clients get a new
    /// access token with their refresh token. Without a cookie key, everybody who signed in under it
    /// has to sign in again, and its links in messages are void. A key that is in use is replaced by
    /// a new one, which is used at once.
    Revoke(Revoke),
    /// Create a new secrets file where it is lost: everybody has to sign in again
    Create,
}

#[derive(Args)]
pub(super) struct Rotate {
    /// Only the signing key, of access tokens
    #[arg(long)]
    signing: bool,
    /// Only the cookie key, of session cookies, refresh tokens, forms and links in messages
    #[arg(long)]
    cookie: bool,
    /// Use the new key at once, for one that may have leaked (then revoke the old one). Until all
    /// servers have read the file (5 seconds), and caches of the JWKS are over (5 minutes), what it
    /// signs may be refused
    #[arg(long)]
    now: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Revoke {
    /// The key's id, as `rollcall key list` prints it
    #[arg(value_name = "KID", allow_hyphen_values = true)]
    id: Option<String>,
    /// Every key in the secrets file, for one that has leaked
    #[arg(long)]
    all: bool,
}

impl Key {
    pub(super) fn run(self, settings: &Settings) -> Result<()> {
        let now = corrected_now(settings);
        match self {
            Self::List { json } => list(settings, now, json),
            Self::Rotate(rotate) => rotate.run(settings, now),
            Self::Revoke(revoke) => revoke.run(settings, now),
            Self::Create => create(settings, now),
        }
    }
}

/// Returns the time by the database's clock, by which the servers use the keys. Keys can be rotated
/// while the database is down.
fn corrected_now(settings: &Settings) -> Timestamp {
    let clock = Clock::system();
    if let DatabaseUrl::Postgres(_) = settings.database_url {
        let db = Db::new(&settings.database_url, &settings.database);
        if let Err(err) = block_on(db.correct_clock(&clock)) {
            eprintln!(
                "The clock could not be compared with the database's: {}",
                Chain(&err)
            );
        }
    }
    clock.now()
}

fn list(settings: &Settings, now: Timestamp, json: bool) -> Result<()> {
    let rows = keys::list_keys(settings, now)?;
    if json {
        return print_json(&rows);
    }
    let made = |row: &keys::KeyRow| {
        row.made_at
            .map_or_else(|| row.kind.setting().to_owned(), Timestamp::to_rfc3339)
    };
    let used_from = |row: &keys::KeyRow| row.used_from.map_or("-".into(), Timestamp::to_rfc3339);
    for row in rows {
        println!(
            "{}\t{}\t{}\tmade {}\tused from {}",
            row.id,
            row.kind,
            row.state,
            made(&row),
            used_from(&row)
        );
    }
    Ok(())
}

impl Rotate {
    fn run(self, settings: &Settings, now: Timestamp) -> Result<()> {
        let kinds: Vec<KeyKind> = [
            (self.signing, KeyKind::Signing),
            (self.cookie, KeyKind::Cookie),
        ]
        .into_iter()
        .filter_map(|(is_named, kind)| is_named.then_some(kind))
        .collect();
        let start = if self.now {
            Start::Now
        } else {
            Start::Announced
        };
        let Rotation { new, configured } = keys::rotate(settings, &kinds, start, now)?;
        for key in &new {
            print_new(key, now);
        }
        for kind in configured {
            eprintln!(
                "The {kind} key stays: the configuration gives it ({}), and the secrets file's are not used.",
                kind.setting()
            );
        }
        Ok(())
    }
}

impl Revoke {
    fn run(self, settings: &Settings, now: Timestamp) -> Result<()> {
        let Revocation { deleted, new } = match &self.id {
            Some(id) => {
                keys::revoke_key(settings, id, now).map_err(about("key with the id", id))?
            }
            None => keys::revoke_all_keys(settings, now)?,
        };
        for key in deleted {
            let (id, kind) = (key.id, key.kind);
            let refused = match kind {
                KeyKind::Signing => "access tokens that it signed",
                KeyKind::Cookie => {
                    "cookies, refresh tokens, open forms and links that it sealed or signed"
                }
            };
            eprintln!(
                "The {kind} key {id} is revoked: running servers refuse {refused} within {} seconds.",
                RELOAD_INTERVAL.as_secs()
            );
        }
        for key in &new {
            print_new(key, now);
        }
        Ok(())
    }
}

/// Prints what a new key is, and from when it is used.
fn print_new(key: &NewKey, now: Timestamp) {
    let NewKey {
        id,
        kind,
        used_from,
        count,
    } = key;
    let verb = match kind {
        KeyKind::Signing => "signs",
        KeyKind::Cookie => "seals",
    };
    let seconds = RELOAD_INTERVAL.as_secs();
    if *used_from > now {
        let minutes = used_from.since(now).as_secs() / 60;
        eprintln!(
            "New {kind} key {id}: running servers know it within {seconds} seconds; it {verb} from {used_from}, in {minutes} minutes. Keys of this kind in the file: {count}."
        );
        return;
    }
    let caches = match kind {
        KeyKind::Signing => format!(
            " A resource server that caches the JWKS may refuse what it signs for up to {} minutes.",
            JWKS_MAX_AGE.as_secs() / 60
        ),
        KeyKind::Cookie => String::new(),
    };
    eprintln!(
        "New {kind} key {id}: it {verb} at once, on running servers within {seconds} seconds.{caches} Keys of this kind in the file: {count}."
    );
}

fn create(settings: &Settings, now: Timestamp) -> Result<()> {
    keys::create(settings, now)?;
    eprintln!(
        "New keys are in {}. Back it up; whoever was signed in has to sign in again.",
        settings.secrets_path().display()
    );
    Ok(())
}
