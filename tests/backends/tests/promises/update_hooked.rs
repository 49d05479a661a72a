//! `update_hooked` changes the rows of a query, each once, with the signals of a batch, all or none.

use backends::script::{LOG, heard, on_event};
use backends::{
    Database, LOCK, System, TestConnection, Transactions, depth, fresh, has_arrays, insert,
    keys_at_once, many, of_rows, on, panic_of, refuse_to_wait, sequence, statements, system,
};
use diesel::connection::{SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { lamps (id) { id -> Integer, room -> Text, lit -> Bool, watts -> Integer } }
diesel::table! { bulbs (id) { id -> Integer, lamp_id -> Integer } }
diesel::table! { notes (id) { id -> Integer, text -> Text } }
diesel::table! { seats (row, number) { row -> Text, number -> Integer, guest -> Nullable<Text> } }
diesel::joinable!(bulbs -> lamps (lamp_id));
diesel::allow_tables_to_appear_in_same_query!(lamps, bulbs);

const SCHEMA: &str = "
    CREATE TABLE lamps (
        id {key}, room TEXT NOT NULL, lit BOOLEAN NOT NULL, watts INTEGER NOT NULL CHECK (watts < 1000)
    );
    CREATE TABLE bulbs (id {key}, lamp_id INTEGER NOT NULL REFERENCES lamps (id));
    CREATE TABLE notes (id {key}, text TEXT NOT NULL);
    CREATE TABLE seats (row TEXT, number INTEGER, guest TEXT, PRIMARY KEY (row, number)) WITHOUT ROWID;
    INSERT INTO lamps VALUES (1, 'hall', TRUE, 10), (2, 'attic', FALSE, 20), (3, 'cellar', TRUE, 30);
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Lamp {
    id: i32,
    room: String,
    lit: bool,
    watts: i32,
}

/// The same rows, and nobody listens.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = lamps)]
struct Silent {
    id: i32,
    room: String,
    lit: bool,
    watts: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(row, number))]
#[hooks(new = Self)]
struct Seat {
    row: String,
    number: i32,
    guest: Option<String>,
}

#[receiver]
fn pre_save(event: &PreSave<Lamp>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let PreSave::Update(event) = event else {
        return heard("pre_save insert".into(), conn);
    };
    heard(format!("pre_save {}", event.instance.id), conn)
}

#[receiver]
fn at_least_one_watt(event: &mut PreUpdate<Lamp>) {
    event.instance.watts = event.instance.watts.max(1);
}

#[receiver(after = "update_hooked::at_least_one_watt")]
fn pre_update(event: &PreUpdate<Lamp>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let columns = event.changed_columns().collect::<Vec<_>>().join(", ");
    heard(format!("pre_update {} {columns}", event.instance.id), conn)
}

#[receiver]
fn post_update(event: &PostUpdate<Lamp>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let before = event.before().expect("this receiver asks for it").watts;
    let columns = event.changed_columns().collect::<Vec<_>>().join(", ");
    let (id, watts) = (event.instance.id, event.instance.watts);
    heard(
        format!("post_update {id} {columns} {before}W to {watts}W"),
        conn,
    )
}

#[receiver]
fn post_save(events: &[PostSave<Lamp>], conn: &mut TestConnection) -> diesel_hooks::Result {
    let ids: Vec<_> = events.iter().map(|it| it.instance.id.to_string()).collect();
    heard(format!("post_save of {}", ids.join(" and ")), conn)
}

fn database() -> TestConnection {
    fresh(SCHEMA)
}

fn all(conn: &mut TestConnection) -> Vec<Silent> {
    let rows = lamps::table.order(lamps::id);
    rows.load(conn).expect("lamps can be read")
}

fn ids(rows: &[Lamp]) -> Vec<i32> {
    rows.iter().map(|it| it.id).collect()
}

#[test]
fn each_signal_is_sent_for_all_rows_before_the_next() {
    let mut conn = database();
    let rows = lamps::table
        .filter(lamps::lit)
        .order(lamps::id.desc())
        .update_hooked::<Lamp>(&mut conn, |it| it.watts -= 10)
        .expect("updated");
    assert_eq!(ids(&rows), [3, 1]);
    assert_eq!((rows[0].watts, rows[1].watts), (20, 1));
    assert_eq!(
        LOG.take(),
        [
            "pre_save 3",
            "pre_save 1",
            "pre_update 3 watts",
            "pre_update 1 watts",
            "post_update 3 watts 30W to 20W",
            "post_update 1 watts 10W to 1W",
            "post_save of 3 and 1"
        ]
    );
    let watts: Vec<_> = all(&mut conn).into_iter().map(|it| it.watts).collect();
    assert_eq!(watts, [1, 20, 20]);
}

#[test]
fn a_row_that_does_not_change_is_handed_back_and_nothing_is_sent_for_it() {
    let mut conn = database();
    let rows = lamps::table
        .order(lamps::id)
        .update_hooked::<Lamp>(&mut conn, |it| it.lit = true)
        .expect("updated");
    assert_eq!(ids(&rows), [1, 2, 3]);
    assert!(rows.iter().all(|it| it.lit));
    assert_eq!(
        LOG.take(),
        [
            "pre_save 2",
            "pre_update 2 lit",
            "post_update 2 lit 20W to 20W",
            "post_save of 2"
        ]
    );
    let (rows, sent) = statements(&mut conn, |conn| {
        lamps::table.update_hooked::<Lamp>(conn, |it| it.lit = true)
    });
    assert_eq!(rows.expect("found").len(), 3);
    assert_eq!(of_rows(&sent), ["SELECT"]);
    assert_eq!(LOG.take(), [""; 0]);
}

#[test]
fn what_a_receiver_takes_back_is_not_written_and_ends_there() {
    let mut conn = database();
    conn.batch_execute("UPDATE lamps SET watts = 1")
        .expect("dim");
    let (rows, sent) = statements(&mut conn, |conn| {
        let dim = lamps::table.filter(lamps::id.ne(2)).order(lamps::id);
        dim.update_hooked::<Lamp>(conn, |it| it.watts = it.id - 3)
    });
    assert_eq!(
        rows.expect("found").iter().map(|it| it.watts).sum::<i32>(),
        2
    );
    assert_eq!(of_rows(&sent), ["SELECT"]);
    assert_eq!(
        LOG.take(),
        ["pre_save 1", "pre_save 3", "pre_update 1 ", "pre_update 3 "]
    );
}

#[test]
fn rows_that_get_the_same_values_share_an_update() {
    let mut conn = database();
    insert(
        &mut conn,
        &many("lamps", 2197, "3 + i, 'shop', i % 2 = 0, 40"),
    );
    let lit = lamps::table.filter(lamps::lit);
    let (rows, sent) = statements(&mut conn, |conn| {
        lit.update_hooked::<Silent>(conn, |it| it.lit = false)
    });
    assert_eq!(rows.expect("updated").len(), 1100);
    let updates = vec!["UPDATE"; 1100_usize.div_ceil(keys_at_once())];
    assert_eq!(of_rows(&sent), [vec!["SELECT"], updates].concat());
    assert_eq!(lit.count().get_result(&mut conn), Ok(0_i64));

    let (rows, sent) = statements(&mut conn, |conn| {
        let some = lamps::table.filter(lamps::id.le(300));
        some.update_hooked::<Silent>(conn, |it| it.watts = it.id % 3)
    });
    assert_eq!(rows.expect("updated").len(), 300);
    assert_eq!(of_rows(&sent), ["SELECT", "UPDATE", "UPDATE", "UPDATE"]);
    for row in all(&mut conn) {
        let expected = if row.id <= 300 { row.id % 3 } else { 40 };
        assert_eq!(row.watts, expected, "{row:?}");
    }

    let (rows, sent) = statements(&mut conn, |conn| {
        let some = lamps::table.filter(lamps::id.le(100));
        some.update_hooked::<Silent>(conn, |it| (it.watts, it.lit) = (100 + it.id, it.id > 50))
    });
    assert_eq!(rows.expect("updated").len(), 100);
    assert_eq!(of_rows(&sent).len(), 101, "as many as there are values");
    for row in all(&mut conn).iter().take(100) {
        assert_eq!((row.watts, row.lit), (100 + row.id, row.id > 50));
    }
}

#[test]
fn only_the_columns_that_differ_are_written() {
    let mut conn = database();
    let (_, sent) = statements(&mut conn, |conn| {
        lamps::table
            .update_hooked::<Silent>(conn, |it| match it.id {
                1 => it.room = "porch".into(),
                _ => it.watts = 5,
            })
            .expect("updated")
    });
    let updates: Vec<_> = sent.iter().filter(|it| it.starts_with("UPDATE")).collect();
    assert_eq!(
        updates,
        [
            "UPDATE `lamps` SET `room` = ? WHERE `lamps`.`id` = ?",
            match has_arrays() {
                true => "UPDATE `lamps` SET `watts` = ? WHERE `lamps`.`id` = ANY (?)",
                false => "UPDATE `lamps` SET `watts` = ? WHERE `lamps`.`id` IN (?, ?)",
            }
        ]
    );
}

#[test]
fn a_limited_query_a_boxed_one_and_a_key_of_several_columns_will_do() {
    let mut conn = database();
    let brightest = lamps::table.order(lamps::watts.desc()).limit(1);
    let rows = brightest.update_hooked::<Silent>(&mut conn, |it| it.watts = 0);
    assert_eq!(rows.expect("updated")[0].id, 3);
    let boxed = lamps::table.filter(lamps::watts.gt(0)).into_boxed();
    let rows = boxed.update_hooked::<Silent>(&mut conn, |it| it.watts = 0);
    assert_eq!(rows.expect("updated").len(), 2);

    let seat = |number| Seat {
        row: "A".into(),
        number,
        guest: None,
    };
    Seat::create_many(&mut conn, vec![seat(1), seat(2), seat(3)]).expect("seats");
    let rows = seats::table
        .filter(seats::number.ge(2))
        .update_hooked::<Seat>(&mut conn, |it| it.guest = Some("Ada".into()))
        .expect("updated");
    assert_eq!(rows.len(), 2);
    let guests: Vec<Option<String>> = seats::table
        .order(seats::number)
        .select(seats::guest)
        .load(&mut conn)
        .expect("seats can be read");
    assert_eq!(guests, [None, Some("Ada".into()), Some("Ada".into())]);
}

#[test]
fn a_row_that_a_join_repeats_is_changed_once() {
    let mut conn = database();
    conn.batch_execute("INSERT INTO bulbs (lamp_id) VALUES (1), (1), (1), (3)")
        .expect("bulbs");
    let rows = lamps::table
        .inner_join(bulbs::table)
        .update_hooked::<Lamp>(&mut conn, |it| it.watts += 1)
        .expect("updated");
    assert_eq!(ids(&rows), [1, 3]);
    assert_eq!((rows[0].watts, rows[1].watts), (11, 31));
    assert_eq!(LOG.take().last().expect("a signal"), "post_save of 1 and 3");
    let rows = lamps::table
        .left_join(bulbs::table)
        .filter(bulbs::id.is_null())
        .update_hooked::<Lamp>(&mut conn, |it| it.watts += 1)
        .expect("updated");
    assert_eq!((ids(&rows), rows[0].watts), (vec![2], 21));
}

/// PostgreSQL locks rows of tables, and not what a query makes of them.
#[test]
fn rows_of_a_query_that_cannot_lock_are_locked_by_their_keys() {
    let mut conn = database();
    let (rows, sent) = statements(&mut conn, |conn| {
        let distinct = lamps::table.distinct().filter(lamps::lit);
        distinct.update_hooked::<Silent>(conn, |it| it.watts = 5)
    });
    assert_eq!(rows.expect("updated").len(), 2);
    let expected: &[&str] = match system() {
        System::Postgres => &["SELECT", LOCK, "UPDATE"],
        System::Sqlite | System::Mysql => &["SELECT", "UPDATE"],
    };
    assert_eq!(of_rows(&sent), sequence(expected));
}

#[test]
fn a_query_that_skips_what_others_hold_changes_the_rest() {
    let disk = Database::new(SCHEMA);
    let (mut conn, mut other) = (disk.connect(), disk.connect());
    // On SQLite somebody else has all rows or none.
    let (condition, left) = match system() {
        System::Sqlite => ("watts <> 20", "attic"),
        System::Postgres | System::Mysql => ("watts > 0 FOR UPDATE SKIP LOCKED", "taken"),
    };
    let (rows, sent) = other
        .transaction(|other| {
            if system() != System::Sqlite {
                other.batch_execute("UPDATE lamps SET room = 'taken' WHERE id = 2")?;
            }
            let free = lamps::table.filter(diesel::dsl::sql::<Bool>(condition));
            Ok::<_, Error>(statements(&mut conn, |conn| {
                free.update_hooked::<Silent>(conn, |it| it.room = "done".into())
            }))
        })
        .expect("the other one is done too");
    assert_eq!(rows.expect("updated").len(), 2);
    assert_eq!(of_rows(&sent), ["SELECT", "UPDATE"]);
    let rooms: Vec<_> = all(&mut conn).into_iter().map(|it| it.room).collect();
    assert_eq!(rooms, ["done", left, "done"]);
}

#[test]
fn the_rows_are_locked_before_they_are_read() {
    let disk = Database::new(SCHEMA);
    let mut conn = disk.connect();
    lamps::table
        .update_hooked::<Silent>(&mut conn, |it| {
            let mut other = disk.connect();
            refuse_to_wait(&mut other);
            let busy = other.batch_execute("UPDATE lamps SET watts = 99");
            assert!(busy.is_err(), "another writer waits until this is done");
            it.watts += 1;
        })
        .expect("updated");
    let watts: Vec<_> = all(&mut conn).into_iter().map(|it| it.watts).collect();
    assert_eq!(watts, [11, 21, 31]);
}

#[test]
fn two_connections_that_count_on_the_same_rows_lose_nothing() {
    let disk = Database::new(SCHEMA);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let mut conn = disk.connect();
            scope.spawn(move || {
                for _ in 0..50 {
                    lamps::table
                        .update_hooked::<Silent>(&mut conn, |it| it.watts += 1)
                        .expect("updated");
                }
            });
        }
    });
    let rows = all(&mut disk.connect());
    let watts: Vec<_> = rows.into_iter().map(|it| it.watts).collect();
    assert_eq!(watts, [110, 120, 130]);
}

/// Fails, or panics, at each event in turn, outside and inside a transaction of the application.
#[test]
fn what_fails_leaves_every_row_as_it_was() {
    let steps = [
        "pre_save 3",
        "pre_update 1 watts",
        "post_update 1 watts 10W to 17W",
        "post_update 3 watts 30W to 37W",
        "post_save of 1 and 3",
    ];
    for step in steps {
        for [panics, inside] in [[false, false], [false, true], [true, false], [true, true]] {
            fails_at(step, panics, inside);
        }
    }
}

fn fails_at(step: &'static str, panics: bool, inside: bool) {
    let mut conn = database();
    if inside {
        Transactions::begin_transaction(&mut conn).expect("a transaction");
    }
    let (before, entry) = (all(&mut conn), depth(&mut conn));
    on_event(move |event, conn| {
        diesel::insert_into(notes::table)
            .values(notes::text.eq(event))
            .execute(conn)?;
        match event == step {
            true if panics => panic!("at {event}"),
            true => Err(Error::Instrumentation),
            false => Ok(()),
        }
    });
    let run = |conn: &mut TestConnection| {
        let lit = lamps::table.filter(lamps::lit).order(lamps::id);
        lit.update_hooked::<Lamp>(conn, |it| it.watts += 7)
    };
    match panics {
        true => assert_eq!(panic_of(|| run(&mut conn)), format!("at {step}")),
        false => assert!(matches!(run(&mut conn), Err(Error::Receiver(_))), "{step}"),
    }
    assert_eq!(depth(&mut conn), entry, "{step}");
    assert_eq!(all(&mut conn), before, "{step}");
    assert_eq!(
        notes::table.count().get_result(&mut conn),
        Ok(0_i64),
        "{step}"
    );
    on_event(|_, _| Ok(()));
    assert_eq!(run(&mut conn).expect("the connection works").len(), 2);
    LOG.take();
}

#[test]
fn a_value_that_is_refused_or_a_closure_that_panics_leaves_every_row_as_it_was() {
    let mut conn = database();
    let before = all(&mut conn);
    let refused = lamps::table.update_hooked::<Silent>(&mut conn, |it| it.watts *= 40);
    assert!(matches!(
        refused,
        Err(Error::Query {
            model: Some("Silent"),
            ..
        })
    ));
    assert_eq!(all(&mut conn), before);
    let said = panic_of(|| {
        lamps::table.update_hooked::<Silent>(&mut conn, |it| match it.id {
            3 => panic!("no third"),
            _ => it.watts = 1,
        })
    });
    assert_eq!((said.as_str(), depth(&mut conn)), ("no third", 0));
    assert_eq!(all(&mut conn), before);
}

#[test]
fn a_changed_key_is_refused() {
    let mut conn = database();
    let before = all(&mut conn);
    let outcome = lamps::table.update_hooked::<Lamp>(&mut conn, |it| it.id += 10);
    assert!(matches!(
        outcome,
        Err(Error::KeyChanged { model: "Lamp", .. })
    ));
    assert_eq!(all(&mut conn), before);
    assert_eq!(LOG.take(), [""; 0]);
}

#[test]
fn a_row_that_a_receiver_deletes_is_an_error() {
    let mut conn = database();
    on_event(|event, conn| match event {
        "pre_update 3 lit" => conn
            .batch_execute("DELETE FROM lamps WHERE id = 1")
            .map_err(Error::from),
        _ => Ok(()),
    });
    let before = all(&mut conn);
    let gone = lamps::table.update_hooked::<Lamp>(&mut conn, |it| it.lit = !it.lit);
    let error = gone.expect_err("the first is gone");
    assert_eq!(error.to_string(), "there is no Lamp with key 1");
    assert_eq!(all(&mut conn), before);
    LOG.take();
}

/// On MySQL, whose triggers keep no row as it is, it refuses.
#[test]
fn a_row_that_a_trigger_keeps_is_an_error() {
    let mut conn = database();
    let keep = on("RAISE IGNORE", "RAISE IGNORE", "RAISE ABORT 'kept'");
    insert(
        &mut conn,
        &format!("{{trigger kept BEFORE UPDATE ON lamps WHEN OLD.id = 3: {keep};}}"),
    );
    let before = all(&mut conn);
    let kept = lamps::table.update_hooked::<Silent>(&mut conn, |it| it.watts = 5);
    let error = kept.expect_err("one is kept");
    match error {
        Error::RowCount {
            expected: 3,
            actual: 2,
            ..
        } => assert!(on(true, true, false)),
        error => assert!(
            on(false, false, error.to_string().contains("kept")),
            "{error}"
        ),
    }
    assert_eq!(all(&mut conn), before);
}

#[test]
fn muted_and_connected_receivers_are_respected() {
    let mut conn = database();
    conn.without_hooks(|conn| lamps::table.update_hooked::<Lamp>(conn, |it| it.watts = 0))
        .expect("updated");
    assert_eq!(LOG.take(), [""; 0]);
    assert!(all(&mut conn).iter().all(|it| it.watts == 0));
    let guard = conn
        .connect(|event: &PostUpdate<Silent>, _: &mut TestConnection| {
            let before = event.before().expect("a connected one may ask").watts;
            LOG.push(format!("{} from {before}", event.instance.id));
        })
        .expect("connected");
    lamps::table
        .filter(lamps::id.le(2))
        .update_hooked::<Silent>(&mut conn, |it| it.watts = 3)
        .expect("updated");
    drop(guard);
    assert_eq!(LOG.take(), ["1 from 0", "2 from 0"]);
}
