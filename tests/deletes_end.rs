//! A delete ends on every graph of rows: each row goes once, or one error says why none does.
#![allow(missing_docs)]

mod common;

use backends::{hear_deletes, model};
use common::script::{LOG, counted};
use common::{memory, rows};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

model!(Egg of eggs {
    #[hooks(foreign_key(Hen, on_delete = Cascade))]
    hen_id: i32 = [Integer],
});
model!(Hen of hens {
    #[hooks(foreign_key(Egg, on_delete = Cascade))]
    egg_id: i32 = [Integer],
});

hear_deletes! {
    pre_egg post_egg Egg;
    pre_hen post_hen Hen;
    pre_spouse post_spouse Spouse;
}

model!(Spouse of spouses {
    #[hooks(foreign_key(Self, on_delete = Cascade))]
    other_id: i32 = [Integer],
});

model!(Twin of twins {
    #[hooks(foreign_key(Self, on_delete = Cascade))]
    other_id: i32 = [Integer],
    #[hooks(foreign_key(Home, on_delete = Cascade))]
    home_id: Option<i32> = [Nullable<Integer>],
});
model!(Home of homes {
    #[hooks(foreign_key(Twin, on_delete = Cascade))]
    owner_id: Option<i32> = [Nullable<Integer>],
});

// A relation that cannot be NULL, and one that can.
model!(Link of links {
    #[hooks(foreign_key(Self, on_delete = Cascade))]
    one_id: i32 = [Integer],
    #[hooks(foreign_key(Self, on_delete = Cascade))]
    two_id: Option<i32> = [Nullable<Integer>],
    #[hooks(foreign_key(Knot, on_delete = Cascade))]
    knot_id: Option<i32> = [Nullable<Integer>],
});
model!(Knot of knots {
    #[hooks(foreign_key(Link, on_delete = Cascade))]
    link_id: i32 = [Integer],
});

const SCHEMA: &str = "
    CREATE TABLE eggs (id INTEGER PRIMARY KEY, hen_id INTEGER NOT NULL REFERENCES hens);
    CREATE TABLE hens (id INTEGER PRIMARY KEY, egg_id INTEGER NOT NULL REFERENCES eggs);
    CREATE TABLE spouses (id INTEGER PRIMARY KEY, other_id INTEGER NOT NULL REFERENCES spouses);
    CREATE TABLE twins (id INTEGER PRIMARY KEY, other_id INTEGER NOT NULL REFERENCES twins,
        home_id INTEGER REFERENCES homes);
    CREATE TABLE homes (id INTEGER PRIMARY KEY, owner_id INTEGER REFERENCES twins);
    CREATE TABLE links (id INTEGER PRIMARY KEY, one_id INTEGER NOT NULL REFERENCES links,
        two_id INTEGER REFERENCES links, knot_id INTEGER REFERENCES knots);
    CREATE TABLE knots (id INTEGER PRIMARY KEY, link_id INTEGER NOT NULL REFERENCES links);
    CREATE INDEX spouses_other ON spouses (other_id); CREATE INDEX twins_other ON twins (other_id);
";

/// With these rows, whatever refers to whatever.
fn database(rows: &str) -> SqliteConnection {
    let mut conn = memory(SCHEMA);
    conn.batch_execute(&format!(
        "BEGIN; PRAGMA defer_foreign_keys = ON; {rows}; COMMIT;"
    ))
    .expect("the rows are right");
    conn
}

#[test]
fn a_circle_of_two_tables_that_cannot_be_opened_is_one_error_and_changes_nothing() {
    let mut conn =
        database("INSERT INTO eggs VALUES (1, 1), (2, 1); INSERT INTO hens VALUES (1, 2), (2, 2)");
    let egg = Egg::get(&mut conn, 1).expect("an egg");
    assert_eq!(
        counted(egg.delete(&mut conn).expect("on no circle")),
        (1, vec![("Egg", 1)])
    );
    LOG.take();
    let hen = Hen::get(&mut conn, 1).expect("a hen");
    let error = hen.delete(&mut conn).expect_err("a circle");
    assert_eq!(
        error.to_string(),
        "rows to be deleted refer to each other in a circle, through Egg.hen_id, Hen.egg_id, and none of \
         these can be NULL; make one of them an Option, or delete in another order by hand"
    );
    assert!(matches!(error, Error::Cycle { .. }));
    assert_eq!(LOG.take(), [""; 0]);
    assert_eq!(rows(&mut conn, "eggs"), ["2 1"]);
    assert_eq!(rows(&mut conn, "hens"), ["1 2", "2 2"]);
    let plan = hen.delete_plan(&mut conn).expect("planned");
    assert!(plan.is_blocked());
    assert_eq!(plan.circle, ["Egg.hen_id", "Hen.egg_id"]);
    assert!(
        plan.to_string()
            .contains("blocked by a circle of rows through Egg.hen_id, Hen.egg_id")
    );
}

#[test]
fn many_circles_of_one_table_that_cannot_be_opened_go_in_statements_that_are_not_too_long() {
    let mut conn = database(
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
        INSERT INTO spouses SELECT i, i + 1 - 2 * ((i + 1) % 2) FROM n",
    );
    let (deleted, sent) = common::statements(&mut conn, |conn| {
        spouses::table.delete_hooked::<Spouse>(conn)
    });
    assert_eq!(
        counted(deleted.expect("deleted")),
        (40_000, vec![("Spouse", 40_000)])
    );
    assert_eq!(LOG.take().len(), 80_000);
    let binds = sent.iter().map(|sql| sql.matches('?').count());
    assert_eq!(binds.max(), Some(250));
    assert_eq!(rows(&mut conn, "spouses"), [""; 0]);
}

#[test]
fn a_circle_longer_than_a_statement_is_one_error_and_changes_nothing() {
    let mut conn = database(
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 33000)
        INSERT INTO spouses SELECT i, i % 33000 + 1 FROM n",
    );
    let spouse = Spouse::get(&mut conn, 1).expect("a spouse");
    let error = spouse.delete(&mut conn).expect_err("too long");
    assert!(matches!(&error, Error::Cycle { relations } if relations == &["Spouse.other_id"]));
    assert_eq!(LOG.take(), [""; 0]);
    assert_eq!(
        spouses::table.count().get_result::<i64>(&mut conn),
        Ok(33_000)
    );
}

#[test]
fn what_a_circle_refers_to_in_another_table_goes_after_it() {
    let mut conn = database(
        "INSERT INTO twins VALUES (1, 2, 7), (2, 1, NULL), (3, 3, NULL); INSERT INTO homes VALUES (7, 3)",
    );
    let owner = Twin::get(&mut conn, 3).expect("a twin");
    let deleted = counted(
        owner
            .delete(&mut conn)
            .expect("each circle is of one table"),
    );
    assert_eq!(deleted, (4, vec![("Home", 1), ("Twin", 3)]));
    assert_eq!(rows(&mut conn, "twins"), [""; 0]);
}

/// A small generator; the seed makes a failure repeatable.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: i32) -> i32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.unsigned_abs() as u64) as i32
    }

    fn maybe(&mut self, bound: i32) -> Option<i32> {
        (self.below(2) == 0).then(|| 1 + self.below(bound))
    }
}

fn insert(conn: &mut SqliteConnection, random: &mut Random) -> i32 {
    let (links, knots) = (2 + random.below(8), 1 + random.below(3));
    conn.batch_execute("BEGIN; PRAGMA defer_foreign_keys = ON")
        .expect("begun");
    for id in 1..=links {
        let values = (
            links::id.eq(id),
            links::one_id.eq(1 + random.below(links)),
            links::two_id.eq(random.maybe(links)),
            links::knot_id.eq(random.maybe(knots)),
        );
        diesel::insert_into(links::table)
            .values(values)
            .execute(conn)
            .expect("a link");
    }
    for id in 1..=knots {
        let values = (knots::id.eq(id), knots::link_id.eq(1 + random.below(links)));
        diesel::insert_into(knots::table)
            .values(values)
            .execute(conn)
            .expect("a knot");
    }
    conn.batch_execute("COMMIT")
        .expect("each refers to something");
    links
}

/// What has to go with a link: whatever refers to something that goes, until there is nothing more.
fn closure(conn: &mut SqliteConnection, root: i32) -> (Vec<i32>, Vec<i32>) {
    let links: Vec<Link> = links::table.load(conn).expect("read");
    let knots: Vec<Knot> = knots::table.load(conn).expect("read");
    let (mut gone, mut gone_knots) = (vec![root], Vec::new());
    loop {
        let before = gone.len() + gone_knots.len();
        for knot in &knots {
            if gone.contains(&knot.link_id) && !gone_knots.contains(&knot.id) {
                gone_knots.push(knot.id);
            }
        }
        for link in &links {
            let refers = gone.contains(&link.one_id)
                || link.two_id.is_some_and(|id| gone.contains(&id))
                || link.knot_id.is_some_and(|id| gone_knots.contains(&id));
            if refers && !gone.contains(&link.id) {
                gone.push(link.id);
            }
        }
        if gone.len() + gone_knots.len() == before {
            return (gone, gone_knots);
        }
    }
}

/// Circles between the tables can all be opened, by `knot_id`; those that cannot are inside one table.
#[test]
fn on_random_graphs_with_circles_each_row_goes_once() {
    let mut random = Random(0x5eed);
    for _ in 0..300 {
        let mut conn = memory(SCHEMA);
        let links = insert(&mut conn, &mut random);
        let root = 1 + random.below(links);
        let (gone, gone_knots) = closure(&mut conn, root);
        let left = (
            links::table.count().get_result::<i64>(&mut conn),
            gone.len() as i64,
        );
        let graph = (rows(&mut conn, "links"), rows(&mut conn, "knots"));
        let link = Link::get(&mut conn, root).expect("a link");
        let deleted = match link.delete(&mut conn) {
            Ok(deleted) => deleted,
            Err(error) => panic!("{error} at {root} of {graph:?}"),
        };
        assert_eq!(
            deleted.total,
            gone.len() + gone_knots.len(),
            "{root} of {graph:?}"
        );
        let after = links::table.count().get_result::<i64>(&mut conn);
        assert_eq!(
            after,
            left.0.map(|before| before - left.1),
            "{root} of {graph:?}"
        );
    }
}
