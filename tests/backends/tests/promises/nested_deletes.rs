//! A receiver of a delete may delete rows itself, also those that are going already.

use std::panic::{AssertUnwindSafe, catch_unwind};

use backends::fresh;
use backends::script::{LOG, counted, on_event};
use backends::{TestConnection, hear_deletes};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { albums (id) { id -> Integer } }
diesel::table! { folders (id) { id -> Integer } }
diesel::table! { photos (id) { id -> Integer, album_id -> Integer, folder_id -> Nullable<Integer> } }

const SCHEMA: &str = "
    CREATE TABLE albums (id {key});
    CREATE TABLE folders (id {key});
    CREATE TABLE photos (id {key}, album_id INTEGER NOT NULL REFERENCES albums (id),
        folder_id INTEGER REFERENCES folders (id));
    INSERT INTO albums VALUES (1), (2);
    INSERT INTO folders VALUES (1);
    INSERT INTO photos VALUES (1, 1, NULL), (2, 1, 1), (3, 2, NULL);
";

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Album {
    id: i32,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Photo {
    id: i32,
    #[hooks(one_to_one(Album, on_delete = Cascade, related_name = cover))]
    album_id: i32,
}

/// Nobody listens to it.
#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = photos)]
struct Picture {
    id: i32,
    #[hooks(one_to_one(Folder, on_delete = Cascade))]
    folder_id: Option<i32>,
}

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Folder {
    id: i32,
}

hear_deletes! {
    pre_album post_album Album;
    pre_photo post_photo Photo;
}

/// What an undisturbed delete of album 1 sends.
const EACH_ONCE: [&str; 6] = [
    "pre Photo 1",
    "pre Photo 2",
    "pre Album 1",
    "post Photo 1",
    "post Photo 2",
    "post Album 1",
];

fn left(conn: &mut TestConnection) -> (Vec<i32>, Vec<i32>) {
    (
        albums::table.select(albums::id).load(conn).expect("albums"),
        photos::table.select(photos::id).load(conn).expect("photos"),
    )
}

fn picture(id: i32) -> Picture {
    Picture {
        id,
        folder_id: None,
    }
}

fn delete_photo(conn: &mut TestConnection, id: i32) -> diesel_hooks::Result {
    Photo::get(conn, id)?.delete(conn).map(drop)
}

#[test]
fn whatever_a_receiver_deletes_of_the_same_delete_is_heard_and_counted_once() {
    type Act = fn(&mut TestConnection) -> diesel_hooks::Result;
    let acts: [(&str, Act); 5] = [
        ("the child", |conn| delete_photo(conn, 1)),
        ("another child", |conn| delete_photo(conn, 2)),
        ("the root", |conn| Album { id: 1 }.delete(conn).map(drop)),
        ("a child with another parent of its table", |conn| {
            Folder { id: 1 }.delete(conn).map(drop)
        }),
        ("a child through another struct", |conn| {
            picture(2).delete(conn).map(drop)
        }),
    ];
    for (what, act) in acts {
        for when in EACH_ONCE {
            let mut conn = fresh(SCHEMA);
            on_event(move |event, conn| match event == when {
                // By the last event some are gone for good.
                true => act(conn).or_else(|error| match error {
                    diesel_hooks::Error::NotFound { .. } => Ok(()),
                    error => Err(error),
                }),
                false => Ok(()),
            });
            let place = format!("{what} at {when}");
            let deleted = Album { id: 1 }
                .delete(&mut conn)
                .unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(LOG.take(), EACH_ONCE, "{place}");
            assert_eq!(
                counted(deleted),
                (3, vec![("Album", 1), ("Photo", 2)]),
                "{place}"
            );
            assert_eq!(left(&mut conn), (vec![2], vec![3]), "{place}");
        }
    }
}

#[test]
fn a_delete_inside_a_delete_counts_what_it_deleted() {
    let mut conn = fresh(SCHEMA);
    on_event(|event, conn| {
        if event == "pre Photo 2" {
            let (total, by_model) = counted(Album { id: 1 }.delete(conn)?);
            LOG.push(format!("inside: {total} {by_model:?}"));
        }
        Ok(())
    });
    Album { id: 1 }.delete(&mut conn).expect("deleted");
    assert_eq!(LOG.take()[2], "inside: 3 [(\"Album\", 1), (\"Photo\", 2)]");
}

#[test]
fn three_deletes_inside_each_other_send_each_signal_once() {
    let mut conn = fresh(SCHEMA);
    on_event(|event, conn| match event {
        "pre Album 1" => Album { id: 2 }.delete(conn).map(drop),
        // Inside the delete of album 2, rows of the outermost.
        "pre Photo 3" => delete_photo(conn, 2),
        "post Photo 3" => Album { id: 1 }.delete(conn).map(drop),
        _ => Ok(()),
    });
    let deleted = Album { id: 1 }.delete(&mut conn).expect("deleted");
    assert_eq!(
        LOG.take(),
        [
            "pre Photo 1",
            "pre Photo 2",
            "pre Album 1",
            "pre Photo 3",
            "pre Album 2",
            "post Photo 3",
            "post Album 2",
            "post Photo 1",
            "post Photo 2",
            "post Album 1",
        ]
    );
    assert_eq!(counted(deleted), (3, vec![("Album", 1), ("Photo", 2)]));
    assert_eq!(left(&mut conn), (vec![], vec![]));
}

#[test]
fn a_row_that_came_back_with_a_rollback_is_deleted_by_the_outer_delete() {
    let mut conn = fresh(SCHEMA);
    on_event(|event, conn| {
        if event == "pre Photo 1" {
            let undone = conn.transaction(|conn| -> diesel_hooks::Result {
                delete_photo(conn, 2)?;
                Err(diesel::result::Error::RollbackTransaction.into())
            });
            assert!(undone.is_err());
        }
        Ok(())
    });
    let deleted = Album { id: 1 }.delete(&mut conn).expect("deleted");
    assert_eq!(LOG.take(), EACH_ONCE);
    assert_eq!(counted(deleted), (3, vec![("Album", 1), ("Photo", 2)]));
    assert_eq!(left(&mut conn), (vec![2], vec![3]));
}

#[test]
fn what_a_failed_delete_inside_deleted_is_not_taken_for_gone() {
    let mut conn = fresh(SCHEMA);
    on_event(|event, conn| match event {
        "pre Photo 2" => {
            // It takes photo 1 of the outer delete, and fails at its own album.
            conn.batch_execute("UPDATE photos SET album_id = 2 WHERE id = 1")?;
            Album { id: 2 }.delete(conn).expect_err("album 2 stays");
            conn.batch_execute("DELETE FROM photos WHERE id = 1")?;
            Ok(())
        }
        "post Album 2" => Err(diesel::result::Error::RollbackTransaction.into()),
        _ => Ok(()),
    });
    let deleted = Album { id: 1 }.delete(&mut conn).expect("deleted");
    let heard = LOG.take();
    let posts = heard.iter().filter(|event| event.starts_with("post"));
    assert_eq!(
        posts.collect::<Vec<_>>(),
        [
            "post Photo 3",
            "post Album 2",
            "post Photo 2",
            "post Album 1"
        ]
    );
    assert_eq!(counted(deleted), (2, vec![("Album", 1), ("Photo", 1)]));
    assert_eq!(left(&mut conn), (vec![2], vec![3]));
}

#[test]
fn a_row_that_takes_the_key_of_one_that_went_is_heard_on_its_own() {
    let mut conn = fresh(SCHEMA);
    on_event(|event, conn| {
        if event == "post Photo 2" {
            on_event(|_, _| Ok(()));
            conn.batch_execute("INSERT INTO photos VALUES (1, 2, NULL)")?;
            delete_photo(conn, 1)?;
        }
        Ok(())
    });
    let deleted = Album { id: 1 }.delete(&mut conn).expect("deleted");
    assert_eq!(
        LOG.take()[3..],
        [
            "post Photo 1",
            "post Photo 2",
            "pre Photo 1",
            "post Photo 1",
            "post Album 1"
        ]
    );
    assert_eq!(deleted.total, 3);
    assert_eq!(left(&mut conn), (vec![2], vec![3]));
}

#[test]
fn after_an_error_or_a_panic_the_rows_are_announced_again() {
    for panics in [false, true] {
        let mut conn = fresh(SCHEMA);
        on_event(move |event, _| match (event, panics) {
            ("post Photo 1", true) => panic!("in a receiver"),
            ("post Photo 1", false) => Err(diesel::result::Error::RollbackTransaction.into()),
            _ => Ok(()),
        });
        let caught = catch_unwind(AssertUnwindSafe(|| Album { id: 1 }.delete(&mut conn)));
        assert!(!matches!(caught, Ok(Ok(_))), "panics: {panics}");
        assert_eq!(left(&mut conn), (vec![1, 2], vec![1, 2, 3]));
        LOG.take();
        on_event(|_, _| Ok(()));
        let deleted = Album { id: 1 }.delete(&mut conn).expect("deleted");
        assert_eq!(LOG.take(), EACH_ONCE, "panics: {panics}");
        assert_eq!(deleted.total, 3, "panics: {panics}");
    }
}

#[test]
fn what_needs_a_memory_of_the_connection_says_that_there_is_no_room_for_one() {
    let mut conn = fresh(SCHEMA);
    conn.set_instrumentation(|_: diesel::connection::InstrumentationEvent<'_>| {});
    let error = Album { id: 1 }.delete(&mut conn).expect_err("no room");
    assert!(
        matches!(error, diesel_hooks::Error::Instrumentation),
        "{error:?}"
    );
    assert!(LOG.take().is_empty());
    assert_eq!(left(&mut conn), (vec![1, 2], vec![1, 2, 3]));
    let deleted = picture(1).delete(&mut conn).expect("nobody listens");
    assert_eq!(counted(deleted), (1, vec![("Picture", 1)]));
}
