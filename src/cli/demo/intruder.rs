//! An intruder who has a sample person's password and signs in shortly after the visitor, so that
//! the page shows "Was this you?".

use std::time::Duration;

use crate::db::UserId;
use crate::error::Result;
use crate::geo::Location;
use crate::http::app_state::AppState;
use crate::net::is_local;
use crate::people::User;
use crate::sessions::{Client, NewSession, OpenedVia, Session, SessionPersistence};
use crate::user_agent::ClientHints;

/// The time between two checks for a visitor.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The time between the visitor's sign-in and the intruder's.
const DELAY: Duration = Duration::from_secs(5);

/// Waits for a visitor to sign in as `victim`, and signs in after them, once.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond;
/// [`Error::NotFound`](crate::Error::NotFound) when an alert about the visitor is answered
/// meanwhile; [`Error::InvalidCredentials`](crate::Error::InvalidCredentials) when the victim's
/// password was changed meanwhile.
pub(super) async fn sign_in_after_visitor(
    app: &AppState,
    victim: &User,
    user_agent: &str,
    location: Location,
) -> Result<()> {
    while find_visitor(app, victim.id).await?.is_none() {
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    // The only alert in the demo is to be the one about the intruder.
    for alert in app.alerts.list(victim.id).await? {
        if alert.is_open() {
            app.accounts.confirm_alerts(vec![alert]).await?;
        }
    }
    tokio::time::sleep(DELAY).await;
    let facts = app
        .device_parser
        .parse(user_agent, ClientHints::default())
        .await;
    let new = NewSession {
        client: Client::new(location, Some(user_agent), facts),
        device_id: Some("sample-stranger".parse()?),
        device_name: None,
        via: OpenedVia::Browser,
        persistence: SessionPersistence::Standard,
        application: None,
        replaces: None,
    };
    app.sessions.create_session(victim, new).await.map(drop)
}

/// Finds a person's browser session from this machine or its network.
async fn find_visitor(app: &AppState, person: UserId) -> Result<Option<Session>> {
    let live = app.sessions.list_live(person).await?;
    Ok(live.into_iter().find(|session| {
        let ip = session.ip_address.as_deref().and_then(|ip| ip.parse().ok());
        session.opened_via == OpenedVia::Browser && ip.is_some_and(is_local)
    }))
}
