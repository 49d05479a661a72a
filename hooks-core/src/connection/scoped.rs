//! What holds on one connection for a while: receivers that are muted, fixtures that are loaded, receivers
//! that were connected at run time.

use std::any::{Any, TypeId};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use super::{Frame, RawConnection, State, nested};
use crate::error::Result;
use crate::receiver::{Outcome, failed};
use crate::signal::Signal;

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
    listener: Listener,
}

/// One of them while a signal is sent.
#[derive(Clone)]
pub(crate) struct Listener {
    /// A `Received<E, C>`.
    receive: Arc<dyn Any + Send + Sync>,
    guarded: Weak<Live>,
}

type Received<E, C> = Box<dyn Fn(&E, &mut C) -> Outcome + Send + Sync>;

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

impl Listener {
    fn is_live(&self) -> bool {
        self.guarded.strong_count() > 0
    }

    /// Calls it, unless it was disconnected since the signal was sent.
    pub(crate) fn receive<E: Signal, C: RawConnection>(
        &self,
        event: &E,
        conn: &mut C,
    ) -> Result<()> {
        match self.receive.downcast_ref::<Received<E, C>>() {
            Some(receive) if self.is_live() => {
                let frame = Frame::of::<E>(CONNECTED);
                match nested(conn, frame, &mut |conn| receive(event, conn))? {
                    Ok(()) => Ok(()),
                    Err(source) => Err(failed(Some(event), None, source)),
                }
            }
            _ => Ok(()),
        }
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
        self.connected.retain(|it| it.listener.is_live());
        self.connected.push(Connected {
            signal: TypeId::of::<E>(),
            listener: Listener {
                receive: Arc::new(receiver),
                guarded: Arc::downgrade(&live),
            },
        });
        Guard { _live: live }
    }

    fn holds(&self) -> bool {
        self.open().next().is_some() || self.has_connected()
    }

    fn has_connected(&self) -> bool {
        self.connected.iter().any(|it| it.listener.is_live())
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

    /// Those who hear this signal. Not of its type, since there is one for each signal of each model.
    fn listeners(&self, signal: TypeId) -> Vec<Listener> {
        let hears = |it: &&Connected| it.signal == signal && it.listener.is_live();
        let connected = self.connected.iter().filter(hears);
        connected.map(|it| it.listener.clone()).collect()
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
pub(crate) fn connected<C: RawConnection>(conn: &mut C, signal: TypeId) -> Vec<Listener> {
    if !any() {
        return Vec::new();
    }
    match State::installed(conn) {
        Some(state) if !state.scoped.is_silent() => state.scoped.listeners(signal),
        _ => Vec::new(),
    }
}
