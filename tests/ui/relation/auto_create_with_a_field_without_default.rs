#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

diesel::table! {
    profiles (id) { id -> Integer, user_id -> Integer, team -> Text }
}

#[derive(Clone, Queryable, Hooks)]
struct User {
    id: i32,
    email: String,
}

#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::Text)]
struct Team(String);

#[derive(Clone, Queryable, Hooks)]
struct Profile {
    id: i32,
    #[hooks(one_to_one(User, on_delete = Cascade, auto_create))]
    user_id: i32,
    team: Team,
}

fn main() {}
