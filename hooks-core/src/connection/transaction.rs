use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use diesel::QueryResult;
use diesel::connection::{Connection, TransactionManager};

use super::{RawConnection, State};
use crate::backend::execute;
use crate::backend::statements::{ROLL_BACK_TO_SAVEPOINT, Release, Savepoint};
use crate::diesel_internals::transaction_status;
use crate::error::{Error, Result};

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

/// Runs `work` so that its writes stay together or go together.
///
/// Without an open transaction it opens one. Inside one it sets a savepoint: Diesel's, where the
/// application's code runs and may nest its own, else one whose statements are prepared only once.
/// A panic rolls back like an error and goes on.
pub(crate) fn atomic<C: RawConnection, T>(
    conn: &mut C,
    scope: Scope,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T> {
    if scope == Scope::Statement {
        return work(conn);
    }
    match (depth(conn)?, scope) {
        (0, _) | (_, Scope::Receivers) => transaction(conn, work),
        (_, Scope::Statements) => savepoint(conn, work),
        _ => work(conn),
    }
}

/// How many transactions and savepoints Diesel has open on this connection.
pub(crate) fn depth<C: Connection>(conn: &mut C) -> QueryResult<u32> {
    Ok(transaction_status(conn)
        .transaction_depth()?
        .map_or(0, u32::from))
}

fn transaction<C: RawConnection, T>(
    conn: &mut C,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T> {
    let entry = depth(conn)?;
    match entry {
        0 => conn.begin_to_write()?,
        _ => C::TransactionManager::begin_transaction(conn)?,
    }
    match catch_unwind(AssertUnwindSafe(|| work(conn))) {
        Ok(Ok(value)) if depth(conn) == Ok(entry + 1) => {
            match C::TransactionManager::commit_transaction(conn) {
                Ok(()) => Ok(value),
                Err(error) => {
                    roll_back(conn, entry);
                    Err(error.into())
                }
            }
        }
        Ok(outcome) => {
            roll_back(conn, entry);
            outcome.and(Err(Error::TransactionLost))
        }
        Err(panic) => {
            roll_back(conn, entry);
            resume_unwind(panic)
        }
    }
}

/// Back to the depth at entry, through whatever a receiver left open. A transaction manager that cannot
/// get there is in error, by which a pool knows to drop the connection.
fn roll_back<C: Connection>(conn: &mut C, entry: u32) {
    while let Ok(depth_before) = depth(conn)
        && depth_before > entry
    {
        let outcome = C::TransactionManager::rollback_transaction(conn);
        if outcome.is_err() && depth(conn) == Ok(depth_before) {
            transaction_status(conn).set_in_error();
        }
    }
}

fn savepoint<C: RawConnection, T>(
    conn: &mut C,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T> {
    let mark = State::mark(conn);
    execute(conn, Savepoint)?;
    match catch_unwind(AssertUnwindSafe(|| work(conn))) {
        Ok(Ok(value)) => {
            if let Err(error) = execute(conn, Release) {
                State::rolled_back_to(conn, mark);
                return Err(error.into());
            }
            Ok(value)
        }
        Ok(Err(error)) => {
            undo(conn);
            State::rolled_back_to(conn, mark);
            Err(error)
        }
        Err(panic) => {
            undo(conn);
            State::rolled_back_to(conn, mark);
            resume_unwind(panic)
        }
    }
}

/// Where this fails, the database ended the transaction itself, and the COMMIT around it will say so;
/// Diesel notices a transaction that is gone only in statements that it does not prepare.
fn undo<C: Connection>(conn: &mut C) {
    if conn.batch_execute(ROLL_BACK_TO_SAVEPOINT).is_ok() {
        drop(execute(conn, Release));
    }
}
