//! The ended sessions on the devices page, and the activity on a device's page.

use crate::support::prelude::*;

on_both!(
    app: ended_sessions_are_listed_page_by_page,
    activity_is_listed_page_by_page,
    token_reuse_is_shown_with_what_to_do,
);

async fn ended_sessions_are_listed_page_by_page(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let mut ended = Vec::new();
    for _ in 0..12 {
        let phone = app.login(&ada, IPHONE).await;
        app.advance(Duration::from_secs(1));
        phone.post("/api/v1/auth/logout").await.expect(204);
        ended.push(phone.id());
    }
    let first = browser.get("/devices").await.expect(200);
    let older = first
        .text
        .split('"')
        .find(|part| part.contains("?ended="))
        .expect("a link to older ones");
    let second = browser.get(older).await.expect(200);
    for (n, id) in ended.iter().enumerate() {
        assert_eq!(first.text.contains(id), n >= 2, "{n}");
        assert_eq!(second.text.contains(id), n < 2, "{n}");
    }
    assert!(!second.text.contains("?ended="), "there is nothing older");
    // What is no place in the list is its beginning.
    let newest = browser.get("/devices?ended=nonsense").await.expect(200);
    assert!(newest.text.contains(&ended[2]) && !newest.text.contains(&ended[0]));
}

async fn activity_is_listed_page_by_page(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    let path = format!("/devices/{}", phone.id());
    for n in 1..=24 {
        app.advance(Duration::from_secs(1));
        let name = json!({"device_name": format!("name {n}")});
        phone
            .patch(&format!("/api/v1/sessions/{}", phone.id()), &name)
            .await
            .expect(200);
    }
    let first = browser
        .get(&path)
        .await
        .expect(200)
        .expect_words("“name 23” was renamed “name 24”");
    let is_shown = |name| first.text.contains(&format!("renamed “{name}”"));
    assert!(is_shown("name 5") && !is_shown("name 4"));
    let older = first
        .text
        .split('"')
        .find(|part| part.contains("?before="))
        .expect("a link to older activity");
    let second = browser
        .get(older)
        .await
        .expect(200)
        .expect_words("Signed in");
    assert!(second.text.contains("“name 4”") && !second.text.contains("“name 5”"));
    assert!(!second.text.contains("?before="), "there is nothing older");
}

async fn token_reuse_is_shown_with_what_to_do(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let mut phone = app.login(&ada, IPHONE).await;
    let spent = phone.refresh_token.clone();
    phone.refresh().await;
    phone.current().await.expect(200);
    app.advance(Duration::from_secs(11));
    app.anyone()
        .refresh(&spent)
        .await
        .problem(401, "invalid_token");
    app.anyone()
        .refresh(&phone.refresh_token)
        .await
        .problem(401, "invalid_token");
    browser
        .get("/devices")
        .await
        .expect(200)
        .expect_words("Signed out for safety")
        .expect_words("change your password");
}
