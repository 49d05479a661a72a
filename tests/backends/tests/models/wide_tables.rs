//! A model may have more columns than Diesel's own default.

use backends::{Database, TestConnection, count};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    wide (id) {
        id -> Integer,
        c1 -> Integer,
        c2 -> Integer,
        c3 -> Integer,
        c4 -> Integer,
        c5 -> Integer,
        c6 -> Integer,
        c7 -> Integer,
        c8 -> Integer,
        c9 -> Integer,
        c10 -> Integer,
        c11 -> Integer,
        c12 -> Integer,
        c13 -> Integer,
        c14 -> Integer,
        c15 -> Integer,
        c16 -> Integer,
        c17 -> Integer,
        c18 -> Integer,
        c19 -> Integer,
        c20 -> Integer,
        c21 -> Integer,
        c22 -> Integer,
        c23 -> Integer,
        c24 -> Integer,
        c25 -> Integer,
        c26 -> Integer,
        c27 -> Integer,
        c28 -> Integer,
        c29 -> Integer,
        c30 -> Integer,
        c31 -> Integer,
        c32 -> Integer,
        c33 -> Integer,
        c34 -> Integer,
        c35 -> Integer,
        c36 -> Integer,
        c37 -> Integer,
        c38 -> Integer,
        c39 -> Integer,
        c40 -> Integer,
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = wide)]
struct Wide {
    id: i32,
    c1: i32,
    c2: i32,
    c3: i32,
    c4: i32,
    c5: i32,
    c6: i32,
    c7: i32,
    c8: i32,
    c9: i32,
    c10: i32,
    c11: i32,
    c12: i32,
    c13: i32,
    c14: i32,
    c15: i32,
    c16: i32,
    c17: i32,
    c18: i32,
    c19: i32,
    c20: i32,
    c21: i32,
    c22: i32,
    c23: i32,
    c24: i32,
    c25: i32,
    c26: i32,
    c27: i32,
    c28: i32,
    c29: i32,
    c30: i32,
    c31: i32,
    c32: i32,
    c33: i32,
    c34: i32,
    c35: i32,
    c36: i32,
    c37: i32,
    c38: i32,
    c39: i32,
    c40: i32,
}

#[receiver(changed(wide::c40))]
fn the_last_changed(event: &PostUpdate<Wide>, conn: &mut TestConnection) -> QueryResult<()> {
    let before = event.before().map_or(0, |it| it.c40);
    diesel::update(wide::table.find(event.instance.id))
        .set(wide::c1.eq(before))
        .execute(conn)
        .map(drop)
}

fn tables() -> String {
    let columns: Vec<_> = (1..=40)
        .map(|it| format!("c{it} INTEGER NOT NULL"))
        .collect();
    format!("CREATE TABLE wide (id {{key}}, {});", columns.join(", "))
}

fn new(of: i32) -> NewWide {
    NewWide {
        c1: of + 1,
        c2: of + 2,
        c3: of + 3,
        c4: of + 4,
        c5: of + 5,
        c6: of + 6,
        c7: of + 7,
        c8: of + 8,
        c9: of + 9,
        c10: of + 10,
        c11: of + 11,
        c12: of + 12,
        c13: of + 13,
        c14: of + 14,
        c15: of + 15,
        c16: of + 16,
        c17: of + 17,
        c18: of + 18,
        c19: of + 19,
        c20: of + 20,
        c21: of + 21,
        c22: of + 22,
        c23: of + 23,
        c24: of + 24,
        c25: of + 25,
        c26: of + 26,
        c27: of + 27,
        c28: of + 28,
        c29: of + 29,
        c30: of + 30,
        c31: of + 31,
        c32: of + 32,
        c33: of + 33,
        c34: of + 34,
        c35: of + 35,
        c36: of + 36,
        c37: of + 37,
        c38: of + 38,
        c39: of + 39,
        c40: of + 40,
    }
}

#[test]
fn rows_of_forty_columns_are_created_changed_and_deleted() {
    let (_database, mut conn) = Database::open(&tables());
    let mut one = Wide::create(&mut conn, new(100)).expect("created");
    assert_eq!((one.c1, one.c40), (101, 140));
    let many = Wide::create_many(&mut conn, vec![new(200), new(300)]).expect("created");
    assert_eq!((many[1].c1, many[1].c40), (301, 340));
    one.update(&mut conn, |it| it.c40 = 7).expect("updated");
    let stored = Wide::get(&mut conn, one.id).expect("there");
    assert_eq!((stored.c1, stored.c39, stored.c40), (140, 139, 7));
    one.save(&mut conn).expect("saved");
    assert_eq!(Wide::get(&mut conn, one.id).expect("there"), one);
    let deleted = wide::table
        .delete_hooked::<Wide>(&mut conn)
        .expect("deleted");
    assert_eq!((deleted.total, count(&mut conn, "wide")), (3, 0));
}
