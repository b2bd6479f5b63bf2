//! The JSON API: one file per resource.

pub mod admin;
pub mod alerts;
pub mod app_sessions;
mod audience;
pub mod auth;
pub mod bound;
pub mod health;
pub mod jwks;
pub mod me;
pub mod oauth;
pub mod sessions;
pub mod verify;
mod views;
