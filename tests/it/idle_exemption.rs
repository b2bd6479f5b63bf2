//! A device can be exempt from the idle limit: it stays signed in, used or not, up to the absolute limit.

use crate::support::html;
use crate::support::prelude::*;

on_both!(
    app: an_exempt_device_stays_signed_in_until_the_absolute_limit,
    a_session_opened_later_on_the_device_is_exempt,
    a_session_cannot_exempt_itself_without_the_password,
    an_idle_choice_leaves_exempt_devices,
    ending_the_exemption_of_an_unused_device_names_it_first,
    ending_the_exemption_of_a_used_device_puts_the_limit_back,
    token_reuse_ends_the_exemption,
    token_reuse_ends_the_session_and_the_exemption_or_neither,
    reporting_a_device_ends_its_exemption,
    a_device_without_an_id_is_not_offered_it,
    nobody_exempts_anothers_device,
    an_exemption_and_an_idle_choice_at_once_leave_the_device_exempt,
);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const STAYS: [(&str, &str); 1] = [("when_unused", "stays-signed-in")];
const EXEMPT: &str = "SELECT count(*) AS value FROM devices WHERE is_idle_exempt";

/// Ada's laptop, her tablet in a browser, and the path of the tablet's page.
struct Home {
    ada: Person,
    laptop: Browser,
    tablet: Browser,
    path: String,
}

impl Home {
    async fn start(app: &TestApp) -> Self {
        let ada = app.register("ada@example.org").await;
        let tablet = app.signed_in_browser(&ada, IPHONE).await;
        let laptop = app.signed_in_browser(&ada, FIREFOX).await;
        app.confirm_sign_ins();
        let path = id_of(&tablet).await;
        Self {
            ada,
            laptop,
            tablet,
            path: format!("/devices/{path}"),
        }
    }

    async fn exempt(&self, browser: &Browser) -> TestResponse {
        let action = format!("{}/when-unused", self.path);
        browser.submit(&self.path, &action, &STAYS).await
    }

    /// Signs in on the laptop again, whose idle limit is short.
    async fn return_to_laptop(&self) {
        self.laptop.sign_in(&self.ada).await.expect(303);
    }

    async fn end_exemption(&self) -> TestResponse {
        let action = format!("{}/when-unused", self.path);
        self.laptop.submit(&self.path, &action, &[]).await
    }
}

async fn id_of(browser: &Browser) -> String {
    let session = browser.get("/api/v1/sessions/current").await.expect(200);
    let id = session.json()["id"].as_str().map(str::to_owned);
    id.expect("an id")
}

async fn an_exempt_device_stays_signed_in_until_the_absolute_limit(app: &TestApp) {
    let home = Home::start(app).await;
    let page = home.laptop.get(&home.path).await.expect(200);
    page.expect_words("Signs out automatically after 12 hours without use.");
    let done = home.exempt(&home.laptop).await.expect(303);
    assert_eq!(done.location(), home.path);
    let page = home.laptop.follow(&done).await.expect(200);
    page.expect_words("even if it is not used.")
        .expect_words("even if unused")
        .expect_words("Set to stay signed in when unused");
    app.advance(6 * DAY);
    app.sweep().await;
    home.tablet.get("/devices").await.expect(200);
    app.flush().await;
    assert!(home.laptop.get("/devices").await.is_to_sign_in());
    // Its use defers nothing: the absolute limit stays.
    app.advance(DAY);
    assert!(home.tablet.get("/devices").await.is_to_sign_in());
    app.sweep().await;
    assert_eq!(app.database.sessions_where("is_active"), 0);
}

async fn a_session_opened_later_on_the_device_is_exempt(app: &TestApp) {
    let home = Home::start(app).await;
    home.exempt(&home.laptop).await.expect(303);
    home.tablet
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    home.tablet.sign_in(&home.ada).await.expect(303);
    let session = home.tablet.get("/api/v1/sessions/current").await.json();
    assert_eq!(session["idle_exempt"], true);
    let other = home.laptop.get("/api/v1/sessions/current").await.json();
    assert_eq!(other["idle_exempt"], false);
    app.advance(5 * DAY);
    home.tablet.get("/devices").await.expect(200);

    app.set_role(&home.ada, "admin");
    let id = id_of(&home.tablet).await;
    home.return_to_laptop().await;
    let page = home.laptop.get(&format!("/admin/sessions/{id}")).await;
    page.expect(200)
        .expect_words("its device is exempt from the idle limit");
    let path = "/api/v1/admin/sessions";
    let listed = home.laptop.get(path).await.expect(200).json();
    let sessions = listed["sessions"].as_array().expect("sessions").iter();
    let exempt: Vec<_> = sessions.filter(|it| it["idle_exempt"] == true).collect();
    assert_eq!(exempt.len(), 1, "{listed:#}");
    assert_eq!(exempt[0]["id"], id.as_str());
    let one = home.laptop.get(&format!("{path}/{id}")).await.expect(200);
    assert_eq!(one.json()["idle_exempt"], true);
    let lines = format!("{path}/export?format=jsonl");
    let lines = home.laptop.get(&lines).await.expect(200).text;
    assert_eq!(lines.matches("\"idle_exempt\":true").count(), 1, "{lines}");
    let table = home.laptop.get(&format!("{path}/export")).await.expect(200);
    let mut rows = table.text.lines();
    assert!(
        rows.next()
            .is_some_and(|names| names.ends_with(",idle_exempt"))
    );
    assert_eq!(rows.filter(|row| row.ends_with(",true")).count(), 1);
    let export = home.laptop.get("/account/export").await.expect(200).json();
    let devices = export["devices"].as_array().expect("devices");
    let exempt = devices
        .iter()
        .filter(|device| device["is_idle_exempt"] == true);
    assert_eq!(exempt.count(), 1);
}

async fn a_session_cannot_exempt_itself_without_the_password(app: &TestApp) {
    let home = Home::start(app).await;
    app.advance(Duration::from_secs(11 * 60));
    let page = home.exempt(&home.tablet).await.expect(403);
    let page = page.expect_words("Keep Safari on iPhone signed in?");
    assert_eq!(app.database.number(EXEMPT), 0);
    // The page with the form says what it does with the password.
    let form = html::forms_to(&page.text, "/confirm").remove(0);
    let confirmed = home.tablet.send(&form, &[("password", PASSWORD)]).await;
    assert_eq!(
        confirmed.expect(307).header("location"),
        format!("{}/when-unused", home.path)
    );
}

async fn an_idle_choice_leaves_exempt_devices(app: &TestApp) {
    let home = Home::start(app).await;
    let phone = app.login(&home.ada, IPHONE).await;
    home.exempt(&home.laptop).await.expect(303);
    app.advance(Duration::from_secs(6 * 60 * 60));
    let password = [("password", PASSWORD)];
    home.laptop
        .submit("/confirm", "/confirm", &password)
        .await
        .expect(303);
    for limit in ["week", "", "month"] {
        let chosen = [("idle_limit", limit)];
        home.laptop
            .submit("/account", "/account/idle-limit", &chosen)
            .await
            .expect(303);
    }
    app.advance(5 * DAY);
    home.tablet.get("/devices").await.expect(200);
    app.anyone().refresh(&phone.refresh_token).await.expect(200);
    assert_eq!(app.database.sessions_where("idle_seconds = 2592000"), 1);
}

async fn ending_the_exemption_of_an_unused_device_names_it_first(app: &TestApp) {
    let home = Home::start(app).await;
    home.exempt(&home.laptop).await.expect(303);
    app.advance(3 * DAY);
    home.return_to_laptop().await;
    let page = home.end_exemption().await.expect(200);
    let page = page
        .expect_words("Sign out Safari on iPhone ?")
        .expect_words("This device has not been used for 12 hours")
        .expect_words("Safari on iPhone");
    assert_eq!(app.database.number(EXEMPT), 1);
    assert_eq!(app.database.sessions_where("is_active"), 3);
    let action = format!("{}/when-unused", home.path);
    let form = html::forms_to(&page.text, &action).remove(0);
    let done = home.laptop.send(&form, &[]).await.expect(303);
    let page = home.laptop.follow(&done).await.expect(200);
    page.expect_words("Saved. Safari on iPhone is signed out.");
    assert!(home.tablet.get("/devices").await.is_to_sign_in());
    assert_eq!(app.database.number(EXEMPT), 0);
}

async fn ending_the_exemption_of_a_used_device_puts_the_limit_back(app: &TestApp) {
    let home = Home::start(app).await;
    home.exempt(&home.laptop).await.expect(303);
    app.advance(3 * DAY);
    home.tablet.get("/devices").await.expect(200);
    home.return_to_laptop().await;
    let done = home.end_exemption().await.expect(303);
    let page = home.laptop.follow(&done).await.expect(200);
    page.expect_words("Saved. From now on, the device signs out after 12 hours without use.")
        .expect_words("Set to sign out automatically when unused");
    app.advance(Duration::from_secs(11 * 60 * 60));
    home.tablet.get("/devices").await.expect(200);
    app.advance(Duration::from_secs(13 * 60 * 60));
    assert!(home.tablet.get("/devices").await.is_to_sign_in());
}

async fn token_reuse_ends_the_exemption(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let on_tablet = async || {
        let body = json!({"email": ada.email, "password": ada.password, "device_id": "kitchen"});
        let response = app.anyone().post("/api/v1/auth/login", &body).await;
        response.expect(200).json()
    };
    let first = on_tablet().await;
    let id = first["session"]["id"].as_str().expect("an id").to_owned();
    let path = format!("/devices/{id}");
    laptop
        .submit(&path, &format!("{path}/when-unused"), &STAYS)
        .await
        .expect(303);
    assert_eq!(on_tablet().await["session"]["idle_exempt"], true);
    let spent = first["refresh_token"].as_str().expect("a token").to_owned();
    let mut token = spent.clone();
    for _ in 0..3 {
        app.advance(Duration::from_secs(60));
        let next = app.anyone().refresh(&token).await.expect(200).json();
        token = next["refresh_token"].as_str().expect("a token").to_owned();
    }
    app.anyone()
        .refresh(&spent)
        .await
        .problem(401, "invalid_token");
    assert_eq!(
        app.database
            .sessions_where("ended_reason = 'reuse_detected'"),
        1
    );
    assert_eq!(app.database.number(EXEMPT), 0);
    assert_eq!(on_tablet().await["session"]["idle_exempt"], false);
    // Nor does the other session on it stay exempt.
    let exempt = "is_active AND idle_seconds = 2147483647";
    assert_eq!(app.database.sessions_where(exempt), 0);
}

async fn reporting_a_device_ends_its_exemption(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    app.advance(Duration::from_secs(60));
    let stranger = app.signed_in_browser(&ada, IPHONE).await;
    let path = format!("/devices/{}", id_of(&stranger).await);
    let action = format!("{path}/when-unused");
    // The owner takes it for theirs at first.
    laptop.submit(&path, &action, &STAYS).await.expect(303);
    // A copy of the device id, on another system, stays signed in.
    let body = json!({"email": ada.email, "password": ada.password,
                      "device_id": stranger.cookie("rollcall_device")});
    app.anyone().post("/api/v1/auth/login", &body).await;
    let devices = laptop.get("/devices").await.expect(200);
    let no = html::forms(&devices.text)
        .into_iter()
        .find(|form| form.action.ends_with("/no"))
        .expect("an alert");
    laptop.send(&no, &[]).await.expect(303);
    assert_eq!(app.database.number(EXEMPT), 0);
    assert_eq!(
        app.database
            .sessions_where("is_active AND idle_seconds = 2147483647"),
        0
    );
    stranger.sign_in(&ada).await.expect(303);
    let session = stranger.get("/api/v1/sessions/current").await.json();
    assert_eq!(session["idle_exempt"], false);
}

async fn a_device_without_an_id_is_not_offered_it(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let program = app.login(&ada, IPHONE).await;
    app.database
        .execute("UPDATE user_sessions SET device_id = NULL WHERE opened_via = 'api'");
    let path = format!("/devices/{}", program.id());
    let page = laptop.get(&path).await.expect(200);
    assert!(!page.text.contains("/when-unused"), "{}", page.text);
    let form = laptop.form(&path, &format!("{path}/rename")).await;
    let form = form.aimed_at(&format!("{path}/when-unused"));
    laptop.send(&form, &STAYS).await.expect(404);
    laptop
        .send(&form, &[("when_unused", "forever")])
        .await
        .expect(400);
}

async fn nobody_exempts_anothers_device(app: &TestApp) {
    let home = Home::start(app).await;
    let bob = app.register("bob@example.org").await;
    let browser = app.signed_in_browser(&bob, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    let form = form.aimed_at(&format!("{}/when-unused", home.path));
    browser.send(&form, &STAYS).await.expect(404);
    assert_eq!(app.database.number(EXEMPT), 0);
}

async fn an_exemption_and_an_idle_choice_at_once_leave_the_device_exempt(app: &TestApp) {
    let home = Home::start(app).await;
    let idle = home.laptop.form("/account", "/account/idle-limit").await;
    let action = format!("{}/when-unused", home.path);
    let exempt = home.laptop.form(&home.path, &action).await;
    let week = [("idle_limit", "week")];
    let (one, two, three) = tokio::join!(
        home.laptop.send(&idle, &week),
        home.laptop.send(&exempt, &STAYS),
        home.laptop.send(&idle, &week)
    );
    for response in [one, two, three] {
        response.expect(303);
    }
    assert_eq!(app.database.sessions_where("idle_seconds = 2147483647"), 1);
    app.advance(5 * DAY);
    home.tablet.get("/devices").await.expect(200);
}

/// Whatever fails between the two.
async fn token_reuse_ends_the_session_and_the_exemption_or_neither(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let body = json!({"email": ada.email, "password": ada.password, "device_id": "kitchen"});
    let first = app.anyone().post("/api/v1/auth/login", &body).await;
    let first = first.expect(200).json();
    let path = format!(
        "/devices/{}",
        first["session"]["id"].as_str().expect("an id")
    );
    laptop
        .submit(&path, &format!("{path}/when-unused"), &STAYS)
        .await
        .expect(303);
    let spent = first["refresh_token"].as_str().expect("a token").to_owned();
    let mut token = spent.clone();
    for _ in 0..3 {
        app.advance(Duration::from_secs(60));
        let next = app.anyone().refresh(&token).await.expect(200).json();
        token = next["refresh_token"].as_str().expect("a token").to_owned();
    }
    let (refuse, admit) = match app.database.postgres_name() {
        None => (
            "CREATE TRIGGER refuse BEFORE UPDATE OF is_idle_exempt ON devices
             BEGIN SELECT RAISE(ABORT, 'refused'); END",
            "DROP TRIGGER refuse",
        ),
        Some(_) => (
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE 'refused'; END $$;
             CREATE TRIGGER refuse BEFORE UPDATE OF is_idle_exempt ON devices
             FOR EACH ROW EXECUTE FUNCTION refuse()",
            "DROP TRIGGER refuse ON devices",
        ),
    };
    app.database.execute(refuse);
    let failed = app.anyone().refresh(&spent).await;
    assert!(failed.status >= 500, "{failed:?}");
    assert_eq!(app.database.sessions_where("is_active"), 2);
    assert_eq!(app.database.number(EXEMPT), 1);
    app.database.execute(admit);
    app.anyone()
        .refresh(&spent)
        .await
        .problem(401, "invalid_token");
    assert_eq!(app.database.sessions_where("is_active"), 1);
    assert_eq!(app.database.number(EXEMPT), 0);
}
