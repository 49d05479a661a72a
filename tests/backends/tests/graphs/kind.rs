//! A model without its type: what can be done to its rows, whose columns all hold numbers.

use std::collections::BTreeMap;

use backends::TestConnection;
use diesel_hooks::{DeletePlan, Deleted, Persist, Result};

use super::heard::{Event, Moment};
use super::rows::Row;

/// A row, by the names of its columns.
pub(crate) type Cells = BTreeMap<&'static str, Option<i32>>;

/// The values of some of its columns.
pub(crate) fn values(cells: &Cells, columns: &[&'static str]) -> Option<Vec<i32>> {
    columns.iter().map(|column| cells[column]).collect()
}

/// A value of a column, as a number; text is a number behind a letter.
pub(crate) trait Cell {
    const SQL: &'static str;
    const NULLABLE: bool = false;
    fn of(value: Option<i32>) -> Self;
    fn value(&self) -> Option<i32>;
}

impl Cell for i32 {
    const SQL: &'static str = "INTEGER";

    fn of(value: Option<i32>) -> Self {
        value.expect("a column that is never NULL has a value")
    }

    fn value(&self) -> Option<i32> {
        Some(*self)
    }
}

impl Cell for String {
    const SQL: &'static str = "TEXT";

    fn of(value: Option<i32>) -> Self {
        format!("n{}", i32::of(value))
    }

    fn value(&self) -> Option<i32> {
        let number = self.strip_prefix('n')?.parse();
        Some(number.expect("text is a number behind a letter"))
    }
}

impl<T: Cell> Cell for Option<T> {
    const SQL: &'static str = T::SQL;
    const NULLABLE: bool = true;

    fn of(value: Option<i32>) -> Self {
        value.map(|value| T::of(Some(value)))
    }

    fn value(&self) -> Option<i32> {
        self.as_ref()?.value()
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
    pub(crate) nullable: bool,
}

/// A model whose columns are [`Cell`]s, as [`model!`](crate::model) writes it.
pub(crate) trait Animal: Persist<TestConnection> {
    const TABLE: &'static str;
    const KEYED_BY: &'static [&'static str];
    const CELLS: &'static [Column];
    const IS_GENERATED: bool;
    fn of(cells: &Cells) -> Self;
    fn cells(&self) -> Cells;
    fn new(cells: &Cells) -> Self::New;
    fn cells_of_new(new: &Self::New) -> Cells;
    /// Writes all columns by a changeset.
    fn set(&mut self, conn: &mut TestConnection, to: &Cells) -> Result;
    /// None where the database makes the key.
    fn put(conn: &mut TestConnection, cells: &Cells) -> Option<Result<(Self, bool)>>;
    fn find_or_create(conn: &mut TestConnection, cells: &Cells) -> Result<(Self, bool)>;
    /// Puts these cells into the rows whose first column of the key is one of these.
    fn update_all(conn: &mut TestConnection, firsts: &[i32], cells: &Cells) -> Result<Vec<Self>>;
    fn delete_all(
        conn: &mut TestConnection,
        firsts: &[i32],
        most: Option<usize>,
    ) -> Result<Deleted>;
    /// As Diesel reads them.
    fn stored(conn: &mut TestConnection) -> Vec<Self>;

    /// With some other cells.
    fn with(&self, cells: &Cells) -> Self {
        let mut all = self.cells();
        all.extend(cells);
        Self::of(&all)
    }
}

type Conn<'a> = &'a mut TestConnection;
/// A row, and whether it was created.
type Found = Result<(Cells, bool)>;

pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) table: &'static str,
    pub(crate) key: &'static [&'static str],
    pub(crate) columns: &'static [Column],
    /// Whether the database makes the key.
    pub(crate) is_generated: bool,
    pub(crate) heard: &'static [Moment],
    pub(crate) create: fn(Conn, &Cells) -> Result<Cells>,
    pub(crate) create_many: fn(Conn, &[Cells]) -> Result<Vec<Cells>>,
    pub(crate) save: fn(Conn, &Cells) -> Result<Cells>,
    /// From one state to another.
    pub(crate) update: fn(Conn, &Cells, &Cells) -> Result<Cells>,
    pub(crate) update_set: fn(Conn, &Cells, &Cells) -> Result<Cells>,
    pub(crate) update_all: fn(Conn, &[i32], &Cells) -> Result<Vec<Cells>>,
    pub(crate) upsert: fn(Conn, &Cells) -> Option<Found>,
    pub(crate) get_or_create: fn(Conn, &Cells) -> Found,
    /// At most so many rows.
    pub(crate) delete: fn(Conn, &Cells, Option<usize>) -> Result<Deleted>,
    pub(crate) delete_all: fn(Conn, &[i32], Option<usize>) -> Result<Deleted>,
    pub(crate) plan: fn(Conn, &Cells) -> Result<DeletePlan>,
    pub(crate) stored: fn(Conn) -> Vec<Cells>,
}

impl Kind {
    pub(crate) fn of<M: Animal>(heard: &'static [Moment]) -> Kind {
        Kind {
            name: M::INFO.name,
            table: M::TABLE,
            key: M::KEYED_BY,
            columns: M::CELLS,
            is_generated: M::IS_GENERATED,
            heard,
            create: |conn, cells| M::create(conn, M::new(cells)).map(|row| row.cells()),
            create_many: |conn, rows| {
                let new = rows.iter().map(M::new).collect();
                let rows = M::create_many(conn, new)?;
                Ok(rows.iter().map(M::cells).collect())
            },
            save: |conn, to| changed::<M>(to, |row| row.save(conn)),
            update: |conn, from, to| {
                changed::<M>(from, |row| row.update(conn, |it| *it = M::of(to)))
            },
            update_set: |conn, from, to| changed::<M>(from, |row| row.set(conn, to)),
            update_all: |conn, firsts, cells| {
                let rows = M::update_all(conn, firsts, cells)?;
                Ok(rows.iter().map(M::cells).collect())
            },
            upsert: |conn, cells| {
                let outcome = M::put(conn, cells)?;
                Some(outcome.map(|(row, created)| (row.cells(), created)))
            },
            get_or_create: |conn, cells| {
                let (row, created) = M::find_or_create(conn, cells)?;
                Ok((row.cells(), created))
            },
            delete: |conn, cells, most| match most {
                None => M::of(cells).delete(conn),
                Some(most) => M::of(cells).delete_at_most(conn, most),
            },
            delete_all: M::delete_all,
            plan: |conn, cells| M::of(cells).delete_plan(conn),
            stored: |conn| M::stored(conn).iter().map(M::cells).collect(),
        }
    }
}

impl Kind {
    pub(crate) fn row(&self, cells: &Cells) -> Row {
        let key = values(cells, self.key);
        (self.table, key.expect("no part of a key is NULL"))
    }

    pub(crate) fn hears(&self, moment: Moment) -> bool {
        self.heard.contains(&moment)
    }

    /// Those of a row's columns that the model has.
    pub(crate) fn part(&self, row: &Cells) -> Cells {
        let is_known = |name: &str| self.columns.iter().any(|it| it.name == name);
        let part = row.iter().filter(|(name, _)| is_known(name));
        part.map(|(name, value)| (*name, *value)).collect()
    }

    /// What is heard of a row, if anything is.
    pub(crate) fn event(&self, moment: Moment, row: &Cells) -> Option<Event> {
        self.hears(moment).then(|| Event {
            moment,
            model: self.name,
            row: self.part(row),
        })
    }
}

/// The row after it was worked on, which leaves it alone if it fails.
fn changed<M: Animal>(cells: &Cells, work: impl FnOnce(&mut M) -> Result) -> Result<Cells> {
    let mut row = M::of(cells);
    let before = row.cells();
    let outcome = work(&mut row);
    if outcome.is_err() {
        assert_eq!(row.cells(), before, "what failed left the instance alone");
    }
    outcome.map(|()| row.cells())
}

/// A model and its table: `of` one of its own, `over` one that stands elsewhere; the columns of the key come
/// first.
#[macro_export]
macro_rules! model {
    (
        $(#[$attr:meta])*
        $model:ident of $table:ident {
            $($(#[$keyed:meta])* $key:ident: $key_ty:ty = [$($key_sql:tt)*]),+
        } {
            $($(#[$with:meta])* $field:ident: $ty:ty = [$($sql:tt)*]),* $(,)?
        }
    ) => {
        diesel::table! { $table ($($key),+) {
            $($key -> $($key_sql)*,)+ $($field -> $($sql)*,)*
        } }
        $crate::model! {
            $(#[$attr])*
            $model over $table { $($(#[$keyed])* $key: $key_ty),+ } { $($(#[$with])* $field: $ty),* }
        }
    };
    (
        $(#[$attr:meta])*
        $model:ident made as $new:ident of $table:ident { $key:ident } {
            $($(#[$with:meta])* $field:ident: $ty:ty = [$($sql:tt)*]),* $(,)?
        }
    ) => {
        diesel::table! { $table ($key) { $key -> Integer, $($field -> $($sql)*,)* } }

        #[derive(Debug, Clone, Queryable, AsChangeset, Hooks)]
        #[diesel(table_name = $table, treat_none_as_null = true)]
        #[hooks(connection(TestConnection))]
        $(#[$attr])*
        pub(crate) struct $model {
            pub(crate) $key: i32,
            $($(#[$with])* pub(crate) $field: $ty,)*
        }

        $crate::model! { @animal $model $table [$key: i32] [$($field: $ty),*]
            IS_GENERATED = true;
            fn new(cells: &Cells) -> $new {
                $new { $($field: <$ty as Cell>::of(cells[stringify!($field)])),* }
            }
            fn cells_of_new(new: &$new) -> Cells {
                [$((stringify!($field), new.$field.value())),*].into()
            }
            fn put(_: &mut TestConnection, _: &Cells) -> Option<diesel_hooks::Result<(Self, bool)>> {
                None
            }
        }
    };
    (
        $(#[$attr:meta])*
        $model:ident over $table:ident {
            $($(#[$keyed:meta])* $key:ident: $key_ty:ty),+
        } {
            $($(#[$with:meta])* $field:ident: $ty:ty),*
        }
    ) => {
        #[derive(Debug, Clone, Queryable, Insertable, AsChangeset, Hooks)]
        #[diesel(table_name = $table, primary_key($($key),+))]
        #[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
        #[hooks(new = Self, connection(TestConnection))]
        $(#[$attr])*
        pub(crate) struct $model {
            $($(#[$keyed])* pub(crate) $key: $key_ty,)+
            $($(#[$with])* pub(crate) $field: $ty,)*
        }

        $crate::model! { @animal $model $table [$($key: $key_ty),+] [$($field: $ty),*]
            IS_GENERATED = false;
            fn new(cells: &Cells) -> Self {
                Self::of(cells)
            }
            fn cells_of_new(new: &Self) -> Cells {
                new.cells()
            }
            fn put(conn: &mut TestConnection, cells: &Cells) -> Option<diesel_hooks::Result<(Self, bool)>> {
                Some(Self::upsert(conn, Self::of(cells)))
            }
        }
    };
    (
        @animal $model:ident $table:ident
        [$first:ident: $first_ty:ty $(, $key:ident: $key_ty:ty)*] [$($field:ident: $ty:ty),*]
        IS_GENERATED = $is_generated:literal; $($new:item)*
    ) => {
        impl $crate::graphs::kind::Animal for $model {
            const TABLE: &'static str = stringify!($table);
            const KEYED_BY: &'static [&'static str] = &[stringify!($first) $(, stringify!($key))*];
            const CELLS: &'static [$crate::graphs::kind::Column] = &[
                $crate::model!(@column $first $first_ty),
                $($crate::model!(@column $key $key_ty),)*
                $($crate::model!(@column $field $ty),)*
            ];
            const IS_GENERATED: bool = $is_generated;

            $($new)*

            fn of(cells: &Cells) -> Self {
                $model {
                    $first: <$first_ty as Cell>::of(cells[stringify!($first)]),
                    $($key: <$key_ty as Cell>::of(cells[stringify!($key)]),)*
                    $($field: <$ty as Cell>::of(cells[stringify!($field)]),)*
                }
            }

            fn cells(&self) -> Cells {
                [
                    (stringify!($first), self.$first.value()),
                    $((stringify!($key), self.$key.value()),)*
                    $((stringify!($field), self.$field.value()),)*
                ].into()
            }

            fn set(&mut self, conn: &mut TestConnection, to: &Cells) -> diesel_hooks::Result {
                self.update_set(conn, Self::of(to))
            }

            fn find_or_create(conn: &mut TestConnection, cells: &Cells) -> diesel_hooks::Result<(Self, bool)> {
                let it = Self::of(cells);
                let is_it = $table::$first.eq(it.$first)$(.and($table::$key.eq(it.$key)))*;
                Self::get_or_create(conn, is_it, || Self::new(cells))
            }

            fn update_all(
                conn: &mut TestConnection,
                firsts: &[i32],
                cells: &Cells,
            ) -> diesel_hooks::Result<Vec<Self>> {
                let firsts: Vec<$first_ty> = firsts.iter().map(|it| Cell::of(Some(*it))).collect();
                let rows = $table::table.filter($table::$first.eq_any(firsts));
                rows.update_hooked::<Self>(conn, |it| *it = it.with(cells))
            }

            fn delete_all(
                conn: &mut TestConnection,
                firsts: &[i32],
                most: Option<usize>,
            ) -> diesel_hooks::Result<diesel_hooks::Deleted> {
                let firsts: Vec<$first_ty> = firsts.iter().map(|it| Cell::of(Some(*it))).collect();
                let rows = $table::table.filter($table::$first.eq_any(firsts));
                match most {
                    None => rows.delete_hooked::<Self>(conn),
                    Some(most) => rows.delete_hooked_at_most::<Self>(conn, most),
                }
            }

            fn stored(conn: &mut TestConnection) -> Vec<Self> {
                let columns = ($table::$first, $($table::$key,)* $($table::$field,)*);
                $table::table.select(columns).load(conn).expect("rows can be read")
            }
        }
    };
    (@column $name:ident $ty:ty) => {
        $crate::graphs::kind::Column {
            name: stringify!($name),
            sql: <$ty as Cell>::SQL,
            nullable: <$ty as Cell>::NULLABLE,
        }
    };
}
