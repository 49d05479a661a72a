//! Rendered profile pages, kept until something that they show is written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel_hooks::prelude::*;

use super::Outside;
use crate::database::AnyConnection;
use crate::models::{Employee, EmployeeProfile, Person, User};

/// Rendered profile pages by the user's key.
#[derive(Debug, Default)]
pub struct PageCache {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    pages: HashMap<i32, Arc<str>>,
    /// How often something was forgotten.
    age: u64,
}

/// What is known before a page is rendered.
#[derive(Debug, Clone, Copy)]
pub struct Age(u64);

impl PageCache {
    /// The page of this user, or else what [`keep`](Self::keep) wants to know.
    ///
    /// # Errors
    ///
    /// If it has to be rendered.
    pub fn get(&self, user: i32) -> Result<Arc<str>, Age> {
        let kept = self.kept();
        kept.pages.get(&user).cloned().ok_or(Age(kept.age))
    }

    /// Keeps what was rendered since then, unless it may have been rendered from what is old by now.
    pub fn keep(&self, user: i32, page: Arc<str>, since: Age) {
        let mut kept = self.kept();
        if kept.age == since.0 {
            kept.pages.insert(user, page);
        }
    }

    fn forget(&self, user: i32) {
        let mut kept = self.kept();
        kept.age += 1;
        kept.pages.remove(&user);
    }

    /// A panic leaves nothing half done in it.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A model of which a profile page shows something.
pub trait OnProfilePage {
    /// Whose page that is.
    ///
    /// # Errors
    ///
    /// If the database does not tell.
    fn whose(&self, conn: &mut AnyConnection) -> diesel_hooks::Result<i32>;
}

impl OnProfilePage for User {
    fn whose(&self, _: &mut AnyConnection) -> diesel_hooks::Result<i32> {
        Ok(self.id)
    }
}

impl OnProfilePage for Person {
    fn whose(&self, _: &mut AnyConnection) -> diesel_hooks::Result<i32> {
        Ok(self.user_id)
    }
}

impl OnProfilePage for Employee {
    fn whose(&self, _: &mut AnyConnection) -> diesel_hooks::Result<i32> {
        Ok(self.user_id)
    }
}

impl OnProfilePage for EmployeeProfile {
    fn whose(&self, conn: &mut AnyConnection) -> diesel_hooks::Result<i32> {
        Ok(self.employee(conn)?.user_id)
    }
}

#[receiver(dispatch_uid = "forget page of saved row")]
fn saved(event: &PostSave<dyn OnProfilePage>, conn: &mut AnyConnection) -> diesel_hooks::Result {
    forget(&event.instance, conn)
}

#[receiver(dispatch_uid = "forget page of deleted row")]
fn deleted(
    event: &PostDelete<dyn OnProfilePage>,
    conn: &mut AnyConnection,
) -> diesel_hooks::Result {
    forget(&event.instance, conn)
}

/// After the commit: a page that is rendered before it shows the old row rightly.
fn forget(row: &dyn OnProfilePage, conn: &mut AnyConnection) -> diesel_hooks::Result {
    let Some(outside) = Outside::of(conn) else {
        return Ok(());
    };
    let user = row.whose(conn)?;
    conn.after_commit(move || outside.pages.forget(user))
}
