//! Receivers that cause one another end in an error that shows how, never in a stack overflow.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use backends::{Log, TestConnection, fresh};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

const SCHEMA: &str = "
    CREATE TABLE counters (id {key}, mode TEXT NOT NULL, value INTEGER NOT NULL);
    CREATE TABLE pings (id {key}, text TEXT NOT NULL);
    CREATE TABLE pongs (id {key}, text TEXT NOT NULL);
    CREATE TABLE links (id {key});
    CREATE TABLE notes (id {key}, counter_id INTEGER NOT NULL REFERENCES counters (id));
";

diesel::table! { counters (id) { id -> Integer, mode -> Text, value -> Integer } }
diesel::table! { pings (id) { id -> Integer, text -> Text } }
diesel::table! { pongs (id) { id -> Integer, text -> Text } }
diesel::table! { links (id) { id -> Integer } }
diesel::table! { notes (id) { id -> Integer, counter_id -> Integer } }

/// Saved again by its own receiver, in the way that `mode` says.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Counter {
    id: i32,
    mode: String,
    value: i32,
}

/// Makes an operation on counters do all that one can do.
#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Note {
    id: i32,
    #[hooks(one_to_one(Counter, on_delete = Cascade, auto_create))]
    counter_id: i32,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Ping {
    id: i32,
    text: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Pong {
    id: i32,
    text: String,
}

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Link {
    id: i32,
}

#[derive(Debug, Signal)]
struct Echo {
    times: usize,
}

static LOG: Log = Log::new();

#[receiver(dispatch_uid = "count")]
fn count(event: &PostSave<Counter>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let mut counter = event.instance.clone();
    LOG.push(format!("{}", counter.value));
    counter.value += 1;
    match counter.mode.as_str() {
        "save" => counter.save(conn),
        "update" => event.instance.clone().update(conn, |it| it.value += 1),
        "update_set" => counter.update_set(conn, counters::value.eq(counters::value + 1)),
        "create" => Counter::create(conn, new("create", counter.value)).map(drop),
        "create_many" => {
            Counter::create_many(conn, vec![new("create_many", counter.value)]).map(drop)
        }
        "ten" if counter.value < 10 => counter.save(conn),
        "panic" if counter.value == 5 => panic!("at five"),
        "panic" => counter.save(conn),
        "muted" => conn.without_receiver("count", |conn| counter.save(conn)),
        "elsewhere" => elsewhere(counter.value),
        _ => Ok(()),
    }
}

/// The same on another connection, which nothing of this one reaches.
fn elsewhere(value: i32) -> diesel_hooks::Result {
    let mut other = fresh(SCHEMA);
    other.set_recursion_limit(1)?;
    let mode = if value < 3 { "elsewhere" } else { "" };
    Counter::create(&mut other, new(mode, value)).map(drop)
}

#[receiver(dispatch_uid = "ping")]
fn ping(event: &PostCreate<Ping>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let text = event.instance.text.clone();
    Pong::create(conn, NewPong { text }).map(drop)
}

#[receiver(dispatch_uid = "pong")]
fn pong(event: &mut PreCreate<Pong>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let text = event.new.text.clone();
    Ping::create(conn, NewPing { text }).map(drop)
}

#[receiver(dispatch_uid = "unlink")]
fn unlink(event: &PreDelete<Link>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let next = Link::create(
        conn,
        Link {
            id: event.instance.id + 1,
        },
    )?;
    next.delete(conn).map(drop)
}

#[receiver(dispatch_uid = "echo")]
fn echo(event: &Echo, conn: &mut TestConnection) -> diesel_hooks::Result {
    match event.times {
        0 => Ok(()),
        times => Echo { times: times - 1 }.send(conn),
    }
}

fn new(mode: &str, value: i32) -> NewCounter {
    NewCounter {
        mode: mode.into(),
        value,
    }
}

/// On a thread with the stack that Rust gives one by default.
fn on_a_small_stack(work: impl FnOnce(&mut TestConnection) + Send + 'static) {
    let thread = thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || work(&mut fresh(SCHEMA)));
    thread.expect("started").join().expect("no panic");
}

fn chain_of<T: std::fmt::Debug>(outcome: diesel_hooks::Result<T>) -> Vec<String> {
    match outcome.expect_err("it never ends") {
        Error::Recursion { chain } => chain,
        error => panic!("{error:?}"),
    }
}

/// What a receiver that causes itself without end is shown, if the limit is the usual.
fn endless(frame: &str) -> Vec<String> {
    vec![frame.into(); 33]
}

#[test]
fn a_receiver_that_saves_what_it_hears_of_is_shown_its_chain() {
    for mode in ["save", "update", "update_set", "create", "create_many"] {
        on_a_small_stack(move |conn| {
            let chain = chain_of(Counter::create(conn, new(mode, 0)));
            assert_eq!(chain, endless("PostSave<Counter> (count)"), "{mode}");
            assert_eq!(LOG.take().len(), 32);
            assert_eq!(counters::table.count().get_result(conn), Ok(0), "{mode}");
        });
    }
}

#[test]
fn two_models_that_create_each_other_are_both_in_the_chain() {
    on_a_small_stack(|conn| {
        let chain = chain_of(Ping::create(conn, NewPing { text: "".into() }));
        let frames = ["PostCreate<Ping> (ping)", "PreCreate<Pong> (pong)"];
        let expected: Vec<_> = frames.into_iter().cycle().take(33).collect();
        assert_eq!(chain, expected);
        assert_eq!(pings::table.count().get_result(conn), Ok(0));
    });
}

#[test]
fn a_delete_that_deletes_without_end_is_shown_its_chain() {
    on_a_small_stack(|conn| {
        let link = conn.without_hooks(|conn| Link::create(conn, Link { id: 1 }));
        let link = link.expect("created");
        let chain = chain_of(link.delete(conn));
        assert_eq!(chain, endless("PreDelete<Link> (unlink)"));
        assert_eq!(links::table.load::<Link>(conn).map(|it| it.len()), Ok(1));
    });
}

#[test]
fn a_signal_that_sends_itself_is_shown_its_chain() {
    on_a_small_stack(|conn| {
        Echo { times: 31 }.send(conn).expect("it ends");
        assert_eq!(
            chain_of(Echo { times: 32 }.send(conn)),
            endless("Echo (echo)")
        );
        let robust = Echo { times: 32 }.send_robust(conn).expect("sent");
        let [sent] = <[_; 1]>::try_from(robust).expect("one receiver");
        assert_eq!(chain_of(sent.outcome), endless("Echo (echo)"));
    });
}

#[test]
fn a_connected_receiver_is_in_the_chain() {
    on_a_small_stack(|conn| {
        let again =
            |event: &PostUpdate<Pong>, conn: &mut TestConnection| event.instance.clone().save(conn);
        let guard = conn.connect(again).expect("connected");
        let pong = conn.without_hooks(|conn| Pong::create(conn, NewPong { text: "".into() }));
        let mut pong = pong.expect("created");
        assert_eq!(
            chain_of(pong.save(conn)),
            endless("PostUpdate<Pong> (connected)")
        );
        drop(guard);
        pong.save(conn).expect("nobody listens");
    });
}

#[test]
fn the_text_of_the_error_is_the_chain() {
    let mut conn = fresh(SCHEMA);
    conn.set_recursion_limit(1).expect("set");
    let error = Echo { times: 1 }.send(&mut conn).expect_err("one too many");
    assert_eq!(
        error.to_string(),
        "receivers call one another without end: Echo (echo) -> Echo (echo)"
    );
}

#[test]
fn each_connection_has_its_own_limit() {
    let (mut one, mut other) = (fresh(SCHEMA), fresh(SCHEMA));
    one.set_recursion_limit(3).expect("set");
    Echo { times: 2 }.send(&mut one).expect("it ends");
    assert_eq!(chain_of(Echo { times: 3 }.send(&mut one)).len(), 4);
    Echo { times: 3 }.send(&mut other).expect("it ends");
    one.set_recursion_limit(0).expect("set");
    assert_eq!(chain_of(Echo { times: 0 }.send(&mut one)).len(), 1);
}

#[test]
fn the_chain_is_empty_again_after_an_error() {
    on_a_small_stack(|conn| {
        for _ in 0..3 {
            chain_of(Counter::create(conn, new("save", 0)));
            Echo { times: 31 }.send(conn).expect("as deep as ever");
            Counter::create(conn, new("ten", 0)).expect("it ends");
        }
        LOG.take();
    });
}

#[test]
fn the_chain_is_empty_again_after_a_panic() {
    on_a_small_stack(|conn| {
        let panicking = AssertUnwindSafe(|| Counter::create(conn, new("panic", 0)));
        catch_unwind(panicking).expect_err("at five");
        Echo { times: 31 }.send(conn).expect("as deep as ever");
        assert_eq!(counters::table.count().get_result(conn), Ok(0));
    });
}

#[test]
fn a_receiver_may_save_the_row_again_without_itself() {
    let mut conn = fresh(SCHEMA);
    let counter = Counter::create(&mut conn, new("muted", 1)).expect("created");
    let stored = Counter::get(&mut conn, counter.id).expect("there");
    assert_eq!(stored.value, 2);
    assert_eq!(LOG.take(), ["1"]);
}

#[test]
fn work_on_another_connection_starts_a_new_chain() {
    let mut conn = fresh(SCHEMA);
    conn.set_recursion_limit(1).expect("set");
    Counter::create(&mut conn, new("elsewhere", 0)).expect("each has a chain of one");
    assert_eq!(LOG.take(), ["0", "1", "2", "3"]);
}
