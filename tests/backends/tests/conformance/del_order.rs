//! Django's cases of deleting, as they hold here: what comes before what, and what is left after an error.

use backends::script::{LOG, counted, on_event};
use backends::{
    Database, TestConnection, depth, fresh, hear_deletes, insert, many, model, of_rows, rows,
    statements,
};
use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

model!(Root of roots { name: String = [Text] });
model!(Stem of stems {
    #[hooks(foreign_key(Root, on_delete = Cascade))]
    root_id: i32 = [Integer],
});
model!(Leaf of leaves {
    #[hooks(foreign_key(Stem, on_delete = Cascade))]
    stem_id: Option<i32> = [Nullable<Integer>],
});
model!(Note of notes {
    #[hooks(foreign_key(Root, on_delete = SetNull))]
    root_id: Option<i32> = [Nullable<Integer>],
});

hear_deletes! {
    pre_root post_root Root;
    pre_stem post_stem Stem;
    pre_leaf post_leaf Leaf;
}

model!(Crowd of crowds { name: String = [Text] });
model!(Member of members {
    #[hooks(foreign_key(Crowd, on_delete = Cascade))]
    crowd_id: i32 = [Integer],
});

#[receiver]
fn pre_member(event: &PreDelete<Member>) {
    LOG.push(format!("pre {}", origin(event.origin())));
}

#[receiver]
fn post_member(event: &PostDelete<Member>) {
    LOG.push(format!("post {}", origin(event.origin())));
}

/// What each event of a delete says of what began it.
fn origin(origin: &diesel_hooks::signal::Origin) -> String {
    match &origin.key {
        Some(key) => format!("{} {key}", origin.model),
        None => format!("{} of a query", origin.model),
    }
}

model!(Guarded of guardeds { name: String = [Text] });
model!(Guard of guards {
    #[hooks(foreign_key(Guarded, on_delete = Protect))]
    guarded_id: i32 = [Integer],
});

const SCHEMA: &str = "
    CREATE TABLE roots (id {key}, name TEXT NOT NULL);
    CREATE TABLE stems (id {key}, root_id INTEGER NOT NULL REFERENCES roots (id));
    CREATE TABLE leaves (id {key}, stem_id INTEGER REFERENCES stems (id));
    CREATE TABLE notes (id {key}, root_id INTEGER REFERENCES roots (id));
    CREATE TABLE crowds (id {key}, name TEXT NOT NULL);
    CREATE TABLE members (id {key}, crowd_id INTEGER NOT NULL REFERENCES crowds (id));
    CREATE TABLE guardeds (id {key}, name TEXT NOT NULL);
    CREATE TABLE guards (id {key}, guarded_id INTEGER NOT NULL REFERENCES guardeds (id));
";

const TREE: &str = "
    INSERT INTO roots VALUES (1, 'oak'); INSERT INTO stems VALUES (1, 1), (2, 1);
    INSERT INTO leaves VALUES (1, 1), (2, 2); INSERT INTO notes VALUES (1, 1);
";

fn tree() -> (TestConnection, Root) {
    let mut conn = fresh(SCHEMA);
    insert(&mut conn, TREE);
    let root = Root::get(&mut conn, 1).expect("a root");
    (conn, root)
}

/// That the tree is as it was.
fn stands(conn: &mut TestConnection) {
    assert_eq!(rows(conn, "roots"), ["1 oak"]);
    assert_eq!(rows(conn, "stems"), ["1 1", "2 1"]);
    assert_eq!(rows(conn, "leaves"), ["1 1", "2 2"]);
    assert_eq!(rows(conn, "notes"), ["1 1"]);
}

fn refused() -> diesel_hooks::Result {
    Err(DieselError::BrokenTransactionManager.into())
}

#[test]
fn del_19_every_row_is_announced_before_one_goes_and_children_come_before_parents() {
    let (mut conn, root) = tree();
    let deleted = counted(root.delete(&mut conn).expect("deleted"));
    assert_eq!(deleted, (5, vec![("Leaf", 2), ("Root", 1), ("Stem", 2)]));
    assert_eq!(
        LOG.take(),
        [
            "pre Leaf 1",
            "pre Leaf 2",
            "pre Stem 1",
            "pre Stem 2",
            "pre Root 1",
            "post Leaf 1",
            "post Leaf 2",
            "post Stem 1",
            "post Stem 2",
            "post Root 1"
        ]
    );
}

#[test]
fn del_20_what_is_set_is_set_and_parents_are_there_when_a_child_is_gone() {
    let (mut conn, root) = tree();
    on_event(|event, conn| {
        match event {
            "pre Root 1" => stands(conn),
            "post Leaf 1" => {
                assert_eq!(rows(conn, "notes"), ["1 -"]);
                assert_eq!(rows(conn, "stems"), ["1 1", "2 1"]);
                assert_eq!(rows(conn, "roots"), ["1 oak"]);
            }
            _ => {}
        }
        Ok(())
    });
    root.delete(&mut conn).expect("deleted");
    assert_eq!(LOG.take().len(), 10);
    assert_eq!(rows(&mut conn, "notes"), ["1 -"]);
}

#[test]
fn del_21_a_child_goes_first_over_a_nullable_column_too_and_is_heard_first() {
    let mut conn = fresh(SCHEMA);
    conn.batch_execute("INSERT INTO roots VALUES (1, 'oak'); INSERT INTO stems VALUES (1, 1); INSERT INTO leaves VALUES (9, 1)")
        .expect("rows");
    let stem = Stem::get(&mut conn, 1).expect("a stem");
    stem.delete(&mut conn)
        .expect("the foreign key is immediate");
    assert_eq!(
        LOG.take(),
        ["pre Leaf 9", "pre Stem 1", "post Leaf 9", "post Stem 1"]
    );
    assert_eq!(rows(&mut conn, "leaves"), [""; 0]);
}

#[test]
fn del_23_a_nullable_cascade_costs_no_update() {
    let (mut conn, _) = tree();
    let stem = Stem::get(&mut conn, 1).expect("a stem");
    let (deleted, sent) = statements(&mut conn, |conn| stem.delete(conn));
    assert_eq!(deleted.expect("deleted").total, 2);
    assert!(!of_rows(&sent).contains(&"UPDATE"), "{sent:?}");
}

#[test]
fn del_30_many_rows_are_all_announced_then_go_by_one_statement_and_are_then_reported() {
    let mut conn = fresh(SCHEMA);
    insert(&mut conn, "INSERT INTO crowds VALUES (1, 'many')");
    insert(&mut conn, &many("members", 251, "i, 1"));
    let crowd = Crowd::get(&mut conn, 1).expect("a crowd");
    diesel_hooks::set_instrumentation(&mut conn, |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && query.to_string().starts_with("DELETE")
        {
            LOG.push("DELETE");
        }
    });
    assert_eq!(crowd.delete(&mut conn).expect("deleted").total, 252);
    let mut heard = LOG.take();
    let times = |what| heard.iter().filter(|it| *it == what).count();
    assert_eq!([times("pre Crowd 1"), times("post Crowd 1")], [251, 251]);
    heard.dedup();
    assert_eq!(heard, ["pre Crowd 1", "DELETE", "post Crowd 1", "DELETE"]);
}

#[test]
fn del_39_a_row_that_is_gone_already_counts_nothing() {
    let (mut conn, root) = tree();
    root.delete(&mut conn).expect("deleted");
    assert_eq!(
        counted(root.delete(&mut conn).expect("nothing")),
        (0, vec![])
    );
    let guarded = Guarded {
        id: 5,
        name: "nobody".into(),
    };
    assert_eq!(
        counted(guarded.delete(&mut conn).expect("nothing")),
        (0, vec![])
    );
}

#[test]
fn del_40_a_row_that_is_gone_already_is_not_reported() {
    let (mut conn, root) = tree();
    root.delete(&mut conn).expect("deleted");
    LOG.take();
    root.delete(&mut conn).expect("nothing");
    assert_eq!(LOG.take(), [""; 0]);
}

#[test]
fn del_44_a_receiver_that_fails_before_leaves_everything() {
    let (mut conn, root) = tree();
    on_event(|event, _| {
        if event == "pre Stem 1" {
            refused()
        } else {
            Ok(())
        }
    });
    let error = root.delete(&mut conn).expect_err("refused");
    assert!(matches!(error, Error::Receiver(_)), "{error:?}");
    assert_eq!(LOG.take(), ["pre Leaf 1", "pre Leaf 2", "pre Stem 1"]);
    stands(&mut conn);
}

#[test]
fn del_44_a_receiver_that_fails_after_the_second_row_brings_everything_back() {
    let (mut conn, root) = tree();
    on_event(|event, _| {
        if event == "post Leaf 2" {
            refused()
        } else {
            Ok(())
        }
    });
    let error = root.delete(&mut conn).expect_err("refused");
    assert!(matches!(error, Error::Receiver(_)), "{error:?}");
    let heard = LOG.take();
    assert_eq!(heard[5..], ["post Leaf 1", "post Leaf 2"]);
    assert_eq!(root.id, 1);
    stands(&mut conn);
    assert_eq!(depth(&mut conn), 0);
}

#[test]
fn del_45_a_failed_delete_leaves_a_transaction_around_it_usable() {
    let (mut conn, root) = tree();
    on_event(|event, _| {
        if event == "post Root 1" {
            refused()
        } else {
            Ok(())
        }
    });
    conn.transaction(|conn| {
        root.delete(conn).expect_err("refused");
        diesel::insert_into(roots::table)
            .values((roots::id.eq(2), roots::name.eq("ash")))
            .execute(conn)
    })
    .expect("the transaction goes on");
    assert_eq!(rows(&mut conn, "roots"), ["1 oak", "2 ash"]);
    assert_eq!(rows(&mut conn, "leaves").len(), 2);
}

#[test]
fn del_46_a_protected_delete_leaves_a_transaction_around_it_usable() {
    let mut conn = fresh(SCHEMA);
    conn.batch_execute("INSERT INTO guardeds VALUES (1, 'gold'); INSERT INTO guards VALUES (1, 1)")
        .expect("rows");
    let guarded = Guarded::get(&mut conn, 1).expect("a row");
    conn.transaction(|conn| {
        let error = guarded.delete(conn).expect_err("protected");
        assert!(matches!(error, Error::Protected(_)), "{error:?}");
        diesel::insert_into(guards::table)
            .values((guards::id.eq(2), guards::guarded_id.eq(1)))
            .execute(conn)
    })
    .expect("the transaction goes on");
    assert_eq!(rows(&mut conn, "guards"), ["1 1", "2 1"]);
}

#[test]
fn del_47_what_a_receiver_adds_before_goes_too_and_what_it_adds_later_is_refused() {
    let (mut conn, root) = tree();
    on_event(|event, conn| {
        if event == "pre Root 1" {
            conn.batch_execute(
                "INSERT INTO stems VALUES (3, 1); INSERT INTO leaves VALUES (3, 3)",
            )?;
        }
        Ok(())
    });
    let deleted = counted(root.delete(&mut conn).expect("deleted"));
    assert_eq!(deleted, (7, vec![("Leaf", 3), ("Root", 1), ("Stem", 3)]));
    let heard = LOG.take();
    assert_eq!(heard[5..7], ["pre Leaf 3", "pre Stem 3"]);
    assert_eq!(heard.len(), 14);

    let (mut conn, root) = tree();
    on_event(|event, conn| {
        if event == "post Stem 1" {
            conn.batch_execute("INSERT INTO stems VALUES (3, 1)")?;
        }
        Ok(())
    });
    let error = root.delete(&mut conn).expect_err("refused");
    assert!(
        matches!(&error, Error::ChildAppeared { relation, .. } if relation == "Stem.root_id"),
        "{error:?}"
    );
    stands(&mut conn);
}

#[test]
fn del_49_what_depends_on_the_row_is_looked_for_inside_the_transaction() {
    let (mut conn, root) = tree();
    let (outcome, sent) = statements(&mut conn, |conn| root.delete(conn));
    outcome.expect("deleted");
    let begin = sent.iter().position(|sql| sql.starts_with("BEGIN"));
    let first = sent.iter().position(|sql| sql.contains("FROM `stems`"));
    assert!(begin.is_some() && begin < first, "{sent:?}");
    let commit = sent.iter().position(|sql| sql.starts_with("COMMIT"));
    let last = sent.iter().rposition(|sql| sql.starts_with("DELETE"));
    assert!(last < commit, "{sent:?}");
}

#[test]
fn del_53_two_connections_that_delete_the_same_rows_each_go_once() {
    let disk = Database::new(SCHEMA);
    let mut conn = disk.connect();
    insert(&mut conn, "INSERT INTO crowds VALUES (1, 'many')");
    insert(&mut conn, &many("members", 3000, "i, 1"));
    let stale = Member::get(&mut conn, 1).expect("a member");
    let connections = [disk.connect(), disk.connect()];
    let totals: Vec<_> = connections
        .into_iter()
        .map(|mut conn| {
            std::thread::spawn(move || {
                members::table
                    .delete_hooked::<Member>(&mut conn)
                    .expect("both end")
                    .total
            })
        })
        .collect::<Vec<_>>()
        .into_iter()
        .map(|thread| thread.join().expect("no panic"))
        .collect();
    assert_eq!(totals.iter().sum::<usize>(), 3_000, "{totals:?}");
    assert_eq!(stale.delete(&mut conn).expect("nothing").total, 0);
    assert_eq!(rows(&mut conn, "members"), [""; 0]);
}

#[test]
fn del_54_each_signal_names_the_row_whose_delete_it_is_part_of_and_a_query_has_no_key() {
    let mut conn = fresh(SCHEMA);
    conn.batch_execute(
        "INSERT INTO crowds VALUES (1, 'one'), (2, 'two'); INSERT INTO members VALUES (1, 1), (2, 2), (3, 2)",
    )
    .expect("rows");
    Crowd::get(&mut conn, 1)
        .expect("a crowd")
        .delete(&mut conn)
        .expect("deleted");
    assert_eq!(LOG.take(), ["pre Crowd 1", "post Crowd 1"]);
    Member::get(&mut conn, 2)
        .expect("a member")
        .delete(&mut conn)
        .expect("deleted");
    assert_eq!(LOG.take(), ["pre Member 2", "post Member 2"]);
    crowds::table
        .delete_hooked::<Crowd>(&mut conn)
        .expect("deleted");
    assert_eq!(
        LOG.take(),
        ["pre Crowd of a query", "post Crowd of a query"]
    );
    assert_eq!(rows(&mut conn, "members"), [""; 0]);
}

#[test]
fn del_56_the_row_and_its_key_can_be_read_after_it_went() {
    let (mut conn, root) = tree();
    root.delete(&mut conn).expect("deleted");
    assert_eq!(LOG.take().last().map(String::as_str), Some("post Root 1"));
    assert_eq!((root.id, &*root.name), (1, "oak"));
}

#[test]
fn del_72_a_child_that_went_can_read_its_parent_and_the_parent_sees_no_child() {
    let (mut conn, root) = tree();
    on_event(|event, conn| {
        match event {
            "post Leaf 2" => LOG.push(rows(conn, "stems").join(", ")),
            "post Root 1" => LOG.push(format!("{} stems", rows(conn, "stems").len())),
            _ => {}
        }
        Ok(())
    });
    root.delete(&mut conn).expect("deleted");
    let heard = LOG.take();
    assert!(heard.contains(&"1 1, 2 1".into()), "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some("0 stems"));
}
