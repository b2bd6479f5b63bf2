//! The parts that the pages and the API share: extractors of the caller, of forms and of JSON;
//! middleware for cookies, headers, logs and error responses.

pub mod api_client;
pub mod app_state;
pub mod assets;
pub mod body;
pub mod browser;
pub mod caller;
pub mod client;
pub mod content_type;
pub mod csrf;
pub mod error_response;
mod form_origin;
pub mod forms;
pub mod headers;
pub mod json;
pub mod layout;
pub mod notice;
pub mod notice_cookies;
pub mod prefetch;
pub mod request_log;
pub mod session_cookies;
pub mod step_up;
pub mod target;
