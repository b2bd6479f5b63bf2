//! Which device it is: what a user agent tells, where a request comes from, and what to call it.
//! Everything here comes from outside and is taken as hostile text.

pub mod address;
mod facts;
pub mod hints;
mod kind;
pub mod naming;
mod parser;

pub use self::facts::{DeviceFacts, DeviceKind};
pub use self::hints::ClientHints;
pub use self::parser::{DeviceParser, PatternError};
