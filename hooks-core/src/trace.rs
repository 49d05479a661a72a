//! Spans and events for the `tracing` crate, with the feature `tracing`.

use crate::receiver::{Outcome, Receiver};
use crate::signal::Signal;

/// Runs a receiver.
#[inline(always)]
pub(crate) fn receiver<E: Signal>(
    _receiver: &'static Receiver,
    receive: impl FnOnce() -> Outcome,
) -> Outcome {
    receive()
}
