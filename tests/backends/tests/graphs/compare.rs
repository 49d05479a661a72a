//! What an operation returned and what was heard of it, compared with what the rules say.

use diesel_hooks::Deleted;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::heard::{Event, Moment};
use super::oracle::Delete;
use super::rows::Row;
use super::schema::Schema;
use super::tasks::Answer;
use super::verdict::Verdict;

pub(crate) type Outcome = Result<(), TestCaseError>;

/// Rows in any order.
pub(crate) fn sorted(mut answer: Answer) -> Answer {
    if let Answer::Rows(rows) = &mut answer {
        rows.sort_unstable();
    }
    answer
}

/// What was heard of an operation that failed is a part of what is heard of it, in phases.
pub(crate) fn part_of(events: &[Event], verdict: &Verdict) -> Outcome {
    let mut all: Vec<_> = verdict.before.iter().chain(&verdict.after).collect();
    for event in events {
        let place = all.iter().position(|it| *it == event);
        prop_assert!(place.is_some(), "{event:?} in {events:?}");
        all.swap_remove(place.unwrap_or_default());
    }
    in_phases(events)
}

/// All before the write, then all after it, except those of rows that may be gone before their turn.
pub(crate) fn all_heard(events: &[Event], verdict: &Verdict) -> Outcome {
    let (before, after) = phases(events);
    let sorted = |events: &[Event]| {
        let mut events = events.to_vec();
        events.sort_unstable();
        events
    };
    prop_assert_eq!(sorted(before), sorted(&verdict.before));
    if verdict.maybe_uncounted.is_empty() {
        prop_assert_eq!(sorted(after), sorted(&verdict.after));
    }
    part_of(events, verdict)
}

fn phases(events: &[Event]) -> (&[Event], &[Event]) {
    let before = [Moment::PreSave, Moment::PreDelete];
    events.split_at(events.partition_point(|it| before.contains(&it.moment)))
}

fn in_phases(events: &[Event]) -> Outcome {
    let (_, after) = phases(events);
    let late = after
        .iter()
        .find(|it| matches!(it.moment, Moment::PreSave | Moment::PreDelete));
    prop_assert_eq!(late, None);
    Ok(())
}

/// Each model's rows are counted, those of which somebody hears as they are heard of.
pub(crate) fn counted(
    deleted: &Deleted,
    verdict: &Verdict,
    events: &[Event],
    schema: &Schema,
) -> Outcome {
    prop_assert_eq!(deleted.total, deleted.by_model.values().sum::<usize>());
    let known = |model: &&&str| verdict.deleted.contains_key(**model);
    prop_assert_eq!(deleted.by_model.keys().find(|it| !known(it)), None);
    for (model, most) in &verdict.deleted {
        let count = deleted.by_model.get(model).copied().unwrap_or_default();
        let maybe = verdict
            .maybe_uncounted
            .get(model)
            .copied()
            .unwrap_or_default();
        prop_assert!(
            (most - maybe..=*most).contains(&count),
            "{count} {model} of {most}"
        );
        if schema.kind(model).hears(Moment::PostDelete) {
            let went = |it: &&Event| it.moment == Moment::PostDelete && it.model == *model;
            prop_assert_eq!(count, events.iter().filter(went).count());
        }
    }
    Ok(())
}

/// What depends on a row is heard of before it.
pub(crate) fn in_order(events: &[Event], delete: &Delete<'_>, schema: &Schema) -> Outcome {
    for moment in [Moment::PreDelete, Moment::PostDelete] {
        let these = events.iter().filter(|it| it.moment == moment);
        let rows: Vec<Row> = these.map(|it| schema.kind(it.model).row(&it.row)).collect();
        for (at, row) in rows.iter().enumerate() {
            let late = rows[at + 1..]
                .iter()
                .find(|later| delete.goes_first(later, row));
            prop_assert_eq!(late, None, "it depends on {:?}", row);
        }
    }
    Ok(())
}
