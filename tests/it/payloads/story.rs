//! What people, applications and administrators do with one payload, until it is stored wherever it
//! can be.

use reqwest::RequestBuilder;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::administrator;
use super::fields::{Texts, plain};
use crate::support::prelude::*;
use crate::support::smtp::{Message, SmtpServer};

/// The application with everything that passes a text on, and its administrator.
pub struct Stage {
    pub app: TestApp,
    pub mail: SmtpServer,
    pub root: Person,
    /// A key of an application that authenticates people itself.
    pub key: String,
}

/// What was done with one payload.
pub struct Played {
    pub texts: Texts,
    pub victim: Browser,
    pub admin: Browser,
    /// Ids, by what they are of.
    pub ids: Ids,
    /// An event with a stated reason.
    pub event: String,
    /// The messages that were sent meanwhile.
    pub messages: Vec<Message>,
}

#[derive(Debug, Default)]
pub struct Ids {
    pub victim: String,
    pub session: String,
    /// A person with an act of every kind, who still exists.
    pub colleague: String,
    /// A person of an application, and their session.
    pub external: String,
    pub external_session: String,
    pub application: String,
    pub key: String,
    pub job: String,
    /// A job that was stopped.
    pub stopped_job: String,
}

impl Stage {
    pub async fn start(database: Database) -> Self {
        let mail = SmtpServer::start();
        let app = TestApp::start_with_mail(database, &mail, |settings| {
            settings.places.country_header = "x-country".into();
            settings.places.city_header = "x-city".into();
        })
        .await;
        let root = app.register("root@example.org").await;
        app.set_role(&root, "admin");
        let key = app.create_key("sessions");
        Self {
            app,
            mail,
            root,
            key,
        }
    }

    /// Does everything with the payload of these texts.
    pub async fn play(&self, texts: Texts) -> Played {
        let before = self.mail.messages().len();
        self.app.advance(Duration::from_secs(60));
        let admin = self.app.signed_in_browser(&self.root, FIREFOX).await;
        let mut played = self.victim(texts, admin).await;
        self.newcomers(&played).await;
        self.external_person(&mut played).await;
        self.application(&mut played).await;
        self.colleague(&mut played).await;
        self.job(&mut played).await;
        self.stopped_job(&mut played).await;
        played.event = administrator::event(&played).await;
        self.app.deliver_mail().await;
        self.app.write_heartbeat().await;
        self.app.add_up_counts().await;
        played.messages = self.mail.messages().split_off(before);
        played
    }

    /// Somebody signs up, signs in with four devices, and gives names to all of it.
    async fn victim(&self, texts: Texts, admin: Browser) -> Played {
        let app = &self.app;
        let person = Person {
            email: texts.of("e-mail").to_lowercase(),
            password: texts.of("password"),
        };
        let body = json!({"email": person.email, "password": person.password});
        let register = app.anyone().post("/api/v1/auth/register", &body).await;
        register.expect(201);
        app.deliver_mail().await;
        app.database
            .execute("UPDATE users SET email_verified_at = created_at");
        // The first of the devices may change all.
        let victim = Browser::with(app.base(), FIREFOX, headers(texts));
        assert_eq!(victim.sign_in(&person).await.location(), "/devices");
        let laptop = self.login(&person, texts, ["", "device id"]).await;
        app.advance(Duration::from_secs(60));
        let names = [
            "name of a signed-out device",
            "device id of a signed-out device",
        ];
        let signed_out = self.login(&person, texts, names).await;
        signed_out.post("/api/v1/auth/logout").await.expect(204);
        self.login(&person, texts, ["device name", "device id of a tablet"])
            .await;
        rename_devices(&victim, &laptop, texts).await;
        let name = [("full_name", &*texts.of("name"))];
        victim
            .submit("/account", "/account/name", &name)
            .await
            .expect(303);
        let email = [("email", &*texts.of("next e-mail"))];
        victim
            .submit("/account", "/account/email", &email)
            .await
            .expect(303);
        let ids = Ids {
            victim: text(&laptop.session["user_id"]),
            session: laptop.id(),
            ..Ids::default()
        };
        Played {
            texts,
            victim,
            admin,
            ids,
            event: String::new(),
            messages: Vec::new(),
        }
    }

    /// Signs a device in over the API, with the texts of these fields as its name and its id.
    async fn login(&self, person: &Person, texts: Texts, [name, id]: [&str; 2]) -> Device {
        let name = (!name.is_empty()).then(|| texts.of(name));
        let body = json!({
            "email": person.email, "password": person.password, "device_name": name,
            "device_id": texts.of(id),
        });
        let request = self.app.anyone().request("POST", "/api/v1/auth/login");
        let response = TestResponse::to(with_headers(request.json(&body), texts)).await;
        Device::from_login(self.app.base(), &response.expect(200))
    }

    /// Somebody signs up on the page and verifies nothing, and somebody is invited.
    async fn newcomers(&self, played: &Played) {
        let texts = played.texts;
        let fields = [
            ("full_name", &*texts.of("name at sign-up")),
            ("email", &*texts.of("e-mail at sign-up")),
            ("password", PASSWORD),
        ];
        let newcomer = self.app.browser(FIREFOX);
        newcomer
            .submit("/sign-up", "/sign-up", &fields)
            .await
            .expect(303);
        const INVITE: &str = "/admin/users/invite";
        let fields = [
            ("full_name", &*texts.of("name of a guest")),
            ("email", &*texts.of("e-mail of a guest")),
            ("role", "person"),
        ];
        let invited = played.admin.submit(INVITE, INVITE, &fields).await;
        invited.expect(303);
        let fields = [("email", &*texts.of("e-mail"))];
        let browser = self.app.browser(FIREFOX);
        let page = "/forgot-password";
        browser.submit(page, page, &fields).await.expect(200);
    }

    /// An application opens a session of a person of its own.
    async fn external_person(&self, played: &mut Played) {
        let texts = played.texts;
        // A subject with control characters is refused.
        let subject = plain(&texts.of("subject"));
        let body = json!({
            "subject": subject, "email": texts.of("stated e-mail"), "full_name": texts.of("stated name"),
            "user_agent": texts.of("stated agent"), "ip_address": "198.51.100.9",
            "device_id": texts.of("stated device id"), "device_name": texts.of("stated device name"),
        });
        let opened = self.open_session(&body).await;
        played.ids.external = text(&opened["user_id"]);
        played.ids.external_session = text(&opened["id"]);
    }

    /// Opens a session as the application does.
    pub async fn open_session(&self, body: &Value) -> Value {
        let request = self.app.anyone().request("POST", "/api/v1/app/sessions");
        let response = TestResponse::to(request.bearer_auth(&self.key).json(body)).await;
        response.expect(201).json()["session"].clone()
    }
}

async fn rename_devices(victim: &Browser, laptop: &Device, texts: Texts) {
    let page = format!("/devices/{}", laptop.id());
    let body = json!({"device_name": texts.of("device name by the API")});
    laptop
        .patch(&format!("/api/v1/sessions/{}", laptop.id()), &body)
        .await
        .expect(200);
    let devices = victim.get("/devices").await.expect(200);
    let own = devices
        .text
        .split('"')
        .find(|part| part.starts_with("/devices/") && part.len() == page.len() && *part != page);
    let own = own.expect("the page of the own device").to_owned();
    let fields = [("device_name", &*texts.of("device name on the page"))];
    victim
        .submit(&own, &format!("{own}/rename"), &fields)
        .await
        .expect(303);
}

/// Returns the headers of somebody's browser that carry a text.
fn headers(texts: Texts) -> HeaderMap {
    let text = |name: &str| texts.of(name).replace(char::is_control, "");
    [
        ("user-agent", text("user agent")),
        ("accept-language", text("language")),
        ("x-country", "FR".into()),
        ("x-city", percent_encoded(&texts.of("city"))),
        (
            "x-forwarded-for",
            format!("{}, 198.51.100.7", text("forwarded address")),
        ),
        ("sec-ch-ua", texts.of("brands")),
        ("sec-ch-ua-full-version-list", texts.of("brands in full")),
        ("sec-ch-ua-platform", texts.of("platform")),
        ("sec-ch-ua-platform-version", texts.of("platform version")),
        ("sec-ch-ua-form-factors", texts.of("form factors")),
        ("sec-ch-ua-mobile", texts.of("mobile")),
        ("referer", text("referrer")),
        ("x-request-id", text("request id")),
        ("x-forwarded-host", text("forwarded host")),
    ]
    .into_iter()
    .map(|(name, value)| {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header");
        (HeaderName::from_static(name), value)
    })
    .collect()
}

/// Returns a text percent-encoded (RFC 3986, 2.1).
pub fn percent_encoded(text: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20")
}

/// Adds the headers of a tablet, whose model carries a text.
fn with_headers(request: RequestBuilder, texts: Texts) -> RequestBuilder {
    let mut headers = headers(texts);
    let value = |text: String| HeaderValue::from_bytes(text.as_bytes()).expect("a header");
    headers.insert("user-agent", value(texts.of("agent of a tablet")));
    headers.insert("sec-ch-ua-model", value(texts.of("model")));
    headers.insert(
        "sec-ch-ua-platform",
        HeaderValue::from_static("\"Android\""),
    );
    request.headers(headers)
}

#[track_caller]
pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
        .to_owned()
}
