//! A page in a real browser: what ran in it, what was planted in it, and which texts stand in it.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use crate::support::webdriver::Chromium;

/// Runs before anything of a page does: counts what calls `pwned` there or in a frame, and what its
/// policy has refused.
const PREPARE: &str = "
    window.pwned = () => { (top.fired ??= []).push(location.href); return 1; };
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => {
        violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
    });";

/// Waits until what a page does by itself is done, and returns what is found in it.
const INSPECT: &str = r"
    const done = arguments[arguments.length - 1];
    const frame = () => new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
    const mark = /zq\d{4}/;
    const urls = ['href', 'src', 'action', 'formaction', 'xlink:href', 'data', 'ping', 'poster', 'background'];
    const foreign = ['iframe', 'frame', 'object', 'embed', 'base', 'template', 'portal', 'audio', 'video'];
    const inspect = () => {
        const found = {
            type: document.contentType, address: location.href, fired: window.fired ?? [],
            violations: window.violations ?? [], planted: [], texts: [], inputs: [],
        };
        if (window.isInspected) found.planted.push('nothing: the page before is still there');
        window.isInspected = true;
        for (const element of document.querySelectorAll('*')) {
            const name = element.localName;
            for (const attribute of element.attributes) {
                const shown = `<${name} ${attribute.name}=${JSON.stringify(attribute.value)}>`;
                const value = attribute.value.replace(/[\x00-\x20]/g, '').toLowerCase();
                const is_script = urls.includes(attribute.name) && /^(javascript|data|vbscript):/.test(value);
                const is_handler = attribute.name.startsWith('on');
                // Messages have styles of their own, with no text from outside.
                const is_styled = arguments[0] && attribute.name === 'style' && !mark.test(attribute.value);
                const is_ours = ['data-pwned', 'srcdoc', 'style'].includes(attribute.name) && !is_styled;
                if (is_script || is_handler || is_ours) found.planted.push(shown);
                if (mark.test(attribute.name)) found.planted.push(shown);
                if (mark.test(attribute.value)) found.texts.push(attribute.value);
            }
            const is_code = name === 'script' && !element.src || name === 'style' && !arguments[0];
            if (is_code || foreign.includes(name) || element.httpEquiv) found.planted.push(`<${name}>`);
        }
        const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_COMMENT);
        while (walker.nextNode()) {
            if (mark.test(walker.currentNode.data)) found.texts.push(walker.currentNode.data);
        }
        for (const input of document.querySelectorAll('input, textarea, select')) {
            const action = input.form?.getAttribute('action') ?? location.pathname;
            found.inputs.push(`${action}#${input.name}`);
        }
        done(found);
    };
    frame().then(frame).then(inspect);";

/// Fills in the first form that goes to `from`, and sends it to `action`.
const SEND: &str = "
    const [from, action, fields, done] = arguments;
    const form = [...document.forms].find((form) => form.getAttribute('action') === from);
    if (!form) return done(false);
    form.setAttribute('action', action);
    for (const [name, value] of fields) {
        let field = form.elements.namedItem(name);
        if (!field) {
            field = document.createElement('input');
            field.type = 'hidden';
            field.name = name;
            form.append(field);
        }
        field.value = value;
    }
    window.isBefore = true;
    done(true);
    HTMLFormElement.prototype.submit.call(form);";

/// Whether the next page is there.
const ARRIVED: &str = "
    const done = arguments[arguments.length - 1];
    done(!window.isBefore && document.readyState === 'complete');";

/// Whether the policy of pages is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    InForce,
    /// Nothing but escaping is between a payload and its run.
    Bypassed,
}

/// What is found in a page.
#[derive(Debug, Deserialize)]
pub struct Page {
    #[serde(rename = "type")]
    pub media_type: String,
    pub address: String,
    fired: Vec<String>,
    violations: Vec<String>,
    planted: Vec<String>,
    /// Every text and value of an attribute with the mark of a field.
    pub texts: Vec<String>,
    /// The action of the form and the name of each field.
    pub inputs: BTreeSet<String>,
}

impl Page {
    /// Returns what shows that a text was taken for markup.
    pub fn signs(&self) -> Vec<String> {
        let named = |kind: &'static str, found: &[String]| -> Vec<String> {
            found.iter().map(|text| format!("{kind}: {text}")).collect()
        };
        [
            named("ran", &self.fired),
            named("refused by the policy", &self.violations),
            named("planted", &self.planted),
        ]
        .concat()
    }
}

impl Page {
    /// Returns whether something ran.
    pub fn has_run(&self) -> bool {
        !self.fired.is_empty()
    }

    /// Returns whether the policy has refused something.
    pub fn has_violations(&self) -> bool {
        !self.violations.is_empty()
    }
}

/// Has the browser watch every page from now on.
pub async fn prepare(browser: &Chromium) {
    browser.command("Page.enable", json!({})).await;
    let source = json!({"source": PREPARE});
    browser
        .command("Page.addScriptToEvaluateOnNewDocument", source)
        .await;
}

/// Puts the policy of pages in force, or out of it.
pub async fn set_policy(browser: &Chromium, policy: Policy) {
    let parameters = json!({"enabled": policy == Policy::Bypassed});
    browser.command("Page.setBypassCSP", parameters).await;
}

/// Returns what is found in the current page.
pub async fn inspect(browser: &Chromium) -> Page {
    found(browser, false).await
}

/// Opens HTML that comes from nowhere, as a mail program does. It may have a style sheet.
pub async fn open_html(browser: &Chromium, html: &str) -> Page {
    let data = STANDARD.encode(html);
    browser
        .go_to(&format!("data:text/html;charset=utf-8;base64,{data}"))
        .await;
    found(browser, true).await
}

async fn found(browser: &Chromium, may_have_style: bool) -> Page {
    let found = browser.run(INSPECT, vec![json!(may_have_style)]).await;
    serde_json::from_value(found).expect("what is found in a page")
}

/// Sends the form of the current page that goes to `from` to `action`, and returns what is found in the
/// page that responds.
pub async fn send(
    browser: &Chromium,
    (from, action): (&str, &str),
    fields: &[(String, String)],
) -> Page {
    let arguments = vec![json!(from), json!(action), json!(fields)];
    let sent = browser.run(SEND, arguments).await;
    let path = browser.path().await;
    assert_eq!(sent, json!(true), "{path} has no form to {from}");
    crate::support::eventually("the next page", async || {
        browser.run(ARRIVED, vec![]).await == json!(true)
    })
    .await;
    inspect(browser).await
}
