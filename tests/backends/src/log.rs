use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

/// What receivers heard, in order. Each test thread has its own, so that tests run in parallel.
#[derive(Default)]
pub struct Log(Mutex<Vec<(ThreadId, String)>>);

impl Log {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Log(Mutex::new(Vec::new()))
    }

    /// Adds an entry of this thread.
    pub fn push(&self, entry: impl Into<String>) {
        self.entries()
            .push((std::thread::current().id(), entry.into()));
    }

    /// Takes out what this thread has pushed.
    pub fn take(&self) -> Vec<String> {
        let me = std::thread::current().id();
        let mut entries = self.entries();
        let (mine, others) = std::mem::take(&mut *entries)
            .into_iter()
            .partition(|(id, _)| *id == me);
        *entries = others;
        let mine: Vec<(_, String)> = mine;
        mine.into_iter().map(|(_, entry)| entry).collect()
    }

    fn entries(&self) -> MutexGuard<'_, Vec<(ThreadId, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
