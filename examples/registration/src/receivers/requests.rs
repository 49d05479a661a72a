//! Requests, as the tower layer of `request_signals` tells of them: a line in the log for each, and how many there were.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use diesel_hooks::prelude::*;
use request_signals::{RequestFinished, RequestStarted};
use serde::Serialize;

/// Of the whole program: these signals come without a connection, and so without context.
static STARTED: AtomicU64 = AtomicU64::new(0);
static ANSWERED: AtomicU64 = AtomicU64::new(0);
static FAILED: AtomicU64 = AtomicU64::new(0);

/// How many requests there were since the start.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Requests {
    /// That arrived.
    pub started: u64,
    /// That were answered.
    pub answered: u64,
    /// That were answered with an error of the server.
    pub failed: u64,
}

impl Requests {
    /// Up to now.
    pub fn so_far() -> Self {
        Requests {
            started: STARTED.load(Relaxed),
            answered: ANSWERED.load(Relaxed),
            failed: FAILED.load(Relaxed),
        }
    }
}

#[receiver(dispatch_uid = "count started requests")]
fn started(_: &RequestStarted) {
    STARTED.fetch_add(1, Relaxed);
}

#[receiver(dispatch_uid = "log finished requests")]
fn finished(event: &RequestFinished) {
    ANSWERED.fetch_add(1, Relaxed);
    let status = event.status.map_or(0, |it| it.as_u16());
    if status >= 500 {
        FAILED.fetch_add(1, Relaxed);
    }
    // Without the query and the body, in which people write what concerns nobody.
    tracing::info!(method = %event.method, path = event.path, status, elapsed = ?event.elapsed);
}
