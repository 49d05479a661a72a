//! Callbacks of one receiver about one row that become one.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::hash::{Hash, Hasher};

use super::queue::{Callback, Entry};
use crate::failure::{CallbackKind, contain};
use crate::receiver::Outcome;

/// Says which callbacks are about the same: those of one receiver of one signal for one row.
pub(crate) struct Tag {
    receiver: &'static str,
    signal: TypeId,
    key: Box<dyn TagKey>,
}

/// What a row's callback collects until the transaction is over.
pub(crate) trait Mergeable: Any + Send {
    /// Takes in what happened to the row later; it has the same type, as its tag says.
    fn absorb(&mut self, later: Box<dyn Any>);

    /// Calls the receiver, unless nothing is left to tell: a row was created and deleted.
    fn run(self: Box<Self>) -> Option<Outcome>;
}

impl Tag {
    pub(crate) fn new<E: 'static, K>(receiver: &'static str, key: K) -> Self
    where
        K: Eq + Hash + Send + 'static,
    {
        Tag {
            receiver,
            signal: TypeId::of::<E>(),
            key: Box::new(key),
        }
    }
}

impl PartialEq for Tag {
    fn eq(&self, other: &Self) -> bool {
        self.receiver == other.receiver
            && self.signal == other.signal
            && self.key.is_same(&*other.key)
    }
}

impl Eq for Tag {}

impl Hash for Tag {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.receiver.hash(state);
        self.signal.hash(state);
        self.key.hash_into(state);
    }
}

/// A key of any type.
trait TagKey: Any + Send {
    fn is_same(&self, other: &dyn TagKey) -> bool;
    fn hash_into(&self, state: &mut dyn Hasher);
}

impl<K: Eq + Hash + Send + 'static> TagKey for K {
    fn is_same(&self, other: &dyn TagKey) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<K>() == Some(self)
    }

    fn hash_into(&self, mut state: &mut dyn Hasher) {
        self.hash(&mut state);
    }
}

/// What is to be called, in order: entries with one tag are called once, at the place of the first.
pub(super) fn fold(entries: Vec<Entry>) -> Vec<Folded> {
    let mut folded: Vec<Folded> = Vec::with_capacity(entries.len());
    let mut places = HashMap::new();
    for entry in entries {
        let Entry {
            kind,
            receiver,
            callback,
            ..
        } = entry;
        let call = match callback {
            Callback::Call(call) => Call::Once(call),
            Callback::Merged(tag, later) => match places.entry(tag) {
                Slot::Vacant(place) => {
                    place.insert(folded.len());
                    Call::Merged(later)
                }
                Slot::Occupied(place) => {
                    folded[*place.get()].absorb(kind, later);
                    continue;
                }
            },
        };
        folded.push(Folded { receiver, call });
    }
    folded
}

/// One call, for one callback or for several with one tag.
pub(super) struct Folded {
    receiver: Option<&'static str>,
    call: Call,
}

enum Call {
    Once(Box<dyn FnOnce() -> Outcome + Send>),
    Merged(Box<dyn Mergeable>),
}

impl Folded {
    fn absorb(&mut self, kind: CallbackKind, later: Box<dyn Mergeable>) {
        if let Call::Merged(first) = &mut self.call {
            contain(kind, self.receiver, || {
                first.absorb(later);
                Ok(())
            });
        }
    }

    /// Whether there was anything to call.
    pub(super) fn run(self, kind: CallbackKind) -> bool {
        let mut called = true;
        contain(kind, self.receiver, || match self.call {
            Call::Once(call) => call(),
            Call::Merged(merged) => merged.run().unwrap_or_else(|| {
                called = false;
                Ok(())
            }),
        });
        called
    }
}

/// How many calls these would be, if no row among them was created and deleted.
pub(super) fn count<'a>(callbacks: impl Iterator<Item = &'a Callback>) -> usize {
    let mut tags = std::collections::HashSet::new();
    callbacks
        .filter(|callback| match callback {
            Callback::Call(_) => true,
            Callback::Merged(tag, _) => tags.insert(tag),
        })
        .count()
}
