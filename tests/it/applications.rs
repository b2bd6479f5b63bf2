//! Applications: each has its keys and its people, and reaches nobody else's.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use reqwest::RequestBuilder;
use rollcall::server::routes::{API, Access};
use serde_json::Value;

use crate::support::prelude::*;
use crate::support::program::{AddedKey, Program};
use crate::support::run_async;

on_both!(
    app: a_subject_belongs_to_an_application,
    another_application_s_person_does_not_exist,
    a_refresh_token_of_another_application_s_person_is_no_token,
    an_application_reaches_nobody_with_a_password,
    a_replaced_key_has_the_same_people,
    a_key_expires_by_the_clock,
    a_subject_travels_in_the_header,
    a_subject_in_the_query_is_refused,
    a_subject_is_never_changed,
    applications_are_managed_on_the_command_line,
    an_application_that_is_referred_to_is_not_deleted,
    no_application_is_named_like_an_id,
    people_of_earlier_are_assigned,
);

const SESSIONS: &str = "/api/v1/app/sessions";

/// An application that opens sessions.
struct Shop<'a> {
    app: &'a TestApp,
    key: AddedKey,
}

impl<'a> Shop<'a> {
    fn new(app: &'a TestApp, name: &str) -> Self {
        Self::with(app, &["--name", name, "--scope", "sessions"])
    }

    fn with(app: &'a TestApp, arguments: &[&str]) -> Self {
        let key = Program::with(&app.database).add_key(arguments);
        Self { app, key }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.app
            .anyone()
            .request(method, &format!("{SESSIONS}{path}"))
            .bearer_auth(&self.key.secret)
    }

    async fn open(&self, subject: &str) -> Device {
        let request = self.request("POST", "").json(&json!({"subject": subject}));
        let response = TestResponse::to(request).await.expect(201);
        Device::from_login(self.app.base(), &response)
    }

    async fn refresh(&self, token: &str) -> TestResponse {
        let body = json!({"refresh_token": token});
        TestResponse::to(self.request("POST", "/refresh").json(&body)).await
    }

    async fn send(&self, method: &str, path: &str, subject: &str) -> TestResponse {
        TestResponse::to(self.request(method, path).header("x-subject", subject)).await
    }
}

async fn a_subject_belongs_to_an_application(app: &TestApp) {
    let (shop, forum) = (Shop::new(app, "shop"), Shop::new(app, "forum"));
    let (customer, member) = (shop.open("42").await, forum.open("42").await);
    assert_ne!(customer.session["user_id"], member.session["user_id"]);

    let listed = forum.send("GET", "", "42").await.expect(200).json();
    assert_eq!(listed["total"], 1);
    assert_eq!(listed["sessions"][0]["id"], member.session["id"]);
    let path = format!("/{}", customer.id());
    let foreign = forum.send("DELETE", &path, "42").await.expect(404);
    let unknown = "/01a20a58-74ca-734e-96bd-fa45bbbf7ce7";
    assert_eq!(foreign.text, forum.send("DELETE", unknown, "42").await.text);
    let ended = forum.send("DELETE", "", "42").await.expect(200).json();
    assert_eq!(ended, json!({"ended": 1}));
    customer.current().await.expect(200);
    member.current().await.problem(401, "unauthenticated");
}

async fn another_application_s_person_does_not_exist(app: &TestApp) {
    let (shop, forum) = (Shop::new(app, "shop"), Shop::new(app, "forum"));
    let customer = shop.open("only-a-customer").await;
    let path = format!("/{}", customer.id());
    for (method, path) in [("GET", ""), ("DELETE", ""), ("DELETE", path.as_str())] {
        let foreign = forum.send(method, path, "only-a-customer").await;
        let unknown = forum.send(method, path, "nobody").await.expect(404);
        assert_eq!((foreign.status, foreign.text), (404, unknown.text));
    }
    customer.current().await.expect(200);
    assert_eq!(app.database.sessions_where("is_active"), 1);
}

async fn a_refresh_token_of_another_application_s_person_is_no_token(app: &TestApp) {
    let (shop, forum) = (Shop::new(app, "shop"), Shop::new(app, "forum"));
    let customer = shop.open("42").await;
    forum.open("42").await;
    let refused = forum.refresh(&customer.refresh_token).await;
    refused.problem(401, "invalid_token");
    // It was not spent; and a spent one is no token reuse there either.
    let next = shop.refresh(&customer.refresh_token).await.expect(200);
    let next = Device::from_login(app.base(), &next);
    next.current().await.expect(200);
    app.advance(Duration::from_secs(60));
    let spent = forum.refresh(&customer.refresh_token).await;
    spent.problem(401, "invalid_token");
    next.current().await.expect(200);
    shop.refresh(&next.refresh_token).await.expect(200);
}

async fn an_application_reaches_nobody_with_a_password(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    let shop = Shop::new(app, "shop");
    for subject in [
        "ada%40example.org",
        laptop.session["user_id"].as_str().expect("an id"),
    ] {
        shop.send("DELETE", "", subject).await.expect(404);
    }
    shop.refresh(&laptop.refresh_token)
        .await
        .problem(401, "invalid_token");
    laptop.refresh().await;
    laptop.current().await.expect(200);
}

async fn a_replaced_key_has_the_same_people(app: &TestApp) {
    let old = Shop::new(app, "shop");
    let customer = old.open("42").await;
    for application in ["shop", &old.key.application] {
        let add = [
            "--application",
            application,
            "--name",
            "new",
            "--scope",
            "sessions",
        ];
        let new = Shop::with(app, &add);
        assert_eq!(new.key.application, old.key.application);
        let again = new.open("42").await;
        assert_eq!(again.session["user_id"], customer.session["user_id"]);
    }
    let new = Shop::with(app, &["--application", "shop", "--scope", "sessions"]);
    let program = Program::with(&app.database);
    program
        .run(&["api-key", "revoke", &old.key.id])
        .expect_done();
    old.send("GET", "", "42")
        .await
        .problem(401, "invalid_client");
    let listed = new.send("GET", "", "42").await.expect(200).json();
    assert_eq!(listed["total"], 3);
    new.refresh(&customer.refresh_token).await.expect(200);
}

/// The test's clock stands at 2031-05-17T08:30Z.
async fn a_key_expires_by_the_clock(app: &TestApp) {
    let add = ["--name", "shop", "--scope", "sessions", "--scope", "tokens"];
    let shop = Shop::with(app, &[&add[..], &["--expires", "2031-05-18"]].concat());
    let customer = shop.open("42").await;
    app.advance(Duration::from_secs(15 * 3600 + 30 * 60 - 1));
    shop.send("GET", "", "42").await.expect(200);
    app.advance(Duration::from_secs(1));
    for route in API {
        let Access::Application(_) = route.access else {
            continue;
        };
        let path = route.path.replace("{id}", &customer.id());
        let request = app.anyone().request(route.method.as_str(), &path);
        let request = request.bearer_auth(&shop.key.secret);
        let request = match (route.method.as_str(), path.as_str()) {
            ("POST", "/api/v1/app/sessions") => request.json(&json!({"subject": "42"})),
            ("POST", "/api/v1/app/sessions/refresh") => {
                request.json(&json!({"refresh_token": customer.refresh_token}))
            }
            ("POST", _) => request.form(&[("token", &customer.access_token)]),
            _ => request.header("x-subject", "42"),
        };
        let response = TestResponse::to(request).await;
        assert_eq!(response.status, 401, "{} {path}", route.method);
        assert!(
            response.text.contains("invalid_client"),
            "{}",
            response.text
        );
    }
    assert_eq!(app.database.sessions_where("is_active"), 1);
}

async fn a_subject_travels_in_the_header(app: &TestApp) {
    let shop = Shop::new(app, "shop");
    for (subject, encoded) in [
        ("a/b", "a%2Fb"),
        ("a/b+c d", "a/b+c%20d"),
        ("100%", "100%25"),
        ("zoë", "zo%C3%AB"),
        ("名前", "%e5%90%8d%E5%89%8D"),
        ("ada@example.org", "ada@example.org"),
    ] {
        let by_body = shop.open(subject).await;
        let request = shop.request("POST", "").header("x-subject", encoded);
        let by_header = TestResponse::to(request.json(&json!({}))).await.expect(201);
        let owner = by_header.json()["session"]["user_id"].clone();
        assert_eq!(owner, by_body.session["user_id"], "{subject}");
        let listed = shop.send("GET", "", encoded).await.expect(200).json();
        assert_eq!(listed["total"], 2, "{subject}");
        let both = shop.request("POST", "").header("x-subject", encoded);
        TestResponse::to(both.json(&json!({"subject": subject})))
            .await
            .expect(201);
    }
    let users = people(app);
    let both = shop.request("POST", "").header("x-subject", "42");
    let response = TestResponse::to(both.json(&json!({"subject": "43"}))).await;
    names_subject(response);
    names_subject(TestResponse::to(shop.request("POST", "").json(&json!({}))).await);
    for bad in [
        "",
        "%20",
        "%",
        "%4",
        "%zz",
        "%+1",
        "%C3",
        "%ff",
        "4%00",
        "%0A42",
        "42%E2%80%8E",
        "%2042",
        &"x".repeat(256),
    ] {
        for method in ["GET", "DELETE"] {
            names_subject(shop.send(method, "", bad).await);
        }
    }
    let latin = reqwest::header::HeaderValue::from_bytes(b"zo\xeb").expect("a header");
    let raw = shop.request("GET", "").header("x-subject", latin);
    names_subject(TestResponse::to(raw).await);
    let twice = shop.request("GET", "").header("x-subject", "42");
    names_subject(TestResponse::to(twice.header("x-subject", "42")).await);
    names_subject(TestResponse::to(shop.request("GET", "")).await);
    assert_eq!(people(app), users);
}

#[track_caller]
fn names_subject(response: TestResponse) {
    let problem = response.problem(400, "invalid_request");
    assert_eq!(problem["errors"][0]["field"], "subject", "{problem}");
}

async fn a_subject_in_the_query_is_refused(app: &TestApp) {
    let shop = Shop::new(app, "shop");
    let customer = shop.open("42").await;
    let one = format!("/{}", customer.id());
    for query in ["?subject=42", "?x=1&%73ubject=42", "?subject"] {
        for (method, path) in [
            ("GET", ""),
            ("DELETE", ""),
            ("DELETE", one.as_str()),
            ("POST", ""),
            ("POST", "/refresh"),
        ] {
            let request = shop.request(method, &format!("{path}{query}"));
            let body = match path {
                "/refresh" => json!({"refresh_token": customer.refresh_token}),
                _ => json!({"subject": "42"}),
            };
            let request = request.header("x-subject", "42");
            let request = match method {
                "POST" => request.json(&body),
                _ => request,
            };
            let problem = TestResponse::to(request)
                .await
                .problem(400, "invalid_request");
            assert!(
                problem["detail"].to_string().contains("X-Subject"),
                "{problem}"
            );
        }
    }
    // Without a key nothing is said.
    let path = format!("{SESSIONS}?subject=42");
    app.anyone().get(&path).await.problem(401, "invalid_client");
    assert_eq!(app.database.sessions_where("is_active"), 1);
}

/// Two subjects of an application that differ in a character that is not seen are two people, or
/// none.
async fn a_subject_is_never_changed(app: &TestApp) {
    let shop = Shop::new(app, "shop");
    shop.open("ada").await;
    for subject in [" ada", "ada\n", "ad\u{0}a", "ada\u{200e}", "\u{202e}ada"] {
        let body = json!({"subject": subject});
        names_subject(TestResponse::to(shop.request("POST", "").json(&body)).await);
    }
    shop.open("Ada").await;
    assert_eq!(people(app), 2);
}

fn people(app: &TestApp) -> i64 {
    app.database.number("SELECT count(*) AS value FROM users")
}

async fn applications_are_managed_on_the_command_line(app: &TestApp) {
    let rollcall = Program::with(&app.database);
    let add = ["--name", "shop", "--scope", "tokens", "--scope", "tokens"];
    let key = rollcall.add_key(&add);
    let stored = app.database.texts("SELECT scopes AS value FROM api_keys");
    assert_eq!(stored, [Some("tokens".to_owned())]);
    let again = [&["api-key", "add"], &add[..]].concat();
    let error = rollcall.run(&again).expect_failed(1);
    assert!(error.contains("--application"), "{error}");
    rollcall.add_key(&["--application", "shop", "--scope", "sessions"]);
    for (arguments, status) in [
        (&["--application", "nowhere", "--scope", "tokens"][..], 1),
        (
            &[
                "--name",
                "x",
                "--scope",
                "tokens",
                "--expires",
                "2020-01-01",
            ],
            1,
        ),
        (&["--name", "x", "--scope", "tokens", "--expires", "0s"], 1),
        (
            &[
                "--name",
                "x",
                "--scope",
                "tokens",
                "--expires",
                "584942417355y",
            ],
            2,
        ),
        (
            &[
                "--name",
                "x",
                "--scope",
                "tokens",
                "--expires",
                "500000years",
            ],
            1,
        ),
        (
            &[
                "--name",
                "x",
                "--scope",
                "tokens",
                "--expires",
                "9999-12-31",
            ],
            1,
        ),
        (
            &["--name", "x", "--scope", "tokens", "--expires", "soon"],
            2,
        ),
        (&["--name", "x", "--scope", "everything"], 2),
        (&["--scope", "tokens"], 2),
        (&["--name", " ", "--scope", "tokens"], 1),
    ] {
        let arguments = [&["api-key", "add"], arguments].concat();
        rollcall.run(&arguments).expect_failed(status);
    }
    rollcall.add_key(&[
        "--name",
        "forum",
        "--scope",
        "tokens:any",
        "--expires",
        "90d",
    ]);
    let listed = rollcall.run(&["api-key", "list"]).expect_done();
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert!(listed.contains("never expires\tshop"), "{listed}");

    let rename = ["application", "rename", "shop", "--to"];
    let to = |name| [&rename[..], &[name]].concat();
    rollcall.run(&to("forum")).expect_failed(1);
    rollcall.run(&to("store")).expect_done();
    let json = rollcall
        .run(&["application", "list", "--json"])
        .expect_done();
    let rows: Value = serde_json::from_str(&json).expect("JSON");
    let rows: Vec<_> = rows.as_array().expect("a list").iter().collect();
    let shown = |row: &Value| (row["name"].clone(), row["keys_in_use"].clone());
    assert_eq!(shown(rows[0]), (json!("forum"), json!(1)));
    assert_eq!(shown(rows[1]), (json!("store"), json!(2)));
    assert_eq!(rows[1]["id"], key.application.as_str());

    let delete = ["application", "delete", "store"];
    let error = rollcall.run(&delete).expect_failed(1);
    assert!(error.contains("keys in use: 2"), "{error}");
    app.database
        .execute("UPDATE api_keys SET revoked_at = created_at");
    rollcall.run(&delete).expect_done();
    rollcall.run(&delete).expect_failed(1);
    let added = rollcall.run(&["application", "add", "--name", "store"]);
    added.expect_done();
    assert_eq!(
        app.database
            .number("SELECT count(*) AS value FROM api_keys"),
        1
    );
}

/// The foreign keys decide, since a key or a person may come at any moment.
async fn an_application_that_is_referred_to_is_not_deleted(app: &TestApp) {
    let rollcall = Program::with(&app.database);
    rollcall.add_key(&["--name", "shop", "--scope", "tokens"]);
    app.database.execute(
        "UPDATE api_keys SET revoked_at = created_at; \
         CREATE TABLE latecomers (application_id uuid REFERENCES applications (id)); \
         INSERT INTO latecomers SELECT id FROM applications",
    );
    let delete = ["application", "delete", "shop"];
    let error = rollcall.run(&delete).expect_failed(1);
    assert!(error.contains("shop is in use"), "{error}");
    let keys = "SELECT count(*) AS value FROM api_keys";
    assert_eq!(app.database.number(keys), 1);
    app.database.execute("DELETE FROM latecomers");
    rollcall.run(&delete).expect_done();
    assert_eq!(app.database.number(keys), 0);
}

/// On SQLite nothing is written meanwhile.
#[test]
fn a_key_made_while_its_application_is_deleted_remains() {
    run_async(async {
        let app = TestApp::start(Database::postgres()).await;
        let rollcall = Program::with(&app.database);
        rollcall.add_key(&["--name", "shop", "--scope", "tokens"]);
        app.database
            .execute("UPDATE api_keys SET revoked_at = created_at");
        let mut other = PgConnection::establish(&app.database.url()).expect("a connection");
        other
            .batch_execute(
                "BEGIN; \
                 INSERT INTO api_keys (id, name, secret_hash, scopes, created_at, application_id) \
                 SELECT gen_random_uuid(), name, 'a new hash', scopes, created_at, application_id \
                 FROM api_keys",
            )
            .expect("a key");
        std::thread::scope(|scope| {
            let deletion = scope.spawn(|| rollcall.run(&["application", "delete", "shop"]));
            let waiting = "SELECT count(*) AS value FROM pg_stat_activity \
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
            while app.database.number(waiting) == 0 && !deletion.is_finished() {
                std::thread::yield_now();
            }
            other.batch_execute("COMMIT").expect("a commit");
            let error = deletion.join().expect("an end").expect_failed(1);
            assert!(error.contains("keys in use: 1"), "{error}");
        });
        let keys = "SELECT count(*) AS value FROM api_keys";
        assert_eq!(app.database.number(keys), 2);
        app.stop().await;
    });
}

async fn no_application_is_named_like_an_id(app: &TestApp) {
    let rollcall = Program::with(&app.database);
    let shop = rollcall.add_key(&["--name", "shop", "--scope", "tokens"]);
    let bare = shop.application.replace('-', "");
    for id in [&shop.application, &shop.application.to_uppercase(), &bare] {
        for refused in [
            &["application", "add", "--name", id][..],
            &["application", "rename", "shop", "--to", id],
            &["api-key", "add", "--name", id, "--scope", "tokens"],
        ] {
            let error = rollcall.run(refused).expect_failed(1);
            assert!(error.contains("must not be a UUID"), "{error}");
        }
        // An id still names its application.
        rollcall.add_key(&["--application", id, "--scope", "tokens"]);
    }
    let applications = "SELECT count(*) AS value FROM applications";
    assert_eq!(app.database.number(applications), 1);
}

/// Moves everybody to "Earlier", as if they were from before there were applications.
fn make_earlier(app: &TestApp) {
    let id = app.database.id(EARLIER);
    app.database.execute(&format!(
        "INSERT INTO applications (id, name, created_at) VALUES ({id}, 'Earlier', '2026-11-20 08:30:00.000000'); \
         UPDATE users SET application_id = {id} WHERE external_subject IS NOT NULL; \
         UPDATE applications SET uses_earlier = true WHERE name = 'shop'"
    ));
}

const EARLIER: &str = "00000000-0000-7000-8000-000000000000";

async fn people_of_earlier_are_assigned(app: &TestApp) {
    let (shop, forum) = (Shop::new(app, "shop"), Shop::new(app, "forum"));
    let (first, second, third) = (
        shop.open("1").await,
        shop.open("2").await,
        shop.open("3").await,
    );
    make_earlier(app);
    // Those from before are found by the application from before, and by no new one.
    assert_eq!(
        shop.open("1").await.session["user_id"],
        first.session["user_id"]
    );
    shop.refresh(&second.refresh_token).await.expect(200);
    let member = forum.open("2").await;
    assert_ne!(member.session["user_id"], second.session["user_id"]);
    forum.refresh(&third.refresh_token).await.expect(401);
    forum.send("DELETE", "", "3").await.expect(404);

    let rollcall = Program::with(&app.database);
    let mut serving = rollcall.serve(&["serve"]);
    serving.wait_for("the warning", |line| {
        let is_it = line.contains("rollcall application assign") && line.contains("people=3");
        is_it.then(String::new)
    });
    assert!(serving.terminate().success());
    for refused in [
        &[
            "api-key",
            "add",
            "--application",
            "Earlier",
            "--scope",
            "sessions",
        ][..],
        &["application", "rename", "Earlier", "--to", "Later"],
        &["application", "delete", "Earlier"],
        &["application", "assign", "--all", "--to", "Earlier"],
        &["application", "assign", "--subject", "9", "--to", "shop"],
    ] {
        rollcall.run(refused).expect_failed(1);
    }
    let assign = |arguments: &[&str], to: &str| {
        let all = [&["application", "assign"], arguments, &["--to", to]].concat();
        rollcall.run(&all)
    };
    let error = assign(&["--subject", "2"], "forum").expect_failed(1);
    assert!(error.contains("\"2\""), "{error}");
    assign(&["--subject", "3"], "forum").expect_done();
    let moved = forum.send("GET", "", "3").await.expect(200).json();
    assert_eq!(moved["sessions"][0]["id"], third.session["id"]);
    shop.send("GET", "", "3").await.expect(404);
    let error = assign(&["--all"], "forum").expect_failed(1);
    assert!(
        error.contains("1 stay") && error.contains("\"2\""),
        "{error}"
    );
    assign(&["--all"], "shop").expect_done();
    shop.send("GET", "", "2").await.expect(200);
    rollcall
        .run(&["application", "delete", "Earlier"])
        .expect_done();
    let mut serving = rollcall.serve(&["serve"]);
    assert!(serving.terminate().success());
    assert!(!serving.output().contains("application assign"));
}
