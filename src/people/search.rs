//! Finds people for administrators, newest first. A text is searched first through the indexes, for
//! what begins with it; then by reading people in bounded chunks, for what contains it. A search
//! that would read more than [`MAX_SCANNED`] people stops there, and can be continued.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::People;
use super::cursor::{DIGEST_BYTES, Part, PeopleCursor, Way};
use super::store::search::{self as store, Candidate, Driver, Scan};
use super::store::{self as people_store, User};
use super::values::{AccountState, EmailState, Role};
use crate::db::{AnyConnection, ApplicationId, UserId};
use crate::error::{Error, Result};
use crate::text;

/// People whom one search reads at most.
const MAX_SCANNED: usize = 50_000;
/// People whom one statement reads at most.
const MAX_CHUNK: usize = 5_000;
/// People who are found by how something begins at most. Where there are more, each is found in
/// their turn.
const MAX_PREFIXED: usize = 200;

/// A text that people are searched by: 1 to 255 characters. It is compared ignoring case with the
/// e-mail, the stated e-mail, the name and the subject; a whole id finds its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText(String);

impl SearchText {
    /// Characters that a text may have.
    pub const LIMIT: usize = 255;

    /// Parses a text; `None` when it is empty.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is longer than 255 characters.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let text = text::clean(text).to_lowercase();
        match text.chars().count() {
            0 => Ok(None),
            n if n <= Self::LIMIT => Ok(Some(Self(text))),
            _ => Err(Error::field("q", "must have at most 255 characters")),
        }
    }

    fn id(&self) -> Option<UserId> {
        self.0.parse().ok()
    }

    fn is_in(&self, text: Option<&str>) -> bool {
        text.is_some_and(|text| text.to_lowercase().contains(&self.0))
    }
}

/// Whom to find. What is `None` is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeopleFilter {
    /// What their e-mail, name, subject or id contains or is.
    pub text: Option<SearchText>,
    /// What they may do.
    pub role: Option<Role>,
    /// Whether they can sign in.
    pub state: Option<AccountState>,
    /// The application that authenticates them.
    pub application: Option<ApplicationId>,
    /// Whether their e-mail was verified. People of applications have none that could be.
    pub email: Option<EmailState>,
}

/// A search for people.
#[derive(Debug, Clone)]
pub struct PeopleQuery {
    /// Whom to find.
    pub filter: PeopleFilter,
    /// Where the page begins; `None` for the first.
    pub cursor: Option<PeopleCursor>,
    /// People on the page at most.
    pub limit: u32,
}

/// A page of people, newest first; those in whom something begins with the text come before others.
#[derive(Debug)]
pub struct PeoplePage {
    /// The people.
    pub people: Vec<User>,
    /// Where the next page begins, if there may be one.
    pub next: Option<PeopleCursor>,
    /// Where the page before it ends, if there may be one.
    pub previous: Option<PeopleCursor>,
    /// Whether the search stopped before the page was full; `next` (or `previous`, on the way back)
    /// continues it.
    pub is_partial: bool,
}

impl People {
    /// Searches for people.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the cursor is of another search; [`Error::Unavailable`] when the
    /// database doesn't respond.
    pub async fn search(&self, query: PeopleQuery) -> Result<PeoplePage> {
        let digest = query.filter.digest();
        if query.cursor.is_some_and(|cursor| cursor.digest != digest) {
            return Err(Error::field("cursor", "is of another search"));
        }
        self.db
            .read(move |c| {
                if let Some(id) = query.filter.text.as_ref().and_then(SearchText::id) {
                    return find_by_id(c, &query.filter, id);
                }
                let prefixed = list_prefixed(c, &query.filter)?;
                Search::new(&query, digest, prefixed).run(c)
            })
            .await
    }
}

/// A search under way.
struct Search<'a> {
    filter: &'a PeopleFilter,
    digest: [u8; DIGEST_BYTES],
    cursor: Option<PeopleCursor>,
    limit: usize,
    /// Whom the indexes found, newest first.
    prefixed: Vec<UserId>,
    found: Vec<(Part, UserId)>,
    /// The last person read, where the search stopped before the page was full.
    stopped_at: Option<UserId>,
}

impl<'a> Search<'a> {
    fn new(query: &'a PeopleQuery, digest: [u8; DIGEST_BYTES], prefixed: Vec<UserId>) -> Self {
        Self {
            filter: &query.filter,
            digest,
            cursor: query.cursor,
            limit: query.limit as usize,
            prefixed,
            found: Vec::new(),
            stopped_at: None,
        }
    }

    fn run(mut self, c: &mut AnyConnection) -> Result<PeoplePage> {
        if self.is_forward() {
            self.take_prefixed(self.prefixed.clone());
            self.scan(c)?;
        } else {
            self.scan(c)?;
            if self.stopped_at.is_none() {
                self.take_prefixed(self.prefixed.iter().rev().copied().collect());
            }
        }
        self.finish(c)
    }

    fn is_forward(&self) -> bool {
        self.cursor.is_none_or(|cursor| cursor.is_forward())
    }

    /// Returns whether one more person than the page has was found: then there is another page.
    fn is_full(&self) -> bool {
        self.found.len() > self.limit
    }

    fn admits(&self, part: Part, id: UserId) -> bool {
        self.cursor.is_none_or(|cursor| cursor.admits(part, id))
    }

    fn take_prefixed(&mut self, ids: Vec<UserId>) {
        for id in ids {
            if !self.is_full() && self.admits(Part::Prefixed, id) {
                self.found.push((Part::Prefixed, id));
            }
        }
    }

    /// Reads people from the cursor on, until the page is full, all are read, or enough are.
    fn scan(&mut self, c: &mut AnyConnection) -> Result<()> {
        let Some(mut scan) = self.first_scan() else {
            return Ok(());
        };
        let (driver, is_forward) = (self.filter.driver(), self.is_forward());
        let prefixed: HashSet<UserId> = self.prefixed.iter().copied().collect();
        let (mut read, mut chunk) = (0, (self.limit + 1).min(MAX_CHUNK));
        while !self.is_full() {
            let people = store::scan(c, driver, scan, i64::try_from(chunk).unwrap_or(i64::MAX))?;
            for person in &people {
                let is_other = !prefixed.contains(&person.id);
                if is_other && !self.is_full() && self.filter.admits(person) {
                    self.found.push((Part::Scanned, person.id));
                }
            }
            read += people.len();
            let Some(last) = people.last().filter(|_| people.len() == chunk) else {
                break;
            };
            scan = match is_forward {
                true => Scan::OlderThan(last.id),
                false => Scan::NewerThan(last.id),
            };
            if read >= MAX_SCANNED && !self.is_full() {
                self.stopped_at = Some(last.id);
                break;
            }
            chunk = (chunk * 4).min(MAX_CHUNK);
        }
        Ok(())
    }

    /// Returns where to begin reading; `None` where the cursor is past those who are read.
    fn first_scan(&self) -> Option<Scan> {
        let Some(cursor) = self.cursor else {
            return Some(Scan::FromNewest);
        };
        Some(match (cursor.part, cursor.way) {
            (Part::Prefixed, Way::After | Way::From) => Scan::FromNewest,
            (Part::Prefixed, Way::Before | Way::UpTo) => return None,
            (Part::Scanned, Way::After) => Scan::OlderThan(cursor.id),
            (Part::Scanned, Way::From) => Scan::OlderFrom(cursor.id),
            (Part::Scanned, Way::Before) => Scan::NewerThan(cursor.id),
            (Part::Scanned, Way::UpTo) => Scan::NewerFrom(cursor.id),
        })
    }

    fn finish(mut self, c: &mut AnyConnection) -> Result<PeoplePage> {
        let (is_forward, has_more) = (self.is_forward(), self.is_full());
        self.found.truncate(self.limit);
        let (onward, back) = match is_forward {
            true => (Way::After, Way::Before),
            false => (Way::Before, Way::After),
        };
        let further = match (self.found.last(), self.stopped_at) {
            (Some(last), _) if has_more => Some(self.place(onward, *last)),
            (_, Some(id)) => Some(self.place(onward, (Part::Scanned, id))),
            _ => None,
        };
        let behind = self.cursor.map(|cursor| match self.found.first() {
            Some(first) => self.place(back, *first),
            None => cursor.inverse(),
        });
        if !is_forward {
            self.found.reverse();
        }
        let (next, previous) = match is_forward {
            true => (further, behind),
            false => (behind, further),
        };
        let ids: Vec<UserId> = self.found.iter().map(|(_, id)| *id).collect();
        let mut people = store::list(c, &ids)?;
        people.sort_by_key(|user| ids.iter().position(|id| *id == user.id));
        Ok(PeoplePage {
            people,
            next,
            previous,
            is_partial: self.stopped_at.is_some(),
        })
    }

    fn place(&self, way: Way, (part, id): (Part, UserId)) -> PeopleCursor {
        PeopleCursor {
            digest: self.digest,
            way,
            part,
            id,
        }
    }
}

impl PeopleFilter {
    /// Returns the index through which people are read.
    fn driver(&self) -> Driver {
        match (self.role, self.application, self.state, self.email) {
            (Some(Role::Admin), ..) => Driver::Admins,
            (Some(Role::Auditor), ..) => Driver::Auditors,
            (_, Some(id), ..) => Driver::OfApplication(id),
            (_, _, Some(AccountState::Disabled), _) => Driver::Disabled,
            (_, _, _, Some(EmailState::Unverified)) => Driver::Unverified,
            _ => Driver::Everybody,
        }
    }

    fn admits(&self, person: &Candidate) -> bool {
        let is_named = self.text.as_ref().is_none_or(|text| person.contains(text));
        is_named && self.admits_besides_text(person)
    }

    fn admits_besides_text(&self, person: &Candidate) -> bool {
        let is_of = |id| person.application_id == Some(id);
        self.role.is_none_or(|role| person.role() == role)
            && self.state.is_none_or(|state| person.state() == state)
            && self.application.is_none_or(is_of)
            && self
                .email
                .is_none_or(|email| person.email_state() == Some(email))
    }

    fn digest(&self) -> [u8; DIGEST_BYTES] {
        let text = self.text.as_ref().map(|text| &text.0);
        let rest = (self.role, self.state, self.application, self.email);
        let digest = Sha256::digest(format!("{text:?} {rest:?}"));
        let mut first = [0; DIGEST_BYTES];
        first.copy_from_slice(&digest[..DIGEST_BYTES]);
        first
    }
}

impl Candidate {
    fn contains(&self, text: &SearchText) -> bool {
        // The e-mail of an application's person is made of their id.
        let own = Some(self.email.as_str()).filter(|_| self.external_subject.is_none());
        [
            own,
            self.stated_email.as_deref(),
            self.full_name.as_deref(),
            self.external_subject.as_deref(),
        ]
        .into_iter()
        .any(|value| text.is_in(value))
    }

    fn role(&self) -> Role {
        Role::from_marks(self.is_admin, self.is_auditor)
    }

    fn state(&self) -> AccountState {
        match self.is_active {
            true => AccountState::Active,
            false => AccountState::Disabled,
        }
    }

    fn email_state(&self) -> Option<EmailState> {
        match (&self.external_subject, self.email_verified_at) {
            (Some(_), _) => None,
            (None, Some(_)) => Some(EmailState::Verified),
            (None, None) => Some(EmailState::Unverified),
        }
    }
}

/// Lists whom the indexes find by a text, newest first; nobody where there are too many.
fn list_prefixed(c: &mut AnyConnection, filter: &PeopleFilter) -> Result<Vec<UserId>> {
    let Some(text) = &filter.text else {
        return Ok(Vec::new());
    };
    let by_each = store::list_by_prefix(c, &text.0, MAX_PREFIXED as i64 + 1)?;
    if by_each.iter().any(|people| people.len() > MAX_PREFIXED) {
        return Ok(Vec::new());
    }
    let mut ids: Vec<UserId> = by_each
        .iter()
        .flatten()
        .filter(|person| filter.admits(person))
        .map(|person| person.id)
        .collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.dedup();
    Ok(ids)
}

fn find_by_id(c: &mut AnyConnection, filter: &PeopleFilter, id: UserId) -> Result<PeoplePage> {
    let by_id = store::scan(c, Driver::Everybody, Scan::OlderFrom(id), 1)?;
    let is_it = |person: &&Candidate| person.id == id && filter.admits_besides_text(person);
    let people = match by_id.iter().find(is_it) {
        Some(person) => vec![people_store::get(c, person.id)?],
        None => Vec::new(),
    };
    Ok(PeoplePage {
        people,
        next: None,
        previous: None,
        is_partial: false,
    })
}
