//! The application in Chromium: the whole story on a phone and on a desktop, and with the keyboard alone.
//!
//! `scripts/test-browser` runs it. Each page is looked at in light and dark colours, and kept as a picture in the folder
//! that `REGISTRATION_SCREENSHOTS` names.

mod chromedriver;
#[path = "../application/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests over HTTP use the rest")]
mod common;
mod keyboard;
mod looks;
mod story;
mod window;
