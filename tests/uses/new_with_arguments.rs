//! What a row is created from may be a struct with arguments, as long as it owns what it holds.

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

/// Created from texts of the program.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = users)]
#[hooks(new = NewUser<'static>)]
struct BuiltIn {
    id: i32,
    email: String,
}

#[derive(Insertable)]
#[diesel(table_name = users)]
struct NewUser<'a> {
    email: &'a str,
}

#[test]
fn a_struct_that_borrows_what_is_always_there_is_one() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)")
        .execute(&mut conn)
        .unwrap();
    let root = NewUser { email: "root" };
    let root = BuiltIn::create(&mut conn, root).unwrap();
    assert_eq!(BuiltIn::get(&mut conn, root.id).unwrap().email, "root");
    let more = ["daemon", "nobody"].map(|email| NewUser { email });
    let more = BuiltIn::create_many(&mut conn, more.into()).unwrap();
    assert_eq!(more[1].email, "nobody");
}
