//! Rows are deleted before the rows that they refer to, whatever their tables and keys.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use backends::script::{LOG, counted};
use backends::{Log, TestConnection, fresh, hear_deletes};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

/// A table that refers to itself twice, and two that refer to each other.
mod graph {
    use super::*;

    diesel::table! { nodes (id) { id -> Integer, one_id -> Nullable<Integer>, two_id -> Nullable<Integer> } }
    diesel::table! { lefts (id) { id -> Integer, one_id -> Nullable<Integer>, two_id -> Nullable<Integer> } }
    diesel::table! { rights (id) { id -> Integer, one_id -> Nullable<Integer>, two_id -> Nullable<Integer> } }

    pub(crate) const SCHEMA: &str = "
        CREATE TABLE nodes (id {key},
            one_id INTEGER REFERENCES nodes (id), two_id INTEGER REFERENCES nodes (id));
        CREATE TABLE lefts (id {key},
            one_id INTEGER {sqlite: REFERENCES rights (id)}, two_id INTEGER REFERENCES nodes (id));
        CREATE TABLE rights (id {key},
            one_id INTEGER REFERENCES lefts (id), two_id INTEGER REFERENCES lefts (id));
        {servers: ALTER TABLE lefts ADD FOREIGN KEY (one_id) REFERENCES rights (id);}
        CREATE INDEX nodes_one ON nodes (one_id); CREATE INDEX nodes_two ON nodes (two_id);
        CREATE INDEX lefts_one ON lefts (one_id); CREATE INDEX lefts_two ON lefts (two_id);
        CREATE INDEX rights_one ON rights (one_id); CREATE INDEX rights_two ON rights (two_id);
    ";

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Node {
        pub(crate) id: i32,
        #[hooks(one_to_one(Node, on_delete = Cascade))]
        pub(crate) one_id: Option<i32>,
        #[hooks(one_to_one(Node, on_delete = Cascade))]
        pub(crate) two_id: Option<i32>,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Left {
        pub(crate) id: i32,
        #[hooks(one_to_one(Right, on_delete = Cascade))]
        pub(crate) one_id: Option<i32>,
        #[hooks(one_to_one(Node, on_delete = Cascade))]
        pub(crate) two_id: Option<i32>,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Right {
        pub(crate) id: i32,
        #[hooks(one_to_one(Left, on_delete = Cascade))]
        pub(crate) one_id: Option<i32>,
        #[hooks(one_to_one(Left, on_delete = Cascade))]
        pub(crate) two_id: Option<i32>,
    }

    hear_deletes! {
        pre_node post_node Node;
        pre_left post_left Left;
        pre_right post_right Right;
    }
}

use graph::{Left, Node, Right, lefts, nodes, rights};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Table {
    Node,
    Left,
    Right,
}

type Row = (Table, i32);

impl Table {
    /// The tables that its two columns refer to.
    const fn parents(self) -> [Table; 2] {
        match self {
            Table::Node => [Table::Node, Table::Node],
            Table::Left => [Table::Right, Table::Node],
            Table::Right => [Table::Left, Table::Left],
        }
    }
}

fn insert(conn: &mut TestConnection, (table, id): Row, [one, two]: [Option<i32>; 2]) {
    macro_rules! insert_into {
        ($table:ident) => {
            diesel::insert_into($table::table)
                .values((
                    $table::id.eq(id),
                    $table::one_id.eq(one),
                    $table::two_id.eq(two),
                ))
                .execute(conn)
        };
    }
    let inserted = match table {
        Table::Node => insert_into!(nodes),
        Table::Left => insert_into!(lefts),
        Table::Right => insert_into!(rights),
    };
    assert_eq!(inserted, Ok(1));
}

fn delete(
    conn: &mut TestConnection,
    (table, id): Row,
) -> diesel_hooks::Result<diesel_hooks::Deleted> {
    match table {
        Table::Node => Node::get(conn, id)?.delete(conn),
        Table::Left => Left::get(conn, id)?.delete(conn),
        Table::Right => Right::get(conn, id)?.delete(conn),
    }
}

fn rows(conn: &mut TestConnection) -> HashSet<Row> {
    let mut rows = HashSet::new();
    macro_rules! add {
        ($($name:ident $table:ident),*) => {$(
            let ids: Vec<i32> = $table::table.select($table::id).load(conn).expect("rows can be read");
            rows.extend(ids.into_iter().map(|id| (Table::$name, id)));
        )*};
    }
    add!(Node nodes, Left lefts, Right rights);
    rows
}

fn nodes_of(conn: &mut TestConnection, rows: &[(i32, Option<i32>, Option<i32>)]) {
    for (id, one, two) in rows {
        insert(conn, (Table::Node, *id), [*one, *two]);
    }
}

#[test]
fn a_row_of_one_table_that_is_reached_at_two_depths_goes_before_both_rows_it_refers_to() {
    let mut conn = fresh(graph::SCHEMA);
    nodes_of(
        &mut conn,
        &[
            (1, None, None),
            (3, Some(1), None),
            (2, Some(1), Some(3)),
            (4, None, None),
        ],
    );
    let deleted = delete(&mut conn, (Table::Node, 1)).expect("no row refers in a circle");
    assert_eq!(
        LOG.take(),
        [
            "pre Node 2",
            "pre Node 3",
            "pre Node 1",
            "post Node 2",
            "post Node 3",
            "post Node 1"
        ]
    );
    assert_eq!(counted(deleted), (3, vec![("Node", 3)]));
    assert_eq!(rows(&mut conn), HashSet::from([(Table::Node, 4)]));
}

#[test]
fn rows_that_alternate_between_two_tables_go_from_the_end_of_their_chain() {
    let mut conn = fresh(graph::SCHEMA);
    insert(&mut conn, (Table::Left, 1), [None, None]);
    insert(&mut conn, (Table::Right, 9), [Some(1), None]);
    insert(&mut conn, (Table::Left, 5), [Some(9), None]);
    insert(&mut conn, (Table::Right, 2), [None, Some(5)]);
    insert(&mut conn, (Table::Left, 2), [Some(2), None]);
    let deleted = delete(&mut conn, (Table::Left, 1)).expect("no row refers in a circle");
    let chain = ["Left 2", "Right 2", "Left 5", "Right 9", "Left 1"];
    let heard = ["pre", "post"]
        .iter()
        .flat_map(|time| chain.map(|row| format!("{time} {row}")));
    assert_eq!(LOG.take(), heard.collect::<Vec<_>>());
    assert_eq!(counted(deleted), (5, vec![("Left", 3), ("Right", 2)]));
    assert!(rows(&mut conn).is_empty());
}

#[test]
fn a_child_hears_that_it_is_gone_while_the_row_it_referred_to_is_there() {
    let mut conn = fresh(graph::SCHEMA);
    nodes_of(
        &mut conn,
        &[(1, None, None), (2, Some(1), None), (3, Some(2), None)],
    );
    backends::script::on_event(|event, conn| {
        if event.starts_with("post") {
            let left: i64 = nodes::table.count().get_result(conn)?;
            LOG.push(format!("{left} left"));
        }
        Ok(())
    });
    delete(&mut conn, (Table::Node, 1)).expect("deleted");
    let heard = LOG.take();
    assert_eq!(
        heard[3..],
        [
            "post Node 3",
            "2 left",
            "post Node 2",
            "1 left",
            "post Node 1",
            "0 left"
        ]
    );
}

/// A chain of rows, each of which refers to the one before.
fn chain(length: i32, table: impl Fn(i32) -> Table) {
    let mut conn = fresh(graph::SCHEMA);
    conn.transaction(|conn| {
        insert(conn, (table(1), 1), [None, None]);
        for id in 2..=length {
            insert(conn, (table(id), id), [Some(id - 1), None]);
        }
        QueryResult::Ok(())
    })
    .expect("a chain");
    let deleted = delete(&mut conn, (table(1), 1)).expect("deleted");
    assert_eq!(deleted.total, length as usize);
    let heard = LOG.take();
    let expected = ["pre", "post"].into_iter().flat_map(|time| {
        (1..=length)
            .rev()
            .map(|id| format!("{time} {:?} {id}", table(id)))
            .collect::<Vec<_>>()
    });
    assert!(heard.into_iter().eq(expected));
    assert!(rows(&mut conn).is_empty());
}

#[test]
fn a_chain_of_ten_thousand_rows_ends() {
    chain(10_000, |_| Table::Node);
}

#[test]
fn a_chain_of_ten_thousand_rows_that_alternate_ends() {
    chain(10_000, |id| {
        if id % 2 == 0 {
            Table::Left
        } else {
            Table::Right
        }
    });
}

#[test]
fn a_circle_under_immediate_foreign_keys_is_opened_where_it_can_be_null() {
    let mut conn = fresh(graph::SCHEMA);
    nodes_of(
        &mut conn,
        &[(1, None, None), (2, Some(1), None), (3, Some(2), None)],
    );
    diesel::update(nodes::table.find(2))
        .set(nodes::two_id.eq(3))
        .execute(&mut conn)
        .expect("a circle of 2 and 3");
    delete(&mut conn, (Table::Node, 1)).expect("opened");
    assert!(rows(&mut conn).is_empty());
    LOG.take();
}

#[test]
fn a_circle_of_deferred_foreign_keys_is_deleted_and_each_row_heard_once() {
    let mut conn = fresh(&graph::SCHEMA.replace(
        "REFERENCES nodes (id),",
        "REFERENCES nodes (id) DEFERRABLE INITIALLY DEFERRED,",
    ));
    // 3 refers to itself, and 4 to the circle that 1 and 2 make.
    let circle = [
        (1, Some(2), None),
        (2, Some(1), None),
        (3, Some(3), Some(2)),
        (4, Some(1), None),
    ];
    conn.transaction(|conn| {
        nodes_of(conn, &circle);
        QueryResult::Ok(())
    })
    .expect("a circle");
    let deleted = delete(&mut conn, (Table::Node, 1)).expect("judged at COMMIT");
    assert_eq!(deleted.total, 4);
    let mut heard = LOG.take();
    heard.sort();
    let times = ["post", "pre"].iter();
    let expected = times.flat_map(|time| (1..=4).map(move |id| format!("{time} Node {id}")));
    assert_eq!(heard, expected.collect::<Vec<_>>());
    assert!(rows(&mut conn).is_empty());
}

mod without_case {
    use super::*;

    diesel::table! { names (id) { id -> Text, under -> Nullable<Text>, beside -> Nullable<Text> } }

    #[derive(Debug, Clone, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Name {
        pub(crate) id: String,
        #[hooks(one_to_one(Name, on_delete = Cascade, accessor = above))]
        pub(crate) under: Option<String>,
        #[hooks(one_to_one(Name, on_delete = Cascade, accessor = neighbour))]
        pub(crate) beside: Option<String>,
    }

    hear_deletes! { pre_name post_name Name; }
}

#[test]
fn keys_that_the_database_compares_without_case_are_in_order_too() {
    let mut conn = fresh(
        "CREATE TABLE names (id TEXT COLLATE NOCASE PRIMARY KEY NOT NULL,
             under TEXT COLLATE NOCASE REFERENCES names (id), beside TEXT COLLATE NOCASE REFERENCES names (id));
         INSERT INTO names VALUES ('a', NULL, NULL), ('c', 'A', NULL), ('b', 'A', 'C'), ('d', 'B', 'C');",
    );
    let name = without_case::Name::get(&mut conn, "a".into()).expect("a name");
    let deleted = name.delete(&mut conn).expect("no row refers in a circle");
    assert_eq!(
        LOG.take(),
        [
            "pre Name d",
            "pre Name b",
            "pre Name c",
            "pre Name a",
            "post Name d",
            "post Name b",
            "post Name c",
            "post Name a"
        ]
    );
    assert_eq!(counted(deleted), (4, vec![("Name", 4)]));
}

/// Two tables that could refer to each other; only rows of the first by name do.
mod harbour {
    use super::*;

    diesel::table! { ports (id) { id -> Integer } }
    diesel::table! { boats (id) { id -> Integer, port_id -> Integer, crane_id -> Nullable<Integer> } }
    diesel::table! { cranes (id) { id -> Integer, port_id -> Integer, boat_id -> Nullable<Integer> } }

    pub(crate) const SCHEMA: &str = "
        CREATE TABLE ports (id {key});
        CREATE TABLE boats (id {key}, port_id INTEGER NOT NULL REFERENCES ports (id),
            crane_id INTEGER {sqlite: REFERENCES cranes (id)});
        CREATE TABLE cranes (id {key}, port_id INTEGER NOT NULL REFERENCES ports (id),
            boat_id INTEGER REFERENCES boats (id));
        {servers: ALTER TABLE boats ADD FOREIGN KEY (crane_id) REFERENCES cranes (id);}
        INSERT INTO ports VALUES (1);
        INSERT INTO cranes VALUES (1, 1, NULL), (2, 1, NULL), (3, 1, NULL);
        INSERT INTO boats VALUES (1, 1, 3), (2, 1, 1);
    ";

    #[derive(Debug, Clone, Queryable, Insertable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[hooks(new = Self)]
    pub(crate) struct Port {
        pub(crate) id: i32,
    }

    #[derive(Debug, Clone, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Boat {
        pub(crate) id: i32,
        #[hooks(one_to_one(Port, on_delete = Cascade))]
        pub(crate) port_id: i32,
        #[hooks(one_to_one(Crane, on_delete = Cascade))]
        pub(crate) crane_id: Option<i32>,
    }

    #[derive(Debug, Clone, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Crane {
        pub(crate) id: i32,
        #[hooks(one_to_one(Port, on_delete = Cascade))]
        pub(crate) port_id: i32,
        #[hooks(one_to_one(Boat, on_delete = Cascade))]
        pub(crate) boat_id: Option<i32>,
    }

    pub(crate) static BATCHES: Log = Log::new();

    #[receiver]
    fn cranes_go(events: &[PreDelete<Crane>], _: &mut TestConnection) {
        BATCHES.push(format!("pre {} cranes", events.len()));
    }

    #[receiver]
    fn cranes_went(events: &[PostDelete<Crane>], _: &mut TestConnection) {
        BATCHES.push(format!("post {} cranes", events.len()));
    }

    #[receiver]
    fn boats_go(events: &[PreDelete<Boat>]) {
        BATCHES.push(format!("pre {} boats", events.len()));
    }

    #[receiver]
    fn boats_went(events: &[PostDelete<Boat>]) {
        BATCHES.push(format!("post {} boats", events.len()));
    }
}

#[test]
fn a_relation_without_rows_has_no_say_and_batches_are_as_large_as_the_order_permits() {
    use harbour::{BATCHES, Port, SCHEMA};

    let mut conn = fresh(SCHEMA);
    let deleted = Port { id: 1 }
        .delete(&mut conn)
        .expect("boats before cranes");
    assert_eq!(
        BATCHES.take(),
        [
            "pre 2 boats",
            "pre 3 cranes",
            "post 2 boats",
            "post 3 cranes"
        ]
    );
    assert_eq!(
        counted(deleted),
        (6, vec![("Boat", 2), ("Crane", 3), ("Port", 1)])
    );
}

#[test]
fn rows_that_refer_to_each_others_tables_are_announced_in_the_batches_that_their_order_permits() {
    use harbour::{BATCHES, Port, SCHEMA};

    let mut conn = fresh(SCHEMA);
    // Crane 2 depends on boat 1, which depends on crane 3; boat 2 depends on crane 1.
    diesel::update(harbour::cranes::table.find(2))
        .set(harbour::cranes::boat_id.eq(1))
        .execute(&mut conn)
        .expect("a crane on a boat");
    Port { id: 1 }
        .delete(&mut conn)
        .expect("no row refers in a circle");
    assert_eq!(
        BATCHES.take(),
        [
            "pre 1 cranes",
            "pre 2 boats",
            "pre 2 cranes",
            "post 1 cranes",
            "post 2 boats",
            "post 2 cranes"
        ]
    );
}

/// A small generator; the seed makes a failure repeatable.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn one_of(&mut self, rows: &[Row], table: Table) -> Option<i32> {
        let rows: Vec<_> = rows.iter().filter(|row| row.0 == table).collect();
        match rows.is_empty() || self.below(3) == 0 {
            true => None,
            false => Some(rows[self.below(rows.len())].1),
        }
    }
}

/// Rows that refer to earlier ones only, with keys in no order, and whom each refers to.
fn random_rows(random: &mut Random) -> (Vec<Row>, HashMap<Row, [Option<i32>; 2]>) {
    let mut rows: Vec<Row> = Vec::new();
    let mut refers_to = HashMap::new();
    for _ in 0..1 + random.below(20) {
        let table = [Table::Node, Table::Left, Table::Right][random.below(3)];
        let row = (table, 1 + random.below(1_000) as i32);
        let parents = table.parents().map(|parent| random.one_of(&rows, parent));
        if let Entry::Vacant(entry) = refers_to.entry(row) {
            entry.insert(parents);
            rows.push(row);
        }
    }
    (rows, refers_to)
}

fn parents((table, _): Row, refers_to: [Option<i32>; 2]) -> impl Iterator<Item = Row> {
    let ends = table.parents().into_iter().zip(refers_to);
    ends.filter_map(|(table, id)| Some((table, id?)))
}

/// What has to go with a row: whatever refers to something that goes, until there is nothing more.
fn closure(root: Row, refers_to: &HashMap<Row, [Option<i32>; 2]>) -> HashSet<Row> {
    let mut goes = HashSet::from([root]);
    loop {
        let before = goes.len();
        for (row, ends) in refers_to {
            if parents(*row, *ends).any(|parent| goes.contains(&parent)) {
                goes.insert(*row);
            }
        }
        if goes.len() == before {
            return goes;
        }
    }
}

#[test]
fn random_rows_go_children_first_with_each_heard_and_counted_once() {
    const EMPTY: &str = "
        UPDATE nodes SET one_id = NULL, two_id = NULL; UPDATE lefts SET one_id = NULL, two_id = NULL;
        DELETE FROM rights; DELETE FROM lefts; DELETE FROM nodes;
    ";
    let mut random = Random(0x5EED);
    let mut conn = fresh(graph::SCHEMA);
    for case in 0..300 {
        backends::insert(&mut conn, EMPTY);
        let (order, refers_to) = random_rows(&mut random);
        for row in &order {
            insert(&mut conn, *row, refers_to[row]);
        }
        let root = order[random.below(order.len().min(3))];
        let goes = closure(root, &refers_to);

        let deleted = delete(&mut conn, root)
            .unwrap_or_else(|error| panic!("case {case}, {root:?} of {refers_to:?}: {error}"));

        let stay = order.iter().filter(|row| !goes.contains(row)).copied();
        assert_eq!(rows(&mut conn), stay.collect(), "case {case}");
        let mut by_model = BTreeMap::new();
        for (table, _) in &goes {
            *by_model.entry(format!("{table:?}")).or_default() += 1;
        }
        let counts: BTreeMap<String, usize> = deleted
            .by_model
            .iter()
            .map(|(model, count)| (model.to_string(), *count))
            .collect();
        assert_eq!(
            (deleted.total, counts),
            (goes.len(), by_model),
            "case {case}"
        );
        let heard = LOG.take();
        for (time, heard) in ["pre", "post"].iter().zip(heard.chunks(goes.len())) {
            let place = |row: &Row| {
                let event = format!("{time} {:?} {}", row.0, row.1);
                heard
                    .iter()
                    .position(|it| *it == event)
                    .unwrap_or_else(|| panic!("case {case}: {event} in {heard:?}"))
            };
            for row in &goes {
                for parent in parents(*row, refers_to[row]).filter(|it| goes.contains(it)) {
                    assert!(place(row) < place(&parent), "case {case}: {heard:?}");
                }
            }
        }
        assert_eq!(heard.len(), 2 * goes.len(), "case {case}: {heard:?}");
    }
}
