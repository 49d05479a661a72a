//! A relation: the type that stands for it, and the accessors.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Ident, Path};

use super::{column, model::new, stored_on};
use crate::attr::{AutoCreate, OnDelete};
use crate::model::{Field, Model, Relation};
use crate::naming;

pub(super) fn generate(model: &Model<'_>, field: &Field<'_>, relation: &Relation) -> TokenStream {
    let marker = naming::relation_of(&field.member);
    let reference = reference(model, field, relation, &marker);
    let forward = relation
        .accessor(field)
        .map(|name| forward(model, relation, &marker, &name));
    let reverse = relation
        .related_name
        .as_ref()
        .map(|name| reverse(model, relation, &marker, name));
    quote!(#reference #forward #reverse)
}

fn reference(
    model: &Model<'_>,
    field: &Field<'_>,
    relation: &Relation,
    marker: &Ident,
) -> TokenStream {
    let Relation { parent, .. } = relation;
    let Field { member, ty, .. } = field;
    let name = model.name;
    let column = column(model, field);
    let text = naming::plain(member);
    // Where it is missing or wrong, that is reported already.
    let on_delete = relation.on_delete.unwrap_or(OnDelete::Protect);
    let auto_create = relation
        .auto_create
        .as_ref()
        .map(|it| auto_create(model, field, relation, it));
    let stored_on = stored_on(model);
    quote! {
        struct #marker;
        #[automatically_derived]
        impl __hooks::Reference for #marker {
            type Parent = #parent;
            type Child = #name;
            type Column = #column;
            const FIELD: &'static str = #text;
            const ON_DELETE: __hooks::OnDelete = __hooks::OnDelete::#on_delete;
            #auto_create
            fn parent_key(__child: &#name) -> ::core::option::Option<__hooks::ParentKey<Self>> {
                <#ty as __hooks::RefersTo<_>>::referred(&__child.#member)
            }
        }
        __hooks::inventory::submit!(__hooks::RelationEntry::of::<#marker>(__hooks::relation_on!(#marker #stored_on)));
    }
}

fn auto_create(
    model: &Model<'_>,
    field: &Field<'_>,
    relation: &Relation,
    how: &AutoCreate,
) -> TokenStream {
    let Relation { parent, .. } = relation;
    let name = model.name;
    let made = match how {
        AutoCreate::By(path) => quote!(FromParent(#path)),
        AutoCreate::Default(_) => default_that_refers(model, field, how),
    };
    quote! {
        const AUTO_CREATE: __hooks::AutoCreate<#parent, #name> = __hooks::AutoCreate::#made;
    }
}

/// A default one whose field of the relation's name is set to the parent's key.
fn default_that_refers(model: &Model<'_>, field: &Field<'_>, how: &AutoCreate) -> TokenStream {
    let Some(member) = model.new_member(field) else {
        return quote!(No);
    };
    let new = new(model);
    let default = quote_spanned!(how.span()=> <#new as ::core::default::Default>::default());
    quote! {
        FromKey(|__key| {
            let mut __new = #default;
            __new.#member = ::core::convert::Into::into(__key);
            __new
        })
    }
}

fn forward(
    model: &Model<'_>,
    relation: &Relation,
    marker: &Ident,
    accessor: &Ident,
) -> TokenStream {
    let Relation { parent, .. } = relation;
    let Model { name, vis, .. } = model;
    let doc = format!(" The [`{}`] that this row refers to.", last(parent));
    quote! {
        #[automatically_derived]
        impl #name {
            #[doc = #doc]
            #vis fn #accessor<__C: __hooks::HookConnection>(
                &self,
                __conn: &mut __C,
            ) -> __hooks::Result<#parent>
            where
                #parent: __hooks::Persist<__C::Raw>,
            {
                __hooks::parent::<#marker, __C>(__conn, self)
            }
        }
    }
}

fn reverse(
    model: &Model<'_>,
    relation: &Relation,
    marker: &Ident,
    related_name: &Ident,
) -> TokenStream {
    let Relation { parent, .. } = relation;
    let Model { name, vis, .. } = model;
    let doc = format!(" The [`{}`] that refers to this row.", name.unraw());
    quote! {
        #[automatically_derived]
        impl #parent {
            #[doc = #doc]
            #vis fn #related_name<__C: __hooks::HookConnection>(
                &self,
                __conn: &mut __C,
            ) -> __hooks::Result<#name>
            where
                #marker: __hooks::Referring<__C::Raw>,
            {
                __hooks::child::<#marker, __C>(__conn, self)
            }
        }
    }
}

fn last(path: &Path) -> String {
    path.segments
        .last()
        .map(|it| it.ident.unraw().to_string())
        .unwrap_or_default()
}
