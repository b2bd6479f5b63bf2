//! Statements that the database compiles once for each connection, or each time. Diesel stores a compiled
//! statement unless it may have any number of texts, which it assumes of every `UPDATE`; SQLite
//! compiles a stored one again whenever its `LIMIT` is bound.

use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A statement that has one text, or a few, so that it is compiled once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cached<Q>(Q);

/// Lets Diesel store the compiled `statement`. Its text must not vary with what is bound, or only
/// between a few texts: each of them stays in memory as long as the connection. It must return rows,
/// an `UPDATE` those of `RETURNING`: where it only counts, Diesel looks at a reference to the
/// statement, which doesn't say what the statement itself does.
pub(crate) fn cached<Q>(statement: Q) -> Cached<Q> {
    Cached(statement)
}

impl<Q, DB> QueryFragment<DB> for Cached<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

/// The statement's own: one without a static id is stored under its text.
impl<Q: QueryId> QueryId for Cached<Q> {
    type QueryId = Q::QueryId;

    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q: Query> Query for Cached<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> RunQueryDsl<C> for Cached<Q> {}

/// A statement that may have any number of texts, so that no compiled one is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uncached<Q>(Q);

/// Makes the database compile `statement` each time. One that is built of parts, each of which may be
/// there or not, needs this: Diesel would store as many texts as there are combinations.
pub(crate) fn uncached<Q>(statement: Q) -> Uncached<Q> {
    Uncached(statement)
}

impl<Q, DB> QueryFragment<DB> for Uncached<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        pass.unsafe_to_cache_prepared();
        self.0.walk_ast(pass)
    }
}

impl<Q> QueryId for Uncached<Q> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Uncached<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> RunQueryDsl<C> for Uncached<Q> {}

/// A query with a `LIMIT` that is part of its text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FirstRows<Q> {
    query: Q,
    max: u32,
}

/// Returns `query`, which must have no limit, limited to `max` rows. The limits of one query must be
/// few: each has a text of its own.
pub(crate) fn first_rows<Q>(query: Q, max: u32) -> FirstRows<Q> {
    FirstRows { query, max }
}

impl<Q, DB> QueryFragment<DB> for FirstRows<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.query.walk_ast(pass.reborrow())?;
        pass.push_sql(" LIMIT ");
        pass.push_sql(&self.max.to_string());
        Ok(())
    }
}

/// The type says nothing of the limit: the query is stored under its text.
impl<Q> QueryId for FirstRows<Q> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for FirstRows<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> RunQueryDsl<C> for FirstRows<Q> {}

/// Returns `values` with the last one repeated until their number is a power of two: SQLite's `IN`
/// has a parameter for each, and so has few texts.
pub(crate) fn in_few_sizes<T: Clone>(values: &[T]) -> Vec<T> {
    let mut padded = values.to_vec();
    if let Some(last) = values.last() {
        padded.resize(values.len().next_power_of_two(), last.clone());
    }
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_get_few_sizes_and_no_other_values() {
        assert!(in_few_sizes::<i32>(&[]).is_empty());
        assert_eq!(in_few_sizes(&[7]), [7]);
        assert_eq!(in_few_sizes(&[7, 8, 9]), [7, 8, 9, 9]);
        assert_eq!(in_few_sizes(&[1; 500]).len(), 512);
    }
}
