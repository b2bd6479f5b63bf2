//! Events as the administrator's pages show them: plain fields, without logic.

use super::event_words;
use crate::account::LoggedEvent;
use crate::db::EventId;
use crate::events::Event;
use crate::http::reader_clock::ReaderClock;
use crate::net::display_stored_ip;
use crate::pages::words::TimeView;
use crate::people::User;

/// An event.
pub(super) struct EventRow {
    pub(super) id: String,
    pub(super) at: TimeView,
    /// What happened.
    pub(super) what: String,
    /// What it states besides.
    pub(super) detail: Option<String>,
    /// How often it happened, if more than once, and when last.
    pub(super) repetition: Option<String>,
    /// On whom.
    pub(super) person: Named,
    /// On which session, or from which device.
    pub(super) session: Option<Named>,
    /// By whom.
    pub(super) by: Named,
    /// From which session, where that is another one.
    pub(super) by_session: Option<String>,
    /// From where.
    pub(super) address: Option<String>,
    /// The reason that was stated.
    pub(super) reason: Option<String>,
    /// The page of the bulk job.
    pub(super) job: Option<String>,
    /// Whether it is the event that the others are around.
    pub(super) is_anchor: bool,
}

/// Somebody or something, and its page if it has one.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) href: Option<String>,
    /// What is added to the name.
    pub(super) hint: Option<String>,
}

impl EventRow {
    /// Returns an event for a page; `anchor` is the one that the others are around.
    pub(super) fn new(logged: LoggedEvent, anchor: Option<EventId>, clock: ReaderClock) -> Self {
        let event = &logged.event;
        let address = event.ip_address.as_deref();
        Self {
            id: event.id.to_string(),
            at: TimeView::ago(event.at, clock),
            what: event_words::kind(event.kind),
            detail: event_words::detail(event),
            repetition: event_words::repetition(event, clock),
            person: person(&logged),
            session: session(&logged),
            by: by(&logged),
            by_session: event
                .by_session_id
                .filter(|id| Some(*id) != event.session_id)
                .map(|id| format!("/admin/sessions/{id}")),
            address: address.map(display_stored_ip),
            reason: event.stated_reason.clone(),
            job: event.job_id.map(|id| format!("/admin/jobs/{id}")),
            is_anchor: Some(event.id) == anchor,
        }
    }
}

impl Named {
    fn user(user: &User) -> Self {
        let known_by = user.known_by();
        let name = user.full_name.clone().unwrap_or_else(|| known_by.clone());
        Self {
            hint: Some(known_by).filter(|known_by| *known_by != name),
            name,
            href: Some(format!("/admin/users/{}", user.id)),
        }
    }

    fn words(words: &str) -> Self {
        Self {
            name: words.to_owned(),
            href: None,
            hint: None,
        }
    }
}

fn person(logged: &LoggedEvent) -> Named {
    match (&logged.owner, logged.event.user_id) {
        (Some(owner), _) => Named::user(owner),
        (None, None) => Named::words(event_words::nobody(logged.event.kind)),
        (None, Some(_)) => Named::words("a deleted account"),
    }
}

fn session(logged: &LoggedEvent) -> Option<Named> {
    let Some(id) = logged.event.session_id else {
        return logged.event.device.as_deref().map(Named::words);
    };
    Some(match &logged.session {
        Some(session) => Named {
            name: session.display_name(),
            href: Some(format!("/admin/sessions/{id}")),
            hint: None,
        },
        None => Named::words("a deleted session"),
    })
}

fn by(logged: &LoggedEvent) -> Named {
    let Event {
        user_id,
        by_user_id,
        by_application_id,
        ..
    } = logged.event;
    let is_person = by_user_id == user_id;
    if by_application_id.is_some() {
        return match &logged.application {
            Some(application) => Named {
                name: application.name.clone(),
                href: Some(format!(
                    "/admin/applications#application-{}",
                    application.id
                )),
                hint: Some("with its key".into()),
            },
            None => Named::words("a deleted application"),
        };
    }
    match (&logged.by, by_user_id) {
        (_, Some(_)) if is_person => Named::words("themselves"),
        (Some(by), Some(_)) => Named::user(by),
        (None, Some(_)) => Named::words("a deleted account"),
        (_, None) => Named::words(logged.event.actor().unnamed()),
    }
}
