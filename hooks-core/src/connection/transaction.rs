use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::OnceLock;

use diesel::QueryResult;
use diesel::connection::Connection;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::in_place::in_place;
use super::opened::{caught, set_watch, transaction, watch};
use super::queue::{Mark, is_over};
use super::savepoint::Savepoint;
use super::state::Health;
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
    /// The same, and if the database refuses one, it goes back to its beginning and asks why.
    Explained,
    /// It calls receivers with the connection.
    Receivers,
}

impl Scope {
    /// Keeps what was worked out, and says what is kept.
    pub(crate) fn known(self, kept: &OnceLock<Scope>) -> Scope {
        *kept.get_or_init(|| self)
    }
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
    let scope = widened::<M, C>(conn, scope);
    match (open_depth(conn)?, scope) {
        (0, Scope::Statement) => alone(conn, work),
        (1.., Scope::Statement | Scope::ReadBack) => in_place::<M, C, T>(conn, work),
        (1.., Scope::Statements | Scope::Explained) => savepoint(conn, work),
        _ => transaction(conn, scope, work),
    }
}

/// How much it takes to undo an operation of these tables on this connection.
fn widened<M: Persist<C>, C: RawConnection>(conn: &mut C, scope: Scope) -> Scope {
    if scope < Scope::Receivers && scoped::has_connected(conn) {
        Scope::Receivers
    } else if scope < Scope::Statements && M::guarded(conn) {
        Scope::Statements
    } else {
        scope
    }
}

/// As [`atomic`], where no table has a say.
pub(crate) fn together<C: RawConnection, T>(
    conn: &mut C,
    scope: Scope,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T> {
    match (open_depth(conn)?, scope) {
        (1.., scope) if scope < Scope::Receivers => savepoint(conn, work),
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
    match work(conn) {
        Ok(value) => Ok(value),
        Err(error) => Err(of_one_statement(conn, error)),
    }
}

#[cold]
fn of_one_statement<C: RawConnection>(conn: &mut C, error: Error) -> Error {
    match &error {
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
    }
}

/// Whether the statement that failed like this, outside of a transaction or to end one, may have been done:
/// the connection broke, and not before it was sent. A pool then knows to drop the connection.
#[cold]
pub(super) fn is_unanswered<C: RawConnection>(conn: &mut C, error: &DieselError) -> bool {
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

fn savepoint<C: RawConnection, T>(
    conn: &mut C,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T> {
    let undo = Undo::set(conn)?;
    match caught(conn, work) {
        Ok(Ok(value)) => undo.release(conn).map(|()| value),
        Ok(Err(error)) => Err(undo.fail(conn, error)),
        Err(panic) => undo.panic(conn, panic),
    }
}

/// A savepoint, and what waited for the end of the transaction when it was set.
struct Undo {
    savepoint: Savepoint,
    mark: Mark,
}

impl Undo {
    fn set<C: RawConnection>(conn: &mut C) -> Result<Self> {
        let mark = State::mark(conn);
        let savepoint = Savepoint::set(conn)?;
        Ok(Undo { savepoint, mark })
    }

    fn release<C: RawConnection>(self, conn: &mut C) -> Result {
        // The application's instrumentation hears of it, and may panic.
        let released = catch_unwind(AssertUnwindSafe(|| self.savepoint.release(conn)));
        match released {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(doom(conn, Some(error.into()))),
            Err(panic) => self.panic(conn, panic),
        }
    }

    fn fail<C: RawConnection>(self, conn: &mut C, error: Error) -> Error {
        match self.undo(conn) {
            true => error,
            false => doom(conn, Some(error)),
        }
    }

    fn panic<C: RawConnection>(self, conn: &mut C, panic: Box<dyn Any + Send>) -> ! {
        if !self.undo(conn) {
            drop(doom(conn, None));
        }
        resume_unwind(panic)
    }

    /// Whether it was there to be undone. Otherwise the database ended the transaction itself, which Diesel
    /// notices only in statements that it does not prepare.
    fn undo<C: RawConnection>(self, conn: &mut C) -> bool {
        if self.savepoint.roll_back(conn).is_err() {
            return false;
        }
        State::rolled_back_to(conn, self.mark);
        true
    }
}
