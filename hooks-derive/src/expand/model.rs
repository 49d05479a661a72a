//! `Model`, and what registers it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Path};

use super::generated_at;
use crate::model::{Model, New, StoredOn};

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
    let hooked = hooked(model);
    let names = names(model);
    quote! {
        impl __hooks::Model for #name {
            type Pk = #pk;
            #new
            const INFO: __hooks::ModelInfo = __hooks::info(#text, #table);
            fn pk(&self) -> Self::Pk {
                #value
            }
        }
        #hooked
        __hooks::inventory::submit!(__hooks::ModelEntry::of::<#name>(#names));
    }
}

/// On which connection types it is stored, and as what, which only the compiler knows.
fn names(model: &Model<'_>) -> TokenStream {
    let name = model.name;
    match &model.stored_on {
        StoredOn::NoBackend => quote!(|_| ::core::option::Option::None),
        StoredOn::EveryBackend | StoredOn::Backends(_) => {
            quote!(__hooks::names!(__hooks, #name))
        }
        StoredOn::Connections(paths) => quote! {
            |__on| __hooks::first([#(__hooks::Names::<#name, #paths>::new().on(__on)),*])
        },
    }
}

/// Where the model keeps its receivers, for each connection type on which it has hooks.
fn hooked(model: &Model<'_>) -> TokenStream {
    let name = model.name;
    let bounds = match &model.stored_on {
        StoredOn::NoBackend => return TokenStream::new(),
        StoredOn::EveryBackend => quote!(__hooks::BuiltIn),
        StoredOn::Backends(names) => {
            let names = names.iter().map(|it| format_ident!("On{it}"));
            quote!(__hooks::BuiltIn + __hooks::OneOf<(#(__hooks::#names,)*)>)
        }
        StoredOn::Connections(connections) => return hooked_on(name, connections),
    };
    quote! {
        impl<__C: #bounds> __hooks::Hooked<__C> for #name {
            fn place() -> &'static __hooks::Place<Self, __C> {
                static PLACES: __hooks::Places<#name> = __hooks::Places::new();
                __C::place(&PLACES)
            }
        }
    }
}

fn hooked_on(name: &Ident, connections: &[Path]) -> TokenStream {
    quote! {
        #(
            impl __hooks::Hooked<#connections> for #name {
                fn place() -> &'static __hooks::Place<Self, #connections> {
                    static PLACE: __hooks::Place<#name, #connections> = __hooks::Place::new();
                    &PLACE
                }
            }
        )*
    }
}

/// The type that a row is created from.
fn new(model: &Model<'_>) -> TokenStream {
    match &model.new {
        New::Itself => {
            let name = model.name;
            quote!(type New = #name;)
        }
        New::Generated(name) => quote!(type New = #name;),
        New::Given(path) => given(path),
    }
}

/// Where a lifetime may be left out, so that it is our trait that says what is wrong with one, at the struct's name.
/// rustdoc would print it as it stands there.
fn given(path: &Path) -> TokenStream {
    let name = path.segments.last();
    let span = generated_at(name.map_or_else(|| path.span(), |it| it.ident.span()));
    quote_spanned! {span=>
        #[cfg(doc)]
        type New = #path;
        #[cfg(not(doc))]
        type New = <fn(#path) as __hooks::Takes>::Owned;
    }
}
