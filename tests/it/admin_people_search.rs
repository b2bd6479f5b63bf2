//! Finding people: every filter and pair of them against a plain model, pages both ways, and a long
//! search that stops and is continued.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::admin::{Admin, USERS};
use crate::support::prelude::*;

on_both!(
    app: people_are_found_by_what_contains_the_text,
    a_text_with_signs_of_a_pattern_is_taken_as_it_is,
    filters_and_pages_agree_with_a_model,
    pages_neither_repeat_nor_skip_while_people_come_and_go,
    what_is_no_filter_is_refused_and_named,
    a_cursor_is_good_for_its_own_search_only,
    a_long_search_stops_and_is_continued,
);

/// A person of the model.
#[derive(Debug, Clone)]
struct Model {
    id: String,
    email: String,
    name: String,
    subject: Option<String>,
    role: &'static str,
    is_active: bool,
    is_verified: bool,
}

impl Model {
    fn matches(&self, filter: &Filter) -> bool {
        let q = filter.q.to_lowercase();
        let own = [Some(&self.email), Some(&self.name), self.subject.as_ref()];
        let is_named = own
            .into_iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(&q));
        let state = if self.is_active { "active" } else { "disabled" };
        let email = match (&self.subject, self.is_verified) {
            (Some(_), _) => "none",
            (None, true) => "verified",
            (None, false) => "unverified",
        };
        is_named
            && (filter.role.is_empty() || filter.role == self.role)
            && (filter.state.is_empty() || filter.state == state)
            && (filter.email.is_empty() || filter.email == email)
            && (filter.application.is_empty() || self.subject.is_some())
    }
}

#[derive(Debug, Clone, Default)]
struct Filter {
    q: &'static str,
    role: &'static str,
    state: &'static str,
    email: &'static str,
    application: String,
}

impl Filter {
    fn query(&self) -> String {
        let all = [
            ("q", self.q),
            ("role", self.role),
            ("state", self.state),
            ("email", self.email),
            ("application", &self.application),
        ];
        let set = all.iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> = set
            .map(|(name, value)| {
                format!(
                    "{name}={}",
                    value
                        .replace(' ', "%20")
                        .replace('%', "%25")
                        .replace("%2520", "%20")
                )
            })
            .collect();
        pairs.join("&")
    }
}

async fn people_are_found_by_what_contains_the_text(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let key = app.create_key("sessions");
    for (subject, email) in [
        ("customer-7", "grace@shop.example"),
        ("customer-8", "x@y.example"),
    ] {
        let request = app.anyone().request("POST", "/api/v1/app/sessions");
        let body = json!({"subject": subject, "email": email, "full_name": "Grace Hopper"});
        TestResponse::to(request.bearer_auth(&key).json(&body))
            .await
            .expect(201);
    }
    app.register("ada@example.org").await;
    let find = async |q: &str| {
        let list = admin.get(&format!("?q={q}")).await.expect(200).json();
        names(&list)
    };
    assert_eq!(find("ada@").await, ["ada@example.org"]);
    assert_eq!(find("ADA%40EXAMPLE").await, ["ada@example.org"]);
    assert_eq!(
        find("lovelace").await,
        ["ada@example.org", "admin@example.org"]
    );
    assert_eq!(
        find("Ada%20L").await,
        ["ada@example.org", "admin@example.org"]
    );
    assert_eq!(find("hopper").await, ["grace@shop.example", "x@y.example"]);
    assert_eq!(find("customer-7").await, ["grace@shop.example"]);
    assert_eq!(find("tomer-8").await, ["x@y.example"]);
    assert_eq!(find("shop.example").await, ["grace@shop.example"]);
    assert_eq!(find(&admin.id).await, ["admin@example.org"]);
    assert_eq!(find(&admin.id.to_uppercase()).await, ["admin@example.org"]);
    assert_eq!(find("external.invalid").await, Vec::<String>::new());
    assert_eq!(find("nobody").await, Vec::<String>::new());
    assert_eq!(
        find("019ab0de-0000-7000-8000-000000000000").await,
        Vec::<String>::new()
    );
    assert_eq!(find("").await.len(), 4);
    // What begins with it comes first, then what contains it.
    for email in ["zoe@example.org", "a-zoe@example.org"] {
        app.register(email).await;
        app.advance(Duration::from_millis(2));
    }
    let list = admin.get("?q=zoe").await.expect(200).json();
    let emails: Vec<_> = users(&list)
        .iter()
        .map(|user| user["email"].clone())
        .collect();
    assert_eq!(emails, ["zoe@example.org", "a-zoe@example.org"]);
}

async fn a_text_with_signs_of_a_pattern_is_taken_as_it_is(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    for (email, name) in [
        ("p@example.org", "100% Ada"),
        ("u@example.org", "under_score"),
        ("b@example.org", "back\\slash"),
    ] {
        let body = json!({"email": email, "full_name": name, "password": PASSWORD});
        admin.send("POST", "", &body).await.expect(201);
    }
    let find = async |q: &str| names(&admin.get(&format!("?q={q}")).await.expect(200).json());
    assert_eq!(find("100%25").await, ["p@example.org"]);
    assert_eq!(find("%25").await, ["p@example.org"]);
    assert_eq!(find("under_").await, ["u@example.org"]);
    assert_eq!(find("_").await, ["u@example.org"]);
    assert_eq!(find("back%5Cs").await, ["b@example.org"]);
    assert_eq!(find("'%20OR%20true--").await, Vec::<String>::new());
}

async fn filters_and_pages_agree_with_a_model(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let (people, application) = populate(app, &admin).await;
    let mut filters = Vec::new();
    for q in ["", "a", "ada", "example.org", "turing", "c", "er-1"] {
        for role in ["", "person", "auditor", "admin"] {
            for (state, email, of_application) in [
                ("", "", false),
                ("active", "", false),
                ("disabled", "", false),
                ("", "verified", false),
                ("", "unverified", false),
                ("", "", true),
                ("disabled", "unverified", false),
                ("active", "", true),
            ] {
                let application = if of_application {
                    application.clone()
                } else {
                    String::new()
                };
                filters.push(Filter {
                    q,
                    role,
                    state,
                    email,
                    application,
                });
            }
        }
    }
    for (at, filter) in filters.iter().enumerate() {
        let limit = [3, 7, 200][at % 3];
        let forwards = walk(&admin, &filter.query(), limit).await;
        let mut found: Vec<String> = forwards.iter().flatten().cloned().collect();
        let backwards = walk_back(&admin, &filter.query(), limit).await;
        assert_eq!(backwards, found, "{filter:?}");
        found.sort();
        let mut expected: Vec<String> = people
            .iter()
            .filter(|person| person.matches(filter))
            .map(|person| person.id.clone())
            .collect();
        expected.sort();
        assert_eq!(found, expected, "{filter:?}");
    }
    // Without a text, the newest come first.
    let all: Vec<String> = walk(&admin, "", 7).await.concat();
    let mut newest_first = all.clone();
    newest_first.sort_by(|a, b| b.cmp(a));
    assert_eq!(all, newest_first);
}

async fn pages_neither_repeat_nor_skip_while_people_come_and_go(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    populate(app, &admin).await;
    let untouched: BTreeSet<String> = walk(&admin, "", 200).await.concat().into_iter().collect();
    for query in ["", "q=example.org", "q=ada", "state=active"] {
        let (mut found, mut cursor, mut turn) = (Vec::new(), None::<String>, 0);
        loop {
            let page = page(&admin, query, 4, cursor.as_deref()).await;
            found.extend(ids(&page));
            let email = format!("ada.{turn}.{}@example.org", query.len());
            let body = json!({"email": email, "full_name": "Ada New", "password": PASSWORD});
            let new = admin.send("POST", "", &body).await.expect(201).json();
            if turn % 2 == 1 {
                let id = new["id"].as_str().expect("an id");
                admin
                    .send("DELETE", &format!("/{id}"), &json!({"email": email}))
                    .await
                    .expect(204);
            }
            turn += 1;
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        let unique: BTreeSet<String> = found.iter().cloned().collect();
        assert_eq!(
            unique.len(),
            found.len(),
            "somebody is there twice: {query}"
        );
        let now = walk(&admin, query, 200).await.concat();
        for id in now.iter().filter(|id| untouched.contains(*id)) {
            assert!(unique.contains(id), "{id} was skipped: {query}");
        }
    }
}

async fn what_is_no_filter_is_refused_and_named(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    for (query, named) in [
        ("colour=red", "colour"),
        ("role=king", "role"),
        ("state=asleep", "state"),
        ("email=maybe", "email"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("q=a&q=b", "q"),
        ("colour=", "colour"),
        (&format!("q={}", "x".repeat(256)), "q"),
    ] {
        let problem = admin
            .get(&format!("?{query}"))
            .await
            .problem(400, "invalid_request");
        let text = problem.to_string();
        assert!(text.contains(named), "{query}: {text}");
    }
    admin.get("?limit=200").await.expect(200);
    // To others, the list does not exist, whatever they ask it.
    let ada = app.register("ada@example.org").await;
    let device = app.login(&ada, FIREFOX).await;
    device
        .get(&format!("{USERS}?colour=red"))
        .await
        .problem(404, "not_found");
}

async fn a_cursor_is_good_for_its_own_search_only(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    populate(app, &admin).await;
    let first = page(&admin, "state=active", 3, None).await;
    let cursor = first["next_cursor"].as_str().expect("a cursor");
    page(&admin, "state=active", 50, Some(cursor)).await;
    for query in [
        "",
        "state=disabled",
        "state=active&q=ada",
        "state=active&role=admin",
    ] {
        let response = admin.get(&format!("?{query}&cursor={cursor}")).await;
        let problem = response.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], "cursor");
    }
    let longer = format!("?state=active&cursor={cursor}AAAA");
    admin.get(&longer).await.problem(400, "invalid_request");
}

async fn a_long_search_stops_and_is_continued(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let needle = json!({"email": "needle@example.org", "full_name": "A rare name", "invite": true});
    admin.send("POST", "", &needle).await.expect(201);
    fill(app, 60_000);
    // The text begins nothing, so everybody is read.
    let first = page(&admin, "q=rare", 50, None).await;
    assert_eq!((&first["is_partial"], ids(&first).len()), (&json!(true), 0));
    let cursor = first["next_cursor"].as_str().expect("a cursor").to_owned();
    let second = page(&admin, "q=rare", 50, Some(&cursor)).await;
    assert_eq!(names(&second), ["needle@example.org"]);
    assert_eq!(
        (&second["is_partial"], &second["next_cursor"]),
        (&json!(false), &Value::Null)
    );
    // And back.
    let back = second["previous_cursor"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    let third = page(&admin, "q=rare", 50, Some(&back)).await;
    assert_eq!(ids(&third).len(), 0);
    // By its beginning, it is found at once.
    for q in ["needle@", "a%20rare"] {
        let found = page(&admin, &format!("q={q}"), 50, None).await;
        assert_eq!(names(&found), ["needle@example.org"]);
    }
    // So is whoever a filter with an index leaves.
    let admins = page(&admin, "q=xample&role=admin", 50, None).await;
    assert_eq!(names(&admins), ["admin@example.org"]);
    assert_eq!(admins["is_partial"], false);
}

/// Inserts people who were made later than the others.
fn fill(app: &TestApp, n: usize) {
    let columns =
        "id, email, full_name, password_hash, is_active, is_admin, created_at, updated_at,
                   password_changed_at, email_verified_at";
    let at = "'2031-05-17 08:30:00.000000'";
    let rest = format!("'Somebody', '!', true, false, {at}, {at}, {at}, {at}");
    app.database.execute(&match app.database.postgres_name() {
        Some(_) => format!(
            "INSERT INTO users ({columns})
             SELECT CAST('f' || lpad(to_hex(n), 31, '0') AS uuid), 'p' || n || '@example.org', {rest}
             FROM generate_series(1, {n}) AS n; ANALYZE users"
        ),
        None => format!(
            "INSERT INTO users ({columns})
             WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {n})
             SELECT unhex('f' || printf('%031x', n)), 'p' || n || '@example.org', {rest} FROM c"
        ),
    });
}

/// Makes people of every kind, and returns them with the id of the application of some.
async fn populate(app: &TestApp, admin: &Admin) -> (Vec<Model>, String) {
    let mut people = vec![Model {
        id: admin.id.clone(),
        email: admin.person.email.clone(),
        name: "Ada Lovelace".into(),
        subject: None,
        role: "admin",
        is_active: true,
        is_verified: true,
    }];
    let key = app.create_key("sessions");
    let mut application = String::new();
    for n in 0..36 {
        let (mut person, body) = model(n);
        if let Some(subject) = &person.subject {
            let request = app.anyone().request("POST", "/api/v1/app/sessions");
            let body = json!({"subject": subject, "email": person.email, "full_name": person.name});
            let opened = TestResponse::to(request.bearer_auth(&key).json(&body))
                .await
                .expect(201);
            person.id = opened.json()["session"]["user_id"]
                .as_str()
                .expect("an id")
                .to_owned();
            let shown = admin.person(&person.id).await;
            application = shown["application_id"].as_str().expect("an id").to_owned();
        } else {
            let created = admin.send("POST", "", &body).await.expect(201).json();
            person.id = created["id"].as_str().expect("an id").to_owned();
        }
        if !person.is_active {
            let path = format!("/{}/disable", person.id);
            admin
                .send("POST", &path, &json!({"reason": "X"}))
                .await
                .expect(200);
        }
        if !person.is_verified {
            app.database.execute(&format!(
                "UPDATE users SET email_verified_at = NULL WHERE id = {}",
                app.database.id(&person.id)
            ));
        }
        if n % 3 == 0 {
            app.advance(Duration::from_millis(1));
        }
        people.push(person);
    }
    (people, application)
}

fn model(n: usize) -> (Model, Value) {
    let name = [
        "Ada Turing",
        "Grace Hopper",
        "Alan Turing",
        "Čeda",
        "Barbara",
    ][n % 5];
    let subject = (n % 4 == 3).then(|| format!("Customer-{n}"));
    let role = match subject {
        Some(_) => "person",
        None => ["person", "auditor", "person", "admin", "person"][n % 5],
    };
    let email = format!(
        "{}{n}@example.{}",
        ["ada", "grace", "alan"][n % 3],
        ["org", "com"][n % 2]
    );
    let body = json!({"email": email, "full_name": name, "role": role, "password": PASSWORD});
    let person = Model {
        id: String::new(),
        email,
        name: name.into(),
        subject,
        role,
        is_active: n % 6 != 5,
        is_verified: n % 7 != 6,
    };
    (person, body)
}

async fn page(admin: &Admin, query: &str, limit: usize, cursor: Option<&str>) -> Value {
    let cursor = cursor
        .map(|cursor| format!("&cursor={cursor}"))
        .unwrap_or_default();
    let path = format!("?{query}&limit={limit}{cursor}").replace("?&", "?");
    admin.get(&path).await.expect(200).json()
}

/// Walks every page to the last, and returns the ids on each.
async fn walk(admin: &Admin, query: &str, limit: usize) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = None::<String>;
    loop {
        let page = page(admin, query, limit, cursor.as_deref()).await;
        let found = ids(&page);
        assert!(found.len() <= limit);
        assert_eq!(
            page["previous_cursor"].is_null(),
            pages.is_empty(),
            "{query}"
        );
        pages.push(found);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return pages,
        }
    }
}

/// Walks to the last page, and from there back to the first; returns the ids in the order of the
/// list.
async fn walk_back(admin: &Admin, query: &str, limit: usize) -> Vec<String> {
    let mut last = page(admin, query, limit, None).await;
    while let Some(next) = last["next_cursor"].as_str() {
        let next = next.to_owned();
        last = page(admin, query, limit, Some(&next)).await;
    }
    let mut found = ids(&last);
    while let Some(previous) = last["previous_cursor"].as_str() {
        let previous = previous.to_owned();
        last = page(admin, query, limit, Some(&previous)).await;
        found.splice(0..0, ids(&last));
    }
    found
}

fn users(list: &Value) -> &Vec<Value> {
    list["users"].as_array().expect("a list")
}

fn ids(list: &Value) -> Vec<String> {
    let id = |user: &Value| user["id"].as_str().expect("an id").to_owned();
    users(list).iter().map(id).collect()
}

/// Returns the e-mails in a list, sorted.
fn names(list: &Value) -> Vec<String> {
    let email = |user: &Value| user["email"].as_str().expect("an e-mail").to_owned();
    let mut all: Vec<String> = users(list).iter().map(email).collect();
    all.sort();
    all
}
