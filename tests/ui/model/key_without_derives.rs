#![allow(dead_code, unused_variables)]

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

#[derive(Clone, AsExpression, FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::Integer)]
struct UserId(i32);

#[derive(Clone, Queryable, Hooks)]
struct User {
    id: UserId,
    email: String,
}

fn main() {}
