//! The administrator's search: every filter, pairs of them and every order give what a plain model
//! in memory gives over the same random sessions.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use reqwest::RequestBuilder;
use rollcall::clock::Timestamp;
use serde_json::Value;

use crate::support::prelude::*;
use crate::support::sessions::{
    APPLICATION, End, RowOwner, SessionRow, before, owners, sample, sessions,
};

on_both!(
    app: every_filter_finds_what_the_model_finds,
    pairs_of_filters_find_what_the_model_finds,
    every_order_is_that_of_the_model,
    who_has_no_role_finds_no_search,
    what_is_not_a_filter_is_named,
    no_answer_has_a_secret,
    an_address_is_shown_as_its_owner_allows,
    one_session_of_anybody_is_shown,
);

type Filter = Vec<(&'static str, String)>;

/// What the sessions are found by, for the model.
struct Model {
    owners: Vec<RowOwner>,
    sessions: Vec<SessionRow>,
    now: Timestamp,
}

/// The values of each filter that are tried.
const VALUES: [(&str, &[&str]); 15] = [
    ("state", &["live", "ended", "any"]),
    (
        "user",
        &[
            "ADA@example.org",
            "ana@example.org",
            "nobody@example.org",
            "nobody",
            "OWNER",
        ],
    ),
    ("reason", &["signed_out", "reuse_detected", "limit"]),
    ("kind", &["desktop", "unknown", "tv"]),
    ("browser", &["FIREFOX", "Chrome", "Fire"]),
    ("os", &["ios", "Windows", "BeOS"]),
    ("country", &["norway", "KR", "Narnia"]),
    (
        "ip",
        &[
            "203.0.113.7",
            "203.0.113.0",
            "203.0.113.0/24",
            "203.0.113.128/25",
            "203.0.113.0/25",
            "203.0.0.0/8",
            "0.0.0.0/0",
            "2001:db8:1::/48",
            "2001:db8:1::/64",
            "2001:db8::/32",
            "::ffff:198.51.100.7",
            "192.0.2.0/24",
        ],
    ),
    ("application", &[APPLICATION, "APPLICATION", "other"]),
    ("mark", &["country_changed", "impossible_travel"]),
    ("bound", &["yes", "no"]),
    (
        "opened_from",
        &["1h", "1d", "2031-05-17", "2031-05-17T08:29:55Z"],
    ),
    ("opened_to", &["1h", "2031-05-17", "5s"]),
    ("used_from", &["1d", "10m", "601s"]),
    (
        "used_to",
        &["90d", "1d", "600s", "10m", "2031-05-17T08:20:00Z"],
    ),
];
const TEXTS: [&str; 12] = [
    "ada", "ADA", "example", "50%", "%", "_", "\\", "invalid", "ana", "lovelace", "42", "élodie",
];

async fn every_filter_finds_what_the_model_finds(app: &TestApp) {
    let model = Model::random(app, 160);
    let key = app.create_key("admin:read");
    for filter in model.single_filters() {
        for state in ["live", "ended", "any"] {
            let mut filter = filter.clone();
            if filter.iter().all(|(name, _)| *name != "state") {
                filter.push(("state", state.to_owned()));
            }
            if !can_be(&filter) {
                continue;
            }
            model.compare(app, &key, &filter, "", 200).await;
        }
        model.compare(app, &key, &filter, "", 200).await;
    }
}

async fn pairs_of_filters_find_what_the_model_finds(app: &TestApp) {
    let model = Model::random(app, 250);
    let key = app.create_key("admin:read");
    let mut runner = TestRunner::default();
    let singles = model.single_filters();
    for _ in 0..150 {
        let picked = prop::sample::subsequence(singles.clone(), 2..4);
        let filter: Filter = sample(&picked, &mut runner).concat();
        let mut names: Vec<_> = filter.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() == filter.len() && can_be(&filter) {
            model.compare(app, &key, &filter, "", 200).await;
        }
    }
}

/// Returns whether a filter does not contradict itself: such a one is refused.
fn can_be(filter: &Filter) -> bool {
    let pairs = filter.iter().map(|(name, value)| (*name, value.as_str()));
    rollcall::sessions::search::SessionFilter::parse(pairs).is_ok()
}

async fn every_order_is_that_of_the_model(app: &TestApp) {
    let model = Model::random(app, 160);
    let key = app.create_key("admin:read");
    let filters: [&[(&str, &str)]; 9] = [
        &[],
        &[("browser", "firefox")],
        &[("user", "ana@example.org")],
        &[("ip", "203.0.113.0/24")],
        &[("mark", "country_changed")],
        &[("opened_from", "1d"), ("kind", "phone")],
        &[("used_from", "1d")],
        &[("country", "Norway"), ("q", "a")],
        &[("q", "ada")],
    ];
    for filter in filters {
        for state in ["live", "ended", "any"] {
            let of_state = ("state", state);
            let pairs = filter.iter().chain([&of_state]);
            let filter: Filter = pairs
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect();
            let sorts = ["used", "-used", "opened", "-opened", "ended", "-ended"];
            for sort in sorts
                .iter()
                .filter(|sort| state == "ended" || !sort.contains("ended"))
            {
                model.compare(app, &key, &filter, sort, 37).await;
            }
        }
    }
}

async fn who_has_no_role_finds_no_search(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let path = "/api/v1/admin/sessions";
    let one = format!("{path}/{}", laptop.id());
    let export = format!("{path}/export");
    for path in [path, &one, &export] {
        laptop.get(path).await.problem(404, "not_found");
        app.anyone().get(path).await.problem(401, "unauthenticated");
        let key = app.create_key("sessions");
        get(app, &key, path).await.problem(404, "not_found");
        get(app, &app.create_key("admin:read"), path)
            .await
            .expect(200);
    }
    for role in ["auditor", "admin"] {
        app.set_role(&ada, role);
        for path in [path, &one, &export] {
            laptop.get(path).await.expect(200);
        }
    }
}

async fn what_is_not_a_filter_is_named(app: &TestApp) {
    let key = app.create_key("admin:read");
    for (query, fields) in [
        ("colour=red", &["colour"][..]),
        ("colour=", &["colour"]),
        (
            "state=dead&kind=toaster&ip=1.2.3&opened_from=soon",
            &["state", "kind", "ip", "opened_from"],
        ),
        ("sort=name", &["sort"]),
        ("state=live&reason=expired", &["reason"]),
        (
            "opened_from=2026-11-08&opened_to=2026-11-01",
            &["opened_to"],
        ),
        ("used_from=7d&used_to=30d", &["used_to"]),
        ("sort=-ended", &["sort"]),
        ("sort=-ended&state=ended", &[]),
        ("limit=0", &["limit"]),
        ("limit=201", &["limit"]),
        ("limit=200", &[]),
        ("limit=many", &["limit"]),
        ("limit=1&limit=2", &["limit"]),
        ("q=a&q=b", &["q"]),
        ("cursor=xyz", &["cursor"]),
        ("colour=red&cursor=xyz", &["colour"]),
        ("colour=red&limit=0", &["colour", "limit"]),
    ] {
        let response = get(app, &key, &format!("/api/v1/admin/sessions?{query}")).await;
        if fields.is_empty() {
            response.expect(200);
            continue;
        }
        let problem = response.problem(400, "invalid_request");
        let named: Vec<_> = problem["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .map(|err| err["field"].as_str().expect("a field"))
            .collect();
        assert_eq!(named, fields, "{query}");
    }
}

async fn no_answer_has_a_secret(app: &TestApp) {
    let model = Model::random(app, 60);
    let ada = app.register("admin@example.org").await;
    app.set_role(&ada, "admin");
    let laptop = app.login(&ada, FIREFOX).await;
    let device_id = Some("5f1d7c52-device-of-a-phone");
    app.login_from(&ada, IPHONE, "127.0.0.1", device_id).await;
    let hashes = app
        .database
        .texts("SELECT password_hash AS value FROM users");
    let jtis = app
        .database
        .texts("SELECT refresh_token_jti AS value FROM user_sessions");
    let device_ids = app
        .database
        .texts("SELECT device_id AS value FROM user_sessions");
    let secrets: Vec<String> = [hashes, jtis, device_ids]
        .concat()
        .into_iter()
        .flatten()
        .collect();
    let one = format!("/api/v1/admin/sessions/{}", model.sessions[0].id);
    for path in [
        "/api/v1/admin/sessions?state=any&limit=200",
        "/api/v1/admin/sessions/export?state=any",
        "/api/v1/admin/sessions/export?state=any&format=jsonl",
        one.as_str(),
    ] {
        let text = laptop.get(path).await.expect(200).text;
        for secret in secrets.iter().filter(|secret| secret.len() > 1) {
            assert!(!text.contains(secret.as_str()), "{path} has {secret}");
        }
        for word in [
            "SECRET",
            "jti",
            "token",
            "hash",
            "csrf",
            "rotation",
            "user_agent",
        ] {
            assert!(!text.contains(word), "{path} has {word}");
        }
    }
}

async fn an_address_is_shown_as_its_owner_allows(app: &TestApp) {
    let model = Model::random(app, 120);
    let key = app.create_key("admin:read");
    let path = "/api/v1/admin/sessions?state=any&limit=200";
    let listed = get(app, &key, path).await.expect(200).json();
    let exported = get(
        app,
        &key,
        "/api/v1/admin/sessions/export?state=any&format=jsonl",
    )
    .await;
    let exported = exported.expect(200).text;
    let exported = exported
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let listed = listed["sessions"].as_array().expect("a list").clone();
    for shown in exported.chain(listed) {
        let shown: Value = shown;
        let session = model.session(&shown["id"]);
        let expected = match model.owners[session.owner].ip_retention {
            "none" => None,
            "shortened" => session.ip.map(shortened),
            _ => session.ip.map(str::to_owned),
        };
        assert_eq!(shown["ip_address"], json!(expected), "{session:?}");
    }
}

async fn one_session_of_anybody_is_shown(app: &TestApp) {
    let model = Model::random(app, 40);
    let key = app.create_key("admin:read");
    for session in &model.sessions {
        let path = format!("/api/v1/admin/sessions/{}", session.id);
        let shown = get(app, &key, &path).await.expect(200).json();
        let is_live = session.end == End::Live;
        assert_eq!(shown["state"], if is_live { "live" } else { "ended" });
        assert_eq!(shown["id"], json!(session.id));
        assert_eq!(shown["owner"]["id"], json!(model.owners[session.owner].id));
        assert_eq!(shown["country_changed"], session.changed_country);
        assert_eq!(shown["impossible_travel"], session.impossible_travel);
        assert_eq!(shown["device_kind"], session.kind);
    }
    let unknown = "/api/v1/admin/sessions/019700d5-5a00-7000-8000-000000000000";
    get(app, &key, unknown).await.problem(404, "not_found");
    get(app, &key, "/api/v1/admin/sessions/1")
        .await
        .problem(404, "not_found");
}

pub fn request(app: &TestApp, key: &str, path: &str) -> RequestBuilder {
    app.anyone().request("GET", path).bearer_auth(key)
}

pub async fn get(app: &TestApp, key: &str, path: &str) -> TestResponse {
    TestResponse::to(request(app, key, path)).await
}

impl Model {
    fn random(app: &TestApp, count: usize) -> Self {
        let owners = owners();
        let sessions = sessions(count, owners.len(), &mut TestRunner::default());
        app.insert_owners(&owners);
        app.insert_sessions(&owners, &sessions);
        Self {
            owners,
            sessions,
            now: app.clock.now(),
        }
    }

    fn session(&self, id: &Value) -> &SessionRow {
        let found = self
            .sessions
            .iter()
            .find(|session| json!(session.id) == *id);
        found.expect("a session of the model")
    }

    /// A filter with one part for each value.
    fn single_filters(&self) -> Vec<Filter> {
        let texts = ("q", &TEXTS[..]);
        let all = VALUES.iter().chain([&texts]);
        let filters =
            all.flat_map(|(name, values)| values.iter().map(move |value| (*name, *value)));
        filters
            .map(|(name, value)| {
                let value = match value {
                    "OWNER" => self.owners[1].id.to_string(),
                    "APPLICATION" => self.owners[4].application.expect("one").to_string(),
                    value => value.to_owned(),
                };
                vec![(name, value)]
            })
            .collect()
    }

    /// Walks all pages of the search, and compares what they have with the model.
    async fn compare(&self, app: &TestApp, key: &str, filter: &Filter, sort: &str, limit: usize) {
        let expected = self.found(filter, sort);
        let mut listed = Vec::new();
        let mut cursor = String::new();
        loop {
            let limit = limit.to_string();
            let own = [("sort", sort), ("limit", &limit), ("cursor", &cursor)];
            let query = request(app, key, "/api/v1/admin/sessions")
                .query(filter)
                .query(&own);
            let page = TestResponse::to(query).await.expect(200).json();
            assert_eq!(
                page["total"],
                json!({"count": expected.len(), "is_exact": true}),
                "{filter:?}"
            );
            assert_eq!(page["is_partial"], false);
            let sessions = page["sessions"].as_array().expect("a list");
            listed.extend(sessions.iter().map(|session| session["id"].clone()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        let expected: Vec<Value> = expected.into_iter().map(|id| json!(id)).collect();
        assert_eq!(listed, expected, "{filter:?} by {sort:?}");
    }

    /// The sessions that satisfy a filter, in order.
    fn found(&self, filter: &Filter, sort: &str) -> Vec<uuid::Uuid> {
        let has = |name: &str| filter.iter().any(|(given, _)| *given == name);
        let value = |name: &str| filter.iter().find(|(given, _)| *given == name);
        let state = match value("state") {
            Some((_, state)) => state.as_str(),
            None if has("reason") => "ended",
            None => "live",
        };
        let default = if state == "ended" { "-ended" } else { "-used" };
        let sort = if sort.is_empty() { default } else { sort };
        let mut found: Vec<&SessionRow> = self
            .sessions
            .iter()
            .filter(|session| match (state, session.end) {
                (state, End::Due) => state == "any",
                ("live", end) => end == End::Live,
                ("ended", end) => end != End::Live,
                _ => true,
            })
            .filter(|session| {
                filter
                    .iter()
                    .all(|(name, value)| self.is_match(session, name, value))
            })
            .collect();
        let key = |session: &&SessionRow| {
            let at = match sort.trim_start_matches('-') {
                "used" => session.bucket(self.now),
                "opened" => -session.opened,
                _ => match session.end {
                    End::Ended(ago, _) => -ago,
                    _ => 0,
                },
            };
            (at, session.id)
        };
        found.sort_by_key(key);
        if sort.starts_with('-') {
            found.reverse();
        }
        found.iter().map(|session| session.id).collect()
    }

    fn is_match(&self, session: &SessionRow, name: &str, value: &str) -> bool {
        let owner = &self.owners[session.owner];
        let same = |text: Option<&str>| {
            text.is_some_and(|text| text.to_lowercase() == value.to_lowercase())
        };
        match name {
            "state" => true,
            "user" => {
                same(Some(&owner.email))
                    || same(owner.stated_email)
                    || owner.id.to_string() == value
            }
            "reason" => matches!(session.end, End::Ended(_, reason) if reason == value),
            "kind" => session.kind == value,
            "browser" => same(session.browser),
            "os" => same(session.os),
            "country" => {
                same(session.country) || (value == "KR" && session.country == Some("South Korea"))
            }
            "ip" => match owner.ip_retention {
                "none" => false,
                "shortened" => {
                    is_in(session.ip, value) && is_in(session.ip.map(shortened).as_deref(), value)
                }
                _ => is_in(session.ip, value),
            },
            "application" => owner
                .application
                .is_some_and(|id| value == APPLICATION || value == id.to_string()),
            "mark" if value == "country_changed" => session.changed_country,
            "mark" => session.impossible_travel,
            // None of them came from a browser with a key.
            "bound" => value == "no",
            "opened_from" => before(self.now, session.opened) >= self.bound(value),
            "opened_to" => before(self.now, session.opened) < self.bound(value),
            "used_from" => before(self.now, session.used) >= self.bound(value),
            "used_to" => before(self.now, session.used) < self.bound(value),
            "q" => {
                let email = owner.subject.is_none().then_some(owner.email.as_str());
                let texts = [
                    email,
                    owner.stated_email,
                    owner.full_name,
                    owner.subject,
                    session.device_name,
                ];
                let text = value.to_lowercase();
                texts
                    .iter()
                    .flatten()
                    .any(|own| own.to_lowercase().contains(&text))
            }
            _ => panic!("no filter: {name}"),
        }
    }

    fn bound(&self, value: &str) -> Timestamp {
        match value.parse::<humantime::Duration>() {
            Ok(span) => self.now - *span,
            Err(_) if value.len() == 10 => format!("{value}T00:00:00Z")
                .parse::<chrono::DateTime<chrono::Utc>>()
                .expect("a day")
                .into(),
            Err(_) => value
                .parse::<chrono::DateTime<chrono::Utc>>()
                .expect("a time")
                .into(),
        }
    }
}

/// Whether an address is found by a filter, by the rules of the addresses that were tried.
/// Returns the network of an address, as it is shown.
fn shortened(ip: &str) -> String {
    match ip.contains(':') {
        true => format!("{}::", ip.split("::").next().expect("a part")),
        false => format!("{}.0", ip.rsplit_once('.').expect("parts").0),
    }
}

fn is_in(ip: Option<&str>, filter: &str) -> bool {
    let Some(ip) = ip else { return false };
    let address: std::net::IpAddr = ip.parse().expect("an address");
    let filter = filter.trim_start_matches("::ffff:");
    let Ok(network) = filter.parse::<ipnet::IpNet>() else {
        return ip == filter;
    };
    // A shortened address is that of its network, and of no part of it.
    let shortened = ["203.0.113.0", "2001:db8:1::"].contains(&ip);
    let whole = if address.is_ipv4() { 24 } else { 48 };
    network.contains(&address) && !(shortened && network.prefix_len() > whole)
}
