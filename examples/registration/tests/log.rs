//! The log tells what was asked for and how it ended, and never what nobody else may know.
//!
//! One test, because a program has one log.

#[path = "application/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the other program needs more")]
mod common;

use std::io;
use std::sync::{Arc, Mutex};

use common::{PASSWORD, Server};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panics").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

#[test]
fn no_password_hash_token_or_address_is_in_the_log_at_any_level() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .init();
    let server = Server::start();
    let mut browser = server.browser();
    browser.register_with(&[("password_again", "other horse")]);
    browser.register("ada");
    server.browser().register("ada");
    let session = browser.cookies["session"].clone();
    let csrf = browser.get("/profile?notice=registered").token();
    browser.log_out();
    browser.log_in("ada", "wrong horse");
    browser.log_in("ada", PASSWORD);
    browser.submit("/account/delete", &[]);

    let log = String::from_utf8(log.0.lock().expect("no writer panics").clone()).expect("text");
    let heard = [
        "method=POST path=\"/register\" status=303",
        "db.operation.name",
        "welcome mail",
    ];
    for expected in heard {
        assert!(
            log.contains(expected),
            "{expected} is not in the log:\n{log}"
        );
    }
    let secrets = [
        PASSWORD,
        "other horse",
        "wrong horse",
        "correct+horse",
        "$argon2",
        "ada@example.org",
        &session,
        &csrf,
    ];
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
