//! The tables of a program: what refers to what, and what the database knows of that.

use std::fmt::Write;

use backends::{System, on, system};
use diesel_hooks::relation::{OnDelete, RelationInfo, RelationKind};

use super::kind::{Cells, Column, Kind, values};

/// What the schema says of a relation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Clause {
    Absent,
    NoAction,
    /// Checked by the COMMIT.
    Deferred,
    Cascade,
    SetNull,
}

impl Clause {
    /// Those that are checked by each statement.
    pub(crate) const IMMEDIATE: &[Clause] = &[Clause::NoAction, Clause::Cascade, Clause::SetNull];

    /// On MySQL no foreign key waits for the COMMIT.
    fn as_it_is(self) -> Self {
        match self {
            Clause::Deferred => on(Clause::Deferred, Clause::Deferred, Clause::NoAction),
            it => it,
        }
    }
}

pub(crate) struct Relation {
    pub(crate) info: RelationInfo,
    /// Whether each of its columns may be NULL.
    pub(crate) nullable: bool,
    /// Whether the function of `Set` takes a connection, and so may fail.
    pub(crate) asks: bool,
    pub(crate) clause: Clause,
}

impl Relation {
    /// What a row of the child's table refers to.
    pub(crate) fn reference(&self, child: &Cells) -> Option<Vec<i32>> {
        values(child, self.info.columns)
    }

    /// What a row of the parent's table is referred to by.
    pub(crate) fn target(&self, parent: &Cells) -> Option<Vec<i32>> {
        values(parent, self.info.target)
    }

    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.info.child.name, self.info.field)
    }

    /// Whether a row that goes has to go before the one that it refers to.
    pub(crate) fn orders(&self) -> bool {
        match self.info.on_delete {
            OnDelete::Cascade | OnDelete::Restrict => true,
            // What can refer to nothing will.
            OnDelete::SetDefault | OnDelete::Set => !self.nullable,
            _ => false,
        }
    }

    /// Whether the rows that stay are made to refer to something else.
    pub(crate) fn replaces(&self) -> bool {
        use OnDelete::{Set, SetDefault, SetNull};
        matches!(self.info.on_delete, SetNull | SetDefault | Set)
    }
}

pub(crate) struct Schema {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) relations: Vec<Relation>,
}

impl Schema {
    /// The relations as they were registered, with a clause that a number chooses for each.
    pub(crate) fn new(kinds: Vec<Kind>, numbers: &[u8]) -> Self {
        let mut schema = Schema {
            kinds,
            relations: Vec::new(),
        };
        let is_here =
            |it: &RelationInfo| schema.kinds.iter().any(|kind| kind.name == it.child.name);
        let registry = diesel_hooks::registry();
        let mut infos: Vec<_> = registry.relations().filter(is_here).collect();
        // So that a seed means the same in every build.
        infos.sort_unstable_by_key(|it| (it.child.name, it.columns));
        for (info, number) in infos.into_iter().zip(numbers.iter().cycle()) {
            let columns = schema.columns(info.child.table);
            let columns = info.columns.iter().map(|name| {
                let column = columns.iter().find(|it| it.name == *name);
                *column.expect("a relation has columns of its table")
            });
            let columns: Vec<Column> = columns.collect();
            let nullable = columns.iter().all(|it| it.nullable);
            schema.relations.push(Relation {
                info,
                nullable,
                asks: info.on_delete == OnDelete::Set && columns[0].sql == "INTEGER",
                clause: clause(info.on_delete, nullable, *number).as_it_is(),
            });
        }
        schema
    }

    pub(crate) fn kind(&self, model: &str) -> &Kind {
        let kind = self.kinds.iter().find(|kind| kind.name == model);
        kind.expect("models are named by their kinds")
    }

    /// The structs over a table.
    pub(crate) fn kinds_over(&self, table: &str) -> Vec<&Kind> {
        let kinds = self.kinds.iter();
        kinds.filter(|kind| kind.table == table).collect()
    }

    pub(crate) fn relations_of(&self, model: &str) -> impl Iterator<Item = &Relation> {
        let relations = self.relations.iter();
        relations.filter(move |it| it.info.child.name == model)
    }

    /// What every struct over the table knows of it.
    pub(crate) fn columns(&self, table: &str) -> Vec<Column> {
        let mut columns: Vec<Column> = Vec::new();
        for column in self.kinds_over(table).iter().flat_map(|it| it.columns) {
            if !columns.contains(column) {
                columns.push(*column);
            }
        }
        columns
    }

    /// Columns of which no two rows hold the same.
    pub(crate) fn unique(&self, table: &str) -> Vec<&'static [&'static str]> {
        let mut unique = vec![self.kinds_over(table)[0].key];
        for Relation { info, .. } in &self.relations {
            if info.child.table == table && info.kind == RelationKind::OneToOne {
                unique.push(info.columns);
            }
            if info.parent.table == table {
                unique.push(info.target);
            }
        }
        unique.sort_unstable();
        unique.dedup();
        unique
    }

    /// A key as errors tell it.
    pub(crate) fn key_text(&self, table: &str, key: &[i32]) -> String {
        let columns = self.kinds_over(table)[0].columns.iter();
        let parts = columns.zip(key).map(|(column, value)| match column.sql {
            "TEXT" => format!("\"n{value}\""),
            _ => value.to_string(),
        });
        let parts: Vec<_> = parts.collect();
        match &*parts {
            [key] => key.clone(),
            parts => format!("({})", parts.join(", ")),
        }
    }

    /// The tables, for [`backends::spelt`].
    pub(crate) fn sql(&self) -> String {
        let mut tables: Vec<_> = self.kinds.iter().map(|kind| kind.table).collect();
        tables.dedup();
        let created = tables.iter().map(|table| self.table(table));
        let mut sql = created.collect::<String>();
        for relation in self.relations.iter().filter(|_| !is_within_tables()) {
            let table = relation.info.child.table;
            if let Some(key) = relation.sql() {
                let _ = writeln!(sql, "ALTER TABLE {table} ADD {key};");
            }
        }
        sql
    }

    fn table(&self, table: &str) -> String {
        let kinds = self.kinds_over(table);
        let (key, is_generated) = (kinds[0].key, kinds[0].is_generated);
        let columns = self.columns(table).into_iter().map(|it| {
            let null = if it.nullable { "" } else { " NOT NULL" };
            match is_generated && key.contains(&it.name) {
                true => format!("{} {{key}}", it.name),
                false => format!("{} {}{null}", it.name, it.sql),
            }
        });
        let mut parts: Vec<_> = columns.collect();
        parts.extend((!is_generated).then(|| format!("PRIMARY KEY ({})", key.join(", "))));
        let others = self.unique(table).into_iter().filter(|it| *it != key);
        parts.extend(others.map(|it| format!("UNIQUE ({})", it.join(", "))));
        let relations = self.relations.iter();
        let relations = relations.filter(|it| it.info.child.table == table && is_within_tables());
        parts.extend(relations.filter_map(Relation::sql));
        format!("CREATE TABLE {table} ({});\n", parts.join(", "))
    }
}

/// Whether foreign keys stand in CREATE TABLE, which PostgreSQL takes only if the other table is there.
fn is_within_tables() -> bool {
    system() != System::Postgres
}

impl Relation {
    fn sql(&self) -> Option<String> {
        let clause = match self.clause {
            Clause::Absent => return None,
            Clause::NoAction => "",
            Clause::Deferred => " DEFERRABLE INITIALLY DEFERRED",
            Clause::Cascade => " ON DELETE CASCADE",
            Clause::SetNull => " ON DELETE SET NULL",
        };
        let RelationInfo {
            columns,
            parent,
            target,
            ..
        } = self.info;
        let (columns, target) = (columns.join(", "), target.join(", "));
        let parent = parent.table;
        Some(format!(
            "FOREIGN KEY ({columns}) REFERENCES {parent} ({target}){clause}"
        ))
    }
}

fn clause(on_delete: OnDelete, nullable: bool, number: u8) -> Clause {
    match (on_delete, number) {
        (OnDelete::DoNothing, 0..100) => Clause::Absent,
        (OnDelete::DoNothing, 100..180) => Clause::NoAction,
        (OnDelete::DoNothing, _) => Clause::Deferred,
        (OnDelete::Database, 200..) => Clause::NoAction,
        (OnDelete::Database, 150..) if nullable => Clause::SetNull,
        (OnDelete::Database, _) => Clause::Cascade,
        (_, 0..230) => Clause::NoAction,
        (_, 230..245) => Clause::Absent,
        (_, _) => Clause::Deferred,
    }
}
