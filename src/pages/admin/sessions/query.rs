//! The query of the page: the filter, the order and the position in the list.

use url::form_urlencoded;

use crate::error::{Error, FieldError, Result};
use crate::sessions::search::{
    SearchCursor, SessionFilter, SessionSort, SortKey, StateFilter, format_terms, parse_terms,
};

/// The path of the page.
pub(super) const PATH: &str = "/admin/sessions";
/// The names besides those of the filter.
const OWN_NAMES: [&str; 3] = ["search", "sort", "cursor"];

/// The query, parsed.
pub(super) struct ListQuery {
    /// The parts of the filter and the order, as they were sent.
    typed: Vec<(String, String)>,
    /// The text of the search box, if it was sent.
    search: Option<String>,
    /// Whether the address is the page's own: without the search box, and without empty fields.
    is_canonical: bool,
    /// What it requests, or what is wrong with it.
    pub(super) requested: Result<RequestedList, Vec<FieldError>>,
}

/// The list that a query requests.
#[derive(Clone)]
pub(super) struct RequestedList {
    pub(super) filter: SessionFilter,
    pub(super) sort: SessionSort,
    pub(super) cursor: Option<SearchCursor>,
}

impl ListQuery {
    /// Parses the query of an address.
    pub(super) fn parse(query: &str) -> Self {
        let sent: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let (own, typed): (Vec<_>, Vec<_>) = sent
            .iter()
            .filter(|(_, value)| !value.trim().is_empty())
            .cloned()
            .partition(|(name, _)| OWN_NAMES.contains(&name.as_str()));
        let find = |name: &str| own.iter().find(|(own, _)| own == name);
        let value = |name: &str| find(name).map(|(_, value)| value.clone());
        let search = value("search");
        let requested = requested(&own, &typed);
        let sort = find("sort").cloned();
        Self {
            is_canonical: sent.len() == own.len() + typed.len() && search.is_none(),
            typed: typed.into_iter().chain(sort).collect(),
            search,
            requested,
        }
    }

    /// Returns the page's own address, if the query is correct and has another one.
    pub(super) fn redirect(&self) -> Option<String> {
        let requested = self.requested.as_ref().ok()?;
        let has_other_sort = !self.field("sort").is_empty() && self.chosen_sort().is_empty();
        (!self.is_canonical || has_other_sort).then(|| requested.url())
    }

    /// Returns the order that was chosen: as it was sent, if nothing is listed; empty for none.
    pub(super) fn chosen_sort(&self) -> String {
        match &self.requested {
            Ok(requested) => requested.chosen_sort().unwrap_or_default(),
            Err(_) => self.field("sort"),
        }
    }

    /// Returns the state of the sessions that are listed or, if none are, that was sent.
    pub(super) fn state(&self) -> StateFilter {
        let sent = || match self.field("reason").is_empty() {
            true => self.field("state").parse().ok(),
            false => Some(StateFilter::Ended),
        };
        match &self.requested {
            Ok(requested) => requested.filter.state(),
            Err(_) => sent().unwrap_or(StateFilter::Live),
        }
    }

    /// Returns whether the search box was used.
    pub(super) fn has_search(&self) -> bool {
        self.search.is_some()
    }

    /// Returns the text of the search box: as it was typed, else what the filter is.
    pub(super) fn search_text(&self) -> String {
        let typed = self.search.clone();
        typed.unwrap_or_else(|| {
            self.requested.as_ref().map_or_else(
                |_| String::new(),
                |requested| format_terms(&requested.filter),
            )
        })
    }

    /// Returns the value of a field of the plain form: as it was sent, or empty.
    pub(super) fn field(&self, name: &str) -> String {
        let sent = self.typed.iter().find(|(sent, _)| sent == name);
        sent.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

fn requested(
    own: &[(String, String)],
    typed: &[(String, String)],
) -> Result<RequestedList, Vec<FieldError>> {
    let mut errors = Vec::new();
    for name in OWN_NAMES {
        if own.iter().filter(|(own, _)| own == name).count() > 1 {
            errors.push(FieldError::new(name, "is given twice"));
        }
    }
    let value = |name: &str| {
        let found = own.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    };
    let filter = filter(value("search"), typed, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let sort = sort(value("sort").unwrap_or_default(), filter.state());
    let Some(sort) = collect(sort, &mut errors) else {
        return Err(errors);
    };
    let cursor = SearchCursor::parse(value("cursor").unwrap_or_default(), &filter, sort);
    let cursor = collect(cursor, &mut errors).ok_or(errors)?;
    Ok(RequestedList {
        filter,
        sort,
        cursor,
    })
}

/// Parses the text of the search box, or the parts of the filter.
fn filter(
    search: Option<&str>,
    typed: &[(String, String)],
    errors: &mut Vec<FieldError>,
) -> SessionFilter {
    const BESIDE: &str = "can’t stand beside the text of the search box";

    let pairs = typed
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let filter = match search {
        Some(search) => {
            errors.extend(typed.iter().map(|(name, _)| FieldError::new(name, BESIDE)));
            parse_terms(search)
        }
        None => SessionFilter::parse(pairs),
    };
    collect(filter, errors).unwrap_or_default()
}

/// Parses the order. One by the end is left out where another state was chosen meanwhile: the search
/// box and the form send it along.
fn sort(text: &str, state: StateFilter) -> Result<SessionSort> {
    match SessionSort::parse(text, StateFilter::Ended) {
        Ok(sort) if sort.key == SortKey::Ended && state != StateFilter::Ended => {
            Ok(SessionSort::default_for(state))
        }
        _ => SessionSort::parse(text, state),
    }
}

/// Returns the value, or adds what is wrong with it.
fn collect<T>(result: Result<T>, errors: &mut Vec<FieldError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(Error::Invalid(fields)) => {
            errors.extend(fields);
            None
        }
        Err(err) => {
            errors.push(FieldError::new("query", err.to_string()));
            None
        }
    }
}

impl RequestedList {
    /// Returns the address of its first page.
    pub(super) fn url(&self) -> String {
        list_url(&self.filter, self.sort, None)
    }

    /// Returns the address of this page.
    pub(super) fn here(&self) -> String {
        list_url(&self.filter, self.sort, self.cursor.as_ref())
    }

    /// Returns the order, if it is another than the list has without a choice.
    fn chosen_sort(&self) -> Option<String> {
        let default = SessionSort::default_for(self.filter.state());
        (self.sort != default).then(|| self.sort.to_string())
    }

    /// Returns the address of the page at `cursor`.
    pub(super) fn url_at(&self, cursor: &SearchCursor) -> String {
        list_url(&self.filter, self.sort, Some(cursor))
    }
}

/// Returns the address of a list of sessions. The order that a list has without a choice is left out.
pub(super) fn list_url(
    filter: &SessionFilter,
    sort: SessionSort,
    cursor: Option<&SearchCursor>,
) -> String {
    let chosen = (sort != SessionSort::default_for(filter.state())).then(|| sort.to_string());
    let cursor = cursor.map(|cursor| cursor.encode(filter, sort));
    let own = [("sort", chosen), ("cursor", cursor)];
    let own = own
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let pairs = filter.to_pairs().into_iter().chain(own);
    match form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
    {
        query if query.is_empty() => PATH.into(),
        query => format!("{PATH}?{query}"),
    }
}
