//! Functions that hear signals, and how they are found and called.
//!
//! `#[receiver]` registers one [`Receiver`] for the whole program, whatever the crate it stands in. The
//! first operation of a model on a connection type collects the receivers of that pair into a
//! slot for each signal; from then on sending is a walk along a slice.

use std::any::Any;

use crate::error::{BoxError, Error, ReceiverError, RegistryError, Result};
use crate::signal::Signal;

/// A receiver as `#[receiver]` registers it.
pub struct Receiver {
    /// Its identifier, unique among the receivers of a signal.
    pub uid: &'static str,
    /// Receivers with a lower number run first; those with the same run by `uid`.
    pub order: i32,
    /// The file in which it stands.
    pub file: &'static str,
    /// The line of that file.
    pub line: u32,
    /// The signal's full type name.
    #[doc(hidden)]
    pub signal: fn() -> &'static str,
    /// Whether it may return an error.
    #[doc(hidden)]
    pub fallible: bool,
    #[doc(hidden)]
    pub handler: &'static (dyn Any + Send + Sync),
}

inventory::collect!(Receiver);

/// What a receiver's function returned, whatever its return type.
#[doc(hidden)]
pub type Outcome = std::result::Result<(), BoxError>;

/// What a receiver may return.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a receiver or callback cannot return `{Self}`",
    label = "not `()` or a `Result<(), E>`",
    note = "return nothing, `diesel_hooks::Result`, or a `Result<(), E>` whose error converts into `Box<dyn Error + Send + Sync>`"
)]
pub trait IntoOutcome {
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for () {
    #[inline]
    fn into_outcome(self) -> Outcome {
        Ok(())
    }
}

impl<E: Into<BoxError>> IntoOutcome for std::result::Result<(), E> {
    #[inline]
    fn into_outcome(self) -> Outcome {
        self.map_err(Into::into)
    }
}

/// `fn(&E)`
#[doc(hidden)]
pub struct Each<E>(pub fn(&E) -> Outcome);
/// `fn(&E, &mut C)`
#[doc(hidden)]
pub struct EachOn<E, C>(pub fn(&E, &mut C) -> Outcome);
/// `fn(&mut E)`
#[doc(hidden)]
pub struct Change<E>(pub fn(&mut E) -> Outcome);
/// `fn(&mut E, &mut C)`
#[doc(hidden)]
pub struct ChangeOn<E, C>(pub fn(&mut E, &mut C) -> Outcome);
/// `fn(&[E])`
#[doc(hidden)]
pub struct Batch<E>(pub fn(&[E]) -> Outcome);
/// `fn(&[E], &mut C)`
#[doc(hidden)]
pub struct BatchOn<E, C>(pub fn(&[E], &mut C) -> Outcome);

/// The receivers of one signal on one connection type, in the order in which they run.
pub(crate) struct Slot<E, C> {
    calls: Box<[Call<E, C>]>,
}

struct Call<E, C> {
    form: Form<E, C>,
    receiver: &'static Receiver,
}

enum Form<E, C> {
    Each(fn(&E) -> Outcome),
    EachOn(fn(&E, &mut C) -> Outcome),
    Change(fn(&mut E) -> Outcome),
    ChangeOn(fn(&mut E, &mut C) -> Outcome),
    Batch(fn(&[E]) -> Outcome),
    BatchOn(fn(&[E], &mut C) -> Outcome),
}

impl<E: Signal, C: 'static> Slot<E, C> {
    /// Finds the receivers of this signal among all.
    pub(crate) fn collect() -> std::result::Result<Self, RegistryError> {
        let mut calls: Vec<Call<E, C>> = inventory::iter::<Receiver>
            .into_iter()
            .filter_map(|receiver| {
                Some(Call {
                    form: Form::of(receiver.handler)?,
                    receiver,
                })
            })
            .collect();
        calls.sort_by_key(|call| (call.receiver.order, call.receiver.uid));
        unique(&calls)?;
        Ok(Slot {
            calls: calls.into(),
        })
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Whether one of them may return an error.
    pub(crate) fn can_fail(&self) -> bool {
        self.calls.iter().any(|call| call.receiver.fallible)
    }

    /// Whether one of them takes the connection.
    pub(crate) fn takes_connection(&self) -> bool {
        let takes = |form: &Form<E, C>| {
            matches!(form, Form::EachOn(_) | Form::ChangeOn(_) | Form::BatchOn(_))
        };
        self.calls.iter().any(|call| takes(&call.form))
    }

    /// Calls every receiver with one event.
    #[inline]
    pub(crate) fn send(&self, event: &mut E, conn: &mut C) -> Result<()> {
        match self.is_empty() {
            true => Ok(()),
            false => self.call_each(event, conn),
        }
    }

    fn call_each(&self, event: &mut E, conn: &mut C) -> Result<()> {
        for call in &self.calls {
            if let Err(source) = call.receive(event, conn) {
                return Err(call.error(Some(event), source));
            }
        }
        Ok(())
    }

    /// Calls every receiver: one after the other, each with all events.
    pub(crate) fn send_many(&self, events: &mut [E], conn: &mut C) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        for call in &self.calls {
            match call.form {
                Form::Batch(receive) => {
                    receive(events).map_err(|source| call.error(None, source))?
                }
                Form::BatchOn(receive) => {
                    receive(events, conn).map_err(|source| call.error(None, source))?
                }
                _ => {
                    for event in &mut *events {
                        call.receive(event, conn)
                            .map_err(|source| call.error(Some(event), source))?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl<E: Signal, C: 'static> Call<E, C> {
    #[inline]
    fn receive(&self, event: &mut E, conn: &mut C) -> Outcome {
        match self.form {
            Form::Each(receive) => receive(event),
            Form::EachOn(receive) => receive(event, conn),
            Form::Change(receive) => receive(event),
            Form::ChangeOn(receive) => receive(event, conn),
            Form::Batch(receive) => receive(std::slice::from_ref(event)),
            Form::BatchOn(receive) => receive(std::slice::from_ref(event), conn),
        }
    }

    #[cold]
    fn error(&self, event: Option<&E>, source: BoxError) -> Error {
        use crate::model::Model;

        Error::Receiver(Box::new(ReceiverError {
            model: E::Model::INFO.name,
            key: event.and_then(E::key),
            signal: E::NAME,
            receiver: self.receiver.uid,
            file: self.receiver.file,
            line: self.receiver.line,
            source,
        }))
    }
}

impl<E: 'static, C: 'static> Form<E, C> {
    fn of(handler: &'static (dyn Any + Send + Sync)) -> Option<Self> {
        None.or_else(|| handler.downcast_ref::<Each<E>>().map(|it| Form::Each(it.0)))
            .or_else(|| {
                handler
                    .downcast_ref::<EachOn<E, C>>()
                    .map(|it| Form::EachOn(it.0))
            })
            .or_else(|| {
                handler
                    .downcast_ref::<Change<E>>()
                    .map(|it| Form::Change(it.0))
            })
            .or_else(|| {
                handler
                    .downcast_ref::<ChangeOn<E, C>>()
                    .map(|it| Form::ChangeOn(it.0))
            })
            .or_else(|| {
                handler
                    .downcast_ref::<Batch<E>>()
                    .map(|it| Form::Batch(it.0))
            })
            .or_else(|| {
                handler
                    .downcast_ref::<BatchOn<E, C>>()
                    .map(|it| Form::BatchOn(it.0))
            })
    }
}

fn unique<E: Signal, C>(calls: &[Call<E, C>]) -> std::result::Result<(), RegistryError> {
    let place = |receiver: &Receiver| format!("{}:{}", receiver.file, receiver.line);
    for (index, call) in calls.iter().enumerate() {
        let twin = calls[index + 1..]
            .iter()
            .find(|it| it.receiver.uid == call.receiver.uid);
        if let Some(twin) = twin {
            let mut places = [place(call.receiver), place(twin.receiver)];
            places.sort();
            let [first, second] = places;
            return Err(RegistryError::DuplicateUid {
                uid: call.receiver.uid,
                signal: E::NAME,
                first,
                second,
            });
        }
    }
    Ok(())
}
