//! Receivers for many models: of this application, of a crate with hooks, and of a crate without.
//!
//! ```sh
//! cargo run --example many_models
//! ```
//!
//! One receiver drops from a cache what was saved, whatever its model, once that is committed.
#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "an example shows what it does"
)]

use std::cell::RefCell;
use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Persist;
use diesel_hooks::prelude::*;
use staff::{Employee, NewEmployee};

diesel::table! { articles (id) { id -> Integer, title -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(extends(Titled))]
struct Article {
    id: i32,
    title: String,
}

/// The crate `catalogue` derives no hooks, so this application derives them on a struct of its own over that
/// crate's table. What goes through it sends signals; what that crate writes itself stays silent.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = catalogue::books)]
#[hooks(extends(Titled))]
struct Book {
    id: i32,
    title: String,
    copies: i32,
}

/// What the pages of this application show.
trait Titled: AnyModel {
    fn page(&self) -> String;
}

impl Titled for Article {
    fn page(&self) -> String {
        format!("<h1>{}</h1>", self.title)
    }
}

impl Titled for Book {
    fn page(&self) -> String {
        format!("<h1>{}</h1> in stock: {}", self.title, self.copies)
    }
}

thread_local! {
    /// Pages by table and key.
    static PAGES: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}

fn address(row: &(impl AnyModel + ?Sized)) -> String {
    format!("{}/{}", row.table_name(), row.key_text())
}

/// Reads the row only if its page is not in the cache.
fn page<M>(conn: &mut SqliteConnection, row: &M) -> diesel_hooks::Result<String>
where
    M: Titled + Persist<SqliteConnection>,
{
    let address = address(row);
    if let Some(page) = PAGES.with_borrow(|pages| pages.get(&address).cloned()) {
        return Ok(page);
    }
    let mut row = row.clone();
    row.refresh(conn)?;
    let page = row.page();
    PAGES.with_borrow_mut(|pages| pages.insert(address, page.clone()));
    Ok(page)
}

/// For each model that extends `Titled`. Only after the commit: before it, somebody else would read the old row
/// into the cache again.
#[receiver(dispatch_uid = "forget_saved", after_commit)]
fn forget_saved(event: &PostSave<dyn Titled>) {
    PAGES.with_borrow_mut(|pages| pages.remove(&address(&event.instance)));
}

#[receiver(dispatch_uid = "forget_deleted", after_commit)]
fn forget_deleted(event: &PostDelete<dyn Titled>) {
    PAGES.with_borrow_mut(|pages| pages.remove(&address(&event.instance)));
}

/// For a model of the crate `staff`, which knows nothing of this receiver.
#[receiver]
fn introduce(event: &PostCreate<Employee>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    let title = format!("{} is new here", event.instance.first_name);
    Article::create(conn, NewArticle { title }).map(drop)
}

fn connect() -> diesel_hooks::Result<SqliteConnection> {
    let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    staff::create_tables(&mut conn)?;
    catalogue::create_tables(&mut conn)?;
    conn.batch_execute("CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT NOT NULL)")?;
    Ok(conn)
}

fn hire(conn: &mut SqliteConnection, first_name: &str) -> diesel_hooks::Result<Article> {
    let new = NewEmployee {
        first_name: first_name.into(),
        ..Default::default()
    };
    Employee::create(conn, new)?;
    Ok(articles::table.order(articles::id.desc()).first(conn)?)
}

fn new_book() -> NewBook {
    NewBook {
        title: "Notes".into(),
        copies: 1,
    }
}

fn main() -> diesel_hooks::Result {
    let conn = &mut connect()?;
    let mut article = hire(conn, "Ada")?;
    println!("{}", page(conn, &article)?);
    let mut book = Book::create(conn, new_book())?;
    println!("{}", page(conn, &book)?);

    conn.transaction(|conn| -> diesel_hooks::Result {
        article.update(conn, |it| it.title = "Ada wrote notes".into())?;
        book.update(conn, |it| it.copies = 2)?;
        println!("not committed: {}", page(conn, &book)?);
        Ok(())
    })?;
    println!("committed: {}", page(conn, &article)?);
    println!("committed: {}", page(conn, &book)?);

    let there = catalogue::restock(conn, book.id, 10)?.copies;
    println!("{there} now, but nobody heard: {}", page(conn, &book)?);
    book.refresh(conn)?;
    book.save(conn)?;
    println!("saved with hooks: {}", page(conn, &book)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_of_another_crate_is_heard_here() {
        let conn = &mut connect().expect("a database");
        let article = hire(conn, "Ada").expect("hired");
        assert_eq!(article.title, "Ada is new here");
    }

    fn pages(conn: &mut SqliteConnection, article: &Article, book: &Book) -> [String; 2] {
        [page(conn, article), page(conn, book)].map(|it| it.expect("read"))
    }

    fn change(
        conn: &mut SqliteConnection,
        mut article: Article,
        mut book: Book,
    ) -> diesel_hooks::Result {
        article.update(conn, |it| it.title = "B".into())?;
        book.update(conn, |it| it.copies = 2)
    }

    #[test]
    fn one_receiver_forgets_rows_of_both_models_after_the_commit_and_not_after_a_rollback() {
        let conn = &mut connect().expect("a database");
        let article = Article::create(conn, NewArticle { title: "A".into() }).expect("created");
        let book = Book::create(conn, new_book()).expect("created");
        let old = pages(conn, &article, &book);
        assert_eq!(old, ["<h1>A</h1>", "<h1>Notes</h1> in stock: 1"]);

        let rolled_back: diesel_hooks::Result = conn.transaction(|conn| {
            change(conn, article.clone(), book.clone())?;
            Err(diesel::result::Error::RollbackTransaction.into())
        });
        assert!(rolled_back.is_err());
        assert_eq!(PAGES.with_borrow(BTreeMap::len), 2);

        let committed: diesel_hooks::Result = conn.transaction(|conn| {
            change(conn, article.clone(), book.clone())?;
            assert_eq!(pages(conn, &article, &book), old);
            Ok(())
        });
        committed.expect("both are written");
        assert_eq!(PAGES.with_borrow(BTreeMap::len), 0);
        let new = ["<h1>B</h1>", "<h1>Notes</h1> in stock: 2"];
        assert_eq!(pages(conn, &article, &book), new);
    }

    #[test]
    fn a_deleted_row_is_forgotten_too() {
        let conn = &mut connect().expect("a database");
        let book = Book::create(conn, new_book()).expect("created");
        page(conn, &book).expect("read");
        book.delete(conn).expect("deleted");
        let gone = page(conn, &book).expect_err("neither there nor in the cache");
        assert!(matches!(gone, diesel_hooks::Error::NotFound { .. }));
    }

    #[test]
    fn what_the_crate_without_hooks_writes_itself_is_heard_by_nobody() {
        let conn = &mut connect().expect("a database");
        let mut book = Book::create(conn, new_book()).expect("created");
        let old = page(conn, &book).expect("read");
        assert_eq!(
            catalogue::restock(conn, book.id, 10).map(|it| it.copies),
            Ok(11)
        );
        assert_eq!(page(conn, &book).expect("from the cache"), old);

        book.refresh(conn).expect("there");
        book.save(conn).expect("saved");
        assert_eq!(
            page(conn, &book).expect("read"),
            "<h1>Notes</h1> in stock: 11"
        );
    }
}
