//! The route table: every path of the service, as data that tests can read.

use std::future::ready;

use actix_web::http::{Method, header};
use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, HttpResponseBuilder, Route as Endpoint, web};

use crate::applications::Scope;
use crate::http::error_page::show_failed;
use crate::http::prefetch::refuse_prefetch;
use crate::http::{admin_gate, assets, browser, notice};
use crate::{api, pages};

/// One method of one path.
pub struct Route {
    /// The method. `GET` includes `HEAD`, and every path has `OPTIONS`.
    pub method: Method,
    /// The pattern of the path, with `{name}` for a variable segment.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// When it exists.
    pub condition: Condition,
    handler: fn() -> Endpoint,
}

/// Who may call a route. Everybody else gets an error, or is redirected to sign-in. What a handler
/// requires besides, such as step-up for some routes or the caller's own session, is not part of
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// A browser that is signed in, by its cookie.
    SignedIn,
    /// An administrator or an auditor in a signed-in browser. For other people who are signed in, it
    /// does not exist.
    Audit,
    /// An administrator as [`Access::Audit`], after step-up.
    Admin,
    /// An administrator or an auditor as [`Access::Api`], or an application with the scope
    /// `admin:read`. For others it does not exist.
    AuditApi,
    /// An administrator as [`Access::Api`], after step-up, or an application with the scope
    /// `admin:write`. For others it does not exist.
    AdminApi,
    /// An administrator as [`Access::Api`], after step-up. For others, applications included, it does
    /// not exist.
    AdminPersonApi,
    /// A program with an access token, or a signed-in browser, with a CSRF token unless the method
    /// is safe (RFC 9110, 9.2.1). At `/auth/verify`, the cookie is that of forward-auth.
    Api,
    /// An application with an API key of this scope.
    Application(Scope),
    /// The bearer of a token in the path.
    Token,
}

/// When a route exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Always.
    Always,
    /// Where anybody may create an account (`sign_up`).
    SignUp,
}

impl Route {
    const fn new(
        method: Method,
        path: &'static str,
        access: Access,
        handler: fn() -> Endpoint,
    ) -> Self {
        Self {
            method,
            path,
            access,
            condition: Condition::Always,
            handler,
        }
    }

    const fn get(path: &'static str, access: Access, handler: fn() -> Endpoint) -> Self {
        Self::new(Method::GET, path, access, handler)
    }

    const fn post(path: &'static str, access: Access, handler: fn() -> Endpoint) -> Self {
        Self::new(Method::POST, path, access, handler)
    }

    const fn patch(path: &'static str, access: Access, handler: fn() -> Endpoint) -> Self {
        Self::new(Method::PATCH, path, access, handler)
    }

    const fn delete(path: &'static str, access: Access, handler: fn() -> Endpoint) -> Self {
        Self::new(Method::DELETE, path, access, handler)
    }

    const fn only_with_sign_up(mut self) -> Self {
        self.condition = Condition::SignUp;
        self
    }

    fn exists(&self, sign_up: bool) -> bool {
        self.condition == Condition::Always || sign_up
    }
}

const TOKENS: Access = Access::Application(Scope::Tokens);
const SESSIONS: Access = Access::Application(Scope::Sessions);

/// The routes for programs, and the static files.
#[rustfmt::skip]
pub static API: &[Route] = &[
    Route::get("/static/{name}", Access::Public, || web::to(assets::serve)),
    Route::get("/favicon.ico", Access::Public, || web::to(assets::favicon)),
    Route::get("/.well-known/jwks.json", Access::Public, || web::to(api::jwks::show)),
    Route::get("/health/live", Access::Public, || web::to(api::health::live)),
    Route::get("/health/ready", Access::Public, || web::to(api::health::ready)),
    Route::get("/auth/verify", Access::Api, || web::to(api::verify::nginx)),
    Route::get("/auth/verify/admin", Access::Api, || web::to(api::verify::nginx_admin)),
    Route::get("/auth/verify/traefik", Access::Api, || web::to(api::verify::forwarded)),
    Route::get("/auth/verify/traefik/admin", Access::Api, || web::to(api::verify::forwarded_admin)),
    Route::get("/auth/verify/caddy", Access::Api, || web::to(api::verify::forwarded)),
    Route::get("/auth/verify/caddy/admin", Access::Api, || web::to(api::verify::forwarded_admin)),
    Route::post("/auth/bound/register", Access::Public, || web::to(api::bound::register)),
    Route::post("/auth/bound/refresh", Access::Public, || web::to(api::bound::refresh)),
    Route::post("/oauth/introspect", TOKENS, || web::to(api::oauth::introspect)),
    Route::post("/oauth/revoke", TOKENS, || web::to(api::oauth::revoke)),
    Route::post("/api/v1/auth/register", Access::Public, || web::to(api::auth::register)).only_with_sign_up(),
    Route::post("/api/v1/auth/login", Access::Public, || web::to(api::auth::login)),
    Route::post("/api/v1/auth/refresh", Access::Public, || web::to(api::auth::refresh)),
    Route::post("/api/v1/auth/confirm", Access::Api, || web::to(api::auth::confirm)),
    Route::post("/api/v1/auth/logout", Access::Api, || web::to(api::auth::logout)),
    Route::post("/api/v1/auth/logout-all", Access::Api, || web::to(api::auth::logout_all)),
    Route::post("/api/v1/app/sessions", SESSIONS, || web::to(api::app_sessions::create)),
    Route::get("/api/v1/app/sessions", SESSIONS, || web::to(api::app_sessions::list)),
    Route::delete("/api/v1/app/sessions", SESSIONS, || web::to(api::app_sessions::end_all)),
    Route::post("/api/v1/app/sessions/refresh", SESSIONS, || web::to(api::app_sessions::refresh)),
    Route::delete("/api/v1/app/sessions/{id}", SESSIONS, || web::to(api::app_sessions::end)),
    Route::get("/api/v1/admin/applications", Access::AuditApi, || web::to(api::admin::applications::list)),
    Route::get("/api/v1/admin/events", Access::AuditApi, || web::to(api::admin::events::list)),
    Route::get("/api/v1/admin/events/export", Access::AuditApi, || web::to(api::admin::events::export)),
    Route::get("/api/v1/admin/sessions", Access::AuditApi, || web::to(api::admin::sessions::list)),
    Route::get("/api/v1/admin/sessions/export", Access::AuditApi, || web::to(api::admin::sessions::export)),
    Route::post("/api/v1/admin/sessions/end", Access::AdminApi, || web::to(api::admin::end_sessions::end_many)),
    Route::get("/api/v1/admin/sessions/{id}", Access::AuditApi, || web::to(api::admin::sessions::show)),
    Route::delete("/api/v1/admin/sessions/{id}", Access::AdminApi, || web::to(api::admin::end_sessions::end_one)),
    Route::delete("/api/v1/admin/users/{id}/sessions", Access::AdminApi, || web::to(api::admin::end_sessions::end_of_person)),
    Route::get("/api/v1/admin/jobs", Access::AuditApi, || web::to(api::admin::jobs::list)),
    Route::get("/api/v1/admin/jobs/{id}", Access::AuditApi, || web::to(api::admin::jobs::show)),
    Route::post("/api/v1/admin/jobs/{id}/stop", Access::AdminApi, || web::to(api::admin::jobs::stop)),
    Route::get("/api/v1/me", Access::Api, || web::to(api::me::show)),
    Route::get("/api/v1/admin/overview", Access::AuditApi, || web::to(api::admin::overview::show)),
    Route::get("/api/v1/alerts", Access::Api, || web::to(api::alerts::list)),
    Route::post("/api/v1/alerts/{id}", Access::Api, || web::to(api::alerts::review)),
    Route::get("/api/v1/sessions/me", Access::Api, || web::to(api::sessions::list)),
    Route::get("/api/v1/sessions/current", Access::Api, || web::to(api::sessions::current)),
    Route::get("/api/v1/sessions/history", Access::Api, || web::to(api::sessions::history)),
    Route::delete("/api/v1/sessions/others", Access::Api, || web::to(api::sessions::end_others)),
    Route::delete("/api/v1/sessions/expired", Access::Api, || web::to(api::sessions::end_expired)),
    Route::patch("/api/v1/sessions/{id}", Access::Api, || web::to(api::sessions::rename)),
    Route::delete("/api/v1/sessions/{id}", Access::Api, || web::to(api::sessions::end)),
    Route::get("/api/v1/admin/users", Access::AuditApi, || web::to(api::admin::users::list)),
    Route::post("/api/v1/admin/users", Access::AdminPersonApi, || web::to(api::admin::users::create)),
    Route::get("/api/v1/admin/users/{id}", Access::AuditApi, || web::to(api::admin::users::show)),
    Route::patch("/api/v1/admin/users/{id}", Access::AdminPersonApi, || web::to(api::admin::users::update)),
    Route::delete("/api/v1/admin/users/{id}", Access::AdminPersonApi, || web::to(api::admin::user_acts::delete)),
    Route::post("/api/v1/admin/users/{id}/disable", Access::AdminApi, || web::to(api::admin::user_acts::disable)),
    Route::post("/api/v1/admin/users/{id}/enable", Access::AdminPersonApi, || web::to(api::admin::user_acts::enable)),
    Route::post("/api/v1/admin/users/{id}/lift-delay", Access::AdminPersonApi, || web::to(api::admin::user_acts::lift_delay)),
    Route::post("/api/v1/admin/users/{id}/verify-email", Access::AdminPersonApi, || web::to(api::admin::user_acts::verify_email)),
    Route::post("/api/v1/admin/users/{id}/reset-link", Access::AdminPersonApi, || web::to(api::admin::user_acts::create_reset_link)),
    Route::post("/api/v1/admin/users/{id}/invite", Access::AdminPersonApi, || web::to(api::admin::user_acts::invite_again)),
    Route::post("/api/v1/admin/users/{id}/export", Access::AdminPersonApi, || web::to(api::admin::user_acts::export)),
];

/// The routes for people. Their responses ensure that the browser has a device cookie.
#[rustfmt::skip]
pub static PAGES: &[Route] = &[
    Route::get("/", Access::Public, || web::to(pages::home::show)),
    Route::get("/sign-in", Access::Public, || web::to(pages::sign_in::show)),
    Route::post("/sign-in", Access::Public, || web::to(pages::sign_in::submit)),
    Route::get("/sign-up", Access::Public, || web::to(pages::sign_up::show)).only_with_sign_up(),
    Route::post("/sign-up", Access::Public, || web::to(pages::sign_up::submit)).only_with_sign_up(),
    Route::post("/sign-out", Access::SignedIn, || web::to(pages::sign_out::submit)),
    Route::post("/sign-out/clear", Access::Public, || web::to(pages::sign_out::clear_stored)),
    Route::get("/confirm", Access::SignedIn, || web::to(pages::confirm::show)),
    Route::post("/confirm", Access::SignedIn, || web::to(pages::confirm::submit)),
    Route::get("/unsent-form", Access::SignedIn, || web::to(pages::unsent_form::show)),
    Route::post("/unsent-form", Access::SignedIn, || web::to(pages::unsent_form::cancel)),
    Route::get("/setup/{token}", Access::Token, || web::to(pages::setup::show)),
    Route::post("/setup/{token}", Access::Token, || web::to(pages::setup::submit)),
    Route::get("/devices", Access::SignedIn, || web::to(pages::devices::show)),
    Route::get("/devices/sign-out-others", Access::SignedIn, || web::to(pages::sign_out_others::show)),
    Route::post("/devices/sign-out-others", Access::SignedIn, || web::to(pages::sign_out_others::submit)),
    Route::get("/devices/sign-out-selected", Access::SignedIn, || web::to(pages::sign_out_selected::show)),
    Route::post("/devices/sign-out-selected", Access::SignedIn, || web::to(pages::sign_out_selected::submit)),
    Route::get("/devices/sign-out-everywhere", Access::SignedIn, || web::to(pages::sign_out_others::show_everywhere)),
    Route::post("/devices/sign-out-everywhere", Access::SignedIn, || web::to(pages::sign_out::submit_everywhere)),
    Route::get("/devices/changes", Access::SignedIn, || web::to(pages::changes::stream)),
    Route::get("/devices/{id}", Access::SignedIn, || web::to(pages::device::show)),
    Route::post("/devices/{id}/sign-out", Access::SignedIn, || web::to(pages::device::sign_out)),
    Route::post("/devices/{id}/rename", Access::SignedIn, || web::to(pages::rename_device::submit)),
    Route::post("/devices/{id}/when-unused", Access::SignedIn, || web::to(pages::when_unused::submit)),
    Route::post("/alerts/{id}/yes", Access::SignedIn, || web::to(pages::alerts::confirm)),
    Route::post("/alerts/{id}/read", Access::SignedIn, || web::to(pages::alerts::dismiss)),
    Route::post("/alerts/{id}/no", Access::SignedIn, || web::to(pages::alerts::report)),
    Route::post("/alerts/{id}/steps/email/confirm", Access::SignedIn, || web::to(pages::alerts::confirm_email)),
    Route::post("/alerts/{id}/steps/email/skip", Access::SignedIn, || web::to(pages::alerts::skip_email)),
    Route::post("/alerts/{id}/steps/others/skip", Access::SignedIn, || web::to(pages::alerts::skip_others)),
    Route::post("/alerts/{id}/steps/password/skip", Access::SignedIn, || web::to(pages::alerts::skip_password)),
    Route::get("/not-me/{token}", Access::Token, || web::to(pages::not_me::show)),
    Route::post("/not-me/{token}", Access::Token, || web::to(pages::not_me::submit)),
    Route::post("/not-me/{token}/password", Access::Token, || web::to(pages::not_me::set_password)),
    Route::get("/forgot-password", Access::Public, || web::to(pages::forgot_password::show)),
    Route::post("/forgot-password", Access::Public, || web::to(pages::forgot_password::submit)),
    Route::get("/reset-password/{token}", Access::Token, || web::to(pages::reset_password::show)),
    Route::post("/reset-password/{token}", Access::Token, || web::to(pages::reset_password::submit)),
    Route::get("/.well-known/change-password", Access::Public, || web::to(pages::forgot_password::change_password)),
    Route::get("/verify-email/{token}", Access::Token, || web::to(pages::verify_email::show)),
    Route::post("/verify-email/{token}", Access::Token, || web::to(pages::verify_email::submit)),
    Route::get("/account", Access::SignedIn, || web::to(pages::account::show)),
    Route::post("/account/name", Access::SignedIn, || web::to(pages::account::rename)),
    Route::post("/account/email", Access::SignedIn, || web::to(pages::email::request_change)),
    Route::post("/account/email/cancel", Access::SignedIn, || web::to(pages::email::cancel_change)),
    Route::post("/account/email/link", Access::SignedIn, || web::to(pages::email::resend_link)),
    Route::post("/account/password", Access::SignedIn, || web::to(pages::account::change_password)),
    Route::post("/account/idle-limit", Access::SignedIn, || web::to(pages::preferences::update_idle_limit)),
    Route::post("/account/alerts", Access::SignedIn, || web::to(pages::preferences::update_alert_emails)),
    Route::post("/account/time-zone", Access::SignedIn, || web::to(pages::preferences::update_time_zone)),
    Route::post("/account/addresses", Access::SignedIn, || web::to(pages::preferences::update_ip_retention)),
    Route::get("/account/export", Access::SignedIn, || web::to(pages::export::download)),
    Route::get("/account/delete", Access::SignedIn, || web::to(pages::delete_account::show)),
    Route::post("/account/delete", Access::SignedIn, || web::to(pages::delete_account::submit)),
    Route::get("/admin/sessions", Access::Audit, || web::to(pages::admin::sessions::show)),
    Route::get("/admin/sessions/end", Access::Admin, || web::to(pages::admin::end_sessions::show)),
    Route::post("/admin/sessions/end", Access::Admin, || web::to(pages::admin::end_sessions::submit)),
    Route::get("/admin/sessions/export", Access::Audit, || web::to(pages::admin::session_export::download)),
    Route::get("/admin/sessions/{id}", Access::Audit, || web::to(pages::admin::session::show)),
    Route::get("/admin/addresses", Access::Audit, || web::to(pages::admin::addresses::show)),
    Route::get("/admin/jobs", Access::Audit, || web::to(pages::admin::jobs::list)),
    Route::get("/admin/jobs/{id}", Access::Audit, || web::to(pages::admin::job::show)),
    Route::post("/admin/jobs/{id}/stop", Access::Admin, || web::to(pages::admin::job::stop)),
    Route::get("/admin/", Access::Audit, || web::to(pages::admin::overview::redirect)),
    Route::get("/admin", Access::Audit, || web::to(pages::admin::overview::show)),
    Route::get("/admin/users", Access::Audit, || web::to(pages::admin::users::show)),
    Route::get("/admin/users/new", Access::Admin, || web::to(pages::admin::new_user::show_new)),
    Route::post("/admin/users/new", Access::Admin, || web::to(pages::admin::new_user::create)),
    Route::get("/admin/users/invite", Access::Admin, || web::to(pages::admin::new_user::show_invite)),
    Route::post("/admin/users/invite", Access::Admin, || web::to(pages::admin::new_user::invite)),
    Route::get("/admin/users/{id}", Access::Audit, || web::to(pages::admin::user::show)),
    Route::get("/admin/users/{id}/edit", Access::Admin, || web::to(pages::admin::user_edit::show)),
    Route::post("/admin/users/{id}/name", Access::Admin, || web::to(pages::admin::user_edit::rename)),
    Route::post("/admin/users/{id}/email", Access::Admin, || web::to(pages::admin::user_edit::set_email)),
    Route::get("/admin/users/{id}/lift-delay", Access::Admin, || web::to(pages::admin::user_delay::show)),
    Route::post("/admin/users/{id}/lift-delay", Access::Admin, || web::to(pages::admin::user_delay::submit)),
    Route::get("/admin/users/{id}/verify-email", Access::Admin, || web::to(pages::admin::user_acts::show_verify_email)),
    Route::post("/admin/users/{id}/verify-email", Access::Admin, || web::to(pages::admin::user_acts::verify_email)),
    Route::get("/admin/users/{id}/role", Access::Admin, || web::to(pages::admin::user_role::show)),
    Route::post("/admin/users/{id}/role", Access::Admin, || web::to(pages::admin::user_role::submit)),
    Route::get("/admin/users/{id}/reset-link", Access::Admin, || web::to(pages::admin::user_link::show_reset)),
    Route::post("/admin/users/{id}/reset-link", Access::Admin, || web::to(pages::admin::user_link::create_reset)),
    Route::get("/admin/users/{id}/invite", Access::Admin, || web::to(pages::admin::user_link::show_invite)),
    Route::post("/admin/users/{id}/invite", Access::Admin, || web::to(pages::admin::user_link::invite)),
    Route::get("/admin/users/{id}/end-sessions", Access::Admin, || web::to(pages::admin::user_acts::show_end_sessions)),
    Route::post("/admin/users/{id}/end-sessions", Access::Admin, || web::to(pages::admin::user_acts::end_sessions)),
    Route::get("/admin/users/{id}/disable", Access::Admin, || web::to(pages::admin::user_acts::show_disable)),
    Route::post("/admin/users/{id}/disable", Access::Admin, || web::to(pages::admin::user_acts::disable)),
    Route::get("/admin/users/{id}/enable", Access::Admin, || web::to(pages::admin::user_acts::show_enable)),
    Route::post("/admin/users/{id}/enable", Access::Admin, || web::to(pages::admin::user_acts::enable)),
    Route::post("/admin/users/{id}/export", Access::Admin, || web::to(pages::admin::user_delete::export)),
    Route::get("/admin/users/{id}/delete", Access::Admin, || web::to(pages::admin::user_delete::show)),
    Route::post("/admin/users/{id}/delete", Access::Admin, || web::to(pages::admin::user_delete::submit)),
    Route::get("/admin/events", Access::Audit, || web::to(pages::admin::events::show)),
    Route::get("/admin/events/export", Access::Audit, || web::to(pages::admin::events::export)),
    Route::get("/admin/events/{id}", Access::Audit, || web::to(pages::admin::event::show)),
    Route::get("/admin/applications", Access::Audit, || web::to(pages::admin::applications::show)),
    Route::post("/admin/applications", Access::Admin, || web::to(pages::admin::applications::create)),
    Route::post("/admin/applications/{id}", Access::Admin, || web::to(pages::admin::applications::update)),
    Route::get("/admin/applications/{id}/delete", Access::Admin, || web::to(pages::admin::applications::show_delete)),
    Route::post("/admin/applications/{id}/delete", Access::Admin, || web::to(pages::admin::applications::delete)),
    Route::get("/admin/api-keys", Access::Audit, || web::to(pages::admin::api_keys::redirect)),
    Route::post("/admin/api-keys", Access::Admin, || web::to(pages::admin::api_keys::create)),
    Route::get("/admin/api-keys/{id}/revoke", Access::Admin, || web::to(pages::admin::api_keys::show_revoke)),
    Route::post("/admin/api-keys/{id}/revoke", Access::Admin, || web::to(pages::admin::api_keys::revoke)),
];

/// The routes of the demo. In `serve` they don't exist.
pub static DEMO: &[Route] = &[Route::post("/demo/sign-in", Access::Public, || {
    web::to(pages::demo::sign_in)
})];

/// The prefix of the JSON API's paths.
const API_PREFIX: &str = "/api/v1";
/// The prefix of the administrator's paths in the JSON API, existing or not.
const ADMIN_API_PREFIX: &str = "/api/v1/admin";
/// The prefix of the administrator's pages, existing or not.
const ADMIN_PREFIX: &str = "/admin";

/// Adds every route whose condition holds to the application.
pub(super) fn configure(config: &mut web::ServiceConfig, sign_up: bool, is_demo: bool) {
    let (of_admin, others) = partition(API, ADMIN_API_PREFIX, sign_up);
    for resource in resources(&others, "") {
        config.service(resource);
    }
    let mut admin = web::scope(ADMIN_API_PREFIX).wrap(from_fn(admin_gate::guard_api));
    for resource in resources(&of_admin, ADMIN_API_PREFIX) {
        admin = admin.service(resource);
    }
    config.service(admin);
    // Other paths below it are no pages: their response sets no device cookie.
    config.service(web::scope(API_PREFIX));
    let (of_admin, mut others) = partition(PAGES, ADMIN_PREFIX, sign_up);
    if is_demo {
        others.extend(DEMO);
    }
    let mut admin = web::scope(ADMIN_PREFIX)
        .wrap(from_fn(show_failed))
        .wrap(from_fn(admin_gate::guard_pages));
    for resource in resources(&of_admin, ADMIN_PREFIX) {
        admin = admin.service(resource);
    }
    let mut pages = web::scope("")
        .wrap(from_fn(show_failed))
        .wrap(from_fn(notice::write_cookie))
        .wrap(from_fn(browser::ensure_device_cookie))
        // Outside of it: a prefetched page sets no device cookie, either.
        .wrap(from_fn(refuse_prefetch))
        .service(admin);
    for resource in resources(&others, "") {
        pages = pages.service(resource);
    }
    config.service(pages);
}

/// Returns the routes that exist: those below `prefix`, and the others.
fn partition(
    routes: &'static [Route],
    prefix: &str,
    sign_up: bool,
) -> (Vec<&'static Route>, Vec<&'static Route>) {
    let existing = routes.iter().filter(|route| route.exists(sign_up));
    existing.partition(|route| is_below(route.path, prefix))
}

fn is_below(path: &str, prefix: &str) -> bool {
    let rest = path.strip_prefix(prefix);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Groups the routes of one path into a resource. `HEAD` is handled as `GET`, whose body is left
/// out, and `OPTIONS` with the methods of the path (RFC 9110, 9.3.2 and 9.3.7); the response to any
/// other method is 405 rather than 404.
fn resources(routes: &[&Route], prefix: &str) -> Vec<actix_web::Resource> {
    routes
        .chunk_by(|a, b| a.path == b.path)
        .map(|routes| resource(routes, prefix))
        .collect()
}

/// Returns the resource of one path, in the scope with that prefix.
fn resource(routes: &[&Route], prefix: &str) -> actix_web::Resource {
    let path = routes[0].path;
    let methods = methods(routes);
    let allow = methods.join(", ");
    let mut resource = web::resource(path.strip_prefix(prefix).unwrap_or(path));
    for route in routes {
        resource = resource.route((route.handler)().method(route.method.clone()));
        let has_head = routes.iter().any(|route| route.method == Method::HEAD);
        if route.method == Method::GET && !has_head {
            resource = resource.route((route.handler)().method(Method::HEAD));
        }
    }
    if !routes.iter().any(|route| route.method == Method::OPTIONS) {
        let allow = allow.clone();
        let options = move || ready(with_allow(HttpResponse::NoContent(), &allow));
        resource = resource.route(web::method(Method::OPTIONS).to(options));
    }
    resource.default_service(web::to(move || {
        ready(with_allow(HttpResponse::MethodNotAllowed(), &allow))
    }))
}

/// Returns the methods of a path, as `Allow` lists them.
fn methods(routes: &[&Route]) -> Vec<&'static str> {
    const ORDER: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    let has = |name: &str| routes.iter().any(|route| route.method == name);
    ORDER
        .into_iter()
        .filter(|name| has(name) || *name == "OPTIONS" || (*name == "HEAD" && has("GET")))
        .collect()
}

fn with_allow(mut response: HttpResponseBuilder, allow: &str) -> HttpResponse {
    response.insert_header((header::ALLOW, allow)).finish()
}
