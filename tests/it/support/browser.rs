//! A browser without JavaScript: it stores its cookies, reads pages and sends their forms.

use std::sync::Arc;

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Client, Response, Url};

use super::app::{Person, http_client};
use super::html::{self, Form};
use super::response::{TestResponse, path_of};

/// The host of an application behind a proxy that asks this one.
pub const APPLICATION: &str = "app.example.org";

pub struct Browser {
    http: Client,
    jar: Arc<Jar>,
    base: Url,
}

impl Browser {
    pub fn new(base: String, user_agent: &str) -> Self {
        Self::with(base, user_agent, HeaderMap::new())
    }

    /// Returns a browser whose address is in a proxy's header.
    pub fn from(base: String, user_agent: &str, ip: &str) -> Self {
        let ip = ip.parse().expect("an address");
        Self::with(
            base,
            user_agent,
            HeaderMap::from_iter([(HeaderName::from_static("x-forwarded-for"), ip)]),
        )
    }

    /// Returns a browser that sends a header with every request.
    pub fn with(base: String, user_agent: &str, headers: HeaderMap) -> Self {
        let jar = Arc::new(Jar::default());
        let http = http_client()
            .cookie_provider(jar.clone())
            .user_agent(user_agent)
            .default_headers(headers)
            .build()
            .expect("a client");
        Self {
            http,
            jar,
            base: base.parse().expect("an address"),
        }
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        TestResponse::to(self.http.get(self.at(path))).await
    }

    /// Asks about a page of [`APPLICATION`], as nginx does for this browser.
    pub async fn verify(&self) -> TestResponse {
        let request = self.http.get(self.at("/auth/verify"));
        let page = format!("https://{APPLICATION}/");
        TestResponse::to(request.header("x-original-url", page)).await
    }

    /// Returns a response that continues: its chunks are read as they arrive.
    pub async fn stream(&self, path: &str) -> Response {
        let response = self.stream_or_error(path).await;
        assert_eq!(
            response.headers()["content-type"],
            "text/event-stream; charset=utf-8"
        );
        response
    }

    /// Returns a response, which may continue, once its headers have arrived.
    pub async fn stream_or_error(&self, path: &str) -> Response {
        let response = self.http.get(self.at(path)).send().await;
        response.expect("the server responds")
    }

    /// Posts fields without opening a page first.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> TestResponse {
        TestResponse::to(self.http.post(self.at(path)).form(fields)).await
    }

    /// Gets a page with further headers.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> TestResponse {
        let mut request = self.http.get(self.at(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        TestResponse::to(request).await
    }

    /// Sends a form as [`Browser::send`], with further headers, such as a browser adds by itself.
    pub async fn send_with(
        &self,
        form: &Form,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> TestResponse {
        let mut request = self.http.post(self.at(&form.action));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        TestResponse::to(request.form(&completed(form, fields))).await
    }

    /// Opens the page, completes its form for `action`, and sends it.
    pub async fn submit(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> TestResponse {
        let form = self.form(page, action).await;
        self.send(&form, fields).await
    }

    /// Returns the form for `action` on the page.
    pub async fn form(&self, page: &str, action: &str) -> Form {
        let response = self.get(page).await.expect(200);
        let goes_there = |form: &Form| path_of(&form.action) == action;
        html::forms(&response.text)
            .into_iter()
            .find(goes_there)
            .unwrap_or_else(|| {
                panic!(
                    "{page} has no form that goes to {action}:\n{}",
                    response.text
                )
            })
    }

    /// Sends a form, perhaps one from a page opened long ago. A field of `fields` replaces a hidden
    /// one.
    pub async fn send(&self, form: &Form, fields: &[(&str, &str)]) -> TestResponse {
        self.post(&form.action, &completed(form, fields)).await
    }

    pub async fn sign_in(&self, person: &Person) -> TestResponse {
        self.submit(
            "/sign-in",
            "/sign-in",
            &[("email", &person.email), ("password", &person.password)],
        )
        .await
    }

    /// Signs in with "Keep me signed in".
    pub async fn sign_in_to_stay(&self, person: &Person) -> TestResponse {
        let fields = [
            ("email", person.email.as_str()),
            ("password", person.password.as_str()),
            ("remember", "on"),
        ];
        self.submit("/sign-in", "/sign-in", &fields).await
    }

    /// Sends the first form about an alert whose action ends so, and returns the page after that.
    pub async fn answer_alert(&self, end: &str) -> TestResponse {
        let page = self.get("/devices").await.expect(200);
        let form = html::forms(&page.text)
            .into_iter()
            .find(|form| form.action.starts_with("/alerts/") && form.action.ends_with(end))
            .unwrap_or_else(|| panic!("no {end} in {}", page.words()));
        let response = self.send(&form, &[]).await.expect(303);
        self.follow(&response).await.expect(200)
    }

    /// Opens the page that the response redirects to.
    pub async fn follow(&self, response: &TestResponse) -> TestResponse {
        self.get(response.location()).await
    }

    /// Returns the paths of the forms that sign out a device other than this one.
    pub async fn sign_out_paths(&self) -> Vec<String> {
        let page = self.get("/devices").await.expect(200);
        let is_one = |path: &String| path.starts_with("/devices/") && path.ends_with("/sign-out");
        html::forms(&page.text)
            .into_iter()
            .map(|form| form.action)
            .filter(is_one)
            .collect()
    }

    /// Returns the value of a cookie that a request would send.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.jar.cookies(&self.base)?;
        let mut pairs = cookies
            .to_str()
            .ok()?
            .split("; ")
            .filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(found, value)| (found == name).then(|| value.to_owned()))
    }

    /// Replaces a cookie, as an attacker does.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.jar
            .add_cookie_str(&format!("{name}={value}; Path=/"), &self.base);
    }

    pub fn forget_cookie(&self, name: &str) {
        self.jar
            .add_cookie_str(&format!("{name}=; Path=/; Max-Age=0"), &self.base);
    }

    fn at(&self, path: &str) -> Url {
        self.base.join(path).expect("a path")
    }
}

/// Returns the fields of a form, with the hidden ones that `fields` does not replace.
fn completed<'a>(form: &'a Form, fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let is_replaced = |name: &str| fields.iter().any(|(field, _)| *field == name);
    let hidden = form
        .hidden
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    hidden
        .filter(|(name, _)| !is_replaced(name))
        .chain(fields.iter().copied())
        .collect()
}
