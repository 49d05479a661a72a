//! Loops where others would chain iterators: each model has an instance of every chain, and the dozen functions of
//! one are most of what the compiler would have to do.

/// What becomes of each.
pub(crate) fn each<'a, T, U>(all: &'a [T], mut turn: impl FnMut(&'a T) -> U) -> Vec<U> {
    let mut turned = Vec::with_capacity(all.len());
    for one in all {
        turned.push(turn(one));
    }
    turned
}

/// What becomes of each, given away.
pub(crate) fn turn_each<T, U>(all: Vec<T>, mut turn: impl FnMut(T) -> U) -> Vec<U> {
    let mut turned = Vec::with_capacity(all.len());
    for one in all {
        turned.push(turn(one));
    }
    turned
}

/// The same, until one fails.
pub(crate) fn try_each<T, U, E>(
    all: Vec<T>,
    mut turn: impl FnMut(T) -> Result<U, E>,
) -> Result<Vec<U>, E> {
    let mut turned = Vec::with_capacity(all.len());
    for one in all {
        turned.push(turn(one)?);
    }
    Ok(turned)
}
