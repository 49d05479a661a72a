//! What waits for the end of a transaction.
//!
//! Each entry knows the depth of the transaction or savepoint that would take it along if it rolled back.
//! A RELEASE lowers that depth, a rollback removes what is at it or deeper, and the COMMIT of depth 1 lets
//! go of the rest. So the queue costs nothing while it is empty, and needs no list of levels.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::merge::{Mergeable, Tag, fold};
use crate::failure::{CallbackKind, Failure, FailureReason, contain, report};
use crate::receiver::Outcome;

/// What a failing statement does to the transaction around it.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorEffect {
    /// Nothing: the statement alone did not happen.
    Statement,
    /// The innermost transaction or savepoint can only be rolled back, as on PostgreSQL.
    Level,
    /// The transaction is rolled back already, as by a deadlock on MySQL.
    Transaction,
}

/// A transaction's event, with the depth that Diesel names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Begin(u32),
    Commit(u32),
    RollBack(u32),
    /// The ROLLBACK by which Diesel answers to an outermost COMMIT that failed.
    UndoCommit,
}

/// What is left to do once.
pub(crate) enum Callback {
    Call(Box<dyn FnOnce() -> Outcome + Send>),
    /// One of several that become one, if they share the tag and are kept.
    Merged(Tag, Box<dyn Mergeable>),
}

pub(crate) struct Entry {
    /// Where it stands in the order of registration on this connection, for [`Mark`]s.
    place: u64,
    depth: u32,
    pub(super) kind: CallbackKind,
    pub(super) receiver: Option<&'static str>,
    pub(super) callback: Callback,
}

/// A place in the queue: what was registered later stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Mark(u64);

#[derive(Default)]
pub(crate) struct Queue {
    waiting: Vec<Entry>,
    next_place: u64,
    depth: u32,
    /// The depth at or below which only a rollback helps.
    doomed: Option<u32>,
    /// Whether the outermost transaction is a test transaction, which never commits.
    pub(super) in_test: bool,
}

/// A queue as its connection and those who capture it hold it. No callback runs, or is dropped, under the
/// lock.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Queue>>);

impl Shared {
    pub(super) fn new(queue: Queue) -> Self {
        Shared(Arc::new(Mutex::new(queue)))
    }

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    pub(super) fn at_depth(depth: u32) -> Self {
        Queue {
            depth,
            ..Queue::default()
        }
    }

    pub(super) fn push(
        &mut self,
        depth: u32,
        kind: CallbackKind,
        receiver: Option<&'static str>,
        callback: Callback,
    ) {
        self.waiting.push(Entry {
            place: self.next_place,
            depth,
            kind,
            receiver,
            callback,
        });
        self.next_place += 1;
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.next_place)
    }

    /// What the end of a transaction or savepoint sets free.
    pub(super) fn finish(&mut self, step: Step, error: Option<&DieselError>) -> Due {
        match (step, error) {
            // A transaction whose end nobody announced is over.
            (Step::Begin(1), _) => {
                let due = self.roll_back(1);
                self.depth = u32::from(error.is_none());
                due
            }
            (Step::Begin(depth), None) => {
                self.depth = depth;
                Due::nothing()
            }
            (Step::Commit(1), None) if self.doomed.is_none() => self.commit(),
            (Step::Commit(1), None) => self.roll_back(1),
            (Step::Commit(1), Some(error)) => match ErrorOfCommit::of(error) {
                ErrorOfCommit::Over => self.roll_back(1),
                ErrorOfCommit::Unanswered => self.forget(),
                // Diesel rolls back, and that is heard as well.
                ErrorOfCommit::Refused => Due::nothing(),
            },
            (Step::Commit(depth), None) => {
                self.release(depth);
                Due::nothing()
            }
            (Step::Begin(_) | Step::Commit(_), Some(_)) => Due::nothing(),
            (Step::RollBack(depth), _) => self.roll_back(depth),
            (Step::UndoCommit, Some(error)) if !is_over(error) => self.forget(),
            (Step::UndoCommit, _) => self.roll_back(1),
        }
    }

    /// A statement failed; if it began or ended a transaction, [`Queue::finish`] has heard of that.
    pub(super) fn failed(&mut self, effect: ErrorEffect) -> Due {
        match effect {
            ErrorEffect::Level if self.depth > 0 => {
                self.doomed.get_or_insert(self.depth);
                Due::nothing()
            }
            ErrorEffect::Transaction => self.roll_back(1),
            _ => Due::nothing(),
        }
    }

    /// Whether a statement failed, after which PostgreSQL answers nothing but a rollback.
    pub(super) fn is_doomed(&self) -> bool {
        self.doomed.is_some()
    }

    /// Somebody went back to a savepoint, which only the innermost transaction or savepoint can have had.
    pub(super) fn gone_back(&mut self) {
        self.doomed = None;
    }

    fn commit(&mut self) -> Due {
        self.depth = 0;
        Due {
            kind: Some(CallbackKind::AfterCommit),
            entries: std::mem::take(&mut self.waiting),
        }
    }

    /// Nobody knows what became of the transaction.
    fn forget(&mut self) -> Due {
        Due {
            kind: None,
            ..self.roll_back(1)
        }
    }

    fn release(&mut self, depth: u32) {
        self.depth = depth - 1;
        for entry in self.waiting.iter_mut().rev() {
            if entry.depth < depth {
                break;
            }
            entry.depth = depth - 1;
        }
    }

    /// A savepoint or, at depth 1, the transaction is rolled back.
    pub(super) fn roll_back(&mut self, depth: u32) -> Due {
        self.depth = depth - 1;
        if self.doomed.is_some_and(|doomed| doomed >= depth) {
            self.doomed = None;
        }
        Due {
            kind: Some(CallbackKind::AfterRollback),
            entries: self.remove(|entry| entry.depth >= depth),
        }
    }

    /// A savepoint that Diesel does not know is rolled back to.
    pub(super) fn roll_back_to(&mut self, mark: Mark) -> Due {
        Due {
            kind: Some(CallbackKind::AfterRollback),
            entries: self.remove(|entry| entry.place >= mark.0),
        }
    }

    /// What would run, had the transaction been committed now.
    pub(super) fn take_captured(&mut self, from: Mark) -> Due {
        Due {
            kind: Some(CallbackKind::AfterCommit),
            entries: self.remove(|entry| entry.is_captured(from)),
        }
    }

    pub(super) fn captured(&self, from: Mark) -> impl Iterator<Item = &Callback> {
        self.waiting
            .iter()
            .filter(move |entry| entry.is_captured(from))
            .map(|entry| &entry.callback)
    }

    /// What the connection leaves behind if it goes now.
    pub(super) fn abandon(&mut self) -> Vec<Entry> {
        match self.in_test {
            true => Vec::new(),
            false => std::mem::take(&mut self.waiting),
        }
    }

    fn remove(&mut self, leaves: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        self.waiting.extract_if(.., |entry| leaves(entry)).collect()
    }
}

impl Entry {
    fn is_captured(&self, from: Mark) -> bool {
        self.kind == CallbackKind::AfterCommit && self.place >= from.0
    }
}

/// What left the queue: entries of one kind run, others are forgotten. None run if it is not known whose
/// turn it is, which is reported.
///
/// It is run when the queue is neither borrowed nor locked.
#[must_use]
pub(crate) struct Due {
    kind: Option<CallbackKind>,
    entries: Vec<Entry>,
}

impl Due {
    fn nothing() -> Self {
        Due {
            kind: None,
            entries: Vec::new(),
        }
    }

    /// For one that need not wait.
    pub(super) fn now(
        kind: CallbackKind,
        receiver: Option<&'static str>,
        callback: Callback,
    ) -> Self {
        Due {
            kind: Some(CallbackKind::AfterCommit),
            entries: vec![Entry {
                place: 0,
                depth: 0,
                kind,
                receiver,
                callback,
            }],
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Runs each callback whatever became of those before it, and says how many ran. No panic comes out.
    pub(super) fn run(self) -> usize {
        let Due { kind, entries } = self;
        if kind.is_none() {
            report_waiting(&entries, |waiting| FailureReason::CommitUnknown { waiting });
        }
        let (kept, forgotten): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .partition(|entry| Some(entry.kind) == kind);
        for entry in forgotten {
            // What it captured may panic when it is dropped.
            contain(entry.kind, entry.receiver, || {
                drop(entry.callback);
                Ok(())
            });
        }
        let mut ran = 0;
        for call in fold(kept) {
            ran += usize::from(kind.is_some_and(|kind| call.run(kind)));
        }
        ran
    }
}

/// Reports callbacks that do not run, each kind by itself.
pub(super) fn report_waiting(entries: &[Entry], reason: impl Fn(usize) -> FailureReason) {
    for callback in [CallbackKind::AfterCommit, CallbackKind::AfterRollback] {
        let waiting = entries.iter().filter(|it| it.kind == callback).count();
        if waiting > 0 {
            report(&Failure {
                callback,
                receiver: None,
                reason: reason(waiting),
            });
        }
    }
}

/// What an outermost COMMIT that failed says of its transaction.
enum ErrorOfCommit {
    /// It is gone, and Diesel sends no ROLLBACK.
    Over,
    /// The connection broke before an answer came.
    Unanswered,
    Refused,
}

impl ErrorOfCommit {
    fn of(error: &DieselError) -> Self {
        match error {
            // MySQL's client says neither; there the ROLLBACK fails as well.
            DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => {
                ErrorOfCommit::Unanswered
            }
            DieselError::DatabaseError(DatabaseErrorKind::UnableToSendCommand, _) => {
                ErrorOfCommit::Over
            }
            _ if is_over(error) => ErrorOfCommit::Over,
            _ => ErrorOfCommit::Refused,
        }
    }
}

/// Whether SQLite refused to end a transaction because none is open: it has rolled back by itself.
pub(super) fn is_over(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(_, info) if info.message().contains("no transaction is active"))
}

#[cfg(test)]
mod tests;
