//! The table of the page: its heads, its rows, and the way to other pages.

use url::form_urlencoded;

use super::query::{PATH, RequestedList, list_url};
use crate::pages::admin::back::{self, Back, List};
use crate::pages::admin::pager::{Neighbours, Pager, Progress};
use crate::pages::admin::quantity;
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
    /// Whether there is a filter besides the state.
    pub(super) is_filtered: bool,
    /// The order in words: "Newest use first".
    pub(super) order: &'static str,
    pub(super) pager: Pager,
    /// The addresses of the exports: what they are, and where.
    pub(super) exports: [(&'static str, String); 2],
    /// What ends sessions, for an administrator whose list may have live ones.
    pub(super) ending: Option<Ending>,
}

/// What the form that ends sessions has besides the ticked ones.
pub(super) struct Ending {
    /// The filter's parts, and the way back.
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
    /// The address of its page.
    pub(super) href: String,
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
    fn new(found: &FoundSession, viewer: &Viewer<'_>, back: &Back) -> Self {
        let FoundSession { session, owner } = found;
        let Viewer {
            caller,
            names,
            reader,
        } = viewer;
        let (label, name) = (session.label(), session.display_name());
        let kind = words::kind(session.device_kind);
        Self {
            id: session.id.to_string(),
            href: back.from(format!("{PATH}/{}", session.id)),
            is_live: session.is_live(reader.clock.now),
            is_current: session.id == caller.session.id,
            owner: OwnerView::new(owner, names, back),
            detail: match label == name {
                true => kind.into(),
                false => format!("{label} · {kind}"),
            },
            device: name,
            marks: words::marks(session),
            place: place(session, owner, reader),
            address: address(session.ip_address.as_deref(), owner),
            last_used: TimeView::ago(session.last_used_at, reader.clock),
            signed_in: TimeView::ago(session.created_at, reader.clock),
            end: EndView::new(session, names.ended_by(session.id), reader.clock)
                .with_event(names.end_of(session.id)),
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
        let here = requested.here();
        let back = Back::here(&here, List::Sessions);
        let order = words::order(requested.sort);
        let words = match page.found.len() as u64 {
            0 => order.to_owned(),
            n => format!("{order} · {} on this page", quantity::number(n)),
        };
        Self {
            count: match (page.found.len() as u64, count) {
                // Counting stopped before it came to more than the page has.
                (found, MatchCount::About(n)) if found > 0 && n <= found => match found {
                    1 => "At least 1 session matches".into(),
                    _ => format!("At least {} sessions match", quantity::number(found)),
                },
                _ => words::matching_sessions(count),
            },
            heads: heads(requested),
            is_filtered: SessionFilter::default()
                != SessionFilter {
                    state: None,
                    ..requested.filter.clone()
                },
            rows: page
                .found
                .iter()
                .map(|found| Row::new(found, viewer, &back))
                .collect(),
            order,
            pager: Pager::new(
                words,
                neighbours(page, requested),
                progress(page, requested),
            ),
            exports: exports(requested),
            ending: ending(requested, count, viewer.caller, &here),
        }
    }
}

fn neighbours(page: &SearchPage, requested: &RequestedList) -> Neighbours {
    let url = |cursor: Option<SearchCursor>| cursor.map(|cursor| requested.url_at(&cursor));
    Neighbours {
        next: url(page.next),
        previous: url(page.previous),
        newest_first: requested.sort.descending,
    }
}

fn progress(page: &SearchPage, requested: &RequestedList) -> Progress {
    match (page.is_partial, requested.cursor) {
        (false, _) => Progress::Whole,
        (true, Some(cursor)) if cursor.is_backward() => Progress::StoppedBackward,
        (true, _) => Progress::StoppedForward,
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
fn ending(
    requested: &RequestedList,
    count: MatchCount,
    caller: &Caller,
    here: &str,
) -> Option<Ending> {
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
    let way_back = (back::NAME, here.to_owned());
    Some(Ending {
        fields: filter.to_pairs().into_iter().chain([way_back]).collect(),
        all: match (state, count) {
            (StateFilter::Live, MatchCount::Exactly(1)) => "End the one that matches…".into(),
            (StateFilter::Live, MatchCount::About(0)) => "End all that match…".into(),
            (StateFilter::Live, count) => format!("End all {} that match…", words::matches(count)),
            _ => "End all that match…".into(),
        },
    })
}
