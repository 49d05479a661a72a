//! `after_commit(merged)`: what a transaction did to a row is told once, when it is durable.

use backends::{Log, TestConnection, fresh, on};
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_hooks::prelude::*;

diesel::table! { items (id) { id -> Integer, name -> Text, price -> Integer } }
diesel::table! { boxes (id) { id -> Integer, item_id -> Integer } }

const SCHEMA: &str = "
    CREATE TABLE items (id {key}, name TEXT NOT NULL, price INTEGER NOT NULL);
    CREATE TABLE boxes (id {key}, item_id INTEGER NOT NULL UNIQUE REFERENCES items (id));
";

static LOG: Log = Log::new();

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Item {
    id: i32,
    name: String,
    price: i32,
}

/// It goes with its item.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = boxes)]
struct Box {
    id: i32,
    #[hooks(one_to_one(Item, on_delete = Cascade))]
    item_id: i32,
}

fn columns<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    columns.collect::<Vec<_>>().join(", ")
}

#[receiver(after_commit(merged), order = 1)]
fn saved(event: &PostSave<Item>) {
    let kind = if event.created { "created" } else { "updated" };
    let columns = columns(event.changed_columns());
    LOG.push(format!("{kind} {} {columns}", event.instance.name));
}

#[receiver(after_commit(merged))]
fn created(event: &PostCreate<Item>) {
    LOG.push(format!("new {}", event.instance.name));
}

#[receiver(after_commit(merged))]
fn updated(event: &PostUpdate<Item>) {
    let columns = columns(event.changed_columns());
    let before = event.before().map_or("nothing", |it| &it.name);
    LOG.push(format!(
        "{columns} from {before} to {}",
        event.instance.name
    ));
}

#[receiver(after_commit(merged), changed(items::price))]
fn price(event: &PostSave<Item>) {
    LOG.push(format!("costs {}", event.instance.price));
}

#[receiver(after_commit(merged))]
fn boxed(event: &PostSave<Box>) {
    LOG.push(format!("box {}", event.instance.id));
}

fn item(conn: &mut TestConnection, name: &str) -> diesel_hooks::Result<Item> {
    let new = NewItem {
        name: name.into(),
        price: 5,
    };
    Item::create(conn, new)
}

fn rename(item: &mut Item, conn: &mut TestConnection, name: &str) -> diesel_hooks::Result {
    item.update(conn, |it| it.name = name.into())
}

/// An item that is there before the transaction.
fn one_item() -> (TestConnection, Item) {
    let mut conn = fresh(SCHEMA);
    let item = item(&mut conn, "old").expect("an item");
    LOG.take();
    (conn, item)
}

/// What is told of a transaction, which is told nothing before its end.
fn told(
    conn: &mut TestConnection,
    work: impl FnOnce(&mut TestConnection) -> diesel_hooks::Result,
) -> Vec<String> {
    let within = |conn: &mut TestConnection| {
        work(conn)?;
        assert!(LOG.take().is_empty(), "before the commit");
        Ok::<_, diesel_hooks::Error>(())
    };
    conn.transaction(within).expect("it commits");
    LOG.take()
}

/// Runs in a savepoint that is rolled back.
fn undone(
    conn: &mut TestConnection,
    work: impl FnOnce(&mut TestConnection) -> diesel_hooks::Result,
) {
    let failed: diesel_hooks::Result = conn.transaction(|conn| {
        work(conn)?;
        Err(DieselError::RollbackTransaction.into())
    });
    failed.expect_err("rolled back");
}

#[test]
fn created_and_updated_is_created_with_the_last_instance_and_all_columns() {
    let mut conn = fresh(SCHEMA);
    let told = told(&mut conn, |conn| {
        let mut item = item(conn, "a")?;
        rename(&mut item, conn, "b")?;
        rename(&mut item, conn, "c")
    });
    // Who hears of creates alone, or of updates alone, is told what they were.
    assert_eq!(
        told,
        [
            "new a",
            "costs 5",
            "created c name, price",
            "name from a to c"
        ]
    );
}

#[test]
fn created_and_deleted_is_nothing() {
    let mut conn = fresh(SCHEMA);
    let told = told(&mut conn, |conn| {
        let mut item = item(conn, "a")?;
        rename(&mut item, conn, "b")?;
        item.delete(conn).map(drop)
    });
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn updated_and_deleted_is_nothing() {
    let (mut conn, mut item) = one_item();
    let told = told(&mut conn, |conn| {
        rename(&mut item, conn, "b")?;
        item.delete(conn).map(drop)
    });
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn updated_twice_is_updated_with_the_columns_of_both_and_the_row_as_it_was_first() {
    let (mut conn, mut item) = one_item();
    let told = told(&mut conn, |conn| {
        rename(&mut item, conn, "b")?;
        item.update(conn, |it| it.price = 9)
    });
    assert_eq!(
        told,
        [
            "name, price from old to b",
            "costs 9",
            "updated b name, price"
        ]
    );
}

#[test]
fn what_a_savepoint_took_back_does_not_count() {
    let (mut conn, old) = one_item();
    let told = told(&mut conn, |conn| {
        let new = item(conn, "a")?;
        undone(conn, |conn| rename(&mut new.clone(), conn, "b"));
        undone(conn, |conn| new.delete(conn).map(drop));
        undone(conn, |conn| item(conn, "never").map(drop));
        undone(conn, |conn| rename(&mut old.clone(), conn, "never"));
        Ok(())
    });
    assert_eq!(told, ["new a", "costs 5", "created a name, price"]);
}

#[test]
fn an_update_that_stays_counts_beside_one_that_does_not() {
    let (mut conn, mut old) = one_item();
    let told = told(&mut conn, |conn| {
        undone(conn, |conn| old.clone().update(conn, |it| it.price = 9));
        rename(&mut old, conn, "b")
    });
    assert_eq!(told, ["name from old to b", "updated b name"]);
}

#[test]
fn two_rows_are_two_each_at_the_place_of_its_first_event() {
    let mut conn = fresh(SCHEMA);
    let told = told(&mut conn, |conn| {
        let mut a = item(conn, "a")?;
        let mut b = item(conn, "b")?;
        rename(&mut b, conn, "b2")?;
        rename(&mut a, conn, "a2")
    });
    let created: Vec<_> = told.iter().filter(|it| it.starts_with("created")).collect();
    assert_eq!(
        created,
        ["created a2 name, price", "created b2 name, price"]
    );
    assert_eq!(told.len(), 2 * 4);
}

#[test]
fn a_row_created_in_the_place_of_a_deleted_one_is_created() {
    let (mut conn, old) = one_item();
    let told = told(&mut conn, |conn| {
        let key = old.id;
        old.delete(conn)?;
        let new = item(conn, "again")?;
        // Of these, SQLite alone gives the key again.
        assert_eq!(new.id, on(key, key + 1, key + 1));
        Ok(())
    });
    assert_eq!(told, ["new again", "costs 5", "created again name, price"]);
}

#[test]
fn without_a_transaction_each_operation_is_one() {
    let mut conn = fresh(SCHEMA);
    let mut item = item(&mut conn, "a").expect("an item");
    assert_eq!(LOG.take().len(), 3);
    rename(&mut item, &mut conn, "b").expect("updated");
    assert_eq!(LOG.take(), ["name from a to b", "updated b name"]);
    item.delete(&mut conn).expect("deleted");
    assert!(LOG.take().is_empty());
}

#[test]
fn a_transaction_that_rolls_back_tells_nothing_and_leaves_nothing_for_the_next() {
    let (mut conn, old) = one_item();
    undone(&mut conn, |conn| {
        item(conn, "never")?;
        old.delete(conn).map(drop)
    });
    assert!(LOG.take().is_empty());
    let told = told(&mut conn, |conn| rename(&mut old.clone(), conn, "b"));
    assert_eq!(told, ["name from old to b", "updated b name"]);
}

#[test]
fn a_row_that_goes_with_another_is_no_longer_told() {
    let (mut conn, old) = one_item();
    let told = told(&mut conn, |conn| {
        Box::create(conn, NewBox { item_id: old.id })?;
        old.delete(conn).map(drop)
    });
    assert!(told.is_empty(), "{told:?}");
}

/// Another struct over the table, which nobody hears alone.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = items)]
struct Label {
    id: i32,
    name: String,
    price: i32,
}

#[receiver(after_commit(merged), dispatch_uid = "shelf", senders(Item, Label))]
fn shelved<M: Model + Shelved>(event: &PostSave<M>) {
    if event.instance.name() == "shelved" {
        LOG.push("on the shelf");
    }
}

/// The same uid, for another signal.
#[receiver(after_commit(merged), dispatch_uid = "shelf")]
fn relabelled(event: &PostUpdate<Label>) {
    LOG.push(format!("labelled {}", event.instance.name));
}

trait Shelved {
    fn name(&self) -> &str;
}

impl Shelved for Item {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Shelved for Label {
    fn name(&self) -> &str {
        &self.name
    }
}

#[test]
fn a_row_that_goes_through_another_struct_over_its_table_is_no_longer_told() {
    let mut conn = fresh(SCHEMA);
    let told = told(&mut conn, |conn| {
        let item = item(conn, "gone")?;
        Label::get(conn, item.id)?.delete(conn).map(drop)
    });
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn one_uid_for_several_signals_and_structs_loses_none_of_them() {
    let mut conn = fresh(SCHEMA);
    let mut told = told(&mut conn, |conn| {
        let item = item(conn, "a")?;
        let mut label = Label::get(conn, item.id)?;
        label.update(conn, |label| label.name = "shelved".into())
    });
    told.retain(|it| it.contains("shel"));
    assert_eq!(told, ["labelled shelved", "on the shelf"]);
}
