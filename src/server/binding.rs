//! Binds the address at which the service listens.

use std::net::{SocketAddr, TcpListener};

use crate::error::{Error, Failure, Result};

/// Binds an address.
///
/// # Errors
/// [`Error::Startup`] when it can't be bound.
pub(super) fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).map_err(|err| {
        Error::Startup(Failure::new(
            format!(
                "cannot listen at {address}; choose another address with --listen, ROLLCALL_LISTEN or `listen` in rollcall.toml"
            ),
            err,
        ))
    })
}

/// Returns the address that a listener has.
///
/// # Errors
/// [`Error::Startup`] when it is not known.
pub(super) fn local_address(listener: &TcpListener) -> Result<SocketAddr> {
    listener
        .local_addr()
        .map_err(|err| Error::Startup(Failure::new("the address is unknown", err)))
}
