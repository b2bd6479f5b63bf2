//! Rows of sessions and people that a test writes itself, random ones included.

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rollcall::clock::Timestamp;
use rollcall::net::ip_key;
use uuid::Uuid;

use super::app::TestApp;

/// An owner of sessions.
#[derive(Debug, Clone)]
pub struct RowOwner {
    pub id: Uuid,
    pub email: String,
    pub stated_email: Option<&'static str>,
    pub full_name: Option<&'static str>,
    pub subject: Option<&'static str>,
    pub application: Option<Uuid>,
    pub ip_retention: &'static str,
}

/// A session to be written. Times are seconds before the clock's.
#[derive(Debug, Clone)]
pub struct SessionRow {
    pub id: Uuid,
    pub owner: usize,
    pub end: End,
    pub kind: &'static str,
    pub browser: Option<&'static str>,
    pub os: Option<&'static str>,
    pub country: Option<&'static str>,
    pub ip: Option<&'static str>,
    pub device_name: Option<&'static str>,
    pub opened: i64,
    pub used: i64,
    pub changed_country: bool,
    pub impossible_travel: bool,
}

/// Whether and how a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Live,
    /// Past its time, and not swept yet.
    Due,
    /// Ended so many seconds ago, for that reason.
    Ended(i64, &'static str),
}

pub const APPLICATION: &str = "shop";

/// Returns the owners of random sessions: four with a password, and three of an application, two of
/// whom have the same e-mail.
pub fn owners() -> Vec<RowOwner> {
    let person = |email: &str, full_name, ip_retention| RowOwner {
        id: Uuid::new_v4(),
        email: email.to_owned(),
        stated_email: None,
        full_name,
        subject: None,
        application: None,
        ip_retention,
    };
    let application = Uuid::new_v4();
    let external = |subject, stated_email, full_name| RowOwner {
        stated_email,
        subject: Some(subject),
        application: Some(application),
        ..person(
            &format!("{}@external.invalid", Uuid::new_v4()),
            full_name,
            "whole",
        )
    };
    vec![
        person("ada@example.org", Some("Ada Lovelace"), "whole"),
        person("bob_b@example.org", Some("Bob 100% Builder"), "whole"),
        person("cy@example.org", None, "shortened"),
        person("dee@example.org", Some("=Dee"), "none"),
        external("42", Some("ana@example.org"), Some("Ana")),
        external("43", Some("ana@example.org"), None),
        external("ada\\44", None, Some("Élodie")),
    ]
}

/// Returns random sessions of these owners, many of which have the same times.
pub fn sessions(count: usize, owners: usize, runner: &mut TestRunner) -> Vec<SessionRow> {
    (0..count)
        .map(|_| sample(&session(owners), runner))
        .collect()
}

pub fn sample<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    strategy.new_tree(runner).expect("a value").current()
}

fn session(owners: usize) -> impl Strategy<Value = SessionRow> {
    use proptest::sample::select;

    let end = prop_oneof![
        5 => Just(End::Live),
        1 => Just(End::Due),
        4 => (
            select(vec![0, 1, 1, 60, 86_400]),
            select(vec!["signed_out", "expired", "reuse_detected", "admin"]),
        )
            .prop_map(|(ago, reason)| End::Ended(ago, reason)),
    ];
    let device = (
        select(vec!["desktop", "phone", "unknown"]),
        select(vec![Some("Firefox"), Some("firefox"), Some("Chrome"), None]),
        select(vec![Some("Windows"), Some("iOS"), None]),
        select(vec![
            None,
            Some("Ada's 50% phone"),
            Some("Work_Laptop"),
            Some("TV"),
        ]),
    );
    let place = (
        select(vec![Some("Norway"), Some("South Korea"), None]),
        select(vec![
            None,
            Some("203.0.113.0"),
            Some("203.0.113.7"),
            Some("203.0.113.200"),
            Some("198.51.100.7"),
            Some("2001:db8:1::"),
            Some("2001:db8:1::7"),
            Some("2001:db8:2::7"),
        ]),
    );
    let times = (
        select(vec![0, 5, 5, 3_600, 86_400, 50 * 86_400]),
        select(vec![
            0,
            30,
            599,
            600,
            601,
            3_600,
            86_400,
            40 * 86_400,
            100 * 86_400,
        ]),
    );
    let marks = (prop::bool::weighted(0.15), prop::bool::weighted(0.1));
    (0..owners, any::<u128>(), end, device, place, times, marks).prop_map(
        |(owner, id, end, device, place, (opened, used), marks)| SessionRow {
            id: Uuid::from_u128(id),
            owner,
            end,
            // No session is used, or over, before it is opened.
            opened: match end {
                End::Ended(ago, _) => opened.max(used).max(ago),
                End::Live | End::Due => opened.max(used),
            },
            kind: device.0,
            browser: device.1,
            os: device.2,
            device_name: device.3,
            country: place.0,
            ip: place.1,
            used,
            changed_country: marks.0,
            impossible_travel: marks.1,
        },
    )
}

impl TestApp {
    pub fn insert_owners(&self, owners: &[RowOwner]) {
        let now = self.time(0);
        if let Some(id) = owners.iter().find_map(|owner| owner.application) {
            let id = self.database.id(&id.to_string());
            self.database.execute(&format!(
                "INSERT INTO applications (id, name, created_at) VALUES ({id}, '{APPLICATION}', {now})"
            ));
        }
        for owner in owners {
            let id = self.database.id(&owner.id.to_string());
            let application = owner
                .application
                .map_or("NULL".to_owned(), |id| self.database.id(&id.to_string()));
            self.database.execute(&format!(
                "INSERT INTO users (id, email, full_name, password_hash, created_at, updated_at, \
                 password_changed_at, external_subject, stated_email, application_id, address_keeping) \
                 VALUES ({id}, '{}', {}, '!', {now}, {now}, {now}, {}, {}, {application}, '{}')",
                owner.email,
                text(owner.full_name),
                text(owner.subject),
                text(owner.stated_email),
                owner.ip_retention,
            ));
        }
    }

    pub fn insert_sessions(&self, owners: &[RowOwner], sessions: &[SessionRow]) {
        for some in sessions.chunks(200) {
            let rows: Vec<String> = some
                .iter()
                .map(|session| self.session_values(&owners[session.owner], session))
                .collect();
            self.database.execute(&format!(
                "INSERT INTO user_sessions (id, user_id, refresh_token_jti, device_name, ip_address, \
                 ip_key, user_agent, last_used_at, last_used_bucket, expires_at, sweep_at, \
                 absolute_expires_at, is_active, ended_at, ended_reason, created_at, updated_at, \
                 confirmed_at, idle_seconds, device_kind, browser, os, location_country, \
                 application_id, has_changed_country, has_impossible_travel, recent_rotations) \
                 VALUES {}",
                rows.join(", ")
            ));
        }
    }

    fn session_values(&self, owner: &RowOwner, session: &SessionRow) -> String {
        let (expires, ended) = match session.end {
            End::Live => (-86_400, "true, NULL, NULL".to_owned()),
            End::Due => (1, "true, NULL, NULL".to_owned()),
            End::Ended(ago, reason) => (-86_400, format!("false, {}, '{reason}'", self.time(ago))),
        };
        let expires = self.time(expires);
        let application = owner
            .application
            .map_or("NULL".to_owned(), |id| self.database.id(&id.to_string()));
        format!(
            "({id}, {owner}, 'SECRETJTI{id_text}', {name}, {ip}, {key}, 'SECRETAGENT', {used}, {bucket}, \
             {expires}, {expires}, {expires}, {ended}, {opened}, {opened}, {opened}, 3600, '{kind}', \
             {browser}, {os}, {country}, {application}, {changed}, {travel}, 'SECRETROTATIONS')",
            id = self.database.id(&session.id.to_string()),
            id_text = session.id,
            owner = self.database.id(&owner.id.to_string()),
            name = text(session.device_name),
            ip = text(session.ip),
            key = text(session.ip.and_then(ip_key).as_deref()),
            used = self.time(session.used),
            bucket = session.bucket(self.clock.now()),
            opened = self.time(session.opened),
            kind = session.kind,
            browser = text(session.browser),
            os = text(session.os),
            country = text(session.country),
            changed = session.changed_country,
            travel = session.impossible_travel,
        )
    }

    /// Returns a time so many seconds ago, in the notation of the database.
    pub fn time(&self, ago: i64) -> String {
        let at = before(self.clock.now(), ago);
        let zone = self.database.postgres_name().map_or("", |_| "+00");
        format!("'{}{zone}'", at.format("%Y-%m-%d %H:%M:%S%.6f"))
    }
}

impl SessionRow {
    pub fn bucket(&self, now: Timestamp) -> i64 {
        before(now, self.used).timestamp() / 600
    }
}

pub fn before(now: Timestamp, seconds: i64) -> Timestamp {
    let span = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { now + span } else { now - span }
}

fn text(text: Option<&str>) -> String {
    text.map_or("NULL".to_owned(), |text| {
        format!("'{}'", text.replace('\'', "''"))
    })
}
