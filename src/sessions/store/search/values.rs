//! The different values of a column, and how many rows a query has.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::db::{AnyConnection, on_each};
use crate::error::Result;
use crate::sessions::search::criteria::Part;

/// Counts the rows of a query with a limit.
#[derive(Debug, Clone, QueryId)]
pub(super) struct Counted<Q>(pub(super) Q);

impl<Q> Query for Counted<Q> {
    type SqlType = BigInt;
}

impl<Q, C> RunQueryDsl<C> for Counted<Q> {}

impl<Q: QueryFragment<DB>, DB: diesel::backend::Backend> QueryFragment<DB> for Counted<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("SELECT count(*) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") AS counted");
        Ok(())
    }
}

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// Lists the different texts in a column, at most `limit`: each is found by the one before it in the
/// column's index.
pub(in crate::sessions) fn list_values(
    c: &mut AnyConnection,
    column: &'static str,
    part: Part,
    limit: i64,
) -> Result<Vec<String>> {
    let part = match part {
        Part::Live => "is_active",
        Part::Ended => "NOT is_active",
        Part::Both => "true",
    };
    let next = format!("SELECT min({column}) AS value FROM user_sessions WHERE {part}");
    let statement = format!(
        "WITH RECURSIVE found AS ({next} UNION ALL \
         SELECT ({next} AND {column} > found.value) FROM found WHERE found.value IS NOT NULL) \
         SELECT value FROM found LIMIT {limit}"
    );
    let values: Vec<Value> = on_each!(c, c => diesel::sql_query(statement).load(c))?;
    Ok(values.into_iter().filter_map(|row| row.value).collect())
}
