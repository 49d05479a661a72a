use diesel::prelude::*;
use diesel_hooks::prelude::*;

#[derive(HookConnection)]
enum AnyConnection {
    Sqlite(SqliteConnection),
}

fn main() {}
