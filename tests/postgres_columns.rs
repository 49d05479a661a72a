//! A model that only PostgreSQL can store goes on compiling when SQLite is on as well; it has no hooks
//! there.
#![allow(missing_docs)]

mod common;

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { documents (id) { id -> Integer, tags -> Array<Text>, owner -> Oid } }
diesel::table! { sheets (id) { id -> Integer, document_id -> Integer } }

#[derive(Debug, Clone, Queryable, Hooks)]
struct Document {
    id: i32,
    tags: Vec<String>,
    owner: u32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Sheet {
    id: i32,
    #[hooks(one_to_one(Document, on_delete = Protect, related_name = sheet))]
    document_id: i32,
}

/// Could be stored on SQLite too.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = sheets, check_for_backend(diesel::pg::Pg))]
struct PostgresSheet {
    id: i32,
    document_id: i32,
}

#[test]
fn a_model_has_hooks_on_the_backends_that_it_names() {
    fn names<M: diesel_hooks::Persist<C>, C: diesel_hooks::RawConnection>() -> &'static str {
        M::INFO.name
    }
    assert_eq!(
        names::<PostgresSheet, diesel::PgConnection>(),
        "PostgresSheet"
    );
    // On SQLite it has none, so that `check` does not look for it there.
    let mut conn = common::memory("CREATE TABLE sheets (id INTEGER PRIMARY KEY);");
    let findings = diesel_hooks::check(&mut conn).expect("the catalog is read");
    let missing = findings.iter().map(ToString::to_string);
    let missing: Vec<_> = missing.filter(|it| it.contains("PostgresSheet")).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn the_model_is_registered_and_its_neighbours_work_on_sqlite() {
    assert_eq!(diesel_hooks::registry().models().count(), 3);
    let document = Document {
        id: 1,
        tags: vec!["a".into()],
        owner: 10,
    };
    assert_eq!(document.pk(), 1);
    let new = NewDocument {
        tags: document.tags.clone(),
        owner: document.owner,
    };
    assert_eq!(new.tags, ["a"]);
    let mut conn = common::memory(
        "CREATE TABLE sheets (id INTEGER PRIMARY KEY, document_id INTEGER NOT NULL);",
    );
    let sheet = Sheet::create(
        &mut conn,
        NewSheet {
            document_id: document.id,
        },
    )
    .expect("a sheet");
    assert_eq!(Sheet::get(&mut conn, sheet.id).expect("it is there"), sheet);
}
