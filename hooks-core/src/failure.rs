//! Where callbacks report that cannot return an error any more, because the transaction is over.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use crate::error::BoxError;
use crate::receiver::Outcome;
use crate::trace;

/// A callback that failed, panicked, or never got its turn.
///
/// The operation that registered it is not affected: what was committed stays committed, and the other
/// callbacks run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// What the callback was waiting for.
    pub callback: CallbackKind,
    /// The `dispatch_uid`, if it is a receiver.
    pub receiver: Option<&'static str>,
    /// What happened.
    pub reason: FailureReason,
}

/// What a callback waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallbackKind {
    /// The COMMIT of the outermost transaction.
    AfterCommit,
    /// The rollback of what it was registered in.
    AfterRollback,
}

/// Why a callback did not do what it was registered for.
#[derive(Debug)]
#[non_exhaustive]
pub enum FailureReason {
    /// It returned this error.
    Error(BoxError),
    /// It panicked with this message.
    Panic(String),
    /// The connection was dropped, or its instrumentation replaced, before the transaction was over.
    /// Whether that was committed is not known.
    NeverRan {
        /// How many callbacks were waiting.
        waiting: usize,
    },
    /// The connection broke before COMMIT was answered, so that it is not known whether it was the turn of
    /// those that wait for a commit or of those that wait for a rollback.
    CommitUnknown {
        /// How many callbacks were waiting.
        waiting: usize,
    },
}

impl fmt::Display for CallbackKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CallbackKind::AfterCommit => "after-commit",
            CallbackKind::AfterRollback => "after-rollback",
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let callback = self.callback;
        match &self.reason {
            FailureReason::NeverRan { waiting } => {
                return write!(
                    f,
                    "{waiting} {callback} callbacks never ran: their connection was dropped or got another instrumentation before the transaction was over"
                );
            }
            FailureReason::CommitUnknown { waiting } => {
                return write!(
                    f,
                    "{waiting} {callback} callbacks did not run: COMMIT was never answered, so that it is not known what became of the transaction"
                );
            }
            FailureReason::Error(error) => write!(f, "an {callback} callback failed: {error}")?,
            FailureReason::Panic(message) => {
                write!(f, "an {callback} callback panicked: {message}")?;
            }
        }
        match self.receiver {
            Some(uid) => write!(f, " (receiver {uid})"),
            None => Ok(()),
        }
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.reason {
            FailureReason::Error(error) => Some(&**error),
            _ => None,
        }
    }
}

type Handler = Arc<dyn Fn(&Failure) + Send + Sync>;

static HANDLER: RwLock<Option<Handler>> = RwLock::new(None);

/// Sets what hears of failed callbacks, for the whole process; it replaces the one before.
///
/// Without one they go to the [`log`] crate as errors. The handler may run while Diesel ends a
/// transaction, on the thread that ends it. A panic in it is caught and logged.
///
/// ```
/// diesel_hooks::set_failure_handler(|failure| eprintln!("{failure}"));
/// ```
pub fn set_failure_handler(handler: impl Fn(&Failure) + Send + Sync + 'static) {
    let before = HANDLER
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .replace(Arc::new(handler));
    // Outside the lock, for what the old one captured may do anything when it is dropped.
    drop(before);
}

/// Runs what belongs to the application where neither an error nor a panic may go further.
pub(crate) fn contain(
    callback: CallbackKind,
    receiver: Option<&'static str>,
    work: impl FnOnce() -> Outcome,
) {
    let work = || trace::callback(callback, receiver, work);
    let reason = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return,
        Ok(Err(error)) => FailureReason::Error(error),
        Err(panic) => {
            let text = message(&*panic);
            // To drop what the application panicked with may panic again.
            mem::forget(panic);
            FailureReason::Panic(text)
        }
    };
    report(&Failure {
        callback,
        receiver,
        reason,
    });
}

pub(crate) fn report(failure: &Failure) {
    let handler = HANDLER
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let Some(handler) = handler else {
        log::error!("{failure}");
        return;
    };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| handler(failure))) {
        let panic = message(&*panic);
        log::error!("{failure}; the failure handler panicked: {panic}");
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    None.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_owned())
}
