//! Django's cases of deleting, as they hold here: what each `on_delete` does to the rows that refer.

use backends::script::{LOG, counted, on_event};
use backends::{
    System, TestConnection, fresh, hear_deletes, insert, keys_at_once, many, model, of_rows, rows,
    statements, system,
};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

model!(Band of bands { name: String = [Text] });
model!(Song of songs {
    #[hooks(foreign_key(Band, on_delete = Cascade))]
    band_id: i32 = [Integer],
});
model!(Tour of tours {
    #[hooks(foreign_key(Band, on_delete = Cascade))]
    band_id: Option<i32> = [Nullable<Integer>],
});

hear_deletes! {
    pre_band post_band Band;
    pre_song post_song Song;
    pre_tour post_tour Tour;
}

model!(Label of labels { name: String = [Text] });
model!(Artist of artists {
    #[hooks(foreign_key(Label, on_delete = SetNull))]
    first_id: Option<i32> = [Nullable<Integer>],
    #[hooks(foreign_key(Label, on_delete = SetNull))]
    second_id: Option<i32> = [Nullable<Integer>],
});
model!(Contract of contracts {
    #[hooks(foreign_key(Label, on_delete = SetDefault, default = house))]
    label_id: i32 = [Integer],
    #[hooks(foreign_key(Label, on_delete = SetDefault, default = nobody))]
    former_id: Option<i32> = [Nullable<Integer>],
});
model!(Manager of managers {
    #[hooks(foreign_key(Label, on_delete = Set(asked)))]
    label_id: i32 = [Integer],
    #[hooks(foreign_key(Label, on_delete = Set(nobody)))]
    second_id: Option<i32> = [Nullable<Integer>],
});

fn house() -> i32 {
    1
}

fn nobody() -> Option<i32> {
    None
}

fn asked(_conn: &mut TestConnection) -> diesel_hooks::Result<i32> {
    LOG.push("asked");
    Ok(house())
}

#[receiver]
fn pre_artist(event: &PreSave<Artist>) {
    LOG.push(format!("pre save {}", matches!(event, PreSave::Create(_))));
}

#[receiver]
fn post_artist(event: &PostSave<Artist>) {
    LOG.push(format!("post save {}", event.instance.id));
}

#[receiver]
fn pre_artist_goes(event: &PreDelete<Artist>) {
    LOG.push(format!("pre delete {}", event.instance.id));
}

model!(Realm of realms { name: String = [Text] });
model!(Guild of guilds {
    #[hooks(foreign_key(Realm, on_delete = Cascade))]
    realm_id: i32 = [Integer],
});
model!(Smith of smiths {
    #[hooks(foreign_key(Guild, on_delete = Set(asked)))]
    guild_id: i32 = [Integer],
});

model!(Castle of castles { name: String = [Text] });
model!(Knight of knights {
    #[hooks(foreign_key(Castle, on_delete = Protect))]
    castle_id: i32 = [Integer],
});
model!(Wall of walls {
    #[hooks(foreign_key(Castle, on_delete = Protect))]
    castle_id: i32 = [Integer],
});
model!(Moat of moats {
    #[hooks(foreign_key(Castle, on_delete = Restrict))]
    castle_id: i32 = [Integer],
});
model!(Siege of sieges {
    #[hooks(foreign_key(Castle, on_delete = Restrict))]
    castle_id: i32 = [Integer],
});

hear_deletes! { pre_castle post_castle Castle; }

model!(Feud of feuds { name: String = [Text] });
model!(Rumour of rumours {
    #[hooks(foreign_key(Feud, on_delete = DoNothing))]
    feud_id: i32 = [Integer],
});

model!(Site of sites { name: String = [Text] });
model!(Page of pages {
    #[hooks(foreign_key(Site, on_delete = Database))]
    site_id: i32 = [Integer],
});
model!(Visit of visits {
    #[hooks(foreign_key(Site, on_delete = Database))]
    site_id: Option<i32> = [Nullable<Integer>],
    #[hooks(foreign_key(Site, on_delete = Database))]
    next_id: i32 = [Integer],
});

const SCHEMA: &str = "
    CREATE TABLE bands (id {key}, name TEXT NOT NULL);
    CREATE TABLE songs (id {key}, band_id INTEGER NOT NULL REFERENCES bands (id));
    CREATE TABLE tours (id {key}, band_id INTEGER REFERENCES bands (id));
    CREATE TABLE labels (id {key}, name TEXT NOT NULL);
    CREATE TABLE artists (id {key},
        first_id INTEGER REFERENCES labels (id), second_id INTEGER REFERENCES labels (id));
    CREATE TABLE contracts (id {key},
        label_id INTEGER NOT NULL REFERENCES labels (id), former_id INTEGER REFERENCES labels (id));
    CREATE TABLE managers (id {key},
        label_id INTEGER NOT NULL REFERENCES labels (id), second_id INTEGER REFERENCES labels (id));
    CREATE TABLE realms (id {key}, name TEXT NOT NULL);
    CREATE TABLE guilds (id {key}, realm_id INTEGER NOT NULL REFERENCES realms (id));
    CREATE TABLE smiths (id {key}, guild_id INTEGER NOT NULL REFERENCES guilds (id));
    CREATE TABLE castles (id {key}, name TEXT NOT NULL);
    CREATE TABLE knights (id {key}, castle_id INTEGER NOT NULL REFERENCES castles (id));
    CREATE TABLE walls (id {key}, castle_id INTEGER NOT NULL REFERENCES castles (id));
    CREATE TABLE moats (id {key}, castle_id INTEGER NOT NULL REFERENCES castles (id));
    CREATE TABLE sieges (id {key}, castle_id INTEGER NOT NULL REFERENCES castles (id));
    CREATE TABLE feuds (id {key}, name TEXT NOT NULL);
    CREATE TABLE rumours (id {key}, feud_id INTEGER NOT NULL REFERENCES feuds (id));
    CREATE TABLE sites (id {key}, name TEXT NOT NULL);
    CREATE TABLE pages (id {key}, site_id INTEGER NOT NULL REFERENCES sites (id) ON DELETE CASCADE);
    CREATE TABLE visits (id {key}, site_id INTEGER REFERENCES sites (id) ON DELETE SET NULL,
        next_id INTEGER NOT NULL DEFAULT 1 REFERENCES sites (id) ON DELETE SET DEFAULT);
";

fn database(rows: &str) -> TestConnection {
    let mut conn = fresh(SCHEMA);
    insert(&mut conn, rows);
    conn
}

const LABELS: &str = "INSERT INTO labels VALUES (1, 'house'), (2, 'indie'), (3, 'other');";

fn indie(conn: &mut TestConnection) -> Label {
    Label::get(conn, 2).expect("a label")
}

#[test]
fn del_02_cascade_takes_dependents_also_through_a_nullable_column() {
    let mut conn = database(
        "INSERT INTO bands VALUES (1, 'gone'), (2, 'stays');
        INSERT INTO songs VALUES (1, 1), (2, 2); INSERT INTO tours VALUES (1, 1), (2, 2), (3, NULL);",
    );
    let band = Band::get(&mut conn, 1).expect("a band");
    let deleted = counted(band.delete(&mut conn).expect("deleted"));
    assert_eq!(deleted, (3, vec![("Band", 1), ("Song", 1), ("Tour", 1)]));
    assert_eq!(
        LOG.take(),
        [
            "pre Tour 1",
            "pre Song 1",
            "pre Band 1",
            "post Tour 1",
            "post Song 1",
            "post Band 1"
        ]
    );
    assert_eq!(rows(&mut conn, "bands"), ["2 stays"]);
    assert_eq!(rows(&mut conn, "songs"), ["2 2"]);
    assert_eq!(rows(&mut conn, "tours"), ["2 2", "3 -"]);
}

#[test]
fn del_03_set_null_sends_no_signals_and_leaves_copies_in_memory() {
    let mut conn = database(LABELS);
    conn.batch_execute("INSERT INTO artists VALUES (1, 2, NULL), (2, 3, NULL)")
        .expect("artists");
    let copy = Artist::get(&mut conn, 1).expect("an artist");
    indie(&mut conn).delete(&mut conn).expect("deleted");
    assert_eq!(LOG.take(), [""; 0]);
    assert_eq!(rows(&mut conn, "artists"), ["1 - -", "2 3 -"]);
    assert_eq!(copy.first_id, Some(2));
}

#[test]
fn del_04_set_default_takes_the_functions_value_which_may_be_none() {
    let mut conn = database(LABELS);
    conn.batch_execute("INSERT INTO contracts VALUES (1, 2, 2), (2, 3, 3)")
        .expect("contracts");
    indie(&mut conn).delete(&mut conn).expect("deleted");
    assert_eq!(rows(&mut conn, "contracts"), ["1 1 -", "2 3 3"]);
}

#[test]
fn del_05_the_function_of_set_is_called_once_in_a_delete_and_only_if_something_refers() {
    let mut conn = database(LABELS);
    let deleted = labels::table
        .filter(labels::id.eq(3))
        .delete_hooked::<Label>(&mut conn);
    assert_eq!(deleted.expect("deleted").total, 1);
    assert_eq!(LOG.take(), [""; 0]);

    // More parents than one statement names.
    let count = keys_at_once() + 1;
    insert(&mut conn, &many("labels", count, "9 + i, 'many'"));
    insert(
        &mut conn,
        "INSERT INTO managers SELECT id, id, id FROM labels WHERE name = 'many'",
    );
    let many = labels::table.filter(labels::name.eq("many"));
    let deleted = many.delete_hooked::<Label>(&mut conn).expect("deleted");
    assert_eq!(deleted.total, count);
    assert_eq!(LOG.take(), ["asked"]);
    let moved = managers::table
        .filter(managers::label_id.eq(1))
        .filter(managers::second_id.is_null())
        .count()
        .get_result::<i64>(&mut conn);
    assert_eq!(moved.map(usize::try_from), Ok(Ok(count)));
}

#[test]
fn del_05_the_function_of_set_is_called_once_also_for_rows_below_those_of_several_statements() {
    let count = keys_at_once() + 2;
    let mut conn = database(&many("realms", count, "i, 'realm'"));
    insert(
        &mut conn,
        "INSERT INTO guilds SELECT id, id FROM realms; INSERT INTO smiths SELECT id, id FROM realms;",
    );
    let many = realms::table.filter(realms::id.gt(1));
    let deleted = many.delete_hooked::<Realm>(&mut conn).expect("deleted");
    assert_eq!(deleted.total, 2 * (count - 1));
    assert_eq!(LOG.take(), ["asked"]);
    let moved = smiths::table.filter(smiths::guild_id.eq(1)).count();
    let moved = moved.get_result::<i64>(&mut conn);
    assert_eq!(moved.map(usize::try_from), Ok(Ok(count)));
}

#[test]
fn del_07_only_the_column_that_referred_to_the_deleted_row_is_nulled() {
    let mut conn = database(LABELS);
    conn.batch_execute("INSERT INTO artists VALUES (1, 2, 3), (2, 3, 2), (3, 2, 2)")
        .expect("artists");
    indie(&mut conn).delete(&mut conn).expect("deleted");
    assert_eq!(rows(&mut conn, "artists"), ["1 - 3", "2 3 -", "3 - -"]);
}

/// One castle, and in it what these statements insert.
fn castle(and: &str) -> (TestConnection, Castle) {
    let mut conn = database("INSERT INTO castles VALUES (7, 'Elsinore'), (8, 'Dunsinane')");
    conn.batch_execute(and).expect("rows");
    let castle = Castle::get(&mut conn, 7).expect("a castle");
    (conn, castle)
}

#[test]
fn del_08_a_protected_row_stays_and_the_error_names_model_relation_and_rows() {
    let (mut conn, castle) = castle("INSERT INTO knights VALUES (1, 7), (2, 7), (3, 8)");
    let error = castle.delete(&mut conn).expect_err("protected");
    assert_eq!(
        error.to_string(),
        "Castle 7 is protected by Knight 1, 2 (through Knight.castle_id)"
    );
    let Error::Protected(why) = error else {
        panic!("{error:?}");
    };
    let [blocker] = why.blockers() else {
        panic!("{why:?}");
    };
    assert_eq!(
        (blocker.model, &*blocker.relation),
        ("Knight", "Knight.castle_id")
    );
    assert_eq!((blocker.keys.len(), blocker.more), (2, 0));
    assert_eq!(LOG.take(), [""; 0]);
    assert_eq!(rows(&mut conn, "castles"), ["7 Elsinore", "8 Dunsinane"]);
}

#[test]
fn del_09_what_several_relations_protect_is_one_error_that_lists_them_all() {
    let (mut conn, castle) =
        castle("INSERT INTO knights VALUES (1, 7); INSERT INTO walls VALUES (5, 7), (6, 7)");
    let Err(Error::Protected(why)) = castle.delete(&mut conn) else {
        panic!("it is protected");
    };
    let blockers: Vec<_> = why
        .blockers()
        .iter()
        .map(|it| (&*it.relation, it.keys.len()))
        .collect();
    assert_eq!(blockers, [("Knight.castle_id", 1), ("Wall.castle_id", 2)]);
    assert_eq!(rows(&mut conn, "castles").len(), 2);
}

#[test]
fn del_11_a_protected_delete_reads_and_neither_writes_nor_sends() {
    let (mut conn, castle) = castle("INSERT INTO knights VALUES (1, 7)");
    let (outcome, sent) = statements(&mut conn, |conn| castle.delete(conn));
    assert!(matches!(outcome, Err(Error::Protected(_))));
    // The row, those that protect it, and those that restrict it.
    assert_eq!(of_rows(&sent), ["SELECT"; 5]);
    assert_eq!(LOG.take(), [""; 0]);
    assert_eq!(rows(&mut conn, "castles").len(), 2);
}

#[test]
fn del_14_what_several_relations_restrict_is_one_error_that_lists_them_all() {
    let (mut conn, castle) =
        castle("INSERT INTO moats VALUES (1, 7); INSERT INTO sieges VALUES (5, 7), (6, 8)");
    let error = castle.delete(&mut conn).expect_err("restricted");
    assert_eq!(
        error.to_string(),
        "Castle 7 is restricted by Moat 1 (through Moat.castle_id); Siege 5 (through Siege.castle_id)"
    );
    assert!(matches!(error, Error::Restricted(_)));
    assert_eq!(LOG.take(), [""; 0]);
    assert_eq!(rows(&mut conn, "castles").len(), 2);
}

#[test]
fn del_16_where_rows_protect_and_others_restrict_it_is_protected() {
    let (mut conn, castle) =
        castle("INSERT INTO moats VALUES (1, 7); INSERT INTO walls VALUES (5, 7)");
    let Err(Error::Protected(why)) = castle.delete(&mut conn) else {
        panic!("it is protected");
    };
    assert_eq!(why.blockers().len(), 1);
    assert_eq!(rows(&mut conn, "castles").len(), 2);
}

#[test]
fn del_17_do_nothing_is_not_looked_at_and_the_database_may_object() {
    let mut conn = database("INSERT INTO feuds VALUES (1, 'old'), (2, 'new')");
    let feud = Feud::get(&mut conn, 1).expect("a feud");
    let (outcome, sent) = statements(&mut conn, |conn| feud.delete(conn));
    assert_eq!(outcome.expect("deleted").total, 1);
    assert_eq!(of_rows(&sent), ["DELETE"]);
    conn.batch_execute("INSERT INTO rumours VALUES (1, 2)")
        .expect("a rumour");
    let feud = Feud::get(&mut conn, 2).expect("a feud");
    let error = feud.delete(&mut conn).expect_err("the database objects");
    assert!(matches!(error, Error::Query { .. }), "{error:?}");
    assert_eq!(rows(&mut conn, "feuds"), ["2 new"]);
    assert_eq!(rows(&mut conn, "rumours"), ["1 2"]);
}

#[test]
fn del_18_a_receiver_before_the_delete_cannot_remove_what_protects() {
    let (mut conn, castle) = castle("INSERT INTO knights VALUES (1, 7)");
    on_event(|_, conn| {
        diesel::delete(knights::table).execute(conn)?;
        Ok(())
    });
    let error = castle.delete(&mut conn).expect_err("protected");
    assert!(matches!(error, Error::Protected(_)), "{error:?}");
    assert_eq!(LOG.take(), [""; 0]);
    assert_eq!(rows(&mut conn, "knights"), ["1 7"]);
}

#[test]
fn del_68_database_costs_one_statement_and_counts_what_we_deleted() {
    let mut conn = database("INSERT INTO sites VALUES (1, 'home'), (2, 'away')");
    insert(&mut conn, &many("pages", 200, "i, 2"));
    let site = Site::get(&mut conn, 2).expect("a site");
    let (deleted, sent) = statements(&mut conn, |conn| site.delete(conn));
    assert_eq!(counted(deleted.expect("deleted")), (1, vec![("Site", 1)]));
    assert_eq!(of_rows(&sent), ["DELETE"]);
    assert_eq!(rows(&mut conn, "pages"), [""; 0]);
}

#[test]
fn del_69_database_leaves_set_null_and_set_default_to_the_schema() {
    let mut conn = database(
        "INSERT INTO sites VALUES (1, 'home'), (2, 'away');
        INSERT INTO visits VALUES (1, 2, 2), (2, 1, 1);",
    );
    let site = Site::get(&mut conn, 2).expect("a site");
    if system() == System::Mysql {
        // InnoDB takes `SET DEFAULT` for nothing, and keeps what is referred to.
        site.delete(&mut conn).expect_err("refused");
        assert_eq!(rows(&mut conn, "visits"), ["1 2 2", "2 1 1"]);
        conn.batch_execute("UPDATE visits SET next_id = 1")
            .expect("updated");
    }
    let deleted = counted(site.delete(&mut conn).expect("deleted"));
    assert_eq!(deleted, (1, vec![("Site", 1)]));
    assert_eq!(rows(&mut conn, "visits"), ["1 - 1", "2 1 1"]);
}
