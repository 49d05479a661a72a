use diesel::Column;

use super::{Batched, Changeable, ColumnSet, Signal};
use crate::__private::Row;
use crate::error::Key;
use crate::model::Model;

/// Sent before a row is inserted or updated.
///
/// A receiver that takes `&mut PreSave<M>` may change what is about to be written; to exchange one
/// variant for the other is [`Error::SignalReplaced`](crate::Error::SignalReplaced).
///
/// ```
/// # use diesel::prelude::*;
/// # use diesel_hooks::prelude::*;
/// # diesel::table! { members (id) { id -> Integer, email -> Text } }
/// # #[derive(Clone, Queryable, Hooks)]
/// # struct Member { id: i32, email: String }
/// #[receiver]
/// fn normalise(event: &mut PreSave<Member>) {
///     let email = match event {
///         PreSave::Create(event) => &mut event.new.email,
///         PreSave::Update(event) => &mut event.instance.email,
///     };
///     *email = email.trim().to_lowercase();
/// }
/// ```
pub enum PreSave<M: Model> {
    /// The row is about to be inserted.
    Create(PreCreate<M>),
    /// The row is about to be updated.
    Update(PreUpdate<M>),
}

/// Sent before a row is inserted, after [`PreSave`].
#[non_exhaustive]
pub struct PreCreate<M: Model> {
    /// What is about to be inserted.
    pub new: M::New,
}

/// Sent before a row is updated, after [`PreSave`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PreUpdate<M> {
    /// The row as it is about to be written. Its key must stay.
    pub instance: M,
}

/// Sent after a row was inserted and its dependents were created, before [`PostSave`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PostCreate<M: ?Sized> {
    /// The row as the database has it.
    pub instance: M,
}

/// Sent after a row was updated, before [`PostSave`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PostUpdate<M: ?Sized> {
    pub(crate) columns: ColumnSet,
    /// The row as it was written.
    pub instance: M,
}

/// Sent after a row was inserted or updated.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PostSave<M: ?Sized> {
    /// Whether the row was inserted.
    pub created: bool,
    pub(crate) columns: ColumnSet,
    /// The row as the database has it.
    pub instance: M,
}

impl<M: Row> PostUpdate<M> {
    /// Whether this column was written with another value.
    ///
    /// `save` writes every column without a look at the old row, so there each counts as changed.
    pub fn changed<C: Column<Table = M::Table>>(&self, _column: C) -> bool {
        changed::<M, C>(self.columns)
    }
}

impl<M: Row> PostSave<M> {
    /// Whether this column was written with another value; of a created row, every column was.
    ///
    /// `save` writes every column without a look at the old row, so there each counts as changed.
    pub fn changed<C: Column<Table = M::Table>>(&self, _column: C) -> bool {
        self.created || changed::<M, C>(self.columns)
    }
}

fn changed<M: Row, C: Column>(columns: ColumnSet) -> bool {
    let written = |(index, name): (usize, &&str)| *name == C::NAME && columns.has(index);
    // The columns inside an embedded struct have no names here: they change together.
    let embedded = |(index, name): (usize, &&str)| name.is_empty() && columns.has(index);
    match M::COLUMNS.contains(&C::NAME) {
        true => M::COLUMNS.iter().enumerate().any(written),
        false => M::COLUMNS.iter().enumerate().any(embedded),
    }
}

impl<M: Row> Signal for PreSave<M> {
    type Model = M;
    const NAME: &'static str = "PreSave";

    fn key(&self) -> Option<Key> {
        match self {
            PreSave::Create(event) => event.key(),
            PreSave::Update(event) => event.key(),
        }
    }
}

impl<M: Row> Signal for PreCreate<M> {
    type Model = M;
    const NAME: &'static str = "PreCreate";

    fn key(&self) -> Option<Key> {
        None
    }
}

macro_rules! with_instance {
    ($($signal:ident),*) => {$(
        impl<M: Row> Signal for $signal<M> {
            type Model = M;
            const NAME: &'static str = stringify!($signal);

            fn key(&self) -> Option<Key> {
                Some(self.instance.key())
            }
        }
    )*};
}

with_instance!(PreUpdate, PostCreate, PostUpdate, PostSave);

impl<M: Row> Changeable for PreSave<M> {}
impl<M: Row> Changeable for PreCreate<M> {}
impl<M: Row> Changeable for PreUpdate<M> {}

impl<M: Row> Batched for PostCreate<M> {}
impl<M: Row> Batched for PostUpdate<M> {}
impl<M: Row> Batched for PostSave<M> {}
