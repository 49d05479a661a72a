//! Django's cases of deleting, as they hold here: the rows of a query.

use backends::script::{LOG, counted};
use backends::{TestConnection, fresh, insert, many, model, of_rows, on, rows, statements};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

model!(Plain of plains { name: String = [Text] });

diesel::allow_tables_to_appear_in_same_query!(plains, folders);

model!(Folder of folders { name: String = [Text] });
model!(File of files {
    #[hooks(foreign_key(Folder, on_delete = Cascade))]
    folder_id: i32 = [Integer],
});

model!(Heap of heaps { name: String = [Text] });
model!(Stone of stones {
    #[hooks(foreign_key(Heap, on_delete = Cascade))]
    heap_id: i32 = [Integer],
});

#[receiver]
fn stone_goes(event: &PreDelete<Stone>) {
    LOG.push(format!("pre {}", event.instance.id));
}

const SCHEMA: &str = "
    CREATE TABLE plains (id {key}, name TEXT NOT NULL);
    CREATE TABLE folders (id {key}, name TEXT NOT NULL);
    CREATE TABLE files (id {key}, folder_id INTEGER NOT NULL REFERENCES folders (id));
    CREATE TABLE heaps (id {key}, name TEXT NOT NULL);
    CREATE TABLE stones (id {key}, heap_id INTEGER NOT NULL REFERENCES heaps (id));
";

fn database(rows: &str) -> TestConnection {
    let mut conn = fresh(SCHEMA);
    insert(&mut conn, rows);
    conn
}

#[test]
fn del_31_a_query_of_rows_that_nobody_hears_of_is_one_statement() {
    let mut conn = database(&many("plains", 50, "i, 'plain'"));
    let (deleted, sent) = statements(&mut conn, |conn| {
        plains::table
            .filter(plains::id.gt(10))
            .delete_hooked::<Plain>(conn)
    });
    assert_eq!(
        counted(deleted.expect("deleted")),
        (40, vec![("Plain", 40)])
    );
    assert_eq!(of_rows(&sent), ["DELETE"]);
    let (deleted, sent) = statements(&mut conn, |conn| plains::table.delete_hooked::<Plain>(conn));
    assert_eq!(deleted.expect("deleted").total, 10);
    let plain = "DELETE FROM `plains` WHERE `plains`.`id` IN (SELECT `plains`.`id` FROM `plains`)";
    // MariaDB takes a LIMIT, which such a query may have, only one level further down.
    let nested = "DELETE FROM `plains` WHERE `plains`.`id` IN \
        (SELECT * FROM (SELECT `plains`.`id` FROM `plains`) AS diesel_hooks_limited)";
    assert_eq!(sent, [on(plain, plain, nested)]);
    assert_eq!(rows(&mut conn, "plains"), [""; 0]);
}

#[test]
fn del_34_a_query_with_joins_or_aggregates_is_one_statement_with_a_subselect() {
    let mut conn = database(
        "INSERT INTO plains VALUES (1, 'a'), (2, 'b'), (3, 'b'); INSERT INTO folders VALUES (1, 'b'), (2, 'b');",
    );
    let (deleted, sent) = statements(&mut conn, |conn| {
        plains::table
            .inner_join(folders::table.on(folders::name.eq(plains::name)))
            .delete_hooked::<Plain>(conn)
    });
    assert_eq!(counted(deleted.expect("deleted")), (2, vec![("Plain", 2)]));
    assert_eq!(of_rows(&sent), ["DELETE"]);
    assert_eq!(rows(&mut conn, "plains"), ["1 a"]);
    conn.batch_execute("INSERT INTO plains VALUES (5, 'c')")
        .expect("a row");
    let all = diesel::alias!(plains as all_plains);
    let last = all
        .select(diesel::dsl::max(all.field(plains::id)))
        .single_value();
    let newest = plains::table.filter(plains::id.nullable().eq(last));
    let (deleted, sent) = statements(&mut conn, |conn| newest.delete_hooked::<Plain>(conn));
    assert_eq!(deleted.expect("deleted").total, 1);
    assert_eq!(of_rows(&sent), ["DELETE"]);
    assert_eq!(rows(&mut conn, "plains"), ["1 a"]);
}

#[test]
fn del_35_a_query_that_matches_nothing_is_one_statement_and_counts_nothing() {
    let mut conn = database("");
    let (deleted, sent) = statements(&mut conn, |conn| {
        plains::table
            .filter(plains::id.gt(10))
            .delete_hooked::<Plain>(conn)
    });
    assert_eq!(counted(deleted.expect("nothing")), (0, vec![]));
    assert_eq!(of_rows(&sent), ["DELETE"]);
    // What depends on the rows makes no difference.
    let (deleted, sent) = statements(&mut conn, |conn| {
        folders::table.delete_hooked::<Folder>(conn)
    });
    assert_eq!(counted(deleted.expect("nothing")), (0, vec![]));
    assert_eq!(of_rows(&sent), ["SELECT"]);
    let (deleted, sent) = statements(&mut conn, |conn| heaps::table.delete_hooked::<Heap>(conn));
    assert_eq!(counted(deleted.expect("nothing")), (0, vec![]));
    assert_eq!(of_rows(&sent), ["SELECT"]);
}

#[test]
fn del_63_a_limited_query_deletes_what_it_names() {
    let mut conn = database(&many("plains", 5, "i, 'plain'"));
    let last = plains::table.order(plains::id.desc()).limit(2).offset(1);
    let deleted = last.delete_hooked::<Plain>(&mut conn).expect("deleted");
    assert_eq!(deleted.total, 2);
    assert_eq!(rows(&mut conn, "plains"), ["1 plain", "2 plain", "5 plain"]);
    let mut conn = database(&many("heaps", 5, "i, 'heap'"));
    conn.batch_execute("INSERT INTO stones VALUES (1, 1), (4, 4)")
        .expect("rows");
    let last = heaps::table.order(heaps::id.desc()).limit(2).into_boxed();
    let deleted = last.delete_hooked::<Heap>(&mut conn).expect("deleted");
    assert_eq!(counted(deleted), (3, vec![("Heap", 2), ("Stone", 1)]));
    assert_eq!(rows(&mut conn, "heaps").len(), 3);
    assert_eq!(rows(&mut conn, "stones"), ["1 1"]);
}

#[test]
fn del_64_an_order_and_what_is_selected_make_no_difference() {
    let mut conn = database(&many("plains", 5, "i, 'plain'"));
    let query = plains::table
        .filter(plains::id.le(3))
        .order(plains::name)
        .select(plains::name);
    let deleted = query.delete_hooked::<Plain>(&mut conn).expect("deleted");
    assert_eq!(deleted.total, 3);
    assert_eq!(rows(&mut conn, "plains"), ["4 plain", "5 plain"]);
}

#[test]
fn a_query_may_borrow_what_it_compares_with() {
    let mut conn = database(
        "INSERT INTO folders VALUES (1, 'b'), (2, 'c'); INSERT INTO files VALUES (1, 1), (2, 2)",
    );
    let (name, ids) = (String::from("b"), vec![1, 2]);
    let named = folders::table.filter(folders::name.eq(&name));
    assert_eq!(
        named.load_hooked::<Folder>(&mut conn).expect("read").len(),
        1
    );
    let named = folders::table
        .filter(folders::name.eq(&*name))
        .filter(folders::id.eq_any(&ids));
    let deleted = named.delete_hooked::<Folder>(&mut conn).expect("deleted");
    assert_eq!(counted(deleted), (2, vec![("File", 1), ("Folder", 1)]));
    let boxed = folders::table.filter(folders::id.eq_any(&ids)).into_boxed();
    assert_eq!(
        boxed
            .delete_hooked_at_most::<Folder>(&mut conn, 2)
            .expect("deleted")
            .total,
        2
    );
    assert_eq!(rows(&mut conn, "files"), [""; 0]);
}
