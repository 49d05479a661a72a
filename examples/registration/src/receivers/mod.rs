//! What else happens when rows are written, and when requests come and go.
//!
//! The rest of the application calls nothing here and could not: what sends a mail, writes an entry or clears the cache is
//! private to its module. Receivers find in the connection's context who acts and what is [`Outside`] of the database.

mod audit;
pub mod mail;
mod normalise;
pub mod pages;
pub mod requests;

use std::sync::Arc;

use diesel_hooks::prelude::*;

use self::mail::Mailer;
use self::pages::PageCache;
use crate::database::AnyConnection;

/// What receivers reach besides the database. It changes after the commit only.
#[derive(Debug)]
pub struct Outside {
    /// Where mail goes.
    pub mailer: Mailer,
    /// Profile pages that need not be rendered again.
    pub pages: PageCache,
}

impl Outside {
    /// That of the work that is being done on this connection; none where the database is used by itself.
    fn of(conn: &mut AnyConnection) -> Option<Arc<Self>> {
        let shared = conn.context::<Arc<Self>>()?;
        Some(Arc::clone(&shared))
    }
}
