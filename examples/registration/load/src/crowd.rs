//! Visitors who register, several at a time.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::browser::{Answer, Browser};

/// Visitors of one server, each with a number of their own.
#[derive(Debug)]
pub struct Crowd {
    clients: usize,
    next: AtomicUsize,
    until: AtomicUsize,
    registered: AtomicUsize,
    visits: Mutex<Vec<Visit>>,
}

/// Somebody sent the form.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Who.
    pub number: usize,
    /// What came of it.
    pub outcome: Outcome,
    /// How long that took, from the form that was sent to the answer.
    pub took: Duration,
}

/// What came of a form that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The visitor is registered and logged in.
    Registered,
    /// An answer of this status.
    Refused(u16),
    /// No answer.
    Unanswered(io::ErrorKind),
}

impl Crowd {
    /// So many at a time.
    pub fn new(clients: usize) -> Self {
        Crowd {
            clients,
            next: AtomicUsize::new(0),
            until: AtomicUsize::new(0),
            registered: AtomicUsize::new(0),
            visits: Mutex::default(),
        }
    }

    /// Has so many more register, or fewer if the deadline comes first or the server goes; returns how long that took.
    pub fn register(&self, address: SocketAddr, count: usize, deadline: Instant) -> Duration {
        let first = self.next.load(Relaxed);
        self.until.store(first.saturating_add(count), Relaxed);
        let started = Instant::now();
        thread::scope(|scope| {
            for _ in 0..self.clients {
                scope.spawn(|| self.client(address, deadline));
            }
        });
        // Each client has taken a number that was too high.
        self.next.fetch_min(self.until.load(Relaxed), Relaxed);
        started.elapsed()
    }

    /// Who has visited so far.
    pub fn visits(&self) -> MutexGuard<'_, Vec<Visit>> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are registered by now.
    pub fn registered(&self) -> usize {
        self.registered.load(Relaxed)
    }

    /// Ends also where the server is gone.
    fn client(&self, address: SocketAddr, deadline: Instant) {
        let Ok(mut browser) = Browser::open(address) else {
            return;
        };
        while Instant::now() < deadline {
            let number = self.next.fetch_add(1, Relaxed);
            if number >= self.until.load(Relaxed) {
                return;
            }
            // A form that does not come is none that was sent.
            let Ok(form) = browser.get("/register") else {
                return;
            };
            let visit = send(number, &mut browser, &form);
            if visit.outcome == Outcome::Registered {
                self.registered.fetch_add(1, Relaxed);
            }
            self.visits().push(visit);
        }
    }
}

fn send(number: usize, browser: &mut Browser, form: &Answer) -> Visit {
    let typed = Typed::by(number);
    let cookie = form.cookie.as_deref().unwrap_or_default();
    let fields = typed.fields(form.csrf().unwrap_or_default());
    let started = Instant::now();
    let outcome = match browser.post("/register", cookie, &fields) {
        Ok(answer) if answer.status == 303 => Outcome::Registered,
        Ok(answer) => Outcome::Refused(answer.status),
        Err(error) => Outcome::Unanswered(error.kind()),
    };
    Visit {
        number,
        outcome,
        took: started.elapsed(),
    }
}

/// What a visitor types.
#[derive(Debug)]
pub struct Typed {
    username: String,
    email: String,
    /// Where they chat.
    pub chat_handle: String,
}

impl Typed {
    /// What this one types: not as it is stored.
    pub fn by(number: usize) -> Self {
        Typed {
            username: format!("Visitor{number}"),
            email: format!("Visitor{number}@Example.org"),
            chat_handle: format!("@{number}"),
        }
    }

    /// As it is stored.
    pub fn stored_name(&self) -> String {
        self.username.to_ascii_lowercase()
    }

    /// As it is stored.
    pub fn stored_email(&self) -> String {
        self.email.to_ascii_lowercase()
    }

    fn fields<'a>(&'a self, csrf: &'a str) -> [(&'a str, &'a str); 8] {
        [
            ("csrf", csrf),
            ("username", &self.username),
            ("email", &self.email),
            ("password", "correct horse"),
            ("password_again", "correct horse"),
            ("birthdate", "1990-12-31"),
            ("chat_handle", &self.chat_handle),
            ("phone", "+44 20 7946 0018"),
        ]
    }
}
