//! What surrounds every page, and how a template becomes an answer.

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use askama::Template;

use super::caller::OpenAlerts;
use super::{assets, forms};
use crate::error::{Error, Failure, Result};
use crate::sessions::Caller;
use crate::user_agent::ACCEPT_CH;

/// The items of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NavItem {
    /// Your devices.
    Devices,
    /// The account.
    Account,
    /// No item of the navigation.
    None,
}

/// What `base.html` shows around a page.
pub struct Layout {
    /// The stylesheet's URL.
    pub css: String,
    /// The script's URL.
    pub script: String,
    /// The icon sprite's URL.
    pub sprite: String,
    /// The icon of the tab.
    pub favicon: String,
    /// Who is signed in, if anybody.
    pub signed_in: Option<SignedIn>,
    /// What needs the person's attention, in words, where the page itself doesn't show it.
    pub attention: Option<String>,
    /// Where in the navigation the page stands.
    pub nav_item: NavItem,
    /// The token for the page's forms.
    pub csrf: String,
}

/// Somebody who is signed in, for the head of the page.
pub struct SignedIn {
    /// How to address them.
    pub name: String,
}

impl Layout {
    /// The surroundings of a page for somebody signed in.
    ///
    /// # Errors
    /// [`Error::Internal`] on a route without its middleware.
    pub fn for_caller(request: &HttpRequest, caller: &Caller, nav_item: NavItem) -> Result<Self> {
        let signed_in = Some(SignedIn {
            name: caller.user.display_name().to_owned(),
        });
        Ok(Self {
            signed_in,
            nav_item,
            // The page of the devices shows what it is.
            attention: attention(request).filter(|_| request.path() != "/devices"),
            csrf: forms::csrf_token(request)?,
            ..Self::bare()
        })
    }

    /// The surroundings of a page with a form for somebody who isn't signed in.
    ///
    /// # Errors
    /// As [`Layout::for_caller`].
    pub fn anonymous(request: &HttpRequest) -> Result<Self> {
        Ok(Self {
            csrf: forms::csrf_token(request)?,
            ..Self::bare()
        })
    }

    /// The surroundings of a page without forms.
    pub fn bare() -> Self {
        Self {
            css: assets::url("rollcall.css"),
            script: assets::url("rollcall.js"),
            sprite: assets::url("icons.svg"),
            favicon: assets::url("favicon.svg"),
            signed_in: None,
            attention: None,
            nav_item: NavItem::None,
            csrf: String::new(),
        }
    }

    /// Whether this is the place in the navigation; for `aria-current`.
    pub fn is_at_devices(&self) -> bool {
        self.nav_item == NavItem::Devices
    }

    /// As [`Layout::is_at_devices`].
    pub fn is_at_account(&self) -> bool {
        self.nav_item == NavItem::Account
    }
}

/// What needs the attention of whoever a page is for.
fn attention(request: &HttpRequest) -> Option<String> {
    let extensions = request.extensions();
    let OpenAlerts(alerts) = extensions.get::<OpenAlerts>()?;
    describe_attention(alerts.len())
}

/// "2 things need your attention."
pub fn describe_attention(alerts: usize) -> Option<String> {
    match alerts {
        0 => None,
        1 => Some("1 thing needs your attention.".into()),
        n => Some(format!("{n} things need your attention.")),
    }
}

/// A page as an answer.
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

/// To the sign-in page, from a device that has just been signed out: what it kept of us goes, too
/// (ASVS 5.0, 14.3.1). Cookies are not named, as that would take the device cookie along.
pub fn signed_out_response(done: &str) -> HttpResponse {
    let mut response = see_other(format!("/sign-in?done={done}"));
    response.headers_mut().insert(
        HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static(r#""cache", "storage""#),
    );
    response
}

/// Where to look next (303), after a form was taken.
pub fn see_other(location: impl AsRef<str>) -> HttpResponse {
    use actix_web::http::header::LOCATION;

    HttpResponse::SeeOther()
        .insert_header((LOCATION, location.as_ref()))
        .finish()
}
