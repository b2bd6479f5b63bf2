//! `GET /api/v1/admin/overview`: how the service is doing, with the figures of the page.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use crate::clock::{TimeZone, Timestamp};
use crate::db::UserId;
use crate::error::Result;
use crate::http::admin_caller::AuditApiCaller;
use crate::http::app_state::AppState;
use crate::listing::refuse_parts;
use crate::nodes::{JobReport, Node};
use crate::overview::{
    Breakdown, Figures, LabelCount, MAX_MESSAGES, Oddity, PeopleCount, RefusalPeriod,
    ThrottledAccount,
};

#[derive(Serialize)]
struct OverviewJson {
    at: Timestamp,
    is_behind: bool,
    live_sessions: i64,
    /// `null` while they have not been counted.
    live_people: Option<i64>,
    live_people_counted_at: Option<Timestamp>,
    sign_ins_by_hour: Vec<PeriodJson>,
    sign_ins_by_day: Vec<PeriodJson>,
    ended_by_reason: Vec<LabelJson>,
    token_reuses: i64,
    alerts_by_kind: Vec<LabelJson>,
    live_by_kind: BreakdownJson,
    live_by_browser: BreakdownJson,
    live_by_os: BreakdownJson,
    live_by_country: BreakdownJson,
    refusals_by_hour: Vec<RefusalsJson>,
    refusals_by_day: Vec<RefusalsJson>,
    /// Of the last 24 hours, as the next two.
    refusals_by_kind: Vec<LabelJson>,
    throttled_accounts: Vec<ThrottledAccountJson>,
    throttled_networks: Vec<ThrottledNetworkJson>,
    mail: MailJson,
    nodes: Vec<NodeJson>,
    oddities: Vec<OddityJson>,
}

#[derive(Serialize)]
struct PeriodJson {
    from: Timestamp,
    sign_ins: i64,
}

#[derive(Serialize)]
struct LabelJson {
    /// `null` where it is not known.
    name: Option<String>,
    total: i64,
}

#[derive(Serialize)]
struct BreakdownJson {
    top: Vec<LabelJson>,
    others: i64,
}

/// How often something was refused, and on how many accounts and from how many networks tries were
/// throttled.
#[derive(Serialize)]
struct RefusalsJson {
    from: Timestamp,
    failed_passwords: i64,
    throttled: i64,
    others: i64,
    throttled_accounts: i64,
    throttled_networks: i64,
}

#[derive(Serialize)]
struct ThrottledAccountJson {
    user_id: UserId,
    /// `null` if it is not known, or the account is deleted.
    user_email: Option<String>,
    /// How many tries were throttled.
    times: i64,
    /// Whether the next try may have to wait.
    may_have_to_wait: bool,
}

#[derive(Serialize)]
struct ThrottledNetworkJson {
    /// An IPv4 address or an IPv6 network.
    network: String,
    times: i64,
}

#[derive(Serialize)]
struct MailJson {
    waiting: usize,
    failed: usize,
    /// Whether there are more of one of them than are counted.
    is_more: bool,
}

#[derive(Serialize)]
struct NodeJson {
    name: String,
    listen: String,
    version: String,
    started_at: Timestamp,
    seen_at: Timestamp,
    clock_offset_ms: i64,
    jobs: Vec<JobJson>,
}

#[derive(Serialize)]
struct JobJson {
    name: String,
    started_at: Option<Timestamp>,
    took_ms: u64,
    outcome: String,
    has_failed: bool,
    next_at: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum OddityJson {
    SharedAddress {
        ip_address: String,
        percent: usize,
    },
    ClockOff {
        node: String,
        offset_ms: i64,
    },
    DifferentVersions {
        versions: Vec<String>,
    },
    MailFailing {
        failed: usize,
        retried: usize,
    },
    FailedTries {
        from: Timestamp,
        times: i64,
        usual_times: i64,
    },
}

/// Returns the overview.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) when the query has any part;
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn show(
    app: web::Data<AppState>,
    _: AuditApiCaller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
    let overview = app.overview.read(TimeZone::UTC).await?;
    let throttled = overview.refusals.accounts.iter();
    let delayed = app
        .throttles
        .list_delayed(throttled.map(|account| account.id).collect())
        .await?;
    Ok(HttpResponse::Ok().json(OverviewJson::new(overview, &delayed)))
}

impl OverviewJson {
    fn new(figures: Figures, delayed: &[UserId]) -> Self {
        let (people, counted_at) = match figures.live_people {
            PeopleCount::Now(n) => (Some(n), Some(figures.at)),
            PeopleCount::Earlier(counted) => (Some(counted.total), Some(counted.at)),
            PeopleCount::Unknown => (None, None),
        };
        Self {
            at: figures.at,
            is_behind: figures.is_behind,
            live_sessions: figures.live_sessions,
            live_people: people,
            live_people_counted_at: counted_at,
            token_reuses: figures.token_reuses(),
            sign_ins_by_hour: periods(figures.sign_ins_by_hour),
            sign_ins_by_day: periods(figures.sign_ins_by_day),
            ended_by_reason: labels(figures.ends),
            alerts_by_kind: labels(figures.alerts),
            live_by_kind: figures.by_kind.into(),
            live_by_browser: figures.by_browser.into(),
            live_by_os: figures.by_os.into(),
            live_by_country: figures.by_country.into(),
            refusals_by_hour: refusals(&figures.refusals.by_hour),
            refusals_by_day: refusals(&figures.refusals.by_day),
            refusals_by_kind: labels(figures.refusals.by_kind),
            throttled_accounts: throttled_accounts(figures.refusals.accounts, delayed),
            throttled_networks: throttled_networks(figures.refusals.networks),
            mail: MailJson {
                waiting: figures.mail.waiting.min(MAX_MESSAGES),
                failed: figures.mail.failed.min(MAX_MESSAGES),
                is_more: figures.mail.waiting.max(figures.mail.failed) > MAX_MESSAGES,
            },
            nodes: figures.nodes.into_iter().map(NodeJson::from).collect(),
            oddities: figures.oddities.into_iter().map(OddityJson::from).collect(),
        }
    }
}

fn periods(periods: Vec<(Timestamp, i64)>) -> Vec<PeriodJson> {
    let json = |(from, sign_ins)| PeriodJson { from, sign_ins };
    periods.into_iter().map(json).collect()
}

fn refusals(periods: &[RefusalPeriod]) -> Vec<RefusalsJson> {
    let json = |period: &RefusalPeriod| RefusalsJson {
        from: period.from,
        failed_passwords: period.failed_passwords,
        throttled: period.throttled,
        others: period.others,
        throttled_accounts: period.throttled_accounts,
        throttled_networks: period.throttled_networks,
    };
    periods.iter().map(json).collect()
}

fn throttled_accounts(
    accounts: Vec<ThrottledAccount>,
    delayed: &[UserId],
) -> Vec<ThrottledAccountJson> {
    let json = |account: ThrottledAccount| ThrottledAccountJson {
        user_id: account.id,
        user_email: account
            .person
            .and_then(|person| person.known_email().map(str::to_owned)),
        times: account.tries,
        may_have_to_wait: delayed.contains(&account.id),
    };
    accounts.into_iter().map(json).collect()
}

fn throttled_networks(networks: Vec<LabelCount>) -> Vec<ThrottledNetworkJson> {
    let json = |LabelCount { label, total }| ThrottledNetworkJson {
        network: label,
        times: total,
    };
    networks.into_iter().map(json).collect()
}

fn labels(labels: Vec<LabelCount>) -> Vec<LabelJson> {
    let json = |LabelCount { label, total }| LabelJson {
        name: Some(label).filter(|label| !label.is_empty()),
        total,
    };
    labels.into_iter().map(json).collect()
}

impl From<Breakdown> for BreakdownJson {
    fn from(breakdown: Breakdown) -> Self {
        Self {
            top: labels(breakdown.top),
            others: breakdown.others,
        }
    }
}

impl From<Node> for NodeJson {
    fn from(node: Node) -> Self {
        Self {
            name: node.name,
            listen: node.listen,
            version: node.version,
            started_at: node.started_at,
            seen_at: node.seen_at,
            clock_offset_ms: node.clock_offset_ms,
            jobs: node.jobs.into_iter().map(JobJson::from).collect(),
        }
    }
}

impl From<JobReport> for JobJson {
    fn from(report: JobReport) -> Self {
        Self {
            started_at: report.started_at(),
            next_at: report.next_at(),
            name: report.name,
            took_ms: report.took_ms,
            outcome: report.outcome,
            has_failed: report.has_failed,
        }
    }
}

impl From<Oddity> for OddityJson {
    fn from(oddity: Oddity) -> Self {
        match oddity {
            Oddity::SharedAddress { ip, percent, .. } => Self::SharedAddress {
                ip_address: ip,
                percent,
            },
            Oddity::ClockOff { node, offset_ms } => Self::ClockOff { node, offset_ms },
            Oddity::DifferentVersions(versions) => Self::DifferentVersions { versions },
            Oddity::MailFailing { failed, retried } => Self::MailFailing { failed, retried },
            Oddity::FailedTries { from, tries, usual } => Self::FailedTries {
                from,
                times: tries,
                usual_times: usual,
            },
        }
    }
}
