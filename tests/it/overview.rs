//! The overview of administrators and auditors: what it shows is so, a banner stands there only while
//! something is odd, and its charts have their values as tables.

use serde_json::Value;

use crate::support::app::behind_proxy;
use crate::support::html;
use crate::support::prelude::*;

on_both!(
    app: only_administrators_and_auditors_have_it,
    the_figures_are_what_happened,
    charts_have_titles_and_the_same_values_as_their_tables,
    every_figure_leads_to_as_many,
    many_people_are_counted_in_the_background,
    a_banner_tells_of_clocks_versions_and_mail,
    charts_are_in_the_zone_of_their_reader,
    charts_of_days_say_where_they_begin_in_zones_of_half_hours,
    the_hours_of_a_day_with_a_change_of_clocks_are_told_apart,
);
on_both!(
    database: a_shared_address_is_odd_until_it_is_not,
    addresses_that_their_owners_do_not_store_are_not_there,
);

/// Returns a browser of a person with that role.
async fn browser_of(app: &TestApp, role: &str) -> Browser {
    let person = app.register(&format!("{role}@example.org")).await;
    app.set_role(&person, role);
    app.signed_in_browser(&person, FIREFOX).await
}

async fn overview(app: &TestApp) -> Value {
    let key = app.create_key("admin:read");
    let request = app.anyone().request("GET", "/api/v1/admin/overview");
    TestResponse::to(request.bearer_auth(key))
        .await
        .expect(200)
        .json()
}

async fn page(browser: &Browser) -> TestResponse {
    browser.get("/admin").await.expect(200)
}

/// Returns the words of each banner.
fn banners(page: &TestResponse) -> Vec<String> {
    page.text
        .split("<p class=\"band oddity\">")
        .skip(1)
        .map(|rest| html::words(rest.split("</p>").next().unwrap_or_default()))
        .collect()
}

async fn only_administrators_and_auditors_have_it(app: &TestApp) {
    for role in ["admin", "auditor"] {
        page(&browser_of(app, role).await)
            .await
            .expect_words("Overview");
    }
    let person = browser_of(app, "person").await;
    assert_eq!(person.get("/admin").await.status, 404);
    let stranger = app.browser(FIREFOX).get("/admin").await;
    assert!(stranger.is_to_sign_in());
    let key = app.create_key("sessions");
    let request = app.anyone().request("GET", "/api/v1/admin/overview");
    TestResponse::to(request.bearer_auth(key)).await.expect(404);
}

async fn the_figures_are_what_happened(app: &TestApp) {
    let (ada, ben) = (
        app.register("ada@example.org").await,
        app.register("ben@example.org").await,
    );
    for _ in 0..3 {
        app.login(&ada, FIREFOX).await;
    }
    app.advance(Duration::from_secs(25 * 60 * 60));
    let phone = app.login(&ben, IPHONE).await;
    app.login(&ben, "curl/8.5.0").await;
    phone.post("/api/v1/auth/logout").await.expect(204);

    for _ in 0..2 {
        let found = overview(app).await;
        assert_eq!(found["live_sessions"], 4);
        assert_eq!(found["live_people"], 2);
        assert_eq!(found["is_behind"], false);
        let hours = found["sign_ins_by_hour"].as_array().expect("hours");
        assert_eq!(hours.len(), 24);
        assert_eq!(
            hours[23],
            json!({"from": "2031-05-18T09:00:00.000000Z", "sign_ins": 2})
        );
        assert_eq!(
            hours
                .iter()
                .filter_map(|hour| hour["sign_ins"].as_i64())
                .sum::<i64>(),
            2
        );
        let days = found["sign_ins_by_day"].as_array().expect("days");
        assert_eq!(days.len(), 30);
        assert_eq!(
            days[28],
            json!({"from": "2031-05-17T00:00:00.000000Z", "sign_ins": 3})
        );
        assert_eq!(days[29]["sign_ins"], 2);
        assert_eq!(
            found["ended_by_reason"],
            json!([{"name": "signed_out", "total": 1}])
        );
        assert_eq!(found["token_reuses"], 0);
        assert_eq!(
            found["live_by_browser"]["top"][0],
            json!({"name": "Firefox", "total": 3})
        );
        assert_eq!(found["live_by_kind"]["others"], 0);
        assert_eq!(
            found["live_by_country"],
            json!({"top": [{"name": null, "total": 4}], "others": 0})
        );
        // The same whether it is added to the totals or not.
        app.add_up_counts().await;
    }
    // Of many browsers the first eight are named.
    let names: Vec<String> = (0..12).map(|n| format!("Browser {n:02}")).collect();
    for name in &names {
        app.login(&ben, FIREFOX).await;
        app.database.execute(&format!(
            "UPDATE user_sessions SET browser = '{name}' WHERE browser = 'Firefox' AND user_id = \
             (SELECT id FROM users WHERE email = 'ben@example.org')"
        ));
    }
    let found = overview(app).await;
    assert_eq!(
        found["live_by_browser"]["top"]
            .as_array()
            .expect("labels")
            .len(),
        8
    );
    assert_eq!(found["live_by_browser"]["top"][0]["total"], 3);
    assert_eq!(found["live_by_browser"]["others"], 16 - 3 - 7);
}

async fn charts_have_titles_and_the_same_values_as_their_tables(app: &TestApp) {
    let browser = browser_of(app, "auditor").await;
    let ada = app.register("ada@example.org").await;
    for _ in 0..5 {
        app.login(&ada, IPHONE).await;
    }
    let page = page(&browser).await;
    let svgs: Vec<&str> = page
        .text
        .split("<svg class=\"chart")
        .skip(1)
        .map(|rest| rest.split("</svg>").next().unwrap_or_default())
        .collect();
    assert!(svgs.len() >= 6, "{} charts", svgs.len());
    for svg in &svgs {
        assert!(
            svg.contains("role=\"img\"") && svg.contains("<title"),
            "{svg}"
        );
        assert!(!svg.contains("style="), "{svg}");
    }
    let charts: Vec<Vec<String>> = svgs
        .iter()
        .filter(|svg| svg.contains("<desc"))
        .map(|svg| {
            let bars = svg.split("<rect").skip(1);
            bars.map(|bar| {
                html::words(&format!(
                    "<{}",
                    bar.split("</rect>").next().unwrap_or_default()
                ))
            })
            .collect()
        })
        .collect();
    assert_eq!(charts.len(), 2);
    assert_eq!((charts[0].len(), charts[1].len()), (24, 30));
    let tables: Vec<Vec<String>> = page
        .text
        .split("<details class=\"values\">")
        .skip(1)
        .map(|rest| {
            let body = rest
                .split("<tbody>")
                .nth(1)
                .and_then(|body| body.split("</tbody>").next());
            let rows = body.expect("a table").split("<tr>").skip(1);
            rows.map(|row| {
                let cells: Vec<String> = row
                    .split("</td>")
                    .map(|cell| html::words(&format!("<{cell}")))
                    .filter(|cell| !cell.is_empty())
                    .collect();
                cells.join(": ")
            })
            .collect()
        })
        .collect();
    assert_eq!(charts, tables);
    assert_eq!(charts[0][23], "08:00: 6");
    assert_eq!(charts[1][29], "17 May: 6");
}

/// Returns what each link in the page's figures and tables leads to, and the number beside it.
fn linked_figures(page: &str) -> Vec<(String, String)> {
    let figures = page.split("<dd><a href=\"").skip(1).filter_map(|rest| {
        let (link, rest) = rest.split_once("\">")?;
        Some((link, rest.split_once('<')?.0))
    });
    let rows = page
        .split("<td><bdi><a href=\"")
        .skip(1)
        .filter_map(|rest| {
            let (link, rest) = rest.split_once("\">")?;
            let (_, value) = rest.split_once("<td class=\"number\">")?;
            Some((link, value.split_once('<')?.0))
        });
    let pair = |(link, value): (&str, &str)| (link.replace("&#38;", "&"), value.to_owned());
    figures.chain(rows).map(pair).collect()
}

/// Returns how many a list has.
async fn count_listed(browser: &Browser, link: &str) -> String {
    let page = browser.get(link).await.expect(200);
    if link.starts_with("/admin/events?") {
        return page.text.matches("<tr id=\"event-").count().to_string();
    }
    let words = page.words();
    let (before, _) = words.split_once(" match").expect("a number of sessions");
    let number = before.rsplit(' ').nth(1).expect("a number");
    number.to_owned()
}

async fn every_figure_leads_to_as_many(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let old = app.login(&ada, IPHONE).await;
    // Its end is too long ago to be counted.
    old.post("/api/v1/auth/logout").await.expect(204);
    app.advance(Duration::from_secs(31 * 24 * 60 * 60));
    let admin = browser_of(app, "auditor").await;
    for agent in [IPHONE, FIREFOX, FIREFOX, "curl/8.5.0"] {
        app.login(&ada, agent).await;
    }
    for agent in [IPHONE, IPHONE] {
        let device = app.login(&ada, agent).await;
        device.post("/api/v1/auth/logout").await.expect(204);
    }
    let other = app.login(&ada, FIREFOX).await;
    let path = format!("/api/v1/sessions/{}", other.id());
    app.login(&ada, FIREFOX)
        .await
        .delete(&path)
        .await
        .expect(204);
    app.sweep().await;

    let page = page(&admin).await;
    let figures = linked_figures(&page.text);
    for (link, value) in &figures {
        assert_eq!(count_listed(&admin, link).await, *value, "{link}");
    }
    let links: Vec<&str> = figures.iter().map(|(link, _)| link.as_str()).collect();
    for link in [
        "/admin/sessions?state=live",
        "/admin/sessions?browser=Firefox",
        "/admin/sessions?kind=desktop",
        "/admin/sessions?os=Windows",
        "/admin/events?kind=ended&reason=signed_out&from=2031-05-19",
        "/admin/events?kind=ended&reason=signed_out_remotely&from=2031-05-19",
        "/admin/events?kind=ended&reason=reuse_detected&from=2031-05-19",
    ] {
        assert!(links.contains(&link), "{link}: {links:?}");
    }
    let lists = html::attributes(&page.text, "href");
    for link in [
        "/admin/sessions?state=any&opened_from=2031-06-16T09%3A00%3A00Z",
        "/admin/sessions?state=any&opened_from=2031-05-19",
    ] {
        assert!(lists.iter().any(|found| found == link), "{link}: {lists:?}");
        assert_eq!(count_listed(&admin, link).await, "9", "{link}");
    }
    let words = page.words();
    assert_eq!(words.matches("9 in all").count(), 4, "{words}");
}

async fn many_people_are_counted_in_the_background(app: &TestApp) {
    let browser = browser_of(app, "admin").await;
    let (id, text) = app.database.random_id_and_text();
    let numbers =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10050)";
    let columns: Vec<String> = vec![
        "refresh_token_jti",
        "user_id",
        "last_used_at",
        "expires_at",
        "created_at",
        "updated_at",
        "absolute_expires_at",
        "idle_seconds",
        "confirmed_at",
    ]
    .into_iter()
    .map(String::from)
    .collect();
    app.database.execute(&format!(
        "INSERT INTO user_sessions (id, {}) {numbers} SELECT {id}, {text}, s.user_id, s.last_used_at, \
         s.expires_at, s.created_at, s.updated_at, s.absolute_expires_at, s.idle_seconds, s.confirmed_at \
         FROM user_sessions AS s, n",
        columns.join(", ")
    ));
    let found = overview(app).await;
    // One reading adds up 5,000 changes.
    assert_eq!(found["is_behind"], true);
    page(&browser)
        .await
        .expect_words("Some recent changes are not counted yet");
    app.add_up_counts().await;
    app.count_people().await;
    let found = overview(app).await;
    assert_eq!(found["is_behind"], false);
    assert_eq!(found["live_sessions"], 10_051);
    assert_eq!(found["live_people"], 1);
    assert_eq!(
        found["live_people_counted_at"],
        "2031-05-17T08:30:00.000000Z"
    );
    page(&browser)
        .await
        .expect_words("counted 17 May, 08:30 UTC");

    // Not again within ten minutes.
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await;
    app.advance(Duration::from_secs(9 * 60));
    app.add_up_counts().await;
    app.count_people().await;
    assert_eq!(overview(app).await["live_people"], 1);
    app.advance(Duration::from_secs(60));
    app.add_up_counts().await;
    app.count_people().await;
    assert_eq!(overview(app).await["live_people"], 2);
}

async fn a_shared_address_is_odd_until_it_is_not(database: Database) {
    let app = TestApp::start_with(database, behind_proxy).await;
    let mut people = Vec::new();
    for n in 0..5 {
        people.push(app.register(&format!("person{n}@example.org")).await);
    }
    app.set_role(&people[0], "auditor");
    let browser = app.browser_from(FIREFOX, "198.51.100.1");
    browser.sign_in(&people[0]).await;
    assert_eq!(banners(&page(&browser).await), Vec::<String>::new());
    for n in 0..19 {
        app.login_from(&people[n % 5], FIREFOX, "172.19.0.1", None)
            .await;
    }
    assert_eq!(
        banners(&page(&browser).await),
        Vec::<String>::new(),
        "19 sessions"
    );
    app.login_from(&people[4], FIREFOX, "172.19.0.1", None)
        .await;
    let found = page(&browser).await;
    let banner = banners(&found).join("\n");
    assert!(
        banner.contains("95 % of sessions share 172.19.0.1"),
        "{banner}"
    );
    assert!(banner.contains("Check the trusted proxies"), "{banner}");
    let links = html::attributes(&found.text, "href");
    assert!(
        links.contains(&"/admin/sessions?ip=172.19.0.1".to_owned()),
        "{links:?}"
    );
    assert_eq!(
        overview(&app).await["oddities"],
        json!([{"kind": "shared_address", "ip_address": "172.19.0.1", "percent": 95}])
    );
    for n in 0..6 {
        let ip = format!("203.0.113.{n}");
        app.login_from(&people[n % 5], FIREFOX, &ip, None).await;
    }
    assert_eq!(banners(&page(&browser).await), Vec::<String>::new());
    app.stop().await;
}

async fn addresses_that_their_owners_do_not_store_are_not_there(database: Database) {
    let app = TestApp::start_with(database, behind_proxy).await;
    let mut people = Vec::new();
    for n in 0..6 {
        let person = app.register(&format!("person{n}@example.org")).await;
        if n > 0 {
            app.database.execute(&format!(
                "UPDATE users SET address_keeping = 'none' WHERE email = '{}'",
                person.email
            ));
        }
        people.push(person);
    }
    app.set_role(&people[0], "auditor");
    let browser = app.browser_from(FIREFOX, "198.51.100.1");
    browser.sign_in(&people[0]).await;
    for n in 0..30 {
        app.login_from(&people[1 + n % 5], FIREFOX, "172.19.0.1", None)
            .await;
    }
    assert!(!page(&browser).await.text.contains("172.19.0.1"));
    assert!(!overview(&app).await.to_string().contains("172.19.0.1"));
    app.stop().await;
}

async fn a_banner_tells_of_clocks_versions_and_mail(app: &TestApp) {
    let admin = app.register("admin@example.org").await;
    app.set_role(&admin, "admin");
    let browser = app.signed_in_browser(&admin, FIREFOX).await;
    assert_eq!(banners(&page(&browser).await), Vec::<String>::new());
    app.database
        .execute("UPDATE nodes SET clock_offset_ms = -2500");
    let found = banners(&page(&browser).await).join("\n");
    assert!(
        found.contains("2.5 seconds later than the database’s"),
        "{found}"
    );
    app.database
        .execute("UPDATE nodes SET clock_offset_ms = 2000");
    assert_eq!(banners(&page(&browser).await), Vec::<String>::new());

    let other = app.another_node(|_| {}).await;
    let listen = other.base().replace("http://", "");
    app.database.execute(&format!(
        "UPDATE nodes SET version = '0.0.9' WHERE listen = '{listen}'"
    ));
    let found = banners(&page(&browser).await).join("\n");
    assert!(found.contains("different versions: 0.0.9, "), "{found}");
    other.stop().await;
    assert_eq!(banners(&page(&browser).await), Vec::<String>::new());

    app.database.execute(&format!(
        "INSERT INTO mail_queue (id, user_id, recipient, state, due_at, created_at, updated_at) \
         SELECT {}, id, 'ada@example.org', 'failed', updated_at, updated_at, updated_at FROM users",
        app.database.random_id_and_text().0
    ));
    let found = page(&browser)
        .await
        .expect_words("Mail failed 1 in 24 hours");
    let words = banners(&found).join("\n");
    assert!(words.contains("given up within a day: 1"), "{words}");
    app.database
        .execute("UPDATE mail_queue SET state = 'waiting', attempts = 3");
    let found = page(&browser).await.expect_words("Mail waiting 1");
    let words = banners(&found).join("\n");
    assert!(
        words.contains("tried three times or more and waiting: 1"),
        "{words}"
    );
    app.database.execute("UPDATE mail_queue SET attempts = 2");
    assert_eq!(banners(&page(&browser).await), Vec::<String>::new());
    app.database
        .execute("UPDATE mail_queue SET state = 'failed'");
    app.advance(Duration::from_secs(24 * 60 * 60 + 1));
    app.write_heartbeat().await;
    let browser = app.signed_in_browser(&admin, FIREFOX).await;
    assert_eq!(banners(&page(&browser).await), Vec::<String>::new());
}

/// Returns a browser of an administrator who reads times in a zone.
async fn admin_in(app: &TestApp, zone: &str) -> (Browser, Person) {
    let admin = app.register("ada@example.org").await;
    app.set_role(&admin, "admin");
    let browser = app.signed_in_browser(&admin, FIREFOX).await;
    let fields = [("time_zone", zone)];
    let page = "/account/time-zone";
    browser.submit("/account", page, &fields).await.expect(303);
    (browser, admin)
}

/// Returns what the bars of a chart say, by the id of its title.
fn bars(page: &TestResponse, id: &str) -> Vec<String> {
    let start = format!("<title id=\"{id}-title\">");
    let (_, chart) = page.text.split_once(&start).expect("the chart");
    let chart = chart.split("</svg>").next().unwrap_or_default();
    let titles = chart.split("<title>").skip(1);
    titles
        .map(|rest| rest.split("</title>").next().unwrap_or_default().to_owned())
        .collect()
}

async fn charts_are_in_the_zone_of_their_reader(app: &TestApp) {
    let (browser, admin) = admin_in(app, "America/Los_Angeles").await;
    app.advance(Duration::from_secs(22 * 60 * 60));
    browser.sign_in(&admin).await.expect(303);
    // 18 May in UTC, and 23:30 of 17 May in Los Angeles.
    let ben = app.register("ben@example.org").await;
    for _ in 0..2 {
        app.login(&ben, FIREFOX).await;
    }
    let wrong = [("email", "ben@example.org"), ("password", "not it at all")];
    app.browser(FIREFOX)
        .submit("/sign-in", "/sign-in", &wrong)
        .await;
    let page = page(&browser).await;
    let hours = bars(&page, "sign-ins-by-hour");
    assert_eq!(hours[23], "23:00: 3");
    assert_eq!(hours[0], "00:00: 0");
    let days = bars(&page, "sign-ins-by-day");
    assert_eq!(days[29], "17 May: 4", "{days:?}");
    assert!(bars(&page, "refusals-by-hour")[23].starts_with("23:00: 1 failed password,"));
    assert!(bars(&page, "refusals-by-day")[29].starts_with("17 May: 1 failed password,"));
    let shown = page
        .expect_words("4 in all, until 23:30 PDT; the day with the most is 17 May, with 4.")
        .expect_words("Times are in Los Angeles time (UTC−7).");
    assert_eq!(shown.words().matches("UTC").count(), 1, "{}", shown.words());
    // The list of a chart has what the chart has.
    let links = html::attributes(&shown.text, "href");
    let first_day = "/admin/sessions?state=any&opened_from=2031-04-18T07%3A00%3A00Z";
    assert!(links.iter().any(|href| href == first_day), "{links:?}");
    assert_eq!(count_listed(&browser, first_day).await, "4");
    let events = browser.get("/admin/events").await.expect(200);
    assert!(bars(&events, "refusals-by-hour")[23].starts_with("23:00: 1 failed password,"));
    events.expect_words("1 in all, until 23:30 PDT; the hour with the most is 23:00, with 1.");
}

async fn charts_of_days_say_where_they_begin_in_zones_of_half_hours(app: &TestApp) {
    let (browser, _) = admin_in(app, "Asia/Kolkata").await;
    let page = page(&browser).await;
    assert_eq!(bars(&page, "sign-ins-by-hour")[23], "13:30: 1");
    assert_eq!(bars(&page, "sign-ins-by-day")[29], "17 May: 1");
    page.expect_words(
        "1 in all, until 14:00 IST; the day with the most is 17 May, with 1. Days are counted from \
         00:30, in whole hours of UTC.",
    );
}

async fn the_hours_of_a_day_with_a_change_of_clocks_are_told_apart(app: &TestApp) {
    let day = 24 * 60 * 60;
    // From 17 May to 26 October 2031, 08:30 UTC: the clocks of Lisbon went back at 01:00 UTC.
    app.advance(Duration::from_secs(162 * day));
    let (browser, _) = admin_in(app, "Europe/Lisbon").await;
    let page = page(&browser).await;
    let hours = bars(&page, "sign-ins-by-hour");
    assert!(hours.contains(&"01:00 WEST: 0".to_owned()), "{hours:?}");
    assert!(hours.contains(&"01:00 WET: 0".to_owned()), "{hours:?}");
    assert_eq!(hours[23], "08:00 WET: 1");
    let days = bars(&page, "sign-ins-by-day");
    assert_eq!(days[29], "26 Oct: 1");
    assert_eq!(days[0], "27 Sep: 0");
}
