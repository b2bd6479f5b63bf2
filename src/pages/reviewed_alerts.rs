//! What is said of alerts that were answered already: in their place on a page that was open meanwhile, and to
//! whoever answers once more.

use actix_web::HttpRequest;

use super::alert_views::{AlertView, SIGN_OUT};
use super::review_words::{NO_ANSWER_DUE, answer, describe_review, describe_unanswered};
use super::views::Reader;
use super::words::TimeView;
use crate::account::{AlertDetails, Attention, ReportPreview, ReviewOutcome};
use crate::alerts::{Alert, AlertReview};
use crate::clock::Timestamp;
use crate::db::{AlertId, UserId};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::open_page;
use crate::http::reader_clock::ReaderClock;
use crate::sessions::Caller;

/// Returns the alerts that an open page of the caller shows and that wait for no answer any more: each keeps its
/// place, so that no button comes to lie where another one was.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(super) async fn shown_before(
    app: &AppState,
    request: &HttpRequest,
    (caller, attention): (&Caller, &Attention),
    reader: &Reader,
) -> Result<Vec<AlertView>> {
    let mut ids = open_page::shown_alerts(request);
    ids.retain(|id| attention.alerts.iter().all(|open| open.id != *id));
    if ids.is_empty() || attention.is_in_doubt {
        return Ok(Vec::new());
    }
    let found = app.accounts.describe_by_ids(caller.user.id, ids).await?;
    let view = |details: &AlertDetails| {
        let view = AlertView::new(details, &ReportPreview::default(), reader);
        AlertView {
            heading: match details.alert.review() {
                Some(_) => "This was answered",
                None => view.heading,
            },
            hints: Vec::new(),
            outcome: Some(outcome_elsewhere(details, reader.clock)),
            ..view
        }
    };
    Ok(found.iter().map(view).collect())
}

/// Says what became of an alert meanwhile, in a line.
fn outcome_elsewhere(details: &AlertDetails, clock: ReaderClock) -> String {
    let alert = &details.alert;
    match alert.review() {
        Some((review, at)) => {
            let when = TimeView::exact(at, clock).words;
            let label = label_of(details, (review, at));
            match is_its_own(alert) {
                true => format!("It was answered “{label}” on {when}."),
                false => format!("It was settled with another alert on {when}."),
            }
        }
        None if alert.is_open() => "This can’t be answered here any more.".into(),
        None => NO_ANSWER_DUE.into(),
    }
}

/// Returns the label of the button that an alert was answered with.
fn label_of(details: &AlertDetails, (review, at): (AlertReview, Timestamp)) -> &'static str {
    let session = details.session.as_ref();
    let was_live = session.is_some_and(|it| it.ended_at.is_none_or(|ended| ended >= at));
    match review {
        AlertReview::Reported if details.alert.kind.is_use() && was_live => SIGN_OUT,
        review => answer(details.alert.kind, review),
    }
}

/// Returns whether an alert was answered itself, rather than together with another.
fn is_its_own(alert: &Alert) -> bool {
    alert.settled_by == Some(alert.id)
}

/// Says what became of an alert that had been answered when `pressed` was: the same answer, pressed twice, is
/// that answer; another one did nothing, and leads on.
///
/// # Errors
/// As [`shown_before`].
pub(super) async fn describe_late(
    app: &AppState,
    user: UserId,
    (alert, pressed): (AlertId, AlertReview),
    clock: ReaderClock,
) -> Result<String> {
    let Some(outcome) = app.accounts.find_review(user, alert).await? else {
        return describe_unanswered(app, user, alert).await;
    };
    Ok(match outcome.details.alert.review() {
        Some((counted, at)) if counted != pressed => {
            let had = Counted {
                label: label_of(&outcome.details, (counted, at)),
                at: TimeView::exact(at, clock).words,
                was_live: was_live(&outcome),
            };
            had.words(&outcome, pressed)
        }
        _ => describe_review(&outcome),
    })
}

/// Returns whether the device of an alert was signed in when that was answered.
fn was_live(outcome: &ReviewOutcome) -> bool {
    let reviewed_at = outcome.details.alert.review().map(|(_, at)| at);
    let session = outcome.details.session.as_ref();
    outcome.is_live() || session.is_some_and(|session| session.ended_at >= reviewed_at)
}

/// The answer that counted.
struct Counted {
    label: &'static str,
    at: String,
    was_live: bool,
}

impl Counted {
    fn words(&self, outcome: &ReviewOutcome, pressed: AlertReview) -> String {
        let alert = &outcome.details.alert;
        let Self { label, at, .. } = self;
        let button = match pressed {
            AlertReview::Reported if alert.kind.is_use() && self.was_live => SIGN_OUT,
            pressed => answer(alert.kind, pressed),
        };
        let counted = match is_its_own(alert) {
            true => format!("It was answered “{label}” on {at}"),
            false => format!("It was settled with another alert, answered “{label}” on {at}"),
        };
        let so = format!("{counted}, so your “{button}” did nothing.");
        let device = &alert.device_name;
        match (pressed, outcome.is_live()) {
            (AlertReview::Reported, true) => format!(
                "{so} {device} is still signed in. If it was not you: sign it out on Your devices, then set a new password under Account."
            ),
            (AlertReview::Reported, false) => {
                format!("{so} If it was not you: set a new password under Account.")
            }
            (AlertReview::Confirmed, true) => format!("{so} {}", describe_review(outcome)),
            (AlertReview::Confirmed, false) => format!(
                "{so} {} If it was you, sign in on it again.",
                describe_review(outcome)
            ),
        }
    }
}
