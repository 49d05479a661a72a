//! The one place that spells the path of what the output calls.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Path;

/// The module of hooks-core that is there for the output: through the facade, or through the crate that
/// `crate = path` names.
pub(crate) struct Runtime(TokenStream);

impl Runtime {
    pub(crate) fn new(facade: Option<&Path>) -> Self {
        Runtime(match facade {
            Some(path) => quote!(#path::__private),
            None => quote!(::diesel_hooks::__private),
        })
    }
}

impl ToTokens for Runtime {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}
