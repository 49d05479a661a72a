use super::{
    Batch, BatchOn, Change, ChangeOn, Deferred, DeferredSender, Each, EachOn, Handler, Merged,
    Outcome, Receiver, When, places,
};
use crate::connection::{Callback, CallbackKind, Frame, RawConnection, nested, register, scoped};
use crate::error::{BoxError, Error, ReceiverError, RegistryError, Result};
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

/// Receivers on their way into a slot.
#[doc(hidden)]
pub struct Calls<E: 'static, C>(Vec<Call<E, C>>);

struct Call<E: 'static, C> {
    form: Form<E, C>,
    receiver: &'static Receiver,
}

type SenderOn<E, C> = Box<dyn Fn(&E, &mut C) -> Outcome + Send + Sync>;

enum Form<E: 'static, C> {
    Each(fn(&E) -> Outcome),
    EachOn(fn(&E, &mut C) -> Outcome),
    Change(fn(&mut E) -> Outcome),
    ChangeOn(fn(&mut E, &mut C) -> Outcome),
    Batch(fn(&[E]) -> Outcome),
    BatchOn(fn(&[E], &mut C) -> Outcome),
    Sender(Box<dyn Fn(&E) -> Outcome + Send + Sync>),
    SenderOn(SenderOn<E, C>),
    Deferred(Box<dyn Fn(&E) -> Callback + Send + Sync>),
    Merged(&'static Merged<E>),
}

impl<E: Signal, C: 'static> Slot<E, C> {
    /// Finds the receivers of this signal among all.
    pub(crate) fn collect() -> std::result::Result<Self, RegistryError> {
        let mut calls = Calls(Vec::new());
        for receiver in inventory::iter::<Receiver> {
            calls.push(receiver, Form::of(receiver.handler));
        }
        E::add_senders(&mut calls);
        let mut calls = calls.0;
        let mut receivers = Vec::with_capacity(calls.len());
        for call in &calls {
            receivers.push(call.receiver);
        }
        let from = places(E::NAME, &receivers)?;
        for place in 0..calls.len() {
            let mut source = from[place];
            // What stood in an earlier place was swapped for what belongs there.
            while source < place {
                source = from[source];
            }
            calls.swap(place, source);
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
    pub(crate) fn uids(&self) -> impl Iterator<Item = &'static str> {
        self.calls.iter().map(|call| call.receiver.uid)
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
                Form::Each(receive) => call.traced(|| receive(event)),
                Form::Change(receive) => call.traced(|| receive(event)),
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
        let connected = scoped::connected::<E, C>(conn);
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
    fn receive(&self, event: &mut E, conn: &mut C) -> Result<()> {
        let outcome = match &self.form {
            Form::Deferred(keep) => return self.defer(keep(event), conn),
            Form::Merged(merged) => {
                return self.defer(merged.keep(event, self.receiver.uid), conn);
            }
            form if form.takes_connection() => {
                self.nested(conn, &mut |conn| form.call(event, conn))?
            }
            form => self.traced(|| form.call(event, conn)),
        };
        outcome.map_err(|source| failed(Some(event), Some(self.receiver), source))
    }

    fn receive_many(&self, events: &mut [E], conn: &mut C) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let outcome = match self.form {
            Form::Batch(receive) => self.traced(|| receive(events)),
            Form::BatchOn(receive) => self.nested(conn, &mut |conn| receive(events, conn))?,
            _ => {
                return events
                    .iter_mut()
                    .try_for_each(|event| self.receive(event, conn));
            }
        };
        let sole = match &*events {
            [event] => Some(event),
            _ => None,
        };
        outcome.map_err(|source| failed(sole, Some(self.receiver), source))
    }

    fn traced(&self, receive: impl FnOnce() -> Outcome) -> Outcome {
        trace::receiver::<E>(self.receiver, receive)
    }

    /// Runs a receiver that has the connection, and so may cause others.
    fn nested(&self, conn: &mut C, receive: &mut dyn FnMut(&mut C) -> Outcome) -> Result<Outcome> {
        let frame = Frame::of::<E>(self.receiver.uid);
        nested(conn, frame, &mut |conn| self.traced(|| receive(conn)))
    }

    fn defer(&self, callback: Callback, conn: &mut C) -> Result<()> {
        let kind = match self.receiver.when {
            When::AfterRollback => CallbackKind::AfterRollback,
            _ => CallbackKind::AfterCommit,
        };
        register(conn, kind, Some(self.receiver.uid), callback)
    }
}

/// The error of a receiver, or of what was connected at run time.
#[cold]
pub(crate) fn failed<E: Signal>(
    event: Option<&E>,
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
        model: E::sender(),
        key: event.and_then(E::key),
        signal: E::NAME,
        receiver,
        file,
        line,
        source,
    }))
}

impl<E: Signal, C: 'static> Calls<E, C> {
    fn push(&mut self, receiver: &'static Receiver, form: Option<Form<E, C>>) {
        // A model may extend a trait under two names, or one that every model has.
        let is_there = |call: &Call<E, C>| std::ptr::eq(call.receiver, receiver);
        if let Some(form) = form
            && !self.0.iter().any(is_there)
        {
            self.0.push(Call { form, receiver });
        }
    }

    /// Adds the receivers of a signal that this one is, too.
    pub(super) fn add_sender<T: ?Sized + 'static>(&mut self, upcast: fn(&E) -> &T)
    where
        E: Clone + Send,
    {
        for receiver in inventory::iter::<Receiver> {
            self.push(receiver, Form::of_sender(receiver.handler, upcast));
        }
    }
}

impl<E: Signal, C: 'static> Form<E, C> {
    fn of(handler: &'static dyn Handler) -> Option<Self> {
        macro_rules! first_of {
            ($($form:ident: $handler:ty),*) => {
                $(if let Some(it) = handler.downcast_ref::<$handler>() {
                    return Some(Form::$form(it.0));
                })*
            };
        }
        first_of!(
            Each: Each<E>, EachOn: EachOn<E, C>, Change: Change<E>, ChangeOn: ChangeOn<E, C>,
            Batch: Batch<E>, BatchOn: BatchOn<E, C>
        );
        if let Some(deferred) = handler.downcast_ref::<Deferred<E>>() {
            return Some(Form::Deferred(Box::new(|event| deferred.keep(event))));
        }
        handler.downcast_ref().map(Form::Merged)
    }

    fn of_sender<T: ?Sized + 'static>(
        handler: &'static dyn Handler,
        upcast: fn(&E) -> &T,
    ) -> Option<Self>
    where
        E: Clone + Send,
    {
        if let Some(Each(receive)) = handler.downcast_ref::<Each<T>>() {
            return Some(Form::Sender(Box::new(move |event| receive(upcast(event)))));
        }
        if let Some(EachOn(receive)) = handler.downcast_ref::<EachOn<T, C>>() {
            return Some(Form::SenderOn(Box::new(move |event, conn| {
                receive(upcast(event), conn)
            })));
        }
        let DeferredSender(receive) = handler.downcast_ref::<DeferredSender<T>>()?;
        Some(Form::Deferred(Box::new(move |event| {
            let event = event.clone();
            Callback::Call(Box::new(move || receive(upcast(&event))))
        })))
    }

    /// Calls a receiver that does not wait for the end of the transaction.
    fn call(&self, event: &mut E, conn: &mut C) -> Outcome {
        match self {
            Form::Each(receive) => receive(event),
            Form::EachOn(receive) => receive(event, conn),
            Form::Change(receive) => receive(event),
            Form::ChangeOn(receive) => receive(event, conn),
            Form::Batch(receive) => receive(std::slice::from_ref(event)),
            Form::BatchOn(receive) => receive(std::slice::from_ref(event), conn),
            Form::Sender(receive) => receive(event),
            Form::SenderOn(receive) => receive(event, conn),
            Form::Deferred(_) | Form::Merged(_) => Ok(()),
        }
    }

    fn takes_connection(&self) -> bool {
        matches!(
            self,
            Form::EachOn(_) | Form::ChangeOn(_) | Form::BatchOn(_) | Form::SenderOn(_)
        )
    }
}
