//! `Row`: the columns of a model.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Index;
use syn::spanned::Spanned;

use super::{column, located, relation, tuple};
use crate::model::{Field, Model, New, Storage};

pub(super) fn generate(model: &Model<'_>) -> TokenStream {
    let Model { name, table, .. } = model;
    let (filter_type, filter) = filter(model);
    let pk_columns = tuple(model.key().into_iter().map(|field| column(model, field)));
    let written: Vec<_> = model.written().collect();
    let set_types = written.iter().map(|field| set_type(model, field));
    let changeset = changeset(&written);
    let fields = super::stamps::fields(model, fields(model));
    let stamps = super::stamps::generate(model);
    let relations = relations(model);
    let key_of_new = key_of_new(model);
    let keep_unwritten = keep_unwritten(model);
    let differing = differing(&written);
    let check_embedded = check_embedded(model, &written);
    let senders = senders(model);
    quote! {
        impl __hooks::Row for #name {
            type Table = #table::table;
            type PkFilter = #filter_type;
            type PkColumns = #pk_columns;
            type Fields = #fields;
            type Changeset<'a> = (#(#set_types,)*);
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
            #key_of_new
            #keep_unwritten
            #stamps
            #check_embedded
            #senders
            __hooks::json!(__hooks);
        }
    }
}

/// The condition that the key is this one, as a type and as a value.
fn filter(model: &Model<'_>) -> (TokenStream, TokenStream) {
    let key = model.key();
    let single = key.len() == 1;
    let columns = key.iter().map(|field| column(model, field));
    let (types, values): (Vec<_>, Vec<_>) = key
        .iter()
        .enumerate()
        .map(|(index, field)| {
            let index = Index::from(index);
            stored(
                field,
                if single {
                    quote!(__pk)
                } else {
                    quote!(__pk.#index)
                },
            )
        })
        .unzip();
    (
        quote!(__hooks::Is<(#(#columns,)*), (#(#types,)*)>),
        quote!(__hooks::Is::new((#(#values,)*))),
    )
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

/// A field need not have `PartialEq`: the method that is found first asks for it.
fn differing(written: &[&Field<'_>]) -> TokenStream {
    if written.is_empty() {
        return quote!(__hooks::ColumnSet::first(0));
    }
    let members = written.iter().map(|field| &field.member);
    quote! {
        __hooks::ColumnSet::from_flags([
            #(__hooks::Compare(&self.#members, &__other.#members).differs()),*
        ])
    }
}

fn relations(model: &Model<'_>) -> Option<TokenStream> {
    let markers: Vec<_> = model
        .sound_relations()
        .map(|(fields, it)| relation::marker(model, &fields, it))
        .collect();
    (!markers.is_empty()).then(|| {
        quote! {
            const RELATIONS: __hooks::Entries =
                &[#(__hooks::relation::<#markers>()),*];
        }
    })
}

/// Nothing where the database makes the key, or nobody knows: of an insertable that the user wrote, nothing is
/// known but its name, unless the key's fields are said to be `assigned`.
fn key_of_new(model: &Model<'_>) -> Option<TokenStream> {
    let key = model.key();
    let known = |field: &&Field<'_>| model.inserts_value_of(field) && field.serialize_as.is_none();
    if matches!(model.new, New::Given(_)) {
        model.key_in_new()?;
        return Some(quote! {
            fn key_of_new(__new: &Self::New) -> ::core::option::Option<Self::Pk> {
                ::core::option::Option::Some(<Self as __hooks::Keyed>::new_pk(__new))
            }
        });
    }
    if !key.iter().all(known) {
        return None;
    }
    let members: Option<Vec<_>> = key.iter().map(|field| model.new_member(field)).collect();
    let members = members?;
    let value = tuple(
        members
            .iter()
            .map(|it| quote!(::core::clone::Clone::clone(&__new.#it))),
    );
    Some(quote! {
        fn key_of_new(__new: &Self::New) -> ::core::option::Option<Self::Pk> {
            ::core::option::Option::Some(#value)
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

/// Nothing for a model that sends as itself alone.
fn senders(model: &Model<'_>) -> Option<TokenStream> {
    let traits = &model.extends;
    // A trait that it does not implement is reported at that trait.
    let models = traits.iter().map(|it| located(model.name, it.span()));
    let senders = traits.iter().map(|it| {
        let keyword = located(quote!(dyn), it.span());
        quote!(#keyword #it)
    });
    (!traits.is_empty()).then(|| {
        quote! {
            fn senders<__V: __hooks::Senders<Self>>(__visitor: &mut __V) {
                #(__hooks::upcast!(__visitor, #models, #traits, #senders);)*
            }
        }
    })
}

/// An expression for a field is known to `Selectable` alone.
fn fields(model: &Model<'_>) -> TokenStream {
    let selected = |field: &Field<'_>| matches!(field.storage, Storage::Selected);
    if model.fields.iter().any(selected) {
        return quote!(__hooks::AsSelectable<Self>);
    }
    let types = model.fields.iter().map(|field| match field.storage {
        Storage::Embedded => {
            let ty = field.ty;
            quote!(__hooks::Embedded<#ty>)
        }
        _ => column(model, field),
    });
    quote!((#(#types,)*))
}
