//! Random programs of nested transactions, savepoints and operations against a model of what must run.
//!
//! Every registration also writes a row, so that the database itself is a second judge: what ran after a
//! commit is exactly what is in the table. `DIESEL_HOOKS_CASES` sets the number of programs.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use backends::{Database, TestConnection};
use diesel::connection::{SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_hooks::prelude::*;

use crate::sessions::{Manager, careful, depth, on_mysql, on_postgres, on_sqlite, run};

diesel::table! { marks (id) { id -> Integer } }
diesel::table! { jobs (id) { id -> Integer, name -> Text } }
diesel::table! { slips (id) { id -> Integer, bad -> Bool } }
diesel::table! { pebbles (id) { id -> Integer, moves -> Integer } }

const SCHEMA: &str = "
    CREATE TABLE marks (id INTEGER PRIMARY KEY);
    CREATE TABLE jobs (id {key}, name VARCHAR(20) NOT NULL);
    CREATE TABLE slips (id {key}, bad BOOLEAN NOT NULL);
    CREATE TABLE pebbles (id INTEGER PRIMARY KEY, moves INTEGER NOT NULL);
    INSERT INTO pebbles VALUES (1, 0);
";
const DEBTS: &str = "
    CREATE TABLE debts (job_id INTEGER REFERENCES jobs DEFERRABLE INITIALLY DEFERRED);
";
const BOMBS: &str = "
    CREATE TABLE bombs (id INTEGER);
    CREATE TRIGGER explode BEFORE INSERT ON bombs BEGIN SELECT RAISE(ROLLBACK, 'boom'); END;
";

/// Its receiver runs the rest of a program inside the operation.
#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Job {
    id: i32,
    name: String,
}

/// Its receiver can fail and takes no connection, so that its savepoint is the library's own.
#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Slip {
    id: i32,
    bad: bool,
}

#[receiver]
fn work(_: &PostCreate<Job>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let script = conn.context::<Script>().expect("a job has a script");
    script.run(conn)
}

#[receiver]
fn check(event: &PostCreate<Slip>) -> Result<(), &'static str> {
    match event.instance.bad {
        true => Err("a bad slip"),
        false => Ok(()),
    }
}

#[derive(Debug, Clone)]
enum Step {
    Register(i32),
    /// A statement that fails, and nobody minds; on PostgreSQL in a savepoint, or everybody would.
    Fail,
    Slip {
        bad: bool,
    },
    Nested(Form, Body, End),
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Transaction,
    ByHand,
    Operation,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Commit,
    RollBack,
    /// Of an operation: its receiver panics.
    Panic,
    /// Of an outermost transaction: its COMMIT fails. MySQL refuses none.
    CommitFails,
    /// Of an outermost transaction: a trigger rolls it back, and the COMMIT fails; or on MySQL a conflict, and
    /// the COMMIT does nothing.
    DatabaseEnds,
    /// A statement fails, so that on PostgreSQL the COMMIT is a rollback, at the end of a transaction without
    /// an error.
    Aborts,
}

/// How an end is seen from outside.
fn is_told(end: End, outcome: &std::thread::Result<diesel_hooks::Result>) -> bool {
    let done = matches!(outcome, Ok(Ok(())));
    match end {
        End::Commit => done,
        // An operation tells it, and plain Diesel does not.
        End::Aborts => true,
        End::DatabaseEnds if on_mysql() => true,
        _ => !done,
    }
}

type Body = Vec<Step>;
type Log = Arc<Mutex<Vec<String>>>;

/// A part of a program, and where its callbacks write.
struct Script {
    body: Body,
    end: End,
    log: Log,
    other: Other,
}

/// Another connection, which gets in the way.
type Other = Arc<Mutex<TestConnection>>;

impl Script {
    fn run(&self, conn: &mut TestConnection) -> diesel_hooks::Result {
        for step in &self.body {
            self.step(conn, step)?;
        }
        match self.end {
            End::Commit => Ok(()),
            End::RollBack => Err(DieselError::RollbackTransaction.into()),
            End::Panic => resume_unwind(Box::new("in a receiver")),
            End::CommitFails => Ok(conn.batch_execute("INSERT INTO debts VALUES (-1)")?),
            End::Aborts => {
                fail(conn).expect_err("a job has a name");
                Ok(())
            }
            End::DatabaseEnds if on_mysql() => {
                pebbles::table.select(pebbles::moves).load::<i32>(conn)?;
                let mut other = self.other.lock().unwrap_or_else(PoisonError::into_inner);
                push(&mut other)?;
                push(conn).expect_err("it was pushed meanwhile");
                Ok(())
            }
            End::DatabaseEnds => {
                // Prepared, for Diesel notices only in other statements that the transaction is gone.
                let bomb = diesel::sql_query("INSERT INTO bombs VALUES (1)").execute(conn);
                bomb.expect_err("the trigger raises");
                Ok(())
            }
        }
    }

    fn step(&self, conn: &mut TestConnection, step: &Step) -> diesel_hooks::Result {
        match step {
            Step::Register(id) => {
                diesel::insert_into(marks::table)
                    .values(marks::id.eq(id))
                    .execute(conn)?;
                let (id, log) = (*id, Arc::clone(&self.log));
                conn.after_commit(move || write(&log, format!("commit {id}")))?;
                let log = Arc::clone(&self.log);
                conn.after_rollback(move || write(&log, format!("undo {id}")))
            }
            Step::Fail => {
                let failed = match on_postgres() {
                    true => conn.transaction(fail),
                    false => fail(conn),
                };
                failed.expect_err("a job has a name");
                Ok(())
            }
            Step::Slip { bad } => {
                let slip = Slip::create(conn, NewSlip { bad: *bad });
                assert_eq!(slip.is_err(), *bad);
                Ok(())
            }
            Step::Nested(form, body, end) => {
                let script = Script {
                    body: body.clone(),
                    end: *end,
                    log: Arc::clone(&self.log),
                    other: Arc::clone(&self.other),
                };
                let outcome = catch_unwind(AssertUnwindSafe(|| script.nest(conn, *form)));
                assert!(is_told(*end, &outcome), "{end:?}: {outcome:?}");
                Ok(())
            }
        }
    }

    fn nest(self, conn: &mut TestConnection, form: Form) -> diesel_hooks::Result {
        match form {
            Form::Transaction => conn.transaction(|conn| self.run(conn)),
            Form::ByHand => {
                Manager::begin_transaction(conn)?;
                if let Err(error) = self.run(conn) {
                    Manager::rollback_transaction(conn)?;
                    return Err(error);
                }
                Ok(Manager::commit_transaction(conn)?)
            }
            Form::Operation => {
                let name = "job".to_owned();
                conn.with_context(self, |conn| Job::create(conn, NewJob { name }).map(drop))
            }
        }
    }
}

fn fail(conn: &mut TestConnection) -> QueryResult<()> {
    diesel::sql_query("INSERT INTO jobs (id) VALUES (1)")
        .execute(conn)
        .map(drop)
}

fn push(conn: &mut TestConnection) -> QueryResult<()> {
    diesel::update(pebbles::table)
        .set(pebbles::moves.eq(pebbles::moves + 1))
        .execute(conn)
        .map(drop)
}

fn write(log: &Log, entry: String) {
    log.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(entry);
}

/// What a queue must do.
trait Oracle: Default {
    fn begin(&mut self);
    fn register(&mut self, id: i32);
    fn release(&mut self) -> Vec<i32>;
    fn roll_back(&mut self) -> Vec<i32>;
    fn is_open(&self) -> bool;
}

/// A stack of lists: the inner joins the outer on release, and is thrown away on rollback.
#[derive(Default)]
struct Stack(Vec<Vec<i32>>);

impl Oracle for Stack {
    fn begin(&mut self) {
        self.0.push(Vec::new());
    }

    fn register(&mut self, id: i32) {
        self.0.last_mut().expect("it is open").push(id);
    }

    fn release(&mut self) -> Vec<i32> {
        let inner = self.0.pop().expect("it is open");
        match self.0.last_mut() {
            Some(outer) => {
                outer.extend(inner);
                Vec::new()
            }
            None => inner,
        }
    }

    fn roll_back(&mut self) -> Vec<i32> {
        self.0.pop().expect("it is open")
    }

    fn is_open(&self) -> bool {
        !self.0.is_empty()
    }
}

/// Wrong on purpose: it keeps callbacks by the number of their level, so that a released savepoint shares
/// the fate of the next one as deep.
#[derive(Default)]
struct ByLevel {
    depth: usize,
    registered: Vec<(usize, i32)>,
}

impl Oracle for ByLevel {
    fn begin(&mut self) {
        self.depth += 1;
    }

    fn register(&mut self, id: i32) {
        self.registered.push((self.depth, id));
    }

    fn release(&mut self) -> Vec<i32> {
        self.depth -= 1;
        match self.depth {
            0 => std::mem::take(&mut self.registered)
                .into_iter()
                .map(|(_, id)| id)
                .collect(),
            _ => Vec::new(),
        }
    }

    fn roll_back(&mut self) -> Vec<i32> {
        let depth = self.depth;
        self.depth -= 1;
        let gone = self.registered.extract_if(.., |(level, _)| *level >= depth);
        gone.map(|(_, id)| id).collect()
    }

    fn is_open(&self) -> bool {
        self.depth > 0
    }
}

fn predict<M: Oracle>(model: &mut M, body: &[Step], log: &mut Vec<String>) {
    for step in body {
        match step {
            Step::Register(id) if model.is_open() => model.register(*id),
            Step::Register(id) => log.push(format!("commit {id}")),
            Step::Nested(_, body, end) => {
                model.begin();
                predict(model, body, log);
                let (verb, ids) = match end {
                    End::Commit => ("commit", model.release()),
                    _ => ("undo", model.roll_back()),
                };
                log.extend(ids.into_iter().map(|id| format!("{verb} {id}")));
            }
            Step::Fail | Step::Slip { .. } => {}
        }
    }
}

/// A xorshift generator: the programs are the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }

    fn program(&mut self) -> Body {
        self.body(0, &mut 0)
    }

    fn body(&mut self, depth: u64, next_id: &mut i32) -> Body {
        (0..self.below(5))
            .map(|_| self.step(depth, next_id))
            .collect()
    }

    fn step(&mut self, depth: u64, next_id: &mut i32) -> Step {
        match self.below(10) {
            0 => Step::Fail,
            1 => Step::Slip {
                bad: self.below(2) == 0,
            },
            2..=4 => {
                *next_id += 1;
                Step::Register(*next_id)
            }
            _ if depth == 6 => Step::Fail,
            _ => {
                let form =
                    [Form::Transaction, Form::ByHand, Form::Operation][self.below(3) as usize];
                let body = self.body(depth + 1, next_id);
                Step::Nested(form, body, self.end(form, depth))
            }
        }
    }

    fn end(&mut self, form: Form, depth: u64) -> End {
        match (self.below(12), form) {
            (0..=6, _) => End::Commit,
            (7, Form::Operation) => End::Panic,
            (8, _) if depth == 0 && !on_mysql() => End::CommitFails,
            (9, _) if depth == 0 && !on_postgres() => End::DatabaseEnds,
            (8..=9, _) if on_postgres() => End::Aborts,
            _ => End::RollBack,
        }
    }
}

/// What really happens: what ran, and which rows are there.
fn observe(conn: &mut TestConnection, other: &Other, body: &Body) -> (Vec<String>, Vec<i32>) {
    conn.batch_execute("DELETE FROM marks")
        .expect("nothing is open");
    let log = Log::default();
    let program = Script {
        body: body.clone(),
        end: End::Commit,
        log: Arc::clone(&log),
        other: Arc::clone(other),
    };
    program
        .run(conn)
        .expect("what fails in a program is caught in it");
    assert_eq!(depth(conn), Some(0), "{body:#?}");
    let rows = marks::table.select(marks::id).order(marks::id).load(conn);
    let ran = std::mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner));
    (ran, rows.expect("marks can be read"))
}

const SEED: u64 = 0x9E37_79B9_7F4A_7C15;

/// The programs that an oracle predicts wrongly, and how many callbacks ran in all.
fn differences<M: Oracle>(cases: usize) -> (Vec<String>, usize) {
    let (database, mut other) = Database::open(SCHEMA);
    let debts = format!("{DEBTS}{BOMBS}");
    run(&mut other, &debts, DEBTS, "");
    let (mut conn, other) = (careful(&database), Arc::new(Mutex::new(other)));
    if on_sqlite() {
        conn.batch_execute("PRAGMA foreign_keys = ON; PRAGMA synchronous = OFF")
            .expect("nothing is open");
    }
    let mut random = Random(SEED);
    let (mut wrong, mut ran_in_all) = (Vec::new(), 0);
    for case in 0..cases {
        let program = random.program();
        let mut predicted = Vec::new();
        predict(&mut M::default(), &program, &mut predicted);
        let (ran, rows) = observe(&mut conn, &other, &program);
        let mut committed: Vec<i32> = ran
            .iter()
            .filter_map(|entry| entry.strip_prefix("commit ")?.parse().ok())
            .collect();
        committed.sort_unstable();
        let place = format!("case {case} of seed {SEED:#x}");
        assert_eq!(committed, rows, "{place}: {program:#?}");
        if ran != predicted {
            wrong.push(format!(
                "{place}: {program:#?}\nran {ran:?}\nnot {predicted:?}"
            ));
        }
        ran_in_all += ran.len();
    }
    (wrong, ran_in_all)
}

#[test]
fn random_programs_run_what_a_stack_of_lists_says() {
    let cases = std::env::var("DIESEL_HOOKS_CASES").map_or(500, |cases| {
        cases.parse().expect("DIESEL_HOOKS_CASES is a number")
    });
    let (wrong, ran) = differences::<Stack>(cases);
    println!(
        "{cases} programs from seed {SEED:#x}, {ran} callbacks, {} differences",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran > cases, "the programs register enough to be worth it");
}

#[test]
fn a_queue_by_level_number_is_told_from_a_right_one() {
    let (wrong, _) = differences::<ByLevel>(200);
    assert!(!wrong.is_empty(), "the programs must tell a wrong queue");
}
