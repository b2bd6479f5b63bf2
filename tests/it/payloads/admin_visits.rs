//! What an administrator visits: every page of theirs, and the forms that come back.

use super::visits::{OTHER_TYPE, TOO_LONG, Visits};

impl Visits<'_> {
    pub fn of_admin(&mut self) {
        self.of_people();
        self.of_sessions();
        self.open("/admin", "/admin");
        self.open("/admin/", "/admin/");
        self.open("/admin/addresses", "/admin/addresses");
        self.open("/admin/jobs", "/admin/jobs");
        let cursor = self.encoded("cursor");
        self.open("/admin/jobs", format!("/admin/jobs?cursor={cursor}"));
        let ids = &self.played.ids;
        let encoded = self.encoded("value of another type");
        self.open("/admin/jobs/{id}", format!("/admin/jobs/{}", ids.job));
        self.open(
            "/admin/jobs/{id}",
            format!("/admin/jobs/{}?refresh={encoded}", ids.stopped_job),
        );
        self.open("/admin/events", "/admin/events");
        let search = self.encoded("search of events");
        self.open("/admin/events", format!("/admin/events?q={search}"));
        let filter = self.encoded("filter of events");
        let names = [
            "user",
            "by",
            "application",
            "kind",
            "reason",
            "ip",
            "from",
            "to",
            "session",
            "job",
            "cursor",
        ];
        let query: String = names
            .iter()
            .map(|name| format!("{name}={filter}&"))
            .collect();
        self.open("/admin/events", format!("/admin/events?{query}{filter}=1"));
        self.open(
            "/admin/events/{id}",
            format!("/admin/events/{}", self.played.event),
        );
        self.of_applications();
    }

    fn of_people(&mut self) {
        self.open("/admin/users", "/admin/users");
        let search = self.encoded("search of people");
        self.open("/admin/users", format!("/admin/users?q={search}"));
        let filter = self.encoded("filter of people");
        let names = ["role", "state", "application", "email", "cursor"];
        let query: String = names
            .iter()
            .map(|name| format!("{name}={filter}&"))
            .collect();
        self.open("/admin/users", format!("/admin/users?{query}{filter}=1"));
        let back = self.encoded("way back").replace('%', "%25");
        let (victim, colleague) = (
            self.played.ids.victim.clone(),
            self.played.ids.colleague.clone(),
        );
        self.open(
            "/admin/users/{id}",
            format!("/admin/users/{}", self.played.ids.external),
        );
        self.open(
            "/admin/users/{id}",
            format!("/admin/users/{victim}?back=/admin/users%3Fq%3D{back}"),
        );
        self.open("/admin/users/{id}", format!("/admin/users/{colleague}"));
        self.open(
            "/admin/users/{id}",
            format!("/admin/users/{}", self.encoded("path")),
        );
        for (label, act) in [
            ("/admin/users/{id}/edit", "edit"),
            ("/admin/users/{id}/lift-delay", "lift-delay"),
            ("/admin/users/{id}/verify-email", "verify-email"),
            ("/admin/users/{id}/role", "role"),
            ("/admin/users/{id}/reset-link", "reset-link"),
            ("/admin/users/{id}/invite", "invite"),
            ("/admin/users/{id}/end-sessions", "end-sessions"),
            ("/admin/users/{id}/disable", "disable"),
            ("/admin/users/{id}/delete", "delete"),
        ] {
            self.open(label, format!("/admin/users/{victim}/{act}"));
        }
        self.open(
            "/admin/users/{id}/enable",
            format!("/admin/users/{colleague}/enable"),
        );
        self.open("/admin/users/new", "/admin/users/new");
        self.open("/admin/users/invite", "/admin/users/invite");
        let person = [
            ("full_name", self.too_long("refused name of a new person")),
            ("email", self.texts.of("refused e-mail of a new person")),
            ("new_password", self.texts.of("password")),
        ];
        self.send(
            "POST /admin/users/new",
            "/admin/users/new",
            "/admin/users/new",
            &person,
        );
        self.send(
            "POST /admin/users/invite",
            "/admin/users/invite",
            "/admin/users/invite",
            &person,
        );
        let edit = format!("/admin/users/{victim}/edit");
        let name = [(
            "full_name",
            self.too_long("refused name by an administrator"),
        )];
        self.send(
            "POST /admin/users/{id}/name",
            &edit,
            &format!("/admin/users/{victim}/name"),
            &name,
        );
        let email = [
            ("email", self.texts.of("refused e-mail by an administrator")),
            ("reason", self.texts.of("reason of a refused e-mail")),
        ];
        self.send(
            "POST /admin/users/{id}/email",
            &edit,
            &format!("/admin/users/{victim}/email"),
            &email,
        );
        let disable = format!("/admin/users/{victim}/disable");
        self.send(
            "POST /admin/users/{id}/disable",
            &disable,
            &disable,
            &[("reason", self.too_long("refused reason"))],
        );
        let role = format!("/admin/users/{victim}/role");
        let fields = [
            ("reason", self.too_long("refused reason of a role")),
            ("role", "auditor".into()),
        ];
        self.send("POST /admin/users/{id}/role", &role, &role, &fields);
        let bad = self.texts.of("value of another type");
        let fields = [
            ("reason", "a".repeat(TOO_LONG)),
            ("role", bad.clone()),
            ("order", bad),
        ];
        for act in ["role", "end-sessions", "reset-link"] {
            let action = format!("/admin/users/{victim}/{act}");
            self.send_another(OTHER_TYPE, "/admin/users", ("/sign-out", &action), &fields);
        }
        let delete = format!("/admin/users/{victim}/delete");
        let fields = [
            ("typed", self.texts.of("typed e-mail")),
            ("reason", self.texts.of("refused reason of deleting")),
        ];
        self.send("POST /admin/users/{id}/delete", &delete, &delete, &fields);
    }

    fn of_sessions(&mut self) {
        self.open("/admin/sessions", "/admin/sessions?state=any");
        let search = self.encoded("search of sessions");
        self.open(
            "/admin/sessions",
            format!("/admin/sessions?search={search}"),
        );
        let text = self.encoded("text of sessions");
        self.open("/admin/sessions", format!("/admin/sessions?q={text}"));
        let filter = self.encoded("filter of sessions");
        let names = [
            "user",
            "ip",
            "country",
            "browser",
            "os",
            "application",
            "opened_from",
            "opened_to",
            "used_from",
            "used_to",
            "state",
            "reason",
            "kind",
            "mark",
            "bound",
            "bound",
            "sort",
            "cursor",
        ];
        let query: String = names
            .iter()
            .map(|name| format!("{name}={filter}&"))
            .collect();
        self.open(
            "/admin/sessions",
            format!("/admin/sessions?{query}{filter}=1"),
        );
        let session = self.played.ids.session.clone();
        self.open("/admin/sessions/{id}", format!("/admin/sessions/{session}"));
        let external = self.played.ids.external_session.clone();
        self.open(
            "/admin/sessions/{id}",
            format!("/admin/sessions/{external}"),
        );
        let bad = self.encoded("value of another type");
        self.open(
            OTHER_TYPE,
            format!("/admin/sessions/{session}?before={bad}"),
        );
        self.open(
            "/admin/sessions/{id}",
            format!("/admin/sessions/{}", self.encoded("path")),
        );
        let end = "/admin/sessions/end";
        self.open(
            "/admin/sessions/end",
            format!("{end}?session={}", self.encoded("path")),
        );
        self.open(
            "/admin/sessions/end",
            format!("{end}?all=1&q={}", self.encoded("text of sessions")),
        );
        let reason = [("stated_reason", self.too_long("refused reason of a job"))];
        self.send(
            "POST /admin/sessions/end",
            &format!("{end}?session={session}"),
            end,
            &reason,
        );
    }

    fn of_applications(&mut self) {
        const PAGE: &str = "/admin/applications";
        self.open(PAGE, PAGE);
        self.open("/admin/api-keys", "/admin/api-keys");
        let key = self.played.ids.key.clone();
        self.open(
            "/admin/api-keys/{id}/revoke",
            format!("/admin/api-keys/{key}/revoke"),
        );
        let application = [
            ("name", self.too_long("refused application")),
            ("hosts", self.texts.of("refused hosts")),
            ("kind", self.texts.of("refused kind")),
        ];
        self.send("POST /admin/applications", PAGE, PAGE, &application);
        let own = format!("{PAGE}/{}", self.played.ids.application);
        let hosts = [
            ("name", self.texts.of("name besides hosts")),
            ("hosts", self.texts.of("hosts")),
        ];
        self.send("POST /admin/applications/{id}", PAGE, &own, &hosts);
        self.open("/admin/applications/{id}/delete", format!("{own}/delete"));
        let key = [
            ("name", self.too_long("refused key")),
            ("tokens", "on".to_owned()),
        ];
        self.send("POST /admin/api-keys", PAGE, "/admin/api-keys", &key);
        let bad = self.texts.of("value of another type");
        let names = ["key", "application", "expires", "tokens", "admin_write"];
        for name in names {
            let fields = [(name, bad.clone())];
            self.send(OTHER_TYPE, PAGE, "/admin/api-keys", &fields);
        }
    }
}
