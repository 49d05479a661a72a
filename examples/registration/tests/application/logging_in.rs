//! Who knows the password is logged in, in this browser, until they log out or some time has passed.

use crate::common::{PASSWORD, Server};
use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use registration::schema::sessions;

#[test]
fn out_and_in_again_however_the_name_is_spelt() {
    let server = Server::start();
    let mut browser = server.member("ada");
    assert_eq!(browser.log_out().to(), "/?notice=logged-out");
    assert_eq!(browser.get("/profile").to(), "/login");

    assert_eq!(
        browser.log_in(" ADA", PASSWORD).to(),
        "/profile?notice=logged-in"
    );
    let page = browser.get("/profile");
    assert_eq!(page.text("username").as_deref(), Some("ada"));
}

#[test]
fn a_wrong_password_and_a_name_that_nobody_has_are_answered_alike() {
    let server = Server::start();
    server.member("ada");
    let mut browser = server.browser();
    let wrong = browser.log_in("ada", "wrong horse");
    let unknown = browser.log_in("eve", "wrong horse");
    for (page, name) in [(&wrong, "ada"), (&unknown, "eve")] {
        assert_eq!(page.status, 422);
        let message = "This user name and this password do not belong together.";
        assert_eq!(page.error("password").as_deref(), Some(message));
        assert_eq!(
            (page.typed("username"), page.typed("password")),
            (name.into(), String::new())
        );
        assert!(!page.body.contains("wrong horse"));
    }
    assert_eq!(wrong.body.replace("\"ada\"", "\"eve\""), unknown.body);
    assert_eq!(browser.get("/profile").to(), "/login");
}

#[test]
fn no_password_is_that_of_nobody() {
    let server = Server::start();
    for password in ["nobody's", ""] {
        assert!(!server.verify(password, None));
    }
}

#[test]
fn without_a_name_the_message_is_beside_the_name() {
    let server = Server::start();
    let page = server.browser().log_in("", PASSWORD);
    assert_eq!(
        page.error("username").as_deref(),
        Some("This has to be filled in.")
    );
}

#[test]
fn a_token_from_before_the_log_in_is_worth_nothing_after_it() {
    let server = Server::start();
    server.member("ada");
    let mut victim = server.browser();
    victim.get("/login");
    // Somebody planted it, and so knows it.
    let planted = victim.cookies.clone();
    victim.log_in("ada", PASSWORD);
    assert_ne!(victim.cookies, planted);

    let mut other = server.browser();
    other.cookies = planted;
    assert_eq!(other.get("/profile").to(), "/login");
}

#[test]
fn a_token_from_before_the_log_out_is_worth_nothing_after_it() {
    let server = Server::start();
    let mut browser = server.member("ada");
    let before = browser.cookies.clone();
    browser.log_out();
    assert_ne!(browser.cookies, before);
    browser.cookies = before;
    assert_eq!(browser.get("/profile").to(), "/login");
}

#[test]
fn logging_out_leaves_the_other_browsers_of_the_user() {
    let server = Server::start();
    let (mut one, mut other) = (server.member("ada"), server.browser());
    other.log_in("ada", PASSWORD);
    one.log_out();
    assert_eq!(other.get("/profile").status, 200);
}

#[test]
fn a_session_ends_by_itself_and_is_deleted_at_the_next_log_in() {
    let server = Server::start();
    let mut browser = server.member("ada");
    let over = Utc::now().naive_utc() - TimeDelta::seconds(1);
    server.run(|conn| {
        Ok(diesel::update(sessions::table)
            .set(sessions::expires.eq(over))
            .execute(conn)?)
    });
    assert_eq!(browser.get("/profile").to(), "/login");

    browser.log_in("ada", PASSWORD);
    let left: Vec<i32> = server.run(|conn| Ok(sessions::table.select(sessions::id).load(conn)?));
    assert_eq!(left, [2]);
}

#[test]
fn a_cookie_that_was_not_signed_here_is_no_token() {
    let server = Server::start();
    let mut browser = server.member("ada");
    let session = browser.cookies.get_mut("session").expect("it has one");
    let forged = session.pop().expect("text");
    session.push(if forged == 'A' { 'B' } else { 'A' });
    session.insert(0, 'A');
    assert_eq!(browser.get("/profile").to(), "/login");
}

#[test]
fn the_table_of_sessions_holds_no_token() {
    let server = Server::start();
    let browser = server.member("ada");
    let stored: String =
        server.run(|conn| Ok(sessions::table.select(sessions::token_hash).first(conn)?));
    assert!(!browser.cookies["session"].contains(&stored));
    let mut thief = server.browser();
    thief.cookies.insert("session".into(), stored);
    assert_eq!(thief.get("/profile").to(), "/login");
}
