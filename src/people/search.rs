//! Finds people for administrators, newest first. A text is searched first through the indexes, for
//! what begins with it; then by reading people in bounded chunks, for what contains it. A search
//! that would read more than [`MAX_SCANNED`] people stops there, and can be continued.

use std::collections::HashSet;

use super::People;
use super::cursor::{Part, PeopleCursor, is_beyond};
use super::filter::{PeopleFilter, SearchText};
use super::store::search::{self as store, Candidate, Driver, Scan};
use super::store::{self as people_store, User};
use super::values::{AccountState, EmailState, Role};
use crate::db::{AnyConnection, UserId};
use crate::error::Result;
use crate::listing::{MatchCount, Page, Way};

/// People whom one search reads at most.
const MAX_SCANNED: usize = 50_000;
/// People whom one statement reads at most.
const MAX_CHUNK: usize = 5_000;
/// People who are read to count them, at most.
const MAX_COUNTED: usize = 10_000;
/// People who are found by how something begins at most. Where there are more, each is found in
/// their turn.
const MAX_PREFIXED: usize = 200;

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
#[derive(Debug, Default)]
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
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn search(&self, query: PeopleQuery) -> Result<PeoplePage> {
        self.db
            .search(move |c| {
                if let Some(id) = query.filter.text.as_ref().and_then(SearchText::id) {
                    return find_by_id(c, &query.filter, id);
                }
                let prefixed = list_prefixed(c, &query.filter)?;
                Search::new(&query, prefixed).run(c)
            })
            .await
    }
}

impl People {
    /// Counts the people whom a filter finds: at least so many, where more than 10,000 would have to be
    /// read.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn count_found(&self, filter: PeopleFilter) -> Result<MatchCount> {
        self.db.search(move |c| count_found(c, &filter)).await
    }
}

/// A search under way.
struct Search<'a> {
    filter: &'a PeopleFilter,
    cursor: Option<PeopleCursor>,
    limit: usize,
    /// Whom the indexes found, newest first.
    prefixed: Vec<UserId>,
    found: Vec<(Part, UserId)>,
    /// The last person read, where the search stopped before the page was full.
    stopped_at: Option<UserId>,
}

impl<'a> Search<'a> {
    fn new(query: &'a PeopleQuery, prefixed: Vec<UserId>) -> Self {
        Self {
            filter: &query.filter,
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
        self.cursor
            .is_none_or(|cursor| is_beyond(cursor, (part, id)))
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
        let (part, id) = cursor.key;
        Some(match (part, cursor.way) {
            (Part::Prefixed, Way::After | Way::From) => Scan::FromNewest,
            (Part::Prefixed, Way::Before | Way::UpTo) => return None,
            (Part::Scanned, Way::After) => Scan::OlderThan(id),
            (Part::Scanned, Way::From) => Scan::OlderFrom(id),
            (Part::Scanned, Way::Before) => Scan::NewerThan(id),
            (Part::Scanned, Way::UpTo) => Scan::NewerFrom(id),
        })
    }

    fn finish(mut self, c: &mut AnyConnection) -> Result<PeoplePage> {
        let has_more = self.is_full();
        self.found.truncate(self.limit);
        let further = match (self.found.last(), self.stopped_at) {
            (Some(last), _) if has_more => Some(*last),
            (_, Some(id)) => Some((Part::Scanned, id)),
            _ => None,
        };
        let page = Page::new(self.found, self.cursor.as_ref(), further, |place| *place);
        let ids: Vec<UserId> = page.items.iter().map(|(_, id)| *id).collect();
        let mut people = store::list(c, &ids)?;
        people.sort_by_key(|user| ids.iter().position(|id| *id == user.id));
        Ok(PeoplePage {
            people,
            next: page.next,
            previous: page.previous,
            is_partial: self.stopped_at.is_some(),
        })
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
    let by_each = store::list_by_prefix(c, text.as_str(), MAX_PREFIXED as i64 + 1)?;
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

fn count_found(c: &mut AnyConnection, filter: &PeopleFilter) -> Result<MatchCount> {
    if let Some(id) = filter.text.as_ref().and_then(SearchText::id) {
        let found = find_by_id(c, filter, id)?.people.len();
        return Ok(MatchCount::up_to(MAX_COUNTED, found));
    }
    let (mut read, mut found, mut from) = (0, 0, Scan::FromNewest);
    while read < MAX_COUNTED {
        let people = store::scan(c, filter.driver(), from, MAX_CHUNK as i64)?;
        found += people.iter().filter(|person| filter.admits(person)).count();
        read += people.len();
        match people.last().filter(|_| people.len() == MAX_CHUNK) {
            Some(last) => from = Scan::OlderThan(last.id),
            None => return Ok(MatchCount::of(found as u64, true)),
        }
    }
    let prefixed = list_prefixed(c, filter)?.len();
    Ok(MatchCount::of(found.max(prefixed) as u64, false))
}
