//! Spans and events for the `tracing` crate, with the feature `tracing`.

use crate::error::Result;
use crate::receiver::Receiver;
use crate::signal::Signal;

/// Runs a receiver.
#[inline(always)]
pub(crate) fn receiver<E: Signal, T>(
    _receiver: &'static Receiver,
    receive: impl FnOnce() -> Result<T>,
) -> Result<T> {
    receive()
}
