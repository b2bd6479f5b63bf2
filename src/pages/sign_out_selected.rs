//! `/devices/sign-out-selected`: lists the selected devices before they are signed out together. Its
//! address names them, so that it can be gone back to and loaded again.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use url::form_urlencoded;

use super::device_list::list_url;
use super::device_views::DeviceView;
use super::devices;
use super::devices_query::DevicesQuery;
use super::narrowing::{DEVICE, MAX_LISTED, selected_ids};
use super::views::Reader;
use super::words;
use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::devices::{DeviceGroup, group_by_device};
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::ending_words::Ending;
use crate::http::forms::Form;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::notice::{self, AccountNotice, EndMoment, EndNotice, Notice};
use crate::http::target::HOME;
use crate::sessions::{Caller, DevicesEnd, Session};

const PATH: &str = "/devices/sign-out-selected";
/// Devices that can be selected. Their ids fit into an address that every proxy takes (8 kB).
const MAX_DEVICES: usize = MAX_LISTED;
/// The time within which the same form again is a second press of the button.
const REPEATED_WITHIN: Duration = Duration::from_secs(60);

const NONE_SELECTED: &str = "Choose at least one device.";
const TOO_MANY: &str = "Choose at most 100 devices at once.";

#[derive(Template)]
#[template(path = "pages/sign_out_selected.html")]
struct SignOutSelectedPage {
    layout: Layout,
    /// What is signed out: "3 devices", or the name of the one.
    object: String,
    /// The name of this device.
    this: String,
    /// Whether this device was selected as well, which stays signed in.
    is_this_selected: bool,
    devices: Vec<DeviceView>,
    /// Says which had been signed out already, if any.
    ended_before: Option<String>,
    /// The address of this page.
    back: String,
    /// The list that they were selected from, with the selection.
    list: String,
}

/// The selected devices, as the rows state.
struct Selected {
    /// The live ones.
    live: Vec<DeviceGroup<Session>>,
    /// One session of each that is signed out.
    ended: Vec<Session>,
    is_this_selected: bool,
}

/// Shows the devices that would be signed out; without any, *Your devices* again.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
) -> Result<HttpResponse> {
    let query: Vec<(String, String)> = form_urlencoded::parse(request.query_string().as_bytes())
        .into_owned()
        .collect();
    let ids = selected_ids(&query);
    let narrowed = DevicesQuery::narrowed(&query);
    let narrowing = narrowed.narrowing().fields();
    let list = (narrowed, ids.clone());
    let again = async |problem| devices::show_again(&app, &request, &caller, list, problem).await;
    if ids.len() > MAX_DEVICES {
        return again(TOO_MANY).await;
    }
    let selected = load(&app, &caller, ids.clone()).await?;
    if selected.is_none() {
        return again(NONE_SELECTED).await;
    }
    let reader = Reader::new(&app, &request, &caller)?;
    let device = |device: &DeviceGroup<Session>| {
        DeviceView::for_device(device, device.first(), caller.session.id, &reader)
    };
    let template = SignOutSelectedPage {
        layout: Layout::for_caller(&request, &caller, NavItem::Devices)?,
        object: Ending::of_devices(&selected.live).map_or_else(String::new, |it| it.object),
        this: caller.session.display_name(),
        is_this_selected: selected.is_this_selected,
        devices: selected.live.iter().map(device).collect(),
        ended_before: ended_before(&selected.ended),
        back: address(&narrowing, &ids),
        list: list_url(narrowing.iter().chain(&fields_of(&ids))),
    };
    page(StatusCode::OK, &template)
}

/// Signs the selected devices out, in one transaction.
///
/// # Errors
/// [`Error::Invalid`] when there are too many; [`Error::StepUpRequired`] when the password was given
/// too long ago.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<HttpResponse> {
    let ids = selected_ids(&fields);
    if ids.len() > MAX_DEVICES {
        return Err(Error::field(DEVICE, "must be at most 100 devices"));
    }
    if ids.is_empty() {
        return Ok(see_other(PATH));
    }
    app.sessions.require_step_up(&caller)?;
    if load(&app, &caller, ids.clone()).await?.is_none() {
        return Ok(see_other(PATH));
    }
    let end = app
        .sessions
        .end_devices(caller.user.id, ids, caller.origin())
        .await?;
    let outcome = AccountNotice::Ended(outcome(&end, &caller, app.clock.now()));
    notice::put(&request, Notice::Account(caller.user.id, outcome));
    Ok(see_other(HOME))
}

impl Selected {
    fn is_none(&self) -> bool {
        self.live.is_empty() && self.ended.is_empty()
    }
}

async fn load(app: &AppState, caller: &Caller, ids: Vec<SessionId>) -> Result<Selected> {
    let owner = caller.user.id;
    let mut selected = app.sessions.list_by_ids(owner, ids).await?;
    let count = selected.len();
    selected.retain(|session| !session.is_on_device_of(&caller.session));
    let is_this_selected = selected.len() < count;
    let (live, here) = (app.sessions.list_live(owner).await?, caller.session.id);
    let doubts = app.accounts.find_doubts(owner, Some(here)).await?;
    let mut live = group_by_device(doubts.ordered(live));
    selected = doubts.ordered(selected);
    live.retain(|device| selected.iter().any(|it| it.is_on_device_of(device.first())));
    selected.retain(|session| {
        let is_on = |device: &DeviceGroup<Session>| session.is_on_device_of(device.first());
        !live.iter().any(is_on)
    });
    let ended = group_by_device(selected).into_iter();
    Ok(Selected {
        live,
        ended: ended.map(DeviceGroup::into_first).collect(),
        is_this_selected,
    })
}

/// Returns what to say of the end. The same form again says the same again.
fn outcome(end: &DevicesEnd, caller: &Caller, now: Timestamp) -> EndNotice {
    let mut before: Vec<&Session> = end.ended_before.iter().collect();
    let mut ended = end.ended.first().and_then(EndMoment::of);
    if ended.is_none() {
        let is_repeated = |session: &&&Session| {
            let is_recent = |at| now.since(at) < REPEATED_WITHIN;
            session.ended_by == Some(caller.session.id) && session.ended_at.is_some_and(is_recent)
        };
        let latest = before
            .iter()
            .filter(is_repeated)
            .max_by_key(|it| it.ended_at);
        ended = latest.and_then(|session| EndMoment::of(session));
        before.retain(|session| ended.is_none() || EndMoment::of(session) != ended);
    }
    EndNotice::Devices {
        ended,
        before: before.first().map(|session| session.id),
        count_before: u32::try_from(before.len()).unwrap_or(u32::MAX),
    }
}

/// Says which devices are signed out already.
fn ended_before(ended: &[Session]) -> Option<String> {
    match ended {
        [] => None,
        [session] => Some(format!("{} is signed out already.", session.display_name())),
        several => Some(format!(
            "{} are signed out already.",
            words::devices(several.len())
        )),
    }
}

/// Returns the address of the page with these devices, which were selected from a list narrowed by these
/// fields.
fn address(narrowing: &[(&'static str, String)], ids: &[SessionId]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(narrowing.iter().chain(&fields_of(ids)));
    format!("{PATH}?{}", query.finish())
}

fn fields_of(ids: &[SessionId]) -> Vec<(&'static str, String)> {
    ids.iter().map(|id| (DEVICE, id.to_string())).collect()
}
