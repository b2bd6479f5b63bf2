//! The bounds of settings. The error for one that is out of them contains its key, its value and
//! what is allowed.

use std::fmt::Display;
use std::time::Duration;

use url::Url;
use uuid::Uuid;

use super::Settings;
use super::parse::format_span;
use super::sections::{PasswordSettings, ThrottleSettings};
use crate::error::{Error, Result};

/// Verifies every setting that is not verified when it is read.
///
/// # Errors
/// [`Error::Configuration`] when one is out of its bounds.
pub(super) fn check(settings: &Settings) -> Result<()> {
    check_sessions(settings)?;
    check_passwords(&settings.passwords)?;
    check_throttles(&settings.throttles)?;
    check_accounts(settings)?;
    check_sizes(settings)?;
    check_spans(settings)?;
    check_audience(&settings.tokens.audience)?;
    if let Some(url) = &settings.public_url {
        check_public_url(url)?;
        check_cookie_domain(url, settings.cookie_domain.as_deref())?;
    }
    check_log_filter(&settings.log.filter)
}

/// Verifies the limits of sessions. A last use may be written one flush interval late, so an idle
/// limit must be at least four of them.
fn check_sessions(settings: &Settings) -> Result<()> {
    let s = &settings.sessions;
    let min = settings.jobs.flush_interval.saturating_mul(4);
    for (key, idle, absolute) in [
        ("sessions.idle_limit", s.idle_limit, s.absolute_limit),
        (
            "sessions.remembered_idle_limit",
            s.remembered_idle_limit,
            s.remembered_absolute_limit,
        ),
    ] {
        span_at_least(key, idle, min)?;
        if idle > absolute {
            return Err(invalid(
                key,
                format_span(idle),
                "no more than its absolute limit",
            ));
        }
    }
    check_bound_lifetime(s.bound_lifetime)
}

/// Verifies how long a proof is good. A browser renews it two minutes before its end, and makes six proofs
/// in nine minutes for all services of a site.
fn check_bound_lifetime(lifetime: Duration) -> Result<()> {
    const MIN: Duration = Duration::from_secs(5 * 60);
    const MAX: Duration = Duration::from_secs(60 * 60);

    match lifetime.is_zero() || (MIN..=MAX).contains(&lifetime) {
        true => Ok(()),
        false => Err(invalid(
            "sessions.bound_lifetime",
            format_span(lifetime),
            format!("{} to {}, or 0s", format_span(MIN), format_span(MAX)),
        )),
    }
}

fn check_passwords(p: &PasswordSettings) -> Result<()> {
    at_least("passwords.parallelism", p.parallelism, 1)?;
    at_least("passwords.iterations", p.iterations, 1)?;
    let min_memory = p.parallelism.saturating_mul(8);
    at_least("passwords.memory_kib", p.memory_kib, min_memory)?;
    at_most("passwords.memory_kib", p.memory_kib, 16 * 1024 * 1024)?;
    at_least("passwords.threads", p.threads, 1)?;
    at_most("passwords.threads", p.threads, 1_024)?;
    at_least("passwords.queue", p.queue, 1)?;
    at_most("passwords.queue", p.queue, 1_000_000)
}

fn check_throttles(t: &ThrottleSettings) -> Result<()> {
    const MILLISECOND: Duration = Duration::from_millis(1);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    for (key, burst) in [
        ("throttles.free_failures", t.free_failures),
        ("throttles.network_burst", t.network_burst),
        ("throttles.mail_burst", t.mail_burst),
        ("throttles.node_burst", t.node_burst),
    ] {
        at_least(key, burst, 1)?;
        at_most(key, burst, 1_000_000)?;
    }
    for (key, interval) in [
        ("throttles.network_interval", t.network_interval),
        ("throttles.mail_interval", t.mail_interval),
        ("throttles.node_interval", t.node_interval),
    ] {
        span_at_least(key, interval, MILLISECOND)?;
        if interval > DAY {
            return Err(invalid(key, format_span(interval), "a day or less"));
        }
    }
    at_least("throttles.max_networks", t.max_networks, 1)?;
    at_most("throttles.max_networks", t.max_networks, 10_000_000)
}

fn check_accounts(settings: &Settings) -> Result<()> {
    let sends_mail = settings.mail.sends_mail();
    match settings.accounts.require_verified_email && !sends_mail {
        true => Err(invalid(
            "accounts.require_verified_email",
            "true",
            "true only with mail.host, since nobody could verify an e-mail without mail",
        )),
        false => Ok(()),
    }
}

fn check_sizes(settings: &Settings) -> Result<()> {
    let connections = settings.database.connections;
    at_least("database.connections", connections, 1)?;
    at_most("database.connections", connections, 10_000)?;
    at_least("jobs.sweep_batch", settings.jobs.sweep_batch, 1)
}

fn check_spans(settings: &Settings) -> Result<()> {
    const TENTH: Duration = Duration::from_millis(100);
    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(60 * 60);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    let (jobs, accounts) = (&settings.jobs, &settings.accounts);
    for (key, span, min) in [
        ("jobs.sweep_interval", jobs.sweep_interval, SECOND),
        ("jobs.flush_interval", jobs.flush_interval, TENTH),
        ("jobs.mail_interval", jobs.mail_interval, TENTH),
        ("jobs.places_interval", jobs.places_interval, SECOND),
        ("jobs.bulk_interval", jobs.bulk_interval, TENTH),
        (
            "tokens.access_lifetime",
            settings.tokens.access_lifetime,
            SECOND,
        ),
        ("mail.timeout", settings.mail.timeout, SECOND),
        (
            "database.connect_timeout",
            settings.database.connect_timeout,
            TENTH,
        ),
        ("events.retention", settings.events.retention, DAY),
        ("accounts.take_back_window", accounts.take_back_window, HOUR),
        ("accounts.reset_lifetime", accounts.reset_lifetime, MINUTE),
    ] {
        span_at_least(key, span, min)?;
    }
    Ok(())
}

/// Verifies that access tokens for the service can be told from those for an application, whose
/// audience is its id.
fn check_audience(audience: &str) -> Result<()> {
    match Uuid::try_parse(audience) {
        Err(_) => Ok(()),
        Ok(_) => Err(invalid(
            "tokens.audience",
            audience,
            "any text but a UUID, which is the audience of an application",
        )),
    }
}

/// Verifies that browsers take a cookie of this domain from the host of `url`.
fn check_cookie_domain(url: &Url, domain: Option<&str>) -> Result<()> {
    let host = url.host_str().unwrap_or_default();
    let covers = |domain: &str| {
        let rest = host.strip_suffix(domain);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    match domain {
        Some(domain) if !covers(domain) => Err(invalid(
            "cookie_domain",
            domain,
            "the host of public_url or a domain that it belongs to",
        )),
        _ => Ok(()),
    }
}

fn check_public_url(url: &Url) -> Result<()> {
    let is_origin =
        matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none();
    match is_origin {
        true => Ok(()),
        false => Err(invalid(
            "public_url",
            url,
            "http:// or https:// and a host, with no path",
        )),
    }
}

fn check_log_filter(filter: &str) -> Result<()> {
    match filter.parse::<tracing_subscriber::filter::EnvFilter>() {
        Ok(_) => Ok(()),
        Err(_) => Err(invalid(
            "log.filter",
            filter,
            "a level (info) or directives (info,rollcall::jobs=debug)",
        )),
    }
}

fn at_least<N: PartialOrd + Display>(key: &str, value: N, min: N) -> Result<()> {
    match value >= min {
        true => Ok(()),
        false => Err(invalid(key, value, format!("{min} or more"))),
    }
}

fn at_most<N: PartialOrd + Display>(key: &str, value: N, max: N) -> Result<()> {
    match value <= max {
        true => Ok(()),
        false => Err(invalid(key, value, format!("{max} or less"))),
    }
}

fn span_at_least(key: &str, value: Duration, min: Duration) -> Result<()> {
    match value >= min {
        true => Ok(()),
        false => Err(invalid(
            key,
            format_span(value),
            format!("{} or more", format_span(min)),
        )),
    }
}

pub(super) fn invalid(key: &str, value: impl Display, allowed: impl Display) -> Error {
    Error::Configuration(
        format!("the configuration is wrong: {key} is {value}; allowed: {allowed}").into(),
    )
}
