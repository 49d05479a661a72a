//! A relation: the type that stands for it, and the accessors.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Index, Path};

use super::{column, generated_at, located};
use crate::attr::AutoCreate;
use crate::model::{Field, Model, New, Relation, StoredOn};
use crate::naming;

/// What stands among the output's own items, and what stands beside the model.
pub(super) fn generate(
    model: &Model<'_>,
    fields: &[&Field<'_>],
    relation: &Relation,
) -> (TokenStream, TokenStream) {
    let marker = marker(model, fields, relation);
    let reference = reference(model, fields, relation, &marker);
    let forward = forward(model, fields, relation, &marker);
    let reverse = reverse(model, relation, &marker);
    let declared = quote!(struct #marker;);
    match (&relation.related_trait, &relation.related_name) {
        (Some(name), Some(_)) => {
            let (declared, extension) = extension(model, relation, &marker, name);
            (quote!(#reference #forward #extension), declared)
        }
        _ => (
            quote!(#declared #reference #forward #reverse),
            TokenStream::new(),
        ),
    }
}

/// The type that stands for a relation. An extension trait names it, beside other models.
pub(super) fn marker(model: &Model<'_>, fields: &[&Field<'_>], relation: &Relation) -> Ident {
    let members: Vec<_> = fields.iter().map(|field| &field.member).collect();
    let marker = naming::relation_of(&members);
    match relation.related_trait {
        Some(_) => format_ident!("{marker}Of{}", model.name.unraw()),
        None => marker,
    }
}

fn reference(
    model: &Model<'_>,
    fields: &[&Field<'_>],
    relation: &Relation,
    marker: &Ident,
) -> TokenStream {
    let Relation { parent, to, .. } = relation;
    let name = model.name;
    let columns: Vec<_> = fields.iter().map(|field| column(model, field)).collect();
    let (target, key) = match to {
        None => (
            quote!(__hooks::PrimaryKey),
            quote!(<#parent as __hooks::Model>::Pk),
        ),
        Some(to) => {
            let ty = fields[0].ty;
            (
                quote!(__hooks::Unique<(#to,)>),
                quote!(__hooks::Held<#ty, Self::Columns>),
            )
        }
    };
    let text = text(fields);
    let kind = generated(&relation.key);
    // Where it is missing or wrong, that is reported already.
    let on_delete = relation
        .on_delete
        .as_ref()
        .map_or_else(|| quote!(Protect), ToTokens::to_token_stream);
    let auto_create = relation
        .auto_create
        .as_ref()
        .map(|it| auto_create(model, fields, it));
    let held = held(fields, relation);
    let replacement = replacement(relation);
    let on = on(model);
    let nullable = nullable(model, fields, relation);
    let is_column = to.as_ref().map(|to| {
        let check = quote!(const _: () = __hooks::is_column_of::<#parent, #to, #(#columns)*>(););
        located(check, to.span())
    });
    quote! {
        #nullable
        #is_column
        impl __hooks::Reference for #marker {
            type Parent = #parent;
            type Child = #name;
            type Columns = (#(#columns,)*);
            type Target = #target;
            type Key = #key;
            const FACTS: __hooks::Facts = __hooks::#kind(#text, __hooks::#on_delete);
            #auto_create
            const KEY: __hooks::KeyOf<Self> = __hooks::KeyOf::<Self>(|__child| #held);
            #replacement
            #on
        }
    }
}

/// A word of the user's as one of ours.
fn generated(word: &Ident) -> Ident {
    Ident::new(&word.to_string(), Span::call_site())
}

/// `employee_id`, or `(tenant_id, user_id)`
fn text(fields: &[&Field<'_>]) -> String {
    let names: Vec<_> = fields
        .iter()
        .map(|field| naming::plain(&field.member))
        .collect();
    match &*names {
        [name] => name.clone(),
        names => format!("({})", names.join(", ")),
    }
}

/// What the fields of `__child` hold.
fn held(fields: &[&Field<'_>], relation: &Relation) -> TokenStream {
    let held = |field: &&Field<'_>, key: TokenStream| {
        let Field { member, ty, .. } = field;
        quote!(__hooks::held::<#key, #ty>(&__child.#member))
    };
    match fields {
        [field] => held(field, quote!(Self::Key)),
        fields => {
            let parts = fields.iter().map(|field| held(field, quote!(_)));
            // The parent's key may be of others.
            let columns = relation
                .columns
                .as_ref()
                .map_or(&relation.key, |it| &it.key);
            let span = generated_at(columns.span());
            quote_spanned!(span=> ::core::option::Option::Some((#(#parts?),*)))
        }
    }
}

/// An error at a field that cannot be NULL, where the relation would make it so.
fn nullable(model: &Model<'_>, fields: &[&Field<'_>], relation: &Relation) -> Option<TokenStream> {
    relation.on_delete.as_ref().filter(|it| it.is("SetNull"))?;
    let checks = fields.iter().map(|field| {
        let column = column(model, field);
        located(
            quote!(const _: () = __hooks::can_be_null::<#column>();),
            field.ty.span(),
        )
    });
    Some(quote!(#(#checks)*))
}

fn replacement(relation: &Relation) -> Option<TokenStream> {
    let function = relation
        .on_delete
        .as_ref()
        .and_then(|it| it.set.as_ref())
        .or(relation.by_default.as_ref())?;
    let chosen = located(quote!(__hooks::chosen::<Self, _>), function.span());
    Some(quote! {
        fn replacement() -> __hooks::Replacement<Self> {
            #chosen(#function)
        }
    })
}

/// Which connection types have the relation, which only the compiler knows.
fn on(model: &Model<'_>) -> Option<TokenStream> {
    let links = match &model.stored_on {
        StoredOn::NoBackend => return None,
        StoredOn::EveryBackend | StoredOn::Backends(_) => quote!(__hooks::link_on!(__hooks, __on)),
        StoredOn::Connections(paths) => quote! {
            __hooks::first([#(__hooks::Probe::<Self, #paths>::new().link(__on)),*])
        },
    };
    Some(quote!(const ON: __hooks::Links = |__on| #links;))
}

fn auto_create(model: &Model<'_>, fields: &[&Field<'_>], how: &AutoCreate) -> TokenStream {
    let made = match how {
        AutoCreate::By(path) => quote!(__hooks::AutoCreate::FromParent(#path)),
        AutoCreate::Default(_) => default_that_refers(model, fields, how),
    };
    quote! {
        const AUTO_CREATE: __hooks::AutoCreate<Self> = #made;
    }
}

/// A default one whose fields of the relation's names are set to the parent's key.
fn default_that_refers(model: &Model<'_>, fields: &[&Field<'_>], how: &AutoCreate) -> TokenStream {
    let members: Option<Vec<_>> = fields.iter().map(|field| model.new_member(field)).collect();
    let Some(members) = members else {
        return quote!(__hooks::AutoCreate::No);
    };
    let from_key = match &model.new {
        // It is one where all its fields have one, so the error is about the field that has none.
        New::Generated(_) => quote!(from_key_and_defaults),
        New::Itself | New::Given(_) => quote!(from_key),
    };
    // What has no default is told where the closure stands, a field that is not there at that field.
    let span = generated_at(how.span());
    let from_key = located(from_key, span);
    let key: Vec<_> = match &*members {
        [_] => vec![quote!(__key)],
        members => {
            let index = (0..members.len()).map(Index::from);
            index.map(|index| quote!(__key.#index)).collect()
        }
    };
    quote_spanned! {span=>
        __hooks::#from_key::<Self>(|__new, __key| {
            #(__new.#members = ::core::convert::Into::into(#key);)*
        })
    }
}

fn forward(
    model: &Model<'_>,
    fields: &[&Field<'_>],
    relation: &Relation,
    marker: &Ident,
) -> Option<TokenStream> {
    let accessor = relation.accessor(fields)?;
    let Model { name, vis, .. } = model;
    let parent = &relation.parent;
    let doc = format!(" The `{}` that this row refers to.", last(parent));
    let columns = fields.iter().map(|field| column(model, field));
    // As generated, it is not reported where nobody uses it.
    let accessor = located(&accessor, accessor.span());
    Some(quote! {
        impl #name {
            #[doc = #doc]
            #vis fn #accessor(&self, __conn: &mut impl __hooks::On<#marker>) -> __hooks::Result<__hooks::Found<(#(#columns,)*), #parent>> {
                __hooks::On::<#marker>::parent(__conn, self)
            }
        }
    })
}

/// A function that the parent gets: its document, its signature less the keyword, what it calls.
struct Reverse {
    doc: String,
    signature: TokenStream,
    call: TokenStream,
}

fn reverse_functions(
    model: &Model<'_>,
    relation: &Relation,
    marker: &Ident,
    hooks: &TokenStream,
) -> Vec<Reverse> {
    let Some(related) = &relation.related_name else {
        return Vec::new();
    };
    let name = model.name;
    let text = name.unraw();
    let conn = quote!(__conn: &mut impl #hooks::On<#marker>);
    let related_name = located(related, related.span());
    let prefetch = format_ident!(
        "prefetch_{}",
        related.unraw(),
        span = generated_at(related.span())
    );
    let (returns, each, one, many, doc) = match relation.is_one_to_one() {
        true => (
            quote!(#name),
            quote!(::core::option::Option<#name>),
            quote!(child),
            quote!(prefetch_child),
            format!(" The `{text}` that refers to this row."),
        ),
        false => (
            quote!(::std::vec::Vec<#name>),
            quote!(::std::vec::Vec<#name>),
            quote!(children),
            quote!(prefetch_children),
            format!(" Each `{text}` that refers to this row."),
        ),
    };
    let ensure = relation.auto_create.as_ref().map(|_| {
        let ensure = format_ident!(
            "ensure_{}",
            related.unraw(),
            span = generated_at(related.span())
        );
        Reverse {
            doc: format!(
                " Creates the `{text}` of each row that has none, in batches, and says how many."
            ),
            signature: quote!(#ensure(#conn) -> #hooks::Result<usize>),
            call: quote!(ensure_children(__conn)),
        }
    });
    let reading = [
        Reverse {
            doc,
            signature: quote!(#related_name(&self, #conn) -> #hooks::Result<#returns>),
            call: quote!(#one(__conn, self)),
        },
        Reverse {
            doc: format!(
                " What `{}` gives for each of these rows, by one query.",
                related.unraw()
            ),
            signature: quote!(#prefetch(#conn, __rows: &[Self]) -> #hooks::Result<::std::vec::Vec<#each>>),
            call: quote!(#many(__conn, __rows)),
        },
    ];
    reading.into_iter().chain(ensure).collect()
}

fn reverse(model: &Model<'_>, relation: &Relation, marker: &Ident) -> Option<TokenStream> {
    let hooks = quote!(__hooks);
    let functions = reverse_functions(model, relation, marker, &hooks);
    if functions.is_empty() {
        return None;
    }
    let (parent, vis) = (&relation.parent, model.vis);
    let functions = functions.into_iter().map(|it| {
        let Reverse {
            doc,
            signature,
            call,
        } = it;
        quote! {
            #[doc = #doc]
            #vis fn #signature {
                __hooks::On::<#marker>::#call
            }
        }
    });
    // A model that cannot have them is named where the parent is.
    let span = generated_at(parent.span());
    Some(quote_spanned!(span=> impl #parent { #(#functions)* }))
}

/// The same as a trait, for a parent of another crate: its declaration stands beside the model.
fn extension(
    model: &Model<'_>,
    relation: &Relation,
    marker: &Ident,
    name: &Ident,
) -> (TokenStream, TokenStream) {
    let (parent, vis, runtime) = (&relation.parent, model.vis, &model.runtime);
    let hooks = quote!(#runtime);
    let functions = reverse_functions(model, relation, marker, &hooks);
    let docs = functions.iter().map(|it| &it.doc);
    let signatures: Vec<_> = functions.iter().map(|it| &it.signature).collect();
    let calls = functions.iter().map(|it| &it.call);
    let doc = format!(
        " What a `{}` has because `{}` refers to it.",
        last(parent),
        model.name.unraw()
    );
    let name = located(name, name.span());
    let declared = quote! {
        #[doc(hidden)]
        #vis struct #marker;
        #[doc = #doc]
        #vis trait #name: ::core::marker::Sized {
            #(#[doc = #docs] fn #signatures;)*
        }
    };
    let implemented = quote! {
        impl #name for #parent {
            #(fn #signatures { __hooks::On::<#marker>::#calls })*
        }
    };
    (declared, implemented)
}

fn last(path: &Path) -> String {
    path.segments
        .last()
        .map(|it| it.ident.unraw().to_string())
        .unwrap_or_default()
}
