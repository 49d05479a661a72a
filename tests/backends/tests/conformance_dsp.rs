//! Django's cases of the dispatcher, as they hold here; `docs/django.md` lists them.
//!
//! That what is no receiver does not compile (DSP-20) is shown in `tests/ui/receiver`.
#![allow(missing_docs, reason = "schema modules are generated")]

use std::sync::Mutex;

use backends::{Log, TestConnection, depth, fresh, of_rows, panic_of, statements};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::error::RegistryError;
use diesel_hooks::prelude::*;
use diesel_hooks::signal::Sent;

diesel::table! { cats (id) { id -> Integer, name -> Text } }
diesel::table! { dogs (id) { id -> Integer, name -> Text } }
diesel::table! { stones (id) { id -> Integer } }
diesel::table! { roses (id) { id -> Integer } }
diesel::table! { notes (id) { id -> Integer, text -> Text } }

const SCHEMA: &str = "
    CREATE TABLE cats (id {key}, name TEXT NOT NULL);
    CREATE TABLE dogs (id {key}, name TEXT NOT NULL);
    CREATE TABLE stones (id {key});
    CREATE TABLE roses (id {key});
    CREATE TABLE notes (id {key}, text TEXT NOT NULL);
";

static LOG: Log = Log::new();

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Cat {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Dog {
    id: i32,
    name: String,
}

fn cat(conn: &mut TestConnection, name: &str) -> diesel_hooks::Result<Cat> {
    Cat::create(conn, NewCat { name: name.into() })
}

fn dog(conn: &mut TestConnection, name: &str) -> diesel_hooks::Result<Dog> {
    Dog::create(conn, NewDog { name: name.into() })
}

#[receiver]
fn any_created(event: &PostCreate<dyn AnyModel>) {
    LOG.push(format!("any {}", event.instance.model_name()));
}

#[receiver]
fn cat_created(event: &PostCreate<Cat>) -> Result<(), &'static str> {
    LOG.push("a cat");
    match event.instance.name.as_str() {
        "refused" => Err("no more cats"),
        _ => Ok(()),
    }
}

#[receiver]
fn later_cat_created(_: &PostCreate<Cat>) {
    LOG.push("a cat, later");
}

/// One function for several senders.
#[receiver(senders(Cat, Dog))]
fn either_deleted<M: Model>(_: &PostDelete<M>) {
    LOG.push(format!("{} deleted", M::INFO.name));
}

/// Two registrations of one function.
#[receiver(dispatch_uid = "deleted, once")]
#[receiver(dispatch_uid = "deleted, twice")]
fn dog_deleted(_: &PreDelete<Dog>) {
    LOG.push("a dog goes");
}

/// Heard by three receivers: one that looks, and two that write.
#[derive(Debug, Signal)]
struct Fed {
    with: &'static str,
}

#[receiver(dispatch_uid = "look", order = -1)]
fn look(event: &Fed) {
    LOG.push(format!("fed with {}", event.with));
}

#[receiver(dispatch_uid = "note first")]
fn note_first(event: &Fed, conn: &mut TestConnection) -> Result<(), String> {
    note(conn, "first", event.with)
}

#[receiver(dispatch_uid = "note second", after = "note first")]
fn note_second(event: &Fed, conn: &mut TestConnection) -> Result<(), String> {
    note(conn, "second", event.with)
}

fn note(conn: &mut TestConnection, who: &str, what: &str) -> Result<(), String> {
    diesel::insert_into(notes::table)
        .values(notes::text.eq(format!("{who} {what}")))
        .execute(conn)
        .map_err(|error| error.to_string())?;
    LOG.push(format!("{who} notes"));
    match what {
        "poison" if who == "first" => Err("poisoned".into()),
        "a bomb" if who == "first" => panic!("it explodes"),
        _ => Ok(()),
    }
}

fn noted(conn: &mut TestConnection) -> Vec<String> {
    let notes = notes::table.order(notes::id).select(notes::text);
    notes.load(conn).expect("notes can be read")
}

fn outcomes(sent: &[Sent]) -> Vec<(&'static str, bool)> {
    let outcome = |it: &Sent| (it.receiver, it.outcome.is_ok());
    sent.iter().map(outcome).collect()
}

/// Heard by nobody.
#[derive(Signal)]
struct Forgotten;

#[test]
fn dsp_01_a_sent_signal_reaches_its_receivers_and_says_what_became_of_them() {
    let mut conn = fresh(SCHEMA);
    Fed { with: "fish" }.send(&mut conn).expect("all well");
    assert_eq!(LOG.take(), ["fed with fish", "first notes", "second notes"]);
    let sent = Fed { with: "milk" }.send_robust(&mut conn);
    assert_eq!(
        outcomes(&sent.expect("all well")),
        [("look", true), ("note first", true), ("note second", true)]
    );
    LOG.take();
}

#[test]
fn dsp_01_without_a_connection_those_that_need_none_are_called() {
    Fed { with: "air" }.send_detached().expect("all well");
    assert_eq!(LOG.take(), ["fed with air"]);
}

#[test]
fn dsp_02_a_signal_without_receivers_does_nothing() {
    let mut conn = fresh(SCHEMA);
    let (sent, statements) = statements(&mut conn, |conn| {
        Forgotten.send(conn).expect("nothing to do");
        Forgotten.send_detached().expect("nothing to do");
        Forgotten.send_robust(conn).expect("nothing to do")
    });
    assert!(sent.is_empty());
    assert!(of_rows(&statements).is_empty());
    assert!(LOG.take().is_empty());
}

#[test]
fn dsp_03_a_receiver_of_any_model_hears_every_sender() {
    let mut conn = fresh(SCHEMA);
    dog(&mut conn, "Argos").expect("a dog");
    Stone::create(&mut conn, NewStone {}).expect("a stone");
    assert_eq!(LOG.take(), ["any Dog", "any Stone"]);
}

#[test]
fn dsp_04_a_receiver_does_not_hear_another_sender() {
    let mut conn = fresh(SCHEMA);
    cat(&mut conn, "Tom").expect("a cat");
    assert_eq!(LOG.take(), ["any Cat", "a cat", "a cat, later"]);
    dog(&mut conn, "Argos").expect("a dog");
    assert_eq!(LOG.take(), ["any Dog"]);
}

#[test]
fn dsp_05_two_attributes_are_two_registrations_that_are_listed() {
    let mut conn = fresh(SCHEMA);
    let argos = dog(&mut conn, "Argos").expect("a dog");
    LOG.take();
    argos.delete(&mut conn).expect("deleted");
    assert_eq!(LOG.take(), ["a dog goes", "a dog goes", "Dog deleted"]);
    diesel_hooks::registry()
        .assert_receivers(["deleted, once", "deleted, twice"])
        .expect("both are listed");
}

mod twice {
    use super::*;

    /// Two of its receivers share a uid.
    #[derive(Signal)]
    pub(crate) struct Rung;

    #[receiver(dispatch_uid = "ring")]
    fn first(_: &Rung) {
        LOG.push("rings");
    }

    #[receiver(dispatch_uid = "ring")]
    fn second(_: &Rung) {
        LOG.push("rings");
    }

    /// Of another signal the uid may be used again.
    #[derive(Signal)]
    pub(crate) struct Knocked;

    #[receiver(dispatch_uid = "ring")]
    fn third(_: &Knocked) {
        LOG.push("knocks");
    }
}

fn assert_twice(outcome: diesel_hooks::Result) {
    let Err(Error::Registry(RegistryError::DuplicateUid {
        uid: "ring",
        first,
        second,
        ..
    })) = outcome
    else {
        panic!("{outcome:?}");
    };
    assert!(first.contains("conformance_dsp.rs:") && first != second);
}

#[test]
fn dsp_06_a_uid_used_twice_for_one_signal_is_an_error_and_nobody_is_called() {
    let mut conn = fresh(SCHEMA);
    assert_twice(twice::Rung.send(&mut conn));
    assert_twice(twice::Rung.send_detached());
    assert_twice(twice::Rung.send_robust(&mut conn).map(drop));
    assert!(LOG.take().is_empty());
}

#[test]
fn dsp_07_for_another_signal_a_uid_is_another_registration() {
    let mut conn = fresh(SCHEMA);
    twice::Knocked.send(&mut conn).expect("one receiver");
    assert_eq!(LOG.take(), ["knocks"]);
}

#[test]
fn dsp_08_a_receiver_is_taken_away_for_a_while_by_uid() {
    let mut conn = fresh(SCHEMA);
    conn.without_receiver("note first", |conn| Fed { with: "fish" }.send(conn))
        .expect("the others are called");
    assert_eq!(LOG.take(), ["fed with fish", "second notes"]);
    let sent = conn.without_receiver("note second", |conn| Fed { with: "fish" }.send_robust(conn));
    let sent = sent.expect("the others are called");
    assert_eq!(
        outcomes(&sent),
        [("look", true), ("note first", true)],
        "one that was not called has no outcome"
    );
    Fed { with: "fish" }.send(&mut conn).expect("all are back");
    assert_eq!(LOG.take().len(), 2 + 3);
}

mod order {
    use super::*;

    #[derive(Signal)]
    pub(crate) struct Lined;

    macro_rules! lined {
        ($($name:ident $uid:literal ($($option:tt)*);)*) => {$(
            #[receiver(dispatch_uid = $uid, $($option)*)]
            fn $name(_: &Lined) {
                LOG.push($uid);
            }
        )*};
    }

    lined! {
        e "late" (order = 5);
        d "b" ();
        c "a" ();
        b "early" (order = -5);
        a "c" (before = "a");
        f "last of all" (order = -9, after("late", "nobody"));
        g "first of all" (order = 9, before("early", "a"));
    }
}

#[test]
fn dsp_09_receivers_run_by_what_they_demand_then_order_then_uid() {
    let mut conn = fresh(SCHEMA);
    order::Lined.send(&mut conn).expect("they can be ordered");
    let expected = [
        "b",
        "c",
        "late",
        "last of all",
        "first of all",
        "early",
        "a",
    ];
    assert_eq!(LOG.take(), expected);
}

mod cycle {
    use super::*;

    #[derive(Signal)]
    pub(crate) struct Circled;

    #[receiver(dispatch_uid = "one", before = "two")]
    fn one(_: &Circled) {}

    #[receiver(dispatch_uid = "two", before = "three")]
    fn two(_: &Circled) {}

    #[receiver(dispatch_uid = "three", before = "one")]
    fn three(_: &Circled) {}

    #[receiver(dispatch_uid = "outside", after = "one")]
    fn outside(_: &Circled) {}
}

#[test]
fn dsp_09_a_cycle_is_an_error_that_prints_it() {
    let mut conn = fresh(SCHEMA);
    let error = cycle::Circled.send(&mut conn).expect_err("it goes round");
    let Error::Registry(RegistryError::OrderCycle { path, .. }) = &error else {
        panic!("{error:?}");
    };
    let turns = [
        "one -> two -> three -> one",
        "two -> three -> one -> two",
        "three -> one -> two -> three",
    ];
    assert!(turns.contains(&path.as_str()), "{path}");
}

/// Its receiver connects another one, which it keeps.
#[derive(Signal)]
struct Opened;

static DOORS: Mutex<Vec<diesel_hooks::Guard>> = Mutex::new(Vec::new());

#[receiver]
fn connect_one_more(_: &Opened, conn: &mut TestConnection) -> diesel_hooks::Result {
    LOG.push("opened");
    let heard = |_: &Opened, _: &mut TestConnection| LOG.push("connected");
    let guard = conn.connect(heard)?;
    DOORS.lock().expect("no test panics inside").push(guard);
    Ok(())
}

fn assert_heard_from_the_next_on(conn: &mut TestConnection) {
    Opened.send(conn).expect("sent");
    assert_eq!(LOG.take(), ["opened"], "not in the same dispatch");
    Opened.send(conn).expect("sent");
    assert_eq!(LOG.take(), ["opened", "connected"]);
    Opened.send_robust(conn).expect("sent");
    assert_eq!(LOG.take(), ["opened", "connected", "connected"]);
}

#[test]
fn dsp_11_one_connected_during_a_dispatch_is_heard_from_the_next_on() {
    assert_heard_from_the_next_on(&mut fresh(SCHEMA));
}

#[test]
fn dsp_11_also_while_another_is_connected() {
    let mut conn = fresh(SCHEMA);
    let other = conn.connect(|_: &Forgotten, _: &mut TestConnection| ());
    assert_heard_from_the_next_on(&mut conn);
    drop(other.expect("there is room"));
}

#[test]
fn dsp_11_one_connected_by_a_models_receiver_is_heard_from_the_next_signal_on() {
    let mut conn = fresh(SCHEMA);
    let outer = conn.connect(|_: &PreCreate<Dog>, conn: &mut TestConnection| {
        for _ in 0..2 {
            let guard = conn.connect(|event: &PostCreate<Dog>, _: &mut TestConnection| {
                LOG.push(event.instance.name.clone());
            });
            DOORS.lock().expect("no test panics inside").push(guard?);
        }
        Ok::<_, Error>(())
    });
    dog(&mut conn, "Argos").expect("a dog");
    assert_eq!(LOG.take(), ["any Dog", "Argos", "Argos"]);
    drop(outer.expect("there is room"));
}

/// Its receiver connects another one of the same signal.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Rose {
    id: i32,
}

#[receiver]
fn connect_another(_: &PostCreate<Rose>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let heard = |_: &PostCreate<Rose>, _: &mut TestConnection| LOG.push("connected");
    let guard = conn.connect(heard)?;
    DOORS.lock().expect("no test panics inside").push(guard);
    Ok(())
}

#[test]
fn dsp_11_one_connected_by_a_receiver_of_the_same_signal_is_not_heard_in_it() {
    let mut conn = fresh(SCHEMA);
    let other = conn.connect(|_: &Forgotten, _: &mut TestConnection| ());
    Rose::create(&mut conn, NewRose {}).expect("a rose");
    assert_eq!(LOG.take(), ["any Rose"]);
    Rose::create_many(&mut conn, vec![NewRose {}, NewRose {}]).expect("two roses");
    let first_of_each = ["any Rose", "any Rose", "connected", "connected"];
    assert_eq!(LOG.take(), first_of_each);
    drop(other.expect("there is room"));
}

#[test]
fn dsp_11_one_disconnected_during_a_dispatch_is_not_called_any_more() {
    let mut conn = fresh(SCHEMA);
    let kept = std::sync::Arc::new(Mutex::new(None));
    let first = std::sync::Arc::clone(&kept);
    let closing = conn.connect(move |_: &Forgotten, _: &mut TestConnection| {
        LOG.push("closing");
        drop(first.lock().expect("no test panics inside").take());
    });
    let closed = conn.connect(|_: &Forgotten, _: &mut TestConnection| LOG.push("closed"));
    *kept.lock().expect("no test panics inside") = Some(closed.expect("there is room"));
    Forgotten.send(&mut conn).expect("sent");
    assert_eq!(LOG.take(), ["closing"]);
    drop(closing.expect("there is room"));
}

#[test]
fn dsp_12_the_first_that_fails_stops_the_rest_and_takes_back_what_was_written() {
    let mut conn = fresh(SCHEMA);
    let error = Fed { with: "poison" }.send(&mut conn).expect_err("poison");
    let Error::Receiver(why) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (why.receiver, why.signal, why.model),
        ("note first", "Fed", None)
    );
    assert_eq!(why.source.to_string(), "poisoned");
    assert_eq!(LOG.take(), ["fed with poison", "first notes"]);
    assert!(noted(&mut conn).is_empty());
    assert_eq!(depth(&mut conn), 0);
}

/// Heard by one that waits for the commit, and then by one that fails.
#[derive(Clone, Signal)]
struct Ordered;

#[receiver(after_commit, order = 1)]
fn deliver(_: &Ordered) {
    LOG.push("delivered");
}

#[receiver(order = 2)]
fn refuse(_: &Ordered) -> Result<(), &'static str> {
    Err("not today")
}

#[test]
fn dsp_12_what_waits_for_the_commit_is_forgotten_when_a_later_receiver_fails() {
    let mut conn = fresh(SCHEMA);
    Ordered.send(&mut conn).expect_err("not today");
    assert!(LOG.take().is_empty());
    conn.transaction(|conn| {
        Ordered.send(conn).expect_err("not today");
        Ok::<_, Error>(())
    })
    .expect("it commits");
    assert!(LOG.take().is_empty());
    assert_eq!(depth(&mut conn), 0);
}

#[test]
fn dsp_13_a_robust_send_calls_all_and_takes_back_what_the_failed_one_wrote() {
    let mut conn = fresh(SCHEMA);
    let sent = Fed { with: "poison" }.send_robust(&mut conn);
    let sent = sent.expect("it goes on");
    assert_eq!(
        outcomes(&sent),
        [("look", true), ("note first", false), ("note second", true)]
    );
    let error = sent[1].outcome.as_ref().expect_err("poison").to_string();
    assert!(
        error.starts_with("receiver note first (tests/backends/tests/conformance_dsp.rs:")
            && error.ends_with("of Fed failed: poisoned"),
        "{error}"
    );
    assert_eq!(noted(&mut conn), ["second poison"]);
    LOG.take();
}

#[test]
fn dsp_13_one_that_was_connected_has_an_outcome_like_any_other() {
    let mut conn = fresh(SCHEMA);
    let failing = conn.connect(|event: &Fed, conn: &mut TestConnection| {
        note(conn, "connected", event.with)?;
        Err("on purpose".to_owned())
    });
    let behind = conn.connect(|_: &Fed, _: &mut TestConnection| LOG.push("behind"));
    let sent = Fed { with: "fish" }.send_robust(&mut conn);
    let sent = sent.expect("it goes on");
    assert_eq!(
        outcomes(&sent)[3..],
        [("(connected)", false), ("(connected)", true)]
    );
    assert_eq!(LOG.take()[3..], ["connected notes", "behind"]);
    assert_eq!(noted(&mut conn), ["first fish", "second fish"]);
    drop((failing.expect("room"), behind.expect("room")));
}

#[test]
fn dsp_14_a_robust_send_does_not_swallow_a_panic() {
    let mut conn = fresh(SCHEMA);
    let panic = panic_of(|| Fed { with: "a bomb" }.send_robust(&mut conn));
    assert_eq!(panic, "it explodes");
    assert_eq!(LOG.take(), ["fed with a bomb", "first notes"]);
    assert!(noted(&mut conn).is_empty());
    assert_eq!(depth(&mut conn), 0);
    Fed { with: "fish" }.send(&mut conn).expect("usable");
    LOG.take();
}

#[test]
fn dsp_15_a_models_signal_stops_at_the_first_receiver_that_fails() {
    let mut conn = fresh(SCHEMA);
    let error = cat(&mut conn, "refused").expect_err("refused");
    assert!(matches!(&error, Error::Receiver(why) if why.model == Some("Cat")));
    assert_eq!(
        LOG.take(),
        ["any Cat", "a cat"],
        "the later one is not called"
    );
    assert_eq!(cats::table.count().get_result(&mut conn), Ok(0));
}

#[test]
fn dsp_16_a_receiver_has_no_other_veto_than_an_error() {
    let mut conn = fresh(SCHEMA);
    let guard = conn.connect(|event: &PostCreate<Cat>, _: &mut TestConnection| {
        LOG.push("connected");
        match event.instance.name.as_str() {
            "Tom" => Ok(()),
            _ => Err("only Tom"),
        }
    });
    cat(&mut conn, "Tom").expect("a cat");
    cat(&mut conn, "Kit").expect_err("refused");
    let names: Vec<String> = cats::table
        .select(cats::name)
        .load(&mut conn)
        .expect("names");
    assert_eq!(names, ["Tom"]);
    drop(guard.expect("there is room"));
    LOG.take();
}

/// Nobody hears of its updates and deletes.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Stone {
    id: i32,
}

#[test]
fn dsp_18_where_nobody_listens_an_operation_is_its_own_statement() {
    let mut conn = fresh(SCHEMA);
    let stone = Stone::create(&mut conn, NewStone {}).expect("a stone");
    let muted = fresh(SCHEMA).without_hooks(|_| {
        let (outcome, sent) = statements(&mut conn, |conn| stone.delete(conn));
        outcome.map(|_| sent)
    });
    let sent = muted.expect("deleted");
    assert_eq!(
        backends::verbs(&sent),
        ["DELETE"],
        "whatever goes on on another connection"
    );
    LOG.take();
}

#[test]
fn dsp_19_one_function_hears_several_senders() {
    let mut conn = fresh(SCHEMA);
    let (tom, argos) = (cat(&mut conn, "Tom"), dog(&mut conn, "Argos"));
    LOG.take();
    tom.expect("a cat").delete(&mut conn).expect("deleted");
    assert_eq!(LOG.take(), ["Cat deleted"]);
    argos.expect("a dog").delete(&mut conn).expect("deleted");
    assert_eq!(LOG.take().last().map(String::as_str), Some("Dog deleted"));
    let uid = concat!(module_path!(), "::either_deleted");
    let registry = diesel_hooks::registry();
    assert_eq!(registry.receivers().filter(|it| it.uid == uid).count(), 2);
}

/// First sent by many threads at once.
#[derive(Signal)]
struct Rushed;

#[receiver(dispatch_uid = "rush 2")]
fn rush_second(_: &Rushed) {
    LOG.push("second");
}

#[receiver(dispatch_uid = "rush 1")]
fn rush_first(_: &Rushed) {
    LOG.push("first");
}

#[test]
fn dsp_28_the_first_use_by_many_threads_finds_the_same_receivers_in_the_same_order() {
    let start = std::sync::Barrier::new(64);
    let rush = || {
        start.wait();
        Rushed.send_detached().expect("sent");
        LOG.take()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..64).map(|_| scope.spawn(rush)).collect();
        for thread in threads {
            assert_eq!(thread.join().expect("no panic"), ["first", "second"]);
        }
    });
}
