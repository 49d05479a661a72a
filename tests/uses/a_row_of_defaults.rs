//! A model that has nothing but a generated key, and one whose fields are all left out of insertions.

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    tickets (id) { id -> Integer }
}

diesel::table! {
    stamps (id) { id -> Integer, made_at -> Text, seen -> Bool }
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Ticket(#[diesel(column_name = id)] i32);

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Stamp {
    id: i32,
    #[hooks(generated)]
    made_at: String,
    #[diesel(skip_insertion)]
    seen: bool,
}

#[test]
fn a_row_may_have_nothing_but_defaults() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    for table in [
        "CREATE TABLE tickets (id INTEGER PRIMARY KEY)",
        "CREATE TABLE stamps (id INTEGER PRIMARY KEY, made_at TEXT NOT NULL DEFAULT 'now', seen BOOLEAN NOT NULL DEFAULT FALSE)",
    ] {
        diesel::sql_query(table).execute(&mut conn).unwrap();
    }
    assert_eq!(Ticket::create(&mut conn, NewTicket()).unwrap(), Ticket(1));
    let tickets = Ticket::create_many(&mut conn, vec![NewTicket::default(), NewTicket()]).unwrap();
    assert_eq!(tickets, [Ticket(2), Ticket(3)]);

    let mut stamp = Stamp::create(&mut conn, NewStamp {}).unwrap();
    stamp.update(&mut conn, |it| it.seen = true).unwrap();
    assert_eq!(
        Stamp::get(&mut conn, 1).unwrap(),
        Stamp {
            id: 1,
            made_at: "now".into(),
            seen: true
        }
    );
}
