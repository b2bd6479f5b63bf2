//! The page that the link in a message about alerts leads to: what they report, the question, and what either
//! answer does.

use actix_web::HttpRequest;
use askama::Template;

use super::alert_views::AlertView;
use super::link_reviews::{Answers, Press, SIGN_OUT_ALL, YES_TO_ALL};
use super::new_password::PasswordForm;
use super::reviewed_link::next_step;
use super::{alert_twins, report_words};
use crate::account::{AlertDetails, LinkedMessage};
use crate::alerts::Alert;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::layout::Layout;
use crate::http::reader_clock::ReaderClock;

const QUESTION: &str = "Was this you?";
/// Alerts that a page lists at most.
const MAX_LISTED: usize = 50;

#[derive(Template)]
#[template(path = "pages/not_me.html")]
pub(super) struct NotMePage<'a> {
    pub(super) layout: Layout,
    pub(super) alerts: Vec<AlertView>,
    /// How many alerts are not listed.
    pub(super) unlisted: usize,
    pub(super) token: &'a str,
    /// The question, or what became of it.
    pub(super) heading: &'static str,
    /// Whether the alerts were confirmed or reported already.
    pub(super) is_used: bool,
    /// What is asked for, and what that does.
    pub(super) request: String,
    /// The other devices that nobody has confirmed, which a report signs out if that is wanted.
    pub(super) unconfirmed: Option<String>,
    /// Whether they are ticked.
    pub(super) is_ticked: bool,
    /// Whether one answer is for several alerts.
    pub(super) is_for_several: bool,
    /// Whether it can be confirmed here: a changed e-mail can't at the new address.
    pub(super) may_confirm: bool,
    /// The labels of the buttons.
    pub(super) yes: &'static str,
    pub(super) no: &'static str,
    /// Whether a new password can be set after a report.
    pub(super) offers_password: bool,
    /// What is left to do once they were.
    pub(super) next: String,
    /// That a press has done nothing, since another answer came first.
    pub(super) late: Option<String>,
    /// Whether somebody can sign in to the account.
    pub(super) leads_on: bool,
    /// Offered again after a report, since the response to it may have been lost.
    pub(super) form: Option<PasswordForm>,
}

/// Loads the page of a message.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(super) async fn load_page<'a>(
    app: &AppState,
    request: &HttpRequest,
    (token, message): (&'a str, &LinkedMessage),
    (press, form): (Option<Press>, Option<PasswordForm>),
) -> Result<NotMePage<'a>> {
    let clock = ReaderClock::of_browser(request)?;
    let is_used = !message.alerts.iter().any(Alert::is_open);
    let listed = message.alerts.iter().take(MAX_LISTED).cloned().collect();
    let listed = app
        .accounts
        .describe_alerts(message.user.id, listed)
        .await?;
    let open = message.alerts.iter().filter(|it| it.is_open());
    let preview = app
        .accounts
        .preview_report(message.user.id, open.cloned().collect())
        .await?;
    let mut alerts: Vec<_> = listed
        .iter()
        .map(|details| AlertView::for_link(details, clock))
        .collect();
    alert_twins::tell_apart(&mut alerts);
    let late = tell_answers(app, (message, &listed), (press, &mut alerts), clock).await?;
    let mut layout = Layout::anonymous(request)?;
    if is_used {
        // There is no answer to be sent again.
        layout.refusal = None;
    }
    let (yes, no) = answers(message, &listed, &alerts);
    Ok(NotMePage {
        is_ticked: layout.typed("all").is_some(),
        offers_password: message.may_set_password,
        may_confirm: may_confirm(message),
        request: report_words::request(&message.alerts, &preview, clock),
        unconfirmed: report_words::unconfirmed(&preview, clock),
        is_for_several: message.alerts.len() > 1,
        yes,
        no,
        next: next_step((message, &listed), late.is_some(), form.is_some()),
        late,
        leads_on: message.user.is_active,
        unlisted: message.alerts.len().saturating_sub(MAX_LISTED),
        heading: heading(is_used, &listed, &alerts),
        form: form.map(|form| form.failed(&layout)),
        layout,
        alerts,
        token,
        is_used,
    })
}

/// Once none waits for an answer, has each alert that was answered say how, and what that did. Returns that a press did nothing, if it did.
async fn tell_answers(
    app: &AppState,
    (message, listed): (&LinkedMessage, &[AlertDetails]),
    (press, alerts): (Option<Press>, &mut [AlertView]),
    clock: ReaderClock,
) -> Result<Option<String>> {
    if message.alerts.iter().any(Alert::is_open) {
        return Ok(None);
    }
    let answers = Answers::load(app, (message, listed), clock).await?;
    let late = press.and_then(|press| answers.describe_late(press));
    // What is said of a press says the same of a single alert.
    if late.is_none() || alerts.len() > 1 {
        for (view, details) in alerts.iter_mut().zip(listed) {
            view.settled = answers.describe(details);
        }
    }
    Ok(late)
}

fn may_confirm(message: &LinkedMessage) -> bool {
    let mut alerts = message.alerts.iter();
    alerts.any(|alert| alert.kind.is_confirmable_by_link())
}

/// Returns the labels of the answers to all alerts of a message.
fn answers(
    message: &LinkedMessage,
    listed: &[AlertDetails],
    alerts: &[AlertView],
) -> (&'static str, &'static str) {
    let is_sign_in = message.alerts.iter().all(|alert| alert.kind.is_sign_in());
    let is_over = listed.iter().all(AlertDetails::is_over);
    let yes = match alerts {
        [alert] => alert.yes,
        _ => YES_TO_ALL,
    };
    let no = match alerts {
        [_, _, ..] if is_sign_in && !is_over => SIGN_OUT_ALL,
        [alert, ..] => alert.no,
        [] => "No, it wasn’t me",
    };
    (yes, no)
}

/// Returns the question, or what became of it.
fn heading(is_used: bool, listed: &[AlertDetails], alerts: &[AlertView]) -> &'static str {
    let is_settled_with_others =
        |details: &AlertDetails| details.alert.settled_by != Some(details.alert.id);
    match (is_used, alerts) {
        (false, [alert]) => alert.heading,
        (false, _) if listed.iter().all(AlertDetails::is_over) => {
            "They are already signed out. Was it you?"
        }
        (false, _) => QUESTION,
        (true, _) if listed.iter().all(is_settled_with_others) => "This is settled",
        (true, _) => "This was answered",
    }
}
