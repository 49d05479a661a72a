//! Deletes that receivers run inside a delete, on the same connection.
//!
//! Both may come to one row. The delete that planned it first sends its signals; one inside it deletes the
//! row without a word, and tells the other that it is gone.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::by_key::ByKey;
use crate::connection::{RawConnection, Scope, State};
use crate::error::Result;
use crate::model::Persist;

/// The deletes that run on a connection, the outermost first.
#[derive(Default)]
pub(crate) struct Claims {
    running: Vec<Running>,
}

#[derive(Default)]
struct Running {
    /// The rows whose signals this delete sends.
    planned: ByKey<()>,
    /// Rows planned by a delete around this one that are gone, by this one or one inside it.
    taken: ByKey<()>,
}

impl Claims {
    /// The deletes around the one at this level.
    fn around(&self, level: usize) -> impl Iterator<Item = &Running> {
        self.running.iter().take(level)
    }
}

/// A delete among those that run on its connection.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    /// None where no other delete can meet it: nobody gets the connection while it runs.
    level: Option<usize>,
    /// What it takes to undo it.
    pub(super) scope: Scope,
}

/// Whether a delete runs whose rows another may meet.
pub(super) fn any<C: RawConnection>(conn: &mut C) -> bool {
    claims(conn).is_some_and(|claims| !claims.running.is_empty())
}

/// Runs a delete, and forgets what it claimed, also on an error or a panic.
pub(super) fn during<C: RawConnection, T>(
    conn: &mut C,
    scope: Scope,
    work: impl FnOnce(&mut C, Operation) -> Result<T>,
) -> Result<T> {
    if scope != Scope::Receivers && !any(conn) {
        return work(conn, Operation::alone(scope));
    }
    let claims = &mut State::of(conn)?.claims;
    let level = claims.running.len();
    claims.running.push(Running::default());
    let operation = Operation {
        level: Some(level),
        scope,
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| work(conn, operation)));
    let ended = end(conn, level);
    match outcome {
        Ok(Ok(value)) => {
            tell_the_one_around(conn, ended);
            Ok(value)
        }
        Ok(Err(error)) => Err(error),
        Err(panic) => resume_unwind(panic),
    }
}

fn claims<C: RawConnection>(conn: &mut C) -> Option<&mut Claims> {
    State::installed(conn).map(|state| &mut state.claims)
}

fn end<C: RawConnection>(conn: &mut C, level: usize) -> Option<Running> {
    let running = &mut claims(conn)?.running;
    running.truncate(level + 1);
    (running.len() > level).then(|| running.pop()).flatten()
}

/// What a delete took is gone for good only when it has succeeded.
fn tell_the_one_around<C: RawConnection>(conn: &mut C, ended: Option<Running>) {
    let around = claims(conn).and_then(|claims| claims.running.last_mut());
    if let (Some(around), Some(ended)) = (around, ended) {
        around.taken.absorb(ended.taken);
    }
}

impl Operation {
    /// One that no other can meet.
    pub(super) fn alone(scope: Scope) -> Self {
        let level = None;
        Operation { level, scope }
    }

    /// Claims a row, and says whether that succeeded: a delete around this one may have it.
    pub(super) fn claim<M: Persist<C>, C: RawConnection>(
        self,
        conn: &mut C,
        key: &M::Pk,
    ) -> Result<bool> {
        let Some((claims, level)) = self.here(conn) else {
            return Ok(true);
        };
        if claims
            .around(level)
            .any(|it| it.planned.get::<M>(key).is_some())
        {
            return Ok(false);
        }
        if let Some(running) = claims.running.get_mut(level) {
            running.planned.of::<M>()?.insert(key.clone(), ());
        }
        Ok(true)
    }

    /// Gives a row up that has been dealt with: another of its key is another row.
    pub(super) fn release<M: Persist<C>, C: RawConnection>(
        self,
        conn: &mut C,
        key: &M::Pk,
    ) -> Result<()> {
        if let Some(running) = self.running(conn) {
            running.planned.of::<M>()?.remove(key);
        }
        Ok(())
    }

    /// Whether it runs inside another.
    pub(super) fn is_nested(self) -> bool {
        self.level.is_some_and(|level| level > 0)
    }

    /// Whether others may run inside or around this one.
    pub(super) fn may_meet_others(self) -> bool {
        self.level.is_some()
    }

    /// Notes that a row which another delete planned is gone.
    pub(super) fn take<M: Persist<C>, C: RawConnection>(
        self,
        conn: &mut C,
        key: M::Pk,
    ) -> Result<()> {
        if let Some(running) = self.running(conn) {
            running.taken.of::<M>()?.insert(key, ());
        }
        Ok(())
    }

    /// Whether a delete inside this one deleted a row that this one or one around it planned.
    pub(super) fn was_taken<M: Persist<C>, C: RawConnection>(
        self,
        conn: &mut C,
        key: &M::Pk,
    ) -> bool {
        self.running(conn)
            .is_some_and(|it| it.taken.get::<M>(key).is_some())
    }

    fn running<C: RawConnection>(self, conn: &mut C) -> Option<&mut Running> {
        let (claims, level) = self.here(conn)?;
        claims.running.get_mut(level)
    }

    fn here<C: RawConnection>(self, conn: &mut C) -> Option<(&mut Claims, usize)> {
        Some((claims(conn)?, self.level?))
    }
}
