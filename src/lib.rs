//! Rollcall: every person sees where they are signed in, and signs any device out.
//!
//! The tour, from the doors down; each module calls only those below it:
//!
//! - [`cli`]: the command line, one file a command
//! - [`server`]: puts the application together; the route table
//! - [`pages`]: what people see, as HTML
//! - [`api`]: the same for programs, as JSON
//! - [`jobs`]: work in the background
//! - [`http`]: what the doors share: callers, forms, cookies, headers, the faces of errors
//! - [`sessions`]: the core, one row for each sign-in on each device
//! - [`people`]: accounts and passwords
//! - [`tokens`]: access and refresh tokens, and the keys
//! - [`devices`]: which device it is: user agent, address, name
//! - [`api_keys`]: applications that work with us
//! - [`alerts`]: what people should hear of at once
//! - [`mail`]: a queue of letters, and the way out
//! - [`events`]: what happened
//! - [`db`]: either database behind one door
//! - [`clock`], [`error`], [`settings`], [`text`]: what everything rests on

pub mod alerts;
pub mod api;
pub mod api_keys;
pub mod cli;
pub mod clock;
pub mod db;
pub mod devices;
pub mod error;
pub mod events;
pub mod http;
pub mod jobs;
pub mod mail;
pub mod pages;
pub mod people;
pub mod server;
pub mod sessions;
pub mod settings;
pub mod text;
pub mod tokens;

pub use error::Error;
