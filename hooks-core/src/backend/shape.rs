//! What a connection remembers of a model's table.

use crate::connection::{RawConnection, State};
use crate::model::Stored;

/// Which statements are right on a table, as far as a connection was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Whether `_rowid_` names the rowid of its rows.
    pub(crate) by_rowid: bool,
    /// Whether the database counts up the key where a row is given none: on SQLite it is the rowid, on MySQL
    /// `AUTO_INCREMENT`.
    pub(crate) key_is_counted: bool,
    /// Whether a statement may do more or less than it says, or half of it: with a trigger, an
    /// `ON CONFLICT` in the schema, a key that is not unique, what is not a table of the main database, or a
    /// storage engine without transactions.
    pub(crate) guarded: bool,
    /// Whether a row that was inserted has been read by the statement that inserted it.
    pub(crate) gives_back: bool,
}

impl Shape {
    /// What nobody was able to tell.
    pub(super) const UNKNOWN: Shape = Shape {
        by_rowid: false,
        key_is_counted: true,
        guarded: true,
        gives_back: false,
    };

    /// The shape of the table of `M`. It is asked for once on each connection; there may be no such table.
    #[inline]
    pub(crate) fn of<M: Stored<C>, C: RawConnection>(conn: &mut C) -> Self {
        // Without hooks there is no operation that gets here.
        let Ok(hooks) = M::hooks() else {
            return Shape::UNKNOWN;
        };
        match State::installed(conn).and_then(|state| state.shape(hooks.number)) {
            Some(known) => known,
            None => look::<M, C>(conn, hooks.number),
        }
    }

    /// Remembers that a row was read by the statement that inserted it.
    pub(crate) fn gave_back<M: Stored<C>, C: RawConnection>(conn: &mut C) {
        let known = Shape::of::<M, C>(conn);
        if !known.gives_back
            && let (Ok(hooks), Some(state)) = (M::hooks(), State::installed(conn))
        {
            let shape = Shape {
                gives_back: true,
                ..known
            };
            state.remember_shape(hooks.number, Some(shape));
        }
    }

    pub(crate) fn forget<M: Stored<C>, C: RawConnection>(conn: &mut C) {
        if let (Ok(hooks), Some(state)) = (M::hooks(), State::installed(conn)) {
            state.remember_shape(hooks.number, None);
        }
    }
}

#[cold]
fn look<M: Stored<C>, C: RawConnection>(conn: &mut C, model: usize) -> Shape {
    // An instrumentation that leaves us no room costs the memory, not the operation.
    if State::of(conn).is_err() {
        return Shape::UNKNOWN;
    }
    let path = M::path(&conn.backend());
    let shape = match path.and_then(|path| conn.session().shape(&path, M::KEY)) {
        Ok(Some(shape)) => shape,
        // A table that is missing may come, and what refused to answer may answer.
        Ok(None) | Err(_) => return Shape::UNKNOWN,
    };
    if let Ok(state) = State::of(conn) {
        state.remember_shape(model, Some(shape));
    }
    shape
}
