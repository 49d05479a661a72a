//! What one person may do, many may do at once.

use std::sync::Barrier;
use std::thread;

use crate::common::{Page, Server};

const MANY: usize = 50;

/// What each of many browsers is answered, which register at the same instant.
fn all_at_once(server: &Server, name: impl Fn(usize) -> String + Sync) -> Vec<Page> {
    let start = Barrier::new(MANY);
    let register = |number: usize| {
        let mut browser = server.browser();
        let token = browser.get("/register").token();
        let (email, handle) = (format!("{number}@example.org"), format!("@{number}"));
        start.wait();
        browser.post(
            "/register",
            &[
                ("csrf", &token),
                ("username", &name(number)),
                ("email", &email),
                ("password", crate::common::PASSWORD),
                ("password_again", crate::common::PASSWORD),
                ("chat_handle", &handle),
            ],
        )
    };
    thread::scope(|scope| {
        let register = &register;
        let threads: Vec<_> = (0..MANY)
            .map(|it| scope.spawn(move || register(it)))
            .collect();
        threads
            .into_iter()
            .map(|it| it.join().expect("it is answered"))
            .collect()
    })
}

#[test]
fn of_many_who_want_the_same_name_one_has_it_with_a_person_and_the_others_are_told() {
    let server = Server::start();
    let answers = all_at_once(&server, |_| "ada".into());

    let winners: Vec<_> = (0..MANY).filter(|it| answers[*it].status == 303).collect();
    assert_eq!(
        winners.len(),
        1,
        "{:?}",
        answers.iter().map(|it| it.status).collect::<Vec<_>>()
    );
    for (number, answer) in answers.iter().enumerate() {
        if number != winners[0] {
            assert_eq!(answer.status, 422, "{}", answer.body);
            assert_eq!(
                answer.error("username").as_deref(),
                Some("This user name is taken.")
            );
            assert_eq!(answer.typed("chat_handle"), format!("@{number}"));
        }
    }

    let (users, persons) = (server.users(), server.persons());
    assert_eq!((users.len(), persons.len()), (1, 1));
    assert_eq!(users[0].email, format!("{}@example.org", winners[0]));
    assert_eq!(persons[0].user_id, users[0].id);
    assert_eq!(persons[0].chat_handle, Some(format!("@{}", winners[0])));

    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].starts_with(&format!("To: {}\n", users[0].email)));
    let id = users[0].id;
    assert_eq!(
        server.audit(),
        [
            format!("a visitor created Person {id}"),
            format!("a visitor created User {id}"),
            format!("a visitor updated Person {id}"),
            "ada created Session 1".into(),
        ],
    );
}

#[test]
fn many_who_want_names_of_their_own_all_have_them_each_with_a_person() {
    let server = Server::start();
    let answers = all_at_once(&server, |number| format!("ada{number}"));
    for answer in &answers {
        assert_eq!(answer.status, 303, "{}", answer.body);
    }
    let (users, persons) = (server.users(), server.persons());
    assert_eq!(users.len(), MANY);
    assert_eq!(persons.len(), MANY);
    for (user, person) in users.iter().zip(&persons) {
        assert_eq!(user.id, person.user_id);
        let number = user.username.trim_start_matches("ada");
        assert_eq!(person.chat_handle, Some(format!("@{number}")));
    }
    assert_eq!(server.mails().len(), MANY);
    assert_eq!(server.audit().len(), 4 * MANY);
}
