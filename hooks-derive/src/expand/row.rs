//! `Row` and `Select`: the columns of a model.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Index;

use super::{column, tuple};
use crate::model::{Field, Model, Storage};
use crate::naming;

pub(super) fn generate(model: &Model<'_>) -> TokenStream {
    let row = row(model);
    let select = select(model);
    quote!(#row #select)
}

fn row(model: &Model<'_>) -> TokenStream {
    let Model { name, table, .. } = model;
    let (filter_type, filter) = filter(model);
    let pk_columns = tuple(model.key().into_iter().map(|field| column(model, field)));
    let written: Vec<_> = model.written().collect();
    let set_types = written.iter().map(|field| set_type(model, field));
    let changeset = changeset(&written);
    let key = model.key();
    let key = key.iter().map(|field| sql_name(model, field));
    let names = written.iter().map(|field| sql_name(model, field));
    let relations = relations(model);
    let keep_unwritten = keep_unwritten(model);
    let differing = differing(&written);
    let check_embedded = check_embedded(model, &written);
    quote! {
        #[automatically_derived]
        impl __hooks::Row for #name {
            type Table = #table::table;
            type PkFilter = #filter_type;
            type PkColumns = #pk_columns;
            type Changeset<'a> = (#(#set_types,)*);
            const KEY: &'static [&'static str] = &[#(#key),*];
            const COLUMNS: &'static [&'static str] = &[#(#names),*];
            #relations
            fn pk_filter(__pk: Self::Pk) -> Self::PkFilter {
                #filter
            }
            fn changeset(&self, __columns: __hooks::ColumnSet) -> Self::Changeset<'_> {
                #changeset
            }
            fn differing(&self, __other: &Self) -> __hooks::ColumnSet {
                #differing
            }
            #keep_unwritten
            #check_embedded
        }
    }
}

/// `key = ?`, as a type and as a value, for each column of the key.
fn filter(model: &Model<'_>) -> (TokenStream, TokenStream) {
    let key = model.key();
    let single = key.len() == 1;
    let terms = key.iter().enumerate().map(|(index, field)| {
        let column = column(model, field);
        let index = Index::from(index);
        let part = match single {
            true => quote!(__pk),
            false => quote!(__pk.#index),
        };
        let (ty, value) = stored(field, part);
        let eq = quote!(__hooks::eq::<#column, _>(#value));
        (quote!(::diesel::dsl::Eq<#column, #ty>), eq)
    });
    let and = |(left_type, left): (TokenStream, TokenStream), (right_type, right)| {
        (
            quote!(::diesel::dsl::And<#left_type, #right_type>),
            quote!(::diesel::BoolExpressionMethods::and(#left, #right)),
        )
    };
    terms.reduce(and).unwrap_or_default()
}

/// An owned value as its column takes it.
fn stored(field: &Field<'_>, value: TokenStream) -> (TokenStream, TokenStream) {
    match &field.serialize_as {
        Some(ty) => (
            quote!(#ty),
            quote!(::core::convert::Into::<#ty>::into(#value)),
        ),
        None => {
            let ty = field.ty;
            (quote!(#ty), value)
        }
    }
}

/// A unit that is written out is a mistake to clippy.
fn changeset(written: &[&Field<'_>]) -> Option<TokenStream> {
    let sets = written
        .iter()
        .enumerate()
        .map(|(index, field)| set(index, field));
    (!written.is_empty()).then(|| quote!((#(#sets,)*)))
}

fn set_type(model: &Model<'_>, field: &Field<'_>) -> TokenStream {
    let ty = field.ty;
    if matches!(field.storage, Storage::Embedded) {
        return quote!(__hooks::SetEmbedded<&'a #ty>);
    }
    let column = column(model, field);
    match &field.serialize_as {
        Some(ty) => quote!(__hooks::SetIf<#column, #ty>),
        None => quote!(__hooks::SetIf<#column, &'a #ty>),
    }
}

fn set(index: usize, field: &Field<'_>) -> TokenStream {
    let member = &field.member;
    if matches!(field.storage, Storage::Embedded) {
        return quote!(__columns.set_embedded(#index, &self.#member));
    }
    if field.serialize_as.is_none() {
        return quote!(__columns.set(#index, &self.#member));
    }
    let (_, value) = stored(field, quote!(::core::clone::Clone::clone(&self.#member)));
    quote!(__columns.set(#index, #value))
}

/// What the column is called in SQL; an embedded struct has several, and no name.
fn sql_name(model: &Model<'_>, field: &Field<'_>) -> TokenStream {
    match field.storage {
        Storage::Embedded => quote!(""),
        _ => {
            let column = column(model, field);
            quote!(__hooks::name::<#column>())
        }
    }
}

/// The method that is found first asks `PartialEq`, which a field need not have.
fn differing(written: &[&Field<'_>]) -> TokenStream {
    if written.is_empty() {
        return quote!(__hooks::ColumnSet::first(0));
    }
    let members = written.iter().map(|field| &field.member);
    quote! {
        use __hooks::{AlwaysDiffers as _, Compare, Differs as _};
        __hooks::ColumnSet::from_flags([
            #((&Compare(&self.#members, &__other.#members)).differs()),*
        ])
    }
}

fn relations(model: &Model<'_>) -> Option<TokenStream> {
    let markers: Vec<_> = model
        .sound_relations()
        .map(|(field, _)| naming::relation_of(&field.member))
        .collect();
    (!markers.is_empty()).then(|| {
        quote! {
            const RELATIONS: &'static [__hooks::RelationEntry] =
                &[#(__hooks::RelationEntry::of::<#markers>()),*];
        }
    })
}

/// Nothing for a model whose fields are all written.
fn keep_unwritten(model: &Model<'_>) -> Option<TokenStream> {
    let members: Vec<_> = model.unwritten().map(|field| &field.member).collect();
    (!members.is_empty()).then(|| {
        quote! {
            fn keep_unwritten(&mut self, __before: &Self) {
                #(self.#members = ::core::clone::Clone::clone(&__before.#members);)*
            }
        }
    })
}

/// Nothing for a model without embedded structs.
fn check_embedded(model: &Model<'_>, written: &[&Field<'_>]) -> Option<TokenStream> {
    let embedded = written
        .iter()
        .filter(|field| matches!(field.storage, Storage::Embedded));
    let checks: Vec<_> = embedded
        .map(|field| {
            let (ty, member) = (field.ty, &field.member);
            let name = model.name;
            quote!(__hooks::writes_none::<#ty>(::core::concat!(::core::stringify!(#name), ".", ::core::stringify!(#member)))?;)
        })
        .collect();
    (!checks.is_empty()).then(|| {
        quote! {
            fn check_embedded() -> ::core::result::Result<(), __hooks::RegistryError> {
                #(#checks)*
                ::core::result::Result::Ok(())
            }
        }
    })
}

fn select(model: &Model<'_>) -> TokenStream {
    let name = model.name;
    if model
        .fields
        .iter()
        .any(|field| matches!(field.storage, Storage::Selected))
    {
        return select_as_diesel_does(model);
    }
    let embedded = model
        .fields
        .iter()
        .filter(|field| matches!(field.storage, Storage::Embedded));
    let embedded = embedded.map(|field| field.ty);
    let types = model.fields.iter().map(|field| selected_type(model, field));
    let selection = selection(model);
    quote! {
        #[automatically_derived]
        impl<__DB: ::diesel::backend::Backend> __hooks::Select<__DB> for #name
        where
            #(#embedded: ::diesel::Selectable<__DB>,)*
        {
            type Selection = (#(#types,)*);
            fn selection() -> Self::Selection {
                #selection
            }
        }
    }
}

/// Columns are all type, and the standard library knows the default of a tuple of twelve.
fn selection(model: &Model<'_>) -> TokenStream {
    let columns_only = model
        .fields
        .iter()
        .all(|field| matches!(field.storage, Storage::Column(_)));
    if columns_only && model.fields.len() <= 12 {
        return quote!(::core::default::Default::default());
    }
    let values = model.fields.iter().map(|field| selected(model, field));
    quote!((#(#values,)*))
}

/// An expression for a field is known to `Selectable` alone.
fn select_as_diesel_does(model: &Model<'_>) -> TokenStream {
    let name = model.name;
    quote! {
        #[automatically_derived]
        impl<__DB: ::diesel::backend::Backend> __hooks::Select<__DB> for #name
        where
            #name: ::diesel::Selectable<__DB>,
        {
            type Selection = <#name as ::diesel::Selectable<__DB>>::SelectExpression;
            fn selection() -> Self::Selection {
                <#name as ::diesel::Selectable<__DB>>::construct_selection()
            }
        }
    }
}

fn selected_type(model: &Model<'_>, field: &Field<'_>) -> TokenStream {
    match field.storage {
        Storage::Embedded => {
            let ty = field.ty;
            quote!(<#ty as ::diesel::Selectable<__DB>>::SelectExpression)
        }
        _ => column(model, field),
    }
}

fn selected(model: &Model<'_>, field: &Field<'_>) -> TokenStream {
    match field.storage {
        Storage::Embedded => {
            let ty = field.ty;
            quote!(<#ty as ::diesel::Selectable<__DB>>::construct_selection())
        }
        _ => {
            let column = column(model, field);
            quote!(__hooks::column::<#column>())
        }
    }
}
