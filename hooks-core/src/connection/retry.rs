//! A transaction that is run again where others were in its way.

use std::error::Error as StdError;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::thread::sleep;
use std::time::Duration;

use diesel::result::Error as DieselError;

use super::HookConnection;
use super::Scope;
use super::opened::{Failed, attempt};
use super::transaction::depth;
use crate::diesel_internals::is_test_transaction;
use crate::error::{BoxError, Error, Result};
use crate::trace;

/// The longest pause before the second attempt; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Runs `work` in a transaction, and all of it again if that failed by what others did at the same time: at
/// most `attempts` times in all, and at least once.
///
/// What counts as such is said at [`Error::is_retryable`]. Before each further attempt the transaction was rolled back,
/// and there is a pause of random length, at most 10 ms first and then twice as long, up to a second. So `work` runs
/// several times; what it does besides the database belongs into
/// [`after_commit`](super::HookConnectionExt::after_commit), whose callbacks run once, after the attempt
/// that was committed. Those of `after_rollback` run for each attempt that was not.
///
/// The transaction begins as the library's own do, on SQLite with the write lock.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_hooks::prelude::*;
///
/// # diesel::table! { accounts (id) { id -> Integer, balance -> Integer } }
/// # #[derive(Clone, Queryable, Hooks)]
/// # struct Account { id: i32, balance: i32 }
/// # fn main() -> diesel_hooks::Result {
/// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
/// # diesel::sql_query("CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)").execute(&mut conn)?;
/// # Account::create(&mut conn, NewAccount { balance: 100 })?;
/// # Account::create(&mut conn, NewAccount { balance: 0 })?;
/// diesel_hooks::retry(&mut conn, 5, |conn| {
///     let mut from = Account::get(conn, 1)?;
///     from.update(conn, |it| it.balance -= 30)?;
///     let mut to = Account::get(conn, 2)?;
///     to.update(conn, |it| it.balance += 30)?;
///     Ok::<_, diesel_hooks::Error>(())
/// })?;
/// assert_eq!(Account::get(&mut conn, 2)?.balance, 30);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// What `work` returned last, or what kept its transaction from being committed; nothing of it is in the
/// database then, but for [`Error::TransactionLost`], which ends the attempts where `work` itself may have committed
/// something: by raw SQL, by DDL on MySQL, or by plain statements after a deadlock there whose error it swallowed. [`Error::CommitUnknown`] ends the attempts, because that one may
/// have been committed, and so does an error that nobody else is to blame for.
/// [`Error::RetryInTransaction`] if a transaction is open, in which only a part could be run again. In one of
/// [`begin_test_transaction`](diesel::Connection::begin_test_transaction) `work` runs once, in a savepoint.
pub fn retry<C, T, E>(
    conn: &mut C,
    attempts: u32,
    mut work: impl FnMut(&mut C::Raw) -> Result<T, E>,
) -> Result<T, E>
where
    C: HookConnection,
    E: StdError + From<Error> + Send + Sync + 'static,
{
    let conn = conn.raw_connection();
    let attempts = match depth(conn).map_err(Error::from)? {
        0 => attempts,
        1 if is_test_transaction(conn) => 1,
        _ => return Err(Error::RetryInTransaction.into()),
    };
    let mut attempt = 1;
    loop {
        let outcome = self::attempt(conn, Scope::Receivers, |conn| work(conn).map_err(carry));
        let Failed { error, escaped } = match outcome {
            Ok(value) => return Ok(value),
            Err(failed) => failed,
        };
        // A transaction manager in error has no depth.
        if attempt >= attempts || escaped || !error.is_retryable() || depth(conn) != Ok(0) {
            return Err(unload(error));
        }
        trace::again(attempt, &error);
        sleep(pause(attempt));
        attempt += 1;
    }
}

/// The application's error as one of ours, which keeps it.
fn carry<E: StdError + Send + Sync + 'static>(error: E) -> Error {
    let error: BoxError = Box::new(error);
    match error.downcast::<DieselError>() {
        Ok(error) => Error::from(*error),
        Err(error) => Error::from(DieselError::QueryBuilderError(error)),
    }
}

/// The application's error again, if that is what ended the transaction.
fn unload<E: StdError + From<Error> + 'static>(error: Error) -> E {
    match error {
        Error::Query {
            model: None,
            source: DieselError::QueryBuilderError(carried),
            ..
        } => match carried.downcast() {
            Ok(error) => *error,
            Err(carried) => E::from(DieselError::QueryBuilderError(carried).into()),
        },
        error => E::from(error),
    }
}

/// Some part of the longest pause after this attempt, so that those who met do not meet again.
fn pause(attempt: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempt - 1);
    let longest = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
    // The keys of each are random, and the standard library has no other source.
    let random = RandomState::new().build_hasher().finish();
    let longest = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random % (longest + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_random_and_grow_to_a_limit() {
        let longest = |attempt| (0..200).map(|_| pause(attempt)).max();
        assert!(longest(1) <= Some(FIRST_PAUSE));
        assert!(longest(4) > Some(FIRST_PAUSE) && longest(4) <= Some(8 * FIRST_PAUSE));
        assert!(longest(u32::MAX) > Some(LONGEST_PAUSE / 2));
        assert!(longest(u32::MAX) <= Some(LONGEST_PAUSE));
    }
}
