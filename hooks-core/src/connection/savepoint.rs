use std::sync::atomic::{AtomicU64, Ordering};

use diesel::QueryResult;

use super::transaction::depth;
use super::{RawConnection, Scope};
use crate::backend::execute;
use crate::backend::statements::{Release, RollBackToSavepoint, SetSavepoint};

/// How many savepoints had a name of their own.
static NAMED: AtomicU64 = AtomicU64::new(0);

/// A savepoint that Diesel's transaction manager need not know.
///
/// Those of one name nest, so that each statement is prepared once; where they do not, each has its own name.
#[must_use]
pub(super) struct Savepoint(Option<u64>);

impl Savepoint {
    pub(super) fn set<C: RawConnection>(conn: &mut C) -> QueryResult<Self> {
        if conn.system().savepoints_nest() {
            execute(conn, SetSavepoint)?;
            return Ok(Savepoint(None));
        }
        let number = NAMED.fetch_add(1, Ordering::Relaxed);
        conn.batch_execute(&format!("SAVEPOINT diesel_hooks_{number}"))?;
        Ok(Savepoint(Some(number)))
    }

    pub(super) fn release<C: RawConnection>(&self, conn: &mut C) -> QueryResult<()> {
        match self.0 {
            None => execute(conn, Release).map(drop),
            Some(number) => conn.batch_execute(&format!("RELEASE SAVEPOINT diesel_hooks_{number}")),
        }
    }

    pub(super) fn roll_back<C: RawConnection>(&self, conn: &mut C) -> QueryResult<()> {
        match self.0 {
            None => execute(conn, RollBackToSavepoint).map(drop)?,
            Some(number) => {
                conn.batch_execute(&format!("ROLLBACK TO SAVEPOINT diesel_hooks_{number}"))?;
            }
        }
        self.release(conn)
    }
}

/// Goes back to the beginning of an operation, after a refused statement whose reason is to be asked for, if nothing
/// is answered otherwise. Says whether that undid what the operation wrote.
pub(crate) fn undo_writes<C: RawConnection>(conn: &mut C, scope: Scope) -> QueryResult<bool> {
    if !conn.system().errors_abort() || scope < Scope::Explained {
        return Ok(false);
    }
    match (depth(conn)?, scope) {
        (depth @ 2.., Scope::Receivers) => {
            let own = depth - 1;
            conn.batch_execute(&format!("ROLLBACK TO SAVEPOINT diesel_savepoint_{own}"))?;
        }
        _ => drop(execute(conn, RollBackToSavepoint)?),
    }
    Ok(true)
}
