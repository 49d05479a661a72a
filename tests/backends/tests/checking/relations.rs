//! `check` finds where the database and the declarations do not agree, and says how to mend it.
#![allow(dead_code, reason = "the models are only looked at")]

use backends::{TestConnection, fresh, ignore_foreign_keys, on, statements, verbs};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::check::{Finding, SchemaAction, Severity};
use diesel_hooks::prelude::*;

const SCHEMA: &str = "
    CREATE TABLE owners (id {key}, name TEXT NOT NULL);
    CREATE TABLE pets (id {key}, owner_id INTEGER NOT NULL UNIQUE REFERENCES owners (id), name TEXT);
    CREATE TABLE chips (code TEXT PRIMARY KEY, pet_id INTEGER, FOREIGN KEY (pet_id) REFERENCES pets (id) ON DELETE RESTRICT);
    CREATE UNIQUE INDEX chips_pet ON chips (pet_id);
    CREATE TABLE toys (id {key}, pet_id INTEGER NOT NULL REFERENCES pets (id) ON DELETE CASCADE,
        owner_id INTEGER REFERENCES owners (id));
    CREATE INDEX toys_pet ON toys (pet_id, owner_id);
    CREATE INDEX toys_owner ON toys (owner_id);
    CREATE TABLE {the table} ({q}the key{q} {key}, {the column} INTEGER NOT NULL UNIQUE REFERENCES owners (id));
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

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Owner {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Pet {
    id: i32,
    #[hooks(one_to_one(Owner, on_delete = Cascade, related_name = pet))]
    owner_id: i32,
    name: Option<String>,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[diesel(primary_key(code))]
#[hooks(connection(TestConnection))]
struct Chip {
    code: String,
    #[hooks(one_to_one(Pet, on_delete = Protect))]
    pet_id: Option<i32>,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Toy {
    id: i32,
    #[hooks(foreign_key(Pet, on_delete = Database))]
    pet_id: i32,
    #[hooks(foreign_key(Owner, on_delete = DoNothing))]
    owner_id: Option<i32>,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[diesel(table_name = odd, primary_key(key))]
#[hooks(connection(TestConnection))]
struct Odd {
    key: i32,
    #[hooks(one_to_one(Owner, on_delete = Protect))]
    owner_id: i32,
}

/// A second struct over a table, with other columns.
#[derive(Debug, Clone, Queryable, Selectable, Hooks)]
#[diesel(table_name = pets)]
#[hooks(connection(TestConnection))]
#[hooks(new = NewPet)]
struct NamedPet {
    id: i32,
    #[diesel(select_expression = pets::name.is_null())]
    nameless: bool,
}

#[receiver(dispatch_uid = "chips.recycle")]
fn recycle(_: &PreDelete<Chip>) {}

fn database(schema: &str) -> TestConnection {
    let odd = schema.replace("{the table}", &quoted("odd 'name\"`"));
    fresh(&odd.replace("{the column}", &quoted("a \"b")))
}

/// A name as this database quotes it.
fn quoted(name: &str) -> String {
    let quote = on("\"", "\"", "`");
    format!("{quote}{}{quote}", name.replace(quote, &quote.repeat(2)))
}

/// What is found about the models of this file.
fn findings(conn: &mut TestConnection) -> Vec<Finding> {
    let findings = diesel_hooks::check(conn).expect("the catalog can be read");
    let of_this_file = |it: &Finding| it.to_string().contains(file!());
    findings.into_iter().filter(of_this_file).collect()
}

fn find(schema: &str) -> Vec<Finding> {
    findings(&mut database(schema))
}

/// What is found where the schema has the one text in place of the other.
fn found(good: &str, bad: &str) -> Finding {
    let schema = SCHEMA.replacen(good, bad, 1);
    assert_ne!(schema, SCHEMA, "{good}");
    let findings = find(&schema);
    let [finding] = &findings[..] else {
        panic!("one finding, not: {findings:?}")
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
    assert_eq!(find(SCHEMA), []);
}

#[test]
fn it_looks_through_whatever_holds_the_connection_and_writes_nothing() {
    let conn = &mut database(SCHEMA);
    let (findings, sent) = statements(conn, |mut conn| diesel_hooks::check(&mut conn));
    findings.expect("it can be read");
    let mut verbs = verbs(&sent);
    verbs.dedup();
    assert_eq!(verbs, ["SELECT"]);
}

#[test]
fn foreign_keys_that_are_off_are_found() {
    let mut conn = database(SCHEMA);
    ignore_foreign_keys(&mut conn);
    let off = |conn: &mut TestConnection| {
        let findings = diesel_hooks::check(conn).expect("it can be read");
        let is_off = |it: &Finding| it.to_string().starts_with("foreign keys are off");
        findings.into_iter().find(is_off)
    };
    let found = off(&mut conn);
    // On PostgreSQL nothing of the kind is found.
    let is_right = |it: &Finding| {
        on(
            *it == Finding::ForeignKeysOff,
            false,
            *it == Finding::ForeignKeyChecksOff,
        )
    };
    assert_eq!(found.as_ref().is_some_and(is_right), on(true, false, true));
    if let Some(finding) = found {
        assert_eq!(finding.severity(), Severity::Error);
        conn.batch_execute(&finding.mend()).expect("it is SQL");
        assert_eq!(off(&mut conn), None);
    }
}

#[test]
fn a_table_that_is_not_there_is_found_once_for_each_model_over_it() {
    let findings = find(
        &SCHEMA
            .replacen("CREATE TABLE chips", "CREATE TABLE chip", 1)
            .replace("INDEX chips_pet ON chips", "INDEX chips_pet ON chip"),
    );
    let [finding] = &findings[..] else {
        panic!("{findings:?}")
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
    let mend = finding.mend();
    let [table, column] = ["pets", "name"].map(quoted);
    let add = format!("ALTER TABLE {table} ADD COLUMN {column}");
    assert!(mend.contains(&add), "{mend}");
}

#[test]
fn a_relation_without_a_foreign_key_is_found() {
    let finding = found(
        "owner_id INTEGER NOT NULL UNIQUE REFERENCES owners (id), name",
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
    let mend = finding.mend();
    let [column, table, key] = ["pet_id", "pets", "id"].map(quoted);
    let clause = format!("FOREIGN KEY ({column}) REFERENCES {table} ({key})");
    assert!(mend.contains(&clause), "{mend}");
}

#[test]
fn what_the_schema_does_on_delete_is_held_against_the_relation() {
    let finding = found(
        "UNIQUE REFERENCES owners (id), name",
        "UNIQUE REFERENCES owners (id) ON DELETE CASCADE, name",
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

/// The schema with the one text in place of the other agrees when it is mended by what is told.
fn is_mended(good: &str, bad: &str, finding: &Finding) {
    let mut conn = database(&SCHEMA.replacen(good, bad, 1));
    conn.batch_execute(&finding.mend()).expect("it is SQL");
    assert_eq!(findings(&mut conn), [], "{bad}");
}

#[test]
fn a_one_to_one_relation_that_is_not_unique_is_found_with_the_index_that_it_lacks() {
    const UNIQUE: &str = "CREATE UNIQUE INDEX chips_pet ON chips (pet_id);";
    // MySQL has no index of some rows, and MariaDB none of an expression.
    let some: &[&str] = &[
        "CREATE UNIQUE INDEX chips_pet ON chips (pet_id) WHERE pet_id > 5;",
        "CREATE UNIQUE INDEX chips_pet ON chips (abs(pet_id));",
    ];
    let others = [
        "CREATE INDEX chips_pet ON chips (pet_id);",
        "CREATE UNIQUE INDEX chips_pet ON chips (pet_id, code);",
        "",
    ];
    for bad in others.iter().chain(on(some, some, &[])) {
        let finding = found(UNIQUE, bad);
        assert_eq!(
            text(&finding),
            "Chip.pet_id is one to one, but chips (pet_id) is not unique",
            "{bad}"
        );
        is_mended(UNIQUE, bad, &finding);
    }
}

#[test]
fn names_of_any_kind_are_found_and_quoted() {
    let (good, bad) = (
        "{the column} INTEGER NOT NULL UNIQUE",
        "{the column} INTEGER NOT NULL",
    );
    let finding = found(good, bad);
    assert_eq!(
        text(&finding),
        "Odd.owner_id is one to one, but odd 'name\"` (a \"b) is not unique"
    );
    is_mended(good, bad, &finding);

    let columns = SCHEMA.replace("pet_id", "PET_ID");
    let tables = columns.replace("TABLE pets", "TABLE Pets");
    let upper = on(&tables, &tables, &columns);
    assert_eq!(find(upper), [], "the database does not tell cases apart");
}

#[test]
fn findings_are_printed_the_worst_first_with_how_to_mend_them() {
    let mut conn = database(
        &SCHEMA
            .replacen(
                "UNIQUE REFERENCES owners (id), name",
                "UNIQUE REFERENCES owners (id) ON DELETE CASCADE, name",
                1,
            )
            .replacen("CREATE UNIQUE INDEX chips_pet ON chips (pet_id);", "", 1),
    );
    let findings = diesel_hooks::check(&mut conn).expect("the catalog can be read");
    let printed = findings.to_string();
    let mut lines = printed.lines().skip_while(|it| !it.contains(file!()));
    let first = lines.next().expect("a finding");
    assert!(first.starts_with("error: Chip.pet_id ("), "{first}");
    let [index, table, column] = ["chips_pet_id_key", "chips", "pet_id"].map(quoted);
    assert_eq!(
        lines.next(),
        Some(&*format!(
            "    CREATE UNIQUE INDEX {index} ON {table} ({column});"
        ))
    );
    let mut later = lines.filter(|it| it.contains(file!()));
    let second = later.next().expect("another finding");
    assert!(second.starts_with("warning: Pet.owner_id ("), "{second}");
    assert_eq!(later.next(), None);
}

#[test]
fn a_foreign_key_without_an_index_is_slow_and_needs_no_unique_one() {
    for (good, bad) in [
        ("CREATE INDEX toys_pet ON toys (pet_id, owner_id);", ""),
        ("(pet_id, owner_id)", "(owner_id, pet_id)"),
        ("(pet_id, owner_id)", "(pet_id) WHERE pet_id > 5"),
    ] {
        if on(false, false, true) {
            // It makes an index for each foreign key.
            let bad = bad.split(" WHERE").next().unwrap_or_default();
            assert_eq!(find(&SCHEMA.replacen(good, bad, 1)), []);
            continue;
        }
        let finding = found(good, bad);
        assert!(matches!(finding, Finding::IndexMissing { .. }));
        assert_eq!(
            text(&finding),
            "Toy.pet_id has no index on toys (pet_id): each delete of a Pet reads all of the table"
        );
        assert_eq!(finding.severity(), Severity::Warning);
        is_mended(good, bad, &finding);
    }
}

#[test]
fn what_is_left_to_the_schema_has_to_be_in_it() {
    let by_default = on("NO ACTION", "NO ACTION", "RESTRICT");
    for (action, said) in [
        ("ON DELETE NO ACTION", "NO ACTION"),
        ("ON DELETE RESTRICT", "RESTRICT"),
        ("", by_default),
    ] {
        let finding = found(
            "REFERENCES pets (id) ON DELETE CASCADE",
            &format!("REFERENCES pets (id) {action}"),
        );
        assert_eq!(
            text(&finding),
            format!("Toy.pet_id says on_delete = Database, but its foreign key ON DELETE {said}")
        );
        assert_eq!(finding.severity(), Severity::Error);
        let mend = finding.mend();
        assert!(mend.contains("ON DELETE CASCADE"), "{mend}");
    }
    let other = SCHEMA
        .replacen("pet_id INTEGER NOT NULL", "pet_id INTEGER", 1)
        .replacen(
            "REFERENCES pets (id) ON DELETE CASCADE",
            "REFERENCES pets (id) ON DELETE SET NULL",
            1,
        );
    assert_eq!(find(&other), [], "any action will do");
}

#[test]
fn a_relation_that_does_nothing_is_told_what_the_schema_does() {
    let finding = found(
        "owner_id INTEGER REFERENCES owners (id))",
        "owner_id INTEGER REFERENCES owners (id) ON DELETE SET NULL)",
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

    let finding = found(
        "owner_id INTEGER REFERENCES owners (id))",
        "owner_id INTEGER)",
    );
    assert!(matches!(finding, Finding::ForeignKeyMissing { .. }));
    assert_eq!(finding.severity(), Severity::Warning);
}
