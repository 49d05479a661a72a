use std::env;
use std::fs;
use std::path::PathBuf;

use thirtyfour::cdp::domains::emulation::{MediaFeature, SetEmulatedMedia};

use crate::common::Server;
use crate::window::{DESKTOP, Window};

impl Window {
    /// Keeps a picture of the whole page in both colour schemes, and complains of what is wrong with its looks, or with what
    /// the browser says of it.
    pub(crate) fn look(&self, name: &str) {
        for scheme in ["light", "dark"] {
            self.prefer(scheme);
            let height: u32 = self.ask("return document.documentElement.scrollHeight");
            self.resize(height);
            let file = format!("{name}-{}-{scheme}.png", self.size.name);
            self.wait(self.driver.screenshot(&folder().join(file)));
            self.resize(self.size.height);
            self.complain(
                &format!("{name} ({scheme})"),
                self.ask(include_str!("looks.js")),
            );
        }
        self.prefer("light");
        self.complain(name, self.console());
    }

    fn complain(&self, what: &str, complaints: Vec<String>) {
        assert!(
            complaints.is_empty(),
            "{what} on a {}: {complaints:#?}",
            self.size.name
        );
    }

    fn prefer(&self, scheme: &str) {
        let media = SetEmulatedMedia {
            media: None,
            features: Some(vec![MediaFeature {
                name: "prefers-color-scheme".into(),
                value: scheme.into(),
            }]),
        };
        self.wait(self.driver.cdp().send(media));
    }

    /// What the browser has said since it was asked last, but for the status of this page where an error is right.
    fn console(&self) -> Vec<String> {
        let status = format!("the server responded with a status of {}", self.status());
        let entries = self.wait(self.driver.browser_log());
        let messages = entries.into_iter().map(|it| it.message);
        messages.filter(|it| !it.contains(&status)).collect()
    }
}

fn folder() -> PathBuf {
    let folder = env::var_os("REGISTRATION_SCREENSHOTS").filter(|it| !it.is_empty());
    let folder = folder.map_or_else(
        || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots"),
        PathBuf::from,
    );
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn what_is_wrong_with_a_page_is_complained_of() {
    let server = Server::start();
    let window = Window::open(&server.url, DESKTOP);
    window.go("/login");
    assert_eq!(window.ask::<Vec<String>>(include_str!("looks.js")), [""; 0]);
    window.ask::<()>(
        "const page = document.getElementById('main');
         page.style.minWidth = '2000px';
         document.querySelector('h1').style.color = '#aaa';
         document.querySelector('label').remove();
         document.getElementById('password').id = 'username';
         document.getElementById('submit').style = 'min-height: 0; height: 20px; padding: 0';",
    );
    assert_eq!(
        window.ask::<Vec<String>>(include_str!("looks.js")),
        [
            "the page is 2000 px wide and the window 1100",
            "the contrast of \"Log in\" is 2.3",
            "two elements are called username",
            "username has no label",
            "username has no label",
            "submit is only 20 px high",
        ]
    );
}

#[test]
fn a_script_in_a_page_is_stopped_and_the_browser_says_so() {
    let server = Server::start();
    let window = Window::open(&server.url, DESKTOP);
    window.go("/");
    assert_eq!(window.console(), [""; 0]);
    window.ask::<()>(
        "const script = document.createElement('script');
         script.textContent = 'document.title = \"planted\"';
         document.body.append(script);",
    );
    let said = window.console();
    assert!(
        said.len() == 1 && said[0].contains("Content Security Policy"),
        "{said:?}"
    );
    assert_ne!(window.ask::<String>("return document.title"), "planted");
}
