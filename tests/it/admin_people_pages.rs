//! The pages on which administrators and auditors find people and read about them.

use crate::support::html;
use crate::support::people_pages::{LIST, actions, person_links, set_up};
use crate::support::prelude::*;

on_both!(
    app: the_list_shows_everybody_with_their_devices,
    the_list_is_filtered_and_paged_both_ways,
    a_query_that_is_not_understood_lists_nobody,
    for_everyone_else_the_pages_do_not_exist,
    an_auditor_reads_and_is_offered_no_change,
    the_page_of_a_person_shows_devices_alerts_and_events,
    no_address_is_shown_of_people_who_want_none_stored,
    no_secret_stands_on_the_pages,
    what_people_call_themselves_is_escaped,
);
on_both!(
    database: many_devices_are_counted_and_not_all_shown,
);

async fn the_list_shows_everybody_with_their_devices(app: &TestApp) {
    let fixture = set_up(app).await;
    let laptop = app.login(&fixture.bob, FIREFOX).await;
    app.login_from(&fixture.bob, IPHONE, "203.0.113.7", Some("phone-1"))
        .await;
    app.login_from(&fixture.bob, IPHONE, "203.0.113.7", Some("phone-1"))
        .await;
    let page = fixture.browser.get(LIST).await.expect(200);
    page.expect_words("bob@example.org Bob Byrne Person Active 2 devices 3 sessions just now")
        .expect_words("ada@example.org You Ada Lovelace Administrator Active 1 device just now")
        .expect_words("17 May");
    // An ended sign-in is still the last one; nobody is signed in.
    app.advance(Duration::from_secs(86_400));
    laptop.get("/api/v1/me").await.expect(401);
    app.database
        .execute("UPDATE user_sessions SET expires_at = created_at WHERE device_id = 'phone-1'");
    let carol = app.register_unverified("carol@example.org").await;
    let browser = app.signed_in_browser(&fixture.ada, FIREFOX).await;
    let page = browser.get(LIST).await.expect(200);
    page.expect_words("carol@example.org Ada Lovelace Person Active E-mail not verified no device");
    let links = person_links(&browser.get(&format!("{LIST}?q={}", carol.email)).await);
    assert_eq!(links.len(), 1);
    let words = browser.get(&links[0]).await.expect(200).words();
    assert!(words.contains("not verified"), "{words}");
}

async fn the_list_is_filtered_and_paged_both_ways(app: &TestApp) {
    let fixture = set_up(app).await;
    for n in 0..60 {
        app.register(&format!("p{n:02}@example.com")).await;
        app.advance(Duration::from_secs(1));
    }
    let first = fixture.browser.get(LIST).await.expect(200);
    assert_eq!(person_links(&first).len(), 50);
    let link = |page: &TestResponse, rel: &str| {
        let tag = page
            .text
            .split("<a ")
            .find(|tag| tag.contains(&format!("rel=\"{rel}\"")));
        tag.and_then(|tag| {
            html::attributes(&format!(" {tag}"), "href")
                .into_iter()
                .next()
        })
    };
    assert_eq!(link(&first, "prev"), None);
    let older = link(&first, "next").expect("an older page");
    let second = fixture.browser.get(&older).await.expect(200);
    assert_eq!(person_links(&second).len(), 12);
    assert_eq!(link(&second, "next"), None);
    let newer = link(&second, "prev").expect("a newer page");
    let back = fixture.browser.get(&newer).await.expect(200);
    assert_eq!(person_links(&back), person_links(&first));

    let found = async |query: &str| {
        let page = fixture.browser.get(&format!("{LIST}?{query}")).await;
        let page = page.expect(200);
        (person_links(&page).len(), page)
    };
    let (n, page) = found("q=BYRNE").await;
    assert_eq!(n, 1);
    assert!(
        page.text.contains("value=\"BYRNE\""),
        "what was typed stays"
    );
    assert_eq!(found("role=admin").await.0, 1);
    assert_eq!(found("role=auditor").await.0, 0);
    assert_eq!(found("q=p0&role=person").await.0, 10);
    app.database
        .execute("UPDATE users SET is_active = false WHERE email = 'p07@example.com'");
    let (n, page) = found("state=disabled&q=&role=&application=&email=").await;
    assert_eq!(n, 1);
    page.expect_words("p07@example.com Ada Lovelace Person Disabled");
    assert_eq!(found("email=unverified").await.0, 0);
    found("email=unverified")
        .await
        .1
        .expect_words("Nobody matches.");
    // The cursor is bound to its filter.
    let cursor = older.split("cursor=").nth(1).expect("a cursor");
    let other = format!("{LIST}?q=p0&cursor={cursor}");
    fixture.browser.get(&other).await.expect(400);
}

async fn a_query_that_is_not_understood_lists_nobody(app: &TestApp) {
    let fixture = set_up(app).await;
    let long = "x".repeat(256);
    for (query, words) in [
        ("rôle=admin", "“ rôle ” is not a filter of this list."),
        ("role=boss", "Role must be one of person, auditor, admin."),
        ("state=asleep", "State must be one of active, disabled."),
        ("cursor=nonsense", "“ cursor ”"),
        (
            &format!("q={long}"),
            "Find somebody must have at most 255 characters.",
        ),
    ] {
        let page = fixture.browser.get(&format!("{LIST}?{query}")).await;
        let page = page.expect(400).expect_words(words);
        assert_eq!(person_links(&page), Vec::<String>::new(), "{query}");
        page.expect_words("No people are listed.");
    }
}

async fn for_everyone_else_the_pages_do_not_exist(app: &TestApp) {
    let fixture = set_up(app).await;
    let path = fixture.path(&fixture.ada).await;
    let browser = app.signed_in_browser(&fixture.bob, FIREFOX).await;
    for path in [LIST, &path, &format!("{path}/disable"), "/admin/users/new"] {
        browser.get(path).await.expect(404);
    }
    let unknown = "/admin/users/019ab0de-0000-7000-8000-000000000000";
    fixture.browser.get(unknown).await.expect(404);
    for act in [
        "edit",
        "role",
        "disable",
        "enable",
        "delete",
        "end-sessions",
        "reset-link",
    ] {
        let path = format!("{unknown}/{act}");
        fixture.browser.get(&path).await.expect(404);
    }
    fixture
        .browser
        .get("/admin/users/nonsense")
        .await
        .expect(404);
}

async fn an_auditor_reads_and_is_offered_no_change(app: &TestApp) {
    let fixture = set_up(app).await;
    let path = fixture.path(&fixture.bob).await;
    app.login(&fixture.bob, IPHONE).await;
    let carol = app.register("carol@example.org").await;
    app.set_role(&carol, "auditor");
    let auditor = app.signed_in_browser(&carol, FIREFOX).await;
    app.advance(Duration::from_secs(3600));
    for page in [LIST, &path] {
        let page = auditor.get(page).await.expect(200);
        assert_eq!(actions(&page), ["/sign-out"], "only the form in the header");
        let words = page.words();
        for offered in [
            "Add a person",
            "Invite a person",
            "What you can do",
            "Delete",
        ] {
            assert!(!words.contains(offered), "{offered}: {words}");
        }
        let links = html::attributes(&page.text, "href");
        let is_act = |href: &&String| href.starts_with(&format!("{path}/"));
        assert_eq!(links.iter().find(is_act), None);
    }
    auditor.get(&path).await.expect_words("Safari on iPhone");
    for act in [
        "edit",
        "role",
        "disable",
        "enable",
        "delete",
        "end-sessions",
    ] {
        auditor.get(&format!("{path}/{act}")).await.expect(404);
    }
    let form = auditor.form("/account", "/account/name").await;
    for act in [
        "name",
        "email",
        "role",
        "disable",
        "delete",
        "end-sessions",
        "export",
    ] {
        let form = form.aimed_at(&format!("{path}/{act}"));
        let fields = [
            ("reason", "x"),
            ("typed", "bob@example.org"),
            ("role", "admin"),
        ];
        auditor.send(&form, &fields).await.expect(404);
    }
}

async fn the_page_of_a_person_shows_devices_alerts_and_events(app: &TestApp) {
    let fixture = set_up(app).await;
    let phone = app
        .login_from(&fixture.bob, IPHONE, "203.0.113.7", Some("phone-1"))
        .await;
    app.login_from(&fixture.bob, IPHONE, "203.0.113.7", Some("phone-1"))
        .await;
    let gone = app.login(&fixture.bob, FIREFOX).await;
    phone
        .delete(&format!("/api/v1/sessions/{}", gone.id()))
        .await
        .expect(204);
    let path = fixture.path(&fixture.bob).await;
    let page = fixture.browser.get(&path).await.expect(200);
    let id = path.rsplit('/').next().expect("an id").to_owned();
    let links = html::attributes(&page.text, "href");
    for link in [
        format!("/admin/sessions?user={id}&state=any"),
        format!("/admin/events?user={id}"),
        format!("/admin/sessions/{}", gone.id()),
        format!("/admin/sessions/{}", phone.id()),
    ] {
        assert!(links.contains(&link), "{link} is not in {links:?}");
    }
    page.expect_words("Bob Byrne")
        .expect_words("Signed in on 1 device, with 2 sessions")
        .expect_words("Safari on iPhone")
        .expect_words("Recently ended Firefox on Windows Signed out by them, from Safari on iPhone")
        .expect_words("First sign-in on a device: Firefox on Windows Open")
        .expect_words("Signed out by them, from Safari on iPhone · Firefox on Windows")
        .expect_words("verified")
        .expect_words(&id);
    // None of the person's own buttons.
    let page = fixture.browser.get(&path).await;
    assert!(
        actions(&page)
            .iter()
            .all(|action| !action.starts_with("/devices"))
    );
    assert!(
        actions(&page)
            .iter()
            .all(|action| !action.starts_with("/alerts"))
    );
}

async fn no_address_is_shown_of_people_who_want_none_stored(app: &TestApp) {
    let fixture = set_up(app).await;
    app.login(&fixture.bob, IPHONE).await;
    let path = fixture.path(&fixture.bob).await;
    let address = "203.0.113.77";
    for table in ["user_sessions", "session_events", "alerts"] {
        app.database
            .execute(&format!("UPDATE {table} SET ip_address = '{address}'"));
    }
    let page = fixture.browser.get(&path).await.expect(200);
    assert!(page.text.contains(address), "{}", page.text);
    // Whatever still stands in the rows is not shown.
    app.database
        .execute("UPDATE users SET address_keeping = 'none' WHERE email = 'bob@example.org'");
    let page = fixture.browser.get(&path).await.expect(200);
    assert!(!page.text.contains(address), "{}", page.text);
    page.expect_words("not stored, as they chose");
    // Nor is that of an administrator who wants none stored, where they did something.
    app.database
        .execute("UPDATE users SET address_keeping = 'whole' WHERE email = 'bob@example.org'");
    let disabled = fixture
        .act(&path, "disable", &[("reason", "Left us")])
        .await;
    disabled.expect(303);
    app.database.execute(&format!(
        "UPDATE session_events SET ip_address = '{address}' WHERE kind = 'disabled'"
    ));
    app.database
        .execute("UPDATE user_sessions SET ip_address = NULL");
    app.database
        .execute("UPDATE session_events SET ip_address = NULL WHERE kind <> 'disabled'");
    app.database.execute("UPDATE alerts SET ip_address = NULL");
    let page = fixture.browser.get(&path).await.expect(200);
    assert!(page.text.contains(address), "{}", page.text);
    app.database
        .execute("UPDATE users SET address_keeping = 'none' WHERE email = 'ada@example.org'");
    let page = fixture.browser.get(&path).await.expect(200);
    assert!(!page.text.contains(address), "{}", page.text);
}

async fn no_secret_stands_on_the_pages(app: &TestApp) {
    let fixture = set_up(app).await;
    let phone = app.login(&fixture.bob, IPHONE).await;
    let path = fixture.path(&fixture.bob).await;
    let mut secrets: Vec<String> = Vec::new();
    for query in [
        "SELECT refresh_token_jti AS value FROM user_sessions",
        "SELECT password_hash AS value FROM users",
    ] {
        secrets.extend(app.database.texts(query).into_iter().flatten());
    }
    secrets.push(phone.access_token.clone());
    assert!(secrets.len() >= 5);
    for act in [
        "",
        "/edit",
        "/role",
        "/disable",
        "/delete",
        "/end-sessions",
        "/reset-link",
    ] {
        let page = fixture
            .browser
            .get(&format!("{path}{act}"))
            .await
            .expect(200);
        for secret in &secrets {
            assert!(!page.text.contains(secret), "{act} shows {secret}");
        }
    }
    let page = fixture.browser.get(LIST).await.expect(200);
    assert!(secrets.iter().all(|secret| !page.text.contains(secret)));
}

async fn many_devices_are_counted_and_not_all_shown(database: Database) {
    let app = TestApp::start_with(database, |settings| settings.sessions.most_per_person = 0).await;
    let fixture = set_up(&app).await;
    for n in 0..105 {
        let device = format!("device-{n}");
        app.login_from(&fixture.bob, IPHONE, "203.0.113.7", Some(&device))
            .await;
    }
    let path = fixture.path(&fixture.bob).await;
    let page = fixture.browser.get(&path).await.expect(200);
    let shown = page.text.matches("<details class=\"device-more\"").count();
    assert_eq!(shown, 100);
    page.expect_words("Signed in on 105 devices")
        .expect_words("Only the most recently used are shown.");
    let page = fixture.browser.get(&format!("{path}/end-sessions")).await;
    page.expect_words("This ends 105 sessions on 105 devices.");
    app.stop().await;
}

async fn what_people_call_themselves_is_escaped(app: &TestApp) {
    let fixture = set_up(app).await;
    app.database.execute(
        "UPDATE users SET full_name = '<script>alert(1)</script>' WHERE email = 'bob@example.org'",
    );
    let path = fixture.path(&fixture.bob).await;
    for path in [
        LIST.to_owned(),
        path.clone(),
        format!("{path}/disable"),
        format!("{path}/edit"),
    ] {
        let page = fixture.browser.get(&path).await.expect(200);
        assert!(!page.text.contains("<script>alert"), "{path}");
        assert!(page.text.contains("&#60;script&#62;alert"), "{path}");
    }
    let query = format!("{LIST}?q=%22%3E%3Cscript%3E");
    let page = fixture.browser.get(&query).await.expect(200);
    assert!(!page.text.contains("\"><script>"), "{}", page.text);
}
