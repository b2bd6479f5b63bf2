//! The route table: every path is here and nowhere else.

use actix_web::middleware::from_fn;
use actix_web::web::{self, delete, get, patch, post, resource, scope};
use actix_web::{FromRequest, Handler, Resource, Responder};

use crate::http::{assets, browser};
use crate::{api, pages};

/// Every path. Each is a `resource` rather than a `route`, so that another method is 405, not 404.
pub(super) fn all(config: &mut web::ServiceConfig, sign_up: bool) {
    config
        .service(resource("/static/{name}").route(get().to(assets::serve)))
        .service(resource("/favicon.ico").route(get().to(assets::favicon)))
        .service(resource("/.well-known/jwks.json").route(get().to(api::jwks::show)))
        .service(resource("/auth/verify").route(get().to(api::verify::verify)))
        .service(resource("/oauth/introspect").route(post().to(api::oauth::introspect)))
        .service(resource("/oauth/revoke").route(post().to(api::oauth::revoke)))
        .service(resource("/health/live").route(get().to(api::health::live)))
        .service(resource("/health/ready").route(get().to(api::health::ready)))
        .service(scope("/api/v1").configure(|config| api_routes(config, sign_up)))
        .service(
            scope("")
                .wrap(from_fn(browser::give_device_cookie))
                .configure(|config| page_routes(config, sign_up)),
        );
}

fn api_routes(config: &mut web::ServiceConfig, sign_up: bool) {
    if sign_up {
        config.service(resource("/auth/register").route(post().to(api::auth::register)));
    }
    config
        .service(resource("/auth/login").route(post().to(api::auth::login)))
        .service(resource("/auth/refresh").route(post().to(api::auth::refresh)))
        .service(resource("/auth/confirm").route(post().to(api::auth::confirm)))
        .service(resource("/auth/logout").route(post().to(api::auth::logout)))
        .service(resource("/auth/logout-all").route(post().to(api::auth::logout_all)))
        .service(
            resource("/app/sessions")
                .route(post().to(api::app_sessions::open))
                .route(get().to(api::app_sessions::list))
                .route(delete().to(api::app_sessions::end_all)),
        )
        .service(resource("/app/sessions/refresh").route(post().to(api::app_sessions::refresh)))
        .service(resource("/app/sessions/{id}").route(delete().to(api::app_sessions::end)))
        .service(resource("/me").route(get().to(api::me::show)))
        .service(resource("/alerts").route(get().to(api::alerts::list)))
        .service(resource("/alerts/{id}").route(post().to(api::alerts::answer)))
        .service(resource("/sessions/me").route(get().to(api::sessions::list)))
        .service(resource("/sessions/current").route(get().to(api::sessions::current)))
        .service(resource("/sessions/history").route(get().to(api::sessions::history)))
        .service(resource("/sessions/others").route(delete().to(api::sessions::end_others)))
        .service(resource("/sessions/expired").route(delete().to(api::sessions::end_expired)))
        .service(
            resource("/sessions/{id}")
                .route(patch().to(api::sessions::rename))
                .route(delete().to(api::sessions::end)),
        );
}

fn page_routes(config: &mut web::ServiceConfig, sign_up: bool) {
    use pages::{
        account, alerts, confirm, device, devices, home, not_me, preferences, setup, sign_in,
        sign_out, sign_out_others,
    };

    if sign_up {
        config.service(form(
            "/sign-up",
            pages::sign_up::show,
            pages::sign_up::submit,
        ));
    }
    config
        .service(resource("/").route(get().to(home::show)))
        .service(form("/sign-in", sign_in::show, sign_in::submit))
        .service(resource("/sign-out").route(post().to(sign_out::submit)))
        .service(form("/confirm", confirm::show, confirm::submit))
        .service(form("/setup/{token}", setup::show, setup::submit))
        .service(resource("/devices").route(get().to(devices::show)))
        .service(form(
            "/devices/sign-out-others",
            sign_out_others::show,
            sign_out_others::submit,
        ))
        .service(
            resource("/devices/sign-out-everywhere").route(post().to(sign_out::submit_everywhere)),
        )
        .service(resource("/devices/changes").route(get().to(pages::changes::listen)))
        .service(resource("/devices/{id}").route(get().to(device::show)))
        .service(resource("/devices/{id}/sign-out").route(post().to(device::sign_out)))
        .service(resource("/devices/{id}/rename").route(post().to(device::rename)))
        .service(resource("/account").route(get().to(account::show)))
        .service(resource("/account/name").route(post().to(account::rename)))
        .service(resource("/account/idle-limit").route(post().to(preferences::choose_idle_limit)))
        .service(resource("/account/alerts").route(post().to(preferences::choose_alerts)))
        .service(resource("/account/addresses").route(post().to(preferences::choose_addresses)))
        .service(resource("/alerts/{id}/yes").route(post().to(alerts::yes)))
        .service(resource("/alerts/{id}/no").route(post().to(alerts::no)))
        .service(form("/not-me/{token}", not_me::show, not_me::submit))
        .service(resource("/not-me/{token}/password").route(post().to(not_me::set_password)))
        .service(form(
            "/admin/api-keys",
            pages::api_keys::show,
            pages::api_keys::add,
        ))
        .service(resource("/admin/api-keys/{id}/revoke").route(post().to(pages::api_keys::revoke)))
        .service(resource("/account/email").route(post().to(account::change_email)))
        .service(resource("/account/export").route(get().to(pages::export::download)))
        .service(resource("/account/delete").route(post().to(account::delete)))
        .service(resource("/account/password").route(post().to(account::change_password)));
}

/// A page with a form that comes back to its own path.
fn form<Show, ShowArgs, Submit, SubmitArgs>(path: &str, show: Show, submit: Submit) -> Resource
where
    Show: Handler<ShowArgs, Output: Responder + 'static>,
    Submit: Handler<SubmitArgs, Output: Responder + 'static>,
    ShowArgs: FromRequest + 'static,
    SubmitArgs: FromRequest + 'static,
{
    resource(path)
        .route(get().to(show))
        .route(post().to(submit))
}
