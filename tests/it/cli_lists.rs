//! Lists on the command line: a reader that stops reading, pages to the end, and the JSON of the API.

use std::process::Stdio;

use serde_json::Value;

use crate::support::admin::Admin;
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: a_reader_that_has_read_enough_ends_a_command_quietly,
    sessions_are_listed_page_by_page_to_the_end,
    people_are_listed_page_by_page_to_the_end,
    lists_are_those_of_the_api,
);

async fn a_reader_that_has_read_enough_ends_a_command_quietly(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await;
    let rollcall = Program::with(&app.database);
    rollcall.add_key(&["--name", "Shop"]);
    for command in [
        "session list",
        "session list --json",
        "session list --all --json",
        "session end --all --json",
        "user list",
        "user list --json",
        "user show --email ada@example.org",
        "user show --email ada@example.org --json",
        "user export --email ada@example.org",
        "user reset-link ada@example.org",
        "event list",
        "event list --json",
        "application list",
        "application list --json",
        "application add --name Blog",
        "api-key list",
        "api-key add --name Zoo",
        "key list",
        "key list --json",
        "config",
    ] {
        let arguments: Vec<&str> = command.split(' ').collect();
        let mut child = rollcall.start(&arguments, Stdio::piped());
        drop(child.stdout.take());
        let status = child.wait().expect("the program ends");
        assert_eq!(status.code(), Some(0), "rollcall {command} | true");
    }
}

/// What says that there are more, before the cursor.
const MORE: &str = "There are more: --cursor ";

/// Lists in JSON, a page at a time, and returns the ids.
fn walk(rollcall: &Program, command: &[&str]) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut arguments = [command, &["--json", "--limit", "2"]].concat();
        if let Some(cursor) = &cursor {
            arguments.extend(["--cursor", cursor]);
        }
        let printed = rollcall.run(&arguments);
        let more = printed.stderr.trim().strip_prefix(MORE).map(str::to_owned);
        let page: Value = serde_json::from_str(&printed.expect_done()).expect("JSON");
        let items = page.as_array().expect("a list");
        assert!(items.len() <= 2);
        let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
        found.extend(items.iter().map(id));
        cursor = more;
        if cursor.is_none() {
            return found;
        }
    }
}

fn json_of(rollcall: &Program, arguments: &[&str]) -> Value {
    serde_json::from_str(&rollcall.run(arguments).expect_done()).expect("JSON")
}

fn first_columns(text: &str) -> Vec<String> {
    let first = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
    text.lines().map(first).collect()
}

async fn sessions_are_listed_page_by_page_to_the_end(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    for _ in 0..5 {
        app.login(&ada, IPHONE).await;
    }
    let rollcall = Program::with(&app.database);
    let all = first_columns(&rollcall.run(&["session", "list"]).expect_done());
    assert_eq!(all.len(), 5);
    assert_eq!(walk(&rollcall, &["session", "list"]), all);
    let opened = &["session", "list", "--sort", "opened", "--user", &ada.email][..];
    let sorted = first_columns(&rollcall.run(opened).expect_done());
    assert_eq!(walk(&rollcall, opened), sorted);

    let first = rollcall.run(&["session", "list", "--limit", "2"]);
    let more = first.stderr.trim().strip_prefix(MORE);
    let cursor = more.expect("a cursor").to_owned();
    let rest = ["session", "list", "--cursor", &cursor];
    let rest = rollcall.run(&rest).expect_done();
    assert_eq!(
        [first_columns(&first.stdout), first_columns(&rest)].concat(),
        all
    );
    let error = rollcall.run(&["session", "list", "--os", "iOS", "--cursor", &cursor]);
    assert!(
        error
            .expect_failed(1)
            .contains("cursor: is not a cursor of this list")
    );
    let everything = ["session", "list", "--all", "--json"];
    let lines = rollcall.run(&everything).expect_done();
    assert_eq!(lines.lines().count(), 5);
}

async fn people_are_listed_page_by_page_to_the_end(app: &TestApp) {
    for n in 0..5 {
        app.register(&format!("p{n}@example.org")).await;
    }
    let rollcall = Program::with(&app.database);
    let all = first_columns(&rollcall.run(&["user", "list"]).expect_done());
    assert_eq!(all.len(), 5);
    assert_eq!(walk(&rollcall, &["user", "list"]), all);
    let first = rollcall.run(&["user", "list", "--limit", "2"]);
    let more = first.stderr.trim().strip_prefix(MORE);
    let rest = ["user", "list", "--cursor", more.expect("a cursor")];
    let rest = rollcall.run(&rest).expect_done();
    assert_eq!(
        [first_columns(&first.stdout), first_columns(&rest)].concat(),
        all
    );
}

async fn lists_are_those_of_the_api(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let rollcall = Program::with(&app.database);
    rollcall.add_key(&["--name", "Shop"]);
    let key = app.create_key("admin:read");
    for (command, path) in [
        ("session list", "sessions"),
        ("user list", "users"),
        ("application list", "applications"),
    ] {
        let mut arguments: Vec<&str> = command.split(' ').collect();
        arguments.push("--json");
        let printed = json_of(&rollcall, &arguments);
        let request = app
            .anyone()
            .request("GET", &format!("/api/v1/admin/{path}"))
            .bearer_auth(&key);
        let mut listed = TestResponse::to(request).await.expect(200).json()[path].clone();
        if path == "applications" {
            // The key that lists them was used just now, to the minute.
            for (shown, read) in listed
                .as_array_mut()
                .expect("a list")
                .iter_mut()
                .zip(printed.as_array().expect("a list"))
            {
                shown["keys"] = read["keys"].clone();
            }
        }
        assert_eq!(printed, listed, "{command}");
        assert!(!printed.as_array().expect("a list").is_empty());
    }
    let one = ["user", "show", "--email", "admin@example.org", "--json"];
    assert_eq!(json_of(&rollcall, &one), admin.person(&admin.id).await);
}
