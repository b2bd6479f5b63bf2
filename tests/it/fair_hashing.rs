//! Password hashing under load: floods of sign-ins delay nobody else by more than a few hashes.

use actix_web::rt::{spawn, task::JoinHandle};
use reqwest::RequestBuilder;
use rollcall::settings::PasswordSettings;

use crate::support::api::Anyone;
use crate::support::app::behind_proxy;
use crate::support::eventually;
use crate::support::prelude::*;

on_both!(
    database: a_flood_from_one_network_delays_no_other,
    a_flood_of_visitors_delays_no_step_up,
    a_flood_of_step_ups_delays_no_other_session_and_no_visitor,
    a_64_is_one_network,
);

/// About as slow as in production, on one thread; twelve may wait, three of them of one network.
async fn slow_app(database: Database) -> TestApp {
    TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        // So that all of them are hashed.
        settings.throttles.free_failures = 1_000_000;
        settings.passwords = PasswordSettings {
            memory_kib: 4 * 1024,
            iterations: 10,
            threads: 1,
            queue: 12,
            ..PasswordSettings::default()
        };
    })
    .await
}

async fn a_flood_from_one_network_delays_no_other(database: Database) {
    let app = slow_app(database).await;
    let ada = app.register("ada@example.org").await;
    let flood = Flood::of_sign_ins(&app, |_| "203.0.113.1".into());
    flood.is_refused(&app, "203.0.113.1").await;
    expect_sign_ins(&app, &ada, "198.51.100.7").await;
    flood.stop();
    app.stop().await;
}

/// A client may have every address of its `/64`.
async fn a_64_is_one_network(database: Database) {
    let app = slow_app(database).await;
    let ada = app.register("ada@example.org").await;
    let flood = Flood::of_sign_ins(&app, |number| format!("2001:db8:1:1::{number:x}"));
    flood.is_refused(&app, "2001:db8:1:1:ffff::1").await;
    expect_sign_ins(&app, &ada, "2001:db8:1:2::1").await;
    flood.stop();
    app.stop().await;
}

/// From so many networks that each place of the queue is taken by another.
async fn a_flood_of_visitors_delays_no_step_up(database: Database) {
    let app = slow_app(database).await;
    let ada = app.register("ada@example.org").await;
    let (laptop, phone) = (
        app.signed_in_browser(&ada, FIREFOX).await,
        app.login(&ada, IPHONE).await,
    );
    let flood = Flood::of_sign_ins(&app, |number| format!("203.0.113.{number}"));
    flood.is_refused(&app, "198.51.100.7").await;
    for _ in 0..3 {
        let fields = [("password", PASSWORD)];
        let response = laptop.submit("/confirm", "/confirm", &fields).await;
        response.expect(303);
        expect_step_up(&phone).await;
    }
    flood.stop();
    app.stop().await;
}

async fn a_flood_of_step_ups_delays_no_other_session_and_no_visitor(database: Database) {
    let app = slow_app(database).await;
    let ada = app.register("ada@example.org").await;
    let mallory = app.register("mallory@example.org").await;
    let (phone, thief) = (
        app.login(&ada, IPHONE).await,
        app.login(&mallory, FIREFOX).await,
    );
    let flood = Flood::start((0..24).map(|_| {
        let request = confirmation(&thief, PASSWORD);
        move || request.try_clone().expect("a body in memory")
    }));
    eventually("the flood has taken its places", async || {
        let response = TestResponse::to(confirmation(&thief, PASSWORD)).await;
        response.status == 503
    })
    .await;
    for _ in 0..3 {
        expect_step_up(&phone).await;
    }
    expect_sign_ins(&app, &ada, "198.51.100.7").await;
    flood.stop();
    app.stop().await;
}

/// Requests that are sent again and again, on several connections at once.
struct Flood(Vec<JoinHandle<()>>);

impl Flood {
    fn start<R>(requests: impl Iterator<Item = R>) -> Self
    where
        R: Fn() -> RequestBuilder + 'static,
    {
        let connections = requests.map(|request| {
            spawn(async move {
                loop {
                    drop(request().send().await);
                }
            })
        });
        Self(connections.collect())
    }

    /// Signs in from `ip`, which gets the number of the connection, as nobody whom the service
    /// knows.
    fn of_sign_ins(app: &TestApp, ip: impl Fn(usize) -> String) -> Self {
        Self::start((0..24).map(|number| {
            let (anyone, ip) = (app.anyone(), ip(number));
            move || sign_in_from(&anyone, &ip, "nobody@example.org", "wrong password")
        }))
    }

    /// Waits until one more sign-in from `ip` is refused.
    async fn is_refused(&self, app: &TestApp, ip: &str) {
        let anyone = app.anyone();
        eventually("the flood has taken its places", async || {
            let request = sign_in_from(&anyone, ip, "nobody@example.org", "wrong password");
            TestResponse::to(request).await.status == 503
        })
        .await;
    }

    fn stop(self) {
        for connection in self.0 {
            connection.abort();
        }
    }
}

/// Signs in several times, each at the first attempt.
async fn expect_sign_ins(app: &TestApp, person: &Person, ip: &str) {
    for _ in 0..5 {
        let request = sign_in_from(&app.anyone(), ip, &person.email, &person.password);
        TestResponse::to(request).await.expect(200);
    }
}

async fn expect_step_up(device: &Device) {
    TestResponse::to(confirmation(device, PASSWORD))
        .await
        .expect(200);
}

fn confirmation(device: &Device, password: &str) -> RequestBuilder {
    device
        .request("POST", "/api/v1/auth/confirm")
        .json(&json!({"password": password}))
}

fn sign_in_from(anyone: &Anyone, ip: &str, email: &str, password: &str) -> RequestBuilder {
    anyone
        .request("POST", "/api/v1/auth/login")
        .header("x-forwarded-for", ip)
        .json(&json!({"email": email, "password": password}))
}
