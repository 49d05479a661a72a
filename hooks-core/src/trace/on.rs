use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tracing::field::Empty;
use tracing::{Level, enabled, event, info_span};

use crate::connection::{CallbackKind, Frame, RawConnection};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::receiver::Outcome;

/// By which an application's filter names this library.
const TARGET: &str = "diesel_hooks";

/// In nanoseconds; the largest number is none.
static SLOW: AtomicU64 = AtomicU64::new(u64::MAX);

/// Makes a warning of every receiver and callback that takes at least this long, for the whole process.
///
/// Without it, and again after [`Duration::MAX`], none is slow. A receiver's time includes that of the
/// operations in it.
///
/// What the feature `tracing` tells, all with the target `diesel_hooks`:
///
/// | what | level | fields |
/// | --- | --- | --- |
/// | an operation, as span `diesel_hooks.operation` | INFO | `db.system.name`, `db.collection.name`, `db.operation.name`, `model`, and `error.type` if it fails |
/// | a receiver or callback, when it is over | DEBUG, or WARN if it was slow | `receiver`, `model`, `signal`, `when`, `duration_us`, `outcome` |
/// | `without_receiver` | DEBUG | `receiver` |
/// | `without_hooks` | INFO | |
/// | a further attempt of `retry` | INFO | `attempt`, the one that failed, and `error.type` |
///
/// An `outcome` is `ok`, `error` or `panic`. One that waits for the end of the transaction has its event then.
/// No value of a column and no key is told.
///
/// ```
/// # use diesel_hooks_core as diesel_hooks;
/// use std::time::Duration;
///
/// diesel_hooks::set_slow_receiver_threshold(Duration::from_millis(50));
/// ```
pub fn set_slow_receiver_threshold(threshold: Duration) {
    let nanoseconds = u64::try_from(threshold.as_nanos()).unwrap_or(u64::MAX);
    SLOW.store(nanoseconds, Ordering::Relaxed);
}

/// An operation, in a span with the attributes of OpenTelemetry's database conventions.
pub(crate) fn operation<M: Model, C: RawConnection, T>(
    name: &'static str,
    conn: &mut C,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T> {
    let span = info_span!(
        target: TARGET,
        "diesel_hooks.operation",
        db.system.name = conn.system().name(),
        db.collection.name = M::INFO.table,
        db.operation.name = name,
        model = M::INFO.name,
        error.type = Empty,
    );
    let outcome = span.in_scope(|| work(conn));
    if let Err(error) = &outcome {
        span.record("error.type", error_type(error));
    }
    outcome
}

/// A receiver that runs while its signal is sent.
pub(crate) fn receiver(frame: Frame, receive: impl FnOnce() -> Outcome) -> Outcome {
    watch(receive, || Watch {
        receiver: frame.receiver,
        model: frame.model,
        signal: Some(frame.signal),
        when: "now",
        began: Instant::now(),
        outcome: "panic",
    })
}

/// What runs when the transaction is over.
pub(crate) fn callback(
    kind: CallbackKind,
    receiver: Option<&'static str>,
    work: impl FnOnce() -> Outcome,
) -> Outcome {
    watch(work, || Watch {
        receiver: receiver.unwrap_or("(callback)"),
        model: None,
        signal: None,
        when: match kind {
            CallbackKind::AfterCommit => "after commit",
            CallbackKind::AfterRollback => "after rollback",
        },
        began: Instant::now(),
        outcome: "panic",
    })
}

/// Makes an event of a call, if somebody hears it.
fn watch(work: impl FnOnce() -> Outcome, begin: impl FnOnce() -> Watch) -> Outcome {
    if !enabled!(target: TARGET, Level::DEBUG) && SLOW.load(Ordering::Relaxed) == u64::MAX {
        return work();
    }
    let mut watch = begin();
    let outcome = work();
    watch.outcome = if outcome.is_ok() { "ok" } else { "error" };
    outcome
}

/// One receiver is skipped for a while.
pub(crate) fn muted(uid: &str) {
    event!(target: TARGET, Level::DEBUG, receiver = uid, "one receiver is muted");
}

/// All receivers are skipped for a while.
pub(crate) fn muted_all() {
    event!(target: TARGET, Level::INFO, "all receivers are muted");
}

/// A transaction is run again because of this.
pub(crate) fn again(attempt: u32, error: &Error) {
    let error = error_type(error);
    event!(target: TARGET, Level::INFO, attempt, error.type = error, "the transaction is run again");
}

/// A call, which becomes an event when it is over, also by a panic.
struct Watch {
    receiver: &'static str,
    model: Option<&'static str>,
    signal: Option<&'static str>,
    when: &'static str,
    began: Instant,
    outcome: &'static str,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let duration = self.began.elapsed();
        let duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let threshold = SLOW.load(Ordering::Relaxed);
        macro_rules! tell {
            ($level:expr, $message:literal) => {
                event!(
                    target: TARGET,
                    $level,
                    receiver = self.receiver,
                    model = self.model,
                    signal = self.signal,
                    when = self.when,
                    duration_us,
                    outcome = self.outcome,
                    $message
                )
            };
        }
        if threshold != u64::MAX && duration.as_nanos() >= u128::from(threshold) {
            tell!(Level::WARN, "slow receiver");
        } else {
            tell!(Level::DEBUG, "receiver");
        }
    }
}

/// The variant's name: the message of an error may hold what a receiver or the database wrote.
fn error_type(error: &Error) -> &'static str {
    match error {
        Error::Query { .. } => "Query",
        Error::NotFound { .. } => "NotFound",
        Error::SeveralRows { .. } => "SeveralRows",
        Error::Protected(_) => "Protected",
        Error::Restricted(_) => "Restricted",
        Error::Cycle { .. } => "Cycle",
        Error::TooManyRows { .. } => "TooManyRows",
        Error::Set { .. } => "Set",
        Error::Receiver(_) => "Receiver",
        Error::SignalReplaced { .. } => "SignalReplaced",
        Error::KeyChanged { .. } => "KeyChanged",
        Error::RowCount { .. } => "RowCount",
        Error::DependentExists { .. } => "DependentExists",
        Error::ChildAppeared { .. } => "ChildAppeared",
        Error::TransactionLost { .. } => "TransactionLost",
        Error::CommitUnknown { .. } => "CommitUnknown",
        Error::RetryInTransaction => "RetryInTransaction",
        Error::Recursion { .. } => "Recursion",
        Error::Instrumentation => "Instrumentation",
        Error::Registry(_) => "Registry",
    }
}
