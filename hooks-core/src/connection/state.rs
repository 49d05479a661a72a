use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Weak};

use diesel::connection::{Instrumentation, InstrumentationEvent, get_default_instrumentation};
use diesel::result::Error as DieselError;

use super::queue::{ErrorEffect, Mark, Queue, Shared, Step, report_waiting};
use super::scoped::{Closure, Scoped};
use super::transaction::depth;
use super::watch::{Watch, goes_back};
use super::{Chain, HookConnection, RawConnection};
use crate::backend::{Settings, Shape, System};
use crate::collector::Claims;
use crate::diesel_internals::{no_instrumentation, type_of};
use crate::error::{Error, Result, is_lock_timeout_of_mysql};
use crate::failure::FailureReason;

/// What the library remembers about a connection.
///
/// It lives in the connection's [`Instrumentation`], the only place of a Diesel connection that takes a
/// value of a foreign type, and hands every event on to the instrumentation that was there before.
pub(crate) struct State {
    inner: Option<Box<dyn Instrumentation>>,
    pub(super) health: Health,
    /// Whether an operation wrote a row that it could not read back.
    pub(super) unread: bool,
    pub(super) watch: Watch,
    /// Whether the queue is [doomed](Queue::is_doomed), known without its lock.
    doomed: bool,
    /// What is known of tables, by the number of the model.
    shapes: Vec<Option<Shape>>,
    /// Whether the schema keeps a row from having two dependents, by the number of the relation.
    unique: Vec<Option<bool>>,
    contexts: Vec<(Weak<()>, Arc<dyn Any + Send + Sync>)>,
    pub(super) chain: Chain,
    pub(super) scoped: Scoped,
    pub(crate) claims: Claims,
    queue: Shared,
    /// Where the queue ends, known without its lock.
    pub(super) registered: Mark,
    hearing: Hearing,
    system: System,
    pub(crate) settings: Settings,
}

/// What is known of the transaction that Diesel thinks open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Good,
    /// A statement failed in it, which may have ended it.
    Suspect,
    /// It is gone.
    Lost,
}

/// How far a transaction's statement has got: Diesel announces it, sends it, and reports its outcome.
#[derive(Clone, Copy)]
enum Hearing {
    Nothing,
    Announced(Step),
    Sent(Step),
    /// The COMMIT failed; Diesel announces a rollback next, unless nothing is open any more.
    CommitFailed,
}

/// Sets the application's own instrumentation on a connection that has hooks.
///
/// [`Connection::set_instrumentation`](diesel::Connection::set_instrumentation) throws away what this
/// library remembers about the connection, waiting callbacks included, and this library never throws away
/// what was set by it: without a memory it asks the database again on every create, and an operation that
/// cannot do without is [`Error::Instrumentation`].
///
/// ```
/// # use diesel::prelude::*;
/// use diesel::connection::InstrumentationEvent;
///
/// let mut conn = SqliteConnection::establish(":memory:")?;
/// diesel_hooks::set_instrumentation(&mut conn, |event: InstrumentationEvent<'_>| {
///     if let InstrumentationEvent::StartQuery { query, .. } = event {
///         eprintln!("{query}");
///     }
/// });
/// # Ok::<(), diesel::ConnectionError>(())
/// ```
pub fn set_instrumentation<C: HookConnection>(conn: &mut C, instrumentation: impl Instrumentation) {
    let conn = conn.raw_connection();
    let inner: Option<Box<dyn Instrumentation>> = Some(Box::new(instrumentation));
    match State::installed(conn) {
        Some(state) => state.inner = inner,
        None => State::install(conn, inner),
    }
}

impl State {
    /// The state of this connection, installed if need be.
    pub(crate) fn of<C: RawConnection>(conn: &mut C) -> Result<&mut State> {
        if !conn.instrumentation().is::<State>() {
            let inner = adopt(conn.instrumentation())?;
            State::install(conn, inner);
        }
        State::installed(conn).ok_or(Error::Instrumentation)
    }

    /// The state of this connection, if it has one.
    pub(crate) fn installed<C: RawConnection>(conn: &mut C) -> Option<&mut State> {
        conn.instrumentation().downcast_mut()
    }

    /// A broken transaction manager has no depth, and nothing can be registered on it either.
    fn install<C: RawConnection>(conn: &mut C, inner: Option<Box<dyn Instrumentation>>) {
        let depth = depth(conn).unwrap_or_default();
        let system = conn.system();
        let settings = conn.session().settings();
        conn.set_instrumentation(State {
            inner,
            // What happened in an open transaction so far, nobody heard.
            health: match depth {
                0 => Health::Good,
                _ => Health::Suspect,
            },
            unread: false,
            watch: Watch::Off,
            doomed: false,
            shapes: Vec::new(),
            unique: Vec::new(),
            claims: Claims::default(),
            contexts: Vec::new(),
            chain: Chain::default(),
            scoped: Scoped::default(),
            queue: Shared::new(Queue::at_depth(depth)),
            registered: Mark::default(),
            hearing: Hearing::Nothing,
            system,
            settings,
        });
    }

    pub(super) fn queue(&self) -> &Shared {
        &self.queue
    }

    /// Where the queue ends now, before a savepoint that Diesel does not know.
    pub(super) fn mark<C: RawConnection>(conn: &mut C) -> Mark {
        State::installed(conn).map_or_else(Mark::default, |state| state.registered)
    }

    /// After such a savepoint was rolled back, or could not be released.
    pub(super) fn rolled_back_to<C: RawConnection>(conn: &mut C, mark: Mark) {
        if let Some(state) = State::installed(conn) {
            let due = state.queue.lock().roll_back_to(mark);
            due.run();
        }
    }

    /// Makes a value the innermost of its type, for as long as the closure holds its token.
    pub(super) fn enter(&mut self, value: Arc<dyn Any + Send + Sync>, closure: &Closure) {
        self.contexts.push((Arc::downgrade(closure), value));
    }

    /// Forgets the scopes that are over.
    pub(super) fn leave(&mut self) {
        self.contexts
            .retain(|(closure, _)| closure.strong_count() > 0);
        self.scoped.prune();
    }

    pub(super) fn context<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let open = self.contexts.iter().rev();
        let mut open = open.filter(|(closure, _)| closure.strong_count() > 0);
        let (_, innermost) = open.find(|(_, it)| (**it).is::<T>())?;
        Arc::clone(innermost).downcast().ok()
    }

    /// What is known of the table of the model with this number.
    #[inline]
    pub(crate) fn shape(&self, model: usize) -> Option<Shape> {
        self.shapes.get(model).copied().flatten()
    }

    pub(crate) fn remember_shape(&mut self, model: usize, shape: Option<Shape>) {
        remember(&mut self.shapes, model, shape);
    }

    /// Whether the schema keeps a row from having two dependents by the relation with this number.
    #[inline]
    pub(crate) fn is_unique(&self, relation: usize) -> Option<bool> {
        self.unique.get(relation).copied().flatten()
    }

    pub(crate) fn remember_unique(&mut self, relation: usize, unique: bool) {
        remember(&mut self.unique, relation, Some(unique));
    }
}

fn remember<T: Copy>(all: &mut Vec<Option<T>>, number: usize, value: Option<T>) {
    if all.len() <= number {
        all.resize(number + 1, None);
    }
    all[number] = value;
}

/// The application's instrumentation may panic. Before a statement is sent that must not leave us waiting
/// for its outcome, and after a COMMIT it must not cost the callbacks.
impl Instrumentation for State {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        let step = match &event {
            InstrumentationEvent::StartQuery { query, .. } => {
                self.sent();
                if self.watch != Watch::Off {
                    self.watch = self.watch.sent(query);
                }
                return self.tell(event);
            }
            InstrumentationEvent::FinishQuery { query, error, .. } => {
                return match (self.hearing, *error) {
                    (Hearing::Sent(step), error) => self.finished(step, error, event),
                    (_, Some(error)) => {
                        self.failed(error);
                        self.tell(event);
                    }
                    _ => {
                        if self.doomed {
                            self.answered(*query);
                        }
                        self.tell(event);
                    }
                };
            }
            InstrumentationEvent::BeginTransaction { depth, .. } => Step::Begin(depth.get()),
            InstrumentationEvent::CommitTransaction { depth, .. } => Step::Commit(depth.get()),
            InstrumentationEvent::RollbackTransaction { .. }
                if matches!(self.hearing, Hearing::CommitFailed) =>
            {
                Step::UndoCommit
            }
            InstrumentationEvent::RollbackTransaction { depth, .. } => Step::RollBack(depth.get()),
            _ => return self.tell(event),
        };
        self.tell(event);
        if step == Step::Begin(1) {
            self.health = Health::Good;
        }
        self.hearing = Hearing::Announced(step);
    }
}

impl State {
    #[inline]
    fn tell(&mut self, event: InstrumentationEvent<'_>) {
        if let Some(inner) = &mut self.inner {
            inner.on_connection_event(event);
        }
    }

    #[inline]
    fn sent(&mut self) {
        match self.hearing {
            Hearing::Nothing => {}
            Hearing::Announced(step) => self.hearing = Hearing::Sent(step),
            // Its outcome was never heard.
            Hearing::Sent(_) => self.hearing = Hearing::Nothing,
            Hearing::CommitFailed => {
                self.hearing = Hearing::Nothing;
                let due = self.queue.lock().roll_back(1);
                due.run();
            }
        }
    }

    fn finished(
        &mut self,
        step: Step,
        error: Option<&DieselError>,
        event: InstrumentationEvent<'_>,
    ) {
        self.hearing = match (step, error) {
            (Step::Commit(1), Some(_)) => Hearing::CommitFailed,
            _ => Hearing::Nothing,
        };
        self.doomed &= error.is_some();
        let due = match step {
            Step::Commit(1) if self.health == Health::Lost => self.queue.lock().roll_back(1),
            _ => self.queue.lock().finish(step, error),
        };
        if let (Step::Commit(1), None) | (Step::RollBack(1) | Step::UndoCommit, _) = (step, error) {
            self.health = Health::Good;
        }
        if let Some(error) = error {
            self.failed(error);
        }
        if due.is_empty() {
            return self.tell(event);
        }
        let told = catch_unwind(AssertUnwindSafe(|| self.tell(event)));
        due.run();
        if let Err(panic) = told {
            resume_unwind(panic);
        }
    }

    /// A savepoint that Diesel does not know is one of ours, or of the application's own.
    #[cold]
    fn answered(&mut self, query: &dyn Display) {
        if goes_back(query) {
            self.doomed = false;
            self.queue.lock().gone_back();
        }
    }

    /// The transaction is gone, with what waits for its COMMIT.
    pub(super) fn lose(&mut self) {
        self.health = Health::Lost;
        let due = self.queue.lock().failed(ErrorEffect::Transaction);
        due.run();
    }

    #[cold]
    fn failed(&mut self, error: &DieselError) {
        if self.health == Health::Good {
            self.health = Health::Suspect;
        }
        let timeouts_end = self.settings.lock_timeout_ends_transaction;
        let effect = match timeouts_end && is_lock_timeout_of_mysql(error) {
            true => ErrorEffect::Transaction,
            false => self.system.effect_of_error(error),
        };
        if effect == ErrorEffect::Transaction {
            self.watch = self.watch.ended();
        }
        if effect != ErrorEffect::Statement {
            let due = {
                let mut queue = self.queue.lock();
                let due = queue.failed(effect);
                self.doomed = queue.is_doomed();
                due
            };
            due.run();
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let abandoned = self.queue.lock().abandon();
        report_waiting(&abandoned, |waiting| FailureReason::NeverRan { waiting });
    }
}

/// A fresh instance of what the connection carries, if that is nothing or the application's default.
fn adopt(current: &mut dyn Instrumentation) -> Result<Option<Box<dyn Instrumentation>>> {
    let current = type_of(current);
    if current == no_instrumentation() {
        return Ok(None);
    }
    get_default_instrumentation()
        .filter(|default| type_of(&**default) == current)
        .map(Some)
        .ok_or(Error::Instrumentation)
}
