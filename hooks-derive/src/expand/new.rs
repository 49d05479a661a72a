//! The insertable that the derive makes where the user names none.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Ident, LitBool, Member, Type};

use crate::model::{Field, Model, New, Storage};
use crate::naming;

/// The struct, and the impls that belong to it.
pub(super) fn generate(model: &Model<'_>) -> (TokenStream, TokenStream) {
    match &model.new {
        New::Generated(name) => (insertable(model, name), impls(model, name)),
        New::Itself | New::Given(_) => Default::default(),
    }
}

fn insertable(model: &Model<'_>, name: &Ident) -> TokenStream {
    let Model { vis, table, .. } = model;
    let doc = format!(" What a new `{}` is created from.", model.name.unraw());
    let fields: Vec<_> = model
        .inserted()
        .map(|field| declaration(model, field))
        .collect();
    let body = match model.is_tuple() {
        true => quote!((#(#fields),*);),
        false => quote!({ #(#fields),* }),
    };
    if fields.is_empty() {
        return quote! {
            #[doc = #doc]
            #[derive(::core::clone::Clone)]
            #vis struct #name #body
        };
    }
    // A statement that has the same text for every row stays prepared on the connection.
    let as_default = as_default(model.treat_none_as_default_value.as_ref());
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::diesel::Insertable)]
        #[diesel(table_name = #table, treat_none_as_default_value = #as_default)]
        #vis struct #name #body
    }
}

/// Diesel's derive cannot insert a row of nothing but defaults.
fn insertable_of_nothing(model: &Model<'_>, name: &Ident) -> Option<TokenStream> {
    let table = &model.table;
    model.inserted().next().is_none().then(|| {
        quote! {
            #[automatically_derived]
            impl ::diesel::Insertable<#table::table> for #name {
                type Values = ::diesel::query_builder::DefaultValues;
                fn values(self) -> Self::Values {
                    ::diesel::query_builder::DefaultValues
                }
            }
        }
    })
}

fn as_default(given: Option<&LitBool>) -> TokenStream {
    given.map_or_else(|| quote!(false), ToTokens::to_token_stream)
}

fn declaration(model: &Model<'_>, field: &Field<'_>) -> TokenStream {
    let Field { docs, ty, .. } = field;
    let vis = model.vis;
    let diesel = diesel_attr(field);
    let name = match &field.member {
        Member::Named(name) => quote!(#name:),
        Member::Unnamed(_) => TokenStream::new(),
    };
    quote!(#(#docs)* #diesel #vis #name #ty)
}

fn diesel_attr(field: &Field<'_>) -> Option<TokenStream> {
    let mut items = Vec::new();
    match (&field.storage, &field.member) {
        (Storage::Embedded, _) => items.push(quote!(embed)),
        (Storage::Column(column), Member::Named(name)) if column == name => {}
        (Storage::Column(column), _) => items.push(quote!(column_name = #column)),
        (Storage::Selected, _) => {}
    }
    if let Some(ty) = &field.serialize_as {
        items.push(quote!(serialize_as = #ty));
    }
    if let Some(value) = &field.treat_none_as_default_value {
        items.push(quote!(treat_none_as_default_value = #value));
    }
    (!items.is_empty()).then(|| quote!(#[diesel(#(#items),*)]))
}

/// `Default` and `Debug`, where all fields have them, and what Diesel does not derive.
fn impls(model: &Model<'_>, name: &Ident) -> TokenStream {
    let fields: Vec<_> = model.inserted().collect();
    let types = distinct(fields.iter().map(|field| field.ty));
    let text = name.to_string();
    let members: Vec<_> = fields
        .iter()
        .filter_map(|field| model.new_member(field))
        .collect();
    let insertable = insertable_of_nothing(model, name);
    let names = fields.iter().map(|field| naming::plain(&field.member));
    quote! {
        #insertable
        #[automatically_derived]
        impl ::core::default::Default for #name
        where
            #(for<'a> #types: __hooks::DefaultField<'a>,)*
        {
            fn default() -> Self {
                Self { #(#members: __hooks::default_field()),* }
            }
        }
        #[automatically_derived]
        impl ::core::fmt::Debug for #name
        where
            #(for<'a> #types: __hooks::DebugField<'a>,)*
        {
            fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                __f.debug_struct(#text)
                    #(.field(#names, __hooks::debug_field(&self.#members)))*
                    .finish()
            }
        }
    }
}

fn distinct<'a>(types: impl Iterator<Item = &'a Type>) -> Vec<&'a Type> {
    let mut distinct = Vec::new();
    for ty in types {
        if !distinct.contains(&ty) {
            distinct.push(ty);
        }
    }
    distinct
}
