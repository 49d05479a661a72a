use std::fs;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use registration::database::AnyConnection;
use registration_load::by_hand;
use registration_load::crowd::{Crowd, Outcome, Visit};
use registration_load::proof::{Proof, prove};

use crate::common::Server;

const MANY: usize = 20;

/// A server at which some registered.
fn visited() -> (Server, Vec<Visit>) {
    let server = Server::start(|config| by_hand::router(config).expect("it opens"));
    let crowd = Crowd::new(4);
    let deadline = Instant::now() + Duration::from_secs(600);
    crowd.register(server.address, MANY, deadline);
    assert_eq!(crowd.registered(), MANY);
    let visits = crowd.visits().clone();
    (server, visits)
}

fn found(server: &Server, conn: &mut AnyConnection, visits: &[Visit]) -> Proof {
    prove(conn, &server.mail(), visits).expect("it can be read")
}

#[test]
fn nothing_is_wrong_where_all_was_answered_and_is_there() {
    let (server, visits) = visited();
    let proof = found(&server, &mut server.connect(), &visits);
    assert_eq!(proof.wrong, [""; 0]);
    assert_eq!(
        proof.to_string(),
        "20 users, each with a person and the audit of both, a session and one mail"
    );
}

#[test]
fn rows_that_are_missing_or_too_many_are_found() {
    let (server, visits) = visited();
    let conn = &mut server.connect();
    let mut finds = |sql: &str, expected: &str| {
        conn.test_transaction(|conn| {
            conn.batch_execute(sql)?;
            let wrong = found(&server, conn, &visits).wrong;
            assert!(
                wrong.iter().any(|it| it.contains(expected)),
                "{sql}: {wrong:?}"
            );
            Ok::<_, diesel::result::Error>(())
        });
    };
    finds("DELETE FROM persons WHERE user_id = 1", "has no person");
    finds(
        "INSERT INTO persons (user_id) VALUES (99)",
        "20 users and 21 persons",
    );
    finds(
        "UPDATE persons SET chat_handle = NULL WHERE user_id = 2",
        "is not filled in",
    );
    finds(
        "UPDATE persons SET phone = NULL WHERE user_id = 2",
        "is not filled in",
    );
    finds(
        "UPDATE users SET email = 'Up@example.org' WHERE id = 3",
        "has the address",
    );
    finds(
        "DELETE FROM users WHERE username = 'visitor7'",
        "visitor7 was registered, and is gone",
    );
    finds(
        "INSERT INTO users (username, email, password_hash) VALUES ('eve', 'eve@example.org', '')",
        "eve sent no form",
    );
    finds("DELETE FROM sessions WHERE user_id = 4", "is not logged in");
    finds(
        "INSERT INTO sessions (user_id, token_hash, expires) VALUES (4, 'x', '2999-01-01 00:00:00')",
        "logged in twice",
    );
    finds(
        "DELETE FROM audit_entries WHERE model = 'User' AND row_key = '5'",
        "the audit misses",
    );
    finds(
        "DELETE FROM audit_entries WHERE model = 'Session' AND row_key = '5'",
        "the audit misses",
    );
    finds(
        "UPDATE audit_entries SET actor = 'nobody' WHERE id = 6",
        "the audit misses",
    );
    finds(
        "INSERT INTO audit_entries SELECT 999, at, actor, actor_id, action, model, row_key, changed \
         FROM audit_entries WHERE id = 7",
        "the audit should not have",
    );
}

#[test]
fn mails_that_are_missing_twice_or_to_nobody_are_found() {
    let (server, visits) = visited();
    let conn = &mut server.connect();
    let file = fs::read_dir(server.mail()).expect("the folder").next();
    let path = file.expect("a mail").expect("a file").path();
    let mail = fs::read_to_string(&path).expect("a mail");

    fs::remove_file(&path).expect("it goes");
    let wrong = found(&server, conn, &visits).wrong;
    assert!(wrong[0].ends_with("has 0 mails"), "{wrong:?}");

    fs::write(&path, &mail).expect("it comes back");
    fs::write(path.with_file_name("again.eml"), &mail).expect("another");
    let wrong = found(&server, conn, &visits).wrong;
    assert!(wrong[0].ends_with("has 2 mails"), "{wrong:?}");

    fs::write(path.with_file_name("again.eml"), "To: eve@example.org\n").expect("another");
    let wrong = found(&server, conn, &visits).wrong;
    assert_eq!(wrong, ["there is mail to eve@example.org, who is no user"]);
}

#[test]
fn who_was_not_answered_may_be_missing_or_lack_mail_and_session_but_no_row() {
    let (server, mut visits) = visited();
    let conn = &mut server.connect();
    for visit in &mut visits {
        visit.outcome = Outcome::Unanswered(std::io::ErrorKind::ConnectionReset);
    }
    fs::remove_dir_all(server.mail()).expect("it goes");
    fs::create_dir(server.mail()).expect("it is empty");
    fs::write(server.mail().join("half.part"), "To: ").expect("half a mail");
    let statements = "DELETE FROM sessions WHERE user_id = 1;
        DELETE FROM audit_entries WHERE model = 'Session' AND CAST(row_key AS INTEGER) NOT IN (SELECT id FROM sessions);
        DELETE FROM users WHERE id = 2;
        DELETE FROM persons WHERE user_id = 2;
        DELETE FROM sessions WHERE user_id = 2;";
    conn.batch_execute(statements).expect("they go");
    let half = found(&server, conn, &visits).wrong;
    assert_eq!(half.len(), 4, "the entries of what is gone: {half:?}");

    conn.batch_execute("DELETE FROM audit_entries WHERE row_key = '2' AND model <> 'Session'")
        .expect("they go");
    conn.batch_execute(
        "DELETE FROM audit_entries WHERE model = 'Session' AND CAST(row_key AS INTEGER) NOT IN (SELECT id FROM sessions)",
    )
    .expect("they go");
    let proof = found(&server, conn, &visits);
    assert_eq!(proof.wrong, [""; 0]);
    assert!(
        proof
            .to_string()
            .contains("19 of the 20 that were not; 19 without mail, 1 mails unfinished"),
        "{proof}"
    );

    conn.batch_execute("DELETE FROM persons WHERE user_id = 3")
        .expect("it goes");
    assert!(!found(&server, conn, &visits).wrong.is_empty());
}
