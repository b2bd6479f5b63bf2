//! The running application with its callers, and new people for requests that end what they come with.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use rollcall::mail::MessageLinks;
use uuid::Uuid;

use super::callers::{By, Caller, Key, Step, Who};
use super::state::{State, columns};
use crate::support::prelude::*;

/// What a caller sends with a request.
#[derive(Debug, Clone, Default)]
pub struct Credential {
    /// The id of the person, if it is one.
    pub person: String,
    pub headers: Vec<(&'static str, String)>,
    /// The CSRF token of the session.
    pub csrf: String,
    /// The CSRF token of the browser, for forms that anybody may send.
    pub public_csrf: String,
}

/// The application with everybody who calls it.
pub struct World<'a> {
    pub app: &'a TestApp,
    pub state: State,
    pub links: MessageLinks,
    /// The id of the application of the keys.
    pub shop: String,
    pub(super) keys: HashMap<Key, String>,
    /// Those that are used again and again, by the caller and whether they are an administrator's.
    pub(super) shared: HashMap<(Caller, bool), Credential>,
    /// People with a token that was issued long after they gave the password.
    pub(super) stale: RefCell<Vec<(String, Device)>>,
    pub(super) made: Cell<u32>,
}

impl World<'_> {
    /// Returns the secret of a key.
    pub fn key(&self, key: Key) -> &str {
        &self.keys[&key]
    }

    /// Returns the id of a shared person.
    pub fn person(&self, who: Who) -> String {
        self.credential(Caller::Person(who, Step::Fresh, By::Token), false)
            .person
    }

    /// Returns the credentials of a new person who is as `caller`: what they do ends nothing that is
    /// used again.
    pub async fn fresh(&self, caller: Caller) -> Credential {
        let Caller::Person(who, step, by) = caller else {
            return self.credential(caller, false);
        };
        if (step, by) == (Step::Stale, By::Token) {
            let (id, mut device) = self.stale.borrow_mut().pop().expect("a stale person");
            self.change_person(&id, &role_columns(role(who)));
            device.refresh().await;
            return bearer(&id, &device.access_token);
        }
        let id = self.add_person(role(who));
        if by == By::Token {
            return bearer(&id, &self.sign_in(&id).await.access_token);
        }
        let cookie = self.browse(&id).await;
        if step == Step::Stale {
            let change = "confirmed_at = '2031-05-17 08:00:00.000000'";
            self.change_session(&cookie, change).await;
        }
        cookie
    }

    /// Adds a person with the password of all, and returns their id.
    pub fn add_person(&self, role: &str) -> String {
        let (is_admin, is_auditor) = (role == "admin", role == "auditor");
        let id = self.new_id();
        self.copy(
            "users",
            "email = 'ada@example.org'",
            &[
                ("id", self.app.database.id(&id)),
                ("email", format!("'{}'", self.email(&id))),
                ("is_admin", is_admin.to_string()),
                ("is_auditor", is_auditor.to_string()),
            ],
        );
        id
    }

    pub fn email(&self, id: &str) -> String {
        format!("{id}@example.org")
    }

    pub fn change_person(&self, id: &str, change: &str) {
        let id = self.app.database.id(id);
        self.app
            .database
            .execute(&format!("UPDATE users SET {change} WHERE id = {id}"));
    }

    /// Changes the session of a cookie.
    pub(super) async fn change_session(&self, cookie: &Credential, change: &str) {
        let request = self.app.anyone().request("GET", "/api/v1/sessions/current");
        let request = request.header("cookie", &cookie.headers[0].1);
        let session = TestResponse::to(request).await.expect(200).json();
        let id = self.app.database.id(session["id"].as_str().expect("an id"));
        self.app.database.execute(&format!(
            "UPDATE user_sessions SET {change} WHERE id = {id}"
        ));
    }

    /// Copies rows of a table with changes.
    pub fn copy(&self, table: &str, of: &str, changes: &[(&str, String)]) {
        let columns = columns(&self.app.database, table);
        let values: Vec<&str> = columns
            .iter()
            .map(|column| {
                let changed = changes.iter().find(|(name, _)| name == column);
                changed.map_or(column.as_str(), |(_, value)| value)
            })
            .collect();
        self.app.database.execute(&format!(
            "INSERT INTO {table} ({}) SELECT {} FROM {table} WHERE {of}",
            columns.join(", "),
            values.join(", ")
        ));
    }

    /// Returns a new id of the version that the service makes, later than those before.
    pub fn new_id(&self) -> String {
        let made = self.made.get() + 1;
        self.made.set(made);
        let now = self.app.clock.now().timestamp_micros() / 1000;
        let mut bytes = *Uuid::new_v4().as_bytes();
        bytes[..6].copy_from_slice(&now.to_be_bytes()[2..]);
        bytes[6..8].copy_from_slice(&(0x7000 | (made as u16 & 0xfff)).to_be_bytes());
        Uuid::from_bytes(bytes).to_string()
    }

    fn person_of(&self, id: &str) -> Person {
        Person {
            email: self.email(id),
            password: PASSWORD.into(),
        }
    }

    pub async fn sign_in(&self, id: &str) -> Device {
        self.app.login(&self.person_of(id), FIREFOX).await
    }

    pub(super) async fn browser(&self, id: &str) -> Browser {
        self.app
            .signed_in_browser(&self.person_of(id), FIREFOX)
            .await
    }

    pub(super) async fn browse(&self, id: &str) -> Credential {
        let browser = self.browser(id).await;
        self.credential_of(id, &browser).await
    }

    pub(super) async fn credential_of(&self, id: &str, browser: &Browser) -> Credential {
        let form = browser.form("/account", "/account/name").await;
        let public = browser.form("/forgot-password", "/forgot-password").await;
        Credential {
            person: id.into(),
            headers: vec![(
                "cookie",
                cookies(browser, &["rollcall_session", "rollcall_device"]),
            )],
            csrf: csrf_of(&form.hidden),
            public_csrf: csrf_of(&public.hidden),
        }
    }
}

pub(super) fn role(who: Who) -> &'static str {
    match who {
        Who::Owner | Who::Other => "person",
        Who::Auditor => "auditor",
        Who::Admin => "admin",
    }
}

fn role_columns(role: &str) -> String {
    let (is_admin, is_auditor) = (role == "admin", role == "auditor");
    format!("is_admin = {is_admin}, is_auditor = {is_auditor}")
}

pub(super) fn bearer(person: &str, token: &str) -> Credential {
    Credential {
        person: person.into(),
        headers: vec![("authorization", format!("Bearer {token}"))],
        ..Credential::default()
    }
}

pub(super) fn cookies(browser: &Browser, names: &[&str]) -> String {
    let pairs = names.iter().map(|name| {
        let value = browser.cookie(name);
        format!(
            "{name}={}",
            value.unwrap_or_else(|| panic!("no cookie {name}"))
        )
    });
    pairs.collect::<Vec<_>>().join("; ")
}

pub(super) fn csrf_of(hidden: &[(String, String)]) -> String {
    let found = hidden.iter().find(|(name, _)| name == "csrf");
    found.expect("a CSRF token").1.clone()
}
