//! `/api/v1/admin`: the API of administrators, auditors and applications with a key for it.

pub mod applications;
pub mod end_sessions;
pub mod events;
pub mod jobs;
pub mod overview;
pub mod sessions;
pub mod user_acts;
mod user_views;
pub mod users;
