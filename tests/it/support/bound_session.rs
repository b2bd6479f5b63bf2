//! A bound session, and somebody who has a copy of its cookie: what many tests of bound sessions begin with.

use super::FIREFOX;
use super::app::{Person, TestApp};
use super::bound::{BOUND, use_https};
use super::bound_browser::BoundBrowser;
use super::database::Database;

pub struct BoundSession {
    pub app: TestApp,
    pub ada: Person,
    /// A browser whose bound cookie has been required for a second.
    pub owner: BoundBrowser,
    /// The session cookie of the owner, in another browser of the same kind.
    pub thief: BoundBrowser,
}

impl BoundSession {
    pub async fn start(database: Database) -> Self {
        let app = TestApp::start_with(database, use_https).await;
        let ada = app.register("ada@example.org").await;
        let owner = BoundBrowser::bound(&app, &ada, FIREFOX).await;
        let mut thief = owner.copied_to(&app, FIREFOX);
        thief.forget_cookie(BOUND);
        Self {
            app,
            ada,
            owner,
            thief,
        }
    }
}
