//! `check` finds where the database and the declarations do not agree, and says how to mend it.
#![allow(missing_docs, dead_code, reason = "the models are only looked at")]

mod common;

use common::{memory, statements, verbs};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::check::{Finding, Findings, SchemaAction, Severity};
use diesel_hooks::prelude::*;

const SCHEMA: &str = "
    CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE pets (id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL UNIQUE REFERENCES owners, name TEXT);
    CREATE TABLE chips (code TEXT PRIMARY KEY, pet_id INTEGER, FOREIGN KEY (pet_id) REFERENCES pets (id) ON DELETE RESTRICT);
    CREATE UNIQUE INDEX chips_pet ON chips (pet_id);
    CREATE TABLE toys (id INTEGER PRIMARY KEY, pet_id INTEGER NOT NULL REFERENCES pets ON DELETE CASCADE, owner_id INTEGER REFERENCES owners);
    CREATE INDEX toys_pet ON toys (pet_id, owner_id);
    CREATE INDEX toys_owner ON toys (owner_id);
    CREATE TABLE \"odd 'name\"\"`\" (\"the key\" INTEGER PRIMARY KEY, \"a \"\"b\" INTEGER NOT NULL UNIQUE REFERENCES owners);
";

diesel::table! { owners (id) { id -> Integer, name -> Text } }
diesel::table! { pets (id) { id -> Integer, owner_id -> Integer, name -> Nullable<Text> } }
diesel::table! { chips (code) { code -> Text, pet_id -> Nullable<Integer> } }
diesel::table! {
    #[sql_name = "odd 'name\"`"]
    odd (key) {
        #[sql_name = "the key"]
        key -> Integer,
        #[sql_name = "a \"b"]
        owner_id -> Integer,
    }
}
diesel::table! { toys (id) { id -> Integer, pet_id -> Integer, owner_id -> Nullable<Integer> } }
diesel::table! { elsewhere (id) { id -> Integer, only -> Text } }

#[derive(Debug, Clone, Queryable, Hooks)]
struct Owner {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
struct Pet {
    id: i32,
    #[hooks(one_to_one(Owner, on_delete = Cascade, related_name = pet))]
    owner_id: i32,
    name: Option<String>,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[diesel(primary_key(code))]
struct Chip {
    code: String,
    #[hooks(one_to_one(Pet, on_delete = Protect))]
    pet_id: Option<i32>,
}

#[derive(Debug, Clone, Queryable, Hooks)]
struct Toy {
    id: i32,
    #[hooks(foreign_key(Pet, on_delete = Database))]
    pet_id: i32,
    #[hooks(foreign_key(Owner, on_delete = DoNothing))]
    owner_id: Option<i32>,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[diesel(table_name = odd, primary_key(key))]
struct Odd {
    key: i32,
    #[hooks(one_to_one(Owner, on_delete = Protect))]
    owner_id: i32,
}

/// A second struct over a table, with other columns.
#[derive(Debug, Clone, Queryable, Selectable, Hooks)]
#[diesel(table_name = pets)]
#[hooks(new = NewPet)]
struct NamedPet {
    id: i32,
    #[diesel(select_expression = pets::name.is_null())]
    nameless: bool,
}

/// Not stored on SQLite, so nothing is missing there.
#[derive(Debug, Clone, Queryable, Hooks)]
#[diesel(table_name = elsewhere, check_for_backend(Pg))]
#[hooks(new = NewPet)]
struct Elsewhere {
    id: i32,
    only: String,
}

#[receiver(dispatch_uid = "chips.recycle")]
fn recycle(_: &PreDelete<Chip>) {}

fn find(schema: &str) -> Findings {
    diesel_hooks::check(&mut memory(schema)).expect("the catalog can be read")
}

/// What is found where the schema has the one text in place of the other.
fn found(good: &str, bad: &str) -> Finding {
    let schema = SCHEMA.replacen(good, bad, 1);
    assert_ne!(schema, SCHEMA, "{good}");
    let findings = find(&schema);
    let [finding] = &findings[..] else {
        panic!("one finding, not: {findings}")
    };
    finding.clone()
}

/// The text without the place, which is any line of this file.
fn text(finding: &Finding) -> String {
    let text = finding.to_string();
    let Some((before, after)) = text.split_once(&format!(" ({}:", file!())) else {
        return text;
    };
    let (line, after) = after.split_once(')').expect("the place ends");
    assert!(line.parse::<u32>().is_ok(), "{line}");
    format!("{before}{after}")
}

#[test]
fn a_schema_that_agrees_has_no_findings() {
    let findings = find(SCHEMA);
    assert!(findings.is_empty(), "{findings}");
    assert_eq!(findings.to_string(), "");
}

#[test]
fn it_looks_through_whatever_holds_the_connection_and_writes_nothing() {
    let conn = &mut memory(SCHEMA);
    let ((), sent) = statements(conn, |mut conn| {
        assert!(
            diesel_hooks::check(&mut conn)
                .expect("it can be read")
                .is_empty()
        );
    });
    let mut verbs = verbs(&sent);
    verbs.dedup();
    assert_eq!(verbs, ["SELECT"]);
}

#[test]
fn foreign_keys_that_are_off_are_found() {
    let conn = &mut memory(SCHEMA);
    conn.batch_execute("PRAGMA foreign_keys = OFF;")
        .expect("a pragma");
    let findings = diesel_hooks::check(conn).expect("it can be read");
    assert_eq!(findings[..], [Finding::ForeignKeysOff]);
    assert_eq!(findings[0].severity(), Severity::Error);
    conn.batch_execute(&findings[0].mend()).expect("it is SQL");
    assert!(
        diesel_hooks::check(conn)
            .expect("it can be read")
            .is_empty()
    );
}

#[test]
fn a_table_that_is_not_there_is_found_once_for_each_model_over_it() {
    let findings = find(
        &SCHEMA
            .replacen("CREATE TABLE chips", "CREATE TABLE chip", 1)
            .replace("INDEX chips_pet ON chips", "INDEX chips_pet ON chip"),
    );
    let [finding] = &findings[..] else {
        panic!("{findings}")
    };
    assert!(
        matches!(finding, Finding::TableMissing { model, table } if model.name == "Chip" && *table == ["chips"])
    );
    assert_eq!(text(finding), "there is no table chips for Chip");
    assert!(finding.mend().contains("migration"), "{}", finding.mend());
    // The models over `pets`, for one of which the rest of the schema has no foreign key.
    let none = find("");
    let texts: Vec<_> = none.iter().map(text).collect();
    assert_eq!(
        texts,
        [
            "there is no table chips for Chip",
            "there is no table odd 'name\"` for Odd",
            "there is no table owners for Owner",
            "there is no table pets for NamedPet",
            "there is no table pets for Pet",
            "there is no table toys for Toy",
        ]
    );
}

#[test]
fn a_column_that_is_not_there_is_found() {
    let finding = found(", name TEXT)", ")");
    assert!(
        matches!(&finding, Finding::ColumnMissing { model, column, .. } if model.name == "Pet" && column == "name")
    );
    assert_eq!(
        text(&finding),
        "there is no column name in table pets for Pet"
    );
    assert!(
        finding
            .mend()
            .contains("ALTER TABLE \"pets\" ADD COLUMN \"name\""),
        "{}",
        finding.mend()
    );
}

#[test]
fn a_relation_without_a_foreign_key_is_found() {
    let finding = found(
        "owner_id INTEGER NOT NULL UNIQUE REFERENCES owners, name",
        "owner_id INTEGER NOT NULL UNIQUE, name",
    );
    assert_eq!(
        text(&finding),
        "Pet.owner_id refers to owners (id) without a foreign key: nothing keeps it from a row that is gone"
    );
    assert_eq!(finding.severity(), Severity::Error);
    let Finding::ForeignKeyMissing { relation, refers } = &finding else {
        panic!("{finding}")
    };
    assert_eq!((relation.child.name, relation.field), ("Pet", "owner_id"));
    assert_eq!(
        (&*refers.table, &*refers.parent),
        (&["pets".to_owned()][..], "owners")
    );
}

#[test]
fn the_recipe_for_a_foreign_key_works_as_it_is_written() {
    let missing = SCHEMA.replacen("UNIQUE REFERENCES owners, name", "UNIQUE, name", 1);
    let conn = &mut memory(&missing);
    conn.batch_execute(
        "INSERT INTO owners VALUES (1, 'Ada'); INSERT INTO pets VALUES (1, 1, 'Rex');",
    )
    .expect("rows");
    let findings = diesel_hooks::check(conn).expect("it can be read");
    let mend = findings[0].mend();
    let (_, recipe) = mend.split_once("this foreign key: ").expect("a recipe");
    let recipe = recipe.replace(
        "(.., ",
        "(id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL UNIQUE, name TEXT, ",
    );
    conn.batch_execute(&recipe).expect("it is SQL");
    let after = diesel_hooks::check(conn).expect("it can be read");
    assert!(after.is_empty(), "{after}");
    assert_eq!(pets::table.count().get_result(conn), Ok(1_i64));
}

#[test]
fn a_foreign_key_to_something_else_is_found() {
    let finding = found("REFERENCES pets (id)", "REFERENCES owners (id)");
    assert_eq!(
        text(&finding),
        "Chip.pet_id refers to pets (id), but its foreign key to owners (id)"
    );
    let finding = found("REFERENCES pets (id)", "REFERENCES pets (owner_id)");
    assert_eq!(
        text(&finding),
        "Chip.pet_id refers to pets (id), but its foreign key to pets (owner_id)"
    );
    assert_eq!(finding.severity(), Severity::Error);
    assert!(
        finding
            .mend()
            .contains("FOREIGN KEY (\"pet_id\") REFERENCES \"pets\" (\"id\"))"),
        "{}",
        finding.mend()
    );
}

#[test]
fn what_the_schema_does_on_delete_is_held_against_the_relation() {
    let finding = found(
        "UNIQUE REFERENCES owners, name",
        "UNIQUE REFERENCES owners ON DELETE CASCADE, name",
    );
    assert_eq!(
        text(&finding),
        "Pet.owner_id says on_delete = Cascade, but its foreign key ON DELETE CASCADE"
    );
    assert_eq!(finding.severity(), Severity::Warning, "nobody listens");
    assert!(
        finding
            .mend()
            .starts_with("say `on_delete = Database` if no receiver"),
        "{}",
        finding.mend()
    );

    let finding = found("ON DELETE RESTRICT", "ON DELETE SET NULL");
    assert_eq!(
        text(&finding),
        "Chip.pet_id says on_delete = Protect, but its foreign key ON DELETE SET NULL"
    );
    assert_eq!(finding.severity(), Severity::Error);
}

#[test]
fn a_cascade_of_the_schema_names_the_receivers_that_hear_nothing() {
    let finding = found("ON DELETE RESTRICT", "ON DELETE CASCADE");
    let Finding::OnDeleteContradicts {
        schema, unheard, ..
    } = &finding
    else {
        panic!("{finding}")
    };
    assert_eq!(
        (*schema, &unheard[..]),
        (SchemaAction::Cascade, &["chips.recycle"][..])
    );
    assert!(text(&finding).ends_with(
        "ON DELETE CASCADE: rows that the database deletes are not heard of by chips.recycle"
    ));
    assert_eq!(finding.severity(), Severity::Error);
}

#[test]
fn a_one_to_one_relation_that_is_not_unique_is_found_with_the_index_that_it_lacks() {
    for (good, bad) in [
        (
            "CREATE UNIQUE INDEX chips_pet ON chips (pet_id)",
            "CREATE INDEX chips_pet ON chips (pet_id)",
        ),
        (
            "CREATE UNIQUE INDEX chips_pet ON chips (pet_id)",
            "CREATE UNIQUE INDEX chips_pet ON chips (pet_id) WHERE pet_id > 5",
        ),
        (
            "CREATE UNIQUE INDEX chips_pet ON chips (pet_id)",
            "CREATE UNIQUE INDEX chips_pet ON chips (pet_id, code)",
        ),
        (
            "CREATE UNIQUE INDEX chips_pet ON chips (pet_id)",
            "CREATE UNIQUE INDEX chips_pet ON chips (abs(pet_id))",
        ),
        ("CREATE UNIQUE INDEX chips_pet ON chips (pet_id);", ""),
    ] {
        let finding = found(good, bad);
        assert_eq!(
            text(&finding),
            "Chip.pet_id is one to one, but chips (pet_id) is not unique",
            "{bad}"
        );
        let conn = &mut memory(&SCHEMA.replacen(good, bad, 1));
        conn.batch_execute(&finding.mend()).expect("it is SQL");
        assert!(
            diesel_hooks::check(conn)
                .expect("it can be read")
                .is_empty()
        );
    }
}

#[test]
fn names_of_any_kind_are_found_and_quoted() {
    let finding = found(
        "\"\"b\" INTEGER NOT NULL UNIQUE",
        "\"\"b\" INTEGER NOT NULL",
    );
    assert_eq!(
        text(&finding),
        "Odd.owner_id is one to one, but odd 'name\"` (a \"b) is not unique"
    );
    let conn = &mut memory(&SCHEMA.replacen(
        "\"\"b\" INTEGER NOT NULL UNIQUE",
        "\"\"b\" INTEGER NOT NULL",
        1,
    ));
    conn.batch_execute(&finding.mend()).expect("it is SQL");
    assert!(
        diesel_hooks::check(conn)
            .expect("it can be read")
            .is_empty()
    );

    let upper = SCHEMA
        .replace("pet_id", "PET_ID")
        .replace("TABLE pets", "TABLE Pets");
    assert!(find(&upper).is_empty(), "SQLite does not tell cases apart");
}

#[test]
fn a_table_is_looked_for_where_statements_look_for_it() {
    let conn = &mut memory(
        &SCHEMA
            .replace("CREATE TABLE chips", "CREATE TEMP TABLE chips")
            .replace(
                "CREATE UNIQUE INDEX chips_pet",
                "CREATE UNIQUE INDEX temp.chips_pet",
            ),
    );
    conn.batch_execute("CREATE TEMP TABLE pets (id INTEGER PRIMARY KEY, name TEXT);")
        .expect("a table");
    let findings = diesel_hooks::check(conn).expect("it can be read");
    let texts: Vec<_> = findings.iter().map(text).collect();
    assert_eq!(texts, ["there is no column owner_id in table pets for Pet"]);
}

#[test]
fn findings_are_printed_the_worst_first_with_how_to_mend_them() {
    let findings = find(
        &SCHEMA
            .replacen(
                "UNIQUE REFERENCES owners, name",
                "UNIQUE REFERENCES owners ON DELETE CASCADE, name",
                1,
            )
            .replacen("CREATE UNIQUE INDEX chips_pet ON chips (pet_id);", "", 1),
    );
    let printed = findings.to_string();
    let lines: Vec<_> = printed.lines().collect();
    let [first, mend, second, _] = lines[..] else {
        panic!("{printed}")
    };
    assert!(first.starts_with("error: Chip.pet_id ("), "{first}");
    assert_eq!(
        mend,
        "    CREATE UNIQUE INDEX \"chips_pet_id_key\" ON \"chips\" (\"pet_id\");"
    );
    assert!(second.starts_with("warning: Pet.owner_id ("), "{second}");
    assert_eq!(findings.into_iter().count(), 2);
}

#[test]
fn a_foreign_key_without_an_index_is_slow_and_needs_no_unique_one() {
    for (good, bad) in [
        ("CREATE INDEX toys_pet ON toys (pet_id, owner_id);", ""),
        ("(pet_id, owner_id)", "(owner_id, pet_id)"),
        ("(pet_id, owner_id)", "(pet_id) WHERE pet_id > 5"),
    ] {
        let finding = found(good, bad);
        assert!(matches!(finding, Finding::IndexMissing { .. }));
        assert_eq!(
            text(&finding),
            "Toy.pet_id has no index on toys (pet_id): each delete of a Pet reads all of the table"
        );
        assert_eq!(finding.severity(), Severity::Warning);
        let conn = &mut memory(&SCHEMA.replacen(good, bad, 1));
        conn.batch_execute(&finding.mend()).expect("it is SQL");
        assert!(
            diesel_hooks::check(conn)
                .expect("it can be read")
                .is_empty()
        );
    }
}

#[test]
fn what_is_left_to_the_schema_has_to_be_in_it() {
    for action in ["ON DELETE NO ACTION", "ON DELETE RESTRICT", ""] {
        let finding = found(
            "REFERENCES pets ON DELETE CASCADE",
            &format!("REFERENCES pets {action}"),
        );
        let said = if action == "ON DELETE RESTRICT" {
            "RESTRICT"
        } else {
            "NO ACTION"
        };
        assert_eq!(
            text(&finding),
            format!("Toy.pet_id says on_delete = Database, but its foreign key ON DELETE {said}")
        );
        assert_eq!(finding.severity(), Severity::Error);
        assert!(
            finding.mend().contains("ON DELETE CASCADE"),
            "{}",
            finding.mend()
        );
    }
    let other = SCHEMA.replacen(
        "REFERENCES pets ON DELETE CASCADE",
        "REFERENCES pets ON DELETE SET NULL",
        1,
    );
    assert!(find(&other).is_empty(), "any action will do");
}

#[test]
fn a_relation_that_does_nothing_is_told_what_the_schema_does() {
    let finding = found(
        "owner_id INTEGER REFERENCES owners)",
        "owner_id INTEGER REFERENCES owners ON DELETE SET NULL)",
    );
    assert_eq!(
        text(&finding),
        "Toy.owner_id says on_delete = DoNothing, but its foreign key ON DELETE SET NULL"
    );
    assert_eq!(finding.severity(), Severity::Warning);
    assert!(
        finding.mend().starts_with("say `on_delete = Database`"),
        "{}",
        finding.mend()
    );

    let finding = found("owner_id INTEGER REFERENCES owners)", "owner_id INTEGER)");
    assert!(matches!(finding, Finding::ForeignKeyMissing { .. }));
    assert_eq!(finding.severity(), Severity::Warning);
}
