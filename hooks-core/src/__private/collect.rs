use std::any::Any;

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::QueryFragment;
use diesel::sql_types::TypeMetadata;

use crate::backend::{Dialect, System};
use crate::diesel_internals;

/// Collects the values of a statement for MySQL behind an enum of connections: there no type has to be looked up.
pub fn collect_values<'b, DB>(
    backend: &'b DB,
    statement: &'b dyn QueryFragment<DB>,
    values: &mut <DB as Backend>::BindCollector<'b>,
) -> QueryResult<()>
where
    DB: Dialect + TypeMetadata<MetadataLookup = dyn Any>,
{
    match backend.system() {
        System::Mysql => diesel_internals::collect_values(backend, statement, values, &mut ()),
        System::Sqlite | System::Postgres => Ok(()),
    }
}
