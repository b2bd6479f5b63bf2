//! The list on *Your devices*: up to twelve others whole, more of them folded and searched, and what
//! ended together.

use crate::support::html;
use crate::support::prelude::*;

on_both!(
    app: up_to_twelve_devices_are_shown_whole,
    many_devices_are_folded_into_a_small_page,
    one_of_many_devices_has_what_one_of_few_has,
    a_search_finds_what_was_written_otherwise,
    all_devices_are_selected_by_a_link,
    a_selection_in_the_address_is_ticked,
    what_is_selected_goes_along_to_another_list,
    a_search_finds_names_kinds_browsers_and_places,
    a_search_is_bounded_and_escaped,
    a_review_selects_exactly_the_unused_ones,
    a_device_that_stays_signed_in_is_not_reviewed,
    a_group_is_shown_alone,
    a_single_other_device_has_nothing_to_select,
    what_ended_together_is_one_item,
    ends_of_different_causes_are_apart,
    earlier_ends_continue_after_whole_items,
);

on_both!(database: those_beyond_the_page_are_on_that_of_their_group);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MACBOOK: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like \
                       Gecko) Chrome/142.0.0.0 Safari/537.36";

async fn ada(app: &TestApp) -> (Browser, Person) {
    let ada = app.register("ada@example.org").await;
    (app.signed_in_browser(&ada, FIREFOX).await, ada)
}

/// Signs in so many devices.
async fn fill(app: &TestApp, ada: &Person, count: usize) {
    for n in 0..count {
        app.login_named(ada, IPHONE, &format!("Phone {n}")).await;
    }
}

fn rows(page: &TestResponse) -> usize {
    page.text
        .matches("<li class=\"device\" id=\"device-")
        .count()
        - 1
}

/// Returns the ids of the other devices on a page.
fn ids(page: &TestResponse) -> Vec<&str> {
    let rows = page.text.split("<li class=\"device\" id=\"device-").skip(2);
    rows.filter_map(|row| row.split('"').next()).collect()
}

async fn up_to_twelve_devices_are_shown_whole(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    fill(app, &ada, 12).await;
    let page = laptop.get("/devices").await.expect(200);
    assert_eq!(rows(&page), 12);
    assert_eq!(page.text.matches("<dt>User agent</dt>").count(), 13);
    assert!(!page.text.contains("name=\"q\""), "no search");
    assert!(!page.text.contains("device-group"), "nothing folded");
}

async fn many_devices_are_folded_into_a_small_page(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    fill(app, &ada, 72).await;
    let page = laptop.get("/devices").await.expect(200);
    assert!(page.text.len() < 120_000, "{} bytes", page.text.len());
    assert_eq!(rows(&page), 72);
    assert_eq!(page.text.matches("<dt>User agent").count(), 73);
    let page = page
        .expect_words("You are signed in on 73 devices.")
        .expect_words("Used today 72 devices")
        .expect_words("60 more : Used today");
    let (_, folded) = page
        .text
        .split_once("<details class=\"more-devices\">")
        .expect("a fold");
    assert_eq!(folded.matches("<li class=\"device\"").count(), 60);
    let whole = laptop.get("/devices?used=used-today").await.expect(200);
    assert_eq!(rows(&whole), 72);
    assert!(!whole.text.contains("more-devices"));
}

async fn one_of_many_devices_has_what_one_of_few_has(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    fill(app, &ada, 13).await;
    let mac = app.login_named(&ada, MACBOOK, "Work").await;
    app.login_named(&ada, IPHONE, "Phone 1").await;
    let page = laptop.get("/devices").await.expect(200);
    let start = format!("<li class=\"device\" id=\"device-{}\">", mac.id());
    let (_, row) = page.text.split_once(&start).expect("the row");
    let row = row.split("</li><li").next().expect("a row");
    assert!(row.contains("#browser-chrome"), "{row}");
    let words = html::words(row);
    for fact in [
        "Signed in ",
        "Last active",
        "How With a password, through the API",
        "Browser Chrome 142",
        "System macOS",
        "Address 127.0.0.1 (Local network)",
        "Signs out automatically",
        "User agent Mozilla/5.0 (Macintosh",
    ] {
        assert!(words.contains(fact), "{fact}: {words}");
    }
    // The sessions of a device can be ended one by one here, too.
    let words = page.words();
    let (_, sessions) = words.split_once("Sessions ").expect("sessions");
    assert!(sessions.contains("End session 1 of 2, of"), "{sessions}");
}

async fn those_beyond_the_page_are_on_that_of_their_group(database: Database) {
    let app = TestApp::start_with(database, |settings| settings.sessions.most_per_person = 0).await;
    let (laptop, ada) = ada(&app).await;
    fill(&app, &ada, 103).await;
    let page = laptop.get("/devices").await.expect(200);
    assert_eq!(rows(&page), 100);
    let page = page
        .expect_words("Used today 103 devices")
        .expect_words("Show 3 more : Used today")
        .expect_words("Select the 100 shown");
    let shown = ids(&page);
    let rest = laptop.get("/devices?used=used-today&after=100").await;
    let rest = rest.expect(200);
    assert!(page.text.contains("\"used=used-today&#38;after=100\""));
    assert_eq!(rows(&rest), 3);
    assert!(ids(&rest).iter().all(|id| !shown.contains(id)));
    rest.expect_words("Used today: 103 devices. Shown: 101 to 103, by their last use.")
        .expect_words("Select all 3");
    let found = laptop.get("/devices?q=phone").await.expect(200);
    assert!(
        found.text.contains("\"q=phone&#38;after=100\""),
        "{}",
        found.text
    );
    found
        .expect_words("103 of 103 match “phone”. Shown: 1 to 100, by their last use.")
        .expect_words("Show the next 3");
    let beyond = laptop.get("/devices?q=phone&after=999").await.expect(200);
    assert_eq!(rows(&beyond), 100);
    app.stop().await;
}

async fn a_search_finds_what_was_written_otherwise(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    fill(app, &ada, 12).await;
    app.login_named(&ada, MACBOOK, "Ana’s ｉＰａｄ – Sitting‑Room")
        .await;
    for search in [
        "Ana's",
        "Anaʼs",
        "ana‘s",
        "IPAD",
        "sitting-room",
        "SITTING–ROOM",
        "ｍａｃｏｓ",
        "chrome 142",
    ] {
        let address = html::address("/devices", &[("q", search)]);
        let page = laptop.get(&address).await.expect(200);
        page.expect_words(&format!("1 of 13 matches “{search}”."));
    }
}

/// Returns the devices that are selected on a page.
fn ticked(page: &TestResponse) -> usize {
    page.text.matches(" checked>").count()
}

async fn all_devices_are_selected_by_a_link(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    fill(app, &ada, 20).await;
    app.login_named(&ada, MACBOOK, "MacBook").await;
    let page = laptop.get("/devices").await.expect(200);
    let page = page.expect_words("Select all 21");
    assert_eq!(ticked(&page), 0);
    assert!(html::attributes(&page.text, "value").contains(&"select=all".into()));
    let all = laptop.get("/devices?select=all").await.expect(200);
    assert_eq!(ticked(&all), 21, "those of a fold as well");
    let all = all.expect_words("Select none");
    assert!(html::attributes(&all.text, "value").contains(&"select=none".into()));
    // Of a search, those that were found.
    let found = laptop.get("/devices?q=phone&select=all").await.expect(200);
    assert_eq!(ticked(&found), 20);
    laptop
        .get("/devices?q=phone")
        .await
        .expect_words("Select all 20");
    let none = laptop.get("/devices?select=none").await.expect(200);
    assert_eq!(ticked(&none), 0);
}

async fn a_selection_in_the_address_is_ticked(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    fill(app, &ada, 13).await;
    let eve = app.register("eve@example.org").await;
    let theirs = app.login(&eve, IPHONE).await;
    let mac = app.login_named(&ada, MACBOOK, "MacBook").await;
    let (mac, theirs) = (mac.id(), theirs.id());
    let fields = [
        ("q", "macbook"),
        ("device", &mac),
        ("device", &theirs),
        ("device", "x"),
    ];
    let page = laptop.get(&html::address("/devices", &fields)).await;
    let page = page.expect(200);
    assert_eq!((rows(&page), ticked(&page)), (1, 1));
    assert!(!page.text.contains(&theirs));
    let page = laptop.get(&html::address("/devices", &fields[1..])).await;
    assert_eq!((rows(&page), ticked(&page)), (14, 1));
}

async fn what_is_selected_goes_along_to_another_list(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    fill(app, &ada, 13).await;
    let mac = app.login_named(&ada, MACBOOK, "MacBook").await.id();
    let eve = app.register("eve@example.org").await;
    let theirs = app.login(&eve, IPHONE).await.id();
    let fields = [
        ("q", "phone 1"),
        ("find", "on"),
        ("device", &mac),
        ("device", &theirs),
    ];
    let led = laptop
        .get(&html::address("/devices", &fields))
        .await
        .expect(303);
    let page = laptop.follow(&led).await.expect(200);
    let page = page.expect_words("1 selected, 1 not shown here.");
    assert_eq!(ticked(&page), 0);
    let hidden = format!("<input type=\"hidden\" name=\"device\" value=\"{mac}\">");
    assert_eq!(page.text.matches(&hidden).count(), 1);
    assert!(!page.text.contains(&theirs));
    // So it does where nothing is found.
    let fields = [("q", "toaster"), ("device", &mac)];
    let page = laptop
        .get(&html::address("/devices", &fields))
        .await
        .expect(200);
    page.expect_words("1 selected, 1 not shown here.")
        .expect_words("Sign out selected");
    for (list, count, address) in [
        ("", 1, format!("/devices?device={mac}#other-devices")),
        (
            "q=phone&select=all",
            13,
            format!("/devices?q=phone&select=all&device={mac}#other-devices"),
        ),
        (
            "select=none&evil=1",
            0,
            "/devices?select=none#other-devices".to_owned(),
        ),
    ] {
        let fields = [("q", "phone 1"), ("list", list), ("device", &mac)];
        let led = laptop
            .get(&html::address("/devices", &fields))
            .await
            .expect(303);
        assert_eq!(led.location(), address);
        let page = laptop.follow(&led).await.expect(200);
        assert_eq!(ticked(&page), count, "{list}");
    }
}

async fn a_search_finds_names_kinds_browsers_and_places(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    fill(app, &ada, 12).await;
    app.login_named(&ada, MACBOOK, "Élodie’s MacBook").await;
    for search in [
        "elodie",
        "MACBOOK",
        "computer",
        "chrome macos",
        " elodie  chrome ",
    ] {
        let page = laptop
            .get(&html::address("/devices", &[("q", search)]))
            .await;
        let words = page.expect(200).words();
        assert!(words.contains("1 of 13 matches"), "{search}: {words}");
        assert!(
            words.contains("Show all 13 other devices"),
            "{search}: {words}"
        );
    }
    let phones = laptop.get("/devices?q=iphone").await.expect(200);
    let phones = phones.expect_words("12 of 13 match “iphone”.");
    assert_eq!(rows(&phones), 12);
    let none = laptop.get("/devices?q=toaster").await.expect(200);
    none.expect_words("None of your other devices matches “toaster”.");
}

async fn a_search_is_bounded_and_escaped(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    fill(app, &ada, 2).await;
    let long = "x".repeat(5_000);
    for search in ["<script>alert(1)</script>", "\u{0}\u{202e}%", "\"'&", &long] {
        let page = laptop
            .get(&html::address("/devices", &[("q", search)]))
            .await;
        let page = page.expect(200).expect_words("None of your other devices");
        assert!(!page.text.contains("<script>alert"), "{}", page.text);
        assert!(!page.text.contains(&"x".repeat(101)), "{search}");
    }
    for query in [
        "unused=",
        "unused=-1",
        "unused=99999999999999999999",
        "used=x",
        "q=",
    ] {
        let page = laptop.get(&format!("/devices?{query}")).await.expect(200);
        assert_eq!(rows(&page), 2, "{query}");
    }
    let page = laptop
        .get("/devices?unused=18446744073709551615")
        .await
        .expect(200);
    page.expect_words("No device has been unused for 36500 days.");
}

async fn a_device_that_stays_signed_in_is_not_reviewed(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    let tablet = app.login_named(&ada, IPHONE, "Kitchen tablet").await;
    app.login_named(&ada, IPHONE, "Old one").await;
    app.confirm_sign_ins();
    let device = format!("/devices/{}", tablet.id());
    let exempt = [("when_unused", "stays-signed-in")];
    let path = format!("{device}/when-unused");
    laptop.submit(&device, &path, &exempt).await.expect(303);
    app.database.execute(
        "UPDATE user_sessions SET last_used_at = '2031-01-01 00:00:00+00:00'
         WHERE device_name IN ('Kitchen tablet', 'Old one')",
    );
    let page = laptop.get("/devices").await.expect(200);
    page.expect_words("1 device has not been used for 90 days. Review it");
    let review = laptop.get("/devices?unused=90").await.expect(200);
    assert_eq!(rows(&review), 1);
    review.expect_words("Old one");
}

async fn a_review_selects_exactly_the_unused_ones(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    let old = [
        app.login_named(&ada, IPHONE, "Old one").await,
        app.login_named(&ada, IPHONE, "Old two").await,
    ];
    let fresh = app.login_named(&ada, IPHONE, "Fresh").await;
    let ids: Vec<String> = old.iter().map(|old| app.database.id(&old.id())).collect();
    // Long before the time of the test, which is in 2031.
    app.database.execute(&format!(
        "UPDATE user_sessions SET last_used_at = '2031-01-01 00:00:00+00:00' WHERE id IN ({})",
        ids.join(", ")
    ));
    let page = laptop.get("/devices").await.expect(200);
    let page = page.expect_words("2 devices have not been used for 90 days. Review them");
    let links = html::attributes(&page.text, "href");
    let link = links
        .iter()
        .find(|link| link.starts_with("/devices?unused="));
    let link = link.expect("the link").split('#').next().expect("a path");
    let review = laptop.get(link).await.expect(200);
    assert_eq!(rows(&review), 2);
    assert_eq!(review.text.matches(" checked").count(), 2);
    for device in &old {
        assert!(
            review
                .text
                .contains(&format!("id=\"device-{}\"", device.id()))
        );
    }
    assert!(
        !review
            .text
            .contains(&format!("id=\"device-{}\"", fresh.id()))
    );
    review.expect_words("2 devices have not been used for 90 days. Show all 3 other devices");
    let none = laptop.get("/devices?unused=90&q=fresh").await.expect(200);
    none.expect_words("matches “fresh” and has not been used for 90 days");
    assert_eq!(
        app.database.sessions_where("is_active"),
        4,
        "nothing is done"
    );
}

async fn a_group_is_shown_alone(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    fill(app, &ada, 13).await;
    laptop
        .get("/devices")
        .await
        .expect_words("Used today 13 devices");
    app.advance(3 * DAY);
    let laptop = match laptop.get("/devices").await.status {
        200 => laptop,
        _ => app.signed_in_browser(&ada, FIREFOX).await,
    };
    app.login_named(&ada, IPHONE, "New").await;
    let page = laptop.get("/devices").await.expect(200);
    let words = page.words();
    let (today, earlier) = (
        words.find("Used today"),
        words.find("Used in the last 7 days"),
    );
    assert!(today < earlier && today.is_some(), "{words}");
    let alone = laptop.get("/devices?used=used-today").await.expect(200);
    alone.expect_words("Used today:");
}

async fn a_single_other_device_has_nothing_to_select(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    fill(app, &ada, 1).await;
    let page = laptop.get("/devices").await.expect(200);
    assert!(!page.text.contains("name=\"device\""));
    assert!(!page.text.contains("Sign out selected"));
}

fn recently_ended(page: &TestResponse) -> String {
    let words = page.words();
    let (_, ended) = words.split_once("Recently ended").expect("the section");
    ended.to_owned()
}

async fn what_ended_together_is_one_item(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    fill(app, &ada, 5).await;
    app.login_named(&ada, IPHONE, "Phone 0").await;
    laptop
        .submit("/devices/sign-out-others", "/devices/sign-out-others", &[])
        .await
        .expect(303);
    let page = laptop.get("/devices").await.expect(200);
    let ended = recently_ended(&page);
    assert!(ended.contains("5 devices"), "{ended}");
    assert_eq!(
        ended
            .matches("Signed out by you, from Firefox on Windows")
            .count(),
        1,
        "{ended}"
    );
    for n in 0..5 {
        assert!(ended.contains(&format!("Phone {n}")), "{ended}");
    }
    let (_, list) = page.text.split_once("id=\"ended\"").expect("the section");
    assert!(list.contains("<details>"), "five names are folded");
    let (_, names) = list
        .split_once("<summary>5 devices</summary><ul>")
        .expect("a list");
    let names = names.split("</ul>").next().unwrap_or_default();
    assert_eq!(names.matches("<li>").count(), 5, "a line each: {names}");
}

async fn ends_of_different_causes_are_apart(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    let phone = app.login_named(&ada, IPHONE, "Phone").await;
    let tablet = app.login_named(&ada, IPHONE, "Tablet").await;
    app.confirm_sign_ins();
    phone.post("/api/v1/auth/logout").await.expect(204);
    let form = laptop.form("/devices", "/sign-out").await;
    let path = format!("/devices/{}/sign-out", tablet.id());
    laptop.send(&form.aimed_at(&path), &[]).await.expect(303);
    laptop.get("/devices").await.expect(200);
    let ended = recently_ended(&laptop.get("/devices").await);
    assert!(ended.contains("Phone Signed out on the device"), "{ended}");
    assert!(
        ended.contains("Tablet Signed out by you, from Firefox on Windows"),
        "{ended}"
    );
    assert!(!ended.contains("2 devices"), "{ended}");
}

async fn earlier_ends_continue_after_whole_items(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    for n in 0..12 {
        let phone = app.login_named(&ada, IPHONE, &format!("Phone {n}.")).await;
        phone.post("/api/v1/auth/logout").await.expect(204);
        app.advance(Duration::from_secs(90));
    }
    let page = laptop.get("/devices").await.expect(200);
    let ended = recently_ended(&page);
    assert!(
        ended.contains("Phone 2.") && !ended.contains("Phone 1."),
        "{ended}"
    );
    let links = html::attributes(&page.text, "href");
    let older = links
        .iter()
        .find(|link| link.starts_with("/devices?ended="));
    let older = older
        .expect("a link to older ones")
        .split('#')
        .next()
        .expect("a path");
    let ended = recently_ended(&laptop.get(older).await.expect(200));
    assert!(
        ended.contains("Phone 1.") && ended.contains("Phone 0."),
        "{ended}"
    );
    assert!(!ended.contains("Phone 2."), "{ended}");
}
