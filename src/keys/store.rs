//! Every query of `key_creations`: whether keys were made for the database.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::key_creations;
use crate::db::{AnyConnection, on_each};
use crate::error::Result;

/// The only row.
const ID: i32 = 1;

/// Records that keys are made. Returns how many rows were inserted: 0 when they were made before.
pub(super) fn record_creation(c: &mut AnyConnection, now: Timestamp) -> Result<usize> {
    let row = (key_creations::id.eq(ID), key_creations::created_at.eq(now));
    Ok(on_each!(c, c => diesel::insert_into(key_creations::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?)
}
