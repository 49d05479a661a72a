//! A relation: the type that stands for it, and the accessors.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Path};

use super::{column, generated_at, located, model::new};
use crate::attr::{AutoCreate, OnDelete};
use crate::model::{Field, Model, New, Relation, StoredOn};
use crate::naming;

pub(super) fn generate(model: &Model<'_>, field: &Field<'_>, relation: &Relation) -> TokenStream {
    let marker = naming::relation_of(&field.member);
    let reference = reference(model, field, relation, &marker);
    let forward = relation
        .accessor(field)
        .map(|name| forward(model, relation, &name).generate(model, &marker));
    let reverse = relation
        .related_name
        .as_ref()
        .map(|name| reverse(model, relation, &marker, name).generate(model, &marker));
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
        .map(|it| auto_create(model, field, it));
    let on = on(model);
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
            fn parent_key(__child: &#name) -> __hooks::Referred<Self> {
                __hooks::referred::<Self, #ty>(&__child.#member)
            }
            #on
        }
    }
}

/// Which connection types have the relation, which only the compiler knows.
fn on(model: &Model<'_>) -> Option<TokenStream> {
    let links = match &model.stored_on {
        StoredOn::NoBackend => return None,
        StoredOn::EveryBackend => quote!(__hooks::link_on!(__hooks, __on)),
        StoredOn::Connections(paths) => quote! {
            __hooks::link([#(__hooks::Probe::<Self, #paths>::new().link(__on)),*])
        },
    };
    Some(quote! {
        fn on(__on: ::core::any::TypeId) -> __hooks::Handle {
            #links
        }
    })
}

fn auto_create(model: &Model<'_>, field: &Field<'_>, how: &AutoCreate) -> TokenStream {
    let made = match how {
        AutoCreate::By(path) => quote!(AutoCreate::FromParent(#path)),
        AutoCreate::Default(_) => default_that_refers(model, field, how),
    };
    quote! {
        const AUTO_CREATE: __hooks::AutoCreated<Self> = __hooks::#made;
    }
}

/// A default one whose field of the relation's name is set to the parent's key.
fn default_that_refers(model: &Model<'_>, field: &Field<'_>, how: &AutoCreate) -> TokenStream {
    let Some(member) = model.new_member(field) else {
        return quote!(AutoCreate::No);
    };
    let new = located(new(model), how.span());
    let default = match &model.new {
        // It is one where all its fields have one, so the error is about the field that has none.
        New::Generated(_) => quote!(::core::default::Default > ::default()),
        New::Itself | New::Given(_) => quote!(__hooks::DefaultField > ::default_field()),
    };
    let default = located(quote!(<#new as #default), how.span());
    quote! {
        from_key(|__key| {
            let mut __new = #default;
            __new.#member = ::core::convert::Into::into(__key);
            __new
        })
    }
}

/// Reads the other end of a relation.
struct Accessor<'a> {
    name: &'a Ident,
    doc: String,
    on: TokenStream,
    /// Where a model that cannot have it is named.
    span: Span,
    returns: TokenStream,
    /// What must be stored on the connection.
    bound: TokenStream,
    /// The function of hooks-core that does it.
    by: TokenStream,
}

fn forward<'a>(model: &Model<'_>, relation: &Relation, name: &'a Ident) -> Accessor<'a> {
    let parent = &relation.parent;
    Accessor {
        name,
        doc: format!(" The `{}` that this row refers to.", last(parent)),
        on: model.name.to_token_stream(),
        span: Span::call_site(),
        returns: parent.to_token_stream(),
        bound: quote!(#parent: __hooks::Persist<__C::Raw>),
        by: quote!(parent),
    }
}

fn reverse<'a>(
    model: &Model<'_>,
    relation: &Relation,
    marker: &Ident,
    name: &'a Ident,
) -> Accessor<'a> {
    Accessor {
        name,
        doc: format!(" The `{}` that refers to this row.", model.name.unraw()),
        on: relation.parent.to_token_stream(),
        span: generated_at(relation.parent.span()),
        returns: model.name.to_token_stream(),
        bound: quote!(#marker: __hooks::Referring<__C::Raw>),
        by: quote!(child),
    }
}

impl Accessor<'_> {
    fn generate(&self, model: &Model<'_>, marker: &Ident) -> TokenStream {
        let Accessor {
            doc,
            on,
            returns,
            bound,
            by,
            ..
        } = self;
        let vis = model.vis;
        // As generated, it is not reported where nobody uses it.
        let name = located(self.name, self.name.span());
        quote_spanned! {self.span=>
            impl #on {
                #[doc = #doc]
                #vis fn #name<__C>(&self, __conn: &mut __C) -> __hooks::Result<#returns>
                where
                    __C: __hooks::HookConnection,
                    #bound,
                {
                    __hooks::#by::<#marker, __C>(__conn, self)
                }
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
