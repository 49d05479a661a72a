//! Django's cases of updates in bulk, as they hold here; `docs/django.md` lists them.

use crate::letters::{LOG, Letter, SCHEMA, letters as table, new_letter};
use backends::{TestConnection, fresh, of_rows, statements, verbs};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

fn database() -> TestConnection {
    let mut conn = fresh(SCHEMA);
    let new = ["first", "second", "third"].map(new_letter);
    Letter::create_many(&mut conn, new.into()).expect("three letters");
    LOG.take();
    conn
}

fn stamps(conn: &mut TestConnection) -> Vec<i32> {
    let stamps = table::table.order(table::id).select(table::stamps);
    stamps.load(conn).expect("letters can be read")
}

#[test]
fn blk_07_update_hooked_tells_of_each_row_and_returns_what_matched() {
    let mut conn = database();
    let matched = table::table.filter(table::text.ne("second"));
    let (rows, sent) = statements(&mut conn, |conn| {
        matched.update_hooked::<Letter>(conn, |it| it.stamps = 2)
    });
    let ids: Vec<i32> = rows.expect("updated").iter().map(|it| it.id).collect();
    assert_eq!(ids, [1, 3]);
    assert_eq!(of_rows(&sent), ["SELECT", "UPDATE"]);
    assert_eq!(
        LOG.take(),
        [
            "pre_save update",
            "pre_save update",
            "pre_update from first",
            "pre_update from third",
            "post_update stamps from first",
            "post_update stamps from third",
            "post_save updated stamps",
            "post_save updated stamps"
        ]
    );
    assert_eq!(stamps(&mut conn), [2, 1, 2]);
}

#[test]
fn blk_07_plain_diesel_stays_silent() {
    let mut conn = database();
    let count = diesel::update(table::table)
        .set(table::stamps.eq(2))
        .execute(&mut conn);
    assert_eq!(count, Ok(3));
    assert_eq!(LOG.take(), [""; 0]);
    assert_eq!(stamps(&mut conn), [2, 2, 2]);
}

#[test]
fn blk_08_values_of_their_own_for_many_rows_are_written_in_one_transaction() {
    let mut conn = database();
    let (rows, sent) = statements(&mut conn, |conn| {
        table::table.update_hooked::<Letter>(conn, |it| it.stamps = 10 * it.id)
    });
    assert_eq!(rows.expect("updated").len(), 3);
    assert_eq!(
        verbs(&sent),
        ["BEGIN", "SELECT", "UPDATE", "UPDATE", "UPDATE", "COMMIT"]
    );
    assert_eq!(stamps(&mut conn), [10, 20, 30]);
    assert_eq!(LOG.take().len(), 3 * 4);

    let refused = table::table.update_hooked::<Letter>(&mut conn, |it| {
        it.stamps = 0;
        if it.id == 3 {
            it.text = "refused after".into();
        }
    });
    assert!(refused.is_err());
    assert_eq!(stamps(&mut conn), [10, 20, 30]);
    LOG.take();
}
