//! Accounts: the changes that concern a person, their sessions and their alerts together. Each is
//! one transaction.

mod about;
mod administration;
mod after_report;
mod alert_details;
mod alert_preview;
mod alert_review;
mod answers;
mod applications;
mod assignment;
mod attention;
mod closing;
mod credentials;
mod device_names;
mod doubt;
mod earlier_reports;
mod emails;
mod exemption;
mod export;
mod exported_session;
mod forgotten_password;
mod invitations;
mod last_admin;
mod linked_message;
mod links;
mod messages;
mod own_password;
mod refusals;
mod rendering;
mod report_steps;
mod reported_group;
mod review_record;
mod security_log;
mod settings;
mod take_back;
mod travels;
mod trust;
mod used_links;
mod verification;

use std::time::Duration;

pub use self::administration::{AccountChanges, Administered};
pub use self::after_report::StepAct;
pub use self::alert_details::{AlertDetails, ReviewOutcome};
pub use self::alert_preview::ReportPreview;
pub use self::alert_review::RevokeScope;
pub use self::answers::AnswerActs;
pub use self::applications::record_service_keys;
pub use self::assignment::Assignment;
pub use self::attention::{Attention, Withheld};
pub use self::device_names::Doubts;
pub use self::earlier_reports::EarlierReport;
pub use self::emails::{
    ChangeRequested, PendingVerification, Resent, SignedUp, VERIFICATION_LIFETIME,
};
pub use self::export::Export;
pub use self::forgotten_password::{OpenReset, ResetPurpose, discard_sent_links};
pub use self::invitations::{INVITATION_LIFETIME, Invitation, InvitationLink};
pub use self::linked_message::{LinkedMessage, Mailbox, PasswordGrant, Reported, UnchangedEmail};
pub use self::own_password::OwnPassword;
pub use self::refusals::RefusalRecorder;
pub use self::rendering::Messages;
pub use self::report_steps::{AfterReport, FirstStep, StepState};
pub use self::security_log::{
    EventFilter, EventFollower, EventLogPage, EventLogQuery, EventRecord, LoggedEvent,
    event_address,
};
pub use self::take_back::TakenBack;
pub use self::travels::SessionTravel;
pub use self::verification::{Declined, PendingEmail, Verified};
use crate::alerts::Alerts;
use crate::clock::Clock;
use crate::db::Db;
use crate::sessions::Sessions;
use crate::settings::AccountSettings;

/// The accounts of the service; clones share its database.
#[derive(Clone)]
pub struct Accounts {
    db: Db,
    clock: Clock,
    alerts: Alerts,
    sessions: Sessions,
    policy: Policy,
}

/// The rules of the service for accounts, from its settings.
#[derive(Debug, Clone)]
struct Policy {
    require_verified_email: bool,
    take_back_window: Duration,
    reset_lifetime: Duration,
}

impl Accounts {
    /// Returns the accounts in `db`, with their alerts and sessions.
    #[must_use]
    pub fn new(
        db: Db,
        clock: Clock,
        alerts: Alerts,
        sessions: Sessions,
        settings: &AccountSettings,
    ) -> Self {
        Self {
            db,
            clock,
            alerts,
            sessions,
            policy: Policy {
                require_verified_email: settings.require_verified_email,
                take_back_window: settings.take_back_window,
                reset_lifetime: settings.reset_lifetime,
            },
        }
    }

    /// Returns whether the service sends messages.
    #[must_use]
    pub fn sends_mail(&self) -> bool {
        self.alerts.is_mailing()
    }

    /// Returns whether nobody signs in with a password before their e-mail is verified.
    #[must_use]
    pub fn requires_verified_email(&self) -> bool {
        self.policy.require_verified_email
    }

    /// Returns how long a link for a new password is valid.
    #[must_use]
    pub fn reset_lifetime(&self) -> Duration {
        self.policy.reset_lifetime
    }
}
