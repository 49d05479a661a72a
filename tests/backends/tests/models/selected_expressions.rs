//! A model may select expressions, also ones with values in them.

use backends::{Database, TestConnection};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

const TABLES: &str = "CREATE TABLE parcels (id {key}, weight INTEGER NOT NULL, label VARCHAR(20));";

diesel::table! { parcels (id) { id -> Integer, weight -> Integer, label -> Nullable<Text> } }

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Hooks)]
#[hooks(connection(TestConnection), new = NewParcel)]
struct Parcel {
    id: i32,
    #[diesel(select_expression = parcels::weight.gt(20_i32))]
    heavy: bool,
    #[diesel(select_expression = parcels::weight.lt(5_i32))]
    light: bool,
    label: Option<String>,
}

#[derive(Clone, Insertable)]
#[diesel(table_name = parcels)]
struct NewParcel {
    weight: i32,
    label: Option<String>,
}

#[test]
fn a_row_is_created_alone_or_with_others_and_read_with_its_expressions() {
    let (_database, mut conn) = Database::open(TABLES);
    let new = |weight| NewParcel {
        weight,
        label: (weight > 5).then(|| "to ada".to_owned()),
    };
    let is = |it: &Parcel| (it.heavy, it.light, it.label.is_some());
    let one = Parcel::create(&mut conn, new(30)).expect("created");
    assert_eq!(is(&one), (true, false, true));
    let many = Parcel::create_many(&mut conn, [1, 10, 21].map(new).to_vec()).expect("created");
    let many: Vec<_> = many.iter().map(is).collect();
    let expected = [
        (false, true, false),
        (false, false, true),
        (true, false, true),
    ];
    assert_eq!(many, expected);
    assert_eq!(Parcel::get(&mut conn, one.id).expect("there"), one);
}
