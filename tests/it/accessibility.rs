//! Every page and every state of it in a real browser: no violation that axe-core finds, light and dark,
//! wide and narrow; no word broken and nothing cut on a narrow screen, with enlarged and spaced text.

mod measures;

use std::collections::BTreeSet;

use rollcall::server::routes::PAGES;

use crate::payloads::fields::Texts;
use crate::payloads::page;
use crate::payloads::rounds::become_visitor;
use crate::payloads::story::{Played, Stage};
use crate::payloads::strings::PAYLOADS;
use crate::payloads::table::NO_DOCUMENTS;
use crate::payloads::visits::{self, Visit};
use crate::support::prelude::*;
use crate::support::run_async;
use crate::support::webdriver::{Script, WebDriver};
use measures::Walk;

/// The page that a person without any history sees is another state.
const EMPTY: [&str; 3] = ["/devices", "/account", "/devices/sign-out-others"];

/// The pages are the same on either database.
#[test]
fn every_page_can_be_used_by_everybody() {
    run_async(async {
        let stage = Stage::start(Database::sqlite()).await;
        let driver = WebDriver::start();
        let browser = driver.open(&stage.app.base(), Script::On).await;
        page::prepare(&browser).await;
        let texts = Texts {
            round: 0,
            payload: &PAYLOADS[0],
        };
        let played = stage.play(texts).await;
        let mut walk = Walk::start(&browser).await;
        visit_all(&mut walk, &stage, &played, &visits::all(&played)).await;
        stage.app.advance(Duration::from_secs(11 * 60));
        let later = visits::after_a_while(&played);
        visit_all(&mut walk, &stage, &played, &later).await;
        of_newcomer(&mut walk, &stage).await;
        for message in &played.messages {
            page::open_html(&browser, &message.html()).await;
            walk.inspect(&format!("message {}", message.header("Subject")))
                .await;
        }
        stage.app.stop().await;
        of_setup(&mut walk).await;
        let wrong = [missing(&walk.visited), walk.wrong].concat();
        browser.close().await;
        assert!(
            wrong.is_empty(),
            "{} in all:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    });
}

/// A check that finds nothing on a bad page would prove nothing.
#[test]
fn what_is_wrong_is_found() {
    run_async(async {
        let driver = WebDriver::start();
        let browser = driver.open("", Script::On).await;
        page::prepare(&browser).await;
        for (html, sign) in [
            (
                "<p style='color: #999; background: #fff'>Too pale</p>",
                "color-contrast",
            ),
            ("<img src='data:,'>", "image-alt"),
            (
                "<button style='inline-size: 4ch; overflow-wrap: anywhere'>Administration</button>",
                "broken",
            ),
            (
                "<button style='inline-size: 4ch; overflow: hidden'>Administration</button>",
                "cut",
            ),
            ("<p style='inline-size: 40rem'>Too wide</p>", "sideways"),
        ] {
            let mut walk = Walk::start(&browser).await;
            let html = format!(
                "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1>{html}</main>"
            );
            page::open_html(&browser, &html).await;
            walk.inspect("page").await;
            let found = walk.wrong.join("\n");
            assert!(found.contains(sign), "{sign} is not found: {found}");
        }
        browser.close().await;
    });
}

/// Returns what stands on paper that should not, and what doesn't that should.
const ON_PAPER: &str = "
    const done = arguments[arguments.length - 1];
    const visible = (css) => [...document.querySelectorAll(css)]
        .filter((element) => element.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }))
        .map((element) => element.outerHTML.slice(0, 80));
    const found = visible('nav, button, input, .button, .skip').map((it) => `on paper: ${it}`);
    // Of a setting stays what is chosen, as text.
    const chosen = [...document.querySelectorAll('select')].map((select) => getComputedStyle(select));
    if (!chosen.length || !chosen.every((style) => style.appearance === 'none' && style.borderTopWidth === '0px')) found.push('a select with its control');
    if (visible('.facts').length < 2) found.push('no facts');
    if (visible('.site').length !== 1) found.push('no name of the service');
    const times = [...document.querySelectorAll('time[data-ago]')];
    const after = times.map((time) => getComputedStyle(time, '::after').content);
    if (!after.length || !after.every((text) => /\\d{4}/.test(text))) found.push(`no exact times: ${after}`);
    done(found);";

const FOCUSED: &str = "arguments[arguments.length - 1](document.activeElement.id);";

#[test]
fn paper_has_the_details_and_exact_times_and_no_controls() {
    run_async(async {
        let app = TestApp::start(Database::sqlite()).await;
        let ada = app.register("ada@example.org").await;
        app.signed_in_browser(&ada, IPHONE).await;
        app.advance(Duration::from_secs(3 * 60 * 60));
        let driver = WebDriver::start();
        let browser = driver.open(&app.base(), Script::On).await;
        browser.sign_in(&ada).await;
        let media = json!({"media": "print"});
        browser.command("Emulation.setEmulatedMedia", media).await;
        let found = browser.run(ON_PAPER, vec![]).await;
        assert_eq!(found, json!([]));
        browser.close().await;
        app.stop().await;
    });
}

#[test]
fn the_field_that_is_filled_in_first_has_the_focus() {
    run_async(async {
        let app = TestApp::start_with(Database::sqlite(), |settings| {
            settings.mail.host = Some("127.0.0.1".into());
        })
        .await;
        let driver = WebDriver::start();
        let browser = driver.open(&app.base(), Script::On).await;
        for (path, id) in [
            ("/sign-in", "email"),
            ("/sign-up", "full_name"),
            ("/forgot-password", "email"),
        ] {
            browser.open(path).await;
            assert_eq!(browser.run(FOCUSED, vec![]).await, json!(id), "{path}");
        }
        browser.close().await;
        app.stop().await;
    });
}

async fn visit_all(walk: &mut Walk<'_>, stage: &Stage, played: &Played, visits: &[Visit]) {
    let mut current = None;
    for visit in visits {
        if current != Some(visit.visitor) {
            become_visitor(walk.browser, stage, played, visit.visitor).await;
            current = Some(visit.visitor);
        }
        walk.browser.open(&visit.path).await;
        if let Some(form) = &visit.form {
            page::send(walk.browser, (&form.from, &form.action), &form.fields).await;
        }
        walk.inspect(visit.label).await;
    }
}

/// Visits as somebody who has signed in for the first time, and signs out again.
async fn of_newcomer(walk: &mut Walk<'_>, stage: &Stage) {
    let newcomer = stage.app.register("newcomer@example.org").await;
    walk.browser
        .command("Network.clearBrowserCookies", json!({}))
        .await;
    walk.browser.sign_in(&newcomer).await;
    for path in EMPTY {
        walk.browser.open(path).await;
        walk.inspect(&format!("{path} of a newcomer")).await;
    }
    page::send(walk.browser, ("/sign-out", "/sign-out"), &[]).await;
    walk.inspect("/sign-in after a sign-out").await;
}

/// Visits the page that makes the first administrator, which exists while there is none.
async fn of_setup(walk: &mut Walk<'_>) {
    let app = TestApp::start(Database::sqlite()).await;
    let path = format!("/setup/{}", app.setup_token().await);
    walk.browser.go_to(&format!("{}{path}", app.base())).await;
    walk.inspect("/setup/{token}").await;
    app.stop().await;
}

/// Returns every page of the route table that was not visited with success.
fn missing(visited: &BTreeSet<String>) -> Vec<String> {
    PAGES
        .iter()
        .filter(|route| route.method == "GET" && !NO_DOCUMENTS.contains(&route.path))
        .filter(|route| !visited.contains(route.path))
        .map(|route| {
            format!(
                "{}: a page that was not visited, or only its error was",
                route.path
            )
        })
        .collect()
}
