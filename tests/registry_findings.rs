//! What contradicts itself, or can never run, is found without a database.
#![allow(missing_docs, dead_code, reason = "the registry is only looked at")]

use diesel::prelude::*;
use diesel_hooks::check::Severity;
use diesel_hooks::error::RegistryError;
use diesel_hooks::prelude::*;
use diesel_hooks::registry::{Demand, Finding};

diesel::table! { bells (id) { id -> Integer, tone -> Text } }
diesel::table! { hens (id) { id -> Integer, egg_id -> Integer } }
diesel::table! { eggs (id) { id -> Integer, hen_id -> Integer } }

trait Audible: Send + Sync {}
impl Audible for Bell {}

/// Nothing extends it.
trait Visible: Send + Sync {}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(extends(Audible))]
struct Bell {
    id: i32,
    tone: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
struct Hen {
    id: i32,
    #[hooks(one_to_one(Egg, on_delete = Cascade, auto_create))]
    egg_id: i32,
}

#[derive(Debug, Clone, Queryable, Hooks)]
struct Egg {
    id: i32,
    #[hooks(one_to_one(Hen, on_delete = Cascade, auto_create))]
    hen_id: i32,
}

#[derive(Debug, Clone, Signal)]
struct Struck;

/// Twice for the model's own signal and for that of a trait which it extends.
mod twice {
    use super::*;

    #[receiver(dispatch_uid = "twice")]
    fn of_the_model(_: &PostCreate<Bell>) {}

    #[receiver(dispatch_uid = "twice")]
    fn of_the_trait(_: &PostCreate<dyn Audible>) {}

    // Of another signal it may be used again.
    #[receiver(dispatch_uid = "twice")]
    fn of_another_signal(_: &PostDelete<Bell>) {}
}

mod twice_for_a_signal_of_our_own {
    use super::*;

    #[receiver(dispatch_uid = "ours")]
    fn one(_: &Struck) {}

    #[receiver(dispatch_uid = "ours")]
    fn two(_: &Struck, _: &mut SqliteConnection) {}
}

mod cycle {
    use super::*;

    #[receiver(dispatch_uid = "a", before = "b")]
    fn a(_: &PostUpdate<Bell>) {}

    #[receiver(dispatch_uid = "b", before = "c")]
    fn b(_: &PostUpdate<Bell>) {}

    #[receiver(dispatch_uid = "c", before = "a")]
    fn c(_: &PostUpdate<dyn AnyModel>) {}
}

mod never {
    use super::*;

    #[receiver(dispatch_uid = "watch")]
    fn watch(_: &PostSave<dyn Visible>) {}

    #[receiver(dispatch_uid = "listen")]
    fn listen(_: &PostSave<dyn Audible>) {}
}

mod unknown {
    use super::*;

    // The other one hears this signal as that of a trait, so it is known.
    #[receiver(dispatch_uid = "late", after = "listen", before = "gone")]
    fn late(_: &PostSave<Bell>) {}

    // There is one, but of another signal.
    #[receiver(dispatch_uid = "early", after = "late")]
    fn early(_: &PreSave<Bell>) {}
}

fn findings() -> Vec<Finding> {
    diesel_hooks::registry().findings()
}

fn texts(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(Finding::to_string).collect()
}

#[test]
fn they_come_sorted_and_each_once() {
    let texts = texts(&findings());
    assert_eq!(texts.len(), 7, "{texts:#?}");
    assert!(texts.is_sorted());
}

#[test]
fn a_uid_used_twice_names_both_places() {
    let all = findings();
    let mut twice: Vec<_> = all
        .iter()
        .filter_map(|it| match it {
            Finding::Contradiction(RegistryError::DuplicateUid {
                uid,
                signal,
                first,
                second,
                ..
            }) => Some((*uid, signal, first, second)),
            _ => None,
        })
        .collect();
    twice.sort();
    let [(own, own_signal, ..), (uid, signal, first, second)] = &*twice else {
        panic!("{twice:?}");
    };
    assert_eq!((*own, **own_signal), ("ours", "registry_findings::Struck"));
    assert_eq!((*uid, **signal), ("twice", "PostCreate"));
    assert!(first.starts_with("tests/registry_findings.rs:"), "{first}");
    assert!(second.starts_with("tests/registry_findings.rs:") && first != second);
}

#[test]
fn a_cycle_of_before_and_after_is_printed() {
    let cycle = findings().into_iter().find_map(|it| match it {
        Finding::Contradiction(RegistryError::OrderCycle { signal, path, .. }) => {
            Some((signal, path))
        }
        _ => None,
    });
    assert_eq!(cycle, Some(("PostUpdate", "a -> b -> c -> a".into())));
}

#[test]
fn rows_that_create_one_another_without_end_are_found() {
    let path = findings().into_iter().filter_map(|it| match it {
        Finding::Contradiction(RegistryError::AutoCreateCycle { path, .. }) => Some(path),
        _ => None,
    });
    let paths: Vec<_> = path.collect();
    assert_eq!(paths, ["Egg -> Hen -> Egg"]);
}

#[test]
fn a_receiver_of_a_trait_that_no_model_extends_is_found() {
    let never = findings().into_iter().filter_map(|it| match it {
        Finding::NeverSent {
            uid, signal, place, ..
        } => Some((uid, signal, place)),
        _ => None,
    });
    let never: Vec<_> = never.collect();
    let [(uid, signal, place)] = &*never else {
        panic!("{never:?}");
    };
    assert_eq!((*uid, &**signal), ("watch", "PostSave<dyn Visible>"));
    assert!(place.starts_with("tests/registry_findings.rs:"), "{place}");
}

#[test]
fn a_before_or_after_that_names_nobody_is_found() {
    let unknown = findings().into_iter().filter_map(|it| match it {
        Finding::UnknownUid {
            uid,
            signal,
            demand,
            missing,
            ..
        } => Some((uid, signal, demand, missing)),
        _ => None,
    });
    let mut unknown: Vec<_> = unknown.collect();
    unknown.sort_by_key(|it| it.0);
    assert_eq!(
        unknown,
        [
            ("early", "PreSave<Bell>".into(), Demand::After, "late"),
            ("late", "PostSave<Bell>".into(), Demand::Before, "gone"),
        ]
    );
}

#[test]
fn check_finds_them_too() {
    let conn = &mut SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    let found = diesel_hooks::check(conn).expect("the catalog can be read");
    let of_the_registry: Vec<_> = found
        .iter()
        .filter_map(|it| match it {
            diesel_hooks::check::Finding::Registry(finding) => Some((it.severity(), finding)),
            _ => None,
        })
        .collect();
    let all = findings();
    let severity = |it: &Finding| match it {
        Finding::Contradiction(_) => Severity::Error,
        _ => Severity::Warning,
    };
    let mut expected: Vec<_> = all.iter().map(|it| (severity(it), it)).collect();
    expected.sort_by_key(|it| it.0);
    assert_eq!(of_the_registry, expected);
}
