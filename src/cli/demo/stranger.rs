//! Somebody who knows a sample person's password, and signs in a moment after you do: so that "Was
//! this you?" is there to be answered.

use std::time::Duration;

use crate::db::UserId;
use crate::devices::{Location, address};
use crate::error::Result;
use crate::http::app::App;
use crate::people::User;
use crate::sessions::{Client, OpenedVia, Opening, Session, Stay};

/// How often it is looked whether you are there.
const LOOK: Duration = Duration::from_secs(1);
/// How long after you they come.
const LATER: Duration = Duration::from_secs(5);

/// Waits for a visitor of `victim` and signs in after them, once.
///
/// # Errors
/// When the database doesn't answer.
pub(super) async fn lurk(
    app: &App,
    victim: &User,
    user_agent: &str,
    location: Location,
) -> Result<()> {
    while visitor(app, victim.id).await?.is_none() {
        tokio::time::sleep(LOOK).await;
    }
    // You are no stranger in your own demo.
    for alert in app.alerts.all_of(victim.id).await? {
        if alert.is_open() {
            app.sessions.own_up_by_link(&alert).await?;
        }
    }
    tokio::time::sleep(LATER).await;
    let facts = app.devices.parse(user_agent);
    let opening = Opening {
        client: Client::new(location, Some(user_agent), facts),
        device_id: Some("sample-stranger".parse()?),
        device_name: None,
        via: OpenedVia::Browser,
        stay: Stay::Brief,
        replaces: None,
    };
    app.sessions.open(victim, opening).await.map(drop)
}

/// A session from this machine.
async fn visitor(app: &App, person: UserId) -> Result<Option<Session>> {
    let live = app.sessions.live_of(person).await?;
    Ok(live.into_iter().find(|session| {
        let ip = session.ip_address.as_deref().and_then(|ip| ip.parse().ok());
        session.opened_via == OpenedVia::Browser && ip.is_some_and(address::is_local)
    }))
}
