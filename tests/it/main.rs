//! Black-box tests: the real application on a free port, with a database of its own for each test,
//! on SQLite and on PostgreSQL. Each module tests one capability; `support` has what they share.

#![allow(
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and its numbers and its environment are its own"
)]

#[macro_use]
mod support;

mod access;
mod activity;
mod admin_applications;
mod admin_events;
mod admin_gate;
mod admin_invitations;
mod admin_leaving;
mod admin_lists;
mod admin_notices;
mod admin_people;
mod admin_people_acts;
mod admin_people_pages;
mod admin_people_search;
mod admin_roles;
mod admin_session_pages;
mod alert_links;
mod alert_mail;
mod alerts;
mod api_auth;
mod api_key_pages;
mod api_sessions;
mod app_sessions;
mod applications;
mod audience;
mod authority;
mod bad_input;
mod bad_requests;
mod bare_responses;
mod behind_proxies;
mod browser_devices;
mod browser_pages;
mod browser_security;
mod bulk_end;
mod bulk_jobs;
mod bulk_names;
mod bulk_pages;
mod change_notifications;
mod clear_site_data;
mod cli;
mod cli_lists;
mod cli_people;
mod cli_serve;
mod client_hints;
mod container;
mod cookies;
mod counters;
mod database_clock;
mod database_errors;
mod device_groups;
mod devices_corpus;
mod docs;
mod email_change;
mod event_cli;
mod event_streams;
mod expiry;
mod exposure;
mod fair_hashing;

mod forgotten_password;
mod form_tabs;
mod former_address_links;
mod forward_auth;
mod forward_cookie;
mod going_on;
mod held_bodies;
mod hidden_addresses;
mod hot_updates;
mod http_methods;
mod idle_choice;
mod idle_exemption;
mod impossible_travel;
mod in_a_browser;
mod ip_retention;
mod job_ends;
mod key_rotation;
mod keys;
mod last_admin;
mod last_uses;
mod layout;
mod log_lines;
mod logging_docs;
mod logs;
mod mail_limits;
mod metrics;
mod migrations;
mod model;
mod node_list;
mod nodes;
mod notices;
mod oauth;
mod overview;
mod own_pages;
mod panics;
mod passwords;
mod payloads;
mod person_export;
mod places;
mod prefetch;
mod prepared_statements;
mod refresh;
mod refusals;
mod refusals_seen;
mod rotation;
mod routes;
mod secrets_file;
mod security_docs;
mod seed;
mod session_columns;
mod session_export;
mod session_search;
mod session_search_paging;
mod settings_card;
mod settings_in_a_browser;
mod signing_in;
mod slow_clients;
mod step_up;
mod step_up_copies;
mod step_up_names;
mod tabs_in_a_browser;
mod throttles;
mod throttles_lift;
mod throttles_networks;
mod throttles_owner;
mod throttles_recovery;
mod throttles_sessions;
mod time_zones;
mod times_from_outside;
mod token_reuse;
mod verified_emails;
mod vocabulary;
