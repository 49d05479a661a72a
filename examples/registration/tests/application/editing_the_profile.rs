//! What users tell of themselves, they can change; the page shows it at once.

use crate::common::Server;

#[test]
fn what_is_changed_is_shown_and_what_is_emptied_is_gone() {
    let server = Server::start();
    let mut browser = server.member("ada");
    browser.get("/profile");
    let filled = [
        ("email", " Countess@Example.org "),
        ("birthdate", "1990-12-10"),
        ("chat_handle", "@ada"),
        ("meeting_handle", "meet/ada"),
        ("phone", "+1 650-253-0000"),
    ];
    assert_eq!(
        browser.submit("/profile/edit", &filled).to(),
        "/profile?notice=saved"
    );
    let page = browser.get("/profile?notice=saved");
    let shown = [
        "email",
        "birthdate",
        "chat_handle",
        "meeting_handle",
        "phone",
    ];
    assert_eq!(
        shown.map(|id| page.text(id).unwrap()),
        [
            "countess@example.org",
            "1990-12-10",
            "@ada",
            "meet/ada",
            "+16502530000"
        ],
    );
    assert_eq!(
        page.text("notice").as_deref(),
        Some("Your profile is saved.")
    );

    let page = browser.get("/profile/edit");
    assert_eq!(page.typed("email"), "countess@example.org");
    assert_eq!(page.typed("birthdate"), "1990-12-10");
    assert_eq!(page.typed("meeting_handle"), "meet/ada");

    browser.submit(
        "/profile/edit",
        &[("email", "countess@example.org"), ("phone", "")],
    );
    let page = browser.get("/profile");
    assert_eq!(page.text("phone").as_deref(), Some("not told"));
    assert_eq!(server.persons()[0].chat_handle, None);
}

#[test]
fn each_bad_input_has_its_message_beside_its_field_and_nothing_is_saved() {
    let server = Server::start();
    let mut browser = server.member("ada");
    for (field, typed) in [
        ("email", "ada"),
        ("birthdate", "yesterday"),
        ("chat_handle", "two words"),
        ("meeting_handle", "two words"),
        ("phone", "1"),
    ] {
        let mut fields = vec![("email", "new@example.org"), ("chat_handle", "@new")];
        fields.retain(|(it, _)| *it != field);
        fields.push((field, typed));
        let page = browser.submit("/profile/edit", &fields);
        assert_eq!(page.status, 422);
        assert!(page.error(field).is_some(), "{field}");
        for (field, typed) in fields {
            assert_eq!(page.typed(field), typed);
        }
    }
    assert_eq!(server.user("ada").email, "ada@example.org");
    assert_eq!(server.persons()[0].chat_handle, None);
}

#[test]
fn an_address_that_somebody_else_has_is_refused_with_all_that_was_typed() {
    let server = Server::start();
    server.member("grace");
    let mut browser = server.member("ada");
    let typed = [("email", "GRACE@example.org"), ("chat_handle", "@ada")];
    let page = browser.submit("/profile/edit", &typed);
    assert_eq!(page.status, 422);
    let message = "There is an account with this e-mail address.";
    assert_eq!(page.error("email").as_deref(), Some(message));
    assert_eq!(page.typed("chat_handle"), "@ada");
    assert_eq!(server.persons()[1].chat_handle, None);
}

#[test]
fn nobody_changes_the_profile_of_another() {
    let server = Server::start();
    server.member("ada");
    let mut grace = server.member("grace");
    grace.submit(
        "/profile/edit",
        &[("email", "g@example.org"), ("chat_handle", "@g")],
    );
    assert_eq!(server.persons()[0].chat_handle, None);

    let mut visitor = server.browser();
    assert_eq!(visitor.get("/profile/edit").to(), "/login");
    let token = visitor.get("/login").token();
    let fields = [("csrf", token.as_str()), ("email", "x@example.org")];
    assert_eq!(visitor.post("/profile/edit", &fields).to(), "/login");
    assert_eq!(server.user("ada").email, "ada@example.org");
}
