//! `Default` and `Debug` for a generated struct whose fields may lack them: a bound for every lifetime is
//! one that rustc accepts when it is false.

use std::fmt::Debug;

/// A field that has a default.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no default, which `auto_create` needs",
    label = "no `Default`",
    note = "derive `Default` for `{Self}`, or say what to create: `auto_create = path`, with `fn(&Parent) -> New`"
)]
pub trait DefaultField<'a>: Sized {
    fn default_field() -> Self;
}

impl<T: Default> DefaultField<'_> for T {
    fn default_field() -> Self {
        T::default()
    }
}

/// A field that can be shown.
pub trait DebugField<'a> {
    fn debug_field(&self) -> &dyn Debug;
}

impl<T: Debug> DebugField<'_> for T {
    fn debug_field(&self) -> &dyn Debug {
        self
    }
}
