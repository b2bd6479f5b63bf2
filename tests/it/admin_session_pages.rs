//! The administrator's pages about sessions: the list with its search box, one session, and the
//! addresses that many people use.

use std::collections::BTreeSet;

use crate::support::html;
use crate::support::prelude::*;

on_both!(
    app: everybodys_sessions_are_listed,
    the_search_box_and_the_plain_form_show_each_other,
    an_empty_field_is_not_in_the_address,
    a_term_that_is_not_understood_is_named_and_nothing_is_listed,
    an_old_bookmark_is_refused_with_the_name_it_has,
    what_is_wrong_with_the_form_is_said_at_its_fields,
    the_search_box_leaves_the_order_as_it_is,
    a_cursor_of_another_list_is_refused,
    the_pages_of_a_list_are_walked_both_ways,
    the_heads_sort_the_list,
    ended_sessions_say_why_and_by_whom,
    the_filter_goes_along_with_what_ends_all,
    what_has_ended_is_not_ended_again,
    a_session_shows_what_happened_in_it,
    a_session_that_does_not_exist_is_not_found,
    an_auditor_has_nothing_that_changes,
    no_secret_is_on_the_pages,
    a_hostile_name_is_text,
);

on_both!(
    database: an_address_that_is_not_stored_is_nowhere,
    addresses_with_many_people_are_listed,
    an_address_is_found_by_its_network,
);

const LIST: &str = "/admin/sessions";
const ADDRESSES: &str = "/admin/addresses";

/// Returns the browser of somebody with that role.
async fn reader(app: &TestApp, role: &str) -> Browser {
    let root = app.register(&format!("{role}@example.org")).await;
    app.set_role(&root, role);
    app.signed_in_browser(&root, FIREFOX).await
}

/// Returns the sessions on a page of the list, in their order.
fn listed(page: &TestResponse) -> Vec<String> {
    let links = html::attributes(&page.text, "href");
    let ids = links
        .iter()
        .filter_map(|link| link.strip_prefix("/admin/sessions/"));
    let is_id = |id: &&str| id.parse::<uuid::Uuid>().is_ok();
    ids.map(|id| id.split('?').next().unwrap_or_default())
        .filter(is_id)
        .map(str::to_owned)
        .collect()
}

/// Returns the target of the link with these words, if the page has it.
fn link(page: &TestResponse, words: &str) -> Option<String> {
    let end = format!(">{words}</a>");
    let (before, _) = page.text.split_once(&end)?;
    let (_, tag) = before.rsplit_once("<a ")?;
    html::attributes(&format!(" {tag}"), "href")
        .into_iter()
        .next()
}

#[track_caller]
fn expect_link(page: &TestResponse, words: &str) -> String {
    link(page, words).unwrap_or_else(|| panic!("no link {words:?}:\n{}", page.text))
}

async fn everybodys_sessions_are_listed(app: &TestApp) {
    let browser = reader(app, "admin").await;
    let ada = app.register("ada@example.org").await;
    let device = app.login(&ada, IPHONE).await;
    let page = browser.get(LIST).await.expect(200);
    let words = page.words();
    for expected in [
        "Live · 2",
        "Ended · 0",
        "2 sessions match",
        "Last used first",
        "ada@example.org Ada Lovelace",
        "Safari on iPhone",
        "This session",
        "just now",
        "End ticked…",
        "End all 2 that match…",
    ] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    assert_eq!(listed(&page).len(), 2);
    // Of those with a reason, none is live.
    let with_reason = browser.get("/admin/sessions?state=any&reason=limit").await;
    assert!(!with_reason.expect(200).text.contains("End all"));
    let user = device.session["user_id"].as_str().expect("an id");
    assert!(page.text.contains(&format!("/admin/users/{user}")));
    let narrowed = browser.get("/admin/sessions?kind=phone").await.expect(200);
    assert_eq!(listed(&narrowed), [device.id()]);
    let narrowed = narrowed.expect_words("1 session matches");
    assert!(
        !narrowed.text.contains("admin@example.org"),
        "{}",
        narrowed.text
    );
    browser
        .get("/admin/sessions?browser=Lynx")
        .await
        .expect(200)
        .expect_words("No session matches");
    // Both exports are there, with the same filter.
    let export = expect_link(
        &narrowed,
        "<span class=\"visually-hidden\">Export all that match as </span>CSV",
    );
    let export = browser.get(&export).await.expect(200);
    assert!(export.text.contains("ada@example.org"), "{}", export.text);
    assert!(
        !export.text.contains("admin@example.org"),
        "{}",
        export.text
    );
}

async fn the_search_box_and_the_plain_form_show_each_other(app: &TestApp) {
    let browser = reader(app, "admin").await;
    let search =
        "/admin/sessions?search=KIND%3Adesktop+country%3A%22South+Korea%22+used%3A%3C30d+x";
    let redirect = browser.get(search).await.expect(303);
    let address = "/admin/sessions?kind=desktop&country=South+Korea&used_from=30d&q=x";
    assert_eq!(redirect.location(), address);
    let page = browser.get(address).await.expect(200);
    let values = html::attributes(&page.text, "value");
    for value in [
        r#"kind:desktop country:"South Korea" used:<30d x"#,
        "South Korea",
        "30d",
        "x",
    ] {
        assert!(
            values.iter().any(|found| found == value),
            "{value}: {values:?}"
        );
    }
    assert!(
        page.text.contains(r#"<option value="desktop" selected>"#),
        "{}",
        page.text
    );
    // What the box shows leads to the same address.
    let redirect = browser
        .get("/admin/sessions?search=kind%3Adesktop+country%3A%22South+Korea%22+used%3A%3C30d+x")
        .await;
    assert_eq!(redirect.location(), address);
    let redirect = browser.get("/admin/sessions?search=").await;
    assert_eq!(redirect.location(), LIST);
}

async fn an_empty_field_is_not_in_the_address(app: &TestApp) {
    let browser = reader(app, "admin").await;
    let sent = "/admin/sessions?user=&q=&kind=phone&state=&sort=&os=+";
    let redirect = browser.get(sent).await;
    assert_eq!(redirect.location(), "/admin/sessions?kind=phone");
    browser.follow(&redirect).await.expect(200);
}

async fn a_term_that_is_not_understood_is_named_and_nothing_is_listed(app: &TestApp) {
    let browser = reader(app, "admin").await;
    let page = browser
        .get("/admin/sessions?search=colour%3Ared+kind%3Afridge")
        .await
        .expect(400)
        .expect_words("“ colour:red ” is not a filter.")
        .expect_words("“ kind:fridge ” must be one of phone, tablet, desktop");
    assert!(
        page.text.contains(r#"value="colour:red kind:fridge""#),
        "{}",
        page.text
    );
    assert_eq!(listed(&page), Vec::<String>::new());
    assert!(!page.text.contains("match"), "{}", page.text);
    // Beside the text of the box nothing else is filtered by, so it is not left out in silence.
    browser
        .get("/admin/sessions?search=a&kind=phone")
        .await
        .expect(400)
        .expect_words("“ kind ” can’t stand beside the text of the search box");
}

async fn an_old_bookmark_is_refused_with_the_name_it_has(app: &TestApp) {
    let browser = reader(app, "admin").await;
    let page = browser
        .get("/admin/sessions?colour=red&kind=phone&ip=here&sort=used")
        .await
        .expect(400)
        .expect_words("“ colour ” is not a filter")
        .expect_words("Address or network must be an address or a network");
    assert_eq!(listed(&page), Vec::<String>::new());
    // What was sent stands in the form.
    assert!(page.text.contains(r#"value="here""#), "{}", page.text);
    for query in ["sort=name", "kind=phone&kind=phone", "limit=10"] {
        let page = browser
            .get(&format!("/admin/sessions?{query}"))
            .await
            .expect(400);
        assert_eq!(listed(&page), Vec::<String>::new(), "{query}");
    }
}

async fn what_is_wrong_with_the_form_is_said_at_its_fields(app: &TestApp) {
    let browser = reader(app, "admin").await;
    let page = browser
        .get("/admin/sessions?q=pixel&ip=here&kind=fridge")
        .await
        .expect(400);
    let page = page.expect_words("Address or network must be an address or a network");
    for (field, tag) in [("ip", "<input"), ("kind", "<select")] {
        let marked = format!(r#"{tag} id="{field}" name="{field}""#);
        let found = page.text.split(&marked).nth(1).expect(field);
        let found = found.split('>').next().unwrap_or_default();
        assert!(found.contains(r#"aria-invalid="true""#), "{found}");
        let described = format!(r#"aria-describedby="{field}-error""#);
        assert!(found.contains(&described), "{found}");
        assert!(page.text.contains(&format!(r#"id="{field}-error""#)));
        assert!(page.text.contains(&format!(r##"<a href="#{field}">"##)));
    }
    // What is right stays as well, and the search box is not what is wrong.
    assert!(page.text.contains(r#"value="pixel""#), "{}", page.text);
    assert_eq!(page.text.matches("aria-invalid").count(), 2);
    assert!(page.text.contains(r#"<details class="filters" open>"#));
    let searched = browser.get("/admin/sessions?search=ip%3Ahere").await;
    let searched = searched.expect(400);
    let search = searched.text.split(r#"id="search""#).nth(1).expect("a box");
    let search = search.split('>').next().unwrap_or_default();
    assert!(
        search.contains(r#"aria-invalid="true""#) && search.contains("problems"),
        "{search}"
    );
    assert_eq!(searched.text.matches("aria-invalid").count(), 1);
    assert!(!searched.text.contains(r#"<details class="filters" open>"#));
}

async fn the_search_box_leaves_the_order_as_it_is(app: &TestApp) {
    let browser = reader(app, "admin").await;
    let page = browser.get("/admin/sessions?kind=phone&sort=opened").await;
    let form = html::forms_to(&page.expect(200).text, LIST).remove(0);
    let order = ("sort".to_owned(), "opened".to_owned());
    assert_eq!(form.hidden, [order]);
    let search = "/admin/sessions?search=os%3AiOS&sort=opened";
    let found = browser.get(search).await.expect(303);
    assert_eq!(found.location(), "/admin/sessions?os=iOS&sort=opened");
    // Only what has ended is sorted by its end: the form doesn't offer it for others, and an order that
    // was chosen before is left out.
    let ends = r#"<option value="ended""#;
    let live = browser.get(LIST).await.expect(200);
    assert!(
        !live.text.contains(r#"<option value="ended">Oldest"#),
        "{}",
        live.text
    );
    let ended = browser.get("/admin/sessions?state=ended&sort=ended").await;
    let ended = ended.expect(200);
    assert!(
        ended
            .text
            .contains(&format!("{ends} selected>Oldest end first"))
    );
    for query in ["search=kind%3Aphone&sort=ended", "kind=phone&sort=-ended"] {
        let found = browser.get(&format!("{LIST}?{query}")).await.expect(303);
        assert_eq!(found.location(), "/admin/sessions?kind=phone");
    }
}

async fn sign_in_many(app: &TestApp, people: usize, each: usize) {
    for person in 0..people {
        let person = app.register(&format!("p{person}@example.org")).await;
        for _ in 0..each {
            app.login(&person, IPHONE).await;
        }
        app.advance(Duration::from_secs(700));
    }
}

async fn a_cursor_of_another_list_is_refused(app: &TestApp) {
    sign_in_many(app, 4, 15).await;
    let browser = reader(app, "admin").await;
    let page = browser.get(LIST).await.expect(200);
    let older = expect_link(&page, "Older");
    browser.get(&older).await.expect(200);
    for changed in [
        format!("{older}&kind=phone"),
        format!("{older}&sort=opened"),
        older.replace("cursor=", "cursor=x"),
    ] {
        let page = browser.get(&changed).await.expect(400);
        assert!(page.words().contains("cursor"), "{}", page.words());
        assert_eq!(listed(&page), Vec::<String>::new());
    }
}

async fn the_pages_of_a_list_are_walked_both_ways(app: &TestApp) {
    sign_in_many(app, 8, 15).await;
    let browser = reader(app, "admin").await;
    let mut pages = vec![browser.get(LIST).await.expect(200)];
    assert_eq!(link(&pages[0], "Newer"), None);
    while let Some(older) = link(&pages[pages.len() - 1], "Older") {
        pages.push(browser.get(&older).await.expect(200));
    }
    let ids: Vec<Vec<String>> = pages.iter().map(listed).collect();
    assert_eq!(ids.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 21]);
    let different: BTreeSet<&String> = ids.iter().flatten().collect();
    assert_eq!(different.len(), 121);
    let mut page = pages.pop().expect("a page");
    for expected in ids.iter().rev().skip(1) {
        page = browser.get(&expect_link(&page, "Newer")).await.expect(200);
        assert_eq!(listed(&page), *expected);
    }
    assert_eq!(link(&page, "Newer"), None);
}

async fn the_heads_sort_the_list(app: &TestApp) {
    sign_in_many(app, 3, 1).await;
    let browser = reader(app, "admin").await;
    let page = browser.get(LIST).await.expect(200);
    assert!(page.text.contains(r#"aria-sort="descending""#));
    let turned = browser
        .get(&expect_link(&page, "Last active"))
        .await
        .expect(200);
    let turned = turned.expect_words("Longest unused first");
    assert!(turned.text.contains(r#"aria-sort="ascending""#));
    let reversed: Vec<String> = listed(&page).into_iter().rev().collect();
    assert_eq!(listed(&turned), reversed);
    browser
        .get(&expect_link(&page, "Signed in"))
        .await
        .expect(200)
        .expect_words("Newest sign-in first");
    // Only what has ended is sorted by its end.
    assert_eq!(link(&page, "Ends"), None);
    let device = app
        .login(&app.register("ada@example.org").await, IPHONE)
        .await;
    device.post("/api/v1/auth/logout").await.expect(204);
    let ended = browser.get("/admin/sessions?state=ended").await.expect(200);
    assert_eq!(
        expect_link(&ended, "Ended"),
        "/admin/sessions?state=ended&sort=ended"
    );
}

/// Ends sessions as the page's form does. `fields` are its ticked ones or its button.
async fn end(browser: &Browser, page: &str, fields: &[(&str, &str)]) -> TestResponse {
    let list = browser.get(page).await.expect(200);
    let form = html::forms_to(&list.text, "/admin/sessions/end").remove(0);
    let hidden = form.hidden.iter().map(|(name, value)| (&**name, &**value));
    let fields: Vec<_> = hidden.chain(fields.iter().copied()).collect();
    let address = html::address(&form.action, &fields);
    let preview = browser.get(&address).await.expect(200);
    let forms = html::forms(&preview.text);
    let form = forms
        .iter()
        .find(|form| form.action == "/admin/sessions/end");
    let form = form.unwrap_or_else(|| panic!("no form:\n{}", preview.text));
    let reason = [("stated_reason", "Stolen <laptop>")];
    let ended = browser.send(form, &reason).await.expect(303);
    browser.follow(&ended).await.expect(200)
}

async fn ended_sessions_say_why_and_by_whom(app: &TestApp) {
    let browser = reader(app, "admin").await;
    let ada = app.register("ada@example.org").await;
    let (lost, own) = (
        app.login(&ada, FIREFOX).await,
        app.login(&ada, IPHONE).await,
    );
    end(&browser, LIST, &[("session", &lost.id())]).await;
    own.post("/api/v1/auth/logout").await.expect(204);
    let page = browser.get("/admin/sessions?state=ended").await.expect(200);
    let words = page.words();
    assert!(words.contains("Ended · 2"), "{words}");
    assert!(
        words.contains("Ended by an administrator just now · by admin@example.org"),
        "{words}"
    );
    assert!(
        words.contains("Signed out on the device just now"),
        "{words}"
    );
    let narrowed = browser
        .get("/admin/sessions?reason=admin")
        .await
        .expect(200);
    assert_eq!(listed(&narrowed), [lost.id()]);
    let both = browser.get("/admin/sessions?state=any").await.expect(200);
    assert_eq!(listed(&both).len(), 3);
}

async fn the_filter_goes_along_with_what_ends_all(app: &TestApp) {
    let browser = reader(app, "admin").await;
    let ada = app.register("ada@example.org").await;
    let (phone, laptop) = (
        app.login(&ada, IPHONE).await,
        app.login(&ada, FIREFOX).await,
    );
    let narrowed = "/admin/sessions?kind=phone";
    end(&browser, narrowed, &[("all", "1")]).await;
    phone.get("/api/v1/sessions/current").await.expect(401);
    laptop.get("/api/v1/sessions/current").await.expect(200);
    // Without a tick and without the button for all, none is ended.
    let list = browser.get(LIST).await.expect(200);
    let form = html::forms_to(&list.text, "/admin/sessions/end").remove(0);
    let hidden: Vec<_> = form.hidden.iter().map(|(n, v)| (&**n, &**v)).collect();
    browser
        .get(&html::address(&form.action, &hidden))
        .await
        .expect(400)
        .expect_words("No session is selected");
    laptop.get("/api/v1/sessions/current").await.expect(200);
}

async fn what_has_ended_is_not_ended_again(app: &TestApp) {
    let browser = reader(app, "admin").await;
    let ada = app.register("ada@example.org").await;
    let device = app.login(&ada, IPHONE).await;
    device.post("/api/v1/auth/logout").await.expect(204);
    for page in [
        "/admin/sessions?state=ended",
        &format!("/admin/sessions/{}", device.id()),
    ] {
        let page = browser.get(page).await.expect(200);
        assert!(!page.text.contains("/admin/sessions/end"), "{}", page.text);
        assert!(!page.text.contains("checkbox"), "{}", page.text);
    }
}

async fn a_session_shows_what_happened_in_it(app: &TestApp) {
    let browser = reader(app, "admin").await;
    let ada = app.register("ada@example.org").await;
    let login = |agent, device| app.login_from(&ada, agent, "203.0.113.7", device);
    let device = login(FIREFOX, Some("laptop-1")).await;
    let again = login(FIREFOX, Some("laptop-1")).await;
    let other = login(IPHONE, None).await;
    let path = format!("/admin/sessions/{}", device.id());
    let page = browser.get(&path).await.expect(200);
    let words = page.words();
    for expected in [
        "ada@example.org Ada Lovelace",
        "Firefox 140",
        "With a password, through the API",
        "if not used",
        "Signed in 127.0.0.1",
        "On the same device",
        "On their other devices",
        "Safari on iPhone",
        "End session…",
    ] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    let others: BTreeSet<String> = listed(&page).into_iter().collect();
    assert_eq!(others, BTreeSet::from([again.id(), other.id()]));
    end(&browser, &path, &[]).await;
    device.get("/api/v1/sessions/current").await.expect(401);
    let page = browser.get(&path).await.expect(200);
    let words = page.words();
    for expected in [
        "Why Ended by an administrator",
        "By admin@example.org",
        "Stated reason “ Stolen <laptop> ”",
        "Ended by an administrator · admin@example.org : “ Stolen <laptop> ”",
    ] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    let jobs = html::attributes(&page.text, "href");
    let job = jobs.iter().find(|link| link.starts_with("/admin/jobs/"));
    browser.get(job.expect("the job")).await.expect(200);
}

async fn a_session_that_does_not_exist_is_not_found(app: &TestApp) {
    let browser = reader(app, "auditor").await;
    for id in ["01a226cc-0000-7000-8000-000000000000", "none"] {
        browser
            .get(&format!("/admin/sessions/{id}"))
            .await
            .expect(404);
    }
}

async fn an_auditor_has_nothing_that_changes(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let device = app.login(&ada, IPHONE).await;
    let browser = reader(app, "auditor").await;
    // Also long after the password was given.
    app.advance(Duration::from_secs(3_600));
    for path in [LIST, ADDRESSES, &format!("/admin/sessions/{}", device.id())] {
        let page = browser.get(path).await.expect(200);
        let actions: Vec<String> = html::forms(&page.text)
            .into_iter()
            .map(|form| form.action)
            .collect();
        assert_eq!(actions, ["/sign-out"], "{path}");
        for change in ["checkbox", "End ticked", "End all", "End session…"] {
            assert!(!page.text.contains(change), "{path}: {change}");
        }
    }
}

async fn no_secret_is_on_the_pages(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let device = app
        .login_from(&ada, IPHONE, "203.0.113.7", Some("phone-1"))
        .await;
    let browser = reader(app, "admin").await;
    let secrets = app.database.texts(
        "SELECT refresh_token_jti AS value FROM user_sessions UNION SELECT password_hash FROM users",
    );
    let mut secrets: Vec<String> = secrets.into_iter().flatten().collect();
    secrets.extend([device.access_token.clone(), device.refresh_token.clone()]);
    assert!(secrets.len() > 4);
    for path in [LIST, ADDRESSES, &format!("/admin/sessions/{}", device.id())] {
        let page = browser.get(path).await.expect(200);
        for secret in &secrets {
            assert!(!page.text.contains(secret), "{path} has {secret}");
        }
    }
}

async fn a_hostile_name_is_text(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let device = app.login(&ada, IPHONE).await;
    let hostile = "\"><script>alert(1)</script>";
    let path = format!("/api/v1/sessions/{}", device.id());
    device
        .patch(&path, &json!({"device_name": hostile}))
        .await
        .expect(200);
    let browser = reader(app, "admin").await;
    let search = "/admin/sessions?q=%22%3E%3Cscript%3E";
    for path in [search, &format!("/admin/sessions/{}", device.id())] {
        let page = browser.get(path).await.expect(200).expect_words(hostile);
        assert!(!page.text.contains("<script>"), "{}", page.text);
    }
    assert_eq!(listed(&browser.get(search).await), [device.id()]);
}

async fn an_address_that_is_not_stored_is_nowhere(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let device = app.login_from(&ada, IPHONE, "203.0.113.7", None).await;
    // As if it had been stored before the owner chose not to have any.
    app.database
        .execute("UPDATE users SET address_keeping = 'none' WHERE email = 'ada@example.org'");
    for role in ["admin", "auditor"] {
        let browser = reader(&app, role).await;
        for path in [LIST, &format!("/admin/sessions/{}", device.id())] {
            let page = browser
                .get(path)
                .await
                .expect(200)
                .expect_words("Safari on iPhone");
            assert!(!page.text.contains("203.0.113.7"), "{path}: {}", page.text);
        }
    }
    app.stop().await;
}

async fn addresses_with_many_people_are_listed(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let browser = reader(&app, "auditor").await;
    browser
        .get(ADDRESSES)
        .await
        .expect(200)
        .expect_words("No address is used by five people or more");
    for person in 0..6 {
        let person = app.register(&format!("p{person}@example.org")).await;
        app.login_from(&person, IPHONE, "10.1.2.3", None).await;
        app.login_from(&person, FIREFOX, "10.1.2.3", None).await;
        app.login_from(&person, FIREFOX, "203.0.113.7", None).await;
    }
    // Of four people the address is not listed.
    app.database.execute(
        "UPDATE users SET address_keeping = 'none' WHERE email IN ('p0@example.org', 'p1@example.org')",
    );
    app.database.execute(
        "UPDATE user_sessions SET ip_address = NULL, ip_key = NULL WHERE ip_address = '10.1.2.3' AND browser = 'Firefox' \
         AND user_id IN (SELECT id FROM users WHERE address_keeping = 'none')",
    );
    let page = browser.get(ADDRESSES).await.expect(200);
    assert!(
        !page.text.contains("203.0.113.7") && !page.text.contains("10.1.2.3"),
        "{}",
        page.text
    );
    app.database
        .execute("UPDATE users SET address_keeping = 'whole'");
    let page = browser
        .get(ADDRESSES)
        .await
        .expect(200)
        .expect_words("in all 19 live sessions")
        .expect_words("10.1.2.3 Private network 6 10")
        .expect_words("203.0.113.7 6 6");
    let found = browser
        .get(&expect_link(&page, "10.1.2.3"))
        .await
        .expect(200);
    assert_eq!(listed(&found).len(), 10);
    app.stop().await;
}

async fn an_address_is_found_by_its_network(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let device = app.login_from(&ada, IPHONE, "203.0.113.7", None).await;
    app.login_from(&ada, IPHONE, "203.0.114.7", None).await;
    let browser = reader(&app, "admin").await;
    let redirect = browser.get("/admin/sessions?search=203.0.113.0%2F24").await;
    assert_eq!(redirect.location(), "/admin/sessions?ip=203.0.113.0%2F24");
    let page = browser.follow(&redirect).await.expect(200);
    assert_eq!(listed(&page), [device.id()]);
    app.stop().await;
}
