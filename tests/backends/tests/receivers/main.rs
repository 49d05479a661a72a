//! What receivers and callbacks may do, and when they are called, on every database.
#![allow(missing_docs, reason = "schema modules are generated")]

mod failing_callbacks;
mod muting;
mod panics;
mod receiver_options;
mod scopes;
