//! What administrators do to the account of a person on the pages, and how they make one.

use crate::support::html;
use crate::support::people_pages::{LIST, actions, link, person_links, set_up};
use crate::support::prelude::*;
use crate::support::smtp::{Message, SmtpServer};

on_both!(
    app: acts_need_step_up_and_go_on_after_it,
    a_person_is_disabled_and_enabled_with_a_reason,
    a_form_without_a_reason_changes_nothing,
    all_sessions_are_ended_and_counted,
    a_role_is_changed_and_holds_at_once,
    the_last_administrator_has_no_button_and_cannot_be_removed,
    an_administrator_acts_on_themselves,
    a_name_and_an_e_mail_are_set,
    an_e_mail_is_vouched_for,
    a_link_for_a_new_password_is_shown_once,
    an_account_is_added_with_a_password,
    somebody_is_invited_by_a_link_that_is_handed_over,
    everything_about_a_person_is_downloaded,
    an_account_is_deleted_once_its_e_mail_is_typed,
    an_act_on_a_deleted_person_says_that_they_are_gone,
    a_person_of_an_application_has_what_makes_sense,
);
on_both!(
    database: somebody_is_invited_by_mail,
);

async fn acts_need_step_up_and_go_on_after_it(app: &TestApp) {
    let fixture = set_up(app).await;
    let path = fixture.path(&fixture.bob).await;
    let disable = format!("{path}/disable");
    let form = fixture.browser.form(&disable, &disable).await;
    app.advance(Duration::from_secs(601));
    // Reading needs none.
    fixture.browser.get(LIST).await.expect(200);
    fixture.browser.get(&path).await.expect(200);
    let redirect = fixture.browser.get(&disable).await.expect(303);
    assert!(redirect.location().starts_with("/confirm?next="));
    let prompt = fixture.browser.send(&form, &[("reason", "Left us")]).await;
    let prompt = prompt.expect(403);
    let confirm = html::forms(&prompt.text)
        .into_iter()
        .find(|form| form.action == "/confirm")
        .expect("the form for the password");
    let confirmed = fixture
        .browser
        .send(&confirm, &[("password", PASSWORD)])
        .await
        .expect(307);
    assert_eq!(confirmed.header("location"), disable);
    let done = fixture
        .browser
        .send(&confirm.aimed_at(&disable), &[("password", PASSWORD)])
        .await;
    fixture
        .browser
        .follow(&done)
        .await
        .expect_words("Bob Byrne is disabled.");
}

async fn a_person_is_disabled_and_enabled_with_a_reason(app: &TestApp) {
    let fixture = set_up(app).await;
    let phone = app
        .login_from(&fixture.bob, IPHONE, "203.0.113.7", Some("phone-1"))
        .await;
    app.login_from(&fixture.bob, IPHONE, "203.0.113.7", Some("phone-1"))
        .await;
    app.login(&fixture.bob, FIREFOX).await;
    let path = fixture.path(&fixture.bob).await;
    let disable = format!("{path}/disable");
    fixture
        .browser
        .get(&disable)
        .await
        .expect(200)
        .expect_words("Disable Bob Byrne")
        .expect_words("This ends 3 sessions on 2 devices.")
        .expect_words("They can see it in their activity");
    let form = fixture.browser.form(&disable, &disable).await;
    let fields = [("reason", "Left the company")];
    let done = fixture.browser.send(&form, &fields).await.expect(303);
    phone.get("/api/v1/me").await.expect(401);
    app.try_login(&fixture.bob, IPHONE).await.expect(401);
    fixture
        .browser
        .follow(&done)
        .await
        .expect(200)
        .expect_words("Bob Byrne is disabled. 3 sessions ended.")
        .expect_words("Account disabled, and signed out everywhere by Ada Lovelace")
        .expect_words("Left the company")
        .expect_words("Not signed in anywhere.")
        .expect_words("A disabled account can’t get a link");
    // Pressed twice.
    let again = fixture.browser.send(&form, &fields).await.expect(303);
    let page = fixture.browser.follow(&again).await;
    page.expect_words("Bob Byrne is already disabled; nothing was changed.");
    let page = fixture.browser.get(&disable).await.expect(200);
    let page = page.expect_words("Bob Byrne is already disabled.");
    assert_eq!(actions(&page), ["/sign-out"]);
    let count = "SELECT count(*) AS value FROM session_events WHERE kind = 'disabled'";
    assert_eq!(app.database.number(count), 1);

    let enable = format!("{path}/enable");
    let form = fixture.browser.form(&enable, &enable).await;
    let fields = [("reason", "Came back")];
    let done = fixture.browser.send(&form, &fields).await.expect(303);
    let page = fixture.browser.follow(&done).await;
    page.expect_words("Bob Byrne is enabled again.")
        .expect_words("Came back");
    let phone = app.login(&fixture.bob, IPHONE).await;
    let again = fixture.browser.send(&form, &fields).await.expect(303);
    let page = fixture.browser.follow(&again).await;
    page.expect_words("Bob Byrne is already enabled; nothing was changed.");
    phone.get("/api/v1/me").await.expect(200);
    // A notice that is no longer so is not shown.
    let done = fixture.act(&path, "disable", &[("reason", "Again")]).await;
    app.database.execute("UPDATE users SET is_active = true");
    let words = fixture.browser.follow(&done).await.words();
    assert!(!words.contains("is disabled"), "{words}");
}

async fn a_form_without_a_reason_changes_nothing(app: &TestApp) {
    let fixture = set_up(app).await;
    let phone = app.login(&fixture.bob, IPHONE).await;
    let path = fixture.path(&fixture.bob).await;
    let long = "x".repeat(501);
    for reason in ["", "   ", &long] {
        for act in ["disable", "end-sessions", "role"] {
            let fields = [("reason", reason), ("role", "admin")];
            let page = fixture.act(&path, act, &fields).await.expect(400);
            page.expect_words("This must have 1 to 500 characters.");
        }
    }
    let fields = [("reason", "Because")];
    let page = fixture.act(&path, "role", &fields).await.expect(400);
    page.expect_words("This must be one of the list.");
    let page = fixture
        .act(&path, "role", &[("role", "boss"), ("reason", "x & y")])
        .await;
    assert!(
        page.expect(400).text.contains("x &#38; y"),
        "what was typed stays"
    );
    phone.get("/api/v1/me").await.expect(200);
    let others =
        "SELECT count(*) AS value FROM users WHERE is_admin OR is_auditor OR NOT is_active";
    assert_eq!(app.database.number(others), 1);
}

async fn all_sessions_are_ended_and_counted(app: &TestApp) {
    let fixture = set_up(app).await;
    let path = fixture.path(&fixture.bob).await;
    let page = fixture.browser.get(&format!("{path}/end-sessions")).await;
    page.expect(200)
        .expect_words("They have no active sessions.");
    let phone = app.login(&fixture.bob, IPHONE).await;
    let end = format!("{path}/end-sessions");
    let page = fixture.browser.get(&end).await.expect(200);
    page.expect_words("This ends 1 session on 1 device.")
        .expect_words("They can see it under “Recently ended” in their list of devices");
    let form = fixture.browser.form(&end, &end).await;
    let fields = [("reason", "The phone was lost")];
    let done = fixture.browser.send(&form, &fields).await.expect(303);
    phone.get("/api/v1/me").await.expect(401);
    fixture
        .browser
        .follow(&done)
        .await
        .expect_words("1 session of Bob Byrne ended.")
        .expect_words("Ended by an administrator · Safari on iPhone by Ada Lovelace")
        .expect_words("The phone was lost");
    // The same form again, as by going back, ends nothing that was signed in since.
    app.advance(Duration::from_secs(1));
    let later = app.login(&fixture.bob, IPHONE).await;
    let again = fixture.browser.send(&form, &fields).await.expect(303);
    let page = fixture.browser.follow(&again).await;
    page.expect_words("All those sessions of Bob Byrne had already ended.");
    later.current().await.expect(200);
}

async fn an_act_on_a_deleted_person_says_that_they_are_gone(app: &TestApp) {
    let fixture = set_up(app).await;
    let path = fixture.path(&fixture.bob).await;
    let acts = [
        "disable",
        "enable",
        "end-sessions",
        "role",
        "reset-link",
        "verify-email",
    ];
    let form = fixture
        .browser
        .form(&format!("{path}/disable"), &format!("{path}/disable"))
        .await;
    let delete = [("typed", "bob@example.org"), ("reason", "He left")];
    fixture.act(&path, "delete", &delete).await.expect(303);
    fixture.browser.get(LIST).await.expect(200);
    for act in acts {
        let form = form.aimed_at(&format!("{path}/{act}"));
        let fields = [("reason", "x"), ("role", "auditor")];
        let done = fixture.browser.send(&form, &fields).await.expect(303);
        assert_eq!(done.location(), LIST, "{act}");
        let page = fixture.browser.follow(&done).await.expect(200);
        page.expect_words("This account was already deleted.");
    }
}

async fn a_role_is_changed_and_holds_at_once(app: &TestApp) {
    let fixture = set_up(app).await;
    let path = fixture.path(&fixture.bob).await;
    let browser = app.signed_in_browser(&fixture.bob, IPHONE).await;
    browser.get(LIST).await.expect(404);
    fixture
        .browser
        .get(&format!("{path}/role"))
        .await
        .expect(200)
        .expect_words("Can see everybody’s sessions, people and events, but change nothing;");
    let fields = [("role", "auditor"), ("reason", "Yearly audit")];
    let done = fixture.act(&path, "role", &fields).await.expect(303);
    let page = fixture.browser.follow(&done).await;
    page.expect_words("Bob Byrne is an auditor now. They were without a role")
        .expect_words(
            "Role changed to auditor, who can see what administrators see by Ada Lovelace",
        )
        .expect_words("Yearly audit");
    browser.get(LIST).await.expect(200);
    browser.get("/admin/users/new").await.expect(404);
    let again = fixture.act(&path, "role", &fields).await.expect(303);
    let page = fixture.browser.follow(&again).await;
    page.expect_words("Bob Byrne already has that role;");
    let fields = [("role", "admin"), ("reason", "Takes over")];
    let done = fixture.act(&path, "role", &fields).await.expect(303);
    let page = fixture.browser.follow(&done).await;
    page.expect_words("Bob Byrne is an administrator now. They were an auditor before.");
    browser.get("/admin/users/new").await.expect(200);
    let fields = [("role", "person"), ("reason", "Enough")];
    let done = fixture.act(&path, "role", &fields).await.expect(303);
    let page = fixture.browser.follow(&done).await;
    page.expect_words(
        "Bob Byrne has no role in the administration now. They were an administrator before.",
    );
    browser.get(LIST).await.expect(404);
}

async fn the_last_administrator_has_no_button_and_cannot_be_removed(app: &TestApp) {
    let fixture = set_up(app).await;
    let path = fixture.path(&fixture.ada).await;
    let page = fixture.browser.get(&path).await.expect(200);
    let links = html::attributes(&page.text, "href");
    for act in ["role", "disable", "delete"] {
        assert!(!links.contains(&format!("{path}/{act}")), "{act}");
        let page = fixture.browser.get(&format!("{path}/{act}")).await;
        let page = page.expect(200);
        assert_eq!(actions(&page), ["/sign-out"], "{act}");
        page.expect_words("This is the only administrator who can sign in.");
    }
    page.expect_words("This is the only administrator who can sign in.");
    let form = fixture.browser.form("/account", "/account/name").await;
    for act in ["role", "disable", "delete"] {
        let form = form.aimed_at(&format!("{path}/{act}"));
        let fields = [
            ("role", "person"),
            ("reason", "x"),
            ("typed", "ada@example.org"),
        ];
        let page = fixture.browser.send(&form, &fields).await.expect(409);
        page.expect_words("This is the only administrator who can sign in.");
    }
    fixture.browser.get(LIST).await.expect(200);
    // One who is disabled, or has no password, is no other administrator.
    app.set_role(&fixture.bob, "admin");
    app.database
        .execute("UPDATE users SET is_active = false WHERE email = 'bob@example.org'");
    let page = fixture.browser.get(&format!("{path}/disable")).await;
    page.expect_words("This is the only administrator who can sign in.");
    app.database.execute("UPDATE users SET is_active = true");
    fixture
        .browser
        .form(&format!("{path}/disable"), &format!("{path}/disable"))
        .await;
}

async fn an_administrator_acts_on_themselves(app: &TestApp) {
    let fixture = set_up(app).await;
    let own = fixture.path(&fixture.ada).await;
    app.set_role(&fixture.bob, "admin");
    let page = fixture.browser.get(&own).await.expect(200);
    page.expect_words("Ada Lovelace You")
        .expect_words("You are an administrator.");
    // Ends all their sessions, this one too.
    let page = fixture.browser.get(&format!("{own}/end-sessions")).await;
    page.expect_words("This is your own account. You are signed out here as well.");
    let done = fixture
        .act(&own, "end-sessions", &[("reason", "Tidy")])
        .await;
    assert_eq!(done.location(), "/sign-in");
    let page = fixture.browser.follow(&done).await;
    page.expect_words("You are signed out on this device and everywhere else.");
    // Becomes an auditor, then a person.
    fixture.browser.sign_in(&fixture.ada).await.expect(303);
    let page = fixture.browser.get(&format!("{own}/role")).await;
    page.expect_words("only another administrator can make you one again");
    let fields = [("role", "auditor"), ("reason", "Bob takes over")];
    let done = fixture.act(&own, "role", &fields).await.expect(303);
    let page = fixture.browser.follow(&done).await.expect(200);
    page.expect_words("You are an auditor now: you can see everything but change nothing.");
    app.set_role(&fixture.ada, "admin");
    let fields = [("role", "person"), ("reason", "Bob takes over")];
    let done = fixture.act(&own, "role", &fields).await.expect(303);
    assert_eq!(done.location(), "/devices");
    let page = fixture.browser.follow(&done).await.expect(200);
    page.expect_words("You no longer have a role in the administration.");
    // Disables themselves.
    app.set_role(&fixture.ada, "admin");
    let page = fixture.browser.get(&format!("{own}/disable")).await;
    page.expect_words("only another administrator can enable it");
    let done = fixture.act(&own, "disable", &[("reason", "Bye")]).await;
    assert_eq!(done.location(), "/sign-in");
    let page = fixture.browser.follow(&done).await;
    page.expect_words("Your account is disabled, and every device is signed out.");
    // Deletes themselves.
    app.database.execute("UPDATE users SET is_active = true");
    fixture.browser.sign_in(&fixture.ada).await.expect(303);
    let done = fixture
        .act(
            &own,
            "delete",
            &[("typed", "ada@example.org"), ("reason", "x")],
        )
        .await;
    assert_eq!(done.location(), "/sign-in");
    let page = fixture.browser.follow(&done).await;
    page.expect_words("Your account is deleted, with everything that belonged to it.");
}

async fn a_name_and_an_e_mail_are_set(app: &TestApp) {
    let fixture = set_up(app).await;
    let path = fixture.path(&fixture.bob).await;
    let edit = format!("{path}/edit");
    let submit = async |act: &str, fields: &[(&str, &str)]| {
        fixture
            .browser
            .submit(&edit, &format!("{path}/{act}"), fields)
            .await
    };
    let done = submit("name", &[("full_name", "Robert Byrne")])
        .await
        .expect(303);
    let page = fixture.browser.follow(&done).await;
    page.expect_words("The name is saved.")
        .expect_words("Robert Byrne")
        .expect_words("Name changed by Ada Lovelace");
    let long = "x".repeat(256);
    let page = submit("name", &[("full_name", &long)]).await.expect(400);
    page.expect_words("This must have at most 255 characters.");

    let page = submit("email", &[("email", "nonsense"), ("reason", "")]).await;
    page.expect(400)
        .expect_words("This must be an e-mail address")
        .expect_words("This must have 1 to 500 characters.");
    let fields = [("email", "ada@example.org"), ("reason", "Typo")];
    let page = submit("email", &fields).await.expect(409);
    page.expect_words("This already belongs to an account");
    let fields = [("email", "Robert@example.org"), ("reason", "Married")];
    let done = submit("email", &fields).await.expect(303);
    let page = fixture.browser.follow(&done).await;
    page.expect_words("Robert Byrne signs in with robert@example.org from now on.")
        .expect_words("E-mail changed by Ada Lovelace")
        .expect_words("Married");
    let again = submit("email", &fields).await.expect(303);
    let page = fixture.browser.follow(&again).await;
    page.expect_words("robert@example.org is already their e-mail.");
    app.try_login(&fixture.bob, IPHONE).await.expect(401);
    let robert = Person {
        email: "robert@example.org".into(),
        ..fixture.bob.clone()
    };
    app.login(&robert, IPHONE).await;
}

async fn an_e_mail_is_vouched_for(app: &TestApp) {
    let fixture = set_up(app).await;
    let carol = app.register_unverified("carol@example.org").await;
    let path = fixture.path(&carol).await;
    let verify = format!("{path}/verify-email");
    let page = fixture.browser.get(&path).await;
    page.expect_words("E-mail not verified");
    let form = fixture.browser.form(&verify, &verify).await;
    let done = fixture.browser.send(&form, &[]).await.expect(303);
    let page = fixture.browser.follow(&done).await;
    page.expect_words("carol@example.org is verified.")
        .expect_words("E-mail marked as verified by Ada Lovelace");
    let again = fixture.browser.send(&form, &[]).await.expect(303);
    let page = fixture.browser.follow(&again).await;
    page.expect_words("carol@example.org is already verified; nothing was changed.");
    let page = fixture.browser.get(&verify).await.expect(200);
    page.expect_words("carol@example.org is already verified.");
}

async fn a_link_for_a_new_password_is_shown_once(app: &TestApp) {
    let fixture = set_up(app).await;
    let path = fixture.path(&fixture.bob).await;
    let phone = app.login(&fixture.bob, IPHONE).await;
    let make = format!("{path}/reset-link");
    let page = fixture.browser.get(&make).await.expect(200);
    page.expect_words("It works once, for 30 minutes.");
    let form = fixture.browser.form(&make, &make).await;
    let made = fixture.browser.send(&form, &[]).await.expect(200);
    let made = made.expect_words("It is shown only once");
    let reset = link(&made, "/reset-password/");
    // The page is loaded again: no other link is made.
    let again = fixture.browser.send(&form, &[]).await.expect(303);
    let page = fixture.browser.follow(&again).await;
    page.expect_words("was already created; no other was created now.");
    let links = "SELECT count(*) AS value FROM password_resets";
    assert_eq!(app.database.number(links), 1);
    for page in [&path, &make] {
        let page = fixture.browser.get(page).await.expect(200);
        assert!(!page.text.contains("/reset-password/"), "{}", page.text);
    }
    let page = fixture.browser.get(&path).await;
    page.expect_words("Link for a new password created by Ada Lovelace");
    phone.get("/api/v1/me").await.expect(200);

    let other = app.browser(IPHONE);
    let fields = [("new_password", "another battery staple")];
    other.submit(&reset, &reset, &fields).await.expect(303);
    phone.get("/api/v1/me").await.expect(401);
    other.get(&reset).await.expect(410);
    let bob = Person {
        password: "another battery staple".into(),
        ..fixture.bob.clone()
    };
    app.login(&bob, IPHONE).await;
    // None for an account that is disabled meanwhile.
    let form = fixture.browser.form(&make, &make).await;
    fixture
        .act(&path, "disable", &[("reason", "Left us")])
        .await;
    let page = fixture.browser.send(&form, &[]).await.expect(409);
    page.expect_words("The account is disabled, so no link can set its password.");
    let page = fixture.browser.get(&format!("{path}/invite")).await;
    page.expect(200).expect_words("The account is disabled");
}

async fn an_account_is_added_with_a_password(app: &TestApp) {
    let fixture = set_up(app).await;
    let new = "/admin/users/new";
    let fields = [
        ("email", "nonsense"),
        ("full_name", "Eve"),
        ("new_password", "short"),
        ("role", "boss"),
    ];
    let page = fixture.browser.submit(new, new, &fields).await.expect(400);
    assert!(!page.text.contains("short"), "a password is not shown");
    page.expect_words("This must be an e-mail address")
        .expect_words("This must have at least 8 characters.")
        .expect_words("This must be one of the list.");
    let fields = [
        ("email", "bob@example.org"),
        ("new_password", PASSWORD),
        ("role", "person"),
    ];
    let page = fixture.browser.submit(new, new, &fields).await.expect(409);
    let bob = fixture.path(&fixture.bob).await;
    assert!(html::attributes(&page.text, "href").contains(&bob));
    page.expect_words("This already belongs to an account");

    let form = fixture.browser.form(new, new).await;
    let fields = [
        ("email", "eve@example.org"),
        ("full_name", "Eve"),
        ("new_password", PASSWORD),
        ("role", "auditor"),
    ];
    let made = fixture.browser.send(&form, &fields).await.expect(303);
    let page = fixture.browser.follow(&made).await.expect(200);
    page.expect_words("The account of Eve is created.")
        .expect_words("Auditor")
        .expect_words("Account created by Ada Lovelace");
    // Pressed twice, it leads to the same account.
    let again = fixture.browser.send(&form, &fields).await.expect(303);
    assert_eq!(again.location(), made.location());
    let page = fixture.browser.follow(&again).await;
    let unchanged = "The account of Eve was created a moment ago; nothing was changed.";
    page.expect_words(unchanged);
    // So it does with another password, which is not that of the account.
    let mut others = fields;
    others[2].1 = "another password than that";
    let again = fixture.browser.send(&form, &others).await.expect(303);
    let page = fixture.browser.follow(&again).await;
    page.expect_words(unchanged);
    let eve = Person {
        email: "eve@example.org".into(),
        password: PASSWORD.into(),
    };
    app.login(&eve, IPHONE).await;
    app.advance(Duration::from_secs(301));
    fixture.browser.send(&form, &fields).await.expect(409);
}

async fn somebody_is_invited_by_a_link_that_is_handed_over(app: &TestApp) {
    let fixture = set_up(app).await;
    let invite = "/admin/users/invite";
    let page = fixture.browser.get(invite).await.expect(200);
    page.expect_words("this service sends no e-mail");
    let form = fixture.browser.form(invite, invite).await;
    let fields = [("email", "eve@example.org"), ("role", "person")];
    let made = fixture.browser.send(&form, &fields).await.expect(200);
    let first = link(
        &made.expect_words("It works once, for 7 days."),
        "/reset-password/",
    );
    // Pressed twice, nothing is lost.
    let again = fixture.browser.send(&form, &fields).await.expect(303);
    let page = fixture.browser.follow(&again).await.expect(200);
    page.expect_words("The account of eve@example.org was created a moment ago.")
        .expect_words("Invited")
        .expect_words("none until they set one with a link");
    let path = again.location().to_owned();
    let made = fixture.act(&path, "invite", &[]).await.expect(200);
    let second = link(&made, "/reset-password/");
    let eve = app.browser(IPHONE);
    eve.get(&first).await.expect(410);
    let fields = [("new_password", PASSWORD)];
    eve.submit(&second, &second, &fields).await.expect(303);
    let eve = Person {
        email: "eve@example.org".into(),
        password: PASSWORD.into(),
    };
    app.login(&eve, IPHONE).await;
    let page = fixture.browser.get(&format!("{path}/invite")).await;
    page.expect(200)
        .expect_words("They have set a password already");
    let form = fixture.browser.form("/account", "/account/name").await;
    let form = form.aimed_at(&format!("{path}/invite"));
    fixture.browser.send(&form, &[]).await.expect(409);
}

async fn somebody_is_invited_by_mail(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |_| {}).await;
    let fixture = set_up(&app).await;
    let invite = "/admin/users/invite";
    let form = fixture.browser.form(invite, invite).await;
    let fields = [
        ("email", "eve@example.org"),
        ("full_name", "Eve"),
        ("role", "person"),
    ];
    let made = fixture.browser.send(&form, &fields).await.expect(303);
    let page = fixture.browser.follow(&made).await.expect(200);
    let page = page
        .expect_words("A link to set a password is on its way to eve@example.org.")
        .expect_words("Invited");
    assert!(!page.text.contains("/reset-password/"));
    let again = fixture.browser.send(&form, &fields).await.expect(303);
    let page = fixture.browser.follow(&again).await.expect(200);
    page.expect_words("A link to set a password is on its way to eve@example.org.");
    app.deliver_mail().await;
    let to_eve = |message: &&Message| message.header("To").contains("eve@example.org");
    let messages = server.messages();
    assert_eq!(messages.iter().filter(to_eve).count(), 1);
    let path = made.location();
    let done = fixture.act(path, "invite", &[]).await.expect(303);
    let page = fixture.browser.follow(&done).await;
    page.expect_words("Another link to set a password is on its way to eve@example.org.");
    app.stop().await;
}

async fn everything_about_a_person_is_downloaded(app: &TestApp) {
    let fixture = set_up(app).await;
    let path = fixture.path(&fixture.bob).await;
    app.login(&fixture.bob, IPHONE).await;
    let export = format!("{path}/export");
    let file = fixture
        .browser
        .submit(&path, &export, &[])
        .await
        .expect(200);
    assert!(
        file.header("content-disposition")
            .starts_with("attachment;")
    );
    let content = file.json();
    assert_eq!(content["account"]["email"], "bob@example.org");
    assert_eq!(content["sessions"].as_array().map(Vec::len), Some(1));
    assert!(!file.text.contains("hash"), "{}", file.text);
    let page = fixture.browser.get(&path).await;
    page.expect_words("Data exported by Ada Lovelace");
}

async fn an_account_is_deleted_once_its_e_mail_is_typed(app: &TestApp) {
    let fixture = set_up(app).await;
    let path = fixture.path(&fixture.bob).await;
    let phone = app.login(&fixture.bob, IPHONE).await;
    let delete = format!("{path}/delete");
    fixture
        .browser
        .get(&delete)
        .await
        .expect(200)
        .expect_words("Delete Bob Byrne")
        .expect_words("This ends 1 session on 1 device.")
        .expect_words("This can’t be undone.");
    for typed in ["", "bob", "ada@example.org"] {
        let page = fixture
            .act(&path, "delete", &[("typed", typed), ("reason", "x")])
            .await;
        page.expect(400).expect_words("This is not their e-mail.");
    }
    phone.get("/api/v1/me").await.expect(200);
    let form = fixture.browser.form(&delete, &delete).await;
    let fields = [("typed", " Bob@Example.org "), ("reason", "Left us")];
    let done = fixture.browser.send(&form, &fields).await.expect(303);
    assert_eq!(done.location(), LIST);
    let page = fixture.browser.follow(&done).await.expect(200);
    page.expect_words("The account is deleted, with everything that belonged to it.");
    phone.get("/api/v1/me").await.expect(401);
    fixture.browser.get(&path).await.expect(404);
    // Pressed twice.
    let again = fixture.browser.send(&form, &fields).await.expect(303);
    let page = fixture.browser.follow(&again).await.expect(200);
    page.expect_words("This account was already deleted.");
    let bobs = "SELECT count(*) AS value FROM users WHERE email = 'bob@example.org'";
    assert_eq!(app.database.number(bobs), 0);
}

async fn a_person_of_an_application_has_what_makes_sense(app: &TestApp) {
    let fixture = set_up(app).await;
    let key = app.create_key("sessions");
    app.database
        .execute("UPDATE applications SET name = 'Shop' WHERE name LIKE 'test %'");
    let open = async || {
        let body =
            json!({"subject": "Customer 42", "email": "kim@example.org", "user_agent": IPHONE});
        let request = app.anyone().request("POST", "/api/v1/app/sessions");
        TestResponse::to(request.bearer_auth(&key).json(&body)).await
    };
    let phone = Device::from_login(app.base(), &open().await.expect(201));
    let page = fixture.browser.get(&format!("{LIST}?q=customer")).await;
    let page =
        page.expect_words("Shop · subject Customer 42 kim@example.org Person Active 1 device");
    let path = person_links(&page).remove(0);
    let filtered = html::attributes(&page.text, "value");
    let application = filtered
        .iter()
        .find(|value| value.len() == 36 && !value.starts_with("00000000"))
        .expect("the application to choose");
    let page = fixture
        .browser
        .get(&format!("{LIST}?application={application}"))
        .await;
    assert_eq!(person_links(&page), std::slice::from_ref(&path));

    let page = fixture.browser.get(&path).await.expect(200);
    let links = html::attributes(&page.text, "href");
    for act in ["verify-email", "reset-link", "invite", "role"] {
        assert!(!links.contains(&format!("{path}/{act}")), "{act}");
    }
    page.expect_words("Shop signs them in and provides their e-mail.")
        .expect_words("provided by the application, never verified");
    for (act, words) in [
        ("role", "An application signs them in itself"),
        ("reset-link", "An application signs them in itself"),
        ("verify-email", "It is never verified."),
    ] {
        let page = fixture.browser.get(&format!("{path}/{act}")).await;
        assert_eq!(actions(&page), ["/sign-out"], "{act}");
        page.expect(200).expect_words(words);
    }
    let form = fixture.browser.form("/account", "/account/name").await;
    for act in ["role", "reset-link", "verify-email", "invite"] {
        let form = form.aimed_at(&format!("{path}/{act}"));
        let fields = [("role", "admin"), ("reason", "x")];
        fixture.browser.send(&form, &fields).await.expect(409);
    }
    let edit = format!("{path}/edit");
    let page = fixture.browser.get(&edit).await.expect(200);
    assert!(!actions(&page).contains(&format!("{path}/email")));
    let fields = [("email", "kim@example.com"), ("reason", "x")];
    let form = form.aimed_at(&format!("{path}/email"));
    fixture.browser.send(&form, &fields).await.expect(400);

    let done = fixture.act(&path, "disable", &[("reason", "Fraud")]).await;
    let page = fixture.browser.follow(&done).await;
    page.expect_words("kim@example.org is disabled. 1 session ended.");
    phone.get("/api/v1/me").await.expect(401);
    assert!(open().await.status >= 400);
    let page = fixture
        .act(
            &path,
            "delete",
            &[("typed", "kim@example.org"), ("reason", "x")],
        )
        .await;
    page.expect(400).expect_words("This is not their subject.");
    let done = fixture
        .act(
            &path,
            "delete",
            &[("typed", "Customer 42"), ("reason", "x")],
        )
        .await;
    let page = fixture.browser.follow(&done).await;
    page.expect_words("The account is deleted");
}
