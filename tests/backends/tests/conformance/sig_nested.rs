//! Django's cases of operations inside receivers, as they hold here; `docs/django.md` will list them.

use backends::{Log, System, TestConnection, depth, fresh, on, system};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { drafts (id) { id -> Integer, text -> Text } }
diesel::table! { echoes (id) { id -> Integer, text -> Text } }
diesel::table! { reports (id) { id -> Integer, text -> Text } }

const SCHEMA: &str = "
    CREATE TABLE drafts (id {key}, text TEXT NOT NULL);
    CREATE TABLE echoes (id {key}, text TEXT NOT NULL);
    CREATE TABLE reports (id {key}, text TEXT NOT NULL);
    CREATE TABLE fuses (id {key});
    {trigger blown BEFORE INSERT ON fuses: RAISE ROLLBACK 'blown';}
";

static LOG: Log = Log::new();

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Draft {
    id: i32,
    text: String,
}

/// The first receiver saves again what was created.
#[receiver(order = 1)]
fn save_again(event: &PostSave<Draft>, conn: &mut TestConnection) -> diesel_hooks::Result {
    LOG.push(format!("first, created {}", event.created));
    match event.created {
        true => event.instance.clone().save(conn),
        false => Ok(()),
    }
}

#[receiver(order = 2)]
fn look(event: &PostSave<Draft>) {
    LOG.push(format!("second, created {}", event.created));
}

#[test]
fn sig_29_later_receivers_see_the_inner_update_before_the_outer_create() {
    let mut conn = fresh(SCHEMA);
    let new = NewDraft { text: "it".into() };
    Draft::create(&mut conn, new).expect("a draft");
    assert_eq!(
        LOG.take(),
        [
            "first, created true",
            "first, created false",
            "second, created false",
            "second, created true"
        ]
    );
    assert_eq!(drafts::table.count().get_result(&mut conn), Ok(1));
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = echoes)]
struct Echo {
    id: i32,
    text: String,
}

#[receiver(dispatch_uid = "echo")]
fn save_always(event: &PostSave<Echo>, conn: &mut TestConnection) -> diesel_hooks::Result {
    LOG.push("echo");
    event.instance.clone().save(conn)
}

fn echo_without_end(conn: &mut TestConnection) -> Vec<String> {
    let new = NewEcho { text: "it".into() };
    let error = Echo::create(conn, new).expect_err("it never ends");
    let mut next: &dyn std::error::Error = &error;
    loop {
        match next.downcast_ref() {
            Some(Error::Recursion { chain }) => return chain.clone(),
            Some(Error::Receiver(receiver)) => next = &*receiver.source,
            _ => next = next.source().expect("the chain is somewhere"),
        }
    }
}

#[test]
fn sig_30_a_save_without_end_is_an_error_that_names_the_chain_and_nothing_stays() {
    let mut conn = fresh(SCHEMA);
    let chain = echo_without_end(&mut conn);
    assert_eq!(chain.len(), 33);
    assert!(chain.iter().all(|it| it == "PostSave<Echo> (echo)"));
    assert_eq!(LOG.take().len(), 32, "the limit");
    assert_eq!(echoes::table.count().get_result(&mut conn), Ok(0));
    assert_eq!(depth(&mut conn), 0);
    let new = NewDraft {
        text: "next".into(),
    };
    Draft::create(&mut conn, new).expect("the chain is forgotten");
    LOG.take();
}

#[test]
fn sig_30_the_limit_is_the_connections() {
    let mut conn = fresh(SCHEMA);
    conn.set_recursion_limit(3).expect("there is room");
    assert_eq!(echo_without_end(&mut conn).len(), 4);
    assert_eq!(LOG.take().len(), 3);
    let mut other = fresh(SCHEMA);
    assert_eq!(echo_without_end(&mut other).len(), 33);
    LOG.take();
}

#[test]
fn sig_30_without_itself_a_receiver_may_save_the_row_that_it_hears_of() {
    let mut conn = fresh(SCHEMA);
    let guard = conn.connect(|event: &PostSave<Echo>, conn: &mut TestConnection| {
        LOG.push(format!("heard {}", event.instance.text));
        if event.instance.text == "once more" {
            return Ok(());
        }
        let mut echo = event.instance.clone();
        echo.update(conn, |it| it.text = "once more".into())
    });
    let new = NewEcho { text: "it".into() };
    conn.without_receiver("echo", |conn| Echo::create(conn, new))
        .expect("an echo");
    drop(guard.expect("there is room"));
    assert_eq!(LOG.take(), ["heard it", "heard once more"]);
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Report {
    id: i32,
    text: String,
}

/// A statement that fails and ends the transaction; on MySQL it commits it.
fn fatal() -> &'static str {
    let blown = "INSERT INTO fuses VALUES (1)";
    on(blown, blown, "CREATE TABLE fuses (id INTEGER)")
}

/// Runs a statement that fails, or ends the transaction, and does not say so.
#[receiver]
fn swallow(event: &PostCreate<Report>, conn: &mut TestConnection) {
    let swallowed = match event.instance.text.as_str() {
        "harmless" => conn.batch_execute("INSERT INTO nowhere VALUES (1)"),
        "fatal" => conn.batch_execute(fatal()),
        "fatal, prepared" => diesel::sql_query(fatal()).execute(conn).map(drop),
        "exchanged" => {
            let exchanged = conn.batch_execute("ROLLBACK; BEGIN");
            return exchanged.expect("the database does as it is told");
        }
        _ => return,
    };
    swallowed.expect_err("it fails");
}

fn report(conn: &mut TestConnection, text: &str) -> diesel_hooks::Result<Report> {
    Report::create(conn, NewReport { text: text.into() })
}

fn assert_lost(outcome: diesel_hooks::Result<Report>) {
    let lost = outcome.expect_err("the transaction is gone");
    assert!(matches!(lost, Error::TransactionLost { .. }), "{lost}");
}

fn reported(conn: &mut TestConnection) -> i64 {
    let count = reports::table.count().get_result(conn);
    count.expect("reports can be counted")
}

#[test]
fn sig_39_after_a_statement_that_ended_the_transaction_nothing_runs_until_it_is_over() {
    let mut conn = fresh(SCHEMA);
    let outcome = conn.transaction(|conn| {
        report(conn, "before")?;
        assert_lost(report(conn, "fatal"));
        match system() {
            // It went back to the savepoint around the operation.
            System::Postgres => drop(report(conn, "behind")?),
            // It would be alone.
            System::Sqlite | System::Mysql => assert_lost(report(conn, "behind")),
        }
        Ok::<_, Error>(())
    });
    // MySQL refuses no COMMIT. What was written before the end stays there.
    assert_eq!(outcome.is_ok(), on(false, true, true));
    let left = on(0, 2, 2);
    assert_eq!(reported(&mut conn), left);
    report(&mut conn, "next").expect("it is over");
    assert_eq!(reported(&mut conn), left + 1);
}

#[test]
fn sig_39_a_statement_that_failed_alone_is_the_receivers_own_affair() {
    let mut conn = fresh(SCHEMA);
    let outcome = conn.transaction(|conn| {
        report(conn, "before")?;
        match system() {
            // There it takes the transaction with it, up to the savepoint around the operation.
            System::Postgres => assert_lost(report(conn, "harmless")),
            // It is undone, and no more.
            System::Sqlite | System::Mysql => drop(report(conn, "harmless")?),
        }
        report(conn, "behind")
    });
    outcome.expect("the transaction goes on");
    assert_eq!(reported(&mut conn), on(3, 2, 3));
    assert_lost(report(&mut conn, "fatal"));
    assert_eq!(depth(&mut conn), 0);
}

#[test]
fn sig_39_a_transaction_exchanged_for_another_is_not_taken_for_ours() {
    let mut conn = fresh(SCHEMA);
    for text in ["fatal, prepared", "exchanged"] {
        assert_lost(report(&mut conn, text));
        assert_eq!(depth(&mut conn), 0);
        // On MySQL the first has committed its row.
        assert_eq!(reported(&mut conn), on(0, 0, 1));
    }
    report(&mut conn, "next").expect("usable");
}
