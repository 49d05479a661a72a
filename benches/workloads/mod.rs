//! What is measured: workloads, each done by hand and through the library.
//!
//! All rows are in a database in memory, and each run is inside one transaction of the application.

mod by_hand;
mod deletes;
mod dispatch;
mod generated;
mod hand_written;
mod hooked;
mod listened;
mod schema;

use std::fmt::{self, Debug};
use std::hint::black_box;
use std::ops::Range;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;

use self::listened::{GreetedCadre, GreetedStaff, ObservedEmployee, ReviewedEmployee};

/// The measured part of a workload, with its input made already.
pub(crate) type Operations = Box<dyn FnOnce(&mut SqliteConnection)>;

/// One way to do a workload.
pub(crate) struct Side {
    pub(crate) workload: &'static str,
    pub(crate) name: &'static str,
    prepare: fn(&mut SqliteConnection, Range<usize>) -> Operations,
}

#[rustfmt::skip]
pub(crate) static SIDES: &[Side] = &[
    Side { workload: "w1", name: "by-hand", prepare: by_hand::create },
    Side { workload: "w1", name: "generated", prepare: hooked::create::<generated::Employee> },
    Side { workload: "w1", name: "hand-written", prepare: hooked::create::<hand_written::Employee> },
    Side { workload: "w1", name: "generated+observers", prepare: hooked::create::<ObservedEmployee> },
    Side { workload: "w1", name: "generated+receiver", prepare: hooked::create::<ReviewedEmployee> },
    Side { workload: "w2", name: "by-hand", prepare: by_hand::create_with_profile },
    Side { workload: "w2", name: "generated", prepare: hooked::create::<generated::Staff> },
    Side { workload: "w2", name: "hand-written", prepare: hooked::create::<hand_written::Cadre> },
    Side { workload: "w2", name: "generated+receiver", prepare: hooked::create::<GreetedStaff> },
    Side { workload: "w2", name: "hand-written+receiver", prepare: hooked::create::<GreetedCadre> },
    Side { workload: "w3", name: "by-hand", prepare: by_hand::create_many },
    Side { workload: "w3", name: "by-hand-batches", prepare: by_hand::create_many_in_batches },
    Side { workload: "w3", name: "generated", prepare: hooked::create_many::<generated::Staff> },
    Side { workload: "w3", name: "hand-written", prepare: hooked::create_many::<hand_written::Cadre> },
    Side { workload: "w4", name: "by-hand", prepare: by_hand::update },
    Side { workload: "w4", name: "generated", prepare: hooked::update::<generated::Employee> },
    Side { workload: "w4", name: "generated+observers", prepare: hooked::update::<ObservedEmployee> },
    Side { workload: "w4", name: "generated+receiver", prepare: hooked::update::<ReviewedEmployee> },
    Side { workload: "w5e", name: "by-hand", prepare: by_hand::delete_with_profile },
    Side { workload: "w5e", name: "generated", prepare: hooked::delete::<generated::Staff> },
    Side { workload: "w5m", name: "by-hand", prepare: deletes::many_by_hand },
    Side { workload: "w5m", name: "generated", prepare: deletes::many_hooked },
    Side { workload: "w5n", name: "by-hand", prepare: deletes::children_by_hand },
    Side { workload: "w5n", name: "generated", prepare: deletes::children_hooked::<deletes::Club> },
    Side { workload: "w5nh", name: "by-hand", prepare: deletes::heard_children_by_hand },
    Side { workload: "w5nh", name: "generated", prepare: deletes::children_hooked::<deletes::Choir> },
    Side { workload: "state", name: "by-hand", prepare: by_hand::create },
    Side { workload: "state", name: "unused", prepare: by_hand::create_on_a_known_connection },
    Side { workload: "w6", name: "direct", prepare: dispatch::direct },
    Side { workload: "w6", name: "nobody", prepare: dispatch::sent::<dispatch::Unheard> },
    Side { workload: "w6", name: "one", prepare: dispatch::sent::<dispatch::HeardOnce> },
    Side { workload: "w6", name: "ten", prepare: dispatch::sent::<dispatch::HeardTenTimes> },
];

impl Side {
    /// A new database in which `rows` operations can be run.
    ///
    /// One more has been run already: filling the registry and the statement cache happens once
    /// in the life of a program or a connection, and is no part of what an operation costs.
    pub(crate) fn prepare(&self, rows: usize) -> Prepared {
        let mut conn = database();
        let first = (self.prepare)(&mut conn, 0..1);
        first(&mut conn);
        let operations = (self.prepare)(&mut conn, 1..rows + 1);
        Prepared { conn, operations }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

pub(crate) struct Prepared {
    conn: SqliteConnection,
    operations: Operations,
}

impl Prepared {
    /// Hands the connection back, so that closing it can be left out of the measurement.
    pub(crate) fn run(mut self) -> SqliteConnection {
        (self.operations)(&mut self.conn);
        self.conn
    }
}

fn database() -> SqliteConnection {
    let mut conn =
        SqliteConnection::establish(":memory:").expect("SQLite opens a database in memory");
    conn.batch_execute(schema::TABLES)
        .expect("the tables are new");
    AnsiTransactionManager::begin_transaction(&mut conn).expect("no transaction is open");
    conn
}

fn each<I: 'static, T, E: Debug>(
    inputs: Vec<I>,
    operation: impl Fn(&mut SqliteConnection, I) -> Result<T, E> + 'static,
) -> Operations {
    Box::new(move |conn| {
        for input in inputs {
            black_box(operation(conn, input).expect("each input is used once"));
        }
    })
}

fn batch<I: 'static, T, E: Debug>(
    inputs: Vec<I>,
    operation: impl FnOnce(&mut SqliteConnection, Vec<I>) -> Result<T, E> + 'static,
) -> Operations {
    Box::new(move |conn| {
        black_box(operation(conn, inputs).expect("each input is used once"));
    })
}
