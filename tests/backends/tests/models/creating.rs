//! What is created comes back as it is stored, with its dependents, whoever made the key.

use backends::{Database, System, TestConnection, count, system};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

const TABLES: &str = "
    CREATE TABLE employees (
        id {key}, email VARCHAR(200) NOT NULL UNIQUE, phone VARCHAR(20) DEFAULT 'none', grade INTEGER NOT NULL DEFAULT 3
    );
    CREATE TABLE profiles (
        id {key}, employee_id INTEGER NOT NULL UNIQUE, bio VARCHAR(200),
        FOREIGN KEY (employee_id) REFERENCES employees (id)
    );
    CREATE TABLE teams (name VARCHAR(100) PRIMARY KEY, motto VARCHAR(100));
    CREATE TABLE seats (floor INTEGER, place INTEGER, label VARCHAR(20) NOT NULL, PRIMARY KEY (floor, place));
    CREATE TABLE notes (id {key}, text VARCHAR(100) NOT NULL);
";

diesel::table! {
    employees (id) { id -> Integer, email -> Text, phone -> Nullable<Text>, grade -> Integer }
}
diesel::table! { profiles (id) { id -> Integer, employee_id -> Integer, bio -> Nullable<Text> } }
diesel::table! { teams (name) { name -> Text, motto -> Nullable<Text> } }
diesel::table! { seats (floor, place) { floor -> Integer, place -> Integer, label -> Text } }
diesel::table! { notes (id) { id -> Integer, text -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection), new = NewEmployee)]
struct Employee {
    id: i32,
    email: String,
    phone: Option<String>,
    grade: i32,
}

/// Leaves to the database what is `None`.
#[derive(Clone, Default, Insertable)]
#[diesel(table_name = employees)]
struct NewEmployee {
    id: Option<i32>,
    email: String,
    phone: Option<String>,
    grade: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Profile {
    id: i32,
    #[hooks(one_to_one(Employee, on_delete = Cascade, related_name = profile, auto_create))]
    employee_id: i32,
    bio: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection), new = Self)]
#[diesel(primary_key(name))]
struct Team {
    name: String,
    motto: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(floor, place))]
struct Seat {
    #[hooks(assigned)]
    floor: i32,
    #[hooks(assigned)]
    place: i32,
    label: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Note {
    id: i32,
    text: String,
}

#[receiver]
fn note_the_team(event: &PostCreate<Team>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let text = format!("team {}", event.instance.name);
    Note::create(conn, NewNote { text }).map(drop)
}

fn employee(number: i32) -> NewEmployee {
    NewEmployee {
        email: format!("{number}@company"),
        ..NewEmployee::default()
    }
}

#[test]
fn a_created_row_has_its_key_the_databases_defaults_and_its_dependent() {
    let (_database, mut conn) = Database::open(TABLES);
    let ada = Employee::create(&mut conn, employee(1)).expect("created");
    let phone = ada.phone.as_deref();
    // A hand-written insertable leaves a `None` out.
    assert_eq!(
        (ada.email.as_str(), phone, ada.grade),
        ("1@company", Some("none"), 3)
    );
    assert_eq!(Employee::get(&mut conn, ada.id).expect("stored"), ada);
    let profile = ada.profile(&mut conn).expect("created with it");
    assert_eq!((profile.employee_id, profile.bio), (ada.id, None));
}

#[test]
fn a_key_that_is_given_is_the_rows() {
    let (_database, mut conn) = Database::open(TABLES);
    let team = Team {
        name: "core".into(),
        motto: None,
    };
    assert_eq!(
        Team::create(&mut conn, team.clone()).expect("created"),
        team
    );
    let new = NewSeat {
        floor: 2,
        place: 9,
        label: "by the window".into(),
    };
    let seat = Seat::create(&mut conn, new).expect("created");
    assert_eq!(Seat::get(&mut conn, (2, 9)).expect("stored"), seat);
}

#[test]
fn a_key_that_an_opaque_struct_gives_is_told_or_refused() {
    let (_database, mut conn) = Database::open(TABLES);
    Employee::create(&mut conn, employee(1)).expect("created");
    let given = NewEmployee {
        id: Some(77),
        ..employee(2)
    };
    conn.transaction(|conn| {
        let created = Employee::create(conn, given).map(|it| (it.id, it.email));
        // MySQL tells only the keys that it makes.
        if system() == System::Mysql {
            assert!(created.is_err());
        } else {
            assert_eq!(created.expect("created"), (77, "2@company".to_owned()));
        }
        Ok::<_, diesel::result::Error>(())
    })
    .expect("the transaction goes on");
    let left = if system() == System::Mysql { 1 } else { 2 };
    assert_eq!(count(&mut conn, "employees"), left);
    assert_eq!(count(&mut conn, "profiles"), left);
}

#[test]
fn many_come_back_in_their_order_each_with_its_dependent() {
    let (_database, mut conn) = Database::open(TABLES);
    let new: Vec<_> = (0..2_300)
        .map(|number| NewEmployee {
            grade: (number % 3 == 0).then_some(number),
            ..employee(number)
        })
        .collect();
    let created = Employee::create_many(&mut conn, new).expect("created");
    assert_eq!(created.len(), 2_300);
    for (number, it) in (0..).zip(&created) {
        assert_eq!(it.email, format!("{number}@company"));
        assert_eq!(it.grade, if number % 3 == 0 { number } else { 3 });
    }
    let profiles = Employee::prefetch_profile(&mut conn, &created).expect("read");
    for (employee, profile) in created.iter().zip(profiles) {
        assert_eq!(profile.expect("created with it").employee_id, employee.id);
    }
    assert_eq!(count(&mut conn, "profiles"), 2_300);
}

#[test]
fn many_with_keys_of_the_application_come_back_in_their_order() {
    let (_database, mut conn) = Database::open(TABLES);
    let seats: Vec<_> = (0..1_200)
        .map(|number| NewSeat {
            floor: number % 7,
            place: 1_200 - number,
            label: number.to_string(),
        })
        .collect();
    let created = Seat::create_many(&mut conn, seats).expect("created");
    let labels: Vec<_> = created.into_iter().map(|seat| seat.label).collect();
    assert!(labels.into_iter().eq((0..1_200).map(|it| it.to_string())));
}

#[test]
fn what_a_receiver_creates_does_not_confuse_what_caused_it() {
    let (_database, mut conn) = Database::open(TABLES);
    Note::create(
        &mut conn,
        NewNote {
            text: "first".into(),
        },
    )
    .expect("created");
    let teams = ["core", "web"].map(|name| Team {
        name: name.into(),
        motto: Some("on".into()),
    });
    let created = Team::create_many(&mut conn, teams.to_vec()).expect("created");
    assert_eq!(created, teams);
    let notes: Vec<Note> = notes::table.order(notes::id).load(&mut conn).expect("read");
    let texts: Vec<_> = notes.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(texts, ["first", "team core", "team web"]);
}

#[test]
fn a_refused_row_leaves_nothing_in_the_applications_transaction() {
    let (_database, mut conn) = Database::open(TABLES);
    Employee::create(&mut conn, employee(1)).expect("created");
    conn.transaction(|conn| {
        let refused = Employee::create_many(conn, vec![employee(2), employee(1), employee(3)]);
        assert!(
            matches!(refused, Err(diesel_hooks::Error::Query { .. })),
            "{refused:?}"
        );
        Employee::create(conn, employee(4)).map(drop)
    })
    .expect("the transaction goes on");
    let emails: Vec<String> = employees::table
        .select(employees::email)
        .order(employees::id)
        .load(&mut conn)
        .expect("read");
    assert_eq!(emails, ["1@company", "4@company"]);
    assert_eq!(count(&mut conn, "profiles"), 2);
}

#[test]
fn each_of_several_connections_gets_its_own_rows_back() {
    let database = Database::new(TABLES);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let database = &database;
            scope.spawn(move || {
                let mut conn = database.connect();
                for round in 0..20 {
                    let first = thread * 1_000 + round * 10;
                    let new = (first..first + 10).map(employee).collect();
                    let created = Employee::create_many(&mut conn, new).expect("created");
                    for (number, it) in (first..).zip(created) {
                        assert_eq!(it.email, format!("{number}@company"));
                    }
                }
            });
        }
    });
    assert_eq!(count(&mut database.connect(), "profiles"), 800);
}
