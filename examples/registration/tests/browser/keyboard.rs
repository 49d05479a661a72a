//! Whoever has no mouse gets everywhere.

use thirtyfour::Key;

use crate::common::{PASSWORD, Server};
use crate::window::{DESKTOP, Window};

#[test]
fn the_first_key_offers_to_skip_the_menu() {
    let server = Server::start();
    let window = Window::open(&server.url, DESKTOP);
    window.go("/");
    window.press_keys(Key::Tab);
    assert_eq!(window.focus(), "#main");
    window.look("skip-link");
    window.press_keys(Key::Enter);
    assert_eq!(window.focus(), "main");
    window.press_keys(Key::Tab);
    assert_eq!(window.focus(), "go-register", "the menu is behind it");
}

#[test]
fn after_a_bad_input_the_focus_goes_from_the_summary_to_the_fields() {
    let server = Server::start();
    let window = Window::open(&server.url, DESKTOP);
    window.go("/register");
    window.write(&[
        ("username", "a"),
        ("email", "ada@example.org"),
        ("chat_handle", "a b"),
    ]);
    window.leave_by(|| window.press_keys(Key::Enter));
    assert_eq!(window.status(), 422);
    assert_eq!(window.focus(), "errors");
    for field in ["username", "password", "chat_handle"] {
        window.press_keys(Key::Tab);
        assert_eq!(window.focus(), format!("#{field}"));
    }
    window.press_keys(Key::Enter);
    assert_eq!(window.focus(), "chat_handle");
    window.press_keys(Key::Tab);
    assert_eq!(window.focus(), "phone");
    window.press_keys(Key::Tab);
    assert_eq!(window.focus(), "submit");
}

#[test]
fn who_types_the_whole_form_without_a_mouse_is_registered() {
    let server = Server::start();
    let window = Window::open(&server.url, DESKTOP);
    window.go("/register");
    while window.focus() != "username" {
        window.press_keys(Key::Tab);
    }
    for text in ["ada", "ada@example.org", PASSWORD] {
        window.press_keys(text);
        window.press_keys(Key::Tab);
    }
    window.press_keys(PASSWORD);
    window.leave_by(|| window.press_keys(Key::Enter));
    assert_eq!(
        (window.path().as_str(), window.text("username").as_str()),
        ("/profile", "ada")
    );
}
