//! Spans and events for the `tracing` crate, with the feature `tracing`; without it, nothing at all.
//!
//! What is traced says which model, signal and receiver, how long and how it ended: never the value of a
//! column, nor a key.

#[cfg_attr(feature = "tracing", path = "trace/on.rs")]
#[cfg_attr(not(feature = "tracing"), path = "trace/off.rs")]
mod imp;

#[cfg(feature = "tracing")]
pub use self::imp::set_slow_receiver_threshold;
pub(crate) use self::imp::{again, callback, muted, muted_all, operation, receiver};
