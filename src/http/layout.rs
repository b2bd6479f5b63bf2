//! The layout around every page, and the responses of pages.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use askama::Template;

use super::app_state::app_state;
use super::assets;
use super::caller::{OpenAlerts, Requested};
use super::cookies::OwnCookie;
use super::failed_form::{self, FailedForm, Problem};
use super::form_refusal::refusal;
use super::forms;
use super::notice::{self, AccountNotice, Notice, SignedOutNotice};
use super::reader_clock::{ReaderClock, ZoneSource};
use super::site::SiteLook;
use super::way_back::page_behind;
use crate::db::UserId;
use crate::error::{Error, Failure, Result};
use crate::people::Role;
use crate::sessions::Caller;
use crate::user_agent::ACCEPT_CH;

/// The items of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NavItem {
    /// Your devices.
    Devices,
    /// The account.
    Account,
    /// The administrator's pages.
    Administration,
    /// No item of the navigation.
    None,
}

/// The fields of `base.html`, the layout around a page.
pub struct Layout {
    /// The name and the look of the service.
    pub site: Arc<SiteLook>,
    /// The stylesheet's URL.
    pub css: String,
    /// The script's URL.
    pub script: String,
    /// The icon sprite's URL.
    pub sprite: String,
    /// The favicon's URL.
    pub favicon: String,
    /// The person who is signed in, if any.
    pub signed_in: Option<SignedIn>,
    /// The notice of open alerts, where the page itself doesn't show them.
    pub attention: Option<String>,
    /// The page's item in the navigation.
    pub nav_item: NavItem,
    /// The CSRF token of the page's forms.
    pub csrf: String,
    /// Why the page's form was refused, where it is shown again for that.
    pub refusal: Option<String>,
    /// What is wrong with the page's form, for the summary above it.
    pub problems: Vec<Problem>,
    /// What nothing was, where something is wrong with the page's form: "changed", "created" or "sent".
    pub undone: &'static str,
    /// Whether the page itself says what failed.
    pub is_failed: bool,
    /// The number of open alerts and notices, which the title states.
    pub open_alerts: usize,
    /// What the script of a page of somebody who is signed in requests further changes by.
    pub changes: Option<KnownChanges>,
    /// How the page shows times, if it may have any.
    pub times: Option<PageTimes>,
    /// Where the page answers a form: the address that the history of the browser has in place of the
    /// form's, so that it asks nobody to send that again.
    pub behind: Option<String>,
    /// The form that the page shows again, after a redirect.
    pub failed: Option<Rc<FailedForm>>,
}

/// What a page shows of the changes to its person.
pub struct KnownChanges {
    /// When the request was received, before anything was read for the page, in microseconds since the
    /// Unix epoch.
    pub since: i64,
    /// How many changes shortly before that can have been read for it.
    pub seen: Option<usize>,
    /// The person.
    pub person: UserId,
}

/// How a page shows times, for its foot and its script.
pub struct PageTimes {
    /// The time of the rendering, by RFC 3339.
    pub now: String,
    /// The name of the zone.
    pub zone: &'static str,
    /// What the page says of the zone.
    pub words: String,
    /// The name of the cookie in which the script stores the browser's zone.
    pub cookie: String,
}

/// A person who is signed in, for the header of the page.
pub struct SignedIn {
    /// The name to call the person by.
    pub name: String,
    /// Whether they may see the administrator's pages.
    pub is_auditor: bool,
}

impl Layout {
    /// Returns the layout of a page for a person who is signed in.
    ///
    /// # Errors
    /// [`Error::Internal`] when the CSRF token can't be created.
    pub fn for_caller(request: &HttpRequest, caller: &Caller, nav_item: NavItem) -> Result<Self> {
        let signed_in = Some(SignedIn {
            name: caller.user.display_name().to_owned(),
            is_auditor: caller.user.role() >= Role::Auditor,
        });
        Ok(Self {
            signed_in,
            nav_item,
            // *Your devices* shows the alerts themselves.
            attention: describe_attention(open_alerts(request))
                .filter(|_| request.path() != "/devices"),
            csrf: forms::session_csrf_token(request)?,
            refusal: refusal(request).or_else(|| not_carried_out(request, caller)),
            undone: undone(request.path()),
            open_alerts: open_alerts(request),
            changes: Some(KnownChanges::of(request, caller)?),
            behind: page_behind(request),
            times: Some(PageTimes::new(
                request,
                ReaderClock::of_caller(request, caller)?,
            )?),
            ..Self::bare(site(request)?)
        }
        .with_failed(request))
    }

    /// Returns the layout of a page with forms that anybody may send.
    ///
    /// # Errors
    /// [`Error::Internal`] on a route without a device cookie.
    pub fn anonymous(request: &HttpRequest) -> Result<Self> {
        Ok(Self {
            csrf: forms::browser_csrf_token(request)?,
            refusal: refusal(request),
            undone: undone(request.path()),
            times: Some(PageTimes::of_browser(request)?),
            behind: page_behind(request),
            ..Self::bare(site(request)?)
        }
        .with_failed(request))
    }

    /// Returns the layout with what was wrong with the form that the page shows again, if it does.
    fn with_failed(mut self, request: &HttpRequest) -> Self {
        if let Some(failed) = failed_form::shown(request) {
            self.problems.clone_from(&failed.failure.problems);
            self.refusal = failed.failure.refusal.clone().or(self.refusal);
            self.is_failed = failed.failure.words.is_some();
            self.behind.clone_from(&failed.behind);
            self.failed = Some(failed);
        }
        self
    }

    /// Returns what was typed into a field of the form that the page shows again after a redirect.
    pub fn typed(&self, name: &str) -> Option<&str> {
        self.failed.as_ref()?.value(name)
    }

    /// Returns the name that a form showed which the page shows again since something is wrong with its fields;
    /// else `now`, the name as it is.
    pub fn shown_name(&self, now: &str) -> String {
        let stated = self
            .typed("shown_name")
            .filter(|_| !self.problems.is_empty());
        stated.unwrap_or(now).to_owned()
    }

    /// Returns what is wrong with a field, by its id.
    pub fn problem_of(&self, field: &str) -> Option<String> {
        let found = self.problems.iter().find(|it| it.field == field);
        found.map(|problem| problem.message.clone())
    }

    /// Returns why the form was refused that the page shows again after a redirect.
    pub fn refused_words(&self) -> Option<String> {
        self.failed.as_ref()?.failure.words.clone()
    }

    /// Returns the layout of a page without forms.
    pub fn bare(site: Arc<SiteLook>) -> Self {
        Self {
            site,
            css: assets::url("rollcall.css"),
            script: assets::url("rollcall.js"),
            sprite: assets::url("icons.svg"),
            favicon: assets::url("favicon.svg"),
            signed_in: None,
            attention: None,
            nav_item: NavItem::None,
            csrf: String::new(),
            refusal: None,
            problems: Vec::new(),
            undone: undone(""),
            is_failed: false,
            open_alerts: 0,
            changes: None,
            times: None,
            behind: None,
            failed: None,
        }
    }

    /// Has the summary of the page state what is wrong with a field, named by its id and its label,
    /// if anything is.
    pub fn add_problem(
        &mut self,
        (field, label): (&'static str, &'static str),
        message: Option<&str>,
    ) {
        self.problems.extend(message.map(|message| Problem {
            field: field.to_owned(),
            label: label.to_owned(),
            message: message.to_owned(),
        }));
    }

    /// Returns whether the page shows a form again that failed; its title says so.
    pub fn has_failed(&self) -> bool {
        self.is_failed || !self.problems.is_empty() || self.refusal.is_some()
    }

    /// Returns whether the page belongs to *Your devices*; for `aria-current`.
    pub fn is_at_devices(&self) -> bool {
        self.nav_item == NavItem::Devices
    }

    /// Returns whether the page is one of the administrator's; for `aria-current`.
    pub fn is_at_administration(&self) -> bool {
        self.nav_item == NavItem::Administration
    }

    /// Returns whether the page belongs to the account; for `aria-current`.
    pub fn is_at_account(&self) -> bool {
        self.nav_item == NavItem::Account
    }
}

impl PageTimes {
    fn new(request: &HttpRequest, clock: ReaderClock) -> Result<Self> {
        let cookies = &app_state(request)?.cookies;
        Ok(Self {
            now: clock.now.to_rfc3339(),
            zone: clock.zone.name(),
            words: describe_zone(clock),
            cookie: cookies.name(OwnCookie::Zone).to_owned(),
        })
    }

    fn of_browser(request: &HttpRequest) -> Result<Self> {
        Self::new(request, ReaderClock::of_browser(request)?)
    }
}

/// Returns in which zone the reader's times are, in words.
fn describe_zone(clock: ReaderClock) -> String {
    match clock.source {
        ZoneSource::Unknown => {
            "Times are in UTC: the time zone of your browser is not known.".into()
        }
        _ => {
            let offset = clock.zone.offset(clock.now);
            match clock.zone.place() {
                Some(place) => format!("Times are in {place} time ({offset})."),
                None => format!("Times are in {offset}."),
            }
        }
    }
}

fn site(request: &HttpRequest) -> Result<Arc<SiteLook>> {
    Ok(app_state(request)?.site.clone())
}

/// Says what was not carried out, since the session of its page had ended: whichever page comes next says it.
fn not_carried_out(request: &HttpRequest, caller: &Caller) -> Option<String> {
    if !notice::waits(request) {
        return None;
    }
    match notice::take(request, Some(caller.user.id))? {
        Notice::Account(_, AccountNotice::NotCarriedOut(act)) => Some(act.words().to_owned()),
        _ => None,
    }
}

impl Layout {
    /// Returns the label of the link to what needs attention.
    pub fn review_label(&self) -> &'static str {
        match self.attention.as_deref() {
            Some(words) if !words.starts_with("1 ") => "Review them",
            _ => "Review it",
        }
    }
}

/// Returns the number of the caller's open alerts and notices.
fn open_alerts(request: &HttpRequest) -> usize {
    let extensions = request.extensions();
    let found = extensions.get::<OpenAlerts>();
    found.map_or(0, |OpenAlerts(attention)| attention.count())
}

impl KnownChanges {
    fn of(request: &HttpRequest, caller: &Caller) -> Result<Self> {
        let received = request.extensions().get::<Requested>().copied();
        let (at, seen) = match received {
            Some(Requested { at, seen }) => (at, seen),
            None => (app_state(request)?.clock.now(), None),
        };
        Ok(Self {
            since: at.timestamp_micros(),
            seen,
            person: caller.user.id,
        })
    }
}

/// Returns the notice of a number of open alerts and notices: "2 things need your attention."
pub fn describe_attention(alerts: usize) -> Option<String> {
    match alerts {
        0 => None,
        1 => Some("1 thing needs your attention.".into()),
        n => Some(format!("{n} things need your attention.")),
    }
}

/// Returns a response with a page.
///
/// # Errors
/// [`Error::Internal`] when the template can't be rendered.
pub fn page(status: StatusCode, template: &impl Template) -> Result<HttpResponse> {
    let html = template
        .render()
        .map_err(|err| Error::Internal(Failure::new("a page could not be rendered", err)))?;
    Ok(HttpResponse::build(status)
        .content_type(ContentType::html())
        .insert_header(("accept-ch", ACCEPT_CH))
        .body(html))
}

/// Returns a redirect to the sign-in page, which shows the notice, for a device that has just been
/// signed out. The session cookie is removed by its name; nothing else is cleared unless it is
/// asked for ([`clear_site_data`]).
pub fn signed_out_response(request: &HttpRequest, notice: SignedOutNotice) -> HttpResponse {
    notice::put(request, Notice::SignedOut(notice));
    see_other("/sign-in")
}

/// Has the browser clear its cache and storage of this site (ASVS 5.0, 14.3.1; W3C Clear Site
/// Data). Never its cookies: that would clear those of every host of the domain.
pub fn clear_site_data(response: &mut HttpResponse) {
    response.headers_mut().insert(
        HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static(r#""cache", "storage""#),
    );
}

/// Returns a redirect to `location` by GET (303), such as after a form was submitted.
pub fn see_other(location: impl AsRef<str>) -> HttpResponse {
    use actix_web::http::header::LOCATION;

    HttpResponse::SeeOther()
        .insert_header((LOCATION, location.as_ref()))
        .finish()
}

/// Returns what nothing was, where something is wrong with the form of the page at `path`.
fn undone(path: &str) -> &'static str {
    match path {
        "/forgot-password" | "/admin/users/invite" => "sent",
        "/sign-up" | "/admin/users/new" => "created",
        path if path.starts_with("/setup/") => "created",
        _ => "changed",
    }
}
