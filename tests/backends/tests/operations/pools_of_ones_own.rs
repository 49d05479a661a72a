//! A pool may have the application's own manager and settings: hooks work through it as on a raw connection, the settings
//! last, and nothing of one check-out reaches the next.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use backends::{Database, TestConnection, Transactions, count, on};
use diesel::connection::{InstrumentationEvent, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::{
    ConnectionManager, CustomizeConnection, Error as PoolError, ManageConnection, Pool,
    PooledConnection,
};
use diesel_hooks::prelude::*;

use crate::pooled::{NewParcel, Parcel, SCHEMA, everything};
use crate::sessions::{kill, on_sqlite, server_id};

/// What was told, in order.
type Told = Arc<Mutex<Vec<String>>>;

/// Connects, counts, and judges its connections, all without Diesel's manager.
struct Counting {
    url: String,
    connected: Arc<AtomicU32>,
    is_broken: fn(&mut TestConnection) -> bool,
}

impl ManageConnection for Counting {
    type Connection = TestConnection;
    type Error = PoolError;

    fn connect(&self) -> Result<TestConnection, PoolError> {
        self.connected.fetch_add(1, Ordering::Relaxed);
        TestConnection::establish(&self.url).map_err(PoolError::ConnectionError)
    }

    fn is_valid(&self, conn: &mut TestConnection) -> Result<(), PoolError> {
        conn.batch_execute("SELECT 1")
            .map_err(PoolError::QueryError)
    }

    fn has_broken(&self, conn: &mut TestConnection) -> bool {
        (self.is_broken)(conn)
    }
}

/// What each connection gets when it is made: how long it waits for a lock, an isolation level, and who hears its
/// statements.
#[derive(Debug)]
struct Settings(Told);

impl CustomizeConnection<TestConnection, PoolError> for Settings {
    fn on_acquire(&self, conn: &mut TestConnection) -> Result<(), PoolError> {
        conn.batch_execute(on(
            "PRAGMA foreign_keys = ON; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 4321",
            "SET lock_timeout = 4321; SET default_transaction_isolation = 'repeatable read'",
            "SET innodb_lock_wait_timeout = 43; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        ))
        .map_err(PoolError::QueryError)?;
        let told = Arc::clone(&self.0);
        diesel_hooks::set_instrumentation(conn, move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                tell(&told, &query.to_string());
            }
        });
        Ok(())
    }
}

/// What the database says of them.
fn settings(conn: &mut TestConnection) -> String {
    let settings = diesel::dsl::sql::<diesel::sql_types::Text>(on(
        "(SELECT 'waits for ' || timeout FROM pragma_busy_timeout)",
        "'waits for ' || current_setting('lock_timeout') || ', ' || current_setting('transaction_isolation')",
        "concat('waits for ', @@innodb_lock_wait_timeout, ', ', @@tx_isolation)",
    ));
    let settings = diesel::select(settings).get_result(conn);
    settings.expect("they can be read")
}

fn those_of_the_pool() -> &'static str {
    on(
        "waits for 4321",
        "waits for 4321ms, repeatable read",
        "waits for 43, READ-COMMITTED",
    )
}

fn tell(told: &Told, what: &str) {
    told.lock().expect("nobody panics here").push(what.into());
}

fn take(told: &Told) -> Vec<String> {
    std::mem::take(&mut *told.lock().expect("nobody panics here"))
}

fn pool<M>(manager: M, statements: &Told) -> Pool<M>
where
    M: ManageConnection<Connection = TestConnection, Error = PoolError>,
{
    Pool::builder()
        .max_size(1)
        .connection_customizer(Box::new(Settings(Arc::clone(statements))))
        .build(manager)
        .expect("a pool")
}

fn manager(database: &Database) -> Counting {
    Counting {
        url: database.url(),
        connected: Arc::default(),
        is_broken: Transactions::is_broken_transaction_manager,
    }
}

/// Its own, with the number of connections that it has made.
fn counting(database: &Database, statements: &Told) -> (Pool<Counting>, Arc<AtomicU32>) {
    let manager = manager(database);
    let connected = Arc::clone(&manager.connected);
    (pool(manager, statements), connected)
}

/// Creates a parcel, heard, in a transaction of the application, and tells when that is committed.
fn commit<M>(conn: &mut PooledConnection<M>, told: &Told) -> Parcel
where
    M: ManageConnection<Connection = TestConnection>,
{
    let parcel = conn.transaction(|conn| {
        let parcel = Parcel::create(conn, NewParcel { weight: 1 })?;
        let told = Arc::clone(told);
        conn.after_commit(move || tell(&told, "committed"))?;
        Ok::<_, diesel_hooks::Error>(parcel)
    });
    parcel.expect("committed")
}

fn hooks_work_and_settings_last<M>(manager: M)
where
    M: ManageConnection<Connection = TestConnection, Error = PoolError>,
{
    let (statements, told) = (Told::default(), Told::default());
    let pool = pool(manager, &statements);
    for _ in 0..2 {
        let mut conn = pool.get().expect("a connection");
        assert_eq!(settings(&mut conn), those_of_the_pool());
        everything(&mut conn).expect("all operations work");
        take(&statements);
        let parcel = commit(&mut conn, &told);
        assert_eq!(take(&told), ["committed"]);
        let heard = take(&statements);
        let hears = |what: &str| heard.iter().any(|it| it.contains(what));
        assert!(
            hears("parcels") && hears("labels") && hears("COMMIT"),
            "{heard:#?}"
        );
        assert_eq!(parcel.delete(&mut conn).expect("deleted").total, 2);
        assert_eq!(settings(&mut conn), those_of_the_pool());
    }
}

#[test]
fn operations_receivers_and_callbacks_work_and_settings_last() {
    let database = Database::new(SCHEMA);
    hooks_work_and_settings_last(ConnectionManager::<TestConnection>::new(database.url()));
    hooks_work_and_settings_last(manager(&database));
}

#[test]
fn a_broken_connection_is_replaced_and_what_waited_on_it_never_runs() {
    let database = Database::new(SCHEMA);
    let (statements, told) = (Told::default(), Told::default());
    let (pool, connected) = counting(&database, &statements);

    let mut conn = pool.get().expect("a connection");
    Transactions::begin_transaction(&mut *conn).expect("begun");
    Parcel::create(&mut conn, NewParcel { weight: 1 }).expect("created");
    let waiting = Arc::clone(&told);
    conn.after_commit(move || tell(&waiting, "of the lost one"))
        .expect("it waits");
    drop(conn);
    let mut conn = pool.get().expect("another");
    assert_eq!(connected.load(Ordering::Relaxed), 2);
    assert_eq!(count(&mut conn, "parcels"), 0);
    commit(&mut conn, &told);
    assert_eq!(take(&told), ["committed"]);

    // There is no server that could drop a connection to SQLite.
    if !on_sqlite() {
        kill(&mut database.connect(), server_id(&mut conn));
        let refused = Parcel::create(&mut conn, NewParcel { weight: 1 });
        assert!(refused.is_err());
        drop(conn);
        conn = pool.get().expect("another");
        assert_eq!(connected.load(Ordering::Relaxed), 3);
    }
    assert_eq!(settings(&mut conn), those_of_the_pool());
    take(&statements);
    everything(&mut conn).expect("all operations work");
    assert!(!take(&statements).is_empty(), "it has its instrumentation");
    commit(&mut conn, &told);
    assert_eq!(take(&told), ["committed"]);
}

#[test]
fn a_manager_that_keeps_an_open_transaction_hands_it_on_with_what_waits_for_its_end() {
    let database = Database::new(SCHEMA);
    let told = Told::default();
    let careless = Counting {
        is_broken: |_| false,
        ..manager(&database)
    };
    let pool = pool(careless, &Told::default());
    let mut conn = pool.get().expect("a connection");
    Transactions::begin_transaction(&mut *conn).expect("begun");
    let waiting = Arc::clone(&told);
    conn.after_commit(move || tell(&waiting, "of the one before"))
        .expect("it waits");
    drop(conn);
    let mut conn = pool.get().expect("the same");
    assert_eq!(take(&told), [""; 0]);
    Transactions::commit_transaction(&mut *conn).expect("committed");
    assert_eq!(take(&told), ["of the one before"]);
}

#[test]
fn nothing_of_one_check_out_reaches_the_next() {
    let database = Database::new(SCHEMA);
    let (statements, told) = (Told::default(), Told::default());
    let (pool, connected) = counting(&database, &statements);

    let mut conn = pool.get().expect("a connection");
    let outcome = conn.transaction(|conn| {
        Parcel::create(conn, NewParcel { weight: 1 })?;
        let told = Arc::clone(&told);
        conn.after_commit(move || tell(&told, "never"))?;
        Err::<(), _>(diesel_hooks::Error::from(
            diesel::result::Error::RollbackTransaction,
        ))
    });
    outcome.expect_err("rolled back");
    let guard = conn
        .connect(|_: &PostCreate<Parcel>, _: &mut TestConnection| Err::<(), _>("no more"))
        .expect("connected");
    Parcel::create(&mut conn, NewParcel { weight: 1 }).expect_err("it is heard");
    drop(guard);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        conn.with_context("Ada", |conn| {
            conn.without_hooks(|_| -> diesel_hooks::Result { panic!("in a scope") })
        })
    }));
    panicked.expect_err("the panic goes on");
    drop(conn);

    let mut conn = pool.get().expect("the same connection");
    assert_eq!(connected.load(Ordering::Relaxed), 1);
    assert_eq!(take(&told), [""; 0]);
    assert_eq!(conn.context::<&str>(), None);
    let parcel = commit(&mut conn, &told);
    assert_eq!(take(&told), ["committed"]);
    let stored = Parcel::get(&mut conn, parcel.id).expect("stored");
    assert_eq!(stored.weight, 2, "a receiver wrote");
}
