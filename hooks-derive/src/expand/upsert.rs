//! What a row is created from, put into a row that is there.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{generated_at, tuple};
use crate::model::{Model, New};

/// Nothing for a model whose key the database makes.
pub(super) fn generate(model: &Model<'_>) -> Option<TokenStream> {
    let key = model.key_in_new()?;
    let name = model.name;
    let key = tuple(key.iter().map(|(field, member)| {
        // A struct of the user's own may lack it.
        let span = generated_at(field.span());
        quote_spanned!(span=> ::core::clone::Clone::clone(&__new.#member))
    }));
    let put = put(model);
    Some(quote! {
        #[automatically_derived]
        impl __hooks::Keyed for #name {
            fn new_pk(__new: &Self::New) -> Self::Pk {
                #key
            }
            #put
        }
    })
}

/// Nothing where only Diesel knows the columns.
fn put(model: &Model<'_>) -> Option<TokenStream> {
    if matches!(model.new, New::Given(_)) {
        return None;
    }
    // When the row was created stays.
    let fields = model
        .written()
        .filter(|field| model.inserts(field) && field.auto_now_add.is_none());
    let puts = fields.filter_map(|field| {
        let (member, new) = (&field.member, model.new_member(field)?);
        Some(quote!(self.#member = __new.#new;))
    });
    Some(quote! {
        fn put(&mut self, __new: Self::New) -> ::core::option::Option<Self::New> {
            #(#puts)*
            ::core::option::Option::None
        }
    })
}
