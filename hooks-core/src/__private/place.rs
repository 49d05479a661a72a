use std::marker::PhantomData;
use std::sync::OnceLock;

#[cfg(feature = "mysql")]
use diesel::mysql::MysqlConnection;
#[cfg(feature = "postgres")]
use diesel::pg::PgConnection;
#[cfg(feature = "sqlite")]
use diesel::sqlite::SqliteConnection;

use crate::connection::RawConnection;
use crate::error::{Error, RegistryError, Result};
use crate::lifecycle::ModelHooks;
use crate::model::Row;

/// Where a model keeps what [`ModelHooks::collect`] found on connections of type `C`.
pub struct Place<M: Row, C> {
    hooks: OnceLock<ModelHooks<M, C>>,
    /// Beside the hooks and not in one enum with them: whoever sends a signal looks at one word.
    refused: OnceLock<RegistryError>,
}

impl<M: Row, C: RawConnection> Place<M, C> {
    #[expect(
        clippy::new_without_default,
        reason = "only the derive's output makes one"
    )]
    pub const fn new() -> Self {
        Place {
            hooks: OnceLock::new(),
            refused: OnceLock::new(),
        }
    }

    /// Fills the place on first use.
    #[inline]
    pub(crate) fn hooks(&'static self) -> Result<&'static ModelHooks<M, C>> {
        match self.hooks.get() {
            Some(hooks) => Ok(hooks),
            None => self.first_use(),
        }
    }

    #[cold]
    fn first_use(&'static self) -> Result<&'static ModelHooks<M, C>> {
        if let Some(error) = self.refused.get() {
            return Err(error.clone().into());
        }
        match ModelHooks::collect() {
            Ok(hooks) => Ok(self.hooks.get_or_init(|| hooks)),
            Err(error) => Err(refuse(&self.refused, error)),
        }
    }
}

/// Keeps why the model cannot be used.
fn refuse(refused: &OnceLock<RegistryError>, error: RegistryError) -> Error {
    refused.get_or_init(|| error).clone().into()
}

/// A place for each backend that is on: Cargo adds features up, so what is on is known here and not where
/// the derive runs.
pub struct Places<M: Row> {
    #[cfg(feature = "sqlite")]
    sqlite: Place<M, SqliteConnection>,
    #[cfg(feature = "postgres")]
    postgres: Place<M, PgConnection>,
    #[cfg(feature = "mysql")]
    mysql: Place<M, MysqlConnection>,
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
            #[cfg(feature = "postgres")]
            postgres: Place::new(),
            #[cfg(feature = "mysql")]
            mysql: Place::new(),
            model: PhantomData,
        }
    }
}

/// The connection of a backend that is on.
pub trait BuiltIn: RawConnection {
    fn place<M: Row>(places: &Places<M>) -> &Place<M, Self>;
}

macro_rules! built_in {
    ($($feature:literal $conn:ident $place:ident;)*) => {$(
        #[cfg(feature = $feature)]
        impl BuiltIn for $conn {
            #[inline]
            fn place<M: Row>(places: &Places<M>) -> &Place<M, Self> {
                &places.$place
            }
        }
    )*};
}

built_in! {
    "sqlite" SqliteConnection sqlite;
    "postgres" PgConnection postgres;
    "mysql" MysqlConnection mysql;
}

/// A connection whose backend is among those that a model names in `check_for_backend`, a tuple of these.
#[diagnostic::on_unimplemented(
    message = "the model is not for this connection",
    label = "its `check_for_backend` names other backends",
    note = "add the backend to `check_for_backend`, or say `#[hooks(connection(..))]`"
)]
pub trait OneOf<Backends> {}

pub enum OnSqlite {}
pub enum OnPg {}
pub enum OnMysql {}

macro_rules! one_of {
    ($($feature:literal $conn:ident $($backends:ty)*;)*) => {$($(
        #[cfg(feature = $feature)]
        #[diagnostic::do_not_recommend]
        impl OneOf<$backends> for $conn {}
    )*)*};
}

one_of! {
    "sqlite" SqliteConnection (OnSqlite,) (OnSqlite, OnPg) (OnSqlite, OnMysql);
    "postgres" PgConnection (OnPg,) (OnSqlite, OnPg) (OnPg, OnMysql);
    "mysql" MysqlConnection (OnMysql,) (OnSqlite, OnMysql) (OnPg, OnMysql);
}
