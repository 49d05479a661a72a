//! Rows that are large together go by as many statements as the server's limit asks for.

use backends::{Database, TestConnection};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

const TABLES: &str = "CREATE TABLE scans (name VARCHAR(20) PRIMARY KEY, page {bytes} NOT NULL);";

diesel::table! { scans (name) { name -> Text, page -> Binary } }

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection), new = Self)]
#[diesel(primary_key(name))]
struct Scan {
    name: String,
    page: Vec<u8>,
}

#[test]
fn they_are_created_in_one_call_with_small_ones_between_them() {
    let (_database, mut conn) = Database::open(TABLES);
    // A thousand rows of them are more than the 16 MB that MariaDB takes unless it is told otherwise.
    let scans: Vec<_> = (0..1_500_usize)
        .map(|number| Scan {
            name: format!("scan {number}"),
            page: vec![7; if number % 3 == 0 { 60_000 } else { number % 50 }],
        })
        .collect();
    let created = Scan::create_many(&mut conn, scans.clone()).expect("created");
    assert!(created == scans);
    let stored: i64 = scans::table.count().get_result(&mut conn).expect("read");
    assert_eq!(stored, 1_500);
}
