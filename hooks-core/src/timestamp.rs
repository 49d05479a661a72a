//! Fields that hold when their row was created or last written: `#[hooks(auto_now_add)]` and
//! `#[hooks(auto_now)]`.

use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

use diesel::dsl;
use diesel::expression::{AsExpression, Expression};
use diesel::expression_methods::ExpressionMethods;
use diesel::query_source::Column;
use diesel::sql_types::SqlType;

use crate::__private::{AsSelectable, Fields};
use crate::connection::{RawConnection, scoped};
use crate::model::{Model, Row};
use crate::signal::PreCreate;

/// A type that a field with `#[hooks(auto_now_add)]` or `#[hooks(auto_now)]` may have, or have as an `Option`.
///
/// With the feature `chrono` these are `NaiveDateTime`, `NaiveDate` and `DateTime<Utc>`, with the feature
/// `time` `PrimitiveDateTime`, `Date` and `OffsetDateTime`; what has no time zone is UTC. An application
/// implements it for a type of its own.
///
/// ```
/// use std::time::{SystemTime, UNIX_EPOCH};
///
/// struct Seconds(u64);
///
/// impl diesel_hooks::Timestamp for Seconds {
///     fn at(instant: SystemTime) -> Self {
///         Seconds(instant.duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs()))
///     }
/// }
///
/// assert_eq!(Seconds::at(UNIX_EPOCH).0, 0);
/// # use diesel_hooks::Timestamp;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold a timestamp",
    label = "no timestamp",
    note = "`auto_now_add` and `auto_now` are for the types of chrono and time, with the feature `chrono` or `time` of diesel-hooks, and for types that implement `diesel_hooks::Timestamp`"
)]
pub trait Timestamp: Sized {
    /// The value for an instant, which is given in whole microseconds: every database keeps those.
    fn at(instant: SystemTime) -> Self;
}

impl<T: Timestamp> Timestamp for Option<T> {
    fn at(instant: SystemTime) -> Self {
        Some(T::at(instant))
    }
}

#[cfg(feature = "chrono")]
mod of_chrono {
    use std::time::SystemTime;

    use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

    use super::Timestamp;

    impl Timestamp for DateTime<Utc> {
        fn at(instant: SystemTime) -> Self {
            instant.into()
        }
    }

    impl Timestamp for NaiveDateTime {
        fn at(instant: SystemTime) -> Self {
            DateTime::<Utc>::at(instant).naive_utc()
        }
    }

    impl Timestamp for NaiveDate {
        fn at(instant: SystemTime) -> Self {
            DateTime::<Utc>::at(instant).date_naive()
        }
    }
}

#[cfg(feature = "time")]
mod of_time {
    use std::time::SystemTime;

    use time::{Date, OffsetDateTime, PrimitiveDateTime};

    use super::Timestamp;

    impl Timestamp for OffsetDateTime {
        fn at(instant: SystemTime) -> Self {
            instant.into()
        }
    }

    impl Timestamp for PrimitiveDateTime {
        fn at(instant: SystemTime) -> Self {
            let instant = OffsetDateTime::at(instant);
            PrimitiveDateTime::new(instant.date(), instant.time())
        }
    }

    impl Timestamp for Date {
        fn at(instant: SystemTime) -> Self {
            OffsetDateTime::at(instant).date()
        }
    }
}

/// Whether a field can be stamped; asked for at its type.
#[doc(hidden)]
pub const fn timestamp<T: Timestamp>() {}

/// The value of a field, whose derive calls this.
#[doc(hidden)]
pub fn stamp<T: Timestamp>(instant: SystemTime) -> T {
    T::at(instant)
}

/// When an operation takes place, if it is to stamp rows of `M`: fixtures bring their own stamps.
#[inline]
pub(crate) fn now<M: Row, C: RawConnection>(conn: &mut C) -> Option<SystemTime> {
    (M::STAMPED && !scoped::loads_fixtures(conn)).then(|| in_microseconds(SystemTime::now()))
}

fn in_microseconds(instant: SystemTime) -> SystemTime {
    match instant.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => instant - Duration::from_nanos(u64::from(since.subsec_nanos() % 1_000)),
        Err(_) => instant,
    }
}

/// What is about to be inserted.
#[doc(hidden)]
pub struct Fresh<M: Model> {
    pub(crate) new: M::New,
    /// What the columns get that `new` leaves out because they are stamped.
    pub(crate) stamp: Option<SystemTime>,
}

impl<M: Row> Fresh<M> {
    #[inline]
    pub(crate) fn new(mut new: M::New, stamp: Option<SystemTime>) -> Self {
        if let Some(at) = stamp.filter(|_| M::STAMPED) {
            M::stamp_new(&mut new, at);
        }
        Fresh { new, stamp }
    }
}

impl<M: Row> PreCreate<M> {
    /// When the row is created, as its fields with `auto_now_add` and `auto_now` will say; nothing for a model
    /// without such fields, and while fixtures are loaded.
    ///
    /// A generated `New` leaves these fields out. In a hand-written one, and with `new = Self`, they have this
    /// value already, and may be given another.
    pub fn stamp(&self) -> Option<SystemTime> {
        self.stamp
    }

    /// Makes the fields with `auto_now_add` and `auto_now` say that the row is created at another time.
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # use diesel::prelude::*;
    /// # use diesel_hooks::prelude::*;
    /// # diesel::table! { notes (id) { id -> Integer, text -> Text, created -> Timestamp } }
    /// #[derive(Clone, Queryable, Hooks)]
    /// struct Note {
    ///     id: i32,
    ///     text: String,
    ///     #[hooks(auto_now_add)]
    ///     created: chrono::NaiveDateTime,
    /// }
    ///
    /// #[receiver]
    /// fn is_from_the_archive(event: &mut PreCreate<Note>) {
    ///     event.set_stamp(SystemTime::UNIX_EPOCH + Duration::from_secs(3_600));
    /// }
    ///
    /// # fn main() -> diesel_hooks::Result {
    /// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    /// # diesel::sql_query("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, created TIMESTAMP NOT NULL)").execute(&mut conn)?;
    /// let note = Note::create(&mut conn, NewNote { text: "found".into() })?;
    /// assert_eq!(note.created.to_string(), "1970-01-01 01:00:00");
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_stamp(&mut self, instant: SystemTime) {
        if M::STAMPED {
            M::stamp_new(&mut self.new, instant);
            self.stamp = Some(instant);
        }
    }
}

/// What an INSERT writes of a `New`: the stamps too, where a generated one leaves them out.
#[doc(hidden)]
pub trait Stamping<N> {
    type Stamped;
    fn stamped(new: N, at: SystemTime) -> Self::Stamped;
}

impl<M, N> Stamping<N> for AsSelectable<M> {
    type Stamped = N;
    #[inline]
    fn stamped(new: N, _at: SystemTime) -> N {
        new
    }
}

/// The fields `F`, of which those in `S` are stamped and left out of the generated `New`.
#[doc(hidden)]
pub struct Stamped<F, S>(PhantomData<(F, S)>);

impl<F: Fields<DB>, S, DB> Fields<DB> for Stamped<F, S> {
    type Selection = F::Selection;
    fn selection() -> F::Selection {
        F::selection()
    }
}

impl<F, S: Stamps, N> Stamping<N> for Stamped<F, S> {
    type Stamped = (N, S::Values);
    fn stamped(new: N, at: SystemTime) -> Self::Stamped {
        (new, S::values(at))
    }
}

/// The fields `F`, of which those in `S` are stamped and the others are made by the database.
#[doc(hidden)]
pub struct OnlyStamped<F, S>(PhantomData<(F, S)>);

impl<F: Fields<DB>, S, DB> Fields<DB> for OnlyStamped<F, S> {
    type Selection = F::Selection;
    fn selection() -> F::Selection {
        F::selection()
    }
}

impl<F, S: Stamps, N> Stamping<N> for OnlyStamped<F, S> {
    type Stamped = S::Values;
    fn stamped(_new: N, at: SystemTime) -> S::Values {
        S::values(at)
    }
}

/// The values of one or more columns at an instant.
#[doc(hidden)]
pub trait Stamps {
    type Values;
    fn values(at: SystemTime) -> Self::Values;
}

/// The column of a field of type `T`, which is stored as an `S`.
#[doc(hidden)]
pub struct Stamp<C, T, S = T>(PhantomData<(C, T, S)>);

impl<C, T, S> Stamps for Stamp<C, T, S>
where
    C: Column + Default + ExpressionMethods,
    <C as Expression>::SqlType: SqlType,
    T: Timestamp + Into<S>,
    S: AsExpression<<C as Expression>::SqlType>,
{
    type Values = dsl::Eq<C, S>;
    fn values(at: SystemTime) -> Self::Values {
        C::default().eq(T::at(at).into())
    }
}

impl<A: Stamps, B: Stamps> Stamps for (A, B) {
    type Values = (A::Values, B::Values);
    fn values(at: SystemTime) -> Self::Values {
        (A::values(at), B::values(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_no_more_than_microseconds() {
        let instant = SystemTime::UNIX_EPOCH + Duration::new(1, 234_567_890);
        let expected = SystemTime::UNIX_EPOCH + Duration::new(1, 234_567_000);
        assert_eq!(in_microseconds(instant), expected);
        assert_eq!(in_microseconds(expected), expected);
    }
}
