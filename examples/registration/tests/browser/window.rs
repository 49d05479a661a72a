use serde::de::DeserializeOwned;
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel};
use tokio::runtime::Runtime;

use crate::chromedriver::Chromedriver;

/// How large a window is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

pub(crate) const PHONE: Size = Size {
    name: "phone",
    width: 375,
    height: 740,
};
pub(crate) const DESKTOP: Size = Size {
    name: "desktop",
    width: 1100,
    height: 700,
};

/// A window of a browser that nobody else uses. It does what people do: it opens pages, types, clicks and reads.
pub(crate) struct Window {
    pub(crate) driver: WebDriver,
    pub(crate) size: Size,
    runtime: Runtime,
    url: String,
    _chromedriver: Chromedriver,
}

impl Window {
    /// With nothing in it; pages will be those of the server at this URL.
    pub(crate) fn open(url: &str, size: Size) -> Self {
        let chromedriver = Chromedriver::start();
        let runtime = Runtime::new().expect("a runtime");
        let driver = WebDriver::new(chromedriver.url.as_str(), capabilities());
        let driver = runtime.block_on(async { driver.await.expect("Chromium starts") });
        let window = Window {
            driver,
            size,
            runtime,
            url: url.into(),
            _chromedriver: chromedriver,
        };
        window.resize(size.height);
        window
    }

    pub(crate) fn wait<T>(&self, what: impl Future<Output = WebDriverResult<T>>) -> T {
        self.runtime
            .block_on(what)
            .unwrap_or_else(|error| panic!("{error}\nat {}", self.path()))
    }

    /// A phone's narrow window cannot be had otherwise.
    pub(crate) fn resize(&self, height: u32) {
        let width = self.size.width;
        let cdp = self.driver.cdp();
        self.wait(
            cdp.emulation()
                .set_device_metrics_override(width, height, 1.0, false),
        );
    }

    /// Opens the page, which is there.
    pub(crate) fn go(&self, path: &str) {
        self.go_in_vain(path, 200);
    }

    /// Opens a page that is answered with this status.
    pub(crate) fn go_in_vain(&self, path: &str, status: u16) {
        self.wait(self.driver.goto(format!("{}{path}", self.url)));
        assert_eq!(self.status(), status, "{path}");
    }

    /// Clicks what leads to another page.
    pub(crate) fn press(&self, id: &str) {
        self.press_in_vain(id, 200);
    }

    /// Clicks what leads to a page with this status.
    pub(crate) fn press_in_vain(&self, id: &str, status: u16) {
        self.leave_by(|| self.wait(self.element(id).click()));
        assert_eq!(self.status(), status, "{id} at {}", self.path());
    }

    /// Does what leads to another page, and waits for that.
    pub(crate) fn leave_by(&self, act: impl FnOnce()) {
        let page = self.wait(self.driver.find(By::Tag("html")));
        act();
        self.wait(page.wait_until().stale());
    }

    /// Types into a field what is to stand there.
    pub(crate) fn write(&self, fields: &[(&str, &str)]) {
        for (field, text) in fields {
            let input = self.element(field);
            self.wait(input.clear());
            let is_date = self.wait(input.attr("type")).as_deref() == Some("date");
            let keys = if is_date {
                month_first(text)
            } else {
                (*text).into()
            };
            self.wait(input.send_keys(keys));
        }
    }

    pub(crate) fn log_in(&self, name: &str, password: &str) {
        self.go("/login");
        self.write(&[("username", name), ("password", password)]);
        self.press("submit");
    }

    /// Logs out, and somebody else in.
    pub(crate) fn hand_to(&self, name: &str, password: &str) {
        self.press("logout-button");
        self.log_in(name, password);
    }

    pub(crate) fn element(&self, id: &str) -> WebElement {
        self.wait(self.driver.find(By::Id(id)))
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        !self.wait(self.driver.find_all(By::Id(id))).is_empty()
    }

    /// What is read there, which has to be visible.
    pub(crate) fn text(&self, id: &str) -> String {
        let text = self.wait(self.element(id).text());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// What stands in a field.
    pub(crate) fn typed(&self, field: &str) -> String {
        self.wait(self.element(field).value()).unwrap_or_default()
    }

    /// What is said of a field, which has to stand between its label and the field.
    pub(crate) fn message(&self, field: &str) -> String {
        let message = self.element(&format!("{field}-error"));
        let label = self.wait(self.driver.find(By::Css(format!("label[for={field}]"))));
        let [label, rect, input] =
            [&label, &message, &self.element(field)].map(|it| self.wait(it.rect()));
        assert!(
            label.y + label.height <= rect.y
                && rect.y + rect.height <= input.y
                && input.y - rect.y < 100.0,
            "{field}: {label:?}, {rect:?}, {input:?}"
        );
        self.wait(message.text())
    }

    /// Presses keys wherever the focus is.
    pub(crate) fn press_keys(&self, keys: impl Into<TypingData>) {
        self.wait(self.driver.action_chain().send_keys(keys).perform());
    }

    /// The id of what has the focus, or else where the link leads that has it.
    pub(crate) fn focus(&self) -> String {
        self.ask("const it = document.activeElement; return it.id || it.getAttribute('href') || it.tagName")
    }

    pub(crate) fn path(&self) -> String {
        let url = self.runtime.block_on(self.driver.current_url());
        url.map(|it| it.path().into()).unwrap_or_default()
    }

    /// Of the page that is shown.
    pub(crate) fn status(&self) -> u16 {
        self.ask("return performance.getEntriesByType('navigation')[0].responseStatus")
    }

    /// What a script answers in the page.
    pub(crate) fn ask<T: DeserializeOwned>(&self, script: &str) -> T {
        let answer = self.wait(self.driver.execute(script, Vec::new()));
        answer.convert().expect("what was asked for")
    }
}

/// `1990-12-31` as it is typed in America, the separators left to the browser.
fn month_first(date: &str) -> String {
    let (year, day) = date.split_once('-').expect("a date");
    format!("{}{year}", day.replace('-', ""))
}

impl Drop for Window {
    /// Chromium would outlive its chromedriver.
    fn drop(&mut self) {
        let quit = self.driver.clone().quit();
        if let Err(error) = self.runtime.block_on(quit) {
            assert!(std::thread::panicking(), "{error}");
        }
    }
}

fn capabilities() -> ChromeCapabilities {
    let mut capabilities = DesiredCapabilities::chrome();
    let arguments = [
        "--headless=new",
        // Root, and the small /dev/shm of a container, would stop it.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--hide-scrollbars",
        "--lang=en-US",
    ];
    for argument in arguments {
        capabilities.add_arg(argument).expect("an argument");
    }
    capabilities
        .set_browser_log_level(LoggingPrefsLogLevel::All)
        .expect("a level");
    capabilities
}
