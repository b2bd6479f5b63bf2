//! The metrics, on a listener of their own: nothing else is served there, and they are not served
//! anywhere else.

use std::net::{SocketAddr, TcpListener};

use actix_web::dev::ServerHandle;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{App, HttpResponse, HttpServer, rt, web};
use prometheus::core::Collector;
use prometheus::{Encoder, Gauge, IntCounter, IntGauge, Opts, Registry, TextEncoder};

use super::panics;
use crate::error::{Chain, Error, Failure, Result};
use crate::http::app_state::AppState;

/// Binds the address of the listener.
///
/// # Errors
/// [`Error::Startup`] when the address can't be bound.
pub(super) fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).map_err(|err| {
        Error::Startup(Failure::new(
            format!(
                "cannot serve metrics at {address}; choose another address with `metrics.listen` in rollcall.toml or ROLLCALL_METRICS__LISTEN"
            ),
            err,
        ))
    })
}

/// The running server of `GET /metrics`.
pub(super) struct Metrics {
    address: SocketAddr,
    handle: ServerHandle,
}

impl Metrics {
    /// Starts the server in the current actix system.
    ///
    /// # Errors
    /// [`Error::Startup`] when it can't be started.
    pub(super) fn start(listener: TcpListener, app: web::Data<AppState>) -> Result<Self> {
        let failed = |err| Error::Startup(Failure::new("the metrics could not be served", err));
        let address = listener.local_addr().map_err(failed)?;
        let server = HttpServer::new(move || {
            App::new()
                .app_data(app.clone())
                .route("/metrics", web::get().to(show))
                .route("/metrics", web::head().to(show))
        });
        let server = server
            .workers(1)
            .shutdown_timeout(1)
            .disable_signals()
            .listen(listener)
            .map_err(failed)?
            .run();
        let handle = server.handle();
        rt::spawn(server);
        tracing::info!(%address, "serving metrics");
        Ok(Self { address, handle })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops the server.
    pub(super) async fn stop(&self) {
        self.handle.stop(true).await;
    }
}

/// Returns the metrics in the text format of Prometheus.
async fn show(app: web::Data<AppState>) -> HttpResponse {
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    let encoded = gather(&app).and_then(|registry| encoder.encode(&registry.gather(), &mut text));
    match encoded {
        Ok(()) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, encoder.format_type()))
            .body(text),
        Err(err) => {
            tracing::error!(error = %Chain(&err), "the metrics could not be encoded");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// Reads every metric now.
fn gather(app: &AppState) -> prometheus::Result<Registry> {
    let registry = Registry::new();
    let build = IntGauge::with_opts(
        Opts::new(
            "rollcall_build_info",
            "Always 1; the label has the version.",
        )
        .const_label("version", env!("CARGO_PKG_VERSION")),
    )?;
    build.set(1);
    register(&registry, build)?;

    let offset = Gauge::new(
        "rollcall_clock_offset_seconds",
        "By how much the clock of the PostgreSQL database is ahead of this machine's; times are corrected by it.",
    )?;
    offset
        .set(std::time::Duration::from_micros(app.clock.correction().unsigned_abs()).as_secs_f64());
    if app.clock.correction() < 0 {
        offset.set(-offset.get());
    }
    register(&registry, offset)?;

    let hashes = IntCounter::new(
        "rollcall_password_hashes_total",
        "Argon2 hashes computed since the start, to set a password or to compare one.",
    )?;
    hashes.inc_by(app.people.hashes_computed());
    register(&registry, hashes)?;

    let panics = IntCounter::new(
        "rollcall_panics_total",
        "Panics since the start; each is a line of the log.",
    )?;
    panics.inc_by(panics::count());
    register(&registry, panics)?;

    let keys = app.keys.current();
    for (name, help, value) in [
        (
            "rollcall_signing_keys",
            "Signing keys of access tokens that this node knows.",
            keys.signing.count(),
        ),
        (
            "rollcall_cookie_keys",
            "Cookie keys that this node knows.",
            keys.cookie.count(),
        ),
        (
            "rollcall_secrets_file_ok",
            "Whether the secrets file was good when it was last read: 1 or 0.",
            app.keys.is_file_good().into(),
        ),
    ] {
        let gauge = IntGauge::new(name, help)?;
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        register(&registry, gauge)?;
    }
    Ok(registry)
}

fn register(registry: &Registry, metric: impl Collector + 'static) -> prometheus::Result<()> {
    registry.register(Box::new(metric))
}
