//! What happens to an account from its beginning to its end, as people see it.

use crate::common::{PASSWORD, Server};
use crate::window::{DESKTOP, PHONE, Size, Window};

#[test]
fn on_a_phone_an_account_is_made_used_kept_and_deleted() {
    play(PHONE);
}

#[test]
fn on_a_desktop_an_account_is_made_used_kept_and_deleted() {
    play(DESKTOP);
}

fn play(size: Size) {
    let server = Server::start();
    server.admin();
    let window = Window::open(&server.url, size);
    ada_registers(&window);
    ada_edits_her_profile(&window);
    ada_logs_out_and_in(&window);
    root_looks_around(&window);
    root_hires_ada(&window);
    ada_cannot_delete_her_account(&window);
    root_deletes_what_protects_it(&window);
    ada_deletes_her_account(&window);

    let names: Vec<_> = server.users().into_iter().map(|it| it.username).collect();
    assert_eq!((names, server.persons().len()), (vec!["root".into()], 1));
    let audit = server.audit();
    for line in [
        "a visitor created User 2",
        "ada updated Person 2",
        "root created EmployeeProfile 1",
        "root deleted EmployeeProfile 1",
        "ada deleted User 2",
    ] {
        assert!(audit.contains(&line.into()), "{line}: {audit:#?}");
    }
}

/// A field, what is wrong in it, and what is said of that.
const WRONG: [(&str, &str, &str); 7] = [
    ("username", "a", "Choose a user name of 3 to 30 characters."),
    (
        "email",
        "ada",
        "Write an e-mail address, such as name@example.org.",
    ),
    (
        "password",
        "short",
        "Choose a password of at least 8 characters.",
    ),
    (
        "password_again",
        "other",
        "This is not the same password as above.",
    ),
    ("birthdate", "2999-01-01", "This date is in the future."),
    ("chat_handle", "ada lovelace", "A handle has no spaces."),
    (
        "phone",
        "12",
        "Write a phone number with its country, such as +44 20 7946 0018.",
    ),
];

fn ada_registers(window: &Window) {
    window.go("/");
    window.look("home");
    window.press("go-register");
    window.look("register");
    window.write(&WRONG.map(|(field, typed, _)| (field, typed)));
    window.press_in_vain("submit", 422);
    for (field, typed, message) in WRONG {
        assert_eq!(window.message(field), message);
        let kept = if field.starts_with("password") {
            ""
        } else {
            typed
        };
        assert_eq!(window.typed(field), kept);
    }
    assert!(
        window
            .text("errors")
            .starts_with("7 fields are not right yet")
    );
    window.look("register-refused");

    let passwords = [("password", PASSWORD), ("password_again", PASSWORD)];
    window.write(&passwords);
    window.write(&[
        ("username", "Root"),
        ("email", "ada@example.org"),
        ("birthdate", "1990-12-10"),
        ("chat_handle", "@ada"),
        ("phone", "+44 20 7946 0018"),
    ]);
    window.press_in_vain("submit", 422);
    assert_eq!(window.message("username"), "This user name is taken.");
    window.look("register-taken");

    window.write(&passwords);
    window.write(&[("username", "Ada")]);
    window.press("submit");
    assert_eq!(window.text("notice"), "Your account is ready. Welcome!");
    for (id, text) in [
        ("username", "ada"),
        ("email", "ada@example.org"),
        ("birthdate", "1990-12-10"),
        ("chat_handle", "@ada"),
        ("meeting_handle", "not told"),
        ("phone", "+442079460018"),
    ] {
        assert_eq!(window.text(id), text);
    }
    window.look("profile");
}

fn ada_edits_her_profile(window: &Window) {
    window.press("edit");
    assert_eq!(window.typed("birthdate"), "1990-12-10");
    window.write(&[("email", "nowhere"), ("meeting_handle", "ada.meets")]);
    window.press_in_vain("submit", 422);
    assert_eq!(
        window.message("email"),
        "Write an e-mail address, such as name@example.org."
    );
    assert_eq!(window.typed("meeting_handle"), "ada.meets");
    window.look("edit-refused");
    window.write(&[("email", "lovelace@example.org")]);
    window.press("submit");
    assert_eq!(window.text("notice"), "Your profile is saved.");
    assert_eq!(window.text("email"), "lovelace@example.org");
    assert_eq!(window.text("meeting_handle"), "ada.meets");
    window.look("profile-edited");
}

fn ada_logs_out_and_in(window: &Window) {
    window.press("logout-button");
    assert_eq!(window.text("notice"), "You are logged out.");
    assert!(window.has("nav-login") && !window.has("nav-profile"));
    window.go("/profile");
    assert_eq!(window.path(), "/login");
    window.write(&[("username", "ada"), ("password", "wrong horse")]);
    window.press_in_vain("submit", 422);
    let message = "This user name and this password do not belong together.";
    assert_eq!(window.message("password"), message);
    assert_eq!(window.typed("username"), "ada");
    window.look("login-refused");
    window.log_in("ada", PASSWORD);
    assert_eq!(window.text("notice"), "You are logged in.");
    assert!(!window.has("nav-admin"));
    window.go_in_vain("/admin", 403);
    window.look("not-for-her");
}

fn root_looks_around(window: &Window) {
    window.go("/");
    window.hand_to("root", PASSWORD);
    window.press("nav-admin");
    let drawn: u32 = window.ask("return document.getElementById('picture').naturalWidth");
    assert!(drawn > 0, "the picture is loaded");
    assert!(window.text("registry").contains("welcome mail"));
    window.look("admin");
    window.go("/admin/picture.svg");
    window.look("picture");
    for section in ["users", "persons", "sessions", "audit-entries"] {
        window.go(&format!("/admin/{section}"));
        assert!(window.has("rows"));
        window.look(section);
    }
    window.go("/admin/employees");
    assert_eq!(window.text("empty"), "There are none.");
    window.look("employees-none");
}

fn root_hires_ada(window: &Window) {
    window.press("new");
    window.write(&[("username", "nobody"), ("title", "Engineer")]);
    window.press_in_vain("submit", 422);
    assert_eq!(window.message("username"), "There is no such user.");
    window.look("employee-refused");
    window.write(&[("username", "ada")]);
    window.press("submit");
    assert_eq!(window.text("notice"), "It is created.");
    assert!(window.text("row-1").contains("employee profile 1"));
    window.look("employees");
    window.go("/admin/users/2/delete");
    assert_eq!(window.text("total"), "This would be refused:");
    assert!(
        window
            .text("plan")
            .contains("PROTECTED by 1 EmployeeProfile (1)")
    );
    window.look("delete-would-be-refused");
    window.press_in_vain("submit", 409);
    assert_eq!(
        window.text("refused"),
        "This still needs it: employee profile 1. Delete that first."
    );
    window.look("delete-was-refused");
}

fn ada_cannot_delete_her_account(window: &Window) {
    window.hand_to("ada", PASSWORD);
    assert_eq!(
        window.text("title"),
        "Engineer",
        "the page is not the one that was kept"
    );
    window.press("delete");
    window.look("account-delete");
    window.press_in_vain("submit", 409);
    assert!(
        window
            .text("refused")
            .starts_with("This still needs it: employee profile 1.")
    );
    assert_eq!(window.focus(), "errors");
    window.look("account-delete-refused");
    window.press("cancel");
    assert_eq!(window.path(), "/profile");
    window.look("profile-employee");
}

fn root_deletes_what_protects_it(window: &Window) {
    window.hand_to("root", PASSWORD);
    window.go("/admin/employee-profiles");
    window.press("delete-1");
    assert_eq!(window.text("total"), "This row would go:");
    assert!(window.text("plan").contains("delete 1 EmployeeProfile (1)"));
    window.look("delete-employee-profile");
    window.press("submit");
    assert_eq!(window.text("notice"), "It is deleted.");
    window.go("/admin/users/2/delete");
    let total = window.text("total");
    assert!(total.ends_with("rows would go:"), "{total}");
    window.look("delete-user");
    window.press("cancel");
    assert!(window.has("row-2"), "it was a dry run");
}

fn ada_deletes_her_account(window: &Window) {
    window.hand_to("ada", PASSWORD);
    window.press("delete");
    window.press("submit");
    assert_eq!(window.text("notice"), "Your account is deleted.");
    window.look("account-deleted");
    window.go("/login");
    window.write(&[("username", "ada"), ("password", PASSWORD)]);
    window.press_in_vain("submit", 422);
}
