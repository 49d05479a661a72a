//! The derive takes models as they are: keys of every kind, columns under other names, embedded structs,
//! models that are only `Queryable`.

use backends::{TestConnection, fresh, statements};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Integer;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

/// Writes what is around a number.
macro_rules! written {
    ($name:ident) => {
        impl<DB: Backend> ToSql<Integer, DB> for $name
        where
            i32: ToSql<Integer, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.0.to_sql(out)
            }
        }
    };
}

/// Reads it.
macro_rules! read {
    ($name:ident) => {
        impl<DB: Backend> FromSql<Integer, DB> for $name
        where
            i32: FromSql<Integer, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                i32::from_sql(value).map($name)
            }
        }
    };
}

mod newtype_key {
    use super::*;

    diesel::table! { orders (id) { id -> Integer, total -> Integer } }
    diesel::table! { invoices (id) { id -> Integer, order_id -> Integer } }

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
    #[diesel(sql_type = Integer)]
    pub(crate) struct OrderId(pub(crate) i32);
    written!(OrderId);
    read!(OrderId);

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Order {
        pub(crate) id: OrderId,
        pub(crate) total: i32,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Invoice {
        pub(crate) id: i32,
        #[hooks(one_to_one(Order, on_delete = Protect, related_name = invoice))]
        pub(crate) order_id: OrderId,
    }
}

#[test]
fn a_newtype_is_a_key_and_is_shown_as_one() {
    use newtype_key::*;

    let mut conn = fresh(
        "CREATE TABLE orders (id {key}, total INTEGER NOT NULL);
         CREATE TABLE invoices (id {key}, order_id INTEGER NOT NULL UNIQUE REFERENCES orders (id));",
    );
    let mut order = Order::create(&mut conn, NewOrder { total: 5 }).expect("an order");
    order
        .update(&mut conn, |order| order.total = 6)
        .expect("updated");
    assert_eq!(
        Order::get(&mut conn, OrderId(1)).expect("it is there"),
        order
    );
    let invoice =
        Invoice::create(&mut conn, NewInvoice { order_id: order.id }).expect("an invoice");
    assert_eq!(order.invoice(&mut conn).expect("an invoice"), invoice);
    let error = order.delete(&mut conn).expect_err("protected");
    assert_eq!(
        error.to_string(),
        "Order OrderId(1) is protected by Invoice 1 (through Invoice.order_id)"
    );
}

mod composite_key {
    use super::*;

    diesel::table! { seats (row, number) { row -> Text, number -> Integer, guest -> Nullable<Text> } }

    #[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[diesel(primary_key(row, number))]
    #[hooks(new = Self)]
    pub(crate) struct Seat {
        pub(crate) row: String,
        pub(crate) number: i32,
        pub(crate) guest: Option<String>,
    }

    diesel::table! { visits (seat, guest) { seat -> Integer, guest -> Integer } }

    /// Nothing but its key, as a join table.
    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[diesel(primary_key(seat, guest))]
    pub(crate) struct Visit {
        #[hooks(assigned)]
        pub(crate) seat: i32,
        #[hooks(assigned)]
        pub(crate) guest: i32,
    }
}

#[test]
fn a_key_of_several_columns_works_everywhere() {
    use composite_key::*;

    let mut conn = fresh(
        "CREATE TABLE seats (row TEXT, number INTEGER, guest TEXT, PRIMARY KEY (row, number)) WITHOUT ROWID;",
    );
    let seat = |row: &str, number| Seat {
        row: row.into(),
        number,
        guest: None,
    };
    let mut first = Seat::create(&mut conn, seat("A", 1)).expect("a seat");
    Seat::create_many(&mut conn, vec![seat("A", 2), seat("B", 1)]).expect("two seats");
    first
        .update(&mut conn, |seat| seat.guest = Some("Ada".into()))
        .expect("updated");
    first.guest = None;
    first.save(&mut conn).expect("saved");
    assert_eq!(
        Seat::get(&mut conn, ("A".into(), 1)).expect("it is there"),
        first
    );
    assert_eq!(
        <Seat as diesel_hooks::__private::Row>::KEY,
        ["row", "number"]
    );
    assert_eq!(first.delete(&mut conn).expect("deleted").total, 1);
    assert!(matches!(
        Seat::get(&mut conn, ("A".into(), 1)),
        Err(Error::NotFound { .. })
    ));
    assert_eq!(
        composite_key::seats::table.count().get_result(&mut conn),
        Ok(2)
    );
}

#[test]
fn a_row_of_nothing_but_its_key_can_be_saved_while_it_is_there() {
    use composite_key::*;

    let mut conn =
        fresh("CREATE TABLE visits (seat INTEGER, guest INTEGER, PRIMARY KEY (seat, guest));");
    let mut visit = Visit::create(&mut conn, NewVisit { seat: 1, guest: 2 }).expect("a visit");
    visit.save(&mut conn).expect("nothing to write");
    visit.delete(&mut conn).expect("deleted");
    assert!(matches!(visit.save(&mut conn), Err(Error::NotFound { .. })));
}

mod unusual {
    use super::*;

    diesel::table! { rows (key) {
        key -> Integer,
        #[sql_name = "type"] kind -> Text,
        note -> Nullable<Text>,
        made_at -> Nullable<Text>,
        street -> Nullable<Text>,
        city -> Text,
    } }

    #[derive(Debug, Clone, Default, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
    #[diesel(table_name = rows, treat_none_as_null = true)]
    pub(crate) struct Address {
        pub(crate) street: Option<String>,
        pub(crate) city: String,
    }

    /// Keys, columns and fields under names of their own, an embedded struct, a generated column.
    #[derive(Debug, Clone, PartialEq, Queryable, Selectable, Identifiable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[diesel(table_name = rows, primary_key(key))]
    pub(crate) struct Tür {
        #[diesel(column_name = key)]
        pub(crate) number: i32,
        #[diesel(column_name = kind)]
        pub(crate) r#type: String,
        #[diesel(column_name = "note")]
        pub(crate) remark: Option<String>,
        #[hooks(generated)]
        made_at: Option<String>,
        #[diesel(embed)]
        pub(crate) address: Address,
    }

    impl Tür {
        pub(crate) fn made_at(&self) -> Option<&str> {
            self.made_at.as_deref()
        }
    }
}

#[test]
fn names_embedded_structs_and_generated_columns_are_respected() {
    use unusual::*;

    let mut conn = fresh(
        "CREATE TABLE {q}rows{q} ({q}key{q} {key}, type TEXT NOT NULL, note TEXT,
            made_at TEXT DEFAULT 'once upon a time', street TEXT, city TEXT NOT NULL);",
    );
    let address = Address {
        street: Some("Main".into()),
        city: "Paris".into(),
    };
    let new = NewTür {
        r#type: "round".into(),
        remark: Some("new".into()),
        address,
    };
    let mut row = Tür::create(&mut conn, new).expect("a row");
    assert_eq!(row.made_at(), Some("once upon a time"));
    row.update(&mut conn, |row| row.address.city = "Lyon".into())
        .expect("updated");
    row.remark = None;
    row.address.street = None;
    row.save(&mut conn).expect("saved");
    let read = Tür::get(&mut conn, row.number).expect("it is there");
    assert_eq!(
        read, row,
        "None is written as NULL, in the embedded struct too"
    );
    assert_eq!(
        read.address,
        Address {
            street: None,
            city: "Lyon".into()
        }
    );
}

mod incomparable {
    use super::*;

    diesel::table! { readings (id) { id -> Integer, value -> Integer, unit -> Text } }

    /// Cannot be compared.
    #[derive(Debug, Clone, AsExpression, FromSqlRow)]
    #[diesel(sql_type = Integer)]
    pub(crate) struct Opaque(pub(crate) i32);
    written!(Opaque);
    read!(Opaque);

    #[derive(Clone, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Reading {
        pub(crate) id: i32,
        pub(crate) value: Opaque,
        pub(crate) unit: String,
    }
}

#[test]
fn a_field_that_cannot_be_compared_counts_as_changed() {
    use incomparable::*;

    let mut conn =
        fresh("CREATE TABLE readings (id {key}, value INTEGER NOT NULL, unit TEXT NOT NULL);");
    let mut reading = Reading::create(
        &mut conn,
        NewReading {
            value: Opaque(1),
            unit: "m".into(),
        },
    )
    .expect("a reading");
    let (outcome, seen) = statements(&mut conn, |conn| reading.update(conn, |_| ()));
    outcome.expect("updated");
    assert_eq!(
        seen,
        ["UPDATE `readings` SET `value` = ? WHERE `readings`.`id` = ?"]
    );
    assert_eq!((reading.value.0, reading.unit.as_str()), (1, "m"));
}

mod several_named_alike {
    pub(crate) mod a {
        use backends::TestConnection;
        use diesel::prelude::*;
        use diesel_hooks::prelude::*;

        diesel::table! { twins (id) { id -> Integer, a -> Integer } }

        #[derive(Clone, Queryable, Hooks)]
        #[hooks(connection(TestConnection))]
        pub(crate) struct Twin {
            pub(crate) id: i32,
            pub(crate) a: i32,
        }
    }

    pub(crate) mod b {
        use backends::TestConnection;
        use diesel::prelude::*;
        use diesel_hooks::prelude::*;

        diesel::table! { twins (id) { id -> Integer, b -> Integer } }

        #[derive(Clone, Queryable, Hooks)]
        #[hooks(connection(TestConnection))]
        pub(crate) struct Twin {
            pub(crate) id: i32,
            pub(crate) b: i32,
        }
    }
}

#[test]
fn models_of_one_name_in_two_modules_keep_apart() {
    use several_named_alike::{a, b};

    let mut conn =
        fresh("CREATE TABLE twins (id {key}, a INTEGER DEFAULT 1, b INTEGER DEFAULT 2);");
    assert_eq!(
        a::Twin::create(&mut conn, a::NewTwin { a: 5 })
            .expect("a twin")
            .id,
        1
    );
    assert_eq!(
        b::Twin::create(&mut conn, b::NewTwin { b: 6 })
            .expect("a twin")
            .id,
        2
    );
    let (first, second) = (a::Twin::get(&mut conn, 2), b::Twin::get(&mut conn, 1));
    assert_eq!(
        (first.expect("a twin").a, second.expect("a twin").b),
        (1, 2)
    );
}

mod converted {
    use super::*;

    diesel::table! { temperatures (id) { id -> Integer, celsius -> Integer, place -> Text, unit -> Nullable<Text> } }

    /// Stored as whole degrees.
    #[derive(Debug, Clone, Copy, AsExpression)]
    #[diesel(sql_type = Integer)]
    pub(crate) struct Degrees(i32);

    impl From<f64> for Degrees {
        fn from(celsius: f64) -> Self {
            Degrees(celsius.round() as i32)
        }
    }
    written!(Degrees);

    #[derive(Debug, Clone, Copy, FromSqlRow)]
    pub(crate) struct Read(i32);
    read!(Read);

    impl From<Read> for f64 {
        fn from(read: Read) -> Self {
            f64::from(read.0)
        }
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Temperature {
        pub(crate) id: i32,
        #[diesel(serialize_as = Degrees, deserialize_as = Read)]
        pub(crate) celsius: f64,
        #[diesel(skip_update)]
        pub(crate) place: String,
        #[diesel(skip_insertion)]
        pub(crate) unit: Option<String>,
    }
}

#[test]
fn conversions_and_skipped_columns_are_respected() {
    use converted::*;

    let mut conn = fresh(
        "CREATE TABLE temperatures (id {key}, celsius INTEGER NOT NULL, place TEXT NOT NULL, unit TEXT DEFAULT 'C');",
    );
    let new = NewTemperature {
        celsius: 20.6,
        place: "Oslo".into(),
    };
    let mut row = Temperature::create(&mut conn, new).expect("a row");
    assert_eq!((row.celsius, row.unit.as_deref()), (21.0, Some("C")));
    row.place = "elsewhere".into();
    row.celsius = 3.4;
    row.unit = Some("K".into());
    row.save(&mut conn).expect("saved");
    row.update(&mut conn, |row| row.unit = None)
        .expect("updated");
    let read = Temperature::get(&mut conn, row.id).expect("it is there");
    assert_eq!(
        (read.celsius, read.place.as_str(), read.unit),
        (3.0, "Oslo", None)
    );
}

mod forgetful {
    use super::*;

    diesel::table! { parcels (id) { id -> Integer, street -> Nullable<Text>, city -> Nullable<Text> } }

    /// Its changeset leaves out what is `None`.
    #[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
    #[diesel(table_name = parcels)]
    pub(crate) struct Destination {
        pub(crate) street: Option<String>,
        pub(crate) city: Option<String>,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Parcel {
        pub(crate) id: i32,
        #[diesel(embed)]
        pub(crate) destination: Destination,
    }
}

#[test]
fn an_embedded_struct_that_would_not_write_null_is_refused() {
    use diesel_hooks::error::RegistryError;
    use forgetful::*;

    let mut conn = fresh("CREATE TABLE parcels (id {key}, street TEXT, city TEXT);");
    let destination = Destination {
        street: None,
        city: None,
    };
    let error = Parcel::create(&mut conn, NewParcel { destination }).expect_err("refused");
    assert!(
        matches!(
            &error,
            Error::Registry(RegistryError::EmbeddedLeavesOutNone {
                field: "Parcel.destination",
                ..
            })
        ),
        "{error}"
    );
    assert!(
        error.to_string().contains("treat_none_as_null = true"),
        "{error}"
    );
}
