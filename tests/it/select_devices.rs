//! Several devices are selected, named, and signed out in one step.

use futures_util::future::join;

use crate::support::bulk::add_sessions;
use crate::support::html;
use crate::support::prelude::*;

on_both!(
    app: selected_devices_are_named_and_signed_out_in_one_step,
    the_address_of_the_selection_changes_nothing,
    one_that_was_signed_out_meanwhile_is_named,
    pressed_twice_they_are_signed_out,
    one_that_signs_in_meanwhile_is_named,
    they_are_signed_out_after_a_step_up,
    the_step_up_names_what_is_signed_out,
    cancelling_leads_back_to_the_search_and_the_selection,
    the_pages_that_ask_tell_identical_devices_apart,
    without_any_the_page_asks_for_one,
    this_device_and_what_is_not_theirs_are_left_out,
    ended_devices_are_no_longer_signed_out,
    there_is_a_limit_to_the_selection,
    a_page_names_no_more_devices_than_an_address_takes,
    a_session_that_ended_signs_nobody_out,
    a_selection_of_a_session_that_ended_is_there_again,
);

const PATH: &str = "/devices/sign-out-selected";
const NONE: &str = "Choose at least one device.";

/// Signs Ada in on her laptop and on devices of these names.
async fn devices<const N: usize>(
    app: &TestApp,
    names: [&str; N],
) -> (Browser, Person, [Device; N]) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let mut devices = Vec::new();
    for name in names {
        devices.push(sign_in(app, &ada, name).await);
    }
    let devices = devices.try_into().unwrap_or_else(|_| panic!("{N} devices"));
    (laptop, ada, devices)
}

async fn sign_in(app: &TestApp, ada: &Person, name: &str) -> Device {
    app.advance(Duration::from_secs(1));
    app.login_named(ada, IPHONE, name).await
}

fn selection<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let ids: Vec<(&str, &str)> = ids.into_iter().map(|id| ("device", id)).collect();
    html::address(PATH, &ids)
}

/// Opens the page of a selection, and sends its form.
async fn sign_out(laptop: &Browser, devices: &[&Device]) -> TestResponse {
    let ids: Vec<String> = devices.iter().map(|device| device.id()).collect();
    let page = selection(ids.iter().map(String::as_str));
    laptop.submit(&page, PATH, &[]).await.expect(303)
}

async fn selected_devices_are_named_and_signed_out_in_one_step(app: &TestApp) {
    let (laptop, ada, [phone, tablet, watch]) = devices(app, ["Phone", "Tablet", "Watch"]).await;
    sign_in(app, &ada, "Tablet").await;
    let list = laptop.get("/devices").await.expect(200);
    assert_eq!(list.text.matches("name=\"device\"").count(), 3);
    let page = selection([phone.id().as_str(), tablet.id().as_str()]);
    let named = laptop.get(&page).await.expect(200);
    let words = named.expect_words("Sign out 2 devices?").words();
    assert!(
        words.contains("Tablet Phone · Safari on iPhone · 2 sessions Last active just now"),
        "{words}"
    );
    assert!(words.contains("2 sessions"), "{words}");
    assert!(
        words.contains("This device, Firefox on Windows, stays signed in."),
        "{words}"
    );
    assert!(!words.contains("Watch"), "{words}");

    let response = laptop.submit(&page, PATH, &[]).await.expect(303);
    let done = laptop.follow(&response).await;
    done.expect_words("2 devices are signed out.")
        .expect_words("You are signed in on 2 devices.");
    watch.current().await.expect(200);
    phone.current().await.problem(401, "unauthenticated");
    let ended = "ended_reason = 'signed_out_remotely'";
    assert_eq!(app.database.sessions_where(ended), 3);
    let moments =
        format!("SELECT count(DISTINCT ended_at) AS value FROM user_sessions WHERE {ended}");
    assert_eq!(app.database.number(&moments), 1, "in one transaction");
}

async fn the_address_of_the_selection_changes_nothing(app: &TestApp) {
    let (laptop, _, [phone, tablet]) = devices(app, ["Phone", "Tablet"]).await;
    let page = selection([phone.id().as_str(), tablet.id().as_str()]);
    for _ in 0..2 {
        laptop
            .get(&page)
            .await
            .expect(200)
            .expect_words("Sign out 2 devices?");
    }
    assert_eq!(app.database.sessions_where("is_active"), 3);
}

async fn one_that_was_signed_out_meanwhile_is_named(app: &TestApp) {
    let (laptop, ada, [phone, living_room]) = devices(app, ["Phone", "Living room"]).await;
    let page = selection([phone.id().as_str(), living_room.id().as_str()]);
    let form = laptop.form(&page, PATH).await;
    living_room.post("/api/v1/auth/logout").await.expect(204);
    let response = laptop.send(&form, &[]).await;
    laptop
        .follow(&response)
        .await
        .expect_words("Phone is signed out; Living room had been signed out already.");

    let both = [
        sign_in(app, &ada, "Phone").await,
        sign_in(app, &ada, "Watch").await,
    ];
    let page = selection(
        both.iter()
            .map(Device::id)
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str),
    );
    let form = laptop.form(&page, PATH).await;
    for device in both {
        device.post("/api/v1/auth/logout").await.expect(204);
    }
    let response = laptop.send(&form, &[]).await;
    laptop
        .follow(&response)
        .await
        .expect_words("All 2 devices had been signed out already.");

    let lone = sign_in(app, &ada, "Lone").await;
    let form = laptop.form(&selection([lone.id().as_str()]), PATH).await;
    lone.post("/api/v1/auth/logout").await.expect(204);
    let response = laptop.send(&form, &[]).await;
    // As after its purge.
    let id = app.database.id(&lone.id());
    let purge = format!("DELETE FROM user_sessions WHERE id = {id}");
    app.database.execute(&purge);
    let page = laptop.follow(&response).await;
    page.expect_words("The device had been signed out already.");
}

async fn pressed_twice_they_are_signed_out(app: &TestApp) {
    let (laptop, _, [phone, tablet, watch]) = devices(app, ["Phone", "Tablet", "Watch"]).await;
    let ids = [phone.id(), tablet.id(), watch.id()];
    let page = selection(ids.iter().map(String::as_str));
    let form = laptop.form(&page, PATH).await;
    let (first, second) = join(laptop.send(&form, &[]), laptop.send(&form, &[])).await;
    for response in [first, second, laptop.send(&form, &[]).await] {
        let response = response.expect(303);
        let page = laptop.follow(&response).await;
        if page.text.contains("role=\"status\"") {
            page.expect_words("3 devices are signed out.");
        }
    }
    let ended = "ended_reason = 'signed_out_remotely'";
    assert_eq!(app.database.sessions_where(ended), 3);
}

async fn one_that_signs_in_meanwhile_is_named(app: &TestApp) {
    let (laptop, ada, [phone, tablet]) = devices(app, ["Phone", "Tablet"]).await;
    let response = sign_out(&laptop, &[&phone, &tablet]).await;
    sign_in(app, &ada, "Tablet").await;
    laptop
        .follow(&response)
        .await
        .expect_words("Phone is signed out; Tablet was signed out, but is signed in again.");
}

async fn they_are_signed_out_after_a_step_up(app: &TestApp) {
    let (laptop, _, [phone, tablet]) = devices(app, ["Phone", "Tablet"]).await;
    let page = selection([phone.id().as_str(), tablet.id().as_str()]);
    let form = laptop.form(&page, PATH).await;
    app.advance(Duration::from_secs(11 * 60));
    let prompt = laptop.send(&form, &[]).await.expect(403);
    assert_eq!(app.database.sessions_where("is_active"), 3);
    let leave = html::attributes(&prompt.text, "href");
    assert!(
        leave.contains(&page),
        "the way back is the selection: {leave:?}"
    );
    let forms = html::forms(&prompt.text);
    let confirm = forms.iter().find(|form| form.action == "/confirm");
    let password = [("password", PASSWORD)];
    let confirm = confirm.expect("the form of the step-up");
    let confirmed = laptop.send(confirm, &password).await.expect(307);
    assert_eq!(confirmed.header("location"), PATH);
    // As a browser does with 307.
    let done = laptop.send(&confirm.aimed_at(PATH), &password).await;
    laptop
        .follow(&done)
        .await
        .expect_words("2 devices are signed out.");
}

/// Sends the form of the selection when the password is needed again. Returns the page that asks for it.
async fn step_up(app: &TestApp, laptop: &Browser, page: &str) -> TestResponse {
    let form = laptop.form(page, PATH).await;
    app.advance(Duration::from_secs(11 * 60));
    laptop.send(&form, &[]).await.expect(403)
}

async fn the_step_up_names_what_is_signed_out(app: &TestApp) {
    let (laptop, ada, [phone, tablet, watch]) = devices(app, ["Phone", "Tablet", "Watch"]).await;
    sign_in(app, &ada, "Tablet").await;
    let ids = [phone.id(), tablet.id(), watch.id()];
    let all = selection(ids.iter().map(String::as_str));
    let prompt = step_up(app, &laptop, &all).await;
    let prompt = prompt.expect_words("Sign out 3 devices?");
    assert!(
        prompt.text.contains("<title>Sign out 3 devices? ·"),
        "{}",
        prompt.text
    );
    let forms = html::forms(&prompt.text);
    let confirm = forms.iter().find(|form| form.action == "/confirm");
    let wrong = laptop
        .send(confirm.expect("the form"), &[("password", "wrong")])
        .await
        .expect(403);
    assert!(
        wrong.text.contains("<title>Error: Sign out 3 devices? ·"),
        "{}",
        wrong.text
    );
    let one = selection([tablet.id().as_str()]);
    let form = laptop.form(&one, PATH).await;
    laptop
        .send(&form, &[])
        .await
        .expect(403)
        .expect_words("Sign out Tablet?");
    // What had ended meanwhile is not counted.
    let form = laptop.form(&all, PATH).await;
    app.database.execute(&format!(
        "UPDATE user_sessions SET is_active = FALSE, ended_at = last_used_at WHERE id = {}",
        app.database.id(&watch.id())
    ));
    laptop
        .send(&form, &[])
        .await
        .expect(403)
        .expect_words("Sign out 2 devices?");
}

async fn cancelling_leads_back_to_the_search_and_the_selection(app: &TestApp) {
    let (laptop, _, [phone, tablet, watch]) = devices(app, ["Phone", "Tablet", "Watch"]).await;
    let (phone, tablet) = (phone.id(), tablet.id());
    let fields = [("q", "iphone"), ("device", &phone), ("device", &tablet)];
    let page = html::address(PATH, &fields);
    let named = laptop.get(&page).await.expect(200);
    let links = html::attributes(&named.text, "href");
    let cancel = links
        .iter()
        .find(|link| link.starts_with("/devices?q=iphone"));
    let cancel = cancel.expect("a link").split('#').next().expect("a path");
    let list = laptop.get(cancel).await.expect(200);
    assert_eq!(list.text.matches(" checked>").count(), 2);
    assert!(list.text.contains(&format!("id=\"device-{}\"", watch.id())));
    list.expect_words("3 of 3 match “iphone”.");
    // The step-up leads back to the page, which leads back to the list.
    let prompt = step_up(app, &laptop, &page).await;
    assert!(
        html::attributes(&prompt.text, "href").contains(&page),
        "{}",
        prompt.text
    );
}

async fn the_pages_that_ask_tell_identical_devices_apart(app: &TestApp) {
    let (laptop, ada, [first]) = devices(app, ["Phone"]).await;
    app.advance(Duration::from_secs(3 * 60));
    let second = sign_in(app, &ada, "Another").await;
    let path = format!("/api/v1/sessions/{}", second.id());
    let name = json!({"device_name": "Phone"});
    second.patch(&path, &name).await.expect(200);
    let selected = selection([first.id().as_str(), second.id().as_str()]);
    for path in [
        selected.as_str(),
        "/devices/sign-out-others",
        "/devices/sign-out-everywhere",
    ] {
        let page = laptop.get(path).await.expect(200);
        let words = page.words();
        let parts: Vec<&str> = words.split("Signed in ").collect();
        assert_eq!(parts.len(), 3, "{path}: {words}");
        let time = |part: &str| part.split(" UTC").next().map(str::to_owned);
        assert_ne!(time(parts[1]), time(parts[2]), "{path}: {words}");
        assert_eq!(words.matches("Last active ").count(), 2, "{path}: {words}");
        assert_eq!(words.matches("127.0.0.1").count(), 2, "{path}: {words}");
    }
    let none = [("addresses", "none")];
    laptop
        .submit("/account", "/account/addresses", &none)
        .await
        .expect(303);
    let page = laptop.get(&selected).await.expect(200);
    assert!(!page.text.contains("127.0.0.1"), "{}", page.words());
}

async fn without_any_the_page_asks_for_one(app: &TestApp) {
    let (laptop, _, _) = devices(app, ["Phone", "Tablet"]).await;
    let page = laptop.get(PATH).await.expect(400);
    let page = page
        .expect_words(NONE)
        .expect_words("You are signed in on 3 devices.");
    assert!(
        page.text.contains("<title>Error: Your devices"),
        "{}",
        page.text
    );
    let form = laptop.form("/devices", "/sign-out").await;
    let response = laptop.send(&form.aimed_at(PATH), &[]).await.expect(303);
    laptop
        .follow(&response)
        .await
        .expect(400)
        .expect_words(NONE);
    let narrowed = laptop.get(&format!("{PATH}?q=tablet")).await.expect(400);
    narrowed.expect_words("1 of 2 matches “tablet”.");
}

async fn this_device_and_what_is_not_theirs_are_left_out(app: &TestApp) {
    let (laptop, _, [phone]) = devices(app, ["Phone"]).await;
    let eve = app.register("eve@example.org").await;
    let theirs = app.login(&eve, IPHONE).await;
    let own = laptop.get("/api/v1/sessions/current").await.json();
    let own = own["id"].as_str().expect("an id").to_owned();
    let unknown = "019a0000-0000-7000-8000-000000000000";
    for ids in [
        [theirs.id().as_str(), unknown],
        [&own, "no-id"],
        [&theirs.id(), &own],
    ] {
        laptop
            .get(&selection(ids))
            .await
            .expect(400)
            .expect_words(NONE);
    }
    let (phone_id, theirs_id) = (phone.id(), theirs.id());
    let all = [
        &own, &theirs_id, unknown, "x", &phone_id, &phone_id, "device", "",
    ];
    let page = selection(all.map(|id| id as &str));
    let named = laptop
        .get(&page)
        .await
        .expect(200)
        .expect_words("Sign out Phone?");
    let named = named.expect_words("You selected this device, too.");
    assert!(!named.text.contains(theirs_id.as_str()) || !named.words().contains("eve"));
    let form = laptop.form("/devices", "/sign-out").await;
    let body: Vec<(&str, &str)> = all.map(|id| ("device", id as &str)).to_vec();
    let response = laptop.send(&form.aimed_at(PATH), &body).await.expect(303);
    laptop
        .follow(&response)
        .await
        .expect_words("Phone is signed out.");
    theirs.current().await.expect(200);
    assert_eq!(app.database.sessions_where("is_active"), 2);
}

async fn ended_devices_are_no_longer_signed_out(app: &TestApp) {
    let (laptop, _, [phone, tablet]) = devices(app, ["Phone", "Tablet"]).await;
    phone.post("/api/v1/auth/logout").await.expect(204);
    let page = selection([phone.id().as_str(), tablet.id().as_str()]);
    let named = laptop.get(&page).await.expect(200);
    named
        .expect_words("Sign out Tablet?")
        .expect_words("Phone is signed out already.");
    tablet.post("/api/v1/auth/logout").await.expect(204);
    let named = laptop.get(&page).await.expect(200);
    let named = named.expect_words("2 devices are signed out already.");
    assert!(
        html::forms(&named.text)
            .iter()
            .all(|form| form.action != PATH)
    );
}

async fn there_is_a_limit_to_the_selection(app: &TestApp) {
    let (laptop, _, [phone, ..]) = devices(app, ["Phone", "Tablet", "Watch"]).await;
    let ids: Vec<String> = (0..1_000)
        .map(|n| format!("019a0000-0000-7000-8000-{n:012}"))
        .collect();
    let phone_id = phone.id();
    let ids = || ids.iter().map(String::as_str).chain([phone_id.as_str()]);
    let page = laptop.get(&selection(ids())).await.expect(400);
    let page = page.expect_words("Choose at most 100 devices at once.");
    let ticked = format!("value=\"{phone_id}\" checked");
    assert!(page.text.contains(&ticked), "{}", page.text);
    let form = laptop.form("/devices", "/sign-out").await;
    let body: Vec<(&str, &str)> = ids().map(|id| ("device", id)).collect();
    laptop.send(&form.aimed_at(PATH), &body).await.expect(400);
    phone.current().await.expect(200);
    let same: Vec<&str> = std::iter::repeat_n(phone_id.as_str(), 1_000).collect();
    laptop
        .get(&selection(same))
        .await
        .expect(200)
        .expect_words("Sign out Phone?");
}

async fn a_page_names_no_more_devices_than_an_address_takes(app: &TestApp) {
    let (laptop, _, [phone]) = devices(app, ["Phone"]).await;
    add_sessions(&app.database, &phone, 249, "Netscape");
    let whole = laptop.get("/devices?q=phone&select=all").await.expect(200);
    let next = laptop.get("/devices?q=phone&after=100").await.expect(200);
    let ids = |page: &TestResponse| -> Vec<String> {
        let fields = page.text.split("name=\"device\" value=\"").skip(1);
        fields.map(|rest| rest.chars().take(36).collect()).collect()
    };
    let first = ids(&whole);
    assert_eq!((first.len(), ids(&next).len()), (100, 100));
    let mut fields = vec![("q", "phone"), ("after", "100")];
    fields.extend(first.iter().map(|id| ("device", id.as_str())));
    let page = laptop.get(&html::address("/devices", &fields)).await;
    let page = page.expect(200).expect_words(
        "70 selected, 70 not shown here. 30 more were left out, since there were too many. Choose at most 100 devices at once.",
    );
    let all = ids(&page);
    let named: Vec<(&str, &str)> = all.iter().map(|id| ("device", id.as_str())).collect();
    assert_eq!(named.len(), 170);
    assert!(html::address(PATH, &named).len() < 8_000);
}

async fn a_session_that_ended_signs_nobody_out(app: &TestApp) {
    let (laptop, _, [phone, tablet]) = devices(app, ["Phone", "Tablet"]).await;
    let form = laptop.form(&selection([phone.id().as_str()]), PATH).await;
    tablet.delete("/api/v1/sessions/others").await.expect(200);
    let response = laptop.send(&form, &[]).await;
    assert!(response.is_to_sign_in(), "{response:?}");
    assert_eq!(app.database.sessions_where("is_active"), 1);
}

async fn a_selection_of_a_session_that_ended_is_there_again(app: &TestApp) {
    let (laptop, ada, [phone, tablet]) = devices(app, ["Phone", "Tablet"]).await;
    let page = selection([phone.id().as_str()]);
    let form = laptop.form(&page, PATH).await;
    let from = format!("{}{page}", app.base());
    let evil = format!("https://evil.example{page}");
    let own = ("sec-fetch-site", "same-origin");
    let mut outdated = form.aimed_at(PATH);
    for (name, value) in &mut outdated.hidden {
        if name == "csrf" {
            *value = "outdated".into();
        }
    }
    for referrer in [&from, &evil] {
        let headers = [("referer", referrer.as_str()), own];
        let refused = laptop.send_with(&outdated, &[], &headers).await;
        let links = html::attributes(&refused.expect(403).text, "href");
        assert_eq!(links.contains(&page), *referrer == from, "{links:?}");
    }
    tablet.delete("/api/v1/sessions/others").await.expect(200);
    let headers = [("referer", evil.as_str()), own];
    let refused = laptop.send_with(&form, &[], &headers).await.expect(303);
    assert_eq!(refused.location(), "/sign-in");
    let headers = [("referer", from.as_str()), own];
    let refused = laptop.send_with(&form, &[], &headers).await.expect(303);
    let fields = [("email", ada.email.as_str()), ("password", &ada.password)];
    let done = laptop.submit(refused.location(), "/sign-in", &fields).await;
    assert_eq!(done.location(), page);
}
