//! What a database says of a table.

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Nullable, Text};

/// A table, or a view.
#[derive(Debug, Default)]
pub struct TableFacts {
    /// Where it was found, if its foreign keys may refer to other schemas.
    pub(crate) schema: Option<String>,
    pub(crate) columns: Vec<String>,
    pub(crate) foreign_keys: Vec<ForeignKeyFacts>,
    pub(crate) indexes: Vec<IndexFacts>,
}

#[derive(Debug)]
pub(crate) struct ForeignKeyFacts {
    /// SQLite gives none.
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<String>,
    /// That of the table, where it may be another.
    pub(crate) schema: Option<String>,
    pub(crate) table: String,
    pub(crate) target: Vec<String>,
    pub(crate) on_delete: SchemaAction,
}

/// The primary key, or an index that knows every row.
#[derive(Debug)]
pub(crate) struct IndexFacts {
    pub(crate) columns: Vec<String>,
    pub(crate) unique: bool,
}

/// A column of a foreign key, as a catalog lists it; that of SQLite may leave the target out.
#[cfg(any(feature = "postgres", feature = "mysql"))]
#[derive(QueryableByName)]
pub(crate) struct KeyColumn {
    /// The foreign key's.
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    parent_schema: String,
    #[diesel(sql_type = Text)]
    parent: String,
    #[diesel(sql_type = Text)]
    child: String,
    #[diesel(sql_type = Text)]
    target: String,
    #[diesel(sql_type = Text)]
    on_delete: String,
}

/// A column of an index, as a catalog lists it.
#[derive(QueryableByName)]
pub(crate) struct IndexColumn {
    /// The index's.
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    #[diesel(sql_type = Bool)]
    pub(super) is_unique: bool,
    /// An expression has none.
    #[diesel(sql_type = Nullable<Text>)]
    child: Option<String>,
}

/// Foreign keys, of which all columns of one stand together.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) fn foreign_keys(columns: &[KeyColumn]) -> Vec<ForeignKeyFacts> {
    let facts = |of_one: &[KeyColumn]| ForeignKeyFacts {
        name: Some(of_one[0].name.clone()),
        columns: of_one.iter().map(|it| it.child.clone()).collect(),
        schema: Some(of_one[0].parent_schema.clone()),
        table: of_one[0].parent.clone(),
        target: of_one.iter().map(|it| it.target.clone()).collect(),
        on_delete: action(&of_one[0].on_delete),
    };
    let keys = columns.chunk_by(|one, next| one.name == next.name);
    keys.map(facts).collect()
}

/// Indexes, of which all columns of one stand together.
pub(crate) fn indexes(columns: &[IndexColumn]) -> Vec<IndexFacts> {
    let facts = |of_one: &[IndexColumn]| {
        let names = of_one.iter().map(|it| it.child.clone());
        Some(IndexFacts {
            columns: names.collect::<Option<_>>()?,
            unique: of_one[0].is_unique,
        })
    };
    let indexes = columns.chunk_by(|one, next| one.name == next.name);
    indexes.filter_map(facts).collect()
}

/// What a foreign key in the schema does when the row that it refers to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SchemaAction {
    /// The delete is refused when the statement ends, or the transaction.
    NoAction,
    /// The delete is refused at once.
    Restrict,
    /// The columns become NULL.
    SetNull,
    /// The columns get their defaults.
    SetDefault,
    /// The row is deleted too.
    Cascade,
}

impl SchemaAction {
    /// As SQL has it.
    pub(crate) const fn sql(self) -> &'static str {
        match self {
            SchemaAction::NoAction => "NO ACTION",
            SchemaAction::Restrict => "RESTRICT",
            SchemaAction::SetNull => "SET NULL",
            SchemaAction::SetDefault => "SET DEFAULT",
            SchemaAction::Cascade => "CASCADE",
        }
    }
}

/// What a model calls its table and columns, in SQL.
#[derive(Debug, Clone)]
pub struct TableNames {
    /// The table's name, after that of its schema if it has one.
    pub(crate) path: Vec<String>,
    pub(crate) columns: Vec<String>,
}

impl TableFacts {
    pub(crate) fn has_column(&self, name: &str) -> bool {
        self.columns.iter().any(|it| same(it, name))
    }

    /// The foreign key that these columns are.
    pub(crate) fn foreign_keys_of(&self, columns: &[&str]) -> Vec<&ForeignKeyFacts> {
        let is_of = |key: &&ForeignKeyFacts| same_set(&key.columns, columns);
        self.foreign_keys.iter().filter(is_of).collect()
    }

    /// Whether no two rows have the same in these columns.
    pub(crate) fn is_unique(&self, columns: &[&str]) -> bool {
        let mut unique = self.indexes.iter().filter(|it| it.unique);
        unique.any(|it| same_set(&it.columns, columns))
    }

    /// Whether rows are found by these columns without reading all of them.
    pub(crate) fn is_indexed(&self, columns: &[&str]) -> bool {
        let leading = |it: &IndexFacts| it.columns.get(..columns.len()).map(<[_]>::to_vec);
        self.indexes
            .iter()
            .filter_map(leading)
            .any(|it| same_set(&it, columns))
    }
}

/// What the schema says in SQL.
pub(crate) fn action(sql: &str) -> SchemaAction {
    let all = [
        SchemaAction::Restrict,
        SchemaAction::SetNull,
        SchemaAction::SetDefault,
        SchemaAction::Cascade,
    ];
    let said = all.into_iter().find(|it| same(it.sql(), sql));
    said.unwrap_or(SchemaAction::NoAction)
}

/// SQL's names differ by more than the case of ASCII letters.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn same_set(names: &[String], others: &[&str]) -> bool {
    names.len() == others.len()
        && names
            .iter()
            .all(|name| others.iter().any(|other| same(name, other)))
}
