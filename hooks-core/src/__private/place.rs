use std::marker::PhantomData;
use std::sync::OnceLock;

#[cfg(feature = "sqlite")]
use diesel::sqlite::SqliteConnection;

use crate::error::{RegistryError, Result};
use crate::lifecycle::ModelHooks;
use crate::model::Row;

/// Where a model keeps what [`ModelHooks::collect`] found on connections of type `C`.
pub struct Place<M: Row, C>(OnceLock<Result<ModelHooks<M, C>, RegistryError>>);

impl<M: Row, C: 'static> Place<M, C> {
    #[expect(
        clippy::new_without_default,
        reason = "only the derive's output makes one"
    )]
    pub const fn new() -> Self {
        Place(OnceLock::new())
    }

    /// Fills the place on first use.
    #[inline]
    pub(crate) fn hooks(&'static self) -> Result<&'static ModelHooks<M, C>> {
        match self.0.get() {
            Some(Ok(hooks)) => Ok(hooks),
            _ => self.first_use(),
        }
    }

    #[cold]
    fn first_use(&'static self) -> Result<&'static ModelHooks<M, C>> {
        let hooks = self.0.get_or_init(ModelHooks::collect).as_ref();
        hooks.map_err(|error| error.clone().into())
    }
}

/// A place for each backend that is on: Cargo adds features up, so what is on is known here and not where
/// the derive runs.
pub struct Places<M: Row> {
    #[cfg(feature = "sqlite")]
    sqlite: Place<M, SqliteConnection>,
    model: PhantomData<M>,
}

impl<M: Row> Places<M> {
    #[expect(
        clippy::new_without_default,
        reason = "only the derive's output makes one"
    )]
    pub const fn new() -> Self {
        Places {
            #[cfg(feature = "sqlite")]
            sqlite: Place::new(),
            model: PhantomData,
        }
    }
}

/// The connection of a backend that is on.
pub trait BuiltIn: Sized + 'static {
    fn place<M: Row>(places: &Places<M>) -> &Place<M, Self>;
}

#[cfg(feature = "sqlite")]
impl BuiltIn for SqliteConnection {
    #[inline]
    fn place<M: Row>(places: &Places<M>) -> &Place<M, Self> {
        &places.sqlite
    }
}
