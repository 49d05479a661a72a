//! What is wrong with what was compiled in, and can be told without a database.

use std::any::TypeId;
use std::collections::HashMap;

use super::names::{place, short};
use super::{ModelEntry, Registry};
use crate::error::RegistryError;
use crate::receiver::{Receiver, in_order};
use crate::signal;

/// Something that was compiled in and is probably not meant so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// Two registrations cannot both hold: every operation that they concern returns this error.
    #[error(transparent)]
    Contradiction(RegistryError),
    /// A receiver of a trait that no linked model extends: it never runs.
    #[error("receiver {uid} ({place}) never runs: no linked model sends {signal}")]
    NeverSent {
        /// The receiver's `dispatch_uid`.
        uid: &'static str,
        /// The signal that it waits for.
        signal: String,
        /// Where it stands, as `file:line`.
        place: String,
    },
    /// A `before` or `after` that says nothing, because no receiver that could run with this one has that
    /// `dispatch_uid`.
    #[error(
        "receiver {uid} ({place}) of {signal} says {demand} = {missing:?}, but no linked receiver of this signal has that dispatch_uid"
    )]
    UnknownUid {
        /// The receiver's `dispatch_uid`.
        uid: &'static str,
        /// The signal that it hears.
        signal: String,
        /// Which of the two it says.
        demand: Demand,
        /// The `dispatch_uid` that is missing.
        missing: &'static str,
        /// Where it stands, as `file:line`.
        place: String,
    },
}

/// What a receiver demands of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Demand {
    /// To run before it.
    Before,
    /// To run after it.
    After,
}

impl std::fmt::Display for Demand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Demand::Before => "before",
            Demand::After => "after",
        })
    }
}

impl Registry {
    /// What is wrong with what was compiled in, sorted; nothing, if all is well.
    ///
    /// It looks at registrations only: no receiver and no database is asked. A test that asserts that it is
    /// empty finds what the compiler cannot, because it sees one crate at a time.
    ///
    /// ```
    /// assert_eq!(diesel_hooks::registry().findings(), []);
    /// ```
    pub fn findings(self) -> Vec<Finding> {
        let together = Together::of(self);
        let mut findings = contradictions(&together);
        for receiver in self.receivers() {
            findings.extend(never_sent(receiver, &together));
            findings.extend(unknown_uids(receiver, &together));
        }
        findings.sort_by_cached_key(Finding::to_string);
        findings.dedup();
        findings
    }
}

/// Receivers that are called one after the other for one signal.
struct Group {
    signal: &'static str,
    receivers: Vec<&'static Receiver>,
}

/// Which receivers run together.
struct Together {
    groups: Vec<Group>,
    /// The types as which models send their signals.
    sent: Vec<TypeId>,
}

impl Together {
    fn of(registry: Registry) -> Self {
        let mut by_type: HashMap<TypeId, Vec<&'static Receiver>> = HashMap::new();
        for receiver in registry.receivers() {
            let receivers = by_type.entry((receiver.signal_id)()).or_default();
            receivers.push(receiver);
        }
        let (mut groups, mut sent) = (Vec::new(), Vec::new());
        for signal in inventory::iter::<ModelEntry>
            .into_iter()
            .flat_map(|it| (it.sends)())
        {
            let mut types = signal.types;
            // A model may extend a trait under two names.
            types.sort();
            types.dedup();
            let heard = types.iter().filter_map(|it| by_type.get(it));
            groups.push(Group {
                signal: signal.signal,
                receivers: heard.flatten().copied().collect(),
            });
            sent.extend(types);
        }
        by_type.retain(|signal, _| !sent.contains(signal));
        for receivers in by_type.into_values() {
            let signal = receivers.first().map_or("", |it| (it.signal)());
            groups.push(Group { signal, receivers });
        }
        Together { groups, sent }
    }
}

fn contradictions(together: &Together) -> Vec<Finding> {
    let of_models = inventory::iter::<ModelEntry>
        .into_iter()
        .filter_map(|it| (it.check)().err());
    let of_receivers = together
        .groups
        .iter()
        .filter_map(|it| in_order(it.signal, &it.receivers).err());
    of_models
        .chain(of_receivers)
        .map(Finding::Contradiction)
        .collect()
}

/// A concrete model is linked wherever a receiver names it; a trait may have none.
fn never_sent(receiver: &Receiver, together: &Together) -> Option<Finding> {
    let signal = (receiver.signal)();
    let is_of_models = signal
        .strip_prefix(signal::MODULE)
        .is_some_and(|it| it.starts_with("::"));
    (is_of_models && !together.sent.contains(&(receiver.signal_id)())).then(|| Finding::NeverSent {
        uid: receiver.uid,
        signal: short(signal),
        place: place(receiver.file, receiver.line),
    })
}

fn unknown_uids(receiver: &'static Receiver, together: &Together) -> Vec<Finding> {
    let is_it = |it: &&Receiver| std::ptr::eq(*it, receiver);
    let groups: Vec<_> = together
        .groups
        .iter()
        .filter(|group| group.receivers.iter().any(is_it))
        .collect();
    let is_known = |uid: &str| {
        let mut beside = groups.iter().flat_map(|group| &group.receivers);
        beside.any(|it| it.uid == uid)
    };
    let before = receiver.before.iter().map(|uid| (Demand::Before, *uid));
    let after = receiver.after.iter().map(|uid| (Demand::After, *uid));
    before
        .chain(after)
        .filter(|(_, uid)| !is_known(uid))
        .map(|(demand, missing)| Finding::UnknownUid {
            uid: receiver.uid,
            signal: short((receiver.signal)()),
            demand,
            missing,
            place: place(receiver.file, receiver.line),
        })
        .collect()
}
