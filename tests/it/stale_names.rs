//! Names that were changed since a form showed them: a tab that shows an old name doesn't bring it back.

use crate::support::admin::id_of;
use crate::support::html::{Form, forms_to};
use crate::support::prelude::*;

on_both!(
    app: a_form_that_shows_an_old_name_saves_nothing,
    a_form_that_states_no_shown_name_is_saved,
);

const APPLICATIONS: &str = "/admin/applications";

/// A form that changes a name.
struct Renaming {
    page: String,
    action: String,
    field: &'static str,
}

/// Returns an administrator, and each form that changes a name.
async fn set_up(app: &TestApp) -> (Browser, Vec<Renaming>) {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let browser = app.signed_in_browser(&root, FIREFOX).await;
    let phone = app.login(&root, IPHONE).await;
    let bob = app.register("bob@example.org").await;
    let bob = id_of(app, &bob.email);
    let add = [("name", "Shop"), ("kind", "service"), ("hosts", "")];
    let added = browser.submit(APPLICATIONS, APPLICATIONS, &add).await;
    let page = browser.follow(&added).await.expect(200);
    let mut paths = page.text.split('"');
    let application = paths.find(|it| it.starts_with("/admin/applications/"));
    let renaming = |page: &str, action: String, field| Renaming {
        page: page.to_owned(),
        action,
        field,
    };
    let device = format!("/devices/{}", phone.id());
    let person = format!("/admin/users/{bob}");
    let all = vec![
        renaming(&device, format!("{device}/rename"), "device_name"),
        renaming("/account", "/account/name".into(), "full_name"),
        renaming(
            &format!("{person}/edit"),
            format!("{person}/name"),
            "full_name",
        ),
        renaming(APPLICATIONS, application.expect("a form").into(), "name"),
    ];
    (browser, all)
}

impl Renaming {
    async fn form(&self, browser: &Browser) -> Form {
        browser.form(&self.page, &self.action).await
    }

    /// Returns the name that the form shows.
    async fn stored(&self, browser: &Browser) -> String {
        let form = self.form(browser).await;
        let shown = form.hidden.iter().find(|(name, _)| name == "shown_name");
        shown.expect("the name").1.clone()
    }
}

async fn a_form_that_shows_an_old_name_saves_nothing(app: &TestApp) {
    let (browser, renamings) = set_up(app).await;
    for it in &renamings {
        let stale = it.form(&browser).await;
        let saved = browser
            .submit(&it.page, &it.action, &[(it.field, "Fresh <name>")])
            .await;
        browser.follow(&saved.expect(303)).await.expect(200);
        let refused = browser.send(&stale, &[(it.field, "Stale")]).await;
        let refused = refused.expect_words(
            "Nothing was saved: since you opened this page, the name was changed to “Fresh <name>”. Save again to replace it.",
        );
        assert!([400, 409].contains(&refused.status), "{}", it.action);
        assert!(refused.text.contains("<title>Error: "), "{}", it.action);
        assert!(refused.text.contains("value=\"Stale\""), "what was typed");
        assert_eq!(it.stored(&browser).await, "Fresh <name>", "{}", it.action);
        // What is so already is no conflict, and the page that says so knows the name.
        let same = browser.send(&stale, &[(it.field, "Fresh <name>")]).await;
        same.expect(303);
        let forms = forms_to(&refused.text, &it.action);
        let again = forms.first().expect("the form");
        browser
            .send(again, &[(it.field, "Stale")])
            .await
            .expect(303);
        assert_eq!(it.stored(&browser).await, "Stale", "{}", it.action);
    }
}

async fn a_form_that_states_no_shown_name_is_saved(app: &TestApp) {
    let (browser, renamings) = set_up(app).await;
    for it in &renamings {
        let mut form = it.form(&browser).await;
        form.hidden.retain(|(name, _)| name != "shown_name");
        let other = [(it.field, "Other")];
        browser
            .submit(&it.page, &it.action, &other)
            .await
            .expect(303);
        browser
            .send(&form, &[(it.field, "Named")])
            .await
            .expect(303);
        assert_eq!(it.stored(&browser).await, "Named", "{}", it.action);
    }
}
