//! What keeps visitors from each other's accounts: tokens in forms, cookies, headers, and limits.

use crate::common::{Page, Server};

#[test]
fn every_answer_tells_browsers_what_to_keep_to() {
    let server = Server::start();
    let mut browser = server.member("ada");
    let mut answers: Vec<Page> = [
        "/",
        "/profile",
        "/admin",
        "/nowhere",
        "/register",
        "/style.css",
    ]
    .map(|path| browser.get(path))
    .into();
    answers.push(browser.post("/login", &[]));
    for page in answers {
        let policy = page.header("content-security-policy");
        for rule in [
            "default-src 'none'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert!(["no-store", "public, max-age=3600"].contains(&page.header("cache-control")));
        assert_eq!(page.header("strict-transport-security"), "");
        for inline in ["<script", " style=", "onclick", "onload"] {
            assert!(!page.body.contains(inline), "{inline}");
        }
    }
    assert_eq!(browser.get("/profile").header("cache-control"), "no-store");
    assert_eq!(
        browser.get("/style.css").header("cache-control"),
        "public, max-age=3600"
    );
}

#[test]
fn the_picture_may_have_the_styles_that_it_brings_and_nothing_else() {
    let server = Server::start();
    let picture = server.admin().get("/admin/picture.svg");
    let policy = picture.header("content-security-policy");
    assert_eq!(
        policy,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    );
}

/// Every page that changes something.
const CHANGING: &[&str] = &[
    "/register",
    "/login",
    "/logout",
    "/profile/edit",
    "/account/delete",
    "/admin/users/new",
    "/admin/users/1/delete",
    "/admin/employees/new",
    "/nowhere",
];

#[test]
fn a_form_without_the_browsers_own_token_is_refused_wherever_it_goes() {
    let server = Server::start();
    let foreign = server.browser().get("/register").token();
    let (mut member, mut visitor) = (server.admin(), server.browser());
    visitor.get("/");
    for path in CHANGING {
        for browser in [&mut member, &mut visitor] {
            for fields in [&[][..], &[("csrf", "")], &[("csrf", foreign.as_str())]] {
                let page = browser.post(path, fields);
                assert_eq!(page.status, 403, "{path}");
                assert!(
                    page.text("message")
                        .unwrap()
                        .starts_with("This form is too old")
                );
            }
        }
    }
    assert_eq!(server.users().len(), 1);
    assert_eq!(member.get("/admin").status, 200, "still logged in");
}

#[test]
fn a_token_of_before_the_log_in_is_no_token_after_it() {
    let server = Server::start();
    let mut browser = server.browser();
    let before = browser.get("/register").token();
    browser.register("ada");
    assert_eq!(browser.post("/logout", &[("csrf", &before)]).status, 403);
    assert_eq!(browser.log_out().status, 303);
}

#[test]
fn the_cookie_is_kept_from_scripts_and_from_other_sites() {
    let server = Server::start();
    let page = server.browser().get("/");
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("session="), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=1209600"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "there is no HTTPS here");
    assert!(
        !page
            .body
            .contains(&cookie["session=".len().."session=".len() + 60])
    );
}

#[test]
fn behind_https_the_cookie_is_sent_by_it_alone() {
    let server = Server::with(|config| config.secure_cookies = true);
    let page = server.browser().get("/");
    let cookie = page.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-session=") && cookie.contains("Secure"),
        "{cookie}"
    );
    assert_eq!(page.header("strict-transport-security"), "max-age=31536000");
}

#[test]
fn a_cookie_is_given_once() {
    let server = Server::start();
    let mut browser = server.browser();
    assert_ne!(browser.get("/").header("set-cookie"), "");
    assert_eq!(browser.get("/login").header("set-cookie"), "");
}

#[test]
fn neither_a_password_nor_its_hash_nor_a_token_shows_itself() {
    let server = Server::start();
    let account = server.account("ada");
    let password = registration::password::Password::from(String::from(crate::common::PASSWORD));
    assert!(server.verify(crate::common::PASSWORD, Some(account.password_hash.clone())));
    let token = registration::sessions::Token::from_cookie("secret");
    let shown = format!("{password:?} {account:?} {token:?}");
    assert!(
        shown.contains("Password(..)") && shown.contains("PasswordHash(..)"),
        "{shown}"
    );
    for secret in [crate::common::PASSWORD, "$argon2", "secret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn more_than_a_form_is_refused() {
    let server = Server::start();
    let long = "x".repeat(20_000);
    let page = server.browser().register_with(&[("chat_handle", &long)]);
    assert_eq!(page.status, 413);
}

#[test]
fn what_is_not_there_and_what_cannot_be_asked_for_are_pages_too() {
    let server = Server::start();
    let mut browser = server.browser();
    let page = browser.get("/nowhere");
    assert_eq!(
        (page.status, page.text("message").as_deref()),
        (404, Some("There is nothing here."))
    );
    let token = browser.get("/login").token();
    let page = browser.post("/profile", &[("csrf", &token)]);
    assert_eq!(page.status, 405);
    assert!(page.text("message").is_some());
}

#[test]
fn every_page_has_a_language_a_title_of_its_own_a_label_for_each_input_and_a_way_past_the_menu() {
    let server = Server::start();
    let (mut visitor, mut admin) = (server.browser(), server.admin());
    let mut titles = Vec::new();
    for path in ["/", "/register", "/login"] {
        titles.push(looked_at(&visitor.get(path)));
    }
    let paths = [
        "/profile",
        "/profile/edit",
        "/account/delete",
        "/admin",
        "/admin/users",
        "/admin/users/new",
        "/admin/users/1/delete",
        "/admin/sessions",
    ];
    for path in paths {
        titles.push(looked_at(&admin.get(path)));
    }
    titles.sort();
    let count = titles.len();
    titles.dedup();
    assert_eq!(titles.len(), count);
}

/// Its title.
fn looked_at(page: &Page) -> String {
    let body = &page.body;
    assert!(body.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    assert!(body.contains(r##"<a class="skip" href="#main">"##) && page.tag("main").is_some());
    assert_eq!(body.matches("<h1").count(), 1);
    for input in body
        .split("<input")
        .skip(1)
        .filter(|it| !it.starts_with(" type=\"hidden\""))
    {
        let (_, rest) = input.split_once(" id=\"").expect("an id");
        let id = &rest[..rest.find('"').expect("a whole tag")];
        assert_eq!(
            body.matches(&format!("<label for=\"{id}\">")).count(),
            1,
            "{id}"
        );
    }
    let (_, rest) = body.split_once("<title>").expect("a title");
    rest[..rest.find('<').expect("a whole tag")].into()
}
