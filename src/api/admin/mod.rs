//! `/api/v1/admin`: the API of administrators, auditors and applications with a key for it.

pub mod end_sessions;
pub mod jobs;
pub mod applications;
pub mod events;
pub mod sessions;
pub mod overview;
pub mod user_acts;
mod user_views;
pub mod users;
