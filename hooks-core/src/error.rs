//! What can go wrong, and what it says about where.

use std::error::Error as StdError;
use std::fmt;

use diesel::result::Error as DieselError;

pub(crate) use self::blocked::list;
pub use self::blocked::{Blocked, Blocker};
use self::causes::{causes, is_conflict};
pub(crate) use self::causes::{ends_transaction_of_mysql, is_lock_timeout_of_mysql};
pub use self::key::Key;
pub use self::registry::RegistryError;

mod blocked;
mod causes;
mod key;
mod registry;
mod unshown;

/// The result of an operation of this library.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// What a receiver returned.
pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// An operation that did not happen.
///
/// Unless a variant says otherwise, the database is as it was before the operation. Messages name
/// models, receivers and places, never the value of a column; keys are shown if they are integers or
/// UUIDs (see [`Key`]).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Diesel or the database refused a statement.
    #[error("{}{source}", context(.model, .operation))]
    Query {
        /// The model that the statement was for, if one is known.
        model: Option<&'static str>,
        /// What was being done to it.
        operation: Option<Operation>,
        /// The error as Diesel reports it.
        source: DieselError,
    },
    /// There is no row with this key, or none that belongs to the row with this key.
    #[error("there is no {model} {} {key}", related(.related_to))]
    NotFound {
        /// The model that was looked for.
        model: &'static str,
        /// The key that was looked for, or that of the row at the other end of the relation.
        key: Key,
        /// The model at the other end, if a relation was followed.
        related_to: Option<&'static str>,
    },
    /// More than one row fulfils the condition of `get_or_create` or `update_or_create`, which is for one.
    #[error("more than one {model} fulfils the condition, which has to find one at most")]
    SeveralRows {
        /// The model that was looked for.
        model: &'static str,
    },
    /// Rows of a relation with `on_delete = Protect` block the delete.
    #[error(transparent)]
    Protected(Box<Blocked>),
    /// Rows of a relation with `on_delete = Restrict` block the delete, which does not take them by another
    /// relation.
    #[error(transparent)]
    Restricted(Box<Blocked>),
    /// Rows that are to be deleted refer to each other in a circle, and none of the relations in it can be
    /// NULL, so that no row can go first. Rows of one table go by one statement instead, unless they are more
    /// than one can name.
    #[error(
        "rows to be deleted refer to each other in a circle, through {}, and none of these can be NULL; make one of them an Option, or delete in another order by hand",
        .relations.join(", ")
    )]
    Cycle {
        /// The relations on the circle, as `Child.field`.
        relations: Vec<String>,
    },
    /// A delete would take more rows than it may.
    #[error("the delete would take more than {max_rows} rows, the first too many a {model}")]
    TooManyRows {
        /// The model of the first row beyond.
        model: &'static str,
        /// How many it may take.
        max_rows: usize,
    },
    /// The function of a relation with `on_delete = Set(..)` returned an error.
    #[error("the function that {relation} is set by failed: {source}")]
    Set {
        /// The relation, as `Child.field`.
        relation: String,
        /// What it returned.
        source: BoxError,
    },
    /// A receiver returned an error, which stopped the operation.
    #[error(transparent)]
    Receiver(Box<ReceiverError>),
    /// A receiver exchanged the `PreSave` that it was given for one of the other kind.
    #[error(
        "a receiver of PreSave<{model}> turned a {was} into its opposite; change its fields instead"
    )]
    SignalReplaced {
        /// The model being saved.
        model: &'static str,
        /// What the signal announced.
        was: Operation,
    },
    /// A closure, a changeset or a receiver changed the key of a row that is being updated.
    #[error("the key of {model} {key} cannot be changed by an update; create a new row instead")]
    KeyChanged {
        /// The model being updated.
        model: &'static str,
        /// The key that the row has in the database.
        key: Key,
    },
    /// A statement touched another number of rows than it had to.
    #[error(
        "{operation} of {model} touched {actual} rows instead of {expected}; a trigger or a rule of the table may keep them"
    )]
    RowCount {
        /// The model that the statement was for.
        model: &'static str,
        /// What was being done.
        operation: Operation,
        /// How many rows it had to touch.
        expected: usize,
        /// How many it touched.
        actual: usize,
    },
    /// A row that refers to one being deleted appeared after the delete looked for such rows: a receiver
    /// or somebody else created it. Deleting again finds it.
    #[error(
        "a {model} that refers by {relation} to a row being deleted appeared during the delete; try again"
    )]
    ChildAppeared {
        /// The model of the row that appeared.
        model: &'static str,
        /// The relation, as `Child.field`.
        relation: String,
    },
    /// A row that was to come into being with another was there already: a receiver that ran before made it,
    /// or a trigger. Let one of the two make it.
    #[error(
        "{parent} {key} has a {model} already, which auto_create of {relation} was to make; a receiver or a trigger made it before"
    )]
    DependentExists {
        /// The model of the dependent.
        model: &'static str,
        /// The relation, as `Child.field`.
        relation: String,
        /// The model of the row that it depends on.
        parent: &'static str,
        /// The key of that row.
        key: Key,
    },
    /// The transaction around the operation is no longer the one in which it began, or can no longer be
    /// told from what failed in it: a receiver, a trigger or the database ended it.
    ///
    /// What was written before that is lost, or committed without the rest, as a row that PostgreSQL inserted and Rust
    /// cannot read; on PostgreSQL, where a receiver
    /// swallowed an error, what the operation wrote is lost and nothing else. Otherwise, inside a transaction of the
    /// application every operation says this from here on, until that transaction has ended, which it
    /// can only do by failing: its COMMIT is refused, on SQLite by a foreign key; on MySQL, which refuses none, there
    /// is nothing left to commit. After-commit callbacks that waited do not run.
    #[error("the transaction around this operation was lost{}", because(.source))]
    TransactionLost {
        /// What went wrong before, if anything.
        source: Option<Box<Error>>,
    },
    /// Nobody knows whether the operation was committed: the connection broke, and what commits it was
    /// never answered.
    ///
    /// All of it was committed or nothing. After-commit callbacks do not run, and those for a rollback do
    /// not either; [`set_failure_handler`](crate::set_failure_handler) hears how many there were. The
    /// connection is of no more use, and a pool drops it. Look on another whether the rows are there.
    #[error(
        "the operation may have been committed or not, for its end was never answered: {source}"
    )]
    CommitUnknown {
        /// What the database, or who was to reach it, said instead.
        source: Box<Error>,
    },
    /// [`retry`](crate::retry) runs a whole transaction, and one was open on the connection already. Nothing
    /// was run.
    #[error(
        "retry runs a whole transaction, and one is open on this connection; call it outside of any transaction"
    )]
    RetryInTransaction,
    /// Receivers caused one another without end.
    #[error("receivers call one another without end: {}", .chain.join(" -> "))]
    Recursion {
        /// Each signal with the receiver that heard it, the first cause first.
        chain: Vec<String>,
    },
    /// The connection carries an instrumentation that this library did not install and must not drop, and
    /// the operation needs what the library remembers there.
    #[error(
        "the connection has an instrumentation of its own; set it with diesel_hooks::set_instrumentation(conn, it)"
    )]
    Instrumentation,
    /// What was compiled in contradicts itself.
    #[error("{0}")]
    Registry(#[from] RegistryError),
}

/// What is being done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// An INSERT.
    Create,
    /// An UPDATE.
    Update,
    /// A SELECT.
    Load,
    /// A DELETE.
    Delete,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Load => "load",
            Operation::Delete => "delete",
        })
    }
}

/// A receiver that returned an error.
#[derive(Debug, thiserror::Error)]
#[error("receiver {receiver}{} of {} failed: {source}", at(.file, .line), heard(.signal, .model, .key))]
#[non_exhaustive]
pub struct ReceiverError {
    /// The model whose signal it heard; none for a signal of the application's own.
    pub model: Option<&'static str>,
    /// The key of the row, where it has one already and the receiver hears one row at a time.
    pub key: Option<Key>,
    /// The signal, for example `PostSave`.
    pub signal: &'static str,
    /// The receiver's `dispatch_uid`.
    pub receiver: &'static str,
    /// The file in which it stands; empty for one that was connected at run time.
    pub file: &'static str,
    /// The line of that file.
    pub line: u32,
    /// What it returned.
    pub source: BoxError,
}

impl Error {
    /// The application's own error, if a receiver stopped the operation with one of type `E`.
    ///
    /// Receivers of nested operations are searched too.
    pub fn receiver_error<E: StdError + 'static>(&self) -> Option<&E> {
        causes(self).find_map(|error| error.downcast_ref())
    }

    /// Whether doing the same again may succeed, because only what others did at the same time was in the
    /// way: a deadlock, a transaction that could not be serialized, a lock that was waited for in vain, or
    /// [`Error::ChildAppeared`].
    ///
    /// These are 40001 and 40P01 on PostgreSQL, 1213, 1205 and 1020 on MySQL and MariaDB, and SQLite's
    /// `SQLITE_BUSY` and `SQLITE_LOCKED`. What has to be done again is the whole outermost transaction,
    /// as [`retry`](crate::retry) does it. It is never [`Error::CommitUnknown`], nor anything that it
    /// caused, for that may have been done already.
    ///
    /// It looks for the cause as deep as the errors tell it by [`source`](StdError::source), so it knows what
    /// a receiver passed on with `?`. An error of the application's own has to tell it as well; one that is `transparent`
    /// in thiserror's sense does not, if Diesel's error is in it.
    ///
    /// ```
    /// # use diesel_hooks_core as diesel_hooks;
    /// use diesel::result::{DatabaseErrorKind, Error as DieselError};
    /// use diesel_hooks::Error;
    ///
    /// let refused = |kind, message: &str| {
    ///     Error::from(DieselError::DatabaseError(kind, Box::new(message.to_owned())))
    /// };
    /// assert!(refused(DatabaseErrorKind::SerializationFailure, "could not serialize access").is_retryable());
    /// assert!(refused(DatabaseErrorKind::Unknown, "database is locked").is_retryable());
    /// assert!(!refused(DatabaseErrorKind::UniqueViolation, "duplicate key").is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        let mut retryable = false;
        for error in causes(self) {
            match error.downcast_ref() {
                Some(Error::CommitUnknown { .. }) => return false,
                Some(Error::ChildAppeared { .. }) => retryable = true,
                _ => {}
            }
            retryable |= error.downcast_ref().is_some_and(is_conflict);
        }
        retryable
    }

    /// What a receiver returned, if that is an endless chain: the chain names the receiver already, as often
    /// as it ran.
    pub(crate) fn endless(source: BoxError) -> Result<Self, BoxError> {
        let is_endless = |it: &Error| matches!(it, Error::Recursion { .. });
        if source.downcast_ref().is_some_and(is_endless) {
            return source.downcast().map(|it| *it);
        }
        match source.downcast_ref() {
            Some(DieselError::QueryBuilderError(inner))
                if inner.downcast_ref().is_some_and(is_endless) =>
            {
                source.downcast().map(|it: Box<DieselError>| (*it).into())
            }
            _ => Err(source),
        }
    }

    pub(crate) fn is_transaction_lost(&self) -> bool {
        matches!(self, Error::TransactionLost { .. })
    }

    pub(crate) fn query(
        model: &'static str,
        operation: Operation,
    ) -> impl FnOnce(DieselError) -> Error {
        move |source| match Error::from(source) {
            Error::Query { source, .. } => Error::Query {
                model: Some(model),
                operation: Some(operation),
                source,
            },
            other => other,
        }
    }
}

impl From<DieselError> for Error {
    fn from(source: DieselError) -> Self {
        match source {
            DieselError::QueryBuilderError(inner) => match inner.downcast::<Error>() {
                Ok(ours) => *ours,
                Err(inner) => Error::plain(DieselError::QueryBuilderError(inner)),
            },
            source => Error::plain(source),
        }
    }
}

impl From<Error> for DieselError {
    /// So that `?` works in a `conn.transaction(..)` of Diesel's result, and in receivers.
    ///
    /// A database's error comes back as it was, without the model. Any other, [`Error::NotFound`] among
    /// them, travels inside [`QueryBuilderError`](DieselError::QueryBuilderError) and is itself again after
    /// `?` in a function that returns [`Error`].
    fn from(error: Error) -> Self {
        match error {
            Error::Query { source, .. } => unshown::show(source),
            other => DieselError::QueryBuilderError(Box::new(other)),
        }
    }
}

impl Error {
    fn plain(source: DieselError) -> Self {
        Error::Query {
            model: None,
            operation: None,
            source: unshown::hide(source),
        }
    }
}

fn context(model: &Option<&'static str>, operation: &Option<Operation>) -> String {
    match (model, operation) {
        (Some(model), Some(operation)) => format!("{operation} of {model} failed: "),
        _ => String::new(),
    }
}

fn related(to: &Option<&'static str>) -> String {
    to.map_or_else(|| "with key".into(), |model| format!("for {model}"))
}

fn because(source: &Option<Box<Error>>) -> String {
    source
        .as_ref()
        .map_or_else(String::new, |source| format!(": {source}"))
}

/// Where a receiver stands; one that was connected at run time stands nowhere.
fn at(file: &str, line: &u32) -> String {
    match file {
        "" => String::new(),
        file => format!(" ({file}:{line})"),
    }
}

fn heard(signal: &str, model: &Option<&'static str>, key: &Option<Key>) -> String {
    let mut text = String::from(signal);
    if let Some(model) = model {
        text += &format!("<{model}>");
    }
    if let Some(key) = key {
        text += &format!(" {key}");
    }
    text
}
