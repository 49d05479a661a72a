//! What becomes of the one row that refers to a deleted one.

use backends::script::counted;
use backends::{TestConnection, fresh, rows};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { teams (id) { id -> Integer, name -> Text } }
diesel::table! { mascots (id) { id -> Integer, team_id -> Integer } }
diesel::table! { grounds (id) { id -> Integer, team_id -> Integer } }
diesel::table! { trophies (id) { id -> Integer, team_id -> Integer } }
diesel::table! { captains (id) { id -> Integer, team_id -> Nullable<Integer> } }
diesel::table! { fans (id) { id -> Integer, team_id -> Integer } }
diesel::table! { coaches (id) { id -> Integer, team_id -> Nullable<Integer> } }
diesel::table! { rumours (id) { id -> Integer, team_id -> Integer } }
diesel::table! { badges (id) { id -> Integer, team_id -> Integer } }

const SCHEMA: &str = "
    CREATE TABLE teams (id {key}, name TEXT NOT NULL);
    CREATE TABLE mascots (id {key}, team_id INTEGER NOT NULL UNIQUE REFERENCES teams (id));
    CREATE TABLE grounds (id {key}, team_id INTEGER NOT NULL UNIQUE REFERENCES teams (id));
    CREATE TABLE trophies (id {key}, team_id INTEGER NOT NULL UNIQUE REFERENCES teams (id));
    CREATE TABLE captains (id {key}, team_id INTEGER UNIQUE REFERENCES teams (id));
    CREATE TABLE fans (id {key}, team_id INTEGER NOT NULL UNIQUE REFERENCES teams (id));
    CREATE TABLE coaches (id {key}, team_id INTEGER UNIQUE REFERENCES teams (id));
    CREATE TABLE rumours (id {key}, team_id INTEGER NOT NULL UNIQUE REFERENCES teams (id));
    CREATE TABLE badges (id {key}, team_id INTEGER NOT NULL UNIQUE REFERENCES teams (id) ON DELETE CASCADE);
    INSERT INTO teams VALUES (1, 'home'), (2, 'away'), (3, 'reserve'), (4, 'a'), (5, 'b'), (6, 'c');
    INSERT INTO mascots VALUES (1, 2);
    INSERT INTO captains VALUES (1, 2);
    INSERT INTO fans VALUES (1, 2);
    INSERT INTO coaches VALUES (1, 2);
    INSERT INTO badges VALUES (1, 2);
    INSERT INTO grounds VALUES (1, 4);
    INSERT INTO trophies VALUES (1, 5);
    INSERT INTO rumours VALUES (1, 6);
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Team {
    id: i32,
    name: String,
}

macro_rules! model {
    ($model:ident $table:ident $team:ty, $($relation:tt)*) => {
        #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
        #[hooks(connection(TestConnection))]
        #[diesel(table_name = $table)]
        struct $model {
            id: i32,
            #[hooks(one_to_one(Team, $($relation)*))]
            team_id: $team,
        }
    };
}

model!(Mascot mascots i32, on_delete = Cascade);
model!(Ground grounds i32, on_delete = Protect);
model!(Trophy trophies i32, on_delete = Restrict);
model!(Captain captains Option<i32>, on_delete = SetNull);
model!(Fan fans i32, on_delete = SetDefault, default = home);
model!(Coach coaches Option<i32>, on_delete = Set(reserve));
model!(Rumour rumours i32, on_delete = DoNothing);
model!(Badge badges i32, on_delete = Database);

fn home() -> i32 {
    1
}

fn reserve(_: &mut TestConnection) -> diesel_hooks::Result<Option<i32>> {
    Ok(Some(3))
}

#[test]
fn o2o_28_what_goes_or_refers_elsewhere_is_as_for_a_foreign_key() {
    let mut conn = fresh(SCHEMA);
    let away = Team::get(&mut conn, 2).expect("a team");
    let deleted = counted(away.delete(&mut conn).expect("deleted"));
    // The badge goes by the schema, uncounted.
    assert_eq!(deleted, (2, vec![("Mascot", 1), ("Team", 1)]));
    for (table, left) in [
        ("mascots", None),
        ("captains", Some("1 -")),
        ("fans", Some("1 1")),
        ("coaches", Some("1 3")),
        ("badges", None),
    ] {
        assert_eq!(rows(&mut conn, table), Vec::from_iter(left), "{table}");
    }
}

#[test]
fn o2o_28_what_keeps_a_row_is_as_for_a_foreign_key() {
    let mut conn = fresh(SCHEMA);
    let mut refusal = |id| {
        let team = Team::get(&mut conn, id).expect("a team");
        team.delete(&mut conn).expect_err("it is referred to")
    };
    let [protected, restricted, by_database] = [4, 5, 6].map(&mut refusal);
    assert!(matches!(protected, Error::Protected(_)), "{protected:?}");
    assert!(matches!(restricted, Error::Restricted(_)), "{restricted:?}");
    assert!(
        matches!(by_database, Error::Query { .. }),
        "{by_database:?}"
    );
    assert_eq!(rows(&mut conn, "teams").len(), 6);
}
