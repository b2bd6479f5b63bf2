//! User agents: the facts that a user agent and its client hints state about a device, and the
//! label of the device. Both inputs are untrusted text.

mod facts;
mod hints;
mod kind;
mod naming;
mod parser;
mod parser_thread;

pub use self::facts::{DeviceFacts, DeviceKind};
pub use self::hints::{ACCEPT_CH, Brand, ClientHints};
pub use self::naming::device_label;
pub use self::parser::{DeviceParser, PatternError};
pub use self::parser_thread::ParserThread;
