//! `#[derive(HookConnection)]`: hooks on an enum of connections to several databases, beside Diesel's
//! `#[derive(MultiConnection)]`, which makes it a connection.

use darling::FromMeta;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Ident, Path, Type};

use crate::attr;
use crate::errors::Errors;
use crate::paths::Runtime;

/// What may stand in `#[hooks(..)]` on a connection.
#[derive(Debug, Default, FromMeta)]
struct ConnectionAttr {
    #[darling(default, rename = "crate", with = attr::parse_facade)]
    facade: Option<Path>,
}

/// One of the databases.
struct Variant<'a> {
    name: &'a Ident,
    ty: &'a Type,
}

pub(crate) fn connection(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(item) = errors.ok(syn::parse2::<DeriveInput>(input)) else {
        return quote!(#errors);
    };
    let attr: ConnectionAttr = attr::named("hooks", &item.attrs, &mut errors);
    let variants = variants(&item, &mut errors);
    let impls = errors
        .is_empty()
        .then(|| generate(&item.ident, &variants, &attr));
    quote!(#impls #errors)
}

fn variants<'a>(item: &'a DeriveInput, errors: &mut Errors) -> Vec<Variant<'a>> {
    if let Some(parameter) = item.generics.params.first() {
        errors.at(
            parameter,
            "`MultiConnection` takes no parameters: name the connections themselves",
        );
    }
    let Data::Enum(data) = &item.data else {
        errors.at(
            &item.ident,
            "a connection to one of several databases is an enum: `enum AnyConnection { Sqlite(SqliteConnection), \
             Postgres(PgConnection) }`, with `#[derive(diesel::MultiConnection, HookConnection)]`",
        );
        return Vec::new();
    };
    if data.variants.is_empty() {
        errors.at(
            &item.ident,
            "name at least one connection: `Sqlite(SqliteConnection)`",
        );
    }
    let mut variants = Vec::new();
    for variant in &data.variants {
        match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => variants.push(Variant {
                name: &variant.ident,
                ty: &fields.unnamed[0].ty,
            }),
            _ => errors.at(
                variant,
                format!(
                    "each variant holds one connection: `{}(SqliteConnection)`",
                    variant.ident
                ),
            ),
        }
    }
    variants
}

fn generate(name: &Ident, variants: &[Variant<'_>], attr: &ConnectionAttr) -> TokenStream {
    let runtime = Runtime::new(attr.facade.as_ref());
    let names: Vec<_> = variants.iter().map(|it| it.name).collect();
    // A connection without hooks is told where the user names it.
    let raw = variants.iter().map(|Variant { ty, .. }| {
        let span = Span::call_site().located_at(ty.span());
        quote_spanned!(span=> <#ty as __hooks::RawConnection>)
    });
    let raw: Vec<_> = raw.collect();
    quote! {
        const _: () = {
            use #runtime as __hooks;
            // Diesel's derive makes it, beside the enum.
            type __Backend = MultiBackend;
            type __QueryBuilder = <__Backend as __hooks::Backend>::QueryBuilder;
            type __Values<'__b> = <__Backend as __hooks::Backend>::BindCollector<'__b>;
            #[automatically_derived]
            impl __hooks::HookConnection for #name {
                type Raw = Self;
                fn raw_connection(&mut self) -> &mut Self {
                    self
                }
            }
            #[automatically_derived]
            impl __hooks::RawConnection for #name {
                type Inserting = __hooks::BySystem;
                fn backend(&self) -> __Backend {
                    match self {
                        #(Self::#names(__it) => __Backend::#names(#raw::backend(__it)),)*
                    }
                }
                fn session(&mut self) -> &mut dyn __hooks::Session {
                    match self {
                        #(Self::#names(__it) => #raw::session(__it),)*
                    }
                }
            }
            #[automatically_derived]
            impl<__ST> __hooks::Lists<__ST> for __Backend {}
            #[automatically_derived]
            impl __hooks::Dialect for __Backend {
                fn system(&self) -> __hooks::System {
                    match self {
                        #(Self::#names(__it) => __hooks::Dialect::system(__it),)*
                    }
                }
                fn query_builder(&self) -> __QueryBuilder {
                    match self {
                        #(Self::#names(__it) => __QueryBuilder::#names(__hooks::Dialect::query_builder(__it)),)*
                    }
                }
                fn value_bytes<'__b>(
                    &'__b self,
                    __statement: &'__b dyn __hooks::QueryFragment<Self>,
                ) -> __hooks::QueryResult<::core::option::Option<usize>> {
                    let mut __values = match self {
                        #(Self::#names(_) => __Values::#names(::core::default::Default::default()),)*
                    };
                    __hooks::collect_values(self, __statement, &mut __values)?;
                    ::core::result::Result::Ok(__hooks::Dialect::bytes_of(self, &__values))
                }
                #[allow(unreachable_patterns)]
                fn bytes_of(&self, __values: &__Values<'_>) -> ::core::option::Option<usize> {
                    match (self, __values) {
                        #((Self::#names(__it), __Values::#names(__values)) => __hooks::Dialect::bytes_of(__it, __values),)*
                        _ => ::core::option::Option::None,
                    }
                }
            }
        };
    }
}
