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

#[diagnostic::do_not_recommend]
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

/// The default of a field.
pub fn default_field<'a, T: DefaultField<'a>>() -> T {
    T::default_field()
}

/// A field, to be shown.
pub fn debug_field<'a, T: DebugField<'a>>(field: &T) -> &dyn Debug {
    field.debug_field()
}
