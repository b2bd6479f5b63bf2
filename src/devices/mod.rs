//! Which device it is: what a user agent tells, where a request comes from, and what to call it.
//! Everything here comes from outside and is taken as hostile text.

pub mod address;
mod facts;
pub mod hints;
mod kind;
pub mod naming;
mod parser;
mod place;
mod places;
pub(crate) mod store;

pub use self::facts::{DeviceFacts, DeviceKind};
pub use self::hints::ClientHints;
pub use self::parser::{DeviceParser, PatternError};
pub use self::place::{Location, Place, Point};
pub use self::places::{EdgeHeaders, PlaceError, Places};
pub use self::store::KnownDevice;
