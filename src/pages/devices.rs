//! `/devices`: **Your devices**.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::views::{DeviceNames, DeviceView, EndedView};
use super::words;
use crate::db::SessionId;
use crate::error::{Error, Result};
use crate::http::app::App;
use crate::http::caller::PageCaller;
use crate::http::layout::{Layout, Place, page};
use crate::sessions::{Caller, HistoryPage, Session};

/// Ended sessions shown at once.
const ENDED: u32 = 10;
/// A device not used for this long is worth a look.
const LONG_UNUSED: Duration = Duration::from_secs(90 * 24 * 60 * 60);

#[derive(Template)]
#[template(path = "pages/devices.html")]
struct DevicesPage {
    layout: Layout,
    /// Microseconds since the Unix epoch: the script asks for changes from then on.
    made_at: i64,
    summary: String,
    notice: Option<String>,
    this: DeviceView,
    others: Vec<DeviceView>,
    /// "4 other devices"
    others_in_words: String,
    /// "2 devices have not been used for 90 days."
    long_unused: Option<LongUnused>,
    ended: Vec<EndedView>,
    /// Where those that ended before are, if there are more.
    older: Option<String>,
}

struct LongUnused {
    words: String,
    /// The first of them on the page.
    first: String,
}

/// `GET /devices`
#[derive(Deserialize)]
pub struct Arrival {
    done: Option<String>,
    device: Option<SessionId>,
    /// Where the list of ended sessions goes on.
    ended: Option<String>,
}

/// The page.
pub async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    web::Query(arrival): web::Query<Arrival>,
) -> Result<HttpResponse> {
    let owner = caller.user.id;
    let made_at = app.clock.now().timestamp_micros();
    let live = app.sessions.live_of(owner).await?;
    let after = arrival.ended.as_deref().map(str::parse).transpose()?;
    let HistoryPage {
        sessions: ended,
        next,
    } = app.sessions.history(owner, after, ENDED).await?;
    let notice = notice(&app, &caller, &arrival, live.len()).await?;

    let now = app.clock.now();
    let names = DeviceNames::new(live.iter().chain(&ended));
    let others: Vec<&Session> = live
        .iter()
        .filter(|session| session.id != caller.session.id)
        .collect();
    let template = DevicesPage {
        layout: Layout::of(&request, &caller, Place::Devices)?,
        made_at,
        summary: summary(others.len()),
        notice,
        this: DeviceView::new(&caller.session, now),
        others_in_words: others_in_words(others.len()),
        long_unused: long_unused(&app, &others),
        others: others
            .into_iter()
            .map(|session| DeviceView::new(session, now))
            .collect(),
        older: next.map(|next| format!("/devices?ended={}#ended", next.encode())),
        ended: ended
            .iter()
            .map(|session| EndedView::new(session, &names, now))
            .collect(),
    };
    page(StatusCode::OK, &template)
}

fn summary(others: usize) -> String {
    match others {
        0 => "You are signed in only here.".into(),
        n => format!(
            "You are signed in on {}. Nothing needs your attention.",
            words::devices(n + 1)
        ),
    }
}

fn others_in_words(others: usize) -> String {
    match others {
        1 => "1 other device".into(),
        n => format!("{n} other devices"),
    }
}

fn long_unused(app: &App, others: &[&Session]) -> Option<LongUnused> {
    let before = app.clock.now() - LONG_UNUSED;
    let unused: Vec<_> = others
        .iter()
        .filter(|session| session.last_used_at < before)
        .collect();
    let words = match unused.len() {
        1 => "1 device has not been used for 90 days.".into(),
        n => format!("{n} devices have not been used for 90 days."),
    };
    Some(LongUnused {
        words,
        first: unused.first()?.id.to_string(),
    })
}

/// What is said of the act that led here; nothing that the rows don't agree with.
async fn notice(
    app: &App,
    caller: &Caller,
    arrival: &Arrival,
    live: usize,
) -> Result<Option<String>> {
    match (arrival.done.as_deref(), arrival.device) {
        (Some("signed-out-others"), _) if live == 1 => {
            Ok(Some("Your other devices are signed out.".into()))
        }
        (Some(done @ ("signed-out" | "already-out")), Some(id)) => {
            match app.sessions.find(caller.user.id, id).await {
                Ok(session) if session.is_active => Ok(None),
                Ok(session) if done == "signed-out" => {
                    Ok(Some(format!("{} is signed out.", session.display_name())))
                }
                Ok(session) => Ok(Some(format!(
                    "{} had been signed out before.",
                    session.display_name()
                ))),
                Err(Error::NotFound) => Ok(None),
                Err(fault) => Err(fault),
            }
        }
        _ => Ok(None),
    }
}
