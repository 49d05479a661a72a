//! Rows that PostgreSQL inserts by the statement that inserts the row they refer to.

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error as DieselError;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Integer};
use diesel::{Expression, QueryResult};

use super::text::Text;
use crate::backend::Dialect;
use crate::backend::names::sql;
use crate::backend::statements::Returning;
use crate::diesel_internals::writes_sql;
use crate::relation::RelationInfo;

/// A row that may go by the statement that inserts the one it refers to.
pub struct Rider<DB> {
    insert: Box<dyn QueryFragment<DB>>,
    relation: RelationInfo,
    text: Text,
    table: String,
    /// `INSERT INTO table`
    into: String,
    columns: Vec<String>,
}

impl<DB: Dialect> Rider<DB> {
    /// Nothing, if the statement says more than the values of one row, those that refer among them.
    pub(crate) fn of(
        backend: &DB,
        insert: Box<dyn QueryFragment<DB>>,
        relation: RelationInfo,
        path: Vec<String>,
    ) -> QueryResult<Option<Self>> {
        let Some(text) = Text::of(sql(backend, &*insert)?) else {
            return Ok(None);
        };
        let columns = text.columns(backend);
        let has = |name: &&str| columns.iter().any(|column| column == name);
        Ok(relation.columns.iter().all(has).then_some(Rider {
            insert,
            relation,
            table: path.into_iter().next_back().unwrap_or_default(),
            into: text.insert_into(backend).to_owned(),
            text,
            columns,
        }))
    }

    pub(super) fn refers_to(&self) -> &'static [&'static str] {
        self.relation.target
    }

    /// The columns that are given a value, each with what stands for it in the text.
    fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        let columns = self.columns.iter().map(String::as_str);
        columns
            .zip(self.text.parts())
            .filter(|(column, part)| *part != "DEFAULT" || self.target_of(column).is_some())
    }

    /// What the column refers to.
    fn target_of(&self, column: &str) -> Option<&'static str> {
        let at = self.relation.columns.iter().position(|it| *it == column)?;
        self.relation.target.get(at).copied()
    }
}

/// `WITH diesel_hooks AS (insert RETURNING selection), .. SELECT * FROM diesel_hooks`, with the riders in between
pub(super) struct Carrying<I, S, DB> {
    pub(super) row: Returning<I, S>,
    pub(super) riders: Vec<Rider<DB>>,
}

impl<I, S, DB> Carrying<I, S, DB> {
    /// The model of the rider that the error is about, if it says so.
    pub(super) fn refused(&self, error: &DieselError) -> Option<&'static str> {
        let DieselError::DatabaseError(_, info) = error else {
            return None;
        };
        let table = info.table_name()?;
        let rider = self.riders.iter().find(|it| it.table == table)?;
        Some(rider.relation.child.name)
    }
}

impl<I, S: Expression, DB> Query for Carrying<I, S, DB> {
    type SqlType = S::SqlType;
}

impl<I, S, DB> QueryId for Carrying<I, S, DB> {
    type QueryId = ();
    // Which values a rider leaves to the database shows in its text alone.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<I, S, DB> QueryFragment<DB> for Carrying<I, S, DB>
where
    DB: Dialect + HasSqlType<Integer>,
    i32: ToSql<Integer, DB>,
    I: QueryFragment<DB>,
    S: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("WITH diesel_hooks AS (");
        self.row.walk_ast(out.reborrow())?;
        out.push_sql(")");
        for (number, rider) in self.riders.iter().enumerate() {
            match writes_sql(&mut out) {
                true => write(rider, number, out.reborrow())?,
                false => rider.insert.walk_ast(out.reborrow())?,
            }
        }
        out.push_sql(" SELECT * FROM diesel_hooks");
        Ok(())
    }
}

/// `, name AS (INSERT INTO table (column, ..) SELECT value, .. FROM diesel_hooks)`
fn write<DB>(rider: &Rider<DB>, number: usize, mut out: AstPass<'_, '_, DB>) -> QueryResult<()>
where
    DB: Dialect + HasSqlType<Integer>,
    i32: ToSql<Integer, DB>,
{
    out.push_sql(&format!(", diesel_hooks_{number} AS ({} (", rider.into));
    for (at, (column, _)) in rider.values().enumerate() {
        out.push_sql(if at == 0 { "" } else { ", " });
        out.push_identifier(column)?;
    }
    out.push_sql(") SELECT ");
    for (at, (column, part)) in rider.values().enumerate() {
        out.push_sql(if at == 0 { "" } else { ", " });
        match (rider.target_of(column), part) {
            (Some(target), "DEFAULT") => out.push_identifier(target)?,
            // The value is sent in any case, and what is sent has to stand somewhere.
            (Some(target), _) => {
                out.push_sql("CASE WHEN TRUE THEN ");
                out.push_identifier(target)?;
                out.push_sql(" ELSE ");
                push_number(&mut out)?;
                out.push_sql(" END");
            }
            (None, _) => push_number(&mut out)?,
        }
    }
    out.push_sql(" FROM diesel_hooks)");
    Ok(())
}

/// The number of the next value that is sent, whatever its type.
fn push_number<DB>(out: &mut AstPass<'_, '_, DB>) -> QueryResult<()>
where
    DB: Dialect + HasSqlType<Integer>,
    i32: ToSql<Integer, DB>,
{
    out.push_bind_param::<Integer, i32>(&0)
}
