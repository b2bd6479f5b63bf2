//! User agents: what a user agent and the client hints beside it say of a device, and what to call
//! the device. Both come from outside and are treated as hostile text.

mod facts;
mod hints;
mod kind;
mod naming;
mod parser;

pub use self::facts::{DeviceFacts, DeviceKind};
pub use self::hints::{ACCEPT_CH, Brand, ClientHints};
pub use self::naming::device_label;
pub use self::parser::{DeviceParser, PatternError};
