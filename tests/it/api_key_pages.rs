//! The page on which administrators create and revoke the API keys of applications.

use crate::support::html;
use crate::support::prelude::*;

on_both!(
    app: an_administrator_creates_and_revokes_a_key,
    for_everyone_else_the_page_does_not_exist,
    the_former_address_leads_to_the_page,
    a_form_goes_on_after_step_up,
    a_key_is_replaced_on_the_page,
    a_key_made_on_the_page_expires,
    the_page_says_what_is_wrong_with_the_form,
);

const PAGE: &str = "/admin/applications";
/// Where the form for a new key goes.
const KEYS: &str = "/admin/api-keys";

async fn admin(app: &TestApp) -> Browser {
    let ada = app.register("ada@example.org").await;
    app.database.execute("UPDATE users SET is_admin = true");
    app.signed_in_browser(&ada, FIREFOX).await
}

async fn an_administrator_creates_and_revokes_a_key(app: &TestApp) {
    let browser = admin(app).await;
    browser
        .get("/account")
        .await
        .expect(200)
        .expect_words("Applications and API keys");
    browser
        .submit(PAGE, KEYS, &[("name", "shop")])
        .await
        .expect(400)
        .expect_words("at least one");
    let created = browser
        .submit(PAGE, KEYS, &[("name", "shop"), ("tokens", "on")])
        .await
        .expect(200);
    let created = created.expect_words("The key shop is created.");
    let words = created.words();
    let secret = words
        .split(' ')
        .find(|word| word.starts_with("rck_"))
        .expect("the secret");
    let again = browser
        .get(PAGE)
        .await
        .expect(200)
        .expect_words("never used");
    assert!(!again.text.contains(secret), "the secret is shown once");
    // The same form again, as by loading the page again, makes no other.
    let form = browser.form(PAGE, KEYS).await;
    let fields = [("name", "books"), ("tokens", "on")];
    browser.send(&form, &fields).await.expect(200);
    let repeated = browser.send(&form, &fields).await.expect(303);
    let page = browser.follow(&repeated).await.expect(200);
    page.expect_words("That key was created before; this form changed nothing.");
    let keys = "SELECT count(*) AS value FROM api_keys";
    assert_eq!(app.database.number(keys), 2);
    app.database
        .execute("DELETE FROM api_keys WHERE name = 'books'");

    let introspect = || {
        let request = app
            .anyone()
            .request("POST", "/oauth/introspect")
            .bearer_auth(secret);
        TestResponse::to(request.form(&[("token", "x")]))
    };
    introspect().await.expect(200);
    browser
        .get(PAGE)
        .await
        .expect(200)
        .expect_words("last used just now");
    let revoke = again
        .text
        .split('"')
        .find(|part| part.ends_with("/revoke"))
        .expect("a form");
    // It is asked about first.
    let page = browser.get(revoke).await.expect(200);
    page.expect_words("Of shop · last used just now")
        .expect_words("Programs that use it are refused from then on.");
    let form = browser.form(revoke, revoke).await;
    let response = browser.send(&form, &[]).await.expect(303);
    browser
        .follow(&response)
        .await
        .expect(200)
        .expect_words("revoked just now");
    introspect().await.expect(401);
    // Pressed twice, it says so again; of a key that never was it says nothing.
    let again = browser.send(&form, &[]).await.expect(303);
    let page = browser.follow(&again).await.expect(200);
    page.expect_words("The key is revoked.");
    let none = form.aimed_at("/admin/api-keys/01a226cc-0000-7000-8000-000000000000/revoke");
    browser.send(&none, &[]).await.expect(404);
    let page = browser.get(PAGE).await.expect(200);
    assert!(!page.text.contains("The key is revoked."), "{}", page.text);
}

async fn for_everyone_else_the_page_does_not_exist(app: &TestApp) {
    assert!(app.browser(FIREFOX).get(PAGE).await.is_to_sign_in());
    let bob = app.register("bob@example.org").await;
    let browser = app.signed_in_browser(&bob, FIREFOX).await;
    let nowhere = browser.get("/admin/nowhere").await.expect(404).text;
    assert_eq!(browser.get(PAGE).await.expect(404).text, nowhere);
    let page = browser.get("/account").await.expect(200);
    assert!(!page.text.contains("/admin"));
    let form = browser.form("/account", "/account/name").await;
    let fields = [("name", "shop"), ("tokens", "on")];
    browser
        .send(&form.aimed_at(KEYS), &fields)
        .await
        .expect(404);
    assert_eq!(
        app.database
            .number("SELECT count(*) AS value FROM api_keys"),
        0
    );
}

async fn the_former_address_leads_to_the_page(app: &TestApp) {
    let browser = admin(app).await;
    let redirect = browser.get(KEYS).await.expect(303);
    assert_eq!(redirect.location(), PAGE);
    // Reading needs no step-up.
    app.advance(Duration::from_secs(601));
    browser
        .follow(&redirect)
        .await
        .expect(200)
        .expect_words("A new key");
    let bob = app.register("bob@example.org").await;
    let other = app.signed_in_browser(&bob, FIREFOX).await;
    other.get(KEYS).await.expect(404);
}

/// The page was opened in time; the window closes between page and form.
async fn a_form_goes_on_after_step_up(app: &TestApp) {
    let browser = admin(app).await;
    let form = browser.form(PAGE, KEYS).await;
    app.advance(Duration::from_secs(601));
    let fields = [("name", "shop"), ("tokens", "on")];
    let response = browser.send(&form, &fields).await.expect(403);
    let prompt_form = html::forms(&response.text)
        .into_iter()
        .find(|form| form.action == "/confirm");
    let prompt_form = prompt_form.expect("the form for the password");
    for (name, value) in fields {
        let field = (name.to_owned(), value.to_owned());
        assert!(prompt_form.hidden.contains(&field), "{name} is lost");
    }
    let confirmed = browser
        .send(&prompt_form, &[("password", PASSWORD)])
        .await
        .expect(307);
    assert_eq!(confirmed.header("location"), KEYS);
    browser
        .send(&prompt_form.aimed_at(KEYS), &[("password", PASSWORD)])
        .await
        .expect(200)
        .expect_words("shop");
}

/// Makes a key on the page, and returns its secret.
async fn make_key(browser: &Browser, fields: &[(&str, &str)]) -> String {
    let created = browser.submit(PAGE, KEYS, fields).await.expect(200);
    let words = created.words();
    let secret = words.split(' ').find(|word| word.starts_with("rck_"));
    secret.expect("the secret").to_owned()
}

async fn open_session(app: &TestApp, secret: &str) -> TestResponse {
    let request = app.anyone().request("POST", "/api/v1/app/sessions");
    let request = request.bearer_auth(secret).json(&json!({"subject": "42"}));
    TestResponse::to(request).await
}

async fn a_key_is_replaced_on_the_page(app: &TestApp) {
    let browser = admin(app).await;
    let old = make_key(&browser, &[("name", "shop"), ("sessions", "on")]).await;
    let first = open_session(app, &old).await.expect(201).json();
    let page = browser.get(PAGE).await.expect(200);
    let (_, list) = page
        .text
        .split_once("id=\"application\"")
        .expect("the list");
    let choices = list.split("<option value=\"").skip(1);
    let choices: Vec<&str> = choices.filter_map(|rest| rest.split('"').next()).collect();
    let application = choices[1];
    let named = [
        ("application", application),
        ("name", "k1"),
        ("tokens", "on"),
    ];
    let page = browser.submit(PAGE, KEYS, &named).await.expect(200);
    page.expect_words("The key k1 for shop is created.");
    let fields = [
        ("application", application),
        ("sessions", "on"),
        ("tokens_any", "on"),
    ];
    let new = make_key(&browser, &fields).await;
    let second = open_session(app, &new).await.expect(201).json();
    assert_eq!(first["session"]["user_id"], second["session"]["user_id"]);
    browser
        .get(PAGE)
        .await
        .expect_words("1 person")
        .expect_words("tokens:any, sessions");
}

async fn a_key_made_on_the_page_expires(app: &TestApp) {
    let browser = admin(app).await;
    let fields = [("name", "shop"), ("sessions", "on"), ("expires", "30d")];
    let secret = make_key(&browser, &fields).await;
    browser.get(PAGE).await.expect_words("expires on 16 June");
    app.advance(Duration::from_secs(30 * 24 * 3600 - 1));
    open_session(app, &secret).await.expect(201);
    app.advance(Duration::from_secs(1));
    open_session(app, &secret).await.expect(401);
    let ada = Person {
        email: "ada@example.org".into(),
        password: PASSWORD.into(),
    };
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    browser.get(PAGE).await.expect_words("expired today 08:30");
}

async fn the_page_says_what_is_wrong_with_the_form(app: &TestApp) {
    let browser = admin(app).await;
    make_key(&browser, &[("name", "shop"), ("tokens", "on")]).await;
    let long = "x".repeat(256);
    let earlier = "00000000-0000-7000-8000-000000000000";
    for (fields, words) in [
        (&[("name", "a")][..], "Choose at least one scope."),
        (&[("tokens", "on")], "Give the application a name"),
        (
            &[("name", " "), ("tokens", "on")],
            "Give the application a name",
        ),
        (
            &[("name", &long), ("tokens", "on")],
            "Give the application a name",
        ),
        (
            &[("name", earlier), ("tokens", "on")],
            "An id can’t be a name.",
        ),
        (
            &[("name", "shop"), ("tokens", "on")],
            "There is an application with that name already.",
        ),
        (
            &[("application", "nonsense"), ("tokens", "on")],
            "Choose an application from the list.",
        ),
        (
            &[("application", earlier), ("tokens", "on")],
            "Choose an application from the list.",
        ),
        (
            &[("name", "a"), ("tokens", "on"), ("expires", "soon")],
            "Choose when the key expires.",
        ),
    ] {
        let page = browser.submit(PAGE, KEYS, fields).await.expect(400);
        assert!(!page.text.contains("scopes:"), "{}", page.text);
        page.expect_words(words);
    }
    // What was filled in is there again.
    let fields = [("name", "a & b"), ("sessions", "on"), ("expires", "soon")];
    let page = browser.submit(PAGE, KEYS, &fields).await.expect(400);
    assert!(page.text.contains("value=\"a &#38; b\""), "{}", page.text);
    assert!(page.text.contains("name=\"sessions\" value=\"on\" checked"));
    assert_eq!(
        app.database
            .number("SELECT count(*) AS value FROM api_keys"),
        1
    );
}
