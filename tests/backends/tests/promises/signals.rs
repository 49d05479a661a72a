//! Which signals an operation sends, in which order, and to which receivers.

use backends::{Log, TestConnection, fresh};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::error::Operation;
use diesel_hooks::prelude::*;

diesel::table! { articles (id) { id -> Integer, title -> Text, words -> Integer } }

const SCHEMA: &str =
    "CREATE TABLE articles (id {key}, title TEXT NOT NULL, words INTEGER NOT NULL);";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Article {
    id: i32,
    title: String,
    words: i32,
}

static LOG: Log = Log::new();

fn rows_there(conn: &mut TestConnection) -> i64 {
    articles::table
        .count()
        .get_result(conn)
        .expect("articles can be counted")
}

#[receiver]
fn pre_save(event: &mut PreSave<Article>, conn: &mut TestConnection) {
    let kind = match event {
        PreSave::Create(_) => "create",
        PreSave::Update(_) => "update",
    };
    LOG.push(format!("pre_save {kind}, {} rows", rows_there(conn)));
}

#[receiver]
fn pre_create(event: &mut PreCreate<Article>) {
    event.new.title = event.new.title.trim().to_owned();
    LOG.push(format!("pre_create {}", event.new.title));
}

#[receiver]
fn pre_update(event: &mut PreUpdate<Article>) -> Result<(), String> {
    event.instance.title = event.instance.title.trim().to_owned();
    LOG.push(format!("pre_update {}", event.instance.title));
    Ok(())
}

#[receiver]
fn post_create(event: &PostCreate<Article>, conn: &mut TestConnection) {
    LOG.push(format!(
        "post_create {}, {} rows",
        event.instance.title,
        rows_there(conn)
    ));
}

#[receiver]
fn post_update(event: &PostUpdate<Article>) {
    let columns = (
        event.changed(articles::title),
        event.changed(articles::words),
    );
    LOG.push(format!(
        "post_update {:?} {columns:?}",
        event.instance.title
    ));
}

#[receiver]
fn post_save(event: &PostSave<Article>) {
    LOG.push(format!(
        "post_save {} created: {}",
        event.instance.title, event.created
    ));
}

#[receiver]
fn pre_delete(event: &PreDelete<Article>, conn: &mut TestConnection) {
    LOG.push(format!(
        "pre_delete {}, {} rows",
        event.instance.title,
        rows_there(conn)
    ));
}

#[receiver]
fn post_delete(event: &PostDelete<Article>, conn: &mut TestConnection) {
    LOG.push(format!(
        "post_delete {}, {} rows",
        event.instance.title,
        rows_there(conn)
    ));
}

#[receiver]
fn whole_batch(events: &[PostSave<Article>], conn: &mut TestConnection) {
    let titles: Vec<_> = events
        .iter()
        .map(|event| event.instance.title.as_str())
        .collect();
    LOG.push(format!("batch {titles:?}, {} rows", rows_there(conn)));
}

fn new_article(title: &str) -> NewArticle {
    NewArticle {
        title: title.into(),
        words: 100,
    }
}

fn one_article(conn: &mut TestConnection) -> Article {
    let article = Article::create(conn, new_article("first")).expect("an article");
    LOG.take();
    article
}

#[test]
fn create_sends_save_and_create_around_the_insert() {
    let mut conn = fresh(SCHEMA);
    let article = Article::create(&mut conn, new_article("  spaces ")).expect("an article");
    assert_eq!((article.id, article.title.as_str()), (1, "spaces"));
    assert_eq!(
        LOG.take(),
        [
            "pre_save create, 0 rows",
            "pre_create spaces",
            "post_create spaces, 1 rows",
            "post_save spaces created: true",
            "batch [\"spaces\"], 1 rows",
        ]
    );
}

#[test]
fn create_many_sends_each_signal_for_all_rows_before_the_next_one() {
    let mut conn = fresh(SCHEMA);
    let articles = Article::create_many(&mut conn, vec![new_article(" a"), new_article("b ")])
        .expect("two articles");
    assert_eq!(articles, articles::table.load(&mut conn).expect("two rows"));
    assert_eq!(
        LOG.take(),
        [
            "pre_save create, 0 rows",
            "pre_save create, 0 rows",
            "pre_create a",
            "pre_create b",
            "post_create a, 2 rows",
            "post_create b, 2 rows",
            "post_save a created: true",
            "post_save b created: true",
            "batch [\"a\", \"b\"], 2 rows",
        ]
    );
}

#[test]
fn create_many_of_nothing_does_nothing() {
    let mut conn = fresh(SCHEMA);
    let (articles, statements) =
        backends::statements(&mut conn, |conn| Article::create_many(conn, Vec::new()));
    assert!(articles.expect("nothing").is_empty());
    assert!(LOG.take().is_empty());
    assert!(statements.is_empty(), "{statements:?}");
}

#[test]
fn save_sends_save_and_update_and_knows_what_changed() {
    let mut conn = fresh(SCHEMA);
    let mut article = one_article(&mut conn);
    article.title = " saved ".into();
    article.save(&mut conn).expect("saved");
    assert_eq!(article.title, "saved");
    assert_eq!(
        LOG.take(),
        [
            "pre_save update, 1 rows",
            "pre_update saved",
            "post_update \"saved\" (true, false)",
            "post_save saved created: false",
            "batch [\"saved\"], 1 rows",
        ]
    );
}

#[test]
fn update_writes_and_names_the_columns_that_differ() {
    let mut conn = fresh(SCHEMA);
    let mut article = one_article(&mut conn);
    diesel::update(articles::table)
        .set(articles::title.eq("elsewhere"))
        .execute(&mut conn)
        .expect("plain Diesel");
    assert!(LOG.take().is_empty(), "plain Diesel sends nothing");
    article
        .update(&mut conn, |article| article.words = 7)
        .expect("updated");
    assert_eq!(
        LOG.take(),
        [
            "pre_save update, 1 rows",
            "pre_update first",
            "post_update \"first\" (false, true)",
            "post_save first created: false",
            "batch [\"first\"], 1 rows",
        ]
    );
    article.refresh(&mut conn).expect("it is there");
    assert_eq!(
        (article.title.as_str(), article.words),
        ("elsewhere", 7),
        "other columns are left alone"
    );
}

#[test]
fn an_update_that_changes_nothing_sends_nothing() {
    let mut conn = fresh(SCHEMA);
    let mut article = one_article(&mut conn);
    let (outcome, statements) = backends::statements(&mut conn, |conn| {
        article.update(conn, |article| article.words = 100)
    });
    outcome.expect("nothing to do");
    assert!(LOG.take().is_empty());
    assert!(statements.is_empty(), "{statements:?}");
}

#[test]
fn what_a_receiver_changes_before_an_update_is_written_too() {
    let mut conn = fresh(SCHEMA);
    diesel::insert_into(articles::table)
        .values((articles::title.eq(" untrimmed "), articles::words.eq(1)))
        .execute(&mut conn)
        .expect("plain Diesel");
    let mut article = Article::get(&mut conn, 1).expect("it is there");
    article
        .update(&mut conn, |article| article.words = 2)
        .expect("updated");
    assert_eq!(
        Article::get(&mut conn, 1).expect("it is there").title,
        "untrimmed"
    );
    assert!(
        LOG.take()
            .contains(&"post_update \"untrimmed\" (true, true)".to_owned())
    );
}

#[test]
fn update_set_sends_the_row_as_the_database_computed_it() {
    let mut conn = fresh(SCHEMA);
    let mut article = one_article(&mut conn);
    article
        .update_set(
            &mut conn,
            (
                articles::words.eq(articles::words + 1),
                articles::title.eq(" set "),
            ),
        )
        .expect("updated");
    assert_eq!((article.title.as_str(), article.words), ("set", 101));
    assert_eq!(
        article,
        Article::get(&mut conn, article.id).expect("it is there")
    );
    assert_eq!(
        LOG.take(),
        [
            "pre_save update, 1 rows",
            "pre_update set",
            "post_update \"set\" (true, true)",
            "post_save set created: false",
            "batch [\"set\"], 1 rows",
        ]
    );
}

#[test]
fn an_empty_changeset_does_nothing() {
    #[derive(AsChangeset)]
    #[diesel(table_name = articles)]
    struct Nothing {
        title: Option<String>,
    }

    let mut conn = fresh(SCHEMA);
    let mut article = one_article(&mut conn);
    let (outcome, statements) = backends::statements(&mut conn, |conn| {
        article.update_set(conn, Nothing { title: None })
    });
    outcome.expect("nothing to do");
    assert!(LOG.take().is_empty());
    assert!(statements.is_empty(), "{statements:?}");
}

#[test]
fn delete_sends_before_and_after() {
    let mut conn = fresh(SCHEMA);
    let article = one_article(&mut conn);
    let deleted = article.delete(&mut conn).expect("deleted");
    assert_eq!((deleted.total, deleted.by_model["Article"]), (1, 1));
    assert_eq!(
        LOG.take(),
        ["pre_delete first, 1 rows", "post_delete first, 0 rows"]
    );
}

#[test]
fn deleting_a_row_that_is_gone_is_no_error_and_sends_nothing() {
    let mut conn = fresh(SCHEMA);
    let article = one_article(&mut conn);
    diesel::delete(articles::table)
        .execute(&mut conn)
        .expect("plain Diesel");
    let deleted = article.delete(&mut conn).expect("nothing left to do");
    assert_eq!(deleted.total, 0);
    assert!(deleted.by_model.is_empty());
    assert!(LOG.take().is_empty());
}

mod ordered {
    use super::*;

    diesel::table! { things (id) { id -> Integer, name -> Text } }

    #[derive(Debug, Clone, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Thing {
        pub(crate) id: i32,
        pub(crate) name: String,
    }

    #[receiver]
    fn b_by_name(_: &PostCreate<Thing>) {
        LOG.push("b");
    }

    #[receiver]
    fn a_by_name(_: &PostCreate<Thing>) {
        LOG.push("a");
    }

    #[receiver(order = 10)]
    fn a_late(_: &PostCreate<Thing>) {
        LOG.push("late");
    }

    #[receiver(order = -10)]
    fn z_early(_: &PostCreate<Thing>) {
        LOG.push("early");
    }

    #[receiver(dispatch_uid = "zz")]
    fn a_named_last(_: &PostCreate<Thing>) {
        LOG.push("zz");
    }

    #[receiver]
    fn exchange(event: &mut PreSave<Thing>) {
        let PreSave::Create(create) = event else {
            return;
        };
        if create.new.name == "exchanged" {
            OTHER.with_borrow_mut(|other| {
                std::mem::swap(event, other.as_mut().expect("an update is kept"))
            });
        }
    }

    #[receiver]
    fn keep(event: &mut PreSave<Thing>) {
        let PreSave::Update(update) = event else {
            return;
        };
        if update.instance.name == "kept" {
            OTHER.set(Some(PreSave::Update(update.clone())));
        }
    }

    #[receiver]
    fn change_the_key(event: &mut PreUpdate<Thing>) {
        if event.instance.name == "other key" {
            event.instance.id += 1;
        }
    }

    thread_local! {
        static OTHER: std::cell::RefCell<Option<PreSave<Thing>>> = const { std::cell::RefCell::new(None) };
    }
}

use ordered::{NewThing, Thing};

fn things() -> TestConnection {
    fresh("CREATE TABLE things (id {key}, name TEXT NOT NULL);")
}

fn new_thing(name: &str) -> NewThing {
    NewThing { name: name.into() }
}

#[test]
fn receivers_run_by_order_and_then_by_uid() {
    let mut conn = things();
    Thing::create(&mut conn, new_thing("any")).expect("a thing");
    assert_eq!(LOG.take(), ["early", "a", "b", "zz", "late"]);
}

#[test]
fn a_pre_save_exchanged_for_the_other_kind_is_an_error() {
    let mut conn = things();
    let mut thing = Thing::create(&mut conn, new_thing("any")).expect("a thing");
    thing
        .update(&mut conn, |thing| thing.name = "kept".into())
        .expect("updated");
    let error = Thing::create(&mut conn, new_thing("exchanged")).expect_err("exchanged");
    assert!(
        matches!(
            error,
            Error::SignalReplaced {
                model: "Thing",
                was: Operation::Create,
                ..
            }
        ),
        "{error}"
    );
    LOG.take();
}

#[test]
fn a_key_changed_by_an_update_is_an_error() {
    let mut conn = things();
    let mut thing = Thing::create(&mut conn, new_thing("any")).expect("a thing");
    let error = thing
        .update(&mut conn, |thing| thing.id = 9)
        .expect_err("another key");
    assert!(
        matches!(error, Error::KeyChanged { model: "Thing", .. }),
        "{error}"
    );
    let error = thing
        .update(&mut conn, |thing| thing.name = "other key".into())
        .expect_err("another key");
    assert!(
        matches!(error, Error::KeyChanged { model: "Thing", .. }),
        "{error}"
    );
    let error = thing
        .update_set(&mut conn, ordered::things::id.eq(9))
        .expect_err("another key");
    assert!(
        matches!(error, Error::KeyChanged { model: "Thing", .. }),
        "{error}"
    );
    assert_eq!((thing.id, thing.name.as_str()), (1, "any"));
    assert_eq!(Thing::get(&mut conn, 1).expect("rolled back").name, "any");
    LOG.take();
}
