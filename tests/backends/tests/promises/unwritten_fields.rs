//! An instance never shows a value that the database was not asked to store.

use backends::{TestConnection, fresh, on};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { houses (id) { id -> Integer, name -> Text, street -> Text, label -> Text } }

/// Houses whose label the database makes of the street.
fn schema() -> String {
    let label = on("street || '!'", "street || '!'", "concat(street, '!')");
    format!(
        "CREATE TABLE houses (id {{key}}, name TEXT NOT NULL, street TEXT NOT NULL,
            label TEXT{{sqlite:  NOT NULL}} GENERATED ALWAYS AS ({label}) STORED)"
    )
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct House {
    id: i32,
    name: String,
    #[diesel(skip_update)]
    street: String,
    #[hooks(generated)]
    label: String,
}

/// The same table, with a receiver that means well.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = houses)]
#[hooks(new = NewHouse)]
struct WatchedHouse {
    id: i32,
    name: String,
    #[diesel(skip_update)]
    street: String,
    #[hooks(generated)]
    label: String,
}

#[receiver]
fn shout(event: &mut PreUpdate<WatchedHouse>) {
    event.instance.name.push('!');
    event.instance.street.push('!');
    event.instance.label.push('!');
}

fn new() -> NewHouse {
    NewHouse {
        name: "Bag End".into(),
        street: "Hill".into(),
    }
}

#[test]
fn a_change_of_nothing_but_unwritten_fields_is_no_change() {
    let mut conn = fresh(&schema());
    let mut house = House::create(&mut conn, new()).expect("a house");
    let before = house.clone();
    house
        .update(&mut conn, |house| {
            house.street = "Dale".into();
            house.label = "Dale".into();
        })
        .expect("nothing to write");
    assert_eq!(house, before);
}

#[test]
fn beside_a_written_change_unwritten_fields_keep_their_values() {
    let mut conn = fresh(&schema());
    let mut house = House::create(&mut conn, new()).expect("a house");
    house
        .update(&mut conn, |house| {
            house.name = "Crickhollow".into();
            house.street = "Dale".into();
            house.label = "Dale".into();
        })
        .expect("updated");
    assert_eq!(
        (&*house.name, &*house.street, &*house.label),
        ("Crickhollow", "Hill", "Hill!")
    );
    assert_eq!(House::get(&mut conn, house.id).expect("it is there"), house);
}

#[test]
fn a_receiver_changes_what_is_written_and_nothing_else() {
    let mut conn = fresh(&schema());
    let mut house = WatchedHouse::create(&mut conn, new()).expect("a house");
    house
        .update(&mut conn, |house| {
            house.name = "Crickhollow".into();
            house.street = "Dale".into();
        })
        .expect("updated");
    is_stored(&mut conn, &house, "Crickhollow!");
    house.save(&mut conn).expect("saved");
    is_stored(&mut conn, &house, "Crickhollow!!");
    house
        .update_set(&mut conn, houses::name.eq("Bag End"))
        .expect("updated");
    is_stored(&mut conn, &house, "Bag End!");
}

fn is_stored(conn: &mut TestConnection, house: &WatchedHouse, name: &str) {
    assert_eq!(
        (&*house.name, &*house.street, &*house.label),
        (name, "Hill", "Hill!")
    );
    assert_eq!(
        &WatchedHouse::get(conn, house.id).expect("it is there"),
        house
    );
}
