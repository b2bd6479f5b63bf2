//! `rollcall demo`: visitors sign in with one click, and nowhere else does anybody.

use crate::support::html;
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(app: nobody_signs_in_without_a_password_outside_the_demo);

async fn nobody_signs_in_without_a_password_outside_the_demo(app: &TestApp) {
    let ana = app.register("ana@example.org").await;
    let browser = app.browser(FIREFOX);
    let page = browser.get("/sign-in").await.expect(200);
    assert!(!page.text.contains("/demo/sign-in"), "{}", page.text);
    // The route doesn't exist, whatever is sent there.
    let form = html::forms(&page.text).remove(0).aimed_at("/demo/sign-in");
    let fields = [("person", ana.email.as_str())];
    browser.send(&form, &fields).await.expect(404);
    browser.get("/demo/sign-in").await.expect(404);
    assert_eq!(browser.cookie("rollcall_session"), None);
    browser.get("/devices").await.expect(303);
}

#[test]
fn a_visitor_of_the_demo_signs_in_with_one_click() {
    crate::support::run_async(async {
        let folder = tempfile::tempdir().expect("a folder");
        let demo = Program::in_folder(folder.path()).serve(&["demo"]);
        let browser = Browser::new(demo.base(), FIREFOX);
        let page = browser.get("/sign-in").await.expect(200);
        let words = page.words();
        for (button, story) in [
            ("Sign in as Ana", "12 devices of every kind"),
            ("Sign in as Adam", "an administrator"),
            ("Sign in as Farid", "signed in nowhere yet"),
        ] {
            assert!(words.contains(button) && words.contains(story), "{words}");
        }
        let action = "/demo/sign-in";
        let ana = [("person", "ana@example.org")];
        let response = browser.submit("/sign-in", action, &ana).await;
        assert_eq!(response.location(), "/devices");
        let page = browser.get("/devices").await.expect(200);
        assert!(page.words().contains("Living room"));

        // Nobody but the demo's people, and nobody with another site's form.
        let other = Browser::new(demo.base(), IPHONE);
        let nobody = [("person", "aisha.ali.0@example.org")];
        other.submit("/sign-in", action, &nobody).await.expect(404);
        let response = other.post(action, &ana).await;
        assert_ne!(response.location(), "/devices");
        other.get("/devices").await.expect(303);
    });
}
