//! "Your devices": listing, renaming and signing out devices, from this browser or another.

use crate::support::html::{self, Form};
use crate::support::prelude::*;
use crate::support::response::path_of;

on_both!(
    app: your_devices_lists_this_one_and_the_others,
    one_browser_signs_the_other_out,
    a_device_already_signed_out_is_no_error,
    signing_out_the_others_lists_them_first,
    signing_out_everywhere_ends_this_one_too,
    a_device_is_renamed,
    a_device_has_its_own_page,
    another_persons_device_cannot_be_changed,
    an_ended_device_is_listed_as_recently_ended,
);

async fn your_devices_lists_this_one_and_the_others(app: &TestApp) {
    let (laptop, _phone, _) = laptop_and_phone(app).await;
    app.advance(Duration::from_secs(2 * 60 * 60));
    let page = laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("You are signed in on 2 devices.");
    let words = page.words();
    let position = |text: &str| {
        words
            .find(text)
            .unwrap_or_else(|| panic!("{text:?} is not in {words}"))
    };
    assert!(
        position("Firefox on Windows This device") < position("Other devices Safari on iPhone"),
        "this device is first: {words}"
    );
    assert!(words.contains("Safari on iPhone today 08:30"), "{words}");
    assert!(
        page.text.contains("<time datetime=\"2031-05-17T08:30:00"),
        "exact times are in the page"
    );
    assert_eq!(laptop.sign_out_paths().await.len(), 1);
}

async fn one_browser_signs_the_other_out(app: &TestApp) {
    let (laptop, phone, _) = laptop_and_phone(app).await;
    phone.get("/devices").await.expect(200);
    let path = laptop.sign_out_paths().await.remove(0);
    let response = laptop.submit("/devices", &path, &[]).await;
    let page = laptop
        .follow(&response)
        .await
        .expect(200)
        .expect_words("signed out");
    assert!(page.text.contains("role=\"status\""), "{}", page.text);
    assert!(phone.get("/devices").await.is_to_sign_in());
    assert_eq!(
        app.database
            .sessions_where("ended_reason = 'signed_out_remotely'"),
        1
    );
}

async fn a_device_already_signed_out_is_no_error(app: &TestApp) {
    let (laptop, phone, _) = laptop_and_phone(app).await;
    let path = laptop.sign_out_paths().await.remove(0);
    let form = laptop.form("/devices", &path).await;
    phone.submit("/devices", "/sign-out", &[]).await.expect(303);
    let response = laptop.send(&form, &[]).await;
    laptop
        .follow(&response)
        .await
        .expect(200)
        .expect_words("Safari on iPhone is signed out.");
    assert_eq!(
        app.database.sessions_where("ended_reason = 'signed_out'"),
        1
    );
}

async fn signing_out_the_others_lists_them_first(app: &TestApp) {
    let (laptop, phone, person) = laptop_and_phone(app).await;
    let tablet = app.login(&person, IPHONE).await;
    tablet
        .patch(
            &format!("/api/v1/sessions/{}", tablet.id()),
            &json!({"device_name": "Kitchen tablet"}),
        )
        .await;

    let page = laptop.get("/devices/sign-out-others").await.expect(200);
    page.expect_words("Safari on iPhone")
        .expect_words("Kitchen tablet")
        .expect_words("stays signed in");
    let response = laptop
        .submit("/devices/sign-out-others", "/devices/sign-out-others", &[])
        .await;
    laptop
        .follow(&response)
        .await
        .expect(200)
        .expect_words("You are signed in only here.");
    assert!(phone.get("/devices").await.is_to_sign_in());
    tablet.current().await.problem(401, "unauthenticated");
}

async fn signing_out_everywhere_ends_this_one_too(app: &TestApp) {
    let (laptop, phone, _) = laptop_and_phone(app).await;
    let form = form_on_either(
        &laptop,
        ["/devices", "/devices/sign-out-everywhere"],
        "/devices/sign-out-everywhere",
    )
    .await;
    let response = laptop.send(&form, &[]).await;
    assert_eq!(path_of(response.location()), "/sign-in");
    assert!(laptop.get("/devices").await.is_to_sign_in());
    assert!(phone.get("/devices").await.is_to_sign_in());
    assert_eq!(app.database.sessions_where("is_active"), 0);
}

async fn a_device_is_renamed(app: &TestApp) {
    let (laptop, phone, _) = laptop_and_phone(app).await;
    let device = device_path(&laptop).await;
    let rename = format!("{device}/rename");
    let response = laptop
        .submit(&device, &rename, &[("device_name", "  Ada’s phone 📱 ")])
        .await;
    laptop.follow(&response).await.expect(200);
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("Ada’s phone 📱");
    phone
        .get("/devices")
        .await
        .expect(200)
        .expect_words("Ada’s phone 📱");

    let response = laptop
        .submit(&device, &rename, &[("device_name", &"x".repeat(256))])
        .await;
    assert!([400, 422].contains(&response.status), "{response:?}");
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("Ada’s phone 📱");
}

async fn a_device_has_its_own_page(app: &TestApp) {
    let (laptop, _phone, _) = laptop_and_phone(app).await;
    let page = laptop.get(&device_path(&laptop).await).await.expect(200);
    page.expect_words("Safari on iPhone")
        .expect_words("127.0.0.1")
        .expect_words("17 May 2031");
}

async fn another_persons_device_cannot_be_changed(app: &TestApp) {
    let (laptop, phone, _) = laptop_and_phone(app).await;
    let eve = app.register("eve@example.org").await;
    let (browser, _hers) = (
        app.signed_in_browser(&eve, FIREFOX).await,
        app.login(&eve, IPHONE).await,
    );
    let form = browser
        .form("/devices", &browser.sign_out_paths().await.remove(0))
        .await;
    let (name, token) = form
        .hidden
        .iter()
        .find(|(name, _)| name == "csrf")
        .expect("a csrf field");
    let theirs = device_path(&laptop).await;
    for (action, field) in [
        ("sign-out", ("x", "")),
        ("rename", ("device_name", "mine now")),
    ] {
        let response = browser
            .post(&format!("{theirs}/{action}"), &[(name, token), field])
            .await;
        assert_eq!(response.status, 404, "{response:?}");
    }
    phone
        .get("/devices")
        .await
        .expect(200)
        .expect_words("Safari on iPhone");
}

async fn an_ended_device_is_listed_as_recently_ended(app: &TestApp) {
    let (laptop, _phone, _) = laptop_and_phone(app).await;
    let path = laptop.sign_out_paths().await.remove(0);
    laptop.submit("/devices", &path, &[]).await.expect(303);
    let page = laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("Recently ended");
    let words = page.words();
    let (_, ended) = words.split_once("Recently ended").expect("the section");
    assert!(ended.contains("Safari on iPhone"), "{ended}");
}

fn ada() -> Person {
    Person {
        email: "ada@example.org".into(),
        password: PASSWORD.into(),
    }
}

async fn laptop_and_phone(app: &TestApp) -> (Browser, Browser, Person) {
    let ada = app.register(&ada().email).await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.signed_in_browser(&ada, IPHONE).await;
    (laptop, phone, ada)
}

/// Returns the form that posts to `action`, from the first of the pages that has it.
async fn form_on_either(browser: &Browser, pages: [&str; 2], action: &str) -> Form {
    for page in pages {
        let page = browser.get(page).await.expect(200);
        if let Some(form) = html::forms(&page.text)
            .into_iter()
            .find(|form| form.action == action)
        {
            return form;
        }
    }
    panic!("no form on {pages:?} goes to {action}");
}

/// Returns the path of the page of the only other device.
async fn device_path(browser: &Browser) -> String {
    let path = browser.sign_out_paths().await.remove(0);
    path.strip_suffix("/sign-out")
        .expect("a sign-out path")
        .to_owned()
}
