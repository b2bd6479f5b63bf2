//! An administrator who calls the API, for the tests of what administrators do.

use serde_json::Value;

use super::FIREFOX;
use super::api::Device;
use super::app::{Person, TestApp};
use super::response::TestResponse;

/// The path of the API of people.
pub const USERS: &str = "/api/v1/admin/users";

/// An administrator who is signed in, with a recently given password.
pub struct Admin {
    pub device: Device,
    pub person: Person,
    pub id: String,
}

impl Admin {
    pub async fn start(app: &TestApp, email: &str) -> Self {
        let person = app.register(email).await;
        app.set_role(&person, "admin");
        let device = app.login(&person, FIREFOX).await;
        let id = device.session["user_id"]
            .as_str()
            .expect("an id")
            .to_owned();
        Self { device, person, id }
    }

    /// Sends a request about people; `path` follows that of the people.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> TestResponse {
        let request = self.device.request(method, &format!("{USERS}{path}"));
        TestResponse::to(request.json(body)).await
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        self.device.get(&format!("{USERS}{path}")).await
    }

    /// Gives the password again.
    pub async fn sign_in_again(&mut self, app: &TestApp) {
        self.device = app.login(&self.person, FIREFOX).await;
    }

    /// Returns the person with that id.
    pub async fn person(&self, id: &str) -> Value {
        self.get(&format!("/{id}")).await.expect(200).json()
    }
}

/// Returns the id of a person, from the database.
pub fn id_of(app: &TestApp, email: &str) -> String {
    let hex = match app.database.postgres_name() {
        Some(_) => "CAST(id AS TEXT)",
        None => "hex(id)",
    };
    let sql = format!("SELECT {hex} AS value FROM users WHERE email = '{email}'");
    let id = app.database.texts(&sql).remove(0).expect("an id");
    uuid::Uuid::parse_str(&id).expect("a UUID").to_string()
}

/// Returns the kinds, details and reasons of the events of an account, oldest first, without its sign-up
/// and what is counted.
pub fn account_events(app: &TestApp, user: &str) -> Vec<String> {
    let sql = format!(
        "SELECT kind || ':' || coalesce(detail, '') || ':' || coalesce(stated_reason, '') AS value
         FROM session_events
         WHERE user_id = {} AND session_id IS NULL AND repeat_key IS NULL AND kind <> 'signed_up'
         ORDER BY id",
        app.database.id(user)
    );
    app.database.texts(&sql).into_iter().flatten().collect()
}
