//! The macros bind no name that an application's `dsl` imports could capture, and need none of the
//! prelude's.

#![allow(dead_code, reason = "what is never used is what could be captured")]

mod schema {
    diesel::table! {
        keys (key) {
            key -> Integer,
            conn -> Text,
            event -> Text,
            new -> Nullable<Text>,
            child -> Integer,
        }
    }

    diesel::table! {
        owners (id) { id -> Integer }
    }
}

mod models {
    use diesel::prelude::{Identifiable, Queryable, Selectable};
    use diesel_hooks::prelude::{Hooks, PostCreate, receiver};

    #[allow(unused_imports)]
    use super::schema::keys::dsl::*;
    use super::schema::{keys, owners};

    pub struct String;
    pub struct Option;
    pub struct Result;
    pub struct Box;
    pub trait Default {}
    pub trait Clone {}
    pub trait Into {}

    type Text = std::string::String;
    type Maybe<T> = std::option::Option<T>;

    #[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
    #[diesel(table_name = owners)]
    pub struct Owner {
        pub id: i32,
    }

    #[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
    #[diesel(table_name = keys, primary_key(key))]
    pub struct Key {
        pub key: i32,
        pub conn: Text,
        pub event: Text,
        pub new: Maybe<Text>,
        #[hooks(one_to_one(Owner, on_delete = Cascade, related_name = r#in, accessor = r#type, auto_create))]
        pub child: i32,
    }

    #[receiver]
    pub fn r#use(_: &PostCreate<Key>, _: &mut diesel::SqliteConnection) -> diesel_hooks::Result {
        Ok(())
    }
}

#[test]
fn names_in_scope_are_not_captured() {
    use diesel::prelude::*;
    use diesel_hooks::Model;
    use models::{Key, NewKey, NewOwner, Owner};

    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    for table in [
        "CREATE TABLE owners (id INTEGER PRIMARY KEY)",
        "CREATE TABLE keys (key INTEGER PRIMARY KEY, conn TEXT NOT NULL, event TEXT NOT NULL, new TEXT, child INTEGER NOT NULL)",
    ] {
        diesel::sql_query(table).execute(&mut conn).unwrap();
    }
    let owner = Owner::create(&mut conn, NewOwner {}).unwrap();
    assert_eq!(
        owner.r#in(&mut conn).unwrap().r#type(&mut conn).unwrap().id,
        owner.id
    );
    assert_eq!(
        format!("{:?}", NewKey::default()),
        "NewKey { conn: \"\", event: \"\", new: None, child: 0 }"
    );
    Key::get(&mut conn, 1).unwrap().delete(&mut conn).unwrap();
    let uid = concat!(module_path!(), "::models::use");
    assert!(diesel_hooks::registry().assert_receivers([uid]).is_ok());
}
