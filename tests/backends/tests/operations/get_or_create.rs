//! `get_or_create` and `update_or_create` find or create one row, whoever else creates it, and leave nothing
//! behind if they fail.

use backends::script::{LOG, heard, on_event};
use backends::{
    Database, System, TestConnection, Transactions, depth, fresh, insert, on, panic_of, system,
};
use diesel::connection::{SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { tags (id) { id -> Integer, name -> Text, color -> Nullable<Text>, uses -> Integer } }
diesel::table! { labels (id) { id -> Integer, tag_id -> Integer, text -> Text } }
diesel::table! { notes (id) { id -> Integer, text -> Text } }
diesel::table! {
    #[sql_name = "odd.`\"table"]
    odd (id) { id -> Integer, name -> Text }
}
diesel::joinable!(labels -> tags (tag_id));
diesel::allow_tables_to_appear_in_same_query!(tags, labels);

const SCHEMA: &str = "
    CREATE TABLE tags (
        id {key}, name TEXT NOT NULL UNIQUE, color TEXT, uses INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE labels (id {key}, tag_id INTEGER NOT NULL UNIQUE REFERENCES tags (id), text TEXT NOT NULL);
    CREATE TABLE notes (id {key}, text TEXT NOT NULL UNIQUE);
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Tag {
    id: i32,
    name: String,
    color: Option<String>,
    uses: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Label {
    id: i32,
    #[hooks(one_to_one(Tag, on_delete = Cascade, related_name = label, auto_create))]
    tag_id: i32,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = odd)]
struct Odd {
    id: i32,
    name: String,
}

#[receiver]
fn pre_save(event: &PreSave<Tag>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let what = match event {
        PreSave::Create(_) => "pre_save insert",
        PreSave::Update(_) => "pre_save update",
    };
    heard(what.into(), conn)
}

#[receiver]
fn post_save(event: &PostSave<Tag>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let what = if event.created { "created" } else { "updated" };
    heard(format!("post_save {what}"), conn)
}

#[receiver]
fn label_created(_: &PostCreate<Label>, conn: &mut TestConnection) -> diesel_hooks::Result {
    heard("label".into(), conn)
}

fn database() -> TestConnection {
    fresh(SCHEMA)
}

fn new_tag(name: &str) -> NewTag {
    NewTag {
        name: name.into(),
        color: None,
        uses: 1,
    }
}

fn is_rust() -> diesel::dsl::Eq<tags::name, &'static str> {
    tags::name.eq("rust")
}

fn rust() -> NewTag {
    new_tag("rust")
}

fn names(conn: &mut TestConnection) -> Vec<String> {
    let names = tags::table.order(tags::id).select(tags::name);
    names.load(conn).expect("tags can be read")
}

type Rows = (Vec<Tag>, Vec<Label>, Vec<String>);

fn everything(conn: &mut TestConnection) -> Rows {
    (
        tags::table.load(conn).expect("tags can be read"),
        labels::table.load(conn).expect("labels can be read"),
        notes::table
            .select(notes::text)
            .load(conn)
            .expect("notes can be read"),
    )
}

fn note(conn: &mut TestConnection, text: &str) -> QueryResult<usize> {
    diesel::insert_into(notes::table)
        .values(notes::text.eq(text))
        .execute(conn)
}

fn assert_unique_violation<T: std::fmt::Debug>(outcome: diesel_hooks::Result<T>) {
    let error = outcome.expect_err("something is taken");
    let of = |error: &Error| match error {
        Error::Query { source, .. } => matches!(
            source,
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
        ),
        _ => false,
    };
    assert!(of(&error), "{error}");
}

#[test]
fn a_created_row_has_its_dependents() {
    let mut conn = database();
    let (tag, created) = Tag::get_or_create(&mut conn, is_rust(), rust()).expect("a tag");
    assert!(created);
    assert_eq!(tag.label(&mut conn).expect("a label").tag_id, tag.id);
    let (same, created) = Tag::get_or_create(&mut conn, is_rust(), rust).expect("a tag");
    assert_eq!((same, created), (tag, false));
    assert_eq!(
        LOG.take(),
        ["pre_save insert", "label", "post_save created"]
    );
}

#[test]
fn any_boolean_expression_over_the_table_is_a_condition() {
    let mut conn = database();
    let mut find = |filter: Box<dyn BoxableExpression<tags::table, _, SqlType = _>>| {
        Tag::get_or_create(&mut conn, filter, rust()).expect("a tag")
    };
    let (tag, created) = find(Box::new(tags::color.eq("red").or(is_rust())));
    assert!(created, "NULL or false is not true");
    assert_eq!(find(Box::new(tags::color.eq("red").or(is_rust()))).0, tag);

    let nullable = tags::color
        .is_not_null()
        .assume_not_null()
        .or(tags::uses.gt(0));
    assert!(
        !Tag::get_or_create(&mut conn, nullable, rust())
            .expect("a tag")
            .1
    );
    let labelled = tags::id.eq_any(labels::table.select(labels::tag_id));
    assert!(
        !Tag::get_or_create(&mut conn, labelled, rust())
            .expect("a tag")
            .1
    );
    let listed = tags::name.eq_any(["rust", "sql"]);
    assert!(
        !Tag::get_or_create(&mut conn, listed, rust())
            .expect("a tag")
            .1
    );
    let text = diesel::dsl::sql::<diesel::sql_types::Bool>("1 = 1 OR 1 = 2");
    assert!(
        !Tag::get_or_create(&mut conn, text, rust())
            .expect("a tag")
            .1
    );
    assert_eq!(names(&mut conn), ["rust"]);
}

#[test]
fn a_reference_to_a_connection_will_do() {
    let mut conn = database();
    let mut reference = &mut conn;
    assert!(
        Tag::get_or_create(&mut reference, is_rust(), rust())
            .expect("a tag")
            .1
    );
    let changed = Tag::update_or_create(&mut reference, is_rust(), rust, |it| it.uses += 1);
    assert_eq!(changed.expect("a tag").0.uses, 2);
}

/// Another connection inserts a row while ours is being made.
fn meanwhile(disk: &Database, name: &str) {
    let mut other = disk.connect();
    let row = (tags::name.eq(name), tags::uses.eq(1));
    diesel::insert_into(tags::table)
        .values(row)
        .execute(&mut other)
        .expect("nothing is locked");
}

#[test]
fn a_unique_violation_of_a_receivers_statement_is_an_error_even_if_a_row_is_there_by_then() {
    let disk = Database::new(SCHEMA);
    let mut conn = disk.connect();
    note(&mut conn, "taken").expect("a note");
    on_event(|_, conn| Ok(note(conn, "taken").map(drop)?));
    let outcome = Tag::get_or_create(&mut conn, tags::uses.eq(1), || {
        meanwhile(&disk, "sql");
        rust()
    });
    assert!(matches!(outcome, Err(Error::Receiver(_))));
    assert_eq!(names(&mut conn), ["sql"]);
    LOG.take();
}

#[test]
fn a_row_that_a_receiver_inserts_itself_goes_with_the_attempt() {
    let mut conn = database();
    on_event(|_, conn| {
        conn.batch_execute("INSERT INTO tags (name) VALUES ('rust')")
            .map_err(Error::from)
    });
    assert_unique_violation(Tag::get_or_create(&mut conn, is_rust(), rust()));
    assert_eq!(names(&mut conn), [""; 0]);
    assert_eq!(LOG.take(), ["pre_save insert"]);
}

#[test]
fn a_unique_violation_in_another_table_is_an_error_even_if_the_row_is_there_by_then() {
    let disk = Database::new(SCHEMA);
    let mut conn = disk.connect();
    insert(
        &mut conn,
        "INSERT INTO notes (text) VALUES ('taken');
        {trigger noted BEFORE INSERT ON tags WHEN NEW.uses = 1: INSERT INTO notes (text) VALUES ('taken');}",
    );
    let outcome = Tag::get_or_create(&mut conn, is_rust(), || {
        let other = "INSERT INTO tags (name, uses) VALUES ('rust', 2)";
        disk.connect()
            .batch_execute(other)
            .expect("nothing is locked");
        rust()
    });
    assert_unique_violation(outcome);
    assert_eq!(names(&mut conn), ["rust"], "that of the other");
    LOG.take();
}

#[test]
fn a_unique_violation_of_a_dependent_is_an_error_even_if_a_row_is_there_by_then() {
    let disk = Database::new(SCHEMA);
    let mut conn = disk.connect();
    insert(
        &mut conn,
        "CREATE UNIQUE INDEX one_text ON labels (text);
        INSERT INTO tags (id, name) VALUES (1, 'old'); INSERT INTO labels (tag_id, text) VALUES (1, '');",
    );
    let outcome = Tag::get_or_create(&mut conn, tags::uses.eq(1), || {
        meanwhile(&disk, "sql");
        rust()
    });
    assert_unique_violation(outcome);
    assert_eq!(names(&mut conn), ["old", "sql"]);
    LOG.take();
}

#[test]
fn an_index_on_an_expression_makes_unique_too() {
    let disk = Database::new(SCHEMA);
    let mut conn = disk.connect();
    // MariaDB has no such index, but one on a column that is such an expression.
    let index = "CREATE UNIQUE INDEX \"it's `one`\" ON tags (lower(name));";
    let of_column = "ALTER TABLE tags
        MODIFY name VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        ADD lower_name VARCHAR(200) CHARACTER SET utf8mb4 AS (lower(name)) VIRTUAL,
        ADD UNIQUE `it's ``one``` (lower_name);";
    insert(&mut conn, on(index, index, of_column));
    let filter = diesel::dsl::sql::<diesel::sql_types::Bool>("lower(name) = 'rust'");
    let outcome = Tag::get_or_create(&mut conn, filter, || {
        meanwhile(&disk, "RUST");
        rust()
    });
    let (tag, created) = outcome.expect("that of the other");
    assert_eq!((tag.name.as_str(), created), ("RUST", false));
    LOG.take();
}

#[test]
fn a_table_of_any_name_is_known_by_it() {
    let table = on(
        "\"odd.`\"\"table\"",
        "\"odd.`\"\"table\"",
        "`odd.``\"table`",
    );
    // Only SQLite takes it for the same.
    let same = on("\"ODD.`\"\"table\"", table, table);
    let disk = Database::new(&format!(
        "CREATE TABLE {table} (id {{key}}, name TEXT NOT NULL); CREATE UNIQUE INDEX odd_name ON {same} (name);"
    ));
    let mut conn = disk.connect();
    let new = || NewOdd { name: "one".into() };
    let outcome = Odd::get_or_create(&mut conn, odd::name.eq("one"), || {
        Odd::create(&mut disk.connect(), new()).expect("nothing is locked");
        new()
    });
    assert!(!outcome.expect("that of the other").1);
    assert_eq!(odd::table.count().get_result(&mut conn), Ok(1_i64));
}

#[test]
fn a_row_that_came_since_the_look_is_found_on_sqlite_by_a_new_transaction() {
    let disk = Database::new(SCHEMA);
    let mut conn = disk.connect();
    let outcome = conn.transaction(|conn| {
        Tag::get_or_create(conn, is_rust(), || {
            meanwhile(&disk, "rust");
            rust()
        })
    });
    match system() {
        System::Sqlite => {
            let error = outcome.expect_err("it writes to an old snapshot");
            assert!(error.to_string().contains("database is locked"), "{error}");
        }
        System::Postgres | System::Mysql => assert!(!outcome.expect("that of the other").1),
    }
    let (_, created) = Tag::get_or_create(&mut conn, is_rust(), rust()).expect("it is there");
    assert!(!created);
    LOG.take();
}

#[test]
fn of_four_connections_that_create_one_row_exactly_one_does() {
    let disk = Database::new(SCHEMA);
    for round in 0..25 {
        let name = format!("tag {round}");
        let start = std::sync::Barrier::new(4);
        let outcomes = std::thread::scope(|scope| {
            let threads = [false, false, true, true].map(|updates| {
                let (mut conn, name, start) = (disk.connect(), &name, &start);
                scope.spawn(move || {
                    let new = || new_tag(name);
                    start.wait();
                    let mut attempt = || match (tags::name.eq(name), updates) {
                        (filter, true) => {
                            Tag::update_or_create(&mut conn, filter, new, |it| it.uses += 1)
                        }
                        (filter, false) => Tag::get_or_create(&mut conn, filter, new),
                    };
                    let mut outcome = attempt();
                    // InnoDB lets several lock the place of a row that is not there, and then ends all but one.
                    while system() == System::Mysql
                        && outcome.as_ref().is_err_and(Error::is_retryable)
                    {
                        outcome = attempt();
                    }
                    LOG.take();
                    outcome.expect("a tag")
                })
            });
            threads.map(|thread| thread.join().expect("no panic"))
        });
        assert_eq!(outcomes.iter().filter(|(_, created)| *created).count(), 1);
        let id = outcomes[0].0.id;
        assert!(outcomes.iter().all(|(tag, _)| tag.id == id));
        let updates = outcomes[2..].iter().filter(|(_, created)| !created).count();
        let stored = Tag::get(&mut disk.connect(), id).expect("it is there");
        assert_eq!(
            stored.uses,
            1 + i32::try_from(updates).expect("two at most")
        );
    }
    let mut conn = disk.connect();
    assert_eq!(tags::table.count().get_result(&mut conn), Ok(25_i64));
    assert_eq!(labels::table.count().get_result(&mut conn), Ok(25_i64));
}

/// Fails, or panics, at each event of each branch, outside and inside a transaction of the application.
#[test]
fn what_fails_in_either_branch_leaves_nothing_behind() {
    let creates = ["pre_save insert", "label", "post_save created"];
    let updates = ["pre_save update", "post_save updated"];
    for (exists, steps) in [(false, &creates[..]), (true, &updates)] {
        for step in steps {
            for [panics, inside, updates] in [
                [false, false, false],
                [false, true, false],
                [true, false, false],
                [true, true, false],
                [false, false, true],
                [false, true, true],
                [true, false, true],
                [true, true, true],
            ] {
                if updates || !exists {
                    fails_at(exists, step, panics, inside, updates);
                }
            }
        }
    }
}

fn fails_at(exists: bool, step: &'static str, panics: bool, inside: bool, updates: bool) {
    let mut conn = database();
    if exists {
        Tag::create(&mut conn, rust()).expect("a tag");
    }
    if inside {
        Transactions::begin_transaction(&mut conn).expect("a transaction");
        note(&mut conn, "before").expect("a note");
    }
    let (before, entry) = (everything(&mut conn), depth(&mut conn));
    on_event(move |event, conn| {
        note(conn, event)?;
        conn.after_commit(|| LOG.push("committed"))?;
        match event == step {
            true if panics => panic!("at {event}"),
            true => Err(Error::Instrumentation),
            false => Ok(()),
        }
    });
    let run = |conn: &mut TestConnection| match updates {
        true => Tag::update_or_create(conn, is_rust(), rust(), |it| it.uses += 1),
        false => Tag::get_or_create(conn, is_rust(), rust()),
    };
    match panics {
        true => assert_eq!(panic_of(|| run(&mut conn)), format!("at {step}")),
        false => assert!(matches!(run(&mut conn), Err(Error::Receiver(_))), "{step}"),
    }
    assert_eq!(depth(&mut conn), entry, "{step}");
    assert_eq!(everything(&mut conn), before, "{step}");
    LOG.take();
    on_event(|_, _| Ok(()));
    assert_eq!(run(&mut conn).expect("the connection works").1, !exists);
    if inside {
        Transactions::commit_transaction(&mut conn).expect("committed");
    }
    assert!(!LOG.take().contains(&"committed".to_owned()), "{step}");
}

#[test]
fn a_closure_that_panics_leaves_nothing_behind() {
    let mut conn = database();
    Tag::create(&mut conn, new_tag("sql")).expect("a tag");
    LOG.take();
    let before = everything(&mut conn);
    let said =
        panic_of(|| Tag::get_or_create(&mut conn, is_rust(), || -> NewTag { panic!("no tag") }));
    assert_eq!(said, "no tag");
    let said = panic_of(|| {
        let filter = tags::name.eq("sql");
        Tag::update_or_create(&mut conn, filter, rust(), |it| {
            it.uses = 9;
            panic!("no change")
        })
    });
    assert_eq!(said, "no change");
    assert_eq!((everything(&mut conn), depth(&mut conn)), (before, 0));
    assert_eq!(LOG.take(), [""; 0]);
}

#[test]
fn a_changed_key_is_refused() {
    let mut conn = database();
    Tag::create(&mut conn, rust()).expect("a tag");
    let outcome = Tag::update_or_create(&mut conn, is_rust(), rust(), |it| it.id = 9);
    assert!(matches!(
        outcome,
        Err(Error::KeyChanged { model: "Tag", .. })
    ));
    LOG.take();
}

#[test]
fn in_a_transaction_that_was_lost_nothing_is_created() {
    let mut conn = database();
    let outcome = conn.transaction(|conn| -> diesel_hooks::Result {
        on_event(|event, conn| match event {
            "post_save created" => conn.batch_execute("ROLLBACK").map_err(Error::from),
            _ => Ok(()),
        });
        let outcome = Tag::get_or_create(conn, is_rust(), rust());
        assert!(matches!(outcome, Err(Error::TransactionLost { .. })));
        on_event(|_, _| Ok(()));
        let outcome = Tag::get_or_create(conn, is_rust(), rust());
        assert!(matches!(outcome, Err(Error::TransactionLost { .. })));
        Ok(())
    });
    // MySQL refuses no COMMIT.
    assert_eq!(outcome.is_ok(), system() == System::Mysql);
    assert_eq!(names(&mut conn), [""; 0]);
    LOG.take();
}
