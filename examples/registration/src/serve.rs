use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;

use crate::error::StartError;

/// Answers requests at this address, which it prints, until Ctrl-C.
///
/// # Errors
///
/// If it cannot listen there.
#[expect(clippy::print_stdout, reason = "it prints where it listens")]
pub async fn serve(address: SocketAddr, router: Router) -> Result<(), StartError> {
    let failed = |source| StartError::Io {
        what: format!("cannot listen at {address} (REGISTRATION_ADDRESS)"),
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    println!("http://{address}/");
    axum::serve(listener, router)
        .with_graceful_shutdown(async {
            // Without it, only a kill ends the program.
            tokio::signal::ctrl_c().await.ok();
        })
        .await
        .map_err(failed)
}
