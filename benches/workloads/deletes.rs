//! Deletes of many rows: of a query with a dependent each, and of one row with many.

use std::hint::black_box;
use std::ops::Range;

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_hooks::Persist;
use diesel_hooks::prelude::*;

use super::Operations;
use super::generated::Staff;
use super::hooked::created;
use super::schema::{choirs, clubs, members, singers, staff, staff_profiles};

macro_rules! parent_and_child {
    ($parent:ident $parents:ident $child:ident $children:ident $key:ident) => {
        #[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
        #[diesel(table_name = $parents, check_for_backend(Sqlite))]
        pub(super) struct $parent {
            id: i32,
            name: String,
        }

        #[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
        #[diesel(table_name = $children, check_for_backend(Sqlite))]
        pub(super) struct $child {
            id: i32,
            #[hooks(foreign_key($parent, on_delete = Cascade))]
            $key: i32,
            name: String,
            email: String,
        }

        impl WithChildren for $parent {
            fn with_children(conn: &mut SqliteConnection, count: usize) -> Self {
                let parent = diesel::insert_into($parents::table)
                    .values($parents::name.eq("one"))
                    .get_result(conn);
                let parent: $parent = parent.expect("the row is new");
                let child = |n| {
                    (
                        $children::$key.eq(parent.id),
                        $children::name.eq(format!("Name{n}")),
                        $children::email.eq(format!("member{n}@example.org")),
                    )
                };
                for start in (0..count).step_by(1_000) {
                    let children: Vec<_> = (start..count.min(start + 1_000)).map(child).collect();
                    diesel::insert_into($children::table)
                        .values(children)
                        .execute(conn)
                        .expect("the rows are new");
                }
                parent
            }
        }
    };
}

/// A row that others refer to.
pub(super) trait WithChildren: Persist<SqliteConnection> {
    fn with_children(conn: &mut SqliteConnection, count: usize) -> Self;
}

parent_and_child!(Club clubs Member members club_id);
parent_and_child!(Choir choirs Singer singers choir_id);

#[receiver]
fn left(event: &PostDelete<Singer>) {
    black_box(event);
}

pub(super) fn many_by_hand(conn: &mut SqliteConnection, numbers: Range<usize>) -> Operations {
    created::<Staff>(conn, numbers);
    Box::new(|conn| {
        let deleted = conn.transaction(|conn| {
            let ids: Vec<i32> = staff::table
                .filter(staff::id.gt(0))
                .select(staff::id)
                .load(conn)?;
            let profiles = staff_profiles::table.filter(staff_profiles::staff_id.eq_any(&ids));
            diesel::delete(profiles).execute(conn)?;
            diesel::delete(staff::table.filter(staff::id.eq_any(&ids))).execute(conn)
        });
        black_box(deleted.expect("nothing refers to them"));
    })
}

pub(super) fn many_hooked(conn: &mut SqliteConnection, numbers: Range<usize>) -> Operations {
    created::<Staff>(conn, numbers);
    Box::new(|conn| {
        let all = staff::table.filter(staff::id.gt(0));
        black_box(
            all.delete_hooked::<Staff>(conn)
                .expect("nothing refers to them"),
        );
    })
}

pub(super) fn children_by_hand(conn: &mut SqliteConnection, numbers: Range<usize>) -> Operations {
    let club = Club::with_children(conn, numbers.len());
    Box::new(move |conn| {
        let deleted = conn.transaction(|conn| {
            diesel::delete(members::table.filter(members::club_id.eq(club.id))).execute(conn)?;
            diesel::delete(clubs::table.find(club.id)).execute(conn)
        });
        black_box(deleted.expect("nothing refers to it"));
    })
}

pub(super) fn heard_children_by_hand(
    conn: &mut SqliteConnection,
    numbers: Range<usize>,
) -> Operations {
    let choir = Choir::with_children(conn, numbers.len());
    Box::new(move |conn| {
        let deleted = conn.transaction(|conn| {
            let of_this = singers::table.filter(singers::choir_id.eq(choir.id));
            let singers: Vec<Singer> = of_this.select(Singer::as_select()).load(conn)?;
            diesel::delete(of_this).execute(conn)?;
            let deleted = diesel::delete(choirs::table.find(choir.id)).execute(conn)?;
            for singer in &singers {
                black_box(singer);
            }
            QueryResult::Ok(deleted)
        });
        black_box(deleted.expect("nothing refers to it"));
    })
}

pub(super) fn children_hooked<M: WithChildren>(
    conn: &mut SqliteConnection,
    numbers: Range<usize>,
) -> Operations {
    let parent = M::with_children(conn, numbers.len());
    Box::new(move |conn| {
        black_box(parent.delete(conn).expect("nothing refers to it"));
    })
}
