//! The table of the page: its heads, its rows, and the way to other pages.

use url::form_urlencoded;

use super::query::{PATH, RequestedList, list_url};
use crate::pages::admin::session_views::{EndView, Names, OwnerView, address, place};
use crate::pages::admin::session_words as words;
use crate::pages::views::Reader;
use crate::pages::words::TimeView;
use crate::people::Role;
use crate::sessions::Caller;
use crate::sessions::search::{
    FoundSession, MatchCount, SearchCursor, SearchPage, SessionFilter, SessionSort, SortKey,
    StateFilter,
};

/// The list of a page.
pub(super) struct ListView {
    /// How many sessions match: "8,412 sessions match".
    pub(super) count: String,
    pub(super) heads: Vec<Head>,
    pub(super) rows: Vec<Row>,
    /// The order in words: "Newest use first".
    pub(super) order: &'static str,
    pub(super) newer: Option<String>,
    pub(super) older: Option<String>,
    /// The address at which a search that took too long goes on.
    pub(super) rest: Option<String>,
    /// The addresses of the exports: what they are, and where.
    pub(super) exports: [(&'static str, String); 2],
    /// What ends sessions, for an administrator whose list may have live ones.
    pub(super) ending: Option<Ending>,
}

/// What the form that ends sessions has besides the ticked ones.
pub(super) struct Ending {
    /// The filter's parts.
    pub(super) fields: Vec<(&'static str, String)>,
    /// The words of the button that ends all that match.
    pub(super) all: String,
}

/// The head of a column.
pub(super) struct Head {
    pub(super) words: &'static str,
    /// The address of the list sorted by it, if it can be.
    pub(super) href: Option<String>,
    /// Its `aria-sort`, where the list is sorted by it.
    pub(super) sorted: Option<&'static str>,
}

/// A session.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) is_live: bool,
    pub(super) is_current: bool,
    pub(super) owner: OwnerView,
    pub(super) device: String,
    /// Its label where its owner gave it another name, and its kind.
    pub(super) detail: String,
    pub(super) marks: Vec<&'static str>,
    pub(super) place: Option<String>,
    pub(super) address: Option<String>,
    pub(super) last_used: TimeView,
    pub(super) signed_in: TimeView,
    pub(super) end: EndView,
}

impl Row {
    fn new(found: &FoundSession, caller: &Caller, names: &Names, reader: &Reader) -> Self {
        let FoundSession { session, owner } = found;
        let (label, name) = (session.label(), session.display_name());
        let kind = words::kind(session.device_kind);
        Self {
            id: session.id.to_string(),
            is_live: session.is_live(reader.now),
            is_current: session.id == caller.session.id,
            owner: OwnerView::new(owner, names),
            detail: match label == name {
                true => kind.into(),
                false => format!("{label} · {kind}"),
            },
            device: name,
            marks: words::marks(session),
            place: place(session, owner, reader),
            address: address(session.ip_address.as_deref(), owner),
            last_used: TimeView::ago(session.last_used_at, reader.now),
            signed_in: TimeView::ago(session.created_at, reader.now),
            end: EndView::new(session, names.ended_by(session.id), reader.now),
        }
    }
}

/// Who reads a list, and the names in it.
pub(super) struct Viewer<'a> {
    pub(super) caller: &'a Caller,
    pub(super) names: &'a Names,
    pub(super) reader: &'a Reader,
}

impl ListView {
    /// Returns the list of a page of a search.
    pub(super) fn new(
        page: &SearchPage,
        requested: &RequestedList,
        count: MatchCount,
        viewer: &Viewer<'_>,
    ) -> Self {
        let Viewer {
            caller,
            names,
            reader,
        } = viewer;
        let url = |cursor: Option<SearchCursor>| cursor.map(|cursor| requested.url_at(&cursor));
        let (next, previous) = (url(page.next), url(page.previous));
        let progress = match (page.is_partial, requested.cursor) {
            (false, _) => Progress::Whole,
            (true, Some(cursor)) if cursor.is_backward() => Progress::StoppedBackward,
            (true, _) => Progress::StoppedForward,
        };
        let ways = Ways::new(next, previous, progress, requested.sort);
        Self {
            count: words::matching_sessions(count),
            heads: heads(requested),
            rows: page
                .found
                .iter()
                .map(|found| Row::new(found, caller, names, reader))
                .collect(),
            order: words::order(requested.sort),
            newer: ways.newer,
            older: ways.older,
            rest: ways.rest,
            exports: exports(requested),
            ending: ending(requested, count, caller),
        }
    }
}

/// How far the search for a page came.
#[derive(Clone, Copy)]
enum Progress {
    Whole,
    /// It took too long on the way to a next page.
    StoppedForward,
    /// It took too long on the way to a previous page.
    StoppedBackward,
}

/// The ways from a page.
struct Ways<T> {
    newer: Option<T>,
    older: Option<T>,
    /// Where a search that took too long goes on.
    rest: Option<T>,
}

impl<T> Ways<T> {
    fn new(next: Option<T>, previous: Option<T>, progress: Progress, sort: SessionSort) -> Self {
        let (next, previous, rest) = match progress {
            Progress::Whole => (next, previous, None),
            Progress::StoppedForward => (None, previous, next),
            Progress::StoppedBackward => (next, None, previous),
        };
        let (newer, older) = match sort.descending {
            true => (previous, next),
            false => (next, previous),
        };
        Self { newer, older, rest }
    }
}

fn heads(requested: &RequestedList) -> Vec<Head> {
    let RequestedList { filter, sort, .. } = requested;
    let plain = |words| Head {
        words,
        href: None,
        sorted: None,
    };
    let sortable = |words, key| {
        let is_sorted = sort.key == key;
        let turned = SessionSort {
            key,
            descending: !(is_sorted && sort.descending),
        };
        Head {
            words,
            href: Some(list_url(filter, turned, None)),
            sorted: is_sorted.then_some(match sort.descending {
                true => "descending",
                false => "ascending",
            }),
        }
    };
    vec![
        plain("Person"),
        plain("Device"),
        plain("Where"),
        sortable("Last active", SortKey::Used),
        sortable("Signed in", SortKey::Opened),
        match filter.state() {
            StateFilter::Live => plain("Ends"),
            StateFilter::Ended => sortable("Ended", SortKey::Ended),
            StateFilter::Any => plain("End"),
        },
    ]
}

/// Returns the addresses of the exports of all that match.
fn exports(requested: &RequestedList) -> [(&'static str, String); 2] {
    let sort = requested.sort.to_string();
    let export = |words, format| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("format", format)
            .extend_pairs(requested.filter.to_pairs())
            .append_pair("sort", &sort)
            .finish();
        (words, format!("{PATH}/export?{query}"))
    };
    [export("CSV", "csv"), export("JSON Lines", "jsonl")]
}

/// Returns what ends the sessions of a list, for an administrator, where some may be live.
fn ending(requested: &RequestedList, count: MatchCount, caller: &Caller) -> Option<Ending> {
    let state = requested.filter.state();
    let only_ended = state == StateFilter::Ended || requested.filter.reason.is_some();
    if caller.user.role() != Role::Admin || only_ended {
        return None;
    }
    // The state is there in any case: a filter without parts would be one that somebody forgot.
    let filter = SessionFilter {
        state: Some(state),
        ..requested.filter.clone()
    };
    Some(Ending {
        fields: filter.to_pairs(),
        all: match (state, count) {
            (StateFilter::Live, MatchCount::Exactly(1)) => "End the one that matches…".into(),
            (StateFilter::Live, count) => format!("End all {} that match…", words::matches(count)),
            _ => "End all that match…".into(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_took_too_long_goes_on_the_way_it_went() {
        let ways = |progress, descending| {
            let key = SortKey::Used;
            let ways = Ways::new(
                Some("n"),
                Some("p"),
                progress,
                SessionSort { key, descending },
            );
            [ways.newer, ways.older, ways.rest]
        };
        let (n, p) = (Some("n"), Some("p"));
        assert_eq!(ways(Progress::Whole, true), [p, n, None]);
        assert_eq!(ways(Progress::Whole, false), [n, p, None]);
        assert_eq!(ways(Progress::StoppedForward, true), [p, None, n]);
        assert_eq!(ways(Progress::StoppedForward, false), [None, p, n]);
        assert_eq!(ways(Progress::StoppedBackward, true), [None, n, p]);
        assert_eq!(ways(Progress::StoppedBackward, false), [n, None, p]);
    }
}
