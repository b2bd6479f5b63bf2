//! The page of applications and their keys, as the handlers of its forms render it as well.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use url::form_urlencoded;

use super::application_form::{ApplicationForm, ApplicationFormView, kind_words};
use super::key_form::{KeyFormView, NewKeyForm};
use super::pager::Pager;
use super::quantity;
use crate::applications::{
    ApiKey, Application, ApplicationPage, ApplicationSummary, KeyState, MAX_COUNTED_PEOPLE, Scope,
};
use crate::db::ApplicationId;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::failed_form::FailedForm;
use crate::http::failed_page::failed_page;
use crate::http::layout::{Layout, NavItem};
use crate::http::reader_clock::ReaderClock;
use crate::http::target::AllowedHosts;
use crate::listing::Place;
use crate::pages::words::TimeView;
use crate::people::Role;
use crate::sessions::Caller;

/// The path of the page.
pub(super) const PATH: &str = "/admin/applications";
/// The applications of a page.
const LIMIT: u32 = 50;

#[derive(Template)]
#[template(path = "pages/admin/applications.html")]
pub(super) struct ApplicationsPage {
    layout: Layout,
    pub(super) notice: Option<String>,
    /// The key that was just created; its secret is shown only once.
    pub(super) created: Option<CreatedKey>,
    pub(super) error: Option<String>,
    /// Whether the reader may change anything.
    may_change: bool,
    pub(super) new: ApplicationFormView,
    key_form: KeyFormView,
    pub(super) applications: Vec<ApplicationView>,
    pager: Pager,
    is_first: bool,
}

/// A key that was just created.
pub(super) struct CreatedKey {
    pub(super) id: String,
    pub(super) name: String,
    /// The name of its application, where that is another one.
    pub(super) application: Option<String>,
    pub(super) secret: String,
    pub(super) administers: bool,
}

/// An application.
pub(super) struct ApplicationView {
    pub(super) id: String,
    name: String,
    kind: &'static str,
    hosts: Vec<HostView>,
    people: String,
    is_earlier: bool,
    is_unused: bool,
    pub(super) form: ApplicationFormView,
    keys: Vec<KeyView>,
}

struct HostView {
    name: String,
    /// Whether forward-auth lets people in there.
    is_allowed: bool,
}

struct KeyView {
    id: String,
    name: String,
    scopes: String,
    /// What the key opens, where that is more than its application's own people.
    warning: Option<&'static str>,
    created: TimeView,
    last_used: Option<TimeView>,
    revoked: Option<TimeView>,
    expires: Option<TimeView>,
    is_expired: bool,
}

impl ApplicationsPage {
    /// Loads the page of the applications after the one with that name.
    pub(super) async fn load(
        app: &AppState,
        request: &HttpRequest,
        caller: &Caller,
        after: Option<String>,
        key_form: &NewKeyForm,
    ) -> Result<Self> {
        let is_first = after.is_none();
        let found = app
            .applications
            .list_page(after.map(Place::after), LIMIT)
            .await?;
        let ApplicationPage { items, next, .. } = found;
        let clock = ReaderClock::of_caller(request, caller)?;
        Ok(Self {
            layout: Layout::for_caller(request, caller, NavItem::Administration)?,
            notice: None,
            created: None,
            error: None,
            may_change: caller.user.role() == Role::Admin,
            new: ApplicationFormView::new(&ApplicationForm::default()),
            key_form: KeyFormView::new(key_form, &items, clock.now),
            applications: items
                .into_iter()
                .map(|summary| ApplicationView::new(summary, &app.allowed_hosts, clock))
                .collect(),
            pager: pager(is_first, next.as_ref().map(|last| last.key.as_str())),
            is_first,
        })
    }

    /// Returns the page as the response to a form that can't be carried out.
    pub(super) fn refused(mut self, request: &HttpRequest, words: String) -> Result<HttpResponse> {
        self.error = Some(words);
        self.layout.is_failed = true;
        let page = (&self, &self.layout);
        failed_page(
            request,
            StatusCode::BAD_REQUEST,
            page,
            self.error.as_deref(),
        )
    }

    /// Shows a form about applications that failed.
    pub(super) fn show_failed(&mut self, failed: &FailedForm) {
        self.error = self.layout.refused_words();
        let Some(form) = failed.parse::<ApplicationForm>() else {
            return;
        };
        match failed.sent_to().strip_prefix(PATH) {
            Some("") => self.new = ApplicationFormView::new(&form),
            Some(rest) => self.fill(rest.trim_start_matches('/'), &form),
            None => {}
        }
    }

    /// Has the form of an application show what was typed into it.
    pub(super) fn fill(&mut self, id: &str, form: &ApplicationForm) {
        for view in self.applications.iter_mut().filter(|view| view.id == id) {
            view.form = ApplicationFormView {
                is_open: true,
                // What it shows is the name as it is by now.
                shown: view.form.shown.take(),
                ..ApplicationFormView::new(form)
            };
        }
    }
}

impl ApplicationView {
    fn new(summary: ApplicationSummary, allowed: &AllowedHosts, clock: ReaderClock) -> Self {
        let ApplicationSummary {
            application,
            keys,
            people,
        } = summary;
        let is_used = |key: &ApiKey| key.state(clock.now) == KeyState::InUse;
        Self {
            id: application.id.to_string(),
            kind: kind_words(application.kind),
            hosts: hosts(&application, allowed),
            is_earlier: application.id == ApplicationId::EARLIER,
            is_unused: people == 0 && !keys.iter().any(is_used),
            people: count(people),
            form: ApplicationFormView::of(&application),
            name: application.name,
            keys: keys
                .into_iter()
                .map(|key| KeyView::new(key, clock))
                .collect(),
        }
    }
}

impl KeyView {
    fn new(key: ApiKey, clock: ReaderClock) -> Self {
        let ago = |at| TimeView::ago(at, clock);
        let has = |scope: Scope| key.scopes.split(' ').any(|name| name == scope.as_str());
        let warning = match (has(Scope::AdminWrite), has(Scope::AdminRead)) {
            (true, _) => Some("Ends anybody’s sessions"),
            (false, true) => Some("Reads everybody’s sessions"),
            (false, false) => None,
        };
        Self {
            is_expired: key.state(clock.now) == KeyState::Expired,
            warning: warning.filter(|_| key.state(clock.now) == KeyState::InUse),
            id: key.id.to_string(),
            name: key.name,
            scopes: key.scopes.replace(' ', ", "),
            created: ago(key.created_at),
            last_used: key.last_used_at.map(ago),
            revoked: key.revoked_at.map(ago),
            expires: key.expires_at.map(|at| TimeView::ahead(at, clock)),
        }
    }
}

fn hosts(application: &Application, allowed: &AllowedHosts) -> Vec<HostView> {
    let view = |name: &str| HostView {
        name: name.to_owned(),
        is_allowed: allowed.contains(name),
    };
    application.hosts().map(view).collect()
}

fn pager(is_first: bool, next: Option<&str>) -> Pager {
    let after = |name: &str| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        format!("{PATH}?{}", query.append_pair("after", name).finish())
    };
    Pager::of([
        ((!is_first).then(|| PATH.to_owned()), "First page"),
        (next.map(after), "More applications"),
    ])
}

fn count(people: i64) -> String {
    let most = MAX_COUNTED_PEOPLE.unsigned_abs();
    match people.unsigned_abs() {
        n if n > most => format!("more than {}", quantity::people(most)),
        n => quantity::people(n),
    }
}
