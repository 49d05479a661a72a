//! Receivers that a macro of the application writes, from each kind of fragment.
#![deny(warnings)]

use std::cell::RefCell;

use diesel::prelude::*;
use diesel_hooks::prelude::*;

mod models {
    use diesel::prelude::*;
    use diesel_hooks::prelude::*;

    diesel::table! {
        users (id) { id -> Integer, email -> Text }
    }

    #[derive(Clone, Queryable, Hooks)]
    pub struct User {
        pub id: i32,
        pub email: String,
    }
}

thread_local! {
    /// A receiver of every model hears those of the other tests, too.
    static LOG: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

macro_rules! hear {
    ($name:ident, $model:ty, $conn:path, $uid:literal, $order:expr, $column:path) => {
        #[receiver(senders($model), connections($conn), after = $uid, order = $order, changed($column))]
        fn $name<M: Model, C>(_: &PostSave<M>, _: &mut C) {
            LOG.with_borrow_mut(|log| log.push(stringify!($name)));
        }
    };
    ($name:ident, $event:ty, $($option:tt)*) => {
        #[receiver($($option)*)]
        fn $name(_: &$event) {
            LOG.with_borrow_mut(|log| log.push(stringify!($name)));
        }
    };
    (signal $name:ident $(<$param:ident>)? of $ty:ty) => {
        #[derive(Signal)]
        struct $name $(<$param>)? ($ty);
    };
}

hear!(
    one,
    models::User,
    SqliteConnection,
    "two",
    -5,
    models::users::email
);
hear!(
    two,
    PostSave<models::User>,
    dispatch_uid = "two",
    after_commit
);
hear!(three, PostSave<dyn AnyModel>, before = "two");
hear!(signal Told<T> of Option<T>);
hear!(four, Told<i32>,);

#[test]
fn receivers_may_come_from_macros() {
    let conn = &mut SqliteConnection::establish(":memory:").unwrap();
    let table = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)";
    diesel::sql_query(table).execute(conn).unwrap();
    let user = models::User::create(
        conn,
        models::NewUser {
            email: "ada".into(),
        },
    )
    .unwrap();
    assert_eq!((user.id, &*user.email), (1, "ada"));
    let told = Told(Some(1));
    told.send(conn).unwrap();
    assert_eq!(told.0, Some(1));
    assert_eq!(LOG.take(), ["three", "one", "two", "four"]);
}
