//! What was refused, as those who watch the service see it, and as the person on whose account it was:
//! the overview, the list of events, one event, the person's page and their own.

use serde_json::Value;

use crate::support::admin::{Admin, id_of};
use crate::support::app::behind_proxy;
use crate::support::html;
use crate::support::prelude::*;

on_both!(
    app: the_overview_has_what_was_refused,
    an_empty_month_is_said,
    hours_and_days_are_those_of_utc,
    a_delay_is_lifted_from_the_overview_by_administrators_alone,
    a_deleted_person_is_words_in_the_overview,
    far_more_failed_tries_than_usual_are_odd,
    events_show_what_was_counted_and_who_is_not_known,
    groups_of_kinds_are_listed_page_by_page,
    a_person_sees_that_somebody_did_not_get_in,
    guesses_hide_nothing_that_happened,
);
on_both!(
    database: the_ten_most_throttled_lead_to_their_tries,
    ready_made_filters_find_their_kinds,
);

const OVERVIEW: &str = "/api/v1/admin/overview";
const EVENTS: &str = "/admin/events";
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Returns a browser of somebody with that role.
async fn watcher(app: &TestApp, role: &str) -> Browser {
    let person = app.register(&format!("{role}@example.org")).await;
    app.set_role(&person, role);
    app.signed_in_browser(&person, FIREFOX).await
}

async fn api(app: &TestApp, path: &str) -> Value {
    let key = app.create_key("admin:read");
    let request = app.anyone().request("GET", path).bearer_auth(key);
    TestResponse::to(request).await.expect(200).json()
}

/// Signs in with a wrong password, so often.
async fn guess(app: &TestApp, email: &str, times: usize) {
    for _ in 0..times {
        guess_from(app, email, "127.0.0.1").await;
    }
}

async fn guess_from(app: &TestApp, email: &str, ip: &str) {
    let body = json!({"email": email, "password": "a wrong guess"});
    let request = app
        .anyone()
        .request("POST", "/api/v1/auth/login")
        .header("user-agent", IPHONE)
        .header("x-forwarded-for", ip);
    let response = TestResponse::to(request.json(&body)).await;
    assert!(matches!(response.status, 401 | 429), "{}", response.status);
}

/// Makes one refused request of each technical kind, without a person.
async fn be_refused(app: &TestApp) {
    let form = app.anyone().request("POST", "/sign-in");
    TestResponse::to(form.form(&[("email", "x")]))
        .await
        .expect(403);
    let token = app.anyone().request("GET", "/api/v1/me");
    TestResponse::to(token.bearer_auth("not.a.token"))
        .await
        .expect(401);
}

/// Returns the rows of a table of the page, by its label, as cells.
fn rows(page: &TestResponse, table: &str) -> Vec<Vec<String>> {
    let (_, rest) = page.text.split_once(table).expect("the table");
    let body = rest.split("</table>").next().unwrap_or_default();
    let body = body.split("<tbody>").nth(1).expect("its body");
    body.split("<tr>")
        .skip(1)
        .map(|row| {
            let cells = row.split("</td>").map(|cell| format!("<{}", cell.trim()));
            let cells = cells.map(|cell| html::words(&cell.replacen("<<", "<", 1)));
            cells.filter(|cell| !cell.is_empty()).collect()
        })
        .collect()
}

const BY_HOUR: &str = "aria-label=\"Refused by hour\"";
const BY_DAY: &str = "aria-label=\"Refused by day\"";
const ACCOUNTS: &str = "<table class=\"figures-table\" aria-labelledby=\"throttled-accounts\"";
const NETWORKS: &str = "<table class=\"figures-table\" aria-labelledby=\"throttled-networks\"";

/// Returns the figures of a period in the API, in the order of the columns of the page.
fn figures(period: &Value) -> Vec<String> {
    [
        "failed_passwords",
        "throttled",
        "others",
        "throttled_accounts",
        "throttled_networks",
    ]
    .iter()
    .map(|name| period[name].to_string())
    .collect()
}

async fn the_overview_has_what_was_refused(app: &TestApp) {
    let admin = watcher(app, "auditor").await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    guess(app, &ada.email, 6).await;
    guess(app, "nobody@example.org", 2).await;
    be_refused(app).await;
    browser.get("/admin").await.expect(404);
    let found = api(app, OVERVIEW).await;
    let expected = json!({
        "from": "2031-05-17T08:00:00.000000Z", "failed_passwords": 7, "throttled": 1, "others": 3,
        "throttled_accounts": 1, "throttled_networks": 1,
    });
    let hours = found["refusals_by_hour"].as_array().expect("hours");
    let days = found["refusals_by_day"].as_array().expect("days");
    assert_eq!((hours.len(), days.len()), (24, 30));
    assert_eq!(hours[23], expected);
    assert_eq!(figures(&days[29]), figures(&expected));
    assert_eq!(figures(&days[28]), ["0", "0", "0", "0", "0"]);
    assert_eq!(
        found["refusals_by_kind"],
        json!([
            {"name": "sign_in_failed", "total": 7},
            {"name": "admin_refused", "total": 1},
            {"name": "form_refused", "total": 1},
            {"name": "throttled", "total": 1},
            {"name": "token_refused", "total": 1},
        ])
    );
    assert_eq!(
        found["throttled_accounts"],
        json!([{
            "user_id": id_of(app, &ada.email), "user_email": ada.email, "times": 1,
            "may_have_to_wait": true,
        }])
    );
    assert_eq!(
        found["throttled_networks"],
        json!([{"network": "127.0.0.1", "times": 1}])
    );

    let page = admin.get("/admin").await.expect(200);
    for (table, periods) in [(BY_HOUR, hours), (BY_DAY, days)] {
        let rows = rows(&page, table);
        assert_eq!(rows.len(), periods.len());
        for (row, period) in rows.iter().zip(periods) {
            assert_eq!(row[1..], figures(period));
        }
    }
    assert_eq!(page.text.matches("<g><title>").count(), 24 + 30);
    assert_eq!(rows(&page, BY_HOUR)[23][0], "08:00");
    assert_eq!(rows(&page, BY_DAY)[29][0], "17 May");
    let charts = "08:00: 7 failed passwords, 1 throttled attempt, 3 other refusals";
    let page = page
        .expect_words(charts)
        .expect_words("Failed sign-ins 7 Failed sign-ins in 24 hours")
        .expect_words("Throttled attempts 1 Throttled attempts in 24 hours")
        .expect_words("11 in all, until 08:30 UTC; the hour with the most is 08:00, with 11.");
    assert_eq!(rows(&page, NETWORKS), [["127.0.0.1", "1"]]);
    assert!(!page.text.contains("band oddity"), "that is usual");
    admin.get(EVENTS).await.expect_words(
        "Refused in the last 24 hours: 7 failed passwords, 1 throttled attempt, 3 other refusals",
    );
}

async fn an_empty_month_is_said(app: &TestApp) {
    let admin = watcher(app, "auditor").await;
    admin
        .get("/admin")
        .await
        .expect_words("Nothing was refused in the last 30 days");
    admin
        .get(EVENTS)
        .await
        .expect_words("Nothing was refused in the last 30 days.");
    let found = api(app, OVERVIEW).await;
    assert_eq!(found["refusals_by_kind"], json!([]));
    assert_eq!(found["throttled_accounts"], json!([]));
    guess(app, "nobody@example.org", 1).await;
    let words = admin.get("/admin").await.expect(200).words();
    assert!(!words.contains("Nothing was refused"), "{words}");
    // Longer ago than the days that are counted.
    app.advance(HOUR * 24 * 31);
    let admin = watcher(app, "admin").await;
    admin
        .get("/admin")
        .await
        .expect_words("Nothing was refused in the last 30 days");
}

async fn hours_and_days_are_those_of_utc(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    // 23:40, and ten past midnight.
    app.advance(HOUR * 15 + Duration::from_secs(10 * 60));
    guess(app, &ada.email, 7).await;
    app.advance(HOUR / 2);
    guess(app, &ada.email, 1).await;
    guess(app, &ada.email, 3).await;
    app.advance(HOUR);
    guess(app, &ada.email, 1).await;
    guess(app, &ada.email, 1).await;
    let found = api(app, OVERVIEW).await;
    let hours = &found["refusals_by_hour"];
    assert_eq!(hours[23]["from"], "2031-05-18T01:00:00.000000Z");
    assert_eq!(figures(&hours[21]), ["5", "2", "0", "1", "1"]);
    assert_eq!(figures(&hours[22]), ["1", "3", "0", "1", "1"]);
    assert_eq!(figures(&hours[23]), ["1", "1", "0", "1", "1"]);
    let days = &found["refusals_by_day"];
    assert_eq!(days[28]["from"], "2031-05-17T00:00:00.000000Z");
    assert_eq!(figures(&days[28]), ["5", "2", "0", "1", "1"]);
    // One account in two hours is one account of the day.
    assert_eq!(figures(&days[29]), ["2", "4", "0", "1", "1"]);
    assert_eq!(found["throttled_accounts"][0]["times"], 6);

    // The first hour leaves the day, and stays in the month.
    app.advance(HOUR * 22);
    let found = api(app, OVERVIEW).await;
    assert_eq!(
        found["refusals_by_hour"][0]["from"],
        "2031-05-18T00:00:00.000000Z"
    );
    assert_eq!(found["throttled_accounts"][0]["times"], 4);
    assert_eq!(
        found["refusals_by_kind"][0],
        json!({"name": "throttled", "total": 4})
    );
    assert_eq!(
        figures(&found["refusals_by_day"][28]),
        ["5", "2", "0", "1", "1"]
    );
}

async fn a_delay_is_lifted_from_the_overview_by_administrators_alone(app: &TestApp) {
    let (auditor, admin) = (watcher(app, "auditor").await, watcher(app, "admin").await);
    let ada = app.register("ada@example.org").await;
    guess(app, &ada.email, 6).await;
    let lift = format!("/admin/users/{}/lift-delay", id_of(app, &ada.email));
    for path in ["/admin", EVENTS] {
        let page = admin.get(path).await.expect(200);
        assert!(html::attributes(&page.text, "href").contains(&lift));
        assert_eq!(
            rows(&page, ACCOUNTS)[0][2],
            "Has to wait if they try again Lift the delay… of Ada Lovelace"
        );
        let page = auditor.get(path).await.expect(200);
        assert!(!page.text.contains("lift-delay"));
        assert_eq!(rows(&page, ACCOUNTS)[0][2], "Has to wait if they try again");
    }
    let fields = [("reason", "She called.")];
    admin.submit(&lift, &lift, &fields).await.expect(303);
    let page = admin.get("/admin").await.expect(200);
    assert_eq!(
        rows(&page, ACCOUNTS),
        [[
            "Ada Lovelace ada@example.org",
            "1 throttled attempt on Ada Lovelace",
            "No delay"
        ]]
    );
    let found = api(app, OVERVIEW).await;
    assert_eq!(found["throttled_accounts"][0]["may_have_to_wait"], false);
}

async fn a_deleted_person_is_words_in_the_overview(app: &TestApp) {
    let admin = watcher(app, "admin").await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    guess(app, &ada.email, 6).await;
    let id = id_of(app, &ada.email);
    admin.get("/admin").await.expect_words("Ada Lovelace");
    browser
        .submit(
            "/account/delete",
            "/account/delete",
            &[("typed", "ada@example.org")],
        )
        .await
        .expect(303);
    let page = admin.get("/admin").await.expect(200);
    assert!(!page.text.contains("ada@example.org"));
    assert!(!page.text.contains(&format!("/admin/users/{id}")));
    let [row] = &rows(&page, ACCOUNTS)[..] else {
        panic!("one account");
    };
    assert_eq!(row[0], "a deleted account");
    assert_eq!(row[2], "No delay");
    let found = api(app, OVERVIEW).await;
    assert_eq!(found["throttled_accounts"][0]["user_email"], Value::Null);
    let listed = admin
        .get(&format!("{EVENTS}?kind=throttled&user={id}"))
        .await
        .expect_words("a deleted account");
    assert!(!listed.text.contains("127.0.0.1"));
}

async fn far_more_failed_tries_than_usual_are_odd(app: &TestApp) {
    let admin = watcher(app, "auditor").await;
    guess(app, "nobody@example.org", 99).await;
    let page = admin.get("/admin").await.expect(200);
    assert!(!page.text.contains("band oddity"));
    guess(app, "nobody@example.org", 1).await;
    let page = admin.get("/admin").await.expect_words(
        "100 attempts failed or were throttled from 08:00 to 09:00 UTC; a usual hour has 0.",
    );
    let found = api(app, OVERVIEW).await;
    assert_eq!(
        found["oddities"],
        json!([{"kind": "failed_tries", "from": "2031-05-17T08:00:00.000000Z", "times": 100,
            "usual_times": 0}])
    );
    let link =
        "/admin/events?kind=failed_tries&from=2031-05-17T08%3A00%3A00Z&to=2031-05-17T09%3A00%3A00Z";
    assert!(
        html::attributes(&page.text, "href")
            .iter()
            .any(|href| href == link)
    );
    assert_eq!(count_tries(&admin, link).await, 100);
    // It is said in the hour after as well, and then no more.
    app.advance(HOUR);
    admin
        .get("/admin")
        .await
        .expect_words("100 attempts failed");
    app.advance(HOUR);
    let page = admin.get("/admin").await.expect(200);
    assert!(!page.text.contains("band oddity"));
}

/// Returns how many tries the events of a list stand for.
async fn count_tries(browser: &Browser, link: &str) -> i64 {
    let page = browser.get(link).await.expect(200);
    let rows = page.text.split("<tr id=\"event-").skip(1);
    rows.map(|row| {
        let words = html::words(&format!(
            "<{}",
            row.split("</tr>").next().unwrap_or_default()
        ));
        let times = words
            .split('×')
            .nth(1)
            .and_then(|rest| rest.split(',').next());
        times.map_or(1, |times| times.parse().expect("a number"))
    })
    .sum()
}

async fn the_ten_most_throttled_lead_to_their_tries(database: Database) {
    let app = TestApp::start_with(database, behind_proxy).await;
    let auditor = app.register("auditor@example.org").await;
    app.set_role(&auditor, "auditor");
    let admin = app.browser_from(FIREFOX, "198.51.100.1");
    admin.sign_in(&auditor).await;
    for n in 1..=11 {
        let email = format!("person{n:02}@example.org");
        app.register(&email).await;
        for _ in 0..5 + n {
            guess_from(&app, &email, &format!("203.0.113.{n}")).await;
        }
    }
    for _ in 0..8 {
        guess_from(&app, "person11@example.org", "2001:db8:1:2::5").await;
    }
    let page = admin.get("/admin").await.expect(200);
    let accounts = rows(&page, ACCOUNTS);
    let networks = rows(&page, NETWORKS);
    assert_eq!((accounts.len(), networks.len()), (10, 10));
    assert!(
        accounts[0][0].contains("person11@example.org"),
        "{accounts:?}"
    );
    assert!(accounts[0][1].starts_with("19 "), "{accounts:?}");
    assert!(
        accounts[9][0].contains("person02@example.org"),
        "{accounts:?}"
    );
    assert_eq!(networks[0], ["203.0.113.11", "11"]);
    assert!(networks.contains(&vec!["2001:db8:1:2::/64".into(), "8".into()]));
    let links = html::attributes(&page.text, "href");
    let throttled = links.iter().filter(|link| {
        link.starts_with("/admin/events?kind=throttled&") && link.contains("&from=")
    });
    let numbers = |rows: &[Vec<String>]| -> Vec<i64> {
        let number = |row: &Vec<String>| row[1].split(' ').next()?.parse().ok();
        rows.iter().filter_map(number).collect()
    };
    let expected = [numbers(&accounts), numbers(&networks)].concat();
    let throttled: Vec<&String> = throttled
        .filter(|link| link.contains("user=") || link.contains("ip="))
        .collect();
    assert_eq!(throttled.len(), expected.len());
    for (link, expected) in throttled.into_iter().zip(expected) {
        assert_eq!(count_tries(&admin, link).await, expected, "{link}");
    }
    app.stop().await;
}

async fn ready_made_filters_find_their_kinds(database: Database) {
    let app = TestApp::start_with(database, behind_proxy).await;
    let auditor = app.register("auditor@example.org").await;
    app.set_role(&auditor, "auditor");
    let admin = app.browser_from(FIREFOX, "198.51.100.1");
    admin.sign_in(&auditor).await;
    let ada = app.register("ada@example.org").await;
    guess(&app, &ada.email, 6).await;
    be_refused(&app).await;
    app.advance(Duration::from_secs(2));
    app.login(&ada, FIREFOX)
        .await
        .get("/api/v1/admin/users")
        .await
        .expect(404);
    app.create_key("admin:read");
    let page = admin.get(EVENTS).await.expect(200);
    let links = html::attributes(&page.text, "href");
    for (kind, what) in [
        ("sign_in_failed", "Sign-in failed"),
        ("throttled", "Too many attempts"),
        ("token_refused", "Token or key refused"),
        ("form_refused", "Possibly forged form refused"),
        ("admin_refused", "Administration refused"),
        ("keys", "API key created"),
    ] {
        let link = format!("{EVENTS}?kind={kind}");
        assert!(links.contains(&link), "{link}: {links:?}");
        let page = admin.get(&link).await.expect(200);
        assert!(
            page.text
                .contains(&format!("href=\"{link}\" aria-current=\"true\"").replace('&', "&#38;"))
        );
        let rows: Vec<&str> = page.text.split("<tr id=\"event-").skip(1).collect();
        assert!(!rows.is_empty(), "{kind}");
        for row in rows {
            assert!(html::words(&format!("<{row}")).contains(what), "{row}");
        }
        // The charts are above the newest events alone.
        assert!(!page.text.contains("Refused in the last 24 hours"));
    }
    app.stop().await;
}

async fn events_show_what_was_counted_and_who_is_not_known(app: &TestApp) {
    let (admin, ada) = (
        watcher(app, "auditor").await,
        app.register("ada@example.org").await,
    );
    guess(app, "nobody@example.org", 3).await;
    app.advance(Duration::from_secs(25 * 60));
    guess(app, "nobody@example.org", 1).await;
    guess(app, &ada.email, 1).await;
    let page = admin
        .get("/admin/events?kind=sign_in_failed")
        .await
        .expect(200);
    let rows: Vec<String> = page
        .text
        .split("<tr id=\"event-")
        .skip(1)
        .map(|row| {
            html::words(&format!(
                "<{}",
                row.split("</tr>").next().unwrap_or_default()
            ))
        })
        .collect();
    let [known, unknown] = &rows[..] else {
        panic!("two rows: {rows:?}");
    };
    for words in [
        "Sign-in failed ×4, last 08:55 UTC",
        "no known account",
        "Safari on iPhone",
        "somebody unknown",
        "127.0.0.1",
    ] {
        assert!(unknown.contains(words), "{words}: {unknown}");
    }
    assert!(known.contains("Ada Lovelace"), "{known}");
    assert!(!known.contains('×'), "once is not counted: {known}");
    assert!(!page.text.contains("a deleted account"));

    let found = api(app, "/api/v1/admin/events?kind=failed_tries").await;
    let event = &found["events"][1];
    assert_eq!(event["times"], 4);
    assert_eq!(event["last_at"], "2031-05-17T08:55:00.000000Z");
    assert_eq!(event["user_id"], Value::Null);
    assert_eq!(event["actor"], "unknown");
    let id = event["id"].as_str().expect("an id");
    admin
        .get(&format!("{EVENTS}/{id}"))
        .await
        .expect_words("How often ×4, last 08:55 UTC")
        .expect_words("Person affected no known account")
        .expect_words("Device Safari on iPhone")
        .expect_words("Done by somebody unknown");
    guess(app, &ada.email, 5).await;
    admin
        .get(&format!("/admin/users/{}", id_of(app, &ada.email)))
        .await
        .expect_words("Sign-in failed, ×5 · Safari on iPhone")
        .expect_words("Too many attempts: to sign in on this account or address · Safari on iPhone")
        .expect_words("by somebody unknown");
    let csv = admin
        .get("/admin/events/export?kind=sign_in_failed&format=csv")
        .await
        .expect(200);
    let line = csv
        .text
        .lines()
        .find(|line| line.contains(id))
        .expect("a line");
    assert!(line.contains(",Safari on iPhone,"), "{line}");
    assert!(line.contains(",4,2031-05-17T08:55:00"), "{line}");
}

async fn groups_of_kinds_are_listed_page_by_page(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    // Two kinds in turn, in several hours, and others between them.
    for _ in 0..4 {
        guess(app, &ada.email, 1).await;
        be_refused(app).await;
        app.login(&ada, FIREFOX).await;
        app.advance(HOUR);
    }
    let all = api(app, "/api/v1/admin/events?limit=100").await;
    let refused: Vec<&Value> = all["events"]
        .as_array()
        .expect("events")
        .iter()
        .filter(|event| event["kind"] != "signed_in" && event["kind"] != "signed_up")
        .filter(|event| {
            !event["kind"]
                .as_str()
                .unwrap_or_default()
                .starts_with("key_")
        })
        .map(|event| &event["id"])
        .collect();
    assert_eq!(refused.len(), 12);
    for filter in ["kind=refusals", "kind=refusals&from=30d&ip=127.0.0.1"] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = api(
                app,
                &format!("/api/v1/admin/events?{filter}&limit=5{cursor}"),
            )
            .await;
            found.extend(page["events"].as_array().expect("events").clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let found: Vec<&Value> = found.iter().map(|event| &event["id"]).collect();
        assert_eq!(found, refused, "{filter}");
    }
}

async fn a_person_sees_that_somebody_did_not_get_in(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    guess(app, &ada.email, 2).await;
    app.advance(Duration::from_secs(60));
    guess(app, &ada.email, 6).await;
    app.advance(Duration::from_secs(25 * 60));
    // What is refused for technical reasons is not for them.
    browser.get("/admin").await.expect(404);
    browser
        .post("/account/name", &[("full_name", "x")])
        .await
        .expect(403);
    // What was refused is recorded within a second, or before somebody who watches reads.
    api(app, OVERVIEW).await;
    let account = browser.get("/account").await.expect(200);
    let words = account.words();
    for expected in [
        "Sign-in failed 5 times: nobody got in Safari on iPhone · Local network · most recently",
        "most recently 25 minutes ago",
        "Sign-in refused 3 times, after too many attempts: nobody got in",
    ] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    assert!(!words.contains("Form refused") && !words.contains("administrators refused"));

    let id = html::attributes(&browser.get("/devices").await.text, "href")
        .into_iter()
        .find(|href| href.starts_with("/devices/"))
        .expect("a device");
    for _ in 0..2 {
        let fields = [("password", "a wrong guess")];
        browser.submit("/confirm", "/confirm", &fields).await;
    }
    browser.get("/admin").await.expect(404);
    api(app, OVERVIEW).await;
    let device = browser.get(&id).await.expect(200).words();
    assert!(
        device.contains("Wrong password entered twice, when confirming something"),
        "{device}"
    );
    assert!(
        !device.contains("administrators refused") && !device.contains("Form refused"),
        "{device}"
    );

    let fields = [("password", PASSWORD)];
    browser
        .submit("/confirm", "/confirm", &fields)
        .await
        .expect(303);
    let export = browser.get("/account/export").await.expect(200).json();
    let events = export["events"].as_array().expect("events");
    let failed = events
        .iter()
        .find(|event| event["kind"] == "sign_in_failed");
    let failed = failed.expect("what failed");
    assert_eq!(
        (&failed["times"], &failed["by"]),
        (&json!(5), &json!("unknown"))
    );
    assert_eq!(failed["device"], "Safari on iPhone");
}

async fn guesses_hide_nothing_that_happened(app: &TestApp) {
    let ada = app.register_unverified("ada@example.org").await;
    for _ in 0..25 {
        guess(app, &ada.email, 1).await;
        app.advance(HOUR * 2);
    }
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    api(app, OVERVIEW).await;
    let words = browser.get("/account").await.expect(200).words();
    assert!(words.contains("You created the account"), "{words}");
    assert_eq!(words.matches("Sign-in failed").count(), 5, "{words}");
    let admin = Admin::start(app, "root@example.org").await;
    let browser = app.signed_in_browser(&admin.person, FIREFOX).await;
    let page = format!("/admin/users/{}", id_of(app, &ada.email));
    let words = browser.get(&page).await.expect(200).words();
    assert!(words.contains("Account created"), "{words}");
    assert_eq!(words.matches("Sign-in failed").count(), 5, "{words}");
}
