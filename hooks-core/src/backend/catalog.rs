//! What a database says of a table.

/// A table, or a view.
#[derive(Debug, Default)]
pub struct TableFacts {
    pub(crate) columns: Vec<String>,
    pub(crate) foreign_keys: Vec<ForeignKeyFacts>,
    pub(crate) indexes: Vec<IndexFacts>,
}

#[derive(Debug)]
pub(crate) struct ForeignKeyFacts {
    pub(crate) columns: Vec<String>,
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
