use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::marker::PhantomData;

use crate::error::{RegistryError, Result};
use crate::model::Row;

/// A value for each of some rows.
///
/// A row is known by its table and key: every struct over a table sees the same ones.
pub(crate) struct ByKey<V> {
    tables: HashMap<TypeId, Table>,
    values: PhantomData<V>,
}

struct Table {
    /// The struct through which a row of it was seen first.
    model: &'static str,
    values: Box<dyn Values>,
}

/// A map from the keys of one table, with their type forgotten.
trait Values: Any + Send {
    fn absorb(&mut self, other: Box<dyn Values>);
}

impl<K, V> Values for HashMap<K, V>
where
    K: Eq + std::hash::Hash + Send + 'static,
    V: Send + 'static,
{
    fn absorb(&mut self, other: Box<dyn Values>) {
        let other: Box<dyn Any> = other;
        if let Ok(other) = other.downcast::<Self>() {
            self.extend(*other);
        }
    }
}

impl<V> Default for ByKey<V> {
    fn default() -> Self {
        ByKey {
            tables: HashMap::new(),
            values: PhantomData,
        }
    }
}

impl<V: Send + 'static> ByKey<V> {
    pub(super) fn has_table(&self, table: TypeId) -> bool {
        self.tables.contains_key(&table)
    }

    pub(super) fn get<M: Row>(&self, key: &M::Pk) -> Option<&V> {
        let table = self.tables.get(&TypeId::of::<M::Table>())?;
        let values: &dyn Any = &*table.values;
        values.downcast_ref::<HashMap<M::Pk, V>>()?.get(key)
    }

    /// The values of the table of `M`.
    ///
    /// # Errors
    ///
    /// If another struct over the table has keys of another type, which cannot be compared.
    pub(super) fn of<M: Row>(&mut self) -> Result<&mut HashMap<M::Pk, V>> {
        let table = self
            .tables
            .entry(TypeId::of::<M::Table>())
            .or_insert_with(|| Table {
                model: M::INFO.name,
                values: Box::new(HashMap::<M::Pk, V>::new()),
            });
        let first = table.model;
        let values: &mut dyn Any = &mut *table.values;
        values.downcast_mut().ok_or_else(|| {
            RegistryError::KeysOfTable {
                first,
                second: M::INFO.name,
            }
            .into()
        })
    }

    pub(super) fn absorb(&mut self, other: Self) {
        for (id, table) in other.tables {
            match self.tables.get_mut(&id) {
                Some(mine) => mine.values.absorb(table.values),
                None => drop(self.tables.insert(id, table)),
            }
        }
    }
}
