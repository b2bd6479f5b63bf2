//! What *Your devices* says after a sign-out: true of the rows, and of the whole device.

use futures_util::future::{join, join_all};
use proptest::test_runner::TestRunner;

use crate::support::html::{self, Form};
use crate::support::prelude::*;
use crate::support::sessions::sample;

on_both!(
    app: one_session_that_ended_is_stated_with_those_that_are_left,
    with_its_last_session_a_device_is_signed_out,
    pressed_twice_a_device_is_signed_out,
    a_device_that_expired_meanwhile_is_signed_out,
    a_device_that_signed_in_again_is_not_stated_to_be_signed_out,
    other_devices_are_counted_or_named,
    what_signs_in_after_the_page_of_the_others_stays,
    other_devices_that_sign_in_meanwhile_are_named,
    the_acting_device_stays_signed_in_and_says_so,
    who_signs_out_is_told_of_other_sessions_on_the_device,
    an_ended_device_does_not_sign_out_by_itself,
    an_ended_session_leads_to_its_device_that_is_signed_in,
    no_message_claims_more_than_the_rows,
    what_is_done_at_once_is_all_done,
);

const ADDRESS: &str = "203.0.113.7";
const SECOND: Duration = Duration::from_secs(1);

async fn ada(app: &TestApp) -> (Browser, Person) {
    let ada = app.register("ada@example.org").await;
    (app.signed_in_browser(&ada, FIREFOX).await, ada)
}

/// Signs a phone in once more; it is one device.
async fn sign_in(app: &TestApp, ada: &Person, device: &str) -> Device {
    app.advance(SECOND);
    let session = app.login_from(ada, IPHONE, ADDRESS, Some(device)).await;
    let path = format!("/api/v1/sessions/{}", session.id());
    session
        .patch(&path, &json!({ "device_name": device }))
        .await
        .expect(200);
    session
}

async fn press(laptop: &Browser, session: &Device, only: &[(&str, &str)]) -> TestResponse {
    let form = laptop.form("/devices", "/sign-out").await;
    let path = format!("/devices/{}/sign-out", session.id());
    laptop.send(&form.aimed_at(&path), only).await.expect(303)
}

const ONLY: &[(&str, &str)] = &[("only", "session")];

/// Each ends or names several sessions of the person, in an order of its own.
async fn what_is_done_at_once_is_all_done(app: &TestApp) {
    const DEVICES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

    let (laptop, ada) = ada(app).await;
    app.advance(SECOND);
    let stranger = app.browser(IPHONE);
    stranger.sign_in(&ada).await.expect(303);
    for round in 0..3 {
        let mut sessions = Vec::new();
        for device in DEVICES {
            sessions.push(sign_in(app, &ada, device).await);
        }
        let page = laptop.get("/devices").await.expect(200);
        let forms = html::forms(&page.text);
        let no = forms.iter().find(|form| form.action.ends_with("/no"));
        assert_eq!(no.is_some(), round == 0, "{}", page.words());
        let out = laptop.form("/devices", "/sign-out").await;
        let ends: Vec<Form> = sessions
            .iter()
            .map(|it| out.aimed_at(&format!("/devices/{}/sign-out", it.id())))
            .chain(no.map(|it| it.aimed_at(&it.action)))
            .collect();
        let ended = ends.iter().map(|form| laptop.send(form, &[]));
        let name = json!({ "device_name": "renamed" });
        let renamed = sessions.iter().map(|it| async {
            let path = format!("/api/v1/sessions/{}", it.id());
            it.patch(&path, &name).await.status
        });
        let (ended, renamed) = join(join_all(ended), join_all(renamed)).await;
        for response in ended {
            response.expect(303);
        }
        // Those that ended before are not signed in any more.
        assert!(
            renamed.iter().all(|status| [200, 401].contains(status)),
            "{renamed:?}"
        );
        for session in sessions {
            session.current().await.expect(401);
        }
    }
}

/// Returns the message on a page.
fn message(page: &TestResponse) -> String {
    let (_, rest) = page.text.split_once("role=\"status\"").expect("a message");
    let (_, rest) = rest.split_once('>').expect("its text");
    html::words(rest.split("</p>").next().unwrap_or_default())
}

async fn one_session_that_ended_is_stated_with_those_that_are_left(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(sign_in(app, &ada, "Phone").await);
    }
    for (session, left) in sessions.iter().zip([
        "One session on Phone has ended; 2 are still signed in.",
        "One session on Phone has ended; 1 is still signed in.",
        "Phone is signed out.",
    ]) {
        let response = press(&laptop, session, ONLY).await;
        assert_eq!(message(&laptop.follow(&response).await), left);
        let again = press(&laptop, session, ONLY).await;
        let page = laptop.follow(&again).await;
        assert_eq!(message(&page), left);
        let is_left = left.contains("still signed in");
        let listed = "on Phone Ended by you, from Firefox on Windows";
        assert_eq!(page.words().contains(listed), is_left, "{}", page.words());
    }
    let page = laptop.get("/devices").await.expect(200);
    page.expect_words("Phone · 3 sessions Signed out by you, from Firefox on Windows");
}

async fn with_its_last_session_a_device_is_signed_out(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    let phone = sign_in(app, &ada, "Phone").await;
    sign_in(app, &ada, "Phone").await;
    let response = press(&laptop, &phone, &[]).await;
    let page = laptop.follow(&response).await;
    assert_eq!(message(&page), "Phone is signed out.");
    page.expect_words("You are signed in only here.");
}

async fn pressed_twice_a_device_is_signed_out(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    let phone = sign_in(app, &ada, "Phone").await;
    let presses = (0..4).map(|_| press(&laptop, &phone, &[]));
    for response in join_all(presses).await {
        let page = laptop.follow(&response).await;
        if page.text.contains("role=\"status\"") {
            assert_eq!(message(&page), "Phone is signed out.");
        }
    }
    let late = press(&laptop, &phone, &[]).await;
    assert_eq!(message(&laptop.follow(&late).await), "Phone is signed out.");
}

async fn a_device_that_expired_meanwhile_is_signed_out(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    for is_swept in [false, true] {
        let phone = sign_in(app, &ada, "Phone").await;
        let id = app.database.id(&phone.id());
        app.database.execute(&format!(
            "UPDATE user_sessions SET expires_at = created_at, sweep_at = created_at WHERE id = {id}"
        ));
        app.advance(SECOND);
        if is_swept {
            app.sweep().await;
        }
        let response = press(&laptop, &phone, &[]).await;
        assert_eq!(
            message(&laptop.follow(&response).await),
            "Phone is signed out."
        );
    }
}

async fn a_device_that_signed_in_again_is_not_stated_to_be_signed_out(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    let phone = sign_in(app, &ada, "Phone").await;
    let response = press(&laptop, &phone, &[]).await;
    sign_in(app, &ada, "Phone").await;
    assert_eq!(
        message(&laptop.follow(&response).await),
        "Phone was signed out, but has been signed in again since."
    );
}

async fn sign_out_others(laptop: &Browser) -> TestResponse {
    let form = laptop.form("/devices", "/sign-out").await;
    let response = laptop
        .send(&form.aimed_at("/devices/sign-out-others"), &[])
        .await;
    response.expect(303)
}

async fn other_devices_are_counted_or_named(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    sign_in(app, &ada, "Phone").await;
    let response = sign_out_others(&laptop).await;
    let words = message(&laptop.follow(&response).await);
    assert_eq!(words, "Your other device, Phone, is signed out.");
    for device in ["Phone", "Phone", "Tablet", "Watch"] {
        sign_in(app, &ada, device).await;
    }
    let response = sign_out_others(&laptop).await;
    let words = message(&laptop.follow(&response).await);
    assert_eq!(words, "Your 3 other devices are signed out.");
    let again = sign_out_others(&laptop).await;
    let words = message(&laptop.follow(&again).await);
    assert_eq!(words, "No other device is signed in.");
}

/// The page names the phone, which signs in once more, and not the tablet.
async fn what_signs_in_after_the_page_of_the_others_stays(app: &TestApp) {
    const PHONE: &str = "11111111-2222-4333-8444-555555555555";

    let (laptop, ada) = ada(app).await;
    app.login_from(&ada, IPHONE, ADDRESS, Some(PHONE)).await;
    let path = "/devices/sign-out-others";
    let form = laptop.form(path, path).await;
    app.advance(SECOND);
    let phone = app.login_from(&ada, IPHONE, ADDRESS, Some(PHONE)).await;
    let tablet = sign_in(app, &ada, "Tablet").await;
    let response = laptop.send(&form, &[]).await.expect(303);
    let page = laptop.follow(&response).await.expect(200);
    assert!(
        page.text
            .contains("<a href=\"/devices/sign-out-others\">Sign out Tablet, too</a>")
    );
    assert_eq!(
        message(&page),
        "Safari on iPhone is signed out. Another device, Tablet, signed in after you opened the page, so it stays signed in. Sign out Tablet, too"
    );
    phone.current().await.problem(401, "unauthenticated");
    tablet.current().await.expect(200);
    // A page of tomorrow is one of now.
    let later = [("shown", "9000000000000000")];
    laptop.send(&form, &later).await.expect(303);
    tablet.current().await.problem(401, "unauthenticated");
    for shown in ["-1", "0"] {
        let tablet = sign_in(app, &ada, "Tablet").await;
        laptop.send(&form, &[("shown", shown)]).await.expect(303);
        tablet.current().await.expect(200);
    }
}

async fn other_devices_that_sign_in_meanwhile_are_named(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    for device in ["Phone", "Tablet", "Watch"] {
        sign_in(app, &ada, device).await;
    }
    let response = sign_out_others(&laptop).await;
    sign_in(app, &ada, "Watch").await;
    assert_eq!(
        message(&laptop.follow(&response).await),
        "2 devices are signed out. Another device, Watch, signed in after you opened the page, so it stays signed in. Sign out Watch, too"
    );
}

/// Signs in another client of the laptop itself.
async fn sign_in_beside(app: &TestApp, laptop: &Browser, ada: &Person) -> Device {
    let own = laptop.get("/api/v1/sessions/current").await.json();
    let device = own["device_id"].as_str().expect("a device id");
    app.advance(SECOND);
    app.login_from(ada, IPHONE, ADDRESS, Some(device)).await
}

async fn the_acting_device_stays_signed_in_and_says_so(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    let beside = sign_in_beside(app, &laptop, &ada).await;
    let page = laptop.get("/devices").await.expect(200);
    page.expect_words("You are signed in on this device, by 2 sessions.");
    let page = laptop.get(&format!("/devices/{}", beside.id())).await;
    page.expect_words(
        "End this session This session ends; you stay signed in here. End this session",
    );
    // The device lasts as long as the session of it that lasts longest.
    let own = laptop.get("/api/v1/sessions/current").await.json();
    let own = format!("/devices/{}", own["id"].as_str().expect("an id"));
    let page = laptop.get(&own).await.expect(200);
    page.expect_words("Signs out automatically on 13 November")
        .expect_words("Signs out automatically after 180 days without use")
        .expect_words("if not used");
    let response = press(&laptop, &beside, ONLY).await;
    let words = message(&laptop.follow(&response).await);
    assert_eq!(
        words,
        "The session of Safari on iPhone on Firefox on Windows has ended; this one is still signed in."
    );

    let beside = sign_in_beside(app, &laptop, &ada).await;
    let form = laptop.form("/devices", "/sign-out").await;
    let path = format!("/devices/{}/sign-out", beside.id());
    app.advance(600 * SECOND + SECOND);
    let form = form.aimed_at(&path);
    let page = laptop.send(&form, ONLY).await.expect(403);
    page.expect_words("End the session of Safari on iPhone on this device?");
    let page = laptop.send(&form, &[]).await.expect(403);
    page.expect_words("End the other session on this device?");
    let form = form.aimed_at("/confirm");
    let confirmed = laptop.send(&form, &[("password", PASSWORD)]).await;
    confirmed.expect(303);
    let response = press(&laptop, &beside, &[]).await;
    let words = message(&laptop.follow(&response).await);
    assert!(words.starts_with("Every other session on"), "{words}");
    assert!(
        words.ends_with("has ended; you are still signed in here."),
        "{words}"
    );

    sign_in_beside(app, &laptop, &ada).await;
    let page = laptop.get("/devices/sign-out-others").await.expect(200);
    page.expect_words("Sign out the other session on this device?");
    let response = sign_out_others(&laptop).await;
    assert_eq!(
        message(&laptop.follow(&response).await),
        "Every other session on this device has ended."
    );
}

async fn who_signs_out_is_told_of_other_sessions_on_the_device(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    let beside = sign_in_beside(app, &laptop, &ada).await;
    let response = laptop.submit("/devices", "/sign-out", &[]).await;
    let page = laptop.follow(&response).await;
    page.expect_words(
        "You are signed out here. Another session on this device is still signed in.",
    );
    beside.current().await.expect(200);
}

async fn an_ended_device_does_not_sign_out_by_itself(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    let phone = sign_in(app, &ada, "Phone").await;
    let page = format!("/devices/{}", phone.id());
    laptop
        .get(&page)
        .await
        .expect_words("Signs out automatically");
    press(&laptop, &phone, &[]).await;
    let words = laptop.get(&page).await.expect(200).words();
    assert!(!words.contains("Signs out automatically"), "{words}");
    let (_, facts) = words.split_once("Details").expect("the facts");
    assert!(facts.contains("Signed out 17 May 2031"), "{facts}");
    assert!(
        facts.contains("Signed out by you, from Firefox on Windows"),
        "{facts}"
    );
}

async fn an_ended_session_leads_to_its_device_that_is_signed_in(app: &TestApp) {
    let (laptop, ada) = ada(app).await;
    let first = sign_in(app, &ada, "Phone").await;
    let second = sign_in(app, &ada, "Phone").await;
    press(&laptop, &first, ONLY).await;
    let page = laptop.get(&format!("/devices/{}", first.id())).await;
    let page = page
        .expect_words("The device is still signed in, with 1 other session. Show the device")
        .expect_words("This session has ended")
        .expect_words("Session ended 17 May 2031")
        .expect_words("Ended by you, from Firefox on Windows");
    assert!(!page.words().contains("Signed out"), "{}", page.words());
    let link = format!("/devices/{}", second.id());
    assert!(html::attributes(&page.text, "href").contains(&link));
}

/// Random acts, with sign-ins before the page is shown: a device that the message states to be signed
/// out has no live session, and so many as it counts have none.
async fn no_message_claims_more_than_the_rows(app: &TestApp) {
    const NAMES: [&str; 3] = ["Phone", "Tablet", "Watch"];

    let (laptop, ada) = ada(app).await;
    let mut runner = TestRunner::deterministic();
    for round in 0..24 {
        let mut sessions = Vec::new();
        for name in NAMES {
            for _ in 0..sample(&(0..3_u8), &mut runner) {
                sessions.push(sign_in(app, &ada, name).await);
            }
        }
        let Some(target) = sessions.first() else {
            continue;
        };
        let ids: Vec<String> = sessions.iter().map(Device::id).collect();
        let response = match round % 4 {
            0 => press(&laptop, target, ONLY).await,
            1 => press(&laptop, target, &[]).await,
            2 => sign_out_others(&laptop).await,
            _ => {
                let form = laptop.form("/devices", "/sign-out").await;
                let chosen: Vec<_> = ids
                    .iter()
                    .step_by(2)
                    .map(|id| ("device", id.as_str()))
                    .collect();
                let form = form.aimed_at("/devices/sign-out-selected");
                laptop.send(&form, &chosen).await.expect(303)
            }
        };
        for name in NAMES {
            if sample(&(0..4_u8), &mut runner) == 0 {
                sign_in(app, &ada, name).await;
            }
        }
        let words = message(&laptop.follow(&response).await);
        let live = laptop.get("/api/v1/sessions/me").await.json();
        let is_live = |name: &&str| {
            let mut sessions = live["sessions"].as_array().expect("sessions").iter();
            sessions.any(|session| session["device_name"] == **name)
        };
        for name in NAMES {
            let claims = words.contains(&format!("{name} is signed out"))
                || words.contains(&format!("{name}, is signed out"));
            assert!(!(claims && is_live(&name)), "round {round}: {words}");
        }
        let counted = words.split(' ').zip(words.split(' ').skip(1));
        let counted = counted.filter_map(|(n, what)| {
            (what.starts_with("device") || what == "other")
                .then(|| n.parse::<usize>().ok())
                .flatten()
        });
        let out = NAMES.iter().filter(|name| !is_live(name)).count();
        let count: usize = counted.take(1).sum();
        assert!(
            !words.contains("devices are signed out") || count <= out,
            "round {round}: {words}"
        );
        if words == "No other device is signed in." {
            assert_eq!(out, NAMES.len(), "round {round}");
        }
    }
}
