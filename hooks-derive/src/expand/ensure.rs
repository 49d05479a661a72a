//! What creates the dependents that older rows lack.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::generated_at;
use crate::model::{Field, Model, Relation};
use crate::naming;

/// Nothing for a relation that creates nothing, or that the parent has no name for.
pub(super) fn generate(
    model: &Model<'_>,
    field: &Field<'_>,
    relation: &Relation,
) -> Option<TokenStream> {
    let related_name = relation.related_name.as_ref()?;
    relation.auto_create.as_ref()?;
    let Model { vis, name, .. } = model;
    let parent = &relation.parent;
    let marker = naming::relation_of(&field.member);
    let ensure = format_ident!(
        "ensure_{}",
        related_name.unraw(),
        span = generated_at(related_name.span())
    );
    let doc = format!(
        " Creates the `{}` of each row that has none, in batches, and says how many.",
        name.unraw()
    );
    let function = quote! {
        #[doc = #doc]
        #vis fn #ensure<__C>(__conn: &mut __C) -> __hooks::Result<usize>
        where
            __C: __hooks::HookConnection,
            #marker: __hooks::Lacking<__C::Raw>,
        {
            __hooks::ensure::<#marker, __C>(__conn)
        }
    };
    Some(quote_spanned! {generated_at(parent.span())=>
        impl #parent {
            #function
        }
    })
}
