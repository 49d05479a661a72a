//! Each operation, with its COMMIT not sent on or not answered: all of it is there, or nothing, and its error says that
//! nobody knows; whoever has a pool goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use backends::{Database, TestConnection};
use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sql_types::Text;
use diesel_hooks::prelude::*;
use diesel_hooks::set_instrumentation;

use crate::faults::{Fault, assert_unknown, cuts, was_done};
use crate::link::{Cut, Request};
use crate::sessions::depth;
use crate::teams::{NewTeam, OPERATIONS, Operation, TABLES, TOLD, Team, fill};

fn run(
    conn: &mut TestConnection,
    operation: Operation,
    inside: bool,
    team: &mut Team,
) -> diesel_hooks::Result {
    match inside {
        false => (operation.run)(conn, team),
        true => conn.transaction(|conn| (operation.run)(conn, team)),
    }
}

/// What there is, by names alone: keys differ from one run to the next.
fn contents(conn: &mut TestConnection) -> Vec<(String, String)> {
    #[derive(QueryableByName)]
    struct It {
        #[diesel(sql_type = Text)]
        kind: String,
        #[diesel(sql_type = Text)]
        name: String,
    }
    let all: Vec<It> = diesel::sql_query(
        "SELECT 'team' AS kind, name FROM teams
        UNION ALL SELECT 'locker', t.name FROM lockers l JOIN teams t ON t.id = l.team_id
        UNION ALL SELECT 'member', t.name FROM members m JOIN teams t ON t.id = m.team_id
        UNION ALL SELECT 'badge', t.name FROM badges b
            JOIN members m ON m.id = b.member_id JOIN teams t ON t.id = m.team_id
        UNION ALL SELECT CASE level WHEN 1 THEN 'setting 1' ELSE 'setting 2' END, name FROM settings
        UNION ALL SELECT 'note', text FROM notes
        UNION ALL SELECT 'change', text FROM changes
        ORDER BY 1, 2",
    )
    .load(conn)
    .expect("all of it can be read");
    all.into_iter().map(|it| (it.kind, it.name)).collect()
}

/// A connection to the database that may break, in a pool of one.
struct Link {
    database: Database,
    fault: Fault,
    pool: Pool<ConnectionManager<TestConnection>>,
}

impl Link {
    fn new() -> Self {
        let database = Database::new(TABLES);
        let fault = Fault::of(&database);
        let pool = Pool::builder()
            .max_size(1)
            .build(ConnectionManager::new(fault.url()))
            .expect("a pool");
        Link {
            database,
            fault,
            pool,
        }
    }

    fn contents(&self) -> Vec<(String, String)> {
        contents(&mut self.database.connect())
    }

    /// What an operation leaves, and whether it sends a COMMIT.
    fn unbroken(&self, operation: Operation, inside: bool) -> (Vec<(String, String)>, bool) {
        let mut conn = self.database.connect();
        let mut team = fill(&mut conn);
        let commits = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&commits);
        set_instrumentation(&mut conn, move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event
                && query.to_string().contains("COMMIT")
            {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        run(&mut conn, operation, inside, &mut team).expect("nothing breaks");
        (contents(&mut conn), commits.load(Ordering::Relaxed) > 0)
    }

    fn strike(&mut self, operation: Operation, inside: bool, cut: Cut, done: &[(String, String)]) {
        let place = format!("{} (in a transaction: {inside}), {cut:?}", operation.name);
        let mut conn = self.pool.get().expect("the pool has one");
        let mut team = fill(&mut conn);
        let (before, as_it_was) = (contents(&mut conn), team.clone());
        assert_ne!(before, done, "{place}");
        TOLD.take();
        self.fault.strike(cut);
        let error = run(&mut conn, operation, inside, &mut team).expect_err(&place);
        assert!(self.fault.is_over(), "{place}");
        if !inside {
            // The COMMIT of the application's transaction is Diesel's, and so is its error.
            assert_unknown(&error);
            assert_eq!(team, as_it_was, "{place}");
        }
        assert_eq!(TOLD.take(), [""; 0], "{place}");
        let expected = if was_done(cut) { done } else { &before };
        assert_eq!(self.contents(), expected, "{place}");
        assert!(matches!(depth(&mut conn), None | Some(0)), "{place}");
        drop(conn);
        let mut conn = self.pool.get().expect("the pool recovers");
        let name = "next".into();
        Team::create(&mut conn, NewTeam { name }).expect("the pool recovers");
        assert_eq!(TOLD.take(), ["saved"], "{place}");
    }
}

#[test]
fn whatever_nobody_answered_is_there_as_a_whole_or_not_at_all() {
    let mut link = Link::new();
    let (mut struck, mut alone) = (0, Vec::new());
    for operation in OPERATIONS {
        for inside in [false, true] {
            let (done, commits) = link.unbroken(operation, inside);
            if !commits {
                alone.push((operation.name, inside));
                continue;
            }
            for cut in cuts(Request::Commit) {
                link.strike(operation, inside, cut, &done);
                struck += 1;
            }
        }
    }
    println!("{struck} commits without an answer, 0 partial states");
    // These are one statement, which commits by itself.
    let create = ("create of what nobody hears of", false);
    let delete = ("delete of what nobody hears of", false);
    assert!(alone == [delete] || alone == [create, delete], "{alone:?}");
}
