//! `check` knows a parent in another schema from a table of the same name, and its SQL names the right one.
#![allow(missing_docs, reason = "schema modules are generated")]

mod sessions;

use std::sync::Mutex;

use backends::{Database, TestConnection, insert, on, open_schema};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::check::Finding;
use diesel_hooks::prelude::*;
use sessions::on_mysql;

diesel::table! { hooks_zoo.keepers (id) { id -> Integer, name -> Text } }
diesel::table! { pets (id) { id -> Integer, keeper_id -> Integer } }
diesel::table! { vets (id) { id -> Integer, name -> Text } }
diesel::table! { hooks_zoo.visits (id) { id -> Integer, vet_id -> Integer } }

#[derive(Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Keeper {
    id: i32,
    name: String,
}

#[derive(Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Pet {
    id: i32,
    #[hooks(foreign_key(Keeper, on_delete = Cascade))]
    keeper_id: i32,
}

#[derive(Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Vet {
    id: i32,
    name: String,
}

#[derive(Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Visit {
    id: i32,
    #[hooks(foreign_key(Vet, on_delete = Cascade))]
    vet_id: i32,
}

/// Of each parent's table there is one in the other schema too, to which the foreign keys refer.
#[cfg(any(feature = "postgres", feature = "mysql"))]
const TABLES: &str = "
    CREATE TABLE keepers (id {key}, name VARCHAR(20) NOT NULL);
    CREATE TABLE vets (id {key}, name VARCHAR(20) NOT NULL);
    CREATE TABLE pets (id {key}, keeper_id INTEGER NOT NULL,
        CONSTRAINT kept FOREIGN KEY (keeper_id) REFERENCES keepers (id));
    CREATE INDEX by_keeper ON pets (keeper_id);
";
const BESIDE: &str = "
    CREATE TABLE hooks_zoo.keepers (id {key}, name VARCHAR(20) NOT NULL);
    CREATE TABLE hooks_zoo.vets (id {key}, name VARCHAR(20) NOT NULL);
    CREATE TABLE hooks_zoo.visits (id {key}, vet_id INTEGER NOT NULL,
        CONSTRAINT seen FOREIGN KEY (vet_id) REFERENCES hooks_zoo.vets (id));
";

fn findings(conn: &mut TestConnection) -> Vec<Finding> {
    let findings = diesel_hooks::check(conn).expect("the catalog is read");
    let is_wrong = |it: &Finding| !matches!(it, Finding::IndexMissing { .. });
    findings.into_iter().filter(is_wrong).collect()
}

/// On MySQL they have the other schema one after the other.
static ALONE: Mutex<()> = Mutex::new(());

fn close_schema(conn: &mut TestConnection) {
    if on_mysql() {
        conn.batch_execute("DROP TABLE pets; DROP DATABASE hooks_zoo")
            .expect("dropped");
    }
}

#[test]
fn a_key_to_the_schema_that_the_model_names_is_right() {
    let _alone = ALONE.lock();
    let of_own = "
        CREATE TABLE keepers (id {key}, name VARCHAR(20) NOT NULL);
        CREATE TABLE vets (id {key}, name VARCHAR(20) NOT NULL);";
    let (database, mut conn) = Database::open(of_own);
    let url = database.url();
    let (_, name) = url.rsplit_once('/').expect("a path or a URL");
    // SQLite's foreign keys stay in their database, and do not name it.
    let vets = on("vets".into(), "public.vets".into(), format!("{name}.vets"));
    let keepers = on("keepers", "hooks_zoo.keepers", "hooks_zoo.keepers");
    let beside = BESIDE.replace("REFERENCES hooks_zoo.vets", &format!("REFERENCES {vets}"));
    open_schema(&mut conn, "hooks_zoo", &beside);
    insert(
        &mut conn,
        &format!(
            "CREATE TABLE pets (id {{key}}, keeper_id INTEGER NOT NULL,
                CONSTRAINT kept FOREIGN KEY (keeper_id) REFERENCES {keepers} (id));"
        ),
    );
    assert_eq!(findings(&mut conn), []);
    close_schema(&mut conn);
}

/// SQLite's foreign keys name no schema.
#[cfg(any(feature = "postgres", feature = "mysql"))]
#[test]
fn a_key_to_a_table_of_the_same_name_is_told_and_replaced() {
    let _alone = ALONE.lock();
    let (_database, mut conn) = Database::open(TABLES);
    open_schema(&mut conn, "hooks_zoo", BESIDE);
    let found = findings(&mut conn);
    let said: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].contains("Pet.keeper_id")
            && said[0].contains("refers to hooks_zoo.keepers (id), but")
    );
    assert!(
        said[1].contains("Visit.vet_id")
            && said[1].contains("its foreign key to hooks_zoo.vets (id)")
    );
    for finding in &found {
        assert!(
            matches!(finding, Finding::ForeignKeyElsewhere { .. }),
            "{finding}"
        );
        let mend = finding.mend();
        conn.batch_execute(&mend)
            .unwrap_or_else(|error| panic!("{error}: {mend}"));
    }
    assert_eq!(findings(&mut conn), []);
    close_schema(&mut conn);
}
