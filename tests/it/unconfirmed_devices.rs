//! Devices whose sign-in waits for an answer: whoever knows the password passes every step-up, and still hides
//! no evidence.

use crate::support::app::{behind_proxy, use_mail_server};
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    database: an_unconfirmed_device_hides_nothing,
    a_confirmed_device_changes_what_it_likes,
    an_unconfirmed_device_names_only_itself,
    whoever_has_the_id_of_another_device_does_not_name_it,
    a_first_device_is_never_in_doubt,
    a_device_that_came_after_an_open_alert_is_in_doubt,
    nobody_is_held_up_in_the_network_of_a_device_from_before,
    the_refusal_says_how_to_go_on,
    an_unconfirmed_device_takes_no_account_that_mail_does_not_give_back,
    without_mail_an_unconfirmed_device_sets_no_password,
    a_new_password_by_a_link_ends_the_doubt,
    a_link_ends_no_doubt_once_somebody_in_doubt_has_changed_the_email,
    an_unconfirmed_device_of_an_administrator_changes_nothing,
    the_address_of_an_open_alert_stays_until_it_is_answered,
    the_address_of_an_alert_that_nobody_answered_goes,
    the_address_of_an_alert_that_is_answered_meanwhile_goes_at_once,
    signing_in_again_on_a_device_from_before_is_a_way_on,
    the_activity_says_which_device_was_renamed,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const UNCONFIRMED: &str =
    "Nothing was changed. This device signed in recently, and nobody has confirmed it yet.";

/// Ada's account, with a laptop, and a stranger who has just signed in with her password.
struct Fixture {
    app: TestApp,
    ada: Person,
    laptop: Browser,
    stranger: Browser,
    /// The pages of both devices.
    devices: [String; 2],
}

async fn set_up(database: Database) -> Fixture {
    // Nothing listens there: messages wait.
    let app = TestApp::start_with(database, |settings| use_mail_server(settings, 9)).await;
    set_up_in(app).await
}

async fn set_up_in(app: TestApp) -> Fixture {
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await.expect(303);
    app.advance(MINUTE);
    let stranger = app.browser_from(IPHONE, ELSEWHERE);
    stranger.sign_in(&ada).await.expect(303);
    let devices = [
        only_other_device(&stranger).await,
        only_other_device(&laptop).await,
    ];
    Fixture {
        app,
        ada,
        laptop,
        stranger,
        devices,
    }
}

/// Returns the path of the page of the other device that *Your devices* lists.
async fn only_other_device(browser: &Browser) -> String {
    let path = browser.sign_out_paths().await.remove(0);
    path.trim_end_matches("/sign-out").to_owned()
}

/// What hides the evidence of an alert, or makes a session last: the page of a form, the form and its fields.
type Act = (String, String, Vec<(&'static str, &'static str)>);

impl Fixture {
    fn acts(&self) -> Vec<Act> {
        let [laptop, own] = self.devices.clone();
        let account = |path: &str, fields| ("/account".into(), format!("/account/{path}"), fields);
        vec![
            account("addresses", vec![("addresses", "shortened")]),
            account("addresses", vec![("addresses", "none")]),
            account("alerts", vec![]),
            account("name", vec![("full_name", "Bob")]),
            (
                laptop.clone(),
                format!("{laptop}/rename"),
                vec![("device_name", "Old laptop")],
            ),
            (
                own.clone(),
                format!("{own}/when-unused"),
                vec![("when_unused", "stays-signed-in")],
            ),
            account("time-zone", vec![("time_zone", "Asia/Tokyo")]),
            account("idle-limit", vec![("idle_limit", "week")]),
            account("idle-limit", vec![("idle_limit", "three-months")]),
            account("email", vec![("email", "thief@example.org")]),
            (
                "/account/delete".into(),
                "/account/delete".into(),
                vec![("typed", "ada@example.org")],
            ),
        ]
    }

    /// Does something in the stranger's browser.
    async fn act(&self, (page, action, fields): &Act) -> TestResponse {
        self.stranger.submit(page, action, fields).await
    }
}

async fn an_unconfirmed_device_hides_nothing(database: Database) {
    let fixture = set_up(database).await;
    let state = || {
        let users = "SELECT coalesce(full_name, '') || address_keeping AS value FROM users";
        let emails = "SELECT count(*) AS value FROM users WHERE alert_emails";
        let names = "SELECT device_name AS value FROM user_sessions ORDER BY created_at";
        let exempt = "SELECT count(*) AS value FROM devices WHERE is_idle_exempt";
        let database = &fixture.app.database;
        (
            database.texts(users),
            database.number(emails),
            database.texts(names),
            database.number(exempt),
        )
    };
    let before = state();
    for act in fixture.acts() {
        let page = fixture.act(&act).await.expect(403);
        page.expect_words("This can’t be changed on this device yet")
            .expect_words(UNCONFIRMED)
            .expect_words("Confirm it on a device that you used before, or with the link in the e-mail about it, if you got one; otherwise this has to wait until 7 days after the sign-in.");
        assert_eq!(state(), before, "{act:?}");
    }
    // To see one's alerts by e-mail hides nothing.
    let on = [("alert_emails", "on")];
    let done = fixture.stranger.submit("/account", "/account/alerts", &on);
    done.await.expect(303);
    // Nor does it to leave them switched off.
    let alerts = "/account/alerts";
    let off = fixture.laptop.submit("/account", alerts, &[]).await;
    off.expect(303);
    let again = fixture.stranger.submit("/account", alerts, &[]).await;
    again.expect(303);
    fixture.app.stop().await;
}

async fn a_confirmed_device_changes_what_it_likes(database: Database) {
    let fixture = set_up(database).await;
    fixture.laptop.answer_alert("/yes").await;
    for act in fixture.acts() {
        fixture.act(&act).await.expect(303);
    }
    fixture.app.stop().await;
}

async fn an_unconfirmed_device_names_only_itself(database: Database) {
    let fixture = set_up(database).await;
    let own = fixture.devices[1].clone();
    let name = [("device_name", "My phone")];
    let rename = format!("{own}/rename");
    let named = fixture.stranger.submit(&own, &rename, &name);
    named.await.expect(303);
    let program = fixture
        .app
        .login_from(&fixture.ada, "curl/8.14.1", ELSEWHERE, None)
        .await;
    let name = json!({"device_name": "Old laptop"});
    let path = |device: &str| device.replace("/devices/", "/api/v1/sessions/");
    let refused = program.patch(&path(&fixture.devices[0]), &name).await;
    refused.problem(403, "unconfirmed_device");
    let own = format!("/api/v1/sessions/{}", program.id());
    program.patch(&own, &name).await.expect(200);
    let unknown = "/api/v1/sessions/01920000-0000-7000-8000-000000000000";
    program
        .patch(unknown, &name)
        .await
        .problem(404, "not_found");
    fixture.app.stop().await;
}

async fn whoever_has_the_id_of_another_device_does_not_name_it(database: Database) {
    let app = TestApp::start_with(database, behind_proxy).await;
    let ada = app.register("ada@example.org").await;
    app.login_from(&ada, FIREFOX, HOME, Some("laptop")).await;
    app.advance(MINUTE);
    let stranger = app
        .login_from(&ada, IPHONE, ELSEWHERE, Some("laptop"))
        .await;
    let own = format!("/api/v1/sessions/{}", stranger.id());
    let name = json!({"device_name": "Old laptop"});
    let refused = stranger.patch(&own, &name).await;
    refused.problem(403, "unconfirmed_device");
    let named = "SELECT count(*) AS value FROM user_sessions WHERE device_name = 'Old laptop'";
    assert_eq!(app.database.number(named), 0);
    app.stop().await;
}

async fn a_first_device_is_never_in_doubt(database: Database) {
    let app = TestApp::start_with(database, behind_proxy).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await.expect(303);
    let none = [("addresses", "none")];
    let chosen = laptop.submit("/account", "/account/addresses", &none);
    chosen.await.expect(303);
    app.stop().await;
}

async fn a_device_that_came_after_an_open_alert_is_in_doubt(database: Database) {
    let fixture = set_up(database).await;
    fixture.app.advance(MINUTE);
    // It raises no alert, since it looks like the stranger's.
    let newer = fixture.app.browser_from(IPHONE, ELSEWHERE);
    newer.sign_in(&fixture.ada).await.expect(303);
    let name = [("full_name", "Ada")];
    let refused = newer.submit("/account", "/account/name", &name).await;
    refused.expect(403).expect_words("Nothing was changed. This device signed in after something that waits for an answer. Answer that on a device that you used before, or with the link in the e-mail about it, if you got one; otherwise this has to wait until 7 days after that.");
    expect_notice_without_dismissal(&fixture, &newer).await;
    fixture.laptop.answer_alert("/no").await;
    // The report ended it, since nobody has confirmed it.
    assert!(newer.get("/account").await.is_to_sign_in());
    fixture.app.stop().await;
}

/// An intruder is rarely there.
async fn nobody_is_held_up_in_the_network_of_a_device_from_before(database: Database) {
    let fixture = set_up(database).await;
    let tablet = fixture.app.browser_from("curl/8.5.0", "203.0.113.99");
    tablet.sign_in(&fixture.ada).await.expect(303);
    let (page, action, fields) = &fixture.acts()[0];
    let done = tablet.submit(page, action, fields).await;
    done.expect(303);
    fixture.act(&fixture.acts()[1]).await.expect(403);
    fixture.app.stop().await;
}

/// A notice of what an administrator did can be dismissed only where nothing is in doubt.
async fn expect_notice_without_dismissal(fixture: &Fixture, doubtful: &Browser) {
    let app = &fixture.app;
    let program = app.login_from(&fixture.ada, "curl/8.14.1", "192.0.2.9", None);
    program.await;
    app.database.execute(
        "UPDATE alerts SET kind = 'administered', act = 'email_changed'
         WHERE ip_address = '192.0.2.9'",
    );
    for (browser, may_dismiss) in [(doubtful, false), (&fixture.laptop, true)] {
        let page = browser.get("/devices").await.expect(200);
        let page = page.expect_words("Changes by an administrator");
        assert_eq!(page.text.contains("/read\""), may_dismiss, "{}", page.text);
    }
}

async fn the_refusal_says_how_to_go_on(database: Database) {
    let fixture = set_up_in(TestApp::start_with(database, behind_proxy).await).await;
    let act = fixture.acts().remove(1);
    let page = fixture.act(&act).await.expect(403);
    let page = page.expect_words("Confirm it on a device that you used before; otherwise this has to wait until 7 days after the sign-in.");
    assert!(!page.words().contains("e-mailed"), "{}", page.words());
    let out = fixture.laptop.submit("/devices", "/sign-out", &[]).await;
    out.expect(303);
    let page = fixture.act(&act).await.expect(403);
    page.expect_words("Sign in on a device that you used before, and confirm it there, or ask an administrator of this service for a link to set a new password; otherwise this has to wait until 7 days after the sign-in.");
    fixture.app.advance(31 * DAY);
    fixture.stranger.sign_in(&fixture.ada).await.expect(303);
    fixture.act(&act).await.expect(303);
    fixture.app.stop().await;
}

/// An owner whom no message reaches would lose the account.
async fn an_unconfirmed_device_takes_no_account_that_mail_does_not_give_back(database: Database) {
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "quite another long one"),
    ];
    let fixture = set_up(database).await;
    let change = || {
        fixture
            .stranger
            .submit("/account", "/account/password", &fields)
    };
    let verified = |is_verified: bool| {
        let at = if is_verified { "created_at" } else { "NULL" };
        let update = format!("UPDATE users SET email_verified_at = {at}");
        fixture.app.database.execute(&update);
    };
    verified(false);
    let page = change().await.expect(403);
    page.expect_words("This can’t be changed on this device yet")
        .expect_words(UNCONFIRMED);
    verified(true);
    change().await.expect(303);
    fixture.app.stop().await;
}

async fn without_mail_an_unconfirmed_device_sets_no_password(database: Database) {
    let fixture = set_up_in(TestApp::start_with(database, behind_proxy).await).await;
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "quite another long one"),
    ];
    for (browser, status) in [(&fixture.stranger, 403), (&fixture.laptop, 303)] {
        let set = browser.submit("/account", "/account/password", &fields);
        set.await.expect(status);
    }
    fixture.app.stop().await;
}

/// Whoever signs in then has had the link.
async fn a_new_password_by_a_link_ends_the_doubt(database: Database) {
    let fixture = set_up_in(TestApp::start_with(database, behind_proxy).await).await;
    let name = [("full_name", "Ada")];
    let change = async || {
        let page = fixture.stranger.get("/account").await;
        match page.is_to_sign_in() {
            true => page,
            false => {
                fixture
                    .stranger
                    .submit("/account", "/account/name", &name)
                    .await
            }
        }
    };
    change().await.expect(403);
    let ada = set_password_by_link(&fixture).await;
    assert!(change().await.is_to_sign_in());
    // It is the browser that the alert was about: it is known by now.
    fixture.stranger.sign_in(&ada).await.expect(303);
    change().await.expect(303);
    fixture.app.stop().await;
}

/// The mailbox is theirs then.
async fn a_link_ends_no_doubt_once_somebody_in_doubt_has_changed_the_email(database: Database) {
    let fixture = set_up_in(TestApp::start_with(database, behind_proxy).await).await;
    let app = &fixture.app;
    let curl = app.login_from(&fixture.ada, "curl/8.14.1", "192.0.2.9", None);
    curl.await;
    let change = "UPDATE alerts SET kind = 'email_changed' WHERE ip_address = '192.0.2.9'";
    app.database.execute(change);
    let ada = set_password_by_link(&fixture).await;
    fixture.stranger.sign_in(&ada).await.expect(303);
    let name = [("full_name", "Ada")];
    let refused = fixture.stranger.submit("/account", "/account/name", &name);
    refused.await.expect(403);
    fixture.app.stop().await;
}

/// Sets a new password by a link, for whoever has that. Returns Ada with it.
async fn set_password_by_link(fixture: &Fixture) -> Person {
    let app = &fixture.app;
    app.advance(MINUTE);
    let rollcall = Program::with(&app.database);
    let link = rollcall
        .run(&["user", "reset-link", &fixture.ada.email])
        .expect_done();
    // The program's clock is not the test's.
    app.database
        .execute("UPDATE password_resets SET expires_at = '2031-05-24 09:00:00.000000'");
    let (_, path) = link.split_at(link.find("/reset-password/").expect("a path"));
    let path = path.trim();
    let fields = [("new_password", "quite another long one")];
    let set = app.browser(FIREFOX).submit(path, path, &fields).await;
    set.expect(303);
    app.advance(MINUTE);
    Person {
        password: "quite another long one".into(),
        ..fixture.ada.clone()
    }
}

async fn an_unconfirmed_device_of_an_administrator_changes_nothing(database: Database) {
    let fixture = set_up(database).await;
    let app = &fixture.app;
    app.set_role(&fixture.ada, "admin");
    let new =
        json!({"email": "eve@example.org", "password": "quite another long one", "role": "admin"});
    let ada = app
        .login_from(&fixture.ada, "curl/8.5.0", ELSEWHERE, None)
        .await;
    let create = || TestResponse::to(ada.request("POST", "/api/v1/admin/users").json(&new));
    let refused = create().await;
    refused.problem(403, "unconfirmed_device");
    fixture.stranger.get("/admin/users/new").await.expect(403);
    fixture.laptop.get("/admin/users/new").await.expect(200);
    app.confirm_sign_ins();
    create().await.expect(201);
    fixture.app.stop().await;
}

fn addresses(app: &TestApp, table: &str) -> Vec<String> {
    let query = format!(
        "SELECT DISTINCT ip_address AS value FROM {table} WHERE ip_address IS NOT NULL ORDER BY 1"
    );
    app.database.texts(&query).into_iter().flatten().collect()
}

async fn the_address_of_an_open_alert_stays_until_it_is_answered(database: Database) {
    let fixture = set_up(database).await;
    let choose = async |choice| {
        let fields = [("addresses", choice)];
        let action = "/account/addresses";
        let chosen = fixture.laptop.submit("/account", action, &fields).await;
        fixture.laptop.follow(&chosen.expect(303)).await.expect(200)
    };
    let page = choose("shortened").await;
    page.expect_words(
        "Saved. Older addresses were shortened, too, except in alerts that wait for an answer.",
    );
    // The second time there is nothing else to delete.
    for _ in 0..2 {
        let page = choose("none").await;
        page.expect_words(
            "Saved. Older addresses were deleted, too, except in alerts that wait for an answer.",
        );
    }
    let app = &fixture.app;
    app.flush().await;
    assert_eq!(addresses(app, "alerts"), [ELSEWHERE]);
    assert!(addresses(app, "user_sessions").is_empty());
    assert!(addresses(app, "session_events").is_empty());
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words(ELSEWHERE);
    fixture.laptop.answer_alert("/yes").await;
    assert!(addresses(app, "alerts").is_empty());
    let page = choose("none").await;
    assert!(page.words().contains("Saved."), "{}", page.words());
    assert!(!page.words().contains("Older"), "{}", page.words());
    fixture.app.stop().await;
}

async fn the_address_of_an_alert_that_nobody_answered_goes(database: Database) {
    let fixture = set_up(database).await;
    let fields = [("addresses", "shortened")];
    let action = "/account/addresses";
    let chosen = fixture.laptop.submit("/account", action, &fields).await;
    chosen.expect(303);
    let app = &fixture.app;
    app.advance(29 * DAY);
    app.sweep().await;
    assert_eq!(addresses(app, "alerts"), [ELSEWHERE]);
    app.advance(2 * DAY);
    app.sweep().await;
    assert_eq!(addresses(app, "alerts"), ["198.51.100.0"]);
    fixture.app.stop().await;
}

async fn the_activity_says_which_device_was_renamed(database: Database) {
    let app = TestApp::start_with(database, behind_proxy).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await.expect(303);
    app.advance(MINUTE);
    let phone = app.login_from(&ada, IPHONE, HOME, Some("phone")).await;
    laptop.answer_alert("/yes").await;
    let device = format!("/devices/{}", phone.id());
    let rename = format!("{device}/rename");
    for name in ["Zap", "Old phone"] {
        app.advance(MINUTE);
        let name = [("device_name", name)];
        let named = laptop.submit(&device, &rename, &name);
        named.await.expect(303);
    }
    let own = [("full_name", "Countess")];
    let named = laptop.submit("/account", "/account/name", &own).await;
    named.expect(303);
    let page = laptop.get("/account").await.expect(200);
    page.expect_words("You renamed “Zap” to “Old phone” Firefox on Windows · 203.0.113.7 ·")
        .expect_words("You renamed “Safari on iPhone” to “Zap” Firefox on Windows · 203.0.113.7 ·")
        .expect_words("You changed your name Firefox on Windows · 203.0.113.7 ·");
    let page = laptop.get(&device).await.expect(200);
    page.expect_words("“Zap” was renamed “Old phone”");
    let key = app.create_key("admin:read");
    let request = app
        .anyone()
        .request("GET", "/api/v1/admin/events?kind=renamed")
        .bearer_auth(key);
    let listed = TestResponse::to(request).await.expect(200).json();
    let last = &listed["events"][0];
    assert_eq!(last["detail"], "Old phone");
    assert_eq!(last["device_name"], "Zap");
    app.stop().await;
}

/// Another transaction answers it between the reading of the addresses and the update.
async fn the_address_of_an_alert_that_is_answered_meanwhile_goes_at_once(database: Database) {
    let fixture = set_up(database).await;
    let app = &fixture.app;
    let curl = app.login_from(&fixture.ada, "curl/8.14.1", "192.0.2.9", None);
    curl.await;
    let answer = "UPDATE alerts SET answer = 'mine', answered_at = at WHERE id <> NEW.id;";
    let trigger = "CREATE TRIGGER meanwhile AFTER UPDATE OF redaction_due ON alerts";
    app.database.execute(&match app.database.postgres_name() {
        None => format!("{trigger} WHEN NEW.redaction_due BEGIN {answer} END"),
        Some(_) => format!(
            "CREATE FUNCTION meanwhile() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN {answer} RETURN NULL; END $$;
             {trigger} FOR EACH ROW WHEN (NEW.redaction_due) EXECUTE FUNCTION meanwhile()"
        ),
    });
    let fields = [("addresses", "none")];
    let action = "/account/addresses";
    let chosen = fixture.laptop.submit("/account", action, &fields).await;
    chosen.expect(303);
    // One waits still.
    assert_eq!(addresses(app, "alerts").len(), 1);
    fixture.app.stop().await;
}

async fn signing_in_again_on_a_device_from_before_is_a_way_on(database: Database) {
    let fixture = set_up_in(TestApp::start_with(database, behind_proxy).await).await;
    let act = fixture.acts().remove(3);
    let out = fixture.laptop.submit("/devices", "/sign-out", &[]).await;
    out.expect(303);
    fixture.act(&act).await.expect(403);
    fixture.app.advance(MINUTE);
    fixture.laptop.sign_in(&fixture.ada).await.expect(303);
    fixture.laptop.answer_alert("/yes").await;
    fixture.act(&act).await.expect(303);
    fixture.app.stop().await;
}
