//! Django's cases of saving and loading, as they hold here; `docs/django.md` will list them.

use crate::letters::{
    Card, LOG, Letter, NewCard, NewLetter, NewParcel, Parcel, SCHEMA, letters as table, new_letter,
    parcels,
};
use backends::{
    LOCK_FOUND, READ_BACK, TestConnection, fresh, of_rows, sequence, statements, verbs,
};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

fn database() -> TestConnection {
    fresh(SCHEMA)
}

/// A database that holds one letter, and knows its tables.
fn one_letter() -> (TestConnection, Letter) {
    let mut conn = database();
    let letter = Letter::create(&mut conn, new_letter("first")).expect("a letter");
    LOG.take();
    (conn, letter)
}

fn texts(conn: &mut TestConnection) -> Vec<String> {
    let texts = table::table.order(table::id).select(table::text);
    texts.load(conn).expect("letters can be read")
}

fn new_parcel(code: &str) -> NewParcel {
    NewParcel {
        code: code.into(),
        content: "books".into(),
    }
}

fn contents(conn: &mut TestConnection) -> Vec<(String, String)> {
    let parcels = parcels::table.order(parcels::code);
    parcels.load(conn).expect("parcels can be read")
}

const CREATED: [&str; 4] = [
    "pre_save insert",
    "pre_create",
    "post_create",
    "post_save created text, stamps",
];

#[test]
fn sig_01_a_create_sends_before_one_insert_and_after_it() {
    let (mut conn, _) = one_letter();
    let (letter, sent) = statements(&mut conn, |conn| Letter::create(conn, new_letter("new")));
    assert_eq!(letter.expect("a letter").id, 2);
    assert_eq!(LOG.take(), CREATED);
    assert_eq!(of_rows(&sent), sequence(&["INSERT", READ_BACK]));
    assert_eq!(texts(&mut conn), ["first", "new"]);
}

#[test]
fn sig_02_saving_it_again_is_one_update_and_nothing_is_created() {
    let (mut conn, mut letter) = one_letter();
    letter.text = "second".into();
    let (outcome, sent) = statements(&mut conn, |conn| letter.save(conn));
    outcome.expect("saved");
    assert_eq!(
        LOG.take(),
        [
            "pre_save update",
            "pre_update from first",
            "post_update text from first",
            "post_save updated text"
        ]
    );
    assert_eq!(
        of_rows(&sent),
        ["SELECT", "UPDATE"],
        "the row as it was, and the row as it is"
    );
    assert_eq!(texts(&mut conn), ["second"]);
}

#[test]
fn sig_03_a_key_of_ones_own_is_inserted_without_an_update_first() {
    let mut conn = database();
    Parcel::create(&mut conn, new_parcel("a")).expect("a parcel");
    LOG.take();
    let (parcel, sent) = statements(&mut conn, |conn| Parcel::create(conn, new_parcel("b")));
    assert_eq!(parcel.expect("a parcel").code, "b");
    assert!(LOG.take().contains(&"post_save created".to_owned()));
    assert_eq!(of_rows(&sent)[0], "INSERT");
    assert!(!of_rows(&sent).contains(&"UPDATE"));
}

#[test]
fn sig_04_a_changed_key_never_makes_a_second_row() {
    let (mut conn, letter) = one_letter();
    let mut other = Letter {
        id: 9,
        ..letter.clone()
    };
    let gone = other.save(&mut conn).expect_err("nothing has that key");
    assert!(matches!(
        gone,
        Error::NotFound {
            model: "Letter",
            ..
        }
    ));
    let mut same = letter.clone();
    let refused = same.update(&mut conn, |it| it.id = 9);
    assert!(matches!(refused, Err(Error::KeyChanged { .. })));
    assert_eq!(same, letter);
    let stored: Vec<i32> = table::table
        .select(table::id)
        .load(&mut conn)
        .expect("keys");
    assert_eq!(stored, [letter.id]);
    assert!(!LOG.take().iter().any(|it| it.starts_with("post")));
}

#[test]
fn sig_05_a_row_never_loaded_with_the_key_of_an_existing_one_is_one_update_by_upsert() {
    let mut conn = database();
    Parcel::create(&mut conn, new_parcel("a")).expect("a parcel");
    LOG.take();
    let new = NewParcel {
        content: "pens".into(),
        ..new_parcel("a")
    };
    let (outcome, sent) = statements(&mut conn, |conn| Parcel::upsert(conn, new));
    let (parcel, created) = outcome.expect("updated");
    assert_eq!((parcel.content.as_str(), created), ("pens", false));
    assert_eq!(of_rows(&sent), sequence(&["SELECT", LOCK_FOUND, "UPDATE"]));
    assert_eq!(LOG.take(), ["pre_save at depth 1", "post_save updated"]);
    assert_eq!(contents(&mut conn), [("a".into(), "pens".into())]);
}

#[test]
fn sig_06_an_existing_key_given_to_a_new_row_is_one_insert_that_is_refused() {
    let mut conn = database();
    Parcel::create(&mut conn, new_parcel("a")).expect("a parcel");
    LOG.take();
    let (outcome, sent) = statements(&mut conn, |conn| Parcel::create(conn, new_parcel("a")));
    assert_eq!(of_rows(&sent), ["INSERT"]);
    let error = outcome.expect_err("the key is taken");
    let unique = |it: &DieselError| {
        matches!(
            it,
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
        )
    };
    assert!(matches!(&error, Error::Query { source, .. } if unique(source)));
    assert_eq!(LOG.take(), ["pre_save at depth 1", "pre_create at depth 1"]);
}

#[test]
fn sig_07_a_create_never_falls_back_to_an_update() {
    let mut conn = database();
    Parcel::create(&mut conn, new_parcel("a")).expect("a parcel");
    let other = NewParcel {
        content: "shoes".into(),
        ..new_parcel("a")
    };
    Parcel::create(&mut conn, other).expect_err("the key is taken");
    assert_eq!(contents(&mut conn), [("a".into(), "books".into())]);
    assert_eq!(backends::depth(&mut conn), 0);
    LOG.take();
}

#[test]
fn sig_08_a_row_loaded_from_fixtures_is_raw_in_every_signal() {
    let mut conn = database();
    conn.loading_fixtures(|conn| {
        let mut letter = Letter::create(conn, new_letter("fixture"))?;
        letter.update(conn, |it| it.stamps = 2)
    })
    .expect("loaded");
    let log = LOG.take();
    assert_eq!(log.len(), 8);
    assert!(log.iter().all(|it| it.ends_with(" raw")), "{log:?}");
    Letter::create(&mut conn, new_letter("not a fixture")).expect("a letter");
    assert_eq!(LOG.take(), CREATED);
}

#[test]
fn sig_09_a_closure_can_be_connected_where_functions_are_compiled_in() {
    let mut conn = database();
    let prefix = String::from("heard by what owns this text:");
    let guard = conn.connect(move |event: &PostCreate<Letter>, _: &mut TestConnection| {
        LOG.push(format!("{prefix} {}", event.instance.text));
    });
    let guard = guard.expect("there is room");
    Letter::create(&mut conn, new_letter("it")).expect("a letter");
    drop(guard);
    let log = LOG.take();
    assert_eq!(log[3], "heard by what owns this text: it");
    assert_eq!(log.len(), 5);
}

#[test]
fn sig_10_one_transaction_is_around_the_signals_and_the_write() {
    let mut conn = database();
    Parcel::create(&mut conn, new_parcel("a")).expect("a parcel");
    LOG.take();
    let (outcome, sent) = statements(&mut conn, |conn| Parcel::create(conn, new_parcel("b")));
    outcome.expect("a parcel");
    assert_eq!(
        LOG.take(),
        [
            "pre_save at depth 1",
            "pre_create at depth 1",
            "post_create at depth 1",
            "post_save created"
        ]
    );
    let verbs = verbs(&sent);
    assert_eq!((verbs[0], verbs[verbs.len() - 1]), ("BEGIN", "COMMIT"));
    assert_eq!(verbs.iter().filter(|it| **it == "BEGIN").count(), 1);
    conn.transaction(|conn| Parcel::create(conn, new_parcel("c")))
        .expect("a parcel");
    assert_eq!(LOG.take()[0], "pre_save at depth 2");
}

#[test]
fn sig_11_a_receiver_that_fails_before_the_write_sends_no_statement_about_rows() {
    let (mut conn, mut letter) = one_letter();
    let (outcome, sent) = statements(&mut conn, |conn| {
        Letter::create(conn, new_letter("refused before"))
    });
    let error = outcome.expect_err("refused");
    assert_eq!(
        error.receiver_error::<crate::letters::Refused>(),
        Some(&crate::letters::Refused("before"))
    );
    assert!(of_rows(&sent).is_empty(), "{sent:?}");
    assert_eq!(LOG.take(), ["pre_save insert"]);
    let as_it_was = letter.clone();
    let refused = letter.update(&mut conn, |it| it.text = "refused before".into());
    assert!(matches!(refused, Err(Error::Receiver(_))));
    assert_eq!(letter, as_it_was);
    assert_eq!(LOG.take(), ["pre_save update"]);
    assert_eq!(texts(&mut conn), ["first"]);
}

#[test]
fn sig_12_a_receiver_that_fails_after_the_write_takes_the_row_back() {
    let (mut conn, mut letter) = one_letter();
    let error = Letter::create(&mut conn, new_letter("refused after")).expect_err("refused");
    assert!(error.receiver_error::<crate::letters::Refused>().is_some());
    assert_eq!(LOG.take(), CREATED);
    letter.text = "refused after".into();
    let as_it_was = letter.clone();
    letter.save(&mut conn).expect_err("refused");
    assert_eq!(
        letter, as_it_was,
        "the caller's own change stays the caller's"
    );
    assert_eq!(texts(&mut conn), ["first"]);
    assert_eq!(backends::depth(&mut conn), 0);
    LOG.take();
}

#[test]
fn sig_13_in_a_transaction_it_takes_the_row_back_and_leaves_the_rest() {
    let (mut conn, _) = one_letter();
    conn.transaction(|conn| {
        Letter::create(conn, new_letter("before"))?;
        Letter::create(conn, new_letter("refused after")).expect_err("refused");
        Parcel::create(conn, new_parcel("refused after")).expect_err("refused");
        Letter::create(conn, new_letter("behind"))
    })
    .expect("the transaction is usable");
    assert_eq!(texts(&mut conn), ["first", "before", "behind"]);
    assert!(contents(&mut conn).is_empty());
    LOG.take();
}

#[test]
fn sig_15_what_a_receiver_changes_before_the_write_is_written() {
    let (mut conn, mut letter) = one_letter();
    let created = Letter::create(&mut conn, new_letter("  padded ")).expect("a letter");
    letter.text = " trimmed ".into();
    letter.save(&mut conn).expect("saved");
    assert_eq!((&*created.text, &*letter.text), ("padded", "trimmed"));
    assert_eq!(texts(&mut conn), ["trimmed", "padded"]);
    LOG.take();
}

#[test]
fn sig_16_an_update_writes_the_columns_that_differ_and_receivers_see_which() {
    let (mut conn, mut letter) = one_letter();
    let (outcome, sent) = statements(&mut conn, |conn| letter.update(conn, |it| it.stamps = 5));
    outcome.expect("updated");
    let update = sent.iter().find(|it| it.starts_with("UPDATE"));
    let update = update.expect("one is sent");
    assert!(
        update.contains("stamps") && !update.contains("text"),
        "{update}"
    );
    assert_eq!(
        LOG.take()[2..],
        ["post_update stamps from first", "post_save updated stamps"]
    );
}

#[test]
fn sig_17_what_a_receiver_changes_besides_is_written_too() {
    let (mut conn, mut letter) = one_letter();
    diesel::update(table::table)
        .set(table::text.eq(" padded "))
        .execute(&mut conn)
        .expect("plain Diesel");
    letter.text = " padded ".into();
    letter
        .update(&mut conn, |it| it.stamps = 5)
        .expect("updated");
    assert_eq!((&*letter.text, letter.stamps), ("padded", 5));
    assert_eq!(texts(&mut conn), ["padded"]);
    assert_eq!(LOG.take()[3], "post_save updated text, stamps");
}

#[test]
fn sig_18_an_empty_update_is_no_statement_and_no_signal() {
    #[derive(AsChangeset)]
    #[diesel(table_name = crate::letters::letters)]
    struct Nothing {
        text: Option<String>,
    }

    let (mut conn, mut letter) = one_letter();
    let ((), sent) = statements(&mut conn, |conn| {
        letter.update(conn, |_| ()).expect("nothing to do");
        let nothing = Nothing { text: None };
        letter.update_set(conn, nothing).expect("nothing to do");
    });
    assert!(sent.is_empty(), "{sent:?}");
    assert!(LOG.take().is_empty());
}

/// A column that the model lacks does not compile: `tests/ui/model/changeset_of_another_table.rs`.
#[test]
fn sig_19_a_key_among_the_changes_is_refused_before_any_signal() {
    let (mut conn, mut letter) = one_letter();
    let (outcome, sent) = statements(&mut conn, |conn| letter.update(conn, |it| it.id = 9));
    assert!(matches!(outcome, Err(Error::KeyChanged { .. })));
    assert!(sent.is_empty(), "{sent:?}");
    assert!(LOG.take().is_empty());
}

fn delete_behind_its_back(conn: &mut TestConnection) {
    let deleted = diesel::delete(table::table).execute(conn);
    assert_eq!(deleted, Ok(1));
}

#[test]
fn sig_20_an_update_of_a_row_that_is_gone_is_not_found_and_not_reported() {
    let (mut conn, mut letter) = one_letter();
    delete_behind_its_back(&mut conn);
    let as_it_was = letter.clone();
    let error = letter.update(&mut conn, |it| it.stamps = 5);
    assert!(matches!(
        error,
        Err(Error::NotFound {
            model: "Letter",
            ..
        })
    ));
    assert_eq!(letter, as_it_was);
    assert_eq!(LOG.take(), ["pre_save update", "pre_update from first"]);
    let error = letter.update_set(&mut conn, table::stamps.eq(5));
    assert!(matches!(
        error,
        Err(Error::NotFound {
            model: "Letter",
            ..
        })
    ));
    assert!(LOG.take().is_empty(), "the UPDATE comes first there");
}

#[test]
fn sig_21_a_save_of_a_row_that_never_was_is_not_found() {
    let mut conn = database();
    let mut letter = Letter {
        id: 1,
        text: "made by hand".into(),
        stamps: 1,
    };
    let error = letter.save(&mut conn).expect_err("it was never created");
    assert_eq!(error.to_string(), "there is no Letter with key 1");
    assert!(texts(&mut conn).is_empty());
    LOG.take();
}

#[test]
fn sig_23_a_save_of_a_row_deleted_meanwhile_does_not_bring_it_back() {
    let (mut conn, mut letter) = one_letter();
    delete_behind_its_back(&mut conn);
    let error = letter.save(&mut conn).expect_err("it is gone");
    assert!(matches!(
        error,
        Error::NotFound {
            model: "Letter",
            ..
        }
    ));
    assert!(texts(&mut conn).is_empty());
    assert!(!LOG.take().iter().any(|it| it.starts_with("post")));
}

#[test]
fn sig_25_the_signal_says_what_is_done_whatever_became_of_the_instance() {
    let (mut conn, mut letter) = one_letter();
    letter.delete(&mut conn).expect("deleted");
    LOG.take();
    letter.save(&mut conn).expect_err("it is gone");
    assert!(
        LOG.take().is_empty(),
        "its row as it was is asked for first"
    );
    let mut again = Letter::create(&mut conn, new_letter("again")).expect("a letter");
    assert_eq!(LOG.take()[0], "pre_save insert");
    again
        .update(&mut conn, |it| it.stamps = 2)
        .expect("updated");
    assert_eq!(LOG.take()[0], "pre_save update");
}

#[test]
fn sig_26_a_save_that_changes_nothing_writes_and_sends_all_the_same() {
    let (mut conn, mut letter) = one_letter();
    let (outcome, sent) = statements(&mut conn, |conn| letter.save(conn));
    outcome.expect("saved");
    assert!(of_rows(&sent).contains(&"UPDATE"));
    assert_eq!(
        LOG.take(),
        [
            "pre_save update",
            "pre_update from first",
            "post_update  from first",
            "post_save updated "
        ]
    );
}

#[test]
fn sig_32_a_plain_update_in_a_receiver_is_heard_by_nobody_and_leaves_memory_stale() {
    let (mut conn, mut letter) = one_letter();
    let guard = conn.connect(|event: &PostSave<Letter>, conn: &mut TestConnection| {
        diesel::update(table::table.find(event.instance.id))
            .set(table::stamps.eq(99))
            .execute(conn)
            .map(drop)
    });
    letter
        .update(&mut conn, |it| it.text = "second".into())
        .expect("updated");
    drop(guard.expect("there is room"));
    assert_eq!(LOG.take().len(), 4, "one operation's signals");
    let stamps = |conn: &mut TestConnection| {
        let stamps = table::table.select(table::stamps).first::<i32>(conn);
        stamps.expect("a letter")
    };
    assert_eq!((letter.stamps, stamps(&mut conn)), (1, 99));
    letter
        .update(&mut conn, |it| it.text = "third".into())
        .expect("updated");
    assert_eq!(stamps(&mut conn), 99, "an update writes what differs");
    letter.save(&mut conn).expect("saved");
    assert_eq!(stamps(&mut conn), 1, "a save writes everything");
    LOG.take();
}

#[test]
fn sig_33_a_load_is_heard_once_for_each_row_and_only_where_the_library_loads() {
    let (mut conn, mut letter) = one_letter();
    let listening = conn.connect(|event: &PostLoad<Letter>, _: &mut TestConnection| {
        LOG.push(format!("post_load {}", event.instance.text));
    });
    Letter::get(&mut conn, letter.id).expect("it is there");
    letter.refresh(&mut conn).expect("it is there");
    assert_eq!(LOG.take(), ["post_load first", "post_load first"]);
    let rows: Vec<Letter> = table::table.load(&mut conn).expect("plain Diesel");
    let count: i64 = table::table.count().get_result(&mut conn).expect("a count");
    assert_eq!((rows.len(), count), (1, 1));
    letter.save(&mut conn).expect("saved");
    Letter::get(&mut conn, 99).expect_err("nothing to load");
    assert!(!LOG.take().iter().any(|it| it.starts_with("post_load")));
    Letter::create_many(&mut conn, vec![new_letter("b"), new_letter("c")]).expect("letters");
    LOG.take();
    let query = table::table.order(table::id);
    query.load_hooked::<Letter>(&mut conn).expect("letters");
    assert_eq!(
        LOG.take(),
        ["post_load first", "post_load b", "post_load c"]
    );
    drop(listening.expect("there is room"));
}

#[test]
fn sig_35_receivers_get_the_connection_that_the_operation_runs_on() {
    let (mut one, mut other) = (database(), database());
    Parcel::create(&mut one, new_parcel("a")).expect("a parcel");
    Parcel::create(&mut one, new_parcel("b")).expect("a parcel");
    let parcel = Parcel::create(&mut other, new_parcel("c")).expect("a parcel");
    LOG.take();
    parcel.delete(&mut other).expect("deleted");
    assert_eq!(LOG.take(), ["pre_delete of 1", "post_delete of 0"]);
    let parcel = Parcel::get(&mut one, "a".into()).expect("it is there");
    parcel.delete(&mut one).expect("deleted");
    assert_eq!(LOG.take(), ["pre_delete of 2", "post_delete of 1"]);
}

impl Letter {
    fn write(conn: &mut TestConnection, text: &str) -> diesel_hooks::Result<Self> {
        let stamped = NewLetter {
            stamps: 3,
            ..new_letter(text)
        };
        Letter::create(conn, stamped)
    }
}

#[test]
fn sig_36_a_constructor_of_ones_own_sends_each_signal_once() {
    let mut conn = database();
    let letter = Letter::write(&mut conn, "helped").expect("a letter");
    assert_eq!(letter.stamps, 3);
    assert_eq!(LOG.take(), CREATED);
}

#[test]
fn sig_37_a_second_struct_over_a_table_is_a_sender_of_its_own() {
    let (mut conn, letter) = one_letter();
    let mut card = Card::create(
        &mut conn,
        NewCard {
            text: "card".into(),
        },
    )
    .expect("a card");
    card.update(&mut conn, |it| it.text = "card 2".into())
        .expect("updated");
    assert_eq!(
        LOG.take(),
        ["a card was saved: card", "a card was saved: card 2"]
    );
    assert_eq!(texts(&mut conn), ["first", "card 2"]);
    card.delete(&mut conn).expect("deleted");
    assert!(
        LOG.take().is_empty(),
        "the receivers of letters are not called"
    );
    letter.delete(&mut conn).expect("deleted");
    assert_eq!(LOG.take(), ["pre_delete", "post_delete"]);
}
