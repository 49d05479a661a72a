use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::capture::Capture;
use super::queue::{Callback, Due};
use super::scoped::{Closure, Guard, Kind};
use super::state::State;
use super::transaction::depth;
use super::{HookConnection, RawConnection};
use crate::diesel_internals::is_test_transaction;
use crate::error::{Error, Result};
use crate::failure::CallbackKind;
use crate::receiver::IntoOutcome;
use crate::signal::SentOn;
use crate::trace;

/// What a connection with hooks can do besides.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_hooks::prelude::*;
/// use std::sync::mpsc;
///
/// # fn main() -> diesel_hooks::Result {
/// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
/// let (mails, outbox) = mpsc::channel();
/// conn.transaction(|conn| {
///     let mails = mails.clone();
///     conn.after_commit(move || mails.send("welcome"))?;
///     assert!(outbox.try_recv().is_err());
///     QueryResult::Ok(())
/// })?;
/// assert_eq!(outbox.try_recv(), Ok("welcome"));
/// # Ok(())
/// # }
/// ```
pub trait HookConnectionExt: HookConnection {
    /// Runs `callback` once, after the outermost transaction has really been committed.
    ///
    /// Callbacks run in the order of registration, on this thread, before what commits the transaction
    /// returns. One does not run if the transaction, or a savepoint around the place of its registration,
    /// was rolled back, if the COMMIT failed, or if the process dies. Without an open transaction it runs
    /// at once, before this returns. It may return nothing or a `Result`. If it fails or panics, the
    /// others run, [`set_failure_handler`](crate::set_failure_handler) hears of it, and what was committed
    /// still counts as done.
    ///
    /// The connection is busy until all have run. A callback that needs the database takes another
    /// connection, which must not come from a pool of one, or hands its work to a thread.
    ///
    /// What counts is what goes through Diesel: a `BEGIN`, `COMMIT` or `ROLLBACK` that the application
    /// sends as SQL is not heard. After one that ended Diesel's transaction, Diesel's own COMMIT fails, and
    /// nothing runs.
    ///
    /// # Errors
    ///
    /// [`Error::Instrumentation`], and Diesel's error if its transaction manager is broken. Nothing was
    /// registered then, and nothing ran.
    fn after_commit<T: IntoOutcome>(
        &mut self,
        callback: impl FnOnce() -> T + Send + 'static,
    ) -> Result {
        let callback = Callback::Call(Box::new(move || callback().into_outcome()));
        register(
            self.raw_connection(),
            CallbackKind::AfterCommit,
            None,
            callback,
        )
    }

    /// Runs `callback` once, after what was written here has been rolled back.
    ///
    /// That is when the savepoint or transaction around the place of registration is rolled back, or the
    /// COMMIT fails; a transaction around that savepoint may still be open. Where the database itself ended the transaction, it is when Diesel
    /// learns of it, at the latest when the next one begins. It does not run after a COMMIT, nor
    /// without an open transaction. Otherwise it is as [`after_commit`](Self::after_commit) says.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_hooks::prelude::*;
    /// # use std::sync::mpsc;
    /// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    /// # let (removed, files) = mpsc::channel();
    /// let failed: QueryResult<()> = conn.transaction(|conn| {
    ///     conn.after_rollback(move || removed.send("upload.png"))?;
    ///     Err(diesel::result::Error::RollbackTransaction)
    /// });
    /// assert!(failed.is_err());
    /// assert_eq!(files.try_recv(), Ok("upload.png"));
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`after_commit`](Self::after_commit).
    fn after_rollback<T: IntoOutcome>(
        &mut self,
        callback: impl FnOnce() -> T + Send + 'static,
    ) -> Result {
        let callback = Callback::Call(Box::new(move || callback().into_outcome()));
        register(
            self.raw_connection(),
            CallbackKind::AfterRollback,
            None,
            callback,
        )
    }

    /// Captures the after-commit callbacks that are registered from now on, for tests in a transaction
    /// that never commits.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_hooks::prelude::*;
    ///
    /// # fn main() -> diesel_hooks::Result {
    /// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    /// conn.begin_test_transaction()?;
    /// let mut capture = conn.capture_after_commit()?;
    /// conn.transaction(|conn| conn.after_commit(|| ()))?;
    /// assert_eq!(capture.len(), 1);
    /// assert_eq!(capture.run(), 1);
    /// assert!(capture.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Instrumentation`].
    fn capture_after_commit(&mut self) -> Result<Capture> {
        let state = State::of(self.raw_connection())?;
        Ok(Capture::new(state.queue().clone()))
    }

    /// Runs `work` with a value that [`context`](Self::context) finds, for instance who acts.
    ///
    /// The value is the connection's: whatever runs on it inside `work` sees it, receivers included, and
    /// nothing on another connection does. Of several values of one type the innermost is found. It is
    /// gone when `work` ends, also by an error or a panic.
    ///
    /// As for [`Connection::transaction`](diesel::Connection::transaction), the error of `work` is any
    /// type that the library's converts into.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_hooks::prelude::*;
    ///
    /// struct Actor(&'static str);
    ///
    /// # fn main() -> diesel_hooks::Result {
    /// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    /// conn.with_context(Actor("ada"), |conn| {
    ///     let actor = conn.context::<Actor>().expect("it is set around this");
    ///     assert_eq!(actor.0, "ada");
    ///     Ok::<_, diesel_hooks::Error>(())
    /// })?;
    /// assert!(conn.context::<Actor>().is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What `work` returns, and [`Error::Instrumentation`], with which `work` did not run.
    fn with_context<T, R, E>(
        &mut self,
        value: T,
        work: impl FnOnce(&mut Self) -> Result<R, E>,
    ) -> Result<R, E>
    where
        T: Any + Send + Sync,
        E: From<Error>,
    {
        let closure = Closure::default();
        State::of(self.raw_connection())?.enter(Arc::new(value), &closure);
        within(self, closure, work)
    }

    /// The innermost value of this type that [`with_context`](Self::with_context) set around here.
    fn context<T: Any + Send + Sync>(&mut self) -> Option<Arc<T>> {
        State::installed(self.raw_connection())?.context()
    }

    /// Runs `work` without any receiver on this connection.
    ///
    /// Relations stay what they are: dependents are created, protected and deleted. What is skipped is
    /// skipped for good, audit receivers too. Other connections are not affected.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_hooks::prelude::*;
    /// # diesel::table! { users (id) { id -> Integer, name -> Text } }
    /// # #[derive(Clone, Queryable, Hooks)]
    /// # struct User { id: i32, name: String }
    /// #[receiver]
    /// fn refuse(_event: &PostCreate<User>) -> Result<(), &'static str> {
    ///     Err("no users today")
    /// }
    /// # fn main() -> diesel_hooks::Result {
    /// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    /// # diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").execute(&mut conn)?;
    ///
    /// let new = || NewUser { name: "Ada".into() };
    /// assert!(User::create(&mut conn, new()).is_err());
    /// conn.without_hooks(|conn| User::create(conn, new()))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What `work` returns, and [`Error::Instrumentation`], with which `work` did not run.
    fn without_hooks<R, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<R, E>,
    ) -> Result<R, E> {
        trace::muted_all();
        in_scope(self, Kind::WithoutHooks, work)
    }

    /// Runs `work` without the receivers that have this `dispatch_uid`.
    ///
    /// A receiver may so save the row again that it hears of.
    ///
    /// # Errors
    ///
    /// As for [`without_hooks`](Self::without_hooks), and
    /// [`RegistryError::Missing`](crate::error::RegistryError::Missing) if no receiver is called that.
    fn without_receiver<R, E: From<Error>>(
        &mut self,
        dispatch_uid: &str,
        work: impl FnOnce(&mut Self) -> Result<R, E>,
    ) -> Result<R, E> {
        crate::registry().assert_receivers([dispatch_uid])?;
        trace::muted(dispatch_uid);
        in_scope(self, Kind::WithoutReceiver(dispatch_uid.to_owned()), work)
    }

    /// Runs `work` while fixtures are loaded: receivers run and see `raw == true` (Django's word), and
    /// nothing is created automatically, for the fixtures hold it already.
    ///
    /// # Errors
    ///
    /// As for [`without_hooks`](Self::without_hooks).
    fn loading_fixtures<R, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<R, E>,
    ) -> Result<R, E> {
        in_scope(self, Kind::Fixtures, work)
    }

    /// Connects a receiver to this connection until the guard is dropped, for tests and plug-ins.
    ///
    /// It runs after those that were compiled in, from the next signal on, in nested operations too, and
    /// never for another connection.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_hooks::prelude::*;
    /// # use std::sync::{Arc, Mutex};
    /// # diesel::table! { users (id) { id -> Integer, name -> Text } }
    /// # #[derive(Clone, Queryable, Hooks)]
    /// # struct User { id: i32, name: String }
    /// # fn main() -> diesel_hooks::Result {
    /// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    /// # diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").execute(&mut conn)?;
    /// let names = Arc::new(Mutex::new(Vec::new()));
    /// let heard = Arc::clone(&names);
    /// let guard = conn.connect(move |event: &PostCreate<User>, _: &mut SqliteConnection| {
    ///     heard.lock().expect("one thread").push(event.instance.name.clone());
    /// })?;
    /// User::create(&mut conn, NewUser { name: "Ada".into() })?;
    /// drop(guard);
    /// User::create(&mut conn, NewUser { name: "Bob".into() })?;
    /// assert_eq!(*names.lock().expect("one thread"), ["Ada"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Instrumentation`].
    fn connect<S, T>(
        &mut self,
        receiver: impl Fn(&S, &mut Self::Raw) -> T + Send + Sync + 'static,
    ) -> Result<Guard>
    where
        S: SentOn<Self::Raw>,
        T: IntoOutcome,
    {
        let receiver = move |event: &S, conn: &mut Self::Raw| receiver(event, conn).into_outcome();
        let state = State::of(self.raw_connection())?;
        Ok(state.scoped.connect::<S, Self::Raw>(Box::new(receiver)))
    }

    /// Sets how many receivers may cause one another on this connection; 32 if it is not set.
    ///
    /// # Errors
    ///
    /// [`Error::Instrumentation`].
    fn set_recursion_limit(&mut self, limit: usize) -> Result {
        State::of(self.raw_connection())?.chain.limit = limit;
        Ok(())
    }
}

fn in_scope<C: HookConnection + ?Sized, R, E: From<Error>>(
    conn: &mut C,
    kind: Kind,
    work: impl FnOnce(&mut C) -> Result<R, E>,
) -> Result<R, E> {
    let closure = Closure::default();
    State::of(conn.raw_connection())?
        .scoped
        .enter(kind, &closure);
    within(conn, closure, work)
}

/// Runs `work`, and ends its scope whatever becomes of it.
fn within<C: HookConnection + ?Sized, T>(
    conn: &mut C,
    closure: Closure,
    work: impl FnOnce(&mut C) -> T,
) -> T {
    let outcome = catch_unwind(AssertUnwindSafe(|| work(conn)));
    drop(closure);
    if let Some(state) = State::installed(conn.raw_connection()) {
        state.leave();
    }
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

impl<C: HookConnection> HookConnectionExt for C {}

/// Queues a callback, or lets it go at once where there is no transaction whose end it could wait for.
pub(crate) fn register<C: RawConnection>(
    conn: &mut C,
    kind: CallbackKind,
    receiver: Option<&'static str>,
    callback: Callback,
) -> Result {
    let depth = depth(conn)?;
    let in_test = is_test_transaction(conn);
    let state = State::of(conn)?;
    let mut queue = state.queue().lock();
    queue.in_test = in_test;
    if depth > 0 {
        queue.push(depth, kind, receiver, callback);
        let registered = queue.mark();
        drop(queue);
        state.registered = registered;
        return Ok(());
    }
    // Whatever still waits belongs to a transaction that is over.
    let stale = queue.roll_back(1);
    drop(queue);
    stale.run();
    Due::now(kind, receiver, callback).run();
    Ok(())
}
