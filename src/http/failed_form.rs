//! Forms that failed. A page that answers a form itself has no address: *Back* and a reload ask whether to
//! send the form again. So a browser that navigates is redirected to the page of the form, which shows what
//! was typed and what was wrong with it from a sealed cookie ([`shown`]). The id in the address says which
//! form that is, so that another tab's is not shown, nor that of a link.
//!
//! It is shown to the same person in the same browser alone, for eleven minutes, and changes
//! nothing. Passwords are never stored. Whatever does not navigate, has no cookies, or does not
//! fit into a cookie, gets the answer itself.

use std::rc::Rc;

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpRequest, web};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::browser;
use super::cookies::OwnCookie;
use super::stored_form::{FormCookie, is_own_form, received_fields};
use super::target::{is_local, local_path, page_of_form};
use super::way_back::{page_behind, page_of_request};
use crate::db::UserId;
use crate::text;

/// The part of an address that says which form its page shows.
const PARAMETER: &str = "failed";
/// The cookie: proxies take 8 kB of cookies, of which one may be an unsent form.
const COOKIE: FormCookie = FormCookie {
    cookie: OwnCookie::FailedForm,
    max_age: CookieDuration::minutes(11),
    max_bytes: 2_000,
};
/// Random bytes of an id.
const ID_BYTES: usize = 16;
/// The fields that are not stored, besides passwords.
const LEFT_OUT: [&str; 3] = ["csrf", "ticket", "username"];
/// The page for step-up, whose form contains another one.
const STEP_UP: &str = "/confirm";
/// The field of that page with the path that the form in it is posted to.
pub(super) const ACT: &str = "act";
/// The field of that page with the page to go to instead.
pub(super) const LEAVE: &str = "leave";
/// The field of a form with what is typed to confirm an act, which is to be typed anew.
const TYPED: &str = "typed";

/// What is wrong with a field of a form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Problem {
    /// The id of the field on the page.
    pub field: String,
    /// Its label.
    pub label: String,
    /// What is wrong: "is too long".
    pub message: String,
}

/// What went wrong with a form.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Failure {
    /// What is wrong with its fields.
    pub(super) problems: Vec<Problem>,
    /// Why it was refused as a whole, which the layout says.
    pub(super) refusal: Option<String>,
    /// Whether a throttle refused it.
    pub(super) is_throttled: bool,
    /// Why it was refused, which its page says.
    pub(super) words: Option<String>,
    /// The error, which has a page of its own.
    pub(super) error: Option<ShownError>,
}

/// What the page of an error says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ShownError {
    pub(super) status: u16,
    pub(super) title: String,
    pub(super) detail: String,
    /// Where to go from there: a path and its name.
    pub(super) link: (String, String),
}

/// A form that failed, as the cookie has it.
#[derive(Debug, Serialize, Deserialize)]
pub struct FailedForm {
    id: String,
    /// The person who was signed in.
    user: Option<UserId>,
    /// The path of the page that shows it.
    page: String,
    /// The path that it was posted to.
    sent_to: String,
    /// The address that the history of the browser has in place of that page's.
    pub(super) behind: Option<String>,
    fields: Vec<(String, String)>,
    pub(super) failure: Failure,
}

impl FailedForm {
    /// Returns what was typed into a field.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the form as the type of it that its handler reads, if its passwords need not be there.
    #[must_use]
    pub fn parse<T: DeserializeOwned>(&self) -> Option<T> {
        let text = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.fields)
            .finish();
        let parsed = web::Query::<T>::from_query(&text).ok();
        parsed.map(web::Query::into_inner)
    }

    /// Returns the fields in their order.
    #[must_use]
    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// Returns whether a throttle refused it.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.failure.is_throttled
    }

    /// Returns the path that it was posted to.
    #[must_use]
    pub fn sent_to(&self) -> &str {
        &self.sent_to
    }

    /// Returns the address to go to instead of the page for step-up: the page of the form in that has what was
    /// typed into it.
    pub(super) fn leave_address(&self) -> String {
        let (path, query) = split(local_path(self.value(LEAVE)));
        let id = self.is_unsent_on(path).then_some(self.id.as_str());
        address(path, query, id)
    }

    /// Returns whether it was posted to the page for step-up, and the page at `path` has the form in it.
    fn is_unsent_on(&self, path: &str) -> bool {
        let act = self.value(ACT).filter(|_| self.page == STEP_UP);
        act.is_some_and(|act| page_of_form(split(act).0) == path)
    }

    /// Returns the form in the page for step-up, as if it had not been sent.
    fn unsent(mut self) -> Self {
        let act = self.value(ACT).unwrap_or_default();
        self.sent_to = split(act).0.to_owned();
        self.fields.retain(|(name, _)| name != TYPED);
        Self {
            behind: None,
            failure: Failure::default(),
            ..self
        }
    }
}

/// The form that the page of a request shows, once it was looked for.
struct Shown(Option<Rc<FailedForm>>);

/// That the response to a request is a redirect to the page of its form, which failed.
struct HasFailed;

/// Returns the form that the page of `request` is to show, if there is one.
#[must_use]
pub fn shown(request: &HttpRequest) -> Option<Rc<FailedForm>> {
    let known = request.extensions().get::<Shown>().map(|it| it.0.clone());
    if let Some(known) = known {
        return known;
    }
    let found = find(request).map(Rc::new);
    request.extensions_mut().insert(Shown(found.clone()));
    found
}

fn find(request: &HttpRequest) -> Option<FailedForm> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let id = id_in(request)?;
    let user = browser::session_claim(request).ok()?.map(|it| it.user);
    let stored = stored(request).filter(|it| it.id == id && it.user == user)?;
    match request.path() {
        path if stored.page == path => Some(stored),
        path if stored.is_unsent_on(path) => Some(stored.unsent()),
        _ => None,
    }
}

/// Returns whether the address of `request` names a form, which may be shown by now or not.
#[must_use]
pub fn is_named(request: &HttpRequest) -> bool {
    id_in(request).is_some()
}

/// Returns the page at the address of a request that names a form which is not to be shown, or not any more:
/// the same without its name.
pub(super) fn page_without(request: &HttpRequest) -> Option<String> {
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD);
    // That for step-up leads on by itself.
    let is_void = is_page && is_named(request) && request.path() != STEP_UP;
    (is_void && shown(request).is_none())
        .then(|| address(request.path(), request.query_string(), None))
        .filter(|page| is_local(page))
}

/// Returns whether the browser says that a form was sent from a page at the path that it is posted to.
#[must_use]
pub fn is_from_page(request: &HttpRequest) -> bool {
    let page = page_of_request(request);
    page.split('?').next() == Some(request.path())
}

/// Returns whether a part of an address is the name of a form, which the page has no use for.
#[must_use]
pub fn is_name_of_form(part: &str) -> bool {
    part == PARAMETER
}

/// Splits an address into its path and its query.
fn split(address: &str) -> (&str, &str) {
    address.split_once('?').unwrap_or((address, ""))
}

/// Returns the address of a page that shows the form with this id, or none.
fn address(path: &str, query: &str, id: Option<&str>) -> String {
    let others = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != PARAMETER);
    let id = id.map(|id| (PARAMETER.into(), id.into()));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(others.chain(id))
        .finish();
    match query.as_str() {
        "" => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

fn id_in(request: &HttpRequest) -> Option<String> {
    let mut parts = form_urlencoded::parse(request.query_string().as_bytes());
    let found = parts.find(|(name, _)| name == PARAMETER);
    found.map(|(_, id)| id.into_owned())
}

/// Stores the form of `request`, which failed. Returns the address of the page that shows it; `None` where
/// the response is to be the page itself.
pub(super) fn store(request: &HttpRequest, failure: Failure) -> Option<String> {
    if !is_navigation(request) {
        return None;
    }
    let fields = received_fields(request)?;
    let page = match request.path() {
        STEP_UP => step_up_page(&fields),
        _ => page_of(request),
    };
    put(request, &page, fields, failure)
}

/// Stores the error of `request`. Returns the address that shows it, as [`store`] does.
pub(super) fn store_error(request: &HttpRequest, error: ShownError) -> Option<String> {
    let failure = Failure {
        error: Some(error),
        ..Failure::default()
    };
    is_navigation(request)
        .then(|| put(request, &page_of(request), Vec::new(), failure))
        .flatten()
}

/// Stores a form that step-up interrupted, with the field of the page to go to instead. Returns the address
/// of the page that asks for the password, as [`store`] does.
pub(super) fn store_interrupted(
    request: &HttpRequest,
    fields: Vec<(String, String)>,
) -> Option<String> {
    let page = step_up_page(&fields);
    is_navigation(request)
        .then(|| put(request, &page, fields, Failure::default()))
        .flatten()
}

/// Returns whether the response to a request is a redirect to the page of its form, which failed.
pub(super) fn has_failed(request: &HttpRequest) -> bool {
    request.extensions().contains::<HasFailed>()
}

/// Removes the stored form once it was sent again, and something else followed.
pub(super) fn forget_sent(request: &HttpRequest, status: StatusCode) {
    let is_done = status.is_success() || status.is_redirection();
    if *request.method() != Method::POST || !is_done {
        return;
    }
    if stored(request).is_some_and(|stored| stored.sent_to == request.path()) {
        forget(request);
    }
}

/// Removes the stored form.
pub(super) fn forget(request: &HttpRequest) {
    // The response is not worse without it.
    let _ = COOKIE.remove(request);
}

/// Returns whether a page of ours sent a form in a browser that shows the response as a page and has our
/// cookies, as far as it states that.
fn is_navigation(request: &HttpRequest) -> bool {
    let mode = request.headers().get("sec-fetch-mode");
    is_own_form(request) && mode.is_some_and(|mode| mode == "navigate")
}

/// Returns the page of the form of a request, with the query that it had.
fn page_of(request: &HttpRequest) -> String {
    let page = page_of_request(request);
    match (page.contains('?'), request.query_string()) {
        (true, _) | (_, "") => page,
        (false, query) => format!("{page}?{query}"),
    }
}

/// Returns the address of the page for step-up. Once there is nothing to confirm, it leads to where one would
/// have gone instead.
fn step_up_page(fields: &[(String, String)]) -> String {
    let has_act = fields.iter().any(|(name, _)| name == ACT);
    let name = if has_act { LEAVE } else { "next" };
    let value = fields.iter().find(|(field, _)| field == name);
    let value = value.map_or("", |(_, value)| value);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair(name, value)
        .finish();
    format!("{STEP_UP}?{query}")
}

fn put(
    request: &HttpRequest,
    page: &str,
    mut fields: Vec<(String, String)>,
    failure: Failure,
) -> Option<String> {
    let is_secret = |name: &str| name.contains("password");
    // What the password was asked for would not be whole without its own.
    let is_step_up = page.starts_with(STEP_UP);
    let is_of_act = |(name, value): &(String, String)| {
        name != "password" && is_secret(name) && !value.is_empty()
    };
    if is_step_up && fields.iter().any(is_of_act) {
        return None;
    }
    fields.retain(|(name, _)| !is_secret(name) && !LEFT_OUT.contains(&name.as_str()));
    let (path, query) = split(page);
    let form = FailedForm {
        id: text::random::<ID_BYTES>().ok()?,
        user: browser::session_claim(request).ok()?.map(|it| it.user),
        page: path.to_owned(),
        sent_to: request.path().to_owned(),
        behind: page_behind(request),
        fields,
        failure,
    };
    if !COOKIE.store(request, &form).ok()? {
        return None;
    }
    request.extensions_mut().insert(HasFailed);
    Some(address(path, query, Some(&form.id)))
}

/// Returns the form that was stored in this browser lately.
fn stored(request: &HttpRequest) -> Option<FailedForm> {
    COOKIE.find(request).ok()?
}
