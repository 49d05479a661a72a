//! A row that may be there is found or created, whoever else does the same.

use std::sync::Barrier;

use backends::{Database, System, TestConnection, count, system};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

const TABLES: &str = "
    CREATE TABLE tags (id {key}, name VARCHAR(100) NOT NULL UNIQUE, uses INTEGER NOT NULL);
    CREATE TABLE settings (name VARCHAR(100) PRIMARY KEY, text VARCHAR(100), level INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE changes (id {key}, text VARCHAR(200) NOT NULL);
";

diesel::table! { tags (id) { id -> Integer, name -> Text, uses -> Integer } }
diesel::table! { settings (name) { name -> Text, text -> Nullable<Text>, level -> Integer } }
diesel::table! { changes (id) { id -> Integer, text -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Tag {
    id: i32,
    name: String,
    uses: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(name))]
#[hooks(new = NewSetting)]
struct Setting {
    #[hooks(assigned)]
    name: String,
    text: Option<String>,
    level: i32,
}

/// Says nothing of what it leaves as it is.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = settings)]
struct NewSetting {
    name: String,
    text: Option<String>,
    level: Option<i32>,
}

#[receiver]
fn write_down(event: &PostSave<Setting>, conn: &mut TestConnection) -> diesel::QueryResult<()> {
    let it = &event.instance;
    diesel::insert_into(changes::table)
        .values(changes::text.eq(format!("{} {:?} {}", it.name, it.text, it.level)))
        .execute(conn)
        .map(drop)
}

fn tag(name: &str) -> NewTag {
    NewTag {
        name: name.into(),
        uses: 1,
    }
}

#[test]
fn what_is_there_is_found_and_what_is_not_is_created() {
    let (_database, mut conn) = Database::open(TABLES);
    let filter = || tags::name.eq("new");
    let (first, created) = Tag::get_or_create(&mut conn, filter(), tag("new")).expect("created");
    assert!(created);
    let (second, created) = Tag::get_or_create(&mut conn, filter(), tag("new")).expect("found");
    assert_eq!((second, created), (first.clone(), false));
    let (third, created) =
        Tag::update_or_create(&mut conn, filter(), tag("new"), |it| it.uses += 1).expect("updated");
    assert_eq!((third.id, third.uses, created), (first.id, 2, false));
}

#[test]
fn in_a_transaction_a_taken_name_leaves_the_rest_usable() {
    let (_database, mut conn) = Database::open(TABLES);
    Tag::create(&mut conn, tag("taken")).expect("created");
    conn.transaction(|conn| {
        // The filter does not find the row whose name is taken.
        let never = Tag::get_or_create(conn, tags::uses.eq(99), tag("taken"));
        assert!(never.is_err());
        Tag::create(conn, tag("free")).map(drop)
    })
    .expect("the transaction goes on");
    assert_eq!(count(&mut conn, "tags"), 2);
}

#[test]
fn several_at_once_create_one_row() {
    let database = Database::new(TABLES);
    for round in 0..20 {
        let name = format!("round {round}");
        let start = Barrier::new(4);
        let created: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut conn = database.connect();
                        start.wait();
                        let filter = tags::name.eq(&name);
                        let (it, created) =
                            Tag::get_or_create(&mut conn, filter, tag(&name)).expect("one of both");
                        assert_eq!(it.name, name);
                        usize::from(created)
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|it| it.join().expect("no panic"))
                .sum()
        });
        assert_eq!(created, 1);
    }
    assert_eq!(count(&mut database.connect(), "tags"), 20);
}

#[test]
fn what_several_add_to_one_row_at_once_is_all_added() {
    type Add = fn(&mut TestConnection) -> diesel_hooks::Result;
    let adds: [(&str, Add); 2] = [
        ("update_or_create", |conn| {
            let new = || tag("counted");
            Tag::update_or_create(conn, tags::name.eq("counted"), new, |it| it.uses += 1).map(drop)
        }),
        ("update_hooked", |conn| {
            let counted = tags::table.filter(tags::name.eq("counted"));
            counted
                .update_hooked::<Tag>(conn, |it| it.uses += 1)
                .map(drop)
        }),
    ];
    for (name, add) in adds {
        let database = Database::new(TABLES);
        let mut conn = database.connect();
        let counted = Tag::create(&mut conn, tag("counted")).expect("created");
        let start = Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut conn = database.connect();
                    start.wait();
                    for _ in 0..10 {
                        add(&mut conn).expect("each has its turn");
                    }
                });
            }
        });
        let uses = Tag::get(&mut conn, counted.id).expect("stored").uses;
        assert_eq!(uses, counted.uses + 40, "{name}");
    }
}

#[test]
fn a_row_that_came_after_the_transactions_first_look_is_found() {
    let (database, mut conn) = Database::open(TABLES);
    let outcome = conn.transaction(|conn| {
        assert_eq!(count(conn, "tags"), 0);
        Tag::create(&mut database.connect(), tag("late"))?;
        Tag::get_or_create(conn, tags::name.eq("late"), tag("late"))
    });
    match (system(), outcome) {
        // A transaction that has read may not write what others wrote since.
        (System::Sqlite, outcome) => {
            assert!(outcome.is_err_and(|error| error.is_retryable()));
        }
        (_, outcome) => assert!(!outcome.expect("it is there").1),
    }
}

#[test]
fn an_upsert_writes_what_is_given_and_sends_the_signals_of_its_branch() {
    let (_database, mut conn) = Database::open(TABLES);
    let new = |text: Option<&str>, level| NewSetting {
        name: "colour".into(),
        text: text.map(Into::into),
        level,
    };
    let (first, created) = Setting::upsert(&mut conn, new(Some("red"), None)).expect("created");
    assert_eq!(
        (first.text.as_deref(), first.level, created),
        (Some("red"), 1, true)
    );
    let (second, created) =
        Setting::upsert(&mut conn, new(Some("blue"), Some(4))).expect("updated");
    assert_eq!(
        (second.text.as_deref(), second.level, created),
        (Some("blue"), 4, false)
    );
    assert_eq!(
        Setting::get(&mut conn, "colour".into()).expect("stored"),
        second
    );
    let written: Vec<String> = changes::table
        .select(changes::text)
        .order(changes::id)
        .load(&mut conn)
        .expect("read");
    assert_eq!(
        written,
        ["colour Some(\"red\") 1", "colour Some(\"blue\") 4"]
    );
}
