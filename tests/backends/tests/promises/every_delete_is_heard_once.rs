//! The rows that a delete removes are those that are announced and those that are reported, each once,
//! whatever receivers do meanwhile.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use backends::script::{LOG, on_event};
use backends::{TestConnection, hear_deletes, model};
use backends::{depth, fresh};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

model!(Top of tops {
    #[hooks(foreign_key(Self, on_delete = Cascade))]
    up_id: Option<i32> = [Nullable<Integer>],
});
model!(Middle of middles {
    #[hooks(foreign_key(Top, on_delete = Cascade))]
    top_id: i32 = [Integer],
    #[hooks(foreign_key(Top, on_delete = Cascade))]
    other_id: Option<i32> = [Nullable<Integer>],
});
model!(Low of lows {
    #[hooks(foreign_key(Middle, on_delete = Cascade))]
    middle_id: Option<i32> = [Nullable<Integer>],
    #[hooks(foreign_key(Top, on_delete = SetNull))]
    seen_id: Option<i32> = [Nullable<Integer>],
});
// Heard by receivers that never have the connection.
model!(Crumb of crumbs {
    #[hooks(foreign_key(Middle, on_delete = Cascade))]
    middle_id: i32 = [Integer],
});
// Nobody hears of it.
model!(Dust of dusts {
    #[hooks(foreign_key(Low, on_delete = Cascade))]
    low_id: i32 = [Integer],
});

hear_deletes! {
    pre_top post_top Top;
    pre_middle post_middle Middle;
    pre_low post_low Low;
}

#[receiver]
fn pre_crumb(event: &PreDelete<Crumb>) {
    LOG.push(format!("pre Crumb {}", event.instance.id));
}

#[receiver]
fn post_crumb(event: &PostDelete<Crumb>) {
    LOG.push(format!("post Crumb {}", event.instance.id));
}

const SCHEMA: &str = "
    CREATE TABLE tops (id {key}, up_id INTEGER REFERENCES tops (id));
    CREATE TABLE middles (id {key}, top_id INTEGER NOT NULL REFERENCES tops (id),
        other_id INTEGER REFERENCES tops (id));
    CREATE TABLE lows (id {key}, middle_id INTEGER REFERENCES middles (id), seen_id INTEGER REFERENCES tops (id));
    CREATE TABLE crumbs (id {key}, middle_id INTEGER NOT NULL REFERENCES middles (id));
    CREATE TABLE dusts (id {key}, low_id INTEGER NOT NULL REFERENCES lows (id));
";

/// A small generator; the seed makes a failure repeatable.
#[derive(Clone)]
struct Random(std::rc::Rc<Cell<u64>>);

impl Random {
    fn below(&self, bound: usize) -> usize {
        let mut it = self.0.get();
        it ^= it << 13;
        it ^= it >> 7;
        it ^= it << 17;
        self.0.set(it);
        (it % bound.max(1) as u64) as usize
    }

    fn one_of(&self, ids: &[i32]) -> Option<i32> {
        ids.get(self.below(ids.len() + 1)).copied()
    }

    fn surely_one_of(&self, ids: &[i32]) -> Option<i32> {
        ids.get(self.below(ids.len())).copied()
    }
}

macro_rules! ids {
    ($table:ident, $conn:expr) => {
        $table::table
            .select($table::id)
            .order($table::id)
            .load::<i32>($conn)
            .expect("read")
    };
}

/// Every row that somebody hears of, as its events name it.
fn heard_rows(conn: &mut TestConnection) -> BTreeSet<String> {
    let named =
        |model: &'static str, ids: Vec<i32>| ids.into_iter().map(move |id| format!("{model} {id}"));
    let (tops, middles, lows) = (ids!(tops, conn), ids!(middles, conn), ids!(lows, conn));
    named("Top", tops)
        .chain(named("Middle", middles))
        .chain(named("Low", lows))
        .chain(named("Crumb", ids!(crumbs, conn)))
        .collect()
}

/// Adds a row somewhere, of a key that no row had, and says which.
fn insert(conn: &mut TestConnection, random: &Random, id: i32) -> QueryResult<Option<String>> {
    let (tops, middles, lows) = (ids!(tops, conn), ids!(middles, conn), ids!(lows, conn));
    Ok(match random.below(5) {
        0 => {
            let values = (tops::id.eq(id), tops::up_id.eq(random.one_of(&tops)));
            diesel::insert_into(tops::table)
                .values(values)
                .execute(conn)?;
            Some(format!("Top {id}"))
        }
        1 => {
            let Some(top) = random.surely_one_of(&tops) else {
                return Ok(None);
            };
            let other = random.one_of(&tops);
            let values = (
                middles::id.eq(id),
                middles::top_id.eq(top),
                middles::other_id.eq(other),
            );
            diesel::insert_into(middles::table)
                .values(values)
                .execute(conn)?;
            Some(format!("Middle {id}"))
        }
        2 => {
            let (middle, seen) = (random.one_of(&middles), random.one_of(&tops));
            let values = (
                lows::id.eq(id),
                lows::middle_id.eq(middle),
                lows::seen_id.eq(seen),
            );
            diesel::insert_into(lows::table)
                .values(values)
                .execute(conn)?;
            Some(format!("Low {id}"))
        }
        3 => {
            let Some(middle) = random.surely_one_of(&middles) else {
                return Ok(None);
            };
            let values = (crumbs::id.eq(id), crumbs::middle_id.eq(middle));
            diesel::insert_into(crumbs::table)
                .values(values)
                .execute(conn)?;
            Some(format!("Crumb {id}"))
        }
        _ => {
            if let Some(low) = random.surely_one_of(&lows) {
                let values = (dusts::id.eq(id), dusts::low_id.eq(low));
                diesel::insert_into(dusts::table)
                    .values(values)
                    .execute(conn)?;
            }
            None
        }
    })
}

/// Deletes some row, if there is one, with its hooks.
fn delete_one(conn: &mut TestConnection, random: &Random) -> diesel_hooks::Result<usize> {
    let (tops, middles, lows) = (ids!(tops, conn), ids!(middles, conn), ids!(lows, conn));
    let deleted = match random.below(3) {
        0 => random
            .surely_one_of(&tops)
            .map(|id| Top::get(conn, id)?.delete(conn)),
        1 => random
            .surely_one_of(&middles)
            .map(|id| Middle::get(conn, id)?.delete(conn)),
        _ => random
            .surely_one_of(&lows)
            .map(|id| Low::get(conn, id)?.delete(conn)),
    };
    Ok(deleted.transpose()?.map_or(0, |deleted| deleted.total))
}

fn delete_some(conn: &mut TestConnection, random: &Random) -> diesel_hooks::Result<usize> {
    if random.below(2) == 0 {
        return delete_one(conn, random);
    }
    let from = random.surely_one_of(&ids!(tops, conn)).unwrap_or_default();
    let query = tops::table.filter(tops::id.ge(from)).limit(2);
    Ok(query.delete_hooked::<Top>(conn)?.total)
}

/// What receivers do at one event of a run, the `at`-th.
#[derive(Clone, Copy)]
enum Meddle {
    Not,
    Delete(usize),
    Insert(usize),
}

/// Several, on one database.
fn run(seeds: impl Iterator<Item = u64>, meddle: fn(usize) -> Meddle) -> usize {
    const EMPTY: &str = "
        DELETE FROM dusts; DELETE FROM crumbs; DELETE FROM lows; DELETE FROM middles;
        UPDATE tops SET up_id = NULL; DELETE FROM tops;
    ";
    let mut conn = fresh(SCHEMA);
    let removed = seeds.map(|seed| {
        conn.batch_execute(EMPTY).expect("emptied");
        run_one(&mut conn, seed, meddle)
    });
    removed.sum()
}

fn run_one(conn: &mut TestConnection, seed: u64, meddle: fn(usize) -> Meddle) -> usize {
    let random = Random(std::rc::Rc::new(Cell::new(seed)));
    let count = 3 + random.below(18) as i32;
    for id in 1..=count {
        insert(conn, &random, id).expect("inserted");
    }
    let before = heard_rows(conn);
    let added = std::rc::Rc::new(RefCell::new(Vec::new()));
    let seen = Cell::new(0);
    let (meddle, inside, noted) = (meddle(random.below(8)), random.clone(), added.clone());
    on_event(move |_, conn| {
        seen.set(seen.get() + 1);
        match meddle {
            Meddle::Delete(at) if seen.get() == at + 1 => drop(delete_one(conn, &inside)?),
            Meddle::Insert(at) if seen.get() == at + 1 => {
                noted.borrow_mut().extend(insert(conn, &inside, 100)?);
            }
            _ => {}
        }
        Ok(())
    });
    let outcome = delete_some(conn, &random);
    on_event(|_, _| Ok(()));
    let heard = LOG.take();
    let after = heard_rows(conn);
    let context = format!("seed {seed}: {heard:?}");
    assert_eq!(depth(conn), 0, "{context}");
    let total = match outcome {
        Ok(total) => total,
        Err(Error::ChildAppeared { .. } | Error::Receiver(_)) => {
            assert_eq!(before, after, "{context}");
            return 0;
        }
        Err(error) => panic!("{error:?} in {context}"),
    };
    let there: BTreeSet<_> = before.into_iter().chain(added.take()).collect();
    let removed: Vec<_> = there.difference(&after).cloned().collect();
    for phase in ["pre ", "post "] {
        let mut of_phase: Vec<_> = heard
            .iter()
            .filter_map(|event| event.strip_prefix(phase))
            .map(str::to_owned)
            .collect();
        of_phase.sort_unstable();
        let mut removed = removed.clone();
        removed.sort_unstable();
        assert_eq!(of_phase, removed, "{phase}of {context}");
    }
    if matches!(meddle, Meddle::Not) {
        assert!(total >= removed.len(), "{context}");
    }
    removed.len()
}

#[test]
fn what_is_announced_is_what_goes_and_what_is_reported() {
    let removed = run((1..=200).map(|seed| seed * 7_919), |_| Meddle::Not);
    assert!(removed > 400, "{removed}");
}

#[test]
fn also_where_a_receiver_deletes_rows_of_the_plan_or_others() {
    let removed = run((1..=300).map(|seed| seed * 6_271), Meddle::Delete);
    assert!(removed > 600, "{removed}");
}

#[test]
fn also_where_a_receiver_adds_dependents() {
    let removed = run((1..=300).map(|seed| seed * 4_597), Meddle::Insert);
    assert!(removed > 400, "{removed}");
}

#[test]
fn rows_that_receivers_remove_by_plain_sql_are_not_reported() {
    let mut conn = fresh(SCHEMA);
    conn.batch_execute(
        "INSERT INTO tops VALUES (1, NULL), (2, 1), (3, 1); INSERT INTO middles VALUES (4, 3, NULL)",
    )
    .expect("rows");
    on_event(|event, conn| {
        if event == "pre Top 1" {
            diesel::delete(middles::table).execute(conn)?;
            diesel::delete(tops::table.find(3)).execute(conn)?;
        }
        Ok(())
    });
    let top = Top::get(&mut conn, 1).expect("a row");
    assert_eq!(top.delete(&mut conn).expect("deleted").total, 2);
    let heard = LOG.take();
    let of = |phase: &str| heard.iter().filter(|it| it.starts_with(phase)).count();
    assert_eq!((of("pre "), of("post ")), (4, 2), "{heard:?}");
    assert_eq!(heard[4..], ["post Top 2", "post Top 1"]);
}
