//! The line of a request: who it was authenticated as, and from which address.

use std::collections::BTreeMap;

use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::api::Anyone;
use crate::support::browser::APPLICATION;
use crate::support::prelude::*;
use crate::support::program::{AddedKey, Program, Serving};

on_both!(
    database: a_session_is_named_from_its_opening_to_its_end,
    a_browser_is_named_and_a_refused_cookie_is_not,
    an_application_is_named_by_its_key,
    forward_auth_names_whom_it_lets_in,
    a_network_is_logged_and_no_address,
    no_line_has_more_of_an_address_than_its_person_chose,
    a_client_that_leaves_is_logged,
    what_a_client_sends_stays_in_its_line,
);

const HOME: &str = "203.0.113.77";
const NETWORK: &str = "203.0.113.0/24";
const EMAIL: &str = "ada@example.org";

/// The program behind a proxy on this machine, with its log in JSON.
struct Logging {
    serving: Serving,
    anyone: Anyone,
}

/// Who a line names: `user`, `session`, `application`, `key`.
type Named = BTreeMap<&'static str, String>;

impl Logging {
    fn start(database: &Database, addresses: Option<&str>) -> Self {
        let program = Program::with(database)
            .env("ROLLCALL_SIGN_UP", "true")
            .env("ROLLCALL_LOG__FORMAT", "json")
            .env("ROLLCALL_TRUSTED_PROXIES", "127.0.0.1/32")
            .env("ROLLCALL_FORWARD_AUTH__ALLOWED_HOSTS", APPLICATION);
        let program = match addresses {
            None => program,
            Some(addresses) => program.env("ROLLCALL_LOG__ADDRESSES", addresses),
        };
        let serving = program.serve(&["serve"]);
        let anyone = Anyone::new(serving.base());
        Self { serving, anyone }
    }

    /// Registers Ada, and signs a device of hers in.
    async fn sign_in(&mut self) -> Device {
        self.sign_in_as(EMAIL).await
    }

    async fn sign_in_as(&mut self, email: &str) -> Device {
        let body = json!({"email": email, "password": PASSWORD});
        let register = self.at_home("POST", "/api/v1/auth/register").json(&body);
        TestResponse::to(register).await.expect(201);
        let login = self.at_home("POST", "/api/v1/auth/login").json(&body);
        let response = TestResponse::to(login).await.expect(200);
        let device = Device::from_login(self.serving.base(), &response);
        assert_eq!(self.named(&response), named(&device.session));
        device
    }

    fn at_home(&self, method: &str, path: &str) -> RequestBuilder {
        let request = self.anyone.request(method, path);
        request.header("x-forwarded-for", HOME)
    }

    /// Returns the line of a request.
    fn line(&mut self, response: &TestResponse) -> Value {
        self.line_of(response.header("x-request-id"))
    }

    fn line_of(&mut self, id: &str) -> Value {
        let found = self.serving.wait_for("the request's line", |line| {
            let is_its = line.contains(id) && line.contains("\"answered\"");
            is_its.then(|| line.to_owned())
        });
        serde_json::from_str(&found).expect("a line of JSON")
    }

    fn named(&mut self, response: &TestResponse) -> Named {
        let line = self.line(response);
        assert_eq!(line["status"], response.status, "{line}");
        names(&line)
    }

    /// Returns the address in the line of a request.
    fn address(&mut self, response: &TestResponse) -> Option<String> {
        self.line(response)["client"].as_str().map(str::to_owned)
    }

    fn stop(mut self) {
        assert!(self.serving.terminate().success());
        let log = self.serving.output();
        assert!(!log.contains(EMAIL), "{log}");
    }
}

fn names(line: &Value) -> Named {
    ["user", "session", "application", "key"]
        .into_iter()
        .filter_map(|field| Some((field, line.get(field)?.as_str()?.to_owned())))
        .collect()
}

/// Whom a session's line names.
fn named(session: &Value) -> Named {
    let text = |field: &str| session[field].as_str().expect("an id").to_owned();
    BTreeMap::from([("user", text("user_id")), ("session", text("id"))])
}

fn named_key(key: &AddedKey) -> Named {
    BTreeMap::from([
        ("application", key.application.clone()),
        ("key", key.id.clone()),
    ])
}

async fn a_session_is_named_from_its_opening_to_its_end(database: Database) {
    let mut log = Logging::start(&database, None);
    let mut laptop = log.sign_in().await;
    let ada = named(&laptop.session);
    let response = laptop.current().await.expect(200);
    assert_eq!(log.named(&response), ada);
    let response = log.anyone.refresh(&laptop.refresh_token).await.expect(200);
    assert_eq!(log.named(&response), ada);
    laptop.access_token = Device::from_login(log.serving.base(), &response).access_token;
    // What another token claims is nobody.
    let forged = format!("{}x", laptop.access_token);
    let response = log.anyone.current(&forged).await.expect(401);
    assert_eq!(log.named(&response), Named::new());
    let response = log.anyone.refresh("forged").await.expect(401);
    assert_eq!(log.named(&response), Named::new());
    let wrong = json!({"email": EMAIL, "password": "wrong"});
    let response = log.anyone.post("/api/v1/auth/login", &wrong).await;
    assert_eq!(log.named(&response.expect(401)), Named::new());

    let response = laptop.post("/api/v1/auth/logout").await.expect(204);
    assert_eq!(log.named(&response), ada);
    // A genuine token of a session that is over.
    let response = laptop.current().await.expect(401);
    assert_eq!(log.named(&response), Named::new());
    log.stop();
}

async fn a_browser_is_named_and_a_refused_cookie_is_not(database: Database) {
    let mut log = Logging::start(&database, None);
    let laptop = log.sign_in().await;
    let browser = Browser::new(log.serving.base(), FIREFOX);
    let before = browser.get("/sign-in").await.expect(200);
    assert_eq!(log.named(&before), Named::new());
    let ada = Person {
        email: EMAIL.into(),
        password: PASSWORD.into(),
    };
    let opened = browser.sign_in(&ada).await;
    let browsing = log.named(&opened);
    assert_eq!(browsing["user"], laptop.session["user_id"]);
    assert_ne!(browsing["session"], laptop.id());
    let page = browser.get("/devices").await.expect(200);
    assert_eq!(log.named(&page), browsing);
    // The line is written when the stream begins.
    let stream = browser.stream("/devices/changes?since=0").await;
    let id = stream.headers()["x-request-id"].to_str().expect("an id");
    assert_eq!(names(&log.line_of(id)), browsing);
    drop(stream);
    // To others the pages of administrators don't exist; the log says who tried.
    let refused = browser.get("/admin").await.expect(404);
    assert_eq!(log.named(&refused), browsing);

    let copied = browser.cookie("rollcall_session").expect("a cookie");
    let ended = browser.submit("/devices", "/sign-out", &[]).await;
    assert_eq!(log.named(&ended), browsing);
    browser.set_cookie("rollcall_session", &copied);
    let refused = browser.get("/devices").await;
    assert!(refused.is_to_sign_in());
    assert_eq!(log.named(&refused), Named::new());
    log.stop();
}

async fn an_application_is_named_by_its_key(database: Database) {
    let mut log = Logging::start(&database, None);
    let add = |name: &str, scope: &str| {
        Program::with(&database).add_key(&["--name", name, "--scope", scope])
    };
    let (shop, tokens) = (add("shop", "sessions"), add("tokens", "tokens:any"));
    let laptop = log.sign_in().await;
    // The owner of the token is in no line: the key is the caller.
    let introspect = log
        .at_home("POST", "/oauth/introspect")
        .basic_auth(&tokens.id, Some(&tokens.secret))
        .form(&[("token", &laptop.access_token)]);
    let response = TestResponse::to(introspect).await.expect(200);
    assert_eq!(log.named(&response), named_key(&tokens));
    let create = |key: &AddedKey| {
        log.at_home("POST", "/api/v1/app/sessions")
            .bearer_auth(&key.secret)
            .json(&json!({"subject": "grace", "ip_address": "198.51.100.7"}))
    };
    let (created, refused) = (create(&shop), create(&tokens));
    let response = TestResponse::to(created).await.expect(201);
    let mut opened = named(&response.json()["session"]);
    opened.extend(named_key(&shop));
    assert_eq!(log.named(&response), opened);
    // The address is where the application calls from.
    assert_eq!(log.address(&response).as_deref(), Some(NETWORK));
    let response = TestResponse::to(refused).await.expect(403);
    assert_eq!(log.named(&response), named_key(&tokens));
    for (id, secret) in [(&tokens.id, "rck_forged"), (&shop.id, &tokens.secret)] {
        let introspect = log
            .at_home("POST", "/oauth/introspect")
            .basic_auth(id, Some(secret))
            .form(&[("token", &laptop.access_token)]);
        let response = TestResponse::to(introspect).await;
        assert_eq!(log.named(&response.expect(401)), Named::new());
    }
    log.stop();
}

async fn forward_auth_names_whom_it_lets_in(database: Database) {
    let mut log = Logging::start(&database, None);
    let laptop = log.sign_in().await;
    let response = laptop.get("/auth/verify").await.expect(200);
    assert_eq!(log.named(&response), named(&laptop.session));
    let browser = Browser::new(log.serving.base(), FIREFOX);
    let response = browser.verify().await.expect(401);
    assert_eq!(log.named(&response), Named::new());
    let ada = Person {
        email: EMAIL.into(),
        password: PASSWORD.into(),
    };
    let browsing = browser.sign_in(&ada).await;
    let browsing = log.named(&browsing);
    let response = browser.verify().await.expect(200);
    assert_eq!(log.named(&response), browsing);
    browser.submit("/devices", "/sign-out", &[]).await;
    let response = browser.verify().await.expect(401);
    assert_eq!(log.named(&response), Named::new());
    log.stop();
}

async fn a_network_is_logged_and_no_address(database: Database) {
    let mut log = Logging::start(&database, None);
    let laptop = log.sign_in().await;
    for (sent, logged) in [(HOME, NETWORK), ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48")] {
        let current = laptop.request("GET", "/api/v1/sessions/current");
        let current = current.header("x-forwarded-for", sent);
        let response = TestResponse::to(current).await.expect(200);
        assert_eq!(log.address(&response).as_deref(), Some(logged));
        let unknown = log.anyone.request("GET", "/api/v1/sessions/current");
        let response = TestResponse::to(unknown.header("x-forwarded-for", sent)).await;
        assert_eq!(log.address(&response.expect(401)).as_deref(), Some(logged));
    }
    assert!(log.serving.terminate().success());
    let output = log.serving.output();
    for address in [HOME, "2001:db8:1:2"] {
        assert!(!output.contains(address), "{output}");
    }
}

async fn no_line_has_more_of_an_address_than_its_person_chose(database: Database) {
    for (setting, whole, shortened, refused) in [
        (None, Some(NETWORK), Some(NETWORK), Some(NETWORK)),
        (Some("whole"), Some(HOME), Some(NETWORK), Some(HOME)),
        (Some("none"), None, None, None),
    ] {
        let mut log = Logging::start(&database, setting);
        for (choice, expected) in [("whole", whole), ("shortened", shortened), ("none", None)] {
            let email = format!("{choice}-{}@example.org", setting.unwrap_or_default());
            let laptop = log.sign_in_as(&email).await;
            let changed =
                format!("UPDATE users SET address_keeping = '{choice}' WHERE email = '{email}'");
            database.execute(&changed);
            let current = laptop.request("GET", "/api/v1/sessions/current");
            let response = TestResponse::to(current.header("x-forwarded-for", HOME)).await;
            assert_eq!(log.address(&response.expect(200)).as_deref(), expected);
            // The session that a sign-in opens, and a refresh, which finds no person.
            let body = json!({"email": email, "password": PASSWORD});
            let login = log.at_home("POST", "/api/v1/auth/login").json(&body);
            let response = TestResponse::to(login).await.expect(200);
            assert_eq!(log.address(&response).as_deref(), expected);
            let token = Device::from_login(log.serving.base(), &response).refresh_token;
            let response = log.anyone.refresh_from(&token, HOME).await.expect(200);
            assert_eq!(log.address(&response).as_deref(), expected);
            // Nobody knows who it is, so nobody's choice counts but the setting.
            let response = log.anyone.refresh_from("forged", HOME).await.expect(401);
            assert_eq!(log.address(&response).as_deref(), refused);
        }
        log.stop();
    }
}

/// Nobody makes requests unseen by breaking off before the response.
async fn a_client_that_leaves_is_logged(database: Database) {
    let mut log = Logging::start(&database, None);
    let address = log.serving.base();
    let address = address.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
         content-length: 10\r\nx-forwarded-for: {HOME}\r\n\r\n"
    );
    let sent = stream.write_all(request.as_bytes()).await;
    sent.expect("it is sent");
    // The service has the request, and waits for its body.
    let mut received = [0; 12];
    let read = stream.read_exact(&mut received).await;
    read.expect("a response");
    assert_eq!(&received, b"HTTP/1.1 100");
    stream.set_zero_linger().expect("a reset");
    drop(stream);
    let line = log.serving.wait_for("the request's line", |line| {
        line.contains("\"abandoned\"").then(|| line.to_owned())
    });
    let line: Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!(line["client"], NETWORK);
    assert_eq!(line["span"]["route"], "/api/v1/auth/login");
    log.stop();
}

async fn what_a_client_sends_stays_in_its_line(database: Database) {
    let mut serving = Program::with(&database)
        .env("ROLLCALL_LOG__FILTER", "debug")
        .serve(&["serve"]);
    let anyone = Anyone::new(serving.base());
    let long = "M".repeat(2000);
    let mut ids = Vec::new();
    for (method, path) in [
        ("GET", "/devices%0aFORGED%0d%1b[31m\"?x=%0aFORGED"),
        ("GET", "/sign-in?next=%0aFORGED"),
        (&*long, "/sign-in"),
    ] {
        let request = anyone
            .request(method, path)
            .header("user-agent", &b"FORGED\"\t\\x1b[31m \xff"[..])
            .header("x-forwarded-for", "FORGED\", \"status\": 200")
            .header("x-request-id", "FORGED")
            .header("authorization", "Bearer FORGED\"");
        let response = TestResponse::to(request).await;
        ids.push(response.header("x-request-id").to_owned());
    }
    assert!(serving.terminate().success());
    let output = serving.output();
    for forbidden in ["FORGED", "\u{1b}", "MMMMMMMMMMMMMMMMMMMMM"] {
        assert!(!output.contains(forbidden), "{forbidden:?}: {output}");
    }
    for id in ids {
        let lines = output.lines().filter(|line| line.contains(&id));
        let written = lines.filter(|line| line.contains("answered")).count();
        assert_eq!(written, 1, "{id}: {output}");
    }
}
