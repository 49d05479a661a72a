//! What writes the fields with `auto_now_add` and `auto_now`; nothing for a model without them.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;

use super::{column, located};
use crate::model::{Field, Model, New, Storage};

/// The part of `Row` that stamps.
pub(super) fn generate(model: &Model<'_>) -> Option<TokenStream> {
    model.stamped().next()?;
    let is_generated = matches!(model.new, New::Generated(_));
    let types = model.stamped().map(|field| {
        let ty = field.ty;
        located(quote!(__hooks::timestamp::<#ty>();), ty.span())
    });
    let types = is_generated.then(|| quote!(#(#types)*));
    // A generated insertable leaves them out: the type of the fields tells them.
    let stamp_new = (!is_generated).then(|| {
        let sets = model.stamped().map(|field| set(field, quote!(__new)));
        quote! {
            fn stamp_new(__new: &mut Self::New, __at: __hooks::SystemTime) {
                #(#sets)*
            }
        }
    });
    let written: Vec<_> = model.stamped().filter(|it| it.auto_now.is_some()).collect();
    let stamp = (!written.is_empty()).then(|| {
        let sets = written.iter().map(|field| set(field, quote!(self)));
        quote! {
            fn stamp(&mut self, __at: __hooks::SystemTime) {
                #(#sets)*
            }
        }
    });
    Some(quote! {
        const STAMPED: bool = {
            #types
            true
        };
        #stamp_new
        #stamp
    })
}

/// What is wrong with the type is shown at the field's.
fn set(field: &Field<'_>, of: TokenStream) -> TokenStream {
    let member = &field.member;
    let stamp = located(quote!(__hooks::stamp(__at)), field.ty.span());
    quote!(#of.#member = #stamp;)
}

/// The type that tells a model's fields, and which of them the insertable leaves out.
pub(super) fn fields(model: &Model<'_>, fields: TokenStream) -> TokenStream {
    if !matches!(model.new, New::Generated(_)) {
        return fields;
    }
    let columns = model
        .stamped()
        .filter(|field| matches!(field.storage, Storage::Column(_)))
        .map(|field| stamp(model, field))
        .reduce(|left, right| quote!((#left, #right)));
    let Some(columns) = columns else {
        return fields;
    };
    match model.inserted().next() {
        Some(_) => quote!(__hooks::Stamped<#fields, #columns>),
        None => quote!(__hooks::OnlyStamped<#fields, #columns>),
    }
}

fn stamp(model: &Model<'_>, field: &Field<'_>) -> TokenStream {
    let column = column(model, field);
    let ty = field.ty;
    let stored = field.serialize_as.as_ref().map(|it| quote!(, #it));
    quote!(__hooks::Stamp<#column, #ty #stored>)
}
