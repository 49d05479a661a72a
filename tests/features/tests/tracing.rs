//! With the feature `tracing`: a span for each operation, an event for each receiver, and no values.
#![allow(missing_docs, reason = "schema modules are generated")]

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backends::fresh;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_hooks::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const SCHEMA: &str = "
    CREATE TABLE patients (email TEXT PRIMARY KEY NOT NULL, diagnosis TEXT NOT NULL UNIQUE);
";

const MARKER: &str = "marker-that-nobody-must-see";

diesel::table! { patients (email) { email -> Text, diagnosis -> Text } }

#[derive(Debug, Clone, Queryable, Insertable, Hooks)]
#[diesel(primary_key(email))]
#[hooks(new = Self)]
struct Patient {
    email: String,
    diagnosis: String,
}

#[derive(Debug, Signal)]
struct Admitted {
    #[allow(dead_code, reason = "it must not be shown")]
    email: String,
}

#[receiver(dispatch_uid = "admit")]
fn admit(event: &PostCreate<Patient>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    let email = event.instance.email.clone();
    Admitted { email }.send(conn)
}

#[receiver(dispatch_uid = "nurse")]
fn nurse(_: &Admitted) {}

#[receiver(dispatch_uid = "letter", after_commit)]
fn letter(_: &PostCreate<Patient>) {}

#[receiver(dispatch_uid = "refuse")]
fn refuse(event: &PreUpdate<Patient>) -> Result<(), String> {
    match event.instance.diagnosis.as_str() {
        "panic" => panic!("{}", event.instance.email),
        _ => Err(event.instance.email.clone()),
    }
}

#[receiver(dispatch_uid = "slow")]
fn slow(event: &PreDelete<Patient>) {
    if event.instance.diagnosis == "slow" {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What it was told, one line for each span and event.
#[derive(Clone, Default)]
struct Collector {
    lines: Arc<Mutex<Vec<String>>>,
    spans: Arc<AtomicU64>,
}

/// Writes fields in their order; how long it took is left out.
struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => *self.0 += &format!(" {value:?}:"),
            "duration_us" => {}
            name => *self.0 += &format!(" {name}={value:?}"),
        }
    }
}

impl Collector {
    fn push(&self, line: String) {
        self.lines.lock().expect("no panic inside").push(line);
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "diesel_hooks"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = span.metadata().name().to_owned();
        span.record(&mut Line(&mut line));
        self.push(line);
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = "ended".to_owned();
        values.record(&mut Line(&mut line));
        self.push(line);
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = event.metadata().level().to_string();
        event.record(&mut Line(&mut line));
        self.push(line);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, span: &Id) {
        self.push(format!("enter {}", span.into_u64()));
    }
    fn exit(&self, span: &Id) {
        self.push(format!("exit {}", span.into_u64()));
    }
}

/// The threshold is the process's, so one test runs at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What is traced while this runs.
fn traced(work: impl FnOnce(&mut SqliteConnection)) -> Vec<String> {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let collector = Collector::default();
    let lines = Arc::clone(&collector.lines);
    let mut conn = fresh(SCHEMA);
    tracing::subscriber::with_default(collector, || work(&mut conn));
    std::mem::take(&mut *lines.lock().expect("no panic inside"))
}

fn patient(diagnosis: &str) -> Patient {
    Patient {
        email: format!("{MARKER}@example.org"),
        diagnosis: diagnosis.into(),
    }
}

fn silently<T>(conn: &mut SqliteConnection, work: impl FnOnce(&mut SqliteConnection) -> T) -> T {
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), || work(conn))
}

fn span(operation: &str) -> String {
    format!(
        "diesel_hooks.operation db.system.name=\"sqlite\" db.collection.name=\"patients\" db.operation.name={operation:?} model=\"Patient\""
    )
}

#[test]
fn an_operation_is_a_span_and_each_receiver_an_event_in_it() {
    let lines = traced(|conn| {
        Patient::create(conn, patient("flu")).expect("created");
    });
    assert_eq!(
        lines,
        [
            &span("create"),
            "enter 1",
            r#"DEBUG receiver: receiver="nurse" signal="Admitted" when="now" outcome="ok""#,
            r#"DEBUG receiver: receiver="admit" model="Patient" signal="PostCreate" when="now" outcome="ok""#,
            r#"DEBUG receiver: receiver="letter" when="after commit" outcome="ok""#,
            "exit 1",
        ]
    );
}

#[test]
fn every_operation_has_a_span() {
    let lines = traced(|conn| {
        let (mut first, mut second) = (patient("a"), patient("b"));
        second.email = "second".into();
        Patient::create_many(conn, vec![first.clone()]).expect("created");
        Patient::create(conn, second.clone()).expect("created");
        Patient::get(conn, first.pk()).expect("there");
        first.refresh(conn).expect("there");
        patients::table
            .load_hooked::<Patient>(conn)
            .expect("loaded");
        first.save(conn).expect_err("refused");
        first
            .update(conn, |it| it.diagnosis = "c".into())
            .expect_err("refused");
        first
            .update_set(conn, patients::diagnosis.eq("d"))
            .expect_err("refused");
        first.delete(conn).expect("deleted");
    });
    let is_span = |line: &&String| line.starts_with("diesel_hooks.operation");
    let spans: Vec<_> = lines.iter().filter(is_span).cloned().collect();
    let operations = [
        "create_many",
        "create",
        "get",
        "refresh",
        "load_hooked",
        "save",
        "update",
        "update_set",
        "delete",
    ];
    assert_eq!(spans, operations.map(span));
    let enter = lines.iter().filter(|it| it.starts_with("enter")).count();
    let exit = lines.iter().filter(|it| it.starts_with("exit")).count();
    assert_eq!((enter, exit), (9, 9));
}

#[test]
fn a_failure_is_told_by_its_kind() {
    let lines = traced(|conn| {
        let mut patient =
            silently(conn, |conn| Patient::create(conn, patient("flu"))).expect("created");
        patient.save(conn).expect_err("refused");
        Patient::create(conn, patient.clone()).expect_err("the key is taken");
        Patient::get(conn, "nobody".into()).expect_err("not there");
    });
    let ended: Vec<_> = lines
        .iter()
        .filter(|it| it.starts_with("ended") || it.contains("refuse"))
        .collect();
    assert_eq!(
        ended,
        [
            r#"DEBUG receiver: receiver="refuse" model="Patient" signal="PreUpdate" when="now" outcome="error""#,
            r#"ended error.type="Receiver""#,
            r#"ended error.type="Query""#,
            r#"ended error.type="NotFound""#,
        ]
    );
}

#[test]
fn a_receiver_that_panics_has_its_event() {
    let lines = traced(|conn| {
        let mut patient =
            silently(conn, |conn| Patient::create(conn, patient("flu"))).expect("created");
        patient.diagnosis = "panic".into();
        let panicking = AssertUnwindSafe(|| patient.save(conn));
        catch_unwind(panicking).expect_err("it panics");
    });
    assert_eq!(
        lines,
        [
            &span("save"),
            "enter 1",
            r#"DEBUG receiver: receiver="refuse" model="Patient" signal="PreUpdate" when="now" outcome="panic""#,
            "exit 1",
        ]
    );
}

#[test]
fn a_slow_receiver_is_a_warning() {
    let warnings = |threshold| {
        let lines = traced(|conn| {
            let slow =
                silently(conn, |conn| Patient::create(conn, patient("slow"))).expect("created");
            diesel_hooks::set_slow_receiver_threshold(threshold);
            let deleted = slow.delete(conn);
            diesel_hooks::set_slow_receiver_threshold(Duration::MAX);
            deleted.expect("deleted");
        });
        lines
            .into_iter()
            .filter(|it| it.starts_with("WARN"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        warnings(Duration::from_millis(10)),
        [
            r#"WARN slow receiver: receiver="slow" model="Patient" signal="PreDelete" when="now" outcome="ok""#
        ]
    );
    assert!(warnings(Duration::from_secs(60)).is_empty());
    assert!(warnings(Duration::MAX).is_empty());
}

#[test]
fn muting_is_visible() {
    let lines = traced(|conn| {
        conn.without_receiver("letter", |_| Ok::<_, diesel_hooks::Error>(()))
            .expect("linked");
        conn.without_hooks(|conn| Patient::create(conn, patient("flu")))
            .expect("created");
    });
    assert_eq!(
        lines,
        [
            r#"DEBUG one receiver is muted: receiver="letter""#,
            "INFO all receivers are muted:",
            &span("create"),
            "enter 1",
            "exit 1",
        ]
    );
}

#[test]
fn a_further_attempt_is_told() {
    let told = traced(|conn| {
        let mut runs = 0;
        let outcome: diesel_hooks::Result = diesel_hooks::retry(conn, 2, |_| {
            runs += 1;
            let locked = Box::new("database is locked".to_owned());
            Err(DieselError::DatabaseError(DatabaseErrorKind::Unknown, locked).into())
        });
        assert!(outcome.is_err());
    });
    assert_eq!(
        told,
        [r#"INFO the transaction is run again: attempt=1 error.type="Query""#]
    );
}

#[test]
fn a_connected_receiver_has_its_event() {
    let lines = traced(|conn| {
        let patient =
            silently(conn, |conn| Patient::create(conn, patient("flu"))).expect("created");
        let heard = |_: &PostDelete<Patient>, _: &mut SqliteConnection| {};
        let _guard = conn.connect(heard).expect("connected");
        patient.delete(conn).expect("deleted");
    });
    assert!(lines.contains(
        &r#"DEBUG receiver: receiver="(connected)" model="Patient" signal="PostDelete" when="now" outcome="ok""#.into()
    ), "{lines:#?}");
}

#[test]
fn no_value_and_no_key_is_traced() {
    let mut lines = traced(|conn| {
        let mut one = Patient::create(conn, patient(MARKER)).expect("created");
        one.save(conn).expect_err("refused");
        Patient::create(conn, patient(MARKER)).expect_err("the key is taken");
        Patient::create_many(conn, vec![patient(MARKER)]).expect_err("the key is taken");
        one.update_set(conn, patients::diagnosis.eq(format!("{MARKER} too")))
            .expect_err("refused");
        one.diagnosis = "panic".into();
        catch_unwind(AssertUnwindSafe(|| one.save(conn))).expect_err("it panics");
        one.delete(conn).expect("deleted");
        one.refresh(conn).expect_err("gone");
    });
    assert!(lines.len() > 20, "{lines:#?}");
    lines.retain(|it| it.contains("marker"));
    assert!(lines.is_empty(), "{lines:#?}");
}
