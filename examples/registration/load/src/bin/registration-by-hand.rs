//! Serves the page where visitors register, by the handler that is written by hand. The environment says the same as for
//! the application.

use std::process::ExitCode;

use registration::Config;
use registration::error::StartError;
use registration_load::by_hand;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), StartError> {
    let config = Config::from_env()?;
    let router = by_hand::router(&config)?;
    registration::serve(config.address, router).await
}
