//! Puts the application together: its parts and the middleware. The route table is beside it.

mod routes;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::cookie::Key;
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App as Application, HttpServer, rt, web};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{JoinError, JoinHandle};
use tracing_actix_web::TracingLogger;

use crate::alerts::{Alerts, Delivery, Links};
use crate::api_keys::ApiKeys;
use crate::clock::Clock;
use crate::db::{Db, migrate};
use crate::devices::address::TrustedProxies;
use crate::devices::{DeviceParser, EdgeHeaders, Places};
use crate::error::{Error, Result};
use crate::events::Changes;
use crate::http::app::{App, SetupLink};
use crate::http::browser::SessionCookie;
use crate::http::forms::FormKey;
use crate::http::log::{RequestSpan, log_answer};
use crate::http::target::AllowedHosts;
use crate::http::{browser, faces, forms, headers};
use crate::jobs::Jobs;
use crate::mail::Mailer;
use crate::people::{Hasher, People};
use crate::sessions::Sessions;
use crate::settings::{PlaceSettings, Settings};
use crate::tokens::{Keys, Tokens};

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
    let url = settings.origin(address);

    let keys = Keys::load(&settings, clock.now())?;
    let cookie_key = Key::from(&keys.for_cookies()?);
    let app = web::Data::new(assemble(&settings, clock, &keys, url.clone())?);
    let delivery = delivery(&settings, &app)?;
    let jobs = Jobs::start(&app.sessions, app.places.clone(), delivery, &settings.jobs);
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

    /// Its parts, to be kept.
    pub fn shared_app(&self) -> web::Data<App> {
        self.app.clone()
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

    /// Stops it: finishes the requests and the letter under way, and writes what waits in memory.
    ///
    /// # Errors
    /// When the last uses can't be written.
    pub async fn stop(self) -> Result<()> {
        // Streams would never end by themselves.
        self.app.changes.close();
        self.handle.stop(true).await;
        finished(self.running.await)?;
        self.jobs.finish_mail().await;
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

fn assemble(settings: &Settings, clock: Clock, keys: &Keys, url: String) -> Result<App> {
    let db = Db::new(&settings.database_url, &settings.database);
    let hasher = Hasher::new(&settings.passwords)?;
    let devices = DeviceParser::of(settings.device_patterns.as_deref())
        .map_err(|fault| Error::Startup(format!("device_patterns is wrong: {fault}")))?;
    let alerts = Alerts::new(db.clone(), clock.clone(), &settings.mail);
    Ok(App {
        alerts: alerts.clone(),
        links: Arc::new(Links::new(&keys.for_links()?, url.clone())?),
        api_keys: ApiKeys::new(db.clone(), clock.clone()),
        changes: Changes::new(db.clone(), clock.clone()),
        people: People::new(db.clone(), clock.clone(), hasher),
        sessions: Sessions::new(
            db.clone(),
            clock.clone(),
            alerts.clone(),
            &settings.sessions,
            &settings.tokens,
            &settings.jobs,
        ),
        tokens: Arc::new(Tokens::new(keys, &settings.tokens, url)?),
        devices,
        places: open_places(&settings.places),
        edge_headers: EdgeHeaders {
            country: named(&settings.places.country_header),
            city: named(&settings.places.city_header),
        },
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

/// The way of alerts to people's mailboxes, if there is one.
fn delivery(settings: &Settings, app: &App) -> Result<Option<Delivery>> {
    let name = settings.public_url.as_ref().and_then(|url| url.host_str());
    let mailer = Mailer::new(&settings.mail, name.unwrap_or("localhost"))?;
    let delivery = |mailer| {
        Delivery::new(
            app.db.clone(),
            app.clock.clone(),
            app.links.clone(),
            mailer,
            settings.mail.give_up_after,
        )
    };
    Ok(mailer.map(delivery))
}

/// The places of the files in the settings. One that can't be used keeps nobody from signing in.
fn open_places(settings: &PlaceSettings) -> Arc<Places> {
    let places = Places::new(settings.files.clone());
    let (read, faults) = places.reload();
    if read > 0 {
        tracing::info!(files = read, "places are known");
    }
    for fault in faults {
        tracing::error!(%fault, "places.files: a file can't be used; places stay unknown");
    }
    Arc::new(places)
}

fn named(header: &str) -> Option<String> {
    Some(header.to_ascii_lowercase()).filter(|header| !header.is_empty())
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
            .configure(|config| routes::all(config, sign_up))
            .default_service(web::to(|| async { Err::<&str, _>(Error::NotFound) }))
    });
    let server = server
        .shutdown_timeout(10)
        .disable_signals()
        .listen(listener)
        .map_err(|fault| Error::Startup(format!("the server could not start: {fault}")))?;
    Ok(server.run())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    web::block(work)
        .await
        .map_err(|stopped| Error::Internal(stopped.to_string()))?
}
