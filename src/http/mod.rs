//! What every door shares: who is calling and from where, form tokens, cookies, headers, and the
//! two faces of an error.

pub mod app;
pub mod application;
pub mod assets;
pub mod browser;
pub mod caller;
pub mod client;
pub mod faces;
pub mod forms;
pub mod headers;
pub mod json;
pub mod layout;
pub mod log;
pub mod step_up;
pub mod target;
