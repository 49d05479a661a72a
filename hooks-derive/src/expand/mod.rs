//! What the derive writes: calls of ordinary functions of hooks-core, and as few as it can.
//!
//! Every name that the output binds begins with `__`: an application that imports its `dsl` modules has
//! unit structs called `key` or `conn` in scope, and a pattern would mean those.

mod model;
mod new;
mod relation;
mod row;
mod stamps;
#[cfg(test)]
mod tests;
mod upsert;

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::DeriveInput;

use crate::check;
use crate::errors::Errors;
use crate::model::{Field, Model, Storage};

/// `#[derive(Hooks)]`. What can be generated is generated in spite of errors, so that nothing else in
/// the program fails because of them.
pub(crate) fn hooks(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(item) = errors.ok(syn::parse2::<DeriveInput>(input)) else {
        return quote!(#errors);
    };
    let Some(model) = Model::read(&item, &mut errors) else {
        return quote!(#errors);
    };
    check::check(&model, &mut errors);
    let generated = generate(&model);
    quote!(#generated #errors)
}

fn generate(model: &Model<'_>) -> TokenStream {
    let runtime = &model.runtime;
    let (new, new_impls) = new::generate(model);
    // Where it has no key, that is reported, and the rest would be about one that is not there.
    let (parts, beside) = match model.key().is_empty() {
        true => Default::default(),
        false => {
            let model_impl = model::generate(model);
            let row = row::generate(model);
            let upsert = upsert::generate(model);
            let (relations, beside): (Vec<_>, Vec<_>) = model
                .sound_relations()
                .map(|(fields, it)| relation::generate(model, &fields, it))
                .unzip();
            (
                quote!(#model_impl #row #upsert #(#relations)*),
                quote!(#(#beside)*),
            )
        }
    };
    quote! {
        #new
        #beside
        #[allow(dead_code, private_bounds)]
        const _: () = {
            use #runtime as __hooks;
            #new_impls
            #parts
        };
    }
}

/// The path of a field's column, as a type. A column is never named as a value: an unknown one would be
/// reported twice.
fn column(model: &Model<'_>, field: &Field<'_>) -> TokenStream {
    let table = &model.table;
    match &field.storage {
        Storage::Column(column) => quote!(#table::#column),
        Storage::Embedded | Storage::Selected => TokenStream::new(),
    }
}

/// One thing is itself, several are a tuple.
fn tuple<T: ToTokens>(parts: impl IntoIterator<Item = T>) -> TokenStream {
    let parts: Vec<T> = parts.into_iter().collect();
    match &*parts {
        [part] => quote!(#part),
        parts => quote!((#(#parts),*)),
    }
}

/// Where these tokens of ours are shown: at the user's. They stay generated, which keeps lints silent.
fn generated_at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// The tokens, shown at one place.
fn located(tokens: impl ToTokens, span: Span) -> TokenStream {
    let located = |mut tree: TokenTree| {
        if let TokenTree::Group(group) = &tree {
            let inner = located(group.stream(), span);
            tree = Group::new(group.delimiter(), inner).into();
        }
        tree.set_span(generated_at(span));
        tree
    };
    tokens
        .into_token_stream()
        .into_iter()
        .map(located)
        .collect()
}
