//! A response of the server, read to its end.

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::html;

#[derive(Debug)]
pub struct TestResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl TestResponse {
    pub async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("the server responds");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("the response ends");
        Self {
            status,
            headers,
            text,
        }
    }

    /// Returns the response, which must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}\n{}", self.headers, self.text);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text))
    }

    /// Returns the problem (RFC 9457), which must have this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        let response = self.expect(status);
        assert_eq!(response.header("content-type"), "application/problem+json");
        let problem = response.json();
        assert_eq!(problem["code"], code, "{problem:#}");
        assert_eq!(problem["status"], status, "{problem:#}");
        problem
    }

    /// Returns a header; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("a header of text"))
    }

    /// Returns the target of a redirect.
    #[track_caller]
    pub fn location(&self) -> &str {
        assert_eq!(self.status, 303, "not a redirect: {}", self.text);
        self.header("location")
    }

    /// Returns the text of the page.
    pub fn words(&self) -> String {
        html::words(&self.text)
    }

    #[track_caller]
    pub fn expect_words(self, words: &str) -> Self {
        let all = self.words();
        assert!(all.contains(words), "{words:?} is not on the page:\n{all}");
        self
    }

    /// Returns whether it redirects to the sign-in page.
    pub fn is_to_sign_in(&self) -> bool {
        self.status == 303 && path_of(self.header("location")) == "/sign-in"
    }
}

/// Returns the path of a local URL, without its query.
pub fn path_of(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}
