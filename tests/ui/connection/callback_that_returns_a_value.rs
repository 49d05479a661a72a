use diesel_hooks::prelude::*;

fn count(conn: &mut diesel::SqliteConnection) -> diesel_hooks::Result {
    conn.after_commit(|| 7)
}

fn main() {}
