//! The page that requests the password names what is about to be done, and leads back to where one was.

use actix_web::http::Method;
use rollcall::server::routes::{Access, PAGES};
use uuid::Uuid;

use crate::support::admin::id_of;
use crate::support::html;
use crate::support::prelude::*;

on_both!(
    app: every_act_that_may_need_the_password_has_a_name,
    the_page_names_the_device,
    the_page_names_all_that_ends,
    the_page_names_what_is_created,
    what_ends_or_deletes_is_confirmed_with_a_red_button,
    what_is_not_the_callers_names_nothing,
    an_administrators_act_names_the_person,
    cancel_leads_back_to_where_one_was,
    cancel_leads_to_no_other_site,
    cancel_leads_to_no_page_that_needs_the_password,
);

const WINDOW: Duration = Duration::from_secs(10 * 60 + 1);
const UNNAMED: &str = "Enter your password to continue.";
/// What is sent without step-up, whatever the cookie is.
const ALWAYS_ALLOWED: [&str; 2] = ["/confirm", "/sign-out"];

fn confirmation_of(target: &str) -> String {
    html::address("/confirm", &[("next", target)])
}

async fn every_act_that_may_need_the_password_has_a_name(app: &TestApp) {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let browser = app.signed_in_browser(&root, FIREFOX).await;
    let may_need_it = PAGES.iter().filter(|route| {
        let is_form = route.method == Method::POST;
        match route.access {
            Access::SignedIn => is_form && !ALWAYS_ALLOWED.contains(&route.path),
            Access::Admin => true,
            _ => false,
        }
    });
    let mut paths: Vec<String> = may_need_it
        .map(|route| route.path.replace("{id}", &Uuid::new_v4().to_string()))
        .collect();
    assert!(paths.len() > 40, "{}", paths.len());
    paths.push("/account/export".into());
    for path in paths {
        let page = browser.get(&confirmation_of(&path)).await.expect(200);
        assert!(!page.words().contains(UNNAMED), "{path} has no name");
    }
    let page = browser.get("/confirm").await.expect(200);
    page.expect_words(UNNAMED);
}

async fn cancel_leads_to_no_page_that_needs_the_password(app: &TestApp) {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let browser = app.signed_in_browser(&root, FIREFOX).await;
    let id = Uuid::new_v4().to_string();
    let admin = PAGES.iter().filter(|route| route.access == Access::Admin);
    let admin: Vec<_> = admin.collect();
    let pages = admin.iter().filter(|route| route.method == Method::GET);
    let pages: Vec<String> = pages.map(|route| route.path.replace("{id}", &id)).collect();
    assert!(pages.len() > 10, "{pages:?}");
    for route in admin {
        let path = route.path.replace("{id}", &id);
        let page = browser.get(&confirmation_of(&path)).await.expect(200);
        let cancel = page.text.split("Cancel</a>").next().expect("a link");
        let (_, cancel) = cancel.rsplit_once("href=\"").expect("a link");
        let (cancel, _) = cancel.split_once('"').expect("an address");
        assert!(
            !pages.contains(&cancel.to_owned()),
            "{path} leads to {cancel}"
        );
    }
}

async fn the_page_names_the_device(app: &TestApp) {
    const NAME: &str = "<b>Living</b> \"room\"";

    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    let device = format!("/devices/{}", phone.id());
    let rename = format!("{device}/rename");
    let name = [("device_name", NAME)];
    laptop.submit(&device, &rename, &name).await.expect(303);
    let sign_out = format!("{device}/sign-out");
    let form = laptop.form(&device, &sign_out).await;
    app.advance(WINDOW);
    let page = laptop.send(&form, &[]).await.expect(403);
    assert!(!page.text.contains("<b>Living"), "{}", page.text);
    let words = page.words();
    let title = format!("Sign out {NAME}?");
    // In the title, the heading and the button.
    assert!(words.starts_with(&title), "{words}");
    assert_eq!(words.matches(NAME).count(), 3, "{words}");
    let one = laptop.send(&form, &[("only", "session")]).await.expect(403);
    one.expect_words("End one session on");

    let form = html::forms_to(&page.text, "/confirm").remove(0);
    let wrong = laptop.send(&form, &[("password", "not it")]).await;
    let wrong = wrong.expect(403).expect_words(&title);
    assert!(
        wrong.words().starts_with("Error: Sign out"),
        "{}",
        wrong.words()
    );
    laptop
        .send(&form, &[("password", PASSWORD)])
        .await
        .expect(307);
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The heading of the page before an act, of the one for the password, and its button are the same.
async fn the_page_names_all_that_ends(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    for name in ["Kitchen", "Tablet"] {
        app.login_named(&ada, IPHONE, name).await;
    }
    app.advance(DAY * 9);
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let account = laptop.form("/account", "/account/idle-limit").await;
    let others = "/devices/sign-out-others";
    let shown = laptop.get(others).await.expect(200);
    let shown = shown.expect_words("Sign out 2 other devices?");
    let others = html::forms_to(&shown.text, others).remove(0);
    app.advance(WINDOW);
    app.login_named(&ada, IPHONE, "New").await;
    for (form, fields, words) in [
        (&others, vec![], "Sign out 2 other devices"),
        (&account, vec![("idle_limit", "week")], "Sign out 2 devices"),
        (
            &account.aimed_at("/devices/sign-out-everywhere"),
            vec![],
            "Sign out all 4 devices",
        ),
    ] {
        let mut page = laptop.send(form, &fields).await;
        if page.status == 200 {
            let shown_page = page.expect_words(&format!("{words} ?"));
            assert!(shown_page.text.contains(&format!("<title>{words}?")));
            let form = html::forms_to(&shown_page.text, &form.action).remove(0);
            page = laptop.send(&form, &[]).await;
        }
        let page = page.expect(403);
        assert!(
            page.text.contains(&format!("<title>{words}?")),
            "{words}: {}",
            page.text
        );
        let (verb, object) = words.split_at("Sign out ".len());
        let button = format!(
            "<button class=\"danger filled\" type=\"submit\">{verb}<bdi>{object}</bdi></button>"
        );
        assert!(page.text.contains(&button), "{}", page.text);
    }
}

async fn the_page_names_what_is_created(app: &TestApp) {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let root = app.signed_in_browser(&root, FIREFOX).await;
    let applications = "/admin/applications";
    let new = [("name", "Storefront"), ("kind", "service")];
    root.submit(applications, applications, &new)
        .await
        .expect(303);
    let page = root.get(applications).await.expect(200);
    let page = page.expect_words("Storefront");
    let (_, id) = page
        .text
        .split_once("<option value=\"\">A new one</option>")
        .expect("a list");
    let (_, id) = id.split_once("<option value=\"").expect("an application");
    let id = id.split('"').next().unwrap_or_default().to_owned();
    let form = html::forms_to(&page.text, "/admin/api-keys").remove(0);
    app.advance(WINDOW);
    let scope = ("tokens", "on");
    for (path, fields, words) in [
        (
            "/admin/api-keys",
            vec![("application", id.as_str()), ("name", "<Build>"), scope],
            "Create the API key &#60;Build&#62; for Storefront?",
        ),
        (
            "/admin/api-keys",
            vec![("application", id.as_str()), ("name", " "), scope],
            "Create an API key for Storefront?",
        ),
        (
            "/admin/api-keys",
            vec![("application", ""), ("name", "Blog"), scope],
            "Create an API key for the new application Blog?",
        ),
        (
            "/admin/applications",
            vec![("name", "Blog")],
            "Add the application Blog?",
        ),
        (
            "/admin/users/new",
            vec![("email", "bob@example.org")],
            "Create the account for bob@example.org?",
        ),
        (
            "/admin/users/new",
            vec![("email", "nobody")],
            "Add a person?",
        ),
        (
            "/admin/users/invite",
            vec![("email", "bob@example.org")],
            "Invite bob@example.org?",
        ),
    ] {
        let page = root.send(&form.aimed_at(path), &fields).await.expect(403);
        assert!(
            page.text.contains(&format!("<title>{words}")),
            "{words}: {}",
            page.text
        );
    }
}

async fn what_ends_or_deletes_is_confirmed_with_a_red_button(app: &TestApp) {
    const RED: &str = r#"<button class="danger filled" type="submit">"#;
    const GREEN: &str = r#"<button class="primary" type="submit">"#;

    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let bob = app.register("bob@example.org").await;
    let bob = format!("/admin/users/{}", id_of(app, &bob.email));
    app.login(&root, IPHONE).await;
    let root = app.signed_in_browser(&root, FIREFOX).await;
    let form = root.form("/account", "/account/name").await;
    let typed = [("typed", "root@example.org"), ("reason", "asked for")];
    app.advance(WINDOW);
    for (path, button, words) in [
        ("/account/delete", RED, "Delete your account"),
        (
            "/devices/sign-out-others",
            RED,
            "Sign out <bdi>Safari on iPhone</bdi>",
        ),
        (
            "/devices/sign-out-everywhere",
            RED,
            "Sign out <bdi>both devices</bdi>",
        ),
        (&format!("{bob}/disable"), RED, "Disable"),
        (&format!("{bob}/end-sessions"), RED, "End all sessions of"),
        (&format!("{bob}/enable"), GREEN, "Enable"),
        (
            "/account/alerts",
            GREEN,
            "Turn off e-mails about new sign-ins",
        ),
    ] {
        let page = root.send(&form.aimed_at(path), &typed).await.expect(403);
        assert!(
            page.text.contains(&format!("{button}{words}")),
            "{path}: {}",
            page.text
        );
    }
}

async fn what_is_not_the_callers_names_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let bob = app.register("bob@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let his = app.login(&bob, IPHONE).await.id();
    for id in [his.as_str(), "Somebody", &Uuid::new_v4().to_string()] {
        let target = format!("/devices/{id}/sign-out");
        let page = browser.get(&confirmation_of(&target)).await.expect(200);
        page.expect_words("Sign out a device?");
    }
    let id = app.database.texts(&format!(
        "SELECT {} AS value FROM users WHERE email = 'bob@example.org'",
        match app.database.postgres_name() {
            Some(_) => "CAST(id AS TEXT)",
            None => "lower(hex(id))",
        }
    ));
    let id = id[0].clone().expect("an id");
    let target = format!("/admin/users/{id}/disable");
    let page = browser.get(&confirmation_of(&target)).await.expect(200);
    page.expect_words(UNNAMED);
    app.set_role(&ada, "admin");
    let page = browser.get(&confirmation_of(&target)).await.expect(200);
    page.expect_words("Disable Ada Lovelace?")
        .expect_words("nothing has happened yet");
}

async fn an_administrators_act_names_the_person(app: &TestApp) {
    let root = app.register("root@example.org").await;
    let bob = app.register("bob@example.org").await;
    app.set_role(&root, "admin");
    let browser = app.signed_in_browser(&root, FIREFOX).await;
    let list = browser.get("/admin/users").await.expect(200);
    let links = html::attributes(&list.text, "href");
    let people = links
        .iter()
        .filter(|link| link.starts_with("/admin/users/"));
    for person in people {
        let person = person.split('?').next().unwrap_or_default();
        let page = browser.get(person).await;
        if !page.words().contains(&bob.email) {
            continue;
        }
        let delete = format!("{person}/delete");
        let form = browser.form(&delete, &delete).await;
        app.advance(WINDOW);
        let fields = [("typed", "bob@example.org"), ("reason", "Left us")];
        let page = browser.send(&form, &fields).await.expect(403);
        page.expect_words("Delete Ada Lovelace?");
        return;
    }
    panic!("Bob is not in the list");
}

async fn cancel_leads_back_to_where_one_was(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    let device = format!("/devices/{}", phone.id());
    let form = laptop.form(&device, &format!("{device}/sign-out")).await;
    app.advance(WINDOW);
    let here = format!("{}{device}?before=1", app.base());
    let page = laptop.send_with(&form, &[], &[("referer", &here)]).await;
    let page = page.expect(403);
    let cancel = format!("{device}?before=1");
    assert!(html::attributes(&page.text, "href").contains(&cancel));
    let form = html::forms_to(&page.text, "/confirm").remove(0);
    let from = format!("{}/devices", app.base());
    let wrong = [("password", "not it")];
    let page = laptop.send_with(&form, &wrong, &[("referer", &from)]).await;
    let page = page.expect(403);
    assert!(html::attributes(&page.text, "href").contains(&cancel));
    // A link leads there, and a browser states where it was.
    let account = format!("{}/account", app.base());
    let page = laptop
        .get_with(
            "/confirm?next=%2Faccount%2Fexport",
            &[("referer", &account)],
        )
        .await
        .expect(200)
        .expect_words("Download your data?");
    assert!(
        page.text.contains(r#"href="/account">Cancel"#),
        "{}",
        page.text
    );
}

async fn cancel_leads_to_no_other_site(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let form = laptop.form("/account", "/account/name").await;
    let confirm = form.aimed_at("/confirm");
    let port = app.base().rsplit(':').next().map(str::to_owned);
    let same_name = format!("http://evil.example:{}/devices", port.unwrap_or_default());
    for elsewhere in [
        "https://evil.example/devices",
        same_name.as_str(),
        "//evil.example",
        "javascript:alert(1)",
    ] {
        let fields = [
            ("password", "not it"),
            ("act", "/account/name"),
            ("leave", elsewhere),
        ];
        let page = laptop
            .send_with(&confirm, &fields, &[("referer", elsewhere)])
            .await
            .expect(403);
        assert!(
            page.text.contains(r#"href="/account">Cancel"#),
            "{elsewhere}"
        );
        assert!(!page.text.contains("evil.example"), "{}", page.text);
        assert!(!page.text.contains("javascript:"), "{}", page.text);
        app.advance(WINDOW);
    }
}
