//! `new = ..`: the type that a row is created from, which owns what it holds.

use darling::Result;
use darling::ast::NestedMeta;
use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative as _;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprPath, Ident, Lifetime, Meta, MetaNameValue, Path, Token, TypeReference};

use super::value;
use crate::errors::Errors;

/// What stands after `new =`.
#[derive(Debug)]
pub(crate) struct NewAttr {
    /// With `'static` where a lifetime is wrong, so that nothing else fails because of it.
    pub(crate) path: Path,
    pub(crate) errors: Errors,
}

/// An item in which a type may have its arguments without the `::` that an expression wants before them.
pub(super) fn item(input: ParseStream<'_>) -> syn::Result<NestedMeta> {
    let ahead = input.fork();
    match new(&ahead) {
        Ok(meta) if ahead.is_empty() || ahead.peek(Token![,]) => {
            input.advance_to(&ahead);
            Ok(NestedMeta::Meta(meta.into()))
        }
        _ => input.parse(),
    }
}

fn new(input: ParseStream<'_>) -> syn::Result<MetaNameValue> {
    let key: Ident = input.parse()?;
    if key != "new" {
        return Err(syn::Error::new(key.span(), "expected `new`"));
    }
    let eq_token = input.parse()?;
    let value = ExprPath {
        attrs: Vec::new(),
        qself: None,
        path: input.parse()?,
    };
    Ok(MetaNameValue {
        path: key.into(),
        eq_token,
        value: Expr::Path(value),
    })
}

pub(super) fn parse(meta: &Meta) -> Result<Option<NewAttr>> {
    let mut path = value(meta, "new = NewEmployee")?;
    let mut owning = Owning::default();
    owning.visit_path_mut(&mut path);
    let mut errors = Errors::default();
    if let Some(span) = owning.borrowed {
        errors.push(syn::Error::new(
            span,
            "a row is created from what it owns: make the fields of this struct owned (`String` instead of `&str`), \
             or leave `new = ..` out and the derive makes one",
        ));
    }
    Ok(Some(NewAttr { path, errors }))
}

/// Makes every lifetime `'static`.
#[derive(Default)]
struct Owning {
    /// Where the first stands that was another.
    borrowed: Option<Span>,
}

impl VisitMut for Owning {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            self.borrowed.get_or_insert(lifetime.span());
            *lifetime = Lifetime::new("'static", lifetime.span());
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        let span = reference.and_token.span;
        if reference.lifetime.is_none() {
            self.borrowed.get_or_insert(span);
        }
        reference
            .lifetime
            .get_or_insert_with(|| Lifetime::new("'static", span));
        visit_mut::visit_type_reference_mut(self, reference);
    }
}
