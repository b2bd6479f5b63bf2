//! Black-box tests: the real application on a free port, with a database of its own for each test,
//! on SQLite and on PostgreSQL. One module a capability; `support` holds what they share.

#[macro_use]
mod support;

mod activity;
mod address_keeping;
mod alert_links;
mod alert_mail;
mod alerts;
mod api_auth;
mod api_key_pages;
mod api_sessions;
mod app_sessions;
mod bad_input;
mod bad_requests;
mod browser_devices;
mod browser_pages;
mod browser_security;
mod cli;
mod cli_serve;
mod client_hints;
mod database_faults;
mod device_groups;
mod devices_corpus;
mod docs;
mod expiry;
mod forward_auth;
mod idle_choice;
mod in_a_browser;
mod journeys;
mod keys;
mod layout;
mod logs;
mod migrations;
mod model;
mod nodes;
mod oauth;
mod places;
mod refresh;
mod signing_in;
mod step_up;
mod told_at_once;
