//! What is said and asked after a *No* about a sign-in that stated the id of one of the owner's devices: that device
//! was not reported, keeps its name, and is not asked about again; whoever has a copy of its cookie is.

use crate::support::prelude::*;
use crate::support::smtp::Message;
use crate::support::strangers::{
    KYIV, LINUX, LISBON, MINUTE, Strangers, expect_all, expect_none, sign_out,
};

on_both!(
    database: the_device_that_was_signed_out_before_keeps_its_name_and_is_not_asked_about,
    the_stranger_is_asked_about_again,
    a_copied_cookie_is_asked_about_again_in_the_owners_country,
    a_password_that_was_set_since_the_sign_in_is_a_step_that_is_done,
    a_password_that_the_reported_one_set_is_not,
    a_password_that_a_stranger_signed_in_with_unasked_is_not,
    a_password_that_a_stranger_signed_in_with_is_not,
    a_password_that_was_set_by_a_link_is_done,
    a_session_from_before_elsewhere_is_not_the_owners_by_the_id_alone,
    a_report_says_that_it_cancelled_a_change_of_the_e_mail,
    a_report_says_which_other_alerts_it_answered,
    the_row_of_a_device_says_that_its_sign_in_waits,
);

/// In another network of the owner's country.
const PORTO: &str = "192.0.2.77";
const ANOTHER_PASSWORD: &str = "a quite different horse battery";

async fn set_up(database: Database) -> Strangers {
    Strangers::start_confirmed(database, Some("My phone")).await
}

/// Signs the phone out, then a stranger in who states to be on it, whom the laptop reports.
async fn report_one_on_the_phone(fixture: &Strangers) -> Device {
    sign_out(&fixture.phone).await;
    fixture.app.advance(MINUTE);
    let stranger = fixture.stranger(IPHONE, "phone", "Zap").await;
    fixture.laptop.answer_alert("/no").await;
    fixture.app.advance(MINUTE);
    stranger
}

async fn the_device_that_was_signed_out_before_keeps_its_name_and_is_not_asked_about(
    database: Database,
) {
    let fixture = set_up(database).await;
    let stranger = report_one_on_the_phone(&fixture).await;
    let reported = format!("/devices/{}", stranger.id());
    for path in ["/devices", "/account", &reported] {
        expect_none(&fixture.page(path).await, &["Zap"]);
    }
    let words = fixture.page(&reported).await;
    expect_all(&words, &["Safari on iPhone Signed out"]);
    expect_none(&words, &["My phone Signed out"]);
    let own = format!("/devices/{}", fixture.phone.id());
    let words = fixture.page(&own).await;
    expect_all(&words, &["My phone"]);
    expect_none(&words, &["wasn’t you", "reported"]);
    fixture
        .sign_in((IPHONE, LISBON), ("phone", Some("My phone")))
        .await;
    let words = fixture.page("/devices").await;
    expect_all(&words, &["You are signed in on 2 devices."]);
    expect_none(&words, &["Was this you?", "reported before"]);
    fixture.stop().await;
}

async fn the_stranger_is_asked_about_again(database: Database) {
    let fixture = set_up(database).await;
    report_one_on_the_phone(&fixture).await;
    fixture.stranger(IPHONE, "phone", "My phone").await;
    let words = fixture.page("/devices").await;
    expect_all(
        &words,
        &["Was this you?", "on a device that you reported before"],
    );
    fixture.stop().await;
}

/// The device cookie of a browser that was signed out is copied, used abroad, reported, and used again at home.
async fn a_copied_cookie_is_asked_about_again_in_the_owners_country(database: Database) {
    let fixture = set_up(database).await;
    let tablet = fixture.app.browser_from(LINUX, LISBON);
    tablet.sign_in(&fixture.ada).await.expect(303);
    fixture.app.advance(MINUTE);
    fixture.laptop.answer_alert("/yes").await;
    let cookie = tablet.cookie("rollcall_device").expect("a cookie");
    tablet
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    fixture.app.advance(MINUTE);
    for (ip, again) in [(KYIV, false), (PORTO, true)] {
        let copy = fixture.app.browser_from(LINUX, ip);
        copy.set_cookie("rollcall_device", &cookie);
        copy.sign_in(&fixture.ada).await.expect(303);
        fixture.app.advance(MINUTE);
        let words = fixture.page("/devices").await;
        assert_eq!(
            words.contains("on a device that you reported before"),
            again,
            "{words}"
        );
        fixture.laptop.answer_alert("/no").await;
        fixture.app.advance(MINUTE);
    }
    fixture.stop().await;
}

async fn change_password(browser: &Browser, from: &str, to: &str) {
    let fields = [("current_password", from), ("new_password", to)];
    let changed = browser.submit("/account", "/account/password", &fields);
    changed.await.expect(303);
}

async fn a_password_that_was_set_since_the_sign_in_is_a_step_that_is_done(database: Database) {
    let fixture = set_up(database).await;
    fixture.stranger(LINUX, "own", "Zap").await;
    change_password(&fixture.laptop, &fixture.ada.password, ANOTHER_PASSWORD).await;
    fixture.app.advance(MINUTE);
    let words = fixture.laptop.answer_alert("/no").await.words();
    expect_all(
        &words,
        &[
            "Make your account safe",
            "New password: Done",
            "E-mail: To do",
        ],
    );
    fixture.stop().await;
}

async fn a_password_that_the_reported_one_set_is_not(database: Database) {
    let fixture = set_up(database).await;
    let stranger = fixture.app.browser_from(LINUX, KYIV);
    stranger.sign_in(&fixture.ada).await.expect(303);
    fixture.app.advance(MINUTE);
    change_password(&stranger, &fixture.ada.password, ANOTHER_PASSWORD).await;
    fixture.app.advance(MINUTE);
    let owner = Person {
        password: ANOTHER_PASSWORD.into(),
        ..fixture.ada.clone()
    };
    fixture.laptop.sign_in(&owner).await.expect(303);
    fixture.app.advance(MINUTE);
    let words = fixture.laptop.answer_alert("/no").await.words();
    expect_all(&words, &["Make your account safe", "New password: To do"]);
    fixture.stop().await;
}

/// Signs a stranger in before the owner sets a new password and another one after that, who is over at the report.
async fn report_after_a_sign_in_with_the_new_password(
    database: Database,
    (user_agent, alerts): (&str, usize),
) {
    let fixture = set_up(database).await;
    fixture.stranger(LINUX, "own", "Zap").await;
    change_password(&fixture.laptop, &fixture.ada.password, ANOTHER_PASSWORD).await;
    fixture.app.advance(MINUTE);
    let mut with_new = fixture.ada.clone();
    with_new.password = ANOTHER_PASSWORD.into();
    let (app, id) = (&fixture.app, Some("another"));
    sign_out(&app.login_from(&with_new, user_agent, KYIV, id).await).await;
    app.advance(MINUTE);
    let mut words = fixture.page("/devices").await;
    assert_eq!(words.matches("Yes, it was me").count(), alerts, "{words}");
    while words.contains("Yes, it was me") {
        words = fixture.laptop.answer_alert("/no").await.words();
    }
    expect_all(&words, &["Make your account safe", "New password: To do"]);
    fixture.stop().await;
}

async fn a_password_that_a_stranger_signed_in_with_unasked_is_not(database: Database) {
    report_after_a_sign_in_with_the_new_password(database, (LINUX, 1)).await;
}

async fn a_password_that_a_stranger_signed_in_with_is_not(database: Database) {
    report_after_a_sign_in_with_the_new_password(database, ("curl/8.14.1", 2)).await;
}

/// The reset page is opened by the link in a message to the owner.
async fn a_password_that_was_set_by_a_link_is_done(database: Database) {
    let fixture = set_up(database).await;
    fixture.stranger(LINUX, "own", "Zap").await;
    let reader = fixture.app.browser_from(FIREFOX, LISBON);
    let form = "/forgot-password";
    let fields = [("email", fixture.ada.email.as_str())];
    reader.submit(form, form, &fields).await;
    fixture.app.deliver_mail().await;
    let is_reset = |it: &Message| it.plain().contains("/reset-password/");
    let messages = fixture.server.messages();
    let message = messages.into_iter().find(is_reset).expect("a message");
    let link = message.link("/reset-password/");
    let set = reader
        .submit(&link, &link, &[("new_password", ANOTHER_PASSWORD)])
        .await;
    set.expect(303);
    fixture.app.advance(MINUTE);
    let mut owner = fixture.ada.clone();
    owner.password = ANOTHER_PASSWORD.into();
    fixture.laptop.sign_in(&owner).await.expect(303);
    fixture.app.advance(MINUTE);
    let words = fixture.laptop.answer_alert("/no").await.words();
    expect_all(&words, &["Make your account safe", "New password: Done"]);
    fixture.stop().await;
}

/// A copied cookie is used at home's country, unasked, before it is used abroad and reported.
async fn a_session_from_before_elsewhere_is_not_the_owners_by_the_id_alone(database: Database) {
    let fixture = set_up(database).await;
    let zap = ("phone", Some("Zap"));
    sign_out(&fixture.phone).await;
    let first = fixture.sign_in((IPHONE, PORTO), zap).await;
    sign_out(&first).await;
    fixture.sign_in((IPHONE, KYIV), zap).await;
    fixture.laptop.answer_alert("/no").await;
    fixture.app.advance(MINUTE);
    fixture.sign_in((IPHONE, PORTO), zap).await;
    let words = fixture.page("/devices").await;
    let question = ["Was this you?", "on a device that you reported before"];
    expect_all(&words, &question);
    expect_none(&words, &["Zap"]);
    fixture.stop().await;
}

/// A change that was asked for before is said to be cancelled by the report.
async fn a_report_says_that_it_cancelled_a_change_of_the_e_mail(database: Database) {
    let fixture = set_up(database).await;
    let fields = [
        ("email", "new@example.org"),
        ("current_password", &fixture.ada.password),
    ];
    let requested = fixture.laptop.submit("/account", "/account/email", &fields);
    requested.await.expect(303);
    fixture.app.advance(MINUTE);
    fixture.stranger(LINUX, "own", "Zap").await;
    let words = fixture.laptop.answer_alert("/no").await.words();
    let sentence = "The change of your e-mail that was still to be confirmed is cancelled.";
    expect_all(&words, &[sentence]);
    fixture.stop().await;
}

async fn a_report_says_which_other_alerts_it_answered(database: Database) {
    let fixture = set_up(database).await;
    for (user_agent, id) in [(LINUX, "first"), ("curl/8.14.1", "second")] {
        let stranger = fixture.stranger(user_agent, id, "Zap").await;
        sign_out(&stranger).await;
        fixture.app.advance(MINUTE);
    }
    let words = fixture.laptop.answer_alert("/no").await.words();
    expect_all(
        &words,
        &[
            "Firefox on Linux was already signed out, and no longer counts as yours. This answered the alert about curl, too.",
            "You reported Firefox on Linux and curl",
        ],
    );
    expect_none(&words, &["Was this you?"]);
    fixture.stop().await;
}

async fn the_row_of_a_device_says_that_its_sign_in_waits(database: Database) {
    let fixture = set_up(database).await;
    let stranger = fixture.stranger(LINUX, "own", "Zap").await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    expect_all(
        &page.words(),
        &["The sign-in on this device waits for your answer."],
    );
    let page = format!("/devices/{}", stranger.id());
    expect_all(
        &fixture.page(&page).await,
        &["The sign-in on this device waits for your answer."],
    );
    fixture.laptop.answer_alert("/yes").await;
    expect_none(&fixture.page(&page).await, &["waits for"]);
    fixture.stop().await;
}
