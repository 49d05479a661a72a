//! The macros of diesel-hooks, which re-exports them. Depend on that crate.

mod attr;
mod check;
mod diesel_attr;
mod errors;
mod expand;
mod model;
mod naming;
mod paths;
mod receiver;
#[cfg(test)]
mod token_soup;

use proc_macro::TokenStream;

/// Gives a Diesel model a lifecycle.
#[proc_macro_derive(Hooks, attributes(hooks, diesel))]
pub fn derive_hooks(input: TokenStream) -> TokenStream {
    expand::hooks(input.into()).into()
}

/// Makes a function hear a signal.
#[proc_macro_attribute]
pub fn receiver(options: TokenStream, item: TokenStream) -> TokenStream {
    receiver::receiver(options.into(), item.into()).into()
}
