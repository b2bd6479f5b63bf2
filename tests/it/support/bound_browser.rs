//! A browser that binds its session to a key, as Chromium does: it registers where it is offered to, and
//! holds a request back until it has refreshed the cookie that the request would lack.

use std::collections::BTreeMap;

use reqwest::{Client, RequestBuilder, Response};
use rollcall::clock::{Clock, Timestamp};
use serde_json::Value;

use super::app::{Person, TestApp, http_client};
use super::bound::{BOUND, Key, REFRESH, REGISTER, challenged, offered};
use super::cookies::set_cookies;
use super::html::{self, Form};
use super::outgoing::{NAVIGATION, Outgoing};
use super::response::{TestResponse, path_of};

#[derive(Debug, Clone)]
struct Stored {
    value: String,
    /// The end of its `Max-Age`, by the service's clock.
    until: Option<Timestamp>,
}

/// What the browser knows of a session that it has bound.
#[derive(Clone)]
pub struct Binding {
    pub id: String,
    pub key: Key,
    /// The challenge for the next proof. It is in memory only.
    pub challenge: Option<String>,
    /// The paths below which nothing is held back.
    excluded: Vec<String>,
}

/// How a refresh ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    Bound,
    /// The browser has forgotten the binding.
    Ended,
    /// The service couldn't say.
    Skipped,
}

#[derive(Clone)]
pub struct BoundBrowser {
    http: Client,
    base: String,
    address: String,
    clock: Clock,
    cookies: BTreeMap<String, Stored>,
    /// The challenge of a binding that is offered, until it is registered.
    pub offer: Option<String>,
    pub binding: Option<Binding>,
}

impl BoundBrowser {
    pub fn new(app: &TestApp, user_agent: &str) -> Self {
        let http = http_client().user_agent(user_agent).build();
        Self {
            http: http.expect("a client"),
            base: app.base(),
            address: "203.0.113.7".to_owned(),
            clock: app.clock.clone(),
            cookies: BTreeMap::new(),
            offer: None,
            binding: None,
        }
    }

    /// Returns a browser in which the person has signed in, whose session is bound and whose bound cookie
    /// the service has seen half a minute ago, so that it is required.
    pub async fn bound(app: &TestApp, person: &Person, user_agent: &str) -> Self {
        let mut browser = Self::new(app, user_agent);
        browser.sign_in(person).await.expect(303);
        browser.register().await.expect(200);
        browser.get("/devices").await.expect(200);
        app.advance(std::time::Duration::from_secs(31));
        browser
    }

    /// Moves the browser to another address.
    pub fn at(mut self, address: &str) -> Self {
        address.clone_into(&mut self.address);
        self
    }

    /// Sends what follows to another node.
    pub fn go_to(&mut self, base: &str) {
        base.clone_into(&mut self.base);
    }

    /// Returns another browser that has all the cookies and not the key, and that no cookie leaves.
    pub fn copied_to(&self, app: &TestApp, user_agent: &str) -> Self {
        let mut copy = Self::new(app, user_agent);
        copy.address.clone_from(&self.address);
        copy.base.clone_from(&self.base);
        copy.cookies = self.cookies.clone();
        for cookie in copy.cookies.values_mut() {
            cookie.until = None;
        }
        copy
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        let cookie = self.cookies.get(name)?;
        let is_over = cookie.until.is_some_and(|until| until <= self.clock.now());
        (!is_over).then(|| cookie.value.clone())
    }

    pub fn set_cookie(&mut self, name: &str, value: &str) {
        let value = value.to_owned();
        let cookie = Stored { value, until: None };
        self.cookies.insert(name.to_owned(), cookie);
    }

    pub fn forget_cookie(&mut self, name: &str) {
        self.cookies.remove(name);
    }

    /// Returns the id of the session that is bound.
    pub fn id(&self) -> String {
        self.binding.as_ref().expect("it is bound").id.clone()
    }

    pub async fn get(&mut self, path: &str) -> TestResponse {
        self.send(&Outgoing::page(path, &NAVIGATION)).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> TestResponse {
        self.send(&Outgoing::form(path, fields)).await
    }

    /// Completes the page's form for `action`, and sends it.
    pub async fn submit(
        &mut self,
        page: &str,
        action: &str,
        fields: &[(&str, &str)],
    ) -> TestResponse {
        let form = self.form(page, action).await;
        let hidden = form
            .hidden
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<_> = hidden.chain(fields.iter().copied()).collect();
        self.post(&form.action, &all).await
    }

    pub async fn form(&mut self, page: &str, action: &str) -> Form {
        let shown = self.get(page).await.expect(200);
        let form = html::forms(&shown.text)
            .into_iter()
            .find(|form| path_of(&form.action) == action);
        form.unwrap_or_else(|| panic!("{page} has no form for {action}: {}", shown.words()))
    }

    /// Returns the CSRF token of the session.
    pub async fn csrf(&mut self) -> String {
        let form = self.form("/account", "/account/name").await;
        let token = form.hidden.into_iter().find(|(name, _)| name == "csrf");
        token.expect("a CSRF token").1
    }

    /// Signs in with "Keep me signed in".
    pub async fn sign_in(&mut self, person: &Person) -> TestResponse {
        let fields = [
            ("email", person.email.as_str()),
            ("password", person.password.as_str()),
            ("remember", "on"),
        ];
        self.submit("/sign-in", "/sign-in", &fields).await
    }

    /// Gives the password again.
    pub async fn confirm(&mut self, person: &Person) -> TestResponse {
        let fields = [("password", person.password.as_str())];
        self.submit("/confirm", "/confirm", &fields).await
    }

    /// Sends a request as a browser does: held back until the bound cookie is there, and again where the
    /// service says so.
    pub async fn send(&mut self, request: &Outgoing) -> TestResponse {
        for _ in 0..3 {
            let skipped = self.refresh_for(&request.path).await;
            let response = match skipped {
                None => self.send_now(request).await,
                Some(skipped) => {
                    let request = request.clone();
                    self.send_now(&request.with("secure-session-skipped", &skipped))
                        .await
                }
            };
            if response.status != 307 || response.header("location") != request.path {
                return response;
            }
        }
        panic!("{} leads to itself", request.path);
    }

    /// Sends a request with the cookies that are there.
    pub async fn send_now(&mut self, request: &Outgoing) -> TestResponse {
        let response = TestResponse::to(self.with_cookies(request)).await;
        self.store(&response);
        response
    }

    /// Opens a stream of changes with the cookies that are there.
    pub async fn listen(&self) -> Response {
        let since = self.clock.now().timestamp_micros();
        let path = format!("/devices/changes?since={since}");
        let request = self.with_cookies(&Outgoing::new("GET", &path, &[]));
        let response = request.send().await.expect("the server responds");
        assert_eq!(response.status(), 200);
        response
    }

    fn with_cookies(&self, request: &Outgoing) -> RequestBuilder {
        let method = request.method.parse().expect("a method");
        let url = format!("{}{}", self.base, request.path);
        let pairs = self
            .cookies
            .keys()
            .filter_map(|name| Some(format!("{name}={}", self.cookie(name)?)));
        let pairs: Vec<_> = pairs.collect();
        let mut sent = self.http.request(method, url);
        sent = sent.header("x-forwarded-for", &self.address);
        if !pairs.is_empty() {
            sent = sent.header("cookie", pairs.join("; "));
        }
        for (name, value) in &request.headers {
            sent = sent.header(name, value);
        }
        if let Some(form) = &request.form {
            sent = sent.form(form);
        }
        match &request.json {
            Some(json) => sent.json(json),
            None => sent,
        }
    }

    /// Refreshes the bound cookie if a request would lack it. Returns the header of a request that goes
    /// without.
    async fn refresh_for(&mut self, path: &str) -> Option<String> {
        let binding = self.binding.clone()?;
        let is_below = |excluded: &String| {
            let rest = path_of(path).strip_prefix(excluded.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if self.cookie(BOUND).is_some() || binding.excluded.iter().any(is_below) {
            return None;
        }
        match self.refresh().await {
            Refreshed::Bound | Refreshed::Ended => None,
            Refreshed::Skipped => Some(skipped("server_error", &binding.id)),
        }
    }

    /// Refreshes the bound cookie.
    pub async fn refresh(&mut self) -> Refreshed {
        for _ in 0..4 {
            let binding = self.binding.clone().expect("it is bound");
            let proof = binding.challenge.map(|known| binding.key.refresh(&known));
            let response = self.refresh_now(&binding.id, proof.as_deref()).await;
            match response.status {
                200 if response.json()["continue"] == false => break,
                200 => return Refreshed::Bound,
                403 => {}
                500 | 503 => return Refreshed::Skipped,
                _ => break,
            }
        }
        self.binding = None;
        Refreshed::Ended
    }

    /// Sends the request of a refresh, with this proof or without.
    pub async fn refresh_now(&mut self, id: &str, proof: Option<&str>) -> TestResponse {
        let mut request = Outgoing::new("POST", REFRESH, &[("sec-secure-session-id", id)]);
        if let Some(proof) = proof {
            request = request.with("secure-session-response", proof);
        }
        self.send_now(&request).await
    }

    /// Registers a new key where it is offered to.
    pub async fn register(&mut self) -> TestResponse {
        let offer = self.offer.take().expect("an offer");
        let key = Key::generate();
        let response = self.register_now(Some(&key.registration(&offer))).await;
        if response.status == 200 {
            self.adopt(key, &response);
        }
        response
    }

    /// Sends the request of a registration, with this proof or without.
    pub async fn register_now(&mut self, proof: Option<&str>) -> TestResponse {
        let mut request = Outgoing::new("POST", REGISTER, &[]);
        if let Some(proof) = proof {
            request = request.with("secure-session-response", proof);
        }
        self.send_now(&request).await
    }

    /// Follows the instructions of a registration with this key.
    pub fn adopt(&mut self, key: Key, response: &TestResponse) {
        let instructions = response.json();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        assert_eq!(instructions["refresh_url"], REFRESH);
        assert_eq!(instructions["credentials"][0]["name"], BOUND);
        let rules = &instructions["scope"]["scope_specification"];
        let rules = rules.as_array().expect("a list");
        let excluded = rules.iter().map(|rule| {
            assert_eq!(rule["type"], "exclude");
            text(&rule["path"])
        });
        let id = text(&instructions["session_identifier"]);
        self.binding = Some(Binding {
            challenge: challenged(response, &id),
            excluded: excluded.collect(),
            id,
            key,
        });
    }

    /// Loses what is in memory only, as by a restart of the browser.
    pub fn restart(&mut self) {
        self.offer = None;
        if let Some(binding) = &mut self.binding {
            binding.challenge = None;
        }
    }

    /// Stores the cookies, the offer and the challenge of a response.
    fn store(&mut self, response: &TestResponse) {
        for cookie in set_cookies(response) {
            let (name, value) = cookie.pair.split_once('=').expect("a cookie");
            if cookie.is_removal() {
                // Those of other scopes are not stored.
                if cookie.scope() == format!("{name}@-/") {
                    self.cookies.remove(name);
                }
                continue;
            }
            let until = cookie.attribute("Max-Age").map(|seconds| {
                let seconds = seconds.parse().expect("seconds");
                self.clock.now() + std::time::Duration::from_secs(seconds)
            });
            let value = value.to_owned();
            self.cookies
                .insert(name.to_owned(), Stored { value, until });
        }
        if let Some(offer) = offered(response) {
            self.offer = Some(offer);
        }
        if let Some(binding) = &mut self.binding
            && let Some(challenge) = challenged(response, &binding.id)
        {
            binding.challenge = Some(challenge);
        }
    }

    /// Returns whether the response is that to somebody who is signed out, and has the reason.
    pub async fn is_unproven(&mut self, response: &TestResponse) -> bool {
        if !response.is_to_sign_in() {
            return false;
        }
        let page = self.get(response.location()).await.expect(200);
        page.words()
            .contains("this browser could not show the key of this device")
    }
}

/// Returns the header of a request that a browser sends though it couldn't refresh.
pub fn skipped(reason: &str, id: &str) -> String {
    format!("{reason};session_identifier=\"{id}\"")
}
