//! Django's cases of get_or_create and update_or_create, as they hold here; `docs/django.md` lists them.

use std::cell::Cell;

use backends::script::{LOG, heard, on_event};
use backends::{
    Database, LOCK_FOUND, READ_BACK, System, TestConnection, depth, fresh, fresh_pair, of_rows, on,
    refuse_to_wait, sequence, statements, system, verbs,
};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { people (id) { id -> Integer, email -> Text, name -> Text, age -> Nullable<Integer> } }
diesel::table! { settings (name) { name -> Text, value -> Text } }

const SCHEMA: &str = "
    CREATE TABLE people (
        id {key}, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL CHECK (name <> ''), age INTEGER
    );
    CREATE TABLE settings (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = people)]
struct Person {
    id: i32,
    email: String,
    name: String,
    age: Option<i32>,
}

#[receiver]
fn pre_save(event: &PreSave<Person>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let what = match event {
        PreSave::Create(_) => "pre_save insert",
        PreSave::Update(_) => "pre_save update",
    };
    heard(what.into(), conn)
}

#[receiver]
fn lower_the_email(event: &mut PreUpdate<Person>) {
    event.instance.email.make_ascii_lowercase();
}

#[receiver]
fn post_save(event: &PostSave<Person>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let what = if event.created { "created" } else { "updated" };
    let columns = event.changed_columns().collect::<Vec<_>>().join(", ");
    heard(format!("post_save {what} {columns}"), conn)
}

#[receiver]
fn loaded(_: &PostLoad<Person>) {
    LOG.push("post_load");
}

const CREATED: [&str; 2] = ["pre_save insert", "post_save created email, name, age"];
const UPDATED: [&str; 2] = ["pre_save update", "post_save updated email, name, age"];

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(name))]
struct Setting {
    #[hooks(assigned)]
    name: String,
    value: String,
}

#[receiver]
fn setting_saved(event: &PostSave<Setting>) {
    LOG.push(match event.created {
        true => "setting created",
        false => "setting updated",
    });
}

fn new_person(email: &str) -> NewPerson {
    NewPerson {
        email: email.into(),
        name: "Ada".into(),
        age: Some(36),
    }
}

fn ada() -> NewPerson {
    new_person("ada@x")
}

fn is_ada() -> diesel::dsl::Eq<people::email, &'static str> {
    people::email.eq("ada@x")
}

/// A database that has seen the table.
fn database() -> TestConnection {
    let mut conn = fresh(SCHEMA);
    Person::create(&mut conn, new_person("old@x")).expect("a person");
    LOG.take();
    conn
}

fn with_ada() -> (TestConnection, Person) {
    let mut conn = database();
    let ada = Person::create(&mut conn, ada()).expect("a person");
    LOG.take();
    (conn, ada)
}

fn rows(conn: &mut TestConnection) -> Vec<Person> {
    let rows = people::table.order(people::id);
    rows.load(conn).expect("people can be read")
}

fn emails(conn: &mut TestConnection) -> Vec<String> {
    rows(conn).into_iter().map(|it| it.email).collect()
}

fn is_unique_violation(error: &Error) -> bool {
    matches!(
        error,
        Error::Query {
            source: DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _),
            ..
        }
    )
}

/// Another connection inserts the row that is looked for.
fn somebody_else_creates(disk: &Database) {
    let mut other = disk.connect();
    other
        .batch_execute("INSERT INTO people (email, name) VALUES ('ada@x', 'winner')")
        .expect("nothing is locked yet");
}

#[test]
fn goc_01_an_existing_row_is_one_select_and_no_signal() {
    let (mut conn, ada) = with_ada();
    let (found, sent) = statements(&mut conn, |conn| {
        Person::get_or_create(conn, is_ada(), new_person("other@x"))
    });
    assert_eq!(found.expect("it is there"), (ada, false));
    assert_eq!(verbs(&sent), ["SELECT"]);
    assert_eq!(LOG.take(), [""; 0]);
}

#[test]
fn goc_02_a_missing_row_is_a_select_and_an_insert_with_its_signals_in_a_transaction() {
    let mut conn = database();
    on_event(|event, conn| {
        LOG.push(format!("{event} at depth {}", depth(conn)));
        Ok(())
    });
    let (outcome, sent) = statements(&mut conn, |conn| {
        Person::get_or_create(conn, is_ada(), ada())
    });
    let (person, created) = outcome.expect("a person");
    assert!(created && person.email == "ada@x");
    assert_eq!(
        verbs(&sent),
        sequence(&[
            "SELECT",
            "BEGIN",
            "SAVEPOINT",
            "INSERT",
            READ_BACK,
            "RELEASE",
            "COMMIT"
        ])
    );
    assert_eq!(
        LOG.take(),
        [
            CREATED[0],
            "pre_save insert at depth 1",
            CREATED[1],
            "post_save created email, name, age at depth 1"
        ]
    );
}

#[test]
fn goc_02_inside_a_transaction_of_the_application_it_is_a_savepoint() {
    let mut conn = database();
    let (outcome, sent) = statements(&mut conn, |conn| {
        conn.transaction(|conn| Person::get_or_create(conn, is_ada(), ada()))
    });
    assert!(outcome.expect("a person").1);
    assert_eq!(
        verbs(&sent),
        sequence(&[
            "BEGIN",
            "SELECT",
            "SAVEPOINT",
            "INSERT",
            READ_BACK,
            "RELEASE",
            "COMMIT"
        ])
    );
    assert_eq!(LOG.take(), CREATED);
}

#[test]
fn goc_03_the_second_identical_call_creates_nothing() {
    let mut conn = database();
    let first = Person::get_or_create(&mut conn, is_ada(), ada()).expect("a person");
    let second = Person::get_or_create(&mut conn, is_ada(), ada()).expect("a person");
    assert_eq!((first.1, second.1), (true, false));
    assert_eq!(first.0, second.0);
    assert_eq!(emails(&mut conn), ["old@x", "ada@x"]);
}

#[test]
fn goc_04_what_a_row_is_created_from_is_made_only_if_one_is_created() {
    let mut conn = database();
    let calls = Cell::new(0);
    let new = || {
        calls.set(calls.get() + 1);
        ada()
    };
    let called = |conn: &mut TestConnection, change: bool| {
        match change {
            true => Person::update_or_create(conn, is_ada(), new, |it| it.age = None),
            false => Person::get_or_create(conn, is_ada(), new),
        }
        .expect("a person");
        calls.get()
    };
    assert_eq!(called(&mut conn, false), 1);
    assert_eq!(called(&mut conn, false), 1);
    assert_eq!(called(&mut conn, true), 1);
    diesel::delete(people::table.filter(is_ada()))
        .execute(&mut conn)
        .expect("deleted");
    assert_eq!(called(&mut conn, true), 2);
}

#[test]
fn goc_07_a_mandatory_value_that_is_missing_is_the_error_of_the_insert() {
    let mut conn = database();
    let (outcome, sent) = statements(&mut conn, |conn| {
        let nameless = || NewPerson {
            name: String::new(),
            ..ada()
        };
        Person::get_or_create(conn, is_ada(), nameless)
    });
    let Err(Error::Query {
        model: Some("Person"),
        source: DieselError::DatabaseError(kind, _),
        ..
    }) = outcome
    else {
        panic!("the name is missing: {outcome:?}");
    };
    let check = DatabaseErrorKind::CheckViolation;
    // Diesel does not know MariaDB's number for it.
    assert_eq!(kind, on(check, check, DatabaseErrorKind::Unknown));
    assert_eq!(of_rows(&sent), ["SELECT", "INSERT"]);
    assert_eq!(emails(&mut conn), ["old@x"]);
    assert_eq!(LOG.take(), ["pre_save insert"]);
}

#[test]
fn goc_08_a_unique_value_of_another_row_is_the_error_of_the_insert() {
    let (mut conn, _) = with_ada();
    let before = rows(&mut conn);
    let (outcome, sent) = statements(&mut conn, |conn| {
        Person::get_or_create(conn, people::name.eq("Grace"), ada())
    });
    assert!(is_unique_violation(
        &outcome.expect_err("the email is taken")
    ));
    assert_eq!(of_rows(&sent), ["SELECT", "INSERT", "SELECT"]);
    assert_eq!(rows(&mut conn), before);
    assert_eq!(LOG.take(), ["pre_save insert"]);
}

#[test]
fn goc_09_after_a_failed_attempt_the_transaction_around_it_goes_on() {
    let (mut conn, _) = with_ada();
    conn.transaction(|conn| -> diesel_hooks::Result {
        Person::create(conn, new_person("before@x"))?;
        let refused = Person::get_or_create(conn, people::name.eq("Grace"), ada());
        assert!(is_unique_violation(&refused.expect_err("it is taken")));
        assert_eq!(depth(conn), 1);
        Person::create(conn, new_person("after@x")).map(drop)
    })
    .expect("committed");
    assert_eq!(emails(&mut conn), ["old@x", "ada@x", "before@x", "after@x"]);
}

#[test]
fn goc_10_who_loses_the_race_gets_the_winners_row_and_no_signal_after_it() {
    let disk = Database::new(SCHEMA);
    let mut conn = disk.connect();
    Person::create(&mut conn, new_person("old@x")).expect("a person");
    LOG.take();
    let (outcome, sent) = statements(&mut conn, |conn| {
        Person::get_or_create(conn, is_ada(), || {
            somebody_else_creates(&disk);
            ada()
        })
    });
    let (winner, created) = outcome.expect("the row of the winner");
    assert_eq!((winner.name.as_str(), created), ("winner", false));
    assert_eq!(LOG.take(), ["pre_save insert"]);
    let ours = ["SAVEPOINT", "RELEASE"];
    let mut verbs = verbs(&sent);
    verbs.retain(|verb| !ours.contains(verb));
    // PostgreSQL goes back to a savepoint first, and MySQL's catalog tells what is unique.
    let back = on(
        &["ROLLBACK"][..],
        &["ROLLBACK", "ROLLBACK"],
        &["SELECT", "ROLLBACK"],
    );
    let expected = [&["SELECT", "BEGIN", "INSERT"], back, &["SELECT"]].concat();
    assert_eq!(verbs, expected);
    assert_eq!(emails(&mut conn), ["old@x", "ada@x"]);
    assert_eq!(depth(&mut conn), 0);
}

#[test]
fn goc_10_inside_a_transaction_of_the_application_too() {
    let [mut conn, mut other] = fresh_pair(SCHEMA);
    Person::create(&mut conn, new_person("old@x")).expect("a person");
    LOG.take();
    let (outcome, sent) = statements(&mut conn, |conn| {
        conn.transaction(|conn| {
            Person::get_or_create(conn, is_ada(), || {
                Person::create(&mut other, ada()).expect("the winner");
                assert_eq!(LOG.take(), CREATED);
                ada()
            })
        })
    });
    assert!(!outcome.expect("the row of the winner").1);
    assert_eq!(LOG.take(), ["pre_save insert"]);
    let mut expected = vec![
        "BEGIN",
        "SELECT",
        "SAVEPOINT",
        "INSERT",
        "ROLLBACK",
        "SELECT",
        "COMMIT",
    ];
    if system() == System::Mysql {
        // The catalog tells what is unique, and a savepoint whether the transaction is there.
        expected.insert(4, "SELECT");
        expected.splice(6..6, ["SAVEPOINT", "RELEASE"]);
    }
    assert_eq!(verbs(&sent), expected);
    assert_eq!(emails(&mut conn), ["old@x", "ada@x"]);
}

#[test]
fn goc_10_update_or_create_updates_the_winners_row() {
    let [mut conn, mut other] = fresh_pair(SCHEMA);
    Person::create(&mut conn, new_person("old@x")).expect("a person");
    LOG.take();
    let outcome = conn.transaction(|conn| {
        let new = || {
            Person::create(&mut other, ada()).expect("the winner");
            LOG.take();
            ada()
        };
        Person::update_or_create(conn, is_ada(), new, |it| it.age = Some(37))
    });
    let (person, created) = outcome.expect("updated");
    assert_eq!((person.age, created), (Some(37), false));
    assert_eq!(
        LOG.take(),
        [
            "pre_save insert",
            "pre_save update",
            "post_save updated age"
        ]
    );
    assert_eq!(rows(&mut conn)[1].age, Some(37));
}

#[test]
fn goc_12_several_rows_are_an_error_that_names_the_model() {
    let (mut conn, _) = with_ada();
    let before = rows(&mut conn);
    let found = Person::get_or_create(&mut conn, people::name.eq("Ada"), ada());
    let error = found.expect_err("there are two");
    assert!(matches!(error, Error::SeveralRows { model: "Person" }));
    assert_eq!(
        error.to_string(),
        "more than one Person fulfils the condition, which has to find one at most"
    );
    let updated = Person::update_or_create(&mut conn, people::name.eq("Ada"), ada(), |it| {
        it.age = None;
    });
    assert!(matches!(updated, Err(Error::SeveralRows { .. })));
    assert_eq!(rows(&mut conn), before);
    assert_eq!(LOG.take(), [""; 0]);
}

#[test]
fn goc_15_an_existing_row_is_read_and_updated_in_one_transaction() {
    let (mut conn, ada) = with_ada();
    let (outcome, sent) = statements(&mut conn, |conn| {
        Person::update_or_create(conn, is_ada(), new_person("other@x"), |it| {
            it.name = "Lovelace".into();
        })
    });
    let updated = Person {
        name: "Lovelace".into(),
        ..ada
    };
    assert_eq!(outcome.expect("updated"), (updated.clone(), false));
    assert_eq!(
        verbs(&sent),
        sequence(&[
            "BEGIN",
            "SAVEPOINT",
            "SELECT",
            LOCK_FOUND,
            "UPDATE",
            "RELEASE",
            "COMMIT"
        ])
    );
    assert_eq!(sent[0], on("BEGIN IMMEDIATE", "BEGIN", "BEGIN"));
    assert_eq!(
        sent[sent.len() - 3],
        "UPDATE `people` SET `name` = ? WHERE `people`.`id` = ?"
    );
    assert_eq!(LOG.take(), ["pre_save update", "post_save updated name"]);
    assert_eq!(rows(&mut conn)[1], updated);
}

#[test]
fn goc_16_a_missing_row_is_created_from_new_and_not_changed() {
    let mut conn = database();
    let outcome = Person::update_or_create(&mut conn, is_ada(), ada(), |it| it.age = None);
    let (person, created) = outcome.expect("created");
    assert_eq!((person.age, created), (Some(36), true));
    assert_eq!(LOG.take(), CREATED);
}

#[test]
fn goc_17_nothing_to_change_is_no_update_and_no_signal() {
    let (mut conn, ada) = with_ada();
    let (outcome, sent) = statements(&mut conn, |conn| {
        Person::update_or_create(conn, is_ada(), new_person("other@x"), |_| ())
    });
    assert_eq!(outcome.expect("found"), (ada, false));
    assert_eq!(of_rows(&sent), sequence(&["SELECT", LOCK_FOUND]));
    assert_eq!(LOG.take(), [""; 0]);
}

#[test]
fn goc_18_equal_values_are_written_by_save_and_upsert_and_not_by_update_or_create() {
    let (mut conn, ada) = with_ada();
    let (outcome, sent) = statements(&mut conn, |conn| {
        Person::update_or_create(conn, is_ada(), new_person("other@x"), |it| {
            it.name = ada.name.clone();
        })
    });
    assert_eq!(outcome.expect("found"), (ada.clone(), false));
    assert_eq!(
        of_rows(&sent),
        sequence(&["SELECT", LOCK_FOUND]),
        "it cannot be told from no value"
    );
    assert_eq!(LOG.take(), [""; 0]);

    let (outcome, sent) = statements(&mut conn, |conn| ada.clone().save(conn));
    outcome.expect("saved");
    assert!(of_rows(&sent).contains(&"UPDATE"));
    assert_eq!(LOG.take(), UPDATED);

    let setting = || NewSetting {
        name: "theme".into(),
        value: "dark".into(),
    };
    Setting::upsert(&mut conn, setting()).expect("created");
    let (outcome, sent) = statements(&mut conn, |conn| Setting::upsert(conn, setting()));
    assert!(!outcome.expect("updated").1);
    assert_eq!(of_rows(&sent), sequence(&["SELECT", LOCK_FOUND, "UPDATE"]));
    assert_eq!(LOG.take(), ["setting created", "setting updated"]);
}

#[test]
fn goc_19_columns_that_the_closure_leaves_alone_keep_what_others_wrote() {
    let disk = Database::new(SCHEMA);
    let mut conn = disk.connect();
    let ada = Person::create(&mut conn, ada()).expect("a person");
    // What this program holds is old by now.
    disk.connect()
        .batch_execute("UPDATE people SET age = 50")
        .expect("nothing is locked");
    let outcome = Person::update_or_create(&mut conn, is_ada(), self::ada(), |it| {
        let mut other = disk.connect();
        refuse_to_wait(&mut other);
        let busy = other.batch_execute("UPDATE people SET age = 60");
        assert!(busy.is_err(), "another writer waits until this is done");
        it.name = "Lovelace".into();
    });
    assert!(!outcome.expect("updated").1);
    let [stored] = &rows(&mut conn)[..] else {
        panic!("there is one");
    };
    assert_eq!((stored.id, stored.age), (ada.id, Some(50)));
    assert_eq!(stored.name, "Lovelace");
    LOG.take();
}

#[test]
fn goc_22_what_a_receiver_before_the_update_changes_is_written_too() {
    let mut conn = database();
    conn.batch_execute("UPDATE people SET email = 'OLD@x'")
        .expect("updated");
    let old = people::email.eq("OLD@x");
    Person::update_or_create(&mut conn, old, ada(), |it| it.age = Some(1)).expect("updated");
    assert_eq!(emails(&mut conn), ["old@x"]);
    assert_eq!(
        LOG.take(),
        ["pre_save update", "post_save updated email, age"]
    );
}

#[test]
fn txn_23_callbacks_run_after_the_transaction_that_get_or_create_opened() {
    let mut conn = database();
    on_event(|event, conn| {
        let event = event.to_owned();
        conn.after_commit(move || LOG.push(format!("after {event}")))
    });
    Person::get_or_create(&mut conn, is_ada(), ada()).expect("a person");
    assert_eq!(
        LOG.take(),
        [
            CREATED[0],
            CREATED[1],
            "after pre_save insert",
            "after post_save created email, name, age"
        ]
    );
}

#[test]
fn txn_25_callbacks_of_an_attempt_that_lost_the_race_are_dropped() {
    let disk = Database::new(SCHEMA);
    let mut conn = disk.connect();
    Person::create(&mut conn, new_person("old@x")).expect("a person");
    LOG.take();
    on_event(|event, conn| {
        let event = event.to_owned();
        let undone = event.clone();
        conn.after_rollback(move || LOG.push(format!("undone {undone}")))?;
        conn.after_commit(move || LOG.push(format!("after {event}")))
    });
    let outcome = Person::get_or_create(&mut conn, is_ada(), || {
        somebody_else_creates(&disk);
        ada()
    });
    assert!(!outcome.expect("the row of the winner").1);
    assert_eq!(LOG.take(), ["pre_save insert", "undone pre_save insert"]);
}

#[test]
fn txn_25_inside_a_transaction_of_the_application_its_own_callbacks_run() {
    let [mut conn, mut other] = fresh_pair(SCHEMA);
    Person::create(&mut conn, new_person("old@x")).expect("a person");
    let outcome = conn.transaction(|conn| {
        conn.after_commit(|| LOG.push("after the transaction"))?;
        let new = || {
            Person::create(&mut other, ada()).expect("the winner");
            LOG.take();
            on_event(|event, conn| {
                let event = event.to_owned();
                conn.after_commit(move || LOG.push(format!("after {event}")))
            });
            ada()
        };
        Person::get_or_create(conn, is_ada(), new)
    });
    assert!(!outcome.expect("the row of the winner").1);
    assert_eq!(LOG.take(), ["pre_save insert", "after the transaction"]);
}
