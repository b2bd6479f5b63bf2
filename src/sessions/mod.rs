//! The core: one row for each sign-in on each device. Sessions are created, used, refreshed, ended
//! and expired here and nowhere else; pages, API, command line and jobs all call [`Sessions`].

mod application_use;
mod applications;
mod authority;
mod bound;
pub mod bulk;
mod caller;
mod comparison;
mod create;
mod device_sessions;
mod end;
mod end_source;
mod expire;
mod idle_limits;
mod impossible_travel;
mod last_use;
mod network;
mod new_sign_in;
mod past;
mod past_cookie;
mod per_person;
mod policy;
mod read;
mod refresh;
mod reported;
mod rotation;
pub mod search;
mod session;
mod session_limit;
mod step_up;
pub(crate) mod store;
mod summary;
mod token_reuse;
mod two_places;
mod usage;
mod used_application;
mod values;
mod waiting_sign_ins;

use std::time::Duration;

use self::application_use::ApplicationUses;
pub use self::application_use::Due;
pub use self::applications::SessionApplication;
pub(crate) use self::authority::Authority;
pub use self::bound::{
    Binding, BoundGrant, CookieProof, PasswordGiven, Renewal, SentProof, UnknownSigner,
    UnprovenSession,
};
pub use self::caller::{Authentication, Caller, Claim, Credential, IssuedWith, RefreshClaim};
pub use self::create::{Client, NewSession};
pub use self::device_sessions::DevicesEnd;
pub use self::end::EndOutcome;
pub(crate) use self::end::{end_all, end_one, end_others, end_signed_in_by, record_ended};
pub use self::end_source::EndSource;
pub use self::idle_limits::{Confirmation, IdleChange, IdleLimits};
pub(crate) use self::idle_limits::{IdleUpdate, end_exemption, exempt_sessions};
pub use self::impossible_travel::RecordedTravel;
pub use self::last_use::{
    FlushLastUses, LastUseBuffer, LastUses, RecordLastUse, WriteOutcome, write_last_uses,
};
pub use self::network::NetworkKey;
pub(crate) use self::new_sign_in::{
    are_in_browser, is_from_before_elsewhere, is_on_known_device, is_on_one_device, is_same_device,
    is_same_network,
};
pub use self::past::PastSession;
pub use self::past_cookie::EndedSession;
use self::policy::Policy;
pub use self::read::{HistoryCursor, HistoryPage, any_exists};
pub(crate) use self::reported::{find_sign_in, list_on_reported};
pub(crate) use self::step_up::record_step_up;
pub use self::store::{LastUse, Session};
pub use self::summary::SessionSummary;
pub use self::used_application::{ReachedAs, UsedApplication};
pub use self::values::{EndedReason, Jti, JtiDigest, OpenedVia, SessionPersistence};
use crate::alerts::Alerts;
use crate::clock::Clock;
use crate::db::Db;
use crate::settings::{JobSettings, SessionSettings, TokenSettings};

/// The sessions of the service; clones share its database and buffers.
#[derive(Clone)]
pub struct Sessions {
    db: Db,
    clock: Clock,
    alerts: Alerts,
    policy: Policy,
    last_uses: LastUses,
    application_uses: ApplicationUses,
    /// The last use of a session that would expire within this time is written without buffering.
    flush_margin: Duration,
    sweep_batch: u32,
    refresh_grace: Duration,
    network_key: NetworkKey,
    /// How sessions are bound to browsers, where they are.
    binding: Option<Binding>,
}

impl Sessions {
    /// Returns the sessions in `db`.
    #[must_use]
    pub fn new(
        db: Db,
        clock: Clock,
        alerts: Alerts,
        last_uses: LastUses,
        network_key: NetworkKey,
        (sessions, tokens, jobs): (&SessionSettings, &TokenSettings, &JobSettings),
    ) -> Self {
        Self {
            application_uses: ApplicationUses::new(db.clone()),
            db,
            clock,
            alerts,
            policy: Policy::new(sessions),
            last_uses,
            flush_margin: jobs.flush_interval.saturating_mul(2),
            sweep_batch: jobs.sweep_batch,
            refresh_grace: tokens.refresh_grace,
            network_key,
            binding: None,
        }
    }
}
