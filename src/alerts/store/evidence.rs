//! The columns of an alert's evidence, and of what its person did after a report.

use diesel::prelude::*;

use super::{Alert, MAX_OPEN};
use crate::alerts::evidence::UseBefore;
use crate::clock::Timestamp;
use crate::db::schema::alerts;
use crate::db::{AlertId, AnyConnection, SessionId, UserId, cached, first_rows, in_few_sizes};
use crate::error::Result;
use crate::geo::{Place, Point};

/// The columns of the use before a sign-in.
#[derive(Debug, Clone, Default, Queryable, Selectable)]
#[diesel(table_name = alerts)]
pub struct UseBeforeColumns {
    pub(super) before_session_id: Option<SessionId>,
    pub(super) before_device: Option<String>,
    pub(super) before_is_named: Option<bool>,
    pub(super) before_city: Option<String>,
    pub(super) before_country: Option<String>,
    pub(super) before_point: Option<Point>,
    pub(super) before_at: Option<Timestamp>,
    pub(super) before_km: Option<i32>,
    pub(super) before_is_impossible: Option<bool>,
}

/// What a person did about the steps that follow a report.
#[derive(Debug, Clone, Default, Queryable, Selectable)]
#[diesel(table_name = alerts)]
pub struct ReportSteps {
    /// When signing out the other devices was skipped.
    pub others_skipped_at: Option<Timestamp>,
    /// When setting a new password was skipped.
    pub password_skipped_at: Option<Timestamp>,
    /// When checking the e-mail was skipped.
    pub email_skipped_at: Option<Timestamp>,
    /// When the e-mail was confirmed as right.
    pub email_confirmed_at: Option<Timestamp>,
}

/// One thing that a person did about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepRecord {
    /// Signing out the other devices was skipped.
    OthersSkipped,
    /// Setting a new password was skipped.
    PasswordSkipped,
    /// Checking the e-mail was skipped.
    EmailSkipped,
    /// The e-mail is right.
    EmailConfirmed,
}

impl From<UseBefore> for UseBeforeColumns {
    fn from(before: UseBefore) -> Self {
        Self {
            before_session_id: Some(before.session),
            before_device: Some(before.device),
            before_is_named: Some(before.is_named),
            before_city: before.place.city,
            before_country: before.place.country,
            before_point: before.place.point,
            before_at: Some(before.at),
            before_km: Some(before.km),
            before_is_impossible: Some(before.is_impossible),
        }
    }
}

impl UseBeforeColumns {
    /// Returns the use before, if there is one.
    pub(in crate::alerts) fn get(&self) -> Option<UseBefore> {
        Some(UseBefore {
            session: self.before_session_id?,
            device: self.before_device.clone()?,
            is_named: self.before_is_named?,
            place: Place {
                city: self.before_city.clone(),
                country: self.before_country.clone(),
                point: self.before_point,
            },
            at: self.before_at?,
            km: self.before_km?,
            is_impossible: self.before_is_impossible?,
        })
    }
}

/// Records what a person did about a step after reporting an alert. Returns whether they had
/// reported it.
pub(crate) fn record_step(
    c: &mut AnyConnection,
    (user, id): (UserId, AlertId),
    record: StepRecord,
    now: Timestamp,
) -> Result<bool> {
    let reported = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::id.eq(id))
        .filter(alerts::answer.eq(crate::alerts::AlertReview::Reported.as_str()));
    let updated = match record {
        StepRecord::OthersSkipped => diesel::update(reported)
            .set(alerts::others_skipped_at.eq(now))
            .execute(c)?,
        StepRecord::PasswordSkipped => diesel::update(reported)
            .set(alerts::password_skipped_at.eq(now))
            .execute(c)?,
        StepRecord::EmailSkipped => diesel::update(reported)
            .set(alerts::email_skipped_at.eq(now))
            .execute(c)?,
        StepRecord::EmailConfirmed => diesel::update(reported)
            .set(alerts::email_confirmed_at.eq(now))
            .execute(c)?,
    };
    Ok(updated > 0)
}

/// Lists a person's alerts about these sessions of theirs, newest first, at most [`MAX_OPEN`].
pub(crate) fn list_of_sessions(
    c: &mut AnyConnection,
    user: UserId,
    sessions: &[SessionId],
) -> Result<Vec<Alert>> {
    let about = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::session_id.eq_any(in_few_sizes(sessions)))
        .order(alerts::id.desc())
        .select(Alert::as_select());
    Ok(cached(first_rows(about, MAX_OPEN)).load(c)?)
}
