//! Many rows by one INSERT, on databases that take a row's defaults as `DEFAULT`: the rows need not be alike.

use diesel::insertable::Insertable;
use diesel::query_builder::{AstPass, Query, QueryBuilder, QueryFragment, QueryId};
use diesel::{Expression, QueryResult};

use super::text::Text;
use super::{
    Insert, InsertStamped, Inserts, StampedNew, insert_unread, inserts, one_by_one, refused,
    rows_count,
};
use crate::backend::names::sql;
use crate::backend::{Dialect, execute};
use crate::connection::{RawConnection, State};
use crate::diesel_internals::writes_sql;
use crate::error::Result;
use crate::model::{Refused, Row};
use crate::timestamp::{Fresh, Stamping};

/// More rows in a statement gain nothing.
const ROWS: usize = 1_000;
/// What a packet has beside the text and the values, and for each value.
const PACKET: usize = 1_024;
const PER_VALUE: usize = 12;
/// Nor do more bytes, and clients have limits of their own.
const BYTES: usize = 16 << 20;
/// As many values PostgreSQL and MySQL take in one statement.
const VALUES: usize = 65_535;

/// `INSERT .. VALUES (..), (..)`
pub(super) struct Several<I> {
    rows: Vec<(Text, I)>,
}

impl<I> Several<I> {
    /// The statements that these become, in their order. A row that is too large by itself is for the server to
    /// refuse.
    pub(super) fn of<C: RawConnection>(
        conn: &mut C,
        inserts: Vec<I>,
    ) -> QueryResult<Vec<OneOrSeveral<I>>>
    where
        I: QueryFragment<C::Backend>,
    {
        let room = match conn.system().limits_packets() {
            true => State::of(conn).ok().and_then(|it| it.settings.max_packet),
            false => None,
        };
        let room = room.map(|it| it.min(BYTES).saturating_sub(PACKET));
        let backend = &conn.backend();
        let mut statements: Vec<OneOrSeveral<I>> = Vec::new();
        let (mut values, mut bytes) = (0, 0);
        for insert in inserts {
            let Some(text) = Text::of(sql(backend, &insert)?) else {
                statements.push(OneOrSeveral::One(insert));
                continue;
            };
            let own_values = text.values();
            let own_bytes = match room.is_some() {
                true => bytes_of(backend, &insert, &text)?,
                false => 0,
            };
            values += own_values;
            bytes += own_bytes;
            let fits = values <= VALUES && room.is_none_or(|room| bytes <= room);
            match statements.last_mut() {
                Some(OneOrSeveral::Several(it)) if fits && it.takes(&text) => {
                    it.rows.push((text, insert));
                }
                _ => {
                    (values, bytes) = (own_values, own_bytes + text.head().len());
                    let rows = vec![(text, insert)];
                    statements.push(OneOrSeveral::Several(Several { rows }));
                }
            }
        }
        Ok(statements)
    }

    fn takes(&self, text: &Text) -> bool {
        let first = self.rows.first();
        self.rows.len() < ROWS && first.is_some_and(|(it, _)| it.head() == text.head())
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    fn values(&self) -> usize {
        self.rows.iter().map(|(text, _)| text.values()).sum()
    }
}

/// What a row adds to a packet. The text and the values go by packets of their own, but one limit is enough.
fn bytes_of<DB: Dialect>(
    backend: &DB,
    insert: &impl QueryFragment<DB>,
    text: &Text,
) -> QueryResult<usize> {
    let values = backend.value_bytes(insert)?.unwrap_or_default();
    Ok(values + PER_VALUE * text.values() + text.row().len())
}

/// Rows of one statement, or a statement of another kind.
pub(super) enum OneOrSeveral<I> {
    One(I),
    Several(Several<I>),
}

impl<I> QueryId for Several<I> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Dialect, I: QueryFragment<DB>> QueryFragment<DB> for Several<I> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        // Of any number of rows, so it is prepared each time.
        out.unsafe_to_cache_prepared();
        if !writes_sql(&mut out) {
            let mut rows = self.rows.iter();
            return rows.try_for_each(|(_, row)| row.walk_ast(out.reborrow()));
        }
        let mut bound = 0;
        for (at, (text, _)) in self.rows.iter().enumerate() {
            out.push_sql(if at == 0 { text.head() } else { ", " });
            for (at, part) in text.parts().enumerate() {
                out.push_sql(if at == 0 { "(" } else { ", " });
                match part.starts_with('$') {
                    true => {
                        bound += 1;
                        out.push_sql(&format!("${bound}"));
                    }
                    false => out.push_sql(part),
                }
            }
            out.push_sql(")");
        }
        Ok(())
    }
}

/// Several rows, which are given back.
pub(super) struct ReturningSeveral<I, S> {
    pub(super) insert: Several<I>,
    pub(super) selection: S,
}

impl<I, S: Expression> Query for ReturningSeveral<I, S> {
    type SqlType = S::SqlType;
}

impl<I, S> QueryId for ReturningSeveral<I, S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<I, S, DB> QueryFragment<DB> for ReturningSeveral<I, S>
where
    DB: Dialect,
    I: QueryFragment<DB>,
    S: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.insert.walk_ast(out.reborrow())?;
        if !writes_sql(&mut out) {
            return self.selection.walk_ast(out);
        }
        // Diesel has not counted the values of the rows, after which those of the selection are numbered.
        let mut sql = out.backend().query_builder();
        for _ in 0..self.insert.values() {
            sql.push_bind_param();
        }
        sql.push_sql(RETURNING);
        self.selection.to_sql(&mut sql, out.backend())?;
        let sql = sql.finish();
        let start = sql.find(RETURNING).unwrap_or_default();
        out.push_sql(&sql[start..]);
        Ok(())
    }
}

const RETURNING: &str = " RETURNING ";

/// Inserts rows in few statements, and reads none of them.
pub(super) fn insert_many_unread<M, C>(conn: &mut C, new: Vec<Fresh<M>>) -> Result<(), Refused>
where
    C: RawConnection,
    M: Row<New: Insertable<M::Table>, Fields: Stamping<M::New>>,
    StampedNew<M>: Insertable<M::Table>,
    Insert<M>: QueryFragment<C::Backend> + QueryId,
    InsertStamped<M>: QueryFragment<C::Backend> + QueryId,
{
    match inserts::<M>(new) {
        Inserts::Stamped(inserts) => insert_all_unread::<M, _, _>(conn, inserts),
        Inserts::Plain(inserts) => insert_all_unread::<M, _, _>(conn, inserts),
        Inserts::Mixed(new) => one_by_one(new, |new| insert_unread(conn, new)).map(drop),
    }
}

fn insert_all_unread<M, C, I>(conn: &mut C, inserts: Vec<I>) -> Result<(), Refused>
where
    M: Row,
    C: RawConnection,
    I: QueryFragment<C::Backend> + QueryId,
{
    let statements = Several::of(conn, inserts);
    let mut inserted = 0;
    for statement in statements.map_err(|error| refused::<M>(0, error))? {
        let (expected, actual) = match statement {
            OneOrSeveral::One(insert) => (1, execute(conn, insert)),
            OneOrSeveral::Several(insert) => (insert.len(), execute(conn, insert)),
        };
        let actual = actual.map_err(|error| refused::<M>(inserted, error))?;
        if actual != expected {
            let error = rows_count::<M>(expected, actual);
            return Err(Refused { inserted, error });
        }
        inserted += expected;
    }
    Ok(())
}
