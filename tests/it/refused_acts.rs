//! What pages say of an act that did not count, and of an address that is not right.

use crate::support::html;
use crate::support::prelude::*;

on_both!(
    app: a_yes_after_a_no_did_not_count,
    a_no_after_a_yes_leads_on,
    a_form_without_a_session_says_that_nothing_was_done,
    a_choice_that_is_none_is_named_by_its_label,
    an_address_that_is_not_right_shows_the_page,
    a_form_of_another_session_is_refused_in_plain_words,
);

/// What a browser says of a form on a page of ours.
const OWN: [(&str, &str); 1] = [("sec-fetch-site", "same-origin")];

/// Returns a laptop that is asked about a phone, and the forms of the answers.
async fn alerted(app: &TestApp) -> (Browser, Device, [html::Form; 2]) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    app.advance(Duration::from_secs(1));
    let phone = app.login(&ada, IPHONE).await;
    let page = laptop.get("/devices").await.expect(200);
    let forms = html::forms(&page.text);
    let answer = |last: &str| {
        let is_it =
            |form: &&html::Form| form.action.starts_with("/alerts/") && form.action.ends_with(last);
        let form = forms.iter().find(is_it).expect("an answer");
        form.aimed_at(&form.action)
    };
    (laptop, phone, [answer("/yes"), answer("/no")])
}

async fn a_yes_after_a_no_did_not_count(app: &TestApp) {
    let (laptop, phone, [yes, no]) = alerted(app).await;
    let press = async |form: &html::Form| {
        let response = laptop.send(form, &[]).await.expect(303);
        laptop.follow(&response).await.expect(200).words()
    };
    let first = press(&no).await;
    assert!(first.contains("Safari on iPhone is signed out"), "{first}");
    let again = press(&no).await;
    assert!(!again.contains("did nothing"), "{again}");
    let late = press(&yes).await;
    assert!(
        late.contains("so your “Yes, it was me” did nothing. Safari on iPhone is signed out"),
        "{late}"
    );
    assert!(
        late.contains("It was answered “No, sign it out” on "),
        "{late}"
    );
    phone.current().await.problem(401, "unauthenticated");
}

async fn a_no_after_a_yes_leads_on(app: &TestApp) {
    let (laptop, phone, [yes, no]) = alerted(app).await;
    laptop.send(&yes, &[]).await.expect(303);
    let response = laptop.send(&no, &[]).await.expect(303);
    let page = laptop.follow(&response).await.expect(200);
    let page = page.expect_words("It was answered “Yes, it was me” on ");
    let page = page.expect_words("so your “No, sign it out” did nothing. Safari on iPhone is still signed in. If it was not you: sign it out on Your devices, then set a new password under Account.");
    assert!(!page.words().contains("Good:"), "{}", page.words());
    phone.current().await.expect(200);
}

async fn a_form_without_a_session_says_that_nothing_was_done(app: &TestApp) {
    const WORDS: &str = "Nothing was done: you are not signed in.";

    let (_, phone, [_, no]) = alerted(app).await;
    let stranger = app.browser(FIREFOX);
    let refused = stranger.send_with(&no, &[], &OWN).await.expect(303);
    let page = stranger.follow(&refused).await.expect(200);
    page.expect_words(WORDS);
    phone.current().await.expect(200);
    // Nor does another site make a page say it.
    let stranger = app.browser(FIREFOX);
    let other = [("sec-fetch-site", "cross-site")];
    let refused = stranger.send_with(&no, &[], &other).await;
    if refused.status == 303 {
        let page = stranger.follow(&refused).await.expect(200);
        assert!(!page.words().contains(WORDS), "{}", page.words());
    }
}

async fn a_choice_that_is_none_is_named_by_its_label(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let page = laptop.get("/account").await.expect(200);
    let page = page.expect_words("Show times in");
    let form = html::forms_to(&page.text, "/account/time-zone").remove(0);
    let refused = laptop.send(&form, &[("time_zone", "Mars/Base")]).await;
    refused
        .expect(400)
        .expect_words("Choose one of the options under “Show times in”.");
    let from = format!("{}/devices", app.base());
    let form = laptop.form("/devices", "/account/idle-limit").await;
    let refused = laptop
        .send_with(&form, &[("idle_limit", "never")], &[("referer", &from)])
        .await
        .expect(400);
    assert!(
        html::attributes(&refused.text, "href").contains(&"/devices".into()),
        "{}",
        refused.text
    );
}

async fn an_address_that_is_not_right_shows_the_page(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.set_role(&ada, "admin");
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await.id();
    for address in [
        "/devices?q=a&q=b",
        "/devices?ended=zz",
        "/devices?ended=zz&ended=yy",
        "/devices?after=1&after=2&unused=x",
        "/confirm?next=%2Faccount&next=%2F",
        &format!("/devices/{phone}?before=zz"),
        &format!("/admin/sessions/{phone}?before=zz&before=1"),
    ] {
        laptop.get(address).await.expect(200);
    }
    app.browser(FIREFOX)
        .get("/sign-in?next=a&next=b")
        .await
        .expect(200);
    for address in [
        "/admin/applications?after=a&after=b",
        "/admin/applications?zz=1",
        "/admin/jobs?cursor=zz",
    ] {
        let page = laptop.get(address).await;
        for word in [
            "duplicate",
            "is given twice",
            "is not a valid",
            "is not a filter",
        ] {
            assert!(!page.words().contains(word), "{address}: {}", page.words());
        }
        if page.status == 400 {
            let path = address.split('?').next().unwrap_or_default();
            let links = html::attributes(&page.text, "href");
            assert!(links.contains(&path.into()), "{address}: {}", page.text);
        }
    }
}

async fn a_form_of_another_session_is_refused_in_plain_words(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let bob = app.register("bob@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let form = laptop.form("/account", "/account/alerts").await;
    laptop
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    laptop.sign_in(&bob).await.expect(303);
    let refused = laptop.send_with(&form, &[], &OWN).await.expect(403);
    let refused =
        refused.expect_words("The page was opened before you signed in, or by somebody else.");
    assert!(
        !refused.words().contains("another site"),
        "{}",
        refused.words()
    );
}
