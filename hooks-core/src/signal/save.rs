use std::sync::Arc;
use std::time::SystemTime;

use diesel::Column;

use super::{AnyModel, Changeable, Changes, Signal};
use crate::error::Key;
use crate::model::{Model, Row};

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
    /// Whether fixtures are loaded.
    pub raw: bool,
    pub(crate) stamp: Option<SystemTime>,
    /// What is about to be inserted.
    pub new: M::New,
}

/// Sent before a row is updated, after [`PreSave`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PreUpdate<M> {
    /// Whether fixtures are loaded.
    pub raw: bool,
    pub(crate) before: Option<Arc<dyn AnyModel>>,
    /// The row as it is about to be written. Its key must stay.
    pub instance: M,
}

/// Sent after a row was inserted and its dependents were created, before [`PostSave`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PostCreate<M: ?Sized> {
    /// Whether fixtures are loaded.
    pub raw: bool,
    /// The row as the database has it.
    pub instance: M,
}

/// Sent after a row was updated, before [`PostSave`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PostUpdate<M: ?Sized> {
    /// Whether fixtures are loaded.
    pub raw: bool,
    pub(crate) changes: Changes,
    pub(crate) before: Option<Arc<dyn AnyModel>>,
    /// The row as it was written.
    pub instance: M,
}

/// Sent after a row was inserted or updated.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PostSave<M: ?Sized> {
    /// Whether the row was inserted.
    pub created: bool,
    /// Whether fixtures are loaded.
    pub raw: bool,
    pub(crate) changes: Changes,
    /// The row as it was written. After `create` and `update_set` it has been read back, with what the
    /// database computed.
    pub instance: M,
}

impl<M: Row> PreUpdate<M> {
    /// Whether this column is about to be written with another value, which a receiver before this one may
    /// have set.
    pub fn changed<C: Column<Table = M::Table>>(&self, _column: C) -> bool {
        self.changes().has::<C>()
    }

    /// The names of the columns that are about to be written with another value.
    pub fn changed_columns(&self) -> impl Iterator<Item = &'static str> {
        self.changes().names()
    }

    /// The row as it was: the instance that is being updated or, for `save`, the row as the database had it,
    /// which is read for receivers of an update's own signals and those with `changed(..)`.
    pub fn before(&self) -> Option<&M> {
        self.before.as_deref()?.downcast_ref()
    }

    fn changes(&self) -> Changes {
        match self.before() {
            Some(before) => Changes::of::<M>(self.instance.differing(before)),
            None => Changes::all::<M>(),
        }
    }
}

impl<M: ?Sized> PostUpdate<M> {
    /// The names of the columns that were written with another value; those inside an embedded struct have
    /// none.
    ///
    /// `save` writes every column. It knows what changed if the model has a receiver of an update's own
    /// signals or one with `changed(..)`; otherwise each column counts as changed.
    pub fn changed_columns(&self) -> impl Iterator<Item = &'static str> {
        self.changes.names()
    }

    /// The row as it was, whatever its model.
    pub fn before_any(&self) -> Option<&dyn AnyModel> {
        self.before.as_deref()
    }
}

impl<M: Row> PostUpdate<M> {
    /// Whether this column was written with another value; see
    /// [`changed_columns`](Self::changed_columns).
    pub fn changed<C: Column<Table = M::Table>>(&self, _column: C) -> bool {
        self.changes.has::<C>()
    }

    /// The row as it was: as the database had it for `save`, else the instance that was updated.
    pub fn before(&self) -> Option<&M> {
        self.before.as_deref()?.downcast_ref()
    }
}

impl<M: ?Sized> PostSave<M> {
    /// The names of the columns that were written with another value; see
    /// [`PostUpdate::changed_columns`]. Of a created row, those that an update may write.
    pub fn changed_columns(&self) -> impl Iterator<Item = &'static str> {
        self.changes.names()
    }
}

impl<M: Row> PostSave<M> {
    /// Whether this column was written with another value; of a created row, every column was.
    pub fn changed<C: Column<Table = M::Table>>(&self, _column: C) -> bool {
        self.created || self.changes.has::<C>()
    }
}

impl<M: Row> Signal for PreSave<M> {
    const NAME: &'static str = "PreSave";

    fn sender() -> Option<&'static str> {
        Some(M::INFO.name)
    }

    fn key(&self) -> Option<Key> {
        match self {
            PreSave::Create(_) => None,
            PreSave::Update(event) => event.key(),
        }
    }
}

impl<M: Row> Signal for PreCreate<M> {
    const NAME: &'static str = "PreCreate";

    fn sender() -> Option<&'static str> {
        Some(M::INFO.name)
    }
}

impl<M: Row> Signal for PreUpdate<M> {
    const NAME: &'static str = "PreUpdate";

    fn sender() -> Option<&'static str> {
        Some(M::INFO.name)
    }

    fn key(&self) -> Option<Key> {
        Some(self.instance.key())
    }
}

impl<M: Row> Changeable for PreSave<M> {}
impl<M: Row> Changeable for PreCreate<M> {}
impl<M: Row> Changeable for PreUpdate<M> {}
