//! `/admin` shows every row with those that it belongs to, and creates and deletes rows as the application does.

use crate::common::{PASSWORD, Server};

const SECTIONS: [&str; 6] = [
    "users",
    "persons",
    "employees",
    "employee-profiles",
    "sessions",
    "audit-entries",
];

#[test]
fn it_is_for_administrators_alone() {
    let server = Server::start();
    let (mut visitor, mut member) = (server.browser(), server.member("ada"));
    let of_sections = SECTIONS.map(|it| format!("/admin/{it}"));
    let others = [
        "/admin",
        "/admin/picture.svg",
        "/admin/users/new",
        "/admin/users/1/delete",
    ];
    for path in of_sections.iter().map(String::as_str).chain(others) {
        assert_eq!(visitor.get(path).to(), "/login", "{path}");
        let refused = member.get(path);
        assert_eq!(refused.status, 403, "{path}");
        assert_eq!(
            refused.text("message").as_deref(),
            Some("This page is for administrators.")
        );
    }
    let token = member.get("/").token();
    let page = member.post("/admin/users/1/delete", &[("csrf", &token)]);
    assert_eq!((page.status, server.users().len()), (403, 1));
    assert!(member.get("/").tag("nav-admin").is_none());
}

#[test]
fn it_shows_the_registry_and_the_picture() {
    let server = Server::start();
    let mut admin = server.admin();
    let page = admin.get("/admin");
    let registry = page.text("registry").expect("a table");
    for text in [
        "welcome mail",
        "PreSave&lt;User&gt;",
        "EmployeeProfile.employee_id",
    ] {
        assert!(
            registry.contains(&text.replace("&lt;", "<").replace("&gt;", ">")),
            "{registry}"
        );
    }
    assert!(
        page.tag("picture")
            .unwrap()
            .contains(r#"src="/admin/picture.svg""#)
    );
    assert!(
        page.text("requests")
            .unwrap()
            .contains("requests since the start")
    );

    let picture = admin.get("/admin/picture.svg");
    assert_eq!(picture.header("content-type"), "image/svg+xml");
    assert!(picture.body.starts_with("<svg") && picture.body.contains("EmployeeProfile"));
}

#[test]
fn each_row_stands_there_with_links_to_those_that_it_belongs_to() {
    let server = Server::start();
    let mut admin = server.admin();
    server.member("ada");
    let employee = server.hire("ada");
    let ada = server.user("ada").id;

    let page = admin.get("/admin/users");
    let row = page.text(&format!("row-{ada}")).expect("a row");
    assert!(
        row.contains("ada@example.org")
            && row.contains(&format!("person {ada}, employee 1, session 2")),
        "{row}"
    );

    for (path, id, expected) in [
        ("/admin/persons", ada, format!("user {ada}")),
        (
            "/admin/employees",
            employee.id,
            format!("Engineer user {ada}, employee profile 1"),
        ),
        ("/admin/employee-profiles", 1, "employee 1".into()),
        ("/admin/sessions", 2, format!("user {ada}")),
    ] {
        let page = admin.get(path);
        let row = page
            .text(&format!("row-{id}"))
            .unwrap_or_else(|| panic!("{}", page.body));
        assert!(row.contains(&expected), "{row}");
        assert!(page.body.contains(r#"scope="col">Related"#));
    }
    let one = admin.get(&format!("/admin/users?id={ada}"));
    assert!(one.text(&format!("row-{ada}")).is_some() && one.text("row-1").is_none());
    let entries = admin.get("/admin/audit-entries");
    assert!(entries.body.contains("a visitor") && entries.body.contains("test"));
    for nothing in [
        "users?id=99",
        "users?id=ada",
        "users/99/delete",
        "users/ada/delete",
    ] {
        let page = admin.get(&format!("/admin/{nothing}"));
        assert_eq!(page.status, 404, "{nothing}");
        assert!(page.text("message").is_some());
    }
}

#[test]
fn many_rows_come_in_pages_the_newest_first() {
    let server = Server::start();
    let mut admin = server.admin();
    let account = server.account("template");
    for number in 0..60 {
        let mut account = account.clone();
        account.username = format!("ada{number}");
        account.email = format!("{number}@example.org");
        server.run(|conn| registration::accounts::register(conn, &account));
    }
    let page = admin.get("/admin/users");
    assert!(page.text("row-61").is_some() && page.text("row-11").is_none());
    assert!(page.tag("older").is_some() && page.tag("newer").is_none());
    let page = admin.get("/admin/users?page=1");
    assert!(page.text("row-11").is_some() && page.text("row-12").is_none());
    assert!(page.tag("older").is_none() && page.tag("newer").is_some());
}

#[test]
fn a_user_is_created_as_one_who_registers_with_the_administrator_as_who_acts() {
    let server = Server::start();
    let mut admin = server.admin();
    let typed = [
        ("username", "Ada"),
        ("email", "ada@example.org"),
        ("password", PASSWORD),
        ("password_again", PASSWORD),
        ("chat_handle", "@ada"),
    ];
    let page = admin.submit("/admin/users/new", &typed);
    assert_eq!(page.to(), "/admin/users?notice=row-created");
    assert_eq!(server.persons()[1].chat_handle.as_deref(), Some("@ada"));
    assert_eq!(server.mails().len(), 2);
    assert!(server.audit().contains(&"root created User 2".into()));
    assert_eq!(server.browser().log_in("ada", PASSWORD).status, 303);

    let mut again = typed;
    again[1] = ("email", "other@example.org");
    let page = admin.submit("/admin/users/new", &again);
    assert_eq!(page.status, 422);
    assert_eq!(
        page.error("username").as_deref(),
        Some("This user name is taken.")
    );
}

#[test]
fn an_employee_is_created_with_its_profile_and_each_bad_input_is_told() {
    let server = Server::start();
    let mut admin = server.admin();
    server.member("ada");
    let new = "/admin/employees/new";
    let page = admin.submit(new, &[("username", "nobody"), ("title", "Engineer")]);
    assert_eq!(
        page.error("username").as_deref(),
        Some("There is no such user.")
    );
    assert_eq!(page.typed("title"), "Engineer");
    let page = admin.submit(new, &[("username", "ada"), ("title", " ")]);
    assert_eq!(
        page.error("title").as_deref(),
        Some("This has to be filled in.")
    );

    let right = [("username", "Ada"), ("title", "Engineer")];
    assert_eq!(
        admin.submit(new, &right).to(),
        "/admin/employees?notice=row-created"
    );
    assert!(
        admin
            .get("/admin/employee-profiles")
            .text("row-1")
            .is_some()
    );
    let page = admin.submit(new, &right);
    assert_eq!(
        page.error("username").as_deref(),
        Some("This user is an employee already.")
    );

    let new = "/admin/employee-profiles/new";
    let page = admin.submit(new, &[("employee_id", "one")]);
    assert_eq!(
        page.error("employee_id").as_deref(),
        Some("Write the number of the row.")
    );
    let page = admin.submit(new, &[("employee_id", "9")]);
    assert_eq!(
        page.error("employee_id").as_deref(),
        Some("There is no such employee.")
    );
    let page = admin.submit(new, &[("employee_id", "1")]);
    assert_eq!(
        page.error("employee_id").as_deref(),
        Some("This employee has a profile already.")
    );
}

#[test]
fn a_delete_is_shown_before_it_is_confirmed_and_then_done() {
    let server = Server::start();
    let mut admin = server.admin();
    server.member("ada");
    let before = server.audit();
    let page = admin.get("/admin/users/2/delete");
    assert_eq!(page.text("total").as_deref(), Some("3 rows would go:"));
    let plan = page.text("plan").expect("a tree");
    for line in [
        "delete 1 User (2)",
        "Person.user_id: delete 1 Person (2)",
        "heard by",
    ] {
        assert!(plan.contains(line), "{plan}");
    }
    assert_eq!(
        (server.users().len(), server.audit()),
        (2, before),
        "it was a dry run"
    );

    assert_eq!(
        admin.submit("/admin/users/2/delete", &[]).to(),
        "/admin/users?notice=row-deleted"
    );
    assert_eq!((server.users().len(), server.persons().len()), (1, 1));
    assert!(server.audit().contains(&"root deleted User 2".into()));
    assert_eq!(admin.get("/admin/users/2/delete").status, 404);
}

#[test]
fn a_delete_that_is_refused_says_by_what_before_and_after() {
    let server = Server::start();
    let mut admin = server.admin();
    server.member("ada");
    server.hire("ada");
    let page = admin.get("/admin/users/2/delete");
    assert_eq!(
        page.text("total").as_deref(),
        Some("This would be refused:")
    );
    assert!(
        page.text("plan")
            .unwrap()
            .contains("PROTECTED by 1 EmployeeProfile (1)")
    );

    let page = admin.submit("/admin/users/2/delete", &[]);
    assert_eq!(page.status, 409);
    let refused = page.text("refused").expect("a message");
    assert_eq!(
        refused,
        "This still needs it: employee profile 1. Delete that first."
    );

    for path in ["/admin/employee-profiles/1/delete", "/admin/users/2/delete"] {
        assert_eq!(admin.submit(path, &[]).status, 303);
    }
    assert_eq!(
        admin.get("/admin/employees").text("empty").as_deref(),
        Some("There are none.")
    );
}

#[test]
fn a_session_that_is_deleted_logs_its_browser_out() {
    let server = Server::start();
    let mut admin = server.admin();
    let mut ada = server.member("ada");
    admin.submit("/admin/sessions/2/delete", &[]);
    assert_eq!(ada.get("/profile").to(), "/login");
    assert_eq!(admin.get("/admin").status, 200);
}

#[test]
fn persons_and_entries_can_only_be_read() {
    let server = Server::start();
    let mut admin = server.admin();
    for section in ["persons", "audit-entries"] {
        let page = admin.get(&format!("/admin/{section}"));
        assert!(page.tag("new").is_none() && page.tag("delete-1").is_none());
        for path in ["new", "1/delete"] {
            assert_eq!(admin.get(&format!("/admin/{section}/{path}")).status, 404);
        }
    }
}
