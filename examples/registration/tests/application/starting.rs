//! The program starts with nothing but a folder, says where it listens, and says what is wrong with what it was told.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::common::{Browser, PASSWORD};

fn program(folder: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_registration"));
    program
        .env_clear()
        .env("REGISTRATION_FOLDER", folder)
        .env("REGISTRATION_ADDRESS", "127.0.0.1:0")
        .env("REGISTRATION_HASHING", "8,1");
    program
}

/// A program that is killed when the test is over, however it ends.
struct Running {
    child: Child,
    url: String,
}

impl Running {
    fn start(folder: &Path) -> Self {
        let mut child = program(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let url = line.trim().trim_end_matches('/').to_owned();
        Running { child, url }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn it_prints_its_address_and_sessions_outlive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let first = Running::start(&data);
    assert!(first.url.starts_with("http://127.0.0.1:"), "{}", first.url);
    let mut browser = Browser::new(&first.url);
    assert_eq!(browser.register("ada").status, 303);
    drop(first);

    let second = Running::start(&data);
    let mut later = Browser::new(&second.url);
    later.cookies = browser.cookies;
    assert_eq!(
        later.get("/profile").text("username").as_deref(),
        Some("ada")
    );
    assert_eq!(later.log_out().status, 303);
    assert_eq!(later.log_in("ada", PASSWORD).status, 303);
}

#[test]
fn an_administrator_is_made_at_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = Running::start(folder.path());
    let mut browser = Browser::new(&running.url);
    browser.register("ada");
    assert_eq!(browser.get("/admin").status, 403);
    let make = |name: &str| {
        let output = program(folder.path()).args(["make-admin", name]).output();
        output.expect("it runs")
    };
    let made = make("Ada");
    assert!(made.status.success(), "{made:?}");
    assert_eq!(browser.get("/admin").status, 200);
    assert!(
        browser
            .get("/admin/audit-entries")
            .body
            .contains("make-admin")
    );
    let unknown = make("eve");
    assert!(!unknown.status.success());
}

#[test]
fn what_it_was_told_wrongly_it_names() {
    let folder = tempfile::tempdir().expect("a folder");
    for (variable, value, expected) in [
        (
            "REGISTRATION_ADDRESS",
            "here",
            "REGISTRATION_ADDRESS is \"here\", which is not an address",
        ),
        (
            "REGISTRATION_CONNECTIONS",
            "many",
            "which is not a number above 0",
        ),
        (
            "REGISTRATION_CONNECTIONS",
            "0",
            "which is not a number above 0",
        ),
        (
            "REGISTRATION_SECURE_COOKIES",
            "maybe",
            "which is not true or false",
        ),
        (
            "REGISTRATION_HASHING",
            "1",
            "which is not kibibytes and rounds",
        ),
        (
            "DATABASE_URL",
            "/nowhere/at.all",
            "cannot connect to the database",
        ),
    ] {
        let output = program(folder.path()).env(variable, value).output();
        let output = output.expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(expected),
            "{variable}: {said}"
        );
    }
}

#[cfg(not(feature = "postgres"))]
#[test]
fn without_the_feature_a_url_of_postgresql_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = "postgres://localhost/registration";
    let output = program(folder.path()).env("DATABASE_URL", url).output();
    let said = String::from_utf8(output.expect("it runs").stderr).expect("text");
    assert!(said.contains("run it with `--features postgres`"), "{said}");
}

#[cfg(feature = "postgres")]
#[test]
fn a_server_that_is_not_there_is_an_error_that_says_so_without_the_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = "postgres://ada:secret@127.0.0.1:1/registration";
    let output = program(folder.path()).env("DATABASE_URL", url).output();
    let said = String::from_utf8(output.expect("it runs").stderr).expect("text");
    assert!(said.contains("connection to server at"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_its_folder() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let _running = Running::start(&data);
    let mode = |path: &Path| {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("cookie.key")), 0o600);
}
