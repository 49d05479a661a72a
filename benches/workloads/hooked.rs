//! The same work through the library, for any of the models.

use std::ops::Range;

use diesel::prelude::*;
use diesel_hooks::{Model, Persist};

use super::generated::{self, NewStaff};
use super::hand_written::{self, NewCadre};
use super::listened::{
    NewGreetedStaff, NewObservedEmployee, NewReviewedEmployee, ObservedEmployee, ReviewedEmployee,
};
use super::schema::{Person, other_phone, people};
use super::{Operations, batch, each};

pub(super) fn create<M>(_: &mut SqliteConnection, numbers: Range<usize>) -> Operations
where
    M: Persist<SqliteConnection>,
    M::New: From<Person>,
{
    each(new_rows::<M>(numbers), |conn, new| M::create(conn, new))
}

pub(super) fn create_many<M>(_: &mut SqliteConnection, numbers: Range<usize>) -> Operations
where
    M: Persist<SqliteConnection>,
    M::New: From<Person>,
{
    batch(new_rows::<M>(numbers), |conn, new| {
        M::create_many(conn, new)
    })
}

pub(super) fn update<M>(conn: &mut SqliteConnection, numbers: Range<usize>) -> Operations
where
    M: Persist<SqliteConnection> + Model<Pk = i32> + HasPhone,
    M::New: From<Person>,
{
    let changes = held::<M>(conn, numbers)
        .iter_mut()
        .map(|row| {
            let phone = other_phone(row.pk());
            (row, phone)
        })
        .collect();
    each(changes, |conn, (row, phone): (&mut M, String)| {
        row.update(conn, |it| *it.phone() = phone)
    })
}

pub(super) fn delete<M>(conn: &mut SqliteConnection, numbers: Range<usize>) -> Operations
where
    M: Persist<SqliteConnection>,
    M::New: From<Person>,
{
    let rows: &[M] = held(conn, numbers);
    each(rows.iter().collect(), |conn, row| row.delete(conn))
}

/// Rows that the application holds, before the operation and after. They are leaked, because dropping
/// them is no part of it.
fn held<M>(conn: &mut SqliteConnection, numbers: Range<usize>) -> &'static mut [M]
where
    M: Persist<SqliteConnection>,
    M::New: From<Person>,
{
    created(conn, numbers).leak()
}

pub(super) fn created<M>(conn: &mut SqliteConnection, numbers: Range<usize>) -> Vec<M>
where
    M: Persist<SqliteConnection>,
    M::New: From<Person>,
{
    new_rows::<M>(numbers)
        .into_iter()
        .map(|new| M::create(conn, new).expect("the rows are new"))
        .collect()
}

fn new_rows<M: Model<New: From<Person>>>(numbers: Range<usize>) -> Vec<M::New> {
    people(numbers).map(M::New::from).collect()
}

pub(super) trait HasPhone {
    fn phone(&mut self) -> &mut String;
}

macro_rules! has_phone {
    ($($model:ty),*) => {$(
        impl HasPhone for $model {
            fn phone(&mut self) -> &mut String {
                &mut self.phone
            }
        }
    )*};
}

has_phone!(generated::Employee, ObservedEmployee, ReviewedEmployee);

macro_rules! from_person {
    ($($new:ty),*) => {$(
        impl From<Person> for $new {
            fn from(person: Person) -> Self {
                Self {
                    first_name: person.first_name,
                    last_name: person.last_name,
                    email: person.email,
                    phone: person.phone,
                }
            }
        }
    )*};
}

from_person!(generated::NewEmployee, NewStaff, NewGreetedStaff);
from_person!(NewObservedEmployee, NewReviewedEmployee);
from_person!(hand_written::NewEmployee, NewCadre);
