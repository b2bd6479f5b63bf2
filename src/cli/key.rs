//! `rollcall key`

use clap::{Args, Subcommand};

use super::domain::block_on;
use super::error::{CliError, Result, about};
use super::output::{message, print_json, print_line};
use crate::account;
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
    /// Both are used after 6 minutes: every server has read them then (running servers read the
    /// file every 5 seconds), and a new signing key has been in the JWKS for longer than that may
    /// be cached. What older keys signed or sealed stays good, and they are deleted once nothing of
    /// it can be: signing keys after about an hour, cookie keys after 400 days.
    Rotate(Rotate),
    /// Delete a leaked key, at once on every running server (within 5 seconds)
    ///
    /// What it signed or sealed is refused from then on. Without a signing key, clients get a new
    /// access token with their refresh token. Without a cookie key, everybody who signed in under
    /// it has to sign in again, and its links in messages are void. A key that is in use is
    /// replaced by a new one, which is used at once.
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
        let clock = Clock::system();
        let is_corrected = correct(&clock, settings);
        let now = clock.now();
        match self {
            Self::List { json } => list(settings, now, json),
            Self::Rotate(Rotate { now: false, .. }) if !is_corrected => Err(CliError::Invalid(
                "by this machine's clock alone a new key might be used before every server knows it; try again when the database can be reached, or use the key at once with --now".into(),
            )),
            Self::Rotate(rotate) => rotate.run(settings, now),
            Self::Revoke(revoke) => revoke.run(settings, now),
            Self::Create => create(settings, now),
        }
    }
}

/// Corrects the clock by the database's, by which the servers use the keys. Returns false, and says
/// why, when the database can't be reached.
fn correct(clock: &Clock, settings: &Settings) -> bool {
    let DatabaseUrl::Postgres(_) = settings.database_url else {
        return true;
    };
    let db = Db::new(&settings.database_url, &settings.database);
    let corrected = block_on(db.correct_clock(clock));
    if let Err(err) = &corrected {
        message!(
            "The clock could not be compared with the database's: {}",
            Chain(err)
        );
    }
    corrected.is_ok()
}

fn list(settings: &Settings, now: Timestamp, json: bool) -> Result<()> {
    let rows = keys::list_keys(settings, now)?;
    if json {
        return print_json(&rows);
    }
    for row in rows {
        let times = match (row.made_at, row.used_from) {
            (Some(made_at), Some(used_from)) => format!(
                "made {}\tused from {}",
                made_at.to_rfc3339(),
                used_from.to_rfc3339()
            ),
            _ => format!("set by {}", row.kind.setting()),
        };
        print_line!("{}\t{}\t{}\t{times}", row.id, row.kind, row.state)?;
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
        record(settings, ids(&new), Vec::new(), now);
        for key in &new {
            print_new(key, now);
        }
        print_configured(configured);
        Ok(())
    }
}

/// Prints which kinds stay as they are.
fn print_configured(kinds: Vec<KeyKind>) {
    for kind in kinds {
        message!(
            "The {kind} key stays: the configuration gives it ({}), and the secrets file's are not used. Change it there.",
            kind.setting()
        );
    }
}

impl Revoke {
    fn run(self, settings: &Settings, now: Timestamp) -> Result<()> {
        let Revocation {
            deleted,
            new,
            configured,
        } = match &self.id {
            Some(id) => {
                keys::revoke_key(settings, id, now).map_err(about("key with the id", id))?
            }
            None => keys::revoke_all_keys(settings, now)?,
        };
        let revoked = deleted.iter().map(|key| key.id.clone()).collect();
        record(settings, ids(&new), revoked, now);
        for key in deleted {
            let (id, kind) = (key.id, key.kind);
            let refused = match kind {
                KeyKind::Signing => "access tokens that it signed",
                KeyKind::Cookie => {
                    "cookies, refresh tokens, open forms and links that it sealed or signed"
                }
            };
            message!(
                "The {kind} key {id} is revoked: running servers refuse {refused} within {} seconds.",
                RELOAD_INTERVAL.as_secs()
            );
        }
        for key in &new {
            print_new(key, now);
        }
        print_configured(configured);
        discard_sent_links(settings);
        Ok(())
    }
}

/// Discards the links in messages, which the keys that are gone voided, so that whoever asks for
/// another gets one. A running server does so as well.
fn discard_sent_links(settings: &Settings) {
    let Some(db) = existing_database(settings) else {
        return;
    };
    if let Err(err) = block_on(account::discard_sent_links(&db)) {
        message!(
            "Whoever asked for a new password lately may get no other link until the one that was sent expires; the database says: {}",
            Chain(&err)
        );
    }
}

fn ids(keys: &[NewKey]) -> Vec<String> {
    keys.iter().map(|key| key.id.clone()).collect()
}

/// Records in the security log which keys were created and revoked.
fn record(settings: &Settings, created: Vec<String>, revoked: Vec<String>, now: Timestamp) {
    let Some(db) = existing_database(settings) else {
        return;
    };
    let recorded = account::record_service_keys(&db, created, revoked, now);
    if let Err(err) = block_on(recorded) {
        message!(
            "The security log does not say so; the database says: {}",
            Chain(&err)
        );
    }
}

/// Returns the database, if there is one: none is created for keys.
fn existing_database(settings: &Settings) -> Option<Db> {
    match &settings.database_url {
        DatabaseUrl::Sqlite(path) if !path.exists() => None,
        url => Some(Db::new(url, &settings.database)),
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
        message!(
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
    message!(
        "New {kind} key {id}: it {verb} at once, on running servers within {seconds} seconds.{caches} Keys of this kind in the file: {count}."
    );
}

fn create(settings: &Settings, now: Timestamp) -> Result<()> {
    keys::create(settings, now)?;
    let created = keys::list_keys(settings, now)?;
    let created = created.into_iter().map(|row| row.id).collect();
    record(settings, created, Vec::new(), now);
    let consequence = match (&settings.cookie_key, &settings.signing_key) {
        (None, _) => "Whoever was signed in has to sign in again.",
        (Some(_), None) => "Nobody has to sign in again: the configuration gives the cookie key.",
        (Some(_), Some(_)) => "They are not used: the configuration gives both keys.",
    };
    message!(
        "New keys are in {}. Back it up. {consequence}",
        settings.secrets_path().display()
    );
    discard_sent_links(settings);
    Ok(())
}
