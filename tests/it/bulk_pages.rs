//! The pages on which administrators end sessions, and those of the jobs that do.

use crate::support::bulk::{add_sessions, expect_ended_once};
use crate::support::html::{self, Form};
use crate::support::prelude::*;

on_both!(
    app: the_page_says_what_is_ended_and_asks_why,
    ticked_sessions_are_named_and_ended,
    own_sessions_stay_unless_they_are_ticked_as_well,
    a_reason_is_needed_and_what_was_typed_stays,
    a_form_without_sessions_ends_none,
    an_unknown_field_never_ends_more,
    all_fields_go_through_the_password_page,
    the_list_is_led_back_to_as_it_was,
    the_page_is_gone_back_to_after_the_password,
    the_same_form_twice_is_the_same_order,
    a_form_that_is_too_old_or_none_of_the_page_ends_nothing,
    ticked_sessions_that_are_over_are_spoken_of,
    an_order_that_would_end_nothing_is_none,
    a_running_job_shows_its_progress_and_is_stopped,
    the_jobs_are_listed,
    an_auditor_reads_jobs_and_changes_nothing,
    for_everyone_else_the_pages_do_not_exist,
);

const END: &str = "/admin/sessions/end";
const JOBS: &str = "/admin/jobs";

struct Fixture {
    browser: Browser,
    ada: Person,
    laptop: Device,
    phone: Device,
}

impl Fixture {
    async fn new(app: &TestApp) -> Self {
        let root = app.register("root@example.org").await;
        app.set_role(&root, "admin");
        let browser = app.signed_in_browser(&root, FIREFOX).await;
        let ada = app.register("ada@example.org").await;
        Self {
            browser,
            laptop: app.login(&ada, FIREFOX).await,
            phone: app.login(&ada, IPHONE).await,
            ada,
        }
    }

    /// Opens the page that says what would be ended, with these fields.
    async fn preview(&self, fields: &[(&str, &str)]) -> TestResponse {
        open(&self.browser, fields).await
    }

    /// Sends the form of that page as it is, with these fields besides.
    async fn end(&self, preview: &TestResponse, fields: &[(&str, &str)]) -> TestResponse {
        self.browser.send(&end_form(preview), fields).await
    }
}

/// Opens the page as the list's form does.
async fn open(browser: &Browser, fields: &[(&str, &str)]) -> TestResponse {
    browser.get(&html::address(END, fields)).await
}

/// Returns the path of an address, without its query.
fn path_of(address: &str) -> String {
    address.split('?').next().unwrap_or_default().to_owned()
}

/// Returns a form that has nothing but the CSRF token.
async fn token(browser: &Browser) -> Form {
    let form = browser.form("/account", "/account/name").await;
    let hidden = form.hidden.into_iter().filter(|(name, _)| name == "csrf");
    Form {
        action: form.action,
        hidden: hidden.collect(),
    }
}

#[track_caller]
fn end_form(preview: &TestResponse) -> Form {
    let forms = html::forms(&preview.text);
    let form = forms.into_iter().find(|form| form.action == END);
    form.unwrap_or_else(|| panic!("no form ends sessions:\n{}", preview.text))
}

async fn the_page_says_what_is_ended_and_asks_why(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let page = fixture
        .preview(&[
            ("all", "1"),
            ("user", "ada@example.org"),
            ("used_from", "90d"),
        ])
        .await
        .expect(200)
        .expect_words("End 2 sessions of 1 person?")
        .expect_words("ada@example.org Firefox on Windows")
        .expect_words("They see it")
        .expect_words("End 2 sessions");
    assert!(!page.text.contains("include_own"), "{}", page.text);
    assert!(!page.text.contains("127.0.0.1"), "{}", page.text);
    expect_ended_once(app, 0);
    let jobs = "SELECT count(*) AS value FROM bulk_jobs";
    assert_eq!(app.database.number(jobs), 0);

    let done = fixture
        .end(&page, &[("stated_reason", "Left <the> company")])
        .await;
    assert!(done.location().starts_with("/admin/jobs/"));
    let job = fixture.browser.follow(&done).await.expect(200);
    assert!(job.header("refresh").is_empty());
    assert!(!job.text.contains("<the>"), "{}", job.text);
    job.expect_words("Job to end 2 sessions that matched Done")
        .expect_words("2 sessions are ended.")
        .expect_words("“Left <the> company”")
        .expect_words("user: ada@example.org")
        .expect_words("by root@example.org");
    expect_ended_once(app, 2);
    fixture.laptop.current().await.expect(401);
}

async fn ticked_sessions_are_named_and_ended(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let (laptop, phone) = (fixture.laptop.id(), fixture.phone.id());
    // The filter of the list is sent as well, and counts only with `all`.
    let page = fixture
        .preview(&[("session", &laptop), ("session", &phone), ("os", "Windows")])
        .await
        .expect(200)
        .expect_words("End 2 sessions of 1 person?");
    let ticked = |form: &Form| {
        let sessions = form.hidden.iter().filter(|(name, _)| name == "session");
        sessions.count()
    };
    assert_eq!(ticked(&end_form(&page)), 2);
    fixture
        .preview(&[("session", &phone)])
        .await
        .expect(200)
        .expect_words("End this session?");
    let done = fixture.end(&page, &[("stated_reason", "Lost")]).await;
    fixture
        .browser
        .follow(&done)
        .await
        .expect_words("Job to end 2 sessions that were listed");
    expect_ended_once(app, 2);
    fixture
        .preview(&[("session", &phone)])
        .await
        .expect(200)
        .expect_words("All of these sessions have already ended")
        .expect_words("There are no sessions to end.");
}

async fn own_sessions_stay_unless_they_are_ticked_as_well(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let page = fixture
        .preview(&[("all", "1")])
        .await
        .expect(200)
        .expect_words("End 2 sessions of 1 person?")
        .expect_words("Which ones: every live session")
        .expect_words(
            "One of your own sessions also matches. It stays signed in unless you tick this.",
        )
        .expect_words("End them");
    assert!(!page.text.contains("and 1 session more"), "{}", page.text);
    assert!(
        page.text
            .contains("name=\"include_own\" value=\"on\" aria-describedby=\"own\">"),
        "it is not ticked: {}",
        page.text
    );
    let done = fixture.end(&page, &[("stated_reason", "x")]).await;
    fixture
        .browser
        .follow(&done)
        .await
        .expect(200)
        .expect_words("2 sessions are ended.")
        .expect_words("the sessions of the person who ordered it");
    let page = fixture
        .preview(&[("all", "1")])
        .await
        .expect(200)
        .expect_words("End your own session?")
        .expect_words("This is your own session.");
    // Nothing else is left to be ended, so there is no job without the tick.
    let jobs = "SELECT count(*) AS value FROM bulk_jobs";
    let refused = fixture.end(&page, &[("stated_reason", "x")]).await;
    refused
        .expect(409)
        .expect_words("This must be ticked: there is no other session to end.");
    assert_eq!(app.database.number(jobs), 1);
    let fields = [("stated_reason", "x"), ("include_own", "on")];
    let done = fixture.end(&page, &fields).await;
    assert!(fixture.browser.follow(&done).await.is_to_sign_in());
    expect_ended_once(app, 3);
}

async fn a_reason_is_needed_and_what_was_typed_stays(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let page = fixture.preview(&[("all", "1")]).await.expect(200);
    let long = format!("{}\"<&", "x".repeat(500));
    for reason in ["", " \u{7} ", &long] {
        let fields = [("stated_reason", reason), ("include_own", "on")];
        let again = fixture.end(&page, &fields).await.expect(400);
        assert!(again.text.contains("aria-invalid=\"true\""));
        assert!(
            again
                .text
                .contains("value=\"on\" aria-describedby=\"own\" checked")
        );
        let again = again.expect_words("This must have 1 to 500 characters.");
        assert_eq!(end_form(&again).hidden, end_form(&page).hidden);
        if reason == long {
            assert!(
                again.text.contains("xxx&#34;&#60;&#38;</textarea>"),
                "{}",
                again.text
            );
        }
    }
    let jobs = "SELECT count(*) AS value FROM bulk_jobs";
    assert_eq!(app.database.number(jobs), 0);
    expect_ended_once(app, 0);
}

async fn a_form_without_sessions_ends_none(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let form = token(&fixture.browser).await;
    for fields in [&[][..], &[("os", "Windows")]] {
        let page = fixture.preview(fields).await.expect(400);
        page.expect_words("No session is selected");
    }
    for fields in [
        &[("stated_reason", "x"), ("include_own", "on")],
        &[("stated_reason", "x"), ("os", "Windows")],
    ] {
        let form = form.aimed_at(END);
        let page = fixture.browser.send(&form, fields).await.expect(400);
        page.expect_words("No session is selected");
    }
    for fields in [
        &[("session", "nonsense"), ("stated_reason", "x")][..],
        &[("all", "1"), ("state", "ended"), ("stated_reason", "x")],
        &[("all", "1"), ("reason", "expired"), ("stated_reason", "x")],
    ] {
        let form = form.aimed_at(END);
        fixture.browser.send(&form, fields).await.expect(400);
    }
    expect_ended_once(app, 0);
}

async fn an_unknown_field_never_ends_more(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let form = token(&fixture.browser).await.aimed_at(END);
    for name in ["browsr", "search", "sort", "cursor"] {
        let fields = [("all", "1"), (name, "Safari"), ("stated_reason", "x")];
        for refused in [
            fixture.preview(&fields).await,
            fixture.browser.send(&form, &fields).await,
        ] {
            refused.expect(400).expect_words(name);
        }
    }
    for fields in [
        [("all", "0"), ("stated_reason", "x")],
        [("all", "1"), ("include_own", "no")],
    ] {
        fixture.preview(&fields).await.expect(400);
        fixture.browser.send(&form, &fields).await.expect(400);
    }
    expect_ended_once(app, 0);
}

async fn all_fields_go_through_the_password_page(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let (laptop, phone) = (fixture.laptop.id(), fixture.phone.id());
    let page = fixture
        .preview(&[("session", &laptop), ("session", &phone)])
        .await
        .expect(200);
    app.advance(Duration::from_secs(601));
    let asks = fixture
        .end(&page, &[("stated_reason", "Lost")])
        .await
        .expect(403);
    expect_ended_once(app, 0);
    let forms = html::forms(&asks.text);
    let password = forms.iter().find(|form| form.action == "/confirm");
    let password = password.expect("the form for the password");
    let confirmed = fixture
        .browser
        .send(password, &[("password", PASSWORD)])
        .await
        .expect(307);
    assert_eq!(confirmed.header("location"), END);
    let again = password.aimed_at(END);
    let done = fixture
        .browser
        .send(&again, &[("password", PASSWORD)])
        .await;
    fixture
        .browser
        .follow(&done)
        .await
        .expect_words("2 sessions are ended.")
        .expect_words("“Lost”");
    expect_ended_once(app, 2);
}

async fn the_list_is_led_back_to_as_it_was(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let list = "/admin/sessions?kind=phone&sort=opened";
    let links = async |path: &str| {
        let page = fixture.browser.get(path).await.expect(200);
        html::attributes(&page.text, "href")
    };
    let found = links(list).await;
    let leads = |found: &[String], path: &str| {
        let link = found.iter().find(|link| path_of(link) == path);
        link.unwrap_or_else(|| panic!("no link to {path}: {found:?}"))
            .clone()
    };
    let session = leads(&found, &format!("/admin/sessions/{}", fixture.phone.id()));
    let owner = fixture.phone.session["user_id"].as_str().expect("an id");
    let person = leads(&found, &format!("/admin/users/{owner}"));
    for page in [&session, &person] {
        let found = links(page).await;
        assert!(found.iter().any(|link| link == list), "{page}: {found:?}");
    }
    // Also by way of the person's other pages.
    let disable = leads(
        &links(&person).await,
        &format!("/admin/users/{owner}/disable"),
    );
    let found = links(&disable).await;
    assert!(found.contains(&person), "{found:?}");

    // From the page of one session, and from the list.
    let one = html::forms_to(&fixture.browser.get(&session).await.text, END);
    let ticked = [("session", fixture.phone.id()), ("back", list.to_owned())];
    assert_eq!(
        one[0].hidden,
        ticked.map(|(name, value)| (name.to_owned(), value))
    );
    let form = html::forms_to(&fixture.browser.get(list).await.text, END);
    let mut fields = form[0].hidden.clone();
    fields.push(("all".into(), "1".into()));
    let fields: Vec<_> = fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let page = fixture.preview(&fields).await.expect(200);
    let back = html::attributes(&page.text, "href");
    assert_eq!(
        back.iter().filter(|link| *link == list).count(),
        2,
        "{back:?}"
    );
    let done = fixture.end(&page, &[("stated_reason", "Lost")]).await;
    let job = fixture.browser.follow(&done).await.expect(200);
    let job = job.expect_words("Back to the list");
    assert!(
        html::attributes(&job.text, "href")
            .iter()
            .any(|link| link == list)
    );
    expect_ended_once(app, 1);
    // Nothing else is led back to.
    for elsewhere in [
        "https://evil.example/",
        "//evil.example",
        "/sign-out",
        "javascript:x",
    ] {
        let page = fixture.preview(&[("all", "1"), ("back", elsewhere)]).await;
        let page = page.expect(200);
        assert!(!page.text.contains("evil") && !page.text.contains("javascript:"));
        assert!(page.text.contains("href=\"/admin/sessions\">Cancel"));
    }
}

async fn the_page_is_gone_back_to_after_the_password(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let list = "/admin/sessions?kind=phone&sort=opened";
    let address = html::address(END, &[("session", &fixture.phone.id()), ("back", list)]);
    app.advance(Duration::from_secs(601));
    let asks = fixture.browser.get(&address).await.expect(303);
    let page = fixture.browser.follow(&asks).await.expect(200);
    // Who doesn't go on is back in the list.
    assert!(
        html::attributes(&page.text, "href")
            .iter()
            .any(|link| link == list)
    );
    let form = html::forms_to(&page.text, "/confirm").remove(0);
    let confirmed = fixture.browser.send(&form, &[("password", PASSWORD)]).await;
    assert_eq!(confirmed.expect(303).location(), address);
    let page = fixture.browser.get(&address).await.expect(200);
    page.expect_words("End this session?");
}

async fn the_same_form_twice_is_the_same_order(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let jobs = "SELECT count(*) AS value FROM bulk_jobs";
    let page = fixture
        .preview(&[("all", "1"), ("user", "ada@example.org")])
        .await
        .expect(200)
        .expect_words("Which ones: user: ada@example.org");
    // Who signs in after the page was made stays signed in.
    app.advance(Duration::from_secs(1));
    let before = app.login(&fixture.ada, FIREFOX).await;
    let first = fixture.end(&page, &[("stated_reason", "x")]).await;
    let job = fixture.browser.follow(&first).await.expect(200);
    // That one is none of those that the order was for.
    job.expect_words("2 sessions are ended.")
        .expect_words("2 of 2 sessions");
    before.current().await.expect(200);
    let after = app.login(&fixture.ada, IPHONE).await;
    app.advance(Duration::from_secs(1));
    for _ in 0..2 {
        let again = fixture.end(&page, &[("stated_reason", "y")]).await;
        assert_eq!(again.location(), first.location());
        let job = fixture.browser.follow(&again).await.expect(200);
        job.expect_words("2 sessions are ended.")
            .expect_words("This had been ordered already. Sending the form again changed nothing.");
    }
    after.current().await.expect(200);
    expect_ended_once(app, 2);
    assert_eq!(app.database.number(jobs), 1);
    // Sent twice at the same time, it is one order as well.
    let page = fixture.preview(&[("all", "1")]).await.expect(200);
    let fields = [("stated_reason", "x")];
    let both = [(); 2].map(|()| fixture.end(&page, &fields));
    let ended = futures_util::future::join_all(both).await;
    let (one, other) = (&ended[0], &ended[1]);
    assert_eq!(one.location(), other.location());
    assert_eq!(app.database.number(jobs), 2);
    expect_ended_once(app, 4);
}

async fn a_form_that_is_too_old_or_none_of_the_page_ends_nothing(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let all = [("all", "1"), ("user", "ada@example.org")];
    let page = fixture.preview(&all).await.expect(200);
    let form = end_form(&page);
    let without = Form {
        action: END.into(),
        hidden: form
            .hidden
            .iter()
            .filter(|(name, _)| name != "order")
            .cloned()
            .collect(),
    };
    let fields = [("stated_reason", "x")];
    let refused = fixture.browser.send(&without, &fields).await.expect(409);
    let again = refused
        .expect_words("Nothing was ended:")
        .expect_words("End 2 sessions of 1 person?");
    // A day later, in a session that is still live.
    let old = end_form(&again);
    let day_ago = app.clock.now() - Duration::from_secs(24 * 60 * 60);
    let hidden = old.hidden.iter().map(|(name, value)| match name.as_str() {
        "order" => {
            let id = value.split('.').next().expect("an id");
            (name.clone(), format!("{id}.{}", day_ago.timestamp_micros()))
        }
        _ => (name.clone(), value.clone()),
    });
    let old = Form {
        action: END.into(),
        hidden: hidden.collect(),
    };
    let refused = fixture.browser.send(&old, &fields).await.expect(409);
    refused.expect_words("more than a day old");
    expect_ended_once(app, 0);
    let jobs = "SELECT count(*) AS value FROM bulk_jobs";
    assert_eq!(app.database.number(jobs), 0);
}

async fn ticked_sessions_that_are_over_are_spoken_of(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let (laptop, phone) = (fixture.laptop.id(), fixture.phone.id());
    let ticked = [("session", laptop.as_str()), ("session", phone.as_str())];
    let page = fixture.preview(&ticked).await.expect(200);
    fixture.laptop.delete("/api/v1/sessions/others").await;
    fixture
        .preview(&ticked)
        .await
        .expect(200)
        .expect_words("End this session?")
        .expect_words("The person has to sign in again.")
        .expect_words("1 of the selected sessions has already ended.")
        .expect_words("Cancel");
    let done = fixture.end(&page, &[("stated_reason", "x")]).await;
    let job = fixture.browser.follow(&done).await.expect(200);
    let job = job.expect_words("1 session is ended. 1 had already ended.");
    assert!(!job.text.contains("signed in later"), "{}", job.text);
}

async fn an_order_that_would_end_nothing_is_none(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let page = fixture
        .preview(&[("all", "1"), ("user", "ada@example.org")])
        .await
        .expect(200);
    fixture.laptop.delete("/api/v1/sessions/others").await;
    fixture
        .laptop
        .delete(&format!("/api/v1/sessions/{}", fixture.laptop.id()))
        .await;
    let refused = fixture.end(&page, &[("stated_reason", "x")]).await;
    refused
        .expect(409)
        .expect_words("All of these sessions have already ended");
    let jobs = "SELECT count(*) AS value FROM bulk_jobs";
    assert_eq!(app.database.number(jobs), 0);
}

async fn a_running_job_shows_its_progress_and_is_stopped(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    add_sessions(&app.database, &fixture.laptop, 1_300, "Netscape");
    let page = fixture
        .preview(&[("all", "1"), ("browser", "Netscape")])
        .await
        .expect(200)
        .expect_words("End 1,300 sessions of 1 person?")
        .expect_words("and 1,280 sessions more");
    let done = fixture.end(&page, &[("stated_reason", "x")]).await;
    let path = path_of(done.location());
    let job = fixture.browser.get(&path).await.expect(200);
    assert_eq!(job.header("refresh"), "2");
    job.expect_words("Running")
        .expect_words("0 of 1,300 sessions");
    app.run_bulk_batch().await;
    let job = fixture.browser.get(&path).await.expect(200);
    assert!(
        job.text
            .contains("<progress class=\"progress\" max=\"1300\" value=\"200\"")
    );
    job.expect_words("200 sessions are ended so far.")
        .expect_words("200 of 1,300 sessions");
    let still = fixture.browser.get(&format!("{path}?refresh=no")).await;
    assert!(still.expect(200).header("refresh").is_empty());

    let stop = fixture.browser.form(&path, &format!("{path}/stop")).await;
    for _ in 0..2 {
        let stopped = fixture.browser.send(&stop, &[]).await;
        assert_eq!(stopped.location(), path);
    }
    let job = fixture.browser.get(&path).await.expect(200);
    assert!(job.header("refresh").is_empty());
    assert!(!job.text.contains("/stop\""), "{}", job.text);
    job.expect_words("Stopped").expect_words(
        "It was stopped early. 200 sessions are ended; the others were left unchanged.",
    );
    assert_eq!(app.run_bulk_batch().await, 0);
    expect_ended_once(app, 200);
}

async fn the_jobs_are_listed(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    fixture
        .browser
        .get(JOBS)
        .await
        .expect(200)
        .expect_words("No sessions were ended in bulk recently.");
    for n in 0..22 {
        app.advance(Duration::from_secs(1));
        let browser = format!("Browser {n}");
        add_sessions(&app.database, &fixture.laptop, 1, &browser);
        let page = fixture
            .preview(&[("all", "1"), ("browser", &browser)])
            .await;
        let done = fixture.end(&page, &[("stated_reason", "x")]).await;
        done.expect(303);
    }
    let first = fixture
        .browser
        .get(JOBS)
        .await
        .expect(200)
        .expect_words("browser: Browser 21");
    assert!(!first.words().contains("Browser 1 "), "{}", first.words());
    let older = html::attributes(&first.text, "href");
    let older = older
        .iter()
        .find(|href| href.starts_with("/admin/jobs?before="));
    let second = fixture
        .browser
        .get(older.expect("a link"))
        .await
        .expect(200);
    second
        .expect_words("browser: Browser 1")
        .expect_words("browser: Browser 0")
        .expect_words("Newest");
    fixture
        .browser
        .get("/admin/jobs?before=x")
        .await
        .expect(400);
    fixture
        .browser
        .get("/admin/jobs/019700d5-5a00-7000-8000-000000000000")
        .await
        .expect(404);
}

async fn an_auditor_reads_jobs_and_changes_nothing(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    add_sessions(&app.database, &fixture.laptop, 300, "Netscape");
    let page = fixture
        .preview(&[("all", "1"), ("browser", "Netscape")])
        .await;
    let done = fixture.end(&page, &[("stated_reason", "x")]).await;
    let path = path_of(done.location());
    let bob = app.register("bob@example.org").await;
    app.set_role(&bob, "auditor");
    let auditor = app.signed_in_browser(&bob, FIREFOX).await;
    auditor
        .get(JOBS)
        .await
        .expect(200)
        .expect_words("root@example.org");
    let job = auditor.get(&path).await.expect(200);
    assert!(!job.text.contains("/stop"), "{}", job.text);
    assert!(!job.text.contains("127.0.0.1"), "{}", job.text);
    let form = token(&auditor).await;
    let stop = format!("{path}/stop");
    open(&auditor, &[("all", "1")]).await.expect(404);
    for action in [END, &stop] {
        let fields = [("all", "1"), ("stated_reason", "x")];
        let refused = auditor.send(&form.aimed_at(action), &fields).await;
        refused.expect(404);
    }
    assert_eq!(app.run_bulk_batch().await, 1, "it was not stopped");
}

async fn for_everyone_else_the_pages_do_not_exist(app: &TestApp) {
    let fixture = Fixture::new(app).await;
    let browser = app.signed_in_browser(&fixture.ada, FIREFOX).await;
    let nowhere = browser.get("/admin/nowhere").await.expect(404).text;
    assert_eq!(browser.get(JOBS).await.expect(404).text, nowhere);
    let form = token(&browser).await;
    let fields = [("all", "1"), ("browsr", "x"), ("stated_reason", "x")];
    for refused in [
        open(&browser, &fields).await,
        browser.send(&form.aimed_at(END), &fields).await,
    ] {
        assert_eq!(refused.expect(404).text, nowhere);
    }
    expect_ended_once(app, 0);
}
