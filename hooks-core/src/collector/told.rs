//! What a refused DELETE says of the row that still refers to one that was to go.

use diesel::result::Error as DieselError;

use crate::connection::RawConnection;
use crate::error::Result;
use crate::model::Persist;
use crate::relation::Relation;

pub(super) enum Told {
    /// Nothing, but the rows are as they were then.
    Nothing,
    /// Its foreign key: its table and columns. The writes are undone, and what rows referred to is what it was before.
    ForeignKey { table: String, columns: Vec<String> },
    /// Too little, where they are undone.
    Little,
}

impl Told {
    /// After the writes of a delete of rows of `M` were undone.
    pub(super) fn of<M: Persist<C>, C: RawConnection>(
        conn: &mut C,
        error: &DieselError,
    ) -> Result<Self> {
        let told = foreign_key::<M, C>(conn, error)?;
        // It may refer to a row that the database took with one of them.
        let told = told.filter(|_| !matches!(super::execute::takes_its_own::<M, C>(), Ok(true)));
        Ok(
            told.map_or(Told::Little, |(table, columns)| Told::ForeignKey {
                table,
                columns,
            }),
        )
    }

    /// Whether it may refer by this relation.
    pub(super) fn is<K, C: RawConnection>(&self, conn: &C, relation: &dyn Relation<K, C>) -> bool {
        match self {
            Told::Nothing => true,
            Told::ForeignKey { table, columns } => {
                path_of(conn, relation, table).is_some() && columns == relation.info().columns
            }
            Told::Little => false,
        }
    }
}

/// PostgreSQL tells the table and the name of the constraint.
fn foreign_key<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    error: &DieselError,
) -> Result<Option<(String, Vec<String>)>> {
    let DieselError::DatabaseError(_, info) = error else {
        return Ok(None);
    };
    let (Some(table), Some(name)) = (info.table_name(), info.constraint_name()) else {
        return Ok(None);
    };
    let mut relations = M::hooks()?.relations.iter();
    let Some(path) = relations.find_map(|it| path_of(conn, &**it, table)) else {
        return Ok(None);
    };
    let Ok(Some(facts)) = conn.session().describe(&path) else {
        return Ok(None);
    };
    let mut keys = facts.foreign_keys.into_iter();
    let key = keys.find(|it| it.name.as_deref() == Some(name));
    Ok(key.map(|it| (table.to_owned(), it.columns)))
}

/// The path of the rows that refer by the relation, if their table is called this.
fn path_of<K, C: RawConnection>(
    conn: &C,
    relation: &dyn Relation<K, C>,
    table: &str,
) -> Option<Vec<String>> {
    let path = relation.child_path(&conn.backend()).ok()?;
    path.last().is_some_and(|it| it == table).then_some(path)
}
