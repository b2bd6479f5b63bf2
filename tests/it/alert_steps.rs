//! After a report: the steps that are left are shown until each is done or skipped.

use crate::support::html::forms;
use crate::support::prelude::*;

on_both!(
    database: the_steps_stay_until_each_is_done,
    the_steps_stay_until_each_is_skipped,
    a_skipped_step_can_be_taken_up_again,
    a_second_report_hides_no_step_of_the_first,
    what_had_ended_before_is_not_done_by_the_report,
    the_steps_are_shown_on_another_known_device,
    a_device_that_came_later_is_shown_no_steps,
    the_steps_end_after_a_week,
    another_persons_steps_cannot_be_skipped,
    a_step_needs_its_csrf_token,
    steps_that_are_unknown_do_not_exist,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";
const MINUTE: Duration = Duration::from_secs(60);
const NEW: &str = "another battery staple";

/// Ada's account: a laptop and a desktop that she confirmed, and an intruder whom she reported on the
/// laptop.
struct Fixture {
    app: TestApp,
    ada: Person,
    laptop: Browser,
    desktop: Browser,
    page: TestResponse,
}

async fn set_up(database: Database) -> Fixture {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = signed_in(&app, &ada, FIREFOX, HOME).await;
    app.advance(MINUTE);
    let desktop = signed_in(&app, &ada, "curl/8.14.1", "192.0.2.1").await;
    laptop.answer_alert("/yes").await;
    app.advance(MINUTE);
    app.login_from(&ada, IPHONE, ELSEWHERE, None).await;
    app.advance(MINUTE);
    let page = laptop.answer_alert("/no").await;
    Fixture {
        app,
        ada,
        laptop,
        desktop,
        page,
    }
}

/// Returns a browser that keeps the person signed in.
async fn signed_in(app: &TestApp, person: &Person, user_agent: &str, ip: &str) -> Browser {
    let browser = app.browser_from(user_agent, ip);
    browser.sign_in_to_stay(person).await.expect(303);
    browser
}

async fn has_steps(browser: &Browser) -> bool {
    let page = browser.get("/devices").await.expect(200);
    page.words().contains("Make your account safe")
}

async fn the_steps_stay_until_each_is_done(database: Database) {
    let Fixture {
        app,
        ada,
        laptop,
        page,
        ..
    } = set_up(database).await;
    page.expect_words("Safari on iPhone is signed out, and no longer counts as yours.")
        .expect_words("Make your account safe: 1 of 3 steps is done You reported Safari on iPhone")
        .expect_words("Somebody may know your password.")
        .expect_words("Sign it out Done")
        .expect_words("Sign out your other devices To do")
        .expect_words("Set a new password, and check your e-mail To do")
        .expect_words("New password: To do")
        .expect_words("E-mail: To do")
        .expect_words("Your account’s e-mail is ada@example.org.");
    // After a reload as well.
    assert!(has_steps(&laptop).await);
    app.advance(MINUTE);
    let others = "/devices/sign-out-others";
    laptop.submit(others, others, &[]).await.expect(303);
    let page = laptop.get("/devices").await.expect(200);
    page.expect_words("Make your account safe: 2 of 3 steps are done")
        .expect_words("Sign out your other devices Done");
    app.advance(MINUTE);
    let old = ada.password.as_str();
    let same = [("current_password", old), ("new_password", old)];
    let refused = laptop.submit("/account", "/account/password", &same).await;
    let refused = refused.expect(400);
    refused.expect_words("This is your password already. Choose another one.");
    let page = laptop.get("/devices").await.expect(200);
    page.expect_words("New password: To do");
    let fields = [("current_password", old), ("new_password", NEW)];
    let changed = laptop
        .submit("/account", "/account/password", &fields)
        .await;
    changed.expect(303);
    let page = laptop.get("/devices").await.expect(200);
    page.expect_words("Make your account safe: 2 of 3 steps are done")
        .expect_words("New password: Done")
        .expect_words("E-mail: To do");
    let page = laptop.answer_alert("/steps/email/confirm").await;
    let finished = "You finished the steps that make your account safe.";
    page.expect_words(finished);
    let page = laptop.get("/devices").await.expect(200);
    for gone in [finished, "Make your account safe", "Skipped"] {
        assert!(!page.words().contains(gone), "{}", page.words());
    }
    app.stop().await;
}

async fn the_steps_stay_until_each_is_skipped(database: Database) {
    let fixture = set_up(database).await;
    let page = fixture.laptop.answer_alert("/steps/others/skip").await;
    page.expect_words("Sign out your other devices Skipped");
    let page = fixture.laptop.answer_alert("/steps/email/skip").await;
    page.expect_words("E-mail: Skipped");
    assert!(has_steps(&fixture.desktop).await, "one is left");
    let page = fixture.laptop.answer_alert("/steps/password/skip").await;
    page.expect_words(
        "You skipped the steps that make your account safe. You can still do them: they stay listed on Your devices.",
    )
    .expect_words("Nothing needs your attention.");
    assert!(!has_steps(&fixture.laptop).await);
    assert!(!has_steps(&fixture.desktop).await);
    // What was skipped comes again after another report.
    fixture.app.advance(MINUTE);
    fixture
        .app
        .login_from(&fixture.ada, IPHONE, ELSEWHERE, None)
        .await;
    let page = fixture.laptop.answer_alert("/no").await;
    page.expect_words("Make your account safe: 1 of 3 steps is done");
    fixture.app.stop().await;
}

async fn a_skipped_step_can_be_taken_up_again(database: Database) {
    let fixture = set_up(database).await;
    for step in ["others", "password", "email"] {
        fixture
            .laptop
            .answer_alert(&format!("/steps/{step}/skip"))
            .await;
    }
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words("Skipped after you reported Safari on iPhone : signing out your other devices, setting a new password and checking your e-mail")
        .expect_words("Sign them out after all")
        .expect_words("Set one after all");
    fixture.laptop.answer_alert("/steps/email/confirm").await;
    let others = "/devices/sign-out-others";
    let ended = fixture.laptop.submit(others, others, &[]).await;
    let page = fixture.laptop.follow(&ended).await.expect(200);
    assert!(!page.words().contains("You finished"), "{}", page.words());
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words("Skipped after you reported Safari on iPhone : setting a new password");
    fixture.app.advance(MINUTE);
    let fields = [
        ("current_password", fixture.ada.password.as_str()),
        ("new_password", NEW),
    ];
    let changed = fixture
        .laptop
        .submit("/account", "/account/password", &fields)
        .await;
    let page = fixture.laptop.follow(&changed).await.expect(200);
    page.expect_words("You finished the steps that make your account safe.");
    let page = fixture.laptop.get("/devices").await.expect(200);
    assert!(!page.words().contains("Skipped"), "{}", page.words());
    // Later acts of the kind are no steps.
    fixture.app.advance(MINUTE);
    let again = "yet another battery staple";
    let fields = [("current_password", NEW), ("new_password", again)];
    let changed = fixture
        .laptop
        .submit("/account", "/account/password", &fields)
        .await;
    let page = fixture.laptop.follow(&changed).await.expect(200);
    let page = page.expect_words("Your password is changed.");
    assert!(!page.words().contains("You finished"), "{}", page.words());
    let ada = Person {
        password: again.into(),
        ..fixture.ada.clone()
    };
    let app = &fixture.app;
    app.login_from(&ada, "curl/8.14.1", HOME, None).await;
    let ended = fixture.laptop.submit(others, others, &[]).await;
    let page = fixture.laptop.follow(&ended).await.expect(200);
    assert!(!page.words().contains("You finished"), "{}", page.words());
    fixture.app.stop().await;
}

async fn a_second_report_hides_no_step_of_the_first(database: Database) {
    let fixture = set_up(database).await;
    fixture.laptop.answer_alert("/steps/email/confirm").await;
    fixture.app.advance(MINUTE);
    let second = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    fixture
        .app
        .login_from(&fixture.ada, second, ELSEWHERE, None)
        .await;
    let page = fixture.laptop.answer_alert("/no").await;
    page.expect_words("You reported Firefox on Linux and Safari on iPhone just now")
        .expect_words("Make your account safe: 1 of 3 steps is done");
    let page = fixture.laptop.get("/devices").await.expect(200);
    assert_eq!(page.words().matches("Make your account safe").count(), 1);
    fixture.app.stop().await;
}

/// What had ended by itself was not signed out by the report.
async fn what_had_ended_before_is_not_done_by_the_report(database: Database) {
    let fixture = set_up(database).await;
    for step in ["others", "password", "email"] {
        let skip = format!("/steps/{step}/skip");
        fixture.laptop.answer_alert(&skip).await;
    }
    fixture.app.advance(MINUTE);
    let phone = fixture
        .app
        .login_from(&fixture.ada, IPHONE, "198.51.101.7", None)
        .await;
    phone.post("/api/v1/auth/logout").await.expect(204);
    let page = fixture.laptop.answer_alert("/no").await;
    page.expect_words("Sign it out It was already signed out");
    fixture.app.stop().await;
}

async fn the_steps_are_shown_on_another_known_device(database: Database) {
    let fixture = set_up(database).await;
    fixture.laptop.answer_alert("/steps/others/skip").await;
    let page = fixture.desktop.get("/devices").await.expect(200);
    page.expect_words("Make your account safe")
        .expect_words("Sign out your other devices Skipped");
    fixture.desktop.answer_alert("/steps/password/skip").await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words("New password: Skipped");
    fixture.app.stop().await;
}

async fn a_device_that_came_later_is_shown_no_steps(database: Database) {
    let fixture = set_up(database).await;
    fixture.app.advance(MINUTE);
    let intruder = signed_in(&fixture.app, &fixture.ada, IPHONE, ELSEWHERE).await;
    assert!(!has_steps(&intruder).await);
    let skip = forms(&fixture.page.text)
        .into_iter()
        .find(|form| form.action.ends_with("/steps/others/skip"))
        .expect("a step");
    let form = intruder.form("/devices", "/sign-out").await;
    let skipped = intruder.send(&form.aimed_at(&skip.action), &[]).await;
    skipped.expect(303);
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words("Sign out your other devices To do");
    fixture.app.stop().await;
}

async fn the_steps_end_after_a_week(database: Database) {
    let fixture = set_up(database).await;
    fixture.app.advance(Duration::from_secs(6 * 24 * 60 * 60));
    assert!(has_steps(&fixture.laptop).await);
    fixture.app.advance(Duration::from_secs(24 * 60 * 60 + 1));
    assert!(!has_steps(&fixture.laptop).await);
    fixture.app.stop().await;
}

async fn another_persons_steps_cannot_be_skipped(database: Database) {
    let fixture = set_up(database).await;
    let eve = fixture.app.register("eve@example.org").await;
    let theirs = signed_in(&fixture.app, &eve, FIREFOX, HOME).await;
    let form = theirs.form("/devices", "/sign-out").await;
    for step in forms(&fixture.page.text) {
        if step.action.contains("/steps/") {
            let aimed = form.aimed_at(&step.action);
            theirs.send(&aimed, &[]).await.expect(303);
        }
    }
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words("Make your account safe: 1 of 3 steps is done");
    fixture.app.stop().await;
}

async fn a_step_needs_its_csrf_token(database: Database) {
    let fixture = set_up(database).await;
    for step in forms(&fixture.page.text) {
        if step.action.contains("/steps/") {
            fixture.laptop.post(&step.action, &[]).await.expect(403);
        }
    }
    fixture.app.stop().await;
}

async fn steps_that_are_unknown_do_not_exist(database: Database) {
    let fixture = set_up(database).await;
    let step = forms(&fixture.page.text)
        .into_iter()
        .find(|form| form.action.ends_with("/steps/others/skip"))
        .expect("a step");
    let unknown = step.action.replace("others", "sauna");
    let form = step.aimed_at(&unknown);
    fixture.laptop.send(&form, &[]).await.expect(404);
    fixture.app.stop().await;
}
