//! No error shows what is in a row: neither its text nor its `Debug`, nor those of its sources.

use std::error::Error as StdError;

use backends::{TestConnection, fresh, on};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

const MARKER: &str = "marker-of-what-nobody-must-see";

fn database() -> TestConnection {
    let keep = on("RAISE IGNORE", "RAISE IGNORE", "RAISE ABORT 'kept'");
    let latin = on("", "", " CHARACTER SET latin1");
    fresh(&SCHEMA.replace("{keep}", keep).replace("{latin}", latin))
}

const SCHEMA: &str = "
    CREATE TABLE people (
        email TEXT PRIMARY KEY NOT NULL,
        secret TEXT{latin} NOT NULL UNIQUE CHECK (secret NOT LIKE '%-checked')
    );
    CREATE TABLE letters (
        id TEXT PRIMARY KEY NOT NULL,
        person_email TEXT NOT NULL REFERENCES people (email),
        body TEXT NOT NULL
    );
    CREATE TABLE drafts (
        id TEXT PRIMARY KEY NOT NULL,
        person_email TEXT NOT NULL REFERENCES people (email)
    );
    CREATE TABLE undeclared (person_email TEXT NOT NULL REFERENCES people (email));
    CREATE TABLE days (name TEXT PRIMARY KEY NOT NULL, day TEXT NOT NULL);
    CREATE TABLE pairs (one TEXT NOT NULL, two INTEGER NOT NULL, PRIMARY KEY (one, two));
    {trigger kept BEFORE DELETE ON people WHEN OLD.secret LIKE '%kept': {keep};}
    {trigger frozen BEFORE UPDATE ON people WHEN OLD.secret LIKE '%kept': {keep};}
    {trigger lost BEFORE UPDATE ON people WHEN NEW.secret LIKE '%lost': RAISE ROLLBACK 'no';}
";

diesel::table! { people (email) { email -> Text, secret -> Text } }
diesel::table! { letters (id) { id -> Text, person_email -> Text, body -> Text } }
diesel::table! { drafts (id) { id -> Text, person_email -> Text } }
diesel::table! { days (name) { name -> Text, day -> Text } }
diesel::table! { pairs (one, two) { one -> Text, two -> Integer } }

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[diesel(table_name = people, primary_key(email))]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Person {
    email: String,
    secret: String,
}

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Letter {
    id: String,
    #[hooks(one_to_one(Person, on_delete = Protect, related_name = letter, accessor = person))]
    person_email: String,
    body: String,
}

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Draft {
    id: String,
    #[hooks(one_to_one(Person, on_delete = Cascade, accessor = person))]
    person_email: String,
}

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[diesel(primary_key(one, two))]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Pair {
    one: String,
    two: i32,
}

/// Has two receivers of one name.
#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[diesel(table_name = pairs, primary_key(one, two))]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Contradiction {
    one: String,
    two: i32,
}

/// What does not convert tells the value, as errors of applications do.
#[derive(Debug, Clone, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
struct Weekday(String);

impl<DB: Backend> ToSql<Text, DB> for Weekday
where
    String: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB: Backend> FromSql<Text, DB> for Weekday
where
    String: FromSql<Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        match String::from_sql(value)? {
            day if day.ends_with("day") => Ok(Weekday(day)),
            other => Err(format!("no weekday: {other}").into()),
        }
    }
}

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[diesel(primary_key(name))]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Day {
    name: String,
    day: Weekday,
}

#[derive(Debug, Clone, Signal)]
struct Told {
    #[allow(dead_code, reason = "it must not be shown")]
    secret: String,
}

/// Says nothing itself, so what is shown is the library's.
#[derive(Debug, thiserror::Error)]
#[error("refused")]
struct Refused;

#[receiver]
fn refuse(event: &PostCreate<Person>) -> Result<(), Refused> {
    match ends_with(&event.instance, "refused") {
        true => Err(Refused),
        false => Ok(()),
    }
}

#[receiver]
fn nest(event: &PostUpdate<Person>, conn: &mut TestConnection) -> QueryResult<()> {
    let mut person = event.instance.clone();
    match person.secret.rsplit('-').next() {
        Some("again") => person.save(conn)?,
        Some("nested") => Person::get(conn, format!("{MARKER}-nobody")).map(drop)?,
        Some("ended") => diesel::sql_query("ROLLBACK").execute(conn).map(drop)?,
        _ => {}
    }
    Ok(())
}

#[receiver]
fn change_the_key(event: &mut PreUpdate<Person>) {
    if ends_with(&event.instance, "moved") {
        event.instance.email += "-elsewhere";
    }
}

#[receiver]
fn write_a_draft(event: &PostDelete<Draft>, conn: &mut TestConnection) -> diesel_hooks::Result {
    if event.instance.id.ends_with("again") {
        Draft::create(conn, draft(&event.instance.person_email, "late"))?;
    }
    Ok(())
}

#[receiver]
fn refuse_to_hear(_: &Told) -> Result<(), Refused> {
    Err(Refused)
}

#[receiver(dispatch_uid = "twice")]
fn one(_: &PostCreate<Contradiction>) {}

#[receiver(dispatch_uid = "twice")]
fn two(_: &PostCreate<Contradiction>) {}

fn ends_with(person: &Person, end: &str) -> bool {
    person.secret.ends_with(end)
}

fn person(secret: &str) -> Person {
    Person {
        email: format!("{MARKER}@{secret}"),
        secret: format!("{MARKER}-{secret}"),
    }
}

fn letter(to: &str) -> Letter {
    Letter {
        id: format!("{MARKER}-letter-to-{to}"),
        person_email: to.into(),
        body: MARKER.into(),
    }
}

fn draft(to: &str, id: &str) -> Draft {
    Draft {
        id: format!("{MARKER}-{id}"),
        person_email: to.into(),
    }
}

type Case = (&'static str, fn(&mut TestConnection) -> Error);

/// Each way in which an operation fails, by the variant in which it ends.
const CASES: &[Case] = &[
    ("Query", |conn| {
        created(conn, "twice");
        Person::create(conn, person("twice")).expect_err("the key is taken")
    }),
    ("Query", |conn| {
        let mut taken = person("twice");
        created(conn, "twice");
        taken.email = "another".into();
        Person::create_many(conn, vec![person("new"), taken]).expect_err("the secret is taken")
    }),
    ("Query", |conn| {
        created(conn, "key '7' and 'more");
        Person::create(conn, person("key '7' and 'more")).expect_err("the key is taken")
    }),
    ("Query", |conn| {
        Person::create(conn, person("checked")).expect_err("refused by the CHECK")
    }),
    ("Query", |conn| {
        let mut person = created(conn, "null");
        let null = people::secret.eq(diesel::dsl::sql("NULL"));
        person.update_set(conn, null).expect_err("NOT NULL")
    }),
    ("Query", |conn| {
        Letter::create(conn, letter(MARKER)).expect_err("no such person")
    }),
    ("Query", |conn| {
        let person = created(conn, "undeclared");
        let insert = format!("INSERT INTO undeclared VALUES ('{}')", person.email);
        diesel::sql_query(insert).execute(conn).expect("inserted");
        person.delete(conn).expect_err("the foreign key refuses")
    }),
    ("Query", |conn| {
        let insert = format!("INSERT INTO days VALUES ('{MARKER}', '{MARKER}')");
        diesel::sql_query(insert).execute(conn).expect("inserted");
        Day::get(conn, MARKER.into()).expect_err("no weekday")
    }),
    ("NotFound", |conn| {
        Person::get(conn, MARKER.into()).expect_err("not there")
    }),
    ("NotFound", |conn| {
        person("gone").save(conn).expect_err("not there")
    }),
    ("NotFound", |conn| {
        person("gone").refresh(conn).expect_err("not there")
    }),
    ("NotFound", |conn| {
        letter(MARKER).person(conn).expect_err("not there")
    }),
    ("NotFound", |conn| {
        Pair::get(conn, (MARKER.into(), 1)).expect_err("not there")
    }),
    ("NotFound", |conn| {
        let mut gone = person("gone");
        gone.update(conn, |it| it.secret = MARKER.into())
            .expect_err("not there")
    }),
    ("Protected", |conn| {
        let person = created(conn, "written-to");
        Letter::create(conn, letter(&person.email)).expect("created");
        person.delete(conn).expect_err("protected")
    }),
    ("Receiver", |conn| {
        Person::create(conn, person("refused")).expect_err("refused")
    }),
    ("Receiver", |conn| {
        let many = vec![person("fine"), person("refused")];
        Person::create_many(conn, many).expect_err("refused")
    }),
    ("Receiver", |conn| {
        updated(conn, "nested").expect_err("not there")
    }),
    ("Receiver", |conn| {
        let secret = MARKER.into();
        Told { secret }.send(conn).expect_err("refused")
    }),
    ("Receiver", |conn| {
        let secret = MARKER.into();
        let mut sent = Told { secret }.send_robust(conn).expect("sent");
        assert!(!format!("{sent:?}").contains("marker"), "{sent:?}");
        sent.remove(0).outcome.expect_err("refused")
    }),
    ("Receiver", |_| {
        let secret = MARKER.into();
        Told { secret }.send_detached().expect_err("refused")
    }),
    ("Receiver", |conn| {
        let refuse = |_: &PostCreate<Draft>, _: &mut TestConnection| Err(Refused);
        let _guard = conn.connect(refuse).expect("connected");
        let person = created(conn, "drafted");
        Draft::create(conn, draft(&person.email, "1")).expect_err("refused")
    }),
    ("KeyChanged", |conn| {
        updated(conn, "moved").expect_err("the key changed")
    }),
    ("KeyChanged", |conn| {
        let mut person = created(conn, "closure");
        person
            .update(conn, |it| it.email += "-elsewhere")
            .expect_err("the key changed")
    }),
    ("KeyChanged", |conn| {
        let mut person = created(conn, "changeset");
        let email = people::email.eq(format!("{MARKER}-elsewhere"));
        person.update_set(conn, email).expect_err("the key changed")
    }),
    ("Recursion", |conn| {
        updated(conn, "again").expect_err("without end")
    }),
    ("ChildAppeared", |conn| {
        let person = created(conn, "drafted");
        Draft::create(conn, draft(&person.email, "again")).expect("created");
        person.delete(conn).expect_err("a draft appeared")
    }),
    ("TransactionLost", |conn| {
        updated(conn, "ended").expect_err("a receiver ended it")
    }),
    ("Registry", |conn| {
        let one = MARKER.into();
        Contradiction::create(conn, Contradiction { one, two: 1 })
            .expect_err("two receivers of one name")
    }),
    ("Registry", |conn| {
        let nothing = |_: &mut TestConnection| Ok::<_, Error>(());
        conn.without_receiver("unknown", nothing)
            .expect_err("no such receiver")
    }),
    ("Instrumentation", |conn| {
        conn.set_instrumentation(|_: diesel::connection::InstrumentationEvent<'_>| {});
        updated(conn, "instrumented").expect_err("no room for what is remembered")
    }),
];

/// Those in which a trigger has a part: on MySQL it keeps no row but by an error, and on servers it ends no transaction.
fn with_triggers() -> [Case; 3] {
    [
        (on("RowCount", "RowCount", "Query"), |conn| {
            let kept = created(conn, "kept");
            kept.delete(conn).expect_err("a trigger keeps it")
        }),
        (on("RowCount", "RowCount", "Query"), |conn| {
            let mut kept = created(conn, "kept");
            kept.save(conn).expect_err("a trigger keeps it")
        }),
        (on("TransactionLost", "Query", "Query"), |conn| {
            let mut lost = None;
            let outcome: QueryResult<()> = conn.transaction(|conn| {
                lost = updated(conn, "lost").err();
                Err(DieselError::RollbackTransaction)
            });
            outcome.expect_err("nothing is left to roll back");
            lost.expect("a trigger refuses it")
        }),
    ]
}

fn created(conn: &mut TestConnection, secret: &str) -> Person {
    Person::create(conn, person(secret)).expect("created")
}

/// A row, created and then updated to this secret.
fn updated(conn: &mut TestConnection, secret: &str) -> diesel_hooks::Result {
    let mut person = created(conn, "new");
    person.update(conn, |it| it.secret = format!("{MARKER}-{secret}"))
}

fn variant(error: &Error) -> String {
    let debug = format!("{error:?}");
    debug
        .split([' ', '('])
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// What is shown of an error and of each of our errors among its sources.
fn shown(error: &Error) -> Vec<String> {
    let mut shown = vec![
        error.to_string(),
        format!("{error:?}"),
        format!("{error:#?}"),
    ];
    let mut source = error.source();
    while let Some(it) = source {
        if let Some(ours) = it.downcast_ref::<Error>() {
            shown.extend([ours.to_string(), format!("{ours:?}")]);
        }
        source = it.source();
    }
    shown
}

#[test]
fn no_error_shows_a_value_or_a_key_that_may_be_personal() {
    for (number, (expected, fail)) in CASES.iter().chain(&with_triggers()).enumerate() {
        let error = fail(&mut database());
        assert_eq!(variant(&error), *expected, "case {number}: {error:?}");
        for text in shown(&error) {
            assert!(!text.contains("marker"), "case {number}: {text}");
        }
        let on_the_way = DieselError::from(error);
        let back = Error::from(on_the_way);
        assert_eq!(variant(&back), *expected, "case {number}: {back:?}");
        for text in shown(&back) {
            assert!(
                !text.contains("marker"),
                "case {number}, there and back: {text}"
            );
        }
    }
}

#[test]
fn a_text_that_a_column_cannot_hold_is_not_shown() {
    let mut conn = database();
    let mut crab = person("crab");
    crab.secret = format!("\u{1f980}{MARKER}");
    let created = Person::create(&mut conn, crab.clone());
    if on(true, true, false) {
        return assert_eq!(created.expect("it can").secret, crab.secret);
    }
    let error = created.expect_err("no crab is in Latin-1");
    let text = error.to_string();
    assert!(
        text.starts_with("create of Person failed: Incorrect string value: (hidden) for column "),
        "{text}"
    );
    for text in shown(&error) {
        assert!(!text.contains("marker"), "{text}");
    }
    let DieselError::DatabaseError(_, told) = DieselError::from(error) else {
        panic!("the database's")
    };
    let told = told.message();
    assert!(
        told.starts_with(r"Incorrect string value: '\xF0\x9F\xA6\x80ma"),
        "{told}"
    );
}

#[test]
fn what_does_not_convert_is_named_by_its_column_and_told_by_the_source() {
    let mut conn = database();
    let insert = format!("INSERT INTO days VALUES ('one', '{MARKER}')");
    diesel::sql_query(insert)
        .execute(&mut conn)
        .expect("inserted");
    let error = Day::get(&mut conn, "one".into()).expect_err("no weekday");
    assert_eq!(
        error.to_string(),
        "load of Day failed: Error deserializing field 'day'"
    );
    let mut innermost: &dyn StdError = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    assert_eq!(innermost.to_string(), format!("no weekday: {MARKER}"));
    let diesels = DieselError::from(error);
    assert!(format!("{diesels:?}").contains(MARKER), "as Diesel made it");
}
