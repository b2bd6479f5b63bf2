//! What requests are about, made anew for each one that succeeds.

use rollcall::db::{MailId, ResetId, VerificationId};
use uuid::Uuid;

use super::callers::Key;
use super::rows::{Row, Target};
use super::world::World;
use crate::support::html;
use crate::support::prelude::*;

/// What a request is about.
#[derive(Debug, Clone, Default)]
pub struct Made {
    /// What the path names.
    pub id: String,
    values: Vec<(&'static str, String)>,
}

impl Made {
    fn of(id: String) -> Self {
        Self {
            id,
            values: Vec::new(),
        }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.values.push((name, value.into()));
        self
    }

    /// Returns the same with an id, a subject and a token that nobody has.
    pub fn unknown(&self, world: &World) -> Self {
        let mut values = self.values.clone();
        values.insert(0, ("{token}", "forged".into()));
        values.insert(0, ("{subject}", world.new_id()));
        Self {
            id: world.new_id(),
            values,
        }
    }

    /// Returns the same for the subject of `other`.
    pub fn for_subject_of(&self, other: &Self) -> Self {
        let mut values = self.values.clone();
        values.insert(0, ("{subject}", other.value("{subject}").into()));
        Self {
            id: self.id.clone(),
            values,
        }
    }

    /// Returns a text with its placeholders replaced.
    pub fn fill(&self, text: &str) -> String {
        let mut filled = text.replace("{id}", &self.id);
        for (name, value) in &self.values {
            filled = filled.replace(name, value);
        }
        filled
    }

    pub fn value(&self, name: &str) -> &str {
        let found = self.values.iter().find(|(found, _)| *found == name);
        found.map_or("", |(_, value)| value)
    }
}

/// Makes what `row` is about, for its owner.
pub async fn make(world: &World<'_>, row: &Row, owner: &str) -> Made {
    let made = match row.target {
        Target::None => Made::default(),
        Target::Asset => asset(world).await,
        Target::Session => session(world, owner),
        Target::Device => device(world, owner),
        Target::Alert => alert(world, owner, "new_device"),
        Target::Reported => reported(world, owner),
        Target::Notice => alert(world, owner, "administered"),
        Target::EmailChange => email_change(world, owner),
        Target::Person => person(world, ""),
        Target::Disabled => person(world, "is_active = false"),
        Target::Unverified => person(world, "email_verified_at = NULL"),
        Target::Invited => person(
            world,
            "password_hash = '!', password_changed_at = created_at",
        ),
        Target::Application => application(world),
        Target::ApiKey => api_key(world),
        Target::Job => job(world).await,
        Target::Event => event(world).await,
        Target::Customer => customer(world, Key::Sessions).await,
        Target::AccessToken => token(world, "access_token").await,
        Target::RefreshToken => token(world, "refresh_token").await,
        Target::AlertLink => alert_link(world),
        Target::Ticket => ticket(world).await,
        Target::ResetLink => reset_link(world),
        Target::EmailLink => email_link(world),
    };
    let now = world.app.clock.now().timestamp_micros();
    made.with("{new}", format!("new-{}", world.new_id()))
        .with("{order}", format!("{}.{now}", Uuid::new_v4()))
}

async fn asset(world: &World<'_>) -> Made {
    let page = world.app.anyone().get("/sign-in").await.expect(200);
    let mut links = html::attributes(&page.text, "href").into_iter();
    let name = links.find_map(|link| link.strip_prefix("/static/").map(str::to_owned));
    Made::default().with("{name}", name.expect("a static file"))
}

fn session(world: &World, owner: &str) -> Made {
    let database = &world.app.database;
    let id = world.new_id();
    let template = "id = (SELECT id FROM user_sessions WHERE opened_via = 'browser' LIMIT 1)";
    world.copy(
        "user_sessions",
        template,
        &[
            ("id", database.id(&id)),
            ("user_id", database.id(owner)),
            ("refresh_token_jti", format!("'{}'", Uuid::new_v4())),
            ("device_id", "NULL".into()),
            ("is_active", "true".into()),
            ("ended_at", "NULL".into()),
            ("ended_reason", "NULL".into()),
            ("expires_at", "'2031-05-18 00:00:00.000000'".into()),
            ("absolute_expires_at", "'2031-05-18 00:00:00.000000'".into()),
        ],
    );
    Made::of(id.clone()).with("{session}", id)
}

/// A session on a known device.
fn device(world: &World, owner: &str) -> Made {
    let database = &world.app.database;
    let made = session(world, owner);
    let device = format!("device-{}", made.id);
    database.execute(&format!(
        "UPDATE user_sessions SET device_id = '{device}' WHERE id = {}",
        database.id(&made.id)
    ));
    database.execute(&format!(
        "INSERT INTO devices (user_id, device_id, first_seen_at, last_seen_at)
         VALUES ({}, '{device}', '2031-05-17 09:30:00.000000', '2031-05-17 09:30:00.000000')",
        database.id(owner)
    ));
    made
}

/// It is raised after the caller signed in, so that they may review it.
fn alert(world: &World, owner: &str, kind: &str) -> Made {
    let database = &world.app.database;
    let about = session(world, owner).id;
    let id = world.new_id();
    database.execute(&format!(
        "INSERT INTO alerts (id, user_id, session_id, kind, email, device_name, device_kind, at)
         VALUES ({}, {}, {}, '{kind}', '{}', 'A phone', 'phone', '2031-05-17 09:30:01.000000')",
        database.id(&id),
        database.id(owner),
        database.id(&about),
        world.email(owner),
    ));
    Made::of(id)
}

fn reported(world: &World, owner: &str) -> Made {
    let made = alert(world, owner, "new_device");
    let id = world.app.database.id(&made.id);
    world.app.database.execute(&format!(
        "UPDATE alerts SET answer = 'not_mine', settled_by = id,
             answered_at = '2031-05-17 09:40:00.000000' WHERE id = {id}"
    ));
    made
}

fn email_change(world: &World, owner: &str) -> Made {
    verification(world, owner, &format!("changed-{}", world.email(owner)));
    Made::default()
}

fn verification(world: &World, owner: &str, email: &str) -> String {
    let database = &world.app.database;
    let id = world.new_id();
    database.execute(&format!(
        "INSERT INTO email_verifications (id, user_id, email, created_at, expires_at)
         VALUES ({}, {}, '{email}', '2031-05-17 09:30:00.000000', '2031-05-18 09:30:00.000000')",
        database.id(&id),
        database.id(owner),
    ));
    id
}

/// A person with a live session.
fn person(world: &World, change: &str) -> Made {
    let id = world.add_person("person");
    session(world, &id);
    if !change.is_empty() {
        world.change_person(&id, change);
    }
    let email = world.email(&id);
    Made::of(id).with("{email}", email)
}

fn application(world: &World) -> Made {
    let id = world.new_id();
    world.copy(
        "applications",
        "name = 'forum'",
        &[
            ("id", world.app.database.id(&id)),
            ("name", format!("'{id} Ltd'")),
        ],
    );
    Made::of(id)
}

fn api_key(world: &World) -> Made {
    let id = world.new_id();
    world.copy(
        "api_keys",
        "name = 'Foreign'",
        &[
            ("id", world.app.database.id(&id)),
            ("name", "'Another'".into()),
            ("secret_hash", format!("'{id}'")),
        ],
    );
    Made::of(id)
}

async fn job(world: &World<'_>) -> Made {
    let key = world.key(Key::Write);
    let about = person(world, "");
    let body = json!({"filter": {"user": about.value("{email}")}, "reason": "Left us"});
    let request = world
        .app
        .anyone()
        .request("POST", "/api/v1/admin/sessions/end");
    let ordered = TestResponse::to(request.bearer_auth(key).json(&body)).await;
    let like = crate::support::bulk::job_id(&ordered.expect(200));
    let id = world.new_id();
    let database = &world.app.database;
    world.copy(
        "bulk_jobs",
        &format!("id = {}", database.id(&like)),
        &[
            ("id", database.id(&id)),
            ("state", "'running'".into()),
            ("finished_at", "NULL".into()),
        ],
    );
    Made::of(id)
}

async fn event(world: &World<'_>) -> Made {
    let owner = world.add_person("person");
    world.sign_in(&owner).await;
    let database = &world.app.database;
    let text = match database.postgres_name() {
        Some(_) => "CAST(id AS TEXT)",
        None => "hex(id)",
    };
    let sql = format!(
        "SELECT {text} AS value FROM session_events WHERE user_id = {} LIMIT 1",
        database.id(&owner)
    );
    let id = database.texts(&sql).remove(0).expect("an event");
    Made::of(Uuid::parse_str(&id).expect("a UUID").to_string())
}

/// A person with a session whom an application authenticates.
pub async fn customer(world: &World<'_>, key: Key) -> Made {
    let key = world.key(key);
    let subject = world.new_id();
    let request = world.app.anyone().request("POST", "/api/v1/app/sessions");
    let body = json!({"subject": subject});
    let opened = TestResponse::to(request.bearer_auth(key).json(&body)).await;
    let device = Device::from_login(world.app.base(), &opened.expect(201));
    Made::of(device.id())
        .with("{subject}", subject)
        .with("{token}", device.refresh_token)
}

/// A token of a new person; an access token is made for the application of the keys.
async fn token(world: &World<'_>, name: &str) -> Made {
    let owner = world.add_person("person");
    let mut body = json!({"email": world.email(&owner), "password": PASSWORD});
    if name == "access_token" {
        body["audience"] = world.shop.clone().into();
    }
    let granted = world.app.anyone().post("/api/v1/auth/login", &body).await;
    let granted = granted.expect(200).json();
    Made::of(owner).with("{token}", granted[name].as_str().expect("a token"))
}

fn alert_link(world: &World) -> Made {
    let owner = world.add_person("person");
    let database = &world.app.database;
    let alert = alert(world, &owner, "new_device").id;
    let id = Uuid::parse_str(&world.new_id()).expect("a UUID");
    database.execute(&format!(
        "INSERT INTO mail_queue (
             id, user_id, alert_id, recipient, state, attempts, due_at, created_at, updated_at, kind,
             priority
         )
         SELECT {}, user_id, id, email, 'sent', 1, at, at, at, 'alert', 1
         FROM alerts WHERE id = {}",
        database.id(&id.to_string()),
        database.id(&alert),
    ));
    let link = world.links.not_me(MailId::from_bytes(*id.as_bytes()));
    linked(&link, &owner)
}

/// Reports the alert, whose page then has a ticket for a new password.
async fn ticket(world: &World<'_>) -> Made {
    let made = alert_link(world);
    let reader = world.app.browser(FIREFOX);
    let path = format!("/not-me/{}", made.value("{token}"));
    let answer = [("answer", "not-mine")];
    let page = reader.submit(&path, &path, &answer).await.expect(200);
    let forms = html::forms(&page.text);
    let form = forms.iter().find(|form| form.action.ends_with("/password"));
    let mut hidden = form.expect("a form for a password").hidden.iter();
    let ticket = hidden.find(|(name, _)| name == "ticket").expect("a ticket");
    made.with("{ticket}", &*ticket.1)
}

fn reset_link(world: &World) -> Made {
    let owner = world.add_person("person");
    let database = &world.app.database;
    let id = Uuid::parse_str(&world.new_id()).expect("a UUID");
    database.execute(&format!(
        "INSERT INTO password_resets (id, user_id, email, created_at, expires_at, is_invitation)
         VALUES ({}, {}, '{}', '2031-05-17 09:30:00.000000', '2031-05-17 10:00:00.000000', false)",
        database.id(&id.to_string()),
        database.id(&owner),
        world.email(&owner),
    ));
    let link = world
        .links
        .reset_password(ResetId::from_bytes(*id.as_bytes()));
    linked(&link, &owner)
}

fn email_link(world: &World) -> Made {
    let owner = world.add_person("person");
    world.change_person(&owner, "email_verified_at = NULL");
    let id = verification(world, &owner, &world.email(&owner));
    let id = Uuid::parse_str(&id).expect("a UUID");
    let link = world
        .links
        .verify_email(VerificationId::from_bytes(*id.as_bytes()));
    linked(&link, &owner)
}

/// Returns a link to something of `owner`.
fn linked(link: &str, owner: &str) -> Made {
    let token = link.rsplit('/').next().expect("a token");
    Made::of(owner.into()).with("{token}", token)
}
