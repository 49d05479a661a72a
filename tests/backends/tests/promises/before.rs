//! Who may ask for the row as it was gets it, and what waits for the commit runs after everybody else.

use std::sync::{Arc, Mutex};

use backends::{Log, TestConnection, fresh, statements};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, name -> Text, email -> Text } }
diesel::table! { pages (id) { id -> Integer, text -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct User {
    id: i32,
    name: String,
    email: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Page {
    id: i32,
    text: String,
}

const SCHEMA: &str = "
    CREATE TABLE users (id {key}, name TEXT NOT NULL, email TEXT NOT NULL);
    CREATE TABLE pages (id {key}, text TEXT NOT NULL);
    INSERT INTO users VALUES (1, 'Ada', 'a@example.org');
    INSERT INTO pages VALUES (1, 'old');
";

static LOG: Log = Log::new();

/// The only receiver of the model's updates.
#[receiver]
fn look(event: &PreSave<User>) {
    if let PreSave::Update(event) = event {
        let before = event.before().map(|user| user.email.as_str());
        let changed: Vec<_> = event.changed_columns().collect();
        LOG.push(format!("{before:?} {changed:?}"));
    }
}

#[receiver(order = 1)]
fn observe(_event: &PostSave<Page>) {
    LOG.push("observed");
}

#[receiver(order = -1, after_commit)]
fn publish(event: &PostSave<Page>) {
    LOG.push(format!("published {}", event.instance.text));
}

#[test]
fn a_pre_save_receiver_alone_sees_what_update_and_update_set_change() {
    let mut conn = fresh(SCHEMA);
    let mut user = User::get(&mut conn, 1).expect("a user");
    user.update(&mut conn, |user| user.email = "b@example.org".into())
        .expect("updated");
    user.update_set(&mut conn, users::email.eq("c@example.org"))
        .expect("updated");
    assert_eq!(
        LOG.take(),
        [
            r#"Some("a@example.org") ["email"]"#,
            r#"Some("b@example.org") ["email"]"#
        ]
    );
}

#[test]
fn for_a_pre_save_receiver_alone_save_reads_no_old_row() {
    let mut conn = fresh(SCHEMA);
    let mut user = User::get(&mut conn, 1).expect("a user");
    user.save(&mut conn).expect("saved");
    let (_, seen) = statements(&mut conn, |conn| user.save(conn));
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(LOG.take(), [r#"None ["name", "email"]"#; 2]);
}

#[test]
fn a_receiver_connected_at_run_time_sees_the_old_row() {
    let mut conn = fresh(SCHEMA);
    let mut page = Page::get(&mut conn, 1).expect("a page");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let guard = conn
        .connect(move |event: &PostUpdate<Page>, _: &mut TestConnection| {
            let before = event.before().map(|page| page.text.clone());
            sink.lock()
                .expect("one thread")
                .push((before, event.changed(pages::text)));
        })
        .expect("connected");
    page.update(&mut conn, |page| page.text = "new".into())
        .expect("updated");
    page.save(&mut conn).expect("saved");
    drop(guard);
    page.update(&mut conn, |page| page.text = "newer".into())
        .expect("updated");
    let seen = seen.lock().expect("one thread").clone();
    assert_eq!(
        seen,
        [(Some("old".into()), true), (Some("new".into()), false)]
    );
    LOG.take();
}

#[test]
fn what_waits_for_the_commit_runs_after_every_other_receiver() {
    let mut conn = fresh(SCHEMA);
    let mut page = Page::get(&mut conn, 1).expect("a page");
    page.save(&mut conn).expect("saved");
    page.update(&mut conn, |page| page.text = "new".into())
        .expect("updated");
    assert_eq!(
        LOG.take(),
        ["observed", "published old", "observed", "published new"]
    );
    for text in ["first", "second"] {
        Page::create(&mut conn, NewPage { text: text.into() }).expect("created");
        assert_eq!(LOG.take(), ["observed", &format!("published {text}")]);
    }
}
