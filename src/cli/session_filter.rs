//! The options of commands that say which sessions: the parts of a filter, by the names that the
//! administrator's pages and the API give them.

use clap::Args;
use clap::builder::PossibleValuesParser;
use strum::VariantNames;

use super::error::{Result, invalid_or_service};
use crate::sessions::search::{BoundFilter, Mark, SessionFilter, StateFilter};
use crate::user_agent::DeviceKind;

/// The ids of the options.
pub(super) const OPTIONS: [&str; 15] = [
    "user",
    "state",
    "kind",
    "browser",
    "os",
    "country",
    "ip",
    "application",
    "mark",
    "bound",
    "opened_from",
    "opened_to",
    "used_from",
    "used_to",
    "q",
];

/// Which sessions. Those that satisfy every option that is there.
#[derive(Debug, Default, Args)]
#[group(id = "filter", multiple = true)]
#[command(next_help_heading = "Which sessions")]
pub(super) struct FilterArgs {
    /// Their owner, by e-mail or id
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// Their state [default: live]
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(StateFilter::VARIANTS))]
    state: Option<String>,
    /// The kind of their device
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(DeviceKind::VARIANTS))]
    kind: Option<String>,
    /// Their browser
    #[arg(long, value_name = "NAME")]
    browser: Option<String>,
    /// Their operating system
    #[arg(long, value_name = "NAME")]
    os: Option<String>,
    /// The country where they were last used, by its English name or its code
    #[arg(long, value_name = "COUNTRY")]
    country: Option<String>,
    /// The address where they were last used, or its network: 203.0.113.0/24
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,
    /// The application of their owner, by name or id
    #[arg(long, value_name = "APPLICATION")]
    application: Option<String>,
    /// What is unusual about them
    #[arg(long, value_name = "MARK", value_parser = PossibleValuesParser::new(Mark::VARIANTS))]
    mark: Option<String>,
    /// Whether they are bound to their browser
    #[arg(long, value_name = "BOUND", value_parser = PossibleValuesParser::new(BoundFilter::VARIANTS))]
    bound: Option<String>,
    /// Signed in at this time or later: 2026-11-01, a time of RFC 3339, or 90d for so long ago
    #[arg(long, value_name = "TIME")]
    opened_from: Option<String>,
    /// Signed in before this time
    #[arg(long, value_name = "TIME")]
    opened_to: Option<String>,
    /// Last used at this time or later
    #[arg(long, value_name = "TIME")]
    used_from: Option<String>,
    /// Last used before this time
    #[arg(long, value_name = "TIME")]
    used_to: Option<String>,
    /// A text in the e-mail, name or subject of their owner, or in the name of their device
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
}

impl FilterArgs {
    /// Returns the filter that the options make, with `ended_reason` as its `reason`: the option of
    /// that name is the command's own, since a command that ends sessions has a reason to state.
    ///
    /// # Errors
    /// [`CliError::Invalid`](super::error::CliError::Invalid) with every option that is not as it
    /// must be.
    pub(super) fn filter(&self, ended_reason: Option<&str>) -> Result<SessionFilter> {
        let pairs = self.values().into_iter().chain([("reason", ended_reason)]);
        let given = pairs.filter_map(|(name, value)| Some((name, value?)));
        SessionFilter::parse_order(given).map_err(invalid_or_service)
    }

    /// Returns the person, where that is the only option that is there.
    pub(super) fn only_user(&self) -> Option<&str> {
        let given = self
            .values()
            .iter()
            .filter(|(_, value)| value.is_some())
            .count();
        self.user.as_deref().filter(|_| given == 1)
    }

    fn values(&self) -> [(&'static str, Option<&str>); 15] {
        let [
            user,
            state,
            kind,
            browser,
            os,
            country,
            ip,
            application,
            mark,
            bound,
            opened_from,
            opened_to,
            used_from,
            used_to,
            q,
        ] = OPTIONS;
        [
            (user, self.user.as_deref()),
            (state, self.state.as_deref()),
            (kind, self.kind.as_deref()),
            (browser, self.browser.as_deref()),
            (os, self.os.as_deref()),
            (country, self.country.as_deref()),
            (ip, self.ip.as_deref()),
            (application, self.application.as_deref()),
            (mark, self.mark.as_deref()),
            (bound, self.bound.as_deref()),
            (opened_from, self.opened_from.as_deref()),
            (opened_to, self.opened_to.as_deref()),
            (used_from, self.used_from.as_deref()),
            (used_to, self.used_to.as_deref()),
            (q, self.q.as_deref()),
        ]
    }
}
