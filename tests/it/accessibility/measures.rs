//! What is measured of a page.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::webdriver::Chromium;

/// axe-core 4.14.1, unchanged, with its licence (MPL-2.0) beside it. It is no part of the program.
const AXE: &str = include_str!("../axe/axe.min.js");

/// Runs axe-core with every rule that it has by default, and that of the size of targets.
const RUN_AXE: &str = "
    const done = arguments[arguments.length - 1];
    const options = { resultTypes: ['violations'], preload: false, rules: { 'target-size': { enabled: true } } };
    const shown = (node) => `${node.target.join(' ')} (${node.failureSummary.replace(/\\s+/g, ' ')})`;
    axe.run(document, options).then(
        (results) => done(results.violations.map((rule) => `${rule.id}: ${rule.nodes.map(shown).slice(0, 3).join(', ')}`)),
        (error) => done([`axe failed: ${error}`]),
    );";

/// Returns which words are broken or cut in what the service itself says, and what makes the page
/// scroll sideways.
const MEASURE: &str = r"
    const done = arguments[arguments.length - 1];
    const found = [];
    const width = document.documentElement.clientWidth;
    const shown = (element) => `<${element.localName} class=${element.className?.baseVal ?? element.className}> ${element.textContent.trim().slice(0, 40)}`;
    if (document.documentElement.scrollWidth > width) {
        const wide = [...document.body.querySelectorAll('*')].filter((element) =>
            element.getBoundingClientRect().right > width + 1 && !element.closest('.visually-hidden'));
        found.push(`scrolls sideways by ${document.documentElement.scrollWidth - width} px: ${wide.slice(-2).map(shown).join(', ')}`);
    }
    const own = 'button, .button, nav a, summary, h1, h2, h3, h4';
    const foreign = 'bdi, code, .visually-hidden, [dir=ltr]:not(html)';
    for (const element of document.querySelectorAll(own)) {
        if (!element.checkVisibility({ contentVisibilityAuto: true }) || element.closest('.visually-hidden')) continue;
        const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            const text = texts.currentNode;
            if (text.parentElement.closest(foreign)) continue;
            for (const word of text.data.matchAll(/[\p{L}\p{N}’']+/gu)) {
                const range = document.createRange();
                range.setStart(text, word.index);
                range.setEnd(text, word.index + word[0].length);
                const lines = new Set([...range.getClientRects()].filter((box) => box.width > 0).map((box) => Math.round(box.top)));
                if (lines.size > 1) found.push(`broken: ${word[0]} in ${shown(element)}`);
                const box = range.getBoundingClientRect();
                const around = element.getBoundingClientRect();
                const is_button = element.matches('button, .button, nav a');
                if (is_button && (box.right > around.right + 1 || box.left < around.left - 1)) {
                    found.push(`cut: ${word[0]} in ${shown(element)}`);
                }
            }
        }
    }
    for (const select of document.querySelectorAll('select')) {
        if (!select.checkVisibility({ contentVisibilityAuto: true })) continue;
        const box = select.getBoundingClientRect();
        const style = getComputedStyle(select);
        const pen = document.createElement('canvas').getContext('2d');
        pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
        const room = select.clientWidth - parseFloat(style.paddingInlineStart) - parseFloat(style.paddingInlineEnd) - 24;
        const text = select.selectedOptions[0]?.textContent ?? '';
        const is_long = style.whiteSpace !== 'normal' && pen.measureText(text).width > room;
        if (box.right > width + 1 || is_long) found.push(`cut: ${text} in ${shown(select)}`);
    }
    done(found);";

/// Changes the text as somebody may who can't read it as it is: twice as large, or spaced as in WCAG
/// 2.2, 1.4.12.
const CHANGE_TEXT: &str = "
    const [size, is_spaced, done] = arguments;
    document.documentElement.style.fontSize = size;
    const sheet = new CSSStyleSheet();
    if (is_spaced) {
        sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }'
            + ' p { margin-block-end: 2em !important; }');
    }
    document.adoptedStyleSheets = [sheet];
    requestAnimationFrame(() => setTimeout(done));";

/// The structure of a page is that of another one where only texts differ: both are measured alike.
const STATUS: &str = r"
    const done = arguments[arguments.length - 1];
    const attributes = ({ attributes }) => [...attributes].map(({ name, value }) =>
        ['class', 'role', 'type', 'for', 'id'].includes(name) || name.startsWith('aria-') ? `${name}=${value}` : name);
    const structure = [...document.querySelectorAll('*')].map((it) => `${it.localName} ${attributes(it)}`).join('\n');
    done({ status: performance.getEntriesByType('navigation')[0]?.responseStatus ?? 0, type: document.contentType, structure });";

const WIDE: u32 = 1280;
const NARROW: u32 = 320;

/// A walk through the pages, and what it finds.
pub struct Walk<'a> {
    pub browser: &'a Chromium,
    /// What is wrong.
    pub wrong: Vec<String>,
    /// The structures that were measured.
    seen: BTreeSet<String>,
    /// What was visited with success.
    pub visited: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Status {
    status: u16,
    r#type: String,
    structure: String,
}

impl<'a> Walk<'a> {
    pub async fn start(browser: &'a Chromium) -> Self {
        let source = json!({"source": AXE});
        browser
            .command("Page.addScriptToEvaluateOnNewDocument", source)
            .await;
        Self {
            browser,
            wrong: Vec::new(),
            seen: BTreeSet::new(),
            visited: BTreeSet::new(),
        }
    }

    /// Measures the current page.
    pub async fn inspect(&mut self, label: &str) {
        let status = self.browser.run(STATUS, vec![]).await;
        let status: Status = serde_json::from_value(status).expect("a status");
        if status.r#type != "text/html" {
            return;
        }
        if status.status == 200 {
            self.visited.insert(label.to_owned());
        }
        if !self.seen.insert(status.structure) {
            return;
        }
        for width in [WIDE, NARROW] {
            for scheme in ["light", "dark"] {
                self.show(width, scheme).await;
                self.find(label, &format!("{width} px, {scheme}"), RUN_AXE)
                    .await;
            }
        }
        for (size, is_spaced) in [("", false), ("", true), ("200%", false)] {
            let change = vec![json!(size), json!(is_spaced)];
            self.browser.run(CHANGE_TEXT, change).await;
            let state = format!("{NARROW} px, size {size:?}, spaced {is_spaced}");
            self.find(label, &state, MEASURE).await;
        }
    }

    async fn show(&self, width: u32, scheme: &str) {
        let metrics =
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.browser
            .command("Emulation.setDeviceMetricsOverride", metrics)
            .await;
        // Colors that are on their way to others would be measured.
        let features = json!({"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        self.browser
            .command("Emulation.setEmulatedMedia", features)
            .await;
    }

    async fn find(&mut self, label: &str, state: &str, script: &str) {
        let found: Value = self.browser.run(script, vec![]).await;
        let found: Vec<String> = serde_json::from_value(found).expect("a list");
        let found = found
            .into_iter()
            .map(|found| format!("{label}: {state}: {found}"));
        self.wrong.extend(found);
    }
}
