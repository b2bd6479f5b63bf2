//! Trust: which of a person's sessions count as theirs as of an alert. Those from before it do, and those on
//! their devices; besides, those whose own sign-in was confirmed since from one that does, or by the mailbox
//! of the account. So an intruder can't confirm themself, and what the owner has confirmed stays.

use std::collections::{HashMap, HashSet};

use super::about::{About, list_unconfirmed};
use crate::alerts::{self, Alert, Confirmation, Confirmer, EmailChange};
use crate::clock::Timestamp;
use crate::db::{AlertId, AnyConnection, SessionId, UserId};
use crate::error::{Error, Result};
use crate::sessions::{self, Session, is_on_known_device, is_same_network, list_on_reported};

/// What trust is worked out from.
pub(super) struct TrustBasis {
    /// The person's recent sessions.
    pub(super) all: Vec<Session>,
    /// Those that were reported, or are the subject of an open alert about a sign-in.
    doubtful: HashSet<SessionId>,
    /// Those that open alerts about sign-ins are about.
    unconfirmed: HashSet<SessionId>,
    /// Those that are in doubt, and why.
    in_doubt: HashMap<SessionId, Doubt>,
    /// Who confirmed which sign-in, in the order of the confirmations.
    confirmations: Vec<Confirmation>,
    /// The latest changes of the e-mail, newest first.
    pub(super) email_changes: Vec<EmailChange>,
}

/// The sessions that are trusted as of an alert.
pub(super) struct Trusted<'a> {
    since: Timestamp,
    known: Vec<&'a Session>,
}

/// Why a session is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Its own sign-in is the subject of an open alert.
    OwnSignIn,
    /// It was created after the sign-in of an open alert.
    EarlierSignIn,
}

impl TrustBasis {
    /// Loads the recent sessions of `owner`, with `here` as it is, while these alerts are open.
    pub(super) fn load(
        c: &mut AnyConnection,
        owner: UserId,
        open: &[Alert],
        here: Option<&Session>,
    ) -> Result<Self> {
        let first = open.iter().map(|alert| alert.at).min();
        Self::load_since(c, (owner, first), open, here)
    }

    /// Loads as [`TrustBasis::load`] does, with the sessions from before `first`, however many there are since.
    pub(super) fn load_since(
        c: &mut AnyConnection,
        (owner, first): (UserId, Option<Timestamp>),
        open: &[Alert],
        here: Option<&Session>,
    ) -> Result<Self> {
        let mut all = sessions::store::list_compared(c, owner, None, first)?;
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
        let email_changes = match open.is_empty() && !confirmations.iter().any(is_by_mailbox) {
            true => Vec::new(),
            false => alerts::store::list_email_changes(c, owner)?,
        };
        let mut basis = Self {
            all,
            doubtful,
            unconfirmed,
            in_doubt: HashMap::new(),
            confirmations,
            email_changes,
        };
        basis.in_doubt = basis.list_in_doubt(open);
        Ok(basis)
    }

    /// Lists the sessions that are in doubt while these alerts are open, and why.
    fn list_in_doubt(&self, open: &[Alert]) -> HashMap<SessionId, Doubt> {
        let sign_ins = open.iter().filter(|alert| alert.kind.is_sign_in());
        let trusted: Vec<Trusted> = sign_ins.map(|alert| self.as_of(alert)).collect();
        let is_after = |session: &Session| {
            let mut earlier = trusted.iter().filter(|it| session.created_at > it.since);
            earlier.any(|trusted| !trusted.contains(session))
        };
        let find = |session: &Session| match self.is_unconfirmed(session) {
            true => Some(Doubt::OwnSignIn),
            false => is_after(session).then_some(Doubt::EarlierSignIn),
        };
        let found = self.all.iter().filter_map(|it| Some((it.id, find(it)?)));
        found.collect()
    }

    /// Returns whether a session neither was reported nor is the subject of an open alert about a sign-in.
    pub(super) fn is_sound(&self, session: &Session) -> bool {
        !self.doubtful.contains(&session.id)
    }

    /// Returns whether an open alert about a sign-in is about the device of a session.
    pub(super) fn is_unconfirmed(&self, session: &Session) -> bool {
        self.unconfirmed.contains(&session.id)
    }

    /// Returns whether a session may answer an alert: one that is trusted as of that, that it is not about, and
    /// that is not in doubt for any alert.
    pub(super) fn may_review(&self, session: &Session, alert: &Alert) -> bool {
        self.may_review_as(session, &self.about(alert), &self.as_of(alert))
    }

    /// Returns whether a session was not reported, and is trusted as of an alert.
    pub(super) fn is_owners_as_of(&self, session: &Session, alert: &Alert) -> bool {
        self.is_sound(session) && self.as_of(alert).contains(session)
    }

    /// Returns whether the password is known to nobody but the person since this change of it, of all who came with a
    /// reported alert or after it: it came after that, was made in a session that is trusted as of it or by the
    /// person's mailbox, and nobody else has signed in since.
    pub(super) fn is_new_since(&self, change: &Alert, alert: &Alert) -> bool {
        let mut by = (self.all.iter()).filter(|it| change.session_id == Some(it.id));
        let mut since = self.all.iter().filter(|it| it.created_at >= change.at);
        let is_owners = match change.session_id {
            Some(_) => by.any(|it| self.is_owners_as_of(it, alert)),
            None => !self.is_mailbox_in_doubt(alert.at, change.at),
        };
        change.at > alert.at && is_owners && since.all(|it| self.is_owners_as_of(it, alert))
    }

    fn may_review_as(&self, session: &Session, about: &About, trusted: &Trusted) -> bool {
        self.find_doubt(session).is_none() && self.is_owners(session, about, trusted)
    }

    fn is_owners(&self, session: &Session, about: &About, trusted: &Trusted) -> bool {
        self.is_sound(session) && !about.covers(session) && trusted.contains(session)
    }

    /// Returns what an alert is about.
    pub(super) fn about<'a>(&'a self, alert: &'a Alert) -> About<'a> {
        let is_sound = |it: &Session| self.is_sound(it) && !self.is_unconfirmed(it);
        About::new(alert, &self.all, is_sound)
    }

    /// Lists the sessions that are in doubt.
    pub(super) fn list_doubts(&self) -> HashSet<SessionId> {
        self.in_doubt.keys().copied().collect()
    }

    /// Returns whether a session is in doubt.
    pub(super) fn is_in_doubt(&self, session: &Session) -> bool {
        self.find_doubt(session).is_some()
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
    /// whether the e-mail was changed between, or lately before by somebody who is not known to be the owner, and no
    /// administrator has changed it after that.
    fn is_mailbox_in_doubt(&self, since: Timestamp, at: Timestamp) -> bool {
        let before = self.email_changes.iter().filter(|it| it.at <= at);
        let mut last = before.take_while(|change| !change.is_administered);
        last.any(|change| change.is_doubtful(since))
    }

    /// Returns whether the account had its e-mail at the time `at` from somebody who may have come with one of
    /// these alerts about sign-ins: from a change since, that nobody who is trusted as of it has made or confirmed.
    pub(super) fn is_mailbox_doubtful(&self, open: &[Alert], at: Timestamp) -> bool {
        let mut before = self.email_changes.iter().filter(|it| it.at <= at);
        let Some(last) = before.next().filter(|last| !last.is_administered) else {
            return false;
        };
        let is_owners = |alert: &Alert| {
            let (about, trusted) = (self.about(alert), self.as_of(alert));
            let mut its = self
                .all
                .iter()
                .filter(|session| [last.session, last.confirmed_by].contains(&Some(session.id)));
            its.any(|session| self.is_owners(session, &about, &trusted))
        };
        let mut sign_ins = open.iter().filter(|alert| alert.kind.is_sign_in());
        sign_ins.any(|alert| last.at >= alert.at && !is_owners(alert))
    }

    /// Returns why a session is in doubt, if it is.
    pub(super) fn find_doubt(&self, session: &Session) -> Option<Doubt> {
        self.in_doubt.get(&session.id).copied()
    }

    /// Returns whether a session is in the network of one from before all of these alerts: nobody is held up
    /// at home, where an intruder rarely is.
    pub(super) fn is_in_known_network(&self, session: &Session, open: &[Alert]) -> bool {
        let is_known = |known: &&Session| {
            self.is_sound(known) && open.iter().all(|alert| known.created_at <= alert.at)
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

impl Trusted<'_> {
    /// Returns whether a session is trusted.
    pub(super) fn contains(&self, session: &Session) -> bool {
        let is_known =
            |known: &&Session| known.id == session.id || is_on_known_device(session, known);
        session.created_at < self.since || self.known.iter().any(is_known)
    }
}

/// Returns an open alert of the person of the session `here`, as a part of a transaction in which the person is
/// locked. Whoever answers it may have been signed out since they were found.
///
/// # Errors
/// [`Error::Unauthenticated`] when the session has ended; [`Error::NotFound`] when it may not review the alert.
pub(super) fn get_reviewable(
    c: &mut AnyConnection,
    here: &Session,
    id: AlertId,
    now: Timestamp,
) -> Result<Alert> {
    let owner = here.user_id;
    sessions::store::lock_one_live(c, owner, here.id, now)?;
    let mut open = alerts::list_open(c, owner, now)?;
    let basis = TrustBasis::load(c, owner, &open, Some(here))?;
    open.retain(|alert| alert.id == id && basis.may_review(here, alert));
    open.pop().ok_or(Error::NotFound)
}

/// Returns whether the mailbox of the account may be somebody's who has come with an alert about a sign-in that
/// waits for an answer.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(super) fn is_mailbox_doubtful(
    c: &mut AnyConnection,
    owner: UserId,
    now: Timestamp,
) -> Result<bool> {
    let open = alerts::list_open(c, owner, now)?;
    match open.iter().any(|alert| alert.kind.is_sign_in()) {
        true => {
            let basis = TrustBasis::load(c, owner, &open, None)?;
            Ok(basis.is_mailbox_doubtful(&open, now))
        }
        false => Ok(false),
    }
}
