//! `/admin`: the pages of administrators and auditors.

mod act_page;
mod acts;
pub mod addresses;
pub mod api_keys;
mod application_form;
pub mod applications;
mod applications_page;
mod back;
mod chart;
mod end_fields;
pub mod end_sessions;
mod end_words;
pub mod event;
mod event_form;
mod event_rows;
mod event_view;
mod event_words;
pub mod events;
mod fields;
mod gone;
pub mod job;
mod job_views;
pub mod jobs;
mod key_form;
pub mod new_user;
mod node_views;
pub mod overview;
mod overview_banner;
mod overview_views;
mod pager;
mod periods;
mod person;
pub(super) mod person_notices;
mod quantity;
mod refusal_views;
pub mod session;
pub mod session_export;
mod session_views;
pub(super) mod session_words;
pub mod sessions;
mod stacked_chart;
pub mod user;
pub mod user_acts;
pub mod user_delay;
pub mod user_delete;
pub mod user_edit;
pub mod user_link;
pub mod user_role;
pub mod users;
mod users_filter;

/// A tab of the administrator's pages.
pub struct AdminTab {
    /// The path of its page.
    pub path: &'static str,
    /// Its name.
    pub name: &'static str,
}

/// The tabs, in their order.
pub static TABS: [AdminTab; 6] = [
    AdminTab {
        path: "/admin",
        name: "Overview",
    },
    AdminTab {
        path: "/admin/sessions",
        name: "Sessions",
    },
    AdminTab {
        path: "/admin/users",
        name: "People",
    },
    AdminTab {
        path: "/admin/events",
        name: "Events",
    },
    AdminTab {
        path: "/admin/applications",
        name: "Applications",
    },
    AdminTab {
        path: "/admin/jobs",
        name: "Jobs",
    },
];
