use crate::connection::{CallbackKind, Frame, RawConnection};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::receiver::Outcome;

#[expect(
    clippy::extra_unused_type_parameters,
    reason = "with the feature it tells of the model"
)]
#[inline(always)]
pub(crate) fn operation<M: Model, C: RawConnection, T>(
    _name: &'static str,
    conn: &mut C,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T> {
    work(conn)
}

#[inline(always)]
pub(crate) fn receiver(_frame: Frame, receive: impl FnOnce() -> Outcome) -> Outcome {
    receive()
}

#[inline(always)]
pub(crate) fn callback(
    _kind: CallbackKind,
    _receiver: Option<&'static str>,
    work: impl FnOnce() -> Outcome,
) -> Outcome {
    work()
}

#[inline(always)]
pub(crate) fn muted(_uid: &str) {}

#[inline(always)]
pub(crate) fn muted_all() {}

#[inline(always)]
pub(crate) fn again(_attempt: u32, _error: &Error) {}
