//! The pages that a browser visits for one payload, each as somebody who may open it.

use super::fields::Texts;
use super::story::{Played, percent_encoded};

/// Who visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visitor {
    Nobody,
    Victim,
    Admin,
}

/// One visit.
pub struct Visit {
    pub visitor: Visitor,
    /// The pattern of the route, with `POST ` in front for a form, or a name of ours.
    pub label: &'static str,
    /// The page that is opened.
    pub path: String,
    /// The form that is sent from there, and its fields.
    pub form: Option<SentForm>,
}

/// A form that is sent.
pub struct SentForm {
    /// Where the form on the page goes.
    pub from: String,
    /// Where it is sent.
    pub action: String,
    pub fields: Vec<(String, String)>,
}

/// Longer than any field may be, so that a form comes back as it was filled in.
pub const TOO_LONG: usize = 600;

/// The label of visits with a text in place of a number, an id or a choice.
pub const OTHER_TYPE: &str = "a value of another type";

/// The visits of one payload.
pub struct Visits<'a> {
    pub texts: Texts,
    pub played: &'a Played,
    visitor: Visitor,
    list: Vec<Visit>,
}

impl Visits<'_> {
    pub fn open(&mut self, label: &'static str, path: impl Into<String>) {
        self.list.push(Visit {
            visitor: self.visitor,
            label,
            path: path.into(),
            form: None,
        });
    }

    pub fn send(
        &mut self,
        label: &'static str,
        path: &str,
        action: &str,
        fields: &[(&str, String)],
    ) {
        self.send_another(label, path, (action, action), fields);
    }

    pub fn send_another(
        &mut self,
        label: &'static str,
        path: &str,
        (from, action): (&str, &str),
        fields: &[(&str, String)],
    ) {
        // What is no text is refused before anything is made of it: two payloads are enough.
        if label == OTHER_TYPE && self.texts.round > 1 {
            return;
        }
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let form = SentForm {
            from: from.to_owned(),
            action: action.to_owned(),
            fields: fields.collect(),
        };
        self.list.push(Visit {
            visitor: self.visitor,
            label,
            path: path.to_owned(),
            form: Some(form),
        });
    }

    /// Returns a text for a part of a URL.
    pub fn encoded(&self, name: &str) -> String {
        percent_encoded(&self.texts.of(name))
    }

    /// Returns a text that is longer than it may be.
    pub fn too_long(&self, name: &str) -> String {
        format!("{} {}", self.texts.of(name), "a".repeat(TOO_LONG))
    }

    /// Opens the links of all messages, and sends the forms behind them with what they don't take.
    fn open_links(&mut self) {
        for (label, posted, prefix) in [
            ("/setup/{token}", "POST /setup/{token}", "/setup/"),
            ("/not-me/{token}", "POST /not-me/{token}", "/not-me/"),
            (
                "/reset-password/{token}",
                "POST /reset-password/{token}",
                "/reset-password/",
            ),
            (
                "/verify-email/{token}",
                "POST /verify-email/{token}",
                "/verify-email/",
            ),
        ] {
            self.open(label, format!("{prefix}{}", self.encoded("path")));
            for message in &self.played.messages {
                let plain = message.plain();
                let Some(start) = plain.find(prefix) else {
                    continue;
                };
                let link = plain[start..].split_whitespace().next().unwrap_or_default();
                self.open(label, link);
                let secret = self.texts.of("password");
                let fields = [("password", secret.clone()), ("new_password", "x".into())];
                if prefix == "/reset-password/" {
                    self.send(posted, link, link, &fields);
                }
            }
        }
    }

    fn of_nobody(&mut self) {
        let next = self.encoded("next");
        self.open("/sign-in", format!("/sign-in?next={next}"));
        self.open("/", "/");
        self.open("/sign-up", "/sign-up");
        self.open("/forgot-password", "/forgot-password");
        self.open(
            "/.well-known/change-password",
            "/.well-known/change-password",
        );
        self.open_links();
        self.open("no page", format!("/nowhere/{}", self.encoded("path")));
        let text = |name: &str| self.texts.of(name);
        let sign_in = [
            ("email", text("e-mail at sign-in")),
            ("password", text("password")),
            ("next", text("next")),
        ];
        let sign_up = [
            ("full_name", self.too_long("name refused at sign-up")),
            ("email", text("e-mail refused at sign-up")),
            ("password", text("password")),
        ];
        let forgotten = [("email", text("e-mail of a forgotten password"))];
        self.send("POST /sign-in", "/sign-in", "/sign-in", &sign_in);
        self.send("POST /sign-up", "/sign-up", "/sign-up", &sign_up);
        self.send(
            "POST /forgot-password",
            "/forgot-password",
            "/forgot-password",
            &forgotten,
        );
    }

    fn of_victim(&mut self) {
        let device = format!("/devices/{}", self.played.ids.session);
        self.open("/devices", "/devices");
        self.open(
            "/devices",
            format!("/devices?ended={}", self.encoded("cursor")),
        );
        let search = self.encoded("search of devices");
        self.open("/devices", format!("/devices?q={search}"));
        let other = self.encoded("narrowing of devices");
        let narrowing = format!("/devices?unused={other}&used={other}&after={other}");
        self.open(
            "/devices",
            format!("{narrowing}&select={other}&device={other}"),
        );
        self.open("/devices/{id}", device.clone());
        self.open(
            "/devices/{id}",
            format!("/devices/{}", self.encoded("path")),
        );
        self.open("/devices/sign-out-others", "/devices/sign-out-others");
        let selected = "/devices/sign-out-selected";
        let ids = &self.played.ids;
        let query = format!(
            "{selected}?device={}&device={}",
            ids.session,
            self.encoded("path")
        );
        self.open(selected, query);
        self.open(
            "/devices/sign-out-everywhere",
            "/devices/sign-out-everywhere",
        );
        self.open("/account", "/account");
        self.open("/account/delete", "/account/delete");
        let typed = [("typed", self.texts.of("typed e-mail"))];
        self.send(
            "POST /account/delete",
            "/account/delete",
            "/account/delete",
            &typed,
        );
        self.open(
            "/confirm",
            format!("/confirm?next={}", self.encoded("next")),
        );
        self.open("/unsent-form", "/unsent-form");
        let bad = self.texts.of("value of another type");
        let encoded = self.encoded("value of another type");
        self.open(OTHER_TYPE, format!("{device}?before={encoded}"));
        self.open(OTHER_TYPE, format!("/devices/changes?since={encoded}"));
        for (action, name) in [
            ("/account/idle-limit", "idle_limit"),
            ("/account/addresses", "addresses"),
            ("/account/time-zone", "time_zone"),
            ("/account/password", "current_password"),
        ] {
            let fields = [(name, bad.clone()), ("new_password", bad.clone())];
            self.send_another(OTHER_TYPE, "/account", ("/sign-out", action), &fields);
        }
        let name = [("device_name", self.too_long("refused device name"))];
        self.send(
            "POST /devices/{id}/rename",
            &device,
            &format!("{device}/rename"),
            &name,
        );
        let name = [("full_name", self.too_long("refused name"))];
        self.send("POST /account/name", "/account", "/account/name", &name);
        let email = [("email", self.texts.of("refused e-mail"))];
        self.send("POST /account/email", "/account", "/account/email", &email);
    }
}

/// Returns the visits, those of one visitor after another.
pub fn all(played: &Played) -> Vec<Visit> {
    let visitor = Visitor::Nobody;
    let mut visits = Visits {
        texts: played.texts,
        played,
        visitor,
        list: Vec::new(),
    };
    visits.of_nobody();
    visits.visitor = Visitor::Victim;
    visits.of_victim();
    visits.visitor = Visitor::Admin;
    visits.of_admin();
    visits.list
}

/// Returns the visits of somebody whose password is asked for, with what they were about to send.
pub fn after_a_while(played: &Played) -> Vec<Visit> {
    let visitor = Visitor::Admin;
    let mut visits = Visits {
        texts: played.texts,
        played,
        visitor,
        list: Vec::new(),
    };
    let path = format!("/admin/users/{}", played.ids.victim);
    let field = visits.texts.of("name of a field");
    let fields = [
        ("reason", visits.texts.of("interrupted reason")),
        (field.as_str(), visits.texts.of("value of a field")),
    ];
    let disable = format!("{path}/disable");
    // The page of the form itself asks for the password as well.
    let form = ("/sign-out", disable.as_str());
    visits.send_another("POST with a password to give", &path, form, &fields);
    visits.list
}
