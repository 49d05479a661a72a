//! Django's cases of deleting, as they hold here: how many statements it takes, and what they name.

use backends::script::{LOG, counted};
use backends::{
    TestConnection, fresh, has_arrays, insert, keys_at_once, many, model, of_rows, on, rows,
    statements,
};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

model!(Plain of plains { name: String = [Text] });

model!(Shelf of shelves { name: String = [Text] });
model!(Nulled of nulleds {
    #[hooks(foreign_key(Shelf, on_delete = SetNull))]
    shelf_id: Option<i32> = [Nullable<Integer>],
});
model!(Defaulted of defaulteds {
    #[hooks(foreign_key(Shelf, on_delete = SetDefault, default = first))]
    shelf_id: i32 = [Integer],
});
model!(Asked of askeds {
    #[hooks(foreign_key(Shelf, on_delete = Set(asked)))]
    shelf_id: i32 = [Integer],
});

fn first() -> i32 {
    1
}

fn asked(_conn: &mut TestConnection) -> diesel_hooks::Result<i32> {
    Ok(first())
}

model!(Folder of folders { name: String = [Text] });
model!(File of files {
    #[hooks(foreign_key(Folder, on_delete = Cascade))]
    folder_id: i32 = [Integer],
    size: i32 = [Integer],
});
model!(Part of parts {
    #[hooks(foreign_key(File, on_delete = Cascade))]
    file_id: i32 = [Integer],
    size: i32 = [Integer],
});

#[receiver]
fn saved(_event: &PostSave<File>) {
    LOG.push("saved");
}

model!(Heap of heaps { name: String = [Text] });
model!(Stone of stones {
    #[hooks(foreign_key(Heap, on_delete = Cascade))]
    heap_id: i32 = [Integer],
    weight: i32 = [Integer],
});
model!(Grain of grains {
    #[hooks(foreign_key(Stone, on_delete = Cascade))]
    stone_id: i32 = [Integer],
    weight: i32 = [Integer],
});

/// Heard through its trait.
trait Audited {}

impl Audited for Verse {}

model!(Poem of poems { name: String = [Text] });

diesel::table! { verses (id) { id -> Integer, poem_id -> Integer } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(extends(Audited))]
struct Verse {
    id: i32,
    #[hooks(foreign_key(Poem, on_delete = Cascade))]
    poem_id: i32,
}

model!(Title of titles {
    #[hooks(foreign_key(Poem, on_delete = Cascade))]
    poem_id: i32 = [Integer],
});

#[receiver]
fn audited(_event: &PostDelete<dyn Audited>) {
    LOG.push("audited");
}

#[receiver]
fn grain_goes(event: &PreDelete<Grain>) {
    LOG.push(format!(
        "pre {} of {}",
        event.instance.id, event.instance.weight
    ));
}

#[receiver]
fn grain_went(event: &PostDelete<Grain>) {
    LOG.push(format!("post {}", event.instance.id));
}

model!(Town of towns { name: String = [Text] });
model!(Road of roads {
    #[hooks(foreign_key(Town, on_delete = Cascade))]
    from_id: i32 = [Integer],
    #[hooks(foreign_key(Town, on_delete = Cascade))]
    to_id: i32 = [Integer],
});

const SCHEMA: &str = "
    CREATE TABLE plains (id {key}, name TEXT NOT NULL);
    CREATE TABLE shelves (id {key}, name TEXT NOT NULL);
    CREATE TABLE nulleds (id {key}, shelf_id INTEGER REFERENCES shelves (id));
    CREATE TABLE defaulteds (id {key}, shelf_id INTEGER NOT NULL REFERENCES shelves (id));
    CREATE TABLE askeds (id {key}, shelf_id INTEGER NOT NULL REFERENCES shelves (id));
    CREATE TABLE folders (id {key}, name TEXT NOT NULL);
    CREATE TABLE files (id {key}, folder_id INTEGER NOT NULL REFERENCES folders (id), size INTEGER NOT NULL);
    CREATE TABLE parts (id {key}, file_id INTEGER NOT NULL REFERENCES files (id), size INTEGER NOT NULL);
    CREATE TABLE heaps (id {key}, name TEXT NOT NULL);
    CREATE TABLE stones (id {key}, heap_id INTEGER NOT NULL REFERENCES heaps (id), weight INTEGER NOT NULL);
    CREATE TABLE grains (id {key}, stone_id INTEGER NOT NULL REFERENCES stones (id), weight INTEGER NOT NULL);
    CREATE TABLE poems (id {key}, name TEXT NOT NULL);
    CREATE TABLE verses (id {key}, poem_id INTEGER NOT NULL REFERENCES poems (id));
    CREATE TABLE titles (id {key}, poem_id INTEGER NOT NULL REFERENCES poems (id));
    CREATE TABLE towns (id {key}, name TEXT NOT NULL);
    CREATE TABLE roads (id {key},
        from_id INTEGER NOT NULL REFERENCES towns (id), to_id INTEGER NOT NULL REFERENCES towns (id));
    CREATE INDEX files_folder ON files (folder_id); CREATE INDEX parts_file ON parts (file_id);
    CREATE INDEX stones_heap ON stones (heap_id); CREATE INDEX grains_stone ON grains (stone_id);
";

fn database(rows: &str) -> TestConnection {
    let mut conn = fresh(SCHEMA);
    insert(&mut conn, rows);
    conn
}

fn deletes(sent: &[String]) -> usize {
    of_rows(sent)
        .iter()
        .filter(|verb| **verb == "DELETE")
        .count()
}

fn selects(sent: &[String]) -> usize {
    of_rows(sent)
        .iter()
        .filter(|verb| **verb == "SELECT")
        .count()
}

#[test]
fn del_06_what_is_set_is_one_update_each_and_only_a_function_with_the_connection_asks_first() {
    let mut conn = database("INSERT INTO shelves VALUES (1, 'first'), (2, 'second'), (3, 'third')");
    Shelf::get(&mut conn, 3)
        .expect("a shelf")
        .delete(&mut conn)
        .expect("deleted");
    let shelf = Shelf::get(&mut conn, 2).expect("a shelf");
    let (outcome, sent) = statements(&mut conn, |conn| shelf.delete(conn));
    assert_eq!(counted(outcome.expect("deleted")), (1, vec![("Shelf", 1)]));
    assert_eq!(of_rows(&sent), ["SELECT", "UPDATE", "UPDATE", "DELETE"]);
    assert!(
        sent.iter()
            .any(|sql| sql.starts_with("UPDATE `nulleds` SET `shelf_id` = NULL WHERE"))
    );

    let mut conn = database(
        "INSERT INTO shelves VALUES (1, 'first'), (2, 'second');
        INSERT INTO nulleds VALUES (1, 2); INSERT INTO defaulteds VALUES (1, 2); INSERT INTO askeds VALUES (1, 2);",
    );
    let shelf = Shelf::get(&mut conn, 2).expect("a shelf");
    let (outcome, sent) = statements(&mut conn, |conn| shelf.delete(conn));
    outcome.expect("deleted");
    assert_eq!(
        of_rows(&sent),
        ["SELECT", "UPDATE", "UPDATE", "UPDATE", "DELETE"]
    );
    assert_eq!(rows(&mut conn, "nulleds"), ["1 -"]);
    assert_eq!(rows(&mut conn, "defaulteds"), ["1 1"]);
    assert_eq!(rows(&mut conn, "askeds"), ["1 1"]);
}

#[test]
fn del_27_a_silent_subtree_of_two_levels_takes_three_statements() {
    let mut conn = database("INSERT INTO folders VALUES (1, 'home')");
    let rows_of = [
        many("files", 200, "i, 1, i"),
        many("parts", 600, "i, 1 + i % 200, i"),
    ];
    conn.batch_execute(&rows_of.concat()).expect("rows");
    let folder = Folder::get(&mut conn, 1).expect("a folder");
    let (deleted, sent) = statements(&mut conn, |conn| folder.delete(conn));
    let each = vec![("File", 200), ("Folder", 1), ("Part", 600)];
    assert_eq!(counted(deleted.expect("deleted")), (801, each));
    assert_eq!(of_rows(&sent), ["DELETE", "DELETE", "DELETE"]);
    assert!(
        sent.iter()
            .any(|sql| sql.starts_with("DELETE FROM `parts` WHERE") && sql.contains("(SELECT "))
    );
}

#[test]
fn del_28_every_statement_names_so_many_keys_at_most() {
    let batch = keys_at_once();
    let mut conn = database("INSERT INTO heaps VALUES (1, 'high')");
    let rows_of = [
        many("stones", 2 * batch, "i, 1, i"),
        many("grains", 2 * batch, "i, i, i"),
    ];
    conn.batch_execute(&rows_of.concat()).expect("rows");
    let heap = Heap::get(&mut conn, 1).expect("a heap");
    let (deleted, sent) = statements(&mut conn, |conn| heap.delete(conn));
    assert_eq!(deleted.expect("deleted").total, 4 * batch + 1);
    assert_eq!(LOG.take().len(), 4 * batch);
    // The stones of one heap; the grains of each batch of stones.
    let locked = on(0, 1, 1);
    assert_eq!(selects(&sent), locked + 1 + 2);
    assert_eq!(deletes(&sent), 2 * 2 + 1);
    if !has_arrays() {
        let binds = sent.iter().map(|sql| sql.matches('?').count());
        assert_eq!(binds.max(), Some(batch));
    }
}

#[test]
fn del_32_silent_dependents_go_by_what_they_refer_to_however_many() {
    for count in [3, 2_000] {
        let mut conn = database(
            "INSERT INTO poems VALUES (1, 'ode'); INSERT INTO folders VALUES (1, 'home');",
        );
        conn.batch_execute(&many("files", count, "i, 1, i"))
            .expect("rows");
        let folder = Folder::get(&mut conn, 1).expect("a folder");
        let (deleted, sent) = statements(&mut conn, |conn| folder.delete(conn));
        let each = vec![("File", count), ("Folder", 1)];
        assert_eq!(counted(deleted.expect("deleted")), (count + 1, each));
        assert_eq!(selects(&sent), 0, "{sent:?}");
        assert!(
            sent.iter()
                .any(|sql| sql == "DELETE FROM `files` WHERE `files`.`folder_id` = ?"),
            "{sent:?}"
        );
    }
}

#[test]
fn del_33_rows_of_a_join_table_go_by_one_statement_for_each_of_its_relations() {
    let mut conn = database(
        "INSERT INTO towns VALUES (1, 'Bern'), (2, 'Thun'); INSERT INTO roads VALUES (1, 1, 2), (2, 2, 1), (3, 2, 2);",
    );
    let town = Town::get(&mut conn, 1).expect("a town");
    let (deleted, sent) = statements(&mut conn, |conn| town.delete(conn));
    assert_eq!(
        counted(deleted.expect("deleted")),
        (3, vec![("Road", 2), ("Town", 1)])
    );
    assert_eq!(of_rows(&sent), ["DELETE"; 3]);
    assert_eq!(rows(&mut conn, "roads"), ["3 2 2"]);
}

#[test]
fn del_36_two_relations_of_a_model_to_one_row_are_a_statement_each_and_a_row_counts_once() {
    let mut conn = database(
        "INSERT INTO towns VALUES (1, 'Bern'), (2, 'Thun'); INSERT INTO roads VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1);",
    );
    let town = Town::get(&mut conn, 1).expect("a town");
    let (deleted, sent) = statements(&mut conn, |conn| town.delete(conn));
    assert_eq!(
        counted(deleted.expect("deleted")),
        (4, vec![("Road", 3), ("Town", 1)])
    );
    assert_eq!(of_rows(&sent), ["DELETE"; 3]);
}

#[test]
fn del_37_who_hears_a_trait_has_the_rows_of_its_models_loaded_and_no_others() {
    let mut conn = database(
        "INSERT INTO poems VALUES (1, 'ode'); INSERT INTO verses VALUES (1, 1), (2, 1); INSERT INTO titles VALUES (1, 1);",
    );
    let poem = Poem::get(&mut conn, 1).expect("a poem");
    let (deleted, sent) = statements(&mut conn, |conn| poem.delete(conn));
    assert_eq!(deleted.expect("deleted").total, 4);
    assert_eq!(LOG.take(), ["audited", "audited"]);
    let reads = |table: &str| {
        sent.iter()
            .any(|sql| sql.starts_with("SELECT") && sql.contains(table))
    };
    assert!(reads("`verses`") && !reads("`titles`"), "{sent:?}");
}

#[test]
fn del_38_who_hears_other_signals_costs_a_delete_nothing() {
    let mut conn = database("INSERT INTO folders VALUES (1, 'home')");
    File::create(
        &mut conn,
        NewFile {
            folder_id: 1,
            size: 1,
        },
    )
    .expect("a file");
    assert_eq!(LOG.take(), ["saved"]);
    let folder = Folder::get(&mut conn, 1).expect("a folder");
    let (deleted, sent) = statements(&mut conn, |conn| folder.delete(conn));
    assert_eq!(deleted.expect("deleted").total, 2);
    assert_eq!(of_rows(&sent), ["DELETE"; 3]);
}

#[test]
fn del_41_a_row_that_goes_alone_is_exactly_one_statement() {
    let mut conn = database("INSERT INTO plains VALUES (1, 'plain'), (2, 'plain')");
    for id in [1, 2] {
        let plain = Plain::get(&mut conn, id).expect("a row");
        let (deleted, sent) = statements(&mut conn, |conn| plain.delete(conn));
        assert_eq!(deleted.expect("deleted").total, 1);
        assert_eq!(
            sent.last().map(String::as_str),
            Some("DELETE FROM `plains` WHERE `plains`.`id` = ?")
        );
        assert!(id == 1 || sent.len() == 1, "{sent:?}");
    }
}

#[test]
fn del_42_where_nobody_hears_of_the_rows_their_keys_are_read_and_nothing_else() {
    let mut conn = database(
        "INSERT INTO heaps VALUES (1, 'high'); INSERT INTO stones VALUES (1, 1, 50); INSERT INTO grains VALUES (1, 1, 7);",
    );
    let heap = Heap::get(&mut conn, 1).expect("a heap");
    let (deleted, sent) = statements(&mut conn, |conn| heap.delete(conn));
    assert_eq!(deleted.expect("deleted").total, 3);
    let read = |table: &str| {
        let reads =
            |sql: &&String| sql.starts_with("SELECT") && sql.contains(&format!("FROM `{table}`"));
        sent.iter().find(reads).map(|sql| sql.contains("weight"))
    };
    // Its row is locked by its key.
    assert_eq!(read("heaps"), on(None, Some(false), Some(false)));
    assert_eq!(read("stones"), Some(false), "{sent:?}");
    assert_eq!(read("grains"), Some(true), "{sent:?}");
    assert_eq!(LOG.take(), ["pre 1 of 7", "post 1"]);
}

#[test]
fn dsp_17_whether_anybody_hears_of_a_row_is_known_without_a_query() {
    let mut conn = database("INSERT INTO folders VALUES (1, 'one'), (2, 'two'), (3, 'three');");
    conn.batch_execute(&many("files", 3, "i, i, i"))
        .expect("files");
    let delete = |conn: &mut TestConnection, id| {
        let folder = Folder::get(conn, id).expect("a folder");
        let (deleted, sent) = statements(conn, |conn| folder.delete(conn));
        assert_eq!(deleted.expect("deleted").total, 2);
        selects(&sent)
    };
    assert_eq!(delete(&mut conn, 1), 0);
    let guard = conn
        .connect(|event: &PostDelete<File>, _: &mut TestConnection| {
            LOG.push(format!("file {}", event.instance.id));
        })
        .expect("connected");
    assert!(delete(&mut conn, 2) > 0);
    assert_eq!(LOG.take(), ["file 2"]);
    drop(guard);
    assert_eq!(delete(&mut conn, 3), 0);
    assert_eq!(LOG.take(), [""; 0]);
}
