use std::any::TypeId;
use std::collections::HashMap;
use std::sync::OnceLock;

use super::{SentOn, Signal};
use crate::connection::{Frame, HookConnection, RawConnection, Scope, nested, scoped, together};
use crate::error::{RegistryError, Result};
use crate::receiver::{Concrete, Each, EachOn, Receiver, When, defer, failed, in_order};
use crate::trace;

/// An application's own signal, made one by `#[derive(Signal)]`.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_hooks::prelude::*;
///
/// #[derive(Signal)]
/// struct PasswordChanged {
///     user_id: i32,
/// }
///
/// #[receiver(dispatch_uid = "end_sessions")]
/// fn end_sessions(event: &PasswordChanged, conn: &mut SqliteConnection) -> QueryResult<()> {
///     diesel::sql_query("DELETE FROM sessions WHERE user_id = ?")
///         .bind::<diesel::sql_types::Integer, _>(event.user_id)
///         .execute(conn)
///         .map(drop)
/// }
///
/// # fn main() -> diesel_hooks::Result {
/// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
/// # diesel::sql_query("CREATE TABLE sessions (user_id INTEGER)").execute(&mut conn)?;
/// PasswordChanged { user_id: 1 }.send(&mut conn)?;
///
/// let outcomes = PasswordChanged { user_id: 2 }.send_robust(&mut conn)?;
/// assert_eq!(outcomes[0].receiver, "end_sessions");
/// assert!(outcomes[0].outcome.is_ok());
/// # Ok(())
/// # }
/// ```
///
/// Its receivers take `&PasswordChanged`, alone or with the connection; the order, muting and the options of
/// `#[receiver]` are those of a model's signals.
pub trait CustomSignal: Signal {
    /// Calls the receivers in their order and stops at the first error, which takes back what the receivers
    /// wrote.
    ///
    /// # Errors
    ///
    /// What a receiver returns, as [`Error::Receiver`](crate::Error::Receiver), and what the database says
    /// to the transaction or savepoint around receivers with a connection, or around those that can fail
    /// beside one that waits for the commit.
    fn send<C: HookConnection>(&self, conn: &mut C) -> Result
    where
        Self: SentOn<C::Raw>,
    {
        let conn = conn.raw_connection();
        let receivers = receivers::<Self>()?;
        if receivers.is_empty() && !scoped::here(conn) {
            return Ok(());
        }
        let takes_connection = receivers
            .iter()
            .any(|it| it.handler.is::<EachOn<Self, C::Raw>>());
        let scope = if takes_connection || scoped::has_connected(conn) {
            Scope::Receivers
        } else if leaves_something(receivers) {
            Scope::Statements
        } else {
            return send(self, receivers, conn);
        };
        together(conn, scope, |conn| send(self, receivers, conn))
    }

    /// Calls every receiver, each in a savepoint of its own inside one transaction, and says what became of
    /// each.
    ///
    /// # Errors
    ///
    /// What the database says to the transaction. The errors of receivers are in the result.
    fn send_robust<C: HookConnection>(&self, conn: &mut C) -> Result<Vec<Sent>>
    where
        Self: SentOn<C::Raw>,
    {
        let conn = conn.raw_connection();
        let receivers = receivers::<Self>()?;
        together(conn, Scope::Receivers, |conn| {
            let connected = scoped::connected(conn, TypeId::of::<Self>());
            let mut outcomes = Vec::with_capacity(receivers.len());
            for receiver in receivers {
                let outcome = attempt(conn, receiver.uid, |conn| send_to(self, receiver, conn))?;
                outcomes.extend(outcome);
            }
            for receiver in connected {
                let call = |conn: &mut C::Raw| receiver.receive(self, conn).map(|()| true);
                outcomes.extend(attempt(conn, scoped::CONNECTED, call)?);
            }
            Ok(outcomes)
        })
    }

    /// Calls the receivers that need no connection, where there is none. Those that take one do not run, nor
    /// those that wait for the end of a transaction.
    ///
    /// # Errors
    ///
    /// That of the first receiver that fails.
    fn send_detached(&self) -> Result {
        for receiver in receivers::<Self>()? {
            if let Some(Each(receive)) = receiver.handler.downcast_ref::<Each<Self>>() {
                let frame = Frame::of::<Self>(receiver.uid);
                let outcome = trace::receiver(frame, || receive(self));
                outcome.map_err(|source| failed(Some(self), Some(receiver), source))?;
            }
        }
        Ok(())
    }
}

/// What became of one receiver.
#[derive(Debug)]
#[non_exhaustive]
pub struct Sent {
    /// Its `dispatch_uid`.
    pub receiver: &'static str,
    /// What it returned; what it wrote stays only if that is no error.
    pub outcome: Result,
}

fn send<E: CustomSignal, C: RawConnection>(
    event: &E,
    receivers: &[&'static Receiver],
    conn: &mut C,
) -> Result {
    let connected = scoped::connected(conn, TypeId::of::<E>());
    for receiver in receivers {
        send_to(event, receiver, conn)?;
    }
    connected
        .iter()
        .try_for_each(|receiver| receiver.receive(event, conn))
}

/// Whether one that waits for the end of the transaction may have to be forgotten, as another fails.
fn leaves_something(receivers: &[&'static Receiver]) -> bool {
    let now = |it: &&'static Receiver| it.when == When::Now;
    receivers.iter().any(|it| now(it) && it.fallible) && !receivers.iter().all(now)
}

/// What became of one receiver, in a savepoint of its own, if it hears this connection type.
fn attempt<C: RawConnection>(
    conn: &mut C,
    receiver: &'static str,
    call: impl FnOnce(&mut C) -> Result<bool>,
) -> Result<Option<Sent>> {
    match together(conn, Scope::Receivers, call) {
        Err(error) if error.is_transaction_lost() => Err(error),
        Ok(false) => Ok(None),
        outcome => Ok(Some(Sent {
            receiver,
            outcome: outcome.map(drop),
        })),
    }
}

/// Calls one receiver, and says whether it hears this connection type.
fn send_to<E: CustomSignal, C: RawConnection>(
    event: &E,
    receiver: &'static Receiver,
    conn: &mut C,
) -> Result<bool> {
    if scoped::any() && scoped::is_muted(conn, receiver.uid) {
        return Ok(false);
    }
    let frame = Frame::of::<E>(receiver.uid);
    let outcome = if let Some(Each(receive)) = receiver.handler.downcast_ref::<Each<E>>() {
        trace::receiver(frame, || receive(event))
    } else if let Some(EachOn(receive)) = receiver.handler.downcast_ref::<EachOn<E, C>>() {
        nested(conn, frame, &mut |conn| receive(event, conn))?
    } else {
        let concrete = receiver.handler.downcast_ref::<Concrete<E>>();
        let Some(callback) = concrete.and_then(|it| it.keep(event, receiver.uid)) else {
            return Ok(false);
        };
        defer(conn, receiver, callback)?;
        Ok(())
    };
    outcome.map_err(|source| failed(Some(event), Some(receiver), source))?;
    Ok(true)
}

type Found = std::result::Result<Vec<&'static Receiver>, RegistryError>;

/// The receivers of each type of signal, found once for the whole program.
static RECEIVERS: OnceLock<HashMap<TypeId, Found>> = OnceLock::new();

fn receivers<E: CustomSignal>() -> Result<&'static [&'static Receiver]> {
    match RECEIVERS.get_or_init(find).get(&TypeId::of::<E>()) {
        None => Ok(&[]),
        Some(Ok(receivers)) => Ok(receivers),
        Some(Err(error)) => Err(error.clone().into()),
    }
}

fn find() -> HashMap<TypeId, Found> {
    let mut by_signal: HashMap<TypeId, Vec<&'static Receiver>> = HashMap::new();
    for receiver in inventory::iter::<Receiver> {
        by_signal
            .entry((receiver.signal_id)())
            .or_default()
            .push(receiver);
    }
    by_signal
        .into_iter()
        .map(|(signal, receivers)| {
            let name = receivers.first().map_or("", |it| (it.signal)());
            (signal, in_order(name, &receivers))
        })
        .collect()
}
