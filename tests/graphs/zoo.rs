//! Models of every relation, and what can be done to each by its number.
//!
//! Those of the ring refer to each other in circles; those of the tree only to models before them, some
//! heard and some not, so that whole subtrees go without being loaded. Which of its relations a graph has is
//! up to the rows: all of them may be NULL.

use std::cell::{Cell, RefCell};

use diesel::prelude::*;
use diesel_hooks::prelude::*;
use diesel_hooks::{DeletePlan, Deleted};

/// What a row refers to, by its columns.
pub(crate) type Refs = [Option<i32>; 6];

/// The columns, in the order of [`Refs`].
pub(crate) const COLUMNS: [&str; 6] = ["a_id", "b_id", "p_id", "r_id", "n_id", "d_id"];

/// The row that `SetDefault` makes others refer to.
pub(crate) const DEFAULT: i32 = 1;

fn first() -> i32 {
    DEFAULT
}

/// A model, without its type.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) table: &'static str,
    pub(crate) is_heard: bool,
    pub(crate) create: fn(&mut SqliteConnection, i32, Refs) -> diesel_hooks::Result,
    pub(crate) point: fn(&mut SqliteConnection, i32, Refs) -> diesel_hooks::Result,
    pub(crate) delete:
        fn(&mut SqliteConnection, i32, Option<usize>) -> diesel_hooks::Result<Deleted>,
    pub(crate) delete_all: fn(&mut SqliteConnection, &[i32]) -> diesel_hooks::Result<Deleted>,
    pub(crate) plan: fn(&mut SqliteConnection, i32) -> diesel_hooks::Result<DeletePlan>,
    pub(crate) rows: fn(&mut SqliteConnection) -> Vec<(i32, Refs)>,
}

thread_local! {
    static EVENTS: RefCell<Vec<(When, &'static str, i32)>> = const { RefCell::new(Vec::new()) };
    static FAIL_AFTER: Cell<Option<usize>> = const { Cell::new(None) };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum When {
    Before,
    After,
}

/// What was heard since the last call.
pub(crate) fn events() -> Vec<(When, &'static str, i32)> {
    EVENTS.take()
}

/// Lets the receivers fail after so many events.
pub(crate) fn fail_after(events: Option<usize>) {
    FAIL_AFTER.set(events);
}

#[derive(Debug, thiserror::Error)]
#[error("the test wants it")]
pub(crate) struct Wanted;

fn heard(when: When, model: &'static str, id: i32) -> Result<(), Wanted> {
    EVENTS.with_borrow_mut(|events| events.push((when, model, id)));
    match FAIL_AFTER.get() {
        Some(0) => Err(Wanted),
        left => {
            FAIL_AFTER.set(left.map(|left| left - 1));
            Ok(())
        }
    }
}

macro_rules! model {
    ($model:ident $table:ident []) => {
        model!(@table $table);

        #[derive(Debug, Clone, Queryable, Insertable, Hooks)]
        #[diesel(table_name = $table, treat_none_as_default_value = false)]
        #[hooks(new = Self)]
        struct $model {
            id: i32,
            a_id: Option<i32>,
            b_id: Option<i32>,
            p_id: Option<i32>,
            r_id: Option<i32>,
            n_id: Option<i32>,
            d_id: Option<i32>,
        }

        model!(@kind $model $table);
    };
    ($model:ident $table:ident [$a:ident $b:ident $p:ident $r:ident $n:ident $d:ident]) => {
        model!(@table $table);

        #[derive(Debug, Clone, Queryable, Insertable, Hooks)]
        #[diesel(table_name = $table, treat_none_as_default_value = false)]
        #[hooks(new = Self)]
        struct $model {
            id: i32,
            #[hooks(foreign_key($a, on_delete = Cascade))]
            a_id: Option<i32>,
            #[hooks(foreign_key($b, on_delete = Cascade))]
            b_id: Option<i32>,
            #[hooks(foreign_key($p, on_delete = Protect))]
            p_id: Option<i32>,
            #[hooks(foreign_key($r, on_delete = Restrict))]
            r_id: Option<i32>,
            #[hooks(foreign_key($n, on_delete = SetNull))]
            n_id: Option<i32>,
            #[hooks(foreign_key($d, on_delete = SetDefault, default = first))]
            d_id: Option<i32>,
        }

        model!(@kind $model $table);
    };
    (@table $table:ident) => {
        diesel::table! {
            $table (id) {
                id -> Integer,
                a_id -> Nullable<Integer>,
                b_id -> Nullable<Integer>,
                p_id -> Nullable<Integer>,
                r_id -> Nullable<Integer>,
                n_id -> Nullable<Integer>,
                d_id -> Nullable<Integer>,
            }
        }
    };
    (@kind $model:ident $table:ident) => {
        impl $model {
            fn of(id: i32, [a_id, b_id, p_id, r_id, n_id, d_id]: Refs) -> Self {
                $model { id, a_id, b_id, p_id, r_id, n_id, d_id }
            }

            fn kind(is_heard: bool) -> Kind {
                Kind {
                    name: stringify!($model),
                    table: stringify!($table),
                    is_heard,
                    create: |conn, id, refs| $model::create(conn, $model::of(id, refs)).map(drop),
                    point: |conn, id, refs| $model::of(id, refs).save(conn),
                    delete: |conn, id, max_rows| {
                        let row = $model::get(conn, id)?;
                        match max_rows {
                            None => row.delete(conn),
                            Some(max_rows) => row.delete_at_most(conn, max_rows),
                        }
                    },
                    delete_all: |conn, ids| {
                        let rows = $table::table.filter($table::id.eq_any(ids.to_vec()));
                        rows.delete_hooked::<$model>(conn)
                    },
                    plan: |conn, id| $model::get(conn, id)?.delete_plan(conn),
                    rows: |conn| {
                        let rows: Vec<$model> = $table::table.load(conn).expect("read");
                        let refs = |it: $model| {
                            (it.id, [it.a_id, it.b_id, it.p_id, it.r_id, it.n_id, it.d_id])
                        };
                        rows.into_iter().map(refs).collect()
                    },
                }
            }
        }
    };
}

macro_rules! hear {
    ($($model:ident $before:ident $after:ident $($conn:ident: $ty:ty)?;)*) => {$(
        #[receiver]
        fn $before(event: &PreDelete<$model> $(, $conn: &mut $ty)?) -> Result<(), Wanted> {
            $(let _ = $conn;)?
            heard(When::Before, stringify!($model), event.instance.id)
        }

        #[receiver]
        fn $after(event: &PostDelete<$model>) -> Result<(), Wanted> {
            heard(When::After, stringify!($model), event.instance.id)
        }
    )*};
}

model!(Ring0 ring0 [Ring0 Ring1 Ring2 Ring3 Ring0 Ring1]);
model!(Ring1 ring1 [Ring2 Ring0 Ring1 Ring0 Ring3 Ring1]);
model!(Ring2 ring2 [Ring3 Ring2 Ring0 Ring1 Ring1 Ring0]);
model!(Ring3 ring3 [Ring0 Ring3 Ring2 Ring2 Ring0 Ring3]);

model!(Root root []);
model!(Tree0 tree0 [Root Root Root Root Root Root]);
model!(Tree1 tree1 [Tree0 Root Tree0 Tree0 Tree0 Root]);
model!(Tree2 tree2 [Tree1 Tree0 Root Tree1 Tree0 Tree1]);
model!(Tree3 tree3 [Tree2 Tree1 Tree2 Root Tree1 Tree0]);
model!(Tree4 tree4 [Tree0 Root Tree3 Tree0 Root Tree2]);
model!(Tree5 tree5 [Tree4 Tree0 Tree4 Tree4 Tree4 Tree4]);
model!(Tree6 tree6 [Tree5 Tree4 Root Tree5 Tree3 Tree5]);

hear! {
    Ring0 ring0_goes ring0_went conn: SqliteConnection;
    Ring1 ring1_goes ring1_went;
    Tree3 tree3_goes tree3_went;
    Tree5 tree5_goes tree5_went;
}

/// The models whose rows can be in circles.
pub(crate) fn ring() -> Vec<Kind> {
    vec![
        Ring0::kind(true),
        Ring1::kind(true),
        Ring2::kind(false),
        Ring3::kind(false),
    ]
}

/// Models that only refer to those before them.
pub(crate) fn tree() -> Vec<Kind> {
    vec![
        Root::kind(false),
        Tree0::kind(false),
        Tree1::kind(false),
        Tree2::kind(false),
        Tree3::kind(true),
        Tree4::kind(false),
        Tree5::kind(true),
        Tree6::kind(false),
    ]
}
