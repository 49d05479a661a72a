use std::collections::BTreeMap;
use std::fs;

use axum::Router;
use chrono::TimeDelta;
use diesel::prelude::*;
use registration::models::{AuditEntry, Person, Session, User};
use registration::schema::{audit_entries, persons, sessions, users};
use registration::{App, Config};
use registration_load::browser::Browser;
use registration_load::by_hand;

use crate::common::Server;

/// What is typed besides the passwords, or instead of them.
const STORY: &[&[(&str, &str)]] = &[
    &[
        ("username", " Ada "),
        ("email", "Ada@Example.org"),
        ("birthdate", "1990-12-31"),
        ("chat_handle", "@ada"),
        ("meeting_handle", "ada.l"),
        ("phone", "+44 20 7946 0018"),
    ],
    &[("username", "ADA"), ("email", "other@example.org")],
    &[("username", "other"), ("email", "ADA@example.org")],
    &[("username", "x"), ("email", "none"), ("phone", "1")],
    &[("username", "Grace"), ("email", "grace@example.org")],
    &[
        ("username", "Joan"),
        ("email", "joan@example.org"),
        ("chat_handle", "@joan"),
    ],
];

/// What came of the story: what visitors are answered, then rows and mails, without what is random or of the clock.
fn told_by(router: impl FnOnce(&Config) -> Router) -> Vec<String> {
    let server = Server::start(router);
    let mut told = Vec::new();
    for typed in STORY {
        let mut browser = Browser::open(server.address).expect("it listens");
        let form = browser.get("/register").expect("a form");
        let mut fields = BTreeMap::from([
            ("csrf", form.csrf().expect("a token")),
            ("password", "correct horse"),
            ("password_again", "correct horse"),
        ]);
        fields.extend(typed.iter().copied());
        let fields: Vec<_> = fields.into_iter().collect();
        let cookie = form.cookie.as_deref().expect("a cookie");
        let answer = browser
            .post("/register", cookie, &fields)
            .expect("an answer");
        let errors = ["username", "email", "phone"].map(|it| answer.error(it));
        let is_new = answer.cookie.as_deref().is_some_and(|it| it != cookie);
        told.push(format!(
            "{} {errors:?}, another cookie: {is_new}",
            answer.status
        ));
    }
    told.extend(rows(&server));
    told.extend(mails(&server));
    told
}

fn rows(server: &Server) -> Vec<String> {
    let conn = &mut server.connect();
    let users: Vec<User> = users::table.order(users::id).load(conn).expect("users");
    let persons: Vec<Person> = persons::table
        .order(persons::user_id)
        .load(conn)
        .expect("persons");
    let sessions: Vec<Session> = sessions::table
        .order(sessions::id)
        .load(conn)
        .expect("sessions");
    let entries: Vec<AuditEntry> = audit_entries::table
        .order(audit_entries::id)
        .load(conn)
        .expect("entries");
    let users = users.iter().map(|it| {
        let is_dated = it.created == it.modified;
        let User {
            id,
            username,
            email,
            is_admin,
            ..
        } = it;
        format!("{id} {username} {email} {is_admin} {is_dated}")
    });
    let persons = persons.iter().map(|it| format!("{it:?}"));
    let sessions = sessions.iter().map(|it| {
        let days = (it.expires - it.created + TimeDelta::minutes(1)).num_days();
        format!("{} of {} for {days} days", it.id, it.user_id)
    });
    let entries = entries.iter().map(|it| {
        let AuditEntry {
            actor,
            actor_id,
            action,
            model,
            row_key,
            changed,
            ..
        } = it;
        format!("{actor} {actor_id:?} {action} {model} {row_key} {changed}")
    });
    users
        .chain(persons)
        .chain(sessions)
        .chain(entries)
        .collect()
}

fn mails(server: &Server) -> Vec<String> {
    let files = fs::read_dir(server.mail()).expect("the folder");
    let mut mails: Vec<_> = files
        .map(|file| fs::read_to_string(file.expect("a file").path()).expect("a mail"))
        .collect();
    mails.sort();
    mails
}

#[test]
fn by_hand_the_same_is_answered_written_and_sent_as_by_the_application() {
    let application = told_by(|config| App::open(config).expect("it opens").router());
    let by_hand = told_by(|config| by_hand::router(config).expect("it opens"));
    assert_eq!(by_hand, application);

    let told = by_hand.join("\n");
    for expected in [
        r#"422 [Some("This user name is taken."), None, None]"#,
        r#"422 [None, Some("There is an account with this e-mail address."), None]"#,
        "1 ada ada@example.org false",
        "a visitor None updated Person 1 birthdate, chat_handle, meeting_handle, phone",
        "ada Some(1) created Session 1",
        "To: ada@example.org",
    ] {
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
}

#[test]
fn by_hand_there_is_the_one_page_and_no_other() {
    let by_hand = Server::start(|config| by_hand::router(config).expect("it opens"));
    let mut browser = Browser::open(by_hand.address).expect("it listens");
    assert_eq!(browser.get("/login").expect("an answer").status, 404);
    assert_eq!(browser.get("/register").expect("an answer").status, 200);
}
