//! Every query of `nodes`.

use diesel::prelude::*;

use super::Node;
use crate::clock::Timestamp;
use crate::db::schema::nodes;
use crate::db::{AnyConnection, NodeId, on_each};
use crate::error::{Error, Failure, Result};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = nodes)]
struct Row {
    id: NodeId,
    name: String,
    version: String,
    listen: String,
    started_at: Timestamp,
    seen_at: Timestamp,
    clock_offset_ms: i64,
    jobs: String,
}

/// Inserts a node, or updates its row.
pub(super) fn insert_or_update(c: &mut AnyConnection, node: &Node) -> Result<()> {
    let jobs = serde_json::to_string(&node.jobs)
        .map_err(|err| Error::Internal(Failure::new("reports of jobs make no JSON", err)))?;
    let row = Row {
        id: node.id,
        name: node.name.clone(),
        version: node.version.clone(),
        listen: node.listen.clone(),
        started_at: node.started_at,
        seen_at: node.seen_at,
        clock_offset_ms: node.clock_offset_ms,
        jobs,
    };
    on_each!(c, c => diesel::insert_into(nodes::table)
        .values(&row)
        .on_conflict(nodes::id)
        .do_update()
        .set(&row)
        .execute(c))?;
    Ok(())
}

/// Lists nodes seen at `since` or later, oldest first, at most `limit`.
pub(super) fn list_seen_since(
    c: &mut AnyConnection,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Node>> {
    let rows: Vec<Row> = nodes::table
        .filter(nodes::seen_at.ge(since))
        .order((nodes::started_at, nodes::id))
        .limit(limit)
        .select(Row::as_select())
        .load(c)?;
    Ok(rows.into_iter().map(Node::from).collect())
}

/// Deletes the row of a node.
pub(super) fn delete(c: &mut AnyConnection, id: NodeId) -> Result<usize> {
    Ok(diesel::delete(nodes::table.find(id)).execute(c)?)
}

/// Deletes the rows of nodes not seen since `before`.
pub(super) fn purge(c: &mut AnyConnection, before: Timestamp) -> Result<usize> {
    Ok(diesel::delete(nodes::table.filter(nodes::seen_at.lt(before))).execute(c)?)
}

impl From<Row> for Node {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            version: row.version,
            listen: row.listen,
            started_at: row.started_at,
            seen_at: row.seen_at,
            clock_offset_ms: row.clock_offset_ms,
            // A node of another version may write what this one can't read.
            jobs: serde_json::from_str(&row.jobs).unwrap_or_default(),
        }
    }
}
