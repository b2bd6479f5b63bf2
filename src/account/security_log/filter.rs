//! What the security log is filtered by: the same names in addresses of pages, in the API and on the
//! command line.

use std::fmt::Display;
use std::str::FromStr;

use strum::VariantNames;

use crate::clock::Timestamp;
use crate::db::{JobId, SessionId};
use crate::error::{Error, Result};
use crate::events::EventKinds;
use crate::listing::{ListKey, TimeBound, one_of, read_parts, short};
use crate::net::IpFilter;
use crate::sessions::EndedReason;

/// Which events of all people's; those that satisfy every part that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// The e-mail or the id of the person on whom.
    pub user: Option<String>,
    /// The e-mail or the id of the person by whom.
    pub by: Option<String>,
    /// The name or the id of the application by whose key.
    pub application: Option<String>,
    /// What happened: one kind of events, or a group of kinds.
    pub kind: Option<EventKinds>,
    /// Why the session ended: events of an end alone have it.
    pub reason: Option<EndedReason>,
    /// On which session.
    pub session: Option<SessionId>,
    /// By which bulk job.
    pub job: Option<JobId>,
    /// The address, or its network, that it was done from.
    pub ip: Option<IpFilter>,
    /// At this time or later, to the millisecond.
    pub from: Option<TimeBound>,
    /// Before this time, to the millisecond.
    pub to: Option<TimeBound>,
    /// A text in the detail or in the stated reason, ignoring case (on SQLite, of ASCII letters).
    pub q: Option<String>,
}

impl EventFilter {
    /// The names of its parts, in the order in which [`Self::to_pairs`] returns them.
    pub const NAMES: [&str; 11] = [
        "user",
        "by",
        "application",
        "kind",
        "reason",
        "session",
        "job",
        "ip",
        "from",
        "to",
        "q",
    ];

    /// Parses named parts, such as the query of an address. Empty values say nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every part that is unknown, given twice or not as it must be.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut filter = Self::default();
        read_parts(pairs, &Self::NAMES, |name, value| filter.set(name, value))?;
        filter.check()?;
        Ok(filter)
    }

    /// Checks whether its parts can be true together.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the range of time is over before it begins.
    pub fn check(&self) -> Result<()> {
        match TimeBound::check_range("to", (self.from, self.to)) {
            None => Ok(()),
            Some(reversed) => Err(Error::Invalid(vec![reversed])),
        }
    }

    /// Sets a part; a name that is not one of [`Self::NAMES`] sets nothing.
    ///
    /// # Errors
    /// A message when the value is not valid.
    pub fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "user" => self.user = Some(short(value)?),
            "by" => self.by = Some(short(value)?),
            "application" => self.application = Some(short(value)?),
            "kind" => self.kind = Some(one_of(&value, &EventKinds::names())?),
            "reason" => self.reason = Some(one_of(&value, EndedReason::VARIANTS)?),
            "session" => self.session = Some(id(&value)?),
            "job" => self.job = Some(id(&value)?),
            "ip" => {
                let form = "must be an address or a network, such as 203.0.113.7 or 203.0.113.0/24";
                self.ip = Some(value.parse().map_err(|_| form)?);
            }
            "from" => self.from = Some(value.parse()?),
            "to" => self.to = Some(value.parse()?),
            "q" => self.q = Some(short(value)?),
            _ => {}
        }
        Ok(())
    }

    /// Returns the key of the list of these events, which its cursors are bound to.
    pub(super) fn list_key(&self) -> ListKey {
        ListKey::new("events", &self.to_pairs())
    }

    /// Returns its parts by their names, which [`Self::parse`] reads.
    #[must_use]
    pub fn to_pairs(&self) -> Vec<(&'static str, String)> {
        let values = [
            self.user.clone(),
            self.by.clone(),
            self.application.clone(),
            shown(self.kind),
            shown(self.reason.map(EndedReason::as_str)),
            shown(self.session),
            shown(self.job),
            shown(self.ip),
            shown(self.from),
            shown(self.to),
            self.q.clone(),
        ];
        let named = Self::NAMES.into_iter().zip(values);
        named
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// Returns the filter as it is at `now`: spans before now are times.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        let fixed = |bound: Option<TimeBound>| bound.map(|at| TimeBound::At(at.resolve(now)));
        Self {
            from: fixed(self.from),
            to: fixed(self.to),
            ..self.clone()
        }
    }
}

fn shown(value: Option<impl Display>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn id<T: FromStr>(value: &str) -> Result<T, String> {
    value.parse().map_err(|_| "must be an id".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn a_filter_is_what_its_parts_say() {
        let pairs = [
            ("user", "ada@example.org"),
            ("by", " bob@example.org"),
            ("application", "shop"),
            ("kind", "ended"),
            ("reason", "admin"),
            ("session", "01a226cc-0000-7000-8000-000000000000"),
            ("job", "01a226cc-0000-7000-8000-000000000001"),
            ("ip", "203.0.113.9/24"),
            ("from", "2026-11-01"),
            ("to", "1h"),
            ("q", "stolen"),
        ];
        let filter = EventFilter::parse(pairs).unwrap();
        let parts = filter.to_pairs();
        assert_eq!(parts.len(), EventFilter::NAMES.len());
        let again = parts.iter().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(EventFilter::parse(again).unwrap(), filter);
    }

    #[test]
    fn every_wrong_part_is_named() {
        let long = "x".repeat(256);
        let pairs = [
            ("colour", "red"),
            ("kind", "gone"),
            ("reason", "boredom"),
            ("session", "1"),
            ("ip", "here"),
            ("from", "soon"),
            ("job", ""),
            ("by", "a"),
            ("by", "b"),
            ("q", &long),
        ];
        let Err(Error::Invalid(errors)) = EventFilter::parse(pairs) else {
            panic!("it was accepted");
        };
        let fields: Vec<_> = errors.iter().map(|err| err.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "colour", "kind", "reason", "session", "ip", "from", "by", "q"
            ]
        );
    }
}
