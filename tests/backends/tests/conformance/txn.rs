//! Django's cases of `on_commit` and transactions, as they hold here; `docs/django.md` will list them.

use std::sync::{Arc, Mutex};

use crate::desk::{Desk, Order, Stamp, done, new_order, roll_back};
use backends::{TestConnection, depth, outermost, statements};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_hooks::prelude::*;

/// Heard only by those who name a person in the connection's context.
struct Witness(Desk);

#[receiver(order = 10)]
fn before_a_delete(event: &PreDelete<Order>, conn: &mut TestConnection) -> diesel_hooks::Result {
    witness(conn, "pre_delete", event.instance.id)
}

#[receiver(order = 10)]
fn after_a_delete(event: &PostDelete<Order>, conn: &mut TestConnection) -> diesel_hooks::Result {
    witness(conn, "post_delete", event.instance.id)
}

#[receiver(order = 10)]
fn after_a_save(event: &PostSave<Order>, conn: &mut TestConnection) -> diesel_hooks::Result {
    witness(conn, "post_save", event.instance.id)
}

/// Runs after the receiver above, still before the commit.
#[receiver(order = 20)]
fn a_later_receiver(_: &PostSave<Order>, conn: &mut TestConnection) {
    if let Some(witness) = conn.context::<Witness>() {
        witness.0.write("the next receiver".into());
    }
}

fn witness(conn: &mut TestConnection, signal: &str, id: i32) -> diesel_hooks::Result {
    match conn.context::<Witness>() {
        Some(witness) => witness.0.after_commit(conn, &format!("{signal} of {id}")),
        None => Ok(()),
    }
}

#[test]
fn txn_01_without_a_transaction_a_callback_runs_at_once_in_the_call() {
    let (desk, mut conn) = Desk::new();
    let ((), sent) = statements(&mut conn, |conn| {
        desk.after_commit(conn, "it").expect("it runs");
        assert_eq!(desk.log(), ["it sees 0"]);
    });
    assert!(sent.is_empty(), "no statement is sent for it");
}

#[test]
fn txn_02_in_a_transaction_it_runs_after_the_outermost_commit_only() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| {
        conn.transaction(|conn| desk.order(conn, "inner"))?;
        assert!(desk.log().is_empty());
        done()
    })
    .expect("it commits");
    assert_eq!(desk.log(), ["inner sees 1"]);
}

#[test]
fn txn_03_a_rollback_empties_the_queue_and_the_next_transaction_is_clean() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| {
        desk.after_commit(conn, "rolled back")?;
        roll_back::<()>()
    })
    .expect_err("it rolls back");
    conn.transaction(|conn| desk.order(conn, "next"))
        .expect("it commits");
    assert_eq!(desk.log(), ["next sees 1"]);
    assert_eq!(desk.visible(), 1);
}

#[test]
fn txn_04_a_savepoint_takes_along_what_was_registered_inside_it_and_inside_those_released_in_it() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| {
        desk.after_commit(conn, "outer")?;
        conn.transaction(|conn| {
            desk.after_commit(conn, "mid")?;
            conn.transaction(|conn| desk.after_commit(conn, "inner"))?;
            desk.after_commit(conn, "after inner")?;
            roll_back::<()>()
        })
        .expect_err("it rolls back");
        desk.after_commit(conn, "after")
    })
    .expect("it commits");
    assert_eq!(desk.log(), ["outer sees 0", "after sees 0"]);
}

#[test]
fn txn_05_an_inner_rollback_leaves_what_stands_outside() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| {
        desk.order(conn, "outer")?;
        conn.transaction(|_| roll_back::<()>())
            .expect_err("it rolls back");
        done()
    })
    .expect("it commits");
    assert_eq!(desk.log(), ["outer sees 1"]);
}

#[test]
fn txn_06_an_outer_failure_after_an_inner_success_runs_nothing() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| {
        conn.transaction(|conn| desk.after_commit(conn, "inner"))?;
        roll_back::<()>()
    })
    .expect_err("it rolls back");
    assert!(desk.log().is_empty());
}

#[test]
fn txn_08_the_order_is_that_of_registration_across_levels() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| {
        conn.transaction(|conn| desk.after_commit(conn, "1"))?;
        desk.after_commit(conn, "2")?;
        conn.transaction(|conn| {
            conn.transaction(|conn| desk.after_commit(conn, "3"))?;
            desk.after_commit(conn, "4")
        })?;
        desk.after_commit(conn, "5")
    })
    .expect("it commits");
    let expected = ["1 sees 0", "2 sees 0", "3 sees 0", "4 sees 0", "5 sees 0"];
    assert_eq!(desk.log(), expected);
}

#[test]
fn txn_09_the_queue_is_empty_after_a_commit_and_on_a_new_connection() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| desk.after_commit(conn, "once"))
        .expect("it commits");
    conn.transaction(|_| done()).expect("it commits");
    assert_eq!(desk.log(), ["once sees 0"]);
    conn.begin_test_transaction().expect("a transaction");
    desk.after_commit(&mut conn, "left behind")
        .expect("a transaction");
    conn = desk.disk.connect();
    conn.transaction(|_| done()).expect("it commits");
    assert!(desk.log().is_empty());
}

/// Registers a callback that fails between two that do not.
fn with_a_failure(desk: &Desk, conn: &mut TestConnection) -> diesel_hooks::Result<&'static str> {
    desk.order(conn, "before")?;
    conn.after_commit(|| Err("on purpose"))?;
    desk.after_commit(conn, "behind")?;
    Ok("value")
}

/// The failures reported so far, by tests of this file only.
fn reported() -> &'static Mutex<Vec<String>> {
    static REPORTED: Mutex<Vec<String>> = Mutex::new(Vec::new());
    diesel_hooks::set_failure_handler(|failure| {
        let mut reported = REPORTED.lock().expect("no test panics inside");
        reported.push(failure.to_string());
    });
    &REPORTED
}

const REPORT: &str = "an after-commit callback failed: on purpose";

fn is_reported() -> bool {
    let reported = reported().lock().expect("no test panics inside");
    reported.iter().any(|it| it == REPORT)
}

#[test]
fn txn_10_a_callback_that_fails_keeps_neither_the_value_nor_the_others_from_us() {
    reported();
    let (desk, mut conn) = Desk::new();
    let outcome = conn.transaction(|conn| with_a_failure(&desk, conn));
    assert_eq!(outcome.expect("it committed"), "value");
    assert_eq!(desk.log(), ["before sees 1", "behind sees 1"]);
    conn.transaction(|conn| desk.order(conn, "healthy"))
        .expect("it commits");
    assert_eq!(desk.log(), ["healthy sees 2"]);
}

#[test]
fn txn_11_a_callback_that_fails_is_reported() {
    reported();
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| with_a_failure(&desk, conn))
        .expect("it committed");
    assert!(is_reported());
}

#[test]
fn txn_12_outside_a_transaction_it_is_caught_and_reported_too() {
    reported();
    let (_, mut conn) = Desk::new();
    conn.after_commit(|| Err("on purpose"))
        .expect("it ran, and what it returned is its own");
    assert!(is_reported());
}

#[test]
fn txn_13_a_callback_may_query_and_open_transactions_on_another_connection() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| {
        let (inner, mut other) = (desk.clone(), desk.disk.connect());
        conn.after_commit(move || {
            other.transaction(|other| inner.order(other, "from a callback"))
        })?;
        desk.order(conn, "order")
    })
    .expect("it commits");
    assert_eq!(desk.log(), ["from a callback sees 2", "order sees 2"]);
    assert_eq!(desk.visible(), 2);
}

#[test]
fn txn_16_what_is_registered_twice_runs_twice() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| {
        desk.after_commit(conn, "same")?;
        desk.after_commit(conn, "same")
    })
    .expect("it commits");
    assert_eq!(desk.log(), ["same sees 0", "same sees 0"]);
}

/// That something else than a function does not compile is shown in `tests/ui/connection`.
#[test]
fn txn_17_a_begin_that_diesel_does_not_know_is_not_waited_for() {
    let (desk, mut conn) = Desk::new();
    conn.batch_execute("BEGIN")
        .expect("a transaction of the application's own");
    desk.order(&mut conn, "raw").expect("an order");
    assert_eq!(desk.log(), ["raw sees 0"]);
    conn.batch_execute("COMMIT").expect("it is open");
}

#[test]
fn txn_18_a_rollback_that_was_asked_for_runs_nothing() {
    let (desk, mut conn) = Desk::new();
    let outcome: QueryResult<()> = conn.transaction(|conn| {
        desk.after_commit(conn, "never")?;
        Err(DieselError::RollbackTransaction)
    });
    assert_eq!(outcome, Err(DieselError::RollbackTransaction));
    assert!(desk.log().is_empty());
    assert_eq!(desk.visible(), 0);
}

#[test]
fn txn_19_a_transaction_that_must_be_the_outermost_says_so_inside_another() {
    let (desk, mut conn) = Desk::new();
    conn.transaction(|conn| {
        desk.order(conn, "outer")?;
        let durable: QueryResult<()> = outermost(conn, |_| Ok(()));
        assert_eq!(durable, Err(DieselError::AlreadyInTransaction));
        assert!(desk.log().is_empty());
        done()
    })
    .expect("it commits");
    assert_eq!(desk.log(), ["outer sees 1"]);
    outermost(&mut conn, |conn| desk.order(conn, "durable")).expect("it commits");
    assert_eq!(desk.log(), ["durable sees 2"]);
}

#[test]
fn txn_20_a_commit_that_fails_is_an_error_and_runs_nothing() {
    let (desk, mut conn) = Desk::new();
    let outcome = conn.transaction(|conn| {
        desk.after_commit(conn, "never")?;
        conn.batch_execute("INSERT INTO debts VALUES (99)")?;
        done()
    });
    assert!(matches!(outcome, Err(diesel_hooks::Error::Query { .. })));
    assert_eq!((depth(&mut conn), desk.log().len()), (0, 0));
    conn.transaction(|conn| desk.order(conn, "next"))
        .expect("it commits");
    assert_eq!(desk.log(), ["next sees 1"]);
}

#[test]
fn txn_21_callbacks_of_delete_receivers_run_after_the_deletes_commit_and_know_the_key() {
    let (desk, mut conn) = Desk::new();
    let order = Order::create(&mut conn, new_order("order")).expect("an order");
    conn.with_context(Witness(desk.clone()), |conn| order.delete(conn))
        .expect("it goes");
    let id = order.id;
    assert_eq!(
        desk.log(),
        [
            format!("pre_delete of {id} sees 0"),
            format!("post_delete of {id} sees 0")
        ]
    );
}

#[test]
fn txn_22_a_callback_of_a_save_receiver_runs_after_the_saves_commit_not_between_two_receivers() {
    let (desk, mut conn) = Desk::new();
    let create = |conn: &mut TestConnection| Order::create(conn, new_order("order"));
    conn.with_context(Witness(desk.clone()), create)
        .expect("an order");
    assert_eq!(desk.log(), ["the next receiver", "post_save of 1 sees 1"]);
    conn.with_context(Witness(desk.clone()), |conn| conn.transaction(create))
        .expect("an order");
    assert_eq!(desk.log(), ["the next receiver", "post_save of 2 sees 2"]);
}

#[test]
fn txn_26_each_connection_has_its_own_queue() {
    let (desk, mut one) = Desk::new();
    let mut other = desk.disk.connect();
    one.transaction(|one| {
        desk.after_commit(one, "one")?;
        other.transaction(|other| desk.order(other, "other"))?;
        assert_eq!(desk.log(), ["other sees 1"]);
        roll_back::<()>()
    })
    .expect_err("it rolls back");
    assert!(desk.log().is_empty());
}

#[test]
fn txn_27_a_capture_runs_what_was_registered_and_not_rolled_back_breadth_first() {
    let (desk, mut conn) = Desk::new();
    conn.begin_test_transaction().expect("a transaction");
    let mut capture = conn.capture_after_commit().expect("there is room");
    conn.transaction(|conn| {
        desk.after_commit(conn, "rolled back")?;
        roll_back::<()>()
    })
    .expect_err("it rolls back");
    let shared = Arc::new(Mutex::new(conn));
    register(&desk, &shared, "branch_1", |desk, conn| {
        register(desk, conn, "branch_2", |desk, conn| {
            register(desk, conn, "leaf_1", |_, _| ());
            register(desk, conn, "leaf_2", |_, _| ());
        });
        register(desk, conn, "leaf_3", |_, _| ());
    });
    assert_eq!(capture.len(), 1);
    assert!(desk.log().is_empty());
    assert_eq!(capture.run(), 5);
    assert_eq!(
        desk.log(),
        ["branch_1", "branch_2", "leaf_3", "leaf_1", "leaf_2"]
    );
}

type SharedConnection = Arc<Mutex<TestConnection>>;

fn register(
    desk: &Desk,
    conn: &SharedConnection,
    name: &'static str,
    then: fn(&Desk, &SharedConnection),
) {
    let (desk, shared) = (desk.clone(), Arc::clone(conn));
    let registered = conn
        .lock()
        .expect("no test panics inside")
        .after_commit(move || {
            desk.write(name.to_owned());
            then(&desk, &shared);
        });
    registered.expect("a transaction is open");
}

#[test]
fn txn_28_a_capture_ignores_what_stood_before_it_and_a_failure_stops_nobody() {
    reported();
    let (desk, mut conn) = Desk::new();
    conn.begin_test_transaction().expect("a transaction");
    desk.after_commit(&mut conn, "earlier")
        .expect("a transaction");
    let mut capture = conn.capture_after_commit().expect("there is room");
    with_a_failure(&desk, &mut conn).expect("a transaction");
    assert_eq!(capture.run(), 3);
    assert_eq!(desk.log(), ["before sees 0", "behind sees 0"]);
    assert!(is_reported());
}

#[test]
fn txn_29_a_rollback_hook_exists() {
    let (desk, mut conn) = Desk::new();
    let outcome = conn.transaction(|conn| {
        desk.after_rollback(conn, "upload")?;
        Stamp::create(conn, crate::desk::NewStamp { text: "bad".into() }).map(drop)
    });
    assert!(matches!(outcome, Err(diesel_hooks::Error::Receiver(_))));
    assert_eq!(desk.log(), ["undo upload, 0 left"]);
}
