//! Receivers of a delete, and triggers, may change what the delete has looked at.

use backends::script::{LOG, counted, on_event};
use backends::{TestConnection, fresh, hear_deletes, on, statements};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { yards (id) { id -> Integer } }
diesel::table! { sheds (id) { id -> Integer, yard_id -> Integer, behind_id -> Nullable<Integer> } }
diesel::table! { tools (id) { id -> Integer, shed_id -> Integer } }
diesel::table! { leases (id) { id -> Integer, yard_id -> Integer } }

const SCHEMA: &str = "
    CREATE TABLE yards (id {key});
    CREATE TABLE sheds (id {key}, yard_id INTEGER NOT NULL REFERENCES yards (id),
        behind_id INTEGER REFERENCES sheds (id));
    CREATE TABLE tools (id {key}, shed_id INTEGER NOT NULL REFERENCES sheds (id));
    CREATE TABLE leases (id {key}, yard_id INTEGER NOT NULL REFERENCES yards (id));
    INSERT INTO yards VALUES (1), (2);
    INSERT INTO sheds VALUES (1, 1, NULL), (2, 1, 1), (9, 2, NULL);
    INSERT INTO tools VALUES (1, 1);
";

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Yard {
    id: i32,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Shed {
    id: i32,
    #[hooks(one_to_one(Yard, on_delete = Cascade))]
    yard_id: i32,
    #[hooks(one_to_one(Shed, on_delete = Cascade))]
    behind_id: Option<i32>,
}

/// Nobody listens to it.
#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Tool {
    id: i32,
    #[hooks(one_to_one(Shed, on_delete = Cascade))]
    shed_id: i32,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Lease {
    id: i32,
    #[hooks(one_to_one(Yard, on_delete = Protect))]
    yard_id: i32,
}

hear_deletes! {
    pre_yard post_yard Yard;
    pre_shed post_shed Shed;
}

type Rows = (Vec<i32>, Vec<i32>, Vec<i32>, Vec<i32>);

fn rows(conn: &mut TestConnection) -> Rows {
    (
        yards::table.select(yards::id).load(conn).expect("yards"),
        sheds::table.select(sheds::id).load(conn).expect("sheds"),
        tools::table.select(tools::id).load(conn).expect("tools"),
        leases::table.select(leases::id).load(conn).expect("leases"),
    )
}

/// Deletes yard 1 while this SQL runs at this event.
fn delete_while(
    conn: &mut TestConnection,
    event: &'static str,
    sql: &'static str,
) -> diesel_hooks::Result<diesel_hooks::Deleted> {
    on_event(move |heard, conn| match heard == event {
        true => Ok(conn.batch_execute(sql)?),
        false => Ok(()),
    });
    Yard { id: 1 }.delete(conn)
}

#[test]
fn a_protecting_row_that_a_receiver_creates_stops_the_delete_and_nothing_is_written() {
    let mut conn = fresh(SCHEMA);
    let before = rows(&mut conn);
    let error = delete_while(&mut conn, "pre Shed 2", "INSERT INTO leases VALUES (7, 1)")
        .expect_err("protected");
    assert_eq!(
        error.to_string(),
        "Yard 1 is protected by Lease 7 (through Lease.yard_id)"
    );
    assert!(matches!(error, Error::Protected(_)), "{error:?}");
    assert_eq!(LOG.take(), ["pre Shed 2", "pre Shed 1", "pre Yard 1"]);
    assert_eq!(rows(&mut conn), before);
}

#[test]
fn children_that_a_receiver_creates_are_announced_too_and_go() {
    let mut conn = fresh(SCHEMA);
    let deleted = delete_while(
        &mut conn,
        "pre Yard 1",
        "INSERT INTO sheds VALUES (3, 1, NULL), (4, 2, 3); INSERT INTO tools VALUES (2, 4)",
    )
    .expect("deleted");
    let heard = LOG.take();
    assert_eq!(
        heard[..5],
        [
            "pre Shed 2",
            "pre Shed 1",
            "pre Yard 1",
            "pre Shed 4",
            "pre Shed 3"
        ]
    );
    let mut posts = heard[5..].to_vec();
    posts.sort();
    assert_eq!(
        posts,
        [
            "post Shed 1",
            "post Shed 2",
            "post Shed 3",
            "post Shed 4",
            "post Yard 1"
        ]
    );
    assert_eq!(
        counted(deleted),
        (7, vec![("Shed", 4), ("Tool", 2), ("Yard", 1)])
    );
    assert_eq!(rows(&mut conn), (vec![2], vec![9], vec![], vec![]));
}

#[test]
fn rows_go_in_the_order_of_the_references_that_receivers_left() {
    let mut conn = fresh(SCHEMA);
    let deleted = delete_while(
        &mut conn,
        "pre Shed 1",
        "UPDATE sheds SET behind_id = NULL WHERE id = 2; UPDATE sheds SET behind_id = 2 WHERE id = 1",
    )
    .expect("no row refers in a circle");
    assert_eq!(
        LOG.take(),
        [
            "pre Shed 2",
            "pre Shed 1",
            "pre Yard 1",
            "post Shed 1",
            "post Shed 2",
            "post Yard 1"
        ]
    );
    assert_eq!(deleted.total, 4);
    assert_eq!(rows(&mut conn), (vec![2], vec![9], vec![], vec![]));
}

#[test]
fn a_child_that_a_receiver_deletes_by_plain_sql_is_not_counted_and_not_heard_after() {
    let mut conn = fresh(SCHEMA);
    let deleted =
        delete_while(&mut conn, "pre Shed 2", "DELETE FROM sheds WHERE id = 2").expect("deleted");
    assert_eq!(
        LOG.take(),
        [
            "pre Shed 2",
            "pre Shed 1",
            "pre Yard 1",
            "post Shed 1",
            "post Yard 1"
        ]
    );
    assert_eq!(
        counted(deleted),
        (3, vec![("Shed", 1), ("Tool", 1), ("Yard", 1)])
    );
    assert_eq!(rows(&mut conn), (vec![2], vec![9], vec![], vec![]));
}

#[test]
fn a_refusal_of_the_database_says_which_rows_are_in_the_way() {
    let restricted = SCHEMA.replace(
        "REFERENCES yards (id)",
        "REFERENCES yards (id) ON DELETE RESTRICT",
    );
    let by_lease = "Yard 1 is protected by Lease 7 (through Lease.yard_id)";
    let lease = "a Lease that refers by Lease.yard_id to a row being deleted appeared during the delete; try again";
    let shed = "a Shed that refers by Shed.yard_id to a row being deleted appeared during the delete; try again";
    // PostgreSQL names the first table alone, and its rows are gone when it can be asked again.
    let cases = [
        (
            "INSERT INTO leases VALUES (7, 1)",
            on(by_lease, lease, by_lease),
        ),
        ("INSERT INTO sheds VALUES (3, 1, NULL)", shed),
        (
            "INSERT INTO sheds VALUES (3, 1, NULL); INSERT INTO leases VALUES (7, 1)",
            on(by_lease, shed, by_lease),
        ),
    ];
    for schema in [SCHEMA, &restricted] {
        for (sql, text) in cases {
            let mut conn = fresh(schema);
            let before = rows(&mut conn);
            let error = delete_while(&mut conn, "post Shed 1", sql).expect_err("refused");
            assert_eq!(error.to_string(), text);
            assert_eq!(
                LOG.take().last().map(String::as_str),
                Some("post Shed 1"),
                "{text}"
            );
            assert_eq!(rows(&mut conn), before, "{text}");
        }
    }
}

#[test]
fn a_refusal_that_no_relation_explains_is_the_databases() {
    let mut conn = fresh(&format!(
        "{SCHEMA} CREATE TABLE strangers (yard_id INTEGER REFERENCES yards (id)); INSERT INTO strangers VALUES (1);"
    ));
    let error = Yard { id: 1 }.delete(&mut conn).expect_err("refused");
    let told = on(
        "FOREIGN KEY constraint failed",
        "update or delete on table \"yards\" violates foreign key constraint",
        "Cannot delete or update a parent row",
    );
    let begin = format!("delete of Yard failed: {told}");
    assert!(error.to_string().starts_with(&begin), "{error}");
    assert_eq!(rows(&mut conn).1, [1, 2, 9]);
    LOG.take();
}

mod without_connection {
    use super::*;

    diesel::table! { boxes (id) { id -> Integer } }
    diesel::table! { balls (id) { id -> Integer, box_id -> Integer } }

    #[derive(Debug, Clone, Queryable, Insertable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[diesel(table_name = boxes)]
    #[hooks(new = Self)]
    pub(crate) struct Crate {
        pub(crate) id: i32,
    }

    #[derive(Debug, Clone, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Ball {
        pub(crate) id: i32,
        #[hooks(one_to_one(Crate, on_delete = Cascade))]
        pub(crate) box_id: i32,
    }

    #[receiver]
    fn unpack(event: &PreDelete<Crate>) {
        LOG.push(format!("pre Crate {}", event.instance.id));
    }

    #[receiver]
    fn roll(event: &PreDelete<Ball>) {
        LOG.push(format!("pre Ball {}", event.instance.id));
    }
}

#[test]
fn receivers_that_have_no_connection_cost_no_second_look() {
    use without_connection::Crate;

    let mut conn = fresh(
        "CREATE TABLE boxes (id {key});
         CREATE TABLE balls (id {key}, box_id INTEGER NOT NULL REFERENCES boxes (id));
         INSERT INTO boxes VALUES (1); INSERT INTO balls VALUES (1, 1);",
    );
    let (deleted, seen) = statements(&mut conn, |conn| Crate { id: 1 }.delete(conn));
    assert_eq!(deleted.expect("deleted").total, 2);
    assert_eq!(LOG.take(), ["pre Ball 1", "pre Crate 1"]);
    let on_tables = seen.iter().filter(|sql| sql.contains("`b"));
    let verbs: Vec<_> = on_tables.filter_map(|sql| sql.split(' ').next()).collect();
    assert_eq!(verbs, ["SELECT", "SELECT", "DELETE", "DELETE"], "{seen:?}");
}
