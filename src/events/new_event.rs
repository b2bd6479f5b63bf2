//! An event that is to be recorded, and who did it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::EventKind;
use super::setting::Setting;
use super::stated_reason::StatedReason;
use crate::clock::Timestamp;
use crate::counters::hour_of;
use crate::db::{ApiKeyId, ApplicationId, JobId, SessionId, UserId};
use crate::net::SourceNetwork;
use crate::text;

/// The characters of the key of counted events: 132 bits.
const KEY_CHARS: usize = 22;

/// Who did something, and from where. The default, without either, is the service itself.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The person who did it, if any.
    pub user: Option<UserId>,
    /// The session they did it from, if any.
    pub session: Option<SessionId>,
    /// The address they did it from, in canonical text.
    pub ip: Option<String>,
    /// The application whose key did it, if one did.
    pub application: Option<ApplicationId>,
    /// That key, if it acts as an administrator.
    pub key: Option<ApiKeyId>,
    /// The bulk job that it belongs to, if it does.
    pub job: Option<JobId>,
    /// The reason that an administrator stated. The person whom it concerns sees it.
    pub reason: Option<StatedReason>,
}

impl Origin {
    /// Returns the origin with the reason that an administrator stated.
    #[must_use]
    pub fn with_reason(self, reason: StatedReason) -> Self {
        Self {
            reason: Some(reason),
            ..self
        }
    }
}

/// An event to be recorded.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub(super) user_id: Option<UserId>,
    pub(super) session_id: Option<SessionId>,
    pub(super) kind: EventKind,
    pub(super) detail: Option<String>,
    pub(super) device: Option<String>,
    pub(super) origin: Origin,
    pub(super) at: Timestamp,
    /// How often it happened, if such events are counted in one row by hour.
    pub(super) counted: Option<Counted>,
}

/// How often something happened within an hour.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    pub(super) times: i32,
    pub(super) last_at: Timestamp,
}

impl NewEvent {
    /// Returns an event of a session.
    #[must_use]
    pub fn for_session(
        user: UserId,
        session: SessionId,
        kind: EventKind,
        origin: &Origin,
        at: Timestamp,
    ) -> Self {
        Self {
            session_id: Some(session),
            ..Self::for_person(user, kind, origin, at)
        }
    }

    /// Returns an event of a person that concerns no single session.
    #[must_use]
    pub fn for_person(user: UserId, kind: EventKind, origin: &Origin, at: Timestamp) -> Self {
        Self {
            user_id: Some(user),
            ..Self::for_service(kind, origin, at)
        }
    }

    /// Returns an event that concerns no person, or one who is not known.
    #[must_use]
    pub fn for_service(kind: EventKind, origin: &Origin, at: Timestamp) -> Self {
        Self {
            user_id: None,
            session_id: None,
            kind,
            detail: None,
            device: None,
            origin: origin.clone(),
            at,
            counted: None,
        }
    }

    /// Returns the event with a detail, such as a reason or a new name.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// Returns the event of a setting that the person changed, which is counted.
    #[must_use]
    pub fn for_setting(user: UserId, setting: Setting, origin: &Origin, at: Timestamp) -> Self {
        Self::for_person(user, EventKind::SettingChanged, origin, at)
            .with_detail(setting.as_str())
            .counted()
    }

    /// Returns an event of something that was refused: on which account, and in which session of it, as
    /// far as that is known.
    #[must_use]
    pub fn for_refusal(
        (user, session): (Option<UserId>, Option<SessionId>),
        kind: EventKind,
        origin: &Origin,
        at: Timestamp,
    ) -> Self {
        Self {
            user_id: user,
            session_id: session,
            ..Self::for_service(kind, origin, at)
        }
    }

    /// Returns what happened.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// Returns when it happened, or did first.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns how often it happened.
    #[must_use]
    pub fn times(&self) -> i32 {
        self.counted.map_or(1, |counted| counted.times)
    }

    /// Returns the person on whom, if that is known.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.user_id
    }

    /// Returns the address that it was done from.
    #[must_use]
    pub fn ip(&self) -> Option<&str> {
        self.origin.ip.as_deref()
    }

    /// Returns the event with the name of the device that the request came from.
    #[must_use]
    pub fn with_device(self, device: Option<String>) -> Self {
        Self { device, ..self }
    }

    /// Returns the event as one that its person did, who was not known before.
    #[must_use]
    pub fn by_the_person(mut self) -> Self {
        self.origin.user = self.user_id;
        self
    }

    /// Returns the event as one of those that are counted: of the same hour, kind, detail, people,
    /// session and network there is one row. So whoever repeats something does not fill the log.
    #[must_use]
    pub fn counted(self) -> Self {
        let last_at = self.at;
        self.counted_until((1, last_at))
    }

    /// Returns the event as [`NewEvent::counted`], after it happened so many times, last at that time.
    #[must_use]
    pub fn counted_until(self, (times, last_at): (u32, Timestamp)) -> Self {
        let times = i32::try_from(times).unwrap_or(i32::MAX);
        Self {
            counted: Some(Counted { times, last_at }),
            ..self
        }
    }

    /// Returns what makes two counted events the same; `None` for one that is not counted. It contains
    /// no more than the row does.
    pub(super) fn repeat_key(&self) -> Option<String> {
        self.counted?;
        // Of what somebody signed in repeats it doesn't matter from where.
        let ip = self.origin.ip.as_deref().filter(|_| self.kind.is_refusal());
        let network = SourceNetwork::of(ip.and_then(|ip| ip.parse().ok()));
        // Of names there are as many as one likes; the last one counts.
        let detail = self
            .detail
            .as_ref()
            .filter(|_| self.kind != EventKind::Renamed);
        let parts = format!(
            "{} {} {:?} {:?} {:?} {:?} {:?} {network:?} {:?}",
            hour_of(self.at),
            self.kind.as_str(),
            self.user_id,
            self.session_id,
            self.origin.user,
            self.origin.session,
            self.origin.application,
            detail,
        );
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(parts));
        Some(text::truncate_chars(&digest, KEY_CHARS).to_owned())
    }
}
