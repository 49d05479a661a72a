//! What was compiled in.

mod findings;
mod names;
mod stored;
mod table;

use std::any::{Any, TypeId};

use crate::error::{RegistryError, Result};
use crate::model::{ModelInfo, Row};
use crate::receiver::{Receiver, SentAs, sent};
use crate::relation::{self, Entries, RelationEntry, RelationInfo};

pub use self::findings::{Demand, Finding};
pub(crate) use self::names::short;
#[doc(hidden)]
pub use self::stored::{Names, StoredAs};

/// A model as the derive registers it.
#[doc(hidden)]
pub struct ModelEntry {
    info: ModelInfo,
    table: fn() -> TypeId,
    relations: Entries,
    /// What it is called on the connection type with this id, if it is stored there.
    names: fn(&dyn Any) -> StoredAs,
    /// What it sends, and as what.
    sends: fn() -> Vec<SentAs>,
    /// What its declarations contradict each other in, on all connections alike.
    check: fn() -> Result<(), RegistryError>,
}

inventory::collect!(ModelEntry);

impl ModelEntry {
    pub const fn of<M: Row>(names: fn(&dyn Any) -> StoredAs) -> Self {
        ModelEntry {
            info: M::INFO,
            table: TypeId::of::<M::Table>,
            names,
            relations: M::RELATIONS,
            sends: sent::<M>,
            check: check::<M>,
        }
    }

    pub(crate) fn info(&self) -> ModelInfo {
        self.info
    }

    pub(crate) fn table(&self) -> TypeId {
        (self.table)()
    }

    pub(crate) fn relations(&self) -> Entries {
        self.relations
    }

    pub(crate) fn sends(&self) -> Vec<SentAs> {
        (self.sends)()
    }

    pub(crate) fn names(&self, connection: &dyn Any) -> StoredAs {
        (self.names)(connection)
    }
}

/// An error if the model cannot be used on any connection.
pub(crate) fn check<M: Row>() -> Result<(), RegistryError> {
    M::check_embedded()?;
    relation::auto_create_ends::<M>()
}

/// The relations that are linked into this program.
pub(crate) fn relations() -> impl Iterator<Item = &'static RelationEntry> {
    inventory::iter::<ModelEntry>
        .into_iter()
        .flat_map(|entry| entry.relations)
}

/// The models, relations and receivers that are linked into this program.
///
/// Its `Display` is a table of all of them with their places, the receivers of a signal in the order in
/// which they run; the same text in every build. Reading it runs no receiver.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Registry;

/// The models, relations and receivers that are linked into this program.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_hooks::prelude::*;
///
/// diesel::table! {
///     meters (id) { id -> Integer, unit -> Text }
/// }
///
/// #[derive(Clone, Queryable, Hooks)]
/// struct Meter {
///     id: i32,
///     unit: String,
/// }
///
/// #[receiver(dispatch_uid = "meters.calibrate")]
/// fn calibrate(_event: &PostCreate<Meter>) {}
///
/// let registry = diesel_hooks::registry();
/// assert!(registry.models().any(|model| model.name == "Meter" && model.table == "meters"));
/// registry.assert_receivers(["meters.calibrate"]).expect("linked");
/// assert!(registry.assert_receivers(["billing.invoice"]).is_err());
/// assert!(registry.to_string().contains("PostCreate<Meter>"));
/// ```
pub fn registry() -> Registry {
    Registry
}

impl Registry {
    /// The structs with `#[derive(Hooks)]`, in no particular order.
    pub fn models(self) -> impl Iterator<Item = ModelInfo> {
        inventory::iter::<ModelEntry>
            .into_iter()
            .map(|entry| entry.info)
    }

    /// The relations between them, in no particular order.
    pub fn relations(self) -> impl Iterator<Item = RelationInfo> {
        relations().map(|entry| (entry.info)())
    }

    /// The functions with `#[receiver]`, in no particular order.
    pub fn receivers(self) -> impl Iterator<Item = &'static Receiver> {
        inventory::iter::<Receiver>.into_iter()
    }

    /// Fails if a receiver with one of these `dispatch_uid`s is missing.
    ///
    /// A crate that nothing names is dropped by the linker, with its receivers: a test or the first line of
    /// `main` that calls this makes that loud.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Missing`] with every one that is missing.
    pub fn assert_receivers<'a>(self, uids: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let linked = |uid: &str| self.receivers().any(|receiver| receiver.uid == uid);
        let missing: Vec<_> = uids
            .into_iter()
            .filter(|uid| !linked(uid))
            .map(String::from)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(RegistryError::Missing { uids: missing }.into())
    }
}
