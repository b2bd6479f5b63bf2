//! A frequent request compiles no statement once its connection has executed it.

use rollcall::settings::Settings;

use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::statements::Statements;

on_both!(
    database: a_use_of_a_session_compiles_nothing,
    a_refresh_compiles_nothing,
    the_page_of_devices_compiles_nothing,
    history_in_pages_of_any_size_has_few_statements,
    signing_in_and_out_compiles_nothing,
    introspection_compiles_nothing,
    a_proxy_s_question_compiles_nothing,
    writing_last_uses_compiles_nothing,
);

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// As many executions as each statement has before none may be compiled.
const WARM_UP: usize = 2;

struct Fixture {
    app: TestApp,
    statements: Statements,
    ada: Person,
}

impl Fixture {
    /// Starts with one connection, whose statements are watched, and no job that disturbs.
    async fn start(database: Database) -> Self {
        let statements = Statements::watch(&database);
        let app = TestApp::start_with(database, |settings: &mut Settings| {
            settings.database.connections = 1;
            let jobs = &mut settings.jobs;
            for interval in [
                &mut jobs.sweep_interval,
                &mut jobs.flush_interval,
                &mut jobs.mail_interval,
                &mut jobs.places_interval,
            ] {
                *interval = A_DAY;
            }
        })
        .await;
        let ada = app.register("ada@example.org").await;
        Self {
            app,
            statements,
            ada,
        }
    }

    /// Repeats a request and expects that the last time no statement is compiled: neither one that
    /// Diesel doesn't store, nor a stored one whose `LIMIT` is bound, as SQLite does.
    async fn expect_compiled(&self, what: &str, mut request: impl AsyncFnMut()) {
        for _ in 0..WARM_UP {
            request().await;
        }
        self.statements.take();
        request().await;
        let executed = self.statements.take();
        assert!(!executed.is_empty(), "{what}: no statement was seen");
        let compiled: Vec<_> = executed
            .into_iter()
            .filter(|statement| {
                statement.is_compiled_anew
                    || statement.sql.contains("LIMIT ?")
                    || statement.sql.contains("LIMIT $")
            })
            .collect();
        assert!(compiled.is_empty(), "{what}: {compiled:#?}");
    }
}

async fn a_use_of_a_session_compiles_nothing(database: Database) {
    let fixture = Fixture::start(database).await;
    let phone = fixture.app.login(&fixture.ada, IPHONE).await;
    let request = async || {
        fixture.app.advance(Duration::from_secs(1));
        phone.current().await.expect(200);
    };
    fixture.expect_compiled("sessions/current", request).await;
    fixture.app.stop().await;
}

async fn a_refresh_compiles_nothing(database: Database) {
    let fixture = Fixture::start(database).await;
    let mut phone = fixture.app.login(&fixture.ada, IPHONE).await;
    let request = async || {
        fixture.app.advance(Duration::from_secs(60));
        phone.refresh().await;
        phone.current().await.expect(200);
    };
    fixture.expect_compiled("auth/refresh", request).await;
    fixture.app.stop().await;
}

async fn the_page_of_devices_compiles_nothing(database: Database) {
    let fixture = Fixture::start(database).await;
    let app = &fixture.app;
    let browser = app.signed_in_browser(&fixture.ada, FIREFOX).await;
    // Another session each time, and one that has ended.
    let request = async || {
        let other = app.login(&fixture.ada, IPHONE).await;
        app.login(&fixture.ada, IPHONE).await;
        let ended = format!("/api/v1/sessions/{}", other.id());
        other.delete(&ended).await;
        fixture.statements.take();
        browser.get("/devices").await.expect(200);
    };
    fixture.expect_compiled("/devices", request).await;
    fixture.app.stop().await;
}

async fn history_in_pages_of_any_size_has_few_statements(database: Database) {
    let fixture = Fixture::start(database).await;
    let device = fixture.app.login(&fixture.ada, FIREFOX).await;
    fixture.statements.take();
    for limit in 1..=60 {
        let path = format!("/api/v1/sessions/history?limit={limit}");
        device.get(&path).await.expect(200);
    }
    let mut texts: Vec<String> = fixture
        .statements
        .take()
        .into_iter()
        .map(|s| s.sql)
        .collect();
    texts.retain(|sql| sql.contains("ended_at") && sql.contains(" LIMIT "));
    texts.sort_unstable();
    texts.dedup();
    assert!((1..=6).contains(&texts.len()), "{texts:#?}");
    fixture.app.stop().await;
}

async fn signing_in_and_out_compiles_nothing(database: Database) {
    let fixture = Fixture::start(database).await;
    let app = &fixture.app;
    let browser = app.signed_in_browser(&fixture.ada, FIREFOX).await;
    let request = async || {
        app.login(&fixture.ada, IPHONE).await;
        let paths = browser.sign_out_paths().await;
        let response = browser.submit("/devices", &paths[0], &[]).await.expect(303);
        browser.follow(&response).await.expect(200);
    };
    fixture.expect_compiled("signing in and out", request).await;
    fixture.app.stop().await;
}

async fn introspection_compiles_nothing(database: Database) {
    let fixture = Fixture::start(database).await;
    let app = &fixture.app;
    let phone = app.login(&fixture.ada, IPHONE).await;
    let key = Program::with(&app.database).add_key(&["--name", "shop", "--scope", "tokens:any"]);
    let request = async || {
        // The use of a key is written once in a while.
        app.advance(Duration::from_secs(120));
        let form = [("token", phone.refresh_token.as_str())];
        let request = app.anyone().request("POST", "/oauth/introspect");
        let request = request.basic_auth(&key.id, Some(&key.secret)).form(&form);
        TestResponse::to(request).await.expect(200);
    };
    fixture.expect_compiled("introspection", request).await;
    fixture.app.stop().await;
}

async fn a_proxy_s_question_compiles_nothing(database: Database) {
    let fixture = Fixture::start(database).await;
    let phone = fixture.app.login(&fixture.ada, IPHONE).await;
    let request = async || {
        fixture.app.advance(Duration::from_secs(1));
        phone.get("/auth/verify").await.expect(200);
    };
    fixture.expect_compiled("/auth/verify", request).await;
    fixture.app.stop().await;
}

/// Of any number of sessions: the parameters of SQLite's `IN` are a power of two.
async fn writing_last_uses_compiles_nothing(database: Database) {
    let fixture = Fixture::start(database).await;
    let app = &fixture.app;
    let mut devices = Vec::new();
    for _ in 0..8 {
        devices.push(app.login(&fixture.ada, IPHONE).await);
    }
    let mut sizes = [8, 6, 5].into_iter();
    let request = async || {
        app.advance(Duration::from_secs(60));
        for device in devices.iter().take(sizes.next().expect("a size")) {
            device.current().await.expect(200);
        }
        fixture.statements.take();
        app.flush().await;
    };
    fixture.expect_compiled("writing last uses", request).await;
    fixture.app.stop().await;
}
