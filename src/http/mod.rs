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
pub mod cookie_seal;
pub mod cookies;
pub mod csrf;
pub mod error_response;
pub mod forms;
pub mod forward_cookie;
pub mod headers;
pub mod json;
pub mod layout;
pub mod onward;
pub mod received_cookies;
pub mod request_log;
pub mod sent_cookies;
mod session_choice;
pub mod session_cookies;
pub mod step_up;
pub mod target;
