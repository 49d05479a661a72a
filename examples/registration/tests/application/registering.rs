//! Who registers has a user and a person at once, is logged in, and is told beside each field what is not right.

use crate::common::{PASSWORD, Server};

#[test]
fn a_user_and_the_person_that_extends_it_come_into_being_together_and_are_logged_in() {
    let server = Server::start();
    let mut browser = server.browser();
    let page = browser.register_with(&[
        ("birthdate", "1990-12-10"),
        ("chat_handle", "@ada"),
        ("phone", "+44 20 7946 0018"),
    ]);
    assert_eq!(page.to(), "/profile?notice=registered");

    let page = browser.get(page.to());
    assert_eq!(page.status, 200);
    let told = [
        "username",
        "email",
        "birthdate",
        "chat_handle",
        "meeting_handle",
        "phone",
    ];
    assert_eq!(
        told.map(|id| page.text(id).unwrap()),
        [
            "ada",
            "ada@example.org",
            "1990-12-10",
            "@ada",
            "not told",
            "+442079460018"
        ],
    );
    assert_eq!(
        page.text("notice").as_deref(),
        Some("Your account is ready. Welcome!")
    );

    let (users, persons) = (server.users(), server.persons());
    assert_eq!((users.len(), persons.len()), (1, 1));
    assert_eq!(users[0].id, persons[0].user_id);
    assert_eq!(persons[0].chat_handle.as_deref(), Some("@ada"));
}

#[test]
fn what_is_optional_can_be_left_out() {
    let server = Server::start();
    server.member("ada");
    let person = &server.persons()[0];
    assert_eq!(
        (person.birthdate, &person.chat_handle, &person.phone),
        (None, &None, &None)
    );
}

#[test]
fn who_is_logged_in_is_sent_to_the_profile_instead() {
    let server = Server::start();
    let mut browser = server.member("ada");
    for path in ["/register", "/login"] {
        assert_eq!(browser.get(path).to(), "/profile");
    }
}

/// A field, what is typed there, and what is said beside it.
const BAD: &[(&str, &str, &str)] = &[
    ("username", "", "Choose a user name of 3 to 30 characters."),
    (
        "username",
        "  a ",
        "Choose a user name of 3 to 30 characters.",
    ),
    (
        "username",
        "a123456789012345678901234567890",
        "Choose a user name of 3 to 30 characters.",
    ),
    (
        "username",
        "ada lovelace",
        "A user name begins with a letter and has letters, digits, dots, hyphens and underscores.",
    ),
    (
        "username",
        "1ada",
        "A user name begins with a letter and has letters, digits, dots, hyphens and underscores.",
    ),
    (
        "email",
        "",
        "Write an e-mail address, such as name@example.org.",
    ),
    (
        "email",
        "ada",
        "Write an e-mail address, such as name@example.org.",
    ),
    (
        "email",
        "ada@",
        "Write an e-mail address, such as name@example.org.",
    ),
    (
        "email",
        "ada@example.org\nBcc: all",
        "Write an e-mail address, such as name@example.org.",
    ),
    (
        "password",
        "",
        "Choose a password of at least 8 characters.",
    ),
    (
        "password",
        "short",
        "Choose a password of at least 8 characters.",
    ),
    (
        "password_again",
        "correct hose",
        "This is not the same password as above.",
    ),
    (
        "birthdate",
        "10.12.1815",
        "Write the date as year-month-day, such as 1990-12-31.",
    ),
    (
        "birthdate",
        "1999-02-30",
        "Write the date as year-month-day, such as 1990-12-31.",
    ),
    ("birthdate", "1815-12-10", "Write a date after 1900."),
    ("birthdate", "2999-01-01", "This date is in the future."),
    ("chat_handle", "ada lovelace", "A handle has no spaces."),
    (
        "phone",
        "12",
        "Write a phone number with its country, such as +44 20 7946 0018.",
    ),
    (
        "phone",
        "020 7946 0018",
        "Write a phone number with its country, such as +44 20 7946 0018.",
    ),
    (
        "phone",
        "call me",
        "Write a phone number with its country, such as +44 20 7946 0018.",
    ),
];

#[test]
fn each_bad_input_has_its_message_beside_its_field_and_keeps_what_was_typed() {
    let server = Server::start();
    let mut browser = server.browser();
    for (field, typed, message) in BAD {
        let page = browser.register_with(&[("chat_handle", "@ada"), (field, typed)]);
        assert_eq!(page.status, 422, "{field}: {typed}");
        assert_eq!(
            page.error(field).as_deref(),
            Some(*message),
            "{field}: {typed}"
        );
        assert!(
            page.text("errors").unwrap().contains(message),
            "the summary says it too"
        );
        assert!(page.tag("errors").unwrap().contains("autofocus"));

        let expected = [
            ("username", "ada"),
            ("email", "ada@example.org"),
            ("chat_handle", "@ada"),
        ];
        for (other, kept) in expected {
            let kept = if other == *field { typed } else { kept };
            assert_eq!(page.typed(other), *kept, "after {field}: {typed}");
        }
        for password in ["password", "password_again"] {
            assert_eq!(page.typed(password), "");
        }
        assert!(!page.body.contains(PASSWORD) && !page.body.contains("correct hose"));
    }
    assert_eq!((server.users().len(), server.persons().len()), (0, 0));
    assert!(server.mails().is_empty() && server.audit().is_empty());
}

#[test]
fn several_bad_inputs_are_all_told_at_once_in_the_order_of_the_fields() {
    let server = Server::start();
    let page = server
        .browser()
        .register_with(&[("username", ""), ("email", ""), ("phone", "1")]);
    let summary = page.text("errors").unwrap();
    let at = |text: &str| {
        summary
            .find(text)
            .unwrap_or_else(|| panic!("{summary}: {text}"))
    };
    assert!(summary.starts_with("3 fields are not right yet"));
    assert!(at("User name:") < at("E-mail:") && at("E-mail:") < at("Phone:"));
}

#[test]
fn a_password_that_would_take_long_to_hash_is_refused() {
    let server = Server::start();
    let long = "x".repeat(129);
    let page = server
        .browser()
        .register_with(&[("password", &long), ("password_again", &long)]);
    let message = "Choose a password of at most 128 characters.";
    assert_eq!(page.error("password").as_deref(), Some(message));
}

#[test]
fn a_form_without_a_field_is_one_in_which_nothing_was_typed() {
    let server = Server::start();
    let page = server.browser().submit("/register", &[]);
    assert_eq!(page.status, 422);
    assert!(page.error("username").is_some() && page.error("password").is_some());
}

#[test]
fn a_name_and_an_address_that_are_taken_are_told_however_they_are_spelt() {
    let server = Server::start();
    server.member("ada");
    let mut browser = server.browser();

    let page = browser.register_with(&[("username", " ADA "), ("email", "other@example.org")]);
    assert_eq!(page.status, 422);
    assert_eq!(
        page.error("username").as_deref(),
        Some("This user name is taken.")
    );
    assert_eq!(page.typed("username"), " ADA ");

    let page = browser.register_with(&[("username", "other"), ("email", "Ada@Example.ORG")]);
    assert_eq!(page.status, 422);
    let message = "There is an account with this e-mail address.";
    assert_eq!(page.error("email").as_deref(), Some(message));
    assert_eq!((server.users().len(), server.persons().len()), (1, 1));
    assert_eq!(server.mails().len(), 1);
}

#[test]
fn what_was_typed_is_shown_as_text_whatever_it_is() {
    let server = Server::start();
    let typed = r#""><script>alert('1')</script>&amp;"#;
    let page = server.browser().register_with(&[("username", typed)]);
    assert_eq!(page.typed("username"), typed);
    assert!(!page.body.contains("<script"));
}
