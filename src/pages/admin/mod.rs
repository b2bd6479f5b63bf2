//! `/admin`: the pages of administrators and auditors.

mod application_form;
pub mod applications;
pub(super) mod applications_page;
pub mod event;
mod event_form;
mod event_rows;
mod event_words;
pub mod events;
pub(super) mod key_form;
pub mod session_export;

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
