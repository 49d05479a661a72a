//! What is missing is mended by the database's SQL that is told.

use backends::{Database, System, TestConnection, system};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::check::Finding;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, name -> Text } }
diesel::table! {
    #[sql_name = "odd profiles"]
    profiles (id) {
        id -> Integer,
        #[sql_name = "user"]
        user_id -> Integer,
    }
}
diesel::table! { nowhere.notes (id) { id -> Integer, text -> Text } }

#[derive(Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct User {
    id: i32,
    name: String,
}

#[derive(Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Profile {
    id: i32,
    #[hooks(one_to_one(User, on_delete = Cascade))]
    user_id: i32,
}

#[derive(Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Note {
    id: i32,
    text: String,
}

const TABLES: &str = "CREATE TABLE users (id {key}, name VARCHAR(20) NOT NULL);";

/// What is to be said of profiles.
fn findings(conn: &mut TestConnection) -> Vec<Finding> {
    let findings = diesel_hooks::check(conn).expect("the catalog is read");
    let of_profiles = |it: &Finding| it.to_string().contains("Profile");
    findings.into_iter().filter(of_profiles).collect()
}

#[test]
fn a_schema_that_fits_has_no_findings_and_one_in_a_schema_that_is_not_there_has_no_table() {
    let fits = "CREATE TABLE {q}odd profiles{q} (
        id {key}, {q}user{q} INTEGER NOT NULL UNIQUE, FOREIGN KEY ({q}user{q}) REFERENCES users (id)
    );";
    let (_database, mut conn) = Database::open(&format!("{TABLES}{fits}"));
    assert_eq!(findings(&mut conn), []);
    let all = diesel_hooks::check(&mut conn).expect("the catalog is read");
    let of_notes: Vec<_> = all
        .iter()
        .filter(|it| it.to_string().contains("Note"))
        .collect();
    assert!(
        matches!(of_notes[..], [Finding::TableMissing { .. }]),
        "{all}"
    );
}

#[test]
fn what_is_missing_is_mended_by_the_sql_that_is_told() {
    let bare = "CREATE TABLE {q}odd profiles{q} (id {key}, {q}user{q} INTEGER NOT NULL);";
    let (_database, mut conn) = Database::open(&format!("{TABLES}{bare}"));
    let found = findings(&mut conn);
    let kinds = found.iter().map(|it| match it {
        Finding::ForeignKeyMissing { .. } => "foreign key",
        Finding::UniqueMissing { .. } => "unique",
        _ => "another",
    });
    assert_eq!(kinds.collect::<Vec<_>>(), ["unique", "foreign key"]);
    for finding in &found {
        // SQLite's foreign key takes a new table, of which not all can be told.
        if system() != System::Sqlite || matches!(finding, Finding::UniqueMissing { .. }) {
            let mend = finding.mend();
            conn.batch_execute(&mend)
                .unwrap_or_else(|error| panic!("{error}: {mend}"));
        }
    }
    let left = findings(&mut conn);
    assert_eq!(
        left.len(),
        usize::from(system() == System::Sqlite),
        "{left:?}"
    );
}

#[test]
fn a_cascade_of_the_schema_is_replaced_by_the_sql_that_is_told() {
    let cascades = "CREATE TABLE {q}odd profiles{q} (
        id {key}, {q}user{q} INTEGER NOT NULL UNIQUE,
        CONSTRAINT {q}the key{q} FOREIGN KEY ({q}user{q}) REFERENCES users (id) ON DELETE CASCADE
    );";
    let (_database, mut conn) = Database::open(&format!("{TABLES}{cascades}"));
    let found = findings(&mut conn);
    let [finding @ Finding::OnDeleteContradicts { .. }] = &*found else {
        panic!("{found:?}");
    };
    let mend = finding.mend();
    let (_, sql) = mend.split_once(", or ").expect("two ways");
    if system() == System::Sqlite {
        assert!(sql.contains("CREATE TABLE \"new_odd profiles\""), "{mend}");
        return;
    }
    conn.batch_execute(sql)
        .unwrap_or_else(|error| panic!("{error}: {mend}"));
    assert!(findings(&mut conn).is_empty());
}
