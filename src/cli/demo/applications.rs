//! The applications that the sample people use.

use super::super::domain::Domain;
use super::super::error::Result;
use super::people::Device;
use crate::applications::{ApplicationKind, NewApplication};
use crate::db::ApplicationId;
use crate::events::Origin;
use crate::sessions::{Due, Session, UsedApplication};

/// A website that is registered, and its host.
const WEBSITE: (&str, &str) = ("Grafana", "grafana.example.org");
/// The host of a website that isn't registered.
const WIKI: &str = "wiki.example.org";
const SERVICE: &str = "Build server";

/// Applications of the sample people.
pub(super) struct SampleApplications {
    service: ApplicationId,
}

impl SampleApplications {
    /// Registers them.
    pub(super) async fn create(domain: &Domain) -> Result<Self> {
        let (name, host) = WEBSITE;
        let website = NewApplication {
            name: name.parse()?,
            kind: ApplicationKind::Website,
            hosts: host.parse()?,
        };
        let service = NewApplication::service(SERVICE.parse()?);
        let accounts = &domain.accounts;
        accounts
            .create_application(website, Origin::default())
            .await?;
        let service = accounts
            .create_application(service, Origin::default())
            .await?;
        Ok(Self {
            service: service.id,
        })
    }

    /// Records that a device reached an application when it signed in: of browsers the wiki, of
    /// programs the service.
    pub(super) async fn record_sign_in(&self, domain: &Domain, session: &Session, device: &Device) {
        let application = match device.user_agent.starts_with("Mozilla/") {
            true => UsedApplication::Host(WIKI.to_owned()),
            false => UsedApplication::Client(self.service),
        };
        domain
            .sessions
            .record_application(session, application)
            .await;
    }

    /// Records that a device reached an application when it was used: computers the website.
    pub(super) async fn record_use(&self, domain: &Domain, session: &Session, device: &Device) {
        const COMPUTERS: [&str; 3] = ["Macintosh", "Windows", "X11"];

        let is_computer = COMPUTERS
            .iter()
            .any(|name| device.user_agent.contains(name));
        if is_computer {
            let website = UsedApplication::Host(WEBSITE.1.to_owned());
            domain.sessions.record_application(session, website).await;
        }
    }

    /// Writes what was recorded.
    pub(super) async fn write(domain: &Domain) -> Result<()> {
        let sessions = &domain.sessions;
        sessions.flush_application_uses(Due::AtTheEnd).await?;
        Ok(())
    }
}
