//! Under a test transaction, which never commits, what would run after the commit can be captured.

use std::sync::{Arc, Mutex};

use crate::desk::{Desk, Order, new_order, roll_back};
use backends::TestConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

fn in_test() -> (Desk, TestConnection) {
    let (desk, mut conn) = Desk::new();
    conn.begin_test_transaction().expect("a transaction");
    (desk, conn)
}

#[test]
fn under_a_test_transaction_nothing_runs_unless_it_is_captured_and_run() {
    let (desk, mut conn) = in_test();
    let mut capture = conn.capture_after_commit().expect("there is room");
    assert!(capture.is_empty());
    conn.with_context(desk.clone(), |conn| Order::create(conn, new_order("good")))
        .expect("an order");
    assert!(
        desk.log().is_empty(),
        "the outermost transaction is the test's"
    );
    assert_eq!(capture.len(), 1);
    assert_eq!(capture.run(), 1);
    assert_eq!(desk.log(), ["good sees 0"], "others see nothing of a test");
    assert_eq!((capture.len(), capture.run()), (0, 0), "each runs once");
}

#[test]
fn a_capture_leaves_out_what_was_rolled_back() {
    let (desk, mut conn) = in_test();
    let mut capture = conn.capture_after_commit().expect("there is room");
    conn.transaction(|conn| {
        desk.order(conn, "kept")?;
        conn.transaction(|conn| {
            desk.order(conn, "dropped")?;
            roll_back::<()>()
        })
        .expect_err("it rolls back");
        desk.order(conn, "kept too")
    })
    .expect("it is released");
    assert_eq!(desk.log(), ["undo dropped, 0 left"]);
    conn.transaction(|conn| {
        desk.order(conn, "later")?;
        roll_back::<()>()
    })
    .expect_err("it rolls back");
    assert_eq!(capture.len(), 2);
    capture.run();
    assert_eq!(
        desk.log(),
        ["undo later, 0 left", "kept sees 0", "kept too sees 0"]
    );
}

#[test]
fn a_capture_starts_where_it_was_made_even_if_what_stood_before_is_rolled_back() {
    let (desk, mut conn) = in_test();
    desk.after_commit(&mut conn, "before")
        .expect("a transaction");
    let mut capture = conn
        .transaction(|conn| {
            desk.after_commit(conn, "inside")?;
            let capture = conn.capture_after_commit()?;
            conn.transaction(|conn| desk.after_commit(conn, "captured"))?;
            assert_eq!(capture.len(), 1);
            Ok::<_, diesel_hooks::Error>(capture)
        })
        .expect("it is released");
    desk.after_commit(&mut conn, "captured too")
        .expect("a transaction");
    assert_eq!(capture.run(), 2);
    assert_eq!(desk.log(), ["captured sees 0", "captured too sees 0"]);
}

/// A connection that callbacks share, so that they can register others.
type Shared = Arc<Mutex<TestConnection>>;

/// Registers a callback that writes its name and then registers its children.
fn grow(desk: &Desk, conn: &Shared, name: &'static str, children: &'static [Tree]) {
    let (desk, shared) = (desk.clone(), Arc::clone(conn));
    let mut conn = conn.lock().expect("no test panics inside");
    let registered = conn.after_commit(move || {
        desk.write(name.to_owned());
        for Tree(name, children) in children {
            grow(&desk, &shared, name, children);
        }
    });
    registered.expect("a transaction");
}

struct Tree(&'static str, &'static [Tree]);

#[test]
fn callbacks_that_callbacks_register_run_breadth_first_until_none_is_left() {
    let (desk, conn) = in_test();
    let conn = Arc::new(Mutex::new(conn));
    let capture = conn.lock().expect("free").capture_after_commit();
    let mut capture = capture.expect("there is room");
    grow(
        &desk,
        &conn,
        "branch_1",
        &[
            Tree("branch_2", &[Tree("leaf_1", &[]), Tree("leaf_2", &[])]),
            Tree("leaf_3", &[]),
        ],
    );
    assert_eq!(capture.run(), 5);
    assert_eq!(
        desk.log(),
        ["branch_1", "branch_2", "leaf_3", "leaf_1", "leaf_2"]
    );
}

#[test]
fn two_captures_nest_and_the_one_that_runs_first_leaves_the_rest() {
    let (desk, mut conn) = in_test();
    let mut outer = conn.capture_after_commit().expect("there is room");
    desk.after_commit(&mut conn, "first")
        .expect("a transaction");
    let mut inner = conn.capture_after_commit().expect("there is room");
    desk.after_commit(&mut conn, "second")
        .expect("a transaction");
    assert_eq!((outer.len(), inner.len()), (2, 1));
    inner.run();
    outer.run();
    assert_eq!(desk.log(), ["second sees 0", "first sees 0"]);
}

#[test]
fn a_capture_of_a_real_transaction_holds_nothing_after_its_commit() {
    let (desk, mut conn) = Desk::new();
    let mut capture = conn.capture_after_commit().expect("there is room");
    conn.transaction(|conn| desk.order(conn, "real"))
        .expect("it commits");
    assert_eq!(desk.log(), ["real sees 1"]);
    assert_eq!(capture.run(), 0);
}

#[test]
fn what_a_test_captured_outlives_its_connection() {
    let (desk, mut conn) = in_test();
    let mut capture = conn.capture_after_commit().expect("there is room");
    desk.after_commit(&mut conn, "captured")
        .expect("a transaction");
    drop(conn);
    assert_eq!(capture.run(), 1);
    assert_eq!(desk.log(), ["captured sees 0"]);
}
