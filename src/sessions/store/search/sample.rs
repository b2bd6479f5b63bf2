//! Estimates how many sessions satisfy a filter from a sample of the table.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Nullable};

use super::Backend;
use super::conditions::{Condition, satisfies};
use crate::db::AnyConnection;
use crate::error::Result;
use crate::sessions::search::criteria::Criteria;

/// The pages of PostgreSQL's table in a sample: about 15,000 rows.
const PAGES: i64 = 2_000;
/// The blocks of an SQLite table in a sample, and the row ids of each.
const BLOCKS: i64 = 64;
const BLOCK: i64 = 256;

/// Counts the rows of a sample that satisfy a condition.
struct CountOfSample {
    /// What chooses the rows, up to the condition.
    sample: String,
    condition: Condition,
}

impl QueryId for CountOfSample {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for CountOfSample {
    type SqlType = BigInt;
}

impl RunQueryDsl<AnyConnection> for CountOfSample {}

impl QueryFragment<Backend> for CountOfSample {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("SELECT count(*) FROM user_sessions ");
        out.push_sql(&self.sample);
        self.condition.walk_ast(out.reborrow())
    }
}

#[derive(QueryableByName)]
struct Size {
    #[diesel(sql_type = Nullable<BigInt>)]
    size: Option<i64>,
}

/// Estimates how many sessions satisfy a filter.
pub(in crate::sessions) fn estimate(c: &mut AnyConnection, criteria: &Criteria) -> Result<u64> {
    let (sample, sampled, all) = match c {
        AnyConnection::Postgres(c) => {
            let pages = size(diesel::sql_query(POSTGRES_PAGES).load(c)?);
            // Tenths of a thousandth of a percent are exact enough, and above zero.
            let percent = (PAGES * 100_000_000 / pages.max(1)).clamp(1, 100_000_000);
            let sample = format!(
                "TABLESAMPLE SYSTEM ({}.{:06}) WHERE ",
                percent / 1_000_000,
                percent % 1_000_000
            );
            (sample, percent, 100_000_000)
        }
        AnyConnection::Sqlite(c) => {
            let rows = size(diesel::sql_query(SQLITE_ROWS).load(c)?);
            let (blocks, sampled) = blocks(rows);
            (format!("WHERE ({blocks}) AND "), sampled, rows)
        }
    };
    let counted: i64 = CountOfSample {
        sample,
        condition: satisfies(criteria),
    }
    .get_result(c)?;
    let estimate = i128::from(counted) * i128::from(all) / i128::from(sampled.max(1));
    Ok(u64::try_from(estimate).unwrap_or_default())
}

const POSTGRES_PAGES: &str = "SELECT pg_relation_size('user_sessions') \
     / current_setting('block_size')::bigint AS size";
const SQLITE_ROWS: &str = "SELECT max(rowid) AS size FROM user_sessions";

fn size(rows: Vec<Size>) -> i64 {
    rows.first().and_then(|row| row.size).unwrap_or_default()
}

/// Returns the condition that a row is in the sample, whose blocks are spread over the whole table,
/// and how many row ids these have.
fn blocks(rows: i64) -> (String, i64) {
    if rows <= BLOCKS * BLOCK {
        return ("true".into(), rows);
    }
    let block = |index: i64| {
        let first = 1 + rows / BLOCKS * index;
        format!("rowid BETWEEN {first} AND {}", first + BLOCK - 1)
    };
    let blocks: Vec<String> = (0..BLOCKS).map(block).collect();
    (blocks.join(" OR "), BLOCKS * BLOCK)
}
