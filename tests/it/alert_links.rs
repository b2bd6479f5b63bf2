//! "This wasn't me": the link in an alert's e-mail. Opening it changes nothing; its button works once.

use rollcall::settings::MailTls;

use crate::support::app::behind_proxy;
use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;

on_both!(
    database: opening_the_link_changes_nothing,
    the_button_signs_the_stranger_out_once,
    all_unknown_sign_ins_end_if_asked,
    a_new_password_ends_the_rest,
    a_ticket_is_good_for_one_password_and_half_an_hour,
    a_bad_password_is_refused_and_the_form_shown_again,
    it_was_me_is_an_answer_too,
    a_link_is_good_for_a_week,
    a_forged_link_is_not_found,
    the_button_needs_the_forms_token,
    a_lost_response_does_not_lose_the_new_password,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";
const NEW: &str = "another battery staple";

/// Ada, at home, with a stranger who knows her password, and the link that was sent to her.
struct Scene {
    app: TestApp,
    ada: Person,
    laptop: Browser,
    stranger: Browser,
    server: SmtpServer,
    link: String,
}

async fn context(database: Database) -> Scene {
    let server = SmtpServer::start();
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.mail.host = Some("127.0.0.1".into());
        settings.mail.port = Some(server.port());
        settings.mail.tls = MailTls::None;
        settings.jobs.mail_interval = Duration::from_secs(24 * 60 * 60);
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    app.advance(Duration::from_secs(60));
    let stranger = app.browser_from(IPHONE, ELSEWHERE);
    stranger.sign_in(&ada).await;
    app.deliver_mail().await;
    let message = server.wait_for(1).await.remove(0);
    let base = app.base();
    let text = message.plain();
    let link = text
        .split_whitespace()
        .find_map(|word| {
            word.strip_prefix(&base)
                .filter(|it| it.starts_with("/not-me/"))
        })
        .unwrap_or_else(|| panic!("no link in {text}"))
        .to_owned();
    Scene {
        app,
        ada,
        laptop,
        stranger,
        server,
        link,
    }
}

impl Scene {
    /// A browser in which nobody is signed in, where the e-mail is read.
    fn reader(&self) -> Browser {
        self.app.browser_from(FIREFOX, "192.0.2.200")
    }

    async fn press(&self, reader: &Browser, fields: &[(&str, &str)]) -> TestResponse {
        reader.submit(&self.link, &self.link, fields).await
    }

    /// The form for a new password on the page that follows.
    fn password_form(&self, page: &TestResponse) -> crate::support::html::Form {
        let path = format!("{}/password", self.link);
        crate::support::html::forms(&page.text)
            .into_iter()
            .find(|form| form.action == path)
            .unwrap_or_else(|| panic!("no form for {path}:\n{}", page.text))
    }

    async fn stop(self) {
        self.server.stop();
        self.app.stop().await;
    }
}

const NOT_MINE: [(&str, &str); 1] = [("answer", "not-mine")];

async fn opening_the_link_changes_nothing(database: Database) {
    let it = context(database).await;
    for _ in 0..3 {
        it.reader()
            .get(&it.link)
            .await
            .expect(200)
            .expect_words("Was this you?")
            .expect_words("Safari on iPhone")
            .expect_words(ELSEWHERE);
    }
    it.stranger.get("/devices").await.expect(200);
    it.stop().await;
}

async fn the_button_signs_the_stranger_out_once(database: Database) {
    let it = context(database).await;
    let reader = it.reader();
    let form = reader.form(&it.link, &it.link).await;
    let page = reader.send(&form, &NOT_MINE).await.expect(200);
    page.expect_words("It is signed out, and its device is forgotten.");
    assert!(it.stranger.get("/devices").await.is_to_sign_in());
    it.laptop.get("/devices").await.expect(200);

    it.stranger.sign_in(&it.ada).await;
    reader
        .send(&form, &NOT_MINE)
        .await
        .expect(410)
        .expect_words("This link was used before.");
    it.stranger.get("/devices").await.expect(200);
    reader.get(&it.link).await.expect(410);
    it.stop().await;
}

async fn all_unknown_sign_ins_end_if_asked(database: Database) {
    let it = context(database).await;
    let second = it.app.browser_from(FIREFOX, "192.0.2.1");
    second.sign_in(&it.ada).await;
    let fields = [("answer", "not-mine"), ("all", "on")];
    it.press(&it.reader(), &fields).await.expect(200);
    for unknown in [&it.stranger, &second] {
        assert!(unknown.get("/devices").await.is_to_sign_in());
    }
    it.laptop.get("/devices").await.expect(200);
    it.stop().await;
}

async fn a_new_password_ends_the_rest(database: Database) {
    let it = context(database).await;
    let reader = it.reader();
    let page = it.press(&reader, &NOT_MINE).await.expect(200);
    let form = it.password_form(&page);
    let response = reader.send(&form, &[("new_password", NEW)]).await;
    reader
        .follow(&response)
        .await
        .expect_words("Your new password is set, and every device is signed out.");
    assert!(it.laptop.get("/devices").await.is_to_sign_in());
    let old = it.laptop.sign_in(&it.ada).await;
    assert_eq!(old.status, 401);
    let ada = Person {
        password: NEW.into(),
        ..it.ada.clone()
    };
    assert_eq!(it.laptop.sign_in(&ada).await.location(), "/devices");
    it.app.deliver_mail().await;
    let messages = it.server.wait_for(2).await;
    let last = messages.last().expect("a message");
    assert_eq!(
        last.header("Subject"),
        "Your password was changed: Firefox on Windows"
    );
    it.stop().await;
}

async fn a_ticket_is_good_for_one_password_and_half_an_hour(database: Database) {
    let it = context(database).await;
    let reader = it.reader();
    let page = it.press(&reader, &NOT_MINE).await.expect(200);
    let form = it.password_form(&page);
    let new = [("new_password", NEW)];
    let forged = [("new_password", NEW), ("ticket", "AAAA")];
    reader.send(&form, &forged).await.expect(404);
    it.app.advance(Duration::from_secs(31 * 60));
    reader.send(&form, &new).await.expect(404);
    let changed = "SELECT count(*) AS value FROM alerts WHERE kind = 'password_changed'";
    assert_eq!(it.app.database.number(changed), 0);
    it.stop().await;
}

async fn a_bad_password_is_refused_and_the_form_shown_again(database: Database) {
    let it = context(database).await;
    let reader = it.reader();
    let page = it.press(&reader, &NOT_MINE).await.expect(200);
    let again = reader
        .send(&it.password_form(&page), &[("new_password", "short")])
        .await;
    assert!([400, 422].contains(&again.status), "{again:?}");
    let form = it.password_form(&again);
    reader
        .send(&form, &[("new_password", NEW)])
        .await
        .expect(303);
    // Used, it is worth nothing.
    reader
        .send(&form, &[("new_password", "yet another staple")])
        .await
        .expect(404);
    it.stop().await;
}

async fn it_was_me_is_an_answer_too(database: Database) {
    let it = context(database).await;
    let response = [("answer", "mine")];
    it.press(&it.reader(), &response)
        .await
        .expect(200)
        .expect_words("Nothing was changed.");
    it.stranger.get("/devices").await.expect(200);
    it.laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("Nothing needs your attention.");
    it.stop().await;
}

async fn a_link_is_good_for_a_week(database: Database) {
    let it = context(database).await;
    it.app.advance(Duration::from_secs(7 * 24 * 60 * 60));
    it.reader().get(&it.link).await.expect(200);
    it.app.advance(Duration::from_secs(1));
    it.reader().get(&it.link).await.expect(404);
    it.stop().await;
}

async fn a_forged_link_is_not_found(database: Database) {
    let it = context(database).await;
    let token = it.link.trim_start_matches("/not-me/");
    let (first, last) = token.split_at(token.len() - 1);
    let other = if last == "A" { "B" } else { "A" };
    let mut id_changed = token.as_bytes().to_vec();
    id_changed[0] = if id_changed[0] == b'A' { b'B' } else { b'A' };
    for forged in [
        String::new(),
        "A".into(),
        first.to_owned(),
        format!("{}{other}", &first[..first.len() - 1]),
        String::from_utf8(id_changed).expect("text"),
        token[..22].to_owned(),
        "%00".into(),
    ] {
        let path = format!("/not-me/{forged}");
        assert_eq!(it.reader().get(&path).await.status, 404, "{path}");
    }
    it.stop().await;
}

async fn the_button_needs_the_forms_token(database: Database) {
    let it = context(database).await;
    let reader = it.reader();
    reader.get(&it.link).await.expect(200);
    reader.post(&it.link, &NOT_MINE).await.expect(403);
    it.stranger.get("/devices").await.expect(200);
    it.stop().await;
}

async fn a_lost_response_does_not_lose_the_new_password(database: Database) {
    let it = context(database).await;
    let reader = it.reader();
    it.press(&reader, &NOT_MINE).await.expect(200);
    it.app.advance(Duration::from_secs(60));
    let page = reader.get(&it.link).await.expect(410);
    let form = it.password_form(&page);
    reader
        .send(&form, &[("new_password", NEW)])
        .await
        .expect(303);
    // Set once, there is no other ticket to be had.
    let page = reader.get(&it.link).await.expect(410);
    assert!(!page.text.contains("ticket"), "{}", page.text);
    it.stop().await;
}
