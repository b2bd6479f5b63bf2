//! Trust: which of a person's sessions count as theirs as of an alert. Those from before it do, and those on
//! their devices; besides, those whose own sign-in was confirmed since from one that does, or by the mailbox
//! of the account. So an intruder can't confirm themself, and what the owner has confirmed stays.

use std::collections::{HashMap, HashSet};

use super::Accounts;
use super::about::{About, list_unconfirmed};
use super::linked_message::LINK_LIFETIME;
use super::links::Links;
use crate::alerts::{self, Alert, AlertKind, AlertReview, Confirmation, Confirmer, EmailChange};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::{Error, Result};
use crate::sessions::{
    self, Caller, RECENT_LIMIT, Session, is_on_known_device, is_same_network, list_on_reported,
};

/// What trust is worked out from.
pub(super) struct TrustBasis {
    /// The person's recent sessions.
    pub(super) all: Vec<Session>,
    /// Those that were reported, or are the subject of an open alert about a sign-in.
    doubtful: HashSet<SessionId>,
    /// Those that open alerts about sign-ins are about.
    unconfirmed: HashSet<SessionId>,
    /// Who confirmed which sign-in, in the order of the confirmations.
    confirmations: Vec<Confirmation>,
    email_changes: Vec<EmailChange>,
}

/// The sessions that are trusted as of an alert.
pub(super) struct Trusted<'a> {
    since: Timestamp,
    known: Vec<&'a Session>,
}

/// Why a session is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// Its own sign-in is the subject of an open alert.
    OwnSignIn,
    /// It was created after the sign-in of an open alert.
    EarlierSignIn,
}

/// How a device that is in doubt can be confirmed.
#[derive(Debug, Clone, Copy)]
enum WayOn {
    /// On another device.
    Device,
    /// With the link in a message.
    Link,
    /// Both ways.
    Either,
    /// In no way.
    Nowhere,
}

impl TrustBasis {
    /// Loads the recent sessions of `owner`, with `here` as it is.
    pub(super) fn load(
        c: &mut AnyConnection,
        owner: UserId,
        open: &[Alert],
        here: Option<&Session>,
    ) -> Result<Self> {
        let mut all = sessions::store::list_recent(c, owner, None, RECENT_LIMIT)?;
        if let Some(here) = here {
            match all.iter_mut().find(|it| it.id == here.id) {
                Some(stored) => *stored = here.clone(),
                None => all.push(here.clone()),
            }
        }
        let sign_ins = open.iter().filter(|alert| alert.kind.is_sign_in());
        let subjects: HashSet<SessionId> = sign_ins.filter_map(|it| it.session_id).collect();
        let mut doubtful = list_on_reported(c, owner, &all)?;
        doubtful.extend(subjects);
        let unconfirmed = list_unconfirmed(&all, open, |it| !doubtful.contains(&it.id));
        let mut confirmations = alerts::store::list_confirmations(c, owner)?;
        confirmations.retain(|it| all.iter().any(|session| session.id == it.session));
        let is_by_mailbox = |it: &Confirmation| it.by == Confirmer::Mailbox;
        let email_changes = match confirmations.iter().any(is_by_mailbox) {
            true => alerts::store::list_email_changes(c, owner)?,
            false => Vec::new(),
        };
        Ok(Self {
            all,
            doubtful,
            unconfirmed,
            confirmations,
            email_changes,
        })
    }

    /// Returns whether a session neither was reported nor is the subject of an open alert about a sign-in.
    pub(super) fn is_sound(&self, session: &Session) -> bool {
        !self.doubtful.contains(&session.id)
    }

    /// Returns whether an open alert about a sign-in is about the device of a session.
    pub(super) fn is_unconfirmed(&self, session: &Session) -> bool {
        self.unconfirmed.contains(&session.id)
    }

    /// Returns whether a session may answer an alert: one that is trusted as of that, and that neither an open
    /// alert about a sign-in nor this one is about.
    pub(super) fn may_review(&self, session: &Session, alert: &Alert) -> bool {
        self.may_review_as(session, &self.about(alert), &self.as_of(alert))
    }

    fn may_review_as(&self, session: &Session, about: &About, trusted: &Trusted) -> bool {
        self.is_sound(session)
            && !self.is_unconfirmed(session)
            && !about.covers(session)
            && trusted.contains(session)
    }

    /// Returns what an alert is about.
    pub(super) fn about<'a>(&'a self, alert: &'a Alert) -> About<'a> {
        let is_sound = |it: &Session| self.is_sound(it) && !self.is_unconfirmed(it);
        About::new(alert, &self.all, is_sound)
    }

    /// Returns whether a session is in doubt while these alerts are open.
    pub(super) fn is_in_doubt(&self, session: &Session, open: &[Alert]) -> bool {
        self.find_doubt(session, open).is_some()
    }

    /// Returns the sessions that are trusted as of an alert.
    pub(super) fn as_of(&self, alert: &Alert) -> Trusted<'_> {
        let about = self.about(alert);
        let is_candidate = |session: &&Session| self.is_sound(session) && !about.covers(session);
        let sound: HashMap<SessionId, &Session> = self
            .all
            .iter()
            .filter(is_candidate)
            .map(|session| (session.id, session))
            .collect();
        let before = sound.values().filter(|it| it.created_at < alert.at);
        let mut trusted = Trusted {
            since: alert.at,
            known: before.copied().collect(),
        };
        // Whoever confirms has been confirmed before, so one pass finds all.
        for confirmation in &self.confirmations {
            let session = sound.get(&confirmation.session);
            let Some(session) = session.filter(|it| it.created_at >= alert.at) else {
                continue;
            };
            let counts = match confirmation.by {
                Confirmer::Session(by) => sound.get(&by).is_some_and(|by| trusted.contains(by)),
                Confirmer::Mailbox => !self.is_mailbox_in_doubt(alert.at, confirmation.at),
            };
            if counts {
                trusted.known.push(session);
            }
        }
        trusted
    }

    /// Returns whether the mailbox of the account at the time `at` may be an intruder's who came at `since`:
    /// whether the e-mail was changed between, or lately before by somebody who is not known to be the owner.
    fn is_mailbox_in_doubt(&self, since: Timestamp, at: Timestamp) -> bool {
        let mut before = self.email_changes.iter().filter(|it| it.at <= at);
        before.any(|change| change.is_doubtful(since))
    }

    /// Returns why a session is in doubt while these alerts are open, if it is.
    fn find_doubt(&self, session: &Session, open: &[Alert]) -> Option<Doubt> {
        let mut sign_ins = open.iter().filter(|alert| alert.kind.is_sign_in());
        match self.is_unconfirmed(session) {
            true => Some(Doubt::OwnSignIn),
            false => sign_ins
                .any(|alert| session.created_at > alert.at && !self.as_of(alert).contains(session))
                .then_some(Doubt::EarlierSignIn),
        }
    }

    /// Returns whether a session is in the network of one from before all of these alerts: nobody is held up
    /// at home, where an intruder rarely is.
    fn is_in_known_network(&self, session: &Session, open: &[Alert]) -> bool {
        let about: Vec<About> = open.iter().map(|alert| self.about(alert)).collect();
        let is_known = |known: &&Session| {
            open.iter().all(|alert| known.created_at <= alert.at)
                && self.is_sound(known)
                && !about.iter().any(|about| about.covers(known))
        };
        let mut known = self.all.iter().filter(is_known);
        known.any(|known| is_same_network(session, known))
    }

    /// Returns whether another session that is live at `now` may answer an alert.
    pub(super) fn has_reviewer(&self, alert: &Alert, except: SessionId, now: Timestamp) -> bool {
        let (about, trusted) = (self.about(alert), self.as_of(alert));
        let mut live = self.all.iter().filter(|session| session.is_live(now));
        live.any(|it| it.id != except && self.may_review_as(it, &about, &trusted))
    }
}

impl WayOn {
    /// Returns the ways to answer one of the open alerts.
    fn find(
        basis: &TrustBasis,
        open: &[Alert],
        (session, now): (&Session, Timestamp),
        links: Links,
    ) -> Self {
        let mut alerts = open.iter();
        let is_reviewed = alerts.any(|it| basis.has_reviewer(it, session.id, now));
        let is_linked = open.iter().any(|alert| links.can_answer(alert));
        match (is_reviewed, is_linked) {
            (true, true) => Self::Either,
            (true, false) => Self::Device,
            (false, true) => Self::Link,
            (false, false) => Self::Nowhere,
        }
    }
}

impl Doubt {
    /// Says why nothing was changed, and how to go on.
    fn describe(self, way: WayOn) -> String {
        let (why, what, there, that) = match self {
            Self::OwnSignIn => (
                "This device signed in recently, and nobody has confirmed it yet.",
                "Confirm it",
                "confirm it there",
                "the sign-in",
            ),
            Self::EarlierSignIn => (
                "This device signed in after something that waits for an answer.",
                "Answer that",
                "answer that there",
                "that",
            ),
        };
        let way = match way {
            WayOn::Either => format!(
                "{what} on a device that you used before, or with the link in the e-mail about it, if you got one."
            ),
            WayOn::Device => format!("{what} on a device that you used before."),
            WayOn::Link => format!(
                "{what} with the link in the e-mail about it, if you got one; otherwise this has to wait until 7 days after {that}."
            ),
            WayOn::Nowhere => format!(
                "Sign in on a device that you used before, and {there}; otherwise this has to wait until 7 days after {that}."
            ),
        };
        format!("Nothing was changed. {why} {way}")
    }
}

impl Trusted<'_> {
    /// Returns whether a session is trusted.
    pub(super) fn contains(&self, session: &Session) -> bool {
        let is_known =
            |known: &&Session| known.id == session.id || is_on_known_device(session, known);
        session.created_at < self.since || self.known.iter().any(is_known)
    }
}

/// Lists the open alerts that put a device in doubt: those about sign-ins, for as long as the link in a message
/// about one works, so that an owner who has lost their other devices is not held up for longer. Once the
/// password was set by a link, whoever signs in has had that link, and what was before doubts nobody.
fn list_grounds(c: &mut AnyConnection, owner: UserId, now: Timestamp) -> Result<Vec<Alert>> {
    let mut open = alerts::list_open(c, owner, now)?;
    open.retain(|alert| alert.kind.is_sign_in() && alert.at > now - LINK_LIFETIME);
    if open.is_empty() {
        return Ok(open);
    }
    let is_reported = |alert: &Alert| matches!(alert.review(), Some((AlertReview::Reported, _)));
    let changes = alerts::store::list_of_kind(c, owner, AlertKind::PasswordChanged)?;
    let mut by_link = changes.iter().filter(|it| it.session_id.is_none());
    if let Some(last) = by_link.find(|it| !is_reported(it)) {
        open.retain(|alert| alert.at > last.at);
    }
    Ok(open)
}

impl Accounts {
    /// Verifies that the caller's device is not in doubt, for what destroys or hides the evidence of an alert:
    /// somebody who has just signed in with the password of another person passes every step-up. While there
    /// is no open alert about a sign-in, nobody is in doubt, nor is anybody in the network of a device from
    /// before it.
    ///
    /// # Errors
    /// [`Error::UnconfirmedDevice`] when its own sign-in waits for an answer, or one that it came after.
    pub async fn require_confirmed(&self, caller: &Caller) -> Result<()> {
        self.require(caller, |_, _| false).await
    }

    /// Verifies that the caller may name the device of a session of theirs: their own in any case, unless
    /// others use its id as well.
    ///
    /// # Errors
    /// As [`Accounts::require_confirmed`]; [`Error::NotFound`] when they have no such session.
    pub async fn require_may_rename(&self, caller: &Caller, id: SessionId) -> Result<()> {
        let target = self.sessions.get(caller.user.id, id).await?;
        let here = caller.session.clone();
        self.require(caller, move |basis, open| {
            let is_others = |other: &&Session| {
                other.is_on_device_of(&target) && basis.find_doubt(other, open).is_none()
            };
            target.is_on_device_of(&here) && !basis.all.iter().any(|it| is_others(&it))
        })
        .await
    }

    /// Verifies that the caller's device is not in doubt, or that what they do is allowed all the same.
    async fn require(
        &self,
        caller: &Caller,
        is_allowed: impl FnOnce(&TrustBasis, &[Alert]) -> bool + Send + 'static,
    ) -> Result<()> {
        let now = self.clock.now();
        let links = self.links(&caller.user, now);
        let session = caller.session_here();
        self.db
            .read(move |c| {
                let open = list_grounds(c, session.user_id, now)?;
                if open.is_empty() {
                    return Ok(());
                }
                let basis = TrustBasis::load(c, session.user_id, &open, Some(&session))?;
                let Some(doubt) = basis.find_doubt(&session, &open) else {
                    return Ok(());
                };
                if basis.is_in_known_network(&session, &open) || is_allowed(&basis, &open) {
                    return Ok(());
                }
                let way = WayOn::find(&basis, &open, (&session, now), links);
                Err(Error::UnconfirmedDevice(doubt.describe(way)))
            })
            .await
    }
}
