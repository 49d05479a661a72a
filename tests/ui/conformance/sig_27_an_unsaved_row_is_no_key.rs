use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, name -> Text } }
diesel::table! { profiles (id) { id -> Integer, user_id -> Integer } }

#[derive(Clone, Queryable, Hooks)]
struct User {
    id: i32,
    name: String,
}

#[derive(Clone, Queryable, Hooks)]
struct Profile {
    id: i32,
    #[hooks(one_to_one(User, on_delete = Cascade))]
    user_id: i32,
}

fn main() {
    let unsaved = NewUser { name: "Ada".into() };
    let profile = NewProfile { user_id: unsaved };
}
