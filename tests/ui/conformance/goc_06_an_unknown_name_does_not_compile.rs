use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, email -> Text } }

#[derive(Clone, Queryable, Hooks)]
struct User {
    id: i32,
    email: String,
}

fn main() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    let new = || NewUser { email: "ada".into(), nickname: "ada".into() };
    let user = User::get_or_create(&mut conn, users::email.eq("ada"), new);
    let new = || NewUser { email: "ada".into() };
    let user = User::get_or_create(&mut conn, users::nickname.eq("ada"), new);
    let user = User::update_or_create(&mut conn, users::email.eq("ada"), new, |it| {
        it.nickname.clear();
    });
}
