//! A delete does what its relations say on every database, and says what stands in its way.

use std::cell::RefCell;

use backends::{Database, TestConnection, count};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

const TABLES: &str = "
    CREATE TABLE users (id {key}, name VARCHAR(100) NOT NULL);
    CREATE TABLE folders (
        id {key}, user_id INTEGER NOT NULL, parent_id INTEGER,
        FOREIGN KEY (user_id) REFERENCES users (id), FOREIGN KEY (parent_id) REFERENCES folders (id)
    );
    CREATE TABLE files (
        id {key}, folder_id INTEGER NOT NULL, editor_id INTEGER,
        FOREIGN KEY (folder_id) REFERENCES folders (id), FOREIGN KEY (editor_id) REFERENCES users (id)
    );
    CREATE TABLE invoices (id {key}, user_id INTEGER NOT NULL, FOREIGN KEY (user_id) REFERENCES users (id));
    CREATE TABLE audits (id {key}, user_id INTEGER NOT NULL, FOREIGN KEY (user_id) REFERENCES users (id));
    CREATE TABLE rooms (floor INTEGER, place INTEGER, PRIMARY KEY (floor, place));
    CREATE TABLE desks (
        id {key}, floor INTEGER NOT NULL, place INTEGER NOT NULL,
        FOREIGN KEY (floor, place) REFERENCES rooms (floor, place)
    );
    CREATE TABLE lamps (id {key}, desk_id INTEGER NOT NULL, FOREIGN KEY (desk_id) REFERENCES desks (id));
";

diesel::table! { users (id) { id -> Integer, name -> Text } }
diesel::table! {
    folders (id) { id -> Integer, user_id -> Integer, parent_id -> Nullable<Integer> }
}
diesel::table! {
    files (id) { id -> Integer, folder_id -> Integer, editor_id -> Nullable<Integer> }
}
diesel::table! { invoices (id) { id -> Integer, user_id -> Integer } }
diesel::table! { audits (id) { id -> Integer, user_id -> Integer } }
diesel::table! { rooms (floor, place) { floor -> Integer, place -> Integer } }
diesel::table! { desks (id) { id -> Integer, floor -> Integer, place -> Integer } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct User {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Folder {
    id: i32,
    #[hooks(foreign_key(User, on_delete = Cascade, related_name = folders))]
    user_id: i32,
    #[hooks(foreign_key(Self, on_delete = Cascade, related_name = children))]
    parent_id: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct File {
    id: i32,
    #[hooks(foreign_key(Folder, on_delete = Cascade, related_name = files))]
    folder_id: i32,
    #[hooks(foreign_key(User, on_delete = SetNull))]
    editor_id: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Invoice {
    id: i32,
    #[hooks(foreign_key(User, on_delete = Protect))]
    user_id: i32,
}

/// The library is not told of these before the database refuses.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Audit {
    id: i32,
    user_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(floor, place))]
struct Room {
    #[hooks(assigned)]
    floor: i32,
    #[hooks(assigned)]
    place: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(foreign_key(Room, columns(floor, place), on_delete = Cascade, accessor = room))]
struct Desk {
    id: i32,
    floor: i32,
    place: i32,
}

thread_local! {
    static GONE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static INVOICE_FOR: RefCell<Option<i32>> = const { RefCell::new(None) };
}

fn gone() -> Vec<String> {
    GONE.take()
}

#[receiver]
fn a_folder_went(event: &PostDelete<Folder>) {
    GONE.with_borrow_mut(|gone| gone.push(format!("folder {}", event.instance.id)));
}

#[receiver]
fn a_user_went(event: &PostDelete<User>) {
    GONE.with_borrow_mut(|gone| gone.push(format!("user {}", event.instance.name)));
}

/// Writes what nobody can know of who looked before.
#[receiver]
fn late_invoice(event: &PreDelete<User>, conn: &mut TestConnection) -> diesel::QueryResult<()> {
    if INVOICE_FOR.take() == Some(event.instance.id) {
        diesel::insert_into(audits::table)
            .values(audits::user_id.eq(event.instance.id))
            .execute(conn)?;
    }
    Ok(())
}

fn user(conn: &mut TestConnection, name: &str) -> User {
    User::create(conn, NewUser { name: name.into() }).expect("created")
}

fn folder(conn: &mut TestConnection, user: &User, parent: Option<i32>) -> Folder {
    let new = NewFolder {
        user_id: user.id,
        parent_id: parent,
    };
    Folder::create(conn, new).expect("created")
}

#[test]
fn a_tree_goes_from_its_leaves_and_what_only_refers_stays() {
    let (_database, mut conn) = Database::open(TABLES);
    let (ada, bob) = (user(&mut conn, "ada"), user(&mut conn, "bob"));
    let top = folder(&mut conn, &ada, None);
    let middle = folder(&mut conn, &ada, Some(top.id));
    let low = folder(&mut conn, &ada, Some(middle.id));
    let others = folder(&mut conn, &bob, None);
    let files: Vec<_> = (0..600)
        .map(|number| NewFile {
            folder_id: [top.id, middle.id, low.id][number % 3],
            editor_id: Some(bob.id),
        })
        .collect();
    File::create_many(&mut conn, files).expect("created");
    let edited = NewFile {
        folder_id: others.id,
        editor_id: Some(ada.id),
    };
    let edited = File::create(&mut conn, edited).expect("created");

    let deleted = ada.delete(&mut conn).expect("deleted");
    assert_eq!(deleted.total, 604);
    assert_eq!(deleted.by_model["File"], 600);
    let folders = [low.id, middle.id, top.id].map(|id| format!("folder {id}"));
    assert_eq!(gone(), [&folders[..], &["user ada".to_owned()]].concat());
    let left = File::get(&mut conn, edited.id).expect("it only refers");
    assert_eq!(left.editor_id, None);
    assert_eq!(count(&mut conn, "files"), 1);
}

#[test]
fn what_protects_is_told_and_nothing_happens() {
    let (_database, mut conn) = Database::open(TABLES);
    let ada = user(&mut conn, "ada");
    folder(&mut conn, &ada, None);
    let new = NewInvoice { user_id: ada.id };
    let invoice = Invoice::create(&mut conn, new).expect("created");
    conn.transaction(|conn| {
        let Err(Error::Protected(why)) = ada.delete(conn) else {
            panic!("the invoice protects");
        };
        let blockers: Vec<_> = why.blockers().iter().collect();
        assert_eq!(blockers.len(), 1);
        assert!(why.to_string().contains(&invoice.id.to_string()), "{why}");
        User::create(conn, NewUser { name: "bob".into() }).map(drop)
    })
    .expect("the transaction goes on");
    assert_eq!(gone(), [""; 0]);
    assert_eq!(count(&mut conn, "folders"), 1);
    assert_eq!(count(&mut conn, "users"), 2);
}

#[test]
fn a_refusal_of_the_database_undoes_the_delete_alone() {
    let (_database, mut conn) = Database::open(TABLES);
    let ada = user(&mut conn, "ada");
    folder(&mut conn, &ada, None);
    conn.transaction(|conn| {
        INVOICE_FOR.set(Some(ada.id));
        let refused = ada.delete(conn);
        assert!(matches!(refused, Err(Error::Query { .. })), "{refused:?}");
        User::create(conn, NewUser { name: "bob".into() }).map(drop)
    })
    .expect("the transaction goes on");
    assert_eq!(count(&mut conn, "users"), 2);
    assert_eq!(count(&mut conn, "folders"), 1);
    assert_eq!(count(&mut conn, "audits"), 0);
}

#[test]
fn rows_with_composite_keys_go_with_what_refers_to_them() {
    let (_database, mut conn) = Database::open(TABLES);
    let rooms = (0..40).map(|it| NewRoom {
        floor: it / 10,
        place: it % 10,
    });
    let rooms = Room::create_many(&mut conn, rooms.collect()).expect("created");
    let desks: Vec<_> = rooms
        .iter()
        .flat_map(|room| {
            std::iter::repeat_with(|| NewDesk {
                floor: room.floor,
                place: room.place,
            })
            .take(3)
        })
        .collect();
    let desks = Desk::create_many(&mut conn, desks).expect("created");
    assert_eq!(desks[4].room(&mut conn).expect("there"), rooms[1]);
    let deleted = rooms::table
        .filter(rooms::floor.lt(2))
        .delete_hooked::<Room>(&mut conn)
        .expect("deleted");
    assert_eq!((deleted.total, deleted.by_model["Desk"]), (80, 60));
    assert_eq!(count(&mut conn, "desks"), 60);
    assert_eq!(count(&mut conn, "rooms"), 20);
}

#[test]
fn a_plan_writes_nothing_and_counts_all() {
    let (_database, mut conn) = Database::open(TABLES);
    let ada = user(&mut conn, "ada");
    let top = folder(&mut conn, &ada, None);
    folder(&mut conn, &ada, Some(top.id));
    let plan = ada.delete_plan(&mut conn).expect("planned");
    assert_eq!((plan.total(), plan.is_blocked()), (3, false));
    assert_eq!(count(&mut conn, "folders"), 2);
    assert_eq!(gone(), [""; 0]);
}

#[test]
fn a_table_without_a_model_refuses_a_delete_by_its_foreign_key() {
    let (_database, mut conn) = Database::open(TABLES);
    conn.batch_execute("INSERT INTO rooms VALUES (1, 1)")
        .expect("a room");
    let (floor, place) = (1, 1);
    let desk = Desk::create(&mut conn, NewDesk { floor, place }).expect("created");
    conn.batch_execute(&format!("INSERT INTO lamps (desk_id) VALUES ({})", desk.id))
        .expect("a lamp");
    let alone = desk.delete(&mut conn);
    let inside = conn.transaction(|conn| desk.delete(conn));
    for refused in [alone, inside] {
        let error = refused.expect_err("a lamp stands on it");
        let Error::Query {
            model: Some("Desk"),
            source,
            ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert!(
            source.to_string().to_lowercase().contains("foreign key"),
            "{error:?}"
        );
    }
    assert_eq!(count(&mut conn, "desks"), 1);
}
