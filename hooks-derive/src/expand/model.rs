//! `Model`, and what registers it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

use super::stored_on;
use crate::model::{Field, Model, New};

pub(super) fn generate(model: &Model<'_>) -> TokenStream {
    let name = model.name;
    let text = name.unraw().to_string();
    let table = model
        .table
        .segments
        .last()
        .map(|it| it.ident.unraw().to_string());
    let line = quote_spanned!(name.span()=> ::core::line!());
    let key = model.key();
    let pk = super::tuple(key.iter().map(|field| &field.ty));
    let new = new(model);
    let value = super::tuple(key.iter().map(|field| {
        let member = &field.member;
        quote!(::core::clone::Clone::clone(&self.#member))
    }));
    let public = key.iter().map(|field| is_public(model, field));
    let stored_on = stored_on(model);
    quote! {
        #[automatically_derived]
        impl __hooks::Model for #name {
            type Pk = #pk;
            type New = #new;
            const INFO: __hooks::ModelInfo =
                __hooks::ModelInfo::new(#text, #table, ::core::file!(), #line);
            fn pk(&self) -> Self::Pk {
                #value
            }
            fn key_of(__pk: &Self::Pk) -> __hooks::Key {
                __hooks::key(__pk, #(#public)&&*)
            }
        }
        __hooks::hooked!(#name #stored_on);
        __hooks::inventory::submit! {
            __hooks::ModelEntry(<#name as __hooks::Model>::INFO)
        }
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

fn is_public(model: &Model<'_>, field: &Field<'_>) -> TokenStream {
    let column = super::column(model, field);
    let ty = field.ty;
    quote!(__hooks::is_public::<::diesel::dsl::SqlTypeOf<#column>, #ty>())
}
