//! A person whose account gets mail: what many tests of alerts and links begin with.

use rollcall::settings::Settings;
use serde_json::json;

use super::FIREFOX;
use super::app::{Person, TestApp};
use super::browser::Browser;
use super::database::Database;
use super::mmdb::Mmdb;
use super::smtp::SmtpServer;

/// Ada's account on a service with an SMTP server, and the laptop on which she signed in before everything
/// else.
pub struct Mailed {
    pub app: TestApp,
    pub server: SmtpServer,
    pub ada: Person,
    pub laptop: Browser,
}

/// A city: its name, the code of its country, and its latitude and longitude in degrees.
pub struct Place(pub &'static str, pub &'static str, pub f64, pub f64);

impl Mailed {
    /// Starts the service; the laptop is at `home`.
    pub async fn start(database: Database, home: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let server = SmtpServer::start();
        let app = TestApp::start_with_mail(database, &server, change).await;
        let ada = app.register("ada@example.org").await;
        let laptop = app.browser_from(FIREFOX, home);
        laptop.sign_in_to_stay(&ada).await.expect(303);
        Self {
            app,
            server,
            ada,
            laptop,
        }
    }

    /// Starts the service, which knows where these networks are; the laptop is at `home`.
    pub async fn start_with_places(
        database: Database,
        home: &str,
        networks: &[(&str, Place)],
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let path = database.folder().join("places.mmdb");
        let mut file = Mmdb::new("City");
        for (network, Place(city, code, north, east)) in networks {
            let place =
                json!({"city": city, "country_code": code, "latitude": north, "longitude": east});
            file = file.with(network, place);
        }
        file.write(&path);
        Self::start(database, home, |settings| {
            settings.places.files = vec![path];
            change(settings);
        })
        .await
    }

    /// Returns a browser without a session, in which a link is opened.
    pub fn reader(&self) -> Browser {
        self.app.browser_from(FIREFOX, "192.0.2.200")
    }

    pub async fn stop(self) {
        self.server.stop();
        self.app.stop().await;
    }
}
