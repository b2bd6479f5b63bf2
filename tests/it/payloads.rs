//! Every field that somebody outside can set × script payloads, in a real browser: none may run, and
//! none may become an element or an attribute.
//!
//! The policy of pages (CSP) is bypassed, so that escaping alone is between a payload and its run; once
//! it is in force, and then nothing may come to its notice.

mod admin_visits;
mod administrator;
mod exports;
pub mod fields;
mod guards;
pub mod page;
pub mod rounds;
pub mod story;
pub mod strings;
pub mod table;
pub mod visits;

use crate::support::database::Database;
use crate::support::run_async;
use crate::support::webdriver::{Script, WebDriver};
use page::Policy;
use strings::PAYLOADS;

on_both!(
    database: no_payload_runs_on_any_page,
);

async fn no_payload_runs_on_any_page(database: Database) {
    rounds::play_all(database).await;
}

/// A payload that is harmless anyway would prove that nothing runs.
#[test]
fn every_payload_is_found_where_it_is_not_escaped() {
    run_async(async {
        let driver = WebDriver::start();
        let browser = driver.open("", Script::On).await;
        page::prepare(&browser).await;
        page::set_policy(&browser, Policy::Bypassed).await;
        for payload in &PAYLOADS {
            let pages = payload.runs.iter().chain(payload.plants);
            for (number, careless) in pages.enumerate() {
                let text = payload.marked(payload.text, "zq0000");
                let html = format!("<!doctype html>{}", careless.replace("{}", &text));
                let found = page::open_html(&browser, &html).await;
                let shown = format!("{} in {careless}", payload.name);
                assert!(!found.signs().is_empty(), "{shown} is not found");
                assert!(
                    found.has_run() || number >= payload.runs.len(),
                    "{shown} does not run"
                );
            }
        }
        // What the policy refuses is found as well.
        page::set_policy(&browser, Policy::InForce).await;
        let policy = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'\">";
        let html = format!("<!doctype html>{policy}<p>{}</p>", PAYLOADS[0].text);
        let found = page::open_html(&browser, &html).await;
        assert!(found.has_violations() && !found.has_run(), "{found:?}");
        browser.close().await;
    });
}
