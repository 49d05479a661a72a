//! Django's cases of deleting, as they hold here: which rows a delete finds, whatever the shape of what
//! refers to them.

use backends::script::{LOG, counted};
use backends::{
    System, TestConnection, fresh, hear_deletes, insert, insert_circle, model, rows, system,
};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

model!(Artist of artists { name: String = [Text] });
model!(Album of albums {
    #[hooks(foreign_key(Artist, on_delete = Cascade))]
    artist_id: i32 = [Integer],
});
model!(Song of songs {
    #[hooks(foreign_key(Artist, on_delete = Cascade))]
    artist_id: i32 = [Integer],
    #[hooks(foreign_key(Album, on_delete = Restrict))]
    album_id: i32 = [Integer],
});
model!(Clip of clips {
    #[hooks(foreign_key(Artist, on_delete = Cascade))]
    artist_id: i32 = [Integer],
    #[hooks(foreign_key(Album, on_delete = SetDefault, default = first_album))]
    album_id: i32 = [Integer],
});

fn first_album() -> i32 {
    1
}

model!(Node of nodes {
    #[hooks(foreign_key(Self, on_delete = Cascade))]
    up_id: Option<i32> = [Nullable<Integer>],
});
model!(Ring of rings {
    #[hooks(foreign_key(Self, on_delete = Cascade))]
    next_id: i32 = [Integer],
});

hear_deletes! {
    pre_node post_node Node;
    pre_ring post_ring Ring;
    pre_top post_top Top;
    pre_left post_left Left;
    pre_right post_right Right;
    pre_bottom post_bottom Bottom;
    pre_secret post_secret Secret;
}

model!(Top of tops { name: String = [Text] });
model!(Left of lefts {
    #[hooks(foreign_key(Top, on_delete = Cascade))]
    top_id: i32 = [Integer],
});
model!(Right of rights {
    #[hooks(foreign_key(Top, on_delete = Cascade))]
    top_id: i32 = [Integer],
});
model!(Bottom of bottoms {
    #[hooks(foreign_key(Left, on_delete = Cascade))]
    left_id: i32 = [Integer],
    #[hooks(foreign_key(Right, on_delete = Cascade))]
    right_id: i32 = [Integer],
});

model!(Agent of agents { name: String = [Text] });
model!(Secret of secrets {
    #[hooks(foreign_key(Agent, on_delete = Cascade))]
    agent_id: i32 = [Integer],
    hidden: bool = [Bool],
});

impl Secret {
    /// What an application might have written before it had hooks.
    fn delete(&self, _conn: &mut TestConnection) -> usize {
        LOG.push("own delete");
        self.id.unsigned_abs() as usize
    }
}

model!(Person of persons { name: String = [Text] });
model!(Club of clubs { name: String = [Text] });
model!(Membership of memberships {
    #[hooks(foreign_key(Person, on_delete = Cascade))]
    person_id: i32 = [Integer],
    #[hooks(foreign_key(Club, on_delete = Cascade))]
    club_id: i32 = [Integer],
});
model!(Fee of fees {
    #[hooks(foreign_key(Membership, on_delete = Cascade))]
    membership_id: i32 = [Integer],
});

model!(User of users { email: String = [Text] });
model!(Login of logins {
    #[hooks(foreign_key(User, on_delete = Cascade, to = users::email, accessor = user))]
    email: String = [Text],
});

diesel::table! { tenants (id) { id -> Integer } }
diesel::table! { staff (tenant_id, id) { tenant_id -> Integer, id -> Integer } }
diesel::table! { comments (id) { id -> Integer, tenant_id -> Integer, staff_id -> Nullable<Integer> } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Tenant {
    id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = staff, primary_key(tenant_id, id))]
struct Clerk {
    #[hooks(foreign_key(Tenant, on_delete = Cascade, accessor = tenant))]
    tenant_id: i32,
    id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(foreign_key(Clerk, columns(tenant_id, staff_id), on_delete = Cascade, accessor = clerk))]
struct Comment {
    id: i32,
    tenant_id: i32,
    staff_id: Option<i32>,
}

const SCHEMA: &str = "
    CREATE TABLE artists (id {key}, name TEXT NOT NULL);
    CREATE TABLE albums (id {key}, artist_id INTEGER NOT NULL REFERENCES artists (id));
    CREATE TABLE songs (id {key},
        artist_id INTEGER NOT NULL REFERENCES artists (id), album_id INTEGER NOT NULL REFERENCES albums (id));
    CREATE TABLE clips (id {key},
        artist_id INTEGER NOT NULL REFERENCES artists (id), album_id INTEGER NOT NULL REFERENCES albums (id));
    CREATE TABLE nodes (id {key}, up_id INTEGER REFERENCES nodes (id));
    CREATE TABLE rings (id {key}, next_id INTEGER NOT NULL REFERENCES rings (id));
    CREATE TABLE tops (id {key}, name TEXT NOT NULL);
    CREATE TABLE lefts (id {key}, top_id INTEGER NOT NULL REFERENCES tops (id));
    CREATE TABLE rights (id {key}, top_id INTEGER NOT NULL REFERENCES tops (id));
    CREATE TABLE bottoms (id {key},
        left_id INTEGER NOT NULL REFERENCES lefts (id), right_id INTEGER NOT NULL REFERENCES rights (id));
    CREATE TABLE agents (id {key}, name TEXT NOT NULL);
    CREATE TABLE secrets (id {key},
        agent_id INTEGER NOT NULL REFERENCES agents (id), hidden BOOLEAN NOT NULL);
    CREATE TABLE persons (id {key}, name TEXT NOT NULL);
    CREATE TABLE clubs (id {key}, name TEXT NOT NULL);
    CREATE TABLE memberships (id {key},
        person_id INTEGER NOT NULL REFERENCES persons (id), club_id INTEGER NOT NULL REFERENCES clubs (id));
    CREATE TABLE fees (id {key}, membership_id INTEGER NOT NULL REFERENCES memberships (id));
    CREATE TABLE users (id {key}, email TEXT NOT NULL UNIQUE);
    CREATE TABLE logins (id {key}, email TEXT NOT NULL REFERENCES users (email));
    CREATE TABLE tenants (id {key});
    CREATE TABLE staff (tenant_id INTEGER NOT NULL REFERENCES tenants (id), id INTEGER NOT NULL,
        PRIMARY KEY (tenant_id, id));
    CREATE TABLE comments (id {key}, tenant_id INTEGER NOT NULL, staff_id INTEGER,
        FOREIGN KEY (tenant_id, staff_id) REFERENCES staff (tenant_id, id));
";

fn database(rows: &str) -> TestConnection {
    let mut conn = fresh(SCHEMA);
    insert(&mut conn, rows);
    conn
}

const ARTISTS: &str = "
    INSERT INTO artists VALUES (1, 'first'), (2, 'second');
    INSERT INTO albums VALUES (1, 1), (2, 2);
";

#[test]
fn del_15_a_restricting_row_of_an_unheard_row_does_not_restrict_if_both_go() {
    let mut conn = database(ARTISTS);
    conn.batch_execute("INSERT INTO songs VALUES (1, 1, 1), (2, 2, 1)")
        .expect("songs");
    let artist = Artist::get(&mut conn, 1).expect("an artist");
    let error = artist.delete(&mut conn).expect_err("restricted");
    assert_eq!(
        error.to_string(),
        "Artist 1 is restricted by Song 2 (through Album.artist_id, Song.album_id)"
    );
    assert_eq!(rows(&mut conn, "songs"), ["1 1 1", "2 2 1"]);
    diesel::delete(songs::table.find(2))
        .execute(&mut conn)
        .expect("deleted");
    let deleted = counted(artist.delete(&mut conn).expect("lifted"));
    assert_eq!(deleted, (3, vec![("Album", 1), ("Artist", 1), ("Song", 1)]));
    assert_eq!(rows(&mut conn, "albums"), ["2 2"]);
}

#[test]
fn del_04_a_row_that_goes_too_is_not_made_to_refer_to_a_default_that_goes() {
    let mut conn = database(ARTISTS);
    conn.batch_execute("INSERT INTO albums VALUES (3, 1); INSERT INTO clips VALUES (1, 1, 3)")
        .expect("a clip");
    let artist = Artist::get(&mut conn, 1).expect("an artist");
    let deleted = counted(artist.delete(&mut conn).expect("deleted"));
    assert_eq!(deleted, (4, vec![("Album", 2), ("Artist", 1), ("Clip", 1)]));
    assert_eq!(rows(&mut conn, "clips"), [""; 0]);
    assert_eq!(rows(&mut conn, "albums"), ["2 2"]);
}

#[test]
fn del_25_a_row_that_refers_to_itself_goes_and_is_counted_once() {
    let mut conn = database("INSERT INTO nodes VALUES (1, 1); INSERT INTO rings VALUES (1, 1)");
    let node = Node::get(&mut conn, 1).expect("a node");
    assert_eq!(
        counted(node.delete(&mut conn).expect("deleted")),
        (1, vec![("Node", 1)])
    );
    assert_eq!(LOG.take(), ["pre Node 1", "post Node 1"]);
    let ring = Ring::get(&mut conn, 1).expect("a ring");
    if system() == System::Mysql {
        assert_unbroken(&mut conn, &ring);
    } else {
        assert_eq!(
            counted(ring.delete(&mut conn).expect("deleted")),
            (1, vec![("Ring", 1)])
        );
        assert_eq!(LOG.take(), ["pre Ring 1", "post Ring 1"]);
    }
    assert_eq!(rows(&mut conn, "nodes"), [""; 0]);
}

/// InnoDB looks at foreign keys after each row, so that no statement deletes such rows.
fn assert_unbroken(conn: &mut TestConnection, ring: &Ring) {
    let before = rows(conn, "rings");
    let error = ring.delete(conn).expect_err("it cannot be opened");
    assert!(matches!(error, Error::Cycle { .. }), "{error:?}");
    assert_eq!(rows(conn, "rings"), before);
    assert_eq!(LOG.take(), [""; 0]);
}

#[test]
fn del_26_a_circle_ends_and_each_row_is_heard_once() {
    let mut conn = fresh(SCHEMA);
    insert_circle(
        &mut conn,
        "INSERT INTO nodes VALUES (1, 3), (2, 1), (3, 2), (4, 3);
        INSERT INTO rings VALUES (1, 3), (2, 1), (3, 2), (4, 3);",
    );
    let node = Node::get(&mut conn, 2).expect("a node");
    assert_eq!(node.delete(&mut conn).expect("deleted").total, 4);
    let mut heard = LOG.take();
    assert!(
        heard[..4].iter().all(|event| event.starts_with("pre ")),
        "{heard:?}"
    );
    heard.sort_unstable();
    assert_eq!(
        heard,
        [
            "post Node 1",
            "post Node 2",
            "post Node 3",
            "post Node 4",
            "pre Node 1",
            "pre Node 2",
            "pre Node 3",
            "pre Node 4"
        ]
    );
    assert_eq!(rows(&mut conn, "nodes"), [""; 0]);
    // Not one of these can be NULL: they go together.
    let ring = Ring::get(&mut conn, 2).expect("a ring");
    if system() == System::Mysql {
        return assert_unbroken(&mut conn, &ring);
    }
    assert_eq!(ring.delete(&mut conn).expect("deleted").total, 4);
    assert_eq!(LOG.take().len(), 8);
    assert_eq!(rows(&mut conn, "rings"), [""; 0]);
}

#[test]
fn del_26_both_sides_of_a_diamond_lead_to_a_row_that_is_heard_once() {
    let mut conn = database(
        "INSERT INTO tops VALUES (1, 'top'); INSERT INTO lefts VALUES (1, 1); INSERT INTO rights VALUES (1, 1);
        INSERT INTO bottoms VALUES (1, 1, 1);",
    );
    let top = Top::get(&mut conn, 1).expect("a top");
    let deleted = counted(top.delete(&mut conn).expect("deleted"));
    let each = vec![("Bottom", 1), ("Left", 1), ("Right", 1), ("Top", 1)];
    assert_eq!(deleted, (4, each));
    let heard = LOG.take();
    assert_eq!(heard.len(), 8);
    assert_eq!(heard[0], "pre Bottom 1");
    assert_eq!(heard[3..5], ["pre Top 1", "post Bottom 1"]);
    assert_eq!(heard[7], "post Top 1");
}

#[test]
fn del_57_an_applications_own_delete_is_not_called_for_rows_that_go_along() {
    let mut conn = database(
        "INSERT INTO agents VALUES (1, 'M'); INSERT INTO secrets VALUES (1, 1, FALSE), (2, 1, FALSE)",
    );
    let secret = Secret::get(&mut conn, 2).expect("a secret");
    secret.delete(&mut conn);
    assert_eq!(LOG.take(), ["own delete"]);
    assert_eq!(Model::delete(&secret, &mut conn).expect("deleted").total, 1);
    assert_eq!(LOG.take(), ["pre Secret 2", "post Secret 2"]);
    let agent = Agent::get(&mut conn, 1).expect("an agent");
    assert_eq!(agent.delete(&mut conn).expect("deleted").total, 2);
    assert_eq!(LOG.take(), ["pre Secret 1", "post Secret 1"]);
    assert_eq!(rows(&mut conn, "secrets"), [""; 0]);
}

#[test]
fn del_58_a_relation_without_a_related_name_is_honoured() {
    let mut conn = database(
        "INSERT INTO persons VALUES (1, 'Ada'); INSERT INTO clubs VALUES (1, 'chess');
        INSERT INTO memberships VALUES (1, 1, 1);",
    );
    let person = Person::get(&mut conn, 1).expect("a person");
    let deleted = counted(person.delete(&mut conn).expect("deleted"));
    assert_eq!(deleted, (2, vec![("Membership", 1), ("Person", 1)]));
    assert_eq!(rows(&mut conn, "memberships"), [""; 0]);
}

#[test]
fn del_59_a_relation_to_a_unique_column_leads_to_its_rows() {
    let mut conn = database(
        "INSERT INTO users VALUES (1, 'ada@x'), (2, 'bob@x');
        INSERT INTO logins VALUES (1, 'ada@x'), (2, 'bob@x'), (3, 'ada@x');",
    );
    let ada = User::get(&mut conn, 1).expect("a user");
    let deleted = counted(ada.delete(&mut conn).expect("deleted"));
    assert_eq!(deleted, (3, vec![("Login", 2), ("User", 1)]));
    assert_eq!(rows(&mut conn, "logins"), ["2 bob@x"]);
}

#[test]
fn del_60_a_chain_through_an_explicit_join_row_goes_on_to_what_depends_on_that() {
    let mut conn = database(
        "INSERT INTO persons VALUES (1, 'Ada'), (2, 'Bob'); INSERT INTO clubs VALUES (1, 'chess');
        INSERT INTO memberships VALUES (1, 1, 1), (2, 2, 1); INSERT INTO fees VALUES (1, 1), (2, 1), (3, 2);",
    );
    let ada = Person::get(&mut conn, 1).expect("a person");
    let deleted = counted(ada.delete(&mut conn).expect("deleted"));
    assert_eq!(
        deleted,
        (4, vec![("Fee", 2), ("Membership", 1), ("Person", 1)])
    );
    let club = Club::get(&mut conn, 1).expect("a club");
    let deleted = counted(club.delete(&mut conn).expect("deleted"));
    assert_eq!(
        deleted,
        (3, vec![("Club", 1), ("Fee", 1), ("Membership", 1)])
    );
    assert_eq!(rows(&mut conn, "persons"), ["2 Bob"]);
}

#[test]
fn del_61_rows_that_an_application_hides_go_along() {
    let mut conn = database(
        "INSERT INTO agents VALUES (1, 'M'); INSERT INTO secrets VALUES (1, 1, TRUE), (2, 1, FALSE)",
    );
    let shown: Vec<Secret> = secrets::table
        .filter(secrets::hidden.eq(false))
        .load_hooked(&mut conn)
        .expect("read");
    assert_eq!(shown.len(), 1);
    let agent = Agent::get(&mut conn, 1).expect("an agent");
    assert_eq!(agent.delete(&mut conn).expect("deleted").total, 3);
    assert_eq!(
        LOG.take(),
        [
            "pre Secret 1",
            "pre Secret 2",
            "post Secret 1",
            "post Secret 2"
        ]
    );
    assert_eq!(rows(&mut conn, "secrets"), [""; 0]);
}

const TENANTS: &str = "
    INSERT INTO tenants VALUES (1), (2); INSERT INTO staff VALUES (1, 1), (1, 2), (2, 1);
    INSERT INTO comments VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 1, NULL);
";

#[test]
fn del_62_rows_with_composite_keys_go_with_what_refers_to_them() {
    let mut conn = database(TENANTS);
    let clerk = Clerk::get(&mut conn, (1, 2)).expect("a clerk");
    let deleted = counted(clerk.delete(&mut conn).expect("deleted"));
    assert_eq!(deleted, (2, vec![("Clerk", 1), ("Comment", 1)]));
    assert_eq!(rows(&mut conn, "staff"), ["1 1", "2 1"]);
    assert_eq!(rows(&mut conn, "comments"), ["1 1 1", "3 2 1", "4 1 -"]);
    let tenant = Tenant::get(&mut conn, 1).expect("a tenant");
    let deleted = counted(tenant.delete(&mut conn).expect("deleted"));
    assert_eq!(
        deleted,
        (3, vec![("Clerk", 1), ("Comment", 1), ("Tenant", 1)])
    );
    assert_eq!(rows(&mut conn, "comments"), ["3 2 1", "4 1 -"]);
}
