//! Many rows by one INSERT, which costs a third of one INSERT each.
//!
//! A statement says of itself whether it can take more rows: the text that Diesel makes of it ends in
//! `VALUES (?, .., ?)`. Then rows of the same text go together, in statements of few lengths, so that they stay
//! prepared. Where the rows are to be read back, it must be known which they are:
//!
//! - Where the database makes each rowid, the rows are those past the last one there was, in the order in
//!   which they were inserted.
//! - Where the application makes the key, they are found by it.
//! - Elsewhere, and where a trigger may do more than the statement says, each row is inserted by itself.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::deserialize::FromSql;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Nullable};

use crate::backend::insert::text::Text;
use crate::backend::insert::{load_in_order, refused};
use crate::backend::names::sql;
use crate::backend::statements::{FromClause, from_clause};
use crate::backend::{Dialect, Shape, execute, first_row};
use crate::connection::RawConnection;
use crate::diesel_internals::writes_sql;
use crate::error::{Error, Operation, Result};
use crate::model::{Model, Refused, Row, Stored};

/// Past this, another row in a statement gains nothing.
const ROWS: usize = 50;
/// As many values SQLite takes in one statement.
const VALUES: usize = 32_766;
/// What else the rowid is called.
const ROWID: [&str; 3] = ["rowid", "oid", "_rowid_"];

/// Consecutive rows of one text.
struct Group {
    text: Text,
    rows: usize,
}

/// `INSERT .. VALUES (..), (..)`
struct InsertMany<'t, I> {
    text: &'t Text,
    rows: Vec<I>,
}

impl<I> QueryId for InsertMany<'_, I> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<I: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for InsertMany<'_, I> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if writes_sql(&mut out) {
            out.push_sql(self.text.head());
            out.push_sql(self.text.row());
            for _ in 1..self.rows.len() {
                out.push_sql(", ");
                out.push_sql(self.text.row());
            }
            return Ok(());
        }
        self.rows
            .iter()
            .try_for_each(|row| row.walk_ast(out.reborrow()))
    }
}

/// Whether a statement gives the row a rowid, which may be what the key is.
fn gives_rowid(text: &Text, backend: &impl Dialect, key: Option<&&str>) -> bool {
    let is_rowid = |column: &String| {
        let mut names = ROWID.iter().chain(key);
        names.any(|name| name.eq_ignore_ascii_case(column))
    };
    text.columns(backend).iter().any(is_rowid)
}

/// `SELECT max(_rowid_) FROM table`
struct LastRowid<M: Row>(FromClause<M>);

impl<M: Row> Query for LastRowid<M> {
    type SqlType = Nullable<BigInt>;
}

impl<M: Row> QueryId for LastRowid<M> {
    type QueryId = LastRowid<M>;
}

impl<M: Row, DB: Backend> QueryFragment<DB> for LastRowid<M>
where
    FromClause<M>: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("SELECT max(_rowid_) FROM ");
        self.0.walk_ast(out)
    }
}

/// The rows past this one, in the order in which they were inserted.
struct After(i64);

impl QueryId for After {
    type QueryId = Self;
}

impl<DB> QueryFragment<DB> for After
where
    DB: Backend + HasSqlType<BigInt>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("_rowid_ > ");
        out.push_bind_param::<BigInt, _>(&self.0)?;
        out.push_sql(" ORDER BY _rowid_");
        Ok(())
    }
}

/// INSERTs of rows of `M`.
pub(super) struct Batches<M, I> {
    inserts: Vec<I>,
    /// None, if one of them cannot take more rows.
    groups: Option<Vec<Group>>,
    model: PhantomData<M>,
}

/// A way to insert statements together, or the statements.
type OrInserts<T, I> = Result<T, Vec<I>>;

/// How rows are found that were just inserted.
pub(super) enum FindBy<K> {
    /// They are past this rowid.
    Rowid(i64),
    Key(Vec<K>),
}

type Findable<M, I> = OrInserts<(Batches<M, I>, FindBy<<M as Model>::Pk>), I>;

impl<M: Row, I> Batches<M, I> {
    pub(super) fn of<C>(conn: &C, inserts: Vec<I>) -> Result<Self, Refused>
    where
        C: RawConnection,
        I: QueryFragment<C::Backend> + QueryId,
    {
        let groups = groups(&conn.backend(), &inserts);
        let groups = groups.map_err(|error| refused::<M>(0, error))?;
        Ok(Batches {
            inserts,
            groups,
            model: PhantomData,
        })
    }

    /// Hands the statements back, if one of them cannot take more rows.
    pub(super) fn all_grow(self) -> OrInserts<Self, I> {
        match self.groups {
            Some(_) => Ok(self),
            None => Err(self.inserts),
        }
    }

    /// How the rows will be found. Hands the statements back, if that cannot be told of all of them at once.
    pub(super) fn find_by<C>(
        self,
        conn: &mut C,
        shape: Shape,
        keys: Option<Vec<M::Pk>>,
    ) -> Result<Findable<M, I>, Refused>
    where
        C: RawConnection,
        FromClause<M>: QueryFragment<C::Backend>,
        C::Backend: HasSqlType<BigInt>,
        i64: FromSql<BigInt, C::Backend>,
    {
        let Some(groups) = &self.groups else {
            return Ok(Err(self.inserts));
        };
        let key = M::KEY.first().filter(|_| shape.key_is_counted);
        let backend = conn.backend();
        let given = |group: &Group| gives_rowid(&group.text, &backend, key);
        let given = groups.iter().any(given);
        let last = match shape.by_rowid && !given {
            true => last_rowid::<M, C>(conn, self.inserts.len()),
            false => Ok(None),
        };
        let last = last.map_err(|error| refused::<M>(0, error))?;
        let by = match (last, keys) {
            (Some(last), _) => FindBy::Rowid(last),
            (None, Some(keys)) => FindBy::Key(keys),
            (None, None) => return Ok(Err(self.inserts)),
        };
        Ok(Ok((self, by)))
    }

    /// Inserts the rows, and reads them back in their order.
    pub(super) fn run_and_read<C>(self, conn: &mut C, by: FindBy<M::Pk>) -> Result<Vec<M>, Refused>
    where
        C: RawConnection,
        M: Stored<C>,
        I: QueryFragment<C::Backend> + QueryId,
        C::Backend: HasSqlType<BigInt>,
        i64: ToSql<BigInt, C::Backend>,
    {
        let expected = self.inserts.len();
        self.run(conn)?;
        let rows = match by {
            FindBy::Rowid(last) => M::load_where(conn, After(last)),
            FindBy::Key(keys) => load_in_order(conn, keys),
        };
        let rows = rows.map_err(|error| refused::<M>(expected, error))?;
        match all::<M, C>(conn, expected, rows.len()) {
            Ok(()) => Ok(rows),
            Err(error) => Err(Refused {
                inserted: expected,
                error,
            }),
        }
    }

    /// Inserts the rows, which can all go together with others.
    pub(super) fn run<C>(self, conn: &mut C) -> Result<(), Refused>
    where
        C: RawConnection,
        M: Stored<C>,
        I: QueryFragment<C::Backend> + QueryId,
    {
        let mut rows = self.inserts.into_iter();
        let mut inserted = 0;
        for Group { text, rows: many } in self.groups.into_iter().flatten() {
            let end = inserted + many;
            while inserted < end {
                let portion = portion(end - inserted, text.values());
                let statement = InsertMany {
                    text: &text,
                    rows: rows.by_ref().take(portion).collect(),
                };
                let count =
                    execute(conn, statement).map_err(|error| refused::<M>(inserted, error))?;
                all::<M, C>(conn, portion, count).map_err(|error| Refused { inserted, error })?;
                inserted += portion;
            }
        }
        Ok(())
    }
}

/// Consecutive rows whose statements are the same but for the values.
fn groups<DB: Dialect, I: QueryFragment<DB> + QueryId>(
    backend: &DB,
    inserts: &[I],
) -> QueryResult<Option<Vec<Group>>> {
    let mut groups: Vec<Group> = Vec::new();
    if I::HAS_STATIC_QUERY_ID {
        let text = inserts
            .first()
            .map(|it| sql(backend, it))
            .transpose()?
            .and_then(Text::of);
        let rows = inserts.len();
        return Ok(text.map(|text| vec![Group { text, rows }]));
    }
    for insert in inserts {
        let sql = sql(backend, insert)?;
        match groups.last_mut() {
            Some(group) if group.text.is(&sql) => group.rows += 1,
            _ => match Text::of(sql) {
                Some(text) => groups.push(Group { text, rows: 1 }),
                None => return Ok(None),
            },
        }
    }
    Ok(Some(groups))
}

/// How many of these rows go into one statement: of few lengths, for each is kept.
fn portion(rows: usize, values: usize) -> usize {
    const STEP: usize = 10;
    let most = (VALUES / values.max(1)).clamp(1, ROWS);
    match rows {
        rows if rows >= most => most,
        rows if rows > STEP => rows - rows % STEP,
        rows => rows,
    }
}

/// An error, if these are not all: the table is not what it looked like.
fn all<M: Stored<C>, C: RawConnection>(conn: &mut C, expected: usize, actual: usize) -> Result<()> {
    if expected == actual {
        return Ok(());
    }
    Shape::forget::<M, _>(conn);
    Err(Error::RowCount {
        model: M::INFO.name,
        operation: Operation::Create,
        expected,
        actual,
    })
}

/// The last rowid there is, if this many more can follow: SQLite makes each one more than the last, until
/// there is no such number.
fn last_rowid<M, C>(conn: &mut C, more: usize) -> QueryResult<Option<i64>>
where
    M: Row,
    C: RawConnection,
    FromClause<M>: QueryFragment<C::Backend>,
    C::Backend: HasSqlType<BigInt>,
    i64: FromSql<BigInt, C::Backend>,
{
    let last: Option<Option<i64>> = first_row(conn, LastRowid::<M>(from_clause::<M>()))?;
    let last = last.flatten().unwrap_or(0);
    let room = i64::try_from(more).is_ok_and(|more| last.checked_add(more).is_some());
    Ok(room.then_some(last))
}
