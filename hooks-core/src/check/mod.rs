//! What was declared, compared with the database.
//!
//! [`check()`] reads the catalog and nothing else: it writes nothing and runs no receiver.

mod finding;
mod mend;
mod relation;

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;

use crate::backend::System;
use crate::backend::catalog::{TableFacts, TableNames};
use crate::connection::{HookConnection, RawConnection};
use crate::error::Result;
use crate::registry::{ModelEntry, registry};

pub use self::finding::{Finding, Refers, Severity};
pub use crate::backend::catalog::SchemaAction;

/// Compares the models and relations that are stored on this type of connection with the database, and adds
/// what [`Registry::findings`](crate::registry::Registry::findings) finds without one.
///
/// The promises about relations hold only where the schema has their foreign keys, and nobody but the database
/// can tell that. A test that migrates a database and asserts that there is nothing to find keeps the two
/// together; so does the first line of a program.
///
/// ```standalone_crate
/// use diesel::connection::SimpleConnection;
/// use diesel::prelude::*;
/// use diesel_hooks::check::Finding;
/// use diesel_hooks::prelude::*;
///
/// diesel::table! { owners (id) { id -> Integer, name -> Text } }
/// diesel::table! { pets (id) { id -> Integer, owner_id -> Integer } }
///
/// #[derive(Clone, Queryable, Hooks)]
/// struct Owner { id: i32, name: String }
///
/// #[derive(Clone, Queryable, Hooks)]
/// struct Pet {
///     id: i32,
///     #[hooks(one_to_one(Owner, on_delete = Cascade))]
///     owner_id: i32,
/// }
///
/// # fn main() -> diesel_hooks::Result {
/// let conn = &mut SqliteConnection::establish(":memory:").expect("SQLite is embedded");
/// conn.batch_execute(
///     "PRAGMA foreign_keys = ON;
///     CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
///     CREATE TABLE pets (id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL REFERENCES owners);",
/// )?;
///
/// let findings = diesel_hooks::check(conn)?;
/// let [finding] = &findings[..] else { panic!("{findings}") };
/// assert!(matches!(finding, Finding::UniqueMissing { .. }));
/// assert_eq!(finding.mend(), "CREATE UNIQUE INDEX \"pets_owner_id_key\" ON \"pets\" (\"owner_id\");");
///
/// conn.batch_execute(&finding.mend())?;
/// assert!(diesel_hooks::check(conn)?.is_empty());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the catalog cannot be read.
pub fn check<C: HookConnection>(conn: &mut C) -> Result<Findings> {
    let conn = conn.raw_connection();
    let schema = Schema::read(conn)?;
    let mut findings: Vec<_> = registry()
        .findings()
        .into_iter()
        .map(Finding::Registry)
        .collect();
    if !conn.session().enforces_foreign_keys()? {
        findings.push(match schema.system {
            System::Mysql => Finding::ForeignKeyChecksOff,
            System::Sqlite | System::Postgres => Finding::ForeignKeysOff,
        });
    }
    for model in &schema.models {
        findings.extend(missing(model, &schema));
        findings.extend(relation::compare::<C::Raw>(model, &schema));
    }
    findings.sort_by_cached_key(|it| (it.severity(), it.to_string()));
    findings.dedup();
    Ok(Findings(findings))
}

/// What [`check()`] found, the worst first; a slice of [`Finding`]s, whose `Display` has one on each line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl std::ops::Deref for Findings {
    type Target = [Finding];

    fn deref(&self) -> &[Finding] {
        &self.0
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.0 {
            writeln!(f, "{}: {finding}", finding.severity())?;
            writeln!(f, "    {}", finding.mend())?;
        }
        Ok(())
    }
}

/// The models that are stored on a connection, and their tables as they are.
struct Schema {
    system: System,
    models: Vec<Stored>,
    tables: HashMap<Vec<String>, TableFacts>,
}

/// A model that is stored on the connection.
struct Stored {
    entry: &'static ModelEntry,
    names: TableNames,
}

impl Schema {
    fn read<C: RawConnection>(conn: &mut C) -> Result<Self> {
        let mut models = Vec::new();
        let mut tables = HashMap::new();
        for entry in inventory::iter::<ModelEntry> {
            let Some(names) = entry.names(conn) else {
                continue;
            };
            let names = names?;
            if let Some(facts) = conn.session().describe(&names.path)? {
                tables.insert(names.path.clone(), facts);
            }
            models.push(Stored { entry, names });
        }
        Ok(Schema {
            system: conn.system(),
            models,
            tables,
        })
    }

    fn facts(&self, model: &Stored) -> Option<&TableFacts> {
        self.tables.get(&model.names.path)
    }

    /// The models over a table.
    fn over(&self, table: TypeId) -> Option<&Stored> {
        self.models.iter().find(|it| it.entry.table() == table)
    }
}

/// What the model has and the database has not.
fn missing(model: &Stored, schema: &Schema) -> Vec<Finding> {
    let info = model.entry.info();
    let table = model.names.path.clone();
    let Some(facts) = schema.facts(model) else {
        return vec![Finding::TableMissing { model: info, table }];
    };
    let columns = model.names.columns.iter();
    let missing = columns.filter(|column| !facts.has_column(column));
    missing
        .map(|column| Finding::ColumnMissing {
            model: info,
            table: table.clone(),
            column: column.clone(),
            system: schema.system,
        })
        .collect()
}
