//! What diesel-hooks runs: signals, receivers, the lifecycle of a model, its relations.
//!
//! Applications depend on `diesel-hooks`, which re-exports what they need from here together with the
//! macros. Crates that only extend the library may depend on this one.
//!
//! Reading order: [`signal`] (what is sent), [`receiver`] (who hears it), `lifecycle` (when it is
//! sent), [`relation`] and `collector` (what depends on what), [`connection`] (on what it all runs) and
//! `backend` (what differs between databases).

pub mod check;
pub mod connection;
pub mod error;
pub mod failure;
pub mod model;
pub mod query;
pub mod receiver;
pub mod registry;
pub mod relation;
pub mod signal;
pub mod timestamp;

mod backend;
mod collector;
mod diesel_internals;
mod each;
mod graph;
mod lifecycle;
mod trace;

#[doc(hidden)]
pub mod __private;

pub use crate::check::check;
pub use crate::collector::{DeletePlan, Deleted};
pub use crate::connection::{
    Capture, Guard, HookConnection, HookConnectionExt, RawConnection, retry, set_instrumentation,
};
pub use crate::error::{Error, Result};
pub use crate::failure::{Failure, set_failure_handler};
pub use crate::model::{Model, Persist};
pub use crate::registry::registry;
pub use crate::timestamp::Timestamp;
#[cfg(feature = "tracing")]
pub use crate::trace::set_slow_receiver_threshold;
