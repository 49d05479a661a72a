use super::merge::count;
use super::queue::{Mark, Shared};

/// The after-commit callbacks that were registered since
/// [`capture_after_commit`](super::HookConnectionExt::capture_after_commit), less those that were rolled
/// back and those that ran.
///
/// It does not borrow the connection.
#[must_use = "nothing runs unless `run` is called"]
pub struct Capture {
    queue: Shared,
    from: Mark,
}

impl Capture {
    pub(super) fn new(queue: Shared) -> Self {
        let from = queue.lock().mark();
        Capture { queue, from }
    }

    /// How many callbacks wait. A row that was created and deleted counts for each receiver with
    /// `after_commit(merged)`, though nothing is left to tell.
    pub fn len(&self) -> usize {
        count(self.queue.lock().captured(self.from))
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs them in the order of registration, then those that they registered, until none is left, and
    /// says how many ran.
    ///
    /// As after a COMMIT, each runs once and whatever became of the others; a failure goes to
    /// [`set_failure_handler`](crate::set_failure_handler).
    pub fn run(&mut self) -> usize {
        let mut ran = 0;
        loop {
            let due = self.queue.lock().take_captured(self.from);
            if due.is_empty() {
                return ran;
            }
            ran += due.run();
        }
    }
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Capture").field("len", &self.len()).finish()
    }
}
