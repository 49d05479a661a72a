//! The help desk tells the same story by plain Diesel and with hooks, and the tables fit what the models say.
//!
//! On an SQLite file; with the features `postgres` and `mysql` also on the servers that `POSTGRES_URL` and `MYSQL_URL`
//! name, as `scripts/test-backends` runs it.

use diesel::Connection;
use diesel::connection::SimpleConnection;
use multi_backend::AnyConnection;
use multi_backend::hooked::Hooked;
use multi_backend::plain::Plain;
use multi_backend::scenario::{HelpDesk, play};

const STORY: &[&str] = &[
    "three tickets are open: 2 agents, 3 attachments, 2 customers, 2 devices, 1 invitations, 2 memberships, 3 messages, \
     1 organisations, 2 tags, 3 tickets, 3 tickets_tags",
    "the printer's ticket has agent None, device None",
    "a device and an agent are gone: 1 agents, 3 attachments, 2 customers, 1 devices, 1 invitations, 1 memberships, \
     3 messages, 1 organisations, 2 tags, 3 tickets, 3 tickets_tags",
    "a tag that tickets have stays",
    "nothing has changed: 1 agents, 3 attachments, 2 customers, 1 devices, 1 invitations, 1 memberships, 3 messages, \
     1 organisations, 2 tags, 3 tickets, 3 tickets_tags",
    "a customer and a tag are gone: 1 agents, 1 attachments, 1 customers, 1 devices, 1 invitations, 1 memberships, \
     1 messages, 1 organisations, 1 tags, 1 tickets",
    "the organisation is gone, a customer is left: 1 agents, 1 attachments, 1 customers, 1 devices, 1 messages, 1 tags, \
     1 tickets",
    "opened: printer",
    "opened: screen",
    "opened: mouse",
];

fn story_of<D: HelpDesk>(url: &str) -> Vec<String> {
    let pool = multi_backend::connect(url).expect("the database is there");
    let mut conn = pool.get().expect("a connection");
    let findings = diesel_hooks::check(&mut conn).expect("the catalog is read");
    assert!(findings.is_empty(), "{findings}");
    let story = play::<D>(&mut conn).expect("nothing fails that should not");
    multi_backend::clear(&mut conn).expect("for the next");
    story
}

fn both_tell_the_story(url: &str) {
    for story in [story_of::<Plain>(url), story_of::<Hooked>(url)] {
        let (told, mut deleted) = (&story[..STORY.len()], story[STORY.len()..].to_vec());
        assert_eq!(told, STORY);
        deleted.sort();
        assert_eq!(deleted, ["deleted: printer", "deleted: screen"]);
    }
}

/// In a database of its own on the server that this variable names.
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql")),
    expect(dead_code, reason = "there is no server")
)]
fn both_tell_the_story_on(variable: &str) {
    let server = std::env::var(variable).expect("run scripts/test-backends");
    let manage = |sql: &str| {
        AnyConnection::establish(&server)
            .expect("the server is there")
            .batch_execute(sql)
            .expect("it creates and drops databases");
    };
    let name = format!("help_desk_{}", std::process::id());
    manage(&format!("CREATE DATABASE {name}"));
    let (host, _) = server.rsplit_once('/').expect("a database's URL");
    both_tell_the_story(&format!("{host}/{name}"));
    manage(&format!("DROP DATABASE {name}"));
}

#[test]
fn by_plain_diesel_and_with_hooks_the_same_happens_on_sqlite() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("help_desk.sqlite");
    both_tell_the_story(file.to_str().expect("a plain path"));
}

#[cfg(feature = "postgres")]
#[test]
fn by_plain_diesel_and_with_hooks_the_same_happens_on_postgres() {
    both_tell_the_story_on("POSTGRES_URL");
}

#[cfg(feature = "mysql")]
#[test]
fn by_plain_diesel_and_with_hooks_the_same_happens_on_mysql() {
    both_tell_the_story_on("MYSQL_URL");
}
