use std::any::TypeId;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use diesel::connection::{
    Connection, Instrumentation, InstrumentationEvent, get_default_instrumentation,
};

use super::HookConnection;
use crate::backend::Shape;
use crate::collector::Claims;
use crate::diesel_internals::{no_instrumentation, type_of};
use crate::error::{Error, Result};

/// What the library remembers about a connection.
///
/// It lives in the connection's [`Instrumentation`], the only place of a Diesel connection that takes a
/// value of a foreign type, and hands every event on to the instrumentation that was there before.
#[derive(Default)]
pub(crate) struct State {
    inner: Option<Box<dyn Instrumentation>>,
    /// Whether the transaction that Diesel thinks open is gone.
    pub(super) lost: bool,
    shapes: HashMap<TypeId, Shape, BuildHasherDefault<TypeIdHasher>>,
    pub(crate) claims: Claims,
}

/// Sets the application's own instrumentation on a connection that has hooks.
///
/// [`Connection::set_instrumentation`] throws away what this library remembers about the connection, and
/// this library never throws away what was set by it: without a memory it asks the database again on every
/// create, and an operation that cannot do without is [`Error::Instrumentation`].
///
/// ```
/// # use diesel::prelude::*;
/// use diesel::connection::InstrumentationEvent;
///
/// let mut conn = SqliteConnection::establish(":memory:")?;
/// diesel_hooks::set_instrumentation(&mut conn, |event: InstrumentationEvent<'_>| {
///     if let InstrumentationEvent::StartQuery { query, .. } = event {
///         eprintln!("{query}");
///     }
/// });
/// # Ok::<(), diesel::ConnectionError>(())
/// ```
pub fn set_instrumentation<C: HookConnection>(conn: &mut C, instrumentation: impl Instrumentation) {
    let conn = conn.raw_connection();
    match conn.instrumentation().downcast_mut::<State>() {
        Some(state) => state.inner = Some(Box::new(instrumentation)),
        None => conn.set_instrumentation(State {
            inner: Some(Box::new(instrumentation)),
            ..State::default()
        }),
    }
}

impl State {
    /// The state of this connection, installed if need be.
    pub(crate) fn of<C: Connection>(conn: &mut C) -> Result<&mut State> {
        if !conn.instrumentation().is::<State>() {
            let inner = adopt(conn.instrumentation())?;
            conn.set_instrumentation(State {
                inner,
                ..State::default()
            });
        }
        conn.instrumentation()
            .downcast_mut()
            .ok_or(Error::Instrumentation)
    }

    /// The state of this connection, if it has one.
    pub(crate) fn installed<C: Connection>(conn: &mut C) -> Option<&mut State> {
        conn.instrumentation().downcast_mut()
    }

    /// What is known of the table of `M` in this connection's database.
    #[inline]
    pub(crate) fn shape<M: 'static>(&self) -> Option<Shape> {
        self.shapes.get(&TypeId::of::<M>()).copied()
    }

    pub(crate) fn remember_shape<M: 'static>(&mut self, shape: Shape) {
        self.shapes.insert(TypeId::of::<M>(), shape);
    }

    pub(crate) fn forget_shape<M: 'static>(&mut self) {
        self.shapes.remove(&TypeId::of::<M>());
    }
}

impl Instrumentation for State {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::BeginTransaction { depth, .. }
        | InstrumentationEvent::CommitTransaction { depth, .. }
        | InstrumentationEvent::RollbackTransaction { depth, .. } = &event
        {
            self.lost &= depth.get() > 1;
        }
        if let Some(inner) = &mut self.inner {
            inner.on_connection_event(event);
        }
    }
}

/// A fresh instance of what the connection carries, if that is nothing or the application's default.
fn adopt(current: &mut dyn Instrumentation) -> Result<Option<Box<dyn Instrumentation>>> {
    let current = type_of(current);
    if current == no_instrumentation() {
        return Ok(None);
    }
    get_default_instrumentation()
        .filter(|default| type_of(&**default) == current)
        .map(Some)
        .ok_or(Error::Instrumentation)
}

/// A `TypeId` is a hash already.
#[derive(Default)]
struct TypeIdHasher(u64);

impl Hasher for TypeIdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_ne_bytes(word);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 ^= word;
    }
}
