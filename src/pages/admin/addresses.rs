//! `/admin/addresses`: the addresses that many people use.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use url::form_urlencoded;

use super::quantity::number;
use crate::error::Result;
use crate::http::admin_caller::AuditCaller;
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, NavItem, page};
use crate::net::{display_stored_ip, is_local};
use crate::sessions::search::{SharedAddress, SharedAddresses};

#[derive(Template)]
#[template(path = "pages/admin/addresses.html")]
struct AddressesPage {
    layout: Layout,
    /// What was counted: "the 10,000 live sessions used last".
    scope: String,
    addresses: Vec<AddressView>,
    /// Whether an address is of a private network, which a proxy's mostly is.
    has_local: bool,
}

struct AddressView {
    address: String,
    is_local: bool,
    people: String,
    sessions: String,
    /// The address of the list of its sessions.
    href: String,
}

/// Shows the page.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AuditCaller(caller): AuditCaller,
) -> Result<HttpResponse> {
    let shared = app.sessions.list_shared_addresses().await?;
    let addresses: Vec<_> = shared.addresses.iter().map(AddressView::new).collect();
    let template = AddressesPage {
        layout: Layout::for_caller(&request, &caller, NavItem::Administration)?,
        scope: scope(&shared),
        has_local: addresses.iter().any(|address| address.is_local),
        addresses,
    };
    page(StatusCode::OK, &template)
}

fn scope(shared: &SharedAddresses) -> String {
    match (shared.is_bounded, shared.scanned) {
        (true, n) => format!(
            "in the {} most recently used live sessions",
            number(n as u64)
        ),
        (false, 0) => "in the live sessions, of which there are none".into(),
        (false, 1) => "in the only live session".into(),
        (false, n) => format!("in all {} live sessions", number(n as u64)),
    }
}

impl AddressView {
    fn new(shared: &SharedAddress) -> Self {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("ip", &shared.ip)
            .finish();
        Self {
            address: display_stored_ip(&shared.ip),
            is_local: shared.ip.parse().is_ok_and(is_local),
            people: number(shared.people as u64),
            sessions: number(shared.sessions as u64),
            href: format!("/admin/sessions?{query}"),
        }
    }
}
