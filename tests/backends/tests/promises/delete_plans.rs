//! A delete can be asked what it would do: the plan is a tree, and nothing is written or sent for it.

use backends::script::LOG;
use backends::{Database, fresh, of_rows, on, refuse_to_wait, rows, statements};
use backends::{TestConnection, hear_deletes, model};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;
use diesel_hooks::relation::Action;

model!(Company of companies { name: String = [Text] });
model!(Team of teams {
    #[hooks(foreign_key(Company, on_delete = Cascade))]
    company_id: i32 = [Integer],
    #[hooks(foreign_key(Self, on_delete = Cascade))]
    under_id: Option<i32> = [Nullable<Integer>],
});
model!(Desk of desks {
    #[hooks(foreign_key(Team, on_delete = Cascade))]
    team_id: i32 = [Integer],
    #[hooks(foreign_key(Company, on_delete = Cascade))]
    owner_id: i32 = [Integer],
});
model!(Lease of leases {
    #[hooks(foreign_key(Desk, on_delete = Protect))]
    desk_id: i32 = [Integer],
});
model!(Permit of permits {
    #[hooks(foreign_key(Company, on_delete = Restrict))]
    company_id: i32 = [Integer],
    #[hooks(foreign_key(Desk, on_delete = Cascade))]
    desk_id: Option<i32> = [Nullable<Integer>],
});
model!(Poster of posters {
    #[hooks(foreign_key(Team, on_delete = SetNull))]
    team_id: Option<i32> = [Nullable<Integer>],
});
model!(Token of tokens {
    #[hooks(foreign_key(Company, on_delete = Database))]
    company_id: i32 = [Integer],
});

hear_deletes! {
    pre_company post_company Company;
    pre_desk post_desk Desk;
}

const SCHEMA: &str = "
    CREATE TABLE companies (id {key}, name TEXT NOT NULL);
    CREATE TABLE teams (id {key}, company_id INTEGER NOT NULL REFERENCES companies (id),
        under_id INTEGER REFERENCES teams (id));
    CREATE TABLE desks (id {key}, team_id INTEGER NOT NULL REFERENCES teams (id),
        owner_id INTEGER NOT NULL REFERENCES companies (id));
    CREATE TABLE leases (id {key}, desk_id INTEGER NOT NULL REFERENCES desks (id));
    CREATE TABLE permits (id {key}, company_id INTEGER NOT NULL REFERENCES companies (id),
        desk_id INTEGER REFERENCES desks (id));
    CREATE TABLE posters (id {key}, team_id INTEGER REFERENCES teams (id));
    CREATE TABLE tokens (id {key}, company_id INTEGER NOT NULL REFERENCES companies (id) ON DELETE CASCADE);
    INSERT INTO companies VALUES (1, 'ACME'), (2, 'Other');
    INSERT INTO teams VALUES (1, 1, NULL), (2, 1, 1), (3, 2, 2);
    INSERT INTO desks VALUES (1, 1, 1), (2, 3, 1), (3, 3, 2);
    INSERT INTO permits VALUES (1, 1, 1);
    INSERT INTO posters VALUES (1, 1), (2, 3), (3, NULL);
    INSERT INTO tokens VALUES (1, 1), (2, 1);
";

fn acme(conn: &mut TestConnection) -> Company {
    Company::get(conn, 1).expect("a company")
}

#[test]
fn a_plan_is_a_tree_of_what_would_happen_and_to_whom() {
    let mut conn = fresh(SCHEMA);
    let company = acme(&mut conn);
    let (plan, sent) = statements(&mut conn, |conn| company.delete_plan(conn));
    let plan = plan.expect("planned");
    assert_eq!(
        plan.to_string(),
        "\
delete 1 Company (1), heard by promises::delete_plans::pre_company, promises::delete_plans::post_company
├── Desk.owner_id: delete 2 Desk (1, 2), heard by promises::delete_plans::pre_desk, promises::delete_plans::post_desk
│   └── Permit.desk_id: delete 1 Permit (1)
├── Team.company_id: delete 2 Team (1, 2)
│   ├── Team.under_id: delete 1 Team (3)
│   │   ├── Desk.team_id: delete 1 Desk (3), heard by promises::delete_plans::pre_desk, promises::delete_plans::post_desk
│   │   └── Poster.team_id: set NULL in 1 Poster
│   └── Poster.team_id: set NULL in 1 Poster
└── Token.company_id: leave 2 Token to the database
"
    );
    assert!(
        of_rows(&sent).iter().all(|verb| *verb == "SELECT"),
        "{sent:?}"
    );
    assert_eq!(LOG.take(), [""; 0]);
    assert!(!plan.is_blocked());
    assert_eq!(plan.root.action, Action::Delete);
    let deleted = company.delete(&mut conn).expect("deleted");
    assert_eq!(plan.total(), deleted.total);
}

#[test]
fn a_plan_says_what_blocks_wherever_it_is() {
    let mut conn = fresh(SCHEMA);
    conn.batch_execute("INSERT INTO leases VALUES (1, 3); INSERT INTO permits VALUES (2, 1, NULL)")
        .expect("rows");
    let plan = acme(&mut conn).delete_plan(&mut conn).expect("planned");
    assert!(plan.is_blocked());
    let text = plan.to_string();
    assert!(
        text.contains("Lease.desk_id: PROTECTED by 1 Lease (1)"),
        "{text}"
    );
    assert!(
        text.contains("Permit.company_id: RESTRICTED by 1 Permit (2)"),
        "{text}"
    );
    let error = acme(&mut conn).delete(&mut conn).expect_err("protected");
    assert!(matches!(error, Error::Protected(_)), "{error:?}");
    assert_eq!(LOG.take(), [""; 0]);
    assert_eq!(rows(&mut conn, "desks").len(), 3);
}

#[test]
fn a_plan_changes_nothing_also_inside_a_transaction() {
    let mut conn = fresh(SCHEMA);
    let company = acme(&mut conn);
    let before = ["companies", "teams", "desks", "posters", "tokens"].map(|it| rows(&mut conn, it));
    conn.transaction(|conn| company.delete_plan(conn).map(drop))
        .expect("planned");
    let after = ["companies", "teams", "desks", "posters", "tokens"].map(|it| rows(&mut conn, it));
    assert_eq!(after, before);
    assert_eq!(LOG.take(), [""; 0]);
}

#[test]
fn a_row_that_is_gone_has_no_plan() {
    let mut conn = fresh(SCHEMA);
    let gone = Company {
        id: 9,
        name: "gone".into(),
    };
    let error = gone.delete_plan(&mut conn).expect_err("gone");
    assert!(
        matches!(
            error,
            Error::NotFound {
                model: "Company",
                ..
            }
        ),
        "{error:?}"
    );
}

model!(Slate of slates { name: String = [Text] });
model!(Trunk of trunks { name: String = [Text] });
model!(Twig of twigs {
    #[hooks(foreign_key(Trunk, on_delete = Cascade))]
    a_id: i32 = [Integer],
    #[hooks(foreign_key(Trunk, on_delete = SetNull))]
    n_id: Option<i32> = [Nullable<Integer>],
});

#[test]
fn a_plan_of_a_row_that_is_gone_is_not_found_though_nobody_hears() {
    let mut conn = fresh("CREATE TABLE slates (id {key}, name TEXT NOT NULL);");
    let gone = Slate {
        id: 9,
        name: "gone".into(),
    };
    let plan = gone.delete_plan(&mut conn);
    assert!(matches!(plan, Err(Error::NotFound { .. })), "{plan:?}");
}

#[test]
fn a_plan_is_made_beside_another_writer() {
    let disk = Database::new(
        "CREATE TABLE slates (id {key}, name TEXT NOT NULL); INSERT INTO slates VALUES (1, 'x');",
    );
    let (mut conn, mut writer) = (disk.connect(), disk.connect());
    let write = "BEGIN; INSERT INTO slates VALUES (2, 'y')";
    let begun = writer.batch_execute(on("BEGIN IMMEDIATE", write, write));
    begun.expect("begun");
    refuse_to_wait(&mut conn);
    let slate = Slate::get(&mut conn, 1).expect("stored");
    assert_eq!(
        slate.delete_plan(&mut conn).expect("it only reads").total(),
        1
    );
}

#[test]
fn a_row_that_goes_is_not_one_that_is_changed() {
    let mut conn = fresh(
        "CREATE TABLE trunks (id {key}, name TEXT NOT NULL);
        CREATE TABLE twigs (id {key}, a_id INTEGER NOT NULL REFERENCES trunks (id),
            n_id INTEGER REFERENCES trunks (id));
        INSERT INTO trunks VALUES (1, 't'), (2, 'u');
        INSERT INTO twigs VALUES (1, 1, 1), (2, 2, 1);",
    );
    let trunk = Trunk::get(&mut conn, 1).expect("stored");
    let plan = trunk.delete_plan(&mut conn).expect("planned").to_string();
    assert!(plan.contains("Twig.a_id: delete 1 Twig (1)"), "{plan}");
    assert!(plan.contains("Twig.n_id: set NULL in 1 Twig"), "{plan}");
}
