//! Every operation takes a pooled connection as it takes a raw one, and receivers get the raw one.

use backends::{Database, TestConnection};
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel_hooks::prelude::*;

diesel::table! { parcels (id) { id -> Integer, weight -> Integer } }
diesel::table! { labels (id) { id -> Integer, parcel_id -> Integer } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
pub(crate) struct Parcel {
    pub(crate) id: i32,
    pub(crate) weight: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Label {
    id: i32,
    #[hooks(one_to_one(Parcel, on_delete = Cascade, related_name = label, auto_create))]
    parcel_id: i32,
}

#[receiver]
fn weigh(event: &PostCreate<Parcel>, conn: &mut TestConnection) -> QueryResult<()> {
    let parcel = parcels::table.find(event.instance.id);
    diesel::update(parcel)
        .set(parcels::weight.eq(parcels::weight + 1))
        .execute(conn)
        .map(drop)
}

pub(crate) const SCHEMA: &str = "
    CREATE TABLE parcels (id {key}, weight INTEGER NOT NULL);
    CREATE TABLE labels (id {key}, parcel_id INTEGER NOT NULL UNIQUE REFERENCES parcels (id));
";

pub(crate) fn everything<C>(conn: &mut C) -> diesel_hooks::Result
where
    C: HookConnection<Raw = TestConnection>,
{
    let mut parcel = Parcel::create(conn, NewParcel { weight: 1 })?;
    parcel.refresh(conn)?;
    assert_eq!(
        parcel.weight, 2,
        "the receiver wrote on the same connection"
    );
    parcel.update(conn, |parcel| parcel.weight = 9)?;
    parcel.update_set(conn, parcels::weight.eq(parcels::weight * 2))?;
    parcel.save(conn)?;
    assert_eq!(Parcel::get(conn, parcel.id)?, parcel);
    assert_eq!(parcel.weight, 18);
    assert_eq!(
        Parcel::create_many(conn, vec![NewParcel { weight: 3 }])?.len(),
        1
    );
    assert_eq!(parcel.label(conn)?.parcel(conn)?, parcel);
    assert_eq!(parcel.delete(conn)?.total, 2);
    Ok(())
}

#[test]
fn every_operation_works_on_raw_pooled_and_borrowed_connections() {
    let disk = Database::new(SCHEMA);
    everything(&mut disk.connect()).expect("a raw connection");
    let pool = Pool::builder()
        .max_size(1)
        .build(ConnectionManager::<TestConnection>::new(disk.url()))
        .expect("a pool");
    everything(&mut pool.get().expect("a connection")).expect("a pooled connection");
    everything(&mut &mut pool.get().expect("a connection")).expect("a borrowed one");
}

#[test]
fn a_connection_goes_back_to_its_pool_in_order_after_an_error_and_after_a_panic() {
    let disk = Database::new(SCHEMA);
    let pool = Pool::builder()
        .max_size(1)
        .build(ConnectionManager::<TestConnection>::new(disk.url()))
        .expect("a pool");
    let mut conn = pool.get().expect("a connection");
    let missing = Parcel { id: 99, weight: 0 }.label(&mut conn);
    assert!(missing.is_err());
    drop(conn);
    let worker = std::thread::spawn({
        let pool = pool.clone();
        move || {
            let mut conn = pool.get().expect("a connection");
            let mut parcel = Parcel::create(&mut conn, NewParcel { weight: 1 }).expect("a parcel");
            parcel
                .update(&mut conn, |_| panic!("in the closure"))
                .expect("unreachable");
        }
    });
    assert!(worker.join().is_err(), "the panic goes on");
    everything(&mut pool.get().expect("the only connection came back")).expect("and works");
}
