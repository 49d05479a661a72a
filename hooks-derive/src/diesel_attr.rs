//! What we need of Diesel's own `#[diesel(..)]`; the keys that we do not know are Diesel's to judge.

use proc_macro2::TokenTree;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Result};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, LitBool, LitStr, Path, Token, Type};

use crate::errors::Errors;

/// Of the struct.
#[derive(Debug, Default)]
pub(crate) struct StructAttr {
    pub(crate) table_name: Option<Path>,
    pub(crate) primary_key: Option<Vec<Ident>>,
    pub(crate) check_for_backend: Option<Vec<Path>>,
    pub(crate) treat_none_as_default_value: Option<LitBool>,
}

/// Of a field.
#[derive(Debug, Default)]
pub(crate) struct FieldAttr {
    pub(crate) column_name: Option<Ident>,
    pub(crate) embed: bool,
    pub(crate) skip_insertion: bool,
    pub(crate) skip_update: bool,
    pub(crate) serialize_as: Option<Type>,
    pub(crate) select_expression: bool,
    pub(crate) treat_none_as_default_value: Option<LitBool>,
}

impl StructAttr {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut it = StructAttr::default();
        let set = |key: &Ident, input: ParseStream<'_>| {
            match &*key.to_string() {
                "table_name" => it.table_name = Some(value(input)?),
                "primary_key" => it.primary_key = Some(list(input)?),
                "check_for_backend" => it.check_for_backend = backends(input)?,
                "treat_none_as_default_value" => {
                    it.treat_none_as_default_value = Some(value(input)?)
                }
                _ => skip_value(input)?,
            }
            Ok(())
        };
        read(attrs, errors, set);
        it
    }
}

impl FieldAttr {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut it = FieldAttr::default();
        let set = |key: &Ident, input: ParseStream<'_>| {
            match &*key.to_string() {
                "column_name" => it.column_name = Some(column(input)?),
                "embed" => it.embed = true,
                "skip_insertion" => it.skip_insertion = true,
                "skip_update" => it.skip_update = true,
                "serialize_as" => it.serialize_as = Some(value(input)?),
                "treat_none_as_default_value" => {
                    it.treat_none_as_default_value = Some(value(input)?)
                }
                "select_expression" => {
                    it.select_expression = true;
                    skip_value(input)?;
                }
                _ => skip_value(input)?,
            }
            Ok(())
        };
        read(attrs, errors, set);
        it
    }
}

fn read(
    attrs: &[Attribute],
    errors: &mut Errors,
    mut set: impl FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("diesel")) {
        let read = attr.parse_args_with(|input: ParseStream<'_>| {
            while !input.is_empty() {
                set(&input.call(Ident::parse_any)?, input)?;
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        });
        errors.ok(read);
    }
}

fn value<T: syn::parse::Parse>(input: ParseStream<'_>) -> Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

fn list<T: syn::parse::Parse>(input: ParseStream<'_>) -> Result<Vec<T>> {
    let content;
    syn::parenthesized!(content in input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?
        .into_iter()
        .collect())
}

/// `(Sqlite, Pg)`, or `(disable = true)`
fn backends(input: ParseStream<'_>) -> Result<Option<Vec<Path>>> {
    let content;
    syn::parenthesized!(content in input);
    if content.peek2(Token![=]) {
        skip_value(&content)?;
        return Ok(None);
    }
    let paths = Punctuated::<Path, Token![,]>::parse_terminated(&content)?;
    Ok(Some(paths.into_iter().collect()))
}

/// A name, bare or in quotes.
fn column(input: ParseStream<'_>) -> Result<Ident> {
    input.parse::<Token![=]>()?;
    if !input.peek(LitStr) {
        return input.parse();
    }
    let literal = input.parse::<LitStr>()?;
    let raw = || syn::parse_str(&format!("r#{}", literal.value()));
    let name: Result<Ident> = syn::parse_str(&literal.value()).or_else(|_| raw());
    let mut name = name.map_err(|_| {
        let name = literal.value();
        syn::Error::new(
            literal.span(),
            format!("`{name}` is no name of a column in `diesel::table!`"),
        )
    })?;
    name.set_span(literal.span());
    Ok(name)
}

/// Up to the comma after it; a type's own commas stand between angles.
fn skip_value(input: ParseStream<'_>) -> Result<()> {
    let mut angles = 0_usize;
    while !input.is_empty() && (angles > 0 || !input.peek(Token![,])) {
        match input.parse::<TokenTree>()? {
            TokenTree::Punct(punct) if punct.as_char() == '<' => angles += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => angles = angles.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}
