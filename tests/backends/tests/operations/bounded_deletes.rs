//! What a delete of many rows sends and keeps is bounded: keys of rows that nobody hears of, in batches, and
//! nothing where nobody hears of what depends on them either.

use backends::script::counted;
use backends::{
    TestConnection, count, fresh, insert, keys_at_once, many, model, of_rows, on, statements,
};
use diesel::prelude::*;
use diesel_hooks::prelude::*;
use diesel_hooks::{Error, Persist};

model!(Club of clubs { name: String = [Text] });
model!(Member of members {
    #[hooks(foreign_key(Club, on_delete = Cascade))]
    club_id: i32 = [Integer],
    name: String = [Text],
});

model!(League of leagues { name: String = [Text] });
model!(Team of teams {
    #[hooks(foreign_key(League, on_delete = Cascade))]
    league_id: i32 = [Integer],
    name: String = [Text],
});
model!(Player of players {
    #[hooks(foreign_key(Team, on_delete = Cascade))]
    team_id: i32 = [Integer],
    name: String = [Text],
});

model!(Orchestra of orchestras { name: String = [Text] });
model!(Section of sections {
    #[hooks(foreign_key(Orchestra, on_delete = Cascade))]
    orchestra_id: i32 = [Integer],
    name: String = [Text],
});
model!(Soloist of soloists {
    #[hooks(foreign_key(Section, on_delete = Cascade))]
    section_id: i32 = [Integer],
    name: String = [Text],
});

model!(Choir of choirs { name: String = [Text] });
model!(Singer of singers {
    #[hooks(foreign_key(Choir, on_delete = Cascade))]
    choir_id: i32 = [Integer],
    name: String = [Text],
});

model!(Crew of crews { name: String = [Text] });
model!(Sailor of sailors {
    #[hooks(foreign_key(Crew, on_delete = Cascade))]
    crew_id: i32 = [Integer],
    name: String = [Text],
});

thread_local! {
    static HEARD: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[receiver]
fn soloist_left(_: &PostDelete<Soloist>) {
    HEARD.set(HEARD.get() + 1);
}

#[receiver]
fn singer_left(_: &PostDelete<Singer>) {
    HEARD.set(HEARD.get() + 1);
}

#[receiver]
fn sailor_leaves(_: &PreDelete<Sailor>, _: &mut TestConnection) {
    HEARD.set(HEARD.get() + 1);
}

const CHILDREN: usize = 10_000;

/// A database with a row of the first table, so many of the second that refer to it, and one of the third for
/// each of these.
fn database(parents: &str, dependents: &[(&str, &str)], count: usize) -> TestConnection {
    let mut conn = fresh(&format!(
        "CREATE TABLE {parents} (id {{key}}, name TEXT NOT NULL);
        INSERT INTO {parents} VALUES (1, 'one');"
    ));
    let mut refers_to = (parents, "1");
    for (table, key) in dependents {
        let (parents, parent) = refers_to;
        let rows = many(table, count, &format!("i, {parent}, 'name'"));
        insert(
            &mut conn,
            &format!(
                "CREATE TABLE {table} (
                    id {{key}}, {key} INTEGER NOT NULL REFERENCES {parents} (id), name TEXT NOT NULL);
                CREATE INDEX {table}_{key} ON {table} ({key}); {rows}"
            ),
        );
        refers_to = (table, "i");
    }
    conn
}

/// Deletes the first row of `M`, with so many others, and hands out the statements that this took.
fn delete<M: Persist<TestConnection, Pk = i32>>(
    conn: &mut TestConnection,
    others: &[(&'static str, usize)],
) -> Vec<String> {
    let parent = M::get(conn, 1).expect("a parent");
    let (deleted, mut sent) = statements(conn, |conn| parent.delete(conn));
    let (_, mut by_model) = counted(deleted.expect("nothing blocks"));
    by_model.retain(|(model, _)| *model != M::INFO.name);
    assert_eq!(by_model, others);
    for sql in &sent {
        let parameters = sql.matches('?').count();
        assert!(parameters <= keys_at_once(), "{parameters}: {sql}");
    }
    sent.retain(|sql| !of_rows(std::slice::from_ref(sql)).is_empty());
    sent
}

/// How many statements lock the root of a delete that loads rows: on SQLite the whole database is locked.
fn locks() -> usize {
    on(0, 1, 1)
}

/// How many statements read, change and delete.
fn verbs(sent: &[String]) -> [usize; 3] {
    let verbs = of_rows(sent);
    ["SELECT", "UPDATE", "DELETE"].map(|verb| verbs.iter().filter(|it| **it == verb).count())
}

#[test]
fn children_of_whom_nobody_hears_take_one_statement_however_many_they_are() {
    let mut conn = database("clubs", &[("members", "club_id")], CHILDREN);
    let sent = delete::<Club>(&mut conn, &[("Member", CHILDREN)]);
    assert_eq!(verbs(&sent), [0, 0, 2], "{sent:#?}");
    assert_eq!(count(&mut conn, "members"), 0);
}

#[test]
fn a_silent_subtree_of_a_hundred_thousand_children_loads_nothing() {
    for many in [CHILDREN, 100_000] {
        let mut conn = database(
            "leagues",
            &[("teams", "league_id"), ("players", "team_id")],
            many,
        );
        let sent = delete::<League>(&mut conn, &[("Player", many), ("Team", many)]);
        assert_eq!(verbs(&sent), [0, 0, 3], "{sent:#?}");
        assert_eq!(count(&mut conn, "players"), 0);
    }
}

#[test]
fn of_children_on_which_heard_rows_depend_the_keys_are_loaded_and_no_more() {
    let dependents = [("sections", "orchestra_id"), ("soloists", "section_id")];
    let mut conn = database("orchestras", &dependents, CHILDREN);
    let sent = delete::<Orchestra>(&mut conn, &[("Section", CHILDREN), ("Soloist", CHILDREN)]);
    // Their keys by one statement; for each batch of these the soloists; then both go, and the orchestra.
    let batches = CHILDREN.div_ceil(keys_at_once());
    assert_eq!(verbs(&sent), [locks() + 1 + batches, 0, 2 * batches + 1]);
    let of_sections = sent.iter().find(|sql| sql.contains("FROM `sections`"));
    assert!(
        of_sections.is_some_and(|sql| !sql.contains("`name`")),
        "{of_sections:?}"
    );
    assert_eq!(HEARD.take(), CHILDREN);
}

#[test]
fn few_heard_rows_go_by_their_own_keys_and_not_by_those_of_their_many_parents() {
    let dependents = [("sections", "orchestra_id"), ("soloists", "section_id")];
    let mut conn = database("orchestras", &dependents, CHILDREN);
    insert(&mut conn, "DELETE FROM soloists WHERE id % 1000 <> 0;");
    let left = CHILDREN / 1000;
    let sent = delete::<Orchestra>(&mut conn, &[("Section", CHILDREN), ("Soloist", left)]);
    let batches = CHILDREN.div_ceil(keys_at_once());
    assert_eq!(verbs(&sent), [locks() + 1 + batches, 0, 1 + batches + 1]);
    assert_eq!(HEARD.take(), left);
    assert_eq!(count(&mut conn, "soloists"), 0);
}

#[test]
fn heard_children_on_which_nothing_depends_take_one_select_and_one_delete() {
    let mut conn = database("choirs", &[("singers", "choir_id")], CHILDREN);
    let sent = delete::<Choir>(&mut conn, &[("Singer", CHILDREN)]);
    assert_eq!(verbs(&sent), [locks() + 1, 0, 2], "{sent:#?}");
    assert_eq!(HEARD.take(), CHILDREN);
}

#[test]
fn heard_children_whose_receiver_has_the_connection_are_looked_at_again_and_go_by_key() {
    let mut conn = database("crews", &[("sailors", "crew_id")], CHILDREN);
    let sent = delete::<Crew>(&mut conn, &[("Sailor", CHILDREN)]);
    // Read before and after their receivers; each batch is asked for once more before it goes, and the crew.
    let batches = CHILDREN.div_ceil(keys_at_once());
    assert_eq!(verbs(&sent), [locks() + 2 + batches, 0, batches + 1]);
    assert_eq!(HEARD.take(), CHILDREN);
}

#[test]
fn a_bound_stops_the_reading_at_the_first_row_too_many() {
    let mut conn = database("clubs", &[("members", "club_id")], CHILDREN);
    let club = Club::get(&mut conn, 1).expect("stored");
    let (outcome, sent) = statements(&mut conn, |conn| club.delete_at_most(conn, 3));
    assert!(
        matches!(outcome, Err(Error::TooManyRows { .. })),
        "{outcome:?}"
    );
    let of_members = |sql: &&String| sql.contains("FROM `members`");
    let reads: Vec<_> = sent.iter().filter(of_members).collect();
    assert!(
        matches!(&reads[..], [only] if only.contains("LIMIT 4")),
        "{sent:?}"
    );
}

#[test]
fn a_row_that_is_gone_is_within_every_bound() {
    let mut conn = fresh("CREATE TABLE leagues (id {key}, name TEXT NOT NULL);");
    let gone = League {
        id: 1,
        name: "x".into(),
    };
    let deleted = gone
        .delete_at_most(&mut conn, 0)
        .expect("nothing to delete");
    assert_eq!(deleted.total, 0);
}
