//! A real Chromium binds its session, through nginx with TLS: what the protocol client of the other tests
//! plays, as it is. Chromium has it off by default on Linux, and ignores it where a certificate is not
//! trusted: so two features are switched on, and the certificate is named.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall::settings::Settings;
use serde_json::Value;

use crate::support::app::behind_proxy;
use crate::support::bound::{BOUND, REFRESH, REGISTER};
use crate::support::eventually;
use crate::support::prelude::*;
use crate::support::tls_proxy::{TlsAddress, TlsProxy};
use crate::support::webdriver::{Chromium, WebDriver};

on_both!(database: a_real_browser_is_bound_and_a_copy_of_its_cookies_is_not);

/// The features, without the limit of 6 signatures in 9 minutes.
const FEATURES: &str = "DeviceBoundSessions:RefreshQuota/false,\
                        EnableBoundSessionCredentialsSoftwareKeysForManualTesting";
const UNPROVEN: &str = "this browser could not show the key of this device";
const SIGN_IN: &str = "form[action^='/sign-in'] button";

struct Fixture {
    app: TestApp,
    ada: Person,
    address: TlsAddress,
    proxy: TlsProxy,
    driver: WebDriver,
}

async fn set_up(database: Database) -> Fixture {
    let address = TlsAddress::free();
    let base = address.base();
    let app = TestApp::start_with(database, |settings: &mut Settings| {
        behind_proxy(settings);
        settings.public_url = base.parse().ok();
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let proxy = TlsProxy::start(&address, &app.base(), "/devices").await;
    let driver = WebDriver::start();
    Fixture {
        app,
        ada,
        address,
        proxy,
        driver,
    }
}

impl Fixture {
    async fn open(&self, profile: &str, features: Option<&str>) -> Chromium {
        let fingerprint = &self.proxy.fingerprint;
        let trusted = format!("--ignore-certificate-errors-spki-list={fingerprint}");
        let features = features.map(|features| format!("--enable-features={features}"));
        let arguments: Vec<_> = [Some(trusted), features].into_iter().flatten().collect();
        let base = self.address.base();
        self.driver.open_profile(&base, profile, &arguments).await
    }

    /// Signs in with "Keep me signed in", and waits for the registration.
    async fn sign_in(&self, browser: &Chromium) {
        browser.open("/sign-in").await;
        browser
            .type_into("input[name='email']", &self.ada.email)
            .await;
        browser.type_into("input[name='password']", PASSWORD).await;
        browser.press("input[name='remember']").await;
        browser.press(SIGN_IN).await;
        browser.arrives_at("/devices").await;
        for _ in 0..100 {
            if !self.sent(0, REGISTER).is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let registered = self.sent(0, REGISTER);
        let version = browser.command("Browser.getVersion", json!({})).await;
        assert_eq!(
            registered.len(),
            1,
            "{} registers no key after a sign-in that offers it. Has it no longer the features {FEATURES}? \
             They are for manual testing, and can go with any version: see docs/BOUND-SESSIONS.md",
            version["product"]
        );
        eventually("the answer of the registration", async || {
            cookie(browser, BOUND).await.is_some()
        })
        .await;
    }

    /// Returns the requests of a path since the given number of requests.
    fn sent(&self, since: usize, path: &str) -> Vec<String> {
        let of_path = |line: &String| line.split(' ').nth(1) == Some(path);
        let requests = self.proxy.requests().into_iter().skip(since);
        requests.filter(of_path).collect()
    }

    fn now(&self) -> usize {
        self.proxy.requests().len()
    }

    /// Returns the pages that were opened since then and what binds the session, without proofs and ids:
    /// `GET /devices 200 site=none`, and `PROOF` where there was one. What the pages' own script requests is left
    /// out.
    fn since(&self, since: usize) -> Vec<String> {
        let mut shown = Vec::new();
        for line in self.proxy.requests().into_iter().skip(since) {
            let words: Vec<_> = line.split(' ').collect();
            let is_page = ["/devices", "/account"].contains(&words[1]);
            if is_page && words.contains(&"mode=navigate") || words[1].starts_with("/auth/bound/") {
                let proof = if words[4] == "proof=-" { "" } else { " PROOF" };
                let skipped = if words[5] == "skipped=-" {
                    ""
                } else {
                    words[5]
                };
                let site = words[words.len() - 1];
                shown.push(format!("{} {site}{proof}{skipped}", words[..3].join(" ")));
            }
        }
        shown
    }

    async fn stop(self) {
        drop(self.driver);
        self.proxy.stop();
        self.app.stop().await;
    }
}

async fn cookies(browser: &Chromium, base: &str) -> Vec<Value> {
    let all = browser
        .command("Network.getCookies", json!({"urls": [base]}))
        .await;
    all["cookies"].as_array().expect("a list").clone()
}

async fn cookie(browser: &Chromium, name: &str) -> Option<Value> {
    let all = browser.command("Network.getCookies", json!({})).await;
    let mut all = all["cookies"].as_array().expect("a list").iter();
    all.find(|cookie| cookie["name"] == name).cloned()
}

async fn forget(browser: &Chromium, base: &str) {
    let parameters = json!({"name": BOUND, "url": base});
    browser.command("Network.deleteCookies", parameters).await;
}

/// Returns a part of the JWT in a line of the log.
fn part(line: &str, number: usize) -> Value {
    let proof = line.split(' ').find_map(|word| word.strip_prefix("proof="));
    let part = proof.and_then(|proof| proof.split('.').nth(number));
    let json = URL_SAFE_NO_PAD
        .decode(part.expect("a JWT"))
        .expect("Base64");
    serde_json::from_slice(&json).expect("JSON")
}

async fn a_real_browser_is_bound_and_a_copy_of_its_cookies_is_not(database: Database) {
    let fixture = set_up(database).await;
    let base = fixture.address.base();
    let owner = fixture.open("owner", Some(FEATURES)).await;
    fixture.sign_in(&owner).await;
    check_registration(&fixture, &owner).await;
    check_refresh(&fixture, &owner).await;
    check_tabs(&fixture, &owner).await;
    check_link(&fixture, &owner).await;
    let all = cookies(&owner, &base).await;
    check_expiry(&fixture, &owner).await;
    check_copy(&fixture, all).await;
    let owner = check_restart(&fixture, owner).await;
    check_lost_key(&fixture, &owner).await;
    owner.close().await;
    fixture.stop().await;
}

/// What Chromium sends, so that a change of the protocol shows.
async fn check_registration(fixture: &Fixture, owner: &Chromium) {
    let registered = fixture.sent(0, REGISTER).remove(0);
    assert!(registered.ends_with("site=same-origin"), "{registered}");
    let mut header = part(&registered, 0);
    for coordinate in ["x", "y"] {
        let value = header["jwk"][coordinate].take();
        assert_eq!(value.as_str().map(str::len), Some(43), "{registered}");
    }
    let jwk = json!({"crv": "P-256", "kty": "EC", "x": null, "y": null});
    assert_eq!(
        header,
        json!({"alg": "ES256", "jwk": jwk, "typ": "dbsc+jwt"})
    );
    let claims = part(&registered, 1);
    let claims: Vec<_> = claims.as_object().expect("an object").keys().collect();
    assert_eq!(claims, ["jti"]);
    owner.open("/devices").await;
    // It is among the details, which are folded.
    let read = "arguments[0](document.querySelector('main').textContent)";
    let words = owner.run(read, vec![]).await.to_string();
    assert!(words.contains("Bound to this browser since"), "{words}");
    // From now on the cookie is required.
    fixture.app.advance(Duration::from_secs(31));
}

async fn check_refresh(fixture: &Fixture, owner: &Chromium) {
    let since = fixture.now();
    forget(owner, &fixture.address.base()).await;
    owner.open("/devices").await;
    owner.arrives_at("/devices").await;
    let sent = fixture.since(since);
    assert_eq!(
        sent[0],
        format!("POST {REFRESH} 200 site=same-origin PROOF")
    );
    assert_eq!(sent[1], "GET /devices 200 site=none", "{sent:?}");
    let refreshed = fixture.sent(since, REFRESH).remove(0);
    assert_eq!(
        part(&refreshed, 0),
        json!({"alg": "ES256", "typ": "dbsc+jwt"})
    );
    assert!(cookie(owner, BOUND).await.is_some());
}

async fn check_tabs(fixture: &Fixture, owner: &Chromium) {
    let since = fixture.now();
    forget(owner, &fixture.address.base()).await;
    let open = "window.tabs = ['/account', '/devices'].map(it => window.open(it)); arguments[0]()";
    owner.run(open, vec![]).await;
    eventually("both tabs are open", async || {
        let sent = fixture.since(since);
        let has = |page: &str| sent.iter().any(|line| line.starts_with(page));
        has("GET /account 200") && has("GET /devices 200")
    })
    .await;
    assert_eq!(fixture.sent(since, REFRESH).len(), 1);
    // They listen for changes, and would refresh.
    let close = "window.tabs.forEach(it => it.close()); arguments[0]()";
    owner.run(close, vec![]).await;
}

async fn check_link(fixture: &Fixture, owner: &Chromium) {
    let since = fixture.now();
    owner.go_to(&fixture.address.elsewhere()).await;
    forget(owner, &fixture.address.base()).await;
    owner.press("a").await;
    owner.arrives_at("/devices").await;
    owner.has(1, "main h1").await;
    eventually("the page after the one that reloads itself", async || {
        fixture.since(since).len() >= 3
    })
    .await;
    let sent = fixture.since(since);
    assert_eq!(sent[0], "GET /devices 200 site=cross-site", "{sent:?}");
    assert!(
        sent[1].starts_with(&format!("POST {REFRESH} 200")),
        "{sent:?}"
    );
    assert_eq!(sent[2], "GET /devices 200 site=same-origin", "{sent:?}");
}

/// The browser believes its cookie good for ten minutes; the service's clock says that it is over.
async fn check_expiry(fixture: &Fixture, owner: &Chromium) {
    let since = fixture.now();
    fixture.app.advance(Duration::from_secs(11 * 60));
    owner.open("/devices").await;
    owner.arrives_at("/devices").await;
    owner.has(1, "main h1").await;
    let sent = fixture.since(since);
    assert_eq!(sent[0], "GET /devices 307 site=none", "{sent:?}");
    assert!(sent[1].starts_with(&format!("POST {REFRESH} ")), "{sent:?}");
    assert!(
        sent.iter().any(|line| line.starts_with("GET /devices 200")),
        "{sent:?}"
    );
}

/// Another browser, with every cookie of eleven minutes ago.
async fn check_copy(fixture: &Fixture, cookies: Vec<Value>) {
    let base = fixture.address.base();
    let thief = fixture.open("thief", None).await;
    for cookie in cookies {
        let parameters = json!({
            "name": cookie["name"], "value": cookie["value"], "url": base, "path": "/",
            "secure": true, "httpOnly": cookie["httpOnly"],
        });
        let set = thief.command("Network.setCookie", parameters).await;
        assert_eq!(set["success"], true, "{cookie}");
    }
    thief.open("/devices").await;
    thief.arrives_at("/sign-in").await;
    let words = thief.words_in("body").await;
    assert!(words.contains(UNPROVEN), "{words}");
    assert!(!words.contains("ada@example.org"), "{words}");
    thief.close().await;
}

async fn check_restart(fixture: &Fixture, owner: Chromium) -> Chromium {
    owner.close().await;
    let owner = fixture.open("owner", Some(FEATURES)).await;
    forget(&owner, &fixture.address.base()).await;
    let since = fixture.now();
    owner.open("/devices").await;
    owner.arrives_at("/devices").await;
    let sent = fixture.since(since);
    // It has no challenge any more, and gets one.
    assert!(
        sent[0].starts_with(&format!("POST {REFRESH} 403")),
        "{sent:?}"
    );
    assert!(
        sent[1].starts_with(&format!("POST {REFRESH} 200")),
        "{sent:?}"
    );
    assert!(sent[2].starts_with("GET /devices 200"), "{sent:?}");
    owner
}

async fn check_lost_key(fixture: &Fixture, owner: &Chromium) {
    let base = fixture.address.base();
    let ask = "const done = arguments[0]; \
               fetch('/api/v1/sessions/current').then(it => it.json()).then(it => done(it.id))";
    let id = owner.run(ask, vec![]).await;
    let on = json!({"enable": true});
    owner.command("Network.enableDeviceBoundSessions", on).await;
    let key = json!({"key": {"site": "https://example.org", "id": id}});
    owner.command("Network.deleteDeviceBoundSession", key).await;
    forget(owner, &base).await;
    owner.open("/devices").await;
    owner.arrives_at("/sign-in").await;
    let words = owner.words_in("body").await;
    assert!(words.contains(UNPROVEN), "{words}");
    assert_eq!(fixture.app.database.sessions_where("is_active"), 1);
}
