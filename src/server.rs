//! Puts the application together: its parts, the middleware, and the route table, which is here
//! and nowhere else.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::cookie::Key;
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::{delete, get, patch, post, resource, scope};
use actix_web::{
    App as Application, FromRequest, Handler, HttpServer, Resource, Responder, rt, web,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{JoinError, JoinHandle};
use tracing_actix_web::TracingLogger;

use crate::api_keys::ApiKeys;
use crate::clock::Clock;
use crate::db::{Db, migrate};
use crate::devices::DeviceParser;
use crate::devices::address::TrustedProxies;
use crate::error::{Error, Result};
use crate::events::Changes;
use crate::http::app::{App, SetupLink};
use crate::http::browser::SessionCookie;
use crate::http::forms::FormKey;
use crate::http::log::{RequestSpan, log_answer};
use crate::http::target::AllowedHosts;
use crate::http::{assets, browser, faces, forms, headers};
use crate::jobs::Jobs;
use crate::people::{Hasher, People};
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::tokens::{Keys, Tokens};
use crate::{api, pages};

/// A running server.
pub struct Server {
    address: SocketAddr,
    url: String,
    app: web::Data<App>,
    jobs: Jobs,
    handle: ServerHandle,
    running: JoinHandle<std::io::Result<()>>,
}

/// Migrates the database, binds the address and serves. Runs inside an actix system.
///
/// # Errors
/// [`Error::Startup`], saying what to do.
pub async fn start(settings: Settings, clock: Clock) -> Result<Server> {
    let database = settings.database_url.clone();
    let applied = blocking(move || migrate::run(&database)).await?;
    if !applied.is_empty() {
        tracing::info!(migrations = applied.len(), "the database is migrated");
    }
    let listener = bind(settings.listen)?;
    let address = listener
        .local_addr()
        .map_err(|fault| Error::Startup(fault.to_string()))?;
    let url = public_origin(&settings, address);

    let keys = Keys::load(&settings, clock.now())?;
    let cookie_key = Key::from(&keys.for_cookies()?);
    let app = web::Data::new(assemble(&settings, clock, &keys, url.clone())?);
    let jobs = Jobs::start(&app.sessions, &settings.jobs);
    Jobs::watch_changes(app.changes.clone());
    Jobs::watch_keys(app.tokens.clone(), settings, app.clock.clone());
    let server = serve(listener, app.clone(), cookie_key)?;
    let handle = server.handle();
    Ok(Server {
        address,
        url,
        app,
        jobs,
        handle,
        running: rt::spawn(server),
    })
}

impl Server {
    /// The address it listens at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where people reach it, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its parts.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Its background jobs.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// While there is no administrator: the URL of the one-time link that makes the first.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn setup_url(&self) -> Result<Option<String>> {
        if self.app.people.has_admin().await? {
            return Ok(None);
        }
        let token = self.app.setup.open()?;
        Ok(Some(format!("{}/setup/{token}", self.url)))
    }

    /// Serves until it is told to stop, then finishes what is under way.
    ///
    /// # Errors
    /// When the server failed, or as [`Server::stop`].
    pub async fn run_until(mut self, mut termination: Termination) -> Result<()> {
        tokio::select! {
            () = termination.comes() => {}
            ended = &mut self.running => return finished(ended),
        }
        tracing::info!("stopping");
        self.stop().await
    }

    /// Stops it: finishes the requests under way, and writes what waits in memory.
    ///
    /// # Errors
    /// When the last uses can't be written.
    pub async fn stop(self) -> Result<()> {
        // Streams would never end by themselves.
        self.app.changes.close();
        self.handle.stop(true).await;
        finished(self.running.await)?;
        let rows = self.jobs.flush().await?;
        tracing::info!(last_uses_written = rows, "stopped");
        Ok(())
    }
}

/// The signals to stop: SIGINT and SIGTERM. None that comes after [`Termination::listen`] is lost.
pub struct Termination {
    terminate: Signal,
    interrupt: Signal,
}

impl Termination {
    /// Takes the signals from now on.
    ///
    /// # Errors
    /// [`Error::Startup`] when the system refuses.
    pub fn listen() -> Result<Self> {
        let cannot = |fault| Error::Startup(format!("signals can't be listened for: {fault}"));
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(cannot)?,
            interrupt: signal(SignalKind::interrupt()).map_err(cannot)?,
        })
    }

    async fn comes(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn finished(ended: std::result::Result<std::io::Result<()>, JoinError>) -> Result<()> {
    ended
        .map_err(|stopped| Error::Internal(stopped.to_string()))?
        .map_err(|fault| Error::Internal(format!("the server failed: {fault}")))
}

fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).map_err(|fault| {
        Error::Startup(format!(
            "cannot listen at {address}: {fault}. Choose another address with --listen, ROLLCALL_LISTEN or `listen` in rollcall.toml"
        ))
    })
}

fn public_origin(settings: &Settings, address: SocketAddr) -> String {
    match &settings.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => format!("http://{address}"),
    }
}

fn assemble(settings: &Settings, clock: Clock, keys: &Keys, url: String) -> Result<App> {
    let db = Db::new(&settings.database_url, &settings.database);
    let hasher = Hasher::new(&settings.passwords)?;
    let devices = DeviceParser::of(settings.device_patterns.as_deref())
        .map_err(|fault| Error::Startup(format!("device_patterns is wrong: {fault}")))?;
    Ok(App {
        api_keys: ApiKeys::new(db.clone(), clock.clone()),
        changes: Changes::new(db.clone(), clock.clone()),
        people: People::new(db.clone(), clock.clone(), hasher),
        sessions: Sessions::new(
            db.clone(),
            clock.clone(),
            &settings.sessions,
            &settings.tokens,
            &settings.jobs,
        ),
        tokens: Arc::new(Tokens::new(keys, &settings.tokens, url)?),
        devices,
        trusted_proxies: TrustedProxies(settings.trusted_proxies.clone()),
        allowed_hosts: AllowedHosts::new(&settings.forward_auth.allowed_hosts),
        cookie_domain: settings.cookie_domain.clone(),
        form_key: FormKey::new(&keys.for_forms()?)?,
        sign_up: settings.sign_up,
        is_https: settings.is_https(),
        setup: SetupLink::default(),
        clock,
        db,
    })
}

fn serve(
    listener: TcpListener,
    app: web::Data<App>,
    cookie_key: Key,
) -> Result<actix_web::dev::Server> {
    let (is_https, sign_up) = (app.is_https, app.sign_up);
    let server = HttpServer::new(move || {
        Application::new()
            .app_data(app.clone())
            .app_data(web::PayloadConfig::new(forms::LIMIT))
            .app_data(web::PathConfig::default().error_handler(|_, _| Error::NotFound.into()))
            .app_data(web::FormConfig::default().error_handler(|_, _| faces::bad_form().into()))
            .app_data(
                web::QueryConfig::default()
                    .error_handler(|fault, _| faces::bad_query(&fault).into()),
            )
            // Within the session's middleware: a page that is drawn has forms, too.
            .wrap(from_fn(faces::draw))
            .wrap(browser::session_middleware(
                cookie_key.clone(),
                &SessionCookie::of(&app),
            ))
            .wrap(from_fn(browser::drop_max_age))
            .wrap(headers::security_headers(is_https))
            .wrap(from_fn(log_answer))
            .wrap(TracingLogger::<RequestSpan>::new())
            .configure(|config| routes(config, sign_up))
            .default_service(web::to(|| async { Err::<&str, _>(Error::NotFound) }))
    });
    let server = server
        .shutdown_timeout(10)
        .disable_signals()
        .listen(listener)
        .map_err(|fault| Error::Startup(format!("the server could not start: {fault}")))?;
    Ok(server.run())
}

/// Every path. Each is a `resource` rather than a `route`, so that another method is 405, not 404.
fn routes(config: &mut web::ServiceConfig, sign_up: bool) {
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
        account, confirm, device, devices, home, setup, sign_in, sign_out, sign_out_others,
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
        .service(resource("/account/idle-limit").route(post().to(account::choose_idle_limit)))
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

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    web::block(work)
        .await
        .map_err(|stopped| Error::Internal(stopped.to_string()))?
}
