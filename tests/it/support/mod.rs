//! What the tests share: the application, its database and its clients.

pub mod admin;
pub mod api;
pub mod app;
pub mod application;
pub mod bound;
pub mod bound_browser;
pub mod bound_session;
pub mod browser;
pub mod bulk;
pub mod cookies;
pub mod database;
pub mod html;
pub mod mailed;
pub mod mmdb;
pub mod outage;
pub mod outgoing;
pub mod people_pages;
pub mod program;
pub mod proxy;
pub mod response;
pub mod sessions;
pub mod smtp;
pub mod source;
pub mod statements;
pub mod strangers;
mod template;
pub mod tls_proxy;
pub mod webdriver;

/// What most test modules need.
pub mod prelude {
    pub use std::time::Duration;

    pub use serde_json::json;

    pub use super::api::Device;
    pub use super::app::{PASSWORD, Person, TestApp};
    pub use super::browser::Browser;
    pub use super::database::Database;
    pub use super::response::TestResponse;
    pub use super::{FIREFOX, IPHONE};
}

/// Firefox on Windows.
pub const FIREFOX: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// Safari on iPhone.
pub const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 \
                          (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

/// Generates two tests from each function: `name::sqlite` and `name::postgres`.
///
/// A function after `app:` takes a running `&TestApp`; one after `database:` takes an empty
/// `Database` and starts what it needs. A function that is left out is unused, which the lints
/// refuse. Both tests compare with the same snapshots.
macro_rules! on_both {
    (app: $($name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::support::{app::TestApp, database::Database, run_async};

            #[test]
            fn sqlite() {
                on(Database::sqlite());
            }

            #[test]
            fn postgres() {
                on(Database::postgres());
            }

            fn on(database: Database) {
                run_async(async {
                    let app = TestApp::start(database).await;
                    super::$name(&app).await;
                    app.stop().await;
                });
            }
        }
    )+};
    (database: $($name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::support::{database::Database, run_async};

            #[test]
            fn sqlite() {
                run_async(super::$name(Database::sqlite()));
            }

            #[test]
            fn postgres() {
                run_async(super::$name(Database::postgres()));
            }
        }
    )+};
}

/// Runs a test in a separate actix system. An inline snapshot may be compared more than once in it.
pub fn run_async(test: impl Future<Output = ()>) {
    insta::allow_duplicates! { actix_web::rt::System::new().block_on(test) }
}

/// Repeats a check until it succeeds, for what happens outside the test's control and outside
/// its clock: a process that starts, a connection that is restored. Never use it to let time pass.
///
/// # Panics
/// When the check has not succeeded after about 30 seconds.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("after half a minute it is still not so: {what}");
}
