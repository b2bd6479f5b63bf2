//! Assembles the state of the application.

use std::sync::Arc;

use super::places;
use super::prepared::Prepared;
use crate::account::{Accounts, RefusalRecorder};
use crate::alerts::Alerts;
use crate::applications::Applications;
use crate::clock::Clock;
use crate::db::Db;
use crate::devices::Devices;
use crate::error::Result;
use crate::events::{Changes, EventRetention, Refusals};
use crate::http::app_state::{AppState, SamplePerson, SetupLink};
use crate::http::cookie_seal::CookieSeal;
use crate::http::cookies::CookieConfig;
use crate::http::csrf::CsrfKey;
use crate::http::notice_cookies::NoticeCookies;
use crate::http::session_cookies::SessionCookies;
use crate::http::site::SiteLook;
use crate::http::target::AllowedHosts;
use crate::jobs;
use crate::keys::{KeyRing, Purpose};
use crate::mail::MessageLinks;
use crate::net::TrustedProxies;
use crate::overview::Overview;
use crate::people::{Hasher, People};
use crate::sessions::{Binding, NetworkKey, Sessions};
use crate::settings::Settings;
use crate::throttles::{AddressKey, Throttles};
use crate::tokens::Tokens;

/// The modules of the domain that know each other.
struct Domain {
    accounts: Accounts,
    alerts: Alerts,
    people: People,
    refusals: Refusals,
    sessions: Sessions,
    throttles: Throttles,
}

impl Domain {
    fn new(settings: &Settings, db: &Db, clock: &Clock, keys: &KeyRing, hasher: Hasher) -> Self {
        let alerts = Alerts::new(db.clone(), clock.clone(), settings);
        let sessions = sessions(settings, (db, clock, keys), alerts.clone());
        let refusals = Refusals::new(clock.clone());
        let throttles = Throttles::new(
            (db.clone(), clock.clone()),
            AddressKey::new(keys.mac_keys(Purpose::ThrottleDigest)),
            refusals.clone(),
            &settings.throttles,
        );
        let people = People::new(
            db.clone(),
            clock.clone(),
            hasher,
            throttles.clone(),
            settings,
        );
        let accounts = Accounts::new(
            db.clone(),
            clock.clone(),
            alerts.clone(),
            sessions.clone(),
            &settings.accounts,
        );
        Self {
            accounts,
            alerts,
            people,
            refusals,
            sessions,
            throttles,
        }
    }
}

fn sessions(
    settings: &Settings,
    (db, clock, keys): (&Db, &Clock, &KeyRing),
    alerts: Alerts,
) -> Sessions {
    Sessions::new(
        db.clone(),
        clock.clone(),
        alerts,
        jobs::start_last_use_writer(db.clone()),
        NetworkKey::new(keys.mac_keys(Purpose::NetworkDigest)),
        (&settings.sessions, &settings.tokens, &settings.jobs),
    )
    .with_binding(Binding::new(keys, settings))
}

/// Assembles the state of a server that people reach at `origin`.
///
/// # Errors
/// [`Error::Internal`](crate::Error::Internal) when a key can't be used.
pub(super) fn assemble(
    settings: &Settings,
    prepared: &Prepared,
    (db, clock, keys): (Db, Clock, KeyRing),
    origin: String,
    sample_people: Vec<SamplePerson>,
) -> Result<AppState> {
    let domain = Domain::new(settings, &db, &clock, &keys, prepared.hasher.clone());
    let seal = |purpose| CookieSeal::new(keys.clone(), purpose);
    let device_parser = prepared.device_parser.clone();
    Ok(AppState {
        accounts: domain.accounts,
        alerts: domain.alerts,
        people: domain.people,
        sessions: domain.sessions,
        throttles: domain.throttles,
        refusals: RefusalRecorder::new(db.clone(), domain.refusals, device_parser.clone()),
        links: Arc::new(MessageLinks::new(&keys, origin.clone())),
        applications: Applications::new(db.clone(), clock.clone()),
        event_retention: EventRetention::new(db.clone(), clock.clone(), settings),
        changes: Changes::new(db.clone(), clock.clone(), settings.max_event_streams),
        devices: Devices::new(db.clone(), clock.clone(), settings.jobs.sweep_batch),
        overview: Overview::new(db.clone(), clock.clone()),
        tokens: Arc::new(Tokens::new(keys.clone(), &settings.tokens, origin.clone())),
        device_parser,
        places: places::open(&settings.places),
        edge_headers: places::edge_headers(&settings.places),
        trusted_proxies: TrustedProxies::new(&settings.trusted_proxies, settings.trusted_header),
        log_addresses: settings.log.addresses.into(),
        allowed_hosts: AllowedHosts::new(&settings.forward_auth.allowed_hosts, settings.is_https()),
        cookies: cookies(settings, &origin),
        origin,
        reset_lifetime: settings.accounts.reset_lifetime,
        csrf_key: CsrfKey::new(&keys),
        session_cookies: SessionCookies::new(keys.clone())?,
        notice_cookies: NoticeCookies::new(keys.clone()),
        forward_seal: seal(Purpose::ForwardCookie),
        device_seal: seal(Purpose::DeviceCookie),
        onward_seal: seal(Purpose::OnwardCookie),
        form_seal: seal(Purpose::UnsentForm),
        site: Arc::new(SiteLook::new(&prepared.site)),
        sample_people,
        sign_up: settings.sign_up,
        is_https: settings.is_https(),
        setup: SetupLink::default(),
        clock,
        db,
        keys,
    })
}

fn cookies(settings: &Settings, origin: &str) -> CookieConfig {
    let domain = settings.cookie_domain.as_deref();
    CookieConfig::new(&settings.cookie_prefix, origin, domain)
}
