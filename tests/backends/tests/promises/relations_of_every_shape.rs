//! A relation may have any shape that a foreign key has, and is honoured all the same.

use backends::script::{LOG, counted};
use backends::{TestConnection, fresh, hear_deletes, model, rows};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

/// Keys that go down a chain: a manager is an employee is a person.
mod shared {
    use super::*;

    diesel::table! { persons (id) { id -> Integer, name -> Text } }
    diesel::table! { employees (id) { id -> Integer, salary -> Integer } }
    diesel::table! { managers (id) { id -> Integer, car -> Nullable<Text> } }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Person {
        pub(crate) id: i32,
        pub(crate) name: String,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Employee {
        #[hooks(one_to_one(Person, on_delete = Cascade, related_name = employee, accessor = person, auto_create))]
        pub(crate) id: i32,
        pub(crate) salary: i32,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Manager {
        #[hooks(one_to_one(Employee, on_delete = Cascade, related_name = manager, accessor = employee))]
        pub(crate) id: i32,
        pub(crate) car: Option<String>,
    }

    pub(crate) const SCHEMA: &str = "
        CREATE TABLE persons (id {key}, name TEXT NOT NULL);
        CREATE TABLE employees (id INTEGER PRIMARY KEY REFERENCES persons (id), salary INTEGER NOT NULL);
        CREATE TABLE managers (id INTEGER PRIMARY KEY REFERENCES employees (id), car TEXT);
    ";

    hear_deletes! {
        pre_person post_person Person;
        pre_employee post_employee Employee;
        pre_manager post_manager Manager;
    }
}

use shared::{Employee, Manager, NewManager, NewPerson, Person};

#[test]
fn a_key_may_be_the_relation_through_several_levels() {
    let mut conn = fresh(shared::SCHEMA);
    Person::create(&mut conn, NewPerson { name: "Ada".into() }).expect("a person");
    let bob = Person::create(&mut conn, NewPerson { name: "Bob".into() }).expect("a person");
    let mut employee = bob.employee(&mut conn).expect("made with the person");
    assert_eq!(employee.id, 2);
    let new = NewManager { id: 2, car: None };
    let manager = Manager::create(&mut conn, new).expect("a manager");
    employee
        .update(&mut conn, |it| it.salary = 7)
        .expect("saved");
    assert_eq!(manager.employee(&mut conn).expect("an employee"), employee);
    assert_eq!(employee.person(&mut conn).expect("a person"), bob);
    assert_eq!(employee.manager(&mut conn).expect("a manager"), manager);
    let deleted = counted(bob.delete(&mut conn).expect("deleted"));
    assert_eq!(
        deleted,
        (3, vec![("Employee", 1), ("Manager", 1), ("Person", 1)])
    );
    assert_eq!(
        LOG.take(),
        [
            "pre Manager 2",
            "pre Employee 2",
            "pre Person 2",
            "post Manager 2",
            "post Employee 2",
            "post Person 2"
        ]
    );
    assert_eq!(rows(&mut conn, "employees"), ["1 0"]);
}

#[test]
fn a_child_that_goes_leaves_the_parent_whose_key_it_shared() {
    let mut conn = fresh(shared::SCHEMA);
    let ada = Person::create(&mut conn, NewPerson { name: "Ada".into() }).expect("a person");
    let employee: Employee = ada.employee(&mut conn).expect("an employee");
    assert_eq!(employee.delete(&mut conn).expect("deleted").total, 1);
    assert_eq!(rows(&mut conn, "persons"), ["1 Ada"]);
    assert!(matches!(
        ada.employee(&mut conn),
        Err(Error::NotFound { .. })
    ));
}

model!(Airport of airports { name: String = [Text] });
model!(Flight of flights {
    #[hooks(foreign_key(Airport, on_delete = Cascade, related_name = departures))]
    from_id: i32 = [Integer],
    #[hooks(foreign_key(Airport, on_delete = Protect, related_name = arrivals))]
    to_id: i32 = [Integer],
    #[hooks(one_to_one(Airport, on_delete = SetNull, related_name = last_resort))]
    instead_id: Option<i32> = [Nullable<Integer>],
});

const AIRPORTS: &str = "
    CREATE TABLE airports (id {key}, name TEXT NOT NULL);
    CREATE TABLE flights (id {key}, from_id INTEGER NOT NULL REFERENCES airports (id),
        to_id INTEGER NOT NULL REFERENCES airports (id), instead_id INTEGER UNIQUE REFERENCES airports (id));
    INSERT INTO airports VALUES (1, 'BRN'), (2, 'GVA'), (3, 'ZRH');
    INSERT INTO flights VALUES (1, 1, 2, 3), (2, 1, 3, NULL), (3, 3, 2, 1);
";

#[test]
fn several_relations_between_the_same_two_models_are_each_on_their_own() {
    let mut conn = fresh(AIRPORTS);
    let [bern, geneva, zurich] =
        [1, 2, 3].map(|id| Airport::get(&mut conn, id).expect("an airport"));
    let ids = |flights: Vec<Flight>| flights.iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(ids(bern.departures(&mut conn).expect("read")), [1, 2]);
    assert!(bern.arrivals(&mut conn).expect("read").is_empty());
    assert_eq!(ids(geneva.arrivals(&mut conn).expect("read")), [1, 3]);
    assert_eq!(bern.last_resort(&mut conn).expect("a flight").id, 3);
    let flight = Flight::get(&mut conn, 1).expect("a flight");
    assert_eq!(flight.from(&mut conn).expect("an airport"), bern);
    assert_eq!(flight.to(&mut conn).expect("an airport"), geneva);
    assert_eq!(flight.instead(&mut conn).expect("read"), Some(zurich));
    let error = geneva.delete(&mut conn).expect_err("protected");
    assert_eq!(
        error.to_string(),
        "Airport 2 is protected by Flight 1, 3 (through Flight.to_id)"
    );
    let deleted = counted(bern.delete(&mut conn).expect("deleted"));
    assert_eq!(deleted, (3, vec![("Airport", 1), ("Flight", 2)]));
    assert_eq!(rows(&mut conn, "flights"), ["3 3 2 -"]);
}

diesel::table! { words (word) { word -> Text, root -> Nullable<Text> } }
diesel::table! { codes (code) { code -> Binary, up -> Nullable<Binary> } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(word))]
struct Word {
    #[hooks(assigned)]
    word: String,
    #[hooks(foreign_key(Self, on_delete = Cascade, related_name = derived, accessor = root_word))]
    root: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(code))]
struct Code {
    #[hooks(assigned)]
    code: Vec<u8>,
    #[hooks(foreign_key(Self, on_delete = Cascade, related_name = below, accessor = above))]
    up: Option<Vec<u8>>,
}

/// Parents whose keys come before, after and between those of their children.
#[test]
fn a_model_may_refer_to_itself_by_keys_of_any_type_and_order() {
    let mut conn = fresh(
        "CREATE TABLE words (word TEXT PRIMARY KEY, root TEXT REFERENCES words (word));
        CREATE TABLE codes (code {binary} PRIMARY KEY, up {binary} REFERENCES codes (code));
        INSERT INTO words VALUES ('m', NULL), ('a', 'm'), ('z', 'm'), ('k', 'a'), ('b', 'z'), ('y', 'b'), ('x', NULL);
        INSERT INTO codes VALUES ({hex}80', NULL), ({hex}00', {hex}80'), ({hex}ff', {hex}80'), ({hex}01', {hex}ff'), ({hex}7f', NULL);",
    );
    let m = Word::get(&mut conn, "m".into()).expect("a word");
    let mut derived: Vec<_> = m
        .derived(&mut conn)
        .expect("read")
        .into_iter()
        .map(|it| it.word)
        .collect();
    derived.sort_unstable();
    assert_eq!(derived, ["a", "z"]);
    let y = Word::get(&mut conn, "y".into()).expect("a word");
    assert_eq!(
        y.root_word(&mut conn)
            .expect("read")
            .map(|it| it.word)
            .as_deref(),
        Some("b")
    );
    assert_eq!(m.root_word(&mut conn).expect("read"), None);
    assert_eq!(
        counted(m.delete(&mut conn).expect("deleted")),
        (6, vec![("Word", 6)])
    );
    assert_eq!(rows(&mut conn, "words"), ["x -"]);
    let top = Code::get(&mut conn, vec![0x80]).expect("a code");
    assert_eq!(top.below(&mut conn).expect("read").len(), 2);
    assert_eq!(
        counted(top.delete(&mut conn).expect("deleted")),
        (4, vec![("Code", 4)])
    );
    let left = Code::get(&mut conn, vec![0x7f]).expect("a code");
    assert_eq!(left.above(&mut conn).expect("read"), None);
}

diesel::table! { users (id) { id -> Integer, email -> Text, nick -> Nullable<Text> } }
diesel::table! { accounts (id) { id -> Integer, email -> Text } }
diesel::table! { handles (id) { id -> Integer, nick -> Nullable<Text> } }
diesel::table! { fans (id) { id -> Integer, nick -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct User {
    id: i32,
    email: String,
    nick: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Account {
    id: i32,
    #[hooks(one_to_one(User, on_delete = Protect, to = users::email, related_name = account, accessor = user))]
    email: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Handle {
    id: i32,
    #[hooks(foreign_key(User, on_delete = Cascade, to = users::nick, related_name = handles, accessor = user))]
    nick: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Fan {
    id: i32,
    #[hooks(foreign_key(User, on_delete = Cascade, to = users::nick, related_name = fans, accessor = idol))]
    nick: String,
}

const USERS: &str = "
    CREATE TABLE users (id {key}, email TEXT NOT NULL UNIQUE, nick TEXT UNIQUE);
    CREATE TABLE accounts (id {key}, email TEXT NOT NULL UNIQUE REFERENCES users (email));
    CREATE TABLE handles (id {key}, nick TEXT REFERENCES users (nick));
    CREATE TABLE fans (id {key}, nick TEXT NOT NULL REFERENCES users (nick));
    INSERT INTO users VALUES (1, 'ada@x', 'ada'), (2, 'bob@x', NULL), (3, 'eve@x', 'eve');
    INSERT INTO accounts VALUES (1, 'eve@x');
    INSERT INTO handles VALUES (1, 'ada'), (2, NULL), (3, 'eve');
    INSERT INTO fans VALUES (1, 'ada'), (2, 'ada');
";

#[test]
fn a_relation_may_refer_to_a_unique_column_and_null_never_matches() {
    let mut conn = fresh(USERS);
    let [ada, bob, eve] = [1, 2, 3].map(|id| User::get(&mut conn, id).expect("a user"));
    assert_eq!(
        eve.account(&mut conn)
            .expect("an account")
            .user(&mut conn)
            .expect("a user"),
        eve
    );
    assert_eq!(bob.handles(&mut conn).expect("read"), []);
    assert_eq!(bob.fans(&mut conn).expect("read"), []);
    let nobodys = Handle::get(&mut conn, 2).expect("a handle");
    assert_eq!(nobodys.user(&mut conn).expect("read"), None);
    let fan = Fan::get(&mut conn, 2).expect("a fan");
    assert_eq!(fan.idol(&mut conn).expect("a user"), ada);
    let users = [bob.clone(), ada.clone(), eve.clone()];
    let handles = User::prefetch_handles(&mut conn, &users).expect("read");
    let handles: Vec<Vec<_>> = handles
        .into_iter()
        .map(|it| it.into_iter().map(|it| it.id).collect())
        .collect();
    assert_eq!(handles, [vec![], vec![1], vec![3]]);
    assert_eq!(
        counted(bob.delete(&mut conn).expect("deleted")),
        (1, vec![("User", 1)])
    );
    let error = eve.delete(&mut conn).expect_err("protected");
    assert_eq!(
        error.to_string(),
        "User 3 is protected by Account 1 (through Account.email)"
    );
    let deleted = counted(ada.delete(&mut conn).expect("deleted"));
    assert_eq!(deleted, (4, vec![("Fan", 2), ("Handle", 1), ("User", 1)]));
    assert_eq!(rows(&mut conn, "handles"), ["2 -", "3 eve"]);
}

diesel::table! { seats (hall, row, number) { hall -> Integer, row -> Text, number -> Integer } }
diesel::table! { bookings (id) {
    id -> Integer, hall -> Nullable<Integer>, row -> Nullable<Text>, number -> Integer,
} }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(hall, row, number))]
struct Seat {
    hall: i32,
    row: String,
    number: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(foreign_key(Seat, columns(hall, row, number), on_delete = Cascade, related_name = bookings, accessor = seat))]
struct Booking {
    id: i32,
    hall: Option<i32>,
    row: Option<String>,
    number: i32,
}

#[test]
fn a_composite_foreign_key_refers_to_nothing_if_a_part_of_it_does() {
    let mut conn = fresh(
        "CREATE TABLE seats (hall INTEGER NOT NULL, row TEXT NOT NULL, number INTEGER NOT NULL,
            PRIMARY KEY (hall, row, number));
        CREATE TABLE bookings (id {key}, hall INTEGER, row TEXT, number INTEGER NOT NULL,
            FOREIGN KEY (hall, row, number) REFERENCES seats (hall, row, number));
        INSERT INTO seats VALUES (1, 'a', 1), (1, 'a', 2), (1, 'b', 1);
        INSERT INTO bookings VALUES (1, 1, 'a', 1), (2, 1, NULL, 1), (3, NULL, 'a', 1), (4, 1, 'a', 1), (5, 1, 'b', 1);",
    );
    let first = Seat::get(&mut conn, (1, "a".into(), 1)).expect("a seat");
    let ids = |bookings: &[Booking]| bookings.iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(ids(&first.bookings(&mut conn).expect("read")), [1, 4]);
    let booking = Booking::get(&mut conn, 4).expect("a booking");
    assert_eq!(
        booking.seat(&mut conn).expect("read").as_ref(),
        Some(&first)
    );
    for id in [2, 3] {
        let booking = Booking::get(&mut conn, id).expect("a booking");
        assert_eq!(booking.seat(&mut conn).expect("read"), None);
    }
    let seats = [(1, "b", 1), (1, "a", 2), (1, "a", 1)].map(|(hall, row, number)| {
        Seat::get(&mut conn, (hall, row.into(), number)).expect("a seat")
    });
    let found = Seat::prefetch_bookings(&mut conn, &seats).expect("read");
    let found: Vec<_> = found.iter().map(|it| ids(it)).collect();
    assert_eq!(found, [vec![5], vec![], vec![1, 4]]);
    let deleted = counted(first.delete(&mut conn).expect("deleted"));
    assert_eq!(deleted, (3, vec![("Booking", 2), ("Seat", 1)]));
    assert_eq!(
        rows(&mut conn, "bookings"),
        ["2 1 - 1", "3 - a 1", "5 1 b 1"]
    );
}

type Maybe<T> = Option<T>;
type Reference = Maybe<i32>;

model!(Dock of docks { name: String = [Text] });
model!(Ship of ships {
    #[hooks(foreign_key(Dock, on_delete = SetNull, related_name = ships))]
    dock_id: Reference = [Nullable<Integer>],
});

#[test]
fn an_optional_relation_may_have_an_alias_of_option_for_its_type() {
    let mut conn = fresh(
        "CREATE TABLE docks (id {key}, name TEXT NOT NULL);
        CREATE TABLE ships (id {key}, dock_id INTEGER REFERENCES docks (id));",
    );
    conn.batch_execute(
        "INSERT INTO docks VALUES (1, 'north'); INSERT INTO ships VALUES (1, 1), (2, NULL)",
    )
    .expect("rows");
    let dock = Dock::get(&mut conn, 1).expect("a dock");
    let [first, second] = [1, 2].map(|id| Ship::get(&mut conn, id).expect("a ship"));
    let found: Option<Dock> = first.dock(&mut conn).expect("read");
    assert_eq!(found.as_ref(), Some(&dock));
    assert_eq!(second.dock(&mut conn).expect("read"), None);
    assert_eq!(dock.ships(&mut conn).expect("read"), [first]);
    assert_eq!(dock.delete(&mut conn).expect("deleted").total, 1);
    assert_eq!(rows(&mut conn, "ships"), ["1 -", "2 -"]);
}
