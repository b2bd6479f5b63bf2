//! The migrations, up, down and up again.

use rollcall::db::migrate;
use rollcall::settings::DatabaseUrl;

use crate::support::prelude::*;

on_both!(database: migrating_up_down_and_up_again, migrating_twice_changes_nothing, several_nodes_migrate_at_once);

const TABLES: [&str; 3] = ["users", "user_sessions", "session_events"];

async fn migrating_up_down_and_up_again(database: Database) {
    let url = url(&database);
    migrate::run(&url).expect("up");
    assert_eq!(tables(&database), TABLES.len());
    migrate::revert_all(&url).expect("down");
    assert_eq!(tables(&database), 0);
    migrate::run(&url).expect("up again");
    assert_eq!(tables(&database), TABLES.len());

    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await.current().await.expect(200);
    app.stop().await;
}

async fn migrating_twice_changes_nothing(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await;
    migrate::run(&url(&app.database)).expect("nothing to do");
    assert_eq!(app.database.sessions_where("is_active"), 1);
    app.stop().await;
}

async fn several_nodes_migrate_at_once(database: Database) {
    let url = url(&database);
    std::thread::scope(|scope| {
        let nodes: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| migrate::run(&url).map(drop)))
            .collect();
        for node in nodes {
            node.join().expect("no panic").expect("up");
        }
    });
    assert_eq!(tables(&database), TABLES.len());
}

fn url(database: &Database) -> DatabaseUrl {
    database.url().parse().expect("a database URL")
}

/// Returns how many of [`TABLES`] there are.
fn tables(database: &Database) -> usize {
    let all = match database.postgres_name() {
        Some(_) => {
            "SELECT CAST(tablename AS TEXT) AS value FROM pg_tables WHERE schemaname = 'public'"
        }
        None => "SELECT name AS value FROM sqlite_master WHERE type = 'table'",
    };
    let found = database.texts(all);
    TABLES
        .iter()
        .filter(|table| found.iter().flatten().any(|name| name == *table))
        .count()
}
