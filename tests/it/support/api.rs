//! Clients of the JSON API.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::app::http_client;
use super::response::TestResponse;

/// A client without a session.
pub struct Anyone {
    http: Client,
    base: String,
}

impl Anyone {
    pub fn new(base: String) -> Self {
        Self {
            http: http_client().build().expect("a client"),
            base,
        }
    }

    /// Returns a request, which the test completes.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method: Method = method.parse().expect("a method");
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        TestResponse::to(self.request("GET", path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> TestResponse {
        TestResponse::to(self.request("POST", path).json(body)).await
    }

    pub async fn refresh(&self, refresh_token: &str) -> TestResponse {
        self.post(
            "/api/v1/auth/refresh",
            &json!({"refresh_token": refresh_token}),
        )
        .await
    }

    /// Refreshes from an address in a proxy's header.
    pub async fn refresh_from(&self, refresh_token: &str, ip: &str) -> TestResponse {
        let request = self
            .request("POST", "/api/v1/auth/refresh")
            .header("x-forwarded-for", ip)
            .json(&json!({"refresh_token": refresh_token}));
        TestResponse::to(request).await
    }

    /// Gets the session of an access token.
    pub async fn current(&self, access_token: &str) -> TestResponse {
        let request = self.request("GET", "/api/v1/sessions/current");
        TestResponse::to(request.bearer_auth(access_token)).await
    }
}

/// A device that is signed in over the API.
pub struct Device {
    client: Anyone,
    pub access_token: String,
    pub refresh_token: String,
    /// The session in the response to the login.
    pub session: Value,
}

impl Device {
    pub fn from_login(base: String, response: &TestResponse) -> Self {
        let body = response.json();
        Self {
            client: Anyone::new(base),
            access_token: text(&body["access_token"]),
            refresh_token: text(&body["refresh_token"]),
            session: body["session"].clone(),
        }
    }

    /// Returns the same device, as a client of another node.
    pub fn at(&self, base: String) -> Self {
        Self {
            client: Anyone::new(base),
            access_token: self.access_token.clone(),
            refresh_token: self.refresh_token.clone(),
            session: self.session.clone(),
        }
    }

    /// Returns the session's id.
    pub fn id(&self) -> String {
        text(&self.session["id"])
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client
            .request(method, path)
            .bearer_auth(&self.access_token)
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        TestResponse::to(self.request("GET", path)).await
    }

    pub async fn post(&self, path: &str) -> TestResponse {
        TestResponse::to(self.request("POST", path)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> TestResponse {
        TestResponse::to(self.request("PATCH", path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> TestResponse {
        TestResponse::to(self.request("DELETE", path)).await
    }

    /// Gets the caller's own session, the most frequent request.
    pub async fn current(&self) -> TestResponse {
        self.get("/api/v1/sessions/current").await
    }

    /// Lists the person's active sessions, in the order of the response.
    pub async fn listed(&self) -> Vec<Value> {
        let list = self.get("/api/v1/sessions/me").await.expect(200).json();
        list["sessions"]
            .as_array()
            .expect("a list of sessions")
            .clone()
    }

    /// Spends the refresh token, and stores the tokens of the response.
    pub async fn refresh(&mut self) {
        let body = self
            .client
            .refresh(&self.refresh_token)
            .await
            .expect(200)
            .json();
        self.access_token = text(&body["access_token"]);
        self.refresh_token = text(&body["refresh_token"]);
    }
}

/// Returns the claims of a token, which is not verified.
#[track_caller]
pub fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("three parts");
    let json = URL_SAFE_NO_PAD.decode(part).expect("Base64");
    serde_json::from_slice(&json).expect("JSON")
}

#[track_caller]
fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
        .to_owned()
}
