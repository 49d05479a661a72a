//! What holds on one connection for a while: receivers that are muted, fixtures that are loaded, receivers
//! that were connected at run time.

use std::any::{Any, TypeId};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use super::{Frame, RawConnection, State, nested};
use crate::error::Result;
use crate::receiver::{Outcome, failed};
use crate::signal::Signal;
use crate::trace;

/// What a receiver is called that was connected at run time.
pub(crate) const CONNECTED: &str = "(connected)";

/// How many such scopes there are on all connections: while there is none, sending a signal need not look.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Whether any connection of the process has such a scope.
#[inline]
pub(crate) fn any() -> bool {
    // Whoever opened the scope holds the connection, or handed it over in a way that orders this.
    LIVE.load(Ordering::Relaxed) != 0
}

/// One scope, as long as it lives.
struct Live;

impl Live {
    fn new() -> Self {
        LIVE.fetch_add(1, Ordering::Relaxed);
        Live
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What holds on this connection now.
#[derive(Default)]
pub(crate) struct Scoped {
    scopes: Vec<Scope>,
    connected: Vec<Connected>,
}

/// Held by a running closure. A scope ends with it, wherever its connection went meanwhile: into a pool, or
/// swapped with another.
pub(super) type Closure = Arc<()>;

/// What one closure runs in.
pub(super) struct Scope {
    kind: Kind,
    closure: Weak<()>,
    _live: Live,
}

impl Scope {
    fn is_open(&self) -> bool {
        self.closure.strong_count() > 0
    }
}

pub(super) enum Kind {
    /// No receiver runs.
    WithoutHooks,
    /// The receivers with this uid do not run.
    WithoutReceiver(String),
    /// Receivers are told that fixtures are loaded.
    Fixtures,
}

/// A receiver that runs as long as its [`Guard`] lives.
struct Connected {
    signal: TypeId,
    /// A `Received<E, C>`.
    receiver: Box<dyn Any + Send + Sync>,
    guarded: Weak<Live>,
}

/// One of them while a signal is sent.
pub(crate) struct Listener<E, C> {
    receive: Received<E, C>,
    guarded: Weak<Live>,
}

type Received<E, C> = Arc<dyn Fn(&E, &mut C) -> Outcome + Send + Sync>;

/// Keeps a receiver connected to its connection; [`connect`](crate::HookConnectionExt::connect) returns it.
///
/// It is disconnected when this is dropped, or with its connection.
#[must_use = "the receiver is disconnected when this is dropped"]
pub struct Guard {
    _live: Arc<Live>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guard")
    }
}

impl Connected {
    fn is_live(&self) -> bool {
        self.guarded.strong_count() > 0
    }

    fn listener<E: 'static, C: 'static>(&self) -> Option<Listener<E, C>> {
        Some(Listener {
            receive: self.receiver.downcast_ref::<Received<E, C>>()?.clone(),
            guarded: self.guarded.clone(),
        })
    }
}

impl<E: Signal, C: RawConnection> Listener<E, C> {
    /// Calls it, unless it was disconnected since the signal was sent.
    pub(crate) fn receive(&self, event: &E, conn: &mut C) -> Result<()> {
        if self.guarded.strong_count() == 0 {
            return Ok(());
        }
        let frame = Frame::of::<E>(CONNECTED);
        let outcome = nested(conn, frame, &mut |conn| {
            trace::connected::<E>(|| (self.receive)(event, conn))
        })?;
        outcome.map_err(|source| failed(Some(event), None, source))
    }
}

impl Scoped {
    /// Opens a scope, for as long as the closure holds its token.
    pub(super) fn enter(&mut self, kind: Kind, closure: &Closure) {
        self.scopes.push(Scope {
            kind,
            closure: Arc::downgrade(closure),
            _live: Live::new(),
        });
    }

    /// Forgets what is over.
    pub(super) fn prune(&mut self) {
        self.scopes.retain(Scope::is_open);
    }

    fn open(&self) -> impl Iterator<Item = &Kind> {
        let open = self.scopes.iter().filter(|scope| scope.is_open());
        open.map(|scope| &scope.kind)
    }

    pub(super) fn connect<E: 'static, C: 'static>(&mut self, receiver: Received<E, C>) -> Guard {
        let live = Arc::new(Live::new());
        self.connected.retain(Connected::is_live);
        self.connected.push(Connected {
            signal: TypeId::of::<E>(),
            receiver: Box::new(receiver),
            guarded: Arc::downgrade(&live),
        });
        Guard { _live: live }
    }

    fn holds(&self) -> bool {
        self.open().next().is_some() || self.has_connected()
    }

    fn has_connected(&self) -> bool {
        self.connected.iter().any(Connected::is_live)
    }

    fn is_muted(&self, uid: &str) -> bool {
        self.open().any(|kind| match kind {
            Kind::WithoutHooks => true,
            Kind::WithoutReceiver(muted) => muted == uid,
            Kind::Fixtures => false,
        })
    }

    fn is_silent(&self) -> bool {
        self.open().any(|kind| matches!(kind, Kind::WithoutHooks))
    }

    fn loads_fixtures(&self) -> bool {
        self.open().any(|kind| matches!(kind, Kind::Fixtures))
    }
}

pub(crate) fn is_muted<C: RawConnection>(conn: &mut C, uid: &str) -> bool {
    State::installed(conn).is_some_and(|state| state.scoped.is_muted(uid))
}

/// Whether there is such a scope, or a receiver that was connected, on this connection.
#[inline]
pub(crate) fn here<C: RawConnection>(conn: &mut C) -> bool {
    any() && State::installed(conn).is_some_and(|state| state.scoped.holds())
}

/// Whether fixtures are loaded on this connection.
#[inline]
pub(crate) fn loads_fixtures<C: RawConnection>(conn: &mut C) -> bool {
    any() && State::installed(conn).is_some_and(|state| state.scoped.loads_fixtures())
}

/// Whether a receiver was connected to this connection, which may do anything with it.
#[inline]
pub(crate) fn has_connected<C: RawConnection>(conn: &mut C) -> bool {
    any() && State::installed(conn).is_some_and(|state| state.scoped.has_connected())
}

/// The receivers of this signal that are connected to this connection, unless it is silent.
pub(crate) fn connected<E: 'static, C: RawConnection>(conn: &mut C) -> Vec<Listener<E, C>> {
    if !any() {
        return Vec::new();
    }
    let Some(state) = State::installed(conn) else {
        return Vec::new();
    };
    if state.scoped.is_silent() {
        return Vec::new();
    }
    let hears = |it: &&Connected| it.signal == TypeId::of::<E>() && it.is_live();
    let connected = state.scoped.connected.iter().filter(hears);
    connected.filter_map(Connected::listener).collect()
}
