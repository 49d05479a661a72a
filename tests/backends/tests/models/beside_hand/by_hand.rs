//! What the operations do, as somebody writes it who knows Diesel and the database well.

use diesel::prelude::*;

use super::{entries, notes, orders, players, profiles, teams, users};

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
    /// The user, whom nobody else can change until the transaction is over.
    fn lock_user(&mut self, name: &str) -> QueryResult<Option<(i32, String)>>;
    fn rename_user(&mut self, name: &str, to: &str) -> QueryResult<usize>;
    /// As `lock_user`.
    fn lock_notes(&mut self, text: &str) -> QueryResult<Vec<(i32, String)>>;
    fn write_notes(&mut self, text: &str, to: &str) -> QueryResult<usize>;
    /// With an entry in the log.
    fn create_order(&mut self, text: &str) -> QueryResult<i32>;
    fn insert_order(&mut self, text: &str) -> QueryResult<i32>;
    fn log(&mut self, text: &str) -> QueryResult<usize>;
    fn lock_team(&mut self, id: i32) -> QueryResult<Vec<i32>>;
    fn lock_players(&mut self, team: i32) -> QueryResult<Vec<(i32, i32)>>;
    /// With the players, whom somebody wants to see.
    fn delete_team(&mut self, id: i32) -> QueryResult<usize>;
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

        fn rename_user(&mut self, name: &str, to: &str) -> QueryResult<usize> {
            self.transaction(|conn| match conn.lock_user(name)? {
                Some((id, _)) => diesel::update(users::table.find(id))
                    .set(users::name.eq(to))
                    .execute(conn),
                None => conn.insert_user_and_profile(name).map(|_| 1),
            })
        }

        fn write_notes(&mut self, text: &str, to: &str) -> QueryResult<usize> {
            self.transaction(|conn| {
                let notes = conn.lock_notes(text)?;
                let ids: Vec<i32> = notes.iter().map(|(id, _)| *id).collect();
                diesel::update(notes::table.filter(notes::id.eq_any(ids)))
                    .set(notes::text.eq(to))
                    .execute(conn)
            })
        }

        fn create_order(&mut self, text: &str) -> QueryResult<i32> {
            self.transaction(|conn| {
                let id = conn.insert_order(text)?;
                conn.log(text)?;
                Ok(id)
            })
        }

        fn log(&mut self, text: &str) -> QueryResult<usize> {
            diesel::insert_into(entries::table)
                .values(entries::text.eq(text))
                .execute(self)
        }

        fn delete_team(&mut self, id: i32) -> QueryResult<usize> {
            self.transaction(|conn| {
                conn.lock_team(id)?;
                let players = conn.lock_players(id)?;
                let ids: Vec<i32> = players.iter().map(|(id, _)| *id).collect();
                diesel::delete(players::table.filter(players::id.eq_any(ids))).execute(conn)?;
                diesel::delete(teams::table.find(id)).execute(conn)
            })
        }
    };
}

/// How rows are kept from others.
#[cfg(any(feature = "multi", feature = "postgres", feature = "mysql"))]
macro_rules! locking {
    () => {
        fn lock_notes(&mut self, text: &str) -> QueryResult<Vec<(i32, String)>> {
            notes::table
                .filter(notes::text.eq(text))
                .for_update()
                .load(self)
        }

        fn lock_team(&mut self, id: i32) -> QueryResult<Vec<i32>> {
            teams::table
                .find(id)
                .select(teams::id)
                .for_update()
                .load(self)
        }

        fn lock_players(&mut self, team: i32) -> QueryResult<Vec<(i32, i32)>> {
            players::table
                .filter(players::team_id.eq(team))
                .order(players::id)
                .for_update()
                .load(self)
        }
    };
}

#[cfg(feature = "postgres")]
impl ByHand for PgConnection {
    fn lock_user(&mut self, name: &str) -> QueryResult<Option<(i32, String)>> {
        let user = users::table.filter(users::name.eq(name));
        user.for_update().first(self).optional()
    }

    fn insert_order(&mut self, text: &str) -> QueryResult<i32> {
        diesel::insert_into(orders::table)
            .values(orders::text.eq(text))
            .returning(orders::id)
            .get_result(self)
    }

    locking!();

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
    ($connection:ty, $last:literal, { $($locking:item)* }) => {
        impl ByHand for $connection {
            fn insert_order(&mut self, text: &str) -> QueryResult<i32> {
                diesel::insert_into(orders::table)
                    .values(orders::text.eq(text))
                    .execute(self)?;
                let last = diesel::dsl::sql::<diesel::sql_types::Integer>($last);
                diesel::select(last).get_result(self)
            }

            $($locking)*

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
reading_back!(SqliteConnection, "last_insert_rowid()", {
    fn lock_user(&mut self, name: &str) -> QueryResult<Option<(i32, String)>> {
        let user = users::table.filter(users::name.eq(name));
        user.first(self).optional()
    }

    fn lock_notes(&mut self, text: &str) -> QueryResult<Vec<(i32, String)>> {
        notes::table.filter(notes::text.eq(text)).load(self)
    }

    /// The transaction has the only lock there is.
    fn lock_team(&mut self, _: i32) -> QueryResult<Vec<i32>> {
        Ok(Vec::new())
    }

    fn lock_players(&mut self, team: i32) -> QueryResult<Vec<(i32, i32)>> {
        players::table
            .filter(players::team_id.eq(team))
            .order(players::id)
            .load(self)
    }
});
#[cfg(feature = "mysql")]
reading_back!(MysqlConnection, "CAST(last_insert_id() AS SIGNED)", {
    /// To lock a row that is not there would be in the way of those who create it.
    fn lock_user(&mut self, name: &str) -> QueryResult<Option<(i32, String)>> {
        let user = users::table.filter(users::name.eq(name));
        let Some((id, _)) = user.first::<(i32, String)>(self).optional()? else {
            return Ok(None);
        };
        let user = users::table.find(id);
        user.for_update().first(self).optional()
    }

    locking!();
});

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
        lock_user(name: &str) -> Option<(i32, String)>;
        rename_user(name: &str, to: &str) -> usize;
        lock_notes(text: &str) -> Vec<(i32, String)>;
        write_notes(text: &str, to: &str) -> usize;
        create_order(text: &str) -> i32;
        insert_order(text: &str) -> i32;
        log(text: &str) -> usize;
        lock_team(id: i32) -> Vec<i32>;
        lock_players(team: i32) -> Vec<(i32, i32)>;
        delete_team(id: i32) -> usize;
    }
}
