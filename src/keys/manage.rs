//! Changes of the secrets file: its creation, new keys, and keys that are revoked. Running servers
//! read it again every few seconds.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::file::{self, StoredKey};
use super::key::{CookieKey, SigningKey};
use super::kind::{KeyKind, NewKey, Start};
use super::set::index_in_use;
use super::snapshot::Source;
use super::store;
use crate::clock::Timestamp;
use crate::db::Db;
use crate::error::{Error, Failure, Result};
use crate::settings::Settings;

/// How much longer a replaced key is stored than what it signed or sealed is valid, for clocks that
/// differ.
const RETENTION_MARGIN: Duration = Duration::from_secs(60 * 60);
/// The most keys of one kind: opening a forged cookie tries them all.
const MAX_KEYS: usize = 100;

/// The outcome of a rotation.
#[derive(Debug)]
pub struct Rotation {
    /// The new keys.
    pub new: Vec<NewKey>,
    /// The kinds that stay as they are, since the configuration sets their key.
    pub configured: Vec<KeyKind>,
}

/// A key that was deleted from the file.
#[derive(Debug)]
pub struct DeletedKey {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: KeyKind,
}

/// The outcome of revoking keys.
#[derive(Debug)]
pub struct Revocation {
    /// The keys that were deleted.
    pub deleted: Vec<DeletedKey>,
    /// The keys that replace those which were in use; used at once.
    pub new: Vec<NewKey>,
    /// The kinds that stay as they are, since the configuration sets their key.
    pub configured: Vec<KeyKind>,
}

/// What a key does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It signs or seals.
    #[strum(serialize = "in use")]
    InUse,
    /// Its time has not come; what it signs is accepted already.
    #[strum(serialize = "waiting")]
    Waiting,
    /// It only opens or verifies what it sealed or signed.
    #[strum(serialize = "old")]
    Old,
    /// The configuration sets the key of its kind, and it is not used.
    #[strum(serialize = "not used")]
    NotUsed,
}

/// A key, without its secret.
#[derive(Debug, Serialize)]
pub struct KeyRow {
    /// Its id; of a signing key the `kid`.
    pub id: String,
    /// Its kind.
    pub kind: KeyKind,
    /// When it was made; `None` for a key of the configuration.
    pub made_at: Option<Timestamp>,
    /// The time from which it is used; `None` for a key of the configuration.
    pub used_from: Option<Timestamp>,
    /// What it does now.
    pub state: KeyState,
}

/// Returns whether the service needs the secrets file, and it doesn't exist.
///
/// # Errors
/// [`Error::Secrets`] when that can't be found out.
pub fn is_file_missing(settings: &Settings) -> Result<bool> {
    let source = Source::from_settings(settings);
    Ok(source.needs_file() && file::is_missing(&source.path)?)
}

/// Verifies the keys in the settings, and in the secrets file if there is one.
///
/// # Errors
/// [`Error::Configuration`] and [`Error::Secrets`] when one is malformed.
pub fn check(settings: &Settings) -> Result<()> {
    Source::from_settings(settings).check()
}

/// Creates the secrets file with the first keys of a database. Of two processes that start
/// together, one uses the file of the other.
///
/// # Errors
/// [`Error::Secrets`] when the file can't be written, or keys were made for the database before and
/// the file is not there.
pub async fn create_first(settings: &Settings, db: &Db, now: Timestamp) -> Result<()> {
    let path = settings.secrets_path();
    let created = path.clone();
    let is_first = db
        .transaction(move |c| {
            let is_first = store::record_creation(c, now)? == 1;
            if is_first {
                file::create(&created, now)?;
            }
            Ok(is_first)
        })
        .await?;
    match is_first || !file::is_missing(&path)? {
        true => Ok(()),
        false => Err(missing(&path)),
    }
}

/// Returns the error for a file that is missing though keys were made for the database.
#[must_use]
pub fn missing(path: &Path) -> Error {
    let path = path.display();
    Error::Secrets(
        format!(
            "the secrets file {path} is missing, and keys were made for the database before; restore it from the backup, copy it from another node or name it with `secrets_file`. If it is lost, `rollcall key create` makes a new one, and everybody has to sign in again"
        )
        .into(),
    )
}

/// Creates the secrets file with new keys.
///
/// # Errors
/// [`Error::Secrets`] when there is one, or it can't be written.
pub fn create(settings: &Settings, now: Timestamp) -> Result<()> {
    let path = settings.secrets_path();
    match file::create(&path, now)? {
        true => Ok(()),
        false => Err(Error::Secrets(exists(&path).into())),
    }
}

/// Returns why no file is created at `path`, where there is one.
fn exists(path: &Path) -> String {
    let advice = match file::read(path) {
        Ok(_) => {
            "exists; `rollcall key rotate` adds new keys, `rollcall key revoke --all` replaces all"
        }
        Err(_) => {
            "exists, and is not a whole secrets file; restore it from the backup, or move it away first"
        }
    };
    format!("{} {advice}", path.display())
}

/// Adds a key of each of the `kinds` to the secrets file, and deletes those of which nothing can be
/// valid any more. For no kinds, both are rotated, except one that the configuration sets.
///
/// # Errors
/// [`Error::Configuration`] when the configuration sets all of these keys, or one that is named;
/// [`Error::Secrets`] when the file doesn't exist, can't be read, parsed or written, or has as many
/// keys as it may.
pub fn rotate(
    settings: &Settings,
    kinds: &[KeyKind],
    start: Start,
    now: Timestamp,
) -> Result<Rotation> {
    let all = <KeyKind as strum::VariantArray>::VARIANTS;
    let is_configured = |kind: &KeyKind| kind.is_configured(settings);
    let requested = if kinds.is_empty() { all } else { kinds };
    let (configured, rotated): (Vec<KeyKind>, Vec<KeyKind>) =
        requested.iter().partition(|kind| is_configured(kind));
    if let Some(kind) = configured.first()
        && (rotated.is_empty() || !kinds.is_empty())
    {
        return Err(is_set(*kind));
    }
    let new = file::edit(&settings.secrets_path(), |file| {
        let rotate = |kind: &KeyKind| {
            let cutoff = now - kind.lifetime(settings) - RETENTION_MARGIN;
            delete_outdated(kind.keys(file), cutoff);
            if kind.keys(file).len() >= MAX_KEYS {
                return Err(Error::Secrets(Failure::from(format!(
                    "the file has {MAX_KEYS} {kind} keys, the most that it may; what they sealed or signed can still be valid"
                ))));
            }
            kind.add(file, now, start)
        };
        rotated.iter().map(rotate).collect::<Result<Vec<_>>>()
    })?;
    Ok(Rotation { new, configured })
}

/// Deletes the keys that were replaced at or before `cutoff`.
fn delete_outdated(keys: &mut Vec<StoredKey>, cutoff: Timestamp) {
    let mut replaced_at = None;
    keys.retain(|key| {
        let is_needed = replaced_at.is_none_or(|at| at > cutoff);
        let used_from = key.used_from();
        replaced_at = Some(replaced_at.map_or(used_from, |at| used_from.min(at)));
        is_needed
    });
}

/// Deletes the key with that id from the secrets file. One that is in use is replaced by a new key,
/// which is used at once. A key of a kind that the configuration sets is not used, and stays.
///
/// # Errors
/// [`Error::NotFound`] when no key has the id; [`Error::Configuration`] when the configuration sets
/// the key, or that of its kind; [`Error::Secrets`] when the file doesn't exist, can't be read,
/// parsed or written.
pub fn revoke_key(settings: &Settings, id: &str, now: Timestamp) -> Result<Revocation> {
    for row in list_keys(settings, now)? {
        if row.id == id && row.kind.is_configured(settings) {
            return Err(is_set(row.kind));
        }
    }
    revoke_where(settings, now, |found| found == id)
}

/// Deletes every key of the secrets file, except of a kind that the configuration sets; new ones
/// are used at once.
///
/// # Errors
/// [`Error::Configuration`] when the configuration sets both; [`Error::Secrets`] when the file
/// doesn't exist, can't be read, parsed or written.
pub fn revoke_all_keys(settings: &Settings, now: Timestamp) -> Result<Revocation> {
    revoke_where(settings, now, |_| true)
}

fn revoke_where(
    settings: &Settings,
    now: Timestamp,
    is_revoked: impl Fn(&str) -> bool,
) -> Result<Revocation> {
    let all = <KeyKind as strum::VariantArray>::VARIANTS.iter().copied();
    let (configured, stored): (Vec<_>, Vec<_>) = all.partition(|kind| kind.is_configured(settings));
    if let ([], Some(kind)) = (&stored[..], configured.first()) {
        return Err(is_set(*kind));
    }
    file::edit(&settings.secrets_path(), |file| {
        let (mut deleted, mut new) = (Vec::new(), Vec::new());
        for kind in stored {
            let keys = std::mem::take(kind.keys(file));
            let in_use = index_in_use(keys.iter().map(StoredKey::used_from), now);
            let mut was_in_use = false;
            for (index, key) in keys.into_iter().enumerate() {
                let id = kind.id_of(&key)?;
                if is_revoked(&id) {
                    was_in_use |= in_use == Some(index);
                    deleted.push(DeletedKey { id, kind });
                } else {
                    kind.keys(file).push(key);
                }
            }
            if was_in_use {
                new.push(kind.add(file, now, Start::Now)?);
            }
        }
        match deleted.is_empty() {
            true => Err(Error::NotFound),
            false => Ok(Revocation {
                deleted,
                new,
                configured,
            }),
        }
    })
}

/// Lists the keys of the configuration and of the secrets file, newest first.
///
/// # Errors
/// [`Error::Configuration`] when a key of the configuration is malformed; [`Error::Secrets`] when
/// the file is needed and doesn't exist, can't be read or parsed.
pub fn list_keys(settings: &Settings, now: Timestamp) -> Result<Vec<KeyRow>> {
    let mut rows = configured_rows(settings)?;
    let source = Source::from_settings(settings);
    if !source.needs_file() && file::is_missing(&source.path)? {
        return Ok(rows);
    }
    let (mut file, _) = file::read(&source.path)?;
    for kind in <KeyKind as strum::VariantArray>::VARIANTS.iter().copied() {
        let keys = std::mem::take(kind.keys(&mut file));
        let in_use = index_in_use(keys.iter().map(StoredKey::used_from), now);
        for (index, key) in keys.iter().enumerate() {
            let state = match in_use {
                _ if kind.is_configured(settings) => KeyState::NotUsed,
                Some(found) if found == index => KeyState::InUse,
                _ if key.used_from() > now => KeyState::Waiting,
                _ => KeyState::Old,
            };
            rows.push(KeyRow {
                id: kind.id_of(key)?,
                kind,
                made_at: Some(key.made_at()),
                used_from: Some(key.used_from()),
                state,
            });
        }
    }
    Ok(rows)
}

fn configured_rows(settings: &Settings) -> Result<Vec<KeyRow>> {
    let row = |kind, id: String| KeyRow {
        id,
        kind,
        made_at: None,
        used_from: None,
        state: KeyState::InUse,
    };
    let mut rows = Vec::new();
    if let Some(key) = &settings.signing_key {
        let key = SigningKey::decode(key)?;
        rows.push(row(KeyKind::Signing, key.id().to_owned()));
    }
    if let Some(key) = &settings.cookie_key {
        let key = CookieKey::decode(key)?;
        rows.push(row(KeyKind::Cookie, key.id().to_owned()));
    }
    Ok(rows)
}

fn is_set(kind: KeyKind) -> Error {
    let setting = kind.setting();
    Error::Configuration(
        format!("the {kind} key is given by the configuration ({setting}); change it there").into(),
    )
}
