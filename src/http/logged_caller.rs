//! Who a request authenticated as, for its line of the log. It is recorded where that is found out, and
//! so costs no query; what a request only claims is never part of it.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;

use actix_web::{HttpMessage, HttpRequest};

use super::app_state::app_state;
use super::client::client_ip;
use crate::applications::ApiClient;
use crate::db::{ApiKeyId, ApplicationId, SessionId, UserId};
use crate::net::IpRetention;
use crate::sessions::{Caller, Session};

/// Who a request is from, as far as that is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LoggedCaller {
    /// The person.
    pub user: Option<UserId>,
    /// The session that authenticated them, or that the request opened.
    pub session: Option<SessionId>,
    /// The application whose key authenticated it.
    pub application: Option<ApplicationId>,
    /// That key.
    pub key: Option<ApiKeyId>,
    /// How much of the client's address the choice of the person leaves.
    retention: IpRetention,
}

/// The caller in a request; clones share it, so that the log has it when the request is gone.
#[derive(Clone, Default)]
pub(super) struct CallerRecord(Rc<RefCell<LoggedCaller>>);

impl CallerRecord {
    /// Returns what was recorded until now.
    pub(super) fn get(&self) -> LoggedCaller {
        *self.0.borrow()
    }
}

impl LoggedCaller {
    /// Returns as much of the client's address as the log may have, by the setting and by the choice of
    /// the person.
    pub(super) fn address(self, client: &LoggedClient) -> Option<String> {
        client.at_most.max(self.retention).display(client.ip?)
    }

    fn forbid(&mut self, retention: IpRetention) {
        self.retention = self.retention.max(retention);
    }
}

/// The client of a request: its address, and how much of it the log has at most.
pub(super) struct LoggedClient {
    ip: Option<IpAddr>,
    at_most: IpRetention,
}

impl LoggedClient {
    pub(super) fn of(request: &HttpRequest) -> Self {
        let at_most = app_state(request).map_or(IpRetention::None, |app| app.log_addresses);
        Self {
            ip: client_ip(request),
            at_most,
        }
    }
}

/// Returns who a request was found to be from until now.
pub(super) fn recorded(request: &HttpRequest) -> LoggedCaller {
    let extensions = request.extensions();
    let record = extensions.get::<CallerRecord>();
    record.map(CallerRecord::get).unwrap_or_default()
}

/// Records that `caller` was found live.
pub(super) fn record_caller(request: &HttpRequest, caller: &Caller) {
    update(request, |logged| {
        logged.user = Some(caller.user.id);
        logged.session = Some(caller.session.id);
        logged.forbid(caller.user.ip_retention);
    });
}

/// Records that the request has the key of `client`.
pub(super) fn record_key(request: &HttpRequest, client: &ApiClient) {
    update(request, |logged| {
        logged.application = Some(client.application.id);
        logged.key = Some(client.key.id);
    });
}

/// Records that the request opened or renewed `session`.
pub fn record_session(request: &HttpRequest, session: &Session) {
    let ip = client_ip(request).map(|ip| ip.to_string());
    update(request, |logged| {
        logged.user = Some(session.user_id);
        logged.session = Some(session.id);
        // An application calls from its own address, not from that of the person.
        if logged.key.is_none() {
            logged.forbid(retention_of(session, ip.as_deref()));
        }
    });
}

/// Returns how much of `ip` the log may have, by what the row of its session has: the choice of the
/// person itself would cost a query. Of an address that isn't the row's it is the network at most.
fn retention_of(session: &Session, ip: Option<&str>) -> IpRetention {
    match session.ip_address.as_deref() {
        None => IpRetention::None,
        stored if stored == ip => IpRetention::Whole,
        Some(_) => IpRetention::Shortened,
    }
}

fn update(request: &HttpRequest, change: impl FnOnce(&mut LoggedCaller)) {
    if let Some(record) = request.extensions().get::<CallerRecord>() {
        change(&mut record.0.borrow_mut());
    }
}
