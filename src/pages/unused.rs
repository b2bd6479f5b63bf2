//! The page before a change signs out devices that have not been used for long: it names them, and
//! nothing is saved before.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::device_views::DeviceView;
use super::known_doubts::find_doubts;
use super::views::Reader;
use super::words;
use crate::clock::Timestamp;
use crate::devices::{DeviceGroup, group_by_device};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::ending_words::Ending;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::people::IdleLimit;
use crate::sessions::{Caller, Session};

#[derive(Template)]
#[template(path = "pages/unused.html")]
struct UnusedPage {
    layout: Layout,
    /// What the change ends: the heading and the button.
    ending: Ending,
    lead: String,
    devices: Vec<EndingView>,
    change: UnusedChange,
}

/// A device of which sessions end.
struct EndingView {
    device: DeviceView,
    /// Which of its sessions end, if others stay.
    part: Option<String>,
}

/// The change that the page confirms.
pub(super) struct UnusedChange {
    /// The idle limit that the person chose.
    pub(super) chosen: Option<IdleLimit>,
    /// The path that its form is posted to.
    pub(super) action: String,
    /// The fields of the form.
    pub(super) fields: Vec<(&'static str, String)>,
    /// The page to go to instead.
    pub(super) back: String,
    /// When what it ends was looked up: it is confirmed by this.
    pub(super) at: Timestamp,
    /// Whether it was confirmed before, on a page that showed less.
    pub(super) is_again: bool,
}

impl UnusedChange {
    /// Returns the field that confirms it.
    fn confirmed(&self) -> i64 {
        self.at.timestamp_micros()
    }
}

/// Returns a response with the page: `ending` are the sessions that would end, and `live` the person's
/// others.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(super) async fn confirm(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    (ending, live): (Vec<Session>, &[Session]),
    change: UnusedChange,
) -> Result<HttpResponse> {
    let reader = Reader::new(app, request, caller)?;
    let limits = app.sessions.idle_limits();
    let spans = ending
        .iter()
        .map(|session| limits.limit_of(session, change.chosen));
    let span = spans.min().unwrap_or_default();
    let count = ending.len();
    let ending = find_doubts(app, request, caller).await?.ordered(ending);
    let Some(act) = Ending::of_unused(ending.clone(), live) else {
        return Ok(see_other(&change.back));
    };
    let devices: Vec<EndingView> = group_by_device(ending)
        .iter()
        .map(|device| EndingView::new(device, live, &reader))
        .collect();
    let template = UnusedPage {
        layout: Layout::for_caller(request, caller, NavItem::None)?,
        ending: act,
        lead: lead(&devices, (count, span), change.is_again),
        devices,
        change,
    };
    page(StatusCode::OK, &template)
}

/// Says why these devices, on which so many sessions end, are named: they have not been used for `span`.
fn lead(devices: &[EndingView], (count, span): (usize, Duration), is_again: bool) -> String {
    let is_whole = devices.iter().all(|device| device.part.is_none());
    let (these, ends_them) = match (is_whole, devices.len(), count) {
        (true, 1, _) => ("This device has", "signs it out"),
        (true, ..) => ("These devices have", "signs them out"),
        (false, _, 1) => ("This session has", "ends it"),
        (false, ..) => ("These sessions have", "ends them"),
    };
    let again = match is_again {
        true => " Since you opened the page before, more has become due: look again.",
        false => "",
    };
    format!(
        "{these} not been used for {}, so this change {ends_them} at once. Nothing has been saved yet.{again}",
        words::span(span)
    )
}

impl EndingView {
    fn new(device: &DeviceGroup<Session>, live: &[Session], reader: &Reader) -> Self {
        let first = device.first();
        let ending = device.iter().count();
        let staying = live.iter().filter(|live| live.is_on_device_of(first));
        let staying = staying.count();
        Self {
            device: DeviceView::new(first, reader),
            part: (staying > 0).then(|| format!("{ending} of its {} sessions", ending + staying)),
        }
    }
}
