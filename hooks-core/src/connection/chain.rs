//! Which receivers are running on a connection, so that one that causes itself ends in an error and not in
//! a stack overflow.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{RawConnection, State};
use crate::error::{Error, Result};
use crate::receiver::Outcome;
use crate::signal::Signal;
use crate::trace;

/// The receivers with a connection that run right now, the outermost first.
pub(crate) struct Chain {
    frames: Vec<Frame>,
    pub(super) limit: usize,
}

impl Default for Chain {
    fn default() -> Self {
        Chain {
            frames: Vec::new(),
            limit: 32,
        }
    }
}

/// A receiver that hears a signal.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) model: Option<&'static str>,
    pub(crate) signal: &'static str,
    pub(crate) receiver: &'static str,
}

impl Frame {
    #[inline]
    pub(crate) fn of<E: Signal>(receiver: &'static str) -> Self {
        Frame {
            model: E::sender(),
            signal: E::NAME,
            receiver,
        }
    }
}

impl std::fmt::Display for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let signal = self.signal;
        // What stands for one that was connected has parentheses of its own.
        let receiver = self.receiver.trim_matches(['(', ')']);
        match self.model {
            Some(model) => write!(f, "{signal}<{model}> ({receiver})"),
            None => write!(f, "{signal} ({receiver})"),
        }
    }
}

/// Runs a receiver that may cause others. By reference, because there is one for each signal of each model.
pub(crate) fn nested<C: RawConnection>(
    conn: &mut C,
    frame: Frame,
    receive: &mut dyn FnMut(&mut C) -> Outcome,
) -> Result<Outcome> {
    let mut receive = |conn: &mut C| trace::receiver(frame, || receive(conn));
    let chain = &mut State::of(conn)?.chain;
    let outside = chain.frames.len();
    chain.frames.push(frame);
    if outside >= chain.limit {
        let chain = chain.leave(outside);
        return Err(Error::Recursion { chain });
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| receive(conn)));
    if let Some(state) = State::installed(conn) {
        state.chain.frames.truncate(outside);
    }
    Ok(outcome.unwrap_or_else(|panic| resume_unwind(panic)))
}

impl Chain {
    fn leave(&mut self, outside: usize) -> Vec<String> {
        let chain = self.frames.iter().map(Frame::to_string).collect();
        self.frames.truncate(outside);
        chain
    }
}
