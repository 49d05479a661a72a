//! What receivers do in one test and not in another.

#[allow(unused_imports, reason = "each test file uses a part of it")]
pub(crate) use backends::script::{LOG, counted, heard, on_event};
