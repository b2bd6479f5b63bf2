//! Assembles the delivery of messages.

use std::sync::Arc;

use crate::account::Messages;
use crate::http::app_state::AppState;
use crate::mail::{Delivery, Mailer};
use crate::settings::{Settings, Site};

/// Returns the delivery of messages by `mailer`, if there is one.
pub(super) fn assemble(
    settings: &Settings,
    mailer: Option<Mailer>,
    site: Arc<Site>,
    app: &AppState,
) -> Option<Delivery> {
    mailer.map(|mailer| {
        Delivery::new(
            app.db.clone(),
            app.clock.clone(),
            Arc::new(Messages::new(app.links.clone(), site, app.clock.clone())),
            mailer,
            settings.mail.give_up_after,
        )
    })
}
