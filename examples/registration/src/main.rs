//! `cargo run -p registration` serves the application; `cargo run -p registration -- make-admin NAME` opens `/admin` to a
//! user. The README says what the environment can change.
#![expect(clippy::print_stdout, reason = "it answers at the command line")]

use std::process::ExitCode;

use registration::actor::Actor;
use registration::error::StartError;
use registration::{App, Config, accounts};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    diesel_hooks::set_failure_handler(|failure| tracing::error!(%failure));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        [] => serve().await,
        ["make-admin", name] => make_admin(name),
        _ => {
            tracing::error!("usage: registration [make-admin NAME]");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), StartError> {
    let config = Config::from_env()?;
    let router = App::open(&config)?.router();
    registration::serve(config.address, router).await
}

fn make_admin(name: &str) -> Result<(), StartError> {
    let app = App::open(&Config::from_env()?)?;
    let actor = Actor::named("make-admin");
    app.database()
        .run_here(actor, |conn| accounts::make_admin(conn, name))?;
    println!("{name} is an administrator");
    Ok(())
}
