//! What happens besides, receivers do, and nobody else: without them none of it happens.

use std::fs;
use std::path::Path;

use crate::common::{PASSWORD, Server};
use diesel::prelude::*;
use diesel_hooks::prelude::*;
use registration::accounts::{self, Details};
use registration::database::AnyConnection;
use registration::error::Error;
use registration::models::Person;
use registration::receivers::requests::Requests;
use registration::sessions;

#[test]
fn the_audit_says_who_did_what() {
    let server = Server::start();
    let mut browser = server.member("ada");
    browser.submit(
        "/profile/edit",
        &[("email", "new@example.org"), ("chat_handle", "@ada")],
    );
    browser.submit(
        "/profile/edit",
        &[("email", "new@example.org"), ("chat_handle", "@ada")],
    );
    browser.log_out();
    browser.log_in("ada", PASSWORD);
    browser.submit("/account/delete", &[]);
    assert_eq!(
        server.audit(),
        [
            "a visitor created Person 1",
            "a visitor created User 1",
            "ada created Session 1",
            "ada updated User 1",
            "ada updated Person 1",
            "ada deleted Session 1",
            "ada created Session 2",
            "ada deleted Session 2",
            "ada deleted Person 1",
            "ada deleted User 1",
        ],
    );
}

#[test]
fn the_audit_says_which_columns_were_changed_and_never_to_what() {
    use registration::models::AuditEntry;
    use registration::schema::audit_entries;

    let server = Server::start();
    let mut browser = server.member("ada");
    browser.submit(
        "/profile/edit",
        &[("email", "secret@example.org"), ("phone", "+442079460018")],
    );
    let entries: Vec<AuditEntry> = server.run(|conn| {
        let of_ada = audit_entries::table.filter(audit_entries::actor.eq("ada"));
        Ok(of_ada.order(audit_entries::id).load(conn)?)
    });
    let changed: Vec<_> = entries.iter().map(|it| it.changed.as_str()).collect();
    assert_eq!(changed, ["", "email, modified", "phone"]);
    let id = server.user("ada").id;
    assert!(entries.iter().all(|it| it.actor_id == Some(id)));
}

#[test]
fn a_welcome_mail_is_sent_once_to_the_normalised_address() {
    let server = Server::start();
    let mut browser = server.browser();
    browser.register_with(&[("username", "Ada"), ("email", " Ada@Example.org ")]);
    let mail = "To: ada@example.org\nSubject: Welcome\n\nHello ada,\n\nyour account is ready.\n";
    assert_eq!(server.mails(), [mail]);
    browser.submit("/profile/edit", &[("email", "new@example.org")]);
    assert_eq!(server.mails().len(), 1);
}

#[test]
fn of_a_registration_that_fails_after_its_user_was_made_nothing_is_left_and_no_mail_is_sent() {
    let server = Server::start();
    server.run(|conn| Ok(refuse_details(conn)?));
    let page = server.browser().register_with(&[("chat_handle", "@ada")]);
    assert_eq!(page.status, 500);
    assert!(
        !page.body.contains("refused"),
        "nothing of what is inside is told"
    );
    assert!(server.users().is_empty() && server.persons().is_empty());
    assert!(server.mails().is_empty() && server.audit().is_empty());
}

/// The person is made, and cannot be filled in.
fn refuse_details(conn: &mut AnyConnection) -> QueryResult<()> {
    use diesel::connection::SimpleConnection as _;

    match conn {
        AnyConnection::Sqlite(conn) => conn.batch_execute(
            "CREATE TRIGGER refuse BEFORE UPDATE ON persons BEGIN SELECT RAISE(ABORT, 'refused'); END",
        ),
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => conn.batch_execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'refused'; END $$; \
             CREATE TRIGGER refuse BEFORE UPDATE ON persons FOR EACH ROW EXECUTE FUNCTION refuse()",
        ),
    }
}

#[test]
fn a_profile_page_is_kept_until_something_that_it_shows_is_written() {
    let server = Server::start();
    let mut browser = server.member("ada");
    let chat =
        |browser: &mut crate::common::Browser| browser.get("/profile").text("chat_handle").unwrap();
    assert_eq!(chat(&mut browser), "not told");

    // By plain Diesel, which nobody hears of: the page that is kept is shown.
    server.run(|conn| {
        use registration::schema::persons;
        let silently = diesel::update(persons::table).set(persons::chat_handle.eq("@silent"));
        Ok(silently.execute(conn)?)
    });
    assert_eq!(chat(&mut browser), "not told");

    server.run(|conn| {
        let mut person = Person::get(conn, server.user("ada").id)?;
        Ok(person.update(conn, |it| it.phone = Some("+442079460018".into()))?)
    });
    assert_eq!(chat(&mut browser), "@silent");

    let employee = server.hire("ada");
    assert_eq!(
        browser.get("/profile").text("title").as_deref(),
        Some("Engineer")
    );
    server.run(|conn| {
        let mut profile = employee.profile(conn)?;
        Ok(profile.update(conn, |it| it.office = Some("B 12".into()))?)
    });
    assert_eq!(
        browser.get("/profile").text("office").as_deref(),
        Some("B 12")
    );
    server.run(|conn| {
        employee.profile(conn)?.delete(conn)?;
        employee.delete(conn)?;
        Ok(())
    });
    assert_eq!(browser.get("/profile").text("title"), None);
}

#[test]
fn a_page_is_not_forgotten_for_a_change_that_was_rolled_back() {
    let server = Server::start();
    let mut browser = server.member("ada");
    browser.get("/profile");
    let id = server.user("ada").id;
    let kept = |server: &Server| server.app.database().outside().pages.get(id).is_ok();
    assert!(kept(&server));
    let undone = server.try_run(|conn| {
        conn.transaction(|conn| {
            Person::get(conn, id)?.update(conn, |it| it.phone = Some("+1".into()))?;
            Err::<(), _>(Error::NotFound)
        })
    });
    assert!(undone.is_err() && kept(&server));
    server.run(|conn| Ok(Person::get(conn, id)?.update(conn, |it| it.phone = Some("+1".into()))?));
    assert!(!kept(&server));
}

#[test]
fn each_request_is_counted_when_it_comes_and_when_it_is_answered() {
    let server = Server::start();
    let mut browser = server.browser();
    let before = Requests::so_far();
    browser.get("/");
    browser.get("/nowhere");
    let after = Requests::so_far();
    // Other tests of this program send requests too.
    assert!(after.started >= before.started + 2);
    assert!(after.answered >= before.answered + 2);
}

#[test]
fn without_receivers_an_account_has_its_person_and_nothing_else_happens() {
    let server = Server::start();
    let mut browser = server.member("ada");
    let page = browser.get("/profile");
    let (audit, mails) = (server.audit(), server.mails());

    let mut account = server.account("grace");
    account.username = "Grace".into();
    let id = server.user("ada").id;
    server.run(|conn| {
        conn.without_hooks(|conn| {
            let user = accounts::register(conn, &account)?;
            assert_eq!(user.username, "Grace", "as it was typed");
            sessions::open(conn, &user)?;
            let details = Details {
                chat_handle: Some("@unheard".into()),
                ..Details::default()
            };
            accounts::edit(conn, id, "unheard@example.org", &details)
        })
    });
    assert_eq!(server.persons().len(), 2);
    assert_eq!((server.audit(), server.mails()), (audit, mails));
    let cached = browser.get("/profile");
    assert_eq!(cached.text("email"), page.text("email"));
}

#[test]
fn without_the_relation_there_is_no_person_for_nobody_else_makes_one() {
    let server = Server::start();
    let account = server.account("ada");
    let outcome = server.try_run(|conn| {
        // Where `auto_create` is off.
        conn.loading_fixtures(|conn| accounts::register(conn, &account))
    });
    assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
    assert!(server.users().is_empty());
}

/// What the compiler does not forbid outside of `receivers`.
const FORBIDDEN: &[&str] = &[
    "NewPerson",
    "Person::create",
    "Person::get_or_create",
    "Person::upsert",
    "Person::update_or_create",
    "NewAuditEntry",
    "AuditEntry::create",
    "insert_into",
    ".send(",
    ".forget(",
    "fs::write",
];

#[test]
fn no_code_outside_the_receivers_makes_persons_and_entries_or_sends_mail_or_clears_the_cache() {
    fn visit(folder: &Path, seen: &mut usize) {
        for entry in fs::read_dir(folder).expect("the sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                if !path.ends_with("receivers") {
                    visit(&path, seen);
                }
                continue;
            }
            let source = fs::read_to_string(&path).expect("text");
            for forbidden in FORBIDDEN {
                assert!(
                    !source.contains(forbidden),
                    "{}: {forbidden}",
                    path.display()
                );
            }
            *seen += 1;
        }
    }
    let mut seen = 0;
    visit(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut seen,
    );
    assert!(seen > 20, "{seen} files");
}

#[test]
fn all_receivers_are_linked_and_nothing_contradicts_itself_or_the_tables() {
    let server = Server::start();
    let registry = diesel_hooks::registry();
    let all = [
        "normalise",
        "welcome mail",
        "audit saved rows",
        "audit deleted rows",
        "forget page of saved row",
        "forget page of deleted row",
        "count started requests",
        "log finished requests",
    ];
    registry.assert_receivers(all).expect("linked");
    assert_eq!(registry.receivers().count(), all.len(), "{registry}");
    assert!(registry.findings().is_empty());
    let findings = server.run(|conn| Ok(diesel_hooks::check(conn)?));
    assert!(findings.is_empty(), "{findings}");
}
