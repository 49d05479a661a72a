//! What an operation must do, step by step, and what it may fail with at each.

use std::collections::{BTreeMap, BTreeSet};

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_hooks::Error;
use diesel_hooks::error::Blocked;

use super::heard::Event;
use super::rows::Rows;

/// The relations and the keys of rows that block a delete.
pub(crate) type Blockers = BTreeSet<(String, String)>;

/// An error, as far as the rules know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Failure {
    TooManyRows,
    Protected(Blockers),
    Restricted(Blockers),
    Cycle,
    /// The function of `Set` failed, or what it or the default names goes as well.
    Set,
    /// By a foreign key.
    Refused,
    /// By a unique constraint.
    Taken,
    NotFound,
    Receiver,
    Other(String),
}

impl Failure {
    /// Whether a statement failed, which on PostgreSQL ends the transaction, up to the innermost savepoint.
    pub(crate) fn is_of_database(&self) -> bool {
        matches!(self, Failure::Refused | Failure::Taken | Failure::Set)
    }

    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::TooManyRows { .. } => Failure::TooManyRows,
            Error::Protected(why) => Failure::Protected(blockers(why)),
            Error::Restricted(why) => Failure::Restricted(blockers(why)),
            Error::Cycle { .. } => Failure::Cycle,
            Error::Set { .. } => Failure::Set,
            Error::NotFound { .. } => Failure::NotFound,
            Error::Receiver(_) => Failure::Receiver,
            Error::Query {
                source: DieselError::DatabaseError(kind, _),
                ..
            } => match kind {
                DatabaseErrorKind::ForeignKeyViolation => Failure::Refused,
                DatabaseErrorKind::UniqueViolation => Failure::Taken,
                _ => Failure::Other(error.to_string()),
            },
            _ => Failure::Other(error.to_string()),
        }
    }
}

fn blockers(why: &Blocked) -> Blockers {
    let blockers = why.blockers().iter().flat_map(|it| {
        let keys = it.keys.iter();
        keys.map(|key| (it.relation.clone(), key.reveal().to_owned()))
    });
    blockers.collect()
}

/// Of several failures of one step, any may be told.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// Before anybody hears of it.
    pub(crate) early: BTreeSet<Failure>,
    /// Heard before the write.
    pub(crate) before: Vec<Event>,
    /// Of the write.
    pub(crate) late: BTreeSet<Failure>,
    /// What it may fail with or not.
    pub(crate) maybe: BTreeSet<Failure>,
    /// Heard after the write.
    pub(crate) after: Vec<Event>,
    /// How many rows are deleted, by their models.
    pub(crate) deleted: BTreeMap<&'static str, usize>,
    /// Of these, those that may be gone before their turn, so that nobody hears of that.
    pub(crate) maybe_uncounted: BTreeMap<&'static str, usize>,
    /// How often functions with a connection are asked.
    pub(crate) asked: usize,
    /// Of the COMMIT.
    pub(crate) commit: BTreeSet<Failure>,
    /// What there is in the end.
    pub(crate) rows: Rows,
}

impl Verdict {
    /// It does nothing.
    pub(crate) fn nothing(rows: &Rows) -> Self {
        Verdict {
            early: BTreeSet::new(),
            before: Vec::new(),
            late: BTreeSet::new(),
            maybe: BTreeSet::new(),
            after: Vec::new(),
            deleted: BTreeMap::new(),
            maybe_uncounted: BTreeMap::new(),
            asked: 0,
            commit: BTreeSet::new(),
            rows: rows.clone(),
        }
    }

    /// What it fails with if receivers fail after so many events; nothing, if it must succeed. `None` among the
    /// answers says that it may.
    pub(crate) fn answers(&self, fail_after: Option<usize>) -> BTreeSet<Option<Failure>> {
        let some = |failures: &BTreeSet<Failure>| -> BTreeSet<_> {
            failures.iter().cloned().map(Some).collect()
        };
        let heard = |events: usize| fail_after.is_some_and(|after| after < events);
        let all = self.before.len() + self.after.len();
        if !self.early.is_empty() {
            return some(&self.early);
        }
        if heard(self.before.len()) {
            return [Some(Failure::Receiver)].into();
        }
        let mut answers = some(&self.late);
        answers.extend(self.maybe.iter().cloned().map(Some));
        // Also of a write that fails, since some rows may have gone before.
        answers.extend(heard(all).then_some(Some(Failure::Receiver)));
        let uncounted: usize = self.maybe_uncounted.values().sum();
        if self.late.is_empty() && !heard(all.saturating_sub(uncounted)) {
            match self.commit.is_empty() {
                true => drop(answers.insert(None)),
                false => answers.extend(some(&self.commit)),
            }
        }
        answers
    }
}
