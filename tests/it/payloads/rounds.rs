//! The rounds: with each payload everything is done, then every page is visited.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::fields::{Shown, Texts, plain};
use super::page::{self, Page, Policy};
use super::story::{Played, Stage};
use super::strings::{Aim, PAYLOADS};
use super::table::FIELDS;
use super::visits::{self, Visit, Visitor};
use super::{exports, guards};
use crate::support::prelude::*;
use crate::support::webdriver::{Chromium, Script, WebDriver};

/// What is found in all rounds.
#[derive(Default)]
pub struct Found {
    /// What is wrong.
    wrong: BTreeSet<String>,
    /// The labels of the visits that succeeded.
    pub visited: BTreeSet<&'static str>,
    /// Every field of a form that was seen.
    pub inputs: BTreeSet<String>,
    /// Where a mark was found, and whether the whole text was.
    seen: BTreeMap<(String, &'static str), bool>,
}

pub async fn play_all(database: Database) {
    let stage = Stage::start(database).await;
    let driver = WebDriver::start();
    let browser = driver.open(&stage.app.base(), Script::On).await;
    page::prepare(&browser).await;
    let mut found = Found::default();
    let is_first_database = stage.app.database.postgres_name().is_none();
    for (round, payload) in PAYLOADS.iter().enumerate() {
        if !is_first_database && payload.aim == Aim::Pages {
            continue;
        }
        let texts = Texts { round, payload };
        let played = stage.play(texts).await;
        exports::check(&stage, &played, &mut found).await;
        if payload.aim != Aim::Files {
            visit_all(&browser, &stage, &played, &mut found).await;
        }
        if round == 0 && is_first_database {
            exports::open_json(&browser, &stage, &played, &mut found).await;
            page::set_policy(&browser, Policy::InForce).await;
            visit(&browser, &stage, &played, &visits::all(&played), &mut found).await;
        }
        stage.app.advance(Duration::from_secs(11 * 60));
        if payload.aim != Aim::Files {
            page::set_policy(&browser, Policy::Bypassed).await;
            let later = visits::after_a_while(&played);
            visit(&browser, &stage, &played, &later, &mut found).await;
        }
        found.compare(texts);
    }
    guards::check(&mut found);
    browser.close().await;
    let Stage { app, .. } = stage;
    app.stop().await;
    let wrong: Vec<String> = found.wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn visit_all(browser: &Chromium, stage: &Stage, played: &Played, found: &mut Found) {
    page::set_policy(browser, Policy::Bypassed).await;
    visit(browser, stage, played, &visits::all(played), found).await;
    for message in &played.messages {
        let page = page::open_html(browser, &message.html()).await;
        found.add("mail", played.texts, &page);
    }
}

async fn visit(
    browser: &Chromium,
    stage: &Stage,
    played: &Played,
    visits: &[Visit],
    found: &mut Found,
) {
    let mut current = None;
    for visit in visits {
        if current != Some(visit.visitor) {
            become_visitor(browser, stage, played, visit.visitor).await;
            current = Some(visit.visitor);
        }
        browser.open(&visit.path).await;
        let page = match &visit.form {
            None => page::inspect(browser).await,
            Some(form) => page::send(browser, (&form.from, &form.action), &form.fields).await,
        };
        found.add(visit.label, played.texts, &page);
    }
}

/// Gives the browser the cookies of somebody who has signed in.
pub async fn become_visitor(browser: &Chromium, stage: &Stage, played: &Played, visitor: Visitor) {
    browser
        .command("Network.clearBrowserCookies", json!({}))
        .await;
    let owner = match visitor {
        Visitor::Nobody => return,
        Visitor::Victim => &played.victim,
        Visitor::Admin => &played.admin,
    };
    for name in ["rollcall_session", "rollcall_device"] {
        let value = owner.cookie(name).expect("a cookie");
        let cookie =
            json!({"name": name, "value": value, "url": stage.app.base(), "httpOnly": true});
        browser.command("Network.setCookie", cookie).await;
    }
}

impl Found {
    /// Adds what is wrong.
    pub fn report(&mut self, wrong: String) {
        self.wrong.insert(wrong);
    }

    /// Adds what shows in a page that a text was taken for markup.
    pub fn add_signs(&mut self, label: &'static str, texts: Texts, page: &Page) {
        let payload = texts.payload.name;
        for sign in page.signs() {
            self.report(format!("{label}: {payload}: {sign} ({})", page.address));
        }
    }

    /// Adds what is found in a page.
    pub fn add(&mut self, label: &'static str, texts: Texts, page: &Page) {
        self.add_signs(label, texts, page);
        if page.media_type == "text/html" {
            self.visited.insert(label);
        }
        self.inputs.extend(page.inputs.iter().cloned());
        self.add_texts(label, texts, &page.texts);
    }

    /// Adds which marks are in these texts.
    pub fn add_texts(&mut self, label: &'static str, texts: Texts, found: &[String]) {
        for field in FIELDS {
            let (mark, whole) = (texts.mark(field.name), plain(&texts.of(field.name)));
            let marked: Vec<&String> = found.iter().filter(|text| text.contains(&mark)).collect();
            if marked.is_empty() {
                continue;
            }
            let is_whole = marked.iter().any(|text| contains(text, &whole));
            *self.seen.entry((field.name.to_owned(), label)).or_default() |= is_whole;
        }
    }

    /// Compares where texts were found with where they should be, and begins anew.
    fn compare(&mut self, texts: Texts) {
        let payload = texts.payload.name;
        let is_due =
            |label: &&&str| texts.payload.aim != Aim::Files || exports::LABELS.contains(label);
        for field in FIELDS {
            let found =
                |label: &'static str| self.seen.get(&(field.name.to_owned(), label)).copied();
            let mut wrong = Vec::new();
            match field.shown {
                Shown::On(labels) => {
                    for label in labels.iter().copied().flatten().filter(is_due) {
                        match found(label) {
                            Some(true) => {}
                            Some(false) => wrong.push(format!("{label}: not whole")),
                            None => wrong.push(format!("{label}: not there")),
                        }
                    }
                }
                Shown::Nowhere(why) => {
                    let labels = self.seen.keys().filter(|(name, _)| name == field.name);
                    wrong.extend(labels.map(|(_, label)| format!("{label}: there, though {why}")));
                }
            }
            for wrong in wrong {
                self.wrong
                    .insert(format!("{}: {payload}: {wrong}", field.name));
            }
        }
        self.seen.clear();
    }
}

/// Returns whether a text has the whole of another, as it is or percent-encoded.
fn contains(text: &str, whole: &str) -> bool {
    let whole = whole.to_lowercase();
    let decoded = || {
        let plus = text.replace('+', " ");
        percent_decoded(&plus)
    };
    plain(text).to_lowercase().contains(&whole) || plain(&decoded()).to_lowercase().contains(&whole)
}

fn percent_decoded(text: &str) -> String {
    let pair = format!(
        "x={}",
        text.replace('&', "%26")
            .replace('=', "%3D")
            .replace(' ', "+")
    );
    let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
    pairs
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}
