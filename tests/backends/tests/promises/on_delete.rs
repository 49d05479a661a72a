//! What becomes of the rows that refer to a deleted row is what their relation says.

use backends::script::counted;
use backends::{TestConnection, fresh};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { teams (id) { id -> Integer, name -> Text } }
diesel::table! { players (id) { id -> Integer, team_id -> Nullable<Integer> } }
diesel::table! { fans (id) { id -> Integer, team_id -> Integer } }
diesel::table! { coaches (id) { id -> Integer, team_id -> Nullable<Integer> } }
diesel::table! { sponsors (id) { id -> Integer, team_id -> Nullable<Integer> } }
diesel::table! { trophies (id) { id -> Integer, team_id -> Integer } }
diesel::table! { rumours (id) { id -> Integer, team_id -> Integer } }
diesel::table! { badges (id) { id -> Integer, team_id -> Integer } }

macro_rules! model {
    ($model:ident $table:ident $team:ty, $($relation:tt)*) => {
        #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
        #[hooks(connection(TestConnection))]
        #[diesel(table_name = $table)]
        struct $model {
            id: i32,
            #[hooks(foreign_key(Team, $($relation)*))]
            team_id: $team,
        }
    };
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Team {
    id: i32,
    name: String,
}

model!(Player players Option<i32>, on_delete = SetNull, related_name = players);
model!(Fan fans i32, on_delete = SetDefault, default = home_team);
model!(Coach coaches Option<i32>, on_delete = Set(reserve_team), related_name = coaches);
model!(Sponsor sponsors Option<i32>, on_delete = Set(nobody));
model!(Trophy trophies i32, on_delete = Restrict);
model!(Rumour rumours i32, on_delete = DoNothing);
model!(Badge badges i32, on_delete = Database);

fn home_team() -> i32 {
    1
}

fn nobody() -> Option<i32> {
    None
}

/// Makes the team that coaches go to, and so is called only where there is one.
fn reserve_team(conn: &mut TestConnection) -> diesel_hooks::Result<Option<i32>> {
    let name = "reserve".into();
    Ok(Some(Team::create(conn, NewTeam { name })?.id))
}

const SCHEMA: &str = "
    CREATE TABLE teams (id {key}, name TEXT NOT NULL);
    CREATE TABLE players (id {key}, team_id INTEGER REFERENCES teams (id));
    CREATE TABLE fans (id {key}, team_id INTEGER NOT NULL REFERENCES teams (id));
    CREATE TABLE coaches (id {key}, team_id INTEGER REFERENCES teams (id));
    CREATE TABLE sponsors (id {key}, team_id INTEGER REFERENCES teams (id));
    CREATE TABLE trophies (id {key}, team_id INTEGER NOT NULL REFERENCES teams (id));
    CREATE TABLE rumours (id {key}, team_id INTEGER NOT NULL REFERENCES teams (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE badges (id {key}, team_id INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE);
    INSERT INTO teams VALUES (1, 'home'), (2, 'away'), (3, 'other');";

fn away(conn: &mut TestConnection) -> Team {
    Team::get(conn, 2).expect("a team")
}

#[test]
fn set_null_makes_rows_refer_to_nothing_and_sends_them_no_signals() {
    let mut conn = fresh(SCHEMA);
    let away = away(&mut conn);
    let mine = Player::create(&mut conn, NewPlayer { team_id: Some(2) }).expect("a player");
    let others = Player::create(&mut conn, NewPlayer { team_id: Some(3) }).expect("a player");
    let heard = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&heard);
    let guard = conn
        .connect(move |_: &PostSave<Player>, _: &mut TestConnection| {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        })
        .expect("connected");
    assert_eq!(
        counted(away.delete(&mut conn).expect("deleted")),
        (1, vec![("Team", 1)])
    );
    drop(guard);
    assert_eq!(
        Player::get(&mut conn, mine.id).expect("there").team_id,
        None
    );
    assert_eq!(Player::get(&mut conn, others.id).expect("there"), others);
    assert_eq!(heard.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[test]
fn set_default_and_set_make_rows_refer_to_what_the_application_says() {
    let mut conn = fresh(SCHEMA);
    let away = away(&mut conn);
    let fan = Fan::create(&mut conn, NewFan { team_id: 2 }).expect("a fan");
    let sponsor = Sponsor::create(&mut conn, NewSponsor { team_id: Some(2) }).expect("a sponsor");
    let coaches: Vec<_> = (0..3)
        .map(|_| Coach::create(&mut conn, NewCoach { team_id: Some(2) }).expect("a coach"))
        .collect();
    away.delete(&mut conn).expect("deleted");
    assert_eq!(Fan::get(&mut conn, fan.id).expect("there").team_id, 1);
    assert_eq!(
        Sponsor::get(&mut conn, sponsor.id).expect("there").team_id,
        None
    );
    let reserve: Vec<Team> = teams::table
        .filter(teams::name.eq("reserve"))
        .load(&mut conn)
        .expect("read");
    assert_eq!(reserve.len(), 1, "the function ran once for three coaches");
    assert_eq!(
        reserve[0].coaches(&mut conn).expect("read").len(),
        coaches.len()
    );
}

#[test]
fn the_function_of_set_is_not_called_where_nothing_refers() {
    let mut conn = fresh(SCHEMA);
    away(&mut conn).delete(&mut conn).expect("deleted");
    assert_eq!(teams::table.count().get_result::<i64>(&mut conn), Ok(2));
}

#[test]
fn restrict_blocks_and_names_the_rows() {
    let mut conn = fresh(SCHEMA);
    let away = away(&mut conn);
    Trophy::create(&mut conn, NewTrophy { team_id: 2 }).expect("a trophy");
    let error = away.delete(&mut conn).expect_err("restricted");
    assert_eq!(
        error.to_string(),
        "Team 2 is restricted by Trophy 1 (through Trophy.team_id)"
    );
    let Error::Restricted(why) = error else {
        panic!("{error:?}");
    };
    assert_eq!(why.blockers()[0].path, ["Trophy.team_id"]);
    assert_eq!(teams::table.count().get_result::<i64>(&mut conn), Ok(3));
}

#[test]
fn do_nothing_leaves_the_row_to_the_database_which_may_object() {
    let mut conn = fresh(SCHEMA);
    let away = away(&mut conn);
    let rumour = Rumour::create(&mut conn, NewRumour { team_id: 2 }).expect("a rumour");
    away.delete(&mut conn)
        .expect_err("the foreign key is checked at the end");
    diesel::update(rumours::table)
        .set(rumours::team_id.eq(1))
        .execute(&mut conn)
        .expect("moved");
    assert_eq!(
        counted(away.delete(&mut conn).expect("deleted")),
        (1, vec![("Team", 1)])
    );
    assert_eq!(Rumour::get(&mut conn, rumour.id).expect("there").team_id, 1);
}

#[test]
fn database_leaves_the_rows_to_the_schema_and_does_not_count_them() {
    let mut conn = fresh(SCHEMA);
    let away = away(&mut conn);
    Badge::create(&mut conn, NewBadge { team_id: 2 }).expect("a badge");
    assert_eq!(
        counted(away.delete(&mut conn).expect("deleted")),
        (1, vec![("Team", 1)])
    );
    assert_eq!(badges::table.count().get_result::<i64>(&mut conn), Ok(0));
}

#[test]
fn a_plan_shows_what_a_delete_would_do_and_does_nothing() {
    let mut conn = fresh(SCHEMA);
    let away = away(&mut conn);
    for _ in 0..2 {
        Player::create(&mut conn, NewPlayer { team_id: Some(2) }).expect("a player");
        Trophy::create(&mut conn, NewTrophy { team_id: 2 }).expect("a trophy");
    }
    Badge::create(&mut conn, NewBadge { team_id: 2 }).expect("a badge");
    let plan = away.delete_plan(&mut conn).expect("planned");
    assert!(plan.is_blocked());
    assert_eq!(plan.total(), 1);
    assert_eq!(
        plan.to_string(),
        "\
delete 1 Team (2)
├── Badge.team_id: leave 1 Badge to the database
├── Player.team_id: set NULL in 2 Player
└── Trophy.team_id: RESTRICTED by 2 Trophy (1, 2)
"
    );
    assert_eq!(teams::table.count().get_result::<i64>(&mut conn), Ok(3));
}
