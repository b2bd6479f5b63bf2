//! Sentences in the states that are easily forgotten: what they say is so.

use crate::support::mailed::Mailed;
use crate::support::mmdb::Mmdb;
use crate::support::people_pages;
use crate::support::prelude::*;

on_both!(
    database: the_activity_says_you_to_the_person_and_them_to_administrators,
    no_step_is_done_that_nobody_did,
    what_several_reports_signed_out_is_one_step,
    what_was_skipped_is_called_so,
    after_a_link_no_device_is_to_be_signed_out_where_none_is_signed_in,
    a_reported_device_that_returns_is_not_there_for_the_first_time,
    a_country_of_a_reported_device_is_not_the_first_one,
    a_message_says_local_network_of_a_private_address,
    only_messages_about_sign_ins_say_that_they_can_be_turned_off,
);
on_both!(
    app: a_browser_that_is_not_recognised_is_called_so_once,
    signing_out_everywhere_is_announced_before_it_is_done,
    a_person_without_a_session_is_signed_in_on_no_device,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";
const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const MINUTE: Duration = Duration::from_secs(60);

/// Ada's account a minute after she signed in.
async fn set_up(database: Database) -> Mailed {
    let it = Mailed::start(database, HOME, |_| {}).await;
    it.app.advance(MINUTE);
    it
}

/// Signs a stranger in, and reports them.
async fn report(it: &Mailed, user_agent: &str, device: &str) -> TestResponse {
    let stranger = it
        .app
        .login_from(&it.ada, user_agent, ELSEWHERE, Some(device));
    stranger.await;
    it.app.advance(MINUTE);
    it.laptop.answer_alert("/no").await
}

async fn the_activity_says_you_to_the_person_and_them_to_administrators(database: Database) {
    let it = set_up(database).await;
    report(&it, IPHONE, "phone").await;
    let page = it.laptop.get("/account").await.expect(200);
    let page = page.expect_words("You answered an alert: it was not you");
    assert!(!page.words().contains("by you"), "{}", page.words());
    // By a link, it is not known who answers.
    it.app.advance(MINUTE);
    it.app.login_from(&it.ada, LINUX, ELSEWHERE, None).await;
    it.app.deliver_mail().await;
    let link = it
        .server
        .messages()
        .pop()
        .expect("a message")
        .link("/not-me/");
    let reader = it.reader();
    let response = reader.submit(&link, &link, &[("answer", "mine")]).await;
    response.expect(200);
    let page = it.laptop.get("/account").await.expect(200);
    let page = page.expect_words("Alert answered: it was you");
    assert!(!page.words().contains("it was them"), "{}", page.words());
    let root = it.app.register("root@example.org").await;
    it.app.set_role(&root, "admin");
    let browser = it.app.browser_from(FIREFOX, HOME);
    browser.sign_in(&root).await.expect(303);
    let list = browser
        .get("/admin/users?q=ada@example.org")
        .await
        .expect(200);
    let ada = people_pages::person_links(&list).remove(0);
    let page = browser.get(&ada).await.expect(200);
    page.expect_words("Alert answered: it was not them");
    it.stop().await;
}

async fn no_step_is_done_that_nobody_did(database: Database) {
    const OTHERS: &str = "Sign out your other devices";

    let it = set_up(database).await;
    let page = report(&it, IPHONE, "phone").await;
    page.expect_words("Make your account safe: 2 of 3 steps are done")
        .expect_words(&format!("{OTHERS} No other device is signed in"))
        .expect_words("New password: To do");
    it.app.advance(MINUTE);
    it.app.login_from(&it.ada, LINUX, HOME, Some("later")).await;
    let page = it.laptop.get("/devices").await.expect(200);
    page.expect_words(&format!("{OTHERS} The others signed in later"));
    it.app.advance(MINUTE);
    let others = "/devices/sign-out-others";
    it.laptop.submit(others, others, &[]).await.expect(303);
    let page = it.laptop.get("/devices").await.expect(200);
    page.expect_words(&format!("{OTHERS} Done"));
    it.stop().await;
}

/// The second of them had ended by itself.
async fn what_several_reports_signed_out_is_one_step(database: Database) {
    let it = set_up(database).await;
    report(&it, IPHONE, "phone").await;
    it.app.advance(MINUTE);
    let second = it.app.login_from(&it.ada, LINUX, "192.0.2.9", None).await;
    second.post("/api/v1/auth/logout").await.expect(204);
    let page = it.laptop.answer_alert("/no").await;
    page.expect_words("You reported Firefox on Linux and Safari on iPhone")
        .expect_words("Sign them out Done");
    it.stop().await;
}

async fn what_was_skipped_is_called_so(database: Database) {
    let it = set_up(database).await;
    report(&it, IPHONE, "phone").await;
    it.laptop.answer_alert("/steps/password/skip").await;
    let page = it.laptop.answer_alert("/steps/email/skip").await;
    let page = page.expect_words(
        "You skipped setting a new password and checking your e-mail. You can still do that: it stays listed on Your devices.",
    );
    assert!(!page.words().contains("You finished"), "{}", page.words());
    it.stop().await;
}

async fn after_a_link_no_device_is_to_be_signed_out_where_none_is_signed_in(database: Database) {
    let it = set_up(database).await;
    it.app.login_from(&it.ada, IPHONE, ELSEWHERE, None).await;
    it.app.deliver_mail().await;
    let link = it.server.messages().remove(0).link("/not-me/");
    let signed_out = it.laptop.submit("/devices", "/sign-out", &[]).await;
    signed_out.expect(303);
    let reader = it.reader();
    let page = reader.get(&link).await.expect(200);
    page.expect_words("Afterwards you can set a new password.");
    let page = reader.submit(&link, &link, &[("answer", "not-mine")]).await;
    page.expect(200)
        .expect_words("Make your account safe: 2 of 3 steps are done")
        .expect_words("Sign out your other devices No device is signed in");
    it.stop().await;
}

async fn a_reported_device_that_returns_is_not_there_for_the_first_time(database: Database) {
    let it = set_up(database).await;
    report(&it, IPHONE, "phone").await;
    it.app.advance(MINUTE);
    it.app
        .login_from(&it.ada, IPHONE, ELSEWHERE, Some("phone"))
        .await;
    let page = it.laptop.get("/devices").await.expect(200);
    let page = page
        .expect_words("Safari on iPhone signed in just now, on a device that you reported before.");
    assert!(!page.words().contains("first time"), "{}", page.words());
    it.app.deliver_mail().await;
    let message = it.server.messages().pop().expect("a message");
    let text = message.plain().replace('\n', " ");
    assert!(
        text.contains("a device that is not known as yours"),
        "{text}"
    );
    it.stop().await;
}

async fn a_country_of_a_reported_device_is_not_the_first_one(database: Database) {
    let path = database.folder().join("places.mmdb");
    Mmdb::new("Country")
        .with("203.0.113.0/24", json!({"country_code": "PT"}))
        .with("198.51.100.0/24", json!({"country_code": "NO"}))
        .write(&path);
    let files = vec![path];
    let it = Mailed::start(database, HOME, |settings| settings.places.files = files).await;
    it.app.advance(MINUTE);
    it.app
        .login_from(&it.ada, IPHONE, ELSEWHERE, Some("phone"))
        .await;
    let page = it.laptop.get("/devices").await.expect(200);
    page.expect_words("signed in just now, for the first time from Norway.");
    it.laptop.answer_alert("/no").await;
    it.app.advance(MINUTE);
    it.app
        .login_from(&it.ada, LINUX, "198.51.100.99", Some("other"))
        .await;
    let page = it.laptop.get("/devices").await.expect(200);
    let page = page.expect_words("from Norway, where a device that you reported was used before.");
    assert!(!page.words().contains("first time"), "{}", page.words());
    it.stop().await;
}

async fn a_message_says_local_network_of_a_private_address(database: Database) {
    let it = set_up(database).await;
    it.app
        .login_from(&it.ada, IPHONE, "192.168.7.8", None)
        .await;
    it.app.deliver_mail().await;
    let message = it.server.messages().pop().expect("a message");
    let link = message.link("/not-me/");
    let page = it.reader().get(&link).await.expect(200).words();
    for text in [message.plain(), message.html(), page] {
        assert!(text.contains("192.168.7.8 (Local network)"), "{text}");
    }
    it.stop().await;
}

async fn only_messages_about_sign_ins_say_that_they_can_be_turned_off(database: Database) {
    let it = set_up(database).await;
    it.app.login_from(&it.ada, IPHONE, ELSEWHERE, None).await;
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "another battery staple"),
    ];
    let changed = it.laptop.submit("/account", "/account/password", &fields);
    changed.await.expect(303);
    it.app.deliver_mail().await;
    for message in it.server.messages() {
        let is_sign_in = message.header("Subject") == "New sign-in to your account";
        let text = message.plain().replace('\n', " ");
        assert_eq!(text.contains("You can turn off"), is_sign_in, "{text}");
        assert!(!text.contains("7 days, until"), "{text}");
    }
    it.stop().await;
}

async fn a_browser_that_is_not_recognised_is_called_so_once(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    app.login(&ada, "Mozilla/5.0").await;
    let page = browser.get("/devices/sign-out-others").await.expect(200);
    let page = page.expect_words("Unrecognised browser");
    assert!(!page.words().contains("Unknown"), "{}", page.words());
}

async fn signing_out_everywhere_is_announced_before_it_is_done(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let path = "/devices/sign-out-everywhere";
    let page = browser.get(path).await.expect(200);
    page.expect_words("You will be signed out on this one.");
    app.login(&ada, IPHONE).await;
    let page = browser.get(path).await.expect(200);
    page.expect_words("You will be signed out on each of these devices, this one too.");
}

async fn a_person_without_a_session_is_signed_in_on_no_device(app: &TestApp) {
    let fixture = people_pages::set_up(app).await;
    let page = fixture.browser.get("/admin/users?q=bob").await.expect(200);
    page.expect_words("no device");
}
