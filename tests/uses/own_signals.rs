//! Structs and enums of the application's own as signals.
#![deny(warnings, missing_docs, single_use_lifetimes)]

use std::sync::Mutex;

use diesel::prelude::*;
use diesel_hooks::prelude::*;

mod framework {
    pub use diesel_hooks as orm;
}

#[derive(Signal)]
struct Named {
    by: &'static str,
}

#[derive(Signal, Clone)]
struct Tuple(i32, &'static str);

#[derive(Signal)]
#[signal(crate = framework::orm)]
struct Unit;

#[derive(Signal)]
enum Choice {
    One,
    Other { why: &'static str },
}

#[derive(Signal)]
struct Generic<T: ?Sized, U = i32, const N: usize = 2>
where
    U: Clone,
{
    of: [U; N],
    boxed: Box<T>,
}

#[derive(Signal)]
#[allow(non_camel_case_types)]
struct r#type;

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn log(what: impl std::fmt::Debug) {
    LOG.lock().unwrap().push(format!("{what:?}"));
}

#[receiver]
fn named(event: &Named) {
    log(event.by);
}

#[receiver(after_commit)]
fn tuple(event: &Tuple) {
    log((event.0, event.1));
}

#[receiver(crate = framework::orm)]
fn unit(_: &Unit, _: &mut SqliteConnection) {
    log("unit");
}

#[receiver]
fn choice(event: &Choice) -> Result<(), &'static str> {
    match event {
        Choice::One => Ok(()),
        Choice::Other { why } => Err(why),
    }
}

#[receiver]
fn generic(event: &Generic<str>) {
    log((event.of, &event.boxed));
}

#[receiver]
fn raw(_: &r#type) {
    log(r#type::NAME);
}

#[test]
fn structs_and_enums_of_every_form_are_signals() {
    let conn = &mut SqliteConnection::establish(":memory:").unwrap();
    Named { by: "named" }.send(conn).unwrap();
    Tuple(1, "a").send(conn).unwrap();
    Unit.send(conn).unwrap();
    assert!(Choice::One.send(conn).is_ok());
    assert!(Choice::Other { why: "because" }.send(conn).is_err());
    Generic {
        of: [1, 2],
        boxed: Box::<str>::from("b"),
    }
    .send_detached()
    .unwrap();
    r#type.send_detached().unwrap();
    assert_eq!(
        *LOG.lock().unwrap(),
        [
            "\"named\"",
            "(1, \"a\")",
            "\"unit\"",
            "([1, 2], \"b\")",
            "\"type\""
        ]
    );
}
