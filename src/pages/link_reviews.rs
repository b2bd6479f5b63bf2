//! What the page of a link says of alerts that were answered already: how and when, what that did, and how
//! things stand now. To whoever presses a button after that, it says that the press did nothing.

use super::alert_views::SIGN_OUT;
use super::named_devices::listed;
use super::review_words::answer;
use super::words::TimeView;
use crate::account::{AlertDetails, AnswerActs, LinkedMessage};
use crate::alerts::{Alert, AlertReview};
use crate::clock::Timestamp;
use crate::devices::{DeviceGroup, group_by_device};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::reader_clock::ReaderClock;
use crate::sessions::Session;

/// The label of the button of a former address that takes the account back.
pub(super) const TAKE_BACK: &str = "Take the account back";
/// The label of the button that confirms several alerts.
pub(super) const YES_TO_ALL: &str = "Yes, all of it was me";
/// The label of the button that reports several alerts about sign-ins.
pub(super) const SIGN_OUT_ALL: &str = "No, sign them out";

/// The button that was pressed on the page of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Press {
    /// The one that confirms.
    Yes,
    /// The one that reports.
    No,
    /// The one that takes the account back.
    TakeBack,
}

/// The answer that confirms a change of the e-mail on the page of a former address.
pub(super) const OWN_CHANGE: &str = "own-change";

impl Press {
    /// Returns the button that sends this answer.
    pub(super) fn of(answer: &str) -> Self {
        match answer {
            "mine" | OWN_CHANGE => Self::Yes,
            "take-back" => Self::TakeBack,
            _ => Self::No,
        }
    }

    /// Returns whether an answer is one of the page of a former address: the others ask something else.
    pub(super) fn is_of_former(answer: &str) -> bool {
        matches!(answer, "take-back" | OWN_CHANGE)
    }

    /// Returns its label on the page of a former address.
    pub(super) fn label_of_former(self) -> &'static str {
        match self {
            Self::Yes => "Yes, it was me",
            Self::No | Self::TakeBack => TAKE_BACK,
        }
    }

    fn review(self) -> AlertReview {
        match self {
            Self::Yes => AlertReview::Confirmed,
            Self::No | Self::TakeBack => AlertReview::Reported,
        }
    }
}

/// The alerts of a message that were answered, and what the answers did.
pub(super) struct Answers<'a> {
    listed: &'a [AlertDetails],
    acts: AnswerActs,
    /// The e-mail of the account, which its reader reads.
    email: &'a str,
    /// Whether its person may sign in.
    is_active: bool,
    clock: ReaderClock,
}

impl<'a> Answers<'a> {
    /// Loads what the answers to the alerts of a message did.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub(super) async fn load(
        app: &AppState,
        (message, listed): (&'a LinkedMessage, &'a [AlertDetails]),
        clock: ReaderClock,
    ) -> Result<Self> {
        let owner = message.user.id;
        Ok(Self {
            acts: app.accounts.list_answer_acts(owner, listed).await?,
            email: &message.user.email,
            is_active: message.user.is_active,
            listed,
            clock,
        })
    }

    /// Says how an alert was settled, what that did, and how things stand now.
    pub(super) fn describe(&self, details: &AlertDetails) -> Option<String> {
        let how = self.settlement(details)?;
        let since = self.since(details);
        Some(since.map_or_else(|| how.clone(), |since| format!("{how} {since}")))
    }

    /// Says that a press did nothing where another answer came first; `None` where the same did.
    pub(super) fn describe_late(&self, press: Press) -> Option<String> {
        let counted = |details: &AlertDetails| details.alert.review();
        let is_other = |details: &&AlertDetails| {
            counted(details).is_some_and(|(review, _)| review != press.review())
        };
        let details = self.listed.iter().find(is_other)?;
        let (_, at) = counted(details)?;
        if self.listed.len() > 1 {
            let label = self.label_of_all(press.review(), at);
            return Some(format!(
                "These were answered already, so your “{label}” did nothing."
            ));
        }
        let label = match press {
            Press::TakeBack => TAKE_BACK,
            press => self.label(&details.alert, press.review(), at),
        };
        let how = self.settlement(details)?;
        let how = how.trim_end_matches('.');
        let so = format!("{how}, so your “{label}” did nothing.");
        let is_out = details.session.is_some() && !details.is_signed_in;
        let may_sign_in = self.is_active && !self.acts.is_taken_back_at(at);
        let again = (press == Press::Yes && is_out && may_sign_in)
            .then(|| "If it was you, sign in on it again.".to_owned());
        let parts = [Some(so), self.since(details), again];
        Some(parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
    }

    /// Says how an alert was settled: answered itself, together with another, or by what was done to the
    /// account.
    fn settlement(&self, details: &AlertDetails) -> Option<String> {
        let alert = &details.alert;
        let (review, reviewed_at) = alert.review()?;
        let exact = |at| TimeView::exact(at, self.clock).words;
        let at = exact(reviewed_at);
        let label = match self.is_for_all() {
            true => self.label_of_all(review, reviewed_at),
            false => self.label(details.reviewed(), review, reviewed_at),
        };
        Some(match (&details.settled_by, alert.settled_by) {
            (Some(other), _) if other.is_by_mailbox() => format!(
                "This was settled together with another alert, about a change by whoever reads a former e-mail, on {}. That one was answered “{label}” on {at}.",
                exact(other.at),
            ),
            (Some(other), _) => format!(
                "This was settled together with another alert, about {} on {}. That one was answered “{label}” on {at}.",
                other.device_name,
                exact(other.at),
            ),
            (None, Some(by)) if by == alert.id => {
                format!("This was answered “{label}” on {at}.")
            }
            (None, Some(_)) => format!(
                "This was settled together with another alert, which was answered “{label}” on {at}."
            ),
            (None, None) => format!("This was settled on {at}."),
        })
    }

    /// Returns the label of the button that gave an answer to an alert.
    fn label(&self, alert: &Alert, review: AlertReview, at: Timestamp) -> &'static str {
        let is_change = alert.kind.is_email_change();
        match review {
            AlertReview::Reported if is_change && self.acts.is_taken_back_by_link(at) => TAKE_BACK,
            AlertReview::Reported if alert.kind.is_use() && self.acts.was_live(alert, at) => {
                SIGN_OUT
            }
            review => answer(alert.kind, review),
        }
    }

    /// Returns the label of the button that gave an answer to several alerts.
    fn label_of_all(&self, review: AlertReview, at: Timestamp) -> &'static str {
        let mut listed = self.listed.iter().map(|details| &details.alert);
        let is_sign_in = listed.clone().all(|alert| alert.kind.is_sign_in());
        let is_any_live = listed.clone().any(|alert| self.acts.was_live(alert, at));
        match (review, listed.next()) {
            (AlertReview::Confirmed, _) => YES_TO_ALL,
            (AlertReview::Reported, _) if is_sign_in && is_any_live => SIGN_OUT_ALL,
            (AlertReview::Reported, Some(first)) => answer(first.kind, review),
            (AlertReview::Reported, None) => SIGN_OUT_ALL,
        }
    }

    /// Returns whether several alerts got one answer, each itself.
    fn is_for_all(&self) -> bool {
        let [first, rest @ ..] = self.listed else {
            return false;
        };
        let is_own = |it: &AlertDetails| it.alert.settled_by == Some(it.alert.id);
        let is_same = |it: &AlertDetails| it.alert.review() == first.alert.review();
        !rest.is_empty() && is_own(first) && rest.iter().all(|it| is_own(it) && is_same(it))
    }

    /// Says what the answer to an alert did, and whether its device is signed in.
    fn since(&self, details: &AlertDetails) -> Option<String> {
        let (review, at) = details.alert.review()?;
        let state = self.state(details, at);
        if review == AlertReview::Confirmed {
            return state;
        }
        if self.acts.is_taken_back_at(at) {
            return Some(format!(
                "The account got {} back as its e-mail, every device was signed out, and the old password stopped working.",
                self.email
            ));
        }
        let done = self.describe_ended(details, at);
        let parts: Vec<String> = done
            .into_iter()
            .chain(state.filter(|_| details.is_signed_in))
            .collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// Says whether the device of an alert that was answered at `at` is signed in now.
    fn state(&self, details: &AlertDetails, at: Timestamp) -> Option<String> {
        let subject = details.session.as_ref()?;
        let state = match details.is_signed_in {
            false => "is signed out",
            true if self.acts.has_stayed(subject, at) => "is still signed in",
            true => "is signed in again",
        };
        Some(format!("{} {state}.", details.alert.device_name))
    }

    /// Says what a report signed out: all of that, or on the page of several alerts the device of this one.
    fn describe_ended(&self, details: &AlertDetails, at: Timestamp) -> Option<String> {
        let subject = details.session.as_ref();
        let alert = &details.alert;
        let is_on_it = |it: &Session| subject.is_some_and(|subject| it.is_on_device_of(subject));
        let is_alone = self.listed.len() == 1 && alert.settled_by == Some(alert.id);
        let ended = self.acts.ended_at(at);
        let ended = ended.filter(|it| is_alone || is_on_it(it)).cloned();
        let devices = group_by_device(ended.collect());
        let names = |has_stayed: bool| -> Vec<String> {
            let is_such = |it: &&Session| self.acts.has_stayed(it, at) == has_stayed;
            let firsts = devices.iter().map(DeviceGroup::first).filter(is_such);
            let name = |it: &Session| match is_on_it(it) {
                true => alert.device_name.clone(),
                false => it.label(),
            };
            firsts.map(name).collect()
        };
        let (out, left) = (names(false), names(true));
        let out = match out.len() {
            0 => None,
            1 => Some(format!("{} was signed out.", listed(&out))),
            _ => Some(format!("{} were signed out.", listed(&out))),
        };
        let left = match left.len() {
            0 => None,
            1 => Some(format!("A session on {} was ended.", listed(&left))),
            _ => Some(format!("Sessions on {} were ended.", listed(&left))),
        };
        let over = (devices.is_empty() && subject.is_some() && !details.is_signed_in)
            .then(|| format!("{} was already signed out.", alert.device_name));
        let parts: Vec<String> = [out, left, over].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}
