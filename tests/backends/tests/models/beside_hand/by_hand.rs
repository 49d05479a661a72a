//! What the operations do, as somebody writes it who knows Diesel and the database well.

use diesel::prelude::*;

use super::{notes, profiles, users};

/// Without hooks.
pub(crate) trait ByHand {
    fn create_note(&mut self, text: &str) -> QueryResult<(i32, String)>;
    /// With the profile.
    fn insert_user_and_profile(&mut self, name: &str) -> QueryResult<(i32, String)>;
    /// In a transaction.
    fn create_user(&mut self, name: &str) -> QueryResult<(i32, String)>;
    /// With their profiles.
    fn create_users(&mut self, names: &[String]) -> QueryResult<Vec<(i32, String)>>;
    fn note(&mut self, id: i32) -> QueryResult<(i32, String)>;
    fn write_note(&mut self, id: i32, text: &str) -> QueryResult<usize>;
    fn delete_note(&mut self, id: i32) -> QueryResult<usize>;
    /// With the profile.
    fn delete_user(&mut self, id: i32) -> QueryResult<usize>;
    fn get_or_create_user(&mut self, name: &str) -> QueryResult<(i32, String)>;
}

/// What is the same everywhere.
macro_rules! common {
    () => {
        fn create_user(&mut self, name: &str) -> QueryResult<(i32, String)> {
            self.transaction(|conn| conn.insert_user_and_profile(name))
        }

        fn note(&mut self, id: i32) -> QueryResult<(i32, String)> {
            notes::table.find(id).first(self)
        }

        fn write_note(&mut self, id: i32, text: &str) -> QueryResult<usize> {
            diesel::update(notes::table.find(id))
                .set(notes::text.eq(text))
                .execute(self)
        }

        fn delete_note(&mut self, id: i32) -> QueryResult<usize> {
            diesel::delete(notes::table.find(id)).execute(self)
        }

        fn delete_user(&mut self, id: i32) -> QueryResult<usize> {
            self.transaction(|conn| {
                diesel::delete(profiles::table.filter(profiles::user_id.eq(id))).execute(conn)?;
                diesel::delete(users::table.find(id)).execute(conn)
            })
        }

        fn get_or_create_user(&mut self, name: &str) -> QueryResult<(i32, String)> {
            let user = users::table
                .filter(users::name.eq(name))
                .first(self)
                .optional()?;
            match user {
                Some(user) => Ok(user),
                None => self.create_user(name),
            }
        }
    };
}

#[cfg(feature = "postgres")]
impl ByHand for PgConnection {
    fn create_note(&mut self, text: &str) -> QueryResult<(i32, String)> {
        diesel::insert_into(notes::table)
            .values(notes::text.eq(text))
            .get_result(self)
    }

    fn insert_user_and_profile(&mut self, name: &str) -> QueryResult<(i32, String)> {
        let user: (i32, String) = diesel::insert_into(users::table)
            .values(users::name.eq(name))
            .get_result(self)?;
        diesel::insert_into(profiles::table)
            .values(profiles::user_id.eq(user.0))
            .execute(self)?;
        Ok(user)
    }

    fn create_users(&mut self, names: &[String]) -> QueryResult<Vec<(i32, String)>> {
        self.transaction(|conn| {
            let values: Vec<_> = names.iter().map(|name| users::name.eq(name)).collect();
            let created: Vec<(i32, String)> = diesel::insert_into(users::table)
                .values(values)
                .get_results(conn)?;
            let values: Vec<_> = created
                .iter()
                .map(|user| profiles::user_id.eq(user.0))
                .collect();
            diesel::insert_into(profiles::table)
                .values(values)
                .execute(conn)?;
            Ok(created)
        })
    }

    common!();
}

/// Without RETURNING, a row is read back by the key that the connection made last; of many rows, the keys
/// are not known to follow on one another.
#[cfg(any(feature = "multi", not(feature = "postgres")))]
macro_rules! reading_back {
    ($connection:ty, $last:literal) => {
        impl ByHand for $connection {
            fn create_note(&mut self, text: &str) -> QueryResult<(i32, String)> {
                self.transaction(|conn| {
                    diesel::insert_into(notes::table)
                        .values(notes::text.eq(text))
                        .execute(conn)?;
                    let last = diesel::dsl::sql::<diesel::sql_types::Integer>($last);
                    notes::table.filter(notes::id.eq(last)).first(conn)
                })
            }

            fn insert_user_and_profile(&mut self, name: &str) -> QueryResult<(i32, String)> {
                diesel::insert_into(users::table)
                    .values(users::name.eq(name))
                    .execute(self)?;
                let last = diesel::dsl::sql::<diesel::sql_types::Integer>($last);
                let user: (i32, String) = users::table.filter(users::id.eq(last)).first(self)?;
                diesel::insert_into(profiles::table)
                    .values(profiles::user_id.eq(user.0))
                    .execute(self)?;
                Ok(user)
            }

            fn create_users(&mut self, names: &[String]) -> QueryResult<Vec<(i32, String)>> {
                self.transaction(|conn| {
                    let mut created: Vec<(i32, String)> = Vec::new();
                    for name in names {
                        diesel::insert_into(users::table)
                            .values(users::name.eq(name))
                            .execute(conn)?;
                        let last = diesel::dsl::sql::<diesel::sql_types::Integer>($last);
                        created.push(users::table.filter(users::id.eq(last)).first(conn)?);
                    }
                    for user in &created {
                        diesel::insert_into(profiles::table)
                            .values(profiles::user_id.eq(user.0))
                            .execute(conn)?;
                    }
                    Ok(created)
                })
            }

            common!();
        }
    };
}

#[cfg(any(feature = "multi", not(any(feature = "postgres", feature = "mysql"))))]
reading_back!(SqliteConnection, "last_insert_rowid()");
#[cfg(feature = "mysql")]
reading_back!(MysqlConnection, "CAST(last_insert_id() AS SIGNED)");

#[cfg(feature = "multi")]
mod multi {
    use backends::AnyConnection;

    use super::*;

    macro_rules! wherever {
        ($($name:ident($($argument:ident: $ty:ty),*) -> $result:ty;)*) => {
            impl ByHand for AnyConnection {
                $(fn $name(&mut self, $($argument: $ty),*) -> QueryResult<$result> {
                    match self {
                        AnyConnection::Postgres(conn) => conn.$name($($argument),*),
                        AnyConnection::Mysql(conn) => conn.$name($($argument),*),
                        AnyConnection::Sqlite(conn) => conn.$name($($argument),*),
                    }
                })*
            }
        };
    }

    wherever! {
        create_note(text: &str) -> (i32, String);
        insert_user_and_profile(name: &str) -> (i32, String);
        create_user(name: &str) -> (i32, String);
        create_users(names: &[String]) -> Vec<(i32, String)>;
        note(id: i32) -> (i32, String);
        write_note(id: i32, text: &str) -> usize;
        delete_note(id: i32) -> usize;
        delete_user(id: i32) -> usize;
        get_or_create_user(name: &str) -> (i32, String);
    }
}
