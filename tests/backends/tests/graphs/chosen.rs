//! What `SetDefault` and `Set` make rows refer to.

use std::cell::Cell;

use backends::TestConnection;

use super::heard::Wanted;

/// The key that `SetDefault` names, in every model.
pub(crate) const DEFAULT: i32 = 1;

/// What the functions of `Set` answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Choice {
    Key(i32),
    /// The default, where there must be a key.
    Nothing,
    /// The same, where the function cannot fail.
    Failure,
}

impl Choice {
    pub(crate) fn key(self) -> Option<i32> {
        match self {
            Choice::Key(key) => Some(key),
            Choice::Nothing | Choice::Failure => None,
        }
    }
}

thread_local! {
    static CHOICE: Cell<Choice> = const { Cell::new(Choice::Nothing) };
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

pub(crate) fn choose(choice: Choice) {
    CHOICE.set(choice);
}

/// How often functions with a connection were asked since the last call.
pub(crate) fn asked() -> usize {
    ASKED.take()
}

pub(crate) fn some_number(_: &mut TestConnection) -> Result<Option<i32>, Wanted> {
    ASKED.set(ASKED.get() + 1);
    match CHOICE.get() {
        Choice::Failure => Err(Wanted),
        choice => Ok(choice.key()),
    }
}

pub(crate) fn number(conn: &mut TestConnection) -> Result<i32, Wanted> {
    some_number(conn).map(|it| it.unwrap_or(DEFAULT))
}

pub(crate) fn some_text() -> Option<String> {
    let key = CHOICE.get().key()?;
    Some(format!("n{key}"))
}

pub(crate) fn default_fox() -> i32 {
    DEFAULT
}

pub(crate) fn default_elm() -> i32 {
    DEFAULT
}

pub(crate) fn default_kelp() -> Option<i32> {
    Some(DEFAULT)
}

pub(crate) fn default_text() -> String {
    format!("n{DEFAULT}")
}
