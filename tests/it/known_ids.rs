//! What the id of a device proves: that of a browser is in a sealed cookie; the one that a client of the API
//! states proves nothing once somebody else may have read it. And a device is at home in its own network.

use crate::support::app::behind_proxy;
use crate::support::mmdb::Mmdb;
use crate::support::prelude::*;

on_both!(
    database: an_id_that_a_stranger_may_have_read_counts_in_a_known_network_only,
    an_id_counts_everywhere_while_nobody_else_can_have_read_it,
    a_browser_of_the_owner_answers_from_every_network,
    a_browser_of_the_owner_answers_without_stored_addresses,
    a_laptop_that_signed_in_over_a_vpn_is_at_home_again,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";
const CURL: &str = "curl/8.14.1";
const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const MINUTE: Duration = Duration::from_secs(60);
const OPEN: &str = "SELECT count(*) AS value FROM alerts WHERE answered_at IS NULL";

struct Fixture {
    app: TestApp,
    ada: Person,
    laptop: Browser,
}

/// Ada's account, with a laptop at home, in Lisbon; elsewhere is Kyiv.
async fn set_up(database: Database) -> Fixture {
    let path = database.folder().join("places.mmdb");
    let city = |name: &str, code: &str| json!({"city": name, "country_code": code, "latitude": 1.0, "longitude": 1.0});
    Mmdb::new("City")
        .with("203.0.113.0/24", city("Lisbon", "PT"))
        .with("198.18.0.0/16", city("Lisbon", "PT"))
        .with("198.51.100.0/24", city("Kyiv", "UA"))
        .write(&path);
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.places.files = vec![path];
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await.expect(303);
    app.advance(MINUTE);
    Fixture { app, ada, laptop }
}

impl Fixture {
    fn open(&self) -> i64 {
        self.app.database.number(OPEN)
    }

    /// Signs a tablet in over the API.
    async fn tablet(&self, ada: &Person, ip: &str) -> Device {
        let device = self.app.login_from(ada, IPHONE, ip, Some("tablet")).await;
        self.app.advance(MINUTE);
        device
    }

    /// Signs a stranger in, from where Ada never was.
    async fn stranger(&self) -> Browser {
        let stranger = self.app.browser_from(CURL, ELSEWHERE);
        stranger.sign_in(&self.ada).await.expect(303);
        self.app.advance(MINUTE);
        stranger
    }

    /// Returns the laptop in another network, with these of its cookies.
    fn laptop_at(&self, ip: &str, cookies: &[&str]) -> Browser {
        let moved = self.app.browser_from(FIREFOX, ip);
        for name in cookies {
            let value = self.laptop.cookie(name).expect("a cookie");
            moved.set_cookie(name, &value);
        }
        moved
    }
}

async fn an_id_that_a_stranger_may_have_read_counts_in_a_known_network_only(database: Database) {
    let fixture = set_up(database).await;
    fixture.tablet(&fixture.ada, HOME).await;
    fixture.app.confirm_sign_ins();
    fixture.stranger().await;
    assert_eq!(fixture.open(), 1);
    fixture.tablet(&fixture.ada, HOME).await;
    assert_eq!(fixture.open(), 1);
    // It is in doubt with the stranger, who may have read the id, until that is answered.
    fixture.tablet(&fixture.ada, "198.18.1.7").await;
    assert_eq!(fixture.open(), 1);
    fixture.laptop.answer_alert("/no").await;
    assert_eq!(fixture.open(), 0);
    // Whoever it was may still know the password.
    let back = fixture.tablet(&fixture.ada, "198.18.2.7").await;
    assert_eq!(fixture.open(), 1);
    let listed = back.listed().await;
    let laptop = listed.iter().find(|it| it["device_id"] != "tablet");
    let laptop = laptop.expect("the laptop")["id"].as_str().expect("an id");
    let name = json!({"device_name": "Old laptop"});
    let refused = back
        .patch(&format!("/api/v1/sessions/{laptop}"), &name)
        .await;
    refused.problem(403, "unconfirmed_device");
    fixture.app.stop().await;
}

async fn an_id_counts_everywhere_while_nobody_else_can_have_read_it(database: Database) {
    let fixture = set_up(database).await;
    fixture.tablet(&fixture.ada, HOME).await;
    fixture.app.confirm_sign_ins();
    fixture.tablet(&fixture.ada, "198.18.1.7").await;
    assert_eq!(fixture.open(), 0);
    fixture.stranger().await;
    fixture.laptop.answer_alert("/no").await;
    // Nor any longer, once there is a new password.
    let new = "quite another long one";
    let fields = [("current_password", PASSWORD), ("new_password", new)];
    let changed = fixture
        .laptop
        .submit("/account", "/account/password", &fields);
    changed.await.expect(303);
    fixture.app.advance(MINUTE);
    let ada = Person {
        password: new.into(),
        ..fixture.ada.clone()
    };
    fixture
        .app
        .database
        .execute("UPDATE alerts SET answered_at = at, answer = 'mine' WHERE answered_at IS NULL");
    fixture.tablet(&ada, "198.18.3.7").await;
    assert_eq!(fixture.open(), 0);
    fixture.app.stop().await;
}

async fn a_browser_of_the_owner_answers_from_every_network(database: Database) {
    let fixture = set_up(database).await;
    fixture.stranger().await;
    let out = fixture.laptop.submit("/devices", "/sign-out", &[]).await;
    out.expect(303);
    let mobile = fixture.laptop_at("198.18.1.7", &["rollcall_device"]);
    mobile.sign_in(&fixture.ada).await.expect(303);
    assert_eq!(fixture.open(), 1);
    let page = mobile.get("/devices").await.expect(200);
    let page = page.expect_words("Was this you?");
    assert!(
        !page.words().contains("no device from before"),
        "{}",
        page.words()
    );
    let name = [("full_name", "Ada")];
    let named = mobile.submit("/account", "/account/name", &name).await;
    named.expect(303);
    // The bare id proves nothing.
    let id = "SELECT device_id AS value FROM user_sessions ORDER BY created_at LIMIT 1";
    let id = fixture.app.database.texts(id).remove(0).expect("an id");
    let forged = fixture.app.browser_from(FIREFOX, "198.18.2.7");
    forged.set_cookie("rollcall_device", &id);
    forged.sign_in(&fixture.ada).await.expect(303);
    assert_eq!(fixture.open(), 2);
    let named = forged.submit("/account", "/account/name", &name).await;
    named.expect(403);
    mobile.answer_alert("/no").await;
    fixture.app.stop().await;
}

async fn a_browser_of_the_owner_answers_without_stored_addresses(database: Database) {
    let fixture = set_up(database).await;
    let none = [("addresses", "none")];
    let chosen = fixture
        .laptop
        .submit("/account", "/account/addresses", &none);
    chosen.await.expect(303);
    fixture.stranger().await;
    fixture.laptop.forget_cookie("rollcall_session");
    fixture.laptop.sign_in(&fixture.ada).await.expect(303);
    fixture.laptop.answer_alert("/no").await;
    assert_eq!(fixture.open(), 0);
    fixture.app.stop().await;
}

async fn a_laptop_that_signed_in_over_a_vpn_is_at_home_again(database: Database) {
    let fixture = set_up(database).await;
    let out = fixture.laptop.submit("/devices", "/sign-out", &[]).await;
    out.expect(303);
    let name = [("full_name", "Ada")];
    let change = async |browser: &Browser| browser.submit("/account", "/account/name", &name).await;
    let vpn = fixture.laptop_at(ELSEWHERE, &["rollcall_device"]);
    vpn.sign_in(&fixture.ada).await.expect(303);
    assert_eq!(fixture.open(), 1);
    change(&vpn).await.expect(403);
    fixture.app.advance(MINUTE);
    let home = fixture.app.browser_from(FIREFOX, HOME);
    for cookie in ["rollcall_device", "rollcall_session"] {
        home.set_cookie(cookie, &vpn.cookie(cookie).expect("a cookie"));
    }
    change(&home).await.expect(303);
    let out = home.submit("/devices", "/sign-out", &[]).await;
    out.expect(303);
    fixture.app.advance(MINUTE);
    home.sign_in(&fixture.ada).await.expect(303);
    change(&home).await.expect(303);
    let other = fixture.app.browser_from(LINUX, HOME);
    other.sign_in(&fixture.ada).await.expect(303);
    change(&other).await.expect(303);
    fixture.app.stop().await;
}
