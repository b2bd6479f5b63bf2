//! What an administrator does with one payload: to applications, to people, and to many sessions.

use serde_json::{Value, json};

use super::fields::Texts;
use super::story::{Played, Stage, text};
use crate::support::bulk::{add_sessions, job_id, order};
use crate::support::html;
use crate::support::prelude::*;

impl Stage {
    /// The administrator makes an application with a key.
    pub async fn application(&self, played: &mut Played) {
        const PAGE: &str = "/admin/applications";
        let (admin, texts) = (&played.admin, played.texts);
        let name = texts.of("application");
        let fields = [("name", &*name), ("kind", "website"), ("hosts", "")];
        admin.submit(PAGE, PAGE, &fields).await.expect(303);
        let id = self.id_where("applications", "name", &texts.mark("application"));
        let fields = [
            ("application", &*id),
            ("name", &*texts.of("key")),
            ("tokens", "on"),
        ];
        admin
            .submit(PAGE, "/admin/api-keys", &fields)
            .await
            .expect(200);
        played.ids.key = self.id_where("api_keys", "name", &texts.mark("key"));
        played.ids.application = id;
    }

    /// The administrator adds three people, and does to one of them whatever takes a text.
    pub async fn colleague(&self, played: &mut Played) {
        const NEW: &str = "/admin/users/new";
        let (admin, texts) = (&played.admin, played.texts);
        for (name, email) in [
            ("name of a new person", texts.of("e-mail of a new person")),
            ("former name", texts.of("former e-mail")),
            (
                "name of a deleted person",
                texts.of("e-mail of a deleted person"),
            ),
        ] {
            let fields = [
                ("full_name", &*texts.of(name)),
                ("email", &*email),
                ("new_password", PASSWORD),
                ("role", "person"),
            ];
            admin.submit(NEW, NEW, &fields).await.expect(303);
        }
        let id = self.id_where("users", "email", &texts.mark("former e-mail"));
        let act = async |id: &str, act: &str, page: &str, fields: &[(&str, &str)]| {
            let person = format!("/admin/users/{id}");
            let (page, action) = (format!("{person}/{page}"), format!("{person}/{act}"));
            let response = admin.submit(&page, &action, fields).await;
            assert_eq!(response.status, 303, "{act}: {}", response.text);
        };
        act(
            &id,
            "name",
            "edit",
            &[("full_name", &texts.of("name by an administrator"))],
        )
        .await;
        let email = texts.of("e-mail by an administrator");
        act(
            &id,
            "email",
            "edit",
            &[
                ("email", &email),
                ("reason", &texts.of("reason of an e-mail")),
            ],
        )
        .await;
        act(
            &id,
            "role",
            "role",
            &[
                ("role", "auditor"),
                ("reason", &texts.of("reason of a role")),
            ],
        )
        .await;
        let colleague = Person {
            email: email.to_lowercase(),
            password: PASSWORD.to_owned(),
        };
        self.app.login(&colleague, IPHONE).await;
        act(
            &id,
            "end-sessions",
            "end-sessions",
            &[("reason", &texts.of("reason of an end"))],
        )
        .await;
        act(
            &id,
            "disable",
            "disable",
            &[("reason", &texts.of("reason of disabling"))],
        )
        .await;
        act(
            &id,
            "enable",
            "enable",
            &[("reason", &texts.of("reason of enabling"))],
        )
        .await;
        let deleted = self.id_where("users", "email", &texts.mark("e-mail of a deleted person"));
        let fields = [
            ("typed", &*texts.of("e-mail of a deleted person")),
            ("reason", &*texts.of("reason of deleting")),
        ];
        act(&deleted, "delete", "delete", &fields).await;
        self.acts_by_the_api(&colleague, &id, texts).await;
        played.ids.colleague = id;
    }

    /// The administrator does over the API what takes a text there, and disables the colleague again.
    async fn acts_by_the_api(&self, colleague: &Person, id: &str, texts: Texts) {
        let root = self.app.login(&self.root, FIREFOX).await;
        let send = async |method: &str, path: &str, body: Value| {
            let path = format!("/api/v1/admin/{path}");
            let response = TestResponse::to(root.request(method, &path).json(&body)).await;
            assert!(response.status < 300, "{method} {path}: {}", response.text);
            response
        };
        let person = json!({
            "full_name": texts.of("name of an API person"), "email": texts.of("e-mail of an API person"),
            "password": PASSWORD,
        });
        send("POST", "users", person).await;
        let other =
            json!({"email": format!("other-{}@example.org", texts.round), "password": PASSWORD});
        let other = send("POST", "users", other).await.json();
        let other = text(&other["id"]);
        let changed = json!({
            "full_name": texts.of("name by the API"), "email": texts.of("e-mail by the API"),
            "reason": texts.of("reason by the API"),
        });
        send("PATCH", &format!("users/{other}"), changed).await;
        let session = self.app.login(colleague, IPHONE).await.id();
        let reason = |name: &str| json!({"reason": texts.of(name)});
        send(
            "DELETE",
            &format!("sessions/{session}"),
            reason("reason of one end"),
        )
        .await;
        let wrong = Person {
            password: "a wrong guess".into(),
            ..colleague.clone()
        };
        for _ in 0..6 {
            self.app.try_login(&wrong, IPHONE).await;
        }
        send(
            "POST",
            &format!("users/{id}/lift-delay"),
            reason("reason of lifting"),
        )
        .await;
        let disabling = reason("reason of disabling by the API");
        send("POST", &format!("users/{id}/disable"), disabling).await;
    }

    /// The administrator ends sessions by a job.
    pub async fn job(&self, played: &mut Played) {
        let (admin, texts) = (&played.admin, played.texts);
        let body = json!({
            "subject": "ended", "device_name": texts.of("name of an ended device"),
        });
        let session = text(&self.open_session(&body).await["id"]);
        let page = format!("/admin/sessions/end?session={session}");
        let fields = [("stated_reason", &*texts.of("reason of a job"))];
        let done = admin.submit(&page, "/admin/sessions/end", &fields).await;
        let job = done
            .location()
            .split(['/', '?'])
            .nth(3)
            .unwrap_or_default()
            .to_owned();
        played.ids.job = job;
    }

    /// The administrator stops a job before it has ended anything. Its sessions are deleted, so that
    /// they fill no list.
    pub async fn stopped_job(&self, played: &mut Played) {
        let root = self.app.login(&self.root, FIREFOX).await;
        add_sessions(&self.app.database, &root, 201, "crowd");
        let reason = played.texts.of("reason of a job by the API");
        let body = json!({"filter": {"browser": "crowd"}, "reason": reason});
        let job = job_id(&order(&root, &body).await.expect(202));
        let page = format!("/admin/jobs/{job}");
        let reason = played.texts.of("reason of a stop");
        let fields = [("reason", &*reason)];
        let (open, stop) = (format!("{page}?refresh=no"), format!("{page}/stop"));
        played.admin.submit(&open, &stop, &fields).await.expect(303);
        self.app
            .database
            .execute("DELETE FROM user_sessions WHERE browser = 'crowd'");
        played.ids.stopped_job = job;
    }

    /// Returns the id of the row with a column that contains a mark.
    fn id_where(&self, table: &str, column: &str, mark: &str) -> String {
        let id = match self.app.database.postgres_name() {
            Some(_) => "CAST(id AS TEXT)",
            None => "hex(id)",
        };
        let sql = format!("SELECT {id} AS value FROM {table} WHERE {column} LIKE '%{mark}%'");
        let found = self.app.database.texts(&sql).into_iter().flatten().next();
        let found = found.unwrap_or_else(|| panic!("no row of {table} has {mark}"));
        uuid::Uuid::parse_str(&found).expect("a UUID").to_string()
    }
}

/// Returns the id of the event of disabling.
pub async fn event(played: &Played) -> String {
    let mark = played.texts.mark("reason of disabling");
    let page = played.admin.get(&format!("/admin/events?q={mark}")).await;
    let links = html::attributes(&page.expect(200).text, "href").into_iter();
    let mut ids = links.filter_map(|href| {
        let id = href.strip_prefix("/admin/events/")?.split('?').next()?;
        id.contains(|c: char| c.is_ascii_digit())
            .then(|| id.to_owned())
    });
    ids.next_back().expect("an event")
}
