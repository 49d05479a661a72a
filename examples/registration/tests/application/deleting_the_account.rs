//! An account goes with all that belongs to it, unless something in it is protected.

use crate::common::{PASSWORD, Server};
use diesel::prelude::*;
use diesel_hooks::Model as _;
use registration::models::{Employee, EmployeeProfile};
use registration::schema::{employees, sessions};

#[test]
fn the_account_goes_with_its_person_and_its_sessions() {
    let server = Server::start();
    let mut browser = server.member("ada");
    server.browser().log_in("ada", PASSWORD);
    server.member("grace");

    assert_eq!(browser.get("/account/delete").status, 200);
    assert_eq!(
        browser.submit("/account/delete", &[]).to(),
        "/?notice=account-deleted"
    );
    let page = browser.get("/?notice=account-deleted");
    assert_eq!(
        page.text("notice").as_deref(),
        Some("Your account is deleted.")
    );
    assert_eq!(browser.get("/profile").to(), "/login");

    let names: Vec<_> = server.users().into_iter().map(|it| it.username).collect();
    assert_eq!(names, ["grace"]);
    assert_eq!(server.persons().len(), 1);
    let left: i64 = server.run(|conn| Ok(sessions::table.count().get_result(conn)?));
    assert_eq!(left, 1);
    assert_eq!(browser.log_in("ada", PASSWORD).status, 422);
    assert_eq!(browser.register("ada").status, 303);
}

#[test]
fn while_an_employee_profile_protects_it_the_account_stays_and_the_page_says_why() {
    let server = Server::start();
    let mut browser = server.member("ada");
    let employee = server.hire("ada");
    let before = server.audit();

    let page = browser.submit("/account/delete", &[]);
    assert_eq!(page.status, 409);
    let refused = page.text("refused").expect("a message");
    assert!(
        refused.starts_with("This still needs it: employee profile 1."),
        "{refused}"
    );
    assert!(
        page.text("errors")
            .unwrap()
            .starts_with("Your account cannot be deleted yet")
    );
    assert_eq!(browser.get("/profile").status, 200, "still logged in");
    assert_eq!(server.audit(), before, "nothing was written");

    server.run(|conn| {
        employee.profile(conn)?.delete(conn)?;
        Ok(())
    });
    assert_eq!(
        browser.submit("/account/delete", &[]).to(),
        "/?notice=account-deleted"
    );
    let left: Vec<Employee> = server.run(|conn| Ok(employees::table.load(conn)?));
    assert!(server.users().is_empty() && left.is_empty());
}

#[test]
fn without_the_form_nothing_is_deleted() {
    let server = Server::start();
    let mut browser = server.member("ada");
    assert_eq!(browser.post("/account/delete", &[]).status, 403);
    assert_eq!(server.users().len(), 1);
    let mut visitor = server.browser();
    assert_eq!(visitor.get("/account/delete").to(), "/login");
}

#[test]
fn an_employee_has_a_profile_from_the_beginning() {
    let server = Server::start();
    server.member("ada");
    let employee = server.hire("ada");
    let profile: EmployeeProfile = server.run(|conn| Ok(employee.profile(conn)?));
    assert_eq!((profile.employee_id, profile.office), (employee.id, None));
}
