//! What a row is created from, asked for where a lifetime may be left out, so that a struct that has one can be told
//! from one that has none.

/// `fn(NewUser)`, of a `NewUser` that has no lifetime.
#[diagnostic::on_unimplemented(
    message = "a row is created from what it owns, and this struct borrows",
    label = "has a lifetime",
    note = "make the fields of this struct owned (`String` instead of `&str`), or leave `new = ..` out and the derive makes one"
)]
pub trait Takes {
    type Owned;
}

#[diagnostic::do_not_recommend]
impl<New> Takes for fn(New) {
    type Owned = New;
}

/// Nothing is.
pub trait Nothing {}

/// Of two impls, rustc looks for the one that holds, and tells what it has been told to say if none does. Of one, it
/// would say that it is not general enough.
#[diagnostic::do_not_recommend]
impl<F: Nothing> Takes for F {
    type Owned = F;
}
