//! What can't be undone has a page of its own, which says what will happen before it does.

use crate::support::html;
use crate::support::prelude::*;

on_both!(
    app: deleting_the_account_asks_for_the_typed_email,
    an_account_is_not_deleted_by_a_form_without_the_email,
    the_last_administrator_reads_why_the_account_stays,
    signing_out_everywhere_names_every_device,
    the_account_page_itself_deletes_and_ends_nothing,
);
on_both!(
    database: an_account_promises_no_message_where_none_is_sent,
    the_first_administrator_reads_what_they_may_do,
);

const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                    Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0";
const DELETE: &str = "/account/delete";
const PEOPLE: &str = "SELECT count(*) AS value FROM users";

async fn deleting_the_account_asks_for_the_typed_email(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let page = browser.get(DELETE).await.expect(200);
    page.expect_words("Type ada@example.org");
    let typed = [("typed", "ada@<i>example</i>.com")];
    let page = browser.submit(DELETE, DELETE, &typed).await.expect(400);
    let page =
        page.expect_words("Nothing was deleted: what you typed is not the e-mail of your account.");
    assert!(page.words().starts_with("Error: Delete your account"));
    assert!(
        page.text.contains("value=\"ada@&#60;i&#62;example"),
        "{}",
        page.text
    );
    assert_eq!(app.database.number(PEOPLE), 1);
    let typed = [("typed", " ADA@example.org ")];
    let done = browser.submit(DELETE, DELETE, &typed).await.expect(303);
    browser
        .follow(&done)
        .await
        .expect_words("Your account is deleted");
    assert_eq!(app.database.number(PEOPLE), 0);
}

async fn an_account_is_not_deleted_by_a_form_without_the_email(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    let page = browser.send(&form.aimed_at(DELETE), &[]).await.expect(200);
    page.expect_words("Type ada@example.org");
    let typed = [("typed", "")];
    let page = browser.send(&form.aimed_at(DELETE), &typed).await;
    page.expect(400).expect_words("Nothing was deleted");
    assert_eq!(app.database.number(PEOPLE), 1);
}

async fn the_last_administrator_reads_why_the_account_stays(app: &TestApp) {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let browser = app.signed_in_browser(&root, FIREFOX).await;
    let page = browser.get(DELETE).await.expect(200);
    assert!(html::forms_to(&page.text, DELETE).is_empty());
    page.expect_words("There is no other administrator");
}

async fn signing_out_everywhere_names_every_device(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    app.login(&ada, IPHONE).await;
    app.signed_in_browser(&ada, EDGE).await;
    let path = "/devices/sign-out-everywhere";
    let page = browser.get(path).await.expect(200);
    page.expect_words("Sign out all 3 devices?")
        .expect_words("Firefox on Windows This device")
        .expect_words("Safari on iPhone")
        .expect_words("Edge on Windows");
    assert_eq!(app.database.sessions_where("is_active"), 3);
    browser.submit(path, path, &[]).await.expect(303);
    assert_eq!(app.database.sessions_where("is_active"), 0);
}

async fn the_account_page_itself_deletes_and_ends_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let page = browser.get("/account").await.expect(200);
    for path in [DELETE, "/devices/sign-out-everywhere"] {
        assert!(html::forms_to(&page.text, path).is_empty(), "{path}");
        assert!(html::attributes(&page.text, "href").contains(&path.to_owned()));
    }
}

async fn an_account_promises_no_message_where_none_is_sent(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    // The change was requested while the service still sent mail.
    app.database.execute(&format!(
        "INSERT INTO email_verifications (id, user_id, email, created_at, expires_at)
         SELECT id, id, 'new@example.org', created_at, '{}' FROM users",
        "2099-01-01 00:00:00.000000"
    ));
    for path in ["/account", "/devices"] {
        let page = browser.get(path).await.expect(200);
        let words = page.words();
        assert!(words.contains("this service sends no e-mail"), "{words}");
        for promise in ["We sent", "Send the link", "Send me", "We always e-mail"] {
            assert!(!words.contains(promise), "{path} says {promise}: {words}");
        }
    }
    app.stop().await;
}

async fn the_first_administrator_reads_what_they_may_do(database: Database) {
    let app = TestApp::start(database).await;
    let path = format!("/setup/{}", app.setup_token().await);
    let page = app.browser(FIREFOX).get(&path).await.expect(200);
    page.expect_words("adds, changes, disables and deletes accounts");
    app.stop().await;
}
