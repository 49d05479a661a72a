//! Random programs: rows, and then operations in transactions and savepoints. A number or an [`Index`] chooses
//! among what there is by then.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::Index;

use super::chosen::Choice;

/// What the columns of a row are made from, a part for each relation or column.
pub(crate) type Draft = Vec<(u8, Index)>;

/// A row among all, or one that is not there, and through which of the structs over its table.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) row: Index,
    pub(crate) struct_: Index,
    pub(crate) is_gone: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Create(Index, Draft),
    CreateMany(Index, Vec<Draft>),
    Save(Target, Draft),
    Update(Target, Draft),
    UpdateSet(Target, Draft),
    /// Of several rows of one table.
    UpdateAll(Target, Vec<Index>, Draft),
    Upsert(Target, Draft),
    GetOrCreate(Target, Draft),
    Delete(Target, Option<usize>),
    DeleteAll(Target, Vec<Index>, Option<usize>),
    Plan(Target),
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Operation {
        operation: Operation,
        /// After how many events receivers fail.
        fail_after: Option<usize>,
        choice: Choice,
    },
    Transaction {
        steps: Vec<Step>,
        commits: bool,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) in_circles: bool,
    /// What the schema says of each relation.
    pub(crate) clauses: Vec<u8>,
    pub(crate) rows: Vec<(Index, Draft)>,
    /// What some of them refer to later, so that rows refer to each other in circles.
    pub(crate) turns: Vec<(Target, Draft)>,
    pub(crate) steps: Vec<Step>,
}

fn draft() -> impl Strategy<Value = Draft> {
    vec(any::<(u8, Index)>(), 12)
}

fn target() -> impl Strategy<Value = Target> {
    let is_gone = prop::bool::weighted(0.04);
    (any::<Index>(), any::<Index>(), is_gone).prop_map(|(row, struct_, is_gone)| Target {
        row,
        struct_,
        is_gone,
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    let rows = || vec(any::<Index>(), 0..4);
    let most = |weight| weighted(weight, 0..8usize);
    prop_oneof![
        1 => (any::<Index>(), draft()).prop_map(|(model, draft)| Operation::Create(model, draft)),
        1 => (any::<Index>(), vec(draft(), 0..4))
            .prop_map(|(model, drafts)| Operation::CreateMany(model, drafts)),
        1 => (target(), draft()).prop_map(|(row, draft)| Operation::Save(row, draft)),
        1 => (target(), draft()).prop_map(|(row, draft)| Operation::Update(row, draft)),
        1 => (target(), draft()).prop_map(|(row, draft)| Operation::UpdateSet(row, draft)),
        1 => (target(), rows(), draft())
            .prop_map(|(row, others, draft)| Operation::UpdateAll(row, others, draft)),
        1 => (target(), draft()).prop_map(|(row, draft)| Operation::Upsert(row, draft)),
        1 => (target(), draft()).prop_map(|(row, draft)| Operation::GetOrCreate(row, draft)),
        8 => (target(), most(0.2)).prop_map(|(row, most)| Operation::Delete(row, most)),
        3 => (target(), rows(), most(0.2))
            .prop_map(|(row, others, most)| Operation::DeleteAll(row, others, most)),
        1 => target().prop_map(Operation::Plan),
    ]
}

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        1 => Just(Choice::Nothing),
        4 => (1..6).prop_map(Choice::Key),
        1 => Just(Choice::Failure),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let fail_after = weighted(0.15, 0..6usize);
    let step = (operation(), fail_after, choice()).prop_map(|(operation, fail_after, choice)| {
        Step::Operation {
            operation,
            fail_after,
            choice,
        }
    });
    step.prop_recursive(3, 16, 4, |inner| {
        let commits = prop::bool::weighted(0.6);
        (vec(inner, 1..5), commits)
            .prop_map(|(steps, commits)| Step::Transaction { steps, commits })
    })
}

pub(crate) fn program() -> impl Strategy<Value = Program> {
    let rows = vec((any::<Index>(), draft()), 1..40);
    let turns = vec((target(), draft()), 0..20);
    let clauses = vec(any::<u8>(), 40);
    let parts = (any::<bool>(), clauses, rows, turns, vec(step(), 1..8));
    parts.prop_map(|(in_circles, clauses, rows, turns, steps)| Program {
        in_circles,
        clauses,
        rows,
        turns,
        steps,
    })
}
