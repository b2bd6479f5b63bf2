//! Locks between nodes: on PostgreSQL, an advisory lock that ends with its transaction. SQLite
//! needs none, since a file has one writer at a time.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use sha2::{Digest, Sha256};

use super::connection::AnyConnection;
use crate::error::Result;

diesel::define_sql_function! {
    /// Takes a lock that PostgreSQL releases at the end of the transaction. Returns false when
    /// another transaction holds it.
    fn pg_try_advisory_xact_lock(key: BigInt) -> Bool;
}

/// Work that only one node at a time may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeLock {
    /// Marking expired sessions and purging old rows.
    Sweep,
    /// Adding what happened to the counters' totals.
    Counters,
}

impl NodeLock {
    /// Returns the lock's key: eight ASCII letters.
    fn key(self) -> i64 {
        match self {
            Self::Sweep => i64::from_be_bytes(*b"rollswep"),
            Self::Counters => i64::from_be_bytes(*b"rollcnts"),
        }
    }
}

/// Takes `lock` until the transaction ends. Returns false when another node holds it; on SQLite
/// always true.
pub(super) fn try_lock(connection: &mut AnyConnection, lock: NodeLock) -> Result<bool> {
    match connection {
        AnyConnection::Postgres(c) => {
            Ok(diesel::select(pg_try_advisory_xact_lock(lock.key())).get_result(c)?)
        }
        AnyConnection::Sqlite(_) => Ok(true),
    }
}

/// Takes the lock of `name` until the transaction ends, and waits for another transaction that
/// holds it; on SQLite a transaction that writes is alone anyway. To take it last in a transaction,
/// and only one, is what prevents deadlocks.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn lock_name(connection: &mut AnyConnection, name: &[&str]) -> Result<()> {
    if let AnyConnection::Postgres(c) = connection {
        let mut digest = Sha256::new();
        for part in name {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        let digest: [u8; 32] = digest.finalize().into();
        let [a, b, c1, d, e, f, g, h, ..] = digest;
        let key = i64::from_be_bytes([a, b, c1, d, e, f, g, h]);
        diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
            .bind::<BigInt, _>(key)
            .execute(c)?;
    }
    Ok(())
}
