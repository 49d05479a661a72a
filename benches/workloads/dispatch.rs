//! What sending a signal costs beyond calling a function: receivers that do nothing, called directly
//! and through the library, with no statement around them.

use std::hint::black_box;
use std::ops::Range;

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_hooks::prelude::*;
use diesel_hooks::{__private, Persist};

use super::Operations;
use super::hooked::created;
use super::schema::{Person, employees};

macro_rules! heard {
    ($model:ident by $($receiver:ident)*) => {
        #[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
        #[diesel(table_name = employees, check_for_backend(Sqlite))]
        #[hooks(new = super::hand_written::NewEmployee)]
        pub(super) struct $model {
            id: i32,
            first_name: String,
            last_name: String,
            email: String,
            phone: String,
        }

        $(
            #[receiver]
            fn $receiver(event: &PostCreate<$model>) {
                black_box(event);
            }
        )*
    };
}

heard!(Unheard by);
heard!(HeardOnce by only);
heard!(HeardTenTimes by first second third fourth fifth sixth seventh eighth ninth tenth);

/// What a user writes who needs no library for it: the call itself.
pub(super) fn direct(conn: &mut SqliteConnection, numbers: Range<usize>) -> Operations {
    let event = __private::post_create(one::<HeardOnce>(conn, &numbers));
    Box::new(move |_| {
        for _ in numbers {
            only(black_box(&event));
        }
    })
}

pub(super) fn sent<M>(conn: &mut SqliteConnection, numbers: Range<usize>) -> Operations
where
    M: Persist<SqliteConnection>,
    M::New: From<Person>,
{
    let mut event = __private::post_create(one::<M>(conn, &numbers));
    Box::new(move |conn| {
        for _ in numbers {
            __private::send_post_create(black_box(&mut event), conn)
                .expect("the receivers cannot fail");
        }
    })
}

fn one<M>(conn: &mut SqliteConnection, numbers: &Range<usize>) -> M
where
    M: Persist<SqliteConnection>,
    M::New: From<Person>,
{
    created(conn, numbers.start..numbers.start + 1)
        .pop()
        .expect("one row was created")
}
