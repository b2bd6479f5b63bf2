//! What sessions are filtered and sorted by: the same names in addresses of pages, in the API, on the
//! command line and in bulk jobs.

use strum::{EnumString, IntoStaticStr, VariantNames};

use super::checks::{kind_name, reversed};
use crate::clock::Timestamp;
use crate::error::{Error, FieldError, Result};
use crate::geo::country_name;
use crate::listing::{ListKey, TimeBound, one_of, read_parts, short};
use crate::net::IpFilter;
use crate::sessions::values::EndedReason;
use crate::text;
use crate::user_agent::DeviceKind;

/// Which sessions, by their state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum StateFilter {
    /// Those that are live.
    Live,
    /// Those that are marked as ended.
    Ended,
    /// All of them.
    Any,
}

/// What may be unusual about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Mark {
    /// It was used in another country than that of the sign-in.
    CountryChanged,
    /// Impossible travel was recorded of it.
    ImpossibleTravel,
}

/// Whether sessions are bound to their browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum BoundFilter {
    /// They are.
    Yes,
    /// They are not.
    No,
}

/// Which sessions of all people's; those that satisfy every part that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// The e-mail or the id of their owner.
    pub user: Option<String>,
    /// Their state. Without it, those with a reason are the ended ones, and all others the live ones:
    /// see [`SessionFilter::state`].
    pub state: Option<StateFilter>,
    /// Why they ended.
    pub reason: Option<EndedReason>,
    /// The kind of their device.
    pub kind: Option<DeviceKind>,
    /// Their browser, ignoring case: "firefox".
    pub browser: Option<String>,
    /// Their operating system, ignoring case: "windows".
    pub os: Option<String>,
    /// The English name of the country where they were last used, ignoring case.
    pub country: Option<String>,
    /// The address, or its network, where they were last used.
    pub ip: Option<IpFilter>,
    /// The name or the id of the application that authenticates their owner.
    pub application: Option<String>,
    /// What is unusual about them.
    pub mark: Option<Mark>,
    /// Whether they are bound to their browser.
    pub bound: Option<BoundFilter>,
    /// They were signed in at this time or later.
    pub opened_from: Option<TimeBound>,
    /// They were signed in before this time.
    pub opened_to: Option<TimeBound>,
    /// They were last used at this time or later.
    pub used_from: Option<TimeBound>,
    /// They were last used before this time.
    pub used_to: Option<TimeBound>,
    /// A text in the e-mail, the name or the subject of their owner or in the name of their device,
    /// ignoring case.
    pub q: Option<String>,
}

impl SessionFilter {
    /// The names of its parts, in the order in which [`Self::to_pairs`] returns them.
    pub const NAMES: [&str; 16] = [
        "user",
        "state",
        "reason",
        "kind",
        "browser",
        "os",
        "country",
        "ip",
        "application",
        "mark",
        "bound",
        "opened_from",
        "opened_to",
        "used_from",
        "used_to",
        "q",
    ];

    /// Parses named parts, such as the query of an address. Empty values say nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every part that is unknown, given twice or not as it must be.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut filter = Self::default();
        read_parts(pairs, &Self::NAMES, |name, value| filter.set(name, value))?;
        filter.verify()?;
        Ok(filter)
    }

    /// Parses named parts as [`Self::parse`], for an order: a part without a value is refused, since
    /// without it the order would be for more sessions.
    ///
    /// # Errors
    /// As [`Self::parse`]; [`Error::Invalid`] with every part that has no value.
    pub fn parse_order<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let pairs: Vec<_> = pairs.into_iter().collect();
        let is_empty = |(_, value): &&(&str, &str)| text::clean(value).is_empty();
        let empty = pairs.iter().filter(is_empty);
        let errors: Vec<_> = empty
            .map(|(name, _)| FieldError::new(*name, "has no value"))
            .collect();
        match errors.is_empty() {
            true => Self::parse(pairs),
            false => Err(Error::Invalid(errors)),
        }
    }

    /// Verifies that no part contradicts another one, so that a session can match both.
    ///
    /// # Errors
    /// [`Error::Invalid`] with each part that does.
    pub(crate) fn verify(&self) -> Result<()> {
        let mut found = reversed([
            ("opened_to", self.opened_from, self.opened_to),
            ("used_to", self.used_from, self.used_to),
        ]);
        if self.state == Some(StateFilter::Live) && self.reason.is_some() {
            let message = "is why a session ended, and only live ones are asked for";
            found.push(FieldError::new("reason", message));
        }
        match found.is_empty() {
            true => Ok(()),
            false => Err(Error::Invalid(found)),
        }
    }

    /// Sets a part; a name that is not one of [`Self::NAMES`] sets nothing.
    pub(super) fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "user" => self.user = Some(short(value)?),
            "state" => self.state = Some(one_of(&value, StateFilter::VARIANTS)?),
            "reason" => self.reason = Some(one_of(&value, EndedReason::VARIANTS)?),
            "kind" => self.kind = Some(one_of(kind_name(&value), DeviceKind::VARIANTS)?),
            "browser" => self.browser = Some(short(value)?),
            "os" => self.os = Some(short(value)?),
            "country" => {
                let name = country_name(&value).map(str::to_owned);
                self.country = Some(name.map_or_else(|| short(value), Ok)?);
            }
            "ip" => self.ip = Some(value.parse().map_err(|err| message(&err))?),
            "application" => self.application = Some(short(value)?),
            "mark" => self.mark = Some(one_of(&value, Mark::VARIANTS)?),
            "bound" => self.bound = Some(one_of(&value, BoundFilter::VARIANTS)?),
            "opened_from" => self.opened_from = Some(value.parse()?),
            "opened_to" => self.opened_to = Some(value.parse()?),
            "used_from" => self.used_from = Some(value.parse()?),
            "used_to" => self.used_to = Some(value.parse()?),
            "q" => self.q = Some(short(value)?),
            _ => {}
        }
        Ok(())
    }

    /// Returns the key of the list of these sessions in an order, which its cursors are bound to.
    pub(super) fn list_key(&self, sort: SessionSort) -> ListKey {
        let mut parts = self.to_pairs();
        parts.push(("sort", sort.to_string()));
        ListKey::new("sessions", &parts)
    }

    /// Returns its parts by their names, which [`Self::parse`] reads.
    #[must_use]
    pub fn to_pairs(&self) -> Vec<(&'static str, String)> {
        let word = |value: Option<&'static str>| value.map(str::to_owned);
        let time = |bound: Option<TimeBound>| bound.map(|bound| bound.to_string());
        let values = [
            self.user.clone(),
            word(self.state.map(Into::into)),
            word(self.reason.map(Into::into)),
            word(self.kind.map(DeviceKind::as_str)),
            self.browser.clone(),
            self.os.clone(),
            self.country.clone(),
            self.ip.map(|ip| ip.to_string()),
            self.application.clone(),
            word(self.mark.map(Into::into)),
            word(self.bound.map(Into::into)),
            time(self.opened_from),
            time(self.opened_to),
            time(self.used_from),
            time(self.used_to),
            self.q.clone(),
        ];
        let named = Self::NAMES.into_iter().zip(values);
        named
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// Returns the state of the sessions: what the filter says, else that of sessions with a reason.
    #[must_use]
    pub fn state(&self) -> StateFilter {
        let implied = match self.reason {
            Some(_) => StateFilter::Ended,
            None => StateFilter::Live,
        };
        self.state.unwrap_or(implied)
    }

    /// Returns the filter as it is at `now`: spans before now are times.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        let fixed = |bound: Option<TimeBound>| bound.map(|at| TimeBound::At(at.resolve(now)));
        Self {
            opened_from: fixed(self.opened_from),
            opened_to: fixed(self.opened_to),
            used_from: fixed(self.used_from),
            used_to: fixed(self.used_to),
            ..self.clone()
        }
    }
}

/// What sessions are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SortKey {
    /// The last use, to ten minutes.
    Used,
    /// The sign-in.
    Opened,
    /// The end, of ended sessions.
    Ended,
}

/// The order of a list: by a key, and sessions with the same one by their ids in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionSort {
    /// The key.
    pub key: SortKey,
    /// Whether the latest is first.
    pub descending: bool,
}

impl SessionSort {
    /// Returns the order of a list where none was chosen: the latest use first, and of ended sessions
    /// the latest end.
    #[must_use]
    pub fn default_for(state: StateFilter) -> Self {
        let key = match state {
            StateFilter::Ended => SortKey::Ended,
            StateFilter::Live | StateFilter::Any => SortKey::Used,
        };
        Self {
            key,
            descending: true,
        }
    }

    /// Parses `used`, `opened` or `ended`, with a `-` in front for the latest first. An empty text is
    /// no choice.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is none of these, or sorts by their end sessions that have none.
    pub fn parse(text: &str, state: StateFilter) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::default_for(state));
        }
        let (descending, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text),
        };
        let key = name.parse().map_err(|_| {
            Error::field(
                "sort",
                "must be one of used, opened, ended, with a - in front for the latest first",
            )
        })?;
        if key == SortKey::Ended && state != StateFilter::Ended {
            return Err(Error::field("sort", "by ended goes with state=ended only"));
        }
        Ok(Self { key, descending })
    }
}

impl std::fmt::Display for SessionSort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key: &'static str = self.key.into();
        f.write_str(if self.descending { "-" } else { "" })?;
        f.write_str(key)
    }
}

/// Returns the message of an error about one field.
fn message(err: &Error) -> String {
    match err {
        Error::Invalid(fields) => fields.iter().map(|field| field.message.as_str()).collect(),
        err => err.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_what_its_parts_say() {
        let pairs = [
            ("user", "ada@example.org"),
            ("state", "any"),
            ("reason", "reuse_detected"),
            ("kind", "desktop"),
            ("browser", "firefox"),
            ("os", "Windows"),
            ("country", "no"),
            ("ip", "203.0.113.9/24"),
            ("application", "shop"),
            ("mark", "country_changed"),
            ("bound", "yes"),
            ("opened_from", "2026-11-01"),
            ("opened_to", "2026-11-02T10:00:00Z"),
            ("used_from", "90d"),
            ("used_to", "1h 30m"),
            ("q", " ada  "),
        ];
        let filter = SessionFilter::parse(pairs).unwrap();
        assert_eq!(filter.country.as_deref(), Some("Norway"));
        assert_eq!(filter.q.as_deref(), Some("ada"));
        let shown = filter.to_pairs();
        assert_eq!(shown.len(), SessionFilter::NAMES.len());
        let again = shown.iter().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(SessionFilter::parse(again).unwrap(), filter);
    }

    #[test]
    fn every_wrong_part_is_named() {
        let pairs = [
            ("colour", "red"),
            ("state", "dead"),
            ("ip", "here"),
            ("used_from", "soon"),
            ("kind", ""),
            ("q", "a"),
            ("q", "b"),
        ];
        let Err(Error::Invalid(errors)) = SessionFilter::parse(pairs) else {
            panic!("it was accepted");
        };
        let fields: Vec<_> = errors.iter().map(|err| err.field.as_str()).collect();
        assert_eq!(fields, ["colour", "state", "ip", "used_from", "q"]);
    }

    #[test]
    fn a_list_of_live_sessions_is_not_sorted_by_their_end() {
        assert!(SessionSort::parse("-ended", StateFilter::Live).is_err());
        let sort = SessionSort::parse("opened", StateFilter::Live).unwrap();
        assert_eq!(sort.to_string(), "opened");
        assert_eq!(
            SessionSort::parse("", StateFilter::Ended)
                .unwrap()
                .to_string(),
            "-ended"
        );
    }
}
