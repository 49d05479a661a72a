//! A circle of rows that is opened by a NULL goes as one: after all that refers to a row of it, and before all
//! that a row of it refers to.

use backends::script::{LOG, counted};
use backends::{fresh, rows};
use backends::{hear_deletes, insert_circle, model};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

model!(Link of links {
    #[hooks(foreign_key(Self, on_delete = Cascade))]
    next_id: i32 = [Integer],
    #[hooks(foreign_key(Knot, on_delete = Cascade))]
    knot_id: Option<i32> = [Nullable<Integer>],
});
model!(Knot of knots {
    #[hooks(foreign_key(Link, on_delete = Cascade))]
    link_id: i32 = [Integer],
});

hear_deletes! {
    pre_link post_link Link;
    pre_knot post_knot Knot;
}

const SCHEMA: &str = "
    CREATE TABLE links (id {key}, next_id INTEGER NOT NULL REFERENCES links (id),
        knot_id INTEGER {sqlite: REFERENCES knots (id)});
    CREATE TABLE knots (id {key}, link_id INTEGER NOT NULL REFERENCES links (id));
    {servers: ALTER TABLE links ADD FOREIGN KEY (knot_id) REFERENCES knots (id);}
";

/// Two circles, links 1 and 2 with knot 1, and links 3 and 4 with knot 3. Only the knots of links 2 and 4 can be
/// NULL, and what is left of the circles does not say any more that knot 3 waits for link 2, nor that link 4
/// refers, by knot 3 and link 3, to knot 5.
const CIRCLES: &str = "
    INSERT INTO links VALUES (1, 2, NULL), (2, 4, 1), (3, 4, 5), (4, 6, 3), (6, 6, NULL);
    INSERT INTO knots VALUES (1, 1), (3, 3), (5, 6);
";

#[test]
fn all_of_an_opened_circle_goes_after_what_refers_to_it_and_before_what_it_refers_to() {
    let mut conn = fresh(SCHEMA);
    insert_circle(&mut conn, CIRCLES);
    let last = Link::get(&mut conn, 6).expect("a link");
    let deleted = counted(last.delete(&mut conn).expect("the circles can be opened"));
    assert_eq!(deleted, (8, vec![("Knot", 3), ("Link", 5)]));
    let order = [
        "Knot 1", "Link 1", "Link 2", "Knot 3", "Link 3", "Link 4", "Knot 5", "Link 6",
    ];
    let (before, after) = (
        order.map(|it| format!("pre {it}")),
        order.map(|it| format!("post {it}")),
    );
    assert_eq!(LOG.take(), [before, after].concat());
    assert_eq!(rows(&mut conn, "links"), [""; 0]);
    assert_eq!(rows(&mut conn, "knots"), [""; 0]);
}
