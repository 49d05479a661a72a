//! SQL that mends a schema, in the words of its database.

use super::finding::Refers;
use crate::backend::System;
use crate::relation::OnDelete;

/// What it takes to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mending {
    pub(super) system: System,
    /// The name of the foreign key that is there and says something else, if it has one.
    pub(super) replaces: Option<String>,
}

impl System {
    fn list(self, columns: &[String]) -> String {
        let names = columns.iter().map(|it| self.quoted(it));
        names.collect::<Vec<_>>().join(", ")
    }
}

impl Refers {
    /// An index on the columns.
    pub(super) fn index(&self, kind: &str, suffix: &str) -> String {
        let (table, schema) = self.split();
        let index = format!("{table}_{}_{suffix}", self.columns.join("_"));
        let schema = schema.iter().map(String::as_str);
        let spelt = self.mending.system;
        // SQLite finds the table of an index in the index's schema, the others the schema in the table's.
        let (index, table) = match spelt {
            System::Sqlite => (spelt.path(schema.chain([&*index])), spelt.quoted(table)),
            System::Postgres | System::Mysql => {
                (spelt.quoted(&index), spelt.path(schema.chain([table])))
            }
        };
        let columns = spelt.list(&self.columns);
        format!("CREATE {kind} {index} ON {table} ({columns});")
    }

    /// The foreign key that a relation wants.
    pub(super) fn foreign_key(&self, on_delete: OnDelete) -> String {
        let key = self.clause(on_delete);
        if self.mending.system == System::Sqlite {
            return self.rebuild(&key);
        }
        let Mending { system, replaces } = &self.mending;
        let table = system.path(self.table.iter().map(String::as_str));
        let drop = replaces.as_ref().map_or_else(String::new, |name| {
            let kind = match system {
                System::Mysql => "FOREIGN KEY",
                System::Sqlite | System::Postgres => "CONSTRAINT",
            };
            format!(" DROP {kind} {},", system.quoted(name))
        });
        format!("ALTER TABLE {table}{drop} ADD {key};")
    }

    fn clause(&self, on_delete: OnDelete) -> String {
        let action = match on_delete {
            OnDelete::Database => " ON DELETE CASCADE",
            _ => "",
        };
        let spelt = self.mending.system;
        let parent = match spelt {
            // A foreign key stays in its database, and does not name it.
            System::Sqlite => spelt.quoted(&self.parent),
            System::Postgres | System::Mysql => spelt.path(self.parent_path()),
        };
        format!(
            "FOREIGN KEY ({}) REFERENCES {parent} ({}){action}",
            spelt.list(&self.columns),
            spelt.list(&self.target),
        )
    }

    /// SQLite cannot add a foreign key to a table, nor change one.
    fn rebuild(&self, key: &str) -> String {
        let (table, schema) = self.split();
        let spelt = self.mending.system;
        let path = |name: &str| spelt.path(schema.iter().map(String::as_str).chain([name]));
        let (new, old) = (path(&format!("new_{table}")), path(table));
        format!(
            "make the table anew, with its columns, indexes and triggers as they are and this foreign key: \
            PRAGMA foreign_keys = OFF; BEGIN; \
            CREATE TABLE {new} (.., {key}); \
            INSERT INTO {new} SELECT * FROM {old}; \
            DROP TABLE {old}; \
            ALTER TABLE {new} RENAME TO {renamed}; \
            PRAGMA foreign_key_check; COMMIT; PRAGMA foreign_keys = ON;",
            renamed = spelt.quoted(table),
        )
    }

    fn split(&self) -> (&str, &[String]) {
        match self.table.split_last() {
            Some((table, schema)) => (table, schema),
            None => ("", &[]),
        }
    }
}
