//! A request of a browser before its cookies are added, with the headers that say where it comes from.

use serde_json::Value;

/// What a browser sends with a page that a person opens from another page of the service.
pub const NAVIGATION: [(&str, &str); 3] = [
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];
/// What it sends where a person follows a link of another site.
pub const FROM_ELSEWHERE: [(&str, &str); 3] = [
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];

/// A request before the cookies are added.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub form: Option<Vec<(String, String)>>,
    pub json: Option<Value>,
}

impl Outgoing {
    /// Returns a page that is opened, with the headers that say from where.
    pub fn page(path: &str, headers: &[(&str, &str)]) -> Self {
        Self::new("GET", path, headers)
    }

    /// Returns a form that is sent from a page of the service.
    pub fn form(path: &str, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| owned(name, value));
        Self {
            form: Some(fields.collect()),
            ..Self::new("POST", path, &NAVIGATION)
        }
    }

    /// Returns a request of a script of the service's pages.
    pub fn script(method: &str, path: &str, csrf: &str, json: Option<Value>) -> Self {
        let headers = [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-dest", "empty"),
            ("x-csrf-token", csrf),
        ];
        Self {
            json,
            ..Self::new(method, path, &headers)
        }
    }

    pub fn new(method: &str, path: &str, headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| owned(name, value));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: headers.collect(),
            form: None,
            json: None,
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push(owned(name, value));
        self
    }
}

fn owned(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
