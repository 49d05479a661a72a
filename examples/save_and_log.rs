//! Receivers that save what they hear of, and one that logs every save, in a table with hooks too.
//!
//! ```sh
//! cargo run --example save_and_log
//! ```
//!
//! Each of them causes the signal that it hears. It shows how that ends, what happens if it does not, and, in
//! its tests, how receivers are left out there.
#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "an example shows what it does"
)]

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { articles (id) { id -> Integer, title -> Text, slug -> Nullable<Text> } }
diesel::table! { drafts (id) { id -> Integer, text -> Text, saves -> Integer } }
diesel::table! { notes (id) { id -> Integer, text -> Text } }
diesel::table! { log_entries (id) { id -> Integer, line -> Text } }

const SCHEMA: &str = "
    CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT NOT NULL, slug TEXT);
    CREATE TABLE drafts (id INTEGER PRIMARY KEY, text TEXT NOT NULL, saves INTEGER NOT NULL);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE log_entries (id INTEGER PRIMARY KEY, line TEXT NOT NULL);";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Article {
    id: i32,
    title: String,
    slug: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Draft {
    id: i32,
    text: String,
    saves: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Note {
    id: i32,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = log_entries)]
struct LogEntry {
    id: i32,
    line: String,
}

/// The slug has the key in it, so the row must be there first. This hears only saves that change the title, and
/// its own does not: without `changed` it would never end.
#[receiver(changed(articles::title))]
fn set_slug(event: &PostSave<Article>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    let mut article = event.instance.clone();
    let title = article.title.to_lowercase().replace(' ', "-");
    article.slug = Some(format!("{}-{title}", article.id));
    article.save(conn)
}

/// Every save counts, so it leaves itself out of its own. The others hear that one.
#[receiver(dispatch_uid = "count_saves")]
fn count_saves(event: &PostSave<Draft>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    let mut draft = event.instance.clone();
    conn.without_receiver("count_saves", |conn| {
        draft.update_set(conn, drafts::saves.eq(drafts::saves + 1))
    })
}

/// Hears every model, so the log as well: it leaves itself out. It is first, so the log is in the order of events.
#[receiver(dispatch_uid = "log_saves", order = -10)]
fn log_saves(event: &PostSave<dyn AnyModel>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    let (row, what) = (
        &event.instance,
        if event.created { "created" } else { "saved" },
    );
    let line = format!("{} {} {what}", row.model_name(), row.key_text());
    conn.without_receiver("log_saves", |conn| {
        LogEntry::create(conn, NewLogEntry { line })
    })?;
    Ok(())
}

/// Nothing ends this one. It comes before the log, so that the chain in the error is its alone.
#[receiver(dispatch_uid = "sign", order = -20)]
fn sign(event: &PostSave<Note>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    let mut note = event.instance.clone();
    note.update(conn, |it| it.text += " (signed)")
}

fn connect() -> SqliteConnection {
    let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    conn.batch_execute(SCHEMA).expect("the database is empty");
    conn
}

fn log(conn: &mut SqliteConnection) -> QueryResult<Vec<String>> {
    let lines = log_entries::table.select(log_entries::line);
    lines.order(log_entries::id).load(conn)
}

fn article(title: &str) -> NewArticle {
    NewArticle {
        title: title.into(),
        slug: None,
    }
}

fn draft() -> NewDraft {
    NewDraft {
        text: "One".into(),
        saves: 0,
    }
}

fn note() -> NewNote {
    NewNote { text: "Two".into() }
}

fn main() -> diesel_hooks::Result {
    let conn = &mut connect();
    let mut article = Article::create(conn, article("On engines"))?;
    article.refresh(conn)?;
    println!("the slug is {}", article.slug.unwrap_or_default());

    let mut draft = Draft::create(conn, draft())?;
    draft.update(conn, |it| it.text = "Two".into())?;
    draft.refresh(conn)?;
    println!("the draft was saved {} times", draft.saves);

    conn.set_recursion_limit(2)?;
    if let Err(refused) = Note::create(conn, note()) {
        println!("{refused}");
    }
    for line in log(conn)? {
        println!("log: {line}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel_hooks::Error;

    #[test]
    fn a_receiver_of_changes_of_other_columns_does_not_hear_its_own_save() {
        let conn = &mut connect();
        let mut row = Article::create(conn, article("On engines")).expect("created");
        row.update(conn, |it| it.title = "On looms".into())
            .expect("saved");
        row.refresh(conn).expect("there");
        assert_eq!(row.slug.as_deref(), Some("1-on-looms"));
        let saved = "Article 1 saved";
        let expected = ["Article 1 created", saved, saved, saved];
        assert_eq!(log(conn).expect("read"), expected);
    }

    #[test]
    fn a_receiver_that_leaves_itself_out_runs_once_for_each_save_and_the_log_hears_both() {
        let conn = &mut connect();
        let mut row = Draft::create(conn, draft()).expect("created");
        assert_eq!(Draft::get(conn, row.id).expect("there").saves, 1);
        row.update(conn, |it| it.text = "Two".into())
            .expect("saved");
        assert_eq!(Draft::get(conn, row.id).expect("there").saves, 2);
        let saved = "Draft 1 saved";
        let expected = ["Draft 1 created", saved, saved, saved];
        assert_eq!(log(conn).expect("read"), expected);
    }

    #[test]
    fn an_endless_receiver_is_named_and_nothing_of_it_stays() {
        let conn = &mut connect();
        let refused = Note::create(conn, note()).expect_err("it never ends");
        let Error::Recursion { chain } = refused else {
            panic!("{refused}")
        };
        assert!(chain.iter().all(|it| it == "PostSave<Note> (sign)"));
        assert_eq!(notes::table.load::<Note>(conn), Ok(vec![]));
        assert_eq!(log(conn), Ok(vec![]));
    }

    #[test]
    fn a_test_leaves_out_one_receiver_and_the_others_run() {
        let conn = &mut connect();
        conn.without_receiver("sign", |conn| Note::create(conn, note()))
            .expect("created");
        assert_eq!(log(conn).expect("read"), ["Note 1 created"]);
        Note::create(conn, note()).expect_err("it is heard again");
    }

    #[test]
    fn a_test_leaves_out_all_of_them() {
        let conn = &mut connect();
        let made = conn.without_hooks(|conn| {
            Note::create(conn, note())?;
            Article::create(conn, article("On engines"))
        });
        assert_eq!(made.expect("created").slug, None);
        assert_eq!(log(conn), Ok(vec![]));
        assert_eq!(Article::get(conn, 1).expect("there").slug, None);
    }

    #[test]
    fn a_receiver_that_was_renamed_is_noticed_by_the_test_that_leaves_it_out() {
        let conn = &mut connect();
        let error = conn
            .without_receiver("sing", |conn| Note::create(conn, note()))
            .expect_err("nobody has that name");
        assert!(matches!(error, Error::Registry(_)), "{error}");
        assert_eq!(notes::table.load::<Note>(conn), Ok(vec![]));
    }
}
