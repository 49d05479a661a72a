//! The order of a signal's receivers, which is the same in every build.

use std::collections::BTreeSet;

use super::Receiver;
use crate::error::RegistryError;

/// The receivers of one signal in the order in which they run: what `before` and `after` demand, and among
/// the rest by `order`, then `uid`. A uid that is not among them demands nothing.
///
/// # Errors
///
/// If two share a uid, or the demands form a cycle.
pub(crate) fn in_order(
    signal: &'static str,
    receivers: &[&'static Receiver],
) -> Result<Vec<&'static Receiver>, RegistryError> {
    let mut sorted = receivers.to_vec();
    sorted.sort_by_key(|it| (it.order, it.uid, it.file, it.line));
    unique(signal, &sorted)?;
    let order = arrange(signal, &sorted)?;
    Ok(order.into_iter().map(|index| sorted[index]).collect())
}

fn unique(signal: &'static str, receivers: &[&'static Receiver]) -> Result<(), RegistryError> {
    let place = |receiver: &Receiver| format!("{}:{}", receiver.file, receiver.line);
    for (index, first) in receivers.iter().enumerate() {
        let twin = receivers[index + 1..]
            .iter()
            .find(|it| it.uid == first.uid && !on_another_connection(first, it));
        if let Some(twin) = twin {
            let mut places = [place(first), place(twin)];
            places.sort();
            let [first_place, second_place] = places;
            return Err(RegistryError::DuplicateUid {
                uid: first.uid,
                signal,
                first: first_place,
                second: second_place,
            });
        }
    }
    Ok(())
}

/// Whether they are one function, with `connections(..)`: on a connection only one of them runs.
fn on_another_connection(one: &Receiver, other: &Receiver) -> bool {
    let place = |receiver: &Receiver| (receiver.file, receiver.line);
    place(one) == place(other) && (*one.handler).type_id() != (*other.handler).type_id()
}

/// The places of the receivers in the order in which they run; they come sorted by `order` and `uid`.
fn arrange(
    signal: &'static str,
    receivers: &[&'static Receiver],
) -> Result<Vec<usize>, RegistryError> {
    let earlier: Vec<BTreeSet<usize>> = receivers
        .iter()
        .map(|later| {
            let comes_first =
                |it: &Receiver| later.after.contains(&it.uid) || it.before.contains(&later.uid);
            (0..receivers.len())
                .filter(|index| comes_first(receivers[*index]))
                .collect()
        })
        .collect();
    let mut order = Vec::with_capacity(receivers.len());
    let mut left: BTreeSet<usize> = (0..receivers.len()).collect();
    while !left.is_empty() {
        let free = left
            .iter()
            .copied()
            .find(|index| earlier[*index].is_disjoint(&left));
        let Some(next) = free else {
            return Err(cycle(signal, receivers, &earlier, &left));
        };
        left.remove(&next);
        order.push(next);
    }
    Ok(order)
}

/// Each of those left waits for another of them, so whoever follows that comes round.
fn cycle(
    signal: &'static str,
    receivers: &[&'static Receiver],
    earlier: &[BTreeSet<usize>],
    left: &BTreeSet<usize>,
) -> RegistryError {
    let mut path: Vec<usize> = left.first().copied().into_iter().collect();
    while let Some(next) = path
        .last()
        .and_then(|last| earlier[*last].intersection(left).next())
    {
        if let Some(start) = path.iter().position(|it| it == next) {
            path.drain(..start);
            path.push(*next);
            break;
        }
        path.push(*next);
    }
    let names: Vec<_> = path.iter().rev().map(|it| receivers[*it].uid).collect();
    RegistryError::OrderCycle {
        signal,
        path: names.join(" -> "),
    }
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;

    use super::super::{EachOn, Handler, When};
    use super::*;

    const fn receiver(line: u32, handler: &'static dyn Handler) -> Receiver {
        Receiver {
            uid: "hear",
            order: 0,
            before: &[],
            after: &[],
            file: "mail.rs",
            line,
            signal: std::any::type_name::<u8>,
            signal_id: TypeId::of::<u8>,
            when: When::Now,
            fallible: false,
            compares: false,
            looks_back: false,
            handler,
        }
    }

    static ONE: Receiver = receiver(1, &EachOn::<u8, i32>(|_, _| Ok(())));
    static ON_ANOTHER_CONNECTION: Receiver = receiver(1, &EachOn::<u8, i64>(|_, _| Ok(())));
    static ANOTHER_FUNCTION: Receiver = receiver(2, &EachOn::<u8, i64>(|_, _| Ok(())));

    fn order(receivers: [&'static Receiver; 2]) -> Result<Vec<&'static Receiver>, RegistryError> {
        in_order("u8", &receivers)
    }

    #[test]
    fn a_function_keeps_its_uid_on_each_connection() {
        assert!(order([&ONE, &ON_ANOTHER_CONNECTION]).is_ok());
    }

    #[test]
    fn two_functions_of_one_uid_are_refused_whatever_their_connections() {
        assert!(order([&ONE, &ANOTHER_FUNCTION]).is_err());
        assert!(order([&ONE, &ONE]).is_err());
    }
}
