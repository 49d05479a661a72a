//! Fields with `auto_now_add` and `auto_now` say when their row was created and last written.

use std::time::{Duration, SystemTime};

use backends::{Log, TestConnection, fresh, of_rows, statements};
use chrono::{DateTime, NaiveDateTime};
use diesel::prelude::*;
use diesel_hooks::prelude::*;
use diesel_hooks::{Persist, Timestamp};

const SCHEMA: &str = "
    CREATE TABLE posts (
        id {key},
        created {timestamp} NOT NULL DEFAULT '2001-01-01 00:00:00',
        title TEXT NOT NULL,
        modified {timestamp} DEFAULT '2002-02-02 00:00:00'
    );
    CREATE TABLE notes (id {key}, text TEXT NOT NULL, created {timestamp}, modified {timestamp} NOT NULL);
    CREATE TABLE letters (
        code TEXT PRIMARY KEY NOT NULL, text TEXT NOT NULL, created {timestamp} NOT NULL, modified {timestamp} NOT NULL
    ) WITHOUT ROWID;
";

diesel::table! { posts (id) { id -> Integer, created -> Timestamp, title -> Text, modified -> Nullable<Timestamp> } }
diesel::table! { notes (id) { id -> Integer, text -> Text, created -> Nullable<Timestamp>, modified -> Timestamp } }
diesel::table! { letters (code) { code -> Text, text -> Text, created -> Timestamp, modified -> Timestamp } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Post {
    id: i32,
    #[hooks(auto_now_add)]
    created: NaiveDateTime,
    title: String,
    #[hooks(auto_now)]
    modified: Option<NaiveDateTime>,
}

#[derive(Clone, Insertable)]
#[diesel(table_name = notes)]
struct NewNote {
    text: String,
    created: Option<NaiveDateTime>,
    modified: Option<NaiveDateTime>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(new = NewNote)]
struct Note {
    id: i32,
    text: String,
    #[hooks(auto_now_add)]
    created: Option<NaiveDateTime>,
    #[hooks(auto_now)]
    modified: NaiveDateTime,
}

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(code))]
#[hooks(new = Self)]
struct Letter {
    code: String,
    text: String,
    #[hooks(auto_now_add)]
    created: NaiveDateTime,
    #[hooks(auto_now)]
    modified: NaiveDateTime,
}

static LOG: Log = Log::new();

#[receiver]
fn sees_the_new_note(event: &mut PreCreate<Note>) {
    let (stamp, new) = (event.stamp(), &mut event.new);
    match stamp {
        None => LOG.push("no stamp"),
        Some(at) => {
            assert_eq!(new.created, Some(NaiveDateTime::at(at)));
            assert_eq!(new.modified, new.created);
            LOG.push("stamped");
        }
    }
    if new.text == "archived" {
        new.created = Some(long_ago());
    }
    if new.text == "told another time" {
        event.set_stamp(SystemTime::UNIX_EPOCH);
    }
}

#[receiver]
fn sees_the_note_that_is_written(event: &mut PreUpdate<Note>) {
    let before = event.before().map(|it| it.modified);
    let is_newer = before.is_some_and(|before| event.instance.modified > before);
    LOG.push(if is_newer { "newer" } else { "as it was" });
    if event.instance.text == "archived" {
        event.instance.modified = long_ago();
    }
}

fn long_ago() -> NaiveDateTime {
    NaiveDateTime::at(SystemTime::UNIX_EPOCH + Duration::from_micros(1_234_567))
}

fn conn() -> TestConnection {
    fresh(SCHEMA)
}

fn post(title: &str) -> NewPost {
    NewPost {
        title: title.into(),
    }
}

fn note(text: &str) -> NewNote {
    NewNote {
        text: text.into(),
        created: None,
        modified: None,
    }
}

fn letter(code: &str) -> Letter {
    Letter {
        code: code.into(),
        text: String::new(),
        created: long_ago(),
        modified: long_ago(),
    }
}

/// What an operation returns, and what the clock said before and after it.
pub(crate) fn during<T>(operation: impl FnOnce() -> T) -> (T, [NaiveDateTime; 2]) {
    let before = NaiveDateTime::at(SystemTime::now() - Duration::from_micros(1));
    let it = operation();
    (it, [before, NaiveDateTime::at(SystemTime::now())])
}

pub(crate) fn assert_within(stamp: NaiveDateTime, [from, to]: [NaiveDateTime; 2]) {
    assert!(from <= stamp && stamp <= to, "{from} <= {stamp} <= {to}");
}

pub(crate) fn stored<M: Persist<TestConnection>>(conn: &mut TestConnection, row: &M) -> M {
    M::get(conn, row.pk()).expect("the row is there")
}

/// So that the next stamp is another one, however coarse the clock.
pub(crate) fn let_time_pass() {
    std::thread::sleep(Duration::from_millis(2));
}

#[test]
fn sig_40_a_stamp_is_set_on_insert_and_on_an_update_that_writes_something() {
    let conn = &mut conn();
    let (post, clock) = during(|| Post::create(conn, post("first")).expect("a post"));
    assert_within(post.created, clock);
    assert_eq!(post.modified, Some(post.created), "one instant for both");
    assert_eq!(stored(conn, &post), post, "to the microsecond");

    let mut written = post.clone();
    let_time_pass();
    let (_, clock) = during(|| {
        let rename = |it: &mut Post| it.title = "second".into();
        written.update(conn, rename).expect("it is there")
    });
    assert_within(written.modified.expect("a stamp"), clock);
    assert_eq!(written.created, post.created);
    assert_eq!(stored(conn, &written), written);

    let before = written.clone();
    let ((), sent) = statements(conn, |conn| {
        written.update(conn, |_| ()).expect("nothing is to do")
    });
    assert_eq!(of_rows(&sent), [""; 0], "nothing else changed");
    assert_eq!(written, before);
}

#[test]
fn an_update_writes_the_stamp_with_what_changed_and_no_other_column() {
    let conn = &mut conn();
    let mut post = Post::create(conn, post("first")).expect("a post");
    let_time_pass();
    let (outcome, sent) = statements(conn, |conn| {
        post.update(conn, |it| it.title = "second".into())
    });
    outcome.expect("it is there");
    let [update] = &sent[..] else {
        panic!("one statement, not {sent:?}")
    };
    assert!(
        update.contains("title") && update.contains("modified"),
        "{update}"
    );
    assert!(!update.contains("created"), "{update}");
}

#[test]
fn a_save_stamps_the_row_and_keeps_when_it_was_created() {
    let conn = &mut conn();
    let created = Post::create(conn, post("first")).expect("a post");
    let mut post = created.clone();
    let_time_pass();
    let (_, clock) = during(|| post.save(conn).expect("it is there"));
    assert_within(post.modified.expect("a stamp"), clock);
    assert_eq!(post.created, created.created);
    assert_eq!(stored(conn, &post), post);
}

#[test]
fn when_a_row_was_created_can_be_corrected() {
    let conn = &mut conn();
    let mut post = Post::create(conn, post("first")).expect("a post");
    post.created = long_ago();
    post.save(conn).expect("it is there");
    assert_eq!(stored(conn, &post).created, long_ago());
    let never = DateTime::UNIX_EPOCH.naive_utc();
    post.update(conn, |it| it.created = never)
        .expect("it is there");
    assert_eq!(stored(conn, &post).created, never);
    post.update_set(conn, posts::created.eq(long_ago()))
        .expect("it is there");
    assert_eq!(stored(conn, &post).created, long_ago());
    assert_eq!(stored(conn, &post), post);
}

#[test]
fn a_save_that_fails_leaves_the_stamp_of_the_instance() {
    let conn = &mut conn();
    let mut post = Post::create(conn, post("first")).expect("a post");
    diesel::delete(posts::table).execute(conn).expect("it goes");
    let before = post.clone();
    post.save(conn).expect_err("it is gone");
    post.update(conn, |it| it.title = "second".into())
        .expect_err("it is gone");
    assert_eq!(post, before);
}

#[test]
fn a_changeset_stamps_the_row_that_it_writes() {
    let conn = &mut conn();
    let created = Post::create(conn, post("first")).expect("a post");
    let mut post = created.clone();
    let_time_pass();
    let set = posts::title.eq("second");
    let (_, clock) = during(|| post.update_set(conn, set).expect("it is there"));
    assert_within(post.modified.expect("a stamp"), clock);
    assert_eq!((&*post.title, post.created), ("second", created.created));
    assert_eq!(stored(conn, &post), post);
}

#[test]
fn the_rows_of_a_batch_have_one_stamp() {
    let conn = &mut conn();
    let new = ["a", "b", "c"].map(post).to_vec();
    let (rows, clock) = during(|| Post::create_many(conn, new).expect("posts"));
    assert_within(rows[0].created, clock);
    for row in rows {
        assert_eq!(
            (row.created, row.modified),
            (rows_created(conn), Some(row.created))
        );
    }

    let notes = Note::create_many(conn, vec![note("a"), note("b")]).expect("notes");
    assert_eq!(notes[0].created, notes[1].created);
    assert_eq!(LOG.take(), ["stamped", "stamped"]);
}

/// The one stamp that all rows have.
fn rows_created(conn: &mut TestConnection) -> NaiveDateTime {
    let stamps = posts::table.select(posts::created).distinct();
    let stamps: Vec<NaiveDateTime> = stamps.load(conn).expect("posts can be read");
    let [stamp] = stamps[..] else {
        panic!("one stamp, not {stamps:?}")
    };
    stamp
}

#[test]
fn fixtures_of_a_generated_new_leave_the_stamps_to_the_database() {
    let conn = &mut conn();
    let posts = conn.loading_fixtures(|conn| {
        let one = Post::create(conn, post("one"))?;
        let mut all = Post::create_many(conn, vec![post("two"), post("three")])?;
        all.push(one);
        Ok::<_, diesel_hooks::Error>(all)
    });
    for mut post in posts.expect("they are loaded") {
        assert_eq!(post.created.to_string(), "2001-01-01 00:00:00");
        assert_eq!(
            post.modified.expect("a default").to_string(),
            "2002-02-02 00:00:00"
        );

        let before = post.clone();
        conn.loading_fixtures(|conn| {
            post.save(conn)?;
            post.update(conn, |it| it.title = "other".into())?;
            post.update_set(conn, posts::title.eq("another"))
        })
        .expect("it is there");
        assert_eq!(
            (post.created, post.modified),
            (before.created, before.modified)
        );
        assert_eq!(stored(conn, &post), post);
    }
}

#[test]
fn fixtures_keep_the_stamps_that_they_bring() {
    let conn = &mut conn();
    let new = NewNote {
        created: Some(long_ago()),
        modified: Some(long_ago()),
        ..note("old")
    };
    let note = conn
        .loading_fixtures(|conn| Note::create(conn, new))
        .expect("a note");
    assert_eq!(
        (note.created, note.modified),
        (Some(long_ago()), long_ago())
    );
    assert_eq!(LOG.take(), ["no stamp"]);

    let letter = conn
        .loading_fixtures(|conn| Letter::create(conn, letter("a")))
        .expect("a letter");
    assert_eq!((letter.created, letter.modified), (long_ago(), long_ago()));
}

#[test]
fn a_hand_written_new_gets_its_stamps_before_receivers_see_it() {
    let conn = &mut conn();
    let (created, clock) = during(|| Note::create(conn, note("new")).expect("a note"));
    assert_within(created.modified, clock);
    assert_eq!(created.created, Some(created.modified));

    let archived = Note::create(conn, note("archived")).expect("a note");
    assert_eq!(archived.created, Some(long_ago()), "what the receiver said");
    assert_ne!(archived.modified, long_ago());

    let told = Note::create(conn, note("told another time")).expect("a note");
    assert_eq!(told.modified.to_string(), "1970-01-01 00:00:00");
    assert_eq!(told.created, Some(told.modified));
}

#[test]
fn receivers_of_an_update_see_the_stamp_and_may_set_another() {
    let conn = &mut conn();
    let mut note = Note::create(conn, note("new")).expect("a note");
    let created = note.created;
    LOG.take();
    for text in ["second", "archived"] {
        let_time_pass();
        note.update(conn, |it| it.text = text.into())
            .expect("it is there");
    }
    assert_eq!((note.created, note.modified), (created, long_ago()));
    let_time_pass();
    note.update_set(conn, notes::text.eq("third"))
        .expect("it is there");
    assert!(Some(note.modified) > created);
    let_time_pass();
    note.text = "archived".into();
    note.save(conn).expect("it is there");
    assert_eq!(note.modified, long_ago());
    assert_eq!(stored(conn, &note), note);
    assert_eq!(LOG.take(), ["newer", "newer", "newer", "newer"]);
}

#[test]
fn a_model_that_is_its_own_insertable_is_stamped_whatever_it_says() {
    let conn = &mut conn();
    let (mut letter, clock) = during(|| Letter::create(conn, letter("a")).expect("a letter"));
    assert_within(letter.created, clock);
    assert_eq!(letter.created, letter.modified);

    let created = letter.created;
    let_time_pass();
    letter
        .update(conn, |it| it.text = "dear".into())
        .expect("it is there");
    assert_eq!(letter.created, created);
    assert!(letter.modified > created);
}

#[test]
fn an_upsert_keeps_when_the_row_was_created_and_says_when_it_was_written() {
    let mut conn = fresh(SCHEMA);
    let never = DateTime::UNIX_EPOCH.naive_utc();
    let letter = |text: &str| Letter {
        code: "a".into(),
        text: text.into(),
        created: never,
        modified: never,
    };
    let (first, created) = Letter::upsert(&mut conn, letter("first")).expect("a letter");
    assert!(created && first.created > never && first.modified == first.created);
    let_time_pass();
    let (second, created) = Letter::upsert(&mut conn, letter("second")).expect("updated");
    assert!(!created);
    assert_eq!(
        (second.created, second.text.as_str()),
        (first.created, "second")
    );
    assert!(second.modified > first.modified);
    assert_eq!(
        Letter::get(&mut conn, "a".into()).expect("it is there"),
        second
    );
}

#[test]
fn rows_that_update_hooked_or_update_or_create_change_are_stamped_and_others_are_not() {
    let mut conn = fresh(SCHEMA);
    let new = ["one", "two", "three"].map(|title| NewPost {
        title: title.into(),
    });
    let old = Post::create_many(&mut conn, new.into()).expect("three posts");
    let_time_pass();
    let in_order = posts::table.order(posts::id);
    let (rows, sent) = statements(&mut conn, |conn| {
        in_order.update_hooked::<Post>(conn, |it| it.title = it.title.replace("two", "three"))
    });
    let rows = rows.expect("updated");
    assert_eq!((&rows[0], &rows[2]), (&old[0], &old[2]));
    assert!(rows[1].modified > old[1].modified && rows[1].created == old[1].created);
    assert_eq!(of_rows(&sent), ["SELECT", "UPDATE"]);

    let stamped = in_order.update_hooked::<Post>(&mut conn, |it| it.title = "same".into());
    let stamps: Vec<_> = stamped
        .expect("updated")
        .iter()
        .map(|it| it.modified)
        .collect();
    assert!(stamps[0] > rows[1].modified && stamps.iter().all(|it| *it == stamps[0]));

    let one = || NewPost {
        title: "one".into(),
    };
    let mut change = |title: &str| {
        let filter = posts::id.eq(old[0].id);
        let outcome = Post::update_or_create(&mut conn, filter, one, |it| it.title = title.into());
        outcome.expect("found").0.modified
    };
    assert_eq!(change("same"), stamps[0]);
    assert!(change("other") > stamps[0]);
}
