use diesel::prelude::*;
use diesel_hooks::prelude::*;

#[derive(HookConnection)]
struct One(SqliteConnection);

#[derive(HookConnection)]
enum None {}

#[derive(HookConnection)]
enum Generic<C> {
    Sqlite(C),
}

#[derive(HookConnection)]
enum Wrong {
    Sqlite { conn: SqliteConnection },
    Two(SqliteConnection, SqliteConnection),
    Unit,
}

#[derive(HookConnection)]
#[hooks(crates = diesel_hooks)]
enum Misspelt {
    Sqlite(SqliteConnection),
}

fn main() {}
