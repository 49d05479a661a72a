//! What a model is, and the operations that every model has.

use std::fmt::Debug;
use std::hash::Hash;
use std::panic::Location;
use std::time::SystemTime;

use diesel::dsl::SqlTypeOf;
use diesel::expression::Expression;
use diesel::query_builder::{AsChangeset, QueryFragment};
use diesel::{Connection, Table};

use crate::__private::{Changes, Fields, Place};
use crate::backend::statements::{Columns, OneKey};
use crate::collector::{self, DeletePlan, Deleted};
use crate::connection::{HookConnection, RawConnection};
use crate::each::each;
use crate::error::{Key, RegistryError, Result};
use crate::lifecycle::{self, ModelHooks};
use crate::receiver::Senders;
use crate::relation::Entries;
use crate::signal::ColumnSet;
use crate::trace;

mod condition;
mod new;
mod persist;

pub use self::condition::Condition;
#[doc(hidden)]
pub use self::new::Keyed;
pub use self::new::{IntoNew, Upsert};
pub use self::persist::{Filter, Persist, Refused, Stored};

/// A struct over a table whose rows have a lifecycle, made one by `#[derive(Hooks)]`.
///
/// Every operation sends the [signals](crate::signal) of the model and happens together with its
/// receivers and dependents, or not at all: it opens a transaction, or a savepoint inside one, where
/// something could be left half done. On an error the database and the instance are as before.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_hooks::prelude::*;
///
/// diesel::table! {
///     books (id) { id -> Integer, title -> Text, pages -> Nullable<Integer> }
/// }
///
/// #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
/// struct Book {
///     id: i32,
///     title: String,
///     pages: Option<i32>,
/// }
///
/// # fn main() -> diesel_hooks::Result {
/// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
/// # diesel::sql_query("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL, pages INTEGER)").execute(&mut conn)?;
/// let mut book = Book::create(&mut conn, NewBook { title: "Emma".into(), pages: None })?;
/// book.update(&mut conn, |book| book.pages = Some(474))?;
/// book.update_set(&mut conn, books::pages.eq(books::pages + 1))?;
/// assert_eq!(book.pages, Some(475));
///
/// book.pages = None;
/// book.save(&mut conn)?;
/// assert_eq!(Book::get(&mut conn, book.pk())?, book);
///
/// let more = ["Persuasion", "Sanditon"].map(|title| NewBook { title: title.into(), pages: None });
/// assert_eq!(Book::create_many(&mut conn, more.into())?.len(), 2);
///
/// assert_eq!(book.delete(&mut conn)?.total, 1);
/// assert!(matches!(book.refresh(&mut conn), Err(diesel_hooks::Error::NotFound { .. })));
/// # Ok(())
/// # }
/// ```
///
/// An inherent method of the same name wins over a method of this trait; `Model::delete(&user, conn)`
/// names this one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "has no hooks",
    note = "add `#[derive(Hooks)]` to `{Self}`"
)]
pub trait Model: Clone + Send + Sync + Sized + 'static {
    /// The type of the primary key; a tuple, if the key has several columns.
    type Pk: Clone + Eq + Hash + Debug + Send + Sync + 'static;
    /// What a row is created from.
    type New: 'static;

    /// What the model is called.
    const INFO: ModelInfo;

    /// The primary key of this row.
    fn pk(&self) -> Self::Pk;

    /// Inserts a row and creates its dependents.
    ///
    /// The row is read back, so defaults, triggers and conversions of the database are in it.
    ///
    /// # Errors
    ///
    /// [`Error::Query`](crate::Error::Query) if the database refuses the row,
    /// [`Error::DependentExists`](crate::Error::DependentExists) if a dependent was made before its turn, and
    /// what receivers return.
    fn create<C: HookConnection>(conn: &mut C, new: Self::New) -> Result<Self>
    where
        Self: Persist<C::Raw>,
    {
        trace::operation::<Self, _, _>("create", conn.raw_connection(), |conn| {
            lifecycle::create(conn, new)
        })
    }

    /// Inserts many rows, all or none, and creates their dependents.
    ///
    /// Each signal is sent for all rows before the next signal is; a receiver that takes a slice is
    /// called once. The rows, and then their dependents, go into as few statements as the backend allows,
    /// and come back in the order in which they were given. On a table with triggers, and where the key of a
    /// hand-written [`Model::New`] cannot be known beforehand, each row is inserted by itself.
    ///
    /// # Errors
    ///
    /// As [`Model::create`].
    fn create_many<C: HookConnection>(conn: &mut C, new: Vec<Self::New>) -> Result<Vec<Self>>
    where
        Self: Persist<C::Raw>,
    {
        trace::operation::<Self, _, _>("create_many", conn.raw_connection(), |conn| {
            lifecycle::create_many(conn, new)
        })
    }

    /// Loads the row with this key.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`](crate::Error::NotFound) if there is none.
    fn get<C: HookConnection>(conn: &mut C, pk: Self::Pk) -> Result<Self>
    where
        Self: Persist<C::Raw>,
    {
        trace::operation::<Self, _, _>("get", conn.raw_connection(), |conn| {
            lifecycle::get(conn, &pk)
        })
    }

    /// Loads this row again.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`](crate::Error::NotFound) if it is gone.
    fn refresh<C: HookConnection>(&mut self, conn: &mut C) -> Result
    where
        Self: Persist<C::Raw>,
    {
        *self = trace::operation::<Self, _, _>("refresh", conn.raw_connection(), |conn| {
            lifecycle::get(conn, &self.pk())
        })?;
        Ok(())
    }

    /// Writes every column of this row, `None` as NULL.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`](crate::Error::NotFound) if the row is gone, [`Error::Query`](crate::Error::Query)
    /// if the database refuses the values, and what receivers return.
    fn save<C: HookConnection>(&mut self, conn: &mut C) -> Result
    where
        Self: Persist<C::Raw>,
    {
        trace::operation::<Self, _, _>("save", conn.raw_connection(), |conn| {
            lifecycle::save(conn, self)
        })
    }

    /// Changes this row, and writes the columns that then differ; sends nothing to the database and to
    /// receivers if none does.
    ///
    /// The closure works on a copy, which replaces the instance when all is done. A field that no update
    /// writes, as one with `#[diesel(skip_update)]` or `#[hooks(generated)]`, keeps its value whatever the
    /// closure and receivers make of it.
    ///
    /// # Errors
    ///
    /// As [`Model::save`], and [`Error::KeyChanged`](crate::Error::KeyChanged) if the closure or a
    /// receiver changed the key.
    fn update<C: HookConnection>(&mut self, conn: &mut C, change: impl FnOnce(&mut Self)) -> Result
    where
        Self: Persist<C::Raw>,
    {
        trace::operation::<Self, _, _>("update", conn.raw_connection(), |conn| {
            lifecycle::update(conn, self, change)
        })
    }

    /// Runs a Diesel changeset on this row and reads it back; an empty changeset does nothing.
    ///
    /// The signals before the update see the row as the changeset leaves it, because a changeset may hold
    /// expressions that only the database can compute. What their receivers change is written too.
    ///
    /// # Errors
    ///
    /// As [`Model::save`], and [`Error::KeyChanged`](crate::Error::KeyChanged) if the changeset or a receiver
    /// changed the key.
    fn update_set<C, S>(&mut self, conn: &mut C, changeset: S) -> Result
    where
        C: HookConnection,
        Self: Persist<C::Raw>,
        S: AsChangeset<Target = <Self as Row>::Table>,
        S::Changeset: QueryFragment<<C::Raw as Connection>::Backend>,
    {
        trace::operation::<Self, _, _>("update_set", conn.raw_connection(), |conn| {
            lifecycle::update_set(conn, self, changeset.as_changeset())
        })
    }

    /// The row that fulfils a condition, created if there is none, and whether it was created.
    ///
    /// The condition is any boolean expression over the table. `new` is what the row is created from, as
    /// [`create`](Model::create) takes it, or a closure that makes it, which is called only if there is no row.
    /// The row that is there is one SELECT, without signals. If somebody else creates it meanwhile, a unique
    /// constraint refuses ours: what was done for it is undone, callbacks included, and theirs is returned.
    /// Without such a constraint there may be two in the end.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_hooks::prelude::*;
    /// # diesel::table! { tags (id) { id -> Integer, name -> Text, uses -> Integer } }
    /// # #[derive(Debug, Clone, Queryable, Hooks)]
    /// # struct Tag { id: i32, name: String, uses: i32 }
    /// # fn main() -> diesel_hooks::Result {
    /// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    /// # diesel::sql_query("CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, uses INTEGER NOT NULL)").execute(&mut conn)?;
    /// let new = || NewTag { name: "rust".into(), uses: 1 };
    /// let (tag, created) = Tag::get_or_create(&mut conn, tags::name.eq("rust"), new)?;
    /// assert!(created);
    /// let (same, created) = Tag::get_or_create(&mut conn, tags::name.eq("rust"), new)?;
    /// assert!(!created && same.id == tag.id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::SeveralRows`](crate::Error::SeveralRows) if more than one row fulfils the condition, and as
    /// [`Model::create`]: another row than the one that was looked for may have what must be unique.
    fn get_or_create<C: HookConnection, How>(
        conn: &mut C,
        filter: impl Condition<Self, C::Raw>,
        new: impl IntoNew<Self::New, How>,
    ) -> Result<(Self, bool)>
    where
        Self: Persist<C::Raw>,
    {
        trace::operation::<Self, _, _>("get_or_create", conn.raw_connection(), |conn| {
            lifecycle::get_or_create(conn, filter, || new.into_new())
        })
    }

    /// Changes the row that fulfils a condition, or creates it if there is none, and says whether it was
    /// created.
    ///
    /// `filter` and `new` are as for [`get_or_create`](Model::get_or_create), and `change` as for
    /// [`update`](Model::update): what differs is written, and nothing is sent if nothing does. A row that is
    /// created is not changed. The look and the write are one transaction; one of the application's own has to be
    /// immediate on SQLite, or a writer in between makes it fail as busy.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_hooks::prelude::*;
    /// # diesel::table! { tags (id) { id -> Integer, name -> Text, uses -> Integer } }
    /// # #[derive(Debug, Clone, Queryable, Hooks)]
    /// # struct Tag { id: i32, name: String, uses: i32 }
    /// # fn main() -> diesel_hooks::Result {
    /// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    /// # diesel::sql_query("CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, uses INTEGER NOT NULL)").execute(&mut conn)?;
    /// let mut use_tag = |name: &str| {
    ///     let new = || NewTag { name: name.into(), uses: 1 };
    ///     Tag::update_or_create(&mut conn, tags::name.eq(name), new, |tag| tag.uses += 1)
    /// };
    /// use_tag("rust")?;
    /// let (tag, created) = use_tag("rust")?;
    /// assert!(!created && tag.uses == 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Model::get_or_create`] and [`Model::update`].
    fn update_or_create<C: HookConnection, How>(
        conn: &mut C,
        filter: impl Condition<Self, C::Raw>,
        new: impl IntoNew<Self::New, How>,
        change: impl FnOnce(&mut Self),
    ) -> Result<(Self, bool)>
    where
        Self: Persist<C::Raw>,
    {
        trace::operation::<Self, _, _>("update_or_create", conn.raw_connection(), |conn| {
            lifecycle::update_or_create(conn, filter, || new.into_new(), change)
        })
    }

    /// Writes a row whose key the application makes: inserts it, or updates the one that has this key, and says
    /// whether it was created.
    ///
    /// The key is looked up first, so the signals are those of what happens. An update writes every column that
    /// `new` has, also if nothing differs, as [`save`](Model::save) does; the row's other columns stay. Of a
    /// struct of the application's own in `#[hooks(new = ..)]` only Diesel knows the columns: its update runs
    /// before the signals, as that of [`update_set`](Model::update_set).
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_hooks::prelude::*;
    ///
    /// diesel::table! { settings (name) { name -> Text, value -> Text } }
    ///
    /// #[derive(Debug, Clone, Queryable, Hooks)]
    /// #[diesel(primary_key(name))]
    /// struct Setting {
    ///     #[hooks(assigned)]
    ///     name: String,
    ///     value: String,
    /// }
    ///
    /// # fn main() -> diesel_hooks::Result {
    /// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    /// # diesel::sql_query("CREATE TABLE settings (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)").execute(&mut conn)?;
    /// let mut set = |value: &str| {
    ///     Setting::upsert(&mut conn, NewSetting { name: "theme".into(), value: value.into() })
    /// };
    /// assert!(set("light")?.1);
    /// let (setting, created) = set("dark")?;
    /// assert!(!created && setting.value == "dark");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Model::create`] and [`Model::save`].
    fn upsert<C: HookConnection>(conn: &mut C, new: Self::New) -> Result<(Self, bool)>
    where
        Self: Upsert<C::Raw>,
        Self::New: Clone,
    {
        trace::operation::<Self, _, _>("upsert", conn.raw_connection(), |conn| {
            lifecycle::upsert(conn, new)
        })
    }

    /// Deletes this row and what depends on it.
    ///
    /// Everything is looked at before anything is written. What becomes of each row that refers to this one,
    /// its relation says by [`on_delete`](crate::relation::OnDelete): rows that cascade go too, dependents first,
    /// others protect this one or are made to refer to something else. Rows of which nobody hears are not
    /// loaded. A row that is gone already is no error, not counted, and its receivers do not hear of it.
    ///
    /// # Errors
    ///
    /// [`Error::Protected`](crate::Error::Protected) and [`Error::Restricted`](crate::Error::Restricted) with the
    /// blocking rows, [`Error::Cycle`](crate::Error::Cycle) if rows refer to each other in a circle that cannot be
    /// opened, [`Error::Set`](crate::Error::Set) if the function of a relation failed,
    /// [`Error::ChildAppeared`](crate::Error::ChildAppeared) if a dependent came into being too late to go,
    /// [`Error::RowCount`](crate::Error::RowCount) if a trigger keeps a row,
    /// [`Error::Query`](crate::Error::Query) if the database refuses, and what receivers return.
    fn delete<C: HookConnection>(&self, conn: &mut C) -> Result<Deleted>
    where
        Self: Persist<C::Raw>,
    {
        trace::operation::<Self, _, _>("delete", conn.raw_connection(), |conn| {
            collector::delete(conn, self, None)
        })
    }

    /// Deletes this row and what depends on it, if that is not more than `max_rows` rows in all.
    ///
    /// To count them, it loads the key of every row that would go, and stops at the first too many, before
    /// anything is written.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyRows`](crate::Error::TooManyRows), and as [`Model::delete`].
    fn delete_at_most<C: HookConnection>(&self, conn: &mut C, max_rows: usize) -> Result<Deleted>
    where
        Self: Persist<C::Raw>,
    {
        trace::operation::<Self, _, _>("delete", conn.raw_connection(), |conn| {
            collector::delete(conn, self, Some(max_rows))
        })
    }

    /// What deleting this row would do: which rows would go, which would change, which block it, and which
    /// receivers would hear of it.
    ///
    /// It writes nothing, and no receiver runs. It reads the key of every row that would go, also where the
    /// delete itself need not.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_hooks::prelude::*;
    ///
    /// diesel::table! { authors (id) { id -> Integer, name -> Text } }
    /// diesel::table! { books (id) { id -> Integer, author_id -> Integer } }
    ///
    /// #[derive(Debug, Clone, Queryable, Hooks)]
    /// struct Author {
    ///     id: i32,
    ///     name: String,
    /// }
    ///
    /// #[derive(Debug, Clone, Queryable, Hooks)]
    /// struct Book {
    ///     id: i32,
    ///     #[hooks(foreign_key(Author, on_delete = Cascade))]
    ///     author_id: i32,
    /// }
    ///
    /// # fn main() -> diesel_hooks::Result {
    /// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    /// # for table in [
    /// #     "CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
    /// #     "CREATE TABLE books (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES authors)",
    /// # ] {
    /// #     diesel::sql_query(table).execute(&mut conn)?;
    /// # }
    /// let jane = Author::create(&mut conn, NewAuthor { name: "Jane".into() })?;
    /// Book::create_many(&mut conn, vec![NewBook { author_id: jane.id }, NewBook { author_id: jane.id }])?;
    ///
    /// let plan = jane.delete_plan(&mut conn)?;
    /// assert_eq!(
    ///     plan.to_string(),
    ///     "delete 1 Author (1)\n└── Book.author_id: delete 2 Book (1, 2)\n"
    /// );
    /// assert!(!plan.is_blocked());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`](crate::Error::NotFound) if the row is gone, [`Error::Query`](crate::Error::Query)
    /// if the database refuses to be read.
    fn delete_plan<C: HookConnection>(&self, conn: &mut C) -> Result<DeletePlan>
    where
        Self: Persist<C::Raw>,
    {
        trace::operation::<Self, _, _>("delete_plan", conn.raw_connection(), |conn| {
            collector::outline(conn, self)
        })
    }
}

/// What a model is called, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ModelInfo {
    /// The struct's name.
    pub name: &'static str,
    /// The table's name in the schema module.
    pub table: &'static str,
    /// The file in which the struct stands.
    pub file: &'static str,
    /// The line of that file.
    pub line: u32,
}

/// What a model is called, whose derive calls this.
#[doc(hidden)]
#[track_caller]
pub const fn info(name: &'static str, table: &'static str) -> ModelInfo {
    let place = Location::caller();
    ModelInfo {
        name,
        table,
        file: place.file(),
        line: place.line(),
    }
}

/// What the derive says of a model for all backends alike.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "has no hooks",
    note = "add `#[derive(Hooks)]` to `{Self}`"
)]
pub trait Row: Model {
    type Table: Table + Default;
    /// `key = ?`, for each column of the key.
    type PkFilter: OneKey;
    /// The key's columns.
    type PkColumns: Expression<SqlType: 'static> + Default;
    /// What is selected for each field.
    type Fields;
    /// `column = ?` for each column of [`Row::COLUMNS`] that is to be written.
    type Changeset<'a>: Changes;
    /// What the key's columns are called in SQL, in their order.
    const KEY: &'static [&'static str] = <<Self::PkFilter as OneKey>::Columns as Columns>::NAMES;
    /// The columns that an update may write, in the order of the fields; an embedded struct has no name.
    const COLUMNS: &'static [&'static str] = <Self::Changeset<'static> as Changes>::NAMES;
    /// The relations that the model's fields declare.
    const RELATIONS: Entries = &[];
    /// Whether fields say when the row was created or last written.
    const STAMPED: bool = false;

    fn pk_filter(pk: Self::Pk) -> Self::PkFilter;
    /// The rows with these keys.
    fn one_of(keys: &[Self::Pk]) -> <Self::PkFilter as OneKey>::OneOf {
        Self::PkFilter::one_of(each(keys, |key| Self::pk_filter(key.clone())))
    }
    fn changeset(&self, columns: ColumnSet) -> Self::Changeset<'_>;
    /// The columns in which two states of a row differ.
    fn differing(&self, other: &Self) -> ColumnSet;
    /// The key that a row will have, where it is not the database that makes it.
    #[inline]
    fn key_of_new(_new: &Self::New) -> Option<Self::Pk> {
        None
    }
    /// Puts back the fields that no update writes.
    #[inline]
    fn keep_unwritten(&mut self, _before: &Self) {}
    /// Stamps what a row is created from; a generated `New` gets its stamps by [`Row::Fields`].
    #[inline]
    fn stamp_new(_new: &mut Self::New, _at: SystemTime) {}
    /// Stamps a row that is about to be updated.
    #[inline]
    fn stamp(&mut self, _at: SystemTime) {}
    /// The key as errors tell it.
    fn key_of(pk: &Self::Pk) -> Key {
        Key::of::<SqlTypeOf<Self::PkColumns>, _>(pk)
    }
    fn key(&self) -> Key {
        Self::key_of(&self.pk())
    }
    /// Shows the traits that it extends.
    fn senders<V: Senders<Self>>(_visitor: &mut V) {}
    /// The row as JSON.
    #[cfg(feature = "serde")]
    fn to_json(&self) -> serde_json::Result<serde_json::Value>;
    /// What only the types of embedded structs can tell.
    fn check_embedded() -> Result<(), RegistryError> {
        Ok(())
    }
}

/// The columns that a backend selects for a model; only an embedded struct makes them depend on it.
#[doc(hidden)]
pub trait Select<DB>: Row {
    type Selection;
    fn selection() -> Self::Selection;
}

impl<M: Row<Fields: Fields<DB>>, DB> Select<DB> for M {
    type Selection = <M::Fields as Fields<DB>>::Selection;
    fn selection() -> Self::Selection {
        M::Fields::selection()
    }
}

/// A model that has receivers and relations on connections of type `C`, known once and for all.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no hooks on this connection",
    label = "not a model on this connection",
    note = "add `#[derive(Hooks)]`, and turn on the feature of the connection's backend in diesel-hooks"
)]
pub trait Hooked<C: RawConnection>: Row {
    fn place() -> &'static Place<Self, C>;
    #[inline]
    fn hooks() -> Result<&'static ModelHooks<Self, C>> {
        Self::place().hooks()
    }
}
