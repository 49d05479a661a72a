//! Muting, fixtures and receivers that are connected at run time hold on one connection, for one scope.

use std::sync::Arc;

use backends::{
    TestConnection, Transactions, depth, fresh, ignore_foreign_keys, insert, panic_of, statements,
    verbs,
};
use diesel::connection::TransactionManager;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

use crate::muting::{
    A_LIFE, Collar, Debt, LOG, NewCollar, NewDebt, Owner, SCHEMA, assert_all_are_heard, counts,
    owner,
};

type Work<'a> = &'a dyn Fn(&mut TestConnection) -> diesel_hooks::Result;
type In = fn(&mut TestConnection, Work<'_>) -> diesel_hooks::Result;

/// Each kind of scope, around some work.
const SCOPES: [In; 4] = [
    |conn, work| conn.without_hooks(work),
    |conn, work| conn.without_receiver("batch", work),
    |conn, work| conn.loading_fixtures(work),
    |conn, work| {
        let _guard = conn.connect(|_: &PostSave<Owner>, _: &mut TestConnection| {
            LOG.push("connected");
        })?;
        work(conn)
    },
];

#[test]
fn an_error_ends_the_scope_and_is_the_applications_own() {
    let mut conn = fresh(SCHEMA);
    for within in SCOPES {
        let outcome = within(&mut conn, &|conn| {
            owner(conn, "Ada")?;
            Err(DieselError::RollbackTransaction.into())
        });
        let source = DieselError::RollbackTransaction;
        assert!(matches!(outcome, Err(Error::Query { source: it, .. }) if it == source));
        assert_ne!(LOG.take(), A_LIFE[..7], "the scope did something");
        assert_all_are_heard(&mut conn);
    }
}

#[test]
fn a_panic_ends_the_scope_and_goes_on() {
    let mut conn = fresh(SCHEMA);
    for within in SCOPES {
        let panic = panic_of(|| {
            within(&mut conn, &|conn| {
                owner(conn, "Ada")?;
                panic!("in the scope")
            })
        });
        assert_eq!(panic, "in the scope");
        assert_ne!(LOG.take(), A_LIFE[..7], "the scope did something");
        assert_all_are_heard(&mut conn);
    }
}

#[test]
fn a_panic_in_the_innermost_scope_ends_all_of_them() {
    let mut conn = fresh(SCHEMA);
    let panic = panic_of(|| {
        conn.transaction(|conn| {
            conn.without_receiver("batch", |conn| {
                conn.loading_fixtures(|conn| {
                    conn.without_hooks(|_| -> diesel_hooks::Result { panic!("in three scopes") })
                })
            })
        })
    });
    assert_eq!(panic, "in three scopes");
    // Diesel leaves the application's own transaction open when it unwinds.
    while depth(&mut conn) > 0 {
        Transactions::rollback_transaction(&mut conn).expect("it is open");
    }
    assert_all_are_heard(&mut conn);
}

#[test]
fn a_scope_around_a_transaction_that_rolls_back_holds_to_its_end() {
    let mut conn = fresh(SCHEMA);
    conn.without_receiver("batch", |conn| {
        let failed: diesel_hooks::Result = conn.transaction(|conn| {
            owner(conn, "Ada")?;
            Err(DieselError::RollbackTransaction.into())
        });
        failed.expect_err("rolled back");
        LOG.take();
        owner(conn, "Bob")
    })
    .expect("an owner");
    assert!(!LOG.take().contains(&"batch".to_owned()));
}

#[test]
fn of_two_connections_on_one_thread_one_is_muted_and_the_other_is_not() {
    let (mut one, mut other) = (fresh(SCHEMA), fresh(SCHEMA));
    for within in SCOPES {
        let guard = one.connect(|_: &PostCreate<Owner>, _: &mut TestConnection| LOG.push("one"));
        within(&mut one, &|one| {
            owner(one, "Ada")?;
            Ok(())
        })
        .expect("an owner");
        LOG.take();
        drop(guard.expect("there is room"));
    }
    one.without_hooks(|one| {
        assert_all_are_heard(&mut other);
        one.loading_fixtures(|_| {
            assert_all_are_heard(&mut other);
            Ok::<_, Error>(())
        })
    })
    .expect("the other goes on");
    let guard = one.connect(|_: &PostSave<Owner>, _: &mut TestConnection| LOG.push("connected"));
    assert_all_are_heard(&mut other);
    drop(guard.expect("there is room"));
}

#[test]
fn of_two_connections_in_two_threads_at_once_one_is_muted_and_the_other_is_not() {
    for within in SCOPES {
        let both = |conn: &mut TestConnection| {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let mut other = fresh(SCHEMA);
                    (0..20).for_each(|_| assert_all_are_heard(&mut other));
                });
                for _ in 0..40 {
                    owner(conn, "Ada").expect("an owner");
                    assert_ne!(LOG.take(), A_LIFE[..7]);
                }
            });
            Ok(())
        };
        within(&mut fresh(SCHEMA), &both).expect("all is well");
    }
}

#[test]
fn a_scope_of_another_connection_adds_no_statement() {
    let (mut one, mut other) = (fresh(SCHEMA), fresh(SCHEMA));
    let new_debt = |conn: &mut TestConnection| {
        let ada = owner(conn, "Ada").expect("an owner");
        Debt::create(conn, NewDebt { owner_id: ada.id }).expect("a debt")
    };
    new_debt(&mut other);
    let count = |conn: &mut TestConnection| {
        let debt = new_debt(conn);
        let (_, sent) = statements(conn, |conn| {
            debt.clone().save(conn).expect("saved");
            debt.delete(conn).expect("deleted");
        });
        sent
    };
    let alone = count(&mut other);
    assert_eq!(verbs(&alone), ["UPDATE", "DELETE"]);
    let guard = one.connect(|_: &PostSave<Owner>, _: &mut TestConnection| ());
    let beside = one.without_hooks(|_| Ok::<_, Error>(count(&mut other)));
    assert_eq!(beside.expect("counted"), alone);
    let gone = other.connect(|_: &PostSave<Debt>, _: &mut TestConnection| ());
    drop(gone.expect("there is room"));
    assert_eq!(
        count(&mut other),
        alone,
        "a dropped guard leaves nothing behind"
    );
    drop(guard.expect("there is room"));
    LOG.take();
}

thread_local! {
    static OTHER: std::cell::RefCell<Option<(TestConnection, Option<diesel_hooks::Guard>)>> =
        const { std::cell::RefCell::new(None) };
}

/// Has nothing to do with the connection that deletes, and opens a scope on another.
#[receiver(dispatch_uid = "elsewhere")]
fn elsewhere(_: &PreDelete<Owner>) {
    OTHER.with_borrow_mut(|other| {
        if let Some((conn, guard)) = other {
            let connected = conn.connect(|_: &PostDelete<Collar>, _: &mut TestConnection| ());
            *guard = connected.ok();
        }
    });
}

#[test]
fn a_scope_that_another_connection_opens_during_a_delete_does_not_keep_dependents() {
    let mut conn = fresh(SCHEMA);
    ignore_foreign_keys(&mut conn);
    let ada = owner(&mut conn, "Ada").expect("an owner");
    OTHER.set(Some((fresh(SCHEMA), None)));
    let deleted = ada.delete(&mut conn).expect("deleted");
    let (_, guard) = OTHER.take().expect("it is there");
    assert!(guard.is_some(), "the scope was opened");
    assert_eq!((deleted.total, counts(&mut conn)), (2, (0, 0, 0)));
    LOG.take();
}

#[test]
fn a_guard_hears_nested_operations_and_may_outlive_its_connection() {
    let mut conn = fresh(SCHEMA);
    let names = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = Arc::clone(&names);
    let creating =
        conn.connect(|event: &PostCreate<Owner>, conn: &mut TestConnection| {
            match event.instance.name.as_str() {
                "outer" => owner(conn, "inner").map(drop),
                _ => Ok(()),
            }
        });
    let listening = conn.connect(move |event: &PostSave<Owner>, _: &mut TestConnection| {
        let mut heard = heard.lock().expect("no test panics inside");
        heard.push(event.instance.name.clone());
    });
    owner(&mut conn, "outer").expect("two owners");
    assert_eq!(*names.lock().expect("no panic"), ["inner", "outer"]);
    drop(conn);
    LOG.take();
    let guards = (creating.expect("room"), listening.expect("room"));
    std::thread::spawn(move || drop(guards))
        .join()
        .expect("no panic");
    assert_all_are_heard(&mut fresh(SCHEMA));
    assert_eq!(names.lock().expect("no panic").len(), 2);
}

#[test]
fn a_connected_receiver_that_fails_or_panics_takes_the_row_back() {
    let mut conn = fresh(SCHEMA);
    let guard = conn.connect(|event: &PostCreate<Debt>, conn: &mut TestConnection| {
        owner(conn, "written on the way").expect("an owner");
        match event.instance.owner_id {
            1 => Err("on purpose"),
            _ => panic!("it explodes"),
        }
    });
    let ada = owner(&mut conn, "Ada").expect("an owner");
    let create = |conn: &mut TestConnection| Debt::create(conn, NewDebt { owner_id: ada.id });
    let error = create(&mut conn).expect_err("on purpose");
    assert_eq!(
        error.to_string(),
        "receiver (connected) of PostCreate<Debt> 1 failed: on purpose"
    );
    assert_eq!(counts(&mut conn), (1, 1, 0));
    conn.transaction(|conn| {
        create(conn).expect_err("on purpose");
        assert_eq!(counts(conn), (1, 1, 0));
        Ok::<_, Error>(())
    })
    .expect("usable");
    insert(
        &mut conn,
        "INSERT INTO debts VALUES (1, 1); DELETE FROM owners WHERE id > 1;",
    );
    ignore_foreign_keys(&mut conn);
    let other = NewDebt { owner_id: 9 };
    assert_eq!(panic_of(|| Debt::create(&mut conn, other)), "it explodes");
    assert_eq!((counts(&mut conn), depth(&mut conn)), ((1, 1, 1), 0));
    drop(guard.expect("there is room"));
    LOG.take();
}

#[test]
fn a_receiver_that_was_connected_is_told_that_a_row_is_raw_too() {
    let mut conn = fresh(SCHEMA);
    let guard = conn.connect(|event: &PostCreate<Collar>, _: &mut TestConnection| {
        LOG.push(format!("a collar, raw {}", event.raw));
    });
    let ada = conn.without_hooks(|conn| conn.loading_fixtures(|conn| owner(conn, "Ada")));
    let new = NewCollar {
        owner_id: ada.expect("an owner").id,
    };
    conn.loading_fixtures(|conn| Collar::create(conn, new))
        .expect("a collar");
    assert_eq!(LOG.take(), ["a collar, raw true"]);
    drop(guard.expect("there is room"));
}
