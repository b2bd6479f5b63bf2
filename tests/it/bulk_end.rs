//! Ending anybody's sessions over the API and on the command line.

use serde_json::Value;

use crate::support::bulk::{END, expect_ended_once, job, job_id, order};
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: few_sessions_end_before_the_response,
    a_dry_run_changes_nothing,
    listed_sessions_end_and_those_that_are_over_are_counted,
    own_sessions_end_only_if_they_are_included,
    an_order_names_sessions_and_a_reason,
    an_order_for_everybody_says_so,
    only_live_sessions_are_matched,
    a_key_ends_sessions_and_a_reading_one_does_not,
    others_end_nobody_s_sessions,
    one_session_ends_with_its_reason,
    all_sessions_of_a_person_end,
    the_owner_sees_the_reason,
    an_order_needs_step_up,
    the_command_counts_before_it_ends_more_than_one,
    the_command_ends_by_filter,
    the_command_prints_json,
);

/// An administrator's device, and two people with a laptop and a phone each.
struct Fixture {
    admin: Device,
    ada: Person,
    devices: Vec<Device>,
}

impl Fixture {
    async fn new(app: &TestApp) -> Self {
        let root = app.register("root@example.org").await;
        app.set_role(&root, "admin");
        let admin = app.login(&root, FIREFOX).await;
        let ada = app.register("ada@example.org").await;
        let bob = app.register("bob@example.org").await;
        let mut devices = Vec::new();
        for person in [&ada, &bob] {
            devices.push(app.login(person, FIREFOX).await);
            devices.push(app.login(person, IPHONE).await);
        }
        Self {
            admin,
            ada,
            devices,
        }
    }
}

async fn is_live(device: &Device) -> bool {
    device.current().await.status == 200
}

fn counts(answer: &Value) -> [&Value; 6] {
    [
        "sessions",
        "people",
        "own",
        "ended",
        "already_over",
        "failed",
    ]
    .map(|name| answer[name].get("count").unwrap_or(&answer[name]))
}

async fn few_sessions_end_before_the_response(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let body = json!({"filter": {"browser": "safari"}, "reason": " Stolen\u{7} phones "});
    let response = order(&fixture.admin, &body).await.expect(200);
    let answer = response.json();
    assert_eq!(counts(&answer), [2, 2, 0, 2, 0, 0], "{answer:#}");
    assert!(!is_live(&fixture.devices[1]).await && !is_live(&fixture.devices[3]).await);
    assert!(is_live(&fixture.devices[0]).await && is_live(&fixture.devices[2]).await);
    expect_ended_once(app, 2);

    let id = job_id(&response);
    let job = job(&fixture.admin, &id).await;
    assert_eq!(job["state"], "done");
    assert_eq!(job["stated_reason"], "Stolen phones");
    assert_eq!(job["filter"]["browser"], "safari");
    assert_eq!(
        (&job["total"]["count"], &job["ended"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(job["by_user_id"], fixture.admin.session["user_id"]);
    let of_job = format!(
        "SELECT count(*) AS value FROM session_events WHERE job_id = {} AND stated_reason = 'Stolen phones' AND by_session_id = {} AND ip_address IS NOT NULL",
        app.database.id(&id),
        app.database.id(&fixture.admin.id()),
    );
    assert_eq!(app.database.number(&of_job), 2);
    assert!(!response.text.contains("127.0.0.1"), "{}", response.text);
    let stored = app.database.texts("SELECT by_ip AS value FROM bulk_jobs");
    assert_eq!(stored, [None], "the address goes with the end of the job");
}

async fn a_dry_run_changes_nothing(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let body = json!({"filter": {"browser": "Firefox"}, "dry_run": true});
    let answer = order(&fixture.admin, &body).await.expect(200).json();
    assert_eq!(counts(&answer), [3, 3, 1, 0, 0, 0], "{answer:#}");
    assert_eq!(
        (&answer["sessions"]["is_exact"], &answer["job"]),
        (&json!(true), &Value::Null)
    );
    let ids: Vec<String> = fixture.devices.iter().map(Device::id).collect();
    let body = json!({"ids": ids, "dry_run": true, "reason": "x"});
    let answer = order(&fixture.admin, &body).await.expect(200).json();
    assert_eq!(counts(&answer), [4, 2, 0, 0, 0, 0], "{answer:#}");
    expect_ended_once(app, 0);
    let jobs = "SELECT count(*) AS value FROM bulk_jobs";
    assert_eq!(app.database.number(jobs), 0);
    assert_eq!(app.database.sessions_where("is_active"), 5);
}

async fn listed_sessions_end_and_those_that_are_over_are_counted(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    fixture.devices[0]
        .post("/api/v1/auth/logout")
        .await
        .expect(204);
    let mut ids: Vec<String> = fixture.devices[..3].iter().map(Device::id).collect();
    ids.push(ids[1].clone());
    ids.push("019700d5-5a00-7000-8000-000000000000".into());
    let body = json!({"ids": ids, "reason": "Lost"});
    let answer = order(&fixture.admin, &body).await.expect(200).json();
    // One is named twice; one is over and one never was.
    assert_eq!(counts(&answer), [2, 2, 0, 2, 1, 0], "{answer:#}");
    assert_eq!(answer["unknown"], 1);
    assert_eq!(answer["job"]["listed"], 4);
    assert!(is_live(&fixture.devices[3]).await);
    let again = order(&fixture.admin, &body).await.expect(200).json();
    assert_eq!(counts(&again), [0, 0, 0, 0, 3, 0], "{again:#}");
    expect_ended_once(app, 2);
}

async fn own_sessions_end_only_if_they_are_included(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let root = Person {
        email: "root@example.org".into(),
        password: PASSWORD.into(),
    };
    let tablet = app.login(&root, IPHONE).await;
    let body = json!({"filter": {"state": "live"}, "reason": "Restored"});
    let answer = order(&fixture.admin, &body).await.expect(200).json();
    assert_eq!(counts(&answer), [6, 3, 2, 4, 0, 0], "{answer:#}");
    assert_eq!(answer["job"]["include_own"], false);
    assert!(is_live(&fixture.admin).await && is_live(&tablet).await);
    let listed = json!({"ids": [tablet.id(), fixture.admin.id()], "reason": "Mine"});
    let answer = order(&fixture.admin, &listed).await.expect(200).json();
    assert_eq!(counts(&answer), [2, 1, 2, 0, 0, 0], "{answer:#}");
    let body = json!({"filter": {"state": "live"}, "reason": "Mine", "include_own": true});
    let answer = order(&fixture.admin, &body).await.expect(200).json();
    assert_eq!(counts(&answer), [2, 1, 2, 2, 0, 0], "{answer:#}");
    assert!(!is_live(&fixture.admin).await && !is_live(&tablet).await);
    expect_ended_once(app, 6);
}

async fn an_order_names_sessions_and_a_reason(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let id = fixture.devices[0].id();
    let many: Vec<&str> = vec![&id; 1_001];
    for (body, field) in [
        (json!({"reason": "x"}), "filter"),
        (
            json!({"filter": {"os": "iOS"}, "ids": [id], "reason": "x"}),
            "filter",
        ),
        (json!({"ids": [], "reason": "x"}), "ids"),
        (json!({"ids": many, "reason": "x"}), "ids"),
        (json!({"ids": ["x"], "reason": "x"}), "ids[0]"),
        (json!({"ids": [id]}), "reason"),
        (json!({"ids": [id], "reason": " \u{7} "}), "reason"),
        (json!({"ids": [id], "reason": "é".repeat(501)}), "reason"),
        (
            json!({"ids": [id], "reason": "x", "colour": "red"}),
            "colour",
        ),
        (
            json!({"filter": {"colour": "red"}, "reason": "x"}),
            "filter.colour",
        ),
        (
            json!({"filter": {"ip": "here"}, "reason": "x"}),
            "filter.ip",
        ),
        (json!({"filter": {"q": 1}, "reason": "x"}), "filter.q"),
    ] {
        let problem = order(&fixture.admin, &body)
            .await
            .problem(400, "invalid_request");
        let text = problem.to_string();
        assert!(text.contains(&format!("\"{field}\"")), "{field}: {text}");
    }
    let longest = json!({"ids": [id], "reason": "é".repeat(500)});
    order(&fixture.admin, &longest).await.expect(200);
    expect_ended_once(app, 1);
}

async fn an_order_for_everybody_says_so(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    for filter in [
        json!({}),
        json!({"browser": " ", "q": ""}),
        json!({"browser": "Firefox", "ip": ""}),
        json!({"state": "live", "user": "\u{200b}\n"}),
    ] {
        let body = json!({"filter": filter, "reason": "x"});
        order(&fixture.admin, &body)
            .await
            .problem(400, "invalid_request");
    }
    let twice =
        r#"{"filter": {"user": "ada@example.org", "user": "bob@example.org"}, "reason": "x"}"#;
    let request = app
        .anyone()
        .request("POST", "/api/v1/admin/sessions/end")
        .bearer_auth(&fixture.admin.access_token)
        .header("content-type", "application/json")
        .body(twice);
    TestResponse::to(request)
        .await
        .problem(400, "invalid_request");
    let command = Program::with(&app.database).run(&["session", "end", "--ip", "", "--yes"]);
    assert_eq!(command.status, 1, "{}", command.stderr);
    expect_ended_once(app, 0);
}

async fn only_live_sessions_are_matched(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    for filter in [
        json!({"state": "ended"}),
        json!({"reason": "expired"}),
        json!({"state": "any", "reason": "expired"}),
    ] {
        let body = json!({"filter": filter, "reason": "x"});
        order(&fixture.admin, &body)
            .await
            .problem(400, "invalid_request");
    }
    fixture.devices[1]
        .post("/api/v1/auth/logout")
        .await
        .expect(204);
    let body = json!({"filter": {"state": "any", "browser": "Safari"}, "reason": "x"});
    let answer = order(&fixture.admin, &body).await.expect(200).json();
    assert_eq!(counts(&answer), [1, 1, 0, 1, 0, 0], "{answer:#}");
}

async fn a_key_ends_sessions_and_a_reading_one_does_not(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let body = json!({"filter": {"user": "ada@example.org"}, "reason": "Left the company"});
    let reading = app.create_key("admin:read");
    let send = |key: &str| {
        let request = app.anyone().request("POST", END).bearer_auth(key);
        TestResponse::to(request.json(&body))
    };
    send(&reading).await.problem(403, "insufficient_scope");
    send(&app.create_key("sessions"))
        .await
        .problem(404, "not_found");
    expect_ended_once(app, 0);
    let writing = app.create_key("admin:read admin:write");
    let response = send(&writing).await.expect(200);
    let answer = response.json();
    assert_eq!(counts(&answer), [2, 1, 0, 2, 0, 0], "{answer:#}");
    assert_eq!(answer["job"]["by_user_id"], Value::Null);
    assert!(answer["job"]["by_application_id"].is_string());
    assert!(answer["job"]["include_own"].is_null());
    // What was refused above is recorded when its job runs.
    let by = "SELECT count(*) AS value FROM session_events WHERE kind = 'ended' AND by_application_id IS NOT NULL AND by_user_id IS NULL";
    assert_eq!(app.database.number(by), 2);
    // A key reads the jobs.
    let path = format!("/api/v1/admin/jobs/{}", job_id(&response));
    let request = app.anyone().request("GET", &path).bearer_auth(&reading);
    TestResponse::to(request).await.expect(200);
    assert!(is_live(&fixture.devices[2]).await);
}

async fn others_end_nobody_s_sessions(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let bob = fixture.devices[2].id();
    let own = fixture.devices[0].session["user_id"].clone();
    let paths = [
        format!("/api/v1/admin/sessions/{bob}"),
        format!(
            "/api/v1/admin/users/{}/sessions",
            own.as_str().expect("an id")
        ),
    ];
    for role in ["person", "auditor"] {
        app.set_role(&fixture.ada, role);
        let device = app.login(&fixture.ada, FIREFOX).await;
        for body in [
            json!({"ids": [bob], "reason": "x"}),
            json!({"ids": [bob], "dry_run": true}),
            json!({"nonsense": 1}),
        ] {
            order(&device, &body).await.problem(404, "not_found");
        }
        for path in &paths {
            device.delete(path).await.problem(404, "not_found");
        }
        let jobs = device.get("/api/v1/admin/jobs").await;
        assert_eq!(jobs.status, if role == "auditor" { 200 } else { 404 });
    }
    expect_ended_once(app, 0);
}

async fn one_session_ends_with_its_reason(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let path = format!("/api/v1/admin/sessions/{}", fixture.devices[1].id());
    let long = "x".repeat(501);
    for wrong in [
        format!("{path}?reason={long}"),
        format!("{path}?colour=red"),
    ] {
        fixture
            .admin
            .delete(&wrong)
            .await
            .problem(400, "invalid_request");
    }
    let reasoned = format!("{path}?reason=Found%20on%20a%20train");
    fixture.admin.delete(&reasoned).await.expect(204);
    fixture.admin.delete(&path).await.expect(204);
    assert!(!is_live(&fixture.devices[1]).await);
    expect_ended_once(app, 1);
    let stated = app
        .database
        .texts("SELECT stated_reason AS value FROM session_events WHERE kind = 'ended'");
    assert_eq!(stated, [Some("Found on a train".into())]);
    let unknown = "/api/v1/admin/sessions/019700d5-5a00-7000-8000-000000000000";
    fixture
        .admin
        .delete(unknown)
        .await
        .problem(404, "not_found");
}

async fn all_sessions_of_a_person_end(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let ada = fixture.devices[0].session["user_id"].clone();
    let path = format!(
        "/api/v1/admin/users/{}/sessions?reason=Left",
        ada.as_str().expect("an id")
    );
    let ended = fixture.admin.delete(&path).await.expect(200).json();
    assert_eq!(ended, json!({"ended": 2}));
    let again = fixture.admin.delete(&path).await.expect(200).json();
    assert_eq!(again, json!({"ended": 0}));
    let unknown = "/api/v1/admin/users/019700d5-5a00-7000-8000-000000000000/sessions";
    fixture
        .admin
        .delete(unknown)
        .await
        .problem(404, "not_found");
    assert!(is_live(&fixture.devices[2]).await && is_live(&fixture.devices[3]).await);
    expect_ended_once(app, 2);
}

async fn the_owner_sees_the_reason(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let phone = &fixture.devices[1];
    let reason = "Stolen <b>laptop</b> & “bag”";
    let body = json!({"ids": [phone.id()], "reason": reason});
    order(&fixture.admin, &body).await.expect(200);
    let history = fixture.devices[0]
        .get("/api/v1/sessions/history")
        .await
        .expect(200)
        .json();
    assert_eq!(history["sessions"][0]["ended_reason"], "admin");
    assert_eq!(history["sessions"][0]["ended_note"], reason);
    let browser = app.signed_in_browser(&fixture.ada, FIREFOX).await;
    let words = format!("Signed out by an administrator: “\u{2068}{reason}\u{2069}”");
    for page in ["/devices", &format!("/devices/{}", phone.id())] {
        let page = browser.get(page).await.expect(200);
        assert!(!page.text.contains("<b>laptop"), "{}", page.text);
        let all = page.words();
        assert!(all.contains(&words), "{all}");
        assert!(!all.contains("root@example.org"), "{all}");
    }
    // Without a reason the cause alone is stated.
    let path = format!("/api/v1/admin/sessions/{}", fixture.devices[0].id());
    fixture.admin.delete(&path).await.expect(204);
    browser
        .get(&format!("/devices/{}", fixture.devices[0].id()))
        .await
        .expect_words("Signed out by an administrator");
}

async fn an_order_needs_step_up(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    app.advance(Duration::from_secs(240));
    let mut admin = fixture.admin;
    admin.refresh().await;
    app.advance(Duration::from_secs(400));
    admin.refresh().await;
    let id = fixture.devices[0].id();
    let body = json!({"ids": [id], "reason": "x"});
    order(&admin, &body).await.problem(401, "step_up_required");
    admin
        .delete(&format!("/api/v1/admin/sessions/{id}"))
        .await
        .problem(401, "step_up_required");
    expect_ended_once(app, 0);
}

async fn the_command_counts_before_it_ends_more_than_one(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let rollcall = Program::with(&app.database);
    let run = |arguments: &[&str]| {
        let output = rollcall.run(&[&["session", "end"], arguments].concat());
        assert_eq!(output.status, 0, "{output:?}");
        output.stderr.trim().to_owned()
    };
    let words = run(&["--user", "ada@example.org"]);
    assert_eq!(
        words,
        "2 sessions of 1 person match. To end them, add --yes."
    );
    expect_ended_once(app, 0);
    let words = run(&["--user", "ada@example.org", "--yes", "--reason", "Left"]);
    assert_eq!(words, "2 sessions are ended.");
    expect_ended_once(app, 2);
    let words = run(&["--user", "ada@example.org", "--yes"]);
    assert_eq!(words, "No session was live.");
    // One needs no second word.
    let bob = fixture.devices[2].session["user_id"].clone();
    let bob = bob.as_str().expect("an id");
    assert_eq!(
        run(&["--user", bob, "--browser", "safari"]),
        "1 session is ended."
    );
    assert!(is_live(&fixture.devices[2]).await && !is_live(&fixture.devices[3]).await);
    let unknown = ["session", "end", "--user", "nobody@example.org"];
    rollcall.run(&unknown).expect_failed(1);
    for wrong in [
        &["session", "end", &fixture.devices[2].id(), "--all"][..],
        &["session", "end", &fixture.devices[2].id(), "--os", "iOS"],
        &["session", "end", "--all", "--os", "iOS"],
        &["session", "end", "--reason", "Left"],
        &["session", "end", "--kind", "spoon", "--yes"],
    ] {
        rollcall.run(wrong).expect_failed(2);
    }
    let long = "x".repeat(501);
    for wrong in [
        &["session", "end", "--os", "Windows", "--reason", &long][..],
        &["session", "end", "--state", "ended", "--yes"],
    ] {
        rollcall.run(wrong).expect_failed(1);
    }
}

async fn the_command_ends_by_filter(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let rollcall = Program::with(&app.database);
    let safari = ["session", "end", "--browser", "Safari", "--reason", "Bug"];
    let counted = rollcall.run(&safari);
    assert_eq!(
        counted.stderr.trim(),
        "2 sessions of 2 people match. To end them, add --yes."
    );
    let ended = rollcall.run(&[&safari[..], &["--yes"]].concat());
    assert_eq!(
        (ended.status, ended.stderr.trim()),
        (0, "2 sessions are ended.")
    );
    expect_ended_once(app, 2);
    assert!(is_live(&fixture.devices[0]).await && !is_live(&fixture.devices[1]).await);
    let stated = "SELECT count(*) AS value FROM session_events WHERE stated_reason = 'Bug' AND job_id IS NOT NULL AND by_user_id IS NULL";
    assert_eq!(app.database.number(stated), 2);
}

async fn the_command_prints_json(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let rollcall = Program::with(&app.database);
    let run = |arguments: &[&str]| -> Value {
        let all = [&["session", "end", "--json"], arguments].concat();
        serde_json::from_str(&rollcall.run(&all).expect_done()).expect("JSON")
    };
    let two = json!({"count": 2, "is_exact": true});
    let counted = run(&["--browser", "Safari"]);
    assert_eq!((&counted["sessions"], &counted["people"]), (&two, &two));
    assert_eq!(counted["dry_run"], true);
    let keys = |value: &Value| {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    let filter = json!({"filter": {"browser": "Safari"}, "dry_run": true});
    let answer = order(&fixture.admin, &filter).await.expect(200).json();
    let (own, api): (Vec<String>, Vec<String>) = (keys(&counted), keys(&answer));
    assert_eq!(own, api, "the command prints what the API returns");
    let done = run(&["--browser", "Safari", "--yes"]);
    assert_eq!((&done["ended"], &done["failed"]), (&json!(2), &json!(0)));
    assert_eq!(done["job"]["state"], "done");
    assert!(done["job"]["id"].is_string());
    let one = run(&[&fixture.devices[0].id()]);
    assert_eq!(
        (&one["ended"], &one["already_over"]),
        (&json!(1), &json!(0))
    );
    let again = run(&[&fixture.devices[0].id()]);
    assert_eq!(
        (&again["ended"], &again["already_over"]),
        (&json!(0), &json!(1))
    );
}
