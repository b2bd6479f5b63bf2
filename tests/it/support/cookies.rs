//! A client that stores cookies by name, domain and path, of whichever host they are, and the
//! cookies of a response.

use super::app::{Person, TestApp};
use super::html;
use super::response::TestResponse;

/// A cookie as a response set it.
#[derive(Debug, Clone)]
pub struct SetCookie {
    /// `name=value`.
    pub pair: String,
    /// The attributes as they were sent.
    pub attributes: Vec<String>,
}

impl SetCookie {
    fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(|part| part.trim().to_owned());
        Self {
            pair: parts.next().unwrap_or_default(),
            attributes: parts.collect(),
        }
    }

    pub fn name(&self) -> &str {
        self.pair.split('=').next().unwrap_or_default()
    }

    /// Returns the value of an attribute; empty for one without, such as `Secure`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find_map(|attribute| {
            let (found, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn is_removal(&self) -> bool {
        self.attribute("Max-Age") == Some("0")
    }

    /// Returns where it stands: `name@domain/path`, with `-` for this host alone.
    pub fn scope(&self) -> String {
        let domain = self.attribute("Domain").unwrap_or("-");
        let path = self.attribute("Path").unwrap_or("/");
        format!("{}@{domain}{path}", self.name())
    }
}

/// Returns the cookies that a response sets or removes.
pub fn set_cookies(response: &TestResponse) -> Vec<SetCookie> {
    let values = response.headers.get_all("set-cookie").iter();
    values
        .map(|value| SetCookie::parse(value.to_str().expect("a cookie of text")))
        .collect()
}

/// Returns the scopes that a response removes cookies of this name from.
pub fn removed(response: &TestResponse, name: &str) -> Vec<String> {
    let mut scopes: Vec<String> = set_cookies(response)
        .iter()
        .filter(|cookie| cookie.is_removal() && cookie.name() == name)
        .map(SetCookie::scope)
        .collect();
    scopes.sort();
    scopes
}

/// A visitor without JavaScript who stores every cookie, whatever its domain and scheme.
pub struct Visitor<'a> {
    app: &'a TestApp,
    cookies: Vec<SetCookie>,
}

impl<'a> Visitor<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        Self {
            app,
            cookies: Vec::new(),
        }
    }

    pub async fn get(&mut self, path: &str) -> TestResponse {
        self.get_with(path, &[]).await
    }

    pub async fn get_with(&mut self, path: &str, headers: &[(&str, &str)]) -> TestResponse {
        let mut request = self.app.anyone().request("GET", path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = TestResponse::to(request.header("cookie", self.header())).await;
        self.store(&response);
        response
    }

    /// Completes the page's form for `action`, and sends it.
    pub async fn submit(
        &mut self,
        page: &str,
        action: &str,
        fields: &[(&str, &str)],
    ) -> TestResponse {
        let shown = self.get(page).await.expect(200);
        let form = html::forms(&shown.text)
            .into_iter()
            .find(|form| form.action == action)
            .unwrap_or_else(|| panic!("{page} has no form that goes to {action}"));
        let hidden = form.hidden.iter();
        let mut all: Vec<(&str, &str)> = hidden
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        all.extend(fields);
        let request = self.app.anyone().request("POST", action).form(&all);
        let response = TestResponse::to(request.header("cookie", self.header())).await;
        self.store(&response);
        response
    }

    pub async fn sign_in(&mut self, page: &str, person: &Person) -> TestResponse {
        let fields = [
            ("email", person.email.as_str()),
            ("password", person.password.as_str()),
        ];
        self.submit(page, "/sign-in", &fields).await.expect(303)
    }

    /// Returns the `name=value` of a cookie.
    #[track_caller]
    pub fn pair(&self, name: &str) -> String {
        self.find(name)
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.cookies))
            .pair
            .clone()
    }

    pub fn find(&self, name: &str) -> Option<&SetCookie> {
        self.cookies.iter().find(|cookie| cookie.name() == name)
    }

    pub fn forget(&mut self, name: &str) {
        self.cookies.retain(|cookie| cookie.name() != name);
    }

    pub fn header(&self) -> String {
        let pairs: Vec<&str> = self
            .cookies
            .iter()
            .map(|cookie| cookie.pair.as_str())
            .collect();
        pairs.join("; ")
    }

    fn store(&mut self, response: &TestResponse) {
        for cookie in set_cookies(response) {
            self.cookies.retain(|known| known.scope() != cookie.scope());
            if !cookie.is_removal() {
                self.cookies.push(cookie);
            }
        }
    }
}
