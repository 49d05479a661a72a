//! What `#[receiver(..)]` takes: columns, who sends and on what, and when it is called.

use backends::{Log, TestConnection, fresh, of_rows, statements, verbs};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_hooks::RawConnection;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, name -> Text, email -> Text } }
diesel::table! { quiets (id) { id -> Integer, name -> Text } }
diesel::table! { teams (id) { id -> Integer, name -> Text } }
diesel::table! { queued (id) { id -> Integer, name -> Text } }

const SCHEMA: &str = "
    CREATE TABLE users (id {key}, name TEXT NOT NULL, email TEXT NOT NULL CHECK (email <> 'impossible'));
    CREATE TABLE quiets (id {key}, name TEXT NOT NULL);
    CREATE TABLE teams (id {key}, name TEXT NOT NULL);
    CREATE TABLE queued (id {key}, name TEXT NOT NULL CHECK (name <> 'impossible'));
";

static LOG: Log = Log::new();

/// Has receivers that look at columns.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct User {
    id: i32,
    name: String,
    email: String,
}

/// Has a receiver, but none that asks what changed.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Quiet {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Team {
    id: i32,
    name: String,
}

/// Has receivers before the write that wait for the end of the transaction.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = queued)]
struct Queued {
    id: i32,
    name: String,
}

#[receiver(changed(users::email))]
fn email_saved(event: &PostSave<User>) {
    LOG.push(format!("email {}", event.instance.email));
}

#[receiver(changed(users::name, users::email))]
fn either_saved(event: &PostSave<User>) {
    LOG.push(format!(
        "{} or {}",
        event.instance.name, event.instance.email
    ));
}

#[receiver(changed(users::name), after_commit)]
fn name_committed(event: &PostSave<User>) {
    LOG.push(format!("name {} committed", event.instance.name));
}

#[receiver]
fn quiet_saved(event: &PostSave<Quiet>) {
    let columns: Vec<_> = event.changed_columns().collect();
    LOG.push(format!("quiet {}", columns.join(", ")));
}

fn user(conn: &mut TestConnection) -> User {
    let new = NewUser {
        name: "Ada".into(),
        email: "ada@example.org".into(),
    };
    User::create(conn, new).expect("a user")
}

#[test]
fn of_a_created_row_every_column_changed() {
    let mut conn = fresh(SCHEMA);
    user(&mut conn);
    assert_eq!(
        LOG.take(),
        [
            "Ada or ada@example.org",
            "email ada@example.org",
            "name Ada committed"
        ]
    );
}

#[test]
fn a_receiver_of_a_column_is_called_by_an_update_or_a_save_that_changes_it() {
    let mut conn = fresh(SCHEMA);
    let mut ada = user(&mut conn);
    LOG.take();
    ada.update(&mut conn, |it| it.name = "Ada L".into())
        .expect("updated");
    let name_changed = ["Ada L or ada@example.org", "name Ada L committed"];
    assert_eq!(LOG.take(), name_changed);
    ada.save(&mut conn).expect("saved");
    assert!(LOG.take().is_empty(), "a save that changes nothing");
    ada.email = "ada@lovelace.org".into();
    ada.save(&mut conn).expect("saved");
    let email_changed = ["Ada L or ada@lovelace.org", "email ada@lovelace.org"];
    assert_eq!(LOG.take(), email_changed);
    ada.update_set(&mut conn, users::email.eq("ada@lovelace.org"))
        .expect("updated");
    assert!(LOG.take().is_empty(), "the same value again");
    ada.update_set(&mut conn, users::name.eq(users::name.concat("!")))
        .expect("updated");
    assert_eq!(
        LOG.take(),
        ["Ada L! or ada@lovelace.org", "name Ada L! committed"]
    );
}

#[test]
fn a_save_compares_with_the_row_in_the_database_and_not_with_memory() {
    let mut conn = fresh(SCHEMA);
    let mut ada = user(&mut conn);
    diesel::update(users::table)
        .set(users::name.eq("somebody else's"))
        .execute(&mut conn)
        .expect("plain Diesel");
    LOG.take();
    ada.save(&mut conn).expect("saved");
    assert_eq!(LOG.take(), ["Ada or ada@example.org", "name Ada committed"]);
}

#[test]
fn the_old_row_is_read_only_for_a_receiver_that_asks_what_changed() {
    let mut conn = fresh(SCHEMA);
    let mut quiet = Quiet::create(
        &mut conn,
        NewQuiet {
            name: "hush".into(),
        },
    )
    .expect("a row");
    let mut ada = user(&mut conn);
    LOG.take();
    let (outcome, sent) = statements(&mut conn, |conn| quiet.save(conn));
    outcome.expect("saved");
    assert_eq!(verbs(&sent), ["UPDATE"]);
    assert_eq!(LOG.take(), ["quiet name"], "every column counts as changed");
    let (outcome, sent) = statements(&mut conn, |conn| ada.save(conn));
    outcome.expect("saved");
    assert_eq!(of_rows(&sent), ["SELECT", "UPDATE"]);
    let change = |it: &mut User| it.name = "Ada L".into();
    let (outcome, sent) = statements(&mut conn, |conn| ada.update(conn, change));
    outcome.expect("updated");
    assert_eq!(
        of_rows(&sent),
        ["UPDATE"],
        "an update has the old row already"
    );
    LOG.take();
}

/// One function before the write of several models.
#[receiver(senders(User, Team), dispatch_uid = "about to be")]
fn about_to_be<M: Model>(event: &mut PreSave<M>) {
    let kind = match event {
        PreSave::Create(_) => "inserted",
        PreSave::Update(_) => "updated",
    };
    if matches!(M::INFO.name, "Team") {
        LOG.push(format!("{} is about to be {kind}", M::INFO.name));
    }
}

/// One function for each connection that is named, and for each model.
#[receiver(senders(Team, Queued), connections(TestConnection))]
fn with_a_connection<M: Model, C: RawConnection>(
    _: &PostDelete<M>,
    conn: &mut C,
) -> QueryResult<()> {
    LOG.push(format!("{} deleted", M::INFO.name));
    conn.batch_execute("INSERT INTO quiets (name) VALUES ('written on the way')")
}

#[test]
fn one_function_hears_several_senders_before_the_write() {
    let mut conn = fresh(SCHEMA);
    let mut team = Team::create(&mut conn, NewTeam { name: "A".into() }).expect("a team");
    team.update(&mut conn, |it| it.name = "B".into())
        .expect("updated");
    user(&mut conn);
    assert_eq!(
        LOG.take()[..2],
        [
            "Team is about to be inserted",
            "Team is about to be updated"
        ]
    );
    let heard = diesel_hooks::registry()
        .receivers()
        .filter(|it| it.uid == "about to be");
    assert_eq!(heard.count(), 2);
}

#[test]
fn a_function_that_is_generic_over_the_connection_gets_the_one_it_is_named_for() {
    let mut conn = fresh(SCHEMA);
    let team = Team::create(&mut conn, NewTeam { name: "A".into() }).expect("a team");
    LOG.take();
    team.delete(&mut conn).expect("deleted");
    assert_eq!(LOG.take(), ["Team deleted"]);
    assert_eq!(quiets::table.count().get_result(&mut conn), Ok(1));
}

#[receiver(after_commit)]
fn update_planned(event: &PreUpdate<Queued>) {
    LOG.push(format!("planned {} and committed", event.instance.name));
}

#[receiver(after_rollback)]
fn update_failed(event: &PreUpdate<Queued>) {
    LOG.push(format!("planned {} in vain", event.instance.name));
}

#[receiver]
fn updated(event: &PostUpdate<Queued>) {
    LOG.push(format!("wrote {}", event.instance.name));
}

#[receiver(after_rollback)]
fn update_undone(event: &PostUpdate<Queued>) {
    LOG.push(format!("undid {}", event.instance.name));
}

#[receiver(after_commit)]
fn delete_planned(_: &PreDelete<Queued>) {
    LOG.push("planned a delete and committed");
}

#[receiver]
fn deleted(_: &PostDelete<Queued>) {
    LOG.push("a row went");
}

fn queued(conn: &mut TestConnection) -> Queued {
    let new = NewQueued { name: "one".into() };
    let row = Queued::create(conn, new).expect("a row");
    LOG.take();
    row
}

fn rename(row: &mut Queued, conn: &mut TestConnection, name: &str) -> diesel_hooks::Result {
    row.update(conn, |it| it.name = name.into())
}

#[test]
fn after_the_commit_is_after_the_write_also_for_what_was_told_before_it() {
    let mut conn = fresh(SCHEMA);
    let mut row = queued(&mut conn);
    rename(&mut row, &mut conn, "two").expect("updated");
    assert_eq!(LOG.take(), ["wrote two", "planned two and committed"]);
    row.delete(&mut conn).expect("deleted");
    assert_eq!(
        LOG.take(),
        [
            "a row went",
            "Queued deleted",
            "planned a delete and committed"
        ]
    );
}

#[test]
fn an_update_that_the_database_refuses_is_told_to_after_rollback_alone() {
    let mut conn = fresh(SCHEMA);
    let mut row = queued(&mut conn);
    rename(&mut row, &mut conn, "impossible").expect_err("refused");
    assert_eq!(LOG.take(), ["planned impossible in vain"]);
    conn.transaction(|conn| {
        rename(&mut row, conn, "impossible").expect_err("refused");
        assert_eq!(LOG.take(), ["planned impossible in vain"]);
        rename(&mut row, conn, "two")
    })
    .expect("it commits");
    assert_eq!(LOG.take(), ["wrote two", "planned two and committed"]);
}

#[test]
fn after_rollback_hears_what_a_transaction_took_back_and_nothing_after_a_commit() {
    let mut conn = fresh(SCHEMA);
    let mut row = queued(&mut conn);
    let failed: diesel_hooks::Result = conn.transaction(|conn| {
        rename(&mut row, conn, "two")?;
        assert_eq!(LOG.take(), ["wrote two"]);
        Err(DieselError::RollbackTransaction.into())
    });
    failed.expect_err("rolled back");
    assert_eq!(LOG.take(), ["planned two in vain", "undid two"]);
    conn.transaction(|conn| rename(&mut row, conn, "three"))
        .expect("it commits");
    assert_eq!(LOG.take(), ["wrote three", "planned three and committed"]);
}

#[test]
fn after_rollback_hears_what_a_savepoint_took_back_at_once() {
    let mut conn = fresh(SCHEMA);
    let mut row = queued(&mut conn);
    conn.transaction(|conn| {
        let mut copy = row.clone();
        let failed: diesel_hooks::Result = conn.transaction(|conn| {
            rename(&mut copy, conn, "two")?;
            Err(DieselError::RollbackTransaction.into())
        });
        failed.expect_err("rolled back");
        assert_eq!(
            LOG.take(),
            ["wrote two", "planned two in vain", "undid two"]
        );
        rename(&mut row, conn, "three")
    })
    .expect("it commits");
    assert_eq!(LOG.take(), ["wrote three", "planned three and committed"]);
}

#[test]
fn a_refused_statement_behind_a_savepoint_of_the_applications_own_loses_no_commit() {
    let mut conn = fresh(SCHEMA);
    let mut row = queued(&mut conn);
    conn.transaction(|conn| {
        rename(&mut row, conn, "two")?;
        conn.batch_execute("SAVEPOINT own")?;
        conn.batch_execute("INSERT INTO nowhere VALUES (1)")
            .expect_err("there is no such table");
        conn.batch_execute("ROLLBACK TO SAVEPOINT own")?;
        Ok::<_, diesel_hooks::Error>(())
    })
    .expect("it commits");
    let stored = Queued::get(&mut conn, row.id).expect("it is there");
    assert_eq!(stored.name, "two");
    assert_eq!(LOG.take(), ["wrote two", "planned two and committed"]);
}
