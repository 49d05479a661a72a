//! An operation, its dependents and its receivers happen together or not at all.
//!
//! Each operation is swept: it is run with the first step failing, then the second, and so on until a run
//! passes without a fault. After each fault nothing of the operation is in the database, the instance is
//! as it was, Diesel's depth is what it was, and the next operation works.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use backends::{Database, TestConnection, Transactions, depth};
use diesel::connection::SimpleConnection;
use diesel::connection::TransactionManager;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { teams (id) { id -> Integer, name -> Text } }
diesel::table! { members (id) { id -> Integer, team_id -> Integer, role -> Text } }
diesel::table! { badges (id) { id -> Integer, member_id -> Integer, color -> Text } }
diesel::table! { notes (id) { id -> Integer, text -> Text } }

const SCHEMA: &str = "
    CREATE TABLE teams (id {key}, name TEXT NOT NULL);
    CREATE TABLE members (id {key}, team_id INTEGER NOT NULL UNIQUE REFERENCES teams (id), role TEXT NOT NULL);
    CREATE TABLE badges (id {key}, member_id INTEGER NOT NULL UNIQUE REFERENCES members (id), color TEXT NOT NULL);
    CREATE TABLE notes (id {key}, text TEXT NOT NULL);
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Team {
    id: i32,
    name: String,
}

/// The same rows, with keys that the application gives.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = teams)]
#[hooks(new = Self)]
struct NumberedTeam {
    #[hooks(assigned)]
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Member {
    id: i32,
    #[hooks(one_to_one(Team, on_delete = Cascade, related_name = member, auto_create))]
    team_id: i32,
    role: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Badge {
    id: i32,
    #[hooks(one_to_one(Member, on_delete = Cascade, related_name = badge, auto_create))]
    member_id: i32,
    color: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Error,
    Panic,
}

thread_local! {
    /// The step that fails, counted down at each one, and how.
    static FAULT: Cell<Option<(usize, Fault)>> = const { Cell::new(None) };
}

/// Set by every receiver: a step at which the operation may fail.
fn step(conn: &mut TestConnection, text: &str) -> Result<(), String> {
    diesel::insert_into(notes::table)
        .values(notes::text.eq(text))
        .execute(conn)
        .map_err(|error| error.to_string())?;
    match FAULT.get() {
        Some((0, Fault::Error)) => Err(format!("{text} failed")),
        Some((0, Fault::Panic)) => panic!("{text} panicked"),
        Some((left, fault)) => {
            FAULT.set(Some((left - 1, fault)));
            Ok(())
        }
        None => Ok(()),
    }
}

macro_rules! steps {
    ($($name:ident($event:ty);)*) => {$(
        #[receiver]
        fn $name(_event: &$event, conn: &mut TestConnection) -> Result<(), String> {
            step(conn, stringify!($name))
        }
    )*};
}

steps! {
    team_pre_save(PreSave<Team>);
    team_pre_create(PreCreate<Team>);
    team_post_create(PostCreate<Team>);
    team_pre_update(PreUpdate<Team>);
    team_post_update(PostUpdate<Team>);
    team_post_save(PostSave<Team>);
    team_pre_delete(PreDelete<Team>);
    team_post_delete(PostDelete<Team>);
    numbered_pre_save(PreSave<NumberedTeam>);
    numbered_post_create(PostCreate<NumberedTeam>);
    numbered_post_update(PostUpdate<NumberedTeam>);
    member_pre_create(PreCreate<Member>);
    member_post_save(PostSave<Member>);
    member_pre_delete(PreDelete<Member>);
    member_post_delete(PostDelete<Member>);
    badge_post_create(PostCreate<Badge>);
    badge_pre_delete(PreDelete<Badge>);
    badge_post_delete(PostDelete<Badge>);
}

/// Every row of every table.
#[derive(Debug, PartialEq)]
struct Contents(Vec<Team>, Vec<Member>, Vec<Badge>, i64);

fn contents(conn: &mut TestConnection) -> Contents {
    Contents(
        teams::table.load(conn).expect("teams can be read"),
        members::table.load(conn).expect("members can be read"),
        badges::table.load(conn).expect("badges can be read"),
        notes::table
            .count()
            .get_result(conn)
            .expect("notes can be counted"),
    )
}

/// An operation on a team that exists, and what it returns apart from the error.
type Operation = fn(&mut TestConnection, &mut Team) -> diesel_hooks::Result;

const OPERATIONS: [(&str, Operation, usize); 13] = [
    (
        "create",
        |conn, _| Team::create(conn, new_team("new")).map(drop),
        7,
    ),
    (
        "create_many",
        |conn, _| Team::create_many(conn, vec![new_team("a"), new_team("b")]).map(drop),
        14,
    ),
    ("save", |conn, team| team.save(conn), 4),
    (
        "update",
        |conn, team| team.update(conn, |team| team.name = "changed".into()),
        4,
    ),
    (
        "update_set",
        |conn, team| team.update_set(conn, teams::name.eq("set")),
        4,
    ),
    ("delete", |conn, team| team.delete(conn).map(drop), 6),
    (
        "get_or_create",
        |conn, _| Team::get_or_create(conn, teams::name.eq("new"), || new_team("new")).map(drop),
        7,
    ),
    (
        "update_or_create, of no row",
        |conn, _| change_or_create(conn, "new"),
        7,
    ),
    (
        "update_or_create, of a row",
        |conn, _| change_or_create(conn, "first"),
        4,
    ),
    (
        "upsert of no row",
        |conn, _| NumberedTeam::upsert(conn, numbered(1000)).map(drop),
        5,
    ),
    (
        "upsert of a row",
        |conn, team| NumberedTeam::upsert(conn, numbered(team.id)).map(drop),
        2,
    ),
    (
        "update_hooked",
        |conn, _| {
            let rename = |team: &mut Team| team.name.push('!');
            teams::table.update_hooked::<Team>(conn, rename).map(drop)
        },
        4,
    ),
    (
        "delete_hooked",
        |conn, _| teams::table.delete_hooked::<Team>(conn).map(drop),
        6,
    ),
];

fn change_or_create(conn: &mut TestConnection, name: &str) -> diesel_hooks::Result {
    let rename = |team: &mut Team| team.name = "changed".into();
    Team::update_or_create(conn, teams::name.eq(name), || new_team(name), rename).map(drop)
}

fn numbered(id: i32) -> NumberedTeam {
    let name = "numbered".into();
    NumberedTeam { id, name }
}

fn new_team(name: &str) -> NewTeam {
    NewTeam { name: name.into() }
}

/// Whether the application has a transaction open around the operation.
#[derive(Clone, Copy, Debug)]
enum Around {
    Nothing,
    Transaction,
}

/// Runs an operation with a fault at `step`, and says whether the fault was reached.
fn run_with_fault(
    name: &str,
    operation: Operation,
    step: usize,
    fault: Fault,
    around: Around,
) -> bool {
    let disk = Database::new(SCHEMA);
    let mut conn = disk.connect();
    let mut team = Team::create(&mut conn, new_team("first")).expect("no fault is set");
    if let Around::Transaction = around {
        conn.batch_execute("INSERT INTO notes (text) VALUES ('before')")
            .expect("a note");
        Transactions::begin_transaction(&mut conn).expect("a transaction");
    }
    let before = contents(&mut conn);
    let team_before = team.clone();
    let depth_before = depth(&mut conn);

    FAULT.set(Some((step, fault)));
    let outcome = catch_unwind(AssertUnwindSafe(|| operation(&mut conn, &mut team)));
    let reached = FAULT.take() == Some((0, fault)) && !matches!(outcome, Ok(Ok(())));

    let place = format!("{name}, {fault:?} at step {step}, {around:?} around");
    assert_eq!(depth(&mut conn), depth_before, "{place}: depth");
    if reached {
        match fault {
            Fault::Error => assert!(
                matches!(outcome, Ok(Err(diesel_hooks::Error::Receiver(_)))),
                "{place}"
            ),
            Fault::Panic => assert!(outcome.is_err(), "{place}: the panic goes on"),
        }
        assert_eq!(contents(&mut conn), before, "{place}: rows");
        assert_eq!(team, team_before, "{place}: instance");
    } else {
        assert!(
            matches!(outcome, Ok(Ok(()))),
            "{place}: no fault, so no error"
        );
        assert_ne!(
            contents(&mut conn),
            before,
            "{place}: the operation does something"
        );
    }
    Team::create(&mut conn, new_team("after"))
        .unwrap_or_else(|error| panic!("{place}: the connection works: {error}"));
    if let Around::Transaction = around {
        conn.batch_execute("COMMIT")
            .expect("the application's transaction is still open");
    }
    let visible = contents(&mut disk.connect());
    assert!(
        visible.0.iter().any(|team| team.name == "after"),
        "{place}: others see what came after"
    );
    reached
}

fn sweep(fault: Fault, around: Around) -> usize {
    let mut faults = 0;
    for (name, operation, steps) in OPERATIONS {
        let reached = (0..)
            .take_while(|step| run_with_fault(name, operation, *step, fault, around))
            .count();
        assert_eq!(
            reached, steps,
            "{name} has that many steps at which a receiver can fail"
        );
        faults += reached;
    }
    faults
}

#[test]
fn an_error_in_any_receiver_leaves_nothing_behind() {
    assert_eq!(sweep(Fault::Error, Around::Nothing), 74);
}

#[test]
fn an_error_in_any_receiver_leaves_the_transaction_around_it_as_it_was() {
    assert_eq!(sweep(Fault::Error, Around::Transaction), 74);
}

#[test]
fn a_panic_in_any_receiver_leaves_nothing_behind_and_goes_on() {
    assert_eq!(sweep(Fault::Panic, Around::Nothing), 74);
}

#[test]
fn a_panic_in_any_receiver_leaves_the_transaction_around_it_as_it_was() {
    assert_eq!(sweep(Fault::Panic, Around::Transaction), 74);
}
