//! A delete comes out right where the schema does more than the statements say, and where relations share columns.

use backends::script::{LOG, counted};
use backends::{TestConnection, count, fresh, hear_deletes, model, on, rows};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

model!(Depot of depots { name: String = [Text] });
model!(Item of items {
    #[hooks(foreign_key(Depot, on_delete = Cascade))]
    depot_id: i32 = [Integer],
});
model!(Mark of marks {
    #[hooks(foreign_key(Depot, on_delete = Cascade))]
    depot_id: i32 = [Integer],
});
hear_deletes! { mark_goes mark_went Mark; }

model!(Yard of yards { name: String = [Text] });
model!(AuditLine of audit_lines {
    #[hooks(foreign_key(Yard, on_delete = Cascade))]
    yard_id: i32 = [Integer],
});
model!(Tool of tools {
    #[hooks(foreign_key(Yard, on_delete = Cascade))]
    yard_id: i32 = [Integer],
});

model!(Camp of camps { name: String = [Text] });
model!(Able of ables {
    #[hooks(foreign_key(Camp, on_delete = Cascade))]
    camp_id: i32 = [Integer],
});
model!(Tent of tents {
    #[hooks(foreign_key(Camp, on_delete = Cascade))]
    camp_id: i32 = [Integer],
});
model!(Guy of guys {
    #[hooks(foreign_key(Tent, on_delete = Protect))]
    tent_id: i32 = [Integer],
});

model!(Writer of writers { name: String = [Text] });
model!(Essay of essays {
    #[hooks(foreign_key(Writer, on_delete = SetDefault, default = ghost))]
    writer_id: i32 = [Integer],
});

fn ghost() -> i32 {
    1
}

model!(Shelf of shelves { name: String = [Text] });
model!(Chest of chests {
    #[hooks(foreign_key(Shelf, on_delete = Cascade))]
    shelf_id: i32 = [Integer],
});
model!(Folder of folders {
    #[hooks(foreign_key(Shelf, on_delete = Cascade))]
    shelf_id: Option<i32> = [Nullable<Integer>],
    #[hooks(foreign_key(Chest, on_delete = Cascade))]
    chest_id: Option<i32> = [Nullable<Integer>],
});
model!(Paper of papers {
    #[hooks(foreign_key(Folder, on_delete = SetDefault, default = first_folder))]
    folder_id: i32 = [Integer],
});
model!(Card of cards {
    #[hooks(foreign_key(Folder, on_delete = SetDefault, default = second_folder))]
    folder_id: i32 = [Integer],
});

fn first_folder() -> i32 {
    1
}

fn second_folder() -> i32 {
    2
}

diesel::table! { tenants (id) { id -> Integer } }
diesel::table! { albums (tenant_id, id) { tenant_id -> Integer, id -> Integer } }
diesel::table! {
    photos (id) { id -> Integer, tenant_id -> Nullable<Integer>, album_id -> Nullable<Integer> }
}

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Tenant {
    id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(tenant_id, id))]
struct Album {
    #[hooks(foreign_key(Tenant, on_delete = Cascade, accessor = tenant))]
    tenant_id: i32,
    id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(foreign_key(Album, columns(tenant_id, album_id), on_delete = SetNull, accessor = album))]
struct Photo {
    id: i32,
    #[hooks(foreign_key(Tenant, on_delete = Cascade))]
    tenant_id: Option<i32>,
    album_id: Option<i32>,
}

#[test]
fn rows_that_a_trigger_of_another_table_took_are_no_error_and_not_counted() {
    let mut conn = fresh(
        "CREATE TABLE depots (id {key}, name TEXT NOT NULL);
        CREATE TABLE items (id {key}, depot_id INTEGER NOT NULL REFERENCES depots (id));
        CREATE TABLE marks (id {key}, depot_id INTEGER NOT NULL REFERENCES depots (id));
        {trigger clean AFTER DELETE ON items:
            DELETE FROM marks WHERE depot_id = OLD.depot_id AND id < 3;}
        INSERT INTO depots VALUES (1, 'd');
        INSERT INTO items VALUES (1, 1);
        INSERT INTO marks VALUES (1, 1), (2, 1), (3, 1);",
    );
    let depot = Depot::get(&mut conn, 1).expect("stored");
    let deleted = depot
        .delete(&mut conn)
        .map(counted)
        .expect("all of it goes");
    assert_eq!(deleted, (3, vec![("Depot", 1), ("Item", 1), ("Mark", 1)]));
    let log = LOG.take();
    assert_eq!(log[..3], ["pre Mark 1", "pre Mark 2", "pre Mark 3"]);
    assert_eq!(log[3..], ["post Mark 3"]);
}

#[test]
fn a_row_that_a_trigger_takes_with_its_last_child_is_gone_all_the_same() {
    let mut conn = fresh(
        "CREATE TABLE yards (id {key}, name TEXT NOT NULL);
        CREATE TABLE audit_lines (id {key}, yard_id INTEGER NOT NULL REFERENCES yards (id));
        CREATE TABLE tools (id {key}, yard_id INTEGER NOT NULL REFERENCES yards (id));
        {trigger close AFTER DELETE ON tools:
            DELETE FROM yards WHERE id = OLD.yard_id;}
        INSERT INTO yards VALUES (1, 'y'), (2, 'z');
        INSERT INTO tools VALUES (1, 1), (2, 2);",
    );
    let yard = Yard::get(&mut conn, 1).expect("stored");
    let deleted = yard.delete(&mut conn).map(counted).expect("deleted");
    assert_eq!(deleted, (1, vec![("Tool", 1)]));
    assert_eq!(rows(&mut conn, "yards"), ["2 z"]);
    assert_eq!(rows(&mut conn, "tools"), ["2 2"]);
}

#[test]
fn what_went_before_a_trigger_made_a_second_try_necessary_is_counted() {
    let mut conn = fresh(
        "CREATE TABLE yards (id {key}, name TEXT NOT NULL);
        CREATE TABLE audit_lines (id {key}, yard_id INTEGER NOT NULL REFERENCES yards (id));
        CREATE TABLE tools (id {key}, yard_id INTEGER NOT NULL REFERENCES yards (id));
        {trigger audit AFTER DELETE ON tools:
            INSERT INTO audit_lines (yard_id) VALUES (OLD.yard_id);}
        INSERT INTO yards VALUES (1, 'y');
        INSERT INTO tools VALUES (1, 1), (2, 1), (3, 1);",
    );
    let yard = Yard::get(&mut conn, 1).expect("stored");
    let deleted = yard.delete(&mut conn).map(counted);
    // There the first try is undone, and in the second the lines appear again.
    if on(false, true, false) {
        let error = deleted.expect_err("a line for each tool");
        assert!(matches!(error, Error::ChildAppeared { .. }), "{error:?}");
        return assert_eq!(count(&mut conn, "tools"), 3);
    }
    assert_eq!(
        deleted.expect("all of it goes"),
        (7, vec![("AuditLine", 3), ("Tool", 3), ("Yard", 1)])
    );
}

#[test]
fn a_refusal_inside_of_what_is_not_loaded_names_the_row_that_protects() {
    let mut conn = fresh(
        "CREATE TABLE camps (id {key}, name TEXT NOT NULL);
        CREATE TABLE ables (id {key}, camp_id INTEGER NOT NULL REFERENCES camps (id));
        CREATE TABLE tents (id {key}, camp_id INTEGER NOT NULL REFERENCES camps (id));
        CREATE TABLE guys (id {key}, tent_id INTEGER NOT NULL REFERENCES tents (id));
        {trigger pitch AFTER DELETE ON ables:
            INSERT INTO guys (tent_id) SELECT id FROM tents;}
        INSERT INTO camps VALUES (1, 'c');
        INSERT INTO ables VALUES (1, 1);
        INSERT INTO tents VALUES (1, 1);",
    );
    let camp = Camp::get(&mut conn, 1).expect("stored");
    let outcome = camp.delete(&mut conn).map(counted);
    // There the first try is undone, and the second takes the tents before the trigger sees them.
    if on(false, true, false) {
        let all = vec![("Able", 1), ("Camp", 1), ("Tent", 1)];
        assert_eq!(outcome.expect("nothing protects any more"), (3, all));
        return assert_eq!(count(&mut conn, "guys"), 0);
    }
    let error = outcome.expect_err("the guy protects the tent");
    assert!(matches!(error, Error::Protected(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "Camp 1 is protected by Guy 1 (through Tent.camp_id, Guy.tent_id)"
    );
    assert_eq!(ables::table.count().get_result(&mut conn), Ok(1));
}

#[test]
fn a_default_that_names_the_deleted_row_is_told_as_that() {
    let mut conn = fresh(
        "CREATE TABLE writers (id {key}, name TEXT NOT NULL);
        CREATE TABLE essays (id {key}, writer_id INTEGER NOT NULL REFERENCES writers (id));
        INSERT INTO writers VALUES (1, 'ghost');
        INSERT INTO essays VALUES (1, 1);",
    );
    let ghost = Writer::get(&mut conn, 1).expect("stored");
    let error = ghost.delete(&mut conn).expect_err("the essay has no other");
    assert!(matches!(error, Error::Set { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("names a row that is deleted as well"),
        "{error}"
    );
    assert_eq!(
        essays::table.select(essays::writer_id).first(&mut conn),
        Ok(1)
    );
}

#[test]
fn a_default_that_names_a_row_which_goes_on_another_way_is_told_as_that() {
    let schema = "CREATE TABLE shelves (id {key}, name TEXT NOT NULL);
        CREATE TABLE chests (id {key}, shelf_id INTEGER NOT NULL REFERENCES shelves (id));
        CREATE TABLE folders (id {key},
            shelf_id INTEGER REFERENCES shelves (id), chest_id INTEGER REFERENCES chests (id));
        CREATE TABLE papers (id {key}, folder_id INTEGER NOT NULL REFERENCES folders (id));
        CREATE TABLE cards (id {key}, folder_id INTEGER NOT NULL REFERENCES folders (id));
        INSERT INTO shelves VALUES (1, 's');
        INSERT INTO chests VALUES (1, 1);
        INSERT INTO folders VALUES (1, 1, NULL), (2, NULL, 1);";
    // Whichever of the folders goes first.
    for (one, relation) in [
        ("papers VALUES (1, 2)", "Paper.folder_id"),
        ("cards VALUES (1, 1)", "Card.folder_id"),
    ] {
        let mut conn = fresh(&format!("{schema} INSERT INTO {one};"));
        let shelf = Shelf::get(&mut conn, 1).expect("stored");
        let error = shelf.delete(&mut conn).expect_err("both folders go");
        let Error::Set { relation: told, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(told.to_string(), relation);
        assert_eq!(folders::table.count().get_result(&mut conn), Ok(2));
    }
}

#[test]
fn a_row_goes_by_a_column_that_another_relation_would_make_null() {
    let mut conn = fresh(
        "CREATE TABLE tenants (id {key});
        CREATE TABLE albums (tenant_id INTEGER NOT NULL REFERENCES tenants (id), id INTEGER NOT NULL,
            PRIMARY KEY (tenant_id, id));
        CREATE TABLE photos (id {key}, tenant_id INTEGER REFERENCES tenants (id), album_id INTEGER,
            FOREIGN KEY (tenant_id, album_id) REFERENCES albums (tenant_id, id));
        INSERT INTO tenants VALUES (1);
        INSERT INTO albums VALUES (1, 1);
        INSERT INTO photos VALUES (1, 1, 1), (2, 1, NULL);",
    );
    let deleted = Tenant { id: 1 }.delete(&mut conn).map(counted);
    let deleted = deleted.expect("all of it goes");
    assert_eq!(
        deleted,
        (4, vec![("Album", 1), ("Photo", 2), ("Tenant", 1)])
    );
}

model!(Hub of hubs { name: String = [Text] });
model!(Tack of tacks {
    #[hooks(foreign_key(Hub, on_delete = Database))]
    hub_id: i32 = [Integer],
});
hear_deletes! { tack_goes tack_went Tack; }

#[test]
fn receivers_that_a_declared_cascade_of_the_database_passes_by_are_found_by_check() {
    let mut conn = fresh(
        "CREATE TABLE hubs (id {key}, name TEXT NOT NULL);
        CREATE TABLE tacks (id {key}, hub_id INTEGER NOT NULL REFERENCES hubs (id) ON DELETE CASCADE);
        CREATE INDEX tacks_hub ON tacks (hub_id);",
    );
    let findings = diesel_hooks::check(&mut conn).expect("looked at");
    let of_tacks = findings
        .iter()
        .find(|it| it.to_string().starts_with("Tack.hub_id"));
    let of_tacks = of_tacks.expect("the receivers hear nothing");
    assert_eq!(of_tacks.severity(), diesel_hooks::check::Severity::Warning);
    let told = of_tacks.to_string();
    assert!(
        told.contains("are not heard of by") && told.contains("tack_went"),
        "{told}"
    );
    assert!(
        of_tacks.mend().contains("on_delete = Cascade"),
        "{}",
        of_tacks.mend()
    );
}

model!(Page of pages {
    #[hooks(foreign_key(Self, on_delete = Database))]
    up_id: Option<i32> = [Nullable<Integer>],
});
hear_deletes! { page_goes page_went Page; }

#[test]
fn rows_that_the_database_takes_with_each_other_go_by_one_delete() {
    let mut conn = fresh(
        "CREATE TABLE pages (id {key}, up_id INTEGER REFERENCES pages (id) ON DELETE CASCADE);
        INSERT INTO pages VALUES (1, NULL), (2, 1), (3, NULL);",
    );
    let deleted = pages::table.delete_hooked::<Page>(&mut conn).map(counted);
    // Of the second, the database took care.
    assert_eq!(deleted.expect("all go"), (2, vec![("Page", 2)]));
    let before = ["pre Page 1", "pre Page 2", "pre Page 3"];
    let log = LOG.take();
    assert_eq!(log[..3], before);
    assert_eq!(log[3..], ["post Page 1", "post Page 3"]);
    assert_eq!(pages::table.count().get_result(&mut conn), Ok(0));
}

#[test]
fn rows_that_the_schema_leaves_where_the_relation_says_otherwise_did_not_appear() {
    let mut conn = fresh(
        "CREATE TABLE pages (id {key}, up_id INTEGER REFERENCES pages (id));
        INSERT INTO pages VALUES (1, NULL), (2, 1);",
    );
    let first = Page::get(&mut conn, 1).expect("stored");
    let error = first
        .delete(&mut conn)
        .expect_err("the second refers to it");
    assert!(matches!(error, Error::Query { .. }), "{error:?}");
}

model!(Gate of gates { name: String = [Text] });
model!(Trail of trails {
    #[hooks(foreign_key(Gate, on_delete = Cascade))]
    gate_id: i32 = [Integer],
});
model!(Sign of signs {
    #[hooks(foreign_key(Trail, on_delete = SetDefault, default = ghost))]
    trail_id: i32 = [Integer],
});
hear_deletes! { gate_goes gate_went Gate; }

#[test]
fn a_default_that_goes_without_being_loaded_is_told_as_that() {
    let mut conn = fresh(
        "CREATE TABLE gates (id {key}, name TEXT NOT NULL);
        CREATE TABLE trails (id {key}, gate_id INTEGER NOT NULL REFERENCES gates (id));
        CREATE TABLE signs (id {key}, trail_id INTEGER NOT NULL REFERENCES trails (id));
        INSERT INTO gates VALUES (1, 'south');
        INSERT INTO trails VALUES (1, 1), (2, 1);
        INSERT INTO signs VALUES (1, 2);",
    );
    let gate = Gate::get(&mut conn, 1).expect("stored");
    let error = gate.delete(&mut conn).expect_err("the sign has no other");
    // After that PostgreSQL answers no more, and its own word stands.
    let told = on(
        "the function that Sign.trail_id is set by failed: it names a row that is deleted as well",
        "delete of Trail failed: ",
        "the function that Sign.trail_id is set by failed: it names a row that is deleted as well",
    );
    assert!(error.to_string().starts_with(told), "{error}");
    assert_eq!(signs::table.select(signs::trail_id).first(&mut conn), Ok(2));
}

model!(Owner of owners { name: String = [Text] });
model!(Dog of dogs {
    #[hooks(foreign_key(Owner, on_delete = Protect))]
    owner_id: i32 = [Integer],
});

#[test]
fn a_row_that_is_gone_is_not_protected_by_what_no_foreign_key_took_with_it() {
    let mut conn = fresh(
        "CREATE TABLE owners (id {key}, name TEXT NOT NULL);
        CREATE TABLE dogs (id {key}, owner_id INTEGER NOT NULL);
        INSERT INTO owners VALUES (1, 'ada');
        INSERT INTO dogs VALUES (1, 1);",
    );
    let ada = Owner::get(&mut conn, 1).expect("stored");
    let protected = ada.delete(&mut conn).expect_err("the dog stays");
    assert!(matches!(protected, Error::Protected(_)), "{protected:?}");
    diesel::delete(owners::table)
        .execute(&mut conn)
        .expect("nothing keeps it");
    let outcomes = [ada.delete(&mut conn), ada.delete_at_most(&mut conn, 5)];
    for outcome in outcomes {
        assert_eq!(outcome.expect("it is gone").total, 0);
    }
    assert_eq!(dogs::table.count().get_result(&mut conn), Ok(1));
}

model!(Pier of piers {
    #[hooks(foreign_key(Self, on_delete = Cascade))]
    beside_id: Option<i32> = [Nullable<Integer>],
});
model!(Ship of ships {
    #[hooks(foreign_key(Pier, on_delete = Cascade))]
    home_id: Option<i32> = [Nullable<Integer>],
    #[hooks(foreign_key(Pier, on_delete = SetDefault, default = second_pier))]
    pier_id: Option<i32> = [Nullable<Integer>],
    #[hooks(foreign_key(Pier, on_delete = DoNothing))]
    seen_id: Option<i32> = [Nullable<Integer>],
});
hear_deletes! { pier_goes pier_went Pier; }

fn second_pier() -> Option<i32> {
    Some(2)
}

/// Two piers that go together, and a ship.
fn piers(ship: &str) -> TestConnection {
    fresh(&format!(
        "CREATE TABLE piers (id {{key}}, beside_id INTEGER REFERENCES piers (id));
        CREATE TABLE ships (id {{key}}, home_id INTEGER REFERENCES piers (id), pier_id INTEGER REFERENCES piers (id),
            seen_id INTEGER REFERENCES piers (id));
        INSERT INTO piers VALUES (1, NULL), (2, 1);
        INSERT INTO ships VALUES {ship};"
    ))
}

#[test]
fn a_row_that_was_made_to_refer_to_what_goes_did_not_appear() {
    let mut conn = piers("(1, NULL, 1, NULL)");
    let pier = Pier::get(&mut conn, 1).expect("stored");
    let error = pier
        .delete(&mut conn)
        .expect_err("the second pier goes too");
    assert!(matches!(error, Error::Set { .. }), "{error:?}");
    assert!(!error.is_retryable());
    assert_eq!(rows(&mut conn, "ships"), ["1 - 1 -"]);
    assert_eq!(rows(&mut conn, "piers"), ["1 -", "2 1"]);
}

#[test]
fn a_row_of_which_the_relation_takes_no_care_did_not_appear() {
    let mut conn = piers("(1, 1, NULL, NULL), (2, NULL, NULL, 1)");
    let pier = Pier::get(&mut conn, 1).expect("stored");
    let error = pier.delete(&mut conn).expect_err("the second ship stays");
    assert!(matches!(error, Error::Query { .. }), "{error:?}");
    assert!(!error.is_retryable());
    assert_eq!(rows(&mut conn, "ships"), ["1 1 - -", "2 - - 1"]);
}
