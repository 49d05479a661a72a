//! Callbacks run after the outermost COMMIT, in order, and never for what was rolled back.

use backends::Transactions;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::desk::{Desk, NewStamp, Order, Stamp, done, new_order, roll_back};
use diesel::connection::TransactionManager;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

#[test]
fn without_a_transaction_a_callback_runs_at_once() {
    let (desk, mut conn) = Desk::new();
    desk.after_commit(&mut conn, "now").expect("it runs");
    assert_eq!(desk.log(), ["now sees 0"]);
    desk.after_rollback(&mut conn, "never")
        .expect("it is accepted");
    drop(conn);
    assert!(desk.log().is_empty(), "there is nothing to roll back");
}

#[test]
fn callbacks_run_in_order_of_registration_after_the_outermost_commit() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| {
        desk.order(conn, "first")?;
        conn.transaction(|conn| {
            desk.order(conn, "second")?;
            conn.transaction(|conn| desk.order(conn, "third"))
        })?;
        assert!(desk.log().is_empty(), "the inner ends are no commits");
        desk.order(conn, "fourth")
    })
    .expect("it commits");
    assert_eq!(
        desk.log(),
        [
            "first sees 4",
            "second sees 4",
            "third sees 4",
            "fourth sees 4"
        ]
    );
    conn.transaction(|_| done()).expect("an empty one");
    assert!(desk.log().is_empty(), "each runs once");
}

#[test]
fn a_rolled_back_transaction_takes_its_callbacks_along() {
    let (desk, mut conn) = Desk::new();
    let outcome = conn.transaction(|conn| {
        desk.order(conn, "first")?;
        conn.transaction(|conn| desk.order(conn, "second"))?;
        roll_back::<()>()
    });
    assert!(outcome.is_err());
    assert_eq!(desk.log(), ["undo first, 0 left", "undo second, 0 left"]);
    conn.transaction(|conn| desk.order(conn, "next"))
        .expect("it commits");
    assert_eq!(desk.log(), ["next sees 1"]);
}

#[test]
fn a_rolled_back_savepoint_takes_along_only_what_was_registered_inside() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| {
        desk.order(conn, "before")?;
        let middle = conn.transaction(|conn| {
            desk.order(conn, "middle")?;
            conn.transaction(|conn| desk.order(conn, "released inside"))?;
            roll_back::<()>()
        });
        assert!(middle.is_err());
        assert_eq!(
            desk.log(),
            ["undo middle, 0 left", "undo released inside, 0 left"],
            "the transaction around it is still open"
        );
        conn.transaction(|conn| desk.order(conn, "same depth"))?;
        desk.order(conn, "after")
    })
    .expect("it commits");
    assert_eq!(
        desk.log(),
        ["before sees 3", "same depth sees 3", "after sees 3"]
    );
}

#[test]
fn an_operation_of_the_library_is_a_transaction_of_its_own() {
    let (desk, mut conn) = Desk::new();
    conn.with_context(desk.clone(), |conn| {
        Order::create(conn, new_order("good"))?;
        assert_eq!(desk.log(), ["good sees 1"]);
        Order::create(conn, new_order("bad")).expect_err("a receiver refuses it");
        assert_eq!(desk.log(), ["undo bad, 1 left"]);
        done()
    })
    .expect("only the bad order fails");
}

#[test]
fn operations_inside_the_applications_transaction_wait_for_it() {
    let (desk, mut conn) = Desk::new();
    conn.with_context(desk.clone(), |conn| {
        conn.transaction(|conn| {
            Order::create(conn, new_order("good"))?;
            Order::create(conn, new_order("bad")).expect_err("a receiver refuses it");
            assert_eq!(desk.log(), ["undo bad, 0 left"]);
            Order::create(conn, new_order("better"))?;
            assert!(desk.log().is_empty());
            done()
        })
    })
    .expect("it commits");
    assert_eq!(desk.log(), ["good sees 2", "better sees 2"]);
}

#[test]
fn a_savepoint_of_the_librarys_own_leaves_the_queue_in_order() {
    let (desk, mut conn) = Desk::new();
    let stamp = |text: &str| NewStamp { text: text.into() };
    conn.transaction(|conn| {
        desk.order(conn, "before")?;
        Stamp::create(conn, stamp("bad")).expect_err("a receiver refuses it");
        Stamp::create(conn, stamp("good"))?;
        assert!(desk.log().is_empty());
        desk.order(conn, "after")
    })
    .expect("it commits");
    assert_eq!(desk.log(), ["before sees 2", "after sees 2"]);
}

#[test]
fn a_transaction_begun_and_committed_by_hand_is_one() {
    let (desk, mut conn) = Desk::new();
    Transactions::begin_transaction(&mut conn).expect("a transaction");
    desk.order(&mut conn, "outer").expect("an order");
    Transactions::begin_transaction(&mut conn).expect("a savepoint");
    desk.order(&mut conn, "inner").expect("an order");
    Transactions::rollback_transaction(&mut conn).expect("the savepoint is there");
    assert_eq!(desk.log(), ["undo inner, 0 left"]);
    Transactions::commit_transaction(&mut conn).expect("it commits");
    assert_eq!(desk.log(), ["outer sees 1"]);
}

#[test]
fn a_state_installed_inside_an_open_transaction_knows_how_deep_it_is() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| {
        conn.transaction(|conn| {
            desk.order(conn, "the first thing that needs a state")?;
            roll_back::<()>()
        })
        .expect_err("it rolls back");
        assert_eq!(desk.log().len(), 1);
        desk.order(conn, "kept")
    })
    .expect("it commits");
    assert_eq!(desk.log(), ["kept sees 1"]);
}

#[test]
fn a_panic_in_an_operation_takes_its_callbacks_along() {
    let (desk, mut conn) = Desk::new();
    conn.with_context(desk.clone(), |conn| {
        conn.transaction(|conn| {
            Order::create(conn, new_order("kept"))?;
            let explosive = AssertUnwindSafe(|| Order::create(conn, new_order("explosive")));
            assert!(catch_unwind(explosive).is_err(), "it goes on unwinding");
            assert_eq!(desk.log(), ["undo explosive, 0 left"]);
            Order::create(conn, new_order("kept too")).map(drop)
        })
    })
    .expect("it commits");
    assert_eq!(desk.log(), ["kept sees 2", "kept too sees 2"]);
}

#[test]
fn a_callback_may_run_operations_on_another_connection() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| {
        let (other, inner) = (desk.disk.connect(), desk.clone());
        conn.after_commit(move || -> diesel_hooks::Result {
            let mut other = other;
            other.with_context(inner, |other| Order::create(other, new_order("follow-up")))?;
            Ok(())
        })?;
        desk.order(conn, "order")
    })
    .expect("it commits");
    assert_eq!(desk.log(), ["follow-up sees 2", "order sees 2"]);
}

#[test]
fn ten_thousand_callbacks_run_in_order() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| {
        for number in 0..10_000 {
            let desk = desk.clone();
            conn.after_commit(move || desk.write(number.to_string()))?;
        }
        done()
    })
    .expect("it commits");
    assert!(
        desk.log()
            .into_iter()
            .eq((0..10_000).map(|number| number.to_string()))
    );
}
