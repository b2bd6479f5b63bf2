//! `rollcall demo`: visitors sign in with one click, and nowhere else does anybody.

use std::process::{Child, Stdio};

use rollcall::clock::Clock;
use rollcall::people::{EmailTrust, FullName, NewAccount, NewPassword, Role};
use rollcall::server::{self, SamplePerson, Server};

use crate::change_notifications::{next_event, stream_of};
use crate::support::api::Anyone;
use crate::support::app::settings_for;
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

on_both!(
    database: a_visitor_of_the_demo_signs_in_with_one_click,
    a_deleted_person_of_the_demo_comes_back_with_one_click,
    a_disabled_person_of_the_demo_is_not_signed_in_and_the_page_says_why,
);

/// Starts a service whose visitors sign in as Ana with one click.
async fn start_demo(database: &Database) -> Server {
    let account = NewAccount {
        email: "ana@example.org".parse().expect("an e-mail"),
        trust: EmailTrust::Vouched,
        full_name: FullName::parse("Ana Ribeiro").expect("a name"),
        password: NewPassword::new("password", PASSWORD.into()).expect("a password"),
        role: Role::Person,
    };
    let people = vec![SamplePerson {
        account,
        about: "12 devices of every kind",
    }];
    let settings = settings_for(database, |_| {});
    let server = server::start_demo(settings, Clock::system(), people).await;
    server.expect("the server starts")
}

async fn a_deleted_person_of_the_demo_comes_back_with_one_click(database: Database) {
    let server = start_demo(&database).await;
    let browser = Browser::new(format!("http://{}", server.address()), FIREFOX);
    let ana = [("person", "ana@example.org")];
    for _ in 0..2 {
        let done = browser.submit("/sign-in", "/demo/sign-in", &ana).await;
        let page = browser.follow(&done.expect(303)).await.expect(200);
        page.expect_words("You are signed in only here.");
        let typed = [("typed", "ana@example.org")];
        let done = browser.submit("/account/delete", "/account/delete", &typed);
        assert_eq!(done.await.expect(303).location(), "/sign-in");
    }
    server.stop().await.expect("a clean stop");
}

async fn a_disabled_person_of_the_demo_is_not_signed_in_and_the_page_says_why(database: Database) {
    let server = start_demo(&database).await;
    let browser = Browser::new(format!("http://{}", server.address()), FIREFOX);
    let ana = [("person", "ana@example.org")];
    let sign_in = async || browser.submit("/sign-in", "/demo/sign-in", &ana).await;
    sign_in().await.expect(303);
    let form = browser.form("/devices", "/sign-out").await;
    browser.send(&form, &[]).await.expect(303);
    database.execute("UPDATE users SET is_active = false");
    let page = sign_in().await.expect(409);
    page.expect_words("Ana’s account is disabled. An administrator can enable it again.")
        .expect_words("Sign in as Ana");
    browser.get("/devices").await.expect(303);
    server.stop().await.expect("a clean stop");
}

async fn a_visitor_of_the_demo_signs_in_with_one_click(database: Database) {
    let server = start_demo(&database).await;
    let base = format!("http://{}", server.address());
    for email in ["ana@example.org", "ben@example.org"] {
        let body = json!({"email": email, "password": PASSWORD});
        let anyone = Anyone::new(base.clone());
        anyone
            .post("/api/v1/auth/register", &body)
            .await
            .expect(201);
    }

    let browser = Browser::new(base.clone(), FIREFOX);
    let page = browser.get("/sign-in").await.expect(200);
    assert!(
        page.words()
            .contains("Sign in as Ana 12 devices of every kind"),
        "{}",
        page.words()
    );
    let (action, ana) = ("/demo/sign-in", [("person", "ana@example.org")]);
    let response = browser.submit("/sign-in", action, &ana).await;
    assert_eq!(response.location(), "/devices");
    let page = browser.get("/account").await.expect(200);
    assert!(page.words().contains("ana@example.org"), "{}", page.words());

    // Nobody but the demo's people, and nobody by another site's form.
    let other = Browser::new(base, IPHONE);
    let ben = [("person", "ben@example.org")];
    other.submit("/sign-in", action, &ben).await.expect(404);
    let response = other.post(action, &ana).await;
    assert_eq!(response.location(), "/sign-in");
    other.get("/devices").await.expect(303);
    server.stop().await.expect("a clean stop");
}

/// A demo, which ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the demo itself, and returns it with its URL once it accepts connections: it creates its people
/// first.
async fn start_program(program: Program) -> (Running, String) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("its address").to_string();
    drop(free);
    let demo = Running(program.start(&["demo", "--listen", &address], Stdio::null()));
    for _ in 0..1_000 {
        if tokio::net::TcpStream::connect(&address).await.is_ok() {
            return (demo, format!("http://{address}"));
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("the demo does not accept connections");
}

/// Returns *Your devices* once it has these words, by its stream.
async fn wait_for_words(browser: &Browser, words: &str) -> TestResponse {
    loop {
        let page = browser.get("/devices").await.expect(200);
        if page.words().contains(words) {
            return page;
        }
        let mut stream = browser.stream(&stream_of(&page.text)).await;
        while next_event(&mut stream).await != "event: changed\ndata:\n\n" {}
    }
}

/// The demo itself, with the system's clock: the stranger comes five seconds after each visitor.
#[actix_web::test]
async fn a_stranger_follows_each_visitor_of_the_demo() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_demo, base) = start_program(Program::in_folder(folder.path())).await;
    let ana = [("person", "ana@example.org")];
    // The second one looks like the first.
    for agent in [FIREFOX, FIREFOX, IPHONE] {
        let browser = Browser::new(base.clone(), agent);
        let done = browser.submit("/sign-in", "/demo/sign-in", &ana).await;
        assert_eq!(done.location(), "/devices");
        let page = wait_for_words(&browser, "Edge on Windows signed in").await;
        page.expect_words("Was this you?");
    }
}

#[actix_web::test]
async fn one_click_is_offered_only_where_no_network_reaches_the_demo() {
    let folder = tempfile::tempdir().expect("a folder");
    for (url, is_offered) in [
        ("http://localhost", true),
        ("https://demo.example.org", false),
    ] {
        let program = Program::in_folder(folder.path()).env("ROLLCALL_PUBLIC_URL", url);
        let (_demo, base) = start_program(program).await;
        let browser = Browser::new(base, FIREFOX);
        let page = browser.get("/sign-in").await.expect(200).words();
        assert_eq!(page.contains("Sign in as Ana"), is_offered, "{url}: {page}");
    }
}
