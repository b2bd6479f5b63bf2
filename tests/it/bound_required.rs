//! A browser whose bound session's cookie is missing or over gets on, whatever happened to it.

use crate::support::bound::{BOUND, SESSION};
use crate::support::bound_browser::{BoundBrowser, Refreshed, skipped};
use crate::support::bound_session::BoundSession;
use crate::support::cookies::removed;
use crate::support::html;
use crate::support::outgoing::{FROM_ELSEWHERE, NAVIGATION, Outgoing};
use crate::support::prelude::*;

on_both!(
    database: an_expired_cookie_leads_to_a_refresh_whatever_was_sent,
    a_link_from_elsewhere_reloads_itself,
    only_a_page_reloads_itself_and_only_from_elsewhere,
    where_the_browser_could_not_refresh_nothing_ends,
    who_lost_the_key_signs_in_again,
);

const MINUTE: Duration = Duration::from_secs(60);
const SKIPPED: &str = "secure-session-skipped";

/// A browser whose clock was set back sends what is over, and gets on.
async fn an_expired_cookie_leads_to_a_refresh_whatever_was_sent(database: Database) {
    let BoundSession { app, mut owner, .. } = BoundSession::start(database).await;
    let csrf = owner.csrf().await;
    let outdate = |owner: &mut BoundBrowser| {
        let value = owner.cookie(BOUND).expect("a cookie");
        owner.set_cookie(BOUND, &value);
        app.advance(12 * MINUTE);
    };
    outdate(&mut owner);
    let fields = [("csrf", csrf.as_str()), ("full_name", "Ada King")];
    let forms = [
        Outgoing::page("/devices?q=%22%3E", &NAVIGATION),
        Outgoing::form("/account/name", &fields),
        Outgoing::script("GET", "/api/v1/me", &csrf, None),
    ];
    for request in &forms {
        let response = owner.clone().send_now(request).await.expect(307);
        assert_eq!(response.header("location"), request.path);
        assert_eq!(removed(&response, BOUND), [format!("{BOUND}@-/")]);
        assert!(response.header("cache-control").contains("no-store"));
        assert!(!response.text.contains("ada@example.org"));
        let again = owner.clone().send(request).await;
        assert!([200, 303].contains(&again.status), "{again:?}");
    }
    let changed = "SELECT count(*) AS value FROM users WHERE full_name = 'Ada King'";
    assert_eq!(app.database.number(changed), 1);
    assert_eq!(owner.refresh().await, Refreshed::Bound);
    // Who has no key is there once, and goes in no circle.
    outdate(&mut owner);
    owner.binding = None;
    let response = owner.get("/devices").await;
    assert!(owner.is_unproven(&response).await, "{response:?}");
    app.stop().await;
}

async fn a_link_from_elsewhere_reloads_itself(database: Database) {
    let BoundSession {
        app,
        mut owner,
        mut thief,
        ..
    } = BoundSession::start(database).await;
    // While the bound cookie is there, it is a page as any.
    let page = owner
        .send(&Outgoing::page("/account", &FROM_ELSEWHERE))
        .await;
    page.expect(200).expect_words("Ada Lovelace");
    let path = "/devices?q=%22%3E%3Cscript%3E&next=//evil.example/";
    for site in ["cross-site", "same-site"] {
        // Chromium doesn't refresh for it.
        app.advance(11 * MINUTE);
        let headers = [("sec-fetch-site", site), NAVIGATION[1], NAVIGATION[2]];
        let request = Outgoing::page(path, &headers);
        for browser in [&mut owner, &mut thief] {
            let page = browser.send_now(&request).await.expect(200);
            assert!(page.header("content-type").starts_with("text/html"));
            assert!(page.header("cache-control").contains("no-store"));
            assert!(!page.text.contains("<script>"), "{}", page.text);
            assert!(!page.text.contains("ada@example.org"), "{}", page.text);
            let contents = html::attributes(&page.text, "content");
            let reloads: Vec<_> = contents
                .iter()
                .filter_map(|content| {
                    content
                        .strip_prefix("0;url=")
                        .or(content.strip_prefix("0; url="))
                })
                .collect();
            assert_eq!(reloads, [path], "{}", page.text);
            assert!(
                html::attributes(&page.text, "href")
                    .iter()
                    .any(|href| href == path)
            );
            // No header by the name of the old ones makes a browser stay on it.
            assert_eq!(page.header("refresh"), "");
        }
        // The page's own request is of the same origin.
        owner
            .get(path)
            .await
            .expect(200)
            .expect_words("Your devices");
        let response = thief.get(path).await;
        assert!(thief.is_unproven(&response).await);
    }
    app.stop().await;
}

async fn only_a_page_reloads_itself_and_only_from_elsewhere(database: Database) {
    let BoundSession {
        app,
        mut owner,
        mut thief,
        ..
    } = BoundSession::start(database).await;
    let csrf = owner.csrf().await;
    let [_, mode, dest] = FROM_ELSEWHERE;
    for site in [Some("none"), Some("same-origin"), None] {
        let site = site.map(|site| ("sec-fetch-site", site));
        let headers: Vec<_> = site.into_iter().chain([mode, dest]).collect();
        let response = thief.send_now(&Outgoing::page("/devices", &headers)).await;
        assert!(response.is_to_sign_in(), "{site:?}: {response:?}");
    }
    let form = Outgoing::new("POST", "/account/name", &FROM_ELSEWHERE);
    let form = Outgoing {
        form: Some(vec![
            ("csrf".into(), csrf.clone()),
            ("full_name".into(), "Thief".into()),
        ]),
        ..form
    };
    let response = thief.send_now(&form).await;
    assert!(!response.text.contains("http-equiv"), "{}", response.text);
    assert_ne!(response.status, 200);
    let api = Outgoing::new("GET", "/api/v1/me", &[FROM_ELSEWHERE[0]]);
    thief.send_now(&api).await.problem(401, "proof_required");
    let changed = "SELECT count(*) AS value FROM users WHERE full_name = 'Thief'";
    assert_eq!(app.database.number(changed), 0);
    app.stop().await;
}

async fn where_the_browser_could_not_refresh_nothing_ends(database: Database) {
    let BoundSession {
        app,
        mut owner,
        mut thief,
        ..
    } = BoundSession::start(database).await;
    let (id, csrf) = (owner.id(), owner.csrf().await);
    app.advance(11 * MINUTE);
    for reason in ["unreachable", "server_error", "quota_exceeded"] {
        let header = skipped(reason, &id);
        let page = Outgoing::page("/devices", &NAVIGATION).with(SKIPPED, &header);
        let response = thief.send_now(&page).await.expect(503);
        assert!(response.header("content-type").starts_with("text/html"));
        let response = response.expect_words("can’t check this device just now");
        let response = response.expect_words("Try again");
        assert!(!response.text.contains("ada@example.org"));
        let form = Outgoing::form("/sign-out", &[("csrf", &csrf)]).with(SKIPPED, &header);
        thief.send_now(&form).await.expect(503);
        let api = Outgoing::script("GET", "/api/v1/me", &csrf, None).with(SKIPPED, &header);
        let response = thief.send_now(&api).await.expect(503);
        assert_eq!(response.header("content-type"), "application/problem+json");
    }
    // Of another session, it is no reason.
    let header = skipped("unreachable", "00000000-0000-7000-8000-000000000000");
    let page = Outgoing::page("/devices", &NAVIGATION).with(SKIPPED, &header);
    assert!(thief.send_now(&page).await.is_to_sign_in());
    owner.get("/devices").await.expect(200);
    app.stop().await;
}

async fn who_lost_the_key_signs_in_again(database: Database) {
    let BoundSession {
        app,
        ada,
        mut owner,
        ..
    } = BoundSession::start(database).await;
    let before = owner.cookie(SESSION);
    owner.binding = None;
    owner.forget_cookie(BOUND);
    let response = owner.get("/account").await;
    assert!(owner.is_unproven(&response).await);
    let page = response.location().to_owned();
    let fields = [("email", ada.email.as_str()), ("password", PASSWORD)];
    let response = owner.submit(&page, "/sign-in", &fields).await.expect(303);
    assert_eq!(response.location(), "/account");
    assert_ne!(owner.cookie(SESSION), before);
    assert_eq!(app.database.sessions_where("is_active"), 1);
    owner.register().await.expect(200);
    let page = owner.get("/devices").await.expect(200);
    page.expect_words("Bound to this browser since");
    app.stop().await;
}
