//! The location of a client: its address and the place of that.

use super::place::Place;
use crate::net::IpRetention;

/// Where a request comes from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Location {
    /// The address in canonical text.
    pub ip: Option<String>,
    /// The place of that address.
    pub place: Place,
}

impl Location {
    /// Returns the location with as much of its address as `retention` allows.
    #[must_use]
    pub fn redacted(self, retention: IpRetention) -> Self {
        Self {
            ip: self.ip.and_then(|ip| retention.redact(&ip)),
            ..self
        }
    }
}
