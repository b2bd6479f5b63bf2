//! The owner of an account is never locked out by others who guess, and whoever guesses with a stolen
//! cookie or token loses it.

use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;

on_both!(
    app: a_device_that_signed_in_before_gets_in_during_an_attack,
        a_device_id_in_json_proves_nothing,
        a_device_cookie_of_another_person_proves_nothing,
        a_device_cookie_that_is_not_sealed_is_none,
        a_device_cookie_proves_nothing_after_the_password_changed,
        a_device_remembers_the_last_five_people,
        failures_on_the_device_and_on_the_account_dont_mix,
        a_live_session_steps_up_and_signs_in_during_an_attack,
        ten_wrong_passwords_through_both_doors_end_the_session,
        a_right_password_in_between_lets_the_session_live,
        the_tenth_wrong_password_in_the_change_form_ends_the_session,
        the_password_is_changed_five_times_an_hour,
        what_somebody_else_changed_does_not_count,
        a_refused_form_keeps_what_was_typed,
);
on_both!(
    database: a_new_password_by_mail_lifts_the_delay_and_makes_the_device_known,
);

const DEVICE: &str = "rollcall_device";
const SESSION: &str = "rollcall_session";
/// A device cookie that is not sealed.
const BARE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const NEW: &str = "an entirely new passphrase";

fn with_password(person: &Person, password: &str) -> Person {
    Person {
        password: password.to_owned(),
        ..person.clone()
    }
}

/// Has somebody guess from elsewhere until a delay is in force for strangers.
async fn attack(app: &TestApp, person: &Person) {
    let wrong = with_password(person, "a wrong guess");
    for _ in 0..12 {
        let response = app.try_login(&wrong, IPHONE).await;
        assert!([401, 429].contains(&response.status), "{}", response.status);
    }
    app.try_login(person, IPHONE)
        .await
        .problem(429, "too_many_tries");
}

async fn sign_out(browser: &Browser) {
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
}

async fn a_device_that_signed_in_before_gets_in_during_an_attack(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    sign_out(&browser).await;
    attack(app, &ada).await;
    app.browser(FIREFOX).sign_in(&ada).await.expect(429);
    assert_eq!(browser.sign_in(&ada).await.location(), "/devices");
    // It reset nothing for strangers.
    app.try_login(&ada, IPHONE)
        .await
        .problem(429, "too_many_tries");
}

async fn a_device_id_in_json_proves_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.signed_in_browser(&ada, FIREFOX).await;
    let known = app
        .database
        .texts("SELECT device_id AS value FROM user_sessions");
    let known = known[0].clone().expect("a device id");
    attack(app, &ada).await;
    let body = json!({"email": ada.email, "password": ada.password, "device_id": known});
    let request = app
        .anyone()
        .request("POST", "/api/v1/auth/login")
        .json(&body);
    let request = request.header("cookie", format!("{DEVICE}={known}"));
    TestResponse::to(request)
        .await
        .problem(429, "too_many_tries");
}

async fn a_device_cookie_of_another_person_proves_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let eve = app.register("eve@example.org").await;
    let browser = app.signed_in_browser(&eve, FIREFOX).await;
    sign_out(&browser).await;
    attack(app, &ada).await;
    browser.sign_in(&ada).await.expect(429);
    // Not even with a live session of one's own.
    let form = browser.form("/sign-in", "/sign-in").await;
    browser.sign_in(&eve).await.expect(303);
    let fields = [("email", ada.email.as_str()), ("password", PASSWORD)];
    browser.send(&form, &fields).await.expect(429);
}

/// Every session of a person can read the bare id.
async fn a_device_cookie_that_is_not_sealed_is_none(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    browser.set_cookie(DEVICE, BARE);
    browser.sign_in(&ada).await.expect(303);
    let ids = "SELECT DISTINCT device_id AS value FROM user_sessions";
    let ids = || app.database.texts(ids);
    let own = ids();
    assert_ne!(own, [Some(BARE.to_owned())]);
    let sealed = browser.cookie(DEVICE).expect("a cookie");
    assert_ne!(sealed, BARE);
    sign_out(&browser).await;
    attack(app, &ada).await;
    browser.set_cookie(DEVICE, BARE);
    browser.get("/devices").await.expect(303);
    assert_ne!(browser.cookie(DEVICE).as_deref(), Some(BARE));
    browser.sign_in(&ada).await.expect(429);
    browser.set_cookie(DEVICE, &sealed);
    browser.sign_in(&ada).await.expect(303);
    assert_eq!(ids(), own);
}

async fn a_device_cookie_proves_nothing_after_the_password_changed(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let thief = app.signed_in_browser(&ada, IPHONE).await;
    let owner = app.signed_in_browser(&ada, FIREFOX).await;
    app.advance(Duration::from_secs(1));
    let fields = [("current_password", PASSWORD), ("new_password", NEW)];
    owner
        .submit("/account", "/account/password", &fields)
        .await
        .expect(303);
    let ada = with_password(&ada, NEW);
    sign_out(&owner).await;
    attack(app, &ada).await;
    thief.sign_in(&ada).await.expect(429);
    // That which changed it proves it.
    owner.sign_in(&ada).await.expect(303);
}

async fn a_device_remembers_the_last_five_people(app: &TestApp) {
    let browser = app.browser(FIREFOX);
    let mut family = Vec::new();
    for number in 0..6 {
        let person = app.register(&format!("person{number}@example.org")).await;
        browser.sign_in(&person).await.expect(303);
        sign_out(&browser).await;
        family.push(person);
    }
    let cookie = browser.cookie(DEVICE).expect("a cookie");
    assert!(cookie.len() < 1_500, "{} bytes", cookie.len());
    for (number, person) in family.iter().enumerate() {
        attack(app, person).await;
        browser.set_cookie(DEVICE, &cookie);
        let expected = if number == 0 { 429 } else { 303 };
        browser.sign_in(person).await.expect(expected);
        if expected == 303 {
            sign_out(&browser).await;
        }
    }
}

async fn failures_on_the_device_and_on_the_account_dont_mix(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let wrong = with_password(&ada, "a wrong guess");
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    sign_out(&browser).await;
    for _ in 0..5 {
        browser.sign_in(&wrong).await.expect(401);
    }
    browser.sign_in(&ada).await.expect(429);
    // Strangers have their own five.
    for _ in 0..4 {
        app.try_login(&wrong, IPHONE).await.expect(401);
    }
    app.login(&ada, IPHONE).await;
    // Their success reset nothing on the device.
    browser.sign_in(&ada).await.expect(429);
    app.advance(Duration::from_secs(1));
    browser.sign_in(&ada).await.expect(303);
}

async fn a_live_session_steps_up_and_signs_in_during_an_attack(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    let form = browser.form("/confirm", "/confirm").await;
    let again = app.browser(FIREFOX);
    let sign_in = again.form("/sign-in", "/sign-in").await;
    let unproven = again.cookie(DEVICE).expect("a cookie");
    again.sign_in(&ada).await.expect(303);
    attack(app, &ada).await;
    // Without the proof of the device cookie, the session is one.
    again.set_cookie(DEVICE, &unproven);
    let fields = [("email", ada.email.as_str()), ("password", PASSWORD)];
    again.send(&sign_in, &fields).await.expect(303);
    browser
        .send(&form, &[("password", PASSWORD)])
        .await
        .expect(303);
    let confirm = phone.request("POST", "/api/v1/auth/confirm");
    let confirm = confirm.json(&json!({"password": PASSWORD}));
    TestResponse::to(confirm).await.expect(200);
}

/// Gives a wrong password at the step-up page.
async fn step_up_wrongly(browser: &Browser) -> TestResponse {
    browser
        .submit("/confirm", "/confirm", &[("password", "a wrong guess")])
        .await
}

async fn confirm_wrongly(phone: &Device) -> TestResponse {
    let body = json!({"password": "a wrong guess"});
    TestResponse::to(phone.request("POST", "/api/v1/auth/confirm").json(&body)).await
}

/// Gives a wrong password by the session cookie at the API.
async fn confirm_by_cookie(app: &TestApp, browser: &Browser) -> TestResponse {
    let form = browser.form("/confirm", "/confirm").await;
    let csrf = form.hidden.iter().find(|(name, _)| name == "csrf");
    let csrf = csrf.expect("a token").1.clone();
    let session = browser.cookie(SESSION).expect("a cookie");
    let request = app
        .anyone()
        .request("POST", "/api/v1/auth/confirm")
        .header("cookie", format!("{SESSION}={session}"))
        .header("x-csrf-token", csrf)
        .json(&json!({"password": "a wrong guess"}));
    TestResponse::to(request).await
}

async fn ten_wrong_passwords_through_both_doors_end_the_session(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut phone = app.login(&ada, IPHONE).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for number in 0..9 {
        let response = match number % 2 {
            0 => step_up_wrongly(&browser).await.expect(403),
            _ => confirm_by_cookie(app, &browser).await.expect(401),
        };
        drop(response);
        app.advance(Duration::from_secs(60));
    }
    browser.get("/devices").await.expect(200);
    let ended = step_up_wrongly(&browser).await;
    assert_eq!(ended.location(), "/sign-in");
    browser
        .get("/sign-in")
        .await
        .expect_words("the password was entered wrong ten times");
    assert!(browser.get("/devices").await.is_to_sign_in());
    assert_eq!(
        app.database
            .sessions_where("ended_reason = 'wrong_passwords'"),
        1
    );
    let alerts = app.database.texts("SELECT kind AS value FROM alerts");
    assert!(
        alerts.contains(&Some("wrong_passwords".into())),
        "{alerts:?}"
    );
    // Only that session.
    phone.refresh().await;
    for _ in 0..9 {
        confirm_wrongly(&phone)
            .await
            .problem(401, "invalid_credentials");
        app.advance(Duration::from_secs(20));
    }
    confirm_wrongly(&phone)
        .await
        .problem(401, "unauthenticated");
    phone.current().await.problem(401, "unauthenticated");
}

async fn a_right_password_in_between_lets_the_session_live(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for _ in 0..3 {
        for _ in 0..5 {
            step_up_wrongly(&browser).await.expect(403);
        }
        let refused = step_up_wrongly(&browser).await.expect(429);
        assert_eq!(refused.header("retry-after"), "1");
        app.advance(Duration::from_secs(1));
        browser
            .submit("/confirm", "/confirm", &[("password", PASSWORD)])
            .await
            .expect(303);
    }
    browser.get("/devices").await.expect(200);
}

async fn the_tenth_wrong_password_in_the_change_form_ends_the_session(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let fields = [("current_password", "a wrong guess"), ("new_password", NEW)];
    for number in 0..10 {
        let response = browser
            .submit("/account", "/account/password", &fields)
            .await;
        let expected = if number < 9 { 400 } else { 303 };
        response.expect(expected);
        // Patience changes nothing.
        app.advance(Duration::from_secs(60 * 60));
    }
    assert!(browser.get("/devices").await.is_to_sign_in());
}

/// Each change is told of by e-mail.
async fn the_password_is_changed_five_times_an_hour(app: &TestApp) {
    const MINUTE: Duration = Duration::from_secs(60);

    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let passwords = [PASSWORD, NEW].into_iter().cycle();
    let change = async |count: usize| {
        let mut both = passwords.clone().skip(count);
        let (old, new) = (
            both.next().unwrap_or_default(),
            both.next().unwrap_or_default(),
        );
        let fields = [("current_password", old), ("new_password", new)];
        let changed = browser.submit("/account", "/account/password", &fields);
        changed.await
    };
    for count in 0..5 {
        change(count).await.expect(303);
        app.advance(MINUTE);
    }
    let refused = change(5).await.expect(429);
    assert_eq!(refused.header("retry-after"), "3301");
    refused.expect_words(
        "Nothing was changed: the password was changed 5 times within an hour. Try again in 56 minutes.",
    );
    app.advance(55 * MINUTE);
    change(5).await.expect(303);
    change(6).await.expect(429);
}

async fn what_somebody_else_changed_does_not_count(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    app.advance(Duration::from_secs(60));
    let stranger = app.signed_in_browser(&ada, IPHONE).await;
    let change = async |browser: &Browser, old: &str, new: &str| {
        let fields = [("current_password", old), ("new_password", new)];
        let changed = browser.submit("/account", "/account/password", &fields);
        changed.await
    };
    for (old, new) in [(PASSWORD, NEW), (NEW, PASSWORD)].repeat(2) {
        change(&stranger, old, new).await.expect(303);
    }
    change(&stranger, PASSWORD, NEW).await.expect(303);
    change(&stranger, NEW, PASSWORD).await.expect(429);
    app.database.execute(
        "UPDATE alerts SET answer = 'not_mine', answered_at = at, settled_by = id
         WHERE kind = 'password_changed'",
    );
    laptop.sign_in(&with_password(&ada, NEW)).await.expect(303);
    change(&laptop, NEW, PASSWORD).await.expect(303);
}

async fn a_refused_form_keeps_what_was_typed(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    attack(app, &ada).await;
    let browser = app.browser(FIREFOX);
    let fields = [
        ("email", ada.email.as_str()),
        ("password", "a secret that is typed"),
        ("remember", "on"),
    ];
    let refused = browser
        .submit("/sign-in", "/sign-in", &fields)
        .await
        .expect(429);
    assert_eq!(refused.header("retry-after"), "1");
    assert!(refused.text.contains(r#"value="ada@example.org""#));
    assert!(refused.text.contains("checked"));
    assert!(!refused.text.contains("a secret that is typed"));
    refused.expect_words("Too many attempts. Try again in 1 second.");
}

async fn a_new_password_by_mail_lifts_the_delay_and_makes_the_device_known(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |_| {}).await;
    let ada = app.register("ada@example.org").await;
    attack(&app, &ada).await;
    let browser = app.browser(FIREFOX);
    let fields = [("email", ada.email.as_str())];
    browser
        .submit("/forgot-password", "/forgot-password", &fields)
        .await
        .expect(200);
    // Asking for the link lifts nothing.
    app.try_login(&ada, IPHONE)
        .await
        .problem(429, "too_many_tries");
    assert_eq!(app.deliver_mail().await, 1);
    let message = server.messages().pop().expect("a message");
    let path = message.link("/reset-password/");
    app.advance(Duration::from_micros(1));
    browser
        .submit(&path, &path, &[("new_password", NEW)])
        .await
        .expect(303);
    let ada = with_password(&ada, NEW);
    app.login(&ada, IPHONE).await;
    attack(&app, &ada).await;
    assert_eq!(browser.sign_in(&ada).await.location(), "/devices");
    app.stop().await;
}
