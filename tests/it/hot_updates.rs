//! The last use of a session, the most frequent write, changes no index.

use std::collections::BTreeSet;

use crate::support::prelude::*;
use crate::support::{eventually, run_async};

on_both!(app: no_index_contains_what_every_use_changes);

/// What every use of a session changes.
const CHANGED_BY_USES: [&str; 2] = ["last_used_at", "expires_at"];

async fn no_index_contains_what_every_use_changes(app: &TestApp) {
    let indexed = indexed_columns(&app.database);
    assert!(indexed.contains("last_used_bucket"), "{indexed:?}");
    for column in CHANGED_BY_USES {
        assert!(!indexed.contains(column), "{column} is in an index");
    }
}

/// Returns every column that an index of the sessions contains, or whose condition names it.
fn indexed_columns(database: &Database) -> BTreeSet<String> {
    let sql = match database.postgres_name() {
        Some(_) => {
            "SELECT attname::text AS value FROM pg_attribute, pg_index
             WHERE indrelid = 'user_sessions'::regclass AND attrelid = indrelid AND attnum > 0
                AND (attnum = ANY(indkey::int2[])
                    OR pg_get_expr(indpred, indrelid) ~ ('\\m' || attname || '\\M'))"
        }
        None => {
            "SELECT fields.name AS value FROM sqlite_schema AS indexes, pragma_table_info('user_sessions') AS fields
             WHERE indexes.type = 'index' AND indexes.tbl_name = 'user_sessions'
                AND (fields.name IN (SELECT name FROM pragma_index_info(indexes.name))
                    OR indexes.sql LIKE '% WHERE %' || fields.name || '%')"
        }
    };
    database.texts(sql).into_iter().flatten().collect()
}

/// A use within the same ten minutes as the last one, from the same place: PostgreSQL writes a new
/// version of the row into its page, and no index entry.
#[test]
fn a_use_in_the_same_ten_minutes_is_heap_only() {
    run_async(async {
        let app = TestApp::start(Database::postgres()).await;
        let ada = app.register("ada@example.org").await;
        let phone = app.login(&ada, IPHONE).await;
        for _ in 0..4 {
            app.advance(Duration::from_secs(60));
            phone.current().await.expect(200);
            app.flush().await;
        }
        let database = app.stop_and_keep_database().await;
        assert_eq!(heap_only_and_all(&database).await, (4, 4));
    });
}

/// Returns how many updates of sessions were heap-only, and how many there were. A connection reports
/// what it counted when it ends.
async fn heap_only_and_all(database: &Database) -> (i64, i64) {
    const OTHERS: &str =
        "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

    database.execute(&format!("SELECT pg_terminate_backend(pid) {OTHERS}"));
    let others = format!("SELECT count(*) AS value {OTHERS}");
    eventually("the connections have ended", async || {
        database.number(&others) == 0
    })
    .await;
    let count = |column: &str| {
        database.number(&format!(
            "SELECT {column} AS value FROM pg_stat_user_tables WHERE relname = 'user_sessions'"
        ))
    };
    (count("n_tup_hot_upd"), count("n_tup_upd"))
}
