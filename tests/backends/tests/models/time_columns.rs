//! Types of the crate `time` are columns like others: of rows that are created, changed and read.

use backends::{Database, Log, TestConnection, count};
use diesel::prelude::*;
use diesel_hooks::prelude::*;
use time::{Date, Duration, Month, PrimitiveDateTime, Time};

diesel::table! {
    shifts (id) { id -> Integer, day -> Date, begins -> Time, ended -> Nullable<Timestamp> }
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Shift {
    id: i32,
    day: Date,
    begins: Time,
    ended: Option<PrimitiveDateTime>,
}

static CHANGED: Log = Log::new();

#[receiver]
fn which_changed(event: &PostUpdate<Shift>) {
    let columns = [
        ("day", event.changed(shifts::day)),
        ("begins", event.changed(shifts::begins)),
        ("ended", event.changed(shifts::ended)),
    ];
    for (column, _) in columns.iter().filter(|it| it.1) {
        CHANGED.push(*column);
    }
}

const TABLE: &str = "
    CREATE TABLE shifts (id {key}, day DATE NOT NULL, begins TIME NOT NULL, ended {timestamp} NULL);
";

fn day() -> Date {
    Date::from_calendar_date(2024, Month::February, 29).expect("a leap year")
}

fn shift() -> NewShift {
    let begins = Time::from_hms(23, 59, 58).expect("a time");
    let ended = Time::from_hms_micro(0, 0, 1, 123_456).expect("a time");
    NewShift {
        day: day(),
        begins,
        ended: Some(PrimitiveDateTime::new(day() + Duration::DAY, ended)),
    }
}

#[test]
fn dates_and_times_of_the_crate_time_come_back_as_they_were() {
    let (_database, mut conn) = Database::open(TABLE);
    let one = Shift::create(&mut conn, shift()).expect("created");
    let NewShift { day, begins, ended } = shift();
    assert_eq!((one.day, one.begins, one.ended), (day, begins, ended));
    assert_eq!(Shift::get(&mut conn, one.id).expect("stored"), one);
    let stored = "shifts WHERE day = '2024-02-29' AND begins >= '23:59:58'";
    assert_eq!(count(&mut conn, stored), 1);

    let without = NewShift {
        ended: None,
        ..shift()
    };
    let many = Shift::create_many(&mut conn, vec![without, shift()]).expect("created");
    let read = shifts::table
        .filter(shifts::day.eq(day))
        .order(shifts::id)
        .load_hooked::<Shift>(&mut conn);
    assert_eq!(
        read.expect("loaded"),
        [one, many[0].clone(), many[1].clone()]
    );
    assert_eq!([many[0].ended, many[1].ended], [None, ended]);
}

#[test]
fn an_update_tells_which_of_them_changed() {
    let (_database, mut conn) = Database::open(TABLE);
    let mut it = Shift::create(&mut conn, shift()).expect("created");
    it.update(&mut conn, |it| it.day += Duration::DAY)
        .expect("updated");
    assert_eq!(CHANGED.take(), ["day"]);
    it.update(&mut conn, |it| {
        it.begins = Time::MIDNIGHT;
        it.ended = it.ended.map(|at| at + Duration::MICROSECOND);
    })
    .expect("updated");
    assert_eq!(CHANGED.take(), ["begins", "ended"]);
    it.ended = None;
    it.save(&mut conn).expect("saved");
    assert_eq!(CHANGED.take(), ["ended"]);
    it.update(&mut conn, |it| it.begins = Time::MIDNIGHT)
        .expect("nothing to write");
    assert_eq!(CHANGED.take(), [""; 0]);
    assert_eq!(Shift::get(&mut conn, it.id).expect("stored"), it);
    let open = shifts::table.filter(shifts::ended.is_null());
    let closed = open.update_hooked::<Shift>(&mut conn, |it| it.ended = shift().ended);
    assert_eq!(closed.expect("updated").len(), 1);
    assert_eq!(CHANGED.take(), ["ended"]);
}
