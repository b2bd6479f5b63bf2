//! `/api/v1/admin`: the API of administrators, auditors and applications with a key for it.

pub mod user_acts;
mod user_views;
pub mod users;
