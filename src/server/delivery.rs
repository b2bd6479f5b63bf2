//! Assembles the delivery of messages.

use std::sync::Arc;

use crate::account::Messages;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::mail::{Delivery, Mailer};
use crate::settings::{Settings, Site};

/// Returns the delivery of messages, if the settings name an SMTP server.
///
/// # Errors
/// [`Error::Configuration`](crate::Error::Configuration) when a setting of mail can't be used.
pub(super) fn assemble(
    settings: &Settings,
    site: Arc<Site>,
    app: &AppState,
) -> Result<Option<Delivery>> {
    let host = settings.public_url.as_ref().and_then(|url| url.host_str());
    let mailer = Mailer::new(&settings.mail, site.clone(), host.unwrap_or("localhost"))?;
    Ok(mailer.map(|mailer| {
        Delivery::new(
            app.db.clone(),
            app.clock.clone(),
            Arc::new(Messages::new(app.links.clone(), site, app.clock.clone())),
            mailer,
            settings.mail.give_up_after,
        )
    }))
}
