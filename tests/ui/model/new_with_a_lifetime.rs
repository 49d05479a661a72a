#![allow(dead_code, unused_variables)]

use std::borrow::Cow;

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = users)]
#[hooks(new = NewUser<'a>)]
struct Named {
    id: i32,
    email: String,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = users)]
#[hooks(connection(SqliteConnection), new = self::NewUser<'_>)]
struct Elided {
    id: i32,
    email: String,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = users)]
#[hooks(new = NewUser::<'a>, crate = diesel_hooks)]
struct AsAnExpression {
    id: i32,
    email: String,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = users)]
#[hooks(new = NewOf<&str>)]
struct OfAReference {
    id: i32,
    email: String,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = users)]
#[hooks(new = NewOf<Cow<'a, str>>)]
struct OfACow {
    id: i32,
    email: String,
}

#[derive(Insertable)]
#[diesel(table_name = users)]
struct NewUser<'a> {
    email: &'a str,
}

type NewOf<T> = diesel::dsl::Eq<users::email, T>;

fn main() {}
