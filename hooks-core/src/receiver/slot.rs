use std::any::TypeId;

use super::{
    Concrete, ConcreteOn, DeferredSender, Each, EachOn, Handler, Outcome, Receiver, SentAs, When,
    in_order,
};
use crate::connection::{Callback, CallbackKind, Frame, RawConnection, nested, register, scoped};
use crate::each::each;
use crate::error::{BoxError, Error, Key, ReceiverError, RegistryError, Result};
use crate::signal::Signal;
use crate::trace;

/// The receivers of one signal on one connection type, in the order in which they run.
pub(crate) struct Slot<E: 'static, C> {
    calls: Vec<Call<E, C>>,
    pub(crate) needs: Needs,
}

/// What the receivers of a signal need.
#[derive(Clone, Copy, Default)]
pub(crate) struct Needs {
    /// One of them may return an error while the signal is sent.
    pub(crate) can_fail: bool,
    /// One of them takes the connection.
    pub(crate) connection: bool,
    /// One of them waits for the end of the transaction.
    pub(crate) defers: bool,
    /// One of them looks at what changed.
    pub(crate) compares: bool,
    /// One of them may ask its event for the old row.
    pub(crate) looks_back: bool,
}

impl Needs {
    fn of(receivers: &[&'static Receiver]) -> Self {
        let mut needs = Needs::default();
        for receiver in receivers {
            needs.can_fail |= receiver.fallible && receiver.when == When::Now;
            needs.connection |= receiver.handler.connection().is_some();
            needs.defers |= receiver.when != When::Now;
            needs.compares |= receiver.compares;
            needs.looks_back |= receiver.looks_back;
        }
        needs
    }
}

struct Call<E: 'static, C> {
    form: Form<E, C>,
    receiver: &'static Receiver,
}

enum Form<E: 'static, C> {
    Each(fn(&E) -> Outcome),
    EachOn(fn(&E, &mut C) -> Outcome),
    Change(fn(&mut E) -> Outcome),
    ChangeOn(fn(&mut E, &mut C) -> Outcome),
    Batch(fn(&[E]) -> Outcome),
    BatchOn(fn(&[E], &mut C) -> Outcome),
    Sender(Box<dyn Upcasting<E, C>>),
    Concrete(&'static Concrete<E>),
}

/// The receivers of a model's signal on this type of connection, in the order in which they run. Not generic,
/// because it is asked for each signal of each model.
fn hearing(
    signal: &'static str,
    sent: &[SentAs],
    connection: TypeId,
) -> std::result::Result<Vec<&'static Receiver>, RegistryError> {
    let heard_as = |id: &TypeId| {
        let mut same = sent.iter().filter(|it| it.signal == signal);
        same.any(|it| it.types.contains(id))
    };
    let is_there = |receiver: &&Receiver| {
        let conn = receiver.handler.connection();
        heard_as(&(receiver.signal_id)()) && conn.is_none_or(|it| it.id == connection)
    };
    let all = inventory::iter::<Receiver>.into_iter();
    in_order(signal, &all.filter(is_there).collect::<Vec<_>>())
}

impl<E: Signal, C: 'static> Slot<E, C> {
    /// Finds the receivers of this signal, which its model sends as these types.
    pub(crate) fn collect(sent: &[SentAs]) -> std::result::Result<Self, RegistryError> {
        let receivers = hearing(E::NAME, sent, TypeId::of::<C>())?;
        let mut calls = Vec::with_capacity(receivers.len());
        for receiver in &receivers {
            if let Some(form) = Form::of(receiver.handler) {
                calls.push(Call { form, receiver });
            }
        }
        Ok(Slot {
            calls,
            needs: Needs::of(&receivers),
        })
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Their `dispatch_uid`s, in the order in which they run.
    pub(crate) fn uids(&self) -> Vec<&'static str> {
        each(&self.calls, |call| call.receiver.uid)
    }
}

impl<E: Signal, C: RawConnection> Slot<E, C> {
    /// Calls every receiver with one event.
    #[inline]
    pub(crate) fn send(&self, event: &mut E, conn: &mut C) -> Result<()> {
        match self.is_empty() & !scoped::any() {
            true => Ok(()),
            false => self.call(event, conn),
        }
    }

    fn call(&self, event: &mut E, conn: &mut C) -> Result<()> {
        match scoped::any() {
            true => self.call_in_scope(event, conn),
            false => self.call_each(event, conn),
        }
    }

    /// Some connection has a scope: maybe this one.
    #[cold]
    #[inline(never)]
    fn call_in_scope(&self, event: &mut E, conn: &mut C) -> Result<()> {
        match scoped::here(conn) {
            true => self.call_some(std::slice::from_mut(event), conn),
            false => self.call_each(event, conn),
        }
    }

    fn call_each(&self, event: &mut E, conn: &mut C) -> Result<()> {
        for call in &self.calls {
            // The plain forms here, so that their loop has no other call in it.
            let outcome = match call.form {
                Form::Each(receive) => trace::receiver(call.frame(), || receive(event)),
                Form::Change(receive) => trace::receiver(call.frame(), || receive(event)),
                _ => {
                    call.receive(event, conn)?;
                    continue;
                }
            };
            if let Err(source) = outcome {
                return Err(failed(Some(event), Some(call.receiver), source));
            }
        }
        Ok(())
    }

    /// Calls every receiver: one after the other, each with all events.
    pub(crate) fn send_many(&self, events: &mut [E], conn: &mut C) -> Result<()> {
        if scoped::here(conn) {
            return self.call_some(events, conn);
        }
        for call in &self.calls {
            call.receive_many(events, conn)?;
        }
        Ok(())
    }

    /// Calls those that are not muted on this connection, and those that were connected to it.
    #[cold]
    fn call_some(&self, events: &mut [E], conn: &mut C) -> Result<()> {
        // Whom one of these receivers connects hears the next signal.
        let connected = scoped::connected(conn, TypeId::of::<E>());
        for call in &self.calls {
            if !scoped::is_muted(conn, call.receiver.uid) {
                call.receive_many(events, conn)?;
            }
        }
        for receiver in &connected {
            for event in &*events {
                receiver.receive(event, conn)?;
            }
        }
        Ok(())
    }
}

impl<E: Signal, C: RawConnection> Call<E, C> {
    #[inline]
    fn frame(&self) -> Frame {
        Frame::of::<E>(self.receiver.uid)
    }

    fn receive(&self, event: &mut E, conn: &mut C) -> Result<()> {
        if let Some(callback) = self.form.keep(event, self.receiver) {
            return defer(conn, self.receiver, callback);
        }
        match self.run(conn, &mut |conn| self.form.call(event, conn))? {
            Ok(()) => Ok(()),
            Err(source) => Err(failed(Some(event), Some(self.receiver), source)),
        }
    }

    fn receive_many(&self, events: &mut [E], conn: &mut C) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let outcome = match self.form {
            Form::Batch(receive) => self.run(conn, &mut |_| receive(events))?,
            Form::BatchOn(receive) => self.run(conn, &mut |conn| receive(events, conn))?,
            _ => {
                for event in events {
                    self.receive(event, conn)?;
                }
                return Ok(());
            }
        };
        let Err(source) = outcome else {
            return Ok(());
        };
        let sole = match &*events {
            [event] => Some(event),
            _ => None,
        };
        Err(failed(sole, Some(self.receiver), source))
    }

    fn run(&self, conn: &mut C, receive: &mut dyn FnMut(&mut C) -> Outcome) -> Result<Outcome> {
        run(conn, self.receiver, self.frame(), receive)
    }
}

/// Runs a receiver; one that has the connection may cause others.
fn run<C: RawConnection>(
    conn: &mut C,
    receiver: &'static Receiver,
    frame: Frame,
    receive: &mut dyn FnMut(&mut C) -> Outcome,
) -> Result<Outcome> {
    match receiver.handler.connection() {
        Some(_) => nested(conn, frame, receive),
        None => Ok(trace::receiver(frame, || receive(conn))),
    }
}

/// Has a receiver wait for the end of the transaction.
pub(crate) fn defer<C: RawConnection>(
    conn: &mut C,
    receiver: &'static Receiver,
    callback: Callback,
) -> Result<()> {
    let kind = match receiver.when {
        When::AfterRollback => CallbackKind::AfterRollback,
        _ => CallbackKind::AfterCommit,
    };
    register(conn, kind, Some(receiver.uid), callback)
}

/// The error of a receiver, or of what was connected at run time.
#[cold]
pub(crate) fn failed<E: Signal>(
    event: Option<&E>,
    receiver: Option<&'static Receiver>,
    source: BoxError,
) -> Error {
    let key = event.and_then(E::key);
    failed_to_hear(E::NAME, E::sender(), key, receiver, source)
}

fn failed_to_hear(
    signal: &'static str,
    model: Option<&'static str>,
    key: Option<Key>,
    receiver: Option<&'static Receiver>,
    source: BoxError,
) -> Error {
    let source = match Error::endless(source) {
        Ok(error) => return error,
        Err(source) => source,
    };
    let place = receiver.map_or((scoped::CONNECTED, "", 0), |it| (it.uid, it.file, it.line));
    let (receiver, file, line) = place;
    Error::Receiver(Box::new(ReceiverError {
        model,
        key,
        signal,
        receiver,
        file,
        line,
        source,
    }))
}

/// Looks for the way in which a handler hears a signal as that of a trait.
#[doc(hidden)]
pub struct Search<E: 'static, C> {
    handler: &'static dyn Handler,
    form: Option<Form<E, C>>,
}

impl<E: Signal, C: 'static> Search<E, C> {
    /// Looks whether it hears a signal that this one is, too.
    pub(super) fn sender<T: ?Sized + 'static>(&mut self, upcast: fn(&E) -> &T)
    where
        E: Clone + Send,
    {
        if self.form.is_none() {
            self.form = Form::of_sender(self.handler, upcast);
        }
    }
}

impl<E: Signal, C: 'static> Form<E, C> {
    fn of(handler: &'static dyn Handler) -> Option<Self> {
        if let Some(Each(receive)) = handler.downcast_ref() {
            return Some(Form::Each(*receive));
        }
        if let Some(EachOn(receive)) = handler.downcast_ref() {
            return Some(Form::EachOn(*receive));
        }
        if let Some(on) = handler.downcast_ref() {
            return Some(match on {
                ConcreteOn::Change(receive) => Form::ChangeOn(*receive),
                ConcreteOn::Batch(receive) => Form::BatchOn(*receive),
            });
        }
        if let Some(concrete) = handler.downcast_ref() {
            return Some(match concrete {
                Concrete::Change(receive) => Form::Change(*receive),
                Concrete::Batch(receive) => Form::Batch(*receive),
                Concrete::Deferred(_) | Concrete::Merged(_) => Form::Concrete(concrete),
            });
        }
        let form = None;
        let mut search = Search { handler, form };
        E::as_traits(&mut search);
        search.form
    }

    fn of_sender<T: ?Sized + 'static>(
        handler: &'static dyn Handler,
        upcast: fn(&E) -> &T,
    ) -> Option<Self>
    where
        E: Clone + Send,
    {
        let receive = if let Some(Each(receive)) = handler.downcast_ref() {
            HearsTrait::Each(*receive)
        } else if let Some(EachOn(receive)) = handler.downcast_ref() {
            HearsTrait::EachOn(*receive)
        } else {
            let DeferredSender(receive) = handler.downcast_ref()?;
            HearsTrait::Deferred(*receive)
        };
        Some(Form::Sender(Box::new(Upcast { receive, upcast })))
    }

    /// What a receiver does that waits for the end of the transaction.
    fn keep(&self, event: &E, receiver: &'static Receiver) -> Option<Callback> {
        match self {
            Form::Concrete(concrete) => concrete.keep(event, receiver.uid),
            Form::Sender(sender) => sender.keep(event),
            _ => None,
        }
    }

    /// Calls a receiver that does not wait.
    fn call(&self, event: &mut E, conn: &mut C) -> Outcome {
        match self {
            Form::Each(receive) => receive(event),
            Form::EachOn(receive) => receive(event, conn),
            Form::Change(receive) => receive(event),
            Form::ChangeOn(receive) => receive(event, conn),
            Form::Batch(receive) => receive(std::slice::from_ref(event)),
            Form::BatchOn(receive) => receive(std::slice::from_ref(event), conn),
            Form::Sender(sender) => sender.call(event, conn),
            Form::Concrete(_) => Ok(()),
        }
    }
}

/// A receiver of a trait, with the trait forgotten.
trait Upcasting<E, C>: Send + Sync {
    fn keep(&self, event: &E) -> Option<Callback>;
    fn call(&self, event: &E, conn: &mut C) -> Outcome;
}

struct Upcast<E: 'static, C: 'static, T: ?Sized + 'static> {
    receive: HearsTrait<T, C>,
    upcast: fn(&E) -> &T,
}

enum HearsTrait<T: ?Sized + 'static, C> {
    Each(fn(&T) -> Outcome),
    EachOn(fn(&T, &mut C) -> Outcome),
    Deferred(fn(&T) -> Outcome),
}

impl<E: Clone + Send, C, T: ?Sized> Upcasting<E, C> for Upcast<E, C, T> {
    fn keep(&self, event: &E) -> Option<Callback> {
        let HearsTrait::Deferred(receive) = self.receive else {
            return None;
        };
        let (event, upcast) = (event.clone(), self.upcast);
        Some(Callback::Call(Box::new(move || receive(upcast(&event)))))
    }

    fn call(&self, event: &E, conn: &mut C) -> Outcome {
        match self.receive {
            HearsTrait::Each(receive) => receive((self.upcast)(event)),
            HearsTrait::EachOn(receive) => receive((self.upcast)(event), conn),
            HearsTrait::Deferred(_) => Ok(()),
        }
    }
}
