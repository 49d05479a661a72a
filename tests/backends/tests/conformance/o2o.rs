//! Django's cases of one-to-one relations, as they hold here.

use backends::script::counted;
use backends::{TestConnection, fresh, ignore_foreign_keys, insert, of_rows, rows, statements};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { places (id) { id -> Integer, name -> Text, code -> Text } }
diesel::table! { restaurants (id) { id -> Integer, place_id -> Integer, closed -> Bool } }
diesel::table! { bars (id) { id -> Integer, place_id -> Nullable<Integer> } }
diesel::table! { museums (place_id) { place_id -> Integer, hall -> Text } }
diesel::table! { tickets (id) { id -> Integer, museum_id -> Integer } }
diesel::table! { plaques (code) { code -> Text, words -> Text } }
diesel::table! { signs (id) { id -> Integer, code -> Text } }
diesel::table! { kiosks (id) { id -> Integer, place_id -> Integer } }
diesel::table! { gates (id) { id -> Integer, place_id -> Integer } }

diesel::joinable!(restaurants -> places (place_id));
diesel::allow_tables_to_appear_in_same_query!(places, restaurants);

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Hooks)]
#[hooks(connection(TestConnection))]
struct Place {
    id: i32,
    name: String,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Hooks)]
#[hooks(connection(TestConnection))]
struct Restaurant {
    id: i32,
    #[hooks(one_to_one(Place, on_delete = Cascade, related_name = restaurant))]
    place_id: i32,
    closed: bool,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Bar {
    id: i32,
    #[hooks(one_to_one(Place, on_delete = SetNull, related_name = bar))]
    place_id: Option<i32>,
}

/// Its key is that of its place.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(place_id))]
struct Museum {
    #[hooks(one_to_one(Place, on_delete = Cascade, related_name = museum, accessor = place))]
    place_id: i32,
    hall: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Ticket {
    id: i32,
    #[hooks(foreign_key(Museum, on_delete = Cascade, related_name = tickets))]
    museum_id: i32,
}

/// Its key is a unique column of its place.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(code))]
struct Plaque {
    #[hooks(one_to_one(Place, on_delete = Cascade, to = places::code, related_name = plaque, accessor = place))]
    code: String,
    words: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Sign {
    id: i32,
    #[hooks(one_to_one(Place, on_delete = Cascade, to = places::code, related_name = sign, accessor = place))]
    code: String,
}

/// Its column is unique, and it says `foreign_key` all the same.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Kiosk {
    id: i32,
    #[hooks(foreign_key(Place, on_delete = Cascade, related_name = kiosks))]
    place_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Gate {
    id: i32,
    #[hooks(one_to_one(Place, on_delete = Protect))]
    place_id: i32,
}

const SCHEMA: &str = "
    CREATE TABLE places (id {key}, name TEXT NOT NULL, code TEXT NOT NULL UNIQUE);
    CREATE TABLE restaurants (id {key},
        place_id INTEGER NOT NULL UNIQUE REFERENCES places (id), closed BOOLEAN NOT NULL);
    CREATE TABLE bars (id {key}, place_id INTEGER UNIQUE REFERENCES places (id));
    CREATE TABLE museums (place_id INTEGER PRIMARY KEY REFERENCES places (id), hall TEXT NOT NULL);
    CREATE TABLE tickets (id {key}, museum_id INTEGER NOT NULL REFERENCES museums (place_id));
    CREATE TABLE plaques (code TEXT PRIMARY KEY REFERENCES places (code), words TEXT NOT NULL);
    CREATE TABLE signs (id {key}, code TEXT NOT NULL UNIQUE REFERENCES places (code));
    CREATE TABLE kiosks (id {key}, place_id INTEGER NOT NULL UNIQUE REFERENCES places (id));
    CREATE TABLE gates (id {key}, place_id INTEGER NOT NULL UNIQUE REFERENCES places (id));
    INSERT INTO places VALUES (1, 'Square', 'sq'), (2, 'Harbour', 'hb'), (3, 'Hill', 'hl');
";

fn database(rows: &str) -> TestConnection {
    let mut conn = fresh(SCHEMA);
    insert(&mut conn, rows);
    conn
}

fn place(conn: &mut TestConnection, id: i32) -> Place {
    Place::get(conn, id).expect("a place")
}

#[test]
fn o2o_01_a_second_child_of_a_parent_is_refused() {
    let mut conn = database("INSERT INTO restaurants VALUES (1, 1, FALSE)");
    let new = NewRestaurant {
        place_id: 1,
        closed: false,
    };
    let error = Restaurant::create(&mut conn, new).expect_err("refused");
    assert!(
        matches!(
            error,
            Error::Query {
                source: DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _),
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(rows(&mut conn, "restaurants"), ["1 1 0"]);
}

#[test]
fn o2o_02_the_child_reads_its_parent_and_the_parent_its_one_child() {
    let mut conn = database("INSERT INTO restaurants VALUES (7, 2, FALSE)");
    let harbour = place(&mut conn, 2);
    let restaurant: Restaurant = harbour.restaurant(&mut conn).expect("a restaurant");
    assert_eq!(restaurant.id, 7);
    assert_eq!(restaurant.place(&mut conn).expect("a place"), harbour);
}

#[test]
fn o2o_03_a_parent_without_a_child_says_so_and_names_both_models() {
    let mut conn = database("");
    let error = place(&mut conn, 1).restaurant(&mut conn).expect_err("none");
    assert_eq!(error.to_string(), "there is no Restaurant for Place 1");
    assert!(matches!(
        error,
        Error::NotFound {
            model: "Restaurant",
            related_to: Some("Place"),
            ..
        }
    ));
}

#[test]
fn o2o_05_a_join_loads_both_by_one_query() {
    let mut conn = database("INSERT INTO restaurants VALUES (7, 2, FALSE)");
    let (both, sent) = statements(&mut conn, |conn| {
        restaurants::table
            .inner_join(places::table)
            .select((Restaurant::as_select(), Place::as_select()))
            .load::<(Restaurant, Place)>(conn)
    });
    let both = both.expect("read");
    assert_eq!(sent.len(), 1);
    assert_eq!(both[0].0.place(&mut conn).expect("a place"), both[0].1);
}

#[test]
fn o2o_12_several_children_may_refer_to_nothing_and_nothing_is_nobodys_parent() {
    let mut conn = database("INSERT INTO bars VALUES (1, NULL), (2, NULL), (3, 3)");
    let bar = Bar::get(&mut conn, 1).expect("a bar");
    let (parent, sent) = statements(&mut conn, |conn| bar.place(conn));
    assert_eq!(parent.expect("read"), None);
    assert_eq!(sent, [""; 0]);
    let square = place(&mut conn, 1);
    assert!(matches!(square.bar(&mut conn), Err(Error::NotFound { .. })));
    let hill = place(&mut conn, 3);
    let bars = Place::prefetch_bar(&mut conn, &[square, hill]).expect("read");
    assert_eq!(bars[0], None);
    assert_eq!(bars[1].as_ref().map(|bar| bar.id), Some(3));
}

#[test]
fn o2o_13_a_child_may_share_the_key_of_its_parent() {
    let mut conn = database("");
    let new = NewMuseum {
        place_id: 2,
        hall: "boats".into(),
    };
    let museum = Museum::create(&mut conn, new).expect("a museum");
    let harbour = place(&mut conn, 2);
    assert_eq!((museum.place_id, museum.pk()), (2, harbour.pk()));
    assert_eq!(museum.place(&mut conn).expect("a place"), harbour);
    assert_eq!(harbour.museum(&mut conn).expect("a museum"), museum);
}

#[test]
fn o2o_19_a_child_may_refer_to_a_unique_column_also_by_its_own_key() {
    let mut conn = database(
        "INSERT INTO plaques VALUES ('hb', 'boats'); INSERT INTO signs VALUES (4, 'hb'), (5, 'sq')",
    );
    let harbour = place(&mut conn, 2);
    let plaque = harbour.plaque(&mut conn).expect("a plaque");
    assert_eq!(plaque.place(&mut conn).expect("a place"), harbour);
    assert_eq!(harbour.sign(&mut conn).expect("a sign").id, 4);
    let hill = place(&mut conn, 3);
    let both = [hill, harbour.clone()];
    let (plaques, sent) = statements(&mut conn, |conn| Place::prefetch_plaque(conn, &both));
    assert_eq!(plaques.expect("read"), [None, Some(plaque)]);
    // Which place has which code, and the plaques.
    assert_eq!(of_rows(&sent), ["SELECT"; 2]);
    let deleted = counted(harbour.delete(&mut conn).expect("deleted"));
    assert_eq!(deleted, (3, vec![("Place", 1), ("Plaque", 1), ("Sign", 1)]));
    assert_eq!(rows(&mut conn, "signs"), ["5 sq"]);
}

#[test]
fn o2o_21_accessors_know_no_filter() {
    let mut conn = database("INSERT INTO restaurants VALUES (7, 2, TRUE)");
    let open = restaurants::table.filter(restaurants::closed.eq(false));
    assert_eq!(
        open.load_hooked::<Restaurant>(&mut conn)
            .expect("read")
            .len(),
        0
    );
    assert!(
        place(&mut conn, 2)
            .restaurant(&mut conn)
            .expect("a restaurant")
            .closed
    );
}

#[test]
fn o2o_25_the_children_of_many_are_one_query_and_parents_without_one_cost_nothing() {
    let mut conn = database("INSERT INTO restaurants VALUES (7, 2, FALSE), (8, 1, FALSE)");
    let places = places::table
        .order(places::id)
        .load_hooked::<Place>(&mut conn);
    let places = places.expect("read");
    let (found, sent) = statements(&mut conn, |conn| Place::prefetch_restaurant(conn, &places));
    let found: Vec<_> = found
        .expect("read")
        .into_iter()
        .map(|it| it.map(|it| it.id))
        .collect();
    assert_eq!(found, [Some(8), Some(7), None]);
    assert_eq!(of_rows(&sent), ["SELECT"]);
}

#[test]
fn o2o_28_on_delete_is_as_for_a_foreign_key() {
    let mut conn = database(
        "INSERT INTO restaurants VALUES (1, 1, FALSE); INSERT INTO bars VALUES (1, 1), (2, 2); INSERT INTO gates VALUES (1, 2)",
    );
    let deleted = counted(place(&mut conn, 1).delete(&mut conn).expect("deleted"));
    assert_eq!(deleted, (2, vec![("Place", 1), ("Restaurant", 1)]));
    assert_eq!(rows(&mut conn, "bars"), ["1 -", "2 2"]);
    let error = place(&mut conn, 2)
        .delete(&mut conn)
        .expect_err("protected");
    assert_eq!(
        error.to_string(),
        "Place 2 is protected by Gate 1 (through Gate.place_id)"
    );
    assert_eq!(rows(&mut conn, "bars"), ["1 -", "2 2"]);
    // It is looked for before the database would say so.
    ignore_foreign_keys(&mut conn);
    let error = place(&mut conn, 2)
        .delete(&mut conn)
        .expect_err("protected");
    assert!(matches!(error, Error::Protected(_)), "{error:?}");
    assert_eq!(rows(&mut conn, "bars"), ["1 -", "2 2"]);
}

#[test]
fn o2o_29_a_query_of_children_that_share_keys_deletes_them_and_what_depends_on_them_alone() {
    let mut conn = database(
        "INSERT INTO museums VALUES (1, 'a'), (2, 'b'); INSERT INTO tickets VALUES (1, 1), (2, 2)",
    );
    let deleted = museums::table
        .filter(museums::hall.eq("b"))
        .delete_hooked::<Museum>(&mut conn);
    assert_eq!(
        counted(deleted.expect("deleted")),
        (2, vec![("Museum", 1), ("Ticket", 1)])
    );
    assert_eq!(rows(&mut conn, "places").len(), 3);
    assert_eq!(rows(&mut conn, "museums"), ["1 a"]);
    diesel::delete(tickets::table)
        .execute(&mut conn)
        .expect("deleted");
    let deleted = museums::table.delete_hooked::<Museum>(&mut conn);
    assert_eq!(counted(deleted.expect("deleted")), (1, vec![("Museum", 1)]));
    assert_eq!(rows(&mut conn, "places").len(), 3);
}

#[test]
fn o2o_30_a_foreign_key_on_a_unique_column_is_one_of_many() {
    let mut conn = database("INSERT INTO kiosks VALUES (1, 1)");
    let kiosks: Vec<Kiosk> = place(&mut conn, 1).kiosks(&mut conn).expect("read");
    assert_eq!(kiosks.len(), 1);
    assert_eq!(place(&mut conn, 2).kiosks(&mut conn).expect("read"), []);
}

#[test]
fn o2o_31_a_plain_update_may_move_children_to_another_parent_that_shares_its_key() {
    let mut conn = database(
        "INSERT INTO museums VALUES (1, 'a'), (2, 'b'); INSERT INTO tickets VALUES (1, 1), (2, 1)",
    );
    diesel::update(tickets::table)
        .set(tickets::museum_id.eq(2))
        .execute(&mut conn)
        .expect("moved");
    let museum = Museum::get(&mut conn, 2).expect("a museum");
    assert_eq!(museum.tickets(&mut conn).expect("read").len(), 2);
    let first = Museum::get(&mut conn, 1).expect("a museum");
    assert_eq!(
        counted(first.delete(&mut conn).expect("deleted")),
        (1, vec![("Museum", 1)])
    );
}
