//! What the administrator's pages about sessions share: owners, ends and names as templates show
//! them.

use std::collections::HashMap;

use super::back::Back;
use super::session_words as words;
use crate::account::event_address;
use crate::db::{ApplicationId, SessionId, UserId};
use crate::error::Result;
use crate::events::{self, Actor, Event};
use crate::http::app_state::AppState;
use crate::http::reader_clock::ReaderClock;
use crate::net::{IpRetention, display_stored_ip};
use crate::pages::views::Reader;
use crate::pages::words::TimeView;
use crate::people::User;
use crate::sessions::search::FoundSession;
use crate::sessions::{EndedReason, Session};

/// The names of the people and applications that a page mentions.
#[derive(Default)]
pub(super) struct Names {
    people: HashMap<UserId, User>,
    applications: HashMap<ApplicationId, String>,
    /// The events that ended sessions.
    ends: HashMap<SessionId, Event>,
}

/// Who did something, as far as it is known.
pub(super) struct ActorView {
    /// Their name or e-mail.
    pub(super) name: String,
    /// Their page, if it is a person.
    pub(super) href: Option<String>,
}

impl Names {
    /// Loads the names that a list of sessions mentions. The list is a page.
    pub(super) async fn load(app: &AppState, found: &[FoundSession]) -> Result<Self> {
        // In other cases the reason says who ended it.
        let was_ended_by_others = |found: &&FoundSession| {
            matches!(
                found.session.ended_reason,
                Some(EndedReason::Admin | EndedReason::AccountDisabled)
            )
        };
        let ended = found.iter().filter(was_ended_by_others);
        let ended = ended.map(|found| found.session.id).collect();
        let ends = events::list_ends(&app.db, ended).await?;
        let applications = found.iter().filter_map(|found| found.owner.application_id);
        let names = Self::load_for_events(app, &ends, applications.collect()).await?;
        let by_session = |event: Event| Some((event.session_id?, event));
        Ok(Self {
            ends: ends.into_iter().filter_map(by_session).collect(),
            ..names
        })
    }

    /// Loads the names of those who caused the events, and of `applications`.
    pub(super) async fn load_for_events(
        app: &AppState,
        events: &[Event],
        mut applications: Vec<ApplicationId>,
    ) -> Result<Self> {
        let mut people: Vec<UserId> = events.iter().filter_map(|event| event.by_user_id).collect();
        people.sort_unstable();
        people.dedup();
        applications.extend(events.iter().filter_map(|event| event.by_application_id));
        applications.sort_unstable();
        applications.dedup();
        let people = app.people.list_by_ids(people).await?;
        Ok(Self {
            people: people.into_iter().map(|user| (user.id, user)).collect(),
            applications: app.applications.list_names(applications).await?,
            ends: HashMap::new(),
        })
    }

    /// Returns the name of an application, if it is known.
    pub(super) fn application(&self, id: Option<ApplicationId>) -> Option<&str> {
        self.applications.get(&id?).map(String::as_str)
    }

    /// Returns the event of the end of a session, if it was loaded.
    pub(super) fn end_of(&self, session: SessionId) -> Option<&Event> {
        self.ends.get(&session)
    }

    /// Returns who ended a session, where that is known and says more than the reason.
    pub(super) fn ended_by(&self, session: SessionId) -> Option<String> {
        let actor = self.actor(self.ends.get(&session)?)?;
        Some(actor.name)
    }

    /// Returns the address that an event of `owner` was caused from, as far as the IP retention of
    /// whoever caused it, and of the owner, has it stored.
    pub(super) fn event_address(&self, event: &Event, owner: &User) -> Option<String> {
        let by = event.by_user_id.and_then(|by| self.people.get(&by));
        event_address(event, owner, by).map(|ip| display_stored_ip(&ip))
    }

    /// Returns who caused an event; `None` for the service itself.
    pub(super) fn actor(&self, event: &Event) -> Option<ActorView> {
        if let Some(application) = event.by_application_id {
            let name = self.application(Some(application));
            return Some(ActorView {
                name: name.unwrap_or("a deleted application").into(),
                href: None,
            });
        }
        let Some(user) = event.by_user_id else {
            let administrator = Actor::Administrator;
            return (event.actor() == administrator).then(|| ActorView {
                name: administrator.unnamed().into(),
                href: None,
            });
        };
        Some(match self.people.get(&user) {
            Some(person) => ActorView {
                name: owner_name(person),
                href: Some(person_url(user)),
            },
            None => ActorView {
                name: "a deleted account".into(),
                href: None,
            },
        })
    }
}

/// The owner of a session.
pub(super) struct OwnerView {
    /// Their page.
    pub(super) href: String,
    /// Their e-mail, else what their application calls them.
    pub(super) name: String,
    /// Their name, or their application and its subject.
    pub(super) detail: Option<String>,
    /// Whether the account is disabled.
    pub(super) is_disabled: bool,
}

impl OwnerView {
    /// Returns the view of `owner`, whose page leads back to a list.
    pub(super) fn new(owner: &User, names: &Names, back: &Back) -> Self {
        let known_in = owner.known_in(names.application(owner.application_id));
        let detail = known_in.or(owner.full_name.clone());
        Self {
            href: back.from(person_url(owner.id)),
            name: owner_name(owner),
            detail,
            is_disabled: !owner.is_active,
        }
    }
}

fn person_url(id: UserId) -> String {
    format!("/admin/users/{id}")
}

/// Returns the e-mail of a person, or where they have none, their name or subject.
fn owner_name(user: &User) -> String {
    let subject = user.external_subject.as_deref();
    match (&user.stated_email, subject) {
        (None, Some(subject)) => user.full_name.as_deref().unwrap_or(subject).into(),
        _ => user.shown_email().into(),
    }
}

/// Returns an address of a session or an event, as far as its owner's IP retention has it stored.
pub(super) fn address(ip: Option<&str>, owner: &User) -> Option<String> {
    let ip = owner.ip_retention.redact(ip?)?;
    Some(display_stored_ip(&ip))
}

/// Returns the place where a session was last used.
pub(super) fn place(session: &Session, owner: &User, reader: &Reader) -> Option<String> {
    let ip = session.ip_address.as_deref();
    let ip = ip.filter(|_| owner.ip_retention != IpRetention::None);
    reader.place(ip, session.place()).display_name()
}

/// How a session ends or why it ended.
pub(super) enum EndView {
    /// It ends by itself.
    Ahead {
        /// When.
        at: TimeView,
        /// Whether each use defers that.
        if_unused: bool,
    },
    /// It has ended.
    Past {
        /// Why.
        why: &'static str,
        /// When.
        at: TimeView,
        /// Who ended it, where that says more.
        by: Option<String>,
    },
}

impl EndView {
    /// Returns the end of `session`. One past its expiry has ended, whether or not it is
    /// marked yet.
    pub(super) fn new(session: &Session, by: Option<String>, clock: ReaderClock) -> Self {
        let (reason, at) = match (session.is_active, session.ended_at) {
            (true, _) if session.is_live(clock.now) => {
                return Self::Ahead {
                    at: TimeView::ahead(session.expires_at, clock),
                    if_unused: session.expires_at < session.absolute_expires_at,
                };
            }
            (true, _) => (Some(EndedReason::Expired), session.expires_at),
            (false, at) => (session.ended_reason, at.unwrap_or(session.expires_at)),
        };
        Self::Past {
            why: match reason {
                None => "Ended",
                // The row doesn't say from where: perhaps by an application.
                Some(EndedReason::SignedOutRemotely) if session.ended_by.is_none() => {
                    "Signed out from elsewhere"
                }
                Some(reason) => words::reason(reason),
            },
            at: TimeView::ago(at, clock),
            by,
        }
    }

    /// Returns the end as its event tells it: the row doesn't say that an application ended a session.
    pub(super) fn with_event(self, event: Option<&Event>) -> Self {
        match self {
            Self::Past { at, by, .. } if event.is_some_and(|it| it.by_application_id.is_some()) => {
                Self::Past {
                    why: "Ended by an application",
                    at,
                    by,
                }
            }
            end => end,
        }
    }
}
