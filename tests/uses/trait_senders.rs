//! Receivers of a trait, and models that extend it.
#![deny(warnings)]

use std::cell::RefCell;

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

diesel::table! {
    articles (id) { id -> Integer, title -> Text }
}

mod traits {
    pub trait Activity {
        fn line(&self) -> String;
    }

    pub trait Holds<T> {
        fn held(&self) -> T;
    }
}

use traits::Activity;

#[derive(Clone, Queryable, Hooks)]
#[hooks(extends(Activity, traits::Holds<i32>, traits::Activity, AnyModel))]
struct User {
    id: i32,
    email: String,
}

impl Activity for User {
    fn line(&self) -> String {
        self.email.clone()
    }
}

impl traits::Holds<i32> for User {
    fn held(&self) -> i32 {
        self.id
    }
}

#[derive(Clone, Queryable, Hooks)]
struct Article {
    id: i32,
    title: String,
}

thread_local! {
    /// A receiver of every model hears those of the other tests, too.
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn log(what: String) {
    LOG.with_borrow_mut(|log| log.push(what));
}

#[receiver]
fn active(event: &PostSave<dyn Activity>) {
    log(format!("active {}", event.instance.line()));
}

#[receiver(order = 1)]
fn holding(
    event: &PostCreate<dyn traits::Holds<i32> + 'static>,
    _: &mut SqliteConnection,
) -> diesel_hooks::Result {
    log(format!("holds {}", event.instance.held()));
    Ok(())
}

#[receiver(after_commit)]
fn committed(event: &PostSave<dyn AnyModel>) {
    log(format!("committed {}", event.instance.model_name()));
}

#[receiver]
fn going(event: &PreDelete<dyn AnyModel>) {
    log(format!("going {}", event.instance.key_text()));
}

#[receiver(after_rollback)]
fn stayed(event: &PostDelete<dyn AnyModel>) {
    log(format!("stayed {}", event.instance.key_text()));
}

#[test]
fn models_are_heard_by_the_traits_that_they_extend() {
    let conn = &mut SqliteConnection::establish(":memory:").unwrap();
    for table in [
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)",
        "CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT NOT NULL)",
    ] {
        diesel::sql_query(table).execute(conn).unwrap();
    }
    let user = User::create(
        conn,
        NewUser {
            email: "ada".into(),
        },
    )
    .unwrap();
    let article = Article::create(
        conn,
        NewArticle {
            title: "notes".into(),
        },
    )
    .unwrap();
    assert_eq!((article.id, &*article.title), (1, "notes"));
    let undone: QueryResult<()> = conn.transaction(|conn| {
        user.delete(conn)?;
        Err(diesel::result::Error::RollbackTransaction)
    });
    assert!(undone.is_err());
    let mut logged = LOG.take();
    logged[..2].sort();
    assert_eq!(
        logged,
        [
            "active ada",
            "holds 1",
            "committed User",
            "committed Article",
            "going 1",
            "stayed 1"
        ]
    );
}
