//! A delete ends on every graph of rows: each row goes once, or one error says why none does.

use std::collections::BTreeMap;
use std::iter::successors;

use backends::script::{LOG, counted};
use backends::{
    TestConnection, count, fresh, has_arrays, hear_deletes, insert_circle, keys_at_once, many,
    model, on, rows, statements,
};
use diesel::prelude::*;
use diesel_hooks::prelude::*;
use diesel_hooks::{Deleted, Error};

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
    CREATE TABLE eggs (id {key}, hen_id INTEGER NOT NULL {sqlite: REFERENCES hens (id)});
    CREATE TABLE hens (id {key}, egg_id INTEGER NOT NULL REFERENCES eggs (id));
    CREATE TABLE spouses (id {key}, other_id INTEGER NOT NULL REFERENCES spouses (id));
    CREATE TABLE twins (id {key}, other_id INTEGER NOT NULL REFERENCES twins (id),
        home_id INTEGER {sqlite: REFERENCES homes (id)});
    CREATE TABLE homes (id {key}, owner_id INTEGER REFERENCES twins (id));
    CREATE TABLE links (id {key}, one_id INTEGER NOT NULL REFERENCES links (id),
        two_id INTEGER REFERENCES links (id), knot_id INTEGER {sqlite: REFERENCES knots (id)});
    CREATE TABLE knots (id {key}, link_id INTEGER NOT NULL REFERENCES links (id));
    {servers: ALTER TABLE eggs ADD FOREIGN KEY (hen_id) REFERENCES hens (id);
        ALTER TABLE twins ADD FOREIGN KEY (home_id) REFERENCES homes (id);
        ALTER TABLE links ADD FOREIGN KEY (knot_id) REFERENCES knots (id);}
    CREATE INDEX spouses_other ON spouses (other_id); CREATE INDEX twins_other ON twins (other_id);
";

/// With these rows, whatever refers to whatever.
fn database(rows: &str) -> TestConnection {
    let mut conn = fresh(SCHEMA);
    insert_circle(&mut conn, rows);
    conn
}

/// MySQL looks at foreign keys row by row, so that no statement deletes rows that refer to each other.
fn is_opened_only(outcome: diesel_hooks::Result<Deleted>, relation: &str) -> Option<Deleted> {
    if !on(false, false, true) {
        return Some(outcome.expect("each circle is of one table"));
    }
    let error = outcome.expect_err("no column of the circle can be NULL");
    assert!(matches!(&error, Error::Cycle { relations } if relations == &[relation]));
    None
}

#[test]
fn a_circle_of_two_tables_that_cannot_be_opened_is_one_error_and_changes_nothing() {
    let mut conn =
        database("INSERT INTO eggs VALUES (1, 1), (2, 1); INSERT INTO hens VALUES (1, 2), (2, 2);");
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
    let mut conn = database(&many("spouses", 40_000, "i, i + 1 - 2 * ((i + 1) % 2)"));
    let (deleted, sent) = statements(&mut conn, |conn| {
        spouses::table.delete_hooked::<Spouse>(conn)
    });
    let Some(deleted) = is_opened_only(deleted, "Spouse.other_id") else {
        assert_eq!(LOG.take(), [""; 0]);
        return assert_eq!(count(&mut conn, "spouses"), 40_000);
    };
    assert_eq!(counted(deleted), (40_000, vec![("Spouse", 40_000)]));
    assert_eq!(LOG.take().len(), 80_000);
    let of_spouses = sent.iter().filter(|sql| sql.contains("spouses"));
    let binds = of_spouses.map(|sql| sql.matches('?').count());
    let most = if has_arrays() { 1 } else { keys_at_once() };
    assert_eq!(binds.max(), Some(most));
    assert_eq!(rows(&mut conn, "spouses"), [""; 0]);
}

#[test]
fn a_circle_longer_than_a_statement_is_one_error_and_changes_nothing() {
    let mut conn = database(&many("spouses", 33_000, "i, i % 33000 + 1"));
    let spouse = Spouse::get(&mut conn, 1).expect("a spouse");
    let error = spouse.delete(&mut conn).expect_err("too long");
    assert!(matches!(&error, Error::Cycle { relations } if relations == &["Spouse.other_id"]));
    assert_eq!(LOG.take(), [""; 0]);
    assert_eq!(count(&mut conn, "spouses"), 33_000);
}

#[test]
fn what_a_circle_refers_to_in_another_table_goes_after_it() {
    let mut conn = database(
        "INSERT INTO twins VALUES (1, 2, 7), (2, 1, NULL), (3, 3, NULL); INSERT INTO homes VALUES (7, 3);",
    );
    let owner = Twin::get(&mut conn, 3).expect("a twin");
    let deleted = owner.delete(&mut conn);
    let Some(deleted) = is_opened_only(deleted, "Twin.other_id") else {
        return assert_eq!(count(&mut conn, "twins"), 3);
    };
    assert_eq!(counted(deleted), (4, vec![("Home", 1), ("Twin", 3)]));
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

/// In place of what is there.
fn insert(conn: &mut TestConnection, random: &mut Random) -> i32 {
    let (links, knots) = (2 + random.below(8), 1 + random.below(3));
    let text = |id: Option<i32>| id.map_or("NULL".to_owned(), |id| id.to_string());
    let mut rows = "DELETE FROM knots; DELETE FROM links;".to_owned();
    for id in 1..=links {
        let one = 1 + random.below(links);
        let (two, knot) = (text(random.maybe(links)), text(random.maybe(knots)));
        rows += &format!("INSERT INTO links VALUES ({id}, {one}, {two}, {knot});");
    }
    for id in 1..=knots {
        let link = 1 + random.below(links);
        rows += &format!("INSERT INTO knots VALUES ({id}, {link});");
    }
    insert_circle(conn, &rows);
    links
}

/// What has to go with a link: whatever refers to something that goes, until there is nothing more.
fn closure(conn: &mut TestConnection, root: i32) -> (Vec<i32>, Vec<i32>) {
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

/// Whether some of these refer to each other, or to themselves, by a column that cannot be NULL.
fn have_circle(conn: &mut TestConnection, among: &[i32]) -> bool {
    let links: Vec<(i32, i32)> = links::table
        .select((links::id, links::one_id))
        .load(conn)
        .expect("read");
    let links: BTreeMap<_, _> = links.into_iter().collect();
    among.iter().any(|from| {
        let way = successors(Some(links[from]), |at| Some(links[at]));
        let mut way = way.take_while(|at| among.contains(at)).take(among.len());
        way.any(|at| at == *from)
    })
}

/// Circles between the tables can all be opened, by `knot_id`; those that cannot are inside one table.
#[test]
fn on_random_graphs_with_circles_each_row_goes_once() {
    let mut random = Random(0x5eed);
    let mut conn = fresh(SCHEMA);
    for _ in 0..on(300, 100, 100) {
        let links = insert(&mut conn, &mut random);
        let root = 1 + random.below(links);
        let (gone, gone_knots) = closure(&mut conn, root);
        let before = count(&mut conn, "links");
        let graph = (rows(&mut conn, "links"), rows(&mut conn, "knots"));
        let link = Link::get(&mut conn, root).expect("a link");
        let closed = have_circle(&mut conn, &gone);
        let (went, left) = match link.delete(&mut conn) {
            Ok(deleted) => (deleted.total, before - gone.len() as i64),
            Err(Error::Cycle { .. }) if closed && on(false, false, true) => (0, before),
            Err(error) => panic!("{error} at {root} of {graph:?}"),
        };
        let all = gone.len() + gone_knots.len();
        let closed = closed && on(false, false, true);
        assert_eq!(went, if closed { 0 } else { all }, "{root} of {graph:?}");
        assert_eq!(count(&mut conn, "links"), left, "{root} of {graph:?}");
    }
}
