//! An application that sees the library only through a crate of its own.

mod framework {
    pub mod orm {
        pub use diesel_hooks::*;
    }
}

use diesel::prelude::*;
use framework::orm::prelude::*;

/// Whatever says `diesel_hooks` by itself would find this.
mod shadow {
    pub mod diesel_hooks {}
}
#[allow(unused_imports)]
use shadow::diesel_hooks;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

#[derive(Clone, Queryable, Hooks)]
#[hooks(crate = framework::orm)]
struct User {
    id: i32,
    email: String,
}

#[receiver(order = -1, dispatch_uid = "hear", crate = framework::orm)]
fn hear(event: &PostCreate<User>) {
    assert_eq!((event.instance.id, &*event.instance.email), (1, "a"));
}

#[test]
fn the_library_may_have_another_name() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)")
        .execute(&mut conn)
        .unwrap();
    User::create(&mut conn, NewUser { email: "a".into() }).unwrap();
    let registry = framework::orm::registry();
    let hear = registry.receivers().find(|it| it.uid == "hear");
    assert_eq!(hear.map(|it| it.order), Some(-1));
}
