//! Forms that failed. A page that answers a form itself has no address: *Back* and a reload ask whether to
//! send the form again. So a browser that navigates is redirected to the page of the form, which shows what
//! was typed and what was wrong with it from a sealed cookie ([`shown`]). The id in the address says which
//! form that is, so that another tab's is not shown, nor that of a link.
//!
//! It is shown to the same person in the same browser alone, for eleven minutes, and changes
//! nothing. Passwords are never stored. Whatever does not navigate, has no cookies, or does not
//! fit into a cookie, gets the answer itself.

use std::rc::Rc;
use std::time::Duration;

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpRequest, web};
use futures_util::FutureExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::app_state::app_state;
use super::body::SharedBody;
use super::browser;
use super::cookies::{self, OwnCookie};
use super::form_origin::FormOrigin;
use super::received_cookies::ReceivedCookies;
use super::target::is_local;
use super::way_back::{page_behind, page_of_request};
use crate::clock::Timestamp;
use crate::db::UserId;
use crate::text;

/// The part of an address that says which form its page shows.
const PARAMETER: &str = "failed";
/// How long a form is shown.
const LIFETIME: Duration = MAX_AGE.unsigned_abs();
const MAX_AGE: CookieDuration = CookieDuration::minutes(11);
/// The most bytes of a stored form: proxies take 8 kB of cookies, of which one may be an unsent form.
const MAX_BYTES: usize = 2_000;
/// Random bytes of an id.
const ID_BYTES: usize = 16;
/// The fields that are not stored, besides passwords.
const LEFT_OUT: [&str; 3] = ["csrf", "ticket", "username"];
/// The page for step-up, whose form contains another one.
const STEP_UP: &str = "/confirm";
/// The field of that page with the page to go to instead.
pub(super) const LEAVE: &str = "leave";

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
    /// When it was stored, in microseconds since the Unix epoch.
    at: i64,
    /// The browser's device id: in another browser a copy of the cookie is void.
    device: String,
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
    let stored = stored(request)?;
    let is_it = stored.id == id && stored.page == request.path();
    let user = browser::session_claim(request).ok()?.map(|it| it.user);
    (is_it && stored.user == user).then_some(stored)
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
    let fields = submitted(request)?;
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
    if stored(request).is_some_and(|stored| stored.sent_to == request.path())
        && let Ok(app) = app_state(request)
    {
        cookies::remove(request, &app.cookies, OwnCookie::FailedForm);
    }
}

/// Returns whether a page of ours sent a form in a browser that shows the response as a page and has our
/// cookies, as far as it states that.
fn is_navigation(request: &HttpRequest) -> bool {
    let mode = request.headers().get("sec-fetch-mode");
    *request.method() == Method::POST
        && mode.is_some_and(|mode| mode == "navigate")
        && FormOrigin::from_request(request) == FormOrigin::Own
        && !browser::is_without_device_cookie(request)
}

/// Returns the fields of the form in the body of a request, which was received.
fn submitted(request: &HttpRequest) -> Option<Vec<(String, String)>> {
    let body = request.extensions().get::<SharedBody>()?.clone();
    let body = body.now_or_never()?.ok()?;
    Some(form_urlencoded::parse(&body).into_owned().collect())
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
    let has_act = fields.iter().any(|(name, _)| name == "act");
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
    let app = app_state(request).ok()?;
    let (path, query) = page.split_once('?').unwrap_or((page, ""));
    let form = FailedForm {
        id: text::random::<ID_BYTES>().ok()?,
        at: app.clock.now().timestamp_micros(),
        device: browser::device_id(request).ok()?.as_str().to_owned(),
        user: browser::session_claim(request).ok()?.map(|it| it.user),
        page: path.to_owned(),
        sent_to: request.path().to_owned(),
        behind: page_behind(request),
        fields,
        failure,
    };
    let content = serde_json::to_string(&form).ok()?;
    if content.len() > MAX_BYTES {
        return None;
    }
    let cookie = app.cookies.build(OwnCookie::FailedForm, content);
    let sealed = app.form_seal.seal(cookie.max_age(MAX_AGE).finish());
    cookies::add(request, sealed);
    request.extensions_mut().insert(HasFailed);
    Some(address(path, query, Some(&form.id)))
}

/// Returns the form that was stored in this browser lately.
fn stored(request: &HttpRequest) -> Option<FailedForm> {
    let app = app_state(request).ok()?;
    let device = browser::device_id(request).ok()?;
    let name = app.cookies.name(OwnCookie::FailedForm);
    let received = ReceivedCookies::of(request);
    let opened = received
        .first_values(OwnCookie::FailedForm)
        .iter()
        .filter_map(|value| app.form_seal.open_received(name, value))
        .find_map(|cookie| serde_json::from_str::<FailedForm>(cookie.value()).ok());
    opened.filter(|stored| {
        let at = Timestamp::from_micros(stored.at);
        let is_recent = at.is_some_and(|at| app.clock.now().since(at) < LIFETIME);
        is_recent && stored.device == device.as_str()
    })
}
