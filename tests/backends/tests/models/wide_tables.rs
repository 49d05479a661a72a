//! A model may have as many columns as Diesel can be built for.

use backends::{Database, TestConnection, count};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

macro_rules! wide {
    ($($column:ident = $number:literal),* $(,)?) => {
        diesel::table! { wide (id) { id -> Integer, $($column -> Integer,)* } }

        /// Of 64 columns.
        #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
        #[hooks(connection(TestConnection))]
        #[diesel(table_name = wide)]
        struct Wide {
            id: i32,
            $($column: i32,)*
        }

        const TABLE: &str = concat!("CREATE TABLE wide (id {key}", $(", ", stringify!($column), " INTEGER NOT NULL",)* ");");

        fn new(of: i32) -> NewWide {
            NewWide { $($column: of + $number,)* }
        }
    };
}
wide!(
    c1 = 1,
    c2 = 2,
    c3 = 3,
    c4 = 4,
    c5 = 5,
    c6 = 6,
    c7 = 7,
    c8 = 8,
    c9 = 9,
    c10 = 10,
    c11 = 11,
    c12 = 12,
    c13 = 13,
    c14 = 14,
    c15 = 15,
    c16 = 16,
    c17 = 17,
    c18 = 18,
    c19 = 19,
    c20 = 20,
    c21 = 21,
    c22 = 22,
    c23 = 23,
    c24 = 24,
    c25 = 25,
    c26 = 26,
    c27 = 27,
    c28 = 28,
    c29 = 29,
    c30 = 30,
    c31 = 31,
    c32 = 32,
    c33 = 33,
    c34 = 34,
    c35 = 35,
    c36 = 36,
    c37 = 37,
    c38 = 38,
    c39 = 39,
    c40 = 40,
    c41 = 41,
    c42 = 42,
    c43 = 43,
    c44 = 44,
    c45 = 45,
    c46 = 46,
    c47 = 47,
    c48 = 48,
    c49 = 49,
    c50 = 50,
    c51 = 51,
    c52 = 52,
    c53 = 53,
    c54 = 54,
    c55 = 55,
    c56 = 56,
    c57 = 57,
    c58 = 58,
    c59 = 59,
    c60 = 60,
    c61 = 61,
    c62 = 62,
    c63 = 63,
);

#[receiver(changed(wide::c63))]
fn the_last_changed(event: &PostUpdate<Wide>, conn: &mut TestConnection) -> QueryResult<()> {
    let before = event.before().map_or(0, |it| it.c63);
    diesel::update(wide::table.find(event.instance.id))
        .set(wide::c1.eq(before))
        .execute(conn)
        .map(drop)
}

#[test]
fn rows_of_sixty_four_columns_are_created_changed_and_deleted() {
    let (_database, mut conn) = Database::open(TABLE);
    let mut one = Wide::create(&mut conn, new(100)).expect("created");
    assert_eq!((one.c1, one.c63), (101, 163));
    let many = Wide::create_many(&mut conn, vec![new(200), new(300)]).expect("created");
    assert_eq!((many[1].c1, many[1].c63), (301, 363));
    one.update(&mut conn, |it| it.c63 = 7).expect("updated");
    let stored = Wide::get(&mut conn, one.id).expect("there");
    assert_eq!((stored.c1, stored.c62, stored.c63), (163, 162, 7));
    one.save(&mut conn).expect("saved");
    assert_eq!(Wide::get(&mut conn, one.id).expect("there"), one);
    let deleted = wide::table
        .delete_hooked::<Wide>(&mut conn)
        .expect("deleted");
    assert_eq!((deleted.total, count(&mut conn, "wide")), (3, 0));
}
