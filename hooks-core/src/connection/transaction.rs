use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use diesel::QueryResult;
use diesel::connection::{Connection, TransactionManager};
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::in_place::in_place;
use super::queue::{Mark, is_over};
use super::savepoint::Savepoint;
use super::state::Health;
use super::watch::Watch;
use super::{RawConnection, State, scoped};
use crate::backend::execute;
use crate::backend::statements::RollBack;
use crate::diesel_internals::{restore_depth, transaction_status};
use crate::error::{Error, Operation, Result};
use crate::model::Persist;

/// What an operation does besides its own statement, which says how much it takes to undo it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// Nothing: one statement happens or not.
    Statement,
    /// It looks at what it wrote; alone, that is one transaction.
    ReadBack,
    /// It sends further statements, or calls receivers that can fail but have no connection.
    Statements,
    /// It calls receivers with the connection.
    Receivers,
}

/// Runs `work` on rows of `M` so that its writes stay together or go together.
///
/// Without an open transaction it opens one. Inside one it sets a savepoint: Diesel's, where the
/// application's code runs and may nest its own, else one whose statements are prepared only once.
/// A panic rolls back like an error and goes on.
pub(crate) fn atomic<M: Persist<C>, C: RawConnection, T>(
    conn: &mut C,
    scope: Scope,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T> {
    let scope = if scope < Scope::Receivers && scoped::has_connected(conn) {
        Scope::Receivers
    } else if scope < Scope::Statements && M::guarded(conn) {
        Scope::Statements
    } else {
        scope
    };
    match (open_depth(conn)?, scope) {
        (0, Scope::Statement) => alone(conn, work),
        (1.., Scope::Statement | Scope::ReadBack) => in_place::<M, C, T>(conn, work),
        (1.., Scope::Statements) => savepoint(conn, work),
        _ => transaction(conn, scope, work),
    }
}

/// As [`atomic`], where no table has a say.
pub(crate) fn together<C: RawConnection, T>(
    conn: &mut C,
    scope: Scope,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T> {
    match (open_depth(conn)?, scope) {
        (1.., Scope::Statement | Scope::ReadBack | Scope::Statements) => savepoint(conn, work),
        _ => transaction(conn, scope, work),
    }
}

/// How many transactions and savepoints are open.
///
/// # Errors
///
/// If Diesel thinks so, and none is.
fn open_depth<C: RawConnection>(conn: &mut C) -> Result<u32> {
    let depth = depth(conn)?;
    let health = match depth {
        0 => Health::Good,
        _ => State::installed(conn).map_or(Health::Suspect, |state| state.health),
    };
    match health {
        Health::Good => Ok(depth),
        Health::Suspect => examine(conn).map(|()| depth),
        Health::Lost => Err(Error::TransactionLost { source: None }),
    }
}

/// Some errors end the transaction on SQLite, and nothing tells which: one asks.
#[cold]
fn examine<C: RawConnection>(conn: &mut C) -> Result<()> {
    let open = conn.session().transaction_is_open();
    if let Ok(state) = State::of(conn) {
        state.health = Health::Good;
    }
    if open {
        return Ok(());
    }
    Err(doom(conn, None))
}

/// How many transactions and savepoints Diesel has open on this connection.
pub(crate) fn depth<C: Connection>(conn: &mut C) -> QueryResult<u32> {
    Ok(transaction_status(conn)
        .transaction_depth()?
        .map_or(0, u32::from))
}

/// Gives up the transaction of the application, which has something in it that can no longer be undone,
/// or is gone already: what it wrote is rolled back, its COMMIT fails, and until then no operation runs.
pub(crate) fn doom<C: RawConnection>(conn: &mut C, source: Option<Error>) -> Error {
    let open = depth(conn);
    let watch = watch(conn);
    drop(execute(conn, RollBack));
    // Otherwise what the application still writes would commit by itself, and the next savepoint would open
    // a transaction that can be committed.
    if let Ok(depth @ 1..) = open {
        // On PostgreSQL Diesel notices the ROLLBACK; whoever began the transaction has to hear of it.
        restore_depth(conn, depth);
        drop(conn.session().begin_what_cannot_be_committed(depth));
    }
    lose(conn);
    set_watch(conn, watch.given_up());
    Error::TransactionLost {
        source: source.map(Box::new),
    }
}

/// Remembers that the transaction which Diesel thinks open is gone, with what waits for its COMMIT.
fn lose<C: RawConnection>(conn: &mut C) {
    match State::of(conn) {
        Ok(state) => state.lose(),
        Err(_) => transaction_status(conn).set_in_error(),
    }
}

/// Runs a statement that commits by itself. If nothing answers it, it may have done so; if Rust cannot read the
/// answer, it has.
fn alone<C: RawConnection, T>(conn: &mut C, work: impl FnOnce(&mut C) -> Result<T>) -> Result<T> {
    work(conn).map_err(|error| match &error {
        Error::Query {
            operation: Some(Operation::Create),
            source: DieselError::DeserializationError(_),
            ..
        } => Error::TransactionLost {
            source: Some(Box::new(error)),
        },
        Error::Query {
            operation: Some(Operation::Create | Operation::Update | Operation::Delete),
            source,
            ..
        } if is_unanswered(conn, source) => Error::CommitUnknown {
            source: Box::new(error),
        },
        _ => error,
    })
}

/// Whether the statement that failed like this, outside of a transaction or to end one, may have been done:
/// the connection broke, and not before it was sent. A pool then knows to drop the connection.
#[cold]
fn is_unanswered<C: RawConnection>(conn: &mut C, error: &DieselError) -> bool {
    let answered = match error {
        DieselError::RollbackErrorOnCommit { rollback_error, .. } => is_over(rollback_error),
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, _) => {
            depth(conn).is_ok() && conn.batch_execute("SELECT 1").is_ok()
        }
        DieselError::DatabaseError(kind, _) => !matches!(kind, DatabaseErrorKind::ClosedConnection),
        _ => true,
    };
    if !answered {
        transaction_status(conn).set_in_error();
    }
    !answered
}

/// Runs `work` in a transaction, or in Diesel's savepoint inside one.
pub(super) fn transaction<C: RawConnection, T>(
    conn: &mut C,
    scope: Scope,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T> {
    attempt(conn, scope, work).map_err(|failed| failed.error)
}

/// Why a transaction or savepoint was not committed.
pub(super) struct Failed {
    pub(super) error: Error,
    /// Whether some of it may be there all the same.
    pub(super) escaped: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let escaped = false;
        Failed { error, escaped }
    }
}

impl From<DieselError> for Failed {
    fn from(error: DieselError) -> Self {
        Error::from(error).into()
    }
}

/// As [`transaction`], which also says what an error means.
pub(super) fn attempt<C: RawConnection, T>(
    conn: &mut C,
    scope: Scope,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T, Failed> {
    let entry = depth(conn)?;
    if is_watched(conn, entry, scope) {
        // One that comes later has not heard what happened before.
        drop(State::of(conn));
    }
    match entry {
        0 => conn.begin_to_write()?,
        _ => C::TransactionManager::begin_transaction(conn)?,
    }
    // The application's instrumentation hears of each statement, and may panic.
    let outcome = catch_unwind(AssertUnwindSafe(|| inside(conn, entry, scope, work)));
    match outcome {
        Ok(Ok(Done {
            outcome: Ok(value),
            lost: false,
            ..
        })) => Ok(commit(conn, entry).map(|()| value)?),
        Ok(Ok(Done {
            outcome,
            lost,
            ended,
        })) => {
            let rolled_back = roll_back(conn, entry) && !lost;
            // Where no receiver ran, nothing was written after the database ended the transaction.
            let escaped = !(rolled_back || ended || (entry == 0 && scope < Scope::Receivers));
            Err(match outcome {
                Err(error) if !escaped => error.into(),
                outcome => Failed {
                    error: Error::TransactionLost {
                        source: outcome.err().map(Box::new),
                    },
                    escaped,
                },
            })
        }
        Ok(Err(error)) => {
            roll_back(conn, entry);
            Err(error.into())
        }
        Err(panic) => {
            set_watch(conn, Watch::Off);
            roll_back(conn, entry);
            resume_unwind(panic)
        }
    }
}

/// What came of work in a transaction.
struct Done<T> {
    outcome: Result<T>,
    /// Whether the transaction is no longer the one in which it began.
    lost: bool,
    /// Whether that is so because the database rolled it back, and nothing was written since.
    ended: bool,
}

/// An error if the work did not begin.
fn inside<C: RawConnection, T>(
    conn: &mut C,
    entry: u32,
    scope: Scope,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<Done<T>> {
    // Diesel's own savepoint tells by its name; an outermost transaction needs one to tell.
    let sentinel = match entry == 0 && scope == Scope::Receivers {
        false => None,
        true => Some(Savepoint::set(conn)?),
    };
    let watched = is_watched(conn, entry, scope);
    if watched {
        set_watch(conn, Watch::Whole);
    }
    let outcome = work(conn);
    let ended = watched && watch(conn) == Watch::Ended;
    if watched {
        set_watch(conn, Watch::Off);
    }
    let lost = depth(conn) != Ok(entry + 1)
        || State::installed(conn).is_some_and(|state| state.health == Health::Lost);
    let found = match sentinel {
        Some(sentinel) if !lost => find(conn, &sentinel, outcome.is_err()),
        _ => Ok(()),
    };
    Ok(match found {
        Ok(()) => Done {
            outcome,
            lost,
            ended,
        },
        Err(error) => Done {
            outcome: outcome.and(Err(error.into())),
            lost: true,
            ended,
        },
    })
}

/// Whether the application's code runs in a transaction of ours that an error may end.
fn is_watched<C: RawConnection>(conn: &C, entry: u32, scope: Scope) -> bool {
    entry == 0 && scope == Scope::Receivers && conn.system().errors_end_transactions()
}

fn watch<C: RawConnection>(conn: &mut C) -> Watch {
    State::installed(conn).map_or(Watch::Off, |state| state.watch)
}

fn set_watch<C: RawConnection>(conn: &mut C, watch: Watch) {
    if let Some(state) = State::installed(conn) {
        state.watch = watch;
    }
}

/// An error if the savepoint is no longer there. After a failure, PostgreSQL answers only who goes back to it.
fn find<C: RawConnection>(conn: &mut C, sentinel: &Savepoint, failed: bool) -> QueryResult<()> {
    match failed && conn.system().errors_abort() {
        true => sentinel.roll_back(conn),
        false => sentinel.release(conn),
    }
}

fn commit<C: RawConnection>(conn: &mut C, entry: u32) -> Result {
    // The application's instrumentation hears of it, and may panic.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        C::TransactionManager::commit_transaction(conn)
    }));
    if let Ok(Ok(())) = outcome {
        return Ok(());
    }
    roll_back(conn, entry);
    let error = match outcome {
        Err(panic) => resume_unwind(panic),
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error,
    };
    match entry {
        0 if is_unanswered(conn, &error) => Err(Error::CommitUnknown {
            source: Box::new(error.into()),
        }),
        0 => Err(error.into()),
        // Somebody swallowed an error, and Diesel has gone back to the savepoint.
        _ if conn.system().errors_abort() && depth(conn) == Ok(entry) && is_answered(conn) => {
            Err(Error::TransactionLost {
                source: Some(Box::new(error.into())),
            })
        }
        // Elsewhere a savepoint can be released unless its transaction is gone.
        _ => Err(doom(conn, Some(error.into()))),
    }
}

/// Whether a transaction is open, and nothing has failed in it.
fn is_answered<C: RawConnection>(conn: &mut C) -> bool {
    conn.session().transaction_is_open() && conn.batch_execute("SELECT 1").is_ok()
}

/// Back to the depth at entry, through whatever a receiver left open, and whether all of it was there to
/// be rolled back. A transaction manager that cannot get there is in error, by which a pool knows to drop
/// the connection.
fn roll_back<C: RawConnection>(conn: &mut C, entry: u32) -> bool {
    let mut found = true;
    while let Ok(depth_before) = depth(conn)
        && depth_before > entry
    {
        let outcome = C::TransactionManager::rollback_transaction(conn);
        found &= outcome.is_ok();
        if outcome.is_err() && depth(conn) == Ok(depth_before) {
            transaction_status(conn).set_in_error();
        }
    }
    // Diesel may have noticed that the transaction is gone; whoever began it has to hear of it.
    if depth(conn).is_ok_and(|depth| depth < entry) {
        found = false;
        restore_depth(conn, entry);
    }
    // After a deadlock of MySQL, Diesel takes a savepoint for rolled back that went with its transaction.
    if entry > 0 && found && conn.system().errors_end_transactions() && is_suspect(conn) {
        found = conn.session().transaction_is_open();
    }
    if entry > 0 && !found {
        drop(doom(conn, None));
    }
    found
}

fn is_suspect<C: RawConnection>(conn: &mut C) -> bool {
    State::installed(conn).is_some_and(|state| state.health == Health::Suspect)
}

fn savepoint<C: RawConnection, T>(
    conn: &mut C,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T> {
    let mark = State::mark(conn);
    let savepoint = Savepoint::set(conn)?;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let value = work(conn)?;
        Ok((value, savepoint.release(conn)))
    }));
    match outcome {
        Ok(Ok((value, Ok(())))) => Ok(value),
        Ok(Ok((_, Err(error)))) => Err(doom(conn, Some(error.into()))),
        Ok(Err(error)) => match undo(conn, &savepoint, mark) {
            true => Err(error),
            false => Err(doom(conn, Some(error))),
        },
        Err(panic) => {
            if !undo(conn, &savepoint, mark) {
                drop(doom(conn, None));
            }
            resume_unwind(panic)
        }
    }
}

/// Whether it was there to be undone. Otherwise the database ended the transaction itself, which Diesel
/// notices only in statements that it does not prepare.
fn undo<C: RawConnection>(conn: &mut C, savepoint: &Savepoint, mark: Mark) -> bool {
    if savepoint.roll_back(conn).is_err() {
        return false;
    }
    State::rolled_back_to(conn, mark);
    true
}
