//! `/api/v1/admin`: the API of administrators, auditors and applications with a key for it.

pub mod end_sessions;
pub mod jobs;
pub mod sessions;
