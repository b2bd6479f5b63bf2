//! Rollcall: every person sees where they are signed in, and signs any device out.
//!
//! The modules, from top to bottom. Each imports only from those below its own line:
//!
//! - [`cli`]: the command line, one file per command
//! - [`server`]: assembles the application; the route table
//! - [`pages`], [`api`], [`jobs`]: HTML, JSON, and work in the background
//! - [`http`]: extractors and middleware: caller, CSRF, headers, error responses
//! - [`overview`]: how the service is doing: the figures, and what is odd
//! - [`account`]: operations on a person, their sessions and their alerts together
//! - [`tokens`]: refresh and access tokens
//! - [`sessions`]: the core, one row for each sign-in on each device
//! - [`alerts`]: notices to a person of what an intruder may have done
//! - [`applications`]: applications and their API keys
//! - [`people`]: accounts and passwords
//! - [`throttles`]: how many tries are allowed, of passwords and of what sends mail
//! - [`events`]: the append-only record of what happened
//! - [`devices`]: the devices of a person: table, grouping, names
//! - [`counters`], [`nodes`]: counts kept as things happen; the nodes and their jobs
//! - [`mail`]: messages, the queue and SMTP
//! - [`user_agent`]: what a user agent and its client hints state
//! - [`geo`]: places of addresses, and distances
//! - [`net`]: the client's address, and how much of it is stored
//! - [`keys`]: the secrets file, and the keys in use
//! - [`listing`]: what lists have in common: parts of a request, pages, cursors, times
//! - [`db`]: PostgreSQL and SQLite
//! - [`settings`]: every setting, its default and its validation
//! - [`text`], [`clock`], [`error`]: text, time and the error type

pub mod account;
pub mod alerts;
pub(crate) mod api;
pub mod applications;
pub mod cli;
pub mod clock;
pub mod counters;
pub mod db;
pub mod devices;
pub mod error;
pub mod events;
pub mod geo;
pub(crate) mod http;
pub mod jobs;
pub mod keys;
pub mod listing;
pub mod mail;
pub mod net;
pub mod nodes;
pub mod overview;
pub(crate) mod pages;
pub mod people;
pub mod server;
pub mod sessions;
pub mod settings;
pub mod text;
pub mod throttles;
pub mod tokens;
pub mod user_agent;

pub use error::Error;
