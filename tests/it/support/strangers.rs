//! An account that a stranger has the password of: its owner is in Lisbon, and they sign in from Kyiv, stating any
//! id and name of a device.

use std::time::Duration;

use serde_json::{Value, json};

use super::IPHONE;
use super::api::Device;
use super::app::{Person, TestApp};
use super::browser::Browser;
use super::database::Database;
use super::mailed::{Mailed, Place};
use super::response::TestResponse;
use super::smtp::SmtpServer;

pub const LISBON: &str = "203.0.113.24";
pub const KYIV: &str = "198.18.0.66";
pub const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// How long after the last one whatever happens next does.
pub const MINUTE: Duration = Duration::from_secs(60);

/// Ada's account, with a laptop and a phone in Lisbon.
pub struct Strangers {
    pub app: TestApp,
    pub server: SmtpServer,
    pub ada: Person,
    pub laptop: Browser,
    pub phone: Device,
}

impl Strangers {
    /// Starts the service; the phone has this name, and its sign-in waits for an answer.
    pub async fn start(database: Database, phone: Option<&str>) -> Self {
        let networks = [
            ("203.0.113.0/24", Place("Lisbon", "PT", 38.72, -9.14)),
            ("198.18.0.0/24", Place("Kyiv", "UA", 50.45, 30.52)),
        ];
        let Mailed {
            app,
            server,
            ada,
            laptop,
        } = Mailed::start_with_places(database, LISBON, &networks, |settings| {
            settings.tokens.access_lifetime = Duration::from_secs(24 * 60 * 60);
        })
        .await;
        app.advance(MINUTE);
        let phone = sign_in(&app, &ada, (IPHONE, LISBON), ("phone", phone)).await;
        Self {
            app,
            server,
            ada,
            laptop,
            phone,
        }
    }

    /// Starts as [`Strangers::start`] does, with the phone confirmed.
    pub async fn start_confirmed(database: Database, phone: Option<&str>) -> Self {
        let it = Self::start(database, phone).await;
        it.laptop.answer_alert("/yes").await;
        it.app.advance(MINUTE);
        it
    }

    /// Signs in over the API, with a device of this id and name.
    pub async fn sign_in(&self, from: (&str, &str), device: (&str, Option<&str>)) -> Device {
        sign_in(&self.app, &self.ada, from, device).await
    }

    /// Signs a stranger in from Kyiv, with a device of this id and a name of their own.
    pub async fn stranger(&self, user_agent: &str, id: &str, name: &str) -> Device {
        self.sign_in((user_agent, KYIV), (id, Some(name))).await
    }

    /// Returns the id of the laptop's device, as every session of the person can read it.
    pub async fn laptop_id(&self) -> String {
        let current = self.laptop.get("/api/v1/sessions/current").await;
        let id = current.expect(200).json()["device_id"].clone();
        id.as_str().expect("a device id").to_owned()
    }

    /// Returns the words of a page, as the laptop shows it.
    pub async fn page(&self, path: &str) -> String {
        self.laptop.get(path).await.expect(200).words()
    }

    pub async fn stop(self) {
        self.server.stop();
        self.app.stop().await;
    }
}

/// Signs out over the API.
pub async fn sign_out(device: &Device) {
    let out = device.request("POST", "/api/v1/auth/logout");
    TestResponse::to(out).await.expect(204);
}

async fn sign_in(
    app: &TestApp,
    ada: &Person,
    (user_agent, ip): (&str, &str),
    (id, name): (&str, Option<&str>),
) -> Device {
    let mut body = json!({"email": ada.email, "password": ada.password, "device_id": id});
    if let Some(name) = name {
        body["device_name"] = Value::from(name);
    }
    let request = app
        .anyone()
        .request("POST", "/api/v1/auth/login")
        .header("user-agent", user_agent)
        .header("x-forwarded-for", ip);
    let response = TestResponse::to(request.json(&body)).await.expect(200);
    app.advance(MINUTE);
    Device::from_login(app.base(), &response)
}

/// # Panics
/// When one of the parts is not among the words.
#[track_caller]
pub fn expect_all(words: &str, parts: &[&str]) {
    for part in parts {
        assert!(words.contains(part), "{part}: {words}");
    }
}

/// # Panics
/// When one of the parts is among the words.
#[track_caller]
pub fn expect_none(words: &str, parts: &[&str]) {
    for part in parts {
        assert!(!words.contains(part), "{part}: {words}");
    }
}
