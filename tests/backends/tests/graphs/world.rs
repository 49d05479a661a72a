//! A database, and what the rules say must be in it.

use std::cell::RefCell;

use backends::{TestConnection, spelt};
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_hooks::Error;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::chosen::{self, Choice};
use super::compare::{Outcome, all_heard, counted, in_order, part_of, sorted};
use super::heard::{self, Event, Moment};
use super::oracle::Delete;
use super::place::{Place, is_aborted, next_key};
use super::program::{Operation, Program, Step, Target};
use super::rows::Rows;
use super::schema::{Clause, Schema};
use super::tasks::{Answer, Task, Tasks};
use super::verdict::Failure;
use super::{ring, tree};

pub(crate) struct World {
    schema: Schema,
    rows: Rows,
    /// What is to be heard of after the commit.
    pending: Vec<Event>,
    /// How many transactions are open.
    depth: usize,
    /// Whether the innermost can only be rolled back.
    is_aborted: bool,
    /// What was done, for who reads of a failure.
    story: RefCell<String>,
}

pub(crate) fn run(place: &Place, program: &Program) -> Outcome {
    heard::forget();
    let kinds = match program.in_circles {
        true => ring::kinds(),
        false => tree::kinds(),
    };
    let schema = Schema::new(kinds, &program.clauses);
    let mut conn = place.open(&schema);
    let story = spelt(&schema.sql());
    let mut world = World {
        schema,
        rows: Rows::default(),
        pending: Vec::new(),
        depth: 0,
        is_aborted: false,
        story: story.into(),
    };
    world.go(&mut conn, program).map_err(|error| {
        let story = world.story.borrow();
        TestCaseError::fail(format!("{error}\n{story}"))
    })
}

impl World {
    fn go(&mut self, conn: &mut TestConnection, program: &Program) -> Outcome {
        for (model, draft) in &program.rows {
            let create = Operation::Create(*model, draft.clone());
            self.operate(conn, &create, None, Choice::Nothing)?;
        }
        for (target, draft) in &program.turns {
            let save = Operation::Save(target.clone(), draft.clone());
            self.operate(conn, &save, None, Choice::Nothing)?;
        }
        self.take_all(conn, &program.steps)
    }

    fn take_all(&mut self, conn: &mut TestConnection, steps: &[Step]) -> Outcome {
        for step in steps {
            self.take(conn, step)?;
            if self.is_aborted {
                break;
            }
        }
        Ok(())
    }

    fn take(&mut self, conn: &mut TestConnection, step: &Step) -> Outcome {
        match step {
            Step::Operation {
                operation,
                fail_after,
                choice,
            } => self.operate(conn, operation, *fail_after, *choice),
            Step::Transaction { steps, commits } => self.nest(conn, steps, *commits),
        }
    }

    /// A transaction of the application, or a savepoint inside one.
    fn nest(&mut self, conn: &mut TestConnection, steps: &[Step], commits: bool) -> Outcome {
        let before = self.rows.clone();
        let pending = self.pending.len();
        self.depth += 1;
        self.tell("begin");
        let mut inside = Ok(());
        let outcome = conn.transaction(|conn| {
            inside = self.take_all(conn, steps);
            match inside.is_ok() && commits && !self.is_aborted {
                true => Ok(()),
                false => Err(DieselError::RollbackTransaction),
            }
        });
        let commits = commits && !std::mem::take(&mut self.is_aborted);
        self.tell(if commits { "commit" } else { "roll back" });
        self.depth -= 1;
        inside?;
        let commits = commits && !self.is_refused_at_commit(&self.rows);
        prop_assert_eq!(outcome.is_ok(), commits, "{:?}", outcome);
        if !commits {
            self.rows = before;
            self.pending.truncate(pending);
        }
        self.after_transaction(conn)
    }

    fn tell(&self, what: &str) {
        *self.story.borrow_mut() += &format!("{}{what}\n", "  ".repeat(self.depth));
    }

    fn is_refused_at_commit(&self, rows: &Rows) -> bool {
        self.depth == 0 && rows.dangles(&self.schema, &[Clause::Deferred])
    }

    /// The database has what the rules say, and what waited for the commit ran if it is over.
    fn after_transaction(&mut self, conn: &mut TestConnection) -> Outcome {
        let mut stored = Rows::default();
        for kind in &self.schema.kinds {
            for cells in (kind.stored)(conn) {
                stored.0.entry(kind.row(&cells)).or_default().extend(cells);
            }
        }
        prop_assert_eq!(&stored, &self.rows);
        let due = match self.depth {
            0 => std::mem::take(&mut self.pending),
            _ => Vec::new(),
        };
        prop_assert_eq!(heard::committed(), due);
        Ok(())
    }

    fn operate(
        &mut self,
        conn: &mut TestConnection,
        operation: &Operation,
        fail_after: Option<usize>,
        choice: Choice,
    ) -> Outcome {
        if let Operation::Plan(target) = operation {
            return self.plan(conn, target);
        }
        let Some(Task {
            what,
            mut verdict,
            answer,
            order,
            work,
        }) = self.tasks(conn).task(operation, choice)
        else {
            return Ok(());
        };
        if self.is_refused_at_commit(&verdict.rows) {
            verdict.commit.insert(Failure::Refused);
        }
        let story = format!("{what}, {choice:?}, receivers fail after {fail_after:?}");
        chosen::choose(choice);
        heard::fail_after(fail_after);
        let outcome = work(conn);
        heard::fail_after(None);
        let events = heard::events();
        let asked = chosen::asked();
        let failure = outcome.as_ref().err().map(Failure::of);
        self.tell(&format!("{story}: {failure:?}"));
        let answers = verdict.answers(fail_after);
        prop_assert!(
            answers.contains(&failure),
            "{outcome:?} where the rules say {answers:?}: {story}"
        );
        match outcome {
            Err(_) => {
                part_of(&events, &verdict)?;
                if self.depth > 0 && is_aborted(conn) {
                    let by_database = failure.is_some_and(|it| it.is_of_database());
                    prop_assert!(by_database, "the transaction is aborted: {story}");
                    self.is_aborted = true;
                    return Ok(());
                }
            }
            Ok(returned) => {
                match returned {
                    Answer::Deleted(deleted) => counted(&deleted, &verdict, &events, &self.schema)?,
                    returned => prop_assert_eq!(sorted(returned), sorted(answer)),
                }
                all_heard(&events, &verdict)?;
                prop_assert_eq!(asked, verdict.asked);
                if let Some(order) = order {
                    in_order(&events, &order, &self.schema)?;
                }
                let after = [Moment::PostSave, Moment::PostDelete];
                let posts = events.into_iter().filter(|it| after.contains(&it.moment));
                self.pending.extend(posts);
                self.rows = verdict.rows;
            }
        }
        self.after_transaction(conn)
    }

    fn tasks(&self, conn: &mut TestConnection) -> Tasks<'_> {
        let generated = self.schema.kinds.iter().filter(|it| it.is_generated);
        let next = generated.filter_map(|it| Some((it.table, next_key(conn, it)?)));
        Tasks {
            schema: &self.schema,
            rows: &self.rows,
            next_keys: next.collect(),
        }
    }

    fn plan(&mut self, conn: &mut TestConnection, target: &Target) -> Outcome {
        let Some((kind, cells)) = self.tasks(conn).target(target) else {
            return Ok(());
        };
        let root = kind.row(&cells);
        let outcome = (kind.plan)(conn, &cells);
        if !self.rows.0.contains_key(&root) {
            prop_assert!(
                matches!(outcome, Err(Error::NotFound { .. })),
                "{outcome:?}"
            );
            return Ok(());
        }
        let plan = outcome.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let delete = Delete::new(&self.schema, &self.rows, kind.name, [root].into());
        let blocked = !delete.verdict(Choice::Nothing, None).early.is_empty();
        prop_assert_eq!(plan.is_blocked(), blocked, "{}", plan);
        prop_assert_eq!(plan.total(), delete.collected.len(), "{}", plan);
        prop_assert!(heard::events().is_empty());
        self.after_transaction(conn)
    }
}
