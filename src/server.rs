//! Assembles the application: its state and its middleware. The route table is in [`routes`].

mod bare_response;
mod binding;
mod delivery;
mod listening;
mod metrics;
mod open_files;
pub(crate) mod panics;
mod places;
mod prepared;
pub mod routes;
mod state;
mod termination;
mod turns;
#[cfg(test)]
mod typed_forms;

use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, rt, web};
use tokio::task::{JoinError, JoinHandle};
use tracing_actix_web::TracingLogger;

use self::listening::Limits;
use self::metrics::Metrics;
use self::prepared::Prepared;
pub use self::termination::Termination;
use crate::clock::Clock;
use crate::db::{Db, migrate};
use crate::error::{Error, Failure, Result};
use crate::http::app_state::AppState;
pub use crate::http::app_state::SamplePerson;
use crate::http::panic_response::answer_panics;
use crate::http::request_log::{RequestSpan, log_response};
use crate::http::{body, browser, error_response, headers};
use crate::jobs::{ClockCorrection, Jobs};
use crate::keys::{self, KeyRing};
use crate::sessions;
use crate::settings::Settings;

/// A running server.
pub struct Server {
    address: SocketAddr,
    url: String,
    app: web::Data<AppState>,
    jobs: Jobs,
    handle: ServerHandle,
    running: JoinHandle<std::io::Result<()>>,
    /// The server of metrics; `None` when no listener is configured.
    metrics: Option<Metrics>,
}

/// Verifies the settings, binds the address, migrates the database and serves. Runs inside an actix
/// system. A setting that can't be used stops it before anything is written.
///
/// # Errors
/// [`Error::Startup`] when the address can't be bound; [`Error::Migration`] when the database can't
/// be opened or migrated; [`Error::Configuration`] when a setting, or a file that it names, can't
/// be used; [`Error::Secrets`] when the secrets file can't be read or created; [`Error::Internal`]
/// when a part can't be assembled.
pub async fn start(settings: Settings, clock: Clock) -> Result<Server> {
    start_demo(settings, clock, Vec::new()).await
}

/// Serves as [`start`] does, and lets every visitor sign in as one of these people without a
/// password. Only for the demo.
///
/// # Errors
/// As [`start`].
pub async fn start_demo(
    mut settings: Settings,
    clock: Clock,
    sample_people: Vec<SamplePerson>,
) -> Result<Server> {
    let open_files = examine(&mut settings)?;
    let prepared = Prepared::new(&settings)?;
    migrate(&settings).await?;
    let address = binding::local_address(&prepared.listener)?;
    let url = settings.origin(address);

    let db = Db::new(&settings.database_url, &settings.database);
    let correction = ClockCorrection::begin(db.clone(), clock.clone()).await;
    let keys = load_keys(&settings, &db, &clock).await?;
    let parts = (db, clock, keys);
    let app = state::assemble(&settings, &prepared, parts, url.clone(), sample_people)?;
    let app = web::Data::new(app);
    let delivery = delivery::assemble(&settings, prepared.mailer, prepared.site, &app);
    let jobs = Jobs::start(&app, delivery, correction, address, &settings.jobs);
    jobs.announce_node().await;
    let metrics = prepared
        .metrics
        .map(|listener| Metrics::start(listener, app.clone()))
        .transpose()?;
    let hsts = headers::hsts(settings.is_https(), settings.hsts_include_subdomains);
    let server = serve(prepared.listener, app.clone(), hsts, open_files)?;
    let handle = server.handle();
    Ok(Server {
        address,
        url,
        app,
        jobs,
        handle,
        running: rt::spawn(server),
        metrics,
    })
}

/// Warns of what others can read, and adapts the settings to the files that the process may open. Returns
/// their number.
fn examine(settings: &mut Settings) -> Result<u64> {
    for exposure in settings.exposures()? {
        tracing::warn!(%exposure, "others can read what is sent");
    }
    let open_files = open_files::raise_limit();
    settings.max_event_streams =
        open_files::limit_streams(settings.max_event_streams, open_files, workers());
    Ok(open_files)
}

/// Brings the database up to date.
async fn migrate(settings: &Settings) -> Result<()> {
    let database = settings.database_url.clone();
    let applied = blocking(move || migrate::run(&database)).await?;
    if !applied.is_empty() {
        tracing::info!(migrations = applied.len(), "the database is migrated");
    }
    Ok(())
}

/// Loads the keys. Only the first start creates the secrets file: on a database with sessions, new
/// keys would sign everybody out, and two nodes must not have different ones.
async fn load_keys(settings: &Settings, db: &Db, clock: &Clock) -> Result<KeyRing> {
    if keys::is_file_missing(settings)? {
        if sessions::any_exists(db).await? {
            return Err(keys::missing(&settings.secrets_path()));
        }
        keys::create_first(settings, db, clock.now()).await?;
    }
    KeyRing::load(settings, clock.clone())
}

impl Server {
    /// Returns the address that the server listens at.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address at which the metrics are served; `None` when they aren't.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(Metrics::address)
    }

    /// Returns the URL at which people reach the server, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the state of the application.
    pub(crate) fn app(&self) -> &AppState {
        &self.app
    }

    /// Returns a shared handle to the state of the application.
    pub(crate) fn shared_app(&self) -> web::Data<AppState> {
        self.app.clone()
    }

    /// Returns the background jobs.
    #[must_use]
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Opens the one-time link that creates the first administrator, and returns its URL; `None`
    /// once there is an administrator.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; [`Error::Internal`] when the
    /// system provides no randomness.
    pub async fn setup_url(&self) -> Result<Option<String>> {
        if self.app.people.has_admin().await? {
            return Ok(None);
        }
        let token = self.app.setup.open()?;
        Ok(Some(format!("{}/setup/{token}", self.url)))
    }

    /// Serves until a signal of `termination` arrives, then stops as [`Server::stop`] does.
    ///
    /// # Errors
    /// [`Error::Internal`] when the server failed; else as [`Server::stop`].
    pub async fn run_until(mut self, mut termination: Termination) -> Result<()> {
        tokio::select! {
            () = termination.received() => {}
            ended = &mut self.running => {
                stop_metrics(self.metrics.as_ref()).await;
                self.jobs.finish().await?;
                return finished(ended);
            }
        }
        tracing::info!("stopping");
        self.stop().await
    }

    /// Stops the server: finishes the requests and the message in progress, and writes the buffered
    /// last uses.
    ///
    /// # Errors
    /// [`Error::Internal`] when the server failed; [`Error::Unavailable`] when the last uses can't
    /// be written.
    pub async fn stop(self) -> Result<()> {
        // The streams of changes don't end by themselves.
        self.app.changes.close();
        self.handle.stop(true).await;
        stop_metrics(self.metrics.as_ref()).await;
        let ended = self.running.await;
        self.jobs.finish().await?;
        finished(ended)
    }
}

async fn stop_metrics(metrics: Option<&Metrics>) {
    if let Some(metrics) = metrics {
        metrics.stop().await;
    }
}

fn finished(ended: std::result::Result<std::io::Result<()>, JoinError>) -> Result<()> {
    ended
        .map_err(|err| Error::Internal(Failure::new("the server was cut off", err)))?
        .map_err(|err| Error::Internal(Failure::new("the server failed", err)))
}

/// Returns the number of threads that serve requests.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, NonZero::get)
}

fn serve(
    listener: TcpListener,
    app: web::Data<AppState>,
    hsts: Option<&'static str>,
    open_files: u64,
) -> Result<actix_web::dev::Server> {
    let sign_up = app.sign_up;
    let is_demo = !app.sample_people.is_empty();
    let application = move || {
        App::new()
            .app_data(app.clone())
            // Inside the session middleware: the form of the step-up page needs the session.
            .wrap(from_fn(error_response::render_errors))
            .wrap(browser::session_middleware(
                app.session_cookies.inner_key(),
                &app.cookies,
                app.is_https,
            ))
            .wrap(from_fn(browser::exchange_cookies))
            .wrap(headers::security_headers(hsts))
            .wrap(from_fn(body::limit_time))
            .wrap(from_fn(move |request, next| {
                answer_panics(hsts, request, next)
            }))
            .wrap(from_fn(log_response))
            .wrap(TracingLogger::<RequestSpan>::new())
            // Outermost: it sees what is sent.
            .wrap(from_fn(turns::watch))
            .configure(configure_extractors)
            .configure(|config| routes::configure(config, sign_up, is_demo))
            .default_service(web::to(|| async { Err::<&str, _>(Error::NotFound) }))
    };
    let limits = limits(open_files);
    let lines = headers::security_header_lines(hsts);
    listening::listen(listener, &limits, &lines, application)
        .map_err(|err| Error::Startup(Failure::new("the server could not start", err)))
}

/// Returns what a server takes at once, where the process may open this many files.
fn limits(open_files: u64) -> Limits {
    let workers = workers();
    Limits {
        workers,
        connections: open_files::connections_per_worker(open_files, workers),
    }
}

/// Sets what extractors take, and how they respond to what they refuse.
fn configure_extractors(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(body::LIMIT))
        .app_data(web::PathConfig::default().error_handler(|_, _| Error::NotFound.into()))
        .app_data(
            web::QueryConfig::default()
                .error_handler(|err, _| error_response::bad_query(&err).into()),
        );
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    web::block(work)
        .await
        .map_err(|err| Error::Internal(Failure::new("the work was cut off", err)))?
}
