//! A transaction, or Diesel's savepoint inside one, from its beginning to its end.
//!
//! Only the few lines around the work know its type, because there is one for each operation of each model.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use diesel::QueryResult;
use diesel::connection::TransactionManager;
use diesel::result::Error as DieselError;

use super::state::Health;
use super::transaction::{depth, doom, is_unanswered};
use super::watch::Watch;
use super::{RawConnection, Scope, State};
use crate::backend::NotCommitted;
use crate::diesel_internals::{restore_depth, transaction_status};
use crate::error::{Error, Result};

/// Runs `work` in a transaction, or in Diesel's savepoint inside one.
pub(super) fn transaction<C: RawConnection, T>(
    conn: &mut C,
    scope: Scope,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T> {
    match attempt(conn, scope, work) {
        Ok(value) => Ok(value),
        Err(failed) => Err(failed.error),
    }
}

/// As [`transaction`], which also says what an error means.
pub(super) fn attempt<C: RawConnection, T>(
    conn: &mut C,
    scope: Scope,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T, Failed> {
    let opened = Opened::begin(conn, scope)?;
    match caught(conn, work) {
        Ok(Ok(value)) => opened.commit(conn).map(|()| value),
        Ok(Err(error)) => Err(opened.fail(conn, error)),
        Err(panic) => opened.panic(conn, panic),
    }
}

/// Runs work that may panic before it is known how it is undone.
pub(super) fn caught<C, T>(
    conn: &mut C,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> thread::Result<Result<T>> {
    catch_unwind(AssertUnwindSafe(|| work(conn)))
}

/// Why a transaction or savepoint was not committed.
pub(super) struct Failed {
    pub(super) error: Error,
    /// Whether some of it may be there all the same.
    pub(super) escaped: bool,
}

impl Failed {
    fn lost(source: Option<Error>, escaped: bool) -> Self {
        let source = source.map(Box::new);
        let error = Error::TransactionLost { source };
        Failed { error, escaped }
    }
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

/// One that is open.
struct Opened {
    /// How many were open before.
    entry: u32,
    scope: Scope,
}

/// What became of one while the work ran.
struct Left {
    /// Whether it is no longer the one in which the work began.
    lost: bool,
    /// Whether that is so because the database rolled it back, and nothing was written since.
    ended: bool,
}

impl Opened {
    fn begin<C: RawConnection>(conn: &mut C, scope: Scope) -> Result<Self> {
        let entry = depth(conn)?;
        let opened = Opened { entry, scope };
        if opened.is_watched(conn) {
            // One that comes later has not heard what happened before.
            drop(State::of(conn));
        }
        if !opened.begins_with_savepoint(conn) {
            match entry {
                0 => conn.begin_to_write()?,
                _ => C::TransactionManager::begin_transaction(conn)?,
            }
            return Ok(opened);
        }
        // The application's instrumentation hears of each statement, and may panic.
        let begun = catch_unwind(AssertUnwindSafe(|| conn.session().begin_with_savepoint()));
        match begun {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                roll_back(conn, entry);
                return Err(error.into());
            }
            Err(panic) => opened.panic(conn, panic),
        }
        if opened.is_watched(conn) {
            set_watch(conn, Watch::Whole);
        }
        Ok(opened)
    }

    /// Whether a savepoint at its beginning tells that it is still there. Diesel's own savepoint tells by its name; an
    /// outermost transaction in which receivers run needs one.
    fn has_sentinel(&self) -> bool {
        self.entry == 0 && self.scope == Scope::Receivers
    }

    /// Whether there is such a savepoint, or one to go back to where nothing is answered after an error.
    fn begins_with_savepoint<C: RawConnection>(&self, conn: &mut C) -> bool {
        let goes_back = self.scope == Scope::Explained && conn.system().errors_abort();
        self.has_sentinel() || (self.entry == 0 && goes_back)
    }

    /// Whether an error may end it while the application's code runs.
    fn is_watched<C: RawConnection>(&self, conn: &mut C) -> bool {
        self.has_sentinel() && conn.system().errors_end_transactions()
    }

    fn commit<C: RawConnection>(self, conn: &mut C) -> Result<(), Failed> {
        let mut left = self.leave(conn);
        if left.lost {
            return Err(Failed::lost(None, self.give_up(conn, &left)));
        }
        // The application's instrumentation hears of it, and may panic.
        let outcome = catch_unwind(AssertUnwindSafe(|| match self.has_sentinel() {
            true => conn.session().release_and_commit(),
            false => C::TransactionManager::commit_transaction(conn).map_err(NotCommitted::refused),
        }));
        match outcome {
            Ok(Ok(())) => Ok(()),
            Ok(Err(it)) if it.is_lost => {
                left.lost = true;
                let escaped = self.give_up(conn, &left);
                Err(Failed::lost(Some(it.error.into()), escaped))
            }
            Ok(Err(it)) => Err(not_committed(conn, self.entry, it.error).into()),
            Err(panic) => self.panic(conn, panic),
        }
    }

    fn fail<C: RawConnection>(self, conn: &mut C, error: Error) -> Failed {
        let mut left = self.leave(conn);
        if self.has_sentinel() && !left.lost {
            match catch_unwind(AssertUnwindSafe(|| find_sentinel(conn))) {
                Ok(found) => left.lost = found.is_err(),
                Err(panic) => self.panic(conn, panic),
            }
        }
        match self.give_up(conn, &left) {
            false => error.into(),
            escaped => Failed::lost(Some(error), escaped),
        }
    }

    fn panic<C: RawConnection>(&self, conn: &mut C, panic: Box<dyn Any + Send>) -> ! {
        set_watch(conn, Watch::Off);
        roll_back(conn, self.entry);
        resume_unwind(panic)
    }

    /// Looks what became of it, as far as one need not ask the database.
    fn leave<C: RawConnection>(&self, conn: &mut C) -> Left {
        let watched = self.is_watched(conn);
        let ended = watched && watch(conn) == Watch::Ended;
        if watched {
            set_watch(conn, Watch::Off);
        }
        let lost = depth(conn) != Ok(self.entry + 1)
            || State::installed(conn).is_some_and(|state| state.health == Health::Lost);
        Left { lost, ended }
    }

    /// Rolls back what is left, and says whether some of it may be there all the same.
    fn give_up<C: RawConnection>(&self, conn: &mut C, left: &Left) -> bool {
        let rolled_back = roll_back(conn, self.entry) && !left.lost;
        // Where no receiver ran, nothing was written after the database ended the transaction.
        let silent = self.entry == 0 && self.scope < Scope::Receivers;
        !(rolled_back || left.ended || silent)
    }
}

pub(super) fn watch<C: RawConnection>(conn: &mut C) -> Watch {
    State::installed(conn).map_or(Watch::Off, |state| state.watch)
}

pub(super) fn set_watch<C: RawConnection>(conn: &mut C, watch: Watch) {
    if let Some(state) = State::installed(conn) {
        state.watch = watch;
    }
}

/// An error if the savepoint is no longer there. After a failure, PostgreSQL answers only who goes back to it.
fn find_sentinel<C: RawConnection>(conn: &mut C) -> QueryResult<()> {
    conn.batch_execute(match conn.system().errors_abort() {
        true => "ROLLBACK TO SAVEPOINT diesel_hooks",
        false => "RELEASE SAVEPOINT diesel_hooks",
    })
}

/// Rolls back what was not committed, and says what that means.
#[cold]
fn not_committed<C: RawConnection>(conn: &mut C, entry: u32, error: DieselError) -> Error {
    roll_back(conn, entry);
    match entry {
        0 if is_unanswered(conn, &error) => Error::CommitUnknown {
            source: Box::new(error.into()),
        },
        0 => error.into(),
        // Somebody swallowed an error, and Diesel has gone back to the savepoint.
        _ if conn.system().errors_abort() && depth(conn) == Ok(entry) && is_answered(conn) => {
            Error::TransactionLost {
                source: Some(Box::new(error.into())),
            }
        }
        // Elsewhere a savepoint can be released unless its transaction is gone.
        _ => doom(conn, Some(error.into())),
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
