//! Columns of types that PostgreSQL alone has, an enum that the database knows among them, in a program that is
//! connected to SQLite as well: there such a model has no hooks, and its neighbours have theirs.

use std::cell::RefCell;
use std::io::Write as _;
use std::time::SystemTime;

use backends::Database;
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgConnection, PgValue};
use diesel::prelude::*;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::SqlType;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;
use serde_json::{Value, json};
use time::OffsetDateTime;

/// The enum's name in the database.
#[derive(Debug, Clone, Copy, QueryId, SqlType)]
#[diesel(postgres_type(name = "phase"))]
pub struct StoredPhase;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = StoredPhase)]
enum Phase {
    Planned,
    Running,
    Done,
}

impl ToSql<StoredPhase, Pg> for Phase {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(match self {
            Phase::Planned => b"planned",
            Phase::Running => b"running",
            Phase::Done => b"it's done",
        })?;
        Ok(IsNull::No)
    }
}

impl FromSql<StoredPhase, Pg> for Phase {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            b"planned" => Ok(Phase::Planned),
            b"running" => Ok(Phase::Running),
            b"it's done" => Ok(Phase::Done),
            other => Err(format!("no phase: {other:?}").into()),
        }
    }
}

const TABLES: &str = "
    CREATE TYPE phase AS ENUM ('planned', 'running', 'it''s done');
    CREATE TABLE steps (phase phase PRIMARY KEY, hint TEXT NOT NULL);
    CREATE TABLE projects (
        id {key}, phase phase NOT NULL REFERENCES steps (phase), former phase[] NOT NULL, tags TEXT[] NOT NULL,
        settings JSONB NOT NULL, begun TIMESTAMPTZ NOT NULL, owner OID NOT NULL
    );
    CREATE TABLE plans (id {key}, project_id INTEGER NOT NULL UNIQUE REFERENCES projects (id), phase phase NOT NULL,
        days INTEGER[] NOT NULL);
    CREATE TABLE visits (id {key}, room TEXT NOT NULL, since TIMESTAMPTZ NOT NULL, seen TIMESTAMPTZ NOT NULL,
        written TIMESTAMPTZ);
    CREATE TABLE tasks (id {key}, project_id INTEGER NOT NULL REFERENCES projects (id));
    INSERT INTO steps VALUES ('planned', 'think'), ('running', 'work'), ('it''s done', 'rest');
";

diesel::table! {
    use super::StoredPhase;
    use diesel::sql_types::*;

    steps (phase) { phase -> StoredPhase, hint -> Text }
}
diesel::table! {
    use super::StoredPhase;
    use diesel::sql_types::*;

    projects (id) {
        id -> Integer,
        phase -> StoredPhase,
        former -> Array<StoredPhase>,
        tags -> Array<Nullable<Text>>,
        settings -> Jsonb,
        begun -> Timestamptz,
        owner -> Oid,
    }
}
diesel::table! {
    use super::StoredPhase;
    use diesel::sql_types::*;

    plans (id) { id -> Integer, project_id -> Integer, phase -> StoredPhase, days -> Array<Integer> }
}
diesel::table! {
    visits (id) { id -> Integer, room -> Text, since -> Timestamptz, seen -> Timestamptz, written -> Nullable<Timestamptz> }
}
diesel::table! { tasks (id) { id -> Integer, project_id -> Integer } }

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[diesel(primary_key(phase))]
#[hooks(new = Self)]
struct Step {
    phase: Phase,
    hint: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Project {
    id: i32,
    #[hooks(foreign_key(Step, on_delete = Protect, accessor = step, related_name = projects))]
    phase: Phase,
    former: Vec<Phase>,
    tags: Vec<Option<String>>,
    settings: Value,
    begun: DateTime<Utc>,
    owner: u32,
}

/// Nobody hears of it, so that it is made with the project, in one statement.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Plan {
    id: i32,
    #[hooks(one_to_one(Project, on_delete = Cascade, related_name = plan, auto_create = plan_of))]
    project_id: i32,
    phase: Phase,
    days: Vec<i32>,
}

/// Can be stored on SQLite too.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Task {
    id: i32,
    #[hooks(foreign_key(Project, on_delete = Cascade, related_name = tasks))]
    project_id: i32,
}

/// Its stamps are instants, whatever the time zone of the session.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Visit {
    id: i32,
    room: String,
    #[hooks(auto_now_add)]
    since: DateTime<Utc>,
    #[hooks(auto_now)]
    seen: OffsetDateTime,
    #[hooks(auto_now)]
    written: Option<DateTime<Utc>>,
}

/// Could be.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = tasks, check_for_backend(Pg))]
struct TaskOfPostgres {
    id: i32,
    project_id: i32,
}

fn plan_of(project: &Project) -> NewPlan {
    NewPlan {
        project_id: project.id,
        phase: project.phase,
        days: vec![1, 2],
    }
}

thread_local! {
    static HEARD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

#[receiver]
fn remember_the_phase(event: &mut PreUpdate<Project>) {
    let before = event.before().map(|it| it.phase);
    if let Some(before) = before.filter(|it| *it != event.instance.phase) {
        event.instance.former.push(before);
    }
}

#[receiver(changed(projects::phase, projects::former))]
fn what_changed(event: &PostUpdate<Project>, _: &mut PgConnection) {
    let columns = event.changed_columns().map(ToOwned::to_owned);
    HEARD.with_borrow_mut(|heard| heard.extend(columns));
}

#[receiver]
fn gone(event: &PostDelete<Project>) {
    let phase = event.instance.phase;
    HEARD.with_borrow_mut(|heard| heard.push(format!("{phase:?} went")));
}

fn open() -> (Database, PgConnection) {
    let database = Database::new(TABLES);
    let conn = PgConnection::establish(&database.url()).expect("the database is there");
    (database, conn)
}

fn project(phase: Phase) -> NewProject {
    NewProject {
        phase,
        former: vec![Phase::Done, Phase::Planned],
        tags: vec![Some("a, \"b\"".into()), None, Some(String::new())],
        settings: json!({ "depth": [1, null, { "it's": "odd" }] }),
        begun: DateTime::from_timestamp_micros(1_709_251_199_123_456).expect("a time"),
        owner: u32::MAX,
    }
}

/// Whether a row fulfils a condition that the server judges.
fn stored(conn: &mut PgConnection, condition: &str) -> bool {
    let found = format!("EXISTS (SELECT FROM projects WHERE {condition})");
    let found = diesel::select(diesel::dsl::sql::<diesel::sql_types::Bool>(&found));
    found.get_result(conn).expect("a condition")
}

#[test]
fn types_of_the_database_come_back_from_every_way_to_write() {
    let (_database, mut conn) = open();
    let mut one = Project::create(&mut conn, project(Phase::Planned)).expect("created");
    let same = project(Phase::Planned);
    assert_eq!(
        (&one.former, &one.tags, &one.settings, one.begun, one.owner),
        (
            &same.former,
            &same.tags,
            &same.settings,
            same.begun,
            same.owner
        )
    );
    assert!(stored(
        &mut conn,
        "phase = 'planned' AND former = '{it''s done,planned}' AND tags = ARRAY['a, \"b\"', NULL, '']
            AND settings @> '{\"depth\": [1]}' AND begun = '2024-02-29 23:59:59.123456+00' AND owner = 4294967295"
    ));
    let plan = one.plan(&mut conn).expect("made with it");
    assert_eq!((plan.phase, plan.days), (Phase::Planned, vec![1, 2]));

    one.update(&mut conn, |it| {
        it.phase = Phase::Running;
        it.tags = Vec::new();
    })
    .expect("updated");
    assert_eq!(HEARD.take(), ["phase", "former", "tags"]);
    assert!(stored(
        &mut conn,
        "phase = 'running' AND former = '{it''s done,planned,planned}' AND tags = '{}'"
    ));
    one.settings = json!(["new"]);
    one.begun = DateTime::UNIX_EPOCH;
    one.save(&mut conn).expect("saved");
    assert_eq!(HEARD.take(), [""; 0], "neither of the columns changed");
    one.update_set(&mut conn, projects::phase.eq(Phase::Done))
        .expect("updated");
    assert_eq!(HEARD.take(), ["phase", "former"]);
    assert_eq!(Project::get(&mut conn, one.id).expect("there"), one);

    let many = vec![project(Phase::Planned), project(Phase::Running)];
    let many = Project::create_many(&mut conn, many).expect("created");
    let running = projects::table.filter(projects::phase.eq(Phase::Running));
    let count = running
        .update_hooked::<Project>(&mut conn, |it| it.former.clear())
        .expect("updated");
    assert_eq!(count.len(), 1);
    let read = projects::table.order(projects::id);
    let read = read.load_hooked::<Project>(&mut conn).expect("loaded");
    let mut running = many[1].clone();
    running.former = Vec::new();
    assert_eq!(read, [one, many[0].clone(), running]);
}

#[test]
fn a_key_of_a_type_of_the_database_leads_from_row_to_row() {
    let (_database, mut conn) = open();
    let phases = [Phase::Planned, Phase::Running, Phase::Running];
    let new = phases.map(project).to_vec();
    let projects = Project::create_many(&mut conn, new).expect("created");
    Task::create(
        &mut conn,
        NewTask {
            project_id: projects[1].id,
        },
    )
    .expect("created");
    let [running, done] =
        [Phase::Running, Phase::Done].map(|it| Step::get(&mut conn, it).expect("there"));
    assert_eq!(projects[2].step(&mut conn).expect("there"), running);
    let both = Step::prefetch_projects(&mut conn, &[done.clone(), running.clone()]);
    assert_eq!(both.expect("read"), [vec![], projects[1..].to_vec()]);
    let refused = running.delete(&mut conn).expect_err("two refer to it");
    let Error::Protected(blocked) = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(blocked.blockers()[0].keys.len(), 2);
    assert_eq!(done.delete(&mut conn).expect("deleted").total, 1);

    let deleted = projects::table
        .filter(projects::phase.eq(Phase::Running))
        .delete_hooked::<Project>(&mut conn);
    assert_eq!(deleted.expect("deleted").total, 5);
    assert_eq!(HEARD.take(), ["Running went", "Running went"]);
    assert_eq!(running.delete(&mut conn).expect("deleted").total, 1);
    assert_eq!(projects[0].delete(&mut conn).expect("deleted").total, 2);
    let (upserted, created) = Step::upsert(&mut conn, running).expect("written");
    assert_eq!((upserted.phase, created), (Phase::Running, true));
    let left = steps::table.count().get_result(&mut conn);
    assert_eq!(left, Ok(2));
}

#[test]
fn stamps_with_a_time_zone_are_instants() {
    let (_database, mut conn) = open();
    conn.batch_execute("SET TIME ZONE 'Asia/Kolkata'")
        .expect("a time zone");
    let micros = |it: &OffsetDateTime| (it.unix_timestamp_nanos() / 1_000) as i64;
    let now = || DateTime::<Utc>::from(SystemTime::now()).timestamp_micros();
    let before = now();
    let new = |room: &str| NewVisit { room: room.into() };
    let one = Visit::create(&mut conn, new("hall")).expect("created");
    let after = now();
    let since = one.since.timestamp_micros();
    assert!(
        before <= since && since <= after,
        "{before} <= {since} <= {after}"
    );
    assert_eq!(micros(&one.seen), since, "one instant for all");
    assert_eq!(one.written, Some(one.since));
    assert_eq!(Visit::get(&mut conn, one.id).expect("stored"), one);
    let same = visits::table.filter(visits::since.eq(visits::seen));
    let same = same.filter(visits::seen.eq(one.since));
    assert_eq!(same.count().get_result(&mut conn), Ok(1_i64));

    let mut moved = one.clone();
    moved
        .update(&mut conn, |it| it.room = "cellar".into())
        .expect("updated");
    assert_eq!(moved.since, one.since);
    assert!(moved.seen > one.seen && moved.written > one.written);
    assert_eq!(Visit::get(&mut conn, one.id).expect("stored"), moved);
    let many = vec![new("attic"), new("hall")];
    let many = Visit::create_many(&mut conn, many).expect("created");
    assert!(
        many.iter()
            .all(|it| it.since == many[0].since && it.since > one.since)
    );
}

fn sqlite(tables: &str) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    conn.batch_execute(tables).expect("the tables are right");
    conn
}

#[test]
fn a_model_has_hooks_on_the_backends_that_it_names() {
    fn name<M: diesel_hooks::Persist<C>, C: diesel_hooks::RawConnection>() -> &'static str {
        M::INFO.name
    }
    assert_eq!(name::<TaskOfPostgres, PgConnection>(), "TaskOfPostgres");
    // On SQLite it has none, so that `check` does not look for it there.
    let mut conn = sqlite("CREATE TABLE tasks (id INTEGER PRIMARY KEY);");
    let findings = diesel_hooks::check(&mut conn).expect("the catalog is read");
    let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert!(
        findings.iter().any(|it| it.contains("for Task (")),
        "{findings:#?}"
    );
    let of_postgres = findings.iter().find(|it| it.contains("TaskOfPostgres"));
    assert_eq!(of_postgres, None);
}

#[test]
fn the_model_is_registered_and_its_neighbours_work_on_sqlite() {
    let models: Vec<_> = diesel_hooks::registry()
        .models()
        .map(|it| it.name)
        .collect();
    for model in ["Project", "Task", "TaskOfPostgres"] {
        assert!(models.contains(&model), "{model}");
    }
    let mut conn =
        sqlite("CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL);");
    let task = Task::create(&mut conn, NewTask { project_id: 1 }).expect("a task");
    assert_eq!(Task::get(&mut conn, task.id).expect("it is there"), task);
}
