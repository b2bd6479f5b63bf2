//! The location of a client: its IP address and the place of that address.

use super::place::Place;
use crate::net::IpRetention;

/// Where a request comes from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Location {
    /// The address in canonical text.
    pub ip: Option<String>,
    /// The place of the address.
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
