use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { books (id) { id -> Integer, title -> Text } }

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = books)]
struct GeneratedKey {
    id: i32,
    title: String,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = books)]
#[hooks(new = HandWritten)]
struct KeyNotSaidToBeThere {
    id: i32,
    title: String,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = books)]
#[hooks(new = NotClone)]
struct NewNotClone {
    #[hooks(assigned)]
    id: i32,
    title: String,
}

#[derive(Clone, Insertable)]
#[diesel(table_name = books)]
struct HandWritten {
    id: i32,
    title: String,
}

#[derive(Insertable)]
#[diesel(table_name = books)]
struct NotClone {
    id: i32,
    title: String,
}

fn main() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    let title = String::from("Emma");
    let book = GeneratedKey::upsert(&mut conn, NewGeneratedKey { title: title.clone() });
    let book = KeyNotSaidToBeThere::upsert(&mut conn, HandWritten { id: 1, title: title.clone() });
    let book = NewNotClone::upsert(&mut conn, NotClone { id: 1, title });
}
