//! What is said of sessions in doubt that state the id of one of the owner's devices: they never name it, are marked,
//! end without the owner being said to have done it, and are not exempt with it; and what ends of a device is not
//! said of the whole.

use crate::support::prelude::*;
use crate::support::strangers::{
    KYIV, LINUX, LISBON, MINUTE, Strangers, expect_all, expect_none, sign_out,
};

on_both!(
    database: a_report_says_what_ended_on_devices_that_stay_signed_in,
    a_session_that_was_over_before_is_not_said_to_be_the_device,
    whoever_is_in_doubt_is_not_called_you,
    a_device_whose_sessions_all_wait_is_called_by_the_first,
    a_device_keeps_its_name_when_its_own_session_was_ended,
    an_exemption_covers_what_waits_once_it_is_confirmed,
    an_exemption_by_the_owner_waits_for_the_device_to_be_confirmed,
);

const CURL: &str = "curl/8.14.1";
const STAYS: [(&str, &str); 1] = [("when_unused", "stays-signed-in")];

async fn set_up(database: Database) -> Strangers {
    Strangers::start(database, Some("My phone")).await
}

async fn set_up_confirmed(database: Database) -> Strangers {
    Strangers::start_confirmed(database, Some("My phone")).await
}

/// Signs a stranger in with a device of their own, of which an alert tells, and with the ids of the laptop and the
/// phone, as every session of the person can read them: no alert tells of these.
async fn strangers(fixture: &Strangers) -> [Device; 3] {
    let own = fixture.stranger(LINUX, "own", "Zap").await;
    let laptop = fixture.laptop_id().await;
    let second = fixture.stranger(FIREFOX, &laptop, "Zap2").await;
    let third = fixture.stranger(IPHONE, "phone", "Zap3").await;
    [own, second, third]
}

async fn exempt(fixture: &Strangers, device: &Device) -> String {
    let page = format!("/devices/{}", device.id());
    let action = format!("{page}/when-unused");
    let done = fixture.laptop.submit(&page, &action, &STAYS).await;
    let page = fixture.laptop.follow(&done.expect(303)).await;
    page.expect(200).words()
}

async fn is_exempt(device: &Device, ip: &str) -> bool {
    let request = device.request("GET", "/api/v1/sessions/current");
    let current = TestResponse::to(request.header("x-forwarded-for", ip)).await;
    current.expect(200).json()["idle_exempt"] == true
}

async fn a_report_says_what_ended_on_devices_that_stay_signed_in(database: Database) {
    let fixture = set_up_confirmed(database).await;
    let strangers = strangers(&fixture).await;
    let words = fixture.page("/devices").await;
    let parts = [
        "You are signed in on 3 devices.",
        "Came after a sign-in that waits for an answer: Firefox on Windows ·",
        "Came after a sign-in that waits for an answer: Safari on iPhone ·",
        "One session on this device came after a sign-in that waits for an answer: Safari on iPhone, near Kyiv, Ukraine.",
        "one session on My phone (near Kyiv, Ukraine, last used",
        "one session on Firefox on Windows (near Kyiv, Ukraine, last used",
    ];
    expect_all(&words, &parts);
    expect_none(&words, &["Zap2", "Zap3"]);
    let page = format!("/devices/{}", fixture.phone.id());
    let mark = "Came after a sign-in that waits for an answer: Safari on iPhone ·";
    expect_all(&fixture.page(&page).await, &[mark]);
    fixture.app.deliver_mail().await;
    let link = fixture.server.messages();
    let link = link.last().expect("a message").link("/not-me/");
    let reader = fixture.app.browser_from(FIREFOX, "192.0.2.200");
    let words = reader.get(&link).await.expect(200).words();
    expect_all(
        &words,
        &["one session on My phone (near Kyiv, Ukraine, last"],
    );
    let words = fixture.laptop.answer_alert("/no").await.words();
    let parts = [
        "Firefox on Linux is signed out, and no longer counts as yours. One session on",
        "one session on",
        "My phone (near Kyiv, Ukraine)",
        "Firefox on Windows (near Kyiv, Ukraine)",
        "have ended.",
        "You are signed in on 2 devices.",
        "One session on My phone",
    ];
    expect_all(&words, &parts);
    let never = [
        "are signed out, and no longer",
        "The session of",
        "Zap2",
        "Zap3",
    ];
    expect_none(&words, &never);
    fixture.phone.current().await.expect(200);
    for stranger in strangers {
        stranger.current().await.problem(401, "unauthenticated");
    }
    fixture.stop().await;
}

async fn a_session_that_was_over_before_is_not_said_to_be_the_device(database: Database) {
    let fixture = set_up_confirmed(database).await;
    let over = "One session on My phone (near Kyiv, Ukraine) had ended already.";
    for (user_agent, name, answer, outcome) in [
        (CURL, "Zap", "/yes", format!("Good: it was you. {over}")),
        (LINUX, "Zap2", "/no", over.to_owned()),
    ] {
        let stranger = fixture.stranger(user_agent, "phone", name).await;
        sign_out(&stranger).await;
        let words = fixture.page("/devices").await;
        expect_all(&words, &["Ended by whoever used it", "Listed as My phone"]);
        let current = format!("{name} on");
        expect_none(&words, &[&current]);
        let words = fixture.laptop.answer_alert(answer).await.words();
        expect_all(&words, &[&outcome]);
        expect_none(
            &words,
            &["curl was already", "Firefox on Linux was already"],
        );
        fixture.app.advance(MINUTE);
    }
    let words = fixture.page("/devices").await;
    let parts = ["One session on My phone", "Ended by whoever used it"];
    expect_all(&words, &parts);
    expect_none(&words, &["Zap2"]);
    fixture.stop().await;
}

async fn whoever_is_in_doubt_is_not_called_you(database: Database) {
    let fixture = set_up_confirmed(database).await;
    let app = &fixture.app;
    let tablet = fixture
        .sign_in((LINUX, LISBON), ("tablet", Some("Tablet")))
        .await;
    fixture.laptop.answer_alert("/yes").await;
    app.advance(MINUTE);
    let stranger = fixture.stranger(CURL, "another", "Zap").await;
    let path = format!("/api/v1/sessions/{}", tablet.id());
    let ended = TestResponse::to(stranger.request("DELETE", &path)).await;
    ended.expect(204);
    let device = format!("/devices/{}", tablet.id());
    for path in ["/devices", &device] {
        let words = fixture.page(path).await;
        expect_all(&words, &["Signed out from curl, near Kyiv, Ukraine"]);
        expect_none(&words, &["by you"]);
    }
    // The stranger reads what they would without the doubt.
    let words = fixture.laptop.answer_alert("/yes").await.words();
    expect_all(&words, &["Signed out by you, from Zap"]);
    fixture.stop().await;
}

async fn a_device_whose_sessions_all_wait_is_called_by_the_first(database: Database) {
    let fixture = set_up(database).await;
    let stranger = fixture.stranger(LINUX, "phone", "Zap").await;
    let named = async || {
        let list = fixture.laptop.get("/api/v1/sessions/me").await.json();
        let devices = list["devices"].as_array().expect("devices").clone();
        let phone = devices.into_iter().find(|it| it["device_id"] == "phone");
        phone.expect("the phone")["device_name"].clone()
    };
    assert_eq!(named().await, "My phone");
    let words = fixture.page("/devices").await;
    expect_all(&words, &["Listed as My phone", "2 sessions"]);
    expect_none(&words, &["Zap"]);
    let rename = async |device: &Device, id: String, name: &str| {
        let body = json!({ "device_name": name });
        device.patch(&format!("/api/v1/sessions/{id}"), &body).await
    };
    for id in [stranger.id(), fixture.phone.id()] {
        let refused = rename(&stranger, id, "Zap2").await;
        refused.problem(403, "unconfirmed_device");
    }
    let renamed = rename(&fixture.phone, fixture.phone.id(), "Telephone").await;
    renamed.expect(200);
    assert_eq!(named().await, "Telephone");
    fixture.stop().await;
}

async fn a_device_keeps_its_name_when_its_own_session_was_ended(database: Database) {
    let fixture = set_up_confirmed(database).await;
    let stranger = fixture.stranger(CURL, "phone", "Zap").await;
    let path = format!("/api/v1/sessions/{}", fixture.phone.id());
    let ended = TestResponse::to(stranger.request("DELETE", &path)).await;
    ended.expect(204);
    let words = fixture.page("/devices").await;
    expect_all(&words, &["My phone curl ·", "One session on My phone"]);
    expect_none(&words, &["Zap", "by you"]);
    for id in [stranger.id(), fixture.phone.id()] {
        let words = fixture.page(&format!("/devices/{id}")).await;
        expect_all(&words, &["Your devices My phone"]);
        expect_none(&words, &["Zap"]);
    }
    // Nothing is listed by a name once both have ended.
    let others = "/devices/sign-out-others";
    let done = fixture.laptop.submit(others, others, &[]).await;
    let page = fixture.laptop.follow(&done.expect(303)).await;
    let words = page.expect_words("My phone, is signed out.").words();
    expect_none(&words, &["Listed as", "Zap"]);
    fixture.stop().await;
}

async fn an_exemption_covers_what_waits_once_it_is_confirmed(database: Database) {
    const NOT_COVERED: &str =
        "that waits for an answer, or came after one, is not covered until it is confirmed.";

    let fixture = set_up_confirmed(database).await;
    let [_, _, third] = strangers(&fixture).await;
    let own = fixture.stranger(CURL, "phone", "Zap4").await;
    let words = exempt(&fixture, &fixture.phone).await;
    expect_all(
        &words,
        &["Saved. My phone stays signed in until", NOT_COVERED],
    );
    assert_eq!(words.matches(NOT_COVERED).count(), 2, "{words}");
    assert!(is_exempt(&fixture.phone, LISBON).await);
    for waiting in [&third, &own] {
        assert!(!is_exempt(waiting, KYIV).await);
        let words = fixture.page(&format!("/devices/{}", waiting.id())).await;
        expect_all(&words, &["even if unused", NOT_COVERED]);
    }
    fixture.laptop.answer_alert("/yes").await;
    fixture.app.deliver_mail().await;
    let open = "SELECT count(*) AS value FROM alerts WHERE answered_at IS NULL";
    if fixture.app.database.number(open) > 0 {
        let link = fixture.server.messages();
        let link = link.last().expect("a message").link("/not-me/");
        let reader = fixture.app.browser_from(FIREFOX, "192.0.2.200");
        let confirmed = reader.submit(&link, &link, &[("answer", "mine")]).await;
        confirmed.expect(200);
    }
    for confirmed in [&third, &own] {
        assert!(is_exempt(confirmed, KYIV).await);
    }
    let words = fixture.page(&format!("/devices/{}", own.id())).await;
    expect_none(&words, &[NOT_COVERED]);
    fixture.stop().await;
}

async fn an_exemption_by_the_owner_waits_for_the_device_to_be_confirmed(database: Database) {
    let fixture = set_up(database).await;
    let words = exempt(&fixture, &fixture.phone).await;
    let parts = [
        "Saved. Once its sign-in is confirmed, My phone stays signed in even if it is not used.",
        "Once you confirm its sign-in, it stays signed in even if unused.",
    ];
    expect_all(&words, &parts);
    assert!(!is_exempt(&fixture.phone, LISBON).await);
    fixture.laptop.answer_alert("/yes").await;
    assert!(is_exempt(&fixture.phone, LISBON).await);
    fixture.stop().await;
}
