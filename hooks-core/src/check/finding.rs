//! What can be found, what it says and how it is mended.

use std::fmt;

use super::mend::Mending;
use crate::backend::System;
use crate::backend::catalog::SchemaAction;
use crate::model::ModelInfo;
use crate::registry;
use crate::relation::{OnDelete, RelationInfo};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// An operation fails, or a promise of the library does not hold.
    Error,
    /// It works, but is slow or probably not meant so.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// What a relation refers to, by its names in SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refers {
    /// The child's table, after its schema if it has one.
    pub table: Vec<String>,
    /// The child's columns.
    pub columns: Vec<String>,
    /// The schema of the parent's table, if its model names one or the child is in another.
    pub parent_schema: Option<String>,
    /// The parent's table.
    pub parent: String,
    /// The parent's columns.
    pub target: Vec<String>,
    pub(super) mending: Mending,
}

/// Something in which what was declared and the database do not agree.
///
/// Its `Display` says what and where; [`Finding::mend`] what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// What was compiled in contradicts itself, whatever the database.
    Registry(registry::Finding),
    /// This connection to SQLite does not hold foreign keys.
    ForeignKeysOff,
    /// This connection to MySQL does not hold foreign keys.
    ForeignKeyChecksOff,
    /// There is no table for a model.
    TableMissing {
        /// The model.
        model: ModelInfo,
        /// The table's name in SQL, after that of its schema if it has one.
        table: Vec<String>,
    },
    /// There is no column for a field of a model.
    ColumnMissing {
        /// The model.
        model: ModelInfo,
        /// The table's name in SQL, after that of its schema if it has one.
        table: Vec<String>,
        /// The column's name in SQL.
        column: String,
        #[doc(hidden)]
        system: System,
    },
    /// There is no foreign key for a relation, so nothing holds it against other writers.
    ForeignKeyMissing {
        /// The relation.
        relation: RelationInfo,
        /// What its foreign key has to say.
        refers: Refers,
    },
    /// The foreign key of a relation refers to another table or to other columns than the relation.
    ForeignKeyElsewhere {
        /// The relation.
        relation: RelationInfo,
        /// What its foreign key has to say.
        refers: Refers,
        /// The table to which it refers, after its schema if the child or the parent is in another.
        table: String,
        /// The columns to which it refers.
        columns: Vec<String>,
    },
    /// The schema does something itself where the relation leaves it to the library, or nothing where the
    /// relation leaves it to the schema.
    OnDeleteContradicts {
        /// The relation.
        relation: RelationInfo,
        /// What its foreign key has to say.
        refers: Refers,
        /// What the schema does.
        schema: SchemaAction,
        /// The receivers, by `dispatch_uid`, that do not hear of the rows that the schema deletes.
        unheard: Vec<&'static str>,
    },
    /// Nothing keeps two rows of a one-to-one relation from referring to the same row.
    UniqueMissing {
        /// The relation.
        relation: RelationInfo,
        /// The table and its columns.
        refers: Refers,
    },
    /// The rows that refer to a row can be found by reading the whole table only.
    IndexMissing {
        /// The relation.
        relation: RelationInfo,
        /// The table and its columns.
        refers: Refers,
    },
}

impl Finding {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        let is_warning = match self {
            Finding::Registry(registry::Finding::Contradiction(_)) => false,
            Finding::Registry(_) | Finding::IndexMissing { .. } => true,
            Finding::ForeignKeyMissing { relation, .. } => {
                relation.on_delete == OnDelete::DoNothing
            }
            Finding::OnDeleteContradicts {
                relation,
                schema,
                unheard,
                ..
            } => match relation.on_delete {
                OnDelete::DoNothing => true,
                // It does what is declared.
                OnDelete::Database => !unheard.is_empty(),
                OnDelete::Cascade => *schema == SchemaAction::Cascade && unheard.is_empty(),
                _ => false,
            },
            Finding::ForeignKeysOff
            | Finding::ForeignKeyChecksOff
            | Finding::TableMissing { .. }
            | Finding::ColumnMissing { .. }
            | Finding::ForeignKeyElsewhere { .. }
            | Finding::UniqueMissing { .. } => false,
        };
        match is_warning {
            true => Severity::Warning,
            false => Severity::Error,
        }
    }

    /// What to do about it: SQL for the database, where that is all it takes; else what to write in its place,
    /// with the SQL that it needs.
    pub fn mend(&self) -> String {
        match self {
            Finding::Registry(_) => "change the declarations that it names".into(),
            Finding::ForeignKeysOff => "PRAGMA foreign_keys = ON;".into(),
            Finding::ForeignKeyChecksOff => "SET foreign_key_checks = 1;".into(),
            Finding::TableMissing { table, .. } => {
                format!(
                    "run the migration that creates {}, or give another name: `#[diesel(table_name = ..)]`",
                    table.join("."),
                )
            }
            Finding::ColumnMissing {
                table,
                column,
                system,
                ..
            } => format!(
                "run the migration that adds it, as in: ALTER TABLE {} ADD COLUMN {} ..;",
                system.path(table.iter().map(String::as_str)),
                system.quoted(column),
            ),
            Finding::ForeignKeyMissing { relation, refers }
            | Finding::ForeignKeyElsewhere {
                relation, refers, ..
            } => refers.foreign_key(relation.on_delete),
            Finding::OnDeleteContradicts {
                relation,
                refers,
                schema,
                unheard,
            } => match relation.on_delete {
                OnDelete::Database if !unheard.is_empty() => format!(
                    "if they are to hear of it, say `on_delete = Cascade` and {}",
                    refers.foreign_key(OnDelete::Cascade)
                ),
                OnDelete::Database => format!(
                    "say what the schema does, as in `on_delete = Protect`, or {}",
                    refers.foreign_key(OnDelete::Database)
                ),
                OnDelete::DoNothing => format!(
                    "say `on_delete = Database`, because the schema says {}",
                    schema.sql()
                ),
                declared => format!(
                    "say `on_delete = Database` if no receiver is to hear of it, or {}",
                    refers.foreign_key(declared)
                ),
            },
            Finding::UniqueMissing { refers, .. } => refers.index("UNIQUE INDEX", "key"),
            Finding::IndexMissing { refers, .. } => refers.index("INDEX", "idx"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Registry(finding) => finding.fmt(f),
            Finding::ForeignKeysOff | Finding::ForeignKeyChecksOff => f.write_str(
                "foreign keys are off on this connection: rows may refer to rows that are gone",
            ),
            Finding::TableMissing { model, table } => {
                write!(f, "there is no table {} for {}", table.join("."), At(model))
            }
            Finding::ColumnMissing {
                model,
                table,
                column,
                ..
            } => write!(
                f,
                "there is no column {column} in table {} for {}",
                table.join("."),
                At(model)
            ),
            Finding::ForeignKeyMissing { relation, refers } => write!(
                f,
                "{} refers to {} without a foreign key: nothing keeps it from a row that is gone",
                Of(relation),
                refers.parent_columns(),
            ),
            Finding::ForeignKeyElsewhere {
                relation,
                refers,
                table,
                columns,
            } => write!(
                f,
                "{} refers to {}, but its foreign key to {table} ({})",
                Of(relation),
                refers.parent_columns(),
                columns.join(", "),
            ),
            Finding::OnDeleteContradicts {
                relation,
                schema,
                unheard,
                ..
            } => {
                let declared = relation.on_delete;
                let schema = schema.sql();
                write!(f, "{} says on_delete = {declared:?}, ", Of(relation))?;
                let but = match declared == OnDelete::Database && !unheard.is_empty() {
                    true => "and",
                    false => "but",
                };
                write!(f, "{but} its foreign key ON DELETE {schema}")?;
                match &unheard[..] {
                    [] => Ok(()),
                    uids => write!(
                        f,
                        ": rows that the database deletes are not heard of by {}",
                        uids.join(", ")
                    ),
                }
            }
            Finding::UniqueMissing { relation, refers } => write!(
                f,
                "{} is one to one, but {} is not unique",
                Of(relation),
                refers.own_columns(),
            ),
            Finding::IndexMissing { relation, refers } => write!(
                f,
                "{} has no index on {}: each delete of a {} reads all of the table",
                Of(relation),
                refers.own_columns(),
                relation.parent.name,
            ),
        }
    }
}

/// A model with its place.
struct At<'a>(&'a ModelInfo);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ModelInfo {
            name, file, line, ..
        } = self.0;
        write!(f, "{name} ({file}:{line})")
    }
}

/// A relation with its place.
struct Of<'a>(&'a RelationInfo);

impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ModelInfo { file, line, .. } = self.0.child;
        write!(f, "{} ({file}:{line})", self.0.name())
    }
}

impl Refers {
    fn parent_columns(&self) -> String {
        let parent = self.parent_path().collect::<Vec<_>>().join(".");
        format!("{parent} ({})", self.target.join(", "))
    }

    pub(super) fn parent_path(&self) -> impl Iterator<Item = &str> {
        let schema = self.parent_schema.as_deref();
        schema.into_iter().chain([&*self.parent])
    }

    fn own_columns(&self) -> String {
        format!("{} ({})", self.table.join("."), self.columns.join(", "))
    }
}
