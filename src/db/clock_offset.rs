//! The offset of a node's clock from the database's. On PostgreSQL the database's clock decides, so
//! that all nodes have one time; SQLite has the clock of its only machine.

use diesel::prelude::*;

use super::connection::AnyConnection;
use super::types::sql;
use crate::clock::{Clock, Timestamp};
use crate::error::Result;

/// How often the clock is read for one measurement; the shortest round trip counts.
const SAMPLES: usize = 3;

diesel::define_sql_function! {
    /// Returns the time of the database's clock, not of the transaction's start.
    fn clock_timestamp() -> sql::Timestamptz;
}

/// A measured offset, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offset {
    /// The database's clock less the system's.
    micros: i64,
    /// The longest that `micros` can be wrong: half the round trip.
    error: i64,
}

impl Offset {
    /// Returns the correction of the system's clock: the present one, where that is within what the
    /// measurement can tell.
    pub(super) fn correction(self, present: i64) -> i64 {
        match present.saturating_sub(self.micros).saturating_abs() <= self.error {
            true => present,
            false => self.micros,
        }
    }
}

/// Measures the offset. Returns `None` on SQLite, for a fixed clock, and when the system's clock
/// was set during the measurement.
pub(super) fn measure(c: &mut AnyConnection, clock: &Clock) -> Result<Option<Offset>> {
    let AnyConnection::Postgres(c) = c else {
        return Ok(None);
    };
    let mut best: Option<Offset> = None;
    for _ in 0..SAMPLES {
        let Some(sent) = clock.uncorrected_micros() else {
            return Ok(None);
        };
        let read: Timestamp = diesel::select(clock_timestamp()).get_result(c)?;
        let received = clock.uncorrected_micros().unwrap_or(sent);
        let error = received.saturating_sub(sent) / 2;
        let offset = Offset {
            micros: read
                .timestamp_micros()
                .saturating_sub(sent.saturating_add(error)),
            error,
        };
        if received >= sent && best.is_none_or(|best| offset.error < best.error) {
            best = Some(offset);
        }
    }
    Ok(best)
}
