//! The pages of people, for their tests: an administrator in a browser, and a person.

use super::FIREFOX;
use super::app::{Person, TestApp};
use super::browser::Browser;
use super::html;
use super::response::TestResponse;

/// The path of the list.
pub const LIST: &str = "/admin/users";

pub struct Fixture {
    pub browser: Browser,
    pub ada: Person,
    pub bob: Person,
}

/// An administrator, Ada, and a person, Bob.
pub async fn set_up(app: &TestApp) -> Fixture {
    let ada = app.register("ada@example.org").await;
    app.set_role(&ada, "admin");
    let bob = app.register("bob@example.org").await;
    app.database
        .execute("UPDATE users SET full_name = 'Bob Byrne' WHERE email = 'bob@example.org'");
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    Fixture { browser, ada, bob }
}

impl Fixture {
    /// Returns the path of a person's page, from the link in the list.
    pub async fn path(&self, person: &Person) -> String {
        let found = self
            .browser
            .get(&format!("{LIST}?q={}", person.email))
            .await
            .expect(200);
        person_links(&found).remove(0)
    }

    /// Opens the page of an act and sends its form.
    pub async fn act(&self, person: &str, act: &str, fields: &[(&str, &str)]) -> TestResponse {
        let path = format!("{person}/{act}");
        self.browser.submit(&path, &path, fields).await
    }
}

/// Returns the links to people in the list.
pub fn person_links(page: &TestResponse) -> Vec<String> {
    html::attributes(&page.text, "href")
        .into_iter()
        .map(|href| href.split('?').next().unwrap_or_default().to_owned())
        .filter(|href| href.starts_with("/admin/users/") && href.len() == LIST.len() + 37)
        .collect()
}

pub fn actions(page: &TestResponse) -> Vec<String> {
    let forms = html::forms(&page.text).into_iter();
    forms.map(|form| form.action).collect()
}

/// Returns the link to `prefix` on the page.
pub fn link(page: &TestResponse, prefix: &str) -> String {
    let words = page.words();
    let link = words.split(' ').find(|word| word.contains(prefix));
    let link = link.unwrap_or_else(|| panic!("no link to {prefix}: {words}"));
    link[link.find(prefix).expect("the prefix")..].to_owned()
}
