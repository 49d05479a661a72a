//! A created row is known as the database made it, by RETURNING or by a second statement; where the two differ, which is
//! of triggers, this is how.

use backends::{Database, Log, TestConnection, insert, on};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

const TABLES: &str = "CREATE TABLE items (id {key}, price INTEGER NOT NULL);";
/// SQLite's triggers change no row before it is there.
const BEFORE: [&str; 3] = [
    "{trigger priced AFTER INSERT ON items: UPDATE items SET price = 7 WHERE id = NEW.id;}",
    "{trigger priced BEFORE INSERT ON items: NEW.price := 7;}",
    "{trigger priced BEFORE INSERT ON items: SET NEW.price = 7;}",
];
const AFTER: &str =
    "{trigger priced AFTER INSERT ON items: UPDATE items SET price = 7 WHERE id = NEW.id;}";

diesel::table! { items (id) { id -> Integer, price -> Integer } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Item {
    id: i32,
    price: i32,
}

static HEARD: Log = Log::new();

#[receiver]
fn hear(event: &PostCreate<Item>) {
    HEARD.push(event.instance.price.to_string());
}

fn with_trigger(trigger: &str) -> (Database, TestConnection) {
    let (database, mut conn) = Database::open(TABLES);
    insert(&mut conn, trigger);
    (database, conn)
}

fn create_three(conn: &mut TestConnection) -> diesel_hooks::Result<Vec<Item>> {
    let mut items = vec![Item::create(conn, NewItem { price: 1 })?];
    let more = Item::create_many(conn, vec![NewItem { price: 2 }, NewItem { price: 3 }])?;
    items.extend(more);
    Ok(items)
}

fn prices(items: &[Item]) -> Vec<i32> {
    items.iter().map(|it| it.price).collect()
}

#[test]
fn what_a_trigger_puts_into_a_row_is_known() {
    let [sqlite, postgres, mysql] = BEFORE;
    let (_database, mut conn) = with_trigger(on(sqlite, postgres, mysql));
    let created = create_three(&mut conn).expect("created");
    assert_eq!(prices(&created), [7, 7, 7]);
    assert_eq!(HEARD.take(), ["7", "7", "7"]);
    assert_eq!(items::table.order(items::id).load(&mut conn), Ok(created));
}

/// MySQL lets no trigger write to the table that it is of.
#[test]
fn what_a_trigger_changes_once_the_row_is_there_returning_does_not_show() {
    let (_database, mut conn) = with_trigger(AFTER);
    let created = create_three(&mut conn);
    let stored = items::table.select(items::price).load::<i32>(&mut conn);
    let stored = stored.expect("read");
    let Ok(mut created) = created else {
        assert_eq!((stored, HEARD.take()), (vec![], vec![]));
        return assert!(on(false, false, true), "{created:?}");
    };
    let seen = on([7, 7, 7], [1, 2, 3], [0; 3]);
    assert_eq!((prices(&created), stored), (seen.to_vec(), vec![7, 7, 7]));
    assert_eq!(HEARD.take(), seen.map(|it| it.to_string()));
    for item in &mut created {
        item.refresh(&mut conn).expect("it is there");
    }
    assert_eq!(prices(&created), [7, 7, 7]);
}
