//! The form of an application: its name, its kind and its hosts.

use serde::Deserialize;
use strum::VariantArray;

use super::fields::Choice;
use crate::applications::{Application, ApplicationKind, HostNames, NewApplication};
use crate::error::Error;
use crate::http::target::AllowedHosts;
use crate::pages::shown_name;

/// The form of a new application, and of one that is changed.
#[derive(Deserialize, Default)]
pub struct ApplicationForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    hosts: String,
    /// The name that the form of an application showed.
    shown_name: Option<String>,
}

/// The form, as it was filled in.
pub(super) struct ApplicationFormView {
    pub(super) name: String,
    pub(super) kinds: Vec<Choice>,
    pub(super) hosts: String,
    /// The name that it shows the application to have.
    pub(super) shown: Option<String>,
    /// Whether it is shown unfolded, since it has to be filled in otherwise.
    pub(super) is_open: bool,
}

impl ApplicationForm {
    /// Says that the name was changed from the one that the form showed to `now`, if it was.
    pub(super) fn conflict(&self, now: &str) -> Option<String> {
        shown_name::conflict(self.shown_name.as_deref(), now, &self.name)
    }

    /// Returns whether it states the name that it showed.
    pub(super) fn is_of_page(&self) -> bool {
        self.shown_name.is_some()
    }

    /// Returns what the form describes, or what has to be filled in otherwise.
    pub(super) fn parse(&self, allowed: &AllowedHosts) -> Result<NewApplication, String> {
        const NAME: &str =
            "Give the application a name of at most 255 characters. An id can’t be a name.";

        let name = self.name.parse().map_err(|_| NAME)?;
        let kind = match self.kind.as_str() {
            "" => ApplicationKind::default(),
            kind => kind
                .parse()
                .map_err(|_| "Choose what the application is.")?,
        };
        let hosts: HostNames = self.hosts.parse().map_err(|err| describe(&err))?;
        match hosts.as_slice().iter().find(|host| !allowed.contains(host)) {
            Some(host) => Err(format!(
                "Forward-auth does not admit {host}: it is not one of forward_auth.allowed_hosts in the settings."
            )),
            None => Ok(NewApplication { name, kind, hosts }),
        }
    }
}

impl ApplicationFormView {
    /// Returns the form as it was filled in.
    pub(super) fn new(form: &ApplicationForm) -> Self {
        Self {
            name: form.name.clone(),
            kinds: kinds(&form.kind),
            hosts: form.hosts.clone(),
            shown: form.shown_name.clone(),
            is_open: !form.name.is_empty() || !form.hosts.is_empty(),
        }
    }

    /// Returns the form of an application as it is.
    pub(super) fn of(application: &Application) -> Self {
        Self {
            name: application.name.clone(),
            kinds: kinds(application.kind.as_str()),
            hosts: application.hosts().collect::<Vec<_>>().join(" "),
            shown: Some(application.name.clone()),
            is_open: false,
        }
    }
}

/// Returns what an application is, in words.
pub(super) fn kind_words(kind: ApplicationKind) -> &'static str {
    match kind {
        ApplicationKind::Service => "Service",
        ApplicationKind::Website => "Website",
    }
}

fn kinds(chosen: &str) -> Vec<Choice> {
    let choice = |kind: &ApplicationKind| {
        let value = kind.as_str();
        Choice::new(value, kind_words(*kind), value == chosen)
    };
    ApplicationKind::VARIANTS.iter().map(choice).collect()
}

fn describe(err: &Error) -> String {
    let Error::Invalid(fields) = err else {
        return err.to_string();
    };
    let messages = fields.iter().map(|field| field.message.as_str());
    format!("The hosts: {}.", messages.collect::<Vec<_>>().join(", "))
}
