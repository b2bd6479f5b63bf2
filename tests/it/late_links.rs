//! The link in a message that is pressed, or opened again, after an answer: it says what was answered, when, what
//! that did and how things stand; a press that does nothing says so, and leads on. Causes that it names can be so.

use actix_web::rt::spawn;

use crate::support::admin::Admin;
use crate::support::html::Form;
use crate::support::mailed::Mailed;
use crate::support::prelude::*;

on_both!(
    database: a_no_by_a_link_after_a_yes_leads_on,
    a_yes_by_a_link_after_a_no_did_nothing,
    whoever_comes_after_the_account_was_taken_back_is_told,
    a_take_back_after_a_yes_did_nothing,
    a_yes_while_the_account_is_taken_back_says_what_counts,
    links_of_a_deleted_account_name_that_cause,
    links_of_a_disabled_account_lead_to_an_administrator,
    a_change_that_an_administrator_undid_is_said_to_be_undone,
);

const HOME: &str = "203.0.113.7";
/// In the network of the laptop, where nobody is held up.
const NEAR: &str = "203.0.113.66";
const ADA: &str = "ada@example.org";
const NEW_EMAIL: &str = "new@example.org";
const THIEF: &str = "thief@example.org";
const NEW: &str = "another battery staple";
const MINUTE: Duration = Duration::from_secs(60);
const YES: [(&str, &str); 1] = [("answer", "mine")];
/// The same on the page of a former address.
const OWN_CHANGE: [(&str, &str); 1] = [("answer", "own-change")];
const NO: [(&str, &str); 1] = [("answer", "not-mine")];
const TAKE_BACK: [(&str, &str); 1] = [("answer", "take-back")];

/// Ada's account, with an intruder signed in, and the link that was sent to her.
struct Fixture {
    mailed: Mailed,
    intruder: Browser,
    link: String,
}

async fn set_up(database: Database) -> Fixture {
    let mailed = Mailed::start(database, HOME, |_| {}).await;
    mailed.app.advance(MINUTE);
    let intruder = mailed.app.browser_from(IPHONE, NEAR);
    intruder.sign_in(&mailed.ada).await.expect(303);
    mailed.app.advance(MINUTE);
    let mut fixture = Fixture {
        mailed,
        intruder,
        link: String::new(),
    };
    fixture.link = fixture.link_to(ADA, "/not-me/").await;
    fixture
}

impl Fixture {
    /// Returns the link in the last message to this address that has one.
    async fn link_to(&self, email: &str, prefix: &str) -> String {
        self.mailed.app.deliver_mail().await;
        let messages = self.mailed.server.messages().into_iter();
        let mut to =
            messages.filter(|message| message.to == [email] && message.plain().contains(prefix));
        to.next_back().expect("a message").link(prefix)
    }

    /// Has the intruder give the account their own e-mail. Returns the link of the former one.
    async fn steal_email(&self) -> String {
        let email = [("email", THIEF)];
        let requested = self.intruder.submit("/account", "/account/email", &email);
        requested.await.expect(303);
        let link = self.link_to(THIEF, "/verify-email/").await;
        let verified = self.intruder.submit(&link, &link, &YES).await;
        verified.expect(303);
        self.mailed.app.advance(MINUTE);
        self.link_to(ADA, "/not-me/").await
    }

    /// Requests a change of the e-mail on the laptop. Returns the link to the new one.
    async fn request_change(&self) -> String {
        let laptop = &self.mailed.laptop;
        let email = [("email", NEW_EMAIL)];
        let requested = laptop.submit("/account", "/account/email", &email).await;
        requested.expect(303);
        self.link_to(NEW_EMAIL, "/verify-email/").await
    }

    /// Returns a reader, and the form of a link that they have opened.
    async fn open(&self, link: &str) -> (Browser, Form) {
        let reader = self.mailed.reader();
        let form = reader.form(link, link).await;
        (reader, form)
    }

    async fn stop(self) {
        self.mailed.stop().await;
    }
}

fn expect_absent(page: &TestResponse, words: &str) {
    assert!(!page.words().contains(words), "{words}: {}", page.words());
}

/// Nothing is said twice on a page.
fn expect_no_sentence_twice(page: &TestResponse) {
    let words = page.words();
    let mut sentences: Vec<&str> = words.split(". ").map(str::trim).collect();
    sentences.retain(|sentence| sentence.len() > 16);
    let all = sentences.len();
    sentences.sort_unstable();
    sentences.dedup();
    assert_eq!(sentences.len(), all, "{words}");
}

async fn a_no_by_a_link_after_a_yes_leads_on(database: Database) {
    let fixture = set_up(database).await;
    let link = &fixture.link;
    let (late, form) = fixture.open(link).await;
    let reader = fixture.mailed.reader();
    reader.submit(link, link, &YES).await.expect(200);
    let page = late.send(&form, &NO).await.expect(410);
    let page = page.expect_words("This was answered “Yes, it was me” on 17 May 2031, 08:32 UTC, so your “No, sign it out” did nothing. Safari on iPhone is still signed in.");
    let page = page.expect_words("If it was not you: choose “Forgotten your password?”, and set a new password, which signs out every device. Or sign in, and sign it out on Your devices.");
    expect_absent(&page, "othing is left to do");
    expect_no_sentence_twice(&page);
    // Who only looks, or presses the same again, did nothing in vain.
    for page in [
        late.get(link).await.expect(410),
        late.send(&form, &YES).await.expect(410),
    ] {
        let page = page.expect_words("This was answered “Yes, it was me” on 17 May 2031, 08:32 UTC. Safari on iPhone is still signed in.");
        let page = page.expect_words("If it was you, nothing is left to do. If it was not: choose");
        expect_absent(&page, "did nothing");
    }
    // It leads on indeed.
    let email = [("email", ADA)];
    let requested = late.submit("/forgot-password", "/forgot-password", &email);
    requested.await.expect(200);
    let reset = fixture.link_to(ADA, "/reset-password/").await;
    let password = [("new_password", NEW)];
    let form = late.form(&reset, &reset).await;
    late.send(&form, &password).await.expect(303);
    assert!(fixture.intruder.get("/devices").await.is_to_sign_in());
    let page = late.get(link).await.expect(410);
    page.expect_words("08:32 UTC. Safari on iPhone is signed out.");
    // The form for a password, sent again, sets none.
    let page = late.send(&form, &[("new_password", "yet another staple")]);
    let page = page.await.expect(410);
    page.expect_words("a password that was sent with it after that was not set");
    fixture.stop().await;
}

async fn a_yes_by_a_link_after_a_no_did_nothing(database: Database) {
    const REVIEWED: &str = "This was answered “No, sign it out” on 17 May 2031, 08:32 UTC";

    let fixture = set_up(database).await;
    let link = &fixture.link;
    let (late, form) = fixture.open(link).await;
    let reader = fixture.mailed.reader();
    reader.submit(link, link, &NO).await.expect(200);
    let page = late.send(&form, &YES).await.expect(410);
    let page = page.expect_words(&format!("{REVIEWED}, so your “Yes, it was me” did nothing. Safari on iPhone was signed out. If it was you, sign in on it again."));
    expect_no_sentence_twice(&page);
    for page in [
        late.get(link).await.expect(410),
        late.send(&form, &NO).await.expect(410),
    ] {
        let page = page.expect_words(&format!("{REVIEWED}. Safari on iPhone was signed out."));
        expect_absent(&page, "did nothing");
        expect_no_sentence_twice(&page);
    }
    fixture.mailed.app.advance(MINUTE);
    let ada = &fixture.mailed.ada;
    fixture.intruder.sign_in(ada).await.expect(303);
    let page = late.send(&form, &YES).await.expect(410);
    let page = page.expect_words(
        "did nothing. Safari on iPhone was signed out. Safari on iPhone is signed in again.",
    );
    expect_absent(&page, "sign in on it again");
    fixture.stop().await;
}

async fn whoever_comes_after_the_account_was_taken_back_is_told(database: Database) {
    const REVIEWED: &str = "This was answered “Take the account back” on 17 May 2031, 08:33 UTC";
    const DONE: &str = "The account got ada@example.org back as its e-mail, every device was signed out, and the old password stopped working.";

    let fixture = set_up(database).await;
    let link = fixture.steal_email().await;
    let (late, form) = fixture.open(&link).await;
    let reader = fixture.mailed.reader();
    let page = reader.submit(&link, &link, &TAKE_BACK).await.expect(200);
    let page = page.expect_words("The account has ada@example.org as its e-mail again.");
    let page = page.expect_words("Set a new password, and sign in with it.");
    assert_eq!(page.words().matches("old password").count(), 1);
    expect_no_sentence_twice(&page);
    let page = late.send(&form, &YES).await.expect(410);
    let page = page.expect_words(&format!(
        "{REVIEWED}, so your “Yes, it was me” did nothing. {DONE}"
    ));
    expect_no_sentence_twice(&page);
    for page in [
        late.get(&link).await.expect(410),
        late.send(&form, &TAKE_BACK).await.expect(410),
    ] {
        let page = page.expect_words(&format!("{REVIEWED}. {DONE}"));
        let page = page.expect_words("Then sign in, and review your devices.");
        expect_absent(&page, "did nothing");
        assert_eq!(page.words().matches("old password").count(), 1);
        expect_no_sentence_twice(&page);
    }
    // So does the link about what was settled by that.
    let page = late.get(&fixture.link).await.expect(410);
    page.expect_words("That one was answered “Take the account back” on 17 May 2031, 08:33 UTC.")
        .expect_words(DONE);
    fixture.stop().await;
}

async fn a_take_back_after_a_yes_did_nothing(database: Database) {
    const REVIEWED: &str =
        "The answer “Yes, it was me” was given with this link on 17 May 2031, 08:33 UTC";

    let fixture = set_up(database).await;
    let link = fixture.steal_email().await;
    let (late, form) = fixture.open(&link).await;
    let reader = fixture.mailed.reader();
    reader.submit(&link, &link, &OWN_CHANGE).await.expect(200);
    let page = late.send(&form, &TAKE_BACK).await.expect(410);
    let page = page.expect_words(&format!(
        "{REVIEWED}, so your “Take the account back” did nothing: the account keeps its new e-mail."
    ));
    page.expect_words("If that was not you, sign in and change the e-mail on Account, or ask an administrator of this service.");
    for page in [
        late.get(&link).await.expect(410),
        late.send(&form, &YES).await.expect(410),
    ] {
        let page = page.expect_words(&format!("{REVIEWED}: the account keeps its new e-mail."));
        expect_absent(&page, "did nothing");
    }
    fixture.stop().await;
}

async fn a_yes_while_the_account_is_taken_back_says_what_counts(database: Database) {
    let fixture = set_up(database).await;
    let link = fixture.steal_email().await;
    let mut presses = Vec::new();
    for answer in [TAKE_BACK, OWN_CHANGE] {
        let (reader, form) = fixture.open(&link).await;
        presses.push(spawn(async move { reader.send(&form, &answer).await }));
    }
    let mut pages = Vec::new();
    for press in presses {
        pages.push(press.await.expect("a response"));
    }
    let late = pages.iter().find(|page| page.status == 410);
    let late = late.expect("one came second").words();
    let counted = match pages[0].status {
        200 => {
            "This was answered “Take the account back” on 17 May 2031, 08:33 UTC, so your “Yes, it was me” did nothing. The account got ada@example.org back"
        }
        _ => {
            "The answer “Yes, it was me” was given with this link on 17 May 2031, 08:33 UTC, so your “Take the account back” did nothing"
        }
    };
    assert!(late.contains(counted), "{late}");
    fixture.stop().await;
}

async fn links_of_a_deleted_account_name_that_cause(database: Database) {
    let fixture = set_up(database).await;
    let Mailed { app, laptop, .. } = &fixture.mailed;
    let verify = fixture.request_change().await;
    let reader = fixture.mailed.reader();
    let email = [("email", ADA)];
    let requested = reader.submit("/forgot-password", "/forgot-password", &email);
    requested.await.expect(200);
    let reset = fixture.link_to(ADA, "/reset-password/").await;
    let mut opened = Vec::new();
    for link in [&fixture.link, &verify, &reset] {
        opened.push(fixture.open(link).await);
    }
    app.confirm_sign_ins();
    let typed = [("typed", ADA)];
    let deleted = laptop.submit("/account/delete", "/account/delete", &typed);
    deleted.await.expect(303);
    let answers = [NO[0], YES[0], ("new_password", NEW)];
    let expected = [
        "It is too old, or the account was deleted.",
        "a newer one was sent, the e-mail is verified already, or the account was deleted.",
        "the account was changed, disabled or deleted since it was sent.",
    ];
    for (((reader, form), answer), words) in opened.into_iter().zip(answers).zip(expected) {
        let sent = reader.send(&form, &[answer]).await;
        assert!([404, 410].contains(&sent.status), "{sent:?}");
        sent.expect_words(words);
        reader.get(&form.action).await.expect_words(words);
    }
    // Whoever has no link learns nothing.
    let forged = reader.get("/not-me/AAAA").await.expect(404);
    expect_absent(&forged, "deleted");
    fixture.stop().await;
}

async fn links_of_a_disabled_account_lead_to_an_administrator(database: Database) {
    const ASK: &str = "Ask an administrator of this service.";

    let fixture = set_up(database).await;
    let verify = fixture.request_change().await;
    let disabled = "UPDATE users SET is_active = false";
    fixture.mailed.app.database.execute(disabled);
    let reader = fixture.mailed.reader();
    let page = reader.get(&verify).await.expect(410);
    let page = page
        .expect_words("The account is disabled")
        .expect_words(ASK);
    expect_absent(&page, "request another link");
    let link = &fixture.link;
    let page = reader.submit(link, link, &NO).await.expect(200);
    let page = page.expect_words(ASK);
    expect_absent(&page, "Forgotten your password?");
    let page = reader.get(link).await.expect(410);
    let page = page.expect_words(ASK);
    expect_absent(&page, "Forgotten your password?");
    fixture.stop().await;
}

/// Of the mailbox that a message was sent to, a page doesn't say that it may not be its reader's.
async fn a_change_that_an_administrator_undid_is_said_to_be_undone(database: Database) {
    const AGAIN: &str = "Your e-mail is ada@example.org again.";

    let fixture = set_up(database).await;
    let app = &fixture.mailed.app;
    let link = fixture.steal_email().await;
    let admin = Admin::start(app, "root@example.org").await;
    let id = crate::support::admin::id_of(app, THIEF);
    let body = json!({"email": ADA, "reason": "They asked"});
    let changed = admin.send("PATCH", &format!("/{id}"), &body).await;
    changed.expect(200);
    app.advance(MINUTE);
    let reader = fixture.mailed.reader();
    let page = reader.get(&link).await.expect(200);
    expect_absent(&page, "is not changed back");
    let page = reader.submit(&link, &link, &NO).await.expect(200);
    let page = page.expect_words(AGAIN);
    expect_absent(&page, "still");
    expect_absent(&page, "anybody who can read");
    assert!(fixture.intruder.get("/devices").await.is_to_sign_in());
    fixture.stop().await;
}
