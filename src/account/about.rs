//! What an alert is about, among a person's sessions: its session, and what else is on that one's device.
//! Whoever signs in states the id of their device, and every session of a person can read the ids of the
//! others. So an alert about a sign-in is not about the person's own sessions of that device: those from
//! before it in another network and country, and later ones in the network of such a one or, unless it signed in
//! in a browser itself, in the browser of such a one.

use std::collections::HashSet;

use crate::alerts::Alert;
use crate::db::SessionId;
use crate::sessions::{
    Session, are_in_browser, is_from_before_elsewhere, is_same_device, is_same_network,
};

/// What an alert is about.
pub(super) struct About<'a> {
    alert: &'a Alert,
    subject: Option<&'a Session>,
    /// The person's own sessions of the device, from before the alert.
    own: Vec<&'a Session>,
}

impl<'a> About<'a> {
    /// Returns what `alert` is about among the sessions `all`. Only those that are sound can be the person's
    /// own.
    pub(super) fn new(
        alert: &'a Alert,
        all: &'a [Session],
        is_sound: impl Fn(&Session) -> bool,
    ) -> Self {
        let subject = all.iter().find(|it| alert.session_id == Some(it.id));
        let is_own = |session: &&Session| {
            subject.is_some_and(|subject| is_same_device(subject, session))
                && is_from_before_elsewhere(session, alert)
                && is_sound(session)
        };
        Self {
            alert,
            subject,
            own: all.iter().filter(is_own).collect(),
        }
    }

    /// Returns whether the alert is about a session.
    pub(super) fn covers(&self, session: &Session) -> bool {
        let is_own = |own: &&Session| {
            let is_later = session.created_at > self.alert.at;
            let is_there = || is_same_network(own, session) || self.is_in_own_browser(own, session);
            own.id == session.id || (is_later && is_there())
        };
        let is_on_device = |subject: &Session| is_same_device(subject, session);
        self.is_subject(session)
            || (self.subject.is_some_and(is_on_device) && !self.own.iter().any(is_own))
    }

    /// Returns whether the alert is about a sign-in, and a session only is on the device of that, where it
    /// was before.
    pub(super) fn is_before(&self, session: &Session) -> bool {
        self.alert.kind.is_sign_in()
            && !self.is_subject(session)
            && session.created_at < self.alert.at
    }

    /// Returns whether a session is in the browser of one of the person's own, of which the sign-in can't have
    /// had a copy, since it was not in a browser.
    fn is_in_own_browser(&self, own: &Session, session: &Session) -> bool {
        let is_copy = self.subject.is_none_or(|it| are_in_browser(it, own));
        !is_copy && are_in_browser(own, session)
    }

    fn is_subject(&self, session: &Session) -> bool {
        self.alert.session_id == Some(session.id)
    }
}

/// Lists those of the sessions `all` that the open alerts about sign-ins among `open` are about. Only those
/// that are sound can be the person's own.
pub(super) fn list_unconfirmed(
    all: &[Session],
    open: &[Alert],
    is_sound: impl Fn(&Session) -> bool,
) -> HashSet<SessionId> {
    let mut sign_ins: Vec<&Alert> = open.iter().filter(|it| it.kind.is_sign_in()).collect();
    // What an earlier one is about is not the person's own as of a later one.
    sign_ins.sort_by_key(|alert| alert.at);
    let mut unconfirmed = HashSet::new();
    for alert in sign_ins {
        let is_sound = |it: &Session| is_sound(it) && !unconfirmed.contains(&it.id);
        let about = About::new(alert, all, is_sound);
        let its: Vec<SessionId> = all
            .iter()
            .filter(|session| about.covers(session))
            .map(|session| session.id)
            .collect();
        unconfirmed.extend(its);
    }
    unconfirmed
}
