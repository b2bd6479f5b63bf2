//! The application under test, started in the test's own process.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use actix_web::rt::spawn;
use chrono::{DateTime, Utc};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use rollcall::clock::Clock;
use rollcall::keys::{self, KeyKind, Start};
use rollcall::server::{self, Server};
use rollcall::settings::{DatabaseSettings, MailTls, PasswordSettings, Settings};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::yield_now;

use super::api::{Anyone, Device};
use super::browser::Browser;
use super::database::Database;
use super::program::Program;
use super::response::TestResponse;
use super::smtp::SmtpServer;

/// The password of every person.
pub const PASSWORD: &str = "correct horse battery staple";
/// The time of the clock when a test begins. It is far from today, so that a use of any other clock
/// fails a test.
const START: &str = "2031-05-17T08:30:00Z";

/// A running application with its database and its clock.
pub struct TestApp {
    pub database: Database,
    pub clock: Clock,
    server: Server,
}

/// A person with an account.
#[derive(Debug, Clone)]
pub struct Person {
    pub email: String,
    pub password: String,
}

impl TestApp {
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, |_| {}).await
    }

    /// Starts it behind a proxy on this machine.
    pub async fn start_behind_proxy(database: Database) -> Self {
        Self::start_with(database, behind_proxy).await
    }

    /// Starts it with settings that differ from the defaults of the tests.
    pub async fn start_with(database: Database, change: impl FnOnce(&mut Settings)) -> Self {
        let settings = settings_for(&database, change);
        let clock = Clock::fixed(START.parse::<DateTime<Utc>>().expect("a time"));
        let server = server::start(settings, clock.clone())
            .await
            .expect("the server starts");
        Self {
            database,
            clock,
            server,
        }
    }

    /// Starts it with an SMTP server, behind a proxy on this machine. The test starts each delivery
    /// itself.
    pub async fn start_with_mail(
        database: Database,
        server: &SmtpServer,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let port = server.port();
        Self::start_with(database, |settings| {
            use_mail_server(settings, port);
            change(settings);
        })
        .await
    }

    /// Starts another node on the same database, with the same keys and clock.
    pub async fn another_node(&self, change: impl FnOnce(&mut Settings)) -> Node {
        let settings = settings_for(&self.database, change);
        let server = server::start(settings, self.clock.clone()).await;
        Node(server.expect("the server starts"))
    }

    /// Starts another node whose clock is ahead of the first one's, and stands still.
    pub async fn another_node_ahead(
        &self,
        span: Duration,
        change: impl FnOnce(&mut Settings),
    ) -> Node {
        let settings = settings_for(&self.database, change);
        let clock = Clock::fixed(*(self.clock.now() + span));
        let server = server::start(settings, clock).await;
        Node(server.expect("the server starts"))
    }

    /// Stops it as an operator does, then drops its database.
    pub async fn stop(self) {
        self.server.stop().await.expect("a clean stop");
    }

    /// Stops it, and returns the database for another start.
    pub async fn stop_and_keep_database(self) -> Database {
        self.server.stop().await.expect("a clean stop");
        self.database
    }

    /// Stops it, and calls `repair` once it accepts no connection any more.
    pub async fn stop_and_repair(self, repair: impl FnOnce(&Database)) -> Database {
        let address = self.server.address();
        let stopping = spawn(self.server.stop());
        while TcpStream::connect(address).await.is_ok() {
            yield_now().await;
        }
        repair(&self.database);
        let stopped = stopping.await.expect("no panic");
        stopped.expect("a clean stop");
        self.database
    }

    pub fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Sets the clock back.
    pub fn set_back(&self, span: Duration) {
        self.clock.set_back(span);
    }

    /// Runs the sweep now.
    pub async fn sweep(&self) {
        assert!(self.try_sweep().await, "the sweep failed");
    }

    /// Runs the sweep now. Returns whether it succeeded.
    pub async fn try_sweep(&self) -> bool {
        self.server.jobs().sweep().await.is_ok()
    }

    /// Adds what happened to the totals of the counters now. Returns how many changes were added.
    pub async fn add_up_counts(&self) -> usize {
        let added = self.server.jobs().add_up_counts().await;
        added.expect("the database responds")
    }

    /// Counts the people with live sessions now. Returns whether they were due to be counted.
    pub async fn count_people(&self) -> bool {
        let counted = self.server.jobs().count_people().await;
        counted.expect("the database responds")
    }

    /// Adds what happened to the totals of the counters now. Returns whether that succeeded.
    pub async fn try_add_up_counts(&self) -> bool {
        self.server.jobs().add_up_counts().await.is_ok()
    }

    /// Writes the node's heartbeat now.
    pub async fn write_heartbeat(&self) {
        let written = self.server.jobs().write_heartbeat().await;
        written.expect("the database responds");
    }

    /// Writes the buffered last uses now.
    pub async fn flush(&self) {
        assert!(self.try_flush().await, "the last uses could not be written");
    }

    /// Writes the buffered last uses now. Returns whether it succeeded.
    pub async fn try_flush(&self) -> bool {
        self.server.jobs().flush_last_uses().await.is_ok()
    }

    /// Writes the uses of applications that are due now. Returns how many rows changed.
    pub async fn flush_application_uses(&self) -> usize {
        let written = self.server.jobs().flush_application_uses().await;
        written.expect("the database responds")
    }

    /// Writes as [`TestApp::flush_application_uses`]. Returns whether it succeeded.
    pub async fn try_flush_application_uses(&self) -> bool {
        self.server.jobs().flush_application_uses().await.is_ok()
    }

    /// Sends the messages that are due now. Returns how many the mail server accepted.
    pub async fn deliver_mail(&self) -> usize {
        let sent = self.server.jobs().deliver_mail().await;
        sent.expect("the database responds")
    }

    /// Runs one batch of each running bulk job. Returns how many have more to do.
    pub async fn run_bulk_batch(&self) -> usize {
        let unfinished = self.server.jobs().run_bulk_jobs().await;
        unfinished.expect("the database responds")
    }

    /// Runs batches as [`TestApp::run_bulk_batch`], where the database may not respond.
    pub async fn try_run_bulk_batch(&self) -> Option<usize> {
        self.server.jobs().run_bulk_jobs().await.ok()
    }

    /// Runs all bulk jobs to their end.
    pub async fn run_bulk_jobs(&self) {
        while self.run_bulk_batch().await > 0 {}
    }

    /// Reloads the database of places now, if it changed. Returns whether it did.
    pub async fn reload_places(&self) -> bool {
        let reloaded = self.server.jobs().reload_places().await;
        reloaded.expect("the job runs")
    }

    /// Rotates keys by the test's clock, as `rollcall key rotate` does, and reloads them.
    pub async fn rotate_keys(&self, kinds: &[KeyKind], start: Start) {
        let settings = settings_for(&self.database, |_| {});
        keys::rotate(&settings, kinds, start, self.clock.now()).expect("the keys are rotated");
        self.reload_keys().await;
    }

    /// Revokes the key of that kind that was in use first, by the test's clock, and reloads the
    /// keys.
    pub async fn revoke_first_key(&self, kind: KeyKind) {
        let settings = settings_for(&self.database, |_| {});
        let rows = keys::list_keys(&settings, self.clock.now()).expect("the keys are listed");
        let first = rows.iter().rfind(|row| row.kind == kind).expect("a key");
        keys::revoke_key(&settings, &first.id, self.clock.now()).expect("the key is revoked");
        self.reload_keys().await;
    }

    /// Reloads the keys now.
    pub async fn reload_keys(&self) {
        let reloaded = self.server.jobs().reload_keys().await;
        reloaded.expect("the job runs");
    }

    /// Returns the address at which the metrics are served.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.server.metrics_address()
    }

    /// Returns the token of the link that creates the first administrator.
    pub async fn setup_token(&self) -> String {
        let url = self
            .server
            .setup_url()
            .await
            .expect("the database responds");
        let url = url.expect("there is no administrator");
        url.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// Returns its URL: `http://127.0.0.1:PORT`.
    pub fn base(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Returns a client of the API without a session.
    pub fn anyone(&self) -> Anyone {
        Anyone::new(self.base())
    }

    /// Returns a browser without cookies.
    pub fn browser(&self, user_agent: &str) -> Browser {
        Browser::new(self.base(), user_agent)
    }

    /// Makes an account with a verified e-mail, without a trace of its sign-up.
    pub async fn register(&self, email: &str) -> Person {
        let person = self.register_unverified(email).await;
        self.database.execute(&format!(
            "UPDATE users SET email_verified_at = created_at WHERE email = '{email}'"
        ));
        self.database.execute(&format!(
            "DELETE FROM email_verifications WHERE email = '{email}'"
        ));
        self.database.execute(&format!(
            "DELETE FROM session_events WHERE kind = 'signed_up'
             AND user_id = (SELECT id FROM users WHERE email = '{email}')"
        ));
        for table in ["mail_queue", "message_counts"] {
            self.database.execute(&format!(
                "DELETE FROM {table} WHERE kind = 'verification' AND recipient = '{email}'"
            ));
        }
        person
    }

    /// Confirms every open alert about a sign-in, as from the link in a message.
    pub fn confirm_sign_ins(&self) {
        self.database.execute(
            "UPDATE alerts SET answer = 'mine', answered_at = at, settled_by = id, confirmed_by_link = true
             WHERE answered_at IS NULL AND kind IN ('new_device', 'new_country')",
        );
    }

    /// Gives a person a role: `admin`, `auditor` or `person`.
    pub fn set_role(&self, person: &Person, role: &str) {
        let (is_admin, is_auditor) = (role == "admin", role == "auditor");
        self.database.execute(&format!(
            "UPDATE users SET is_admin = {is_admin}, is_auditor = {is_auditor} WHERE email = '{}'",
            person.email
        ));
    }

    /// Creates an application with an API key of these scopes, separated by spaces, and returns its
    /// secret.
    pub fn create_key(&self, scopes: &str) -> String {
        let name = format!("test {}", uuid::Uuid::new_v4());
        let mut arguments = vec!["--name", &name];
        for scope in scopes.split(' ') {
            arguments.extend(["--scope", scope]);
        }
        Program::with(&self.database).add_key(&arguments).secret
    }

    /// Signs up over the API.
    pub async fn register_unverified(&self, email: &str) -> Person {
        let person = Person {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let body = json!({"email": email, "password": PASSWORD, "full_name": "Ada Lovelace"});
        self.anyone()
            .post("/api/v1/auth/register", &body)
            .await
            .expect(201);
        person
    }

    /// Signs a device in over the API.
    pub async fn login(&self, person: &Person, user_agent: &str) -> Device {
        Device::from_login(
            self.base(),
            &self.try_login(person, user_agent).await.expect(200),
        )
    }

    pub async fn try_login(&self, person: &Person, user_agent: &str) -> TestResponse {
        let body = json!({"email": person.email, "password": person.password});
        let request = self
            .anyone()
            .request("POST", "/api/v1/auth/login")
            .header("user-agent", user_agent);
        TestResponse::to(request.json(&body)).await
    }

    /// Signs a device in over the API, from an address in a proxy's header, perhaps with a device
    /// id.
    pub async fn login_from(
        &self,
        person: &Person,
        user_agent: &str,
        ip: &str,
        device_id: Option<&str>,
    ) -> Device {
        let body = json!({
            "email": person.email, "password": person.password, "device_id": device_id,
        });
        let request = self
            .anyone()
            .request("POST", "/api/v1/auth/login")
            .header("user-agent", user_agent)
            .header("x-forwarded-for", ip);
        let response = TestResponse::to(request.json(&body)).await.expect(200);
        Device::from_login(self.base(), &response)
    }

    /// Signs a device of this name in over the API; the same name is the same device.
    pub async fn login_named(&self, person: &Person, user_agent: &str, name: &str) -> Device {
        let id = Some(name);
        let device = self.login_from(person, user_agent, "203.0.113.7", id).await;
        let path = format!("/api/v1/sessions/{}", device.id());
        let name = json!({ "device_name": name });
        device.patch(&path, &name).await.expect(200);
        device
    }

    /// Returns a browser whose address is in a proxy's header.
    pub fn browser_from(&self, user_agent: &str, ip: &str) -> Browser {
        Browser::from(self.base(), user_agent, ip)
    }

    /// Returns a browser in which the person has signed in.
    pub async fn signed_in_browser(&self, person: &Person, user_agent: &str) -> Browser {
        let browser = self.browser(user_agent);
        let response = browser.sign_in(person).await;
        assert_eq!(response.location(), "/devices");
        browser
    }
}

pub fn settings_for(database: &Database, change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        database_url: database.url().parse().expect("a database URL"),
        secrets_file: Some(database.folder().join("rollcall.secrets")),
        sign_up: true,
        // Hashed quickly: tests sign in hundreds of times.
        passwords: PasswordSettings {
            memory_kib: 8,
            iterations: 1,
            ..PasswordSettings::default()
        },
        database: DatabaseSettings {
            connections: 4,
            ..DatabaseSettings::default()
        },
        ..Settings::default()
    };
    // One network, and a clock that stands still: tests of throttles have the defaults.
    settings.throttles.network_burst = 1_000_000;
    settings.throttles.mail_burst = 1_000_000;
    settings.throttles.node_burst = 1_000_000;
    // A test starts each batch itself.
    settings.jobs.bulk_interval = Duration::from_secs(24 * 60 * 60);
    change(&mut settings);
    settings
}

/// A node besides the first one.
pub struct Node(Server);

impl Node {
    /// Sends the messages that are due now, as [`TestApp::deliver_mail`].
    pub async fn deliver_mail(&self) -> usize {
        let sent = self.0.jobs().deliver_mail().await;
        sent.expect("the database responds")
    }

    /// Writes the uses of applications that are due, as [`TestApp::flush_application_uses`].
    pub async fn flush_application_uses(&self) -> usize {
        let written = self.0.jobs().flush_application_uses().await;
        written.expect("the database responds")
    }

    /// Runs one batch of each running bulk job. Returns how many have more to do.
    pub async fn run_bulk_batch(&self) -> usize {
        let unfinished = self.0.jobs().run_bulk_jobs().await;
        unfinished.expect("the database responds")
    }

    /// Runs batches as [`Node::run_bulk_batch`], where the database may not respond.
    pub async fn try_run_bulk_batch(&self) -> Option<usize> {
        self.0.jobs().run_bulk_jobs().await.ok()
    }

    /// Adds what happened to the totals of the counters now, as [`TestApp::add_up_counts`].
    pub async fn add_up_counts(&self) -> usize {
        let added = self.0.jobs().add_up_counts().await;
        added.expect("the database responds")
    }

    /// Writes the node's heartbeat now.
    pub async fn write_heartbeat(&self) {
        let written = self.0.jobs().write_heartbeat().await;
        written.expect("the database responds");
    }

    /// Reloads the keys now.
    pub async fn reload_keys(&self) {
        let reloaded = self.0.jobs().reload_keys().await;
        reloaded.expect("the job runs");
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.0.address())
    }

    pub async fn stop(self) {
        self.0.stop().await.expect("a clean stop");
    }
}

/// Changes settings to those of an application behind a proxy on this machine, with an SMTP server
/// without TLS at `port`.
pub fn use_mail_server(settings: &mut Settings, port: u16) {
    behind_proxy(settings);
    settings.mail.host = Some("127.0.0.1".into());
    settings.mail.port = Some(port);
    settings.mail.tls = MailTls::None;
    settings.mail.from = "Rollcall <rollcall@example.org>".into();
    settings.jobs.mail_interval = Duration::from_secs(24 * 60 * 60);
}

/// Changes settings to those of an application behind a proxy on this machine.
pub fn behind_proxy(settings: &mut Settings) {
    settings.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
}

/// Returns the builder of a client that follows no redirect, uses no proxy and leaves no idle
/// connection, for which the server would wait when it stops.
pub fn http_client() -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
}
