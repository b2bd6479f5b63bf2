//! The HTML pages: a module for each, with its template's struct and its handlers.

pub mod account;
pub mod alerts;
pub mod api_keys;
pub mod changes;
pub mod confirm;
pub mod device;
pub mod devices;
pub mod email;
pub mod export;
pub mod forgot_password;
pub mod home;
mod map;
mod message;
mod new_account;
mod new_password;
pub mod not_me;
pub mod preferences;
pub mod reset_password;
pub mod setup;
pub mod sign_in;
pub mod sign_out;
pub mod sign_out_others;
pub mod sign_up;
mod take_back;
pub mod verify_email;
mod views;
mod words;
