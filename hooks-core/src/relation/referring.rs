//! The statements on the rows that refer to some parents.

use std::collections::HashMap;

use diesel::QueryResult;
use diesel::deserialize::FromSqlRow;
use diesel::dsl::{SqlTypeOf, count_star};
use diesel::expression::{Expression, QueryMetadata};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::Error as DieselError;
use diesel::sql_types::BigInt;

use super::ensure::WithoutChild;
use super::{ParentKey, PrimaryKey, Reference, Unique};
use crate::backend::statements::{
    Assign, Bind, Clear, Columns, Erased, ForUpdate, FromClause, Full, In, Is, Known, Limit, Named,
    OneKey, Select, Spread, Terms, WithKey,
};
use crate::backend::{System, first_row, rows};
use crate::connection::RawConnection;
use crate::each::each;
use crate::error::{Error, Operation, Result};
use crate::model::{Filter, Model, Persist, Row, Stored};

/// The parents whose children are meant.
#[doc(hidden)]
pub enum Parents<'a, K, DB> {
    /// Those with these keys.
    Keys(&'a [K]),
    /// Those for which this holds.
    Where(&'a dyn QueryFragment<DB>),
}

impl<K, DB> Clone for Parents<'_, K, DB> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, DB> Copy for Parents<'_, K, DB> {}

/// What is done to rows, by a condition for them.
type Work<'a, C, E> = dyn FnMut(&dyn QueryFragment<Backend<C>>) -> Result<(), E> + 'a;

/// The key of a child, and what it refers to.
type KeyPair<R> = (ChildKey<R>, <R as Reference>::Key);
type ChildKey<R> = <<R as Reference>::Child as Model>::Pk;

type Backend<C> = <C as diesel::Connection>::Backend;
type Values<R> = <<R as Reference>::Key as Spread<<R as Reference>::Columns>>::Values;
type PkFilter<M> = <M as Row>::PkFilter;
type ChildKeys<R> = <<R as Reference>::Child as Row>::PkColumns;
type PairOfColumns<R> = (ChildKeys<R>, Known<<R as Reference>::Columns>);

/// Parents, and what their children refer to.
type Targets<R> = (Vec<ParentKey<R>>, Vec<<R as Reference>::Key>);

/// How a relation finds the children of parents, and the parents of children.
#[doc(hidden)]
pub trait Aim<R: Reference, C: RawConnection> {
    /// The columns of the parent that are referred to.
    type Columns: QueryFragment<C::Backend> + Default;
    /// What tells the parent of a child that refers to one of a few.
    type Index;
    /// The children of one parent: its statements stay prepared.
    fn one(parent: &ParentKey<R>) -> impl Filter<C>;
    /// The children of as many as a statement names: these statements stay prepared, too.
    fn full(parents: &[ParentKey<R>]) -> impl Filter<C>;
    /// The children of several, if by their keys then of no more than a statement names.
    fn several<'a>(parents: Parents<'a, ParentKey<R>, C::Backend>) -> impl Filter<C> + 'a;
    /// The parent to which a child with this key refers.
    fn find(conn: &mut C, key: R::Key) -> QueryResult<Option<R::Parent>>;
    fn index(conn: &mut C, parents: &[ParentKey<R>]) -> QueryResult<Self::Index>;
    fn parent(index: &Self::Index, key: R::Key) -> Option<ParentKey<R>>;
    /// What a child of this parent refers to, if it has that.
    fn target(conn: &mut C, parent: &ParentKey<R>) -> Result<Option<R::Key>>;
    /// Those of these parents that have what a child refers to, with it.
    fn targets(conn: &mut C, parents: Vec<ParentKey<R>>) -> Result<Targets<R>>;
}

/// Parents by their keys, or by a condition.
enum Which<Keys, Q> {
    Keys(Keys),
    Where(Q),
}

impl<Keys, Q> QueryId for Which<Keys, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB, Keys, Q> QueryFragment<DB> for Which<Keys, Q>
where
    DB: diesel::backend::Backend,
    Keys: QueryFragment<DB>,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        match self {
            Which::Keys(keys) => keys.walk_ast(out),
            Which::Where(query) => query.walk_ast(out),
        }
    }
}

impl<R, C, P, K, Vs> Aim<R, C> for PrimaryKey
where
    C: RawConnection,
    R: Reference<Key = K, Parent = P, Columns: Named<C::Backend>>,
    P: Persist<C, Pk = K, PkColumns: QueryFragment<C::Backend> + QueryId>,
    FromClause<P>: QueryFragment<C::Backend>,
    K: Spread<R::Columns, Values = Vs> + Clone,
    Vs: Bind<R::Columns, Bound: Terms<R::Columns, C::Backend>> + 'static,
{
    type Columns = P::PkColumns;
    type Index = ();

    fn one(parent: &K) -> impl Filter<C> {
        Is::<R::Columns, Vs>::new(parent.clone().spread())
    }

    fn full(parents: &[K]) -> impl Filter<C> {
        Full(all_of::<R::Columns, Vs, K>(parents))
    }

    fn several<'a>(parents: Parents<'a, K, C::Backend>) -> impl Filter<C> + 'a {
        match parents {
            Parents::Keys(keys) => Which::Keys(all_of::<R::Columns, Vs, K>(keys)),
            Parents::Where(condition) => {
                let key = P::PkColumns::default();
                let parents = Select::<P, _, _>::new(key, Erased(condition));
                Which::Where(In::<R::Columns, _>::new(parents))
            }
        }
    }

    fn find(conn: &mut C, key: K) -> QueryResult<Option<P>> {
        P::find(conn, key)
    }

    fn index(_conn: &mut C, _parents: &[K]) -> QueryResult<()> {
        Ok(())
    }

    fn parent(_index: &(), key: K) -> Option<K> {
        Some(key)
    }

    fn target(_conn: &mut C, parent: &K) -> Result<Option<K>> {
        Ok(Some(parent.clone()))
    }

    fn targets(_conn: &mut C, parents: Vec<K>) -> Result<Targets<R>> {
        Ok((parents.clone(), parents))
    }
}

/// Those whose columns are one of these keys.
fn all_of<Cs, Vs, K>(keys: &[K]) -> <Is<Cs, Vs> as OneKey>::OneOf
where
    Cs: Columns,
    Vs: Bind<Cs>,
    K: Spread<Cs, Values = Vs> + Clone,
{
    Is::one_of(each(keys, |key| Is::new(key.clone().spread())))
}

impl<R, C, Cs> Aim<R, C> for Unique<Cs>
where
    C: RawConnection,
    R: Reference<Parent: Persist<C>>,
    R::Columns: Named<C::Backend>,
    R::Key: Spread<Cs>,
    Cs: Named<C::Backend> + QueryFragment<C::Backend> + QueryId,
    Is<Cs, <R::Key as Spread<Cs>>::Values>: Filter<C>,
    FromClause<R::Parent>: QueryFragment<C::Backend>,
    PkFilter<R::Parent>: Filter<C>,
    <PkFilter<R::Parent> as OneKey>::OneOf: Filter<C>,
    <R::Parent as Row>::PkColumns: QueryFragment<C::Backend> + QueryId,
    (<R::Parent as Row>::PkColumns, Known<Cs>): Expression,
    C::Backend: QueryMetadata<SqlTypeOf<(<R::Parent as Row>::PkColumns, Known<Cs>)>>,
    (ParentKey<R>, R::Key):
        FromSqlRow<SqlTypeOf<(<R::Parent as Row>::PkColumns, Known<Cs>)>, C::Backend>,
{
    type Columns = Cs;
    type Index = HashMap<R::Key, ParentKey<R>>;

    fn one(parent: &ParentKey<R>) -> impl Filter<C> {
        let parent = R::Parent::pk_filter(parent.clone());
        In::<R::Columns, _>::new(Select::<R::Parent, _, _>::new(Cs::default(), parent))
    }

    fn full(parents: &[ParentKey<R>]) -> impl Filter<C> {
        let parents = Full(<R::Parent as Row>::one_of(parents));
        In::<R::Columns, _>::new(Select::<R::Parent, _, _>::new(Cs::default(), parents))
    }

    fn several<'a>(parents: Parents<'a, ParentKey<R>, C::Backend>) -> impl Filter<C> + 'a {
        let parents = match parents {
            Parents::Keys(keys) => Which::Keys(<R::Parent as Row>::one_of(keys)),
            Parents::Where(condition) => Which::Where(Erased(condition)),
        };
        In::<R::Columns, _>::new(Select::<R::Parent, _, _>::new(Cs::default(), parents))
    }

    fn find(conn: &mut C, key: R::Key) -> QueryResult<Option<R::Parent>> {
        let rows = R::Parent::load_where(conn, Is::<Cs, _>::new(key.spread()))?;
        Ok(rows.into_iter().next())
    }

    fn index(conn: &mut C, parents: &[ParentKey<R>]) -> QueryResult<Self::Index> {
        let mut index = HashMap::with_capacity(parents.len());
        for keys in parents.chunks(conn.system().keys_at_once()) {
            let columns = Default::default();
            let of_these = WithKey::<Cs, _>::new(<R::Parent as Row>::one_of(keys));
            let query = Select::<R::Parent, (_, Known<Cs>), _>::new(columns, of_these);
            let found: Vec<(ParentKey<R>, R::Key)> = rows(conn, query)?;
            for (parent, key) in found {
                index.insert(key, parent);
            }
        }
        Ok(index)
    }

    fn parent(index: &Self::Index, key: R::Key) -> Option<ParentKey<R>> {
        index.get(&key).cloned()
    }

    fn target(conn: &mut C, parent: &ParentKey<R>) -> Result<Option<R::Key>> {
        let index = <Self as Aim<R, C>>::index(conn, std::slice::from_ref(parent))
            .map_err(Error::query(R::Parent::INFO.name, Operation::Load))?;
        Ok(index.into_keys().next())
    }

    fn targets(conn: &mut C, parents: Vec<ParentKey<R>>) -> Result<Targets<R>> {
        let index = <Self as Aim<R, C>>::index(conn, &parents)
            .map_err(Error::query(R::Parent::INFO.name, Operation::Load))?;
        let mut targets = HashMap::with_capacity(index.len());
        for (key, parent) in &index {
            targets.insert(parent, key);
        }
        let target = |parent| {
            let key = targets.get(&parent).map(|key| R::Key::clone(key))?;
            Some((parent, key))
        };
        Ok(parents.into_iter().filter_map(target).unzip())
    }
}

/// A relation whose ends can be stored on `C`.
#[doc(hidden)]
pub trait Referring<C: RawConnection>:
    Reference<Child: Persist<C>, Parent: Persist<C>, Target: Aim<Self, C>>
{
    fn rows(conn: &mut C, of: ParentsOf<'_, Self, C>) -> QueryResult<Vec<Self::Child>>;
    /// The same, where they may go: others are kept from them.
    fn lock_rows(conn: &mut C, of: ParentsOf<'_, Self, C>) -> QueryResult<Vec<Self::Child>>;
    /// Keeps others from them, too.
    fn keys(conn: &mut C, of: ParentsOf<'_, Self, C>) -> QueryResult<Vec<KeyPair<Self>>>;
    /// No more than this many.
    fn some_keys(
        conn: &mut C,
        of: ParentsOf<'_, Self, C>,
        limit: usize,
    ) -> QueryResult<Vec<KeyPair<Self>>>;
    fn count(conn: &mut C, of: ParentsOf<'_, Self, C>) -> QueryResult<usize>;
    fn delete(conn: &mut C, of: ParentsOf<'_, Self, C>) -> QueryResult<usize>;
    /// Makes them refer to another parent, or to none.
    fn replace(
        conn: &mut C,
        of: ParentsOf<'_, Self, C>,
        by: Option<Self::Key>,
    ) -> QueryResult<usize>;
    /// Makes these children refer to another parent, or to none.
    fn set(conn: &mut C, children: &[ChildKey<Self>], by: Option<Self::Key>) -> QueryResult<usize>;
    /// The next parents past this key that have none, in the order of their keys. `indexed` says whether an
    /// index finds the children of one.
    fn lacking(
        conn: &mut C,
        indexed: bool,
        past: Option<ParentKey<Self>>,
        limit: usize,
    ) -> QueryResult<Vec<Self::Parent>>;
    /// Works on the children of the parents, some at a time, by a condition of which no more is known: a
    /// statement with such a one is compiled once for a model, and not for each relation.
    fn each_part<E>(
        on: System,
        of: ParentsOf<'_, Self, C>,
        work: &mut Work<'_, C, E>,
    ) -> Result<(), E>;
}

pub(crate) type ParentsOf<'a, R, C> = Parents<'a, ParentKey<R>, Backend<C>>;

impl<R, C> Referring<C> for R
where
    C: RawConnection,
    R: Reference<Child: Persist<C>, Parent: Persist<C>, Target: Aim<R, C>>,
    R::Columns: Named<C::Backend>,
    R::Key: Spread<R::Columns>,
    Values<R>: Bind<R::Columns, Bound: Terms<R::Columns, C::Backend>>,
    FromClause<R::Child>: QueryFragment<C::Backend>,
    PkFilter<R::Child>: OneKey<OneOf: Filter<C>>,
    ChildKeys<R>: QueryFragment<C::Backend> + QueryId,
    PairOfColumns<R>: Expression,
    C::Backend: QueryMetadata<SqlTypeOf<PairOfColumns<R>>> + QueryMetadata<BigInt>,
    KeyPair<R>: FromSqlRow<SqlTypeOf<PairOfColumns<R>>, C::Backend>,
    i64: FromSqlRow<BigInt, C::Backend>,
    diesel::dsl::CountStar: QueryFragment<C::Backend>,
{
    fn rows(conn: &mut C, of: ParentsOf<'_, R, C>) -> QueryResult<Vec<R::Child>> {
        if let Parents::Keys([key]) = of {
            return R::Child::load_where(conn, <R::Target as Aim<R, C>>::one(key));
        }
        let mut found = Vec::new();
        Self::each_part::<DieselError>(conn.system(), of, &mut |these| {
            found.append(&mut R::Child::load_where(conn, Erased(these))?);
            Ok(())
        })?;
        Ok(found)
    }

    fn lock_rows(conn: &mut C, of: ParentsOf<'_, R, C>) -> QueryResult<Vec<R::Child>> {
        if !conn.system().locks_rows() {
            return Self::rows(conn, of);
        }
        let mut found = Vec::new();
        Self::each_part::<DieselError>(conn.system(), of, &mut |these| {
            found.append(&mut R::Child::lock_where(conn, Erased(these))?);
            Ok(())
        })?;
        Ok(found)
    }

    fn keys(conn: &mut C, of: ParentsOf<'_, R, C>) -> QueryResult<Vec<KeyPair<R>>> {
        let mut found = Vec::new();
        Self::each_part::<DieselError>(conn.system(), of, &mut |these| {
            let query =
                Select::<R::Child, PairOfColumns<R>, _>::new(Default::default(), Erased(these));
            found.append(&mut rows(conn, ForUpdate(query))?);
            Ok(())
        })?;
        Ok(found)
    }

    fn some_keys(
        conn: &mut C,
        of: ParentsOf<'_, R, C>,
        limit: usize,
    ) -> QueryResult<Vec<KeyPair<R>>> {
        let mut found = Vec::new();
        Self::each_part::<DieselError>(conn.system(), of, &mut |these| {
            let limit = limit - found.len();
            if limit == 0 {
                return Ok(());
            }
            let query =
                Select::<R::Child, PairOfColumns<R>, _>::new(Default::default(), Erased(these));
            found.append(&mut rows(conn, ForUpdate(Limit { query, limit }))?);
            Ok(())
        })?;
        Ok(found)
    }

    fn count(conn: &mut C, of: ParentsOf<'_, R, C>) -> QueryResult<usize> {
        let mut count = 0;
        Self::each_part::<DieselError>(conn.system(), of, &mut |these| {
            let query = Select::<R::Child, _, _>::new(count_star(), Erased(these));
            count += first_row(conn, query)?.unwrap_or(0_i64);
            Ok(())
        })?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    fn delete(conn: &mut C, of: ParentsOf<'_, R, C>) -> QueryResult<usize> {
        let mut count = 0;
        let rest = match of {
            Parents::Keys([key]) => {
                return R::Child::remove_where(conn, <R::Target as Aim<R, C>>::one(key));
            }
            Parents::Keys(keys) => {
                let full = keys.chunks_exact(conn.system().keys_at_once());
                let rest = full.remainder();
                for keys in full {
                    count += R::Child::remove_where(conn, <R::Target as Aim<R, C>>::full(keys))?;
                }
                Parents::Keys(rest)
            }
            nested @ Parents::Where(_) => nested,
        };
        Self::each_part::<DieselError>(conn.system(), rest, &mut |these| {
            count += R::Child::remove_where(conn, Erased(these))?;
            Ok(())
        })?;
        Ok(count)
    }

    fn replace(conn: &mut C, of: ParentsOf<'_, R, C>, by: Option<R::Key>) -> QueryResult<usize> {
        let mut count = 0;
        Self::each_part::<DieselError>(conn.system(), of, &mut |these| {
            count += change::<R, C>(conn, Erased(these), by.as_ref())?;
            Ok(())
        })?;
        Ok(count)
    }

    fn set(conn: &mut C, children: &[ChildKey<R>], by: Option<R::Key>) -> QueryResult<usize> {
        let mut count = 0;
        for keys in children.chunks(conn.system().keys_at_once()) {
            let these = <R::Child as Row>::one_of(keys);
            count += change::<R, C>(conn, Erased(&these), by.as_ref())?;
        }
        Ok(count)
    }

    fn lacking(
        conn: &mut C,
        indexed: bool,
        past: Option<ParentKey<R>>,
        limit: usize,
    ) -> QueryResult<Vec<R::Parent>> {
        R::Parent::load_next(conn, WithoutChild::<R, C>::new(indexed), past, limit)
    }

    fn each_part<E>(
        on: System,
        of: ParentsOf<'_, R, C>,
        work: &mut Work<'_, C, E>,
    ) -> Result<(), E> {
        let at_once = on.keys_at_once();
        match of {
            Parents::Keys([key]) => work(&<R::Target as Aim<R, C>>::one(key)),
            Parents::Keys(keys) => {
                keys.chunks(at_once)
                    .try_for_each(|keys| match keys.len() == at_once {
                        true => work(&<R::Target as Aim<R, C>>::full(keys)),
                        false => work(&<R::Target as Aim<R, C>>::several(Parents::Keys(keys))),
                    })
            }
            nested @ Parents::Where(_) => work(&<R::Target as Aim<R, C>>::several(nested)),
        }
    }
}

/// Writes what the rows for which this holds refer to.
fn change<R, C>(
    conn: &mut C,
    rows: Erased<'_, Backend<C>>,
    by: Option<&R::Key>,
) -> QueryResult<usize>
where
    C: RawConnection,
    R: Reference<Child: Persist<C>>,
    R::Columns: Named<C::Backend>,
    R::Key: Spread<R::Columns>,
    Values<R>: Bind<R::Columns, Bound: Terms<R::Columns, C::Backend>>,
{
    match by {
        None => R::Child::change_where(conn, Clear::<R::Columns>::default(), rows),
        Some(key) => {
            let values = Assign::<R::Columns, _>::new(key.clone().spread());
            R::Child::change_where(conn, values, rows)
        }
    }
}
