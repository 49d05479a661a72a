//! `Model`, and what registers it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use super::stored_on;
use crate::model::{Model, New};

pub(super) fn generate(model: &Model<'_>) -> TokenStream {
    let name = model.name;
    let text = name.unraw().to_string();
    let table = model
        .table
        .segments
        .last()
        .map(|it| it.ident.unraw().to_string());
    let key = model.key();
    let pk = super::tuple(key.iter().map(|field| &field.ty));
    let new = new(model);
    let value = super::tuple(key.iter().map(|field| {
        let member = &field.member;
        quote!(::core::clone::Clone::clone(&self.#member))
    }));
    let stored_on = stored_on(model);
    quote! {
        #[automatically_derived]
        impl __hooks::Model for #name {
            type Pk = #pk;
            type New = #new;
            const INFO: __hooks::ModelInfo = __hooks::info!(#text, #table);
            fn pk(&self) -> Self::Pk {
                #value
            }
        }
        __hooks::hooked!(#name #stored_on);
        __hooks::inventory::submit!(__hooks::ModelEntry(<#name as __hooks::Model>::INFO));
    }
}

/// The type that a row is created from.
pub(super) fn new(model: &Model<'_>) -> TokenStream {
    match &model.new {
        New::Itself => {
            let name = model.name;
            quote!(#name)
        }
        New::Given(path) => quote!(#path),
        New::Generated(name) => quote!(#name),
    }
}
